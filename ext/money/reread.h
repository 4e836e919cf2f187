/*
** A row of the ledger, read and priced again.
*/
#ifndef LLMCOST_REREAD_H
#define LLMCOST_REREAD_H

#include "base/error.h"
#include "money/billing.h"
#include "store/audit.h"

/* What a row comes to now: billing_price of its usage object, or where it has none of its columns, each unit added to `lines` unless that is NULL. *has_usage 0: it has
** none, and nothing was priced. What is wrong with it is *err (RC_ERROR), as is what else fails. */
PriceVerdict reread_price(Conn *conn, const AuditRow *row, BillingLines *lines, Billing *now,
                          int *has_usage, Err *err);

#endif
