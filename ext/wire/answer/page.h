/*
** Bodies that were made for people: plain texts and web pages, in a line.
*/
#ifndef LLMCOST_PAGE_H
#define LLMCOST_PAGE_H

#include <stddef.h>

/* Copies n bytes as one line of UTF-8, cut between characters: runs of blanks and of control characters are a blank,
** what is no UTF-8 a "?". */
void page_line(const char *text, size_t n, char *out, size_t size);

/* 1 if it is a web page, by its type or by how it begins. */
int page_is_html(const char *content_type, const char *body, size_t n);

/* What a page, or an XML document, is called: its title, else its first heading, else its message; "" without. */
void page_title(const char *body, size_t n, char *out, size_t size);

#endif
