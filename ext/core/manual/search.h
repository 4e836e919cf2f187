/*
** Looking for what somebody sees, and for words.
*/
#ifndef LLMCOST_MANUAL_SEARCH_H
#define LLMCOST_MANUAL_SEARCH_H

#include "core/manual/page.h"

#include "base/buf.h"

enum { SEARCH_MOST = 4 };

/* Places of the manual, the best first. */
typedef struct Found {
  Walk at[SEARCH_MOST];
  int score[SEARCH_MOST];
  int n;
} Found;

/* Rows of what one sees (or of clients that one has) that fit a topic's normal form (words.h). `room` is for texts that are compared. */
void search_seen(const ManualPage *pages, const char *topic, Buf *room, Found *found);

/* PageBlocks that hold its words: rare ones count more than others, common ones ("how", "the") not at all; a word of a heading,
** or one that the page gives it besides (page.h), more than that of a row or a text. */
void search_words(const ManualPage *pages, const char *topic, Buf *room, Found *found);

#endif
