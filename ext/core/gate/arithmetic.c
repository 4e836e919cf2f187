/*
** Arithmetic: every sum in an answer is reckoned again.
**
** A sum is an expression of numbers, an equals sign and another one; chains (3 * 4 = 12 = 24 / 2) are a sum for each sign.
** One pass, from token to token, with two stacks of fixed size: a regular expression for chained sums backtracks for minutes
** (measured, on answers to MATH). Understood are + - * / ^ and their other signs, "x" between numbers, parentheses, percent,
** "20 % of 50", currencies, thousands ("million" too), words for units behind a number ("$5 x 3 apples = $15"), the
** <<3*4=12>> of GSM8K, and \times, \cdot, \div.
**
** It judges only what it understands: an expression with a variable, a function, an unknown sign, a remainder or a fraction
** in a text's layout is passed over, and so is an equation of two single numbers ("1 hour = 60 minutes"), a sum of unlike
** units that does not come out (2 hours + 30 minutes) and percents added to what are none.
**
** A sum is wrong where the sides differ by more than .011 and by more than 6 in a thousand of the right one: answers round.
*/
#include "core/gate/checks.h"
#include "core/gate/numbers.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
  DEPTH = 64,     /* operands, and operators, of one expression; more are passed over */
  UNIT_WORDS = 4, /* of a unit: "litres of cold water" */
  WORD = 24,      /* bytes of a word that is looked at */
  SHOWN = 60      /* bytes of a wrong sum that are shown */
};

typedef enum State {
  WANTS_OPERAND, /* at the begin, or behind an operator */
  HAS_OPERAND,
  IS_LOST /* part of something that is not understood, up to the next break or equals sign */
} State;

typedef struct Value {
  double v;
  int is_percent;
} Value;

typedef struct Side {
  Value value;
  double first; /* its first operand */
  int is_known;
  int has_operator; /* else a single number */
  int is_result;    /* something was equal to it */
  int is_unlike;    /* units, or percents and others, are added */
  size_t begin;     /* byte of the text */
} Side;

typedef struct Sums {
  const char *text;
  size_t n, at;
  State state;
  Value values[DEPTH];
  char ops[DEPTH]; /* '(' too */
  int n_values, n_ops;
  int n_parts;        /* operators of the expression */
  int units;          /* words behind the last operand */
  uint32_t unit;      /* hash of the first of them; 0: none */
  uint32_t seen_unit; /* of an operand before */
  int is_unlike, adds;
  double first_value;
  size_t begin; /* of the expression */
  size_t end;   /* behind its last operand */
  Side left;    /* what stands in front of the last equals sign */
  long long right, wrong;
  size_t shown, shown_end; /* the first wrong sum */
  double should_be;
} Sums;

/* ---- the expression */

static void forget(Sums *s, State state) {
  s->state = state;
  s->n_values = s->n_ops = s->n_parts = s->units = 0;
  s->unit = s->seen_unit = 0;
  s->is_unlike = s->adds = 0;
}

static int rank(char op) {
  return op == '(' ? 0 : op == '+' || op == '-' ? 1 : op == '^' ? 3 : 2;
}

static Value reckon(Sums *s, char op, Value a, Value b) {
  int is_sum = op == '+' || op == '-';
  Value r = {0, is_sum && a.is_percent && b.is_percent};
  s->is_unlike |= is_sum && a.is_percent != b.is_percent;
  switch (op) {
  case '+':
    r.v = a.v + b.v;
    break;
  case '-':
    r.v = a.v - b.v;
    break;
  case '*':
    r.v = a.v * b.v;
    break;
  case '/':
    r.v = b.v != 0 ? a.v / b.v : (double)NAN;
    break;
  default:
    r.v = pow(a.v, b.v);
  }
  return r;
}

static void reduce(Sums *s) {
  char op = s->ops[--s->n_ops];
  s->n_values--;
  s->values[s->n_values - 1] = reckon(s, op, s->values[s->n_values - 1], s->values[s->n_values]);
}

static void add_operator(Sums *s, char op) {
  while (s->n_ops > 0 && s->ops[s->n_ops - 1] != '(' &&
         (rank(s->ops[s->n_ops - 1]) > rank(op) ||
          (rank(s->ops[s->n_ops - 1]) == rank(op) && op != '^'))) {
    reduce(s);
  }
  if (s->n_ops == DEPTH) {
    forget(s, IS_LOST);
    return;
  }
  s->ops[s->n_ops++] = op;
  s->n_parts++;
  s->adds |= op == '+' || op == '-';
  if (s->unit) {
    s->is_unlike |= s->seen_unit && s->seen_unit != s->unit;
    s->seen_unit = s->unit;
  }
  s->unit = 0;
  s->units = 0;
  s->state = WANTS_OPERAND;
}

