/*
** Texts cut into pieces and counted in tokens, by every rule and encoding. The first byte chooses how many
** pieces are asked for at once.
**
** Holds: pieces follow each other to the end of the text, the same whichever way they are asked for; ids
** and count agree, with a cache and without; there are no more of them than bytes (three for one that is no
** UTF-8), and they are of the encoding.
*/
#include "fuzz.h"

#include "base/text/text.h"

#include "core/tokens/encoding.h"
#include "core/tokens/pretokenize.h"

static void check_pieces(SplitRule rule, const char *text, size_t n, size_t at_once) {
  size_t *all = malloc((n + 1) * sizeof *all), some[16], seen = 0;
  require(all);
  size_t count = pretokenize(rule, text, n, n, 0, all, n + 1);
  require(count <= n && (n == 0 || all[count - 1] == n));
  for (size_t i = 0, from = 0; i < count; from = all[i++]) {
    require(all[i] > from);
  }
  for (size_t at = 0; at < n; at = all[seen - 1]) {
    size_t more = pretokenize(rule, text, n, n, at, some, at_once);
    require(more > 0 && more <= at_once && seen + more <= count);
    require(memcmp(some, all + seen, more * sizeof *all) == 0);
    seen += more;
  }
  free(all);
}

static void check_tokens(Encoding e, const char *text, size_t n) {
  static const uint32_t ranks[ENCODING_COUNT] = {199998, 100256, 50281, 50256};
  static EncodingCache cache;
  uint32_t *ids = NULL;
  long long count = encoding_encode(e, text, n, &ids);
  require(count >= (n > 0) && count <= 3 * (long long)n);
  require(encoding_count(e, text, n, &cache) == count);
  require(encoding_count(e, text, n, NULL) == count);
  for (long long i = 0; i < count; i++) {
    require(ids[i] < ranks[e]);
  }
  free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t at_once = 1 + take_byte(&in) % 16, n;
  char *text = take_rest(&in, &n);
  Buf valid;
  buf_init(&valid, 1 << 20);
  require(text_replace_invalid(text, n, &valid) == RC_OK);
  char *exact = malloc(valid.n ? valid.n : 1);
  require(exact);
  if (valid.n > 0) {
    memcpy(exact, valid.data, valid.n);
  }
  for (SplitRule rule = SPLIT_GPT2; rule <= SPLIT_O200K; rule++) {
    check_pieces(rule, exact, valid.n, at_once);
  }
  for (Encoding e = 0; e < ENCODING_COUNT; e++) {
    check_tokens(e, text, n);
  }
  free(exact);
  buf_free(&valid);
  free(text);
  return 0;
}
