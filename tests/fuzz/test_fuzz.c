/*
** Mutated inputs through every parser that reads what others wrote: provider answers, errors, usage
** objects, price lists, schemas, options, messages, addresses, texts. Under the sanitizers, with a fixed seed, so a
** failure comes back; FUZZ_ROUNDS in the environment runs it longer.
**
** What is checked besides not crashing: an accepted text stays valid UTF-8, normal form is a fixed
** point, an accepted address has a host, and an accepted usage has no negative count.
*/
#include "../unit/unit.h"

#include "core/bpe.h"
#include "core/encoding.h"
#include "core/hosts.h"
#include "core/options.h"
#include "core/price.h"
#include "core/price_import.h"
#include "core/request.h"
#include "core/schema.h"
#include "core/text.h"
#include "core/usage.h"
#include "net/provider.h"

#include <stdlib.h>

static const char *const corpus[] = {
    "{\"id\":\"c\",\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"finish_reason\":\"stop\","
    "\"message\":"
    "{\"role\":\"assistant\",\"content\":\"h\\u00e9llo \\ud83d\\ude00 "
    "\\u0000\",\"refusal\":null}}],\"usage\":"
    "{\"prompt_tokens\":20,\"completion_tokens\":3,\"total_tokens\":23,\"prompt_tokens_details\":"
    "{\"cached_tokens\":10,\"cache_write_tokens\":2},\"cost\":0.001}}",
    "{\"type\":\"message\",\"model\":\"claude\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{"
    "\"type\":\"x\"}],"
    "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":21,\"output_tokens\":3,"
    "\"cache_creation_input_tokens\":9,\"cache_read_input_tokens\":null,\"cache_creation\":"
    "{\"ephemeral_5m_input_tokens\":4,\"ephemeral_1h_input_tokens\":5}}}",
    "[{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\",\"details\":[]}}"
    "]",
    "{\"model\":\"claude\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2,\"speed\":\"fast\","
    "\"inference_geo\":\"us\",\"iterations\":[{\"model\":\"a\",\"input_tokens\":1,\"output_"
    "tokens\":2},"
    "{\"model\":null,\"output_tokens\":0}]}}",
    "{\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":8,\"thoughtsTokenCount\":"
    "7,"
    "\"totalTokenCount\":24,\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":4},"
    "{\"modality\":\"TEXT\",\"tokenCount\":5}],\"trafficType\":\"ON_DEMAND\"},\"modelVersion\":"
    "\"g\"}",
    "[{\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}},"
    "{\"usage\":{\"output_tokens\":9}}]",
    "{\"input\":100,\"cache_read\":5,\"output\":3,\"web_search\":1,\"service\":\"flex\",\"geo\":"
    "\"us\"}",
    "[{\"id\":\"openai\",\"models\":[{\"id\":\"m\",\"match\":{\"or\":[{\"equals\":\"m\"},{"
    "\"regex\":"
    "\"^m-\\\\d{4}$\"}]},\"prices\":[{\"prices\":{\"input_mtok\":{\"base\":1,\"tiers\":[{\"start\":"
    "9,\"price\":2}]},"
    "\"cache_audio_read_mtok\":3}},{\"constraint\":{\"start_time\":\"00:30:00Z\",\"end_time\":\"16:"
    "30:00Z\"},"
    "\"prices\":{}},{\"constraint\":{\"start_date\":\"2026-01-01\"},\"prices\":{\"output_mtok\":4}}"
    "]}]}]",
    "{\"gpt\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1e-06,"
    "\"input_cost_per_token_above_200k_tokens_priority\":2e-06,\"tiered_pricing\":[{\"range\":[0,9]"
    ","
    "\"output_cost_per_token\":1e-06}],\"search_context_cost_per_query\":{\"low\":0.01}}}",
    "{\"detail\":[{\"msg\":\"field required\",\"loc\":[\"body\"]}]}",
    "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
    "d\"},\"b\":{\"enum\":[1,\"x\",null]},\"c\":"
    "{\"type\":\"string\",\"pattern\":\"^a+$\",\"maxLength\":4}},\"required\":[\"a\"],"
    "\"additionalProperties\":"
    "false,\"$defs\":{\"d\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":2},{\"type\":\"array\","
    "\"items\":true}]}}}",
    "{\"model\":\"gpt-4o\",\"max_tokens\":5,\"stop\":[\"a\"],\"ttl\":\"7d\",\"cache\":\"off\","
    "\"schema\":{}}",
    "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"u\"},{\"role\":"
    "\"assistant\","
    "\"content\":\"a\"},{\"role\":\"user\",\"content\":\"q\"}]",
    "https://api.openai.com:443/v1/path",
    "http://[::1]:11434/v1",
    "  caf\xC3\xA9 e\xCC\x81 \xC2\xA0 x\r\n\r\n\ty\xE2\x80\x8B \xF0\x9F\x98\x80  ",
};
enum { CORPUS = sizeof corpus / sizeof corpus[0], MOST = 4096 };

static unsigned long long state_of_random = 0x9E3779B97F4A7C15ULL;

