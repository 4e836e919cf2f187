/*
** files.c: OpenAI's /v1/files, in memory. A file is bytes with an id, a name and a purpose; batches
** read their input from one and leave their output in others. A batch input is refused above 200 MB
** and when its name doesn't end with .jsonl; what's in it is looked at when a batch is made of it.
*/
#include "batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define GROQ_FILE_MAX ((size_t)100 << 20)

struct file {
  char id[48], name[128], purpose[32];
  struct blob *blob;
  time_t created;
  struct file *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static int64_t made, deleted; /* by anybody: output files too */

/* What the multipart body held. */
struct upload {
  char purpose[32], name[128];
  struct buf bytes;
  int has_file;
};

struct blob *blob_new(struct buf *bytes) {
  struct blob *b = need(calloc(1, sizeof *b));
  b->bytes = *bytes;
  b->holders = 1;
  memset(bytes, 0, sizeof *bytes);
  return b;
}

void blob_release(struct blob *b) {
  if (b && __atomic_sub_fetch(&b->holders, 1, __ATOMIC_ACQ_REL) == 0) {
    buf_free(&b->bytes);
    free(b);
  }
}

/* The file of an id, or NULL. Caller holds the lock. */
static struct file *find(const char *id) {
  struct file *f = files;
  while (f && strcmp(f->id, id) != 0) {
    f = f->next;
  }
  return f;
}

/* A file as the API shows it, owned. */
static cJSON *file_json(const struct file *f) {
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", f->id);
  cJSON_AddStringToObject(j, "object", "file");
  cJSON_AddNumberToObject(j, "bytes", (double)f->blob->bytes.n);
  cJSON_AddNumberToObject(j, "created_at", (double)f->created);
  cJSON_AddNullToObject(j, "expires_at");
  cJSON_AddStringToObject(j, "filename", f->name);
  cJSON_AddStringToObject(j, "purpose", f->purpose);
  cJSON_AddStringToObject(j, "status", "processed");
  cJSON_AddNullToObject(j, "status_details");
  return j;
}

/* Stores a file. Takes the bytes; the new id goes to id. */
void files_add(const char *purpose, const char *name, struct buf *bytes, char *id, size_t cap) {
  struct file *f = need(calloc(1, sizeof *f));
  snprintf(f->id, sizeof f->id, "file-standin%016llx", (unsigned long long)next_id());
  copy_name(f->name, sizeof f->name, name);
  copy_name(f->purpose, sizeof f->purpose, purpose);
  f->blob = blob_new(bytes);
  f->created = time(NULL);
  copy_name(id, cap, f->id);
  pthread_mutex_lock(&lock);
  f->next = files;
  files = f;
  made++;
  pthread_mutex_unlock(&lock);
}

struct blob *files_share(const char *id) {
  pthread_mutex_lock(&lock);
  struct file *f = find(id);
  struct blob *b = f ? f->blob : NULL;
  if (b) {
    __atomic_add_fetch(&b->holders, 1, __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock(&lock);
  return b;
}

/* Frees a file. */
static void file_free(struct file *f) {
  blob_release(f->blob);
  free(f);
}

/* Forgets all files. */
void files_reset(void) {
  pthread_mutex_lock(&lock);
  while (files) {
    struct file *f = files;
    files = f->next;
    file_free(f);
  }
  made = deleted = 0;
  pthread_mutex_unlock(&lock);
}

/* One piece of the multipart body (a callback of the daemon's post processor). */
static enum MHD_Result take_part(void *cls, enum MHD_ValueKind kind, const char *key,
                                 const char *filename, const char *type, const char *encoding,
                                 const char *data, uint64_t at, size_t n) {
  struct upload *u = cls;
  (void)kind;
  (void)type;
  (void)encoding;
  if (key && strcmp(key, "file") == 0) {
    u->has_file = 1;
    if (at == 0 && filename) {
      copy_name(u->name, sizeof u->name, filename);
    }
    buf_add(&u->bytes, data, n);
  } else if (key && strcmp(key, "purpose") == 0 && at + n < sizeof u->purpose) {
    memcpy(u->purpose + at, data, n);
    u->purpose[at + n] = 0;
  }
  return MHD_YES;
}

/* Why an upload is refused, or NULL. */
static const char *upload_wrong(const struct upload *u, enum form form) {
  static const char *const aPurpose[] = {"batch",  "assistants", "fine-tune",
                                         "vision", "user_data",  "evals"};
  size_t n = strlen(u->name), known = 0;
  for (size_t i = 0; i < sizeof aPurpose / sizeof aPurpose[0]; i++) {
    known += strcmp(u->purpose, aPurpose[i]) == 0;
  }
  if (!u->purpose[0]) {
    return "'purpose' is a required property";
  }
  if (!known) {
    return "Invalid value for 'purpose'.";
  }
  if (!u->has_file) {
    return "'file' is a required property";
  }
  if (strcmp(u->purpose, "batch") != 0) {
    return NULL;
  }
  if (n < 6 || strcmp(u->name + n - 6, ".jsonl") != 0) {
    return "Invalid file format for Batch API. Must be .jsonl";
  }
  if (form == FORM_GROQ && u->bytes.n > GROQ_FILE_MAX) {
    return "File is too large: a batch input file has at most 100 MB.";
  }
  return u->bytes.n > OPENAI_FILE_MAX ? "File is too large: a batch input file has at most 200 MB."
                                      : NULL;
}

/* Refuses what isn't a multipart form. */
int files_check(struct request *r) {
  const char *type = request_header(r, "Content-Type");
  if (type && strncasecmp(type, "multipart/form-data", 19) == 0) {
    return 0;
  }
  reply_error(r, 415, NULL, "unsupported_content_type", NULL,
              "Invalid Content-Type: uploads are 'multipart/form-data'.");
  return 415;
}

/* POST /v1/files */
void files_create(struct request *r) {
  struct upload u = {0};
  char id[48];
  struct MHD_PostProcessor *pp = MHD_create_post_processor(r->conn, 65536, take_part, &u);
  if (pp) {
    MHD_post_process(pp, r->body.p ? r->body.p : "", r->body.n);
    MHD_destroy_post_processor(pp);
  }
  buf_free(&r->body); /* the parts are copies, and both may be 200 MB */
  const char *why = pp ? upload_wrong(&u, r->form) : "The multipart boundary is missing.";
  if (why) {
    reply_error(r, 400, NULL, NULL, NULL, why);
    buf_free(&u.bytes);
    return;
  }
  files_add(u.purpose, u.name[0] ? u.name : "file", &u.bytes, id, sizeof id);
  copy_name(r->id, sizeof r->id, id);
  files_get(r);
}

/* 404. */
static void missing(struct request *r) {
  char text[256];
  snprintf(text, sizeof text, "No such File object: %.160s", r->id);
  reply_error(r, 404, NULL, NULL, "id", text);
}

/* GET /v1/files/{id} */
void files_get(struct request *r) {
  pthread_mutex_lock(&lock);
  struct file *f = find(r->id);
  cJSON *j = f ? file_json(f) : NULL;
  pthread_mutex_unlock(&lock);
  if (j) {
    reply_json(&r->reply, 200, j);
  } else {
    missing(r);
  }
}

/* GET /v1/files/{id}/content */
void files_content(struct request *r) {
  int is_there = plan_gone(GONE_NOT) || plan_gone(GONE_UNLISTED);
  struct blob *b = is_there ? files_share(r->id) : NULL;
  if (!b) {
    missing(r);
    return;
  }
  buf_add(&r->reply.body, b->bytes.p, b->bytes.n);
  blob_release(b);
  r->reply.status = 200;
  r->reply.type = "application/octet-stream";
}

/* DELETE /v1/files/{id} */
void files_delete(struct request *r) {
  struct file *f = NULL, **at;
  pthread_mutex_lock(&lock);
  for (at = &files; *at && strcmp((*at)->id, r->id) != 0;) {
    at = &(*at)->next;
  }
  if (*at) {
    f = *at;
    *at = f->next;
    file_free(f);
    deleted++;
  }
  pthread_mutex_unlock(&lock);
  if (!f) {
    missing(r);
    return;
  }
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "id", r->id);
  cJSON_AddStringToObject(j, "object", "file");
  cJSON_AddTrueToObject(j, "deleted");
  reply_json(&r->reply, 200, j);
}

/* GET /v1/files?limit=N&after=ID&purpose=P: newest first. */
void files_list(struct request *r) {
  const char *after = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "after");
  const char *text = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "limit");
  const char *purpose = MHD_lookup_connection_value(r->conn, MHD_GET_ARGUMENT_KIND, "purpose");
  long limit = text ? strtol(text, NULL, 10) : 10000;
  limit = limit < 1 || limit > 10000 ? 10000 : limit;
  cJSON *j = cJSON_CreateObject(), *list = cJSON_CreateArray();
  pthread_mutex_lock(&lock);
  struct file *f = after ? find(after) : NULL;
  for (f = after ? (f ? f->next : NULL) : files; f && limit > 0; f = f->next) {
    if (!purpose || strcmp(f->purpose, purpose) == 0) {
      cJSON_AddItemToArray(list, file_json(f));
      limit--;
    }
  }
  while (f && purpose && strcmp(f->purpose, purpose) != 0) {
    f = f->next;
  }
  pthread_mutex_unlock(&lock);
  const cJSON *first = list->child, *last = first ? first->prev : NULL;
  cJSON_AddStringToObject(j, "object", "list");
  json_add_text(j, "first_id", first ? json_text(first, "id") : NULL);
  json_add_text(j, "last_id", last ? json_text(last, "id") : NULL);
  cJSON_AddBoolToObject(j, "has_more", f != NULL);
  cJSON_AddItemToObject(j, "data", list);
  reply_json(&r->reply, 200, j);
}

/* {"made","deleted","there":[{"id","purpose","bytes",...}]}, newest first. */
cJSON *files_report(void) {
  cJSON *j = cJSON_CreateObject();
  pthread_mutex_lock(&lock);
  cJSON_AddNumberToObject(j, "made", (double)made);
  cJSON_AddNumberToObject(j, "deleted", (double)deleted);
  cJSON *list = cJSON_AddArrayToObject(j, "there");
  for (const struct file *f = files; f; f = f->next) {
    cJSON_AddItemToArray(list, file_json(f));
  }
  pthread_mutex_unlock(&lock);
  return j;
}
