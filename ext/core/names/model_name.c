/*
** Model name matching. See model_name.h for the contract.
*/
#include "core/names/model_name.h"

#include "base/limits.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const vendor_prefixes[] = {"openai/",     "anthropic/", "google/", "mistralai/",
                                              "meta-llama/", "deepseek/",  "models/", "x-ai/"};

static const char *skip_vendor(const char *name) {
  if (!strchr(name, '/')) {
    return name;
  }
  for (unsigned i = 0; i < sizeof vendor_prefixes / sizeof vendor_prefixes[0]; i++) {
    size_t n = strlen(vendor_prefixes[i]);
    if (strncasecmp(name, vendor_prefixes[i], n) == 0) {
      return name + n;
    }
  }
  return name;
}

/* 1 if the rest of a name after its base is a date or "-latest". Each '#' of a pattern is a
** digit. */
static int is_snapshot_suffix(const char *rest) {
  static const char *const patterns[] = {"-####-##-##", "-########", "@########", "-latest",
                                         "-####"};
  for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
    const char *p = patterns[i], *r = rest;
    while (*p && *r && (*p == '#' ? (*r >= '0' && *r <= '9') : *p == *r)) {
      p++;
      r++;
    }
    if (*p == 0 && *r == 0) {
      return 1;
    }
  }
  return 0;
}

size_t model_name_lower(const char *name, char *out, size_t size) {
  size_t n = 0;
  for (; name[n] && n + 1 < size; n++) {
    out[n] = (char)tolower((unsigned char)name[n]);
  }
  out[n] = 0;
  return n + strlen(name + n);
}

size_t model_name_base(const char *name) {
  size_t n = strlen(name);
  for (size_t i = 1; i < n; i++) {
    if (is_snapshot_suffix(name + i)) {
      return i;
    }
  }
  return n;
}

int model_name_match(const char *asked, const char *known) {
  if (strcmp(asked, known) == 0) {
    return 3;
  }
  const char *a = skip_vendor(asked), *k = skip_vendor(known);
  size_t n = strlen(k);
  if (strncasecmp(a, k, n) != 0) {
    return 0;
  }
  int fine_tuned = strncasecmp(k, "ft:", 3) == 0;
  return a[n] == 0 ? 2 : !fine_tuned && is_snapshot_suffix(a + n);
}

/* ---- plain names */

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* What a text ends with of a pattern ('#' a digit, '+' more of them); the length that is left, or n. */
static size_t cut(const char *text, size_t n, const char *pattern) {
  size_t at = n, p = strlen(pattern);
  while (p > 0) {
    char want = pattern[--p];
    if (want == '+') {
      while (at > 1 && is_digit(text[at - 1]) && is_digit(text[at - 2])) {
        at--;
      }
    } else if (at == 0 || (want == '#' ? !is_digit(text[at - 1]) : text[at - 1] != want)) {
      return n;
    } else {
      at--;
    }
  }
  return at > 0 ? at : n;
}

/* "us.anthropic.", "eu.amazon.", "anthropic.": Bedrock writes region and maker before a name. */
static const char *skip_cloud(const char *name) {
  static const char *const makers[] = {
      "anthropic.", "amazon.",     "meta.", "mistral.", "cohere.",     "ai21.",
      "deepseek.",  "openai.",     "qwen.", "google.",  "nvidia.",     "minimax.",
      "moonshot.",  "moonshotai.", "zai.",  "writer.",  "twelvelabs.", "stability."};
  const char *dot = strchr(name, '.');
  size_t region = dot ? (size_t)(dot - name) + 1 : 0;
  for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
    size_t n = strlen(makers[i]);
    if (strncmp(name, makers[i], n) == 0) {
      return name + n;
    }
    if (region > 0 && region <= 7 && strncmp(name + region, makers[i], n) == 0) {
      return name + region + n;
    }
  }
  return name;
}

/* The length of a name without what stands for a revision or a day. */
static size_t without_revision(const char *name, size_t n) {
  static const char *const patterns[] = {"-v#+:#+", "@########", "-####-##-##", "-########",
                                         "@default"};
  for (size_t before = 0; before != n;) {
    before = n;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
      n = cut(name, n, patterns[i]);
    }
  }
  return n;
}

/* Versions of one digit each: "4.5" or "4-5". A longer number is a size or a date. */
static void spell_version(char *name) {
  int is_claude = strncmp(name, "claude", 6) == 0;
  for (char *p = name + (name[0] != 0); *p; p++) {
    int is_between = (*p == '.' || *p == '-') && is_digit(p[-1]) && is_digit(p[1]);
    int is_short = is_between && !is_digit(p[2]) && (p - name < 2 || !is_digit(p[-2]));
    if (is_short && (p[2] == 0 || p[2] == '-' || p[2] == ':' || p[2] == '.')) {
      *p = is_claude ? '-' : '.';
    }
  }
}

void model_name_plain(const char *name, char *out, size_t size) {
  char lower[LIMIT_MODEL_NAME];
  if (strncasecmp(name, "ft:", 3) == 0) {
    model_name_lower(name, out, size);
    return;
  }
  model_name_lower(name, lower, sizeof lower);
  const char *path = strrchr(lower, '/');
  const char *bare = skip_cloud(path && path[1] ? path + 1 : lower);
  size_t n = without_revision(bare, strlen(bare));
  n = n < size ? n : size - 1;
  memcpy(out, bare, n);
  out[n] = 0;
  spell_version(out);
}
