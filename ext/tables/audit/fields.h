/*
** Tables whose rows are records in memory: a report that is made when it is asked for. Of each column a Field says where in the
** record it stands; a kind of such a table fills the cursor, and all else is here.
*/
#ifndef LLMCOST_FIELDS_H
#define LLMCOST_FIELDS_H

#include "store/audit/audit.h"
#include "tables/kit/table.h"

typedef enum FieldType {
  FIELD_TEXT,    /* const char *; NULL is NULL */
  FIELD_INTEGER, /* long long; LEDGER_NULL is NULL */
  FIELD_SIGNED,  /* long long; LLONG_MIN is NULL */
  FIELD_REAL,    /* double; NAN is NULL */
  FIELD_USD,     /* long long, nano-dollars: as dollars; LEDGER_NULL is NULL */
  FIELD_LOSS     /* the same; it may be negative: LLONG_MIN is NULL */
} FieldType;

typedef struct Field {
  FieldType type;
  size_t at; /* in the record */
} Field;

typedef struct FieldCursor {
  TableCursor base;
  const char *records; /* borrowed from what the kind keeps behind this */
  size_t size;         /* of one */
  long long n, at;
  const Field *fields;
} FieldCursor;

/* Of the columns of a report X(name, type in SQL, FieldType without FIELD_, member of S): what a kind declares (behind the
** first two bytes), and its fields. */
#define FIELD_COLUMN(name, sql, type, member) ", \"" #name "\" " sql
#define FIELDS_DECLARED(list) (&list[2])
#define FIELD_OF(S, type, member)                                                                  \
  { FIELD_##type, offsetof(S, member) }

/* For a TableKind. */
int fields_next(TableCursor *base, Err *err);
int fields_is_done(const TableCursor *base);
void fields_column(TableCursor *base, sqlite3_context *ctx, int i);

/* Which part of the ledger, as options: lines of the table of a struct S whose member is a PartOptions. */
enum { FIELDS_MOST_TAG = 1024 };
typedef struct PartOptions {
  long long from, to;
  char tag[FIELDS_MOST_TAG];
} PartOptions;

#define PART_SPECS(S, member)                                                                      \
  {"from", SPEC_INTO(S, TIME, member.from)}, {"to", SPEC_INTO(S, TIME, member.to)}, {              \
    "tag", SPEC_INTO(S, CHARS, member.tag)                                                         \
  }

/* What they ask for; it borrows from them. */
AuditAsk fields_part(const PartOptions *part);

/* The same of a table that has no other options. RC_OK or *err. */
int fields_ask(const TableQuery *q, PartOptions *part, AuditAsk *ask, Err *err);

#endif
