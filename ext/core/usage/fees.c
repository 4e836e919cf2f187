/*
** What is billed beside the counts, and the cost that an answer itself states. See reading.h for the contract.
**
** All of it is data, sql/fees.tsv: where in an answer a sign of a charge stands, the unit that it counts and how. A
** sign that no unit counts is named (Usage.other), and so is a number of the usage object that nothing reads and whose
** name smells of a charge: what it costs is then unknown, not nothing.
**
**   path	unit	how	providers
**
** A path's steps, with '.' between: a member's name; a GLOB of names, '*' also of all elements of an array;
** "?a/b=GLOBs": goes on only where the text at a/b ("" where there is nothing, "#" where there is no text) matches. The first step "usage" is the
** usage object, wherever it stands. Units: a unit's word, "other" (by its own name), "other:NAME", "usd",
** "service", "service:WORD", "geo".
** How: see HOWS. Of several rows of a unit the first that finds something counts: it was told twice.
**
** Read at first use, as vendor.c's tables.
*/
#include "core/usage/reading.h"
#include "core/usage/usage.h"

#include "base/text/decimal.h"
#include "base/text/glob.h"
#include "base/tables/tsv.h"
#include "sql/sql_text.h"

#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOWS(X)                                                                                    \
  X(SUM, "sum")       /* the numbers it finds */                                                   \
  X(COUNT, "count")   /* how many it finds */                                                      \
  X(UNIQUE, "unique") /* how many different texts */                                               \
  X(ONCE, "once")     /* 1, if it finds any */                                                     \
  X(ALONE, "alone")   /* as "count", where nothing else was counted */                             \
  X(WORD,                                                                                          \
    "word") /* what was sold ("service"), or where ("geo"): a text, or what stands behind ':' */   \
  X(FREE, "free")   /* nothing: the numbers that it finds cost nothing, or stand elsewhere too */  \
  X(ASKED, "asked") /* the path is a GLOB of the model that was asked for: its whole input */      \
  X(USD, "usd")     /* a cost in dollars */                                                        \
  X(TEXT, "text")   /* the same, also as a text */                                                 \
  X(PLUS, "plus")   /* what comes on top of the cost that the row before found */                  \
  X(TICKS, "ticks") /* a cost in 1e-10 dollars */

typedef enum How {
#define HOW_ID(id, word) HOW_##id,
  HOWS(HOW_ID)
#undef HOW_ID
      HOW_COUNT_ALL
} How;

static const char *const how_words[] = {
#define HOW_WORD(id, word) word,
    HOWS(HOW_WORD)
#undef HOW_WORD
};

enum { FEE_FIELDS = 4, FEE_STEPS = 11, MOST_FEES = 256, MOST_TEXTS = 64, SMELL_DEPTH = 3 };

/* No usage object has so many numbers that are read, and so many of unknown charges are enough to name. */
enum { MOST_READ = 256, MOST_NAMED = 8 };

/* More than any request costs, in dollars. */
#define MOST_USD 1e6

typedef struct Fee {
  const char *steps[FEE_STEPS]; /* NULL-terminated */
  Unit unit;                    /* UNIT_COUNT: none, or a cost */
  const char *name;             /* of what no unit counts, or the word that is meant; "": its own */
  How how;
  const char *providers; /* GLOBs; "": any */
  int is_geo;            /* of a word: it tells a place */
  int in_usage;          /* the path begins at the usage object */
  uint64_t bit;          /* name_bit of the member that must be there; 0: not known */
} Fee;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Fee fees[MOST_FEES];
static int n_fees;
/* GLOBs of words in names that smell of a charge; and of names that don't all the same. */
static const char *smells = "", *free_names = "";

/* ---- the table */

static How how_parse(const char *word) {
  How how = 0;
  while (how < HOW_COUNT_ALL && strcmp(how_words[how], word) != 0) {
    how++;
  }
  return how;
}

/* The first member on a row's way. */
static uint64_t first_bit(const Fee *fee) {
  const char *const *step = fee->steps + fee->in_usage;
  while (*step && **step == '?') {
    step++;
  }
  return *step && !strchr(*step, '*') ? name_bit(*step) : 0;
}

static void load_row(char **f) {
  Fee fee = {.unit = unit_parse(f[1]), .name = "", .how = how_parse(f[2])};
  fee.name = strchr(f[1], ':') ? strchr(f[1], ':') + 1 : "";
  fee.is_geo = strncmp(f[1], "geo", 3) == 0;
  fee.providers = tsv_text(f[3]);
  fee.steps[0] = f[0];
  if (fee.how < HOW_COUNT_ALL && n_fees < MOST_FEES &&
      (fee.how == HOW_ASKED || path_split(f[0], fee.steps, FEE_STEPS))) {
    fee.in_usage = strcmp(fee.steps[0], "usage") == 0;
    fee.bit = first_bit(&fee);
    fees[n_fees++] = fee;
  }
}

