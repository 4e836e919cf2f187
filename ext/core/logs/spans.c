/*
** OpenTelemetry's spans of generative AI, as OTLP writes them in JSON.
**
** Calls are the spans of inference alone; an agent's or a workflow's repeats what its children used, and counts, as a sum
** of its trace, only where no child is known. The names of attributes have changed (semantic-conventions 1.36 and before;
** semantic-conventions-genai @002c8a6): both are read, the new one first. Integers are texts in OTLP's JSON, times
** nanoseconds. All input is said to be in input_tokens ("SHOULD"): where reads and writes are more, they stand beside it.
*/
#include "core/logs/format_internal.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

typedef enum Attribute {
  A_OPERATION,
  A_PROVIDER,
  A_REQUEST_MODEL,
  A_RESPONSE_MODEL,
  A_RESPONSE_ID,
  A_CONVERSATION,
  A_FINISH,
  A_INPUT,
  A_OUTPUT,
  A_READ,
  A_WRITTEN,
  A_REASONING,
  A_SERVICE,
  A_ERROR,
  A_AGENT,
  A_KIND,
  A_USER,
  A_ALL
} Attribute;

/* Of several names of one the first counts. */
static const struct {
  const char *name;
  Attribute is;
} attributes[] = {{"gen_ai.operation.name", A_OPERATION},
                  {"gen_ai.provider.name", A_PROVIDER},
                  {"gen_ai.system", A_PROVIDER},
                  {"gen_ai.request.model", A_REQUEST_MODEL},
                  {"gen_ai.response.model", A_RESPONSE_MODEL},
                  {"gen_ai.response.id", A_RESPONSE_ID},
                  {"gen_ai.conversation.id", A_CONVERSATION},
                  {"session.id", A_CONVERSATION},
                  {"gen_ai.response.finish_reasons", A_FINISH},
                  {"gen_ai.usage.input_tokens", A_INPUT},
                  {"gen_ai.usage.prompt_tokens", A_INPUT},
                  {"gen_ai.usage.output_tokens", A_OUTPUT},
                  {"gen_ai.usage.completion_tokens", A_OUTPUT},
                  {"gen_ai.usage.cache_read.input_tokens", A_READ},
                  {"gen_ai.usage.cache_read_input_tokens", A_READ},
                  {"gen_ai.usage.cache_read_tokens", A_READ},
                  {"gen_ai.usage.cache_creation.input_tokens", A_WRITTEN},
                  {"gen_ai.usage.cache_creation_input_tokens", A_WRITTEN},
                  {"gen_ai.usage.cache_creation_tokens", A_WRITTEN},
                  {"gen_ai.usage.reasoning.output_tokens", A_REASONING},
                  {"gen_ai.usage.reasoning_tokens", A_REASONING},
                  {"openai.response.service_tier", A_SERVICE},
                  {"gen_ai.openai.response.service_tier", A_SERVICE},
                  {"error.type", A_ERROR},
                  {"gen_ai.agent.name", A_AGENT},
                  {"gen_ai.agent.id", A_AGENT},
                  {"openinference.span.kind", A_KIND},
                  {"traceloop.span.kind", A_KIND},
                  {"enduser.id", A_USER},
                  {"user.id", A_USER}};
enum { NAMES = sizeof attributes / sizeof attributes[0] };

enum { S_TRACE, S_SPAN, S_PARENT, S_NAME, S_FROM, S_TO, S_ATTRIBUTES, S_STATUS, S_ALL };

static const Pick status_picks[] = {PICK("code", S_STATUS, NULL), PICKS_END};
static const Pick span_picks[] = {PICK("traceId", S_TRACE, NULL),
                                  PICK("trace_id", S_TRACE, NULL),
                                  PICK("spanId", S_SPAN, NULL),
                                  PICK("span_id", S_SPAN, NULL),
                                  PICK("parentSpanId", S_PARENT, NULL),
                                  PICK("parent_span_id", S_PARENT, NULL),
                                  PICK("name", S_NAME, NULL),
                                  PICK("startTimeUnixNano", S_FROM, NULL),
                                  PICK("start_time_unix_nano", S_FROM, NULL),
                                  PICK("endTimeUnixNano", S_TO, NULL),
                                  PICK("end_time_unix_nano", S_TO, NULL),
                                  PICK("attributes", S_ATTRIBUTES, NULL),
                                  PICK("status", S_STATUS, status_picks),
                                  PICKS_END};

