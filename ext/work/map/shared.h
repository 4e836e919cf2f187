/*
** The runs of a connection, by the statement that asked for them.
**
** Within one execution of a statement the same arguments are one run: an outer row for which SQLite scans the table again (a join,
** a correlated subquery, an expression that it evaluates twice) finds what is there, and nothing is asked again. A run is given up at the
** next look after its statement has ended, or with the connection.
**
** SQLite does not tell a table which statement scans it. Told apart are the statements that are running and whose text names llm_map (it
** can't be reached from a view or a trigger), each with its executions counted: SQLITE_STMTSTATUS_RUN of such a statement is reset.
*/
#ifndef LLMCOST_SHARED_H
#define LLMCOST_SHARED_H

#include "work/map/run.h"

/* The run of these arguments, made where this execution has none yet; NULL and *err. In pairs with shared_release. */
MapRun *shared_take(Conn *conn, const char *sql, const char *options, size_t n, Err *err);

/* A cursor is done with it: where it was the last, what is on its way is waited for. */
void shared_release(Conn *conn, MapRun *run);

#endif
