/*
** See blank.h for the contract. Characters are Unicode's (utf8proc): White_Space, Default_Ignorable_Code_Point, and those
** of format.
*/
#include "core/answer/blank.h"

#include "core/answer/template.h"
#include "core/answer/thoughts.h"

#include <string.h>
#include <utf8proc.h>

/* What else is no text where nothing else is. */
static const char *const others[] = {
    "<s>", "<pad>", "<unk>", "[PAD]", "[UNK]", "[gMASK]", "<sop>", "[DONE]",
};

static int starts(const char *text, const char *with) {
  return text[0] == with[0] && strncmp(text, with, strlen(with)) == 0;
}

size_t blank_length(const char *text) {
  utf8proc_int32_t c;
  if ((unsigned char)*text < 0x80) {
    return *text && (*text <= ' ' || *text == 0x7F);
  }
  utf8proc_ssize_t n =
      utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)strnlen(text, 4), &c);
  if (n < 1) {
    return 0;
  }
  const utf8proc_property_t *is = utf8proc_get_property(c);
  int shows_nothing =
      is->ignorable || is->category == UTF8PROC_CATEGORY_ZS ||
      is->category == UTF8PROC_CATEGORY_ZL || is->category == UTF8PROC_CATEGORY_ZP ||
      is->category == UTF8PROC_CATEGORY_CC || is->category == UTF8PROC_CATEGORY_CF ||
      c == 0x2800; /* Braille's, which Unicode counts as a symbol */
  return shows_nothing ? (size_t)n : 0;
}

/* A name between bars, as no prose has it. */
static size_t bar_length(const char *text) {
  static const char *const bars[][2] = {{"<|", "|>"}, {"<\xEF\xBD\x9C", "\xEF\xBD\x9C>"}};
  enum { LONGEST = 40 };
  for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
    size_t open = strlen(bars[i][0]), n = strlen(bars[i][1]);
    const char *inside = text + open;
    const char *close =
        starts(text, bars[i][0]) ? memmem(inside, strnlen(inside, LONGEST), bars[i][1], n) : NULL;
    if (close) {
      return (size_t)(close - text) + n;
    }
  }
  return 0;
}

static size_t other_length(const char *text) {
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (starts(text, others[i])) {
      return strlen(others[i]);
    }
  }
  return 0;
}

/* Bytes of any mark at the front. */
static size_t mark_length(const char *text) {
  ThoughtMark thought;
  size_t n = template_head(text);
  n = n > 0 ? n : template_end(text);
  n = n > 0 ? n : other_length(text);
  if (n == 0 && thought_mark_at(text, text + strnlen(text, THOUGHT_MARK), &thought)) {
    n = thought.n;
  }
  return n > 0 ? n : bar_length(text);
}

int reply_is_blank(const char *text) {
  size_t n = 1;
  for (const char *s = text ? text : ""; *s && n > 0; s += n) {
    n = blank_length(s);
    n = n > 0 ? n : mark_length(s);
  }
  return n > 0;
}