static void add_value(Sums *s, Value v, size_t begin, size_t end) {
  if (s->n_values == DEPTH) {
    forget(s, IS_LOST);
    return;
  }
  if (s->n_values == 0 && s->n_ops == 0) {
    s->begin = begin;
    s->first_value = v.v;
  }
  s->values[s->n_values++] = v;
  s->state = HAS_OPERAND;
  s->end = end;
}

/* The expression's value, where all of it was understood. */
static Side side_of(Sums *s) {
  Side side = {{0, 0}, s->first_value, 0, s->n_parts > 0, 0, 0, s->begin};
  if (s->state != HAS_OPERAND) {
    return side;
  }
  while (s->n_ops > 0 && s->ops[s->n_ops - 1] != '(') {
    reduce(s);
  }
  if (s->n_ops == 0 && s->n_values == 1 && isfinite(s->values[0].v)) {
    side.value = s->values[0];
    side.is_known = 1;
    side.is_unlike =
        s->is_unlike || (s->adds && s->unit && s->seen_unit && s->unit != s->seen_unit);
  }
  return side;
}

static int is_near(double a, double b) {
  return fabs(a - b) <= fmax(.011, .006 * fabs(b));
}

/* A single number with a percent sign may be meant as its hundredth or as itself. */
static int are_equal(const Side *a, const Side *b) {
  double x = a->value.v, y = b->value.v;
  if (is_near(x, y) || is_near(y, x)) {
    return 1;
  }
  return a->value.is_percent != b->value.is_percent && (is_near(x, y * 100) || is_near(x * 100, y));
}

/* Two sides of an equals sign. */
static void compare(Sums *s, const Side *a, const Side *b) {
  if (!a->is_known || !b->is_known || !(a->has_operator || (a->is_result && b->has_operator))) {
    return;
  }
  /* "5 + 3 = 8 * 2 = 16" goes on with what came out. */
  int goes_on = a->has_operator && b->has_operator && is_near(a->value.v, b->first);
  int is_right = goes_on || are_equal(a, b);
  if (!is_right && (a->is_unlike || b->is_unlike)) {
    return;
  }
  s->right += is_right;
  if (!is_right && s->wrong++ == 0) {
    s->shown = a->begin;
    s->shown_end = s->end;
    s->should_be = a->has_operator ? a->value.v : b->value.v;
  }
}

/* ---- tokens */

/* The expression ends: what it is equal to is compared. */
static void end_side(Sums *s) {
  Side side = side_of(s);
  compare(s, &s->left, &side);
  s->left.is_known = 0;
  forget(s, WANTS_OPERAND);
}

static void equals(Sums *s) {
  Side side = side_of(s);
  compare(s, &s->left, &side);
  side.is_result = s->left.is_known;
  s->left = side;
  forget(s, WANTS_OPERAND);
}

static void lose(Sums *s) {
  s->left.is_known = 0;
  forget(s, IS_LOST);
}

static int is_digit_at(const Sums *s, size_t i) {
  return i < s->n && s->text[i] >= '0' && s->text[i] <= '9';
}

static int is_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t past_blanks(const Sums *s, size_t i) {
  size_t n;
  while ((n = number_blank(s->text, s->n, i)) > 0 || (i < s->n && s->text[i] == '\t')) {
    i += n ? n : 1;
  }
  return i;
}

/* A single letter glued to a number is a variable, but for these units. */
static int is_variable(const Sums *s, size_t i) {
  static const char units[] = "mghslLMKkx";
  return i < s->n && is_letter((unsigned char)s->text[i]) &&
         !(i + 1 < s->n && is_letter((unsigned char)s->text[i + 1])) &&
         (!strchr(units, s->text[i]) ||
          (s->text[i] == 'x' && !is_digit_at(s, past_blanks(s, i + 1))));
}

/* "2." and "2)" at a line's begin. */
static int is_marker(const Sums *s, const Number *number) {
  size_t i = number->begin, end = number->end;
  while (i > 0 && (s->text[i - 1] == ' ' || s->text[i - 1] == '*' || s->text[i - 1] == '#')) {
    i--;
  }
  int is_first = i == 0 || s->text[i - 1] == '\n';
  return is_first && end < s->n && (s->text[end] == '.' || s->text[end] == ')') &&
         (end + 1 == s->n || s->text[end + 1] == ' ');
}

