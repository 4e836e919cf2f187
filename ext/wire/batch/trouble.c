/*
** See trouble.h for the contract.
**
** A status below 500 is a refusal: nothing was done. 404 is a provider's word only where it says so in JSON, or says nothing at
** all; a web page or a line of a proxy is a fault on the way. Sources of words: OpenAI's guide and openai-python 1643 and 2084
** (token_limit_exceeded); MicrosoftDocs how-to/batch (too_many_tasks and its kin); bespokelabs curator 116 (a file that is not there
** yet) and 296 (credit).
*/
#include "wire/batch/trouble.h"

#include "base/text/json_lenient.h"
#include "core/request/retry.h"
#include "wire/answer/failure.h"
#include "wire/answer/page.h"

#include <stdio.h>
#include <string.h>

const char *batch_trouble_word(BatchTrouble trouble) {
  static const char *const names[] = {
#define NAME(id, word) word,
      BATCH_TROUBLES(NAME)
#undef NAME
  };
  return (size_t)trouble < sizeof names / sizeof names[0] ? names[trouble] : "";
}

/* ---- words and sentences */

static const struct {
  const char *word;
  BatchTrouble means;
} words[] = {
    {"token_limit_exceeded", TROUBLE_QUEUE_FULL},
    {"enqueued_token_limit_exceeded", TROUBLE_QUEUE_FULL},
    {"batch_limit_exceeded", TROUBLE_QUEUE_FULL},
    {"too_many_batches", TROUBLE_QUEUE_FULL},
    {"too_many_tasks", TROUBLE_TOO_LARGE},
    {"request_too_large", TROUBLE_TOO_LARGE},
    {"file_too_large", TROUBLE_TOO_LARGE},
    {"max_file_size_exceeded", TROUBLE_TOO_LARGE},
    {"invalid_json_line", TROUBLE_INVALID},
    {"duplicate_custom_id", TROUBLE_INVALID},
    {"url_mismatch", TROUBLE_INVALID},
    {"invalid_url", TROUBLE_INVALID},
    {"invalid_method", TROUBLE_INVALID},
    {"model_mismatch", TROUBLE_INVALID},
    {"mismatched_model", TROUBLE_INVALID},
    {"missing_required_parameter", TROUBLE_INVALID},
    {"empty_batch", TROUBLE_INVALID},
    {"empty_file", TROUBLE_INVALID},
    {"enforced_spend_limit_reached", TROUBLE_NO_CREDIT},
    {"EnforcedSpendLimitReached", TROUBLE_NO_CREDIT},
};

static const char *const full_phrases[] = {"enqueued", "processing queue", "pending requests",
                                           "pending batch", NULL};
static const char *const large_phrases[] = {"too large",
                                            "maximum size",
                                            "exceeds the maximum",
                                            "too many requests in",
                                            "too big",
                                            "contains too many",
                                            "at most",
                                            NULL};
static const char *const file_phrases[] = {
    "no such file", "file not found", "file_id",     "input file",
    "input_file",   "file is not",    "file object", NULL};
static const char *const busy_phrases[] = {
    "still processing", "no available results", "not yet",         "not ready", "not available",
    "in progress",      "has not ended",        "being processed", NULL};
static const char *const gone_phrases[] = {"archived",     "no longer available", "has expired",
                                           "were deleted", "was deleted",         NULL};
/* Of what an error with a success status is about, which says no 404. */
static const char *const missing_phrases[] = {"no batch found", "no such",       "not found",
                                              "does not exist", "doesn't exist", NULL};

static int says(const char *sentence, const char *const *phrases) {
  int found = 0;
  for (; *phrases && !found; phrases++) {
    found = strcasestr(sentence, *phrases) != NULL;
  }
  return found;
}

static BatchTrouble of_word(const char *word) {
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcasecmp(words[i].word, word) == 0) {
      return words[i].means;
    }
  }
  return TROUBLE_NONE;
}

