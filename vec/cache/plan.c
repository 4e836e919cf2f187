/*
** See plan.h for the contract.
**
** idxNum is a sum of the Plan bits; xFilter's arguments come in the order of the bits. Behind them come the values of the
** conditions on tag and model, of which a lookup takes any number; idxStr, which EXPLAIN QUERY PLAN shows, names them in
** brackets, in their order: "[tag <> model IS]". A lookup takes over every condition it uses (omit), so that a condition is never
** left to filter the one row that came back. NOT IN is none that SQLite tells a table of.
*/
#include "vec/cache/plan.h"

#include "base/sqlite/vtab.h"

#include <math.h>
#include <string.h>

/* --- conditions on tag and model */

static const struct {
  unsigned char constraint;
  ConditionOp op;
  const char *name;
} operators[] = {
    {SQLITE_INDEX_CONSTRAINT_EQ, CONDITION_EQUAL, "="},
    {SQLITE_INDEX_CONSTRAINT_NE, CONDITION_OTHER, "<>"},
    {SQLITE_INDEX_CONSTRAINT_IS, CONDITION_IS, "IS"},
    {SQLITE_INDEX_CONSTRAINT_ISNOT, CONDITION_IS_NOT, "IS NOT"},
    {SQLITE_INDEX_CONSTRAINT_ISNULL, CONDITION_IS_NULL, "IS NULL"},
    {SQLITE_INDEX_CONSTRAINT_ISNOTNULL, CONDITION_NOT_NULL, "IS NOT NULL"},
    {0, CONDITION_IN, "IN"}, /* an equality that SQLite would ask for once per value of a list */
};
enum { N_OPERATORS = sizeof operators / sizeof operators[0], IN_LIST = N_OPERATORS - 1 };

/* The operator of a condition on tag or model that is part of a search; -1: it is none. */
static int operator_of(sqlite3_index_info *info, int at) {
  const struct sqlite3_index_constraint *c = &info->aConstraint[at];
  if (c->iColumn != C_TAG && c->iColumn != C_MODEL) {
    return -1;
  }
  const char *collation = sqlite3_vtab_collation(info, at);
  int i = collation && sqlite3_stricmp(collation, "BINARY") != 0 ? N_OPERATORS : 0;
  while (i < N_OPERATORS && operators[i].constraint != c->op) {
    i++;
  }
  return i < N_OPERATORS ? i : -1;
}

/* Takes over the conditions on tag and model, their values behind the `n` arguments that are taken; their names, owned
** (sqlite3_free), "" for none; NULL without memory. */
static char *use_conditions(sqlite3_index_info *info, int n) {
  sqlite3_str *names = sqlite3_str_new(NULL);
  int count = 0;
  for (int i = 0; i < info->nConstraint && count < CONDITIONS_MOST; i++) {
    int op = info->aConstraint[i].usable ? operator_of(info, i) : -1;
    if (op >= 0 && operators[op].op == CONDITION_EQUAL && sqlite3_vtab_in(info, i, 1)) {
      op = IN_LIST;
    }
    if (op >= 0) {
      sqlite3_str_appendf(names, "%s%s %s", count ? " " : "[",
                          info->aConstraint[i].iColumn == C_TAG ? "tag" : "model",
                          operators[op].name);
      info->aConstraintUsage[i].argvIndex = n + ++count;
      info->aConstraintUsage[i].omit = 1;
    }
  }
  sqlite3_str_appendall(names, count ? "] " : "");
  char *text = sqlite3_str_finish(names);
  return text ? text : sqlite3_mprintf("");
}

/* The operator that a text begins with, the longest. */
static int named_operator(const char *text) {
  int found = -1;
  for (int i = 0; i < N_OPERATORS; i++) {
    size_t n = strlen(operators[i].name);
    int is_longer = found < 0 || n > strlen(operators[found].name);
    if (strncmp(text, operators[i].name, n) == 0 && is_longer) {
      found = i;
    }
  }
  return found;
}

int plan_conditions(const char *text, sqlite3_value **argv, Condition out[CONDITIONS_MOST]) {
  int n = 0;
  if (!text || *text != '[') {
    return 0;
  }
  for (const char *at = text + 1; *at && *at != ']' && n < CONDITIONS_MOST;) {
    at += *at == ' ';
    int is_tag = strncmp(at, "tag ", 4) == 0;
    at += is_tag ? 4 : 6; /* "model " */
    int op = named_operator(at);
    if (op < 0) {
      break;
    }
    at += strlen(operators[op].name);
    out[n] = (Condition){is_tag ? C_TAG : C_MODEL, operators[op].op, argv[n]};
    n++;
  }
  return n;
}

