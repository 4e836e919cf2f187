/*
** What came of an attempt, and what that means in money. See judge.h for the contract.
*/
#include "call/attempt/judge.h"

#include "base/text/json_lenient.h"
#include "base/utf8.h"
#include "call/attempt/tell.h"
#include "trust/node/env.h"
#include "core/schema/answer_json.h"
#include "core/request/retry.h"
#include "wire/answer/failure.h"
#include "wire/answer/message.h"
#include "wire/answer/thinking.h"
#include "wire/model/dialect.h"

#include <ctype.h>
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

/* A proxy of the environment is not used: who can't reach anybody may wait for that. "" or what to say. */
static const char *of_proxy(const Call *k, int result, char *out, size_t size) {
  static const char *const names[] = {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};
  int is_here = strncmp(k->model.base_url, "https:", 6) != 0;
  out[0] = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !out[0]; i++) {
    if (result == NET_NOT_SENT && !is_here && !k->conn->set.proxy && env_get(names[i])) {
      snprintf(
          out, size,
          ERR_CURE(
              " (%s is set, but not used: SELECT llm_config('proxy', 'http://…') names a proxy)"),
          names[i]);
    }
  }
  return out;
}

/* No answer arrived, or not all of it. */
static void judge_loss(Call *k, const NetResponse *r, Verdict *v, Err *err) {
  static const struct {
    ErrCode code;
    const char *what;
    int rc, retry;
  } losses[] = {
      [NET_NOT_SENT] = {ERR_CONNECT, "cannot reach", RC_ERROR, 1},
      [NET_STOPPED] = {ERR_INTERRUPTED, "interrupted before anything was sent to", RC_INTERRUPT, 0},
      [NET_LOST] = {ERR_LOST, "the answer was lost (it may have been billed) from", RC_ERROR, 0},
      [NET_TIMED_OUT] = {ERR_TIMEOUT, "no answer in time (it may have been billed) from", RC_ERROR,
                         0},
      [NET_INTERRUPTED] = {ERR_INTERRUPTED,
                           "interrupted while waiting (it may have been billed) for", RC_INTERRUPT,
                           0},
      [NET_REFUSED] = {ERR_TOO_BIG, "refused an answer from", RC_ERROR, 0},
      [NET_NO_MEMORY] = {ERR_NO_MEMORY, "no memory for the answer (it may have been billed) of",
                         RC_NOMEM, 0},
  };
  const int i = r->result == NET_ANSWERED ? NET_LOST : (int)r->result; /* (a stream broke off) */
  int says_more = i != NET_TIMED_OUT && i != NET_INTERRUPTED && i != NET_STOPPED;
  int is_unsent = i == NET_NOT_SENT || i == NET_STOPPED;
  const char *why = r->result == NET_ANSWERED ? "the stream ended before the answer did" : r->why;
  char proxy[120];
  err_set(err, losses[i].rc, losses[i].code, "%s %s at %.120s%s%s%s", losses[i].what,
          k->model.provider, k->model.base_url, says_more ? ": " : "", says_more ? why : "",
          of_proxy(k, i, proxy, sizeof proxy));
  v->is_trouble = i == NET_NOT_SENT;
  v->retry = losses[i].retry || (i == NET_LOST && k->plan->buys_lost);
  err->retryable = v->retry || i == NET_LOST || i == NET_TIMED_OUT;
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
  int is_lost = f->is_html && (status == 404 || status == 405);
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
  } else if (is_of_key && k->access.key) {
    const char *auth = k->model.auth;
    snprintf(out, size, ": check the key in %.80s%s%s%s%s%s", k->model.key_env,
             auth[0] ? " and how it is sent, auth '" : "", auth, auth[0] ? "' in llm_models" : "",
             is_told ? ": " : "", is_told ? said : "");
  } else if (is_of_key || (status == 401 && !k->access.key)) {
    snprintf(out, size, ": it wants a key: set key_env of this model in llm_models%s",
             k->access.headers.auth == AUTH_NONE ? ", and auth, which is 'none'" : "");
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

/* Who answered, into the row. */
static void note_model(Call *k, const Reply *reply) {
  snprintf(k->answered_model, sizeof k->answered_model, "%s", reply->model);
  tell_scrub_model(k, k->answered_model);
  k->row.model = k->answered_model[0] ? k->answered_model : NULL;
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
    note_model(k, &reply);
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

/* Where requests run side by side, one that came too soon for the provider's limit comes again at its turn: such attempts are not
** counted as long as there is room for the others. */
static void wait_for_turn(Call *k) {
  if (k->attempts_left > 1 && k->row.attempt + k->attempts_left <= LIMIT_ATTEMPTS) {
    k->attempts_left++;
  }
}

/* What is to be done about it. */
static void judge_retry(Call *k, const NetResponse *r, long status, const Failure *f, int is_open,
                        Verdict *v, Err *err) {
  const RetryCase c = {status, f->type, f->code, f->quota, f->message, r->should_retry};
  int is_useful = retry_is_useful(&c);
  v->retry = is_useful && (!is_open || k->plan->buys_lost);
  v->named_ms = v->delay_ms =
      r->waits.retry_after_ms >= 0 ? r->waits.retry_after_ms : f->retry_after_ms;
  if (v->delay_ms < 0 && (status == 429 || status == 503 || status == 529)) {
    v->delay_ms = r->waits.reset_ms;
  }
  v->is_account = retry_is_of_account(&c);
  v->is_trouble =
      v->is_account || (is_useful && (status == 429 || status >= 500) && !f->is_loading);
  if (v->retry && f->is_loading && (status >= 500 || retry_is_loading(&c))) {
    wait_for_loading(k, v);
  }
  if (v->retry && status == 429 && k->conn->side && !v->is_account) {
    wait_for_turn(k);
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

/* An error, as it came. */
typedef struct Said {
  const char *text;
  size_t n;
  long status;    /* HTTP's, or the one that is said inside a success */
  int is_inside;  /* a success: it cost what the answer tells, or nobody knows what */
  int is_partial; /* behind a part of the answer: what that cost nobody knows */
} Said;

/* Reads it, and decides. */
static void judge_said(Call *k, const NetResponse *r, const Said *said, Verdict *v, Err *err) {
  Failure f;
  char answered[64], why[LIMIT_ERROR_QUOTE + 300];
  int is_priced = said->is_inside ? k->row.cost_nusd != LEDGER_NULL : price_error(k, r, err);
  if (err->rc == RC_OK && failure_read(r->content_type, said->text, said->n, &f) == RC_NOMEM) {
    err_nomem(err);
  }
  if (err->rc != RC_OK) {
    return;
  }
  int is_open = said->is_partial || (!is_priced && failure_may_be_billed(said->status, &f));
  judge_retry(k, r, said->status, &f, is_open, v, err);
  explain_failure(k, said->status, r, &f, why, sizeof why);
  tell_scrub_code(k, f.code);
  tell_scrub_code(k, f.type);
  tell_status(r, said->status, answered, sizeof answered);
  const char *code = failure_word(&f, said->status);
  err_set(err, RC_ERROR, ERR_PROVIDER, "%s answered %s%s%s%s%s%s", k->model.provider, answered,
          code[0] ? " (" : "", code, code[0] ? ")" : "",
          is_open ? " (it may have been billed)" : "", why);
  snprintf(err->provider_code, sizeof err->provider_code, "%s", code);
  err->http_status = (int)said->status;
  long long cost = is_priced || said->is_inside ? k->row.cost_nusd : 0;
  judge_note(k, is_open ? KIND_UNKNOWN : judge_kind(k), is_open ? LEDGER_NULL : cost, err);
}

void judge_failure(Call *k, const NetResponse *r, Verdict *v, Err *err) {
  const Said said = {
      .text = r->body.data ? r->body.data : "", .n = r->body.n, .status = r->http_status};
  judge_said(k, r, &said, v, err);
}

/* An error inside a success: the whole body, or a piece of a stream. */
static void judge_inner_failure(Call *k, const NetResponse *r, const Body *body, int is_partial,
                                Verdict *v, Err *err) {
  long status = 0;
  char *piece = body->failed ? cJSON_PrintUnformatted(body->failed) : NULL;
  if (body->failed && !piece) {
    err_nomem(err);
    return;
  }
  failure_in_answer(body->failed ? body->failed : body->tree, &status);
  const Said said = {.text = piece ? piece : r->body.data,
                     .n = piece ? strlen(piece) : r->body.n,
                     .status = status ? status : r->http_status,
                     .is_inside = 1,
                     .is_partial = is_partial};
  judge_said(k, r, &said, v, err);
  cJSON_free(piece);
}

int judge_is_refusal(const NetResponse *r) {
  Body body;
  Reply reply = {0};
  Err ignored = {0}, unread = {0};
  long status;
  int is = strcasestr(r->body.data, "error") &&
           body_read(r->body.data, r->body.n, r->content_type, &body, &ignored) == RC_OK;
  if (is) {
    reply_read(&body, &reply, &unread);
    is = (body.failed || failure_in_answer(body.tree, &status)) && reply.pieces == 0 &&
         !reply.text && !reply.reasoning && !cJSON_GetObjectItemCaseSensitive(body.tree, "usage");
    body_free(&body);
  }
  reply_free(&reply);
  return is;
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

/* Why there is no text, of an answer that is not filtered and did not fail. */
static void tell_no_text(Call *k, const Reply *reply, Err *err) {
  const char *what = reply->has_tools || finish_is_tool(reply->word)
                         ? "asks for a tool to be called and holds no text"
                     : reply->reasoning ? "holds no text but what the model thought"
                                        : "holds no text";
  if (reply->finish != FINISH_CUT_OFF || finish_is_tool(reply->word)) {
    err_set(err, RC_ERROR, ERR_NO_TEXT, "the answer %s (finish_reason '%s')", what,
            k->finish_reason);
  } else if (k->row.output_tokens != LEDGER_NULL) {
    err_set(err, RC_ERROR, ERR_LENGTH,
            "the answer was cut off (finish_reason '%s') before its first word: all %lld tokens "
            "went into reasoning: raise max_tokens",
            k->finish_reason, k->row.output_tokens);
  } else {
    err_set(err, RC_ERROR, ERR_LENGTH,
            "the answer was cut off (finish_reason '%s') before its first word: raise max_tokens",
            k->finish_reason);
  }
}

static int wants_message(const Call *k) {
  return k->request->options->returns == RETURNS_MESSAGE;
}

/* 1 if nobody said that the beginning of an answer will do. */
static int takes_no_piece(const Options *o) {
  return (o->max_tokens == OPTION_UNSET || o->by_tag) && !o->schema;
}

/* What is no answer, by what ended it. */
static void judge_finish(Call *k, Reply *reply, Verdict *v, Err *err) {
  char said[LIMIT_ERROR_QUOTE];
  if (reply->finish == FINISH_FILTERED) {
    utf8_copy(said, sizeof said, reply->refusal ? reply->refusal : "");
    tell_scrub(k, said, sizeof said);
    int is_model = reply->refusal || strstr(reply->word, "refus");
    err_set(err, RC_ERROR, is_model ? ERR_REFUSAL : ERR_CONTENT_FILTER,
            "the model refused to answer (finish_reason '%s')%s%s", k->finish_reason,
            said[0] ? ": " : "", said);
  } else if (reply->finish == FINISH_FAILED) {
    v->retry = err->retryable = 1;
    err_set(err, RC_ERROR, ERR_FAILED, "the generation failed (finish_reason '%s')",
            k->finish_reason);
  } else if (reply->has_tools && wants_message(k) && reply->finish == FINISH_CUT_OFF) {
    err_set(
        err, RC_ERROR, ERR_LENGTH,
        "the answer was cut off (finish_reason '%s') within the call of a tool: raise max_tokens",
        k->finish_reason);
  } else if (reply->has_tools && wants_message(k)) {
    /* what it calls is what was asked for */
  } else if (reply_is_blank(reply->text)) {
    tell_no_text(k, reply, err);
  } else if (reply->has_tools) {
    err_set(err, RC_ERROR, ERR_NO_TEXT,
            "the answer is not whole: it asks for a tool to be called (finish_reason '%s'): "
            "returns 'message' gives the calls",
            k->finish_reason);
  } else if (reply->finish == FINISH_CUT_OFF && !finish_is_tool(reply->word) &&
             takes_no_piece(k->request->options)) {
    err_set(
        err, RC_ERROR, ERR_LENGTH,
        "the answer was cut off (finish_reason '%s') after %zu bytes: give max_tokens%s: more of "
        "them for all of it, or "
        "any to take what fits",
        k->finish_reason, strlen(reply->text), k->request->options->by_tag ? " a number" : "");
  }
}

/* 1 if the call of a tool is what was asked for: by who takes the whole message, or as a schema's form. */
static int is_call_wanted(const Call *k) {
  return wants_message(k) || (k->request->options->schema && !k->request->options->tools);
}

/* How an answer without a word that is known ended: its tokens tell where it was cut. */
static Finish settle_finish(const Call *k, const Reply *reply) {
  long long most = k->request->options->max_tokens;
  if (finish_is_tool(reply->word) && !reply->has_tools) {
    return FINISH_UNKNOWN;
  }
  if (finish_is_tool(reply->word) && is_call_wanted(k)) {
    return FINISH_COMPLETE;
  }
  return reply->finish == FINISH_UNKNOWN && most != OPTION_UNSET && k->row.output_tokens >= most
             ? FINISH_CUT_OFF
             : reply->finish;
}

static void note_finish(Call *k, Reply *reply) {
  reply->finish = settle_finish(k, reply);
  snprintf(k->finish_reason, sizeof k->finish_reason, "%s", reply->word);
  tell_scrub_word(k, k->finish_reason);
  k->row.finish_reason = k->finish_reason[0] ? k->finish_reason : NULL;
  snprintf(k->cache_miss, sizeof k->cache_miss, "%s", reply->cache_miss);
  tell_scrub_word(k, k->cache_miss);
  k->row.cache_miss = k->cache_miss[0] ? k->cache_miss : NULL;
  k->row.ended = k->api->embeds ? NULL : finish_name(reply->finish);
}

/* Keeps what did not satisfy the schema, so that the model can be told; a long one is not worth its tokens. */
static void reject(Call *k, const char *why, Err *err) {
  unfit_take(k, k->text, k->n);
  free(k->rejected);
  k->rejected = k->n <= LIMIT_REJECTED_BYTES ? k->text : NULL;
  if (!k->rejected) {
    free(k->text);
  }
  k->text = NULL;
  snprintf(k->rejected_why, sizeof k->rejected_why, "%s", why);
  err->retryable = 1;
}

/* 1 if a text that was cut off ends where a list or an object does, be it in a fence: nothing of it is missing. */
static int is_closed(const char *text) {
  size_t n = strlen(text);
  while (n > 0 && (isspace((unsigned char)text[n - 1]) || text[n - 1] == '`')) {
    n--;
  }
  return n > 0 && (text[n - 1] == '}' || text[n - 1] == ']');
}

/* The answer must satisfy the schema. */
static void judge_schema(Call *k, const Reply *reply, Verdict *v, Err *err) {
  char why[200];
  if (reply->finish == FINISH_CUT_OFF && !is_closed(k->text)) {
    err_set(err, RC_ERROR, ERR_SCHEMA, "it ends within a value");
  } else if (check_schema(k, err) == RC_OK || err->rc == RC_NOMEM) {
    return;
  }
  snprintf(why, sizeof why, "%.180s", err->msg);
  tell_scrub(k, why, sizeof why);
  *err = (Err){0};
  v->retry = reply->finish != FINISH_CUT_OFF;
  err_set(err, RC_ERROR, ERR_SCHEMA, "the answer does not satisfy the schema%s: %s",
          v->retry ? "" : " (it was cut off: raise max_tokens)", why);
  reject(k, why, err);
  k->cacheable = 0;
}

/* 1 if what llm_models says of the model is what our own list says. */
static int is_as_listed(const Model *model) {
  int n, found = 0;
  const Model *list = catalogue_models(&n);
  for (int i = 0; i < n && !found; i++) {
    found =
        strcmp(list[i].name, model->name) == 0 && strcmp(list[i].supports, model->supports) == 0;
  }
  return found;
}

/* A vector of another length than llm_models says is another model's. (The length that our own list gives holds for the
** vendor's server; one that you gave its name, a gateway that shortens them, say, tells its own.) */
static void judge_vectors(Call *k, const Reply *reply, Err *err) {
  if (reply->n_vectors != k->request->n_messages) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the answer has %d vectors for %d texts",
            reply->n_vectors, k->request->n_messages);
    return;
  }
  long long wanted = wire_dimension(&k->model, err);
  if (!dialect_is_at_home(dialect_of(&k->model), &k->model) && is_as_listed(&k->model)) {
    return;
  }
  if (wanted > 0 && reply->dim != wanted) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER,
            "the vectors have %d elements; llm_models.supports says %lld (dimensions)", reply->dim,
            wanted);
  }
}

/* Puts a text of ours into the reply's place: copied. */
static int replace_text(Reply *reply, const char *text, Err *err) {
  char *copy = text ? strdup(text) : NULL;
  if (!copy) {
    return err_nomem(err);
  }
  free(reply->text);
  reply->text = copy;
  return RC_OK;
}

/* A schema that was asked for by a tool: what the tool was called with is the answer. */
static int take_arguments(const Call *k, const Body *body, Reply *reply, Err *err) {
  const Options *o = k->request->options;
  if (!o->schema || o->tools || !reply->has_tools) {
    return RC_OK;
  }
  cJSON *message = answer_message(body, 1, NULL, err);
  const char *arguments = answer_arguments(message, SCHEMA_TOOL);
  if (arguments && replace_text(reply, arguments, err) == RC_OK) {
    reply->has_tools = 0;
  }
  cJSON_Delete(message);
  return err->rc;
}

/* The whole message, which takes its text's place when gates have seen that. */
static int take_message(Call *k, const Body *body, const Reply *reply, Err *err) {
  int is_silent = reply->has_tools && !k->text[0];
  cJSON *message = answer_message(body, reply->has_tools, is_silent ? NULL : k->text, err);
  if (!reply->has_tools) { /* what a schema's tool was called with is the content */
    cJSON_DeleteItemFromObjectCaseSensitive(message, "tool_calls");
  }
  cJSON_free(k->message);
  k->message = message ? json_print_exact(message, err) : NULL;
  k->calls_tools = reply->has_tools;
  cJSON_Delete(message);
  return err->rc;
}

static void take_reply(Call *k, const Body *body, Reply *reply, Verdict *v, Err *err) {
  int calls_tools = reply->has_tools;
  if (!reply->text && replace_text(reply, "", err) != RC_OK) { /* of a message that only calls */
    return;
  }
  free(k->text);
  k->text = reply->text;
  k->n = strlen(k->text);
  reply->text = NULL;
  k->cacheable = reply->finish == FINISH_COMPLETE || reply->finish == FINISH_UNKNOWN;
  if (k->request->options->schema && !calls_tools) {
    judge_schema(k, reply, v, err);
  }
  if (err->rc == RC_OK && wants_message(k) && !k->api->embeds) {
    take_message(k, body, reply, err);
  }
}

/* Takes the text of a success, or says why there is none. */
static void judge_reply(Call *k, const Body *body, Reply *reply, Verdict *v, Err *err) {
  note_finish(k, reply);
  if (k->api->embeds) {
    judge_vectors(k, reply, err);
  } else if (take_arguments(k, body, reply, err) == RC_OK) {
    judge_finish(k, reply, v, err);
  }
  if (err->rc == RC_ERROR && !k->api->embeds) {
    const char *said = reply_is_blank(reply->text) ? reply->refusal : reply->text;
    unfit_take(k, said, said ? strlen(said) : 0);
  }
  if (err->rc == RC_OK) {
    take_reply(k, body, reply, v, err);
  }
  free(k->reasoning);
  k->reasoning = reply->reasoning;
  cJSON_free(k->logprobs);
  k->logprobs = reply->logprobs;
  reply->reasoning = reply->logprobs = NULL;
  if (err->rc != RC_OK && err->rc != RC_NOMEM) {
    err->http_status = (int)k->row.http_status;
    judge_note(k, judge_kind(k), k->row.cost_nusd, err);
  }
}

/* A service that was asked for is billed as what it was served in: an answer that does not say has no price that is known. */
static void check_service(const Call *k, const cJSON *tree, Reply *reply) {
  const char *asked = options_service(k->request->options);
  const cJSON *usage = cJSON_GetObjectItemCaseSensitive(tree, "usage");
  if (asked && !k->is_batch && !reply->usage_error[0] && !json_text(tree, "service_tier") &&
      !json_text(usage, "service_tier")) {
    snprintf(reply->usage_error, sizeof reply->usage_error,
             "asked for service '%.24s'; the answer does not say which it was", asked);
  }
}

/* Reads what the answer says beside its text, and what that costs: before anything about the text can be wrong. */
static int read_bill(Call *k, const Body *body, Reply *reply, Err *err) {
  if (provider_read_usage(body->tree, k->model.provider, reply) != RC_OK) {
    return err_nomem(err);
  }
  note_model(k, reply);
  check_service(k, body->tree, reply);
  return bill_reply(k, reply, err);
}

/* What an answer says that has no form of an answer: its sentence, or how it begins. */
static void tell_unread(const Call *k, const NetResponse *r, Err *err) {
  Failure f;
  char what[LIMIT_ERROR_QUOTE];
  if (err->code != ERR_BAD_ANSWER || !r->body.data ||
      failure_read(r->content_type, r->body.data, r->body.n, &f) != RC_OK) {
    return;
  }
  failure_describe(r->content_type, r->body.n, f.sample, strlen(f.sample), what, sizeof what);
  utf8_copy(what, sizeof what, f.message[0] ? f.message : what);
  if (tell_mask(k, what, sizeof what)) {
    size_t n = strlen(err->msg);
    snprintf(err->msg + n, sizeof err->msg - n, ": %s", what);
  }
}

/* The answer can't be read, or broke off: what it used stays known, what it costs does not. */
static void judge_unread(Call *k, const NetResponse *r, const Reply *reply, Err *err) {
  if (!k->api->embeds) {
    tell_unread(k, r, err);
    unfit_take(k, r->body.data, r->body.n);
  }
  err->http_status = err->rc == RC_NOMEM ? 0 : (int)r->http_status;
  judge_note(k, reply->usage.has ? judge_kind(k) : KIND_UNKNOWN,
             reply->usage.has ? k->row.cost_nusd : LEDGER_NULL, err);
}

/* The answer once more, with the digits of long integers, where calls of tools are handed out; NULL: it has none, or not so. */
static cJSON *read_digits(const Call *k, const NetResponse *r, const Body *body, Err *err) {
  Err why = {0};
  int is_wanted = is_call_wanted(k) && !body->pieces && r && r->body.data &&
                  json_has_digits(r->body.data, r->body.n);
  cJSON *tree = is_wanted ? json_parse_digits(r->body.data, r->body.n, "the answer", &why) : NULL;
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return tree;
}

/* A whole answer: what is in it. */
static void judge_body(Call *k, const NetResponse *r, const Body *body, Verdict *v, Err *err) {
  Reply reply = {0};
  long ignored = 0;
  k->row.kind = judge_kind(k);
  if (read_bill(k, body, &reply, err) != RC_OK) {
    /* there may be a price: it could not be read */
  } else if (!body->pieces && failure_in_answer(body->tree, &ignored)) {
    Err unread = {0};
    int has_text = k->api->parse(body, &reply, &unread) == RC_OK && !reply_is_blank(reply.text);
    judge_inner_failure(k, r, body, has_text && k->row.cost_nusd == LEDGER_NULL, v, err);
  } else if (k->api->parse(body, &reply, err) != RC_OK ||
             (!k->api->embeds && thinking_split(&reply, k->request, err) != RC_OK)) {
    judge_unread(k, r, &reply, err);
  } else if (body->pieces && body->has_gap) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "a piece of the stream can't be read");
    judge_unread(k, r, &reply, err);
  } else {
    Body exact = *body; /* with all digits of what a tool is called with */
    exact.tree = read_digits(k, r, body, err);
    judge_reply(k, exact.tree ? &exact : body, &reply, v, err);
    cJSON_Delete(exact.tree);
  }
  reply_free(&reply);
}

