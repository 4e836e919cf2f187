/*
** See drift.h for the contract.
*/
#include "work/drift/drift.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "core/audit/drift.h"
#include "core/audit/words.h"
#include "money/pricing.h"
#include "work/drift/sides.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD = 3, MOST_LINES = SIDES_GROUPS * 2 * DRIFT_ROWS };

/* A split that is told of: its group, and what it came to. */
typedef struct Told {
  const Group *group;
  Drift drift;
} Told;

typedef struct Work {
  const DriftAsk *ask;
  Sides sides;
  Told *told;
  int n_told, is_list, has_left_out_invoice;
  long long before, after, left_out[2], unpriced[2];
  double unpriced_tokens[2]; /* of usage reports */
  DriftAnswer *answer;
} Work;

Zone drift_zone(const Conn *conn) {
  Zone zone = {0};
  if (conn->set.time_zone) {
    zone_parse(conn->set.time_zone, &zone); /* (the setting was read before) */
  }
  return zone;
}

const char *drift_dimension(int column) {
  static const char *const words[] = {
#define WORD(id, word) [BUDGET_##id] = #word,
      BUDGET_COLUMNS(WORD)
#undef WORD
  };
  return words[column];
}

/* ---- which money */

static int is_spent(const Group *g) {
  return g->side[0].nusd != 0 || g->side[1].nusd != 0;
}

static int choose_billed(const Work *w) {
  int has_paid = 0, has_list = 0;
  for (int i = 0; i < w->sides.n_groups; i++) {
    const Group *g = &w->sides.groups[i];
    has_paid |= is_spent(g) && !g->is_list;
    has_list |= is_spent(g) && g->is_list;
  }
  return w->ask->billed == BILLED_ANY ? !has_paid && has_list : w->ask->billed == BILLED_LIST;
}

/* ---- splits */

static int compare_told(const void *a, const void *b) {
  const Told *x = a, *y = b;
  long long p = llabs(x->drift.after - x->drift.before),
            q = llabs(y->drift.after - y->drift.before);
  int by = p < q ? 1 : p > q ? -1 : 0;
  if (by == 0 && x->group->value && y->group->value) {
    by = strcmp(x->group->value, y->group->value);
  }
  return by ? by : (int)x->group->basis - (int)y->group->basis;
}

static void split_groups(Work *w, Err *err) {
  Sides *s = &w->sides;
  w->told = calloc((size_t)s->n_groups + 1, sizeof *w->told);
  if (!w->told) {
    err_nomem(err);
  }
  for (int i = 0; i < s->n_groups && err->rc == RC_OK; i++) {
    const Group *g = &s->groups[i];
    w->unpriced_tokens[0] += g->unpriced_tokens[0];
    w->unpriced_tokens[1] += g->unpriced_tokens[1];
    if (g->is_list != w->is_list || (w->ask->per_request && g->basis == BASIS_INVOICE)) {
      w->left_out[0] = sides_sum(w->left_out[0], g->side[0].nusd);
      w->left_out[1] = sides_sum(w->left_out[1], g->side[1].nusd);
      w->has_left_out_invoice |= g->is_list == w->is_list && is_spent(g);
      continue;
    }
    Told *t = &w->told[w->n_told++];
    t->group = g;
    if (!drift_split(&g->side[0], &g->side[1], s->n_models, w->ask->per_request, &t->drift)) {
      err_nomem(err);
    }
    w->before = sides_sum(w->before, t->drift.before);
    w->after = sides_sum(w->after, t->drift.after);
    w->unpriced[0] += g->unpriced[0];
    w->unpriced[1] += g->unpriced[1];
  }
  if (w->n_told > 1) {
    qsort(w->told, (size_t)w->n_told, sizeof *w->told, compare_told);
  }
}

/* ---- words */

static int is_share(DriftDriver d) {
  return d == DRIFT_HIT_RATE || d == DRIFT_MIX || d >= DRIFT_PREFIX;
}

