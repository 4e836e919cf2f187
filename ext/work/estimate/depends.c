/*
** The way of answers through a statement's program: https://sqlite.org/opcode.html.
**
** Registers and cursors that an answer may reach are marked, again and again until no more are, whatever the order of the
** instructions. Answers do not decide only where each use of what is marked is known to be harmless: it is copied, computed
** with, put into a record or an aggregate, and given out. A jump, a search, a key of an index or a sorter, an argument of another
** call that is marked decides; so does a program with an instruction that is not in the table. So what is wrong with this is
** too cautious. (A jump that does nothing but choose a value, as of CASE, marks that value.)
*/
#include "work/estimate/depends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OPS = 20000, MOST_MARKS = 8192, MANY_ARGUMENTS = 127 };

typedef struct Op {
  int is_marked; /* what it writes may be an answer, or made of one */
  int is_target; /* others may go on here */
  const struct Kind *kind;
  int p[4];    /* p1, p2, p3, and p5 */
  int n_args;  /* of a function */
  int is_call; /* one of ours that asks a model */
  int varies;  /* a function that gives something else each time */
} Op;

/* What an instruction does, by its operands:
**   rN, wN  reads, writes the register in operand N         cN, CN  reads, fills the cursor in it
**   n       reads n_args registers from p2 on (arguments)   a       as many as p5 says
**   m       p2 registers from p1 on (a record)              y       copies n_args registers from p1 to p2
**   s       n_args registers from p3 on (a key)             f       the arguments of a virtual table, behind p3
**   x       p3 registers from p1 and from p2 on (compared)
**   j       first: it goes by what it reads                 g       first: it may go on elsewhere
**   v       first: it only makes a value                    k       first: it puts a record under its keys
**   q       first: where p1 is not 0, max() chooses rows    !       first: windows and their kin, not followed */
typedef struct Kind {
  const char *name, *does;
} Kind;

static const Kind kinds[] = {
    {"Add", "r1r2w3"},
    {"And", "r1r2w3"},
    {"BitAnd", "r1r2w3"},
    {"BitOr", "r1r2w3"},
    {"Concat", "r1r2w3"},
    {"Divide", "r1r2w3"},
    {"Multiply", "r1r2w3"},
    {"Or", "r1r2w3"},
    {"Remainder", "r1r2w3"},
    {"ShiftLeft", "r1r2w3"},
    {"ShiftRight", "r1r2w3"},
    {"Subtract", "r1r2w3"},
    {"BitNot", "r1w2"},
    {"Not", "r1w2"},
    {"IsTrue", "r1w2"},
    {"ZeroOrNull", "vr1r3w2"},
    {"Cast", ""},
    {"AddImm", ""},
    {"RealAffinity", ""},
    {"Affinity", ""},
    {"Copy", "y"},
    {"SCopy", "vr1w2"},
    {"IntCopy", "vr1w2"},
    {"Move", "y"},
    {"Function", "nw3"},
    {"PureFunc", "nw3"},
    {"MakeRecord", "mw3"},
    {"AggStep", "aw3"},
    {"AggStep1", "aw3"},
    {"AggInverse", "!"},
    {"AggValue", "!"},
    {"AggFinal", ""},
    {"ResultRow", ""},
    {"Column", "c1w3"},
    {"VColumn", "c1w3"},
    {"SorterData", "c1w2"},
    {"RowData", "c1w2"},
    {"Insert", "r2C1"},
    {"IdxInsert", "kr2C1"},
    {"SorterInsert", "kr2C1"},
    {"OpenPseudo", "r2C1"},
    {"OpenDup", "!"},
    {"Eq", "jr1r3"},
    {"Ne", "jr1r3"},
    {"Lt", "jr1r3"},
    {"Le", "jr1r3"},
    {"Gt", "jr1r3"},
    {"Ge", "jr1r3"},
    {"If", "jr1"},
    {"IfNot", "jr1"},
    {"IsNull", "jr1"},
    {"NotNull", "jr1"},
    {"Integer", "vw2"},
    {"Int64", "vw2"},
    {"Null", "vw2"},
    {"String8", "vw2"},
    {"Real", "vw2"},
    {"Blob", "vw2"},
    {"Goto", "vg"},
    {"Init", "g"},
    {"Halt", "g"},
    {"Transaction", ""},
    {"OpenRead", ""},
    {"OpenEphemeral", ""},
    {"OpenAutoindex", ""},
    {"SorterOpen", ""},
    {"VOpen", ""},
    {"Rewind", "g"},
    {"Next", "g"},
    {"Prev", "g"},
    {"VNext", "g"},
    {"SorterNext", "g"},
    {"SorterSort", "g"},
    {"Sort", "g"},
    {"Last", "g"},
    {"Delete", ""},
    {"Close", ""},
    {"CollSeq", "q"},
    {"NullRow", ""},
    {"Sequence", "w2"},
    {"Rowid", "w2"},
    {"IdxRowid", "w2"},
    {"DeferredSeek", ""},
    {"NewRowid", "w2"},
    {"Once", "g"},
    {"Explain", ""},
    {"Noop", ""},
    {"InitCoroutine", "g"},
    {"EndCoroutine", "g"},
    {"Yield", "g"},
    {"Gosub", "g"},
    {"Return", "g"},
    {"BeginSubrtn", ""},
    {"Variable", "w2"},
    {"ResetSorter", ""},
    {"Trace", ""},
    {"Abortable", ""},
    {"CursorHint", ""},
    {"ReopenIdx", ""},
    {"Expire", ""},
    {"VInitIn", ""},
    {"Count", "w2"},
    {"DecrJumpZero", "jr1"},
    {"IfPos", "jr1"},
    {"IfNotZero", "jr1"},
    {"OffsetLimit", "jr1r3"},
    {"MustBeInt", "jr1"},
    {"SeekGE", "js"},
    {"SeekGT", "js"},
    {"SeekLE", "js"},
    {"SeekLT", "js"},
    {"SeekRowid", "jr3"},
    {"NotExists", "jr3"},
    {"Found", "js"},
    {"NotFound", "js"},
    {"NoConflict", "js"},
    {"IdxGE", "js"},
    {"IdxGT", "js"},
    {"IdxLE", "js"},
    {"IdxLT", "js"},
    {"Filter", "js"},
    {"FilterAdd", "js"},
    {"VFilter", "jf"},
    {"Compare", "jx"},
    {"Jump", "g"},
    {"Permutation", ""},
    {"IfNullRow", "g"},
    {"SequenceTest", "g"},
    {"ElseEq", "g"},
    {"ClrSubtype", ""},
};