/* --- the other conditions, a bit each */

/* The bit of a constraint, 0 where it is none of ours. */
static int plan_bit(const struct sqlite3_index_constraint *c) {
  static const struct {
    int column;
    Plan bit;
  } equalities[] = {{-1, P_ROWID},   {C_SYSTEM_PROMPT, P_PROMPT}, {C_SCOPE, P_SCOPE},
                    {C_TAG, P_TAG},  {C_MODEL, P_MODEL},          {C_THRESHOLD, P_THRESHOLD},
                    {C_K, P_K},      {C_VERIFY, P_VERIFY},        {C_MAX_FALSE, P_BOUND},
                    {C_USER, P_USER}};
  if (c->op == SQLITE_INDEX_CONSTRAINT_MATCH) {
    return c->iColumn == C_QUERY || c->iColumn == C_EMBEDDING ? P_MATCH : 0;
  }
  if (c->op == SQLITE_INDEX_CONSTRAINT_LIMIT) {
    return P_LIMIT;
  }
  int is_null = c->op == SQLITE_INDEX_CONSTRAINT_ISNULL;
  if (c->op != SQLITE_INDEX_CONSTRAINT_EQ && c->op != SQLITE_INDEX_CONSTRAINT_IS && !is_null) {
    return 0;
  }
  for (size_t i = 0; i < sizeof equalities / sizeof equalities[0]; i++) {
    if (equalities[i].column == c->iColumn) {
      int may_be_null = equalities[i].bit == P_PROMPT || equalities[i].bit == P_SCOPE ||
                        equalities[i].bit == P_USER;
      return c->op == SQLITE_INDEX_CONSTRAINT_EQ || may_be_null ? (int)equalities[i].bit : 0;
    }
  }
  return 0;
}

/* Whether prompt and scope are compared with IS. */
static int is_bits(const sqlite3_index_info *info, const int chosen[P_FLAGS]) {
  int prompt = chosen[__builtin_ctz(P_PROMPT)], scope = chosen[__builtin_ctz(P_SCOPE)];
  int bits = 0;
  if (prompt && info->aConstraint[prompt - 1].op != SQLITE_INDEX_CONSTRAINT_EQ) {
    bits |= P_PROMPT_IS;
  }
  if (scope && info->aConstraint[scope - 1].op != SQLITE_INDEX_CONSTRAINT_EQ) {
    bits |= P_SCOPE_IS;
  }
  return bits;
}

/* Which constraint serves each bit: index + 1. Returns the bits of constraints that this order of
** the join can't give a value to, and in *others how many conditions are none of ours. */
static int collect(sqlite3_index_info *info, int chosen[P_FLAGS], int *others) {
  int missing = 0;
  *others = 0;
  memset(chosen, 0, sizeof(int) * P_FLAGS);
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int bit = plan_bit(c), is_text = bit & (P_PROMPT | P_SCOPE | P_TAG | P_MODEL);
    const char *collation = is_text ? sqlite3_vtab_collation(info, i) : NULL;
    if (!bit && operator_of(info, i) >= 0) {
      missing |= c->usable ? 0 : P_TAG;
    } else if (!bit || (collation && sqlite3_stricmp(collation, "BINARY") != 0)) {
      ++*others;
    } else if (c->usable) {
      chosen[__builtin_ctz((unsigned)bit)] = i + 1;
    } else {
      missing |= bit;
    }
  }
  return missing;
}

static void use(sqlite3_index_info *info, const int chosen[P_FLAGS], int bits, int omit) {
  int n = 0;
  for (int b = 0; b < P_FLAGS; b++) {
    if (bits & 1 << b) {
      info->aConstraintUsage[chosen[b] - 1].argvIndex = ++n;
      info->aConstraintUsage[chosen[b] - 1].omit = (unsigned char)(omit && 1 << b != P_ROWID);
    }
  }
  info->idxNum = bits;
}

static int bits_of(const int chosen[P_FLAGS]) {
  int bits = 0;
  for (int b = 0; b < P_FLAGS; b++) {
    bits |= chosen[b] ? 1 << b : 0;
  }
  return bits;
}

static int orders_by_similarity(const sqlite3_index_info *info) {
  return info->nOrderBy == 1 && info->aOrderBy[0].iColumn == C_SIMILARITY && info->aOrderBy[0].desc;
}

