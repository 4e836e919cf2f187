/*
** Lines and what they are together. See lines.h for the contract.
*/
#include "core/split/lines.h"

#include "core/words/tags.h"

#include <string.h>

enum {
  TAB = 4, /* columns of a tab */
  MOST_RUNS =
      32, /* runs of blanks of a line that are compared; a line with more has columns anyway */
  MOST_KEY = 40 /* bytes of a record's key */
};

Line line_at(const char *text, size_t n, size_t at) {
  const char *nl = memchr(text + at, '\n', n - at);
  Line l = {.from = at, .end = nl ? (size_t)(nl - text) : n};
  l.next = nl ? l.end + 1 : n;
  if (l.end > l.from && text[l.end - 1] == '\r') {
    l.end--;
  }
  l.first = l.from;
  l.first += at == 0 ? order_mark(text, l.end) : 0;
  while (l.first < l.end && (text[l.first] == ' ' || text[l.first] == '\t')) {
    l.first++;
  }
  l.last = l.end;
  while (l.last > l.first && (text[l.last - 1] == ' ' || text[l.last - 1] == '\t')) {
    l.last--;
  }
  l.last = l.first == l.end ? l.from : l.last;
  return l;
}

size_t line_indent(const char *text, const Line *l) {
  size_t columns = 0;
  for (size_t i = l->from; i < l->first; i++) {
    columns += text[i] == '\t' ? TAB - columns % TAB : 1;
  }
  return columns;
}

/* --- values --- */

/* The next visible byte; 0: none. (A ">" quotes.) */
static size_t next_visible(const char *text, size_t at, size_t end) {
  while (at < end && strchr(" \t\r\n>", text[at]) && text[at]) {
    at++;
  }
  return at;
}

static int is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* 1 if what stands behind a bracket begins a value as those of JSON do. */
static int begins_value(const char *text, size_t at, size_t end) {
  size_t i = next_visible(text, at + 1, end), name = i;
  if (i == end || text[i] == 0) {
    return 0;
  }
  if (text[at] == '[') {
    return strchr("\"{[-/", text[i]) || (text[i] >= '0' && text[i] <= '9');
  }
  while (i < end && i - name < MOST_KEY && is_name(text[i])) {
    i++;
  }
  return strchr("\"'/", text[name]) || (i > name && i < end && text[i] == ':');
}

