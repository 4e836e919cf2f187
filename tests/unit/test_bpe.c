/*
** Splitting, merging and vocabularies: ids that npm tiktoken 1.0.22 gives, the rule done literally,
** long pieces, what is not UTF-8, and files that are not vocabularies.
*/
#include "base/text/text.h"
#include "unit.h"

#include "core/tokens/bpe.h"
#include "core/tokens/encoding.h"
#include "core/tokens/pretokenize.h"

static EncodingCache cache;

static const struct {
  const char *text;
  uint32_t ids[ENCODING_COUNT][16]; /* how many, and they */
} known[] = {
    {"Hello world", {{2, 13225, 2375}, {2, 9906, 1917}, {2, 15496, 995}, {2, 15496, 995}}},
    {"I'm sure they'LL've  gone\n\n  home.",
     {{12, 15390, 3239, 1023, 6, 7454, 7341, 220, 12299, 279, 220, 2237, 13},
      {13, 40, 2846, 2771, 814, 6, 4178, 3077, 220, 8208, 271, 220, 2162, 13},
      {13, 40, 1101, 1654, 484, 6, 3069, 1053, 220, 3750, 628, 220, 1363, 13},
      {13, 40, 1101, 1654, 484, 6, 3069, 1053, 220, 3750, 628, 220, 1363, 13}}},
    {"McDonald'S HTTPServer fooBAR",
     {{7, 41691, 38355, 31233, 21929, 6444, 30551, 61560},
      {7, 26353, 18735, 13575, 10339, 5592, 15586, 34165},
      {9, 9742, 7371, 6, 50, 38288, 18497, 22944, 33, 1503},
      {9, 9742, 7371, 6, 50, 38288, 18497, 22944, 33, 1503}}},
    {"12345678",
     {{3, 7633, 19354, 4388},
      {3, 4513, 10961, 2495},
      {3, 10163, 2231, 30924},
      {3, 10163, 2231, 30924}}},
    {"na\xc3"
     "\xaf"
     "ve e\xcc"
     "\x81"
     "te\xcc"
     "\x81"
     "",
     {{7, 1503, 9954, 737, 319, 13430, 411, 13430},
      {7, 3458, 38672, 588, 384, 54939, 668, 54939},
      {8, 2616, 38776, 304, 136, 223, 660, 136, 223},
      {8, 2616, 38776, 304, 136, 223, 660, 136, 223}}},
    {"\xe4"
     "\xb8"
     "\xad"
     "\xe6"
     "\x96"
     "\x87"
     "\xe5"
     "\xad"
     "\x97"
     "\xe3"
     "\x81"
     "\x82"
     "ABC",
     {{3, 192789, 10294, 44197},
      {4, 16325, 88435, 30591, 26484},
      {7, 40792, 23877, 229, 27764, 245, 40948, 24694},
      {7, 40792, 23877, 229, 27764, 245, 40948, 24694}}},
    {"\xf0"
     "\x9f"
     "\x91"
     "\xa9"
     "\xe2"
     "\x80"
     "\x8d"
     "\xf0"
     "\x9f"
     "\x9a"
     "\x80"
     " ok",
     {{6, 28823, 102, 2524, 112927, 222, 4763},
      {9, 9468, 239, 102, 378, 235, 9468, 248, 222, 5509},
      {8, 41840, 102, 447, 235, 8582, 248, 222, 12876},
      {8, 41840, 102, 447, 235, 8582, 248, 222, 12876}}},
    {" \t\n  x",
     {{3, 43220, 220, 1215},
      {3, 17934, 220, 865},
      {5, 220, 197, 198, 220, 2124},
      {5, 220, 197, 198, 220, 2124}}},
    {"x'\xc5"
     "\xbf"
     " \xc2"
     "\x85"
     "y\xef"
     "\xbb"
     "\xbf"
     "",
     {{8, 87, 6, 70067, 220, 126, 227, 88, 5574},
      {9, 87, 6, 129, 123, 220, 126, 227, 88, 3305},
      {11, 87, 6, 129, 123, 220, 126, 227, 88, 171, 119, 123},
      {11, 87, 6, 129, 123, 220, 126, 227, 88, 171, 119, 123}}},
    {"<|endoftext|>",
     {{7, 27, 91, 419, 1440, 919, 91, 29},
      {7, 27, 91, 8862, 728, 428, 91, 29},
      {7, 27, 91, 437, 1659, 5239, 91, 29},
      {7, 27, 91, 437, 1659, 5239, 91, 29}}},
    {"a//\n/b",
     {{4, 64, 22704, 14, 65},
      {3, 64, 2341, 3554},
      {5, 64, 1003, 198, 14, 65},
      {5, 64, 1003, 198, 14, 65}}},
    {"\xe0"
     "\xa4"
     "\xa8"
     "\xe0"
     "\xa4"
     "\xae"
     "\xe0"
     "\xa4"
     "\xb8"
     "\xe0"
     "\xa5"
     "\x8d"
     "\xe0"
     "\xa4"
     "\xa4"
     "\xe0"
     "\xa5"
     "\x87"
     "",
     {{4, 998, 1637, 14681, 628},
      {6, 61196, 88344, 79468, 31584, 97, 35470},
      {12, 11976, 101, 11976, 106, 11976, 116, 24231, 235, 11976, 97, 24231, 229},
      {12, 11976, 101, 11976, 106, 11976, 116, 24231, 235, 11976, 97, 24231, 229}}},
};

