/*
** XXH3-128 names. See hash.h for the contract.
*/
#include "hash.h"

#include <string.h>
#include <xxhash.h>

Hash hash_bytes(const void *data, size_t n, unsigned long long seed) {
  XXH128_canonical_t canonical;
  Hash h;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(data, n, seed));
  memcpy(h.b, canonical.digest, sizeof h.b);
  return h;
}

void hash_hex(const Hash *h, char out[HASH_HEX_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  for (int i = 0; i < 16; i++) {
    out[2 * i] = digits[h->b[i] >> 4];
    out[2 * i + 1] = digits[h->b[i] & 15];
  }
  out[32] = 0;
}

unsigned long long hash_short(const void *data, size_t n) {
  return XXH3_64bits(data, n);
}
