/*
** See headers.h for the contract.
*/
#include "trust/headers/headers.h"

#include "base/check.h"
#include "base/text/glob.h"
#include "base/text/json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
  const char *word;
  const char *format; /* of the line with the key */
} auths[] = {
    [AUTH_OF_API] = {"", ""},
    [AUTH_BEARER] = {"bearer", "Authorization: Bearer %s"},
    [AUTH_X_API_KEY] = {"x-api-key", "x-api-key: %s"},
    [AUTH_API_KEY] = {"api-key", "api-key: %s"},
    [AUTH_NONE] = {"none", ""},
};
enum { N_AUTHS = sizeof auths / sizeof auths[0] };

/* Names that no row may set, as GLOBs of names in lower case. */
static const struct {
  const char *names, *why;
} refused[] = {
    {"authorization proxy-* x-api-key api-key x-goog-api-key cookie",
     "can't be set: it carries a key, whose variable stands in key_env, and in auth how it is "
     "sent"},
    {"host content-* transfer-encoding connection te trailer upgrade http2-settings expect "
     "keep-alive "
     "accept-encoding range if-*",
     "can't be set: it belongs to the connection"},
    {"x-portkey-* helicone-target-* helicone-*-api-base *target* *upstream* *base-url* *-url *-uri "
     "*-host *-host-* forwarded x-forwarded-* x-original-* x-rewrite-* x-real-ip via",
     "can't be set: gateways take from such where the request is to go"},
    {"user-agent x-client-request-id idempotency-key x-http-method* x-method-override",
     "can't be set: it is of each request, and llmcost's to say"},
};

/* Of a word; N_AUTHS: it is none. */
static int auth_of(const char *word) {
  int i = 0;
  while (i < N_AUTHS && strcmp(auths[i].word, word) != 0) {
    i++;
  }
  return i;
}

static int read_auth(const Model *model, Auth *auth, Err *err) {
  int found = auth_of(model->auth ? model->auth : "");
  if (found == N_AUTHS) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "model '%.80s': auth '%.40s' in llm_models (valid: 'bearer', 'x-api-key',"
                   " 'api-key', 'none'; NULL: as its api has it)",
                   model->name, model->auth);
  }
  *auth = (Auth)found;
  return RC_OK;
}

/* ---- one header */

/* A token of RFC 9110. */
static int is_name(const char *name) {
  static const char signs[] = "!#$%&'*+-.^_`|~";
  size_t n = 0;
  while (name[n] && (isalnum((unsigned char)name[n]) || strchr(signs, name[n]))) {
    n++;
  }
  return n > 0 && !name[n];
}

/* What is wrong with a name; NULL: nothing. */
static const char *name_fault(const char *name) {
  char lower[80];
  size_t n = strlen(name);
  if (!is_name(name)) {
    return "is no name of a header (letters, digits and signs such as '-')";
  }
  if (n >= sizeof lower) {
    return "has a name of over 79 characters";
  }
  for (size_t i = 0; i <= n; i++) {
    lower[i] =
        (char)(name[i] == '_' ? '-' : tolower((unsigned char)name[i])); /* (some servers do) */
  }
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    if (glob_any(refused[i].names, lower)) {
      return refused[i].why;
    }
  }
  return NULL;
}

/* What is wrong with a value; NULL: nothing. (An empty one is libcurl's sign that a header is to be left out.) */
static const char *value_fault(const char *value) {
  size_t n = strlen(value);
  if (n == 0) {
    return "has no value";
  }
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)value[i];
    if (c < ' ' || c == 0x7f) {
      return "holds a line break or another control character";
    }
    if (c > 0x7f) {
      return "holds a character that is not ASCII";
    }
  }
  return value[0] == ' ' || value[n - 1] == ' ' ? "begins or ends with a blank" : NULL;
}

static int set_line(Header *h, const char *name, const char *value, Err *err) {
  size_t n = strlen(name), size = n + strlen(value) + 3;
  char *line = malloc(size);
  if (!line) {
    return err_nomem(err);
  }
  snprintf(line, size, "%s: %s", name, value);
  free(h->line);
  h->line = line;
  h->n_name = n;
  return RC_OK;
}

static int is_named(const Header *h, const char *name, size_t n) {
  return h->n_name == n && strncasecmp(h->line, name, n) == 0;
}

static int has(const Headers *headers, const char *name, size_t n) {
  int i = 0;
  while (i < headers->n && !is_named(&headers->list[i], name, n)) {
    i++;
  }
  return i < headers->n;
}

static size_t bytes_of(const Headers *headers) {
  size_t bytes = 0;
  for (int i = 0; i < headers->n; i++) {
    bytes += strlen(headers->list[i].line);
  }
  return bytes;
}

/* The name of the variable that holds the value; NULL: none is named, or something beside it. */
static const char *variable_of(const cJSON *value) {
  const cJSON *only = cJSON_IsObject(value) ? value->child : NULL;
  int is_env = only && !only->next && strcmp(only->string, "env") == 0;
  return is_env && cJSON_IsString(only) && only->valuestring[0] ? only->valuestring : NULL;
}

