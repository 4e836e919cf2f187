/*
** See drift.h for the contract.
*/
#include "core/audit/drift.h"

#include "base/limits.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *word, *unit;
} drivers[DRIFT_COUNT] = {
#define DRIVER(id, word, unit) {word, unit},
    DRIFT_DRIVERS(DRIVER)
#undef DRIVER
};

static const DriftDriver driver_of_kind[DRIFT_KINDS] = {
    [KIND_OF_SYSTEM] = DRIFT_SYSTEM, [KIND_OF_HISTORY] = DRIFT_HISTORY,
    [KIND_OF_USER] = DRIFT_USER,     [KIND_OF_INPUT] = DRIFT_INPUT,
    [KIND_OF_OUTPUT] = DRIFT_OUTPUT, [KIND_OF_REASONING] = DRIFT_REASONING,
    [KIND_OF_BLEND] = DRIFT_BLENDED, [KIND_OF_FEES] = DRIFT_FEES,
};

const char *drift_word(DriftDriver driver) {
  return drivers[driver].word;
}

const char *drift_unit(DriftDriver driver, int says) {
  static const char tokens[] = "tokens per attempt";
  int has_attempts = !(says & DRIFT_NO_REQUESTS);
  return has_attempts || driver == DRIFT_ATTEMPTS    ? drivers[driver].unit
         : driver == DRIFT_FEES                      ? "dollars"
         : strcmp(drivers[driver].unit, tokens) == 0 ? "tokens"
                                                     : drivers[driver].unit;
}

/* (From the smaller one up: seen from the larger one, one that is a trillionth of it has no digits left.) */
double drift_log_mean(double a, double b) {
  double low = fmin(a, b), high = fmax(a, b);
  if (low <= 0) {
    return 0;
  }
  double x = (high - low) / low;
  return x == 0 ? low : low * (x / log1p(x));
}

/* Two sides, before and after, and what the drivers have come to so far. */
typedef struct Split {
  const DriftSide *side[2];
  int n_models, per_request, says;
  double requests[2], asked[2], billed[2]; /* billed: 1 where attempts are not counted */
  double spend[2];
  double effect[DRIFT_COUNT], by_reason[DRIFT_REASONS];
  double of_model[DRIFT_COUNT][DRIFT_MODELS]; /* of MIX and what comes behind it */
  DriftKind folded
      [DRIFT_MODELS]; /* what all of a model counts as: KIND_OF_BLEND, KIND_OF_FEES; else DRIFT_KINDS */
} Split;

typedef struct Pair {
  double v[2];
} Pair;

/* ---- sums over the cells */

/* The kind that a model's cell counts as. */
static DriftKind kind_as(const Split *s, int model, DriftKind kind) {
  if (s->folded[model] != DRIFT_KINDS && kind != KIND_OF_FEES) {
    return s->folded[model];
  }
  int is_part = kind == KIND_OF_SYSTEM || kind == KIND_OF_HISTORY || kind == KIND_OF_USER;
  if (s->says & DRIFT_NO_PARTS) {
    return is_part ? KIND_OF_INPUT : kind;
  }
  return kind == KIND_OF_INPUT ? KIND_OF_USER : kind;
}

/* The cells of a model that count as a kind. */
static DriftCell cell_of(const Split *s, int side, int model, DriftKind kind) {
  DriftCell sum = {0};
  for (int k = 0; k < DRIFT_KINDS; k++) {
    const DriftCell *c = &s->side[side]->models[model][k];
    if (kind_as(s, model, (DriftKind)k) == kind) {
      sum.tokens += c->tokens;
      for (int i = 0; i < DRIFT_STEPS; i++) {
        sum.nusd[i] += c->nusd[i];
      }
    }
  }
  return sum;
}

static DriftCell sum_of(const Split *s, int side, DriftKind kind) {
  DriftCell sum = {0};
  for (int m = 0; m < s->n_models; m++) {
    DriftCell c = cell_of(s, side, m, kind);
    sum.tokens += c.tokens;
    for (int i = 0; i < DRIFT_STEPS; i++) {
      sum.nusd[i] += c.nusd[i];
    }
  }
  return sum;
}