static void test_known_ids(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(known); i++) {
    for (int e = 0; e < ENCODING_COUNT; e++) {
      uint32_t *ids = NULL;
      const uint32_t *expected = known[i].ids[e];
      long long n = encoding_encode((Encoding)e, known[i].text, strlen(known[i].text), &ids);
      check(n == expected[0], "%s: %s: %lld", encoding_name((Encoding)e), known[i].text, n);
      for (long long k = 0; k < n; k++) {
        check(ids[k] == expected[k + 1], "%s: %s: id %lld is %u", encoding_name((Encoding)e),
              known[i].text, k, ids[k]);
      }
      for (int again = 0; again < 3; again++) { /* without a cache, into it, out of it */
        long long count = encoding_count((Encoding)e, known[i].text, strlen(known[i].text),
                                         again ? &cache : NULL);
        check(count == n, "%s", known[i].text);
      }
      free(ids);
    }
  }
  assert_int_equal(encoding_count(ENCODING_O200K, "", 0, NULL), 0);
}

/* Counts of one piece repeated, npm tiktoken's. A megabyte of each must end too. */
static void test_repeated(void **state) {
  static const struct {
    const char *piece;
    size_t bytes;
    long long tokens[ENCODING_COUNT];
  } cases[] = {
      {"a", 5000, {625, 625, 1250, 1250}},
      {" ", 20000, {157, 157, 1250, 20000}},
      {"\n", 20000, {1250, 625, 10000, 10000}},
      {"ab", 10000, {2500, 5000, 5000, 5000}},
      {"7", 5000, {1667, 1667, 2500, 2500}},
      {"\xF0\x9F\x98\x80", 20000, {5000, 10000, 10000, 10000}},
  };
  size_t most = 1 << 20;
  char *text = malloc(most);
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t length = strlen(cases[i].piece);
    for (size_t k = 0; k < most; k++) {
      text[k] = cases[i].piece[k % length];
    }
    for (int e = 0; e < ENCODING_COUNT; e++) {
      long long tokens = encoding_count((Encoding)e, text, cases[i].bytes, NULL);
      check(tokens == cases[i].tokens[e], "%s: '%s': %lld", encoding_name((Encoding)e),
            cases[i].piece, tokens);
      size_t n = e == ENCODING_O200K ? most : most / 16;
      long long all = encoding_count((Encoding)e, text, n, &cache);
      check(all > 0 && all <= (long long)n, "%s: '%s': %lld", encoding_name((Encoding)e),
            cases[i].piece, all);
    }
  }
  free(text);
}

