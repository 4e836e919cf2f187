/*
** Rows of CSVs and objects, read by a table of columns. See format_internal.h for the contract.
*/
#include "core/logs/format_internal.h"

#include "base/text/decimal.h"

#include <limits.h>
#include <string.h>

/* ---- CSVs: RFC 4180; also with ';' or tabs, as spreadsheets of some countries write them */

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

/* ---- cells */

int err_torn(const Scan *s, Span record, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_JSON, "torn: it is not JSON from byte %zu of %zu on",
                 s->bad ? (size_t)(s->bad - record.at) + 1 : record.n, record.n);
}

/* 1 if a path begins with a name; *rest: what follows it, or NULL. */
static int begins_path(const char *path, Span key, const char **rest) {
  size_t n = strcspn(path, ".");
  *rest = path[n] ? path + n + 1 : NULL;
  return n == key.n && memcmp(path, key.at, n) == 0;
}

static void take_member(Row *row, Span key, Span value) {
  const Columns *columns = &row->reader->columns;
  const char *rest;
  for (int i = 0; i < columns->n; i++) {
    if (begins_path(columns->at[i].name, key, &rest)) {
      row->cells[i] = rest ? scan_find(value, rest) : value;
    }
  }
}

int row_of_json(LogReader *reader, Span record, Row *row, Err *err) {
  Scan s = scan_of(record);
  Span key, data = {0};
  int members = 0;
  *row =
      (Row){.reader = reader, .is_json = 1, .from = LLONG_MIN, .to = LLONG_MIN, .object = record};
  if (!scan_object(&s)) {
    scan_take(&s);
    return scan_is_done(&s)
               ? err_set(err, RC_ERROR, ERR_BAD_JSON, "a record is a JSON object; this is none")
               : err_torn(&s, record, err);
  }
  while (scan_member(&s, &key)) {
    Span value = scan_take(&s);
    members++;
    if (s.at) {
      take_member(row, key, value);
      data = span_is(key, "data") && value.at[0] == '{' ? value : data;
    }
  }
  if (!scan_is_done(&s)) {
    return err_torn(&s, record, err);
  }
  /* (As an API answers that is asked for one.) */
  return members == 1 && data.n && data.n < record.n ? row_of_json(reader, data, row, err) : RC_OK;
}

int row_of_csv(LogReader *reader, Span record, Row *row, Err *err) {
  CsvRow cells = csv_row(record.at, record.n, reader->separator);
  Span cell;
  int quoted, more, n = 0, filled = 0;
  *row = (Row){.reader = reader, .from = LLONG_MIN, .to = LLONG_MIN, .object = record};
  for (; (more = csv_next(&cells, &cell, &quoted)) == 1; n++) {
    filled |= cell.n > 0;
    if (n >= reader->n_cells && cell.n) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "it has more cells than the header's %d",
                     reader->n_cells);
    }
    for (int i = 0; i < reader->columns.n; i++) {
      if (reader->cell_of[i] == n) {
        row->cells[i] = cell;
        row->quoted[i] = (char)quoted;
      }
    }
  }
  if (more < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "a quote in cell %d is not closed", n + 1);
  }
  if (!filled) {
    row->object.n = 0;
  } else if (n < reader->n_cells) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "it has %d cells, the header %d", n,
                   reader->n_cells);
  }
  return RC_OK;
}

static int column_of(const Row *row, const char *name) {
  const Columns *columns = &row->reader->columns;
  for (int i = 0; i < columns->n; i++) {
    if (strcmp(columns->at[i].name, name) == 0) {
      return i;
    }
  }
  return -1;
}

static const char *cell_text(Row *row, int i) {
  Texts *texts = &row->reader->texts;
  Span cell = row->cells[i];
  char said[2 * TEXT_MOST + 8];
  if (row->is_json) {
    return text_of(texts, cell);
  } else if (!row->quoted[i]) {
    return text_keep(texts, cell.at, cell.n);
  }
  cell.n = cell.n < sizeof said ? cell.n : sizeof said;
  return text_keep(texts, said, csv_unquote(cell, said));
}