/* What is wrong with a member of the object, as it stands there; NULL: nothing. */
static const char *member_fault(const Headers *headers, const cJSON *item) {
  const char *fault = name_fault(item->string);
  if (fault) {
    return fault;
  }
  if (has(headers, item->string, strlen(item->string))) {
    return "stands there twice (capitals make no difference)";
  }
  if (cJSON_IsString(item)) {
    int is_address = strstr(item->valuestring, "://") != NULL;
    return is_address && strcasecmp(item->string, "HTTP-Referer") != 0
               ? "holds an address: gateways take from such where the request is to go"
               : value_fault(item->valuestring);
  }
  return variable_of(item) ? NULL : "is neither a text nor {\"env\": \"VARIABLE\"}";
}

static int add(Headers *headers, const cJSON *item, Err *err) {
  Header *h = &headers->list[headers->n];
  const char *variable = variable_of(item);
  *h = (Header){.variable = variable ? strdup(variable) : NULL};
  headers->n++;
  if (variable && !h->variable) {
    err_nomem(err);
  }
  return set_line(h, item->string, variable ? "" : item->valuestring, err);
}

/* ---- a row's */

static int too_many(const Model *model, const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_CONFIG, "model '%.80s': headers in llm_models has over %s",
                 model->name, what);
}

static int read_member(const Model *model, Headers *out, const cJSON *item, Err *err) {
  if (out->n == HEADERS_MOST) {
    return too_many(model, "32 headers", err);
  }
  const char *fault = member_fault(out, item);
  if (fault) {
    return err_set(err, RC_ERROR, ERR_CONFIG, "model '%.80s': header '%.80s' in llm_models %s",
                   model->name, item->string, fault);
  }
  add(out, item, err);
  return err->rc == RC_OK && bytes_of(out) > HEADERS_BYTES ? too_many(model, "4096 bytes", err)
                                                           : err->rc;
}

int headers_read(const Model *model, Headers *out, Err *err) {
  enum { LONGEST = 8 * HEADERS_BYTES }; /* as JSON, with escapes */
  const char *text = model->headers ? model->headers : "";
  size_t n = strlen(text);
  Err why = {0};
  *out = (Headers){.n = 0};
  if (read_auth(model, &out->auth, err) != RC_OK || n == 0) {
    return err->rc;
  }
  if (n > LONGEST) {
    return too_many(model, "4096 bytes", err);
  }
  cJSON *tree = json_parse(text, n, "headers", &why);
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  } else if (!cJSON_IsObject(tree)) {
    err_set(err, RC_ERROR, ERR_CONFIG,
            "model '%.80s': headers in llm_models is no JSON object (such as {\"X-Title\": \"my"
            " desk\", \"X-Gateway\": {\"env\": \"GATEWAY_TOKEN\"}})",
            model->name);
  }
  for (const cJSON *item = tree ? tree->child : NULL; item && err->rc == RC_OK; item = item->next) {
    read_member(model, out, item, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

const char *header_value(const Header *header) {
  return header->line + header->n_name + 2;
}

int headers_fill(Headers *headers, int i, const char *value, const char **why, Err *err) {
  Header *h = &headers->list[i];
  char name[80];
  *why = value_fault(value);
  if (!*why && bytes_of(headers) + strlen(value) > HEADERS_BYTES) {
    *why = "is too long: the headers of a model have at most 4096 bytes";
  }
  snprintf(name, sizeof name, "%.*s", (int)h->n_name, h->line);
  return *why ? RC_OK : set_line(h, name, value, err);
}

void headers_free(Headers *headers) {
  for (int i = 0; i < headers->n; i++) {
    Header *h = &headers->list[i];
    if (h->line) {
      explicit_bzero(h->line, strlen(h->line));
    }
    free(h->line);
    free(h->variable);
  }
  *headers = (Headers){.n = 0};
}

/* ---- a request's */

void headers_begin(HeaderLines *lines) {
  lines->n = 0;
  lines->at[0] = NULL;
  headers_add(lines, "User-Agent: llmcost/" RELEASE); /* some hosts refuse those without one */
}

void headers_add(HeaderLines *lines, const char *line) {
  CHECK(lines->n < HEADERS_MOST + HEADERS_OWN);
  lines->at[lines->n++] = line;
  lines->at[lines->n] = NULL;
}

void headers_add_model(HeaderLines *lines, const Headers *headers, const char *key,
                       const char *auth_of_api, const char *line_of_api) {
  int auth = headers->auth == AUTH_OF_API ? auth_of(auth_of_api) : (int)headers->auth;
  CHECK(auth < N_AUTHS && auths[auth].word[0]);
  if (key && auth != AUTH_NONE) {
    int n = snprintf(lines->key, sizeof lines->key, auths[auth].format, key);
    CHECK(n > 0 && n < (int)sizeof lines->key);
    headers_add(lines, lines->key);
  }
  if (line_of_api && !has(headers, line_of_api, strcspn(line_of_api, ":"))) {
    headers_add(lines, line_of_api);
  }
  for (int i = 0; i < headers->n; i++) {
    headers_add(lines, headers->list[i].line);
  }
}

void headers_wipe(HeaderLines *lines) {
  explicit_bzero(lines->key, sizeof lines->key);
}
