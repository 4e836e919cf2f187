/*
** See result.h for the contract.
**
** A line that has an answer and an error is an answer: it is paid for. A success whose body is an error is none.
*/
#include "wire/batch/result.h"

#include "base/text/json_lenient.h"
#include "base/utf8.h"
#include "core/request/retry.h"
#include "wire/answer/failure.h"
#include "wire/answer/page.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *batch_outcome_word(BatchOutcome outcome) {
  static const char *const names[] = {
#define NAME(id, word) word,
      BATCH_OUTCOMES(NAME)
#undef NAME
  };
  return (size_t)outcome < sizeof names / sizeof names[0] ? names[outcome] : "";
}

/* ---- errors */

static void say(BatchResult *r, const char *message) {
  utf8_copy(r->message, sizeof r->message, message);
}

/* Words for a request that had no turn; what it is then, or RESULT_ERRORED. */
static BatchOutcome turn_of(const char *word) {
  static const struct {
    const char *word;
    BatchOutcome outcome;
  } words[] = {{"batch_expired", RESULT_EXPIRED},    {"expired", RESULT_EXPIRED},
               {"timeout_exceeded", RESULT_EXPIRED}, {"batch_cancelled", RESULT_CANCELLED},
               {"batch_canceled", RESULT_CANCELLED}, {"canceled", RESULT_CANCELLED},
               {"cancelled", RESULT_CANCELLED}};
  for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
    if (strcasecmp(words[i].word, word) == 0) {
      return words[i].outcome;
    }
  }
  return RESULT_ERRORED;
}

/* It had no turn, for a reason that the provider may say in a sentence. */
static void set_turn(BatchResult *r, BatchOutcome outcome, const char *message) {
  r->outcome = outcome;
  r->again = AGAIN_YES;
  say(r, message && message[0]       ? message
         : outcome == RESULT_EXPIRED ? "the batch's time ran out before this request had its turn"
                                     : "the batch was cancelled before this request had its turn");
}

/* What an error is worth. */
static void settle(BatchResult *r, const Failure *f) {
  const RetryCase c = {.status = r->status ? r->status : f->status,
                       .type = f->type,
                       .code = f->code,
                       .quota = f->quota,
                       .sentence = f->message};
  int is_of_account = retry_is_of_account(&c), is_useful = retry_is_useful(&c);
  r->again = is_of_account ? AGAIN_PAID : is_useful ? AGAIN_YES : AGAIN_NO;
  r->outcome = is_of_account || is_useful ? RESULT_ERRORED : RESULT_REFUSED;
  r->status = c.status;
  snprintf(r->word, sizeof r->word, "%s", failure_word(f, c.status));
  if (f->message[0]) {
    say(r, f->message);
  } else if (c.status > 0) {
    snprintf(r->message, sizeof r->message, "status %ld, and no reason: %s", c.status,
             f->sample[0] ? f->sample : "nothing");
  } else {
    say(r, "an error without a reason");
  }
}

/* Reads an error: a tree of JSON, or a text that may be one. */
static int read_error(BatchResult *r, const cJSON *error, Err *err) {
  Failure f;
  const char *text = cJSON_GetStringValue(error);
  char *printed = text ? NULL : cJSON_PrintUnformatted(error);
  if (!text && !printed) {
    return err_nomem(err);
  }
  text = text ? text : printed;
  if (failure_read("", text, strlen(text), &f) == RC_OK) {
    settle(r, &f);
  } else {
    err_nomem(err);
  }
  cJSON_free(printed);
  return err->rc;
}

/* ---- forms */

static void set_unreadable(BatchResult *r, const char *message) {
  r->outcome = RESULT_UNREADABLE;
  r->again = AGAIN_NO;
  say(r, message);
}

/* Takes the answer out of the line, or sees that it is an error. */
static int take_answer(BatchResult *r, cJSON *parent, const char *name, Err *err) {
  cJSON *body = cJSON_GetObjectItemCaseSensitive(parent, name);
  long status = 0;
  if (!cJSON_IsObject(body) || !body->child) {
    set_unreadable(r, "the result has no body");
    return err->rc;
  }
  if (failure_in_answer(body, &status)) {
    r->status = status;
    return read_error(r, body, err);
  }
  r->outcome = RESULT_ANSWERED;
  r->again = AGAIN_NO;
  r->body.tree = cJSON_DetachItemViaPointer(parent, body);
  return err->rc;
}

static long status_of(const cJSON *response) {
  static const char *const names[] = {"status_code", "status", "statusCode"};
  const cJSON *item = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !cJSON_IsNumber(item); i++) {
    item = member(response, names[i]);
  }
  double value = cJSON_IsNumber(item) ? item->valuedouble : 0;
  return value >= 100 && value < 600 ? (long)value : 0;
}

