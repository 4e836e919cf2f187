/*
** Requests over one Net, for the tests written in Python.
**
** Usage: transfer [option VALUE ...] URL [[option VALUE ...] URL ...]
**
**   method POST|GET|DELETE     POST without it
**   header "Name: value"       up to eight
**   body TEXT                  from memory
**   upload N                   N bytes made while they are sent: byte i is (i % 65521) * 7 % 251
**   field NAME=VALUE           the upload is the file "input.jsonl" of a form with this field, up to four
**   short N                    the upload has no more after N bytes; broken N: reading it fails there
**   stuck 1                    it can't be rewound
**   sink 1                     the answer's body goes to a sink; stop N: which gives up after N bytes
**   late MS                    its first bytes leave so much later than libcurl wants to send them: a connection may die meanwhile
**   interrupt MS, total MS, idle MS, ca FILE, pause MS (before it is sent), keep 1 (the response's body is printed)
**
** Prints a line of JSON for each: what the response says; what came to the sink, with its SHA-256; how often the upload was
** rewound; the most memory that this process has had so far, in kB.
*/
#include "base/clock.h"
#include "base/error.h"
#include "net/transport.h"

#include <cjson/cJSON.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATTERN = 65521, HEADERS = 8, FIELDS = 4 };

typedef struct Job {
  NetRequest request;
  NetUpload upload;
  NetSink sink;
  NetField fields[FIELDS + 1];
  const char *headers[HEADERS + 1];
  size_t at, ends_at, broken_at; /* of the upload */
  int is_stuck, rewinds;
  size_t taken, pieces, stop_at;
  crypto_hash_sha256_state sum;
  long long interrupt_ms, started;
  int keeps;
} Job;

static unsigned char pattern[PATTERN];
static long long late_ms; /* of the next send */

/* Stands before the C library's for libcurl. */
__attribute__((visibility("default"))) ssize_t send(int fd, const void *data, size_t n, int flags) {
  long long ms = late_ms;
  late_ms = 0;
  if (ms > 0) {
    usleep((useconds_t)ms * 1000);
  }
  return sendto(fd, data, n, flags, NULL, 0);
}

static size_t min_of(size_t a, size_t b) {
  return a < b ? a : b;
}

static size_t read_some(void *arg, char *to, size_t room) {
  Job *j = arg;
  if (j->at >= j->broken_at) {
    return NET_READ_FAILED;
  }
  size_t from = j->at % PATTERN;
  size_t n = min_of(min_of(room, PATTERN - from), min_of(j->ends_at, j->broken_at) - j->at);
  memcpy(to, pattern + from, n);
  j->at += n;
  return n;
}

static int rewind_it(void *arg) {
  Job *j = arg;
  j->rewinds++;
  j->at = 0;
  return j->is_stuck ? RC_ERROR : RC_OK;
}

static int take_some(void *arg, const char *data, size_t n) {
  Job *j = arg;
  if (j->taken + n > j->stop_at) {
    return RC_TOOBIG;
  }
  j->taken += n;
  j->pieces++;
  crypto_hash_sha256_update(&j->sum, (const unsigned char *)data, n);
  return RC_OK;
}

