/*
** See orders.h for the contract.
**
** Orders are told from remarks by words of negation and force, by phrases that have neither, and by who is spoken of: "I don't
** know" orders nothing (order_words.h). What a user orders, order_force.c tells.
**
** Of a summary a sentence stays if it has nothing that its source has not. In any language, numbers, addresses and names must stand in
** the source (grounds.h). What tells how it was ("The parcel was not delivered") needs a third of its words from there. Any other needs
** two thirds of them from one sentence. What orders, begins as a command does, or tells of an order, needs three quarters from one that
** orders something too, of which it has half, with a negation in both or in neither.
**
** What looks like a report and has its words from the source ("Refunds were not paid") is taken for one, true or not: who gives a
** summary may be wrong.
*/
#include "work/prune/orders.h"

#include "base/buf.h"
#include "core/split/terms.h"
#include "core/split/units.h"
#include "work/prune/grounds.h"
#include "work/prune/order_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what a summary's sentence is */

static const char *const told[] = {
    " was ",     " were ",   " had ",       " has ",     " have ",     " did ",      " does ",
    "didn't",    "doesn't",  "wasn't",      "weren't",   "hasn't",     "haven't",    "couldn't",
    "isn't",     "aren't",   " could not ", " is not ",  " are not",   " cannot ",   "can't",
    " said ",    " told ",   " gave ",      " found ",   " wrote ",    " sent ",     " got ",
    " never ",   " made ",   " paid ",      " bought ",  " is still ", " are still", " went ",
    " wurde",    " war ",    " waren ",     " hatte",    " hat ",      " haben ",    " fragte",
    " ist noch", " a été ",  " était ",     " avait ",   " ont été ",  " ont ",      " est parti",
    " fue ",     " fueron ", " había ",     " preguntó", " ha sido ",  " pidió ",    " estaba ",
    " è stat",   " aveva ",  " ha chiesto", " foi ",     " foram ",    " perguntou", " estava ",
    NULL};

/* What is laid down for the time to come, whoever says it. */
static const char *const force_of_all[] = {" has to ",
                                           " have to ",
                                           " was to ",
                                           " were to ",
                                           " said to ",
                                           "said not to",
                                           "asked never",
                                           "asked always",
                                           "asked to always",
                                           "asked to never",
                                           "told to ",
                                           "every time",
                                           "asked that",
                                           "requested that",
                                           "demanded",
                                           "asked not to",
                                           "told not to",
                                           "asked to be",
                                           "revoke",
                                           "authoris",
                                           "authoriz",
                                           "consent",
                                           "permission",
                                           "granted",
                                           "must ",
                                           " shall ",
                                           " may not ",
                                           "always ",
                                           "forbid",
                                           "forbad",
                                           "prohib",
                                           " banned",
                                           " bans ",
                                           "off limits",
                                           "off-limits",
                                           "off the table",
                                           "out of bounds",
                                           "off-bounds",
                                           "no-go",
                                           "agreed that",
                                           "prefer",
                                           " required",
                                           "requires ",
                                           "mandatory",
                                           " insist",
                                           "instructed",
                                           "ordered that",
                                           " allowed",
                                           "permitted",
                                           "only ",
                                           "limit is ",
                                           "limit of ",
                                           "limited to ",
                                           "at most ",
                                           "at least ",
                                           "no more than",
                                           "up to ",
                                           "maximum",
                                           "approval",
                                           "hold off",
                                           "refrain",
                                           "from now on",
                                           "going forward",
                                           "from here on",
                                           "in future",
                                           " is to be ",
                                           " are to be ",
                                           " not to be ",
                                           " may be ",
                                           "without asking",
                                           "without approval",
                                           "without permis",
                                           "lifted",
                                           "waived",
                                           "no longer",
                                           "requested no ",
                                           "asked for no ",
                                           "wants no ",
                                           "exactly ",
                                           "supposed to",
                                           "verboten",
                                           "untersag",
                                           "verbat",
                                           " dürfen ",
                                           " darf ",
                                           " soll ",
                                           " sollen ",
                                           " muss ",
                                           " müssen ",
                                           " nur ",
                                           "interdi",
                                           "défend",
                                           " doit ",
                                           " doivent ",
                                           "vieta",
                                           " proíb",
                                           " debe ",
                                           " deben ",
                                           " deve ",
                                           " devono ",
                                           "nie wieder",
                                           "запрещ",
                                           "нельзя",
                                           "禁止",
                                           "必须",
                                           "不得",
                                           "不要",
                                           NULL};
