/*
** Usage logs: what each format's records say, by the samples in tests/data/imports and by records that have a trap each.
*/
#include "unit.h"

#include "base/buf.h"
#include "base/text/decimal.h"
#include "core/logs/format.h"
#include "core/logs/scan.h"
#include "store/db/row.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

/* ---- a file, read as who imports reads it: cut by the format's shape; entries of one call are joined */

enum { SEEN_MOST = 64 };

typedef struct Seen {
  LogEntry e;
  char text[16][160]; /* copies of what e borrows */
} Seen;

typedef struct File {
  Seen all[SEEN_MOST]; /* as they came */
  int n;
  int errors;
  char why[4][LIMIT_ERROR_TEXT]; /* the first of them */
  int rc;                        /* that ended the reading */
} File;

static const char *hold(Seen *s, int i, const char *text) {
  if (!text) {
    return NULL;
  }
  size_t bad_at;
  check(utf8_is_valid(text, strlen(text), &bad_at), "text %d is not UTF-8", i);
  snprintf(s->text[i], sizeof s->text[i], "%s", text);
  return s->text[i];
}

static void take(void *arg, const LogEntry *entry, Err *err) {
  File *f = arg;
  (void)err;
  if (f->n == SEEN_MOST) {
    return;
  }
  Seen *s = &f->all[f->n++];
  s->e = *entry;
  const char **texts[] = {&s->e.key,      &s->e.part,          &s->e.group,
                          &s->e.provider, &s->e.model,         &s->e.model_requested,
                          &s->e.tag,      &s->e.user,          &s->e.conversation,
                          &s->e.error,    &s->e.finish_reason, &s->e.request_id,
                          &s->e.item,     &s->e.project,       &s->e.api_key,
                          &s->e.unit};
  for (int i = 0; i < (int)COUNT(texts); i++) {
    *texts[i] = hold(s, i, *texts[i]);
  }
}

static int is_copied(const LogEntry *a, const LogEntry *b) {
  return a->what == LOG_CALL && b->what == LOG_CALL && a->key && b->key &&
         strcmp(a->key, b->key) == 0 &&
         !(a->part && b->part && strcmp(a->part, b->part) != 0 && !a->is_copy && !b->is_copy);
}

/* The entries with those of one call joined, by the rules of entry.h. */
static int join(const File *f, LogEntry *out) {
  int n = 0;
  for (int i = 0; i < f->n; i++) {
    int k = 0;
    while (k < n && !is_copied(&out[k], &f->all[i].e)) {
      k++;
    }
    LogEntry *to = &out[k], now = f->all[i].e;
    if (k == n) {
      out[n++] = now;
    } else if ((to->is_copy && !now.is_copy) ||
               (to->is_copy == now.is_copy && now.rank > to->rank)) {
      now.ts = now.ts < to->ts ? now.ts : to->ts;
      *to = now;
    } else {
      to->ts = now.ts < to->ts ? now.ts : to->ts;
    }
  }
  return n;
}

static void read_record(LogReader *r, const char *at, size_t n, File *f) {
  Err err = {0};
  char *copy = malloc(n + 1); /* of its very length: what reads behind it is seen */
  assert_non_null(copy);
  memcpy(copy, at, n);
  copy = realloc(copy, n ? n : 1);
  int rc = log_reader_read(r, copy, n, take, f, &err);
  int may_skip = log_reader_may_skip(r, copy, n);
  if (rc == RC_ERROR) {
    /* (two lines that were written into one may end as one does) */
    check(!may_skip || err.code == ERR_BAD_JSON, "it may be skipped: %s", err.msg);
    if (f->errors < (int)COUNT(f->why)) {
      snprintf(f->why[f->errors], sizeof f->why[0], "%s", err.msg);
    }
    f->errors++;
  } else {
    f->rc = rc ? rc : f->rc;
    if (rc) {
      snprintf(f->why[0], sizeof f->why[0], "%s", err.msg);
    }
  }
  free(copy);
}

static size_t row_length(const char *p, size_t n) {
  int in_quotes = 0;
  size_t i = 0;
  for (; i < n && (in_quotes || p[i] != '\n'); i++) {
    in_quotes ^= p[i] == '"';
  }
  return i;
}

static void read_rows(LogReader *r, const char *text, size_t n, int is_csv, File *f) {
  int first = is_csv;
  for (size_t at = 0; at < n && !f->rc;) {
    const char *newline = memchr(text + at, '\n', n - at);
    size_t length = is_csv    ? row_length(text + at, n - at)
                    : newline ? (size_t)(newline - text) - at
                              : n - at;
    Err err = {0};
    if (!first) {
      read_record(r, text + at, length, f);
    } else if (log_reader_header(r, text + at, length, &err) != RC_OK) {
      f->rc = err.rc;
      snprintf(f->why[0], sizeof f->why[0], "%s", err.msg);
    }
    first = 0;
    at += length + 1;
  }
}

static void read_elements(LogReader *r, const char *text, size_t n, File *f) {
  Scan s = scan_of((Span){text, n});
  for (scan_array(&s); scan_element(&s);) {
    Span element = scan_take(&s);
    read_record(r, element.at, element.n, f);
  }
}

static void read_with(LogReader *r, const char *text, size_t n, LogShape shape, File *f) {
  if (shape == LOG_DOCUMENT) {
    read_record(r, text, n, f);
  } else if (shape == LOG_ELEMENTS) {
    read_elements(r, text, n, f);
  } else {
    read_rows(r, text, n, shape == LOG_CSV, f);
  }
}

/* Reads a text as a format; `map` NULL but for "csv". Adds to *f. */
static void read_as(const char *format, const char *path, const char *text, const char *map,
                    File *f) {
  Err err = {0};
  cJSON *tree = map ? tree_of(map) : NULL;
  const LogFormat *is = log_format(format);
  check(is, "%s", format);
  LogReader *r = log_reader_new(is, path, NULL, tree, &err);
  if (!r) {
    f->rc = err.rc;
    snprintf(f->why[0], sizeof f->why[0], "%s", err.msg);
  } else {
    read_with(r, text, strlen(text), log_format_shape(is), f);
  }
  log_reader_free(r);
  cJSON_Delete(tree);
}

#define READ(format, text) read_as(format, "file", text, NULL, f)

static File *file_new(void) {
  File *f = calloc(1, sizeof *f);
  assert_non_null(f);
  return f;
}

/* A sample; its format must be recognised. Owned. */
static char *sample(const char *name, const char *format) {
  char path[400];
  const char *slash = strstr(__FILE__, "tests/unit/");
  snprintf(path, sizeof path, "%.*stests/data/imports/%s", (int)(slash - __FILE__), __FILE__, name);
  FILE *in = fopen(path, "rb");
  check(in, "%s", path);
  char *text = calloc(1, 1 << 16);
  assert_non_null(text);
  size_t n = fread(text, 1, (1 << 16) - 1, in);
  fclose(in);
  Err err = {0};
  const LogFormat *found = log_recognise(text, n, 1, &err);
  check(found && strcmp(log_format_name(found), format) == 0, "%s is %s (%s)", name,
        found ? log_format_name(found) : "nothing", err.msg);
  return text;
}

static void read_sample(const char *name, const char *format, File *f) {
  char *text = sample(name, format);
  read_as(format, name, text, NULL, f);
  free(text);
}

static long long unit_sum(const LogEntry *all, int n, Unit unit) {
  long long sum = 0;
  for (int i = 0; i < n; i++) {
    sum += usage_get(&all[i].usage, unit) > 0 ? usage_get(&all[i].usage, unit) : 0;
  }
  return sum;
}

static long long amount_sum(const File *f) {
  long long sum = 0;
  for (int i = 0; i < f->n; i++) {
    sum += f->all[i].e.amount_nusd != LOG_UNKNOWN ? f->all[i].e.amount_nusd : 0;
  }
  return sum;
}

