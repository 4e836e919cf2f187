/*
** See filler.h for the contract.
**
** The phrases are made into steps once. Of each sentence among orders the first terms are compared with all of them:
** first words differ nearly always, so that costs little beside reading the terms.
*/
#include "core/ballast/filler.h"

#include "base/check.h"
#include "base/hash.h"
#include "core/ballast/cues.h"
#include "core/ballast/places.h"
#include "core/split/terms.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

/* --- the phrases --- */

typedef enum FillerForm {
  FILLER_THANKS, /* a whole sentence, at the end of its block */
  FILLER_BARE,   /* the same, that says no more than "thank you": at the text's end alone */
  FILLER_WHOLE,  /* a whole sentence */
  FILLER_BREATH, /* a whole sentence, unless the next one speaks of steps */
  FILLER_FRONT,  /* in front of the rest of a sentence */
  FILLER_SHORT,  /* the same, if a clause begins behind it for sure */
  FILLER_CLEAR,  /* the same, if one may begin behind it, and there is a verb */
  FILLER_COMMA,  /* the same, if a comma stands behind it */
  FILLER_FORMS
} FillerForm;

/* Words are folded and apart by one blank; "a/b" is either, "a?" may be missing, "a/b?" either or none. Marks between
** words don't count: "it s" is "it's". Each stands here because a model does the same without it; what is left out on
** purpose, and why, is in filler.h. */
static const struct FillerPhrase {
  FillerForm form;
  const char *words;
} phrases[] = {
    /* Thanks are paid for at each request, and no answer is better for them: they end letters, and prompts by habit. */
    {FILLER_THANKS, "thank you so/very? much? in advance"},
    {FILLER_THANKS, "thank you/u so/very? much? in advance for your/the great/kind? "
                    "help/assistance/cooperation/support/attention/effort/efforts/work"},
    {FILLER_THANKS,
     "thank you/u so/very? much? for your great/kind/hard? "
     "help/assistance/cooperation/support/attention/effort/efforts/work in? advance?"},
    {FILLER_THANKS, "many? thanks a? lot? in advance"},
    {FILLER_THANKS, "many? thanks a? lot? in advance for your/the great/kind? "
                    "help/assistance/cooperation/support/attention/effort/efforts/work"},
    {FILLER_THANKS,
     "many? thanks a? lot? for your/the great/kind/hard? "
     "help/assistance/cooperation/support/attention/effort/efforts/work in? advance?"},
    {FILLER_THANKS, "i really? appreciate your/the help/assistance/effort/work with? this?"},
    {FILLER_THANKS, "i really? appreciate it"},
    {FILLER_THANKS, "any/your help is/would/will be? much/greatly/highly? appreciated"},
    {FILLER_THANKS, "vielen/besten/herzlichen? dank im voraus"},
    {FILLER_THANKS, "danke schon? im voraus"},
    {FILLER_THANKS, "vielen/besten/herzlichen? dank/danke im voraus fur deine/ihre/die/eure "
                    "hilfe/unterstutzung/muhe/arbeit"},
    {FILLER_THANKS,
     "vielen/besten/herzlichen dank fur deine/ihre/die/eure hilfe/unterstutzung/muhe/arbeit"},
    {FILLER_THANKS, "danke fur deine/ihre/die/eure hilfe/unterstutzung/muhe/arbeit"},
    {FILLER_THANKS, "ich danke dir/ihnen im voraus"},
    {FILLER_THANKS, "merci beaucoup? d avance"},
    {FILLER_THANKS, "merci beaucoup? d avance pour votre/ton aide"},
    {FILLER_THANKS, "merci beaucoup? pour votre/ton aide/travail/soutien"},
    {FILLER_THANKS, "je vous/te remercie d? avance? pour? votre/ton? aide?"},
    {FILLER_THANKS, "muchas? gracias de antemano"},
    {FILLER_THANKS, "muchas? gracias por tu/su/la ayuda/colaboracion/trabajo/atencion"},
    {FILLER_THANKS, "te/le agradezco de antemano"},
    {FILLER_BARE, "thank you so/very? much?"},
    {FILLER_BARE, "many? thanks a? lot? again?"},
    {FILLER_BARE, "vielen/besten/herzlichen dank"},
    {FILLER_BARE, "danke schon/sehr?"},
    {FILLER_BARE, "merci beaucoup?"},
    {FILLER_BARE, "muchas? gracias"},
    /* Hopes are nobody's order. */
    {FILLER_THANKS, "i? hope this/that/it helps you? out?"},
    {FILLER_THANKS, "i? hope this/that/it is/makes clear/sense/understandable"},
    {FILLER_WHOLE, "i? hope you are/re doing? all? well/fine/great/good today?"},
    {FILLER_WHOLE, "i? hope this message/mail/email/note/prompt finds you well"},
    {FILLER_THANKS, "ich hoffe das/dies hilft dir/ihnen? weiter?"},
    {FILLER_THANKS, "j espere que cela/ca vous/t? aide/aidera"},
    {FILLER_THANKS, "espero que esto/te/le te/le? ayude/sirva"},
    /* Praise in advance, of work that is not done yet. (Appeals to effort are a technique and not here.) */
    {FILLER_WHOLE, "you are/re doing a? great/amazing/awesome/fantastic/good/wonderful job/work?"},
    {FILLER_WHOLE, "you are/re doing well/great/fine so far?"},
    {FILLER_WHOLE, "keep up the good/great work"},
    {FILLER_WHOLE, "good luck with? this? and? have? fun?"},
    {FILLER_WHOLE, "you are/re the best"},
    {FILLER_WHOLE, "you are/re awesome/amazing/great"},
    {FILLER_WHOLE, "i know you/this you? will/can do? a? great/good job?"},
    {FILLER_WHOLE, "du machst das/einen ganz? toll/super/grossartig/tollen/super/prima job?"},
    {FILLER_WHOLE, "weiter so"},
    {FILLER_WHOLE, "viel erfolg/gluck"},
    {FILLER_WHOLE, "bonne chance"},
    {FILLER_WHOLE, "bon courage"},
    {FILLER_WHOLE, "buena suerte"},
    {FILLER_BREATH, "take a deep breath"},
    {FILLER_BREATH, "please? relax/breathe"},
    /* In front of a sentence: it is noted because it is there. */
    {FILLER_SHORT, "please? also? note/remember that"},
    {FILLER_CLEAR, "please? be aware that"},
    {FILLER_CLEAR, "please also/kindly? note that"},
    {FILLER_CLEAR, "please? always? keep/bear in mind that"},
    {FILLER_FRONT,
     "it is/s also? very/extremely? important/crucial/essential/worth to? "
     "note/remember/understand/know/mention/noting/remembering/mentioning/realize/keep that"},
    {FILLER_FRONT,
     "it is/s also? very/extremely? important/crucial/essential to keep/bear in mind that"},
    {FILLER_FRONT, "it should/must also? be noted/remembered/mentioned that"},
    {FILLER_FRONT, "it goes without saying that"},
    {FILLER_COMMA, "needless to say"},
    {FILLER_COMMA,
     "as i/we? already? mentioned/stated/noted/said/described/discussed/explained/outlined "
     "above/earlier/before/previously/already/below?"},
    {FILLER_COMMA, "as i/we? previously/already "
                   "mentioned/stated/noted/said/described/discussed/explained/outlined"},
    {FILLER_COMMA, "as mentioned/stated/noted/described/explained/above/before"},
    {FILLER_COMMA, "as you may/might/probably/already/surely? already/well? know"},
    {FILLER_COMMA, "as a/just quick? friendly? reminder"},
    {FILLER_FRONT, "veuillez noter que"},
    {FILLER_FRONT, "il est important/essentiel de noter/rappeler/savoir/comprendre que"},
    {FILLER_FRONT, "il convient de noter/rappeler que"},
    {FILLER_COMMA, "comme mentionne/indique/dit/explique ci/plus? dessus/haut/precedemment/deja"},
    {FILLER_FRONT, "ten/tenga/tengan en cuenta que"},
    {FILLER_FRONT, "es importante recordar/notar/saber/senalar que"},
    {FILLER_FRONT, "cabe senalar/destacar/mencionar/recordar que"},
    {FILLER_COMMA, "como se? menciono/dijo/indico/explico anteriormente/antes/arriba"},
};

