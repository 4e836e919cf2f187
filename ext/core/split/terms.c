/*
** Words of a text. See terms.h for the contract.
*/
#include "core/split/terms.h"

#include "base/hash.h"
#include "core/words/guard_words.h"

#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

enum {
  FOLDED = 96
}; /* bytes of a folded word that is looked up; a longer one is compared as it stands */

typedef struct Folded {
  char text[FOLDED];
  size_t n;
  int is_long;
} Folded;

/* What the guard's lists don't have: the force of orders, formats of answers, words that refer back. By language: English,
** German, French, Spanish, Italian, Portuguese. Folded, blanks on either side. */
static const char ORDERS[] = " must always only until unless except ask first required mandatory "
                             "forbidden prohibited avoid cannot shall "
                             "refuse most least maximum minimum exactly confirm nur immer muss "
                             "mussen musst bis sofern ausser verboten "
                             "mindestens hochstens genau zuerst toujours doit devez doivent "
                             "seulement uniquement sauf jusqu ne exactement "
                             "interdit siempre debe deben debes solo salvo excepto hasta prohibido "
                             "exactamente sempre deve devono devi "
                             "tranne eccetto fino vietato esattamente soltanto mai exceto "
                             "somente apenas proibido devem nunca 必须 必 须 只 仅 勿 禁 "
                             "均 ";
static const char FORMATS[] = " json yaml xml csv markdown html table bullet bullets list "
                              "paragraph paragraphs sentence sentences word words "
                              "format heading column columns tabelle liste absatz satz worter "
                              "tableau phrase phrases mots tabla lista parrafo "
                              "frase palabras tabella parole tabela palavras ";
static const char REFERRING[] = " this these those it he she they them here there then thus "
                                "therefore hence again instead otherwise above er es dies diese "
                                "dieser dieses damit daher deshalb dabei dann il elle ils elles ce "
                                "cet cette ces cela ainsi puis ello ella ellos ellas "
                                "eso esto asi questo questa questi queste esso essa lui lei loro "
                                "cosi isto isso esse ele ela eles elas ";
static const char PRONOUNS[] = " it he she they them er sie il elle ils elles ";
static const char LINKING[] = " that its his her their such both also so but and or yet next last "
                              "finally lastly second third however moreover "
                              "furthermore note sie das dort aber und oder sein seine ihr ihre "
                              "auch et mais ou aussi son sa ses leur este esta estos "
                              "estas y pero o tambien su sus e ma anche suo sua mas tambem seu ";

enum { LISTED_SLOTS = 2048 }; /* four times the words of the lists */

