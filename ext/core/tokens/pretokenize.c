/*
** The patterns of tiktoken, by hand. See pretokenize.h for the contract.
**
** o200k_base (alternatives in this order, each as greedy as a backtracking matcher lets it):
**   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
**   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
**   \p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
** cl100k_base:
**   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
**   | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
** p50k_base, r50k_base (GPT-2's):
**   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
**
** Where tiktoken (Rust) and its ports to JavaScript differ, tiktoken decides: \s is Unicode's
** White_Space (U+0085 is in it, U+FEFF is not), 's in any case matches 'ſ (U+017F) too, and the
** categories are Unicode 16's. They come from ranks/classes.bin and not from a library, so that a
** count does not change with the machine:
**
**   "LCCLS001" | u32 runs | per run u32: the code point behind its end * 8 + its class
**
** The table of all 1,114,112 classes, in blocks of 256 of which most are equal, is made at first
** use.
*/
#include "core/tokens/pretokenize.h"

#include "base/once.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

__asm__(".pushsection .rodata\n"
        ".globl pretokenize_classes\n"
        ".hidden pretokenize_classes\n"
        "pretokenize_classes:\n"
        ".incbin \"core/tokens/ranks/classes.bin\"\n" /* found by the compiler's -Iext */
        ".globl pretokenize_classes_end\n"
        ".hidden pretokenize_classes_end\n"
        "pretokenize_classes_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const unsigned char pretokenize_classes[] __attribute__((visibility("hidden")));
extern const unsigned char pretokenize_classes_end[] __attribute__((visibility("hidden")));

/* Sets of character classes. */
enum {
  OTHER = 1 << 0,
  UPPER = 1 << 1,    /* Lu, Lt */
  LOWER = 1 << 2,    /* Ll */
  CASELESS = 1 << 3, /* Lm, Lo */
  MARK = 1 << 4,
  NUMBER = 1 << 5,
  BLANK = 1 << 6,   /* white space but the newlines */
  NEWLINE = 1 << 7, /* \r and \n */
  LETTER = UPPER | LOWER | CASELESS,
  SPACE = BLANK | NEWLINE,
  SYMBOL = OTHER | MARK,          /* [^\s\p{L}\p{N}] */
  HEAD = UPPER | CASELESS | MARK, /* what a word of o200k begins with */
  TAIL = LOWER | CASELESS | MARK, /* and goes on with */
};

enum { POINTS = 0x110000, BLOCK = 256, BLOCKS = POINTS / BLOCK, HEADER = 12 };

static Once once = ONCE_INIT;
static unsigned char *classes; /* blocks of sets of one class */
static uint16_t block_of[BLOCKS];
static unsigned char of_byte[256]; /* ASCII; 0 from 0x80 up */

static uint32_t read_u32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The class of every code point; 0 where the table is not one. */
static int read_runs(unsigned char *all) {
  const unsigned char *table = pretokenize_classes;
  size_t size = (uintptr_t)pretokenize_classes_end - (uintptr_t)table;
  uint32_t from = 0;
  if (size < HEADER || memcmp(table, "LCCLS001", 8) != 0 ||
      size != HEADER + 4 * (uint64_t)read_u32(table + 8)) {
    return 0;
  }
  for (size_t i = HEADER; i < size; i += 4) {
    uint32_t end = read_u32(table + i) >> 3;
    if (end <= from || end > POINTS) {
      return 0;
    }
    memset(all + from, 1 << (read_u32(table + i) & 7), end - from);
    from = end;
  }
  return from == POINTS;
}

static int make_classes(void) {
  unsigned char *all = malloc(POINTS);
  size_t n = 0;
  if (!all || !read_runs(all)) {
    free(all);
    return 0;
  }
  for (size_t i = 0; i < BLOCKS; i++) {
    size_t same = 0;
    while (same < n && memcmp(all + same * BLOCK, all + i * BLOCK, BLOCK) != 0) {
      same++;
    }
    memmove(all + same * BLOCK, all + i * BLOCK, BLOCK);
    n += same == n;
    block_of[i] = (uint16_t)same;
  }
  memcpy(of_byte, all, 128); /* block 0 */
  unsigned char *smaller = realloc(all, n * BLOCK);
  classes = smaller ? smaller : all;
  return 1;
}

int pretokenize_is_ready(void) {
  return once_make(&once, make_classes);
}

typedef const unsigned char *At; /* a place in the text */

/* Where the text ends, and up to where can be read: zeros, which no run goes over. */
typedef struct End {
  At end, limit;
} End;

/* The class of the character at p, as a set of one, and its bytes. The text is valid UTF-8. */
static inline unsigned decode(At p, size_t *bytes) {
  uint32_t c = p[0];
  if (c < 0x80) {
    *bytes = 1;
    return of_byte[c];
  }
  if (c < 0xE0) {
    *bytes = 2;
    c = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
  } else if (c < 0xF0) {
    *bytes = 3;
    c = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
  } else {
    *bytes = 4;
    c = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
  }
  return classes[(size_t)block_of[c >> 8] << 8 | (c & 255)];
}

static inline unsigned class_at(At p, At end) {
  size_t bytes;
  return p < end ? decode(p, &bytes) : 0;
}

/* Behind the run of ASCII letters at p that are a to z once the bits of `fold` are set: eight bytes
** at a time, most words at one go. */
static inline At run_ascii(At p, const End *e, unsigned char fold) {
  const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
  while (e->limit - p >= 8) {
    uint64_t word, low;
    memcpy(&word, p, 8);
    low = (word | ones * fold) & ~high;
    uint64_t from_a = low + ones * (0x80 - 'a'), past_z = low + ones * (0x7F - 'z');
    uint64_t no_letter = (~from_a | past_z | word) & high;
    if (no_letter) {
      return p + (__builtin_ctzll(no_letter) >> 3); /* little-endian */
    }
    p += 8;
  }
  while (p < e->end && (*p | fold) >= 'a' && (*p | fold) <= 'z') {
    p++;
  }
  return p;
}

/* Behind the run of characters of `set` that begins at p. */
static inline At run(At p, At end, unsigned set) {
  size_t bytes;
  for (;;) {
    while (p < end && of_byte[*p] & set) {
      p++;
    }
    if (p == end || *p < 0x80 || !(decode(p, &bytes) & set)) {
      return p;
    }
    p += bytes;
  }
}

/* The start of the character that ends at p. */
static inline At step_back(At p) {
  do {
    p--;
  } while ((*p & 0xC0) == 0x80);
  return p;
}

/* Bytes of the contraction at p, 0 where there is none. any_case: 'S, 'ſ, 'Re … are some too. */
static size_t contraction(At p, At end, int any_case) {
  unsigned fold = any_case ? 0x20 : 0;
  if (end - p < 2 || *p != '\'') {
    return 0;
  }
  unsigned a = p[1] | fold;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') {
    return 2;
  }
  if (end - p < 3) {
    return 0;
  }
  if (any_case && p[1] == 0xC5 && p[2] == 0xBF) {
    return 3;
  }
  unsigned b = p[2] | fold;
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* White space that nothing else has taken, p in front of at least one such character: up to the
** last newline of the run (where newlines count), else all but its last character, which goes with
** what follows, unless nothing follows or it is the only one. */
static At split_space(At p, At end, int newlines) {
  At q = run(p, end, SPACE), line = q;
  while (newlines && line > p && line[-1] != '\n' && line[-1] != '\r') {
    line--;
  }
  if (newlines && line > p) {
    return line;
  }
  At last = step_back(q);
  return q < end && last > p ? last : q;
}

/* Up to three numbers. */
static inline At split_numbers(At p, At end) {
  for (int i = 0; i < 3; i++) {
    size_t bytes;
    if (p == end || !(decode(p, &bytes) & NUMBER)) {
      break;
    }
    p += bytes;
  }
  return p;
}

static inline At split_gpt2(At p, const End *e) {
  At end = e->end;
  size_t n = contraction(p, end, 0);
  if (n > 0) {
    return p + n;
  }
  At q = p + (*p == ' ');
  unsigned class = class_at(q, end);
  if (class & LETTER) {
    q = run_ascii(q, e, 0x20);
    return q < end && *q >= 0x80 ? run(q, end, LETTER) : q;
  }
  if (class & (NUMBER | SYMBOL)) {
    return run(q, end, class & NUMBER ? NUMBER : SYMBOL);
  }
  return split_space(p, end, 0);
}

/* Letters from p on, ASCII first. */
static inline At split_letters(At p, const End *e) {
  At behind = run_ascii(p, e, 0x20);
  return behind < e->end && *behind >= 0x80 ? run(behind, e->end, LETTER) : behind;
}

static inline At split_cl100k(At p, const End *e) {
  At end = e->end;
  size_t bytes, n = *p == '\'' ? contraction(p, end, 1) : 0;
  if (n > 0) {
    return p + n;
  }
  unsigned class = decode(p, &bytes);
  if (class & LETTER) {
    return split_letters(p, e);
  }
  if (class & NUMBER) {
    return split_numbers(p, end);
  }
  unsigned next = class_at(p + bytes, end);
  if (class != NEWLINE && next & LETTER) {
    return split_letters(p + bytes, e);
  }
  if (class & SYMBOL || (*p == ' ' && next & SYMBOL)) {
    At q = run(p + bytes, end, SYMBOL);
    return q < end && of_byte[*q] & NEWLINE ? run(q, end, NEWLINE) : q;
  }
  return split_space(p, end, 1);
}

/* A word of o200k from p, in front of a letter or mark: capitals, then small letters. Where
** capitals come last, a matcher gives them back up to the last character that may end a word;
** capitals alone are a word too. */
static inline At split_word(At p, const End *e) {
  At end = e->end;
  At q = of_byte[*p] & LOWER ? p : run(p, end, HEAD);
  At behind = run_ascii(q, e, 0);
  behind = behind < end && *behind >= 0x80 ? run(behind, end, TAIL) : behind;
  if (behind == q) {
    size_t bytes;
    while (behind > p && decode(step_back(behind), &bytes) & UPPER) {
      behind = step_back(behind);
    }
    behind = behind > p ? behind : q;
  }
  return behind < end && *behind == '\'' ? behind + contraction(behind, end, 1) : behind;
}

static inline At split_o200k(At p, const End *e) {
  At end = e->end;
  size_t bytes;
  unsigned class = decode(p, &bytes);
  if (class & (LETTER | MARK)) {
    return split_word(p, e);
  }
  if (class & NUMBER) {
    return split_numbers(p, end);
  }
  unsigned next = class_at(p + bytes, end);
  if (class != NEWLINE && next & (LETTER | MARK)) {
    return split_word(p + bytes, e);
  }
  if (class & SYMBOL || (*p == ' ' && next & SYMBOL)) {
    At q = run(p + bytes, end, SYMBOL);
    while (q < end && (*q == '\r' || *q == '\n' || *q == '/')) {
      q++;
    }
    return q;
  }
  return split_space(p, end, 1);
}

/* One of the rules over a stretch of text. (Inlined three times: `split` is known then.) */
static inline __attribute__((always_inline)) size_t
split_all(At (*split)(At, const End *), At start, At p, const End *e, size_t *ends, size_t max) {
  size_t count = 0;
  while (p < e->end && count < max) {
    p = split(p, e);
    ends[count++] = (size_t)(p - start);
  }
  return count;
}

size_t pretokenize(SplitRule rule, const char *text, size_t n, size_t room, size_t at, size_t *ends,
                   size_t max) {
  At start = (At)text, p = start + at;
  End e = {start + n, start + room};
  if (!pretokenize_is_ready()) {
    return 0;
  }
  return rule == SPLIT_O200K    ? split_all(split_o200k, start, p, &e, ends, max)
         : rule == SPLIT_CL100K ? split_all(split_cl100k, start, p, &e, ends, max)
                                : split_all(split_gpt2, start, p, &e, ends, max);
}