const char *row_text(Row *row, const char *name) {
  int i = column_of(row, name);
  return i < 0 ? NULL : cell_text(row, i);
}

Span row_json(Row *row, const char *name, Err *err) {
  static const Span none = {NULL, 0};
  int i = column_of(row, name);
  Span cell = i < 0 ? none : row->cells[i];
  Buf *nested = &row->reader->nested;
  if (cell.n == 0 || (row->is_json && cell.at[0] != '"')) {
    return cell;
  }
  buf_clear(nested);
  int rc = buf_reserve(nested, cell.n);
  if (rc != RC_OK) { /* (too large is none: these are details beside counts that stand elsewhere) */
    buf_init(nested, nested->max);
    if (rc == RC_NOMEM) {
      err_nomem(err);
    }
    return none;
  }
  size_t n = row->is_json     ? scan_unescape(cell, nested->data)
             : row->quoted[i] ? csv_unquote(cell, nested->data)
                              : (memcpy(nested->data, cell.at, cell.n), cell.n);
  Scan s = scan_of((Span){nested->data, n});
  Span json = scan_take(&s);
  return scan_is_done(&s) ? json : none;
}

/* ---- values */

typedef struct Cell {
  Row *row;
  LogEntry *entry;
  const Column *column;
  const char *text;
} Cell;

static void *member_of(const Cell *c) {
  return (char *)c->entry + c->column->at;
}

static int cell_bad(const Cell *c, const char *expected, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%.60s: expected %s", c->column->name, expected);
}

static int take_text(const Cell *c, Err *err) {
  (void)err;
  const char **to = member_of(c);
  *to = *to ? *to : c->text;
  return RC_OK;
}

static int take_word(const Cell *c, Err *err) {
  (void)err;
  const char **to = member_of(c);
  *to = text_word(c->text) ? c->text : "error";
  return RC_OK;
}

static const char *const form_words[] = {
    "", "dates", "seconds", "milliseconds", "microseconds", "nanoseconds"};

/* A file of which nobody said how it writes times has one way: a number that looks like another is no time that can be
** trusted, and neither are those before it. */
static int check_form(const Cell *c, TimeForm form, Err *err) {
  LogReader *reader = c->row->reader;
  if (!reader->map || reader->times == form) {
    return RC_OK;
  }
  if (reader->times != TIME_NONE) {
    return err_set(
        err, RC_MISMATCH, ERR_BAD_ARGUMENT,
        "row %lld: '%.60s' is in %s here and in %s above: the times of a file are in one unit",
        reader->rows, c->column->name, form_words[form], form_words[reader->times]);
  }
  reader->times = form;
  return RC_OK;
}

static int take_time(const Cell *c, Err *err) {
  TimeForm form;
  long long *to = member_of(c), ms;
  if (!time_read(c->text, &ms, &form)) {
    return cell_bad(c, "a time: '2026-11-04T09:00:00Z', or Unix seconds or milliseconds", err);
  }
  *to = *to == LLONG_MIN ? ms : *to;
  return check_form(c, form, err);
}

static int take_day(const Cell *c, Err *err) {
  if (take_time(c, err) == RC_OK) {
    c->entry->to = c->entry->ts + 86400000;
  }
  return err->rc;
}

/* A count of a call is bounded by what a call can be, one of a sum by what a number can hold. */
static int read_count(const Cell *c, long long *count, Err *err) {
  long long most = c->entry->what == LOG_SUM ? LIMIT_COUNT : LIMIT_TOKENS;
  if (number_count(c->text, most, count)) {
    return RC_OK;
  }
  return err_set(err, RC_ERROR, ERR_BAD_USAGE, "%.60s: expected a whole number from 0 to %lld",
                 c->column->name, most);
}

