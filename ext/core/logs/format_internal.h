/*
** What the files of this room share: a format, the reader of a file, and rows whose columns are data.
**
**   format.c     the table of formats; readers
**   recognise.c  which of them a file is
**   scan.c       JSON without a tree
**   values.c     texts, counts, money and times out of what somebody wrote
**   row.c        a row or an object, read by a table of columns
**   sums.c       OpenAI's and Anthropic's reports, OpenRouter's activity
**   gateways.c   LiteLLM, Langfuse, Helicone, OpenRouter
**   claude.c, codex.c, spans.c (OpenTelemetry), others.c (llm's database, any CSV, our own)
*/
#ifndef LLMCOST_LOG_FORMAT_INTERNAL_H
#define LLMCOST_LOG_FORMAT_INTERNAL_H

#include "base/buf.h"
#include "base/hash.h"
#include "core/logs/format.h"
#include "core/logs/scan.h"

#include <stddef.h>

/* ---- values.c */

/* A text of an entry is cut behind so many bytes (the longest that matter are model names and ids); the texts of one entry
** have so much room. */
enum { TEXT_MOST = 512, TEXTS_ROOM = 32 * 1024 };

/* The texts of the record that is read: they stay where they are until it is cleared. */
typedef struct Texts {
  size_t used;
  char at[TEXTS_ROOM];
} Texts;

/* Keeps n bytes as a text: valid UTF-8, cut at TEXT_MOST. NULL where they are none, or there is no room. */
const char *text_keep(Texts *t, const char *bytes, size_t n);

/* The text of a JSON value: of a string what it says, of a number or a word its letters. NULL of null, "", objects, arrays. */
const char *text_of(Texts *t, Span json);

/* What may name a person: an e-mail address or an IP address goes only as a name made from its hash. NULL stays. */
const char *text_unnamed(Texts *t, const char *text);
int text_is_name(const char *text);

/* A text if it is a word or a code, no sentence; else NULL. */
const char *text_word(const char *text);

/* A whole number from 0 to `most`, "1,234" and "12.0" too: 1, or 0. */
int number_count(const char *text, long long most, long long *count);

/* Money times 10^scale, exact; "$1,234.56" too, and, where `negative` allows it, credits: 1, or 0. */
int number_money(const char *text, int scale, int negative, long long *nusd);

/* How a time is written: a file has one way. */
typedef enum TimeForm { TIME_NONE, TIME_TEXT, TIME_S, TIME_MS, TIME_US, TIME_NS } TimeForm;

/* A time as Unix ms: a number, whose size tells what it counts; or a date, with or without a time and a zone (none: UTC). 1 and *form;
** 0 where it can't be told (03/04/2026, "8:30 AM", a year alone). */
int time_read(const char *text, long long *ms, TimeForm *form);

/* ---- row.c: CSVs */

/* The next cell of a row: 1, 0 behind the last, -1 where a quote does not close or something follows one. What stands between quotes is
** doubled there: `quoted`. */
typedef struct CsvRow {
  const char *at, *end;
  char separator;
  int is_done;
} CsvRow;

CsvRow csv_row(const char *row, size_t n, char separator);
int csv_next(CsvRow *row, Span *cell, int *quoted);

/* What cells of a header are parted by: ',', ';' or a tab. */
char csv_separator(const char *header, size_t n);

/* The bytes that a quoted cell says, into `out` of at least its own length; returns how many. */
size_t csv_unquote(Span cell, char *out);

/* ---- row.c: columns */

/* What a column holds, and so where it goes. */
typedef enum As {
  AS_NOTHING, /* looked at by the format itself */
  AS_TEXT,    /* a text of the entry */
  AS_WORD,    /* the same, if it is a word or a code, else "error" */
  AS_TIME,    /* a time of the entry */
  AS_DAY,     /* a UTC day: ts and to */
  AS_COUNT,   /* a unit, as it is */
  AS_BESIDE,  /* tokens that stand beside the others of the input: they are added to it */
  AS_NUMBER,  /* a count of the entry */
  AS_HINT, /* the same, rounded, of which nothing hangs (a latency, a status): one that can't be read is not said */
  AS_USD,  /* money of the entry, in dollars */
  AS_CENTS,
  AS_NUSD,
  AS_QUANTITY,
  AS_SERVICE, /* the words of the usage */
  AS_GEO
} As;

