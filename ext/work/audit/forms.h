/*
** The same prompt asked of the same model in several forms: in prose or with a JSON Schema, with a word about brevity in the
** system prompt or without, with examples in it or without. What a form is worth is seen where one prompt was asked in two that
** differ in nothing else: the rest of both system prompts (core/lint/form.h) is the same, and both had a schema or neither. (Between a schema
** and prose the rest is what is left without sentences about the format, which the schema says.) What was asked in one alone says nothing,
** and nothing is guessed of it; nor of a system prompt whose text is not kept, but that it is the same as itself.
**
** The other form is looked for in the whole ledger, whichever of its calls are counted.
*/
#ifndef LLMCOST_FORMS_H
#define LLMCOST_FORMS_H

#include "conn/conn.h"
#include "store/audit/audit.h"
#include "base/tables/groups.h"

typedef struct Forms {
  Groups prompts; /* those that were asked in several, by their hash */
  Groups systems; /* what a system prompt is, by its hash */
  Groups ways;    /* sums of tokens: by form, in it or not, prompt, model and the rest */
} Forms;

/* Reads what the calls in `ask` are held against. RC_OK or *err; forms_free in any case. */
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
