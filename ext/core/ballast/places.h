/*
** Where in a prompt sentences are said to the model: not in examples, in marked context, in tags that hold what was
** given, in quotations; nor where the wording of an answer stands ("End with: Thank you for your order.").
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

#endif
