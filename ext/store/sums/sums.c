/*
** Folding rows of the ledger into sums, and writing these. See sums.h for the contract.
*/
#include "store/sums/sums.h"

#include "base/hash.h"
#include "base/limits.h"
#include "core/names/model_name.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct Entry {
  SumRow row;
  unsigned long long hash;
  int is_taken;
  char texts[];
} Entry;

enum { N_GRAINS = 3, ROW_KEYS = N_GRAINS * SUM_DIMENSIONS };

/* What rows in a row (hits of one statement) come to that count under the same keys. */
typedef struct Run {
  int is_set, entry[ROW_KEYS];
  char model[LIMIT_MODEL_NAME]; /* as the rows name it */
  SumRow sum;
} Run;

struct Sums {
  Run run;    /* not in the entries yet */
  Entry **at; /* in the order they came */
  int n, cap;
  int *slots; /* open addressing: 1 + the place in `at`, or 0 */
  int n_slots;
};

/* ---- what a row of the ledger counts for */

typedef struct KindCounts {
  int is_call, is_hit, is_miss;
} KindCounts;

static const KindCounts kinds[] = {
#define COUNTS(id, word, call, hit, miss) [KIND_##id] = {call, hit, miss},
    LEDGER_KINDS(COUNTS)
#undef COUNTS
};

/* What a ledger can't hold wraps: what is added and taken out again leaves what was. */
static long long plus(long long a, long long b) {
  long long sum;
  (void)!__builtin_add_overflow(a, b, &sum);
  return sum;
}

static void say(SumRow *sum, int measure, long long value, int sign) {
  if (value != LEDGER_NULL) {
    sum->value[measure] = plus(sum->value[measure], sign * value);
    sum->has |= 1u << measure;
  }
}

/* The same as the view llm_row_sums says. */
static void measure(SumRow *sum, const LedgerRow *row, int sign) {
  const KindCounts *k = &kinds[row->kind];
  say(sum, SUM_n, 1, sign);
  say(sum, SUM_calls, k->is_call, sign);
  say(sum, SUM_hits_exact, row->kind == KIND_HIT_EXACT, sign);
  say(sum, SUM_hits_semantic, row->kind == KIND_HIT_SEMANTIC, sign);
  say(sum, SUM_misses, k->is_miss && row->attempt == 1, sign);
  say(sum, SUM_errors, row->error != NULL, sign);
  say(sum, SUM_unpriced, k->is_call && row->cost_nusd == LEDGER_NULL, sign);
  say(sum, SUM_input_tokens, row->input_tokens, sign);
  say(sum, SUM_cached_input_tokens, row->cached_input_tokens, sign);
  say(sum, SUM_cache_write_tokens, row->cache_write_tokens, sign);
  say(sum, SUM_cache_write_long_tokens, row->cache_write_long_tokens, sign);
  say(sum, SUM_output_tokens, row->output_tokens, sign);
  say(sum, SUM_reasoning_tokens, row->reasoning_tokens, sign);
  say(sum, SUM_cost_nusd, row->cost_nusd, sign);
  say(sum, SUM_list_nusd, row->list_nusd, sign);
  say(sum, SUM_cost_reported_nusd, row->cost_reported_nusd, sign);
  say(sum, SUM_saved_nusd, row->saved_nusd, sign);
  say(sum, SUM_latency_ms, row->latency_ms, sign);
}

static long long month_start(long long ts, int months_on) {
  struct tm t;
  time_t seconds = (time_t)(ts / 1000 - (ts % 1000 < 0));
  if (!gmtime_r(&seconds, &t)) {
    return 0; /* a year that no calendar has */
  }
  struct tm first = {.tm_year = t.tm_year, .tm_mon = t.tm_mon + months_on, .tm_mday = 1};
  return (long long)timegm(&first) * 1000;
}

long long sums_month(long long ts) {
  return month_start(ts, 0);
}

long long sums_next_month(long long month) {
  return month_start(month, 1);
}

static long long floor_to(long long ts, int grain) {
  if (grain == SUM_MONTH) {
    return sums_month(ts);
  }
  long long step = (long long)grain * SUM_MINUTE_MS;
  long long rest = ts % step;
  return ts - (rest < 0 ? rest + step : rest);
}

