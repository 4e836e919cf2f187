/*
** Splitting a text into the pieces that byte-pair merging works on.
*/
#ifndef LLMCOST_PRETOKENIZE_H
#define LLMCOST_PRETOKENIZE_H

#include <stddef.h>

/* The patterns of tiktoken: r50k_base and p50k_base have GPT-2's. */
typedef enum SplitRule { SPLIT_GPT2, SPLIT_CL100K, SPLIT_O200K } SplitRule;

/* Splits from byte `at` of n bytes of valid UTF-8, of `room` >= n that can be read (zeros behind
** the text): the ends of the next pieces, at most `max` of them, as offsets. Returns how many; 0
** only where at == n. Linear time. Any thread. */
size_t pretokenize(SplitRule rule, const char *text, size_t n, size_t room, size_t at, size_t *ends,
                   size_t max);

/* 0 where the compiled-in table of character classes can't be read (or memory is out, which the next call
** tries again): then nothing can be split. */
int pretokenize_is_ready(void);

#endif