/* What is not UTF-8 counts as the U+FFFD that a browser would make of it. */
static void test_not_utf8(void **state) {
  static const struct {
    const char *text, *sent;
  } cases[] = {
      {"a\xFF", "a\uFFFD"},
      {"\x80\x80", "\uFFFD\uFFFD"},
      {"\xE4\xB8", "\uFFFD"},
      {"\xE4\xB8 x", "\uFFFD x"},
      {"\xF0\x9F\x98", "\uFFFD"},
      {"\xF0\x9F\x98\xF0\x9F\x98\x80", "\uFFFD\U0001F600"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xC0\xAF", "\uFFFD\uFFFD"},
      {"\xE0\x80\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"\xF5\xC2", "\uFFFD\uFFFD"},
      {"ok \xC3", "ok \uFFFD"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t n = strlen(cases[i].text);
    char *exact = malloc(n); /* nothing behind it */
    Buf out;
    memcpy(exact, cases[i].text, n);
    buf_init(&out, 1000);
    assert_int_equal(text_replace_invalid(exact, n, &out), RC_OK);
    check(strcmp(out.data, cases[i].sent) == 0, "case %zu: %s", i, out.data);
    for (int e = 0; e < ENCODING_COUNT; e++) {
      check(encoding_count((Encoding)e, exact, n, &cache) ==
                encoding_count((Encoding)e, cases[i].sent, strlen(cases[i].sent), NULL),
            "case %zu", i);
    }
    buf_free(&out);
    free(exact);
  }
}

/* The pieces cover the text without gaps, in whatever batches they are asked for. */
static void test_pieces(void **state) {
  static const char text[] =
      "It's  a \u00e9t\u00e9!\r\n\r\n  fooBAR'LL 12345 \u4e2d\u6587 --//\n\n\t x ";
  size_t n = sizeof text - 1;
  (void)state;
  for (int rule = SPLIT_GPT2; rule <= SPLIT_O200K; rule++) {
    size_t all[64], count = pretokenize((SplitRule)rule, text, n, n, 0, all, COUNT(all)), at = 0;
    assert_in_range(count, 10, 40);
    assert_int_equal(all[count - 1], n);
    for (size_t i = 0; i < count; i++) {
      size_t end;
      check(all[i] > at, "piece %zu of rule %d is empty", i, rule);
      assert_int_equal(pretokenize((SplitRule)rule, text, n, n, at, &end, 1), 1);
      check(end == all[i], "piece %zu of rule %d ends at %zu", i, rule, end);
      at = end;
    }
    assert_int_equal(pretokenize((SplitRule)rule, text, n, n, n, all, 1), 0);
  }
}

/* Pieces whose ids would not show it if they were split otherwise. */
static void test_rare_contractions(void **state) {
  static const char text[] = "x'\u017Fabc'RE";
  static const size_t expected[][5] = {{1, 2, 7, 8, 10}, {1, 4, 7, 10}, {4, 10}}; /* by rule */
  size_t ends[8];
  (void)state;
  for (int rule = SPLIT_GPT2; rule <= SPLIT_O200K; rule++) {
    size_t n = sizeof text - 1, count = pretokenize((SplitRule)rule, text, n, n, 0, ends, 8);
    for (size_t i = 0; i < count && i < 5; i++) {
      check(ends[i] == expected[rule][i], "rule %d, piece %zu ends at %zu", rule, i, ends[i]);
    }
    assert_int_equal(ends[count - 1], n);
  }
}

/* ---- small vocabularies */

typedef struct File {
  unsigned char bytes[4096];
  size_t n, bit;
} File;

static void put_bits(File *f, uint32_t value, unsigned width) {
  for (unsigned i = 0; i < width; i++, f->bit++) {
    size_t at = 276 + f->bit / 8;
    f->bytes[at] = (unsigned char)(f->bytes[at] | (value >> i & 1) << (f->bit % 8));
    f->n = at + 1;
  }
}

static void put_u32(File *f, size_t at, uint32_t value) {
  for (int i = 0; i < 4; i++) {
    f->bytes[at + (size_t)i] = (unsigned char)(value >> (8 * i));
  }
}

/* One more token, spelled out. */
static void add_spelled(File *f, uint32_t rank, const char *token, uint32_t total) {
  put_bits(f, rank, 32 - (unsigned)__builtin_clz(rank));
  put_bits(f, (uint32_t)strlen(token), 8);
  for (const char *p = token; *p; p++) {
    put_bits(f, (unsigned char)*p, 8);
  }
  put_u32(f, 8, rank + 1);
  put_u32(f, 12, total);
  put_u32(f, 16, (uint32_t)(f->n - 276));
}

/* A vocabulary of the bytes and n merges of two ranks each; `total` bytes in all tokens. */
static void make_file(File *f, const uint32_t (*merges)[2], uint32_t n, uint32_t total) {
  memset(f, 0, sizeof *f);
  memcpy(f->bytes, "LCBPE001", 8);
  for (int i = 0; i < 256; i++) {
    f->bytes[20 + i] = (unsigned char)i;
  }
  f->n = 276;
  for (uint32_t i = 0; i < n; i++) {
    unsigned width = 32 - (unsigned)__builtin_clz(256 + i);
    put_bits(f, merges[i][0], width);
    put_bits(f, merges[i][1], width);
  }
  put_u32(f, 8, 256 + n);
  put_u32(f, 12, total);
  put_u32(f, 16, (uint32_t)(f->n - 276));
}

/* The rule, literally: join the lowest pair, the leftmost of equals, as long as there is one. */
static size_t merge_literally(const Bpe *bpe, const unsigned char *p, size_t n, uint32_t *ranks) {
  size_t start[512], parts = n;
  for (size_t i = 0; i <= n; i++) {
    start[i] = i;
  }
  for (;;) {
    uint32_t best = RANK_NONE;
    size_t at = 0;
    for (size_t i = 0; i + 1 < parts; i++) {
      uint32_t rank =
          ranks_find(bpe->vocabulary, p + start[i], start[i + 2] - start[i], n - start[i]);
      if (rank < best && rank < bpe->limit) {
        best = rank;
        at = i;
      }
    }
    if (best == RANK_NONE) {
      break;
    }
    memmove(start + at + 1, start + at + 2, (parts - at - 1) * sizeof *start);
    parts--;
  }
  for (size_t i = 0; i < parts; i++) {
    ranks[i] = ranks_find(bpe->vocabulary, p + start[i], start[i + 1] - start[i], n - start[i]);
  }
  return parts;
}

static void check_merging(const Bpe *bpe, const unsigned char *p, size_t n) {
  uint32_t expected[512], ranks[512];
  size_t parts = merge_literally(bpe, p, n, expected);
  size_t count = bpe_merge(bpe, p, n, n, ranks);
  check(count == parts && memcmp(ranks, expected, parts * sizeof *ranks) == 0,
        "%zu bytes from '%.20s': %zu tokens, literally %zu", n, (const char *)p, count, parts);
  assert_int_equal(bpe_merge(bpe, p, n, n, NULL), parts);
}

static unsigned long long random_state = 88172645463325252ULL;

static unsigned pick(unsigned n) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33) % n;
}

/* Long pieces of few letters over a vocabulary where merges compete, and with a token that merging
** never makes. */
static void test_merging_equals_the_rule(void **state) {
  static const uint32_t merges[][2] = {{'a', 'b'}, {'a', 'a'}, {256, 'a'}, {'b', 256},
                                       {'a', 256}, {256, 256}, {'b', 'b'}, {257, 257}};
  File f;
  Ranks v;
  (void)state;
  make_file(&f, merges, COUNT(merges), 256 + 2 + 2 + 3 + 3 + 3 + 4 + 2 + 4);
  add_spelled(&f, 256 + COUNT(merges), "cac", 256 + 23 + 3);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 1);
  Bpe all = {&v, UINT32_MAX}, some = {&v, 260};
  const unsigned char *cac = (const unsigned char *)"cac";
  assert_int_equal(bpe_encode(&all, cac, 3, 3, NULL), 1);
  assert_int_equal(bpe_encode(&some, cac, 3, 3, NULL), 3);
  assert_int_equal(bpe_merge(&all, cac, 3, 3, NULL), 3);
  for (int round = 0; round < 1500; round++) {
    size_t n = 1 + pick(400);
    unsigned char *p = malloc(n);
    for (size_t i = 0; i < n; i++) {
      p[i] = (unsigned char)("aaabbac"[pick(round % 3 ? 5 : 7)]);
    }
    check_merging(&all, p, n);
    check_merging(&some, p, n);
    free(p);
  }
  ranks_free(&v);
}

