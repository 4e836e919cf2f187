/*
** In which order the rows of a run are asked, so that a provider that keeps what requests begin with bills it less.
**
** Where the fields of a row may stand in any order ("fields":"any") all rows get one: the field whose values repeat most characters first, and the
** rows are sorted by it (arXiv 2403.05821, MLSys 2025: that has nearly all of what a full grouping has). Rows that begin alike are a group.
**
** What a request begins with can be read by others only once its own answer has begun, and not always then. So of a group for which it pays
** (a model that reads it for less, a beginning long enough) the first row goes ahead; then ORDER_PROBES at a time, until an answer says that
** it read what was kept; then all. After ORDER_PATIENCE answers that read nothing the provider is taken for one that keeps nothing: no
** more than that many requests of a group pay the full price in vain.
**
** Positions count from 1.
*/
#ifndef LLMCOST_ORDER_H
#define LLMCOST_ORDER_H

#include "conn/conn.h"
#include "work/map/columns.h"
#include "work/map/spill.h"

enum { ORDER_PROBES = 2, ORDER_PATIENCE = 16 };

/* Rows that begin alike, one behind the other. */
typedef struct OrderGroup {
  long long at, end; /* the next position, and the one behind the last */
  size_t shared;     /* bytes that their last messages begin with */
  int sharers;       /* rows, as many as an int holds; below 2 they share nothing that counts */
  int under_way, answered;
  int pays;    /* for one to go ahead of the others, and what they share to be marked */
  int is_open; /* all may go */
} OrderGroup;

typedef struct Order {
  OrderGroup *groups; /* owned */
  int n, room;
  int first;     /* of those that are not through */
  int is_sorted; /* positions are not row numbers (spill_place) */
} Order;

/* Decides it, and the order of the fields in `columns`. RC_OK or *err. */
int order_make(Order *o, Conn *conn, Spill *spill, MapColumns *columns, long long rows, Err *err);
void order_free(Order *o);

/* The next position, and its group: it is under way. 0: none may go now. */
long long order_take(Order *o, int *group);

/* It was not begun after all (another row's answer was its own, say), or it was answered: `read` tokens of its input, out of the provider's
** cache; -1: no answer tells. */
void order_end(Order *o, int group, long long read);

#endif
