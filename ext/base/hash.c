/*
** XXH3-128 names. See hash.h for the contract.
*/
#include "base/hash.h"

#include <string.h>
#include <xxhash.h>

Hash hash_bytes(const void *data, size_t n, unsigned long long seed) {
  XXH128_canonical_t canonical;
  Hash h;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(data, n, seed));
  memcpy(h.b, canonical.digest, sizeof h.b);
  return h;
}

Hash hash_keyed(const Hash *h, unsigned long long seed) {
  return hash_bytes(h->b, sizeof h->b, seed);
}

Hash hash_text(const void *data, size_t n, unsigned long long seed) {
  Hash h = hash_bytes(data, n, 0);
  return hash_keyed(&h, seed);
}

static int digit_of(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hash_parse(const char *hex, Hash *h) {
  int bad = strlen(hex) != HASH_HEX_SIZE - 1;
  for (int i = 0; i < 16 && !bad; i++) {
    int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
    bad = high < 0 || low < 0;
    h->b[i] = (unsigned char)(bad ? 0 : high << 4 | low);
  }
  return !bad;
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
