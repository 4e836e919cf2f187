/*
** See finish.h for the contract.
*/
#include "wire/answer/finish.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Words and who says them; from type declarations and API references, and from answers that users reported. */
static const struct {
  const char *word;
  Finish means;
} words[] = {
    {"stop", FINISH_COMPLETE},          /* OpenAI and most others; Gemini STOP; Ollama */
    {"end_turn", FINISH_COMPLETE},      /* Anthropic, Bedrock */
    {"stop_sequence", FINISH_COMPLETE}, /* Anthropic, Bedrock, Cohere, TGI */
    {"compaction", FINISH_COMPLETE},    /* Anthropic */
    {"eos", FINISH_COMPLETE},           /* Together */
    {"eos_token", FINISH_COMPLETE},     /* TGI, Hugging Face, watsonx */
    {"eos_found", FINISH_COMPLETE},
    {"eos_token_found", FINISH_COMPLETE},
    {"stop_string_found", FINISH_COMPLETE}, /* LM Studio, as eosFound */
    {"stop_token_found", FINISH_COMPLETE},
    {"stop_sequence_found", FINISH_COMPLETE},
    {"stop_word_found", FINISH_COMPLETE},
    {"stop_words", FINISH_COMPLETE},
    {"eos_reached", FINISH_COMPLETE},
    {"end_of_sequence", FINISH_COMPLETE},
    {"end_of_message", FINISH_COMPLETE},
    {"end_of_response", FINISH_COMPLETE},
    {"end_of_stream", FINISH_COMPLETE},
    {"end_of_sentence", FINISH_COMPLETE},
    {"eot", FINISH_COMPLETE},
    {"im_end", FINISH_COMPLETE},
    {"turn_complete", FINISH_COMPLETE},
    {"endoftext", FINISH_COMPLETE}, /* AI21 */
    {"end_of_text", FINISH_COMPLETE},
    {"end_of_turn", FINISH_COMPLETE},
    {"stop_token", FINISH_COMPLETE},
    {"stop_str", FINISH_COMPLETE},
    {"stop_string", FINISH_COMPLETE},
    {"stop_word", FINISH_COMPLETE},
    {"stop_criteria_met", FINISH_COMPLETE}, /* Bedrock's Titan: FINISH, STOP_CRITERIA_MET */
    {"stopped", FINISH_COMPLETE},
    {"complete", FINISH_COMPLETE},  /* Cohere */
    {"completed", FINISH_COMPLETE}, /* OpenAI responses */
    {"completion", FINISH_COMPLETE},
    {"done", FINISH_COMPLETE},
    {"end", FINISH_COMPLETE},
    {"finish", FINISH_COMPLETE},
    {"finished", FINISH_COMPLETE},
    {"final", FINISH_COMPLETE}, /* YandexGPT: ALTERNATIVE_STATUS_FINAL */
    {"ok", FINISH_COMPLETE},
    {"normal", FINISH_COMPLETE}, /* Baidu */
    {"natural", FINISH_COMPLETE},
    {"success", FINISH_COMPLETE},
    {"succeeded", FINISH_COMPLETE},
    {"length", FINISH_CUT_OFF},     /* OpenAI and most others */
    {"max_tokens", FINISH_CUT_OFF}, /* Anthropic, Bedrock, Cohere; Gemini MAX_TOKENS */
    {"max_token", FINISH_CUT_OFF},
    {"max_output_tokens", FINISH_CUT_OFF}, /* OpenAI responses */
    {"max_completion_tokens", FINISH_CUT_OFF},
    {"max_new_tokens", FINISH_CUT_OFF},
    {"max_tokens_reached", FINISH_CUT_OFF},
    {"max_length", FINISH_CUT_OFF},
    {"max_output_reached", FINISH_CUT_OFF},
    {"max_output", FINISH_CUT_OFF},
    {"maximum_tokens", FINISH_CUT_OFF},
    {"maximum_length", FINISH_CUT_OFF},
    {"max_predicted_tokens_reached", FINISH_CUT_OFF}, /* LM Studio */
    {"context_length_reached", FINISH_CUT_OFF},       /* LM Studio */
    {"max_tokens_exceeded", FINISH_CUT_OFF},
    {"max_context_length", FINISH_CUT_OFF},
    {"length_exceeded", FINISH_CUT_OFF},
    {"length_limit", FINISH_CUT_OFF},
    {"context", FINISH_CUT_OFF},
    {"model_length", FINISH_CUT_OFF},                  /* Mistral */
    {"model_context_window_exceeded", FINISH_CUT_OFF}, /* Anthropic */
    {"context_length", FINISH_CUT_OFF},
    {"context_length_exceeded", FINISH_CUT_OFF},
    {"context_window_exceeded", FINISH_CUT_OFF},
    {"token_limit", FINISH_CUT_OFF}, /* watsonx */
    {"token_limit_reached", FINISH_CUT_OFF},
    {"tokens_limit", FINISH_CUT_OFF},
    {"limit_reached", FINISH_CUT_OFF},
    {"time_limit", FINISH_CUT_OFF},  /* watsonx */
    {"error_limit", FINISH_CUT_OFF}, /* Cohere, v1 */
    {"limit", FINISH_CUT_OFF},
    {"truncated", FINISH_CUT_OFF},
    {"truncated_final", FINISH_CUT_OFF}, /* YandexGPT */
    {"output_truncated", FINISH_CUT_OFF},
    {"not_finished", FINISH_CUT_OFF}, /* TGI, and others that passed on too early */
    {"unfinished", FINISH_CUT_OFF},
    {"partial", FINISH_CUT_OFF},
    {"in_progress", FINISH_CUT_OFF},
    {"incomplete", FINISH_CUT_OFF}, /* OpenAI responses */
    {"pause_turn", FINISH_CUT_OFF}, /* Anthropic: it wants to go on */
    {"tool_calls", FINISH_CUT_OFF}, /* its text is what it says before it hands over */
    {"tool_call", FINISH_CUT_OFF},
    {"function_call", FINISH_CUT_OFF},
    {"tool_use", FINISH_CUT_OFF},
    {"content_filter", FINISH_FILTERED},   /* OpenAI, Azure; behind a colon, Gemini's own word */
    {"content_filtered", FINISH_FILTERED}, /* Bedrock */
    {"filtered", FINISH_FILTERED},
    {"refusal", FINISH_FILTERED}, /* Anthropic */
    {"refused", FINISH_FILTERED},
    {"safety", FINISH_FILTERED}, /* Gemini, from here … */
    {"image_safety", FINISH_FILTERED},
    {"recitation", FINISH_FILTERED},
    {"image_recitation", FINISH_FILTERED},
    {"prohibited_content", FINISH_FILTERED},
    {"image_prohibited_content", FINISH_FILTERED},
    {"blocklist", FINISH_FILTERED},
    {"blacklist", FINISH_FILTERED},
    {"spii", FINISH_FILTERED},
    {"model_armor", FINISH_FILTERED},
    {"language", FINISH_FILTERED},             /* … to here */
    {"sensitive", FINISH_FILTERED},            /* Z.ai */
    {"guardrail_intervened", FINISH_FILTERED}, /* Bedrock */
    {"guardrails", FINISH_FILTERED},
    {"error_toxic", FINISH_FILTERED}, /* Cohere, v1 */
    {"moderation", FINISH_FILTERED},
    {"blocked", FINISH_FILTERED},
    {"safety_filter", FINISH_FILTERED},
    {"policy_violation", FINISH_FILTERED},
    {"content_policy_violation", FINISH_FILTERED},
    {"content_policy", FINISH_FILTERED},
    {"flagged", FINISH_FILTERED},
    {"unsafe", FINISH_FILTERED},
    {"guardrail", FINISH_FILTERED},
    {"prohibited", FINISH_FILTERED},
    {"jailbreak", FINISH_FILTERED},
    {"copyright", FINISH_FILTERED},
    {"error", FINISH_FAILED}, /* OpenRouter, Mistral, Cohere */
    {"errored", FINISH_FAILED},
    {"failed", FINISH_FAILED},
    {"failure", FINISH_FAILED},
    {"exception", FINISH_FAILED},
    {"upstream_error", FINISH_FAILED},
    {"rate_limit", FINISH_FAILED},
    {"rate_limited", FINISH_FAILED},
    {"killed", FINISH_FAILED},
    {"oom", FINISH_FAILED},
    {"preempted", FINISH_FAILED},     /* vLLM */
    {"network_error", FINISH_FAILED}, /* Z.ai */
    {"server_error", FINISH_FAILED},
    {"internal_error", FINISH_FAILED},
    {"provider_error", FINISH_FAILED},
    {"stream_error", FINISH_FAILED},
    {"model_error", FINISH_FAILED},
    {"abort", FINISH_FAILED}, /* vLLM, SGLang */
    {"aborted", FINISH_FAILED},
    {"cancel", FINISH_FAILED},
    {"cancelled", FINISH_FAILED},
    {"canceled", FINISH_FAILED},
    {"user_cancel", FINISH_FAILED},
    {"user_stopped", FINISH_FAILED},   /* LM Studio */
    {"model_unloaded", FINISH_FAILED}, /* LM Studio */
    {"interrupted", FINISH_FAILED},
    {"disconnected", FINISH_FAILED},
    {"timeout", FINISH_FAILED},
    {"timed_out", FINISH_FAILED},
    {"overloaded", FINISH_FAILED},
    {"unavailable", FINISH_FAILED},
    {"repetition", FINISH_FAILED},                   /* it ran in circles until it was stopped */
    {"insufficient_system_resource", FINISH_FAILED}, /* DeepSeek */
    {"malformed_function_call", FINISH_FAILED},      /* Gemini, from here … */
    {"malformed_response", FINISH_FAILED},
    {"unexpected_tool_call", FINISH_FAILED},
    {"too_many_tool_calls", FINISH_FAILED},
    {"missing_thought_signature", FINISH_FAILED},
    {"other", FINISH_FAILED},
    {"image_other", FINISH_FAILED},
    {"no_image", FINISH_FAILED},               /* … to here */
    {"malformed_model_output", FINISH_FAILED}, /* Bedrock */
    {"malformed_tool_use", FINISH_FAILED},
};
enum { N_WORDS = sizeof words / sizeof words[0] };

