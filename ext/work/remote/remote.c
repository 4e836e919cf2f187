/*
** See remote.h for the contract: all steps but the reading of results (results.c).
*/
#include "work/remote/remote_internal.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text/json_lenient.h"
#include "base/utf8.h"
#include "trust/access.h"
#include "trust/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whom */

/* Without slashes at its end, and without the path of an endpoint, with which some give it. */
static int take_base_url(Remote *r, const Model *model, Err *err) {
  const Api *embeds = provider_embedding_api(model->api);
  const char *const ends[2] = {r->api->path, embeds ? embeds->path : ""};
  return url_join(model->base_url, ends, "", r->base_url, sizeof r->base_url)
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_URL, "base_url of model '%.80s' is too long",
                       model->name);
}

int remote_open(Remote *r, Conn *conn, const Model *model, Err *err) {
  Url url;
  *r = (Remote){.conn = conn, .not_yet_ms = REMOTE_NOT_YET_MS};
  r->form = batch_form_of(model, err);
  r->api = r->form ? provider_api(r->form->api) : NULL;
  if (!r->form || !r->api) {
    return err_set(err, RC_ERROR, ERR_BAD_API, "model '%.80s': api '%.40s' in llm_models",
                   model->name, model->api);
  }
  if (access_check(model, &r->access, err) == RC_OK && take_base_url(r, model, err) == RC_OK &&
      url_parse(model->base_url, &url, err) == RC_OK) {
    url_authority(&url, r->host, sizeof r->host);
  }
  if (err->rc != RC_OK) {
    remote_close(r);
  }
  return err->rc;
}

void remote_close(Remote *r) {
  access_free(&r->access);
}

/* ---- what makes something */

/* The id that an upload was answered with. */
static int read_file_id(const Remote *r, const Question *q, const NetResponse *response,
                        char file_id[BATCH_NAME], BatchFault *fault, Err *err) {
  Err why = {0};
  const char *body = response->body.n ? response->body.data : "";
  if (batch_file_read(body, response->body.n, file_id, &why) != RC_OK ||
      access_leaks(&r->access, file_id)) {
    ask_distrust(r, q, why.rc != RC_OK ? why.msg : "it repeats the key", fault);
    file_id[0] = 0;
  }
  return why.rc == RC_NOMEM ? err_nomem(err) : RC_OK;
}

int remote_upload(Remote *r, Spool *lines, const char *mark, char file_id[BATCH_NAME],
                  BatchFault *fault, Err *err) {
  Buf head, tail;
  NetUpload upload;
  NetResponse response = {0};
  *fault = (BatchFault){.retry_after_ms = -1};
  file_id[0] = 0;
  buf_init(&head, LIMIT_REQUEST_BYTES);
  buf_init(&tail, LIMIT_REQUEST_BYTES);
  if (batch_upload_head(r->form, mark, &head, err) == RC_OK &&
      batch_upload_tail(&tail, err) == RC_OK &&
      spool_upload(lines, &head, &tail, &upload, err) == RC_OK) {
    const Question q = {.step = BATCH_UPLOAD,
                        .type = BATCH_UPLOAD_TYPE,
                        .upload = &upload,
                        .bytes = (long long)upload.n,
                        .why = &lines->why};
    if (ask_once(r, &q, &response, fault, err) == RC_OK && fault->trouble == TROUBLE_NONE) {
      read_file_id(r, &q, &response, file_id, fault, err);
    }
  }
  net_response_free(&response);
  buf_free(&head);
  buf_free(&tail);
  return err->rc;
}

/* A file that was just uploaded is not there everywhere at once: asks again, as long as nothing was made. */
static int ask_until_there(Remote *r, const Question *q, Spool *lines, NetResponse *response,
                           BatchFault *fault, Err *err) {
  enum { FIRST_MS = 250, LONGEST_MS = 4000 };
  const long long until = monotonic_ms() + r->not_yet_ms;
  for (long long pause = FIRST_MS;; pause = pause * 2 < LONGEST_MS ? pause * 2 : LONGEST_MS) {
    ask_once(r, q, response, fault, err);
    long long left = until - monotonic_ms();
    int is_waited_for = fault->trouble == TROUBLE_NOT_YET && !fault->may_be_done && !lines;
    if (err->rc != RC_OK || !is_waited_for || left <= 0 ||
        conn_sleep(r->conn, pause < left ? pause : left, err) != RC_OK) {
      return err->rc;
    }
    net_response_free(response);
  }
}