/* A span as it is read. */
typedef struct Spanning {
  LogReader *reader;
  Span whole;
  Span in[S_ALL];
  Span value[A_ALL];
  int name_of[A_ALL]; /* the place of the name that it was read by */
} Spanning;

static const char *said(Spanning *s, Attribute a) {
  return text_of(&s->reader->texts, s->value[a]);
}

/* ---- attributes */

/* The value in {"stringValue": …}; of a list its first. */
static Span plain_value(Span value) {
  Scan s = scan_of(value);
  Span kind, found = value;
  for (int depth = 0; depth < 8; depth++) {
    s = scan_of(found);
    if (scan_object(&s) && scan_member(&s, &kind)) {
      found = scan_take(&s);
    } else if (scan_array(&s) && scan_element(&s)) {
      found = scan_take(&s);
    } else {
      break;
    }
  }
  return found;
}

static void take_attribute(Spanning *s, Span key, Span value) {
  for (int i = 0; i < NAMES; i++) {
    Attribute is = attributes[i].is;
    if (span_is(key, attributes[i].name) && (s->value[is].n == 0 || i < s->name_of[is])) {
      s->value[is] = plain_value(value);
      s->name_of[is] = i;
      return;
    }
  }
}

/* A list of keys and values, or an object of them. */
static void take_attributes(Spanning *s, Span list) {
  static const Pick picks[] = {PICK("key", 0, NULL), PICK("value", 1, NULL), PICKS_END};
  Scan scan = scan_of(list);
  Span key;
  if (list.n && scan_object(&scan)) {
    while (scan_member(&scan, &key)) {
      take_attribute(s, key, scan_take(&scan));
    }
    return;
  }
  for (scan_array(&scan); list.n && scan_element(&scan);) {
    Span pair[2] = {{0}};
    scan_pick(&scan, picks, pair);
    if (pair[0].n > 2) {
      take_attribute(s, (Span){pair[0].at + 1, pair[0].n - 2}, pair[1]);
    }
  }
}

/* ---- what a span is */

typedef enum Role { R_NONE, R_CALL, R_EMBED, R_PARENT } Role;

/* Operations, in small letters and '_' between their words. Whatever else has a name is a parent, or nothing. */
static const struct {
  const char *name;
  Role role;
} operations[] = {{"chat", R_CALL},
                  {"chat_completion", R_CALL},
                  {"chat_completions", R_CALL},
                  {"completion", R_CALL},
                  {"completions", R_CALL},
                  {"text_completion", R_CALL},
                  {"text_completions", R_CALL},
                  {"generate_content", R_CALL},
                  {"generatecontent", R_CALL},
                  {"generate", R_CALL},
                  {"message", R_CALL},
                  {"messages", R_CALL},
                  {"response", R_CALL},
                  {"responses", R_CALL},
                  {"llm", R_CALL},
                  {"embeddings", R_EMBED},
                  {"embedding", R_EMBED},
                  {"embed", R_EMBED}};

static Role role_of(const char *operation) {
  char name[64];
  size_t n = 0;
  for (; operation[n] && n + 1 < sizeof name; n++) {
    char c = operation[n];
    name[n] = c == '-' || c == ' ' || c == '.' || c == '/' ? '_' : (char)tolower((unsigned char)c);
  }
  name[n] = 0;
  for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
    if (strcmp(name, operations[i].name) == 0) {
      return operations[i].role;
    }
  }
  return R_PARENT;
}

/* Without an operation's name: by a sign of an agent; else a model that used something was called. */
static Role guess_role(Spanning *s) {
  static const char *const agents[] = {"invoke_agent", "invoke agent", "invoke_workflow",
                                       "create_agent", "execute_tool", "agent",
                                       "workflow"};
  const char *name = text_of(&s->reader->texts, s->in[S_NAME]), *kind = said(s, A_KIND);
  if (kind) {
    return role_of(kind);
  }
  for (size_t i = 0; name && i < sizeof agents / sizeof agents[0]; i++) {
    if (strncmp(name, agents[i], strlen(agents[i])) == 0) {
      return R_PARENT;
    }
  }
  int has_model = s->value[A_REQUEST_MODEL].n || s->value[A_RESPONSE_MODEL].n;
  return s->value[A_AGENT].n ? R_PARENT : has_model && s->value[A_INPUT].n ? R_CALL : R_NONE;
}