/* The keys that a row counts under. Texts are borrowed: from the row, and `model`. */
static void keys_of(const LedgerRow *row, char model[LIMIT_MODEL_NAME], SumKey keys[ROW_KEYS]) {
  static const int grains[N_GRAINS] = {SUM_QUARTER, SUM_DAY, SUM_MONTH};
  const char *name = row->model ? row->model : row->model_requested;
  const char *values[SUM_DIMENSIONS] = {
      NULL, name ? (model_name_plain(name, model, LIMIT_MODEL_NAME), model) : NULL, row->tag,
      row->user};
  for (int i = 0; i < ROW_KEYS; i++) {
    int dimension = i / N_GRAINS, grain = grains[i % N_GRAINS];
    int is_model = dimension == SUM_MODEL;
    keys[i] = (SumKey){.dimension = dimension,
                       .grain = grain,
                       .start = floor_to(row->ts, grain),
                       .text = {[SUM_VALUE] = values[dimension],
                                [SUM_PROVIDER] = is_model ? row->provider : NULL,
                                [SUM_SERVICE] = is_model ? row->service : NULL,
                                [SUM_SOURCE] = row->source,
                                [SUM_BILLED] = row->billed}};
  }
}

/* ---- in memory */

static int same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_key(const SumKey *a, const SumKey *b) {
  int same = a->start == b->start && a->dimension == b->dimension && a->grain == b->grain;
  for (int i = 0; i < SUM_TEXTS && same; i++) {
    same = same_text(a->text[i], b->text[i]);
  }
  return same;
}

static unsigned long long hash_of(const SumKey *key) {
  unsigned long long parts[SUM_TEXTS + 2] = {
      (unsigned long long)key->start, (unsigned long long)(key->dimension * 65536 + key->grain)};
  for (int i = 0; i < SUM_TEXTS; i++) {
    parts[i + 2] = key->text[i] ? hash_short(key->text[i], strlen(key->text[i])) : 0;
  }
  return hash_short(parts, sizeof parts);
}

/* The slot of a key: that of its entry, or an empty one. */
static int *slot_of(const Sums *sums, const SumKey *key, unsigned long long hash) {
  unsigned mask = (unsigned)sums->n_slots - 1, i = (unsigned)hash & mask;
  while (sums->slots[i] && (sums->at[sums->slots[i] - 1]->hash != hash ||
                            !same_key(&sums->at[sums->slots[i] - 1]->row.key, key))) {
    i = (i + 1) & mask;
  }
  return &sums->slots[i];
}

Sums *sums_new(Err *err) {
  enum { FIRST = 64 };
  Sums *sums = calloc(1, sizeof *sums);
  if (sums) {
    sums->cap = FIRST;
    sums->n_slots = 2 * FIRST;
    sums->at = calloc((size_t)sums->cap, sizeof *sums->at);
    sums->slots = calloc((size_t)sums->n_slots, sizeof *sums->slots);
  }
  if (!sums || !sums->at || !sums->slots) {
    sums_free(sums);
    err_nomem(err);
    return NULL;
  }
  return sums;
}

static void empty(Sums *sums) {
  for (int i = 0; i < sums->n; i++) {
    free(sums->at[i]);
  }
  sums->n = 0;
  sums->run.is_set = 0;
  memset(sums->slots, 0, (size_t)sums->n_slots * sizeof *sums->slots);
}

void sums_free(Sums *sums) {
  if (sums) {
    for (int i = 0; i < sums->n; i++) {
      free(sums->at[i]);
    }
    free(sums->at);
    free(sums->slots);
    free(sums);
  }
}

static int grow(Sums *sums, Err *err) {
  int *slots = calloc((size_t)sums->n_slots * 2, sizeof *slots);
  Entry **at = slots ? realloc(sums->at, 2 * (size_t)sums->cap * sizeof *at) : NULL;
  if (!at) {
    free(slots);
    return err_nomem(err);
  }
  free(sums->slots);
  sums->at = at;
  sums->slots = slots;
  sums->cap *= 2;
  sums->n_slots *= 2;
  for (int i = 0; i < sums->n; i++) {
    *slot_of(sums, &sums->at[i]->row.key, sums->at[i]->hash) = i + 1;
  }
  return RC_OK;
}

