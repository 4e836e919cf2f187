/*
** What came of an attempt, and what that means in money. See judge.h for the contract.
*/
#include "call/judge.h"

#include "base/text/json_lenient.h"
#include "call/tell.h"
#include "core/request/retry.h"
#include "core/request/schema.h"
#include "wire/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a row is whose request was answered, or never left. */
LedgerKind judge_kind(const Call *k) {
  return k->api->embeds ? KIND_EMBED : KIND_CALL;
}

/* Notes a failure in the row and the error. */
void judge_note(Call *k, LedgerKind kind, long long cost, Err *err) {
  snprintf(k->error, sizeof k->error, "%s: %.600s",
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

/* Where a redirect leads: host and path alone. */
static void tell_location(const Call *k, const NetResponse *r, char *out, size_t size) {
  char to[sizeof r->location];
  snprintf(to, sizeof to, "%.*s", (int)strcspn(r->location, "?#"), r->location);
  const char *scheme = strstr(to, "://"), *user = strchr(to, '@');
  char *from = user ? to + (user + 1 - to) : scheme ? to + (scheme + 3 - to) : to;
  int is_told = tell_mask(k, from, sizeof to - (size_t)(from - to));
  snprintf(out, size, ": redirects are not followed%s%.200s%s", is_told ? " (to " : "",
           is_told ? from : "", is_told ? ")" : "");
}

/* A body without a sentence, and a web page: what it is. */
static void tell_body(const Call *k, long status, const NetResponse *r, const Failure *f, char *out,
                      size_t size) {
  char what[LIMIT_ERROR_QUOTE];
  int is_lost = f->is_html && status / 100 == 4 && status != 403 && status != 408 && status != 429;
  const char *type = r->content_type[0] || !f->is_html ? r->content_type : "text/html";
  const char *sample = f->is_html && f->message[0] ? f->message : f->sample;
  failure_describe(type, r->body.n, sample, strlen(sample), what, sizeof what);
  if (r->body.n == 0) {
    snprintf(out, size, ", without a word");
  } else {
    tell_mask(k, what, sizeof what);
    snprintf(out, size, ": %s%s", what, is_lost ? ": is base_url right?" : "");
  }
}

/* What to tell about an error answer, behind "PROVIDER answered STATUS (CODE)". */
static void explain_failure(const Call *k, long status, const NetResponse *r, Failure *f, char *out,
                            size_t size) {
  int is_of_key = failure_is_of_key(f, status);
  int is_told = tell_mask(k, f->message, sizeof f->message);
  const char *said = f->message, *colon = said[0] ? ": " : "";
  if (status / 100 == 3) {
    tell_location(k, r, out, size);
  } else if (is_of_key && k->secret) {
    snprintf(out, size, ": check the key in %.80s%s%s", k->model.key_env, is_told ? ": " : "",
             is_told ? said : "");
  } else if (is_of_key || (status == 401 && !k->secret)) {
    snprintf(out, size, ": it wants a key: set key_env of this model in llm_models");
  } else if (f->is_html || !said[0]) {
    tell_body(k, status, r, f, out, size);
  } else if (status == 404) {
    snprintf(out, size, " at %.120s%s%s", k->url, colon, said);
  } else {
    int has_more = f->generation[0] && tell_mask(k, f->generation, sizeof f->generation);
    snprintf(out, size, "%s%s%s%s%s", colon, said, has_more ? " (it generated: " : "",
             has_more ? f->generation : "", has_more ? ")" : "");
  }
}

/* 1 if what may have been paid for may be paid for again. (Only where the option retry_lost says so.) */
static int may_buy_again(const Call *k) {
  (void)k;
  return 0;
}

/* The usage of an error that tells one: into the row, priced. 1 if it does. */
static int price_error(Call *k, const NetResponse *r, Err *err) {
  Reply reply = {0};
  Err why = {0};
  int is_priced = 0;
  cJSON *tree = json_parse_lenient(r->body.data ? r->body.data : "", r->body.n, "", &why);
  if (why.rc == RC_NOMEM || (cJSON_GetObjectItemCaseSensitive(tree, "usage") &&
                             provider_read_usage(tree, k->model.provider, &reply) != RC_OK)) {
    err_nomem(err);
  } else if (reply.usage.has) {
    is_priced = bill_reply(k, &reply, err) == RC_OK;
  }
  reply_free(&reply);
  cJSON_Delete(tree);
  return is_priced;
}

/* A model that is being loaded costs nothing and answers when it is there: it is waited for in steps of its own, and these
** attempts are not counted as long as there is room for the others. A request without retries is not tried again. */
static void wait_for_loading(Call *k, Verdict *v) {
  if (v->delay_ms < 0) {
    v->delay_ms = retry_loading_ms((int)k->row.attempt + 1);
  }
  if (k->attempts_left > 1 && k->row.attempt + k->attempts_left <= LIMIT_ATTEMPTS) {
    k->attempts_left++;
  }
}

/* What is to be done about it. */
static void judge_retry(Call *k, const NetResponse *r, long status, const Failure *f, int is_open,
                        Verdict *v, Err *err) {
  const RetryCase c = {status, f->type, f->code, f->quota, f->message, r->should_retry};
  int is_useful = retry_is_useful(&c);
  v->retry = is_useful && (!is_open || may_buy_again(k));
  v->delay_ms = r->retry_after_ms >= 0 ? r->retry_after_ms : f->retry_after_ms;
  if (v->retry && f->is_loading) {
    wait_for_loading(k, v);
  }
  err->retryable = is_useful;
}

/* "429", "200 with error 502", "200 with an error". */
static void tell_status(const NetResponse *r, long status, char *out, size_t size) {
  if (status != r->http_status) {
    snprintf(out, size, "%ld with error %ld", r->http_status, status);
  } else {
    snprintf(out, size, "%ld%s", status, status / 100 == 2 ? " with an error" : "");
  }
}

/* An HTTP error, or an error inside a success. */
void judge_failure(Call *k, const NetResponse *r, long status, long long cost, Verdict *v,
                   Err *err) {
  Failure f;
  char answered[64], why[LIMIT_ERROR_QUOTE + 300];
  int is_inside = r->http_status / 100 == 2, is_priced = !is_inside && price_error(k, r, err);
  if (err->rc == RC_OK &&
      failure_read(r->content_type, r->body.data ? r->body.data : "", r->body.n, &f) == RC_NOMEM) {
    err_nomem(err);
  }
  if (err->rc != RC_OK) {
    return;
  }
  int is_open = !is_inside && !is_priced && failure_may_be_billed(status, &f);
  judge_retry(k, r, status, &f, is_open, v, err);
  explain_failure(k, status, r, &f, why, sizeof why);
  tell_scrub_code(k, f.code);
  tell_scrub_code(k, f.type);
  tell_status(r, status, answered, sizeof answered);
  const char *code = failure_word(&f, status);
  err_set(err, RC_ERROR, ERR_PROVIDER, "%s answered %s%s%s%s%s%s", k->model.provider, answered,
          code[0] ? " (" : "", code, code[0] ? ")" : "",
          is_open ? " (it may have been billed)" : "", why);
  snprintf(err->provider_code, sizeof err->provider_code, "%s", code);
  err->http_status = (int)status;
  cost = is_priced ? k->row.cost_nusd : cost;
  judge_note(k, is_open ? KIND_UNKNOWN : judge_kind(k), is_open ? LEDGER_NULL : cost, err);
}

/* A fenced block's inside ("```json … ```"), where the whole text is one; else the text. */
static const char *inside_fence(const char *text, size_t *n) {
  if (strncmp(text, "```", 3) != 0) {
    return text;
  }
  const char *start = strchr(text, '\n');
  const char *end = text + *n;
  while (end > text && (end[-1] == '\n' || end[-1] == ' ')) {
    end--;
  }
  if (!start || end - start < 4 || memcmp(end - 3, "```", 3) != 0) {
    return text;
  }
  *n = (size_t)(end - 3 - (start + 1));
  return start + 1;
}

/* The answer must be JSON that satisfies the schema; k->text becomes that JSON. */
static int check_schema(Call *k, Err *err) {
  size_t n = k->n;
  const char *json = inside_fence(k->text, &n);
  cJSON *value = json_parse(json, n, "the answer", err);
  if (value && schema_validate(k->request->options->schema, value, err) == RC_OK &&
      json != k->text) {
    memmove(k->text, json, n);
    k->text[n] = 0;
    k->n = n;
  }
  cJSON_Delete(value);
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
  if (tree && failure_in_answer(tree, &inner)) {
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
