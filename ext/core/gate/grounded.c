/*
** Grounded: what an answer states, its numbers and its quotations, stands in the prompt or the system text.
**
** Numbers are compared by value, in either reading (numbers.h); 45 % is 45 and 0.45; words and months that are numbers
** count where they are given ("three", "March"). What is no statement does not count: the marker of a list's item ("2."),
** the number of a step, a footnote's. A number that was reckoned from others is not grounded: that is the point.
** Quotations are compared by their words.
**
** Linear: the answer's numbers go into a table, which the other texts cross out. Few quotations are searched one by one,
** as many as their texts' length allows.
*/
#include "core/gate/checks.h"
#include "core/gate/numbers.h"
#include "base/utf8.h"
#include "core/gate/prose.h"
#include "core/route/fold.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_NUMBERS = 4096,      /* distinct ones of an answer */
  SLOTS = 4 * MOST_NUMBERS, /* each may have three readings */
  SEARCHED = 256 << 20,     /* bytes that are searched for quotations */
  QUOTE_WORDS = 4,          /* words of a quotation that has to be one, where nothing is said */
  NAMED = 40                /* bytes of what is named in a reason */
};

typedef struct Slot {
  double value;
  int number; /* from 1; 0: free */
  int next;   /* another number with this reading */
} Slot;

typedef struct Numbers {
  Slot slots[SLOTS];
  int n_slots;
  uint8_t is_found[MOST_NUMBERS + 1];
  size_t begin[MOST_NUMBERS + 1], end[MOST_NUMBERS + 1]; /* where it stands in the answer */
  int n;
  int are_too_many;
} Numbers;

/* ---- the table */

static Slot *slot_of(Numbers *t, double value) {
  uint64_t bits;
  value += 0.0; /* one zero */
  memcpy(&bits, &value, sizeof bits);
  size_t i = (size_t)((bits * 0x9E3779B97F4A7C15u) >> 40) % SLOTS;
  while (t->slots[i].number && t->slots[i].value != value) {
    i = (i + 1) % SLOTS;
  }
  return &t->slots[i];
}

/* What a word behind a number makes of it: 2 million; 1 of others. */
static double scale_behind(const GateText *t, const Number *number) {
  static const struct {
    const char *word;
    double scale;
  } words[] = {{"thousand", 1e3},   {"tausend", 1e3},  {"mille", 1e3},     {"million", 1e6},
               {"millions", 1e6},   {"mio", 1e6},      {"millionen", 1e6}, {"millones", 1e6},
               {"milioni", 1e6},    {"milhões", 1e6},  {"billion", 1e9},   {"billions", 1e9},
               {"milliarden", 1e9}, {"milliard", 1e9}, {"mrd", 1e9},       {"trillion", 1e12}};
  size_t i = number->end, blank = number_blank(t->text, t->n, i);
  size_t begin = i + (blank ? blank : i < t->n && t->text[i] == '-');
  size_t end = begin;
  while (end < t->n && ((t->text[end] & 0x80) ||
                        ((t->text[end] | 0x20) >= 'a' && (t->text[end] | 0x20) <= 'z'))) {
    end++;
  }
  for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
    if (end - begin == strlen(words[w].word) &&
        strncasecmp(t->text + begin, words[w].word, end - begin) == 0) {
      return words[w].scale;
    }
  }
  return 1;
}

/* Readings of a number. */
enum { READINGS = 4 };
static int readings(const GateText *t, const Number *number, double out[READINGS]) {
  double scale = scale_behind(t, number);
  int n = 0;
  out[n++] = number->value;
  if (!isnan(number->other)) {
    out[n++] = number->other;
  }
  if (number->is_percent) {
    out[n++] = number->value / 100;
  }
  if (scale > 1) {
    out[n++] = round(number->value * scale * 1e3) / 1e3;
  }
  return n;
}

