/*
** Batches as providers show them: states that are no outcomes (A01, A02), counts that say nothing, refusals after the acceptance
** (A12), what is gone (A17), lists; and what other answers mean for what is done next (A11, A14).
*/
#include "unit.h"

#include "wire/batch/status.h"

#include <stdio.h>

#define TIMES "\"created_at\":1711471533,\"expires_at\":1711557933"

typedef struct Shown {
  const char *name, *form, *body;
  BatchState state;
  long long total, done, failed;
  const char *output, *error; /* files */
  int has_results, is_gone;
  BatchTrouble trouble;
} Shown;

static void check_shown(const Shown *c, const BatchStatus *s) {
  check(s->state == c->state, "%s: %s", c->name, batch_state_word(s->state));
  check(s->total == c->total && s->done == c->done && s->failed == c->failed,
        "%s: %lld, %lld, %lld", c->name, s->total, s->done, s->failed);
  check(strcmp(s->output_file, c->output) == 0 && strcmp(s->error_file, c->error) == 0,
        "%s: '%s', '%s'", c->name, s->output_file, s->error_file);
  check(s->has_results == c->has_results && s->is_gone == c->is_gone, "%s: %d, %d", c->name,
        s->has_results, s->is_gone);
  check(s->trouble == c->trouble, "%s: %s", c->name, batch_trouble_word(s->trouble));
}

static void check_all(const Shown *cases, size_t n) {
  for (size_t i = 0; i < n; i++) {
    BatchStatus s;
    Err err = {0};
    int rc = batch_status_read(batch_form_by_name(cases[i].form), cases[i].body,
                               strlen(cases[i].body), &s, &err);
    check(rc == RC_OK, "%s: %s", cases[i].name, err.msg);
    check_shown(&cases[i], &s);
    batch_status_free(&s);
    batch_status_free(&s);
  }
}

