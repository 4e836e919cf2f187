/*
** simonw/llm's database, any CSV of which somebody says what its columns are, and our own rows as JSON Lines.
*/
#include "core/logs/format_internal.h"

#include "base/text/decimal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- llm: rows of `responses` and of `turns` (docs/logging.md @f3f4f29). Without tokens it was a local model's: not priced. */

COLUMNS(llm_columns, {"id", AS_TEXT, TO(key)}, {"datetime_utc", AS_TIME, TO(ts)},
        {"resolved_model", AS_TEXT, TO(model)}, {"model", AS_TEXT, TO(model_requested)},
        {"input_tokens", AS_COUNT, UNIT_INPUT}, {"output_tokens", AS_COUNT, UNIT_OUTPUT},
        {"conversation_id", AS_TEXT, TO(conversation)}, {"duration_ms", AS_HINT, TO(latency_ms)},
        {"token_details", AS_NOTHING, 0});

/* Each vendor's own words for the details, beside the two counts: those of Anthropic stand beside the input, the others in it. */
static const struct {
  const char *path;
  Unit unit;
  int is_beside;
} token_details[] = {{"cache_read_input_tokens", UNIT_CACHE_READ, 1},
                     {"cache_creation_input_tokens", UNIT_CACHE_WRITE, 1},
                     {"prompt_tokens_details.cached_tokens", UNIT_CACHE_READ, 0},
                     {"prompt_tokens_details.cache_write_tokens", UNIT_CACHE_WRITE, 0},
                     {"input_tokens_details.cached_tokens", UNIT_CACHE_READ, 0},
                     {"input_tokens_details.cache_write_tokens", UNIT_CACHE_WRITE, 0},
                     {"cached_tokens", UNIT_CACHE_READ, 0},
                     {"prompt_cache_hit_tokens", UNIT_CACHE_READ, 0},
                     {"cachedContentTokenCount", UNIT_CACHE_READ, 0},
                     {"completion_tokens_details.reasoning_tokens", UNIT_REASONING, 0},
                     {"output_tokens_details.reasoning_tokens", UNIT_REASONING, 0}};

Finish finish_llm(Row *row, LogEntry *entry, Err *err) {
  Usage *u = &entry->usage;
  Span details = row_json(row, "token_details", err);
  entry->model = entry->model ? entry->model : entry->model_requested;
  for (size_t i = 0; details.n && i < sizeof token_details / sizeof token_details[0]; i++) {
    const char *text = text_of(&row->reader->texts, scan_find(details, token_details[i].path));
    long long count;
    if (!text || u->has & UNIT_BIT(token_details[i].unit) || !(u->has & UNIT_BIT(UNIT_INPUT))) {
      continue;
    } else if (!number_count(text, LIMIT_TOKENS, &count)) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE, "token_details.%s: expected a whole number",
              token_details[i].path);
      return ROW_EMPTY;
    }
    usage_set(u, token_details[i].unit, count);
    u->n[UNIT_INPUT] += token_details[i].is_beside ? count : 0;
  }
  return ROW_TAKE;
}

/* ---- our own: the columns of llm_calls (a unit test compares them). What the row was billed is what the log states. */

