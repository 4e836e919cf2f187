/*
** What lint finds in a text: rules at odds, another order, no limit of length, what ends in a clock.
*/
#include "unit.h"

#include "base/buf.h"
#include "core/lint/lint.h"

static long long count_words(void *arg, const char *text, size_t n) {
  long long words = 0;
  (void)arg;
  for (size_t i = 0; i < n; i++) {
    words += text[i] > ' ' && (i == 0 || text[i - 1] <= ' ');
  }
  return words;
}

static int wrong; /* cases of a table: all are told of */

/* What is found of a kind, apart by bars; behind each, of an arrow, the earlier one. */
static void check_kind(const char *text, LintKind kind, const LintOptions *with,
                       const char *should) {
  LintOptions o = with ? *with : (LintOptions){.floor = -1};
  Err err = {0};
  Lint l;
  Buf out;
  MovingFinder *finder = moving_open(&err);
  o.count = count_words;
  buf_init(&out, 1 << 20);
  buf_puts(&out, "");
  assert_int_equal(lint_text(finder, text, strlen(text), &o, &l, &err), RC_OK);
  for (size_t i = 0; i < l.n; i++) {
    const LintFinding *f = &l.at[i];
    if (f->kind == kind) {
      buf_puts(&out, out.n ? "|" : "");
      buf_add(&out, text + f->from, f->n);
      buf_puts(&out, f->n_other ? "<-" : "");
      buf_add(&out, text + f->other, f->n_other);
      buf_puts(&out, f->changed && kind == LINT_UNSTABLE_ORDER ? " => " : "");
      buf_add(&out, f->changed && kind == LINT_UNSTABLE_ORDER ? f->changed : "",
              kind == LINT_UNSTABLE_ORDER ? f->n_changed : 0);
    }
  }
  buf_add(&out, "", 1);
  if (strcmp(out.data, should) != 0) {
    print_error("of:     %s\nfound:  %s\nshould: %s\n\n", text, out.data, should);
    wrong++;
  }
  buf_free(&out);
  lint_free(&l);
  moving_close(finder);
}

