/*
** Answers, from their bytes on: framing, streams, forms, what ended them, what the model thought.
*/
#include "unit.h"

#include "wire/answer/body.h"
#include "wire/provider.h"
#include "wire/answer/thinking.h"

/* A case: the bytes; what is to come of them ("" and NULL differ). */
typedef struct Case {
  const char *bytes, *text, *reasoning, *word;
  Finish finish;
  int is_broken;
} Case;

static Message question = {"user", "what?", 5, NULL};
static const Request request = {.messages = &question, .n_messages = 1};

static int is_text(const char *got, const char *wanted) {
  return wanted ? got && strcmp(got, wanted) == 0 : !got;
}

static void check_case(const Case *c) {
  Body body;
  Reply reply = {0};
  Err err = {0};
  body_read(c->bytes, strlen(c->bytes), "", &body, &err);
  check(err.rc == RC_OK, "%s: %s", c->bytes, err.msg);
  if (err.rc == RC_OK && reply_read(&body, &reply, &err) == RC_OK) {
    thinking_split(&reply, &request, &err);
  }
  check(err.rc == RC_OK, "%s: %s", c->bytes, err.msg);
  check(is_text(reply.text, c->text), "%s: text '%s'", c->bytes, reply.text ? reply.text : "NULL");
  check(is_text(reply.reasoning, c->reasoning), "%s: reasoning '%s'", c->bytes,
        reply.reasoning ? reply.reasoning : "NULL");
  check(strcmp(reply.word, c->word) == 0, "%s: word '%s'", c->bytes, reply.word);
  check(reply.finish == c->finish, "%s: %s", c->bytes, finish_name(reply.finish));
  check(reply.is_broken == c->is_broken, "%s: broken %d", c->bytes, reply.is_broken);
  reply_free(&reply);
  body_free(&body);
}

#define CHECK_ALL(cases)                                                                           \
  for (size_t i = 0; i < COUNT(cases); i++) {                                                      \
    check_case(&cases[i]);                                                                         \
  }

#define MESSAGE(members) "{\"choices\":[{\"message\":{" members "},\"finish_reason\":\"stop\"}]}"
#define CONTENT(text) MESSAGE("\"content\":" text)
#define STOPS "stop", FINISH_COMPLETE, 0

static void test_contents(void **state) {
  static const Case cases[] = {
      {CONTENT("\"42\""), "42", NULL, STOPS},
      {CONTENT("[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"hm\"}]},"
               "{\"type\":\"text\",\"text\":\"42\"}]"),
       "42", "hm", STOPS},
      {CONTENT("[\"4\",{\"text\":\"2\"}]"), "42", NULL, STOPS},
      {CONTENT("[{\"type\":\"output_text\",\"text\":\"42\"}]"), "42", NULL, STOPS},
      {CONTENT("[{\"type\":\"text\",\"text\":{\"value\":\"42\"}}]"), "42", NULL, STOPS},
      {CONTENT("{\"type\":\"text\",\"text\":\"42\"}"), "42", NULL, STOPS},
      {CONTENT("42"), "42", NULL, STOPS},
      {CONTENT("{\"answer\":42}"), "{\"answer\":42}", NULL, STOPS},
      {CONTENT("[{\"type\":\"image_url\",\"image_url\":{}}]"), NULL, NULL, STOPS},
      {CONTENT("[{\"type\":\"reasoning\",\"summary\":[{\"text\":\"a\"}]},{\"type\":\"text\","
               "\"text\":\"b\"}]"),
       "b", "a", STOPS},
      {MESSAGE("\"content\":\"b\",\"reasoning_content\":\"a\""), "b", "a", STOPS},
      {MESSAGE("\"content\":\"b\",\"reasoning\":\"a\",\"reasoning_content\":\"a\""), "b", "a",
       STOPS},
      {MESSAGE("\"content\":\"b\",\"thinking\":\"a\""), "b", "a", STOPS},
      {MESSAGE("\"content\":\"b\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":"
               "\"a\"}]"),
       "b", "a", STOPS},
      {MESSAGE("\"content\":\"b\",\"reasoning\":null"), "b", NULL, STOPS},
      {"{\"choices\":[{\"text\":\"b\",\"finish_reason\":\"stop\"}]}", "b", NULL, STOPS},
      {"{\"choices\":[]}", NULL, NULL, "", FINISH_UNKNOWN, 0},
      {"{\"choices\":null}", NULL, NULL, "", FINISH_UNKNOWN, 0},
  };
  (void)state;
  CHECK_ALL(cases);
}

