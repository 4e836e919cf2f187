/*
** One logical request on its way: what the stages of the pipeline hand to each other, and what its ledger row says of it.
*/
#ifndef LLMCOST_STATE_H
#define LLMCOST_STATE_H

#include "core/request/request.h"
#include "conn/conn.h"
#include "call/state/memo.h"
#include "call/state/plan.h"
#include "money/allowance.h"
#include "money/budget/budgets.h"
#include "wire/provider.h"
#include "net/transport.h"
#include "trust/access.h"
#include "store/ledger.h"
#include "store/semantic.h"

#define REQUEST_ID_SIZE 32

/* A tier of llm_tiers, as a request sees it. Ledger rows borrow its texts: they stay as long as the call. */
typedef struct TierChoice {
  char name[64], model[LIMIT_MODEL_NAME];
  double max_score;
  int is_out;    /* it can't take this request, or is not to be asked again */
  char why[200]; /* that is so */
  Model left;    /* the call's model while it was here, now that it is elsewhere; owned texts */
  char *notes;   /* JSON: what was decided on the way here, or NULL; owned (free) */
} TierChoice;

/* Which way a request took to its model. */
typedef struct Route {
  TierChoice *tiers; /* by rank; owned; none where a model was named */
  int n;
  int drawn, served; /* indexes; -1: none */
  int kept;          /* that of the turn before, which goes before the drawn one; -1: none */
  int at;            /* whose model the call's is, be it only tried; -1: none */
  double score;      /* NAN: nobody asked for it */
  char version[24];  /* of who gave it; "" */
  int is_stopgap;    /* the model that was drawn could not be had: what comes is another's answer */
} Route;

struct Call;

/* What a request came to. */
typedef struct Outcome {
  char *text; /* owned (free). Beside an ERR_GATE the best answer that did not pass */
  size_t n;
  char *
      reasoning; /* owned (free): what the model thought; NULL where it said nothing, and of a hit */
  char *logprobs;     /* owned (cJSON_free): JSON, where they were asked for; NULL of a hit */
  long long attempts; /* the last one, counted from that of the request beside it */
  int wants_row; /* set by the caller: the ledger row is written at once and call_id is its id */
  long long call_id;            /* of the ledger row; 0: it has none, or it waits to be written */
  LedgerKind kind;              /* what it was: a hit, a call, … */
  char model[LIMIT_MODEL_NAME]; /* who answered; "": nobody */
  long long read_tokens; /* of the last attempt's input: out of the provider's prompt cache */
  long long cost_nusd;   /* of all its attempts and of those beside it; LEDGER_NULL: not known */
  /* Set by the caller where a success holds several answers, to be kept one by one in the
  ** transaction that settles the call: gives them as a list that lives until pipeline_run returns; NULL where
  ** there is none, and RC_NOMEM in *err where that is why. */
  Answer *(*split)(void *arg, const char *text, size_t n, Err *err);
  void *split_arg;
  /* Set by the caller who has something to say of a paid answer, before it is settled: JSON, which the row's `gate` gets as the
  ** member `summary` (NULL: nothing). */
  cJSON *(*judge)(void *arg, const char *text, size_t n, Err *err);
  void *judge_arg;
} Outcome;

/* How one request asks another (pipeline_run, which this room does not know). */
typedef int (*AskFn)(Conn *conn, const Request *request, Memo *memo, Outcome *out, Err *err);

