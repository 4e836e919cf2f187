/*
** What a conversation came to before a cut, told by a cheap model: asked once for each cut, and kept.
**
** Kept with the answers (llm_answers) under the hash of all messages in front of the cut, system messages aside, and the name of the
** model that was asked for: whoever prunes the same history, on whichever connection, finds it. The next cut asks for the previous
** summary and what came since, so that each message is read once for a summary, not once for each cut behind it. (With 40 turns and a
** step of 5 the whole anew would read 5 + 10 + ... + 35 = 140 turns; this way it is 35 and six summaries.)
**
** It is not asked for where it can't pay: where both prices are known, and the call would cost more than what the left out tokens
** would cost, read from the provider's cache, until the cut moves again. What was paid for and was no answer, or ordered something
** new, is not asked for again.
*/
#ifndef LLMCOST_SUMMARY_H
#define LLMCOST_SUMMARY_H

#include "call/state/memo.h"
#include "conn/conn.h"
#include "work/prune/turns_read.h"

typedef struct SummaryAsk {
  const Turns *turns;
  const unsigned char *kept; /* of what is in front of the cut the others are told */
  size_t cut;
  long long dropped; /* tokens of those */
  long long room;    /* that it may have */
  double requests;   /* until the cut moves again, about */
  const TokenRule *rule;
  const char *model;                     /* of the conversation; NULL: nobody says */
  const char *summary_model;             /* NULL: the cheapest tier that can be asked */
  const char *tag, *user, *conversation; /* of who asks; NULL: none */
  const Options *call; /* that waits for it: its time and retries; NULL: there is none */
  int sends;           /* 0: only one that is there already */
  Memo *memo;          /* NULL: none */
} SummaryAsk;

typedef struct Summary {
  char *text; /* owned (free); NULL: there is none, and `why` says why */
  size_t n;
  const char *why; /* a few static words; NULL with a text */
} Summary;

/* RC_OK, with a text or without; *err only where there is no memory or it was interrupted: no answer fails for a summary. */
int summary_get(Conn *conn, const SummaryAsk *ask, Summary *out, Err *err);

#endif
