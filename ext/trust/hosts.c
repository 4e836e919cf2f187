/*
** Host rules. See hosts.h for the contract.
*/
#include "trust/hosts.h"

#include "base/text/glob.h"
#include "trust/scrub.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Each provider's host and the environment variables whose keys are its own. */
static const struct {
  const char *rule;
  const char *keys[2];
} builtin[] = {
    {"api.openai.com", {"OPENAI_API_KEY", NULL}},
    {"api.anthropic.com", {"ANTHROPIC_API_KEY", NULL}},
    {"api.mistral.ai", {"MISTRAL_API_KEY", NULL}},
    {"generativelanguage.googleapis.com", {"GEMINI_API_KEY", "GOOGLE_API_KEY"}},
    {"openrouter.ai", {"OPENROUTER_API_KEY", NULL}},
    {"api.groq.com", {"GROQ_API_KEY", NULL}},
    {"api.deepseek.com", {"DEEPSEEK_API_KEY", NULL}},
    {"api.x.ai", {"XAI_API_KEY", NULL}},
    {"api.together.xyz", {"TOGETHER_API_KEY", "TOGETHERAI_API_KEY"}},
    {"api.fireworks.ai", {"FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"}},
    {"api.cerebras.ai", {"CEREBRAS_API_KEY", NULL}},
    {"api.cohere.ai", {"COHERE_API_KEY", "CO_API_KEY"}},
    {"api.perplexity.ai", {"PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"}},
    {"api.moonshot.ai", {"MOONSHOT_API_KEY", NULL}},
    {"api.z.ai", {"ZAI_API_KEY", NULL}},
    {"dashscope-intl.aliyuncs.com", {"DASHSCOPE_API_KEY", NULL}},
    {"api.minimax.io", {"MINIMAX_API_KEY", NULL}},
    {"api.deepinfra.com", {"DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"}},
    {"integrate.api.nvidia.com", {"NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"}},
    {"router.huggingface.co", {"HF_TOKEN", "HUGGINGFACE_API_KEY"}},
    {"api.voyageai.com", {"VOYAGE_API_KEY", NULL}},
    {"127.0.0.1:11434", {NULL, NULL}}, /* Ollama's own port on this machine: no key */
    {"localhost:11434", {NULL, NULL}},
    {"[::1]:11434", {NULL, NULL}},
};

static int bad_url(const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_URL, "base_url %s (expected https://host[:port]/path)",
                 why);
}

/* A bracketed host is an IPv6 address and nothing else. */
static int is_host_char(char c, int v6) {
  unsigned char u = (unsigned char)c;
  return v6 ? isxdigit(u) || c == ':' || c == '.' : isalnum(u) || c == '.' || c == '-';
}

/* Reads "host", "host:port" or "[v6]:port" up to '/', '?' or the end. Returns what follows, or NULL. */
static const char *parse_authority(const char *p, Url *url) {
  int v6 = *p == '[';
  size_t n = 0;
  p += v6;
  while (*p && is_host_char(*p, v6)) {
    if (n + 1 >= sizeof url->host) {
      return NULL;
    }
    url->host[n++] = (char)tolower((unsigned char)*p++);
  }
  url->host[n] = 0;
  if (n == 0 || (v6 && (*p++ != ']' || !strchr(url->host, ':')))) {
    return NULL;
  }
  if (*p == ':') {
    char *end;
    long port = strtol(p + 1, &end, 10);
    if (!isdigit((unsigned char)p[1]) || port < 1 || port > 65535) {
      return NULL;
    }
    url->port = (int)port;
    p = end;
  }
  return *p == 0 || *p == '/' || *p == '?' ? p : NULL;
}

/* Four plain decimal numbers that start with 127, ::1, or localhost. */
static int is_loopback(const char *host) {
  int a, b, c, d, used = 0;
  if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0) {
    return 1;
  }
  return strspn(host, "0123456789.") == strlen(host) &&
         sscanf(host, "%3d.%3d.%3d.%3d%n", &a, &b, &c, &d, &used) == 4 && host[used] == 0 &&
         a == 127 && b < 256 && c < 256 && d < 256;
}

/* The name of a parameter, n bytes, is that of a secret. */
static int is_secret_name(const char *name, size_t n) {
  static const char names[] =
      "*key* *token* *secret* *passw* *signature* *credential* sig sas pwd pass code auth "
      "authorization jwt bearer";
  char plain[64];
  size_t out = 0;
  for (size_t i = 0; i < n && n < sizeof plain; i++) {
    if (isalnum((unsigned char)name[i])) {
      plain[out++] = (char)tolower((unsigned char)name[i]);
    }
  }
  plain[out] = 0;
  return n >= sizeof plain || glob_any(names, plain);
}

/* Something in n bytes looks like a key, or they are more than anybody needs. */
static int is_like_key(const char *text, size_t n) {
  char was[512], masked[512];
  if (n >= sizeof was) {
    return 1;
  }
  memcpy(was, text, n);
  was[n] = 0;
  memcpy(masked, was, n + 1);
  scrub_mask(masked, NULL);
  return strcmp(was, masked) != 0;
}

