/*
** See sent_prompt.h for the contract.
*/
#include "work/prompts/sent_prompt.h"

#include <stdlib.h>
#include <string.h>

void sent_prompt_add(SentPrompt *p, SentPrompt *other) {
  p->calls += other->calls;
  p->answers += other->answers;
  p->long_answers += other->long_answers;
  p->answer_tokens += other->answer_tokens;
  p->orders += other->orders;
  other->calls = 0;
}

int sent_prompt_is(const SentPrompt *p, const Hash *key) {
  int is = memcmp(&p->key, key, sizeof *key) == 0;
  for (size_t i = 0; i < p->n_others && !is; i++) {
    is = memcmp(&p->others[i], key, sizeof *key) == 0;
  }
  return is;
}

void sent_prompt_free(SentPrompt *p) {
  free(p->hash);
  free(p->model);
  free(p->provider);
  free(p->before);
  free(p->moves);
  free(p->others);
  free(p->sentences.raw);
}
