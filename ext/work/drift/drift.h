/*
** llm_drift: why spending changed between two periods, or between two releases.
**
** The arithmetic is core/audit/drift.h, what it is fed with work/drift/sides.h; here questions are read and answers put
** into words.
*/
#ifndef LLMCOST_WORK_DRIFT_H
#define LLMCOST_WORK_DRIFT_H

#include "conn/conn.h"
#include "core/audit/span.h"
#include "core/budget/scope.h"

enum { DRIFT_DETAIL = 200, DRIFT_TEXT = 1200 };

/* One side of the question. */
typedef struct DriftSideAsk {
  NamedSpan span;
  BudgetScope scope;
  int has_scope;
} DriftSideAsk;

typedef struct DriftAsk {
  DriftSideAsk side[2]; /* before, after */
  int per_request;      /* of one request: two releases are not asked equally often */
  int by;               /* BUDGET_TAG, …: a split of its own for each value; -1: one */
  enum { BILLED_ANY, BILLED_PAID, BILLED_LIST } billed; /* ANY: what was paid, if any was */
} DriftAsk;

/* A row of the answer. */
typedef struct DriftLine {
  char *value;                   /* of what is grouped by; NULL: none */
  const char *driver;            /* its word; "answer", "unpriced", "left out" */
  char *detail;                  /* NULL: none */
  long long nusd;                /* LLONG_MIN: it is no part of the change */
  double share;                  /* of the whole change; NAN: that is 0, or this is no part of it */
  double before, after, percent; /* NAN: there is none */
  const char *unit, *basis;
  char *text; /* in words */
} DriftLine;

typedef struct DriftAnswer {
  DriftLine *lines;
  int n;
} DriftAnswer;

/* Owned (drift_free); NULL and *err. */
DriftAnswer *drift_new(Conn *conn, const DriftAsk *ask, Err *err);
void drift_free(DriftAnswer *a);

/* The word of a dimension that a drift is asked by: "tag", … (BUDGET_COLUMNS). */
const char *drift_dimension(int column);

/* The zone of the setting time_zone. */
Zone drift_zone(const Conn *conn);

#endif
