/*
** One logical request on its way: what the stages of the pipeline hand to each other.
*/
#ifndef LLMCOST_CALL_H
#define LLMCOST_CALL_H

#include "core/request/request.h"
#include "conn/conn.h"
#include "call/memo.h"
#include "call/plan.h"
#include "wire/provider.h"
#include "net/transport.h"
#include "store/ledger.h"
#include "store/semantic.h"

#define REQUEST_ID_SIZE 32

typedef struct Call {
  Conn *conn;
  const Request *request;
  Memo *memo;       /* NULL: none */
  const Plan *plan; /* borrowed for as long as the call runs */
  Store *store;
  Hash key;
  Question question; /* of a semantic lookup */
  int attempts_left;

  /* the route */
  Model model; /* owned texts */
  const Api *api;
  char tier[64];
  char *secret; /* the key, owned (access_wipe) */
  Sending how;
  unsigned refused; /* of that, in this call: REFUSES_… (learned.h) */
  Buf body;
  char url[512];
  NetResponse response; /* of the last attempt */
  int is_unpriced;      /* prices could not be read just now: it is to be priced when they can */
  long long held_nusd;  /* of the attempt under way (money/allowance.h) */
  int has_answer;       /* it came before, and waited for memory: nothing is to be sent */

  /* the ledger */
  LedgerRow row;
  char request_id[REQUEST_ID_SIZE], system_hash[HASH_HEX_SIZE], prompt_hash[HASH_HEX_SIZE];
  char answer_hash[HASH_HEX_SIZE]; /* of what was paid for and is no answer */
  char *unfit;                     /* its text, to be kept; owned; NULL: none */
  size_t n_unfit;
  char *usage; /* what was billed, as JSON (cJSON_free) */
  char service[USAGE_WORD], geo[USAGE_WORD];
  char finish_reason[REPLY_WORD], provider_request_id[96];
  char error[LIMIT_ERROR_TEXT], retry_reason[96], answered_model[LIMIT_MODEL_NAME];

  /* the outcome */
  char *text; /* owned (free); NULL on failure */
  size_t n;
  char *reasoning; /* owned; what the model thought; NULL: nothing, or a hit */
  /* Owned; what did not satisfy the schema, and why: the next attempt tells the model. */
  char *rejected;
  char rejected_why[200];
  int cacheable;
  long long system_tokens, history_tokens; /* LEDGER_NULL for a hit */
  int was_lost;                            /* the answer before this one */
  int is_open; /* the ledger has a row of this attempt that is not settled */
  int has_row; /* the request has left a ledger row, written or queued */
} Call;

/* What a request came to. */
typedef struct Outcome {
  char *text; /* owned (free) */
  size_t n;
  char *
      reasoning; /* owned (free): what the model thought; NULL where it said nothing, and of a hit */
  int wants_row; /* set by the caller: the ledger row is written at once and call_id is its id */
  long long call_id; /* of the ledger row; 0: it has none, or it waits to be written */
  /* Set by the caller where a success holds several answers, to be kept one by one in the
  ** transaction that settles the call: gives them as a list that lives until pipeline_run returns; NULL where
  ** there is none, and RC_NOMEM in *err where that is why. */
  Answer *(*split)(void *arg, const char *text, size_t n, Err *err);
  void *split_arg;
} Outcome;

/* The whole life of a request: memo, exact cache, claim, route, call with retries, settle,
** answer. */
int pipeline_run(Conn *conn, const Request *request, Memo *memo, Outcome *outcome, Err *err);

/* 1 if the option on_error covers this failure: what a provider, the network or our own refusal
** did, not what the caller got wrong, nor an interrupt, nor the store. */
int on_error_covers(const Err *err);

/* What is done with the requests of a connection where they are counted and not made: `take` gets each, and gives what
** stands in for its answer. */
typedef struct Counting {
  int (*take)(void *arg, const Request *request, Outcome *outcome, Err *err);
  void *arg;
} Counting;

/* From now on; {NULL} makes them again. */
int call_count_with(Conn *conn, Counting with, Err *err);
int call_is_counted(const Conn *conn);

/* As far as a request goes without a trace: its key, and what the cache has: "hit", "miss", or the word of a mode that
** does not read. (What means the same is not looked for.) call_free afterwards, after an error too. */
const char *call_look(Call *k, Conn *conn, const Request *request, const Plan *plan, Err *err);

/* What an error that a statement ends with says beside what happened: whose request it was, and, of an answer that was paid
** for, what lets the other rows go on. */
void pipeline_tell(const Request *request, Err *err);

/* Stages, in their order. Each returns an SQLite code. */
/* Store and key. Nothing to free where it fails. */
int call_start(Call *k, Conn *conn, const Request *request, Memo *memo, const Plan *plan, Err *err);
int route_choose(Call *k, Err *err); /* model, api, key */
/* The same where nothing is to be sent: without a key, or a host that is allowed, the first tier stands for "auto". */
int route_choose_for_show(Call *k, Err *err);
int route_prepare(Call *k, Err *err); /* url and body; again for another attempt */
/* The call and its retries; the last attempt's row is filled, not settled. */
int attempt_all(Call *k, Err *err);
void call_start_row(Call *k, long long attempt, const char *retry_reason);
int call_allow(Call *k, Err *err);     /* may the next attempt be paid for? */
long long call_lease(const Call *k);   /* until when, of the day, others wait for its answer */
const Hash *call_claim(const Call *k); /* the key that others wait for; NULL: nobody does */
void call_free(Call *k);

#endif
