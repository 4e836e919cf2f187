/*
** contradiction: two rules of a prompt that no answer can follow both. See lint.h.
**
** Each sentence among orders is read as a rule of one of three forms, by closed lists of words, or as none:
**
**   language   "Always answer in English."           two different ones
**   length     "Use at least 5 sentences."           at least more than at most, of the same thing, for each of the same; a
**              "Ask one question at a time."         number without a bound is both
**   polar      "Never use emojis."                   the same words in the same order, once forbidden and once not
**
** Polar rules are compared without articles, force (always, must, please) and words that say no more than "do" (use,
** include); prepositions and all other words count, so "before the transfer" is not "after the transfer". A sentence
** with a condition (if, unless, when, only), a choice (but, instead, or), a reference to the one before (this, then,
** otherwise), or two negations is none. A tail that says why ("because", "so that", "to save …") or that it holds whatever else
** does ("whatever language …", "even if …") is no condition, and left aside; but what is forbidden for a reason ("Don't stop because
** …") may be meant otherwise. Two rules are compared only under the same heading or label, headings aside
** that narrow nothing ("Style", "Rules"), and in the same part: a short line without a stop ("Mail", "[chat]"), a
** sentence of one or two words ("Draft.") and another role ("You are Bob.") begin one.
*/
#include "core/lint/finding.h"

#include "base/hash.h"
#include "core/ballast/ballast.h"
#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  SLOTS = 2048,
  MOST_TERMS = 20, /* of a rule, */
  MOST_READ = 40,  /* and with its tail */
  FEW_TERMS = 6,   /* of one that has a single word that says what */
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
  NUMBER = 8192,
  FRAME = 4096,   /* (length) what is done, and for each of what: ask, at a time, per message */
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
     "antworte antworten antwort schreibe schreib auf in im mit nur sprache "
     "reponds repondez reponse reponses ecris en au avec "
     "responde responda respuestas escribe con "
     "keep limit them it with under contain long"},
    {UNIT, "=sentence sentences satz satze satzen phrase phrases frase frases"},
    {UNIT, "=word words wort worte worter wortern mot mots palabra palabras"},
    {UNIT, "=paragraph paragraphs absatz absatze paragraphe paragraphes parrafo parrafos"},
    {UNIT, "=character characters zeichen caracteres"},
    {UNIT, "=bullet bullets"},
    {UNIT, "=line lines zeile zeilen ligne lignes linea lineas"},
    {UNIT, "=page pages seite seiten"},
    {UNIT, "=question questions frage fragen pregunta preguntas"},
    {UNIT, "=option options suggestion suggestions vorschlag vorschlage"},
    {UNIT, "=example examples beispiel beispiele exemple exemples ejemplo ejemplos"},
    {FRAME, "=ask asks stell stelle stellen pose posez haz haga"},
    {FRAME, "=give gives offer offers show shows suggest gib nenne biete donne proposes da ofrece"},
    {FRAME, "=per each every pro je par por"},
    {FRAME, "=message messages turn turns nachricht nachrichten mensaje"},
    {FRAME, "=time once mal vez fois"},
    {FRAME, "=total altogether insgesamt"},
    {NUMBER, "=one eins"},
    {NUMBER, "=two zwei deux dos due dois duas"},
    {NUMBER, "=three drei trois tres tre"},
    {NUMBER, "=four vier quatre cuatro quattro quatro"},
    {NUMBER, "=five funf cinq cinco cinque"},
    {NUMBER, "=six sechs seis sei"},
    {NUMBER, "=seven sieben sept siete sette sete"},
    {NUMBER, "=eight acht huit ocho otto oito"},
    {NUMBER, "=nine neun neuf nueve nove"},
    {NUMBER, "=ten zehn dix diez dieci dez"},
    {NUMBER, "=twelve zwolf douze doce dodici doze"},
    {NUMBER, "=fifteen funfzehn quinze quince quindici"},
    {NUMBER, "=twenty zwanzig vingt veinte venti vinte"},
    {NUMBER, "=thirty dreissig trente treinta trenta trinta"},
    {NUMBER, "=fifty funfzig cinquante cincuenta cinquanta cinquenta"},
    {NUMBER, "=hundred hundert cent cien cento cem"},
    {AT_MOST, "most maximum max under below within hochstens maximal plus maximo"},
    {AT_LEAST, "least minimum min mindestens moins minimo"},
    {MORE, "more over mehr mas"},
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
  uint64_t frame;
  int n_languages, n_units, n_numbers;
  long long number;
  int has_tail;
  int is_closed; /* each word is in a list: nothing else is spoken of */
} Said;

