/*
** See send.h for the contract.
*/
#include "work/parcel/send.h"

#include "work/desk/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  UPLOADS = 3,   /* of one file: an upload whose answer is lost may be repeated */
  FINDS = 3,     /* looks at the list right behind a create whose answer is lost */
  FIND_MS = 700, /* before the first of them; twice as long before each other */
  SURE_MS =
      10000,  /* what was not in the list so long after it was first looked for was not created */
  PEEKS = 16, /* batches of others, of the same size and time, whose results are looked into */
  PEEK_LINES = 50, /* of each: one whose first results are another's is another's */
};

static long long or_null(long long value) {
  return value > 0 ? value : LEDGER_NULL;
}

static const char *text_or_null(const char *text) {
  return text[0] ? text : NULL;
}

int send_note(Desk *d, long long batch, const BatchForm *form, const BatchStatus *s, Err *err) {
  BatchNote note;
  batches_note_init(&note);
  note.provider_id = text_or_null(s->id);
  note.input_file = text_or_null(s->input_file);
  note.output_file = text_or_null(s->output_file);
  note.error_file = text_or_null(s->error_file);
  note.word = text_or_null(s->word);
  note.looked_at = now_ms();
  note.sent_at = s->created_ms > 0 ? s->created_ms : note.looked_at;
  note.expected_at = note.sent_at + form->window_usual * 3600000LL;
  note.expires_at = or_null(s->expires_ms);
  note.said_total = s->total >= 0 ? s->total : LEDGER_NULL;
  note.said_done = s->done >= 0 ? s->done : LEDGER_NULL;
  note.said_failed = s->failed >= 0 ? s->failed : LEDGER_NULL;
  return batches_note(d->store, batch, &note, err);
}

/* It is there: its id is noted, and batch_submit told. */
static Sent note_sent(Desk *d, long long batch, const BatchForm *form, const BatchStatus *status,
                      Err *err) {
  return send_note(d, batch, form, status, err) == RC_OK &&
                 submit_sent(&d->rows, batch, err) == RC_OK
             ? SENT
             : SENT_FAILED;
}

/* ---- looking for it */

/* Ids that are not it: somebody's already, or looked into. */
typedef struct Known {
  DeskBatches batches; /* of all queues of the store */
  char foreign[PEEKS][BATCH_NAME];
  int n;
} Known;

static int is_known(void *arg, const char *id) {
  const Known *k = arg;
  int found = 0;
  for (int i = 0; i < k->batches.n; i++) {
    const char *known = k->batches.list[i].row.provider_id;
    found |= known && strcmp(known, id) == 0;
  }
  for (int i = 0; i < k->n; i++) {
    found |= strcmp(k->foreign[i], id) == 0;
  }
  return found;
}

/* The first results of a batch that may be ours: whose ids they bear. */
typedef struct Peek {
  const char *tag;
  int seen, is_ours;
} Peek;

static int peek_at(void *arg, BatchResult *result, Err *err) {
  Peek *p = arg;
  p->seen++;
  p->is_ours |= result->is_ours && strcmp(result->key.tag, p->tag) == 0;
  return p->is_ours || p->seen == PEEK_LINES ? err_set(err, RC_ERROR, ERR_FAILED, "enough was seen")
                                             : RC_OK;
}

/* 1 if its results are those of our batch; 0 if not; -1 where it can't be told yet. */
static int is_ours(Remote *r, const BatchRow *b, const char *id, BatchFault *fault, Err *err) {
  Peek p = {b->wire_tag, 0, 0};
  const RemoteTake take = {peek_at, &p};
  RemoteResults results;
  Err why = {0};
  remote_results(r, id, &take, &results, fault, &why);
  if (why.rc != RC_OK && why.code != ERR_FAILED) {
    *err = why;
  }
  return p.is_ours ? 1 : p.seen > 0 && err->rc == RC_OK ? 0 : -1;
}

