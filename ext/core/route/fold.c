/*
** Folded text. See fold.h for the contract.
*/
#include "core/route/fold.h"

#include "base/utf8.h"

#include <string.h>
#include <utf8proc.h>

/* The kinds of ASCII, and 0; SOLID: neither a blank nor a control character. */
enum { SOLID = 128, KIND = 127 };
static const uint8_t ASCII[256] = {
    ['!' ... '/'] = SOLID, ['0' ... '9'] = SOLID | FOLD_DIGIT,
    [':' ... '@'] = SOLID, ['A' ... 'Z'] = SOLID | FOLD_LETTER | FOLD_UPPER,
    ['[' ... '^'] = SOLID, ['_'] = SOLID | FOLD_JOINS,
    ['`'] = SOLID,         ['a' ... 'z'] = SOLID | FOLD_LETTER,
    ['{' ... '~'] = SOLID,
};

/* First bytes of characters over ASCII that may be blanks or invisible. */
static int may_be_gap(unsigned char c) {
  return c == 0xC2 || (c >= 0xE1 && c <= 0xE3) || c == 0xEF;
}

/* Zeros of the digits that people type; their nines are nine further. */
static const int32_t ZEROS[] = {0x660, 0x6F0, 0x966, 0xFF10};

void fold_begin(Fold *f, const char *text, size_t n) {
  *f = (Fold){(const unsigned char *)text, (const unsigned char *)text + n, 0};
}

/* The character at the place, which is not ASCII, and its bytes. */
static int32_t decode(const Fold *f, size_t *bytes) {
  utf8proc_int32_t c;
  size_t left = (size_t)(f->end - f->at);
  utf8proc_ssize_t n = utf8proc_iterate(f->at, (utf8proc_ssize_t)(left < 4 ? left : 4), &c);
  if (n > 0) {
    *bytes = (size_t)n;
    return c;
  }
  *bytes = utf8_bad_length((const char *)f->at, left);
  *bytes += *bytes == 0;
  return 0xFFFD;
}

static int is_invisible(int32_t c) {
  return c == 0xAD || (c >= 0x200B && c <= 0x200F) || c == 0x2060 || c == 0xFEFF;
}

