/*
** A tolerant reader of JSON, and its printer. See json_mend.h for what is read.
**
** One reader serves both uses: without `err` it only looks where a value ends, with it it makes the tree.
** It recurses as deep as the text is nested, at most LIMIT_JSON_DEPTH.
**
** A number of the tree is a cJSON number whose valuestring is a pointer into the text, where its digits begin, and
** whose valueint is their count: the flag cJSON_IsReference keeps cJSON from freeing it. SQLite reads integers of 64 bits, and users read ids
** of more; printed from a double they would end in other digits.
*/
#include "core/schema/json_mend.h"

#include "base/text/text.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
  const char *at, *end;
  int depth, is_loose;
  JsonFault fault; /* `expected` is NULL while all is well */
  Err *err;        /* NULL: no tree is made */
  Buf text;        /* the string read last */
} Reader;

static int read_value(Reader *r, cJSON *parent, const char *key, cJSON **made);

/* Bytes at p that separate tokens; 0 where others stand. */
static size_t blank_length(const char *p, const char *end) {
  static const char *const blanks[] = {"\xEF\xBB\xBF", "\xC2\xA0", "\xE2\x80\x8B", "\xE2\x80\xA8",
                                       "\xE2\x80\xA9"};
  if ((unsigned char)*p <= ' ' || *p == 0x7F) {
    return 1;
  }
  for (size_t i = 0; (unsigned char)*p >= 0xC2 && i < sizeof blanks / sizeof blanks[0]; i++) {
    size_t n = strlen(blanks[i]);
    if ((size_t)(end - p) >= n && memcmp(p, blanks[i], n) == 0) {
      return n;
    }
  }
  return 0;
}

const char *json_mend_skip(const char *at, const char *end) {
  size_t n;
  while (at < end && (n = blank_length(at, end)) > 0) {
    at += n;
  }
  return at;
}

/* Always returns 0. */
static int fault_at(Reader *r, const char *at, const char *expected) {
  if (!r->fault.expected) {
    r->fault.at = at;
    r->fault.expected = expected;
    r->fault.is_end = at >= r->end;
  }
  return 0;
}

/* Passes over blanks, and comments. */
static void skip(Reader *r) {
  const char *before;
  do {
    before = r->at = json_mend_skip(r->at, r->end);
    if (r->is_loose && r->end - r->at > 1 && r->at[0] == '/' && strchr("/*", r->at[1])) {
      const char *mark = r->at[1] == '/' ? "\n" : "*/", *text = r->at + 2;
      const char *close = memmem(text, (size_t)(r->end - text), mark, strlen(mark));
      r->at = close ? close + strlen(mark) : r->end;
    }
  } while (r->at > before);
}

/* The character c, behind blanks. */
static int take(Reader *r, char c) {
  skip(r);
  int is_there = r->at < r->end && *r->at == c;
  r->at += is_there;
  return is_there;
}

/* ---- strings */

/* Appends a character; what can't stand in a text is U+FFFD. */
static void add_character(Buf *b, int c) {
  char bytes[4];
  c = c == 0 || (c >= 0xD800 && c <= 0xDFFF) ? 0xFFFD : c;
  buf_add(b, bytes, utf8_encode((unsigned)c, bytes));
}

/* A \u escape, behind its backslash: both, where two make a pair. */
static int read_unicode(Reader *r) {
  int c = json_hex(r->at + 1, r->end, 4);
  if (c < 0) {
    return fault_at(r, r->at, "four hexadecimal digits behind \\u");
  }
  r->at += 5;
  if (c >= 0xD800 && c <= 0xDBFF && r->end - r->at > 1 && r->at[0] == '\\' && r->at[1] == 'u') {
    int second = json_hex(r->at + 2, r->end, 4);
    if (second >= 0xDC00 && second <= 0xDFFF) {
      c = 0x10000 + ((c - 0xD800) << 10 | (second - 0xDC00));
      r->at += 6;
    }
  }
  if (r->err) {
    add_character(&r->text, c);
  }
  return 1;
}

/* An escape that JSON does not know, behind its backslash. */
static void read_unknown_escape(Reader *r) {
  int c = r->at < r->end ? (unsigned char)*r->at : 0;
  int byte = c == 'x' ? json_hex(r->at + 1, r->end, 2) : -1;
  if (byte >= 0) {
    r->at += 3;
    if (r->err) {
      add_character(&r->text, byte);
    }
  } else if (isalnum(c)) {
    if (r->err) {
      buf_add(&r->text, "\\", 1);
    }
  } else if (c > 0 && c < 0x80) { /* (not the end of the string, though it be a quote) */
    r->at++;
    if (r->err) {
      add_character(&r->text, c);
    }
  }
}

