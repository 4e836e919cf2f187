/*
** What is said and what tools there are, as each API has it. What comes in is in OpenAI's form (core/request/messages.h, tools.h).
*/
#ifndef LLMCOST_MESSAGE_FORM_H
#define LLMCOST_MESSAGE_FORM_H

#include "core/price/catalogue.h"
#include "core/request/request.h"

typedef enum Style { STYLE_OPENAI, STYLE_ANTHROPIC, STYLE_RESPONSES } Style;

/* Adds message i of a request that is more than its text (it has an item), and those behind it that belong into the same one
** (results of tools, at Anthropic): returns the next message's place. *err (ERR_BAD_MESSAGES) where the API has no form for it. */
int message_form_add(cJSON *array, const Request *r, int i, Style style, const Model *model,
                     Err *err);

/* Adds "tools" and "tool_choice", if the request has any. */
void message_form_tools(cJSON *tree, const Options *o, Style style, Err *err);

/* Adds one tool that must be called, whose arguments are the answer: a schema's way where an API has none for it. */
void message_form_schema(cJSON *tree, const cJSON *schema, Style style, Err *err);

/* 1 if the arguments of a tool can be described so: an object, and nothing else. */
int message_form_fits(const cJSON *schema);

/* The name of that tool. */
#define SCHEMA_TOOL "answer"

/* How many marks for the provider's cache the caller has set: in front of the messages (tools, system prompt, a mark for all of
** it among the members of `extra`), and in them. */
typedef struct Marks {
  int front, messages;
  int has_long; /* one of those in messages is for an hour */
} Marks;
Marks message_form_marks(const Request *r);

#endif
