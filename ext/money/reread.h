/*
** The usage of a ledger row, read again.
*/
#ifndef LLMCOST_REREAD_H
#define LLMCOST_REREAD_H

#include "base/error.h"
#include "core/usage/usage.h"
#include "store/audit.h"

/* From its usage object, or where it has none from its columns. *parts: as usage_read_all gives them (free()). */
void reread_usage(const AuditRow *row, Usage *u, UsagePart **parts, int *n, Err *err);

#endif
