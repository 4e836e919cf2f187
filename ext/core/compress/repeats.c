/*
** Repeated sentences. See repeats.h for the contract.
**
** Each unit that may go has a hash of its words (with the hash of what it stands under), one of what must be equal, one of its bytes
** without blanks, its gist, and MinHashes of its runs of three words. Tables from hashes to units find those before it.
*/
#include "core/compress/repeats.h"

#include "base/hash.h"
#include "core/ballast/cues.h"
#include "core/guard/guard.h"
#include "core/split/terms.h"
#include "core/words/gist.h"

#include <stdlib.h>
#include <string.h>

enum {
  SHINGLE = 3,
  LEAST_GIST = 4, /* words of a gist */
  MEANT_WITHIN =
      4, /* words; what a pronoun behind them means is among them: "Orders can be changed until they are sent." */
  HASHES = 2 * REPEATS_BANDS,
  NO_UNIT = -1 /* of a chain */
};

typedef struct Signature {
  uint64_t words, critical, bytes; /* see above */
  uint64_t least[HASHES];
  Gist gist;
  size_t n_words, n_said; /* n_said: that are no numbers */
  uint64_t source;        /* the tag that holds it, counted; 0: none does */
  int refers;             /* to something outside of it */
  int is_formula;         /* holds "=" */
} Signature;

/* TextUnits by a hash: chains in the order of the text. */
typedef struct Chains {
  int *first, *next; /* owned; of a slot, of a unit */
  size_t slots;
} Chains;

typedef struct Repeats {
  const char *text;
  const TextUnits *u;
  RepeatsFor purpose;
  unsigned char *gone;
  Signature *signatures; /* of each unit */
  int *original;         /* of each unit: the one it repeats, or NO_UNIT */
  Chains same, gists, bands[REPEATS_BANDS];
  uint64_t *shingles[2]; /* room for those of two units */
  size_t cap[2];
  int depth;       /* tags that are open */
  uint64_t source; /* the last one that was opened, counted */
  Err *err;
} Repeats;

static uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t pair[2] = {a, b};
  return hash_short(pair, sizeof pair);
}

/* What a near repetition must have in the same order. */
static int is_critical(const Term *t, int is_first) {
  return (t->flags & (TERM_NUMBER | TERM_NEGATION | TERM_ORDER | TERM_SIGN | TERM_DATE | TERM_UNIT |
                      TERM_CAPS)) != 0 ||
         (t->flags & TERM_CAPITAL && !(t->flags & TERM_STOP) && !is_first);
}

/* Capitals that make a word another: of a name; "NEVER" is "never", but louder. */
static unsigned capitals_of(const Term *t, int is_first) {
  if (t->flags & (TERM_NEGATION | TERM_ORDER)) {
    return 0;
  }
  int is_plain = is_first || t->flags & TERM_STOP;
  return t->flags & TERM_CAPS ? TERM_CAPS : is_plain ? 0 : t->flags & TERM_CAPITAL;
}

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static uint64_t hash_without_blanks(const char *text, size_t from, size_t n) {
  uint64_t h = 0;
  for (size_t i = from, end = from + n; i < end;) {
    size_t word = i;
    while (i < end && !is_blank(text[i])) {
      i++;
    }
    h = i > word ? mix(h, hash_short(text + word, i - word)) : h;
    i += i < end;
  }
  return h;
}

