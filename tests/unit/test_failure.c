/*
** Errors as others write them: the innermost sentence, the word, when again, and whether it was billed.
*/
#include "unit.h"

#include "base/buf.h"
#include "wire/answer/failure.h"
#include "wire/answer/page.h"

#include <stdio.h>

static void test_error_bodies(void **state) {
  static const struct {
    const char *name, *body, *type, *code, *message;
  } cases[] = {
      {"OpenAI",
       "{\"error\":{\"message\":\"You exceeded your quota\",\"type\":\"insufficient_quota\","
       "\"param\":null,\"code\":\"insufficient_quota\"}}",
       "insufficient_quota", "insufficient_quota", "You exceeded your quota"},
      {"OpenAI without code",
       "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\",\"param\":\"x\",\"code\":"
       "null}}",
       "invalid_request_error", "", "m"},
      {"Anthropic",
       "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},"
       "\"request_id\":\"req_1\"}",
       "overloaded_error", "", "Overloaded"},
      {"Anthropic with details",
       "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\","
       "\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}",
       "rate_limit_error", "enforced_spend_limit_reached", "m"},
      {"Anthropic with null details",
       "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"m\",\"details\":null}}",
       "api_error", "", "m"},
      {"Gemini",
       "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"Quota\","
       "\"details\":[{\"@type\":\"x\"}]}}",
       "RESOURCE_EXHAUSTED", "429", "Quota"},
      {"Gemini in an array",
       "[{\"error\":{\"code\":400,\"message\":\"API key not "
       "valid\",\"status\":\"INVALID_ARGUMENT\"}}]",
       "INVALID_ARGUMENT", "400", "API key not valid"},
      {"OpenRouter",
       "{\"error\":{\"code\":402,\"message\":\"Insufficient credits\",\"metadata\":{}},"
       "\"user_id\":\"u\"}",
       "", "402", "Insufficient credits"},
      {"Mistral",
       "{\"object\":\"error\",\"message\":\"Unauthorized\",\"type\":\"auth\",\"code\":\"1001\"}",
       "auth", "1001", "Unauthorized"},
      {"Mistral validation",
       "{\"detail\":[{\"type\":\"missing\",\"loc\":[\"body\",\"model\"],\"msg\":\"Field "
       "required\"},"
       "{\"msg\":\"second\"}]}",
       "", "", "body.model: Field required; second"},
      {"Mistral detail text", "{\"detail\":\"Unauthorized\"}", "", "", "Unauthorized"},
      {"Ollama, a bare text", "{\"error\":\"model 'x' not found\"}", "", "", "model 'x' not found"},
      {"empty", "", "", "", ""},
      {"HTML", "<html><body>502 Bad Gateway</body></html>", "", "", ""},
      {"plain text", "upstream connect error", "", "", "upstream connect error"},
      {"cut", "{\"error\":{\"message\":\"m", "", "", ""},
      {"null", "null", "", "", ""},
      {"empty array", "[]", "", "", ""},
      {"empty detail", "{\"detail\":[]}", "", "", ""},
      {"wrong types", "{\"error\":{\"message\":[],\"type\":{},\"code\":true}}", "", "", ""},
      {"bad UTF-8", "{\"error\":{\"message\":\"\xFF\"}}", "", "", "\xEF\xBF\xBD"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Failure f;
    memset(&f, 'x', sizeof f);
    failure_read(NULL, cases[i].body, strlen(cases[i].body), &f);
    check(strcmp(f.type, cases[i].type) == 0, "%s: '%s'", cases[i].name, f.type);
    check(strcmp(f.code, cases[i].code) == 0, "%s: '%s'", cases[i].name, f.code);
    check(strcmp(f.message, cases[i].message) == 0, "%s: '%s'", cases[i].name, f.message);
  }
}

/* Messages of characters of two to four bytes, longer than their place at every offset. */
static void test_long_error_messages_stay_utf8(void **state) {
  static const char *const chars[] = {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  (void)state;
  for (size_t c = 0; c < COUNT(chars); c++) {
    for (int shift = 0; shift < 4; shift++) {
      Buf body;
      Failure f;
      size_t bad_at = 0;
      buf_init(&body, 1 << 16);
      buf_printf(&body, "{\"error\":{\"message\":\"%.*s", shift, "xxx");
      for (int i = 0; i < LIMIT_ERROR_QUOTE; i++) {
        buf_puts(&body, chars[c]);
      }
      buf_puts(&body, "\"}}");
      failure_read(NULL, body.data, body.n, &f);
      size_t n = strlen(f.message);
      check(n + 4 >= LIMIT_ERROR_QUOTE && n < LIMIT_ERROR_QUOTE, "char %zu, shift %d: %zu", c,
            shift, n);
      check(utf8_is_valid(f.message, n, &bad_at), "char %zu, shift %d: byte %zu", c, shift, bad_at);
      buf_free(&body);
    }
  }
}

static void test_errors_inside_success(void **state) {
  static const struct {
    const char *answer;
    int failure;
    long status;
  } cases[] = {
      {"{\"error\":{\"code\":429,\"message\":\"m\"}}", 1, 429},
      {"{\"error\":{\"code\":502,\"message\":\"m\"},\"choices\":[]}", 1, 502},
      {"{\"error\":{\"code\":\"rate_limit_exceeded\"}}", 1, 429},
      {"{\"error\":{\"message\":\"m\"}}", 1, 0},
      {"{\"error\":\"m\"}", 1, 0},
      {"{\"error\":{\"code\":1e300}}", 1, 0},
      {"{\"error\":{\"code\":-429}}", 1, 0},
      {"{\"error\":{\"code\":1001}}", 1, 0},
      {"{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}", 1, 529},
      {"{\"error\":{\"code\":\"429\",\"message\":\"m\"}}", 1, 429},
      {"{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\"}}", 1, 429},
      {"{\"error\":{\"type\":\"server_error\"},\"choices\":[{\"message\":{\"content\":null}}]}", 1,
       500},
      {"{\"error\":{\"message\":\"m\"},\"choices\":[{\"message\":{\"content\":\"\"}}]}", 1, 0},
      {"{\"error\":{\"message\":\"m\"},\"choices\":[{\"message\":{\"content\":\"a\"}}]}", 1, 0},
      {"{\"error\":{},\"choices\":[{\"message\":{\"content\":null}}]}", 0, 0},
      {"{\"error\":\"\",\"choices\":[{\"message\":{\"content\":\"a\"}}]}", 0, 0},
      {"{\"choices\":[{\"error\":{\"code\":502,\"message\":\"m\"},\"finish_reason\":\"error\","
       "\"message\":{\"content\":\"half a sen\"}}]}",
       1, 502},
      {"{\"choices\":[{\"error\":null,\"message\":{\"content\":\"a\"}}]}", 0, 0},
      {"{\"object\":\"error\",\"message\":\"m\",\"code\":40303}", 1, 0},
      {"{\"object\":\"error\",\"message\":\"m\",\"code\":400}", 1, 400},
      {"{\"type\":\"error\",\"message\":\"m\"}", 1, 0},
      {"{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"m\"},\"output\":["
       "]}",
       1, 500},
      {"[{\"error\":{\"code\":503,\"message\":\"m\"}}]", 1, 503},
      {"{\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}", 1, 402},
      {"{\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"},\"choices\":[{\"message\":{"
       "\"content\":"
       "\"a\"}}]}",
       0, 0},
      {"{\"code\":500,\"msg\":\"m\",\"success\":false}", 1, 500},
      {"{\"code\":200,\"msg\":\"m\"}", 0, 0},
      {"{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"a\"}]}", 0, 0},
      {"{\"error\":null,\"choices\":[]}", 0, 0},
      {"{\"choices\":[]}", 0, 0},
      {"{}", 0, 0},
      {"[]", 0, 0},
      {"null", 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long status = -7;
    cJSON *tree = tree_of(cases[i].answer);
    int failure = failure_in_answer(tree, &status);
    cJSON_Delete(tree);
    check(failure == cases[i].failure, "%s: %d", cases[i].answer, failure);
    check(status == cases[i].status, "%s: %ld", cases[i].answer, status);
  }
}

typedef struct Told {
  const char *name, *body, *word, *message;
} Told;

static void check_told(const Told *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    Failure f;
    failure_read("", cases[i].body, strlen(cases[i].body), &f);
    check(strcmp(f.message, cases[i].message) == 0, "%s: '%s'", cases[i].name, f.message);
    check(strcmp(failure_word(&f, f.status), cases[i].word) == 0, "%s: '%s'", cases[i].name,
          failure_word(&f, f.status));
  }
}

/* Errors inside errors: what is told. */
static void test_the_innermost_sentence(void **state) {
  static const Told cases[] = {
      {"OpenRouter, JSON in a text",
       "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{\"raw\":"
       "\"{\\n \\\"error\\\": {\\\"message\\\": \\\"no such thing\\\",\\\"type\\\":"
       "\\\"invalid_request_error\\\",\\\"code\\\":null}}\",\"provider_name\":\"OpenAI\"}}}",
       "invalid_request_error", "no such thing (OpenAI)"},
      {"OpenRouter, an object",
       "{\"error\":{\"message\":\"Provider returned error\",\"code\":400,\"metadata\":{\"raw\":"
       "{\"error\":{\"message\":\"m\",\"code\":\"model_not_found\"}}}}}",
       "model_not_found", "m"},
      {"OpenRouter, plain words",
       "{\"error\":{\"message\":\"Provider returned error\",\"code\":429,\"metadata\":{\"raw\":"
       "\"x is temporarily rate-limited upstream\",\"provider_name\":\"BaseTen\"}}}",
       "", "x is temporarily rate-limited upstream (BaseTen)"},
      {"OpenRouter, a page",
       "{\"error\":{\"message\":\"Provider returned error\",\"code\":502,\"metadata\":{\"raw\":"
       "\"<html><head><title>502 Bad\\n Gateway</title></head></html>\"}}}",
       "", "502 Bad Gateway"},
      {"OpenRouter, nothing in it",
       "{\"error\":{\"message\":\"Provider returned "
       "error\",\"code\":400,\"metadata\":{\"raw\":\"\"}}}",
       "", "Provider returned error"},
      {"OpenRouter, moderation",
       "{\"error\":{\"message\":\"Your input was flagged\",\"code\":403,\"metadata\":{\"reasons\":"
       "[\"violence\"],\"flagged_input\":\"x\",\"provider_name\":\"OpenAI\"}}}",
       "", "Your input was flagged [violence] (OpenAI)"},
      {"flat OpenRouter",
       "{\"message\":\"Provider returned "
       "error\",\"metadata\":{\"raw\":\"{\\\"detail\\\":\\\"d\\\"}\"}}",
       "", "d"},
      {"Mistral, an object for a message",
       "{\"object\":\"error\",\"message\":{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":["
       "\"body\","
       "\"seed\"],\"msg\":\"Extra inputs are not permitted\",\"input\":1}]},\"type\":"
       "\"invalid_request_error\",\"param\":null,\"code\":null}",
       "invalid_request_error", "body.seed: Extra inputs are not permitted"},
      {"Mistral, a text of JSON",
       "{\"object\":\"error\",\"message\":\"{\\\"detail\\\":[{\\\"loc\\\":[\\\"body\\\","
       "\\\"messages\\\",0,"
       "\\\"name\\\"],\\\"msg\\\":\\\"no\\\"}]}\",\"code\":\"1000\"}",
       "1000", "body.messages.0.name: no"},
      {"Mistral, a list",
       "{\"object\":\"Error\",\"detail\":[{\"loc\":[\"body\",\"tools\"],\"msg\":\"no\"}],"
       "\"message\":"
       "[{\"loc\":[\"body\",\"tools\"],\"msg\":\"no\"}],\"type\":\"invalid_request_error\","
       "\"code\":3001}",
       "invalid_request_error", "body.tools: no"},
  };
  (void)state;
  check_told(cases, COUNT(cases));
}

static void test_sentences_of_frameworks(void **state) {
  static const Told cases[] = {
      {"FastAPI's object", "{\"detail\":{\"error\":\"quota\",\"message\":\"no more\"}}", "",
       "no more"},
      {"a list of errors",
       "{\"errors\":[{\"message\":\"first\"},{\"message\":\"second\"},\"third\",\"4th\"]}", "",
       "first; second; third"},
      {"a list of texts", "{\"errors\":[\"a\",\"b\"]}", "", "a; b"},
      {"fields", "{\"errors\":{\"model\":[\"must be a text\"]}}", "", "model: must be a text"},
      {"error as a list", "{\"error\":[\"`inputs` is required\"]}", "", "`inputs` is required"},
      {"msg", "{\"code\":1113,\"msg\":\"Insufficient balance\"}", "1113", "Insufficient balance"},
      {"OAuth", "{\"error\":\"invalid_grant\",\"error_description\":\"it expired\"}", "",
       "it expired"},
      {"Nest", "{\"statusCode\":400,\"message\":\"model is required\",\"error\":\"Bad Request\"}",
       "", "model is required"},
      {"RFC 9457",
       "{\"type\":\"about:blank\",\"title\":\"Too large\",\"status\":413,\"detail\":\"at most 4 "
       "MB\"}",
       "", "Too large: at most 4 MB"},
      {"RFC 9457 without detail", "{\"title\":\"Too large\",\"status\":413}", "", "Too large"},
      {"AWS", "{\"__type\":\"com.amazon#ThrottlingException\",\"Message\":\"Rate exceeded\"}",
       "ThrottlingException", "Rate exceeded"},
      {"AWS XML",
       "<?xml version='1.0'?><Error><Code>X</Code><Message>no &amp; no</Message></Error>", "",
       "no & no"},
  };
  (void)state;
  check_told(cases, COUNT(cases));
}

static void test_sentences_of_gateways(void **state) {
  static const Told cases[] = {
      {"LiteLLM",
       "{\"error\":{\"message\":\"litellm.RateLimitError: OpenAIException - "
       "{\\\"error\\\":{\\\"message\\\":"
       "\\\"slow down\\\"}} Received Model Group=x\",\"type\":\"throttling_error\",\"param\":null,"
       "\"code\":\"429\"}}",
       "throttling_error", "slow down"},
      {"LiteLLM's None",
       "{\"error\":{\"message\":\"m\",\"type\":\"None\",\"param\":\"None\",\"code\":\"400\"}}", "",
       "m"},
      {"JSON that is what a sentence is about",
       "{\"error\":{\"message\":\"invalid value: {\\\"message\\\":\\\"hi\\\"}\"}}", "",
       "invalid value: {\"message\":\"hi\"}"},
      {"braces in a sentence", "{\"error\":{\"message\":\"unknown {placeholder} in it\"}}", "",
       "unknown {placeholder} in it"},
      {"Gemini inside its own SDK's",
       "{\"error\":{\"message\":\"{\\n \\\"error\\\": "
       "{\\\"code\\\":429,\\\"message\\\":\\\"Quota\\\","
       "\\\"status\\\":\\\"RESOURCE_EXHAUSTED\\\"}}\\n\",\"code\":429,\"status\":\"Too Many "
       "Requests\"}}",
       "RESOURCE_EXHAUSTED", "Quota"},
      {"llama.cpp",
       "{\"error\":{\"code\":400,\"message\":\"too long\",\"type\":\"exceed_context_size_error\"}}",
       "exceed_context_size_error", "too long"},
      {"vLLM", "{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\",\"code\":400}",
       "BadRequestError", "m"},
      {"MiniMax", "{\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}",
       "1008", "insufficient balance"},
      {"xAI", "{\"code\":\"Some resource has been exhausted\",\"error\":\"no credits\"}", "",
       "no credits"},
      {"an error in an error",
       "{\"error\":{\"error\":{\"error\":{\"message\":\"deep\",\"code\":\"c\"}}}}", "c", "deep"},
      {"response", "{\"response\":{\"error\":{\"message\":\"deep\"}}}", "", "deep"},
      {"data", "{\"success\":false,\"data\":{\"error\":\"deep\"}}", "", "deep"},
      {"body as a text", "{\"statusCode\":500,\"body\":\"{\\\"message\\\":\\\"deep\\\"}\"}", "",
       "deep"},
      {"cause", "{\"error\":{\"cause\":{\"message\":\"deep\"}}}", "", "deep"},
      {"a message of blanks", "{\"error\":{\"message\":\" \\n \"},\"detail\":\"d\"}", "", "d"},
  };
  (void)state;
  check_told(cases, COUNT(cases));
}

/* Texts, pages, streams, answers. */
static void test_bodies_that_are_no_error_object(void **state) {
  static const Told cases[] = {
      {"JSON text", "\"Unauthorized\"", "", "Unauthorized"},
      {"lines", "{\"error\":{\"message\":\"a\\n\\n* b\\tc\"}}", "", "a * b c"},
      {"a choice's",
       "{\"choices\":[{\"finish_reason\":\"error\",\"error\":{\"code\":502,\"message\":"
       "\"upstream\"},"
       "\"message\":{\"content\":\"half\"}}]}",
       "", "upstream"},
      {"a response that failed",
       "{\"type\":\"response\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\","
       "\"message\":\"m\"}}",
       "server_error", "m"},
      {"plain", "404 page not found\n", "", "404 page not found"},
      {"plain, not UTF-8", "caf\xE9\x01 \xFFx", "", "caf? ?x"},
      {"an event", "event: error\ndata: {\"error\":{\"message\":\"m\"}}\n\n", "", "m"},
      {"a page",
       "<!DOCTYPE html>\n<html><head><TITLE lang=en>x.com | 524: A timeout\n occurred</TITLE>", "",
       "x.com | 524: A timeout occurred"},
      {"nginx", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502</h1>", "",
       "502 Bad Gateway"},
      {"a page without title", "<html><body><h1>Service <b>Unavailable</b></h1></body></html>", "",
       "Service Unavailable"},
  };
  (void)state;
  check_told(cases, COUNT(cases));
}

static void test_when_again(void **state) {
  static const struct {
    const char *body;
    long long ms;
    const char *quota;
  } cases[] = {
      {"{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\",\"details\":["
       "{\"@type\":\"q\",\"violations\":[{\"quotaId\":\"XPerMinute\"},{\"quotaId\":"
       "\"XPerDayPerProject\"},"
       "{\"quotaId\":\"YPerMinute\"}]},{\"@type\":\"r\",\"retryDelay\":\"3.2s\"}]}}",
       3200, "XPerDayPerProject"},
      {"{\"error\":{\"message\":\"m\",\"details\":[{\"metadata\":{\"quota_limit\":"
       "\"RequestsPerDay\"}}]}}",
       -1, "RequestsPerDay"},
      {"{\"error\":{\"message\":\"m\",\"retry_after\":2.5}}", 2500, ""},
      {"{\"error\":{\"message\":\"m\",\"retry_after_ms\":250}}", 250, ""},
      {"{\"error\":{\"message\":\"m\"},\"retryAfter\":\"7\"}", 7000, ""},
      {"{\"error\":{\"message\":\"m\",\"metadata\":{\"retry_after\":4}}}", 4000, ""},
      {"{\"error\":{\"message\":\"m\",\"metadata\":{\"headers\":{\"Retry-After\":\"5\"}}}}", 5000,
       ""},
      {"{\"error\":{\"message\":\"Rate limit. Please try again in 6m0s.\"}}", 360000, ""},
      {"{\"error\":{\"message\":\"Please try again in 40ms. Visit\"}}", 40, ""},
      {"{\"error\":{\"message\":\"m\",\"retry_after\":-1}}", -1, ""},
      {"{\"error\":{\"message\":\"m\",\"retry_after\":\"soon\"}}", -1, ""},
      {"{\"error\":{\"message\":\"m\",\"retry_after\":1e300}}", 1000000000000, ""},
      {"{\"error\":{\"message\":\"m\",\"retry_after\":null}}", -1, ""},
      {"", -1, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Failure f;
    failure_read(NULL, cases[i].body, strlen(cases[i].body), &f);
    check(f.retry_after_ms == cases[i].ms, "%s: %lld", cases[i].body, f.retry_after_ms);
    check(strcmp(f.quota, cases[i].quota) == 0, "%s: '%s'", cases[i].body, f.quota);
  }
}

static void test_loading(void **state) {
  static const struct {
    const char *body;
    int is;
  } cases[] = {
      {"{\"error\":{\"message\":\"Loading model\",\"type\":\"unavailable_error\",\"code\":503}}",
       1},
      {"{\"error\":\"Model a/b is currently loading\",\"estimated_time\":20.0}", 1},
      {"{\"error\":\"overloaded\"}", 0},
      {"{\"error\":\"error loading model\"}", 0},
      {"{\"error\":{\"code\":400,\"message\":\"the prompt says model is loading\"}}", 0},
      {"{\"error\":{\"code\":400,\"type\":\"model_not_ready\",\"message\":\"no\"}}", 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Failure f;
    failure_read(NULL, cases[i].body, strlen(cases[i].body), &f);
    check(f.is_loading == cases[i].is, "%s", cases[i].body);
  }
}

/* A box on the way does not know what the provider bills; the provider does. */
static void test_what_may_be_billed(void **state) {
  static const char
      html[] = "<html><head><title>A timeout occurred</title></head></html>",
      aws[] = "{\"message\":\"Endpoint request timed out\"}",
      openai[] = "{\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}",
      anthropic[] = "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"m\"}}",
      gemini[] = "[{\"error\":{\"code\":504,\"status\":\"DEADLINE_EXCEEDED\"}}]",
      vllm[] = "{\"object\":\"error\",\"message\":\"m\"}",
      cloudflare[] = "{\"type\":\"https://x\",\"title\":\"Error 524\",\"status\":524,"
                     "\"detail\":\"d\",\"retry_after\":120}",
      empty_error[] = "{\"error\":{}}", text_error[] = "{\"error\":\"timeout\"}";
  static const struct {
    long status;
    const char *body;
    int may;
  } cases[] = {
      {524, html, 1},
      {504, html, 1},
      {502, html, 1},
      {520, html, 1},
      {408, html, 1},
      {499, html, 1},
      {504, aws, 1},
      {504, "", 1},
      {502, "", 1},
      {408, "", 1},
      {523, "error code: 523", 1},
      {524, cloudflare, 1},
      {504, empty_error, 1},
      {504, text_error, 1},
      {504, "null", 1},
      {504, openai, 0},
      {408, openai, 0},
      {408, anthropic, 0},
      {504, gemini, 0},
      {502, vllm, 0},
      {500, html, 0},
      {503, html, 1},
      {503, "<html><title>503 Service Temporarily Unavailable</title></html>", 0},
      {503, "first byte timeout", 1},
      {503, "<html><title>Application Error</title></html>", 1},
      {530, "error code: 530", 1},
      {460, "", 1},
      {444, "", 1},
      {598, "", 1},
      {408, "{\"error\":{\"message\":\"litellm.Timeout: request timed out\",\"code\":\"408\"}}", 1},
      {504, "{\"error\":{\"code\":\"FUNCTION_INVOCATION_TIMEOUT\",\"message\":\"m\"}}", 1},
      {524, "{\"error\":{\"code\":524,\"message\":\"Provider timed out\"}}", 1},
      {529, html, 0},
      {429, html, 0},
      {400, aws, 0},
      {404, "", 0},
      {500, "", 0},
      {503,
       "upstream connect error or disconnect/reset before headers. reset reason: connection "
       "failure",
       0},
      {503, "upstream connect error or disconnect/reset before headers. reset reason: overflow", 0},
      {503,
       "upstream connect error or disconnect/reset before headers. reset reason: connection "
       "termination",
       1},
      {503,
       "upstream connect error or disconnect/reset before headers. retried and the latest reset "
       "reason: remote reset",
       1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Failure f;
    failure_read(NULL, cases[i].body, strlen(cases[i].body), &f);
    check(failure_may_be_billed(cases[i].status, &f) == cases[i].may, "%ld %s", cases[i].status,
          cases[i].body);
  }
}

static void test_what_a_wrong_key_is(void **state) {
  static const struct {
    long status;
    const char *body;
    int is;
  } cases[] = {
      {401,
       "{\"error\":{\"message\":\"Incorrect API key provided: "
       "sk-abc.\",\"code\":\"invalid_api_key\"}}",
       1},
      {401,
       "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid "
       "x-api-key\"}}",
       1},
      {400,
       "[{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass one.\",\"status\":"
       "\"INVALID_ARGUMENT\"}}]",
       1},
      {400,
       "{\"error\":{\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":"
       "\"API_KEY_INVALID\"}]}}",
       1},
      {401, "{\"error\":{\"message\":\"User not found.\",\"code\":401}}", 1},
      {401, "{\"detail\":\"Unauthorized\"}", 1},
      {401, "", 1},
      {401, "{}", 1},
      {401,
       "{\"statusCode\":401,\"message\":\"Access denied due to invalid subscription key or wrong "
       "API "
       "endpoint. Use a correct regional endpoint\"}",
       1},
      {401,
       "{\"error\":{\"message\":\"You have insufficient permissions. Missing scopes: "
       "model.request\","
       "\"type\":\"invalid_request_error\"}}",
       0},
      {401,
       "{\"error\":{\"type\":\"authentication_error\",\"message\":\"OAuth token lacks scope x\"}}",
       0},
      {401, "{\"error\":{\"message\":\"You must be a member of an organization to use the API\"}}",
       0},
      {403, "{\"error\":{\"message\":\"flagged\",\"code\":403,\"metadata\":{\"reasons\":[\"x\"]}}}",
       0},
      {403,
       "{\"error\":{\"code\":\"unsupported_country_region_territory\",\"message\":\"Country not "
       "supported\"}}",
       0},
      {403,
       "{\"error\":{\"message\":\"Project does not have access to model "
       "x\",\"code\":\"model_not_found\"}}",
       0},
      {403, "{\"code\":\"x\",\"error\":\"Your team doesn't have any credits\"}", 0},
      {403, "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":\"no\"}}", 0},
      {403, "<html><head><title>Just a moment...</title></head>", 0},
      {403, "error code: 1010", 0},
      {401, "<html><head><title>401 Authorization Required</title>", 1},
      {403, "", 0},
      {404, "{\"error\":{\"message\":\"Invalid API key\"}}", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Failure f;
    failure_read(NULL, cases[i].body, strlen(cases[i].body), &f);
    check(failure_is_of_key(&f, cases[i].status) == cases[i].is, "%ld %s", cases[i].status,
          cases[i].body);
  }
}

static void test_what_was_generated(void **state) {
  static const char body[] =
      "{\"error\":{\"message\":\"Failed to generate JSON\",\"type\":\"invalid_request_error\","
      "\"code\":\"json_validate_failed\",\"failed_generation\":\"{\\\"a\\\": \\n1,,\"}}";
  Failure f;
  (void)state;
  failure_read(NULL, body, sizeof body - 1, &f);
  assert_string_equal(f.generation, "{\"a\": 1,,");
  assert_string_equal(f.message, "Failed to generate JSON");
}

static void test_descriptions(void **state) {
  char out[200], large[12345];
  (void)state;
  failure_describe("text/html; charset=utf-8", 22, "<!doctype html>\n<html>", 22, out, sizeof out);
  assert_string_equal(out, "text/html, 22 bytes: '<!doctype html> <html>'");
  failure_describe("", 0, "", 0, out, sizeof out);
  assert_string_equal(out, "0 bytes");
  memset(large, 'x', sizeof large);
  failure_describe(NULL, sizeof large, large, sizeof large, out, sizeof out);
  assert_string_equal(
      out, "12,345 bytes: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'");
}

/* However deep, and whatever stands in it, it ends. */
static void test_deep_texts(void **state) {
  Buf b, next;
  Failure f;
  (void)state;
  buf_init(&b, 1 << 20);
  buf_puts(&b, "{\"error\":\"the end\"}");
  for (int level = 0; level < 9; level++) {
    buf_init(&next, 1 << 20);
    buf_puts(&next, "{\"error\":{\"message\":\"");
    for (size_t i = 0; i < b.n; i++) {
      buf_printf(&next, "%s%c", b.data[i] == '"' || b.data[i] == '\\' ? "\\" : "", b.data[i]);
    }
    buf_puts(&next, "\"}}");
    buf_free(&b);
    b = next;
    failure_read(NULL, b.data, b.n, &f);
    check(level > 3 ? f.message[0] != 0 : strcmp(f.message, "the end") == 0, "level %d: %s", level,
          f.message);
  }
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error_bodies),
      cmocka_unit_test(test_long_error_messages_stay_utf8),
      cmocka_unit_test(test_errors_inside_success),
      cmocka_unit_test(test_the_innermost_sentence),
      cmocka_unit_test(test_sentences_of_frameworks),
      cmocka_unit_test(test_sentences_of_gateways),
      cmocka_unit_test(test_bodies_that_are_no_error_object),
      cmocka_unit_test(test_when_again),
      cmocka_unit_test(test_loading),
      cmocka_unit_test(test_what_may_be_billed),
      cmocka_unit_test(test_what_a_wrong_key_is),
      cmocka_unit_test(test_what_was_generated),
      cmocka_unit_test(test_descriptions),
      cmocka_unit_test(test_deep_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
