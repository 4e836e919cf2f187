/*
** Steps of a provider's batch API (ext/work/remote), for the tests written in Python.
**
** Usage: steps PROVIDER API BASE_URL KEY_ENV SUPPORTS [word VALUE ...]
**
** Settings:
**   retries N, backoff MS, timeout MS, idle MS, not_yet MS
**   interrupt MS           the next step is interrupted after so long
**   taken ID               is another's: "find" passes it over
**   stop N                 "results" are given up at line N
** Lines, of the batch that is made next:
**   lines N                N of them, with ids of ours from 1 on
**   pad N                  each with so many letters more
**   line TEXT              one, as it is
**   model NAME, mark TEXT, file ID
** Steps (@file, @batch, @output, @error: the ids that were told last):
**   upload MARK, create -, get ID, find SINCE_MS:TOTAL, files MARK, cancel ID, results ID, delete ID, delete_file ID
**
** Prints a line of JSON for each step.
*/
#define SQLITE_CORE /* this file calls SQLite itself */
#include "base/clock.h"
#include "llmcost.h"
#include "wire/batch/line.h"
#include "work/embedders.h"
#include "work/remote/remote.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAKEN = 8, PAD = 1 << 20 };

typedef struct Steps {
  sqlite3 *db;
  Conn *conn;
  Remote remote;
  Spool spool;
  const char *model, *mark;
  const char *taken[TAKEN];
  int n_taken, n_lines;
  long long pad, stop_at, interrupt_ms;
  char file[BATCH_NAME], batch[BATCH_NAME], output[BATCH_NAME], error[BATCH_NAME];
  cJSON *out;
  cJSON *ids; /* of results */
} Steps;

static void must(const Err *err, const char *what) {
  if (err->rc != RC_OK) {
    fprintf(stderr, "steps: %s: %s\n", what, err->msg);
    exit(3);
  }
}

/* The most memory that this process has had, in kB; 0: not known. */
static long peak_kb(void) {
  char line[200];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f)) {
    sscanf(line, "VmHWM: %ld", &kb);
  }
  if (f) {
    fclose(f);
  }
  return kb;
}

/* ---- lines */

static void add_line(Steps *s, const char *text, size_t n) {
  Err err = {0};
  if (!s->spool.file) {
    spool_open(&s->spool, &err);
  }
  spool_add(&s->spool, text, n, &err);
  must(&err, "the spool");
  s->n_lines++;
}

static void add_lines(Steps *s, long long n) {
  static char pad[PAD];
  memset(pad, 'x', sizeof pad - 1);
  for (long long i = 1; i <= n; i++) {
    Err err = {0};
    Buf body, line;
    char id[BATCH_ID];
    buf_init(&body, 2 * PAD);
    buf_init(&line, 4 * PAD);
    batch_id_write(i, 1, "steps", id);
    buf_printf(&body,
               "{\"model\":\"%s\",\"max_tokens\":16,"
               "\"messages\":[{\"role\":\"user\",\"content\":\"say %lld %.*s\"}]}",
               s->model, i, (int)s->pad, pad);
    const BatchLine l = {id, BATCH_CHAT, body.data, body.n, s->n_lines == 0};
    batch_line_add(s->remote.form, &l, &line, &err);
    must(&err, "a line");
    add_line(s, line.data, line.n);
    buf_free(&body);
    buf_free(&line);
  }
}

/* ---- what is told */

static void tell(Steps *s, const char *name, const char *text) {
  cJSON_AddStringToObject(s->out, name, text);
}

static void tell_number(Steps *s, const char *name, long long number) {
  cJSON_AddNumberToObject(s->out, name, (double)number);
}

static void tell_status(Steps *s, BatchStatus *status) {
  if (status->id[0]) {
    snprintf(s->batch, sizeof s->batch, "%s", status->id);
    snprintf(s->output, sizeof s->output, "%s", status->output_file);
    snprintf(s->error, sizeof s->error, "%s", status->error_file);
  }
  tell(s, "id", status->id);
  tell(s, "state", batch_state_word(status->state));
  tell(s, "mark", status->mark);
  tell_number(s, "total", status->total);
  tell_number(s, "done", status->done);
  tell_number(s, "created_ms", status->created_ms);
  tell_number(s, "n_errors", status->n_errors);
  batch_status_free(status);
}

/* ---- interrupts */

static void *interrupt_later(void *arg) {
  Steps *s = arg;
  usleep((useconds_t)s->interrupt_ms * 1000);
  sqlite3_interrupt(s->db);
  return NULL;
}

