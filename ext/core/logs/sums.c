/*
** Reports that say sums: OpenAI's and Anthropic's, of money and of usage, as their APIs answer and as their consoles export
** them; and OpenRouter's activity.
**
** A report's rows are no calls, and two of them may say the same in two ways: money and tokens come from different ones,
** so that in rows of money the tokens are a quantity, never counts. What a row is about is told in words of each seller's
** own ("cached input", "input_cached_tokens", "cache_read_input_tokens"): `phrases` says which are ours.
**
** Sources: openai 7.59.0 (resources/admin/organization/usage.d.ts), platform.claude.com/docs/en/api/admin (usage_report,
** cost_report), exports of both consoles, @openrouter/sdk 1.3.19 (activityitem.d.ts).
*/
#include "core/logs/format_internal.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- words */

/* Words of a kind of tokens, in lower case and blanks between them, without "token" and "tokens"; and our unit. */
static const struct {
  const char *words, *unit;
} phrases[] = {{"input", "input"},
               {"uncached input", "input"},
               {"input uncached", "input"},
               {"input no cache", "input"},
               {"prompt", "input"},
               {"cached input", "cache_read"},
               {"input cached", "cache_read"},
               {"cache read", "cache_read"},
               {"cache reads", "cache_read"},
               {"cache read input", "cache_read"},
               {"input cache read", "cache_read"},
               {"cache hit", "cache_read"},
               {"cache hits", "cache_read"},
               {"prompt caching read", "cache_read"},
               {"cache write", "cache_write"},
               {"cache writes", "cache_write"},
               {"cache writes 30m", "cache_write"},
               {"cache writes 30min", "cache_write"},
               {"input cache write", "cache_write"},
               {"input cache write 30m", "cache_write"},
               {"cache write 5m", "cache_write"},
               {"input cache write 5m", "cache_write"},
               {"cache creation", "cache_write"},
               {"cache creation input", "cache_write"},
               {"cache creation ephemeral 5m input", "cache_write"},
               {"ephemeral 5m input", "cache_write"},
               {"prompt caching write", "cache_write"},
               {"cache writes 12h", "cache_write_1h"},
               {"cache writes 12hr", "cache_write_1h"},
               {"cache writes 1h", "cache_write_1h"},
               {"cache writes 1hr", "cache_write_1h"},
               {"input cache write 12h", "cache_write_1h"},
               {"cache write 1h", "cache_write_1h"},
               {"input cache write 1h", "cache_write_1h"},
               {"cache creation ephemeral 1h input", "cache_write_1h"},
               {"ephemeral 1h input", "cache_write_1h"},
               {"output", "output"},
               {"completion", "output"}};

enum { WORDS = 80 };

/* The words of a text in lower case, with one blank between them; what parts them may be '_', '-', '.' or '/'. Words that say nothing here
** are left out. */
static void plain_words(const char *text, char out[WORDS]) {
  size_t n = 0;
  while (*text && n + 2 < WORDS) {
    size_t gap = strspn(text, " _-./"), length = strcspn(text + gap, " _-./");
    text += gap;
    int says_nothing = (length == 5 && strncasecmp(text, "token", 5) == 0) ||
                       (length == 6 && strncasecmp(text, "tokens", 6) == 0);
    if (length && !says_nothing) {
      if (n > 0) {
        out[n++] = ' ';
      }
      for (size_t i = 0; i < length && n + 2 < WORDS; i++) {
        out[n++] = (char)tolower((unsigned char)text[i]);
      }
    }
    text += length;
  }
  out[n] = 0;
}

/* Our word for a kind of tokens; or the seller's own. NULL stays. */
static const char *unit_of(const char *text) {
  char words[WORDS];
  plain_words(text ? text : "", words);
  for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
    if (strcmp(words, phrases[i].words) == 0) {
      return phrases[i].unit;
    }
  }
  return text;
}

static int is_usd(const char *currency) {
  return !currency || strcasecmp(currency, "usd") == 0;
}

/* Money in another currency can't be added to the rest. */
static Finish check_currency(Row *row, const char *column, Err *err) {
  if (!is_usd(row_text(row, column))) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s: expected usd: other currencies are not converted",
            column);
  }
  return ROW_TAKE;
}

/* ---- OpenAI */

/* (user_email is not there: it is nobody's business.) */
#define OPENAI_COST                                                                                \
  {"line_item", AS_NOTHING, 0}, {"quantity", AS_QUANTITY, 0},                                      \
      {"quantity_unit", AS_TEXT, TO(unit)}, {"project_id", AS_TEXT, TO(project)},                  \
      {"api_key_id", AS_TEXT, TO(api_key)}, {                                                      \
    "user_id", AS_TEXT, TO(user)                                                                   \
  }
