/*
** llm_route_train: a scorer learns from labelled prompts.
*/
#ifndef LLMCOST_TRAIN_H
#define LLMCOST_TRAIN_H

#include "conn/conn.h"

typedef struct TrainOptions {
  long long k; /* neighbours; SPEC_UNSET: as core/route/learn.h has it */
} TrainOptions;

/* Trains `what` ('examples': the rows of llm_route_examples) and keeps it in the store. How good it was on rows it had not
** seen, as JSON: owned (cJSON_free); NULL and *err. */
char *train_run(Conn *conn, const char *what, const TrainOptions *o, Err *err);

#endif
