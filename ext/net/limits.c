/*
** Limits and waits from header lines. See limits.h for the contract.
*/
#include "net/limits.h"

#include "base/limits.h"
#include "net/header.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The longest wait that is told apart, some thirty years: what is beyond any limit. */
#define LONGEST_MS 1e12

/* A value of these headers; the longest known are policies of several limits. */
enum { VALUE_BYTES = 256, NAME_BYTES = 64 };

static const NetLimit NOTHING = {-1, -1, -1};

/* Milliseconds that are neither negative nor more than a number of any size may be made of. */
static long long to_ms(double ms) {
  return ms > LONGEST_MS ? (long long)LONGEST_MS : ms > 0 ? (long long)ms : 0;
}

/* A number at the front, without a sign, "inf" or "nan"; *end == text: none. */
static double take_number(const char *text, char **end) {
  *end = (char *)text;
  return (*text >= '0' && *text <= '9') || *text == '.' ? strtod(text, end) : 0;
}

/* retry-after: seconds, or an HTTP date. */
static long long parse_retry_after(const char *value) {
  char *end;
  double seconds = take_number(value, &end);
  if (end != value && *end == 0) {
    return to_ms(seconds * 1e3);
  }
  time_t date = curl_getdate(value, NULL);
  return date < 0 ? -1 : to_ms(((double)date - (double)time(NULL)) * 1e3);
}

static int is_within(int n, int least, int most) {
  return n >= least && n <= most;
}

/* Seconds of an offset from UTC ("Z", "+02:00", "-0530"); 0 where none stands there. */
static double take_offset(const char *at) {
  int hours = 0, minutes = 0;
  int is_offset = (*at == '+' || *at == '-') && at[1] >= '0' && at[1] <= '9' &&
                  (sscanf(at + 1, "%2d:%2d", &hours, &minutes) == 2 ||
                   sscanf(at + 1, "%2d%2d", &hours, &minutes) == 2) &&
                  is_within(hours, 0, 23) && is_within(minutes, 0, 59);
  double seconds = is_offset ? hours * 36e2 + minutes * 6e1 : 0;
  return *at == '-' ? -seconds : seconds;
}

/* A time of RFC 3339, section 5.6, from now; -1: none. */
static long long parse_date(const char *at) {
  struct tm day = {0};
  int n = 0;
  if (sscanf(at, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &day.tm_year, &day.tm_mon, &day.tm_mday,
             &day.tm_hour, &day.tm_min, &day.tm_sec, &n) != 6 ||
      !is_within(day.tm_year, 1970, 9999) || !is_within(day.tm_mon, 1, 12) ||
      !is_within(day.tm_mday, 1, 31) || !is_within(day.tm_hour, 0, 23) ||
      !is_within(day.tm_min, 0, 59) || !is_within(day.tm_sec, 0, 60)) {
    return -1;
  }
  char *end = (char *)at + n;
  double fraction = *end == '.' ? take_number(end, &end) : 0;
  day.tm_year -= 1900;
  day.tm_mon -= 1;
  return to_ms(((double)timegm(&day) + fraction - take_offset(end) - (double)time(NULL)) * 1e3);
}

/* A number without a unit: seconds, or the time of day in seconds, or in thousandths of them, or of these. */
static long long bare_ms(double n) {
  enum { NOT_A_TIME_OF_DAY = 1000000000 };
  if (n < NOT_A_TIME_OF_DAY || n > 1e19) {
    return to_ms(n * 1e3);
  }
  while (n >= 1e11) {
    n /= 1e3;
  }
  return to_ms((n - (double)time(NULL)) * 1e3);
}

/* Where a value ends: strchr finds the NUL too. */
static int is_end(char c) {
  return strchr(";, \t\"", c) != NULL;
}

/* A time from now: "6m0s", "40ms", seconds, a Unix time, a time of RFC 3339. -1: none. */
static long long parse_reset(const char *at) {
  static const struct {
    const char *unit;
    double ms;
  } units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 36e5}, {"d", 864e5}};
  enum { N_UNITS = sizeof units / sizeof units[0] };
  const char *begin = at;
  long long date = parse_date(at);
  double all = 0;
  for (char *end; date < 0 && !is_end(*at); at = end) {
    double n = take_number(at, &end);
    size_t u = 0;
    while (u < N_UNITS && strncmp(end, units[u].unit, strlen(units[u].unit)) != 0) {
      u++;
    }
    if (end == at || (u == N_UNITS && (at > begin || !is_end(*end)))) {
      return -1;
    }
    if (u == N_UNITS) {
      return bare_ms(n);
    }
    all += n * units[u].ms;
    end += strlen(units[u].unit);
  }
  return date >= 0 ? date : at > begin ? to_ms(all) : -1;
}