static void factor_words(const DriftRow *row, double x, char out[WORDS_NUMBER]) {
  if (is_share(row->driver) && !isnan(x)) {
    words_percent(x, 0, out);
  } else if ((row->driver == DRIFT_LIST_PRICE || row->driver == DRIFT_FEES) && !isnan(x)) {
    words_money(llround(x * 1e9), 0, out);
  } else {
    words_number(x, out);
  }
}

static void detail_of(const Work *w, const DriftRow *row, char out[DRIFT_DETAIL]) {
  const Sides *s = &w->sides;
  out[0] = 0;
  if (row->driver == DRIFT_ATTEMPTS) {
    const char *reason = row->reason < s->n_reasons ? s->reasons[row->reason] : "";
    utf8_copy(out, DRIFT_DETAIL, reason[0] ? reason : "first attempts");
  } else if (row->model >= 0 && row->model < s->n_models) {
    utf8_copy(out, DRIFT_DETAIL, s->models[row->model]);
  }
}

/* What a factor is counted in, behind its numbers; "" where its word says it. */
static const char *unit_words(DriftDriver d, int says) {
  const char *unit = drift_unit(d, says);
  return strcmp(unit, drift_word(d)) == 0 ? ""
         : d == DRIFT_LIST_PRICE          ? "a million tokens"
         : d == DRIFT_FEES                ? unit + strlen("dollars")
         : is_share(d)                    ? unit + strlen("share ")
                                          : unit;
}

/* "users (50 → 500)", "attempts (schema: 0 → 0.8 billed attempts per request)", "model mix (gpt-4o: 10 % → 45 % of …)". */
static void say_factor(const Work *w, const Told *t, const DriftRow *row, Buf *b) {
  char before[WORDS_NUMBER], after[WORDS_NUMBER], detail[DRIFT_DETAIL];
  const char *unit = unit_words(row->driver, t->drift.says);
  int has_numbers = !isnan(row->before) || !isnan(row->after);
  detail_of(w, row, detail);
  buf_puts(b, drift_word(row->driver));
  if (has_numbers || detail[0]) {
    buf_printf(b, " (%s%s", detail, detail[0] && has_numbers ? ": " : "");
    if (has_numbers) {
      factor_words(row, row->before, before);
      factor_words(row, row->after, after);
      buf_printf(b, "%s → %s%s%s", before, after, unit[0] && unit[0] != ' ' ? " " : "", unit);
    }
    buf_puts(b, ")");
  }
}

static void value_words(const Group *g, char out[DRIFT_DETAIL]) {
  utf8_copy(out, DRIFT_DETAIL, !g->value ? "(none)" : g->value[0] ? g->value : "''");
}