static void test_contradictions(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"Always answer in English. Be kind. Always answer in German.",
       "Always answer in German.<-Always answer in English."},
      {"Your answers must be in French.\n\nRespond in English only.",
       "Respond in English only.<-Your answers must be in French."},
      {"Antworte immer auf Deutsch. Antworte auf Englisch.",
       "Antworte auf Englisch.<-Antworte immer auf Deutsch."},
      {"Use emojis. Never use emojis.", "Never use emojis.<-Use emojis."},
      {"Do not mention competitors.\n- Be kind.\n- Always mention competitors.",
       "Always mention competitors.<-Do not mention competitors."},
      {"Never ask for the PIN. You must ask for the PIN.",
       "You must ask for the PIN.<-Never ask for the PIN."},
      {"Answers have at most three sentences. Write at least 5 sentences.",
       "Write at least 5 sentences.<-Answers have at most three sentences."},
      {"No more than 60 words. Use more than 100 words.",
       "Use more than 100 words.<-No more than 60 words."},
      {"No more than 60 words. Write at least 100 words.",
       "Write at least 100 words.<-No more than 60 words."},
      {"At most 60 words. Use more than 100 words.", "Use more than 100 words.<-At most 60 words."},
      {"Be formal. Be informal.", "Be informal.<-Be formal."},
      {"Sieze die Kunden. Duze die Kunden.", "Duze die Kunden.<-Sieze die Kunden."},
      {"Never answer in English. Answer in English.",
       "Answer in English.<-Never answer in English."},
      {"You are Ann. Use emojis. Be kind.\n\nDo not use emojis.",
       "Do not use emojis.<-Use emojis."},
      {"# Style\nUse emojis.\n\n# Rules\nNever use emojis.", "Never use emojis.<-Use emojis."},
      /* a tail says why, or that it holds whatever else does */
      {"Always answer in German, whatever language the guest writes in. Answer in English.",
       "Answer in English.<-Always answer in German, whatever language the guest writes in."},
      {"Answer in German, even if the guest writes in English. Answer in English.",
       "Answer in English.<-Answer in German, even if the guest writes in English."},
      {"Answer in English. Respond in French, no matter which language is used.",
       "Respond in French, no matter which language is used.<-Answer in English."},
      {"Write at most three sentences. Write at least six sentences so that nothing is lost.",
       "Write at least six sentences so that nothing is lost.<-Write at most three sentences."},
      {"Use bullet points because they are easy to read. Do not use bullet points.",
       "Do not use bullet points.<-Use bullet points because they are easy to read."},
      {"Antworte auf Deutsch, auch wenn der Gast Englisch schreibt. Antworte auf Englisch.",
       "Antworte auf Englisch.<-Antworte auf Deutsch, auch wenn der Gast Englisch schreibt."},
      {"Antworte in h\xC3\xB6"
       "chstens drei S\xC3\xA4tzen. Antworte mit mindestens f\xC3\xBCnf S\xC3\xA4tzen, damit "
       "nichts "
       "fehlt.",
       "Antworte mit mindestens f\xC3\xBCnf S\xC3\xA4tzen, damit nichts fehlt.<-Antworte in "
       "h\xC3\xB6"
       "chstens drei S\xC3\xA4tzen."},
      {"R\xC3\xA9ponds en trois phrases au plus. R\xC3\xA9ponds en au moins cinq phrases.",
       "R\xC3\xA9ponds en au moins cinq phrases.<-R\xC3\xA9ponds en trois phrases au plus."},
      /* so many, and so many */
      {"Ask one question at a time. Be kind to all. Ask three questions at a time.",
       "Ask three questions at a time.<-Ask one question at a time."},
      {"Ask one question at a time. Ask three questions at a time to save the patient's effort.",
       "Ask three questions at a time to save the patient's effort.<-Ask one question at a time."},
      {"Stelle immer zwei Fragen pro Nachricht. Stelle drei Fragen pro Nachricht.",
       "Stelle drei Fragen pro Nachricht.<-Stelle immer zwei Fragen pro Nachricht."},
      {"Never ask guests to make a payment. Always ask guests to make a payment.",
       "Always ask guests to make a payment.<-Never ask guests to make a payment."},
      {"Answer in two sentences. Write at least five sentences.",
       "Write at least five sentences.<-Answer in two sentences."},
  };
  wrong = 0;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_kind(cases[i][0], LINT_CONTRADICTION, NULL, cases[i][1]);
  }
  assert_int_equal(wrong, 0);
}