static void check_counts(const LogEntry *e, const char *name, long long input, long long read,
                         long long written, long long hour, long long output) {
  const Usage *u = &e->usage;
  check(usage_get(u, UNIT_INPUT) == input, "%s: input %lld", name, usage_get(u, UNIT_INPUT));
  check(usage_get(u, UNIT_CACHE_READ) == read, "%s: %lld", name, usage_get(u, UNIT_CACHE_READ));
  check(usage_get(u, UNIT_CACHE_WRITE) == written, "%s: written %lld", name,
        usage_get(u, UNIT_CACHE_WRITE));
  check(usage_get(u, UNIT_CACHE_WRITE_1H) == hour, "%s: for an hour %lld", name,
        usage_get(u, UNIT_CACHE_WRITE_1H));
  check(usage_get(u, UNIT_OUTPUT) == output, "%s: output %lld", name, usage_get(u, UNIT_OUTPUT));
}

static void check_text(const char *got, const char *expected) {
  check(expected ? got && strcmp(got, expected) == 0 : !got, "'%s', expected '%s'",
        got ? got : "(null)", expected ? expected : "(null)");
}

enum { X = USAGE_UNKNOWN };

/* ---- Claude Code */

static void claude_sample(void **state) {
  (void)state;
  static const char *const names[] = {
      "claude_code/projects/-home-u-demo/S1.jsonl",
      "claude_code/projects/-home-u-demo/S2-resumed.jsonl",
      "claude_code/projects/-home-u-demo/S1/subagents/agent-a1.jsonl"};
  static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
  for (size_t k = 0; k < COUNT(orders); k++) {
    File *f = file_new();
    LogEntry calls[SEEN_MOST];
    for (int i = 0; i < 3; i++) {
      read_sample(names[orders[k][i]], "claude_code", f);
    }
    int n = join(f, calls);
    check(n == 2 && f->errors == 1, "%d calls, %d errors", n, f->errors);
    check(strstr(f->why[0], "torn"), "%s", f->why[0]);
    const LogEntry *one = &calls[strcmp(calls[0].key, "msg_1") != 0];
    check_counts(one, "msg_1", 22083, 7395, 14685, 685, 159);
    check(one->ts == 1793782802000, "%lld", one->ts);
    check_text(one->tag, "demo");
    check_text(one->provider, "anthropic");
    check(one->billed == LOG_LIST, "billed");
    check_counts(&calls[one == calls], "msg_2", 900, 0, 0, X, 40);
    check_text(calls[one == calls].tag, "demo");
    free(f);
  }
}

#define LINE(id, request, more, usage)                                                             \
  "{\"type\":\"assistant\",\"timestamp\":\"2026-11-04T09:00:02.000Z\",\"sessionId\":"              \
  "\"S\"," request more "\"message\":{" id                                                         \
  "\"model\":\"claude-sonnet-5-5\",\"content\":[{\"type\":\"text\","                               \
  "\"text\":\"say \\\"usage\\\": {\"}],\"usage\":" usage "}}\n"
#define PLAIN "{\"input_tokens\":1,\"output_tokens\":2}"

static void claude_keys(void **state) {
  (void)state;
  File *f = file_new();
  LogEntry calls[SEEN_MOST];
  READ("claude_code", LINE("\"id\":\"m1\",", "", "", PLAIN) LINE("\"id\":\"m1\",", "", "", PLAIN)
                          LINE("\"id\":\"m1\",", "\"requestId\":\"r1\",", "", PLAIN) /* m1 again */
       LINE("\"id\":\"m2\",", "\"requestId\":\"r1\",", "", PLAIN)
           LINE("\"id\":\"m2\",", "\"requestId\":\"r2\",", "", PLAIN) /* another call */
       LINE("\"id\":\"m2\",", "\"requestId\":\"r3\",", "\"isSidechain\":true,", PLAIN) /* a copy */
       LINE("", "\"requestId\":\"r9\",", "\"uuid\":\"u1\",", PLAIN)
           LINE("", "", "\"uuid\":\"u2\",", PLAIN) LINE("", "", "", PLAIN));
  int n = join(f, calls);
  check(f->errors == 0 && n == 6, "%d calls, %s", n, f->why[0]);
  check_text(calls[3].key, "r9");
  check_text(calls[4].key, "u2");
  check_text(calls[5].key, NULL);
  free(f);
}

/* A subagent's step that is shown in its caller's session: one call with the line of its own file, whose output is
** larger; and by itself a call. */
static void claude_shown(void **state) {
  (void)state;
#define SHOWN(type, id, usage)                                                                     \
  "{\"sessionId\":\"S\",\"data\":{\"type\":\"agent_progress\",\"message\":{\"message\":{\"id\":"   \
  "\"" id "\",\"model\":\"claude-haiku-4-5\",\"usage\":" usage                                     \
  "},\"requestId\":\"r\",\"type\":\"" type "\",\"timestamp\":\"2026-11-04T09:00:01.000Z\"}},"      \
  "\"type\":\"progress\",\"timestamp\":\"2026-11-04T09:00:02.000Z\"}\n"
  File *f = file_new();
  LogEntry calls[SEEN_MOST];
  READ("claude_code", SHOWN("assistant", "m1", "{\"input_tokens\":1,\"output_tokens\":1}")
                          LINE("\"id\":\"m1\",", "\"requestId\":\"r\",", "\"isSidechain\":true,",
                               PLAIN) SHOWN("assistant", "m2", PLAIN) SHOWN("user", "m3", PLAIN));
  int n = join(f, calls);
  check(f->errors == 0 && n == 2, "%d calls, %s", n, f->why[0]);
  check(calls[0].usage.n[UNIT_OUTPUT] == 2, "%lld", calls[0].usage.n[UNIT_OUTPUT]);
  check_text(calls[1].key, "m2");
  check_text(calls[1].conversation, "S");
  free(f);
#undef SHOWN
}

/* Users' lines are passed over whatever they hold; whose a line is, is said outside of what it holds. */
static void claude_skips(void **state) {
  (void)state;
#define CALL "\"usage\":" PLAIN
  static const struct {
    const char *line;
    int may_skip;
  } cases[] = {
      {"{\"message\":{\"role\":\"user\",\"content\":[]},\"toolUseResult\":{" CALL "}}", 1},
      {"{\"parentUuid\":null,\"type\":\"user\",\"a\":{" CALL "}}", 1},
      {"{\"a\":[{\"type\":\"user\"}],\"message\":{" CALL "}}", 0},
      {"{\"a\":{\"message\":{\"role\":\"user\"}},\"message\":{" CALL "}}", 0},
      {"{\"message\":{\"content\":[{\"role\":\"user\"}]," CALL "},\"type\":\"assistant\"}", 0},
      {"{\"message\":{\"input\":{\"role\":\"user\"}," CALL "}}", 0},
      {"{\"message\":{\"role\":\"assistant\"," CALL "}}", 0},
      {"{\"s\":\"\\\"type\\\":\\\"user\\\"\",\"type\":\"assistant\",\"message\":{" CALL "}}", 0},
      {"{\"message\":\"user\"," CALL "}", 0},
      {"{\"type\":\"user\",\"message\":{", 0}, /* torn */
      {"{\"s\":[],\"summary\":\"of usage\"}", 1},
      {"}", 1},
      {"{}", 1},
  };
#undef CALL
  Err err = {0};
  LogReader *r = log_reader_new(log_format("claude_code"), "file", NULL, NULL, &err);
  assert_non_null(r);
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t n = strlen(cases[i].line);
    char *copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, cases[i].line, n);
    check(log_reader_may_skip(r, copy, n) == cases[i].may_skip, "%s", cases[i].line);
    free(copy);
  }
  log_reader_free(r);
}

