/*
** Apparent effort. See effort.h for the rule, sql/effort.tsv for its numbers.
**
** The prompt is folded once into characters; one pass over them walks the tree of stems where words begin and counts the
** rest. Case and doubled blanks change nothing, but where code and formulas show themselves by case.
*/
#include "core/route/effort.h"

#include "base/check.h"
#include "core/route/fold.h"
#include "core/route/lexicon.h"
#include "core/route/signs.h"

#include <math.h>
#include <string.h>

enum {
  FRONT = 6000, /* bytes that are read from the front of a long prompt */
  BACK = 2000,  /* and from its end */
  MOST = FRONT + BACK + 1,
  FAQ_CHARS = 60, /* a question to a shop begins like one */
  LONG_WORD = 10,
  MOST_NUMBERS = 8
};

/* Of an errand's payload. */
static const double PAYLOAD_WORDS = 12, PAYLOAD_OTHER = 1, PAYLOAD_WORK = 0.5;

typedef struct Effort {
  int n;    /* characters */
  int head; /* those before the first colon, quote or line break: what is asked for */
  double counts[EFFORT_PARTS];
  uint64_t seen[LEXICON_STEMS / 64];
  uint64_t numbers[MOST_NUMBERS];
  int n_numbers;
  int32_t chars[MOST];     /* not cleared */
  uint8_t kinds[MOST + 1]; /* 0 behind the last */
} Effort;

static void add(Effort *e, int32_t c, unsigned kind) {
  CHECK(e->n < MOST);
  e->chars[e->n] = c;
  e->kinds[e->n++] = (uint8_t)kind;
}

static void read_part(Effort *e, const char *text, size_t n) {
  Fold f;
  fold_begin(&f, text, n);
  e->n += fold_read(&f, e->chars + e->n, e->kinds + e->n, MOST - e->n);
  unsigned signs = signs_find(text, n);
  e->counts[EFFORT_CODE] += (signs & SIGNS_CODE) != 0;
  e->counts[EFFORT_FORMULA] += (signs & SIGNS_FORMULA) != 0;
}

