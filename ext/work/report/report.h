/*
** llm_report: where the money went, to look at.
**
** A report is collected (figures.h) once and written as a page (page.h) or as Markdown (markdown.h).
*/
#ifndef LLMCOST_REPORT_H
#define LLMCOST_REPORT_H

#include "base/buf.h"
#include "conn/conn.h"

#define REPORT_FORMATS(X)                                                                          \
  X(REPORT_HTML, "html")                                                                           \
  X(REPORT_MARKDOWN, "markdown")
typedef enum ReportFormat { REPORT_FORMATS(SPEC_AS_ID) } ReportFormat;

typedef struct ReportAsk {
  char period[64];    /* in words; "": none */
  long long from, to; /* or two moments (Unix ms); SPEC_NO_TIME: none */
  int format;         /* a ReportFormat */
  int prompts;        /* texts of prompts may be in it */
  char *tag, *model;  /* only these; a page opens with them. NULL: any */
} ReportAsk;

/* Appends the report. RC_OK or *err. */
int report_write(Conn *conn, const ReportAsk *ask, Buf *out, Err *err);

#endif