static void test_thoughts(void **state) {
  static const Case cases[] = {
      {CONTENT("\"<think>hm</think>\\n\\nHello\""), "Hello", "hm", STOPS},
      {CONTENT("\"\\n<think>\\nhm\\n</think>Hello\""), "Hello", "\nhm\n", STOPS},
      {CONTENT("\"<think>hm and so on\""), "", "hm and so on", STOPS},
      {CONTENT("\"<think>hm</think>\""), "", "hm", STOPS},
      {CONTENT("\"<think></think>Hello\""), "Hello", "", STOPS},
      {CONTENT("\"hm\\n</think>\\n\\nHello\""), "Hello", "hm\n", STOPS},
      {CONTENT("\"[THINK]hm[/THINK]Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"\\u25c1think\\u25b7hm\\u25c1/think\\u25b7Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
               "<|channel|>final<|message|>Hello\""),
       "Hello", "hm", STOPS},
      /* spellings of marks */
      {CONTENT("\"<THINK>hm</THINK>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<think >hm</think >\\nHello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<thinking budget='9'>hm</thinking>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<seed:think>hm</seed:think>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<longcat_think>hm</longcat_think>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<thoughts>hm</thoughts>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<reasoning>hm</reasoning>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<reflection>hm</reflection>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<scratchpad>hm</scratchpad>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<analysis>hm</analysis>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<analysis>hm</analysis>\""), "<analysis>hm</analysis>", NULL, STOPS},
      {CONTENT("\"<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>\""),
       "Hello", "hm", STOPS},
      {CONTENT("\"<|begin_of_thought|>hm<|end_of_thought|>\\n\\n<|begin_of_solution|>\\nHello\\n"
               "<|end_of_solution|>\""),
       "Hello", "hm", STOPS},
      {CONTENT("\"<|think|>hm<|/think|>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<|think_start|>hm<|think_end|>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<|channel>thought\\nhm<channel|>Hello<turn|>\""), "Hello", "\nhm", STOPS},
      {CONTENT("\"<unused94>thought\\nhm<unused95>Hello\""), "Hello", "\nhm", STOPS},
      {CONTENT("\"<unused94>hm<unused95>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"Here is my thought process:\\nhm\\nHere is my response:\\nHello\""), "Hello",
       "\nhm\n", STOPS},
      {CONTENT("\"Here is my thought process:\\nhm\""), "Here is my thought process:\nhm", NULL,
       STOPS},
      {CONTENT("\"[ANALYSIS] hm\""), "[ANALYSIS] hm", NULL, STOPS},
      /* channels */
      {CONTENT("\"<|channel|>final <|constrain|>json<|message|>{}\""), "{}", NULL, STOPS},
      {CONTENT("\"<|start|>assistant<|channel|>final<|message|>Hello<|return|>\""), "Hello", NULL,
       STOPS},
      {CONTENT("\"<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary"
               "<|message|>b<|end|><|start|>assistant<|channel|>final<|message|>Hello<|return|>\""),
       "Hello", "a\nb", STOPS},
      {CONTENT("\"<|channel|>analysis<|message|>hm\""), "", "hm", STOPS},
      {CONTENT("\"analysisWe say hello.assistantfinalHello\""), "Hello", "We say hello.", STOPS},
      {CONTENT("\"analysis is hard\""), "analysis is hard", NULL, STOPS},
      /* several */
      {CONTENT("\"<think>a</think>\\n<think>b</think>\\n\\nHello\""), "Hello", "a\nb", STOPS},
      {CONTENT("\"<think>a</think>\\n\\n</think>Hello\""), "Hello", "a", STOPS},
      {CONTENT("\"<think>the mark </think> is\\n</think>\\nHello\""), "Hello", "the mark \nis\n",
       STOPS},
      /* mismatched */
      {CONTENT("\"<think>hm</thinking>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<think>a</thinking>b</think>Hello\""), "Hello", "a</thinking>b", STOPS},
      {CONTENT("\"<think>a</thinking><think>b</thinking>Hello\""), "Hello", "a\nb", STOPS},
      /* what stands in front, and behind */
      {CONTENT("\"\\u200b\\ufeff<think>hm</think>Hello\""), "Hello", "hm", STOPS},
      {CONTENT("\"<|im_start|>assistant\\n<think>\\nhm\\n</think>\\n\\nHello<|im_end|>\\n\""),
       "Hello", "\nhm\n", STOPS},
      {CONTENT("\"<|im_start|>assistant\\nHello\""), "Hello", NULL, STOPS},
      {CONTENT("\"Hello<|return|>\""), "Hello", NULL, STOPS},
      {CONTENT("\"Hello\\n<|eot_id|></s>\""), "Hello", NULL, STOPS},
      {CONTENT("\"Hello<|end|> \""), "Hello", NULL, STOPS},
      {CONTENT("\"Hello \\n\""), "Hello \n", NULL, STOPS},
      {CONTENT("\"<|im_end|> ends it\""), "<|im_end|> ends it", NULL, STOPS},
      {CONTENT("\"<s>gone</s>\""), "<s>gone</s>", NULL, STOPS},
      {CONTENT("\"<b>bold</b>\""), "<b>bold</b>", NULL, STOPS},
      {CONTENT("\"<think>hm</think>\\n<answer>\\nHello\\n</answer>\""), "Hello", "hm", STOPS},
      {CONTENT("\"<answer>Hello</answer>\""), "<answer>Hello</answer>", NULL, STOPS},
      /* a closing mark alone */
      {CONTENT("\"hm</think>\\n\\nHello\""), "Hello", "hm", STOPS},
      {CONTENT("\"hm.\\n\\n</think>Hello\""), "Hello", "hm.\n\n", STOPS},
      {CONTENT("\"hm.\\n</think> Hello\""), "Hello", "hm.\n", STOPS},
      {CONTENT("\"</think>\\n\\nHello\""), "Hello", "", STOPS},
      {CONTENT("\"hm.</think>Hello\""), "Hello", "hm.", STOPS},
      {CONTENT("\"hm. </think>\\n\\nHello\""), "Hello", "hm. ", STOPS},
      {CONTENT("\"</think> closes a thought.\""), "</think> closes a thought.", NULL, STOPS},
      {CONTENT("\"It ends with </think>\\nand so on\""), "It ends with </think>\nand so on", NULL,
       STOPS},
      {CONTENT("\"Split at \\\"</think>\\\".\""), "Split at \"</think>\".", NULL, STOPS},
      {CONTENT("\"So:\\n```\\n</think>\\n```\\n\""), "So:\n```\n</think>\n```\n", NULL, STOPS},
      {CONTENT("\"So:\\n<think>\\n</think>\\nok\""), "So:\n<think>\n</think>\nok", NULL, STOPS},
      {CONTENT("\"The tag </think> closes a thought.\""), "The tag </think> closes a thought.",
       NULL, STOPS},
      {CONTENT("\"Write <think>x</think> like this.\""), "Write <think>x</think> like this.", NULL,
       STOPS},
      {CONTENT("\"<thinker>x</thinker>\""), "<thinker>x</thinker>", NULL, STOPS},
  };
  (void)state;
  CHECK_ALL(cases);
}

