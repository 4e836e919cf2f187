/*
** See escape.h for the contract.
*/
#include "core/report/escape.h"

#include "base/utf8.h"

#include <string.h>
#include <strings.h>

/* ---- JSON */

/* The bytes at the front that a JSON string holds as they are. */
static size_t plain_length(const char *text, size_t n) {
  size_t i = 0, step = 1;
  while (i < n && step > 0 && (unsigned char)text[i] >= ' ' && text[i] != '"' && text[i] != '\\') {
    step = utf8_length(text + i, n - i);
    i += step;
  }
  return i;
}

void escape_json(const char *text, size_t n, Buf *out) {
  buf_puts(out, "\"");
  for (size_t i = 0; i < n;) {
    size_t plain = plain_length(text + i, n - i);
    buf_add(out, text + i, plain);
    i += plain;
    if (i < n && (unsigned char)text[i] < 0x80) {
      buf_printf(out, "\\u%04x", (unsigned)(unsigned char)text[i]);
      i++;
    } else if (i < n) {
      buf_puts(out, "\\ufffd");
      i += utf8_bad_length(text + i, n - i);
    }
  }
  buf_puts(out, "\"");
}

/* ---- Markdown */

/* Bytes at the front that are not shown: what ends a line, controls, and marks that turn a line's direction or are not seen. */
static size_t hidden_length(const char *p, size_t n) {
  const unsigned char *u = (const unsigned char *)p;
  if (u[0] < ' ' || u[0] == 0x7F) {
    return 1;
  }
  int is_general = n >= 3 && u[0] == 0xE2 &&
                   ((u[1] == 0x80 && (u[2] >= 0x8B && u[2] <= 0x8F)) ||
                    (u[1] == 0x80 && (u[2] >= 0xA8 && u[2] <= 0xAE)) ||
                    (u[1] == 0x81 && (u[2] >= 0xA0 && u[2] <= 0xAF)));
  return is_general ? 3 : 0;
}

/* What makes a link of text that is none: a backslash takes its meaning away. */
static size_t link_length(const char *p, size_t n) {
  return n > 2 && memcmp(p, "://", 3) == 0            ? 1
         : n > 3 && strncasecmp(p, "www.", 4) == 0    ? 3
         : n > 6 && strncasecmp(p, "mailto:", 7) == 0 ? 6
                                                      : 0;
}

/* Appends what stands for the ASCII character at the front, and returns how many were taken. */
static size_t add_ascii(Buf *out, const char *p, size_t n) {
  size_t link = link_length(p, n);
  if (*p == '<' || *p == '>' || *p == '&') {
    buf_puts(out, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
    return 1;
  }
  if (link > 1) {
    buf_add(out, p, link);
    buf_puts(out, "\\");
    return link;
  }
  buf_puts(out, link || strchr("\\`*_[]|~$", *p) ? "\\" : "");
  buf_add(out, p, 1);
  buf_puts(out, *p == '@' || *p == '#'
                    ? "<!-- -->"
                    : ""); /* links of addresses, people and numbers heed no backslash */
  return 1;
}

/* The same for any character. */
static size_t add_character(Buf *out, const char *p, size_t n) {
  size_t hidden = hidden_length(p, n), length = utf8_length(p, n);
  if (hidden) {
    buf_puts(out, hidden == 1 ? " " : "");
    return hidden;
  }
  if ((unsigned char)*p < 0x80) {
    return add_ascii(out, p, n);
  }
  length ? buf_add(out, p, length) : buf_puts(out, "\xEF\xBF\xBD");
  return length ? length : utf8_bad_length(p, n);
}

void escape_markdown(const char *text, size_t n, size_t most, Buf *out) {
  size_t i = 0;
  while (i < n && i < most) {
    i += add_character(out, text + i, n - i);
  }
  if (i < n) {
    buf_puts(out, "\xE2\x80\xA6");
  }
}
