/*
** The formats, and readers of files. See format.h and format_internal.h for the contracts.
**
** To add a format: a line of `formats`, its columns and what to make of a row where that needs code (gateways.c has the like), or
** a function of its own; and how its files are known (recognise.c).
*/
#include "core/logs/format_internal.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* simonw/llm keeps calls in `turns` since its store is content-addressed, and in `responses` before: both are read, each with the
** columns that it has. */
static const char llm_query[] = "SELECT * FROM responses;"
                                "SELECT *, thread_id AS conversation_id FROM turns";

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ROWS(columns_, finish_) .columns = &(columns_), .finish = (finish_), .read = read_by_table
#define PAGES(columns_, finish_) .columns = &(columns_), .finish = (finish_), .read = read_pages
#define STATE(name)                                                                                \
  .open = name##_open, .restore = name##_restore, .keep = name##_keep, .may_skip = name##_may_skip

/* Of one name's kind of file the variants follow it: the same members, cut out otherwise. Where two say the same money (or usage),
** the lower precedence counts: an API's exact amounts before an export's, which are rounded to cents. */
static const LogFormat formats[] = {
    {"openai_costs", LOG_DOCUMENT, LOG_SUM, LOG_PAID, "openai", 1,
     PAGES(openai_cost_columns, finish_openai_cost)},
    {"openai_usage", LOG_DOCUMENT, LOG_SUM, LOG_PAID, "openai", 1,
     PAGES(openai_usage_columns, finish_openai_usage)},
    {"openai_cost_csv", LOG_CSV, LOG_SUM, LOG_PAID, "openai", 2,
     ROWS(openai_cost_csv_columns, finish_openai_cost),
     .known_by = NAMES("start_time", "amount_value", "line_item")},
    {"openai_usage_csv", LOG_CSV, LOG_SUM, LOG_PAID, "openai", 2,
     ROWS(openai_usage_columns, finish_openai_usage),
     .known_by = NAMES("start_time", "end_time", "start_time_iso", "end_time_iso")},
    {"anthropic_usage", LOG_DOCUMENT, LOG_SUM, LOG_PAID, "anthropic", 1,
     PAGES(anthropic_usage_columns, finish_anthropic_usage)},
    {"anthropic_cost", LOG_DOCUMENT, LOG_SUM, LOG_PAID, "anthropic", 1,
     PAGES(anthropic_cost_columns, finish_anthropic_cost)},
    {"anthropic_usage_csv", LOG_CSV, LOG_SUM, LOG_PAID, "anthropic", 2,
     ROWS(anthropic_usage_csv_columns, finish_anthropic_usage),
     .known_by = NAMES("usage_date_utc", "usage_output_tokens")},
    {"anthropic_cost_csv", LOG_CSV, LOG_SUM, LOG_PAID, "anthropic", 2,
     ROWS(anthropic_cost_csv_columns, finish_anthropic_cost),
     .known_by = NAMES("usage_date_utc", "cost_usd")},
    {"litellm", LOG_ELEMENTS, LOG_CALL, LOG_PAID, NULL, 0, ROWS(litellm_columns, finish_litellm)},
    {"litellm_json", LOG_DOCUMENT, LOG_CALL, LOG_PAID, NULL, 0,
     PAGES(litellm_columns, finish_litellm)},
    {"litellm_jsonl", LOG_LINES, LOG_CALL, LOG_PAID, NULL, 0,
     ROWS(litellm_columns, finish_litellm)},
    {"litellm_csv", LOG_CSV, LOG_CALL, LOG_PAID, NULL, 0, ROWS(litellm_columns, finish_litellm),
     .known_by = NAMES("request_id", "call_type", "spend", "startTime")},
    {"langfuse", LOG_LINES, LOG_CALL, LOG_PAID, NULL, 0, ROWS(langfuse_columns, finish_langfuse)},
    {"langfuse_json", LOG_ELEMENTS, LOG_CALL, LOG_PAID, NULL, 0,
     ROWS(langfuse_columns, finish_langfuse)},
    {"langfuse_csv", LOG_CSV, LOG_CALL, LOG_PAID, NULL, 0, ROWS(langfuse_columns, finish_langfuse),
     .known_by = NAMES("id", "trace_id", "type", "start_time", "usage_details")},
    {"helicone", LOG_CSV, LOG_CALL, LOG_PAID, NULL, 0, ROWS(helicone_columns, finish_helicone),
     .known_by = NAMES("response_id", "request_created_at", "prompt_tokens", "cost")},
    {"openrouter", LOG_CSV, LOG_CALL, LOG_PAID, "openrouter", 0,
     ROWS(openrouter_columns, finish_openrouter),
     .known_by = NAMES("generation_id", "created_at", "cost_total", "tokens_prompt")},
    {"openrouter_json", LOG_LINES, LOG_CALL, LOG_PAID, "openrouter", 0,
     ROWS(openrouter_json_columns, finish_openrouter)},
    {"openrouter_activity", LOG_DOCUMENT, LOG_SUM, LOG_PAID, "openrouter", 1,
     PAGES(activity_columns, finish_activity)},
    {"openrouter_activity_csv", LOG_CSV, LOG_SUM, LOG_PAID, "openrouter", 2,
     ROWS(activity_csv_columns, finish_activity),
     .known_by = NAMES("Date", "Slug", "Usage", "Requests")},
    {"claude_code", LOG_LINES, LOG_CALL, LOG_LIST, "anthropic", 0, .read = read_claude,
     STATE(claude)},
    {"codex", LOG_LINES, LOG_CALL, LOG_LIST, "openai", 0, .read = read_codex, STATE(codex)},
    {"otel", LOG_LINES, LOG_CALL, LOG_PAID, NULL, 0, .read = read_spans},
    {"otel_json", LOG_DOCUMENT, LOG_CALL, LOG_PAID, NULL, 0, .read = read_spans},
    {"llm_logs", LOG_DATABASE, LOG_CALL, LOG_PAID, NULL, 0, ROWS(llm_columns, finish_llm),
     .query = llm_query},
    {"csv", LOG_CSV, LOG_CALL, LOG_PAID, NULL, 0, .read = read_by_table, .finish = finish_map,
     .restore = csv_restore, .keep = csv_keep},
    {"llmcost", LOG_LINES, LOG_CALL, LOG_PAID, NULL, 0, ROWS(own_columns, finish_own)}};
