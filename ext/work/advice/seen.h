/*
** What there is to advise about, seen in one pass over the ledger's calls: by tag and model.
**
** What a call would have cost elsewhere is computed for the first FULL calls of a tag and model, and then for one in STRIDE
** of them, which counts for that many: so a million calls are seen in seconds. Which one is left to a hash: traffic has periods
** (the last step of each task, every other question), and a fixed stride would meet always the same. What the sample comes
** to is then scaled by what all calls cost beside what the sample did, so nothing saves more than it costs.
**
** Sums of squares come with each sum: the calls that came are taken for a sample of those that will (a compound Poisson
** process), whose sum has their sum of squares as its variance; what a call of the sample counts for is squared with it.
**
** A call is easy where its prompt's score would send it to the first tier (the text, where llm_texts has it), or, where nobody
** kept the text, where its shape is that of an easy one: a short answer to a short question. It is no evidence of quality,
** and is told as such.
*/
#ifndef LLMCOST_SEEN_H
#define LLMCOST_SEEN_H

#include "base/tables/hash_map.h"
#include "work/audit/counted.h"
#include "base/tables/groups.h"

enum { SEEN_FULL = 500, SEEN_STRIDE = 16, SEEN_BINS = 8 * 24 };

/* A sum of money over calls, in nano-dollars, with what it takes to know how sure it is. */
typedef struct SeenSum {
  double nusd, squares;
  double calls;
} SeenSum;

void seen_add(SeenSum *s, double weight, double nusd);

/* Of a tag and a model, or of a tag (model NULL). Texts are borrowed. */
typedef struct SeenPair {
  const char *tag, *model, *provider; /* plain name; provider as the ledger says it */
  const char *name;                   /* as its first call has it */
  int tag_at;                         /* the place of its tag in Seen.tags */
  const char *successor;              /* its maker's replacement; NULL */
  long long calls, conversing;        /* of these, in a conversation */
  long long embeddings;               /* of these */
  SeenSum cost;
  SeenSum simple,
      successor_saves; /* saved, where easy, at the first tier's model; by the successor, all calls */
  SeenSum small;       /* saved, if all of it were done by the first tier's model */
  double simple_calls, read_calls; /* easy ones; of all, those whose text was read */
  double sampled;                  /* calls that were priced elsewhere, by their weight */
  double sampled_nusd;             /* what they cost, likewise */
  SeenSum batch;                   /* saved as a batch */
  SeenSum system_cost;             /* of its system prompts */
  SeenSum prefix;                  /* of these, what reading them from a cache would have saved */
  SeenSum prefix_near; /* the same of calls that came within an hour of the one before */
  long long last_ts;
  SeenSum output_cost;
  double input_tokens, output_tokens,
      outputs[SEEN_BINS]; /* calls by the logarithm of their output */
  long long cut;          /* answers that a limit of length ended */
  SeenSum repeats,
      retries;        /* (a retry: an attempt beside one of the same request that was paid too) */
  long long versions; /* different system prompts */
  long long good;     /* answers without an error */
  /* Of the calls that another model of the tag can be compared by: their cost, those without an error, their tokens. */
  SeenSum alike;
  double alike_good, alike_input, alike_output;
  double system_tokens;
  SeenSum open_model; /* saved at a serverless open model */
} SeenPair;

/* Of a tag: when it works. */
typedef struct SeenTag {
  const char *tag;
  long long calls, quarters, last_quarter, first_ts, last_ts, conversing;
  long long versions, last_version_ts; /* system prompts; when the last new one came */
} SeenTag;

typedef struct Seen {
  Conn *conn;
  Groups pairs, tags;
  Groups wholes;              /* the pairs of each tag added up: SeenPair */
  HashMap questions, systems; /* that were asked before */
  HashMap requests;           /* of which an attempt was paid */
  sqlite3 *reader;
  sqlite3_stmt *text;
  const char *simple_model; /* of the first tier; NULL: it has none */
  const char *open_model;
  double simple_max; /* its scores are below that */
  SeenSum cost;
  long long calls;
} Seen;

/* Reads the calls of a time. After pricing_refresh. RC_OK or *err; seen_free in any case. */
int seen_read(Seen *s, Store *store, const AuditAsk *ask, Err *err);
void seen_free(Seen *s);

/* Tokens of which a bin's calls have about as many. */
double seen_bin_tokens(int bin);

#endif
