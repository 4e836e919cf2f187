/*
** Price resolution over the user's tables. See pricing.h for the contract.
*/
#include "money/pricing.h"

#include "core/price/catalogue.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/text/decimal.h"
#include "base/text/text.h"
#include "core/names/model_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKED_SLOT (-0x6c6c7072)

/* Prices that held for a request, and for others like it. */
typedef struct Held {
  PriceSet set;
  char service[USAGE_WORD], geo[USAGE_WORD]; /* as asked */
  char sold[USAGE_WORD];                     /* what set.service points to */
  int filled;
} Held;

enum {
  HELD = 8
}; /* tables mix requests on both sides of a tier; reports price a call by several services and times */

/* A name that was found, and the prices that held last. */
typedef struct PricingEntry {
  char *key; /* model, provider, list and whose rows, each ended by NUL */
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
  unsigned forgotten; /* how often: entries found before that are gone */
  Entry too_long;     /* of a name that no model can have */
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

int pricing_has_own(const Conn *conn) {
  const PriceBook *own = &conn->config->books[0];
  return own->models.n + own->shared.n > 0;
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
  p->forgotten++;
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
static int choose_books(const Config *config, const PricingAsk *ask, const PriceBook **books) {
  const char *list = ask->list;
  static const PriceBook none = {.list = ""};
  const PriceBook *catalogue = catalogue_prices();
  int n = 1;
  if (!catalogue) {
    return 0;
  }
  books[0] = ask->is_listed || (list && list[0]) ? &none : &config->books[0];
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
  int n = choose_books(conn->config, ask, books);
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

/* model, provider, list and whose rows as one key; 0 if it is longer than any name. */
static size_t key_of(const PricingAsk *ask, char *key, size_t size) {
  const char *parts[] = {ask->model, ask->provider ? ask->provider : "", ask->list ? ask->list : "",
                         ask->is_listed ? "listed" : ""};
  size_t n = 0;
  for (int i = 0; i < 4; i++) {
    size_t len = strlen(parts[i]) + 1;
    if (n + len > size) {
      return 0;
    }
    memcpy(key + n, parts[i], len);
    n += len;
  }
  return n;
}

/* The slot of a key: its entry, or the empty one where it goes. */
static Entry **slot_of(Pricing *p, const char *key, size_t n_key) {
  unsigned at = (unsigned)hash_short(key, n_key) % LIMIT_PRICED_MODELS;
  while (p->slots[at] &&
         (p->slots[at]->n_key != n_key || memcmp(p->slots[at]->key, key, n_key) != 0)) {
    at = (at + 1) % LIMIT_PRICED_MODELS;
  }
  return &p->slots[at];
}

/* The entry of what is asked for, made where it is new; NULL and *err. */
static Entry *look_up(Conn *conn, Pricing *p, const PricingAsk *ask, Err *err) {
  char key[2 * LIMIT_MODEL_NAME];
  size_t n_key = key_of(ask, key, sizeof key);
  if (n_key == 0) {
    model_name_lower(ask->model, p->too_long.ref.name, sizeof p->too_long.ref.name);
    return &p->too_long;
  }
  Entry **slot = slot_of(p, key, n_key);
  if (!*slot) {
    *slot = make_entry(conn, ask, key, n_key);
    p->n += *slot != NULL;
  }
  if (!*slot) {
    err_nomem(err);
  }
  return *slot;
}

/* The same, but for what this `ask` has found already. */
static Entry *entry_of(Conn *conn, const PricingAsk *ask, Err *err) {
  Pricing *p = conn_slot(conn, &slot_type, err);
  if (!p) {
    return NULL;
  }
  if (p->serial != conn->config->serial || p->n > LIMIT_PRICED_MODELS / 2) {
    forget(p);
    p->serial = conn->config->serial;
  }
  int is_found = ask->found.entry && ask->found.of == p->forgotten;
  return is_found ? ask->found.entry : look_up(conn, p, ask, err);
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
  snprintf(h->sold, sizeof h->sold, "%s", h->set.service);
  h->set.service = h->sold; /* the caller's word does not live as long */
  snprintf(h->service, sizeof h->service, "%s", when->service);
  snprintf(h->geo, sizeof h->geo, "%s", when->geo);
  h->filled = 1;
  return &h->set;
}

const PriceRef *pricing_find(Conn *conn, PricingAsk *ask, Err *err) {
  ask->found.entry = entry_of(conn, ask, err);
  const Pricing *p = conn_slot_if_any(conn, &slot_type);
  ask->found.of = p ? p->forgotten : 0;
  return ask->found.entry ? &ask->found.entry->ref : NULL;
}

/* Those that hold `when`, where anything is known of the name. */
static PriceVerdict answer_prices(Conn *conn, const PricingAsk *ask, const PriceWhen *when,
                                  PricingAnswer *answer, Err *err) {
  Entry *e = entry_of(conn, ask, err);
  answer->ref = e ? &e->ref : NULL;
  answer->set = e && e->known ? set_for(e, when) : NULL;
  answer->sum.cost = 0;
  answer->sum.why[0] = 0;
  if (!answer->set) {
    return e ? NO_MODEL : FAILED;
  }
  if (answer->set->missing) {
    snprintf(answer->sum.why, sizeof answer->sum.why, "%s ('%s')", answer->set->missing,
             when->geo[0] ? when->geo : answer->set->service);
    return NO_PRICE;
  }
  return PRICED;
}

PriceVerdict pricing_prices(Conn *conn, const PricingAsk *ask, PricingAnswer *answer, Err *err) {
  const PriceWhen when = {ask->at_ms, ask->input_tokens, ask->service ? ask->service : "standard",
                          ask->geo ? ask->geo : ""};
  return answer_prices(conn, ask, &when, answer, err);
}

PriceVerdict pricing_answer(Conn *conn, const PricingAsk *ask, const Usage *u,
                            PricingAnswer *answer, Err *err) {
  long long input = usage_get(u, UNIT_INPUT);
  const PriceWhen when = {ask->at_ms, input == USAGE_UNKNOWN ? 0 : input, u->service, u->geo};
  PriceVerdict verdict = answer_prices(conn, ask, &when, answer, err);
  return verdict == PRICED ? price_cost(answer->set, u, &answer->sum) : verdict;
}

/* The provider that sells what is asked for, as far as it is known. */
static const char *seller_of(Conn *conn, PricingAsk *ask, Err *err) {
  const PriceRef *ref = pricing_find(conn, ask, err);
  return ref && ask->found.entry->known && ref->seller.vendor ? ref->seller.vendor->id : NULL;
}

long long pricing_of_tokens(Conn *conn, const Model *model, long long input, long long output,
                            Err *err) {
  return pricing_of_input(conn, model, input, UNIT_INPUT, output, err);
}

long long pricing_of_input(Conn *conn, const Model *model, long long input, Unit kind,
                           long long output, Err *err) {
  const PricingAsk ask = {.model = model->name, .provider = model->provider, .at_ms = now_ms()};
  PricingAnswer answer;
  Usage u;
  usage_init(&u);
  usage_set_whole(&u, kind, input);
  usage_set(&u, UNIT_OUTPUT, output);
  return pricing_answer(conn, &ask, &u, &answer, err) == PRICED ? cost_nusd(answer.sum.cost) : -1;
}

/* The shortest prefix that the provider of a model caches, in tokens; -1: nobody says. */
static long long shortest_prefix(Conn *conn, PricingAsk *ask, Err *err) {
  const PriceRef *ref = pricing_find(conn, ask, err);
  return ref && ref->bare ? catalogue_cache_minimum(ref->seller.vendor, ref->bare, ask->at_ms) : -1;
}

long long pricing_least_prefix(Conn *conn, const Model *model, Err *err) {
  PricingAsk ask = {.model = model->name, .provider = model->provider, .at_ms = now_ms()};
  return shortest_prefix(conn, &ask, err);
}

/* (A million of each is priced: a cheap prefix of a thousand tokens is few nano-dollars.) */
int pricing_of_cache(Conn *conn, const Model *model, CachePrices *out, Err *err) {
  enum { PRICED_TOKENS = 1000000 };
  *out = (CachePrices){
      .fresh = pricing_of_input(conn, model, PRICED_TOKENS, UNIT_INPUT, 0, err),
      .read = pricing_of_input(conn, model, PRICED_TOKENS, UNIT_CACHE_READ, 0, err),
      .written = pricing_of_input(conn, model, PRICED_TOKENS, UNIT_CACHE_WRITE, 0, err),
      .least = pricing_least_prefix(conn, model, err),
  };
  return err->rc;
}

int pricing_prefix_pays(Conn *conn, const Model *model, long long tokens, int sharers, Err *err) {
  CachePrices p;
  return tokens >= pricing_least_prefix(conn, model, err) && err->rc == RC_OK &&
         pricing_of_cache(conn, model, &p, err) == RC_OK && p.fresh >= 0 && p.read >= 0 &&
         p.written >= 0 &&
         (double)p.written + (double)p.read * (sharers - 1) < (double)p.fresh * sharers;
}

long long pricing_of_turn(Conn *conn, const Model *model, long long input, long long prefix,
                          long long output, Err *err) {
  PricingAsk ask = {.model = model->name, .provider = model->provider, .at_ms = now_ms()};
  long long least = prefix ? shortest_prefix(conn, &ask, err) : -1;
  PricingAnswer answer;
  Usage u;
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, input);
  usage_set(&u, UNIT_OUTPUT, output);
  if (prefix > least) { /* (-1: nobody says how short it may be) */
    usage_set(&u, UNIT_CACHE_READ, prefix);
  }
  return pricing_answer(conn, &ask, &u, &answer, err) == PRICED ? cost_nusd(answer.sum.cost) : -1;
}

/* In a service, with a part of the input of another kind. */
static long long price_tokens(Conn *conn, const Model *model, const char *service, const Usage *u,
                              Err *err) {
  const PricingAsk ask = {.model = model->name, .provider = model->provider, .at_ms = now_ms()};
  PricingAnswer answer;
  Usage of_service = *u;
  snprintf(of_service.service, sizeof of_service.service, "%s", service);
  return pricing_answer(conn, &ask, &of_service, &answer, err) == PRICED
             ? cost_nusd(answer.sum.cost)
             : -1;
}

long long pricing_of_batch(Conn *conn, const Model *model, long long input, long long output,
                           Err *err) {
  Usage u;
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, input);
  usage_set(&u, UNIT_OUTPUT, output);
  return price_tokens(conn, model, "batch", &u, err);
}

long long pricing_of_service(Conn *conn, const Model *model, const char *service, long long input,
                             long long output, Err *err) {
  Usage u;
  usage_init(&u);
  usage_set(&u, UNIT_INPUT, input);
  usage_set(&u, UNIT_OUTPUT, output);
  long long nusd = service ? price_tokens(conn, model, service, &u, err) : -1;
  int is_as_standard = !service || strcmp(service, "flex") == 0;
  return nusd < 0 && is_as_standard && err->rc == RC_OK
             ? pricing_of_tokens(conn, model, input, output, err)
             : nusd;
}

long long pricing_of_shared(Conn *conn, const Model *model, long long input,
                            const PrefixAsk *prefix, long long output, Err *err) {
  static const Unit kinds[] = {UNIT_CACHE_WRITE, UNIT_CACHE_READ};
  long long costs[2];
  if (prefix->sharers < 2 ||
      !pricing_prefix_pays(conn, model, prefix->tokens, prefix->sharers, err)) {
    return pricing_of_tokens(conn, model, input, output, err);
  }
  for (int i = 0; i < 2; i++) {
    Usage u;
    usage_init(&u);
    usage_set(&u, UNIT_INPUT, input);
    usage_set(&u, UNIT_OUTPUT, output);
    usage_set(&u, kinds[i], prefix->tokens < input ? prefix->tokens : input);
    costs[i] = price_tokens(conn, model, "standard", &u, err);
  }
  double mean = ((double)costs[0] + (double)costs[1] * (prefix->sharers - 1)) / prefix->sharers;
  return costs[0] < 0 || costs[1] < 0 ? -1 : llround(mean);
}

PricingAsk pricing_ask_of_part(Conn *conn, PricingAsk *ask, const UsagePart *part, Err *err) {
  PricingAsk of_part = *ask;
  if (part->model[0] && !strstr(ask->model, part->model)) {
    of_part.model = part->model;
    of_part.provider = ask->provider ? ask->provider : seller_of(conn, ask, err);
    of_part.found.entry = NULL;
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
    int d = text_distance(name, known, 1000);
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

/* "groq (0.59/0.79)": who sells it, and at which price of input and output now, dollars per million. */
static void add_seller(const PriceRef *ref, int i, char *text, size_t size) {
  static const Unit units[] = {UNIT_INPUT, UNIT_OUTPUT};
  const PriceWhen now = {now_ms(), 0, "standard", ""};
  PriceRef of;
  PriceSet set;
  char prices[2][32] = {"?", "?"};
  price_of_seller(ref, i, &of);
  for (int k = 0; k < 2; k++) {
    Cost price;
    if (price_select(&of, &now, &set) && price_of_unit(&set, units[k], &price)) {
      decimal_format(price, UNIT_PRICE_SCALE, prices[k], sizeof prices[k]);
    }
  }
  size_t n = strlen(text);
  snprintf(text + n, size - n, "%s%s (%s/%s)", i ? ", " : "", ref->sellers[i].model->provider,
           prices[0], prices[1]);
}

/* Others sell a model of that name: who it was has to be said. */
static int several_sell(const PriceRef *ref, const char *hint, Err *err) {
  char sellers[400] = "";
  for (int i = 0; i < ref->n_sellers && i < PRICE_SELLERS; i++) {
    add_seller(ref, i, sellers, sizeof sellers);
  }
  return err_set(err, RC_ERROR, ERR_UNKNOWN_MODEL,
                 "the price of '%.80s' depends on who sells it: %s%s (dollars per million in/out); "
                 "name one in the option 'provider'%s",
                 ref->name, sellers, ref->n_sellers > PRICE_SELLERS ? ", …" : "", hint);
}

int pricing_unknown(const PriceRef *ref, const char *hint, Err *err) {
  const char *best[2] = {NULL, NULL};
  const char *provider = ref->seller.vendor ? ref->seller.vendor->id : NULL;
  if (ref->n_sellers) {
    return several_sell(ref, hint, err);
  }
  if (ref->seller.word && !provider) {
    return err_set(
        err, RC_ERROR, ERR_UNKNOWN_MODEL,
        "no price for model '%.80s': nobody is known as provider '%.60s', and llm_prices has "
        "no rows of it%s",
        ref->name, ref->seller.word, hint);
  }
  find_nearest(ref->name, provider, best);
  provider = ref->seller.word ? provider : NULL; /* (the name told it) */
  return err_set(err, RC_ERROR, ERR_UNKNOWN_MODEL,
                 "no price for model '%.80s'%s%s%s%s%.80s%s%.80s%s; add it to llm_prices%s",
                 ref->name, provider ? " of provider '" : "", provider ? provider : "",
                 provider ? "'" : "", best[0] ? " (nearest: " : "", best[0] ? best[0] : "",
                 best[1] ? ", " : "", best[1] ? best[1] : "", best[0] ? ")" : "", hint);
}
