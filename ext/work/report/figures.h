/*
** What a report shows: the statements of sql/report/figures.sql, run over the ledger and kept as tables of a small database
** in memory. Page and Markdown are made from that alone: so a figure is the same number wherever it stands.
**
** In that database each figure is a table of its name and columns, and a row of
**
**   figure(n, name, title, sql, columns, more, left_out)
**
** sql: the statement as it ran, to be copied; columns: their names as a JSON array; more: 1 where rows are missing at the end;
** left_out: 1 where there were too many, so that the table is empty.
*/
#ifndef LLMCOST_REPORT_FIGURES_H
#define LLMCOST_REPORT_FIGURES_H

#include "base/sqlite/sqlite_api.h"
#include "conn/conn.h"
#include "core/report/period.h"

typedef struct Figures {
  sqlite3 *db;             /* owned */
  int with_texts;          /* prompts may be shown */
  const char *tag, *model; /* have a name of their own, be they dear or not; NULL: none */
  int is_in_main;          /* the store's tables are in the database itself */
} Figures;

/* Runs all of them on the connection that the user asks on. RC_OK or *err. Ended by figures_free in either case. */
int figures_collect(Conn *conn, const ReportPeriod *period, const Zone *zone, Figures *f, Err *err);

void figures_free(Figures *f);

/* Prepares a statement of that database. NULL and *err. */
sqlite3_stmt *figures_prepare(const Figures *f, const char *sql, Err *err);

/* 1 and the next row, 0 at the end; or 0 and *err. */
int figures_step(sqlite3_stmt *stmt, Err *err);

#endif
