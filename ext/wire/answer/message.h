/*
** The assistant's message of an answer, in OpenAI's form, whoever it came from: to be handed out, and to be sent again as a turn
** of a conversation.
*/
#ifndef LLMCOST_ANSWER_MESSAGE_H
#define LLMCOST_ANSWER_MESSAGE_H

#include "wire/answer/body.h"

/* {"role":"assistant","content":text or null[,"tool_calls":[…]][, what it thought]}: owned, NULL and *err. Of thoughts everything is
** kept as it came, signatures too: "thinking_blocks" (Anthropic), "reasoning_content", "reasoning_details" (not of a stream, whose
** pieces of them are not put together). */
cJSON *answer_message(const Body *body, int has_tools, const char *text, Err *err);

/* The arguments of the call of that function, borrowed from such a message; NULL: there is none. */
const char *answer_arguments(const cJSON *message, const char *function);

#endif
