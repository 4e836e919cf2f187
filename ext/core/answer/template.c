/*
** See template.h for the contract.
*/
#include "core/answer/template.h"

#include <string.h>

/* Longer ones first. */
static const char *const heads[] = {
    "<|start_header_id|>assistant<|end_header_id|>", /* Llama */
    "<|im_assistant|>assistant<|im_middle|>",        /* Kimi */
    "<|im_start|>assistant",                         /* ChatML: Qwen and many others */
    "<|start|>assistant",                            /* gpt-oss */
    "<|begin|>assistant",                            /* Solar */
    "<|header_start|>assistant<|header_end|>",       /* Llama 4 */
    "<start_of_turn>model",                          /* Gemma */
    "<|turn>model",
    "<|start_of_role|>assistant<|end_of_role|>", /* Granite */
    "<\xEF\xBD\x9C"
    "Assistant\xEF\xBD\x9C>",                   /* DeepSeek */
    "<|assistant|>",                            /* Phi, GLM */
    "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", /* Cohere, here and below */
    "<|CHATBOT_TOKEN|>",
    "<|START_RESPONSE|>",
    "<|START_TEXT|>",
    "<|begin_of_solution|>", /* OpenThinker, Sky-T1 */
    "<|begin_of_text|>",
    "<|startoftext|>",
    "<|content|>",
    "<BOS_TOKEN>",
    "<bos>",
    "[BOS]",
};

static const char *const tails[] = {
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|eom|>",
    "<|EOT|>",
    "<|eos|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|endofturn|>",
    "<|endofresponse|>",
    "<|end_of_solution|>",
    "<|END_RESPONSE|>",
    "<|END_TEXT|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|user|>", /* GLM's */
    "<|observation|>",
    "<\xEF\xBD\x9C"
    "end\xE2\x96\x81of\xE2\x96\x81sentence\xEF\xBD\x9C>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<turn|>",
    "<eos>",
    "<eot>",
    "<EOS_TOKEN>",
    "<EOT_TOKEN>",
    "<endoftext>",
    "</s>",
    "[EOS]",
    "[/INST]",
};

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Bytes of the mark of a list that the text begins with. */
static size_t first_of(const char *text, const char *const *list, size_t n_list) {
  for (size_t i = 0; i < n_list; i++) {
    if (text[0] == list[i][0] && strncmp(text, list[i], strlen(list[i])) == 0) {
      return strlen(list[i]);
    }
  }
  return 0;
}

size_t template_head(const char *text) {
  return first_of(text, heads, COUNT(heads));
}

size_t template_end(const char *text) {
  return first_of(text, tails, COUNT(tails));
}

size_t template_tail(const char *text, size_t n) {
  for (size_t i = 0; i < COUNT(tails); i++) {
    size_t length = strlen(tails[i]);
    if (n >= length && memcmp(text + n - length, tails[i], length) == 0) {
      return length;
    }
  }
  return 0;
}
