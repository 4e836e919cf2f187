/*
** One header line of a response, as curl hands it over: "Name: value\r\n", not NUL-terminated.
*/
#ifndef LLMCOST_HEADER_H
#define LLMCOST_HEADER_H

#include <stddef.h>

/* Copies the value of header `name` (in lower case) if this line is it: without the blanks around it, cut to `size`, NUL-terminated.
** 1 if it is. */
int header_take(const char *line, size_t n, const char *name, char *out, size_t size);

/* The same of the first of these headers (the list ends with NULL) that this line is. */
int header_take_any(const char *line, size_t n, const char *const *names, char *out, size_t size);

#endif
