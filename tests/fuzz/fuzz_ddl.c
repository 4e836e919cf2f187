/*
** The text of a row of sqlite_schema.
**
** Holds: words lie in the text, one after the other; the normal form is not longer and is a fixed point;
** and what is called a plain name is one.
*/
#include "fuzz.h"

#include "base/ddl.h"

static void check_words(const char *text, size_t n) {
  Ddl d;
  const char *word, *last = text;
  size_t length;
  char shown[64];
  ddl_start(&d, text, n);
  require(ddl_kind_name(d.kind)[0]);
  require(d.n_name == 0 || (d.name >= text && d.name + d.n_name <= text + n));
  int is_plain = ddl_show_name(d.name, d.n_name, shown, sizeof shown);
  require(strlen(shown) < sizeof shown && is_utf8(shown));
  require(!is_plain || (strlen(shown) == d.n_name && memcmp(shown, d.name, d.n_name) == 0));
  require(!is_plain || !strpbrk(shown, "\"'`[];\n"));
  while (ddl_next_word(&d, &word, &length)) {
    require(length > 0 && word >= last && word + length <= text + n);
    last = word + length;
    ddl_is_string(&d);
    ddl_is_plain_call(&d);
    require(ddl_is_name(word, length, "llm_complete") == 0 || length == 12);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size ? size : 1), *once = malloc(size + 1);
  require(text && once);
  if (size > 0) {
    memcpy(text, data, size);
  }
  check_words(text, size);
  ddl_normalize(text, size, once);
  size_t n = strlen(once);
  char *twice = malloc(n + 1);
  require(twice && n <= size);
  ddl_normalize(once, n, twice);
  require(strcmp(once, twice) == 0);
  free(text);
  free(once);
  free(twice);
  return 0;
}
