/*
** See thinking.h for the contract.
**
** Marks are from the chat templates that models are published with. Only what stands in front of a text is taken for a
** thought: further in, an answer may speak of the mark. A closing mark whose opening one was part of the prompt (vLLM and
** llama.cpp with such templates) counts on a line of its own.
*/
#include "wire/answer/thinking.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct Mark {
  const char *open, *close;
} marks[] = {
    {"<think>", "</think>"}, /* DeepSeek, Qwen, and most others */
    {"<thinking>", "</thinking>"},
    {"<thought>", "</thought>"}, /* Gemini's OpenAI endpoint */
    {"<reasoning>", "</reasoning>"},
    {"<seed:think>", "</seed:think>"},
    {"[THINK]", "[/THINK]"},                                             /* Mistral */
    {"\xE2\x97\x81think\xE2\x96\xB7", "\xE2\x97\x81/think\xE2\x96\xB7"}, /* Kimi */
};

/* gpt-oss: channels, of which the final one is the answer. */
#define CHANNEL "<|channel|>"
#define FINAL "<|channel|>final<|message|>"
#define MESSAGE "<|message|>"

/* Where in a text the thoughts are, and where the answer begins. */
typedef struct Split {
  const char *thought, *thought_end, *answer;
} Split;

static const char *skip_blanks(const char *s) {
  while (isspace((unsigned char)*s)) {
    s++;
  }
  return s;
}

/* 1 if the request speaks of it. */
static int is_asked_for(const Request *r, const char *mark) {
  int found = r->system && strstr(r->system, mark);
  for (int i = 0; i < r->n_messages && !found; i++) {
    found = strstr(r->messages[i].content, mark) != NULL;
  }
  return found;
}

/* 1 if the n bytes at p are a line of their own. */
static int is_a_line(const char *text, const char *p, size_t n) {
  return p > text && p[-1] == '\n' && (p[n] == 0 || p[n] == '\n' || p[n] == '\r');
}

/* A mark in front, or a closing one alone. */
static int find_mark(const char *text, const struct Mark *mark, Split *s) {
  size_t open = strlen(mark->open), close = strlen(mark->close);
  const char *front = skip_blanks(text);
  int is_open = strncmp(front, mark->open, open) == 0;
  s->thought = is_open ? front + open : text;
  s->thought_end = strstr(s->thought, mark->close);
  if (!is_open) {
    s->answer = s->thought_end ? s->thought_end + close : NULL;
    return s->thought_end && is_a_line(text, s->thought_end, close) &&
           !memmem(text, (size_t)(s->thought_end - text), mark->open, open);
  }
  s->answer = s->thought_end ? s->thought_end + close : s->thought + strlen(s->thought);
  s->thought_end = s->thought_end ? s->thought_end : s->answer;
  return 1;
}

/* The text of the final channel; without one, all of it are thoughts. */
static int find_channel(const char *text, Split *s) {
  const char *front = skip_blanks(text), *final = strstr(front, FINAL);
  if (strncmp(front, CHANNEL, sizeof CHANNEL - 1) != 0) {
    return 0;
  }
  const char *message = strstr(front, MESSAGE);
  s->thought_end = final ? final : front + strlen(front);
  s->thought = message && message < s->thought_end ? message + sizeof MESSAGE - 1 : s->thought_end;
  s->answer = final ? final + sizeof FINAL - 1 : s->thought_end;
  return 1;
}

static int find(const char *text, const Request *request, Split *s) {
  if (find_channel(text, s)) {
    return !is_asked_for(request, CHANNEL);
  }
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (find_mark(text, &marks[i], s)) {
      return !is_asked_for(request, marks[i].open) && !is_asked_for(request, marks[i].close);
    }
  }
  return 0;
}

int thinking_split(Reply *reply, const Request *request, Err *err) {
  Split s;
  if (!reply->text || !find(reply->text, request, &s)) {
    return RC_OK;
  }
  char *thought = strndup(s.thought, (size_t)(s.thought_end - s.thought));
  char *answer = strdup(skip_blanks(s.answer));
  if (!thought || !answer) {
    free(thought);
    free(answer);
    return err_nomem(err);
  }
  free(reply->text);
  reply->text = answer;
  if (reply->reasoning) { /* it came in a field of its own, too */
    free(thought);
  } else {
    reply->reasoning = thought;
  }
  return RC_OK;
}