/* Where the prompt asks for a mark that prompts ask for, it is the answer's. */
static void test_thoughts_that_were_asked_for(void **state) {
  static const struct {
    const char *prompt, *text, *answer; /* answer: NULL where the text is left as it is */
  } cases[] = {
      {"Answer with <thinking>…</thinking> first", "<thinking>a</thinking>b", NULL},
      {"Answer with <Thinking> first", "<thinking>a</thinking>b", NULL},
      {"Fill <analysis></analysis>", "<analysis>a</analysis>b", NULL},
      {"Fill <scratchpad>", "<thinking>a</thinking>b", "b"},
      {"Think inside <think></think>", "<think>a</think>b", "b"},
      {"Think inside <think></think>", "a</think>\n\nb", NULL},
      {"Think inside <thinking></thinking>", "a</think>\n\nb", "b"},
      {"Channels: <|channel|>analysis", "<|channel|>final<|message|>b", "b"},
      {"Use [THINK]", "[THINK]a[/THINK]b", "b"},
      {"What is <|im_end|>?", "b<|im_end|>", NULL},
      {"Put it into <answer>", "<think>a</think><answer>b</answer>", "<answer>b</answer>"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const Request as_user = {.messages = &(Message){"user", cases[i].prompt, 0, NULL},
                             .n_messages = 1};
    const Request as_system = {.system = cases[i].prompt, .messages = &question, .n_messages = 1};
    for (int k = 0; k < 2; k++) {
      Reply reply = {.text = strdup(cases[i].text)};
      Err err = {0};
      assert_int_equal(thinking_split(&reply, k ? &as_system : &as_user, &err), RC_OK);
      check(strcmp(reply.text, cases[i].answer ? cases[i].answer : cases[i].text) == 0, "%s: %s",
            cases[i].prompt, reply.text);
      reply_free(&reply);
    }
  }
}

/* A schema's answer may stand in a thought that does not end. */
static void test_open_thought_of_a_schema(void **state) {
  cJSON *schema = tree_of("{}");
  const Options options = {.schema = schema};
  const Request with = {.messages = &question, .n_messages = 1, .options = &options};
  Reply reply = {.text = strdup("<think>so {}")};
  Err err = {0};
  (void)state;
  assert_int_equal(thinking_split(&reply, &with, &err), RC_OK);
  assert_string_equal(reply.text, "<think>so {}");
  reply_free(&reply);
  cJSON_Delete(schema);
}

/* A MiB of marks does not take long. */
static void test_hostile_thoughts(void **state) {
  static const char *const parts[] = {"<think>",
                                      "</think>",
                                      "<think></thinking>",
                                      "<",
                                      "<|channel|>",
                                      "<|im_end|>",
                                      "<think>a</think>",
                                      "a</think>",
                                      "<|",
                                      "[THINK][/THINK]",
                                      "<|channel|>analysis<|message|>",
                                      "<think",
                                      "\n</think>",
                                      "<|im_start|>assistant"};
  const size_t n = (size_t)1 << 20;
  (void)state;
  for (size_t i = 0; i < COUNT(parts); i++) {
    Reply reply = {.text = malloc(n + 1)};
    Err err = {0};
    size_t m = strlen(parts[i]);
    for (size_t at = 0; at < n; at += m) {
      memcpy(reply.text + at, parts[i], n - at < m ? n - at : m);
    }
    reply.text[n] = 0;
    reply_is_blank(reply.text);
    assert_int_equal(thinking_split(&reply, &request, &err), RC_OK);
    reply_free(&reply);
  }
}

static void test_forms(void **state) {
  static const Case cases[] = {
      {"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\","
       "\"thinking\":\"a\"},"
       "{\"type\":\"text\",\"text\":\"b\"}],\"stop_reason\":\"end_turn\"}",
       "b", "a", "end_turn", FINISH_COMPLETE, 0},
      {"{\"output\":[{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":"
       "\"a\"}]},"
       "{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"b\"}]}],"
       "\"status\":\"completed\"}",
       "b", "a", "completed", FINISH_COMPLETE, 0},
      {"{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"b\"}]}"
       "],"
       "\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}",
       "b", NULL, "max_output_tokens", FINISH_CUT_OFF, 0},
      {"{\"message\":{\"role\":\"assistant\",\"content\":\"b\",\"thinking\":\"a\"},\"done\":true,"
       "\"done_reason\":\"stop\"}",
       "b", "a", STOPS},
      {"{\"response\":\"b\",\"done\":true,\"done_reason\":\"length\"}", "b", NULL, "length",
       FINISH_CUT_OFF, 0},
      {"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\",\"thought\":true},{\"text\":"
       "\"b\"}]},"
       "\"finishReason\":\"STOP\"}]}",
       "b", "a", "STOP", FINISH_COMPLETE, 0},
      {"{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", NULL, NULL, "OTHER", FINISH_FILTERED, 0},
      {"{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"b\"}]},\"finish_reason\":"
       "\"COMPLETE\"}",
       "b", NULL, "COMPLETE", FINISH_COMPLETE, 0},
      {"{\"success\":true,\"result\":{\"response\":\"b\"}}", "b", NULL, "", FINISH_UNKNOWN, 0},
      {MESSAGE("\"content\":null,\"refusal\":\"I can't.\""), NULL, NULL, "stop", FINISH_FILTERED,
       0},
      {MESSAGE("\"content\":\"b\",\"refusal\":\"\""), "b", NULL, STOPS},
      {CONTENT("[{\"type\":\"refusal\",\"refusal\":\"I can't.\"}]"), NULL, NULL, "stop",
       FINISH_FILTERED, 0},
  };
  (void)state;
  CHECK_ALL(cases);
}

#define CHUNK(delta, reason) "{\"choices\":[{\"delta\":{" delta "},\"finish_reason\":" reason "}]}"
#define A CHUNK("\"content\":\"a\"", "null")
#define B CHUNK("\"content\":\"b\"", "null")
#define END CHUNK("", "\"stop\"")
#define DATA(json) "data: " json "\n\n"

/* Whatever stands around the values. */
static void test_framing(void **state) {
  static const Case cases[] = {
      {"\xEF\xBB\xBF\n\n" CONTENT("\"b\""), "b", NULL, STOPS},
      {": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" CONTENT("\"b\""), "b", NULL, STOPS},
      {CONTENT("\"b\"") "\n\ndata: [DONE]\n\n", "b", NULL, STOPS},
      {DATA(CONTENT("\"b\"")), "b", NULL, STOPS},
      {"event: message\r\n" DATA(CONTENT("\"b\"")) DATA("[DONE]"), "b", NULL, STOPS},
      {"[" CONTENT("\"b\"") "]", "b", NULL, STOPS},
      {DATA(A) DATA(B) DATA(END) DATA("[DONE]"), "ab", NULL, STOPS},
      {DATA(A) DATA(B) DATA("[DONE]"), "ab", NULL, "", FINISH_UNKNOWN, 0},
      {DATA(A) DATA(B) DATA(END), "ab", NULL, STOPS},
      {DATA(A) DATA(B), "ab", NULL, "", FINISH_UNKNOWN, 1},
      {DATA(A) "data: {\"choices\":[{\"delta\":{\"content\":\"b", "a", NULL, "", FINISH_UNKNOWN, 1},
      {"data:" A "\ndata:" B "\ndata:" END "\n", "ab", NULL, STOPS},
      {A "\n" B "\n" END "\n", "ab", NULL, STOPS},
      {A B END, "ab", NULL, STOPS},
      {DATA(CHUNK("\"content\":\"\",\"reasoning_content\":\"x\"", "null"))
           DATA(CHUNK("\"reasoning_content\":\"y\"", "null")) DATA(A) DATA(END),
       "a", "xy", STOPS},
      {DATA(CHUNK("\"refusal\":\"I \"", "null")) DATA(CHUNK("\"refusal\":\"can't.\"", "null"))
           DATA(END),
       NULL, NULL, "stop", FINISH_FILTERED, 0},
      {DATA("{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":"
            "[{\"type\":\"text\",\"text\":\"x\"}]}]}}]}") DATA(A) DATA(END),
       "a", "x", STOPS},
      {"{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"message\":{\"content\":\"b\"},"
       "\"done\":false}\n"
       "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n",
       "ab", NULL, STOPS},
      {"{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"message\":{\"content\":\"b\"},"
       "\"done\":false}\n",
       "ab", NULL, "", FINISH_UNKNOWN, 1},
      {"event: message_start\n" DATA(
           "{\"type\":\"message_start\",\"message\":{\"role\":\"assistant\","
           "\"content\":[],\"usage\":{\"input_tokens\":5,\"output_tokens\":1}}}")
           DATA("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
                "\"thinking\","
                "\"thinking\":\"\"}}")
               DATA("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
                    "{\"type\":\"thinking_delta\",\"thinking\":\"x\"}}") DATA("{\"type\":\"ping\"}")
                   DATA("{\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"
                        "\"text\","
                        "\"text\":\"\"}}") DATA("{\"type\":\"content_block_delta\",\"index\":1,"
                                                "\"delta\":"
                                                "{\"type\":\"text_delta\",\"text\":\"ab\"}}")
                       DATA("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
                            "\"usage\":{\"output_tokens\":7}}") DATA("{\"type\":\"message_stop\"}"),
       "ab", "x", "end_turn", FINISH_COMPLETE, 0},
      {DATA("{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}")
           DATA("{\"type\":\"response.output_text.delta\",\"delta\":\"b\"}")
               DATA("{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\","
                    "\"output\":[{\"type\":"
                    "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"ab\"}]}]}}"),
       "ab", NULL, "completed", FINISH_COMPLETE, 0},
      {DATA("{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}"), "a", NULL, "",
       FINISH_UNKNOWN, 1},
      {"[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]},{\"candidates\":[{"
       "\"content\":"
       "{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]}]",
       "ab", NULL, "STOP", FINISH_COMPLETE, 0},
  };
  (void)state;
  CHECK_ALL(cases);
}

#define TEXT(text) CHUNK("\"content\":\"" text "\"", "null")
#define OTHER(text, word)                                                                          \
  "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":" word "}]}"
