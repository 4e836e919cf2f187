/*
** See reconcile.h for the contract.
*/
#include "work/audit/reconcile.h"

#include "base/hash.h"
#include "base/limits.h"
#include "core/names/model_name.h"
#include "money/billing.h"
#include "money/reread.h"
#include "store/past/invoices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 1000000, MOST_TEXTS = 65536, MOST_PRICES = 16 };

/* What an invoice says of a period: lines of it stand together. */
typedef struct Bucket {
  long long from, to;
  const char *source, *provider;
  int has_models, has_items; /* whether any of its money says a model; a kind */
} Bucket;

struct Reconciled {
  Conn *conn;
  ReconcileLine *lines;
  int n, cap;
  int *slots; /* 1 + the place of a line, by its hash; 0 */
  int n_slots;
  Bucket *buckets; /* in the order of (provider, from) once all money is read */
  int n_buckets, cap_buckets, is_sorted;
  char **texts; /* each once */
  int n_texts, cap_texts;
};

/* ---- texts, buckets and lines */

/* One copy of a text, which lives as long as the result; NULL stays NULL. */
static const char *keep(Reconciled *r, const char *text, Err *err) {
  for (int i = 0; i < r->n_texts && text; i++) {
    if (strcmp(r->texts[i], text) == 0) {
      return r->texts[i];
    }
  }
  if (!text || err->rc != RC_OK) {
    return NULL;
  }
  if (r->n_texts == r->cap_texts) {
    int cap = r->cap_texts ? 2 * r->cap_texts : 64;
    char **more = cap <= MOST_TEXTS ? realloc(r->texts, (size_t)cap * sizeof *more) : NULL;
    if (!more) {
      err_nomem(err);
      return NULL;
    }
    r->texts = more;
    r->cap_texts = cap;
  }
  char *copy = strdup(text);
  if (!copy) {
    err_nomem(err);
    return NULL;
  }
  return r->texts[r->n_texts++] = copy;
}

/* Texts are kept ones: the same text is the same place. */
static unsigned long long hash_of(const Bucket *b, const char *model, const char *item) {
  const void *parts[] = {b->source, b->provider, model, item};
  unsigned long long h[2] = {(unsigned long long)b->from, hash_short(parts, sizeof parts)};
  return hash_short(h, sizeof h);
}

static int *slot_of(Reconciled *r, const Bucket *b, const char *model, const char *item) {
  unsigned mask = (unsigned)r->n_slots - 1, i = (unsigned)hash_of(b, model, item) & mask;
  for (; r->slots[i]; i = (i + 1) & mask) {
    const ReconcileLine *l = &r->lines[r->slots[i] - 1];
    if (l->from == b->from && l->source == b->source && l->provider == b->provider &&
        l->model == model && l->item == item) {
      break;
    }
  }
  return &r->slots[i];
}

static int grow(Reconciled *r, Err *err) {
  int cap = r->cap ? 2 * r->cap : 256, n_slots = 2 * cap;
  int *slots = cap <= MOST_LINES ? calloc((size_t)n_slots, sizeof *slots) : NULL;
  ReconcileLine *lines = slots ? realloc(r->lines, (size_t)cap * sizeof *lines) : NULL;
  if (!lines) {
    free(slots);
    return err_nomem(err);
  }
  free(r->slots);
  r->lines = lines;
  r->slots = slots;
  r->cap = cap;
  r->n_slots = n_slots;
  for (int i = 0; i < r->n; i++) {
    const ReconcileLine *l = &lines[i];
    Bucket b = {.from = l->from, .source = l->source, .provider = l->provider};
    *slot_of(r, &b, l->model, l->item) = i + 1;
  }
  return RC_OK;
}

/* The line of a bucket, made where there is none yet; NULL and *err. */
static ReconcileLine *line_of(Reconciled *r, const Bucket *b, const char *model, const char *item,
                              Err *err) {
  if (err->rc != RC_OK || (r->n == r->cap && grow(r, err) != RC_OK)) {
    return NULL;
  }
  int *slot = slot_of(r, b, model, item);
  if (!*slot) {
    r->lines[r->n] = (ReconcileLine){.from = b->from,
                                     .to = b->to,
                                     .source = b->source,
                                     .provider = b->provider,
                                     .model = model,
                                     .item = item,
                                     .sums = {.quantity = (double)NAN}};
    *slot = ++r->n;
  }
  return &r->lines[*slot - 1];
}

/* ---- the invoices */