typedef struct Column {
  const char *name; /* theirs; of JSON a path */
  As as;
  size_t at; /* the member of the entry, or the unit */
} Column;

/* A table of columns: the struct and what is in it. */
#define COLUMNS(name, ...)                                                                         \
  static const Column name##_list[] = {__VA_ARGS__};                                               \
  _Static_assert(sizeof name##_list / sizeof name##_list[0] <= COLUMNS_MOST, "too many columns");  \
  const Columns name = {name##_list, (int)(sizeof name##_list / sizeof name##_list[0])}

#define TO(member) offsetof(LogEntry, member)

enum { COLUMNS_MOST = 64 };

typedef struct Columns {
  const Column *at;
  int n;
} Columns;

/* A row of a CSV or an object, of which the cells of the columns are known. */
typedef struct Row {
  LogReader *reader;
  int is_json, pass;
  long long from, to; /* of what stands around it; LLONG_MIN: nothing said */
  Span object;
  Span cells[COLUMNS_MOST];
  char quoted[COLUMNS_MOST];
} Row;

/* Finds the cells. RC_OK or *err: it is torn. A CSV's row of nothing but blanks: row->object.n is 0. */
int row_of_json(LogReader *reader, Span record, Row *row, Err *err);
int row_of_csv(LogReader *reader, Span record, Row *row, Err *err);

/* Reads all columns into the entry. RC_OK or *err, which names the column, never what stands in it. */
int row_fill(Row *row, LogEntry *entry, Err *err);

/* What stands in a column of the format: its text, NULL for none; and JSON in it (also as a text in a CSV or a string; until the next such), n 0 for none, or *err. */
const char *row_text(Row *row, const char *name);
Span row_json(Row *row, const char *name, Err *err);

/* ---- format.c */

/* Takes the entries of a record. */
typedef struct Sink {
  LogTake take;
  void *arg;
} Sink;

/* A row as an entry that its columns filled. (Asked again, of a new entry, it has row->pass counted up.) */
typedef enum Finish { ROW_EMPTY, ROW_TAKE, ROW_TAKE_AND_ASK_AGAIN } Finish;
typedef Finish (*RowFinish)(Row *row, LogEntry *entry, Err *err);

struct LogFormat {
  const char *name;
  LogShape shape;
  LogWhat what;
  LogBilled billed;
  const char *provider; /* of all its entries, or NULL */
  int precedence;
  /* a table of columns … */
  const Columns *columns;
  RowFinish finish;            /* or NULL: as it is */
  const char *const *known_by; /* columns that a CSV has, members that a record has */
  /* … or a function of its own. Called with the texts cleared. */
  int (*read)(LogReader *reader, Span record, const Sink *sink, Err *err);
  int (*may_skip)(const char *record, size_t n);
  void (*open)(LogReader *reader, const char *path);
  void (*restore)(LogReader *reader, Span state);
  int (*keep)(const LogReader *reader, Buf *state);
  const char *query;
};

/* What Codex's file said so far. */
typedef struct CodexState {
  Hash chain;
  long long last[6];
  int any;                      /* totals were seen */
  int begun, is_fork, is_named; /* named: it told its session's id */
  long long birth, at;          /* of its first line, of its latest event */
  char session[128], model[LIMIT_MODEL_NAME];
} CodexState;

struct LogReader {
  const LogFormat *format;
  Columns columns; /* the format's, or those of a map */
  char tag[TEXT_MOST];
  CodexState codex;
  /* of a CSV */
  char separator;
  int n_cells, cell_of[COLUMNS_MOST]; /* -1: there is no such column */
  TimeForm times;                     /* how this file writes times, where it must be one way */
  long long rows;
  Column *map; /* owned, with its names */
  char *map_names;
  const char *kind_of, *billed_of; /* the columns that a map names for these, or NULL */
  Buf nested;                      /* JSON that stood in a text */
  Texts texts;
};

/* Hands an entry over, after what holds of every format: it has a time, no part of its input is larger than all of it, nobody is
** named. RC_OK or *err. */
int entry_give(LogReader *reader, LogEntry *entry, const Sink *sink, Err *err);

/* An entry of the format. */
void entry_begin(const LogReader *reader, LogEntry *entry);

/* Of the errors within one record the first is kept, and the others of it are read all the same. */
void err_keep(Err *kept, const Err *err);

/* Adds a text to a state, an object without its closing bracket. RC_OK or as buf_add. */
int keep_text(Buf *state, const char *name, const char *text);

/* The last part of a path, of either kind of slash; NULL for none. */
const char *path_last(Texts *t, const char *path);

/* What a usage object says, of whatever shape (core/usage knows them): 1, or 0 where it is none; without memory *err too. */
int usage_of_json(Span json, Usage *u, Err *err);

/* A record, or a value in it, was no JSON. Returns err->rc. */
int err_torn(const Scan *s, Span record, Err *err);

/* Reads a row into entries and hands them over. RC_OK or *err. */
int row_give(Row *row, const Sink *sink, Err *err);

/* 1 if nothing but blanks is left of a text. */
int span_is_blank(Span text);

/* ---- the formats */

int read_by_table(LogReader *reader, Span record, const Sink *sink, Err *err);
int read_pages(LogReader *reader, Span record, const Sink *sink, Err *err);
int read_claude(LogReader *reader, Span record, const Sink *sink, Err *err);
int read_codex(LogReader *reader, Span record, const Sink *sink, Err *err);
int read_spans(LogReader *reader, Span record, const Sink *sink, Err *err);

int claude_may_skip(const char *record, size_t n);
void claude_open(LogReader *reader, const char *path);
void claude_restore(LogReader *reader, Span state);
int claude_keep(const LogReader *reader, Buf *state);
int codex_may_skip(const char *record, size_t n);
void codex_open(LogReader *reader, const char *path);
void codex_restore(LogReader *reader, Span state);
int codex_keep(const LogReader *reader, Buf *state);
void csv_restore(LogReader *reader, Span state);
int csv_keep(const LogReader *reader, Buf *state);
int csv_map(LogReader *reader, const cJSON *map, Err *err);

Finish finish_openai_cost(Row *row, LogEntry *entry, Err *err);
Finish finish_openai_usage(Row *row, LogEntry *entry, Err *err);
Finish finish_anthropic_cost(Row *row, LogEntry *entry, Err *err);
Finish finish_anthropic_usage(Row *row, LogEntry *entry, Err *err);
Finish finish_activity(Row *row, LogEntry *entry, Err *err);
Finish finish_litellm(Row *row, LogEntry *entry, Err *err);
Finish finish_langfuse(Row *row, LogEntry *entry, Err *err);
Finish finish_helicone(Row *row, LogEntry *entry, Err *err);
Finish finish_openrouter(Row *row, LogEntry *entry, Err *err);
Finish finish_llm(Row *row, LogEntry *entry, Err *err);
Finish finish_own(Row *row, LogEntry *entry, Err *err);
Finish finish_map(Row *row, LogEntry *entry, Err *err);

extern const Columns openai_cost_columns, openai_cost_csv_columns, openai_usage_columns,
    anthropic_usage_columns, anthropic_usage_csv_columns, anthropic_cost_columns,
    anthropic_cost_csv_columns, activity_columns, activity_csv_columns, litellm_columns,
    langfuse_columns, helicone_columns, openrouter_columns, openrouter_json_columns, llm_columns,
    own_columns;

#endif