/* 1 if n bytes have the characters of a query's parameter. Its name is not escaped: it could be any. */
static int is_parameter(const char *text, size_t n, size_t n_name) {
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    const char *signs = i < n_name ? "-._~" : "-._~=+:@/";
    int is_escape = c == '%' && i > n_name && i + 2 < n && isxdigit((unsigned char)text[i + 1]) &&
                    isxdigit((unsigned char)text[i + 2]);
    if (!isalnum(c) && !is_escape && !strchr(signs, c)) {
      return 0;
    }
  }
  return 1;
}

/* What stands behind '?': parameters between '&'. */
static int check_query(const char *query, Err *err) {
  for (const char *at = query; *at && err->rc == RC_OK;) {
    size_t n = strcspn(at, "&"), n_name = 0;
    while (n_name < n && at[n_name] != '=') {
      n_name++;
    }
    if (!is_parameter(at, n, n_name)) {
      bad_url("has a character in its query that does not belong there", err);
    } else if (is_secret_name(at, n_name) || is_like_key(at, n)) {
      bad_url("has a secret in its query: keys belong in the variable that key_env names", err);
    }
    at += n + (at[n] == '&');
  }
  return err->rc;
}

/* The path, and the query behind it. */
static int check_rest(const char *path, Err *err) {
  size_t n = strcspn(path, "?");
  for (size_t i = 0; i < n; i++) {
    if (!isalnum((unsigned char)path[i]) && !strchr("/._-~:@", path[i])) {
      return bad_url("has a character that does not belong there", err);
    }
  }
  return check_query(path[n] ? path + n + 1 : "", err);
}

static int has_blank_end(const char *text) {
  size_t n = strlen(text);
  return n > 0 && (isspace((unsigned char)text[0]) || isspace((unsigned char)text[n - 1]));
}

int url_parse(const char *text, Url *url, Err *err) {
  memset(url, 0, sizeof *url);
  if (has_blank_end(text)) {
    return bad_url("begins or ends with a blank", err);
  }
  url->is_https = strncasecmp(text, "https://", 8) == 0;
  if (!url->is_https && strncasecmp(text, "http://", 7) != 0) {
    return bad_url("is not an http or https address", err);
  }
  url->port = url->is_https ? 443 : 80;
  const char *path = parse_authority(text + (url->is_https ? 8 : 7), url);
  if (!path) {
    return bad_url("has no plain host name", err);
  }
  if (check_rest(path, err) != RC_OK) {
    return err->rc;
  }
  url->is_loopback = is_loopback(url->host);
  if (!url->is_https && !url->is_loopback) {
    return bad_url("is plain http to another machine; use https", err);
  }
  return RC_OK;
}

int url_join(const char *base_url, const char *const ends[2], const char *path, char *out,
             size_t size) {
  size_t n = strcspn(base_url, "?"), n_path = strcspn(path, "?");
  const char *query = base_url[n] ? base_url + n + 1 : "";
  const char *more = path[n_path] ? path + n_path + 1 : "";
  while (n > 0 && base_url[n - 1] == '/') {
    n--;
  }
  for (int i = 0; ends && i < 2; i++) {
    size_t end = strlen(ends[i]);
    n -= n > end && memcmp(base_url + n - end, ends[i], end) == 0 ? end : 0;
  }
  int len = snprintf(out, size, "%.*s%.*s%s%s%s%s", (int)n, base_url, (int)n_path, path,
                     query[0] || more[0] ? "?" : "", query, query[0] && more[0] ? "&" : "", more);
  return len >= 0 && (size_t)len < size;
}

void url_authority(const Url *url, char *out, size_t size) {
  int v6 = strchr(url->host, ':') != NULL;
  int n = snprintf(out, size, "%s%s%s", v6 ? "[" : "", url->host, v6 ? "]" : "");
  if (url->port != 443 && n > 0 && (size_t)n < size) {
    snprintf(out + n, size - (size_t)n, ":%d", url->port);
  }
}

int host_rule_is_valid(const char *rule) {
  Url u = {.port = -1};
  const char *end = parse_authority(rule, &u);
  return end && *end == 0;
}

int host_rule_covers(const char *rule, const Url *url) {
  Url u = {.port = -1};
  const char *end = parse_authority(rule, &u);
  return end && *end == 0 && strcmp(u.host, url->host) == 0 &&
         (u.port == -1 || u.port == url->port);
}

/* The keys of a built-in host: two names, of which each may be NULL. NULL: it is none. */
static const char *const *keys_of(const Url *url) {
  for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++) {
    int names_port = strrchr(builtin[i].rule, ':') != NULL;
    if (host_rule_covers(builtin[i].rule, url) && (names_port || url->port == 443)) {
      return builtin[i].keys;
    }
  }
  return NULL;
}

static int is_name(const char *a, const char *b) {
  return a && b && strcmp(a, b) == 0;
}

int host_builtin(const Url *url, const char *key_env) {
  const char *const *keys = keys_of(url);
  int is_own = keys && (is_name(keys[0], key_env) || is_name(keys[1], key_env));
  return !keys ? 0 : !key_env || is_own ? 1 : -1;
}

const char *host_other_key(const Url *url, const char *key_env) {
  const char *const *keys = keys_of(url);
  return keys && is_name(keys[0], key_env) ? keys[1] : NULL;
}
