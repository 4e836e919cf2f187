/*
** A report of one tag, one model, or both: figures that were collected are cut to it, where they tell them apart; what can't be told
** of it alone (batches, limits, advice) is left out. What is done stands in sql/report/filter.sql.
*/
#ifndef LLMCOST_REPORT_FILTER_H
#define LLMCOST_REPORT_FILTER_H

#include "work/report/figures.h"

/* NULL: any. RC_OK or *err. */
int filter_figures(Figures *f, const char *tag, const char *model, Err *err);

#endif
