/*
** What is said twice, and what only looks like it.
*/
#include "unit.h"

#include "core/compress/repeats.h"

#include <stdio.h>

/* The units that go, as numbers apart by blanks, 'n' behind near ones. */
static void gone_units(const char *text, RepeatsFor purpose, Buf *out) {
  TextUnits u = {NULL, 0, 0, 0};
  Err err = {0};
  unsigned char gone[4096];
  buf_clear(out);
  buf_puts(out, "");
  assert_int_equal(units_find(text, strlen(text), &u, &err), RC_OK);
  assert_true(u.n < sizeof gone);
  memset(gone, CUT_KEPT, sizeof gone);
  assert_int_equal(repeats_find(text, &u, purpose, gone, &err), RC_OK);
  for (size_t i = 0; i < u.n; i++) {
    if (gone[i] != CUT_KEPT) {
      buf_printf(out, "%s%zu%s", out->n > 0 ? " " : "", i, gone[i] == CUT_ALMOST_SAME ? "n" : "");
    }
  }
  units_free(&u);
}

#define LONG                                                                                       \
  "The regional office will forward every complete application with its attachments to the "       \
  "responsible department and inform the applicant about the name of the person in charge"

static void test_pairs(void **state) {
  (void)state;
  static const struct {
    const char *text, *gone;
  } cases[] = {
      {"We ship to all of Europe. It is fast. We ship to all of Europe.\n\nAsk.", "2"},
      {"We ship to all of Europe. It is fast. We ship, to all of Europe!\n\nAsk.", "2"},
      {"- We ship to all of Europe\n- We pay\n- We ship to all of Europe.\n\nAsk.", "5"},
      /* Numbers, units, names, negations, signs. */
      {"Refunds are made within 30 days. Refunds are made within 14 days.\n\nAsk.", ""},
      {"Refunds are made within 30 days. Refunds are made within 30 hours.\n\nAsk.", ""},
      {"It can rise by 5 % a year. It can rise by 5 a year.\n\nAsk.", ""},
      {"The value is -5 at night here. The value is 5 at night here.\n\nAsk.", ""},
      {"The value of a > b here. The value of a < b here.\n\nAsk.", ""},
      {"Our agents do always call back. Our agents do never call back.\n\nAsk.", ""},
      {"The prize goes to Ann Lee. The prize goes to Ann Kim.\n\nAsk.", ""},
      {"The report is for US today. The report is for us today.\n\nAsk.", ""},
      {"Soon the polish was sold out. Soon the Polish was sold out.\n\nAsk.", ""},
      {"You can go home today? You can go home today.\n\nAsk.", ""},
      /* Orders: only where byte for byte the same. */
      {"You must call the office first. It is late. You must call the office first.\n\nAsk.", "2"},
      {"You must call the office first. It is late. You MUST call the office first.\n\nAsk.", ""},
      {"Never write to the customer directly. So be it. Never write to  the "
       "customer\ndirectly.\n\nAsk.",
       "2"},
      {"Never write to the customer directly. So be it. Never write to the customer, "
       "directly.\n\nAsk.",
       ""},
      /* Their place is part of them. */
      {"# Basic\n\nFree shipping to all is included now.\n\n# Pro\n\nFree shipping to all is "
       "included "
       "now.\n\nAsk.",
       ""},
      {"# Basic\n\nFree shipping to all is included now.\n\n# Basic\n\nFree shipping to all is "
       "included "
       "now.\n\nAsk.",
       "3"},
      {"Basic has:\n- free shipping to all of our customers\n\nPro has:\n- free shipping to all of "
       "our customers\n\nAsk.",
       ""},
      {"Ann came to our old house. It was good for all of us. Bob ate. It was good for all of "
       "us.\n\nAsk.",
       ""},
      {"Ann came to our old house. It was good for all of us. Bob ate. Ann came to our old house. "
       "It was good "
       "for all of us.\n\nAsk.",
       "3 4"},
      {"User: I like it very much\nBot: no\nUser: I like it very much\n\nAsk.", ""},
      {"Do you know the answer? Do you know the answer?\n\nAsk.", ""},
      {"The plate was then put into water. Heat it. The plate was then put into water.\n\nAsk.",
       ""},
      {"So nothing of all was said there. Heat. So nothing of all was said there.\n\nAsk.", ""},
      {"Choose i = 3 and lower the value of nums. Go. Choose i = 3 and lower the value of "
       "nums.\n\nAsk.",
       ""},
      {"0 100 0 100 0 100 0 100. Go. 0 100 0 100 0 100 0 100.\n\nAsk.", ""},
      {"A. We ship to all of Europe. All of us go.\nB. We ship to all of Europe. Some of us "
       "go.\n\nAsk.",
       ""},
      {"A. We ship to all of Europe.\nB. We ship to all of Europe.\n\nAsk.", ""},
      {"- We ship to all of Europe. We pay all of your customs.\n- We ship to all of Europe. We "
       "pay all of your customs.\n\nAsk.",
       "4 5"},
      {"- We ship to all of Europe. We pay all of your customs.\n- We ship to all of Europe. We "
       "pay none.\n\nAsk.",
       ""},
      {"Take up the poor man's burden\nGo home\nTake up the poor man's burden\n\nAsk.", ""},
      {"Yes it is. Yes it is.\n\nAsk.", ""}, /* too short */
      {"| a b c d | 1 |\n| a b c d | 1 |\n\nAsk.", ""},
      {"Classify the text as good or bad.\n\nSome text here.\n\nClassify the text as good or bad.",
       ""},
      {"Ships go to the far north. Ships go to the far north.",
       ""}, /* its last sentence is what is asked */
      {"Ships go to the far north. Ships go to the far north. Go.", "1"},
      /* Almost the same: one word of grammar in a long sentence; another word says something else. */
      {LONG " today. Next. " LONG ".\n\nAsk.", ""},
      {LONG ". Next. " LONG " too.\n\nAsk.", "2n"},
      {LONG ". Next. " LONG " and her boss.\n\nAsk.", ""},
      {"Ships go to the far north. Next. Ships, go to the far north.\n\nAsk.", "2"},
  };
  Buf out;
  buf_init(&out, 10000);
  for (size_t i = 0; i < COUNT(cases); i++) {
    gone_units(cases[i].text, REPEATS_CUT, &out);
    check(strcmp(out.data, cases[i].gone) == 0, "%s\n gave '%s', not '%s'", cases[i].text, out.data,
          cases[i].gone);
  }
  buf_free(&out);
}

