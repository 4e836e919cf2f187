/*
** Sentences and items that say again what was said: the first stays.
**
** The same is: the same words, numbers and signs in the same order, in the same tag, under the same heading (an item: behind the same leading line),
** or under one that narrows nothing ("Reminders"; what was said before under any), but for case, accents and punctuation. Almost the same is: at least NEAR of the runs of three words in common (Jaccard), the same
** numbers, negations, orders, names, units and signs in the same order, and nothing that the guard (core/guard) tells apart: "within
** 30 days" repeats no "within 14 days", "never" no "always".
**
** Never left out: orders (not, never, only, must, ask first), but where byte for byte the same, blanks aside; questions; turns ("User:
** …"); rows, formulas, code and JSON, of which two are two; sentences with fewer than LEAST words that are no numbers; sentences that mean
** something said before them ("It costs $5", "The plate was then …"), unless that repeats too; lines that don't end as sentences do (of a
** poem); items with a number or a letter (choices, steps), and parts of an item that does not repeat as a whole; and, where it is cut,
** anything in the last block, which is what is asked (of a single block: its last sentence).
**
** What is only told of may be less alike: almost the same is then what has the same gist (words/gist.h), too, orders as well.
**
** Near ones are looked for by MinHash: BANDS pairs of least hashes. One of exactly NEAR is missed once in 780 times
** ((1 - 0.81)^4), the same words never. Only the first MOST_TRIED of one band are compared, so time is linear.
*/
#ifndef LLMCOST_REPEATS_H
#define LLMCOST_REPEATS_H

#include "core/compress/cuts.h"

#define REPEATS_NEAR 0.9
enum { REPEATS_LEAST = 6, REPEATS_BANDS = 4, REPEATS_MOST_TRIED = 8 };

typedef enum RepeatsFor { REPEATS_CUT, REPEATS_TELL } RepeatsFor;

/* Marks the units of a text that repeat: gone[i] = CUT_SAME or CUT_ALMOST_SAME; others stay as they are. Returns RC_OK, or *err
** without memory. */
int repeats_find(const char *text, const TextUnits *u, RepeatsFor purpose, unsigned char *gone,
                 Err *err);

#endif