static const char *const names[] = {
#define ROW(id, name) [id] = name,
    FINISHES(ROW)
#undef ROW
};

/* The next character but what parts the words of a name or stands around it ("<|im_end|>", "<FinishReason.STOP>"), in lower case;
** 0 at the end, which is a colon too. No word of the table has any other sign, so that what holds one is none of them. */
static int next(const char **s) {
  *s += strspn(*s, "-_. \t\r\n<>|");
  return **s && **s != ':' ? tolower((unsigned char)*(*s)++) : 0;
}

/* "MAX_TOKENS", "max-tokens", "maxTokens" are one word. */
static int is_same(const char *a, const char *b) {
  int x, y;
  do {
    x = next(&a);
    y = next(&b);
  } while (x == y && x);
  return x == y;
}

/* Of words that nobody listed, what they hold: the first that does counts. Letters and digits alone. */
static const struct {
  const char *stem;
  Finish means;
} stems[] = {
    {"ratelimit", FINISH_FAILED}, /* limits of another kind */
    {"quota", FINISH_FAILED},       {"retries", FINISH_FAILED},      {"filter", FINISH_FILTERED},
    {"safety", FINISH_FILTERED},    {"polic", FINISH_FILTERED},      {"block", FINISH_FILTERED},
    {"blacklist", FINISH_FILTERED}, {"prohibit", FINISH_FILTERED},   {"moderat", FINISH_FILTERED},
    {"unsafe", FINISH_FILTERED},    {"guardrail", FINISH_FILTERED},  {"jailbreak", FINISH_FILTERED},
    {"copyright", FINISH_FILTERED}, {"recitation", FINISH_FILTERED}, {"refus", FINISH_FILTERED},
    {"flagged", FINISH_FILTERED},   {"sensitive", FINISH_FILTERED},  {"censor", FINISH_FILTERED},
    {"toxic", FINISH_FILTERED},     {"harmful", FINISH_FILTERED},    {"violat", FINISH_FILTERED},
    {"injection", FINISH_FILTERED}, {"max", FINISH_CUT_OFF},         {"limit", FINISH_CUT_OFF},
    {"length", FINISH_CUT_OFF},     {"trunc", FINISH_CUT_OFF},       {"exceed", FINISH_CUT_OFF},
    {"cutoff", FINISH_CUT_OFF},     {"incomplete", FINISH_CUT_OFF},  {"unfinished", FINISH_CUT_OFF},
    {"error", FINISH_FAILED},       {"fail", FINISH_FAILED},         {"abort", FINISH_FAILED},
    {"cancel", FINISH_FAILED},      {"timeout", FINISH_FAILED},      {"timedout", FINISH_FAILED},
    {"exception", FINISH_FAILED},   {"interrupt", FINISH_FAILED},    {"disconnect", FINISH_FAILED},
    {"unavailable", FINISH_FAILED}, {"overload", FINISH_FAILED},     {"preempt", FINISH_FAILED},
    {"killed", FINISH_FAILED},      {"crash", FINISH_FAILED},        {"unloaded", FINISH_FAILED},
    {"outofmemory", FINISH_FAILED}, {"malformed", FINISH_FAILED},
};

