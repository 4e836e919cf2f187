/*
** Codex's logs: ~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl, and archived_sessions.
**
** An event `token_count` tells what the session used so far: a call is what it grew by. The same totals again are no call
** (they are shown again, milliseconds later); totals that go down were begun anew. A file that was forked, or a subagent's,
** replays its parent's events at its own birth: these must be the parent's calls, whichever file is read first, and the
** calls of a fork of a fork those of its first ancestor (ccusage's issues 1288, 1371, 1349: $33,781 for $16).
**
** So the identity of a call is the sequence of totals up to it, as a chained hash, which a replay has too; the session is
** its part, since two sessions may begin with equal totals; and what stands in the file's first second, or in a declared
** fork before its birth, is a copy. An own call within that second has a sequence that no other file has.
**
** Of a file's first totals only what the event's own call used is new, where it says so: a session that was resumed goes
** on counting from what it had.
*/
#include "core/logs/format_internal.h"

#include "base/text/decimal.h"
#include "base/utf8.h"

#include <limits.h>
#include <string.h>

/* The order of CodexState.last. */
enum { N_INPUT, N_CACHED, N_WRITTEN, N_OUTPUT, N_REASONING, N_TOTAL, N_ALL };

enum {
  IN_TYPE,
  IN_TIME,
  IN_TOP_ID,
  IN_PAYLOAD,
  IN_KIND,
  IN_ID,
  IN_CWD,
  IN_MODEL,
  IN_FORK,
  IN_SOURCE,
  IN_INFO,
  IN_TOTALS,
  IN_LAST = IN_TOTALS + N_ALL,
  IN_ALL = IN_LAST + N_ALL
};

#define COUNTS(at)                                                                                 \
  PICK("input_tokens", (at) + N_INPUT, NULL), PICK("cached_input_tokens", (at) + N_CACHED, NULL),  \
      PICK("cache_write_input_tokens", (at) + N_WRITTEN, NULL),                                    \
      PICK("output_tokens", (at) + N_OUTPUT, NULL),                                                \
      PICK("reasoning_output_tokens", (at) + N_REASONING, NULL),                                   \
      PICK("total_tokens", (at) + N_TOTAL, NULL), PICKS_END

static const Pick total_picks[] = {COUNTS(IN_TOTALS)};
static const Pick last_picks[] = {COUNTS(IN_LAST)};
static const Pick info_picks[] = {PICK("total_token_usage", IN_INFO, total_picks),
                                  PICK("last_token_usage", IN_INFO, last_picks), PICKS_END};
static const Pick payload_picks[] = {PICK("type", IN_KIND, NULL),
                                     PICK("id", IN_ID, NULL),
                                     PICK("cwd", IN_CWD, NULL),
                                     PICK("model", IN_MODEL, NULL),
                                     PICK("forked_from_id", IN_FORK, NULL),
                                     PICK("parent_id", IN_FORK, NULL),
                                     PICK("parent_session_id", IN_FORK, NULL),
                                     PICK("parent_thread_id", IN_FORK, NULL),
                                     PICK("source", IN_SOURCE, NULL),
                                     PICK("info", IN_INFO, info_picks),
                                     PICKS_END};
static const Pick line_picks[] = {PICK("type", IN_TYPE, NULL), PICK("timestamp", IN_TIME, NULL),
                                  PICK("id", IN_TOP_ID, NULL),
                                  PICK("payload", IN_PAYLOAD, payload_picks), PICKS_END};

/* ---- what the file says of itself */

static void keep_into(LogReader *reader, char *to, size_t size, Span json) {
  const char *text = text_unnamed(&reader->texts, text_of(&reader->texts, json));
  if (text) {
    utf8_copy(to, size, text);
  }
}

static void take_cwd(LogReader *reader, Span cwd) {
  const char *folder = path_last(&reader->texts, text_of(&reader->texts, cwd));
  folder = text_unnamed(&reader->texts, folder);
  if (folder) {
    utf8_copy(reader->tag, sizeof reader->tag, folder);
  }
}

static int is_given(Span json) {
  return json.n > 0 && !span_is(json, "null") && !span_is(json, "\"\"");
}

/* The first line with a time is the file's birth; the first that names a session names the file's (a fork's parent is named
** behind it). */
static void take_birth(LogReader *reader, const Span *in, long long ts) {
  CodexState *c = &reader->codex;
  int is_meta = span_is(in[IN_TYPE], "\"session_meta\"");
  if (!c->begun) {
    c->begun = 1;
    c->birth = ts;
  }
  Span id = is_meta ? in[IN_ID] : in[IN_TOP_ID];
  if (!c->is_named && is_given(id)) {
    c->is_named = 1;
    keep_into(reader, c->session, sizeof c->session, id);
    c->is_fork = is_given(in[IN_FORK]) ||
                 (in[IN_SOURCE].n && memmem(in[IN_SOURCE].at, in[IN_SOURCE].n, "subagent", 8));
  }
}

