/*
** See status.h for the contract. One reader for all forms: members are looked for by all the names that providers have for
** them, since gateways answer in each other's.
*/
#include "wire/batch/status.h"

#include "base/text/decimal.h"
#include "base/text/json_lenient.h"
#include "base/utf8.h"
#include "wire/answer/page.h"
#include "wire/batch/create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* ---- states */

const char *batch_state_word(BatchState state) {
  static const char *const names[] = {
#define NAME(id, word) word,
      BATCH_STATES(NAME)
#undef NAME
  };
  return (size_t)state < sizeof names / sizeof names[0] ? names[state] : names[0];
}

int batch_state_is_over(BatchState state) {
  return state >= BATCH_ENDED;
}

BatchState batch_state_of(const char *word) {
  static const struct {
    const char *word;
    BatchState state;
  } known[] = {
      {"validating", BATCH_VALIDATING},
      {"queued", BATCH_VALIDATING},
      {"pending", BATCH_VALIDATING},
      {"in_progress", BATCH_RUNNING},
      {"running", BATCH_RUNNING},
      {"progress", BATCH_RUNNING},
      {"processing", BATCH_RUNNING},
      {"finalizing", BATCH_FINALIZING},
      {"cancelling", BATCH_CANCELLING},
      {"canceling", BATCH_CANCELLING},
      {"cancellation_requested", BATCH_CANCELLING},
      {"completed", BATCH_ENDED},
      {"success", BATCH_ENDED},
      {"succeeded", BATCH_ENDED},
      {"ended", BATCH_ENDED},
      {"failed", BATCH_FAILED},
      {"expired", BATCH_EXPIRED},
      {"timeout_exceeded", BATCH_EXPIRED},
      {"cancelled", BATCH_CANCELLED},
      {"canceled", BATCH_CANCELLED},
  };
  static const char *const fronts[] = {"BATCH_STATE_", "JOB_STATE_"};
  for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
    size_t n = strlen(fronts[i]);
    word += strncasecmp(word, fronts[i], n) == 0 ? n : 0;
  }
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (strcasecmp(known[i].word, word) == 0) {
      return known[i].state;
    }
  }
  return BATCH_UNKNOWN;
}

/* ---- members */

/* The first of several names that is a text with something in it. */
static void take_text(const cJSON *object, const char *const *names, char *out, size_t size) {
  const char *text = NULL;
  for (; *names && !(text && text[0]); names++) {
    text = json_text(object, *names);
  }
  utf8_copy(out, size, text ? text : "");
}

/* A count, or -1. */
static long long take_count(const cJSON *object, const char *name) {
  long long value = -1;
  return json_count(object, name, &value) == 1 ? value : -1;
}

/* Minutes of "+02:00" at the end of a time; what is none is UTC. */
static long long zone_ms(const char *text) {
  int hours = 0, minutes = 0;
  char sign = 0;
  text += strspn(text, ".0123456789");
  int n = sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes);
  long long ms = n >= 2 ? ((long long)hours * 60 + minutes) * 60000 : 0;
  return sign == '+' ? ms : sign == '-' ? -ms : 0;
}

/* A time: a number of seconds or ms, or as RFC 3339 writes it, down to the second. 0: none. */
static long long take_time(const cJSON *object, const char *name) {
  const cJSON *item = member(object, name);
  const char *text = cJSON_GetStringValue(item);
  long long ms = 0;
  char second[20];
  if (cJSON_IsNumber(item)) {
    double value = item->valuedouble;
    value *= value < (double)TIME_FIRST_MS ? 1000 : 1;
    return value > 0 && value <= (double)TIME_LAST ? (long long)value : 0;
  }
  if (!text || strlen(text) < sizeof second - 1) {
    return 0;
  }
  utf8_copy(second, sizeof second, text);
  return time_parse(second, &ms) && ms > TIME_FIRST_MS ? ms - zone_ms(text + 19) : 0;
}

/* ---- counts and usage */

static long long sum_known(long long a, long long b) {
  return a < 0 ? b : b < 0 ? a : a + b;
}

