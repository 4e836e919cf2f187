/*
** The two clocks.
**
** What is told to people and kept on disk has the time of day; what is waited for has a clock that nobody sets.
*/
#ifndef LLMCOST_CLOCK_H
#define LLMCOST_CLOCK_H

#include <stddef.h>

/* Unix milliseconds: for time stamps, and for what ends at a time of day. May jump. */
long long now_ms(void);

/* The same in words, in UTC: "2026-11-28 14:05:09". */
void clock_text(long long ms, char *out, size_t size);

/* Milliseconds since some start, never set back: for waits, deadlines and durations inside a process. */
long long monotonic_ms(void);

#endif
