/*
** rate.c: how many requests and tokens are allowed in a time, what refuses the rest, and the count of both by second.
**
** Nothing is limited until POST /standin/rate says so. Two kinds, for requests and for tokens alike:
**   window   N in each fixed period, counted from the moment that the limit was set. Two windows' worth can come in a
**            row, and a client cannot see where one ends
**   bucket   holds burst at most, full at first, and fills evenly by N a period
** A request takes one of the requests and its tokens: what the prompt has by the token rule (text.c), and with OpenAI the
** most that it wants to be answered. It takes of both or of neither. A refusal comes at once, before the latency, is free,
** and has the provider's shape: 429, rate_limit_exceeded or rate_limit_error. What needs more tokens than the limit allows
** at any time is refused always, in OpenAI's words for that. One limit for all keys and models; it counts chats, messages
** and embeddings that are well-formed; batches do not count.
**
** The headers, both providers' own, each switched by itself:
**   headers      x-ratelimit-{limit,remaining,reset}-{requests,tokens}; a reset is 17ms, 1.25s or 6m0s, until full again.
**                anthropic-ratelimit-{requests,tokens,input-tokens}-{limit,remaining,reset}: RFC 3339, tokens in thousands
**   retry_after  retry-after in whole seconds, rounded up; OpenAI also retry-after-ms, exact
**
** Counted whether limited or not: requests taken and refused in each second since the first (of a window: since the
** first one's window began), and how many there were at once.
*/
#include "standin.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_MAX 7200 /* seconds that are counted one by one; later ones go into the last */

/* One limit: of requests or of tokens. n = 0: none. */
struct limit {
  double n, burst;
  int64_t period;
  double level;    /* what is left: of the window, in the bucket */
  int64_t counted; /* when that was so; of a window: when it began */
};

struct tally {
  int64_t taken, refused;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct limit requests = {.period = 1}, tokens = {.period = 1};
static int bucket, headers, retry_after;
static struct tally second[SECONDS_MAX];
static int64_t first_ms, last_ms, anchor_ms, at_once, most_at_once;

/* Brings a limit up to now. */
static void catch_up(struct limit *l, int64_t now) {
  int64_t passed = now - l->counted;
  if (bucket) {
    l->level = fmin(l->burst, l->level + (double)passed * l->n / (double)l->period);
    l->counted = now;
  } else if (passed >= l->period) {
    l->level = l->n;
    l->counted += passed / l->period * l->period;
  }
}

/* Milliseconds until so much is there: 0 = now. */
static int64_t until(const struct limit *l, double want, int64_t now) {
  if (l->n == 0 || l->level >= want) {
    return 0;
  }
  return bucket ? (int64_t)ceil((want - l->level) * (double)l->period / l->n)
                : l->counted + l->period - now;
}

/* The most that can be there at a time. */
static double most(const struct limit *l) {
  return bucket ? l->burst : l->n;
}

/* Tokens that a request counts for. */
static double tokens_of(const struct request *r) {
  struct prompt p = {0};
  const char *model = json_text(r->json, "model");
  double n = 0;
  if (!json_get(r->json, "messages")) {
    n = (double)token_count(r->body.p, r->body.n);
  } else if (r->api == API_ANTHROPIC) {
    prompt_anthropic(&p, r->json, model);
  } else {
    prompt_openai(&p, r->json, model);
    n = (double)json_int(r->json, "max_completion_tokens", json_int(r->json, "max_tokens", 0));
  }
  n += (double)p.tokens;
  prompt_free(&p);
  return n;
}

/* ---- what is said of it ---- */

/* A duration as OpenAI writes it. */
static void duration(int64_t ms, char *out, size_t cap) {
  if (ms < 1000) {
    snprintf(out, cap, "%lldms", (long long)ms);
  } else if (ms < 60000) {
    snprintf(out, cap, "%gs", (double)ms / 1e3);
  } else {
    snprintf(out, cap, "%lldm%llds", (long long)(ms / 60000), (long long)(ms % 60000 / 1000));
  }
}

/* A moment as Anthropic writes it. */
static void moment(int64_t ms, char *out, size_t cap) {
  time_t t = time(NULL) + (time_t)((ms + 999) / 1000);
  struct tm tm;
  gmtime_r(&t, &tm);
  strftime(out, cap, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The three headers of one limit. */
static void tell(struct request *r, const char *what, const struct limit *l, int64_t now) {
  static const char *const aWord[] = {"limit", "remaining", "reset"};
  char value[3][64], name[48];
  int anthropic = r->api == API_ANTHROPIC;
  int64_t reset = until(l, most(l), now), left = (int64_t)l->level;
  if (l->n == 0) {
    return;
  }
  if (anthropic && strcmp(what, "requests") != 0) {
    left = (left + 500) / 1000 * 1000;
  }
  snprintf(value[0], sizeof value[0], "%lld", (long long)l->n);
  snprintf(value[1], sizeof value[1], "%lld", (long long)(left < 0 ? 0 : left));
  (anthropic ? moment : duration)(reset, value[2], sizeof value[2]);
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, anthropic ? "anthropic-ratelimit-%s-%s" : "x-ratelimit-%s-%s",
             anthropic ? what : aWord[i], anthropic ? aWord[i] : what);
    reply_header(&r->reply, name, value[i]);
  }
}

/* When to come again. */
static void tell_wait(struct request *r, int64_t ms) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)((ms + 999) / 1000));
  reply_header(&r->reply, "retry-after", text);
  if (r->api == API_OPENAI) {
    snprintf(text, sizeof text, "%lld", (long long)ms);
    reply_header(&r->reply, "retry-after-ms", text);
  }
}

