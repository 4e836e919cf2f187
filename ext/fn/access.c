/*
** Secrets, allowed hosts and the environment. See access.h for the contract.
*/
#include "fn/access.h"

#include "core/hosts.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
  struct Entry *next;
  char *name;  /* of a secret; or a host rule */
  char *value; /* of a secret; else NULL */
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

/* Finds or adds an entry. The lock is held. NULL without memory. */
static Entry *find_or_add(Entry **list, const char *name) {
  Entry *e = find(*list, name);
  if (!e && (e = calloc(1, sizeof *e)) != NULL) {
    e->name = strdup(name);
    e->next = *list;
    if (e->name) {
      *list = e;
    } else {
      free(e);
      e = NULL;
    }
  }
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

/* A key goes into a header line: visible ASCII only. */
static int is_header_text(const char *value) {
  for (; *value; value++) {
    if (*value < 0x21 || *value > 0x7E) {
      return 0;
    }
  }
  return 1;
}

int access_set_secret(const char *name, const char *value, Err *err) {
  if (!is_variable_name(name)) {
    return err_set(err, RC_ERROR, "bad_argument",
                   "the name must be that of an environment variable, such as OPENAI_API_KEY");
  }
  if (!is_header_text(value)) {
    return err_set(err, RC_ERROR, "bad_argument",
                   "the value holds a blank or a character no key has");
  }
  char *mine = strdup(value);
  pthread_mutex_lock(&lock);
  Entry *e = mine ? find_or_add(&secrets, name) : NULL;
  if (e) { /* takes the new value in, the old one out */
    char *old = e->value;
    e->value = mine;
    mine = old;
  }
  pthread_mutex_unlock(&lock);
  access_wipe(mine);
  return e ? RC_OK : err_nomem(err);
}

int access_allow_host(const char *rule, Err *err) {
  if (!host_rule_is_valid(rule)) {
    return err_set(err, RC_ERROR, "bad_argument",
                   "'%.80s' is no host or host:port (such as llm.example.com or 127.0.0.1:8080)",
                   rule);
  }
  pthread_mutex_lock(&lock);
  Entry *e = find_or_add(&hosts, rule);
  pthread_mutex_unlock(&lock);
  return e ? RC_OK : err_nomem(err);
}

/* LLMCOST_ALLOW_HOSTS: rules between commas or blanks. */
static int env_allows(const Url *url) {
  const char *p = env_get("LLMCOST_ALLOW_HOSTS");
  while (p && *p) {
    char rule[LIMIT_HOST];
    size_t n = strcspn(p, ", ");
    if (n > 0 && n < sizeof rule) {
      memcpy(rule, p, n);
      rule[n] = 0;
      if (host_rule_covers(rule, url)) {
        return 1;
      }
    }
    p += n + (p[n] != 0);
  }
  return 0;
}

static int process_allows(const Url *url) {
  int covered = 0;
  pthread_mutex_lock(&lock);
  for (Entry *e = hosts; e && !covered; e = e->next) {
    covered = host_rule_covers(e->name, url);
  }
  pthread_mutex_unlock(&lock);
  return covered || env_allows(url);
}

static int check_host(const Model *model, Err *err) {
  Url url;
  const char *key_env = model->key_env[0] ? model->key_env : NULL;
  Err bad = {0};
  if (url_parse(model->base_url, &url, &bad) != RC_OK) {
    return err_set(err, RC_ERROR, "bad_url", "model '%.80s': %s", model->name, bad.msg);
  }
  int builtin = host_builtin(&url, key_env);
  if (builtin == 1 || process_allows(&url)) {
    return RC_OK;
  }
  if (builtin < 0) {
    return err_set(err, RC_ERROR, "host_not_allowed",
                   "model '%.80s': %.80s is not a key of host '%s': nothing was sent; if that is "
                   "what you want,"
                   " SELECT llm_allow_host('%s')",
                   model->name, key_env, url.host, url.host);
  }
  return err_set(err, RC_ERROR, "host_not_allowed",
                 "model '%.80s' is at host '%s:%d', which is not allowed: nothing was sent; if "
                 "that is what you"
                 " want, SELECT llm_allow_host('%s:%d')",
                 model->name, url.host, url.port, url.host, url.port);
}

/* The key of that name: a secret, else the environment. */
static char *find_key(const char *name) {
  pthread_mutex_lock(&lock);
  Entry *e = find(secrets, name);
  char *key = e ? strdup(e->value) : NULL;
  pthread_mutex_unlock(&lock);
  const char *value = key ? NULL : env_get(name);
  return value ? strdup(value) : key;
}

int access_check(const Model *model, char **key, Err *err) {
  *key = NULL;
  if (check_host(model, err) != RC_OK || !model->key_env[0]) {
    return err->rc;
  }
  if (!is_variable_name(model->key_env)) {
    return err_set(err, RC_ERROR, "no_key",
                   "model '%.80s': key_env must be the name of an environment variable",
                   model->name);
  }
  *key = find_key(model->key_env);
  if (!*key) {
    return err_set(err, RC_ERROR, "no_key",
                   "no key for model '%.80s': set %.80s, or SELECT llm_secret('%.80s', …)",
                   model->name, model->key_env, model->key_env);
  }
  if (!is_header_text(*key)) {
    access_wipe(*key);
    *key = NULL;
    return err_set(err, RC_ERROR, "no_key",
                   "the key in %.80s holds a blank or a character no key has", model->key_env);
  }
  return RC_OK;
}