static void add_shingle(Signature *s, uint64_t shingle) {
  for (uint64_t i = 0; i < HASHES; i++) {
    uint64_t h = (shingle ^ (i * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    s->least[i] = h < s->least[i] ? h : s->least[i];
  }
}

static void sign(Repeats *r, size_t unit) {
  const TextUnit *x = &r->u->at[unit];
  Signature *s = &r->signatures[unit];
  uint64_t last[SHINGLE] = {0};
  TermWalk w;
  Term t;
  *s = (Signature){.n_words = 0};
  memset(s->least, 0xFF, sizeof s->least);
  terms_begin(&w, r->text, x->from, x->from + x->n);
  while (terms_next(&w, &t)) {
    uint64_t key = t.flags & TERM_CAPS ? t.key + 1 : t.key; /* "US" is not "us" */
    s->words = mix(s->words, key);
    s->critical = is_critical(&t, s->n_words == 0) ? mix(s->critical, key) : s->critical;
    gist_take(&s->gist, t.key, capitals_of(&t, s->gist.n_words == 0));
    if (t.flags & TERM_SIGN) {
      s->is_formula |= r->text[t.from] == '=';
      continue;
    }
    memmove(last, last + 1, (SHINGLE - 1) * sizeof *last);
    last[SHINGLE - 1] = key;
    s->n_words++;
    s->n_said += t.n > 1 && (r->text[t.from] < '0' || r->text[t.from] > '9');
    s->refers |= t.flags & TERM_REFERS && !(t.flags & TERM_PRONOUN && s->n_words > MEANT_WITHIN);
    if (s->n_words >= SHINGLE) {
      add_shingle(s, mix(mix(last[0], last[1]), last[2]));
    }
  }
  s->refers |= (x->flags & UNIT_REFERS) != 0;
  s->bytes = hash_without_blanks(r->text, x->from, x->n);
}

/* A hash of what a unit is read under: the tag that holds it, since what two documents say is said by two; its heading; an item's also
** the sentence in front of its list. */
static uint64_t scope_of(const Repeats *r, size_t unit) {
  const TextUnit *x = &r->u->at[unit];
  size_t parent = x->parent;
  if (parent != UNIT_NONE && x->flags & UNIT_ITEM && r->u->at[parent].flags & UNIT_LABEL) {
    parent = r->u->at[parent].parent; /* its marker says nothing */
  }
  return mix(r->signatures[unit].source, parent == UNIT_NONE ? 0 : r->signatures[parent].bytes);
}

/* 1 if bytes have words of these classes, and beside them words of grammar alone. */
static int has_only(const char *text, size_t from, size_t end, unsigned cues) {
  TermWalk w;
  Term t;
  int n = 0;
  terms_begin(&w, text, from, end);
  while (terms_next(&w, &t)) {
    int is_cue = (cues_of(t.key) & cues) != 0;
    if (!is_cue && !(t.flags & (TERM_STOP | TERM_SIGN))) {
      return 0;
    }
    n += is_cue;
  }
  return n > 0;
}

/* 1 if a unit stands under nothing but headings that narrow nothing ("Reminders"): what it says again it says of the same. */
static int is_general(const Repeats *r, size_t unit) {
  size_t at = r->u->at[unit].parent;
  int is = 1;
  for (; at != UNIT_NONE && is; at = r->u->at[at].parent) {
    const TextUnit *x = &r->u->at[at];
    is = x->kind == BLOCK_HEADING || x->flags & UNIT_TITLE
             ? has_only(r->text, x->from, x->from + x->n, CUE_GENERAL | CUE_AGAIN)
             : (x->flags & UNIT_LABEL && x->kind == BLOCK_ITEM);
  }
  return is;
}

/* Goes into a tag, or out of it. */
static void enter(Repeats *r, const TextUnit *x) {
  if (x->flags & UNIT_TAG_OPEN) {
    r->depth++;
    r->source++;
  } else if (x->flags & UNIT_TAG_CLOSE && r->depth > 0) {
    r->depth--;
  }
}

/* 1 for an item with a number or a letter of its own: a choice, a step. */
static int is_numbered(const Repeats *r, const TextUnit *x) {
  const TextUnit *marker =
      x->flags & UNIT_ITEM && x->parent != UNIT_NONE ? &r->u->at[x->parent] : NULL;
  return marker && strchr(".)]", r->text[marker->from + marker->n - 1]) != NULL;
}

/* 1 if it ends as sentences do: a line of a poem does not. */
static int ends_as_sentence(const Repeats *r, const TextUnit *x) {
  size_t end = x->from + x->n;
  while (end > x->from + 1 && r->text[end - 1] && strchr("\"')]*_", r->text[end - 1])) {
    end--;
  }
  const char *t = r->text + end;
  int is_wide = end - x->from >= 3 && (memcmp(t - 3, "\xE3\x80\x82", 3) == 0 || /* 。 */
                                       memcmp(t - 3, "\xEF\xBC\x81", 3) == 0 || /* ！ */
                                       memcmp(t - 3, "\xE0\xA5\xA4", 3) == 0);  /* । */
  return is_wide || t[-1] == '.' || t[-1] == '!';
}

/* 1 if it begins with who speaks: "Important:" is nobody. */
static int is_turn(const Repeats *r, const TextUnit *x) {
  const char *colon = x->flags & UNIT_TURN ? memchr(r->text + x->from, ':', x->n) : NULL;
  return colon && !has_only(r->text, x->from, (size_t)(colon - r->text), CUE_AGAIN);
}

/* 1 if it is what is asked: the last block, of a single one the last sentence. */
static int is_asked(const Repeats *r, size_t unit) {
  return (r->u->n_blocks > 1 && r->u->at[unit].block == r->u->n_blocks - 1) || unit + 1 == r->u->n;
}

static int may_go(const Repeats *r, size_t unit) {
  const TextUnit *x = &r->u->at[unit];
  const Signature *s = &r->signatures[unit];
  const unsigned never = UNIT_LABEL | UNIT_QUESTION | UNIT_ROW;
  if (!(x->flags & UNIT_SENTENCE) || x->flags & never || r->gone[unit] != CUT_KEPT ||
      is_turn(r, x) || (r->purpose == REPEATS_CUT && is_asked(r, unit))) {
    return 0;
  }
  return !s->is_formula && s->n_said >= REPEATS_LEAST &&
         (x->flags & UNIT_ITEM ? !is_numbered(r, x) : ends_as_sentence(r, x));
}

/* "It costs $5" repeats only what it means, too. */
static int follows_repeat(const Repeats *r, size_t unit, size_t original) {
  if (!r->signatures[unit].refers) {
    return 1;
  }
  return unit > 0 && original > 0 && r->original[unit - 1] == (int)original - 1;
}

/* 1 if what `later` says is said of what `earlier` is said of. */
static int is_in_scope(const Repeats *r, size_t later, size_t earlier) {
  return scope_of(r, later) == scope_of(r, earlier) ||
         (r->signatures[later].source == r->signatures[earlier].source && is_general(r, later));
}

static int is_same(const Repeats *r, size_t a, size_t b) {
  const Signature *x = &r->signatures[a], *y = &r->signatures[b];
  int is_order = (r->u->at[a].flags | r->u->at[b].flags) & UNIT_ORDER;
  return x->words == y->words && x->critical == y->critical && is_in_scope(r, a, b) &&
         (!is_order || x->bytes == y->bytes) && follows_repeat(r, a, b);
}

/* --- almost the same --- */

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The runs of three words of a unit, sorted, each once; returns their number. */
static size_t shingles_of(Repeats *r, size_t unit, int side) {
  const TextUnit *x = &r->u->at[unit];
  size_t most = r->signatures[unit].n_words, n = 0, distinct = 0;
  if (most > r->cap[side]) {
    uint64_t *grown = realloc(r->shingles[side], most * sizeof *grown);
    if (!grown) {
      err_nomem(r->err);
      return 0;
    }
    r->shingles[side] = grown;
    r->cap[side] = most;
  }
  uint64_t *out = r->shingles[side], last[SHINGLE] = {0};
  TermWalk w;
  Term t;
  terms_begin(&w, r->text, x->from, x->from + x->n);
  for (size_t words = 0; terms_next(&w, &t);) {
    if (!(t.flags & TERM_SIGN)) {
      memmove(last, last + 1, (SHINGLE - 1) * sizeof *last);
      last[SHINGLE - 1] = t.key;
      if (++words >= SHINGLE) {
        out[n++] = mix(mix(last[0], last[1]), last[2]);
      }
    }
  }
  qsort(out, n, sizeof *out, by_value);
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || out[i] != out[distinct - 1]) {
      out[distinct++] = out[i];
    }
  }
  return distinct;
}

