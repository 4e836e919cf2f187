/*
** The page: one HTML file that needs nothing else.
**
** The template (sql/report/page.html) has marks for what stands in it: style, two scripts (the charts' library and our own) and
** the data. Data are packed (gzip, in base64): a year stays under 1 MB, and no text in them can end a script or be taken
** for markup. A Content-Security-Policy in the page lets these two scripts run, by their hashes, and nothing be fetched.
*/
#ifndef LLMCOST_REPORT_PAGE_H
#define LLMCOST_REPORT_PAGE_H

#include "base/buf.h"
#include "base/error.h"

/* Appends the page of such a document (n bytes of JSON). `title` is text, escaped here. RC_OK or *err. */
int page_write(const char *json, size_t n, const char *title, Buf *out, Err *err);

#endif
