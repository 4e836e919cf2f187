/*
** What came of an attempt: an answer, an error, nothing; and what that means in money.
**
** Billing rules: nothing was billed where no byte of the body left, and where the provider answered with an error
** status (their documented rule) that tells no usage; where the answer was lost on the way, or a box on the way answered in
** the provider's place (failure_may_be_billed), it is unknown (NULL), and stays listed as such.
**
** Each fills the row, and what the call comes to: k->text, or *err.
*/
#ifndef LLMCOST_JUDGE_H
#define LLMCOST_JUDGE_H

#include "call/state/state.h"

/* What is to be done about a failure. */
typedef struct Verdict {
  int retry;          /* worth another attempt */
  long long delay_ms; /* the provider's wish, or when its limits are whole again; or -1 */
  long long named_ms; /* its wish alone, or -1: before that nobody is to ask */
  int is_trouble;     /* the provider can't just now, whoever asks */
  int is_account;     /* of all its models */
} Verdict;

/* An error, by its HTTP status. */
void judge_failure(Call *k, const NetResponse *r, Verdict *v, Err *err);

/* HTTP said success, or nothing came, or only a part: what arrived is used where it is a whole answer. */
void judge_answer(Call *k, const NetResponse *r, Verdict *v, Err *err);

/* An answer that came by a batch, read as a provider's outside of one. The row and the call as above; *err where it is none. */
void judge_batched(Call *k, const Body *body, Err *err);

/* 1 if a success is an error after all, and nothing but that: no text came, and no usage is told. */
int judge_is_refusal(const NetResponse *r);

/* Notes a failure in the row. */
void judge_note(Call *k, LedgerKind kind, long long cost, Err *err);

/* What a row is whose request was answered, or never left. */
LedgerKind judge_kind(const Call *k);

/* Puts usage and cost into the row. A model that is known but can't be priced says why; an unknown one is NULL, and
** listed in llm_unpriced. Fails where that can't be known: no memory, or prices that can't be read just now. */
int bill_reply(Call *k, Reply *reply, Err *failure);

/* Puts what is known of an answer that broke off into the row's usage, and no cost. */
int bill_partial(Call *k, const Reply *reply, Err *err);

#endif
