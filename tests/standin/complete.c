/*
** complete.c: a prompt goes in, a text with its usage and price comes out, for either provider.
**
** The order of things: choose the text (a scenario's, a tool's arguments, what the prompt wants to
** hear, JSON for a schema, or the support desk's answer), end it at the first stop sequence, cut it at max_tokens, count it, split
** the input by the prompt cache, price it. An answer costs at least one output token, as an empty
** one does with the real providers.
*/
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_TOKENS 4096 /* cache-floor: the longest of Anthropic's minimum prefixes */

/* The dated name behind an alias. */
void model_answered(const char *asked, char *out, size_t cap) {
  static const char *const aAlias[][2] = {
      {"gpt-4o-mini", "gpt-4o-mini-2024-07-18"},
      {"gpt-4o", "gpt-4o-2024-08-06"},
      {"claude-haiku-4-5", "claude-haiku-4-5-20251001"},
  };
  for (size_t i = 0; i < sizeof aAlias / sizeof aAlias[0]; i++) {
    if (strcmp(asked, aAlias[i][0]) == 0) {
      asked = aAlias[i][1];
    }
  }
  copy_name(out, cap, asked);
}

/* The JSON text for a schema (NULL schema = any object), or one that breaks it. */
static void schema_text(const struct ask *a, uint64_t ref, struct buf *out) {
  char word[24];
  snprintf(word, sizeof word, "ref %08x", (unsigned)(ref & 0xffffffffu));
  cJSON *j = !a->schema                    ? cJSON_CreateObject()
             : a->fault == FT_WRONG_SCHEMA ? schema_violation(a->schema, word)
                                           : schema_instance(a->schema, word);
  buf_json(out, j);
  cJSON_Delete(j);
}

/* An answer as a JSON object with one member. */
static void object_text(const char *question, uint64_t ref, struct buf *out) {
  struct buf t = {0};
  answer_text(&t, question, ref);
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "answer", t.p);
  buf_json(out, j);
  cJSON_Delete(j);
  buf_free(&t);
}

/* Chooses the answer's text and how it ended. out stays empty for a null content. */
static void choose_text(const struct ask *a, struct outcome *o, struct buf *out) {
  const char *question = o->prompt.user.p ? o->prompt.user.p : "";
  uint64_t ref = o->prompt.hash;
  if (a->fault == FT_REFUSAL) {
    o->finish = FIN_REFUSAL;
    buf_str(out, "I'm sorry, but I can't help with that request.");
  } else if (a->fault == FT_TOOL || a->tool) {
    o->finish = FIN_TOOL;
    copy_name(o->tool, sizeof o->tool, a->tool ? a->tool : "lookup_order");
    if (a->argument[0]) {
      buf_str(out, a->argument);
    } else {
      schema_text(a, ref, out);
    }
  } else if (a->said[0]) {
    buf_str(out, a->said);
  } else if (a->fault == FT_EMPTY || a->fault == FT_NULL_CONTENT) {
    buf_str(out, "");
  } else if (!answer_wanted(out, question, o->model)) {
    if (a->fault == FT_FENCED) {
      buf_str(out, "```json\n");
    }
    if (a->schema) {
      schema_text(a, ref, out);
    } else if (a->json_object || a->fault == FT_FENCED) {
      object_text(question, ref, out);
    } else {
      answer_text(out, question, ref);
    }
    if (a->fault == FT_FENCED) {
      buf_str(out, "\n```");
    }
  }
}

/* Ends the text at one stop sequence, when it's there. */
static void stop_at(struct outcome *o, struct buf *text, const char *sequence) {
  char *at = sequence && *sequence ? strstr(text->p, sequence) : NULL;
  if (!at) {
    return;
  }
  text->n = (size_t)(at - text->p);
  *at = 0;
  free(o->sequence);
  o->sequence = dup_n(sequence, strlen(sequence));
  o->finish = FIN_SEQUENCE;
}

