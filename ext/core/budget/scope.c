/*
** See scope.h for the contract.
*/
#include "core/budget/scope.h"

#include "base/text/glob.h"
#include "base/utf8.h"
#include "core/names/model_name.h"

#include <stdio.h>
#include <string.h>

static const char *const words[BUDGET_N] = {
#define WORD(id, word) #word,
    BUDGET_COLUMNS(WORD)
#undef WORD
};

static int not_written_so(const char *text, const char *why, Err *err) {
  char shown[80];
  utf8_copy(shown, sizeof shown, text);
  return err_set(
      err, RC_ERROR, ERR_CONFIG,
      "llm_budgets: the scope '%s' %s; scopes are * (every call), tag:x, user:x, model:x,"
      " provider:x, or several of these joined by ' & ' (x may be a GLOB)",
      shown, why);
}

/* The column that a part begins with; *value behind its colon. -1: none. */
static int column_of(const char *part, const char **value) {
  for (int i = 0; i < BUDGET_N; i++) {
    size_t n = strlen(words[i]);
    if (strncmp(part, words[i], n) == 0 && part[n] == ':') {
      *value = part + n + 1;
      return i;
    }
  }
  return -1;
}

/* Brings a value into the spelling that calls are compared in. It is not longer then. */
static void spell(char *value, int column, int is_glob) {
  char plain[BUDGET_NAME];
  if (column == BUDGET_MODEL && !is_glob && strlen(value) < sizeof plain) {
    model_name_plain(value, plain, sizeof plain);
    if (strlen(plain) <= strlen(value)) {
      memcpy(value, plain, strlen(plain) + 1);
    }
  } else if (column == BUDGET_MODEL || column == BUDGET_PROVIDER) {
    for (char *p = value; *p; p++) {
      *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    }
  }
}

/* Takes one part, in the scope's own text. */
static int take_part(BudgetScope *scope, char *part, const char *whole, Err *err) {
  const char *value = NULL;
  int column = column_of(part, &value);
  if (column < 0) {
    return not_written_so(whole, "has a part that names no column", err);
  }
  if (scope->set >> column & 1) {
    return not_written_so(whole, "names a column twice", err);
  }
  size_t n = strlen(value);
  if (n >= 2 && strcmp(value + n - 2, " &") == 0) {
    return not_written_so(whole, "ends with '&'", err);
  }
  int is_glob = strpbrk(value, "*?[") != NULL;
  scope->set |= 1u << column;
  scope->globs |= (unsigned)is_glob << column;
  scope->at[column] = (size_t)(value - scope->text);
  spell(scope->text + scope->at[column], column, is_glob);
  return RC_OK;
}

int scope_parse(const char *text, BudgetScope *scope, Err *err) {
  static const char joint[] = " & ";
  size_t n = strlen(text);
  *scope = (BudgetScope){0};
  if (n >= sizeof scope->text) {
    return not_written_so(text, "is too long", err);
  }
  memcpy(scope->text, text, n + 1);
  if (strcmp(text, "*") == 0) {
    return RC_OK;
  }
  for (char *part = scope->text, *next; part && err->rc == RC_OK; part = next) {
    next = strstr(part, joint);
    if (next) {
      *next = 0;
      next += sizeof joint - 1;
    }
    take_part(scope, part, text, err);
  }
  return err->rc;
}

BudgetValues scope_values(const char *tag, const char *user, const char *model,
                          const char *provider, BudgetNames *names) {
  BudgetValues v = {.text = {[BUDGET_TAG] = tag, [BUDGET_USER] = user}};
  if (model) {
    model_name_plain(model, names->model, sizeof names->model);
    v.text[BUDGET_MODEL] = names->model;
  }
  if (provider) {
    snprintf(names->provider, sizeof names->provider, "%s", provider);
    spell(names->provider, BUDGET_PROVIDER, 0);
    v.text[BUDGET_PROVIDER] = names->provider;
  }
  return v;
}

int scope_matches(const BudgetScope *scope, const BudgetValues *values) {
  for (int i = 0; i < BUDGET_N; i++) {
    const char *wanted = scope->text + scope->at[i], *text = values->text[i];
    if (scope->set >> i & 1 && (!text || !(scope->globs >> i & 1 ? glob_matches(wanted, text)
                                                                 : strcmp(wanted, text) == 0))) {
      return 0;
    }
  }
  return 1;
}

int scope_same(unsigned set, const BudgetValues *a, const BudgetValues *b) {
  for (int i = 0; i < BUDGET_N; i++) {
    if (set >> i & 1 && (!a->text[i] || !b->text[i] || strcmp(a->text[i], b->text[i]) != 0)) {
      return 0;
    }
  }
  return 1;
}

void scope_describe(unsigned set, const BudgetValues *values, char *out, size_t size) {
  size_t n = 0;
  snprintf(out, size, "%s", set ? "" : "*");
  for (int i = 0; i < BUDGET_N && n + 1 < size; i++) {
    if (set >> i & 1) {
      snprintf(out + n, size - n, "%s%s:", n ? " & " : "", words[i]);
      n += strlen(out + n);
      utf8_copy(out + n, size - n, values->text[i] ? values->text[i] : "");
      n += strlen(out + n);
    }
  }
}