/* Of several numbers with one reading the first stands for all: they are found together. */
static void want(Numbers *t, const GateText *answer, const Number *number) {
  double values[READINGS];
  int n = readings(answer, number, values), known = 0;
  if (t->n == MOST_NUMBERS || t->n_slots + n > SLOTS / 2) {
    known = slot_of(t, values[0])->number;
    t->are_too_many |= !known;
    return;
  }
  if (slot_of(t, values[0])->number && n == 1) {
    return;
  }
  t->n++;
  t->begin[t->n] = number->begin;
  t->end[t->n] = number->end;
  for (int i = 0; i < n; i++) {
    Slot *s = slot_of(t, values[i]);
    if (!s->number) {
      *s = (Slot){values[i], t->n, 0};
      t->n_slots++;
    } else if (s->number != t->n) {
      s->next = t->n; /* at most one more: it is about ambiguous readings only */
    }
  }
}

static void cross_out(Numbers *t, double value) {
  Slot *s = slot_of(t, value);
  if (s->number) {
    t->is_found[s->number] = 1;
    t->is_found[s->next] = 1; /* 0 is nobody's */
  }
}

/* ---- what the answer states */

static int is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* "2." and "(2)" and "2)" at a line's begin, behind its bullet, stars and hashes. */
static int is_list_marker(const GateText *t, const Number *number) {
  size_t i = number->begin, end = number->end;
  int is_closed = end < t->n && (t->text[end] == '.' || t->text[end] == ')' || t->text[end] == ':');
  int is_apart = end + 1 >= t->n || is_blank(t->text[end + 1]) || t->text[end + 1] == '\n' ||
                 t->text[end + 1] == '*';
  while (i > 0 && strchr(" \t*#->(", t->text[i - 1]) && t->text[i - 1]) {
    i--;
  }
  return is_closed && is_apart && end - number->begin <= 3 &&
         (i == 0 || t->text[i - 1] == '\n' || t->text[i - 1] == '\r');
}

/* "[2]", a footnote's mark; "1st". */
static int is_mark(const GateText *t, const Number *number) {
  size_t i = number->begin, end = number->end;
  return i > 0 && end < t->n && t->text[i - 1] == '[' && t->text[end] == ']' && end - i <= 3;
}

/* The word in front of byte i. */
static GateText word_before(const GateText *t, size_t i) {
  while (i > 0 && (is_blank(t->text[i - 1]) || t->text[i - 1] == '#')) {
    i--;
  }
  size_t end = i;
  while (i > 0 && end - i < 16 && ((t->text[i - 1] & 0x80) || (t->text[i - 1] | 0x20) >= 'a') &&
         ((t->text[i - 1] & 0x80) || (t->text[i - 1] | 0x20) <= 'z')) {
    i--;
  }
  return (GateText){t->text + i, end - i};
}

static int is_step(const GateText *t, const Number *number) {
  static const char *const words[] = {"step", "schritt", "étape", "paso",  "passo", "шаг",
                                      "Шаг",  "Étape",   "point", "punkt", "option"};
  GateText w = word_before(t, number->begin);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (w.n == strlen(words[i]) && strncasecmp(w.text, words[i], w.n) == 0) {
      return 1;
    }
  }
  return 0;
}

static void want_all(Numbers *t, const GateText *answer) {
  Number number;
  size_t at = 0;
  while (number_next(answer->text, answer->n, &at, &number)) {
    if (!is_list_marker(answer, &number) && !is_mark(answer, &number) &&
        !is_step(answer, &number)) {
      want(t, answer, &number);
    }
  }
}

/* ---- what is given */

/* A sign that is a fraction, alone or behind a number (½, 5¼): what it adds; 0: none is there. */
static double fraction_at(const char *text, size_t n, size_t i) {
  static const struct {
    const char *sign;
    double value;
  } signs[] = {{"½", 0.5}, {"¼", 0.25},  {"¾", 0.75},  {"⅕", 0.2},   {"⅖", 0.4},  {"⅗", 0.6},
               {"⅘", 0.8}, {"⅛", 0.125}, {"⅜", 0.375}, {"⅝", 0.625}, {"⅞", 0.875}};
  for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
    size_t bytes = strlen(signs[k].sign);
    if (n - i >= bytes && memcmp(text + i, signs[k].sign, bytes) == 0) {
      return signs[k].value;
    }
  }
  return 0;
}

static void cross_out_fractions(Numbers *t, const GateText *given) {
  const char *at = given->text, *end = given->text + given->n;
  for (; at < end; at++) {
    double value = *at & 0x80 ? fraction_at(given->text, given->n, (size_t)(at - given->text)) : 0;
    if (value > 0) {
      cross_out(t, value);
    }
  }
}