static double jaccard(Repeats *r, size_t a, size_t b) {
  size_t n = shingles_of(r, a, 0), m = shingles_of(r, b, 1), both = 0;
  for (size_t i = 0, k = 0; i < n && k < m && r->err->rc == RC_OK;) {
    uint64_t x = r->shingles[0][i], y = r->shingles[1][k];
    both += x == y;
    i += x <= y;
    k += y <= x;
  }
  return n + m > both ? (double)both / (double)(n + m - both) : 0;
}

static int is_near(Repeats *r, size_t a, size_t b) {
  const Signature *x = &r->signatures[a], *y = &r->signatures[b];
  const TextUnit *u = &r->u->at[a], *v = &r->u->at[b];
  if (r->gone[b] != CUT_KEPT || (u->flags | v->flags) & UNIT_ORDER || x->critical != y->critical ||
      !is_in_scope(r, a, b) || !follows_repeat(r, a, b) || jaccard(r, a, b) < REPEATS_NEAR) {
    return 0;
  }
  return guard_veto(r->text + u->from, u->n, r->text + v->from, v->n, r->err) == NULL &&
         r->err->rc == RC_OK;
}

static int has_same_gist(const Repeats *r, size_t a, size_t b) {
  const Signature *x = &r->signatures[a], *y = &r->signatures[b];
  return x->gist.hash == y->gist.hash && is_in_scope(r, a, b) && follows_repeat(r, a, b);
}

/* --- chains --- */

typedef enum Likeness { LIKE_SAME, LIKE_GIST, LIKE_NEAR } Likeness;

static int is_like(Repeats *r, Likeness how, size_t a, size_t b) {
  return how == LIKE_SAME   ? is_same(r, a, b)
         : how == LIKE_GIST ? has_same_gist(r, a, b)
                            : is_near(r, a, b);
}

