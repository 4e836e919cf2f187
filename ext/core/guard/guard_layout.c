/*
** Layout that carries meaning. See guard_rules.h for the contract.
**
** It is looked at only where the words of both texts are the same, one by one. Then it counts:
**   which lines are indented deeper than the line before, and whether by tabs;
**   a line break there and none here, in lists and tables: three short lines, or values apart by
**     commas without a blank. In prose a line is broken anywhere;
**   several blanks or a tab instead of one blank inside quotes, a regular expression or code;
**   a dash that touches its word, where it doesn't in the other text: a flag, a list's mark.
*/
#include "core/guard/guard_rules.h"

#include <string.h>

/* What stands before a token. */
typedef struct Gap {
  const char *p;
  size_t n;
  int breaks;    /* holds a line break */
  size_t indent; /* bytes behind the last line break */
  int tabs;      /* of which tabs */
} Gap;

static Gap gap_before(const GuardText *t, size_t i) {
  size_t from = i > 0 ? t->tokens[i - 1].from + t->tokens[i - 1].raw : 0;
  size_t to = t->tokens[i].from;
  Gap g = {t->text + from, to > from ? to - from : 0, 0, 0, 0};
  for (size_t k = 0; k < g.n; k++) {
    char c = g.p[k];
    if (c == '\n') {
      g.breaks = 1;
      g.indent = 0;
      g.tabs = 0;
    } else if (g.breaks && (c == ' ' || c == '\t')) {
      g.indent++;
      g.tabs += c == '\t';
    } else if (g.breaks && c != '\r') {
      break; /* a mark: the indent ends */
    }
  }
  return g;
}

static int same_words(const Texts *p) {
  if (p->a.n_tokens != p->b.n_tokens) {
    return 0;
  }
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    if (p->a.tokens[i].kind != TOKEN_GONE && p->a.tokens[i].match != i + 1) {
      return 0;
    }
  }
  return 1;
}

static int holds(const Gap *g, const char *set) {
  for (size_t i = 0; i < g->n; i++) {
    if (g->p[i] && strchr(set, g->p[i])) {
      return 1;
    }
  }
  return 0;
}

/* How many tokens the line has that token i starts. */
static size_t line_words(const GuardText *t, size_t i) {
  size_t n = 1;
  while (i + n < t->n_tokens && !gap_before(t, i + n).breaks && n < 5) {
    n++;
  }
  return n;
}

/* What kind of text it is, as far as layout asks. */
typedef struct Form {
  size_t breaks;
  int values; /* "a,b": commas without blanks */
  int code;   /* braces, semicolons behind words, calls */
} Form;

static Form form_of(const GuardText *t) {
  Form f = {0, 0, 0};
  for (size_t i = 0; i < t->n_tokens; i++) {
    Gap g = gap_before(t, i);
    f.breaks += i > 0 && g.breaks;
    f.values |= i > 0 && g.n == 1 && (*g.p == ',' || *g.p == ';');
    f.code |= holds(&g, "{};=") || (g.n > 0 && *g.p == '(' && i > 0);
  }
  return f;
}

/* A break there, none here. */
static int break_counts(const GuardText *t, size_t i, const Gap *broken, const Gap *flat,
                        const Form *f) {
  int listed = f->breaks >= 2 || f->values || f->code;
  int marked = holds(broken, "-*.!?") || holds(flat, ",;.!?");
  return i > 0 && (broken->indent > 0 || (listed && !marked && line_words(t, i) <= 3));
}

/* Inside quotes, or between slashes. */
static int is_literal(const GuardText *t, size_t i) {
  for (size_t k = 0; k < t->n_quotes; k++) {
    if (t->quotes[k].first < i && i < t->quotes[k].end) {
      return 1;
    }
  }
  const Token *x = &t->tokens[i];
  size_t end = x->from + x->raw;
  return i > 0 && x[-1].from > 0 && t->text[x[-1].from - 1] == '/' && end < t->n &&
         t->text[end] == '/';
}

static size_t count_bytes(const Gap *g, char c) {
  size_t n = 0;
  for (size_t i = 0; i < g->n; i++) {
    n += g->p[i] == c;
  }
  return n;
}

/* Blanks of another number or kind, between the same two words of one line. */
static int blanks_differ(const Gap *g, const Gap *h) {
  size_t n = count_bytes(g, ' '), m = count_bytes(h, ' ');
  size_t tabs_n = count_bytes(g, '\t'), tabs_m = count_bytes(h, '\t');
  return n + tabs_n > 0 && m + tabs_m > 0 && (n != m || tabs_n != tabs_m);
}

/* Whether the gap ends with a dash that stands behind a blank: 1 if it touches the word, 2 if a
** blank follows it; 0: no such dash. */
static int dash_of(const Gap *g, int first) {
  size_t n = g->n;
  int apart = n > 0 && g->p[n - 1] == ' ';
  n -= (size_t)apart;
  if (n == 0 || g->p[n - 1] != '-') {
    return 0;
  }
  int free = n > 1 ? g->p[n - 2] == ' ' || g->p[n - 2] == '\n' : first;
  return free ? 1 + apart : 0;
}

static int deeper(size_t before, size_t now) {
  return now > before ? 1 : now < before ? -1 : 0;
}

/* `before`: how far the line before is indented in each text. */
static int gap_counts(const Texts *p, size_t i, const Form *f, size_t before[2]) {
  Gap g = gap_before(&p->a, i), h = gap_before(&p->b, i);
  int dash_g = dash_of(&g, i == 0), dash_h = dash_of(&h, i == 0);
  if (dash_g && dash_h && dash_g != dash_h) {
    return 1;
  }
  if (g.breaks && h.breaks) {
    int differs = i > 0 && (deeper(before[0], g.indent) != deeper(before[1], h.indent) ||
                            (g.tabs > 0) != (h.tabs > 0));
    before[0] = g.indent;
    before[1] = h.indent;
    return differs;
  }
  if (g.breaks != h.breaks) {
    return break_counts(g.breaks ? &p->a : &p->b, i, g.breaks ? &g : &h, g.breaks ? &h : &g, f);
  }
  return i > 0 && blanks_differ(&g, &h) &&
         (f->code || (is_literal(&p->a, i) && is_literal(&p->b, i)));
}

int marks_layout(Texts *p) {
  size_t before[2] = {0, 0};
  if (!same_words(p)) {
    return 0;
  }
  Form f = form_of(&p->a), g = form_of(&p->b);
  f = (Form){f.breaks > g.breaks ? f.breaks : g.breaks, f.values || g.values, f.code || g.code};
  for (size_t i = 0; i < p->a.n_tokens; i++) {
    if (p->a.tokens[i].raw && gap_counts(p, i, &f, before)) {
      return texts_object(p, i, i);
    }
  }
  return 0;
}
