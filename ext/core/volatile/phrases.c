/*
** Phrases. See phrases.h for the contract.
**
** The list is compiled into arrays of fixed size: a pattern is a run of elements, an element a run of alternatives, an
** alternative a run of words. Patterns are found by the hash of the first word that they can begin with. A gap is tried
** from short to long; as a pattern has few gaps and these are short, a place costs no more than a constant.
*/
#include "core/volatile/phrases.h"

#include "base/check.h"
#include "base/once.h"
#include "base/tables/tsv.h"
#include "sql/sql_text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum {
  FIELDS = 3,
  LIST_BYTES = 131072,
  ELEMENT_BYTES = 2048, /* with its class put in */
  CLASSES = 128,
  PATTERNS = 2048,
  ELEMENTS = 8192,
  ALTERNATIVES = 24576,
  WORDS = 32768,
  BYTES = 262144,
  STARTS = 8192,
  GAP = 3,
  WIDE_GAP = 12,
  DECOMPOSED = 20 /* characters that one can come to: 18 */
};

typedef struct ListWord {
  int at; /* in `bytes` */
  uint8_t n, is_stem;
} ListWord;

typedef enum AlternativeKind { OF_WORDS, OF_NUMBER, OF_END } AlternativeKind;

typedef struct Alternative {
  AlternativeKind kind;
  int first, n; /* words */
} Alternative;

typedef struct Element {
  int first, n; /* alternatives; none of a gap */
  uint8_t most; /* of a gap: words that it may be */
  uint8_t is_optional;
} Element;

typedef struct Pattern {
  const char *text;
  int first, n; /* elements */
  uint8_t kind, is_at_clause, is_at_end;
} Pattern;

/* A word that a pattern can begin with. */
typedef struct Start {
  uint32_t hash;
  int pattern;
} Start;

typedef struct Class {
  const char *name, *words;
} Class;

static Once once = ONCE_INIT;
static char list[LIST_BYTES], bytes[BYTES];
static Class classes[CLASSES];
static Pattern patterns[PATTERNS];
static Element elements[ELEMENTS];
static Alternative alternatives[ALTERNATIVES];
static ListWord words[WORDS];
static Start starts[STARTS];
static int n_classes, n_patterns, n_elements, n_alternatives, n_words, n_bytes, n_starts;

static const char *const KINDS[] = {
#define PHRASE_NAME(id, name) name,
    PHRASE_KINDS(PHRASE_NAME)
#undef PHRASE_NAME
};

/* --- texts into words --- */

static int is_letter(utf8proc_int32_t c) {
  utf8proc_category_t k = utf8proc_category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_ME) || k == UTF8PROC_CATEGORY_ND;
}

/* Written without blanks, so that each is a word. */
static int is_cjk(utf8proc_int32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

static int is_accent(utf8proc_int32_t c) {
  return c >= 0x300 && c <= 0x36F;
}

/* Ends the word that is open, if one is. */
static void end_word(PhraseText *t) {
  PhraseWord *w = &t->words[t->n_words];
  w->n = (uint16_t)(t->n_bytes - w->at);
  if (w->n > 0 && t->n_words < PHRASE_WORDS) {
    int is_number = strspn(t->bytes + w->at, "0123456789") >= w->n;
    w->flags = (uint8_t)(t->next | (is_number ? WORD_NUMBER : 0));
    t->next = 0;
    t->n_words++;
  } else {
    t->n_bytes = w->at; /* what is beyond the limit is not kept */
  }
  t->words[t->n_words].at = (uint16_t)t->n_bytes;
}

static void put_byte(PhraseText *t, char c) {
  if (t->n_bytes + 1 < sizeof t->bytes) {
    t->bytes[t->n_bytes++] = c;
    t->bytes[t->n_bytes] = 0; /* for strspn */
  }
}

/* A folded character. */
static void put_char(PhraseText *t, utf8proc_int32_t c) {
  utf8proc_uint8_t utf8[4];
  if (is_accent(c)) {
    return;
  }
  int is_word = is_cjk(c);
  if (is_word || !is_letter(c)) {
    end_word(t);
  }
  if (is_letter(c)) {
    utf8proc_ssize_t n = utf8proc_encode_char(c, utf8);
    for (int i = 0; i < n; i++) {
      put_byte(t, (char)utf8[i]);
    }
  }
  if (is_word) {
    end_word(t);
  }
}

/* What the character after `c` is to say of the next word. `after` is the byte behind it. */
static void note_mark(PhraseText *t, utf8proc_int32_t c, char after) {
  static const utf8proc_int32_t ends[] = {'\n',  0x3002, 0xFF01, 0xFF1F, 0xFF1B,
                                          0x61F, 0x964,  0xBF,   0xA1};
  static const utf8proc_int32_t parts[] = {',', ':', '(', 0xFF0C, 0xFF1A, 0x3001, 0x2013, 0x2014};
  int is_ascii_end = (c == '.' || c == '!' || c == '?' || c == ';') && !(after > ' ');
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    t->next |= c == ends[i] || is_ascii_end ? WORD_SENTENCE | WORD_CLAUSE : 0;
  }
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    t->next |= c == parts[i] ? WORD_CLAUSE : 0;
  }
}

