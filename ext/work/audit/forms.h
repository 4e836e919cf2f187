/*
** The same prompt asked of the same model in several forms: in prose or with a JSON Schema, with a word about brevity in the
** system prompt or without, with examples in it or without. What a form is worth is seen where one prompt was asked in two that
** differ in nothing else; what was asked in one alone says nothing, and nothing is guessed of it.
*/
#ifndef LLMCOST_FORMS_H
#define LLMCOST_FORMS_H

#include "conn/conn.h"
#include "store/audit/audit.h"
#include "base/tables/groups.h"

enum {
  FORM_SCHEMA = 1,  /* option `schema` */
  FORM_BRIEF = 2,   /* the system prompt asks for short answers (core/lint/brevity.h) */
  FORM_EXAMPLES = 4 /* it holds examples (core/ballast/examples.h) */
};

typedef struct Forms {
  Groups prompts; /* those that were asked in several, by their hash */
  Groups systems; /* what a system prompt is, by its hash */
  Groups ways;    /* means of tokens, by prompt, model and form */
} Forms;

/* Reads those of the ledger's calls in `ask`. RC_OK or *err; forms_free in any case. */
int forms_read(Store *store, const AuditAsk *ask, Forms *forms, Err *err);
void forms_free(Forms *forms);

/* Tokens that a call would have had in another form; NAN: its prompt was not asked so. */
typedef struct FormTokens {
  double output_in_prose;  /* of a call with a schema: without it */
  double output_at_length; /* of one without, whose system prompt asks for brevity: without that */
  double input_with_examples; /* of one without examples: with them */
} FormTokens;

FormTokens forms_of(Forms *forms, const AuditRow *row, Err *err);

#endif