static struct {
  uint64_t key; /* of the word; 0: free */
  unsigned flags;
} listed[LISTED_SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static size_t listed_slot(uint64_t key) {
  size_t at = key % LISTED_SLOTS;
  while (listed[at].key != 0 && listed[at].key != key) {
    at = (at + 1) % LISTED_SLOTS;
  }
  return at;
}

static void load_list(const char *words, unsigned flag) {
  for (const char *w = words + 1; *w;) {
    size_t n = strcspn(w, " "), at = listed_slot(hash_short(w, n));
    listed[at].key = hash_short(w, n);
    listed[at].flags |= flag;
    w += n + 1;
  }
}

static void load_lists(void) {
  load_list(ORDERS, TERM_ORDER);
  load_list(FORMATS, TERM_FORMAT);
  load_list(REFERRING, TERM_REFERS);
  load_list(PRONOUNS, TERM_PRONOUN);
  load_list(LINKING, TERM_LINKS);
}

static int is_ascii_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(unsigned char c) {
  return c >= '0' && c <= '9';
}

/* Scripts written without blanks. */
static int stands_alone(int32_t c) {
  return (c >= 0xE00 && c <= 0xEFF) || (c >= 0x1000 && c <= 0x109F) ||
         (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3040 && c <= 0x30FF) ||
         (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

typedef enum Class { CLASS_GAP, CLASS_LETTER, CLASS_ALONE, CLASS_SIGN } Class;

typedef struct Char {
  int32_t c;
  size_t n;
  Class class;
} Char;

static Class class_of_wide(int32_t c) {
  switch (utf8proc_category(c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NO:
    return stands_alone(c) ? CLASS_ALONE : CLASS_LETTER;
  case UTF8PROC_CATEGORY_SM:
  case UTF8PROC_CATEGORY_SC:
  case UTF8PROC_CATEGORY_SO:
    return CLASS_SIGN;
  default:
    return c == 0xFF1F || c == 0x61F ? CLASS_SIGN : CLASS_GAP; /* question marks */
  }
}

static Class class_of_ascii(unsigned char c) {
  if (is_ascii_letter(c) || is_digit(c) || c == '_') {
    return CLASS_LETTER;
  }
  return c != 0 && strchr("%$#&+=<>^~|?", c) ? CLASS_SIGN : CLASS_GAP;
}

static Char char_at(const TermWalk *w, size_t at) {
  unsigned char first = (unsigned char)w->text[at];
  if (first < 0x80) {
    return (Char){first, 1, class_of_ascii(first)};
  }
  utf8proc_int32_t c;
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)w->text + at,
                                        (utf8proc_ssize_t)(w->end - at < 4 ? w->end - at : 4), &c);
  if (n < 1) {
    return (Char){0, 1, CLASS_GAP};
  }
  return (Char){c, (size_t)n, class_of_wide(c)};
}

static void fold_byte(Folded *f, char c) {
  if (f->n + 1 < FOLDED) {
    f->text[f->n++] = c;
  } else {
    f->is_long = 1;
  }
}

static void fold_wide(Folded *f, int32_t c) {
  utf8proc_int32_t out[18];
  int boundary = 0;
  utf8proc_ssize_t n = utf8proc_decompose_char(
      c, out, 18, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD, &boundary);
  for (utf8proc_ssize_t i = 0; i < n && i < 18; i++) {
    char bytes[4];
    if (out[i] >= 0x300 && out[i] <= 0x36F) {
      continue;
    }
    utf8proc_ssize_t k = utf8proc_encode_char(out[i], (utf8proc_uint8_t *)bytes);
    for (utf8proc_ssize_t b = 0; b < k; b++) {
      fold_byte(f, bytes[b]);
    }
  }
}

static void fold_char(Folded *f, const Char *c) {
  if (c->c >= 0x80) {
    fold_wide(f, c->c);
  } else {
    fold_byte(f, (char)(c->c >= 'A' && c->c <= 'Z' ? c->c + 0x20 : c->c));
  }
}

/* Bytes of what stands between two parts of one term at the place: an apostrophe of "n't", a sign within a number, the
** hyphen of "ORD-123"; 0: none. */
static size_t joint(const TermWalk *w, size_t at) {
  const char *t = w->text + at;
  size_t left = w->end - at;
  if (left < 2 || at == 0) {
    return 0;
  }
  unsigned char before = (unsigned char)t[-1], next = (unsigned char)t[1];
  if (strchr(".,:/'", t[0]) && t[0] && is_digit(before) && is_digit(next)) {
    return 1;
  }
  if (t[0] == '-' && is_digit(next) && (is_digit(before) || is_ascii_letter(before))) {
    return 1;
  }
  size_t mark = t[0] == '\'' ? 1 : left > 3 && memcmp(t, "\xE2\x80\x99", 3) == 0 ? 3 : 0;
  if (mark && (before | 0x20) == 'n' && left > mark && ((unsigned char)t[mark] | 0x20) == 't' &&
      (left == mark + 1 || !is_ascii_letter((unsigned char)t[mark + 1]))) {
    return mark;
  }
  return 0;
}

static unsigned flags_of_listed(const GuardWord *g) {
  static const struct {
    unsigned class, flag;
  } table[] = {
      {WORD_STOP | WORD_FOREIGN, TERM_STOP},
      {WORD_NEGATION, TERM_NEGATION | TERM_ORDER},
      {WORD_NUMBER | WORD_SCALE, TERM_NUMBER},
      {WORD_DATE, TERM_DATE},
      {WORD_UNIT, TERM_UNIT},
      {WORD_ONLY, TERM_ORDER},
      {WORD_QUESTION, TERM_QUESTION},
  };
  unsigned flags = 0;
  for (size_t i = 0; g && i < sizeof table / sizeof *table; i++) {
    flags |= g->classes & table[i].class ? table[i].flag : 0;
  }
  return flags;
}

static unsigned flags_of(const Folded *f, uint64_t key) {
  if (f->is_long) {
    return 0;
  }
  pthread_once(&once, load_lists);
  return flags_of_listed(guard_word(f->text, f->n)) | listed[listed_slot(key)].flags;
}

/* Fills in what is made of the folded word. */
static void finish(const TermWalk *w, const Folded *f, Term *out) {
  const char *raw = w->text + out->from;
  out->key = f->is_long ? hash_short(raw, out->n) : hash_short(f->text, f->n);
  out->stem = out->key;
  out->front = 0;
  out->flags |= flags_of(f, out->key);
  if (!f->is_long && f->n > 0 && !(out->flags & TERM_NUMBER)) {
    out->stem = hash_short(f->text, guard_stem(f->text, f->n));
    out->front = f->n > TERM_FRONT ? hash_short(f->text, TERM_FRONT) : 0;
  }
}

static int is_upper(int32_t c) {
  return c < 0x80 ? c >= 'A' && c <= 'Z' : utf8proc_category(c) == UTF8PROC_CATEGORY_LU;
}

static void take_word(TermWalk *w, Term *out) {
  Folded f = {.n = 0};
  int uppers = 0, others = 0;
  out->flags = 0;
  while (w->at < w->end) {
    Char c = char_at(w, w->at);
    size_t joined = c.class == CLASS_LETTER || w->at == out->from ? 0 : joint(w, w->at);
    if (c.class != CLASS_LETTER && !joined) {
      break;
    }
    if (joined) {
      if (is_digit((unsigned char)w->text[w->at + 1])) { /* the apostrophe of "don't" goes */
        fold_byte(&f, w->text[w->at]);
      }
      w->at += joined;
      continue;
    }
    int upper = is_upper(c.c);
    out->flags |= c.c < 0x80 && is_digit((unsigned char)c.c) ? TERM_NUMBER : 0;
    out->flags |= w->at == out->from && upper ? TERM_CAPITAL : 0;
    uppers += upper;
    others += !upper;
    fold_char(&f, &c);
    w->at += c.n;
  }
  out->n = w->at - out->from;
  out->flags |= uppers > 1 && others == 0 ? TERM_CAPS : 0;
  finish(w, &f, out);
}

static void take_one(TermWalk *w, const Char *c, unsigned flag, Term *out) {
  Folded f = {.n = 0};
  fold_char(&f, c);
  w->at += c->n;
  out->n = c->n;
  out->flags = flag;
  finish(w, &f, out);
}

/* A hyphen or minus that is a sign: in front of a number, behind no word. */
static int is_minus(const TermWalk *w, const Char *c) {
  size_t next = w->at + c->n;
  if ((c->c != '-' && c->c != 0x2212) || next >= w->end ||
      !is_digit((unsigned char)w->text[next])) {
    return 0;
  }
  unsigned char before = w->at > 0 ? (unsigned char)w->text[w->at - 1] : ' ';
  return before == ' ' || before == '\n' || before == '\t' || before == '(' || before == '$';
}

void terms_begin(TermWalk *w, const char *text, size_t from, size_t end) {
  *w = (TermWalk){text, from, end};
}

int terms_next(TermWalk *w, Term *out) {
  while (w->at < w->end) {
    Char c = char_at(w, w->at);
    out->from = w->at;
    if (c.class == CLASS_LETTER) {
      take_word(w, out);
      return 1;
    }
    if (c.class == CLASS_ALONE) {
      take_one(w, &c, TERM_ALONE, out);
      return 1;
    }
    if (c.class == CLASS_SIGN || is_minus(w, &c)) {
      take_one(w, &c, TERM_SIGN, out);
      return 1;
    }
    w->at += c.n;
  }
  return 0;
}