enum { FORMATS = sizeof formats / sizeof formats[0] };

const LogFormat *log_format(const char *name) {
  for (int i = 0; i < FORMATS; i++) {
    if (strcmp(formats[i].name, name) == 0) {
      return &formats[i];
    }
  }
  return NULL;
}

const LogFormat *log_format_at(int i) {
  return i >= 0 && i < FORMATS ? &formats[i] : NULL;
}

const char *log_format_name(const LogFormat *format) {
  return format->name;
}

LogShape log_format_shape(const LogFormat *format) {
  return format->shape;
}

const char *log_format_query(const LogFormat *format) {
  return format->query;
}

/* ---- entries */

void log_entry_init(LogEntry *entry, LogWhat what) {
  *entry = (LogEntry){.what = what,
                      .ts = LLONG_MIN,
                      .to = LLONG_MIN,
                      .latency_ms = LOG_UNKNOWN,
                      .http_status = LOG_UNKNOWN,
                      .attempt = LOG_UNKNOWN,
                      .turn = LOG_UNKNOWN,
                      .system_tokens = LOG_UNKNOWN,
                      .history_tokens = LOG_UNKNOWN,
                      .saved_nusd = LOG_UNKNOWN,
                      .requests = LOG_UNKNOWN,
                      .quantity = NAN,
                      .route_score = NAN,
                      .amount_nusd = LOG_UNKNOWN,
                      .list_nusd = LOG_UNKNOWN};
  usage_init(&entry->usage);
}

void entry_begin(const LogReader *reader, LogEntry *entry) {
  const LogFormat *format = reader->format;
  log_entry_init(entry, format->what);
  entry->billed = format->billed;
  entry->provider = format->provider;
  entry->precedence = format->precedence;
}

/* What is in the input can't be more than it; and of lives of what was written, and reasoning, the whole is believed. */
static int check_usage(Usage *u, Err *err) {
  long long parts = u->n[UNIT_CACHE_READ] + u->n[UNIT_CACHE_WRITE];
  if (u->has & UNIT_BIT(UNIT_INPUT) && parts > u->n[UNIT_INPUT]) {
    return err_set(err, RC_ERROR, ERR_BAD_USAGE,
                   "its cached and written tokens (%lld) are more than its input (%lld)", parts,
                   u->n[UNIT_INPUT]);
  }
  if (u->has & UNIT_BIT(UNIT_CACHE_WRITE_1H) && u->has & UNIT_BIT(UNIT_CACHE_WRITE) &&
      u->n[UNIT_CACHE_WRITE_1H] > u->n[UNIT_CACHE_WRITE]) {
    u->n[UNIT_CACHE_WRITE_1H] = u->n[UNIT_CACHE_WRITE];
  }
  if (u->has & UNIT_BIT(UNIT_OUTPUT) && u->n[UNIT_REASONING] > u->n[UNIT_OUTPUT]) {
    u->has &= ~UNIT_BIT(UNIT_REASONING);
    u->n[UNIT_REASONING] = 0;
  }
  return RC_OK;
}

