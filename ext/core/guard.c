#include "core/guard.h"

const char *guard_veto(const char *asked, size_t n_asked, const char *known, size_t n_known) {
  (void)asked;
  (void)known;
  (void)n_asked;
  (void)n_known;
  return 0;
}
