/*
** The formats of usage logs: how each is recognised, how its records are cut out of a file, and how one is read.
**
** A format is data where it can be (columns by name), a small function where it can't. A record is a line, a row of a
** CSV, an element of a JSON array, or a whole JSON document; who reads files (work/import.c) cuts them. The reader of a
** file has a state that fits in a text, so that a file that has grown is read on from where it was understood.
**
** Pure: no file, no database.
*/
#ifndef LLMCOST_LOG_FORMAT_H
#define LLMCOST_LOG_FORMAT_H

#include "core/logs/entry.h"

/* How a file is cut into records. */
typedef enum LogShape {
  LOG_LINES,    /* a JSON value a line */
  LOG_CSV,      /* a header, and rows (RFC 4180; a BOM is skipped) */
  LOG_ELEMENTS, /* the elements of the outermost JSON array */
  LOG_DOCUMENT, /* one JSON value, of at most LIMIT_IMPORT_BYTES */
  LOG_DATABASE  /* an SQLite file: the rows of the format's queries, as JSON objects */
} LogShape;

typedef struct LogFormat LogFormat; /* its members are format_internal.h's */

/* The format that a name means ("claude_code"); NULL where there is none. And the i-th, from 0; NULL behind the last. */
const LogFormat *log_format(const char *name);
const LogFormat *log_format_at(int i);
const char *log_format_name(const LogFormat *format);
LogShape log_format_shape(const LogFormat *format);

/* The queries of a LOG_DATABASE, with ';' between them; NULL of others. One that names a table or a column which this file
** does not have gives no rows (an older program wrote it); at least one must be there. Its columns are the members of the
** objects; what they hold beside counts (prompts) is not looked at. */
const char *log_format_query(const LogFormat *format);

/* 1 if our own rows (format "llmcost") have a column of that name: those of llm_calls, which a test holds against it. */
int log_own_column(const char *name);

/* Recognises a file by its first bytes (n of them; `whole`: there are no more): CSVs by their header, the others by
** their members. NULL where it is none that is known, with *err if more can be said: an export that holds sums only is
** refused with a hint. */
const LogFormat *log_recognise(const char *head, size_t n, int whole, Err *err);

/* A file that is being read. */
typedef struct LogReader LogReader;

/* `path` names the file, for formats whose path says something; `state` is what log_reader_state gave when it was
** last read, NULL: from its beginning. `map` (of the format "csv"): which column is what, a JSON object {column of
** llm_calls: column of the file}, else NULL. Owned (log_reader_free). NULL and *err. */
LogReader *log_reader_new(const LogFormat *format, const char *path, const char *state,
                          const cJSON *map, Err *err);
void log_reader_free(LogReader *reader);

/* Of a CSV: its header, before the first row. */
int log_reader_header(LogReader *reader, const char *line, size_t n, Err *err);

/* 1 if a record can't hold anything to be taken (quick, may say 0 wrongly): it need not be read. Whether one is read that may be
** skipped makes no difference to the others, nor to the state; but two lines that were written into one may be passed over so. */
int log_reader_may_skip(const LogReader *reader, const char *record, size_t n);

/* Reads one record (of a CSV: one row, with its newlines in quotes) and hands each entry it holds to `take`. RC_OK; or
** RC_ERROR and *err: what is wrong with this record (what else it held was handed over): it is listed, and the next one is read.
** RC_MISMATCH: the file contradicts itself (its times are in two units), and none of it is to be taken. Other codes end it all,
** as does what `take` sets. *err is clear before. Blank records hold nothing. */
int log_reader_read(LogReader *reader, const char *record, size_t n, LogTake take, void *arg,
                    Err *err);

/* What to keep for when the file has grown, owned (free()); "" where the format needs nothing. NULL without memory. */
char *log_reader_state(const LogReader *reader, Err *err);

#endif