static int take_count(const Cell *c, Err *err) {
  long long count;
  if (read_count(c, &count, err) == RC_OK) {
    usage_set(&c->entry->usage, (Unit)c->column->at, count);
  }
  return err->rc;
}

static void add_count(Usage *u, Unit unit, long long count) {
  long long sum = (u->has & UNIT_BIT(unit) ? u->n[unit] : 0) + count;
  usage_set(u, unit, sum < LIMIT_COUNT ? sum : LIMIT_COUNT);
}

static int take_beside(const Cell *c, Err *err) {
  Usage *u = &c->entry->usage;
  Unit unit = (Unit)c->column->at;
  long long count;
  if (read_count(c, &count, err) != RC_OK) {
    return err->rc;
  }
  add_count(u, UNIT_INPUT, count);
  if (unit == UNIT_CACHE_WRITE_5M || unit == UNIT_CACHE_WRITE_1H) {
    add_count(u, UNIT_CACHE_WRITE, count);
  }
  if (unit != UNIT_INPUT) {
    add_count(u, unit, count);
  }
  return RC_OK;
}

static int take_number(const Cell *c, Err *err) {
  return number_count(c->text, LIMIT_COUNT, (long long *)member_of(c))
             ? RC_OK
             : cell_bad(c, "a whole number", err);
}

/* What is no reason to lose a call: a latency, a status. */
static int take_hint(const Cell *c, Err *err) {
  long long *to = member_of(c), value;
  (void)err;
  *to = decimal_parse(c->text, 0, &value) && value <= LIMIT_COUNT ? value : LOG_UNKNOWN;
  return RC_OK;
}

static int take_money(const Cell *c, int scale, Err *err) {
  return number_money(c->text, scale, c->entry->what == LOG_SUM, (long long *)member_of(c))
             ? RC_OK
             : cell_bad(c, "an amount of money", err);
}

static int take_usd(const Cell *c, Err *err) {
  return take_money(c, 9, err);
}

static int take_cents(const Cell *c, Err *err) {
  return take_money(c, 7, err);
}

static int take_nusd(const Cell *c, Err *err) {
  return take_money(c, 0, err);
}

static int take_quantity(const Cell *c, Err *err) {
  long long milli;
  if (!number_money(c->text, 3, 1, &milli)) {
    return cell_bad(c, "a number", err);
  }
  double size = decimal_double((unsigned __int128)(milli < 0 ? -milli : milli), 3);
  c->entry->quantity = milli < 0 ? -size : size;
  return RC_OK;
}

static int take_service(const Cell *c, Err *err) {
  (void)err;
  usage_set_service(&c->entry->usage, c->text);
  return RC_OK;
}

static int take_geo(const Cell *c, Err *err) {
  (void)err;
  usage_set_geo(&c->entry->usage, c->text);
  return RC_OK;
}

static int (*const takes[])(const Cell *c, Err *err) = {
    [AS_NOTHING] = NULL,           [AS_TEXT] = take_text,       [AS_WORD] = take_word,
    [AS_TIME] = take_time,         [AS_DAY] = take_day,         [AS_COUNT] = take_count,
    [AS_BESIDE] = take_beside,     [AS_NUMBER] = take_number,   [AS_HINT] = take_hint,
    [AS_USD] = take_usd,           [AS_CENTS] = take_cents,     [AS_NUSD] = take_nusd,
    [AS_QUANTITY] = take_quantity, [AS_SERVICE] = take_service, [AS_GEO] = take_geo};

int row_fill(Row *row, LogEntry *entry, Err *err) {
  const Columns *columns = &row->reader->columns;
  for (int i = 0; i < columns->n && err->rc == RC_OK; i++) {
    const Column *column = &columns->at[i];
    Cell cell = {row, entry, column, takes[column->as] ? cell_text(row, i) : NULL};
    if (cell.text) {
      takes[column->as](&cell, err);
    }
  }
  return err->rc;
}