static int is_of(const Bucket *b, const char *provider, const char *source, long long from,
                 long long to) {
  return b->from == from && b->to == to && b->source == source && b->provider == provider;
}

static Bucket *bucket_of(Reconciled *r, const PastSum *sum, Err *err) {
  const char *source = keep(r, sum->source, err), *provider = keep(r, sum->provider, err);
  for (int i = r->n_buckets - 1; i >= 0 && err->rc == RC_OK;
       i--) { /* sums come in the order of time */
    if (is_of(&r->buckets[i], provider, source, sum->from, sum->to)) {
      return &r->buckets[i];
    }
    if (r->buckets[i].from < sum->from) {
      break;
    }
  }
  if (r->n_buckets == r->cap_buckets) {
    int cap = r->cap_buckets ? 2 * r->cap_buckets : 64;
    Bucket *more = realloc(r->buckets, (size_t)cap * sizeof *more);
    if (!more) {
      err_nomem(err);
      return NULL;
    }
    r->buckets = more;
    r->cap_buckets = cap;
  }
  Bucket *b = &r->buckets[r->n_buckets];
  *b = (Bucket){.from = sum->from, .to = sum->to, .source = source, .provider = provider};
  r->n_buckets += err->rc == RC_OK;
  return err->rc == RC_OK ? b : NULL;
}

static const char *plain(Reconciled *r, const char *model, Err *err) {
  char name[LIMIT_MODEL_NAME];
  if (!model) {
    return NULL;
  }
  model_name_plain(model, name, sizeof name);
  return keep(r, name, err);
}

/* What a row of that source hides by rounding: the console's export of costs has whole cents. */
static long long hidden_by(const char *source) {
  enum { HALF_A_CENT = 5000000 };
  return strcmp(source, "anthropic_cost_csv") == 0 ? HALF_A_CENT : 1;
}

static void add_count(ReconcileLine *l, double quantity) {
  if (!isnan(quantity)) {
    l->sums.quantity = (isnan(l->sums.quantity) ? 0 : l->sums.quantity) + quantity;
  }
}

static void take_money(Reconciled *r, const PastSum *sum, Err *err) {
  Bucket *b = sum->amount_nusd == 0 && !sum->model_plain ? NULL : bucket_of(r, sum, err);
  const char *model = keep(r, sum->model_plain, err), *item = keep(r, sum->item, err);
  ReconcileLine *l = b ? line_of(r, b, model, item, err) : NULL;
  if (!l) {
    return;
  }
  b->has_models |= model != NULL;
  b->has_items |= item != NULL;
  l->sums.is_invoiced = 1;
  l->sums.invoiced = sum_at_most(l->sums.invoiced, sum->amount_nusd);
  l->sums.list =
      sum_at_most(l->sums.list, sum->list_nusd == LEDGER_NULL ? sum->amount_nusd : sum->list_nusd);
  l->sums.hidden += hidden_by(b->source) * (sum->list_nusd == LEDGER_NULL ? 1 : 2);
  l->counts_itself |= !isnan(sum->quantity);
  add_count(l, sum->quantity);
}

/* ---- usage reports: what the invoice itself does not count */

static int compare_buckets(const void *a, const void *b) {
  const Bucket *x = a, *y = b;
  int by = x->provider && y->provider ? strcmp(x->provider, y->provider)
                                      : (x->provider != NULL) - (y->provider != NULL);
  return by ? by : x->from < y->from ? -1 : x->from > y->from;
}

static void sort(Reconciled *r) {
  if (!r->is_sorted && r->n_buckets > 0) {
    qsort(r->buckets, (size_t)r->n_buckets, sizeof *r->buckets, compare_buckets);
  }
  r->is_sorted = 1;
}

/* The bucket of a provider in which a moment is, NULL where there is none. */
static const Bucket *bucket_at(Reconciled *r, const char *provider, long long ts) {
  Bucket key = {.provider = provider, .from = ts};
  int low = 0, high = r->n_buckets;
  sort(r);
  while (low < high) { /* the first that comes behind it */
    int middle = low + (high - low) / 2;
    *(compare_buckets(&r->buckets[middle], &key) > 0 ? &high : &low) =
        compare_buckets(&r->buckets[middle], &key) > 0 ? middle : middle + 1;
  }
  const Bucket *b = low > 0 ? &r->buckets[low - 1] : NULL;
  int is_his = b && ((b->provider && provider && strcmp(b->provider, provider) == 0) ||
                     b->provider == provider);
  return is_his && ts >= b->from && ts < b->to ? b : NULL;
}