/* ---- the third storey: the price of a token, over models */

static void add_model(Split *s, DriftDriver driver, int model, double effect) {
  s->effect[driver] += effect;
  s->of_model[driver][model] += effect;
}

static int all_positive(const DriftCell *c) {
  int all = c->tokens > 0;
  for (int i = 0; i < DRIFT_STEPS; i++) {
    all = all && c->nusd[i] > 0;
  }
  return all;
}

/* What one model's part of the price does; `scale` carries it up to spending. */
static void split_model(Split *s, int model, const DriftCell c[2], const Pair *tokens,
                        double scale) {
  Pair part = {{c[0].nusd[STEP_PAID] / tokens->v[0], c[1].nusd[STEP_PAID] / tokens->v[1]}};
  if (part.v[0] <= 0 || part.v[1] <= 0) { /* a model that is new, gone, or was free */
    int is_mix = c[0].tokens <= 0 || c[1].tokens <= 0;
    add_model(s, is_mix ? DRIFT_MIX : DRIFT_LIST_PRICE, model, scale * (part.v[1] - part.v[0]));
    return;
  }
  double weight = scale * drift_log_mean(part.v[1], part.v[0]);
  Pair share = {{c[0].tokens / tokens->v[0], c[1].tokens / tokens->v[1]}};
  add_model(s, DRIFT_MIX, model, weight * log(share.v[1] / share.v[0]));
  if (!all_positive(&c[0]) || !all_positive(&c[1])) {
    double ratio = part.v[1] / share.v[1] / (part.v[0] / share.v[0]);
    add_model(s, DRIFT_LIST_PRICE, model, weight * log(ratio));
    return;
  }
  double plain = c[1].nusd[STEP_PLAIN] / c[1].tokens / (c[0].nusd[STEP_PLAIN] / c[0].tokens);
  add_model(s, DRIFT_LIST_PRICE, model, weight * log(plain));
  for (int i = STEP_PREFIX; i < DRIFT_STEPS; i++) {
    double before = c[0].nusd[i] / c[0].nusd[i - 1], after = c[1].nusd[i] / c[1].nusd[i - 1];
    add_model(s, (DriftDriver)(DRIFT_PREFIX + i - STEP_PREFIX), model,
              weight * log(after / before));
  }
}

/* ---- the second: the cost of an attempt, over kinds of tokens */

static void split_kind(Split *s, DriftKind kind, double scale) {
  DriftCell sum[2] = {sum_of(s, 0, kind), sum_of(s, 1, kind)};
  Pair cost, price, tokens;
  for (int i = 0; i < 2; i++) {
    tokens.v[i] = sum[i].tokens;
    cost.v[i] = sum[i].nusd[STEP_PAID] / s->billed[i];
    price.v[i] = sum[i].tokens > 0 ? sum[i].nusd[STEP_PAID] / sum[i].tokens : 0;
  }
  if (kind == KIND_OF_FEES || price.v[0] <= 0 || price.v[1] <= 0) {
    int was_free = kind != KIND_OF_FEES && tokens.v[0] > 0 && tokens.v[1] > 0;
    s->effect[was_free ? DRIFT_LIST_PRICE : driver_of_kind[kind]] +=
        scale * (cost.v[1] - cost.v[0]);
    return;
  }
  double weight = scale * drift_log_mean(cost.v[1], cost.v[0]);
  double ratio = tokens.v[1] / s->billed[1] / (tokens.v[0] / s->billed[0]);
  s->effect[driver_of_kind[kind]] += weight * log(ratio);
  double up = weight / drift_log_mean(price.v[1], price.v[0]);
  for (int m = 0; m < s->n_models; m++) {
    DriftCell c[2] = {cell_of(s, 0, m, kind), cell_of(s, 1, m, kind)};
    if (c[0].tokens > 0 || c[1].tokens > 0) {
      split_model(s, m, c, &tokens, up);
    }
  }
}