typedef struct Program {
  Op *ops;
  int n;
  unsigned char registers[MOST_MARKS], cursors[MOST_MARKS];
  int more; /* something was marked in this round */
} Program;

static const Kind *find_kind(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (strcmp(kinds[i].name, name) == 0) {
      return &kinds[i];
    }
  }
  return NULL;
}

/* One row of EXPLAIN. 0 for an instruction that is not known, and for numbers that we don't go along with. */
static int read_op(sqlite3_stmt *stmt, Op *op) {
  static const char *const varying[] = {"random(", "randomblob(", "llm_last_call("};
  static const char *const callers[] = {"llm_complete(", "llm_chat(", "embed("};
  const char *name = (const char *)sqlite3_column_text(stmt, 1);
  const char *p4 = (const char *)sqlite3_column_text(stmt, 5);
  const char *open = p4 ? strrchr(p4, '(') : NULL;
  *op = (Op){.kind = name ? find_kind(name) : NULL,
             .n_args = p4 ? (int)strtol(open ? open + 1 : p4, NULL, 10) : 0};
  static const int columns[] = {2, 3, 4, 6};
  for (int i = 0; i < 4; i++) {
    op->p[i] = sqlite3_column_int(stmt, columns[i]);
  }
  if (op->kind && op->kind->does[0] == 'y') {
    op->n_args = op->p[2] + (strcmp(name, "Copy") == 0);
  }
  int is_function = op->kind && op->kind->does[0] == 'n';
  for (size_t i = 0; i < sizeof callers / sizeof callers[0] && is_function && p4; i++) {
    op->is_call |= strncmp(p4, callers[i], strlen(callers[i])) == 0;
  }
  for (size_t i = 0; i < sizeof varying / sizeof varying[0] && is_function && p4; i++) {
    op->varies |= strncmp(p4, varying[i], strlen(varying[i])) == 0;
  }
  op->n_args = op->n_args < 0 ? MANY_ARGUMENTS : op->n_args;
  int fits = op->kind != NULL;
  for (const char *at = fits ? op->kind->does : ""; *at; at++) {
    fits &= !strchr("wC", *at) || op->p[at[1] - '1'] < MOST_MARKS;
  }
  return fits;
}

/* 1; 0: it can't be looked at; -1 and *err. */
static int read_program(sqlite3 *db, const char *sql, Program *p, Err *err) {
  char *explain = sqlite3_mprintf("EXPLAIN %s", sql);
  sqlite3_stmt *stmt = NULL;
  p->ops = calloc(MOST_OPS, sizeof *p->ops);
  if (!explain || !p->ops) {
    sqlite3_free(explain);
    err_nomem(err);
    return -1;
  }
  int rc = sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), fits = rc == SQLITE_OK;
  while (fits && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    fits = p->n < MOST_OPS && read_op(stmt, &p->ops[p->n]);
    p->n += fits;
  }
  sqlite3_finalize(stmt);
  sqlite3_free(explain);
  if ((rc & 0xff) == SQLITE_NOMEM) {
    err_nomem(err);
    return -1;
  }
  return fits && rc == SQLITE_DONE;
}