COLUMNS(own_columns, {"id", AS_NOTHING, 0}, {"request_id", AS_TEXT, TO(logical)},
        {"attempt", AS_HINT, TO(attempt)}, {"ts", AS_TIME, TO(ts)}, {"kind", AS_NOTHING, 0},
        {"provider", AS_TEXT, TO(provider)}, {"model_requested", AS_TEXT, TO(model_requested)},
        {"model", AS_TEXT, TO(model)}, {"tier", AS_TEXT, TO(tier)}, {"tag", AS_TEXT, TO(tag)},
        {"user", AS_TEXT, TO(user)}, {"conversation", AS_TEXT, TO(conversation)},
        {"turn", AS_HINT, TO(turn)}, {"system_hash", AS_TEXT, TO(system_hash)},
        {"system_tokens", AS_HINT, TO(system_tokens)},
        {"history_tokens", AS_HINT, TO(history_tokens)}, {"input_tokens", AS_COUNT, UNIT_INPUT},
        {"cached_input_tokens", AS_COUNT, UNIT_CACHE_READ},
        {"cache_write_tokens", AS_COUNT, UNIT_CACHE_WRITE},
        {"output_tokens", AS_COUNT, UNIT_OUTPUT}, {"reasoning_tokens", AS_COUNT, UNIT_REASONING},
        {"cost_nusd", AS_NUSD, TO(usage.reported_nusd)},
        {"cost_reported_nusd", AS_NUSD, TO(usage.reported_nusd)},
        {"saved_nusd", AS_NUSD, TO(saved_nusd)}, {"latency_ms", AS_HINT, TO(latency_ms)},
        {"http_status", AS_HINT, TO(http_status)}, {"error", AS_WORD, TO(error)},
        {"retry_reason", AS_WORD, TO(retry_reason)}, {"finish_reason", AS_TEXT, TO(finish_reason)},
        {"similarity", AS_NOTHING, 0}, {"prompt_hash", AS_TEXT, TO(prompt_hash)},
        {"answer_hash", AS_NOTHING, 0}, {"time", AS_NOTHING, 0}, {"usage", AS_NOTHING, 0},
        {"ended", AS_NOTHING, 0}, {"provider_request_id", AS_TEXT, TO(request_id)},
        {"service", AS_SERVICE, 0}, {"geo", AS_GEO, 0},
        {"cache_write_long_tokens", AS_COUNT, UNIT_CACHE_WRITE_1H}, {"list_nusd", AS_NOTHING, 0},
        {"source", AS_NOTHING, 0}, {"billed", AS_NOTHING, 0}, {"gate", AS_NOTHING, 0},
        {"tier_drawn", AS_TEXT, TO(tier_drawn)}, {"tier_served", AS_TEXT, TO(tier_served)},
        {"route_score", AS_NOTHING, 0}, {"route_version", AS_NOTHING, 0},
        {"escalated_from", AS_NOTHING, 0}, {"purpose", AS_WORD, TO(purpose)},
        {"notes", AS_NOTHING, 0}, {"held_nusd", AS_NOTHING, 0}, {"batch_id", AS_NOTHING, 0},
        {"cache_miss", AS_WORD, TO(cache_miss)});

int log_own_column(const char *name) {
  for (int i = 0; i < own_columns.n; i++) {
    if (strcmp(own_columns.at[i].name, name) == 0) {
      return 1;
    }
  }
  return 0;
}

static const struct {
  const char *word;
  LogKind kind;
} kinds[] = {{"call", LOG_ANSWERED}, {"unknown", LOG_ANSWERED}, {"batch", LOG_BATCH},
             {"embed", LOG_EMBED},   {"hit_exact", LOG_HIT},    {"hit_semantic", LOG_HIT_SEMANTIC},
             {"hit", LOG_HIT}};

/* A request's name without what an import puts before it: however often a row went from ledger to ledger, it is the same. */
static const char *without_import(const char *request) {
  static const char prefix[] = "import:";
  while (request && strncmp(request, prefix, sizeof prefix - 1) == 0 &&
         request[sizeof prefix - 1]) {
    request += sizeof prefix - 1;
  }
  return request;
}

/* 1 and the kind of a word; 0 where the row is no call ("refused": nothing was sent). */
static int read_kind(const char *word, LogKind *kind) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    if (strcmp(word, kinds[i].word) == 0) {
      *kind = kinds[i].kind;
      return 1;
    }
  }
  return 0;
}

