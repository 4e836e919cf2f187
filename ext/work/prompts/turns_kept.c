/*
** See turns_kept.h for the contract; core/compress/prune.h says which turns stay, and why the cut goes in steps.
**
** What a user ordered once holds on: a user's message with a standing order ("Do not write to the customer", "at most two
** sentences") stays wherever it stands. Orders are told from remarks by who is spoken of: "I don't know" orders nothing.
*/
#include "work/prompts/turns_kept.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "core/compress/prune.h"
#include "core/request/messages.h"
#include "core/request/parts.h"
#include "core/split/units.h"
#include "core/tokens/tokens.h"
#include "money/counter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct KeptOptions {
  const char *model;
  long long budget, keep, step;
} KeptOptions;

#define INTO(type, member) SPEC_INTO(KeptOptions, type, member)
static const Spec specs[] = {
    {"budget", INTO(INTEGER, budget), .min = 1, .max = 100000000},
    {"keep", INTO(INTEGER, keep), .min = 1, .max = 10000, .initial = "2"},
    {"step", INTO(INTEGER, step), .min = 1, .max = 100000000},
    {"model", INTO(TEXT, model)},
};
static const SpecHint hints[] = {
    {"max_tokens", "budget"},
    {"last", "keep"},
    {"turns", "keep"},
    {NULL, NULL},
};
static const SpecTable table = {"option", ERR_BAD_OPTION, "model",
                                hints,    specs,          sizeof specs / sizeof specs[0]};

/* A message: where it stands in the array's text, and what of it is to be known. */
typedef struct Turn {
  size_t from, n;
  PruneMessage plan;
} Turn;

typedef struct Turns {
  Turn *at; /* owned */
  size_t n;
} Turns;

/* ---- the text of the array */

static size_t skip_blanks(const char *text, size_t n, size_t at) {
  while (at < n && strchr(" \t\r\n", text[at])) {
    at++;
  }
  return at;
}

/* Behind the value at `at`, of JSON that was read before. */
static size_t skip_value(const char *text, size_t n, size_t at) {
  int depth = 0;
  do {
    if (text[at] == '"') {
      for (at++; at < n && text[at] != '"'; at++) {
        at += text[at] == '\\';
      }
    }
    depth += text[at] == '{' || text[at] == '[';
    depth -= text[at] == '}' || text[at] == ']';
    at++;
  } while (at < n && (depth > 0 || !strchr(",]", text[at])));
  return at;
}

/* Where the elements of an array stand. */
static void find_elements(const char *text, size_t n, Turns *t) {
  size_t at = skip_blanks(text, n, 0) + 1;
  for (size_t i = 0; i < t->n; i++) {
    at = skip_blanks(text, n, at);
    size_t end = skip_value(text, n, at);
    t->at[i].from = at;
    while (end > at && strchr(" \t\r\n", text[end - 1])) {
      end--;
    }
    t->at[i].n = end - at;
    at = skip_value(text, n, at) + 1;
  }
}

/* ---- what is ordered */

static int is_word(const char *p, const char *word, const char *end) {
  size_t n = strlen(word);
  return p + n <= end && strncasecmp(p, word, n) == 0 &&
         (p + n == end || strchr(" ,;:.!?'\n\t", p[n]));
}

/* 1 if somebody speaks of himself: that orders nothing. */
static int is_remark(const char *p, size_t n) {
  static const char *const selves[] = {"i",    "i'm",   "we",   "my",   "our", "it",  "he", "she",
                                       "they", "there", "that", "this", "ich", "wir", "je", "nous",
                                       "yo",   "io",    "eu",   "es",   "er",  "sie", "il", "elle"};
  const char *end = p + n;
  int is = 0;
  for (size_t i = 0; i < sizeof selves / sizeof selves[0] && !is; i++) {
    is = is_word(p, selves[i], end);
  }
  return is;
}

