/*
** Signs that carry meaning. See guard_rules.h for the contract.
**
** A text's marks become runs; what a run says depends on what it touches:
**   dropped: sentence punctuation, quotes, round brackets around words, hyphens, dashes and slashes
**     between words, "&", Markdown's emphasis and list marks, a percent sign or a "#" at a number.
**   strong: operators ("->", ">=", "&&", "./"), "!x", "++i", a minus before a number. Their
**     sequence must be the same in both texts.
**   weak: what a paraphrase may leave out or say in words: emoji, currencies, brackets, a flag's
**     dashes, "@", "#", a single sign in the middle of a sentence. They differ where both texts have
**     one that the other lacks.
**
** In addresses signs are none. At most RUNS_MAX runs of each kind count.
*/
#include "core/guard/guard_rules.h"

#include <string.h>
#include <utf8proc.h>

enum { RUNS_MAX = 128, RUN_BYTES = 16 };

typedef struct Sign {
  uint32_t key;
  Span at;
  int used;
} Sign;

typedef struct Signs {
  Sign strong[RUNS_MAX], weak[RUNS_MAX];
  size_t n_strong, n_weak;
} Signs;

/* A run of ASCII marks, and what is around it. */
typedef struct Run {
  char text[RUN_BYTES + 1];
  size_t n, from, end;
  int left, right;    /* a letter or digit touches it */
  char before, after; /* the bytes beside it; a blank at the ends */
} Run;

static void keep(Sign *list, size_t *n, uint32_t key, Span at) {
  if (*n < RUNS_MAX) {
    list[(*n)++] = (Sign){key, at, 0};
  }
}

static void keep_weak(Signs *s, const Run *r) {
  keep(s->weak, &s->n_weak, guard_hash(r->text, r->n), (Span){r->from, r->end - r->from});
}

static void keep_strong(Signs *s, const Run *r) {
  keep(s->strong, &s->n_strong, guard_hash(r->text, r->n), (Span){r->from, r->end - r->from});
}

