/*
** What gateways and observers keep of each call: LiteLLM, Langfuse, Helicone, OpenRouter.
**
** Sources: LiteLLM's schema.prisma @0010143 and its page on spend logs; langfuse-docs, blob-storage-export-fields.mdx @05bdc0e;
** Helicone's examples/export/typescript/index.ts @05a819c; OpenRouter's export of generations and its API's /generation.
*/
#include "core/logs/format_internal.h"

#include "base/text/decimal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int is_text(const char *text, const char *word) {
  return text && strcasecmp(text, word) == 0;
}

/* From the beginning to the end, which a call's entry has no place for. */
static void take_end(LogEntry *entry) {
  if (entry->to != LLONG_MIN && entry->ts != LLONG_MIN && entry->to >= entry->ts) {
    entry->latency_ms = entry->to - entry->ts;
  }
  entry->to = LLONG_MIN;
}

/* The first text of a list, also of one that is a text. */
static const char *first_of(Row *row, const char *column, Err *err) {
  Span list = row_json(row, column, err);
  Scan s = scan_of(list);
  if (list.n == 0 || !scan_array(&s) || !scan_element(&s)) {
    return NULL;
  }
  return text_of(&row->reader->texts, scan_take(&s));
}

/* Money in a column: 1 and *nusd, 0 where there is none, or *err. */
static int read_money(Row *row, const char *column, long long *nusd, Err *err) {
  const char *text = row_text(row, column);
  if (text && !number_money(text, 9, 0, nusd)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s: expected an amount of money", column);
  }
  return text && err->rc == RC_OK;
}

static int usage_is_nothing(const Usage *u) {
  return u->n[UNIT_INPUT] + u->n[UNIT_OUTPUT] == 0 && u->reported_nusd <= 0;
}

static void forget_usage(LogEntry *entry) {
  entry->usage.has = 0;
  entry->usage.reported_nusd = USAGE_UNKNOWN;
}

/* ---- LiteLLM. `user` is who owns the key, `end_user` the request's user; `model` what answered, `model_group` what was asked for. */

COLUMNS(litellm_columns, {"request_id", AS_TEXT, TO(key)}, {"request_id", AS_TEXT, TO(request_id)},
        {"startTime", AS_TIME, TO(ts)}, {"endTime", AS_TIME, TO(to)},
        {"request_duration_ms", AS_NOTHING, 0}, {"model", AS_TEXT, TO(model)},
        {"model_group", AS_TEXT, TO(model_requested)},
        {"custom_llm_provider", AS_TEXT, TO(provider)}, {"spend", AS_USD, TO(usage.reported_nusd)},
        {"prompt_tokens", AS_COUNT, UNIT_INPUT}, {"completion_tokens", AS_COUNT, UNIT_OUTPUT},
        {"end_user", AS_TEXT, TO(user)}, {"session_id", AS_TEXT, TO(conversation)},
        {"call_type", AS_NOTHING, 0}, {"metadata", AS_NOTHING, 0}, {"cache_hit", AS_NOTHING, 0},
        {"request_tags", AS_NOTHING, 0}, {"status", AS_NOTHING, 0});

static int begins_or_ends(const char *text, const char *part, int at_end) {
  size_t n = text ? strlen(text) : 0, length = strlen(part);
  return n >= length && memcmp(text + (at_end ? n - length : 0), part, length) == 0;
}

/* Cached tokens stand only in what the answer said of itself, if that was kept. */
static void take_details(Span metadata, LogEntry *entry, Err *err) {
  Usage said;
  Span object = scan_find(metadata, "usage_object");
  object = object.n > 2 ? object : scan_find(metadata, "usage");
  if (object.n > 2 && object.at[0] == '{' && usage_of_json(object, &said, err) &&
      said.has & UNIT_BIT(UNIT_INPUT)) {
    said.reported_nusd = entry->usage.reported_nusd;
    entry->usage = said;
  }
}

/* The class of an error and its code, which is HTTP's where it is a number. */
static void take_failure(Row *row, Span metadata, LogEntry *entry) {
  Texts *texts = &row->reader->texts;
  Span information = scan_find(metadata, "error_information");
  const char *code = text_word(text_of(texts, scan_find(information, "error_code"))),
             *class = text_word(text_of(texts, scan_find(information, "error_class")));
  long long status;
  if (code && decimal_parse(code, 0, &status) && status >= 100 && status <= 599) {
    entry->http_status = status;
  }
  entry->error = class ? class : code ? code : "error";
  if (usage_is_nothing(&entry->usage)) {
    forget_usage(entry); /* (zeros say nothing; a stream that broke off was billed) */
  }
}

