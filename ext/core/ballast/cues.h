/*
** Words by which ballast is told: which of a list of classes a word is in. English, and of German, French and Spanish
** what prompts are made of. Lists of words; sentences are in filler.c.
*/
#ifndef LLMCOST_CUES_H
#define LLMCOST_CUES_H

#include <stddef.h>
#include <stdint.h>

enum {
  CUE_JSON = 1,    /* json */
  CUE_ANSWERS = 2, /* respond, answer, return, output: what is asked of an answer */
  CUE_SHAPE = 4, /* says how JSON looks, and nothing of what is in it: valid, object, field, ... */
  CUE_TYPE = 8,  /* string, number, array */
  CUE_WRAPPING = 16, /* what models put around JSON: markdown, fence, explanation */
  CUE_EXCEPT =
      32, /* with a negation in front it forbids all the rest: but, else, anything, outside */
  CUE_CONDITION = 64, /* if, unless, when: what hangs on it holds at times */
  CUE_FORCE = 128,    /* must, always, only */
  CUE_WORDING =
      256, /* under it stands what is to be said, not an order: template, email, example, ... */
  CUE_GIVEN = 512,   /* a tag of that name holds what was given: input, email, code, ... */
  CUE_INPUT = 1024,  /* in front of what is put in: input, text, review */
  CUE_OUTPUT = 2048, /* in front of what comes out: output, label, category */
  CUE_DIALOGUE =
      4096, /* (with one of these two) who speaks: user, assistant; transcripts have it as well */
  CUE_QUESTION =
      8192, /* (with one of these two) q, a, question, answer: lists of questions have it as well */
  CUE_EXAMPLE = 16384,    /* example */
  CUE_OPERATES = 1 << 15, /* works on a text that is handed in: translate, rewrite, proofread */
  CUE_LETTER = 1 << 16,   /* begins or ends a letter: dear, regards, subject */
  CUE_FIELDS = 1 << 17,   /* fields, keys: names come behind it */
  CUE_OPTIONAL = 1 << 18,
  CUE_WRAPS = 1 << 21,  /* puts something around: wrap, surround */
  CUE_AGAIN = 1 << 20,  /* a heading of such words says what was said: reminders, summary */
  CUE_OTHERS = 1 << 22, /* what a sentence about JSON may be of, other than the answer */
  CUE_THIRD = 1 << 23,  /* what somebody does: returns, outputs */
  CUE_GENERAL = 1 << 19 /* a heading of such words narrows nothing: style, rules, format */
};

/* The classes of a word by its key (split/terms.h); 0: in none. */
unsigned cues_of(uint64_t key);

#endif
