/*
** What answers about batches mean: not yet (A11), full (A12), too large (A14), gone (A17), no credit, a box on the way; and whether
** a batch may have been made all the same (A10).
*/
#include "unit.h"

#include "wire/batch/trouble.h"

#define OPENAI(message, code)                                                                      \
  "{\"error\":{\"message\":\"" message                                                             \
  "\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":" code "}}"
#define ANTHROPIC(type, message)                                                                   \
  "{\"type\":\"error\",\"error\":{\"type\":\"" type "\",\"message\":\"" message                    \
  "\"},\"request_id\":\"r\"}"
#define HTML                                                                                       \
  "<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"

typedef struct Told {
  const char *name;
  BatchStep step;
  long status;
  const char *body;
  BatchTrouble trouble;
  int may_be_done;
} Told;

static void check_told(const Told *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    BatchFault f;
    Err err = {0};
    const BatchAnswer a = {cases[i].step, cases[i].status, "", cases[i].body,
                           strlen(cases[i].body)};
    assert_int_equal(batch_fault_read(&a, &f, &err), RC_OK);
    check(f.trouble == cases[i].trouble, "%s: %s (%s, %s)", cases[i].name,
          batch_trouble_word(f.trouble), f.word, f.message);
    check(f.may_be_done == cases[i].may_be_done, "%s: may be done %d", cases[i].name,
          f.may_be_done);
    check((f.trouble == TROUBLE_NONE) == !f.message[0], "%s: '%s'", cases[i].name, f.message);
  }
}

static void test_creating(void **state) {
  (void)state;
  static const Told cases[] = {
      {"created", BATCH_CREATE, 200, "{\"id\":\"b\",\"status\":\"validating\"}", TROUBLE_NONE, 0},
      {"accepted", BATCH_CREATE, 202, "{\"id\":\"b\",\"status\":\"validating\",\"error\":null}",
       TROUBLE_NONE, 0},
      {"a batch that failed is a batch", BATCH_GET, 200,
       "{\"id\":\"b\",\"status\":\"failed\",\"error\":{\"message\":\"m\"}}", TROUBLE_NONE, 0},
      {"A11", BATCH_CREATE, 400, OPENAI("No such File object: file-1", "null"), TROUBLE_NOT_YET, 0},
      {"A11, by the member", BATCH_CREATE, 400,
       OPENAI("Invalid input_file_id: file-1 not found", "\"invalid_value\""), TROUBLE_NOT_YET, 0},
      {"A11, Azure", BATCH_CREATE, 400, OPENAI("File is not ready yet", "null"), TROUBLE_NOT_YET,
       0},
      {"A11, as 404", BATCH_CREATE, 404, OPENAI("File not found", "null"), TROUBLE_NOT_YET, 0},
      {"a file too large is no file to wait for", BATCH_CREATE, 400,
       OPENAI("The input file is too large", "null"), TROUBLE_TOO_LARGE, 0},
      {"A12, at once", BATCH_CREATE, 400,
       OPENAI("Enqueued token limit reached for gpt-4o", "\"token_limit_exceeded\""),
       TROUBLE_QUEUE_FULL, 0},
      {"A12, as a rate limit", BATCH_CREATE, 429,
       ANTHROPIC("rate_limit_error",
                 "Number of requests in the processing queue exceeds your limit"),
       TROUBLE_QUEUE_FULL, 0},
      {"a rate limit", BATCH_CREATE, 429, ANTHROPIC("rate_limit_error", "Slow down"), TROUBLE_LATER,
       0},
      {"overloaded", BATCH_CREATE, 529, ANTHROPIC("overloaded_error", "Overloaded"), TROUBLE_LATER,
       1},
      {"no credit, as an invalid request", BATCH_CREATE, 400,
       ANTHROPIC("invalid_request_error", "Your credit balance is too low to access the API."),
       TROUBLE_NO_CREDIT, 0},
      {"no quota", BATCH_CREATE, 429,
       OPENAI("You exceeded your current quota", "\"insufficient_quota\""), TROUBLE_NO_CREDIT, 0},
      {"a spend limit", BATCH_CREATE, 429, OPENAI("m", "\"enforced_spend_limit_reached\""),
       TROUBLE_NO_CREDIT, 0},
      {"a wrong key", BATCH_CREATE, 401,
       OPENAI("Incorrect API key provided: sk-x", "\"invalid_api_key\""), TROUBLE_KEY, 0},
      {"not permitted", BATCH_CREATE, 403, ANTHROPIC("permission_error", "no"), TROUBLE_KEY, 0},
      {"too many", BATCH_CREATE, 413,
       ANTHROPIC("request_too_large", "List should have 1 to 100000 items"), TROUBLE_TOO_LARGE, 0},
      {"a bad line", BATCH_CREATE, 400,
       ANTHROPIC("invalid_request_error", "requests.3.custom_id: String should match pattern"),
       TROUBLE_REFUSED, 0},
      {"an unknown model", BATCH_CREATE, 404,
       OPENAI("The model 'x' does not exist", "\"model_not_found\""), TROUBLE_REFUSED, 0},
      {"A10: a broken gateway", BATCH_CREATE, 502, "<html><title>502 Bad Gateway</title></html>",
       TROUBLE_LATER, 1},
      {"A10: its patience", BATCH_CREATE, 504, "", TROUBLE_LATER, 1},
      {"A10: a server that fell", BATCH_CREATE, 500,
       OPENAI("The server had an error", "\"server_error\""), TROUBLE_LATER, 1},
      {"A10: a success that was cut", BATCH_CREATE, 200, "{\"id\":\"batch_1\",\"stat",
       TROUBLE_LATER, 1},
      {"A10: a success of nothing", BATCH_CREATE, 200, "", TROUBLE_LATER, 1},
      {"a success that is a page", BATCH_CREATE, 200, "<html>log in</html>", TROUBLE_LATER, 1},
      {"an error in a 200", BATCH_CREATE, 200,
       OPENAI("Enqueued token limit reached", "\"token_limit_exceeded\""), TROUBLE_QUEUE_FULL, 0},
  };
  check_told(cases, COUNT(cases));
}