static int is_alnum(char c) {
  return (c >= '0' && c <= '9') || (unsigned char)((c | 0x20) - 'a') < 26 || (c & 0x80);
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int consists_of(const Run *r, const char *set) {
  return strspn(r->text, set) == r->n;
}

/* The byte beside a run, behind blanks: forward from `end`, or back from `from`; 0 at the end of
** the text or the line. */
static char beyond(const GuardText *t, const Run *r, int forward) {
  size_t i = forward ? r->end : r->from;
  while (forward ? i < t->n : i > 0) {
    char c = t->text[forward ? i : i - 1];
    if (c != ' ' && c != '\t') {
      return (char)(c == '\n' ? 0 : c);
    }
    i += forward ? 1 : (size_t)-1;
  }
  return 0;
}

/* How many letters or digits stand in a row beside the run, behind blanks; counted up to 3. */
static size_t word_beside(const GuardText *t, const Run *r, int forward) {
  size_t i = forward ? r->end : r->from, n = 0;
  while (forward ? i < t->n : i > 0) {
    char c = t->text[forward ? i : i - 1];
    if (is_alnum(c)) {
      n++;
    } else if (n > 0 || (c != ' ' && c != '(' && c != ')')) {
      return n;
    }
    if (n == 3) {
      return n;
    }
    i += forward ? 1 : (size_t)-1;
  }
  return n;
}

/* An operator: what stands on both sides is a number or a single letter. */
static int is_between_operands(const GuardText *t, const Run *r) {
  char before = beyond(t, r, 0), after = beyond(t, r, 1);
  size_t n = word_beside(t, r, 0), m = word_beside(t, r, 1);
  return (n == 1 || (n > 0 && is_digit(before))) && (m == 1 || (m > 0 && is_digit(after)));
}

static int ends_line(const GuardText *t, const Run *r) {
  return beyond(t, r, 1) == 0;
}

static int starts_line(const GuardText *t, const Run *r) {
  return beyond(t, r, 0) == 0;
}

/* Full stops, commas and the like. */
static void judge_stops(Signs *s, const GuardText *t, const Run *r) {
  char after = beyond(t, r, 1);
  int goes_on = (after >= 'a' && after <= 'z') || is_digit(after);
  if (r->left && r->right) {
    if (r->n > 1 && !strstr(r->text, "..")) {
      keep_strong(s, r);
    }
  } else if (!r->left && r->right) {
    if (r->n == 1 && *r->text == '!') {
      keep_strong(s, r);
    } else if (!strchr(",", *r->text) && r->before == ' ' && !is_digit(r->after)) {
      keep_weak(s, r);
    }
  } else if (!r->left && goes_on && *r->text != ',' && strcmp(r->text, "...") != 0) {
    keep_weak(s, r);
  }
}

static void judge_dashes(Signs *s, const GuardText *t, const Run *r) {
  if (r->left && r->right) {
    return;
  }
  if (!r->left && r->right) {
    if (is_digit(r->after) && r->n == 1) {
      keep_strong(s, r);
    } else {
      keep_weak(s, r);
    }
  } else if (r->left) {
    if (word_beside(t, r, 0) < 3 && r->n > 1) {
      keep_strong(s, r);
    } else if (word_beside(t, r, 0) < 3) {
      keep_weak(s, r);
    }
  } else if (is_between_operands(t, r) && !starts_line(t, r)) {
    keep_weak(s, r); /* "1 - 10" is "1 to 10" too */
  }
}

/* Whether a run of "*" or "_" opens or closes an emphasis: its fellow is within reach. */
static int is_emphasis(const GuardText *t, const Run *r) {
  enum { REACH = 64 };
  size_t m = r->n;
  for (size_t i = 1; i < REACH && !r->left && r->right && r->end + i + m <= t->n; i++) {
    if (memcmp(t->text + r->end + i, r->text, m) == 0) {
      return 1;
    }
  }
  for (size_t i = 1; i < REACH && r->left && !r->right && r->from >= i + m; i++) {
    if (memcmp(t->text + r->from - i - m, r->text, m) == 0) {
      return 1;
    }
  }
  return 0;
}

/* What a single sign says by what it touches. */
typedef enum Verdict {
  DROP,
  WEAK,
  STRONG,
  NO_AMOUNT, /* weak, but at a number nothing */
  AMOUNT,    /* weak at a number, else nothing */
  MONEY,     /* weak at a number, else strong */
  OPERATOR,  /* strong between operands, else nothing */
  OPERATOR_OR_WEAK,
  NOT_FIRST, /* OPERATOR_OR_WEAK, but nothing at the start of a line */
  HEADING,   /* NO_AMOUNT, but nothing at the start of a line */
  NOT_LAST   /* strong, but nothing at the end of a line */
} Verdict;

static const struct {
  char sign;
  uint8_t verdict[4]; /* free; before a letter or digit; behind one; between two */
} SINGLES[] = {
    {'&', {DROP, DROP, DROP, DROP}},
    {'_', {DROP, DROP, DROP, DROP}},
    {'%', {NO_AMOUNT, NO_AMOUNT, DROP, NO_AMOUNT}},
    {'#', {HEADING, NO_AMOUNT, DROP, DROP}},
    {'$', {WEAK, WEAK, MONEY, MONEY}},
    {'@', {WEAK, WEAK, WEAK, DROP}},
    {'/', {OPERATOR, WEAK, DROP, DROP}},
    {'~', {WEAK, WEAK, WEAK, WEAK}},
    {'>', {NOT_FIRST, NOT_FIRST, NOT_FIRST, NOT_FIRST}},
    {'=', {NOT_LAST, NOT_LAST, NOT_LAST, NOT_LAST}},
    {'+', {OPERATOR_OR_WEAK, STRONG, AMOUNT, STRONG}},
};

static Verdict settle(const GuardText *t, const Run *r, Verdict v) {
  int amount = *r->text == '#' ? is_digit(beyond(t, r, 1)) : is_digit(beyond(t, r, 0));
  switch (v) {
  case NOT_FIRST:
    return starts_line(t, r) ? DROP : settle(t, r, OPERATOR_OR_WEAK);
  case HEADING:
    return starts_line(t, r) || amount ? DROP : WEAK;
  case NO_AMOUNT:
    return amount ? DROP : WEAK;
  case AMOUNT:
    return amount ? WEAK : DROP;
  case MONEY:
    return amount ? WEAK : STRONG;
  case OPERATOR:
    return is_between_operands(t, r) ? STRONG : DROP;
  case OPERATOR_OR_WEAK:
    return is_between_operands(t, r) ? STRONG : WEAK;
  case NOT_LAST:
    return ends_line(t, r) ? DROP : STRONG;
  default:
    return v;
  }
}

/* Returns whether the run is a sign of SINGLES. */
static int judge_single(Signs *s, const GuardText *t, const Run *r) {
  for (size_t i = 0; r->n == 1 && i < COUNT_OF(SINGLES); i++) {
    if (SINGLES[i].sign == *r->text) {
      int touches = r->left && r->right ? 3 : r->left * 2 + r->right;
      Verdict v = settle(t, r, (Verdict)SINGLES[i].verdict[touches]);
      if (v == STRONG) {
        keep_strong(s, r);
      } else if (v == WEAK) {
        keep_weak(s, r);
      }
      return 1;
    }
  }
  return 0;
}

static void judge_run(Signs *s, const GuardText *t, Run *r) {
  while (r->n > 1 && !r->right && !consists_of(r, ".,;:!?") &&
         strchr(".,;:!?", r->text[r->n - 1])) {
    r->text[--r->n] = 0; /* the end of the sentence behind a sign */
    r->end--;
  }
  if (r->n == 0) {
    return;
  }
  if (consists_of(r, ".,;:!?")) {
    judge_stops(s, t, r);
  } else if (consists_of(r, "-")) {
    judge_dashes(s, t, r);
  } else if (consists_of(r, "*_") && (is_emphasis(t, r) || (starts_line(t, r) && !r->right))) {
    return;
  } else if (consists_of(r, "#=-") && r->n > 1 && starts_line(t, r) && !r->right) {
    return; /* a heading, or the line under one */
  } else if (consists_of(r, "_")) {
    return;
  } else if (consists_of(r, ":;-.,") || judge_single(s, t, r)) {
    return;
  } else if (ends_line(t, r) && (!r->left || consists_of(r, "*\\"))) {
    keep_weak(s, r); /* left over at the end */
  } else if (!(r->left && !r->right && consists_of(r, "+#") && word_beside(t, r, 0) < 3)) {
    keep_strong(s, r); /* what "c++" and "c#" end with is part of their tokens */
  }
}

static int is_mark(char c) {
  return c > ' ' && c < 0x7F && !is_alnum(c) && !strchr("\"'`()[]{}", c);
}

/* Brackets: square and curly ones, and what a word opens ("f(x)"). */
static void judge_bracket(Signs *s, const GuardText *t, size_t i) {
  char c = t->text[i], before = i > 0 ? t->text[i - 1] : ' ',
       after = i + 1 < t->n ? t->text[i + 1] : ' ';
  int call = c == '(' && is_alnum(before) && after != ')';
  if (c == '[' || c == '{' || call) {
    keep(s->weak, &s->n_weak, guard_hash(&c, 1), (Span){i, 1});
  }
}

static size_t judge_marks(Signs *s, const GuardText *t, size_t i) {
  Run r = {.from = i, .before = i > 0 ? t->text[i - 1] : ' '};
  for (; i < t->n && is_mark(t->text[i]) && (r.n == 0 || t->text[i] != '\\'); i++) {
    if (r.n < RUN_BYTES) {
      r.text[r.n++] = t->text[i];
    }
  }
  r.text[r.n] = 0;
  r.end = i;
  r.after = i < t->n ? t->text[i] : ' ';
  r.left = is_alnum(r.before) || strchr(")]}", r.before) != NULL;
  r.right = is_alnum(r.after) || strchr("([{", r.after) != NULL;
  judge_run(s, t, &r);
  return i;
}

/* A sign of another script than ASCII: emoji, currencies, arrows, signs of music and mathematics. */
static size_t judge_wide(Signs *s, const GuardText *t, size_t i) {
  size_t n;
  uint32_t c = marks_character(t->text, t->n, i, &n);
  int minus = c == 0x2212 && i + n < t->n && is_digit(t->text[i + n]) &&
              (i == 0 || !is_alnum(t->text[i - 1]));
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_SM:
    if (minus) {
      keep(s->strong, &s->n_strong, guard_hash("-", 1), (Span){i, n});
      break;
    } /* fallthrough */
  case UTF8PROC_CATEGORY_SO:
  case UTF8PROC_CATEGORY_SC:
  case UTF8PROC_CATEGORY_SK:
    keep(s->weak, &s->n_weak, c == 0x2212 ? guard_hash("-", 1) : c, (Span){i, n});
    break;
  default:
    break;
  }
  return i + n;
}

