/*
** bill.c: what the provider charges, and the journal of every request it saw.
**
** Money is integer nano-dollars (1 USD = 1e9), prices are nano-dollars per token, so a charge is an
** exact sum. Batch work costs half; all prices but a few cache-read ones are even and cached tokens
** come in multiples of 128, so halving is exact too.
**
** The journal holds one event per provider request, refused ones included (nusd 0), and one per
** finished batch line, in the order in which they were answered; at_ms is when the request came. Only billed events reach the file (--journal): one JSON object per line,
** with the running number of requests, appended by one write so that a kill never mixes two. At
** start the file is read back, a torn last line is ignored, and totals go on from there.
**
** In memory the newest JOURNAL_MAX events are kept. Totals never shrink but by a reset, which also
** empties the file.
*/
#include "standin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct price {
  const char *model;
  int64_t in, out, read, write_5m, write_1h;
};

/* Nano-dollars per token. Dated names (gpt-4o-2024-08-06) take the price of the undated one. */
static const struct price aPrice[] = {
    {"gpt-4o", 2500, 10000, 1250, 2500, 2500},
    {"gpt-4o-mini", 150, 600, 75, 150, 150},
    {"gpt-4.1", 2000, 8000, 500, 2000, 2000},
    {"gpt-4.1-mini", 400, 1600, 100, 400, 400},
    {"gpt-4.1-nano", 100, 400, 25, 100, 100},
    {"gpt-5-mini", 250, 2000, 25, 250, 250},
    {"claude-haiku-4-5", 1000, 5000, 100, 1250, 2000},
    {"claude-sonnet-4-6", 3000, 15000, 300, 3750, 6000},
    {"text-embedding-3-small", 20, 0, 20, 20, 20},
    {"text-embedding-3-large", 130, 0, 130, 130, 130},
};
static const struct price other_price = {"", 1000, 2000, 500, 1000, 1000};

