/*
** What a SELECT would cost: it runs, and the calls in it are counted, not made. Each gives its prompt back in place of an
** answer, so that calls of answers count too. A SELECT that calls nothing of ours is one for llm_map: its rows are what is asked.
*/
#ifndef LLMCOST_ESTIMATE_H
#define LLMCOST_ESTIMATE_H

#include "call/call.h"

enum { ESTIMATE_MODELS = 8, ESTIMATE_WORDS = 200 };

typedef struct EstimateOptions {
  char models[ESTIMATE_MODELS][LIMIT_MODEL_NAME]; /* to compare with; none: two cheaper ones */
  int n_models;
  long long output_tokens; /* of an answer; SPEC_UNSET: as answers were lately */
  char *map;               /* options for llm_map, as JSON; NULL: none. Owned (cJSON_free) */
} EstimateOptions;

/* What all that would be sent comes to, at the models that are asked or at another. */
typedef struct EstimateLine {
  char model[ESTIMATE_WORDS];
  int is_instead;                    /* it is another */
  int is_exact;                      /* the input tokens are counted as the provider does */
  long long input;                   /* tokens */
  long long output;                  /* tokens expected; -1: not known */
  long long thought, thought_nusd;   /* of the output, what goes into thought; -1: not known */
  long long output_low, output_high; /* between which it is 19 times of 20; -1: not known */
  /* Nano-dollars; -1: not known. Of the input alone; with the output expected; with the longest answers. */
  long long input_nusd, cost_nusd, most_nusd;
  /* As cost_nusd: in a batch; with what requests begin with alike read from the provider's cache. */
  long long batch_nusd, prefix_nusd;
} EstimateLine;

typedef struct Estimate {
  long long rows;     /* of the SELECT */
  long long calls;    /* functions evaluated */
  long long requests; /* different ones: what is asked once */
  long long hits;     /* of these, that the cache answers */
  long long similar;  /* and that it answers by meaning, as it is now */
  long long errors;   /* rows of llm_map's that make no request */
  int decides;        /* an answer decides over rows or prompts: there may be more */
  int is_similar; /* questions that mean the same may be answered by each other: there may be less */
  int is_limited;     /* it ends where it has made so many calls, or cost so much */
  int varies;         /* the SELECT gives other rows each time */
  char seen_by[1000]; /* "model at provider (why), …": who would see the prompts */
  char output_from[ESTIMATE_WORDS];
  EstimateLine lines[ESTIMATE_MODELS + 1];
  int n_lines;
} Estimate;

/* Runs it. Owned (free); NULL and *err: no SELECT, one that writes, or whose run fails. */
Estimate *estimate_new(Conn *conn, const char *sql, const EstimateOptions *options, Err *err);

#endif