BatchTrouble batch_trouble_of(const char *word, const char *sentence) {
  const RetryCase c = {.code = word, .sentence = sentence};
  BatchTrouble trouble = of_word(word);
  return trouble != TROUBLE_NONE         ? trouble
         : says(sentence, full_phrases)  ? TROUBLE_QUEUE_FULL
         : retry_is_of_account(&c)       ? TROUBLE_NO_CREDIT
         : says(sentence, large_phrases) ? TROUBLE_TOO_LARGE
         : retry_is_useful(&c)           ? TROUBLE_LATER
                                         : TROUBLE_REFUSED;
}

/* ---- answers */

/* 1 if a 404 is the provider's own. */
static int is_own(const BatchAnswer *a, const Failure *f) {
  size_t at = 0;
  while (at < a->n && strchr(" \t\r\n", a->body[at]) && a->body[at]) {
    at++;
  }
  return !f->is_html && (at == a->n || a->body[at] == '{' || a->body[at] == '[');
}

/* What a step makes of a refusal: the same sentence means one thing of a file that was just sent, another of an old batch. */
static BatchTrouble of_step(const BatchAnswer *a, const Failure *f, long status) {
  int asks = a->step == BATCH_GET || a->step == BATCH_RESULTS || a->step == BATCH_CANCEL ||
             a->step == BATCH_DELETE_FILE || a->step == BATCH_DELETE;
  int is_missing =
      status == 404 || status == 410 || (a->status < 300 && says(f->message, missing_phrases));
  if (a->step == BATCH_CREATE &&
      (status == 400 || status == 404 || status == 409 || status == 422) &&
      says(f->message, file_phrases) && !says(f->message, large_phrases)) {
    return TROUBLE_NOT_YET;
  }
  if (asks && (says(f->message, gone_phrases) || (is_missing && is_own(a, f)))) {
    return TROUBLE_GONE;
  }
  if (a->step == BATCH_RESULTS && says(f->message, busy_phrases)) {
    return TROUBLE_NOT_YET;
  }
  return is_missing && !is_own(a, f) ? TROUBLE_LATER : TROUBLE_NONE;
}

static BatchTrouble trouble_of(const BatchAnswer *a, const Failure *f, long status) {
  const RetryCase c = {.status = status,
                       .type = f->type,
                       .code = f->code,
                       .quota = f->quota,
                       .sentence = f->message};
  BatchTrouble own = of_word(f->code) != TROUBLE_NONE ? of_word(f->code) : of_word(f->type);
  BatchTrouble step = own == TROUBLE_NONE ? of_step(a, f, status) : own;
  return step != TROUBLE_NONE                                      ? step
         : status == 413                                           ? TROUBLE_TOO_LARGE
         : failure_is_of_key(f, status)                            ? TROUBLE_KEY
         : retry_is_of_account(&c)                                 ? TROUBLE_NO_CREDIT
         : says(f->message, full_phrases)                          ? TROUBLE_QUEUE_FULL
         : status == 400 && says(f->message, large_phrases)        ? TROUBLE_TOO_LARGE
         : status == 401 || status == 403                          ? TROUBLE_KEY
         : retry_is_useful(&c) || failure_may_be_billed(status, f) ? TROUBLE_LATER
                                                                   : TROUBLE_REFUSED;
}

/* Answers that are no refusal: a server that broke, a box that lost its patience, nobody knows which. */
static int may_be_done(long status) {
  return status < 400 || status >= 500 || status == 408 || status == 499;
}

