/*
** See places.h for the contract. Words are folded, apart by one blank; one may be in several lists.
*/
#include "core/ballast/places.h"

#include "core/ballast/ballast.h"
#include "core/ballast/cues.h"
#include "core/split/context.h"
#include "core/split/terms.h"
#include "core/words/word_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
  SLOTS = 4096,
  POINTS_WITHIN = 3, /* words from "this" to the text that it points at */
  NAMES_WITHIN = 2,  /* the same from "the" */
  HAS_WITHIN = 7,    /* words from a verb to its object */
  MOST_TERMS = 400   /* of a sentence */
};

enum {
  LEADS = 1,   /* may stand in front of an order's verb: please, now, can you */
  JOINS = 2,   /* a verb stands behind it: and, then */
  WORKS = 4,   /* works on a text, or on rows */
  HANDLES = 8, /* the same if its object is a text: give, put, check */
  TURNS = 16,  /* the same if its object is "this", "it": turn, make */
  MATERIAL = 32,
  THINGS = 64, /* the same where they are pointed at */
  ROW = 128,   /* what data is made of */
  EACH = 256,
  PER = 512,
  POINTS = 1024, /* this, the following */
  BELOW = 2048,  /* behind the text that it points at */
  COUNTS = 4096,
  MAY_COUNT = 1 << 13, /* the same in a question, or as the object of an order */
  ASKED = 1 << 14,     /* the same in a question */
  HOW = 1 << 15,
  MANY = 1 << 16,
  PRONOUN = 1 << 17,
  SHOWN = 1 << 18, /* examples as its object are to be followed */
  PARTS = 1 << 19, /* of examples: labels, outputs, pairs */
  SAYS = 1 << 20,
  WORDING = 1 << 21,
  ARTICLE = 1 << 22,
  AVOIDS = 1 << 23,
  YOU = 1 << 24,
  NUMBER = 1 << 25, /* that the terms don't know as one */
  WHICH = 1 << 26,  /* asks, behind a verb too */
  QUOTED = 1 << 27, /* in a label: a text stands below */
  OF = 1 << 28,
  PRESENTS = 1 << 29, /* "Here is my mail." */
  TELLS = 1 << 30     /* says what to say, with a colon behind it: "If it is closed, answer: …" */
};

