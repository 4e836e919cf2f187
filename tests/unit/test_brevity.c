/*
** Prompts that ask for short answers: core/lint/brevity.h.
*/
#include "unit.h"

#include "core/lint/brevity.h"

#include <string.h>

static void test_asked(void **state) {
  (void)state;
  static const char *const asked[] = {"Be brief.",
                                      "Be kind and concise.",
                                      "Keep it short.",
                                      "Please keep your answers short.",
                                      "Answer briefly.",
                                      "Give short answers.",
                                      "Answer in at most two short sentences.",
                                      "Answer in one sentence.",
                                      "Use at most 120 words per answer.",
                                      "Answer in 2-3 sentences.",
                                      "No more than three lines.",
                                      "Respond in under 50 words.",
                                      "Antworte in einem Satz.",
                                      "Antworte kurz.",
                                      "Antworte in höchstens drei Sätzen.",
                                      "Sei kurz und freundlich.",
                                      "Réponds en une phrase.",
                                      "Réponds brièvement.",
                                      "Sois bref.",
                                      "Responde brevemente.",
                                      "Up to 3 items per answer."};
  static const char *const not_asked[] = {"Do not be brief.",
                                          "Never be too concise.",
                                          "Schreibe einen Brief an den Kunden.",
                                          "The customer's brief is attached below.",
                                          "Explain what 'succinct' means.",
                                          "If the text is under 50 words, say so.",
                                          "Is one sentence enough?",
                                          "You are kind.",
                                          "The shop sells short cables.",
                                          "Count the words of the text.",
                                          "Translate the two sentences.",
                                          ""};
  for (size_t i = 0; i < COUNT(asked); i++) {
    Err err = {0};
    check(brevity_is_asked(asked[i], strlen(asked[i]), &err), "%s", asked[i]);
  }
  for (size_t i = 0; i < COUNT(not_asked); i++) {
    Err err = {0};
    check(!brevity_is_asked(not_asked[i], strlen(not_asked[i]), &err), "%s", not_asked[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_asked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
