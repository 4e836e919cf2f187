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

int model_name_distance(const char *a, const char *b, int cap) {
  int row[LIMIT_MODEL_NAME + 1];
  int n = (int)strlen(b);
  if (n > LIMIT_MODEL_NAME || strlen(a) > LIMIT_MODEL_NAME) {
    return cap;
  }
  for (int j = 0; j <= n; j++) {
    row[j] = j;
  }
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int substitute = diagonal + (a[i - 1] != b[j - 1]);
      int insert = row[j - 1] + 1, erase = row[j] + 1;
      diagonal = row[j];
      int best = insert < erase ? insert : erase;
      row[j] = substitute < best ? substitute : best;
    }
  }
  return row[n] < cap ? row[n] : cap;
}
