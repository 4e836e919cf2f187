/*
** See batched.h for the contract.
*/
#include "call/batched.h"

#include "call/attempt/judge.h"
#include "call/gate/gates.h"
#include "call/route/route.h"
#include "call/state/target.h"
#include "call/state/texts.h"

#include <string.h>

/* What can't be answered by a batch alone. */
static int check(Conn *conn, const Request *request, Err *err) {
  const Options *o = request->options;
  struct Gates *gates = NULL;
  const char *name = o->dry_run     ? "dry_run"
                     : o->escalate  ? "escalate"
                     : o->audit > 0 ? "audit"
                                    : NULL;
  if (!name && gates_read(conn, request, &gates, err) == RC_OK && gates) {
    name = "gate";
  }
  gates_free(gates);
  if (options_service(o) && err->rc == RC_OK) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'service': a batch is a service of its own, at the price of a batch");
  }
  return !name || err->rc != RC_OK
             ? err->rc
             : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                       "option '%s' asks again where an answer does not do, and a batch answers "
                       "once: llm_map does that (the setting of this name counts too)",
                       name);
}

const char *batched_look(Batched *b, Conn *conn, const Request *request, Err *err) {
  const Gated gated = {.request = request};
  memset(b, 0, sizeof *b);
  return check(conn, request, err) == RC_OK && plan_make(conn, request, &b->plan, err) == RC_OK
             ? call_look(&b->call, conn, &gated, &b->plan, err)
             : NULL;
}

int batched_begin(Batched *b, Conn *conn, const Request *request, Err *err) {
  memset(b, 0, sizeof *b);
  if (plan_make(conn, request, &b->plan, err) == RC_OK) {
    call_start_show(&b->call, conn, request, &b->plan, err);
    b->call.ask_beside = NULL;
  }
  return err->rc;
}

int batched_target(Batched *b, Err *err) {
  return route_choose(&b->call, err) == RC_OK ? texts_name(&b->call, err) : err->rc;
}

int batched_texts(Batched *b, int (*take)(void *arg, const LedgerText *text, Err *err), void *arg,
                  Err *err) {
  Texts texts = {0};
  texts_list(&b->call, &texts, err);
  for (int i = 0; i < texts.n && err->rc == RC_OK; i++) {
    take(arg, &texts.list[i], err);
  }
  texts_done(&texts);
  return err->rc;
}

/* (What is the batch's is borrowed, and taken out again by batched_free.) */
static int start(Batched *b, Conn *conn, const Request *request, const BatchedFrom *from,
                 Err *err) {
  Call *k = &b->call;
  memset(b, 0, sizeof *b);
  if (plan_make(conn, request, &b->plan, err) != RC_OK ||
      call_start_show(k, conn, request, &b->plan, err) != RC_OK) {
    return err->rc;
  }
  k->ask_beside = NULL;
  k->model = *from->model;
  k->access = *from->access;
  k->is_batch = 1;
  k->full_nusd = LEDGER_NULL;
  if (target_api(k, err) == RC_OK) {
    Err ignored = {0}; /* whose mark it was decides nothing here */
    target_mark(k, &ignored);
  }
  call_start_row(k, 1, NULL);
  k->row.ts = from->begun_at;
  return err->rc;
}

int batched_answer(Batched *b, Conn *conn, const Request *request, const BatchedFrom *from,
                   const Body *body, Err *err) {
  Call *k = &b->call;
  if (start(b, conn, request, from, err) == RC_OK) {
    judge_batched(k, body, err);
    if (err->rc == RC_OK) {
      call_wrap(k, err);
    }
    if (b->plan.keeps_similar && err->rc == RC_OK) {
      call_make_question(k, err);
    }
  }
  k->row.kind = k->row.kind == KIND_UNKNOWN ? KIND_UNKNOWN : KIND_BATCH;
  return err->rc;
}

int batched_kept(Batched *b, Answer *a) {
  Call *k = &b->call;
  int is_kept = k->text && k->cacheable && b->plan.keeps;
  if (is_kept) {
    *a = call_answer(k);
  }
  return is_kept;
}

void batched_free(Batched *b) {
  if (b->call.is_batch) {
    memset(&b->call.model, 0, sizeof b->call.model);
    memset(&b->call.access, 0, sizeof b->call.access);
  }
  call_free(&b->call);
}