#define FIRST(text, word)                                                                          \
  "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"},\"finish_reason\":" word "}]}"

/* Pieces: characters that are cut in two, several choices, what stands behind the end. */
static void test_pieces(void **state) {
  static const Case cases[] = {
      {DATA(TEXT("a\\ud83d")) DATA(TEXT("\\ude00b")) DATA(END),
       "a\xF0\x9F\x98\x80"
       "b",
       NULL, STOPS},
      {TEXT("a\\uD83D") "\n" TEXT("\\uDE00b") "\n" END,
       "a\xF0\x9F\x98\x80"
       "b",
       NULL, STOPS},
      {DATA(TEXT("\\ud83d")) DATA(TEXT("\\ude00\\ud83d")) DATA(TEXT("\\ude01")) DATA(END),
       "\xF0\x9F\x98\x80\xF0\x9F\x98\x81", NULL, STOPS},
      {DATA(TEXT("\\ud83d")) ": hm\n\n" DATA(TEXT("")) DATA(TEXT("\\ude00")) DATA(END),
       "\xF0\x9F\x98\x80", NULL, STOPS},
      {DATA(TEXT("a\\ud83d")) DATA(TEXT("b")) DATA(END),
       "a\xEF\xBF\xBD"
       "b",
       NULL, STOPS},
      {DATA(TEXT("a\\ud83db")) DATA(TEXT("\\ude00")) DATA(END),
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD",
       NULL, STOPS},
      {DATA(TEXT("a\\ud83d")) DATA(TEXT("b\\ude00")) DATA(END),
       "a\xEF\xBF\xBD"
       "b\xEF\xBF\xBD",
       NULL, STOPS},
      {DATA(TEXT("\\\\ud83d")) DATA(TEXT("\\ude00")) DATA(END), "\\ud83d\xEF\xBF\xBD", NULL, STOPS},
      {DATA(TEXT("\\ude00\\ud83d")) DATA(END), "\xEF\xBF\xBD\xEF\xBF\xBD", NULL, STOPS},
      {DATA(FIRST("a", "null")) DATA(OTHER("x", "null")) DATA(FIRST("b", "\"stop\""))
           DATA(OTHER("y", "\"length\"")),
       "ab", NULL, STOPS},
      {DATA(OTHER("a", "null")) DATA(OTHER("b", "\"stop\"")) DATA(FIRST("x", "\"length\"")), "ab",
       NULL, STOPS},
      {DATA(FIRST("a", "null")) DATA(TEXT("b")) DATA(END), "ab", NULL, STOPS},
      {DATA(FIRST("a", "null")) DATA(OTHER("b", "\"stop\"")) DATA("[DONE]"), "a", NULL, "",
       FINISH_UNKNOWN, 1},
      {DATA(A) DATA(END) DATA("[DONE]") DATA(B), "a", NULL, STOPS},
      {DATA(A) DATA(END) DATA("{\"type\":\"message_stop\"}") DATA(B), "a", NULL, STOPS},
      {"{\"message\":{\"content\":\"a\"},\"done\":false}", "a", NULL, "", FINISH_UNKNOWN, 1},
      {TEXT("a"), "a", NULL, "", FINISH_UNKNOWN, 1},
      {"{\"choices\":[{\"delta\":null,\"message\":{\"content\":\"a\"}}]}", "a", NULL, "",
       FINISH_UNKNOWN, 0},
      {"{\"choices\":[{\"delta\":{\"content\":\"a\"},\"message\":{\"content\":\"a\"}}]}", "a", NULL,
       "", FINISH_UNKNOWN, 0},
      {DATA(A) DATA(END) "data: [DO", "a", NULL, STOPS},
      {DATA(A) DATA(END) "data: \"[", "a", NULL, STOPS},
      {DATA(A) "data: [d", "a", NULL, "", FINISH_UNKNOWN, 1},
  };
  (void)state;
  CHECK_ALL(cases);
}

