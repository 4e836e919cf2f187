/*
** A file cut into records: lines, rows of a CSV, JSON values, the elements of an array.
**
** Memory is that of the longest record, at most LIMIT_IMPORT_BYTES: a longer one is told of and passed over. A file of
** lines that begins with '[' is an array, as many programs write the same records.
*/
#ifndef LLMCOST_RECORDS_H
#define LLMCOST_RECORDS_H

#include "core/logs/format.h"
#include "work/files/bytes.h"

typedef struct Record {
  const char *at; /* borrowed until the next is asked for; not NUL-terminated */
  size_t n;
  long long number; /* from 1: for lines and CSVs the line it begins on, else its place */
  long long end;    /* bytes of the file until behind it */
  int is_whole;     /* 0: the file ends before the record's mark does (a newline, a bracket) */
  int is_too_long;  /* it was passed over: at is "" */
} Record;

typedef struct Records Records;

/* Reads from an offset (0: the beginning), where `number` lines lie before. The shape is one of a text's. Owned; NULL and
** *err. `from` is borrowed, and is at that offset. */
Records *records_new(LogShape shape, Bytes *from, long long offset, long long number, Err *err);
void records_free(Records *r);

/* 1 if a file so cut may be read on from the end of a record. */
int records_may_go_on(const Records *r);

/* 1 if its records are the elements of an array: known once the first was asked for. */
int records_is_array(const Records *r);

/* The next one: 1; 0 at the end of the file, and with *err. */
int records_next(Records *r, Record *record, Err *err);

/* The first bytes, at most n, before the first record is asked for: how many are there. Borrowed likewise. *is_all: there
** are no more. */
size_t records_peek(Records *r, size_t n, const char **at, int *is_all, Err *err);

/* What it is cut as, from then on. */
void records_cut_as(Records *r, LogShape shape);

#endif
