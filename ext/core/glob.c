/*
** Name patterns over fnmatch(3). See glob.h for the contract.
*/
#include "glob.h"

#include "limits.h"

#include <fnmatch.h>
#include <string.h>

int glob_any(const char *patterns, const char *name) {
  char one[LIMIT_MODEL_NAME];
  int found = 0;
  for (const char *p = patterns ? patterns : ""; *p; p += strspn(p, " ")) {
    size_t n = strcspn(p, " ");
    int exclude = *p == '!';
    if (n - (size_t)exclude < sizeof one) {
      memcpy(one, p + exclude, n - (size_t)exclude);
      one[n - (size_t)exclude] = 0;
      if (fnmatch(one, name, FNM_NOESCAPE) == 0) {
        if (exclude) {
          return 0;
        }
        found = 1;
      }
    }
    p += n;
  }
  return found;
}