static void test_openai(void **state) {
  (void)state;
  static const Shown cases[] = {
      {"created", "openai",
       "{\"id\":\"batch_1\",\"object\":\"batch\",\"errors\":null,\"status\":\"validating\","
       "\"output_file_id\":null,"
       "\"request_counts\":{\"total\":0,\"completed\":0,\"failed\":0},\"metadata\":{\"llmcost\":"
       "\"b-7\"}}",
       BATCH_VALIDATING, -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"running", "openai",
       "{\"id\":\"batch_1\",\"status\":\"in_progress\",\"request_counts\":{\"total\":10,"
       "\"completed\":4,\"failed\":1}}",
       BATCH_RUNNING, 10, 4, 1, "", "", 0, 0, TROUBLE_NONE},
      {"finalizing", "openai", "{\"id\":\"batch_1\",\"status\":\"finalizing\"}", BATCH_FINALIZING,
       -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"A01: all failed", "openai",
       "{\"id\":\"batch_1\",\"status\":\"completed\",\"output_file_id\":null,\"error_file_id\":"
       "\"file-e\","
       "\"request_counts\":{\"total\":3,\"completed\":0,\"failed\":3}}",
       BATCH_ENDED, 3, 0, 3, "", "file-e", 1, 0, TROUBLE_NONE},
      {"A01: both files", "openai",
       "{\"id\":\"batch_1\",\"status\":\"completed\",\"output_file_id\":\"file-o\",\"error_file_"
       "id\":\"file-e\","
       "\"request_counts\":{\"total\":3,\"completed\":2,\"failed\":1}}",
       BATCH_ENDED, 3, 2, 1, "file-o", "file-e", 1, 0, TROUBLE_NONE},
      {"A01: no file, no counts", "openai",
       "{\"id\":\"batch_1\",\"status\":\"completed\",\"request_counts\":{\"total\":0,\"completed\":"
       "0,\"failed\":0}}",
       BATCH_ENDED, -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"A02: expired with answers", "openai",
       "{\"id\":\"batch_1\",\"status\":\"expired\",\"output_file_id\":\"file-o\",\"error_file_id\":"
       "\"\","
       "\"request_counts\":{\"total\":10,\"completed\":1,\"failed\":0}}",
       BATCH_EXPIRED, 10, 1, 0, "file-o", "", 1, 0, TROUBLE_NONE},
      {"A02: failed with answers", "openai",
       "{\"id\":\"batch_1\",\"status\":\"failed\",\"output_file_id\":\"file-o\"}", BATCH_FAILED, -1,
       -1, -1, "file-o", "", 1, 0, TROUBLE_NONE},
      {"A03: cancelling", "openai",
       "{\"id\":\"batch_1\",\"status\":\"cancelling\",\"request_counts\":{\"total\":2000,"
       "\"completed\":33,\"failed\":0}}",
       BATCH_CANCELLING, 2000, 33, 0, "", "", 0, 0, TROUBLE_NONE},
      {"A12: no room", "openai",
       "{\"id\":\"batch_1\",\"status\":\"failed\",\"errors\":{\"object\":\"list\",\"data\":[{"
       "\"code\":\"token_limit_exceeded\","
       "\"line\":null,\"message\":\"Enqueued token limit reached for gpt-4o in organization "
       "o.\",\"param\":null}]},"
       "\"request_counts\":{\"total\":0,\"completed\":0,\"failed\":0}}",
       BATCH_FAILED, -1, -1, -1, "", "", 0, 0, TROUBLE_QUEUE_FULL},
      {"Azure: an error file that is empty", "azure",
       "{\"id\":\"batch_1\",\"status\":\"Completed\",\"output_file_id\":\"file-o\",\"error_file_"
       "id\":\"file-e\"}",
       BATCH_ENDED, -1, -1, -1, "file-o", "file-e", 1, 0, TROUBLE_NONE},
      {"Azure: too many", "azure",
       "{\"id\":\"b\",\"status\":\"failed\",\"errors\":{\"data\":[{\"code\":\"too_many_tasks\","
       "\"message\":\"m\",\"line\":null}]}}",
       BATCH_FAILED, -1, -1, -1, "", "", 0, 0, TROUBLE_TOO_LARGE},
      {"Together puts it beside a warning", "openai",
       "{\"job\":{\"id\":\"b\",\"status\":\"IN_PROGRESS\"},\"warning\":\"w\"}", BATCH_RUNNING, -1,
       -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"a new word", "openai", "{\"id\":\"b\",\"status\":\"pondering\"}", BATCH_UNKNOWN, -1, -1, -1,
       "", "", 0, 0, TROUBLE_NONE},
      {"wrong types", "openai",
       "{\"id\":\"b\",\"status\":\"completed\",\"request_counts\":{\"total\":\"3\",\"completed\":-"
       "1,\"failed\":1e300},"
       "\"output_file_id\":7,\"errors\":\"no\",\"metadata\":[1],\"usage\":3,\"created_at\":{},"
       "\"expires_at\":-5}",
       BATCH_ENDED, -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
  };
  check_all(cases, COUNT(cases));
}

static void test_others(void **state) {
  (void)state;
  static const Shown cases[] = {
      {"Anthropic, under way", "anthropic",
       "{\"id\":\"msgbatch_1\",\"processing_status\":\"in_progress\",\"request_counts\":{"
       "\"processing\":100,\"succeeded\":0,"
       "\"errored\":0,\"canceled\":0,\"expired\":0},\"results_url\":null,\"archived_at\":null}",
       BATCH_RUNNING, 100, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"Anthropic, cancelling", "anthropic",
       "{\"id\":\"msgbatch_1\",\"processing_status\":\"canceling\",\"request_counts\":{"
       "\"processing\":5}}",
       BATCH_CANCELLING, 5, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"Anthropic, ended", "anthropic",
       "{\"id\":\"msgbatch_1\",\"processing_status\":\"ended\",\"request_counts\":{\"processing\":"
       "0,\"succeeded\":50,\"errored\":"
       "30,\"canceled\":10,\"expired\":10},\"results_url\":\"https://elsewhere.example/results\"}",
       BATCH_ENDED, 100, 50, 50, "", "", 1, 0, TROUBLE_NONE},
      {"A17: Anthropic, results gone", "anthropic",
       "{\"id\":\"msgbatch_1\",\"processing_status\":\"ended\",\"request_counts\":{\"processing\":"
       "0,\"succeeded\":1,\"errored\":0,"
       "\"canceled\":0,\"expired\":0},\"results_url\":null,\"archived_at\":\"2026-10-01T00:00:"
       "00Z\"}",
       BATCH_ENDED, 1, 1, 0, "", "", 0, 1, TROUBLE_NONE},
      {"Mistral, queued", "mistral",
       "{\"id\":\"j\",\"object\":\"batch\",\"input_files\":[\"f\"],\"status\":\"QUEUED\",\"total_"
       "requests\":7,\"completed_requests\":"
       "0,\"succeeded_requests\":0,\"failed_requests\":0,\"errors\":[]}",
       BATCH_VALIDATING, 7, 0, 0, "", "", 0, 0, TROUBLE_NONE},
      {"Mistral, done", "mistral",
       "{\"id\":\"j\",\"status\":\"SUCCESS\",\"output_file\":\"o\",\"error_file\":null,\"total_"
       "requests\":7,\"completed_requests\":7,"
       "\"succeeded_requests\":6,\"failed_requests\":1,\"errors\":[{\"message\":\"rate\",\"count\":"
       "1}]}",
       BATCH_ENDED, 7, 6, 1, "o", "", 1, 0, TROUBLE_REFUSED},
      {"Mistral, out of time", "mistral",
       "{\"id\":\"j\",\"status\":\"TIMEOUT_EXCEEDED\",\"output_file\":\"o\"}", BATCH_EXPIRED, -1,
       -1, -1, "o", "", 1, 0, TROUBLE_NONE},
      {"Mistral, to be cancelled", "mistral",
       "{\"id\":\"j\",\"status\":\"CANCELLATION_REQUESTED\"}", BATCH_CANCELLING, -1, -1, -1, "", "",
       0, 0, TROUBLE_NONE},
      {"OpenRouter, accepted", "openrouter",
       "{\"id\":\"b\",\"status\":\"validating\",\"results\":null,\"error\":null}", BATCH_VALIDATING,
       -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
      {"OpenRouter, done", "openrouter",
       "{\"id\":\"b\",\"status\":\"completed\",\"request_counts\":{\"total\":2,\"completed\":1,"
       "\"failed\":1},\"results\":[]}",
       BATCH_ENDED, 2, 1, 1, "", "", 1, 0, TROUBLE_NONE},
      {"OpenRouter, refused after it was accepted", "openrouter",
       "{\"id\":\"b\",\"status\":\"failed\",\"error\":{\"message\":\"Batch does not support this "
       "content\"}}",
       BATCH_FAILED, -1, -1, -1, "", "", 1, 0, TROUBLE_REFUSED},
      {"Gemini's words", "openai", "{\"id\":\"b\",\"state\":\"BATCH_STATE_SUCCEEDED\"}",
       BATCH_ENDED, -1, -1, -1, "", "", 0, 0, TROUBLE_NONE},
  };
  check_all(cases, COUNT(cases));
}

static void test_words_of_states(void **state) {
  (void)state;
  static const struct {
    const char *word;
    BatchState state;
    int is_over;
  } cases[] = {
      {"validating", BATCH_VALIDATING, 0},
      {"in_progress", BATCH_RUNNING, 0},
      {"finalizing", BATCH_FINALIZING, 0},
      {"completed", BATCH_ENDED, 1},
      {"failed", BATCH_FAILED, 1},
      {"expired", BATCH_EXPIRED, 1},
      {"cancelling", BATCH_CANCELLING, 0},
      {"cancelled", BATCH_CANCELLED, 1},
      {"canceling", BATCH_CANCELLING, 0},
      {"ended", BATCH_ENDED, 1},
      {"RUNNING", BATCH_RUNNING, 0},
      {"CANCELLED", BATCH_CANCELLED, 1},
      {"FAILED", BATCH_FAILED, 1},
      {"JOB_STATE_PENDING", BATCH_VALIDATING, 0},
      {"", BATCH_UNKNOWN, 0},
      {"JOB_STATE_", BATCH_UNKNOWN, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchState s = batch_state_of(cases[i].word);
    check(s == cases[i].state && batch_state_is_over(s) == cases[i].is_over, "%s: %s",
          cases[i].word, batch_state_word(s));
  }
}

static void test_details(void **state) {
  (void)state;
  static const char openai[] =
      "{\"id\":\"batch_1\",\"status\":\"completed\",\"input_file_id\":\"file-i\"," TIMES
      ",\"completed_at\":1711493163,"
      "\"usage\":{\"input_tokens\":1500,\"input_tokens_details\":{\"cached_tokens\":1024},\"output_"
      "tokens\":500,"
      "\"output_tokens_details\":{\"reasoning_tokens\":300},\"total_tokens\":2000},\"metadata\":{"
      "\"llmcost\":\"b-7\",\"x\":\"y\"}}";
  static const char anthropic[] =
      "{\"id\":\"m\",\"processing_status\":\"ended\",\"created_at\":\"2024-09-24T18:37:24."
      "100435Z\","
      "\"expires_at\":\"2024-09-25T20:37:24+02:00\",\"ended_at\":\"2024-09-24T18:37:24-01:30\"}";
  static const char router[] =
      "{\"id\":\"b\",\"status\":\"completed\",\"created_at\":1762867031064,\"usage\":{\"prompt_"
      "tokens\":3,\"completion_tokens\":4,"
      "\"cost\":0.0012345}}";
  BatchStatus s;
  Err err = {0};
  batch_status_read(batch_form_by_name("openai"), openai, sizeof openai - 1, &s, &err);
  assert_string_equal(s.input_file, "file-i");
  assert_string_equal(s.mark, "b-7");
  check(s.created_ms == 1711471533000 && s.expires_ms == 1711557933000 &&
            s.ends_ms == 1711493163000,
        "%lld", s.created_ms);
  check(s.input_tokens == 1500 && s.cached_tokens == 1024 && s.output_tokens == 500 &&
            s.reasoning_tokens == 300 && s.cost_nusd == -1,
        "%lld", s.input_tokens);
  batch_status_read(batch_form_by_name("anthropic"), anthropic, sizeof anthropic - 1, &s, &err);
  check(s.created_ms == 1727203044000 && s.expires_ms == 1727203044000 + 86400000 &&
            s.ends_ms == 1727203044000 + 5400000,
        "%lld %lld %lld", s.created_ms, s.expires_ms, s.ends_ms);
  check(s.input_tokens == -1 && !s.mark[0], "%lld", s.input_tokens);
  batch_status_read(batch_form_by_name("openrouter"), router, sizeof router - 1, &s, &err);
  check(s.created_ms == 1762867031064 && s.cost_nusd == 1234500 && s.input_tokens == 3, "%lld",
        s.cost_nusd);
  assert_int_equal(err.rc, RC_OK);
}

/* Which line is wrong is told line by line; what stopped the whole counts for more. */
static void test_complaints(void **state) {
  (void)state;
  static const char lines[] =
      "{\"id\":\"b\",\"status\":\"failed\",\"errors\":{\"object\":\"list\",\"data\":["
      "{\"code\":\"invalid_json_line\",\"line\":3,\"message\":\"not parseable\",\"param\":null},"
      "{\"code\":\"whatever\",\"line\":7,\"message\":\"a\\nb\"},{\"line\":9},null,\"words\"]}}";
  static const char both[] = "{\"id\":\"b\",\"status\":\"failed\",\"errors\":{\"data\":[{\"code\":"
                             "\"invalid_url\",\"line\":1},"
                             "{\"code\":\"token_limit_exceeded\",\"line\":null}]}}";
  BatchStatus s;
  Err err = {0};
  batch_status_read(batch_form_by_name("openai"), lines, sizeof lines - 1, &s, &err);
  check(s.n_errors == 5 && s.all_errors == 5 && s.trouble == TROUBLE_INVALID, "%d %s", s.n_errors,
        batch_trouble_word(s.trouble));
  check(s.errors[0].line == 3 && strcmp(s.errors[0].word, "invalid_json_line") == 0, "%lld",
        s.errors[0].line);
  check(s.errors[1].line == 7 && s.errors[1].trouble == TROUBLE_INVALID &&
            strcmp(s.errors[1].message, "a b") == 0,
        "%s", s.errors[1].message);
  assert_string_equal(s.errors[4].message, "words");
  batch_status_free(&s);
  batch_status_read(batch_form_by_name("openai"), both, sizeof both - 1, &s, &err);
  assert_int_equal(s.trouble, TROUBLE_QUEUE_FULL);
  batch_status_free(&s);
}

static void test_what_is_no_batch(void **state) {
  (void)state;
  static const char *const bodies[] = {"",
                                       "null",
                                       "[]",
                                       "\"x\"",
                                       "{}",
                                       "{\"id\":\"b\"}",
                                       "{\"status\":\"completed\"}",
                                       "{\"id\":null,\"status\":\"x\"}",
                                       "{\"id\":\"b\",\"status\":3}",
                                       "{\"id\":\"b\",\"status\":",
                                       "<html>",
                                       "{\"error\":{\"message\":\"m\"}}",
                                       "{\"id\":{\"id\":\"b\"},\"status\":\"failed\"}"};
  for (size_t i = 0; i < COUNT(bodies); i++) {
    BatchStatus s;
    Err err = {0};
    batch_status_read(batch_form_by_name("openai"), bodies[i], strlen(bodies[i]), &s, &err);
    check(err.rc == RC_ERROR, "%s: %s", bodies[i], err.msg);
    batch_status_free(&s);
  }
}

static void test_uploaded_files(void **state) {
  (void)state;
  static const char body[] = "{\"id\":\"file-1\",\"object\":\"file\",\"purpose\":\"batch\"}";
  char id[BATCH_NAME];
  Err err = {0};
  assert_int_equal(batch_file_read(body, sizeof body - 1, id, &err), RC_OK);
  assert_string_equal(id, "file-1");
  assert_int_not_equal(batch_file_read("{}", 2, id, &err), RC_OK);
  check_error(&err, "bad_answer", "no file's id", "upload");
}

static void test_lists(void **state) {
  (void)state;
  static const struct {
    const char *form, *cursor, *body;
    int n, unread;
    const char *next;
  } cases[] = {
      {"openai", NULL, "{\"object\":\"list\",\"data\":[],\"has_more\":false}", 0, 0, ""},
      {"openai", "",
       "{\"data\":[{\"id\":\"a\",\"status\":\"failed\"},{\"id\":\"b\",\"status\":\"failed\"}],"
       "\"has_more\":true,\"last_id\":"
       "\"b\"}",
       2, 0, "b"},
      {"openai", "", "{\"data\":[{\"id\":\"a\",\"status\":\"failed\"}],\"has_more\":true}", 1, 0,
       "a"},
      {"openai", "b",
       "{\"data\":[{\"id\":\"b\",\"status\":\"failed\"}],\"has_more\":true,\"last_id\":\"b\"}", 1,
       0, ""},
      {"openai", "", "{\"data\":[],\"has_more\":true,\"last_id\":\"b\"}", 0, 0, ""},
      {"openai", "",
       "{\"data\":[null,{\"id\":\"a\",\"status\":\"failed\"},7,{\"id\":\"x\"}],\"has_more\":false}",
       1, 3, ""},
      {"openai", "", "{\"data\":null}", 0, 0, ""},
      {"anthropic", "",
       "{\"data\":[{\"id\":\"a\",\"processing_status\":\"ended\"}],\"has_more\":true,\"first_id\":"
       "\"a\",\"last_id\":\"a\"}",
       1, 0, "a"},
      {"mistral", "",
       "{\"data\":[{\"id\":\"a\",\"status\":\"QUEUED\"}],\"object\":\"list\",\"total\":201}", 1, 0,
       "1"},
      {"mistral", "1", "{\"data\":[{\"id\":\"a\",\"status\":\"QUEUED\"}],\"total\":201}", 1, 0,
       "2"},
      {"mistral", "2", "{\"data\":[{\"id\":\"a\",\"status\":\"QUEUED\"}],\"total\":201}", 1, 0, ""},
      {"mistral", "", "{\"data\":[{\"id\":\"a\",\"status\":\"QUEUED\"}]}", 1, 0, ""},
      {"openrouter", "", "{\"data\":[{\"id\":\"a\",\"status\":\"failed\"}],\"next_cursor\":\"c\"}",
       1, 0, "c"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchList list;
    Err err = {0};
    batch_list_read(batch_form_by_name(cases[i].form), cases[i].body, strlen(cases[i].body),
                    cases[i].cursor, &list, &err);
    check(err.rc == RC_OK && list.n == cases[i].n && list.unread == cases[i].unread &&
              strcmp(list.next, cases[i].next) == 0,
          "%zu: %d, %d, '%s' %s", i, list.n, list.unread, list.next, err.msg);
    batch_list_free(&list);
  }
  BatchList list;
  Err err = {0};
  batch_list_read(batch_form_by_name("openai"), "{\"error\":{}}", 12, NULL, &list, &err);
  check_error(&err, "bad_answer", "no list of batches", "list");
  batch_list_free(&list);
}

/* A batch whose id was lost is found by its mark; without marks it may be it, if time and size say so. */
static void test_finding_ours(void **state) {
  (void)state;
  static const BatchSought sought = {"b-7", 1711471533000, 3};
  static const struct {
    const char *form, *mark;
    long long created_ms, total;
    BatchMatch match;
  } cases[] = {
      {"openai", "b-7", 0, -1, MATCH_YES},
      {"openai", "b-8", 1711471533000, 3, MATCH_NO},
      {"openai", "", 1711471533000, 3, MATCH_NO},
      {"anthropic", "", 1711471533000, 3, MATCH_MAYBE},
      {"anthropic", "", 1711471533000 - 3500000, 3, MATCH_MAYBE},
      {"anthropic", "", 1711471533000 - 3700000, 3, MATCH_NO},
      {"anthropic", "", 1711471533000, 4, MATCH_NO},
      {"openrouter", "", 1711471533000, -1, MATCH_MAYBE},
      {"openrouter", "b-7", 1, 9, MATCH_YES},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchStatus s = {.created_ms = cases[i].created_ms, .total = cases[i].total};
    snprintf(s.mark, sizeof s.mark, "%s", cases[i].mark);
    check(batch_match(batch_form_by_name(cases[i].form), &s, &sought) == cases[i].match, "%zu", i);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_openai),          cmocka_unit_test(test_others),
      cmocka_unit_test(test_words_of_states), cmocka_unit_test(test_details),
      cmocka_unit_test(test_complaints),      cmocka_unit_test(test_what_is_no_batch),
      cmocka_unit_test(test_uploaded_files),  cmocka_unit_test(test_lists),
      cmocka_unit_test(test_finding_ours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
