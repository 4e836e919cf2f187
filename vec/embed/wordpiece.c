/*
** BERT-uncased tokenization. See wordpiece.h for the contract.
**
** The rules are those of the Hugging Face tokenizer that all-MiniLM-L6-v2 names (BertNormalizer
** with clean_text, lowercase, strip_accents and handle_chinese_chars; BertPreTokenizer; WordPiece):
**
**   dropped     U+FFFD, categories C* but tab, line feed and carriage return, and nonspacing marks
**               (Mn) of the canonical decomposition (NFD)
**   blank       tab, line feed, carriage return, categories Z*
**   a word      each punctuation character (ASCII other than letters and digits, categories P*) and
**               each CJK ideograph by itself; every longest run of other characters
**   lower case  character by character, after the decomposition
**
** A word is split greedily: the longest piece that starts it, then the longest "##" piece, and so
** on; a word with a rest that no piece starts is unknown as a whole. Special tokens written out in
** a text ("[CLS]") are text here: nothing a user types becomes a control token.
**
** The decomposition is character by character, without the canonical reordering of marks: it could
** only reorder marks that are no Mn, and no vocabulary has those. A word keeps its first 100
** characters; the rest is counted only, so any text is read in linear time and constant memory.
*/
#include "vec/embed/wordpiece.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* --- characters */

typedef enum Kind { DROP, BLANK, SINGLE, LETTER } Kind;

/* ASCII: 0 dropped, 1 blank, 2 punctuation, else the lower-case letter or digit. */
static const unsigned char ascii[128] = {
    ['\t'] = 1,        ['\n'] = 1,        ['\r'] = 1,        [' '] = 1,   ['!' ... '/'] = 2,
    [':' ... '@'] = 2, ['[' ... '`'] = 2, ['{' ... '~'] = 2, ['0'] = '0', ['1'] = '1',
    ['2'] = '2',       ['3'] = '3',       ['4'] = '4',       ['5'] = '5', ['6'] = '6',
    ['7'] = '7',       ['8'] = '8',       ['9'] = '9',       ['A'] = 'a', ['B'] = 'b',
    ['C'] = 'c',       ['D'] = 'd',       ['E'] = 'e',       ['F'] = 'f', ['G'] = 'g',
    ['H'] = 'h',       ['I'] = 'i',       ['J'] = 'j',       ['K'] = 'k', ['L'] = 'l',
    ['M'] = 'm',       ['N'] = 'n',       ['O'] = 'o',       ['P'] = 'p', ['Q'] = 'q',
    ['R'] = 'r',       ['S'] = 's',       ['T'] = 't',       ['U'] = 'u', ['V'] = 'v',
    ['W'] = 'w',       ['X'] = 'x',       ['Y'] = 'y',       ['Z'] = 'z', ['a'] = 'a',
    ['b'] = 'b',       ['c'] = 'c',       ['d'] = 'd',       ['e'] = 'e', ['f'] = 'f',
    ['g'] = 'g',       ['h'] = 'h',       ['i'] = 'i',       ['j'] = 'j', ['k'] = 'k',
    ['l'] = 'l',       ['m'] = 'm',       ['n'] = 'n',       ['o'] = 'o', ['p'] = 'p',
    ['q'] = 'q',       ['r'] = 'r',       ['s'] = 's',       ['t'] = 't', ['u'] = 'u',
    ['v'] = 'v',       ['w'] = 'w',       ['x'] = 'x',       ['y'] = 'y', ['z'] = 'z',
};

static int is_ideograph(int32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0x2F800 && c <= 0x2FA1F);
}

static Kind ascii_kind(int32_t c) {
  unsigned char k = ascii[c];
  return k > 2 ? LETTER : k == 2 ? SINGLE : k == 1 ? BLANK : DROP;
}

/* The kind of a decomposed character. */
static Kind kind_of(int32_t c) {
  if (c < 128) {
    return ascii_kind(c);
  }
  switch (utf8proc_category(c)) {
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
    return DROP;
  case UTF8PROC_CATEGORY_ZS:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
    return BLANK;
  case UTF8PROC_CATEGORY_PC:
  case UTF8PROC_CATEGORY_PD:
  case UTF8PROC_CATEGORY_PS:
  case UTF8PROC_CATEGORY_PE:
  case UTF8PROC_CATEGORY_PI:
  case UTF8PROC_CATEGORY_PF:
  case UTF8PROC_CATEGORY_PO:
    return SINGLE;
  default:
    return c == 0xFFFD ? DROP : is_ideograph(c) ? SINGLE : LETTER;
  }
}

