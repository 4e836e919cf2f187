/*
** What somebody wrote into a log, as values of ours. See format_internal.h for the contract.
*/
#include "core/logs/format_internal.h"

#include "base/text/decimal.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- texts */

/* The bytes of n, at most `most`, that end between two characters. */
static size_t cut_length(const char *bytes, size_t n, size_t most) {
  if (n <= most) {
    return n;
  }
  n = most;
  while (n > 0 && n > most - 4 && ((unsigned char)bytes[n] & 0xC0) == 0x80) {
    n--;
  }
  return n;
}

const char *text_keep(Texts *t, const char *bytes, size_t n) {
  char *start = t->at + t->used, *to = start;
  n = cut_length(bytes, n, TEXT_MOST);
  if (n == 0 || sizeof t->at - t->used < 3 * n + 1) {
    return NULL;
  }
  while (n > 0) {
    size_t good = n, bad = 0;
    const char *nul = memchr(bytes, 0, n);
    if (!utf8_is_valid(bytes, n, &good) || nul) {
      good = nul && (size_t)(nul - bytes) < good ? (size_t)(nul - bytes) : good;
      bad = bytes[good] ? utf8_bad_length(bytes + good, n - good) : 1;
    }
    memcpy(to, bytes, good);
    to += good;
    if (bad) {
      memcpy(to, "\xEF\xBF\xBD", 3);
      to += 3;
    }
    bytes += good + bad;
    n -= good + bad;
  }
  *to++ = 0;
  t->used = (size_t)(to - t->at);
  return start;
}

const char *text_of(Texts *t, Span json) {
  char said[6 * TEXT_MOST + 8];
  if (json.n == 0 || json.at[0] == '{' || json.at[0] == '[' || span_is(json, "null")) {
    return NULL;
  } else if (json.at[0] != '"') {
    return text_keep(t, json.at, json.n);
  } else if (json.n <= TEXT_MOST && !memchr(json.at, '\\', json.n)) {
    return text_keep(t, json.at + 1, json.n - 2);
  }
  json.n = json.n < sizeof said ? json.n : sizeof said; /* (what is cut off is behind TEXT_MOST) */
  return text_keep(t, said, scan_unescape(json, said));
}

/* 1 if a text is an address of IPv4 or IPv6, with or without a port. */
static int is_address(const char *text) {
  size_t n = strlen(text), dots = 0, colons = 0, digits = 0;
  for (size_t i = 0; i < n; i++) {
    dots += text[i] == '.';
    colons += text[i] == ':';
    digits += isxdigit((unsigned char)text[i]) != 0;
  }
  int is_v4 = dots == 3 && colons <= 1 && strspn(text, "0123456789.:") == n && digits >= 4;
  int is_v6 = (colons == 7 || strstr(text, "::")) && digits + colons + dots == n;
  return is_v4 || is_v6;
}