/* Of a provider that keeps no marks the ids in its results tell, once it has ended; until then it may be ours. */
static Sent try_candidate(Desk *d, Remote *r, const BatchRow *b, const char *id, Known *known,
                          BatchFault *fault, Err *err) {
  BatchStatus now = {0};
  Sent sent = SENT_UNSURE;
  int ours = -1;
  if (remote_get(r, id, &now, fault, err) == RC_OK && fault->trouble == TROUBLE_NONE &&
      batch_state_is_over(now.state) && now.has_results && r->form->results_by_batch) {
    ours = is_ours(r, b, id, fault, err);
  }
  if (ours == 1) {
    sent = note_sent(d, b->id, r->form, &now, err);
  } else if (ours == 0 && known->n < PEEKS) {
    snprintf(known->foreign[known->n++], BATCH_NAME, "%s", id);
    sent = SENT_NOT;
  }
  batch_status_free(&now);
  return err->rc == RC_OK ? sent : SENT_FAILED;
}

/* Once through the list. SENT_NOT: none of it is ours, or one less may be (*again). */
static Sent look_once(Desk *d, Remote *r, const BatchRow *b, Known *known, int *again,
                      BatchFault *fault, Err *err) {
  const BatchSought sought = {.mark = b->mark, .since_ms = b->created_at, .total = b->requests};
  BatchStatus found = {0};
  BatchMatch match = MATCH_NO;
  const RemoteTaken taken = {is_known, known};
  Sent sent = SENT_UNSURE;
  if (remote_find(r, &sought, &taken, &found, &match, fault, err) != RC_OK) {
    sent = SENT_FAILED;
  } else if (match == MATCH_YES) {
    sent = note_sent(d, b->id, r->form, &found, err);
  } else if (match == MATCH_MAYBE) {
    sent = try_candidate(d, r, b, found.id, known, fault, err);
    *again = sent == SENT_NOT;
  } else if (fault->trouble == TROUBLE_NONE) {
    sent = SENT_NOT;
  }
  batch_status_free(&found);
  return sent;
}

static Sent look(Desk *d, Remote *r, const BatchRow *b, BatchFault *fault, Err *err) {
  Known *known = calloc(1, sizeof *known);
  Sent sent = SENT_FAILED;
  int again = 1;
  if (!known) {
    err_nomem(err);
    return SENT_FAILED;
  }
  desk_batches_of_all(d, &known->batches, err);
  while (again && err->rc == RC_OK) {
    again = 0;
    sent = look_once(d, r, b, known, &again, fault, err);
  }
  desk_batches_free(&known->batches);
  free(known);
  return err->rc == RC_OK ? sent : SENT_FAILED;
}

/* Files that nobody needs: of uploads whose answers were lost, of a batch that was not created. Whether they go is no error. */
static void delete_files(Remote *r, const char *mark, const char *but) {
  Err ignored = {0};
  BatchFault fault;
  RemoteFiles files = {.n = 0};
  if (r->form->takes_file && remote_find_files(r, mark, &files, &fault, &ignored) == RC_OK) {
    for (int i = 0; i < files.n; i++) {
      if (!but || strcmp(files.id[i], but) != 0) {
        remote_delete_file(r, files.id[i], &fault, &ignored);
      }
    }
  }
}

/* Takes one back that the provider does not have. */
static Sent take_back(Desk *d, Remote *r, const BatchRow *b, Err *err) {
  static const char why[] = "it was not created: who sent it ended before, or its request was lost";
  BatchNote note;
  DeskBatch now = {.texts = NULL};
  long long at = now_ms();
  delete_files(r, b->mark, NULL);
  batches_note_init(&note);
  note.error = why;
  note.ended_at = at;
  if (batches_note(d->store, b->id, &note, err) == RC_OK &&
      batches_rest(d->store, b->id, ITEM_AGAIN, why, at, err) >= 0 &&
      desk_batch(d, b->id, &now, err) == 1) {
    tell_outcomes(d, &now.row, err);
    desk_batch_free(&now);
  }
  return err->rc == RC_OK ? SENT_NOT : SENT_FAILED;
}

