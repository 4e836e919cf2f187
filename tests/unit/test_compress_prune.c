/*
** Which turns of a conversation stay: pairs of calls and results, budgets, steps.
*/
#include "unit.h"

#include "core/history/prune.h"

enum { MOST = 400 };

static PruneMessage user(long long tokens) {
  return (PruneMessage){PRUNE_USER, 0, 0, 0, tokens};
}

static PruneMessage says(long long tokens) {
  return (PruneMessage){PRUNE_ASSISTANT, 0, 0, 0, tokens};
}

static PruneMessage calls(int n, long long tokens) {
  return (PruneMessage){PRUNE_ASSISTANT, 0, n, 0, tokens};
}

static PruneMessage result(long long tokens) {
  return (PruneMessage){PRUNE_TOOL, 0, 0, 1, tokens};
}

static PruneMessage system_(long long tokens) {
  return (PruneMessage){PRUNE_SYSTEM, 0, 0, 0, tokens};
}

/* What must hold of any plan that was made. */
static void check_plan(const PruneMessage *m, size_t n, const PruneOptions *o,
                       const unsigned char *kept, const Pruned *p, const char *name) {
  long long tokens = 0;
  size_t k = 0;
  int open = 0, waits = 0, is_begun = 0;
  for (size_t i = 0; i < n; i++) {
    check(m[i].role != PRUNE_SYSTEM || kept[i], "%s: system message %zu is gone", name, i);
    check(!(m[i].flags & PRUNE_PINNED) || kept[i], "%s: pinned message %zu is gone", name, i);
    tokens += kept[i] ? m[i].tokens : 0;
    k += kept[i];
    open += kept[i] ? m[i].calls - m[i].results : 0;
    waits += m[i].calls - m[i].results;
    check(open >= 0, "%s: result %zu without its call", name, i);
    check(open <= waits, "%s: a call in front of %zu without all results", name, i);
    if (p->first > 0 && kept[i] && m[i].role != PRUNE_SYSTEM && !is_begun) {
      check(m[i].role == PRUNE_USER && m[i].results == 0, "%s: begins with message %zu", name, i);
      is_begun = 1;
    }
  }
  check(tokens <= o->budget, "%s: %lld tokens of %lld", name, tokens, o->budget);
  check(p->tokens_after == tokens && p->n_kept == k && p->n_dropped == n - k, "%s: counts", name);
}

static void test_pairs_at_every_budget(void **state) {
  (void)state;
  const PruneMessage m[] = {system_(10), user(5), calls(3, 7), result(20),  result(21),
                            result(22),  says(9), user(4),     calls(1, 6), result(30),
                            says(8),     user(3), calls(1, 5), result(40)};
  long long all = 0;
  unsigned char kept[COUNT(m)];
  for (size_t i = 0; i < COUNT(m); i++) {
    all += m[i].tokens;
  }
  int errors = 0, plans = 0;
  for (long long budget = 1; budget <= all + 1; budget++) {
    for (long long step = 0; step < 60; step += 7) {
      Err err = {0};
      Pruned p;
      PruneOptions o = {budget, 1, step, NULL};
      if (prune_plan(m, COUNT(m), &o, kept, &p, &err) != RC_OK) {
        check_error(&err, "limit", "have 58", "smallest"); /* system 10, the last turn 48 */
        assert_true(budget < 58);
        errors++;
        continue;
      }
      assert_true(budget >= 58);
      check_plan(m, COUNT(m), &o, kept, &p, "pairs");
      check((budget >= all) == (p.n_dropped == 0), "budget %lld: %zu dropped", budget, p.n_dropped);
      plans++;
    }
  }
  assert_true(errors > 100 && plans > 100);
}