/* The usage of a stream: the last of each kind, wherever it stands. */
static void test_usage_of_streams(void **state) {
  static const struct {
    const char *bytes, *provider;
    long long input, output;
  } cases[] = {
      {DATA(A) DATA(END)
           DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}"),
       "openai", 5, 7},
      {DATA("{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}")
           DATA("{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":5,"
                "\"completion_tokens\":7}}"),
       "x", 5, 7},
      {DATA(A) DATA(
           "{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":7}}}"),
       "groq", 5, 7},
      {DATA("{\"type\":\"message_start\",\"message\":{\"model\":\"claude-haiku-4-5\",\"usage\":"
            "{\"input_tokens\":5,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}")
           DATA("{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":7}}"),
       "anthropic", 5, 7},
      {"{\"message\":{\"content\":\"a\"},\"done\":false}\n"
       "{\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":5,\"eval_count\":7}",
       "ollama", 5, 7},
      {DATA("{\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[],"
            "\"usage\":{\"input_tokens\":5,\"output_tokens\":7,\"total_tokens\":12}}}"),
       "openai", 5, 7},
      {"[{\"candidates\":[]},{\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":7}"
       "}]",
       "google", 5, 7},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Body body;
    Reply reply = {0};
    Err err = {0};
    check(body_read(cases[i].bytes, strlen(cases[i].bytes), "", &body, &err) == RC_OK, "%s: %s",
          cases[i].bytes, err.msg);
    provider_read_usage(body.tree, cases[i].provider, &reply);
    check(usage_get(&reply.usage, UNIT_INPUT) == cases[i].input &&
              usage_get(&reply.usage, UNIT_OUTPUT) == cases[i].output,
          "%s: %lld, %lld %s", cases[i].bytes, usage_get(&reply.usage, UNIT_INPUT),
          usage_get(&reply.usage, UNIT_OUTPUT), reply.usage_error);
    reply_free(&reply);
    body_free(&body);
  }
}

