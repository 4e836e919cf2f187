/*
** Price resolution over the user's tables. See pricing.h for the contract.
*/
#include "call/pricing.h"

#include "core/price/catalogue.h"
#include "base/hash.h"
#include "core/names/model_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED_SLOT (-0x6c6c7072)

/* Prices that held for a request, and for others like it. */
typedef struct Held {
  PriceSet set;
  char service[USAGE_WORD], geo[USAGE_WORD];
  int filled;
} Held;

enum { HELD = 2 }; /* tables mix requests on both sides of a tier */

/* A name that was found, and the prices that held last. */
typedef struct Entry {
  char *key; /* model, provider and list, each ended by NUL */
  size_t n_key;
  char *word; /* of the provider, or NULL */
  int known;
  PriceRef ref;
  Held held[HELD];
  int oldest;
} Entry;

/* What hangs on the connection. */
typedef struct Pricing {
  unsigned serial; /* of the configuration that the entries belong to */
  Entry *slots[LIMIT_PRICED_MODELS];
  int n;
  PriceRef too_long; /* of a name that no model can have */
} Pricing;

/* ---- freshness */

int pricing_refresh(Conn *conn, sqlite3_context *ctx, Err *err) {
  static char checked;
  int is_checked = ctx && sqlite3_get_auxdata(ctx, CHECKED_SLOT) && conn->config;
  if ((!is_checked && !conn_config(conn, err)) ||
      config_prices(conn->db, conn->config, err) != RC_OK) {
    return err->rc;
  }
  if (ctx && !is_checked) {
    sqlite3_set_auxdata(ctx, CHECKED_SLOT, &checked, NULL);
  }
  return RC_OK;
}

/* ---- entries */

static void free_entry(Entry *e) {
  if (e) {
    free(e->key);
    free(e->word);
    free(e);
  }
}

static void forget(Pricing *p) {
  for (int i = 0; i < LIMIT_PRICED_MODELS; i++) {
    free_entry(p->slots[i]);
    p->slots[i] = NULL;
  }
  p->n = 0;
}

static void free_pricing(void *slot) {
  forget(slot);
}

static const ConnSlot slot_type = {sizeof(Pricing), NULL, NULL, free_pricing};

/* The provider of the row in llm_models that a name means, or NULL; also where another spelling of the
** row's name has another seller's prefix. */
static const char *provider_of(const Config *config, const char *model) {
  char lower[LIMIT_MODEL_NAME];
  const Vendor *told;
  const char *provider = NULL;
  int best = 0;
  for (int i = 0; i < config->n_models && best < 3; i++) {
    int match = model_name_match(model, config->models[i].name);
    if (match > best) {
      best = match;
      provider = config->models[i].provider;
    }
  }
  model_name_lower(model, lower, sizeof lower);
  book_bare_name(lower, &told);
  return best < 3 && told && provider && told != vendor_by_word(provider) ? NULL : provider;
}

/* The books that are asked: the single rows, then the lists, or the one that is named. How many; 0
** without memory. */
static int choose_books(const Config *config, const char *list, const PriceBook **books) {
  static const PriceBook none = {.list = ""};
  const PriceBook *catalogue = catalogue_prices();
  int n = 1;
  if (!catalogue) {
    return 0;
  }
  books[0] = list && list[0] ? &none : &config->books[0];
  for (int i = 1; i < config->n_books && n < LIMIT_PRICE_LISTS; i++) {
    if (!list || strcmp(list, config->books[i].list) == 0) {
      books[n++] = &config->books[i];
    }
  }
  if (!list || strcmp(list, catalogue->list) == 0) {
    books[n++] = catalogue;
  }
  return n;
}

/* NULL without memory: nothing is known of the name then. */
static Entry *make_entry(Conn *conn, const PricingAsk *ask, const char *key, size_t n_key) {
  const PriceBook *books[LIMIT_PRICE_LISTS + 1];
  const char *word = ask->provider ? ask->provider : provider_of(conn->config, ask->model);
  int n = choose_books(conn->config, ask->list, books);
  Entry *e = n > 0 ? calloc(1, sizeof *e) : NULL;
  if (e) {
    e->key = malloc(n_key);
    e->word = word ? strdup(word) : NULL;
  }
  if (!e || !e->key || (word && !e->word)) {
    free_entry(e);
    return NULL;
  }
  memcpy(e->key, key, n_key);
  e->n_key = n_key;
  Seller seller = {word ? vendor_by_word(word) : NULL, e->word};
  e->known = price_find(books, n, seller, ask->model, &e->ref);
  return e;
}

/* model, provider and list as one key; 0 if it is longer than any name. */
static size_t key_of(const PricingAsk *ask, char *key, size_t size) {
  const char *parts[] = {ask->model, ask->provider ? ask->provider : "",
                         ask->list ? ask->list : ""};
  size_t n = 0;
  for (int i = 0; i < 3; i++) {
    size_t len = strlen(parts[i]) + 1;
    if (n + len > size) {
      return 0;
    }
    memcpy(key + n, parts[i], len);
    n += len;
  }
  return n;
}

static Entry *entry_of(Conn *conn, Pricing *p, const PricingAsk *ask, const char *key, size_t n_key,
                       Err *err) {
  if (p->serial != conn->config->serial || p->n > LIMIT_PRICED_MODELS / 2) {
    forget(p);
    p->serial = conn->config->serial;
  }
  unsigned at = (unsigned)hash_short(key, n_key) % LIMIT_PRICED_MODELS;
  while (p->slots[at] &&
         (p->slots[at]->n_key != n_key || memcmp(p->slots[at]->key, key, n_key) != 0)) {
    at = (at + 1) % LIMIT_PRICED_MODELS;
  }
  if (!p->slots[at]) {
    p->slots[at] = make_entry(conn, ask, key, n_key);
    p->n += p->slots[at] != NULL;
  }
  if (!p->slots[at]) {
    err_nomem(err);
  }
  return p->slots[at];
}

