/*
** Token counts as providers count: which encoding serves a model, and what a request adds.
**
** OpenAI's models are counted exactly. The vocabularies of Claude, Gemini, Mistral, Llama and
** others are not here: their counts are estimates, the o200k_base count of the text times a factor,
** which is a prior until bills have taught a better one.
*/
#ifndef LLMCOST_TOKENS_H
#define LLMCOST_TOKENS_H

#include "core/tokens/encoding.h"
#include "core/tokens/image.h"
#include "base/error.h"
#include "core/request/request.h"

typedef struct TokenRule {
  Encoding encoding;
  int is_exact;
  double factor;          /* of an estimate: tokens per token of the encoding; exact: 1 */
  int per_message;        /* what a message costs beside its role and its text */
  const ImageRule *image; /* what images count; NULL: as those of nobody in particular */
  EncodingCache *cache;   /* NULL, or the caller's */
} TokenRule;

/* The rule for a model, by its name: case, vendor prefixes ("openai/"), "ft:", snapshot dates and
** what follows them do not matter; an encoding's name is that encoding. NULL or "": o200k_base. */
void tokens_rule(const char *model, TokenRule *rule);

/* The same for a model whose `supports` JSON may say "tokens": an encoding's name (exact), or
** "estimate". An error for another value. */
int tokens_rule_declared(const char *model, const char *supports, TokenRule *rule, Err *err);

/* Tokens of a text. -1: no memory. */
long long tokens_count(const TokenRule *rule, const char *text, size_t n);

/* Input tokens of a request, as OpenAI's cookbook counts them ("How to count tokens with
** tiktoken"): for each message 3, its role and its text; 3 to prime the answer.
** (gpt-3.5-turbo-0301: 4 a message.) The system prompt is a message. Calls of tools and the tools themselves count as their JSON,
** images as image.h says: an estimate (tokens_is_exact). -1: no memory. */
long long tokens_request(const TokenRule *rule, const Request *r);

/* Of these, what its images and files count. -1: no memory. */
long long tokens_media(const TokenRule *rule, const Request *r);

/* 1 if that is what the provider counts: its encoding is known, and there is nothing but texts. */
int tokens_is_exact(const TokenRule *rule, const Request *r);

/* What the names in a parsed array of messages cost: 1 (gpt-3.5-turbo-0301: -1) and the name itself
** for each. Not in tokens_request, because llm_chat sends none. -1: no memory. */
long long tokens_names(const TokenRule *rule, const cJSON *messages);

/* What tokens_request adds to the texts of a request of n messages. */
long long tokens_overhead(const TokenRule *rule, int n_messages);

/* One bill: tokens of the texts in the rule's encoding, and as billed, without the overhead. */
typedef struct TokenSample {
  double counted, billed;
} TokenSample;

/* The factor that n bills teach: the median of billed / counted, each weighing as many tokens as it
** has, drawn towards the prior as if by TOKENS_PRIOR_SAMPLES more bills. Reorders the samples. */
enum { TOKENS_PRIOR_SAMPLES = 4 };
double tokens_learn(TokenSample *samples, int n, double prior);

#endif
