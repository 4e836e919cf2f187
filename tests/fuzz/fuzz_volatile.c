/*
** Volatile questions, of any bytes.
**
** Holds: the words that decided are told where something did, in UTF-8 and within their place; what stands in a quotation
** behind a colon is not asked.
*/
#include "fuzz.h"

#include "base/utf8.h"
#include "core/volatile/volatile.h"

static void check_quoted(const char *text, size_t n) {
  static const char open[] = "Fix: \"", close[] = "\"";
  enum { OPEN = sizeof open - 1, MOST = 900 };
  char quoted[OPEN + MOST + 1];
  if (n > MOST || memchr(text, '"', n)) {
    return;
  }
  memcpy(quoted, open, OPEN);
  memcpy(quoted + OPEN, text, n);
  quoted[OPEN + n] = close[0];
  require(volatile_kind(quoted, OPEN + n + 1, NULL) == VOLATILE_NO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char word[VOLATILE_WORD], *text = malloc(size ? size : 1);
  size_t bad_at;
  require(text);
  if (size > 0) {
    memcpy(text, data, size);
  }
  memset(word, '!', sizeof word);
  Volatile kind = volatile_kind(text, size, word);
  require(memchr(word, 0, sizeof word) != NULL);
  require((word[0] != 0) == (kind != VOLATILE_NO));
  require(utf8_is_valid(word, strlen(word), &bad_at));
  require(volatile_kind(text, size, NULL) == kind);
  check_quoted(text, size);
  free(text);
  return 0;
}
