/*
** See selfhost.h for the contract. Sums are doubles of nano-dollars, whole after every rounding: what a request costs is a mean, and a
** month of them may be more than 2^53.
*/
#include "work/economics/selfhost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double nusd(double usd) {
  return round(usd * 1e9);
}

static double dollars(double in_nusd) {
  return in_nusd / 1e9;
}

/* 1 if so little is spent at the API that the rule of thumb speaks against machines. */
static int is_below_rule(const Selfhost *s) {
  return dollars(s->lines[0].cost) < ECONOMICS_OPS_DOMINATE_USD;
}

/* ---- the lines */

static SelfhostLine *add_line(Selfhost *s, const char *name, SelfhostKind kind) {
  SelfhostLine *l = &s->lines[s->n++];
  *l = (SelfhostLine){.kind = kind,
                      .instances = (double)NAN,
                      .gpus = (double)NAN,
                      .utilisation = (double)NAN,
                      .break_even = (double)NAN,
                      .break_even_with_ops = (double)NAN};
  snprintf(l->name, sizeof l->name, "%s", name);
  return l;
}

/* What there is to pay, once `each`, `hosting` and `ops` stand there. */
static void add_up(const Selfhost *s, SelfhostLine *l) {
  l->requests = round(l->each * s->traffic.requests);
  l->cost = l->hosting + l->requests;
  l->total = l->cost + l->ops;
  l->saved = s->lines[0].cost - l->cost;
  l->saved_with_ops = s->lines[0].cost - l->total;
}

static void add_api(Selfhost *s) {
  SelfhostLine *l = add_line(s, s->traffic.model[0] ? s->traffic.model : "API", SELFHOST_API);
  l->each = s->traffic.nusd_each;
  snprintf(l->price_from, sizeof l->price_from, "%s", s->traffic.price_from);
  snprintf(l->why, sizeof l->why, "what the others are compared with");
  l->verdict = ECONOMICS_YES;
  add_up(s, l);
}

static int add_serverless(Conn *conn, Selfhost *s, const SelfhostAsk *ask, Err *err) {
  static const char hint[] = " (of 'serverless': {\"model\":…,\"provider\":…})";
  const Traffic *t = &s->traffic;
  const PriceOf of = {ask->serverless.model, ask->serverless.provider, ask->traffic.list, hint};
  static const char say[] = "the price of 'serverless' needs the mean tokens of a request";
  SelfhostLine *l = add_line(s, ask->serverless.model, SELFHOST_SERVERLESS);
  if (economics_need(t->input_tokens, "input_tokens", say, err) != RC_OK ||
      economics_need(t->output_tokens, "output_tokens", say, err) != RC_OK ||
      economics_price(conn, &of, t->input_tokens, t->output_tokens, &l->each, err) != RC_OK) {
    return err->rc;
  }
  add_up(s, l);
  l->break_even = l->break_even_with_ops = economics_break_even(0, t->nusd_each - l->each);
  l->verdict = l->each < t->nusd_each ? ECONOMICS_YES : ECONOMICS_NEVER;
  snprintf(l->price_from, sizeof l->price_from, "price of %.10g input and %.10g output tokens",
           t->input_tokens, t->output_tokens);
  snprintf(l->why, sizeof l->why,
           l->verdict == ECONOMICS_YES ? "saves $%.2f a month and runs no machines"
                                       : "costs $%.2f a month more",
           dollars(fabs(l->saved)));
  return RC_OK;
}

/* ---- hosting */

/* Never; because of what. */
static void say_never(const Selfhost *s, SelfhostLine *l, const HostingCase *h) {
  if (h->saved_each <= 0) {
    snprintf(l->why, sizeof l->why,
             "a request costs $%.9g here and $%.9g at the API: no volume pays for a machine",
             dollars(l->each), dollars(s->traffic.nusd_each));
  } else {
    snprintf(l->why, sizeof l->why,
             "never breaks even: a full instance serves %.0f requests for $%.2f; at the API they "
             "cost $%.2f more than here",
             h->capacity, dollars(h->fixed), dollars(h->saved_each * h->capacity));
  }
}

