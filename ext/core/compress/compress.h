/*
** Prompts made shorter without a model: by leaving out what says nothing, what is said twice and, of context, what has nothing to do
** with the question.
**
**   COMPRESS_SPACE    blanks and line ends that mean nothing          (lossless.h)
**   COMPRESS_JSON     blanks between the values of JSON               (lossless.h)
**   COMPRESS_FORMAT   prose that a schema carries; only with a schema (ballast/format_prose.h)
**   COMPRESS_EXAMPLES examples that show what an earlier one shows    (ballast/examples.h)
**   COMPRESS_REPEATS  sentences and items that were said before       (repeats.h)
**   COMPRESS_FILLER   sentences and phrases that say nothing          (ballast/filler.h); behind those that look at sentences, since one whose
**                     beginning is gone is not told from the sentence in front of it
**   COMPRESS_EXTRACT  of context what does not fit into a budget      (extract.h; only with a budget)
**
** What comes back is the text with ranges left out, byte for byte in its order; no character is cut, nothing is added. It is never
** longer, in bytes and in tokens, nor nothing where there was something: a method that saves bytes and costs tokens is undone. Compressing it again with the same options
** gives it again: the methods are repeated until nothing changes, and a text for which that takes more than COMPRESS_ROUNDS comes back
** as it was. Deterministic; linear time but for sorting the units; memory: some 300 bytes for each sentence.
**
** Not done: cuts within a sentence (they make half words of languages that they don't know), summaries, other words. What it must not
** do is the caller's to know: a prefix that a provider has cached costs more when it is changed than it saves, and signed or quoted
** messages (thinking, arguments of tool calls) are not to be handed in.
*/
#ifndef LLMCOST_COMPRESS_H
#define LLMCOST_COMPRESS_H

#include "core/compress/extract.h"
#include "core/compress/needless.h"

enum {
  COMPRESS_SPACE = 1,
  COMPRESS_JSON = 2,
  COMPRESS_FORMAT = 4,
  COMPRESS_EXAMPLES = 8,
  COMPRESS_REPEATS = 16,
  COMPRESS_FILLER = 32,
  COMPRESS_EXTRACT = 64,
  COMPRESS_ALL = 127,
  COMPRESS_METHODS = 7,
  COMPRESS_LAST = 6, /* the place of COMPRESS_EXTRACT */
  COMPRESS_ROUNDS = 8
};

typedef struct CompressOptions {
  unsigned methods;     /* of the above; 0: COMPRESS_ALL */
  ContextWhere context; /* what COMPRESS_EXTRACT may touch (split/context.h) */
  const char *query;    /* what is asked; NULL: as it stands in the text (borrowed) */
  size_t n_query;
  const JsonFields
      *schema; /* of what the answer is to satisfy; NULL: COMPRESS_FORMAT does nothing (borrowed) */
  long long budget;  /* tokens that the text may have; 0: no limit, and nothing is extracted */
  TokenCount *count; /* of the model's tokenizer */
  UnitScore *score;  /* nearness of sentences to the question; NULL: words alone */
  void *arg;         /* of both */
} CompressOptions;

/* What a method did, in all rounds together: each begins where the one before it ended. */
typedef struct CompressStep {
  long long tokens_before, tokens_after; /* what it saved is the difference */
  size_t bytes_before, bytes_after;
  size_t n_cuts; /* ranges left out */
} CompressStep;

/* A range of the text as it was handed in that was left out by any method but COMPRESS_SPACE and COMPRESS_JSON. */
typedef struct CompressDrop {
  size_t from, n; /* bytes */
  int method;     /* its place: 0 to COMPRESS_METHODS - 1 */
  CutReason reason;
} CompressDrop;

typedef struct Compressed {
  char *text; /* owned; NUL-terminated */
  size_t n;
  long long tokens_before, tokens_after;
  int fits; /* 0: it has more tokens than the budget: what must stay does */
  CompressStep steps[COMPRESS_METHODS];
  CompressDrop *drops; /* owned, by place, none over another */
  size_t n_drops;
} Compressed;

/* The name of a method by its place ("space", "json", "format", "examples", "repeats", "filler", "extract"); its place by the name, or -1. */
const char *compress_method_name(int method);
int compress_method_parse(const char *name, size_t n);

/* Compresses n bytes (any bytes, at most LIMIT_REQUEST_BYTES). Returns RC_OK with *out owned (compressed_free), or *err and an
** empty *out: no memory; ERR_TOO_BIG; ERR_BAD_OPTION for a budget below 0. */
int compress_text(const char *text, size_t n, const CompressOptions *options, Compressed *out,
                  Err *err);
void compressed_free(Compressed *c);

#endif