static int check_times(LogEntry *entry, Err *err) {
  if (entry->ts == LLONG_MIN) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "it has no time that can be read");
  }
  if (entry->what == LOG_SUM && entry->to <= entry->ts) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "its period has no end behind its beginning");
  }
  entry->to = entry->what == LOG_SUM ? entry->to : entry->ts;
  return RC_OK;
}

/* Whoever is named, in whatever place. */
static void name_nobody(Texts *texts, LogEntry *entry) {
  const char **said[] = {&entry->user,          &entry->tag,     &entry->conversation,
                         &entry->project,       &entry->api_key, &entry->model,
                         &entry->provider,      &entry->part,    &entry->model_requested,
                         &entry->finish_reason, &entry->error,   &entry->request_id,
                         &entry->item,          &entry->unit};
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    *said[i] = text_unnamed(texts, *said[i]);
  }
  if (strchr(entry->usage.service, '@') || text_is_name(entry->usage.service)) {
    usage_set_service(&entry->usage, "standard");
  }
  if (strchr(entry->usage.geo, '@') || text_is_name(entry->usage.geo)) {
    entry->usage.geo[0] = 0;
  }
}

int entry_give(LogReader *reader, LogEntry *entry, const Sink *sink, Err *err) {
  Texts *texts = &reader->texts;
  if (err->rc != RC_OK || check_times(entry, err) != RC_OK ||
      check_usage(&entry->usage, err) != RC_OK) {
    return err->rc;
  }
  name_nobody(texts, entry);
  sink->take(sink->arg, entry, err);
  return err->rc;
}

void err_keep(Err *kept, const Err *err) {
  if (kept->rc == RC_OK && err->rc != RC_OK) {
    *kept = *err;
  }
}

int row_give(Row *row, const Sink *sink, Err *err) {
  const LogFormat *format = row->reader->format;
  Finish more = ROW_TAKE;
  for (row->pass = 0; err->rc == RC_OK && (row->pass == 0 || more == ROW_TAKE_AND_ASK_AGAIN);
       row->pass++) {
    LogEntry entry;
    entry_begin(row->reader, &entry);
    entry.record = row->object.at;
    entry.n_record = row->object.n;
    if (row_fill(row, &entry, err) != RC_OK) {
      return err->rc;
    }
    entry.ts = entry.ts == LLONG_MIN ? row->from : entry.ts;
    entry.to = entry.to == LLONG_MIN ? row->to : entry.to;
    more = format->finish ? format->finish(row, &entry, err) : ROW_TAKE;
    if (err->rc == RC_OK && more != ROW_EMPTY) {
      entry_give(row->reader, &entry, sink, err);
    }
  }
  return err->rc;
}

int read_by_table(LogReader *reader, Span record, const Sink *sink, Err *err) {
  int is_csv = reader->format->shape == LOG_CSV;
  Row row = {0};
  reader->rows++;
  int rc = is_csv ? row_of_csv(reader, record, &row, err) : row_of_json(reader, record, &row, err);
  if (rc != RC_OK) {
    return rc;
  }
  return row.object.n ? row_give(&row, sink, err) : RC_OK;
}

/* ---- what formats share */

int span_is_blank(Span text) {
  for (size_t i = 0; i < text.n; i++) {
    if (!strchr(" \t\r\n", text.at[i])) {
      return 0;
    }
  }
  return 1;
}

const char *path_last(Texts *t, const char *path) {
  size_t n = path ? strlen(path) : 0, part = 0;
  while (n > 0 && (path[n - 1] == '/' || path[n - 1] == '\\')) {
    n--;
  }
  while (part < n && path[n - part - 1] != '/' && path[n - part - 1] != '\\') {
    part++;
  }
  return text_keep(t, path ? path + n - part : "", part);
}

int usage_of_json(Span json, Usage *u, Err *err) {
  Err why = {0};
  cJSON *tree = json_parse(json.at, json.n, "the usage", &why);
  if (tree) {
    usage_read(tree, NULL, NULL, u, &why);
  }
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return why.rc == RC_OK;
}

int keep_text(Buf *state, const char *name, const char *text) {
  buf_printf(state, ",\"%s\":\"", name);
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == '"' || c == '\\') {
      buf_printf(state, "\\u%04x", c);
    } else {
      buf_add(state, text, 1);
    }
  }
  return buf_puts(state, "\"");
}

/* ---- readers */

/* What a log keeps beside what it tells: a usage object, a span's metadata. */
#define NESTED_MOST LIMIT_RESPONSE_BYTES