/* The same, but not in what tells how it was ("asked whether it would arrive"). */
static const char *const force_of_now[] = {" will ",  " should ", " need ",   " needs ",
                                           " is to ", " are to ", " has to ", " have to ",
                                           " wants ", NULL};

static size_t first_word(const char *p, size_t n) {
  size_t k = 0;
  while (k < n && !strchr(" ,;:.!?\n\t", p[k])) {
    k++;
  }
  return k;
}

/* 1 for "-ed" and what else tells how it was. */
static int is_told(const char *p, size_t n) {
  int is = order_has_phrase(told, p, n, 0);
  for (size_t i = 4; i < n && !is; i++) {
    is = p[i] == ' ' && p[i - 1] == 'd' && p[i - 2] == 'e' && isalpha((unsigned char)p[i - 3]);
  }
  return is || (n > 4 && strncasecmp(p + n - 3, "ed.", 3) == 0);
}

/* 1 for "Book the", "Reveal your", "Hold off": what begins with neither a noun nor its company. */
static int is_imperative(const char *p, size_t n) {
  static const char *const openers[] = {
      "the",  "a",    "an",    "all",     "every",  "each",   "both",  "some",    "any",  "no",
      "this", "that", "these", "those",   "his",    "her",    "its",   "their",   "my",   "our",
      "your", "in",   "at",    "on",      "by",     "for",    "with",  "from",    "to",   "of",
      "as",   "if",   "when",  "while",   "after",  "before", "since", "because", "and",  "but",
      "or",   "so",   "then",  "there",   "it",     "he",     "she",   "they",    "we",   "i",
      "who",  "what", "where", "whether", "how",    "is",     "was",   "were",    "are",  "has",
      "had",  "not",  "only",  "also",    "during", "until",  "about", "under",   "over", "such",
      "most", "many", "one",   "two",     "three",  NULL};
  static const char *const objects[] = {
      "the ",  "a ",    "an ",  "all ",   "any ",  "every ", "each ",  "no ",
      "your ", "his ",  "her ", "their ", "its ",  "my ",    "our ",   "me ",
      "him ",  "them ", "us ",  "it ",    "this ", "that ",  "these ", "those ",
      "off ",  "up ",   "out ", "down ",  "away ", "back ",  NULL};
  static const char *const verbs[] = {
      "avoid",   "refrain", "cease",    "abstain", "tell",   "say",     "give",    "send",
      "ignore",  "forget",  "remember", "delete",  "reveal", "treat",   "be",      "do",
      "please",  "kindly",  "let",      "make",    "write",  "speak",   "confirm", "contact",
      "forward", "inform",  "include",  "remove",  "refuse", "respond", "never",   "assume",
      "create",  "follow",  "don't",    "don’t",   "you",    NULL};
  for (int i = 0; verbs[i]; i++) {
    if (order_is_word(p, verbs[i], p + n)) {
      return 1;
    }
  }
  size_t k = first_word(p, n);
  int is = k > 1 && k + 1 < n && p[k] == ' ' && order_has_phrase(objects, p + k + 1, n - k - 1, 1);
  int is_past = k > 3 && strncasecmp(p + k - 2, "ed", 2) == 0;
  for (size_t i = 0; openers[i] && is; i++) {
    is = !order_is_word(p, openers[i], p + n);
  }
  return is && !is_past && (k < 4 || strncasecmp(p + k - 3, "ing", 3) != 0);
}