static void load(void) {
  static char text[32768];
  char *at = tsv_copy(sql_fees_tsv, text, sizeof text), *f[FEE_FIELDS];
  while (*at) {
    int n = tsv_row(&at, f, FEE_FIELDS);
    if (n == 2 && strcmp(f[0], "@smell") == 0) {
      smells = f[1];
    } else if (n == 2 && strcmp(f[0], "@free") == 0) {
      free_names = f[1];
    } else if (n == FEE_FIELDS) {
      load_row(f);
    }
  }
}

static int is_of(const Fee *fee, const Vendor *vendor) {
  return !fee->providers[0] || glob_any(fee->providers, vendor ? vendor->id : "");
}

/* ---- along a path */

/* Numbers that rows and the shape read. */
typedef struct Read {
  const cJSON *items[MOST_READ];
  int n;
} Read;

typedef struct Tally {
  How how;
  double sum;
  int is_bad;         /* something was found that is no count */
  const cJSON *first; /* what was found */
  const char *texts[MOST_TEXTS];
  int n_texts;
  Read *read; /* NULL, or what is found is only put in there */
} Tally;

static int is_news(Tally *t, const char *text) {
  for (int i = 0; i < t->n_texts; i++) {
    if (strcmp(t->texts[i], text) == 0) {
      return 0;
    }
  }
  if (t->n_texts < MOST_TEXTS) {
    t->texts[t->n_texts++] = text;
  }
  return 1;
}

/* A number, also in a text; -1 where it is none that can be counted. */
static double number_of(const cJSON *item) {
  const char *text = cJSON_GetStringValue(item);
  char *end = NULL;
  double d = text ? strtod(text, &end) : cJSON_IsNumber(item) ? item->valuedouble : -1.0;
  return (text && (end == text || *end)) || !isfinite(d) || d < 0 ? -1.0 : d;
}

static void tally(Tally *t, const cJSON *item) {
  if (t->read) {
    if (cJSON_IsNumber(item) && t->read->n < MOST_READ) {
      t->read->items[t->read->n++] = item;
    }
    return;
  }
  const char *text = cJSON_GetStringValue(item);
  double d = number_of(item);
  int is_empty = (cJSON_IsObject(item) || cJSON_IsArray(item)) && !item->child;
  int is_nothing = cJSON_IsNull(item) || cJSON_IsFalse(item) || (text && !text[0]) || is_empty ||
                   (cJSON_IsNumber(item) && item->valuedouble == 0 && t->how <= HOW_WORD);
  if (is_nothing) {
    return;
  }
  t->first = t->first ? t->first : item;
  switch (t->how) {
  case HOW_SUM:
    t->is_bad |= !decimal_is_whole(d, 0, (double)LIMIT_TOKENS);
    t->sum += d > 0 ? d : 1;
    break;
  case HOW_UNIQUE:
    t->sum += text && is_news(t, text);
    break;
  case HOW_ONCE:
    t->sum = 1;
    break;
  default:
    t->sum += 1;
  }
}

/* 1 if the text at the path in front of '=' matches the GLOBs behind it. */
static int has_text(const cJSON *at, const char *path) {
  size_t n = strcspn(path, "/=");
  char name[48];
  const cJSON *item;
  if (path[n] == '=' && n == 0) {
    const char *text = cJSON_GetStringValue(at);
    const char *other = cJSON_IsTrue(at) ? "true" : cJSON_IsFalse(at) ? "false" : "#";
    return glob_any(path + 1, text ? text : at && !cJSON_IsNull(at) ? other : "");
  }
  const char *rest = path + n + (path[n] == '/');
  if (n == 1 && *path == '*') {
    cJSON_ArrayForEach(item, at) {
      if (has_text(item, rest)) {
        return 1;
      }
    }
    return 0;
  }
  snprintf(name, sizeof name, "%.*s", (int)n, path);
  return has_text(cJSON_GetObjectItemCaseSensitive(at, name), rest);
}

