/*
** contradiction: two rules of a prompt that no answer can follow both. See lint.h.
**
** Each sentence among orders is read as a rule of one of three forms, by closed lists of words, or as none:
**
**   language   "Always answer in English."           two different ones
**   length     "Use at least 5 sentences."           at least more than at most, of the same thing
**   polar      "Never use emojis."                   the same words in the same order, once forbidden and once not
**
** Polar rules are compared without articles, force (always, must, please) and words that say no more than "do" (use,
** include); prepositions and all other words count, so "before the transfer" is not "after the transfer". A sentence
** with a condition (if, unless, when, only), a choice (but, instead, or), a reference to the one before (this, then,
** otherwise), or two negations is none. Two rules are compared only under the same heading or label, headings aside
** that narrow nothing ("Style", "Rules"), and in the same part: a short line without a stop ("Mail", "[chat]"), a
** sentence of one or two words ("Draft.") and another role ("You are Bob.") begin one.
*/
#include "core/lint/finding.h"

#include "base/hash.h"
#include "core/ballast/ballast.h"
#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/words/guard_words.h"
#include "core/words/word_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  SLOTS = 2048,
  MOST_TERMS = 20, /* of a rule */
  FEW_TERMS = 6,   /* of one that has a single word that says what */
  MOST_WORD = 24,
  MOST_DEPTH = 16
};

/* What a word is for rules. */
enum {
  EMPTY = 1,    /* says nothing: a, the, you, always, use */
  FORBIDS = 2,  /* not, never, avoid */
  SPLITS = 4,   /* a condition, a choice: no rule that could be compared */
  LANGUAGE = 8, /* the name of one */
  REPLIES = 16, /* (language, length) answer, reply, in */
  UNIT = 32,    /* sentences, words */
  AT_MOST = 64,
  AT_LEAST = 128,
  MORE = 256, /* "more than": at least; "no more than": at most */
  FEWER = 512,
  BEGINS = 2048,  /* a prohibition begins with it: never, no, do, avoid */
  OPPOSITE = 1024 /* the other side of the word that its row begins with */
};

