/*
** Every limit of the extension, each beside its reason.
*/
#ifndef LLMCOST_LIMITS_H
#define LLMCOST_LIMITS_H

#include <stdint.h>

/* A request body: providers take up to 20-32 MB; a prompt of 16 MiB is already past every
** context window. */
#define LIMIT_REQUEST_BYTES ((size_t)16 << 20)

/* A response body: 128k output tokens are about 600 KiB; 16 MiB leaves room and bounds a hostile
** server. */
#define LIMIT_RESPONSE_BYTES ((size_t)16 << 20)

/* Room for an answer that is there before its request leaves: most fit, so that what is paid for needs no memory
** to arrive. */
#define LIMIT_ANSWER_ROOM ((size_t)64 << 10)

/* All response headers of one answer together: curl's own cap is 300 KiB in newer versions. */
#define LIMIT_HEADER_BYTES ((size_t)256 << 10)

/* JSON nesting: real answers are under 20 deep; cJSON recurses, so the stack bounds it too. */
#define LIMIT_JSON_DEPTH 64

/* The same of what was paid for: a gateway's debugging member is no reason to lose the answer. Readers of it
** recurse with frames of at most 200 bytes. */
#define LIMIT_ANSWER_DEPTH 256

/* An options object: a schema of 100 KiB is beyond what any provider compiles. */
#define LIMIT_OPTIONS_BYTES ((size_t)256 << 10)

/* Attempts of one logical request, first one included. */
#define LIMIT_ATTEMPTS 10

/* A Retry-After longer than this is not waited for: the caller should decide. */
#define LIMIT_RETRY_AFTER_MS 60000

/* Backoff without a Retry-After: doubles from the base up to this (the ceiling vendors' SDKs
** use). */
#define LIMIT_BACKOFF_MS 8000

/* Cache hits that may wait in memory for their ledger rows, in rows and in milliseconds: a process that is
** killed loses them. */
#define LIMIT_PENDING_HITS 100
#define LIMIT_PENDING_MS 1000

/* Values of a dimension (tags, users, models) whose sums are kept: with more, a sum for each would not be shorter than the
** ledger. */
#define LIMIT_SUM_VALUES 10000

/* Combinations of days, tags and models that savings are split by: a split is half a kilobyte, and with more of them the report
** is a ledger that nobody reads. */
#define LIMIT_SAVING_SPLITS 100000

/* Requests one statement execution remembers, and others than the first who asked for one: about 80 bytes each, and the
** answer where the cache does not keep it. */
#define LIMIT_MEMO_ENTRIES (1u << 21)

/* Message contents at least this long are stored once and referred to by hash. */
#define LIMIT_INLINE_TEXT 256

/* A report: one of its statements; its data, before they are packed (a year that is dense in every way has 3 MB; texts of prompts
** come on top). */
#define LIMIT_REPORT_SQL ((size_t)64 << 10)
#define LIMIT_REPORT_BYTES ((size_t)64 << 20)

/* Text of an error message, and of a provider's message quoted in it: what helps often stands at its end. */
#define LIMIT_ERROR_TEXT 900
#define LIMIT_ERROR_QUOTE 400

/* An answer that did not satisfy its schema is shown to the model again up to this length: 8k tokens. */
#define LIMIT_REJECTED_BYTES ((size_t)32 << 10)

/* A host name (RFC 1035: 253) with its port. */
#define LIMIT_HOST 264

/* A model name; the longest real ones (Bedrock ARNs) are under 200. */
#define LIMIT_MODEL_NAME 256

/* Whole numbers from outside: above 2^53 a JSON number is no longer exact. */
#define LIMIT_COUNT 9007199254740991LL

/* Tokens of one request: a hundred times the largest context window. Keeps a hostile answer from
** putting a cost in the ledger that overflows a sum: at $1,000 per million it is a million
** dollars. */
#define LIMIT_TOKENS 1000000000LL

/* Steps of one schema validation: a schema whose $refs branch into themselves ends there. */
#define LIMIT_SCHEMA_STEPS 1000000

/* The search for JSON in an answer: how often its bytes are read, and what a short one may take all the same (an answer
** of 16 MiB is searched in well under a second); and how many values are held against the schema (prose before an
** answer has a handful). */
#define LIMIT_ANSWER_PASSES 8
#define LIMIT_ANSWER_WORK ((size_t)1 << 20)
#define LIMIT_ANSWER_VALUES 256

/* Model names whose prices a connection keeps at hand: about 3 KB each. */
#define LIMIT_PRICED_MODELS 4096

/* Price books that are asked for one name: single rows, lists, and the catalogue. */
#define LIMIT_PRICE_LISTS 16

/* Rows of llm_prices: forty of the largest public lists. A hostile file may have more. */
#define LIMIT_PRICE_ROWS 200000

/* A price list to import: LiteLLM's has 1.6 MB. And a record of a log: a line with a whole conversation. */
#define LIMIT_IMPORT_BYTES ((size_t)64 << 20)

/* A log to import: files of a folder; sums of one file (a year of days with a thousand rows each); what is told of one
** import: files that were not read, lines that could not be. A text of a log that goes into the ledger: longer ones are cut. */
#define LIMIT_IMPORT_FILES 1000000
#define LIMIT_IMPORT_SUMS 400000
#define LIMIT_IMPORT_TOLD_FILES 100
#define LIMIT_IMPORT_TOLD_LINES 20
#define LIMIT_IMPORT_TEXT 1024

/* What one look into the ledger may cost that teaches how many tokens a model bills: the newest rows
** that are searched (milliseconds), the bills that are taken (after 200 a median moves by less than
** a per cent), and the longest of their texts (together at most 26 MB: a sixth of a second). */
#define LIMIT_BILL_ROWS 20000
#define LIMIT_BILLS 200
#define LIMIT_BILL_TEXT 65536

/* Models whose bills one connection learns from: a query may make up names without end. */
#define LIMIT_TAUGHT_MODELS 64

/* How long a write waits for another process's write to the store. */
#define LIMIT_BUSY_MS 15000

/* Poll step while waiting on network, locks or another process: Ctrl-C must end a call within
** 100 ms. */
#define LIMIT_POLL_MS 40

/* A sum of money or counts for a report: no more than a number can hold. */
static inline long long sum_at_most(long long a, long long b) {
  long long sum;
  return !__builtin_add_overflow(a, b, &sum) ? sum : a > 0 ? INT64_MAX : INT64_MIN;
}

#endif
