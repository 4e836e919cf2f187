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
    {"model_length", FINISH_CUT_OFF},                  /* Mistral */
    {"model_context_window_exceeded", FINISH_CUT_OFF}, /* Anthropic */
    {"context_length", FINISH_CUT_OFF},
    {"context_length_exceeded", FINISH_CUT_OFF},
    {"context_window_exceeded", FINISH_CUT_OFF},
    {"token_limit", FINISH_CUT_OFF}, /* watsonx */
    {"token_limit_reached", FINISH_CUT_OFF},
    {"time_limit", FINISH_CUT_OFF},  /* watsonx */
    {"error_limit", FINISH_CUT_OFF}, /* Cohere, v1 */
    {"limit", FINISH_CUT_OFF},
    {"truncated", FINISH_CUT_OFF},
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
    {"error", FINISH_FAILED}, /* OpenRouter, Mistral, Cohere */
    {"errored", FINISH_FAILED},
    {"failed", FINISH_FAILED},
    {"failure", FINISH_FAILED},
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

/* The next letter or digit, in lower case; 0 at the end, which is a colon too. */
static int next(const char **s) {
  while (**s && **s != ':' && !isalnum((unsigned char)**s)) {
    ++*s;
  }
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

/* Protocol buffers put the name of the enumeration in front. */
static const char *skip_type(const char *word) {
  static const char prefix[] = "FINISH_REASON_";
  return strncmp(word, prefix, sizeof prefix - 1) == 0 ? word + sizeof prefix - 1 : word;
}

Finish finish_of(const char *word) {
  word = word ? skip_type(word) : "";
  for (int i = 0; *word && i < N_WORDS; i++) {
    if (is_same(word, words[i].word)) {
      return words[i].means;
    }
  }
  return FINISH_UNKNOWN;
}

int finish_is_tool(const char *word) {
  return word && (is_same(word, "tool_calls") || is_same(word, "tool_call") ||
                  is_same(word, "function_call") || is_same(word, "tool_use"));
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
