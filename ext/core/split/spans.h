/*
** What of a text is protected: marks (marks.h), numbers, dates, negations and orders, words that say how an answer is to look,
** headings, code, JSON, tables. Each stays byte for byte as long as the unit that it stands in does (of JSON: its values).
*/
#ifndef LLMCOST_SPANS_H
#define LLMCOST_SPANS_H

#include "core/split/marks.h"

/* Appends the protected spans of n bytes, in order, none within another. Linear time. Returns RC_OK, or *err without memory. */
int spans_find(const char *text, size_t n, TextSpans *out, Err *err);

#endif