static const WordRow rows[] = {
    {LEADS,
     "please now then first next finally also kindly just can could would will your task "
     "job goal is to i want need like let us lets help me today here bitte jetzt dann zuerst "
     "kannst konntest s il te vous plait peux pouvez por favor puedes ahora"},
    {LEADS | YOU, "you du sie tu usted"},
    {JOINS, "and or then please und et y"},
    {WORKS,
     "translate correct fix proofread rewrite reword rephrase paraphrase edit improve polish "
     "refine "
     "shorten condense summarise summarize abridge compress lengthen expand simplify continue "
     "complete finish total sum count compute calculate tally average dedupe deduplicate sort rank "
     "group cluster merge evaluate assess analyse analyze compare diff transcribe repeat reproduce "
     "reverse shuffle randomise randomize capitalise capitalize anonymise anonymize redact censor "
     "clean cleanse normalise normalize convert transform reformat parse encode decode plot chart "
     "graph tabulate spell spellcheck punctuate subtract detect spot identify critique criticise "
     "criticize interpret recite adapt localise localize modernise modernize retell outline "
     "ubersetze korrigiere verbessere kurze zahle berechne summiere addiere sortiere fasse bewerte "
     "vergleiche formuliere analysiere wiederhole kopiere "
     "ubersetzen korrigieren verbessern kurzen zahlen berechnen summieren addieren sortieren "
     "corrige corrigez traduis traduisez ameliore ameliorez raccourcis resume resumez compte "
     "comptez "
     "calcule calculez additionne trie triez evalue evaluez comparez reformule corriger traduire "
     "compter calculer traduce traduzca corrija mejora cuenta calcula suma ordena evalua "
     "reescribe corregir traducir contar sumar alphabetise alphabetize underline highlight"},
    {HANDLES,
     "give tell show check review read inspect examine study verify validate take make put turn "
     "change bring create write build produce print list mark name ship send run test book label "
     "tag classify categorise categorize rate score grade annotate extract join split set copy "
     "drop "
     "add remove delete filter highlight underline register transfer archive enter import invoice "
     "bill order index number process solve find locate replace insert move store save load quote "
     "format measure estimate predict guess explain describe comment choose pick select judge look "
     "gib zeig mach lies nimm ordne finde suche ersetze entferne losche buche prufe ermittle nenne "
     "liste markiere schreibe donne montre lis fais classe classez trouve trouvez cherche supprime "
     "copie extrais recris da muestra lee haz clasifica encuentra busca elimina copia extrae need "
     "want assign pay report erstelle erstell verifie verifiez work"},
    {TURNS, "turn make put change bring cut trim transpose render mach mets rends pon haz order "
            "read check number list print show return output give"},
    {MATERIAL,
     "text texts letter letters sentence sentences paragraph paragraphs list lists dataset "
     "datasets "
     "data table tables log logs email emails mail mails message messages review reviews article "
     "articles poem poems story stories essay essays words passage passages draft drafts "
     "transcript "
     "transcripts dialogue entries entry row rows line lines tweet tweets post posts speech song "
     "lyrics string strings snippet csv example examples samples pairs headline caption verse "
     "verses "
     "grammar spelling typos spreadsheet columns bullets "
     "brief briefe satz satze absatz liste tabelle daten zeile zeilen eintrag eintrage nachricht "
     "zeichenkette gedicht geschichte aufsatz artikel worter entwurf lettre lettres phrase "
     "paragraphe liste tableau donnees ligne lignes entree entrees poeme histoire mots "
     "courriel texte carta cartas frase frases parrafo lista tabla datos linea lineas entrada "
     "entradas fila filas texto textos poema historia palabras correo mensaje amounts votes "
     "transactions figures"},
    {THINGS,
     "items item records record names numbers figures notes note comment comments report reports "
     "document documents file files ticket tickets contract paper memo minutes statement "
     "statements "
     "hours orders votes transactions people collection set sequence series code phrase phrases "
     "word "
     "quote quotes title description recipe joke chapter abstract invoices receipts english german "
     "french spanish answer answers reply replies summary bericht rapport informe"},
    {ROW,
     "line lines row rows entry entries record records sentence sentences paragraph paragraphs "
     "example examples label labels review reviews pair pairs bullet bullets vote votes "
     "transaction transactions zeile eintrag satz ligne entree linea fila entrada"},
    {EACH, "each every jede jeden jedes jeder chaque cada"},
    {PER, "per pro"},
    {ARTICLE, "the my our der die das den dem mein meine le la les l mon ma mes el los las mi mis "
              "all alle tous toutes todos todas"},
    {POINTS,
     "this these those following next previous below above attached given diese dieser dieses "
     "diesen diesem folgende folgenden folgender nachste nachsten ce cet cette ces suivant "
     "suivante suivants este esta estos estas siguiente siguientes"},
    {BELOW,
     "below above underneath beneath hereafter unten oben darunter dessous dessus abajo arriba"},
    {COUNTS,
     "duplicate duplicates duplicated doublets dupes median tally histogram frequencies "
     "accuracy repetition repetitions statistics subtotal subtotals duplikat duplikate dublette "
     "dubletten haufigkeit genauigkeit doublon doublons mediane exactitude duplicado "
     "duplicados duplicada duplicadas mediana tldr tl eli5 gist"},
    {MAY_COUNT,
     "chart charts diagram graph average averages percentage percent share shares proportion ratio "
     "fraction total totals "
     "sum sums count counts double doubled identical unique distinct repeated frequency "
     "durchschnitt mittelwert anteil prozent summe anzahl doppelt doppelte doppelten mehrfach "
     "moyenne pourcentage somme total double identiques frequence promedio media porcentaje "
     "proporcion suma doble dobles repetidos repetidas frecuencia distribution distributions table "
     "tables spreadsheet chart tabelle tableau tabla verteilung mean"},
    {ASKED,
     "mean twice often times same equal repeat repeats number majority most least once common "
     "frequent differ different difference differences missing longest shortest gleich gleichen "
     "zweimal oft verschiedene part nombre fois memes identique numero veces iguales"},
    {HOW, "how wie"},
    {MANY, "many much often viele viel oft"},
    {HOW | MANY, "combien wieviel wieviele cuanto cuanta cuantos cuantas"},
    {PRONOUN, "this these it them that those es cela ca esto eso lo"},
    {SHOWN, "follow see like use study learn imitate mimic consider here as by from on with per "
            "match some few more of folge siehe wie suis voir comme sigue como"},
    {PARTS, "label labels output outputs input inputs pair pairs answers row rows data dataset "
            "samples ausgaben ausgabe paare sorties sortie salidas etiquetas"},
    {SAYS,
     "say says saying append prepend close end ends begin begins start starts open sign finish "
     "apologise apologize greet sage schliesse beende beginne dis termine finis "
     "conclus di termina cierra"},
    {TELLS, "answer answers reply respond write tell antworte antworten schreibe reponds repondez "
            "responde rispondi"},
    {WORDING,
     "phrase phrases wording words goodbye bye farewell greeting closing slogan signature "
     "sentence sentences formula formulas formulation expression expressions cliche cliches "
     "worte worter satze floskel floskeln formulierung formule mots frases palabras"},
    {NUMBER,
     "un une uno una deux trois quatre cinq six dix dos tres cuatro cinco seis diez zwei drei "
     "vier funf sechs zehn einem"},
    {WHICH, "which who whether what welche welcher wer was quelle quel qui cual quien que"},
    {QUOTED, "wrote writes said says original source schrieb sagte ecrit escribio"},
    {PRESENTS, "here hier voici aqui"},
    {OF, "of von de der"},
    {AVOIDS, "avoid avoids without vermeide evite evita"},
};

