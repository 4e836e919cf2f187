/*
** See create.h for the contract.
**
** OpenRouter reads a body as it comes: endpoint and model stand in front of the requests, or it is refused
** (openrouter.ai/docs/batch-quickstart).
*/
#include "wire/batch/create.h"

#include "base/text/json.h"

#include <stdio.h>
#include <string.h>

/* What could not be appended as an error. */
static int settle(const Buf *out, Err *err) {
  return out->failed == RC_TOOBIG
             ? err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the body is over %zu bytes", out->max)
         : out->failed ? err_nomem(err)
                       : err->rc;
}

static void add_text(cJSON *tree, const char *name, const char *text, Err *err) {
  json_add(tree, name, cJSON_CreateString(text), err);
}

/* "24h" or "3d"; a number where the form has one. */
static void add_window(cJSON *tree, const BatchForm *form, int hours, Err *err) {
  char text[16];
  hours = batch_form_window(form, hours);
  snprintf(text, sizeof text, hours > 24 && hours % 24 == 0 ? "%dd" : "%dh",
           hours > 24 && hours % 24 == 0 ? hours / 24 : hours);
  if (form->window_name && form->window_is_number) {
    json_add(tree, form->window_name, cJSON_CreateNumber(hours), err);
  } else if (form->window_name) {
    add_text(tree, form->window_name, text, err);
  }
}

static void add_mark(cJSON *tree, const BatchForm *form, const char *mark, Err *err) {
  if (form->mark_name && mark && mark[0]) {
    cJSON *object = json_add(tree, form->mark_name, cJSON_CreateObject(), err);
    add_text(object, BATCH_MARK_NAME, mark, err);
  }
}

/* Output files go by themselves. */
static void add_expiry(cJSON *tree, const BatchForm *form, long long seconds, Err *err) {
  if (form->keep_most > 0 && seconds > 0) {
    seconds = seconds < form->keep_least  ? form->keep_least
              : seconds > form->keep_most ? form->keep_most
                                          : seconds;
    cJSON *after = json_add(tree, "output_expires_after", cJSON_CreateObject(), err);
    add_text(after, "anchor", "created_at", err);
    json_add(after, "seconds", cJSON_CreateNumber((double)seconds), err);
  }
}

static void add_file(cJSON *tree, const BatchForm *form, const BatchCreate *create, Err *err) {
  if (form->model_in_job) { /* Mistral's jobs take several */
    cJSON *files = json_add(tree, "input_files", cJSON_CreateArray(), err);
    json_add(files, NULL, cJSON_CreateString(create->file_id), err);
    add_text(tree, "model", create->model, err);
  } else {
    add_text(tree, "input_file_id", create->file_id, err);
  }
}

/* An error where the form does not take what is asked for. */
static int check_endpoint(const BatchForm *form, BatchEndpoint endpoint, Err *err) {
  return form->endpoints[endpoint]
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_API, "%s takes no batches of %s", form->name,
                       endpoint == BATCH_CHAT ? "chat completions" : "embeddings");
}

int batch_create_body(const BatchForm *form, const BatchCreate *create, Buf *out, Err *err) {
  if (check_endpoint(form, create->endpoint, err) != RC_OK) {
    return err->rc;
  }
  cJSON *tree = cJSON_CreateObject();
  add_file(tree, form, create, err);
  add_text(tree, "endpoint", form->endpoints[create->endpoint], err);
  add_window(tree, form, create->window_hours, err);
  add_mark(tree, form, create->mark, err);
  add_expiry(tree, form, create->keep_seconds, err);
  char *text = json_print(tree, err);
  if (text) {
    buf_puts(out, text);
    cJSON_free(text);
  }
  return settle(out, err);
}

int batch_create_head(const BatchForm *form, const BatchCreate *create, Buf *out, Err *err) {
  if (check_endpoint(form, create->endpoint, err) != RC_OK) {
    return err->rc;
  }
  cJSON *tree = cJSON_CreateObject();
  if (form->model_in_job) {
    add_text(tree, "endpoint", form->endpoints[create->endpoint], err);
    add_text(tree, "model", create->model, err);
  }
  char *text = json_print(tree, err);
  if (text) {
    size_t n = strlen(text);
    buf_add(out, text, n - 1); /* open at its end */
    buf_puts(out, n > 2 ? ",\"requests\":[" : "\"requests\":[");
    cJSON_free(text);
  }
  return settle(out, err);
}

int batch_create_tail(Buf *out, Err *err) {
  buf_puts(out, "]}");
  return settle(out, err);
}

int batch_upload_head(const BatchForm *form, const char *mark, Buf *out, Err *err) {
  if (!form->takes_file) {
    return err_set(err, RC_ERROR, ERR_BAD_API, "%s takes no files", form->name);
  }
  buf_printf(out,
             "--" BATCH_BOUNDARY
             "\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
             "--" BATCH_BOUNDARY "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"");
  buf_puts(out, "llmcost-");
  for (const char *p = mark ? mark : ""; *p; p++) { /* nothing that a header could end with */
    int is_plain = (*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z');
    buf_add(out, is_plain || *p == '-' || *p == '_' ? p : "_", 1);
  }
  buf_puts(out, ".jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n");
  return settle(out, err);
}

int batch_upload_tail(Buf *out, Err *err) {
  buf_puts(out, "\r\n--" BATCH_BOUNDARY "--\r\n");
  return settle(out, err);
}
