/*
** See thinking.h for the contract. What a thought is told by: core/answer/thoughts.h.
*/
#include "wire/answer/thinking.h"

#include "core/answer/thoughts.h"
#include "core/request/options.h"

#include <stdlib.h>
#include <string.h>

/* 1 if the request speaks of it, in any case of letters. */
static int is_asked_for(const void *request, const char *word, size_t n) {
  const Request *r = request;
  char mark[THOUGHT_MARK + 1];
  n = n < THOUGHT_MARK ? n : THOUGHT_MARK;
  memcpy(mark, word, n);
  mark[n] = 0;
  int found = r->system && strcasestr(r->system, mark);
  for (int i = 0; i < r->n_messages && !found; i++) {
    found = strcasestr(r->messages[i].content, mark) != NULL;
  }
  return found;
}

/* 1 if there may be a mark: each has one of these signs, but gpt-oss's, where a server leaves them out, and Granite's words. */
static int may_have_marks(const char *text) {
  return text && (strpbrk(text, "<[\xE2") || strstr(text, "assistantfinal") ||
                  strstr(text, "thought process"));
}

int thinking_split(Reply *reply, const Request *request, Err *err) {
  if (!may_have_marks(reply->text)) {
    return RC_OK;
  }
  ThoughtsSplit s;
  Buf thoughts;
  const size_t n = strlen(reply->text);
  const ThoughtsAsked asked = {is_asked_for, request};
  const int has_schema = request->options && request->options->schema;
  buf_init(&thoughts, n + 1);
  if (!thoughts_split(reply->text, n, &asked, &thoughts, &s) || (s.is_open && has_schema)) {
    buf_free(&thoughts);
    return RC_OK;
  }
  int takes = s.has_thoughts && !reply->reasoning; /* else it came in a field of its own, too */
  char *answer = strndup(s.answer, s.n), *thought = takes ? buf_take(&thoughts) : NULL;
  buf_free(&thoughts);
  if (!answer || (takes && !thought)) {
    free(answer);
    free(thought);
    return err_nomem(err);
  }
  free(reply->text);
  reply->text = answer;
  reply->reasoning = takes ? thought : reply->reasoning;
  return RC_OK;
}
