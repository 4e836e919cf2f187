/*
** The guard: harmful edits it must veto, harmless ones it must let pass, and any bytes it must
** survive.
*/
#include "unit.h"

#include "core/guard/guard.h"

#include <stdio.h>

static const char *veto(const char *a, const char *b) {
  return guard_veto(a, strlen(a), b, strlen(b), &(Err){0});
}

typedef struct Edit {
  const char *rule, *a, *b;
} Edit;

static const Edit HARMFUL[] = {
    {"number", "Who are the 3 founders?", "Who are the 4 founders?"},
    {"number", "two apples cost how much", "three apples cost how much"},
    {"number", "transfer 1,000 euros", "transfer 10,000 euros"},
    {"number", "Does version 2.0 support it?", "Does version 2.1 support it?"},
    {"number", "changes in 1.2.3", "changes in 1.2.4"},
    {"number", "the third amendment", "the fourth amendment"},
    {"number", "call 555-123-4567", "call 555-123-4568"},
    {"number", "How do I reset iPhone 6?", "How do I reset iPhone?"},
    {"number", "what is 2 + 3", "what is 2 * 3"},
    {"number", "\xEF\xBC\x94 apples", "5 apples"},
    {"number", "\xD9\xA4 apples", "5 apples"},
    {"number", "half of two million", "half of two billion"},
    {"unit", "5 km run", "5 miles run"},
    {"unit", "does it cost $5",
     "does it cost \xE2\x82\xAC"
     "5"},
    {"unit", "Is 5 mg of aspirin safe?", "Is 5 g of aspirin safe?"},
    {"unit", "wait 3 hours", "wait 3 days"},
    {"unit", "what is 20% of 50", "what is 20 of 50"},
    {"unit", "100 USD in 1 week", "100 EUR in 1 week"},
    {"unit", "it weighs 10kg", "it weighs 10lb"},
    {"date", "the 2019 report", "the 2021 report"},
    {"date", "Is the shop open on Monday?", "Is the shop open on Friday?"},
    {"date", "weather today", "weather tomorrow"},
    {"date", "what happened last week", "what happened next week"},
    {"date", "the meeting in May", "the meeting in June"},
    {"date", "best phones of 2016", "best phones"},
    {"date", "Treffen wir uns heute?", "Treffen wir uns gestern?"},
    {"quote", "What does \"foo\" mean?", "What does \"bar\" mean?"},
    {"quote", "What does `a + b` do?", "What does `a - b` do?"},
    {"quote", "translate \xE2\x80\x9Cgood morning\xE2\x80\x9D", "translate \"good night\""},
    {"quote",
     "Qui a \xC3\xA9"
     "crit \xC2\xABL'\xC3\x89tranger\xC2\xBB?",
     "Qui a \xC3\xA9"
     "crit \xC2\xABLa Peste\xC2\xBB?"},
    {"quote", "print 'hello' now", "print 'goodbye' now"},
    {"identifier", "What is error E1234?", "What is error E1235?"},
    {"identifier", "rename foo.txt", "rename bar.txt"},
    {"identifier", "call get_user now", "call get_order now"},
    {"identifier", "weather in Paris", "weather in London"},
    {"identifier", "Is vitamin A safe?", "Is vitamin E safe?"},
    {"identifier", "What is H2 made of?", "What is H2S made of?"},
    {"identifier", "how to learn C++", "how to learn C#"},
    {"identifier", "who founded YouTube", "who founded LinkedIn"},
    {"identifier", "What does the NATO do?", "What does the OPEC do?"},
    {"url", "What is https://a.com/x about?", "What is https://a.com/y about?"},
    {"url", "write to bob@example.com", "write to eve@example.com"},
    {"url", "open www.example.org", "open www.example.net"},
    {"negation", "Can I travel with a passport?", "Can I travel without a passport?"},
    {"negation", "I can log in", "I can't log in"},
    {"negation", "I can log in", "I cannot log in"},
    {"negation", "Is he able to pay?", "Is he unable to pay?"},
    {"negation", "I do want it", "I don\xE2\x80\x99t want it"},
    {"negation", "was kostet das", "was kostet das nicht"},
    {"negation", "je veux du caf\xC3\xA9", "je ne veux pas de caf\xC3\xA9"},
    {"negation", "quiero ir", "nunca quiero ir"},
    {"negation", "who should move to Europe", "who should never move to Europe"},
    {"polarity", "How do I enable sync?", "How do I disable sync?"},
    {"polarity", "How do I pause my plan?", "How do I cancel my plan?"},
    {"polarity", "How do I pause my plan?", "How do I resume my plan?"},
    {"polarity", "turn on the light", "turn off the light"},
    {"polarity", "is it legal", "is it illegal"},
    {"polarity", "the maximum size", "the minimum size"},
    {"polarity", "enabling uploads", "disabling uploads"},
    {"polarity", "before the deadline", "after the deadline"},
    {"polarity", "how to lock it", "how to unlock it"},
    {"polarity", "the cheapest hotel", "the most expensive hotel"},
    {"polarity", "Which snakes are venomous?", "Which snakes are nonvenomous?"},
    {"polarity", "are they married", "are they unmarried"},
    {"direction", "convert euros to dollars", "convert dollars to euros"},
    {"direction", "flights from Paris to London", "flights from London to Paris"},
    {"direction", "convert 5 km to miles", "convert 5 miles to km"},
    {"direction", "flights to Paris", "flights from Paris"},
    {"direction", "send money to Bob from Eve", "send money to Eve from Bob"},
    {"direction", "move from savings to checking", "move from checking to savings"},
    {"order", "does the dog bite the man", "does the man bite the dog"},
    {"order", "Are cats afraid of tigers?", "Are tigers afraid of cats?"},
    {"order", "what if India attacks Pakistan", "what if Pakistan attacks India"},
    {"order", "Do Mexican girls like black guys?", "Do black girls like Mexican guys?"},
    {"content", "hotels in gwalior", "hotels in jaipur"},
    {"content", "What is the scope of biotech?", "What is the scope of biotech in Dubai?"},
    {"content", "what is a closure in lisp", "what is a monad in lisp"},
    {"content", "Why does it serve lunch?", "When does it serve lunch?"},
    {"date", "\xE4\xBB\x8A\xE5\xA4\xA9\xE5\xA4\xA9\xE6\xB0\x94",
     "\xE6\x98\x8E\xE5\xA4\xA9\xE5\xA4\xA9\xE6\xB0\x94"},
};