static void take_context(LogReader *reader, const Span *in) {
  take_cwd(reader, in[IN_CWD]);
  if (is_given(in[IN_MODEL])) {
    keep_into(reader, reader->codex.model, sizeof reader->codex.model, in[IN_MODEL]);
  }
}

/* ---- totals */

/* Counts of an event: 1, 0 where there are none, or *err. What is not said is -1. */
static int read_counts(LogReader *reader, const Span *in, long long *counts, Err *err) {
  static const char *const names[] = {
      "input_tokens",  "cached_input_tokens",     "cache_write_input_tokens",
      "output_tokens", "reasoning_output_tokens", "total_tokens"};
  int any = 0;
  for (int i = 0; i < N_ALL; i++) {
    const char *text = text_of(&reader->texts, in[i]);
    counts[i] = -1;
    if (text && !number_count(text, LIMIT_COUNT, &counts[i])) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE, "token_count: %s: expected a whole number", names[i]);
      return 0;
    }
    any |= text != NULL;
  }
  return any;
}

static long long said(long long count) {
  return count > 0 ? count : 0;
}

/* What the call of an event used, from the totals now and before. */
static void grow(const CodexState *c, const long long *now, const long long *own, int has_own,
                 long long *used) {
  int is_down = said(now[N_INPUT]) < c->last[N_INPUT] || said(now[N_OUTPUT]) < c->last[N_OUTPUT];
  int is_anew = !c->any || is_down;
  int fits = has_own && own[N_INPUT] <= now[N_INPUT] && own[N_OUTPUT] <= now[N_OUTPUT] &&
             said(own[N_INPUT]) + said(own[N_OUTPUT]) > 0;
  for (int i = 0; i < N_ALL; i++) {
    long long before = is_anew ? 0 : c->last[i];
    used[i] = is_anew && fits ? own[i] : now[i] < 0 ? -1 : now[i] < before ? 0 : now[i] - before;
  }
}

static int is_unchanged(const CodexState *c, const long long *now) {
  int same = 1;
  for (int i = 0; i < N_ALL; i++) {
    same &= said(now[i]) == c->last[i];
  }
  return same;
}

/* An event so soon after another is no call of its own, whatever it says. */
static int is_shown_again(const CodexState *c, long long ts) {
  enum { SOON_MS = 100 };
  return c->at != 0 && (ts < c->at || ts - SOON_MS < c->at);
}

/* The sequence goes on by these totals. */
static void chain_on(CodexState *c, const long long *now) {
  char link[HASH_HEX_SIZE + N_ALL * 24], *to = link + HASH_HEX_SIZE - 1;
  hash_hex(&c->chain, link);
  for (int i = 0; i < N_ALL; i++) {
    c->last[i] = said(now[i]);
    *to++ = ',';
    to = decimal_put(to, c->last[i]);
  }
  c->chain = hash_bytes(link, (size_t)(to - link), 0);
  c->any = 1;
}

/* 1 if the event was written before the session's own calls. (A long replay takes more than a second: in a declared fork what follows
** another at once is of it.) */
static int is_replay(CodexState *c, long long ts) {
  int is = c->begun && (ts / 1000 == c->birth / 1000 ||
                        (c->is_fork && (ts <= c->birth || ts - c->birth < 500)));
  c->birth = is && c->is_fork && ts > c->birth ? ts : c->birth;
  return is;
}

static void take_usage(const long long *used, Usage *u) {
  static const Unit units[] = {UNIT_INPUT, UNIT_CACHE_READ, UNIT_CACHE_WRITE, UNIT_OUTPUT,
                               UNIT_REASONING};
  for (int i = 0; i < N_TOTAL; i++) {
    if (used[i] >= 0) {
      usage_set(u, units[i], used[i]);
    }
  }
}

static int take_event(LogReader *reader, const Span *in, long long ts, const Sink *sink, Err *err) {
  CodexState *c = &reader->codex;
  long long now[N_ALL], own[N_ALL], used[N_ALL];
  char key[HASH_HEX_SIZE];
  int has_own = read_counts(reader, in + IN_LAST, own, err),
      has_now = read_counts(reader, in + IN_TOTALS, now, err);
  if (!has_now && has_own && !is_shown_again(c, ts)) { /* (without totals these are what came to) */
    for (int i = 0; i < N_ALL; i++) {
      now[i] = c->last[i] + said(own[i]);
    }
    has_now = 1;
  }
  c->at = ts;
  if (err->rc != RC_OK || !has_now || is_unchanged(c, now)) {
    return err->rc;
  }
  grow(c, now, own, has_own, used);
  chain_on(c, now);
  hash_hex(&c->chain, key);
  LogEntry entry;
  entry_begin(reader, &entry);
  entry.ts = ts;
  entry.key = key;
  entry.part = entry.conversation = c->session[0] ? c->session : NULL;
  entry.is_copy = is_replay(c, ts);
  entry.rank = said(used[N_OUTPUT]);
  entry.model = c->model[0] ? c->model : NULL;
  entry.tag = reader->tag[0] ? reader->tag : NULL;
  take_usage(used, &entry.usage);
  if (said(used[N_INPUT]) + said(used[N_OUTPUT]) == 0) {
    return RC_OK;
  }
  return entry_give(reader, &entry, sink, err);
}