/* An entry with copies of the key's texts. */
static Entry *entry_new(const SumKey *key, unsigned long long hash, Err *err) {
  size_t size = 0;
  for (int i = 0; i < SUM_TEXTS; i++) {
    size += row_text_size(key->text[i]);
  }
  Entry *e = calloc(1, sizeof *e + size);
  if (!e) {
    err_nomem(err);
    return NULL;
  }
  char *at = e->texts;
  e->row.key = *key;
  e->hash = hash;
  for (int i = 0; i < SUM_TEXTS; i++) {
    row_keep_text(&e->row.key.text[i], &at);
  }
  return e;
}

/* The place of a key's sum, made where there is none yet; -1 and *err. */
static int place_of(Sums *sums, const SumKey *key, Err *err) {
  if (sums->n == sums->cap && grow(sums, err) != RC_OK) {
    return -1;
  }
  unsigned long long hash = hash_of(key);
  int *slot = slot_of(sums, key, hash);
  if (!*slot) {
    Entry *e = entry_new(key, hash, err);
    if (!e) {
      return -1;
    }
    sums->at[sums->n++] = e;
    *slot = sums->n;
  }
  return *slot - 1;
}

/* Adds what the run came to to its entries. */
static void end_run(Sums *sums) {
  Run *run = &sums->run;
  for (int i = 0; i < ROW_KEYS && run->is_set; i++) {
    SumRow *to = &sums->at[run->entry[i]]->row;
    for (int m = 0; m < SUM_COUNT; m++) {
      to->value[m] = plus(to->value[m], run->sum.value[m]);
    }
    to->has |= run->sum.has;
  }
  run->is_set = 0;
}

static const char *model_of(const LedgerRow *row) {
  const char *name = row->model ? row->model : row->model_requested;
  return name ? name : "";
}

/* 1 if a row counts under the keys of the run. */
static int is_in_run(const Sums *sums, const LedgerRow *row) {
  const Run *run = &sums->run;
  if (!run->is_set) {
    return 0;
  }
  const SumKey *all = &sums->at[run->entry[N_GRAINS * SUM_ALL]]->row.key;
  const SumKey *model = &sums->at[run->entry[N_GRAINS * SUM_MODEL]]->row.key;
  return floor_to(row->ts, SUM_QUARTER) == all->start && strcmp(model_of(row), run->model) == 0 &&
         same_text(row->source, all->text[SUM_SOURCE]) &&
         same_text(row->billed, all->text[SUM_BILLED]) &&
         same_text(row->provider, model->text[SUM_PROVIDER]) &&
         same_text(row->service, model->text[SUM_SERVICE]) &&
         same_text(row->tag, sums->at[run->entry[N_GRAINS * SUM_TAG]]->row.key.text[SUM_VALUE]) &&
         same_text(row->user, sums->at[run->entry[N_GRAINS * SUM_USER]]->row.key.text[SUM_VALUE]);
}

static int start_run(Sums *sums, const LedgerRow *row, Err *err) {
  char model[LIMIT_MODEL_NAME];
  SumKey keys[ROW_KEYS];
  keys_of(row, model, keys);
  for (int i = 0; i < ROW_KEYS && err->rc == RC_OK; i++) {
    sums->run.entry[i] = place_of(sums, &keys[i], err);
  }
  sums->run.sum = (SumRow){.has = 0};
  sums->run.is_set = err->rc == RC_OK;
  sqlite3_snprintf(LIMIT_MODEL_NAME, sums->run.model, "%s",
                   model_of(row)); /* (a longer one ends each run) */
  return err->rc;
}

int sums_fold(Sums *sums, const LedgerRow *row, int sign, Err *err) {
  if (!is_in_run(sums, row)) {
    end_run(sums);
    start_run(sums, row, err);
  }
  if (err->rc == RC_OK) {
    measure(&sums->run.sum, row, sign);
  }
  return err->rc;
}