/* A result that comes after the next question (asynchronously): no cut between. */
static void test_late_results(void **state) {
  (void)state;
  const PruneMessage m[] = {user(10), calls(1, 10), user(10), result(10),
                            says(10), user(10),     says(10)};
  unsigned char kept[COUNT(m)];
  for (long long budget = 20; budget < 70; budget++) {
    Err err = {0};
    Pruned p;
    PruneOptions o = {budget, 1, 1, NULL};
    assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_OK);
    check_plan(m, COUNT(m), &o, kept, &p, "late");
    assert_int_equal(p.first, 5);
  }
}

static void test_pinned(void **state) {
  (void)state;
  PruneMessage m[] = {user(10), says(10), user(10), calls(1, 10), result(10),
                      says(10), user(10), says(10), user(10)};
  unsigned char kept[COUNT(m)];
  Err err = {0};
  Pruned p;
  PruneOptions o = {60, 1, 1, NULL};
  m[0].flags = PRUNE_PINNED;
  assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_OK);
  check_plan(m, COUNT(m), &o, kept, &p, "pinned");
  assert_true(kept[0] && !kept[1] && !kept[2]);
  m[0].flags = 0;
  m[4].flags = PRUNE_PINNED; /* a result: with its call, and the turn */
  assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_OK);
  check_plan(m, COUNT(m), &o, kept, &p, "pinned result");
  assert_true(!kept[0] && kept[2] && kept[3] && kept[4] && kept[5]);
}

/* A conversation that grows: the cut moves seldom, and never back. */
static void test_steps(void **state) {
  (void)state;
  static PruneMessage m[MOST];
  static unsigned char kept[MOST];
  size_t n = 0, cut = 0;
  int moves = 0, turns = 0;
  m[n++] = system_(500);
  for (; n + 2 < MOST; turns++) {
    m[n++] = user(100);
    m[n++] = says(400);
    Err err = {0};
    Pruned p;
    PruneOptions o = {10500, 2, 5000, NULL};
    assert_int_equal(prune_plan(m, n, &o, kept, &p, &err), RC_OK);
    check_plan(m, n, &o, kept, &p, "steps");
    check(p.first >= cut, "the cut moves back from %zu to %zu", cut, p.first);
    moves += p.first != cut;
    cut = p.first;
    check(p.n_dropped == 0 || p.tokens_after > 10500 - 5000 - 500, "%lld tokens", p.tokens_after);
  }
  /* 198 turns of 500 tokens, less the 10,000 that fit, by steps of 5,000. */
  check(moves >= 17 && moves <= 19, "%d moves in %d turns", moves, turns);
}

static void test_random(void **state) {
  (void)state;
  static PruneMessage m[60];
  static unsigned char kept[60], again[60];
  uint64_t seed = 12345;
  int plans = 0;
  for (int round = 0; round < 20000; round++) {
    size_t n = 0;
    while (n < 50) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      unsigned r = (unsigned)(seed >> 33);
      long long tokens = r % 50;
      switch (r / 64 % 4) {
      case 0:
        m[n++] = r / 512 % 8 == 0 ? system_(tokens) : user(tokens);
        m[n - 1].flags = r / 4096 % 16 == 0 ? PRUNE_PINNED : 0;
        break;
      case 1:
        m[n++] = says(tokens);
        break;
      default:
        m[n++] = calls((int)(r / 512 % 3) + 1, tokens);
        for (unsigned k = r / 512 % 3 + 1; k > 0; k--) {
          m[n++] = result(tokens / 2);
        }
      }
    }
    Err err = {0};
    Pruned p, q;
    PruneOptions o = {(long long)(seed >> 40) % 1200 + 1, (int)(seed >> 20 & 3) + 1,
                      (long long)(seed >> 24 & 255), NULL};
    if (prune_plan(m, n, &o, kept, &p, &err) == RC_OK) {
      if (p.n_dropped > 0) {
        check_plan(m, n, &o, kept, &p, "random");
        plans++;
      }
      assert_int_equal(prune_plan(m, n, &o, again, &q, &err), RC_OK);
      assert_memory_equal(kept, again, n);
    } else {
      check_error(&err, "limit", "raise it", "random");
    }
  }
  check(plans > 1000, "%d plans", plans);
}