Finish finish_litellm(Row *row, LogEntry *entry, Err *err) {
  const char *type = row_text(row, "call_type"), *ms = row_text(row, "request_duration_ms");
  long long latency;
  take_end(entry);
  if (ms && number_count(ms, LIMIT_COUNT, &latency)) {
    entry->latency_ms = latency;
  }
  entry->tag = first_of(row, "request_tags", err);
  Span metadata =
      row_json(row, "metadata", err); /* (not before: it lives until the next JSON is read) */
  if (is_text(row_text(row, "status"), "failure")) {
    take_failure(row, metadata, entry);
  } else {
    take_details(metadata, entry, err);
  }
  if (is_text(row_text(row, "cache_hit"), "true")) {
    entry->kind = LOG_HIT;
  } else if (begins_or_ends(entry->key, "_batch_cost", 1) || (type && strstr(type, "batch"))) {
    entry->kind = LOG_BATCH;
    usage_set_service(&entry->usage, "batch");
  } else if (type && strstr(type, "embedding")) {
    entry->kind = LOG_EMBED;
  }
  return ROW_TAKE;
}

/* ---- Langfuse */

COLUMNS(langfuse_columns, {"id", AS_TEXT, TO(key)}, {"trace_id", AS_TEXT, TO(group)},
        {"id", AS_TEXT, TO(self)}, {"parent_observation_id", AS_TEXT, TO(parent)},
        {"start_time", AS_TIME, TO(ts)}, {"end_time", AS_TIME, TO(to)}, {"type", AS_NOTHING, 0},
        {"updated_at", AS_NOTHING, 0}, {"provided_model_name", AS_TEXT, TO(model)},
        {"usage_details", AS_NOTHING, 0}, {"cost_details", AS_NOTHING, 0},
        {"total_cost", AS_NOTHING, 0}, {"latency", AS_NOTHING, 0}, {"level", AS_NOTHING, 0},
        {"status_message", AS_NOTHING, 0}, {"tags", AS_NOTHING, 0}, {"user_id", AS_TEXT, TO(user)},
        {"session_id", AS_TEXT, TO(conversation)});

/* What a name of usage_details counts, by the parts of it that it has, the first that fits: it belongs to the input or the
** output, as Langfuse itself adds them up, and is a unit of it. */
static const struct {
  const char *has, *and;
  Unit unit;
} details[] = {{"cache", "1h", UNIT_CACHE_WRITE_1H}, {"cache", "creation", UNIT_CACHE_WRITE},
               {"cache", "write", UNIT_CACHE_WRITE}, {"cache", "", UNIT_CACHE_READ},
               {"reasoning", "", UNIT_REASONING},    {"thinking", "", UNIT_REASONING},
               {"thoughts", "", UNIT_REASONING},     {"audio", "output", UNIT_OUTPUT_AUDIO},
               {"audio", "input", UNIT_INPUT_AUDIO}};

static void add(Usage *u, Unit unit, long long count) {
  usage_set(u, unit, (u->has & UNIT_BIT(unit) ? u->n[unit] : 0) + count);
}

/* A member of usage_details, into what it belongs to and what it is. */
static void take_detail(const char *name, long long count, Usage *u) {
  int is_output = strstr(name, "output") || strstr(name, "completion") ||
                  strstr(name, "reasoning") || strstr(name, "thoughts");
  int is_input =
      !is_output && (strstr(name, "input") || strstr(name, "prompt") || strstr(name, "cache"));
  if (!is_output && !is_input) {
    return; /* in no direction, it is a total or a thing of its own */
  }
  add(u, is_output ? UNIT_OUTPUT : UNIT_INPUT, count);
  for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
    if (strstr(name, details[i].has) && strstr(name, details[i].and)) {
      add(u, details[i].unit, count);
      if (details[i].unit == UNIT_CACHE_WRITE_1H) {
        add(u, UNIT_CACHE_WRITE, count);
      }
      return;
    }
  }
}

