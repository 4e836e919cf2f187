/*
** What came of an attempt, and what that means in money. See judge.h for the contract.
*/
#include "call/judge.h"

#include "call/tell.h"
#include "core/request/answer_json.h"
#include "core/request/retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a row is whose request was answered, or never left. */
LedgerKind judge_kind(const Call *k) {
  return k->api->embeds ? KIND_EMBED : KIND_CALL;
}

/* Notes a failure in the row and the error. */
void judge_note(Call *k, LedgerKind kind, long long cost, Err *err) {
  snprintf(k->error, sizeof k->error, "%s: %.300s",
           err->provider_code[0] ? err->provider_code : err_word(err->code), err->msg);
  k->row.kind = kind;
  k->row.error = k->error;
  k->row.cost_nusd = cost;
}

/* No answer arrived. */
void judge_loss(Call *k, const NetResponse *r, Verdict *v, Err *err) {
  static const struct {
    ErrCode code;
    const char *what;
    int rc, retry;
  } losses[] = {
      [NET_NOT_SENT] = {ERR_CONNECT, "cannot reach", RC_ERROR, 1},
      [NET_STOPPED] = {ERR_INTERRUPTED, "interrupted before anything was sent to", RC_INTERRUPT, 0},
      [NET_LOST] = {ERR_LOST, "the answer was lost (it may have been billed) from", RC_ERROR, 1},
      [NET_TIMED_OUT] = {ERR_TIMEOUT, "no answer in time (it may have been billed) from", RC_ERROR,
                         0},
      [NET_INTERRUPTED] = {ERR_INTERRUPTED,
                           "interrupted while waiting (it may have been billed) for", RC_INTERRUPT,
                           0},
      [NET_REFUSED] = {ERR_TOO_BIG, "refused an answer from", RC_ERROR, 0},
      [NET_NO_MEMORY] = {ERR_NO_MEMORY, "no memory for the answer (it may have been billed) of",
                         RC_NOMEM, 0},
  };
  const int i = (int)r->result;
  int says_more = i != NET_TIMED_OUT && i != NET_INTERRUPTED && i != NET_STOPPED;
  int is_unsent = i == NET_NOT_SENT || i == NET_STOPPED;
  err_set(err, losses[i].rc, losses[i].code, "%s %s at %.120s%s%s", losses[i].what,
          k->model.provider, k->model.base_url, says_more ? ": " : "", says_more ? r->why : "");
  v->retry = losses[i].retry;
  err->retryable = v->retry || r->result == NET_TIMED_OUT;
  judge_note(k, is_unsent ? judge_kind(k) : KIND_UNKNOWN, is_unsent ? 0 : LEDGER_NULL, err);
}

/* What to tell about an error answer, behind "PROVIDER answered STATUS (CODE)". */
static void explain_failure(const Call *k, long status, const Failure *f, char *out, size_t size) {
  if (status / 100 == 3) {
    snprintf(out, size, ": redirects are not followed");
  } else if ((status == 401 || status == 403) && k->secret) {
    snprintf(out, size, ": check the key in %s",
             k->model.key_env); /* their text may hold parts of the key */
  } else if (status == 401) {
    snprintf(out, size, ": it wants a key: set key_env of this model in llm_models");
  } else if (status == 404) {
    snprintf(out, size, " at %.120s: %.110s", k->url, f->message);
  } else {
    snprintf(out, size, "%s%s", f->message[0] ? ": " : "", f->message);
  }
}

/* An HTTP error, or an error inside a success. */
void judge_failure(Call *k, const NetResponse *r, long status, long long cost, Verdict *v,
                          Err *err) {
  Failure f;
  char why[LIMIT_ERROR_QUOTE + 16];
  if (provider_read_failure(r->body.data ? r->body.data : "", r->body.n, &f) == RC_NOMEM) {
    err_nomem(err);
    return;
  }
  v->retry = retry_is_useful(status, f.type, f.code, r->should_retry);
  tell_scrub(k, f.message, sizeof f.message);
  tell_scrub_code(k, f.code);
  tell_scrub_code(k, f.type);
  const char *code = f.code[0] ? f.code : f.type;
  v->delay_ms = r->retry_after_ms;
  explain_failure(k, status, &f, why, sizeof why);
  err_set(err, RC_ERROR, ERR_PROVIDER, "%s answered %s%ld%s%s%s%s", k->model.provider,
          r->http_status == status ? "" : "200 with error ", status, code[0] ? " (" : "", code,
          code[0] ? ")" : "", why);
  snprintf(err->provider_code, sizeof err->provider_code, "%s", code);
  err->http_status = (int)status;
  err->retryable = v->retry;
  judge_note(k, judge_kind(k), cost, err);
}

