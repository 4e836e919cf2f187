/*
** Compression as a whole: what must hold of any text, and what is kept of context.
*/
#include "unit.h"

#include <stdio.h>

#include "core/compress/compress.h"
#include "core/split/spans.h"

/* Tokens: runs of letters, other visible bytes, and line ends. */
static long long count(void *arg, const char *text, size_t n) {
  long long tokens = 0;
  int in_word = 0;
  (void)arg;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    int is_word = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    tokens += c == '\n' || (!is_word && c > ' ') || (is_word && !in_word) ||
              (c == ' ' && i > 0 && text[i - 1] == ' ');
    in_word = is_word;
  }
  return tokens;
}

static Compressed compress(const char *text, size_t n, CompressOptions o) {
  Compressed c;
  Err err = {0};
  o.count = o.count ? o.count : count;
  int rc = compress_text(text, n, &o, &c, &err);
  check(rc == RC_OK, "%s", err.msg);
  return c;
}

static void check_result(const char *text, CompressOptions o, const char *expected) {
  Compressed c = compress(text, strlen(text), o);
  check(strcmp(c.text, expected) == 0, "%s\n gave %s", text, c.text);
  compressed_free(&c);
}

/* --- context --- */

#define RAIN                                                                                       \
  "Rain fell on the old town. The cat slept all day. Trains to Oslo cost 40 euros. He ate bread. " \
  "Birds sang in the trees."

static void test_extract(void **state) {
  (void)state;
  CompressOptions whole = {.methods = COMPRESS_EXTRACT,
                           .context = CONTEXT_WHOLE,
                           .budget = 9,
                           .query = "What is the price of a train to Oslo?",
                           .n_query = 37};
  check_result(RAIN, whole, "Trains to Oslo cost 40 euros.");
  whole.budget = 17; /* in the order of the text, not of the scores */
  whole.query = "Oslo trains rain";
  whole.n_query = 16;
  check_result(RAIN, whole, "Rain fell on the old town. Trains to Oslo cost 40 euros.");
  CompressOptions marked = {.methods = COMPRESS_EXTRACT, .context = CONTEXT_MARKED, .budget = 36};
  check_result("Answer from the context alone.\n\n<context>\n" RAIN
               "\n</context>\n\nWhat does a train to Oslo cost?",
               marked,
               "Answer from the context alone.\n\n<context>\nTrains to Oslo cost 40 "
               "euros.\n</context>\n\nWhat does a train to Oslo cost?");
  /* Headings stay with what stands under them, and go with it. Documents too. */
  CompressOptions headed = {.methods = COMPRESS_EXTRACT,
                            .context = CONTEXT_WHOLE,
                            .budget = 13,
                            .query = "Oslo",
                            .n_query = 4};
  check_result("# Towns\n\n## Bergen\n\nIt rains there.\n\n## Oslo\n\nIt is dry. Ships come.\n\n# "
               "Other\n\nNothing here.",
               headed, "# Towns\n\n## Oslo\n\nIt is dry.");
  headed.budget = 16;
  check_result("<doc id=1>\nBergen is wet.\n</doc>\n<doc id=2>\nOslo is dry.\n</doc>", headed,
               "<doc id=2>\nOslo is dry.\n</doc>");
  /* What a sentence needs that means something before it. */
  CompressOptions refers = {.methods = COMPRESS_EXTRACT,
                            .context = CONTEXT_WHOLE,
                            .budget = 12,
                            .query = "price",
                            .n_query = 5};
  check_result("Dogs bark. Oslo has a bus. Its price is 3. Cats have 9 lives. Fish swim.", refers,
               "Oslo has a bus. Its price is 3.");
  /* Of the gaps around what goes, the one that parts. */
  CompressOptions wide = {.methods = COMPRESS_EXTRACT,
                          .context = CONTEXT_WHOLE,
                          .budget = 13,
                          .query = "猫 Oslo",
                          .n_query = 8};
  check_result("猫。Dogs bark all night long. Oslo is dry.", wide, "猫。 Oslo is dry.");
  /* Items, with their marks; the head of a table. */
  CompressOptions items = {.methods = COMPRESS_EXTRACT,
                           .context = CONTEXT_WHOLE,
                           .budget = 6,
                           .query = "Oslo",
                           .n_query = 4};
  check_result("- Bergen is wet\n- Oslo is dry\n- Rome is hot", items, "- Oslo is dry");
  items.budget = 14;
  check_result("| a | b |\n|---|---|\n| Rome | 1 |\n| Oslo | 2 |\n| Kiel | 3 |",
               (CompressOptions){.methods = COMPRESS_EXTRACT,
                                 .context = CONTEXT_WHOLE,
                                 .budget = 23,
                                 .query = "Oslo",
                                 .n_query = 4},
               "| a | b |\n|---|---|\n| Oslo | 2 |");
}