static void read_number(Sums *s, double sign) {
  Number number;
  size_t end = number_read(s->text, s->n, s->at, &number), begin = s->at;
  s->at = end;
  if (s->state == IS_LOST) {
    return;
  }
  if (!number.is_plain || is_variable(s, end)) {
    lose(s);
  } else if (s->state == HAS_OPERAND && s->units == 0) { /* "1 1/2", "25 % 7" */
    lose(s);
  } else if (is_marker(s, &number)) {
    end_side(s);
  } else {
    if (s->state == HAS_OPERAND) { /* words between: another expression */
      end_side(s);
    }
    if (number.is_percent) {
      s->at = past_blanks(s, end) + 1;
    }
    double v = sign * (number.is_percent ? number.value / 100 : number.value);
    add_value(s, (Value){v, number.is_percent}, begin - (sign < 0), s->at);
  }
}

/* An operator that stands at s->at and has n bytes. */
static void read_operator(Sums *s, char op, size_t n) {
  size_t next = s->at + n;
  if (op == '-' && s->state == WANTS_OPERAND && is_digit_at(s, next)) {
    s->at = next;
    read_number(s, -1);
    return;
  }
  int is_bullet = s->state == WANTS_OPERAND && s->n_ops == 0 && s->n_values == 0 &&
                  (s->at == 0 || s->text[s->at - 1] == '\n' || s->text[s->at - 1] == ' ') &&
                  (op == '-' || op == '*' || op == '+');
  s->at = next;
  if (s->state == HAS_OPERAND) {
    add_operator(s, op);
  } else if (s->state == WANTS_OPERAND && !is_bullet) {
    lose(s);
  } else if (is_bullet && !s->left.is_known) {
    int is_at_line = next < 2 || s->text[next - n - 1] == '\n';
    s->state = is_at_line ? WANTS_OPERAND : IS_LOST;
  }
}

static void open(Sums *s) {
  int is_glued = s->at > 0 && is_digit_at(s, s->at - 1) && is_digit_at(s, s->at + 1);
  if (s->state == HAS_OPERAND && is_glued) {
    add_operator(s, '*'); /* 2(3 + 4) */
  } else if (s->state == HAS_OPERAND) {
    end_side(s); /* a remark in brackets */
  }
  if (s->state == WANTS_OPERAND) {
    if (s->n_ops == DEPTH) {
      lose(s);
    } else {
      s->begin = s->n_values == 0 && s->n_ops == 0 ? s->at : s->begin;
      s->ops[s->n_ops++] = '(';
    }
  }
  s->at++;
}

static void close(Sums *s) {
  size_t at = s->at++;
  if (s->state == IS_LOST) {
    return;
  }
  while (s->state == HAS_OPERAND && s->n_ops > 0 && s->ops[s->n_ops - 1] != '(') {
    reduce(s);
  }
  if (s->state == HAS_OPERAND && s->n_ops > 0) {
    s->n_ops--;
    s->units = 0;
    s->end = at + 1;
    if (s->at < s->n && is_letter((unsigned char)s->text[s->at])) {
      lose(s); /* (2/5)x */
    }
  } else {
    end_side(s);
  }
}

typedef struct WordMeaning {
  const char *word;
  char op; /* 'o': "of"; 'K', 'M', 'B': scales; '?': what is behind it is not understood */
} WordMeaning;

static const WordMeaning MEANINGS[] = {
    {"x", '*'},         {"times", '*'},    {"of", 'o'},       {"plus", '+'},    {"minus", '-'},
    {"thousand", 'K'},  {"million", 'M'},  {"billion", 'B'},  {"twice", '?'},   {"double", '?'},
    {"triple", '?'},    {"half", '?'},     {"quarter", '?'},  {"third", '?'},   {"thirds", '?'},
    {"thrice", '?'},    {"dozen", '?'},    {"sqrt", '?'},     {"root", '?'},    {"log", '?'},
    {"ln", '?'},        {"sin", '?'},      {"cos", '?'},      {"tan", '?'},     {"mod", '?'},
    {"remainder", '?'}, {"rest", '?'},     {"reste", '?'},    {"resto", '?'},   {"r", '?'},
    {"squared", '?'},   {"cubed", '?'},    {"choose", '?'},   {"step", '?'},    {"day", '?'},
    {"week", '?'},      {"question", '?'}, {"problem", '?'},  {"part", '?'},    {"case", '?'},
    {"base", '?'},      {"halves", '?'},   {"quarters", '?'}, {"divided", '/'},
};

