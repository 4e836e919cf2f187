/*
** See orders.h for the contract.
**
** Orders are told from remarks by words of negation and force, by phrases that have neither, and by who is spoken of: "I don't
** know" orders nothing. A summary may report ("The parcel was not delivered") and repeat what its source says with force; a sentence
** of force, or one that begins as a command does, is a new order and is cut out, unless one such sentence of the source has two thirds of
** its words, and it half of that one's, and both have a negation or neither.
**
** What looks like a state of things ("Refunds are not paid") is taken for a report, true or not: who gives a summary may be wrong.
*/
#include "work/prune/orders.h"

#include "base/buf.h"
#include "core/split/terms.h"
#include "core/split/units.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

int orders_has(const char *text, size_t n, Err *err) {
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

/* ---- orders of a summary */

static const char *const told[] = {
    " was ",   " were ",   " had ",   " has ",    " have ",  " did ",    " does ",      "didn't",
    "doesn't", "wasn't",   "weren't", "hasn't",   "haven't", "couldn't", " could not ", " is not ",
    "isn't",   " are not", "aren't",  " cannot ", "can't",   " never ",  NULL};

/* 1 for what tells somebody to do something, without a word of force: by its verb in front, or by what it says of the time to come. */
static int is_command(const char *p, size_t n) {
  static const char *const verbs[] = {
      "accept",   "add",    "agree",   "answer",  "approve", "assume",   "be",        "call",
      "cancel",   "check",  "close",   "confirm", "contact", "continue", "create",    "delete",
      "deny",     "do",     "email",   "end",     "follow",  "forget",   "give",      "ignore",
      "include",  "inform", "let",     "make",    "mention", "offer",    "open",      "order",
      "pay",      "please", "proceed", "promise", "provide", "refund",   "refuse",    "reject",
      "remember", "remove", "reply",   "respond", "return",  "run",      "say",       "send",
      "set",      "show",   "speak",   "start",   "talk",    "tell",     "translate", "treat",
      "try",      "use",    "wait",    "write",   "you"};
  static const char *const phrases[] = {
      " is to be ",   " are to be ", " should ", " must ",   "going forward",
      "from here on", "in future",   " is to ",  " are to ", NULL};
  const char *end = p + n;
  int is = has_phrase(phrases, p, n, 0);
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && !is; i++) {
    is = is_word(p, verbs[i], end) && !has_phrase(told, p, n, 0);
  }
  return is;
}

/* Behind who speaks, where a record says so in front. */
static size_t skip_speaker(const char *p, size_t n) {
  static const char *const who[] = {"User: ", "Assistant: ", "Result: "};
  for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
    size_t k = strlen(who[i]);
    if (n > k && memcmp(p, who[i], k) == 0) {
      return k;
    }
  }
  return 0;
}

/* 1 if a sentence orders something. */
static int lays_down(const char *text, const TextUnit *x) {
  size_t skip = skip_speaker(text + x->from, x->n);
  const char *p = text + x->from + skip;
  return is_order(p, x->n - skip, x->flags) || is_command(p, x->n - skip);
}

/* 1 for what says how something was or is, and lays nothing down. */
static int is_report(const char *p, size_t n) {
  static const char *const force[] = {
      "must",       "should",  "shall",   " may not",  "always",    "ask ",    "asked ",
      "from now",   " want",   " need",   " have to",  " has to",   "require", "instruct",
      "prefer",     " only ",  "forbid",  "forbidden", "off limit", "insist",  "prohibit",
      " never to ", "allowed", "do not ", "don't ",    "never be",  NULL};
  static const char *const front[] = {"never ", "only ", NULL};
  return has_phrase(told, p, n, 0) && !has_phrase(force, p, n, 0) && !has_phrase(front, p, n, 1);
}

enum { MOST_ORDERS = 64, MOST_WORDS = 2048, SLOTS = 4 * MOST_WORDS };

/* A word of a summary's order. */
typedef struct OrderWord {
  uint64_t stem;
  size_t seen;       /* the sentence of the source that had it last, from 1 */
  short order, next; /* whose; the next with the same stem, from 1 */
} OrderWord;

typedef struct OrderCheck {
  size_t unit[MOST_ORDERS]; /* of the summary */
  int n_words[MOST_ORDERS], shared[MOST_ORDERS], negates[MOST_ORDERS], is_said[MOST_ORDERS];
  int n;
  OrderWord words[MOST_WORDS];
  int n_all;
  short by_stem[SLOTS]; /* from 1 */
} OrderCheck;

static short *slot_of(OrderCheck *c, uint64_t stem) {
  size_t at = stem % SLOTS;
  while (c->by_stem[at] && c->words[c->by_stem[at] - 1].stem != stem) {
    at = (at + 1) % SLOTS;
  }
  return &c->by_stem[at];
}

