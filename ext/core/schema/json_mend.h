/*
** JSON as models write it, read and written again as JSON that every reader takes.
**
** Read besides RFC 8259's: raw control characters in strings; bad UTF-8, lone halves of surrogate pairs and NUL
** (each is U+FFFD); numbers without a digit on one side of their point, with zeros in front or a plus sign; NaN
** and Infinity (null); control characters, byte order marks and no-break spaces between tokens; a comma behind
** the last member. Of members of one name the last counts, as in Python, JavaScript and Go.
**
** A loose reader, for a text in which that found nothing, reads besides: single quotes and typographic ones around
** strings; True, False and None, which are Python's; comments; unknown escapes, of which a letter or digit keeps its
** backslash (\d), \x27 is the character, and all else (\', \_) loses it.
**
** Not read: names without quotes, what ends too early. What these mean would be a guess.
*/
#ifndef LLMCOST_JSON_MEND_H
#define LLMCOST_JSON_MEND_H

#include "base/buf.h"
#include "base/error.h"
#include "base/text/json.h"

/* Where a text is no JSON, and what should stand there. */
typedef struct JsonFault {
  const char *at;
  const char *expected; /* "a value"; static */
  int is_end;           /* the text ends there */
  int is_meant; /* and yet it is meant as JSON: a name and its colon stand there, or a list's first object */
} JsonFault;

/* Passes over what separates tokens, up to `end`. */
const char *json_mend_skip(const char *at, const char *end);

/* The end of the one value that begins at `at`, or NULL and *fault. Needs no memory; takes as long as what it
** passes over, at most to `end`. */
const char *json_mend_scan(const char *at, const char *end, int is_loose, JsonFault *fault);

/* The tree of a value that json_mend_scan, as loose, went to `end` of, owned (cJSON_Delete), or NULL and *err: no memory.
** Numbers borrow their digits from the text, which must outlive the tree: a double has too few of them. */
cJSON *json_mend_tree(const char *at, const char *end, int is_loose, Err *err);

/* Appends such a tree as RFC 8259 without blanks: strings with the fewest escapes, numbers with all their digits. */
int json_mend_print(const cJSON *tree, Buf *out);

#endif