/* The refusal. of_tokens: their limit refuses, not that of requests. */
static void refuse(struct request *r, int of_tokens, double want, int64_t wait) {
  const struct limit *l = of_tokens ? &tokens : &requests;
  const char *what = of_tokens ? "tokens" : "requests";
  char message[256];
  if (r->api == API_ANTHROPIC) {
    snprintf(message, sizeof message,
             "This request would exceed your organization's rate limit of %.0f %s per %lld ms.",
             l->n, what, (long long)l->period);
  } else if (want > most(l)) {
    snprintf(message, sizeof message,
             "Request too large for this model on tokens per min (TPM): Limit %.0f, Requested "
             "%.0f. The input or output tokens must be reduced in order to run successfully.",
             l->n, want);
  } else {
    snprintf(message, sizeof message,
             "Rate limit reached for this model on %s: Limit %.0f per %lld ms, Requested %.0f. "
             "Please try again in %lldms.",
             what, l->n, (long long)l->period, want, (long long)wait);
  }
  reply_error(r, 429, r->api == API_ANTHROPIC ? NULL : what, "rate_limit_exceeded", NULL, message);
}

/* ---- the door ---- */

/* Counts a request in its second. Caller holds the lock. */
static void count(int refused, int64_t now) {
  if (!first_ms) {
    first_ms = now;
    anchor_ms = requests.n > 0 && !bucket ? requests.counted : now;
  }
  last_ms = now;
  int64_t at = (now - anchor_ms) / 1000;
  struct tally *t = &second[at < SECONDS_MAX ? at : SECONDS_MAX - 1];
  *(refused ? &t->refused : &t->taken) += 1;
}

/* 1 when tokens are counted at all: they are not, where nobody limits them, for speed. */
static int limits_tokens(void) {
  pthread_mutex_lock(&lock);
  int limited = tokens.n > 0;
  pthread_mutex_unlock(&lock);
  return limited;
}

/* Takes a request in, or refuses it: 1 = refused, and the reply is made. */
int rate_refuse(struct request *r) {
  double want = limits_tokens() ? tokens_of(r) : 0;
  int64_t now = now_ms();
  pthread_mutex_lock(&lock);
  catch_up(&requests, now);
  catch_up(&tokens, now);
  int64_t wait_request = until(&requests, 1, now), wait_tokens = until(&tokens, want, now);
  int refused = wait_request > 0 || wait_tokens > 0;
  if (!refused) {
    requests.level -= requests.n > 0;
    tokens.level -= want;
  }
  count(refused, now);
  if (headers) {
    tell(r, "requests", &requests, now);
    tell(r, "tokens", &tokens, now);
    if (r->api == API_ANTHROPIC) {
      tell(r, "input-tokens", &tokens, now);
    }
  }
  int of_tokens = wait_tokens > wait_request;
  int64_t wait = of_tokens ? wait_tokens : wait_request;
  if (refused && retry_after) {
    tell_wait(r, wait);
  }
  if (refused) {
    refuse(r, of_tokens, of_tokens ? want : 1, wait);
  }
  pthread_mutex_unlock(&lock);
  return refused;
}

