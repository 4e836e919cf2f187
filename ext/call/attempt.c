/*
** The call stage: attempts at one request, and what each answer means in money.
**
** Billing rules: nothing was billed where no byte of the body left, and where the provider answered
** with an error status (their documented rule); where the answer was lost on the way it is unknown
** (NULL), and stays listed as such. One budget of attempts covers every reason to try again.
*/
#include "call/call.h"

#include "core/names/model_name.h"
#include "core/request/retry.h"
#include "core/request/schema.h"
#include "trust/access.h"
#include "call/pricing.h"
#include "trust/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one attempt came to. */
typedef struct Verdict {
  int retry;          /* worth another attempt */
  long long delay_ms; /* the provider's wish, or -1 */
} Verdict;

static int post(Call *k, NetResponse *response, Err *err) {
  char key_header[4096];
  const char *headers[6];
  char client_id[64];
  int n = 0;
  const Settings *set = &k->conn->set;
  Net *net = conn_net(k->conn, err);
  if (!net) {
    return err->rc;
  }
  headers[n++] = "Content-Type: application/json";
  snprintf(client_id, sizeof client_id, "X-Client-Request-Id: %s-%lld", k->request_id,
           k->row.attempt);
  headers[n++] = client_id;
  if (k->secret) {
    int len = snprintf(key_header, sizeof key_header, k->api->key_header, k->secret);
    if (len >= (int)sizeof key_header) {
      return err_set(err, RC_ERROR, ERR_NO_KEY, "the key in %.80s is too long", k->model.key_env);
    }
    headers[n++] = key_header;
  }
  if (k->api->fixed_headers) {
    headers[n++] = k->api->fixed_headers;
  }
  headers[n] = NULL;
  long long left = k->plan->deadline_ms - monotonic_ms();
  NetRequest request = {.url = k->url,
                        .headers = headers,
                        .body = k->body.data,
                        .n = k->body.n,
                        .connect_ms = (long)set->connect_timeout_ms,
                        .idle_ms = (long)set->idle_timeout_ms,
                        .total_ms = (long)(left > 1 ? left : 1),
                        .proxy = set->proxy,
                        .ca_file = env_get("LLMCOST_CA"),
                        .interrupted = conn_interrupted,
                        .interrupt_arg = k->conn};
  int rc = net_post(net, &request, response, err);
  explicit_bzero(key_header, sizeof key_header);
  if (rc != RC_OK || response->result == NET_NO_MEMORY) {
    conn_drop_net(k->conn); /* what libcurl could not finish making, it might go on with */
  }
  return rc;
}

/* 1 if what a provider said gives away the key or a piece of the prompts. */
static int gives_away(const Call *k, const char *said) {
  const Request *r = k->request;
  int found = scrub_holds_key(said, k->secret) ||
              (r->system && scrub_holds_prompt(said, r->system, strlen(r->system)));
  for (int m = 0; m < r->n_messages && !found; m++) {
    found = scrub_holds_prompt(said, r->messages[m].content, r->messages[m].n);
  }
  return found;
}

#define WITHHELD "(withheld: it repeats the prompt or the key)"

/* Takes it out of a sentence. */
static void scrub(const Call *k, char *said, size_t size) {
  if (said[0] && gives_away(k, said)) {
    snprintf(said, size, WITHHELD);
  }
}

/* Words of the providers' own, which a prompt may hold as well. */
static int is_known_code(const char *code) {
  static const char *const known[] = {"context_length_exceeded",
                                      "insufficient_quota",
                                      "rate_limit_exceeded",
                                      "invalid_request_error",
                                      "invalid_api_key",
                                      "model_not_found",
                                      "authentication_error",
                                      "permission_error",
                                      "not_found_error",
                                      "rate_limit_error",
                                      "overloaded_error",
                                      "api_error",
                                      "server_error",
                                      "billing_error",
                                      "request_too_large",
                                      "unsupported_parameter",
                                      "invalid_value",
                                      "content_filter",
                                      "quota_exceeded",
                                      "overloaded"};
  int found = 0;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    found |= strcmp(code, known[i]) == 0;
  }
  return found;
}

/* A code is one word; anything else in its place is not repeated. */
static void scrub_code(const Call *k, char *code) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (code[strspn(code, plain)] || (!is_known_code(code) && gives_away(k, code))) {
    code[0] = 0;
  }
}