static const Edit HARMLESS[] = {
    {"case", "WHAT IS THE CAPITAL OF FRANCE", "what is the capital of france"},
    {"case", "What does the iPhone cost?", "what does the iphone cost"},
    {"case", "Error e1234", "error E1234"},
    {"punctuation", "How are you?", "How are you"},
    {"punctuation", "well - what now ...", "well, what now?"},
    {"punctuation", "is it (really) so?!", "is it really so"},
    {"greeting", "How do I log in?", "Hi, how do I log in?"},
    {"greeting", "How do I log in?", "Hello! How do I log in? Thanks"},
    {"politeness", "Tell me the time", "Could you please tell me the time?"},
    {"politeness", "How do I reset it?", "Please tell me how I reset it"},
    {"politeness", "why was I charged", "I do not know why I was charged"},
    {"typo", "I received my card", "I recieved my card"},
    {"typo", "the government budget", "the goverment budget"},
    {"typo", "definitely a problem", "definately a problem"},
    {"contraction", "What's the time?", "What is the time?"},
    {"contraction", "I don't know", "I do not know"},
    {"contraction", "I can't log in", "I cannot log in"},
    {"contraction", "I won\xE2\x80\x99t pay", "I will not pay"},
    {"contraction", "it doesnt work", "it doesn't work"},
    {"double negation", "it is not impossible", "it is possible"},
    {"idle negation", "Is it raining or not?", "Is it raining?"},
    {"idle negation", "Is it good? Why or why not?", "Is it good? Why?"},
    {"idle negation", "I want to know whether or not it rains", "I want to know whether it rains"},
    {"plural", "Do dogs dream?", "Does a dog dream?"},
    {"plural", "the best city for studies", "the best cities for study"},
    {"synonym", "Where can I buy books?", "Where can I purchase books?"},
    {"synonym", "What movie is it?", "What film is it?"},
    {"order", "reset my password how do I", "how do I reset my password"},
    {"order", "difference between cats and dogs", "difference between dogs and cats"},
    {"order", "Who is better, Ann or Bob?", "Who is better, Bob or Ann?"},
    {"order", "Python vs Java", "Java vs Python"},
    {"order", "Is rape in prison common?", "How common is prison rape?"},
    {"order", "on a card payment, why is there a fee", "why is there a fee on a card payment"},
    {"direction", "from Paris to London, how far?", "how far from Paris to London?"},
    {"direction", "how do I convert euros to dollars", "how to convert euros into dollars"},
    {"direction", "use a card to top up", "top up by card"},
    {"number", "two apples", "2 apples"},
    {"number", "twenty-five people", "25 people"},
    {"number", "two hundred and five", "205"},
    {"number", "2 million people", "2,000,000 people"},
    {"number", "1,000 euros", "1000 euros"},
    {"number", "version 2.0", "version 2"},
    {"number", "the 3rd man", "the third man"},
    {"number", "call 555-123-4567", "call (555) 123 4567"},
    {"number", "\xEF\xBC\x92\xEF\xBC\x90 apples", "20 apples"},
    {"number", "Which one is better?", "Which is better?"},
    {"number", "What are the 10 best films?", "What are the best films?"},
    {"number", "in 1 week", "in a week"},
    {"number", "a 10k race", "a 10000 race"},
    {"unit", "5km run", "5 km run"},
    {"unit", "5 kilometers run", "5 km run"},
    {"unit", "it costs $1000", "it costs 1000 dollars"},
    {"unit", "under Rs 25000", "under 25000 INR"},
    {"unit", "Can I pay in USD?", "Can I pay in US dollars?"},
    {"unit", "50 percent off", "50% off"},
    {"date", "on Mon 5 January", "on Mon, 5 Jan"},
    {"date", "may I go", "can I go"},
    {"date", "last will and testament", "will and last testament"},
    {"quote",
     "What is \xE2\x80\x9C"
     "foo\xE2\x80\x9D?",
     "What is \"foo\"?"},
    {"quote", "What is \"foo\"?", "What is foo?"},
    {"quote", "What is 'foo bar'?", "What is \"Foo bar.\"?"},
    {"quote", "the dogs' owner isn't here", "the dogs owner isn't here"},
    {"identifier", "the U.S. president", "the US president"},
    {"identifier", "What does Bootstrap.js do?", "What does Bootstrap do?"},
    {"identifier", "a B.tech degree", "a B. tech degree"},
    {"identifier", "Will Trump resign?", "Will Donald Trump resign?"},
    {"compound", "my e-mail address", "my email address"},
    {"compound", "off-page work", "offpage work"},
    {"url", "see https://www.a.com/", "see http://a.com"},
    {"url", "see a.com/x.", "see a.com/x"},
    {"accents", "caf\xC3\xA9 menu", "cafe\xCC\x81 menu"},
    {"accents", "caf\xC3\xA9 menu", "cafe menu"},
    {"zero width", "pass\xE2\x80\x8Bword reset", "password reset"},
    {"word", "the the cat", "the cat"},
    {"word", "How many times a day?", "how many times per day"},
    {"word", "Is it true that bats are blind?", "Are bats blind?"},
    {"polarity", "on and off switch", "off and on switch"},
    {"polarity", "is it hot or cold", "is it cold or hot"},
    {"polarity", "the best way to go", "a good way to go"},
};

