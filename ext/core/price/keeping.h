/*
** Whether a prefix is worth being written to a provider's cache, by how often such prefixes were asked with again in time.
**
** A write costs more than plain input, a read less. With s the share of prefixes that are read before they are forgotten, a token
** costs s × read + (1 − s) × write where it is marked, and 1 × plain where it is not. How large s is nobody knows. It is the product of
**
**   how many come in time      `in_time` of `n` were: the lower end of the 99 % Wilson score interval (E. B. Wilson, JASA 22, 1927), so
**                              nothing is marked on the strength of one lucky trial, and by few
**   how many of these are read (found + ¼) / (marked + ¼), of those that came in time and were marked, as the one before was: where
**                              something in front of the prefix changes it is written each time, and read by nobody. One such
**                              pair says so
**
** What was written by the call before and has not been forgotten yet is there in any case: only the second counts then. (Left
** unmarked it would not be read.)
*/
#ifndef LLMCOST_KEEPING_H
#define LLMCOST_KEEPING_H

typedef enum KeepLife { KEEP_5M, KEEP_1H, KEEP_LIVES } KeepLife;

/* Milliseconds that a prefix lives; each read begins its life anew. */
long long keeping_life_ms(KeepLife life);

/* How prefixes fared, by how long they live. */
typedef struct KeepTrials {
  int n[KEEP_LIVES], in_time[KEEP_LIVES]; /* those whose end is known */
  int marked, found;
  int is_alive
      [KEEP_LIVES]; /* the last such call had it kept for so long, and it can't be forgotten yet */
} KeepTrials;

/* What a token costs; in any unit. Below 0: not sold so. */
typedef struct KeepPrices {
  double plain, read, write[KEEP_LIVES];
} KeepPrices;

typedef struct KeepPlace {
  unsigned mark; /* the caller's name for it */
  double tokens;
  KeepTrials trials;
} KeepPlace;

/* The least share of n trials, of which `good` went well: 0..1; 0 without any. */
double keeping_share(int good, int n);

/* The marks (or'ed) of those places that are likely to cost less when marked, for the lifetime at which all together cost least. 0: none. */
unsigned keeping_choose(const KeepPrices *prices, const KeepPlace *places, int n, KeepLife *life);

#endif