static void visit(const cJSON *at, const char *const *steps, Tally *t) {
  const char *step = *steps;
  const cJSON *item;
  if (!step) {
    tally(t, at);
  } else if (*step == '?') {
    if (has_text(at, step + 1)) {
      visit(at, steps + 1, t);
    }
  } else if (strchr(step, '*')) {
    cJSON_ArrayForEach(item, at) {
      if (item->string ? glob_any(step, item->string) : strcmp(step, "*") == 0) {
        visit(item, steps + 1, t);
      }
    }
  } else if ((item = cJSON_GetObjectItemCaseSensitive(at, step)) != NULL) {
    visit(item, steps + 1, t);
  }
}

/* The usage object around the one that was read (Cohere's is one of two), or NULL. */
static const cJSON *outer_of(const FeePlace *place) {
  const cJSON *outer = cJSON_GetObjectItemCaseSensitive(place->answer, "usage");
  return cJSON_IsObject(outer) && outer != place->usage ? outer : NULL;
}

/* The names that there are: in the answer, and in the usage objects. */
typedef struct Names {
  uint64_t answer, usage;
} Names;

static Names names_of(const FeePlace *place) {
  return (Names){shape_names(place->answer),
                 shape_names(place->usage) | shape_names(outer_of(place))};
}

/* 1 if a row may find something. */
static int may_find(Names names, const Fee *fee) {
  return !fee->bit || fee->bit & (fee->in_usage ? names.usage : names.answer);
}

/* What a row finds; or (read is not NULL) only where. */
static Tally find(const FeePlace *place, const Fee *fee, Read *read) {
  Tally t;
  t.how = fee->how;
  t.sum = 0;
  t.is_bad = t.n_texts = 0;
  t.first = NULL;
  t.read = read;
  if (!fee->in_usage) {
    visit(place->answer, fee->steps, &t);
    return t;
  }
  visit(place->usage, fee->steps + 1, &t);
  if (!t.first) {
    visit(outer_of(place), fee->steps + 1, &t);
  }
  return t;
}

/* ---- fees */

static void add_found(const Fee *fee, const Tally *t, Usage *u) {
  const char *type = json_text(t->first, "type");
  const char *name = fee->name[0] ? fee->name : t->first->string ? t->first->string : type;
  if (fee->unit == UNIT_COUNT || t->is_bad || t->sum > (double)LIMIT_TOKENS) {
    usage_add_other(u, name ? name : "something");
  } else if (usage_get(u, fee->unit) <= 0) {
    usage_set(u, fee->unit, (long long)t->sum);
  }
}

/* ---- what smells of a charge */

/* All numbers that a row or the shape reads, looked for once. */
static void find_read(const FeePlace *place, Read *read) {
  Names names = names_of(place);
  for (int i = 0; place->shape && i < place->shape->n && read->n < MOST_READ; i++) {
    read->items[read->n++] = shape_walk(place->usage, place->shape->paths[i].steps);
  }
  for (int i = 0; i < n_fees; i++) {
    if (fees[i].how != HOW_ASKED && is_of(&fees[i], place->vendor) && may_find(names, &fees[i])) {
      find(place, &fees[i], read);
    }
  }
}

/* What rows and the shape read, looked for when something smells: in most answers nothing does. */
typedef struct Nose {
  const FeePlace *place;
  Read read;
  int has_read;
} Nose;

static int is_read(Nose *nose, const cJSON *item) {
  const Read *read = &nose->read;
  if (!nose->has_read) {
    nose->read.n = 0;
    nose->has_read = 1;
    find_read(nose->place, &nose->read);
  }
  for (int i = 0; i < read->n; i++) {
    if (read->items[i] == item) {
      return 1;
    }
  }
  return 0;
}

/* 1 if a number repeats a count of cached tokens under another name. */
static int is_known_cache(const Usage *u, double count) {
  UnitSet cached = UNIT_BIT(UNIT_CACHE_READ) | UNIT_BIT(UNIT_CACHE_WRITE) |
                   UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  for (UnitSet left = u->has & cached; left; left &= left - 1) {
    if ((double)u->n[UNIT_FIRST(left)] == count) {
      return 1;
    }
  }
  return 0;
}

static int smells_of_charge(Nose *nose, const cJSON *item, const Usage *u) {
  char name[NAME_WORDS];
  name_words(item->string ? item->string : "", name);
  if (strstr(name, "cach")) { /* tokens at a price of their own */
    if (is_known_cache(u, item->valuedouble) || !(u->can & UNIT_BIT(UNIT_CACHE_READ))) {
      return 0;
    }
  } else if (strstr(name, "token") || !name_has_word(smells, name)) {
    return 0;
  }
  return !glob_any(free_names, name) && !is_read(nose, item);
}

