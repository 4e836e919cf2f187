/*
** What servers have taught this connection about models: what they refuse. It is forgotten when the connection closes, and so
** asked again: a server may have learned it meanwhile.
*/
#ifndef LLMCOST_LEARNED_H
#define LLMCOST_LEARNED_H

#include "conn/conn.h"

enum {
  REFUSES_STREAM = 1,         /* answers in pieces */
  REFUSES_STREAM_OPTIONS = 2, /* being asked for the usage of a stream */
  REFUSES_BASE64 = 4          /* vectors in it */
};

/* What of it that model refuses. */
unsigned learned_refusals(const Conn *c, const char *model);

/* Notes it. Without memory it is not noted. */
void learned_add(Conn *c, const char *model, unsigned refusals);

#endif