/* A whole number of requests or tokens; -1: none ("unlimited", "-1"). */
static long long parse_count(const char *at) {
  char *end;
  double n = take_number(at, &end);
  if (end == at || !is_end(*end)) {
    return -1;
  }
  return n < (double)LIMIT_COUNT ? (long long)n : LIMIT_COUNT;
}

/* The next of the parts that ";", "," and blanks separate; what is quoted is of one. */
static const char *next_part(const char *at) {
  for (int is_quoted = 0; *at && (is_quoted || !strchr(";, \t", *at)); at++) {
    is_quoted ^= *at == '"';
  }
  return at + strspn(at, ";, \t");
}

/* 1 if it lists several. */
static int is_list(const char *at) {
  for (int is_quoted = 0; *at && (is_quoted || *at != ','); at++) {
    is_quoted ^= *at == '"';
  }
  return *at == ',';
}

/* What stands behind "name=", without the quote; NULL: this part is another. */
static const char *of_parameter(const char *at, const char *name) {
  size_t n = strlen(name);
  if (strncasecmp(at, name, n) != 0 || at[n] != '=') {
    return NULL;
  }
  at += n + 1;
  return at + (*at == '"');
}

/* The parameters of "ratelimit" before its 8th version (limit=10, remaining=0, reset=7) and since ("default";q=10;r=0;t=7).
** Of several limits the one with the least left: a parameter that is there already begins the next. */
static NetLimit parse_parameters(const char *value) {
  static const char *const names[3][2] = {{"limit", "q"}, {"remaining", "r"}, {"reset", "t"}};
  NetLimit least = NOTHING, now = NOTHING;
  long long *const into[3] = {&now.limit, &now.remaining, &now.reset_ms};
  for (const char *at = value; *at; at = next_part(at)) {
    for (size_t i = 0; i < 6; i++) {
      const char *said = of_parameter(at, names[i / 2][i % 2]);
      if (said && *into[i / 2] >= 0) {
        least = least.remaining < 0 || now.remaining < least.remaining ? now : least;
        now = NOTHING;
      }
      if (said) {
        *into[i / 2] = i / 2 == 2 ? parse_reset(said) : parse_count(said);
      }
    }
  }
  return least.remaining < 0 || (now.remaining >= 0 && now.remaining < least.remaining) ? now
                                                                                        : least;
}

/* What a header's name says. */
enum { OF_ALL, OF_LIMIT, OF_REMAINING, OF_RESET, OF_POLICY };
enum { OF_REQUESTS, OF_TOKENS, OF_INPUT, OF_OUTPUT };

typedef struct Name {
  int what, unit, window;
} Name;

static const struct {
  const char *stem;
  int unit;
} stems[] = {{"ratelimit", OF_REQUESTS},
             {"rate-limit", OF_REQUESTS},
             {"ratelimitbysize", OF_TOKENS},
             {"tokenlimit", OF_TOKENS}};

static const struct {
  const char *word;
  int what, unit, window; /* 0: nothing of it */
} words[] = {
    {"limit", OF_LIMIT, 0, 0},
    {"remaining", OF_REMAINING, 0, 0},
    {"reset", OF_RESET, 0, 0},
    {"policy", OF_POLICY, 0, 0},
    {"after", 0, 0, 0},
    {"requests", 0, 0, 0},
    {"req", 0, 0, 0},
    {"tokens", 0, OF_TOKENS, 0},
    {"input", 0, OF_INPUT, 0},
    {"prompt", 0, OF_INPUT, 0},
    {"output", 0, OF_OUTPUT, 0},
    {"generated", 0, OF_OUTPUT, 0},
    {"second", 0, 0, 1},
    {"minute", 0, 0, 2},
    {"hour", 0, 0, 3},
    {"day", 0, 0, 4},
    {"month", 0, 0, 5},
};

static const long long window_ms[NET_LIMIT_WINDOWS] = {-1,      1000,     60000,
                                                       3600000, 86400000, 31 * 86400000LL};

/* One word of a name (they are separated by "-"); 0: not known. */
static int read_word(const char *word, size_t n, Name *name) {
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strlen(words[i].word) == n && strncasecmp(words[i].word, word, n) == 0) {
      name->what = words[i].what ? words[i].what : name->what;
      name->unit = words[i].unit > name->unit ? words[i].unit : name->unit;
      name->window = words[i].window ? words[i].window : name->window;
      return 1;
    }
  }
  return 0;
}

/* The words behind the stem; *at stands on the "-" before the first, or at the end. */
static int read_words(const char *at, Name *name) {
  while (*at == '-') {
    size_t n = strcspn(++at, "-");
    if (!read_word(at, n, name)) {
      return 0;
    }
    at += n;
  }
  return *at == 0;
}

