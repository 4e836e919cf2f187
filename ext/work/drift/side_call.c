/*
** One call in the cells of a side: what its tokens are, and what they cost, step by step. See sides.h.
*/
#include "work/drift/sides_internal.h"

#include "work/audit/counted.h"

#include <string.h>

/* What a call was billed: counts and nano-dollars at the prices of its service. */
typedef struct Lines {
  double count[LINE_GROUPS], nusd[LINE_GROUPS];
  double total; /* nano-dollars */
} Lines;

/* What it would have come to at list prices: as it was; by the standard service; that, and nothing cached. */
typedef struct Otherwise {
  double as_was, standard, plain;
} Otherwise;

LineGroup line_group(Unit unit) {
  UnitSet bit = UNIT_BIT(unit);
  return bit & unit_family(UNIT_CACHE_READ)    ? LINE_READ
         : bit & unit_family(UNIT_CACHE_WRITE) ? LINE_WRITTEN
         : unit_is_input(unit)                 ? LINE_PLAIN
         : bit & unit_family(UNIT_REASONING)   ? LINE_REASONED
         : unit_is_output(unit)                ? LINE_OUT
                                               : LINE_FEES;
}

static void group_lines(const BillingLines *billed, Lines *lines) {
  *lines = (Lines){.total = 0};
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    if (billed->count[unit] > 0) {
      LineGroup group = line_group(unit);
      double nusd = cost_usd(billed->cost[unit]) * 1e9;
      lines->count[group] += (double)billed->count[unit];
      lines->nusd[group] += nusd;
      lines->total += nusd;
    }
  }
}

static int is_standard(const char *service) {
  return !service || !service[0] || strcmp(service, "standard") == 0;
}

/* Its cost under other terms; where nobody says, `as_it_is`. */
static double price_under(const Counted *c, unsigned terms, double as_it_is, Err *err) {
  long long nusd = counted_nusd(c, terms, NULL, err);
  return nusd > 0 ? (double)nusd : as_it_is;
}

static Otherwise find_otherwise(const Counted *c, double as_was, Err *err) {
  Otherwise o = {as_was, as_was, as_was};
  if (!is_standard(c->row->service) || !is_standard(c->usage.service)) {
    o.standard = price_under(c, COUNTED_STANDARD, as_was, err);
  }
  o.plain = c->has_read || c->has_written
                ? price_under(c, COUNTED_STANDARD | COUNTED_PLAIN, o.standard, err)
                : o.standard;
  return o;
}

/* ---- steps */

/* Factors from one step to another, of what is no input; and the plain cost of all input. */
typedef struct Scale {
  double listed, paid; /* of a line as it was priced now */
  double standard;     /* of what is listed */
  double plain_input;  /* nano-dollars */
} Scale;

static double input_nusd(const Lines *lines) {
  return lines->nusd[LINE_PLAIN] + lines->nusd[LINE_READ] + lines->nusd[LINE_WRITTEN];
}

static Scale find_scale(const LedgerRow *row, const Lines *lines, const Otherwise *o) {
  double listed = row->list_nusd > 0 ? (double)row->list_nusd : (double)row->cost_nusd;
  Scale s = {.listed = listed / lines->total, .paid = (double)row->cost_nusd / lines->total};
  double input = input_nusd(lines) * s.listed, others = lines->total * s.listed - input;
  s.standard = o->standard / o->as_was;
  double plain = o->plain / o->as_was * listed - others * s.standard;
  s.plain_input = plain > 0 ? plain : input * s.standard;
  return s;
}

static void add_cell(DriftCell *c, double tokens, double nusd, double plain, const Scale *s) {
  c->tokens += tokens;
  c->nusd[STEP_PLAIN] += plain;
  c->nusd[STEP_PREFIX] += nusd * s->listed * s->standard;
  c->nusd[STEP_LISTED] += nusd * s->listed;
  c->nusd[STEP_PAID] += nusd * s->paid;
}

static double or_zero(long long count) {
  return count > 0 ? (double)count : 0;
}

static double at_most(double a, double b) {
  return a < b ? a : b;
}

/* The input, in the order in which it stands: what the cache read and wrote is its beginning. */
static void add_input(DriftCell *cells, const LedgerRow *row, const Lines *lines, const Scale *s) {
  double all = lines->count[LINE_PLAIN] + lines->count[LINE_READ] + lines->count[LINE_WRITTEN];
  int has_parts = row->system_tokens != LEDGER_NULL && row->history_tokens != LEDGER_NULL;
  double system = has_parts ? or_zero(row->system_tokens) : 0;
  double history = has_parts ? or_zero(row->history_tokens) : 0;
  int is_full = system + history >= all;
  double fits = is_full ? all / (system + history) : 1;
  double part[] = {system * fits, history * fits, is_full ? 0 : all - system - history};
  double left[] = {lines->count[LINE_READ], lines->count[LINE_WRITTEN], lines->count[LINE_PLAIN]};
  static const LineGroup order[] = {LINE_READ, LINE_WRITTEN, LINE_PLAIN};
  for (int p = 0; p < 3; p++) {
    double rest = part[p], nusd = 0;
    for (int i = 0; i < 3 && rest > 0; i++) {
      double taken = at_most(rest, left[i]);
      nusd += taken > 0 ? taken * lines->nusd[order[i]] / lines->count[order[i]] : 0;
      left[i] -= taken;
      rest -= taken;
    }
    DriftKind kind = has_parts ? (DriftKind)(KIND_OF_SYSTEM + p) : KIND_OF_INPUT;
    if (part[p] > 0) {
      add_cell(&cells[kind], part[p], nusd, s->plain_input * part[p] / all, s);
    }
  }
}

