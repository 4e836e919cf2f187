/*
** Tab-separated rows. See tsv.h for the format.
*/
#include "base/tables/tsv.h"

#include <string.h>

int tsv_row(char **at, char **fields, int max) {
  char *line = *at;
  char *end = strchr(line, '\n');
  *at = end ? end + 1 : line + strlen(line);
  if (end) {
    *end = 0;
  }
  int n = 0;
  while (*line && *line != '#' && n < max) {
    fields[n++] = line;
    char *tab = strchr(line, '\t');
    if (!tab) {
      break;
    }
    *tab = 0;
    line = tab + 1;
  }
  return n;
}

const char *tsv_text(const char *field) {
  return strcmp(field, "-") == 0 ? "" : field;
}

char *tsv_copy(const char *text, char *place, size_t size) {
  size_t n = strlen(text);
  int fits = n < size;
  memcpy(place, fits ? text : "", fits ? n + 1 : 1);
  return place;
}