typedef struct Call {
  Conn *conn;
  const Request *request;
  AskFn ask_beside;          /* NULL: nothing is to be sent */
  int wants_logprobs;        /* an option or a gate asks for them */
  const struct Gates *gates; /* call/gate: what its answers have to pass; NULL: nothing. Borrowed */
  Memo *memo;                /* NULL: none */
  const Plan *plan;          /* borrowed for as long as the call runs */
  Store *store;
  Hash key;     /* under which its answer is kept, and waited for */
  Hash asked;   /* the same, before the call went to another model than its own */
  Hash claimed; /* the one that others wait for; has_claim */
  int has_claim;
  char *row_extras;      /* what rows of llm_models add to it; owned; NULL: nothing */
  Question question;     /* of a semantic lookup */
  long long deadline_ms; /* monotonic: the plan's, and later by what it waited for its turn */
  int attempts_left;
  long long spent_nusd;     /* so far, by it and beside it; LEDGER_NULL: not known */
  long long attempts_made;  /* by it and beside it */
  long long escalated_from; /* the row whose answer did not pass; 0: none */

  /* the route */
  Route route;
  Model model; /* owned texts */
  const Api *api;
  char tier[64];
  Access access; /* the key and the headers of its row; owned (access_free) */
  Sending how;
  unsigned refused; /* of that, in this call: REFUSES_… (learned.h) */
  Buf body;
  char url[512];
  NetResponse response; /* of the last attempt */
  int is_unpriced;      /* prices could not be read just now: it is to be priced when they can */
  AllowanceHold held;   /* of the attempt under way */
  int has_health,
      is_account;    /* of its model, or of its account: there is a row of llm_provider_state */
  long long trial;   /* its place among those who try it again; 0: none */
  Budgets budgets;   /* the same by limits */
  BudgetAction over; /* what the limit that refused it asks for */
  char *budget_notes
      [2];      /* notes of the last two rows, with what limits warn of; owned; NULL: nothing */
  int is_batch; /* it was asked by a batch: its answer is sold as such */
  long long
      full_nusd; /* of a batch: what its answer would have cost otherwise; LEDGER_NULL: nobody says */
  int has_answer; /* it came before, and waited for memory: nothing is to be sent */

  /* the ledger */
  LedgerRow row;
  char request_id[REQUEST_ID_SIZE], system_hash[HASH_HEX_SIZE], prompt_hash[HASH_HEX_SIZE];
  char answer_hash[HASH_HEX_SIZE]; /* of what was paid for and is no answer */
  char *unfit;                     /* its text, to be kept; owned; NULL: none */
  size_t n_unfit;
  char *
      logprobs; /* of the text: OpenAI's choices[0].logprobs.content, JSON; owned (cJSON_free); NULL: none came */
  char *gate_said; /* JSON; owned (cJSON_free) */
  int is_recorded; /* the row of the attempt that is open says what it cost */
  char *usage;     /* what was billed, as JSON (cJSON_free) */
  char service[USAGE_WORD], geo[USAGE_WORD];
  char finish_reason[REPLY_WORD], cache_miss[REPLY_WORD], provider_request_id[96];
  const LedgerText *texts; /* of the request, to be kept; borrowed while it is asked */
  int n_texts;
  char error[LIMIT_ERROR_TEXT], retry_reason[96], answered_model[LIMIT_MODEL_NAME];

  /* the outcome */
  char *text; /* owned (free); NULL on failure */
  size_t n;
  char *message;   /* owned (cJSON_free): the assistant's, where it was asked for: see call_wrap */
  int calls_tools; /* that message does */
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

/* Starts the row of the next attempt: who asks, what, where; kind 'unknown', in flight. */
void call_start_row(Call *k, long long attempt, const char *retry_reason);

/* 1 if the option on_error covers this failure: what a provider, the network or our own refusal
** did, not what the caller got wrong, nor an interrupt, nor the store. */
int on_error_covers(const Err *err);

/* A call that is refused before anything is sent (`how`: in words, or "") leaves a row too, unless the caller's options,
** the configuration or the store are what is wrong, or a limit of the statement has ended it. */
void call_refuse(Call *k, const char *how, const Err *err);

/* Adds to what it cost; LEDGER_NULL: nobody knows what. */
void call_spend(Call *k, long long cost_nusd);

/* Waits until it is its turn to be sent, where others run beside it. That is not its own time. */
int call_turn(Call *k, Err *err);

/* Until when, of the day, others wait for its answer: a little longer than the call may take. */
long long call_lease(const Call *k);

/* The key that others wait for; NULL: nobody does. */
const Hash *call_claim(const Call *k);

/* Gives up what is kept of a text that is no answer. */
void call_drop_unfit(Call *k);

/* Whose answers these are: the user's, where that was asked for; NULL: everybody's. */
const char *call_owner(const Call *k);

/* The question, as the semantic cache knows it. */
int call_make_question(Call *k, Err *err);

/* Its text as the caches keep it. */
Answer call_answer(const Call *k);

/* How its attempt ended, for the ledger. */
LedgerEnd call_end(const Call *k, Answer *answers, int more);

/* Where the whole message was asked for, it takes the place of its text, which gates have seen. */
int call_wrap(Call *k, Err *err);

/* The key from now on is that of this request. */
int call_name(Call *k, const Request *as, Err *err);

/* The key from now on is that of the same request to the model that the call goes to. */
int call_rename(Call *k, Err *err);

void call_free(Call *k);

#endif