COLUMNS(openai_cost_columns, {"amount.value", AS_USD, TO(amount_nusd)},
        {"amount.currency", AS_NOTHING, 0}, OPENAI_COST);
COLUMNS(openai_cost_csv_columns, {"start_time", AS_TIME, TO(ts)},
        {"start_time_iso", AS_TIME, TO(ts)}, {"end_time", AS_TIME, TO(to)},
        {"end_time_iso", AS_TIME, TO(to)}, {"amount_value", AS_USD, TO(amount_nusd)},
        {"amount_currency", AS_NOTHING, 0}, OPENAI_COST);

/* What a model's name has behind it in a line item: "gpt-4o-mini-2024-07-18 batch". */
static void take_service_word(Row *row, LogEntry *entry, const char *model, size_t n) {
  static const char *const services[] = {"batch", "flex", "priority"};
  for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
    size_t length = strlen(services[i]);
    if (n > length + 1 && model[n - length - 1] == ' ' &&
        strncasecmp(model + n - length, services[i], length) == 0) {
      usage_set_service(&entry->usage, services[i]);
      n -= length + 1;
      break;
    }
  }
  entry->model = text_keep(&row->reader->texts, model, n);
}

/* "model, kind", of which the kind is spelled in two ways; or what else is sold, in a sentence. */
static void take_line_item(Row *row, LogEntry *entry) {
  const char *item = row_text(row, "line_item"), *comma = item ? strstr(item, ", ") : NULL;
  entry->item = item;
  for (const char *next = comma; next; next = strstr(next + 2, ", ")) {
    comma = next;
  }
  if (comma) {
    const char *kind = comma + 2;
    size_t n = (size_t)(comma - item), first = strcspn(item, " "),
           sign = strcspn(item, "-0123456789");
    if ((first >= n && sign < n) || unit_of(kind) != kind) { /* (a model's name, no sentence) */
      take_service_word(row, entry, item, n);
      entry->item = unit_of(kind);
    }
  }
}

Finish finish_openai_cost(Row *row, LogEntry *entry, Err *err) {
  if (entry->amount_nusd == LOG_UNKNOWN) {
    return ROW_EMPTY; /* an empty day */
  }
  take_line_item(row, entry);
  if (entry->unit && strcmp(entry->unit, "1000_tokens") == 0) {
    entry->quantity *= 1000;
    entry->unit = "tokens";
  }
  return check_currency(row, row->is_json ? "amount.currency" : "amount_currency", err);
}

/* All input in input_tokens; of other things than completions (images, seconds, …) a quantity. The times of an export stand in
** its rows, of an answer in the bucket around them. */
COLUMNS(openai_usage_columns, {"start_time", AS_TIME, TO(ts)}, {"start_time_iso", AS_TIME, TO(ts)},
        {"end_time", AS_TIME, TO(to)}, {"end_time_iso", AS_TIME, TO(to)},
        {"input_tokens", AS_COUNT, UNIT_INPUT}, {"input_cached_tokens", AS_COUNT, UNIT_CACHE_READ},
        {"input_cache_write_tokens", AS_COUNT, UNIT_CACHE_WRITE},
        {"input_cache_write_12h_tokens", AS_COUNT, UNIT_CACHE_WRITE_1H},
        {"input_audio_tokens", AS_COUNT, UNIT_INPUT_AUDIO},
        {"output_tokens", AS_COUNT, UNIT_OUTPUT},
        {"output_audio_tokens", AS_COUNT, UNIT_OUTPUT_AUDIO},
        {"num_model_requests", AS_NUMBER, TO(requests)}, {"model", AS_TEXT, TO(model)},
        {"batch", AS_NOTHING, 0}, {"service_tier", AS_SERVICE, 0},
        {"project_id", AS_TEXT, TO(project)}, {"api_key_id", AS_TEXT, TO(api_key)},
        {"user_id", AS_TEXT, TO(user)}, {"object", AS_NOTHING, 0}, {"images", AS_NOTHING, 0},
        {"seconds", AS_NOTHING, 0}, {"characters", AS_NOTHING, 0}, {"num_sessions", AS_NOTHING, 0},
        {"usage_bytes", AS_NOTHING, 0});