/* What stays of a text at each budget holds none of `never`: a sentence under another heading, or a part of a value. */
static void check_never(const char *text, const char *query, const char *never) {
  const long long whole = count(NULL, text, strlen(text));
  for (int context = CONTEXT_MARKED; context <= CONTEXT_WHOLE; context++) {
    for (long long budget = 1; budget < whole; budget++) {
      Compressed c = compress(text, strlen(text),
                              (CompressOptions){.context = (ContextWhere)context,
                                                .budget = budget,
                                                .query = query,
                                                .n_query = strlen(query)});
      check(!strstr(c.text, never), "%s\n at %lld gave %s", text, budget, c.text);
      compressed_free(&c);
    }
  }
}

static void test_what_belongs_together(void **state) {
  (void)state;
  static const struct {
    const char *context, *query, *never;
  } cases[] = {
      {"Members:\n- Returns are free of charge.\n- Parcels come on Mondays.\nGuests:\n- Returns "
       "cost "
       "five euros.\n- Parcels come on Fridays.",
       "What does a return cost for a guest?", "Members:\n- Returns cost"},
      {"MEMBERS\nReturns are free of charge.\n\nGUESTS\nReturns cost five euros.",
       "What does a return cost for a guest?", "MEMBERS\n\nReturns cost"},
      {"- Europe\n  - Oslo is a hub for parcels.\n  - Rome is not a hub.\n- Asia\n  - Tokyo is a "
       "hub "
       "for parcels.\n  - Seoul is not one.",
       "Which city is a hub?", "hub.\n  - Tokyo"},
      {"Date: Monday\n\nI want a refund for order 7.\n\nDate: Tuesday\n\nI want no refund for "
       "order 8.",
       "Is a refund due for order 8?", "Date: Monday\n\nI want no refund"},
      {"Ann: Is Oslo a hub?\nBob: Yes.\nAnn: And Rome?\nBob: No.", "Which city is a hub?",
       "Yes.\nBob: No."},
      {"Q: Is Oslo a hub?\nA: Yes, since 1999.\n\nQ: Is Rome a hub?\nA: No, it never was.",
       "Which city is a hub?", "hub?\n\nQ: Is Rome"},
      {"- **Order 7**\n  Status is late.\n  Refund is due.\n- **Order 8**\n  Status is paid.\n  "
       "Refund "
       "is not due.",
       "Which order is late?", "\n  - **Order 8**"},
      {"1. {\"id\": 17, \"note\": \"The parcel left Oslo. It arrives on Monday.\", \"refund\": "
       "\"no\"}\n2. {\"id\": 18, \"note\": \"The customer is angry. He wants a refund.\", "
       "\"refund\": \"yes\"}",
       "Who wants a refund?", "2. \"refund\": \"yes\"}"},
      {"- order: {\n    \"id\": 7,\n    \"late\": true\n  }\n- order: {\n    \"id\": 8,\n    "
       "\"late\": false\n  }",
       "Which order is late?", "- order: {\n  }"},
      {"[\n  {\"id\": 7, \"note\": \"It left.\",},\n  {\"id\": 8, \"note\": \"He wants it.\"}, // "
       "c\n]",
       "Who wants it?", "[]"},
      {"返品（三十日以内。ただしヘルメットは除く。）は無料です。店は九時に開きます。",
       "返品は無料ですか?", "以内。は無料"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[1000];
    snprintf(text, sizeof text, "<context>\n%s\n</context>\n\n%s", cases[i].context,
             cases[i].query);
    check_never(text, cases[i].query, cases[i].never);
    snprintf(text, sizeof text, "You help.\n\n%s\n\n%s", cases[i].context, cases[i].query);
    check_never(text, cases[i].query, cases[i].never);
  }
}

/* Filler, what a schema carries, examples that show the same again; and the headings over them. */
static void test_needless(void **state) {
  (void)state;
  Err err = {0};
  static const char schema[] =
      "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},"
      "\"required\":[\"city\"]}";
  JsonFields *fields = json_fields_read(schema, strlen(schema), &err);
  CompressOptions o = {.methods = COMPRESS_FILLER | COMPRESS_FORMAT | COMPRESS_EXAMPLES,
                       .schema = fields};
  static const char text[] =
      "Name the city. Please note that you never guess.\n\n# Format\n\nRespond only with valid "
      "JSON. "
      "Do not wrap the JSON in markdown or code fences.\n\nThe JSON must look like this:\n\n"
      "```json\n{\"city\": \"string\"}\n```\n\n# Examples\n\nExample 1\nInput: We met in Rome in "
      "May.\nOutput: Rome\n\n"
      "Example 2\nInput: We have met in Rome in May.\nOutput: Rome\n\nExample 3\nInput: Ships left "
      "Oslo.\nOutput: Oslo\n\n"
      "What city is it?";
  check_result(
      text, o,
      "Name the city. you never guess.\n\n# Examples\n\nExample 1\nInput: We met in Rome in May.\n"
      "Output: Rome\n\nExample 3\nInput: Ships left Oslo.\nOutput: Oslo\n\nWhat city is it?");
  static const char all[] = "Respond only with valid JSON. Do not wrap it in markdown.";
  check_result(all, o, all); /* something stays */
  o.schema = NULL;           /* then nothing enforces it */
  Compressed c = compress(text, strlen(text), o);
  check(strstr(c.text, "valid JSON") != NULL, "%s", c.text);
  compressed_free(&c);
  json_fields_free(fields);
}

/* What is said again under a heading that narrows nothing; under one that narrows it means another thing. */
static void test_reminders(void **state) {
  (void)state;
  CompressOptions o = {.methods = COMPRESS_REPEATS};
  check_result("# Returns\n\n- Items can be returned within 30 days.\n- Orders can be changed "
               "until they are sent.\n\n"
               "# Reminders\n\n- Items can be returned within 30 days.\n- Orders can be changed "
               "until they are sent.\n\n# Last\n\nBye now.",
               o,
               "# Returns\n\n- Items can be returned within 30 days.\n- Orders can be changed "
               "until they are sent.\n\n# Last\n\nBye now.");
  static const char plans[] = "# Basic\n\n- Help by mail is free of charge.\n\n# Premium\n\n- Help "
                              "by mail is free of charge.\n\nBye.";
  check_result(plans, o, plans);
  static const char refers[] =
      "Close the box with tape. Send it to the shop at once, please.\n\nOpen the can. "
      "Send it to the shop at once, please.\n\nBye.";
  check_result(refers, o, refers);
}

/* What takes something out of a rule goes along with it; where not even the best fits it stays, and JSON whole. */
static void test_what_stays(void **state) {
  (void)state;
  static const char *const exceptions[] = {
      "Exception: swimwear.",
      "Swimwear is excluded from that.",
      "Conditions apply to swimwear.",
      "Ausnahme: Bademode.",
      "Swimwear can't be sent back.",
      "Never swimwear.",
      "Only with the receipt.",
      "The same is not true of swimwear.",
      "This is subject to approval.",
      "If it is unworn.",
      "Unless it was worn.",
      "But not swimwear.",
      "Items that were worn or washed, in whole or in part, are not taken back."};
  for (size_t i = 0; i < COUNT(exceptions); i++) {
    char text[600];
    snprintf(text, sizeof text,
             "Tea grows in the hills. Items can be returned within 30 days. %s Trees are tall. "
             "The cellar is full of old bicycles and of coats that stay there, year after year, as "
             "a man in the yard tells those who come. Birds sing.",
             exceptions[i]);
    Compressed c = compress(text, strlen(text),
                            (CompressOptions){.methods = COMPRESS_EXTRACT,
                                              .context = CONTEXT_WHOLE,
                                              .budget = 40,
                                              .query = "How many days to return items?",
                                              .n_query = 30});
    check(strstr(c.text, "30 days.") && strstr(c.text, exceptions[i]) && c.n < strlen(text), "%s",
          c.text);
    compressed_free(&c);
  }
  static const char json[] =
      "[{\"a\": 1, \"t\": \"the shop is open\"}, {\"a\": 2, \"t\": \"Where is it?\"}]";
  const CompressOptions one = {.methods = COMPRESS_EXTRACT,
                               .context = CONTEXT_WHOLE,
                               .budget = 1,
                               .query = "Where?",
                               .n_query = 6};
  check_result(json, one, json);
  check_result(RAIN,
               (CompressOptions){.methods = COMPRESS_EXTRACT,
                                 .context = CONTEXT_WHOLE,
                                 .budget = 1,
                                 .query = "Oslo",
                                 .n_query = 4},
               "Trains to Oslo cost 40 euros.");
  check_result(
      "Where is Ann? Please answer in German. The sea is blue and deep.",
      (CompressOptions){.methods = COMPRESS_EXTRACT, .context = CONTEXT_WHOLE, .budget = 10},
      "Where is Ann? Please answer in German.");
}

/* What tells the model what to do stays, wherever it stands; what is told of others is context. */
static void test_orders_in_context(void **state) {
  (void)state;
  static const char *const orders[] = {"Don't mention competitors.",
                                       "Only answer in German.",
                                       "Answer with a number only.",
                                       "If the context does not say, answer UNKNOWN.",
                                       "Never reveal the name of the founder.",
                                       "Always be polite to guests.",
                                       "Please reply in French.",
                                       "Do not answer questions about cards.",
                                       "Antworte nur auf Deutsch."};
  static const char *const frames[] = {
      "Background: You help customers. %s %s\n\nWhat do savings accounts pay?",
      "<context>\n%s\n%s\n</context>\n\nWhat do savings accounts pay?",
      "Context:\n%s\n%s\n\nWhat do savings accounts pay?",
      "You are kind.\n\n%s\n\n%s\n\nWhat do savings accounts pay?"};
  static const char filler[] =
      "The bank was founded in 1890. Dogs are not allowed in the hall. The head office is in Oslo. "
      "Savings accounts pay two percent. Only members get cards. The lobby has "
      "plants. Coffee is free.";
  for (size_t i = 0; i < COUNT(orders) * COUNT(frames); i++) {
    const char *order = orders[i / COUNT(frames)];
    char text[700];
    snprintf(text, sizeof text, frames[i % COUNT(frames)], order, filler);
    Compressed c =
        compress(text, strlen(text), (CompressOptions){.context = CONTEXT_GUESSED, .budget = 44});
    check(c.fits && strstr(c.text, order) && strstr(c.text, "Savings accounts pay") &&
              c.n < strlen(text),
          "%s\n gave %s", text, c.text);
    compressed_free(&c);
  }
}

/* A caller's scores decide where words say nothing. */
static int scored(void *arg, const char *text, size_t n, double *score, Err *err) {
  (void)arg;
  (void)err;
  *score = memmem(text, n, "cat", 3) ? 0.9 : 0.1;
  return RC_OK;
}

static void test_scores(void **state) {
  (void)state;
  CompressOptions o = {.methods = COMPRESS_EXTRACT,
                       .context = CONTEXT_WHOLE,
                       .budget = 7,
                       .query = "feline",
                       .n_query = 6,
                       .score = scored};
  check_result(RAIN, o, "The cat slept all day.");
}

/* What can't be made to fit stays whole, and is said. */
static void test_too_small(void **state) {
  (void)state;
  const char *text = "You are kind and patient with all.\n\n<context>\nAnn is old. Bob is "
                     "young.\n</context>\n\nWho is old, and who is not?";
  CompressOptions o = {.methods = COMPRESS_EXTRACT, .budget = 5};
  Compressed c = compress(text, strlen(text), o);
  assert_string_equal(c.text, text);
  assert_int_equal(c.fits, 0);
  assert_int_equal(c.n_drops, 0);
  compressed_free(&c);
  Err err = {0};
  o.budget = -1;
  o.count = count;
  compress_text(text, strlen(text), &o, &c, &err);
  check_error(&err, "bad_option", "give 1 or more", "budget");
  err_clear(&err);
  compress_text(text, LIMIT_REQUEST_BYTES + 1, &o, &c, &err);
  check_error(&err, "too_big", "at most", "size");
}

static void test_report(void **state) {
  (void)state;
  const char *text = "Be   kind  to all.\n\n<context>\nAnn  is old now and well fed. Dogs bark. "
                     "Ann is old now and well fed. "
                     "Bob is young.\n</context>\n\n{\"a\":  \"b\"}\n\nHow old is Ann?";
  CompressOptions o = {.budget = 36};
  Compressed c = compress(text, strlen(text), o);
  long long saved = 0;
  size_t bytes = 0;
  for (int i = 0; i < COMPRESS_METHODS; i++) {
    int needs_others = (1 << i) & (COMPRESS_FILLER | COMPRESS_FORMAT | COMPRESS_EXAMPLES);
    check(needs_others || c.steps[i].n_cuts > 0, "method %d left out nothing: %s", i, c.text);
    saved += c.steps[i].tokens_before - c.steps[i].tokens_after;
    bytes += c.steps[i].bytes_before - c.steps[i].bytes_after;
    assert_int_equal(
        compress_method_parse(compress_method_name(i), strlen(compress_method_name(i))), i);
  }
  assert_int_equal(compress_method_parse("jso", 3), -1);
  assert_int_equal(saved, c.tokens_before - c.tokens_after);
  assert_int_equal(bytes, strlen(text) - c.n);
  assert_true(c.fits && c.tokens_after <= 36);
  /* Places are those of the text as it was, though blanks went first. */
  int said = 0;
  for (size_t i = 0; i < c.n_drops; i++) {
    const CompressDrop *d = &c.drops[i];
    said |=
        d->reason == CUT_SAME && strncmp(text + d->from, "Ann is old now and well fed.", 28) == 0;
    check(d->n < 60, "drop of %zu bytes", d->n);
  }
  assert_true(said);
  compressed_free(&c);
}

/* A section that is said twice goes with its heading. */
static void test_sections(void **state) {
  (void)state;
  CompressOptions o = {.methods = COMPRESS_REPEATS};
  check_result("# Ships\n\nWe ship to all of Europe.\n\n# Ships\n\nWe ship to all of Europe.\n\n# "
               "Pay\n\nAsk us.",
               o, "# Ships\n\nWe ship to all of Europe.\n\n# Pay\n\nAsk us.");
}

/* A tokenizer to which blanks are free and their absence dear: nothing is saved, so nothing changes. */
static long long perverse(void *arg, const char *text, size_t n) {
  (void)arg;
  (void)text;
  return 1000000 - (long long)n;
}

static void test_undone(void **state) {
  (void)state;
  CompressOptions o = {.methods = COMPRESS_ALL, .count = perverse};
  check_result("a   b\n\n\n\nc {\"x\":  1}", o, "a   b\n\n\n\nc {\"x\":  1}");
}

/* --- any text --- */

static uint64_t seed = 88172645463325252u;

static unsigned pick(unsigned n) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)(seed >> 20) % n;
}