/* 1 if one of n registers from `from` on is marked. */
static int any_marked(const Program *p, int from, int n) {
  int found = 0;
  for (int i = from; i < from + n && i < MOST_MARKS && !found; i++) {
    found = i >= 0 && p->registers[i];
  }
  return found;
}

static void mark(Program *p, unsigned char *marks, int at) {
  if (at >= 0 && at < MOST_MARKS && !marks[at]) {
    marks[at] = 1;
    p->more = 1;
  }
}

/* The register that an instruction writes; -1: none, or not known. */
static int written_by(const Op *op) {
  const char *w = strchr(op->kind->does, 'w');
  return w ? op->p[w[1] - '1'] : -1;
}

/* 1 if a register is marked where instruction i reads it: what wrote it last decides, where no way leads in between. */
static int is_marked_at(const Program *p, int i, int reg) {
  int is_straight = any_marked(p, reg, 1);
  for (int at = i; is_straight && at > 0 && !p->ops[at].is_target; at--) {
    const Op *before = &p->ops[at - 1];
    if (written_by(before) == reg) {
      return before->is_marked;
    }
    const char *does = before->kind->does;
    is_straight = does[0] != 'g' && does[0] != 'y' && strcmp(does, "vg") != 0;
  }
  return any_marked(p, reg, 1);
}

/* 1 if a register is written before instruction i, or in the part that a program begins with. (Of a function with any number
** of arguments the program does not say how many there are: they end where nothing was written.) */
static int is_written_before(const Program *p, int i, int reg) {
  int found = 0;
  for (int k = 0; k < p->n && !found; k++) {
    const Op *op = &p->ops[k];
    int copies = op->kind->does[0] == 'y' && reg >= op->p[1] && reg < op->p[1] + op->n_args;
    int ends = strcmp(op->kind->name, "AggFinal") == 0 && op->p[0] == reg;
    int is_first = k < i || k >= p->ops[0].p[1];
    found = is_first && (written_by(op) == reg || copies || ends);
  }
  return found;
}

static int any_marked_at(const Program *p, int i, int from, int n) {
  int found = 0, ends = 0;
  for (int reg = from; reg < from + n && reg < MOST_MARKS && !found && !ends; reg++) {
    found = is_marked_at(p, i, reg);
    ends = n == MANY_ARGUMENTS && !is_written_before(p, i, reg);
  }
  return found && !ends;
}

/* How many arguments a virtual table is given: a constant in a register of its own. */
static int filter_arguments(const Program *p, int in) {
  int n = MANY_ARGUMENTS;
  for (int i = 0; i < p->n; i++) {
    const Op *op = &p->ops[i];
    n = strcmp(op->kind->name, "Integer") == 0 && op->p[1] == in ? op->p[0] : n;
  }
  return n;
}

/* 1 if an instruction reads what is marked. */
static int reads_marked(const Program *p, int i) {
  const Op *op = &p->ops[i];
  int found = 0;
  for (const char *at = op->kind->does; *at && !found; at++) {
    int operand = at[1] >= '1' && at[1] <= '3' ? op->p[at[1] - '1'] : 0;
    found = *at == 'r'   ? is_marked_at(p, i, operand)
            : *at == 'c' ? operand >= 0 && operand < MOST_MARKS && p->cursors[operand]
            : *at == 'n' ? any_marked_at(p, i, op->p[1], op->n_args)
            : *at == 'm' ? any_marked_at(p, i, op->p[0], op->p[1])
            : *at == 'y' ? any_marked(p, op->p[0], op->n_args)
            : *at == 'a' ? any_marked(p, op->p[1], op->p[3])
            : *at == 's' ? any_marked(p, op->p[2], op->n_args > 1 ? op->n_args : 1)
            : *at == 'f' ? any_marked(p, op->p[2] + 2, filter_arguments(p, op->p[2] + 1))
            : *at == 'x' ? any_marked(p, op->p[0], op->p[2]) || any_marked(p, op->p[1], op->p[2])
                         : 0;
  }
  return found;
}

/* Hands marks on. */
static void follow(Program *p, int i) {
  Op *op = &p->ops[i];
  if (!op->is_call && !reads_marked(p, i)) {
    return;
  }
  p->more |= !op->is_marked;
  op->is_marked = 1;
  for (const char *at = op->kind->does; *at; at++) {
    if (*at == 'w') {
      mark(p, p->registers, op->p[at[1] - '1']);
    } else if (*at == 'C') {
      mark(p, p->cursors, op->p[at[1] - '1']);
    }
    for (int k = 0; *at == 'y' && k < op->n_args; k++) {
      mark(p, p->registers, op->p[1] + k);
    }
  }
}

