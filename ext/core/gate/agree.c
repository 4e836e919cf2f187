/*
** Agreement of two answers. See agree.h for the contract.
**
** What is compared are final answers, not ways: two models that get 42 by different sums agree.
*/
#include "core/gate/agree.h"

#include "base/utf8.h"
#include "core/gate/checks.h"
#include "core/gate/numbers.h"
#include "core/gate/prose.h"
#include "core/schema/answer_json.h"
#include "core/route/fold.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
  SHORT_WORDS = 12,  /* of a text that is an answer and no essay */
  NEAR_END = 40,     /* bytes from the end in which a text's last number is its answer */
  AFTER = 200,       /* bytes behind "the answer is" in which the number stands */
  MOST_WORDS = 65536 /* distinct ones that are compared */
};

/* ---- final numbers */

/* The last place of a text in another, without case; -1. */
static long last_of(const GateText *t, const char *sought) {
  size_t n = strlen(sought);
  for (size_t i = t->n >= n ? t->n - n + 1 : 0; i > 0; i--) {
    if ((t->text[i - 1] | 0x20) == (sought[0] | 0x20) &&
        strncasecmp(t->text + i - 1, sought, n) == 0) {
      return (long)(i - 1);
    }
  }
  return -1;
}

/* The number at or behind byte i, up to `end`: with its sign, and divided where it is a fraction. */
static int number_from(const GateText *t, size_t i, size_t end, double *value) {
  Number a, b;
  if (!number_next(t->text, end, &i, &a)) {
    return 0;
  }
  char before = a.begin > 0 ? t->text[a.begin - 1] : 0;
  int is_money = before == '$' && a.begin > 1;
  char sign = is_money ? t->text[a.begin - 2] : before;
  int is_negative =
      sign == '-' || (a.begin > 2 && memcmp(t->text + a.begin - 3, "\xE2\x88\x92", 3) == 0);
  *value = a.value;
  if (i + 1 < end && t->text[i] == '/' && t->text[i + 1] >= '0' && t->text[i + 1] <= '9') {
    number_read(t->text, end, i + 1, &b);
    *value = b.value != 0 ? a.value / b.value : *value;
  }
  *value = is_negative ? -*value : *value;
  return 1;
}

/* Behind the last of these marks, on its line. */
static int number_behind(const GateText *t, const char *mark, double *value) {
  long at = last_of(t, mark);
  if (at < 0) {
    return 0;
  }
  size_t from = (size_t)at + strlen(mark), end = from;
  while (end < t->n && end - from < AFTER && t->text[end] != '\n') {
    end++;
  }
  return number_from(t, from, end, value);
}

static int last_number(const GateText *t, double *value, size_t *end) {
  size_t i = t->n;
  while (i > 0 && !(t->text[i - 1] >= '0' && t->text[i - 1] <= '9')) {
    i--;
  }
  *end = i;
  while (i > 0 && ((t->text[i - 1] >= '0' && t->text[i - 1] <= '9') ||
                   (i > 1 && strchr(".,", t->text[i - 1]) && t->text[i - 2] >= '0' &&
                    t->text[i - 2] <= '9'))) {
    i--;
  }
  return *end > 0 && number_from(t, i, *end, value);
}

typedef enum Final { NO_NUMBER, AT_END, SOMEWHERE, MARKED } Final;

static Final final_number(const GateText *t, double *value) {
  static const char *const marks[] = {"\"answer\"", "####",      "\\boxed{", "answer is",
                                      "answer:",    "answer:**", "result is"};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
    if (number_behind(t, marks[i], value)) {
      return MARKED;
    }
  }
  size_t end;
  return !last_number(t, value, &end) ? NO_NUMBER : t->n - end <= NEAR_END ? AT_END : SOMEWHERE;
}

int agree_number(const GateText *text, double *value) {
  return final_number(text, value) != NO_NUMBER;
}

static int is_same_number(double a, double b) {
  return fabs(a - b) <= 1e-6 * fmax(1, fmax(fabs(a), fabs(b)));
}

/* ---- texts */

typedef struct Words {
  uint64_t
      *slots; /* hashes of words, 0: free; a power of two of them, at least half of them free */
  size_t n_slots;
  uint64_t numbers; /* of the distinct numbers, mixed */
  long long n;      /* words */
  int distinct, negations;
} Words;

/* Room for the words of a text of n bytes. */
static int make_room(Words *w, size_t n) {
  w->n_slots = 16;
  while (w->n_slots < 2 * (n < MOST_WORDS ? n : MOST_WORDS)) {
    w->n_slots *= 2;
  }
  w->slots = calloc(w->n_slots, sizeof *w->slots);
  return w->slots != NULL;
}

static int add_word(Words *w, uint64_t hash) {
  size_t i = (size_t)(hash >> 32) % w->n_slots;
  hash |= 1;
  while (w->slots[i] && w->slots[i] != hash) {
    i = (i + 1) % w->n_slots;
  }
  int is_new = !w->slots[i] && (size_t)w->distinct < w->n_slots / 2;
  if (is_new) {
    w->slots[i] = hash;
    w->distinct++;
  }
  return is_new;
}

