/*
** What a model thought, where a server leaves it in the answer's text: "<think>…</think>" and its kin.
*/
#ifndef LLMCOST_THINKING_H
#define LLMCOST_THINKING_H

#include "core/request/request.h"
#include "wire/answer/reply.h"

/* Moves the thoughts in front of a text (closed, not closed, or opened by the server's template) into the reply's
** reasoning, and takes off what a template put around the answer. Not where the request itself speaks of a mark that
** prompts ask for: then it is the answer's. With a schema a thought that does not end stays, since the JSON may stand in it. */
int thinking_split(Reply *reply, const Request *request, Err *err);

#endif
