/*
** Requests and what their answers mean. See remote_internal.h for the contract.
*/
#include "work/remote/remote_internal.h"

#include "base/check.h"
#include "base/utf8.h"
#include "core/request/retry.h"
#include "trust/access.h"
#include "trust/node/env.h"
#include "trust/hosts.h"

#include <stdio.h>
#include <string.h>

/* The slowest line that gets a whole batch through, in bytes a millisecond: 1 Mbit/s. */
enum { SLOWEST = 128 };

long long remote_longest_ms(const Remote *r, long long bytes) {
  return r->conn->set.timeout_ms + bytes / SLOWEST;
}

/* ---- what goes */

static int makes_something(BatchStep step) {
  return step == BATCH_UPLOAD || step == BATCH_CREATE || step == BATCH_CANCEL;
}

/* A path with ids and a cursor, and the URL that it makes. */
enum { ASK_PATH = 1024, ASK_URL = sizeof((Remote *)0)->base_url + ASK_PATH + 2 };

/* URL and method. */
static int write_url(const Remote *r, const Question *q, char url[ASK_URL], NetMethod *method,
                     Err *err) {
  const char *word = "GET";
  Buf path;
  buf_init(&path, ASK_PATH);
  if (q->path) {
    buf_puts(&path, q->path);
  } else {
    batch_form_path(r->form, q->step, q->id, q->cursor, &path, &word, err);
  }
  *method = word[0] == 'G' ? NET_GET : word[0] == 'D' ? NET_DELETE : NET_POST;
  if (path.failed) {
    err_nomem(err);
  } else if (err->rc == RC_OK) {
    url_join(r->base_url, NULL, path.data, url, ASK_URL); /* (it has room for both) */
  }
  buf_free(&path);
  return err->rc;
}

static int post(Remote *r, const Question *q, const char *url, NetMethod method,
                NetResponse *response, Err *err) {
  HeaderLines lines;
  char type_header[120];
  const Settings *set = &r->conn->set;
  headers_begin(&lines);
  if (q->type) {
    snprintf(type_header, sizeof type_header, "Content-Type: %s", q->type);
    headers_add(&lines, type_header);
  }
  headers_add_model(&lines, &r->access.headers, r->access.key, r->api->auth, r->api->fixed_header);
  NetRequest request = {.url = url,
                        .headers = lines.at,
                        .method = method,
                        .body = q->body && q->body->n ? q->body->data : "",
                        .n = q->body ? q->body->n : 0,
                        .upload = q->upload,
                        .sink = q->sink,
                        .connect_ms = (long)set->connect_timeout_ms,
                        .idle_ms = (long)set->idle_timeout_ms,
                        .total_ms = (long)remote_longest_ms(r, q->bytes),
                        .proxy = set->proxy,
                        .ca_file = env_get("LLMCOST_CA"),
                        .interrupted = conn_interrupted,
                        .interrupt_arg = r->conn};
  int rc = conn_post(r->conn, &request, response, err);
  if (rc != RC_OK || response->result == NET_NO_MEMORY) {
    conn_drop_net(r->conn); /* what libcurl could not finish making, it might go on with */
  }
  headers_wipe(&lines);
  return rc;
}

/* ---- what comes */

void ask_scrub(const Remote *r, char *text, size_t size) {
  access_mask(&r->access, text);
  if (access_leaks(&r->access, text)) {
    snprintf(text, size, "(withheld: it repeats the key)");
  }
}

void ask_distrust(const Remote *r, const Question *q, const char *why, BatchFault *fault) {
  char text[LIMIT_ERROR_QUOTE + sizeof r->host + 40];
  snprintf(text, sizeof text, "the answer of %s can't be used: %.*s", r->host, LIMIT_ERROR_QUOTE,
           why);
  ask_scrub(r, text, sizeof text);
  *fault = (BatchFault){
      .trouble = TROUBLE_LATER, .retry_after_ms = -1, .may_be_done = makes_something(q->step)};
  utf8_copy(fault->message, sizeof fault->message, text);
}

/* No answer arrived, or none that is taken. */
static int set_loss(const Remote *r, const Question *q, const NetResponse *response,
                    BatchFault *fault, Err *err) {
  static const char *const words[] = {
      [NET_NOT_SENT] = "cannot reach",
      [NET_STOPPED] = "interrupted before anything was sent to",
      [NET_LOST] = "the answer was lost from",
      [NET_TIMED_OUT] = "no answer in time from",
      [NET_INTERRUPTED] = "interrupted while waiting for",
      [NET_REFUSED] = "an answer can't be taken from",
      [NET_NO_MEMORY] = "no memory for the answer of",
      [NET_GIVEN_UP] = "given up half way to",
  };
  const NetResult result = response->result;
  int left = result != NET_NOT_SENT && result != NET_STOPPED;
  char text[LIMIT_HOST + 240];
  snprintf(text, sizeof text, "%s %s%s%s", words[result], r->host, response->why[0] ? ": " : "",
           response->why);
  *fault = (BatchFault){.trouble = TROUBLE_LATER, .retry_after_ms = -1};
  /* (A body that was given up is not there as a whole: nobody acts on it.) */
  fault->may_be_done = left && makes_something(q->step) && result != NET_GIVEN_UP;
  utf8_copy(fault->message, sizeof fault->message, text);
  if (result == NET_STOPPED || result == NET_INTERRUPTED) {
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "%s %s", words[result], r->host);
  } else if (result == NET_NO_MEMORY) {
    err_nomem(err);
  } else if (result == NET_GIVEN_UP) {
    CHECK(q->why && q->why->rc != RC_OK);
    *err = err->rc == RC_OK ? *q->why : *err;
  }
  return err->rc;
}

