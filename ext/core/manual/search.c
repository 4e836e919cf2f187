/*
** Looking into the manual. See search.h for the contract.
*/
#include "core/manual/search.h"

#include "core/manual/words.h"

#include <string.h>

enum { MOST_WORDS = 16, SHORTEST = 3 };

/* Puts a place among the best. Of equal ones the first stays in front. */
static void offer(Found *f, const Walk *w, int score) {
  int at = f->n;
  while (at > 0 && f->score[at - 1] < score) {
    at--;
  }
  if (score <= 0 || at >= SEARCH_MOST) {
    return;
  }
  f->n += f->n < SEARCH_MOST;
  for (int k = f->n - 1; k > at; k--) {
    f->at[k] = f->at[k - 1];
    f->score[k] = f->score[k - 1];
  }
  f->at[at] = *w;
  f->score[at] = score;
}

/* Drops what is far behind the best. */
static void keep_near(Found *f, int percent) {
  while (f->n > 0 && f->score[f->n - 1] * 100 < f->score[0] * percent) {
    f->n--;
  }
}

/* The normal form of a text, in `room`; NULL where it has no word, and for good once memory was short. */
static const char *form_of(Span text, Buf *room) {
  if (room->failed) {
    return NULL;
  }
  buf_clear(room);
  words_add(text.at, text.n, room);
  return room->n > 0 ? room->data : NULL;
}

/* Without the blanks around it. */
static Span bare(const char *form) {
  return span_trim((Span){form, strlen(form)});
}

/* A text with '…' for what differs: the letters of its pieces, where all of them stand in the topic in that order; else 0. */
static int fits_pieces(const char *topic, Span text, Buf *room) {
  static const char gap[] = "…";
  const char *end = text.at + text.n;
  int score = 0;
  while (text.at < end) {
    const char *cut = text.at;
    while (cut < end && strncmp(cut, gap, sizeof gap - 1) != 0) {
      cut++;
    }
    const char *form = form_of((Span){text.at, (size_t)(cut - text.at)}, room);
    if (form) {
      Span piece = bare(form);
      room->data[(piece.at - form) + (long)piece.n] = 0;
      topic = strstr(topic, piece.at);
      if (!topic) {
        return 0;
      }
      topic += piece.n;
      score += (int)piece.n;
    }
    text.at = cut < end ? cut + sizeof gap - 1 : end;
  }
  return score >= SHORTEST ? score : 0;
}

/* How well the first cell of a row is what somebody sees. */
static int seen_score(const char *topic, Span cell, Buf *room) {
  Span whole = bare(topic), rest = cell, code;
  const char *form = form_of(cell, room);
  int best = words_have(form, whole.at, whole.n) ? (int)whole.n + SHORTEST : 0;
  while (span_code(&rest, &code)) {
    int score = fits_pieces(topic, code, room);
    best = score > best ? score : best;
  }
  return best;
}

/* 1 if a row is of a table of what somebody sees, or has. */
static int is_of_seen(const Block *block, Span *cell) {
  static const char *const columns[] = {"you see", "client"};
  if (block->kind != BLOCK_ROW || !row_cell(block->head, 0, cell)) {
    return 0;
  }
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
    if (span_same(*cell, columns[i], strlen(columns[i]))) {
      return row_cell(block->text, 0, cell);
    }
  }
  return 0;
}

void search_seen(const ManualPage *pages, const char *topic, Buf *room, Found *found) {
  Walk w;
  Span cell;
  found->n = 0;
  for (walk_start(&w, pages); walk_next(&w);) {
    if (is_of_seen(&w.block, &cell)) {
      offer(found, &w, seen_score(topic, cell, room));
    }
  }
  keep_near(found, 60);
}

void search_headings(const ManualPage *pages, const char *topic, Buf *room, Found *found) {
  Span whole = bare(topic);
  Walk w;
  found->n = 0;
  for (walk_start(&w, pages); walk_next(&w);) {
    if (w.block.kind == BLOCK_HEADING &&
        words_have(form_of(w.block.text, room), whole.at, whole.n)) {
      offer(found, &w, 1);
    }
  }
}

/* The words of a topic, and what each counts: the more the fewer blocks have it. */
typedef struct Words {
  Span at[MOST_WORDS];
  int blocks[MOST_WORDS];
  int n;
} Words;

static void read_words(const char *topic, Words *words) {
  const char *word;
  size_t n;
  words->n = 0;
  while (words->n < MOST_WORDS && (n = words_next(&topic, &word)) > 0) {
    if (n >= SHORTEST) {
      words->blocks[words->n] = 0;
      words->at[words->n++] = (Span){word, n};
    }
  }
}

static int word_score(const Words *words, const char *form) {
  int score = 0;
  for (int i = 0; i < words->n; i++) {
    if (words_have(form, words->at[i].at, words->at[i].n)) {
      score += 10000 / (4 + words->blocks[i]);
    }
  }
  return score;
}

void search_words(const ManualPage *pages, const char *topic, Buf *room, Found *found) {
  Words words;
  Walk w;
  found->n = 0;
  read_words(topic, &words);
  for (walk_start(&w, pages); walk_next(&w);) {
    const char *form = form_of(w.block.text, room);
    for (int i = 0; i < words.n; i++) {
      words.blocks[i] += words_have(form, words.at[i].at, words.at[i].n);
    }
  }
  for (walk_start(&w, pages); walk_next(&w);) {
    if (!w.is_in_index && w.block.kind != BLOCK_HEADING) {
      offer(found, &w, word_score(&words, form_of(w.block.text, room)));
    }
  }
  keep_near(found, 50);
}
