/*
** What a model's name means: a row of llm_models, or a model of a provider whose address is known. See config.h for
** the contract.
**
** The word before the first '/' is a seller where it is an endpoint's word, or the provider of some row: then only that
** seller's rows are meant ("openai/gpt-4o" is not a gpt-4o that somebody else serves). Else it is part of the name
** ("meta-llama/…").
*/
#include "store/host/config.h"

#include "base/buf.h"
#include "base/text/glob.h"
#include "base/text/text.h"
#include "core/names/model_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A name as it was asked for, taken apart. */
typedef struct Asked {
  const char *name;
  const char *rest;         /* behind the seller's word; the name where there is none */
  size_t n_word;            /* of the seller's word; 0: none is named */
  const Endpoint *endpoint; /* of that word; NULL: it is known from rows alone */
} Asked;

/* 1 if a row is the named seller's. */
static int is_sellers(const Asked *a, const Model *row) {
  return (strncasecmp(row->provider, a->name, a->n_word) == 0 && !row->provider[a->n_word]) ||
         (a->endpoint && strcasecmp(row->provider, a->endpoint->provider) == 0);
}

static Asked take_apart(const Config *c, const char *name) {
  const char *slash = strchr(name, '/');
  Asked a = {name, name, 0, NULL};
  if (slash && slash > name && slash[1] > ' ' && slash[1] != '/') {
    a.n_word = (size_t)(slash - name);
    a.endpoint = catalogue_endpoint(name, a.n_word);
    int is_seller = a.endpoint != NULL;
    for (int i = 0; i < c->n_models && !is_seller; i++) {
      is_seller = is_sellers(&a, &c->models[i]);
    }
    a.n_word = is_seller ? a.n_word : 0;
    a.rest = is_seller ? slash + 1 : name;
  }
  return a;
}

/* How well a row fits: as model_name_match. */
static int match_row(const Asked *a, const Model *row) {
  int whole = model_name_match(a->name, row->name);
  if (whole == 3 || !a->n_word) {
    return whole;
  }
  int part = is_sellers(a, row) ? model_name_match(a->rest, row->name) : 0;
  return part < 3 ? part : 2;
}

/* A row's copy; a snapshot keeps its own name. */
static int take_row(const Model *row, const char *name, Model *model, Err *err) {
  if (config_model_copy(row, model, err) == RC_OK && name) {
    free((char *)model->name);
    model->name = strdup(name);
  }
  if (err->rc != RC_OK || !model->name) {
    config_model_free(model); /* not half of it */
    err_nomem(err);
  }
  return err->rc;
}

/* The best row: 1 and *model or *err; 0: none. */
static int find_row(const Config *c, const Asked *a, Model *model, Err *err) {
  int best = 0, found = -1;
  for (int i = 0; i < c->n_models && best < 3; i++) {
    int match = match_row(a, &c->models[i]);
    if (match > best) {
      best = match;
      found = i;
    }
  }
  memset(model, 0, sizeof *model);
  if (found >= 0) {
    take_row(&c->models[found], best == 1 ? a->rest : NULL, model, err);
  }
  return found >= 0;
}

/* ---- what no row has */

/* A name that says what it is for. */
static int is_of_embeddings(const char *name, const Endpoint *e) {
  return glob_any("*embedding* *embed-* *-embed *-embed:* voyage-* bge-* e5-* gte-* *all-minilm*",
                  name) ||
         (e && strstr(e->supports, "\"embeddings\":true"));
}

/* A model of a seller: asked as the seller's rows are, else at the endpoint. How the key is sent and which headers go with it
** is the seller's; what a row adds to the body is of that one model, and another may refuse it. */
static int take_unlisted(const Config *c, const Asked *a, Model *model, Err *err) {
  const Model *like = NULL;
  const Endpoint *e = a->endpoint;
  for (int i = 0; i < c->n_models && !like; i++) {
    like = is_sellers(a, &c->models[i]) ? &c->models[i] : NULL;
  }
  char lower[LIMIT_MODEL_NAME];
  model_name_lower(a->rest, lower, sizeof lower);
  Model made = {.name = a->rest,
                .provider = like ? like->provider : e->provider,
                .api = like ? like->api : e->api,
                .base_url = like ? like->base_url : e->base_url,
                .key_env = like ? like->key_env : e->key_env,
                .auth = like ? like->auth : "",
                .headers = like ? like->headers : "",
                .supports = is_of_embeddings(lower, e) ? "{\"embeddings\":true}"
                            : e                        ? e->supports
                                                       : ""};
  return take_row(&made, NULL, model, err);
}

