/*
** Figures as the JSON document that the page is drawn from.
**
**   {"meta":{…},"figures":{"days":{"title":…,"sql":…,"columns":[…],"rows":[[…],…],"more":1},…}}
*/
#ifndef LLMCOST_FIGURES_JSON_H
#define LLMCOST_FIGURES_JSON_H

#include "base/buf.h"
#include "work/report/figures.h"

/* What the document says of itself. Texts are borrowed. */
typedef struct ReportMeta {
  const ReportPeriod *period;
  const Zone *zone;
  const char *zone_name; /* as the setting has it; "UTC" */
  const char *first_day; /* with anything in it; "": none */
  const char *database;  /* the name of the file, without its folder; NULL: in memory */
  long long sealed;      /* Unix ms: before, only sums are known; 0: all rows are there */
  int with_texts;
  const char *tag, *model; /* only these; NULL: any */
} ReportMeta;

/* Appends the document. RC_OK or *err. */
int figures_json(const Figures *f, const ReportMeta *meta, Buf *out, Err *err);

#endif
