/*
** What a provider says it will bill: token counts, read by each one's own rules into one shape.
*/
#ifndef LLMCOST_USAGE_H
#define LLMCOST_USAGE_H

#include "error.h"
#include "json.h"

#define USAGE_UNKNOWN (-1LL) /* not reported: not the same as zero */

typedef struct Usage {
  long long input;    /* every input token: uncached, read and written */
  long long cached;   /* of these, read from the provider's prefix cache */
  long long write_5m; /* of these, written to it (5-minute or only lifetime) */
  long long write_1h; /* of these, written with 1-hour lifetime */
  long long output;   /* every output token, reasoning included */
  long long reasoning;
  long long reported_nusd; /* the cost the provider itself states, nano-USD */
} Usage;

/* Everything unknown. */
void usage_init(Usage *u);

/* OpenAI's shape (chat completions and Responses, and all who speak it): cached tokens are
** inside the count. */
int usage_from_openai(const cJSON *usage, Usage *u, Err *err);

/* Anthropic's shape: reads and writes stand beside input_tokens; the total is their sum. */
int usage_from_anthropic(const cJSON *usage, Usage *u, Err *err);

/* Tells the two apart by their members. Each returns RC_OK, or an error naming the member that
** is no count; a NULL usage leaves everything unknown and is no error. */
int usage_from_any(const cJSON *usage, Usage *u, Err *err);

#endif