static const WordRow rows[] = {
    {EMPTY, "a an the you your yourself always must should shall please do does use uses using "
            "include includes including add write make makes be is "
            "are have has give any all ever to of it them strictly absolutely kindly will also "
            "sure ensure generally der die das den dem ein eine "
            "einen du sie immer bitte benutze verwende nutze nutzen verwenden muss mussen le la "
            "les un une des du toujours utilise utilisez el los las "
            "unos siempre usa use debes"},
    {FORBIDS, "not never no dont avoid without cannot forbidden prohibited disallowed nicht nie "
              "niemals kein keine keinen keinerlei vermeide ne pas "
              "jamais evite evitez nunca no evita"},
    {BEGINS, "never no do dont avoid nie niemals kein keine keinen vermeide jamais evite evitez "
             "nunca no evita"},
    {SPLITS, "if unless when whenever where while except until only but instead or rather before "
             "otherwise though although whether once just "
             "than wenn falls sofern ausser bis nur sondern oder sonst solange obwohl si sauf "
             "quand lorsque sinon ou mais seulement cuando "
             "salvo sino pero solo"},
    {LANGUAGE, "=english englisch anglais ingles"},
    {LANGUAGE, "=german deutsch allemand aleman"},
    {LANGUAGE, "=french franzosisch francais frances"},
    {LANGUAGE, "=spanish spanisch espagnol espanol"},
    {LANGUAGE, "=italian italienisch italien italiano"},
    {LANGUAGE, "=portuguese portugiesisch portugais portugues"},
    {LANGUAGE, "=dutch niederlandisch"},
    {LANGUAGE, "=polish polnisch"},
    {LANGUAGE, "=russian russisch"},
    {LANGUAGE, "=chinese chinesisch"},
    {LANGUAGE, "=japanese japanisch"},
    {LANGUAGE, "=korean koreanisch"},
    {LANGUAGE, "=turkish turkisch"},
    {LANGUAGE, "=arabic arabisch"},
    {REPLIES,
     "at than answer answers respond response responses reply replies write speak output outputs "
     "in only language and "
     "antworte antworten antwort auf sprache reponds repondez reponse reponses en "
     "responde responda respuestas "
     "keep limit them it with under contain long"},
    {UNIT, "=sentence sentences satz satze satzen phrase phrases frase frases"},
    {UNIT, "=word words wort worte worter wortern mot mots palabra palabras"},
    {UNIT, "=paragraph paragraphs absatz absatze paragraphe paragraphes parrafo parrafos"},
    {UNIT, "=character characters zeichen caracteres"},
    {UNIT, "=bullet bullets"},
    {UNIT, "=line lines zeile zeilen ligne lignes linea lineas"},
    {UNIT, "=page pages seite seiten"},
    {AT_MOST, "most maximum max under below within hochstens maximal plus maximo"},
    {AT_LEAST, "least minimum min mindestens moins minimo"},
    {MORE, "more over mehr"},
    {FEWER, "fewer less weniger"},
    {OPPOSITE, "~formal informal casual colloquial"},
    {OPPOSITE, "~formally informally casually"},
    {OPPOSITE, "~sieze duze"},
    {OPPOSITE, "~siezen duzen"},
    {OPPOSITE, "~vouvoie tutoie"},
    {OPPOSITE, "~uppercase lowercase"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  word_table_make(rows, sizeof rows / sizeof *rows, table, SLOTS);
}

/* --- a sentence as a rule --- */

typedef enum RuleForm { RULE_NONE, RULE_LANGUAGE, RULE_LENGTH, RULE_POLAR } RuleForm;

typedef struct Rule {
  RuleForm form;
  uint64_t key;          /* of what: the same for rules that are compared; the scope is in it */
  uint64_t value;        /* of a language: which */
  long long least, most; /* of a length; -1: not said */
  int forbids, orders;   /* of a polar one; forbids: of a language too */
  size_t unit;
} Rule;

typedef struct Said {
  unsigned classes; /* of all words */
  int n, n_content; /* words; those that say what */
  int negations, opposites;
  int orders;       /* it begins as a prohibition does, or has a word of force */
  uint64_t content; /* of these, in their order */
  uint64_t language, unit;
  int n_languages, n_units, n_numbers;
  long long number;
  int is_closed; /* each word is in a list: nothing else is spoken of */
} Said;

/* The value of a number as it is written: digits, or a word up to twelve and more; -1. */
static long long number_of(const char *text, const Term *t) {
  char word[MOST_WORD];
  size_t n = 0;
  for (; n < t->n && n < MOST_WORD; n++) {
    char c = text[t->from + n];
    word[n] = (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
  }
  long long value = 0;
  for (size_t i = 0; i < n && i < 9; i++) {
    if (word[i] < '0' || word[i] > '9') {
      const GuardWord *g = i == 0 && n < MOST_WORD ? guard_word(word, n) : NULL;
      return g && g->classes & WORD_NUMBER ? (long long)g->number : -1;
    }
    value = 10 * value + (word[i] - '0');
  }
  return n > 0 && n <= 9 ? value : -1;
}

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t pair[2] = {a, b};
  return hash_short(pair, sizeof pair);
}

static void take(const char *text, const Term *t, Said *s) {
  const WordEntry *word = word_table_find(table, SLOTS, t->key);
  unsigned classes = word->classes;
  uint64_t means = word->means ? word->means : t->stem;
  int begins = s->n == 0 && classes & BEGINS;
  s->orders |= begins || cues_of(t->key) & CUE_FORCE;
  int is_number = t->flags & TERM_NUMBER && !(classes & EMPTY);
  s->n++;
  s->classes |= classes;
  s->negations += (classes & FORBIDS || t->flags & TERM_NEGATION) != 0;
  s->opposites += (classes & OPPOSITE) != 0;
  if (is_number) {
    s->number = number_of(text, t);
    s->n_numbers++;
  } else if (classes & LANGUAGE) {
    s->language = means;
    s->n_languages++;
  } else if (classes & UNIT) {
    s->unit = means;
    s->n_units++;
  }
  const unsigned listed =
      EMPTY | FORBIDS | REPLIES | AT_MOST | AT_LEAST | MORE | FEWER | LANGUAGE | UNIT;
  s->is_closed &= is_number || classes & listed;
  if (!(classes & (EMPTY | FORBIDS)) && !(t->flags & TERM_NEGATION)) {
    s->content = mix(s->content, means);
    s->n_content++;
  }
}

static int read_rule(const char *text, const TextUnit *x, Said *s) {
  TermWalk w;
  Term t;
  *s = (Said){.is_closed = 1};
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    if (t.flags & TERM_SIGN) {
      return 0;
    }
    take(text, &t, s);
    if (s->n > MOST_TERMS) {
      return 0;
    }
  }
  return 1;
}

