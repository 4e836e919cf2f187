/*
** Which form a system prompt is in, and what is left without it: core/lint/form.h.
*/
#include "unit.h"

#include "core/lint/form.h"

#include <string.h>

static FormOfText form_of(const char *text, enum PromptForm form) {
  FormOfText forms[FORM_COUNT];
  Err err = {0};
  check(form_find(text, strlen(text), forms, &err) == RC_OK, "%s: %s", text, err.msg);
  return forms[form];
}

static int is_same(const FormOfText *a, const FormOfText *b) {
  return strcmp(a->rest, b->rest) == 0;
}

#define PAIRS "Input: late\nOutput: bad\n\nInput: quick\nOutput: good"

#define LONG                                                                                       \
  "You sort what the customers of a shop wrote about their parcels, by what they think of it. "    \
  "You read all of it before you decide."

/* The second adds a form to the first, and nothing else. */
static const struct Case {
  enum PromptForm form;
  const char *without, *with;
} cases[] = {
    {FORM_BRIEF, "", "Be brief."},
    {FORM_BRIEF, "You sell tea. Be kind.", "You sell tea. Be brief. Be kind."},
    {FORM_BRIEF, "You sell tea.", "You sell tea.\nAnswer in one sentence.\n"},
    {FORM_BRIEF, "You sell tea.", "You sell tea.\n\n## Length\n\n- Be brief.\n- At most 50 words."},
    {FORM_BRIEF, "- Be kind.\n- Be fair.", "- Be kind.\n- Be brief.\n- Be fair."},
    {FORM_BRIEF, "1. Be kind.\n2. Be fair.", "1. Be brief.\n2. Be kind.\n3. Be fair."},
    {FORM_BRIEF, "<rules>\nBe kind.\n</rules>",
     "<rules>\nBe kind.\n</rules>\n<style>\nBe brief.\n</style>"},
    {FORM_EXAMPLES, "You sort.", "You sort.\n\n" PAIRS},
    {FORM_EXAMPLES, "You sort.", "You sort.\n\nExamples:\n\n" PAIRS},
    {FORM_EXAMPLES, "You sort.", "You sort.\n\nHere are some examples:\n\n" PAIRS},
    {FORM_EXAMPLES, "You sort.\n\n# Rules\n\nBe fair.",
     "You sort.\n\n# Examples\n\n" PAIRS "\n\n# Rules\n\nBe fair."},
    {FORM_EXAMPLES, LONG, LONG " Do so as in these examples:\n\n" PAIRS},
    {FORM_EXAMPLES, "You sort.\n\nBe fair to all.", "You sort.\n\n" PAIRS "\n\nBe fair to all."},
    {FORM_EXAMPLES, "You sort. Be fair.",
     "You sort. Be fair.\n\n<examples>\n<example>\nlate -> bad\n</example>\n</examples>"},
    {FORM_FORMAT, "You sort.", "You sort. Respond only with valid JSON. Do not add explanations."},
    {FORM_FORMAT, "You sort.", "You sort.\n\n## Format\n\nReturn a JSON object."},
};

/* Not in the form, and not the same without it. */
static const struct Case others[] = {
    {FORM_BRIEF, "You sell tea.", "You sell tea. Be kind."},
    {FORM_BRIEF, "You sell tea.", "You sell tea. Write at least 900 words."},
    {FORM_BRIEF, "You sell tea.", "You sell tea.\n\n<example>\nBe brief.\n</example>"},
    {FORM_BRIEF, "You sell tea.", "You sell tea.\n\n<email>\nBe brief.\n</email>"},
    {FORM_EXAMPLES, "You sort.", "You sort. For example, late is bad."},
    {FORM_FORMAT, "You sort.", "You sort. The field `mood` is bad if it is late."},
};

static void test_what_a_form_adds(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct Case *c = &cases[i];
    FormOfText without = form_of(c->without, c->form), with = form_of(c->with, c->form);
    check(!without.is_there && with.is_there, "%s", c->with);
    check(is_same(&without, &with), "%s", c->with);
    for (int other = 0; other < FORM_COUNT; other++) {
      const enum PromptForm form = (enum PromptForm)other;
      const FormOfText a = form_of(c->without, form), b = form_of(c->with, form);
      check(form == c->form || !is_same(&a, &b), "%s: %d", c->with, other);
    }
  }
}

static void test_what_differs_otherwise(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(others); i++) {
    const struct Case *c = &others[i];
    FormOfText without = form_of(c->without, c->form), with = form_of(c->with, c->form);
    check(!with.is_there, "%s", c->with);
    check(!is_same(&without, &with), "%s", c->with);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_a_form_adds),
                                     cmocka_unit_test(test_what_differs_otherwise)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
