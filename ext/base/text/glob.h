/*
** Name patterns: a list of GLOBs in one text, separated by blanks; '!' in front of one excludes.
*/
#ifndef LLMCOST_GLOB_H
#define LLMCOST_GLOB_H

/* 1 if a pattern of the list matches the whole name and no excluding one does. '*', '?' and '[…]' as
** in the shell ('/' is like any other character); write the patterns in lower case and hand over
** names in lower case. NULL and "" match nothing. */
int glob_any(const char *patterns, const char *name);

/* The same, and how: *rest is what the '*' at the end of the pattern that matched took (and a set before it), NULL where it
** has none there. Of several patterns that match, the one that leaves least to its '*'. */
int glob_find(const char *patterns, const char *name, const char **rest);

/* 1 if one pattern, blanks and all, matches the whole text as SQLite's GLOB does: '?' and sets take a character of UTF-8, a
** set that begins with '^' takes what is not in it. */
int glob_matches(const char *pattern, const char *text);

#endif