/* Units that no column has (searches, audio) stand in `usage`, in our own form. */
static void take_own_usage(Row *row, LogEntry *entry, Err *err) {
  Usage own, *u = &entry->usage;
  Span json = row_json(row, "usage", err);
  if (json.n <= 2 || !usage_of_json(json, &own, err)) {
    return;
  }
  for (UnitSet left = own.has & ~u->has; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    usage_set(u, unit, own.n[unit]);
  }
  usage_add_other(u, own.other);
}

Finish finish_own(Row *row, LogEntry *entry, Err *err) {
  const char *kind = row_text(row, "kind"), *id = row_text(row, "id"),
             *request = without_import(row_text(row, "request_id")),
             *attempt = row_text(row, "attempt"), *billed = row_text(row, "billed"),
             *score = row_text(row, "route_score");
  long long millionths;
  char key[2 * TEXT_MOST];
  if (kind && !read_kind(kind, &entry->kind)) {
    if (strcmp(kind, "refused") != 0) {
      err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "kind: expected one of those of llm_calls");
    }
    return ROW_EMPTY;
  }
  entry->logical = without_import(entry->logical);
  if (request) {
    /* (hits of a request have no attempts of their own: the row's id tells them apart) */
    int is_first = !attempt || strcmp(attempt, "0") == 0;
    int n = snprintf(key, sizeof key, "%.500s:%.20s%s%.40s", request, attempt ? attempt : "1",
                     is_first && id ? ":" : "", is_first && id ? id : "");
    entry->key = text_keep(&row->reader->texts, key, (size_t)n);
  }
  if (score && decimal_parse(score, 6, &millionths) && millionths <= 1000000) {
    entry->route_score = (double)millionths / 1e6;
  }
  entry->billed = billed && strcmp(billed, "list") == 0 ? LOG_LIST : LOG_PAID;
  take_own_usage(row, entry, err);
  return ROW_TAKE;
}

/* ---- any CSV */

/* What a map may name. */
static const Column targets[] = {{"ts", AS_TIME, TO(ts)},
                                 {"id", AS_TEXT, TO(key)},
                                 {"kind", AS_NOTHING, 0},
                                 {"provider", AS_TEXT, TO(provider)},
                                 {"model", AS_TEXT, TO(model)},
                                 {"model_requested", AS_TEXT, TO(model_requested)},
                                 {"tag", AS_TEXT, TO(tag)},
                                 {"user", AS_TEXT, TO(user)},
                                 {"conversation", AS_TEXT, TO(conversation)},
                                 {"input_tokens", AS_COUNT, UNIT_INPUT},
                                 {"cached_input_tokens", AS_COUNT, UNIT_CACHE_READ},
                                 {"cache_write_tokens", AS_COUNT, UNIT_CACHE_WRITE},
                                 {"cache_write_long_tokens", AS_COUNT, UNIT_CACHE_WRITE_1H},
                                 {"output_tokens", AS_COUNT, UNIT_OUTPUT},
                                 {"reasoning_tokens", AS_COUNT, UNIT_REASONING},
                                 {"cost_usd", AS_USD, TO(usage.reported_nusd)},
                                 {"cost_nusd", AS_NUSD, TO(usage.reported_nusd)},
                                 {"cost_reported_nusd", AS_NUSD, TO(usage.reported_nusd)},
                                 {"latency_ms", AS_HINT, TO(latency_ms)},
                                 {"http_status", AS_HINT, TO(http_status)},
                                 {"error", AS_WORD, TO(error)},
                                 {"finish_reason", AS_TEXT, TO(finish_reason)},
                                 {"provider_request_id", AS_TEXT, TO(request_id)},
                                 {"service", AS_SERVICE, 0},
                                 {"geo", AS_GEO, 0},
                                 {"billed", AS_NOTHING, 0}};
enum { TARGETS = sizeof targets / sizeof targets[0] };

