/*
** What of a prompt is ballast: filler, prose that a schema says, examples.
*/
#include "unit.h"

#include "base/buf.h"
#include "core/ballast/filler.h"
#include "core/ballast/format_prose.h"
#include "core/ballast/places.h"

#include <stdio.h>

typedef struct Read {
  TextUnits u;
  Examples e;
  unsigned char *places;
  Err err;
} Read;

static void read_text(const char *text, Read *r) {
  size_t n = strlen(text);
  memset(r, 0, sizeof *r);
  assert_int_equal(units_find(text, n, &r->u, &r->err), RC_OK);
  assert_int_equal(examples_find(text, n, &r->u, &r->e, &r->err), RC_OK);
  assert_int_equal(examples_compare(text, &r->e, &r->err), RC_OK);
  r->places = malloc(r->u.n + 1);
  assert_int_equal(places_find(text, &r->u, &r->e, r->places, &r->err), RC_OK);
}

static void read_free(Read *r) {
  free(r->places);
  examples_free(&r->e);
  units_free(&r->u);
}

static int wrong; /* cases of a table: all are told of */

static void is_found(const char *text, const char *is, const char *should) {
  if (strcmp(is, should) != 0) {
    print_error("of:     %s\nfound:  %s\nshould: %s\n\n", text, is, should);
    wrong++;
  }
}

static void check_list(const char *text, const BallastList *list, const char *found) {
  Buf out;
  buf_init(&out, 1 << 20);
  buf_puts(&out, "");
  for (size_t i = 0; i < list->n; i++) {
    buf_puts(&out, i > 0 ? "|" : "");
    buf_add(&out, text + list->at[i].from, list->at[i].n);
  }
  buf_add(&out, "", 1);
  is_found(text, out.data, found);
  buf_free(&out);
}

static void check_filler(const char *text, const char *found) {
  Read r;
  BallastList list = {NULL, 0, 0};
  read_text(text, &r);
  assert_int_equal(filler_find(text, &r.u, r.places, &list, &r.err), RC_OK);
  check_list(text, &list, found);
  ballast_free(&list);
  read_free(&r);
}

#define ORDERS "You answer for a shop. Be kind. "