static int begin_reader(LogReader *reader, const char *path, const char *state, const cJSON *map,
                        Err *err) {
  const LogFormat *format = reader->format;
  if (format->finish == finish_map) {
    csv_map(reader, map, err);
  } else if (map) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION, "format '%s' has columns of its own: a map is for 'csv'",
            format->name);
  }
  if (err->rc == RC_OK && format->open && path) {
    format->open(reader, path);
  }
  Span kept = {state, state ? strlen(state) : 0};
  Scan s = scan_of(kept);
  if (err->rc == RC_OK && format->restore && kept.n && scan_take(&s).n && scan_is_done(&s)) {
    format->restore(reader, kept);
  }
  return err->rc;
}

LogReader *log_reader_new(const LogFormat *format, const char *path, const char *state,
                          const cJSON *map, Err *err) {
  LogReader *reader = err->rc == RC_OK ? calloc(1, sizeof *reader) : NULL;
  if (!reader) {
    err_nomem(err);
    return NULL;
  }
  reader->format = format;
  reader->separator = ',';
  reader->columns = format->columns ? *format->columns : (Columns){0};
  buf_init(&reader->nested, NESTED_MOST);
  if (begin_reader(reader, path, state, map, err) != RC_OK) {
    log_reader_free(reader);
    return NULL;
  }
  return reader;
}

void log_reader_free(LogReader *reader) {
  if (reader) {
    buf_free(&reader->nested);
    free(reader->map);
    free(reader->map_names);
    free(reader);
  }
}

/* The columns of a map must be there; those of a format may be missing. */
static int check_map(const LogReader *reader, const char *line, size_t n, Err *err) {
  for (int i = 0; reader->map && i < reader->columns.n; i++) {
    if (reader->cell_of[i] < 0) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "map: the file has no column '%.60s'; its header is: %.*s",
                     reader->columns.at[i].name, (int)(n < 600 ? n : 600), line);
    }
  }
  return RC_OK;
}

/* The name in a cell of a header, without blanks around it. */
static size_t header_name(Span cell, int quoted, char out[TEXT_MOST]) {
  cell.n = cell.n < TEXT_MOST ? cell.n : TEXT_MOST;
  size_t n = quoted ? csv_unquote(cell, out) : (memcpy(out, cell.at, cell.n), cell.n);
  size_t first = 0;
  while (n > 0 && out[n - 1] == ' ') {
    n--;
  }
  while (first < n && out[first] == ' ') {
    first++;
  }
  memmove(out, out + first, n - first);
  return n - first;
}

int log_reader_header(LogReader *reader, const char *line, size_t n, Err *err) {
  int is_marked = n >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0;
  line += is_marked ? 3 : 0;
  n -= is_marked ? 3 : 0;
  reader->separator = csv_separator(line, n);
  CsvRow row = csv_row(line, n, reader->separator);
  Span cell;
  int quoted, more;
  char name[TEXT_MOST];
  reader->n_cells = 0;
  for (int i = 0; i < COLUMNS_MOST; i++) {
    reader->cell_of[i] = -1;
  }
  for (; (more = csv_next(&row, &cell, &quoted)) == 1 && reader->n_cells < INT_MAX;
       reader->n_cells++) {
    size_t length = header_name(cell, quoted, name);
    Span key = {name, length};
    for (int i = 0; i < reader->columns.n; i++) {
      if (reader->cell_of[i] < 0 && span_is(key, reader->columns.at[i].name)) {
        reader->cell_of[i] = reader->n_cells;
      }
    }
  }
  if (more < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "a quote in the header is not closed");
  }
  return check_map(reader, line, (size_t)(row.end - line), err);
}

/* Without the end of the line, and blanks. */
static size_t record_length(const char *record, size_t n) {
  while (n > 0 && strchr(" \t\r\n", record[n - 1]) && record[n - 1]) {
    n--;
  }
  return n;
}

int log_reader_may_skip(const LogReader *reader, const char *record, size_t n) {
  n = record_length(record, n);
  return n == 0 || (reader->format->may_skip && reader->format->may_skip(record, n));
}

int log_reader_read(LogReader *reader, const char *record, size_t n, LogTake take, void *arg,
                    Err *err) {
  Sink sink = {take, arg};
  if (reader->format->shape != LOG_CSV) {
    n = record_length(record, n);
  }
  if (err->rc != RC_OK || n == 0) {
    return err->rc;
  }
  reader->texts.used = 0;
  return reader->format->read(reader, (Span){record, n}, &sink, err);
}

char *log_reader_state(const LogReader *reader, Err *err) {
  Buf state;
  buf_init(&state, 4 * TEXTS_ROOM);
  if (reader->format->keep) {
    buf_puts(&state, "{\"version\":1");
    reader->format->keep(reader, &state);
    buf_puts(&state, "}");
  }
  char *text = buf_take(&state);
  if (!text) {
    err_nomem(err);
  }
  return text;
}
