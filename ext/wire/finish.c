/*
** See finish.h for the contract.
*/
#include "wire/finish.h"

#include <stddef.h>
#include <string.h>

static const struct {
  const char *word;
  int is;
} finishes[] = {
#define ROW(id, word, is) [id] = {word, is},
    FINISHES(ROW)
#undef ROW
};

/* Providers' words: OpenAI's finish_reason, Anthropic's stop_reason. */
static const struct {
  const char *word;
  Finish means;
} theirs[] = {
    {"stop", FINISH_STOP},
    {"length", FINISH_LENGTH},
    {"tool_calls", FINISH_TOOL_CALLS},
    {"function_call", FINISH_TOOL_CALLS},
    {"content_filter", FINISH_CONTENT_FILTER},
    {"end_turn", FINISH_STOP},
    {"stop_sequence", FINISH_STOP},
    {"max_tokens", FINISH_LENGTH},
    {"model_context_window_exceeded", FINISH_LENGTH},
    {"tool_use", FINISH_TOOL_CALLS},
    {"refusal", FINISH_REFUSAL},
};

Finish finish_of(const char *word) {
  for (size_t i = 0; word && i < sizeof theirs / sizeof theirs[0]; i++) {
    if (strcmp(word, theirs[i].word) == 0) {
      return theirs[i].means;
    }
  }
  return FINISH_OTHER;
}

const char *finish_word(Finish finish) {
  return finishes[finish].word;
}

int finish_is(Finish finish, int what) {
  return (finishes[finish].is & what) != 0;
}