static void test_filler(void **state) {
  (void)state;
  wrong = 0;
  static const char *const cases[][2] = {
      {ORDERS "Thank you in advance.", "Thank you in advance."},
      {ORDERS "Thanks in advance!", "Thanks in advance!"},
      {ORDERS "Thank you in advance. Be brief. Be clear.", "Thank you in advance."},
      {ORDERS "Thank you very much for your help!", "Thank you very much for your help!"},
      {ORDERS "\n\nThank you.", "Thank you."},
      {ORDERS "\n\nRules:\n\nBe brief. Thank you in advance.", "Thank you in advance."},
      {ORDERS "I hope this helps.", "I hope this helps."},
      {ORDERS "You're doing great! Answer in two sentences.", "You're doing great!"},
      {ORDERS "Take a deep breath. Now answer.", "Take a deep breath."},
      {"Du bist ein Assistent. Antworte kurz. Vielen Dank im Voraus!", "Vielen Dank im Voraus!"},
      {"Tu es un assistant. Sois bref. Merci d'avance.", "Merci d'avance."},
      {"Eres un asistente. Se breve. Gracias de antemano.", "Gracias de antemano."},
      {ORDERS "Please note that the shop is closed on Sundays.", "Please note that "},
      {ORDERS "Please note that invoices go to Ms Bell.", "Please note that "},
      {ORDERS "Please keep in mind that delivery may take longer.", "Please keep in mind that "},
      {ORDERS "It is important to remember that refunds take 5 days.",
       "It is important to remember that "},
      {ORDERS "It's worth noting that Berlin has two shops.", "It's worth noting that "},
      {ORDERS "As mentioned above, never promise a date.", "As mentioned above, "},
      {ORDERS "As you may know, we ship by train.", "As you may know, "},
      {"Tu es un assistant. Veuillez noter que les prix sont nets.", "Veuillez noter que "},
      {"Eres un asistente. Ten en cuenta que los precios son netos.", "Ten en cuenta que "},
      {"# Rules\n- Be kind.\n- Thank you in advance.", "- Thank you in advance."},
      {"I hope you are doing well. " ORDERS, "I hope you are doing well."},
      {"Hello! I hope you are doing well today. " ORDERS, "I hope you are doing well today."},
      {"I hope this message finds you well. " ORDERS, "I hope this message finds you well."},
      {ORDERS "Thank you very much in advance for your help!",
       "Thank you very much in advance for your help!"},
      {ORDERS "Thanks in advance for your help.", "Thanks in advance for your help."},
      {ORDERS "Vielen Dank im Voraus f\xC3\xBCr deine Hilfe!",
       "Vielen Dank im Voraus f\xC3\xBCr deine Hilfe!"},
      {"<instructions>\nBe kind to all.\nThanks in advance!\n</instructions>",
       "Thanks in advance!"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_filler(cases[i][0], cases[i][1]);
  }
  assert_int_equal(wrong, 0);
}

static void test_no_filler(void **state) {
  (void)state;
  wrong = 0;
  static const char *const cases[] = {
      "Hello Ann! I hope you are doing well. The parcel is late. Thank you in advance for your "
      "help.",
      "Dear team, the parcel is late. Where is it now. I hope you are doing well.",
      ORDERS "Thank you in advance for your patience.",
      /* what may be a technique, and what changes the task */
      ORDERS "Let's think step by step.",
      ORDERS "Take a deep breath and work on this problem step by step.",
      ORDERS "Take a deep breath. Then go step by step.",
      ORDERS "This is very important to my career.", ORDERS "Do your best.",
      ORDERS "I'll tip you $200 for a perfect answer.", ORDERS "Feel free to ask questions.",
      ORDERS "Let's begin.", ORDERS "I want you to act as a pirate.",
      ORDERS "Remember: refunds take 5 days.", ORDERS "Read the question again.",
      /* what is to be said, or was */
      "Banned phrases: Please note that. I hope this helps. You are doing great!",
      "Say goodbye with these words. Thank you in advance. I hope this helps.",
      "Append to each answer. Thank you for your patience. I hope this helps.",
      ORDERS "End with: Thank you for your help.", ORDERS "End with:\n\nThank you for your help.",
      ORDERS "Close with \"Thank you in advance.\"",
      "# Template\n\nWe got your mail. Thank you for your help.",
      "Dear Ms Bell,\n\nplease send the parts. Thank you in advance.\n\nBest regards",
      ORDERS "\n\n**End with:**\n\nThank you for your help.",
      "Translate into French. I need the parts. Thank you in advance.", "Thank you in advance.",
      "User: Where is it?\nAgent: Here. Thank you for your help.",
      "<email>I need the parts. Thank you in advance.</email>\n\nWho wrote it?",
      "Answer it.\n\n<email>\nI need it.\nThank you in advance.\n</email>",
      "Example 1:\nInput: I need it. Thank you in advance.\nOutput: request\nExample 2:\nInput: "
      "Hi.\nOutput: chat",
      /* behind a label that does not speak of rules; an order as a label */
      "Fix: We are closed. Thank you in advance.",
      "Translate: Thank you in advance. Please note that we are closed.",
      "Summarise: We are closed. Thank you in advance.",
      "Template: We are closed. Thank you in advance.",
      "Respond with: We are closed. Thank you in advance.",
      "Repeat after me: It is. Thank you in advance.",
      "If the shop is closed, answer:\n\nWe are closed. Thank you in advance.",
      "If the shop is closed, answer: We are closed. Thank you in advance.",
      "Detect the language: We are closed. Thank you in advance.",
      ORDERS "\n\nDisclaimer:\n\nWe are closed.\n\nPlease note that we are closed.",
      /* phrases that mean something */
      ORDERS "Please note that in the ticket.", ORDERS "Note that down for later use.",
      ORDERS "Please note that number in the ticket too.", ORDERS "Please note that for later use.",
      ORDERS "Please note that payment is due, if it is late.",
      ORDERS "Remember that number for the rest of it.", ORDERS "Thank the customer for the order.",
      ORDERS "Note the date.", ORDERS "As mentioned in section 3, refunds take 5 days.",
      "Du bist ein Assistent. Bitte beachte, dass alle Preise netto sind.",
      ORDERS "Do you know what to do? Thank you for what?"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_filler(cases[i], "");
  }
  assert_int_equal(wrong, 0);
}

static const char schema[] = "{\"type\":\"object\",\"required\":[\"name\",\"age\",\"priority\"],"
                             "\"properties\":{\"name\":{\"type\":\"string\"},"
                             "\"age\":{\"type\":\"integer\"},\"priority\":{\"enum\":[\"low\","
                             "\"high\"]},\"note\":{\"type\":\"string\"}}}";

static void check_format(const char *text, const char *with, const char *found) {
  Read r;
  BallastList list = {NULL, 0, 0};
  read_text(text, &r);
  JsonFields *shape = with ? json_fields_read(with, strlen(with), &r.err) : NULL;
  assert_int_equal(format_prose_find(text, &r.u, r.places, shape, &list, &r.err), RC_OK);
  check_list(text, &list, found);
  ballast_free(&list);
  json_fields_free(shape);
  read_free(&r);
}

static void test_format_prose(void **state) {
  (void)state;
  wrong = 0;
  static const struct {
    const char *text;
    const char *alone, *with; /* found without a schema, and with it; NULL: the same */
  } cases[] = {
      {ORDERS "Respond only with valid JSON.", "Respond only with valid JSON.", NULL},
      {ORDERS "Your response must be a single valid JSON object.",
       "Your response must be a single valid JSON object.", NULL},
      {ORDERS "Return JSON. Do not wrap it in markdown. Be brief.",
       "Return JSON.|Do not wrap it in markdown.", NULL},
      {ORDERS "Do not return anything other than JSON.", "Do not return anything other than JSON.",
       NULL},
      {ORDERS "Always answer in JSON. No text before or after the JSON.",
       "Always answer in JSON.|No text before or after the JSON.", NULL},
      {"Du hilfst. Antworte nur mit g\xC3\xBCltigem JSON. Sei kurz.",
       "Antworte nur mit g\xC3\xBCltigem JSON.", NULL},
      {"# Format\n- Respond only with valid JSON.\n- Be brief.", "- Respond only with valid JSON.",
       NULL},
      {ORDERS "Answer in JSON. The JSON must have the fields `name` (string) and `age` (integer).",
       "Answer in JSON.|The JSON must have the fields `name` (string) and `age` (integer).", NULL},
      {ORDERS "Return a JSON object with the keys \"name\" and \"priority\".",
       "Return a JSON object with the keys \"name\" and \"priority\".", NULL},
      {ORDERS "Return JSON. The field `priority` must be one of \"low\", \"high\".",
       "Return JSON.|The field `priority` must be one of \"low\", \"high\".", NULL},
      {ORDERS
       "\n\nRespond in JSON with these fields:\n- `name`: string\n- `age`: integer\n\nBe brief.",
       "Respond in JSON with these fields:\n- `name`: string\n- `age`: integer", NULL},
      {ORDERS "\n\nRespond with JSON in this format:\n\n{\"name\": \"string\", \"age\": "
              "\"integer\"}\n\nBe brief.",
       "Respond with JSON in this format:\n\n{\"name\": \"string\", \"age\": \"integer\"}", NULL},
      {ORDERS "Respond ONLY with valid JSON, no preamble or explanation.",
       "Respond ONLY with valid JSON, no preamble or explanation.", NULL},
      {ORDERS "Every reply must be a properly formatted JSON object. No text outside of the JSON, "
              "no XML tags.",
       "Every reply must be a properly formatted JSON object.|No text outside of the JSON, no XML "
       "tags.",
       NULL},
      {ORDERS "Return JSON of this shape: {\"name\": string, \"priority\": \"low\" | \"high\"}", "",
       "Return JSON of this shape: {\"name\": string, \"priority\": \"low\" | \"high\"}"},
      {ORDERS "Return JSON of this shape: {\"name\": string, \"age\": number}",
       "Return JSON of this shape: {\"name\": string, \"age\": number}", NULL},
      {ORDERS "\n\nReturn JSON in this format:\n{\"name\": \"string\",\n \"age\": "
              "\"integer\"}\n\nBe brief.",
       "Return JSON in this format:\n{\"name\": \"string\",\n \"age\": \"integer\"}", NULL},
      /* the schema says less than the sentence */
      {ORDERS "Return JSON. The fields are `name` and `mood`.",
       "Return JSON.|The fields are `name` and `mood`.", "Return JSON."},
      {ORDERS "Return JSON. It must have the fields `name` and `note`.",
       "Return JSON.|It must have the fields `name` and `note`.", "Return JSON."},
      {ORDERS "Respond with a JSON array of objects.", "Respond with a JSON array of objects.", ""},
      {ORDERS "Answer with a JSON string.", "Answer with a JSON string.", ""},
      {ORDERS "Return JSON objects.", "Return JSON objects.", ""},
      {ORDERS "Return a single JSON object.", "Return a single JSON object.", NULL},
      {ORDERS "Return JSON. The field `age` must be a string.",
       "Return JSON.|The field `age` must be a string.", "Return JSON."},
      {ORDERS
       "\n\nAnswer in exactly this form:\n\n{\"name\": \"string\", \"at\": \"ISO 8601\"}\n\nBe "
       "brief.",
       "Answer in exactly this form:\n\n{\"name\": \"string\", \"at\": \"ISO 8601\"}", ""},
      {ORDERS
       "\n\nRespond only with valid JSON, no explanation, in exactly this form:\n\n{\"name\": "
       "\"string\", \"at\": \"ISO 8601\"}\n\nThe name is short.",
       "Respond only with valid JSON, no explanation, in exactly this form:\n\n{\"name\": "
       "\"string\", "
       "\"at\": \"ISO 8601\"}",
       ""},
      {ORDERS "Return JSON. The field `priority` must be one of `low`.",
       "Return JSON.|The field `priority` must be one of `low`.", "Return JSON."},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_format(cases[i].text, NULL, cases[i].alone);
    check_format(cases[i].text, schema, cases[i].with ? cases[i].with : cases[i].alone);
  }
  assert_int_equal(wrong, 0);
}

static void test_no_format_prose(void **state) {
  (void)state;
  wrong = 0;
  static const char *const cases[] = {
      /* what goes into a field */
      ORDERS "`priority` is high if the customer is angry.",
      ORDERS "Put the customer's name into `name`.",
      ORDERS "The `name` field must contain valid JSON.",
      ORDERS "Return JSON with a short summary of the complaint.",
      ORDERS "Return at most 5 JSON objects.",
      ORDERS "\n\nRespond in JSON with these fields:\n- `name`: the customer's full name\n- `age`: "
             "integer\n\nBe brief.",
      /* conditions, the contrary, and JSON as a subject */
      ORDERS "Return JSON if the user asks for data.", ORDERS "Never return JSON.",
      ORDERS "Do not answer in JSON.", ORDERS "JSON is a format.",
      "The API answers only with valid JSON. Explain why this is a good design.",
      "It outputs only valid JSON. Explain why.", "The data must be valid JSON. Explain why.",
      "You write JSON parsers. Explain your code.", ORDERS "Do not wrap it in markdown.",
      ORDERS "Convert the JSON below to YAML.", ORDERS "Never leave out the field `name` in JSON.",
      "Is it valid JSON? Return yes or no.",
      "Example 1:\nInput: x\nOutput: Return only JSON.\nExample 2:\nInput: y\nOutput: b",
      ORDERS "\n\nRespond with JSON in this format:\n\n{\"name\": \"the name of the "
             "customer\"}\n\nBe brief.",
      ORDERS "Return the JSON in a code block.",
      ORDERS "\n\nUse these values:\n\n{\"port\": \"main\", \"host\": \"local\"}\n\nBe brief.",
      ORDERS "\n\nNever answer in this form:\n\n{\"name\": \"string\"}\n\nBe brief.",
      "Sort it.\n\n**Output Format (JSON only):**\n{\"why\": \"the reason in short\"}\n\nBe kind."};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_format(cases[i], NULL, "");
    check_format(cases[i], schema, "");
  }
  assert_int_equal(wrong, 0);
}

