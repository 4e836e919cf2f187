/*
** Secrets and allowed hosts. See access.h for the contract.
*/
#include "trust/access.h"
#include "trust/node/env.h"

#include "trust/hosts.h"
#include "trust/scrub.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A secret: the name of a variable and its value. Or a pair: a host rule and the name of a key, NULL for
** none. */
typedef struct Entry {
  struct Entry *next;
  char *name, *value;
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Entry *secrets, *hosts;

/* Overwrites and frees a key. */
static void wipe(char *key) {
  if (key) {
    explicit_bzero(key, strlen(key));
    free(key);
  }
}

static Entry *find(Entry *list, const char *name) {
  while (list && strcmp(list->name, name) != 0) {
    list = list->next;
  }
  return list;
}

/* Adds an entry of copies. The lock is held. NULL without memory. */
static Entry *add(Entry **list, const char *name, const char *value) {
  Entry *e = calloc(1, sizeof *e);
  if (!e) {
    return NULL;
  }
  e->name = strdup(name);
  e->value = value ? strdup(value) : NULL;
  if (!e->name || (value && !e->value)) {
    free(e->name);
    free(e->value);
    free(e);
    return NULL;
  }
  e->next = *list;
  *list = e;
  return e;
}

static int is_variable_name(const char *name) {
  if (!isalpha((unsigned char)name[0]) && name[0] != '_') {
    return 0;
  }
  for (; *name; name++) {
    if (!isalnum((unsigned char)*name) && *name != '_') {
      return 0;
    }
  }
  return 1;
}

/* What is wrong with n bytes as a key (it goes into a header line); NULL: nothing. */
static const char *key_fault(const char *value, size_t n) {
  if (n == 0) {
    return "is empty";
  }
  if (n > HEADERS_KEY) {
    return "is too long";
  }
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)value[i];
    if (c == '"' || c == '\'' || c == '`') {
      return "holds a quote, which no key has: give it without quotes";
    }
    if (c == 0) {
      return "holds a NUL";
    }
    if (c <= ' ') {
      return "holds a blank or a line break, which no key has";
    }
    if (c > '~') {
      return "holds a character that no key has";
    }
  }
  return NULL;
}

int access_set_secret(const char *name, const char *value, size_t n, Err *err) {
  const char *fault = key_fault(value, n);
  if (!is_variable_name(name)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the name must be that of an environment variable, such as OPENAI_API_KEY");
  }
  if (fault) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "the value %s", fault);
  }
  char *mine = strdup(value);
  pthread_mutex_lock(&lock);
  Entry *e = mine ? find(secrets, name) : NULL;
  if (e) { /* takes the new value in, the old one out */
    char *old = e->value;
    e->value = mine;
    mine = old;
  } else if (mine) {
    e = add(&secrets, name, mine);
  }
  pthread_mutex_unlock(&lock);
  wipe(mine);
  return e ? RC_OK : err_nomem(err);
}

static int is_same_key(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

int access_allow_host(const char *rule, const char *key_name, Err *err) {
  if (!host_rule_is_valid(rule)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "'%.80s' is no host or host:port (such as llm.example.com or 127.0.0.1:8080)",
                   rule);
  }
  if (key_name && !is_variable_name(key_name)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "the key must be given by the name of its environment variable, such as"
                   " OPENAI_API_KEY");
  }
  pthread_mutex_lock(&lock);
  Entry *e = hosts;
  while (e && (strcmp(e->name, rule) != 0 || !is_same_key(e->value, key_name))) {
    e = e->next;
  }
  e = e ? e : add(&hosts, rule, key_name);
  pthread_mutex_unlock(&lock);
  return e ? RC_OK : err_nomem(err);
}

/* What is known of a host, and of a key beside it. */
typedef struct Pairing {
  const Url *url;
  const char *key; /* its name; NULL: none is wanted */
  int knows_host, knows_key;
  int wrong; /* the first entry of LLMCOST_ALLOW_HOSTS that can't be read, from 1; 0: none */
} Pairing;

static void offer(Pairing *p, const char *rule, const char *key) {
  if (host_rule_covers(rule, p->url)) {
    p->knows_host = 1;
    p->knows_key |= key && p->key && strcmp(key, p->key) == 0;
  }
}

