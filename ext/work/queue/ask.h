/*
** What a row of batch_submit asks: its columns and options as one request.
**
** The prompt is a text; a JSON array of objects with a role is a conversation, as of llm_chat; of a model that embeds it is a text to
** embed. Columns go before the options of the same name.
*/
#ifndef LLMCOST_ASK_H
#define LLMCOST_ASK_H

#include "conn/conn.h"
#include "core/request/request.h"
#include "work/queue/submit.h"

/* Reads rows one behind the other; most have the same options, which are read once. Zeroed with `conn` set. */
typedef struct Asker {
  Conn *conn;
  char *text; /* owned: of `read` */
  size_t n;
  Options read; /* owned */
  int has_read;
  char model[LIMIT_MODEL_NAME]; /* the last one that was looked up, and whether it embeds */
  unsigned serial;              /* of the configuration it was looked up in; 0: none */
  int embeds;
  Options options; /* of the row */
  Request request; /* owned */
} Asker;

void asker_close(Asker *a);

/* The request of a row: borrowed until the next one, as is the row. NULL and *err where it makes none. */
const Request *asker_read(Asker *a, const SubmitRow *row, Err *err);

#endif