/* 1 for a word that says what is ordered, not that something is. */
static int is_telling(const Term *t) {
  return (!(t->flags & (TERM_STOP | TERM_SIGN)) || t->flags & TERM_NUMBER) &&
         !(t->flags & (TERM_NEGATION | TERM_ORDER));
}

/* Enters a sentence of the summary. */
static void add_order(OrderCheck *c, size_t unit, const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  int order = c->n++;
  c->unit[order] = unit;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    c->negates[order] |= (t.flags & TERM_NEGATION) != 0;
    if (is_telling(&t) && c->n_all < MOST_WORDS) {
      short *slot = slot_of(c, t.stem);
      c->words[c->n_all] = (OrderWord){.stem = t.stem, .order = (short)order, .next = *slot};
      *slot = (short)++c->n_all;
      c->n_words[order]++;
    }
  }
}

/* Compares all of them with the `number`-th sentence of the source (from 1). */
static void compare(OrderCheck *c, size_t number, const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  int negates = 0, n_words = 0;
  memset(c->shared, 0, sizeof c->shared);
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    negates |= (t.flags & TERM_NEGATION) != 0;
    n_words += is_telling(&t);
    for (short i = *slot_of(c, t.stem); i; i = c->words[i - 1].next) {
      OrderWord *word = &c->words[i - 1];
      c->shared[word->order] += word->seen != number;
      word->seen = number;
    }
  }
  for (int i = 0; i < c->n; i++) {
    int is_like =
        c->shared[i] > 0 && 3 * c->shared[i] >= 2 * c->n_words[i] && 2 * c->shared[i] >= n_words;
    c->is_said[i] |= is_like && negates == c->negates[i];
  }
}

static int find_orders(OrderCheck *c, const char *summary, const TextUnits *u,
                       unsigned char *is_cut) {
  for (size_t i = 0; i < u->n; i++) {
    const TextUnit *x = &u->at[i];
    const char *p = summary + x->from;
    if (lays_down(summary, x) && !is_report(p, x->n)) {
      is_cut[i] = 1;
      if (c->n < MOST_ORDERS) {
        add_order(c, i, summary, x);
      }
    }
  }
  return c->n;
}

/* Marks the sentences of a summary that order something new. */
static int mark_new(const char *summary, const TextUnits *u, const char *source, size_t n_source,
                    unsigned char *is_cut, Err *err) {
  OrderCheck *c = calloc(1, sizeof *c);
  TextUnits of = {.n = 0};
  if (!c) {
    return err_nomem(err);
  }
  if (find_orders(c, summary, u, is_cut) && units_find(source, n_source, &of, err) == RC_OK) {
    for (size_t i = 0; i < of.n; i++) {
      const TextUnit *x = &of.at[i];
      if (lays_down(source, x)) {
        compare(c, i + 1, source, x);
      }
    }
    for (int i = 0; i < c->n; i++) {
      is_cut[c->unit[i]] = (unsigned char)!c->is_said[i];
    }
  }
  units_free(&of);
  free(c);
  return err->rc;
}

/* The units that are not cut, with what stands between them. */
static char *join_units(const char *text, const TextUnits *u, const unsigned char *is_cut,
                        size_t *n_out, Err *err) {
  Buf b;
  size_t last = 0; /* the end of the unit before */
  buf_init(&b, LIMIT_REQUEST_BYTES);
  for (size_t i = 0; i < u->n; i++) {
    const TextUnit *x = &u->at[i];
    if (!is_cut[i]) {
      size_t from = b.n ? last : x->from;
      buf_add(&b, text + from, x->from + x->n - from);
    }
    last = x->from + x->n;
  }
  *n_out = b.n;
  char *out = buf_take(&b);
  if (!out) {
    err_nomem(err);
  }
  return out;
}

char *orders_mend(const char *summary, size_t n, const char *source, size_t n_source, size_t *n_out,
                  size_t *n_cut, Err *err) {
  TextUnits u = {.n = 0};
  char *out = NULL;
  unsigned char *is_cut = units_find(summary, n, &u, err) == RC_OK ? calloc(u.n + 1, 1) : NULL;
  *n_cut = *n_out = 0;
  if (!is_cut) {
    err_nomem(err);
  } else if (mark_new(summary, &u, source, n_source, is_cut, err) == RC_OK) {
    out = join_units(summary, &u, is_cut, n_out, err);
  }
  for (size_t i = 0; is_cut && i < u.n; i++) {
    *n_cut += is_cut[i];
  }
  free(is_cut);
  units_free(&u);
  return out;
}