static int is_inside(char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* Reads a prompt; returns the share of it that was read. */
static double read_prompt(Effort *e, const char *text, size_t n) {
  if (n <= FRONT + BACK) {
    read_part(e, text, n);
    return 1;
  }
  size_t front = FRONT, back = n - BACK;
  for (int i = 0; i < 3; i++) { /* between characters */
    front -= (size_t)is_inside(text[front]);
    back += (size_t)is_inside(text[back]);
  }
  read_part(e, text, front);
  add(e, '\n', 0);
  read_part(e, text + back, n - back);
  return (double)(front + n - back) / (double)n;
}

static int is_quote(int32_t c) {
  return c == '"' || c == 0xAB || c == 0x201C || c == 0x201E || c == 0x300C || c == 0x300E;
}

static int ends_head(const Effort *e, int i) {
  int32_t c = e->chars[i];
  return c == '\n' || c == 0xFF1A || is_quote(c) ||
         (c == ':' && i + 1 < e->n && e->chars[i + 1] == ' ');
}

static int head_end(const Effort *e) {
  int i = 0;
  while (i < e->n && (e->kinds[i] || !ends_head(e, i))) {
    i++;
  }
  return i;
}

/* Counts a stem that ends in front of character `end`, once. */
static void meet(Effort *e, const LexiconStem *stem, int end) {
  uint64_t *word = &e->seen[stem->id / 64], bit = (uint64_t)1 << (stem->id % 64);
  int counts = stem->feature == EFFORT_CONSTRAINT ? !(e->kinds[end] & FOLD_IN_WORD)
               : stem->feature == EFFORT_EASY     ? end <= e->head
                                                  : stem->feature != EFFORT_FAQ || end <= FAQ_CHARS;
  if (counts && !(*word & bit)) {
    *word |= bit;
    e->counts[stem->feature]++;
  }
}

static void find_stems(Effort *e, int at) {
  LexiconMatch met[LEXICON_MATCHES];
  int n = lexicon_match(e->chars + at, e->n - at, met);
  for (int i = 0; i < n; i++) {
    meet(e, met[i].stem, at + met[i].n);
  }
}

/* The words of a run of letters of which some are written without blanks: half a word each, and any may begin a stem. */
static void read_cjk(Effort *e, int at, int end) {
  int was_cjk = 1;
  for (int i = at; i < end; i++) {
    int is_cjk = (e->kinds[i] & FOLD_CJK) != 0;
    if (is_cjk || was_cjk) {
      find_stems(e, i);
      e->counts[EFFORT_WORDS] += is_cjk ? 0.5 : 1;
    }
    was_cjk = is_cjk;
  }
}

/* A run of letters. */
static int read_letters(Effort *e, int at) {
  unsigned kinds = 0;
  int i = at;
  for (; e->kinds[i] & (FOLD_LETTER | FOLD_MARK); i++) {
    kinds |= e->kinds[i];
  }
  if (kinds & FOLD_CJK) {
    read_cjk(e, at, i);
  } else {
    e->counts[EFFORT_WORDS]++;
    if (at == 0 || !(e->kinds[at - 1] & FOLD_IN_WORD)) {
      find_stems(e, at);
    }
  }
  e->counts[EFFORT_LONG_WORDS] += i - at >= LONG_WORD;
  return i;
}

/* A run of digits: a number, if it is a new one (by its hash, FNV-1a). */
static int read_digits(Effort *e, int at) {
  uint64_t hash = 14695981039346656037u;
  int i = at, k = 0;
  for (; e->kinds[i] & FOLD_DIGIT; i++) {
    hash = (hash ^ (uint64_t)e->chars[i]) * 1099511628211u;
  }
  while (k < e->n_numbers && e->numbers[k] != hash) {
    k++;
  }
  if (k == e->n_numbers && k < MOST_NUMBERS) {
    e->numbers[e->n_numbers++] = hash;
    e->counts[EFFORT_NUMBERS]++;
  }
  return i;
}

enum { ENDS_BEFORE_BLANK = 1, ENDS = 2 };

static int ends_sentence(int32_t c) {
  int is_wide = c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
  return is_wide ? ENDS : c == '.' || c == '!' || c == '?' || c == ';' ? ENDS_BEFORE_BLANK : 0;
}

static void read_mark(Effort *e, int i) {
  int32_t c = e->chars[i], next = i + 1 < e->n ? e->chars[i + 1] : '\n';
  int ends = ends_sentence(c);
  int is_end = ends ? !ends_sentence(next) && (ends == ENDS || next == ' ' || next == '\n')
                    : c == '\n' && i > 0 && !ends_sentence(e->chars[i - 1]);
  e->counts[EFFORT_SENTENCES] += is_end;
  e->counts[EFFORT_QUESTIONS] += c == '?' || c == 0xFF1F || c == 0x61F || c == 0x37E;
}

static void count(Effort *e) {
  e->head = head_end(e);
  int i = 0;
  while (i < e->n) {
    if (e->kinds[i] & FOLD_LETTER) {
      i = read_letters(e, i);
    } else if (e->kinds[i] & FOLD_DIGIT) {
      i = read_digits(e, i);
    } else {
      if (e->chars[i] != ' ') {
        read_mark(e, i);
      }
      i++;
    }
  }
}

/* The caps, and what an errand does to the rest of its prompt. */
static void limit(double *n, const Lexicon *l) {
  for (int i = 0; i < EFFORT_PARTS; i++) {
    n[i] = fmin(n[i], l->weights[i].most);
  }
  int is_hard = n[EFFORT_PROOF] > 0 || n[EFFORT_DEEP] >= 2;
  if (is_hard) {
    n[EFFORT_EASY] = n[EFFORT_FAQ] = 0;
  }
  if (n[EFFORT_EASY] > 0) {
    n[EFFORT_WORDS] = fmin(n[EFFORT_WORDS], PAYLOAD_WORDS);
    n[EFFORT_CONSTRAINT] = fmin(n[EFFORT_CONSTRAINT], PAYLOAD_OTHER);
    n[EFFORT_SENTENCES] = fmin(n[EFFORT_SENTENCES], PAYLOAD_OTHER);
    n[EFFORT_NUMBERS] = fmin(n[EFFORT_NUMBERS], PAYLOAD_OTHER);
    n[EFFORT_WORK] = fmin(n[EFFORT_WORK] / 2, PAYLOAD_WORK);
  }
}

static double share_of(const Lexicon *l, const double *n, int i) {
  return l->weights[i].weight * (i == EFFORT_WORDS ? log1p(n[i]) : n[i]);
}

static double logit(double p) {
  return log(p / (1 - p));
}

static double curve(const Lexicon *l, double x) {
  double y0 = logit(l->score[0]), y1 = logit(l->score[1]);
  double y = y0 + (x - l->x[0]) / (l->x[1] - l->x[0]) * (y1 - y0);
  return 1 / (1 + exp(-y));
}

const char *effort_version(void) {
  return lexicon()->version;
}

double effort_score(const char *text, size_t n, EffortPart parts[EFFORT_PARTS]) {
  static const char *const names[] = {
#define EFFORT_NAME(id, name) name,
      EFFORT_FEATURES(EFFORT_NAME)
#undef EFFORT_NAME
  };
  const Lexicon *l = lexicon();
  Effort e;
  memset(&e, 0, offsetof(Effort, chars));
  double share = read_prompt(&e, text, n), x = 0;
  e.kinds[e.n] = 0;
  count(&e);
  e.counts[EFFORT_BASE] = 1;
  e.counts[EFFORT_WORDS] /= share;
  limit(e.counts, l);
  for (int i = 0; i < EFFORT_PARTS; i++) {
    EffortPart part = {names[i], e.counts[i], share_of(l, e.counts, i)};
    x += part.share;
    if (parts) {
      parts[i] = part;
    }
  }
  return curve(l, x);
}
