/*
** One SQL expression over named texts, on a private connection in memory that can do nothing else.
**
** The expression comes from an option or from this process's own settings; the texts, a prompt and a model's answer, come
** from anywhere. So what is guarded against is an expression that is copied without a thought, and texts that are made to
** keep a harmless one busy:
**
**   - SELECT alone, no tables but json_each() and json_tree(), functions from a list, none of the extension's own;
**   - one expression: its parentheses, strings and comments are closed, no ';';
**   - EXPRESSION_MS, EXPRESSION_STEPS of SQLite's machine and EXPRESSION_MEMORY, SQLite's limits set low;
**   - instr(), replace() and trim() are ours here: SQLite's take time by the product of their arguments' lengths, and nothing
**     stops them meanwhile.
**
** A connection is used by one thread at a time.
*/
#ifndef LLMCOST_EXPRESSION_H
#define LLMCOST_EXPRESSION_H

#include "base/error.h"

#include <stddef.h>

enum {
  EXPRESSION_MS = 500,
  EXPRESSION_STEPS = 20000000,
  EXPRESSION_MEMORY = 64 << 20,
  EXPRESSION_BYTES = 10000,       /* of the expression */
  EXPRESSION_TEXT_BYTES = 4 << 20 /* of a text, or a value made from it */
};

typedef struct Expression Expression;

typedef struct ExpressionText {
  const char *name; /* ":answer" */
  const char *text; /* NULL: it is NULL */
  size_t n;
} ExpressionText;

typedef struct ExpressionValue {
  int is_null;
  int is_true;   /* as WHERE has it; NULL is not */
  double number; /* NAN where it is no number */
} ExpressionValue;

/* Opens a connection: owned (expression_close); NULL and *err. */
Expression *expression_open(Err *err);
void expression_close(Expression *e);

/* Looks whether it can be evaluated, with texts of these names. RC_OK or *err (ERR_BAD_OPTION, says what is wrong with it). */
int expression_check(Expression *e, const char *expr, const ExpressionText *texts, int n_texts,
                     Err *err);

/* Evaluates it. RC_OK and *out; or *err: as above, and ERR_FAILED where it failed or was stopped on these texts. The same
** expression as the last time is not read again. */
int expression_eval(Expression *e, const char *expr, const ExpressionText *texts, int n_texts,
                    ExpressionValue *out, Err *err);

#endif
