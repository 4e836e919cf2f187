/*
** Access: where prompts may go, and which key may go there. Process-wide, as an environment is.
**
** The rows of llm_models come from a database file, which anybody may have made. So which key belongs to
** which host is decided here and by the application alone: by the built-in pairs (trust/hosts.h), by
** llm_allow_host(host, key) and by LLMCOST_ALLOW_HOSTS in this process. A row can only choose among these
** pairs; it can't send some other variable of the environment anywhere.
**
** Secrets live in this process's memory only and are wiped when replaced. This is the one file that
** reads the environment.
*/
#ifndef LLMCOST_ACCESS_H
#define LLMCOST_ACCESS_H

#include "core/price/catalogue.h"
#include "base/error.h"

#include <stddef.h>

/* An environment variable, NULL where unset or empty. */
const char *env_get(const char *name);

/* Hands over a key of n bytes under the name of an environment variable; it goes before the variable.
** What no key is (blanks, line breaks, quotes, a NUL, other than ASCII) is an error. */
int access_set_secret(const char *name, const char *value, size_t n, Err *err);

/* Lets prompts go to "host" or "host:port", and with `key_name` (NULL: none) the key of that name. A host
** may have several. */
int access_allow_host(const char *rule, const char *key_name, Err *err);

/* May this model be called? Checks its address, its host and that its key belongs there, and finds the
** key: *key is owned (access_wipe), NULL where the model needs none. The error says the statement that
** would allow it. */
int access_check(const Model *model, char **key, Err *err);

/* Overwrites and frees a key. */
void access_wipe(char *key);

#endif