/* "At most 3 sentences", "no more than 60 words": 1, and the bounds. */
static int read_bounds(const Said *s, Rule *r) {
  int more = (s->classes & MORE) != 0, fewer = (s->classes & FEWER) != 0,
      is_turned = s->negations > 0;
  int most = (s->classes & AT_MOST) != 0 || (more && is_turned) || (fewer && !is_turned);
  int least = (s->classes & AT_LEAST) != 0 || (more && !is_turned) || (fewer && is_turned);
  if (most == least || (is_turned && !more && !fewer) || s->number < 0) {
    return 0;
  }
  r->most = most ? s->number : -1;
  r->least = least ? s->number : -1;
  return 1;
}

static void rule_of(const char *text, const TextUnit *x, uint64_t scope, Rule *r) {
  Said s;
  *r = (Rule){.form = RULE_NONE, .least = -1, .most = -1};
  if (!read_rule(text, x, &s)) {
    return;
  }
  int is_plain = s.negations == 0 || (s.negations == 1 && !(s.classes & SPLITS));
  if (s.is_closed && s.n_languages == 1 && !s.n_units && !s.n_numbers && is_plain) {
    *r = (Rule){
        .form = RULE_LANGUAGE, .key = mix(scope, 1), .value = s.language, .forbids = s.negations};
  } else if (s.is_closed && s.n_units == 1 && s.n_numbers == 1 && !s.n_languages &&
             read_bounds(&s, r)) {
    r->form = RULE_LENGTH;
    r->key = mix(mix(scope, 2), s.unit);
  } else if (!(s.classes & SPLITS) && s.negations < 2 && s.opposites < 2 && s.n_content > 0 &&
             (s.n_content > 1 || s.n <= FEW_TERMS)) {
    r->form = RULE_POLAR;
    r->key = mix(mix(scope, 3), s.content);
    r->forbids = s.negations ^ s.opposites;
    r->orders = s.orders || s.opposites;
  }
}

/* --- where it holds --- */

/* An item with a letter, "A." or "(b)": one of several answers to choose from. */
static int is_choice(const LintWork *w, const TextUnit *x) {
  const TextUnit *marker =
      x->flags & UNIT_ITEM && x->parent != UNIT_NONE ? &w->u->at[x->parent] : NULL;
  if (!marker || !(marker->flags & UNIT_LABEL)) {
    return 0;
  }
  for (size_t i = 0; i < marker->n; i++) {
    char c = (char)(w->text[marker->from + i] | 0x20);
    if (c >= 'a' && c <= 'z') {
      return 1;
    }
  }
  return 0;
}

static int is_general(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    unsigned cues = cues_of(t.key);
    if (cues & CUE_CONDITION ||
        (!(t.flags & (TERM_STOP | TERM_NUMBER | TERM_SIGN)) && !(cues & CUE_GENERAL))) {
      return 0;
    }
  }
  return 1;
}

/* --- parts --- */

static int is_role_word(uint64_t key, const char *word) {
  return key == hash_short(word, strlen(word));
}

/* "You are Bob.", "Now act as …", not "If you are …": who is spoken to from there on. */
static int begins_role(const char *text, const TextUnit *x) {
  enum { WITHIN = 4 };
  static const char *const roles[][2] = {{"you", "are"},   {"act", "as"},   {"your", "name"},
                                         {"du", "bist"},   {"sie", "sind"}, {"tu", "es"},
                                         {"vous", "etes"}, {"tu", "eres"}};
  TermWalk w;
  Term t;
  uint64_t last = 0;
  terms_begin(&w, text, x->from, x->from + x->n);
  for (int n = 0; n < WITHIN && terms_next(&w, &t) && !(cues_of(t.key) & CUE_CONDITION); n++) {
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
      if (is_role_word(last, roles[i][0]) && is_role_word(t.key, roles[i][1])) {
        return 1;
      }
    }
    last = t.key;
  }
  return 0;
}

