/*
** One call in the cells of a side: what its tokens are, and what they cost, step by step. See sides.h.
*/
#include "work/drift/sides_internal.h"

#include "money/reread.h"

#include <stdlib.h>
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

static UnitSet family(Unit unit) {
  return UNIT_BIT(unit) | unit_below(unit);
}

LineGroup line_group(Unit unit) {
  UnitSet bit = UNIT_BIT(unit);
  return bit & family(UNIT_CACHE_READ)    ? LINE_READ
         : bit & family(UNIT_CACHE_WRITE) ? LINE_WRITTEN
         : unit_is_input(unit)            ? LINE_PLAIN
         : bit & family(UNIT_REASONING)   ? LINE_REASONED
         : unit_is_output(unit)           ? LINE_OUT
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

/* The same counts by the standard service; unless is_cached as if no cache had read or written any. */
static void make_standard(Usage *u, int is_cached) {
  usage_set_service(u, "standard");
  if (!is_cached) {
    u->has &= ~(family(UNIT_CACHE_READ) | family(UNIT_CACHE_WRITE));
  }
}

/* Its cost at list prices then; 0 where nobody says. */
static double price_otherwise(Conn *conn, const LedgerRow *row, int is_cached, Err *err) {
  UsagePart *parts = NULL;
  int n = 0;
  Usage u = {0};
  Billing other = {.list_nusd = BILLING_UNKNOWN, .why = ""};
  if (reread_usage(row, &u, &parts, &n, err) == RC_OK) {
    make_standard(&u, is_cached);
    for (int i = 0; i < n; i++) {
      make_standard(&parts[i].usage, is_cached);
    }
    const Billed billed = {.model = row->model ? row->model : "",
                           .requested = row->model_requested ? row->model_requested : "",
                           .provider = row->provider,
                           .at_ms = row->ts,
                           .usage = &u,
                           .parts = parts,
                           .n_parts = n};
    billing_price(conn, &billed, &other, err);
  }
  free(parts);
  return other.list_nusd > 0 ? (double)other.list_nusd : 0;
}

static int is_standard(const char *service) {
  return !service || !service[0] || strcmp(service, "standard") == 0;
}

static Otherwise find_otherwise(Conn *conn, const LedgerRow *row, const Lines *lines,
                                const Billing *now, Err *err) {
  Otherwise o = {.as_was = now->list_nusd > 0 ? (double)now->list_nusd : lines->total};
  int is_cached = lines->count[LINE_READ] > 0 || lines->count[LINE_WRITTEN] > 0;
  o.standard = is_standard(row->service) && is_standard(now->service)
                   ? o.as_was
                   : price_otherwise(conn, row, 1, err);
  o.standard = o.standard > 0 ? o.standard : o.as_was;
  o.plain = is_cached ? price_otherwise(conn, row, 0, err) : o.standard;
  o.plain = o.plain > 0 ? o.plain : o.standard;
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

static double at_most(double a, double b) {
  return a < b ? a : b;
}

/* The input, in the order in which it stands: what the cache read and wrote is its beginning. */
static void add_input(DriftCell *cells, const LedgerRow *row, const Lines *lines, const Scale *s) {
  double all = lines->count[LINE_PLAIN] + lines->count[LINE_READ] + lines->count[LINE_WRITTEN];
  int has_parts = row->system_tokens != LEDGER_NULL && row->history_tokens != LEDGER_NULL;
  double system = has_parts ? (double)row->system_tokens : 0;
  double history = has_parts ? (double)row->history_tokens : 0;
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
  double told = row->reasoning_tokens > 0 ? (double)row->reasoning_tokens : 0;
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
  double in = row->input_tokens > 0 ? (double)row->input_tokens : 0;
  double out = row->output_tokens > 0 ? (double)row->output_tokens : 0;
  double listed = row->list_nusd > 0 ? (double)row->list_nusd : (double)row->cost_nusd;
  DriftCell *c = &cells[in + out > 0 ? KIND_OF_BLEND : KIND_OF_FEES];
  c->tokens += in + out > 0 ? in + out : 1;
  for (int i = 0; i < DRIFT_STEPS; i++) {
    c->nusd[i] += i == STEP_PAID ? (double)row->cost_nusd : listed;
  }
}

int sides_add_call(Sides *s, Group *g, int side, const LedgerRow *row, Err *err) {
  BillingLines billed = {.count = {0}};
  Billing now;
  Lines lines;
  int has_usage;
  Err bad = {0}; /* of a row that can't be read */
  PriceVerdict verdict = reread_price(s->conn, row, &billed, &now, &has_usage, &bad);
  if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
    *err = bad;
  }
  DriftCell *cells = sides_cells(s, g, side, row->model ? row->model : row->model_requested, err);
  if (!cells) {
    return err->rc;
  }
  group_lines(&billed, &lines);
  if (verdict != PRICED || lines.total <= 0 || row->cost_nusd < 0) {
    add_blended(cells, row);
    return err->rc;
  }
  Otherwise o = find_otherwise(s->conn, row, &lines, &now, &bad);
  Scale scale = find_scale(row, &lines, &o);
  double input = lines.count[LINE_PLAIN] + lines.count[LINE_READ] + lines.count[LINE_WRITTEN];
  if (input > 0) {
    add_input(cells, row, &lines, &scale);
  }
  add_output(cells, row, &lines, &scale);
  g->side[side].input += input;
  int has_parts = row->system_tokens != LEDGER_NULL && row->history_tokens != LEDGER_NULL;
  g->side[side].parted += has_parts ? input : 0;
  return err->rc;
}
