/*
** What a limit is for: the scope of a row of llm_budgets.
**
** A scope is `*`, every call, or parts joined by " & ", each `tag:x`, `user:x`, `model:x` or `provider:x`, each word at most
** once. Behind the colon stands a value, or a GLOB (a text with '*', '?' or '['), which is one limit for each value that it
** matches. A column that is NULL has no value: no part of a scope matches it. '' is a value: `tag:` is the limit of the tag
** '', and `tag:*` has it among its values. Of a model all spellings are one (model_name_plain); a provider has no case.
**
** The columns that a scope names are its set. Sums are kept by set and values (store/budget/spent.h).
*/
#ifndef LLMCOST_SCOPE_H
#define LLMCOST_SCOPE_H

#include "base/error.h"
#include "base/limits.h"

#include <stddef.h>

/* X(id, word): in the order of the columns that sums are kept by. */
#define BUDGET_COLUMNS(X)                                                                          \
  X(TAG, tag)                                                                                      \
  X(USER, user)                                                                                    \
  X(MODEL, model)                                                                                  \
  X(PROVIDER, provider)

enum {
#define BUDGET_ID(id, word) BUDGET_##id,
  BUDGET_COLUMNS(BUDGET_ID)
#undef BUDGET_ID
      BUDGET_N,
  BUDGET_SETS = 1 << BUDGET_N,
  BUDGET_SCOPE = 1024, /* bytes of a scope's text */
  BUDGET_NAME = LIMIT_MODEL_NAME
};

/* What a call has of them; NULL: nothing. Borrowed. */
typedef struct BudgetValues {
  const char *text[BUDGET_N];
} BudgetValues;

typedef struct BudgetScope {
  unsigned set,
      globs; /* columns, a bit each: those it names; those for each value of which it is one limit */
  char text[BUDGET_SCOPE];
  size_t at[BUDGET_N]; /* of each column's value or GLOB, in the text */
} BudgetScope;

/* Room for the names of a call in their one spelling. */
typedef struct BudgetNames {
  char model[BUDGET_NAME], provider[BUDGET_NAME];
} BudgetNames;

/* Reads a scope. RC_OK, or ERR_CONFIG that says how scopes are written. */
int scope_parse(const char *text, BudgetScope *scope, Err *err);

/* The values of a call as sums are kept by: the model that it goes to and its provider in one spelling, in `names`. NULL
** stays NULL. Borrowed from all of these. */
BudgetValues scope_values(const char *tag, const char *user, const char *model,
                          const char *provider, BudgetNames *names);

/* 1 if the call is one of the scope's. */
int scope_matches(const BudgetScope *scope, const BudgetValues *values);

/* 1 if two calls have the same values in a set of columns, and have them. */
int scope_same(unsigned set, const BudgetValues *a, const BudgetValues *b);

/* The scope of one value, as text: "tag:support & user:u1", "*". Cut off at the end. */
void scope_describe(unsigned set, const BudgetValues *values, char *out, size_t size);

#endif
