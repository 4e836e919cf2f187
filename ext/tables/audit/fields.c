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

typedef struct AskOptions {
  PartOptions part;
} AskOptions;

static const Spec specs[] = {PART_SPECS(AskOptions, part)};

static const SpecTable options_table = {"option", ERR_BAD_OPTION, NULL,
                                        NULL,     specs,          sizeof specs / sizeof specs[0]};

AuditAsk fields_part(const PartOptions *part) {
  AuditAsk ask = AUDIT_ALL;
  ask.from = part->from == SPEC_NO_TIME ? LLONG_MIN : part->from;
  ask.to = part->to == SPEC_NO_TIME ? LLONG_MAX : part->to;
  ask.tag = part->tag[0] ? part->tag : NULL;
  return ask;
}

int fields_ask(const TableQuery *q, PartOptions *part, AuditAsk *ask, Err *err) {
  AskOptions o;
  if (arg_spec(q->args[0], &options_table, &o, err) == RC_OK) {
    *part = o.part;
    *ask = fields_part(part);
  }
  return err->rc;
}