static const WordMeaning *meaning_of(const char *word, size_t n) {
  for (size_t i = 0; i < sizeof MEANINGS / sizeof *MEANINGS; i++) {
    if (strlen(MEANINGS[i].word) == n && strncasecmp(MEANINGS[i].word, word, n) == 0) {
      return &MEANINGS[i];
    }
  }
  return NULL;
}

static void scale(Sums *s, char by) {
  s->values[s->n_values - 1].v *= by == 'K' ? 1e3 : by == 'M' ? 1e6 : 1e9;
}

/* A word of a unit, without the plural's s. */
static void add_unit(Sums *s, const char *word, size_t n) {
  uint32_t hash = 2166136261u;
  n -= n > 2 && (word[n - 1] | 0x20) == 's';
  for (size_t i = 0; i < n; i++) {
    hash = (hash ^ ((unsigned char)word[i] | 0x20u)) * 16777619u;
  }
  s->unit = s->unit ? s->unit : hash | 1;
  if (++s->units > UNIT_WORDS) {
    end_side(s);
  }
}

/* 1 if an operand may begin at byte i: of "x", "times" and "of" that are operators. */
static int begins_operand(const Sums *s, size_t i) {
  i = past_blanks(s, i);
  return i < s->n && (is_digit_at(s, i) || s->text[i] == '$' || s->text[i] == '(' ||
                      (s->text[i] & 0xE0) == 0xC0);
}

/* A word behind an operand. */
static void read_word_behind(Sums *s, const WordMeaning *m, const char *word, size_t n) {
  char op = m ? m->op : ' ';
  if (strchr("KMB", op) && s->units == 0) {
    scale(s, op);
  } else if (op == '/') {
    size_t by = past_blanks(s, s->at);
    s->at = s->n - by > 2 && strncasecmp(s->text + by, "by", 2) == 0 ? by + 2 : s->at;
    add_operator(s, '/');
  } else if (op == 'o' && s->units > 0) {
    begins_operand(s, s->at) ? end_side(s)
                             : add_unit(s, word, n); /* "a total of 5 + 3", "a box of tea" */
  } else if (strchr("*+-o", op)) {
    begins_operand(s, s->at)     ? add_operator(s, op == 'o' ? '*' : op)
    : s->units == 0 || op == '*' ? lose(s) /* "3 x her age", "1/2 of it" */
                                 : add_unit(s, word, n);
  } else if (op == '?' && s->n_parts + s->left.is_known > 0) {
    lose(s);
  } else {
    add_unit(s, word, n);
  }
}

static void read_word(Sums *s) {
  size_t begin = s->at, end = begin;
  while (end < s->n && (is_letter((unsigned char)s->text[end]) || (s->text[end] & 0x80) ||
                        (s->text[end] == '\'' && end > begin))) {
    end++;
  }
  s->at = end;
  const WordMeaning *m = end - begin < WORD ? meaning_of(s->text + begin, end - begin) : NULL;
  if (s->state == HAS_OPERAND) {
    read_word_behind(s, m, s->text + begin, end - begin);
  } else if (s->n_ops > 0 || (m && strchr("?*o", m->op))) {
    lose(s); /* an operand that is no number */
  }
}

/* Other spellings of operators, and what stands for blanks. */
typedef struct Sign {
  const char *text;
  char op; /* ' ': a blank */
} Sign;

static const Sign SIGNS[] = {
    {"\xC3\x97", '*'}, {"\xC2\xB7", '*'},     {"\xE2\x88\x99", '*'}, {"\xE2\x8B\x85", '*'},
    {"\xC3\xB7", '/'}, {"\xE2\x88\x92", '-'}, {"\xE2\x80\x93", '-'}, {"\xE2\x88\x95", '/'},
    {"\\times", '*'},  {"\\cdot", '*'},       {"\\div", '/'},        {"\xE2\x82\xAC", ' '},
    {"\xC2\xA3", ' '}, {"\xC2\xA5", ' '},     {"\\$", ' '},          {"\\(", ' '},
    {"\\)", '.'},      {"\\[", '.'},          {"\\]", '.'},          {"\\,", ' '},
    {"\\%", '%'},
};

static const Sign *sign_at(const Sums *s) {
  for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++) {
    size_t n = strlen(SIGNS[i].text);
    if (s->n - s->at >= n && memcmp(s->text + s->at, SIGNS[i].text, n) == 0) {
      return &SIGNS[i];
    }
  }
  return NULL;
}

static int next_is(const Sums *s, char c) {
  return s->at + 1 < s->n && s->text[s->at + 1] == c;
}

