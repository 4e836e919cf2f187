/*
** A header line. See header.h for the contract.
*/
#include "net/header.h"

#include <string.h>
#include <strings.h>

int header_take(const char *line, size_t n, const char *name, char *out, size_t size) {
  if (n == 0 || (line[0] | 0x20) != name[0]) { /* most are not */
    return 0;
  }
  size_t len = strlen(name);
  if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0) {
    return 0;
  }
  line += len + 1;
  n -= len + 1;
  while (n && (*line == ' ' || *line == '\t')) {
    line++;
    n--;
  }
  while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' ')) {
    n--;
  }
  n = n < size - 1 ? n : size - 1;
  memcpy(out, line, n);
  out[n] = 0;
  return 1;
}

int header_take_any(const char *line, size_t n, const char *const *names, char *out, size_t size) {
  int found = 0;
  for (; *names && !found; names++) {
    found = header_take(line, n, *names, out, size);
  }
  return found;
}
