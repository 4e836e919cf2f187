/*
** Prompts that one template made: texts with as many sentences, all equal but for names and numbers and for one more, at a place
** that is the same in three of them or more. Such a sentence moves, whatever it says: a customer's name, the weather, what is in stock.
**
** Told by the ledger alone, so it needs no list of words. What seldom changes is not told (a prompt for each of three tenants, five versions
** of a text): at least one call in ten has to come with another text.
*/
#ifndef LLMCOST_FAMILIES_H
#define LLMCOST_FAMILIES_H

#include "base/error.h"
#include "core/lint/moving.h"
#include "work/prompts/sent_prompt.h"

/* Reads the sentences of a text into *out (owned by its `raw`): none where it has too many. RC_OK, or *err. */
int sentences_read(const char *text, const TextUnits *u, const MovingList *moving, Sentences *out,
                   Err *err);

/* Joins those that one template made: the newest stays, with the calls of all, and says which sentences move. RC_OK, or *err. Time:
** that of sorting all sentences. */
int families_join(SentPrompts *s, Err *err);

#endif