/* ---- prices */

static int still_holds(const Held *h, const PriceWhen *when) {
  const PriceSet *s = &h->set;
  return h->filled && s->from_ms <= when->at_ms && when->at_ms < s->to_ms &&
         s->above < when->input_tokens && when->input_tokens <= s->up_to &&
         strcmp(h->service, when->service) == 0 && strcmp(h->geo, when->geo) == 0;
}

static const PriceSet *set_for(Entry *e, const PriceWhen *when) {
  for (int i = 0; i < HELD; i++) {
    if (still_holds(&e->held[i], when)) {
      return &e->held[i].set;
    }
  }
  Held *h = &e->held[e->oldest];
  e->oldest = (e->oldest + 1) % HELD;
  price_select(&e->ref, when, &h->set);
  snprintf(h->service, sizeof h->service, "%s", when->service);
  snprintf(h->geo, sizeof h->geo, "%s", when->geo);
  h->filled = 1;
  return &h->set;
}

int pricing_find(Conn *conn, const PricingAsk *ask, long long input_tokens, const char *service,
                 const char *geo, PricingFound *found, Err *err) {
  char key[2 * LIMIT_MODEL_NAME];
  size_t n_key = key_of(ask, key, sizeof key);
  PriceWhen when = {ask->at_ms, input_tokens, service, geo};
  Pricing *p = conn_slot(conn, &slot_type, err);
  if (!p) {
    return -1;
  }
  if (n_key == 0) {
    PriceRef *ref = &p->too_long;
    model_name_lower(ask->model, ref->name, sizeof ref->name);
    *found = (PricingFound){ref, NULL};
    return 0;
  }
  Entry *e = entry_of(conn, p, ask, key, n_key, err);
  if (!e) {
    return -1;
  }
  *found = (PricingFound){&e->ref, e->known ? set_for(e, &when) : NULL};
  return e->known;
}

int pricing_cost(Conn *conn, const PricingAsk *ask, const Usage *u, Cost *cost, char *why,
                 size_t size, Err *err) {
  PricingFound found;
  long long input = usage_get(u, UNIT_INPUT);
  *cost = 0;
  snprintf(why, size, "%s", "");
  int known =
      pricing_find(conn, ask, input == USAGE_UNKNOWN ? 0 : input, u->service, u->geo, &found, err);
  if (known != 1) {
    return known < 0 ? -2 : 0;
  }
  if (found.set->missing) {
    snprintf(why, size, "%s ('%s')", found.set->missing, u->geo[0] ? u->geo : u->service);
    return 0;
  }
  return price_cost(found.set, u, cost, why, size);
}

PricingAsk pricing_ask_of_part(const PricingAsk *ask, const UsagePart *part, const char *seller) {
  PricingAsk of_part = *ask;
  if (part->model[0] && !strstr(ask->model, part->model)) {
    of_part.model = part->model;
    of_part.provider = ask->provider ? ask->provider : seller;
  }
  return of_part;
}

/* ---- unknown names */

/* The two names nearest to one, of a provider (NULL: of all). (That there is none was found in the
** catalogue, so it is there.) */
static void find_nearest(const char *name, const char *provider, const char *best[2]) {
  static const PriceModels none = {NULL, 0};
  const PriceBook *catalogue = catalogue_prices();
  const PriceModels *models = catalogue ? &catalogue->models : &none;
  int distance[2] = {1000, 1000};
  for (int i = 0; i < models->n; i++) {
    const char *known = models->at[i].name;
    int d = model_name_distance(name, known, 1000);
    if ((provider && strcmp(models->at[i].provider, provider) != 0) ||
        (best[0] && strcmp(known, best[0]) == 0) || (best[1] && strcmp(known, best[1]) == 0)) {
      continue;
    }
    if (d < distance[0]) {
      best[1] = best[0];
      distance[1] = distance[0];
      best[0] = known;
      distance[0] = d;
    } else if (d < distance[1]) {
      best[1] = known;
      distance[1] = d;
    }
  }
}

int pricing_unknown(const PriceRef *ref, const char *hint, Err *err) {
  const char *best[2] = {NULL, NULL};
  const char *provider = ref->seller.vendor ? ref->seller.vendor->id : NULL;
  if (ref->miss.also) {
    return err_set(
        err, RC_ERROR, "unknown_model",
        "several providers sell '%.80s' (%s, %s, …): name one in the option 'provider'%s",
        ref->name, ref->miss.also, ref->miss.other, hint);
  }
  if (ref->seller.word && !provider) {
    return err_set(
        err, RC_ERROR, "unknown_model",
        "no price for model '%.80s': nobody is known as provider '%.60s', and llm_prices has "
        "no rows of it%s",
        ref->name, ref->seller.word, hint);
  }
  find_nearest(ref->name, provider, best);
  provider = ref->seller.word ? provider : NULL; /* (the name told it) */
  return err_set(err, RC_ERROR, "unknown_model",
                 "no price for model '%.80s'%s%s%s%s%.80s%s%.80s%s; add it to llm_prices%s",
                 ref->name, provider ? " of provider '" : "", provider ? provider : "",
                 provider ? "'" : "", best[0] ? " (nearest: " : "", best[0] ? best[0] : "",
                 best[1] ? ", " : "", best[1] ? best[1] : "", best[0] ? ")" : "", hint);
}
