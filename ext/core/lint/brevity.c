/*
** See brevity.h for the contract.
*/
#include "core/lint/brevity.h"

#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/split/units.h"
#include "core/words/word_table.h"

#include <pthread.h>

enum { MOST_WORDS = 64, NEAR = 4, SLOTS = 1024 };

enum {
  BE = 1,       /* be, keep, stay */
  SHORT = 2,    /* brief, concise: of an answer, or of who answers */
  SHORTLY = 4,  /* briefly */
  ANSWER = 8,   /* what is to be short: answers */
  ANSWERS = 16, /* who answers: answer, write, explain */
  BOUND = 32,   /* most, under, up */
  COUNT = 64,   /* a number, one */
  LENGTH = 128, /* words, sentences */
  AGAINST = 256 /* a negation, a condition */
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
    {BOUND, "most than under within maximum max up limit exactly only hochstens maximal unter "
            "maximum plus moins "
            "maximo menos massimo"},
    {COUNT, "one two three four five ein eine einem einen einer zwei drei vier un une deux trois "
            "uno una dos "
            "tres due tre"},
    {LENGTH, "word words sentence sentences line lines paragraph paragraphs character characters "
             "token tokens item "
             "items wort worte worter wortern satz satze satzen zeile zeilen zeichen absatz mot "
             "mots phrase phrases "
             "ligne lignes palabra palabras frase frases linea lineas parole riga righe"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  word_table_make(rows, sizeof rows / sizeof rows[0], table, SLOTS);
}

static unsigned class_of(const Term *t) {
  unsigned classes = word_table_find(table, SLOTS, t->key)->classes;
  int is_against = t->flags & TERM_NEGATION || cues_of(t->key) & CUE_CONDITION;
  return classes | (t->flags & TERM_NUMBER ? COUNT : 0) | (is_against ? AGAINST : 0);
}

/* "no more than two": it bounds, and forbids nothing. */
static int is_bound(const unsigned *words, int n, int i) {
  for (int k = i + 1; k <= i + 2 && k < n; k++) {
    if (words[k] & BOUND) {
      return 1;
    }
  }
  return 0;
}

/* 1 if a word of one class is followed by one of another, not far behind. */
static int is_near(const unsigned *words, int n, unsigned first, unsigned second, int near) {
  for (int i = 0; i < n; i++) {
    for (int k = i + 1; words[i] & first && k <= i + near && k < n; k++) {
      if (words[k] & second) {
        return 1;
      }
    }
  }
  return 0;
}

static int is_brief(const char *text, const TextUnit *x) {
  unsigned words[MOST_WORDS], all = 0;
  int n = 0;
  TermWalk w;
  Term t;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (n < MOST_WORDS && terms_next(&w, &t)) {
    words[n] = t.flags & TERM_SIGN ? 0 : class_of(&t);
    all |= words[n++];
  }
  for (int i = 0; i < n; i++) {
    if (words[i] & AGAINST && !is_bound(words, n, i)) {
      return 0;
    }
  }
  int counts = is_near(words, n, COUNT, LENGTH, 3);
  return is_near(words, n, BE, SHORT, NEAR) || is_near(words, n, SHORT, ANSWER, 2) ||
         (all & ANSWERS && all & SHORTLY) || (counts && all & (BOUND | ANSWERS));
}

int brevity_is_asked(const char *text, size_t n, Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  int is = 0;
  pthread_once(&once, load);
  if (units_find(text, n, &u, err) == RC_OK) {
    for (size_t i = 0; i < u.n && !is; i++) {
      const TextUnit *x = &u.at[i];
      is = x->flags & UNIT_SENTENCE && !(x->flags & UNIT_QUESTION) && is_brief(text, x);
    }
  }
  units_free(&u);
  return is;
}