/* Verbs by which a clause is told, behind FILLER_CLEAR. */
static const char verbs[] = "is are was were has have had can cannot may might must will would "
                            "should shall do does did need "
                            "needs isnt arent dont doesnt cant";

/* Words that a clause begins with, behind FILLER_SHORT. */
static const char clauses[] = "the a an you your we our it its they their there these those all "
                              "each every any some most many both no not nobody "
                              "only i he she his her users customers people if this";

enum {
  N_PHRASES = sizeof phrases / sizeof phrases[0],
  MOST_STEPS = 1024, /* of all phrases */
  MOST_KEYS = 3072,  /* and their words */
  MOST_TERMS = 24,   /* of a sentence that are compared */
  MOST_CLAUSES = 64,
  LEAST_REST = 3 /* words that stay behind a phrase */
};

typedef struct Step {
  int first, behind; /* of keys[] */
  int is_optional;
} Step;

static struct {
  Step steps[MOST_STEPS];
  uint64_t keys[MOST_KEYS];
  int first[N_PHRASES + 1]; /* the first step of each, and the end */
  uint64_t clauses[MOST_CLAUSES];
  uint64_t verbs[MOST_CLAUSES];
  int n_clauses, n_verbs;
} made;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* --- the table --- */

/* "so/very?" as a step; returns what is behind it. */
static const char *make_step(const char *w, int *steps, int *keys) {
  Step *s = &made.steps[(*steps)++];
  s->first = *keys;
  CHECK(*steps < MOST_STEPS);
  while (*w && *w != ' ') {
    size_t n = strcspn(w, " /?");
    CHECK(*keys < MOST_KEYS);
    made.keys[(*keys)++] = hash_short(w, n);
    w += n;
    s->is_optional = *w == '?';
    w += *w == '/' || *w == '?';
  }
  s->behind = *keys;
  return w + (*w == ' ');
}

