/*
** The registry of billed units. See unit.h for what they mean.
**
** Containment is a table of bit sets, computed once from the units' marks.
*/
#include "core/usage/unit.h"

#include <pthread.h>
#include <string.h>

enum Direction {
  IN,
  OUT,
  REQUESTS,
  WEB_SEARCHES,
  FILE_SEARCHES,
  SOCIAL_SEARCHES,
  CODE_EXECUTIONS,
  RERANKS,
  PAGES,
  CHARACTERS,
  MESSAGES,
  GROUNDINGS,
  MAPS_GROUNDINGS,
  CONTAINERS,
  SECONDS,
  IMAGES,
  ROUTED_TOKENS
};
enum Modality { ANY, TEXT, AUDIO, IMAGE, VIDEO };
enum Use {
  PLAIN,
  READ,
  WRITE,
  WRITE_5M,
  WRITE_1H,
  TOOL,
  REASONING,
  CITATION,
  ANNOTATED,
  LOW,
  MEDIUM
};

static const struct Marks {
  const char *word;
  unsigned char direction, modality, use;
} marks[UNIT_COUNT] = {
#define UNIT_MARKS(id, word, direction, modality, use) {word, direction, modality, use},
    UNITS(UNIT_MARKS)
#undef UNIT_MARKS
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static UnitSet below[UNIT_COUNT], above[UNIT_COUNT];
static Unit inside_out[UNIT_COUNT];

/* 1 if every token of use b has use a too. */
static int use_contains(int a, int b) {
  return a == PLAIN || a == b || (a == WRITE && (b == WRITE_5M || b == WRITE_1H));
}

static int contains(Unit a, Unit b) {
  const struct Marks *x = &marks[a], *y = &marks[b];
  return x->direction == y->direction && (x->modality == ANY || x->modality == y->modality) &&
         use_contains(x->use, y->use);
}

static void fill(void) {
  for (Unit a = 0; a < UNIT_COUNT; a++) {
    for (Unit b = 0; b < UNIT_COUNT; b++) {
      if (a != b && contains(a, b)) {
        below[a] |= UNIT_BIT(b);
        above[b] |= UNIT_BIT(a);
      }
    }
  }
  /* The more units contain one, the further inside it is. */
  int n = 0;
  for (int depth = UNIT_COUNT; depth >= 0; depth--) {
    for (Unit u = 0; u < UNIT_COUNT; u++) {
      if (__builtin_popcountll(above[u]) == depth) {
        inside_out[n++] = u;
      }
    }
  }
}

Unit unit_parse(const char *word) {
  for (Unit u = 0; u < UNIT_COUNT; u++) {
    if (strcmp(word, marks[u].word) == 0) {
      return u;
    }
  }
  return UNIT_COUNT;
}

const char *unit_word(Unit unit) {
  return marks[unit].word;
}

int unit_is_input(Unit unit) {
  return marks[unit].direction == IN;
}

int unit_is_output(Unit unit) {
  return marks[unit].direction == OUT;
}

UnitSet unit_below(Unit unit) {
  pthread_once(&once, fill);
  return below[unit];
}

UnitSet unit_above(Unit unit) {
  pthread_once(&once, fill);
  return above[unit];
}

Unit unit_join(Unit a, Unit b) {
  const struct Marks *x = &marks[a], *y = &marks[b];
  int modality = x->modality == ANY ? y->modality : x->modality;
  int use = use_contains(x->use, y->use) ? y->use : x->use;
  if (a == b || contains(a, b) || contains(b, a) || x->direction != y->direction ||
      (y->modality != ANY && y->modality != modality) || !use_contains(y->use, use)) {
    return UNIT_COUNT;
  }
  for (Unit u = 0; u < UNIT_COUNT; u++) {
    if (marks[u].direction == x->direction && marks[u].modality == modality &&
        marks[u].use == use) {
      return u;
    }
  }
  return UNIT_COUNT;
}

const Unit *unit_inside_out(void) {
  pthread_once(&once, fill);
  return inside_out;
}
