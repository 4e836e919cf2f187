/*
** Token ids of texts, for comparison with the official tokenizers. Usage: token_lines ENCODING < RECORDS
** A record is a u32 length and its bytes; for each, the number of ids and the ids, all u32 of
** this machine's byte order, go to the standard output.
*/
#include "core/tokens/encoding.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  int e = argc > 1 ? encoding_parse(argv[1]) : -1;
  static EncodingCache cache;
  uint32_t n;
  while (e >= 0 && fread(&n, sizeof n, 1, stdin) == 1) {
    uint32_t *ids = NULL;
    char *text = malloc((size_t)n + 1);
    if (!text || fread(text, 1, n, stdin) != n) {
      return 1;
    }
    long long count = encoding_encode((Encoding)e, text, n, &ids);
    if (count < 0 || count != encoding_count((Encoding)e, text, n, &cache)) {
      fprintf(stderr, "token_lines: %lld ids, but counted otherwise\n", count);
      return 1;
    }
    uint32_t n_ids = (uint32_t)count;
    fwrite(&n_ids, sizeof n_ids, 1, stdout);
    fwrite(ids, sizeof *ids, n_ids, stdout);
    free(ids);
    free(text);
  }
  return e < 0;
}
