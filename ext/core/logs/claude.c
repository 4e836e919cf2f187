/*
** Claude Code's logs: ~/.claude/projects/<folder>/<session>.jsonl, and subagents' beside them.
**
** One call has a line for each block of its answer, with output that grows; the same call stands again in files that were
** resumed or forked, under another session, and in side chains under another request: its identity is the message's id, its
** request the part, a side chain a copy, and the largest output counts (ccusage, adapter/claude @5816e64; its issues 1762
** and 985). Where an id is missing the next best names the call. `<synthetic>` answers are the program's own. The counts
** stand beside each other, as Anthropic's API has them.
**
** Steps of a subagent are shown in its caller's session too ("progress", with the line inside): copies, or all there is
** where the subagent's file is gone.
**
** A line without "usage" holds no call. Of the others only the members below are looked at.
*/
#include "core/logs/format_internal.h"

#include "base/utf8.h"

#include <limits.h>
#include <string.h>

enum {
  IN_TYPE,
  IN_TIME,
  IN_UUID,
  IN_SIDECHAIN,
  IN_SESSION,
  IN_REQUEST,
  IN_CWD,
  IN_COST,
  IN_API_ERROR,
  IN_MESSAGE, /* where it is no object */
  IN_SHOWN,   /* the type of a line that is shown in another */
  IN_ID,
  IN_MODEL,
  IN_STOP,
  IN_USAGE,
  IN_ALL
};

static const Pick message_picks[] = {PICK("id", IN_ID, NULL), PICK("model", IN_MODEL, NULL),
                                     PICK("stop_reason", IN_STOP, NULL),
                                     PICK("usage", IN_USAGE, NULL), PICKS_END};
static const Pick shown_picks[] = {PICK("type", IN_SHOWN, NULL), PICK("timestamp", IN_TIME, NULL),
                                   PICK("requestId", IN_REQUEST, NULL),
                                   PICK("message", IN_MESSAGE, message_picks), PICKS_END};
static const Pick data_picks[] = {PICK("message", IN_MESSAGE, shown_picks), PICKS_END};
static const Pick line_picks[] = {PICK("type", IN_TYPE, NULL),
                                  PICK("data", IN_MESSAGE, data_picks),
                                  PICK("timestamp", IN_TIME, NULL),
                                  PICK("uuid", IN_UUID, NULL),
                                  PICK("isSidechain", IN_SIDECHAIN, NULL),
                                  PICK("sessionId", IN_SESSION, NULL),
                                  PICK("requestId", IN_REQUEST, NULL),
                                  PICK("cwd", IN_CWD, NULL),
                                  PICK("costUSD", IN_COST, NULL),
                                  PICK("isApiErrorMessage", IN_API_ERROR, NULL),
                                  PICK("message", IN_MESSAGE, message_picks),
                                  PICKS_END};

enum {
  U_INPUT,
  U_OUTPUT,
  U_READ,
  U_WRITE,
  U_WRITE_5M,
  U_WRITE_1H,
  U_SEARCHES,
  U_TIER,
  U_GEO,
  U_SPEED,
  U_ITERATIONS,
  U_CREATION,
  U_TOOLS,
  U_THOUGHTS,
  U_DETAILS,
  U_ALL
};

static const Pick creation_picks[] = {PICK("ephemeral_5m_input_tokens", U_WRITE_5M, NULL),
                                      PICK("ephemeral_1h_input_tokens", U_WRITE_1H, NULL),
                                      PICKS_END};