/* An interrupt ends with the last running statement: one runs as long as the step does. */
static sqlite3_stmt *start_statement(Steps *s) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_prepare_v2(s->db, "SELECT 1 UNION ALL SELECT 2", -1, &stmt, NULL);
  sqlite3_step(stmt);
  return stmt;
}

/* ---- steps */

static int is_taken(void *arg, const char *id) {
  Steps *s = arg;
  for (int i = 0; i < s->n_taken; i++) {
    if (strcmp(s->taken[i], id) == 0) {
      return 1;
    }
  }
  return 0;
}

static int take_result(void *arg, BatchResult *result, Err *err) {
  Steps *s = arg;
  char text[200];
  if (s->stop_at > 0 && cJSON_GetArraySize(s->ids) + 1 >= s->stop_at) {
    return err_set(err, RC_ERROR, ERR_STORE, "the taker gave up");
  }
  snprintf(text, sizeof text, "%.70s %s", result->id, batch_outcome_word(result->outcome));
  cJSON_AddItemToArray(s->ids, cJSON_CreateString(text));
  return RC_OK;
}

static void read_results(Steps *s, const char *id, BatchFault *fault, Err *err) {
  RemoteResults out;
  const RemoteTake take = {take_result, s};
  s->ids = cJSON_AddArrayToObject(s->out, "results");
  remote_results(&s->remote, id, &take, &out, fault, err);
  tell_number(s, "lines", out.lines);
  tell_number(s, "unreadable", out.unreadable);
  tell_number(s, "bytes", out.bytes);
  tell_number(s, "pages", out.pages);
  tell_number(s, "torn", out.is_torn);
  tell_number(s, "open_ended", out.is_open_ended);
}

static void find(Steps *s, const char *value, BatchFault *fault, Err *err) {
  static const char *const words[] = {"no", "maybe", "yes"};
  const char *colon = strchr(value, ':');
  const BatchSought sought = {s->mark, strtoll(value, NULL, 10),
                              colon ? strtoll(colon + 1, NULL, 10) : -1};
  const RemoteTaken taken = {is_taken, s};
  BatchStatus status;
  BatchMatch match;
  remote_find(&s->remote, &sought, &taken, &status, &match, fault, err);
  tell(s, "match", words[match]);
  tell_status(s, &status);
}

static void find_files(Steps *s, const char *mark, BatchFault *fault, Err *err) {
  RemoteFiles files;
  remote_find_files(&s->remote, mark, &files, fault, err);
  cJSON *ids = cJSON_AddArrayToObject(s->out, "files");
  for (int i = 0; i < files.n; i++) {
    cJSON_AddItemToArray(ids, cJSON_CreateString(files.id[i]));
  }
  tell_number(s, "all", files.all);
}

static void create(Steps *s, BatchFault *fault, Err *err) {
  BatchStatus status;
  const BatchCreate c = {
      .endpoint = BATCH_CHAT, .file_id = s->file, .model = s->model, .mark = s->mark};
  int is_inline = !s->remote.form->takes_file;
  remote_create(&s->remote, &c, is_inline ? &s->spool : NULL, &status, fault, err);
  tell_status(s, &status);
}

/* 0: there is no such step. */
static int run_step(Steps *s, const char *name, const char *value, BatchFault *fault, Err *err) {
  BatchStatus status = {0};
  Remote *r = &s->remote;
  if (strcmp(name, "upload") == 0) {
    remote_upload(r, &s->spool, value, s->file, fault, err);
    tell(s, "file", s->file);
  } else if (strcmp(name, "create") == 0) {
    create(s, fault, err);
  } else if (strcmp(name, "get") == 0) {
    remote_get(r, value, &status, fault, err);
    tell_status(s, &status);
  } else if (strcmp(name, "cancel") == 0) {
    remote_cancel(r, value, &status, fault, err);
    tell_status(s, &status);
  } else if (strcmp(name, "find") == 0) {
    find(s, value, fault, err);
  } else if (strcmp(name, "files") == 0) {
    find_files(s, value, fault, err);
  } else if (strcmp(name, "results") == 0) {
    read_results(s, value, fault, err);
  } else if (strcmp(name, "delete") == 0) {
    remote_delete(r, value, fault, err);
  } else if (strcmp(name, "delete_file") == 0) {
    remote_delete_file(r, value, fault, err);
  } else {
    return 0;
  }
  return 1;
}

