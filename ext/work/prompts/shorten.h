/*
** Prompts made shorter: llm_compress, by the options of a call of it.
*/
#ifndef LLMCOST_SHORTEN_H
#define LLMCOST_SHORTEN_H

#include "conn/conn.h"
#include "core/compress/compress.h"

/* What came of it. */
typedef struct Shortened {
  Compressed c;
  int is_loss; /* what the provider keeps of it costs less than the shorter text: it stays as it was */
} Shortened;

/* Compresses n bytes of UTF-8 by the options, JSON (NULL: none given). Tokens are those of the model that they name. *out is owned
** (shortened_free). RC_OK or *err. */
int shorten_text(Conn *conn, const char *text, size_t n, const char *options, size_t n_options,
                 Shortened *out, Err *err);
void shortened_free(Shortened *s);

#endif
