/*
** Which older turns of a conversation have to do with what is asked last.
*/
#ifndef LLMCOST_TURNS_RELATED_H
#define LLMCOST_TURNS_RELATED_H

#include "work/prune/turns_read.h"

/* Scores turns by the user's last words: by the words they share (BM25) and by meaning (the compiled-in embedder), as llm_compress
** scores sentences. Those that have little to do with them, measured by the best one, stay at 0. RC_OK or *err. */
int turns_relate(const Turns *t, PruneTurn *turns, size_t n_turns, Err *err);

#endif
