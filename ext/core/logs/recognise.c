/*
** Which format a file is of, by its first bytes.
**
** CSVs by their header; lines and elements by the members of the first of them that tell (an agent's file may begin with
** lines of other kinds, or with a torn one); documents by names that stand in them. See format.h for the contract.
*/
#include "core/logs/format_internal.h"

#include <string.h>

/* Names of an object's own members, as far as the bytes go. */
enum { MEMBERS_MOST = 64 };

typedef struct Members {
  Span keys[MEMBERS_MOST];
  int n;
} Members;

static void read_members(Span text, Members *m) {
  Scan s = scan_of(text);
  Span key;
  m->n = 0;
  if (scan_object(&s)) {
    while (m->n < MEMBERS_MOST && scan_member(&s, &key)) {
      m->keys[m->n++] = key;
      scan_take(&s); /* (a file's first bytes may end in it) */
    }
  }
}

static int has_all(const Members *m, const char *const *names) {
  for (; *names; names++) {
    int found = 0;
    for (int i = 0; i < m->n && !found; i++) {
      found = span_is(m->keys[i], *names);
    }
    if (!found) {
      return 0;
    }
  }
  return 1;
}

/* ---- lines and elements */

#define SIGNS_MOST 6

/* Members that tell a format, in lines (elements: of an array). Of several that fit the first counts. */
static const struct {
  const char *format;
  LogShape shape;
  const char *has[SIGNS_MOST];
} members[] = {
    {"llmcost", LOG_LINES, {"request_id", "attempt", "ts", "kind"}},
    {"litellm_jsonl", LOG_LINES, {"request_id", "call_type", "spend", "startTime"}},
    {"litellm", LOG_ELEMENTS, {"request_id", "call_type", "spend", "startTime"}},
    {"langfuse", LOG_LINES, {"id", "trace_id", "type", "start_time", "usage_details"}},
    {"langfuse_json", LOG_ELEMENTS, {"id", "trace_id", "type", "start_time", "usage_details"}},
    {"langfuse", LOG_LINES, {"id", "trace_id", "type", "start_time", "provided_model_name"}},
    {"langfuse_json",
     LOG_ELEMENTS,
     {"id", "trace_id", "type", "start_time", "provided_model_name"}},
    {"otel", LOG_LINES, {"resourceSpans"}},
    {"otel", LOG_LINES, {"resource_spans"}},
    {"otel", LOG_LINES, {"traceId", "spanId", "attributes"}},
    {"otel_json", LOG_ELEMENTS, {"resourceSpans"}},
    {"otel_json", LOG_ELEMENTS, {"traceId", "spanId", "attributes"}},
    {"codex", LOG_LINES, {"timestamp", "type", "payload"}},
    {"codex", LOG_LINES, {"id", "timestamp", "instructions"}},
    {"claude_code", LOG_LINES, {"type", "sessionId", "uuid"}},
    {"claude_code", LOG_LINES, {"type", "sessionId", "timestamp"}},
    {"claude_code", LOG_LINES, {"type", "sessionId", "message"}},
    {"claude_code", LOG_LINES, {"type", "messageId", "snapshot"}},
    {"claude_code", LOG_LINES, {"type", "summary", "leafUuid"}},
    {"claude_code", LOG_LINES, {"type", "customTitle", "sessionId"}},
    {"claude_code", LOG_LINES, {"message", "timestamp", "sessionId"}},
    {"claude_code", LOG_LINES, {"message", "timestamp", "requestId"}},
    {"claude_code", LOG_LINES, {"message", "timestamp", "costUSD"}},
    {"claude_code", LOG_LINES, {"type", "sessionId"}},
    {"openrouter_json", LOG_LINES, {"id", "created_at", "total_cost", "tokens_prompt"}},
    {"openrouter_json", LOG_LINES, {"id", "created_at", "cost", "is_byok"}}};

static const LogFormat *format_of_members(const Members *m, LogShape shape) {
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    if (members[i].shape == shape && has_all(m, members[i].has)) {
      return log_format(members[i].format);
    }
  }
  return NULL;
}

/* LiteLLM's own default is a sum by day. */
static int is_summarized(const Members *m) {
  static const char *const sums[] = {"startTime", "spend", "models", NULL};
  static const char *const calls[] = {"request_id", NULL};
  return has_all(m, sums) && !has_all(m, calls);
}

static const LogFormat *look_at(Span object, LogShape shape, Err *err) {
  Members m;
  Span data;
  read_members(object, &m);
  if (m.n == 1 && span_is(m.keys[0], "data") && (data = scan_find(object, "data")).n &&
      data.at[0] == '{') { /* (as an API answers that is asked for one) */
    read_members(data, &m);
  }
  const LogFormat *found = format_of_members(&m, shape);
  if (!found && is_summarized(&m)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "LiteLLM's spend logs by day hold sums, no calls: ask /spend/logs for summarize=false");
  }
  return found;
}