/* What a stream has brought that does not go on to its end. */
typedef struct Part {
  int is_whole; /* it does */
  int is_begun; /* there is text, or usage */
} Part;

/* (What only may be an error is one where no word says that the answer ended well.) */
static Part part_of(const Call *k, Body *body, Err *err) {
  Reply reply = {0};
  Err unread = {0};
  int is_read = body->pieces && k->api->parse(body, &reply, &unread) == RC_OK;
  if (unread.rc == RC_NOMEM) {
    err_nomem(err); /* it may be whole */
  }
  body->failed = body->failed || reply.finish != FINISH_UNKNOWN ? body->failed : body->suspect;
  Part p = {.is_whole = body->pieces
                            ? is_read && !reply.is_broken && !body->failed
                            : k->api->embeds || (cJSON_IsObject(body->tree) && body->tree->child),
            .is_begun = reply.pieces > 0 ||
                        cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(body->tree, "usage"))};
  reply_free(&reply);
  return p;
}

/* What is known of a stream that broke off: its usage so far, and how many pieces of text came. No cost: what was billed
** for the rest, nobody says. */
static int note_partial(Call *k, const Body *body, Err *err) {
  Reply reply = {0};
  Err ignored = {0};
  if (k->api->parse(body, &reply, &ignored) == RC_OK && reply.text) {
    unfit_take(k, reply.text, strlen(reply.text));
  }
  if (provider_read_usage(body->tree, k->model.provider, &reply) != RC_OK) {
    err_nomem(err);
  } else {
    note_model(k, &reply);
    bill_partial(k, &reply, err);
  }
  reply_free(&reply);
  return err->rc;
}