/* The word's class where it is listed, as it is. */
static int look_up(const char *word, Finish *means) {
  for (int i = 0; *word && i < N_WORDS; i++) {
    if (is_same(word, words[i].word)) {
      *means = words[i].means;
      return 1;
    }
  }
  return 0;
}

/* Behind the name of an enumeration, as protocol buffers and many languages put it in front; the word where it has none. */
static const char *skip_type(const char *word) {
  static const char *const types[] = {"finish_reason", "stop_reason", "done_reason", "end_reason",
                                      "alternative_status"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    const char *rest = word, *type = types[i];
    int c = 0;
    while (*type && (c = next(&type)) == next(&rest)) {
    }
    if (!*type && c && *rest) {
      return rest;
    }
  }
  return word;
}

/* Behind what names or modules stand in front of a word: FinishReason.STOP, Reason::Stop. */
static const char *skip_names(const char *word) {
  const char *dot = strrchr(word, '.');
  word = dot && dot[1] ? dot + 1 : word;
  for (const char *colons; (colons = strstr(word, "::")) != NULL && colons[2];) {
    word = colons + 2;
  }
  return word;
}

/* The class of the first stem that the word holds. */
static Finish stem_of(const char *word) {
  char letters[96];
  size_t n = 0;
  for (; *word && *word != ':' && n < sizeof letters - 1; word++) {
    letters[n] = (char)tolower((unsigned char)*word);
    n += isalnum((unsigned char)*word) != 0;
  }
  letters[n] = 0;
  for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
    if (strstr(letters, stems[i].stem)) {
      return stems[i].means;
    }
  }
  return FINISH_UNKNOWN;
}

Finish finish_of(const char *word) {
  Finish means = FINISH_UNKNOWN;
  word = word ? word : "";
  if (look_up(word, &means) || look_up(word = skip_names(word), &means) ||
      look_up(word = skip_type(word), &means)) {
    return means;
  }
  return stem_of(word);
}

int finish_is_listed(const char *word) {
  Finish means;
  return look_up(word, &means) || look_up(skip_type(word), &means);
}

Finish finish_worst(Finish a, Finish b) {
  return a > b ? a : b;
}

int finish_is_tool(const char *word) {
  static const char *const tools[] = {"tool_calls", "tool_call", "function_call", "tool_use"};
  int is = 0;
  word = word ? skip_type(skip_names(word)) : "";
  for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++) {
    is |= is_same(word, tools[i]);
  }
  return is;
}

const char *finish_name(Finish finish) {
  return names[finish];
}

const char *finish_word_at(int i, Finish *finish) {
  if (i < 0 || i >= N_WORDS) {
    return NULL;
  }
  *finish = words[i].means;
  return words[i].word;
}
