/*
** In what the servers of one API differ beside the options of a call (takes.h): what may be sent, whether a stream is worth
** asking for.
*/
#ifndef LLMCOST_DIALECT_H
#define LLMCOST_DIALECT_H

#include "base/error.h"
#include "core/price/catalogue.h"

typedef struct Dialect {
  const char *vendor; /* as vendor_by_word has it; NULL ends the table: everybody else */
  const char *host;   /* of the vendor's own servers */
  int streams;        /* its own servers stream well */
  int wants_usage;    /* a stream tells its usage only where stream_options asks for it */
  int most_stops;     /* stop strings that it takes; 0: not known */
  int takes_base64;   /* embeddings come as base64 where encoding_format asks for it */
} Dialect;

/* How the model's provider speaks. Never NULL. */
const Dialect *dialect_of(const Model *model);

/* 1 if the model's server is its vendor's own. (`d`: how that model's provider speaks.) */
int dialect_is_at_home(const Dialect *d, const Model *model);

/* 1 if a model's answers are to be streamed: its server is its vendor's own, and that is known to stream well, or
** "stream": true stands in llm_models.supports, which wins either way. *err where there was no memory to look. */
int dialect_streams(const Dialect *d, const Model *model, Err *err);

#endif