/* Ends the text at whichever stop sequence it holds. */
static void stop_any(const struct ask *a, struct outcome *o, struct buf *text) {
  const cJSON *one;
  if (cJSON_IsString(a->stop)) {
    stop_at(o, text, a->stop->valuestring);
  }
  cJSON_ArrayForEach(one, a->stop) {
    stop_at(o, text, cJSON_GetStringValue(one));
  }
}

/* Cuts the text at the token limit, or where a scenario wants it cut. */
static void cut(const struct ask *a, struct outcome *o, struct buf *text) {
  int64_t limit = a->max_tokens, have = token_count(text->p, text->n);
  enum finish why = FIN_LENGTH;
  if (a->fault == FT_LENGTH || a->fault == FT_FILTER) {
    limit = limit >= 0 && limit < have / 2 ? limit : have / 2;
    why = a->fault == FT_LENGTH ? FIN_LENGTH : FIN_FILTER;
  }
  if (limit < 0 || have <= limit) {
    return;
  }
  text->n = token_cut(text->p, text->n, limit);
  text->p[text->n] = 0;
  o->finish = why;
}

/* Puts U+E000 after a letter in the middle; deliver.c turns it into the bytes a scenario wants. */
static void mark_middle(struct buf *text) {
  struct buf b = {0};
  size_t at = text->n / 2;
  while (at < text->n && !(text->p[at] >= 'a' && text->p[at] <= 'z')) {
    at++;
  }
  if (at < text->n) {
    at++;
  }
  buf_add(&b, text->p, at);
  buf_str(&b, "\xee\x80\x80");
  buf_add(&b, text->p + at, text->n - at);
  buf_free(text);
  *text = b;
}

static _Atomic double token_factor = 1;

/* Input tokens billed per token counted, from now on: a model whose vocabulary nobody knows. */
void token_factor_set(double factor) {
  token_factor = factor;
}

/* Usage and price of what was sent and said. */
static void charge(const struct ask *a, struct outcome *o, const struct buf *text) {
  int64_t said = token_count(text->p, text->n) + token_count(o->tool, strlen(o->tool));
  if (a->max_tokens >= 0 && said > a->max_tokens) {
    said = a->max_tokens;
  }
  o->use.output = (said || a->max_tokens == 0 ? said : 1) * (a->n > 0 ? a->n : 1) + a->thought;
  o->use.thought = a->thought;
  o->flex = a->flex;
  o->prompt.tokens = (int64_t)((double)o->prompt.tokens * token_factor + 0.5);
  o->prompt.batch = a->batch;
  cache_use(&o->prompt, a->api, a->fault == FT_CACHE_FLOOR ? FLOOR_TOKENS : 0, &o->use);
  if (a->fault == FT_CACHED) {
    memset(&o->use, 0, offsetof(struct usage, output));
    o->use.cached = o->prompt.tokens / 2;
    o->use.fresh = o->prompt.tokens - o->use.cached;
  }
  if (a->fault == FT_ZERO_USAGE) {
    memset(&o->use, 0, sizeof o->use);
  }
  o->nusd = price_of(o->model, &o->use, a->batch || a->flex);
}

/* Answers o->prompt. Fills the rest of o. */
void complete_run(const struct ask *a, struct outcome *o) {
  struct buf text = {0};
  copy_name(o->model, sizeof o->model, a->model);
  model_answered(a->model, o->answered, sizeof o->answered);
  choose_text(a, o, &text);
  stop_any(a, o, &text);
  cut(a, o, &text);
  charge(a, o, &text);
  if ((a->fault == FT_NUL || a->fault == FT_BAD_UTF8 || a->fault == FT_HUGE) && !o->tool[0]) {
    mark_middle(&text);
  }
  o->text = buf_take(&text);
  if (a->fault == FT_NULL_CONTENT) {
    free(o->text);
    o->text = NULL;
  }
}

/* Frees what an outcome owns; NULL is fine. */
void outcome_free(struct outcome *o) {
  if (!o) {
    return;
  }
  free(o->text);
  free(o->sequence);
  prompt_free(&o->prompt);
  memset(o, 0, sizeof *o);
}
