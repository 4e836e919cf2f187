/*
** Forms of a system prompt: what it asks for that another one, which says the same, does not. A form adds units to the text (a word about
** brevity, examples, prose about the format of the answer), and the headings and labels under which nothing else stands. Two prompts differ
** in a form alone if the rest of them is the same, byte for byte, but for blanks between units and for markers of items (of a list that
** is longer by one the numbers are others).
*/
#ifndef LLMCOST_FORM_H
#define LLMCOST_FORM_H

#include "base/hash.h"
#include "base/error.h"

enum PromptForm {
  FORM_BRIEF,    /* it asks for short answers (brevity.h) */
  FORM_EXAMPLES, /* it holds examples (core/ballast/examples.h) */
  FORM_FORMAT,   /* it says how the JSON of the answer is to look (core/ballast/format_prose.h) */
  FORM_COUNT
};

typedef struct FormOfText {
  int is_there;             /* the text has that form */
  char rest[HASH_HEX_SIZE]; /* names the text without it */
} FormOfText;

/* Each form of n bytes (any). Linear time. RC_OK, or *err without memory. */
int form_find(const char *text, size_t n, FormOfText forms[FORM_COUNT], Err *err);

#endif