static void claude_usage(void **state) {
  (void)state;
  static const struct {
    const char *name, *usage, *service;
    long long input, read, written, hour, output;
  } cases[] = {
      {"no split", "{\"input_tokens\":1,\"cache_creation_input_tokens\":10,\"output_tokens\":2}",
       "standard", 11, X, 10, X, 2},
      {"split without sum",
       "{\"input_tokens\":1,\"cache_creation\":{\"ephemeral_1h_input_tokens\":3,"
       "\"ephemeral_5m_input_tokens\":4},\"output_tokens\":2}",
       "standard", 8, X, 7, 3, 2},
      {"split and sum disagree",
       "{\"input_tokens\":1,\"cache_creation_input_tokens\":10,\"cache_creation\":{"
       "\"ephemeral_1h_input_tokens\":30,\"ephemeral_5m_input_tokens\":0},\"output_tokens\":2}",
       "standard", 11, X, 10, 10, 2},
      {"fast", "{\"input_tokens\":1,\"output_tokens\":2,\"speed\":\"fast\"}", "fast", 1, X, X, X,
       2},
      {"batch", "{\"input_tokens\":1,\"output_tokens\":2,\"service_tier\":\"batch\"}", "batch", 1,
       X, X, X, 2},
      {"nulls",
       "{\"input_tokens\":1,\"output_tokens\":2,\"cache_creation\":null,\"service_tier\":null,"
       "\"cache_read_input_tokens\":null,\"server_tool_use\":null}",
       "standard", 1, X, X, X, 2},
      {"as gateways write it",
       "{\"input_tokens\":\"1\",\"output_tokens\":2.0,\"cache_creation_input_tokens\":\"10\"}",
       "standard", 11, X, 10, X, 2},
      {"nothing counted is unknown", "{}", "standard", X, X, X, X, X},
      {"attempts",
       "{\"input_tokens\":10,\"output_tokens\":5,\"iterations\":[{\"type\":\"compaction\","
       "\"input_tokens\":100,\"output_tokens\":20},{\"input_tokens\":10,\"output_tokens\":5}]}",
       "standard", 110, X, X, X, 25},
      {"one attempt",
       "{\"input_tokens\":10,\"output_tokens\":5,\"iterations\":[{\"input_tokens\":10,"
       "\"output_tokens\":5}]}",
       "standard", 10, X, X, X, 5}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    File *f = file_new();
    char line[2000];
    snprintf(line, sizeof line, LINE("\"id\":\"m\",", "", "", "%s"), cases[i].usage);
    READ("claude_code", line);
    check(f->n == 1 && !f->errors, "%s: %d, %s", cases[i].name, f->n, f->why[0]);
    check_counts(&f->all[0].e, cases[i].name, cases[i].input, cases[i].read, cases[i].written,
                 cases[i].hour, cases[i].output);
    check(strcmp(f->all[0].e.usage.service, cases[i].service) == 0, "%s", cases[i].name);
    free(f);
  }
}

static void claude_errors(void **state) {
  (void)state;
  static const struct {
    const char *line, *why;
  } cases[] = {
      {LINE("", "", "", "{\"input_tokens\":-1,\"output_tokens\":2}"), "input_tokens"},
      {LINE("", "", "", "{\"input_tokens\":1.5,\"output_tokens\":2}"), "input_tokens"},
      {LINE("", "", "", "{\"input_tokens\":1e3,\"output_tokens\":2}"), "input_tokens"},
      {LINE("", "", "", "{\"input_tokens\":2000000000,\"output_tokens\":2}"), "input_tokens"},
      {"{\"type\":\"assistant\",\"message\":{\"usage\":" PLAIN "}}", "time"},
      {"{\"type\":\"assistant\",\"message\":{\"usage\":" PLAIN, "torn"},
      {"{\"type\":\"assistant\",\"mes{\"type\":\"user\",\"secret\":\"prompt\"}", "not JSON"},
      {"{\"type\":\"user\"} {\"usage\":1}", "not JSON"},
      {"{\"usage\":[1,2}", "not JSON"},
      {"{\"type\":\"user\",\"a\":\"x", "torn"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    File *f = file_new();
    READ("claude_code", cases[i].line);
    check(f->n == 0 && f->errors == 1, "%s", cases[i].line);
    check(strstr(f->why[0], cases[i].why) && !strstr(f->why[0], "secret"), "%s", f->why[0]);
    free(f);
  }
  File *f = file_new();
  READ("claude_code", "{\"type\":\"summary\",\"summary\":\"s\",\"leafUuid\":\"l\"}\n\n"
                      "{\"type\":\"user\",\"toolUseResult\":{\"usage\":" PLAIN "}}\r\n"
                      "{\"type\":\"user\",\"message\":{\"usage\":" PLAIN "}}\n"
                      "{\"type\":\"file-history-snapshot\",\"snapshot\":{\"usage\":1}}\n"
                      "{\"type\":\"assistant\",\"message\":\"usage\"}\n");
  check(f->n == 0 && f->errors == 0, "%s", f->why[0]);
  free(f);
}

/* The project is the line's, or that of one before, or the folder's; old lines state a cost. */
static void claude_projects(void **state) {
  (void)state;
  File *f = file_new();
  read_as("claude_code", "/x/.claude/projects/-home-u-my-shop/S.jsonl",
          LINE("", "", "", PLAIN) LINE("", "", "\"cwd\":\"/home/u/my-shop/\",", PLAIN)
              LINE("", "", "", PLAIN)
                  LINE("", "", "\"cwd\":\"C:\\\\work\\\\caf\\u00e9\",\"costUSD\":0.0125,", PLAIN),
          NULL, f);
  check(f->n == 4, "%d: %s", f->n, f->why[0]);
  check_text(f->all[0].e.tag, "shop");
  check_text(f->all[1].e.tag, "my-shop");
  check_text(f->all[2].e.tag, "my-shop");
  check_text(f->all[3].e.tag, "caf\xC3\xA9");
  check(f->all[3].e.usage.reported_nusd == 12500000, "cost");
  check(f->all[0].e.usage.reported_nusd == USAGE_UNKNOWN, "no cost");
  free(f);
}

/* ---- Codex */

#define META(id, time, more)                                                                       \
  "{\"timestamp\":\"2026-11-04T" time "Z\",\"type\":\"session_meta\",\"payload\":{\"id\":\"" id    \
  "\",\"cwd\":\"/home/u/demo\"" more "}}\n"
#define COUNTED(name, in, out) "\"" name "\":{\"input_tokens\":" #in ",\"output_tokens\":" #out "}"
#define TOTAL(time, in, out)                                                                       \
  "{\"timestamp\":\"2026-11-04T" time "Z\",\"type\":\"event_msg\",\"payload\":{\"type\":"          \
  "\"token_count\",\"info\":{" COUNTED("total_token_usage", in, out) "}}}\n"
#define TOTAL_OWN(time, in, out, own_in, own_out)                                                  \
  "{\"timestamp\":\"2026-11-04T" time "Z\",\"type\":\"event_msg\",\"payload\":{\"type\":"          \
  "\"token_count\",\"info\":{" COUNTED("total_token_usage", in, out) "," COUNTED(                  \
      "last_token_usage", own_in, own_out) "}}}\n"

#define OWN(time, in, out)                                                                         \
  "{\"timestamp\":\"2026-11-04T" time "Z\",\"type\":\"event_msg\",\"payload\":{\"type\":"          \
  "\"token_count\",\"info\":{" COUNTED("last_token_usage", in, out) "}}}\n"

static void codex_sample(void **state) {
  (void)state;
  File *f = file_new();
  LogEntry calls[SEEN_MOST];
  read_sample("codex/sessions/2026/11/04/rollout-2026-11-04T09-00-00-demo.jsonl", "codex", f);
  int n = join(f, calls);
  check(n == 2 && !f->errors, "%d calls, %s", n, f->why[0]);
  check(unit_sum(calls, n, UNIT_INPUT) == 30475, "input");
  check(unit_sum(calls, n, UNIT_CACHE_READ) == 16432, "cached");
  check(unit_sum(calls, n, UNIT_CACHE_WRITE) == 9500, "written");
  check(unit_sum(calls, n, UNIT_OUTPUT) == 416, "output");
  check(unit_sum(calls, n, UNIT_REASONING) == 150, "reasoning");
  check_text(calls[0].model, "gpt-6.1-sol");
  check_text(calls[0].tag, "demo");
  check_text(calls[0].conversation, "C1");
  free(f);
}

/* I04: a fork that replays its parent, a fork of it, an own call in the second of the replay. */
static void codex_forks(void **state) {
  (void)state;
  static const char *const files[] = {
      META("P", "09:00:00.000", "") TOTAL("09:00:05.000", 1000, 100)
          TOTAL("09:00:05.012", 1000, 100) TOTAL("09:00:09.000", 3000, 300),
      META("A", "10:00:00.100", ",\"forked_from_id\":\"P\"") META("P", "10:00:00.101", "")
          TOTAL("10:00:00.102", 1000, 100) TOTAL("10:00:00.102", 1000, 100)
              TOTAL("10:00:00.103", 3000, 300) TOTAL("10:00:08.000", 3400, 400),
      META("B", "11:00:00.100", "") META("A", "11:00:00.101", "") TOTAL("11:00:00.102", 1000, 100)
          TOTAL("11:00:00.103", 3000, 300) TOTAL("11:00:00.104", 3400, 400)
              TOTAL("11:00:00.900", 3450, 450) /* its own, already in this second */
  };
  static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {2, 0, 1}};
  for (size_t k = 0; k < COUNT(orders); k++) {
    File *f = file_new();
    LogEntry calls[SEEN_MOST];
    for (int i = 0; i < 3; i++) {
      READ("codex", files[orders[k][i]]);
    }
    int n = join(f, calls);
    check(n == 4 && !f->errors, "order %zu: %d calls", k, n);
    check(unit_sum(calls, n, UNIT_INPUT) + unit_sum(calls, n, UNIT_OUTPUT) == 3300 + 500 + 100,
          "order %zu", k);
    for (int i = 0; i < n; i++) {
      check(!calls[i].is_copy || calls[i].usage.n[UNIT_INPUT] == 50, "the original counts");
    }
    free(f);
  }
}

