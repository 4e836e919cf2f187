/*
** A prompt with the names of columns in it: "Classify {title}: {body}".
**
** It is read once, before any row: what a row holds is written as it is, byte for byte, and never read again, so that braces in data
** mean nothing. "{{" and "}}" are braces. Between two single ones stands the name of a column, which may hold blanks, quotes,
** anything but braces; it is looked up as it stands, then without regard to the case of ASCII letters.
*/
#ifndef LLMCOST_TEMPLATE_H
#define LLMCOST_TEMPLATE_H

#include "base/buf.h"
#include "base/error.h"

typedef struct Template Template;

/* What a column holds in a row. NULL: nothing, and nothing is written. */
typedef struct TemplateValue {
  const char *text;
  size_t n;
} TemplateValue;

/* Reads it. Owned (template_free); NULL and *err: ERR_BAD_OPTION for a brace that stands alone, an empty name, one that no column has,
** or more than one; it names it, lists the columns and says how a brace is written. */
Template *template_parse(const char *text, size_t n, const char *const *names, int n_names,
                         Err *err);
void template_free(Template *t);

/* 1 if this column (from 0) stands in it. */
int template_uses(const Template *t, int column);

/* Appends the prompt of a row; `values`: one for each of the names. RC_OK, RC_NOMEM or RC_TOOBIG. */
int template_render(const Template *t, const TemplateValue *values, Buf *out);

#endif