/* Examples apart by bars, each with its input and output, and the place of the one that it repeats. */
static void check_examples(const char *text, const char *found) {
  Read r;
  Buf out;
  read_text(text, &r);
  buf_init(&out, 1 << 20);
  buf_puts(&out, "");
  for (size_t i = 0; i < r.e.n; i++) {
    const Example *e = &r.e.at[i];
    buf_puts(&out, i > 0 ? "|" : "");
    if (e->n_output) {
      buf_add(&out, text + e->input, e->n_input);
      buf_puts(&out, ">");
      buf_add(&out, text + e->output, e->n_output);
    } else {
      buf_add(&out, text + e->from, e->n);
    }
    if (e->repeats != EXAMPLE_NONE) {
      buf_printf(&out, "=%zu", e->repeats);
    }
  }
  buf_add(&out, "", 1);
  is_found(text, out.data, found);
  buf_free(&out);
  read_free(&r);
}

static void test_examples(void **state) {
  (void)state;
  wrong = 0;
  static const char *const cases[][2] = {
      {"Sort texts.\n\nInput: It broke.\nOutput: bad\nInput: I love it.\nOutput: good\n\nInput: "
       "{{text}}\nOutput:",
       "It broke.>bad|I love it.>good"},
      {"Sort texts.\n\nReview: It broke.\nSentiment: bad\n\nReview: I love it.\nSentiment: "
       "good\n\nNow sort the next one.",
       "It broke.>bad|I love it.>good"},
      {"Here are some examples:\n\nUser: Where is it?\nAssistant: On its way.\n\nBe kind.",
       "Where is it?>On its way."},
      {"### Example 1\nIt broke -> bad\n\n### Example 2\nI love it -> good\n\n### Rules\nBe kind.",
       "### Example 1\nIt broke -> bad|### Example 2\nI love it -> good"},
      {"Example 1:\nInput: a b\nOutput: c\n\nExample 2:\nInput: d e\nOutput: f\n\nNow go.",
       "a b>c|d e>f"},
      {"<example>\nInput: a b\nOutput: c\n</example>\n<example>\nanything\n</example>\nGo.",
       "a b>c|<example>\nanything\n</example>"},
      {"<examples>\n<example>\n<input>a b</input>\n<output>c</output>\n</example>\n</examples>",
       "a b>c"},
      {"Q: Who wrote it?\nA: Mann\n\nQ: And when?\nA: 1924\n\nQ: Where?\nA:",
       "Who wrote it?>Mann|And when?>1924"},
      {"Examples:\n\n[{\"input\":\"a b\",\"output\":\"c\"},{\"input\":\"d e\",\"output\":\"f\"}]",
       "\"a b\">\"c\"|\"d e\">\"f\""},
      {"**Example:**\nInput: a b\nOutput: c\n\n**Example:**\nInput: d e\nOutput: f\n\nGo on.",
       "a b>c|d e>f"},
      {"user:\nScore answers.\n\nquestion: Why?\nanswer: So.\nstars: 2\n\nquestion: How?\nanswer: "
       "Thus.\nstars: 3\n\nquestion: {{question}}\nanswer: {{answer}}\nstars:",
       "Why?>So.\nstars: 2|How?>Thus.\nstars: 3"},
      {"Sort texts.\n\nExamples:\n- \"It broke\" -> bad\n- \"I love it\" -> good\n\nBe kind.",
       "\"It broke\">bad|\"I love it\">good"},
      {"Sort texts.\n\nExamples:\n{\"input\":\"a b\",\"output\":\"c\"}\n{\"input\":\"d "
       "e\",\"output\":\"f\"}\n\nBe kind.",
       "\"a b\">\"c\"|\"d e\">\"f\""},
      {"Examples:\n\n```jsonl\n{\"input\":\"a b\",\"output\":\"c\"}\n{\"input\":\"d "
       "e\",\"output\":\"f\"}\n```\n\nBe kind.",
       "\"a b\">\"c\"|\"d e\">\"f\""},
      {"Examples:\n\n| input | output |\n|---|---|\n| It broke | bad |\n| I love it | good "
       "|\n\nBe kind.",
       "It broke>bad|I love it>good"},
      {"Some examples:\n\n| no. | message | label |\n|---|---|---|\n| 1 | It broke | bad |\n| 2 | "
       "I "
       "love it | good |\n\nBe kind.",
       "It broke>bad|I love it>good"},
      /* repetitions */
      {"Input: The parcel is late again\nOutput: late\nInput: The parcel was late "
       "again!\nOutput: late\nInput: The parcel is broken\nOutput: broken\nInput:",
       "The parcel is late again>late|The parcel was late again!>late=0|The parcel is "
       "broken>broken"},
      {"### Example 1\nThe parcel is late -> bad\n\n### Example 2\nThe parcel is late -> "
       "bad\n\n### Rules\nBe kind.",
       "### Example 1\nThe parcel is late -> bad|### Example 2\nThe parcel is late -> bad=0"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_examples(cases[i][0], cases[i][1]);
  }
  assert_int_equal(wrong, 0);
}

/* What an example differs in may be what it shows. */
static void test_examples_that_differ(void **state) {
  (void)state;
  static const char *const pairs[][2] = {
      {"The food was cold and late", "The food was not cold and not late"},
      {"Pay 100 EUR to Bob", "Pay 900 EUR to Bob"},
      {"Pay 100 EUR to Bob", "Pay 100 EUR to Amy"},
      {"The ship sails on 2026-01-01 at noon", "The ship sails on 2027-05-05 at noon"},
      {"Turn the lamp on", "Turn the lamp off"},
      {"We are open on monday", "We are open only on monday"},
      {"I would buy it again", "I would not buy it again"},
      {"Open the file a.txt", "Open the file b.txt"},
      {"Ann pays Bob", "Bob pays Ann"},
      {"The food was good :-)", "The food was good :-("},
      {"It costs 5 euros here", "It costs 5 dollars here"},
      {"You must pay for it", "You may pay for it"},
      {"It is open", "Is it open"},
  };
  static const char *const forms[] = {
      "Input: %s\nOutput: x\nInput: %s\nOutput: x\nInput:",
      "<example>\n<input>%s</input>\n<output>x</output>\n</example>\n<example>\n<input>%s</input>\n"
      "<output>x</output>\n</example>\nGo.",
      "### Example 1\n%s -> x\n\n### Example 2\n%s -> x\n\n### Rules\nBe kind.",
  };
  for (size_t i = 0; i < COUNT(pairs) * COUNT(forms); i++) {
    char text[512];
    Read r;
    const char *const *pair = pairs[i / COUNT(forms)];
    snprintf(text, sizeof text, forms[i % COUNT(forms)], pair[0], pair[1]);
    read_text(text, &r);
    check(r.e.n == 2 && r.e.at[1].repeats == EXAMPLE_NONE, "%s: %zu examples", text, r.e.n);
    read_free(&r);
  }
}

static unsigned task_of(const char *text) {
  Read r;
  unsigned task = 0;
  read_text(text, &r);
  assert_int_equal(task_find(text, &r.u, &r.e, &task, &r.err), RC_OK);
  read_free(&r);
  return task;
}

static void test_task(void **state) {
  (void)state;
  static const char *const on_text[] = {
      "Correct this letter.\n\nDear Sir,\nI am away.",
      "Corrige cette lettre.\n\nJe suis absent.",
      "Fix the grammar:\n\nHe go home.",
      "The text to translate is below.\n\nThe shop is closed.",
      "Is this sentence polite? Thank you in advance.",
      "Rewrite the next sentence more briefly. The door is open.",
      "Shorten this:\n\nThe shop is closed.",
      "Make it friendlier.\n\nThe shop is closed.",
      "Improve my English.\n\nThe shop is closed.",
      "Find duplicates in this list:\n- Carl\n- Carl",
      "- Carl\n- Carl\n\nSpot any double entries.",
      "Book each line as an own order.\n- Carl\n- Carl",
      "You are a bookkeeper. Total the hours.\n- Carl\n- Carl",
      "Reviews:\n* good\n* good\nGive the average.",
      "* good\n* good\n\nWhat share of the reviews is good?",
      "Sum up how much we owe. Bob lent us five dollars.",
      "How often did he come?\n- Carl\n- Carl",
      "Welcher Eintrag ist doppelt?\n- Carl\n- Carl",
      "Berechne die Summe.\n- Carl\n- Carl",
      "Here is my mail. Is it polite?\n\nThe shop is closed.",
      "The customer wrote:\n\nThe shop is closed.",
      "Tell me which of them is listed twice.\n- Carl\n- Carl",
      "Write an email to each person.\n- Carl\n- Carl",
      "Please read the list and sort the names.\n- Carl\n- Carl",
  };
  static const char *const on_examples[] = {
      "Evaluate this dataset. Compute the accuracy.",
      "Count the labels.",
      "Translate these examples to German.",
      "Find duplicates among these examples.",
      "How many examples are bad?",
      "Check the examples for errors.",
      "Which labels are wrong?",
      "Rewrite each example.",
      "Z\xC3\xA4hle die Beispiele.",
      "Remove rows that are wrong.",
  };
  static const char *const none[] = {
      "You answer for a shop. Use at most 120 words per answer. Be kind.",
      "You sort mails. Invoices are for Ms Bell.",
      "# Rules\n- Follow the rules below.\n- Do not compare our prices with others.\n- Never edit "
      "files.\n- Ask for the order number.",
      "Items can be returned for free. Where is my parcel?",
      "Make the smallest change that does what was asked. Say sorry once.",
      "Return shipping is free; below that the label costs 5 euros.",
      "Follow the examples. Here are some examples:",
      "Du bist ein Assistent. Antworte in zwei S\xC3\xA4tzen.",
  };
  for (size_t i = 0; i < COUNT(on_text); i++) {
    check(task_of(on_text[i]) & TASK_ON_TEXT, "%s", on_text[i]);
  }
  for (size_t i = 0; i < COUNT(on_examples); i++) {
    check(task_of(on_examples[i]) & TASK_ON_EXAMPLES, "%s", on_examples[i]);
  }
  for (size_t i = 0; i < COUNT(none); i++) {
    check(task_of(none[i]) == 0, "%s", none[i]);
  }
}

static void test_no_examples(void **state) {
  (void)state;
  wrong = 0;
  static const char *const cases[] = {
      "Summarise this conversation.\n\nUser: Where is it?\nAssistant: On its way.\nUser: "
      "When?\nAssistant: Today.",
      "# FAQ\n\nQ: When are you open?\nA: From 9 to 5.\n\nQ: Do you ship?\nA: Yes.\n\nBe kind.",
      "- Input: a customer's message\n- Output: a category\n\nBe kind.",
      "Input: {{text}}\nOutput: {{category}}\n\nInput: {{text}}\nOutput: <category>",
      "Rules:\n- refund -> form A12\n- lost card -> form C1\n\nBe kind.",
      "Example: write dates as 2026-01-31.",
      "The log:\n{\"input\":\"a b\",\"output\":\"c\"}\n{\"input\":\"d e\",\"output\":\"f\"}\n\nBe "
      "kind.",
      "Departments:\n\n| request | category |\n|---|---|\n| refund | money |\n| parcel | post "
      "|\n\nBe "
      "kind.",
      "Examples:\n\n| name | price |\n|---|---|\n| Tent | 90 |\n| Boots | 80 |\n\nBe kind.",
      "Give an example.",
      "For example, be kind.",
      "Opening hours: 9 to 5\nContact email: a@b.de"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    check_examples(cases[i], "");
  }
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_filler),
      cmocka_unit_test(test_no_filler),
      cmocka_unit_test(test_format_prose),
      cmocka_unit_test(test_no_format_prose),
      cmocka_unit_test(test_examples),
      cmocka_unit_test(test_no_examples),
      cmocka_unit_test(test_examples_that_differ),
      cmocka_unit_test(test_task),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