/* A count for a line that is invoiced and has none of its own. */
static void count_for(Reconciled *r, const Bucket *b, const char *model, const char *unit,
                      long long count, Err *err) {
  const char *item = keep(r, unit, err);
  int place = err->rc == RC_OK && r->n_slots ? *slot_of(r, b, model, item) : 0;
  ReconcileLine *l = place ? &r->lines[place - 1] : NULL;
  if (l && l->sums.is_invoiced && !l->counts_itself && count != LEDGER_NULL) {
    add_count(l, (double)count);
  }
}

static long long left_of(long long all, long long part) {
  return all == LEDGER_NULL ? LEDGER_NULL : part == LEDGER_NULL ? all : all - part;
}

static void take_usage(Reconciled *r, const PastSum *sum, Err *err) {
  const Bucket *b = bucket_at(r, sum->provider, sum->from);
  const char *model = keep(r, sum->model_plain, err);
  if (!b || !b->has_items) {
    return;
  }
  long long fresh =
      left_of(left_of(sum->input_tokens, sum->cached_input_tokens), sum->cache_write_tokens);
  count_for(r, b, model, "input", fresh, err);
  count_for(r, b, model, "cache_read", sum->cached_input_tokens, err);
  count_for(r, b, model, "cache_write",
            left_of(sum->cache_write_tokens, sum->cache_write_long_tokens), err);
  count_for(r, b, model, "cache_write_1h", sum->cache_write_long_tokens, err);
  count_for(r, b, model, "output", sum->output_tokens, err);
}

static void take_sum(void *arg, const PastSum *sum, Err *err) {
  sum->amount_nusd == LEDGER_NULL ? take_usage(arg, sum, err) : take_money(arg, sum, err);
}

/* ---- the ledger */

/* The kind by which an invoice calls a unit. */
static const char *item_of(Unit unit) {
  return unit == UNIT_CACHE_WRITE_5M ? "cache_write" : unit_word(unit);
}

static void add_unit(Reconciled *r, const Bucket *b, const char *model, const char *item,
                     long long count, long long nusd, Err *err) {
  ReconcileLine *l =
      line_of(r, b, b->has_models ? model : NULL, b->has_items ? keep(r, item, err) : NULL, err);
  if (l) {
    l->sums.is_in_ledger = 1;
    l->sums.ledger += nusd;
    l->sums.counted += (double)count;
  }
}

static void add_unpriced(Reconciled *r, const Bucket *b, const char *model, Err *err) {
  ReconcileLine *l = line_of(r, b, b->has_models ? model : NULL, NULL, err);
  if (l) {
    l->unpriced++;
  }
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  Reconciled *r = arg;
  const Bucket *b = bucket_at(r, row->provider, row->ts);
  Err bad = {0};
  if (!b) {
    return;
  }
  int ignored;
  BillingLines lines = {.count = {0}};
  Billing now;
  const char *model = plain(r, row->model ? row->model : row->model_requested, err);
  PriceVerdict verdict = reread_price(r->conn, row, &lines, &now, &ignored, &bad);
  for (Unit unit = 0; unit < UNIT_COUNT && verdict == PRICED; unit++) {
    if (lines.count[unit] > 0) {
      add_unit(r, b, model, item_of(unit), lines.count[unit], cost_nusd(lines.cost[unit]), err);
    }
  }
  if (verdict != PRICED) {
    add_unpriced(r, b, model, err);
  }
  if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
    *err = bad;
  }
}

/* ---- causes */

/* Nano-dollars for one unit at those terms; 0 where nobody prices it. */
static double price_at(Conn *conn, const ReconcileLine *l, Unit unit, const char *service,
                       const char *geo, long long input, Err *err) {
  PricingAsk ask = {.model = l->model,
                    .provider = l->provider,
                    .at_ms = l->from,
                    .service = service,
                    .geo = geo,
                    .input_tokens = input};
  PricingAnswer answer;
  if (pricing_prices(conn, &ask, &answer, err) != PRICED || !answer.set) {
    return 0;
  }
  enum { SAMPLE = 1000000 };
  int is_priced = answer.set->priced & UNIT_BIT(unit) ? 1 : 0;
  return is_priced ? cost_usd(price_leaf(answer.set, unit, SAMPLE)) * 1e9 / SAMPLE : 0;
}