/* The body that creates: whole, or around inline lines. */
static int write_create(const Remote *r, const BatchCreate *create, Spool *lines, Buf *body,
                        Buf *tail, NetUpload *upload, Err *err) {
  if (!lines) {
    return batch_create_body(r->form, create, body, err);
  }
  return batch_create_head(r->form, create, body, err) == RC_OK &&
                 batch_create_tail(tail, err) == RC_OK
             ? spool_upload(lines, body, tail, upload, err)
             : err->rc;
}

int remote_create(Remote *r, const BatchCreate *create, Spool *lines, BatchStatus *status,
                  BatchFault *fault, Err *err) {
  Buf body, tail;
  NetUpload upload = {0};
  NetResponse response = {0};
  CHECK(r->form->takes_file == !lines);
  *fault = (BatchFault){.retry_after_ms = -1};
  *status = (BatchStatus){.total = -1};
  buf_init(&body, LIMIT_REQUEST_BYTES);
  buf_init(&tail, LIMIT_REQUEST_BYTES);
  if (write_create(r, create, lines, &body, &tail, &upload, err) == RC_OK) {
    const Question q = {.step = BATCH_CREATE,
                        .type = "application/json",
                        .body = &body,
                        .upload = lines ? &upload : NULL,
                        .bytes = (long long)upload.n,
                        .why = lines ? &lines->why : NULL};
    if (ask_until_there(r, &q, lines, &response, fault, err) == RC_OK &&
        fault->trouble == TROUBLE_NONE) {
      ask_read_status(r, &q, &response, status, fault, err);
    }
  }
  net_response_free(&response);
  buf_free(&body);
  buf_free(&tail);
  return err->rc;
}

/* ---- one batch, one file */

int remote_get(Remote *r, const char *id, BatchStatus *status, BatchFault *fault, Err *err) {
  NetResponse response;
  const Question q = {.step = BATCH_GET, .id = id};
  *status = (BatchStatus){.total = -1};
  if (ask_often(r, &q, &response, fault, err) == RC_OK && fault->trouble == TROUBLE_NONE) {
    ask_read_status(r, &q, &response, status, fault, err);
  }
  net_response_free(&response);
  return err->rc;
}

/* A refusal to cancel may be since the batch is over: that is all that was asked for. */
static void look_whether_over(Remote *r, const char *id, BatchStatus *status, BatchFault *fault,
                              Err *err) {
  BatchFault of_look;
  if (remote_get(r, id, status, &of_look, err) == RC_OK && of_look.trouble == TROUBLE_NONE &&
      batch_state_is_over(status->state)) {
    *fault = of_look;
  }
}

int remote_cancel(Remote *r, const char *id, BatchStatus *status, BatchFault *fault, Err *err) {
  NetResponse response;
  const Question q = {.step = BATCH_CANCEL, .id = id};
  *status = (BatchStatus){.total = -1};
  if (ask_once(r, &q, &response, fault, err) == RC_OK) {
    long http = response.http_status;
    if (fault->trouble == TROUBLE_NONE) {
      ask_read_status(r, &q, &response, status, fault, err);
    } else if (fault->trouble == TROUBLE_REFUSED || http == 400 || http == 409) {
      look_whether_over(r, id, status, fault, err);
    }
  }
  net_response_free(&response);
  return err->rc;
}

static int delete_what(Remote *r, BatchStep step, const char *id, BatchFault *fault, Err *err) {
  NetResponse response;
  const Question q = {.step = step, .id = id};
  if (ask_often(r, &q, &response, fault, err) == RC_OK && fault->trouble == TROUBLE_GONE) {
    *fault = (BatchFault){.retry_after_ms = -1};
  }
  net_response_free(&response);
  return err->rc;
}

int remote_delete_file(Remote *r, const char *file_id, BatchFault *fault, Err *err) {
  return delete_what(r, BATCH_DELETE_FILE, file_id, fault, err);
}

int remote_delete(Remote *r, const char *id, BatchFault *fault, Err *err) {
  return delete_what(r, BATCH_DELETE, id, fault, err);
}

/* ---- a batch whose id is not known */

