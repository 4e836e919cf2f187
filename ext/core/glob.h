/*
** Name patterns: a list of GLOBs in one text, separated by blanks; '!' in front of one excludes.
*/
#ifndef LLMCOST_GLOB_H
#define LLMCOST_GLOB_H

/* 1 if a pattern of the list matches the whole name and no excluding one does. '*', '?' and '[…]' as
** in the shell ('/' is like any other character); write the patterns in lower case and hand over
** names in lower case. NULL and "" match nothing. */
int glob_any(const char *patterns, const char *name);

#endif