static const Pick tool_picks[] = {PICK("web_search_requests", U_SEARCHES, NULL), PICKS_END};
static const Pick detail_picks[] = {PICK("thinking_tokens", U_THOUGHTS, NULL), PICKS_END};
static const Pick usage_picks[] = {PICK("input_tokens", U_INPUT, NULL),
                                   PICK("output_tokens", U_OUTPUT, NULL),
                                   PICK("cache_read_input_tokens", U_READ, NULL),
                                   PICK("cache_creation_input_tokens", U_WRITE, NULL),
                                   PICK("cache_creation", U_CREATION, creation_picks),
                                   PICK("server_tool_use", U_TOOLS, tool_picks),
                                   PICK("output_tokens_details", U_DETAILS, detail_picks),
                                   PICK("service_tier", U_TIER, NULL),
                                   PICK("inference_geo", U_GEO, NULL),
                                   PICK("speed", U_SPEED, NULL),
                                   PICK("iterations", U_ITERATIONS, NULL),
                                   PICKS_END};

/* ---- usage */

/* As gateways write it: "12", 12.0. 1 or 0. */
static int read_odd_count(Span json, long long *count) {
  char text[32];
  int quotes = json.n > 2 && json.at[0] == '"';
  size_t n = json.n - 2 * (size_t)quotes;
  if (n == 0 || n >= sizeof text) {
    return 0;
  }
  memcpy(text, json.at + quotes, n);
  text[n] = 0;
  return strspn(text, "0123456789.") == n && number_count(text, LIMIT_TOKENS, count);
}

/* A count of the usage: -1 where it is not said, or *err. */
static long long count_of(Span json, const char *name, Err *err) {
  long long count = 0;
  size_t i = 0;
  if (json.n == 0 || json.at[0] == 'n') {
    return -1;
  }
  for (; i < json.n && i < 10 && json.at[i] >= '0' && json.at[i] <= '9'; i++) {
    count = count * 10 + (json.at[i] - '0');
  }
  int is_plain = i > 0 && i == json.n && count <= LIMIT_TOKENS;
  if (!is_plain && !read_odd_count(json, &count)) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage.%s: expected a whole number from 0 to %lld", name,
            LIMIT_TOKENS);
  }
  return count;
}

/* What was written: the sum, if there is one, of which the rest lives for five minutes. */
static void take_writes(const Span *in, Usage *u, Err *err) {
  long long sum = count_of(in[U_WRITE], "cache_creation_input_tokens", err);
  long long hour = count_of(in[U_WRITE_1H], "ephemeral_1h_input_tokens", err);
  long long five = count_of(in[U_WRITE_5M], "ephemeral_5m_input_tokens", err);
  if (sum < 0) {
    sum = hour < 0 && five < 0 ? -1 : (hour > 0 ? hour : 0) + (five > 0 ? five : 0);
  }
  if (sum < 0) {
    return;
  }
  usage_set(u, UNIT_CACHE_WRITE, sum);
  if (hour >= 0 || five >= 0) {
    hour = hour < 0 ? 0 : hour < sum ? hour : sum;
    usage_set(u, UNIT_CACHE_WRITE_1H, hour);
    usage_set(u, UNIT_CACHE_WRITE_5M, sum - hour);
  }
}

static void take_words(LogReader *reader, const Span *in, Usage *u) {
  const char *tier = text_of(&reader->texts, in[U_TIER]), *geo = text_of(&reader->texts, in[U_GEO]);
  if (tier) {
    usage_set_service(u, tier);
  }
  if (geo) {
    usage_set_geo(u, geo);
  }
  if (span_is(in[U_SPEED], "\"fast\"")) {
    usage_set_service(u, "fast"); /* at prices of its own */
  }
}

static void take_counts(const Span *in, Usage *u, Err *err) {
  long long input = count_of(in[U_INPUT], "input_tokens", err),
            output = count_of(in[U_OUTPUT], "output_tokens", err),
            read = count_of(in[U_READ], "cache_read_input_tokens", err),
            searches = count_of(in[U_SEARCHES], "web_search_requests", err),
            thoughts = count_of(in[U_THOUGHTS], "thinking_tokens", err);
  take_writes(in, u, err);
  if (read >= 0) {
    usage_set(u, UNIT_CACHE_READ, read);
  }
  if (input >= 0) {
    usage_set(u, UNIT_INPUT, input + u->n[UNIT_CACHE_READ] + u->n[UNIT_CACHE_WRITE]);
  }
  if (output >= 0) {
    usage_set(u, UNIT_OUTPUT, output);
  }
  if (thoughts >= 0 && thoughts <= output) {
    usage_set(u, UNIT_REASONING, thoughts);
  }
  if (searches > 0) {
    usage_set(u, UNIT_WEB_SEARCH, searches);
  }
}