static char *row_text(const Work *w, const Told *t, const DriftRow *row, double share, Err *err) {
  Buf b;
  char money[WORDS_NUMBER], percent[WORDS_NUMBER], value[DRIFT_DETAIL];
  buf_init(&b, DRIFT_TEXT);
  if (t->group->value) {
    value_words(t->group, value);
    buf_printf(&b, "%s: ", value);
  }
  say_factor(w, t, row, &b);
  words_money(row->nusd, 1, money);
  buf_printf(&b, ": %s", money);
  if (!isnan(share)) {
    words_percent(share, 0, percent);
    buf_printf(&b, ", %s of the change", percent);
  }
  char *text = buf_take(&b);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

static double share_of(long long part, long long whole) {
  return whole == 0 ? (double)NAN : part == 0 ? 0 : (double)part / (double)whole;
}

/* That of all money that is told of: it is known no better than what is known least. */
static SidesBasis basis_of_all(const Work *w) {
  SidesBasis basis = BASIS_CALLS;
  for (int i = 0; i < w->n_told; i++) {
    const Group *g = w->told[i].group;
    basis = g->basis == BASIS_INVOICE && is_spent(g) ? BASIS_INVOICE : basis;
  }
  return basis;
}

static int has_unknown(const Work *w, int side) {
  return w->unpriced[side] > 0 || w->unpriced_tokens[side] > 0;
}

/* What there was of the first side, where that is no money. */
static const char *nothing_words(const Work *w) {
  int has_invoice = basis_of_all(w) == BASIS_INVOICE, has_requests = 0;
  for (int i = 0; i < w->n_told; i++) {
    has_requests |= w->told[i].group->side[0].requests > 0;
  }
  if (has_unknown(w, 0)) {
    return "nothing of known cost";
  }
  if (w->left_out[0] != 0) {
    return w->is_list ? "nothing at list prices" : "nothing that was paid";
  }
  return has_requests ? "only what was free" : has_invoice ? "nothing" : "no calls";
}

/* "Spending rose from … to …" */
static void say_change(const Work *w, Buf *b) {
  const DriftSideAsk *was = &w->ask->side[0], *is = &w->ask->side[1];
  const char *what = w->ask->per_request ? "A request's cost" : "Spending";
  char before[WORDS_NUMBER], after[WORDS_NUMBER], change[WORDS_NUMBER], percent[WORDS_NUMBER];
  words_money(w->before, 0, before);
  words_money(w->after, 0, after);
  words_money(w->after - w->before, 1, change);
  if (w->before == 0 && w->after == 0) {
    buf_printf(b, "No %sspending in %s, nor in %s.",
               has_unknown(w, 0) || has_unknown(w, 1) ? "known " : "", was->span.label,
               is->span.label);
  } else if (w->before == 0) {
    buf_printf(b, "%s: %s in %s; %s before, in %s.", what, after, is->span.label, nothing_words(w),
               was->span.label);
  } else if (w->after == 0) {
    buf_printf(b, "No %sspending in %s, after %s in %s.", has_unknown(w, 1) ? "known " : "",
               is->span.label, before, was->span.label);
  } else if (w->after == w->before) {
    buf_printf(b, "%s is unchanged: %s in %s as in %s.", what, after, is->span.label,
               was->span.label);
  } else {
    /* (Of a credit there is no percentage: that of a rise from it would be below 0.) */
    words_percent(share_of(w->after - w->before, w->before), 1, percent);
    buf_printf(b, "%s %s from %s in %s to %s in %s: %s%s%s.", what,
               w->after > w->before ? "rose" : "fell", before, was->span.label, after,
               is->span.label, change, w->before > 0 ? ", " : "", w->before > 0 ? percent : "");
  }
}

/* The drivers of one split that matter: the largest, and others of a tenth of it at least. Shares are of the change that was told
** before: of a value where it is asked by one, else of all. Where drivers work against each other and one alone is more than the
** change, none is a part of it, and dollars say more than thousands of percent. */
static void say_drivers(const Work *w, const Told *t, Buf *b) {
  const DriftRow *first = &t->drift.rows[0];
  long long change = w->ask->by >= 0 ? t->drift.after - t->drift.before : w->after - w->before;
  double most = t->drift.n > 0 ? share_of(first->nusd, change) : 0;
  if (t->drift.n == 0 || first->nusd == 0) {
    return;
  }
  buf_puts(b, most > 0.5 && most <= 1 ? " Most of it is "
              : most > 0 && most <= 1 ? " The largest part of it is "
                                      : " The largest driver is ");
  for (int i = 0; i < TOLD && i < t->drift.n; i++) {
    const DriftRow *row = &t->drift.rows[i];
    char money[WORDS_NUMBER], percent[WORDS_NUMBER];
    if (row->nusd == 0 || llabs(row->nusd) < llabs(first->nusd) / 10) {
      break;
    }
    words_money(row->nusd, 1, money);
    buf_puts(b, i == 0 ? "" : "; then ");
    say_factor(w, t, row, b);
    buf_printf(b, ": %s", money);
    if (fabs(most) <= 1) {
      words_percent(share_of(row->nusd, change), 0, percent);
      buf_printf(b, ", %s", percent);
    }
  }
  buf_puts(b, ".");
}

/* What the money is that is beside. (Releases are asked for what calls say: invoices name none.) */
static const char *left_out_words(const Work *w) {
  return w->is_list                ? "what was paid"
         : w->has_left_out_invoice ? "what invoices say, or list prices alone"
                                   : "what is at list prices only";
}

/* 1 if invoices say what was paid, and not for how many tokens. */
static int is_money_only(const Work *w) {
  int has_invoice = 0;
  for (int i = 0; i < w->n_told; i++) {
    const Drift *d = &w->told[i].drift;
    for (int k = 0; k < d->n && w->told[i].group->basis == BASIS_INVOICE; k++) {
      const DriftRow *row = &d->rows[k];
      has_invoice = 1;
      if (row->driver < DRIFT_FEES && (row->before > 0 || row->after > 0)) {
        return 0;
      }
    }
  }
  return has_invoice;
}

static void say_rest(const Work *w, Buf *b) {
  if (w->is_list) {
    buf_puts(b, " At list prices: nobody says what was paid.");
  }
  if (is_money_only(w)) {
    buf_puts(b, " The invoices count no tokens: import the usage report of that time, too.");
  }
  if (w->unpriced[0] > 0) {
    buf_printf(b, " Not in it: %lld, then %lld calls of which nobody knows the price.",
               w->unpriced[0], w->unpriced[1]);
  } else if (w->unpriced[1] > 0) {
    buf_printf(b, " Not in it: %lld call%s of which nobody knows the price.", w->unpriced[1],
               w->unpriced[1] == 1 ? "" : "s");
  }
  if (w->unpriced_tokens[0] + w->unpriced_tokens[1] > 0) {
    char tokens[WORDS_NUMBER];
    words_number(w->unpriced_tokens[0] + w->unpriced_tokens[1], tokens);
    buf_printf(b,
               " Not in it: %s tokens of usage reports, which say no money; import the "
               "costs of that time, too.",
               tokens);
  }
  if (w->left_out[0] != 0 || w->left_out[1] != 0) {
    char before[WORDS_NUMBER], after[WORDS_NUMBER];
    words_money(w->left_out[0], 0, before);
    words_money(w->left_out[1], 0, after);
    buf_printf(b, " Beside it %s: %s, then %s.", left_out_words(w), before, after);
  }
}

/* Whose change is the largest, where it is asked by a dimension. */
static void say_value(const Work *w, const Told *t, Buf *b) {
  char money[WORDS_NUMBER], value[DRIFT_DETAIL];
  long long change = t->drift.after - t->drift.before;
  const char *dimension = drift_dimension(w->ask->by);
  buf_puts(b, share_of(change, w->after - w->before) > 0.5 ? " It is mostly "
                                                           : " The largest change is of ");
  if (t->group->value) {
    value_words(t->group, value);
    buf_printf(b, "%s %s", dimension, value);
  } else {
    buf_printf(b, "what names no %s", dimension);
  }
  words_money(change, 1, money);
  buf_printf(b, " (%s).", money);
}

static char *answer_text(const Work *w, Err *err) {
  Buf b;
  buf_init(&b, DRIFT_TEXT);
  say_change(w, &b);
  if (w->n_told > 0 && (w->before != 0 || w->after != 0)) {
    const Told *t = &w->told[0];
    if (w->ask->by >= 0 && t->drift.after != t->drift.before) {
      say_value(w, t, &b);
    }
    say_drivers(w, t, &b);
  }
  say_rest(w, &b);
  char *text = buf_take(&b);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

/* ---- rows */

static DriftLine *add_line(Work *w, const char *driver, Err *err) {
  DriftAnswer *a = w->answer;
  DriftLine *more = a->n < MOST_LINES ? realloc(a->lines, ((size_t)a->n + 1) * sizeof *more) : NULL;
  if (!more) {
    err_nomem(err);
    return NULL;
  }
  a->lines = more;
  DriftLine *l = &more[a->n++];
  *l = (DriftLine){.driver = driver,
                   .nusd = LLONG_MIN,
                   .share = (double)NAN,
                   .basis = sides_basis_word(BASIS_CALLS)};
  return l;
}

static void set_factor(DriftLine *l, double before, double after) {
  l->before = before;
  l->after = after;
  l->percent = before > 0 ? 100 * (after / before - 1) : (double)NAN;
}

/* NULL for an empty text, and *err. */
static char *copy_of(const char *text, Err *err) {
  char *copy = text && text[0] ? strdup(text) : NULL;
  if (text && text[0] && !copy) {
    err_nomem(err);
  }
  return copy;
}

static void add_row(Work *w, const Told *t, const DriftRow *row, Err *err) {
  DriftLine *l = add_line(w, drift_word(row->driver), err);
  char detail[DRIFT_DETAIL];
  if (!l) {
    return;
  }
  detail_of(w, row, detail);
  l->detail = copy_of(detail, err);
  l->nusd = row->nusd;
  l->share = share_of(row->nusd, w->after - w->before);
  set_factor(l, row->before, row->after);
  l->unit = drift_unit(row->driver, t->drift.says);
  l->basis = sides_basis_word(t->group->basis);
  l->text = row_text(w, t, row, l->share, err);
  if (t->group->value) {
    l->value = strdup(t->group->value);
    l->value ? RC_OK : err_nomem(err);
  }
}

/* What is beside the money: before and after, without a change that sums. */
static void add_aside(Work *w, const char *driver, const char *detail, const char *unit,
                      const double both[2], Err *err) {
  DriftLine *l = add_line(w, driver, err);
  if (l) {
    l->detail = copy_of(detail, err);
    set_factor(l, both[0], both[1]);
    l->unit = unit;
  }
}

static void write_lines(Work *w, Err *err) {
  const double whole[2] = {(double)w->before / 1e9, (double)w->after / 1e9};
  add_aside(w, "answer", "", w->ask->per_request ? "dollars per request" : "dollars", whole, err);
  if (err->rc == RC_OK) {
    w->answer->lines[0].basis = sides_basis_word(basis_of_all(w));
    w->answer->lines[0].text = answer_text(w, err);
  }
  for (int i = 0; i < w->n_told; i++) {
    for (int k = 0; k < w->told[i].drift.n && err->rc == RC_OK; k++) {
      add_row(w, &w->told[i], &w->told[i].drift.rows[k], err);
    }
  }
  const double unpriced[2] = {(double)w->unpriced[0], (double)w->unpriced[1]};
  const double left[2] = {(double)w->left_out[0] / 1e9, (double)w->left_out[1] / 1e9};
  if (unpriced[0] + unpriced[1] > 0 && err->rc == RC_OK) {
    add_aside(w, "unpriced", "nobody knows what these cost: llm_unpriced", "calls", unpriced, err);
  }
  if (w->unpriced_tokens[0] + w->unpriced_tokens[1] > 0 && err->rc == RC_OK) {
    add_aside(w, "unpriced", "usage reports of providers of whom no cost is known", "tokens",
              w->unpriced_tokens, err);
    w->answer->lines[w->answer->n - 1].basis = sides_basis_word(BASIS_INVOICE);
  }
  if ((left[0] != 0 || left[1] != 0) && err->rc == RC_OK) {
    char detail[DRIFT_DETAIL];
    snprintf(detail, sizeof detail, "%s: the option billed '%s'", left_out_words(w),
             w->is_list ? "paid" : "list");
    add_aside(w, "left out", w->has_left_out_invoice ? left_out_words(w) : detail, "dollars", left,
              err);
  }
}

DriftAnswer *drift_new(Conn *conn, const DriftAsk *ask, Err *err) {
  Work w = {.ask = ask, .sides = {.conn = conn, .by = ask->by}};
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  SideAsk sides[2];
  for (int i = 0; i < 2; i++) {
    sides[i] =
        (SideAsk){ask->side[i].span.span, ask->side[i].has_scope ? &ask->side[i].scope : NULL};
  }
  w.answer = calloc(1, sizeof *w.answer);
  if (!w.answer) {
    err_nomem(err);
  }
  if (err->rc == RC_OK && sides_read(&w.sides, store, sides, err) == RC_OK) {
    w.is_list = choose_billed(&w);
    split_groups(&w, err);
    if (err->rc == RC_OK) {
      write_lines(&w, err);
    }
  }
  free(w.told);
  sides_free(&w.sides);
  if (err->rc != RC_OK) {
    drift_free(w.answer);
    w.answer = NULL;
  }
  return w.answer;
}

void drift_free(DriftAnswer *a) {
  for (int i = 0; a && i < a->n; i++) {
    free(a->lines[i].value);
    free(a->lines[i].detail);
    free(a->lines[i].text);
  }
  if (a) {
    free(a->lines);
  }
  free(a);
}