static void fill(const BatchAnswer *a, const Failure *f, BatchFault *fault) {
  long status = a->status >= 200 && a->status < 300 ? f->status : a->status;
  const char *word = failure_word(f, status);
  fault->status = status;
  fault->trouble = trouble_of(a, f, status);
  fault->retry_after_ms = f->retry_after_ms;
  fault->may_be_done = a->status >= 300 && may_be_done(a->status);
  snprintf(fault->word, sizeof fault->word, "%s", word);
  if (f->message[0]) {
    snprintf(fault->message, sizeof fault->message, "%s", f->message);
  } else {
    failure_describe(a->content_type, a->n, a->body, a->n < 60 ? a->n : 60, fault->message,
                     sizeof fault->message);
  }
}

/* 1 if a success is an error after all: it says one, and has nothing that a batch, a file or a list has. */
static int is_error_object(const cJSON *tree) {
  static const char *const own[] = {"id", "data", "job", "deleted"};
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(tree, "error");
  const char *type = json_text(tree, "type"), *object = json_text(tree, "object");
  int has = 0;
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(tree, own[i]);
    has |= item && !cJSON_IsNull(item);
  }
  int says_so = (error && !cJSON_IsNull(error)) || (type && strcmp(type, "error") == 0) ||
                (object && strcmp(object, "error") == 0) ||
                cJSON_GetObjectItemCaseSensitive(tree, "detail");
  return says_so && !has;
}

/* What can't be read of a success: it was cut, or somebody else answered. */
static void set_unreadable(const BatchAnswer *a, BatchFault *fault) {
  char what[LIMIT_ERROR_QUOTE - 40];
  failure_describe(a->content_type, a->n, a->body, a->n < 60 ? a->n : 60, what, sizeof what);
  snprintf(fault->message, sizeof fault->message, "the answer can't be read: %s", what);
  fault->trouble = TROUBLE_LATER;
  fault->status = a->status;
  fault->may_be_done = 1;
}

int batch_fault_read(const BatchAnswer *a, BatchFault *fault, Err *err) {
  Err why = {0};
  Failure f;
  *fault = (BatchFault){.retry_after_ms = -1};
  int is_success = a->status >= 200 && a->status < 300;
  if (is_success && (a->step == BATCH_RESULTS || a->n == 0)) {
    if (a->n == 0 && (a->step == BATCH_UPLOAD || a->step == BATCH_CREATE || a->step == BATCH_GET ||
                      a->step == BATCH_LIST)) {
      set_unreadable(a, fault);
    }
    return RC_OK;
  }
  cJSON *tree = is_success ? json_parse_lenient(a->body, a->n, "the answer", &why) : NULL;
  int is_error = !is_success || is_error_object(tree);
  if (is_success && !cJSON_IsObject(tree) && why.rc != RC_NOMEM) {
    set_unreadable(a, fault);
    is_error = 0;
  }
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM ||
      (is_error && failure_read(a->content_type, a->body, a->n, &f) != RC_OK)) {
    return err_nomem(err);
  }
  if (is_error) {
    fill(a, &f, fault);
  }
  return RC_OK;
}

int batch_fault_set(const BatchForm *form, const BatchFault *fault, Err *err) {
  static const struct {
    BatchTrouble trouble;
    ErrCode code;
  } codes[] = {
      {TROUBLE_KEY, ERR_NO_KEY}, {TROUBLE_TOO_LARGE, ERR_TOO_BIG}, {TROUBLE_GONE, ERR_LOST}};
  ErrCode code = ERR_PROVIDER;
  if (err->rc != RC_OK) {
    return err->rc;
  }
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    code = codes[i].trouble == fault->trouble ? codes[i].code : code;
  }
  err_set(err, RC_ERROR, code, "%s: %s%s%s", form->name, fault->message, fault->word[0] ? " " : "",
          fault->word);
  snprintf(err->provider_code, sizeof err->provider_code, "%s", fault->word);
  err->http_status = (int)fault->status;
  err->retryable = fault->trouble == TROUBLE_LATER || fault->trouble == TROUBLE_NOT_YET ||
                   fault->trouble == TROUBLE_QUEUE_FULL || fault->trouble == TROUBLE_NO_CREDIT;
  return err->rc;
}
