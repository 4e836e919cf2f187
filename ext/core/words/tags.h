/*
** Tags whose name says that what they hold is context.
*/
#ifndef LLMCOST_TAGS_H
#define LLMCOST_TAGS_H

#include <stddef.h>

/* 1 if n bytes begin with such a tag: <context>, </document>, ```context. */
int tags_is_container(const char *tag, size_t n);

#endif