/* The keys of a list; returns their number. */
static int make_keys(const char *words, uint64_t *keys) {
  int count = 0;
  for (const char *w = words; *w;) {
    size_t n = strcspn(w, " ");
    CHECK(count < MOST_CLAUSES);
    keys[count++] = hash_short(w, n);
    w += n + (w[n] == ' ');
  }
  return count;
}

static void make(void) {
  int steps = 0, keys = 0;
  for (int i = 0; i < N_PHRASES; i++) {
    made.first[i] = steps;
    for (const char *w = phrases[i].words; *w;) {
      w = make_step(w, &steps, &keys);
    }
  }
  made.first[N_PHRASES] = steps;
  made.n_clauses = make_keys(clauses, made.clauses);
  made.n_verbs = make_keys(verbs, made.verbs);
}

/* --- a sentence --- */

typedef struct Sentence {
  Term terms[MOST_TERMS];
  int n;       /* that were read */
  int is_long; /* there are more */
} Sentence;

static void read_sentence(const char *text, const TextUnit *x, Sentence *s) {
  TermWalk w;
  Term t;
  s->n = s->is_long = 0;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    if (s->n == MOST_TERMS) {
      s->is_long = 1;
      return;
    }
    s->terms[s->n++] = t;
  }
}

static int has_key(const Step *s, uint64_t key) {
  for (int i = s->first; i < s->behind; i++) {
    if (made.keys[i] == key) {
      return 1;
    }
  }
  return 0;
}

/* Terms that the steps [step, behind) take from term `at` on, as many as they can; -1: they don't match. */
static int match(const Sentence *s, int at, int step, int behind) {
  if (step == behind) {
    return at;
  }
  const Step *x = &made.steps[step];
  if (at < s->n && has_key(x, s->terms[at].key)) {
    int end = match(s, at + 1, step + 1, behind);
    if (end >= 0) {
      return end;
    }
  }
  return x->is_optional ? match(s, at, step + 1, behind) : -1;
}

/* 1 if between two places stand blanks, commas and apostrophes alone. */
static int is_plain(const char *text, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) {
    unsigned char c = (unsigned char)text[i];
    if (!(c == ' ' || c == '\n' || c == '\r' || c == ',' || c == '\'' || c == 0xE2 || c == 0x80 ||
          c == 0x99 || c == 0xC2 || c == 0xA1)) {
      return 0;
    }
  }
  return 1;
}

static int is_plain_up_to(const char *text, const TextUnit *x, const Sentence *s, int end) {
  size_t at = x->from;
  for (int i = 0; i < end; i++) {
    if (!is_plain(text, at, s->terms[i].from)) {
      return 0;
    }
    at = s->terms[i].from + s->terms[i].n;
  }
  return 1;
}

/* 1 if behind the last of `end` terms the sentence ends: points, and signs that are no words (a smiley). */
static int ends_there(const char *text, const TextUnit *x, const Sentence *s, int end) {
  for (int i = end; i < s->n; i++) {
    if (!(s->terms[i].flags & TERM_SIGN) || text[s->terms[i].from] == '?') {
      return 0;
    }
  }
  size_t at = s->terms[end - 1].from + s->terms[end - 1].n,
         stop = end < s->n ? s->terms[end].from : x->from + x->n;
  for (; at < stop; at++) {
    if (!strchr(".! \n)", text[at]) || !text[at]) {
      return 0;
    }
  }
  return !s->is_long;
}

/* --- whether it may go --- */

