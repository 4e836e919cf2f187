/*
** See finetune.h for the contract.
*/
#include "work/economics/finetune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a tuned call costs */

/* "ft:gpt-4o-mini": so a tuned model is called, and priced in the catalogue. */
static void name_tuned(const char *model, char *out, size_t size) {
  snprintf(out, size, "%s%s", strncmp(model, "ft:", 3) == 0 ? "" : "ft:", model);
}

static int price_by_tokens(Conn *conn, const FinetuneAsk *ask, const Candidate *c, double tokens[2],
                           FinetuneLine *l, Err *err) {
  static const char hint[] = "; or give 'tuned_price' or 'usd_per_1k_tuned'";
  char tuned[LIMIT_MODEL_NAME + 3];
  name_tuned(c->model, tuned, sizeof tuned);
  const PriceOf of = {tuned, c->provider, ask->traffic.list, hint};
  int is_given = !isnan(c->input_price);
  snprintf(l->price_from, sizeof l->price_from, "%.80s for %.10g input and %.10g output tokens%s%s",
           is_given ? "the price given" : tuned, tokens[0], tokens[1],
           !is_given && ask->traffic.list[0] ? ", list " : "", is_given ? "" : ask->traffic.list);
  if (is_given) {
    l->each = 1e3 * (c->input_price * tokens[0] + c->output_price * tokens[1]);
    return RC_OK;
  }
  return economics_price(conn, &of, tokens[0], tokens[1], &l->each, err);
}

static int price_candidate(Conn *conn, const FinetuneAsk *ask, const Traffic *t, const Candidate *c,
                           FinetuneLine *l, Err *err) {
  double tokens[2] = {isnan(c->input_tokens) ? t->input_tokens : c->input_tokens, t->output_tokens};
  if (!isnan(c->usd_per_1k)) {
    l->each = c->usd_per_1k * 1e6;
    snprintf(l->price_from, sizeof l->price_from, "as given");
    return RC_OK;
  }
  if (!c->model[0]) {
    return err_set(
        err, RC_ERROR, ERR_BAD_OPTION,
        "option 'to' is missing: name the model that is to be tuned, or give 'usd_per_1k_tuned'");
  }
  return economics_need(tokens[0], "tuned_input_tokens",
                        "the tuned model's price needs the tokens of its prompt, or give "
                        "'usd_per_1k_tuned'",
                        err) == RC_OK &&
                 economics_need(tokens[1], "output_tokens",
                                "the tuned model's price needs them, or give 'usd_per_1k_tuned'",
                                err) == RC_OK
             ? price_by_tokens(conn, ask, c, tokens, l, err)
             : err->rc;
}

/* ---- why */

/* Reasons in the order in which they are told. */
static const struct {
  unsigned bit;
  const char *text;
} reasons[] = {
    {TUNING_SAVES_NOTHING, "a tuned call costs no less than one does now"},
    {TUNING_FEW_EXAMPLES, "fewer than 500 good examples: collect more first"},
    {TUNING_UNSTABLE, "requirements change sooner than it would be tuned again"},
    {TUNING_SLOW, "too little volume: it does not pay back in time ('within_months')"},
    {TUNING_EXAMPLES_UNSAID, "500 good examples are needed: say how many there are ('examples')"},
    {TUNING_STABLE_UNSAID, "requirements must hold for weeks: say whether they do ('stable')"},
};

static void say_why(unsigned bits, const FinetuneLine *l, char *out, size_t size) {
  size_t n = 0;
  if (!(bits & (TUNING_SAVES_NOTHING | TUNING_SLOW))) {
    n += (size_t)snprintf(out, size, "pays back in %.1f months at the most", l->months[1]);
  }
  for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && n < size; i++) {
    if (bits & reasons[i].bit) {
      n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "; " : "", reasons[i].text);
    }
  }
}

/* ---- the lines */

/* What a candidate does not say of itself. */
static Candidate complete(const Candidate *own, const Candidate *all) {
  Candidate c = *own;
  int has_price = !isnan(c.input_price) || !isnan(c.usd_per_1k);
  c.input_price = has_price ? c.input_price : all->input_price;
  c.output_price = has_price ? c.output_price : all->output_price;
  c.usd_per_1k = has_price ? c.usd_per_1k : all->usd_per_1k;
  c.input_tokens = isnan(c.input_tokens) ? all->input_tokens : c.input_tokens;
  if (isnan(c.setup_low)) {
    c.setup_low = all->setup_low;
    c.setup_high = all->setup_high;
  }
  return c;
}

static int add_candidate(Conn *conn, Finetune *f, const FinetuneAsk *ask, const Candidate *own,
                         Err *err) {
  const Candidate c = complete(own, &ask->all);
  FinetuneLine *l = &f->lines[f->n++];
  snprintf(l->name, sizeof l->name, "%s", c.name[0] ? c.name : c.model[0] ? c.model : "tuned");
  if (economics_need(c.setup_low, "setup_usd",
                     "say what tuning costs, as dollars or as [low, high]", err) != RC_OK ||
      price_candidate(conn, ask, &f->traffic, &c, l, err) != RC_OK) {
    return err->rc;
  }
  l->saved_each = f->traffic.nusd_each - l->each;
  l->saved = round(l->saved_each * f->traffic.requests);
  l->setup[0] = round(c.setup_low * 1e9);
  l->setup[1] = round(c.setup_high * 1e9);
  for (int i = 0; i < 2; i++) {
    l->calls[i] = economics_break_even(l->setup[i], l->saved_each);
    l->months[i] = f->traffic.requests > 0 ? l->calls[i] / f->traffic.requests : (double)NAN;
  }
  const TuningCase facts = {l->saved_each, l->months[1], ask->within, ask->examples, ask->stable};
  unsigned bits = economics_tuning_reasons(&facts);
  l->verdict = economics_tuning_verdict(bits);
  say_why(bits, l, l->why, sizeof l->why);
  return RC_OK;
}

static int fill(Conn *conn, Finetune *f, const FinetuneAsk *ask, Err *err) {
  TrafficAsk traffic = ask->traffic;
  traffic.usd_each = ask->usd_per_1k_now / 1e3;
  if (economics_traffic(conn, &traffic, &f->traffic, err) == RC_OK && ask->n_to == 0) {
    add_candidate(conn, f, ask, &ask->all, err);
  }
  for (int i = 0; i < ask->n_to && err->rc == RC_OK; i++) {
    add_candidate(conn, f, ask, &ask->to[i], err);
  }
  return err->rc;
}

Finetune *finetune_new(Conn *conn, const FinetuneAsk *ask, Err *err) {
  Finetune *f = calloc(1, sizeof *f);
  if (!f) {
    err_nomem(err);
  } else if (fill(conn, f, ask, err) != RC_OK) {
    free(f);
    f = NULL;
  }
  return f;
}