/* ---- entries */

static void take_usage(Spanning *s, Usage *u, Err *err) {
  static const struct {
    Attribute from;
    Unit unit;
  } counts[] = {{A_INPUT, UNIT_INPUT},
                {A_OUTPUT, UNIT_OUTPUT},
                {A_READ, UNIT_CACHE_READ},
                {A_WRITTEN, UNIT_CACHE_WRITE},
                {A_REASONING, UNIT_REASONING}};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    long long count;
    const char *text = said(s, counts[i].from);
    if (text && number_count(text, LIMIT_TOKENS, &count)) {
      usage_set(u, counts[i].unit, count);
    } else if (text) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE, "%s: expected a whole number from 0 to %lld",
              attributes[s->name_of[counts[i].from]].name, LIMIT_TOKENS);
    }
  }
  long long beside = u->n[UNIT_CACHE_READ] + u->n[UNIT_CACHE_WRITE];
  if (u->has & UNIT_BIT(UNIT_INPUT) && beside > u->n[UNIT_INPUT]) {
    usage_set(u, UNIT_INPUT, u->n[UNIT_INPUT] + beside);
  }
  if (said(s, A_SERVICE)) {
    usage_set_service(u, said(s, A_SERVICE));
  }
}

static long long time_of(Spanning *s, Span json) {
  TimeForm form;
  long long ms;
  const char *text = text_of(&s->reader->texts, json);
  return text && time_read(text, &ms, &form) ? ms : LLONG_MIN;
}

static void take_texts(Spanning *s, LogEntry *entry) {
  const char *response = said(s, A_RESPONSE_MODEL), *request = said(s, A_REQUEST_MODEL);
  entry->provider = said(s, A_PROVIDER);
  entry->model = response ? response : request;
  entry->model_requested = request;
  entry->request_id = said(s, A_RESPONSE_ID);
  entry->conversation = said(s, A_CONVERSATION);
  entry->finish_reason = said(s, A_FINISH);
  entry->user = said(s, A_USER);
  entry->tag = s->reader->tag[0] ? s->reader->tag : NULL;
  entry->group = text_of(&s->reader->texts, s->in[S_TRACE]);
}

/* Two instrumentations (a framework's and its client's) show one call in two spans, with the same answer's id in the same
** trace: one call, which the span that says most tells of. Servers of one's own give small ids, so that these alone name
** nothing. */
static void take_key(Spanning *s, LogEntry *entry) {
  const char *span = text_of(&s->reader->texts, s->in[S_SPAN]);
  const char *named = entry->request_id ? entry->request_id : span;
  if (entry->group && named) {
    char key[2 * TEXT_MOST + 3];
    int n = snprintf(key, sizeof key, "%.250s:%s%.250s", entry->group, entry->request_id ? "=" : "",
                     named);
    entry->key = text_keep(&s->reader->texts, key, (size_t)n);
    long long in = usage_get(&entry->usage, UNIT_INPUT),
              out = usage_get(&entry->usage, UNIT_OUTPUT);
    entry->rank = (in > 0 ? in : 0) + (out > 0 ? out : 0);
  }
}

static void take_error(Spanning *s, LogEntry *entry) {
  const char *type = said(s, A_ERROR), *code = text_of(&s->reader->texts, s->in[S_STATUS]);
  int is_failed = code && (strcmp(code, "2") == 0 || strcmp(code, "STATUS_CODE_ERROR") == 0);
  if (type || is_failed) {
    entry->error = text_word(type) ? type : "error";
  }
}