typedef struct Search {
  const BatchForm *form;
  const BatchSought *sought;
  const RemoteTaken *taken;
  BatchStatus *found;
  BatchMatch match;
  long long last_ms; /* the last one was made; 0: none yet */
  int is_ascending;  /* newer ones came behind older ones */
} Search;

/* How far from the time of the intent; of unknown times the farthest. */
static long long distance(const Search *s, const BatchStatus *status) {
  long long ms = status->created_ms - s->sought->since_ms;
  return status->created_ms == 0 ? LIMIT_COUNT : ms < 0 ? -ms : ms;
}

/* Looks at one, and takes it over where it is the best so far. */
static void consider(Search *s, BatchStatus *item) {
  const RemoteTaken *taken = s->taken;
  BatchMatch match = batch_match(s->form, item, s->sought);
  s->is_ascending |= s->last_ms && item->created_ms > s->last_ms;
  s->last_ms = item->created_ms ? item->created_ms : s->last_ms;
  if (match == MATCH_MAYBE && taken && taken->is_taken && taken->is_taken(taken->arg, item->id)) {
    match = MATCH_NO;
  }
  if (match > s->match ||
      (match == MATCH_MAYBE && match == s->match && distance(s, item) < distance(s, s->found))) {
    batch_status_free(s->found);
    *s->found = *item;
    item->errors = NULL; /* it has them now */
    item->n_errors = 0;
    s->match = match;
  }
}

/* 1 if no page behind this one can hold it. */
static int is_behind(const Search *s) {
  enum { SLACK_MS = 3600000 };
  return s->match == MATCH_YES ||
         (s->last_ms && !s->is_ascending && s->last_ms < s->sought->since_ms - SLACK_MS);
}

/* Reads a page; `cursor` becomes the next one's, "" behind the last. */
static int search_page(Remote *r, Search *s, char cursor[BATCH_NAME], BatchFault *fault, Err *err) {
  BatchList list = {0};
  NetResponse response;
  Err why = {0};
  const Question q = {.step = BATCH_LIST, .cursor = cursor};
  if (ask_often(r, &q, &response, fault, err) == RC_OK && fault->trouble == TROUBLE_NONE) {
    const char *body = response.body.n ? response.body.data : "";
    if (batch_list_read(r->form, body, response.body.n, cursor, &list, &why) == RC_OK) {
      for (int i = 0; i < list.n; i++) {
        if (ask_clean_status(r, &list.items[i])) {
          consider(s, &list.items[i]);
        }
      }
      utf8_copy(cursor, BATCH_NAME, list.next);
    } else if (why.rc == RC_NOMEM) {
      err_nomem(err);
    } else {
      ask_distrust(r, &q, why.msg, fault);
    }
  }
  batch_list_free(&list);
  net_response_free(&response);
  return err->rc == RC_OK && fault->trouble == TROUBLE_NONE;
}

static void set_endless(const Remote *r, const char *what, BatchFault *fault) {
  fault->trouble = TROUBLE_LATER;
  snprintf(fault->message, sizeof fault->message, "the list of %s at %s goes on behind page %d",
           what, r->host, REMOTE_PAGES);
}

int remote_find(Remote *r, const BatchSought *sought, const RemoteTaken *taken, BatchStatus *found,
                BatchMatch *match, BatchFault *fault, Err *err) {
  Search s = {.form = r->form, .sought = sought, .taken = taken, .found = found};
  char cursor[BATCH_NAME] = "";
  int is_on = 1;
  *found = (BatchStatus){.total = -1};
  for (int page = 0; is_on && page < REMOTE_PAGES; page++) {
    is_on = search_page(r, &s, cursor, fault, err) && cursor[0] && !is_behind(&s);
  }
  *match = s.match;
  if (is_on) {
    set_endless(r, "batches", fault);
  }
  return err->rc;
}

/* ---- files whose ids are not known */

/* The name that an upload gives its file. Owned; NULL and *err. */
static char *file_name(const Remote *r, const char *mark, Err *err) {
  static const char front[] = "filename=\"";
  Buf head;
  buf_init(&head, LIMIT_REQUEST_BYTES);
  batch_upload_head(r->form, mark, &head, err);
  char *from = head.n ? strstr(head.data, front) : NULL, *name = NULL;
  if (from) {
    from += strlen(front);
    name = strndup(from, strcspn(from, "\""));
  }
  buf_free(&head);
  if (!name) {
    err_nomem(err);
  }
  return name;
}