static unsigned pick(unsigned n) {
  state_of_random ^= state_of_random << 13;
  state_of_random ^= state_of_random >> 7;
  state_of_random ^= state_of_random << 17;
  return (unsigned)(state_of_random >> 33) % n;
}

/* One change: a byte, a token, a piece removed, repeated, or taken from another text. */
static size_t mutate(char *text, size_t n) {
  static const char *const tokens[] = {"\"",
                                       "{",
                                       "}",
                                       "[",
                                       "]",
                                       ":",
                                       ",",
                                       "null",
                                       "true",
                                       "-1",
                                       "1e99",
                                       "0.5",
                                       "\\u0000",
                                       "\\ud800",
                                       "\xFF",
                                       "\xC0\x80",
                                       "9007199254740993"};
  size_t at = n ? pick((unsigned)n) : 0;
  const char *piece = tokens[pick(sizeof tokens / sizeof tokens[0])];
  size_t len = strlen(piece);
  switch (pick(5)) {
  case 0:
    if (n) {
      text[at] = (char)pick(256);
    }
    return n;
  case 1: /* cut a piece out */
    len = n - at ? pick((unsigned)(n - at)) : 0;
    memmove(text + at, text + at + len, n - at - len);
    return n - len;
  case 2: /* a piece of another text */
    piece = corpus[pick(CORPUS)];
    len = pick(40);
    len = len < strlen(piece) ? len : strlen(piece);
    break;
  case 3: /* again */
    piece = text + at;
    len = (n - at) < 30 ? n - at : 30;
    break;
  default:
    break;
  }
  if (n + len < MOST) {
    char copy[64];
    memcpy(copy, piece, len);
    memmove(text + at + len, text + at, n - at);
    memcpy(text + at, copy, len);
    n += len;
  }
  return n;
}

static void check_usage(const Usage *u) {
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    assert_true(usage_get(u, unit) >= USAGE_UNKNOWN);
  }
}

static void read_answers(const char *text, size_t n) {
  static const char *const apis[] = {"openai", "anthropic"};
  Err err = {0};
  Failure failure;
  long status;
  provider_read_failure(text, n, &failure);
  cJSON *tree = json_parse(text, n, "the answer", &err);
  for (int i = 0; tree && i < 2; i++) {
    Reply reply = {0};
    Err bad = {0};
    provider_is_failure(tree, &status);
    provider_api(apis[i])->parse(tree, &reply, &bad);
    provider_read_usage(tree, apis[i], &reply);
    check_usage(&reply.usage);
    reply_free(&reply);
  }
  cJSON_Delete(tree);
}

static const Vendor *some_vendor(void) {
  static const char *const words[] = {"openai", "anthropic", "google", "aws", "perplexity", "x-ai"};
  return pick(3) ? vendor_by_word(words[pick(6)]) : NULL;
}

/* A usage that was read has a cost that is not negative, or a reason why it has none. */
static void read_usage(const char *text, size_t n) {
  Err err = {0};
  Usage u;
  UsagePart *parts = NULL;
  int n_parts;
  cJSON *tree = json_parse(text, n, "the usage", &err);
  if (tree && usage_read(tree, some_vendor(), NULL, &u, &err) == RC_OK) {
    PriceSet set = {.priced = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT) |
                              UNIT_BIT(UNIT_CACHE_READ) | UNIT_BIT(UNIT_INPUT_AUDIO)};
    Cost cost;
    char why[200] = "";
    for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
      set.pusd[unit] = 1000000000000;
      set.factor[unit] = BOOK_FACTOR_ONE;
    }
    check_usage(&u);
    int priced = price_cost(&set, &u, &cost, why, sizeof why);
    assert_true(priced == 1 ? cost_nusd(cost) >= 0 : why[0] != 0);
    cJSON_Delete(usage_json(&u));
  }
  if (tree) {
    Usage whole;
    if (usage_read_all(tree, some_vendor(), NULL, &whole, &parts, &n_parts, &err) == RC_OK) {
      cJSON_Delete(usage_parts_json(&whole, parts, n_parts));
      free(parts);
    }
  }
  cJSON_Delete(tree);
}

static void read_price_list(const char *text, size_t n) {
  Err err = {0};
  PriceImport import;
  cJSON *tree = json_parse(text, n, "the price list", &err);
  if (tree && price_import(tree, &import, &err) == RC_OK) {
    for (int i = 0; i < import.book.models.n; i++) {
      const PriceModel *m = &import.book.models.at[i];
      assert_true(m->n > 0 && m->rows[0].pusd >= 0);
      book_find(&import.book, (Seller){some_vendor(), m->provider}, m->name);
    }
    cJSON_Delete(import.left_out);
    book_free(&import.book);
  }
  cJSON_Delete(tree);
}

static void read_schema(const char *text, size_t n) {
  Err err = {0};
  cJSON *schema = json_parse(text, n, "the schema", &err);
  if (schema && schema_check(schema, &err) == RC_OK) {
    schema_is_strict(schema);
    for (int i = 0; i < 3; i++) {
      Err bad = {0};
      cJSON *value = json_parse(corpus[i], strlen(corpus[i]), "a value", &bad);
      schema_validate(schema, value, &bad);
      cJSON_Delete(value);
    }
  }
  cJSON_Delete(schema);
}

