/*
** The examples of a prompt (few-shot), and those among them that show again what an earlier one shows.
**
** Found are
**   <example> … </example>
**   "Example 1:", "### Example 2", from two on, or with an input and an output in it
**   pairs of lines "Input: …", "Output: …" (text, review, question; label, category, answer), from two on, or behind
**     a word that says that examples follow. Who speaks (User:, Assistant:) may be a transcript, Q: and A: a list of
**     questions that is knowledge: these count only behind such a word; Q: and A: also where the text ends with a
**     question that has no answer yet
**   lines "It broke -> bad", from two on, behind such a word
**   JSON objects with an input and an output each, of an array or one a line, behind such a word
**   rows of a table (|) with a column of inputs and one of outputs, behind such a word
** An output that is empty, or a place to be filled in ({{x}}, <category>), makes no example, nor does a case of a
** function (an input of numbers, with "x = …" or "f(x)"): it says what the task is.
**
** An example repeats an earlier one where its output is the same in words and its input nearly: at least EXAMPLES_NEAR
** of the stems of both inputs in common (Jaccard; words of grammar left aside), and nothing that the guard
** (core/guard) tells apart, so no number, date, name, negation, order or other telling word: what is left is
** grammar. It is the redundancy of Maximal Marginal Relevance (Carbonell, Goldstein, 1998: the greatest similarity to
** what was chosen before), without its relevance, taken in the order of the text: the first stays. Where inputs or
** outputs are not told apart, all of the examples' words are compared, and EXAMPLES_NEAR_WHOLE holds. Examples that
** are data (places.h) are for the caller to leave alone.
*/
#ifndef LLMCOST_EXAMPLES_H
#define LLMCOST_EXAMPLES_H

#include "core/split/units.h"

#define EXAMPLES_NEAR 0.6
#define EXAMPLES_NEAR_WHOLE 0.8
#define EXAMPLE_NONE ((size_t)-1)
enum { EXAMPLES_MOST_COMPARED = 64 }; /* the first of a text; the rest repeat nothing */

typedef struct Example {
  size_t from, n;          /* bytes of the text, with labels and tags, without the gap behind it */
  size_t input, n_input;   /* what is put in, or all behind the label, */
  size_t output, n_output; /* and what comes out; n_output 0: they are not told apart */
  size_t repeats; /* the place in the list of the earlier one that it repeats; EXAMPLE_NONE */
} Example;

/* In order, none over another. Zeroed: empty. */
typedef struct Examples {
  Example *at; /* owned */
  size_t n, cap;
} Examples;

/* Appends those of n bytes (any) with these units. Linear time. Returns RC_OK, or *err without memory. */
int examples_find(const char *text, size_t n, const TextUnits *u, Examples *out, Err *err);

/* Fills in `repeats`. Returns RC_OK, or *err without memory. */
int examples_compare(const char *text, Examples *e, Err *err);

/* How alike the words of two are: the share above, 0 to 1; 0 where their outputs differ. Needs no memory. */
double examples_likeness(const char *text, const Example *a, const Example *b);

/* 1 if a byte of the text is within one. */
int examples_hold(const Examples *e, size_t at);
void examples_free(Examples *e);

#endif
