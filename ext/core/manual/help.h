/*
** What the manual says to a topic: llm_help.
**
** A topic is, in this order: nothing (what there is), a name of the index or of a row's first cell (a function, an
** option, a column), a page; what somebody sees (the rows of tables whose first column is "you see", also of a whole
** message, or "client"; a message of several words goes before all but a name of the index); words (search.h). Case and
** punctuation do not matter. To a word that occurs nowhere it gives the nearest names.
*/
#ifndef LLMCOST_MANUAL_HELP_H
#define LLMCOST_MANUAL_HELP_H

#include "core/manual/page.h"

#include "base/buf.h"

/* The longest topic that is looked at. */
enum { HELP_TOPIC = 4096 };

/* Appends the answer to n bytes of any kind; n 0: what there is. RC_OK, or why there is none. */
int help_write(const ManualPage *pages, const char *topic, size_t n, Buf *out);

#endif