/* A request has come (1) or is answered (-1). */
void rate_present(int change) {
  pthread_mutex_lock(&lock);
  at_once += change;
  most_at_once = at_once > most_at_once ? at_once : most_at_once;
  pthread_mutex_unlock(&lock);
}

/* ---- set and shown ---- */

/* Reads one limit out of the wishes. Returns 0 when a number is none that it can be. */
static int read_limit(const cJSON *want, const char *name, const char *period, const char *burst,
                      struct limit *l) {
  const int64_t ms = json_int(want, period, l == &tokens ? 60000 : 1000);
  const cJSON *n = json_get(want, name), *b = json_get(want, burst);
  double count_max = n ? n->valuedouble : 0, burst_max = b ? b->valuedouble : count_max;
  if ((n && !cJSON_IsNumber(n)) || (b && !cJSON_IsNumber(b)) || ms < 1 || !(count_max >= 0) ||
      !(burst_max >= 0)) {
    return 0;
  }
  *l = (struct limit){count_max, burst_max, ms, bucket ? burst_max : count_max, now_ms()};
  return 1;
}

/* Forgets what was counted. Caller holds the lock. */
static void count_anew(void) {
  memset(second, 0, sizeof second);
  first_ms = last_ms = 0;
  most_at_once = at_once;
}

/* Sets the limits, and counts from 0 again. Returns NULL, or what is wrong with the wishes. */
const char *rate_set(const cJSON *want) {
  const char *kind = json_text(want, "kind");
  const cJSON *tell_limits = json_get(want, "headers"), *tell_when = json_get(want, "retry_after");
  if (!kind || (strcmp(kind, "window") != 0 && strcmp(kind, "bucket") != 0)) {
    return "kind: window or bucket";
  }
  pthread_mutex_lock(&lock);
  bucket = strcmp(kind, "bucket") == 0;
  headers = !cJSON_IsFalse(tell_limits);
  retry_after = !cJSON_IsFalse(tell_when);
  int fine = read_limit(want, "requests", "request_ms", "burst", &requests) &&
             read_limit(want, "tokens", "token_ms", "token_burst", &tokens);
  count_anew();
  pthread_mutex_unlock(&lock);
  return fine ? NULL : "requests, request_ms, burst, tokens, token_ms, token_burst: numbers";
}

/* What was counted, owned. */
cJSON *rate_report(void) {
  cJSON *j = cJSON_CreateObject(), *list = cJSON_CreateArray();
  struct tally sum = {0};
  pthread_mutex_lock(&lock);
  int64_t n = first_ms ? (last_ms - anchor_ms) / 1000 + 1 : 0;
  for (int64_t i = 0; i < n && i < SECONDS_MAX; i++) {
    cJSON *one = cJSON_CreateArray();
    cJSON_AddItemToArray(one, cJSON_CreateNumber((double)second[i].taken));
    cJSON_AddItemToArray(one, cJSON_CreateNumber((double)second[i].refused));
    cJSON_AddItemToArray(list, one);
    sum.taken += second[i].taken;
    sum.refused += second[i].refused;
  }
  cJSON_AddNumberToObject(j, "taken", (double)sum.taken);
  cJSON_AddNumberToObject(j, "refused", (double)sum.refused);
  cJSON_AddNumberToObject(j, "span_ms", (double)(last_ms - first_ms));
  cJSON_AddNumberToObject(j, "at_once", (double)at_once);
  cJSON_AddNumberToObject(j, "most_at_once", (double)most_at_once);
  cJSON_AddItemToObject(j, "seconds", list);
  pthread_mutex_unlock(&lock);
  return j;
}

/* Ends the limits and forgets what was counted. */
void rate_reset(void) {
  pthread_mutex_lock(&lock);
  memset(&requests, 0, sizeof requests);
  memset(&tokens, 0, sizeof tokens);
  requests.period = tokens.period = 1;
  headers = retry_after = 0;
  count_anew();
  pthread_mutex_unlock(&lock);
}