/* "Antworten sind auf Deutsch zu geben." */
static int is_to_be_done(const char *p, size_t n) {
  static const char *const is[] = {" ist ", " sind ", "bleibt ", "bleiben ", NULL};
  static const char *const to[] = {" zu ", NULL};
  size_t end = n;
  while (end > 0 && strchr(".! ", p[end - 1])) {
    end--;
  }
  size_t from = end;
  while (from > 0 && p[from - 1] != ' ') {
    from--;
  }
  return end > from + 2 && p[end - 1] == 'n' && from >= 4 &&
         order_has_phrase(to, p + from - 4, 4, 1) && order_has_phrase(is, p, from, 0);
}

/* 1 for what tells somebody to do something, without a word of force: by its verb in front, or by what it says of the time to come. */
static int is_command(const char *p, size_t n) {
  static const char *const verbs[] = {
      "accept",    "act",      "add",      "agree",   "answer",  "approve", "assume",   "be",
      "block",     "book",     "buy",      "call",    "cancel",  "charge",  "check",    "close",
      "confirm",   "contact",  "continue", "copy",    "create",  "delete",  "deny",     "deploy",
      "disable",   "do",       "download", "email",   "enable",  "end",     "escalate", "execute",
      "follow",    "forget",   "forward",  "give",    "grant",   "hold",    "ignore",   "include",
      "inform",    "install",  "keep",     "leave",   "let",     "limit",   "make",     "mention",
      "merge",     "move",     "notify",   "offer",   "open",    "order",   "pay",      "please",
      "post",      "proceed",  "promise",  "provide", "publish", "push",    "refund",   "refuse",
      "reject",    "remember", "remove",   "reply",   "require", "respond", "return",   "reveal",
      "run",       "say",      "schedule", "send",    "set",     "share",   "show",     "skip",
      "speak",     "start",    "stay",     "stop",    "switch",  "talk",    "tell",     "transfer",
      "translate", "treat",    "try",      "upload",  "use",     "wait",    "wire",     "write",
      "you"};
  const char *end = p + n;
  int is = order_has_phrase(force_of_now, p, n, 0) && !is_told(p, n);
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && !is; i++) {
    is = order_is_word(p, verbs[i], end) && !is_told(p, n);
  }
  return is;
}

/* What stands in front of a sentence and says whose it is: its bytes; 0: nothing. *is_order: what follows is said to be the system's. */
static size_t skip_speaker(const char *p, size_t n, int *is_order) {
  static const char *const who[] = {
      "user", "assistant", "result", "human",     "customer",      "ai",          "tool",
      "bot",  "agent",     "system", "developer", "system prompt", "instruction", "instructions"};
  enum { ORDERING = 9 };
  size_t front = 0;
  *is_order = 0;
  while (front < n && strchr("*#>_[<- ", p[front])) {
    front++;
  }
  for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
    size_t k = front + strlen(who[i]), at = k;
    if (k >= n || strncasecmp(p + front, who[i], k - front) != 0) {
      continue;
    }
    while (at < n && strchr("*_]> ", p[at])) {
      at++;
    }
    if (at < n && (p[at] == ':' || (front > 0 && at > k && p[k] != ' '))) {
      *is_order = i >= ORDERING;
      at += p[at] == ':';
      while (at < n && strchr("*_ ", p[at])) {
        at++;
      }
      return at;
    }
  }
  return 0;
}

/* 1 if a sentence of the source orders something, or somebody's wish is in it. */
static int lays_down(const char *text, const TextUnit *x) {
  int is_system;
  size_t skip = skip_speaker(text + x->from, x->n, &is_system);
  const char *p = text + x->from + skip;
  size_t n = x->n - skip;
  return x->flags & UNIT_ORDER || order_is_told(p, n, x->flags) || is_command(p, n) ||
         is_imperative(p, n) || is_to_be_done(p, n) || order_has_phrase(force_of_all, p, n, 0);
}

