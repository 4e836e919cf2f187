/*
** Prompts that ask for short answers: core/lint/brevity.h.
*/
#include "unit.h"

#include "core/lint/brevity.h"

#include <string.h>

/* 1 if a sentence of a text asks for it. */
static int is_asked(const char *text) {
  TextUnits u = {NULL, 0, 0, 0};
  Err err = {0};
  int is = 0;
  assert_int_equal(units_find(text, strlen(text), &u, &err), RC_OK);
  for (size_t i = 0; i < u.n; i++) {
    is |= brevity_is_asked(text, &u.at[i]);
  }
  units_free(&u);
  return is;
}

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
                                      "Up to 3 items per answer.",
                                      "Do not write more than 50 words.",
                                      "Never use more than three sentences.",
                                      "Do not exceed 100 words.",
                                      "No longer than 50 words.",
                                      "One sentence, no more.",
                                      "Reply in 50 words or fewer.",
                                      "Maximum 50 words.",
                                      "Use 100 words at most.",
                                      "Write one hundred words.",
                                      "Up to 1,000 characters.",
                                      "Answer in two paragraphs.",
                                      "Write 50-100 words.",
                                      "Nicht mehr als drei Sätze.",
                                      "Pas plus de trois phrases.",
                                      "Au plus trois phrases.",
                                      "Moins de 50 mots.",
                                      "No más de tres frases.",
                                      "Al massimo tre frasi.",
                                      "Non più di tre righe."};
  static const char *const not_asked[] = {"Do not be brief.",
                                          "Never be too concise.",
                                          "Schreibe einen Brief an den Kunden.",
                                          "The customer's brief is attached below.",
                                          "Explain what 'succinct' means.",
                                          "If the text is under 50 words, say so.",
                                          "Is one sentence enough?",
                                          "You are kind.",
                                          "The shop sells short cables.",
                                          "Write at least 900 words.",
                                          "Write at least 50 words.",
                                          "Write no less than 50 words.",
                                          "Do not write fewer than 50 words.",
                                          "Write more than 50 words.",
                                          "Write 50 words or more.",
                                          "Write over 100 words.",
                                          "Write a minimum of 100 words.",
                                          "Answers may be up to 2,000 words long.",
                                          "Write 900 words.",
                                          "Write 300-500 words.",
                                          "Write at most 2.000 words.",
                                          "Answer in up to five hundred words.",
                                          "Answer in a thousand words.",
                                          "Use at most 5000 characters.",
                                          "Answer in five paragraphs.",
                                          "Schreibe mindestens drei Sätze.",
                                          "Schreibe mehr als drei Sätze.",
                                          "Nicht weniger als drei Sätze.",
                                          "Écris au moins trois phrases.",
                                          "Écris plus de trois phrases.",
                                          "Escribe al menos tres frases.",
                                          "Scrivi almeno tre frasi.",
                                          "Scrivi più di tre frasi.",
                                          "When under 50 words, say so.",
                                          "Write two letters to the customer.",
                                          "Write 99999999999999999999 thousand thousand words.",
                                          "Write a thousand thousand thousand thousand words.",
                                          "Count the words of the text.",
                                          "Translate the two sentences.",
                                          ""};
  for (size_t i = 0; i < COUNT(asked); i++) {
    check(is_asked(asked[i]), "%s", asked[i]);
  }
  for (size_t i = 0; i < COUNT(not_asked); i++) {
    check(!is_asked(not_asked[i]), "%s", not_asked[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_asked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