static void cross_out_number(Numbers *t, const GateText *given, const Number *number) {
  const char *text = given->text;
  double values[READINGS];
  int n = readings(given, number, values);
  size_t behind = number->end + number_blank(text, given->n, number->end);
  double more = behind < given->n ? fraction_at(text, given->n, behind) : 0;
  if (more > 0) {
    cross_out(t, number->value + more);
  }
  for (int i = 0; i < n; i++) {
    cross_out(t, values[i]);
  }
  for (size_t i = number->begin; i < number->end; i++) { /* "10 000" may be two numbers */
    Number part;
    if (number_blank(text, number->end, i)) {
      number_read(text, i, number->begin, &part);
      cross_out(t, part.value);
      size_t from = i + number_blank(text, number->end, i);
      number_read(text, number->end, from, &part);
      cross_out(t, part.value);
    }
  }
}

/* "may" is a month only beside a number. */
static int is_month_may(const char *text, size_t n, size_t begin, size_t end) {
  int has_day = (begin > 1 && text[begin - 2] >= '0' && text[begin - 2] <= '9') ||
                (begin > 2 && text[begin - 2] == '.') ||
                (end + 1 < n && text[end + 1] >= '0' && text[end + 1] <= '9');
  return has_day || end - begin != 3 || memcmp(text + begin, "may", 3) != 0;
}

/* Words that are numbers, in folded text. */
static void cross_out_words(Numbers *t, const char *text, size_t n) {
  size_t i = 0;
  while (i < n) {
    size_t begin = i;
    while (i < n && ((text[i] & 0x80) || (text[i] >= 'a' && text[i] <= 'z'))) {
      i++;
    }
    int value = number_word(text + begin, i - begin);
    if (value >= 0 && is_month_may(text, n, begin, i)) {
      cross_out(t, value);
    }
    i += i < n;
  }
}

static void cross_out_all(Numbers *t, const GateText *given, const Buf *folded) {
  Number number;
  size_t at = 0;
  while (number_next(given->text, given->n, &at, &number)) {
    cross_out_number(t, given, &number);
  }
  cross_out_fractions(t, given);
  if (folded->n > 0) {
    cross_out_words(t, folded->data, folded->n);
  }
}

/* ---- quotations */

/* The words of a text with a blank in front of and behind each: what quotations are compared by. */
static int words_of(const char *text, size_t n, Buf *out, long long *count) {
  Fold f;
  int was_word = 0;
  *count = 0;
  fold_begin(&f, text, n);
  buf_puts(out, " ");
  for (FoldChar c = fold_next(&f); c.c >= 0 && !out->failed; c = fold_next(&f)) {
    char bytes[4];
    int is_word = (c.kind & FOLD_IN_WORD) != 0;
    if (is_word) {
      buf_add(out, bytes, utf8_encode((unsigned)c.c, bytes));
      *count += !was_word || (c.kind & FOLD_CJK);
    } else if (was_word) {
      buf_puts(out, " ");
    }
    was_word = is_word;
  }
  return was_word ? buf_puts(out, " ") : out->failed;
}

typedef struct Quotations {
  const Gate *gate;
  Buf given;   /* the words of what was given */
  size_t left; /* bytes that may still be searched */
  long long n, found;
  GateText missing; /* the first one that isn't there */
  int are_too_many;
} Quotations;

/* Looks for a part of a quotation between its ellipses. */
static int look_up(Quotations *q, const char *text, size_t n, Err *err) {
  long long count, least = q->gate->words < 0 ? QUOTE_WORDS : q->gate->words;
  Buf words;
  buf_init(&words, n * 4 + 16);
  if (words_of(text, n, &words, &count) != RC_OK) {
    buf_free(&words);
    return err_nomem(err);
  }
  if (count >= least && q->given.n > q->left) {
    q->are_too_many = 1;
  } else if (count >= least) {
    q->left -= q->given.n;
    int is_there = q->given.n > 0 && memmem(q->given.data, q->given.n, words.data, words.n);
    q->n++;
    q->found += is_there;
    q->missing = is_there || q->missing.text ? q->missing : (GateText){text, n};
  }
  buf_free(&words);
  return RC_OK;
}

