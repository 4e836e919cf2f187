/*
** Errors: one buffer per call, the first error wins.
**
** Return codes are SQLite's own numbers, so that a core function's result can be handed to SQLite
** unchanged without core including sqlite3.h.
*/
#ifndef LLMCOST_ERROR_H
#define LLMCOST_ERROR_H

#include "base/limits.h"

enum {
  RC_OK = 0,
  RC_ERROR = 1,
  RC_BUSY = 5,
  RC_NOMEM = 7,
  RC_INTERRUPT = 9,
  RC_IOERR = 10, /* what was to be looked at is there, or may be, and could not be looked at */
  RC_TOOBIG = 18,
  RC_MISMATCH = 20 /* a whole that contradicts itself: none of it is to be taken */
};

/* What went wrong: a stable word, and whether the option on_error covers it. Covered is what a provider, the network or
** our own refusal did; not what the caller got wrong, an interrupt, memory, or the store. */
enum { ERR_COVERED = 1 };
#define ERROR_CODES(X)                                                                             \
  X(ERR_BAD_ANSWER, "bad_answer", ERR_COVERED)                                                     \
  X(ERR_BAD_API, "bad_api", ERR_COVERED)                                                           \
  X(ERR_BAD_ARGUMENT, "bad_argument", ERR_COVERED)                                                 \
  X(ERR_BAD_JSON, "bad_json", ERR_COVERED)                                                         \
  X(ERR_BAD_PRICES, "bad_prices", ERR_COVERED)                                                     \
  X(ERR_BAD_URL, "bad_url", ERR_COVERED)                                                           \
  X(ERR_BAD_USAGE, "bad_usage", ERR_COVERED)                                                       \
  X(ERR_BUDGET, "budget", ERR_COVERED)                                                             \
  X(ERR_CACHE, "cache", ERR_COVERED)                                                               \
  X(ERR_CONNECT, "connect", ERR_COVERED)                                                           \
  X(ERR_CONSTRAINT, "constraint", ERR_COVERED)                                                     \
  X(ERR_CONTENT_FILTER, "content_filter", ERR_COVERED)                                             \
  X(ERR_EMBEDDER, "embedder", ERR_COVERED)                                                         \
  X(ERR_FAILED, "failed", ERR_COVERED)                                                             \
  X(ERR_GATE, "gate", ERR_COVERED)                                                                 \
  X(ERR_HOST_NOT_ALLOWED, "host_not_allowed", ERR_COVERED)                                         \
  X(ERR_IO, "io", ERR_COVERED)                                                                     \
  X(ERR_LENGTH, "length", ERR_COVERED)                                                             \
  X(ERR_LOST, "lost", ERR_COVERED)                                                                 \
  X(ERR_NO_KEY, "no_key", ERR_COVERED)                                                             \
  X(ERR_NO_MODEL, "no_model", ERR_COVERED)                                                         \
  X(ERR_NO_TEXT, "no_text", ERR_COVERED)                                                           \
  X(ERR_NO_TIER, "no_tier", ERR_COVERED)                                                           \
  X(ERR_PAUSED, "paused", ERR_COVERED)                                                             \
  X(ERR_PROVIDER, "provider", ERR_COVERED)                                                         \
  X(ERR_REFUSAL, "refusal", ERR_COVERED)                                                           \
  X(ERR_SCHEMA, "schema", ERR_COVERED)                                                             \
  X(ERR_TIMEOUT, "timeout", ERR_COVERED)                                                           \
  X(ERR_TOO_BIG, "too_big", ERR_COVERED)                                                           \
  X(ERR_UNKNOWN_MODEL, "unknown_model", ERR_COVERED)                                               \
  X(ERR_BAD_MESSAGES, "bad_messages", 0)                                                           \
  X(ERR_BAD_OPTION, "bad_option", 0)                                                               \
  X(ERR_BAD_PROMPT, "bad_prompt", 0)                                                               \
  X(ERR_BAD_UTF8, "bad_utf8", 0)                                                                   \
  X(ERR_CONFIG, "config", 0)                                                                       \
  X(ERR_HOSTILE_SCHEMA, "hostile_schema", 0)                                                       \
  X(ERR_INTERRUPTED, "interrupted", 0)                                                             \
  X(ERR_LIMIT, "limit", 0)                                                                         \
  X(ERR_NO_MEMORY, "no_memory", 0)                                                                 \
  X(ERR_NO_STATE, "no_state", 0)                                                                   \
  X(ERR_REPLICA, "replica", 0)                                                                     \
  X(ERR_SERVER_MODE, "server_mode", 0)                                                             \
  X(ERR_STORE, "store", 0)                                                                         \
  X(ERR_UNAVAILABLE, "unavailable", 0)

typedef enum ErrCode {
  ERR_NONE,
#define NAME(id, word, covers) id,
  ERROR_CODES(NAME)
#undef NAME
} ErrCode;

typedef struct Err {
  int rc; /* RC_OK while nothing went wrong */
  ErrCode code;
  char provider_code[64];     /* the provider's own code where it gave one, else "" */
  int http_status;            /* 0 where no answer arrived */
  int retryable;              /* 1: the same request may succeed later */
  char msg[LIMIT_ERROR_TEXT]; /* never holds a key or a prompt; no function name in front */
} Err;

/* Makes it an error that is none. (Cheaper than zeroing the texts.) */
void err_clear(Err *err);

/* Records rc, code and a printf-formatted message unless an error is there already. Returns
** err->rc. */
int err_set(Err *err, int rc, ErrCode code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A clause of a message that only the owner of the process may follow, since it names a host, a key, a file or a store. Left out
** from err_leave_out_cures on: where others' SQL runs, nothing is offered that is refused. */
#define ERR_CURE(clause) "\001" clause "\002"
void err_leave_out_cures(void);

/* Its word; "" for ERR_NONE. Static storage. */
const char *err_word(ErrCode code);

/* 1 if a text is that of an error as the ledger keeps it ("schema: …"), with that code's word in front. */
int err_is_text_of(const char *text, ErrCode code);

/* 1 if on_error covers an error of that code. */
int err_is_covered(ErrCode code);

/* What to do about it, for the end of its text: of an interrupt; else "". Static storage. */
const char *err_advice(const Err *err);

/* Records "out of memory". Returns RC_NOMEM (or the earlier error). */
int err_nomem(Err *err);

#endif