static WordEntry table[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  word_table_make(rows, sizeof rows / sizeof *rows, table, SLOTS);
}

static unsigned classes_of(uint64_t key) {
  return word_table_find(table, SLOTS, key)->classes;
}

/* --- a sentence --- */

/* What was read of a sentence up to a word. What opens something counts words down: 0 is closed. */
typedef struct Said {
  int n;              /* words */
  unsigned last;      /* classes of the last one */
  unsigned object_of; /* of the last one that is no grammar: the next noun is its object */
  unsigned verb; /* WORKS, HANDLES, TURNS: of the words that stand where an order's verb does */
  int has;       /* opened by a verb: its object */
  int pointed, named; /* by "this", by "the" */
  int each, per;
  int presents;   /* it begins so */
  int asks;       /* "tell me which" */
  int is_at_head; /* nothing but LEADS so far */
  int is_negated, is_question, has_how, has_material;
  int on_text, on_examples;
} Said;

static void look_at_counts(Said *s, unsigned is) {
  int counts = (is & COUNTS && !s->is_negated) ||
               (is & MAY_COUNT && (s->is_question || s->has) && !s->is_negated) ||
               (is & ASKED && (s->is_question || s->asks)) ||
               (is & OF && s->last & ASKED && s->has) || (is & MANY && (s->has_how || is & HOW));
  s->on_text |= counts;
  s->on_examples |= counts;
}

static void look_at_nouns(Said *s, unsigned is) {
  s->on_text |= is & (MATERIAL | THINGS) && s->pointed;
  s->on_text |= is & MATERIAL && s->named && (s->has || s->is_question || s->presents);
  s->on_text |= is & ROW && (s->each || s->per) && (s->verb || s->is_question);
  s->on_text |= s->last & EACH && s->has;
  s->on_text |= is & (MATERIAL | THINGS) && s->last & WHICH && (s->is_question || s->asks);
  s->on_text |= is & BELOW && s->has_material;
  s->on_text |= is & PRONOUN &&
                ((s->last & TURNS && s->has == HAS_WITHIN) || (s->is_question && is & POINTS));
  s->has_material |= is & MATERIAL && (s->named || s->pointed);
}

/* "Check the examples", "Count the labels"; not "Follow the examples", "Here are examples". */
static void look_at_examples(Said *s, unsigned is, int is_example) {
  int is_meant = s->named || s->pointed || s->each || s->is_question || s->last & (WORKS | HANDLES);
  int has = s->has && s->verb & (WORKS | HANDLES);
  int is_object = (has || s->is_question || (s->each && s->verb)) && is_meant;
  s->on_examples |= is_object && is_example && !(s->object_of & SHOWN);
  s->on_examples |= is_object && is & PARTS;
}

static int left(int open, int opens, int within) {
  return opens ? within : open > 0 ? open - 1 : 0;
}

static void open_next(Said *s, unsigned is, int is_verb, int is_grammar) {
  s->pointed = left(s->pointed, (is & POINTS) != 0, POINTS_WITHIN);
  s->named = left(s->named, (is & ARTICLE) != 0, NAMES_WITHIN);
  s->each = left(s->each, (is & EACH) != 0, NAMES_WITHIN);
  s->per = left(s->per, (is & PER) != 0, NAMES_WITHIN);
  s->has = left(s->has, is_verb, HAS_WITHIN);
  s->presents |= s->n == 0 && is & PRESENTS;
  s->asks |= s->verb && is & WHICH;
  s->has_how |= (is & HOW) != 0;
  s->object_of = is_grammar && !(is & SHOWN) ? s->object_of : is;
}

