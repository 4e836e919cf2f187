/*
** The table of effort. See lexicon.h for the contract, sql/effort.tsv for the data.
**
** Read at first use into memory of its own, so that it can't fail. The tree: a node is a character, its first child and its
** next sibling. Most words begin no stem: a set of the first characters of all stems (three, or all where there are fewer)
** tells so without the tree.
*/
#include "core/route/lexicon.h"

#include "base/check.h"
#include "base/text/decimal.h"
#include "base/tables/tsv.h"
#include "sql/sql_text.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

enum { FIELDS = 4, NODES = 4096, FIRSTS = 256, BEGINS = 8192, FEW = 3, ROOT = 0, NOWHERE = -1 };

typedef struct Node {
  int32_t c;
  int16_t child, sibling; /* 0: none */
  int16_t stem;           /* -1: none */
} Node;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Lexicon table;
static Node nodes[NODES];
static int n_nodes = 1;        /* the root */
static int16_t firsts[FIRSTS]; /* the root's children by their lowest byte, linked as siblings */
static uint64_t begins[BEGINS / 64]; /* bits of hashes: may be set for others too */
static LexiconStem stems[LEXICON_STEMS];
static int n_stems, n_ids;

static const char *const NAMES[] = {
#define EFFORT_NAME(id, name) name,
    EFFORT_FEATURES(EFFORT_NAME)
#undef EFFORT_NAME
};

static int feature_of(const char *name) {
  int i = 0;
  while (i < EFFORT_PARTS && strcmp(NAMES[i], name) != 0) {
    i++;
  }
  CHECK(i < EFFORT_PARTS);
  return i;
}

static int16_t *children_of(int at, int32_t c) {
  return at == ROOT ? &firsts[c & (FIRSTS - 1)] : &nodes[at].child;
}

/* From a node, of which `i` is the first child, one character further. */
static int step(int i, int32_t c) {
  while (i && nodes[i].c != c) {
    i = nodes[i].sibling;
  }
  return i ? i : NOWHERE;
}

static uint32_t hash_on(uint32_t hash, int32_t c) {
  return (hash ^ (uint32_t)c) * 0x9E3779B1u;
}

static int has_begin(uint32_t hash) {
  hash >>= 19;
  return begins[hash / 64] >> (hash % 64) & 1;
}

/* 0: no stem begins so. */
static int may_match(const int32_t *chars, int n) {
  uint32_t hash = 0;
  for (int i = 0; i < n && i < FEW; i++) {
    hash = hash_on(hash, chars[i] == '\n' ? ' ' : chars[i]);
    if (has_begin(hash)) {
      return 1;
    }
  }
  return 0;
}

int lexicon_match(const int32_t *chars, int n, LexiconMatch out[LEXICON_MATCHES]) {
  if (!may_match(chars, n)) {
    return 0;
  }
  int found = 0, at = n > 0 ? firsts[chars[0] & (FIRSTS - 1)] : 0;
  for (int i = 0; i < n && at; i++) {
    int node = step(at, chars[i] == '\n' ? ' ' : chars[i]);
    if (node == NOWHERE) {
      break;
    }
    if (nodes[node].stem >= 0 && found < LEXICON_MATCHES) {
      out[found++] = (LexiconMatch){&stems[nodes[node].stem], i + 1};
    }
    at = nodes[node].child;
  }
  return found;
}

static int grow(int at, int32_t c) {
  int16_t *children = children_of(at, c);
  int next = step(*children, c);
  if (next == NOWHERE) {
    CHECK(n_nodes < NODES);
    next = n_nodes++;
    nodes[next] = (Node){c, 0, *children, -1};
    *children = (int16_t)next;
  }
  return next;
}

static void add_spelling(const char *text, size_t n, int id, EffortFeature feature) {
  int at = ROOT, n_chars = 0;
  uint32_t hash = 0;
  while (n > 0) {
    utf8proc_int32_t c;
    utf8proc_ssize_t bytes =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &c);
    CHECK(bytes > 0);
    at = grow(at, c);
    hash = n_chars++ < FEW ? hash_on(hash, c) : hash;
    text += bytes;
    n -= (size_t)bytes;
  }
  begins[(hash >> 19) / 64] |= (uint64_t)1 << ((hash >> 19) % 64);
  CHECK(n_stems < LEXICON_STEMS && nodes[at].stem < 0);
  nodes[at].stem = (int16_t)n_stems;
  stems[n_stems++] = (LexiconStem){id, feature};
}

/* "concep|concev, design" */
static void add_stems(const char *list, EffortFeature feature) {
  while (*list) {
    size_t n = strcspn(list, "|,");
    add_spelling(list, n, n_ids, feature);
    n_ids += list[n] != '|';
    list += n + (list[n] != 0);
    list += strspn(list, " ");
  }
}

/* Not strtod(): in some locales that reads no dot. */
static double number(const char *text) {
  enum { SCALE = 6 };
  long long value = 0;
  int is_negative = *text == '-';
  int is_number = decimal_parse(text + is_negative, SCALE, &value);
  CHECK(is_number);
  double d = is_number ? decimal_double((unsigned __int128)value, SCALE) : 0;
  return is_negative ? -d : d;
}

static void read_row(char **f, int n) {
  static int n_points;
  if (strcmp(f[0], "@version") == 0 && n == 2) {
    tsv_copy(f[1], table.version, sizeof table.version);
  } else if (strcmp(f[0], "@curve") == 0 && n == 3 && n_points < 2) {
    table.x[n_points] = number(f[1]);
    table.score[n_points++] = number(f[2]);
  } else if (strcmp(f[0], "@weight") == 0 && n == 4) {
    const char *most = tsv_text(f[3]);
    table.weights[feature_of(f[1])] =
        (LexiconWeight){number(f[2]), *most ? number(most) : INFINITY};
  } else if (n == 3) {
    add_stems(f[2], (EffortFeature)feature_of(f[0]));
  }
}

static void load(void) {
  static char text[16384];
  char *at = tsv_copy(sql_effort_tsv, text, sizeof text), *f[FIELDS];
  nodes[ROOT].stem = -1;
  while (*at) {
    int n = tsv_row(&at, f, FIELDS);
    if (n > 0) {
      read_row(f, n);
    }
  }
}

const Lexicon *lexicon(void) {
  pthread_once(&once, load);
  return &table;
}
