/*
** See json_lenient.h for the contract.
**
** The text is parsed as it is; only one that fails is copied, with what can be mended mended on the way. The copy
** is made by a lexer that knows strings from what stands between them and nothing else of the grammar: it closes
** nothing and adds no member, so a text that ends early still does. Places are bytes of the text that came, not of
** the copy: for a copy that fails as well, the lexer is run again up to the place.
**
** Of a piece of a stream what may be half of something stays in the copy, as bytes that cJSON hands through:
** its names are mended at once, its values when their text has been joined with the next piece's.
**
** Names that stand twice are looked for in every object: in a small one pair by pair, in a large one by sorting, since
** an object of a million names may be sent by anybody.
*/
#include "base/text/json_lenient.h"

#include "base/buf.h"
#include "base/text/text.h"
#include "base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- mending */

typedef struct Mend {
  const char *text;
  size_t n, at;
  size_t bad_at; /* the next byte that is no UTF-8; n: none */
  int in_string, is_changed;
  int keeps; /* halves and stray bytes of strings stay */
  Buf out;
} Mend;

/* Longest number that cJSON reads. */
enum { LONGEST_NUMBER = 63 };

static void look_for_bad_byte(Mend *m) {
  size_t good = m->n - m->at;
  utf8_is_valid(m->text + m->at, m->n - m->at, &good);
  m->bad_at = m->at + good;
}

/* Writes `with` in the place of the next n bytes. */
static void replace(Mend *m, size_t n, const char *with) {
  buf_puts(&m->out, with);
  m->at += n;
  m->is_changed = 1;
}

static void keep(Mend *m, size_t n) {
  buf_add(&m->out, m->text + m->at, n);
  m->at += n;
}

static int is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* A backslash in front of what JSON knows no escape of. JavaScript's \x27 is a character; a letter keeps its
** backslash (a path, a regular expression, TeX); else the backslash is Markdown's or Python's, and goes. */
static void mend_unknown_escape(Mend *m) {
  const char *p = m->text + m->at;
  if (m->n - m->at >= 4 && p[1] == 'x' && is_hex(p[2]) && is_hex(p[3])) {
    buf_printf(&m->out, memcmp(p + 2, "00", 2) == 0 ? "\\ufffd" : "\\u00%.2s", p + 2);
    m->at += 4;
    m->is_changed = 1;
  } else {
    replace(m, 1, isalnum((unsigned char)p[1]) ? "\\\\" : "");
  }
}

/* Half of a pair, as an escape. */
static void mend_half(Mend *m) {
  char bytes[5] = "", digits[5] = "";
  memcpy(digits, m->text + m->at + 2, 4);
  utf8_encode((unsigned)strtoul(digits, NULL, 16), bytes);
  replace(m, 6, m->keeps ? bytes : "\\ufffd");
}

/* A backslash and what belongs to it. */
static void mend_escape(Mend *m) {
  size_t left = m->n - m->at, n = json_escape_length(m->text + m->at, left);
  if (n == 0 && json_is_half_pair(m->text + m->at, left)) {
    mend_half(m);
  } else if (n == 0 && left > 1) {
    mend_unknown_escape(m);
  } else {
    keep(m, n ? n : 1);
  }
}

/* A byte that is no UTF-8, and those that belong to it. */
static void mend_bad_byte(Mend *m) {
  const char *p = m->text + m->at;
  size_t left = m->n - m->at;
  char bytes[5] = "";
  unsigned pair = utf8_pair(p, left);
  if (pair) {
    utf8_encode(pair, bytes);
    replace(m, 6, bytes);
  } else if (m->keeps && m->in_string) {
    keep(m, utf8_bad_length(p, left));
    m->is_changed = 1;
  } else {
    replace(m, utf8_bad_length(p, left), "\xEF\xBF\xBD");
  }
  look_for_bad_byte(m);
}