/* 1 if a unit is a line of its own. */
static int is_line(const LintWork *w, const TextUnit *x) {
  size_t from = x->from, end = x->from + x->n;
  while (from > 0 && (w->text[from - 1] == ' ' || w->text[from - 1] == '\t')) {
    from--;
  }
  while (end < w->n && (w->text[end] == ' ' || w->text[end] == '\r' || w->text[end] == '\t')) {
    end++;
  }
  return (from == 0 || w->text[from - 1] == '\n') && end < w->n && w->text[end] == '\n';
}

/* The last sign of a unit, those of Markdown and brackets aside. */
static char last_sign(const char *text, const TextUnit *x) {
  size_t end = x->from + x->n;
  while (end > x->from + 1 && strchr("*_])=-~ ", text[end - 1]) && text[end - 1]) {
    end--;
  }
  return text[end - 1];
}

/* 1 if a sentence is a title of what follows: "Mail", "Draft.", "Mode B.", not "Be kind." or "Never use emojis". */
static int is_title(const LintWork *w, size_t i, const Rule *r) {
  enum { MOST_LINE = 6, MOST_SENTENCE = 2 };
  const TextUnit *x = &w->u->at[i];
  TermWalk walk;
  Term t;
  int n = 0, says = 0;
  terms_begin(&walk, w->text, x->from, x->from + x->n);
  while (n <= MOST_LINE && terms_next(&walk, &t)) {
    unsigned classes = word_table_find(table, SLOTS, t.key)->classes;
    int is_mark = t.flags & (TERM_NUMBER | TERM_CAPITAL) || t.n <= 2;
    says |= t.flags & (TERM_ORDER | TERM_NEGATION) || (n == 0 && classes & EMPTY) ||
            (n == 0 && t.flags & TERM_STOP) || (n == 1 && !is_mark);
    n += !(t.flags & TERM_SIGN);
  }
  char last = last_sign(w->text, x);
  int is_rule = r->form != RULE_NONE && (r->form != RULE_POLAR || r->orders);
  if (i + 1 == w->u->n || n == 0 || is_rule) {
    return 0;
  }
  return is_line(w, x) && !strchr(".!?,;", last) ? n <= MOST_LINE : n <= MOST_SENTENCE && !says;
}

/* 1 if a sentence begins as a turn does, with a label that narrows: "Mail: …", not "Note: …". */
static int is_labelled(const LintWork *w, const TextUnit *x) {
  const char *colon = memchr(w->text + x->from, ':', x->n);
  TextUnit label = *x;
  label.n = colon ? (size_t)(colon - w->text) - x->from : 0;
  return x->flags & UNIT_TURN && label.n > 0 && !is_general(w->text, &label);
}

/* The part of the text that is being read: its title, and the roles in front of it beside the first. */
typedef struct Part {
  size_t title;
  uint64_t roles;
  int has_role;
} Part;

static void pass_part(const LintWork *w, size_t i, const Rule *r, Part *p) {
  const TextUnit *x = &w->u->at[i];
  if (x->kind == BLOCK_HEADING) {
    p->title = 0;
  } else if (x->flags & UNIT_SENTENCE && (is_title(w, i, r) || is_labelled(w, x))) {
    p->title = is_general(w->text, x) ? 0 : i + 1;
  }
  if (x->flags & UNIT_SENTENCE && begins_role(w->text, x)) {
    p->roles += (uint64_t)p->has_role;
    p->has_role = 1;
  }
}

/* The heading or label that narrows it; 0: none does. */
static uint64_t scope_of(const LintWork *w, const unsigned char *general, size_t i) {
  size_t parent = w->u->at[i].parent;
  for (int depth = 0; parent != UNIT_NONE && depth < MOST_DEPTH; depth++) {
    const TextUnit *x = &w->u->at[parent];
    int is_marker = x->flags & UNIT_LABEL && x->flags & UNIT_ITEM;
    if (!is_marker && !general[parent]) {
      return parent + 1;
    }
    parent = x->parent;
  }
  return 0;
}