/* Lines that are looked at: a file may begin with hooks, snapshots and summaries. */
enum { LINES_MOST = 200 };

static const LogFormat *format_of_lines(Span text, Err *err) {
  const char *end = text.at + text.n;
  for (int i = 0; i < LINES_MOST && text.at < end && err->rc == RC_OK; i++) {
    const char *newline = memchr(text.at, '\n', (size_t)(end - text.at));
    Span line = {text.at, (size_t)((newline ? newline : end) - text.at)};
    const LogFormat *found = look_at(line, LOG_LINES, err);
    if (found) {
      return found;
    }
    text.at = newline ? newline + 1 : end;
  }
  return NULL;
}

/* One object over several lines. */
static const LogFormat *format_of_object(Span text) {
  Members m;
  read_members(text, &m);
  static const char *const spans[] = {"resourceSpans", NULL};
  return has_all(&m, spans) ? log_format("otel_json") : NULL;
}

static const LogFormat *format_of_elements(Span text, Err *err) {
  Scan s = scan_of(text);
  return scan_array(&s) && scan_element(&s)
             ? look_at((Span){s.at, (size_t)(s.end - s.at)}, LOG_ELEMENTS, err)
             : NULL;
}

/* ---- documents */

/* Names that stand in them somewhere; of several that fit the first counts. Of pages without a result only the kind of API
** is known: they hold nothing. */
static const struct {
  const char *format;
  const char *has[SIGNS_MOST];
} documents[] = {{"openai_usage", {"start_time", "results", "num_model_requests"}},
                 {"openai_costs", {"start_time", "results", "amount"}},
                 {"openai_usage", {"start_time", "results", "usage_bytes"}},
                 {"openai_usage", {"start_time", "results", "num_sessions"}},
                 {"anthropic_usage", {"starting_at", "results", "uncached_input_tokens"}},
                 {"anthropic_cost", {"starting_at", "results", "amount"}},
                 {"litellm_json", {"data", "request_id", "call_type", "spend"}},
                 {"openrouter_activity", {"date", "usage", "byok_usage_inference"}},
                 {"openai_costs", {"start_time", "end_time", "results"}},
                 {"anthropic_cost", {"starting_at", "ending_at", "results"}}};

/* 1 if a member of that name stands somewhere. (In a string its quotes have backslashes.) */
static int has_name(Span text, const char *name) {
  const char *end = text.at + text.n;
  size_t n = strlen(name);
  for (const char *p = text.at; (p = memmem(p, (size_t)(end - p), name, n)); p += n) {
    const char *behind = p + n + 1;
    if (p > text.at && p[-1] == '"' && behind < end && p[n] == '"') {
      while (behind < end && (*behind == ' ' || *behind == '\n')) {
        behind++;
      }
      if (behind < end && *behind == ':') {
        return 1;
      }
    }
  }
  return 0;
}

static const LogFormat *format_of_document(Span text) {
  for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
    int n = 0;
    while (documents[i].has[n] && has_name(text, documents[i].has[n])) {
      n++;
    }
    if (!documents[i].has[n]) {
      return log_format(documents[i].format);
    }
  }
  return NULL;
}

/* ---- CSVs */

/* Its names as members. */
static void read_header(Span text, Members *m) {
  CsvRow row = csv_row(text.at, text.n, csv_separator(text.at, text.n));
  int quoted;
  m->n = 0;
  while (m->n < MEMBERS_MOST && csv_next(&row, &m->keys[m->n], &quoted) == 1) {
    m->n++;
  }
}

static const LogFormat *format_of_header(Span text, int whole) {
  const char *newline = memchr(text.at, '\n', text.n);
  Members m;
  if (!newline && !whole) {
    return NULL;
  }
  read_header((Span){text.at, newline ? (size_t)(newline - text.at) : text.n}, &m);
  const LogFormat *format;
  for (int i = 0; (format = log_format_at(i)); i++) {
    if (format->shape == LOG_CSV && format->known_by && has_all(&m, format->known_by)) {
      return format;
    }
  }
  return NULL;
}

/* ---- files */

const LogFormat *log_recognise(const char *head, size_t n, int whole, Err *err) {
  static const char sqlite[] = "SQLite format 3";
  Span text = {head, n};
  if (n > sizeof sqlite && memcmp(head, sqlite, sizeof sqlite) == 0) {
    return log_format("llm_logs");
  }
  if (n >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0) {
    text = (Span){head + 3, n - 3};
  }
  while (text.n && strchr(" \t\r\n", *text.at) && *text.at) {
    text = (Span){text.at + 1, text.n - 1};
  }
  const LogFormat *found = NULL;
  if (text.n && *text.at == '[') {
    found = format_of_elements(text, err);
  } else if (text.n && *text.at != '{') {
    found = format_of_header(text, whole);
  }
  found = found || err->rc != RC_OK ? found : format_of_lines(text, err);
  found = found || err->rc != RC_OK ? found : format_of_object(text);
  return found || err->rc != RC_OK ? found : format_of_document(text);
}