/* A part that is 0 says nothing that the whole doesn't. */
static void drop_zero(Usage *u, Unit unit) {
  u->has &= usage_get(u, unit) == 0 ? ~UNIT_BIT(unit) : ~(UnitSet)0;
}

static void take_things(Row *row, LogEntry *entry) {
  static const char *const things[] = {"images", "seconds", "characters", "num_sessions",
                                       "usage_bytes"};
  for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
    long long count;
    const char *text = row_text(row, things[i]);
    if (text && number_count(text, LIMIT_COUNT, &count)) {
      entry->quantity = (double)count;
      entry->unit = strncmp(things[i], "num_", 4) == 0 ? things[i] + 4 : things[i];
    }
  }
}

Finish finish_openai_usage(Row *row, LogEntry *entry, Err *err) {
  static const char prefix[] = "organization.usage.", suffix[] = ".result";
  (void)err;
  const char *object = row_text(row, "object"), *batch = row_text(row, "batch");
  take_things(row, entry);
  drop_zero(&entry->usage, UNIT_INPUT_AUDIO);
  drop_zero(&entry->usage, UNIT_OUTPUT_AUDIO);
  if (!entry->usage.has && !entry->unit && entry->requests == LOG_UNKNOWN) {
    return ROW_EMPTY;
  }
  if (batch && strcasecmp(batch, "true") == 0) {
    usage_set_service(&entry->usage, "batch");
  }
  if (object && strncmp(object, prefix, sizeof prefix - 1) == 0 &&
      strcmp(object, "organization.usage.completions.result") != 0) {
    size_t n = strlen(object) - (sizeof prefix - 1), end = sizeof suffix - 1;
    entry->item = text_keep(&row->reader->texts, object + sizeof prefix - 1, n > end ? n - end : n);
  }
  return ROW_TAKE;
}

/* ---- Anthropic */

/* The parts of the input stand beside each other. No key is the Console's, no workspace the default one. */
COLUMNS(anthropic_usage_columns, {"uncached_input_tokens", AS_BESIDE, UNIT_INPUT},
        {"cache_read_input_tokens", AS_BESIDE, UNIT_CACHE_READ},
        {"cache_creation.ephemeral_5m_input_tokens", AS_BESIDE, UNIT_CACHE_WRITE_5M},
        {"cache_creation.ephemeral_1h_input_tokens", AS_BESIDE, UNIT_CACHE_WRITE_1H},
        {"output_tokens", AS_COUNT, UNIT_OUTPUT},
        {"server_tool_use.web_search_requests", AS_COUNT, UNIT_WEB_SEARCH},
        {"requests", AS_NUMBER, TO(requests)}, {"model", AS_TEXT, TO(model)},
        {"service_tier", AS_SERVICE, 0}, {"speed", AS_NOTHING, 0}, {"inference_geo", AS_GEO, 0},
        {"api_key_id", AS_TEXT, TO(api_key)}, {"workspace_id", AS_TEXT, TO(project)});

COLUMNS(anthropic_usage_csv_columns, {"usage_date_utc", AS_DAY, TO(ts)},
        {"usage_input_tokens_no_cache", AS_BESIDE, UNIT_INPUT},
        {"usage_input_tokens_cache_read", AS_BESIDE, UNIT_CACHE_READ},
        {"usage_input_tokens_cache_write", AS_BESIDE, UNIT_CACHE_WRITE},
        {"usage_input_tokens_cache_write_5m", AS_BESIDE, UNIT_CACHE_WRITE_5M},
        {"usage_input_tokens_cache_write_1h", AS_BESIDE, UNIT_CACHE_WRITE_1H},
        {"usage_output_tokens", AS_COUNT, UNIT_OUTPUT},
        {"web_search_count", AS_COUNT, UNIT_WEB_SEARCH}, {"model_version", AS_TEXT, TO(model)},
        {"model", AS_TEXT, TO(model)}, {"usage_type", AS_NOTHING, 0}, {"speed", AS_NOTHING, 0},
        {"inference_geo", AS_GEO, 0}, {"api_key_id", AS_TEXT, TO(api_key)},
        {"api_key", AS_TEXT, TO(api_key)}, {"workspace", AS_TEXT, TO(project)});

