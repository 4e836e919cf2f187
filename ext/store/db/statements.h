/*
** The statements of the hot paths: a name for each, and its text. Where the store has a connection of its own they
** are prepared once (store_stmt).
*/
#ifndef LLMCOST_STATEMENTS_H
#define LLMCOST_STATEMENTS_H

typedef enum StoreSql {
  SQL_BEGIN,
  SQL_COMMIT,
  SQL_ROLLBACK,
  SQL_INSERT_CALL,
  SQL_INSERT_CALLS,
  SQL_UPDATE_CALL,
  SQL_PUT_TEXT,
  SQL_GET_ANSWER,
  SQL_PUT_ANSWER,
  SQL_GET_INTENT,
  SQL_PUT_INTENT,
  SQL_DROP_INTENT,
  SQL_MARK_DEAD,
  SQL_NOTE_LOST,
  SQL_PUT_LOST,
  SQL_TAKE_LOST,
  SQL_FIND_SIMILAR,
  SQL_FIND_ABOVE,
  SQL_FIND_ADAPTIVE,
  SQL_PUT_SIMILAR,
  SQL_PUT_SERVED,
  SQL_HAS_CALL,
  SQL_PUT_FEEDBACK,
  SQL_TEACH_SIMILAR,
  SQL_FORGET_ANSWER,
  SQL_FORGET_SIMILAR,
  SQL_ORIGIN,
  SQL_ADD_SUM,
  SQL_PUT_SUM,
  SQL_DROP_SUM,
  SQL_GET_SUM_STATE,
  SQL_HAS_SUM_VALUE,
  SQL_PUT_SUM_VALUE,
  SQL_COUNT_SUM_VALUE,
  SQL_PUT_UNCOUNTED,
  SQL_GET_CALL_MODEL,
  SQL_GET_UNCOUNTED,
  SQL_DROP_UNCOUNTED,
  SQL_GET_CALL,
  SQL_COUNT
} StoreSql;

enum { CALLS_AT_ONCE = 8 }; /* rows of SQL_INSERT_CALLS: each opens all indexes once */

/* Its SQL; ?1 … as the text says. */
const char *statement_text(StoreSql id);

#endif