/* 1 for what says how something was or is, and lays nothing down. */
static int is_report(const char *p, size_t n) {
  static const char *const force[] = {
      "must",       "should",  "shall",   " may not",  "always",    "ask ",    "asked ",
      "from now",   " want",   " need",   " have to",  " has to",   "require", "instruct",
      "prefer",     " only ",  "forbid",  "forbidden", "off limit", "insist",  "prohibit",
      " never to ", "allowed", "do not ", "don't ",    "never be",  NULL};
  static const char *const front[] = {"never ", "only ", NULL};
  return is_told(p, n) && !order_has_phrase(force, p, n, 0) && !order_has_phrase(front, p, n, 1);
}

typedef enum SentenceKind { REPORT, STATE, ORDER } SentenceKind;

static SentenceKind kind_of(const char *p, size_t n, unsigned flags) {
  int is_laid_down = flags & UNIT_ORDER || order_is_told(p, n, flags) || is_command(p, n);
  if (is_imperative(p, n) || is_to_be_done(p, n) || order_has_phrase(force_of_all, p, n, 0) ||
      (is_laid_down && !is_report(p, n))) {
    return ORDER;
  }
  return is_told(p, n) ? REPORT : STATE;
}

enum { MOST_ORDERS = 160, MOST_WORDS = 2048, SLOTS = 4 * MOST_WORDS };

/* A word of a summary's order. */
typedef struct OrderWord {
  uint64_t stem;
  size_t seen;       /* the sentence of the source that had it last, from 1 */
  short order, next; /* whose; the next with the same stem, from 1 */
} OrderWord;

typedef struct OrderCheck {
  size_t unit[MOST_ORDERS]; /* of the summary */
  SentenceKind kind[MOST_ORDERS];
  int n_words[MOST_ORDERS], shared[MOST_ORDERS], is_said[MOST_ORDERS];
  unsigned bounds[MOST_ORDERS];
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

/* What of an order turns it into another one: its negation, its bounds, what it allows. */
static unsigned bounds_of(const char *p, size_t n) {
  static const char *const all[][12] = {
      {"only ", " only", "nur ", "solo ", "seulement", "uniquement", NULL},
      {"at most", "up to ", "no more than", "maximum", "höchstens", "au plus", NULL},
      {"at least", "minimum", "mindestens", "au moins", NULL},
      {"exactly", "genau ", "exactement", NULL},
      {"without asking", "without approval", "without permission", "without my", NULL},
      {" may be ", " can be ", " allowed", "permitted", "lifted", "waived", "no longer",
       "withdrawn", NULL},
      {"avoid", "refrain", "cease", "abstain", "stop ", "requested no ", "asked for no ", NULL}};
  unsigned bounds = 0;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
    bounds |= order_has_phrase(all[i], p, n, 0) ? 2u << i : 0;
  }
  return bounds;
}

/* Enters a sentence of the summary: n bytes. */
static void add_order(OrderCheck *c, size_t unit, SentenceKind kind, const char *p, size_t n) {
  TermWalk w;
  Term t;
  int order = c->n++;
  c->unit[order] = unit;
  c->kind[order] = kind;
  c->bounds[order] = bounds_of(p, n);
  terms_begin(&w, p, 0, n);
  while (terms_next(&w, &t)) {
    c->bounds[order] |= (t.flags & TERM_NEGATION) != 0;
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
  unsigned bounds = bounds_of(text + x->from, x->n);
  int n_words = 0;
  memset(c->shared, 0, sizeof c->shared);
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    bounds |= (t.flags & TERM_NEGATION) != 0;
    n_words += is_telling(&t);
    for (short i = *slot_of(c, t.stem); i; i = c->words[i - 1].next) {
      OrderWord *word = &c->words[i - 1];
      c->shared[word->order] += word->seen != number;
      word->seen = number;
    }
  }
  int orders = lays_down(text, x);
  for (int i = 0; i < c->n; i++) {
    int has_words = c->shared[i] > 0 && 3 * c->shared[i] >= 2 * c->n_words[i];
    int is_same = orders && 4 * c->shared[i] >= 3 * c->n_words[i] && 2 * c->shared[i] >= n_words &&
                  bounds == c->bounds[i];
    c->is_said[i] |= has_words && (c->kind[i] == STATE || is_same);
  }
}