static int has_word(const Words *w, uint64_t hash) {
  size_t i = (size_t)(hash >> 32) % w->n_slots;
  hash |= 1;
  while (w->slots[i] && w->slots[i] != hash) {
    i = (i + 1) % w->n_slots;
  }
  return w->slots[i] == hash;
}

static int is_one_of(const char *word, size_t n, const char *list) {
  char sought[20] = "|";
  if (n == 0 || n > sizeof sought - 3) {
    return 0;
  }
  memcpy(sought + 1, word, n);
  sought[n + 1] = '|';
  return memmem(list, strlen(list), sought, n + 2) != NULL;
}

static const char ARTICLES[] =
    "|a|an|the|der|die|das|ein|eine|le|la|les|un|une|el|los|las|una|il|lo|i|"
    "gli|o|os|as|um|uma|";
static const char NEGATIONS[] =
    "|not|no|never|none|nobody|nothing|neither|nor|without|isn't|aren't|wasn't|weren't|don't|"
    "doesn't|didn't|can't|cannot|won't|wouldn't|shouldn't|couldn't|hasn't|haven't|nicht|kein|"
    "keine|keinen|nie|niemals|ohne|pas|jamais|sans|aucun|aucune|ni|sin|nunca|non|senza|mai|"
    "não|sem|не|нет|без|никогда|";

static void take_word(Words *w, const char *word, size_t n) {
  uint64_t hash = 14695981039346656037u;
  if (n == 0 || is_one_of(word, n, ARTICLES)) {
    return;
  }
  for (size_t i = 0; i < n; i++) {
    hash = (hash ^ (unsigned char)word[i]) * 1099511628211u;
  }
  hash ^= hash >> 29;
  hash *= 0xBF58476D1CE4E5B9u;
  int is_new = add_word(w, hash);
  w->n++;
  w->negations += is_one_of(word, n, NEGATIONS);
  if (is_new && *word >= '0' && *word <= '9') {
    w->numbers += hash;
  }
}

static void read_words(const GateText *t, Words *w) {
  char word[64];
  size_t n = 0;
  Fold f;
  fold_begin(&f, t->text, t->n);
  for (FoldChar c = fold_next(&f); c.c >= 0; c = fold_next(&f)) {
    int goes_on = (c.kind & FOLD_IN_WORD) || (c.c == '\'' && n > 0) ||
                  ((c.c == '.' || c.c == ',') && n > 0 && word[n - 1] >= '0' && word[n - 1] <= '9');
    if (!goes_on || (c.kind & FOLD_CJK)) {
      take_word(w, word, n);
      n = 0;
    }
    if (goes_on && c.c != ',' && n + 4 <= sizeof word) {
      char *p = word + n;
      n += c.c < 0x80 ? (size_t)(*p = (char)c.c, 1) : utf8_encode((unsigned)c.c, p);
    }
  }
  while (n > 0 && (word[n - 1] == '.' || word[n - 1] == '\'')) {
    n--;
  }
  take_word(w, word, n);
}

static int in_common(const Words *a, const Words *b) {
  int n = 0;
  for (size_t i = 0; i < a->n_slots; i++) {
    n += a->slots[i] && has_word(b, a->slots[i]);
  }
  return n;
}

/* The share of words in common; texts of which one denies, or that name other numbers, have little. */
static double likeness(const Words *a, const Words *b) {
  static const double opposed = 0.25;
  int all = a->distinct + b->distinct;
  double dice = all ? 2.0 * in_common(a, b) / all : 1;
  int is_opposed = (a->negations & 1) != (b->negations & 1) || a->numbers != b->numbers;
  return is_opposed && dice > opposed ? opposed : dice;
}

typedef struct Pair {
  const GateText *a, *b;
  Words words[2]; /* where texts are compared by words */
} Pair;

static int compare_text(const Pair *p, double *score) {
  *score = likeness(&p->words[0], &p->words[1]);
  return 1;
}

/* Short texts that are the same, or one of which says the other in a sentence. */
static int compare_short(const Pair *p, double *score) {
  const Words *a = &p->words[0], *b = &p->words[1];
  if (a->n > SHORT_WORDS || b->n > SHORT_WORDS || a->n == 0 || b->n == 0) {
    return 0;
  }
  int least = a->distinct < b->distinct ? a->distinct : b->distinct, common = in_common(a, b);
  int is_opposed = (a->negations & 1) != (b->negations & 1);
  *score = common == least && !is_opposed ? 1 : likeness(a, b);
  return 1;
}

/* ---- JSON */

enum { MOST_MEMBERS = 100000 };

static int is_same_json(const cJSON *a, const cJSON *b, int *left);

static int are_same_lists(const cJSON *a, const cJSON *b, int *left) {
  const cJSON *x = a->child, *y = b->child;
  while (x && y && is_same_json(x, y, left)) {
    x = x->next;
    y = y->next;
  }
  return !x && !y;
}

