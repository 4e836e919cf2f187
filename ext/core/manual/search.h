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

/* Headings that hold the topic's words in their order. */
void search_headings(const ManualPage *pages, const char *topic, Buf *room, Found *found);

/* Blocks that hold its words, rare ones above all. */
void search_words(const ManualPage *pages, const char *topic, Buf *room, Found *found);

#endif