/* What a character between words is: ' ', '\n', or 0 where it is none. */
static int32_t gap_of(int32_t c) {
  if (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029) {
    return '\n';
  }
  int is_blank = c <= ' ' || c == 0x7F || (c >= 0x80 && c <= 0xA0) || c == 0x1680 ||
                 (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000;
  return is_blank ? ' ' : 0;
}

/* Passes blanks and what is invisible: 0 where there is no blank, else what stands for all of them. */
static int32_t pass_gap(Fold *f) {
  int32_t gap = 0;
  while (f->at < f->end && (*f->at < 0x80 ? !(ASCII[*f->at] & SOLID) : may_be_gap(*f->at))) {
    size_t bytes = 1;
    int32_t c = *f->at < 0x80 ? *f->at : decode(f, &bytes), one = gap_of(c);
    if (!one && !is_invisible(c)) {
      break;
    }
    f->at += bytes;
    gap = gap == '\n' || one == 0 ? gap : one;
  }
  return gap;
}

static int is_cjk(int32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0xAC00 && c <= 0xD7AF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static unsigned kind_of_wide(int32_t c) {
  if (is_cjk(c)) {
    return utf8proc_category(c) == UTF8PROC_CATEGORY_PO ? 0 : FOLD_LETTER | FOLD_CJK;
  }
  switch (utf8proc_category(c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LT:
    return FOLD_LETTER | FOLD_UPPER;
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
    return FOLD_LETTER;
  case UTF8PROC_CATEGORY_ND:
    return FOLD_DIGIT;
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
    return FOLD_MARK;
  default:
    return 0;
  }
}

unsigned fold_kind(int32_t c) {
  return c >= 0 && c < 0x80 ? ASCII[c] & KIND : kind_of_wide(c);
}

/* The plain form of what is written in several ways. Fullwidth punctuation of sentences stays what it is. */
static int32_t plain(int32_t c) {
  for (size_t i = 0; i < sizeof ZEROS / sizeof *ZEROS; i++) {
    if (c >= ZEROS[i] && c <= ZEROS[i] + 9) {
      return '0' + c - ZEROS[i];
    }
  }
  if (c == 0x2019 || c == 0x02BC) {
    return '\'';
  }
  if (c == 0x2010 || c == 0x2011) {
    return '-';
  }
  int stays =
      c == 0xFF01 || c == 0xFF0C || c == 0xFF0E || c == 0xFF1A || c == 0xFF1B || c == 0xFF1F;
  return c >= 0xFF01 && c <= 0xFF5E && !stays ? c - 0xFEE0 : c;
}

/* One character of it and the accents behind it, as far as there is such a character. */
static int32_t compose(Fold *f, int32_t c) {
  while (f->end - f->at >= 2 && (f->at[0] == 0xCC || f->at[0] == 0xCD)) {
    size_t bytes = 1;
    utf8proc_int32_t pair[2] = {c, decode(f, &bytes)};
    if (bytes != 2 || utf8proc_normalize_utf32(pair, 2, UTF8PROC_STABLE | UTF8PROC_COMPOSE) != 1) {
      break;
    }
    c = pair[0];
    f->at += bytes;
  }
  return c;
}

static FoldChar fold_wide(int32_t c) {
  unsigned kind = fold_kind(c = plain(c));
  return (FoldChar){kind & FOLD_UPPER ? utf8proc_tolower(c) : c, kind};
}

FoldChar fold_next(Fold *f) {
  int32_t gap = pass_gap(f);
  if (f->at == f->end) {
    return (FoldChar){-1, 0};
  }
  if (gap && f->has_begun) {
    return (FoldChar){gap, 0};
  }
  f->has_begun = 1;
  size_t bytes = 1;
  int32_t c = *f->at < 0x80 ? *f->at : decode(f, &bytes);
  f->at += bytes;
  if (f->at < f->end && (*f->at == 0xCC || *f->at == 0xCD)) {
    c = compose(f, c);
  }
  if (c < 0x80) {
    unsigned kind = ASCII[c] & KIND;
    return (FoldChar){kind & FOLD_UPPER ? c + 0x20 : c, kind};
  }
  return fold_wide(c);
}

/* ASCII that stands for itself, with single blanks, as far as what is behind it is the same: nothing composes with it. */
static int read_ascii(Fold *f, int32_t *chars, uint8_t *kinds, int most) {
  const unsigned char *at = f->at;
  int n = 0, last = f->end - at - 1 < most ? (int)(f->end - at) - 1 : most;
  uint8_t next = last > 0 ? ASCII[*at] : 0;
  for (; n < last; n++) {
    unsigned char c = at[n];
    uint8_t kind = next;
    next = ASCII[at[n + 1]];
    if (!(kind & next & SOLID) && !(kind & SOLID && at[n + 1] == ' ') &&
        !(c == ' ' && next & SOLID)) {
      break;
    }
    chars[n] = c | (kind & FOLD_UPPER);
    kinds[n] = kind & KIND;
  }
  f->at = at + n;
  return n;
}

int fold_read(Fold *f, int32_t *chars, uint8_t *kinds, int most) {
  int n = 0;
  while (n < most) {
    if (f->has_begun) {
      n += read_ascii(f, chars + n, kinds + n, most - n);
    }
    FoldChar c = n < most ? fold_next(f) : (FoldChar){-1, 0};
    if (c.c < 0) {
      break;
    }
    chars[n] = c.c;
    kinds[n++] = (uint8_t)c.kind;
  }
  return n;
}

int fold_text(const char *text, size_t n, Buf *out) {
  Fold f;
  fold_begin(&f, text, n);
  for (FoldChar c = fold_next(&f); c.c >= 0 && !out->failed; c = fold_next(&f)) {
    char bytes[4];
    buf_add(out, bytes, utf8_encode((unsigned)c.c, bytes));
  }
  return out->failed;
}

size_t fold_copy(const char *text, size_t n, char *out, size_t size) {
  Fold f;
  size_t at = 0;
  fold_begin(&f, text, n);
  for (FoldChar c = fold_next(&f); c.c >= 0; c = fold_next(&f)) {
    char bytes[4];
    size_t length = utf8_encode((unsigned)c.c, bytes);
    if (at + length >= size) {
      break;
    }
    memcpy(out + at, bytes, length);
    at += length;
  }
  out[at] = 0;
  return at;
}