/* A bare name of the catalogue: no path, and no colon but of a fine-tuned model. */
static int is_bare(const char *name) {
  return !strchr(name, '/') && (!strchr(name, ':') || strncasecmp(name, "ft:", 3) == 0);
}

enum { MOST_SELLERS = 16 };

/* Who sells a bare name, of those whose address is known, and under which name. */
typedef struct Sellers {
  const Endpoint *endpoint[MOST_SELLERS];
  const char *name[MOST_SELLERS];
  int n;
  int is_makers; /* the first is its maker, who sells it */
} Sellers;

/* 1, or 0 where nobody knows where that seller is asked. */
static int add_seller(Sellers *s, const char *provider, const char *name) {
  const Endpoint *e = catalogue_endpoint(provider, strlen(provider));
  if (e && s->n < MOST_SELLERS) {
    s->endpoint[s->n] = e;
    s->name[s->n++] = name;
  }
  return e != NULL;
}

/* Where the maker of a model is asked, by this or the other of his shops; NULL: nobody knows. */
static const Endpoint *endpoint_of_maker(const char *lower) {
  const Vendor *maker = vendor_of_model(lower);
  const Vendor *other = maker ? vendor_other_shop(maker) : NULL;
  const Endpoint *e = maker ? catalogue_endpoint(maker->id, strlen(maker->id)) : NULL;
  return !e && other ? catalogue_endpoint(other->id, strlen(other->id)) : e;
}

/* Its maker alone, where he sells it; a reseller is never guessed: then all of them, the maker last. */
static void find_sellers(const Asked *a, Sellers *s, Err *err) {
  char lower[LIMIT_MODEL_NAME];
  const PriceModel *models[MOST_SELLERS];
  const PriceBook *book = catalogue_prices();
  if (!book) {
    err_nomem(err);
    return;
  }
  model_name_lower(a->name, lower, sizeof lower);
  const Endpoint *maker = endpoint_of_maker(lower);
  BookMatch match = book_find(book, (Seller){NULL, NULL}, lower);
  int n = book_sellers(book, lower, models, MOST_SELLERS);
  s->is_makers = match.model && match.vendor && add_seller(s, match.vendor->id, a->name);
  for (int i = 0; i < n && i < MOST_SELLERS && maker && !s->is_makers; i++) {
    s->is_makers = catalogue_endpoint(models[i]->provider, strlen(models[i]->provider)) == maker &&
                   add_seller(s, maker->provider, a->name);
  }
  for (int i = 0; i < n && i < MOST_SELLERS - 1 && !s->is_makers; i++) {
    add_seller(s, models[i]->provider, models[i]->name);
  }
  if (!s->is_makers && maker) {
    add_seller(s, maker->provider, a->name);
  }
}

typedef struct Nearest {
  const char *names[3];
  int distance[3];
} Nearest;

static void nearest_offer(Nearest *n, const char *asked, const char *name) {
  int d = text_distance(asked, name, 1000), at = 0;
  while (at < 3 && n->distance[at] <= d) {
    at++;
  }
  for (int k = 2; k > at; k--) {
    n->distance[k] = n->distance[k - 1];
    n->names[k] = n->names[k - 1];
  }
  if (at < 3) {
    n->distance[at] = d;
    n->names[at] = name;
  }
}

/* "word/name" for some sellers, between commas. */
static void say_sellers(const Sellers *s, char *out, size_t size) {
  size_t at = (size_t)snprintf(out, size, "; name who is to be asked: ");
  for (int i = 0; i < s->n && i < 5 && at < size; i++) {
    at += (size_t)snprintf(out + at, size - at, "%s'%s/%.60s'", i ? ", " : "",
                           s->endpoint[i]->provider, s->name[i]);
  }
}