/* Bytes of the quotation or code that begins at `at`; 0: there is none. A text that is all quoted is no quotation. */
static size_t quoted(const char *text, size_t n, size_t at) {
  static const char *const marks[][2] = {{"```", "```"}, {"`", "`"}, {"\"", "\""}, {"“", "”"},
                                         {"„", "“"},     {"«", "»"}, {"「", "」"}, {"『", "』"}};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    size_t open = strlen(marks[i][0]), close = strlen(marks[i][1]);
    if (n - at > open && memcmp(text + at, marks[i][0], open) == 0) {
      const char *from = text + at + open;
      const char *end = memmem(from, n - at - open, marks[i][1], close);
      size_t length = end ? (size_t)(end - text) + close - at : 0;
      return at == 0 && length == n ? 0 : length;
    }
  }
  return 0;
}

/* 'so', between blanks or marks: bytes of it; 0: an apostrophe. */
static size_t single_quoted(const char *text, size_t n, size_t at) {
  if (text[at] != '\'' || (at > 0 && text[at - 1] > ' ')) {
    return 0;
  }
  for (size_t i = at + 1; i < n; i++) {
    if (text[i] == '\'' && (i + 1 == n || strchr(" .,;:!?)\n", text[i + 1]))) {
      return i + 1 - at;
    }
  }
  return 0;
}

static void put_quote(PhraseText *t) {
  end_word(t);
  if (t->n_words < PHRASE_WORDS) {
    t->words[t->n_words++].flags = (uint8_t)(t->next | WORD_QUOTE);
    t->words[t->n_words - 1].n = 0;
    t->words[t->n_words].at = (uint16_t)t->n_bytes;
    t->next = 0;
  }
}

void phrases_begin(PhraseText *t) {
  t->n_words = 0;
  t->n_bytes = 0;
  t->bytes[0] = 0;
  t->words[0].at = 0;
  t->next = WORD_SENTENCE | WORD_CLAUSE;
}

/* The character at the front, folded; returns its bytes. */
static size_t read_char(PhraseText *t, const char *text, size_t n) {
  utf8proc_int32_t c, folded[DECOMPOSED];
  int boundary = 0;
  utf8proc_ssize_t length =
      utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)(n < 4 ? n : 4), &c);
  if (length < 1) {
    end_word(t);
    return 1;
  }
  utf8proc_ssize_t k = utf8proc_decompose_char(
      c, folded, DECOMPOSED,
      UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);
  for (utf8proc_ssize_t i = 0; i < k && i < DECOMPOSED; i++) {
    put_char(t, folded[i]);
  }
  note_mark(t, c, (size_t)length < n ? text[length] : ' ');
  return (size_t)length;
}

void phrases_read(PhraseText *t, const char *text, size_t n) {
  size_t at = 0;
  while (at < n) {
    size_t quote = quoted(text, n, at);
    quote = quote ? quote : single_quoted(text, n, at);
    if (quote) {
      put_quote(t);
    }
    at += quote ? quote : read_char(t, text + at, n - at);
  }
  end_word(t);
}

/* --- the list, compiled --- */

static uint32_t hash_of(const char *word, size_t n) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < n; i++) {
    hash = (hash ^ (unsigned char)word[i]) * 16777619u;
  }
  return hash;
}