size_t bracket_end(const char *text, size_t at, size_t end, size_t *work) {
  int in_string = 0;
  size_t depth = 0;
  for (size_t i = at; i<end && * work> 0; i++, --*work) {
    char c = text[i];
    if (in_string) {
      i += c == '\\';
      in_string = c != '"';
    } else if (c == '"') {
      in_string = 1;
    } else if (c == '{' || c == '[') {
      depth++;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

size_t value_end(const char *text, size_t at, size_t end, size_t *work) {
  int begins = (text[at] == '{' || text[at] == '[') && begins_value(text, at, end);
  size_t stop = begins ? bracket_end(text, at, end, work) : 0;
  int has_string =
      stop > 0 && (memchr(text + at, '"', stop - at) || memchr(text + at, '\'', stop - at));
  return has_string ? stop : 0;
}

Line line_of_values(const char *text, size_t n, size_t at, size_t *work) {
  Line l = line_at(text, n, at);
  for (size_t i = l.first; i < l.end;) {
    size_t end = value_end(text, i, n, work);
    if (end > l.end) {
      Line last = line_at(text, n, end - 1);
      l.end = last.end;
      l.last = last.last;
      l.next = last.next;
    }
    i = end > 0 ? end : i + 1;
  }
  return l;
}

/* --- columns --- */

typedef struct Runs {
  size_t begin[MOST_RUNS], end[MOST_RUNS], word[MOST_RUNS]; /* word: behind the word that follows */
  size_t n;
  int tabs;
} Runs;

/* Runs of two blanks or more within a line, in characters from its beginning. */
static void find_runs(const char *text, const Line *l, Runs *r) {
  size_t column = l->first - l->from;
  int is_open = 0; /* the word behind the last run is not at its end */
  r->n = 0;
  r->tabs = 0;
  for (size_t i = l->first; i < l->last;) {
    size_t k = 0;
    while (text[i + k] == ' ') {
      k++;
    }
    if (k > 0 && is_open) {
      r->word[r->n - 1] = column;
      is_open = 0;
    }
    if (k > 1 && r->n < MOST_RUNS) {
      r->begin[r->n] = column;
      r->end[r->n++] = column + k;
      is_open = 1;
    }
    r->tabs |= text[i] == '\t';
    i += k > 0 ? k : 1;
    column += k > 0 ? k : (text[i - 1] & 0xC0) != 0x80;
  }
  if (is_open) {
    r->word[r->n - 1] = column;
  }
}

static int share(const size_t *a, size_t n, const size_t *b, size_t m) {
  for (size_t i = 0, k = 0; i < n && k < m;) {
    if (a[i] == b[k]) {
      return 1;
    }
    a[i] < b[k] ? i++ : k++;
  }
  return 0;
}

static int share_column(const Runs *a, const Runs *b) {
  return share(a->begin, a->n, b->begin, b->n) || share(a->end, a->n, b->end, b->n) ||
         share(a->word, a->n, b->word, b->n);
}

int lines_are_columns(const char *text, size_t from, size_t end) {
  Runs runs[2] = {{.n = 0}, {.n = 0}};
  int i = 0, tabs = 0;
  for (size_t at = from; at < end; i = !i) {
    Line l = line_at(text, end, at);
    find_runs(text, &l, &runs[i]);
    tabs += runs[i].tabs;
    if (tabs > 1 || (at > from && share_column(&runs[0], &runs[1]))) {
      return 1;
    }
    at = l.next;
  }
  return 0;
}

/* --- records --- */

static int is_key(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
         (c && strchr("_-.\"'", c));
}

size_t line_key(const char *text, const Line *l, size_t *from) {
  size_t i = l->first;
  i += l->last - i > 2 && memcmp(text + i, "- ", 2) == 0 ? 2 : 0;
  size_t key = *from = i;
  while (i < l->last && i - key < MOST_KEY && is_key((unsigned char)text[i])) {
    i++;
  }
  int is = i > key && i < l->last && text[i] == ':' && (i + 1 == l->last || text[i + 1] == ' ');
  return is ? i - key : 0;
}

int lines_are_records(const char *text, size_t from, size_t end) {
  size_t lines = 0, records = 0, ignored;
  for (size_t at = from; at < end;) {
    Line l = line_at(text, end, at);
    lines++;
    records += line_key(text, &l, &ignored) > 0;
    at = l.next;
  }
  return records > 1 && 3 * records >= 2 * lines;
}

/* --- code --- */

static int holds(const char *text, const Line *l, const char *what) {
  return memmem(text + l->first, l->last - l->first, what, strlen(what)) != NULL;
}

/* A word of a language at the front, and a sign of one behind it. */
static int begins_as_code(const char *text, const Line *l) {
  static const char *const words[] = {
      "def ",    "class ",   "import ", "from ",   "return ",  "if ",     "for ",
      "while ",  "elif ",    "else",    "try",     "except",   "func ",   "function ",
      "const ",  "let ",     "var ",    "public ", "private ", "static ", "#include",
      "SELECT ", "INSERT ",  "UPDATE ", "CREATE ", "#!/",      "@",       "async ",
      "await ",  "package ", "export ", "fn ",     "impl ",    "use ",    "print("};
  size_t n = l->last - l->first;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t k = strlen(words[i]);
    if (n >= k && memcmp(text + l->first, words[i], k) == 0) {
      char last = text[l->last - 1];
      return (last && strchr("=;{}()[]:", last)) || holds(text, l, "(") || holds(text, l, " = ") ||
             words[i][0] == '#' || strcmp(words[i], "import ") == 0;
    }
  }
  return 0;
}

/* A tag that is closed: code, but for one behind a sentence or at the line's front, which closes what prose stands in, and for a line that
** a tag of context begins. */
static int closes_tag(const char *text, const Line *l) {
  const char *close = memmem(text + l->first, l->last - l->first, "</", 2);
  size_t at = close ? (size_t)(close - text) : l->first;
  if (!close || at == l->first) {
    return 0;
  }
  if (text[l->first] == '<') {
    return !tags_is_container(text + l->first, l->last - l->first);
  }
  while (at > l->first && strchr(" \t\"')*_", text[at - 1])) {
    at--;
  }
  int is_wide = at - l->first >= 3 && memcmp(text + at - 3, "\xE3\x80\x82", 3) == 0; /* 。 */
  return !is_wide && (at == l->first || !strchr(".!?:", text[at - 1]));
}

/* "Time: {now}", "for {{ user.name }}", "${new Date()}": it is filled in later, and no block of code ends there. */
static int ends_with_place(const char *text, const Line *l) {
  size_t end = l->last, n = 0;
  for (; end > l->first && text[end - 1] == '}'; end--) {
    n++;
  }
  size_t open = end;
  while (open > l->first && !strchr("{}", text[open - 1])) {
    open--;
  }
  size_t from = open;
  while (from > l->first && text[from - 1] == '{') {
    from--;
  }
  int is_marked = n > 1 || (from > l->first && strchr("$#", text[from - 1]));
  for (size_t i = open; i < end && !is_marked; i++) {
    if (strchr(" \";=", text[i])) {
      return 0;
    }
  }
  return open - from == n;
}

static int is_code(const char *text, const Line *l) {
  static const char *const signs[] = {" = ", " == ", "();", "->", "=>", " := ", " += ", "::"};
  if (line_is_blank(l)) {
    return 0;
  }
  char last = text[l->last - 1];
  if (last == ';' || last == '{' || (last == '}' && !ends_with_place(text, l)) || last == '\\') {
    return 1;
  }
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
    if (holds(text, l, signs[i])) {
      return 1;
    }
  }
  return closes_tag(text, l) || begins_as_code(text, l);
}

int lines_are_code(const char *text, size_t from, size_t end) {
  size_t lines = 0, code = 0;
  for (size_t at = from; at < end;) {
    Line l = line_at(text, end, at);
    lines++;
    code += (size_t)is_code(text, &l);
    if (at > from && l.first > l.from && memchr(text + l.from, '\t', l.first - l.from)) {
      return 1; /* a recipe of a Makefile */
    }
    at = l.next;
  }
  return lines > 1 && 2 * code >= lines;
}