static int give_span(Spanning *s, Role role, const Sink *sink, Err *err) {
  LogEntry entry;
  entry_begin(s->reader, &entry);
  entry.record = s->whole.at;
  entry.n_record = s->whole.n;
  entry.ts = time_of(s, s->in[S_FROM]);
  long long end = time_of(s, s->in[S_TO]);
  take_usage(s, &entry.usage, err);
  take_texts(s, &entry);
  if (role == R_PARENT) {
    entry.what = LOG_SUM;
    entry.self = text_of(&s->reader->texts, s->in[S_SPAN]);
    entry.parent = text_of(&s->reader->texts, s->in[S_PARENT]);
    entry.to = end > entry.ts ? end : entry.ts + (entry.ts != LLONG_MIN);
    entry.request_id = NULL;
    return entry.usage.has && entry.group ? entry_give(s->reader, &entry, sink, err) : err->rc;
  }
  entry.kind = role == R_EMBED ? LOG_EMBED : LOG_ANSWERED;
  take_key(s, &entry);
  if (!entry.usage.has) {
    entry.group = NULL; /* (what it used is in its parent's sum alone) */
  }
  entry.latency_ms = entry.ts != LLONG_MIN && end >= entry.ts ? end - entry.ts : LOG_UNKNOWN;
  take_error(s, &entry);
  return entry_give(s->reader, &entry, sink, err);
}

static int read_span(LogReader *reader, Span span, const Sink *sink, Err *err) {
  Spanning s = {.reader = reader, .whole = span};
  Scan scan = scan_of(span);
  reader->texts.used = 0;
  scan_pick(&scan, span_picks, s.in);
  take_attributes(&s, s.in[S_ATTRIBUTES]);
  const char *operation = said(&s, A_OPERATION);
  Role role = operation ? role_of(operation) : guess_role(&s);
  return role == R_NONE ? RC_OK : give_span(&s, role, sink, err);
}

/* ---- where they stand: in scopes, in resources, in requests */

typedef struct Walk {
  LogReader *reader;
  const Sink *sink;
  Err *kept, *err; /* as of read_pages */
} Walk;

static int is_list(Span key) {
  static const char *const lists[] = {"resourceSpans", "resource_spans",
                                      "batches",       "scopeSpans",
                                      "scope_spans",   "instrumentationLibrarySpans",
                                      "spans"};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    if (span_is(key, lists[i])) {
      return 1;
    }
  }
  return 0;
}

static void take_span(Walk *w, Span span) {
  Err why = {0};
  read_span(w->reader, span, w->sink, &why);
  err_keep(why.rc == RC_ERROR ? w->kept : w->err, &why);
}

/* The service's name is what its calls are told apart by. */
static void take_resource(Walk *w, Span resource) {
  static const Pick picks[] = {PICK("key", 0, NULL), PICK("value", 1, NULL), PICKS_END};
  Span list = scan_find(resource, "attributes");
  Scan s = scan_of(list);
  w->reader->tag[0] = 0;
  w->reader->texts.used = 0;
  for (scan_array(&s); list.n && scan_element(&s); w->reader->texts.used = 0) {
    Span pair[2] = {{0}};
    scan_pick(&s, picks, pair);
    const char *name = span_is(pair[0], "\"service.name\"")
                           ? text_of(&w->reader->texts, plain_value(pair[1]))
                           : NULL;
    if (name) {
      snprintf(w->reader->tag, sizeof w->reader->tag, "%s", name);
    }
  }
}

static void walk(Walk *w, Span value, int depth) {
  Scan s = scan_of(value);
  Span key;
  if (depth > 8 || w->err->rc != RC_OK) {
    return;
  } else if (value.n && scan_array(&s)) {
    while (scan_element(&s)) {
      walk(w, scan_take(&s), depth + 1);
    }
    return;
  } else if (value.n == 0 || !scan_object(&s)) {
    return;
  }
  if (scan_find(value, "spanId").n || scan_find(value, "span_id").n) {
    take_span(w, value);
    return;
  }
  if (!scan_find(value, "spans").n) { /* (a scope is of the resource around it) */
    take_resource(w, scan_find(value, "resource"));
  }
  while (scan_member(&s, &key)) {
    Span member = scan_take(&s);
    if (is_list(key)) {
      walk(w, member, depth + 1);
    }
  }
}

int read_spans(LogReader *reader, Span record, const Sink *sink, Err *err) {
  Err kept = {0};
  Walk w = {reader, sink, &kept, err};
  Scan s = scan_of(record);
  Span whole = scan_take(&s);
  if (!scan_is_done(&s)) {
    return err_torn(&s, record, err);
  }
  walk(&w, whole, 0);
  err_keep(err, &kept);
  return err->rc;
}