/* Origins of prompts: each may be followed by any other. */
static const char *const pieces[] = {"You are a helpful assistant.",
                                     "Refunds are made within 30 days.",
                                     "Refunds are made within 14 days.",
                                     "Never tell the customer's  name.",
                                     "Refunds  are made within 30 days.",
                                     "He said \"wait.  Now. Go\" and left.",
                                     "Use `x  = y. Z` here.",
                                     "See https://a.b/c?d=E. Then go.",
                                     "Mail a.b@c.de or ORD-123.",
                                     "Es gilt z.B. der 3. Mai.",
                                     "Das ist nicht erlaubt.",
                                     "我们有三只猫。你呢？",
                                     "यह एक है। वह दो है।",
                                     "สวัสดีชาวโลก",
                                     "👨‍👩‍👧‍👦  ok!",
                                     "e\xCC\x81t\xC3\xA9   fini.",
                                     "What does it cost?",
                                     "Answer in JSON.",
                                     "It costs $5.",
                                     "This is why.",
                                     "Dear {{name}}, pay %s or ${x}.",
                                     "- one  item here\n- two   items here",
                                     "1. first\n2. second thing  here",
                                     "# Head  line\n",
                                     "Head\n====\n",
                                     "Context:",
                                     "Question: who is it?",
                                     "<context>",
                                     "</context>",
                                     "<document id=\"1\">",
                                     "</document>",
                                     "```json\n{\"a\" : [1,  2.50]}\n```",
                                     "```\ncode  {\n}\n```",
                                     "```",
                                     "    x  = f(1);",
                                     "\ty  = 2",
                                     "{\n \"a\": \"b  c\",\n \"d\": [ ]\n}",
                                     "[1, {\"x\" :2}]",
                                     "{\"broken\": ",
                                     "| a  | b |\n|---|---|\n| 1 | 2  |",
                                     "a\tb\n1\t2",
                                     "Name   Age\nBob     12",
                                     "key: value\nother:  value",
                                     "User: hi  there",
                                     "\"unclosed  quote",
                                     "'single  one' it's",
                                     "„so  ist  es“",
                                     "/a  b+/",
                                     "...",
                                     "!?",
                                     "...   ",
                                     "\"",
                                     "'",
                                     "`",
                                     "<",
                                     "{",
                                     "(",
                                     "\r\n",
                                     "\xC2\xA0",
                                     "\xEF\xBB\xBF"};
