/*
** Forms of batch APIs: whose a model gets, what there is instead, windows, and paths that no id can lead astray.
*/
#include "unit.h"

#include "wire/batch/form.h"

#include <stdio.h>

static const Model haiku = MODEL("claude-haiku-4-5", "anthropic", "anthropic", "", "", "", 0, 0);

static void test_who_has_which(void **state) {
  (void)state;
  static const struct {
    Model model;
    const char *form; /* NULL: none */
    const char *says;
  } cases[] = {
      {MODEL("gpt-4o-mini", "openai", "openai", "", "", "", 0, 0), "openai", ""},
      {MODEL("gpt-4o-mini", "OpenAI", "openai", "http://127.0.0.1:1/v1", "", "", 0, 0), "openai",
       ""},
      {MODEL("my-deployment", "azure", "openai", "", "", "", 0, 0), "azure", ""},
      {MODEL("openai/gpt-oss-20b", "groq", "openai", "", "", "", 0, 0), "groq", ""},
      {MODEL("openai/gpt-4o", "openrouter", "openai", "", "", "", 0, 0), "openrouter", ""},
      {MODEL("claude-haiku-4-5", "anthropic", "anthropic", "", "", "", 0, 0), "anthropic", ""},
      {MODEL("mistral-small-2603", "mistral", "openai", "", "", "", 0, 0), "mistral", ""},
      {MODEL("own", "vllm", "openai", "", "", "{\"batch\":\"openai\"}", 0, 0), "openai", ""},
      {MODEL("gpt-4o", "openai", "openai", "", "", "{\"batch\":false}", 0, 0), NULL,
       "no batch API"},
      {MODEL("gpt-4o", "openai", "openai", "", "", "{\"batch\":true}", 0, 0), "openai", ""},
      {MODEL("gpt-4o", "openai", "openai", "", "", "{\"batch\":\"none\"}", 0, 0), NULL,
       "'none' (valid: 'openai'"},
      {MODEL("claude-haiku-4-5", "anthropic", "openai", "", "", "", 0, 0), NULL, "llm_map"},
      {MODEL("gemini-2.5-flash", "google", "openai", "", "", "", 0, 0), NULL,
       "'openrouter/google/…'"},
      {MODEL("deepseek-v4-flash", "deepseek", "openai", "", "", "", 0, 0), NULL,
       "'openrouter/deepseek/…'"},
      {MODEL("llama3.2", "ollama", "openai", "", "", "", 0, 0), NULL, "llm_map (now"},
      {MODEL("x", "nobody-knows", "openai", "", "", "", 0, 0), NULL, "'mistral'"},
      {MODEL("x", "", "openai", "", "", "", 0, 0), NULL, "llm_map"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const BatchForm *form = batch_form_of(&cases[i].model, &err);
    const char *name = form ? form->name : "", *expected = cases[i].form ? cases[i].form : "";
    check(strcmp(name, expected) == 0, "%s of %s: '%s' %s", cases[i].model.name,
          cases[i].model.provider, name, err.msg);
    check((form != NULL) == (err.rc == RC_OK) && strstr(err.msg, cases[i].says), "%s: %s",
          cases[i].model.name, err.msg);
    check(!form || form->api == NULL || strcmp(form->api, cases[i].model.api) == 0, "%s", name);
  }
}

/* What every row of the table must have, so that nobody need ask. */
static void test_rows(void **state) {
  (void)state;
  int n = 0;
  for (const BatchForm *f; (f = batch_form_at(n)) != NULL; n++) {
    check(batch_form_by_name(f->name) == f, "%s", f->name);
    check(f->endpoints[BATCH_CHAT] && f->body_name && f->cursor_name, "%s", f->name);
    check(f->most_requests > 0 && f->most_bytes >= 100000000, "%s", f->name);
    check(f->window_least <= f->window_usual && f->window_usual <= f->window_most, "%s", f->name);
    check(f->paths[BATCH_CREATE] && f->paths[BATCH_GET] && f->paths[BATCH_LIST] &&
              f->paths[BATCH_RESULTS],
          "%s", f->name);
    check((f->paths[BATCH_UPLOAD] != NULL) == f->takes_file, "%s", f->name);
    check(!f->takes_file || (f->paths[BATCH_DELETE_FILE] && !f->results_by_batch), "%s", f->name);
    check(f->keep_least <= f->keep_most, "%s", f->name);
    check(!f->most_inputs || f->endpoints[BATCH_EMBEDDINGS], "%s", f->name);
  }
  assert_int_equal(n, 6);
  assert_null(batch_form_at(-1));
  assert_int_equal(batch_form_by_name("openrouter")->most_requests, 5000);
  assert_int_equal(batch_form_by_name("azure")->most_requests, 100000);
  assert_int_equal(batch_form_by_name("anthropic")->results_days, 29);
  assert_null(batch_form_by_name("groq")->endpoints[BATCH_EMBEDDINGS]);
}

static void test_windows(void **state) {
  (void)state;
  const BatchForm *groq = batch_form_by_name("groq"), *mistral = batch_form_by_name("mistral");
  assert_int_equal(batch_form_window(groq, 0), 24);
  assert_int_equal(batch_form_window(groq, 5), 24);
  assert_int_equal(batch_form_window(groq, 72), 72);
  assert_int_equal(batch_form_window(groq, 1000000), 168);
  assert_int_equal(batch_form_window(mistral, 168), 167);
  assert_int_equal(batch_form_window(mistral, 3), 3);
  assert_int_equal(batch_form_window(batch_form_by_name("openai"), 48), 24);
}

static void test_paths(void **state) {
  (void)state;
  static const struct {
    const char *form;
    BatchStep step;
    const char *id, *cursor, *method, *path; /* NULL: an error */
  } cases[] = {
      {"openai", BATCH_UPLOAD, NULL, NULL, "POST", "/files"},
      {"openai", BATCH_CREATE, NULL, NULL, "POST", "/batches"},
      {"openai", BATCH_GET, "batch_1", NULL, "GET", "/batches/batch_1"},
      {"openai", BATCH_LIST, NULL, "", "GET", "/batches?limit=100"},
      {"openai", BATCH_LIST, NULL, "batch_1", "GET", "/batches?limit=100&after=batch_1"},
      {"openai", BATCH_CANCEL, "batch_1", NULL, "POST", "/batches/batch_1/cancel"},
      {"openai", BATCH_RESULTS, "file-1", NULL, "GET", "/files/file-1/content"},
      {"openai", BATCH_DELETE_FILE, "file-1", NULL, "DELETE", "/files/file-1"},
      {"openai", BATCH_DELETE, "batch_1", NULL, NULL, NULL},
      {"anthropic", BATCH_UPLOAD, NULL, NULL, NULL, NULL},
      {"anthropic", BATCH_CREATE, NULL, NULL, "POST", "/messages/batches"},
      {"anthropic", BATCH_RESULTS, "msgbatch_1", NULL, "GET",
       "/messages/batches/msgbatch_1/results"},
      {"anthropic", BATCH_LIST, NULL, "a&b=c", "GET",
       "/messages/batches?limit=100&after_id=a%26b%3Dc"},
      {"anthropic", BATCH_DELETE, "msgbatch_1", NULL, "DELETE", "/messages/batches/msgbatch_1"},
      {"mistral", BATCH_CREATE, NULL, NULL, "POST", "/batch/jobs"},
      {"mistral", BATCH_LIST, NULL, "3", "GET", "/batch/jobs?page_size=100&page=3"},
      {"mistral", BATCH_GET, "1e2a-4b", NULL, "GET", "/batch/jobs/1e2a-4b"},
      {"openrouter", BATCH_LIST, NULL, "x", "GET", "/batches?cursor=x"},
      {"openrouter", BATCH_RESULTS, "b", "\xC3\xA4", "GET", "/batches/b/results?cursor=%C3%A4"},
      {"openrouter", BATCH_CANCEL, "b", NULL, NULL, NULL},
      {"openai", BATCH_GET, "../files", NULL, NULL, NULL},
      {"openai", BATCH_GET, "a..b", NULL, NULL, NULL},
      {"openai", BATCH_GET, "a/b", NULL, NULL, NULL},
      {"openai", BATCH_GET, "a?b", NULL, NULL, NULL},
      {"openai", BATCH_GET, "a\r\nHost: x", NULL, NULL, NULL},
      {"openai", BATCH_GET, "https://elsewhere", NULL, NULL, NULL},
      {"openai", BATCH_GET, "", NULL, NULL, NULL},
      {"openai", BATCH_GET, NULL, NULL, NULL, NULL},
      {"openai", BATCH_GET, "\xC3\xA4", NULL, NULL, NULL},
      {"openai", BATCH_GET, "a%2e", NULL, NULL, NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    Err err = {0};
    const char *method = "";
    buf_init(&out, 1000);
    int rc = batch_form_path(batch_form_by_name(cases[i].form), cases[i].step, cases[i].id,
                             cases[i].cursor, &out, &method, &err);
    check(rc == err.rc && (rc == RC_OK) == (cases[i].path != NULL), "%zu: %s", i, err.msg);
    check(rc != RC_OK ||
              (strcmp(out.data, cases[i].path) == 0 && strcmp(method, cases[i].method) == 0),
          "%zu: %s %s", i, method, out.data);
    buf_free(&out);
  }
}

static void test_alternatives_stay_readable(void **state) {
  (void)state;
  Err err = {0};
  Model model = haiku;
  model.provider = "deepseek";
  assert_null(batch_form_of(&model, &err));
  check_error(&err, "bad_api", "it has no batch API. Instead: the same model as", "deepseek");
  check(strlen(err.msg) < LIMIT_ERROR_TEXT - 1, "%s", err.msg);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_who_has_which),
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_windows),
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_alternatives_stay_readable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
