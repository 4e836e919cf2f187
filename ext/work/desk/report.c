/*
** See report.h for the contract.
*/
#include "work/desk/report.h"

#include <stdio.h>
#include <string.h>

void report_reason(Report *r, const char *text, long long rows) {
  int i = 0;
  while (i < r->n_reasons && strcmp(r->reasons[i].text, text) != 0) {
    i++;
  }
  if (i == REPORT_REASONS) {
    return;
  }
  if (i == r->n_reasons) {
    snprintf(r->reasons[r->n_reasons++].text, sizeof r->reasons[0].text, "%s", text);
    r->reasons[i].rows = 0;
  }
  r->reasons[i].rows += rows;
}

void report_add_count(cJSON *tree, const char *name, long long n, Err *err) {
  json_add(tree, name, cJSON_CreateNumber((double)n), err);
}

void report_add_usd(cJSON *tree, const char *name, long long nusd, Err *err) {
  json_add(tree, name, nusd < 0 ? cJSON_CreateNull() : cJSON_CreateNumber((double)nusd / 1e9), err);
}

void report_add_reasons(const Report *r, cJSON *tree, Err *err) {
  cJSON *list = r->n_reasons > 0 ? json_add(tree, "errors", cJSON_CreateArray(), err) : NULL;
  for (int i = 0; i < r->n_reasons && list; i++) {
    cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
    json_add(item, "error", cJSON_CreateString(r->reasons[i].text), err);
    report_add_count(item, "rows", r->reasons[i].rows, err);
  }
}
