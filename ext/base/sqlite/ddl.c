/*
** See ddl.h for the contract. The rules are those of SQLite's tokenize.c: blanks are space, tab, LF,
** VT (behind another), FF, CR and a byte order mark; comments are "--" to the end of the line and "/" "*" to
** "*" "/"; quotes are ' " ` with doubling, and [ … ]. A variable ($x, :x, @x, #x) may take quotes and comment
** signs into its name, as in $x('): from there on every word counts. Letters are ASCII's, whatever the
** locale of the process says.
*/
#include "base/sqlite/ddl.h"

#include <string.h>

static int is_word_byte(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of a name: SQLite takes all that are not ASCII for letters. */
static int is_name_byte(char c) {
  return is_word_byte(c) || c == '$' || (unsigned char)c >= 0x80;
}

/* The length of a blank at p, 0 where there is none. */
static int blank_at(const char *p, const char *end) {
  return p == end                                            ? 0
         : *p == ' ' || (*p >= '\t' && *p <= '\r')           ? 1
         : end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3
                                                             : 0;
}

static char fold(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* What closes a quoted text that begins with c; 0: nothing does. */
static char closing_quote(char c) {
  return c == '\'' || c == '"' || c == '`' ? c : c == '[' ? ']' : 0;
}

/* Behind the comment that begins at p; p itself where none does. */
static const char *skip_comment(const char *p, const char *end) {
  if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
    const char *line = memchr(p, '\n', (size_t)(end - p));
    return line ? line : end;
  }
  if (end - p > 2 && p[0] == '/' && p[1] == '*') {
    const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
    return close ? close + 2 : end;
  }
  return p;
}

static const char *skip_blanks(const char *p, const char *end) {
  for (const char *before = NULL; p != before;) {
    before = p;
    for (int n; (n = blank_at(p, end)) > 0;) {
      p += n;
    }
    p = skip_comment(p, end);
  }
  return p;
}

/* Takes the word at d->at if it is that keyword. */
static int take_keyword(Ddl *d, const char *keyword) {
  const char *p = skip_blanks(d->at, d->end), *from = p;
  while (p < d->end && is_name_byte(*p)) {
    p++;
  }
  int is_it = ddl_is_name(from, (size_t)(p - from), keyword);
  d->at = is_it ? p : d->at;
  return is_it;
}

static void take_name(Ddl *d) {
  const char *p = skip_blanks(d->at, d->end);
  char close = p < d->end ? closing_quote(*p) : 0;
  d->name = p + (close != 0);
  for (p = d->name; p < d->end && (close ? *p != close : is_name_byte(*p));) {
    p++;
  }
  d->n_name = (size_t)(p - d->name);
}

void ddl_start(Ddl *d, const char *sql, size_t n) {
  static const struct {
    const char *word;
    DdlKind kind;
  } kinds[] = {
      {"table", DDL_TABLE}, {"view", DDL_VIEW}, {"index", DDL_INDEX}, {"trigger", DDL_TRIGGER}};
  *d = (Ddl){.name = "", .at = sql, .end = sql + n};
  if (n && is_word_byte(sql[0]) && take_keyword(d, "create")) { /* so SQLite wants it */
    d->is_temp = take_keyword(d, "temp") || take_keyword(d, "temporary");
    int is_virtual = take_keyword(d, "virtual");
    take_keyword(d, "unique");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && d->kind == DDL_OTHER; i++) {
      d->kind = take_keyword(d, kinds[i].word) ? kinds[i].kind : DDL_OTHER;
    }
    d->kind = is_virtual ? d->kind == DDL_TABLE ? DDL_VIRTUAL : DDL_OTHER : d->kind;
  }
  if (d->kind != DDL_OTHER) {
    if (take_keyword(d, "if")) {
      take_keyword(d, "not");
      take_keyword(d, "exists");
    }
    take_name(d);
  }
  d->at = sql;
}

/* Every word counts where the text may be read otherwise than as SQL. */
static int is_raw(const Ddl *d) {
  return d->kind == DDL_VIRTUAL || d->kind == DDL_OTHER || d->has_variable;
}

/* 1 if two quotes at p stand for one inside of the text ([ … ] knows no such thing). */
static int is_doubled(const Ddl *d, const char *p) {
  return d->quote != ']' && p + 1 < d->end && p[0] == d->quote && p[1] == d->quote;
}

