/*
** Exact decimal numbers, whole ones, times and durations.
*/
#ifndef LLMCOST_DECIMAL_H
#define LLMCOST_DECIMAL_H

#include <stddef.h>

/* Parses a decimal number ("0.15", "2.5e-1") times 10^scale into *value, digits past that rounded
** half up. Returns 1, or 0 where the text is no non-negative number or does not fit. */
int decimal_parse(const char *text, int scale, long long *value);
int decimal_parse_pico(const char *text, long long *value); /* scale 12 */

/* Writes value / 10^scale exactly, without trailing zeros ("0.0609", "12"); at most 64 bytes. */
void decimal_format(unsigned __int128 value, int scale, char *text, size_t size);

/* Writes a whole number, at most 20 bytes and no NUL, and returns what is behind it: a tenth of snprintf's time, for what is
** printed for each of millions. */
char *decimal_put(char *to, long long value);

/* The double nearest to value / 10^scale. */
double decimal_double(unsigned __int128 value, int scale);

/* 1 for a whole number from min to max (which are exact as doubles); 0 for any other, NAN too. */
int decimal_is_whole(double d, double min, double max);

/* The years 1 to 9999, in Unix ms; and the first number that is taken for ms (of 1973): smaller ones are
** seconds, or a year. */
#define TIME_FIRST (-62135596800000LL)
#define TIME_LAST 253402300799999LL
#define TIME_FIRST_MS 100000000000LL

/* Parses 'YYYY-MM-DD', with or without 'THH:MM[:SS[.sss]][Z]' (blank for T too), as UTC, or an
** integer: Unix ms, or 0. Returns 1 and *ms, or 0, also for what is not within the bounds above. */
int time_parse(const char *text, long long *ms);

/* Midnight (UTC) of a date as Unix ms: 1 and *ms, or 0 where there is no such day. */
int time_of_date(int year, int month, int day, long long *ms);

/* Parses a window of the day 'HH:MM-HH:MM' (UTC; the end is outside; it may pass midnight) into
** seconds since midnight. Returns 1, or 0. */
int time_parse_hours(const char *text, int *from, int *to);

/* Reads a duration: a number of seconds, or text such as '90s', '15m', '36h', '7d', '2w'.
** Returns milliseconds, or -1 where the text is none. */
long long duration_parse(const char *text);

#endif
