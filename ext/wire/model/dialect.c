/*
** See dialect.h for the contract.
*/
#include "wire/model/dialect.h"

#include "core/usage/vendor.h"
#include "wire/model/supports.h"

#include <string.h>
#include <strings.h>

/* Streams and limits: each vendor's API reference. Mistral refuses members that it does not know (stream_options), and
** tells its usage without being asked, as Anthropic does. */
static const Dialect dialects[] = {
    {"openai", "api.openai.com", 1, 1, 4, 1},
    {"azure", NULL, 0, 1, 4, 1},
    {"anthropic", "api.anthropic.com", 1, 0, 0, 0},
    {"mistral", "api.mistral.ai", 1, 0, 0, 0},
    {"google", "generativelanguage.googleapis.com", 1, 1, 5, 0},
    {"groq", "api.groq.com", 1, 1, 4, 0},
    {"deepseek", "api.deepseek.com", 1, 1, 16, 0},
    {"openrouter", "openrouter.ai", 1, 1, 4, 0},
    {"x-ai", "api.x.ai", 1, 1, 4, 0},
    {"together", "api.together.xyz", 1, 1, 0, 0},
    {"fireworks", "api.fireworks.ai", 1, 1, 0, 0},
    {"cerebras", "api.cerebras.ai", 1, 1, 0, 0},
    {"voyageai", "api.voyageai.com", 0, 0, 0, 1},
    {NULL, NULL, 0, 1, 0, 0},
};

const Dialect *dialect_of(const Model *model) {
  const Vendor *vendor = vendor_by_word(model->provider);
  const Dialect *d = dialects;
  while (d->vendor && (!vendor || strcmp(d->vendor, vendor->id) != 0)) {
    d++;
  }
  return d;
}

/* 1 if the base URL is at that host. */
static int is_at(const char *url, const char *host) {
  static const char scheme[] = "https://";
  size_t n = host ? strlen(host) : 0;
  if (!host || strncasecmp(url, scheme, sizeof scheme - 1) != 0) {
    return 0;
  }
  url += sizeof scheme - 1;
  return strncasecmp(url, host, n) == 0 && (url[n] == '/' || url[n] == ':' || !url[n]);
}

int dialect_is_at_home(const Dialect *d, const Model *model) {
  return is_at(model->base_url, d->host);
}

int dialect_streams(const Dialect *d, const Model *model, Err *err) {
  return wire_supports(model, "stream", d->streams && dialect_is_at_home(d, model), err);
}