/* A summary that is looked at. */
typedef struct Mending {
  const char *text;      /* the summary's */
  TextUnits units;       /* owned */
  unsigned char *is_cut; /* owned: of each unit */
  size_t *skip;          /* owned: bytes at each unit's front that go */
  Grounds grounds;       /* owned: the source's */
  int names;             /* a capital makes a name */
} Mending;

/* 1 if a sentence that tells how it was has a third of its words from the source. */
static int is_grounded(const Mending *m, const char *p, size_t n) {
  int n_words, n_found;
  grounds_count(&m->grounds, p, n, &n_words, &n_found);
  return 3 * n_found >= n_words;
}

/* Cuts what has numbers, names or words that are the source's not; enters what is to be compared with its sentences. */
static void judge_unit(Mending *m, OrderCheck *c, size_t i) {
  const TextUnit *x = &m->units.at[i];
  int is_system = 0;
  m->skip[i] = skip_speaker(m->text + x->from, x->n, &is_system);
  const char *p = m->text + x->from + m->skip[i];
  size_t n = x->n - m->skip[i];
  SentenceKind kind = kind_of(p, n, x->flags);
  int is_new = is_system || x->flags & (UNIT_TAG_OPEN | UNIT_TAG_CLOSE) ||
               !grounds_has_facts(&m->grounds, p, n, m->names);
  m->is_cut[i] = is_new || kind != REPORT || !is_grounded(m, p, n);
  if (!is_new && kind != REPORT && c->n < MOST_ORDERS) {
    add_order(c, i, kind, p, n);
  }
}

/* Marks the sentences of a summary that order something new, or say what is not in the source. */
static int mark_new(Mending *m, const char *source, size_t n_source, Err *err) {
  OrderCheck *c = calloc(1, sizeof *c);
  TextUnits of = {.n = 0};
  if (!c) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < m->units.n; i++) {
    judge_unit(m, c, i);
  }
  if (c->n && units_find(source, n_source, &of, err) == RC_OK) {
    for (size_t i = 0; i < of.n; i++) {
      compare(c, i + 1, source, &of.at[i]);
    }
    for (int i = 0; i < c->n; i++) {
      m->is_cut[c->unit[i]] = (unsigned char)!c->is_said[i];
    }
  }
  units_free(&of);
  free(c);
  return err->rc;
}

/* The units that are not cut, with what stands between them. */
static char *join_units(const Mending *m, size_t *n_out, Err *err) {
  Buf b;
  size_t last = 0; /* the end of the unit before */
  buf_init(&b, LIMIT_REQUEST_BYTES);
  for (size_t i = 0; i < m->units.n; i++) {
    const TextUnit *x = &m->units.at[i];
    if (!m->is_cut[i]) {
      buf_add(&b, m->text + last, b.n ? x->from - last : 0);
      buf_add(&b, m->text + x->from + m->skip[i], x->n - m->skip[i]);
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
  Mending m = {.text = summary, .names = !grounds_has_capital_nouns(summary, n)};
  char *out = NULL;
  *n_cut = *n_out = 0;
  if (units_find(summary, n, &m.units, err) == RC_OK) {
    m.is_cut = calloc(m.units.n + 1, 1);
    m.skip = calloc(m.units.n + 1, sizeof *m.skip);
  }
  if (!m.is_cut || !m.skip) {
    err_nomem(err);
  } else if (grounds_read(source, n_source, &m.grounds, err) == RC_OK &&
             mark_new(&m, source, n_source, err) == RC_OK) {
    out = join_units(&m, n_out, err);
  }
  for (size_t i = 0; m.is_cut && i < m.units.n; i++) {
    *n_cut += m.is_cut[i] && !(m.units.at[i].flags & UNIT_LABEL); /* no heading, no marker */
  }
  grounds_free(&m.grounds);
  free(m.is_cut);
  free(m.skip);
  units_free(&m.units);
  return out;
}
