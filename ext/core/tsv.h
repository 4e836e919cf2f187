/*
** The compiled-in data files: tab-separated, a row a line; '#' starts a comment line; '-' is an empty
** field; a line "@word<TAB>value" says something about the rows after it.
*/
#ifndef LLMCOST_TSV_H
#define LLMCOST_TSV_H

/* Splits the line at *at into at most `max` fields, NUL-terminated in place, and moves *at past it.
** Returns the number of fields: 0 for comments and blank lines. */
int tsv_row(char **at, char **fields, int max);

/* The text of a field: "" for "-". */
const char *tsv_text(const char *field);

/* An upper bound of the rows of a text. */
int tsv_lines(const char *text);

#endif
