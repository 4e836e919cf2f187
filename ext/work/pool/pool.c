/*
** See pool.h for the contract.
*/
#include "work/pool/pool.h"

#include "base/check.h"
#include "store/group/group.h"
#include "work/pool/fiber.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
** Of answers that come together so many are dealt with before the next requests are sent: these are on their way while
** the others are dealt with, and what is written for them is one transaction. Nobody waits for company: what comes
** while a commit takes its time is in the next one, so a slow disk has larger ones.
*/
enum { ANSWERS_AT_ONCE = 16 };

typedef enum Wait {
  GOES_ON, /* for nothing: it runs, or is to be resumed */
  SLEEPS,
  WANTS_TURN,
  SENDS,
  WRITES /* has written, and waits for the commit */
} Wait;

typedef struct Member {
  struct Member *next; /* among the idle, or the live */
  Pool *pool;
  PoolOwner *owner;
  Fiber *fiber;
  void (*run)(void *arg);
  void *arg;
  Wait wait;
  int is_engaged;  /* counted in owner->engaged */
  long long until; /* SLEEPS: monotonic ms */
  Err *err;        /* of what it waits for; borrowed while it waits */
  ConnTurn turn;
  long long asked_at;
  Lane *lane; /* it has its turn there; NULL: it has none */
  PaceMark mark;
  NetTransfer *transfer;
} Member;

struct Pool {
  Conn *conn;
  Member *idle, *first, **last; /* the live ones, in the order in which they began */
  Member *current;              /* who runs; NULL: nobody */
  int n_live, n_sending;
  long long n_ended;
  Lanes lanes;
  Group group;
  ConnSide side;
  long long looked; /* monotonic ms: for an interrupt */
  int is_interrupted;
};

/* ---- what jobs wait for */

static void wait_for(Member *m, Wait what, Err *err) {
  m->wait = what;
  m->err = err;
  fiber_yield(m->fiber);
  CHECK(m->pool->current == m);
}

static void engage(Member *m, int is_engaged) {
  m->owner->engaged += is_engaged - m->is_engaged;
  m->is_engaged = is_engaged;
}

/* `response` NULL: nothing was sent. */
static void give_turn_back(Member *m, const NetResponse *response) {
  if (m->lane) {
    lane_leave(m->lane, &m->mark, response, monotonic_ms());
    m->owner->sent--;
    m->lane = NULL;
  }
}

static int stopped(Err *err) {
  return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "the statement has ended");
}

static int step(Pool *p, const PoolFeed *feed, long long until, Err *err);
static void rest(Pool *p);

/* Not a job's: others go on meanwhile. */
static int sleep_beside(Pool *p, long long ms, Err *err) {
  long long until = monotonic_ms() + ms;
  while (err->rc == RC_OK && !p->is_interrupted && monotonic_ms() < until) {
    step(p, NULL, until, err);
  }
  rest(p);
  return p->is_interrupted ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted") : err->rc;
}

static int side_sleep(void *arg, long long ms, Err *err) {
  Pool *p = arg;
  Member *m = p->current;
  if (!m) {
    return sleep_beside(p, ms, err);
  }
  engage(m, 1);
  m->until = monotonic_ms() + ms;
  if (m->owner->is_stopping) {
    return stopped(err);
  }
  wait_for(m, SLEEPS, err);
  return err->rc;
}

static int side_turn(void *arg, const ConnTurn *turn, long long *waited_ms, Err *err) {
  Pool *p = arg;
  Member *m = p->current;
  if (!m) {
    return RC_OK;
  }
  give_turn_back(m, NULL);
  engage(m, 1);
  m->turn = *turn;
  m->asked_at = monotonic_ms();
  if (m->owner->is_stopping) {
    return stopped(err);
  }
  wait_for(m, WANTS_TURN, err);
  *waited_ms = monotonic_ms() - m->asked_at;
  return err->rc;
}

static int side_post(void *arg, const NetRequest *request, NetResponse *response, Err *err) {
  Pool *p = arg;
  Member *m = p->current;
  if (!m) {
    return net_post(p->conn->net, request, response, err);
  }
  m->transfer = net_start(p->conn->net, request, response, err);
  if (m->transfer) {
    p->n_sending++;
    wait_for(m, SENDS, err);
    p->n_sending--;
    m->transfer = NULL;
  }
  give_turn_back(m, err->rc == RC_OK ? response : NULL);
  engage(m, 0);
  return err->rc;
}

static int wait_for_commit(void *arg, Err *err) {
  wait_for(((Pool *)arg)->current, WRITES, err);
  return err->rc;
}

/* ---- who goes on */

/* Runs one until it waits or ends. While it does, what it writes is the group's. */
static void resume(Pool *p, Member *m) {
  Store *s = conn_open_store(p->conn);
  int is_grouped = s && s->mode->has_intents;
  CHECK(!p->current);
  m->wait = GOES_ON;
  p->current = m;
  if (is_grouped) {
    s->group = &p->group.member;
  }
  int is_live = fiber_resume(m->fiber);
  p->current = NULL;
  if (is_grouped) {
    s->group = NULL;
    if (p->group.is_open && group_is_broken(s, &p->group)) {
      p->group.n = 0;
    }
  }
  if (!is_live) {
    m->wait = GOES_ON;
  }
}