/* Puts the decomposition of the next character, which is no ASCII, on the stack. */
static void decompose_next(Wordpiece *w) {
  utf8proc_int32_t c, parts[4];
  int boundary = 0;
  utf8proc_ssize_t len = utf8proc_iterate(w->at, w->end - w->at, &c);
  if (len < 1) {
    w->at++;
    return;
  }
  w->at += len;
  utf8proc_ssize_t n = utf8proc_decompose_char(c, parts, 4, UTF8PROC_DECOMPOSE, &boundary);
  if (n < 1 || n > 4) { /* no canonical decomposition is longer than four */
    parts[0] = c;
    n = 1;
  }
  while (n > 0) {
    w->pending[w->n_pending++] = parts[--n];
  }
}

/* --- words */

void wordpiece_start(Wordpiece *w, const Vocabulary *vocabulary, const char *text, size_t n) {
  w->vocabulary = vocabulary;
  w->at = (const unsigned char *)text;
  w->end = w->at + n;
  w->n_pending = 0;
  w->n_bytes = w->n_chars = 0;
}

static void add_char(Wordpiece *w, int32_t c) {
  if (w->n_chars++ < WORDPIECE_MAX_CHARS) {
    if (c < 128) {
      w->word[w->n_bytes++] = ascii[c] > 2 ? ascii[c] : (unsigned char)c;
    } else {
      w->n_bytes += (size_t)utf8proc_encode_char(utf8proc_tolower(c), w->word + w->n_bytes);
    }
  }
}

/* Takes the ASCII at hand into the word, up to its end. Returns 1 where the word is complete. */
static int take_ascii(Wordpiece *w) {
  const unsigned char *p = w->at;
  int complete = 0;
  while (p < w->end && *p < 128 && !complete) {
    unsigned char k = ascii[*p];
    if (k > 2) {
      if (w->n_chars++ < WORDPIECE_MAX_CHARS) {
        w->word[w->n_bytes++] = k;
      }
    } else if (k == 2 && w->n_chars) {
      break;
    } else if (k == 2) {
      add_char(w, *p);
      complete = 1;
    } else if (k == 1 && w->n_chars) {
      complete = 1;
    }
    p++;
  }
  complete |= p < w->end && *p < 128;
  w->at = p;
  return complete;
}

/* Takes one decomposed character. Returns 1 where the word is complete. */
static int take_pending(Wordpiece *w) {
  int32_t c = w->pending[w->n_pending - 1];
  Kind kind = kind_of(c);
  if (kind == SINGLE && w->n_chars) {
    return 1;
  }
  w->n_pending--;
  if (kind == SINGLE || kind == LETTER) {
    add_char(w, c);
  }
  return kind == SINGLE || (kind == BLANK && w->n_chars);
}

/* Reads the next word into w->word. Returns 0 at the end of the text. */
static int next_word(Wordpiece *w) {
  int complete = 0;
  w->n_bytes = w->n_chars = 0;
  while (!complete && (w->n_pending || w->at < w->end)) {
    if (w->n_pending) {
      complete = take_pending(w);
    } else if (*w->at < 128) {
      complete = take_ascii(w);
    } else {
      decompose_next(w);
    }
  }
  return w->n_chars > 0;
}

/* --- the vocabulary */

/* FNV-1a by bytes, so that the hashes of all prefixes come in one pass. */
#define HASH_PRIME 0x100000001B3ULL
#define HASH_FIRST 0xCBF29CE484222325ULL     /* pieces that start a word */
#define HASH_CONTINUED 0x9E3779B97F4A7C15ULL /* pieces that continue one */

static uint64_t hash_add(uint64_t h, unsigned char byte) {
  return (h ^ byte) * HASH_PRIME;
}

static uint32_t slot_of(uint64_t h) {
  return (uint32_t)(h >> 40);
}

static uint32_t tag_of(uint64_t h) {
  return (uint32_t)(h >> 24) & 0xFFFF;
}

