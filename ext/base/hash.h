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

/* The hash of n bytes. A store's cache keys use the store's own secret seed, so that nobody can prepare two
** requests that collide. */
Hash hash_bytes(const void *data, size_t n, unsigned long long seed);

/* The name of a text in a store: the hash, keyed with the store's seed, of its hash with seed 0. Without
** the seed nobody can tell from a name (in an export of the ledger, say) whether it is that of a text he
** guesses. In two steps, so that stores which named texts with seed 0 are brought over by hash_keyed. */
Hash hash_text(const void *data, size_t n, unsigned long long seed);
Hash hash_keyed(const Hash *h, unsigned long long seed);

/* Writes the 32 lower-case hex digits and a NUL. */
void hash_hex(const Hash *h, char out[HASH_HEX_SIZE]);

/* Reads what hash_hex wrote: 1, or 0 where the text is nothing of the kind. */
int hash_parse(const char *hex, Hash *h);

/* A quick 64-bit hash, for tables in memory. */
unsigned long long hash_short(const void *data, size_t n);

#endif
