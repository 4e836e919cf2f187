/*
** 128-bit names of texts and requests (XXH3-128, https://xxhash.com).
*/
#ifndef LLMCOST_HASH_H
#define LLMCOST_HASH_H

#include <stddef.h>

typedef struct Hash {
  unsigned char b[16]; /* XXH3's canonical (big-endian) byte order */
} Hash;

#define HASH_HEX_SIZE 33

/* The hash of n bytes. Texts are named with seed 0; a store's cache keys use the store's own
** secret seed, so that nobody can prepare two requests that collide. */
Hash hash_bytes(const void *data, size_t n, unsigned long long seed);

/* Writes the 32 lower-case hex digits and a NUL. */
void hash_hex(const Hash *h, char out[HASH_HEX_SIZE]);

/* A quick 64-bit hash, for tables in memory. */
unsigned long long hash_short(const void *data, size_t n);

#endif