static int is_word_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '.' || c == '+' || c == '-';
}

/* 1 if the n bytes are what C, Python or JavaScript print for a number that is none. */
static int is_no_number(const char *word, size_t n) {
  static const char *const words[] = {"nan", "inf", "infinity"};
  size_t sign = n && (*word == '-' || *word == '+');
  int found = 0;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    found |= strlen(words[i]) == n - sign && strncasecmp(word + sign, words[i], n - sign) == 0;
  }
  return found;
}

static void shorten_number(Mend *m, size_t n) {
  Buf digits;
  buf_init(&digits, n + 1);
  if (buf_add(&digits, m->text + m->at, n) != RC_OK) {
    buf_fail(&m->out, RC_NOMEM);
    m->at += n;
    return;
  }
  char *end;
  double value = strtod(digits.data, &end);
  if (*end || !isfinite(value)) {
    keep(m, n);
  } else {
    buf_printf(&m->out, "%.17g", value);
    m->at += n;
    m->is_changed = 1;
  }
  buf_free(&digits);
}

/* A word or a number outside strings. */
static void mend_word(Mend *m) {
  const char *word = m->text + m->at;
  size_t n = 0;
  while (n < m->n - m->at && is_word_char(word[n])) {
    n++;
  }
  if (is_no_number(word, n)) {
    replace(m, n, "null");
  } else if (n > LONGEST_NUMBER) {
    shorten_number(m, n);
  } else {
    keep(m, n);
  }
}

/* What needs no look: up to the end of the string, an escape, a byte to mend. */
static void keep_plain(Mend *m) {
  size_t end = m->at;
  while (end < m->bad_at && m->text[end] != '"' && m->text[end] != '\\' && m->text[end]) {
    end++;
  }
  keep(m, end - m->at);
}

static void mend_next(Mend *m) {
  char c = m->text[m->at];
  if (m->at == m->bad_at) {
    mend_bad_byte(m);
  } else if (c == '"') {
    m->in_string = !m->in_string;
    keep(m, 1);
  } else if (m->in_string && c == '\\') {
    mend_escape(m);
  } else if (m->in_string && c == 0) {
    replace(m, 1, "\\ufffd");
  } else if (m->in_string) {
    keep_plain(m);
  } else if (is_word_char(c)) {
    mend_word(m);
  } else {
    keep(m, 1);
  }
}

/* Passes over what may stand in front of the text and behind it. */
static void trim(Mend *m) {
  size_t before = 0, n = m->n;
  while (before < n) {
    int is_mark = n - before >= 3 && memcmp(m->text + before, "\xEF\xBB\xBF", 3) == 0;
    if (!is_mark && m->text[before]) {
      break;
    }
    before += is_mark ? 3 : 1;
  }
  while (m->n > before && (m->text[m->n - 1] == 0 || strchr(" \t\r\n", m->text[m->n - 1]))) {
    m->n--;
  }
  m->at = before;
  m->is_changed = before > 0 || m->n < n;
}

/* Mends up to where the copy is `most` bytes long. The caller frees m->out. */
static void mend(Mend *m, const char *text, size_t n, int keeps, size_t most) {
  *m = (Mend){.text = text, .n = n, .keeps = keeps};
  buf_init(&m->out, 6 * n + 8); /* a NUL becomes an escape of six bytes */
  trim(m);
  look_for_bad_byte(m);
  while (m->at < m->n && m->out.n < most && !m->out.failed) {
    mend_next(m);
  }
}

/* ---- UTF-16 */

static void add_char(Buf *out, uint32_t c) {
  char bytes[4];
  buf_add(out, bytes, utf8_encode(c, bytes));
}

