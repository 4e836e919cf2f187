/*
** The messages of a conversation: read, checked, and in one form (OpenAI's), whatever they came in.
*/
#ifndef LLMCOST_MESSAGES_H
#define LLMCOST_MESSAGES_H

#include "base/error.h"
#include "base/text/json.h"

typedef struct Message {
  const char *role;    /* "user", "assistant" or "tool" */
  const char *content; /* its text; "" where there is none */
  size_t n;
  /* NULL: the text is all of it. Else the message: "content" (a text, parts as in parts.h, or null), and of an assistant
  ** "tool_calls", "thinking_blocks" and what else it thought, byte for byte; of a tool "tool_call_id". */
  const cJSON *item;
} Message;

/* Reads one that is not the system's, the `position`-th from 1: its JSON is brought into our form in place, and *m points into
** it. RC_OK or ERR_BAD_MESSAGES. */
int message_read(cJSON *given, int position, Message *m, Err *err);

/* Every call of a tool has its result behind it before anybody else speaks, and every result its call, which is what providers
** ask for: RC_OK, or ERR_BAD_MESSAGES. `first` is the position of the first of them. */
int messages_check_tools(const Message *messages, int n, int first, Err *err);

#endif
