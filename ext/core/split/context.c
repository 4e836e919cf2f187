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
static const char ORDER_WORDS[] =
    " you answer respond reply return use do don't never always "
    "please only must write summarize summarise extract classify "
    "translate explain list provide ensure make follow avoid given "
    "based read remember note important if du sie antworte "
    "antworten nutze verwende beantworte repondez reponds tu vous "
    "utilise usa responde rispondi responda tell give say show find compare describe create draft "
    "thank sign format output convert rewrite keep start end begin "
    "mention quote cite count calculate compute decide choose pick "
    "rank sort check verify proofread correct improve edit shorten "
    "review analyse analyze evaluate rate score assess think consider "
    "schreibe schreib nenne nennen gib zeige fasse finde vergleiche "
    "beschreibe unterschreibe danke beachte donne dis montre resume "
    "ecris escribe di muestra compara scrivi mostra ";

/* The same of those that are told to who answers. */
static const char ANSWER_WORDS[] =
    " answer respond reply antworte antworten beantworte repondez reponds responde responda "
    "rispondi rispondete ";
/* In front of a verb they order, */
static const char FORCE_WORDS[] =
    " never always only nie niemals immer nur jamais toujours nunca siempre solo mai sempre ";
/* such as those in ORDER_WORDS, and these. */
static const char TOLD_WORDS[] =
    " reveal disclose share discuss guess invent lie assume promise speculate ask offer advise "
    "speak be refer recommend suggest name state comment talk translate greet apologise apologize "
    "refuse confirm admit pretend claim argue criticise criticize ";
static const char CONDITION_WORDS[] =
    " if when unless where should in wenn falls sofern si cuando se quando ";
static const char POLITE_WORDS[] = " please bitte and but also then instead remember ";

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
  size_t last_block; /* behind which it holds no more: where nothing says where it ends */
  size_t asked;      /* the unit from which on the text asks and orders */
} Walk;

/* A block's beginning that asks or orders. */
static int begins_order(const char *text, const TextUnits *u, size_t i) {
  const TextUnit *x = &u->at[i];
  return x->flags & UNIT_QUESTION || begins_with(ORDER_WORDS, text, x) ||
         is_labelled(OTHER_WORDS, text, x);
}

/* Where the questions and orders begin that end a text: the last block, and those before it that ask or order, each as a whole. */
static size_t asked_from(const char *text, const TextUnits *u) {
  size_t from = u->n, first;
  while (from > 0) {
    for (first = from - 1; first > 0 && u->at[first - 1].block == u->at[first].block;) {
      first--;
    }
    if (from < u->n && !begins_order(text, u, first)) {
      break;
    }
    from = first;
  }
  return from;
}

/* 1 if something behind unit i says that what a label of context began is over. */
static int has_end(const char *text, const TextUnits *u, size_t i) {
  int is = 0;
  for (size_t k = i + 1; k < u->n && !is; k++) {
    const TextUnit *x = &u->at[k];
    is = (x->kind == BLOCK_HEADING && x->level < LABEL_LEVEL) ||
         is_labelled(OTHER_WORDS, text, x) || is_labelled(CONTEXT_WORDS, text, x);
  }
  return is;
}

/* The last block of what a label at unit i leads in, where nothing says where it ends: one paragraph, or a list, or rows. */
static size_t own_end(const TextUnits *u, size_t i) {
  size_t k = i + 1, block = u->at[i].block;
  if (u->at[i].kind != BLOCK_HEADING || k >= u->n) {
    return block;
  }
  BlockKind kind = u->at[k].kind;
  block = u->at[k].block;
  while (kind != BLOCK_PARAGRAPH && k < u->n && u->at[k].kind == kind) {
    block = u->at[k++].block;
  }
  return block;
}

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
    int is_heading = x->kind == BLOCK_HEADING && x->level < LABEL_LEVEL;
    w->is_under = x->kind == BLOCK_HEADING ? x->level : LABEL_LEVEL + 1;
    w->last_block = is_heading || has_end(w->text, w->u, i) ? (size_t)-1 : own_end(w->u, i);
    return x->kind != BLOCK_HEADING || !is_first;
  }
  int is_end =
      (x->kind == BLOCK_HEADING && x->level <= w->is_under) || is_labelled(OTHER_WORDS, w->text, x);
  w->is_under = is_end || x->block > w->last_block ? 0 : w->is_under;
  return w->is_under && i < w->asked;
}