static void test_no_contradictions(void **state) {
  (void)state;
  static const char *const cases[] = {
      /* conditions, choices, what is meant by the sentence before */
      "Use emojis if the user does. Never use emojis.",
      "Answer in English. If the user writes German, answer in German.",
      "Use emojis only in chats. Never use emojis.",
      "Mention competitors. Otherwise, do not mention competitors.",
      "Answer in English unless asked. Answer in German.",
      "When you are asked for a poem:\n- Use emojis.\n\nNever use emojis.",
      "Answer in German, whatever language the guest writes in, unless asked. Answer in English.",
      "Answer in at most two sentences when it is late. Answer in at least five sentences.",
      "Antworte auf Deutsch, falls der Gast so schreibt. Antworte auf Englisch.",
      "Do not use emojis because they look friendly. Use emojis.",
      /* of different things */
      "Ask one question at a time. Ask at most three questions in total.",
      "Ask one question at a time. Ask three questions.",
      "Ask at most three questions. Answer at least five questions.",
      "Ask at most one question per message. Offer at least three options per message.",
      "Answer in German to guests from Graz. Answer in English to guests from London.",
      "Write one or two sentences. Write at least two sentences.",
      "A ticket is valid for 60 minutes. A ticket is valid for 90 minutes.",
      "Answer in two sentences. Write at least one sentence.",
      "Titles are in English. Answer in German.",
      "Translate from English to German. Never translate from German to English.",
      "Ask for the PIN before the transfer. Never ask for the PIN after the transfer.",
      "Customers must pay. Employees must not pay.",
      "Use at least 5 words for a title. Use at most 3 words for a tag.",
      "At most 3 sentences. At least 5 words.", "At least 3 sentences. At most 5 sentences.",
      "# For refunds\nAsk for the order number.\n\n# For greetings\nNever ask for the order "
      "number.",
      "Never lie. Always smile.", "Answer customers in German. Answer in English.",
      "At most 2 lines per item. At least 5 lines per answer.",
      "Never answer in English. Answer in German.",
      /* lists */
      "You answer for a shop. Languages:\n- French\n- German", "English\nFrench\nGerman",
      /* in parts of the prompt */
      "Mail\nAnswer in German.\n\nChat\nAnswer in English.",
      "Chat\n- Use at most 2 sentences.\nMail\n- Use at least 5 sentences.",
      "Short mode\nUse at most 2 sentences.\nLong mode\nUse at least 5 sentences.",
      "[chat]\nUse emojis.\n[mail]\nDo not use emojis.",
      "Before login\n* Ask for the email.\nAfter login\n* Do not ask for the email.",
      "You are Ann. Use emojis.\n\nYou are Bob. Do not use emojis.",
      "Draft. Answer in English.\nFinal. Answer in German.",
      "Mode A. Answer in English. Mode B. Answer in German.",
      "**Mail**\nUse emojis.\n\n**Chat**\nDo not use emojis.",
      "For mails\n1. Use emojis.\nFor chats\n1. Do not use emojis.",
      "Mail: be kind. Use emojis.\nChat: be kind. Do not use emojis.",
      /* no rules */
      "A. Wrong, wrong\nB. Not wrong, wrong\nC. Wrong, not wrong",
      "The lamp is on. The lamp is not on.", "Is it allowed? It is not allowed.",
      "Say \"Use emojis.\" Never use emojis.",
      "User: Use emojis.\nAgent: No emojis.\n\nNever use emojis.",
      "Do not only use emojis. Use emojis.", "Never do not use emojis. Use emojis."};
  wrong = 0;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check_kind(cases[i], LINT_CONTRADICTION, NULL, "");
  }
  assert_int_equal(wrong, 0);
}

static void test_order(void **state) {
  (void)state;
  static const struct {
    const char *before, *text, *found;
  } cases[] = {
      {"Be kind.\n\n- pears\n- apples\n- plums\n\nGo.",
       "Be kind.\n\n- apples\n- plums\n- pears\n\nGo.",
       "apples => Be kind.\n\n- apples\n- pears\n- plums\n\nGo."},
      /* sentences may lean on each other: they are told of, and not put in order */
      {"Be kind. Ask for the number. Say sorry once.",
       "Be kind. Say sorry once. Ask for the number.", "Say sorry once."},
      {"Tools:\n\n{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "Tools:\n\n{\"b\":{\"d\":3,\"c\":2},\"a\":1}",
       "{\"b\":{\"d\":3,\"c\":2},\"a\":1}"},
      /* what stands below the last one need not be its */
      {"- pears\n- apples\n- plums\nBe kind to all.", "- apples\n- plums\n- pears\nBe kind to all.",
       "apples"},
      {"1. pears\n2. apples\n3. plums", "1. apples\n2. pears\n3. plums", "apples"},
      /* the same, other things, and what was added */
      {"- pears\n- apples", "- pears\n- apples", ""},
      {"- pears\n- apples\n- plums", "- nuts\n- figs\n- kiwis", ""},
      {"Be kind.\n- pears\n- apples\n- plums",
       "Be kind.\n- pears\n- apples\n- plums\n- figs and everything else that we have", ""},
      {"Time: 10:31. Be kind. Be brief.", "Time: 10:32. Be kind. Be brief.", ""},
      /* some are others: that is no matter of order */
      {"Be kind to all who ask for help, and never lie.\n- Dogs\n- pears from the garden\n- apples "
       "from the market",
       "Be kind to all who ask for help, and never lie.\n- Cats\n- apples from the market\n- pears "
       "from the garden",
       ""},
      {"Be kind to all who ask for help.\n- apples cost 5 euros\n- pears\n- plums",
       "Be kind to all who ask for help.\n- pears\n- apples cost 6 euros\n- plums", ""},
      /* what moves aside; the unit is told of, not the sign in front of it */
      {"Current time: 10:31:07\n\nBe kind.\n\n- pears\n- apples",
       "Current time: 10:32:08\n\n- apples\n- pears\n\nBe kind.", "apples"},
      {"Tools:\n\n{\"a\":1,\"b\":2}", "Tools:\n\n{\"a\":2,\"b\":1}", ""},
  };
  wrong = 0;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const LintOptions o = {
        .floor = -1, .before = cases[i].before, .n_before = strlen(cases[i].before)};
    check_kind(cases[i].text, LINT_UNSTABLE_ORDER, &o, cases[i].found);
  }
  assert_int_equal(wrong, 0);
}