/* `input` is what was not cached, and all parts together are the total; some who wrote it in themselves say all of it in
** `input`, and then that and the output are the total. */
static int read_details(Row *row, Usage *u, Err *err) {
  Texts *texts = &row->reader->texts;
  Span object = row_json(row, "usage_details", err), key;
  long long total = -1, input = 0, output = 0, count;
  Scan s = scan_of(object);
  if (object.n == 0 || !scan_object(&s)) {
    return RC_OK;
  }
  for (size_t mark = texts->used; scan_member(&s, &key); texts->used = mark) {
    const char *text = text_of(texts, scan_take(&s)), *name = text_keep(texts, key.at, key.n);
    if (!text || !name) {
      continue;
    } else if (!number_count(text, LIMIT_TOKENS, &count)) {
      return err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage_details: expected whole numbers");
    }
    total = strcmp(name, "total") == 0 ? count : total;
    input = strcmp(name, "input") == 0 ? count : input;
    output = strcmp(name, "output") == 0 ? count : output;
    take_detail(name, count, u);
  }
  if (total >= 0 && total == input + output && total < u->n[UNIT_INPUT] + u->n[UNIT_OUTPUT]) {
    u->n[UNIT_INPUT] = input;
    u->n[UNIT_OUTPUT] = output;
  }
  return RC_OK;
}

/* Latencies are seconds, of integrations made before 2026-04-01 milliseconds: what the two times say is sure. (A fraction below ten
** minutes is of seconds.) */
static void take_latency(Row *row, LogEntry *entry) {
  const char *text = row_text(row, "latency");
  long long ms;
  take_end(entry);
  if (entry->latency_ms == LOG_UNKNOWN && text && strchr(text, '.') &&
      decimal_parse(text, 3, &ms) && ms < 600000) {
    entry->latency_ms = ms;
  }
}

/* A cost of 0 where nothing was counted, or nothing priced, is none that was stated. */
static void take_cost(Row *row, LogEntry *entry, Err *err) {
  long long nusd;
  if (entry->usage.has && read_money(row, "total_cost", &nusd, err) &&
      (nusd > 0 || row_json(row, "cost_details", err).n > 2)) {
    entry->usage.reported_nusd = nusd;
  }
}

/* A parent with the sum of what its children used: it counts where no child is known. */
static Finish take_parent(LogEntry *entry) {
  entry->what = LOG_SUM;
  entry->to =
      entry->ts == LLONG_MIN || entry->latency_ms <= 0 ? entry->ts : entry->ts + entry->latency_ms;
  entry->to += entry->to == entry->ts;
  entry->amount_nusd = entry->usage.reported_nusd > 0 ? entry->usage.reported_nusd : LOG_UNKNOWN;
  entry->usage.reported_nusd = USAGE_UNKNOWN;
  return entry->usage.has && entry->group ? ROW_TAKE : ROW_EMPTY;
}

Finish finish_langfuse(Row *row, LogEntry *entry, Err *err) {
  const char *type = row_text(row, "type"), *updated = row_text(row, "updated_at");
  const char *message = row_text(row, "status_message");
  TimeForm form;
  long long rank;
  take_latency(row, entry);
  read_details(row, &entry->usage, err);
  take_cost(row, entry, err);
  entry->rank = updated && time_read(updated, &rank, &form) ? rank : 0;
  entry->tag = first_of(row, "tags", err);
  if (!is_text(type, "GENERATION") && !is_text(type, "EMBEDDING")) {
    return take_parent(entry);
  }
  entry->kind = is_text(type, "EMBEDDING") ? LOG_EMBED : LOG_ANSWERED;
  if (!entry->usage.has) {
    entry->group = NULL; /* (what it used is in its parent's sum alone) */
  }
  if (is_text(row_text(row, "level"), "ERROR")) {
    entry->error = text_word(message) ? message : "error";
  }
  return ROW_TAKE;
}

/* ---- Helicone. (request_body is a prompt: not looked at.) */

COLUMNS(helicone_columns, {"response_id", AS_TEXT, TO(key)},
        {"request_created_at", AS_TIME, TO(ts)}, {"response_status", AS_HINT, TO(http_status)},
        {"request_user_id", AS_TEXT, TO(user)}, {"model", AS_TEXT, TO(model)},
        {"prompt_tokens", AS_COUNT, UNIT_INPUT}, {"completion_tokens", AS_COUNT, UNIT_OUTPUT},
        {"latency", AS_HINT, TO(latency_ms)}, {"cost", AS_USD, TO(usage.reported_nusd)});

/* "Cache hits cost 0": an answer that has tokens and cost nothing was one. */
Finish finish_helicone(Row *row, LogEntry *entry, Err *err) {
  (void)err;
  int is_good = entry->http_status >= 200 && entry->http_status <= 299;
  const char *status = row_text(row, "response_status"); /* (some are words or negative) */
  if (is_good && entry->usage.reported_nusd == 0 && entry->usage.n[UNIT_INPUT] > 0) {
    entry->kind = LOG_HIT;
  } else if (!is_good && status) {
    entry->error = text_word(status) ? status : "error";
    if (usage_is_nothing(&entry->usage)) {
      forget_usage(entry);
    }
  }
  return ROW_TAKE;
}

