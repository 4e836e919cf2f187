/*
** What header lines say of a provider's rate limits: when to come again, and how much is left.
**
** Names are read word by word, as providers put them together in any order: "x-ratelimit-remaining-tokens" (OpenAI, Groq, Azure),
** "anthropic-ratelimit-input-tokens-remaining", "x-ratelimit-limit-req-minute" and "ratelimitbysize-reset" (Mistral),
** "x-ratelimit-reset-requests-day" (Cerebras), "x-ratelimit-limit-tokens-prompt" (Fireworks), "x-tokenlimit-remaining" (Together);
** and "ratelimit", "ratelimit-policy", "ratelimit-…" of draft-ietf-httpapi-ratelimit-headers, of all its versions.
** A name with a word that is not known is not a limit of ours.
*/
#ifndef LLMCOST_NET_LIMITS_H
#define LLMCOST_NET_LIMITS_H

#include <stddef.h>

/* A limit as the provider counts it; -1: it does not say. */
typedef struct NetLimit {
  long long limit, remaining; /* in requests or tokens, of one of its windows or of a full bucket */
  /* Until all of it is there again. Where only the header's name says of which window it is ("-minute"): the length of that, which is
  ** the longest that it can last. */
  long long reset_ms;
} NetLimit;

enum { NET_LIMIT_REQUESTS, NET_LIMIT_TOKENS, NET_LIMIT_KINDS };

/* Kinds told apart by their names: requests, tokens, those of the input, those of the output; each of no window by name, of a second,
** a minute, an hour, a day, a month. */
enum { NET_LIMIT_UNITS = 4, NET_LIMIT_WINDOWS = 6 };

/* What the lines of one response say so far. */
typedef struct NetWaits {
  long long retry_after_ms; /* the provider's wish; -1: none */
  long long reset_ms; /* when a limit of its own begins anew (the nearest); -1: it does not say */
  /* Of each kind the scarcest: with the smallest share left. */
  NetLimit limits[NET_LIMIT_KINDS];
  NetLimit named[NET_LIMIT_UNITS][NET_LIMIT_WINDOWS]; /* all that `limits` is chosen from */
} NetWaits;

/* Nothing was said. */
void limits_forget(NetWaits *waits);

/* Takes what this header line says, if it is one of them; `limits` is up to date after each. */
void limits_take(NetWaits *waits, const char *line, size_t n);

#endif
