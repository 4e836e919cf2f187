/*
** Cutting files into records: the first byte says as what, and whether gzip packed the rest.
**
** Whatever the bytes: records follow each other, each lies within the file, lines and rows hold what lies between their
** ends, and reading on from the end of any line gives the rest.
*/
#include "fuzz.h"

#include "base/buf.h"
#include "work/files/records.h"

#include <sys/mman.h>
#include <unistd.h>

enum { SHAPES = 4 };

/* A file of these bytes, by a path of its own. */
static int make_file(const char *data, size_t n, char path[32]) {
  int fd = memfd_create("records", MFD_CLOEXEC);
  require(fd >= 0 && (n == 0 || write(fd, data, n) == (ssize_t)n));
  snprintf(path, 32, "/proc/self/fd/%d", fd);
  return fd;
}

/* How many records there are from an offset; *second is where the second begins. */
static long long read_all(const char *path, LogShape shape, long long offset, long long *second) {
  Bytes bytes;
  Err err = {0};
  Record record;
  long long n = 0, end = offset, number = 0;
  if (bytes_open(&bytes, path, &err) != RC_OK) {
    bytes_close(&bytes);
    return -1;
  }
  if (offset) {
    require(bytes_seek(&bytes, offset, &err) == RC_OK);
  }
  Records *records = records_new(shape, &bytes, offset, 0, &err);
  while (records_next(records, &record, &err)) {
    require(record.end > end && record.number > number);
    require(bytes.is_gzip || (record.end <= bytes.size && record.n <= (size_t)(record.end - end)));
    require(!memchr(record.at, '\n', record.n) || shape != LOG_LINES || records_is_array(records));
    *second = n++ == 0 ? record.end : *second;
    end = record.end;
    number = record.number;
  }
  int is_one = records_may_go_on(records);
  records_free(records);
  bytes_close(&bytes);
  return err.rc == RC_OK && is_one ? n : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[32];
  long long second = 0;
  if (size == 0) {
    return 0;
  }
  int fd = make_file((const char *)data + 1, size - 1, path);
  long long n = read_all(path, (LogShape)(data[0] % SHAPES), 0, &second);
  if (n > 1) { /* lines: the others are there from the end of the first on */
    long long ignored, rest = read_all(path, LOG_LINES, second, &ignored);
    require(rest == n - 1);
  }
  close(fd);
  return 0;
}