/* ---- OpenRouter: a call's time is UTC (its id says it too). Cached tokens are inside the prompt's, reasoning inside the completion's. */

COLUMNS(openrouter_columns, {"generation_id", AS_TEXT, TO(key)},
        {"generation_id", AS_TEXT, TO(request_id)}, {"created_at", AS_TIME, TO(ts)},
        {"cost_total", AS_USD, TO(usage.reported_nusd)}, {"byok_usage_inference", AS_NOTHING, 0},
        {"is_byok", AS_NOTHING, 0}, {"tokens_prompt", AS_COUNT, UNIT_INPUT},
        {"tokens_cached", AS_COUNT, UNIT_CACHE_READ}, {"tokens_completion", AS_COUNT, UNIT_OUTPUT},
        {"tokens_reasoning", AS_COUNT, UNIT_REASONING}, {"model_permaslug", AS_TEXT, TO(model)},
        {"variant", AS_NOTHING, 0}, {"cancelled", AS_NOTHING, 0}, {"user", AS_TEXT, TO(user)},
        {"finish_reason_normalized", AS_TEXT, TO(finish_reason)},
        {"generation_time_ms", AS_HINT, TO(latency_ms)}, {"app_name", AS_TEXT, TO(tag)});

/* The API's tokens are OpenRouter's own count, beside the provider's, which are billed. */
COLUMNS(openrouter_json_columns, {"id", AS_TEXT, TO(key)}, {"id", AS_TEXT, TO(request_id)},
        {"generation_id", AS_TEXT, TO(key)}, {"created_at", AS_TIME, TO(ts)},
        {"total_cost", AS_USD, TO(usage.reported_nusd)}, {"cost", AS_USD, TO(usage.reported_nusd)},
        {"upstream_inference_cost", AS_NOTHING, 0},
        {"cost_details.upstream_inference_cost", AS_NOTHING, 0}, {"is_byok", AS_NOTHING, 0},
        {"tokens_prompt", AS_COUNT, UNIT_INPUT}, {"native_tokens_prompt", AS_COUNT, UNIT_INPUT},
        {"native_tokens_cached", AS_COUNT, UNIT_CACHE_READ},
        {"tokens_completion", AS_COUNT, UNIT_OUTPUT},
        {"native_tokens_completion", AS_COUNT, UNIT_OUTPUT},
        {"native_tokens_reasoning", AS_COUNT, UNIT_REASONING},
        {"model_permaslug", AS_TEXT, TO(model)}, {"model", AS_TEXT, TO(model)},
        {"variant", AS_NOTHING, 0}, {"cancelled", AS_NOTHING, 0},
        {"external_user", AS_TEXT, TO(user)}, {"finish_reason", AS_TEXT, TO(finish_reason)},
        {"generation_time", AS_HINT, TO(latency_ms)}, {"app_name", AS_TEXT, TO(tag)});

/* With an own key the provider's cost stands beside OpenRouter's: both are the call's. Without one some rows repeat it, and
** then it is in the cost already; the CSV of generations has 0 there. */
static void add_own_key(Row *row, LogEntry *entry, Err *err) {
  const char *is_byok = row_text(row, "is_byok");
  int may = row->is_json ? is_text(is_byok, "true") : !is_byok || !is_text(is_byok, "false");
  long long beside, *cost = &entry->usage.reported_nusd;
  const char *column = !row->is_json ? "byok_usage_inference"
                       : row_text(row, "upstream_inference_cost")
                           ? "upstream_inference_cost"
                           : "cost_details.upstream_inference_cost";
  if (may && read_money(row, column, &beside, err) && beside > 0) {
    *cost = (*cost > 0 ? *cost : 0) + (beside < LIMIT_COUNT ? beside : LIMIT_COUNT);
    usage_set_service(&entry->usage, "byok");
  }
}

Finish finish_openrouter(Row *row, LogEntry *entry, Err *err) {
  const char *variant = row_text(row, "variant"), *model = entry->model;
  add_own_key(row, entry, err);
  if (variant && model && strcmp(variant, "standard") != 0 && !strchr(model, ':')) {
    char name[2 * TEXT_MOST + 2]; /* a variant (":free") has prices of its own */
    int n = snprintf(name, sizeof name, "%s:%s", model, variant);
    entry->model = text_keep(&row->reader->texts, name, (size_t)n);
  }
  if (is_text(row_text(row, "cancelled"), "true") && !entry->finish_reason) {
    entry->finish_reason = "cancelled";
  }
  return ROW_TAKE;
}