/* Anthropic's: all wait until all are done. */
static void take_kinds(const cJSON *c, BatchStatus *s) {
  long long waiting = take_count(c, "processing"), done = take_count(c, "succeeded");
  long long failed = sum_known(take_count(c, "errored"),
                               sum_known(take_count(c, "canceled"), take_count(c, "expired")));
  s->total = sum_known(waiting, sum_known(done, failed));
  int counts = batch_state_is_over(s->state) || done > 0 || failed > 0;
  s->done = counts ? done : -1;
  s->failed = counts ? failed : -1;
}

static void take_counts(const cJSON *tree, BatchStatus *s) {
  const cJSON *c = member(tree, "request_counts");
  if (member(c, "processing") || member(c, "succeeded")) {
    take_kinds(c, s);
  } else if (cJSON_IsObject(c)) {
    s->total = take_count(c, "total");
    s->done = take_count(c, "completed");
    s->failed = take_count(c, "failed");
  } else {
    s->total = take_count(tree, "total_requests");
    s->done = take_count(tree, "succeeded_requests");
    s->failed = take_count(tree, "failed_requests");
  }
  if (s->total <= 0 && s->done <= 0 && s->failed <= 0) {
    s->total = s->done = s->failed = -1;
  }
}

static long long either(long long a, long long b) {
  return a >= 0 ? a : b;
}

static void take_usage(const cJSON *tree, BatchStatus *s) {
  const cJSON *u = member(tree, "usage"), *cost = member(u, "cost");
  const cJSON *in = member(u, "input_tokens_details"), *out = member(u, "output_tokens_details");
  in = in ? in : member(u, "prompt_tokens_details");
  out = out ? out : member(u, "completion_tokens_details");
  s->input_tokens = either(take_count(u, "input_tokens"), take_count(u, "prompt_tokens"));
  s->output_tokens = either(take_count(u, "output_tokens"), take_count(u, "completion_tokens"));
  s->cached_tokens = take_count(in, "cached_tokens");
  s->reasoning_tokens = take_count(out, "reasoning_tokens");
  double usd = cJSON_IsNumber(cost) ? cost->valuedouble : -1;
  s->cost_nusd = usd >= 0 && usd < 1e9 ? (long long)(usd * 1e9 + 0.5) : -1;
}

/* ---- errors */

static const cJSON *error_list(const cJSON *tree) {
  const cJSON *errors = member(tree, "errors"), *data = member(errors, "data");
  const cJSON *list = cJSON_IsArray(data) ? data : errors;
  return cJSON_IsArray(list) ? list : NULL;
}

static void take_complaint(const cJSON *item, BatchComplaint *out) {
  const char *message = json_text(item, "message"), *word = json_text(item, "code");
  message = cJSON_IsString(item) ? item->valuestring : message ? message : "";
  word = word ? word : json_text(item, "type");
  page_line(message, strlen(message), out->message, sizeof out->message);
  page_line(word ? word : "", word ? strlen(word) : 0, out->word, sizeof out->word);
  out->line = take_count(item, "line");
  out->line = out->line > 0 ? out->line : 0;
  out->trouble = batch_trouble_of(out->word, out->message);
  if (out->line > 0 && out->trouble == TROUBLE_REFUSED) {
    out->trouble = TROUBLE_INVALID;
  }
}

/* Of several the first that is of the whole counts, since it stopped all of them; else that lines are wrong. */
static BatchTrouble settle_trouble(const BatchStatus *s) {
  BatchTrouble trouble = TROUBLE_NONE;
  for (int i = 0; i < s->n_errors; i++) {
    const BatchComplaint *e = &s->errors[i];
    if (e->line == 0 && e->trouble != TROUBLE_INVALID && e->trouble != TROUBLE_REFUSED) {
      return e->trouble;
    }
    trouble = e->line > 0 || trouble == TROUBLE_NONE ? e->trouble : trouble;
  }
  return trouble;
}

