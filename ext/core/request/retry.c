/*
** Retry rules. See retry.h for the contract.
**
** Sentences are matched only to give up, and only where a provider has no other word for it: they may change any day,
** and then a request is sent a few times in vain.
*/
#include "core/request/retry.h"

#include "base/limits.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum Use {
  UNDECIDED, /* the status decides */
  WAIT,      /* worth another attempt, whatever the status */
  GIVE_UP    /* met again until somebody pays, raises a limit, or changes the request */
} Use;

/* Words of errors, small and without signs, without "error" behind them; and the status that each means. */
static const struct {
  const char *word;
  long status;
  Use use;
} words[] = {
    {"insufficientquota", 429, GIVE_UP},
    {"creditbalanceexhausted", 429, GIVE_UP},
    {"organizationspendlimitexceeded", 429, GIVE_UP},
    {"projectspendlimitexceeded", 429, GIVE_UP},
    {"enforcedspendlimitreached", 429, GIVE_UP},
    {"contractspendlimitreached", 429, GIVE_UP},
    {"organizationusagelimitexceeded", 429, GIVE_UP},
    {"exceededcurrentquota", 429, GIVE_UP}, /* Moonshot */
    {"budgetexceeded", 429, GIVE_UP},       /* LiteLLM */
    {"dailyquotaexceeded", 429, GIVE_UP},
    {"monthlyquotaexceeded", 429, GIVE_UP},
    {"dailylimitexceeded", 429, GIVE_UP},
    {"freequotaexceeded", 429, GIVE_UP},
    {"usagelimitreached", 429, GIVE_UP},
    {"billing", 402, GIVE_UP},
    {"billinghardlimitreached", 402, GIVE_UP},
    {"billingnotactive", 402, GIVE_UP},
    {"billinglimitreached", 402, GIVE_UP},
    {"paymentrequired", 402, GIVE_UP},
    {"insufficientbalance", 402, GIVE_UP},
    {"insufficientcredit", 402, GIVE_UP},
    {"insufficientcredits", 402, GIVE_UP},
    {"insufficientfunds", 402, GIVE_UP},
    {"outofcredits", 402, GIVE_UP},
    {"creditlimitexceeded", 402, GIVE_UP},
    {"arrearage", 402, GIVE_UP}, /* Alibaba */
    {"accountoverdue", 402, GIVE_UP},
    {"accountdeactivated", 403, GIVE_UP},
    {"accessterminated", 403, GIVE_UP},
    {"1113", 402, GIVE_UP}, /* Z.ai: no balance */
    {"1308", 429, GIVE_UP}, /* … the plan's hours, its week */
    {"1310", 429, GIVE_UP},
    {"1304", 429, GIVE_UP}, /* … the day's calls, the plan */
    {"1309", 429, GIVE_UP},
    {"4006", 429, GIVE_UP},             /* Cloudflare: the day's free allocation */
    {"setlimitexceeded", 429, GIVE_UP}, /* Volcengine */
    {"contextlengthexceeded", 400, GIVE_UP},
    {"exceedcontextsize", 400, GIVE_UP}, /* llama.cpp */
    {"ratelimit", 429, WAIT},
    {"ratelimited", 429, WAIT},
    {"ratelimitexceeded", 429, WAIT},
    {"ratelimitreached", 429, WAIT},
    {"toomanyrequests", 429, WAIT},
    {"slowdown", 429, WAIT},
    {"throttling", 429, WAIT},
    {"throttled", 429, WAIT},
    {"resourceexhausted", 429, WAIT},
    {"1302", 429, WAIT}, /* Z.ai */
    {"1303", 429, WAIT},
    {"1305", 429, WAIT},
    {"overloaded", 529, WAIT},
    {"modeloverloaded", 529, WAIT},
    {"serveroverloaded", 529, WAIT},
    {"engineoverloaded", 529, WAIT},
    {"capacityexceeded", 503, WAIT},
    {"unavailable", 503, WAIT},
    {"serviceunavailable", 503, WAIT},
    {"modelnotready", 503, WAIT},
    {"modelloading", 503, WAIT},
    {"modelisloading", 503, WAIT},
    {"loadingmodel", 503, WAIT},
    {"servererror", 500, WAIT},
    {"internalserver", 500, WAIT},
    {"internal", 500, WAIT},
    {"apierror", 500, WAIT},
    {"upstream", 502, WAIT},
    {"badgateway", 502, WAIT},
    {"timeout", 504, WAIT},
    {"requesttimeout", 504, WAIT},
    {"gatewaytimeout", 504, WAIT},
    {"deadlineexceeded", 504, WAIT},
    {"jsonvalidatefailed", 400, WAIT}, /* Groq: what was generated is no JSON; the next may be */
    {"toolusefailed", 400, WAIT},
    {"invalidrequest", 400, UNDECIDED},
    {"badrequest", 400, UNDECIDED},
    {"invalidargument", 400, UNDECIDED},
    {"authentication", 401, UNDECIDED},
    {"invalidapikey", 401, UNDECIDED},
    {"unauthenticated", 401, UNDECIDED},
    {"unauthorized", 401, UNDECIDED},
    {"permission", 403, UNDECIDED},
    {"permissiondenied", 403, UNDECIDED},
    {"forbidden", 403, UNDECIDED},
    {"notfound", 404, UNDECIDED},
    {"modelnotfound", 404, UNDECIDED},
    {"requesttoolarge", 413, UNDECIDED},
};