/* Steps over a byte that is no part of a word. */
static void step(Ddl *d) {
  const char *behind = d->quote || is_raw(d) ? d->at : skip_comment(d->at, d->end);
  if (behind != d->at) {
    d->at = behind;
    return;
  }
  if (d->quote && is_doubled(d, d->at)) {
    d->at++; /* its second goes below */
  } else if (d->quote) {
    d->quote = *d->at == d->quote ? 0 : d->quote;
  } else {
    d->quote = closing_quote(*d->at);
    d->opened = d->at + 1;
    d->has_variable |= strchr("$:@#", *d->at) && *d->at;
  }
  d->at++;
}

/* 1 if the word that ends at d->at is an identifier, or may be one. */
static int counts(const Ddl *d, const char *word) {
  return is_raw(d) || !d->quote ||
         (word == d->opened && (d->at == d->end || (*d->at == d->quote && !is_doubled(d, d->at))));
}

int ddl_next_word(Ddl *d, const char **word, size_t *n) {
  do {
    while (d->at < d->end && !is_word_byte(*d->at)) {
      step(d);
    }
    *word = d->at;
    while (d->at < d->end && is_word_byte(*d->at)) {
      d->at++;
    }
    *n = (size_t)(d->at - *word);
  } while (*n > 0 && !counts(d, *word));
  return *n > 0;
}

int ddl_is_string(const Ddl *d) {
  return !is_raw(d) && d->quote == '\'';
}

int ddl_is_name(const char *text, size_t n, const char *name) {
  size_t i = 0;
  while (i < n && name[i] && fold(text[i]) == fold(name[i])) {
    i++;
  }
  return i == n && name[i] == 0;
}

/* Behind the text '…' that begins at p; NULL where it holds more than plain characters. */
static const char *skip_plain_string(const char *p, const char *end) {
  for (p++; p < end && *p && (is_word_byte(*p) || strchr(" .;:!?+=<>", *p)); p++) {
  }
  return p < end && *p == '\'' ? p + 1 : NULL;
}

/* 1 if between ( and its ) there is no comma at the outermost level. Whatever is not certain is a 0. */
static int has_one_argument(const char *p, const char *end) {
  int depth = 0;
  while (p && p < end) {
    int blank = blank_at(p, end);
    if (*p == '\'') {
      p = skip_plain_string(p, end);
      continue;
    }
    depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
    if (depth == 0) {
      return 1;
    }
    if ((*p == ',' && depth == 1) ||
        !(blank || is_word_byte(*p) || (*p && strchr(".,|+*()<>=", *p)))) {
      return 0;
    }
    p += blank ? blank : 1;
  }
  return 0;
}

int ddl_is_plain_call(const Ddl *d) {
  const char *p = d->at;
  p += p < d->end && (*p == '"' || *p == ']' || *p == '`');
  for (int n; (n = blank_at(p, d->end)) > 0;) {
    p += n;
  }
  if (p == d->end || (*p != '(' && *p != '/' && *p != '-')) {
    return !is_raw(d); /* a column of that name, say */
  }
  return *p == '(' && !d->has_variable && has_one_argument(p, d->end);
}

/* 1 if without a blank between them these two bytes would be read as one word, as one quoted text, as a
** BLOB or as the beginning of a comment. */
static int needs_blank(char before, char after) {
  return (is_name_byte(before) && is_name_byte(after)) ||
         (before == after && (closing_quote(before) == before || before == '-')) ||
         (before == '/' && after == '*') || (fold(before) == 'x' && after == '\'');
}

void ddl_normalize(const char *sql, size_t n, char *out) {
  const char *p = sql, *end = sql + n;
  char *to = out, quote = 0;
  while (p < end) {
    /* A byte order mark inside a name is no blank. */
    int is_inside = p > sql && is_name_byte(p[-1]) && (unsigned char)*p >= 0x80;
    const char *behind = quote || is_inside ? p : skip_blanks(p, end);
    if (behind > p && to > out && behind < end && needs_blank(to[-1], *behind)) {
      *to++ = ' ';
    }
    p = behind;
    if (p < end) {
      *to++ = quote ? *p : fold(*p);
      quote = !quote ? closing_quote(*p) : *p == quote ? 0 : quote;
      p++;
    }
  }
  *to = 0;
}

int ddl_show_name(const char *name, size_t n, char *out, size_t size) {
  size_t kept = 0;
  int is_plain = n > 0 && n < size;
  for (; kept < n && kept + 1 < size; kept++) {
    char c = name[kept];
    int fine = is_word_byte(c) || c == ' ' || c == '-' || c == '.' || c == '$';
    out[kept] = (char)(fine ? c : '?');
    is_plain &= fine;
  }
  out[kept] = 0;
  return is_plain;
}

const char *ddl_kind_name(DdlKind kind) {
  static const char *const names[] = {"object", "table",   "view",
                                      "index",  "trigger", "virtual table"};
  return names[kind];
}