static size_t ellipsis(const char *p, const char *end) {
  return end - p >= 3 && (memcmp(p, "...", 3) == 0 || memcmp(p, "\xE2\x80\xA6", 3) == 0) ? 3 : 0;
}

static void look_up_parts(Quotations *q, const GateText *quoted, Err *err) {
  const char *p = quoted->text, *begin = p, *end = p + quoted->n;
  while (p < end && err->rc == RC_OK) {
    size_t n = ellipsis(p, end);
    if (n) {
      look_up(q, begin, (size_t)(p - begin), err);
      begin = p + n;
    }
    p += n ? n : 1;
  }
  if (err->rc == RC_OK) {
    look_up(q, begin, (size_t)(end - begin), err);
  }
}

static void check_quotations(Quotations *q, const GateCase *c, Err *err) {
  const char *p = c->answer.text, *end = p + c->answer.n;
  long long unused;
  char before = 0;
  buf_init(&q->given, (c->prompt.n + c->system.n) * 4 + 64);
  if (words_of(c->prompt.text, c->prompt.n, &q->given, &unused) != RC_OK ||
      words_of(c->system.text, c->system.n, &q->given, &unused) != RC_OK) {
    err_nomem(err);
  }
  while (p < end && err->rc == RC_OK) {
    GateText inner;
    int is_code = *p == '`' || *p == '\'';
    size_t n = is_code ? 0 : prose_quotation(p, end, before, &inner);
    if (n) {
      look_up_parts(q, &inner, err);
    }
    p += n ? n : 1;
    before = p[-1];
  }
  buf_free(&q->given);
}

/* ---- the gate */

static int cross_out_given(Numbers *t, const GateText *given, Err *err) {
  Buf folded;
  buf_init(&folded, given->n * 4 + 16);
  if (fold_text(given->text, given->n, &folded) == RC_OK) {
    cross_out_all(t, given, &folded);
  } else {
    err_nomem(err);
  }
  buf_free(&folded);
  return err->rc;
}

static void check_numbers(Numbers *t, const GateCase *c, Err *err) {
  want_all(t, &c->answer);
  if (t->n > 0 && cross_out_given(t, &c->prompt, err) == RC_OK) {
    cross_out_given(t, &c->system, err);
  }
}

static int verdict(const GateCase *c, const Numbers *t, const Quotations *q, GateVerdict *out) {
  int found = 0, missing = 0;
  for (int i = t->n; i > 0; i--) {
    found += t->is_found[i];
    missing = t->is_found[i] ? missing : i;
  }
  double all = (double)t->n + (double)q->n;
  double score = all > 0 ? (found + (double)q->found) / all : 0;
  if (missing) {
    size_t n = t->end[missing] - t->begin[missing];
    return verdict_fail(out, score,
                        "the number %.*s stands neither in the prompt nor in the system text",
                        (int)(n < NAMED ? n : NAMED), c->answer.text + t->begin[missing]);
  }
  if (q->found < q->n) {
    size_t n = q->missing.n < NAMED ? q->missing.n : NAMED;
    return verdict_fail(out, score,
                        "the quotation '%.*s' stands neither in the prompt nor in the system text",
                        (int)n, q->missing.text);
  }
  if (t->are_too_many || q->are_too_many) {
    return verdict_fail(out, score, "it has more %s than can be looked up",
                        q->are_too_many ? "quotations" : "numbers");
  }
  return verdict_pass(out);
}

int check_grounded(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  Quotations q = {.gate = gate, .left = SEARCHED};
  int is_asked = is_asked_abstention(c, err);
  if (is_asked || err->rc != RC_OK) {
    return err->rc == RC_OK ? verdict_pass(out) : err->rc;
  }
  Numbers *t = calloc(1, sizeof *t);
  if (!t) {
    return err_nomem(err);
  }
  if (gate->numbers != 0) {
    check_numbers(t, c, err);
  }
  if (gate->quotes != 0 && err->rc == RC_OK) {
    check_quotations(&q, c, err);
  }
  if (err->rc == RC_OK) {
    verdict(c, t, &q, out);
  }
  free(t);
  return err->rc;
}