static int is_word(uint64_t key, const char *word) {
  return key == hash_short(word, strlen(word));
}

/* The value of a number: digits, or a word; -1. */
static long long number_of(const char *text, const Term *t) {
  static const struct {
    const char *word;
    long long value;
  } words[] = {{"one", 1},     {"two", 2},     {"three", 3},   {"four", 4},
               {"five", 5},    {"six", 6},     {"seven", 7},   {"eight", 8},
               {"nine", 9},    {"ten", 10},    {"twelve", 12}, {"fifteen", 15},
               {"twenty", 20}, {"thirty", 30}, {"fifty", 50},  {"hundred", 100}};
  const uint64_t means = word_table_find(table, SLOTS, t->key)->means;
  long long value = 0;
  for (size_t i = 0; means && i < sizeof words / sizeof *words; i++) {
    if (is_word(means, words[i].word)) {
      return words[i].value;
    }
  }
  for (size_t i = 0; i < t->n; i++) {
    char c = text[t->from + i];
    if (c < '0' || c > '9' || i == 9) {
      return -1;
    }
    value = 10 * value + (c - '0');
  }
  return value;
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
  int is_number = (t->flags & TERM_NUMBER || classes & NUMBER) && !(classes & EMPTY);
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
  } else if (classes & FRAME) {
    s->frame += means;
  }
  const unsigned listed =
      EMPTY | FORBIDS | REPLIES | AT_MOST | AT_LEAST | MORE | FEWER | LANGUAGE | UNIT | FRAME;
  s->is_closed &= is_number || classes & listed;
  if (!(classes & (EMPTY | FORBIDS)) && !(t->flags & TERM_NEGATION)) {
    s->content = mix(s->content, means);
    s->n_content++;
  }
}

typedef enum TailForm {
  TAIL_CONCEDES, /* whatever else it holds for */
  TAIL_WHY,
  TAIL_AIM /* why, behind a language or a length alone: "ask guests to keep quiet" has none */
} TailForm;

/* What begins a tail, alone or with the word behind it. */
static const struct {
  const char *word, *next; /* next NULL: any */
  TailForm form;
} tails[] = {
    {"whatever", NULL, TAIL_CONCEDES},
    {"whichever", NULL, TAIL_CONCEDES},
    {"regardless", NULL, TAIL_CONCEDES},
    {"no", "matter", TAIL_CONCEDES},
    {"even", "if", TAIL_CONCEDES},
    {"even", "when", TAIL_CONCEDES},
    {"even", "though", TAIL_CONCEDES},
    {"egal", NULL, TAIL_CONCEDES},
    {"unabhangig", NULL, TAIL_CONCEDES},
    {"auch", "wenn", TAIL_CONCEDES},
    {"selbst", "wenn", TAIL_CONCEDES},
    {"meme", "si", TAIL_CONCEDES},
    {"peu", "importe", TAIL_CONCEDES},
    {"quelle", "que", TAIL_CONCEDES},
    {"aunque", NULL, TAIL_CONCEDES},
    {"because", NULL, TAIL_WHY},
    {"so", "that", TAIL_WHY},
    {"in", "order", TAIL_WHY},
    {"weil", NULL, TAIL_WHY},
    {"damit", NULL, TAIL_WHY},
    {"denn", NULL, TAIL_WHY},
    {"car", NULL, TAIL_WHY},
    {"parce", "que", TAIL_WHY},
    {"afin", NULL, TAIL_WHY},
    {"porque", NULL, TAIL_WHY},
    {"to", "save", TAIL_AIM},
    {"to", "keep", TAIL_AIM},
    {"to", "make", TAIL_AIM},
    {"to", "avoid", TAIL_AIM},
    {"to", "help", TAIL_AIM},
    {"to", "ensure", TAIL_AIM},
    {"to", "spare", TAIL_AIM},
    {"um", NULL, TAIL_AIM},
    {"pour", NULL, TAIL_AIM},
    {"para", NULL, TAIL_AIM},
};
enum { N_TAILS = sizeof tails / sizeof *tails, CONCEDES_WITHIN = 3 };

