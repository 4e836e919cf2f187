/*
** Secrets, allowed hosts and the environment. See access.h for the contract.
*/
#include "trust/access.h"

#include "trust/hosts.h"

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

const char *env_get(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}

void access_wipe(char *key) {
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
  access_wipe(mine);
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

static int check_host(const Model *model, Url *url, Err *err) {
  char host[LIMIT_HOST + 16];
  const char *key = model->key_env[0] ? model->key_env : NULL;
  Err bad = {0};
  if (url_parse(model->base_url, url, &bad) != RC_OK) {
    return err_set(err, RC_ERROR, ERR_BAD_URL, "model '%.80s': %s", model->name, bad.msg);
  }
  if (key && !is_variable_name(key)) {
    return err_set(err, RC_ERROR, ERR_NO_KEY,
                   "model '%.80s': key_env must be the name of an environment variable",
                   model->name);
  }
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
    return err_set(
        err, RC_ERROR, ERR_HOST_NOT_ALLOWED,
        "model '%.80s': %.80s is not a key of host '%s': nothing was sent; if that is what"
        " you want, SELECT llm_allow_host('%s', '%.80s')%s",
        model->name, key, host, host, key, note);
  }
  return err_set(
      err, RC_ERROR, ERR_HOST_NOT_ALLOWED,
      "model '%.80s' is at host '%s', which is not allowed: nothing was sent; if that is what"
      " you want, SELECT llm_allow_host('%s'%s%.80s%s)%s",
      model->name, host, host, key ? ", '" : "", key ? key : "", key ? "'" : "", note);
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

int access_check(const Model *model, char **key, Err *err) {
  Url url;
  *key = NULL;
  if (check_host(model, &url, err) != RC_OK || !model->key_env[0]) {
    return err->rc;
  }
  *key = find_key(model->key_env, err);
  const char *other = *key ? NULL : host_other_key(&url, model->key_env);
  if (other && err->rc == RC_OK) {
    *key = find_key(other, err);
  }
  if (!*key) { /* (says nothing where memory is why) */
    return err_set(err, RC_ERROR, ERR_NO_KEY,
                   "no key for model '%.80s': set %.80s, or SELECT llm_secret('%.80s', …)",
                   model->name, model->key_env, model->key_env);
  }
  const char *fault = key_fault(*key, strlen(*key));
  if (fault) {
    access_wipe(*key);
    *key = NULL;
    return err_set(err, RC_ERROR, ERR_NO_KEY, "the key in %.80s %s", model->key_env, fault);
  }
  return RC_OK;
}
