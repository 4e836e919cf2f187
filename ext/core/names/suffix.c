/*
** Suffixes of model names. See suffix.h for the contract, sql/suffixes.tsv for the table.
**
** Read at first use (safe from any thread) into memory of its own, so that it can't fail.
*/
#include "core/names/suffix.h"

#include "base/limits.h"
#include "base/text/glob.h"
#include "base/tables/tsv.h"
#include "sql/sql_text.h"

#include <pthread.h>
#include <string.h>

enum { FIELDS = 4, MOST_SUFFIXES = 128 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static Suffix suffixes[MOST_SUFFIXES];
static int n_suffixes;

/* "service=fast" as what it means and its word. */
static void read_means(char *text, Suffix *s) {
  static const char *const words[] = {"same", "revision", "service", "seller"};
  char *equals = strchr(text, '=');
  s->word = equals ? equals + 1 : "";
  if (equals) {
    *equals = 0;
  }
  for (int i = 0; i < 4; i++) {
    s->means = strcmp(text, words[i]) == 0 ? (SuffixMeans)i : s->means;
  }
}

static void load(void) {
  static char text[16384];
  char *at = tsv_copy(sql_suffixes_tsv, text, sizeof text), *f[FIELDS];
  while (*at && n_suffixes < MOST_SUFFIXES) {
    if (tsv_row(&at, f, FIELDS) == FIELDS) {
      Suffix *s = &suffixes[n_suffixes++];
      *s = (Suffix){f[0], tsv_text(f[1]), SUFFIX_REVISION, ""};
      read_means(f[2], s);
    }
  }
}

/* Where a suffix of that pattern begins at the end of a name, or 0. */
static size_t begins_at(const Suffix *s, const char *name, size_t n) {
  char base[LIMIT_MODEL_NAME];
  for (size_t i = 1; i < n; i++) {
    if (strchr("-@:[", name[i]) && glob_any(s->pattern, name + i)) {
      memcpy(base, name, i);
      base[i] = 0;
      return !s->of[0] || glob_any(s->of, base) ? i : 0;
    }
  }
  return 0;
}

const Suffix *suffix_of(const char *name, size_t n, size_t *base) {
  char text[LIMIT_MODEL_NAME];
  pthread_once(&once, load);
  if (n >= sizeof text) {
    return NULL;
  }
  memcpy(text, name, n);
  text[n] = 0;
  for (int i = 0; i < n_suffixes; i++) {
    *base = begins_at(&suffixes[i], text, n);
    if (*base) {
      return &suffixes[i];
    }
  }
  return NULL;
}