static void chains_make(Repeats *r, Chains *c) {
  c->slots = 1;
  while (c->slots < 2 * r->u->n) {
    c->slots *= 2;
  }
  c->first = malloc(c->slots * sizeof *c->first);
  c->next = malloc((r->u->n + 1) * sizeof *c->next);
  if (!c->first || !c->next) {
    err_nomem(r->err);
    return;
  }
  memset(c->first, 0xFF, c->slots * sizeof *c->first);
  memset(c->next, 0xFF, (r->u->n + 1) * sizeof *c->next);
}

static void chains_free(Chains *c) {
  free(c->first);
  free(c->next);
}

/* The unit in the chain of a hash that `unit` repeats; else NO_UNIT, and it is put at the chain's end where there is room. */
static int chain_find(Repeats *r, Chains *c, uint64_t hash, size_t unit, Likeness how) {
  int *at = &c->first[hash & (c->slots - 1)];
  for (int tried = 0; *at != NO_UNIT; at = &c->next[*at]) {
    if (++tried > REPEATS_MOST_TRIED * (how == LIKE_NEAR ? 1 : 4)) {
      return NO_UNIT;
    }
    if (is_like(r, how, unit, (size_t)*at)) {
      return *at;
    }
  }
  *at = (int)unit;
  return NO_UNIT;
}

/* The unit that it repeats almost. */
static int find_near(Repeats *r, size_t unit) {
  const Signature *s = &r->signatures[unit];
  int found = NO_UNIT;
  if (r->purpose == REPEATS_TELL && s->gist.n_words >= LEAST_GIST) {
    found = chain_find(r, &r->gists, s->gist.hash, unit, LIKE_GIST);
  }
  for (int b = 0; b < REPEATS_BANDS && found == NO_UNIT && s->n_words >= SHINGLE; b++) {
    uint64_t hash = mix(s->least[2 * b], s->least[2 * b + 1]);
    found = chain_find(r, &r->bands[b], mix(hash, s->critical), unit, LIKE_NEAR);
  }
  return found;
}

static void look(Repeats *r, size_t unit) {
  int found = chain_find(r, &r->same, r->signatures[unit].words, unit, LIKE_SAME);
  CutReason reason = CUT_SAME;
  if (found == NO_UNIT) {
    reason = CUT_ALMOST_SAME;
    found = find_near(r, unit);
  }
  if (found != NO_UNIT) {
    r->original[unit] = found;
    r->gone[unit] = (unsigned char)reason;
  }
}

static void make_room(Repeats *r) {
  r->signatures = malloc((r->u->n + 1) * sizeof *r->signatures);
  r->original = malloc((r->u->n + 1) * sizeof *r->original);
  if (!r->signatures || !r->original) {
    err_nomem(r->err);
    return;
  }
  memset(r->original, 0xFF, (r->u->n + 1) * sizeof *r->original);
  chains_make(r, &r->same);
  chains_make(r, &r->gists);
  for (int b = 0; b < REPEATS_BANDS; b++) {
    chains_make(r, &r->bands[b]);
  }
}

/* Of an item that is not said again as a whole nothing goes. Returns the unit behind it. */
static size_t keep_parts(Repeats *r, size_t first) {
  size_t end = first, kept = 0;
  while (end < r->u->n && r->u->at[end].block == r->u->at[first].block) {
    kept += r->gone[end] == CUT_KEPT && !(r->u->at[end].flags & UNIT_LABEL);
    end++;
  }
  for (size_t i = first; kept > 0 && r->u->at[first].flags & UNIT_ITEM && i < end; i++) {
    r->gone[i] = CUT_KEPT;
    r->original[i] = NO_UNIT;
  }
  return end;
}

int repeats_find(const char *text, const TextUnits *u, RepeatsFor purpose, unsigned char *gone,
                 Err *err) {
  Repeats r = {.text = text, .u = u, .purpose = purpose, .gone = gone, .err = err};
  size_t block = 0; /* its first unit */
  make_room(&r);
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    enter(&r, &u->at[i]);
    sign(&r, i);
    r.signatures[i].source = r.depth > 0 ? r.source : 0;
    if (may_go(&r, i)) {
      look(&r, i);
    }
    if (i + 1 == u->n || u->at[i + 1].block != u->at[i].block) {
      block = keep_parts(&r, block);
    }
  }
  chains_free(&r.same);
  chains_free(&r.gists);
  for (int b = 0; b < REPEATS_BANDS; b++) {
    chains_free(&r.bands[b]);
  }
  free(r.signatures);
  free(r.original);
  free(r.shingles[0]);
  free(r.shingles[1]);
  return err->rc;
}