/* The model that answered. The one that was asked, or a snapshot of it, says nothing else; in front of it may
** stand a vendor's name; what is called otherwise may be anything, and is not noted if it repeats something. */
static void scrub_model(const Call *k, char *model) {
  int is_asked = model_name_match(model, k->model.name) > 0;
  if (is_asked ? strchr(model, '/') && scrub_holds_key(model, k->secret) : gives_away(k, model)) {
    model[0] = 0;
  }
}

/* The words of a provider inside a usage (its service, its models), each that repeats something taken out. */
static void scrub_usage(const Call *k, cJSON *tree) {
  for (cJSON *item = tree ? tree->child : NULL, *next; item; item = next) {
    next = item->next;
    if (cJSON_IsString(item) && gives_away(k, item->valuestring)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(tree, item));
    } else {
      scrub_usage(k, item);
    }
  }
}

/* Whatever way a key took into what will be told, it ends here. */
static void withhold_key(Call *k, Err *err) {
  if (err->rc != RC_OK && scrub_holds_key(err->msg, k->secret)) {
    snprintf(err->msg, sizeof err->msg, "%s: " WITHHELD, k->model.provider);
  }
  if (scrub_holds_key(k->row.error, k->secret)) {
    snprintf(k->error, sizeof k->error, "%s: " WITHHELD,
             err->rc ? err_word(err->code) : "unpriced");
    k->row.error = k->error;
  }
}

/* What a row is whose request was answered, or never left. */
static LedgerKind kind_of_answer(const Call *k) {
  return k->api->embeds ? KIND_EMBED : KIND_CALL;
}

/* Notes a failure in the row and the error. */
static void note_failure(Call *k, LedgerKind kind, long long cost, Err *err) {
  snprintf(k->error, sizeof k->error, "%s: %.300s",
           err->provider_code[0] ? err->provider_code : err_word(err->code), err->msg);
  k->row.kind = kind;
  k->row.error = k->error;
  k->row.cost_nusd = cost;
}

