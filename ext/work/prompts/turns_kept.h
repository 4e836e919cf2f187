/*
** A conversation that has grown over its budget: which turns stay (llm_prune).
*/
#ifndef LLMCOST_TURNS_KEPT_H
#define LLMCOST_TURNS_KEPT_H

#include "conn/conn.h"

/* The messages that stay, as a JSON array in which each is byte for byte as it was: owned (free), NULL and *err. Options are JSON
** (NULL: none given, which lacks the budget). *n_out: its bytes. */
char *turns_kept(Conn *conn, const char *messages, size_t n, const char *options, size_t n_options,
                 size_t *n_out, Err *err);

#endif
