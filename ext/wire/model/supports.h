/*
** What llm_models.supports says of a model.
*/
#ifndef LLMCOST_SUPPORTS_H
#define LLMCOST_SUPPORTS_H

#include "base/error.h"
#include "core/price/catalogue.h"

/* The model's `supports` JSON has "name": true. `otherwise` where it says nothing, or is no JSON (route.c
** refuses that). *err where there was no memory to look: the value says nothing. */
int wire_supports(const Model *model, const char *name, int otherwise, Err *err);

/* What "name" in the model's `supports` JSON is: a text, copied to out (cut to size); "no": false; or anything else, NULL or no JSON, which says nothing. */
typedef enum SupportsWord { SUPPORTS_NOTHING, SUPPORTS_NO, SUPPORTS_TEXT } SupportsWord;
SupportsWord wire_supports_word(const Model *model, const char *name, char *out, size_t size,
                                Err *err);

/* The number of elements that the model's `supports` JSON says its vectors have ("dimensions"); 0: none. */
long long wire_dimension(const Model *model, Err *err);

#endif