/* --- which exclude each other --- */

static int by_key(const void *a, const void *b) {
  const Rule *x = a, *y = b;
  return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                          : (x->unit > y->unit) - (x->unit < y->unit);
}

static int excludes(const Rule *a, const Rule *b) {
  switch (a->form) {
  case RULE_LANGUAGE:
    return a->forbids || b->forbids ? a->value == b->value && a->forbids != b->forbids
                                    : a->value != b->value;
  case RULE_LENGTH:
    return (a->most >= 0 && b->least > a->most) || (b->most >= 0 && a->least > b->most);
  default:
    return a->forbids != b->forbids && (a->orders || b->orders);
  }
}

/* By the unit of the later one. */
typedef struct Pair {
  size_t earlier, later;
} Pair;

static int by_later(const void *a, const void *b) {
  const Pair *x = a, *y = b;
  return (x->later > y->later) - (x->later < y->later);
}

/* Of each rule the first of its key that excludes it, of the first eight. */
static size_t find_pairs(const Rule *rules, size_t n, Pair *pairs) {
  enum { MOST_TRIED = 8 };
  size_t found = 0;
  for (size_t i = 0, first = 0; i < n; i++) {
    first = i > 0 && rules[i].key != rules[i - 1].key ? i : first;
    for (size_t k = first; k < i && k < first + MOST_TRIED; k++) {
      if (excludes(&rules[k], &rules[i])) {
        pairs[found++] = (Pair){rules[k].unit, rules[i].unit};
        break;
      }
    }
  }
  return found;
}

static void add_pairs(LintWork *w, Pair *pairs, size_t n) {
  qsort(pairs, n, sizeof *pairs, by_later);
  for (size_t i = 0; i < n && i < LINT_MOST_FOUND && w->err->rc == RC_OK; i++) {
    const TextUnit *x = &w->u->at[pairs[i].later], *y = &w->u->at[pairs[i].earlier];
    LintFinding *f = lint_add(w, LINT_CONTRADICTION, x->from, x->n, lint_count(w, x->from, x->n));
    if (f) {
      f->other = y->from;
      f->n_other = y->n;
    }
  }
}

static size_t read_rules(const LintWork *w, unsigned char *general, Rule *rules) {
  size_t n = 0;
  Part part = {0, 0, 0};
  const Rule none = {.form = RULE_NONE};
  for (size_t i = 0; i < w->u->n; i++) {
    const TextUnit *x = &w->u->at[i];
    const unsigned not = UNIT_LABEL | UNIT_QUESTION | UNIT_REFERS;
    int is_label = x->flags & UNIT_LABEL || ballast_leads_in(w->text, x);
    general[i] = (unsigned char)(is_label && is_general(w->text, x));
    if (x->flags & UNIT_SENTENCE && !(x->flags & not ) && !is_label && !w->places[i] &&
        !is_choice(w, x)) {
      rule_of(w->text, x, scope_of(w, general, i), &rules[n]);
      rules[n].unit = i;
      pass_part(w, i, &rules[n], &part);
      rules[n].key = mix(mix(rules[n].key, part.title), part.roles);
      n += rules[n].form != RULE_NONE;
    } else {
      pass_part(w, i, &none, &part);
    }
  }
  return n;
}

int lint_contradictions(LintWork *w) {
  unsigned char *general = malloc(w->u->n + 1);
  Rule *rules = malloc((w->u->n + 1) * sizeof *rules);
  Pair *pairs = malloc((w->u->n + 1) * sizeof *pairs);
  pthread_once(&once, make);
  if (!general || !rules || !pairs) {
    err_nomem(w->err);
  } else {
    size_t n = read_rules(w, general, rules);
    qsort(rules, n, sizeof *rules, by_key);
    add_pairs(w, pairs, find_pairs(rules, n, pairs));
  }
  free(general);
  free(rules);
  free(pairs);
  return w->err->rc;
}