/* A kept event: the strings in one block, behind ev. */
struct kept {
  struct event ev;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept **journal; /* ring of JOURNAL_MAX pointers */
static size_t first, kept_n;
static int64_t total_nusd, calls, requests, last_seq;
static uint64_t ids;
static int fd = -1;

/* The price row of a model. */
static const struct price *price_row(const char *model) {
  for (size_t i = 0; i < sizeof aPrice / sizeof aPrice[0]; i++) {
    size_t n = strlen(aPrice[i].model);
    if (strncmp(model, aPrice[i].model, n) != 0) {
      continue;
    }
    if (!model[n] || (model[n] == '-' && model[n + 1] == '2' && model[n + 2] == '0')) {
      return &aPrice[i];
    }
  }
  return &other_price;
}

/* Nano-dollars for a usage. */
int64_t price_of(const char *model, const struct usage *u, int batch) {
  const struct price *p = price_row(model);
  int64_t sum = u->fresh * p->in + u->cached * p->read + u->write_5m * p->write_5m +
                u->write_1h * p->write_1h + u->output * p->out;
  return batch ? sum / 2 : sum;
}

/* Copies s to *at and moves on; NULL stays NULL. */
static const char *pack(char **at, const char *s) {
  if (!s) {
    return NULL;
  }
  size_t n = strlen(s) + 1;
  char *to = *at;
  memcpy(to, s, n);
  *at += n;
  return to;
}

/* Bytes that pack() needs. */
static size_t pack_size(const char *s) {
  return s ? strlen(s) + 1 : 0;
}

/* Owned copy of an event with its strings. */
static struct kept *keep(const struct event *e) {
  size_t n = pack_size(e->path) + pack_size(e->model) + pack_size(e->scenario) +
             pack_size(e->client_id) + pack_size(e->prompt) + pack_size(e->key_tail) +
             pack_size(e->batch);
  struct kept *k = need(malloc(sizeof *k + n));
  char *at = (char *)(k + 1);
  k->ev = *e;
  k->ev.path = pack(&at, e->path);
  k->ev.model = pack(&at, e->model);
  k->ev.scenario = pack(&at, e->scenario);
  k->ev.client_id = pack(&at, e->client_id);
  k->ev.prompt = pack(&at, e->prompt);
  k->ev.key_tail = pack(&at, e->key_tail);
  k->ev.batch = pack(&at, e->batch);
  return k;
}

/* Puts an event in the ring and into the totals. Caller holds the lock. */
static void remember(const struct event *e) {
  if (!journal) {
    journal = need(calloc(JOURNAL_MAX, sizeof *journal));
  }
  size_t at = (first + kept_n) % JOURNAL_MAX;
  if (kept_n == JOURNAL_MAX) {
    free(journal[first]);
    first = (first + 1) % JOURNAL_MAX;
    kept_n--;
  }
  journal[at] = keep(e);
  kept_n++;
  if (e->billed) {
    total_nusd += e->nusd;
    calls++;
  }
}

/* An event as JSON, owned. */
static cJSON *event_json(const struct event *e) {
  char hex[24];
  snprintf(hex, sizeof hex, "%016llx", (unsigned long long)e->prompt_hash);
  cJSON *o = cJSON_CreateObject();
  cJSON_AddNumberToObject(o, "seq", (double)e->seq);
  cJSON_AddNumberToObject(o, "at_ms", (double)e->at_ms);
  cJSON_AddNumberToObject(o, "wait_ms", (double)e->wait_ms);
  cJSON_AddStringToObject(o, "path", e->path);
  json_add_text(o, "model", e->model);
  cJSON_AddStringToObject(o, "scenario", e->scenario);
  cJSON_AddNumberToObject(o, "status", e->status);
  json_add_text(o, "client_request_id", e->client_id);
  json_add_text(o, "prompt_hash", e->prompt ? hex : NULL);
  json_add_text(o, "prompt", e->prompt);
  int64_t in = e->use.fresh + e->use.cached + e->use.write_5m + e->use.write_1h;
  cJSON_AddNumberToObject(o, "input_tokens", (double)in);
  cJSON_AddNumberToObject(o, "cached_tokens", (double)e->use.cached);
  cJSON_AddNumberToObject(o, "cache_write_tokens", (double)(e->use.write_5m + e->use.write_1h));
  cJSON_AddNumberToObject(o, "output_tokens", (double)e->use.output);
  cJSON_AddNumberToObject(o, "nusd", (double)e->nusd);
  cJSON_AddBoolToObject(o, "billed", e->billed);
  cJSON_AddStringToObject(o, "auth", e->has_key ? "yes" : "no");
  cJSON_AddStringToObject(o, "key_tail", e->key_tail ? e->key_tail : "");
  json_add_text(o, "batch", e->batch);
  return o;
}

/* Appends a billed event to the file. Caller holds the lock, so lines keep their order. */
static void write_line(const struct event *e) {
  struct buf b = {0};
  cJSON *o = event_json(e);
  cJSON_AddNumberToObject(o, "requests", (double)requests);
  buf_json(&b, o);
  buf_add(&b, "\n", 1);
  if (write(fd, b.p, b.n) != (ssize_t)b.n) {
    fprintf(stderr, "standin: journal: %s\n", strerror(errno));
  }
  buf_free(&b);
  cJSON_Delete(o);
}

/* Counts one HTTP request. */
void bill_request(void) {
  pthread_mutex_lock(&lock);
  requests++;
  pthread_mutex_unlock(&lock);
}

/* Journals an event, bills it when it is billed, and appends it to the file. */
void bill_add(const struct event *e) {
  struct event own = *e;
  pthread_mutex_lock(&lock);
  own.seq = ++last_seq;
  remember(&own);
  if (own.billed && fd >= 0) {
    write_line(&own);
  }
  pthread_mutex_unlock(&lock);
}

/* Takes one line of the file back. Ignores what isn't an event. */
static void read_line(const char *line, size_t n) {
  cJSON *o = json_strict(line, n);
  const char *hex = json_text(o, "prompt_hash");
  if (o && json_text(o, "path")) {
    int64_t cached = json_int(o, "cached_tokens", 0), write = json_int(o, "cache_write_tokens", 0);
    struct event e = {
        .seq = json_int(o, "seq", 0),
        .at_ms = json_int(o, "at_ms", 0),
        .wait_ms = json_int(o, "wait_ms", 0),
        .path = json_text(o, "path"),
        .model = json_text(o, "model"),
        .scenario = json_text(o, "scenario") ? json_text(o, "scenario") : "ok",
        .client_id = json_text(o, "client_request_id"),
        .prompt = json_text(o, "prompt"),
        .key_tail = json_text(o, "key_tail"),
        .batch = json_text(o, "batch"),
        .prompt_hash = hex ? strtoull(hex, NULL, 16) : 0,
        .status = (int)json_int(o, "status", 0),
        .billed = 1,
        .has_key = json_text(o, "auth") && strcmp(json_text(o, "auth"), "yes") == 0,
        .use = {json_int(o, "input_tokens", 0) - cached - write, cached, write, 0,
                json_int(o, "output_tokens", 0)},
        .nusd = json_int(o, "nusd", 0),
    };
    remember(&e);
    last_seq = e.seq > last_seq ? e.seq : last_seq;
    requests = json_int(o, "requests", requests);
  }
  cJSON_Delete(o);
}

/* Reads the journal file from its start; drops a torn last line from the file. */
static void read_back(void) {
  struct buf b = {0};
  char part[65536];
  ssize_t n;
  while ((n = read(fd, part, sizeof part)) > 0) {
    buf_add(&b, part, (size_t)n);
  }
  size_t at = 0;
  while (at < b.n) {
    char *end = memchr(b.p + at, '\n', b.n - at);
    if (!end) {
      break;
    }
    read_line(b.p + at, (size_t)(end - b.p) - at);
    at = (size_t)(end - b.p) + 1;
  }
  if (at < b.n && ftruncate(fd, (off_t)at) != 0) {
    fprintf(stderr, "standin: journal: %s\n", strerror(errno));
  }
  buf_free(&b);
}

/* Starts the bill; with a path, goes on from what that file holds. Returns 0, or -1 with errno. */
int bill_open(const char *path) {
  ids = (uint64_t)time(NULL) << 24; /* so that a restart doesn't give out the same ids again */
  if (!path) {
    return 0;
  }
  fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return -1;
  }
  read_back();
  return 0;
}

