/*
** See tell.h for the contract.
*/
#include "work/desk/tell.h"

#include <stdlib.h>
#include <string.h>

int tell_is_no_attempt(const char *trouble) {
  static const BatchTrouble none[] = {TROUBLE_LATER,     TROUBLE_QUEUE_FULL, TROUBLE_NO_CREDIT,
                                      TROUBLE_TOO_LARGE, TROUBLE_KEY,        TROUBLE_INVALID};
  int found = 0;
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    found |= trouble && strcmp(trouble, batch_trouble_word(none[i])) == 0;
  }
  return found;
}

/* ---- begun */

typedef struct Begun {
  Desk *desk;
  long long batch;
} Begun;

static int mark(void *arg, const ItemRow *item, Err *err) {
  Begun *b = arg;
  SubmitChange c;
  submit_change_init(&c, item->submit_id);
  c.status = "sending";
  c.attempts = item->attempt;
  c.batch_id = b->batch;
  submit_change(&b->desk->rows, &c, err);
  return err->rc;
}

int tell_begun(Desk *d, long long batch, Err *err) {
  Begun b = {d, batch};
  ItemWalk walk = {.batch = batch, .which = ITEMS_OPEN, .most = DESK_CHUNK};
  BatchNote note;
  batches_note_init(&note);
  note.is_marked = 1;
  if (submit_begin(&d->rows, err) != RC_OK) {
    return err->rc;
  }
  do {
    batches_items(d->store, &walk, mark, &b, err);
  } while (err->rc == RC_OK && walk.n == walk.most);
  return submit_end(&d->rows, err->rc == RC_OK, err) == RC_OK
             ? batches_note(d->store, batch, &note, err)
             : err->rc;
}

/* ---- outcomes */

typedef struct Telling {
  Desk *desk;
  const BatchRow *batch;
  int embeds, is_no_attempt;
  long long now, ids[DESK_CHUNK];
  int n;
  long long moved;
} Telling;

static int tell(void *arg, const ItemRow *item, Err *err) {
  Telling *t = arg;
  SubmitChange c;
  size_t size = 0;
  int is_again = strcmp(item->outcome, item_outcome_word(ITEM_AGAIN)) == 0;
  submit_change_init(&c, item->submit_id);
  c.from = SUBMIT_UNDER_WAY;
  c.of_batch = t->batch->id;
  c.status = item->outcome;
  c.error = item->error;
  if (is_again) {
    c.attempts = t->is_no_attempt && item->attempt > 0 && item->line != LEDGER_NULL
                     ? item->attempt - 1
                     : item->attempt;
  } else {
    c.batch_id = t->batch->id;
    c.answer = item->answer;
    c.n = item->n_answer;
    c.cost_nusd = item->cost_nusd;
    c.finished_at = t->now;
  }
  char *vector =
      c.answer && t->embeds ? submit_vector(item->answer, item->n_answer, &size, err) : NULL;
  if (vector) {
    c.answer = vector;
    c.n = size;
    c.is_vector = 1;
  }
  int moved = submit_change(&t->desk->rows, &c, err);
  free(vector);
  t->moved += moved > 0;
  t->ids[t->n++] = item->submit_id;
  return err->rc;
}

static int tell_chunk(Telling *t, ItemWalk *walk, Err *err) {
  t->n = 0;
  if (submit_begin(&t->desk->rows, err) != RC_OK) {
    return err->rc;
  }
  batches_items(t->desk->store, walk, tell, t, err);
  submit_end(&t->desk->rows, err->rc == RC_OK, err);
  return err->rc == RC_OK && t->n > 0
             ? batches_told(t->desk->store, t->batch->id, t->ids, t->n, err)
             : err->rc;
}

long long tell_outcomes(Desk *d, const BatchRow *batch, Err *err) {
  Telling t = {.desk = d,
               .batch = batch,
               .embeds = desk_embeds(batch),
               .is_no_attempt = tell_is_no_attempt(batch->trouble),
               .now = now_ms()};
  ItemWalk walk = {.batch = batch->id, .which = ITEMS_UNTOLD, .most = DESK_CHUNK};
  do {
    tell_chunk(&t, &walk, err);
  } while (err->rc == RC_OK && walk.n == walk.most);
  return err->rc == RC_OK ? t.moved : -1;
}
