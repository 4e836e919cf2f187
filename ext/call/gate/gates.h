/*
** The gates of a request: which ones its answer has to pass, and what they say of it.
**
** Named are rows of llm_gates, or they stand in the option `gate` or the setting of that name themselves. An SQL
** expression is taken from the last two alone: a row of a database file may be anybody's.
*/
#ifndef LLMCOST_GATES_H
#define LLMCOST_GATES_H

#include "call/state/state.h"
#include "core/gate/gate.h"

enum { MOST_GATES = 16 };

typedef struct NamedGate {
  Gate gate;
  char name[64]; /* of its row; else its kind */
} NamedGate;

typedef struct Gates {
  NamedGate *list; /* owned, with what their specs own */
  int n;
  cJSON *tree; /* owned: all of them, resolved: it is part of the key */
} Gates;

/* What the option, else the setting, asks for: *gates NULL where that is nothing. Owned (gates_free). An error that names
** what is wrong. */
int gates_read(Conn *conn, const Request *r, Gates **gates, Err *err);
void gates_free(Gates *gates);

/* 1 if one of them needs to know how sure the model was of its words. */
int gates_want_logprobs(const Gates *gates);

/* What they said. */
typedef struct GatesVerdict {
  int passes;
  double score;     /* 0..1, the mean of them */
  const char *name; /* of the first that failed; borrowed of the gates */
  char why[200];    /* and why; nothing of the prompt */
} GatesVerdict;

/* Judges the call's text by each in turn, those that cost nothing first; behind one that failed no model is asked. Its row's
** `gate` becomes what they said. RC_OK, or an error: of memory, an interrupt, the store. */
int gates_judge(Call *k, GatesVerdict *v, Err *err);

#endif