static int read_escape(Reader *r) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  r->at++;
  if (r->at < r->end && *r->at == 'u' && (!r->is_loose || json_hex(r->at + 1, r->end, 4) >= 0)) {
    return read_unicode(r);
  }
  const char *name = r->at < r->end && *r->at ? strchr(names, *r->at) : NULL;
  if (!name && r->is_loose) {
    read_unknown_escape(r);
    return 1;
  }
  if (!name) {
    return fault_at(r, r->at, "one of \"\\/bfnrtu behind a backslash");
  }
  r->at++;
  if (r->err) {
    buf_add(&r->text, &values[name - names], 1);
  }
  return 1;
}

/* What stands around strings; all but the first only to the loose reader. */
static const struct Quote {
  const char *open, *close, *or_close;
} quotes[] = {
    {"\"", "\"", "\""},
    {"'", "'", "'"},
    {"\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9C"}, /* double: high, */
    {"\xE2\x80\x9D", "\xE2\x80\x9D", "\xE2\x80\x9D"},
    {"\xE2\x80\x9E", "\xE2\x80\x9C", "\xE2\x80\x9D"}, /* low */
    {"\xE2\x80\x98", "\xE2\x80\x99", "\xE2\x80\x98"}, /* single: high, */
    {"\xE2\x80\x99", "\xE2\x80\x99", "\xE2\x80\x99"},
    {"\xE2\x80\x9A", "\xE2\x80\x98", "\xE2\x80\x99"}, /* low */
};

static int stands(const Reader *r, const char *what) {
  size_t n = strlen(what);
  return *r->at == *what && (size_t)(r->end - r->at) >= n && memcmp(r->at, what, n) == 0;
}

/* The quotes that open here, or NULL. */
static const struct Quote *quote_at(const Reader *r) {
  size_t n = r->is_loose ? sizeof quotes / sizeof quotes[0] : 1;
  for (size_t i = 0; r->at < r->end && i < n; i++) {
    if (stands(r, quotes[i].open)) {
      return &quotes[i];
    }
  }
  return NULL;
}

/* Bytes of the quote that closes here; 0: none does. */
static size_t closes(const Reader *r, const struct Quote *quote) {
  return stands(r, quote->close) || stands(r, quote->or_close) ? strlen(quote->close) : 0;
}

/* A string, into r->text where a tree is made. */
static int read_string(Reader *r) {
  skip(r);
  const struct Quote *quote = quote_at(r);
  if (!quote) {
    return fault_at(r, r->at, "a name in double quotes");
  }
  r->at += strlen(quote->open);
  buf_clear(&r->text);
  while (r->at < r->end && !closes(r, quote)) {
    const char *run = r->at;
    while (r->at < r->end && *r->at != '\\' && *r->at && !closes(r, quote)) {
      r->at++;
    }
    if (r->err && r->at > run) {
      text_replace_invalid(run, (size_t)(r->at - run), &r->text);
    }
    if (r->at < r->end && !*r->at) {
      r->at++;
      if (r->err) {
        add_character(&r->text, 0);
      }
    } else if (r->at < r->end && *r->at == '\\' && !read_escape(r)) {
      return 0;
    }
  }
  if (r->at >= r->end) {
    return fault_at(r, r->end, "the end of a string");
  }
  r->at += closes(r, quote);
  if (r->err && r->text.failed) {
    err_nomem(r->err);
  }
  return !r->err || r->err->rc == RC_OK;
}

/* ---- numbers */

typedef struct Number {
  int is_negative, has_point;
  const char *whole, *part, *power; /* digits; those of the power behind its sign */
  size_t n_whole, n_part, n_power;
  int power_is_negative;
} Number;

static size_t count_digits(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end && p[n] >= '0' && p[n] <= '9') {
    n++;
  }
  return n;
}

/* The number at p: its end, or NULL where there is none. */
static const char *split_number(const char *p, const char *end, Number *x) {
  *x = (Number){.is_negative = p < end && *p == '-'};
  p += p < end && (*p == '-' || *p == '+');
  for (; end - p > 1 && p[0] == '0' && p[1] >= '0' && p[1] <= '9'; p++) {
  }
  x->whole = p;
  p += x->n_whole = count_digits(p, end);
  x->has_point = p < end && *p == '.';
  p += x->has_point;
  x->part = p;
  p += x->n_part = x->has_point ? count_digits(p, end) : 0;
  if (x->n_whole == 0 && x->n_part == 0) {
    return NULL;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    const char *power = p + 1;
    x->power_is_negative = power < end && *power == '-';
    power += power < end && (*power == '+' || *power == '-');
    x->power = power;
    x->n_power = count_digits(power, end);
    p = x->n_power ? power + x->n_power : p;
  }
  return p;
}