static const char *const glue[] = {" ",    "  ", "\n", "\n\n", "\n\n\n\n", " \n",
                                   "  \n", "",   "\t", "\r\n", "   ",      "\n    "};

static void make_text(Buf *out) {
  unsigned n = pick(24), kinds = pick(3);
  buf_clear(out);
  buf_puts(out, "");
  for (unsigned i = 0; i < n; i++) {
    buf_puts(out, pieces[pick(kinds == 0 ? COUNT(pieces) : kinds == 1 ? 22 : 45)]);
    buf_puts(out, glue[pick(kinds == 0 ? COUNT(glue) : 5)]);
  }
}

static int is_subsequence(const Compressed *c, const char *text, size_t n) {
  size_t k = 0;
  for (size_t i = 0; i < n && k < c->n; i++) {
    k += text[i] == c->text[k];
  }
  return k == c->n;
}

static void check_any(const char *text, size_t n, CompressOptions o) {
  size_t bad_at;
  Compressed c = compress(text, n, o);
  check(c.n <= n && c.tokens_after <= c.tokens_before, "%s\n is longer: %s", text, c.text);
  check(is_subsequence(&c, text, n), "%s\n is not what is left of it: %s", text, c.text);
  check(utf8_is_valid(c.text, c.n, &bad_at), "%s\n is cut within a character", c.text);
  check(!c.fits || o.budget == 0 || c.tokens_after <= o.budget, "%s\n is over %lld", c.text,
        o.budget);
  check(c.fits || o.budget > 0, "%s\n does not fit into nothing", text);
  for (size_t i = 1; i < c.n_drops; i++) {
    check(c.drops[i - 1].from + c.drops[i - 1].n <= c.drops[i].from, "%s\n drops overlap", text);
  }
  for (int i = 0; i < COMPRESS_METHODS; i++) {
    check(c.steps[i].tokens_before == (i > 0 ? c.steps[i - 1].tokens_after : c.tokens_before) &&
              c.steps[i].tokens_after >= c.tokens_after,
          "%s\n method %d does not begin where the last one ended", text, i);
  }
  Compressed again = compress(c.text, c.n, o);
  check(again.n == c.n && memcmp(again.text, c.text, c.n) == 0, "%s\n-- gave\n%s\n-- and again\n%s",
        text, c.text, again.text);
  compressed_free(&again);
  compressed_free(&c);
}