/* How else to name it, or what is missing. */
static void say_how(const Asked *a, const Sellers *sellers, char *out, size_t size) {
  const char *slash = strchr(a->name, '/');
  char word[64];
  snprintf(word, sizeof word, "%.*s", slash ? (int)(slash - a->name) : 0, a->name);
  if (strpbrk(a->name, " \t\r\n")) {
    snprintf(out, size, "; a name has no blanks");
  } else if (strstr(a->name, "://")) {
    snprintf(out, size, "; an address stands in llm_models, as base_url");
  } else if (sellers->n > 0) {
    say_sellers(sellers, out, size);
  } else if (word[0] && catalogue_endpoint(word, strlen(word))) {
    snprintf(out, size, "; behind '%.40s/' stands the name of one of its models", word);
  } else if (word[0] && vendor_by_word(word)) {
    snprintf(out, size, "; where '%.40s' is asked is not known: add a row with your base_url",
             word);
  } else {
    snprintf(out, size,
             "; a model of any provider is 'provider/name': 'ollama/%.60s', 'openrouter/%.60s'",
             slash && slash[1] ? slash + 1 : a->name, a->name);
  }
}

static int unknown_model(const Config *c, const Asked *a, const Sellers *sellers, Err *err) {
  Nearest near = {{"", "", ""}, {1000, 1000, 1000}};
  char how[400];
  for (int i = 0; i < c->n_models; i++) {
    nearest_offer(&near, a->name, c->models[i].name);
  }
  say_how(a, sellers, how, sizeof how);
  return err_set(err, RC_ERROR, ERR_UNKNOWN_MODEL,
                 "no model '%.80s' %s (nearest: %.80s%s%.80s%s%.80s)%s", a->name,
                 c->has_model_table ? "in llm_models"
                                    : "is built in; SELECT llm_init() and add it to llm_models",
                 near.names[0], near.names[1][0] ? ", " : "", near.names[1],
                 near.names[2][0] ? ", " : "", near.names[2], how);
}

int config_row(const Config *c, const char *name, Model *model, Err *err) {
  static const Sellers none = {.n = 0};
  Asked a = take_apart(c, name);
  return find_row(c, &a, model, err) ? err->rc : unknown_model(c, &a, &none, err);
}

int config_model(const Config *c, const char *name, Model *model, Err *err) {
  Asked a = take_apart(c, name);
  if (find_row(c, &a, model, err)) {
    return err->rc;
  }
  Sellers sellers = {.n = 0};
  if (!a.n_word && is_bare(name)) {
    find_sellers(&a, &sellers, err);
  }
  if (sellers.is_makers) {
    a.endpoint = sellers.endpoint[0];
    a.rest = sellers.name[0];
  }
  return err->rc != RC_OK                ? err->rc
         : a.n_word || sellers.is_makers ? take_unlisted(c, &a, model, err)
                                         : unknown_model(c, &a, &sellers, err);
}

/* ---- what rows add to requests */

static int adds(const Model *row) {
  return row->extra[0] || row->headers[0];
}

static void add_row(Buf *b, const Model *row) {
  if (adds(row)) {
    buf_printf(b, "%s\n%s\n", row->extra, row->headers);
  }
}

static void add_named(const Config *c, const char *name, Buf *b, Err *err) {
  Model model;
  Err unknown = {0};
  if (config_model(c, name, &model, &unknown) == RC_OK) {
    add_row(b, &model);
    config_model_free(&model);
  } else if (unknown.rc == RC_NOMEM) {
    err_nomem(err);
  }
}

int config_adds(const Config *c) {
  int n = 0;
  for (int i = 0; i < c->n_models; i++) {
    n += adds(&c->models[i]);
  }
  return n > 0;
}

char *config_row_extras(const Config *c, const char *name, Err *err) {
  Buf b;
  if (!config_adds(c)) {
    return NULL;
  }
  buf_init(&b, LIMIT_REQUEST_BYTES);
  for (int i = 0; i < c->n_tiers && strcmp(name, "auto") == 0; i++) {
    add_named(c, c->tiers[i].model, &b, err);
  }
  if (strcmp(name, "auto") != 0) {
    add_named(c, name, &b, err);
  }
  if (b.failed) {
    err_nomem(err);
  }
  char *text = err->rc == RC_OK && b.n > 0 ? buf_take(&b) : NULL;
  buf_free(&b);
  return text;
}
