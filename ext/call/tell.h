/*
** What of a provider's words may be told: in messages, in the ledger. A server may repeat the key or the prompt in
** any of them.
*/
#ifndef LLMCOST_TELL_H
#define LLMCOST_TELL_H

#include "call/call.h"

/* Takes a sentence out that repeats the key or the prompt. */
void tell_scrub(const Call *k, char *said, size_t size);

/* Masks what is or may be a key in a sentence, then as tell_scrub: 1 if something of it is left to be told. */
int tell_mask(const Call *k, char *said, size_t size);

/* A code is one word; anything else in its place, and what repeats something, is not repeated: "". */
void tell_scrub_code(const Call *k, char *code);

/* The provider's word for what ended an answer; "" where it is not known and repeats something. */
void tell_scrub_word(const Call *k, char *word);

/* The name of the model that answered; "" where it repeats something. */
void tell_scrub_model(const Call *k, char *model);

/* The words of a provider inside a usage, each that repeats something taken out. */
void tell_scrub_usage(const Call *k, cJSON *tree);

/* Whatever way a key took into the message or the row's error, it ends here. */
void tell_withhold_key(Call *k, Err *err);

#endif
