/*
** The floor under llm_map: many requests by bare libcurl on one thread. A new one begins as one ends, connections are
** kept, each answer is read whole and thrown away. Nothing is parsed, kept, counted in money or tried again.
**
** Usage: bench_map URL BODIES CONCURRENT [COUNT]
**   URL     of the endpoint; one that ends in /messages gets Anthropic's headers, any other OpenAI's
**   BODIES  a file with a JSON body a line; COUNT: so many of its first lines (all)
**
** Prints "SECONDS CPU_SECONDS REQUESTS ANSWERED REFUSED FAILED PEAK_RSS_KB": of the loop alone, without its start;
** refused are answers of another status than 200, failed got no answer at all.
*/
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { MOST_CONCURRENT = 4000 }; /* the stand-in's own limit of connections */

typedef struct Bodies {
  char *text;
  char **line; /* into text, each ended by a NUL */
  size_t n;
} Bodies;

typedef struct Run {
  CURLM *multi;
  const Bodies *bodies;
  struct curl_slist *headers;
  const char *url;
  size_t count, begun, ended;
  size_t answered, refused, failed;
} Run;

static void die(const char *what, const char *why) {
  fprintf(stderr, "bench_map: %s: %s\n", what, why ? why : "");
  exit(1);
}

static double wall_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_now(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* A whole file with its lines. It lives as long as the program. */
static void read_bodies(const char *path, Bodies *b) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0) {
    die(path, "cannot be read");
  }
  size_t size = (size_t)ftell(f), lines = 0;
  rewind(f);
  b->text = malloc(size + 1);
  if (!b->text || fread(b->text, 1, size, f) != size) {
    die(path, "cannot be read");
  }
  fclose(f);
  b->text[size] = 0;
  for (size_t i = 0; i < size; i++) {
    lines += b->text[i] == '\n';
  }
  b->line = malloc((lines + 1) * sizeof *b->line);
  for (char *at = b->text, *end; b->line && (end = strchr(at, '\n')); at = end + 1) {
    *end = 0;
    b->line[b->n++] = at;
  }
  if (b->n == 0) {
    die(path, "no line");
  }
}

/* Peak memory in KB. (getrusage would count what the parent had before it became this program.) */
static long peak_kb(void) {
  char line[256];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, "VmHWM:", 6) == 0) {
      kb = strtol(line + 6, NULL, 10);
    }
  }
  if (f) {
    fclose(f);
  }
  return kb;
}

static size_t swallow(char *data, size_t size, size_t n, void *unused) {
  (void)data;
  (void)unused;
  return size * n;
}

/* Begins the next request on a handle that is in no multi. */
static void begin(Run *run, CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, run->bodies->line[run->begun % run->bodies->n]);
  curl_multi_add_handle(run->multi, easy);
  run->begun++;
}

static CURL *new_handle(const Run *run) {
  CURL *easy = curl_easy_init();
  if (!easy) {
    die("curl", "no memory");
  }
  curl_easy_setopt(easy, CURLOPT_URL, run->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, run->headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  return easy;
}

/* Counts what has ended and begins as many anew. */
static void reap(Run *run) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(run->multi, &left))) {
    CURL *easy = message->easy_handle;
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *(message->data.result != CURLE_OK ? &run->failed
      : status == 200                  ? &run->answered
                                       : &run->refused) += 1;
    run->ended++;
    curl_multi_remove_handle(run->multi, easy);
    if (run->begun < run->count) {
      begin(run, easy);
    } else {
      curl_easy_cleanup(easy);
    }
  }
}

static void drive(Run *run, size_t concurrent) {
  for (size_t i = 0; i < concurrent && run->begun < run->count; i++) {
    begin(run, new_handle(run));
  }
  while (run->ended < run->count) {
    int running;
    curl_multi_perform(run->multi, &running);
    reap(run);
    if (run->ended < run->count) {
      curl_multi_poll(run->multi, NULL, 0, 1000, NULL);
    }
  }
}

static struct curl_slist *make_headers(const char *url) {
  size_t n = strlen(url);
  int anthropic = n > 9 && strcmp(url + n - 9, "/messages") == 0;
  struct curl_slist *h = curl_slist_append(NULL, "Content-Type: application/json");
  h = curl_slist_append(h, "Expect:");
  if (!anthropic) {
    return curl_slist_append(h, "Authorization: Bearer sk-bench");
  }
  h = curl_slist_append(h, "x-api-key: sk-bench");
  return curl_slist_append(h, "anthropic-version: 2023-06-01");
}

int main(int argc, char **argv) {
  Bodies bodies = {0};
  if (argc < 4) {
    die("usage", "bench_map URL BODIES CONCURRENT [COUNT]");
  }
  long concurrent = strtol(argv[3], NULL, 10), count = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
  if (concurrent < 1 || concurrent > MOST_CONCURRENT || count < 0) {
    die(argv[3], "not in range");
  }
  read_bodies(argv[2], &bodies);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Run run = {.multi = curl_multi_init(),
             .bodies = &bodies,
             .headers = make_headers(argv[1]),
             .url = argv[1],
             .count = count ? (size_t)count : bodies.n};
  curl_multi_setopt(run.multi, CURLMOPT_MAXCONNECTS, concurrent);
  double wall = wall_now(), cpu = cpu_now();
  drive(&run, (size_t)concurrent);
  wall = wall_now() - wall;
  cpu = cpu_now() - cpu;
  printf("%.6f %.6f %zu %zu %zu %zu %ld\n", wall, cpu, run.ended, run.answered, run.refused,
         run.failed, peak_kb());
  curl_slist_free_all(run.headers);
  curl_multi_cleanup(run.multi);
  free(bodies.line);
  free(bodies.text);
  return 0;
}
