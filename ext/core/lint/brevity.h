/*
** Whether a prompt asks for short answers. A sentence does that says
**
**   be (keep it, stay) brief, concise, short, kurz, bref, breve
**   answer (respond, write, explain) briefly, concisely
**   short, brief answers (replies, sentences)
**   at most (under, up to, no more than) so many words, sentences, lines; or to answer in one, in two or three of them
**
** but not where it is forbidden ("Do not be brief."), holds at times ("If the text is under 50 words, …"), asks, or speaks of
** something else ("the customer's brief", "einen Brief").
*/
#ifndef LLMCOST_BREVITY_H
#define LLMCOST_BREVITY_H

#include "base/error.h"

#include <stddef.h>

/* 1 if n bytes (any) do. Linear time. Returns 0 and *err without memory. */
int brevity_is_asked(const char *text, size_t n, Err *err);

#endif
