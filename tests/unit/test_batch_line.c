/*
** Lines of a batch: ids of ours (A07, A08), bytes that nobody takes for an end of line (A06), sizes, and the bodies around them.
*/
#include "unit.h"

#include "wire/batch/create.h"
#include "wire/batch/line.h"
#include "wire/provider.h"

#include <stdio.h>

#define BODY "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}"

static void test_ids_there_and_back(void **state) {
  (void)state;
  static const struct {
    long long rowid, attempt;
    const char *tag, *id;
  } cases[] = {
      {1, 0, NULL, "r1-0"},
      {42, 3, "", "r42-3"},
      {42, 3, "a9Z", "r42-3-a9Z"},
      {-5, 1, "t", "r-5-1-t"},
      {0, 1, NULL, "r0-1"},
      {INT64_MAX, INT64_MAX, "0123456789abcdef",
       "r9223372036854775807-9223372036854775807-0123456789abcdef"},
      {INT64_MIN, 2, "0123456789abcdefXYZ", "r-9223372036854775808-2-0123456789abcdef"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char id[BATCH_ID];
    BatchKey key;
    batch_id_write(cases[i].rowid, cases[i].attempt, cases[i].tag, id);
    assert_string_equal(id, cases[i].id);
    check(!id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")], "%s",
          id);
    check(strlen(id) <= 64, "%s", id);
    check(batch_id_read(id, &key) && key.rowid == cases[i].rowid && key.attempt == cases[i].attempt,
          "%s", id);
  }
}

/* A user's own ids, another's, and what looks like ours: none is taken for one. */
static void test_ids_that_are_not_ours(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "a.b",
                                      "a:b",
                                      "r",
                                      "r-",
                                      "r1",
                                      "r1-",
                                      "r1--1",
                                      "r-1",
                                      "r--1-1",
                                      "r01-1",
                                      "r1-01",
                                      "r+1-1",
                                      "r 1-1",
                                      "r1-1-",
                                      "r1- 1",
                                      "r1-1 ",
                                      "R1-1",
                                      "r1-1-a-b",
                                      "r1-1-a.b",
                                      "r-0-1",
                                      "r9223372036854775808-1",
                                      "r1-9223372036854775808",
                                      "r1-1-0123456789abcdefg",
                                      "unknown-custom-id",
                                      "r1-1\n",
                                      "request-1",
                                      "r1-1-"
                                      "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
                                      "\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
                                      "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
                                      "\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"};
  for (size_t i = 0; i < COUNT(texts); i++) {
    BatchKey key;
    check(!batch_id_read(texts[i], &key), "'%s'", texts[i]);
  }
}

/* Adds a line and sees that its size was known. Owned. */
static char *line_of(const char *form, const BatchLine *line, Err *err) {
  Buf out;
  size_t size = 0;
  Err why = {0};
  buf_init(&out, LIMIT_REQUEST_BYTES);
  batch_line_size(batch_form_by_name(form), line, &size, &why);
  batch_line_add(batch_form_by_name(form), line, &out, err);
  check(why.rc == err->rc && (err->rc != RC_OK || size == out.n), "%s: %zu, %zu: %s", line->body,
        size, out.n, err->msg);
  return buf_take(&out);
}