/* Where a way may lead in. */
static void find_targets(Program *p) {
  for (int i = 0; i < p->n; i++) {
    const char *does = p->ops[i].kind->does;
    int is_compare = strcmp(does, "jx") == 0; /* (the jump behind it is another instruction) */
    int goes = does[0] == 'g' || (does[0] == 'j' && !is_compare) || strcmp(does, "vg") == 0;
    for (int k = 0; k < 3 && goes; k++) {
      int to = p->ops[i].p[k];
      if (to >= 0 && to < p->n && (k == 1 || does[0] == 'g')) {
        p->ops[to].is_target = 1;
      }
    }
    if (goes && i + 1 < p->n) {
      p->ops[i + 1].is_target = 1; /* (a subroutine returns there) */
    }
  }
}

/* Where the ways of a jump that only chooses between values meet again: nothing but values is made on either of them. -1:
** it does more. (Behind one value a Goto passes over the others: they are on the other way.) */
static int end_of_choice(const Program *p, int at) {
  int end = p->ops[at].p[1], only_values = end > at;
  for (int i = at + 1; i < end && only_values; i++) {
    const Op *op = i < p->n ? &p->ops[i] : NULL;
    only_values = op && op->kind->does[0] == 'v';
    if (only_values && strcmp(op->kind->name, "Goto") == 0) {
      only_values = op->p[1] > i;
      end = op->p[1] > end ? op->p[1] : end;
    }
  }
  return only_values ? end : -1;
}

/* Marks what a jump that goes by an answer chooses. */
static void mark_choice(Program *p, int at) {
  for (int i = at + 1; i < end_of_choice(p, at); i++) {
    int reg = written_by(&p->ops[i]);
    if (reg >= 0) {
      p->more |= !p->ops[i].is_marked;
      p->ops[i].is_marked = 1;
      mark(p, p->registers, reg);
    }
  }
}

/* 1 if a key of the record that is put into an index or a sorter is marked. */
static int puts_marked_key(const Program *p, int at) {
  int made = at, n = 0;
  while (made >= 0 &&
         !(p->ops[made].kind->does[0] == 'm' && p->ops[made].p[2] == p->ops[at].p[1])) {
    made--;
  }
  for (int i = 0; i < p->n; i++) {
    const char *name = p->ops[i].kind->name;
    int opens = strncmp(name, "Open", 4) == 0 || strcmp(name, "SorterOpen") == 0;
    n = opens && p->ops[i].p[0] == p->ops[at].p[0] ? p->ops[i].n_args : n;
  }
  return made < 0 ? any_marked(p, p->ops[at].p[1], 1)
                  : any_marked_at(p, made, p->ops[made].p[0], n);
}

static int decides(Program *p, int i) {
  const Op *op = &p->ops[i];
  switch (op->kind->does[0]) {
  case '!':
    return 1;
  case 'q':
    return op->p[0] != 0 && i + 1 < p->n && p->ops[i + 1].kind->does[0] == 'a' &&
           reads_marked(p, i + 1);
  case 'k':
    return puts_marked_key(p, i);
  case 'j':
    return reads_marked(p, i) && end_of_choice(p, i) < 0;
  default:
    return op->is_call && reads_marked(p, i);
  }
}

/* The answers of llm_call come from a virtual table; which one is, the program does not say. */
static void mark_tables(Program *p) {
  for (int i = 0; i < p->n; i++) {
    if (strcmp(p->ops[i].kind->name, "VOpen") == 0) {
      mark(p, p->cursors, p->ops[i].p[0]);
    }
  }
}

/* Follows answers until no more is marked. */
static void follow_all(Program *p) {
  do {
    p->more = 0;
    for (int i = 0; i < p->n; i++) {
      follow(p, i);
      if (p->ops[i].kind->does[0] == 'j' && reads_marked(p, i)) {
        mark_choice(p, i);
      }
    }
  } while (p->more);
}

int answers_decide(sqlite3 *db, const char *sql, int from_tables, int *varies, Err *err) {
  Program *p = calloc(1, sizeof *p);
  int found = p ? read_program(db, sql, p, err) : (err_nomem(err), -1);
  int result = found == 1 ? 0 : found == 0 ? 1 : -1;
  *varies = 0;
  if (found == 1) {
    find_targets(p);
    if (from_tables) {
      mark_tables(p);
    }
    follow_all(p);
    for (int i = 0; i < p->n; i++) {
      result = result || decides(p, i);
      *varies |= p->ops[i].varies;
    }
  }
  free(p ? p->ops : NULL);
  free(p);
  return result;
}
