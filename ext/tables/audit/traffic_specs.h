/*
** The options by which llm_selfhost and llm_finetune are told of a month of requests (work/economics/economics.h): lines of their tables.
*/
#ifndef LLMCOST_TRAFFIC_SPECS_H
#define LLMCOST_TRAFFIC_SPECS_H

#include "base/text/spec.h"
#include "work/economics/economics.h"

/* Dollars: as nano-dollars they are numbers of 64 bits. */
#define MOST_USD 1e9

/* Requests of a month: 2^53 of them are no longer told apart. */
#define MOST_REQUESTS ((double)LIMIT_COUNT)

/* Of a struct S whose member `traffic` is a TrafficAsk. */
#define TRAFFIC_SPECS(S)                                                                           \
  {"model", SPEC_INTO(S, CHARS, traffic.model)},                                                   \
      {"provider", SPEC_INTO(S, CHARS, traffic.provider)},                                         \
      {"list", SPEC_INTO(S, CHARS, traffic.list)}, {"tag", SPEC_INTO(S, CHARS, traffic.tag)},      \
      {"requests_per_month", SPEC_INTO(S, NUMBER, traffic.requests), .min = 0,                     \
       .max = MOST_REQUESTS},                                                                      \
      {"input_tokens", SPEC_INTO(S, NUMBER, traffic.input_tokens), .min = 0,                       \
       .max = (double)LIMIT_TOKENS},                                                               \
  {                                                                                                \
    "output_tokens", SPEC_INTO(S, NUMBER, traffic.output_tokens), .min = 0,                        \
                                                                  .max = (double)LIMIT_TOKENS      \
  }

#endif