/* 1 if one of the phrases (in small letters) stands in n bytes; `at_front`: begins them. */
static int has_phrase(const char *const *phrases, const char *p, size_t n, int at_front) {
  for (; *phrases; phrases++) {
    size_t k = strlen(*phrases);
    for (size_t i = 0; i + k <= n && (!at_front || i == 0); i++) {
      if (strncasecmp(p + i, *phrases, k) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

/* 1 if a sentence holds for what comes: by words of negation and force, or by phrases that have neither. */
static int is_order(const char *p, size_t n, unsigned flags) {
  static const char *const polite[] = {"never mind",  "no problem",   "no worries",
                                       "no thank",    "not at all",   "don't worry",
                                       "don’t worry", "do not worry", NULL};
  static const char *const front[] = {"from now on",
                                      "stop ",
                                      "keep ",
                                      "max ",
                                      "max. ",
                                      "maximal ",
                                      "make sure",
                                      "please keep",
                                      "please stop",
                                      "refrain from",
                                      "avoid ",
                                      "ab sofort",
                                      "ab jetzt",
                                      "von nun an",
                                      "dorénavant",
                                      "désormais",
                                      "à partir de maintenant",
                                      "a partir de ahora",
                                      "d'ora in poi",
                                      NULL};
  static const char *const within[] = {
      "forbidden",  "off limits",     "off-limits",  "prohibited", "every reply",
      "each reply", "every answer",   "each answer", "verboten",   "interdit",
      "prohibido",  "ないでください", "絶対に",      "必ず",       "常に",
      "不要",       "禁止",           "务必",        NULL};
  int asks = n > 0 && p[n - 1] == '?';
  return !asks && !has_phrase(polite, p, n, 1) &&
         (has_phrase(front, p, n, 1) || has_phrase(within, p, n, 0) ||
          (flags & UNIT_ORDER && !is_remark(p, n)));
}

/* 1 if a text holds a standing order. */
static int orders(const char *text, size_t n, Err *err) {
  TextUnits u = {.n = 0};
  int found = 0;
  if (units_find(text, n, &u, err) == RC_OK) {
    for (size_t i = 0; i < u.n && !found; i++) {
      const char *p = text + u.at[i].from;
      found = is_order(p, u.at[i].n, u.at[i].flags);
    }
  }
  units_free(&u);
  return found;
}

/* ---- what each is */

static PruneRole role_of(const char *role) {
  return strcmp(role, "user") == 0        ? PRUNE_USER
         : strcmp(role, "assistant") == 0 ? PRUNE_ASSISTANT
         : strcmp(role, "tool") == 0      ? PRUNE_TOOL
                                          : PRUNE_SYSTEM;
}

/* Tokens of a message that is no instruction: as in a request of it alone. */
static long long count_message(const TokenRule *rule, Message *m, const Options *none) {
  const Request r = {.options = none, .messages = m, .n_messages = 1};
  long long tokens = tokens_request(rule, &r);
  return tokens < 0 ? tokens : tokens - tokens_overhead(rule, 0);
}

static int read_turn(const TokenRule *rule, cJSON *item, int position, Turn *t, Err *err) {
  Options none;
  Message m = {.content = ""};
  const char *role = json_text(item, "role");
  int is_system = role && (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0);
  options_init(&none);
  if (is_system) {
    char *text = cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(item, "content"))
                     ? parts_text(cJSON_GetObjectItemCaseSensitive(item, "content"), err)
                     : NULL;
    const char *said = text ? text : json_text(item, "content");
    t->plan =
        (PruneMessage){.role = PRUNE_SYSTEM,
                       .tokens = tokens_count(rule, said ? said : "", said ? strlen(said) : 0) +
                                 tokens_overhead(rule, 1) - tokens_overhead(rule, 0)};
    free(text);
  } else if (message_read(item, position, &m, err) == RC_OK) {
    t->plan = (PruneMessage){
        .role = role_of(m.role),
        .calls = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(item, "tool_calls")),
        .results = strcmp(m.role, "tool") == 0,
        .tokens = count_message(rule, &m, &none)};
    int is_pinned = t->plan.role == PRUNE_USER && orders(m.content, m.n, err);
    t->plan.flags = is_pinned ? PRUNE_PINNED : 0;
  }
  return t->plan.tokens < 0 ? err_nomem(err) : err->rc;
}

/* An order that was done, without the answer that says so, would be done again: the answer that ends a pinned message's turn stays too. */
static void pin_answers(Turns *t) {
  size_t asked = t->n; /* the pinned message whose turn this is; n: none */
  for (size_t i = 0; i <= t->n; i++) {
    const PruneMessage *m = i < t->n ? &t->at[i].plan : NULL;
    int is_asked = m && m->role == PRUNE_USER;
    if ((is_asked || !m) && asked < t->n && i > asked + 1) {
      PruneMessage *last = &t->at[i - 1].plan;
      last->flags |= last->role == PRUNE_ASSISTANT && !last->calls ? PRUNE_PINNED : 0;
    }
    asked = !is_asked ? asked : m->flags & PRUNE_PINNED ? i : t->n;
  }
}

static int read_turns(const TokenRule *rule, cJSON *doc, Turns *t, Err *err) {
  int position = 0;
  t->n = cJSON_IsArray(doc) ? (size_t)cJSON_GetArraySize(doc) : 0;
  if (t->n == 0) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "expected a JSON array of {\"role\", \"content\"}");
  }
  t->at = calloc(t->n, sizeof *t->at);
  if (!t->at) {
    return err_nomem(err);
  }
  for (cJSON *item = doc->child; item && err->rc == RC_OK; item = item->next) {
    read_turn(rule, item, position + 1, &t->at[position], err);
    position++;
  }
  pin_answers(t);
  return err->rc;
}