static void codex_totals(void **state) {
  (void)state;
  File *f = file_new();
  LogEntry calls[SEEN_MOST];
  /* two sessions that begin alike are two; totals that go down begin anew */
  READ("codex", META("S1", "09:00:00.000", "") TOTAL("09:00:05.000", 1000, 100)
                    TOTAL("09:00:06.000", 400, 40) TOTAL("09:00:07.000", 900, 90));
  READ("codex", META("S2", "09:00:00.000", "") TOTAL("09:00:05.000", 1000, 100)
                    TOTAL_OWN("09:00:06.000", 400, 40, 300, 30) TOTAL("09:00:07.000", 0, 0));
  /* what a resumed session had before is no call of this file */
  READ("codex", META("S3", "09:00:00.000", "") TOTAL_OWN("09:00:05.000", 50000, 5000, 200, 20)
                    TOTAL("09:00:06.000", 50100, 5010));
  /* without totals each event tells its own call, also where it is shown again at once */
  READ("codex", META("S4", "09:00:00.000", "") OWN("09:00:05.000", 700, 7)
                    OWN("09:00:05.012", 700, 7) OWN("09:00:09.000", 800, 8));
  int n = join(f, calls);
  static const long long inputs[] = {1000, 400, 500, 1000, 300, 200, 100, 700, 800};
  check(n == COUNT(inputs) && !f->errors, "%d calls, %s", n, f->why[0]);
  for (int i = 0; i < n; i++) {
    check(calls[i].usage.n[UNIT_INPUT] == inputs[i], "%d: %lld", i, calls[i].usage.n[UNIT_INPUT]);
    check_text(calls[i].model, NULL);
  }
  free(f);
}

/* Read in two pieces, with the state between them, it is the same as at once. */
static void states_resume(void **state) {
  (void)state;
  static const struct {
    const char *format, *text;
  } cases[] = {
      {"codex", META("P", "09:00:00.000", "") TOTAL("09:00:00.500", 1000, 100)
                    TOTAL("09:00:00.512", 1000, 100) TOTAL("09:00:09.000", 3000, 300)
                        META("Q", "09:00:00.000", "") TOTAL("09:00:10.000", 10, 1)},
      {"codex",
       "{\"timestamp\":\"1013-11-04T09:00:09Z\",\"type\":\"session_meta\"}\n" TOTAL(
           "09:00:00.500", 1000, 100) "{\"timestamp\":\"1013-11-04T09:00:09Z\",\"payload\":{"
                                      "\"type\":\"token_count\",\"info\":{" COUNTED(
                                          "total_token_usage", 2000, 200) "}}}\n"},
      {"claude_code", LINE("", "", "\"cwd\":\"/a/b\\\"c\",", PLAIN) LINE("", "", "", PLAIN)
                          LINE("", "", "", PLAIN)}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    File *whole = file_new();
    read_as(cases[i].format, "x.jsonl", cases[i].text, NULL, whole);
    for (const char *cut = cases[i].text; (cut = strchr(cut, '\n')); cut++) {
      File *f = file_new();
      Err err = {0};
      const LogFormat *format = log_format(cases[i].format);
      LogReader *r = log_reader_new(format, "x.jsonl", NULL, NULL, &err);
      read_rows(r, cases[i].text, (size_t)(cut - cases[i].text), 0, f);
      char *kept = log_reader_state(r, &err);
      log_reader_free(r);
      r = log_reader_new(format, "x.jsonl", kept, NULL, &err);
      read_rows(r, cut + 1, strlen(cut + 1), 0, f);
      log_reader_free(r);
      free(kept);
      check(f->n == whole->n, "%s: %d", cases[i].format, f->n);
      for (int k = 0; k < f->n; k++) {
        const LogEntry *a = &f->all[k].e, *b = &whole->all[k].e;
        check_text(a->key, b->key);
        check_text(a->tag, b->tag);
        check_text(a->part, b->part);
        check(a->is_copy == b->is_copy && memcmp(&a->usage, &b->usage, sizeof a->usage) == 0,
              "%s: %d", cases[i].format, k);
      }
      free(f);
    }
    free(whole);
  }
}

/* ---- sums */

static void openai_costs(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("openai_costs.json", "openai_costs", f);
  check(f->n == 4 && !f->errors && amount_sum(f) == 268800000, "%d, %lld", f->n, amount_sum(f));
  const LogEntry *e = &f->all[0].e;
  check(e->what == LOG_SUM && e->ts == 1793750400000 && e->to == 1793836800000, "days");
  check_text(e->model, "gpt-6-astra");
  check_text(e->item, "input");
  check_text(e->unit, "tokens");
  check(e->quantity == 64200 && !e->usage.has, "tokens of money rows are a quantity");
  check_text(f->all[2].e.item, "web search tool calls");
  check_text(f->all[2].e.model, NULL);
  memset(f, 0, sizeof *f);
  read_sample("openai_cost_dashboard.csv", "openai_cost_csv", f);
  check(f->n == 3 && !f->errors && amount_sum(f) == 222635980, "%d: %lld, %s", f->n, amount_sum(f),
        f->why[0]);
  check_text(f->all[1].e.item, "output");
  check_text(f->all[0].e.user, NULL);
  memset(f, 0, sizeof *f);
  read_sample("openai_dashboard_empty.csv", "openai_usage_csv", f);
  check(f->n == 0 && !f->errors, "%s", f->why[0]);
  free(f);
}

