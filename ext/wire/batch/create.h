/*
** What makes a batch: the upload of its file, and the body that creates it, whole or as head and tail of what is streamed.
*/
#ifndef LLMCOST_BATCH_CREATE_H
#define LLMCOST_BATCH_CREATE_H

#include "wire/batch/form.h"

/* The name of our mark in the object that the form has for it. */
#define BATCH_MARK_NAME "llmcost"

typedef struct BatchCreate {
  BatchEndpoint endpoint;
  const char *file_id; /* of forms that take a file */
  const char *model;   /* of forms that name it at the job */
  const char *
      mark; /* our own name of the batch; NULL or "": none. Forms without a place for it leave it out */
  int window_hours; /* batch_form_window's; 0: the usual one */
  long long
      keep_seconds; /* how long output files are to be kept, brought into what the form takes; 0: as they are */
} BatchCreate;

/* Appends the whole body, of a form that takes a file. */
int batch_create_body(const BatchForm *form, const BatchCreate *create, Buf *out, Err *err);

/* Appends what stands in front of the first line and behind the last, of a form that takes them inline. Between them come
** batch_line_add's: the body has as many bytes as all of them together. */
int batch_create_head(const BatchForm *form, const BatchCreate *create, Buf *out, Err *err);
int batch_create_tail(Buf *out, Err *err);

/* The same of an upload (multipart/form-data): in front of the lines and behind them. The file is named by the mark, so that one
** that was left over can be found. `boundary`: BATCH_BOUNDARY; no line holds a CR, so none can hold it. */
#define BATCH_BOUNDARY "llmcost-batch-file"
#define BATCH_UPLOAD_TYPE "multipart/form-data; boundary=" BATCH_BOUNDARY
int batch_upload_head(const BatchForm *form, const char *mark, Buf *out, Err *err);
int batch_upload_tail(Buf *out, Err *err);

#endif
