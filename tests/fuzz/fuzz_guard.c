/*
** Two texts, parted by a NUL, for the guard of the semantic cache.
**
** Holds: nothing speaks against a text itself, and the verdict is the same whichever text is which.
*/
#include "fuzz.h"

#include "core/guard/guard.h"

static int is_same(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *veto(const char *asked, size_t n_asked, const char *known, size_t n_known) {
  Err err = {0};
  const char *word = guard_veto(asked, n_asked, known, n_known, &err);
  require(err.rc == RC_OK);
  return word;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n_asked, n;
  char *asked = take_text(&in, &n_asked), *known = take_rest(&in, &n);
  require(!veto(asked, n_asked, asked, n_asked));
  require(!veto(known, n, known, n));
  require(is_same(veto(asked, n_asked, known, n), veto(known, n, asked, n_asked)));
  free(asked);
  free(known);
  return 0;
}