static void test_any_text(void **state) {
  (void)state;
  Buf text;
  buf_init(&text, 1 << 20);
  for (int i = 0; i < 6000; i++) {
    make_text(&text);
    CompressOptions o = {.methods = 1 + pick(COMPRESS_ALL),
                         .context = (ContextWhere)pick(3),
                         .budget = pick(3) ? 1 + pick(80) : 0};
    o.query = pick(2) ? "What does it cost within 30 days?" : NULL;
    o.n_query = o.query ? strlen(o.query) : 0;
    check_any(text.data, text.n, o);
  }
  buf_free(&text);
}

/* The text without JSON's blanks and any others, to find protected text of JSON in. */
static void without_blanks(const char *text, size_t n, Buf *out) {
  buf_clear(out);
  for (size_t i = 0; i < n; i++) {
    if (!strchr(" \t\r\n", text[i])) {
      buf_add(out, text + i, 1);
    }
  }
  buf_puts(out, "");
}

/* White space goes, and every protected span is there, in its order. */
static void test_spans_survive(void **state) {
  (void)state;
  Buf text, all, part;
  buf_init(&text, 1 << 20);
  buf_init(&all, 1 << 20);
  buf_init(&part, 1 << 20);
  size_t spans = 0;
  for (int i = 0; i < 3000; i++) {
    make_text(&text);
    TextSpans s = {NULL, 0, 0};
    Err err = {0};
    Compressed c =
        compress(text.data, text.n, (CompressOptions){.methods = COMPRESS_SPACE | COMPRESS_JSON});
    without_blanks(c.text, c.n, &all);
    assert_int_equal(spans_find(text.data, text.n, &s, &err), RC_OK);
    size_t at = 0;
    for (size_t k = 0; k < s.n; k++, spans++) {
      const char *span = text.data + s.at[k].from, *found;
      if (s.at[k].kind == SPAN_JSON ||
          s.at[k].kind == SPAN_CODE) { /* (a fence of JSON may have become a block of it) */
        without_blanks(span, s.at[k].n, &part);
        check(strstr(all.data, part.data), "%s\n-- lost\n%s", text.data, part.data);
        continue;
      }
      found = memmem(c.text + at, c.n - at, span, s.at[k].n);
      check(found, "%s\n-- lost '%.*s' in\n%s", text.data, (int)s.at[k].n, span, c.text);
      at = (size_t)(found - c.text) + s.at[k].n;
    }
    spans_free(&s);
    compressed_free(&c);
  }
  assert_true(spans > 10000);
  buf_free(&text);
  buf_free(&all);
  buf_free(&part);
}

