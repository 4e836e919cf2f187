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

/* Where a piece stands in a topic. At the ends of a text it must begin and end with words. */
static const char *find_piece(const char *topic, Span piece, int begins, int ends) {
  for (const char *p = topic; (p = strstr(p, piece.at)); p++) {
    if ((!begins || p[-1] == ' ') && (!ends || p[piece.n] == ' ')) {
      return p;
    }
  }
  return NULL;
}

/* A text with '…' for what differs: the letters of its pieces, where all of them stand in the topic in that order; else 0. */
static int fits_pieces(const char *topic, Span text, Buf *room) {
  static const char gap[] = "…";
  const char *end = text.at + text.n, *start = text.at;
  int score = 0;
  topic++; /* the blank before its first word */
  while (text.at < end) {
    const char *cut = text.at;
    while (cut < end && strncmp(cut, gap, sizeof gap - 1) != 0) {
      cut++;
    }
    const char *form = form_of((Span){text.at, (size_t)(cut - text.at)}, room);
    if (form) {
      Span piece = bare(form);
      room->data[(piece.at - form) + (long)piece.n] = 0;
      topic = find_piece(topic, piece, text.at == start, cut == end);
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

/* 1 if several words stand in a normal form as they are: two at its beginning, more anywhere. */
static int has_phrase(const char *form, Span words) {
  const char *blank = memchr(words.at, ' ', words.n), *end = words.at + words.n;
  int has_more = blank && memchr(blank + 1, ' ', (size_t)(end - blank - 1));
  for (const char *at = blank ? form : NULL; at && *at && at[1]; at = strchr(at + 1, ' ')) {
    if (strncmp(at + 1, words.at, words.n) == 0 && at[1 + words.n] == ' ') {
      return 1;
    }
    if (!has_more) {
      return 0;
    }
  }
  return 0;
}

/* How well the first cell of a row is what somebody sees. */
static int seen_score(const char *topic, Span cell, Buf *room) {
  Span whole = bare(topic), rest = cell, code;
  int best = 0;
  while (span_code(&rest, &code)) {
    int score = has_phrase(form_of(code, room), whole) ? (int)whole.n + SHORTEST
                                                       : fits_pieces(topic, code, room);
    best = score > best ? score : best;
  }
  return best;
}

/* 1 if a row is of a table of what somebody sees, or has. */
static int is_of_seen(const PageBlock *block, Span *cell) {
  static const char *const columns[] = {"you see", "client"};
  if (block->kind != PAGE_ROW || !row_cell(block->head, 0, cell)) {
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

/* The words of a topic that tell something, and in how many blocks each is. */
typedef struct Words {
  Span at[MOST_WORDS];
  int blocks[MOST_WORDS];
  int n;
} Words;

/* How well a text has each of them. */
typedef struct Fit {
  int of[MOST_WORDS];
} Fit;

static void read_words(const char *topic, Words *words) {
  const char *word;
  size_t n;
  words->n = 0;
  while (words->n < MOST_WORDS && (n = words_next(&topic, &word)) > 0) {
    if (n >= 2 && !words_is_common(word, n)) {
      words->blocks[words->n] = 0;
      words->at[words->n++] = (Span){word, n};
    }
  }
}

/* Takes what a text has, at so many percent, where that is more. */
static void raise_fit(Fit *fit, const Words *words, const char *form, int percent) {
  for (int i = 0; form && i < words->n; i++) {
    int now = words_has(form, words->at[i].at, words->at[i].n) * percent / 10;
    fit->of[i] = now > fit->of[i] ? now : fit->of[i];
  }
}

/* A heading with its other words. */
static const char *form_of_heading(const Walk *w, Buf *room) {
  if (room->failed) {
    return NULL;
  }
  buf_clear(room);
  words_add_heading(w->heading.at, w->heading.n, room);
  words_add(w->also.at, w->also.n, room);
  return room->failed || room->n == 0 ? NULL : room->data;
}

/* What a block has by itself: a heading more than a text, the first cell of a row more than the others. */
static Fit fit_of(const Walk *w, const Words *words, Buf *room) {
  enum { TEXT = 100, CODE = 70, HEADING = 160, CELL = 120, SEEN = 140 };
  Fit fit = {{0}};
  Span cell;
  if (w->block.kind == PAGE_HEADING) {
    raise_fit(&fit, words, form_of_heading(w, room), HEADING);
    return fit;
  }
  raise_fit(&fit, words, form_of(w->block.text, room), w->block.kind == PAGE_CODE ? CODE : TEXT);
  if (is_of_seen(&w->block, &cell)) {
    raise_fit(&fit, words, form_of(cell, room), SEEN);
  } else if (w->block.kind == PAGE_ROW && row_cell(w->block.text, 0, &cell)) {
    raise_fit(&fit, words, form_of(cell, room), CELL);
  }
  return fit;
}

/* The rarer a word, the more it counts. What stands over a block helps one that has something itself. */
static int score_of(const Words *words, const Fit *fit, const Fit *over) {
  int own = 0, score = 0;
  for (int i = 0; i < words->n; i++) {
    int above = over->of[i] * 6 / 10, best = fit->of[i] > above ? fit->of[i] : above;
    own += fit->of[i];
    score += best * 4000 / (4 + words->blocks[i]);
  }
  return own > 0 ? score : 0;
}

static void count_blocks(const ManualPage *pages, Words *words, Buf *room) {
  Walk w;
  for (walk_start(&w, pages); walk_next(&w);) {
    Fit fit = fit_of(&w, words, room);
    for (int i = 0; i < words->n; i++) {
      words->blocks[i] += fit.of[i] > 0;
    }
  }
}

void search_words(const ManualPage *pages, const char *topic, Buf *room, Found *found) {
  static const Fit none = {{0}};
  Words words;
  Walk w;
  Fit over = none;
  found->n = 0;
  read_words(topic, &words);
  count_blocks(pages, &words, room);
  for (walk_start(&w, pages); walk_next(&w);) {
    Fit fit = fit_of(&w, &words, room);
    int is_heading = w.block.kind == PAGE_HEADING;
    int is_front = strcmp(w.page->name, MANUAL_FRONT) == 0; /* it only points to the others */
    over = w.heading.n == 0 ? none : is_heading ? fit : over;
    int score = w.is_in_index ? 0 : score_of(&words, &fit, is_heading ? &none : &over);
    offer(found, &w, is_front ? score / 10 * 9 : score);
  }
  keep_near(found, 50);
}