static void test_what_is_no_answer(void **state) {
  static const struct {
    const char *bytes, *type, *says;
  } cases[] = {
      {"", "", "0 bytes"},
      {"<!doctype html><title>My chats</title>", "text/html",
       "text/html, 38 bytes: \"<!doctype html>"},
      {"hello", "text/plain", "text/plain, 5 bytes: \"hello\""},
      {"{\"choices\":[{\"message\":{\"con", "application/json", "ends after 28 bytes"},
      {"{\"choices\" x}", "application/json", "at byte 11"},
      {": only comments\n\n", "text/event-stream", "text/event-stream"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Body body;
    Err err = {0};
    body_read(cases[i].bytes, strlen(cases[i].bytes), cases[i].type, &body, &err);
    check(err.code == ERR_BAD_JSON && strstr(err.msg, cases[i].says), "%s: %s", cases[i].bytes,
          err.msg);
    assert_null(body.tree);
  }
}

static void test_finish_words(void **state) {
  static const struct {
    const char *word;
    Finish is;
  } cases[] = {
      {"stop", FINISH_COMPLETE},
      {"STOP", FINISH_COMPLETE},
      {"FINISH_REASON_STOP", FINISH_COMPLETE},
      {"endTurn", FINISH_COMPLETE},
      {"eos_token", FINISH_COMPLETE},
      {"MAX_TOKENS", FINISH_CUT_OFF},
      {"maxTokens", FINISH_CUT_OFF},
      {"max-tokens", FINISH_CUT_OFF},
      {"content_filter: SAFETY", FINISH_FILTERED},
      {"SAFETY", FINISH_FILTERED},
      {"network_error", FINISH_FAILED},
      {"error", FINISH_FAILED},
      /* cut off */
      {"max_output", FINISH_CUT_OFF},
      {"maximum_tokens", FINISH_CUT_OFF},
      {"maxPredictedTokensReached", FINISH_CUT_OFF},
      {"contextLengthReached", FINISH_CUT_OFF},
      {"not_finished", FINISH_CUT_OFF},
      {"ALTERNATIVE_STATUS_TRUNCATED_FINAL", FINISH_CUT_OFF},
      {"FinishReason.MAX_TOKENS", FINISH_CUT_OFF},
      {"max_tokens_exceeded", FINISH_CUT_OFF},
      {"length_exceeded", FINISH_CUT_OFF},
      {"tokens_limit", FINISH_CUT_OFF},
      {"limit_reached", FINISH_CUT_OFF},
      {"max_context_length", FINISH_CUT_OFF},
      {"output_truncated", FINISH_CUT_OFF},
      {"context", FINISH_CUT_OFF},
      /* filtered */
      {"blacklist", FINISH_FILTERED},
      {"ALTERNATIVE_STATUS_CONTENT_FILTER", FINISH_FILTERED},
      {"content_policy_violation", FINISH_FILTERED},
      {"content_policy", FINISH_FILTERED},
      {"flagged", FINISH_FILTERED},
      {"unsafe", FINISH_FILTERED},
      {"guardrail", FINISH_FILTERED},
      {"prohibited", FINISH_FILTERED},
      {"jailbreak", FINISH_FILTERED},
      {"copyright", FINISH_FILTERED},
      /* failed */
      {"user_cancel", FINISH_FAILED},
      {"userStopped", FINISH_FAILED},
      {"modelUnloaded", FINISH_FAILED},
      {"exception", FINISH_FAILED},
      {"upstream_error", FINISH_FAILED},
      {"preempted", FINISH_FAILED},
      {"killed", FINISH_FAILED},
      {"oom", FINISH_FAILED},
      {"rate_limit", FINISH_FAILED},
      {"rate_limited", FINISH_FAILED},
      {"OTHER", FINISH_FAILED},
      {"IMAGE_OTHER", FINISH_FAILED},
      /* complete */
      {"ALTERNATIVE_STATUS_FINAL", FINISH_COMPLETE},
      {"eosFound", FINISH_COMPLETE},
      {"stopStringFound", FINISH_COMPLETE},
      {"FinishReason.STOP", FINISH_COMPLETE},
      {"<FinishReason.STOP>", FINISH_COMPLETE},
      {"FinishReasonStop", FINISH_COMPLETE},
      {"finish_reason_stop", FINISH_COMPLETE},
      {"StopReason::EndTurn", FINISH_COMPLETE},
      {"STOP_REASON_MAX_TOKENS", FINISH_CUT_OFF},
      {"google.ai.FinishReason.SAFETY", FINISH_FILTERED},
      /* by a stem */
      {"kv_cache_limit_hit", FINISH_CUT_OFF},
      {"MaxGenerationLength", FINISH_CUT_OFF},
      {"FINISH_REASON_OUTPUT_TRUNCATION", FINISH_CUT_OFF},
      {"azure_content_filter_v2", FINISH_FILTERED},
      {"moderation_blocked", FINISH_FILTERED},
      {"filter_error", FINISH_FILTERED},
      {"rate_limit_exceeded", FINISH_FAILED},
      {"gpu_error", FINISH_FAILED},
      {"request_timeout: 30 s", FINISH_FAILED},
      {"FINISH_REASON_UNSPECIFIED", FINISH_UNKNOWN},
      {"FINISH_REASON_", FINISH_UNKNOWN},
      {"FinishReason.", FINISH_UNKNOWN},
      {"", FINISH_UNKNOWN},
      {"null", FINISH_UNKNOWN},
      {"stopper", FINISH_UNKNOWN},
      {":", FINISH_UNKNOWN},
      {"sto", FINISH_UNKNOWN},
      {"_", FINISH_UNKNOWN},
  };
  Finish finish;
  (void)state;
  assert_int_equal(finish_of(NULL), FINISH_UNKNOWN);
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(finish_of(cases[i].word) == cases[i].is, "%s: %s", cases[i].word,
          finish_name(finish_of(cases[i].word)));
  }
  for (int i = 0; finish_word_at(i, &finish); i++) {
    check(finish_of(finish_word_at(i, &finish)) == finish, "'%s' stands twice",
          finish_word_at(i, &finish));
  }
}

