/*
** llm_finetune: when what it costs to tune a small model has come back, in calls and months.
*/
#ifndef LLMCOST_FINETUNE_H
#define LLMCOST_FINETUNE_H

#include "core/audit/economics.h"
#include "work/economics/economics.h"

enum { FINETUNE_CANDIDATES = 16, FINETUNE_NAME = 100 };

/* A model to tune; dollars and tokens, NAN and "": not said. */
typedef struct Candidate {
  char name[FINETUNE_NAME], model[LIMIT_MODEL_NAME], provider[64];
  double input_price, output_price; /* of the tuned one, dollars per million tokens; both or none */
  double input_tokens;              /* of its prompt, which may be shorter */
  double setup_low, setup_high;
  double usd_per_1k;
} Candidate;

typedef struct FinetuneAsk {
  TrafficAsk traffic;
  double usd_per_1k_now;
  Candidate to[FINETUNE_CANDIDATES];
  int n_to;
  Candidate all;      /* what those that say nothing of their own have */
  long long examples; /* good ones that are there; -1: not said */
  int stable;         /* whether requirements hold for weeks; -1: not said */
  double within;      /* months until it must have paid back */
} FinetuneAsk;

/* Nano-dollars; NAN: not known, or never. */
typedef struct FinetuneLine {
  char name[LIMIT_MODEL_NAME];
  double each, saved_each;              /* of a tuned call; against one now (< 0: it costs more) */
  double saved;                         /* a month */
  double setup[2], calls[2], months[2]; /* low and high: to pay; until it is back */
  EconomicsVerdict verdict;
  char why[ECONOMICS_WHY], price_from[ECONOMICS_WORDS];
} FinetuneLine;

typedef struct Finetune {
  Traffic traffic;
  FinetuneLine lines[FINETUNE_CANDIDATES];
  int n;
} Finetune;

/* Owned (free); NULL and *err. */
Finetune *finetune_new(Conn *conn, const FinetuneAsk *ask, Err *err);

#endif