/* Members in any order; of many the order counts. */
static int are_same_objects(const cJSON *a, const cJSON *b, int *left) {
  const cJSON *x = a->child;
  if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b)) {
    return 0;
  }
  for (; x && *left > 0; x = x->next) {
    const cJSON *y = b->child;
    while (y && strcmp(x->string, y->string) != 0 && (*left)-- > 0) {
      y = y->next;
    }
    if (!y || !is_same_json(x, y, left)) {
      return 0;
    }
  }
  return !x;
}

/* Depth is bounded by LIMIT_ANSWER_DEPTH of the reader. */
static int is_same_json(const cJSON *a, const cJSON *b, int *left) {
  if ((*left)-- <= 0 || (a->type & 255) != (b->type & 255)) {
    return 0;
  }
  switch (a->type & 255) {
  case cJSON_Number:
    return is_same_number(a->valuedouble, b->valuedouble);
  case cJSON_String:
    return strcmp(a->valuestring, b->valuestring) == 0;
  case cJSON_Array:
    return are_same_lists(a, b, left);
  case cJSON_Object:
    return are_same_objects(a, b, left);
  default:
    return 1;
  }
}

/* The JSON in an answer, owned; NULL: there is none, or an error. */
static cJSON *json_of(const GateText *t, Err *err) {
  cJSON any = {.type = cJSON_Object};
  char *json = NULL;
  size_t n = 0;
  Err why = {0};
  cJSON *tree = NULL;
  if (answer_json(t->text, t->n, &any, &json, &n, &why) == RC_OK) {
    tree = json_parse_bytes(json, n, LIMIT_ANSWER_DEPTH, "the answer", &why);
  }
  free(json);
  if (why.rc == RC_NOMEM) {
    err_nomem(err);
  }
  return tree;
}

static int compare_json(const Pair *p, double *score, Err *err) {
  cJSON *a = json_of(p->a, err), *b = a ? json_of(p->b, err) : NULL;
  int has_both = a && b && !(cJSON_IsString(a) && cJSON_IsString(b)), left = MOST_MEMBERS;
  *score = has_both && is_same_json(a, b, &left);
  cJSON_Delete(a);
  cJSON_Delete(b);
  return has_both;
}

/* ---- numbers, bytes */

static int compare_number(const Pair *p, double *score, int must_be_final) {
  double x, y;
  Final a = final_number(p->a, &x), b = final_number(p->b, &y);
  int has_both = a != NO_NUMBER && b != NO_NUMBER &&
                 (!must_be_final || ((a == MARKED || a == AT_END) && (b == MARKED || b == AT_END)));
  *score = a != NO_NUMBER && b != NO_NUMBER && is_same_number(x, y);
  return has_both;
}

static int compare_bytes(const Pair *p, double *score) {
  GateText a = prose_trimmed(*p->a), b = prose_trimmed(*p->b);
  *score = a.n == b.n && (a.n == 0 || memcmp(a.text, b.text, a.n) == 0);
  return 1;
}

/* ---- the ways */

static const char *compare_auto(const Pair *p, double *score, Err *err) {
  if (compare_number(p, score, 1)) {
    return "number";
  }
  if (compare_short(p, score)) {
    return "short text";
  }
  if (compare_json(p, score, err)) {
    return "json";
  }
  compare_text(p, score);
  return "text";
}

static const char *compare(const Pair *p, AgreeHow how, double *score, Err *err) {
  switch (how) {
  case AGREE_EXACT:
    compare_bytes(p, score);
    return "bytes";
  case AGREE_NUMBER:
    compare_number(p, score, 0);
    return "number";
  case AGREE_JSON:
    compare_json(p, score, err);
    return "json";
  case AGREE_TEXT:
    compare_text(p, score);
    return "text";
  default:
    return compare_auto(p, score, err);
  }
}

int agree_compare(const GateText *a, const GateText *b, AgreeHow how, double *score,
                  const char **by, Err *err) {
  Pair p = {.a = a, .b = b};
  const char *way = "";
  int has_words = how == AGREE_AUTO || how == AGREE_TEXT;
  *score = 0;
  if (has_words && !(make_room(&p.words[0], a->n) && make_room(&p.words[1], b->n))) {
    err_nomem(err);
  } else {
    if (has_words) {
      read_words(a, &p.words[0]);
      read_words(b, &p.words[1]);
    }
    way = compare(&p, how, score, err);
  }
  if (by) {
    *by = way;
  }
  free(p.words[0].slots);
  free(p.words[1].slots);
  return err->rc;
}

int agree_check(const Gate *gate, const GateText *answer, const GateText *other, GateVerdict *out,
                Err *err) {
  double score;
  const char *by = "";
  *out = (GateVerdict){0, 0, ""};
  if (agree_compare(answer, other, (AgreeHow)(gate->compare < 0 ? 0 : gate->compare), &score, &by,
                    err) != RC_OK) {
    return err->rc;
  }
  if (score >= gate->least) {
    verdict_pass(out);
    out->score = score;
    return RC_OK;
  }
  return verdict_fail(out, score, "the other model answers something else (compared by %s: %.2f)",
                      by, score);
}