/* ---- the first: the chain */

typedef struct Factor {
  DriftDriver driver;
  Pair x;
} Factor;

/* Attempts by the reason why they were made: their number is a sum. */
static void split_attempts(Split *s, const Pair *attempts, double weight) {
  double up = weight / drift_log_mean(attempts->v[1], attempts->v[0]);
  for (int i = 0; i < DRIFT_REASONS; i++) {
    double change = s->side[1]->attempts[i] / s->asked[1] - s->side[0]->attempts[i] / s->asked[0];
    s->by_reason[i] += up * change;
  }
}

static int chain_of(const Split *s, Factor chain[5]) {
  int n = 0, has_users = !(s->says & DRIFT_NO_USERS);
  const DriftSide *a = s->side[0], *b = s->side[1];
  if (!s->per_request && has_users) {
    chain[n++] = (Factor){DRIFT_USERS, {{a->users, b->users}}};
    chain[n++] =
        (Factor){DRIFT_REQUESTS_PER_USER, {{s->requests[0] / a->users, s->requests[1] / b->users}}};
  } else if (!s->per_request) {
    chain[n++] = (Factor){DRIFT_REQUESTS, {{s->requests[0], s->requests[1]}}};
  }
  chain[n++] =
      (Factor){DRIFT_HIT_RATE, {{s->asked[0] / s->requests[0], s->asked[1] / s->requests[1]}}};
  chain[n++] = (Factor){DRIFT_ATTEMPTS, {{s->billed[0] / s->asked[0], s->billed[1] / s->asked[1]}}};
  return n;
}

/* Where all tokens of one side were free: what the other side's models cost is their price, or, of those that were not asked
** there, the mix. */
static void split_from_free(Split *s, int empty) {
  int other = !empty;
  double scale = s->spend[other] / (double)s->side[other]->nusd;
  for (int m = 0; m < s->n_models; m++) {
    double nusd = 0, tokens = 0;
    for (int k = 0; k < DRIFT_KINDS; k++) {
      nusd += s->side[other]->models[m][k].nusd[STEP_PAID];
      tokens += s->side[empty]->models[m][k].tokens;
    }
    add_model(s, tokens > 0 ? DRIFT_LIST_PRICE : DRIFT_MIX, m, (empty ? -1 : 1) * scale * nusd);
  }
}

/* Where one side cost nothing, the first factor of the chain that is zero there gets everything. */
static void split_from_nothing(Split *s) {
  double change = s->spend[1] - s->spend[0];
  int empty = s->spend[1] == 0;
  if (change == 0) {
    return;
  }
  if (s->requests[empty] <= 0) {
    s->effect[DRIFT_REQUESTS] = change;
  } else if (s->asked[empty] <= 0) {
    s->effect[DRIFT_HIT_RATE] = change;
  } else if (s->billed[empty] <= 0) {
    s->by_reason[0] = change;
  } else {
    split_from_free(s, empty);
  }
}

static void split_spend(Split *s) {
  double scale = 1;
  if (!(s->says & DRIFT_NO_REQUESTS)) {
    Factor chain[5];
    int n = chain_of(s, chain);
    double mean = drift_log_mean(s->spend[1], s->spend[0]);
    for (int i = 0; i < n; i++) {
      double effect = mean * log(chain[i].x.v[1] / chain[i].x.v[0]);
      if (chain[i].driver == DRIFT_ATTEMPTS) {
        split_attempts(s, &chain[i].x, mean);
      } else {
        s->effect[chain[i].driver] += effect;
      }
    }
    double one[2];
    for (int i = 0; i < 2; i++) {
      one[i] = (double)s->side[i]->nusd / s->billed[i];
    }
    scale = mean / drift_log_mean(one[1], one[0]);
  }
  for (int k = 0; k < DRIFT_KINDS; k++) {
    split_kind(s, (DriftKind)k, scale);
  }
}

/* ---- what the factors are */