/* An agent's single turn: its oldest complete groups go, in steps; the question, what was said between and the last group stay. */
static void test_groups_of_a_long_turn(void **state) {
  (void)state;
  static PruneMessage m[MOST];
  static unsigned char kept[MOST], before[MOST];
  size_t n = 0;
  int moves = 0;
  m[n++] = system_(100);
  m[n++] = user(50);
  for (int group = 0; group < 60; group++) {
    m[n++] = group % 20 == 7 ? says(5) : calls(0, 0); /* a remark; or a call that nobody answers */
    m[n++] = calls(2, 20);
    m[n++] = result(100);
    m[n++] = (PruneMessage){PRUNE_USER, 0, 0, 1, 80}; /* Anthropic's form */
    Err err = {0};
    Pruned p;
    PruneOptions o = {3000, 2, 0, NULL};
    assert_int_equal(prune_plan(m, n, &o, kept, &p, &err), RC_OK);
    check_plan(m, n, &o, kept, &p, "groups");
    assert_true(kept[0] && kept[1] && kept[n - 1] && kept[n - 2] && kept[n - 3]);
    check(p.n_dropped % 3 == 0, "%zu messages", p.n_dropped);
    for (size_t i = 0; i + 4 < n; i++) {
      check(m[i].role == PRUNE_TOOL || m[i].calls || m[i].results || kept[i], "said %zu", i);
      check(before[i] || !kept[i] || group == 0, "message %zu comes back", i);
    }
    moves += memcmp(before, kept, n - 4) != 0;
    memcpy(before, kept, n);
  }
  check(moves >= 5 && moves <= 8, "%d moves", moves); /* 60 groups of 200 less 2,850, by 1,425 */
}

/* What a user says beside results is never left out of the last turns; nor is a group that waits for another turn. */
static void test_groups_that_stay(void **state) {
  (void)state;
  PruneMessage m[] = {user(10),     calls(1, 10), {PRUNE_USER, PRUNE_SAYS, 0, 1, 100},
                      calls(1, 10), result(10),   calls(1, 10),
                      result(10)};
  unsigned char kept[COUNT(m)];
  Err err = {0};
  Pruned p;
  PruneOptions o = {145, 1, 1, NULL};
  assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_OK);
  check_plan(m, COUNT(m), &o, kept, &p, "says");
  assert_true(kept[1] && kept[2] && !kept[3] && !kept[4] && kept[5]);
  o.budget = 139;
  assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_TOOBIG);
  check_error(&err, "limit", "have 140", "the smallest size");
}

static void test_turns_taken_back(void **state) {
  (void)state;
  PruneMessage m[] = {says(5),     user(10), says(10), user(10), calls(1, 10),
                      result(200), says(10), user(10), says(10), user(10)};
  unsigned char kept[COUNT(m)];
  PruneTurn turns[COUNT(m)];
  Err err = {0};
  Pruned p;
  PruneOptions o = {20, 1, 1, NULL};
  m[1].flags = PRUNE_PINNED;
  assert_int_equal(prune_plan(m, COUNT(m), &o, kept, &p, &err), RC_OK);
  assert_int_equal(p.first, 9);
  size_t count = prune_turns(m, COUNT(m), p.first, turns);
  assert_int_equal(count, 3);
  assert_true(turns[0].from == 1 && turns[0].end == 3 && turns[1].end == 7 && turns[2].end == 9);
  turns[0].score = 1;
  turns[1].score = 3; /* does not fit */
  turns[2].score = 2;
  prune_take_back(m, COUNT(m), turns, count, 55, kept, &p);
  check_plan(m, COUNT(m), &(PruneOptions){55, 1, 1, NULL}, kept, &p, "back");
  assert_true(!kept[0] && kept[1] && kept[2] && !kept[3] && !kept[5] && kept[7] && kept[8]);
  assert_int_equal(p.tokens_after, 50);
}

