/*
** See prefix.h for the contract.
**
** Anthropic: https://platform.claude.com/docs/en/build-with-claude/prompt-caching; OpenAI from gpt-5.6 on, where a prefix is found at a mark alone: its OpenAPI
** document, PromptCacheBreakpointParam and PromptCacheOptionsParam ("explicit": the varying end of the prompt is not written as well). OpenRouter hands
** Anthropic's marks on: https://openrouter.ai/docs/features/prompt-caching
*/
#include "wire/model/prefix.h"

#include "base/text/glob.h"
#include "wire/model/dialect.h"
#include "wire/model/supports.h"

#include <string.h>

enum { CONTROL, BREAKPOINT, N_FORMS };

static const PrefixForm forms[N_FORMS] = {
    [CONTROL] = {"cache_control", "{\"type\":\"ephemeral\"}",
                 "{\"type\":\"ephemeral\",\"ttl\":\"1h\"}", 1, NULL, NULL},
    [BREAKPOINT] = {"prompt_cache_breakpoint", "{\"mode\":\"explicit\"}", "{\"mode\":\"explicit\"}",
                    0, "prompt_cache_options", "{\"mode\":\"explicit\"}"},
};

static const struct {
  const char *api, *vendor; /* NULL: any; of a vendor its own servers */
  const char *names;        /* GLOBs */
  int form;
} takers[] = {
    {"anthropic", NULL, "*", CONTROL},
    {"openai", "openai", "gpt-5.6* gpt-6*", BREAKPOINT},
    {"openai", "openrouter", "anthropic/*", CONTROL},
};

/* As the tables above say. */
static const PrefixForm *known_form(const Model *model) {
  const Dialect *d = dialect_of(model);
  for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++) {
    int is_vendor = !takers[i].vendor || (d->vendor && strcmp(d->vendor, takers[i].vendor) == 0 &&
                                          dialect_is_at_home(d, model));
    if (is_vendor && strcmp(model->api, takers[i].api) == 0 &&
        glob_any(takers[i].names, model->name)) {
      return &forms[takers[i].form];
    }
  }
  return NULL;
}

const PrefixForm *prefix_form(const Model *model, Err *err) {
  char word[40];
  SupportsWord said = wire_supports_word(model, "prompt_cache", word, sizeof word, err);
  if (said != SUPPORTS_TEXT) {
    return said == SUPPORTS_NOTHING && err->rc == RC_OK ? known_form(model) : NULL;
  }
  for (int i = 0; i < N_FORMS; i++) {
    if (strcmp(word, forms[i].member) == 0) {
      return &forms[i];
    }
  }
  err_set(err, RC_ERROR, ERR_CONFIG,
          "model '%.80s': \"prompt_cache\" in llm_models.supports is '%s' (valid: '%s', '%s', or "
          "false)",
          model->name, word, forms[CONTROL].member, forms[BREAKPOINT].member);
  return NULL;
}

/* No part of a message may be so. */
static int is_blank(const char *text, size_t n) {
  while (n > 0 && strchr(" \t\r\n\f\v", text[n - 1])) {
    n--;
  }
  return n == 0;
}

size_t prefix_shared(const Request *r) {
  const Message *last = &r->messages[r->n_messages - 1];
  if (last->item) {
    return 0;
  }
  size_t n = r->shared < last->n ? r->shared : last->n;
  while (n > 0 && n < last->n && ((unsigned char)last->content[n] & 0xC0) == 0x80) {
    n--;
  }
  int is_rest = n == last->n || !is_blank(last->content + n, last->n - n);
  return is_rest && !is_blank(last->content, n) ? n : 0;
}

unsigned prefix_places(const Request *r) {
  const Message *last = &r->messages[r->n_messages - 1];
  unsigned places = r->system && !is_blank(r->system, strlen(r->system)) ? PREFIX_SYSTEM : 0;
  places |= prefix_shared(r) > 0 ? PREFIX_SHARED : 0;
  int has_history = r->n_messages > 1 && !is_blank(last->content, last->n);
  return places | (has_history ? PREFIX_HISTORY : 0);
}

static int is_role(const Request *r, int i, const char *role) {
  return strcmp(r->messages[i].role, role) == 0;
}

int prefix_ends(const Request *r, int ends[PREFIX_ENDS]) {
  int last = r->n_messages - 1, before = last, user, n = 0;
  while (before >= 0 && !is_role(r, before, "assistant")) {
    before--;
  }
  while (before >= 0 && is_role(r, before, "assistant")) {
    before--;
  }
  for (user = before; user >= 0 && !is_role(r, user, "user");) {
    user--;
  }
  if (user >= 0 && user < before) {
    ends[n++] = user;
  }
  if (before >= 0) {
    ends[n++] = before;
  }
  ends[n++] = last;
  return n;
}