/* No answer arrived. */
static void judge_loss(Call *k, const NetResponse *r, Verdict *v, Err *err) {
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
  note_failure(k, is_unsent ? kind_of_answer(k) : KIND_UNKNOWN, is_unsent ? 0 : LEDGER_NULL, err);
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
static void judge_failure(Call *k, const NetResponse *r, long status, long long cost, Verdict *v,
                          Err *err) {
  Failure f;
  char why[LIMIT_ERROR_QUOTE + 16];
  if (provider_read_failure(r->body.data ? r->body.data : "", r->body.n, &f) == RC_NOMEM) {
    err_nomem(err);
    return;
  }
  v->retry = retry_is_useful(status, f.type, f.code, r->should_retry);
  scrub(k, f.message, sizeof f.message);
  scrub_code(k, f.code);
  scrub_code(k, f.type);
  const char *code = f.code[0] ? f.code : f.type;
  v->delay_ms = r->retry_after_ms;
  explain_failure(k, status, &f, why, sizeof why);
  err_set(err, RC_ERROR, ERR_PROVIDER, "%s answered %s%ld%s%s%s%s", k->model.provider,
          r->http_status == status ? "" : "200 with error ", status, code[0] ? " (" : "", code,
          code[0] ? ")" : "", why);
  snprintf(err->provider_code, sizeof err->provider_code, "%s", code);
  err->http_status = (int)status;
  err->retryable = v->retry;
  note_failure(k, kind_of_answer(k), cost, err);
}

/* A count for a column that is NULL where nothing was reported. */
static long long column_of(const Usage *u, Unit unit) {
  long long count = usage_get(u, unit);
  return count == USAGE_UNKNOWN ? LEDGER_NULL : count;
}

/* The cost of one usage, under the name the answer gives. Where nobody prices that, under the
** name that was requested: of a private server's models the user prices that one in llm_prices. */
static PriceVerdict price_one(Call *k, PricingAsk ask, const Usage *u, PricingAnswer *answer,
                              Err *err) {
  int is_named = ask.model[0] != 0;
  PriceVerdict verdict = is_named ? pricing_answer(k->conn, &ask, u, answer, err) : NO_MODEL;
  if (verdict == NO_MODEL) {
    ask.model = k->model.name;
    ask.found.entry = NULL; /* of the other name */
    ask.list = is_named ? "" : NULL;
    verdict = pricing_answer(k->conn, &ask, u, answer, err);
  }
  return verdict;
}

static PricingAsk ask_of(const Call *k, const Reply *reply) {
  return (PricingAsk){.model = reply->model, .provider = k->model.provider, .at_ms = k->row.ts};
}

/* All parts of an answer that was billed in several: their costs and their tokens add up. */
static PriceVerdict price_parts(Call *k, Reply *reply, PricingAnswer *answer, Err *err) {
  PricingAsk main = ask_of(k, reply);
  PriceVerdict verdict = PRICED;
  Cost total = 0;
  reply->usage.has = 0;
  for (int i = 0; i < reply->n_parts; i++) {
    const UsagePart *part = &reply->parts[i];
    for (UnitSet left = part->usage.has; left; left &= left - 1) {
      Unit unit = UNIT_FIRST(left);
      long long sum = usage_get(&reply->usage, unit);
      usage_set(&reply->usage, unit, (sum == USAGE_UNKNOWN ? 0 : sum) + part->usage.n[unit]);
    }
    if (verdict == PRICED) {
      PricingAsk ask = pricing_ask_of_part(k->conn, &main, part, err);
      verdict = price_one(k, ask, &part->usage, answer, err);
    }
    if (verdict == PRICED) {
      verdict = cost_add(&total, answer->sum.cost, answer->sum.why);
    }
  }
  answer->sum.cost = total;
  return verdict;
}

static int fill_usage(Call *k, const Reply *reply, Err *err) {
  const Usage *u = &reply->usage;
  LedgerRow *row = &k->row;
  cJSON *tree = !u->has          ? NULL
                : reply->n_parts ? usage_parts_json(u, reply->parts, reply->n_parts)
                                 : usage_json(u);
  scrub_usage(k, tree);
  cJSON_free(k->usage);
  k->usage = tree ? cJSON_PrintUnformatted(tree) : NULL;
  cJSON_Delete(tree);
  row->usage = k->usage;
  row->input_tokens = column_of(u, UNIT_INPUT);
  row->cached_input_tokens = column_of(u, UNIT_CACHE_READ);
  row->cache_write_tokens = column_of(u, UNIT_CACHE_WRITE);
  row->output_tokens = column_of(u, UNIT_OUTPUT);
  row->reasoning_tokens = column_of(u, UNIT_REASONING);
  row->cost_reported_nusd = u->reported_nusd;
  return u->has && !k->usage ? err_nomem(err) : RC_OK;
}

/* Puts usage and cost of a success into the row. A model that is known but can't be priced says why; an
** unknown one is NULL, and listed in llm_unpriced. Fails where that can't be known: no memory, or prices that can't
** be read just now. */
static int price_reply(Call *k, Reply *reply, Err *failure) {
  LedgerRow *row = &k->row;
  PricingAnswer answer = {.sum.why = ""};
  char *why = answer.sum.why;
  Err err = {0};
  PriceVerdict verdict = NO_PRICE;
  if (pricing_refresh(k->conn, NULL, &err) == RC_OK) {
    verdict = reply->n_parts ? price_parts(k, reply, &answer, &err)
                             : price_one(k, ask_of(k, reply), &reply->usage, &answer, &err);
  }
  if (fill_usage(k, reply, failure) != RC_OK) {
    return failure->rc;
  }
  if (err.rc != RC_OK && err.rc != RC_ERROR) { /* there may be a price: it could not be read */
    k->is_unpriced = 1;
    *failure = err;
    return failure->rc;
  }
  row->cost_nusd = verdict == PRICED ? cost_nusd(answer.sum.cost) : LEDGER_NULL;
  scrub(k, reply->usage_error, sizeof reply->usage_error);
  scrub(k, why, PRICE_WHY);
  scrub(k, err.msg, sizeof err.msg);
  const char *reason = reply->usage_error[0] ? reply->usage_error : err.rc ? err.msg : why;
  int is_wrong = verdict == BAD_USAGE || verdict == FAILED || reply->usage_error[0];
  if (reason[0] && (is_wrong || reply->usage.has)) {
    snprintf(k->error, sizeof k->error, "unpriced: %.300s", reason);
    row->error = k->error;
  }
  return RC_OK;
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
    scrub(k, why, sizeof why);
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
    note_failure(k, kind_of_answer(k), k->row.cost_nusd, err);
  }
}

/* An error that came as a success may have cost something: its usage says, and without one nobody does. */
static int price_failure(Call *k, const cJSON *answer, Err *err) {
  Reply reply = {0};
  if (provider_read_usage(answer, k->model.provider, &reply) != RC_OK) {
    err_nomem(err);
  } else {
    price_reply(k, &reply, err);
  }
  reply_free(&reply);
  return err->rc;
}