static void read_equals(Sums *s) {
  char before = s->at > 0 ? s->text[s->at - 1] : 0;
  if (next_is(s, '=') || next_is(s, '>') || (before && strchr("<>!=:", before))) {
    s->at += next_is(s, '=') || next_is(s, '>') ? 2 : 1;
    lose(s);
  } else {
    s->at++;
    equals(s);
  }
}

/* <<3*4=12>>12 inside "... = <<3*4=12>>12". */
static void read_brackets(Sums *s, char c) {
  if (!next_is(s, c)) {
    s->at++;
    lose(s);
  } else if (c == '<') {
    s->at += 2; /* what it stands for is not compared again: "2 x 1 hour = <<2*60=120>>120" */
    s->left.is_known = 0;
    forget(s, WANTS_OPERAND);
  } else {
    s->at += 2;
    end_side(s);
  }
}

/* A line's end ends an expression, but where the next line goes on with "=". */
static void read_newline(Sums *s) {
  size_t i = s->at + 1;
  while (i < s->n && (s->text[i] == ' ' || s->text[i] == '\t')) {
    i++;
  }
  s->at = i;
  if (!(i < s->n && s->text[i] == '=' && s->state == HAS_OPERAND)) {
    end_side(s);
    s->at = i;
  }
}

static int is_glued_slash(const Sums *s) {
  return s->units > 0 && s->at + 1 < s->n && is_letter((unsigned char)s->text[s->at + 1]);
}

/* Two stars: a power between digits, else Markdown's. */
static void read_star(Sums *s) {
  int is_power =
      next_is(s, '*') && s->at > 0 && is_digit_at(s, s->at - 1) && is_digit_at(s, s->at + 2);
  if (next_is(s, '*') && !is_power) {
    s->at += 2;
  } else {
    read_operator(s, is_power ? '^' : '*', is_power ? 2 : 1);
  }
}

static void read_sign(Sums *s, const Sign *sign) {
  size_t n = strlen(sign->text);
  if (sign->op == ' ') {
    s->at += n;
  } else if (sign->op == '.') {
    s->at += n;
    end_side(s);
  } else if (sign->op == '%') {
    s->at += n;
    if (s->state == HAS_OPERAND && s->units == 0 && !s->values[s->n_values - 1].is_percent) {
      s->values[s->n_values - 1].v /= 100;
      s->values[s->n_values - 1].is_percent = 1;
    }
  } else {
    read_operator(s, sign->op, n);
  }
}

static void read_other(Sums *s) {
  const Sign *sign = sign_at(s);
  unsigned char c = (unsigned char)s->text[s->at];
  size_t blank = number_blank(s->text, s->n, s->at);
  if (blank || c == '\t' || c == '$' || c == '&' || c == '_' || c == '"' || c == '\'') {
    s->at += blank ? blank : 1;
  } else if (sign) {
    read_sign(s, sign);
  } else if (is_letter(c) || (c >= 0xC3 && c < 0xE0)) {
    read_word(s);
  } else if (c == ',' || c == ';' || c == ':' || c == '.' || c == '?' || c == '\r') {
    s->at++;
    end_side(s);
  } else {
    s->at++;
    lose(s);
  }
}

static void read_token(Sums *s) {
  char c = s->text[s->at];
  if (number_begins(s->text, s->n, s->at)) {
    read_number(s, 1);
  } else if (c == '=') {
    read_equals(s);
  } else if (c == '\n') {
    read_newline(s);
  } else if (c == '(') {
    open(s);
  } else if (c == ')') {
    close(s);
  } else if (c == '<' || c == '>') {
    read_brackets(s, c);
  } else if (c == '*') {
    read_star(s);
  } else if (c == '/' && is_glued_slash(s)) {
    s->at++; /* birds/tree */
  } else if (c == '+' || c == '-' || c == '/' || c == '^') {
    read_operator(s, c, 1);
  } else {
    read_other(s);
  }
}

/* ---- the gate */

int check_arithmetic(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  (void)gate;
  (void)err;
  Sums s = {.text = c->answer.text, .n = c->answer.n};
  while (s.at < s.n) {
    read_token(&s);
  }
  end_side(&s);
  if (s.wrong == 0) {
    return verdict_pass(out);
  }
  size_t n = s.shown_end > s.shown ? s.shown_end - s.shown : 0;
  return verdict_fail(out, (double)s.right / (double)(s.right + s.wrong),
                      "%lld wrong sum%s: %.*s (%.10g)", s.wrong, s.wrong == 1 ? "" : "s",
                      (int)(n < SHOWN ? n : SHOWN), c->answer.text + s.shown, s.should_be);
}