/* By prices: turn by turn a cut is the one that later plans know, and a request costs no more than if it had not been cut. */
static void check_grown(const PrunePrices *prices, long long preface, int least_cuts) {
  static PruneMessage m[MOST];
  static unsigned char kept[MOST], before[MOST];
  size_t n = 0, n_before = 0;
  int cuts = 0;
  long long paid = 0, uncut = 0, sent_before = 0, whole_before = 0;
  m[n++] = system_(preface);
  for (int turn = 0; turn < 80; turn++) {
    long long tokens = 40 + turn * 37 % 200;
    m[n] = user(tokens);
    m[n++].flags = turn == 3 ? PRUNE_PINNED : 0;
    Err err = {0};
    Pruned p;
    const PruneOptions o = {0, 2, 0, prices};
    assert_int_equal(prune_plan(m, n, &o, kept, &p, &err), RC_OK);
    long long same = 0, is_same = 1;
    for (size_t i = 0; i < n_before && is_same; i++) {
      is_same = kept[i] == before[i];
      same += is_same && kept[i] ? m[i].tokens : 0;
    }
    long long known = is_same ? sent_before : same;
    long long read = known >= prices->floor ? known : 0;
    long long read_off = whole_before >= prices->floor ? whole_before : 0;
    paid += read * (long long)prices->read + (p.tokens_after - read) * (long long)prices->write;
    uncut += read_off * (long long)prices->read +
             (p.tokens_before - read_off) * (long long)prices->write;
    check(paid <= uncut, "turn %d: %lld, uncut %lld", turn, paid, uncut);
    check(p.n_dropped == 0 || kept[n - 3], "turn %d: the last turns stay", turn);
    check(turn < 3 || kept[7], "turn %d: what is pinned stays", turn);
    cuts += !is_same;
    memcpy(before, kept, n);
    n_before = n;
    sent_before = p.tokens_after;
    whole_before = p.tokens_before;
    m[n++] = says(tokens * 3);
  }
  check(cuts >= least_cuts, "%d cuts", cuts);
}

static void test_by_prices(void **state) {
  (void)state;
  check_grown(&(PrunePrices){1, 10, 1024}, 300, 2);
  check_grown(&(PrunePrices){2, 25, 1024}, 2000, 2);
  check_grown(&(PrunePrices){1, 2, 1024}, 300, 4);
  check_grown(&(PrunePrices){1, 50, 64}, 300, 0);
  check_grown(&(PrunePrices){1, 1, 0}, 300, 70); /* nothing is cached: the last turns alone */
}

static void test_options(void **state) {
  (void)state;
  const PruneMessage m[] = {user(10), says(10)};
  unsigned char kept[2];
  static const struct {
    PruneOptions o;
    const char *says;
  } cases[] = {{{0, 1, 0, NULL}, "give 1 or more"},
               {{10, 0, 0, NULL}, "last turn always stays"},
               {{10, 1, -1, NULL}, "half of the room"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    Pruned p;
    prune_plan(m, 2, &cases[i].o, kept, &p, &err);
    check_error(&err, "bad_option", cases[i].says, "options");
  }
  Err err = {0};
  Pruned p;
  PruneOptions o = {1, 1, 0, NULL};
  assert_int_equal(prune_plan(m, 0, &o, kept, &p, &err), RC_OK);
  assert_int_equal(p.n_kept, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pairs_at_every_budget),
      cmocka_unit_test(test_late_results),
      cmocka_unit_test(test_pinned),
      cmocka_unit_test(test_steps),
      cmocka_unit_test(test_random),
      cmocka_unit_test(test_groups_of_a_long_turn),
      cmocka_unit_test(test_groups_that_stay),
      cmocka_unit_test(test_turns_taken_back),
      cmocka_unit_test(test_by_prices),
      cmocka_unit_test(test_options),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