/* What stands in the text as a whole. */
typedef struct Around {
  int is_letter; /* it holds one, or the beginning or end of one */
  int operates;  /* it works on a text */
} Around;

/* "Hello!", that a prompt begins with: it names nobody, as letters do. */
static int is_bare_greeting(const char *text, const TextUnit *x) {
  TermWalk w;
  Term t;
  int n = 0;
  terms_begin(&w, text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    n++;
  }
  return n == 1 && x->flags & UNIT_SENTENCE && strchr("!.", text[x->from + x->n - 1]);
}

static void look_around(const char *text, const TextUnits *u, Around *a) {
  *a = (Around){0, 0};
  for (size_t i = 0; i < u->n && !(a->is_letter && a->operates); i++) {
    TermWalk w;
    Term t;
    int greets_nobody = i == 0 && is_bare_greeting(text, &u->at[i]);
    terms_begin(&w, text, u->at[i].from, u->at[i].from + u->at[i].n);
    for (int k = 0; terms_next(&w, &t); k++) {
      unsigned cues = cues_of(t.key);
      a->operates |= (cues & CUE_OPERATES) != 0;
      a->is_letter |= k < 3 && cues & CUE_LETTER && t.flags & TERM_CAPITAL && !greets_nobody;
    }
  }
}

/* The next sentence speaks of steps: then a breath belongs to it. */
static int speaks_of_steps(const char *text, const TextUnits *u, size_t i) {
  TermWalk w;
  Term t;
  if (i >= u->n) {
    return 0;
  }
  terms_begin(&w, text, u->at[i].from, u->at[i].from + u->at[i].n);
  while (terms_next(&w, &t)) {
    if (t.n >= 4 && strncasecmp(text + t.from, "step", 4) == 0) {
      return 1;
    }
  }
  return 0;
}

/* 1 if the unit in front of it in its block ends as sentences do: a line that doesn't is a title, or says who speaks. */
static int follows_sentence(const char *text, const TextUnits *u, size_t i) {
  if (i == 0 || u->at[i - 1].block != u->at[i].block || u->at[i - 1].flags & UNIT_LABEL) {
    return 1;
  }
  size_t end = u->at[i - 1].from + u->at[i - 1].n;
  while (end > u->at[i - 1].from + 1 && text[end - 1] && strchr("\"')*_`", text[end - 1])) {
    end--;
  }
  return strchr(".!?", text[end - 1]) && text[end - 1];
}

static int may_go_whole(const char *text, const TextUnits *u, size_t i, FillerForm form,
                        const Around *a) {
  const TextUnit *x = &u->at[i];
  int ends_block = i + 1 == u->n || u->at[i + 1].block != x->block;
  int is_alone = x->flags & UNIT_FIRST && ends_block;
  if (a->is_letter || a->operates || (is_alone && u->n == 1) || !follows_sentence(text, u, i)) {
    return 0;
  }
  switch (form) {
  case FILLER_THANKS:
    return ends_block || i > 0;
  case FILLER_BARE:
    return i + 1 == u->n && !(x->flags & UNIT_ITEM) && i >= 2;
  case FILLER_BREATH:
    return !speaks_of_steps(text, u, i + 1);
  default:
    return form == FILLER_WHOLE;
  }
}

/* 1 if a clause begins with that term: "the", "customers", a name, a number. */
static int begins_clause(const Term *t) {
  for (int i = 0; i < made.n_clauses; i++) {
    if (made.clauses[i] == t->key) {
      return 1;
    }
  }
  return (t->flags & TERM_CAPITAL) != 0;
}

/* 1 if a plural stands there, or a verb that has no other form behind it. */
static int may_begin_clause(const char *text, const Sentence *s, int end) {
  const Term *t = &s->terms[end];
  if (t->flags & (TERM_STOP | TERM_SIGN)) {
    return 0;
  }
  for (int i = end + 1; i < s->n; i++) {
    for (int k = 0; k < made.n_verbs; k++) {
      if (made.verbs[k] == s->terms[i].key) {
        return 1;
      }
    }
  }
  return text[t->from + t->n - 1] == 's';
}

/* 1 if a condition is in the rest: "Note that it is not binding, if …" asks for saying so. */
static int has_condition(const Sentence *s, int end) {
  for (int i = end; i < s->n; i++) {
    if (cues_of(s->terms[i].key) & CUE_CONDITION) {
      return 1;
    }
  }
  return s->is_long;
}