int sums_add(Sums *sums, const SumRow *row, Err *err) {
  int place = place_of(sums, &row->key, err);
  for (int m = 0; m < SUM_COUNT && place >= 0; m++) {
    sums->at[place]->row.value[m] = plus(sums->at[place]->row.value[m], row->value[m]);
  }
  if (place >= 0) {
    sums->at[place]->row.has |= row->has;
  }
  return err->rc;
}

int sums_length(Sums *sums) {
  end_run(sums);
  return sums->n;
}

const SumRow *sums_at(const Sums *sums, int i) {
  return &sums->at[i]->row;
}

const SumRow *sums_take(Sums *sums, const SumKey *key) {
  end_run(sums);
  int *slot = slot_of(sums, key, hash_of(key));
  Entry *e = *slot ? sums->at[*slot - 1] : NULL;
  if (e) {
    e->is_taken = 1;
  }
  return e ? &e->row : NULL;
}

int sums_is_taken(const Sums *sums, int i) {
  return sums->at[i]->is_taken;
}

/* ---- in the store */

static int bind_key(sqlite3_stmt *stmt, int at, const SumKey *key) {
  sqlite3_bind_int(stmt, at, key->dimension);
  sqlite3_bind_int(stmt, at + 1, key->grain);
  sqlite3_bind_int64(stmt, at + 2, key->start);
  int rc = SQLITE_OK;
  for (int i = 0; i < SUM_TEXTS && rc == SQLITE_OK; i++) {
    rc = key->text[i] ? sqlite3_bind_text(stmt, at + 3 + i, key->text[i], -1, SQLITE_STATIC)
                      : sqlite3_bind_blob(stmt, at + 3 + i, "", 0, SQLITE_STATIC);
  }
  return rc;
}

static void bind_measures(sqlite3_stmt *stmt, int at, const SumRow *sum) {
  static const int is_count[] = {
#define KIND_OF_COUNT 1
#define KIND_OF_SUM 0
#define IS_COUNT(name, kind) KIND_OF_##kind,
      SUM_MEASURES(IS_COUNT)
#undef IS_COUNT
  };
  for (int i = 0; i < SUM_COUNT; i++) {
    if (is_count[i] || sum->has & 1u << i) {
      sqlite3_bind_int64(stmt, at + i, sum->value[i]);
    }
  }
}

enum { KEY_COLUMNS = 3 + SUM_TEXTS };

/* Runs a statement over a sum. The rows that it changed, or -1 and *err. */
static int run(Store *s, StoreSql id, const SumRow *sum, Err *err) {
  static const struct {
    int key, measures;
  } places[] = {
      [SQL_ADD_SUM] = {1 + SUM_COUNT, 1},
      [SQL_PUT_SUM] = {1, 1 + KEY_COLUMNS},
      [SQL_DROP_SUM] = {1, 0},
  };
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  if (!stmt) {
    return -1;
  }
  int rc = bind_key(stmt, places[id].key, &sum->key);
  if (places[id].measures) {
    bind_measures(stmt, places[id].measures, sum);
  }
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = store_done(s, stmt);
  } else {
    store_done(s, stmt);
  }
  return rc == SQLITE_OK ? sqlite3_changes(s->db) : (store_error(s, rc, "keep a sum", err), -1);
}

int sums_state(Store *s, SumState *state, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_GET_SUM_STATE, err);
  *state = (SumState){0, 0};
  while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
    long long sealed = sqlite3_column_int64(stmt, 2);
    state->stopped |= sqlite3_column_int(stmt, 1) ? 1u << (sqlite3_column_int(stmt, 0) & 31) : 0;
    state->sealed_before = sealed > state->sealed_before ? sealed : state->sealed_before;
  }
  int rc = stmt ? store_done(s, stmt) : SQLITE_OK;
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "read the state of its sums", err);
}