static void leave_side(Pool *p) {
  if (p->n_live == 0) {
    p->conn->side = NULL;
    conn_unpin(p->conn);
  }
}

/* Takes one whose job has ended out of the live ones. */
static void end_member(Pool *p, Member **at) {
  Member *m = *at;
  *at = m->next;
  p->last = p->last == &m->next ? at : p->last;
  give_turn_back(m, NULL);
  engage(m, 0);
  m->owner->live--;
  m->owner->ended++;
  p->n_ended++;
  m->next = p->idle;
  p->idle = m;
  p->n_live--;
  leave_side(p);
}

/* What ends its waiting, if anything does: RC_OK or the error in *m->err. */
static int is_over(Pool *p, Member *m, long long now) {
  if (m->wait == SLEEPS || m->wait == WANTS_TURN) {
    if (p->is_interrupted) {
      err_set(m->err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
      return 1;
    }
    if (m->owner->is_stopping) {
      stopped(m->err);
      return 1;
    }
  }
  if (m->wait == SLEEPS) {
    return now >= m->until;
  }
  if (m->wait == SENDS) {
    return net_has_ended(m->transfer, m->err);
  }
  if (m->wait == WRITES) {
    if (!p->group.is_open) {
      *m->err = p->group.failure;
      return 1;
    }
  }
  return 0;
}

/* 1 if it may pay for another answer. Whoever stops taking answers has paid for no more than so many in vain. */
static int may_send(const PoolOwner *o) {
  int settling = o->live - o->engaged;
  return o->sent + settling + o->untaken < o->most;
}

/* Gives it its turn where it may have it: in the order in which they asked, each lane by itself. */
static int takes_turn(Pool *p, Member *m, long long now) {
  PoolOwner *o = m->owner;
  PaceWhy why = PACE_CONCURRENCY;
  Lane *lane = lanes_find(&p->lanes, &m->turn, o->most, now, m->err);
  if (!lane) {
    return 1; /* with its error */
  }
  long long wait = -1;
  if (!lane->is_blocked && may_send(o)) {
    wait = pace_wait(&lane->pace, m->turn.tokens, now, &why);
  }
  if (wait != 0) {
    lane->is_blocked = 1;
    long long until = wait > 0 ? now + wait : LLONG_MAX; /* for one to end */
    int is_first = o->waits_for == PACE_FREE || until < o->waits_until;
    o->waits_for = is_first ? why : o->waits_for;
    o->waits_until = is_first ? until : o->waits_until;
    return 0;
  }
  m->mark = lane_enter(lane, m->turn.tokens, now);
  o->sent++;
  m->lane = lane;
  return 1;
}

/* What each owner waits for: the turn that comes next says more (takes_turn). */
static void tell_waits(Pool *p) {
  for (Member *m = p->first; m; m = m->next) {
    m->owner->waits_for = PACE_FREE;
  }
  for (Member *m = p->first; m; m = m->next) {
    PoolOwner *o = m->owner;
    if (m->wait == SLEEPS && o->sent == 0 &&
        (o->waits_for == PACE_FREE || m->until < o->waits_until)) {
      o->waits_for = PACE_PAUSE;
      o->waits_until = m->until;
    }
  }
}

/* Goes on with all that can, once, but with no more than so many of the answers that are there. How many went on. */
static int go_on(Pool *p, int most_answers) {
  long long now = monotonic_ms();
  int n = 0, answers = 0;
  lanes_unblock(&p->lanes);
  tell_waits(p);
  for (Member **at = &p->first; *at;) {
    Member *m = *at;
    int is_answer = m->wait == SENDS;
    if (is_answer && answers == most_answers) {
      at = &m->next;
      continue;
    }
    if (is_over(p, m, now) || (m->wait == WANTS_TURN && takes_turn(p, m, now))) {
      answers += is_answer;
      resume(p, m);
      n++;
    }
    if (m->wait == GOES_ON) {
      end_member(p, at);
    } else {
      at = &m->next;
    }
  }
  return n;
}

static void commit(Pool *p) {
  Store *s = conn_open_store(p->conn);
  Err ignored = {0}; /* those who wait get it */
  if (s && p->group.is_open) {
    group_commit(s, &p->group, &ignored);
  }
}

/* When somebody is to be woken. */
static long long next_wake(const Pool *p, long long until) {
  for (const Member *m = p->first; m; m = m->next) {
    long long at = m->wait == SLEEPS       ? m->until
                   : m->wait == WANTS_TURN ? m->owner->waits_until
                                           : until;
    until = at < until ? at : until;
  }
  return until;
}

static void look_for_interrupt(Pool *p, long long now) {
  if (!p->is_interrupted && now - p->looked >= LIMIT_POLL_MS / 2) {
    p->looked = now;
    p->is_interrupted = conn_interrupted(p->conn);
  }
  for (Member *m = p->first; m && p->is_interrupted; m = m->next) {
    if (m->wait == SENDS) {
      net_stop(m->transfer);
    }
  }
}

/* One round: who can go on does, new jobs begin, and then there is a wait for the first thing to happen. */
static int step(Pool *p, const PoolFeed *feed, long long until, Err *err) {
  long long ended = p->n_ended;
  int n = go_on(p, ANSWERS_AT_ONCE);
  if (feed && err->rc == RC_OK && !p->is_interrupted) {
    feed->more(feed->arg, err);
    n += go_on(p, 0); /* who has just begun writes in the same transaction as who has ended */
  }
  long long now = monotonic_ms();
  look_for_interrupt(p, now);
  if (n > 0 || p->n_live == 0 || p->n_ended != ended) {
    until = now;
  }
  if (p->group.is_open) {
    commit(p);
    until = now;
  }
  until = next_wake(p, until);
  long long wait = until - now;
  wait = wait < 0 ? 0 : wait > LIMIT_POLL_MS / 2 ? LIMIT_POLL_MS / 2 : wait;
  if (p->n_sending > 0) {
    net_turn(p->conn->net, wait);
  } else if (wait > 0) {
    sqlite3_sleep((int)wait);
  }
  return err->rc;
}

/* Leaves nothing of the store open: all have written what they had to, and what is to be sent is. Answers wait. */
static void rest(Pool *p) {
  do {
    commit(p);
  } while (go_on(p, 0) > 0 || p->group.is_open);
  if (p->n_sending > 0) {
    net_turn(p->conn->net, 0);
  }
}

/* ---- for owners */

static void free_pool(void *slot) {
  Pool *p = slot;
  for (Member *m = p->idle, *next; m; m = next) {
    next = m->next;
    fiber_free(m->fiber);
    free(m);
  }
  lanes_free(&p->lanes);
}

/* After a fork: who was on the way is the parent's. */
static void leave_pool(void *slot) {
  Pool *p = slot;
  p->first = NULL;
  p->last = &p->first;
  p->n_live = p->n_sending = 0;
  p->group.is_open = 0;
}

static const ConnSlot pool_slot = {.size = sizeof(Pool), .leave = leave_pool, .free = free_pool};

Pool *pool_of(Conn *conn, Err *err) {
  Pool *p = conn_slot(conn, &pool_slot, err);
  if (p && !p->conn) {
    p->conn = conn;
    p->last = &p->first;
    p->side = (ConnSide){side_sleep, side_turn, side_post, p};
    group_init(&p->group, wait_for_commit, p);
  }
  return p;
}

int pool_has_room(const Pool *p, const PoolOwner *owner) {
  int waiting = 0;
  for (const Member *m = p->first; m; m = m->next) {
    waiting += m->owner == owner && m->wait == WANTS_TURN;
  }
  int others = owner->live - waiting + owner->untaken;
  return others < owner->most && waiting < owner->most && !p->is_interrupted;
}

static Member *take_member(Pool *p, Err *err) {
  Member *m = p->idle;
  if (m) {
    p->idle = m->next;
    return m;
  }
  m = calloc(1, sizeof *m);
  Fiber *fiber = m ? fiber_new() : NULL;
  if (!fiber) {
    free(m);
    err_nomem(err);
    return NULL;
  }
  m->pool = p;
  m->fiber = fiber;
  return m;
}

int pool_start(Pool *p, PoolOwner *owner, void (*run)(void *arg), void *arg, Err *err) {
  if (!fiber_are_there()) {
    run(arg);
    owner->ended++;
    p->n_ended++;
    return RC_OK;
  }
  Member *m = take_member(p, err);
  if (!m) {
    return err->rc;
  }
  if (p->n_live++ == 0) {
    p->conn->side = &p->side;
    conn_pin(p->conn);
  }
  m->owner = owner;
  m->lane = NULL;
  m->next = NULL;
  owner->live++;
  engage(m, 1);
  Member **at = p->last;
  *at = m;
  p->last = &m->next;
  fiber_start(m->fiber, run, arg);
  resume(p, m);
  if (m->wait == GOES_ON) {
    end_member(p, at);
  }
  return RC_OK;
}

int pool_step(Pool *p, PoolOwner *owner, const PoolFeed *feed, long long ms, Err *err) {
  long long ended = owner->ended, until = monotonic_ms() + ms;
  do {
    step(p, feed, until, err);
  } while (p->is_interrupted ? p->n_live > 0
                             : err->rc == RC_OK && owner->live > 0 && owner->ended == ended &&
                                   monotonic_ms() < until);
  rest(p);
  if (p->is_interrupted && err->rc == RC_OK) {
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  p->is_interrupted = 0;
  return err->rc;
}

void pool_drain(Pool *p, PoolOwner *owner) {
  Err ignored = {0};
  owner->is_stopping = 1;
  while (owner->live > 0) {
    pool_step(p, owner, NULL, LIMIT_POLL_MS, &ignored);
    ignored = (Err){0};
  }
}
