/*
** Usage logs: a file's first bytes are recognised, and the whole is read as a format, cut by its shape. The first byte chooses
** the format (the one that was recognised, or any), the second where the reading is taken up anew from its state.
**
** Holds: errors have a reason; texts are UTF-8; an entry has a time, a sum a period; no count is negative, and no part of an input more than
** it; what may be skipped gives nothing; and what is read on from a state is what is read at once.
*/
#include "fuzz.h"

#include "core/logs/format.h"
#include "core/logs/scan.h"

#include <limits.h>

/* What was taken so far, as a sum that tells other entries apart. */
typedef struct Taken {
  unsigned long long sum;
  int n;
} Taken;

static void check_text(Taken *t, const char *text) {
  if (text) {
    require(is_utf8(text) && text[0]);
    for (; *text; text++) {
      t->sum = t->sum * 31 + (unsigned char)*text;
    }
  }
}

static void check_usage(Taken *t, const LogEntry *e) {
  const Usage *u = &e->usage;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    long long count = usage_get(u, unit);
    require(u->has & UNIT_BIT(unit) ? count >= 0 : count == USAGE_UNKNOWN);
    t->sum = t->sum * 31 + (unsigned long long)count;
  }
  require(!(u->has & UNIT_BIT(UNIT_INPUT)) ||
          u->n[UNIT_CACHE_READ] + u->n[UNIT_CACHE_WRITE] <= u->n[UNIT_INPUT]);
  require(u->reported_nusd >= USAGE_UNKNOWN && is_utf8(u->service) && is_utf8(u->geo));
}

static void take(void *arg, const LogEntry *e, Err *err) {
  Taken *t = arg;
  require(err->rc == RC_OK && e->ts != LLONG_MIN && (e->what == LOG_CALL || e->to > e->ts));
  const char *const texts[] = {
      e->key,  e->part,    e->group,        e->provider, e->model,         e->model_requested,
      e->tag,  e->user,    e->conversation, e->error,    e->finish_reason, e->request_id,
      e->item, e->project, e->api_key,      e->unit};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_text(t, texts[i]);
  }
  check_usage(t, e);
  t->sum = t->sum * 31 + (unsigned long long)e->ts + (unsigned)e->is_copy;
  t->n++;
}

static LogReader *open_reader(const LogFormat *format, const char *state) {
  static const char map_text[] = "{\"ts\":\"ts\",\"model\":\"m\",\"input_tokens\":\"in\","
                                 "\"cost_usd\":\"usd\",\"error\":\"e\"}";
  Err err = {0};
  cJSON *map = format == log_format("csv") ? fuzz_json(map_text, strlen(map_text)) : NULL;
  LogReader *reader = log_reader_new(format, "/a/projects/-b-c/d.jsonl", state, map, &err);
  require(reader && err.rc == RC_OK);
  cJSON_Delete(map);
  return reader;
}

static void read_one(LogReader *reader, const char *at, size_t n, Taken *t) {
  char *record = fuzz_copy(at, n);
  Taken before = *t;
  Err err = {0};
  int may_skip = log_reader_may_skip(reader, record, n);
  int rc = log_reader_read(reader, record, n, take, t, &err);
  require(rc == err.rc && (rc == RC_OK || rc == RC_ERROR || rc == RC_MISMATCH));
  require(!may_skip || before.n == t->n);
  check_err(&err);
  free(record);
}

static size_t record_length(const char *p, size_t n, int is_csv) {
  int in_quotes = 0;
  size_t i = 0;
  for (; i < n && (in_quotes || p[i] != '\n'); i++) {
    in_quotes ^= is_csv && p[i] == '"';
  }
  return i;
}

/* Lines and rows; at record `turn` the reader is another one, with the state of the first. */
static void read_records(const LogFormat *format, const char *text, size_t n, int turn, Taken *t) {
  int is_csv = log_format_shape(format) == LOG_CSV, count = 0;
  LogReader *reader = open_reader(format, NULL);
  for (size_t at = 0; at < n; count++) {
    size_t length = record_length(text + at, n - at, is_csv);
    Err err = {0};
    if (is_csv && count == 0) {
      log_reader_header(reader, text + at, length, &err);
      check_err(&err);
      turn = -1;
    } else {
      read_one(reader, text + at, length, t);
    }
    if (count == turn) {
      char *state = log_reader_state(reader, &err);
      require(state && is_utf8(state));
      log_reader_free(reader);
      reader = open_reader(format, state);
      free(state);
    }
    at += length + 1;
  }
  log_reader_free(reader);
}

static void read_elements(const LogFormat *format, const char *text, size_t n, Taken *t) {
  LogReader *reader = open_reader(format, NULL);
  Scan s = scan_of((Span){text, n});
  for (scan_array(&s); scan_element(&s);) {
    Span element = scan_take(&s);
    if (element.n) {
      read_one(reader, element.at, element.n, t);
    }
  }
  log_reader_free(reader);
}

static void read_file(const LogFormat *format, const char *text, size_t n, int turn, Taken *t) {
  LogShape shape = log_format_shape(format);
  if (shape == LOG_ELEMENTS) {
    read_elements(format, text, n, t);
  } else if (shape == LOG_DOCUMENT) {
    LogReader *reader = open_reader(format, NULL);
    read_one(reader, text, n, t);
    log_reader_free(reader);
  } else {
    read_records(format, text, n, turn, t);
  }
}

/* The format of a number (new ones at the end: the corpus has them), or NULL. */
static const LogFormat *some_format(unsigned pick) {
  static const char *const names[] = {"csv",
                                      "llm_logs",
                                      "llmcost",
                                      "otel",
                                      "otel_json",
                                      "claude_code",
                                      "codex",
                                      "litellm",
                                      "litellm_csv",
                                      "litellm_json",
                                      "langfuse",
                                      "langfuse_csv",
                                      "helicone",
                                      "openrouter",
                                      "openrouter_json",
                                      "openai_costs",
                                      "openai_usage",
                                      "openai_cost_csv",
                                      "anthropic_cost",
                                      "anthropic_usage",
                                      "openai_usage_csv",
                                      "anthropic_usage_csv",
                                      "anthropic_cost_csv",
                                      "openrouter_activity",
                                      "openrouter_activity_csv"};
  return pick < sizeof names / sizeof names[0] ? log_format(names[pick]) : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  unsigned pick = take_byte(&in), turn = take_byte(&in);
  size_t n;
  char *text = take_rest(&in, &n);
  Err err = {0};
  const LogFormat *format = log_recognise(text, n, (int)(pick >> 7), &err);
  require(!format || err.rc == RC_OK);
  check_err(&err);
  const LogFormat *other = some_format(pick & 63);
  format = other ? other : format;
  if (format) {
    Taken whole = {0}, parts = {0};
    read_file(format, text, n, -1, &whole);
    read_file(format, text, n, (int)(turn % 8), &parts);
    require(whole.n == parts.n && whole.sum == parts.sum);
  }
  free(text);
  return 0;
}