/* An error beside the response, or in its place. */
static int read_beside(BatchResult *r, const cJSON *error, Err *err) {
  const char *word = json_text(error, "code");
  char message[LIMIT_ERROR_QUOTE] = "";
  BatchOutcome turn = turn_of(word ? word : json_text(error, "type"));
  const char *said = json_text(error, "message");
  page_line(said ? said : "", said ? strlen(said) : 0, message, sizeof message);
  if (turn == RESULT_ERRORED) {
    return read_error(r, error, err);
  }
  page_line(word ? word : "", word ? strlen(word) : 0, r->word, sizeof r->word);
  set_turn(r, turn, message);
  return err->rc;
}

static int is_nothing(const cJSON *item) {
  return !item || cJSON_IsNull(item);
}

/* A body that came as a text is what a box on the way wrote, or JSON once more. */
static int unfold_body(cJSON *response, Err *err) {
  Err why = {0};
  const char *text = json_text(response, "body");
  cJSON *tree = text && json_begins(text) ? json_parse_lenient(text, strlen(text), "", &why) : NULL;
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  if (tree) {
    cJSON_DeleteItemFromObjectCaseSensitive(response, "body");
    json_add(response, "body", tree, err);
  }
  return err->rc;
}

/* OpenAI's, Mistral's, OpenRouter's. */
static int read_response(BatchResult *r, cJSON *line, Err *err) {
  cJSON *response = cJSON_GetObjectItemCaseSensitive(line, "response");
  const cJSON *error = member(line, "error"), *body = NULL;
  const char *request = json_text(response, "request_id");
  page_line(request ? request : "", request ? strlen(request) : 0, r->request_id,
            sizeof r->request_id);
  if (cJSON_IsObject(response) && unfold_body(response, err) != RC_OK) {
    return err->rc;
  }
  r->status = status_of(response);
  body = member(response, "body");
  int is_success = r->status == 0 || (r->status >= 200 && r->status < 300);
  if (is_success && cJSON_IsObject(body) && body->child) {
    return take_answer(r, response, "body", err);
  }
  if (!is_nothing(error)) {
    return read_beside(r, error, err);
  }
  if (!is_success) {
    return read_error(r, is_nothing(body) ? response : body, err);
  }
  set_unreadable(r, "the result has neither an answer nor an error");
  return err->rc;
}

/* Anthropic's. */
static int read_typed(BatchResult *r, cJSON *result, Err *err) {
  const char *type = json_text(result, "type");
  BatchOutcome turn = turn_of(type);
  if (turn != RESULT_ERRORED) {
    set_turn(r, turn, NULL);
    return err->rc;
  }
  if (member(result, "message") && !(type && strcmp(type, "errored") == 0)) {
    return take_answer(r, result, "message", err);
  }
  const cJSON *error = member(result, "error");
  if (!is_nothing(error)) {
    const char *request = json_text(error, "request_id");
    page_line(request ? request : "", request ? strlen(request) : 0, r->request_id,
              sizeof r->request_id);
    return read_error(r, error, err);
  }
  set_unreadable(r, "the result has neither an answer nor an error");
  return err->rc;
}

static int read_tree(BatchResult *r, cJSON *line, Err *err) {
  const char *id = json_text(line, "custom_id");
  cJSON *result = cJSON_GetObjectItemCaseSensitive(line, "result");
  utf8_copy(r->id, sizeof r->id, id ? id : "");
  r->is_ours = id && batch_id_read(id, &r->key);
  if (!id && !result && !member(line, "response") && !is_nothing(member(line, "error"))) {
    read_error(r, line, err);
    r->outcome = RESULT_FAULT;
    return err->rc;
  }
  return cJSON_IsObject(result) ? read_typed(r, result, err) : read_response(r, line, err);
}

/* ---- lines */

static void set_too_long(BatchResult *r, const SplitLine *line) {
  size_t bad_at;
  int is_text = utf8_is_valid(line->id, strlen(line->id), &bad_at);
  utf8_copy(r->id, sizeof r->id, is_text ? line->id : "");
  r->is_ours = batch_id_read(line->id, &r->key);
  r->outcome = line->is_whole ? RESULT_TOO_LONG : RESULT_TORN;
  snprintf(r->message, sizeof r->message, "its line in the results has %zu bytes", line->n);
}

int batch_result_read(const SplitLine *line, BatchResult *result, Err *err) {
  Err why = {0};
  *result = (BatchResult){.outcome = RESULT_UNREADABLE};
  if (line->is_too_long) {
    set_too_long(result, line);
    return err->rc;
  }
  cJSON *tree = json_parse_lenient(line->at, line->n, "the line", &why);
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  if (!tree) {
    result->outcome = line->is_whole ? RESULT_UNREADABLE : RESULT_TORN;
    say(result, line->is_whole ? why.msg : "the results end within its line");
  } else if (!cJSON_IsObject(tree)) {
    set_unreadable(result, "the line is no object");
  } else {
    read_tree(result, tree, err);
  }
  cJSON_Delete(tree);
  if (err->rc != RC_OK) {
    batch_result_free(result);
  }
  return err->rc;
}

void batch_result_free(BatchResult *result) {
  body_free(&result->body);
}