static void test_length(void **state) {
  (void)state;
  static const char *const open_ended[] = {
      "You are a tutor. Explain what the pupil asks for. Be kind.",
      "Du bist ein Lehrer. Erkl\xC3\xA4re, was gefragt wird.",
      "You help customers of a shop with their questions.",
      "You are a tutor. Explain it in words that a twelve-year-old knows.",
      "You are a tutor. Explain it to 20 pupils of our school in the words that they know.",
      "You are Ada, a tutor. You ask a question that leads to the next step, and wait. You speak "
      "only of "
      "mathematics. Give the number of the helpline.",
      "You help customers. Never ask for the code of a card. Explain every line of a bill."};
  static const char *const bounded[] = {
      "You are a tutor. Explain what the pupil asks for. Be brief.",
      "You are a tutor. Explain it in two sentences.",
      "You are a tutor. Explain it in a sentence.",
      "You are a tutor. Explain it, in two to three short, plain sentences.",
      "You are a tutor. Explain it. Words: 80",
      "You are a tutor. Answer with the number only, don't explain.",
      "You are a classifier. Answer yes or no.",
      "You are a regex writer. Give the regex.",
      "You are a poet. Write haiku.",
      "You are a headline writer.",
      "You are a tutor. Answer in JSON and explain.",
      "Explain what is asked for.",
      "You are a translator. Translate and explain.",
      "You are given a text. Explain it.",
      "You are a tutor. Explain it. What is 2 + 2?"};
  static const char schema[] = "{\"properties\":{\"mood\":{\"type\":\"string\"}}}";
  Err err = {0};
  JsonFields *fields = json_fields_read(schema, sizeof schema - 1, &err);
  const LintOptions with_schema = {.floor = -1, .fields = fields};
  const LintOptions brief_answers = {
      .floor = -1, .answers = 50, .long_answers = 10, .answer_tokens = 5000};
  wrong = 0;
  for (size_t i = 0; i < COUNT(open_ended); i++) {
    check_kind(open_ended[i], LINT_NO_LENGTH_LIMIT, NULL, open_ended[i]);
    check_kind(open_ended[i], LINT_NO_LENGTH_LIMIT, &brief_answers, "");
    check_kind(open_ended[i], LINT_NO_LENGTH_LIMIT, &with_schema, "");
  }
  for (size_t i = 0; i < COUNT(bounded); i++) {
    check_kind(bounded[i], LINT_NO_LENGTH_LIMIT, NULL, "");
  }
  json_fields_free(fields);
  assert_int_equal(wrong, 0);
}

/* A mark behind a text that ends in a clock is never read. */
static void test_clock_at_the_end(void **state) {
  (void)state;
  static const char text[] = "Be kind to all who ask.\n\nCurrent time: 2026-11-28 10:31:07";
  const LintOptions marks = {.floor = 1, .wants_marks = 1};
  wrong = 0;
  check_kind(text, LINT_VOLATILE_PREFIX, &marks, "2026-11-28 10:31:07");
  check_kind(text, LINT_VOLATILE_PREFIX, NULL, "");
  assert_int_equal(wrong, 0);
}

/* What a text is without what was found; one that is about JSON with the schema alone. */
static void check_changed(const char *text, LintKind kind, const JsonFields *fields,
                          const char *should) {
  const LintOptions o = {.floor = -1, .count = count_words, .fields = fields};
  Err err = {0};
  Lint l;
  MovingFinder *finder = moving_open(&err);
  const char *changed = NULL;
  assert_int_equal(lint_text(finder, text, strlen(text), &o, &l, &err), RC_OK);
  for (size_t i = 0; i < l.n; i++) {
    changed = l.at[i].kind == kind ? l.at[i].changed : changed;
  }
  if (should) {
    assert_non_null(changed);
    assert_string_equal(changed, should);
  } else {
    assert_null(changed);
  }
  lint_free(&l);
  moving_close(finder);
}

