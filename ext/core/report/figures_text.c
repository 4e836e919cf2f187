/*
** See figures_text.h for the contract.
*/
#include "core/report/figures_text.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 4 }; /* a name stands for a text with names */

static const char let[] = "-- let $", figure[] = "-- figure ", first[] = "-- first ",
                  most[] = "-- most ";

static const char *line_after(const char *p) {
  p += strcspn(p, "\n");
  return *p ? p + 1 : p;
}

static int begins(const char *p, const char *with) {
  return strncmp(p, with, strlen(with)) == 0;
}

/* The text up to the next line that is a comment, or the end; without blank lines at its end. */
static size_t length_of_body(const char *p) {
  const char *end = p;
  while (*end && !begins(end, "--")) {
    end = line_after(end);
  }
  while (end > p && strchr(" \n;", end[-1])) {
    end--;
  }
  return (size_t)(end - p);
}

int figure_text_next(const char **at, FigureText *f) {
  const char *p = *at;
  while (*p && !begins(p, figure)) {
    p = line_after(p);
  }
  if (!*p) {
    return 0;
  }
  *f = (FigureText){.name = p + strlen(figure)};
  f->n_name = strcspn(f->name, ":\n");
  f->title = f->name + f->n_name + strspn(f->name + f->n_name, ": ");
  f->n_title = strcspn(f->title, "\n");
  for (p = line_after(p); begins(p, "--"); p = line_after(p)) {
    f->first = begins(p, first) ? (int)strtol(p + strlen(first), NULL, 10) : f->first;
    f->most = begins(p, most) ? (int)strtol(p + strlen(most), NULL, 10) : f->most;
  }
  f->sql = p;
  f->n_sql = length_of_body(p);
  *at = p + f->n_sql;
  return 1;
}

static int is_same(const char *name, const char *p, size_t n) {
  return strlen(name) == n && memcmp(name, p, n) == 0;
}

/* What the file lets a name be; NULL: nothing. */
static const char *find_let(const char *lets, const char *p, size_t n, size_t *length) {
  for (; *lets; lets = line_after(lets)) {
    const char *name = lets + strlen(let);
    if (begins(lets, let) && strcspn(name, " \n") == n && memcmp(name, p, n) == 0) {
      const char *body = line_after(lets);
      *length = length_of_body(body);
      return body;
    }
  }
  return NULL;
}

static void expand(const char *sql, size_t n, const FigureWord *words, const char *lets, int depth,
                   Buf *out) {
  for (const char *p = sql, *end = sql + n; p < end;) {
    const char *mark = memchr(p, '$', (size_t)(end - p));
    buf_add(out, p, (size_t)((mark ? mark : end) - p));
    if (!mark) {
      return;
    }
    size_t length = strspn(mark + 1, "abcdefghijklmnopqrstuvwxyz_"), n_body = 0;
    const FigureWord *word = words;
    while (word->name && !is_same(word->name, mark + 1, length)) {
      word++;
    }
    const char *body = word->name ? NULL : find_let(lets, mark + 1, length, &n_body);
    if (word->name) {
      word->has_names &&depth < DEEPEST
          ? expand(word->means, strlen(word->means), words, lets, depth + 1, out)
          : (void)buf_puts(out, word->means);
    } else if (body && depth < DEEPEST) {
      expand(body, n_body, words, lets, depth + 1, out);
    } else {
      buf_add(out, mark, length + 1);
    }
    p = mark + 1 + length;
  }
}

void figure_text_expand(const char *sql, size_t n, const FigureWord *words, const char *lets,
                        Buf *out) {
  expand(sql, n, words, lets, 0, out);
}
