/*
** A row of the ledger, read and priced again.
*/
#ifndef LLMCOST_REREAD_H
#define LLMCOST_REREAD_H

#include "base/error.h"
#include "money/billing.h"
#include "store/audit/audit.h"

/* Its usage: that object, or where it has none its columns; with the parts it was billed in (owned, free; NULL: none). RC_OK
** or *err. */
int reread_usage(const AuditRow *row, Usage *u, UsagePart **parts, int *n, Err *err);

/* What a row comes to now: billing_price of its usage object, or where it has none of its columns, each unit added to `lines` unless that is NULL. *has_usage 0: it has
** none, and nothing was priced. What is wrong with it is *err (RC_ERROR), as is what else fails. */
PriceVerdict reread_price(Conn *conn, const AuditRow *row, BillingLines *lines, Billing *now,
                          int *has_usage, Err *err);

#endif
