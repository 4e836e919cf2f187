/*
** See families.h for the contract.
**
** Of each text and each of its first sentences a hash of all the others is made, in which names and numbers are marks (from the hashes of what
** stands in front of it and behind it). Texts with an equal one differ in that sentence alone; three of them are a family, and families with a
** text in common are one. Which sentences move in a family is then counted, names and numbers included: at least three different ones.
*/
#include "work/prompts/families.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
  MOST_SENTENCES = 512,
  FIRST = 64, /* sentences of which one may be any other */
  FEW = 3,    /* texts, and different sentences */
  SELDOM = 10 /* calls for each text, at most */
};

typedef unsigned long long Short;

/* ---- one text */

static int is_of_word(unsigned char c) {
  return isalnum(c) || c >= 0x80;
}

/* A digit, or a capital letter: of ASCII, Latin-1 or Cyrillic. */
static int begins_name(const char *text, size_t n) {
  unsigned char c = (unsigned char)text[0], next = n > 1 ? (unsigned char)text[1] : 0;
  return isupper(c) || isdigit(c) || (c == 0xC3 && next >= 0x80 && next <= 0x9E) ||
         (c == 0xD0 && next >= 0x90 && next <= 0xAF);
}

/* Names and numbers become a mark each, and several of them one. */
static Short mask(const char *text, const TextUnit *unit, Buf *b) {
  int was_name = 0;
  b->n = 0;
  for (size_t i = unit->from, end = unit->from + unit->n; i < end;) {
    size_t from = i;
    while (i < end && is_of_word((unsigned char)text[i])) {
      i++;
    }
    unsigned char first = (unsigned char)text[from];
    int is_name = i > from && begins_name(text + from, i - from);
    if (i == from) {
      i++;
    }
    if (!is_name && (i - from > 1 || is_of_word(first) || !was_name || text[from] != ' ')) {
      buf_add(b, text + from, i - from);
      was_name = 0;
    } else if (is_name && !was_name) {
      buf_add(b, "\001", 1);
      was_name = 1;
    }
  }
  return hash_short(b->data ? b->data : "", b->n);
}

int sentences_read(const char *text, const TextUnits *u, const MovingList *moving, Sentences *out,
                   Err *err) {
  Buf b;
  *out = (Sentences){.n = 0};
  if (u->n == 0 || u->n > MOST_SENTENCES) {
    return RC_OK;
  }
  out->raw = calloc(2 * u->n, sizeof *out->raw);
  if (!out->raw) {
    return err_nomem(err);
  }
  out->n = (unsigned)u->n;
  out->masked = out->raw + u->n;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  for (size_t i = 0; i < u->n; i++) {
    out->raw[i] = hash_short(text + u->at[i].from, u->at[i].n);
    out->masked[i] = mask(text, &u->at[i], &b);
  }
  for (size_t i = 0; i < moving->n; i++) { /* what moves by its words is told without a ledger */
    out->raw[moving->at[i].unit] = out->masked[moving->at[i].unit] = 1;
  }
  if (b.failed) {
    err_nomem(err);
  }
  buf_free(&b);
  if (err->rc != RC_OK) {
    free(out->raw);
    *out = (Sentences){.n = 0};
  }
  return err->rc;
}

/* ---- all of them */

/* All sentences of a text but one. */
typedef struct Rest {
  Short hash;
  unsigned text;
} Rest;

typedef struct Families {
  SentPrompts *all;
  Rest *rests; /* owned */
  unsigned *
      first; /* owned: of each text another one of its family; its own number: there is none in front */
  size_t n;
} Families;

static unsigned root_of(const Families *f, unsigned text) {
  while (f->first[text] != text) {
    text = f->first[text] = f->first[f->first[text]];
  }
  return text;
}

static int by_hash(const void *a, const void *b) {
  const Rest *x = a, *y = b;
  return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                            : (x->text > y->text) - (x->text < y->text);
}

static size_t firsts(const Sentences *s) {
  return s->n < FIRST ? s->n : FIRST;
}

static void add_rests(Families *f, unsigned text) {
  const SentPrompt *p = &f->all->at[text];
  const Sentences *s = &p->sentences;
  Short before = p->model ? hash_short(p->model, strlen(p->model)) : 0, behind[MOST_SENTENCES + 1];
  behind[s->n] = s->n;
  for (size_t i = s->n; i-- > 0;) {
    const Short both[] = {s->masked[i], behind[i + 1]};
    behind[i] = hash_short(both, sizeof both);
  }
  for (size_t i = 0; i < firsts(s); i++) {
    const Short rest[] = {before, behind[i + 1], i}, both[] = {before, s->masked[i]};
    f->rests[f->n++] = (Rest){hash_short(rest, sizeof rest), text};
    before = hash_short(both, sizeof both);
  }
}

