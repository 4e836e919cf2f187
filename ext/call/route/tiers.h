/*
** The tiers of llm_tiers, as one request sees them: which one its score asks for, and which one can take it.
*/
#ifndef LLMCOST_TIERS_H
#define LLMCOST_TIERS_H

#include "call/state/state.h"

/* Copies those of the configuration: it may be read again while the call runs. RC_OK, or an error where there are none. */
int tiers_copy(Route *route, const Config *config, Err *err);

/* The first tier with score < max_score; the last one where none has. (NAN: the last.) */
int tiers_of_score(const Route *route, double score);

/* The next tier to be looked at behind those that are out: nearest to `from`, of two the cheaper one; -1: none is left. */
int tiers_nearest(const Route *route, int from);

/* Which of two models is dearer for this request: > 0 the second, 0 none; by their prices, and by rank where a price is
** not known. */
int tiers_compare_price(Call *k, int a, int b, Err *err);

/* That it is out, and why: wherever its model stands. */
void tiers_put_out(Route *route, int i, const char *why);

/* Makes the tier's model the call's: model, access, window, body. What stands in the way of this request alone
** (tiers_is_unfit) is no reason to look no further. */
int tiers_take(Call *k, int i, Err *err);

/* 1 if a failure of tiers_take says that this tier can't have the request, and another may. */
int tiers_is_unfit(const Err *why);

/* What was passed over, and what was kept, into the notes of the row that is begun at the serving tier. RC_OK or *err. */
int tiers_note(Call *k, Err *err);

/* The tier that asks this model; -1: none. */
int tiers_of_model(const Route *route, const char *model);

/* Takes the model of the tier that the call was at back, without a call for memory but for its key: what came from there is
** to be judged by it. */
void tiers_return(Call *k, int was);

#endif