/* The place among `tails` of the one that begins at term i, never at the first; -1. `classes`: of the words before. */
static int tail_at(const Term *terms, int i, int n, unsigned classes) {
  for (int k = 0; i > 0 && k < N_TAILS; k++) {
    if (is_word(terms[i].key, tails[k].word) &&
        (!tails[k].next || (i + 1 < n && is_word(terms[i + 1].key, tails[k].next))) &&
        (tails[k].form != TAIL_AIM || classes & (LANGUAGE | UNIT))) {
      return k;
    }
  }
  return -1;
}

/* 1 if a tail restricts what it hangs on: "whatever he asks, unless …", not "even if he asks". */
static int restricts(const Term *terms, int from, int n, TailForm form) {
  for (int i = form == TAIL_CONCEDES ? from + CONCEDES_WITHIN : from; i < n; i++) {
    if (word_table_find(table, SLOTS, terms[i].key)->classes & SPLITS ||
        cues_of(terms[i].key) & CUE_CONDITION) {
      return 1;
    }
  }
  return 0;
}

/* The terms of a sentence up to its tail: their number, or 0 for one that is no rule. */
static int read_terms(const char *text, const TextUnit *x, Term *terms, int *tail) {
  TermWalk w;
  int n = 0, end = 0;
  unsigned classes = 0;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (n < MOST_READ && terms_next(&w, &terms[n])) {
    if (terms[n++].flags & TERM_SIGN) {
      return 0;
    }
  }
  while (end < n && (*tail = tail_at(terms, end, n, classes)) < 0) {
    classes |= word_table_find(table, SLOTS, terms[end++].key)->classes;
  }
  int restricted = end < n && restricts(terms, end, n, tails[*tail].form);
  return n == MOST_READ || end > MOST_TERMS || restricted ? 0 : end;
}

static int read_rule(const char *text, const TextUnit *x, Said *s) {
  Term terms[MOST_READ];
  int tail = -1, n = read_terms(text, x, terms, &tail);
  *s = (Said){.is_closed = 1, .has_tail = tail >= 0};
  for (int i = 0; i < n; i++) {
    take(text, &terms[i], s);
  }
  return n > 0 && (tail < 0 || tails[tail].form == TAIL_CONCEDES || !s->negations);
}

/* "At most 3 sentences", "no more than 60 words": 1, and the bounds; "3 sentences" is both. */
static int read_bounds(const Said *s, Rule *r) {
  int more = (s->classes & MORE) != 0, fewer = (s->classes & FEWER) != 0,
      is_turned = s->negations > 0;
  int most = (s->classes & AT_MOST) != 0 || (more && is_turned) || (fewer && !is_turned);
  int least = (s->classes & AT_LEAST) != 0 || (more && !is_turned) || (fewer && is_turned);
  if ((most && least) || (is_turned && !more && !fewer) || s->number < 0) {
    return 0;
  }
  r->most = most || !least ? s->number : -1;
  r->least = least || !most ? s->number : -1;
  return 1;
}

static void rule_of(const char *text, const TextUnit *x, uint64_t scope, Rule *r) {
  Said s;
  *r = (Rule){.form = RULE_NONE, .least = -1, .most = -1};
  if (!read_rule(text, x, &s)) {
    return;
  }
  int is_plain = s.negations == 0 || (s.negations == 1 && !(s.classes & SPLITS));
  if (s.is_closed && s.n > 1 && s.n_languages == 1 && !s.n_units && !s.n_numbers && is_plain) {
    *r = (Rule){
        .form = RULE_LANGUAGE, .key = mix(scope, 1), .value = s.language, .forbids = s.negations};
  } else if (s.is_closed && s.n_units == 1 && s.n_numbers == 1 && !s.n_languages &&
             read_bounds(&s, r)) {
    r->form = RULE_LENGTH;
    r->key = mix(mix(scope, 2), mix(s.unit, s.frame));
  } else if (!(s.classes & SPLITS) && s.negations < 2 && s.opposites < 2 && s.n_content > 0 &&
             (s.n_content > 1 || (s.n <= FEW_TERMS && !s.has_tail))) {
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
      if (is_word(last, roles[i][0]) && is_word(t.key, roles[i][1])) {
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
