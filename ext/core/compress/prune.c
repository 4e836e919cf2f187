/*
** Which turns stay. See prune.h for the contract.
**
** Places where it may be cut are the beginnings of turns at which no call of a tool waits for its result; those of the last `keep` turns are
** left alone. One pass finds where the last turns begin, one the cut, one counts.
*/
#include "core/compress/prune.h"

#include "base/check.h"

static int is_history(const PruneMessage *m) {
  return m->role != PRUNE_SYSTEM;
}

/* 1 if a turn begins with message i, where no call is open. */
static int begins_turn(const PruneMessage *m, int open_calls) {
  return m->role == PRUNE_USER && m->results == 0 && open_calls == 0;
}

static int open_after(const PruneMessage *m, int open_calls) {
  open_calls += m->calls - m->results;
  return open_calls > 0 ? open_calls : 0;
}

static size_t count_turns(const PruneMessage *messages, size_t n) {
  size_t turns = 0;
  int open = 0;
  for (size_t i = 0; i < n; i++) {
    turns += (size_t)begins_turn(&messages[i], open);
    open = open_after(&messages[i], open);
  }
  return turns;
}

/* The first place for a cut at or behind `least` tokens of history, but none within the last `keep` turns: there it is theirs. */
static size_t find_cut(const PruneMessage *messages, size_t n, long long least, size_t keep) {
  size_t turns = count_turns(messages, n), seen = 0;
  long long before = 0;
  int open = 0;
  for (size_t i = 0; i < n; i++) {
    if (begins_turn(&messages[i], open)) {
      if (before >= least || seen + keep >= turns) {
        return i;
      }
      seen++;
    }
    before += is_history(&messages[i]) ? messages[i].tokens : 0;
    open = open_after(&messages[i], open);
  }
  return 0;
}

/* Of what is in front of the cut, system and pinned messages; a pinned one that has to do with tools stays with its turn. */
static void keep_pinned(const PruneMessage *messages, size_t cut, unsigned char *kept) {
  size_t turn = 0;
  int open = 0, pinned_calls = 0;
  for (size_t i = 0; i <= cut; i++) {
    if (i == cut || begins_turn(&messages[i], open)) {
      for (size_t k = turn; k < i && pinned_calls; k++) {
        kept[k] = 1;
      }
      turn = i;
      pinned_calls = 0;
    }
    if (i < cut) {
      int is_pinned = (messages[i].flags & PRUNE_PINNED) != 0;
      kept[i] = is_pinned || messages[i].role == PRUNE_SYSTEM;
      pinned_calls |= is_pinned && (messages[i].calls > 0 || messages[i].results > 0);
      open = open_after(&messages[i], open);
    }
  }
}

/* What is kept with a cut: tokens in out->tokens_after. */
static void keep_from(const PruneMessage *messages, size_t n, size_t cut, unsigned char *kept,
                      Pruned *out) {
  keep_pinned(messages, cut, kept);
  out->first = cut;
  out->n_kept = 0;
  out->tokens_after = 0;
  for (size_t i = 0; i < n; i++) {
    kept[i] = i >= cut ? 1 : kept[i];
    out->n_kept += kept[i];
    out->tokens_after += kept[i] ? messages[i].tokens : 0;
  }
  out->n_dropped = n - out->n_kept;
}

static int check(const PruneOptions *o, Err *err) {
  if (o->budget < 1) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "a budget of %lld tokens: give 1 or more",
                   o->budget);
  }
  if (o->keep < 1) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "keep = %d turns: give 1 or more, the last turn always stays", o->keep);
  }
  if (o->step < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "a step of %lld tokens: give 1 or more, or 0 for half of the room", o->step);
  }
  return err->rc;
}

static long long history_before(const PruneMessage *messages, size_t end) {
  long long sum = 0;
  for (size_t i = 0; i < end; i++) {
    sum += is_history(&messages[i]) ? messages[i].tokens : 0;
  }
  return sum;
}

/* The cut by steps. `out` holds what is kept with the farthest one. */
static void plan_cut(const PruneMessage *messages, size_t n, const PruneOptions *o,
                     unsigned char *kept, Pruned *out) {
  long long all = history_before(messages, n), last = all - history_before(messages, out->first);
  long long room =
      o->budget - (out->tokens_after - last); /* without what stays in front of the cut */
  long long step = o->step > 0 ? o->step : room > 1 ? room / 2 : 1;
  long long least = all - room;
  least = least > 0 ? (least + step - 1) / step * step : 1;
  keep_from(messages, n, find_cut(messages, n, least, (size_t)o->keep), kept, out);
  CHECK(out->tokens_after <= o->budget);
}

int prune_plan(const PruneMessage *messages, size_t n, const PruneOptions *options,
               unsigned char *kept, Pruned *out, Err *err) {
  if (check(options, err) != RC_OK) {
    return err->rc;
  }
  keep_from(messages, n, 0, kept, out);
  out->tokens_before = out->tokens_after;
  if (out->tokens_before <= options->budget) {
    return RC_OK;
  }
  size_t keep = (size_t)options->keep;
  /* With the farthest cut: what must stay, and so the room for the rest. */
  keep_from(messages, n, find_cut(messages, n, LIMIT_COUNT, keep), kept, out);
  if (out->tokens_after > options->budget) {
    return err_set(err, RC_TOOBIG, ERR_LIMIT,
                   "a budget of %lld tokens is too small: system and pinned messages and the last "
                   "turns (keep = %d) have %lld; "
                   "raise it, or keep less",
                   options->budget, options->keep, out->tokens_after);
  }
  plan_cut(messages, n, options, kept, out);
  return RC_OK;
}