/* A form that takes files is created with the file's id, which is noted before: without it nothing was created. Else what is not in
** the list may be in it in a moment. */
Sent send_recover(Desk *d, Remote *r, const BatchRow *b, Err *err) {
  BatchFault fault;
  BatchNote note;
  long long now = now_ms();
  if (r->form->takes_file && !b->input_file) {
    return take_back(d, r, b, err);
  }
  Sent sent = look(d, r, b, &fault, err);
  if (sent == SENT_NOT && b->looked_at != LEDGER_NULL && now - b->looked_at >= SURE_MS) {
    return take_back(d, r, b, err);
  }
  if (sent == SENT_NOT && b->looked_at == LEDGER_NULL) {
    batches_note_init(&note);
    note.looked_at = now;
    batches_note(d->store, b->id, &note, err);
  }
  return err->rc != RC_OK ? SENT_FAILED : sent == SENT_NOT ? SENT_UNSURE : sent;
}

/* The answer to a create was lost: it is there, or nobody knows. (Without a mark its results tell, later.) */
static Sent find_soon(Parcel *p, Remote *r, Err *err) {
  Desk *d = p->dispatch->desk;
  long long wait = FIND_MS;
  Sent sent = SENT_UNSURE;
  for (int i = 0; i < FINDS && sent != SENT && err->rc == RC_OK; i++, wait *= 2) {
    DeskBatch now = {.texts = NULL};
    BatchFault ignored;
    if (conn_sleep(d->conn, wait, err) == RC_OK && desk_batch(d, p->batch, &now, err) == 1) {
      sent = look(d, r, &now.row, &ignored, err);
      desk_batch_free(&now);
    }
  }
  return err->rc != RC_OK ? SENT_FAILED : sent == SENT ? SENT : SENT_UNSURE;
}

/* ---- sending it */

static int is_in(Parcel *p, const char *state, Err *err) {
  DeskBatch now = {.texts = NULL};
  int found = desk_batch(p->dispatch->desk, p->batch, &now, err) == 1;
  int is_it = found && strcmp(now.row.state, state) == 0;
  desk_batch_free(&now);
  return is_it;
}

/* Takes the batch for as long as the next step may last. Whose lease is over (a slow line, a process that was stopped) may have lost it
** to one who polls, who took it back since it was not at the provider: it must not be sent any more, for its rows are queued again.
** RC_OK or *err. */
static int keep_batch(Parcel *p, const Remote *r, Err *err) {
  Desk *d = p->dispatch->desk;
  long long ms = DESK_LEASE_MS + remote_longest_ms(r, spool_size(&p->spool));
  int is_ours = batches_take(d->store, p->batch, now_ms(), ms, err) == 1 && is_in(p, "begun", err);
  if (err->rc == RC_OK && !is_ours) {
    err_set(err, RC_BUSY, ERR_STORE,
            "batch %lld took longer to be sent than its lease, and another connection took it back:"
            " nothing of it was created, the next flush sends its rows",
            p->batch);
  }
  return err->rc;
}

static int note_file(Parcel *p, const char *file, Err *err) {
  BatchNote note;
  batches_note_init(&note);
  note.input_file = file;
  return batches_note(p->dispatch->desk->store, p->batch, &note, err);
}

/* RC_OK with fault->trouble NONE: it is there, and its id noted. */
static int upload(Parcel *p, Remote *r, char file[BATCH_NAME], BatchFault *fault, Err *err) {
  int tries = 0;
  do {
    if (keep_batch(p, r, err) != RC_OK) {
      return err->rc;
    }
    remote_upload(r, &p->spool, p->mark, file, fault, err);
    tries++;
  } while (err->rc == RC_OK && fault->trouble == TROUBLE_LATER && fault->may_be_done &&
           tries < UPLOADS);
  if (err->rc == RC_OK && fault->trouble == TROUBLE_NONE && tries > 1) {
    delete_files(r, p->mark, file);
  }
  return err->rc == RC_OK && fault->trouble == TROUBLE_NONE ? note_file(p, file, err) : err->rc;
}

/* What is too large in halves may pass; the same again would not. */
static ItemOutcome outcome_of(const Parcel *p, BatchTrouble trouble) {
  int is_last =
      trouble == TROUBLE_REFUSED || (trouble == TROUBLE_TOO_LARGE && p->size.requests == 1);
  return is_last ? ITEM_FAILED : ITEM_AGAIN;
}