static int take_step(Steps *s, const char *name, const char *value) {
  Err err = {0};
  BatchFault fault = {0};
  pthread_t thread;
  const char *const known[][2] = {
      {"@file", s->file}, {"@batch", s->batch}, {"@output", s->output}, {"@error", s->error}};
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    value = strcmp(value, known[i][0]) == 0 ? known[i][1] : value;
  }
  char *id = strdup(value); /* what is told anew may stand where it was */
  s->out = cJSON_CreateObject();
  tell(s, "step", name);
  sqlite3_stmt *stmt = start_statement(s);
  int is_interrupted =
      s->interrupt_ms > 0 && pthread_create(&thread, NULL, interrupt_later, s) == 0;
  long long started = monotonic_ms();
  int is_step = run_step(s, name, id, &fault, &err);
  tell_number(s, "ms", monotonic_ms() - started);
  if (is_interrupted) {
    pthread_join(thread, NULL);
    s->interrupt_ms = 0;
  }
  sqlite3_finalize(stmt);
  tell_number(s, "rc", err.rc);
  tell(s, "error", err.rc == RC_OK ? "" : err.msg);
  tell(s, "code", err_word(err.code));
  tell(s, "trouble", batch_trouble_word(fault.trouble));
  tell(s, "message", fault.message);
  tell(s, "word", fault.word);
  tell_number(s, "status", fault.status);
  tell_number(s, "may_be_done", fault.may_be_done);
  tell_number(s, "retry_after_ms", fault.retry_after_ms);
  tell_number(s, "peak_kb", peak_kb());
  char *text = cJSON_PrintUnformatted(s->out);
  if (is_step) {
    puts(text);
    fflush(stdout);
  }
  cJSON_free(text);
  cJSON_Delete(s->out);
  free(id);
  return is_step;
}

static int set_option(Steps *s, const char *name, const char *value) {
  long long n = strtoll(value, NULL, 10);
  const struct {
    const char *name;
    long long *to;
  } numbers[] = {{"retries", &s->conn->set.retries},
                 {"backoff", &s->conn->set.backoff_ms},
                 {"timeout", &s->conn->set.timeout_ms},
                 {"idle", &s->conn->set.idle_timeout_ms},
                 {"not_yet", &s->remote.not_yet_ms},
                 {"interrupt", &s->interrupt_ms},
                 {"stop", &s->stop_at},
                 {"pad", &s->pad}};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (strcmp(name, numbers[i].name) == 0) {
      *numbers[i].to = n;
      return 1;
    }
  }
  if (strcmp(name, "lines") == 0) {
    add_lines(s, n);
  } else if (strcmp(name, "line") == 0) {
    add_line(s, value, strlen(value));
  } else if (strcmp(name, "model") == 0) {
    s->model = value;
  } else if (strcmp(name, "mark") == 0) {
    s->mark = value;
  } else if (strcmp(name, "file") == 0) {
    snprintf(s->file, sizeof s->file, "%s", value);
  } else if (strcmp(name, "taken") == 0 && s->n_taken < TAKEN) {
    s->taken[s->n_taken++] = value;
  } else {
    return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  Err err = {0};
  Steps s = {.model = "gpt-4o-mini", .mark = "mark-1"};
  if (argc < 6) {
    return 2;
  }
  sqlite3_auto_extension((void (*)(void))sqlite3_llmcost_init);
  sqlite3_open(":memory:", &s.db);
  s.conn = conn_new(s.db, embedders_find, 0);
  const Model model = {.name = "tested",
                       .provider = argv[1],
                       .api = argv[2],
                       .base_url = argv[3],
                       .key_env = argv[4],
                       .supports = argv[5]};
  remote_open(&s.remote, s.conn, &model, &err);
  if (err.rc != RC_OK) {
    printf("{\"step\":\"open\",\"rc\":%d,\"code\":\"%s\"}\n", err.rc, err_word(err.code));
  }
  int is_known = 1;
  for (int i = 6; err.rc == RC_OK && is_known && i + 1 < argc; i += 2) {
    is_known = set_option(&s, argv[i], argv[i + 1]) || take_step(&s, argv[i], argv[i + 1]);
    if (!is_known) {
      fprintf(stderr, "steps: %s\n", argv[i]);
    }
  }
  spool_close(&s.spool);
  remote_close(&s.remote);
  remote_close(&s.remote);
  conn_unref(s.conn);
  sqlite3_close(s.db);
  sqlite3_reset_auto_extension();
  return is_known ? 0 : 2;
}
