/*
** What says nothing to a model: sentences of thanks, hope and praise ("Thank you in advance."), and phrases in front
** of a sentence that says the same without them ("Please note that ", "As mentioned above, ").
**
** No filler is
**   what may be a technique: "think step by step", "take a deep breath and work on this step by step", "read the
**     question again", a role, a reward, "this is important to my career", "do your best" (stimuli of that kind were
**     measured to change answers: Li et al., 2023, Large Language Models Understand and Can Be Enhanced by Emotional
**     Stimuli)
**   what changes the task: "feel free to ask", "let's begin", "be polite", "I want you to …" (a wish is no order)
**   what forces: "remember: …", "important", "make sure"
** A phrase that means a thing stays ("Note that in the ticket."): behind a short one a clause must begin. German
** clauses behind such a phrase have another order of words, so of German whole sentences alone are filler.
**
** Nothing in examples, quotations, context, tags and headings that speak of texts; no sentence of thanks in a prompt
** that holds a letter or works on a text (translates, proofreads): there it may be the text itself. A
** text that is worked on (places.h) is for the caller to leave alone; what stands behind "End with", "Banned phrases",
** is none either.
*/
#ifndef LLMCOST_FILLER_H
#define LLMCOST_FILLER_H

#include "core/ballast/ballast.h"

/* Appends the filler of a text with these units, whose `places` are known (places.h). Linear time. Returns RC_OK, or
** *err. */
int filler_find(const char *text, const TextUnits *u, const unsigned char *places, BallastList *out,
                Err *err);

#endif
