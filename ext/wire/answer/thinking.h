/*
** What a model thought, where a server leaves it in the answer's text: "<think>…</think>" and its kin.
*/
#ifndef LLMCOST_THINKING_H
#define LLMCOST_THINKING_H

#include "core/request/request.h"
#include "wire/answer/reply.h"

/* Moves the thoughts in front of a text (closed, not closed, or opened by the server's template) into the reply's
** reasoning. Not where the request itself speaks of that mark: then it was asked for. */
int thinking_split(Reply *reply, const Request *request, Err *err);

#endif
