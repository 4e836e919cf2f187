/*
** no_length_limit: a system prompt for answers in prose that says nothing of how long they may be. See lint.h.
**
** Any word that speaks of a length (brief, sentences, at most 80 words), of a form that bounds the answer (JSON, a
** list, a label, a name, code, steps), or of a task whose answer is as long as what is put in (translate, rewrite) makes it
** none; so do examples, which show a length, and a schema. What is left is a text that begins by telling the model who it is, and
** asks it to explain, help, tell or write.
*/
#include "core/lint/finding.h"

#include "core/ballast/cues.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <pthread.h>

enum { SLOTS = 1024, BOUNDS = 1, EXPLAINS = 2, YOU = 4, ARE = 8, WHO = 16, LEAST_ANSWERS = 20 };

static const WordRow rows[] = {
    {BOUNDS,
     "most brief briefly brevity short shorter shortly shortest concise concisely succinct "
     "succinctly "
     "terse tersely compact length long longer longest "
     "lengthy limit limited limits detail details detailed thorough thoroughly comprehensive "
     "exhaustive elaborate verbose word words character "
     "characters token tokens line lines page pages paragraph paragraphs sentence sentences bullet "
     "bullets step steps maximum minimum summary "
     "summaries summarise summarize summarises summarizes json xml yaml csv table tables label "
     "labels class classify classifies category score "
     "yes yesno classifier router regex regexp regexes pattern haiku poem poems poet limerick "
     "verse headline headlines title titles slogan slogans tagline taglines caption captions "
     "returns pass fail hint naming keyword keywords true false emoji emojis sms tweet tweets ja "
     "nein "
     "oui non single rating scores "
     "number code sql function functions command commands query schema format "
     "template field fields "
     "translate translates translation translator rewrite proofread edit extract alone only "
     "kurz kurze kurzen kurzer knapp knappe lang lange langer lange wort worte worter wortern satz "
     "satze satzen absatz absatze zeichen zeile zeilen "
     "seite seiten hochstens maximal stichpunkte stichpunkten liste tabelle ubersetze ubersetzen "
     "bref breve brefs court courte courtes phrase phrases mot mots ligne lignes page paragraphe "
     "plus longueur liste tableau traduis "
     "corto corta breves frase frases palabra palabras linea lineas parrafo longitud maximo lista "
     "tabla traduce"},
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

static int is_unbounded(const char *text, size_t n) {
  TermWalk w;
  Term t;
  int explains = 0;
  terms_begin(&w, text, 0, n);
  while (terms_next(&w, &t)) {
    unsigned classes = classes_of(t.key);
    if (classes & BOUNDS || t.flags & TERM_FORMAT || cues_of(t.key) & (CUE_OPERATES | CUE_JSON)) {
      return 0;
    }
    explains |= (classes & EXPLAINS) != 0;
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
      is_unbounded(w->text, w->n)) {
    lint_add(w, LINT_NO_LENGTH_LIMIT, 0, w->n,
             o->answers >= LEAST_ANSWERS ? o->answer_tokens / o->answers : 0);
  }
  return w->err->rc;
}