/* Small letters and digits of a text. */
static void fold(const char *text, char *out, size_t size) {
  size_t n = 0;
  for (; *text && n < size - 1; text++) {
    char c = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out[n++] = c;
    }
  }
  out[n] = 0;
}

static int is_word(const char *folded, const char *word) {
  size_t n = strlen(word);
  return strncmp(folded, word, n) == 0 &&
         (!folded[n] || strcmp(folded + n, "error") == 0 || strcmp(folded + n, "exception") == 0);
}

/* Its place in the table, or -1. */
static int find_word(const char *text) {
  char folded[64];
  fold(text ? text : "", folded, sizeof folded);
  for (size_t i = 0; folded[0] && i < sizeof words / sizeof words[0]; i++) {
    if (is_word(folded, words[i].word)) {
      return (int)i;
    }
  }
  return -1;
}

static Use use_of(const char *text) {
  int i = find_word(text);
  return i < 0 ? UNDECIDED : words[i].use;
}

long retry_status_of(const char *word) {
  int i = find_word(word);
  return i < 0 ? 0 : words[i].status;
}

static int says(const char *sentence, const char *const *phrases) {
  int found = 0;
  for (; sentence && *phrases && !found; phrases++) {
    found = strcasestr(sentence, *phrases) != NULL;
  }
  return found;
}

/* Money that is not there, under an error that calls itself something else. */
static int is_about_money(const char *sentence) {
  static const char *const phrases[] = {
      "insufficient balance",
      "insufficient credit",
      "insufficient funds",
      "insufficient quota",
      "not enough credit",
      "out of credits",
      "used all available credits",
      "requires more credits",
      "spending limit",
      "spend limit",
      "budget has been exceeded",
      "exceeded budget",
      "over budget",
      "crossed budget",
      "please recharge",
      "credit balance is too low",
      "free-models-per-day",
      "enable billing",
      "billing account",
      "unpaid invoice",
      "specified api usage limits", /* Anthropic: a limit of the customer's own */
      "\xE4\xBD\x99\xE9\xA2\x9D\xE4\xB8\x8D\xE8\xB6\xB3", /* balance too low */
      "\xE6\xAC\xA0\xE8\xB4\xB9",                         /* in arrears */
      NULL};
  return says(sentence, phrases);
}

/* A limit of a minute is over in a minute; a day's is not waited for, unless it names a time that is short. */
static int is_of_a_day(const char *text) {
  static const char *const phrases[] = {"perday", "perweek", "permonth", "daily",
                                        "weekly", "monthly", NULL};
  static const char *const signs[] = {"(RPD)", "(TPD)", "limit: 0", "limit 0,", "/day", NULL};
  char folded[LIMIT_ERROR_QUOTE];
  long long wait = text ? retry_read_sentence(text) : -1;
  fold(text ? text : "", folded, sizeof folded);
  return (says(folded, phrases) || says(text, signs)) && (wait < 0 || wait > LIMIT_RETRY_AFTER_MS);
}

/* A request that is larger than the limit of a whole minute. */
static int is_too_large(const char *sentence) {
  static const char *const phrases[] = {"request too large", NULL};
  return says(sentence, phrases);
}

/* Of these no word makes a transient failure. */
static int is_settled(long status) {
  return (status >= 401 && status <= 405) || status == 413 || status == 415;
}

