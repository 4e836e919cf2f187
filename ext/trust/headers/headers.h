/*
** The header lines of a request to a model: how its key is sent, and what its row of llm_models adds to them (the columns `auth`
** and `headers`). One place for calls, embeddings and batches. Pure: what variables hold is found by trust/access.
**
** A row comes from a database file, which anybody may have made. So a header is taken only where it can be nothing else: a name as
** HTTP has it (RFC 9110, section 5.6.2), printable ASCII behind it, and none of the names that carry keys, that belong to the
** connection, or that tell one request from another. Nothing is sent where one of them is not taken.
*/
#ifndef LLMCOST_HEADERS_H
#define LLMCOST_HEADERS_H

#include "core/price/catalogue.h"
#include "base/error.h"

#include <stddef.h>

enum {
  HEADERS_MOST = 32,    /* of a row: gateways that are known take about ten */
  HEADERS_BYTES = 4096, /* of those together, names and values: servers take 8 KB of all headers */
  HEADERS_KEY = 4000,   /* of a key: signed tokens of clouds have about 2 KB */
  HEADERS_OWN =
      6 /* that are not of the row: what it carries, who asks, the key, the version of an API */
};

/* How a key is sent. */
typedef enum Auth { AUTH_OF_API, AUTH_BEARER, AUTH_X_API_KEY, AUTH_API_KEY, AUTH_NONE } Auth;

typedef struct Header {
  char *line; /* "Name: value"; owned; "Name: " of one that is not filled yet */
  size_t n_name;
  char *variable; /* the value is a secret, found by that name; owned; NULL: it stands in the row */
} Header;

typedef struct Headers {
  Auth auth;
  Header list[HEADERS_MOST];
  int n;
} Headers;

/* Reads what a row says. "config" and *err where something of it is not taken. *out is headers_free's in every case. */
int headers_read(const Model *model, Headers *out, Err *err);

/* Puts the value of its variable into a header: *why is NULL, or why it can't be sent (behind "the value of NAME"). RC_OK, or
** RC_NOMEM and *err. */
int headers_fill(Headers *headers, int i, const char *value, const char **why, Err *err);

/* The value of a header, borrowed. */
const char *header_value(const Header *header);

/* Wipes and frees; safe on zeroed memory, and twice. */
void headers_free(Headers *headers);

/* Lines as net/transport takes them. They are borrowed, but for that of the key. */
typedef struct HeaderLines {
  const char *at[HEADERS_MOST + HEADERS_OWN + 1]; /* NULL behind the last */
  int n;
  char key[HEADERS_KEY + 40];
} HeaderLines;

/* Begins with the lines of every request. headers_wipe afterwards. */
void headers_begin(HeaderLines *lines);

/* Adds a line of one request. */
void headers_add(HeaderLines *lines, const char *line);

/* Adds what is the model's: its key (NULL: none), sent as the row or else the API says (a word of `auth`), the API's own line (NULL:
** none) where the row has no header of that name, and the headers of the row, which are filled. */
void headers_add_model(HeaderLines *lines, const Headers *headers, const char *key,
                       const char *auth_of_api, const char *line_of_api);

/* Wipes the key. */
void headers_wipe(HeaderLines *lines);

#endif