/* What is dropped is dropped whole: no protected span is cut; and what is fixed stays. */
static void test_drops_are_whole(void **state) {
  (void)state;
  Buf text;
  buf_init(&text, 1 << 20);
  size_t drops = 0;
  for (int i = 0; i < 3000; i++) {
    make_text(&text);
    TextSpans s = {NULL, 0, 0};
    TextUnits u = {NULL, 0, 0, 0};
    unsigned char roles[4096];
    Err err = {0};
    CompressOptions o = {
        .methods = COMPRESS_EXTRACT, .context = (ContextWhere)pick(3), .budget = 1 + pick(60)};
    Compressed c = compress(text.data, text.n, o);
    assert_int_equal(spans_find(text.data, text.n, &s, &err), RC_OK);
    assert_int_equal(units_find(text.data, text.n, &u, &err), RC_OK);
    context_find(text.data, &u, o.context, roles);
    for (size_t d = 0; d < c.n_drops; d++, drops++) {
      size_t from = c.drops[d].from, end = from + c.drops[d].n;
      for (size_t k = 0; k < s.n; k++) {
        size_t first = s.at[k].from, last = first + s.at[k].n;
        int is_block = s.at[k].kind == SPAN_TABLE; /* its rows are units */
        check(is_block || last <= from || first >= end || (first >= from && last <= end),
              "%s\n-- '%.*s' is cut", text.data, (int)s.at[k].n, text.data + first);
      }
      for (size_t k = 0; k < u.n; k++) {
        check(roles[k] == ROLE_CONTEXT || u.at[k].from >= end || u.at[k].from + u.at[k].n <= from,
              "%s\n-- '%.*s' is gone", text.data, (int)u.at[k].n, text.data + u.at[k].from);
      }
    }
    units_free(&u);
    spans_free(&s);
    compressed_free(&c);
  }
  assert_true(drops > 1000);
  buf_free(&text);
}

