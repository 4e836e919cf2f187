/*
** Sentences of a prompt that ask for short answers. One does that says
**
**   be (keep it, stay) brief, concise, short, kurz, bref, breve
**   answer (respond, write, explain) briefly, concisely
**   short, brief answers (replies, sentences)
**   at most (under, up to, no more than) so many words, sentences, lines; or to answer in one, in two or three of them
**
** but not where it is forbidden ("Do not be brief."), holds at times ("If the text is under 50 words, …"), asks, or speaks of
** something else ("the customer's brief", "einen Brief"). A number is a wish for a short answer up to about 200 words: 1,000
** characters, 10 sentences, lines or items, two paragraphs; what is to be that at least ("no less than 50 words", "50 words or
** more") is none.
*/
#ifndef LLMCOST_BREVITY_H
#define LLMCOST_BREVITY_H

#include "core/split/units.h"

/* 1 if a unit of a text is such a sentence. */
int brevity_is_asked(const char *text, const TextUnit *x);

#endif