/* Attempts and compactions that the counts beside them leave out, each a usage: their sum is what was billed. */
static void take_iterations(Span list, Usage *whole, Err *err) {
  Usage sum = *whole;
  Scan s = scan_of(list);
  int n = 0;
  sum.has &= UNIT_BIT(UNIT_WEB_SEARCH);
  memset(sum.n, 0, sizeof sum.n);
  sum.n[UNIT_WEB_SEARCH] = whole->n[UNIT_WEB_SEARCH];
  for (scan_array(&s); scan_element(&s); n++) {
    Span in[U_ALL] = {0};
    Usage part;
    usage_init(&part);
    scan_pick(&s, usage_picks, in);
    take_counts(in, &part, err);
    for (UnitSet left = part.has; left; left &= left - 1) {
      Unit unit = UNIT_FIRST(left);
      usage_set(&sum, unit, sum.n[unit] + part.n[unit]);
    }
  }
  if (n > 1 && sum.n[UNIT_OUTPUT] >= whole->n[UNIT_OUTPUT] &&
      sum.n[UNIT_INPUT] >= whole->n[UNIT_INPUT] && sum.n[UNIT_INPUT] <= LIMIT_TOKENS) {
    *whole = sum;
  }
}

static int take_usage(LogReader *reader, Span json, Usage *u, Err *err) {
  Span in[U_ALL] = {0};
  Scan s = scan_of(json);
  scan_pick(&s, usage_picks, in);
  take_counts(in, u, err);
  if (in[U_ITERATIONS].n > 2 && in[U_ITERATIONS].at[0] == '[') {
    take_iterations(in[U_ITERATIONS], u, err);
  }
  take_words(reader, in, u);
  return err->rc;
}

/* ---- lines */

/* The folder that the project works in, by its last part: of the line, of one before it; or the name of the file's folder,
** in which '/' was made '-'. */
static const char *tag_of(LogReader *reader, Span cwd) {
  const char *folder = path_last(&reader->texts, text_of(&reader->texts, cwd));
  folder = text_unnamed(&reader->texts, folder); /* (a state keeps it too) */
  if (folder) {
    utf8_copy(reader->tag, sizeof reader->tag, folder);
  }
  return reader->tag[0] ? reader->tag : NULL;
}

/* A subagent's step, shown in its caller's session: a copy of a line of its own file, if that is there. */
static int is_shown(const Span *in) {
  return span_is(in[IN_TYPE], "\"progress\"") && span_is(in[IN_SHOWN], "\"assistant\"");
}

static void take_identity(LogReader *reader, const Span *in, LogEntry *entry) {
  Texts *texts = &reader->texts;
  const char *id = text_of(texts, in[IN_ID]), *request = text_of(texts, in[IN_REQUEST]);
  entry->key = id ? id : request ? request : text_of(texts, in[IN_UUID]);
  entry->part = id ? request : NULL;
  entry->request_id = request;
  entry->is_copy = span_is(in[IN_SIDECHAIN], "true") || is_shown(in);
  entry->rank = entry->usage.n[UNIT_OUTPUT];
  entry->conversation = text_of(texts, in[IN_SESSION]);
}

