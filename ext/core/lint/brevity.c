/*
** See brevity.h for the contract.
*/
#include "core/lint/brevity.h"

#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

enum { MOST_WORDS = 64, NEAR = 4, SLOTS = 1024, ENOUGH = 100000 };

enum {
  BE = 1,        /* be, keep, stay */
  SHORT = 2,     /* brief, concise: of an answer, or of who answers */
  SHORTLY = 4,   /* briefly */
  ANSWER = 8,    /* what is to be short: answers */
  ANSWERS = 16,  /* who answers: answer, write, explain */
  AT_MOST = 32,  /* at most, under, up to */
  AT_LEAST = 64, /* at least */
  MORE = 128,    /* more than, beyond: at least so much, or at most where it is turned round */
  LESS = 256,    /* less than: the other way */
  TURNS = 512,   /* "au moins", "al più": turns these round, as a negation does ("no more than") */
  NEGATION = 1024,
  CONDITION = 2048,  /* if, unless */
  COUNT = 4096,      /* a number */
  TWO = 8192,        /* in words: one or two, */
  FIVE = 1 << 14,    /* up to five, */
  HUNDRED = 1 << 15, /* hundreds, */
  THOUSAND = 1 << 16 /* and thousands */
};

/* What an answer's length is counted in, and the most of it that is short: of each about 200 words. X(id, most, words) */
#define LENGTHS(X)                                                                                 \
  X(CHARACTERS, 1000, "character characters zeichen caracteres caracter caratteri")                \
  X(WORDS, 200,                                                                                    \
    "word words token tokens wort worte worter wortern mot mots palabra palabras parole parola")   \
  X(SENTENCES, 10,                                                                                 \
    "sentence sentences line lines item items satz satze satzen zeile zeilen phrase phrases "      \
    "ligne lignes frase frases frasi linea lineas riga righe")                                     \
  X(PARAGRAPHS, 2,                                                                                 \
    "paragraph paragraphs absatz absatze absatzen paragraphe paragraphes parrafo parrafos "        \
    "paragrafo paragrafi")

enum {
  LENGTH_BIT = 16, /* the one before the first of them */
#define LENGTH_ID(id, most, words) LENGTH_##id,
  LENGTHS(LENGTH_ID)
#undef LENGTH_ID
      LENGTH_END
};

static const long long most_of[] = {
#define MOST(id, most, words) most,
    LENGTHS(MOST)
#undef MOST
};

static const WordRow rows[] = {
    {BE, "be keep stay remain make sei seid bleib bleibe bleiben halte fasse soyez sois reste "
         "restez sea se mantente "
         "sii resta"},
    {SHORT, "brief concise short succinct terse compact kurz knapp kurze kurzen kurzer knappe "
            "knappen bref breve brefs "
            "breves concis concise concises courte courtes court conciso concisa corto corta "
            "cortas cortos"},
    {SHORTLY,
     "briefly concisely succinctly tersely shortly kurz knapp brievement concisement brevemente "
     "concisamente"},
    {ANSWER,
     "answer answers reply replies response responses sentence sentences message messages output "
     "antwort antworten satze satzen reponse reponses phrases respuesta respuestas frases risposta "
     "risposte"},
    {ANSWERS, "answer respond reply write explain describe summarise summarize say antworte "
              "antworten beantworte "
              "schreibe erklare fasse reponds repondez ecris explique resume responde escribe "
              "explica resume "
              "rispondi scrivi spiega"},
    {AT_MOST, "most under within maximum max up limit exactly only hochstens maximal unter "
              "maximo massimo"},
    {AT_LEAST, "least minimum min minimal mindestens wenigstens minimo almeno"},
    {MORE, "more over above beyond exceed exceeding longer mehr uber langer plus mas piu"},
    {LESS, "less fewer shorter below weniger moins menos meno"},
    {TURNS, "au al"},
    {COUNT | TWO, "one two ein eine einem einen einer zwei un une deux uno una dos due"},
    {COUNT | FIVE, "three four five drei vier funf trois quatre cinq tres cuatro cinco tre "
                   "quattro cinque"},
    {COUNT | HUNDRED, "hundred hundreds hundert cent cien ciento cento"},
    {COUNT | THOUSAND, "thousand thousands tausend mille mil"},
#define LENGTH_ROW(id, most, words) {1 << LENGTH_##id, words},
    LENGTHS(LENGTH_ROW)
#undef LENGTH_ROW
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  word_table_make(rows, sizeof rows / sizeof rows[0], table, SLOTS);
}

/* A sentence's words. */
typedef struct Said {
  unsigned words[MOST_WORDS];
  long long counts[MOST_WORDS]; /* of those that are a number */
  int n;
} Said;

static unsigned class_of(const Term *t) {
  unsigned classes = word_table_find(table, SLOTS, t->key)->classes;
  return classes | (t->flags & TERM_NUMBER ? COUNT : 0) |
         (t->flags & TERM_NEGATION ? NEGATION : 0) |
         (cues_of(t->key) & CUE_CONDITION ? CONDITION : 0);
}

/* 1 if what stands in front of three digits is a sign of thousands. */
static int parts_thousands(const char *at, size_t n) {
  size_t digits = 1;
  while (digits < n && isdigit((unsigned char)at[digits])) {
    digits++;
  }
  return strchr(",.'", *at) && digits == 4;
}

