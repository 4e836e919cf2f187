/*
** no_length_limit: a system prompt for answers in prose that says nothing of how long they may be. See lint.h.
**
** Any word that speaks of a length (brief, at most), of a form that bounds the answer (JSON, a list, haiku), or of a task whose answer is
** as long as what is put in (translate, rewrite) makes it none. What is counted (words, sentences, steps) does with a number, or "a", near by:
** not "words that a child knows"; what may be of anything (only, number, code, page) does in a sentence that speaks of answers. So do examples, which show a length, and a schema. What is left is a text that begins by telling the model who it is, and
** asks it to explain, help, tell or write.
*/
#include "core/lint/finding.h"

#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <pthread.h>

enum { SLOTS = 1024, LEAST_ANSWERS = 20, COUNTED_WITHIN = 4 };

enum {
  BOUNDS = 1,
  EXPLAINS = 2,
  YOU = 4,
  ARE = 8,
  WHO = 16,
  MEASURE = 32,   /* bounds where it is counted */
  AMBIGUOUS = 64, /* bounds in a sentence that speaks of answers: */
  ANSWERS = 128,
  A = 256 /* counts what stands right behind it */
};

static const WordRow rows[] = {
    {BOUNDS,
     "most brief briefly brevity short shorter shortly shortest concise concisely succinct "
     "succinctly "
     "terse tersely compact length long longer longest "
     "lengthy limit limited limits detail details detailed thorough thoroughly comprehensive "
     "exhaustive elaborate verbose bullet bullets maximum minimum summary "
     "summaries summarise summarize summarises summarizes json xml yaml csv table tables classify "
     "classifies "
     "yes yesno classifier router regex regexp regexes pattern haiku poem poems poet limerick "
     "verse headline headlines slogan slogans tagline taglines caption captions "
     "returns pass fail hint naming keyword keywords true false emoji emojis sms tweet tweets ja "
     "nein "
     "oui non sql schema format template "
     "translate translates translation translator rewrite proofread edit extract "
     "kurz kurze kurzen kurzer knapp knappe lang lange langer lange "
     "hochstens maximal stichpunkte stichpunkten liste tabelle ubersetze ubersetzen "
     "bref breve brefs court courte courtes "
     "plus longueur liste tableau traduis "
     "corto corta breves longitud maximo lista "
     "tabla traduce"},
    {MEASURE,
     "word words character characters token tokens line lines page pages paragraph paragraphs "
     "sentence sentences step steps "
     "wort worte worter wortern satz satze satzen absatz absatze zeichen zeile zeilen seite seiten "
     "phrase phrases mot mots ligne lignes paragraphe paragraphes "
     "frase frases palabra palabras linea lineas parrafo parrafos"},
    {AMBIGUOUS,
     "only alone single number label labels class category score scores rating title titles "
     "code function functions command commands query field fields page pages nur seul "
     "solo"},
    {ANSWERS,
     "answer answers answered respond reply replies response responses return returns output write "
     "writes print produce antworte antworten antwort gib reponds reponse responde respuesta"},
    {A, "a an one ein eine einem einen einer un une una few couple several"},
    {EXPLAINS, "explain explains describe describes help helps advise advises advice teach teaches "
               "teacher tutor tell tells discuss chat "
               "assistant assist guide suggest recommend erklare erklarst erklaren "
               "hilf hilfst helfen berate beratest antworte beantworte "
               "assistent lehrer explique expliques aide aides reponds assistant professeur "
               "explica explicas ayuda ayudas responde asistente profesor"},
    {WHO, "a an the our my ein eine der die das unser unsere un une le la notre una el nuestro "
          "nuestra users people customers"},
    {YOU, "you du sie tu vous eres usted youre"},
    {ARE, "are re bist sind es etes eres help helps answer answers teach explain hilfst "
          "beantwortest erklarst aides reponds ayudas respondes"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  word_table_make(rows, sizeof rows / sizeof *rows, table, SLOTS);
}

static unsigned classes_of(uint64_t key) {
  return word_table_find(table, SLOTS, key)->classes;
}

/* "You are …", "You help …", at its beginning. */
static int tells_who(const char *text, size_t n) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, 0, n);
  if (!terms_next(&w, &t) || !(classes_of(t.key) & YOU)) {
    return 0;
  }
  if (!(classes_of(t.key) & ARE) && (!terms_next(&w, &t) || !(classes_of(t.key) & ARE))) {
    return 0;
  }
  return terms_next(&w, &t) && (classes_of(t.key) & WHO || t.flags & TERM_CAPITAL);
}

/* What a sentence says of answers. */
typedef struct Said {
  unsigned classes; /* of all words */
  int bounds;       /* for sure */
  int counts;       /* words since the last number or "a"; above COUNTED_WITHIN: none is near */
  int was_measure;
} Said;

static void take(Said *s, const Term *t) {
  unsigned classes = classes_of(t->key);
  int is_number = t->flags & TERM_NUMBER ? 1 : 0;
  s->bounds |= classes & BOUNDS || cues_of(t->key) & (CUE_OPERATES | CUE_JSON) ||
               (t->flags & TERM_FORMAT && !(classes & MEASURE)) ||
               (classes & MEASURE && s->counts < COUNTED_WITHIN) || (is_number && s->was_measure);
  s->counts = is_number ? 0 : s->counts + 1;
  if (classes & A && s->counts > COUNTED_WITHIN - 2) {
    s->counts = COUNTED_WITHIN - 2;
  }
  s->was_measure = (classes & MEASURE) != 0;
  s->classes |= classes;
}

static int is_unbounded(const char *text, const TextUnits *u) {
  int explains = 0;
  for (size_t i = 0; i < u->n; i++) {
    TermWalk w;
    Term t;
    Said s = {.counts = COUNTED_WITHIN};
    terms_begin(&w, text, u->at[i].from, u->at[i].from + u->at[i].n);
    while (terms_next(&w, &t)) {
      take(&s, &t);
    }
    if (s.bounds || (s.classes & AMBIGUOUS && s.classes & (ANSWERS | ARE))) {
      return 0;
    }
    explains |= (s.classes & EXPLAINS) != 0;
  }
  return explains;
}

static int has_only_prose(const TextUnits *u) {
  for (size_t i = 0; i < u->n; i++) {
    BlockKind kind = u->at[i].kind;
    if (u->at[i].flags & UNIT_QUESTION || kind == BLOCK_CODE || kind == BLOCK_JSON ||
        kind == BLOCK_FENCED_JSON || kind == BLOCK_TABLE) {
      return 0;
    }
  }
  return 1;
}

int lint_length(LintWork *w) {
  const LintOptions *o = w->options;
  pthread_once(&once, make);
  if (o->fields || (o->answers >= LEAST_ANSWERS && 2 * o->long_answers <= o->answers)) {
    return RC_OK;
  }
  if (!w->examples->n && has_only_prose(w->u) && tells_who(w->text, w->n) &&
      is_unbounded(w->text, w->u)) {
    lint_add(w, LINT_NO_LENGTH_LIMIT, 0, w->n,
             o->answers >= LEAST_ANSWERS ? o->answer_tokens / o->answers : 0);
  }
  return w->err->rc;
}