/* The prices that this may have had; the standard one first. */
static int find_prices(Conn *conn, const ReconcileLine *l, ReconcilePrice prices[MOST_PRICES],
                       Err *err) {
  static const struct {
    ReconcileCause cause;
    const char *service, *geo;
    long long input;
  } terms[] = {
      {RECONCILE_SERVICE, NULL, NULL, 0},     {RECONCILE_SERVICE, "batch", NULL, 0},
      {RECONCILE_SERVICE, "flex", NULL, 0},   {RECONCILE_SERVICE, "priority", NULL, 0},
      {RECONCILE_SERVICE, "fast", NULL, 0},   {RECONCILE_SERVICE, NULL, "us", 0},
      {RECONCILE_TIER, NULL, NULL, 10000000}, {RECONCILE_TIER, "batch", NULL, 10000000},
  };
  Unit unit = l->item ? unit_parse(l->item) : UNIT_COUNT;
  int n = 0;
  if (unit == UNIT_COUNT || !l->model) {
    return 0;
  }
  for (size_t i = 0; i < sizeof terms / sizeof terms[0] && err->rc == RC_OK; i++) {
    double nusd = price_at(conn, l, unit, terms[i].service, terms[i].geo, terms[i].input, err);
    if (nusd > 0) {
      prices[n++] = (ReconcilePrice){terms[i].cause, nusd};
    }
  }
  Unit other = unit == UNIT_CACHE_WRITE      ? UNIT_CACHE_WRITE_1H
               : unit == UNIT_CACHE_WRITE_1H ? UNIT_CACHE_WRITE
                                             : UNIT_COUNT;
  double nusd =
      other != UNIT_COUNT && err->rc == RC_OK ? price_at(conn, l, other, NULL, NULL, 0, err) : 0;
  if (nusd > 0) {
    prices[n++] = (ReconcilePrice){RECONCILE_CACHE, nusd};
  }
  return n;
}

static void find_causes(Reconciled *r, Err *err) {
  for (int i = 0; i < r->n && err->rc == RC_OK; i++) {
    ReconcilePrice prices[MOST_PRICES];
    ReconcileLine *l = &r->lines[i];
    l->sums.n_prices = find_prices(r->conn, l, prices, err);
    l->sums.prices = prices;
    reconcile_split(&l->sums, l->causes);
    l->sums.prices = NULL;
  }
}

static int compare_texts(const char *a, const char *b) {
  return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

static int compare_lines(const void *a, const void *b) {
  const ReconcileLine *x = a, *y = b;
  int by = (x->from > y->from) - (x->from < y->from);
  by = by ? by : compare_texts(x->source, y->source);
  by = by ? by : compare_texts(x->model, y->model);
  return by ? by : compare_texts(x->item, y->item);
}

/* ---- all of it */

static void read_ledger(Reconciled *r, Store *store, const ReconcileAsk *ask, Err *err) {
  AuditAsk rows = {.provider = ask->provider, .from = LLONG_MAX, .to = LLONG_MIN, .is_paid = 1};
  for (int i = 0; i < r->n_buckets; i++) {
    rows.from = r->buckets[i].from < rows.from ? r->buckets[i].from : rows.from;
    rows.to = r->buckets[i].to > rows.to ? r->buckets[i].to : rows.to;
  }
  if (r->n_buckets > 0) {
    audit_each(store, &rows, take_row, r, err);
  }
}

Reconciled *reconcile_new(Conn *conn, const ReconcileAsk *ask, Err *err) {
  Store *store = pricing_refresh(conn, NULL, err) == RC_OK ? conn_store(conn, 0, err) : NULL;
  Reconciled *r = calloc(1, sizeof *r);
  if (!r) {
    err_nomem(err);
    return NULL;
  }
  r->conn = conn;
  const InvoiceAsk invoices = {
      .source = ask->source, .provider = ask->provider, .from = ask->from, .to = ask->to};
  if (store && err->rc == RC_OK && invoices_each(store, &invoices, take_sum, r, err) == RC_OK) {
    read_ledger(r, store, ask, err);
    find_causes(r, err);
    if (r->n > 0) {
      qsort(r->lines, (size_t)r->n, sizeof *r->lines, compare_lines);
    }
  }
  if (err->rc != RC_OK) {
    reconcile_free(r);
    r = NULL;
  }
  return r;
}

void reconcile_free(Reconciled *r) {
  if (r) {
    for (int i = 0; i < r->n_texts; i++) {
      free(r->texts[i]);
    }
    free(r->texts);
    free(r->buckets);
    free(r->slots);
    free(r->lines);
    free(r);
  }
}

const ReconcileLine *reconcile_at(const Reconciled *r, int i) {
  return i < r->n ? &r->lines[i] : NULL;
}
