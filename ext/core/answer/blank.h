/*
** What of a text is nothing: characters that show nothing, and marks of chat templates.
*/
#ifndef LLMCOST_BLANK_H
#define LLMCOST_BLANK_H

#include <stddef.h>

/* Bytes of the character at the front that shows nothing: a blank of any script, or what Unicode calls ignorable; 0 where
** another, or the end, stands there. */
size_t blank_length(const char *text);

/* 1 if a text is nothing but blanks, of any script, and marks of templates and thoughts. NULL is blank. */
int reply_is_blank(const char *text);

#endif
