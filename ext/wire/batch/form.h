/*
** Forms of batch APIs, as data: what a provider takes at once, where, and how its own names for it are.
**
** Chosen by the model's provider and API; "batch" in llm_models.supports (a form's name, for a gateway that speaks it, or
** false) wins. Where there is none, the error names what there is instead.
*/
#ifndef LLMCOST_BATCH_FORM_H
#define LLMCOST_BATCH_FORM_H

#include "base/buf.h"
#include "base/error.h"
#include "core/price/catalogue.h"

/* What all requests of a batch are sent to. */
typedef enum BatchEndpoint { BATCH_CHAT, BATCH_EMBEDDINGS, BATCH_ENDPOINTS } BatchEndpoint;

/* What is asked of the provider in the life of a batch. */
typedef enum BatchStep {
  BATCH_UPLOAD, /* of the input file; forms that take it inline have none */
  BATCH_CREATE,
  BATCH_GET,
  BATCH_LIST,
  BATCH_CANCEL,
  BATCH_RESULTS,     /* by the id of a file, or of the batch (results_by_batch) */
  BATCH_DELETE_FILE, /* input and output */
  BATCH_DELETE,      /* of the batch itself, with its results */
  BATCH_STEPS
} BatchStep;

typedef struct BatchForm {
  const char *name; /* the vendor's */
  const char *api;  /* whose request bodies it takes (llm_models.api) */
  int takes_file; /* requests are uploaded as a file of lines; 0: they stand in the body that creates the batch */

  /* Lines. */
  const char *endpoints[BATCH_ENDPOINTS]; /* as the provider writes them; NULL: not taken */
  const char *body_name;                  /* the member that holds the request */
  int line_has_url;                       /* beside it method and url */
  int model_in_job;                       /* the model is named once, and not in the request */

  /* Limits of one batch; 0: none is known. */
  long long most_requests, most_bytes,
      most_inputs; /* inputs: texts of embeddings, of all requests together */

  /* How long it may take, in hours; the same three times: nothing else may be asked for. */
  int window_least, window_usual, window_most;
  const char *window_name; /* of the member that asks for it; NULL: none does */
  int window_is_number;    /* 24 and not "24h" */
  int results_days;        /* how long results stay; 0: as long as nobody deletes them */
  long long keep_least,
      keep_most; /* seconds that output files may be asked to be kept; 0: not asked for */

  const char *mark_name; /* the object of the batch that takes our own mark; NULL: none */

  /* Reading. */
  int results_by_batch; /* the id in the path of results is the batch's */
  const char *
      results_names; /* results are elements of one of these arrays in a JSON object; NULL: they are lines */
  const char *cursor_name; /* of the query's parameter that goes on with a list */
  int cursor_is_page;      /* and is a number from 0 on */

  /* "POST /batches"; %s is an id. NULL: there is none. */
  const char *paths[BATCH_STEPS];
} BatchForm;

/* The form for a model. NULL and *err ("bad_api", which names alternatives; "config" where supports names no form; memory). */
const BatchForm *batch_form_of(const Model *model, Err *err);

/* A form by its name, or NULL; and the i-th of all, or NULL past the end. */
const BatchForm *batch_form_by_name(const char *name);
const BatchForm *batch_form_at(int i);

/* The window to ask for where the caller has so many hours (0: does not say): the longest that ends in time, else the
** shortest there is. */
int batch_form_window(const BatchForm *form, long long hours);

/* Appends the path of a step behind the base URL, and says its method (static storage). `id`: of the batch or the file; of the
** steps that have none NULL. `cursor`: where a list, or a page of results, goes on; NULL or "": at its beginning. Ids come from the
** provider: one that could lead elsewhere is "bad_answer". The URLs that providers put into answers are not followed, since the key
** goes with the request. */
int batch_form_path(const BatchForm *form, BatchStep step, const char *id, const char *cursor,
                    Buf *out, const char **method, Err *err);

#endif
