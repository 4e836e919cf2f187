/*
** See tags.h for the contract.
*/
#include "core/words/tags.h"

#include <string.h>

enum { MOST_WORD = 24 };

static int is_in(const char *list, const char *word, size_t n) {
  char name[MOST_WORD + 3];
  if (n == 0 || n > MOST_WORD) {
    return 0;
  }
  name[0] = name[n + 1] = ' ';
  for (size_t i = 0; i < n; i++) {
    name[i + 1] = (char)(word[i] == '_' ? '_' : word[i] | 0x20);
  }
  name[n + 2] = 0;
  return strstr(list, name) != NULL;
}

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Names of tags that hold context. */
static const char CONTAINERS[] = " context contexts document documents doc docs passage passages "
                                 "source sources article articles chunk chunks "
                                 "excerpt excerpts snippet snippets transcript background "
                                 "knowledge reference references search_results result results "
                                 "document_content document_contents file_content web_page page ";

int tags_is_container(const char *tag, size_t n) {
  size_t i = 0, k = 0;
  while (i < n && (is_blank(tag[i]) || strchr("</`~", tag[i])) && tag[i]) {
    i++;
  }
  while (i + k < n && k + 1 < MOST_WORD && (tag[i + k] == '_' || (tag[i + k] | 0x20) >= 'a') &&
         (tag[i + k] == '_' || (tag[i + k] | 0x20) <= 'z')) {
    k++;
  }
  return k > 0 && is_in(CONTAINERS, tag + i, k);
}
