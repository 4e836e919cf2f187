/*
** Access: who may be called, and with which key. Process-wide, as an environment is.
**
** Secrets live in this process's memory only and are wiped when replaced. This is the one file that
** reads the environment.
*/
#ifndef LLMCOST_ACCESS_H
#define LLMCOST_ACCESS_H

#include "core/catalogue.h"
#include "core/error.h"

/* An environment variable, NULL where unset or empty. */
const char *env_get(const char *name);

/* Hands over a key under the name of an environment variable; it goes before the variable. */
int access_set_secret(const char *name, const char *value, Err *err);

/* Lets prompts and keys go to "host" or "host:port". */
int access_allow_host(const char *rule, Err *err);

/* May this model be called? Checks its address and its host, and finds its key: *key is owned
** (access_wipe), NULL where the model needs none. */
int access_check(const Model *model, char **key, Err *err);

/* Overwrites and frees a key. */
void access_wipe(char *key);

#endif