static const Column *target_of(const char *name, Err *err) {
  char names[LIMIT_ERROR_TEXT] = "";
  size_t n = 0;
  for (int i = 0; i < TARGETS; i++) {
    if (strcmp(targets[i].name, name) == 0) {
      return &targets[i];
    }
    n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", targets[i].name);
  }
  err_set(err, RC_ERROR, ERR_BAD_OPTION, "map: '%.60s' is no column to map to; there are %s", name,
          names);
  return NULL;
}

/* The map as columns: the file's names, and what our own name is in front of each. */
static int add_mapped(LogReader *reader, const cJSON *item, size_t *used, Err *err) {
  const Column *target = target_of(item->string, err);
  if (!target) {
    return err->rc;
  }
  if (!cJSON_IsString(item) || !item->valuestring[0]) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "map: '%.60s': expected the name of a column",
                   item->string);
  }
  size_t n = strlen(item->valuestring) + 1;
  char *name = reader->map_names + *used;
  memcpy(name, item->valuestring, n);
  *used += n;
  reader->map[reader->columns.n++] = (Column){name, target->as, target->at};
  reader->kind_of = strcmp(target->name, "kind") == 0 ? name : reader->kind_of;
  reader->billed_of = strcmp(target->name, "billed") == 0 ? name : reader->billed_of;
  return RC_OK;
}

int csv_map(LogReader *reader, const cJSON *map, Err *err) {
  size_t n = 0, used = 0;
  const cJSON *item;
  if (!cJSON_IsObject(map) || !cJSON_GetObjectItemCaseSensitive(map, "ts")) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "format 'csv': expected a map with at least 'ts', such as "
                   "{\"ts\":\"When\",\"model\":\"Model\",\"input_tokens\":\"In\"}");
  }
  cJSON_ArrayForEach(item, map) {
    n += cJSON_IsString(item) ? strlen(item->valuestring) + 1 : 0;
  }
  reader->map = calloc(COLUMNS_MOST, sizeof *reader->map);
  reader->map_names = malloc(n + 1);
  if (!reader->map || !reader->map_names) {
    return err_nomem(err);
  }
  reader->columns = (Columns){reader->map, 0};
  cJSON_ArrayForEach(item, map) {
    if (reader->columns.n == COLUMNS_MOST) {
      err_set(err, RC_ERROR, ERR_BAD_OPTION, "map: more than %d columns", COLUMNS_MOST);
    }
    if (err->rc == RC_OK) {
      add_mapped(reader, item, &used, err);
    }
  }
  return err->rc;
}

Finish finish_map(Row *row, LogEntry *entry, Err *err) {
  LogReader *reader = row->reader;
  const char *kind = reader->kind_of ? row_text(row, reader->kind_of) : NULL;
  const char *billed = reader->billed_of ? row_text(row, reader->billed_of) : NULL;
  if (kind && !read_kind(kind, &entry->kind)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "%.60s: expected call, batch, embed, hit_exact, hit_semantic or unknown",
            reader->kind_of);
  }
  entry->billed = billed && strcmp(billed, "list") == 0 ? LOG_LIST : LOG_PAID;
  return ROW_TAKE;
}

static const char *const forms[] = {
    [TIME_TEXT] = "text", [TIME_S] = "s", [TIME_MS] = "ms", [TIME_US] = "us", [TIME_NS] = "ns"};

void csv_restore(LogReader *reader, Span state) {
  const char *word = text_of(&reader->texts, scan_find(state, "times"));
  const char *rows = text_of(&reader->texts, scan_find(state, "rows"));
  for (int i = TIME_TEXT; word && i <= TIME_NS; i++) {
    reader->times = strcmp(word, forms[i]) == 0 ? (TimeForm)i : reader->times;
  }
  if (rows && !number_count(rows, LIMIT_COUNT, &reader->rows)) {
    reader->rows = 0;
  }
}

int csv_keep(const LogReader *reader, Buf *state) {
  if (reader->times == TIME_NONE) {
    return RC_OK;
  }
  keep_text(state, "times", forms[reader->times]);
  return buf_printf(state, ",\"rows\":%lld", reader->rows);
}