/* Signs around a word are not part of it; what is behind it in another script is. */
static void test_finish_signs(void **state) {
  static const struct {
    const char *word;
    Finish is;
  } cases[] = {
      {"<|im_end|>", FINISH_COMPLETE},      {"stop\n", FINISH_COMPLETE},
      {"max/tokens", FINISH_CUT_OFF}, /* by its stem */
      {"time(d) out", FINISH_FAILED},       {"stop\xE7\xA7\x98\xE5\xAF\x86", FINISH_UNKNOWN},
      {"\xE7\xA7\x98stop", FINISH_UNKNOWN}, {"stop(\")", FINISH_UNKNOWN},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(finish_of(cases[i].word) == cases[i].is, "%s: %s", cases[i].word,
          finish_name(finish_of(cases[i].word)));
  }
}

/* What is listed may be told on: not what only holds a stem, or has a name in front. */
static void test_listed_words(void **state) {
  static const char *const listed[] = {"stop", "MAX_TOKENS", "FINISH_REASON_STOP"};
  static const char *const not [] = {"",
                                     "gpu_error",
                                     "secret.STOP",
                                     "secret::stop",
                                     "secret_max",
                                     "stop secret",
                                     "stop\xE7\xA7\x98\xE5\xAF\x86",
                                     "\xE7\xA7\x98stop",
                                     "st\xC3\xB6op",
                                     "stop;"};
  (void)state;
  for (size_t i = 0; i < COUNT(listed); i++) {
    check(finish_is_listed(listed[i]), "%s", listed[i]);
  }
  for (size_t i = 0; i < COUNT(not ); i++) {
    check(!finish_is_listed(not [i]), "%s", not [i]);
  }
  assert_true(finish_is_tool("toolCalls") && finish_is_tool("FinishReason.TOOL_CALLS"));
  assert_true(finish_is_tool("FINISH_REASON_TOOL_USE") && !finish_is_tool("stop"));
  assert_false(finish_is_tool(NULL));
}