static double over(double a, double b) {
  return b > 0 ? a / b : (double)NAN;
}

/* A kind of tokens as a factor; of fees what they come to. */
static double kind_value(const Split *s, DriftKind kind, int side) {
  DriftCell sum = sum_of(s, side, kind);
  int is_uncounted = sum.tokens <= 0 && sum.nusd[STEP_PAID] != 0;
  double x = kind == KIND_OF_FEES ? sum.nusd[STEP_PAID] / 1e9 : sum.tokens;
  return is_uncounted ? (double)NAN : over(x, s->billed[side]);
}

static int top_model(const Split *s, DriftDriver driver) {
  int top = -1;
  for (int m = 0; m < s->n_models && driver >= DRIFT_MIX; m++) {
    double size = fabs(s->of_model[driver][m]);
    top = size > (top < 0 ? 0 : fabs(s->of_model[driver][top])) ? m : top;
  }
  return top;
}

/* All token cells of a model, or (-1) of all. */
static DriftCell all_of(const Split *s, int side, int model) {
  DriftCell sum = {0};
  int last = model < 0 ? s->n_models - 1 : model;
  for (int m = model < 0 ? 0 : model; m <= last; m++) {
    for (int k = 0; k < KIND_OF_FEES; k++) {
      const DriftCell *c = &s->side[side]->models[m][k];
      sum.tokens += c->tokens;
      for (int i = 0; i < DRIFT_STEPS; i++) {
        sum.nusd[i] += c->nusd[i];
      }
    }
  }
  return sum;
}

/* Of a model: dollars a million, of the same mixture of kinds on both sides. (Nano-dollars a token are thousandths of that.) */
static double list_price(const Split *s, int side, int model) {
  double sum = 0, weights = 0;
  for (int k = 0; k < KIND_OF_FEES && model >= 0; k++) {
    const DriftCell *a = &s->side[0]->models[model][k], *b = &s->side[1]->models[model][k];
    if (a->tokens > 0 && b->tokens > 0) {
      const DriftCell *c = side ? b : a;
      sum += (a->tokens + b->tokens) * c->nusd[STEP_PLAIN] / c->tokens;
      weights += a->tokens + b->tokens;
    }
  }
  return over(sum, weights) / 1000;
}

static double price_value(const Split *s, DriftDriver driver, int side, int model) {
  DriftCell all = all_of(s, side, -1);
  if (driver == DRIFT_MIX) {
    return model < 0 ? (double)NAN : over(all_of(s, side, model).tokens, all.tokens);
  }
  if (driver == DRIFT_LIST_PRICE) {
    return list_price(s, side, model);
  }
  int step = (int)driver - DRIFT_PREFIX + STEP_PREFIX;
  return over(all.nusd[step], all.nusd[step - 1]);
}

static double value_of(const Split *s, DriftDriver driver, int side, int model) {
  const DriftSide *of = s->side[side];
  switch (driver) {
  case DRIFT_USERS:
    return of->users;
  case DRIFT_REQUESTS_PER_USER:
    return over(s->requests[side], of->users);
  case DRIFT_REQUESTS:
    return s->requests[side];
  case DRIFT_HIT_RATE:
    return over(of->hits, s->requests[side]);
  case DRIFT_ATTEMPTS:
    return (double)NAN;
  case DRIFT_MIX:
  case DRIFT_LIST_PRICE:
  case DRIFT_PREFIX:
  case DRIFT_SERVICE:
  case DRIFT_DISCOUNT:
    return price_value(s, driver, side, model);
  default:
    break;
  }
  for (int k = 0; k < DRIFT_KINDS; k++) {
    if (driver_of_kind[k] == driver) {
      return kind_value(s, (DriftKind)k, side);
    }
  }
  return (double)NAN;
}

/* ---- rows */

typedef struct Ranked {
  DriftRow row;
  double effect;
} Ranked;

