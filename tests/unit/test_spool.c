/*
** The file that holds a batch's lines: what is read is what was added, in pieces of any size, between head and tail and more than
** once; nobody else's eyes, nothing left behind, and what a disk that fails says.
*/
#include "unit.h"

#include "work/remote/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void must(const Err *err) {
  check(err->rc == RC_OK, "%s", err->msg);
}

/* Names in the folder. */
static int count_files(void) {
  int n = 0;
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
    n += e->d_name[0] != '.';
  }
  closedir(dir);
  return n;
}

/* All of an upload, read in pieces of `piece` bytes. Owned. */
static char *read_all(NetUpload *u, size_t piece) {
  char *all = malloc(u->n + piece);
  size_t n = 0, some;
  assert_non_null(all);
  while ((some = u->read(u->arg, all + n, piece)) > 0) {
    assert_true(some <= piece);
    n += some;
    assert_true(n <= u->n);
  }
  assert_int_equal(n, u->n);
  return all;
}

static void test_bytes(void **state) {
  static const size_t pieces[] = {1, 7, 4096, 65536, 1 << 20};
  Spool s;
  Err err = {0};
  Buf head, tail, all;
  NetUpload u;
  char line[3000];
  (void)state;
  buf_init(&head, 100);
  buf_init(&tail, 100);
  buf_init(&all, 10 << 20);
  buf_puts(&head, "{\"requests\":[");
  buf_puts(&tail, "]}");
  buf_puts(&all, head.data);
  assert_int_equal(spool_open(&s, &err), RC_OK);
  for (int i = 0; i < 500; i++) {
    size_t n = (size_t)(i * 37 % 2999);
    memset(line, 'a' + i % 26, n);
    spool_add(&s, line, n, &err);
    buf_add(&all, line, n);
  }
  must(&err);
  assert_int_equal(spool_size(&s), all.n - head.n);
  buf_puts(&all, tail.data);
  for (size_t i = 0; i < COUNT(pieces); i++) {
    assert_int_equal(spool_upload(&s, &head, &tail, &u, &err), RC_OK);
    assert_int_equal(u.n, all.n);
    char some[5000];
    u.read(u.arg, some, i * 1000 + 1); /* a connection died: from the beginning */
    assert_int_equal(u.rewind(u.arg), RC_OK);
    char *got = read_all(&u, pieces[i]);
    assert_memory_equal(got, all.data, all.n);
    free(got);
  }
  assert_int_equal(spool_upload(&s, NULL, NULL, &u, &err), RC_OK);
  char *got = read_all(&u, 1000);
  assert_memory_equal(got, all.data + head.n, u.n);
  free(got);
  spool_close(&s);
  spool_close(&s);
  buf_free(&head);
  buf_free(&tail);
  buf_free(&all);
}

static void test_empty(void **state) {
  Spool s;
  Err err = {0};
  NetUpload u;
  char some[10];
  (void)state;
  assert_int_equal(spool_open(&s, &err), RC_OK);
  assert_int_equal(spool_add(&s, "", 0, &err), RC_OK);
  assert_int_equal(spool_upload(&s, NULL, NULL, &u, &err), RC_OK);
  assert_int_equal(u.n, 0);
  assert_int_equal(u.read(u.arg, some, sizeof some), 0);
  spool_close(&s);
}