static void test_forms_of_lines(void **state) {
  (void)state;
  static const struct {
    const char *form;
    BatchEndpoint endpoint;
    int is_first;
    const char *line;
  } cases[] = {
      {"openai", BATCH_CHAT, 1,
       "{\"custom_id\":\"r7-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":" BODY
       "}\n"},
      {"openai", BATCH_EMBEDDINGS, 0,
       "{\"custom_id\":\"r7-1\",\"method\":\"POST\",\"url\":\"/v1/embeddings\",\"body\":" BODY
       "}\n"},
      {"azure", BATCH_CHAT, 0,
       "{\"custom_id\":\"r7-1\",\"method\":\"POST\",\"url\":\"/chat/completions\",\"body\":" BODY
       "}\n"},
      {"groq", BATCH_CHAT, 0,
       "{\"custom_id\":\"r7-1\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":" BODY
       "}\n"},
      {"anthropic", BATCH_CHAT, 1, "{\"custom_id\":\"r7-1\",\"params\":" BODY "}"},
      {"anthropic", BATCH_CHAT, 0, ",{\"custom_id\":\"r7-1\",\"params\":" BODY "}"},
      {"mistral", BATCH_CHAT, 1,
       "{\"custom_id\":\"r7-1\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}}"
       "\n"},
      {"openrouter", BATCH_CHAT, 0,
       ",{\"custom_id\":\"r7-1\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const BatchLine line = {"r7-1", cases[i].endpoint, BODY, sizeof BODY - 1, cases[i].is_first};
    char *text = line_of(cases[i].form, &line, &err);
    check(err.rc == RC_OK && strcmp(text, cases[i].line) == 0, "%s: %s%s", cases[i].form, text,
          err.msg);
    free(text);
  }
}

/* `body` as a batch of OpenAI's has it. */
static void test_what_becomes_of_bodies(void **state) {
  (void)state;
  static const struct {
    const char *body, *sent; /* NULL: an error */
  } cases[] = {
      {"{}", "{}"},
      {" { } ", "{}"},
      {"{\"stream\":true}", "{}"},
      {"{\"stream\":true,\"a\":1}", "{\"a\":1}"},
      {"{\"a\":1,\"stream\":false,\"stream_options\":{\"include_usage\":true},\"b\":[{\"stream\":1}"
       "]}",
       "{\"a\":1,\"b\":[{\"stream\":1}]}"},
      {"{\"a\":\"x,\\\"stream\\\":true}\",\"stream\" : true }",
       "{\"a\":\"x,\\\"stream\\\":true}\"}"},
      {"{\n  \"a\" : [ 1, 2 ],\r\n\t\"b c\" : \"d  e\"\n}\n", "{\"a\":[1,2],\"b c\":\"d  e\"}"},
      {"{\"a\":\"\xE2\x80\xA8\xE2\x80\xA9\xC2\x85\"}", "{\"a\":\"\\u2028\\u2029\\u0085\"}"},
      {"{\"\xE2\x80\xA8\":1}", "{\"\\u2028\":1}"},
      {"{\"a\":\"\x0B\x0C\r\x7F\xC2\x80\xC2\x9F\xC2\xA0\"}",
       "{\"a\":\"\\u000b\\u000c\\u000d\\u007f\\u0080\\u009f\xC2\xA0\"}"},
      {"{\"a\":\"\\u2028\\n\\\\\"}", "{\"a\":\"\\u2028\\n\\\\\"}"},
      {"{\"a\":\"\xF0\x9F\x98\x80\xE2\x80\xA7\xE2\x80\xAA\"}",
       "{\"a\":\"\xF0\x9F\x98\x80\xE2\x80\xA7\xE2\x80\xAA\"}"},
      {"\xEF\xBB\xBF{\"a\":1}", "{\"a\":1}"},
      {"{\"a\":12345678901234567890,\"b\":1e400}", "{\"a\":12345678901234567890,\"b\":1e400}"},
      {"{\x04\"stream\"\x01:\x02true\x03,\x05\"a\"\x06:1\x07}", "{\"a\":1}"},
      {"[1]", NULL},
      {"\"text\"", NULL},
      {"", NULL},
      {"{\"a\":1}{}", NULL},
      {"{\"a\":", NULL},
      {"{\"a\":\"\xFF\"}", NULL},
      {"null", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    char expected[400];
    const BatchLine line = {"r1-1", BATCH_CHAT, cases[i].body, strlen(cases[i].body), 1};
    char *text = line_of("openai", &line, &err);
    snprintf(expected, sizeof expected,
             "{\"custom_id\":\"r1-1\",\"method\":\"POST\",\"url\":\"/v1/chat/"
             "completions\",\"body\":%s}\n",
             cases[i].sent ? cases[i].sent : "");
    check((err.rc == RC_OK) == (cases[i].sent != NULL), "%s: %s", cases[i].body, err.msg);
    check(!cases[i].sent || strcmp(text, expected) == 0, "%s: %s", cases[i].body, text);
    free(text);
  }
}

/* A06: whoever splits our upload as Python, JavaScript or Java do, has the lines that we have. */
static void test_no_other_line_ends(void **state) {
  (void)state;
  Buf body, out;
  Err err = {0};
  buf_init(&body, 100000);
  buf_init(&out, 100000);
  buf_puts(&body, "{\"a\":\"");
  for (unsigned c = 1; c < 0x3000;
       c++) { /* every character that could be one, but for what JSON does not take */
    char utf8[4];
    if (c != '"' && c != '\\') {
      buf_add(&body, utf8, utf8_encode(c, utf8));
    }
  }
  buf_puts(&body, "\"}");
  const BatchLine line = {"r1-1", BATCH_CHAT, body.data, body.n, 1};
  assert_int_equal(batch_line_add(batch_form_by_name("openai"), &line, &out, &err), RC_OK);
  for (size_t i = 0; i + 1 < out.n; i++) {
    const unsigned char *p = (const unsigned char *)out.data + i;
    check(*p >= 0x20 && *p != 0x7F && !(p[0] == 0xC2 && p[1] < 0xA0), "byte %zu is %02x", i, *p);
    check(!(p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)), "byte %zu", i);
  }
  cJSON *before = tree_of(body.data), *after = tree_of(out.data);
  check(cJSON_Compare(before, cJSON_GetObjectItem(after, "body"), 1), "the text changed");
  cJSON_Delete(before);
  cJSON_Delete(after);
  buf_free(&body);
  buf_free(&out);
}

static void test_lines_that_do_not_go(void **state) {
  (void)state;
  Buf small;
  Err err = {0};
  size_t size;
  const BatchLine line = {"r1-1", BATCH_EMBEDDINGS, BODY, sizeof BODY - 1, 1};
  assert_int_not_equal(batch_line_size(batch_form_by_name("groq"), &line, &size, &err), RC_OK);
  check_error(&err, "bad_api", "groq takes no batches of embeddings", "groq");
  err_clear(&err);
  buf_init(&small, 60);
  batch_line_add(batch_form_by_name("openai"), &line, &small, &err);
  check_error(&err, "too_big", "the line is over 60 bytes", "small");
  buf_free(&small);
}

static void test_creating_bodies(void **state) {
  (void)state;
  static const struct {
    const char *form;
    BatchCreate create;
    const char *body;
  } cases[] = {
      {"openai",
       {BATCH_CHAT, "file-1", "m", NULL, 0, 0},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/"
       "completions\",\"completion_window\":\"24h\"}"},
      {"openai",
       {BATCH_EMBEDDINGS, "file-1", "m", "b-7", 72, 86400},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/"
       "embeddings\",\"completion_window\":\"24h\","
       "\"metadata\":{\"llmcost\":\"b-7\"},\"output_expires_after\":{\"anchor\":\"created_at\","
       "\"seconds\":86400}}"},
      {"openai",
       {BATCH_CHAT, "file-1", "m", "", 0, 1},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/"
       "completions\",\"completion_window\":\"24h\","
       "\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":3600}}"},
      {"openai",
       {BATCH_CHAT, "file-1", "m", "", 0, 99999999},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/"
       "completions\",\"completion_window\":\"24h\","
       "\"output_expires_after\":{\"anchor\":\"created_at\",\"seconds\":2592000}}"},
      {"azure",
       {BATCH_CHAT, "file-1", "m", "b", 0, 3600},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/chat/"
       "completions\",\"completion_window\":\"24h\","
       "\"metadata\":{\"llmcost\":\"b\"}}"},
      {"groq",
       {BATCH_CHAT, "file-1", "m", "b", 168, 0},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/"
       "completions\",\"completion_window\":\"7d\","
       "\"metadata\":{\"llmcost\":\"b\"}}"},
      {"groq",
       {BATCH_CHAT, "file-1", "m", NULL, 30, 0},
       "{\"input_file_id\":\"file-1\",\"endpoint\":\"/v1/chat/"
       "completions\",\"completion_window\":\"30h\"}"},
      {"mistral",
       {BATCH_CHAT, "f", "mistral-small-2603", "b", 12, 5},
       "{\"input_files\":[\"f\"],\"model\":\"mistral-small-2603\",\"endpoint\":\"/v1/chat/"
       "completions\","
       "\"timeout_hours\":12,\"metadata\":{\"llmcost\":\"b\"}}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    Err err = {0};
    buf_init(&out, 10000);
    int rc = batch_create_body(batch_form_by_name(cases[i].form), &cases[i].create, &out, &err);
    check(rc == RC_OK && strcmp(out.data, cases[i].body) == 0, "%zu: %s%s", i, out.data, err.msg);
    buf_free(&out);
  }
}

/* Head, lines and tail are one body, with the members in front that are read first; its size is known before. */
static void test_inline_bodies(void **state) {
  (void)state;
  static const struct {
    const char *form, *body;
  } cases[] = {
      {"anthropic", "{\"requests\":[{\"custom_id\":\"r1-1\",\"params\":" BODY
                    "},{\"custom_id\":\"r2-1\",\"params\":" BODY "}]}"},
      {"openrouter", "{\"endpoint\":\"/v1/chat/"
                     "completions\",\"model\":\"m\\\"\",\"requests\":[{\"custom_id\":\"r1-1\","
                     "\"body\":{\"messages\":"
                     "[{\"role\":\"user\",\"content\":\"q\"}]}},{\"custom_id\":\"r2-1\",\"body\":{"
                     "\"messages\":[{\"role\":\"user\",\"content\":"
                     "\"q\"}]}}]}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    Err err = {0};
    const BatchForm *form = batch_form_by_name(cases[i].form);
    const BatchCreate create = {.endpoint = BATCH_CHAT, .model = "m\"", .mark = "b"};
    buf_init(&out, 10000);
    batch_create_head(form, &create, &out, &err);
    for (int k = 0; k < 2; k++) {
      char id[BATCH_ID];
      batch_id_write(k + 1, 1, NULL, id);
      batch_line_add(form, &(BatchLine){id, BATCH_CHAT, BODY, sizeof BODY - 1, k == 0}, &out, &err);
    }
    batch_create_tail(&out, &err);
    check(err.rc == RC_OK && strcmp(out.data, cases[i].body) == 0, "%s: %s", out.data, err.msg);
    cJSON_Delete(tree_of(out.data));
    buf_free(&out);
  }
}

static void test_uploads(void **state) {
  (void)state;
  Buf out;
  Err err = {0};
  buf_init(&out, 10000);
  batch_upload_head(batch_form_by_name("openai"), "b-7\r\n\"x", &out, &err);
  buf_puts(&out, "{}\n");
  batch_upload_tail(&out, &err);
  assert_int_equal(err.rc, RC_OK);
  assert_string_equal(
      out.data,
      "--llmcost-batch-file\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
      "--llmcost-batch-file\r\nContent-Disposition: form-data; name=\"file\"; "
      "filename=\"llmcost-b-7___x.jsonl\"\r\nContent-Type: application/jsonl\r\n\r\n{}\n\r\n"
      "--llmcost-batch-file--\r\n");
  assert_int_not_equal(batch_upload_head(batch_form_by_name("anthropic"), "b", &out, &err), RC_OK);
  buf_free(&out);
}

/* What the request builder makes goes into every form that takes its API. */
static void test_built_requests(void **state) {
  (void)state;
  for (int i = 0; batch_form_at(i); i++) {
    const BatchForm *form = batch_form_at(i);
    const Model model = MODEL("m", form->name, form->api, "", "", "", 0, 0);
    const Sending how = {.streams = 1, .wants_usage = 1};
    const char options[] = "{\"max_tokens\":5,\"system\":\"s \\u2028\"}";
    Options o;
    Request r;
    Buf body;
    Err err = {0};
    buf_init(&body, LIMIT_REQUEST_BYTES);
    options_parse(options, sizeof options - 1, &o, &err);
    request_from_prompt("q\nq", 3, &o, &r, &err);
    check(provider_api(form->api)->build(&r, &model, &how, &body, &err) == RC_OK, "%s", err.msg);
    char *text = line_of(form->name, &(BatchLine){"r1-1", BATCH_CHAT, body.data, body.n, 1}, &err);
    cJSON *line = tree_of(text), *sent = cJSON_GetObjectItem(line, form->body_name);
    check(sent && cJSON_HasObjectItem(sent, "messages") && !cJSON_HasObjectItem(sent, "stream") &&
              !cJSON_HasObjectItem(sent, "stream_options"),
          "%s", text);
    check(cJSON_HasObjectItem(sent, "model") == !form->model_in_job, "%s", text);
    cJSON_Delete(line);
    free(text);
    buf_free(&body);
    request_free(&r);
    options_free(&o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ids_there_and_back),
      cmocka_unit_test(test_ids_that_are_not_ours),
      cmocka_unit_test(test_forms_of_lines),
      cmocka_unit_test(test_what_becomes_of_bodies),
      cmocka_unit_test(test_no_other_line_ends),
      cmocka_unit_test(test_lines_that_do_not_go),
      cmocka_unit_test(test_creating_bodies),
      cmocka_unit_test(test_inline_bodies),
      cmocka_unit_test(test_uploads),
      cmocka_unit_test(test_built_requests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