/* Empties the ring. Caller holds the lock. */
static void forget(void) {
  for (size_t i = 0; i < kept_n; i++) {
    free(journal[(first + i) % JOURNAL_MAX]);
  }
  first = kept_n = 0;
}

/* Forgets everything, in the file too. */
void bill_reset(void) {
  pthread_mutex_lock(&lock);
  forget();
  total_nusd = calls = requests = last_seq = 0;
  if (fd >= 0 && ftruncate(fd, 0) != 0) {
    fprintf(stderr, "standin: journal: %s\n", strerror(errno));
  }
  pthread_mutex_unlock(&lock);
}

/* The bill: of everything, or of one client request id (then requests counts its events). */
cJSON *bill_total(const char *client_id) {
  int64_t sum = 0, n = 0, seen = 0;
  pthread_mutex_lock(&lock);
  for (size_t i = 0; client_id && i < kept_n; i++) {
    const struct event *e = &journal[(first + i) % JOURNAL_MAX]->ev;
    if (!e->client_id || strcmp(e->client_id, client_id) != 0) {
      continue;
    }
    seen++;
    n += e->billed;
    sum += e->nusd;
  }
  if (!client_id) {
    sum = total_nusd;
    n = calls;
    seen = requests;
  }
  pthread_mutex_unlock(&lock);
  cJSON *o = cJSON_CreateObject();
  cJSON_AddNumberToObject(o, "total_nusd", (double)sum);
  cJSON_AddNumberToObject(o, "calls", (double)n);
  cJSON_AddNumberToObject(o, "requests", (double)seen);
  return o;
}

/* Appends the kept events as a JSON array, one per line. */
void bill_journal(struct buf *out) {
  buf_str(out, "[");
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < kept_n; i++) {
    cJSON *o = event_json(&journal[(first + i) % JOURNAL_MAX]->ev);
    buf_str(out, i ? ",\n" : "\n");
    buf_json(out, o);
    cJSON_Delete(o);
  }
  pthread_mutex_unlock(&lock);
  buf_str(out, "]");
}

/* Frees the journal and closes the file. */
void bill_close(void) {
  forget();
  free(journal);
  journal = NULL;
  if (fd >= 0) {
    close(fd);
  }
  fd = -1;
}

uint64_t next_id(void) {
  return __atomic_add_fetch(&ids, 1, __ATOMIC_RELAXED);
}
