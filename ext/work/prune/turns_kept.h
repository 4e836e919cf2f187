/*
** A conversation that has grown over its budget: which turns stay, and what becomes of the others (llm_prune, and llm_chat with
** `prune`).
*/
#ifndef LLMCOST_TURNS_KEPT_H
#define LLMCOST_TURNS_KEPT_H

#include "call/state/memo.h"
#include "conn/conn.h"

typedef struct KeptAsk {
  const char *messages; /* a JSON array */
  size_t n;
  const char *options; /* JSON; NULL: none given, which lacks the budget */
  size_t n_options;
  const Options *
      call; /* of the call that is about to be made: whose model, tag, user and conversation it is; NULL: there is none */
  int sends;  /* a summary may be asked for; 0: only one that is there already */
  Memo *memo; /* NULL: none */
} KeptAsk;

typedef struct Kept {
  char *
      text; /* owned (free): a JSON array in which each message that stays is byte for byte as it was */
  size_t n;
  int turns; /* user messages of the whole conversation */
  long long left_out,
      sent; /* tokens; a summary is among the latter, and is subtracted from the former */
  long long
      anew; /* of what a call sends: tokens that the provider's cache had read, had nothing been left out */
  const char *no_summary; /* a few static words: why there is none though it was asked for; NULL */
} Kept;

/* RC_OK, or *err and nothing in *out. For a call that is to be made it is no error where what must stay has more tokens than the budget:
** then nothing else does. */
int turns_kept(Conn *conn, const KeptAsk *ask, Kept *out, Err *err);

/* Options that are to hold for later: RC_OK, or what is wrong with them. */
int turns_check_options(const char *options, size_t n, Err *err);

#endif
