/*
** Rows of CSVs (RFC 4180; also with ';' or tabs, as spreadsheets of some countries write them). See format_internal.h for the contract.
*/
#include "core/logs/format_internal.h"

#include <string.h>

CsvRow csv_row(const char *row, size_t n, char separator) {
  while (n > 0 && (row[n - 1] == '\n' || row[n - 1] == '\r')) {
    n--;
  }
  return (CsvRow){row, row + n, separator, 0};
}

/* Behind the quote that closes a cell; NULL where none does. */
static const char *closing_quote(const char *p, const char *end) {
  while ((p = memchr(p, '"', (size_t)(end - p)))) {
    if (p + 1 < end && p[1] == '"') {
      p += 2;
      continue;
    }
    return p + 1;
  }
  return NULL;
}

int csv_next(CsvRow *row, Span *cell, int *quoted) {
  const char *start = row->at, *end;
  if (row->is_done) {
    return 0;
  }
  *quoted = start < row->end && *start == '"';
  if (*quoted) {
    end = closing_quote(++start, row->end);
    if (!end || (end < row->end && *end != row->separator)) {
      return -1;
    }
    *cell = (Span){start, (size_t)(end - 1 - start)};
  } else {
    end = memchr(start, row->separator, (size_t)(row->end - start));
    end = end ? end : row->end;
    *cell = (Span){start, (size_t)(end - start)};
  }
  row->is_done = end == row->end;
  row->at = end + !row->is_done;
  return 1;
}

char csv_separator(const char *header, size_t n) {
  static const char separators[] = {',', ';', '\t'};
  size_t most = 0, counts[sizeof separators] = {0};
  int in_quotes = 0;
  for (size_t i = 0; i < n; i++) {
    in_quotes ^= header[i] == '"';
    for (size_t k = 0; k < sizeof separators && !in_quotes; k++) {
      counts[k] += header[i] == separators[k];
    }
  }
  for (size_t k = 1; k < sizeof separators; k++) {
    most = counts[k] > counts[most] ? k : most;
  }
  return separators[most];
}

size_t csv_unquote(Span cell, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < cell.n; i++) {
    out[n++] = cell.at[i];
    i += cell.at[i] == '"'; /* (they stand in pairs) */
  }
  return n;
}