#define X "Never share the room number of a guest with other guests."

/* What is told of, and is not cut: in what is asked, and what says the same in other words of grammar. */
static void test_told(void **state) {
  (void)state;
  static const struct {
    const char *text, *told;
  } cases[] = {
      {"# Rules\n- " X "\n- Be kind.\n\n# Reminder\n" X, "6"},
      {"- " X "\n- Be kind.\n- " X, "5"},
      {X " Be kind to all of them. " X, "2"},
      {"IMPORTANT: " X "\n\nBe kind.\n\nIMPORTANT: " X, "2"},
      {"1. Unplug the router and wait a while.\n2. Be kind.\n3. Unplug the router and wait a "
       "while.",
       ""},
      {"User: I like it very much\n\nBot: no\n\nUser: I like it very much", ""},
      {"Answer: I like it very much.\n\nBe kind.\n\nAnswer: I like it very much.", ""},
  };
  static const char *const same[][2] = {
      {"Always ask for the flat number before you open a repair ticket.",
       "You must always ask for the flat number before you open a repair ticket."},
      {"Please always ask for the flat number of a tenant.",
       "Always ask for the flat number of a tenant."},
      {"Refunds go to the card that was used.", "Refunds go to the card which was used."},
      {"Refunds are paid to the card within 5 days.",
       "Refunds will be paid to the card within 5 days."},
      {"Never give a guest the code of another room.",
       "NEVER give guest the code of another room."},
      {"Make sure to ask for the flat number of the tenant.",
       "Ask for the flat number of the tenant."},
      {"Do not share the number of a room with others.",
       "Don't share the number of a room with others."},
      {"Frage immer nach der Nummer der Wohnung im Haus.",
       "Bitte frage nach der Nummer der Wohnung im Haus."},
      {"Nunca recomende um medicamento sem receita para crian\xC3\xA7"
       "as.",
       "Nunca recomende medicamento sem receita para crian\xC3\xA7"
       "as."},
  };
  static const char *const other[][2] = {
      {"All orders with new in the title must go through the old desk first.",
       "All orders with news in the title must go through the old desk first."},
      {"Orders sent by http must go through the old proxy first.",
       "Orders sent by https must go through the old proxy first."},
      {"Write the results of a run into the file test.py of the project.",
       "Write the results of a run into the file tests.py of the project."},
      {"Refund all customers of the shop before suppliers.",
       "Refund all suppliers of the shop before customers."},
      {"Send questions about invoices in Germany to the desk.",
       "Send questions about invoices in Austria to the desk."},
      {"A single ticket for the tram is valid for 60 minutes.",
       "A single ticket for the tram is valid for 90 minutes."},
      {"Never give guests the code of another room.",
       "Always give guests the code of another room."},
      {"Guests must pay the deposit at the desk.", "Guests may pay the deposit at the desk."},
      {"Suppliers invoice the head office in Graz every month.",
       "Suppliers are invoiced by the head office in Graz every month."},
      {"Moderators ban users in chats at once.",
       "Moderators are banned in chats by users at once."},
      {"Ask for the code before the transfer of money.",
       "Ask for the code after the transfer of money."},
      {"Only guests with a badge enter the building.", "Guests with a badge enter the building."},
      {"Ask for the number of your manager at the desk.",
       "Ask for the number of our manager at the desk."},
      {"Send the files of the case to us at noon.", "Send the files of the case to US at noon."},
      {"Children over three years need proof of work.",
       "Children over three years need no proof of work."},
  };
  Buf out;
  buf_init(&out, 10000);
  for (size_t i = 0; i < COUNT(cases); i++) {
    gone_units(cases[i].text, REPEATS_TELL, &out);
    check(strcmp(out.data, cases[i].told) == 0, "%s\n gave '%s', not '%s'", cases[i].text, out.data,
          cases[i].told);
  }
  for (size_t i = 0; i < COUNT(same) + COUNT(other); i++) {
    const char *const *pair = i < COUNT(same) ? same[i] : other[i - COUNT(same)];
    char text[512];
    snprintf(text, sizeof text, "- %s\n- Be kind.\n- %s\n\nAsk.", pair[0], pair[1]);
    gone_units(text, REPEATS_TELL, &out);
    check(strcmp(out.data, i < COUNT(same) ? "5n" : "") == 0, "%s\n gave '%s'", text, out.data);
    gone_units(text, REPEATS_CUT, &out);
    check(out.n == 0, "%s\n was cut: '%s'", text, out.data);
  }
  buf_free(&out);
}

/* Repeated far away, among thousands of others. */
static void test_far(void **state) {
  (void)state;
  Buf text;
  TextUnits u = {NULL, 0, 0, 0};
  Err err = {0};
  buf_init(&text, 1 << 20);
  for (int i = 0; i < 3000; i++) {
    buf_printf(&text, "Sentence number %d is about the thing of its own. ", i % 1500);
  }
  buf_puts(&text, "\n\nAsk.");
  assert_int_equal(units_find(text.data, text.n, &u, &err), RC_OK);
  unsigned char *gone = malloc(u.n);
  memset(gone, CUT_KEPT, u.n);
  assert_int_equal(repeats_find(text.data, &u, REPEATS_CUT, gone, &err), RC_OK);
  size_t n = 0;
  for (size_t i = 0; i < u.n; i++) {
    n += gone[i] == CUT_SAME;
    check(i >= 1500 || gone[i] == CUT_KEPT, "unit %zu is the first", i);
  }
  assert_int_equal(n, 1500);
  free(gone);
  units_free(&u);
  buf_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs), cmocka_unit_test(test_told),
                                     cmocka_unit_test(test_far)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