static void read_request(const char *text, size_t n) {
  Options options;
  Request r = {0};
  Err err = {0};
  Hash key;
  if (options_parse(text, n, &options, &err) == RC_OK) {
    options_free(&options);
  }
  options_init(&options);
  err = (Err){0};
  if (request_from_messages(text, n, &options, &r, &err) == RC_OK) {
    assert_int_equal(request_key(&r, NULL, 1, &key, &err), RC_OK);
  }
  request_free(&r);
}

static void read_text(const char *text, size_t n) {
  size_t bad_at;
  Url url;
  Err err = {0};
  Buf once, twice;
  if (url_parse(text, &url, &err) == RC_OK) {
    assert_true(url.host[0] && url.port > 0 && url.port < 65536 &&
                (url.is_https || url.is_loopback));
  }
  if (!text_is_utf8(text, n, &bad_at)) {
    return;
  }
  buf_init(&once, 1 << 20);
  buf_init(&twice, 1 << 20);
  assert_int_equal(text_normalize(text, n, &once), RC_OK);
  assert_int_equal(text_normalize(once.data, once.n, &twice), RC_OK);
  assert_true(text_is_utf8(once.data, once.n, &bad_at));
  assert_true(once.n == twice.n && memcmp(once.data, twice.data, once.n) == 0);
  buf_free(&once);
  buf_free(&twice);
}

/* Ids and count agree, there are no more of them than bytes (three for one that is no UTF-8), and
** the ids are of the encoding. */
static void count_tokens(const char *text, size_t n) {
  static const uint32_t ranks[ENCODING_COUNT] = {199998, 100256, 50281, 50256};
  Encoding e = (Encoding)pick(ENCODING_COUNT);
  static EncodingCache cache;
  uint32_t *ids = NULL;
  long long count = encoding_encode(e, text, n, &ids);
  assert_true(count >= (n > 0) && count <= 3 * (long long)n);
  assert_int_equal(encoding_count(e, text, n, &cache), count);
  for (long long i = 0; i < count; i++) {
    assert_true(ids[i] < ranks[e]);
  }
  free(ids);
}

/* A small vocabulary with "ab", "abab" and, spelled out, "cac"; then changed anywhere. */
static void test_mutated_vocabularies(void **state) {
  unsigned char good[276 + 12] = "LCBPE001\x03\x01\0\0\x09\x01\0\0\x0C\0\0\0";
  static const struct {
    uint32_t value;
    int width;
  } fields[] = {{'a', 9}, {'b', 9}, {256, 9}, {256, 9}, {258, 9},
                {3, 8},   {'c', 8}, {'a', 8}, {'c', 8}};
  Ranks v;
  (void)state;
  for (int i = 0; i < 256; i++) {
    good[20 + i] = (unsigned char)i;
  }
  for (size_t i = 0, bit = 276 * 8; i < COUNT(fields); i++) {
    for (int b = 0; b < fields[i].width; b++, bit++) {
      good[bit / 8] = (unsigned char)(good[bit / 8] | (fields[i].value >> b & 1) << bit % 8);
    }
  }
  assert_int_equal(ranks_read(&v, good, sizeof good), 1);
  ranks_free(&v);
  for (int round = 0; round < 20000; round++) {
    size_t n = pick(8) ? sizeof good : pick(sizeof good);
    unsigned char *file = malloc(n + (n == 0)), text[40];
    memcpy(file, good, n);
    for (unsigned k = 1 + pick(3); k > 0 && n > 0; k--) {
      size_t at = pick(2) ? pick((unsigned)n) : (pick(2) ? 8 : 270) + pick(18);
      file[at < n ? at : n - 1] = (unsigned char)pick(256);
    }
    if (ranks_read(&v, file, n)) {
      for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (unsigned char)"abcc"[pick(4)];
      }
      Bpe bpe = {&v, UINT32_MAX};
      assert_in_range(bpe_encode(&bpe, text, sizeof text, sizeof text, NULL), 1, sizeof text);
    }
    ranks_free(&v);
    free(file);
  }
}

static void test_mutated_inputs(void **state) {
  (void)state;
  const char *more = getenv("FUZZ_ROUNDS");
  long rounds = more ? strtol(more, NULL, 10) : 20000;
  for (long i = 0; i < rounds; i++) {
    const char *seed = corpus[pick(CORPUS)];
    char *text = malloc(MOST + 1); /* fresh each time: the sanitizer sees the ends */
    size_t n = strlen(seed);
    memcpy(text, seed, n);
    for (unsigned k = 1 + pick(6); k > 0; k--) {
      n = mutate(text, n);
    }
    text = realloc(text, n + 1);
    text[n] = 0;
    read_answers(text, n);
    read_usage(text, n);
    read_price_list(text, n);
    read_schema(text, n);
    read_request(text, n);
    read_text(text, n);
    count_tokens(text, n);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutated_inputs),
                                     cmocka_unit_test(test_mutated_vocabularies)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