/* A list of them, or one error for all. */
static int take_errors(const cJSON *tree, BatchStatus *s, Err *err) {
  const cJSON *list = error_list(tree), *one = member(tree, "error"), *item;
  int n = cJSON_GetArraySize(list);
  int is_one = n == 0 && (cJSON_IsObject(one) || cJSON_IsString(one));
  s->all_errors = is_one ? 1 : n;
  n = is_one ? 1 : n < BATCH_ERRORS ? n : BATCH_ERRORS;
  if (n == 0) {
    return err->rc;
  }
  s->errors = calloc((size_t)n, sizeof *s->errors);
  if (!s->errors) {
    return err_nomem(err);
  }
  if (is_one) {
    take_complaint(one, &s->errors[s->n_errors++]);
  }
  cJSON_ArrayForEach(item, list) {
    if (s->n_errors < n) {
      take_complaint(item, &s->errors[s->n_errors++]);
    }
  }
  s->trouble = settle_trouble(s);
  return err->rc;
}

/* ---- a batch */

static void take_names(const cJSON *tree, BatchStatus *s) {
  static const char *const id[] = {"id", NULL},
                           *const word[] = {"processing_status", "status", "state", NULL},
                           *const input[] = {"input_file_id", "input_file", NULL},
                           *const output[] = {"output_file_id", "output_file", NULL},
                           *const error[] = {"error_file_id", "error_file", NULL},
                           *const mark[] = {BATCH_MARK_NAME, NULL};
  take_text(tree, id, s->id, sizeof s->id);
  take_text(tree, word, s->word, sizeof s->word);
  take_text(tree, input, s->input_file, sizeof s->input_file);
  take_text(tree, output, s->output_file, sizeof s->output_file);
  take_text(tree, error, s->error_file, sizeof s->error_file);
  take_text(member(tree, "metadata"), mark, s->mark, sizeof s->mark);
  const char *first = cJSON_GetStringValue(cJSON_GetArrayItem(member(tree, "input_files"), 0));
  if (first && !s->input_file[0]) {
    utf8_copy(s->input_file, sizeof s->input_file, first);
  }
}

static void take_times(const cJSON *tree, BatchStatus *s) {
  static const char *const ends[] = {"ended_at",   "completed_at", "failed_at",
                                     "expired_at", "cancelled_at", NULL};
  s->created_ms = take_time(tree, "created_at");
  s->expires_ms = take_time(tree, "expires_at");
  for (const char *const *name = ends; *name && s->ends_ms == 0; name++) {
    s->ends_ms = take_time(tree, *name);
  }
}

static int take_batch(const BatchForm *form, const cJSON *tree, BatchStatus *s, Err *err) {
  *s = (BatchStatus){.total = -1};
  const char *url = json_text(tree, "results_url"), *gone = json_text(tree, "archived_at");
  take_names(tree, s);
  if (!s->id[0] || !s->word[0]) {
    return err_set(err, RC_ERROR, ERR_BAD_ANSWER,
                   "%s's answer is no batch: it has no id or no status", form->name);
  }
  s->state = batch_state_of(s->word);
  s->is_gone = gone != NULL;
  take_counts(tree, s);
  take_usage(tree, s);
  take_times(tree, s);
  int by_id = form->results_by_batch && batch_state_is_over(s->state) &&
              (form->results_names || (url && url[0]));
  s->has_results = !s->is_gone && (s->output_file[0] || s->error_file[0] || by_id);
  return take_errors(tree, s, err);
}

/* The object in an answer. Owned; NULL and *err. */
static cJSON *read_object(const char *body, size_t n, Err *err) {
  cJSON *tree = json_parse_lenient(body, n, "the provider's answer", err);
  if (tree && !cJSON_IsObject(tree)) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the provider's answer is no object");
    cJSON_Delete(tree);
    tree = NULL;
  }
  return tree;
}