/* When to come again: the header made for it, else the body, else what the limits say. */
static void take_waits(const NetWaits *waits, BatchFault *fault) {
  if (waits->retry_after_ms >= 0) {
    fault->retry_after_ms = waits->retry_after_ms;
  }
  if (fault->retry_after_ms < 0 &&
      (fault->status == 429 || fault->status == 503 || fault->status == 529)) {
    fault->retry_after_ms = waits->reset_ms;
  }
}

/* The host in front of what it says, without the key. */
static void tell(const Remote *r, long status, BatchFault *fault) {
  char text[sizeof fault->message + LIMIT_HOST + 60];
  ask_scrub(r, fault->message, sizeof fault->message);
  ask_scrub(r, fault->word, sizeof fault->word);
  snprintf(text, sizeof text, "%s answered %ld: %s", r->host, status, fault->message);
  utf8_copy(fault->message, sizeof fault->message, text);
}

/* Where results are asked for, any success but 200 has none. */
static void set_no_results(const Remote *r, long status, BatchFault *fault) {
  *fault = (BatchFault){.trouble = status == 202 ? TROUBLE_NOT_YET : TROUBLE_LATER,
                        .status = status,
                        .retry_after_ms = -1};
  snprintf(fault->message, sizeof fault->message, "%s answered %ld in place of results", r->host,
           status);
}

static int read_answer(const Remote *r, const Question *q, NetResponse *response, BatchFault *fault,
                       Err *err) {
  Err why = {0};
  long status = response->http_status;
  if (net_decode(response, &why) != RC_OK) {
    ask_distrust(r, q, why.msg, fault);
    return why.rc == RC_NOMEM ? err_nomem(err) : RC_OK;
  }
  const BatchAnswer answer = {q->step, status, response->content_type,
                              response->body.n ? response->body.data : "", response->body.n};
  if (batch_fault_read(&answer, fault, err) != RC_OK) {
    ask_distrust(r, q, "there is no memory for it", fault);
    return err->rc;
  }
  fault->may_be_done &= makes_something(q->step);
  if (fault->trouble != TROUBLE_NONE) {
    take_waits(&response->waits, fault);
    tell(r, status, fault);
  } else if (q->sink && status != 200) {
    set_no_results(r, status, fault);
  }
  return RC_OK;
}

static int ask(Remote *r, const Question *q, const char *url, NetMethod method,
               NetResponse *response, BatchFault *fault, Err *err) {
  *response = (NetResponse){0};
  *fault = (BatchFault){.retry_after_ms = -1};
  if (post(r, q, url, method, response, err) != RC_OK) {
    return err->rc;
  }
  snprintf(r->request_id, sizeof r->request_id, "%s", response->request_id);
  ask_scrub(r, r->request_id, sizeof r->request_id);
  return response->result == NET_ANSWERED ? read_answer(r, q, response, fault, err)
                                          : set_loss(r, q, response, fault, err);
}

/* ---- once and again */

/* Waits before attempt `next`. 0: there is none. */
static int wait_for_next(Remote *r, const Question *q, int next, const BatchFault *fault,
                         Err *err) {
  unsigned random;
  const Settings *set = &r->conn->set;
  sqlite3_randomness(sizeof random, &random);
  long long delay = retry_delay_ms(next, set->backoff_ms, fault->retry_after_ms, random);
  return fault->trouble == TROUBLE_LATER && next <= set->retries + 1 &&
         delay <= LIMIT_RETRY_AFTER_MS && (!q->may_repeat || q->may_repeat(q->arg)) &&
         conn_sleep(r->conn, delay, err) == RC_OK;
}

static int ask_up_to(Remote *r, const Question *q, int is_once, NetResponse *response,
                     BatchFault *fault, Err *err) {
  char url[ASK_URL];
  NetMethod method;
  *response = (NetResponse){0};
  *fault = (BatchFault){.retry_after_ms = -1};
  if (write_url(r, q, url, &method, err) == RC_OK) {
    for (int next = 2;; next++) {
      ask(r, q, url, method, response, fault, err);
      if (is_once || method == NET_POST || err->rc != RC_OK ||
          !wait_for_next(r, q, next, fault, err)) {
        break;
      }
      net_response_free(response);
    }
  }
  return err->rc;
}

int ask_once(Remote *r, const Question *q, NetResponse *response, BatchFault *fault, Err *err) {
  return ask_up_to(r, q, 1, response, fault, err);
}

int ask_often(Remote *r, const Question *q, NetResponse *response, BatchFault *fault, Err *err) {
  return ask_up_to(r, q, 0, response, fault, err);
}

/* ---- a batch */

int ask_clean_status(const Remote *r, BatchStatus *status) {
  const char *texts[] = {status->id,          status->word,       status->input_file,
                         status->output_file, status->error_file, status->mark};
  int found = 0;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    found |= access_leaks(&r->access, texts[i]);
  }
  for (int i = 0; i < status->n_errors; i++) {
    ask_scrub(r, status->errors[i].message, sizeof status->errors[i].message);
    ask_scrub(r, status->errors[i].word, sizeof status->errors[i].word);
  }
  return !found;
}

int ask_read_status(Remote *r, const Question *q, const NetResponse *response, BatchStatus *status,
                    BatchFault *fault, Err *err) {
  Err why = {0};
  const char *body = response->body.n ? response->body.data : "";
  batch_status_free(status);
  batch_status_read(r->form, body, response->body.n, status, &why);
  if (why.rc != RC_OK || !ask_clean_status(r, status)) {
    ask_distrust(r, q, why.rc != RC_OK ? why.msg : "it repeats the key", fault);
    batch_status_free(status);
    *status = (BatchStatus){.total = -1};
  }
  return why.rc == RC_NOMEM ? err_nomem(err) : RC_OK;
}