static void test_changed(void **state) {
  (void)state;
  static const char schema[] =
      "{\"required\":[\"mood\"],\"properties\":{\"mood\":{\"type\":\"string\"}}}";
  Err err = {0};
  JsonFields *fields = json_fields_read(schema, sizeof schema - 1, &err);
  check_changed("Be kind. Please note that the shop is closed. Go.", LINT_FILLER, NULL,
                "Be kind. the shop is closed. Go.");
  check_changed("Be kind. Be brief.\n\nThank you in advance.", LINT_FILLER, NULL,
                "Be kind. Be brief.");
  check_changed("# Rules\n- Be kind.\n\n# Last\n- Thanks in advance!", LINT_FILLER, NULL,
                "# Rules\n- Be kind.");
  check_changed("Be kind. Respond only with JSON. Go.", LINT_FORMAT_PROSE, fields, "Be kind. Go.");
  check_changed("Be kind. Respond only with JSON. Go.", LINT_FORMAT_PROSE, NULL, NULL);
  json_fields_free(fields);
}

/* What moves goes only where nothing means it, it says nothing else, and it is no material. */
static void test_moved(void **state) {
  (void)state;
  static const char *const stays[] = {
      "Current time: 2026-11-28 10:31:07. Use it to greet: good morning before noon, else good "
      "day.",
      "Current time: 2026-11-28 10:31:07\n\nGreet by it. Be kind.",
      "You are a bot (session_id: 8f3a9c0e77, started now). Be kind.",
      "You help Ann, current time: 10:31:07. Be kind.",
      "Translate the text into French.\n\nToday is 28 November 2026. The shop is open.",
      "Correct the grammar of this text.\n\nToday is 28 November 2026. The shop is open.",
      "Log:\nCurrent time: 2026-11-28 10:31:07 up\n\nBe kind to all.",
      "# Mail\n\nToday is 28 November 2026. The shop is open.\n\n# Rules\nBe kind."};
  for (size_t i = 0; i < COUNT(stays); i++) {
    check_changed(stays[i], LINT_VOLATILE_PREFIX, NULL, NULL);
  }
  check_changed("Current time: 2026-11-28 10:31:07\n\nYou sort mails.", LINT_VOLATILE_PREFIX, NULL,
                "You sort mails.");
  check_changed("Today is Saturday, 28 November 2026. You sort mails.", LINT_VOLATILE_PREFIX, NULL,
                "You sort mails.");
  check_changed("Session: 7f3a1c9e-1b2d-4c3e-9f00-aabbccddeeff\n\nYou sort mails.",
                LINT_VOLATILE_PREFIX, NULL, "You sort mails.");
}

/* Of a kind the first 64 are told. */
static void test_many(void **state) {
  (void)state;
  const LintOptions o = {.floor = -1, .count = count_words};
  Err err = {0};
  Lint l;
  Buf text;
  MovingFinder *finder = moving_open(&err);
  buf_init(&text, 1 << 20);
  buf_puts(&text, "Be kind.\n");
  for (int i = 0; i < 500; i++) {
    buf_puts(&text, "- We ship to all of Europe by train\n");
  }
  assert_int_equal(lint_text(finder, text.data, text.n, &o, &l, &err), RC_OK);
  size_t n = 0;
  for (size_t i = 0; i < l.n; i++) {
    n += l.at[i].kind == LINT_DUPLICATE;
  }
  assert_int_equal(n, LINT_MOST_FOUND);
  lint_free(&l);
  buf_free(&text);
  moving_close(finder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_contradictions),
      cmocka_unit_test(test_no_contradictions),
      cmocka_unit_test(test_order),
      cmocka_unit_test(test_length),
      cmocka_unit_test(test_clock_at_the_end),
      cmocka_unit_test(test_changed),
      cmocka_unit_test(test_moved),
      cmocka_unit_test(test_many),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
