/*
** What an attempt may come to at most, as far as that is known before it is sent: what a budget holds for it.
**
** Input: counted, where the model's encoding is here; where it is estimated, three times the estimate, or a token for each
** byte of the body if that is less (no token is shorter than a byte). Output: max_tokens, or the longest answer that the model
** gives. At the price that would be billed: that of a prompt so long, of that service and place; as written to a prompt
** cache, where that is dearer and happens unasked. Fees that no answer bounds (searches a model makes by itself) are not in it.
*/
#ifndef LLMCOST_WORST_H
#define LLMCOST_WORST_H

#include "conn/conn.h"
#include "core/price/catalogue.h"
#include "core/request/request.h"

#define WORST_UNPRICED (-1LL) /* nobody says what it costs */

typedef struct WorstAsk {
  const Model *model;
  const Request *request;
  size_t body; /* bytes that are sent */
  int has_more; /* the body has more than the request's texts: a schema, an answer that is shown again */
  long long output;          /* tokens, at most */
  int is_embedding;          /* has no output */
  int is_own;                /* a server of this machine, that nobody is paid for */
  Unit writes;               /* what marks may make of the input; UNIT_INPUT: nothing */
  const char *service, *geo; /* as asked for; NULL: the standard one, anywhere */
  const char *list;          /* whose prices alone: "catalogue"; NULL: all that this database has */
} WorstAsk;

/* Nano-dollars, or WORST_UNPRICED; *input: the tokens that go in, at most. *err on failure. */
long long worst_case(Conn *conn, const WorstAsk *ask, long long *input, Err *err);

#endif
