/*
** See score.h for the contract.
*/
#include "call/score/score.h"

#include "call/score/examples.h"
#include "call/state/target.h"
#include "call/state/beside.h"
#include "core/gate/judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLLOW_UP_WORDS = 3 };

/* So much of a text is shown to a model that scores it. */
#define MOST_SHOWN ((size_t)8000)

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

static int by_examples(Call *k, Score *s, Err *err) {
  Store *store = k->store ? k->store : conn_store(k->conn, 0, err);
  return err->rc == RC_OK
             ? examples_score(k->conn, store, s->text, s->n, &s->value, s->version, err)
             : err->rc;
}

/* What a model is asked that says how hard a request is. What stands between the marks can't end them: they have the text's own
** hash for a name. */
static int write_question(const Score *s, Buf *b, Err *err) {
  char name[HASH_HEX_SIZE];
  Hash h = hash_bytes(s->text, s->n, 0);
  hash_hex(&h, name);
  buf_init(b, LIMIT_REQUEST_BYTES);
  buf_printf(b,
             "Between the marks <%s> and </%s> stands a request to a language model. Do not answer "
             "it. How hard is it to"
             " answer well? 0: anybody could, in a sentence; 5: it takes care and some knowledge; "
             "10: it takes long,"
             " exact reasoning of an expert. Reply with that one number and nothing else.\n<%s>\n",
             name, name, name);
  buf_add(b, s->text, s->n < MOST_SHOWN ? s->n : MOST_SHOWN);
  buf_printf(b, "\n</%s>", name);
  return b->failed ? err_nomem(err) : RC_OK;
}

const char *score_model(Conn *conn, const Config *config) {
  int i = 0;
  while (i < config->n_tiers && !target_can_ask(conn, config->tiers[i].model)) {
    i++;
  }
  return i < config->n_tiers ? config->tiers[i].model : NULL;
}

/* A small model of the tiers says it; where it can't be had, the words of the prompt do. */
static int by_verifier(Call *k, Score *s, Err *err) {
  Buf question;
  Outcome out = {0};
  Err why = {0};
  const Config *config = conn_config(k->conn, err);
  const BesideAsk what = {.purpose = "score",
                          .model = config ? score_model(k->conn, config) : NULL,
                          .prompt = &question};
  buf_init(&question, LIMIT_REQUEST_BYTES);
  int is_said = what.model && write_question(s, &question, err) == RC_OK &&
                beside_ask(k, &what, &out, &why, err) == 1 &&
                judge_read(out.text, out.n, &s->value);
  snprintf(s->version, sizeof s->version, "verifier");
  beside_free(&out);
  buf_free(&question);
  return err->rc != RC_OK || is_said ? err->rc : by_effort(k, s, err);
}

int score_request(Call *k, const Request *r, Score *s, Err *err) {
  static int (*const scorers[])(Call * k, Score * s, Err * err) = {
      [SCORER_HEURISTIC] = by_effort,
      [SCORER_EXAMPLES] = by_examples,
      [SCORER_VERIFIER] = by_verifier,
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