/* The provider does not take it. */
static Sent give_back(Parcel *p, Remote *r, const BatchFault *fault, Err *err) {
  delete_files(r, p->mark, NULL);
  if (fault->trouble == TROUBLE_TOO_LARGE) {
    long long bytes = spool_size(&p->spool);
    p->part->most_bytes = bytes > 1 ? bytes / 2 : 1;
  }
  return parcel_return(p, outcome_of(p, fault->trouble), fault->trouble, fault->message, err) ==
                 RC_OK
             ? SENT_NOT
             : SENT_FAILED;
}

/* It was created, and meanwhile taken back (the clock was set, the machine slept): its rows are queued again, so that it must not be
** answered as well. */
static Sent call_off(Parcel *p, Remote *r, const BatchStatus *status, Err *err) {
  BatchStatus after = {0};
  BatchFault fault = {.trouble = TROUBLE_NONE};
  BatchNote note;
  Err ignored = {0};
  char why[LIMIT_ERROR_TEXT];
  remote_cancel(r, status->id, &after, &fault, &ignored);
  int is_cancelled = ignored.rc == RC_OK && fault.trouble == TROUBLE_NONE;
  snprintf(why, sizeof why,
           "created as %.120s after another connection had taken it back, and %s: what of it was "
           "answered is billed"
           " and not booked",
           status->id,
           is_cancelled ? "cancelled" : "could not be cancelled: do that at the provider");
  batches_note_init(&note);
  note.error = why;
  batches_note(p->dispatch->desk->store, p->batch, &note, &(Err){0});
  batch_status_free(&after);
  err_set(err, RC_ERROR, ERR_LOST, "batch %lld was %s", p->batch, why);
  return SENT_FAILED;
}

static Sent create(Parcel *p, Remote *r, const char *file, BatchFault *fault, Err *err) {
  BatchStatus status = {0};
  Sent sent;
  const BatchCreate create = {.endpoint = p->part->endpoint,
                              .file_id = file,
                              .model = p->part->model.name,
                              .mark = p->mark,
                              .window_hours = p->part->hours};
  if (keep_batch(p, r, err) == RC_OK) {
    remote_create(r, &create, file ? NULL : &p->spool, &status, fault, err);
  } else if (file) {
    remote_delete_file(r, file, fault, &(Err){0});
  }
  if (err->rc != RC_OK) {
    sent = SENT_FAILED; /* (it stays begun: who polls looks for it) */
  } else if (fault->trouble == TROUBLE_NONE) {
    sent = note_sent(p->dispatch->desk, p->batch, r->form, &status, err);
    if (sent == SENT && !is_in(p, "sent", err) && err->rc == RC_OK) {
      sent = call_off(p, r, &status, err);
    }
  } else if (fault->may_be_done) {
    sent = r->form->mark_name ? find_soon(p, r, err) : SENT_UNSURE;
  } else {
    sent = give_back(p, r, fault, err);
  }
  batch_status_free(&status);
  return sent;
}

/* (An interrupt while a file goes up leaves nothing that was created.) */
static Sent send(Parcel *p, Remote *r, BatchFault *fault, Err *err) {
  char file[BATCH_NAME] = "";
  if (p->part->form->takes_file && upload(p, r, file, fault, err) != RC_OK) {
    Err ignored = {0};
    parcel_return(p, ITEM_AGAIN, TROUBLE_LATER, err->msg, &ignored);
    return SENT_FAILED;
  }
  if (p->part->form->takes_file && fault->trouble != TROUBLE_NONE) {
    return give_back(p, r, fault, err);
  }
  return create(p, r, file[0] ? file : NULL, fault, err);
}

Sent send_parcel(Parcel *p, BatchFault *fault, Err *err) {
  Remote r = {0};
  Sent sent = SENT_FAILED;
  *fault = (BatchFault){.trouble = TROUBLE_NONE};
  if (remote_open(&r, p->dispatch->desk->conn, &p->part->model, err) == RC_OK) {
    sent = send(p, &r, fault, err);
  } else {
    Err ignored = {0};
    parcel_return(p, ITEM_AGAIN, TROUBLE_KEY, err->msg, &ignored);
  }
  remote_close(&r);
  batches_leave(p->dispatch->desk->store, p->batch, &(Err){0});
  return sent;
}
