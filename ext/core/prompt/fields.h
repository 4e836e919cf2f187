/*
** A row as a JSON object of its columns, behind an instruction:
**
**   Classify the sentiment.
**
**   {"product":"Kettle","review":"It leaks."}
**
** The same row gives the same bytes, and rows that share their first fields share the bytes of them: a provider bills a prefix that it
** has seen at a fraction. So all rows of a run have one order of fields, by what their values repeat.
*/
#ifndef LLMCOST_FIELDS_H
#define LLMCOST_FIELDS_H

#include "base/buf.h"
#include "base/error.h"

typedef enum FieldType { FIELD_NULL, FIELD_INTEGER, FIELD_REAL, FIELD_TEXT, FIELD_BLOB } FieldType;

typedef struct Field {
  FieldType type;
  long long integer;
  double real;
  const char *text; /* n bytes, borrowed */
  size_t n;
} Field;

/* Names are told apart: RC_OK, or ERR_BAD_OPTION that names one which two columns have, or that is no UTF-8. */
int fields_check(const char *const *names, int n, Err *err);

/* Appends the object: texts as they are, integers and reals as numbers that read back as the same (a real as one: 2.0), NULL as null. `order`: which field
** stands where (NULL: as given). RC_OK, or *err: ERR_BAD_PROMPT for a blob, ERR_BAD_UTF8 for a text that is none; RC_NOMEM, RC_TOOBIG. `out` is as it
** was then, or failed. */
int fields_render(const char *const *names, const Field *values, const int *order, int n, Buf *out,
                  Err *err);

/* The order of fields: `repeated[i]` is, of field i, the sum over its different values of (times it occurs − 1) × its length, largest first; equal ones as
** given (arXiv 2403.05821: one global order by it and a sort of the rows gets nearly all that grouping gets). */
void fields_order(const double *repeated, int n, int *order);

#endif