static void add_other(DriftCell *c, double tokens, double nusd, const Scale *s) {
  add_cell(c, tokens, nusd, nusd * s->listed * s->standard, s);
}

/* (Reasoning is output, and mostly billed as such.) */
static void add_output(DriftCell *cells, const LedgerRow *row, const Lines *lines, const Scale *s) {
  double out = lines->count[LINE_OUT], nusd = lines->nusd[LINE_OUT];
  double told = or_zero(row->reasoning_tokens);
  double inside = lines->count[LINE_REASONED] > 0 ? 0 : at_most(told, out);
  double part = out > 0 ? nusd * inside / out : 0;
  add_other(&cells[KIND_OF_OUTPUT], out - inside, nusd - part, s);
  add_other(&cells[KIND_OF_REASONING], inside + lines->count[LINE_REASONED],
            part + lines->nusd[LINE_REASONED], s);
  if (lines->nusd[LINE_FEES] > 0) {
    add_other(&cells[KIND_OF_FEES], 1, lines->nusd[LINE_FEES], s);
  }
}

/* One whose cost nobody can take apart. */
static void add_blended(DriftCell *cells, const LedgerRow *row) {
  double in = or_zero(row->input_tokens), out = or_zero(row->output_tokens);
  double listed = row->list_nusd > 0 ? (double)row->list_nusd : (double)row->cost_nusd;
  DriftCell *c = &cells[in + out > 0 ? KIND_OF_BLEND : KIND_OF_FEES];
  c->tokens += in + out > 0 ? in + out : 1;
  for (int i = 0; i < DRIFT_STEPS; i++) {
    c->nusd[i] += i == STEP_PAID ? (double)row->cost_nusd : listed;
  }
}

/* One that cost nothing: a local model's, a free tier's. */
static Lines free_lines(const LedgerRow *row) {
  Lines lines = {.total = 0};
  double input = or_zero(row->input_tokens), output = or_zero(row->output_tokens);
  lines.count[LINE_READ] = at_most(or_zero(row->cached_input_tokens), input);
  lines.count[LINE_WRITTEN] =
      at_most(or_zero(row->cache_write_tokens), input - lines.count[LINE_READ]);
  lines.count[LINE_PLAIN] = input - lines.count[LINE_READ] - lines.count[LINE_WRITTEN];
  lines.count[LINE_OUT] = output;
  return lines;
}

/* What its tokens were, each at its price on every step. */
static void add_lines(Group *g, int side, DriftCell *cells, const LedgerRow *row,
                      const Lines *lines, const Scale *scale) {
  double input = lines->count[LINE_PLAIN] + lines->count[LINE_READ] + lines->count[LINE_WRITTEN];
  if (input > 0) {
    add_input(cells, row, lines, scale);
  }
  add_output(cells, row, lines, scale);
  g->side[side].input += input;
  int has_parts = row->system_tokens != LEDGER_NULL && row->history_tokens != LEDGER_NULL;
  g->side[side].parted += has_parts ? input : 0;
}

/* One that cost something into cells, taken apart; 1 if it could be. */
static int add_apart(Group *g, int side, DriftCell *cells, const Counted *c, Err *err) {
  BillingLines billed = {.count = {0}};
  Lines lines;
  long long now = counted_nusd(c, 0, &billed, err);
  group_lines(&billed, &lines);
  if (now <= 0 || lines.total <= 0 || c->row->cost_nusd < 0) {
    return 0;
  }
  Otherwise o = find_otherwise(c, (double)now, err);
  Scale scale = find_scale(c->row, &lines, &o);
  add_lines(g, side, cells, c->row, &lines, &scale);
  return 1;
}

int sides_add_call(Sides *s, Group *g, int side, const LedgerRow *row, Err *err) {
  Counted c;
  DriftCell *cells = sides_cells(s, g, side, row->model ? row->model : row->model_requested, err);
  if (cells && row->cost_nusd == 0) {
    const Scale nothing = {0};
    Lines lines = free_lines(row);
    add_lines(g, side, cells, row, &lines, &nothing);
  } else if (cells && counted_read(s->conn, row, &c, err) == RC_OK) {
    if (!add_apart(g, side, cells, &c, err) && err->rc == RC_OK) {
      add_blended(cells, row);
    }
    counted_free(&c);
  }
  return err->rc;
}
