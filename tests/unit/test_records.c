/*
** Files cut into records: by shape, at every size of the pieces they are read in, plain and packed.
*/
#include "unit.h"

#include "base/buf.h"
#include "work/files/records.h"

#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

static char path[] = "/tmp/llmcost-records-XXXXXX";

static int make_file(void **state) {
  (void)state;
  int fd = mkstemp(path);
  close(fd);
  return fd < 0;
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path);
}

static void write_file(const char *text, size_t n, int is_packed) {
  gzFile gz = is_packed ? gzopen(path, "wb") : NULL;
  FILE *f = is_packed ? NULL : fopen(path, "wb");
  assert_true(gz || f);
  if (gz) {
    assert_int_equal(gzwrite(gz, text, (unsigned)n), (int)n);
    gzclose(gz);
  } else {
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
  }
}

/* The records as "text|text|", an open one with "…" behind. */
static void read_all(LogShape shape, long long offset, Buf *out, long long *end) {
  Bytes bytes;
  Err err = {0};
  Record record;
  assert_int_equal(bytes_open(&bytes, path, &err), RC_OK);
  if (offset) {
    assert_int_equal(bytes_seek(&bytes, offset, &err), RC_OK);
  }
  Records *records = records_new(shape, &bytes, offset, 0, &err);
  *end = offset;
  while (records_next(records, &record, &err)) {
    buf_add(out, record.at, record.n);
    buf_puts(out, record.is_whole ? "|" : "...|");
    *end = record.end;
  }
  check(err.rc == RC_OK, "%s", err.msg);
  records_free(records);
  bytes_close(&bytes);
}

static void test_shapes(void **state) {
  static const struct {
    LogShape shape;
    const char *text, *records;
  } cases[] = {
      {LOG_LINES, "a\nb\r\n\nc", "a|b||c...|"},
      {LOG_LINES, "", ""},
      {LOG_LINES, "\n", "|"},
      {LOG_LINES, "\xEF\xBB\xBF{}\n{}\n", "{}|{}|"},
      {LOG_LINES, " [ {\"a\":[1]} ,2]", "{\"a\":[1]}|2|"},
      {LOG_CSV, "a,b\n1,\"x\ny\"\n\"\",\"\"\"\n\"\n", "a,b|1,\"x\ny\"|\"\",\"\"\"\n\"|"},
      {LOG_CSV, "a\n5\" disk\nb", "a|5\" disk|b...|"},
      {LOG_CSV, "a;b\n1;\"x\ny\"\n", "a;b|1;\"x\ny\"|"},
      {LOG_ELEMENTS, "[]", ""},
      {LOG_ELEMENTS, "[1,\"]\\\"\",{\"a\":\"}\"},[2],null]", "1|\"]\\\"\"|{\"a\":\"}\"}|[2]|null|"},
      {LOG_ELEMENTS, "{\"x\":\"[\",\"data\":[{},{}],\"more\":[3]}", "{}|{}|"},
      {LOG_ELEMENTS, "[1]\n[2]", "1|2|"},
      {LOG_ELEMENTS, "[{\"a\":1},{\"b\":", "{\"a\":1}|{\"b\":...|"},
      {LOG_DOCUMENT, " {\"a\":[{}]} [2]", "{\"a\":[{}]}|[2]|"},
      {LOG_DOCUMENT, "{\"a\":", "{\"a\":...|"},
      {LOG_DOCUMENT, "]]]", "]|]|]...|"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int is_packed = 0; is_packed < 2; is_packed++) {
      Buf out;
      long long end;
      buf_init(&out, 1 << 20);
      write_file(cases[i].text, strlen(cases[i].text), is_packed);
      read_all(cases[i].shape, 0, &out, &end);
      buf_puts(&out, "");
      check(strcmp(out.data ? out.data : "", cases[i].records) == 0, "case %d: '%s' gave '%s'",
            (int)i, cases[i].text, out.data);
      buf_free(&out);
    }
  }
}

/* Lines of many lengths, far more than a piece: all of them, in order, also from the end of any of them on. */
static void test_pieces(void **state) {
  Buf text, out;
  long long end;
  (void)state;
  buf_init(&text, 16 << 20);
  buf_init(&out, 16 << 20);
  for (int i = 0; i < 400; i++) {
    buf_printf(&text, "{\"n\":%d,\"fill\":\"%*s\"}\n", i, i * 37 % 9000, "");
  }
  write_file(text.data, text.n, 0);
  read_all(LOG_LINES, 0, &out, &end);
  check(end == (long long)text.n, "%lld of %zu", end, text.n);
  for (char *c = out.data; *c; c++) {
    *c = *c == '|' ? '\n' : *c;
  }
  assert_string_equal(out.data, text.data);
  for (size_t at = 0; at < text.n; at += 50000) {
    size_t from = at;
    while (from > 0 && text.data[from - 1] != '\n') {
      from--;
    }
    buf_clear(&out);
    read_all(LOG_LINES, (long long)from, &out, &end);
    check(out.n == text.n - from && end == (long long)text.n, "from %zu", from);
  }
  buf_free(&text);
  buf_free(&out);
}

/* What gzip packed and is damaged, or ends early, is an error, after what could be read. */
static void test_damage(void **state) {
  char bytes[4096];
  Bytes b;
  (void)state;
  write_file("line\nline\nline\n", 15, 1);
  FILE *f = fopen(path, "rb");
  size_t n = fread(bytes, 1, sizeof bytes, f);
  fclose(f);
  for (size_t cut = 4; cut < n; cut++) {
    Err err = {0};
    char out[64];
    write_file(bytes, cut, 0);
    if (bytes_open(&b, path, &err) == RC_OK) {
      while (bytes_read(&b, out, sizeof out, &err) > 0) {
      }
    }
    check(err.rc == RC_ERROR, "cut at %zu", cut);
    bytes_close(&b);
  }
  Err err = {0};
  assert_int_equal(bytes_open(&b, "/dev/null", &err), RC_ERROR);
  bytes_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_damage),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