/* A file that spells out a token because merging never makes it, when it does: there is no right answer, but
** one that is as long as the text at most, and all of the vocabulary. */
static void test_a_merge_that_is_denied(void **state) {
  unsigned char text[40];
  uint32_t ranks[40];
  File f;
  Ranks v;
  (void)state;
  make_file(&f, NULL, 0, 256);
  add_spelled(&f, 256, "cc", 256 + 2);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 1);
  Bpe all = {&v, UINT32_MAX};
  memset(text, 'c', sizeof text);
  assert_int_equal(bpe_merge(&all, text, sizeof text, sizeof text, ranks), sizeof text);
  for (size_t i = 0; i < sizeof text; i++) {
    assert_int_equal(ranks[i], 'c');
  }
  assert_int_equal(bpe_merge(&all, text, sizeof text, sizeof text, NULL), sizeof text);
  ranks_free(&v);
}

/* A file is refused as a whole if anything in it can't be. */
static void test_hostile_files(void **state) {
  static const uint32_t good[][2] = {{'a', 'b'}, {256, 'c'}};
  static const uint32_t twice[][2] = {{'a', 'b'}, {'a', 'b'}};
  static const uint32_t ahead[][2] = {{'a', 'b'}, {300, 'c'}};
  File f;
  Ranks v;
  (void)state;
  make_file(&f, good, 2, 256 + 2 + 3);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 1);
  assert_int_equal(ranks_find(&v, (const unsigned char *)"abc", 3, 3), 257);
  assert_true(ranks_find(&v, (const unsigned char *)"abd", 3, 3) == RANK_NONE);
  ranks_free(&v);
  for (size_t n = 0; n < f.n; n++) {
    unsigned char *exact = malloc(n + (n == 0));
    memcpy(exact, f.bytes, n);
    check(ranks_read(&v, exact, n) == 0, "the first %zu bytes are no vocabulary", n);
    free(exact);
  }
  make_file(&f, good, 2, 256 + 2 + 4); /* more bytes promised than there are */
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  make_file(&f, good, 2, 256 + 2 + 2); /* fewer */
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  make_file(&f, twice, 2, 256 + 2 + 2);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  make_file(&f, ahead, 2, 256 + 2 + 3);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  make_file(&f, good, 2, 256 + 2 + 3);
  put_u32(&f, 8, 0xFFFFFFFF);
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  make_file(&f, good, 2, 256 + 2 + 3);
  f.bytes[20] = 1; /* one byte twice */
  assert_int_equal(ranks_read(&v, f.bytes, f.n), 0);
  ranks_free(&v); /* zeros by now */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_ids),
      cmocka_unit_test(test_repeated),
      cmocka_unit_test(test_not_utf8),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_rare_contractions),
      cmocka_unit_test(test_merging_equals_the_rule),
      cmocka_unit_test(test_a_merge_that_is_denied),
      cmocka_unit_test(test_hostile_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
