/*
** Answers that are forgotten because somebody asks for it: from the exact and from the semantic cache, in one transaction.
** The ledger keeps what they cost.
*/
#ifndef LLMCOST_FORGET_H
#define LLMCOST_FORGET_H

#include "store/db/store.h"

/* Which ones: those that meet all of it. Texts are borrowed; NULL: any.
**
** tag and user are those of the call that was paid; model is the one that it asked for or that answered. Of a call that the
** ledger has no more nobody knows the user: its answer is none of theirs.
**
** question is what the user said last, whatever the system prompt and the conversation before: a text with the same normal
** form. Where texts are kept as hashes alone (log_text 'hash'), it is the very text of a conversation's only message; where
** they are not kept at all, none. */
typedef struct ForgetAsk {
  const char *tag, *model, *user, *question;
  long long before; /* Unix ms: made before that; LEDGER_NULL: whenever */
} ForgetAsk;

/* Forgets them; *n is how many: an answer in both caches counts twice. RC_OK; or *err, and nothing is forgotten. */
int forget_answers(Store *s, const ForgetAsk *ask, long long *n, Err *err);

#endif