static const char *skip(const char *at, const char *prefix) {
  size_t n = strlen(prefix);
  return strncasecmp(at, prefix, n) == 0 ? at + n : at;
}

/* 1 if the header is one of a limit's. */
static int read_name(const char *header, Name *name) {
  const char *at = skip(skip(header, "x-"), "anthropic-");
  for (size_t i = 0; i < sizeof stems / sizeof stems[0]; i++) {
    const char *behind = skip(at, stems[i].stem);
    *name = (Name){.unit = stems[i].unit};
    if (behind > at && read_words(behind, name)) {
      return 1;
    }
  }
  return 0;
}

/* Of each kind the scarcest. */
static double share_left(const NetLimit *l) {
  double part = l->limit > 0 ? (double)l->remaining / (double)l->limit : l->remaining > 0;
  return l->remaining >= 0 ? part : 2; /* behind all that say it */
}

static int is_said(const NetLimit *l) {
  return l->limit >= 0 || l->remaining >= 0 || l->reset_ms >= 0;
}

static void choose(NetWaits *w) {
  w->limits[NET_LIMIT_REQUESTS] = w->limits[NET_LIMIT_TOKENS] = NOTHING;
  for (int i = 0; i < NET_LIMIT_UNITS * NET_LIMIT_WINDOWS; i++) {
    int unit = i / NET_LIMIT_WINDOWS, window = i % NET_LIMIT_WINDOWS;
    NetLimit *chosen = &w->limits[unit == OF_REQUESTS ? NET_LIMIT_REQUESTS : NET_LIMIT_TOKENS];
    NetLimit here = w->named[unit][window];
    if (is_said(&here) && (!is_said(chosen) || share_left(&here) < share_left(chosen))) {
      here.reset_ms = here.reset_ms >= 0 ? here.reset_ms : window_ms[window];
      *chosen = here;
    }
  }
}

static void keep_said(long long *to, long long said) {
  *to = said >= 0 ? said : *to;
}

static void keep_nearest(NetWaits *w, long long ms) {
  w->reset_ms = ms >= 0 && (w->reset_ms < 0 || ms < w->reset_ms) ? ms : w->reset_ms;
}

static void take_limit(NetWaits *w, const Name *name, const char *value) {
  NetLimit *l = &w->named[name->unit][name->window], said = parse_parameters(value);
  if (name->what == OF_POLICY) { /* of several policies it is not said which is meant */
    long long limit = said.limit >= 0 ? said.limit : parse_count(value);
    l->limit = l->limit < 0 && !is_list(value) ? limit : l->limit;
  } else if (name->what == OF_RESET) {
    keep_said(&l->reset_ms, said.reset_ms >= 0 ? said.reset_ms : parse_reset(value));
  } else if (name->what == OF_ALL) {
    keep_said(&l->limit, said.limit);
    keep_said(&l->remaining, said.remaining);
    keep_said(&l->reset_ms, said.reset_ms >= 0 ? said.reset_ms : parse_reset(value));
  } else {
    keep_said(name->what == OF_LIMIT ? &l->limit : &l->remaining, parse_count(value));
  }
  if (name->what == OF_RESET || name->what == OF_ALL) {
    keep_nearest(w, l->reset_ms);
  }
  choose(w);
}

void limits_forget(NetWaits *w) {
  w->retry_after_ms = w->reset_ms = -1;
  for (int i = 0; i < NET_LIMIT_UNITS * NET_LIMIT_WINDOWS; i++) {
    w->named[i / NET_LIMIT_WINDOWS][i % NET_LIMIT_WINDOWS] = NOTHING;
  }
  choose(w);
}

void limits_take(NetWaits *w, const char *line, size_t n) {
  static const char *const in_ms[] = {"retry-after-ms", "x-ms-retry-after-ms", NULL};
  char header[NAME_BYTES], value[VALUE_BYTES], *end;
  const char *colon = memchr(line, ':', n);
  size_t len = colon ? (size_t)(colon - line) : sizeof header;
  Name name;
  if (header_take_any(line, n, in_ms, value, sizeof value)) {
    double ms = take_number(value, &end);
    w->retry_after_ms = end != value ? to_ms(ms) : w->retry_after_ms;
  } else if (w->retry_after_ms < 0 && header_take(line, n, "retry-after", value, sizeof value)) {
    w->retry_after_ms = parse_retry_after(value);
  } else if (len < sizeof header && strchr("XxRrAa", line[0])) {
    memcpy(header, line, len);
    header[len] = 0;
    header[0] |= 0x20;
    if (read_name(header, &name)) {
      header_take(line, n, header, value, sizeof value);
      take_limit(w, &name, value);
    }
  }
}
