/*
** Where prompts and keys may go.
**
** Model addresses stand in an ordinary table, so a database file from somebody else can hold any
** address. A prompt leaves only for a host that is built in or that this process allowed; a key
** leaves only for the hosts it is bound to.
*/
#ifndef LLMCOST_HOSTS_H
#define LLMCOST_HOSTS_H

#include "base/error.h"

#include <stddef.h>

typedef struct Url {
  char host[LIMIT_HOST]; /* lower case, IPv6 without brackets */
  int port;
  int is_https;
  int is_loopback;
} Url;

/* Parses a base URL under narrow rules (http or https; host; optional port; a path and a query of plain
** characters; no user or fragment), so that no other parser can read it as another host.
** http is for loopback only. A query holds no secret: it would be told in errors. */
int url_parse(const char *text, Url *url, Err *err);

/* Writes the URL of a path (which may have a query of its own) under a base URL: behind the base URL's path, without the slashes and
** without the `ends` (two paths; NULL: none) that stand at its end, and before its query. 1; 0 where it has no room in `size`. */
int url_join(const char *base_url, const char *const ends[2], const char *path, char *out,
             size_t size);

/* Writes "host:port" as a rule spells it (an IPv6 address in brackets, no port where it is 443), cut at
** `size`. */
void url_authority(const Url *url, char *out, size_t size);

/* 1 if `rule` ("host" or "host:port", as given to llm_allow_host) covers the URL. */
int host_rule_covers(const char *rule, const Url *url);

/* 1 if the text has the form of such a rule. */
int host_rule_is_valid(const char *rule);

/* The built-in list: 0 the host is not in it; 1 it is, and `key_env` (may be NULL: no key) is a
** key of this host; -1 it is, but that key belongs elsewhere. */
int host_builtin(const Url *url, const char *key_env);

/* The variable that may hold the key of a built-in host where `key_env`, its usual one, is not set: GOOGLE_API_KEY for
** GEMINI_API_KEY. NULL: there is none. */
const char *host_other_key(const Url *url, const char *key_env);

#endif
