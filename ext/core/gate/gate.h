/*
** Quality gates: what an answer has to pass, or the next tier is asked.
**
** A gate is a kind and a spec, a JSON object (a row of llm_gates, an element of option `gate`). Those whose answer stands
** in the texts are decided here (GATE_TEXT). Of the others the spec is read here, and what of them is pure stands in
** agree.h and judge.h; who calls a model, has probabilities or an SQL connection asks them.
**
** Each check takes time in proportion to prompt, system text and answer, on any bytes, and fits the stack for any
** nesting. A gate that can't tell (a pattern that gave up) fails and says so: it never hangs and never passes for that.
*/
#ifndef LLMCOST_GATE_H
#define LLMCOST_GATE_H

#include "base/error.h"
#include "base/text/json.h"
#include "base/text/spec.h"

#include <stddef.h>

typedef enum GateNeed {
  GATE_TEXT,      /* gate_check() */
  GATE_SCHEMA_OF, /* gate_check(); without a schema of its own that of the call */
  GATE_LOGPROBS,  /* the call's `logprobs`: judge.h */
  GATE_MODEL,     /* another model's answer: agree.h, judge.h */
  GATE_EXPRESSION /* an SQL expression: trust/expression.h */
} GateNeed;

/* Kinds: id, word, what decides it.
**
**   json        {}: the answer is JSON, or JSON in a fence, behind thoughts ... (core/schema/answer_json.h)
**   schema      {"schema": {...}}: such JSON satisfies it
**   regex       {"pattern": "...", "flags": "imsx", "not": false}: PCRE2 finds it (with "not": does not)
**   length      {"min": n, "max": n, "unit": "chars" | "words" | "bytes" | "sentences"}
**   contains    {"all": [...], "any": [...], "none": [...], "case": false}: texts that it holds
**   refusal     {}: it is no refusal, and no abstention that nobody asked for
**   hedge       {"max": n}: at most n hedges ("I'm not sure"); 0 where nothing is said
**   grounded    {"numbers": true, "quotes": true, "words": n}: its numbers, and quoted passages of n words or more, stand in
**               the prompt or the system text
**   arithmetic  {}: every sum in it is right
**   logprob     {"min_mean": x, "min_token": x}: natural logarithms, so at most 0
**   agree       {"model": "...", "compare": "auto" | "exact" | "number" | "json" | "text", "min": x}
**   verifier    {"model": "...", "question": "...", "min": x}
**   sql         {"expr": "..."}: an expression over :answer and :prompt is true
**
** Their "min" are from 0 to 1 and 0.5 where nothing is said. */
#define GATE_KINDS(X)                                                                              \
  X(GATE_JSON, "json", GATE_TEXT)                                                                  \
  X(GATE_SCHEMA, "schema", GATE_SCHEMA_OF)                                                         \
  X(GATE_REGEX, "regex", GATE_TEXT)                                                                \
  X(GATE_LENGTH, "length", GATE_TEXT)                                                              \
  X(GATE_CONTAINS, "contains", GATE_TEXT)                                                          \
  X(GATE_REFUSAL, "refusal", GATE_TEXT)                                                            \
  X(GATE_HEDGE, "hedge", GATE_TEXT)                                                                \
  X(GATE_GROUNDED, "grounded", GATE_TEXT)                                                          \
  X(GATE_ARITHMETIC, "arithmetic", GATE_TEXT)                                                      \
  X(GATE_LOGPROB, "logprob", GATE_LOGPROBS)                                                        \
  X(GATE_AGREE, "agree", GATE_MODEL)                                                               \
  X(GATE_VERIFIER, "verifier", GATE_MODEL)                                                         \
  X(GATE_SQL, "sql", GATE_EXPRESSION)

typedef enum GateKind {
#define GATE_ID(id, word, need) id,
  GATE_KINDS(GATE_ID)
#undef GATE_ID
      GATE_KIND_COUNT
} GateKind;

#define GATE_UNITS(X)                                                                              \
  X(GATE_CHARS, "chars")                                                                           \
  X(GATE_WORDS, "words")                                                                           \
  X(GATE_BYTES, "bytes")                                                                           \
  X(GATE_SENTENCES, "sentences")

typedef enum GateUnit { GATE_UNITS(SPEC_AS_ID) GATE_UNIT_COUNT } GateUnit;

#define GATE_COMPARES(X)                                                                           \
  X(AGREE_AUTO, "auto")                                                                            \
  X(AGREE_EXACT, "exact")                                                                          \
  X(AGREE_NUMBER, "number")                                                                        \
  X(AGREE_JSON, "json")                                                                            \
  X(AGREE_TEXT, "text")

/* A gate, read. What is not its kind's is "not given" as base/text/spec.h has it. */
typedef struct Gate {
  GateKind kind;
  cJSON *spec;         /* owned: the texts below are its */
  void *regex;         /* owned: a pcre2_code */
  const cJSON *schema; /* NULL: the call's */
  const char *pattern, *flags;
  int is_not;                    /* regex: what is found fails */
  long long min, max;            /* length; hedge: max */
  int unit;                      /* of GATE_UNITS */
  const cJSON *all, *any, *none; /* lists of texts, or NULL */
  int minds_case;
  int numbers, quotes; /* grounded: 1 or 0 */
  long long words;
  double min_mean, min_token; /* logprob */
  const char *model, *question, *expr;
  int compare;  /* of GATE_COMPARES */
  double least; /* agree, verifier: "min" */
} Gate;

/* A text of n bytes, which may hold NULs; NULL with 0 where there is none. What has an answer's text has a NUL behind it. */
typedef struct GateText {
  const char *text;
  size_t n;
} GateText;

typedef struct GateCase {
  GateText prompt, system, answer;
  const cJSON *schema; /* of the call, or NULL */
} GateCase;

typedef struct GateVerdict {
  int passes;
  double score; /* 0..1, how good by this gate: of several answers that fail, the highest is kept */
  char why[200]; /* valid UTF-8; "" where it passes */
} GateVerdict;

/* The kind of a word; GATE_KIND_COUNT and an error that lists them. Its word, and what decides it: static. */
GateKind gate_kind(const char *word, Err *err);
const char *gate_word(GateKind kind);
GateNeed gate_need(GateKind kind);

/* Reads a spec (NULL, JSON null and {} are none), which stays the caller's. RC_OK; or an error, ERR_BAD_OPTION, that names the
** gate and the member, and nothing to free. */
int gate_parse(GateKind kind, const cJSON *spec, Gate *gate, Err *err);
void gate_free(Gate *gate);

/* Checks an answer by a gate of GATE_TEXT or GATE_SCHEMA_OF. An answer that fails is no error: errors are memory, and a gate
** of another need. */
int gate_check(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err);

#endif