/* What speaks for it and against it at this volume, as its verdict says. */
static void say_why(const Selfhost *s, SelfhostLine *l) {
  const char *rule = is_below_rule(s)
                         ? "operations usually cost more than that below about $5,000 a "
                           "month of API spend"
                         : "say what these cost ('ops_usd_per_month')";
  if (s->traffic.requests < l->break_even) {
    snprintf(l->why, sizeof l->why, "breaks even at %.0f requests a month; there are %.0f",
             ceil(l->break_even), s->traffic.requests);
  } else if (l->saved <= 0) {
    snprintf(l->why, sizeof l->why, "with %.0f instances it costs $%.2f a month more than the API",
             l->instances, dollars(fabs(l->saved)));
  } else if (isnan(l->ops)) {
    snprintf(l->why, sizeof l->why, "saves $%.2f a month before operations: %s", dollars(l->saved),
             rule);
  } else if (l->saved_with_ops > 0) {
    snprintf(l->why, sizeof l->why, "saves $%.2f a month, operations included",
             dollars(l->saved_with_ops));
  } else {
    snprintf(l->why, sizeof l->why, "operations take $%.2f a month of the $%.2f that it saves",
             dollars(l->ops), dollars(l->saved));
  }
}

static EconomicsVerdict judge(const Selfhost *s, const SelfhostLine *l) {
  if (isnan(l->break_even)) {
    return ECONOMICS_NEVER;
  }
  if (l->saved <= 0 || s->traffic.requests < l->break_even) {
    return ECONOMICS_NO;
  }
  if (isnan(l->ops)) {
    return is_below_rule(s) ? ECONOMICS_NO : ECONOMICS_DEPENDS;
  }
  return l->saved_with_ops > 0 ? ECONOMICS_YES : ECONOMICS_NO;
}

static void add_hosted(Selfhost *s, const SelfhostAsk *ask, const Hosting *way) {
  SelfhostLine *l = add_line(s, way->name, SELFHOST_HOSTED);
  double capacity =
      isnan(way->requests_each) ? (double)INFINITY : way->requests_each * ask->utilisation;
  double ops = isnan(way->ops_usd) ? ask->ops_usd : way->ops_usd;
  HostingCase h = {.fixed = nusd(way->usd_per_month) * way->gpus, .capacity = capacity};
  l->each = isnan(way->usd_each) ? 0 : way->usd_each * 1e9;
  l->ops = nusd(ops);
  l->instances = economics_instances(s->traffic.requests, capacity);
  l->gpus = l->instances * way->gpus;
  l->utilisation = s->traffic.requests / (l->instances * way->requests_each);
  l->hosting = l->instances * h.fixed;
  add_up(s, l);
  h.saved_each = s->traffic.nusd_each - l->each;
  l->break_even = economics_hosting_break_even(&h);
  h.ops = l->ops;
  l->break_even_with_ops = isnan(l->ops) ? (double)NAN : economics_hosting_break_even(&h);
  l->verdict = judge(s, l);
  snprintf(l->price_from, sizeof l->price_from, "%s",
           isnan(way->requests_each)
               ? "as given; one instance, for 'requests_per_month_each' is not said"
               : "as given");
  l->verdict == ECONOMICS_NEVER ? say_never(s, l, &h) : say_why(s, l);
}

/* ---- all of it */

static int fill(Conn *conn, Selfhost *s, const SelfhostAsk *ask, Err *err) {
  if (economics_traffic(conn, &ask->traffic, &s->traffic, err) != RC_OK) {
    return err->rc;
  }
  add_api(s);
  int is_small = is_below_rule(s);
  snprintf(s->rule, sizeof s->rule, "$%.2f a month at the API is %s about $%.0f: %s",
           dollars(s->lines[0].cost), is_small ? "below" : "above", ECONOMICS_OPS_DOMINATE_USD,
           is_small ? "operations dominate; serverless first"
                    : "hosting may pay; serverless is the midpoint");
  if (ask->serverless.model[0] && add_serverless(conn, s, ask, err) != RC_OK) {
    return err->rc;
  }
  for (int i = 0; i < ask->n_hosting; i++) {
    add_hosted(s, ask, &ask->hosting[i]);
  }
  return RC_OK;
}

Selfhost *selfhost_new(Conn *conn, const SelfhostAsk *ask, Err *err) {
  Selfhost *s = calloc(1, sizeof *s);
  if (!s) {
    err_nomem(err);
  } else if (fill(conn, s, ask, err) != RC_OK) {
    free(s);
    s = NULL;
  }
  return s;
}