static int take_line(LogReader *reader, const Span *in, const Sink *sink, Err *err) {
  LogEntry entry;
  TimeForm form;
  entry_begin(reader, &entry);
  const char *time = text_of(&reader->texts, in[IN_TIME]),
             *cost = text_of(&reader->texts, in[IN_COST]);
  if (time && !time_read(time, &entry.ts, &form)) {
    entry.ts = LLONG_MIN;
  }
  take_usage(reader, in[IN_USAGE], &entry.usage, err);
  take_identity(reader, in, &entry);
  entry.tag = tag_of(reader, in[IN_CWD]);
  entry.model = text_of(&reader->texts, in[IN_MODEL]);
  if (entry.model && !strstr(entry.model, "claude")) {
    entry.provider = NULL; /* (a gateway's: whose it is, its name may tell) */
  }
  entry.finish_reason = text_of(&reader->texts, in[IN_STOP]);
  entry.error = span_is(in[IN_API_ERROR], "true") ? "api_error" : NULL;
  if (cost && !number_money(cost, 9, 0, &entry.usage.reported_nusd)) {
    entry.usage.reported_nusd = USAGE_UNKNOWN;
  }
  return err->rc == RC_OK ? entry_give(reader, &entry, sink, err) : err->rc;
}

int read_claude(LogReader *reader, Span record, const Sink *sink, Err *err) {
  Span in[IN_ALL] = {0};
  Scan s = scan_of(record);
  scan_pick(&s, line_picks, in);
  if (!scan_is_done(&s)) {
    return err_torn(&s, record, err);
  }
  int is_answer = in[IN_TYPE].n == 0 || span_is(in[IN_TYPE], "\"assistant\"") || is_shown(in);
  if (!is_answer || in[IN_USAGE].n == 0 || in[IN_USAGE].at[0] != '{' ||
      span_is(in[IN_MODEL], "\"<synthetic>\"")) {
    return RC_OK;
  }
  return take_line(reader, in, sink, err);
}

/* Whose a line is, as far as its beginning says: most bytes are of users, who answer for tools. */
typedef enum Whose { NOT_SAID, OF_USER, OF_ANOTHER } Whose;

static Whose whose_is(const char *record, size_t n) {
  Span key;
  Scan s = scan_of((Span){record, n});
  scan_object(&s);
  while (scan_member(&s, &key) && s.at < s.end) {
    int is_type = span_is(key, "type");
    if (is_type || span_is(key, "message")) {
      int has_role = is_type || (scan_object(&s) && scan_member(&s, &key) && span_is(key, "role"));
      return has_role && span_is(scan_take(&s), "\"user\"") ? OF_USER : OF_ANOTHER;
    }
    if (*s.at == '{' || *s.at == '[') {
      return NOT_SAID; /* large, perhaps */
    }
    scan_take(&s);
  }
  return NOT_SAID;
}

/* (A line that does not end as one may be torn: it is read. An answer's is looked through once, when it is read.) */
int claude_may_skip(const char *record, size_t n) {
  if (record[n - 1] != '}') {
    return 0;
  }
  Whose whose = whose_is(record, n);
  return whose == OF_USER || (whose == NOT_SAID && !memmem(record, n, "\"usage\"", 7));
}

/* ---- what is known before the first line */

void claude_open(LogReader *reader, const char *path) {
  static const char folder[] = "/projects/";
  const char *at = NULL;
  for (const char *next = path; (next = strstr(next, folder)); next++) {
    at = next + sizeof folder - 1;
  }
  size_t n = at ? strcspn(at, "/") : 0, part = 0;
  if (n == 0 || !at[n]) {
    return;
  }
  while (part < n && at[n - part - 1] != '-') {
    part++;
  }
  part = part < sizeof reader->tag ? part : sizeof reader->tag - 1;
  memcpy(reader->tag, at + n - part, part);
}

void claude_restore(LogReader *reader, Span state) {
  const char *tag = text_of(&reader->texts, scan_find(state, "tag"));
  if (tag) {
    utf8_copy(reader->tag, sizeof reader->tag, tag);
  }
}

int claude_keep(const LogReader *reader, Buf *state) {
  return reader->tag[0] ? keep_text(state, "tag", reader->tag) : RC_OK;
}