/* The answer must hold JSON that satisfies the schema; k->text becomes that JSON. */
static int check_schema(Call *k, Err *err) {
  char *json = NULL;
  size_t n = 0;
  if (answer_json(k->text, k->n, k->request->options->schema, &json, &n, err) == RC_OK) {
    free(k->text);
    k->text = json;
    k->n = n;
  }
  return err->rc;
}

/* Takes the text of a success, or says why there is none. */
static void judge_reply(Call *k, Reply *reply, Verdict *v, Err *err) {
  const Finish finish = reply->finish;
  k->row.finish_reason = finish_word(finish);
  if (finish_is(finish, FINISH_IS_REFUSAL)) {
    err_set(err, RC_ERROR, finish == FINISH_REFUSAL ? ERR_REFUSAL : ERR_CONTENT_FILTER,
            "the model refused to answer (finish_reason '%s')", finish_word(finish));
  } else if (!reply->text) {
    err_set(err, RC_ERROR, ERR_NO_TEXT, "the answer holds no text (finish_reason '%s')",
            finish_word(finish));
  }
  if (err->rc == RC_OK) {
    k->text = reply->text;
    k->n = strlen(reply->text);
    reply->text = NULL;
    k->cacheable = finish_is(finish, FINISH_IS_COMPLETE) && k->n > 0;
  }
  if (err->rc == RC_OK && k->request->options->schema && check_schema(k, err) != RC_OK &&
      err->rc != RC_NOMEM) {
    char why[200];
    snprintf(why, sizeof why, "%.180s", err->msg);
    tell_scrub(k, why, sizeof why);
    *err = (Err){0};
    v->retry = !finish_is(finish, FINISH_IS_CUT_OFF);
    err_set(err, RC_ERROR, ERR_SCHEMA, "the answer does not satisfy the schema%s: %s",
            v->retry ? "" : " (it was cut off: raise max_tokens)", why);
    free(k->text);
    k->text = NULL;
    k->cacheable = 0;
  }
  if (err->rc != RC_OK && err->rc != RC_NOMEM) {
    err->http_status = (int)k->row.http_status;
    judge_note(k, judge_kind(k), k->row.cost_nusd, err);
  }
}

/* An error that came as a success may have cost something: its usage says, and without one nobody does. */
static int price_failure(Call *k, const cJSON *answer, Err *err) {
  Reply reply = {0};
  if (provider_read_usage(answer, k->model.provider, &reply) != RC_OK) {
    err_nomem(err);
  } else {
    bill_reply(k, &reply, err);
  }
  reply_free(&reply);
  return err->rc;
}

void judge_success(Call *k, const NetResponse *r, Verdict *v, Err *err) {
  Reply reply = {0};
  long inner = 0;
  cJSON *tree =
      json_parse(r->body.data ? r->body.data : "", r->body.n, "the provider's answer", err);
  if (tree && provider_is_failure(tree, &inner)) {
    if (price_failure(k, tree, err) == RC_OK) {
      judge_failure(k, r, inner ? inner : r->http_status, k->row.cost_nusd, v, err);
    }
  } else if (!tree || k->api->parse(tree, &reply, err) != RC_OK) {
    err->http_status = err->rc == RC_NOMEM ? 0 : (int)r->http_status;
    judge_note(k, KIND_UNKNOWN, LEDGER_NULL, err);
  } else {
    k->row.kind = judge_kind(k);
    int rc = provider_read_usage(tree, k->model.provider, &reply);
    snprintf(k->answered_model, sizeof k->answered_model, "%s", reply.model);
    tell_scrub_model(k, k->answered_model);
    k->row.model = k->answered_model[0] ? k->answered_model : NULL;
    if (rc != RC_OK) {
      err_nomem(err);
    } else if (bill_reply(k, &reply, err) == RC_OK) {
      judge_reply(k, &reply, v, err);
    }
  }
  reply_free(&reply);
  cJSON_Delete(tree);
}
