/*
** What of a sentence stands in a source: its numbers, addresses and names, and its other words.
*/
#ifndef LLMCOST_GROUNDS_H
#define LLMCOST_GROUNDS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* The words of a source. */
typedef struct Grounds {
  uint64_t *slots; /* owned */
  size_t n, cap;
} Grounds;

/* Reads n bytes. RC_OK or *err. *out is owned (grounds_free), after an error too. Linear time. */
int grounds_read(const char *source, size_t n, Grounds *out, Err *err);
void grounds_free(Grounds *g);

/* 1 if every number of two digits or more, every address (e-mail, URL, host) and, with `names`, every word that has a capital and is
** not a sentence's first stands in the source. Numbers are compared as they are written by anybody: 1,000 is 1000, 12.50 is 12.5,
** 2026-03-04 is 4 March 2026. */
int grounds_has_facts(const Grounds *g, const char *text, size_t n, int names);

/* Words that say something (no grammar, and none that only say who told whom), and how many of them the source has in some inflection. */
void grounds_count(const Grounds *g, const char *text, size_t n, int *n_words, int *n_found);

/* 1 for a language that begins its nouns with a capital: in this text a capital makes no name. */
int grounds_has_capital_nouns(const char *text, size_t n);

#endif
