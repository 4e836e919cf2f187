/*
** Which part of a prompt is context, and which the question: instructions and questions are never shortened, context may be.
**
** Marked context is what stands
**   in a tag that says so         <context> … </context>, <document id="1"> … </document>, <passage>, <source>, …
**   in a fence that says so       ```context
**   under a heading that does     "# Context", "Document 2:", up to the next heading that does not
**   behind such a label           "Context: …", up to the next label ("Question:", "Answer:", "Instructions:") or heading; where there is none its
**                                 own paragraph, or list: what comes then may be the task
** and, unless a tag holds it, not among the questions and orders that end the text, nor in its last block.
*/
#ifndef LLMCOST_CONTEXT_H
#define LLMCOST_CONTEXT_H

#include "core/split/units.h"

typedef enum ContextWhere {
  CONTEXT_MARKED,  /* what is marked; without marks nothing */
  CONTEXT_GUESSED, /* what is marked; without marks all but the first and the last block, questions that end the text, and
                      sentences that begin as orders do ("Answer …", "You are …", "Never …"), code and JSON */
  CONTEXT_WHOLE    /* all of it: the text was handed in as context */
} ContextWhere;

/* Of a unit. */
typedef enum ContextRole {
  ROLE_FIXED,    /* stays */
  ROLE_QUESTION, /* stays, and says what is asked */
  ROLE_CONTEXT
} ContextRole;

/* Fills in the role of each unit (an array of u->n). Returns the number of those that are context. The question is what of the rest
** ends with a question mark or is labelled so; where nothing is, the last block. */
size_t context_find(const char *text, const TextUnits *u, ContextWhere where, unsigned char *roles);

/* What of marked or guessed context tells the model what to do becomes fixed, with what it hangs on: "Answer in German.", "Never give …",
** "Don't …", "If it does not say, answer …". What is forbidden to others ("Dogs are not allowed.") is none of it. */
void context_keep_orders(const char *text, const TextUnits *u, unsigned char *roles);

/* Of a text that is context as a whole and holds its question: the questions and orders that it begins or ends with are none. */
void context_keep_asked(const char *text, const TextUnits *u, unsigned char *roles);

#endif