static int is_transient(long status) {
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

/* A status that stands where a word is expected. */
static int is_transient_word(const char *text) {
  char *end;
  long number = text ? strtol(text, &end, 10) : 0;
  return number > 0 && number < 600 && *end == 0 && is_transient(number);
}

int retry_is_useful(const RetryCase *c) {
  if (use_of(c->type) == GIVE_UP || use_of(c->code) == GIVE_UP || is_of_a_day(c->quota) ||
      (c->status == 429 && (is_of_a_day(c->sentence) || is_of_a_day(c->code))) ||
      is_about_money(c->sentence) || is_too_large(c->sentence)) {
    return 0;
  }
  if (c->x_should_retry && strcmp(c->x_should_retry, "true") == 0) {
    return 1;
  }
  if (c->x_should_retry && strcmp(c->x_should_retry, "false") == 0) {
    return 0;
  }
  return is_transient(c->status) ||
         (!is_settled(c->status) &&
          (use_of(c->type) == WAIT || use_of(c->code) == WAIT || is_transient_word(c->type) ||
           is_transient_word(c->code) || retry_is_loading(c)));
}

/* Words of 402, and of 429 that is not worth another attempt. */
static int is_account_word(const char *text) {
  int i = find_word(text);
  return i >= 0 && words[i].use == GIVE_UP && (words[i].status == 402 || words[i].status == 429);
}

int retry_is_of_account(const RetryCase *c) {
  return c->status == 402 || is_account_word(c->type) || is_account_word(c->code) ||
         is_about_money(c->sentence);
}

/* What calls itself so needs no sentence. */
static int is_loading_word(const char *text) {
  static const char *const loading[] = {"modelnotready", "modelloading", "modelisloading",
                                        "loadingmodel", NULL};
  int i = find_word(text), is = 0;
  for (const char *const *word = loading; i >= 0 && *word; word++) {
    is |= strcmp(words[i].word, *word) == 0;
  }
  return is;
}

/* A request that is refused may be refused in any words, those of its prompt among them. */
static int may_be_loading(long status) {
  static const long statuses[] = {0, 200, 409, 425, 429, 500, 503};
  int may = 0;
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    may |= status == statuses[i];
  }
  return may;
}

int retry_is_loading(const RetryCase *c) {
  static const char llama[] = "loading model"; /* (an "error loading model" is none of these) */
  static const char *const phrases[] = {
      "currently loading", "is loading",    "still loading", "being loaded",
      "model is starting", "is warming up", "cold start",    NULL};
  if (is_loading_word(c->type) || is_loading_word(c->code)) {
    return 1;
  }
  return c->sentence && may_be_loading(c->status) &&
         (strncasecmp(c->sentence, llama, sizeof llama - 1) == 0 || says(c->sentence, phrases));
}

/* ---- times */

/* Milliseconds of a unit at *text, which is passed over; -1 where none stands there. */
static long long take_unit(const char **text) {
  static const struct {
    const char *word;
    long long ms;
  } units[] = {{"milliseconds", 1}, {"millisecond", 1}, {"ms", 1},         {"seconds", 1000},
               {"second", 1000},    {"secs", 1000},     {"sec", 1000},     {"minutes", 60000},
               {"minute", 60000},   {"mins", 60000},    {"min", 60000},    {"hours", 3600000},
               {"hour", 3600000},   {"days", 86400000}, {"day", 86400000}, {"s", 1000},
               {"m", 60000},        {"h", 3600000},     {"d", 86400000}};
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    size_t n = strlen(units[i].word);
    if (strncasecmp(*text, units[i].word, n) == 0 &&
        !(((*text)[n] | 32) >= 'a' && ((*text)[n] | 32) <= 'z')) {
      *text += n;
      return units[i].ms;
    }
  }
  return -1;
}

/* The longest time that is told apart: what is beyond a year. */
static const double longest_ms = 3.2e10;

/* Parts of a time one behind the other ("1h2m3.5s"); without any unit it is seconds if it may be. */
static long long take_time(const char *text, int needs_unit) {
  double ms = 0;
  int parts = 0;
  while (*text >= '0' && *text <= '9') {
    char *end;
    double number = strtod(text, &end);
    text = end + strspn(end, " ");
    long long unit = take_unit(&text);
    if (unit < 0 && (parts || needs_unit || *text)) {
      break;
    }
    unit = unit < 0 ? 1000 : unit;
    ms += number * (double)unit;
    ms = ms > longest_ms ? longest_ms : ms;
    parts++;
  }
  return parts ? (long long)ms : -1;
}

long long retry_read_time(const char *text) {
  return take_time(text + strspn(text, " "), 0);
}

long long retry_read_sentence(const char *sentence) {
  static const char *const leads[] = {
      "try again in ", "retry in ", "retry after ", "try again after ",
      "retry-after: ", "wait for ", "wait "};
  for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
    const char *at = strcasestr(sentence, leads[i]);
    long long ms = at ? take_time(at + strlen(leads[i]), 1) : -1;
    if (ms >= 0) {
      return ms;
    }
  }
  return -1;
}

long long retry_delay_ms(int next, long long base_ms, long long asked_ms, unsigned random) {
  if (asked_ms >= 0) {
    return asked_ms;
  }
  long long delay = base_ms;
  for (int i = 2; i < next && delay < LIMIT_BACKOFF_MS; i++) {
    delay *= 2;
  }
  delay = delay > LIMIT_BACKOFF_MS ? LIMIT_BACKOFF_MS : delay;
  return delay - (long long)((double)delay * 0.25 * ((double)(random & 0xFFFF) / 65536.0));
}

long long retry_loading_ms(int next) {
  return retry_delay_ms(next, 2000, -1, 0);
}