/* Kinds of tokens have several spellings. */
static void line_items(void **state) {
  (void)state;
  static const struct {
    const char *item, *model, *is, *service;
  } cases[] = {{"gpt-5, input", "gpt-5", "input", "standard"},
               {"gpt-5, input_cached_tokens", "gpt-5", "cache_read", "standard"},
               {"gpt-5, cached input", "gpt-5", "cache_read", "standard"},
               {"gpt-5, cache writes", "gpt-5", "cache_write", "standard"},
               {"gpt-5, cache writes - 12hr", "gpt-5", "cache_write_1h", "standard"},
               {"gpt-5 batch, output", "gpt-5", "output", "batch"},
               {"gpt-5, audio input", "gpt-5", "audio input", "standard"},
               {"Fees, taxes and more", NULL, "Fees, taxes and more", "standard"},
               {"assistants api | file search", NULL, "assistants api | file search", "standard"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    File *f = file_new();
    char text[600];
    snprintf(text, sizeof text,
             "[{\"data\":[{\"start_time\":1793750400,\"end_time\":1793836800,\"results\":[{"
             "\"amount\":{\"value\":-1e-3,\"currency\":\"usd\"},\"line_item\":\"%s\","
             "\"quantity\":2,\"quantity_unit\":\"1000_tokens\"}]}]}]",
             cases[i].item);
    READ("openai_costs", text);
    check(f->n == 1 && !f->errors, "%s: %s", cases[i].item, f->why[0]);
    check_text(f->all[0].e.model, cases[i].model);
    check_text(f->all[0].e.item, cases[i].is);
    check_text(f->all[0].e.usage.service, cases[i].service);
    check(f->all[0].e.amount_nusd == -1000000 && f->all[0].e.quantity == 2000, "a credit");
    check_text(f->all[0].e.unit, "tokens");
    free(f);
  }
}

static void openai_usage(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("openai_usage_completions.json", "openai_usage", f);
  check(f->n == 2 && !f->errors, "%d, %s", f->n, f->why[0]);
  check_counts(&f->all[0].e, "row 1", 64200, 40000, 4200, 200, 11300);
  check_counts(&f->all[1].e, "row 2", 500000, 0, X, X, 80000);
  check(f->all[0].e.requests + f->all[1].e.requests == 1031, "requests");
  check_text(f->all[0].e.usage.service, "standard");
  check_text(f->all[1].e.usage.service, "batch");
  check(f->all[0].e.amount_nusd == LOG_UNKNOWN, "no money");
  memset(f, 0, sizeof *f); /* sums may be larger than a call, and pages may follow each other */
  READ("openai_usage", "{\"data\":[{\"start_time\":1793750400,\"end_time\":1793836800,\"results\":["
                       "{\"input_tokens\":900000000000,\"output_tokens\":1,"
                       "\"num_model_requests\":7},{\"input_tokens\":-1},{\"object\":"
                       "\"organization.usage.images.result\",\"images\":3}]}]}\n"
                       "{\"data\":[]}");
  check(f->n == 2 && f->errors == 1, "%d, %d", f->n, f->errors);
  check_counts(&f->all[0].e, "a sum", 900000000000, X, X, X, 1);
  check_text(f->all[1].e.item, "images");
  check(f->all[1].e.quantity == 3, "images");
  free(f);
}

static void anthropic_sums(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("anthropic_cost_report.json", "anthropic_cost", f);
  check(f->n == 2 && !f->errors && amount_sum(f) == 1334560000, "%lld", amount_sum(f));
  check_text(f->all[0].e.item, "input");
  check_text(f->all[1].e.item, "web_search");
  memset(f, 0, sizeof *f);
  read_sample("anthropic_cost_console.csv", "anthropic_cost_csv", f);
  long long list = 0;
  for (int i = 0; i < f->n; i++) {
    list += f->all[i].e.list_nusd;
  }
  check(f->n == 4 && amount_sum(f) == 1410000000 && list == 1560000000, "%s", f->why[0]);
  check_text(f->all[0].e.model, "claude-haiku-4-5");
  check_text(f->all[1].e.item, "cache_read");
  check_text(f->all[3].e.usage.service, "fast");
  check(f->all[0].e.to - f->all[0].e.ts == 86400000, "a day");
  memset(f, 0, sizeof *f);
  read_sample("anthropic_usage_messages.json", "anthropic_usage", f);
  check(f->n == 2 && !f->errors, "%s", f->why[0]);
  check_counts(&f->all[0].e, "row 1", 3200, 200, 1500, 1000, 500);
  check_counts(&f->all[1].e, "row 2", 90000, 0, 0, 0, 21000);
  check(usage_get(&f->all[0].e.usage, UNIT_WEB_SEARCH) == 10, "searches");
  check_text(f->all[1].e.usage.service, "batch");
  memset(f, 0, sizeof *f);
  read_sample("anthropic_usage_console.csv", "anthropic_usage_csv", f);
  check(f->n == 3 && !f->errors, "%s", f->why[0]);
  check_counts(&f->all[0].e, "row 1", 182950, 120000, 15969, 0, 16932);
  check_counts(&f->all[1].e, "row 2", 90000, 0, 0, 0, 21000);
  check_counts(&f->all[2].e, "row 3", 260000, 0, 10000, 10000, 900);
  check_text(f->all[1].e.usage.service, "batch");
  check_text(f->all[2].e.api_key, "Key, two");
  memset(f, 0,
         sizeof *f); /* older columns, a BOM, thousands, CRLF; names of models as they are shown */
  READ("anthropic_usage_csv",
       "\xEF\xBB\xBFusage_date_utc,model_version,usage_input_tokens_no_cache,"
       "usage_input_tokens_cache_write,usage_output_tokens\r\n2024-11-04,Claude Sonnet 3.5,"
       "\"1,234,567\",\"1,000\",12\r\n2024-11-05,x,\"1,5\",0,0\r\n");
  check(f->n == 1 && f->errors == 1, "%d, %s", f->n, f->why[0]);
  check_counts(&f->all[0].e, "old", 1235567, X, 1000, X, 12);
  check_text(f->all[0].e.model, "claude-3-5-sonnet");
  free(f);
}

static void activity(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("openrouter_activity.csv", "openrouter_activity_csv", f);
  check(f->n == 3 && !f->errors, "%d, %s", f->n, f->why[0]);
  check(f->all[0].e.ts == 1793750400000 && f->all[0].e.amount_nusd == 430070000000, "day 1");
  check(f->all[1].e.amount_nusd == 0 && f->all[1].e.requests == 410, "day 2");
  check(f->all[2].e.amount_nusd == 5120000000 && !f->all[2].e.usage.has, "own key");
  check_text(f->all[2].e.item, "byok");
  memset(f, 0, sizeof *f);
  read_sample("openrouter_activity_api.json", "openrouter_activity", f);
  check(f->n == 2 && amount_sum(f) == 27000000, "%d, %s", f->n, f->why[0]);
  check_text(f->all[0].e.model, "openai/gpt-4o-mini-2024-07-18");
  free(f);
}

/* ---- gateways */

static void litellm(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("litellm_spend_logs.json", "litellm", f);
  check(f->n == 4 && !f->errors, "%d, %s", f->n, f->why[0]);
  const LogEntry *e = &f->all[0].e;
  check_counts(e, "call", 2006, 1920, X, X, 300);
  check(e->kind == LOG_ANSWERED && e->usage.reported_nusd == 615000 && e->latency_ms == 2306,
        "call");
  check_text(e->tag, "jobID:7");
  check_text(e->user, "cust-9");
  check_text(e->conversation, "sess-1");
  check_text(e->model_requested, "cheap");
  check(f->all[1].e.kind == LOG_HIT && f->all[1].e.usage.reported_nusd == 0, "hit");
  check(f->all[1].e.saved_nusd == LOG_UNKNOWN, "saved");
  e = &f->all[2].e;
  check(!e->usage.has && e->usage.reported_nusd == USAGE_UNKNOWN && e->http_status == 429,
        "failure");
  check_text(e->error, "RateLimitError");
  check(f->all[3].e.kind == LOG_BATCH && f->all[3].e.usage.reported_nusd == 60900000, "batch");
  check_text(f->all[3].e.usage.service, "batch");
  Err err = {0};
  static const char *const sums[] = {
      "[{\"startTime\":\"2026-11-04\",\"spend\":0.06,\"users\":{},\"models\":{\"a\":1}}]",
      "{\"startTime\":\"2026-11-04\",\"spend\":0.06,\"users\":{},\"models\":{\"a\":1}}\n"};
  for (size_t i = 0; i < COUNT(sums); i++) {
    err_clear(&err);
    check(!log_recognise(sums[i], strlen(sums[i]), 1, &err), "refused");
    check_error(&err, "bad_argument", "summarize=false", "summarized");
  }
  memset(f, 0,
         sizeof *f); /* a dump of the table: JSON in cells, Postgres' times, an e-mail address */
  READ("litellm_csv",
       "request_id,call_type,spend,startTime,prompt_tokens,completion_tokens,metadata,"
       "request_tags,end_user,status\n"
       "a,aembedding,1e-05,2026-11-04 09:00:00.125+01,10,0,\"{\"\"usage_object\"\":{"
       "\"\"prompt_tokens\"\":10,\"\"completion_tokens\"\":0,\"\"prompt_tokens_details\"\":{"
       "\"\"cached_tokens\"\":4}}}\",\"[\"\"t\"\"]\",jane@example.com,success\n");
  check(f->n == 1, "%s", f->why[0]);
  e = &f->all[0].e;
  check(e->kind == LOG_EMBED && e->usage.reported_nusd == 10000 && e->ts == 1793779200125, "%lld",
        e->ts);
  check(usage_get(&e->usage, UNIT_CACHE_READ) == 4, "cached");
  check_text(e->tag, "t");
  check(e->user && strncmp(e->user, "person-", 7) == 0 && !strchr(e->user, '@'), "%s", e->user);
  memset(f, 0, sizeof *f); /* a page of its API; a stream that broke off was billed */
  static const char page[] =
      "{\"data\":[{\"request_id\":\"a\",\"call_type\":\"acompletion\",\"spend\":0.001,"
      "\"startTime\":"
      "\"2026-11-04T09:00:00\",\"status\":\"failure\",\"prompt_tokens\":10,\"completion_tokens\":1,"
      "\"cache_hit\":null,\"session_id\":\"10.0.0.7\",\"request_tags\":[\"@acme/"
      "app\"]},5],\"page\":1}";
  check(log_recognise(page, strlen(page), 1, &(Err){0}) == log_format("litellm_json"), "a page");
  READ("litellm_json", page);
  check(f->n == 1 && f->errors == 1, "%s", f->why[0]);
  check(f->all[0].e.usage.reported_nusd == 1000000 && f->all[0].e.usage.has, "billed");
  check_text(f->all[0].e.error, "error");
  check_text(f->all[0].e.tag, "@acme/app");
  check(strncmp(f->all[0].e.conversation, "person-", 7) == 0, "%s", f->all[0].e.conversation);
  free(f);
}

static void langfuse(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("langfuse_observations_v2.jsonl", "langfuse", f);
  check(f->n == 3 && !f->errors, "%d, %s", f->n, f->why[0]);
  check_counts(&f->all[0].e, "obs-1", 2006, 1920, X, X, 300);
  check(f->all[0].e.usage.reported_nusd == 336900 && f->all[2].e.usage.reported_nusd == 16240,
        "costs");
  check(f->all[0].e.latency_ms == 2306 && f->all[0].e.rank == 1793782803000, "times");
  check_text(f->all[0].e.tag, "support");
  check_text(f->all[0].e.group, "tr-1");
  check(!f->all[1].e.usage.has && f->all[1].e.usage.reported_nusd == USAGE_UNKNOWN, "failed");
  check_text(f->all[1].e.error, "429");
  check(f->all[2].e.kind == LOG_EMBED, "embedding");
  memset(f, 0, sizeof *f);
#define OBSERVED(type, usage)                                                                      \
  "{\"id\":\"o\",\"trace_id\":\"t\",\"type\":\"" type "\",\"start_time\":\"2026-11-04 09:00:00\"," \
  "\"usage_details\":" usage ",\"level\":\"ERROR\",\"status_message\":\"a person's words\"}\n"
  READ("langfuse",
       OBSERVED("AGENT", "{\"input\":60,\"output\":40,\"total\":100}") OBSERVED("SPAN", "{}")
           OBSERVED("GENERATION", "{\"input\":100,\"input_cached_tokens\":60,\"output\":10,"
                                  "\"output_reasoning_tokens\":4,\"total\":110}") /* all in input */
       OBSERVED("GENERATION", "{\"input\":1,\"cache_read_input_tokens\":60,\"output\":10,"
                              "\"cache_creation_input_tokens\":4}")
           OBSERVED("GENERATION", "{\"input\":-1}"));
  check(f->n == 3 && f->errors == 1, "%d, %d", f->n, f->errors);
  check(f->all[0].e.what == LOG_SUM, "a parent is a sum");
  check_text(f->all[0].e.group, "t");
  check_counts(&f->all[1].e, "all in input", 100, 60, X, X, 10);
  check_text(f->all[1].e.error, "error");
  check_counts(&f->all[2].e, "Anthropic's names", 65, 60, 4, X, 10);
  Err err = {0};
  static const char nul[] = "{\"id\0\":1,\"type\0.\":{}}";
  LogReader *r = log_reader_new(log_format("langfuse"), NULL, NULL, NULL, &err);
  read_record(r, nul, sizeof nul - 1, f);
  check(f->n == 3 && f->errors == 1, "a NUL in a name");
  log_reader_free(r);
  free(f);
}

static void helicone(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("helicone_export.csv", "helicone", f);
  check(f->n == 3 && !f->errors, "%d, %s", f->n, f->why[0]);
  check(f->all[0].e.usage.reported_nusd == 336900 && f->all[0].e.kind == LOG_ANSWERED, "call");
  check(f->all[0].e.ts == 1793782800125 && f->all[0].e.latency_ms == 2306, "times");
  check(f->all[1].e.kind == LOG_HIT && f->all[1].e.usage.reported_nusd == 0, "hit");
  check(f->all[2].e.http_status == 429 && !f->all[2].e.usage.has, "failure");
  check_text(f->all[2].e.error, "429");
  free(f);
}

static void openrouter(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("openrouter_generations.csv", "openrouter", f);
  check(f->n == 3 && !f->errors, "%d, %s", f->n, f->why[0]);
  check(f->all[0].e.usage.reported_nusd + f->all[2].e.usage.reported_nusd == 12700000, "cost");
  check(f->all[1].e.usage.reported_nusd == 4200000, "own key");
  check_text(f->all[1].e.usage.service, "byok");
  check_text(f->all[2].e.finish_reason, "cancelled");
  check(f->all[0].e.ts == 1793782800125, "%lld is UTC, as the id says", f->all[0].e.ts);
  check_counts(&f->all[0].e, "gen 1", 10389, 9000, X, X, 137);
  memset(f, 0, sizeof *f); /* I17 */
#define GENERATION(byok)                                                                           \
  "{\"data\":{\"id\":\"g\",\"created_at\":\"2026-11-04T09:00:00+00:00\",\"cost\":0.00001,"         \
  "\"upstream_inference_cost\":0.00197,\"is_byok\":" byok                                          \
  ",\"model\":\"a/b\",\"variant\":\"free\",\"tokens_prompt\":5,\"native_tokens_prompt\":7}}\n"
  READ("openrouter_json", GENERATION("true") GENERATION("false"));
  check(f->n == 2, "%s", f->why[0]);
  check(f->all[0].e.usage.reported_nusd == 1980000, "%lld", f->all[0].e.usage.reported_nusd);
  check(f->all[1].e.usage.reported_nusd == 10000, "%lld", f->all[1].e.usage.reported_nusd);
  check_text(f->all[0].e.model, "a/b:free");
  check(usage_get(&f->all[0].e.usage, UNIT_INPUT) == 7, "the provider's count is billed");
  free(f);
}

/* ---- OpenTelemetry */

#define ATTRIBUTE(key, kind, value) "{\"key\":\"" key "\",\"value\":{\"" kind "\":" value "}},"
#define SPAN(id, name, attributes)                                                                 \
  "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"t1\",\"spanId\":\"" id          \
  "\",\"name\":\"" name "\",\"startTimeUnixNano\":\"1793782800125000000\",\"endTimeUnixNano\":"    \
  "1793782802431000000,\"attributes\":[" attributes "{\"key\":\"x\",\"value\":{}}]}]}]}]}\n"
#define USED(in, out)                                                                              \
  ATTRIBUTE("gen_ai.request.model", "stringValue", "\"m\"")                                        \
  ATTRIBUTE("gen_ai.usage.input_tokens", "intValue", in)                                           \
  ATTRIBUTE("gen_ai.usage.output_tokens", "intValue", out)
#define DOES(operation) ATTRIBUTE("gen_ai.operation.name", "stringValue", "\"" operation "\"")

static void spans(void **state) {
  (void)state;
  File *f = file_new();
  read_sample("otel_genai_spans.jsonl", "otel", f);
  check(f->n == 4 && !f->errors, "%d, %s", f->n, f->why[0]);
  const LogEntry *e = &f->all[0].e;
  check_counts(e, "span 1", 22083, 7395, 14685, X, 159);
  check(e->ts == 1793782800125 && e->latency_ms == 2306, "times");
  check_text(e->key, "5b8efff798038103d269b633813fc60c:=msg_1");
  check_text(e->finish_reason, "tool_use");
  check_text(e->request_id, "msg_1");
  check_text(e->tag, "desk");
  check(f->all[1].e.what == LOG_SUM, "the agent's is a sum");
  check_text(f->all[1].e.group, e->group);
  check_counts(&f->all[2].e, "old names", 2006, X, X, X, 300);
  check_text(f->all[2].e.tag, NULL);
  check(!f->all[3].e.usage.has, "failed");
  check_text(f->all[3].e.error, "429");
  memset(f, 0, sizeof *f);
  READ("otel",
       SPAN("a", "x", DOES("Chat") USED("\"60\"", "40"))
           SPAN("b", "x", DOES("invoke_agent") USED("60", "40"))
               SPAN("c", "invoke agent x", USED("60", "40")) SPAN("d", "x", USED("60", "40"))
                   SPAN("e", "x",
                        DOES("text-completion") USED("3", "4")
                            ATTRIBUTE("gen_ai.usage.cache_read.input_tokens", "intValue", "\"60\""))
                       SPAN("f", "x", DOES("embeddings") USED("60", "0")) SPAN("g", "SELECT", "")
                           SPAN("h", "x", DOES("chat") USED("-1", "0")));
  static const char is[] = "cssccc"; /* calls, sums */
  check(f->n == 6 && f->errors == 1, "%d, %d: %s", f->n, f->errors, f->why[0]);
  for (int i = 0; i < f->n; i++) {
    check((f->all[i].e.what == LOG_SUM) == (is[i] == 's'), "span %d", i);
  }
  check_counts(&f->all[4].e, "beside", 63, 60, X, X, 4);
  check(f->all[5].e.kind == LOG_EMBED, "embeddings");
  free(f);
}

/* ---- llm's database, our own rows */

static void llm_rows(void **state) {
  (void)state;
  File *f = file_new();
  READ("llm_logs",
       "{\"id\":\"r01\",\"model\":\"gpt-4o-mini\",\"prompt\":\"hi\",\"conversation_id\":\"c\","
       "\"duration_ms\":2306,\"datetime_utc\":\"2026-02-04T09:00:00.125000+00:00\","
       "\"input_tokens\":2006,\"output_tokens\":300,\"token_details\":"
       "\"{\\\"prompt_tokens_details\\\":{\\\"cached_tokens\\\":1920}}\",\"resolved_model\":"
       "\"gpt-4o-mini-2024-07-18\"}\n"
       "{\"id\":\"r02\",\"model\":\"llama3\",\"datetime_utc\":\"2026-02-04T09:01:00\","
       "\"input_tokens\":null,\"output_tokens\":null,\"token_details\":null}\n"
       "{\"id\":\"u01\",\"model\":\"claude-haiku-4.5\",\"datetime_utc\":"
       "\"2026-11-04T09:00:02.000000+00:00\",\"input_tokens\":15,\"output_tokens\":260,"
       "\"token_details\":\"{\\\"cache_read_input_tokens\\\":7395,"
       "\\\"cache_creation_input_tokens\\\":0}\"}\n");
  check(f->n == 3 && !f->errors, "%d, %s", f->n, f->why[0]);
  check_counts(&f->all[0].e, "OpenAI's", 2006, 1920, X, X, 300);
  check(!f->all[1].e.usage.has, "local");
  check_text(f->all[1].e.model, "llama3");
  check_counts(&f->all[2].e, "Anthropic's", 7410, 7395, 0, X, 260);
  check(log_format_query(log_format("llm_logs")) && !log_format_query(log_format("csv")), "query");
  Err err = {0};
  static const char head[32] = "SQLite format 3";
  check(log_recognise(head, sizeof head, 0, &err) == log_format("llm_logs"), "a database");
  free(f);
}

static void own_rows(void **state) {
  (void)state;
  File *f = file_new();
  READ("llmcost",
       "{\"id\":1,\"request_id\":\"q\",\"attempt\":1,\"ts\":1793782800125,\"kind\":\"call\","
       "\"model\":\"m\",\"input_tokens\":10,\"cached_input_tokens\":4,\"output_tokens\":2,"
       "\"cost_nusd\":5,\"billed\":\"list\",\"usage\":\"{\\\"input\\\":10,\\\"output\\\":2,"
       "\\\"web_search\\\":3}\",\"service\":\"flex\"}\n"
       "{\"id\":2,\"request_id\":\"q\",\"attempt\":0,\"ts\":1793782800125,\"kind\":\"hit_exact\","
       "\"saved_nusd\":5}\n"
       "{\"id\":3,\"request_id\":\"q\",\"attempt\":0,\"ts\":1793782800125,\"kind\":\"refused\"}\n"
       "{\"id\":4,\"request_id\":\"r\",\"attempt\":1,\"ts\":1793782800125,\"kind\":\"call\","
       "\"cost_nusd\":5,\"cost_reported_nusd\":7,\"input_tokens\":3,\"cached_input_tokens\":4}\n"
       "{\"id\":5,\"request_id\":\"r\",\"attempt\":2,\"ts\":1793782800125,\"kind\":\"call\","
       "\"cost_nusd\":5,\"cost_reported_nusd\":7}\n"
       "{\"id\":6,\"request_id\":\"r\",\"attempt\":1,\"ts\":1793782800125,\"kind\":\"gift\"}\n");
  check(f->n == 3 && f->errors == 2, "%d, %d: %s", f->n, f->errors, f->why[0]);
  check_text(f->all[0].e.key, "q:1");
  check(f->all[0].e.billed == LOG_LIST && f->all[0].e.usage.reported_nusd == 5, "billed");
  check(usage_get(&f->all[0].e.usage, UNIT_WEB_SEARCH) == 3, "units that no column has");
  check_text(f->all[0].e.usage.service, "flex");
  check_text(f->all[1].e.key, "q:0:2");
  check(f->all[1].e.kind == LOG_HIT && f->all[1].e.saved_nusd == 5, "hit");
  check(f->all[2].e.usage.reported_nusd == 7, "what the provider stated");
  check(strstr(f->why[0], "more than its input"), "%s", f->why[0]);
  free(f);
}

/* Every column of llm_calls stands in the table of our own rows, by what it does with it. */
static void own_columns_agree(void **state) {
  (void)state;
#define NAME(name, type, constraint, when) #name,
  static const char *const names[] = {LEDGER_COLUMNS(NAME)};
#undef NAME
  for (size_t i = 0; i < COUNT(names); i++) {
    check(log_own_column(names[i]), "%s is no column of format 'llmcost'", names[i]);
  }
  check(!log_own_column("nothing"), "a name that is none");
}

/* ---- any CSV */

static void mapped(void **state) {
  (void)state;
  static const char map[] = "{\"ts\":\"When\",\"model\":\"Model\",\"input_tokens\":\"In\","
                            "\"cost_usd\":\"Cost\",\"id\":\"Id\"}";
  static const struct {
    const char *when;
    long long ts; /* 0: an error of the row */
  } times[] = {{"1780000000", 1780000000000},
               {"1780000000000", 1780000000000},
               {"1780000000.5", 1780000000500},
               {"1780000000123456789", 1780000000123},
               {"1780000000123456", 1780000000123},
               {"2026-11-04T09:00:00.125Z", 1793782800125},
               {"2026-11-04 09:00:00.125", 1793782800125},
               {"2026-11-04T10:00:00+01:00", 1793782800000},
               {"2026-11-04T03:30:00-0530", 1793782800000},
               {"2026-11-04 09:00 UTC", 1793782800000},
               {"2026-11-04", 1793750400000},
               {"8:30:00 AM", 0},
               {"03/04/2026", 0},
               {"2026-11-04 8:30 AM", 0},
               {"2026-02-30", 0},
               {"\"1780000000,5\"", 0},
               {"2026", 0},
               {"-5", 0},
               {"", 0}};
  for (size_t i = 0; i < COUNT(times); i++) {
    File *f = file_new();
    char text[300];
    snprintf(text, sizeof text, "Id,When,Model,In,Cost\nk,%s,m,\"1,000\",$0.5\n", times[i].when);
    read_as("csv", "x.csv", text, map, f);
    check(f->n == (times[i].ts != 0) && f->errors == (times[i].ts == 0), "%s: %s", times[i].when,
          f->why[0]);
    check(!f->n || (f->all[0].e.ts == times[i].ts && f->all[0].e.usage.n[UNIT_INPUT] == 1000 &&
                    f->all[0].e.usage.reported_nusd == 500000000),
          "%s: %lld", times[i].when, f->all[0].e.ts);
    free(f);
  }
}

static void mapped_files(void **state) {
  (void)state;
  static const char map[] = "{\"ts\":\"When\",\"model\":\"Model\",\"input_tokens\":\"In\"}";
  static const struct {
    const char *map, *text, *why;
    int n, errors, rc;
  } cases[] = {
      {map, "When;Model;In\n2026-11-04;\"a;b\";5\n", "", 1, 0, 0},
      {map, "When,Model,In\n\"2026-11-04\",\"two\nlines\",5\n,,\n\n", "", 1, 0, 0},
      {map, "When,Model,In\n2026-11-04,m,\"1,5\"\n2026-11-04,m,7\n", "In: expected", 1, 1, 0},
      {map, "When,Model,In\n2026-11-04,m\n", "cells", 0, 1, 0},
      {map, "When,Model,In\n2026-11-04,m,1,2\n", "cells", 0, 1, 0},
      {map, "When,Model,In\n2026-11-04,\"m,1\n", "quote", 0, 1, 0},
      {map, "When,Model,In\n1780000000,m,1\n1780000060000,m,1\n",
       "row 2: 'When' is in milliseconds here and in seconds above", 1, 0, RC_MISMATCH},
      {map, "When,Model,In\n1780000000,m,1\n2026-11-04,m,1\n", "row 2", 1, 0, RC_MISMATCH},
      {map, "Date,Model,In\n2026-11-04,m,1\n", "no column 'When'; its header is: Date,Model,In", 0,
       0, RC_ERROR},
      {"{\"ts\":\"When\",\"prompt\":\"P\"}", "When,P\n", "'prompt' is no column to map to", 0, 0,
       RC_ERROR},
      {"{\"ts\":7}", "When\n", "expected the name", 0, 0, RC_ERROR},
      {"{\"model\":\"M\"}", "M\n", "'ts'", 0, 0, RC_ERROR},
      {NULL, "M\n", "a map", 0, 0, RC_ERROR}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    File *f = file_new();
    read_as("csv", "x.csv", cases[i].text, cases[i].map, f);
    check(f->n == cases[i].n && f->errors == cases[i].errors && f->rc == cases[i].rc,
          "%zu: %d, %d, %d: %s", i, f->n, f->errors, f->rc, f->why[0]);
    check(strstr(f->why[0], cases[i].why), "%zu: %s", i, f->why[0]);
    free(f);
  }
  File *f = file_new();
  read_as("helicone", "x.csv", "a\n", "{\"ts\":\"a\"}", f);
  check(strstr(f->why[0], "a map is for 'csv'"), "%s", f->why[0]);
  free(f);
}

/* ---- recognising */

static void recognised(void **state) {
  (void)state;
  static const struct {
    const char *text, *format;
  } cases[] = {
      {"{\"type\":\"summary\",\"summary\":\"s\",\"leafUuid\":\"l\"}\n", "claude_code"},
      {"{\"type\":\"queue-operation\",\"operation\":\"enqueue\",\"timestamp\":\"t\","
       "\"sessionId\":\"s\"}\n",
       "claude_code"},
      {"t\":1}]}}\n" LINE("", "", "", PLAIN), "claude_code"},
      {"{\"type\":\"user\",\"uuid\":\"u\",\"sessionId\":\"s\",\"message\":{\"content\":\"cut o",
       "claude_code"},
      {META("C", "09:00:00", ""), "codex"},
      {"{\n \"resourceSpans\": [\n", "otel_json"},
      {"{\"object\":\"page\",\"data\":[{\"object\":\"bucket\",\"start_time\":1,\"end_time\":2,"
       "\"results\":[]}]}",
       "openai_costs"},
      {"[\n "
       "{\"request_id\":\"r\",\"call_type\":\"c\",\"spend\":0,\"startTime\":\"x\",\"messages\":[",
       "litellm"},
      {"\xEF\xBB\xBFgeneration_id,created_at,cost_total,tokens_prompt\n", "openrouter"},
      {"{\"id\":1,\"request_id\":\"r\",\"attempt\":1,\"ts\":1,\"kind\":\"call\"}\n", "llmcost"},
      {"a,b,c\n1,2,3\n", NULL},
      {"{\"name\":\"package\",\"version\":\"1\"}", NULL},
      {"[1,2,3]", NULL},
      {"", NULL},
      {"\x00\xFF\xFE", NULL}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const LogFormat *found = log_recognise(cases[i].text, strlen(cases[i].text), 1, &err);
    check_text(found ? log_format_name(found) : NULL, cases[i].format);
    check(err.rc == RC_OK, "%s", err.msg);
  }
  int n = 0;
  for (const LogFormat *format; (format = log_format_at(n)); n++) {
    check(log_format(log_format_name(format)) == format, "%s", log_format_name(format));
  }
  check(n >= 19 && !log_format("nothing") && !log_format_at(-1), "%d formats", n);
}

/* ---- JSON without a tree */

static void scanned(void **state) {
  (void)state;
  static const char *const good[] = {
      "{}",     "[]",       "{\"a\":[{},[],{\"b\":\"\\\\\"}],\"c\":-1.5e+3}",
      " null ", "\"\\\"\"", "[true,false,null,0]",
      "[NaN]"};
  static const char *const bad[] = {
      "{",  "{\"a\"}", "{\"a\":}", "[1,]",  "{,}",       "[1}", "\"", "\"\\\"", "{\"a\":1,}", "nul",
      "1.", "-",       "1e",       "[1 2]", "{\"a\" 1}", "]",   "",   "{a:1}",  "[1]]"};
  for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
    const char *text = i < COUNT(good) ? good[i] : bad[i - COUNT(good)];
    Scan s = scan_of((Span){text, strlen(text)});
    scan_take(&s);
    check(scan_is_done(&s) == (i < COUNT(good)), "%s", text);
  }
  enum { DEEP = 3 * SCAN_DEPTH };
  char *deep = malloc(2 * DEEP);
  assert_non_null(deep);
  for (int depth = SCAN_DEPTH - 2; depth <= DEEP; depth += DEEP - SCAN_DEPTH + 2) {
    memset(deep, '[', (size_t)depth);
    memset(deep + depth, ']', (size_t)depth);
    Scan s = scan_of((Span){deep, 2 * (size_t)depth});
    scan_take(&s);
    check(scan_is_done(&s) == (depth < SCAN_DEPTH), "%d deep", depth);
  }
  free(deep);
  char out[64];
  static const char escaped[] = "\"\\u00e9\\n\\ud83d\\ude00\\ud83d\\q\\u0000\"";
  size_t n = scan_unescape((Span){escaped, sizeof escaped - 1}, out);
  out[n] = 0;
  check_text(out, "\xC3\xA9\n\xF0\x9F\x98\x80\xEF\xBF\xBD?\xEF\xBF\xBD");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scanned),           cmocka_unit_test(claude_sample),
      cmocka_unit_test(claude_keys),       cmocka_unit_test(claude_usage),
      cmocka_unit_test(claude_skips),      cmocka_unit_test(claude_shown),
      cmocka_unit_test(claude_errors),     cmocka_unit_test(claude_projects),
      cmocka_unit_test(codex_sample),      cmocka_unit_test(codex_forks),
      cmocka_unit_test(codex_totals),      cmocka_unit_test(states_resume),
      cmocka_unit_test(openai_costs),      cmocka_unit_test(line_items),
      cmocka_unit_test(openai_usage),      cmocka_unit_test(anthropic_sums),
      cmocka_unit_test(activity),          cmocka_unit_test(litellm),
      cmocka_unit_test(langfuse),          cmocka_unit_test(helicone),
      cmocka_unit_test(openrouter),        cmocka_unit_test(spans),
      cmocka_unit_test(llm_rows),          cmocka_unit_test(own_rows),
      cmocka_unit_test(own_columns_agree), cmocka_unit_test(mapped),
      cmocka_unit_test(mapped_files),      cmocka_unit_test(recognised)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
