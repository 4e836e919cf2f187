/*
** What of a prompt's orders and examples is needless (core/ballast): filler, prose that a schema carries, examples that show again
** what an earlier one shows.
*/
#ifndef LLMCOST_NEEDLESS_H
#define LLMCOST_NEEDLESS_H

#include "core/ballast/json_fields.h"
#include "core/compress/cuts.h"

/* Appends the cuts of one kind in a text with these units: CUT_FILLER, CUT_SCHEMA (what the schema of `fields` says; without one none), CUT_EXAMPLE; with the
** labels under which nothing is left then. Linear time. RC_OK, or *err without memory. */
int needless_find(const char *text, size_t n, const TextUnits *u, CutReason kind,
                  const JsonFields *fields, Cuts *out, Err *err);

#endif