/* Where the rest begins behind the first `end` terms; 0: they may not go. */
static size_t rest_of(const char *text, const Sentence *s, int end, FillerForm form) {
  if (s->n < end + LEAST_REST) {
    return 0;
  }
  size_t at = s->terms[end - 1].from + s->terms[end - 1].n, next = s->terms[end].from;
  int has_comma = text[at] == ',';
  size_t rest = at + (size_t)has_comma;
  while (rest < next && (text[rest] == ' ' || text[rest] == '\n' || text[rest] == '\r')) {
    rest++;
  }
  int begins =
      begins_clause(&s->terms[end]) || (form == FILLER_CLEAR && may_begin_clause(text, s, end));
  int is_parted = rest > at && (rest == next || strchr("\"'`*_{<([", text[rest]));
  int fits = form == FILLER_SHORT || form == FILLER_CLEAR
                 ? begins && !has_comma && !has_condition(s, end)
             : form == FILLER_COMMA ? has_comma
                                    : form == FILLER_FRONT && !has_comma;
  return is_parted && fits ? rest : 0;
}

/* The filler of unit i: 1, and *out. */
static int look(const char *text, const TextUnits *u, size_t i, const Around *a, Ballast *out) {
  const TextUnit *x = &u->at[i];
  Sentence s;
  read_sentence(text, x, &s);
  for (int p = 0; p < N_PHRASES && s.n > 0; p++) {
    FillerForm form = phrases[p].form;
    int end = match(&s, 0, made.first[p], made.first[p + 1]);
    if (end <= 0 || !is_plain_up_to(text, x, &s, end)) {
      continue;
    }
    if (form < FILLER_FRONT) {
      *out = ballast_of_unit(u, i);
      if (ends_there(text, x, &s, end) && may_go_whole(text, u, i, form, a)) {
        return 1;
      }
      continue;
    }
    size_t rest = rest_of(text, &s, end, form);
    if (rest) {
      size_t from = s.terms[0].from; /* its indentation stays */
      *out = (Ballast){from, rest - from, i, i + 1, 1};
      return 1;
    }
  }
  return 0;
}

/* Behind the colon of a unit's label, "Fix: …", "Disclaimer:"; 0: it has none. */
static size_t label_end(const char *text, const TextUnit *x) {
  const char *colon = x->flags & UNIT_TURN ? memchr(text + x->from, ':', x->n) : NULL;
  return colon ? (size_t)(colon - text) + 1 : ballast_leads_in(text, x) ? x->from + x->n : 0;
}

/* 1 if what stands behind a unit's label may be a text and not said to the model: any but "Rules:", "Important:". */
static int is_label_of_text(const char *text, const TextUnit *x) {
  size_t end = label_end(text, x);
  TermWalk w;
  Term t;
  terms_begin(&w, text, x->from, end > 0 ? end : x->from);
  while (terms_next(&w, &t)) {
    if (!(t.flags & (TERM_STOP | TERM_SIGN)) && !(cues_of(t.key) & (CUE_GENERAL | CUE_AGAIN))) {
      return 1;
    }
  }
  return 0;
}

/* 1 if unit i is labelled as a text, or hangs on what is. */
static int is_labelled(const char *text, const TextUnits *u, size_t i) {
  enum { MOST_PARENTS = 8 };
  int is = 0;
  for (int k = 0; i != UNIT_NONE && !is && k < MOST_PARENTS; k++) {
    is = is_label_of_text(text, &u->at[i]);
    i = u->at[i].parent;
  }
  return is;
}

/* 1 if a sentence in front of unit i in its block, or the last one of the block in front of it, says that words are
** to be said, or is a label of a text: these may be the words. *wording: of the block. */
static int follows_wording(const char *text, const TextUnits *u, size_t i, int *wording) {
  const TextUnit *before = i > 0 ? &u->at[i - 1] : NULL;
  int leads = before && ballast_leads_in(text, before) && is_label_of_text(text, before);
  int says = leads || (before && task_is_wording(text, before));
  *wording =
      says || is_labelled(text, u, i) || (before && before->block == u->at[i].block && *wording);
  return *wording;
}

int filler_find(const char *text, const TextUnits *u, const unsigned char *places, BallastList *out,
                Err *err) {
  Around around;
  int wording = 0;
  pthread_once(&once, make);
  look_around(text, u, &around);
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    const unsigned not = UNIT_LABEL | UNIT_QUESTION | UNIT_ROW;
    Ballast b;
    int may_be_said = follows_wording(text, u, i, &wording);
    if (u->at[i].flags & UNIT_SENTENCE && !(u->at[i].flags & not ) && !places[i] && !may_be_said &&
        look(text, u, i, &around, &b)) {
      ballast_add(out, &b, err);
    }
  }
  return err->rc;
}
