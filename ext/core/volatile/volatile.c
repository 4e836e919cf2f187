/*
** Volatile questions. See volatile.h for the contract, phrases.h for the patterns.
**
** A sentence is read from its first word to its last. Openers ("can you tell me") move the place where its clause
** begins; what says that the rest is general ends the search for one kind or for both; so "Where is my order, and how
** can I track it?" is personal, "How can I find out where my order is?" is not.
*/
#include "core/volatile/volatile.h"

#include "core/volatile/phrases.h"

#include <string.h>

enum { FRONT = 1000, BACK = 1000 };

/* Words of the text, from `at` to before `end`; 0, 0: none. */
typedef struct Span {
  int at, end;
} Span;

/* What is known so far: the words that said so first. */
typedef struct Verdict {
  Span now, personal;
  int is_about;
} Verdict;

/* A sentence. */
typedef struct Sentence {
  int is_all;                            /* the text has no other */
  int is_now_closed, is_personal_closed; /* nothing more is found of that kind */
  int is_timeless;                       /* nothing is of now, wherever that was said */
  Verdict found;
} Sentence;

static int is_inside(char c) {
  return ((unsigned char)c & 0xC0) == 0x80;
}

static void read_text(PhraseText *t, const char *text, size_t n) {
  phrases_begin(t);
  if (n <= FRONT + BACK) {
    phrases_read(t, text, n);
    return;
  }
  size_t front = FRONT, back = n - BACK;
  for (int i = 0; i < 3; i++) { /* between characters */
    front -= (size_t)is_inside(text[front]);
    back += (size_t)is_inside(text[back]);
  }
  phrases_read(t, text, front);
  t->next = WORD_SENTENCE | WORD_CLAUSE;
  phrases_read(t, text + back, n - back);
}

static int closes_now(PhraseKind kind) {
  return kind == PHRASE_GENERAL || kind == PHRASE_TIMELESS;
}

static int closes_personal(PhraseKind kind) {
  return kind == PHRASE_GENERAL || kind == PHRASE_ANYONE;
}

/* The word behind the longest hit that closes a kind; 0: none does. */
static int closed_until(const PhraseHit *hits, int n, int (*closes)(PhraseKind)) {
  int until = 0;
  for (int i = 0; i < n; i++) {
    until = closes(hits[i].kind) && hits[i].end > until ? hits[i].end : until;
  }
  return until;
}

/* Hears the hits at one place. Of two that contradict each other there, the longer one says more. */
static void hear(Sentence *s, int at, const PhraseHit *hits, int n) {
  int now_until = closed_until(hits, n, closes_now);
  int personal_until = closed_until(hits, n, closes_personal);
  for (int i = 0; i < n; i++) {
    const PhraseHit *h = &hits[i];
    int is_now = h->kind == PHRASE_NOW || (h->kind == PHRASE_ALONE && s->is_all && at == 0);
    if (is_now && !s->is_now_closed && h->end > now_until && !s->found.now.end) {
      s->found.now = (Span){at, h->end};
    }
    if (h->kind == PHRASE_PERSONAL && !s->is_personal_closed && h->end > personal_until &&
        !s->found.personal.end) {
      s->found.personal = (Span){at, h->end};
    }
    s->is_timeless |= h->kind == PHRASE_TIMELESS;
    s->found.is_about |= h->kind == PHRASE_ABOUT;
  }
  s->is_now_closed |= now_until > 0;
  s->is_personal_closed |= personal_until > 0;
}

/* The sentence of the words from `begin` to before `end`. */
static void read_sentence(PhraseText *t, int begin, int end, Verdict *v) {
  Sentence s = {.is_all = begin == 0 && end == t->n_words};
  for (int at = begin; at < end; at++) {
    PhraseHit hits[PHRASE_MOST_HITS];
    int n = phrases_match(t, at, end, hits);
    for (int i = 0; i < n; i++) {
      if (hits[i].kind == PHRASE_OPENER && hits[i].end < end) {
        t->words[hits[i].end].flags |= WORD_CLAUSE;
      }
    }
    hear(&s, at, hits, n);
  }
  v->is_about |= s.found.is_about;
  v->now = v->now.end || s.is_timeless ? v->now : s.found.now;
  v->personal = v->personal.end ? v->personal : s.found.personal;
}

/* Chinese and Japanese are written without blanks. */
static int is_cjk(const PhraseText *t, int word) {
  return (unsigned char)t->bytes[t->words[word].at] >= 0xE3;
}

static void tell(const PhraseText *t, Span span, char out[VOLATILE_WORD]) {
  size_t used = 0;
  for (int i = span.at; i < span.end; i++) {
    const PhraseWord *w = &t->words[i];
    size_t blank = used > 0 && !is_cjk(t, i);
    if (used + blank + w->n >= VOLATILE_WORD) {
      break;
    }
    memcpy(out + used, " ", blank);
    memcpy(out + used + blank, t->bytes + w->at, w->n);
    used += blank + w->n;
  }
  out[used] = 0;
}

Volatile volatile_kind(const char *text, size_t n, char word[VOLATILE_WORD]) {
  PhraseText t;
  Verdict v = {0};
  read_text(&t, text, n);
  for (int at = 0, end; at < t.n_words && !v.is_about; at = end) {
    for (end = at + 1; end < t.n_words && !(t.words[end].flags & WORD_SENTENCE); end++) {
    }
    read_sentence(&t, at, end, &v);
  }
  if (v.is_about) {
    v.now = v.personal = (Span){0, 0};
  }
  Span why = v.now.end ? v.now : v.personal;
  if (word) {
    tell(&t, why, word);
  }
  return !why.end ? VOLATILE_NO : v.now.end ? VOLATILE_NOW : VOLATILE_PERSONAL;
}
