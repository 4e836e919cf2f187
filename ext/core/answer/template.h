/*
** The marks that a chat template puts around an answer: a server that does not know the model's leaves them in the text. They are
** from the templates and tokenizers that models are published with.
*/
#ifndef LLMCOST_TEMPLATE_H
#define LLMCOST_TEMPLATE_H

#include <stddef.h>

/* Bytes of the mark at the front by which a template begins an answer ("<|im_start|>assistant"), or ends one
** ("<|im_end|>"); 0 where none is. */
size_t template_head(const char *text);
size_t template_end(const char *text);

/* Bytes of such an end at the end of n bytes. */
size_t template_tail(const char *text, size_t n);

#endif