static void test_sizes(void **state) {
  (void)state;
  static const Told cases[] = {
      {"A14: nothing", BATCH_UPLOAD, 413, "", TROUBLE_TOO_LARGE, 0},
      {"A14: a page", BATCH_UPLOAD, 413, HTML, TROUBLE_TOO_LARGE, 0},
      {"A14: words", BATCH_UPLOAD, 413, "Payload Too Large", TROUBLE_TOO_LARGE, 0},
      {"A14: the provider's", BATCH_UPLOAD, 400,
       OPENAI("File is too large: a batch input file has at most 200 MB.", "null"),
       TROUBLE_TOO_LARGE, 0},
      {"uploaded", BATCH_UPLOAD, 200, "{\"id\":\"file-1\",\"object\":\"file\"}", TROUBLE_NONE, 0},
      {"a wrong type", BATCH_UPLOAD, 415,
       OPENAI("Invalid Content-Type", "\"unsupported_content_type\""), TROUBLE_REFUSED, 0},
  };
  check_told(cases, COUNT(cases));
}

static void test_asking(void **state) {
  (void)state;
  static const Told cases[] = {
      {"A17: gone", BATCH_GET, 404, OPENAI("No batch found with id 'batch_1'.", "null"),
       TROUBLE_GONE, 0},
      {"A17: Anthropic", BATCH_GET, 404, ANTHROPIC("not_found_error", "Message batch not found."),
       TROUBLE_GONE, 0},
      {"A17: Mistral", BATCH_GET, 404, "{\"detail\":\"Batch job not found\"}", TROUBLE_GONE, 0},
      {"A17: no words", BATCH_GET, 404, "", TROUBLE_GONE, 0},
      {"A17: 410", BATCH_RESULTS, 410, "{}", TROUBLE_GONE, 0},
      {"A17: archived", BATCH_RESULTS, 400,
       ANTHROPIC("invalid_request_error",
                 "The batch was archived; its results are no longer available"),
       TROUBLE_GONE, 0},
      {"A17: a file", BATCH_RESULTS, 404, OPENAI("No such File object: file-1", "null"),
       TROUBLE_GONE, 0},
      {"A17: OpenAI's own in a 200", BATCH_GET, 200,
       OPENAI("No batch found with id 'batch_1'.", "null"), TROUBLE_GONE, 0},
      {"A17: an error in a 200", BATCH_GET, 200,
       "{\"error\":{\"message\":\"Batch not found\",\"code\":404}}", TROUBLE_GONE, 0},
      {"a page is no word of the provider's", BATCH_GET, 404,
       "<html><title>404 Not Found</title></html>", TROUBLE_LATER, 0},
      {"nor is a proxy's line", BATCH_GET, 404, "404 page not found\n", TROUBLE_LATER, 0},
      {"a gateway", BATCH_GET, 503, "upstream connect error", TROUBLE_LATER, 1},
      {"results too early", BATCH_RESULTS, 400,
       ANTHROPIC("invalid_request_error",
                 "The batch has no available results as it is still processing."),
       TROUBLE_NOT_YET, 0},
      {"results", BATCH_RESULTS, 200, "{\"error\":", TROUBLE_NONE, 0},
      {"an empty file", BATCH_RESULTS, 200, "", TROUBLE_NONE, 0},
      {"a list", BATCH_LIST, 200, "{\"data\":[]}", TROUBLE_NONE, 0},
      {"cancelled already", BATCH_CANCEL, 409,
       OPENAI("Cannot cancel a batch with status 'completed'.", "null"), TROUBLE_LATER, 0},
      {"deleted", BATCH_DELETE_FILE, 204, "", TROUBLE_NONE, 0},
      {"deleted, it says", BATCH_DELETE_FILE, 200, "{\"id\":\"f\",\"deleted\":true}", TROUBLE_NONE,
       0},
  };
  check_told(cases, COUNT(cases));
}

static void test_errors_of_calls(void **state) {
  (void)state;
  static const char body[] =
      OPENAI("Enqueued token limit reached. Please try again in 20s", "\"token_limit_exceeded\"");
  BatchFault f;
  Err err = {0};
  batch_fault_read(&(BatchAnswer){BATCH_CREATE, 400, "application/json", body, sizeof body - 1}, &f,
                   &err);
  assert_int_equal(f.retry_after_ms, 20000);
  assert_int_equal(f.status, 400);
  batch_fault_set(batch_form_by_name("openai"), &f, &err);
  check_error(&err, "provider", "openai: Enqueued token limit reached", "full");
  assert_string_equal(err.provider_code, "token_limit_exceeded");
  assert_int_equal(err.retryable, 1);
  assert_int_equal(err.http_status, 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_creating),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_asking),
      cmocka_unit_test(test_errors_of_calls),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