/* Sizes and bytes that nobody expects. */
static void test_odd(void **state) {
  (void)state;
  static const struct {
    const char *piece;
    size_t n;
    int times;
  } cases[] = {{"Aa bb. ", 7, 100000}, {"\"a ", 3, 100000},
               {"{\n", 2, 100000},     {". ", 2, 200000},
               {".", 1, 300000},       {"`", 1, 100000},
               {" ", 1, 300000},       {"\n", 1, 300000},
               {"a", 1, 500000},       {"/a ", 3, 100000},
               {"<a ", 3, 100000},     {"a\0b. C", 6, 20000},
               {"- x\n", 4, 50000},    {"```context\n", 11, 20000},
               {"# h\n", 4, 50000},    {"<doc>\n", 6, 50000},
               {"\xFF. ", 3, 50000},   {"A: b\n", 5, 50000},
               {"a  b\n", 5, 50000},   {"[\"a\",\n", 6, 30000},
               {"'a ", 3, 100000},     {"U.S. ", 5, 50000},
               {"(a ", 3, 100000},     {"[\"a\" ", 5, 60000},
               {"{a: '", 5, 60000},    {"A:\n", 3, 100000},
               {"T\nAb.\n", 6, 50000}, {"-a\n+b\n", 6, 50000},
               {"- a\n   ", 7, 50000}, {"To: a\n", 6, 50000},
               {"（", 3, 60000},       {"Why?\n", 5, 50000}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf text;
    buf_init(&text, 1 << 22);
    for (int k = 0; k < cases[i].times; k++) {
      buf_add(&text, cases[i].piece, cases[i].n);
    }
    CompressOptions o = {.methods = COMPRESS_ALL,
                         .context = CONTEXT_WHOLE,
                         .budget = 100,
                         .query = "bb",
                         .n_query = 2};
    Compressed c = compress(text.data, text.n, o);
    assert_true(c.n <= text.n && is_subsequence(&c, text.data, text.n));
    compressed_free(&c);
    buf_free(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_orders_in_context),
      cmocka_unit_test(test_what_belongs_together),
      cmocka_unit_test(test_extract),
      cmocka_unit_test(test_needless),
      cmocka_unit_test(test_reminders),
      cmocka_unit_test(test_what_stays),
      cmocka_unit_test(test_scores),
      cmocka_unit_test(test_too_small),
      cmocka_unit_test(test_report),
      cmocka_unit_test(test_undone),
      cmocka_unit_test(test_sections),
      cmocka_unit_test(test_any_text),
      cmocka_unit_test(test_spans_survive),
      cmocka_unit_test(test_drops_are_whole),
      cmocka_unit_test(test_odd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