/* One alternative: a word, or several with '_' for their blanks. */
static void add_alternative(char *text) {
  static PhraseText folded; /* under the lock of `once` */
  AlternativeKind kind = strcmp(text, "%") == 0   ? OF_NUMBER
                         : strcmp(text, "$") == 0 ? OF_END
                                                  : OF_WORDS;
  for (char *c = text; *c; c++) {
    *c = *c == '_' ? ' ' : *c;
  }
  size_t n = strlen(text);
  int is_stem = n > 0 && text[n - 1] == '~';
  phrases_begin(&folded);
  phrases_read(&folded, text, n);
  CHECK((folded.n_words > 0) == (kind == OF_WORDS) && n_alternatives < ALTERNATIVES);
  alternatives[n_alternatives++] = (Alternative){kind, n_words, folded.n_words};
  for (int i = 0; i < folded.n_words; i++) {
    const PhraseWord *w = &folded.words[i];
    CHECK(n_words < WORDS && n_bytes + w->n < BYTES && w->n < 256);
    words[n_words++] =
        (ListWord){n_bytes, (uint8_t)w->n, (uint8_t)(is_stem && i == folded.n_words - 1)};
    memcpy(bytes + n_bytes, folded.bytes + w->at, w->n);
    n_bytes += w->n;
  }
}

static void add_alternatives(char *text) {
  for (char *at = text; at;) {
    char *next = strchr(at, '|');
    if (next) {
      *next++ = 0;
    }
    add_alternative(at);
    at = next;
  }
}

/* The words of a class, whose name has n bytes. */
static const char *class_of(const char *name, size_t n) {
  for (int i = 0; i < n_classes; i++) {
    if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0) {
      return classes[i].words;
    }
  }
  CHECK(!"a class of the list");
  return "";
}

/* The text of an element with the words of its classes in place of their names. */
static void put_classes(const char *text, char out[ELEMENT_BYTES]) {
  size_t at = 0;
  while (*text) {
    size_t n = text[0] == '<' ? strcspn(text, ">") : 0;
    const char *part = n ? class_of(text + 1, n - 1) : text;
    size_t length = n ? strlen(part) : 1;
    CHECK(at + length < ELEMENT_BYTES);
    memcpy(out + at, part, length);
    at += length;
    text += n ? n + 1 : 1;
  }
  out[at] = 0;
}

static void add_element(char *text) {
  size_t n = strlen(text);
  Element e = {.first = n_alternatives};
  e.is_optional = text[0] == '(' && text[n - 1] == ')';
  if (e.is_optional) {
    text[n - 1] = 0;
    text++;
  }
  e.most = strcmp(text, "*") == 0 ? GAP : strcmp(text, "**") == 0 ? WIDE_GAP : 0;
  if (!e.most) {
    char with[ELEMENT_BYTES];
    put_classes(text, with);
    add_alternatives(with);
  }
  e.n = n_alternatives - e.first;
  CHECK(n_elements < ELEMENTS);
  elements[n_elements++] = e;
}

static void add_start(const Alternative *a, int pattern) {
  const ListWord *w = &words[a->first];
  CHECK(n_starts < STARTS && a->kind != OF_END && !(a->kind == OF_WORDS && w->is_stem));
  uint32_t hash = a->kind == OF_NUMBER ? hash_of("%", 1) : hash_of(bytes + w->at, w->n);
  starts[n_starts++] = (Start){hash, pattern};
}

/* The words that a pattern can begin with: those of its first element, and where that may be missing of the next. */
static void add_starts(int pattern) {
  const Element *e = &elements[patterns[pattern].first], *end = e + patterns[pattern].n;
  for (int is_last = 0; !is_last; e++) {
    CHECK(e < end && !e->most);
    is_last = !e->is_optional;
    for (int i = e->first; i < e->first + e->n; i++) {
      add_start(&alternatives[i], pattern);
    }
  }
}

static void add_pattern(PhraseKind kind, const char *text) {
  char copy[ELEMENT_BYTES], *state, *part;
  CHECK(n_patterns < PATTERNS && strlen(text) < sizeof copy);
  Pattern p = {.text = text, .first = n_elements, .kind = (uint8_t)kind};
  tsv_copy(text, copy, sizeof copy);
  for (part = strtok_r(copy, " ", &state); part; part = strtok_r(NULL, " ", &state)) {
    if (strcmp(part, "^") == 0) {
      p.is_at_clause = 1;
    } else if (strcmp(part, "$") == 0) {
      p.is_at_end = 1;
    } else {
      add_element(part);
    }
  }
  p.n = n_elements - p.first;
  CHECK(p.n > 0);
  patterns[n_patterns] = p;
  add_starts(n_patterns++);
}