/* LLMCOST_ALLOW_HOSTS: host or host=KEY_NAME, between commas or blanks. */
static void offer_environment(Pairing *p) {
  const char *at = env_get("LLMCOST_ALLOW_HOSTS");
  for (int entry = 1; at && *at;) {
    char item[2 * LIMIT_HOST];
    size_t n = strcspn(at, ", \t\r\n");
    if (n > 0 && n < sizeof item) {
      memcpy(item, at, n);
      item[n] = 0;
      char *key = strchr(item, '=');
      if (key) {
        *key++ = 0;
      }
      if (host_rule_is_valid(item) && (!key || is_variable_name(key))) {
        offer(p, item, key);
      } else if (!p->wrong) {
        p->wrong = entry; /* its text is not told: it may hold a key by mistake */
      }
    }
    entry += n > 0;
    at += n + (at[n] != 0);
  }
}

static void find_pairing(Pairing *p) {
  int builtin = host_builtin(p->url, p->key);
  p->knows_host = builtin != 0;
  p->knows_key = builtin == 1 && p->key;
  pthread_mutex_lock(&lock);
  for (Entry *e = hosts; e; e = e->next) {
    offer(p, e->name, e->value);
  }
  pthread_mutex_unlock(&lock);
  offer_environment(p);
}

/* That the host is allowed, with that key (NULL: none is sent). */
static int check_pair(const Model *model, const Url *url, const char *key, Err *err) {
  char host[LIMIT_HOST + 16];
  Pairing p = {.url = url, .key = key};
  find_pairing(&p);
  if (p.knows_host && (!key || p.knows_key)) {
    return RC_OK;
  }
  url_authority(url, host, sizeof host);
  char note[96] = "";
  if (p.wrong) {
    snprintf(note, sizeof note,
             " (entry %d of LLMCOST_ALLOW_HOSTS is no host and no host=KEY_NAME)", p.wrong);
  }
  if (p.knows_host) {
    return err_set(err, RC_ERROR, ERR_HOST_NOT_ALLOWED,
                   "model '%.80s': %.80s is not a key of host '%s': nothing was sent" ERR_CURE(
                       "; if that is what you want, SELECT llm_allow_host('%s', '%.80s')") "%s",
                   model->name, key, host, host, key, note);
  }
  return err_set(err, RC_ERROR, ERR_HOST_NOT_ALLOWED,
                 "model '%.80s' is at host '%s', which is not allowed: nothing was sent" ERR_CURE(
                     "; if that is what you want, SELECT llm_allow_host('%s'%s%.80s%s)") "%s",
                 model->name, host, host, key ? ", '" : "", key ? key : "", key ? "'" : "", note);
}

/* Address, host and key. `key`: the name of the one that is sent, NULL for none. */
static int check_host(const Model *model, Url *url, const char *key, Err *err) {
  Err bad = {0};
  if (url_parse(model->base_url, url, &bad) != RC_OK) {
    return err_set(err, RC_ERROR, ERR_BAD_URL, "model '%.80s': %s", model->name, bad.msg);
  }
  if (key && !is_variable_name(key)) {
    return err_set(err, RC_ERROR, ERR_NO_KEY,
                   "model '%.80s': key_env must be the name of an environment variable",
                   model->name);
  }
  return check_pair(model, url, key, err);
}

/* The key of that name: a secret, else the environment. NULL where there is neither, or *err: then no other
** key may take its place. */
static char *find_key(const char *name, Err *err) {
  pthread_mutex_lock(&lock);
  const Entry *e = find(secrets, name);
  const char *value = e ? e->value : env_get(name);
  char *key = value ? strdup(value) : NULL;
  pthread_mutex_unlock(&lock);
  if (value && !key) {
    err_nomem(err);
  }
  return key;
}

