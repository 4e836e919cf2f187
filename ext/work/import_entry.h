/*
** What a log's record says, as it goes into the store: a call with its price, or a sum.
*/
#ifndef LLMCOST_IMPORT_ENTRY_H
#define LLMCOST_IMPORT_ENTRY_H

#include "conn/conn.h"
#include "core/logs/format.h"
#include "store/past/past.h"

/* Texts that live until they are all given up. */
typedef struct Texts {
  struct TextBlock *blocks;
  size_t left; /* of the first */
} Texts;

/* A copy, as valid UTF-8 of at most LIMIT_IMPORT_TEXT bytes; NULL stays NULL, and is *err without memory. */
const char *texts_keep(Texts *t, const char *text, Err *err);
void texts_free(Texts *t);

/* How entries are taken. */
typedef struct EntryRules {
  Conn *conn;             /* whose prices are current (pricing_refresh) */
  const char *format;     /* of sums the source */
  const char *source;     /* of calls: the format, whatever shape it was exported in */
  const char *tag, *user; /* for those that say none; NULL: none */
  int billed;             /* a LogBilled for all; -1: as they say */
} EntryRules;

/* Who a call is, which is little work: key, part, rank and time. `record` is its identity where it has no key. RC_OK;
** RC_ERROR where it says what can't be; else *err. Texts are kept in `t`. */
int entry_identity(const EntryRules *rules, const LogEntry *entry, const Hash *record, Texts *t,
                   PastCall *call, Err *err);

/* The rest of it. */
int entry_call(const EntryRules *rules, const LogEntry *entry, Texts *t, PastCall *call, Err *err);

/* A sum likewise. */
int entry_sum(const EntryRules *rules, const LogEntry *entry, Texts *t, PastSum *sum, Err *err);

#endif
