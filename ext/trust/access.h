/*
** Access: where prompts may go, and which key may go there, and which headers. Process-wide, as an environment is.
**
** The rows of llm_models come from a database file, which anybody may have made. So which key belongs to
** which host, in the header for keys or in one of the row's own, is decided here and by the application alone: by the built-in pairs (trust/hosts.h), by
** llm_allow_host(host, key) and by LLMCOST_ALLOW_HOSTS in this process. A row can only choose among these
** pairs; it can't send some other variable of the environment anywhere.
**
** Secrets live in this process's memory only and are wiped when replaced.
*/
#ifndef LLMCOST_ACCESS_H
#define LLMCOST_ACCESS_H

#include "core/price/catalogue.h"
#include "base/error.h"
#include "trust/headers/headers.h"

#include <stddef.h>

/* Hands over a key of n bytes under the name of an environment variable; it goes before the variable.
** What no key is (blanks, line breaks, quotes, a NUL, other than ASCII) is an error. */
int access_set_secret(const char *name, const char *value, size_t n, Err *err);

/* Lets prompts go to "host" or "host:port", and with `key_name` (NULL: none) the key of that name. A host
** may have several. */
int access_allow_host(const char *rule, const char *key_name, Err *err);

/* What a model is asked with: its secrets, and what goes out beside URL and body. */
typedef struct Access {
  char *key;       /* owned; NULL: none is sent */
  Headers headers; /* of its row, with what variables hold */
} Access;

/* May this model be called? Checks its address, its host, its headers and that its key and the variables of its headers belong to
** that host, and finds these: *access is the caller's (access_free), zeroed after an error. The error says the statement that
** would allow it. */
int access_check(const Model *model, Access *access, Err *err);

/* Wipes and frees; safe on zeroed memory, and twice. */
void access_free(Access *access);

/* 1 if a text holds the key or what a variable put into a header, in any form that scrub_holds_key knows. */
int access_leaks(const Access *access, const char *text);

/* As scrub_mask, for all of these. */
void access_mask(const Access *access, char *text);

#endif
