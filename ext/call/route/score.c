/*
** See score.h for the contract.
*/
#include "call/route/score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLLOW_UP_WORDS = 3 };

static int is_users(const Message *m) {
  return strcmp(m->role, "user") == 0 && strspn(m->content, " \t\r\n") < m->n;
}

/* 1 if a text has at most that many words, and no more bytes than so many have. */
static int is_short(const Message *m, int most) {
  enum { LONGEST_WORD = 24 };
  int words = 0;
  for (size_t i = 0; i < m->n && words <= most; words++) {
    i += strspn(m->content + i, " \t\r\n");
    words -= i >= m->n;
    i += strcspn(m->content + i, " \t\r\n");
  }
  return words <= most && m->n <= (size_t)most * LONGEST_WORD;
}

/* The user's latest message before `end` that is long enough, or any; -1: none. */
static int find_users(const Request *r, int end, int wants_long) {
  int i = end - 1;
  while (i >= 0 && (!is_users(&r->messages[i]) ||
                    (wants_long && is_short(&r->messages[i], FOLLOW_UP_WORDS)))) {
    i--;
  }
  return i;
}

static int join(const Message *first, const Message *last, Score *s, Err *err) {
  s->n = first->n + 1 + last->n;
  s->joined = malloc(s->n + 1);
  if (!s->joined) {
    return err_nomem(err);
  }
  snprintf(s->joined, s->n + 1, "%s\n%s", first->content, last->content);
  s->text = s->joined;
  s->of = "the last message, behind the one that it follows up";
  return RC_OK;
}

/* Which text is read. */
static int choose_text(const Request *r, Score *s, Err *err) {
  int last = find_users(r, r->n_messages, 0);
  if (last < 0) {
    s->of = "nothing: no text of the user's";
    return RC_OK;
  }
  int before = is_short(&r->messages[last], FOLLOW_UP_WORDS) ? find_users(r, last, 1) : -1;
  if (before >= 0) {
    return join(&r->messages[before], &r->messages[last], s, err);
  }
  s->text = r->messages[last].content;
  s->n = r->messages[last].n;
  s->of = r->n_messages == 1 ? "the prompt" : "the user's last message";
  return RC_OK;
}

static int by_effort(Call *k, Score *s, Err *err) {
  (void)k;
  s->value = effort_score(s->text, s->n, s->parts);
  s->n_parts = EFFORT_PARTS;
  snprintf(s->version, sizeof s->version, "%s", effort_version());
  return err->rc;
}

int score_request(Call *k, const Request *r, Score *s, Err *err) {
  static int (*const scorers[])(Call * k, Score * s, Err * err) = {
      [SCORER_HEURISTIC] = by_effort,
  };
  const Options *o = r->options;
  int scorer = o->scorer >= 0 ? o->scorer : k->conn->set.scorer;
  *s = (Score){.value = SCORE_UNREAD, .version = "none"};
  if (!isnan(o->score)) {
    s->value = o->score;
    s->of = "nothing: option score";
    snprintf(s->version, sizeof s->version, "option");
    return RC_OK;
  }
  if (choose_text(r, s, err) != RC_OK || !s->text) {
    return err->rc;
  }
  return scorers[scorer](k, s, err);
}

void score_free(Score *s) {
  free(s->joined);
  s->joined = NULL;
}
