/*
** Which turns stay. See prune.h for the contract.
**
** Places where it may be cut are the beginnings of turns at which no call of a tool waits for its result; those of the last `keep` turns are
** left alone. One pass finds where the last turns begin, one the cut, one counts; where groups of the last turns have to go, two more.
*/
#include "core/history/prune.h"

#include "base/check.h"

#include <stdlib.h>

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
  if (o->budget < 1 && !o->prices) {
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

/* At least `over` tokens must go: how many do, in steps. `fixed` are those that no cut can reach. */
static long long in_steps(const PruneOptions *o, long long fixed, long long over, Pruned *out) {
  long long room = o->budget - fixed;
  out->step = o->step > 0 ? o->step : room > 1 ? room / 2 : 1;
  return over > 0 ? (over + out->step - 1) / out->step * out->step : 1;
}

/* The cut by steps. `out` holds what is kept with the farthest one. */
static void plan_cut(const PruneMessage *messages, size_t n, const PruneOptions *o,
                     unsigned char *kept, Pruned *out) {
  long long all = history_before(messages, n), last = all - history_before(messages, out->first);
  long long fixed = out->tokens_after - last; /* what stays in front of the cut */
  long long least = in_steps(o, fixed, all - (o->budget - fixed), out);
  keep_from(messages, n, find_cut(messages, n, least, (size_t)o->keep), kept, out);
  CHECK(out->tokens_after <= o->budget);
}

/* Behind the last result of the calls that message i makes, where no other is open; i: it makes none, or the group can't go alone. */
static size_t group_end(const PruneMessage *messages, size_t n, size_t i) {
  int open = 0;
  size_t k = i;
  do {
    const PruneMessage *m = &messages[k];
    int is_tools = m->role == PRUNE_ASSISTANT || m->results > 0;
    if (!is_tools || m->flags & (PRUNE_PINNED | PRUNE_SAYS)) {
      return i;
    }
    open = open_after(m, open);
    k++;
  } while (open > 0 && k < n);
  return open == 0 && k > i + 1 ? k : i;
}

/* Where the last group of all begins; n: there is none. */
static size_t last_group(const PruneMessage *messages, size_t n, size_t first) {
  size_t last = n;
  for (size_t i = first; i < n;) {
    size_t end = group_end(messages, n, i);
    last = end > i ? i : last;
    i = end > i ? end : i + 1;
  }
  return last;
}

/* Leaves out the oldest groups behind the cut, at least so many tokens if there are as many. */
static void drop_groups(const PruneMessage *messages, size_t n, long long least,
                        unsigned char *kept, Pruned *out) {
  size_t last = last_group(messages, n, out->first);
  long long dropped = 0;
  for (size_t i = out->first; i < last && last < n && dropped < least;) {
    size_t end = group_end(messages, n, i);
    for (size_t k = i; k < end; k++) {
      kept[k] = 0;
      dropped += messages[k].tokens;
      out->n_kept--;
      out->n_dropped++;
    }
    i = end > i ? end : i + 1;
  }
  out->tokens_after -= dropped;
}

/* The last turns are too long. `out` holds what is kept with the farthest cut. */
static int cut_groups(const PruneMessage *messages, size_t n, const PruneOptions *o,
                      unsigned char *kept, Pruned *out, Err *err) {
  long long last = history_before(messages, n) - history_before(messages, out->first);
  long long fixed = out->tokens_after - last;
  long long least = in_steps(o, fixed, out->tokens_after - o->budget, out);
  drop_groups(messages, n, least, kept, out);
  if (out->tokens_after > o->budget) {
    err_set(err, RC_TOOBIG, ERR_LIMIT,
            "a budget of %lld tokens is too small: system and pinned messages and what must stay "
            "of the last turns (keep = %d) have %lld; raise it, or keep less",
            o->budget, o->keep, out->tokens_after);
  }
  return err->rc;
}

/* ---- by prices */

/* A place in front of a turn: tokens of all messages before it, and of those that no cut takes. */
typedef struct Place {
  size_t at;
  int open;
  long long all, stays;
} Place;

static void step_over(const PruneMessage *messages, const unsigned char *stays, Place *p) {
  p->all += messages[p->at].tokens;
  p->stays += stays[p->at] ? messages[p->at].tokens : 0;
  p->open = open_after(&messages[p->at], p->open);
  p->at++;
}

/* The next beginning of a turn behind a place: 0 where there is none in front of `end`. */
static int next_turn(const PruneMessage *messages, size_t end, const unsigned char *stays,
                     Place *p) {
  while (p->at < end) {
    step_over(messages, stays, p);
    if (p->at < end && begins_turn(&messages[p->at], p->open)) {
      return 1;
    }
  }
  return 0;
}

/* What stays in front of all that goes, where what is cut begins at `cut`: it is read as before. (A provider's cache reads in
** blocks of up to 128 tokens.) */
static long long same_before(const PruneMessage *messages, size_t end, const unsigned char *stays,
                             const PrunePrices *prices, Place cut) {
  enum { BLOCK = 128 };
  while (cut.at < end && stays[cut.at]) {
    step_over(messages, stays, &cut);
  }
  return cut.stays >= prices->floor && cut.stays > BLOCK ? cut.stays - BLOCK : 0;
}

/* The cut that a conversation has, whose turns came one after the other: at each the decision is made by what was there then, so that
** it is the same one later. `stays` is known in front of `last`; behind it nothing goes. */
static size_t cut_by_prices(const PruneMessage *messages, size_t n, size_t last, size_t keep,
                            const unsigned char *stays, const PrunePrices *prices) {
  Place now = {0}, cut = {0}, next = {0};
  size_t ahead = 0; /* turns from `next` to `now` */
  while (next_turn(messages, n, stays, &now)) {
    ahead++;
    if (ahead >= keep && next.at < last) {
      next_turn(messages, n, stays, &next);
      ahead--;
    }
    long long with_it = now.all + messages[now.at].tokens;
    long long uncut = cut.stays + with_it - cut.all, left = next.stays + with_it - next.all;
    long long same = same_before(messages, next.at, stays, prices, cut);
    long long written = left > prices->floor ? left : prices->floor;
    if (left < uncut &&
        prices->write * (double)(written - same) <= prices->read * (double)(uncut - same)) {
      cut = next;
    }
  }
  return cut.at;
}

/* `kept` and `out` hold what is kept with the farthest cut: what stays in front of it. */
static void plan_by_prices(const PruneMessage *messages, size_t n, const PruneOptions *o,
                           unsigned char *kept, Pruned *out) {
  size_t cut = cut_by_prices(messages, n, out->first, (size_t)o->keep, kept, o->prices);
  keep_from(messages, n, cut, kept, out);
}

int prune_plan(const PruneMessage *messages, size_t n, const PruneOptions *options,
               unsigned char *kept, Pruned *out, Err *err) {
  if (check(options, err) != RC_OK) {
    return err->rc;
  }
  keep_from(messages, n, 0, kept, out);
  out->tokens_before = out->tokens_after;
  out->step = 0;
  if (!options->prices && out->tokens_before <= options->budget) {
    return RC_OK;
  }
  size_t keep = (size_t)options->keep;
  /* With the farthest cut: what must stay, and so the room for the rest. */
  keep_from(messages, n, find_cut(messages, n, LIMIT_COUNT, keep), kept, out);
  if (options->prices) {
    plan_by_prices(messages, n, options, kept, out);
    return RC_OK;
  }
  if (out->tokens_after > options->budget) {
    return cut_groups(messages, n, options, kept, out, err);
  }
  plan_cut(messages, n, options, kept, out);
  return RC_OK;
}

/* ---- turns that are taken back */

size_t prune_turns(const PruneMessage *messages, size_t n, size_t end, PruneTurn *turns) {
  size_t count = 0;
  int open = 0;
  for (size_t i = 0; i <= end && i <= n; i++) {
    if (i == end || i == n || begins_turn(&messages[i], open)) {
      if (count > 0) {
        turns[count - 1].end = i;
      }
      if (i < end && i < n) {
        turns[count++] = (PruneTurn){.from = i};
      }
    }
    open = i < end && i < n ? open_after(&messages[i], open) : open;
  }
  return count;
}

static int compare_turns(const void *a, const void *b) {
  const PruneTurn *x = a, *y = b;
  int by_score = (x->score < y->score) - (x->score > y->score);
  return by_score ? by_score : (x->from < y->from) - (x->from > y->from);
}

void prune_take_back(const PruneMessage *messages, size_t n, PruneTurn *turns, size_t n_turns,
                     long long budget, unsigned char *kept, Pruned *out) {
  qsort(turns, n_turns, sizeof *turns, compare_turns);
  for (size_t t = 0; t < n_turns && turns[t].score > 0; t++) {
    long long more = 0;
    for (size_t i = turns[t].from; i < turns[t].end && i < n; i++) {
      more += kept[i] ? 0 : messages[i].tokens;
    }
    for (size_t i = turns[t].from; i < turns[t].end && out->tokens_after + more <= budget; i++) {
      out->n_kept += !kept[i];
      out->n_dropped -= !kept[i];
      kept[i] = 1;
    }
    out->tokens_after += out->tokens_after + more <= budget ? more : 0;
  }
}
