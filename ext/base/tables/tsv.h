/*
** The compiled-in data files: tab-separated, a row a line; '#' starts a comment line; '-' is an empty
** field; a line "@word<TAB>value" says something about the rows after it.
*/
#ifndef LLMCOST_TSV_H
#define LLMCOST_TSV_H

#include <stddef.h>

/* Splits the line at *at into at most `max` fields, NUL-terminated in place, and moves *at past it.
** Returns the number of fields: 0 for comments and blank lines. */
int tsv_row(char **at, char **fields, int max);

/* The text of a field: "" for "-". */
const char *tsv_text(const char *field);

/* Copies a text into a place of `size` bytes, where it can be split; "" if it does not fit. Returns
** the place. */
char *tsv_copy(const char *text, char *place, size_t size);

#endif