/* *left: how many may still be named. */
static void smell(Nose *nose, const cJSON *object, int depth, int *left, Usage *u) {
  const cJSON *item;
  cJSON_ArrayForEach(item, (cJSON_IsObject(object) && depth > 0 ? object : NULL)) {
    if (cJSON_IsNumber(item) && item->valuedouble > 0 && *left > 0 &&
        smells_of_charge(nose, item, u)) {
      usage_add_other(u, item->string);
      --*left;
    }
    smell(nose, item, depth - 1, left, u);
  }
}

void fees_read(const FeePlace *place, int only_names, Usage *u) {
  pthread_once(&once, load);
  Names names = names_of(place);
  for (int i = 0; i < n_fees; i++) {
    const Fee *fee = &fees[i];
    if (fee->how >= HOW_WORD || (fee->how == HOW_ALONE && u->has) ||
        (only_names && fee->unit < UNIT_COUNT) || !may_find(names, fee)) {
      continue;
    }
    Tally t = find(place, fee, NULL);
    if (t.sum > 0 && is_of(fee, place->vendor)) {
      add_found(fee, &t, u);
    }
  }
  if (!only_names && (place->shape || u->has)) {
    Nose nose;
    int left = MOST_NAMED;
    nose.place = place;
    nose.has_read = 0;
    smell(&nose, place->usage, SMELL_DEPTH, &left, u);
    smell(&nose, outer_of(place), SMELL_DEPTH, &left, u);
  }
}

void usage_note_asked(Usage *u, const Vendor *vendor, const char *model) {
  char lower[LIMIT_MODEL_NAME];
  pthread_once(&once, load);
  snprintf(lower, sizeof lower, "%s", model);
  for (char *p = lower; *p; p++) {
    *p = (char)tolower((unsigned char)*p);
  }
  for (int i = 0; i < n_fees; i++) {
    if (fees[i].how == HOW_ASKED && glob_any(fees[i].steps[0], lower) && is_of(&fees[i], vendor) &&
        usage_get(u, UNIT_INPUT) >= 0) {
      usage_set(u, fees[i].unit, u->n[UNIT_INPUT]);
    }
  }
}

/* ---- what was sold */

/* The word that a row finds, or NULL. A text that is none ("") is no news. */
static const char *word_of(const FeePlace *place, const Fee *fee) {
  Tally t = find(place, fee, NULL);
  const char *text = fee->name[0] && t.first ? fee->name : cJSON_GetStringValue(t.first);
  return t.sum > 0 && is_of(fee, place->vendor) ? text : NULL;
}

void fees_read_words(const FeePlace *place, Usage *u) {
  int has[2] = {0, 0};
  pthread_once(&once, load);
  Names names = names_of(place);
  for (int i = 0; i < n_fees; i++) {
    const Fee *fee = &fees[i];
    const char *word = fee->how == HOW_WORD && !has[fee->is_geo] && may_find(names, fee)
                           ? word_of(place, fee)
                           : NULL;
    if (word && fee->is_geo) {
      usage_set_geo(u, word);
    } else if (word) {
      usage_set_service(u, word);
    }
    has[fee->is_geo] |= word != NULL;
  }
  const char *speed = json_text(place->usage, "speed");
  if (speed && strcmp(speed, "fast") == 0) { /* (not sold together with another service) */
    usage_set_service(u, strcmp(u->service, "standard") == 0 ? "fast" : "fast with another");
  }
}

/* ---- the cost that the answer states */

/* A cost in dollars, or -1: none that can be believed. */
static double usd_of(const cJSON *item, How how) {
  double d = how == HOW_TEXT || cJSON_IsNumber(item) ? number_of(item) : -1.0;
  d = how == HOW_TICKS && d != floor(d) ? -1.0 : how == HOW_TICKS ? d / 1e10 : d;
  return d <= MOST_USD ? d : -1.0;
}

void fees_read_cost(const FeePlace *place, Usage *u) {
  int found = -2; /* the row */
  double usd = 0;
  pthread_once(&once, load);
  Names names = names_of(place);
  for (int i = 0; i < n_fees; i++) {
    const Fee *fee = &fees[i];
    if (fee->how < HOW_USD || (fee->how == HOW_PLUS ? found != i - 1 : found >= 0) ||
        !may_find(names, fee)) {
      continue;
    }
    Tally t = find(place, fee, NULL);
    double d = t.first ? usd_of(t.first, fee->how) : -1.0;
    if (d >= 0) {
      found = found >= 0 ? found : i;
      usd += d;
    }
  }
  if (found >= 0) {
    u->reported_nusd = llround(usd * 1e9);
  }
}