static void judge_success(Call *k, const NetResponse *r, Verdict *v, Err *err) {
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
    note_failure(k, KIND_UNKNOWN, LEDGER_NULL, err);
  } else {
    k->row.kind = kind_of_answer(k);
    int rc = provider_read_usage(tree, k->model.provider, &reply);
    snprintf(k->answered_model, sizeof k->answered_model, "%s", reply.model);
    scrub_model(k, k->answered_model);
    k->row.model = k->answered_model[0] ? k->answered_model : NULL;
    if (rc != RC_OK) {
      err_nomem(err);
    } else if (price_reply(k, &reply, err) == RC_OK) {
      judge_reply(k, &reply, v, err);
    }
  }
  reply_free(&reply);
  cJSON_Delete(tree);
}

/* The answer of an attempt: from the provider, or the one that waited for memory. */
static int get_answer(Call *k, Err *err) {
  if (k->has_answer) {
    int was_sent = k->response.result != NET_ANSWERED || k->response.http_status;
    k->has_answer = 0;
    return was_sent ? RC_OK : err_nomem(err);
  }
  net_response_free(&k->response);
  return post(k, &k->response, err);
}

/* Sends once and fills the row and the outcome. */
static int attempt_once(Call *k, Verdict *v, Err *err) {
  const NetResponse *response = &k->response;
  *v = (Verdict){.delay_ms = -1};
  if (get_answer(k, err) != RC_OK) {
    note_failure(k, kind_of_answer(k), 0, err); /* nothing was sent */
    return err->rc;
  }
  k->row.latency_ms = response->elapsed_ms;
  k->row.http_status = response->http_status ? response->http_status : LEDGER_NULL;
  k->row.error = NULL;
  if (response->result != NET_ANSWERED) {
    judge_loss(k, response, v, err);
  } else if (response->http_status / 100 == 2) {
    judge_success(k, response, v, err);
  } else {
    judge_failure(k, response, response->http_status, 0, v, err);
  }
  withhold_key(k, err);
  return err->rc;
}

/* Waits, then makes the next attempt durable. On failure k->row is the failed attempt again. */
static int wait_and_begin(Call *k, long long delay_ms, const char *reason, Err *err) {
  LedgerRow failed = k->row;
  if (conn_sleep(k->conn, delay_ms, err) != RC_OK) {
    return err->rc;
  }
  call_start_row(k, failed.attempt + 1, reason);
  if (ledger_begin_next(k->store, failed.id, &k->row, call_claim(k), call_lease(k), err) != RC_OK) {
    k->row = failed;
  }
  return err->rc;
}

/* Closes the failed attempt in the ledger, its intent kept, waits, and opens the next. If there is
** none after all, the attempt stays open: settling it once more ends the intent. */
static int next_attempt(Call *k, long long delay_ms, Err *failure) {
  Err err = {0};
  char reason[sizeof k->retry_reason];
  snprintf(reason, sizeof reason, "%s",
           failure->provider_code[0] ? failure->provider_code : err_word(failure->code));
  Err memory = {0};
  int is_queued = ledger_settle(k->store, &k->row, NULL, 1, &err) != RC_OK && err.rc != RC_NOMEM &&
                  ledger_queue(k->store, &k->row, NULL, &memory) == RC_OK;
  k->is_open = !is_queued;
  if (!k->store->mode->tells_failure && is_queued) {
    err = (Err){0}; /* there, a queued row is no reason to stop */
  }
  if (err.rc == RC_OK && wait_and_begin(k, delay_ms, reason, &err) == RC_OK) {
    k->is_open = 1;
  }
  *failure = err;
  return err.rc;
}

int attempt_all(Call *k, Err *err) {
  for (;;) {
    Verdict v;
    unsigned random;
    attempt_once(k, &v, err);
    k->attempts_left--;
    if (err->rc == RC_OK || !v.retry || k->attempts_left <= 0) {
      return err->rc;
    }
    sqlite3_randomness(sizeof random, &random);
    long long delay =
        retry_delay_ms((int)k->row.attempt + 1, k->conn->set.backoff_ms, v.delay_ms, random);
    if (delay > LIMIT_RETRY_AFTER_MS || monotonic_ms() + delay >= k->plan->deadline_ms) {
      return err->rc;
    }
    if (next_attempt(k, delay, err) != RC_OK) {
      return err->rc;
    }
  }
}
