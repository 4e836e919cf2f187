/*
** Runs a fuzz target without libFuzzer: every file of a corpus as it is, then, for some seconds, files of
** it that were changed, by a fixed seed. It sees no coverage: what finds faults is `make fuzz`; this keeps
** them from coming back, and runs wherever the tests do.
**
** Usage: fuzz_<target> SECONDS FOLDER|FILE …
**
** An input that crashes, that breaks what must hold or that takes longer than INPUT_SECONDS is printed in
** hexadecimal. Sanitizers end in abort() here, so that this sees it.
*/
#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_SECONDS = 10, INPUT_MOST = 1 << 16, PIECE_MOST = 64 };

typedef struct File {
  uint8_t *bytes;
  size_t n;
} File;

static File *files;
static size_t n_files;
static const uint8_t *current; /* the input that is being run */
static size_t n_current;
static uint64_t state_of_random = 0x9E3779B97F4A7C15u;

/* What the sanitizers' libraries ask a program for. */
#define ASKED_FOR __attribute__((visibility("default")))
ASKED_FOR const char *__asan_default_options(void);
ASKED_FOR const char *__ubsan_default_options(void);

const char *__asan_default_options(void) {
  return "abort_on_error=1:max_allocation_size_mb=1024:detect_stack_use_after_return=1";
}

const char *__ubsan_default_options(void) {
  return "abort_on_error=1:print_stacktrace=1";
}

static size_t pick(size_t n) {
  state_of_random ^= state_of_random << 13;
  state_of_random ^= state_of_random >> 7;
  state_of_random ^= state_of_random << 17;
  return (size_t)(state_of_random >> 16) % n;
}

/* Only what a signal handler may do. */
static void print_current(int number) {
  static const char digits[] = "0123456789abcdef";
  static const char timeout[] = "\ntoo slow; the input in hexadecimal: ",
                    crash[] = "\nfailed; the input in hexadecimal: ";
  const char *title = !current            ? "\nfailed, in no input: a leak?"
                      : number == SIGALRM ? timeout
                                          : crash;
  ssize_t ignored = write(2, title, strlen(title));
  for (size_t i = 0; i < n_current; i++) {
    const char pair[2] = {digits[current[i] >> 4], digits[current[i] & 15]};
    ignored = write(2, pair, 2);
  }
  ignored = write(2, "\n", 1);
  (void)ignored;
  _exit(1);
}

static void run(const uint8_t *bytes, size_t n) {
  uint8_t *copy = malloc(n ? n : 1);
  require(copy);
  if (n > 0) {
    memcpy(copy, bytes, n);
  }
  current = copy;
  n_current = n;
  alarm(INPUT_SECONDS);
  LLVMFuzzerTestOneInput(copy, n);
  alarm(0);
  free(copy);
  current = NULL;
  n_current = 0;
}

static void load_file(const char *path) {
  FILE *f = fopen(path, "rb");
  require(f);
  File *more = realloc(files, (n_files + 1) * sizeof *more);
  uint8_t *bytes = malloc(INPUT_MOST);
  require(more && bytes);
  files = more;
  size_t n = fread(bytes, 1, INPUT_MOST, f);
  files[n_files++] = (File){bytes, n};
  fclose(f);
}

static int by_content(const void *a, const void *b) {
  const File *x = a, *y = b;
  int order = memcmp(x->bytes, y->bytes, x->n < y->n ? x->n : y->n);
  return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* A file, or all files of a folder. */
static void load(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) {
    load_file(path);
    return;
  }
  for (struct dirent *entry; (entry = readdir(folder));) {
    char name[1024];
    int n = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    require(n > 0 && (size_t)n < sizeof name);
    if (entry->d_name[0] != '.') {
      load_file(name);
    }
  }
  closedir(folder);
}

/* Puts n bytes into an input at a place. Returns its new length. */
static size_t insert(uint8_t *input, size_t size, size_t at, const uint8_t *bytes, size_t n) {
  uint8_t piece[PIECE_MOST];
  n = n < PIECE_MOST ? n : PIECE_MOST;
  n = n < INPUT_MOST - size ? n : INPUT_MOST - size;
  memcpy(piece, bytes, n);
  memmove(input + at + n, input + at, size - at);
  memcpy(input + at, piece, n);
  return size + n;
}

/* One change: a byte, a piece cut out, repeated, or taken from another file, a number, a bracket. */
static size_t mutate(uint8_t *input, size_t n) {
  static const char *const words[] = {
      "\"",   "{",    "}",    "[",    "]",   ":",  ",",       "-1",      "0.5",
      "1e99", "null", "true", "\xFF", "'\"", "--", "\\ud800", "\\u0000", "9007199254740993"};
  size_t at = n ? pick(n) : 0, length;
  const char *word = words[pick(sizeof words / sizeof words[0])];
  const File *other = &files[pick(n_files)];
  switch (n ? pick(6) : 5) {
  case 0:
    input[at] = (uint8_t)pick(256);
    return n;
  case 1:
    input[at] ^= (uint8_t)(1u << pick(8));
    return n;
  case 2:
    length = pick(n - at);
    memmove(input + at, input + at + length, n - at - length);
    return n - length;
  case 3:
    return insert(input, n, pick(n), input + at, 1 + pick(n - at));
  case 4:
    return insert(input, n, at, (const uint8_t *)word, strlen(word));
  default:
    length = other->n ? pick(other->n) : 0;
    return insert(input, n, at, other->bytes + length, other->n ? 1 + pick(other->n - length) : 0);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_changed(double until, long *runs) {
  static uint8_t input[INPUT_MOST];
  for (; now() < until; ++*runs) {
    const File *file = &files[pick(n_files)];
    size_t n = file->n;
    memcpy(input, file->bytes, n);
    for (size_t times = 1 + pick(5); times > 0; times--) {
      n = mutate(input, n);
    }
    run(input, n);
  }
}

int main(int argc, char **argv) {
  double started = now(), seconds = argc > 1 ? strtod(argv[1], NULL) : 0;
  long runs = 0;
  signal(SIGABRT, print_current);
  signal(SIGALRM, print_current);
  for (int i = 2; i < argc; i++) {
    load(argv[i]);
  }
  if (n_files == 0) {
    fprintf(stderr, "usage: %s SECONDS FOLDER|FILE ...\n", argv[0]);
    return 2;
  }
  qsort(files, n_files, sizeof *files, by_content);
  run(files[0].bytes, 0);
  for (size_t i = 0; i < n_files; i++) {
    run(files[i].bytes, files[i].n);
  }
  run_changed(started + seconds, &runs);
  printf("%zu files, %ld changed\n", n_files, runs);
  for (size_t i = 0; i < n_files; i++) {
    free(files[i].bytes);
  }
  free(files);
  return 0;
}
