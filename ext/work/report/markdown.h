/*
** A report as Markdown (GitHub's, with tables), for a pull request or mail: what sql/report/markdown.sql makes of the figures.
**
** Texts of the ledger are shown as they are: what Markdown or HTML would take for its own is escaped, what would break a line or
** turn its direction is dropped, and long ones are cut.
*/
#ifndef LLMCOST_REPORT_MARKDOWN_H
#define LLMCOST_REPORT_MARKDOWN_H

#include "work/report/figures_json.h"

/* Appends it. RC_OK or *err. */
int markdown_write(const Figures *f, const ReportMeta *meta, const char *title, Buf *out, Err *err);

#endif
