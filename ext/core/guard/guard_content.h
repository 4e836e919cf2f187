/*
** Other telling words: a score over what is left without counterpart.
*/
#ifndef LLMCOST_GUARD_CONTENT_H
#define LLMCOST_GUARD_CONTENT_H

#include "core/guard/guard_texts.h"

enum { CONTENT_FEATURES_MAX = 32 };

/* Counts what the score is made of, in the order of FEATURES in guard_content.c; returns how many
** counts there are. Symmetric in the texts. */
size_t content_features(const Texts *p, int f[CONTENT_FEATURES_MAX]);

/* Returns 1 where the score says that the texts ask for different things, and keeps the words that
** it objected to. */
int content_differs(Texts *p);

#endif
