/*
** Money, numbers and changes as people read them.
*/
#ifndef LLMCOST_WORDS_H
#define LLMCOST_WORDS_H

#include <stddef.h>

enum { WORDS_NUMBER = 48 };

/* "$2,038.58", "−$71.87" ("+$71.87" where `signs`); below a dollar as many digits as it takes to see two: "$0.0123". */
void words_money(long long nusd, int signs, char out[WORDS_NUMBER]);

/* "50", "1,847", "0.35", "12.4": three digits at least, none that are noise. "–" for NAN. */
void words_number(double x, char out[WORDS_NUMBER]);

/* "93 %", "0.4 %", "1,100 %" of a share; "+…" and "−…" where `signs`. */
void words_percent(double share, int signs, char out[WORDS_NUMBER]);

#endif
