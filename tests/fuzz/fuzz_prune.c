/*
** A budget, steps and turns to keep, a text that says what a summary may, and behind it an array of messages in OpenAI's or Anthropic's form.
**
** Holds: messages lie in the text, in order; whatever is kept has each result behind its call and each call with all of its results, and fits
** the budget; turns are taken back whole; what is left of a summary is of its own bytes, in their order, and holds the same when mended
** again; what is written for reading is UTF-8.
*/
#include "fuzz.h"

#include "core/history/prune.h"
#include "work/prune/orders.h"
#include "work/prune/turns_related.h"

static void check_places(const Turns *t, size_t n) {
  size_t end = 0;
  for (size_t i = 0; i < t->n; i++) {
    const Turn *x = &t->at[i];
    require(x->from > end && x->n >= 2 && x->from + x->n < n);
    require(t->text[x->from] == '{' && t->text[x->from + x->n - 1] == '}');
    require(x->plan.tokens >= 0 && x->plan.calls >= 0 && x->plan.results >= 0);
    end = x->from + x->n;
  }
}

static void check_kept(const PruneMessage *m, size_t n, const unsigned char *kept, const Pruned *p,
                       long long budget) {
  long long tokens = 0;
  int open = 0, waits = 0;
  for (size_t i = 0; i < n; i++) {
    tokens += kept[i] ? m[i].tokens : 0;
    open += kept[i] ? m[i].calls - m[i].results : 0;
    waits += m[i].calls - m[i].results;
    require(open >= 0 && open <= waits);
    require(kept[i] || m[i].role != PRUNE_SYSTEM);
  }
  require(tokens == p->tokens_after && tokens <= budget);
}

static void check_plan(const Turns *t, const PruneOptions *o) {
  PruneMessage *plans = calloc(t->n, sizeof *plans);
  PruneTurn *turns = calloc(t->n, sizeof *turns);
  unsigned char *kept = calloc(t->n, 1);
  Pruned p;
  Err err = {0};
  require(plans && turns && kept);
  for (size_t i = 0; i < t->n; i++) {
    plans[i] = t->at[i].plan;
  }
  if (prune_plan(plans, t->n, o, kept, &p, &err) == RC_OK) {
    check_kept(plans, t->n, kept, &p, o->budget);
    size_t count = prune_turns(plans, t->n, p.first, turns);
    require(turns_relate(t, turns, count, &err) == RC_OK);
    prune_take_back(plans, t->n, turns, count, o->budget, kept, &p);
    check_kept(plans, t->n, kept, &p, o->budget);
  }
  check_err(&err);
  free(plans);
  free(turns);
  free(kept);
}

static void check_summary(const char *text, size_t n, const Buf *source) {
  Err err = {0};
  size_t n_once, n_twice, cut, k = 0;
  const char *of = source->data ? source->data : "";
  char *once = orders_mend(text, n, of, source->n, &n_once, &cut, &err);
  require(once && strlen(once) <= n_once);
  for (size_t i = 0; i < n && k < n_once; i++) {
    k += text[i] == once[k];
  }
  require(k == n_once && (cut > 0 || n_once <= n));
  char *twice = orders_mend(once, n_once, of, source->n, &n_twice, &cut, &err);
  require(twice && n_twice <= n_once);
  free(once);
  free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  PruneOptions o = {.budget = 1, .keep = 1};
  size_t n_summary, n, bad_at;
  TokenRule rule;
  Turns t;
  Buf b;
  Err err = {0};
  if (size < 3) {
    return 0;
  }
  o.budget = 1 + data[0] * 4;
  o.keep = 1 + data[1] % 4;
  o.step = data[2];
  in.at += 3;
  in.n -= 3;
  char *summary = take_text(&in, &n_summary), *text = take_rest(&in, &n);
  tokens_rule("gpt-4o", &rule);
  buf_init(&b, LIMIT_REQUEST_BYTES);
  if (turns_read(text, n, &rule, &t, &err) == RC_OK) {
    check_places(&t, n);
    check_plan(&t, &o);
    for (size_t i = 0; i < t.n; i++) {
      turns_write(&t.at[i], &b);
    }
    require(!b.failed && (b.n == 0 || utf8_is_valid(b.data, b.n, &bad_at)));
  }
  check_err(&err);
  check_summary(summary, n_summary, &b);
  turns_free(&t);
  buf_free(&b);
  free(summary);
  free(text);
  return 0;
}