static void find(Families *f) {
  if (f->n) {
    qsort(f->rests, f->n, sizeof *f->rests, by_hash);
  }
  for (size_t i = 0, end; i < f->n; i = end) {
    end = i + 1;
    while (end < f->n && f->rests[end].hash == f->rests[i].hash) {
      end++;
    }
    for (size_t k = i + 1; k < end && end - i >= FEW; k++) {
      unsigned a = root_of(f, f->rests[i].text), b = root_of(f, f->rests[k].text);
      f->first[a > b ? a : b] = a > b ? b : a;
    }
  }
}

/* ---- one family */

static int by_value(const void *a, const void *b) {
  const Short *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* How many different sentences stand at a place, of n texts. */
static size_t count_different(const SentPrompts *s, const unsigned *texts, size_t n, size_t place,
                              Short *room) {
  size_t different = 0;
  for (size_t i = 0; i < n; i++) {
    room[i] = s->at[texts[i]].sentences.raw[place];
  }
  qsort(room, n, sizeof *room, by_value);
  for (size_t i = 0; i < n; i++) {
    different += i == 0 || room[i] != room[i - 1];
  }
  return different;
}

/* Adds the others to the newest one, which says what moves. */
static int join_one(SentPrompts *s, const unsigned *texts, size_t n, Err *err) {
  unsigned newest = texts[0];
  long long calls = 0;
  for (size_t i = 0; i < n; i++) {
    newest = s->at[texts[i]].last_ts > s->at[newest].last_ts ? texts[i] : newest;
    calls += s->at[texts[i]].calls;
  }
  SentPrompt *p = &s->at[newest];
  Short *room = malloc(n * sizeof *room);
  p->moves = calloc(p->sentences.n, sizeof *p->moves);
  p->others = calloc(n, sizeof *p->others);
  if (!room || !p->moves || !p->others) {
    free(room);
    return err_nomem(err);
  }
  for (unsigned place = 0; place < p->sentences.n; place++) {
    if (count_different(s, texts, n, place, room) >= FEW) {
      p->moves[p->n_moves++] = place;
    }
  }
  free(room);
  if (p->n_moves == 0 || calls > SELDOM * (long long)n) {
    p->n_moves = 0;
    return RC_OK;
  }
  p->texts = (long long)n;
  for (size_t i = 0; i < n; i++) {
    p->others[p->n_others++] = s->at[texts[i]].key;
    if (texts[i] != newest) {
      sent_prompt_add(p, &s->at[texts[i]]);
    }
  }
  return RC_OK;
}

/* The texts of each family, one behind the other: in place of the rests. */
static int join_all(Families *f, Err *err) {
  unsigned *texts = malloc(f->all->n * sizeof *texts);
  if (!texts) {
    return err_nomem(err);
  }
  for (unsigned i = 0; i < f->all->n; i++) {
    f->rests[i] = (Rest){root_of(f, i), i};
  }
  qsort(f->rests, f->all->n, sizeof *f->rests, by_hash);
  for (size_t i = 0, n; i < f->all->n && err->rc == RC_OK; i += n) {
    for (n = 0; i + n < f->all->n && f->rests[i + n].hash == f->rests[i].hash; n++) {
      texts[n] = f->rests[i + n].text;
    }
    if (n >= FEW) {
      join_one(f->all, texts, n, err);
    }
  }
  free(texts);
  return err->rc;
}

int families_join(SentPrompts *s, Err *err) {
  size_t n = s->n;
  for (size_t i = 0; i < s->n; i++) {
    n += firsts(&s->at[i].sentences);
  }
  Families f = {.all = s,
                .rests = malloc((n + 1) * sizeof *f.rests),
                .first = malloc((s->n + 1) * sizeof *f.first)};
  if (!f.rests || !f.first) {
    err_nomem(err);
  }
  for (unsigned i = 0; i < s->n && err->rc == RC_OK; i++) {
    f.first[i] = i;
    add_rests(&f, i);
  }
  if (err->rc == RC_OK && s->n >= FEW) {
    find(&f);
    join_all(&f, err);
  }
  free(f.rests);
  free(f.first);
  return err->rc;
}