static int is_interrupted(void *arg) {
  Job *j = arg;
  return j->interrupt_ms > 0 && monotonic_ms() - j->started >= j->interrupt_ms;
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

static void print_result(const Job *j, const NetResponse *r, int rc, long long elapsed) {
  static const char *const results[] = {"answered", "not_sent",  "stopped",
                                        "lost",     "timed_out", "interrupted",
                                        "refused",  "no_memory", "given_up"};
  unsigned char sum[crypto_hash_sha256_BYTES];
  char hex[2 * sizeof sum + 1];
  crypto_hash_sha256_state state = j->sum;
  crypto_hash_sha256_final(&state, sum);
  sodium_bin2hex(hex, sizeof hex, sum, sizeof sum);
  cJSON *o = cJSON_CreateObject();
  cJSON_AddNumberToObject(o, "rc", rc);
  cJSON_AddStringToObject(o, "result", results[r->result]);
  cJSON_AddNumberToObject(o, "status", (double)r->http_status);
  cJSON_AddNumberToObject(o, "sent", (double)r->sent);
  cJSON_AddNumberToObject(o, "received", (double)r->received);
  cJSON_AddNumberToObject(o, "taken", (double)j->taken);
  cJSON_AddNumberToObject(o, "pieces", (double)j->pieces);
  cJSON_AddStringToObject(o, "sha256", hex);
  cJSON_AddNumberToObject(o, "rewinds", j->rewinds);
  cJSON_AddNumberToObject(o, "body_n", (double)r->body.n);
  cJSON_AddStringToObject(o, "body", j->keeps && r->body.n ? r->body.data : "");
  cJSON_AddStringToObject(o, "type", r->content_type);
  cJSON_AddBoolToObject(o, "open_ended", r->is_open_ended);
  cJSON_AddStringToObject(o, "why", r->why);
  cJSON_AddNumberToObject(o, "ms", (double)elapsed);
  cJSON_AddNumberToObject(o, "peak_kb", (double)peak_kb());
  char *text = cJSON_PrintUnformatted(o);
  puts(text);
  free(text);
  cJSON_Delete(o);
}

static void run(Net *net, Job *j, const char *url) {
  NetResponse response;
  Err err = {0}, why = {0};
  j->request.url = url;
  j->started = monotonic_ms();
  int rc = net_post(net, &j->request, &response, &err);
  long long elapsed = monotonic_ms() - j->started;
  if (rc == RC_OK) {
    net_decode(&response, &why);
  }
  print_result(j, &response, rc, elapsed);
  net_response_free(&response);
}

static void add_field(Job *j, char *value) {
  int n = 0;
  while (j->fields[n].name) {
    n++;
  }
  char *equals = strchr(value, '=');
  if (n < FIELDS && equals) {
    *equals = 0;
    j->fields[n] = (NetField){value, equals + 1};
    j->upload.fields = j->fields;
    j->upload.name = "file";
    j->upload.file_name = "input.jsonl";
    j->upload.content_type = "application/jsonl";
  }
}

static void add_header(Job *j, const char *value) {
  int n = 0;
  while (j->headers[n]) {
    n++;
  }
  if (n < HEADERS) {
    j->headers[n] = value;
  }
}

static void set_upload(Job *j, size_t n) {
  j->upload.n = n;
  j->request.upload = &j->upload;
}

/* Takes one option. 0: there is no such. */
static int set_option(Job *j, const char *name, char *value) {
  size_t n = strtoull(value, NULL, 10);
  const struct {
    const char *name;
    size_t *to;
  } sizes[] = {{"short", &j->ends_at}, {"broken", &j->broken_at}, {"stop", &j->stop_at}};
  const struct {
    const char *name;
    long *to;
  } times[] = {{"total", &j->request.total_ms}, {"idle", &j->request.idle_ms}};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    if (strcmp(name, sizes[i].name) == 0) {
      *sizes[i].to = n;
      return 1;
    }
  }
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    if (strcmp(name, times[i].name) == 0) {
      *times[i].to = (long)n;
      return 1;
    }
  }
  if (strcmp(name, "method") == 0) {
    j->request.method = *value == 'G' ? NET_GET : *value == 'D' ? NET_DELETE : NET_POST;
  } else if (strcmp(name, "header") == 0) {
    add_header(j, value);
  } else if (strcmp(name, "body") == 0) {
    j->request.body = value;
    j->request.n = strlen(value);
  } else if (strcmp(name, "upload") == 0) {
    set_upload(j, n);
  } else if (strcmp(name, "field") == 0) {
    add_field(j, value);
  } else if (strcmp(name, "sink") == 0) {
    j->request.sink = &j->sink;
  } else if (strcmp(name, "interrupt") == 0) {
    j->interrupt_ms = (long long)n;
  } else if (strcmp(name, "ca") == 0) {
    j->request.ca_file = value;
  } else if (strcmp(name, "pause") == 0) {
    usleep((useconds_t)n * 1000);
  } else if (strcmp(name, "late") == 0) {
    late_ms = (long long)n;
  } else if (strcmp(name, "stuck") == 0) {
    j->is_stuck = (int)n;
  } else if (strcmp(name, "keep") == 0) {
    j->keeps = (int)n;
  } else {
    return 0;
  }
  return 1;
}

static void start_job(Job *j) {
  *j = (Job){.ends_at = (size_t)-1 / 2, .broken_at = (size_t)-1 / 2, .stop_at = (size_t)-1 / 2};
  j->upload.read = read_some;
  j->upload.rewind = rewind_it;
  j->sink.take = take_some;
  j->upload.arg = j->sink.arg = j->request.interrupt_arg = j;
  j->request.interrupted = is_interrupted;
  j->request.headers = j->headers;
  j->request.body = "";
  j->request.connect_ms = 5000;
  j->request.total_ms = 60000;
  crypto_hash_sha256_init(&j->sum);
}

int main(int argc, char **argv) {
  Err err = {0};
  Job job;
  for (size_t i = 0; i < PATTERN; i++) {
    pattern[i] = (unsigned char)(i * 7 % 251);
  }
  Net *net = net_open(&err);
  start_job(&job);
  for (int i = 1; net && i < argc; i++) {
    if (strstr(argv[i], "://")) {
      run(net, &job, argv[i]);
      fflush(stdout);
      start_job(&job);
    } else if (i + 1 >= argc || !set_option(&job, argv[i], argv[i + 1])) {
      fprintf(stderr, "transfer: %s\n", argv[i]);
      return 2;
    } else {
      i++;
    }
  }
  net_close(net);
  return net ? 0 : 1;
}
