/*
** llm_selfhost: a month at an API beside the same month on machines of one's own, and on an open model that somebody else serves.
*/
#ifndef LLMCOST_SELFHOST_H
#define LLMCOST_SELFHOST_H

#include "core/audit/economics.h"
#include "work/economics/economics.h"

enum { SELFHOST_OPTIONS = 16, SELFHOST_NAME = 100 };

/* A way to host; dollars, NAN: not said. */
typedef struct Hosting {
  char name[SELFHOST_NAME];
  double usd_per_month; /* of one GPU, or of what is rented or bought in its place */
  int gpus;             /* that one instance of the model needs */
  double requests_each; /* that one instance can serve in a month */
  double usd_each;      /* that a request costs beside the machines */
  double ops_usd;       /* a month */
} Hosting;

typedef struct SelfhostAsk {
  TrafficAsk traffic;
  Hosting hosting[SELFHOST_OPTIONS];
  int n_hosting;
  struct {
    char model[LIMIT_MODEL_NAME], provider[64];
  } serverless;       /* "": none */
  double utilisation; /* the share of an instance's capacity that can be planned with */
  double ops_usd;     /* of the ways that do not say their own */
} SelfhostAsk;

#define SELFHOST_KINDS(X) X(API, "api") X(SERVERLESS, "serverless") X(HOSTED, "hosted")
typedef enum SelfhostKind {
#define SELFHOST_ID(id, word) SELFHOST_##id,
  SELFHOST_KINDS(SELFHOST_ID)
#undef SELFHOST_ID
} SelfhostKind;

/* Nano-dollars, a month; NAN: not known, or does not apply. */
typedef struct SelfhostLine {
  char name[LIMIT_MODEL_NAME];
  SelfhostKind kind;
  double each;                            /* for one request, beside the machines */
  double instances, gpus;                 /* NAN: none */
  double utilisation;                     /* the share of their capacity that is used */
  double hosting, requests, cost;         /* machines; requests; both */
  double ops, total;                      /* work; all of it */
  double saved, saved_with_ops;           /* against the API; < 0: it costs more */
  double break_even, break_even_with_ops; /* requests a month */
  EconomicsVerdict verdict;
  char why[ECONOMICS_WHY], price_from[ECONOMICS_WORDS];
} SelfhostLine;

typedef struct Selfhost {
  Traffic traffic;
  char rule[ECONOMICS_WORDS]; /* what the rule of thumb says of so much spent at the API */
  SelfhostLine lines[SELFHOST_OPTIONS + 2];
  int n;
} Selfhost;

/* Owned (free); NULL and *err. */
Selfhost *selfhost_new(Conn *conn, const SelfhostAsk *ask, Err *err);

#endif