static void read_row(char **f, int n) {
  int kind = 0;
  if (strcmp(f[0], "@class") == 0 && n == FIELDS) {
    CHECK(n_classes < CLASSES);
    classes[n_classes++] = (Class){f[1], f[2]};
    return;
  }
  while (kind < PHRASE_N_KINDS && strcmp(KINDS[kind], f[0]) != 0) {
    kind++;
  }
  CHECK(kind < PHRASE_N_KINDS && n == FIELDS);
  for (char *at = f[2], *next; at && kind < PHRASE_N_KINDS; at = next) {
    next = strstr(at, ", ");
    if (next) {
      *next = 0;
      next += 2;
    }
    add_pattern((PhraseKind)kind, at);
  }
}

static int compare_starts(const void *a, const void *b) {
  const Start *x = a, *y = b;
  return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
                            : (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

static int load(void) {
  char *at = tsv_copy(sql_volatile_tsv, list, sizeof list), *f[FIELDS];
  CHECK(*at);
  while (*at) {
    int n = tsv_row(&at, f, FIELDS);
    if (n > 0) {
      read_row(f, n);
    }
  }
  qsort(starts, (size_t)n_starts, sizeof *starts, compare_starts);
  return 1;
}

/* --- matching --- */

typedef struct Place {
  const PhraseText *t;
  int end; /* of the sentence */
  const Pattern *pattern;
} Place;

static int is_word(const PhraseText *t, int at, const ListWord *w) {
  const PhraseWord *is = &t->words[at];
  return (w->is_stem ? is->n >= w->n : is->n == w->n) && !(is->flags & WORD_QUOTE) &&
         memcmp(t->bytes + is->at, bytes + w->at, w->n) == 0;
}

/* The word behind the alternative, if it stands at `at`; else 0. */
static int behind(const Place *p, int at, const Alternative *a) {
  int i = 0;
  if (a->kind == OF_END) {
    return at == p->end ? at : 0;
  }
  if (a->kind == OF_NUMBER) {
    return at < p->end && p->t->words[at].flags & WORD_NUMBER ? at + 1 : 0;
  }
  while (i < a->n && at + i < p->end && is_word(p->t, at + i, &words[a->first + i])) {
    i++;
  }
  return i == a->n ? at + a->n : 0;
}

/* The word behind the elements from `i` on, if they stand at `at`; else 0. */
static int match_from(const Place *p, int i, int at) {
  if (i == p->pattern->n) {
    return !p->pattern->is_at_end || at == p->end ? at : 0;
  }
  const Element *e = &elements[p->pattern->first + i];
  int end = 0;
  for (int a = e->first; a < e->first + e->n && !end; a++) {
    int next = behind(p, at, &alternatives[a]);
    end = next ? match_from(p, i + 1, next) : 0;
  }
  int skips = e->most || e->is_optional;
  for (int n = 0; skips && n <= e->most && at + n <= p->end && !end; n++) {
    end = match_from(p, i + 1, at + n);
  }
  return end;
}

static int first_start(uint32_t hash) {
  int low = 0, high = n_starts;
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (starts[middle].hash < hash) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/* Adds the patterns that can begin with a word of this hash. */
static int add_hits(Place *p, int at, uint32_t hash, PhraseHit *hits, int n) {
  int is_clause = p->t->words[at].flags & WORD_CLAUSE;
  for (int i = first_start(hash); i < n_starts && starts[i].hash == hash; i++) {
    p->pattern = &patterns[starts[i].pattern];
    int may = (is_clause || !p->pattern->is_at_clause) && n < PHRASE_MOST_HITS;
    int end = may ? match_from(p, 0, at) : 0;
    int is_told = n > 0 && hits[n - 1].pattern == p->pattern->text;
    if (end && !is_told) {
      hits[n++] = (PhraseHit){(PhraseKind)p->pattern->kind, p->pattern->text, end};
    }
  }
  return n;
}

int phrases_match(const PhraseText *t, int at, int end, PhraseHit hits[PHRASE_MOST_HITS]) {
  const PhraseWord *w = &t->words[at];
  Place p = {t, end, NULL};
  if (!once_make(&once, load) || w->flags & WORD_QUOTE) {
    return 0;
  }
  int n = add_hits(&p, at, hash_of(t->bytes + w->at, w->n), hits, 0);
  return w->flags & WORD_NUMBER ? add_hits(&p, at, hash_of("%", 1), hits, n) : n;
}
