/*
** See fields.h for the contract.
*/
#include "tables/audit/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int fields_next(TableCursor *base, Err *err) {
  ((FieldCursor *)base)->at++;
  return err->rc;
}

int fields_is_done(const TableCursor *base) {
  const FieldCursor *c = (const FieldCursor *)base;
  return c->at >= c->n;
}

static void result_number(sqlite3_context *ctx, FieldType type, long long n) {
  int is_signed = type == FIELD_SIGNED || type == FIELD_LOSS;
  if (n == (is_signed ? LLONG_MIN : LEDGER_NULL)) {
    return;
  }
  if (type == FIELD_USD || type == FIELD_LOSS) {
    sqlite3_result_double(ctx, (double)n / 1e9);
  } else {
    sqlite3_result_int64(ctx, n);
  }
}

void fields_column(TableCursor *base, sqlite3_context *ctx, int i) {
  const FieldCursor *c = (const FieldCursor *)base;
  const Field *field = &c->fields[i];
  const char *member = c->records + (size_t)c->at * c->size + field->at;
  const char *text;
  double real;
  long long n;
  switch (field->type) {
  case FIELD_TEXT:
    memcpy(&text, member, sizeof text);
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT); /* NULL gives NULL */
    break;
  case FIELD_REAL:
    memcpy(&real, member, sizeof real);
    if (!isnan(real)) {
      sqlite3_result_double(ctx, real);
    }
    break;
  default:
    memcpy(&n, member, sizeof n);
    result_number(ctx, field->type, n);
  }
}

/* ---- options */

typedef struct PartOptions {
  long long from, to;
  char tag[FIELDS_MOST_TAG];
} PartOptions;

static const Spec specs[] = {
    {"from", SPEC_INTO(PartOptions, TIME, from)},
    {"to", SPEC_INTO(PartOptions, TIME, to)},
    {"tag", SPEC_INTO(PartOptions, CHARS, tag)},
};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

int fields_ask(const TableQuery *q, char tag[FIELDS_MOST_TAG], AuditAsk *ask, Err *err) {
  PartOptions o;
  *ask = AUDIT_ALL;
  if (arg_spec(q->args[0], &options_table, &o, err) == RC_OK) {
    snprintf(tag, FIELDS_MOST_TAG, "%s", o.tag);
    ask->from = o.from == SPEC_NO_TIME ? LLONG_MIN : o.from;
    ask->to = o.to == SPEC_NO_TIME ? LLONG_MAX : o.to;
    ask->tag = tag[0] ? tag : NULL;
  }
  return err->rc;
}