static void test_harmful_edits(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(HARMFUL); i++) {
    const Edit *e = &HARMFUL[i];
    const char *word = veto(e->a, e->b), *back = veto(e->b, e->a);
    check(word && strcmp(word, e->rule) == 0, "%s | %s: %s, expected %s", e->a, e->b,
          word ? word : "none", e->rule);
    check(back == word, "%s | %s: %s backwards", e->a, e->b, back ? back : "none");
  }
}

static void test_harmless_edits(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(HARMLESS); i++) {
    const Edit *e = &HARMLESS[i];
    const char *word = veto(e->a, e->b);
    check(!word, "%s: %s | %s: %s", e->rule, e->a, e->b, word);
    check(!veto(e->b, e->a), "%s, backwards: %s | %s", e->rule, e->a, e->b);
  }
}

/* What is said of a sentence holds inside a polite one. */
static void test_edits_with_politeness(void **state) {
  char text[256];
  (void)state;
  for (size_t i = 0; i < COUNT(HARMFUL); i++) {
    snprintf(text, sizeof text, "Hello, please: %s Thanks!", HARMFUL[i].b);
    check(veto(HARMFUL[i].a, text), "%s | %s", HARMFUL[i].a, text);
  }
}

static void test_equal_texts(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(HARMFUL); i++) {
    check(!veto(HARMFUL[i].a, HARMFUL[i].a), "%s", HARMFUL[i].a);
  }
  check(!guard_veto(NULL, 0, NULL, 0, &(Err){0}), "empty");
  check(!guard_veto("\0\0", 2, "\0\0", 2, &(Err){0}), "zeros");
}