static void read_signs(Signs *s, const GuardText *t) {
  size_t next = 0;
  s->n_strong = s->n_weak = 0;
  for (size_t i = 0; i < t->read;) {
    while (next < t->n_tokens && (t->tokens[next].from < i || t->tokens[next].kind == TOKEN_GONE)) {
      next++;
    }
    const Token *x = next < t->n_tokens ? &t->tokens[next] : NULL;
    if (x && x->from == i && x->kind == TOKEN_ADDRESS && x->raw) {
      i += x->raw;
    } else if (t->text[i] & 0x80) {
      i = judge_wide(s, t, i);
    } else if (is_mark(t->text[i])) {
      i = judge_marks(s, t, i);
    } else {
      judge_bracket(s, t, i++);
    }
  }
}

/* The first weak sign of s that o has no fellow for, or NULL. Fellows are used up. */
static const Sign *first_unpaired(Signs *s, Signs *o) {
  const Sign *found = NULL;
  for (size_t k = 0; k < o->n_weak; k++) {
    o->weak[k].used = 0;
  }
  for (size_t i = 0; i < s->n_weak; i++) {
    size_t k = 0;
    while (k < o->n_weak && (o->weak[k].used || o->weak[k].key != s->weak[i].key)) {
      k++;
    }
    if (k < o->n_weak) {
      o->weak[k].used = 1;
    } else if (!found) {
      found = &s->weak[i];
    }
  }
  return found;
}

static int object(Texts *p, const Sign *a, const Sign *b) {
  p->said_a = (Said){{a ? a->at : (Span){0, 0}, {0, 0}}};
  p->said_b = (Said){{b ? b->at : (Span){0, 0}, {0, 0}}};
  return 1;
}

int marks_sign(Texts *p) {
  Signs a, b;
  read_signs(&a, &p->a);
  read_signs(&b, &p->b);
  for (size_t i = 0; i < a.n_strong || i < b.n_strong; i++) {
    const Sign *x = i < a.n_strong ? &a.strong[i] : NULL;
    const Sign *y = i < b.n_strong ? &b.strong[i] : NULL;
    if (!x || !y || x->key != y->key) {
      const Sign *u = !x && a.n_weak ? &a.weak[0] : x, *v = !y && b.n_weak ? &b.weak[0] : y;
      return object(p, u, v);
    }
  }
  const Sign *x = first_unpaired(&a, &b), *y = first_unpaired(&b, &a);
  return x && y && object(p, x, y);
}
