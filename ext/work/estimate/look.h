/*
** A request looked at before it is made: what would be sent, where to, and what it comes to. Nothing is sent, nothing
** written.
*/
#ifndef LLMCOST_LOOK_H
#define LLMCOST_LOOK_H

#include "call/call.h"
#include "call/route/route.h"

/* What the option dry_run gives: JSON (owned, free). */
char *look_json(Conn *conn, const Request *request, Err *err);

#endif
