/*
** Which failures are worth another attempt, and when.
**
** Providers say it in three places, and each in another: the status, a header, the words of the body. So all three
** are asked, in the order of what they know: that there is no money or no quota for today; the header that is made
** for this; what the words mean; the status.
*/
#ifndef LLMCOST_RETRY_H
#define LLMCOST_RETRY_H

/* What was answered. Texts that are not known may be NULL or "". */
typedef struct RetryCase {
  long status;                /* HTTP's, or the one that stands inside a success */
  const char *type, *code;    /* what the error calls itself */
  const char *quota;          /* the name of the quota that is used up */
  const char *sentence;       /* what it says */
  const char *x_should_retry; /* the header: "true", "false" */
} RetryCase;

/* 1 if a request that was answered so may succeed when it is sent again. */
int retry_is_useful(const RetryCase *c);

/* 1 if it is the account's trouble, whatever its model and whatever is asked: there is no money, or no quota. */
int retry_is_of_account(const RetryCase *c);

/* The HTTP status that a word means ("rate_limit_error", "RESOURCE_EXHAUSTED"); 0 where nobody knows. Words are
** compared without case and signs, with or without "error" or "exception" behind them. */
long retry_status_of(const char *word);

/* 1 if it says that the model is being loaded, which answers when it is there: by a word of its own, or in a sentence under a
** status that is no refusal of the request (0: nobody knows which). */
int retry_is_loading(const RetryCase *c);

/* A time as providers write it ("3.2s", "6m0s", "40ms", "20": seconds) in milliseconds; -1 where it is none. */
long long retry_read_time(const char *text);

/* The time in "Please try again in 1.5s", "retry after 20 seconds", "wait 1 minute"; -1 where none stands there. */
long long retry_read_sentence(const char *sentence);

/* Milliseconds to wait before attempt `next` (2 for the first retry). A provider's own wish
** (`asked_ms` ≥ 0) is followed; otherwise base × 2^(next-2), at most LIMIT_BACKOFF_MS, less up
** to a quarter by `random`. */
long long retry_delay_ms(int next, long long base_ms, long long asked_ms, unsigned random);

/* The same for a model that is being loaded, which takes from seconds to a minute, whatever the base: 2 s, 4 s, 8 s, 8 s … */
long long retry_loading_ms(int next);

#endif