/* "Claude Haiku 4.5", as the Console writes it, by the name that the API has for it. (Up to version 3 the number stands in front:
** claude-3-5-haiku.) */
static const char *model_of_display(Texts *texts, const char *model) {
  char family[32], version[16], name[64];
  int used = 0;
  if (!model || !strchr(model, ' ')) {
    return model;
  }
  if (sscanf(model, "Claude %31[A-Za-z] %15[0-9.]%n", family, version, &used) == 2 && used &&
      !model[used]) {
    snprintf(name, sizeof name, version[0] <= '3' ? "claude-%2$s-%1$s" : "claude-%1$s-%2$s", family,
             version);
  } else {
    snprintf(name, sizeof name, "%s", model);
  }
  for (char *p = name; *p; p++) {
    *p = *p == ' ' || *p == '.' ? '-' : (char)tolower((unsigned char)*p);
  }
  return text_keep(texts, name, strlen(name));
}

/* What was sold: a tier's word ("message" says none), and the fast mode, which has prices of its own. */
static void take_tier(Row *row, LogEntry *entry) {
  const char *type = row_text(row, "usage_type"), *speed = row_text(row, "speed");
  if (type && strcmp(type, "message") != 0) {
    usage_set_service(&entry->usage, type);
  }
  if (speed && strcmp(speed, "fast") == 0) {
    usage_set_service(&entry->usage, "fast");
  }
}

Finish finish_anthropic_usage(Row *row, LogEntry *entry, Err *err) {
  (void)err;
  drop_zero(&entry->usage, UNIT_WEB_SEARCH);
  take_tier(row, entry);
  entry->model = model_of_display(&row->reader->texts, entry->model);
  return entry->usage.has ? ROW_TAKE : ROW_EMPTY;
}

/* `amount` is in cents, also in the reports with a discount, which have list_amount too. */
COLUMNS(anthropic_cost_columns, {"amount", AS_CENTS, TO(amount_nusd)},
        {"list_amount", AS_CENTS, TO(list_nusd)}, {"currency", AS_NOTHING, 0},
        {"description", AS_NOTHING, 0}, {"cost_type", AS_NOTHING, 0}, {"token_type", AS_NOTHING, 0},
        {"model", AS_TEXT, TO(model)}, {"service_tier", AS_SERVICE, 0}, {"speed", AS_NOTHING, 0},
        {"inference_geo", AS_GEO, 0}, {"workspace_id", AS_TEXT, TO(project)},
        {"api_key_id", AS_TEXT, TO(api_key)});

/* Dollars, rounded to cents in each row: their sum drifts from the invoice's. */
COLUMNS(anthropic_cost_csv_columns, {"usage_date_utc", AS_DAY, TO(ts)},
        {"cost_usd", AS_USD, TO(amount_nusd)}, {"list_price_usd", AS_USD, TO(list_nusd)},
        {"token_type", AS_NOTHING, 0}, {"cost_type", AS_NOTHING, 0}, {"model", AS_TEXT, TO(model)},
        {"usage_type", AS_NOTHING, 0}, {"speed", AS_NOTHING, 0}, {"inference_geo", AS_GEO, 0},
        {"api_key_id", AS_TEXT, TO(api_key)}, {"api_key", AS_TEXT, TO(api_key)},
        {"workspace", AS_TEXT, TO(project)});

Finish finish_anthropic_cost(Row *row, LogEntry *entry, Err *err) {
  const char *tokens = row_text(row, "token_type"), *cost = row_text(row, "cost_type"),
             *words = row_text(row, "description");
  if (entry->amount_nusd == LOG_UNKNOWN) {
    return ROW_EMPTY;
  }
  take_tier(row, entry);
  entry->item = tokens ? unit_of(tokens) : cost ? cost : words;
  entry->model = model_of_display(&row->reader->texts, entry->model);
  return check_currency(row, "currency", err);
}

/* ---- OpenRouter's activity */

COLUMNS(activity_columns, {"date", AS_DAY, TO(ts)}, {"model_permaslug", AS_TEXT, TO(model)},
        {"model", AS_TEXT, TO(model)}, {"usage", AS_USD, TO(amount_nusd)},
        {"byok_usage_inference", AS_NOTHING, 0}, {"requests", AS_NUMBER, TO(requests)},
        {"prompt_tokens", AS_COUNT, UNIT_INPUT}, {"completion_tokens", AS_COUNT, UNIT_OUTPUT},
        {"reasoning_tokens", AS_COUNT, UNIT_REASONING}, {"workspace_id", AS_TEXT, TO(project)});

COLUMNS(activity_csv_columns, {"Date", AS_DAY, TO(ts)}, {"Slug", AS_TEXT, TO(model)},
        {"Usage", AS_USD, TO(amount_nusd)}, {"BYOK Usage", AS_NOTHING, 0},
        {"Requests", AS_NUMBER, TO(requests)}, {"Prompt Tokens", AS_COUNT, UNIT_INPUT},
        {"Completion Tokens", AS_COUNT, UNIT_OUTPUT},
        {"Reasoning Tokens", AS_COUNT, UNIT_REASONING});

