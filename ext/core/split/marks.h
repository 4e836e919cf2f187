/*
** What in running text is one piece and stays as it stands, byte for byte: quotations, inline code, regular expressions,
** URLs, addresses, identifiers, tags, placeholders, values written as in JSON, numbers. A sentence never ends within one, and no blank in one is touched.
**
** Looked for within a block (blocks.h): a quotation may go over its lines, but not out of it. A mark whose closing one is not
** there (or more than 240 visible bytes away: then it is text like any other) is looked for once in a block, so any text takes linear time. What is found does not depend on how many blanks stand
** somewhere: squeezing them gives the same marks again.
*/
#ifndef LLMCOST_MARKS_H
#define LLMCOST_MARKS_H

#include "base/error.h"

#include <stddef.h>

/* The kinds of protected text, in marks and in spans.h. */
#define SPAN_KINDS(X)                                                                              \
  X(SPAN_QUOTE, "quote")             /* "…" '…' “…” „…“ «…» 「…」 */       \
  X(SPAN_INLINE_CODE, "inline_code") /* `…` */                                                   \
  X(SPAN_REGEX, "regex")             /* /…/ */                                                   \
  X(SPAN_URL, "url")                                                                               \
  X(SPAN_EMAIL, "email")                                                                           \
  X(SPAN_ID, "id")                   /* letters with digits: ORD-123, a UUID, a hash */            \
  X(SPAN_TAG, "tag")                 /* <x …>, </x> */                                           \
  X(SPAN_PLACEHOLDER, "placeholder") /* {{x}} {x} ${x} $x %s */                                    \
  X(SPAN_NUMBER, "number")                                                                         \
  X(SPAN_DATE, "date")                                                                             \
  X(SPAN_NEGATION, "negation")                                                                     \
  X(SPAN_ORDER, "order")   /* must, only, until */                                                 \
  X(SPAN_FORMAT, "format") /* JSON, table, bullets */                                              \
  X(SPAN_CODE, "code")     /* a block of it */                                                     \
  X(SPAN_JSON, "json")     /* its values stay; of a block of it the blanks between them may go */  \
  X(SPAN_TABLE, "table")                                                                           \
  X(SPAN_HEADING, "heading")

typedef enum SpanKind {
#define SPAN_ID_OF(id, name) id,
  SPAN_KINDS(SPAN_ID_OF)
#undef SPAN_ID_OF
      SPAN_N_KINDS
} SpanKind;

typedef struct TextSpan {
  size_t from, n; /* bytes */
  SpanKind kind;
} TextSpan;

/* A list of spans: zeroed is empty; spans_free. */
typedef struct TextSpans {
  TextSpan *at; /* owned */
  size_t n, cap;
} TextSpans;

/* The word of a kind. Static storage. */
const char *span_kind_name(SpanKind kind);

int spans_add(TextSpans *list, size_t from, size_t n, SpanKind kind, Err *err);
void spans_free(TextSpans *list);

/* Appends the marks within [from, end) of a text, in order, none within another: quotations to numbers of the kinds. Returns
** RC_OK, or *err without memory. */
int marks_find(const char *text, size_t from, size_t end, TextSpans *out, Err *err);

#endif