/* A stream that ended in an error, or in nothing. */
static void judge_stream(Call *k, const NetResponse *r, const Body *body, Part part, Verdict *v,
                         Err *err) {
  if (part.is_begun && note_partial(k, body, err) != RC_OK) {
    judge_note(k, KIND_UNKNOWN, LEDGER_NULL, err);
  } else if (body->failed) {
    k->row.cost_nusd = LEDGER_NULL;
    judge_inner_failure(k, r, body, part.is_begun, v, err);
  } else {
    judge_loss(k, r, v, err);
  }
}

void judge_answer(Call *k, const NetResponse *r, Verdict *v, Err *err) {
  Body body = {0};
  Err why = {0};
  int is_read = r->http_status / 100 == 2 && body_read(r->body.data ? r->body.data : "", r->body.n,
                                                       r->content_type, &body, &why) == RC_OK;
  Part part = is_read ? part_of(k, &body, &why) : (Part){0};
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
    judge_note(k, KIND_UNKNOWN, LEDGER_NULL, err);
  } else if (part.is_whole) {
    judge_body(k, r, &body, v, err);
  } else if (is_read && body.pieces) {
    judge_stream(k, r, &body, part, v, err);
  } else if (r->result != NET_ANSWERED) {
    judge_loss(k, r, v, err);
  } else if (is_read) { /* a value that is no object, or an empty one */
    judge_body(k, r, &body, v, err);
  } else {
    unfit_take(k, r->body.data, r->body.n);
    tell_scrub(k, why.msg, sizeof why.msg);
    err_set(err, why.rc, why.code, "%s", why.msg);
    err->http_status = (int)r->http_status;
    judge_note(k, KIND_UNKNOWN, LEDGER_NULL, err);
  }
  body_free(&body);
}

void judge_batched(Call *k, const Body *body, Err *err) {
  const NetResponse answered = {.result = NET_ANSWERED, .http_status = 200};
  Verdict ignored = {.delay_ms = -1, .named_ms = -1};
  k->row.http_status = answered.http_status;
  k->row.error = NULL;
  judge_body(k, &answered, body, &ignored, err);
  tell_withhold_key(k, err);
}