/* The nearest double. Without a point, so that strtod reads it the same in every locale. */
static double number_value(const Number *x) {
  char digits[64];
  size_t n = 0, n_all = x->n_whole + x->n_part;
  long long power = 0;
  for (size_t i = 0; i < x->n_power && power < 1000000000; i++) {
    power = power * 10 + (x->power[i] - '0');
  }
  power = (x->power_is_negative ? -power : power) - (long long)x->n_part;
  digits[n++] = x->is_negative ? '-' : '+';
  size_t i = 0;
  for (int leads = 1; i < n_all && n < 40; i++) {
    char c = i < x->n_whole ? x->whole[i] : x->part[i - x->n_whole];
    leads = leads && c == '0' && i + 1 < n_all;
    if (!leads) {
      digits[n++] = c;
    }
  }
  snprintf(digits + n, sizeof digits - n, "e%lld", power + (long long)(n_all - i));
  return strtod(digits, NULL);
}

static void print_number(const cJSON *item, Buf *out) {
  const char *text = item->valuestring;
  Number x;
  split_number(text, text + item->valueint, &x);
  buf_puts(out, x.is_negative ? "-" : "");
  buf_add(out, x.n_whole ? x.whole : "0", x.n_whole ? x.n_whole : 1);
  if (x.has_point) {
    buf_puts(out, ".");
    buf_add(out, x.n_part ? x.part : "0", x.n_part ? x.n_part : 1);
  }
  if (x.n_power) {
    buf_puts(out, x.power_is_negative ? "e-" : "e");
    buf_add(out, x.power, x.n_power);
  }
}

/* ---- values */

/* The item, where one is wanted, in its place. */
static int place(Reader *r, cJSON *item, cJSON *parent, const char *key, cJSON **made) {
  if (!parent && !item) {
    return !err_nomem(r->err);
  }
  *made = parent ? json_add(parent, key, item, r->err) : item;
  return *made != NULL;
}

static int read_number(Reader *r, cJSON *parent, const char *key, cJSON **made) {
  Number x;
  const char *start = r->at, *end = split_number(start, r->end, &x);
  if (!end) {
    return fault_at(r, start, "a value");
  }
  r->at = end;
  if (!r->err) {
    return 1;
  }
  cJSON *item = cJSON_CreateNumber(number_value(&x));
  if (item) {
    item->valuestring = (char *)(uintptr_t)start;
    item->valueint = (int)(end - start);
    item->type |= cJSON_IsReference;
  }
  return place(r, item, parent, key, made);
}

/* A word, or none: `item` is what it says, where a tree is made. */
static int read_word(Reader *r, cJSON *parent, const char *key, cJSON **made) {
  enum { LOOSE = 3 }; /* of the last ones */
  static const struct {
    const char *word;
    int type;
  } words[] = {{"null", cJSON_NULL},      {"true", cJSON_True},     {"false", cJSON_False},
               {"NaN", cJSON_NULL},       {"Infinity", cJSON_NULL}, {"-Infinity", cJSON_NULL},
               {"+Infinity", cJSON_NULL}, {"-NaN", cJSON_NULL},     {"None", cJSON_NULL},
               {"True", cJSON_True},      {"False", cJSON_False}};
  const size_t n_words = sizeof words / sizeof words[0] - (r->is_loose ? 0 : LOOSE);
  for (size_t i = 0; i < n_words; i++) {
    size_t n = strlen(words[i].word);
    if ((size_t)(r->end - r->at) >= n && memcmp(r->at, words[i].word, n) == 0) {
      r->at += n;
      return !r->err ||
             place(r,
                   words[i].type == cJSON_NULL ? cJSON_CreateNull()
                                               : cJSON_CreateBool(words[i].type == cJSON_True),
                   parent, key, made);
    }
  }
  return 0;
}

typedef struct Named {
  cJSON *item;
  size_t place;
} Named;

