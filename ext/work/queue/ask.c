/*
** See ask.h for the contract.
*/
#include "work/queue/ask.h"

#include "wire/model/supports.h"

#include <stdlib.h>
#include <string.h>

void asker_close(Asker *a) {
  request_free(&a->request);
  if (a->has_read) {
    options_free(&a->read);
  }
  free(a->text);
  *a = (Asker){.conn = a->conn};
}

/* Its options as they stand in the column. */
static int read_options(Asker *a, const SubmitRow *row, Err *err) {
  size_t n = row->options ? row->n_options : 0;
  if (a->has_read && n == a->n && (n == 0 || memcmp(a->text, row->options, n) == 0)) {
    return RC_OK;
  }
  if (a->has_read) {
    options_free(&a->read);
  }
  a->has_read = 0;
  free(a->text);
  a->text = malloc(n + 1);
  a->n = n;
  if (!a->text) {
    return err_nomem(err);
  }
  if (n > 0) {
    memcpy(a->text, row->options, n);
    options_parse(a->text, n, &a->read, err);
    if (err->rc == RC_OK && a->read.prune) {
      options_free(&a->read);
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "option 'prune' is for llm_chat: queue llm_prune(messages, options)");
    }
  } else {
    options_init(&a->read);
  }
  a->has_read = err->rc == RC_OK;
  return err->rc;
}

static void prefer(const char **to, const char *from) {
  *to = from ? from : *to;
}

/* 1 if its model makes vectors. */
static int is_embedding(Asker *a, const char *name, Err *err) {
  Model model = {0};
  Err unknown = {0}; /* what it is the route will say */
  const Config *config = name && strcmp(name, "auto") != 0 ? conn_config_kept(a->conn, err) : NULL;
  if (!config || strlen(name) >= sizeof a->model) {
    return 0;
  }
  if (a->serial != config->serial || strcmp(a->model, name) != 0) {
    a->embeds = config_model(config, name, &model, &unknown) == RC_OK &&
                wire_supports(&model, "embeddings", 0, &unknown);
    config_model_free(&model);
    a->serial = unknown.rc == RC_NOMEM ? 0 : config->serial;
    memcpy(a->model, name, strlen(name) + 1);
  }
  return unknown.rc == RC_NOMEM ? err_nomem(err), 0 : a->embeds;
}

/* 1 if a text begins as an array of objects does. */
static int begins_as_messages(const char *text) {
  static const char blanks[] = " \t\r\n";
  text += strspn(text, blanks);
  return text[0] == '[' && text[1 + strspn(text + 1, blanks)] == '{';
}

/* 1 if it is one, and the first of them has a role: a prompt may be any other text. */
static int is_conversation(const char *text, size_t n, Err *err) {
  Err why = {0};
  cJSON *tree = begins_as_messages(text) ? json_parse(text, n, "", &why) : NULL;
  int is_one = tree && cJSON_GetObjectItemCaseSensitive(tree->child, "role");
  cJSON_Delete(tree);
  return why.rc == RC_NOMEM ? err_nomem(err), 0 : is_one;
}

const Request *asker_read(Asker *a, const SubmitRow *row, Err *err) {
  Options *o = &a->options;
  request_free(&a->request);
  a->request = (Request){0};
  if (read_options(a, row, err) != RC_OK) {
    return NULL;
  }
  *o = a->read;
  prefer(&o->model, row->model);
  prefer(&o->system, row->system);
  prefer(&o->tag, row->tag);
  prefer(&o->user, row->user);
  prefer(&o->conversation, row->conversation);
  if (is_embedding(a, o->model, err)) {
    request_from_texts(&row->prompt, &row->n_prompt, 1, o, &a->request, err);
  } else if (is_conversation(row->prompt, row->n_prompt, err)) {
    request_from_messages(row->prompt, row->n_prompt, o, &a->request, err);
  } else if (err->rc == RC_OK) {
    request_from_prompt(row->prompt, row->n_prompt, o, &a->request, err);
  }
  return err->rc == RC_OK ? &a->request : NULL;
}