/* The last number in digits of a term ("2,000"; "300-500"); -1: none. */
static long long count_in_digits(const char *text, size_t n) {
  long long count = -1;
  int is_behind = 1; /* of a number that has ended */
  for (size_t i = 0; i < n; i++) {
    if (isdigit((unsigned char)text[i])) {
      count = is_behind ? 0 : count;
      count = count < ENOUGH ? 10 * count + (text[i] - '0') : count;
      is_behind = 0;
    } else if (!parts_thousands(text + i, n - i)) {
      is_behind = 1;
    }
  }
  return count;
}

/* How much a number is that is the next word of a sentence; ENOUGH at most. */
static long long count_of(const Said *s, unsigned classes, const char *text, const Term *t) {
  static const struct {
    unsigned class;
    long long count;
    int is_times; /* so many times the number before it: "five hundred" */
  } worth[] = {{TWO, 2, 0}, {FIVE, 5, 0}, {HUNDRED, 100, 1}, {THOUSAND, 1000, 1}, {COUNT, 10, 0}};
  long long count = count_in_digits(text + t->from, t->n);
  for (size_t i = 0; count < 0; i++) {
    if (classes & worth[i].class) {
      int times = worth[i].is_times && s->n > 0 && s->words[s->n - 1] & COUNT;
      count = worth[i].count * (times ? s->counts[s->n - 1] : 1);
    }
  }
  return count < ENOUGH ? count : ENOUGH;
}

static void read_words(const char *text, const TextUnit *x, Said *s) {
  TermWalk w;
  Term t;
  s->n = 0;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (s->n < MOST_WORDS && terms_next(&w, &t)) {
    unsigned classes = t.flags & TERM_SIGN ? 0 : class_of(&t);
    s->counts[s->n] = classes & COUNT ? count_of(s, classes, text, &t) : 0;
    s->words[s->n++] = classes;
  }
}

/* The nearest word of these classes before `at`, not further than `near`; -1. */
static int find_before(const Said *s, int at, unsigned classes, int near) {
  for (int i = at - 1; i >= 0 && i >= at - near; i--) {
    if (s->words[i] & classes) {
      return i;
    }
  }
  return -1;
}

/* 1 if a word of one class is followed by one of another, not far behind. */
static int is_near(const Said *s, unsigned first, unsigned second, int near) {
  for (int k = 0; k < s->n; k++) {
    if (s->words[k] & second && find_before(s, k, first, near) >= 0) {
      return 1;
    }
  }
  return 0;
}

/* ---- bounds */

static const unsigned bounds = AT_MOST | AT_LEAST | MORE | LESS;

/* "no more than two": it bounds, and forbids nothing. */
static int is_of_bound(const Said *s, int negation) {
  for (int k = negation + 1; k <= negation + 2 && k < s->n; k++) {
    if (s->words[k] & bounds) {
      return 1;
    }
  }
  return 0;
}

/* What a bounding word is: AT_MOST or AT_LEAST. */
static unsigned bound_at(const Said *s, int i) {
  const unsigned word = s->words[i] & bounds;
  if (word & (AT_MOST | AT_LEAST)) {
    return word & AT_MOST ? AT_MOST : AT_LEAST;
  }
  int is_turned = find_before(s, i, NEGATION | TURNS, 2) >= 0;
  return (word & LESS ? 1 : 0) != is_turned ? AT_MOST : AT_LEAST;
}

/* What bounds a number whose length is named at `k`: the word in front of it ("up to 50 words"), or the one behind ("50 words or
** more"); 0: none. */
static unsigned bound_of(const Said *s, int count, int k) {
  int i = find_before(s, count, bounds, NEAR);
  for (int behind = k + 1; i < 0 && behind <= k + 2 && behind < s->n; behind++) {
    i = s->words[behind] & bounds ? behind : -1;
  }
  return i < 0 ? 0 : bound_at(s, i);
}

static int is_little(unsigned word, long long count) {
  for (int i = LENGTH_BIT + 1; i < LENGTH_END; i++) {
    if (word & 1u << i && count <= most_of[i - LENGTH_BIT - 1]) {
      return 1;
    }
  }
  return 0;
}

/* 1 if a sentence bounds a length by little, or, where it says what answers, names a little one. */
static int bounds_by_little(const Said *s, unsigned all) {
  const unsigned lengths = (1u << LENGTH_END) - (1u << (LENGTH_BIT + 1));
  for (int k = 0; k < s->n; k++) {
    int count = s->words[k] & lengths ? find_before(s, k, COUNT, 3) : -1;
    if (count >= 0 && is_little(s->words[k], s->counts[count])) {
      unsigned bound = bound_of(s, count, k);
      if (bound == AT_MOST || (bound == 0 && all & ANSWERS)) {
        return 1;
      }
    }
  }
  return 0;
}

int brevity_is_asked(const char *text, const TextUnit *x) {
  Said s;
  unsigned all = 0;
  if (!(x->flags & UNIT_SENTENCE) || x->flags & UNIT_QUESTION) {
    return 0;
  }
  pthread_once(&once, load);
  read_words(text, x, &s);
  for (int i = 0; i < s.n; i++) {
    all |= s.words[i];
    if (s.words[i] & CONDITION || (s.words[i] & NEGATION && !is_of_bound(&s, i))) {
      return 0;
    }
  }
  return is_near(&s, BE, SHORT, NEAR) || is_near(&s, SHORT, ANSWER, 2) ||
         (all & ANSWERS && all & SHORTLY) || bounds_by_little(&s, all);
}