/* 1 if a dimension has had that value, 0 if not; -1 and *err. */
static int is_known_value(Store *s, const SumKey *key, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_HAS_SUM_VALUE, err);
  const char *value = key->text[SUM_VALUE];
  if (!stmt || !value) {
    return stmt ? (store_done(s, stmt), 1) : -1;
  }
  sqlite3_bind_int(stmt, 1, key->dimension);
  int rc = sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
  int found = rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW, done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? found : (store_error(s, rc, "look for a value", err), -1);
}

/* How sums are written. */
typedef struct Writing {
  Store *s;
  SumState state;
  unsigned dimensions;
  int are_new;
} Writing;

/* Notes a value that a dimension may not have had; it stops where it has too many. */
static int note_value(Writing *w, const SumKey *key, Err *err) {
  Store *s = w->s;
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_SUM_VALUE, err);
  if (!stmt) {
    return err->rc;
  }
  const char *value = key->text[SUM_VALUE];
  sqlite3_bind_int(stmt, 1, key->dimension);
  int rc = value ? sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC)
                 : sqlite3_bind_blob(stmt, 2, "", 0, SQLITE_STATIC);
  sqlite3_step(stmt);
  int done = store_done(s, stmt);
  if (rc != SQLITE_OK || done != SQLITE_OK) {
    return store_error(s, rc != SQLITE_OK ? rc : done, "keep a sum", err);
  }
  stmt = sqlite3_changes(s->db) ? store_stmt(s, SQL_COUNT_SUM_VALUE, err) : NULL;
  if (stmt) {
    sqlite3_bind_int(stmt, 1, key->dimension);
    sqlite3_bind_int(stmt, 2, LIMIT_SUM_VALUES);
    sqlite3_step(stmt);
    rc = store_done(s, stmt);
    sums_state(s, &w->state, err);
  }
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "keep a sum", err);
}

/* Adds one sum to what is there. */
static int add_sum(Writing *w, const SumRow *sum, Err *err) {
  int changed = w->are_new ? 0 : run(w->s, SQL_ADD_SUM, sum, err);
  if (changed == 0 && sum->value[SUM_n] > 0 && run(w->s, SQL_PUT_SUM, sum, err) == 1 &&
      sum->key.grain == SUM_DAY && sum->key.dimension != SUM_ALL) {
    note_value(w, &sum->key, err);
  } else if (changed == 1 && sum->value[SUM_n] < 0) {
    run(w->s, SQL_DROP_SUM, sum, err);
  }
  return err->rc;
}

static int write_sum(Writing *w, const SumRow *sum, Err *err) {
  unsigned bit = 1u << sum->key.dimension;
  if (sum->key.grain == SUM_MONTH && (w->are_new || w->state.stopped & bit)) {
    return RC_OK;
  }
  if (!(w->dimensions & bit) || !(w->state.stopped & bit)) {
    return w->dimensions & bit ? add_sum(w, sum, err) : RC_OK;
  }
  if (sum->key.start >= w->state.sealed_before) {
    return RC_OK;
  }
  SumRow collapsed = *sum;
  if (is_known_value(w->s, &sum->key, err) == 0) {
    collapsed.key.text[SUM_VALUE] = SUM_OTHER;
  }
  return err->rc == RC_OK ? add_sum(w, &collapsed, err) : err->rc;
}

static int write_all(Writing *w, Sums *sums, Err *err) {
  end_run(sums);
  sums_state(w->s, &w->state, err);
  for (int i = 0; i < sums->n && err->rc == RC_OK; i++) {
    write_sum(w, &sums->at[i]->row, err);
  }
  empty(sums);
  return err->rc;
}

enum { ALL_DIMENSIONS = (1u << SUM_DIMENSIONS) - 1 };

int sums_write(Store *s, Sums *sums, Err *err) {
  return write_all(&(Writing){.s = s, .dimensions = ALL_DIMENSIONS}, sums, err);
}

int sums_write_new(Store *s, Sums *sums, Err *err) {
  return write_all(&(Writing){.s = s, .dimensions = ALL_DIMENSIONS, .are_new = 1}, sums, err);
}

int sums_write_of(Store *s, Sums *sums, unsigned dimensions, Err *err) {
  return write_all(&(Writing){.s = s, .dimensions = dimensions}, sums, err);
}