static int compare_named(const void *a, const void *b) {
  const Named *x = a, *y = b;
  int order = strcmp(x->item->string, y->item->string);
  return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* Of members of one name all but the last go. */
static int drop_duplicates(cJSON *object, Err *err) {
  size_t n = 0;
  cJSON *item;
  cJSON_ArrayForEach(item, object) {
    n++;
  }
  Named *all = n > 1 ? malloc(n * sizeof *all) : NULL;
  if (n <= 1 || !all) {
    return n <= 1 || !err_nomem(err);
  }
  n = 0;
  cJSON_ArrayForEach(item, object) {
    all[n] = (Named){item, n};
    n++;
  }
  qsort(all, n, sizeof *all, compare_named);
  for (size_t i = 0; i + 1 < n; i++) {
    if (strcmp(all[i].item->string, all[i + 1].item->string) == 0) {
      cJSON_Delete(cJSON_DetachItemViaPointer(object, all[i].item));
    }
  }
  free(all);
  return 1;
}

/* A member of an object with its name; of an array without. */
static int read_member(Reader *r, int is_object, cJSON *parent) {
  char *key = NULL;
  cJSON *made = NULL;
  if (is_object) {
    if (!read_string(r) || !take(r, ':')) {
      return fault_at(r, r->at, "':'");
    }
    r->fault.is_meant |= r->depth == 1;
    key = r->err ? strdup(r->text.data ? r->text.data : "") : NULL;
    if (r->err && !key) {
      return !err_nomem(r->err);
    }
  }
  int ok = read_value(r, parent, key, &made);
  free(key);
  return ok;
}

static int read_members(Reader *r, int is_object, cJSON *into) {
  const char close = is_object ? '}' : ']';
  while (!take(r, close)) {
    int is_simple = r->at < r->end && !strchr("{[\"", *r->at);
    if (!read_member(r, is_object, into)) {
      return 0;
    }
    int goes_on = take(r, ',');
    r->fault.is_meant |= r->depth == 1 && !is_simple && (goes_on || r->at >= r->end);
    if (!goes_on) {
      return take(r, close) || fault_at(r, r->at, is_object ? "',' or '}'" : "',' or ']'");
    }
  }
  return 1;
}

static int read_container(Reader *r, cJSON *parent, const char *key, cJSON **made) {
  int is_object = *r->at == '{';
  if (r->depth == LIMIT_JSON_DEPTH) {
    r->fault.is_meant = 1;
    return fault_at(r, r->at, "no deeper nesting");
  }
  if (r->err &&
      !place(r, is_object ? cJSON_CreateObject() : cJSON_CreateArray(), parent, key, made)) {
    return 0;
  }
  r->at++;
  r->depth++;
  int ok = read_members(r, is_object, *made);
  r->depth--;
  return ok && (!r->err || !is_object || drop_duplicates(*made, r->err));
}

static int read_value(Reader *r, cJSON *parent, const char *key, cJSON **made) {
  skip(r);
  if (r->at >= r->end) {
    return fault_at(r, r->at, "a value");
  }
  if (*r->at == '{' || *r->at == '[') {
    return read_container(r, parent, key, made);
  }
  if (quote_at(r)) {
    return read_string(r) &&
           (!r->err ||
            place(r, cJSON_CreateString(r->text.data ? r->text.data : ""), parent, key, made));
  }
  const char *start = r->at;
  return read_word(r, parent, key, made) || (r->at == start && read_number(r, parent, key, made));
}

const char *json_mend_scan(const char *at, const char *end, int is_loose, JsonFault *fault) {
  Reader r = {.at = at, .end = end, .is_loose = is_loose};
  cJSON *none = NULL;
  int ok = read_value(&r, NULL, NULL, &none);
  *fault = r.fault;
  return ok ? r.at : NULL;
}

cJSON *json_mend_tree(const char *at, const char *end, int is_loose, Err *err) {
  Reader r = {.at = at, .end = end, .is_loose = is_loose, .err = err};
  cJSON *tree = NULL;
  buf_init(&r.text, 3 * (size_t)(end - at) + 1); /* a byte that is not UTF-8 becomes three */
  int ok = read_value(&r, NULL, NULL, &tree);
  buf_free(&r.text);
  if (!ok) {
    cJSON_Delete(tree);
    err_nomem(err);
  }
  return ok ? tree : NULL;
}

/* ---- printing */

static void print_string(const char *s, Buf *out) {
  buf_puts(out, "\"");
  while (*s) {
    const char *run = s;
    while ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\') {
      s++;
    }
    buf_add(out, run, (size_t)(s - run));
    if (*s) {
      static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
      const char *name = strchr(names, *s);
      if (name) {
        buf_printf(out, "\\%c", letters[name - names]);
      } else {
        buf_printf(out, "\\u%04x", (unsigned)*s);
      }
      s++;
    }
  }
  buf_puts(out, "\"");
}

int json_mend_print(const cJSON *tree, Buf *out) {
  if (cJSON_IsString(tree)) {
    print_string(tree->valuestring, out);
  } else if (cJSON_IsNumber(tree)) {
    print_number(tree, out);
  } else if (cJSON_IsArray(tree) || cJSON_IsObject(tree)) {
    int is_object = cJSON_IsObject(tree);
    const cJSON *item;
    buf_puts(out, is_object ? "{" : "[");
    cJSON_ArrayForEach(item, tree) {
      buf_puts(out, item == tree->child ? "" : ",");
      if (is_object) {
        print_string(item->string, out);
        buf_puts(out, ":");
      }
      json_mend_print(item, out);
    }
    buf_puts(out, is_object ? "}" : "]");
  } else {
    buf_puts(out, cJSON_IsNull(tree) ? "null" : cJSON_IsTrue(tree) ? "true" : "false");
  }
  return out->failed;
}