static uint32_t seed = 12345;
static uint32_t next_random(void) {
  return (seed = seed * 1664525u + 1013904223u) >> 8;
}

/* Pieces that make every path of the tokenizer run. */
static const char *const PIECES[] = {" ",
                                     "not ",
                                     "n't",
                                     "'",
                                     "\"",
                                     "`",
                                     "12",
                                     ",000",
                                     ".5",
                                     "5km",
                                     "http://a.b/",
                                     "a@b.c",
                                     "two ",
                                     "hundred ",
                                     "million ",
                                     "from ",
                                     "to ",
                                     "\xC3\xA9",
                                     "e\xCC\x81",
                                     "\xE2\x80\x9C",
                                     "\xE2\x80\x9D",
                                     "\xE4\xBB\x8A",
                                     "\xF0\x9F\x98\x80",
                                     "\xFF",
                                     "\x80",
                                     "\xE2\x82",
                                     "Paris ",
                                     "NATO ",
                                     "foo_bar",
                                     "x.y",
                                     "c++",
                                     "$",
                                     "%",
                                     "+",
                                     "?",
                                     ". ",
                                     "\n",
                                     "\0x",
                                     "enable ",
                                     "disable ",
                                     "last ",
                                     "week ",
                                     "May ",
                                     "\xEF\xBC\x95",
                                     "\xE2\x80\x8B",
                                     "one ",
                                     "\xD9\xA4"};

static size_t random_text(char *out, size_t max, int bytes) {
  size_t n = 0, want = next_random() % max;
  while (n + 16 < want) {
    const char *piece = PIECES[next_random() % COUNT(PIECES)];
    size_t m = bytes ? 1 : strlen(piece);
    memcpy(out + n, piece, m);
    out[n] = bytes ? (char)next_random() : out[n];
    n += m;
  }
  return n;
}

/* A copy without a byte behind it, so that reading on is caught. */
static const char *veto_exact(const char *a, size_t n, const char *b, size_t m) {
  char *p = malloc(n + !n), *q = malloc(m + !m);
  memcpy(p, a, n);
  memcpy(q, b, m);
  const char *word = guard_veto(p, n, q, m, &(Err){0});
  free(p);
  free(q);
  return word;
}