int batch_status_read(const BatchForm *form, const char *body, size_t n, BatchStatus *status,
                      Err *err) {
  *status = (BatchStatus){.total = -1};
  cJSON *tree = read_object(body, n, err);
  const cJSON *job = member(tree, "job"); /* some put it beside a warning */
  if (tree) {
    take_batch(form, cJSON_IsObject(job) ? job : tree, status, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

void batch_status_free(BatchStatus *status) {
  free(status->errors);
  status->errors = NULL;
  status->n_errors = 0;
}

int batch_file_read(const char *body, size_t n, char id[BATCH_NAME], Err *err) {
  static const char *const names[] = {"id", NULL};
  cJSON *tree = read_object(body, n, err);
  id[0] = 0;
  if (tree) {
    take_text(tree, names, id, BATCH_NAME);
  }
  if (tree && !id[0]) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the answer to the upload has no file's id");
  }
  cJSON_Delete(tree);
  return err->rc;
}

/* ---- lists */

/* Mistral counts pages; everybody else names the last element, or a cursor of its own. */
static void take_next(const BatchForm *form, const cJSON *tree, const char *cursor,
                      BatchList *list) {
  static const char *const own[] = {"next_cursor", NULL}, *const last[] = {"last_id", NULL};
  const cJSON *data = member(tree, "data");
  int n = cJSON_GetArraySize(data);
  if (form->cursor_is_page) {
    long long page = strtoll(cursor, NULL, 10), total = take_count(tree, "total");
    page = page >= 0 && page < LIMIT_COUNT / 1000 ? page : 0;
    int is_more = n > 0 && (page + 1) * 100 < total;
    snprintf(list->next, sizeof list->next, is_more ? "%lld" : "", page + 1);
    return;
  }
  take_text(tree, own, list->next, sizeof list->next);
  if (!list->next[0] && n > 0 && cJSON_IsTrue(member(tree, "has_more"))) {
    const char *id = json_text(cJSON_GetArrayItem(data, n - 1), "id");
    take_text(tree, last, list->next, sizeof list->next);
    if (!list->next[0]) {
      utf8_copy(list->next, sizeof list->next, id ? id : "");
    }
  }
  if (strcmp(list->next, cursor) == 0) {
    list->next[0] = 0;
  }
}

/* Elements that are no batch are counted. */
static void take_items(const BatchForm *form, const cJSON *data, BatchList *list, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, data) {
    Err why = {0};
    BatchStatus *s = &list->items[list->n];
    if (take_batch(form, item, s, &why) == RC_OK) {
      list->n++;
    } else if (why.rc == RC_NOMEM) {
      err_nomem(err);
    } else {
      list->unread++;
    }
  }
}

int batch_list_read(const BatchForm *form, const char *body, size_t n, const char *cursor,
                    BatchList *list, Err *err) {
  *list = (BatchList){0};
  cJSON *tree = read_object(body, n, err);
  const cJSON *data = member(tree, "data");
  int size = cJSON_GetArraySize(data);
  if (tree && !cJSON_IsArray(data) && !cJSON_IsNull(data)) {
    err_set(err, RC_ERROR, ERR_BAD_ANSWER, "%s's answer is no list of batches", form->name);
  }
  if (err->rc == RC_OK && size > 0) {
    list->items = calloc((size_t)size, sizeof *list->items);
    if (!list->items) {
      err_nomem(err);
    }
  }
  if (err->rc == RC_OK) {
    take_items(form, size > 0 ? data : NULL, list, err);
    take_next(form, tree, cursor ? cursor : "", list);
  }
  cJSON_Delete(tree);
  return err->rc;
}

void batch_list_free(BatchList *list) {
  for (int i = 0; i < list->n; i++) {
    batch_status_free(&list->items[i]);
  }
  free(list->items);
  *list = (BatchList){0};
}

BatchMatch batch_match(const BatchForm *form, const BatchStatus *status,
                       const BatchSought *sought) {
  /* (One too many is told apart by the ids in its results; one too few is paid twice.) */
  enum { CLOCKS_MS = 3600000 };
  if (form->mark_name || status->mark[0]) {
    return sought->mark && sought->mark[0] && strcmp(status->mark, sought->mark) == 0 ? MATCH_YES
                                                                                      : MATCH_NO;
  }
  int is_since = status->created_ms == 0 || status->created_ms >= sought->since_ms - CLOCKS_MS;
  int is_of_size = status->total < 0 || status->total == sought->total;
  return is_since && is_of_size ? MATCH_MAYBE : MATCH_NO;
}
