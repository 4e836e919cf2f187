/*
** See page.h for the contract.
*/
#include "wire/answer/page.h"

#include "base/utf8.h"

#include <string.h>
#include <strings.h>

/* What can't be a title's place any more. */
enum { MOST_SEARCHED = 16384 };

/* Puts "?" for what is no UTF-8; a character that was cut at the end goes. */
static void mend_utf8(char *text, size_t n, int is_cut) {
  size_t at = 0, bad_at = 0;
  while (!utf8_is_valid(text + at, n - at, &bad_at)) {
    at += bad_at;
    if (is_cut && utf8_bad_length(text + at, n - at) == n - at && n - at < 4 && text[at] & 0x40) {
      n = at;
    } else {
      text[at++] = '?';
    }
  }
  text[n] = 0;
}

void page_line(const char *text, size_t n, char *out, size_t size) {
  size_t kept = 0, i = 0;
  for (; i < n && kept < size - 1; i++) {
    unsigned char c = (unsigned char)text[i];
    int is_blank = c <= ' ' || c == 0x7F;
    if (!is_blank) {
      out[kept++] = text[i];
    } else if (kept && out[kept - 1] != ' ') {
      out[kept++] = ' ';
    }
  }
  mend_utf8(out, kept, i < n);
  kept = strlen(out);
  out[kept - (kept && out[kept - 1] == ' ')] = 0;
}

static const char *find_folded(const char *text, size_t n, const char *word) {
  size_t length = strlen(word);
  for (size_t i = 0; i + length <= n; i++) {
    if (strncasecmp(text + i, word, length) == 0) {
      return text + i;
    }
  }
  return NULL;
}

int page_is_html(const char *content_type, const char *body, size_t n) {
  size_t at = 0, head = n < 512 ? n : 512;
  while (at < head && ((unsigned char)body[at] <= ' ' || (unsigned char)body[at] >= 0xBB)) {
    at++; /* blanks, a byte order mark */
  }
  return (content_type && find_folded(content_type, strlen(content_type), "html")) ||
         (at < head && body[at] == '<' &&
          (find_folded(body, head, "<html") || find_folded(body, head, "<!doctype html") ||
           find_folded(body, head, "<head") || find_folded(body, head, "<title")));
}

/* Without tags, and with the few entities that titles have. */
static size_t strip(const char *text, size_t n, char *out, size_t size) {
  static const struct {
    const char *name;
    char is;
  } entities[] = {{"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},  {"&quot;", '"'},
                  {"&#39;", '\''}, {"&#x27;", '\''}, {"&nbsp;", ' '}};
  size_t kept = 0;
  int in_tag = 0;
  for (size_t i = 0; i < n && kept < size; i++) {
    char c = text[i];
    for (size_t e = 0; c == '&' && e < sizeof entities / sizeof entities[0]; e++) {
      size_t length = strlen(entities[e].name);
      if (n - i >= length && strncasecmp(text + i, entities[e].name, length) == 0) {
        out[kept++] = entities[e].is;
        i += length - 1;
        c = 0;
      }
    }
    in_tag |= c == '<';
    if (c && !in_tag) {
      out[kept++] = c;
    }
    in_tag &= c != '>';
  }
  return kept;
}

/* What stands in the first element of that name. */
static int take_element(const char *body, size_t n, const char *open, const char *close, char *out,
                        size_t size) {
  char inside[512] = "";
  const char *from = find_folded(body, n, open), *end = body + n;
  from = from ? memchr(from, '>', (size_t)(end - from)) : NULL;
  const char *to = from ? find_folded(from, (size_t)(end - from), close) : NULL;
  out[0] = 0;
  if (to) {
    size_t length = strip(from + 1, (size_t)(to - from - 1), inside, sizeof inside);
    page_line(inside, length, out, size);
  }
  return out[0] != 0;
}

void page_title(const char *body, size_t n, char *out, size_t size) {
  static const char *const elements[][2] = {
      {"<title", "</title"}, {"<h1", "</h1"}, {"<h2", "</h2"}, {"<message", "</message"}};
  n = n < MOST_SEARCHED ? n : MOST_SEARCHED;
  for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
    if (take_element(body, n, elements[i][0], elements[i][1], out, size)) {
      return;
    }
  }
}