static void test_worst_of_words(void **state) {
  static const Finish order[] = {FINISH_UNKNOWN, FINISH_COMPLETE, FINISH_CUT_OFF, FINISH_FILTERED,
                                 FINISH_FAILED};
  (void)state;
  for (size_t a = 0; a < COUNT(order); a++) {
    for (size_t b = 0; b < COUNT(order); b++) {
      assert_int_equal(finish_worst(order[a], order[b]), order[a > b ? a : b]);
    }
  }
}

static void test_blanks(void **state) {
  static const char *const blank[] = {
      "",
      " ",
      "\n\n",
      "\xE2\x80\x8B",
      "<|im_end|>",
      "\xEF\xBB\xBF",
      "</s>",
      " \xC2\xA0<|eot_id|>\n",
      "\xE1\x85\x9F\xE1\x85\xA0\xE3\x85\xA4\xEF\xBE\xA0", /* Hangul fillers */
      "\xE2\x81\xA2\xE2\x81\xA3\xE2\x81\xAA",             /* invisible signs */
      "\xEF\xB8\x8F\xF3\xA0\x84\x80",                     /* variation selectors */
      "\xF3\xA0\x80\xA0",                                 /* a tag */
      "\xEF\xBF\xB9\xCD\x8F\xC2\xAD",
      "\xE1\x9A\x80\xE3\x80\x80\xE2\x80\xA8\xC2\x85\xE2\xA0\x80",
      "<EOS_TOKEN>",
      "<|im_start|>assistant\n",
      "<start_of_turn>model\n<end_of_turn>",
      "<turn|>",
      "</think>",
      "<think>\n\n</think>\n",
      "[DONE]",
      "<|end_of_thought|>",
      "<s></s>",
      "<\xEF\xBD\x9C"
      "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>"};
  static const char *const not [] = {"0",
                                     "a",
                                     "<",
                                     "<|",
                                     "<|a",
                                     ".",
                                     "\xE2\x80\xA6",
                                     "\xCC\x81",
                                     "\xEF\xBF\xBD",
                                     "\xF0\x9F\x98\x80",
                                     "<think>a",
                                     "[DONE",
                                     "assistant",
                                     "<turn>",
                                     "<b>",
                                     "null"};
  (void)state;
  assert_true(reply_is_blank(NULL));
  for (size_t i = 0; i < COUNT(blank); i++) {
    check(reply_is_blank(blank[i]), "'%s'", blank[i]);
  }
  for (size_t i = 0; i < COUNT(not ); i++) {
    check(!reply_is_blank(not [i]), "'%s'", not [i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_contents),
      cmocka_unit_test(test_thoughts),
      cmocka_unit_test(test_thoughts_that_were_asked_for),
      cmocka_unit_test(test_open_thought_of_a_schema),
      cmocka_unit_test(test_hostile_thoughts),
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_framing),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_usage_of_streams),
      cmocka_unit_test(test_what_is_no_answer),
      cmocka_unit_test(test_finish_words),
      cmocka_unit_test(test_finish_signs),
      cmocka_unit_test(test_listed_words),
      cmocka_unit_test(test_worst_of_words),
      cmocka_unit_test(test_blanks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
