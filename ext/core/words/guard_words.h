/*
** The words the guard knows: what a word means for a rule, and which words are too common to
** matter. English; of seven other languages the words of grammar, opposites, numbers and dates.
*/
#ifndef LLMCOST_GUARD_WORDS_H
#define LLMCOST_GUARD_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum {
  WORD_STOP = 1,        /* grammar: says nothing alone */
  WORD_VAGUE = 2,       /* says little: "good", "way", "really" */
  WORD_COMMON = 4,      /* an ordinary English word: what is one letter off may be a typo of it */
  WORD_NEGATION = 8,    /* "not", "never", "without" */
  WORD_NUMBER = 16,     /* `number` holds its value */
  WORD_SCALE = 32,      /* a number that multiplies the one before: "hundred", "million" */
  WORD_UNIT = 64,       /* `unit` */
  WORD_DATE = 128,      /* `date`: a month, a weekday, "today" */
  WORD_PERIOD = 256,    /* "week", "month": with "last" or "next" a date */
  WORD_NAMELIKE = 512,  /* "may", "march": a date only where written as one */
  WORD_LISTS = 1024,    /* a number beside it may be the length of a list: "best", "examples" */
  WORD_CURRENCY = 2048, /* a unit that may stand before its number */
  WORD_ARTICLE = 4096,  /* "the", "my" */
  WORD_FROM = 8192,
  WORD_TO = 16384,       /* "to", "into" */
  WORD_RELATION = 32768, /* between two words: their order matters */
  WORD_TIE = 65536,      /* between two words: their order doesn't */
  WORD_PREPOSITION = 1 << 17,
  WORD_QUESTION = 1 << 18, /* "what" */
  WORD_KNOWING = 1 << 19,  /* "know", "sure": with "not" and a question word no negation */
  WORD_FOREIGN = 1 << 20,  /* WORD_STOP in a text that is not English */
  WORD_ONLY = 1 << 21,     /* "only" */
  WORD_CASED = 1 << 22,    /* another word with a capital: "turkey" */
  WORD_CAPS = 1 << 23,     /* another word in capitals: "who" */
  WORD_ELEMENT = 1 << 24,  /* a chemical symbol that is another in capitals: "co" */
  WORD_LABEL = 1 << 25,    /* a letter behind it is a label: "vitamin" */
  WORD_ACCENTED = 1 << 26, /* another word with an accent: "ano" */
  WORD_THING = 1 << 28,    /* a brand is named after it: "apple" */
  WORD_GOVERNS = 1 << 29,  /* a preposition: what stands behind it belongs to it */
  WORD_COUNTS = 1 << 30,   /* says how many, like a number: "each" */
  WORD_MEANING = 1 << 27   /* talks about a word: "mean", "pronounce" */
};

enum { WORD_PAIRS = 4 }; /* the pairs of opposites one word can be in */

typedef struct GuardWord {
  const char *text; /* n bytes in static storage, folded, without a zero */
  double number;
  uint32_t classes;
  uint16_t n;
  uint16_t group;            /* words that may stand for each other share one; 0: none */
  uint16_t foreign_group;    /* the same in texts that are not English */
  uint8_t unit, date;        /* 0: none */
  uint8_t foreign_date;      /* the same in texts that are not English */
  uint8_t foreign_number;    /* its value there, and one; 0: none */
  uint8_t person;            /* who a pronoun is; 0: none */
  uint8_t side[WORD_PAIRS];  /* a single bit: which side of the pair */
  uint16_t pair[WORD_PAIRS]; /* 0: none; from guard_foreign_pair on not for English texts */
} GuardWord;

/* A hash of n bytes. */
uint32_t guard_hash(const char *text, size_t n);

/* The first pair of opposites of another language than English; 0 before the first look-up. */
extern size_t guard_foreign_pair;

/* The entry of a folded word, by its exact form, or NULL. Thread-safe; the first call builds the
** lookup table (static memory). */
const GuardWord *guard_word(const char *text, size_t n);

/* The length of the stem of a folded English word: a prefix, so that "studies", "studied" and
** "study" share one. Other scripts' words are their own stems. */
size_t guard_stem(const char *text, size_t n);

/* Lists of guard_lists.c: words apart by one blank, rows by " ; ". Opposites: a row of sides apart by
** " / ", words of which exclude each other. */
extern const char GUARD_OPPOSITES[];
extern const char GUARD_FOREIGN_OPPOSITES[];
extern const char GUARD_FOREIGN_STOP[];    /* grammar, politeness, the verbs of asking */
extern const char GUARD_FOREIGN_SAME[];    /* a row: words that may stand for each other */
extern const char GUARD_FOREIGN_NUMBERS[]; /* a row: from 0 on; "-" where another row has it */
extern const char GUARD_FOREIGN_DATES[];   /* a row is one date */

#endif
