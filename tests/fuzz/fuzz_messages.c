/*
** An options object and, behind a NUL, the array of messages of llm_chat; then all that is made of them:
** keys, the transcript, the bodies of each API, its tokens.
**
** Holds: an accepted request has a question, its key is the same when asked twice, and what is written
** is JSON.
*/
#include "fuzz.h"

#include "core/request/request.h"
#include "core/tokens/tokens.h"
#include "wire/provider.h"

static void check_json(const char *text, size_t n) {
  cJSON *tree = fuzz_json(text, n);
  require(tree);
  cJSON_Delete(tree);
}

static int name_text(void *arg, const char *text, size_t n, Hash *name) {
  (void)arg;
  *name = hash_bytes(text, n, 1);
  return RC_OK;
}

static void check_keys(const Request *r) {
  Hash key, again, scope;
  Err err = {0};
  const KeyBeside none = {NULL, NULL}, beside = {"user", "row"};
  require(request_key(r, &none, 1, &key, &err) == RC_OK);
  require(request_key(r, &none, 1, &again, &err) == RC_OK);
  require(memcmp(&key, &again, sizeof key) == 0);
  require(request_key(r, &beside, 1, &again, &err) == RC_OK);
  require(memcmp(&key, &again, sizeof key) != 0);
  require(request_scope(r, &beside, 1, &scope, &err) == RC_OK);
}

static void check_body(const Request *r, const char *name, const char *api) {
  const Model model = {.name = name,
                       .provider = api,
                       .api = api,
                       .base_url = "https://example.com",
                       .key_env = "",
                       .supports = "{\"json_schema\":true}",
                       .extra = "{\"top_k\":1}"};
  Buf body;
  Err err = {0};
  buf_init(&body, LIMIT_REQUEST_BYTES);
  if (provider_api(api)->build(r, &model, &(Sending){0}, &body, &err) == RC_OK) {
    check_json(body.data, body.n);
  }
  check_err(&err);
  buf_free(&body);
}

static void check_request(const Request *r) {
  TokenRule rule;
  Err err = {0};
  size_t n = 0;
  require(r->n_messages >= 1 && r->messages[r->n_messages - 1].content);
  const char *last = r->messages[r->n_messages - 1].role;
  require(strcmp(last, "user") == 0 || strcmp(last, "tool") == 0);
  check_keys(r);
  char *transcript = request_transcript(r, name_text, NULL, &n, &err);
  require(transcript);
  check_json(transcript, n);
  free(transcript);
  char *asked = request_asked(r, &err);
  require(asked);
  free(asked);
  check_body(r, "m", "openai");
  check_body(r, "m", "anthropic");
  check_body(r, "claude-haiku-4-5", "anthropic");
  check_body(r, "m", "responses");
  tokens_rule("gpt-4o", &rule);
  require(tokens_request(&rule, r) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  Options options;
  Request r = {0};
  Err err = {0}, why = {0};
  size_t n_options, n;
  char *option_text = take_text(&in, &n_options), *text = take_rest(&in, &n);
  if (n_options == 0 || options_parse(option_text, n_options, &options, &err) != RC_OK) {
    options_init(&options);
  }
  if (request_from_messages(text, n, &options, &r, &why) == RC_OK) {
    check_request(&r);
  }
  check_err(&why);
  request_free(&r);
  options_free(&options);
  free(option_text);
  free(text);
  return 0;
}