static void test_private(void **state) {
  Spool s;
  Err err = {0};
  struct stat st;
  (void)state;
  umask(0);
  assert_int_equal(spool_open(&s, &err), RC_OK);
  assert_int_equal(fstat(fileno(s.file), &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_int_equal(st.st_nlink, 0);
  assert_int_equal(count_files(), 0);
  assert_true(fcntl(fileno(s.file), F_GETFD) & FD_CLOEXEC);
  assert_string_equal(s.folder, folder);
  spool_close(&s);
}

static void test_folders(void **state) {
  Spool s;
  Err err = {0};
  (void)state;
  setenv("TMPDIR", "/nowhere", 1);
  assert_int_equal(spool_open(&s, &err), RC_OK); /* SQLITE_TMPDIR first */
  spool_close(&s);
  setenv("SQLITE_TMPDIR", "", 1);
  assert_int_equal(spool_open(&s, &err), RC_IOERR);
  check_error(&err, "io", "/nowhere: No such file or directory", "TMPDIR");
  spool_close(&s);
  err = (Err){0};
  unsetenv("TMPDIR");
  assert_int_equal(spool_open(&s, &err), RC_OK);
  assert_string_equal(s.folder, "/tmp");
  spool_close(&s);
  setenv("SQLITE_TMPDIR", folder, 1);
}

/* A file may have no more than a megabyte: as on a disk that is full, a write fails at some later time. */
static void test_no_room(void **state) {
  static char block[100000];
  struct rlimit was, small;
  Spool s;
  Err err = {0}, again = {0}, third = {0};
  NetUpload u;
  (void)state;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &was);
  small = was;
  small.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &small);
  assert_int_equal(spool_open(&s, &err), RC_OK);
  int n = 0;
  while (n < 100 && spool_add(&s, block, sizeof block, &err) == RC_OK) {
    n++;
  }
  check_error(&err, "io", "SQLITE_TMPDIR", "full");
  assert_true(n >= 9 && n <= 12);
  assert_int_equal(err.rc, RC_IOERR);
  assert_int_equal(spool_add(&s, "x", 1, &again), RC_IOERR); /* and stays so */
  assert_int_equal(spool_upload(&s, NULL, NULL, &u, &third), RC_IOERR);
  spool_close(&s);
  setrlimit(RLIMIT_FSIZE, &was);
}

/* What was not written yet is written when it is sent. */
static void test_no_room_at_the_end(void **state) {
  struct rlimit was, small;
  Spool s;
  Err err = {0};
  NetUpload u;
  (void)state;
  getrlimit(RLIMIT_FSIZE, &was);
  small = was;
  small.rlim_cur = 100;
  assert_int_equal(spool_open(&s, &err), RC_OK);
  assert_int_equal(spool_add(&s, (char[1000]){0}, 1000, &err), RC_OK);
  setrlimit(RLIMIT_FSIZE, &small);
  assert_int_equal(spool_upload(&s, NULL, NULL, &u, &err), RC_IOERR);
  check_error(&err, "io", "can't be kept", "flushed");
  spool_close(&s);
  setrlimit(RLIMIT_FSIZE, &was);
}

static void test_one_that_shrinks(void **state) {
  Spool s;
  Err err = {0};
  NetUpload u;
  char some[1000];
  (void)state;
  assert_int_equal(spool_open(&s, &err), RC_OK);
  assert_int_equal(spool_add(&s, (char[1000]){0}, 1000, &err), RC_OK);
  assert_int_equal(spool_upload(&s, NULL, NULL, &u, &err), RC_OK);
  assert_int_equal(ftruncate(fileno(s.file), 0), 0);
  assert_true(u.read(u.arg, some, sizeof some) == NET_READ_FAILED);
  check_error(&s.why, "io", "can't be read", "shrunk");
  spool_close(&s);
}

static void test_too_big(void **state) {
  Spool s;
  Err err = {0};
  (void)state;
  assert_int_equal(spool_open(&s, &err), RC_OK);
  s.size = SPOOL_MOST - 5; /* as if it were */
  assert_int_equal(spool_add(&s, "123456", 6, &err), RC_TOOBIG);
  check_error(&err, "too_big", "bytes", "too big");
  spool_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bytes),   cmocka_unit_test(test_empty),
      cmocka_unit_test(test_private), cmocka_unit_test(test_folders),
      cmocka_unit_test(test_no_room), cmocka_unit_test(test_no_room_at_the_end),
      cmocka_unit_test(test_too_big), cmocka_unit_test(test_one_that_shrinks),
  };
  snprintf(folder, sizeof folder, "/tmp/llmcost-spool-XXXXXX");
  if (!mkdtemp(folder)) {
    return 1;
  }
  setenv("SQLITE_TMPDIR", folder, 1);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  rmdir(folder);
  return failed;
}