/* 1 if the text begins with UTF-16's byte order mark: it is written into *out as UTF-8. */
static int read_utf16(const char *text, size_t n, Buf *out) {
  const unsigned char *p = (const unsigned char *)text;
  int is_little = n >= 2 && p[0] == 0xFF && p[1] == 0xFE;
  if (!is_little && !(n >= 2 && p[0] == 0xFE && p[1] == 0xFF)) {
    return 0;
  }
  uint32_t high = 0;
  for (size_t i = 2; i + 1 < n; i += 2) {
    uint32_t c = (uint32_t)p[i + (size_t)is_little] << 8 | p[i + !is_little];
    int is_low = c >= 0xDC00 && c <= 0xDFFF;
    if (high) {
      add_char(out, is_low ? 0x10000 + ((high - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD);
    }
    int is_paired = high && is_low;
    high = c >= 0xD800 && c <= 0xDBFF ? c : 0;
    if (!high && !is_paired) {
      add_char(out, is_low ? 0xFFFD : c);
    }
  }
  if (high || n % 2) {
    add_char(out, 0xFFFD);
  }
  return 1;
}

/* ---- names that stand twice */

typedef struct Named {
  cJSON *item;
  size_t at;
} Named;

static int by_name(const void *a, const void *b) {
  const Named *x = a, *y = b;
  int order = strcmp(x->item->string, y->item->string);
  return order ? order : x->at < y->at ? -1 : 1;
}

static void drop(cJSON *object, cJSON *item) {
  cJSON_Delete(cJSON_DetachItemViaPointer(object, item));
}

/* The size from which sorting is cheaper than pairs. */
enum { FEW_NAMES = 24 };

static void drop_pair_by_pair(cJSON *object) {
  for (cJSON *item = object->child, *next; item; item = next) {
    const cJSON *later = item->next;
    next = item->next;
    while (later && (later->string[0] != item->string[0] || strcmp(later->string, item->string))) {
      later = later->next;
    }
    if (later) {
      drop(object, item);
    }
  }
}

static int drop_sorted(cJSON *object, size_t n) {
  Named *all = malloc(n * sizeof *all);
  size_t at = 0;
  if (!all) {
    return RC_NOMEM;
  }
  for (cJSON *item = object->child; item; item = item->next, at++) {
    all[at] = (Named){item, at};
  }
  qsort(all, n, sizeof *all, by_name);
  for (size_t i = 0; i + 1 < n; i++) {
    if (strcmp(all[i].item->string, all[i + 1].item->string) == 0) {
      drop(object, all[i].item);
    }
  }
  free(all);
  return RC_OK;
}

/* (As deep as the text was nested, which is bounded.) */
static int drop_earlier_names(cJSON *tree) {
  size_t n = 0;
  int rc = RC_OK;
  for (const cJSON *item = tree->child; item; item = item->next) {
    n++;
  }
  if (cJSON_IsObject(tree) && n > FEW_NAMES) {
    rc = drop_sorted(tree, n);
  } else if (cJSON_IsObject(tree)) {
    drop_pair_by_pair(tree);
  }
  for (cJSON *item = tree->child; item && rc == RC_OK; item = item->next) {
    rc = item->child ? drop_earlier_names(item) : RC_OK;
  }
  return rc;
}

/* ---- strings that were kept as they came */

static int mend_string(char **string) {
  size_t n = strlen(*string), bad_at;
  if (utf8_is_valid(*string, n, &bad_at)) {
    return RC_OK;
  }
  Buf b;
  buf_init(&b, 3 * n);
  char *mended = text_join_halves(*string, n, &b) == RC_OK ? cJSON_malloc(b.n + 1) : NULL;
  if (mended) {
    memcpy(mended, b.data, b.n + 1);
    cJSON_free(*string);
    *string = mended;
  }
  buf_free(&b);
  return mended ? RC_OK : RC_NOMEM;
}

static int mend_names(cJSON *tree) {
  int rc = RC_OK;
  for (cJSON *item = tree->child; item && rc == RC_OK; item = item->next) {
    rc = item->string ? mend_string(&item->string) : RC_OK;
    rc = rc == RC_OK ? mend_names(item) : rc;
  }
  return rc;
}

static int mend_values(cJSON *tree) {
  int rc = cJSON_IsString(tree) ? mend_string(&tree->valuestring) : RC_OK;
  for (cJSON *item = tree->child; item && rc == RC_OK; item = item->next) {
    rc = mend_values(item);
  }
  return rc;
}

int json_piece_mend(cJSON *piece, Err *err) {
  return mend_values(piece) == RC_OK ? RC_OK : err_nomem(err);
}

/* ---- reading */

/* Who reads, and what. */
typedef struct Reading {
  const char *what;
  int keeps;
} Reading;

/* The byte of the text from which the byte `at` of its mended copy was made. */
static size_t place_of(const char *text, size_t n, int keeps, size_t at) {
  Mend m;
  mend(&m, text, n, keeps, at);
  size_t beyond = m.out.n > at ? m.out.n - at : 0; /* it goes on in steps */
  buf_free(&m.out);
  return m.at > beyond ? m.at - beyond : 0;
}

/* The tree of the mended copy; NULL and *why, which stands as it is where nothing could be mended. */
static cJSON *parse_mended(const Reading *r, const char *text, size_t n, Err *why) {
  Mend m;
  cJSON *tree = NULL;
  mend(&m, text, n, r->keeps, SIZE_MAX);
  const char *copy = m.out.data ? m.out.data : "";
  size_t bad_at;
  if (m.out.failed) {
    err_clear(why);
    err_nomem(why);
  } else if (m.is_changed) {
    err_clear(why);
    tree = json_parse_bytes(copy, m.out.n, LIMIT_ANSWER_DEPTH, r->what, why);
  }
  if (m.is_changed && !tree && why->rc != RC_NOMEM &&
      !json_is_text(copy, m.out.n, LIMIT_ANSWER_DEPTH, &bad_at) && bad_at != JSON_TOO_DEEP) {
    err_clear(why);
    json_bad_at(r->what, bad_at == m.out.n ? n : place_of(text, n, r->keeps, bad_at), n, why);
  }
  buf_free(&m.out);
  return tree;
}

static cJSON *parse_any(const Reading *r, const char *text, size_t n, Err *why) {
  size_t bad_at;
  int is_utf8 = utf8_is_valid(text, n, &bad_at);
  cJSON *tree = is_utf8 ? json_parse_bytes(text, n, LIMIT_ANSWER_DEPTH, r->what, why) : NULL;
  if (tree) {
    return tree;
  }
  Buf utf8;
  buf_init(&utf8, 3 * n + 8);
  if (read_utf16(text, n, &utf8)) {
    err_clear(why);
    tree = utf8.failed ? NULL : parse_any(r, utf8.data ? utf8.data : "", utf8.n, why);
    if (utf8.failed) {
      err_nomem(why);
    }
  } else {
    tree = parse_mended(r, text, n, why);
  }
  buf_free(&utf8);
  return tree;
}

static cJSON *read_as(const Reading *r, const char *text, size_t n, Err *err) {
  Err why;
  err_clear(&why);
  if (err->rc != RC_OK) {
    return NULL;
  }
  cJSON *tree = parse_any(r, text, n, &why);
  int rc = tree && r->keeps ? mend_names(tree) : RC_OK;
  if (tree && (rc != RC_OK || drop_earlier_names(tree) != RC_OK)) {
    cJSON_Delete(tree);
    tree = NULL;
    err_nomem(&why);
  }
  if (!tree) {
    *err = why;
  }
  return tree;
}

cJSON *json_parse_lenient(const char *text, size_t n, const char *what, Err *err) {
  return read_as(&(Reading){what, 0}, text, n, err);
}

cJSON *json_piece_parse(const char *text, size_t n, const char *what, Err *err) {
  return read_as(&(Reading){what, 1}, text, n, err);
}