/* The entry's bytes without "##"; *continued says whether it had them. */
static const unsigned char *entry_text(const Vocabulary *v, uint32_t id, size_t *n,
                                       int *continued) {
  const unsigned char *p = v->table + v->offset[id];
  size_t len = *p++;
  *continued = len > 2 && p[0] == '#' && p[1] == '#';
  *n = *continued ? len - 2 : len;
  return *continued ? p + 2 : p;
}

static void add_entry(Vocabulary *v, uint32_t id) {
  int continued;
  size_t n;
  const unsigned char *p = entry_text(v, id, &n, &continued);
  uint64_t h = continued ? HASH_CONTINUED : HASH_FIRST;
  for (size_t i = 0; i < n; i++) {
    h = hash_add(h, p[i]);
  }
  uint32_t slot = slot_of(h) & v->mask;
  while (v->slots[slot]) {
    slot = (slot + 1) & v->mask;
  }
  v->slots[slot] = tag_of(h) << 16 | (id + 1);
  v->longest = n > v->longest ? n : v->longest;
}

int vocabulary_build(Vocabulary *v, const unsigned char *table, size_t bytes, uint32_t n,
                     size_t *used) {
  size_t at = 0;
  memset(v, 0, sizeof *v);
  if (n == 0 || n > 65535) {
    return VEC_CORRUPT;
  }
  v->table = table;
  v->n = n;
  v->mask = 15;
  while (v->mask < 2 * n - 1) {
    v->mask = v->mask * 2 + 1;
  }
  v->offset = malloc(n * sizeof *v->offset);
  v->slots = calloc(v->mask + 1, sizeof *v->slots);
  int rc = v->offset && v->slots ? VEC_OK : VEC_NOMEM;
  for (uint32_t i = 0; rc == VEC_OK && i < n; i++) {
    if (at >= bytes || table[at] == 0 || table[at] >= bytes - at) {
      rc = VEC_CORRUPT;
    } else {
      v->offset[i] = (uint32_t)at;
      at += 1u + table[at];
      add_entry(v, i);
    }
  }
  if (rc != VEC_OK) {
    vocabulary_free(v);
  }
  *used = at;
  return rc;
}

void vocabulary_free(Vocabulary *v) {
  free(v->offset);
  free(v->slots);
  memset(v, 0, sizeof *v);
}

/* The id + 1 of the piece of n bytes with hash h, or 0. */
static uint32_t find(const Vocabulary *v, const unsigned char *text, size_t n, int continued,
                     uint64_t h) {
  uint32_t entry, slot = slot_of(h) & v->mask;
  while ((entry = v->slots[slot]) != 0) {
    if (entry >> 16 == tag_of(h)) {
      int c;
      size_t len;
      uint32_t id = (entry & 0xFFFF) - 1;
      const unsigned char *p = entry_text(v, id, &len, &c);
      if (len == n && c == continued && memcmp(p, text, n) == 0) {
        return id + 1;
      }
    }
    slot = (slot + 1) & v->mask;
  }
  return 0;
}

/* The longest piece at the front of n bytes: its id + 1, or 0; *taken is its length. */
static uint32_t longest_piece(const Vocabulary *v, const unsigned char *text, size_t n,
                              int continued, size_t *taken) {
  uint64_t prefix[256], h = continued ? HASH_CONTINUED : HASH_FIRST;
  size_t len = n < v->longest ? n : v->longest;
  uint32_t found = 0;
  for (size_t i = 0; i < len; i++) {
    prefix[i] = h = hash_add(h, text[i]);
  }
  while (len > 0 && !(found = find(v, text, len, continued, prefix[len - 1]))) {
    len--;
  }
  *taken = len;
  return found;
}

int wordpiece_next(Wordpiece *w, uint32_t ids[WORDPIECE_MAX_CHARS]) {
  int n = 0;
  size_t at = 0, taken;
  if (!next_word(w)) {
    return WORDPIECE_END;
  }
  if (w->n_chars > WORDPIECE_MAX_CHARS) {
    return 0;
  }
  while (at < w->n_bytes) {
    uint32_t found = longest_piece(w->vocabulary, w->word + at, w->n_bytes - at, at > 0, &taken);
    if (!found) {
      return 0;
    }
    ids[n++] = found - 1;
    at += taken;
  }
  return n;
}
