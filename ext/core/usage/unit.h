/*
** What providers bill: units, and how they contain each other.
**
** Tokens have a direction, a modality and a kind of use; "cache_read_audio" counts input tokens that
** are audio and were read from the prefix cache. A unit with fewer of these marks contains every unit
** that has the same marks and more: "input" contains "cache_read", which contains "cache_read_audio".
** The others are plain counts: requests, web searches, prompts that were grounded, sessions of a container, seconds,
** images, tokens that a router handed on, …
**
** The registry follows that of genai-prices (its units.yml), whose leaf decomposition prices them
** (price.h). Not here: what is billed by the pixel.
*/
#ifndef LLMCOST_CORE_UNIT_H
#define LLMCOST_CORE_UNIT_H

#include <stdint.h>

/* X(id, word, direction, modality, use) */
#define UNIT_TOKENS(X, ID, WORD, DIRECTION, USE)                                                   \
  X(ID, WORD, DIRECTION, ANY, USE)                                                                 \
  X(ID##_TEXT, WORD "_text", DIRECTION, TEXT, USE)                                                 \
  X(ID##_AUDIO, WORD "_audio", DIRECTION, AUDIO, USE)                                              \
  X(ID##_IMAGE, WORD "_image", DIRECTION, IMAGE, USE)                                              \
  X(ID##_VIDEO, WORD "_video", DIRECTION, VIDEO, USE)

#define UNITS(X)                                                                                   \
  UNIT_TOKENS(X, INPUT, "input", IN, PLAIN)                                                        \
  UNIT_TOKENS(X, CACHE_READ, "cache_read", IN, READ)                                               \
  UNIT_TOKENS(X, CACHE_WRITE, "cache_write", IN, WRITE)                                            \
  UNIT_TOKENS(X, CACHE_WRITE_5M, "cache_write_5m", IN, WRITE_5M)                                   \
  UNIT_TOKENS(X, CACHE_WRITE_1H, "cache_write_1h", IN, WRITE_1H)                                   \
  UNIT_TOKENS(X, INPUT_TOOL, "input_tool", IN, TOOL)                                               \
  UNIT_TOKENS(X, OUTPUT, "output", OUT, PLAIN)                                                     \
  UNIT_TOKENS(X, REASONING, "reasoning", OUT, REASONING)                                           \
  UNIT_TOKENS(X, CITATION, "citation", OUT, CITATION)                                              \
  X(REQUEST, "request", REQUESTS, ANY, PLAIN)                                                      \
  X(REQUEST_LOW, "request_low", REQUESTS, ANY, LOW)                                                \
  X(REQUEST_MEDIUM, "request_medium", REQUESTS, ANY, MEDIUM)                                       \
  X(WEB_SEARCH, "web_search", WEB_SEARCHES, ANY, PLAIN)                                            \
  X(FILE_SEARCH, "file_search", FILE_SEARCHES, ANY, PLAIN)                                         \
  X(SOCIAL_SEARCH, "social_search", SOCIAL_SEARCHES, ANY, PLAIN)                                   \
  X(CODE_EXECUTION, "code_execution", CODE_EXECUTIONS, ANY, PLAIN)                                 \
  X(RERANK, "rerank", RERANKS, ANY, PLAIN)                                                         \
  X(PAGE, "page", PAGES, ANY, PLAIN)                                                               \
  X(ANNOTATED_PAGE, "annotated_page", PAGES, ANY, ANNOTATED)                                       \
  X(CHARACTER, "character", CHARACTERS, ANY, PLAIN)                                                \
  X(MESSAGE, "message", MESSAGES, ANY, PLAIN)                                                      \
  X(GROUNDING, "grounding", GROUNDINGS, ANY, PLAIN)                                                \
  X(MAPS, "maps", MAPS_GROUNDINGS, ANY, PLAIN)                                                     \
  X(CONTAINER, "container", CONTAINERS, ANY, PLAIN)                                                \
  X(SECOND, "second", SECONDS, ANY, PLAIN)                                                         \
  X(BILLED_IMAGE, "image", IMAGES, ANY, PLAIN)                                                     \
  X(ROUTED, "routed", ROUTED_TOKENS, ANY, PLAIN)

typedef enum Unit {
#define UNIT_ID(id, word, direction, modality, use) UNIT_##id,
  UNITS(UNIT_ID)
#undef UNIT_ID
      UNIT_COUNT
} Unit;

typedef uint64_t UnitSet; /* a bit per unit */
_Static_assert(UNIT_COUNT <= 64, "UnitSet has a bit for each unit");

#define UNIT_BIT(unit) ((UnitSet)1 << (unit))

/* The lowest unit of a set that is not empty. */
#define UNIT_FIRST(set) ((Unit)__builtin_ctzll(set))

/* The unit a word names, or UNIT_COUNT; and the word of a unit. */
Unit unit_parse(const char *word);
const char *unit_word(Unit unit);

/* 1 for tokens that go in; that come out. (Both 0: a plain count.) */
int unit_is_input(Unit unit);
int unit_is_output(Unit unit);

/* The units that a unit contains, and those that contain it; itself is in neither. */
UnitSet unit_below(Unit unit);
UnitSet unit_above(Unit unit);

/* A unit with those that it contains. */
static inline UnitSet unit_family(Unit unit) {
  return UNIT_BIT(unit) | unit_below(unit);
}

/* The unit of what two units have in common: tokens that are both. UNIT_COUNT where nothing can be
** both, or one contains the other. */
Unit unit_join(Unit a, Unit b);

/* Every unit once, each before all that contain it. */
const Unit *unit_inside_out(void);

#endif