/* 1 if a factor stands in the chain that these sides have. */
static int is_used(const Split *s, DriftDriver d) {
  if (d > DRIFT_REQUESTS) {
    return d > DRIFT_HIT_RATE || !(s->says & DRIFT_NO_REQUESTS);
  }
  int is_named = !(s->says & DRIFT_NO_USERS);
  return !s->per_request && !(s->says & DRIFT_NO_REQUESTS) && is_named == (d != DRIFT_REQUESTS);
}

/* 1 if a row has something to say: it moved, or is a factor that there is on both sides. */
static int is_told(const Ranked *r) {
  const double nothing = r->row.driver >= DRIFT_PREFIX ? 1 : 0, tiny = 1e-9;
  int is_known = !isnan(r->row.before) && !isnan(r->row.after);
  int is_there = fabs(r->row.before - nothing) > tiny || fabs(r->row.after - nothing) > tiny;
  return fabs(r->effect) >= 0.5 || (is_known && is_there);
}

static int collect(const Split *s, Ranked rows[DRIFT_ROWS]) {
  int n = 0;
  for (int i = 0; i < DRIFT_COUNT; i++) {
    DriftDriver d = (DriftDriver)i;
    int model = top_model(s, d);
    Ranked r = {{d, -1, model, 0, (double)NAN, (double)NAN}, s->effect[i]};
    if (d != DRIFT_ATTEMPTS && (is_used(s, d) || r.effect != 0)) {
      r.row.before = value_of(s, d, 0, model);
      r.row.after = value_of(s, d, 1, model);
      if (is_told(&r)) {
        rows[n++] = r;
      }
    }
  }
  for (int i = 0; i < DRIFT_REASONS && !(s->says & DRIFT_NO_REQUESTS); i++) {
    Ranked r = {{DRIFT_ATTEMPTS, i, -1, 0, over(s->side[0]->attempts[i], s->asked[0]),
                 over(s->side[1]->attempts[i], s->asked[1])},
                s->by_reason[i]};
    if (is_told(&r)) {
      rows[n++] = r;
    }
  }
  return n;
}

static double remainder_of(const Ranked *r) {
  return r->effect - floor(r->effect);
}

static int compare_remainders(const void *a, const void *b) {
  double x = remainder_of(a), y = remainder_of(b);
  return x < y ? 1 : x > y ? -1 : 0;
}

static int compare_sizes(const void *a, const void *b) {
  const DriftRow *x = a, *y = b;
  long long p = llabs(x->nusd), q = llabs(y->nusd);
  int by = p < q ? 1 : p > q ? -1 : 0;
  by = by ? by : (x->driver > y->driver) - (x->driver < y->driver);
  return by ? by : (x->reason > y->reason) - (x->reason < y->reason);
}

/* Whole nano-dollars that sum to `whole`: each rounded down, the rest to those with the largest remainders. */
static void round_rows(Ranked *rows, int n, long long whole) {
  const double most = 4e18; /* that a number holds, with room for the rest */
  long long rest = whole;
  qsort(rows, (size_t)n, sizeof *rows, compare_remainders);
  for (int i = 0; i < n; i++) {
    rows[i].row.nusd = (long long)floor(fmax(fmin(rows[i].effect, most), -most));
    rest = sum_at_most(rest, -rows[i].row.nusd);
  }
  for (int i = 0; i < n && rest > 0; i++, rest--) {
    rows[i].row.nusd++;
  }
  for (int i = n - 1; i >= 0 && rest < 0; i--, rest++) {
    rows[i].row.nusd--;
  }
  if (n > 0) { /* (of sums beyond what a double tells apart) */
    long long first = sum_at_most(rows[0].row.nusd, rest);
    rows[0].row.nusd = first < -LLONG_MAX ? -LLONG_MAX : first; /* (of which there is a size) */
  }
}

/* ---- all of it */