/* Also of other scripts. (A version is none: model@2026.11) */
static int is_letter(char c) {
  return isalpha((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* 1 if there is something like name@host.domain in a text. */
static int has_mail(const char *text) {
  for (const char *at = text; (at = strchr(at, '@')); at++) {
    size_t n = strcspn(at + 1, " @<>,;");
    const char *dot = memchr(at + 1, '.', n);
    if (at > text && at[-1] != ' ' && dot && dot > at + 1 && is_letter(dot[1])) {
      return 1;
    }
  }
  return 0;
}

int text_is_name(const char *text) {
  return has_mail(text) || is_address(text);
}

const char *text_unnamed(Texts *t, const char *text) {
  char hex[HASH_HEX_SIZE], name[32];
  if (!text || !text_is_name(text)) {
    return text;
  }
  Hash hash = hash_bytes(text, strlen(text), 0);
  hash_hex(&hash, hex);
  int n = snprintf(name, sizeof name, "person-%.12s", hex);
  return text_keep(t, name, (size_t)n);
}

const char *text_word(const char *text) {
  size_t n = text ? strlen(text) : 0, i = 0;
  while (i < n && (isalnum((unsigned char)text[i]) || strchr("_.:/+-", text[i]))) {
    i++;
  }
  return n > 0 && n <= 64 && i == n ? text : NULL;
}

/* ---- numbers */

enum { NUMBER_MOST = 96 };

/* A number without the '$' in front of it and the commas of its thousands; 0 where a comma is none of those ("1,5"). */
static int plain_number(const char *text, char out[NUMBER_MOST]) {
  size_t digits = 0, n = 0;
  int commas = 0, in_fraction = 0;
  text += strspn(text, " ");
  text += *text == '$';
  for (; *text && *text != ' '; text++) {
    int is_digit = isdigit((unsigned char)*text) != 0;
    if (*text == ',' && !in_fraction && (commas ? digits == 3 : digits >= 1 && digits <= 3)) {
      commas++;
      digits = 0;
      continue;
    }
    if (*text == ',' || (!is_digit && commas && !in_fraction && digits != 3) ||
        n + 2 > NUMBER_MOST) {
      return 0;
    }
    in_fraction |= !is_digit;
    digits += is_digit && !in_fraction;
    out[n++] = *text;
  }
  out[n] = 0;
  return n > 0 && !text[strspn(text, " ")] && (!commas || in_fraction || digits == 3);
}

/* Digits alone, few enough to need no care: nearly all counts. */
static int plain_count(const char *text, long long *count) {
  enum { MOST_DIGITS = 15 };
  long long value = 0;
  int n = 0;
  for (; n <= MOST_DIGITS && text[n] >= '0' && text[n] <= '9'; n++) {
    value = value * 10 + (text[n] - '0');
  }
  *count = value;
  return n > 0 && n <= MOST_DIGITS && !text[n];
}

int number_count(const char *text, long long most, long long *count) {
  char plain[NUMBER_MOST];
  long long milli;
  if (plain_count(text, &milli) && milli <= most) {
    *count = milli;
    return 1;
  }
  if (!plain_number(text, plain)) {
    return 0;
  }
  const char *point = strchr(plain, '.');
  if (point && !strpbrk(plain, "eE") && point[1 + strspn(point + 1, "0")]) {
    return 0;
  }
  if (!decimal_parse(plain, 3, &milli) || milli % 1000 != 0 || milli / 1000 > most) {
    return 0;
  }
  *count = milli / 1000;
  return 1;
}

int number_money(const char *text, int scale, int negative, long long *nusd) {
  char plain[NUMBER_MOST];
  text += strspn(text, " ");
  int is_less = *text == '-';
  if (!plain_number(text + is_less, plain) || !decimal_parse(plain, scale, nusd)) {
    return 0;
  }
  *nusd = is_less ? -*nusd : *nusd;
  return negative || *nusd >= 0;
}

/* ---- times */

/* So many digits at *p as a number, which moves behind them; -1 where there are others. */
static int take_digits(const char **p, int n) {
  int value = 0;
  for (int i = 0; i < n; i++, ++*p) {
    if (**p < '0' || **p > '9') {
      return -1;
    }
    value = value * 10 + (**p - '0');
  }
  return value;
}

/* What follows a sign, as two digits; -1 where it is another one. */
static int take_after(const char **p, char sign) {
  if (**p != sign) {
    return -1;
  }
  ++*p;
  return take_digits(p, 2);
}

/* 'Z', "UTC", or a difference from UTC in ms; 0 where it is none of them. Nothing is UTC. */
static int take_zone(const char **p, long long *ms) {
  *ms = 0;
  *p += **p == ' ';
  if (**p == 'Z' || **p == 'z') {
    ++*p;
  } else if (strncmp(*p, "UTC", 3) == 0 || strncmp(*p, "GMT", 3) == 0) {
    *p += 3;
  } else if (**p == '+' || **p == '-') {
    int sign = *(*p)++ == '-' ? -1 : 1, hours = take_digits(p, 2);
    *p += **p == ':';
    int minutes = **p ? take_digits(p, 2) : 0;
    *ms = sign * (hours * 60LL + minutes) * 60000;
    return hours >= 0 && hours <= 18 && minutes >= 0 && minutes <= 59;
  }
  return 1;
}

/* HH:MM[:SS[.fraction]] of a day in ms; -1 where it is none. What is below milliseconds is dropped. */
static long long take_clock(const char **p) {
  int hours = take_digits(p, 2), minutes = hours < 0 ? -1 : take_after(p, ':');
  int seconds = minutes >= 0 && **p == ':' ? take_after(p, ':') : 0, fraction = 0;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
    return -1;
  }
  if (**p == '.' || **p == ',') {
    int unit = 100;
    for (++*p; **p >= '0' && **p <= '9'; ++*p, unit /= 10) {
      fraction += (**p - '0') * unit;
    }
  }
  return ((hours * 60LL + minutes) * 60 + seconds) * 1000 + fraction;
}

static int read_date(const char *p, long long *ms) {
  long long clock = 0, zone = 0;
  int year = take_digits(&p, 4), month = year < 0 ? -1 : take_after(&p, '-');
  int day = month < 0 ? -1 : take_after(&p, '-');
  if (day < 0 || !time_of_date(year, month, day, ms)) {
    return 0;
  }
  if (*p == 'T' || *p == 't' || *p == ' ') {
    p++;
    clock = take_clock(&p);
    if (clock < 0 || !take_zone(&p, &zone)) {
      return 0;
    }
  }
  *ms += clock - zone;
  return !*p && *ms >= TIME_FIRST && *ms <= TIME_LAST;
}

/* The first numbers that count seconds (of 1973), ms, us and ns: each is a thousand times the one before. */
static const struct {
  double from;
  TimeForm form;
  long long per_ms; /* of what is finer */
} sizes[] = {{1e17, TIME_NS, 1000000}, {1e14, TIME_US, 1000}, {1e11, TIME_MS, 1}};

static int read_epoch(const char *text, long long *ms, TimeForm *form) {
  long long whole, micro;
  const char *point = strchr(text, '.');
  size_t n = point ? (size_t)(point - text) : strlen(text);
  char digits[24];
  if (n < 9 || n > 19) {
    return 0;
  }
  memcpy(digits, text, n);
  digits[n] = 0;
  if (strspn(digits, "0123456789") != n || !decimal_parse(digits, 0, &whole)) {
    return 0;
  }
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    if ((double)whole >= sizes[i].from) {
      *form = sizes[i].form;
      *ms = whole / sizes[i].per_ms;
      return (!point || point[1 + strspn(point + 1, "0123456789")] == 0) && *ms <= TIME_LAST;
    }
  }
  *form = TIME_S;
  if (whole < TIME_FIRST_MS / 1000 || strchr(text, 'e') || strchr(text, 'E') ||
      !decimal_parse(text, 6, &micro)) {
    return 0;
  }
  *ms = micro / 1000;
  return *ms <= TIME_LAST;
}

int time_read(const char *text, long long *ms, TimeForm *form) {
  if (text[0] && text[1] && text[2] && text[3] && text[4] == '-') {
    *form = TIME_TEXT;
    return read_date(text, ms);
  }
  return read_epoch(text, ms, form);
}