/* ---- lines */

int read_codex(LogReader *reader, Span record, const Sink *sink, Err *err) {
  Span in[IN_ALL] = {0};
  Scan s = scan_of(record);
  long long ts = LLONG_MIN;
  TimeForm form;
  scan_pick(&s, line_picks, in);
  if (!scan_is_done(&s)) {
    return err_torn(&s, record, err);
  } else if (codex_may_skip(record.at, record.n)) {
    return RC_OK;
  }
  const char *time = text_of(&reader->texts, in[IN_TIME]);
  if (time && time_read(time, &ts, &form)) {
    take_birth(reader, in, ts);
  }
  if (span_is(in[IN_TYPE], "\"session_meta\"") || span_is(in[IN_TYPE], "\"turn_context\"")) {
    take_context(reader, in);
  }
  if (span_is(in[IN_KIND], "\"token_count\"")) {
    return take_event(reader, in, ts, sink, err);
  }
  return RC_OK;
}

/* What a line is stands at its beginning: a message or a tool's output, or an event that is no count. */
int codex_may_skip(const char *record, size_t n) {
  static const char item[] = "\"type\":\"response_item\"", event[] = "\"type\":\"event_msg\"";
  size_t head = n < 96 ? n : 96;
  return record[n - 1] == '}' && (memmem(record, head, item, sizeof item - 1) ||
                                  (memmem(record, head, event, sizeof event - 1) &&
                                   !memmem(record, n, "\"token_count\"", 13)));
}

/* ---- what is known before the first line */

/* A file that names no session is one by its name, which an archived copy has too. */
void codex_open(LogReader *reader, const char *path) {
  const char *name = path_last(&reader->texts, path);
  if (name) {
    utf8_copy(reader->codex.session, sizeof reader->codex.session, name);
  }
}

static long long number_of(LogReader *reader, Span state, const char *name) {
  const char *text = text_of(&reader->texts, scan_find(state, name));
  int is_less = text && *text == '-'; /* (a time before 1970) */
  long long value = 0;
  if (!text || !number_count(text + is_less, LIMIT_COUNT, &value)) {
    return 0;
  }
  return is_less ? -value : value;
}

void codex_restore(LogReader *reader, Span state) {
  CodexState *c = &reader->codex;
  const char *chain = text_of(&reader->texts, scan_find(state, "chain"));
  Scan s = scan_of(scan_find(state, "last"));
  if (!chain || !hash_parse(chain, &c->chain) || !scan_array(&s)) {
    return;
  }
  for (int i = 0; scan_element(&s) && i < N_ALL; i++) {
    const char *text = text_of(&reader->texts, scan_take(&s));
    c->last[i] = text && number_count(text, LIMIT_COUNT, &c->last[i]) ? c->last[i] : 0;
  }
  c->any = number_of(reader, state, "any") != 0;
  c->begun = number_of(reader, state, "begun") != 0;
  c->is_fork = number_of(reader, state, "fork") != 0;
  c->is_named = number_of(reader, state, "named") != 0;
  c->birth = number_of(reader, state, "birth");
  c->at = number_of(reader, state, "at");
  keep_into(reader, c->session, sizeof c->session, scan_find(state, "session"));
  keep_into(reader, c->model, sizeof c->model, scan_find(state, "model"));
  keep_into(reader, reader->tag, sizeof reader->tag, scan_find(state, "tag"));
}

int codex_keep(const LogReader *reader, Buf *state) {
  const CodexState *c = &reader->codex;
  char chain[HASH_HEX_SIZE];
  hash_hex(&c->chain, chain);
  keep_text(state, "chain", chain);
  keep_text(state, "session", c->session);
  keep_text(state, "model", c->model);
  keep_text(state, "tag", reader->tag);
  return buf_printf(state,
                    ",\"any\":%d,\"begun\":%d,\"fork\":%d,\"named\":%d,\"birth\":%lld,\"at\":%lld,"
                    "\"last\":[%lld,%lld,%lld,%lld,%lld,%lld]",
                    c->any, c->begun, c->is_fork, c->is_named, c->birth, c->at, c->last[0],
                    c->last[1], c->last[2], c->last[3], c->last[4], c->last[5]);
}
