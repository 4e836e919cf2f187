/*
** Context and question. See context.h for the contract.
*/
#include "core/split/context.h"

#include <string.h>

enum { MOST_LABEL_WORD = 24 };

static const char CONTEXT_WORDS[] =
    " context contexts document documents passage passages article articles source sources "
    "background text excerpt "
    "excerpts reference references transcript knowledge kontext dokument hintergrund quelle "
    "quellen contexte texte "
    "document contexto documento texto fuente fuentes contesto testo fonte fonti ";
static const char OTHER_WORDS[] = " question questions q query task tasks instruction instructions "
                                  "answer a options choices output request problem "
                                  "frage aufgabe antwort anweisung anweisungen consigne reponse "
                                  "pregunta tarea respuesta instrucciones domanda compito "
                                  "risposta istruzioni pergunta tarefa resposta instrucoes input ";
static const char QUESTION_WORDS[] =
    " question questions q query task request problem frage aufgabe pregunta domanda pergunta ";
/* First words of sentences that are orders. */
static const char ORDER_WORDS[] = " you answer respond reply return use do don't never always "
                                  "please only must write summarize summarise extract classify "
                                  "translate explain list provide ensure make follow avoid given "
                                  "based read remember note important if du sie antworte "
                                  "antworten nutze verwende beantworte repondez reponds tu vous "
                                  "utilise usa responde rispondi responda ";

/* The first word at or behind `from`, folded (ASCII), in ` word `; returns what is behind it. */
static size_t first_word(const char *text, size_t from, size_t end, char out[MOST_LABEL_WORD + 3]) {
  size_t k = 0;
  while (from < end && strchr(" \t#*_>\n", text[from]) && text[from]) {
    from++;
  }
  out[0] = ' ';
  while (from < end && k < MOST_LABEL_WORD && ((text[from] | 0x20) >= 'a' || text[from] == '\'') &&
         (text[from] | 0x20) <= 'z') {
    out[++k] = (char)(text[from] == '\'' ? '\'' : text[from] | 0x20);
    from++;
  }
  out[k + 1] = k > 0 ? ' ' : 0;
  out[k + 2] = 0;
  return from;
}

static int begins_with(const char *list, const char *text, const TextUnit *x) {
  char word[MOST_LABEL_WORD + 3];
  first_word(text, x->from, x->from + x->n, word);
  return word[1] != 0 && strstr(list, word) != NULL;
}

/* 1 if the unit is a heading, or begins with a label, of that word: "Context", "Context 2:", "## Document [3]". */
static int is_labelled(const char *list, const char *text, const TextUnit *x) {
  char word[MOST_LABEL_WORD + 3];
  size_t end = x->from + x->n, at = first_word(text, x->from, end, word);
  if (!(x->flags & UNIT_TURN) && x->kind != BLOCK_HEADING) {
    return 0;
  }
  while (at < end && strchr(" 0123456789[]()#*.", text[at]) && text[at]) {
    at++;
  }
  int ends = at == end || text[at] == ':' || text[at] == '\n';
  return word[1] != 0 && ends && strstr(list, word) != NULL;
}

typedef struct Walk {
  const char *text;
  const TextUnits *u;
  int depth;    /* tags that are open */
  int is_under; /* a heading or a label of context is open: its level, LABEL_LEVEL + 1 for a label */
} Walk;

/* Whether unit i is context by its marks. */
static int is_marked(Walk *w, size_t i) {
  const TextUnit *x = &w->u->at[i];
  const unsigned tags = UNIT_TAG_OPEN | UNIT_TAG_CLOSE;
  if (x->flags & tags && tags_is_container(w->text + x->from, x->n)) {
    w->depth += x->flags & UNIT_TAG_OPEN ? 1 : w->depth > 0 ? -1 : 0;
    return w->depth > (x->flags & UNIT_TAG_OPEN ? 1 : 0); /* the outermost ones stay */
  }
  if (x->flags & tags && w->text[x->from] == '`') {
    w->depth = x->flags & UNIT_TAG_OPEN ? 1 : 0;
    return 0;
  }
  if (w->depth > 0) {
    return 1;
  }
  if (is_labelled(CONTEXT_WORDS, w->text, x)) {
    int is_first = !w->is_under;
    w->is_under = x->kind == BLOCK_HEADING ? x->level : LABEL_LEVEL + 1;
    return x->kind != BLOCK_HEADING || !is_first;
  }
  int is_end =
      (x->kind == BLOCK_HEADING && x->level <= w->is_under) || is_labelled(OTHER_WORDS, w->text, x);
  w->is_under = is_end ? 0 : w->is_under;
  return w->is_under && x->block + 1 < w->u->n_blocks;
}

static size_t find_marked(const char *text, const TextUnits *u, unsigned char *roles) {
  Walk w = {text, u, 0, 0};
  size_t n = 0;
  for (size_t i = 0; i < u->n; i++) {
    roles[i] = is_marked(&w, i) ? ROLE_CONTEXT : ROLE_FIXED;
    n += roles[i] == ROLE_CONTEXT;
  }
  return n;
}

static size_t find_guessed(const char *text, const TextUnits *u, unsigned char *roles) {
  size_t n = 0, ending = u->n; /* where the questions that end the text begin */
  while (ending > 0 && u->at[ending - 1].flags & UNIT_QUESTION) {
    ending--;
  }
  for (size_t i = 0; i < u->n; i++) {
    const TextUnit *x = &u->at[i];
    int is_given = x->kind == BLOCK_CODE || x->kind == BLOCK_JSON || x->kind == BLOCK_FENCED_JSON;
    int stays = is_given || x->block == 0 || x->block + 1 >= u->n_blocks || i >= ending ||
                begins_with(ORDER_WORDS, text, x) || is_labelled(OTHER_WORDS, text, x);
    roles[i] = stays ? ROLE_FIXED : ROLE_CONTEXT;
    n += !stays;
  }
  return n;
}

/* A question, or labelled as one, or under such a heading. */
static int is_asked(const char *text, const TextUnits *u, size_t i) {
  const TextUnit *x = &u->at[i];
  if (x->kind == BLOCK_HEADING) {
    return 0;
  }
  return x->flags & UNIT_QUESTION || is_labelled(QUESTION_WORDS, text, x) ||
         (x->parent != UNIT_NONE && u->at[x->parent].kind == BLOCK_HEADING &&
          is_labelled(QUESTION_WORDS, text, &u->at[x->parent]));
}

/* What of the rest is asked. */
static void find_question(const char *text, const TextUnits *u, unsigned char *roles) {
  size_t found = 0;
  for (size_t i = 0; i < u->n; i++) {
    int asks = roles[i] == ROLE_FIXED && is_asked(text, u, i);
    roles[i] = asks ? ROLE_QUESTION : roles[i];
    found += (size_t)asks;
  }
  for (size_t i = u->n; i-- > 0 && found == 0 && u->at[i].block + 1 >= u->n_blocks;) {
    roles[i] = roles[i] == ROLE_FIXED ? ROLE_QUESTION : roles[i];
  }
}

size_t context_find(const char *text, const TextUnits *u, ContextWhere where,
                    unsigned char *roles) {
  if (where == CONTEXT_WHOLE) {
    memset(roles, ROLE_CONTEXT, u->n);
    return u->n;
  }
  size_t n = find_marked(text, u, roles);
  if (n == 0 && where == CONTEXT_GUESSED) {
    n = find_guessed(text, u, roles);
  }
  find_question(text, u, roles);
  return n;
}
