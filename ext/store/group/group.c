/*
** See group.h for the contract.
*/
#include "store/group/group.h"

#include "base/clock.h"

/* Paid answers are among what is written: from its beginning to its end no interrupt may take it back. */
static void open_group(Store *s, Group *g) {
  g->is_open = 1;
  g->n = 0;
  g->failure = (Err){0};
  s->n_settling++;
}

static void close_group(Store *s, Group *g) {
  g->is_open = 0;
  s->n_settling--;
}

static int begin(Store *s, Err *err) {
  Group *g = (Group *)s->group;
  if (!g->is_open) {
    if (s->mode->begin(s, err) != RC_OK) {
      return err->rc;
    }
    open_group(s, g);
  }
  return store_stmt(s, SQL_SAVEPOINT_KEEP, err) && store_stmt(s, SQL_SAVEPOINT_UNDO, err)
             ? store_run(s, SQL_SAVEPOINT, err)
             : err->rc;
}

int group_is_broken(Store *s, Group *g) {
  if (g->is_open && (!s->db || sqlite3_get_autocommit(s->db))) {
    close_group(s, g);
    if (g->failure.rc == RC_OK) {
      err_set(&g->failure, RC_ERROR, ERR_STORE,
              "the store '%s': a transaction was rolled back because of another request in it",
              store_name(s));
    }
  }
  return !g->is_open;
}

/* Takes one member's writing back. Where that can't be done, everybody's. */
static void undo(Store *s, Group *g, const Err *why) {
  Err ignored = {0};
  if (group_is_broken(s, g)) {
    g->failure = *why;
  } else if (store_run(s, SQL_SAVEPOINT_UNDO, &ignored) != RC_OK ||
             store_run(s, SQL_SAVEPOINT_KEEP, &ignored) != RC_OK) {
    g->failure = *why;
    s->mode->end(s, 0, &ignored);
    close_group(s, g);
  }
}

static int end(Store *s, int ok, Err *err) {
  Group *g = (Group *)s->group;
  if (ok && !group_is_broken(s, g) && store_run(s, SQL_SAVEPOINT_KEEP, err) == RC_OK) {
    g->n++;
    return g->wait(g->arg, err);
  }
  if (ok && err->rc == RC_OK) {
    *err = g->failure;
  }
  undo(s, g, err);
  return err->rc;
}

void group_init(Group *g, int (*wait)(void *arg, Err *err), void *arg) {
  *g = (Group){.member = {begin, end}, .wait = wait, .arg = arg};
}

int group_commit(Store *s, Group *g, Err *err) {
  if (group_is_broken(s, g)) {
    *err = g->failure;
    return err->rc;
  }
  close_group(s, g);
  s->mode->end(s, 1, err);
  g->failure = *err;
  return err->rc;
}
