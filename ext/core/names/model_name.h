/*
** Model names as people and providers write them.
*/
#ifndef LLMCOST_MODEL_NAME_H
#define LLMCOST_MODEL_NAME_H

#include <stddef.h>

/* How well `asked` names the model `known`: 3 the same bytes; 2 the same but for case and a
** vendor prefix ("openai/", "models/"); 1 a dated snapshot or "-latest" of it
** ("gpt-4o-2024-08-06", "claude-haiku-4-5-20251001"); 0 another model. Fine-tuned names ("ft:…")
** match only themselves: they cost more than their base. */
int model_name_match(const char *asked, const char *known);

/* The name in lower case, cut off at the end of `out`. Returns the name's length. */
size_t model_name_lower(const char *name, char *out, size_t size);

/* The length of a name without a snapshot's suffix: a date or "-latest". */
size_t model_name_base(const char *name);

/* The plain name of a model, one for its spellings: in lower case, without a path, a cloud's prefix ("us.anthropic."),
** a revision ("-v1:0", "@20251001") or a snapshot's date. A version has a dot, but in Claude's, as their makers
** write: "anthropic/claude-opus-4.5" and "claude-opus-4-5-20251101" are "claude-opus-4-5". What makes another price
** stays (":free", "-fast"), as does all of a fine-tuned name. Cut off at the end of `out`. */
void model_name_plain(const char *name, char *out, size_t size);

#endif