static void take_side(Split *s, int i, const DriftSide *side) {
  s->side[i] = side;
  s->billed[i] = 0;
  for (int r = 0; r < DRIFT_REASONS; r++) {
    s->billed[i] += side->attempts[r];
  }
  s->asked[i] = side->requests - side->hits;
  if (s->asked[i] <= 0 && s->billed[i] > 0) { /* (their first attempts were before the period) */
    s->asked[i] = s->billed[i];
  }
  s->requests[i] = side->hits + (s->asked[i] > 0 ? s->asked[i] : 0);
  s->spend[i] = (double)side->nusd;
}

/* The part of a model's money (of all models': -1) on a side that is of one kind. */
static double part_of_kind(const Split *s, int side, int model, DriftKind kind) {
  double part = 0, whole = 0;
  int last = model < 0 ? s->n_models - 1 : model;
  for (int m = model < 0 ? 0 : model; m <= last; m++) {
    for (int k = 0; k < DRIFT_KINDS; k++) {
      double nusd = s->side[side]->models[m][k].nusd[STEP_PAID];
      whole += nusd;
      part += k == (int)kind ? nusd : 0;
    }
  }
  return whole > 0 ? part / whole : 0;
}

/* Kinds are told apart only where both sides tell them: a model that has only a sum on one side is compared by its sums. */
static void find_folds(Split *s) {
  const double some = 0.1, most = 0.9;
  int has_no_tokens =
      part_of_kind(s, 0, -1, KIND_OF_FEES) > most || part_of_kind(s, 1, -1, KIND_OF_FEES) > most;
  for (int m = 0; m < s->n_models; m++) {
    double blended = 0, fees = 0;
    for (int i = 0; i < 2; i++) {
      blended = fmax(blended, part_of_kind(s, i, m, KIND_OF_BLEND));
      fees = fmax(fees, part_of_kind(s, i, m, KIND_OF_FEES));
    }
    s->folded[m] = has_no_tokens || fees > most ? KIND_OF_FEES
                   : blended > some             ? KIND_OF_BLEND
                                                : DRIFT_KINDS;
  }
}

/* What can't be said of both is not used; nor a chain where money is no product (credits of an invoice). */
static void find_says(Split *s) {
  const double most = 0.9;
  for (int i = 0; i < 2; i++) {
    const DriftSide *side = s->side[i];
    s->says |= side->says;
    s->says |= side->named < most * side->requests || side->requests <= 0 ? DRIFT_NO_USERS : 0;
    s->says |= side->input > 0 && side->parted < most * side->input ? DRIFT_NO_PARTS : 0;
    s->says |= side->nusd < 0 || (side->nusd != 0 && s->billed[i] <= 0) ? DRIFT_NO_REQUESTS : 0;
  }
  for (int i = 0; i < 2; i++) {
    double per = s->per_request && s->requests[i] > 0 ? s->requests[i] : 1;
    s->spend[i] /= per;
    s->billed[i] = s->says & DRIFT_NO_REQUESTS ? per : s->billed[i];
  }
}

int drift_split(const DriftSide *a, const DriftSide *b, int n_models, int per_request,
                Drift *drift) {
  Split *s = calloc(1, sizeof *s);
  Ranked rows[DRIFT_ROWS];
  *drift = (Drift){0};
  if (!s) {
    return 0;
  }
  s->n_models = n_models;
  s->per_request = per_request;
  take_side(s, 0, a);
  take_side(s, 1, b);
  find_says(s);
  find_folds(s);
  drift->before = per_request ? llround(s->spend[0]) : a->nusd;
  drift->after = per_request ? llround(s->spend[1]) : b->nusd;
  drift->says = s->says;
  if (s->says & DRIFT_NO_REQUESTS || (s->spend[0] > 0 && s->spend[1] > 0)) {
    split_spend(s);
  } else {
    split_from_nothing(s);
  }
  drift->n = collect(s, rows);
  round_rows(rows, drift->n, drift->after - drift->before);
  for (int i = 0; i < drift->n; i++) {
    drift->rows[i] = rows[i].row;
  }
  qsort(drift->rows, (size_t)drift->n, sizeof *drift->rows, compare_sizes);
  free(s);
  return 1;
}