static void take_file(const cJSON *item, const char *name, RemoteFiles *files) {
  const char *id = json_text(item, "id"), *called = json_text(item, "filename");
  if (!id || !called || strcmp(called, name) != 0) {
    return;
  }
  files->all++;
  if (files->n < REMOTE_FILES && strlen(id) < BATCH_NAME) {
    snprintf(files->id[files->n++], BATCH_NAME, "%s", id);
  }
}

/* Where the list goes on; "": it does not. */
static void next_cursor(const Remote *r, const cJSON *tree, char cursor[BATCH_NAME]) {
  const cJSON *data = cJSON_GetObjectItemCaseSensitive(tree, "data");
  int n = cJSON_GetArraySize(data);
  char was[BATCH_NAME];
  snprintf(was, sizeof was, "%s", cursor);
  cursor[0] = 0;
  if (r->form->cursor_is_page) {
    long long page = strtoll(was, NULL, 10), total = 0;
    int goes_on = n > 0 && json_count(tree, "total", &total) == 1 && (page + 1) * 100 < total;
    snprintf(cursor, BATCH_NAME, goes_on ? "%lld" : "", page + 1);
  } else if (n > 0 && cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "has_more"))) {
    const char *last = json_text(cJSON_GetArrayItem(data, n - 1), "id");
    utf8_copy(cursor, BATCH_NAME, last && strcmp(last, was) != 0 ? last : "");
  }
}

/* The path of a page: that of uploads, asked with GET. */
static int files_path(const Remote *r, const char *cursor, Buf *out, Err *err) {
  const char *method;
  if (batch_form_path(r->form, BATCH_UPLOAD, NULL, NULL, out, &method, err) == RC_OK) {
    buf_printf(out, "?purpose=batch&%s=100", r->form->cursor_is_page ? "page_size" : "limit");
  }
  /* A cursor goes into the query only where it is made of letters that mean nothing there. */
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (cursor[0] && cursor[strspn(cursor, plain)]) {
    return err_set(err, RC_ERROR, ERR_BAD_ANSWER, "%s gave an id that is none: '%.60s'",
                   r->form->name, cursor);
  }
  if (cursor[0]) {
    buf_printf(out, "&%s=%s", r->form->cursor_name, cursor);
  }
  return out->failed ? err_nomem(err) : err->rc;
}

/* Reads a page; `cursor` becomes the next one's. 1 if all went well. */
static int list_files(Remote *r, const char *name, char cursor[BATCH_NAME], RemoteFiles *files,
                      BatchFault *fault, Err *err) {
  Buf path;
  NetResponse response = {0};
  Err why = {0};
  cJSON *tree = NULL;
  const cJSON *item;
  buf_init(&path, 1024);
  Question q = {.step = BATCH_LIST};
  if (files_path(r, cursor, &path, err) == RC_OK) {
    q.path = path.data;
    ask_often(r, &q, &response, fault, err);
  }
  if (err->rc == RC_OK && fault->trouble == TROUBLE_NONE) {
    tree = json_parse_lenient(response.body.data, response.body.n, "the list of files", &why);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(tree, "data");
    cJSON_ArrayForEach(item, data) {
      take_file(item, name, files);
    }
    next_cursor(r, tree, cursor);
    if (why.rc == RC_NOMEM) {
      err_nomem(err);
    } else if (!cJSON_IsArray(data)) {
      ask_distrust(r, &q, "it is no list of files", fault);
    }
  }
  cJSON_Delete(tree);
  net_response_free(&response);
  buf_free(&path);
  return err->rc == RC_OK && fault->trouble == TROUBLE_NONE;
}

int remote_find_files(Remote *r, const char *mark, RemoteFiles *files, BatchFault *fault,
                      Err *err) {
  char cursor[BATCH_NAME] = "";
  *files = (RemoteFiles){0};
  *fault = (BatchFault){.retry_after_ms = -1};
  char *name = file_name(r, mark, err);
  int is_on = name != NULL;
  for (int page = 0; is_on && page < REMOTE_PAGES; page++) {
    is_on = list_files(r, name, cursor, files, fault, err) && cursor[0];
  }
  if (is_on) {
    set_endless(r, "files", fault);
  }
  free(name);
  return err->rc;
}
