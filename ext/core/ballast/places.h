/*
** Where in a prompt sentences are said to the model: not in examples, in marked context, in tags that hold what was
** given, in quotations; nor where the wording of an answer stands ("End with: Thank you for your order.").
**
** Whether a prompt is a task on a text that stands in it: "Correct this letter.", "Find duplicates in this list:",
** "What share of the reviews is good?". Then what stands there is data, and none of it is needless or repeated,
** whatever it says: filler, examples and repeats leave all of it alone.
**
** Told of each order and question that stands outside of examples and marked context, by closed lists of words:
**
**   a verb that works on texts or rows     "Fix the grammar", "Total the hours", "and sort the names"
**   a number of things that is asked for   "How many …", "Give the average", "duplicates"
**   a text that is pointed at              "this letter", "the text below", "each line"; "Make it shorter"
**   examples as an object                  "Check the examples", "Count the labels"; not "Follow the examples"
**
** When in doubt it is one: then a prompt stays longer than it need be.
*/
#ifndef LLMCOST_PLACES_H
#define LLMCOST_PLACES_H

#include "core/ballast/examples.h"

enum {
  /* In an example, in context, in a tag or under a label of what is handed in; a turn of a dialogue. */
  PLACE_GIVEN = 1,
  /* In an unknown tag, or under a heading or a label that speaks of texts to be said. */
  PLACE_WORDING = 2
};

/* Fills in where each unit stands (an array of u->n; 0: among orders). Linear time. Returns RC_OK, or *err without
** memory. */
int places_find(const char *text, const TextUnits *u, const Examples *e, unsigned char *places,
                Err *err);

/* --- task.c --- */

enum {
  TASK_ON_TEXT = 1,    /* some text in it is worked on: no filler, no repeats */
  TASK_ON_EXAMPLES = 2 /* its examples are worked on, or counted: none of them repeats */
};

/* What a text with these units and examples is, as bits. Linear time. Returns RC_OK and *task, or *err without
** memory. */
int task_find(const char *text, const TextUnits *u, const Examples *e, unsigned *task, Err *err);

/* 1 if a sentence says that words are to be said, or not to be: "End with", "Banned phrases:", "these words". What
** stands behind it may be these. */
int task_is_wording(const char *text, const TextUnit *x);

#endif