static void test_random_texts(void **state) {
  char a[2048], b[2048];
  (void)state;
  for (int i = 0; i < 20000; i++) {
    size_t max = i % 10 ? 120 : sizeof a;
    size_t n = random_text(a, max, i % 3 == 0), m = random_text(b, max, i % 3 == 0);
    const char *word = veto_exact(a, n, b, m), *back = veto_exact(b, m, a, n);
    check(word == back, "pair %d: %s, backwards %s", i, word ? word : "none", back ? back : "none");
    check(!veto_exact(a, n, a, n), "pair %d with itself", i);
  }
}

static void test_long_texts(void **state) {
  static const char *const fills[] = {"word and 12 ", "a ",   "\"a\" ",   "((((",       "'a'a",
                                      "\xCC\x81",     "aaaa", "x@y.z/",   "1,000,",     "n't ",
                                      "two hundred ", "\xFF", "a.b.c.d.", "https://a/b"};
  size_t n = 1 << 20;
  char *a = malloc(n), *b = malloc(n);
  (void)state;
  for (size_t i = 0; i < COUNT(fills); i++) {
    for (size_t k = 0; k < n; k++) {
      a[k] = fills[i][k % strlen(fills[i])];
    }
    memcpy(b, a, n);
    b[n - 1] = '#';
    check(!guard_veto(a, n, a, n, &(Err){0}), "%s", fills[i]);
    guard_veto(a, n, b, n, &(Err){0});
    guard_veto(a, n, b, n / 2, &(Err){0});
    guard_veto(a, n, "short", 5, &(Err){0});
  }
  free(a);
  free(b);
}

/* A long text serves only itself, but for case, blanks and punctuation. */
static void test_beyond_the_limit(void **state) {
  enum { WORDS = 5000 };
  char *a = malloc(WORDS * 8 + 64), *b = malloc(WORDS * 8 + 64);
  size_t n = 0;
  (void)state;
  for (int i = 0; i < WORDS; i++) {
    n += (size_t)snprintf(a + n, 8, "w%c%c ", 'a' + i % 26, 'a' + i / 26 % 26);
  }
  memcpy(b, a, n + 1);
  b[n - 2] = '#';
  assert_string_equal(guard_veto(a, n, b, n, &(Err){0}), "long");
  memcpy(b, a, n + 1);
  b[0] = 'W';
  memcpy(b + n, " !", 3);
  check(!guard_veto(a, n, b, n + 2, &(Err){0}), "case and an exclamation mark in a long text");
  free(a);
  free(b);
}

/* One word, one sign, one swap: the vector hardly moves, the task does. */
static void test_long_prompts(void **state) {
  static const char *const edits[][2] = {
      {"Alice", "Robert"}, {"has to pay", "has paid"}, {">", "<"}};
  (void)state;
  for (size_t i = 0; i < COUNT(edits); i++) {
    char a[600], b[600];
    const char *form =
        "Please read the following e-mail of our customer carefully and answer in one "
        "sentence. Dear team, %s wrote to me last week that the parcel arrived late, that "
        "the box was wet, and that nobody answered the phone when she called the shop. "
        "Check the rule in the function below as well: if total %s limit then return.";
    const char *x = i == 2 ? "Alice" : edits[i][0], *y = i == 2 ? edits[i][0] : ">";
    int n = snprintf(a, sizeof a, form, x, y);
    int m = snprintf(b, sizeof b, form, i == 2 ? x : edits[i][1], i == 2 ? edits[i][1] : y);
    assert_string_equal(guard_veto(a, (size_t)n, b, (size_t)m, &(Err){0}), "long");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_long_prompts),   cmocka_unit_test(test_harmful_edits),
      cmocka_unit_test(test_harmless_edits), cmocka_unit_test(test_edits_with_politeness),
      cmocka_unit_test(test_equal_texts),    cmocka_unit_test(test_random_texts),
      cmocka_unit_test(test_long_texts),     cmocka_unit_test(test_beyond_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