static size_t find_marked(const char *text, const TextUnits *u, unsigned char *roles) {
  Walk w = {text, u, 0, 0, (size_t)-1, asked_from(text, u)};
  size_t n = 0;
  for (size_t i = 0; i < u->n; i++) {
    roles[i] = is_marked(&w, i) ? ROLE_CONTEXT : ROLE_FIXED;
    n += roles[i] == ROLE_CONTEXT;
  }
  return n;
}

/* "The answer is in German.", "Answers have two words." */
static int speaks_of_answers(const char *text, const TextUnit *x) {
  static const char words[] =
      " answer answers reply replies response responses output antwort antworten reponse reponses "
      "respuesta respuestas risposta risposte resposta respostas ";
  char word[MOST_LABEL_WORD + 3];
  size_t at = x->from, end = x->from + x->n;
  for (int k = 0; k < 4 && at < end;
       k++) { /* (an article, an adjective; further on it may be anything) */
    at = first_word(text, at, end, word);
    if (word[1] == 0) {
      return 0;
    }
    if (strstr(words, word)) {
      return 1;
    }
  }
  return 0;
}

static size_t find_guessed(const char *text, const TextUnits *u, unsigned char *roles) {
  size_t n = 0, asked = asked_from(text, u);
  for (size_t i = 0; i < u->n; i++) {
    const TextUnit *x = &u->at[i];
    int is_given = x->kind == BLOCK_CODE || x->kind == BLOCK_JSON || x->kind == BLOCK_FENCED_JSON;
    int stays = is_given || x->block == 0 || i >= asked || begins_order(text, u, i) ||
                speaks_of_answers(text, x);
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

/* Whether what stands at `at` orders who answers: "answer …", "do not …", "never give …". */
static int orders_at(const char *text, size_t at, size_t end) {
  char word[MOST_LABEL_WORD + 3], next[MOST_LABEL_WORD + 3];
  at = first_word(text, at, end, word);
  while (word[1] && strstr(POLITE_WORDS, word)) {
    at += at < end && strchr(",:", text[at]);
    at = first_word(text, at, end, word);
  }
  first_word(text, at, end, next);
  if (word[1] == 0 || next[1] == 0) {
    return 0;
  }
  int is_forced =
      strstr(FORCE_WORDS, word) && (strstr(ORDER_WORDS, next) || strstr(TOLD_WORDS, next));
  int is_forbidden =
      strcmp(word, " don't ") == 0 || (strcmp(word, " do ") == 0 && strcmp(next, " not ") == 0);
  return is_forced || is_forbidden || strstr(ANSWER_WORDS, word) != NULL;
}

/* 1 if a sentence tells the model what to do, at once or behind its condition. */
static int is_told(const char *text, const TextUnit *x) {
  size_t end = x->from + x->n;
  if (!(x->flags & UNIT_SENTENCE) || x->flags & (UNIT_QUESTION | UNIT_TURN)) {
    return 0;
  }
  int is = orders_at(text, x->from, end), has_condition = begins_with(CONDITION_WORDS, text, x);
  for (size_t i = x->from; has_condition && !is && i < end; i++) {
    is = text[i] == ',' && orders_at(text, i + 1, end);
  }
  return is;
}

void context_keep_orders(const char *text, const TextUnits *u, unsigned char *roles) {
  enum { MOST_PARENTS = 32 };
  for (size_t i = 0; i < u->n; i++) {
    int is = roles[i] == ROLE_CONTEXT && is_told(text, &u->at[i]);
    size_t at = i;
    for (int k = 0; is && at != UNIT_NONE && k < MOST_PARENTS; k++) {
      roles[at] = roles[at] == ROLE_CONTEXT ? ROLE_FIXED : roles[at];
      at = u->at[at].parent;
    }
  }
}

void context_keep_asked(const char *text, const TextUnits *u, unsigned char *roles) {
  size_t first = 0, last = u->n;
  while (first < last && begins_order(text, u, first)) {
    roles[first++] = ROLE_QUESTION;
  }
  while (last > first && begins_order(text, u, last - 1)) {
    roles[--last] = ROLE_QUESTION;
  }
}