static void take(const char *text, Said *s, const Term *t) {
  unsigned is = classes_of(t->key), cues = cues_of(t->key);
  const unsigned verbs = WORKS | HANDLES | TURNS;
  int is_name = t->from > 0 && (text[t->from - 1] == '.' || text[t->from - 1] == '`');
  s->is_negated |= t->flags & TERM_NEGATION || is & AVOIDS;
  int is_verb = (s->is_at_head || s->last & JOINS) && is & verbs && !s->is_negated;
  s->on_text |= cues & CUE_OPERATES && !s->is_negated;
  if (is_verb) {
    s->verb |= is & verbs;
    s->on_text |= (is & WORKS) != 0;
  } else if (!is_name) {
    look_at_nouns(s, is);
    look_at_examples(s, is, (cues & CUE_EXAMPLE) != 0);
  }
  look_at_counts(s, is);
  /* "You sort mails" says who it is */
  s->is_at_head &= is & LEADS && !(s->n == 0 && is & YOU);
  s->last = is;
  open_next(s, is, is_verb, (t->flags & TERM_STOP) != 0);
  s->n++;
}

/* "Reviews:", "The customer wrote:", "My mail:": what stands below is a text. */
static int is_label_of_text(const char *text, const TextUnit *x) {
  enum { MOST = 5 };
  TermWalk w;
  Term t;
  int n = 0, others = 0, material = 0;
  if (!ballast_leads_in(text, x)) {
    return 0;
  }
  terms_begin(&w, text, x->from, x->from + x->n);
  while (n <= MOST && terms_next(&w, &t)) {
    unsigned is = classes_of(t.key);
    if (is & QUOTED) {
      return 1;
    }
    material |= is & MATERIAL && !(cues_of(t.key) & CUE_EXAMPLE);
    others += !(is & (MATERIAL | ARTICLE)) && !(t.flags & TERM_STOP);
    n++;
  }
  return n <= MOST && material && !others;
}

static unsigned task_of(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  Said s = {.is_at_head = 1, .is_question = (x->flags & UNIT_QUESTION) != 0};
  terms_begin(&w, text, x->from, x->from + x->n);
  while (s.n < MOST_TERMS && terms_next(&w, &t)) {
    if (!(t.flags & TERM_SIGN)) {
      take(text, &s, &t);
    }
  }
  unsigned task = s.on_text || is_label_of_text(text, x) ? TASK_ON_TEXT : 0;
  return s.on_examples ? TASK_ON_TEXT | TASK_ON_EXAMPLES : task;
}

/* --- the text --- */

static int is_said(const TextUnit *x) {
  return x->flags & UNIT_SENTENCE || x->kind == BLOCK_HEADING || x->kind == BLOCK_LINES;
}

/* What of a unit is said to the model: of "Fix: We are closed." the label. */
static TextUnit said_of(const char *text, const TextUnit *x) {
  const char *colon = x->flags & UNIT_TURN ? memchr(text + x->from, ':', x->n) : NULL;
  TextUnit said = *x;
  said.n = colon ? (size_t)(colon - text) - x->from : x->n;
  return said;
}

int task_find(const char *text, const TextUnits *u, const Examples *e, unsigned *task, Err *err) {
  unsigned char *roles = malloc(u->n + 1);
  *task = 0;
  if (!roles) {
    return err_nomem(err);
  }
  pthread_once(&once, make);
  context_find(text, u, CONTEXT_MARKED, roles);
  for (size_t i = 0; i < u->n && *task != (TASK_ON_TEXT | TASK_ON_EXAMPLES); i++) {
    const TextUnit *x = &u->at[i];
    if (is_said(x) && roles[i] != ROLE_CONTEXT && !examples_hold(e, x->from)) {
      TextUnit said = said_of(text, x);
      *task |= task_of(text, &said);
    }
  }
  free(roles);
  return err->rc;
}

int task_is_wording(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  int says = 0, words = 0, numbers = 0, negated = 0;
  pthread_once(&once, make);
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    unsigned is = classes_of(t.key);
    says |= is & SAYS || (is & TELLS && t.from + t.n < x->from + x->n && text[t.from + t.n] == ':');
    words |= (is & WORDING) != 0;
    numbers |= t.flags & TERM_NUMBER || is & NUMBER;
    negated |= (t.flags & TERM_NEGATION) != 0;
  }
  return (says && !negated) || (words && !numbers);
}
