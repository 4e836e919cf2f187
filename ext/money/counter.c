/*
** Rules and what bills teach. See counter.h for the contract.
**
** A factor is kept with the connection. Whether the ledger has grown is asked at most once a
** second, and it is read again only when there are a tenth more rows than the factor was learned
** from, but at least five: a query over a million rows reads it once. A ledger that could not be looked at
** is an error and teaches nothing: the next question looks again.
*/
#include "money/counter.h"

#include "store/bills.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_EVERY_MS = 1000, GROWN_AT_LEAST = 5, GROWN_SHARE = 10, SHORTEST = 8 };

/* How many tokens a model that is estimated bills, as the ledger taught. */
typedef struct Learned {
  struct Learned *next;
  char *model;
  double factor;      /* where n > 0 */
  int n;              /* bills it was learned from */
  long long newest;   /* id of the ledger then */
  long long asked_ms; /* when the ledger was last asked whether it has grown; 0: never */
} Learned;

/* What hangs on the connection. */
typedef struct Counter {
  Learned *learned;
  EncodingCache *pieces; /* of texts counted lately; NULL until needed */
} Counter;

static void free_counter(void *slot) {
  Counter *k = slot;
  for (Learned *l = k->learned, *next; l; l = next) {
    next = l->next;
    free(l->model);
    free(l);
  }
  free(k->pieces);
}

static const ConnSlot slot_type = {sizeof(Counter), NULL, NULL, free_counter};

typedef struct Lesson {
  const TokenRule *rule;
  TokenSample samples[LIMIT_BILLS];
  int n;
  int failed; /* a text could not be counted: no memory */
} Lesson;

/* Notes one bill; very short texts say more about the overhead than about words. */
static void take_bill(void *arg, const Bill *bill) {
  Lesson *l = arg;
  long long system = 0, counted = encoding_count(l->rule->encoding, bill->prompt, bill->n_prompt,
                                                 l->rule->cache);
  if (bill->system) {
    system = encoding_count(l->rule->encoding, bill->system, bill->n_system, l->rule->cache);
  }
  if (counted < 0 || system < 0) {
    l->failed = 1;
    return;
  }
  counted += system;
  long long billed = bill->input_tokens - tokens_overhead(l->rule, 1 + (bill->system != NULL));
  if (l->n < LIMIT_BILLS && counted >= SHORTEST && billed > 0) {
    l->samples[l->n++] = (TokenSample){(double)counted, (double)billed};
  }
}

/* What is known of a model, in a list of at most LIMIT_TAUGHT_MODELS. NULL: the list is full, and the prior
** serves; or *err. */
static Learned *find(Conn *c, const char *model, Err *err) {
  Counter *k = conn_slot(c, &slot_type, err);
  int n = 0;
  for (Learned *l = k ? k->learned : NULL; l; l = l->next, n++) {
    if (strcmp(l->model, model) == 0) {
      return l;
    }
  }
  Learned *l = k && n < LIMIT_TAUGHT_MODELS ? calloc(1, sizeof *l) : NULL;
  char *name = l ? strdup(model) : NULL;
  if (!name) {
    if (n < LIMIT_TAUGHT_MODELS) {
      err_nomem(err);
    }
    free(l);
    return NULL;
  }
  l->model = name;
  l->next = k->learned;
  k->learned = l;
  return l;
}

/* Reads the bills of a model again if there are enough new rows. */
static void learn(Bills *bills, Learned *l, const TokenRule *rule, Err *err) {
  long long newest = 0;
  if (bills_newest(bills, &newest, err) != RC_OK) {
    return;
  }
  long long grown = l->n / GROWN_SHARE > GROWN_AT_LEAST ? l->n / GROWN_SHARE : GROWN_AT_LEAST;
  if (newest >= l->newest && newest < l->newest + grown) {
    return;
  }
  Lesson *lesson = malloc(sizeof *lesson);
  if (!lesson) {
    err_nomem(err);
    return;
  }
  lesson->rule = rule;
  lesson->n = lesson->failed = 0;
  if (bills_read(bills, l->model, take_bill, lesson, err) == RC_OK && lesson->failed) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    l->newest = newest;
    l->n = lesson->n;
    l->factor = tokens_learn(lesson->samples, lesson->n, rule->factor);
  }
  free(lesson);
}

/* The ledger of this connection: as bills_open, and bills_close in each case. */
static int open_bills(Conn *c, Bills *bills, Err *err) {
  Store *store = conn_open_store(c);
  char *path = store ? NULL : conn_store_file(c, err);
  *bills = (Bills){0};
  int found = err->rc != RC_OK ? -1 : bills_open(bills, store, path, &c->host, err);
  sqlite3_free(path);
  return found;
}

/* Puts the learned factor in place of the prior. */
static int apply_lessons(Conn *c, const char *model, TokenRule *rule, Err *err) {
  Learned *l = find(c, model, err);
  long long now = now_ms();
  if (!l) {
    return err->rc;
  }
  if (l->asked_ms == 0 || now - l->asked_ms >= ASK_EVERY_MS || now < l->asked_ms) {
    Bills bills;
    if (open_bills(c, &bills, err) == 1) {
      learn(&bills, l, rule, err);
    }
    bills_close(&bills);
    l->asked_ms = err->rc == RC_OK ? now : l->asked_ms;
  }
  rule->factor = l->n > 0 ? l->factor : rule->factor;
  return err->rc;
}

/* The connection's cache of pieces; NULL without memory, which only costs time. */
static EncodingCache *cache_of(Conn *c) {
  Err ignored = {0};
  Counter *k = conn_slot(c, &slot_type, &ignored);
  if (k && !k->pieces) {
    k->pieces = calloc(1, sizeof *k->pieces);
  }
  return k ? k->pieces : NULL;
}

int counter_model_rule(Conn *c, const Model *model, TokenRule *rule, Err *err) {
  tokens_rule_declared(model->name, model->supports, rule, err);
  rule->cache = cache_of(c);
  if (err->rc == RC_OK && !rule->is_exact) {
    apply_lessons(c, model->name, rule, err);
  }
  return err->rc;
}

int counter_rule(Conn *c, const char *model, TokenRule *rule, Err *err) {
  Model known = {.name = model};
  Err unknown = {0};
  tokens_rule(model, rule);
  rule->cache = cache_of(c);
  if (!model || !model[0] || encoding_parse(model) >= 0) {
    return RC_OK;
  }
  const Config *config = conn_config(c, err);
  if (!config) {
    return err->rc;
  }
  if (config_row(config, model, &known, &unknown) == RC_OK) {
    counter_model_rule(c, &known, rule, err);
    config_model_free(&known);
  } else if (unknown.code != ERR_UNKNOWN_MODEL) {
    *err = unknown;
  } else if (!rule->is_exact) {
    apply_lessons(c, model, rule, err);
  }
  return err->rc;
}

int counter_typical_output(Conn *c, const TypicalAsk *ask, Typical *typical, Err *err) {
  Bills bills;
  *typical = (Typical){.reasoning = -1};
  if (open_bills(c, &bills, err) == 1) {
    bills_typical(&bills, ask, typical, err);
  }
  bills_close(&bills);
  return err->rc;
}
