/*
** What a model's own probabilities, and another model's opinion, say of an answer.
*/
#ifndef LLMCOST_GATE_JUDGE_H
#define LLMCOST_GATE_JUDGE_H

#include "base/buf.h"
#include "core/gate/gate.h"

typedef struct JudgeLogprobs {
  long long tokens;   /* with a probability */
  double mean, least; /* natural logarithms, at most 0; 0 where there are no tokens */
  double perplexity;  /* exp(-mean) */
} JudgeLogprobs;

/* Sums up a list of tokens as OpenAI has it (choices[0].logprobs.content: objects with "logprob"); the object with "content"
** and the older shape ("token_logprobs": numbers) are read too. 1, or 0 where no token has one. -9999, OpenAI's "very
** unlikely", and infinity count as -100. */
int judge_logprobs(const cJSON *list, JudgeLogprobs *out);

/* The verdict of gate `logprob`; without probabilities it fails and says so. */
void judge_check_logprobs(const Gate *gate, const cJSON *list, GateVerdict *out);

/* Appends what a verifier is asked: the gate's question (or one of ours) about prompt and answer, which stand between marks
** with a random-looking name, so that nothing in them ends them. Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int judge_ask(const Gate *gate, const GateCase *c, Buf *out);

/* Reads a verifier's reply: 1 and *score 0..1 of {"score": 0.7}, "0.7", "7/10", "70%", "yes", "no", "Score: 8 out of 10"; a whole
** number above 1 alone is of ten, above 10 of a hundred. 0 where it is none. */
int judge_read(const char *reply, size_t n, double *score);

/* The verdict of gate `verifier` on a reply; one that can't be read fails and says so. */
void judge_check_reply(const Gate *gate, const char *reply, size_t n, GateVerdict *out);

#endif
