/*
** Two texts, parted by a NUL, for the guard of the semantic cache.
**
** Holds: nothing speaks against a text itself, and the verdict is the same whichever text is which.
*/
#include "fuzz.h"

#include "core/guard.h"

static int is_same(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n_asked, n;
  char *asked = take_text(&in, &n_asked), *known = take_rest(&in, &n);
  require(!guard_veto(asked, n_asked, asked, n_asked));
  require(!guard_veto(known, n, known, n));
  require(is_same(guard_veto(asked, n_asked, known, n), guard_veto(known, n, asked, n_asked)));
  free(asked);
  free(known);
  return 0;
}