/* What an own key paid to the provider stands beside what OpenRouter took: a sum of its own, without the tokens, which the
** first has. */
Finish finish_activity(Row *row, LogEntry *entry, Err *err) {
  const char *byok = row_text(row, row->is_json ? "byok_usage_inference" : "BYOK Usage");
  long long nusd = 0;
  if (byok && !number_money(byok, 9, 1, &nusd)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "the own key's usage: expected an amount of money");
    return ROW_EMPTY;
  }
  if (row->pass == 0) {
    return nusd != 0 ? ROW_TAKE_AND_ASK_AGAIN : ROW_TAKE;
  }
  entry->amount_nusd = nusd;
  entry->item = "byok";
  entry->requests = LOG_UNKNOWN;
  entry->usage.has = 0;
  usage_set_service(&entry->usage, "byok");
  return ROW_TAKE;
}

/* ---- pages of an API: {data: [{start, end, results: […]}]}, a list of them, one behind the other, or the results alone */

enum { IN_DATA, IN_RESULTS, IN_START, IN_END, IN_STARTING, IN_ENDING, IN_ALL };

static const Pick page_picks[] = {PICK("data", IN_DATA, NULL),
                                  PICK("results", IN_RESULTS, NULL),
                                  PICK("start_time", IN_START, NULL),
                                  PICK("end_time", IN_END, NULL),
                                  PICK("starting_at", IN_STARTING, NULL),
                                  PICK("ending_at", IN_ENDING, NULL),
                                  PICKS_END};

typedef struct Pages {
  LogReader *reader;
  const Sink *sink;
  long long from, to;
  Err *kept; /* the first of the results' errors: the others are read all the same */
  Err *err;  /* what ends it all */
} Pages;

static void take_bound(Pages *p, Span json, long long *ms) {
  TimeForm form;
  const char *text = text_of(&p->reader->texts, json);
  if (text && !time_read(text, ms, &form)) {
    *ms = LLONG_MIN;
  }
}

static void take_result(Pages *p, Span object) {
  Err why = {0};
  Row row;
  p->reader->texts.used = 0;
  if (row_of_json(p->reader, object, &row, &why) == RC_OK) {
    row.from = p->from;
    row.to = p->to;
    row_give(&row, p->sink, &why);
  }
  if (why.rc == RC_ERROR) {
    err_keep(p->kept, &why);
  } else {
    err_keep(p->err, &why);
  }
}

static void walk_page(Pages *p, Span value, int depth);

static void walk_list(Pages *p, Span list, int depth) {
  Scan s = scan_of(list);
  for (scan_array(&s); scan_element(&s) && p->err->rc == RC_OK;) {
    walk_page(p, scan_take(&s), depth + 1);
  }
}

/* (Lists stand in pages, buckets in lists, results in buckets: deeper is nothing.) */
static void walk_page(Pages *p, Span value, int depth) {
  Span in[IN_ALL] = {0};
  if (value.n == 0 || depth > 8) {
    return;
  } else if (value.at[0] == '[') {
    walk_list(p, value, depth);
    return;
  }
  Scan s = scan_of(value);
  scan_pick(&s, page_picks, in);
  if (in[IN_DATA].n) {
    walk_page(p, in[IN_DATA], depth + 1);
  } else if (in[IN_RESULTS].n) {
    p->from = p->to = LLONG_MIN;
    p->reader->texts.used = 0;
    take_bound(p, in[in[IN_START].n ? IN_START : IN_STARTING], &p->from);
    take_bound(p, in[in[IN_END].n ? IN_END : IN_ENDING], &p->to);
    walk_list(p, in[IN_RESULTS], depth);
  } else {
    take_result(p, value);
  }
}

int read_pages(LogReader *reader, Span record, const Sink *sink, Err *err) {
  Err kept = {0};
  Pages pages = {reader, sink, LLONG_MIN, LLONG_MIN, &kept, err};
  Scan s = scan_of(record);
  do {
    walk_page(&pages, scan_take(&s), 0);
  } while (err->rc == RC_OK && s.at && !span_is_blank((Span){s.at, (size_t)(s.end - s.at)}));
  if (!s.at) {
    err_torn(&s, record, &kept);
  }
  err_keep(err, &kept);
  return err->rc;
}
