/*
** Thresholds by quantile: which scores part a set of requests into given shares.
*/
#ifndef LLMCOST_SHARES_H
#define LLMCOST_SHARES_H

/* For n sorted scores (rising) and `tiers` shares that add up to 1: thresholds[i] is such that the share of scores below it
** is as near as equal scores allow to the first i + 1 shares; the last one is 1. Rising. n at least 1. */
void shares_thresholds(const double *sorted, int n, const double *shares, int tiers,
                       double *thresholds);

/* The share of the scores that each tier has under thresholds: score < threshold goes to the first such tier, what none
** takes to the last. */
void shares_under(const double *sorted, int n, const double *thresholds, int tiers, double *shares);

/* Shares of which the first tier has all but `rest`, and the others part that as `like` does. */
void shares_mix(const double *like, int tiers, double rest, double *shares);

#endif
