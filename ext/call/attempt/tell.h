/*
** What of a provider's words may be told: in messages, in the ledger. A server may repeat the key or the prompt in
** any of them.
*/
#ifndef LLMCOST_TELL_H
#define LLMCOST_TELL_H

#include "call/state/state.h"

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

/* What was paid for and is no answer: it does not satisfy the schema, was cut off, refused, or can't be read. Its text is kept
** with those of the prompts, where the setting log_text keeps those, and the row of the ledger names it: answer_hash.
**
** Names the text (borrowed; it may be NULL, or bytes) in the row, and keeps a copy for unfit_write. What holds the key is
** not kept, nor what is no text; without memory its name is all. */
void unfit_take(Call *k, const char *text, size_t n);

/* Writes it, in a transaction of its own before that of its row. A row may name a text that could not be written. */
void unfit_write(Call *k);

#endif