/* ---- what is left */

static char *join(const char *text, const Turns *t, const unsigned char *kept, size_t *n_out,
                  Err *err) {
  Buf b;
  int n = 0;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  buf_puts(&b, "[");
  for (size_t i = 0; i < t->n; i++) {
    if (kept[i]) {
      buf_puts(&b, n++ ? "," : "");
      buf_add(&b, text + t->at[i].from, t->at[i].n);
    }
  }
  buf_puts(&b, "]");
  *n_out = b.n;
  char *out = buf_take(&b);
  if (!out) {
    err_nomem(err);
  }
  return out;
}

static char *prune(const char *text, const Turns *t, const KeptOptions *o, size_t *n_out,
                   Err *err) {
  const PruneOptions with = {
      .budget = o->budget, .keep = (int)o->keep, .step = o->step == SPEC_UNSET ? 0 : o->step};
  PruneMessage *plans = calloc(t->n, sizeof *plans);
  unsigned char *kept = calloc(t->n, 1);
  Pruned p;
  char *out = NULL;
  for (size_t i = 0; plans && i < t->n; i++) {
    plans[i] = t->at[i].plan;
  }
  if (!plans || !kept) {
    err_nomem(err);
  } else if (prune_plan(plans, t->n, &with, kept, &p, err) == RC_OK) {
    out = join(text, t, kept, n_out, err);
  }
  free(plans);
  free(kept);
  return out;
}

char *turns_kept(Conn *conn, const char *messages, size_t n, const char *options, size_t n_options,
                 size_t *n_out, Err *err) {
  KeptOptions o;
  TokenRule rule;
  Turns t = {.at = NULL};
  char *out = NULL;
  spec_init(&table, &o);
  cJSON *given = options ? spec_parse(&table, options, n_options, err) : NULL;
  if (given) {
    spec_read(&table, 0, given, &o, err);
  }
  if (err->rc == RC_OK && o.budget == SPEC_UNSET) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION, "give the tokens that may be kept: {\"budget\":4000}");
  }
  cJSON *doc = err->rc == RC_OK ? json_parse(messages, n, "the messages", err) : NULL;
  if (doc && counter_rule(conn, o.model, &rule, err) == RC_OK &&
      read_turns(&rule, doc, &t, err) == RC_OK) {
    find_elements(messages, n, &t);
    out = prune(messages, &t, &o, n_out, err);
  }
  free(t.at);
  cJSON_Delete(doc);
  cJSON_Delete(given);
  return out;
}
