/*
** See texts.h for the contract.
*/
#include "call/state/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Inside a transcript that is only to be named, long messages stand by the hash of their text alone. */
static int name_long(void *arg, const char *text, size_t n, Hash *name) {
  (void)arg;
  *name = hash_bytes(text, n, 0);
  return RC_OK;
}

/* Inside one that is kept, by their names in the store. */
static int keep_long(void *arg, const char *text, size_t n, Hash *name) {
  Texts *t = arg;
  *name = hash_text(text, n, t->seed);
  t->list[t->n++] = (LedgerText){*name, text, n};
  return RC_OK;
}

/* 1 if the text of one message would not be all of it. */
static int has_transcript(const Request *r) {
  return r->n_messages > 1 || !request_is_plain(r);
}

int texts_name_prompt(const Request *r, unsigned long long seed, Hash *name, Err *err) {
  size_t n = r->messages[0].n;
  char *transcript = has_transcript(r) ? request_transcript(r, name_long, NULL, &n, err) : NULL;
  if (err->rc == RC_OK) {
    *name = hash_text(transcript ? transcript : r->messages[0].content, n, seed);
  }
  free(transcript);
  return err->rc;
}

int texts_name(Call *k, Err *err) {
  const Request *r = k->request;
  Hash h;
  if (k->conn->set.log_text == LOG_NONE) {
    return RC_OK;
  }
  if (r->messages[0].content) {
    if (texts_name_prompt(r, k->store->seed, &h, err) != RC_OK) {
      return err->rc;
    }
    hash_hex(&h, k->prompt_hash);
  }
  if (r->system) {
    h = hash_text(r->system, strlen(r->system), k->store->seed);
    hash_hex(&h, k->system_hash);
  }
  return RC_OK;
}

int texts_list(const Call *k, Texts *t, Err *err) {
  const Request *r = k->request;
  const char *text = r->messages[0].content;
  size_t n = r->messages[0].n;
  Hash h;
  if (k->conn->set.log_text != LOG_FULL) {
    return RC_OK;
  }
  t->seed = k->store->seed;
  t->list = calloc((size_t)r->n_messages + 2, sizeof *t->list);
  if (!t->list) {
    return err_nomem(err);
  }
  if (has_transcript(r)) {
    text = t->transcript = request_transcript(r, keep_long, t, &n, err);
  }
  if (text && hash_parse(k->prompt_hash, &h)) {
    t->list[t->n++] = (LedgerText){h, text, n};
  }
  if (r->system && hash_parse(k->system_hash, &h)) {
    t->list[t->n++] = (LedgerText){h, r->system, strlen(r->system)};
  }
  return err->rc;
}

void texts_done(Texts *t) {
  free(t->list);
  free(t->transcript);
}