/* The key that is sent. `name`: of its variable; NULL: none is. */
static int take_key(const Model *model, const Url *url, const char *name, char **key, Err *err) {
  if (!name) {
    return RC_OK;
  }
  *key = find_key(name, err);
  const char *other = *key ? NULL : host_other_key(url, name);
  if (other && err->rc == RC_OK) {
    *key = find_key(other, err);
  }
  if (!*key) { /* (says nothing where memory is why) */
    return err_set(
        err, RC_ERROR, ERR_NO_KEY,
        "no key for model '%.80s': set %.80s" ERR_CURE(", or SELECT llm_secret('%.80s', …)"),
        model->name, name, name);
  }
  const char *fault = key_fault(*key, strlen(*key));
  return fault ? err_set(err, RC_ERROR, ERR_NO_KEY, "the key in %.80s %s", name, fault) : RC_OK;
}

/* The variables that headers name belong to the host, as keys do. (A name is not told before it is one: it may be a key by
** mistake.) */
static int check_variables(const Model *model, const Url *url, const Headers *headers, Err *err) {
  for (int i = 0; i < headers->n && err->rc == RC_OK; i++) {
    const Header *h = &headers->list[i];
    if (h->variable && !is_variable_name(h->variable)) {
      err_set(
          err, RC_ERROR, ERR_CONFIG,
          "model '%.80s': header '%.*s' in llm_models: \"env\" must be the name of an environment"
          " variable",
          model->name, (int)h->n_name, h->line);
    } else if (h->variable) {
      check_pair(model, url, h->variable, err);
    }
  }
  return err->rc;
}

/* What is wrong with the value of a header's variable: it is a key, and long enough to be told from other words where it must
** not be repeated. */
static const char *secret_fault(const char *value) {
  size_t n = strlen(value);
  return n > 0 && n < SCRUB_KEY_BYTES
             ? "is under 8 characters, too short for a secret: write it into headers as a text"
             : key_fault(value, n);
}

static int fill_variable(const Model *model, Headers *headers, int i, Err *err) {
  const Header *h = &headers->list[i];
  char *value = find_key(h->variable, err);
  if (!value) { /* (says nothing where memory is why) */
    return err_set(err, RC_ERROR, ERR_NO_KEY,
                   "no value for header '%.*s' of model '%.80s': set %.80s" ERR_CURE(
                       ", or SELECT llm_secret('%.80s', …)"),
                   (int)h->n_name, h->line, model->name, h->variable, h->variable);
  }
  const char *fault = secret_fault(value);
  if (!fault) {
    headers_fill(headers, i, value, &fault, err);
  }
  if (fault) {
    err_set(err, RC_ERROR, ERR_NO_KEY, "the value of %.80s, for header '%.*s', %s", h->variable,
            (int)h->n_name, h->line, fault);
  }
  wipe(value);
  return err->rc;
}

static int fill_variables(const Model *model, Headers *headers, Err *err) {
  for (int i = 0; i < headers->n && err->rc == RC_OK; i++) {
    if (headers->list[i].variable) {
      fill_variable(model, headers, i, err);
    }
  }
  return err->rc;
}

int access_check(const Model *model, Access *access, Err *err) {
  Url url;
  *access = (Access){.key = NULL};
  if (headers_read(model, &access->headers, err) == RC_OK) {
    int is_sent = model->key_env[0] && access->headers.auth != AUTH_NONE;
    const char *name = is_sent ? model->key_env : NULL;
    if (check_host(model, &url, name, err) == RC_OK &&
        check_variables(model, &url, &access->headers, err) == RC_OK &&
        take_key(model, &url, name, &access->key, err) == RC_OK) {
      fill_variables(model, &access->headers, err);
    }
  }
  if (err->rc != RC_OK) {
    access_free(access);
  }
  return err->rc;
}

void access_free(Access *access) {
  wipe(access->key);
  access->key = NULL;
  headers_free(&access->headers);
}

/* What a variable put into a header; NULL: nothing did. */
static const char *secret_of(const Header *h) {
  return h->variable ? header_value(h) : NULL;
}

int access_leaks(const Access *access, const char *text) {
  int found = scrub_holds_key(text, access->key);
  for (int i = 0; i < access->headers.n && !found; i++) {
    found = scrub_holds_key(text, secret_of(&access->headers.list[i]));
  }
  return found;
}

void access_mask(const Access *access, char *text) {
  scrub_mask(text, access->key);
  for (int i = 0; i < access->headers.n; i++) {
    if (access->headers.list[i].variable) {
      scrub_mask(text, secret_of(&access->headers.list[i]));
    }
  }
}