/* A lookup. LIMIT is k where nothing else stands between a match and the result. */
static int plan_match(CacheTable *t, sqlite3_index_info *info, int chosen[P_FLAGS], int others) {
  int bits = bits_of(chosen) & ~(P_ROWID | P_TAG | P_MODEL);
  info->orderByConsumed = orders_by_similarity(info);
  if (bits & P_K || others || (info->nOrderBy && !info->orderByConsumed) ||
      bits_of(chosen) & P_ROWID) {
    bits &= ~P_LIMIT;
  }
  use(info, chosen, bits, 1);
  info->idxNum |= is_bits(info, chosen);
  if (info->colUsed & ((sqlite3_uint64)1 << C_POLICY | (sqlite3_uint64)1 << C_WHY)) {
    info->idxNum |= P_EXPLAINS;
  }
  if (bits & P_LIMIT) {
    info->aConstraintUsage[chosen[__builtin_ctz(P_LIMIT)] - 1].omit = 0;
  }
  info->estimatedCost = 300;
  info->estimatedRows = 1;
  char *conditions = use_conditions(info, __builtin_popcount((unsigned)bits));
  info->idxStr = sqlite3_mprintf("%sMATCH in one partition: exact text, then %s", conditions,
                                 isnan(t->set.max_false_hits) ? "nearest by cosine (exact index)"
                                                              : "adaptive nearest (exact index)");
  sqlite3_free(conditions);
  info->needToFreeIdxStr = 1;
  return info->idxStr && conditions ? SQLITE_OK : SQLITE_NOMEM;
}

/* A condition on the partition that can't name one would leave a lookup in the partition without a prompt. */
static int refuse_partition(CacheTable *t, const sqlite3_index_info *info,
                            const int chosen[P_FLAGS]) {
  for (int i = 0; i < info->nConstraint; i++) {
    int column = info->aConstraint[i].iColumn;
    int bit = column == C_SYSTEM_PROMPT ? P_PROMPT : P_SCOPE;
    if ((column == C_SYSTEM_PROMPT || column == C_SCOPE) && !chosen[__builtin_ctz((unsigned)bit)]) {
      Err err = {0};
      err_set(&err, RC_ERROR, ERR_BAD_ARGUMENT,
              "%s: a lookup looks into one partition: compare it with = or IS (and without"
              " COLLATE)",
              column == C_SCOPE ? "scope" : "system_prompt");
      return vtab_fail(&t->base, t->name, &err);
    }
  }
  return SQLITE_OK;
}

int plan_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
  CacheTable *t = (CacheTable *)base;
  int chosen[P_FLAGS], others;
  int missing = collect(info, chosen, &others);
  int bits = bits_of(chosen);
  if (missing & P_MATCH || (bits & P_MATCH && missing & ~P_LIMIT & ~P_ROWID)) {
    return SQLITE_CONSTRAINT; /* another order of the join can give the values */
  }
  if (bits & P_MATCH) {
    int rc = others ? refuse_partition(t, info, chosen) : SQLITE_OK;
    return rc == SQLITE_OK ? plan_match(t, info, chosen, others) : rc;
  }
  bits &= P_ROWID | P_PROMPT | P_SCOPE | P_TAG | P_MODEL;
  bits = bits & P_ROWID ? P_ROWID : bits;
  use(info, chosen, bits, 0);
  static const struct {
    int bits;
    double cost;
    sqlite3_int64 rows;
    const char *name;
  } scans[] = {{P_ROWID, 1, 1, "rowid"},
               {P_TAG, 1e4, 1000, "tag"},
               {P_PROMPT, 1e5, 10000, "partition"},
               {0, 1e7, 1000000, "scan"}};
  int i = 0;
  while (scans[i].bits && !(bits & scans[i].bits)) {
    i++;
  }
  info->estimatedCost = scans[i].cost;
  info->estimatedRows = scans[i].rows;
  info->idxFlags = bits & P_ROWID ? SQLITE_INDEX_SCAN_UNIQUE : 0;
  info->idxStr = sqlite3_mprintf("%s", scans[i].name);
  info->needToFreeIdxStr = 1;
  return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* --- what xFilter is given */

int plan_spread(int bits, sqlite3_value **argv, sqlite3_value *by_bit[P_FLAGS]) {
  int n = 0;
  for (int b = 0; b < P_FLAGS; b++) {
    by_bit[b] = bits & 1 << b ? argv[n++] : NULL;
  }
  return n;
}

sqlite3_value *plan_value(sqlite3_value *const by_bit[P_FLAGS], Plan bit) {
  return by_bit[__builtin_ctz((unsigned)bit)];
}
