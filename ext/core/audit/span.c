/*
** See span.h for the contract.
*/
#include "core/audit/span.h"

#include "base/text/decimal.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { HOUR_S = 3600, DAY_S = 86400, SECOND_MS = 1000, MOST_OF_A_WORD = 10000 };

/* ---- labels */

int span_read_label(const char *text, LocalSpan *span) {
  static const char form[] = "0000-00-00 00:00", first[] = "0000-01-01 00:00:00";
  char whole[sizeof first];
  int n = (int)strlen(text), y, m, length[] = {4, 7, 10, 13, 16};
  int is_known = 0;
  for (int i = 0; i < 5; i++) {
    is_known |= n == length[i];
  }
  for (int i = 0; i < n && is_known; i++) {
    int is_digit = text[i] >= '0' && text[i] <= '9';
    is_known = form[i] == '0' ? is_digit : text[i] == form[i] || (form[i] == ' ' && text[i] == 'T');
  }
  long long ms, next = 0;
  memcpy(whole, first, sizeof first);
  memcpy(whole, text, is_known ? (size_t)n : 0);
  if (!is_known || !time_parse(whole, &ms)) {
    return 0;
  }
  y = (whole[0] - '0') * 1000 + (whole[1] - '0') * 100 + (whole[2] - '0') * 10 + whole[3] - '0';
  m = (whole[5] - '0') * 10 + whole[6] - '0';
  span->from = ms / SECOND_MS;
  if (n <= 7) {
    char end[32];
    int to_year = n == 4 || m == 12;
    snprintf(end, sizeof end, "%04d-%02d-01", y + to_year, to_year ? 1 : m + 1);
    /* (9999 is the last year) */
    span->to = (time_parse(end, &next) ? next : TIME_LAST + 1) / SECOND_MS;
  } else {
    int is_hour =
        n == 13 || strcmp(whole + 14, "00:00") == 0; /* "09:00" is the label of the hour */
    span->to = span->from + (n == 10 ? DAY_S : is_hour ? HOUR_S : 60);
  }
  return n;
}

long long span_moment(const Zone *zone, long long local) {
  if (local == LLONG_MIN || local == LLONG_MAX) {
    return local;
  }
  long long best = LLONG_MAX;
  for (int day = -1; day <= 1; day++) {
    long long at = local - zone_offset(zone, (local + day * DAY_S) * SECOND_MS);
    int is_there = at + zone_offset(zone, at * SECOND_MS) >= local;
    best = is_there && at < best ? at : best;
  }
  return (best == LLONG_MAX ? local - zone_offset(zone, local * SECOND_MS) : best) * SECOND_MS;
}

/* ---- what a span is called */

/* "2026-11-04 00:00 +01:00" is cut to as many characters. */
static void name_by_start(NamedSpan *s, const Zone *zone, int characters) {
  char text[PERIOD_TEXT];
  period_when(zone, s->span.from, text);
  snprintf(s->label, sizeof s->label, "%.*s", characters, text);
}

/* A week's year and number are those of its Thursday (ISO 8601). */
static void name_week(NamedSpan *s, const Zone *zone) {
  const long long thursday = s->span.from + 3LL * DAY_S * SECOND_MS + DAY_S * SECOND_MS / 2;
  char text[PERIOD_TEXT];
  LocalSpan year, day;
  period_when(zone, thursday, text);
  text[10] = 0;
  span_read_label(text, &day);
  text[4] = 0;
  span_read_label(text, &year);
  snprintf(s->label, sizeof s->label, "%s-W%02d", text,
           (int)((day.from - year.from) / DAY_S / 7) + 1);
}

void span_date(const Zone *zone, long long at, char out[SPAN_DATE]) {
  char text[PERIOD_TEXT] = "";
  if (at >= 0 && at <= TIME_LAST) {
    period_when(zone, at, text);
  }
  snprintf(out, SPAN_DATE, "%.*s", SPAN_DATE - 1, text);
}

static int is_midnight(const char *when) {
  return strncmp(when + 10, " 00:00", 6) == 0;
}

NamedSpan span_between(const Zone *zone, long long from, long long to) {
  NamedSpan s = {{from, to}, ""};
  char first[PERIOD_TEXT], end[PERIOD_TEXT], last[PERIOD_TEXT];
  period_when(zone, from, first);
  period_when(zone, to, end);
  period_when(zone, to - 1, last);
  int are_days = is_midnight(first) && is_midnight(end);
  const char *until = are_days ? last : end;
  int is_one = are_days && strncmp(first, last, 10) == 0;
  int n = snprintf(s.label, sizeof s.label, "%.*s", is_midnight(first) ? 10 : 16, first);
  if (!is_one) {
    snprintf(s.label + n, sizeof s.label - (size_t)n, " \xE2\x80\x93 %.*s", are_days ? 10 : 16,
             until);
  }
  return s;
}

/* ---- words and labels */

/* What the calendar repeats; a year is no period of a limit. */
typedef enum CalendarUnit {
  OF_HOUR,
  OF_DAY,
  OF_WEEK,
  OF_MONTH,
  OF_YEAR,
  CALENDAR_UNITS
} CalendarUnit;

static const struct {
  const char *word, *many;
  PeriodKind kind;
  int label; /* characters; 0: a week's */
  long long ms;
} units[CALENDAR_UNITS] = {
    [OF_HOUR] = {"hour", "hours", PERIOD_HOUR, 16, HOUR_S * 1000LL},
    [OF_DAY] = {"day", "days", PERIOD_DAY, 10, DAY_S * 1000LL},
    [OF_WEEK] = {"week", "weeks", PERIOD_WEEK, 0, 7 * DAY_S * 1000LL},
    [OF_MONTH] = {"month", "months", PERIOD_MONTH, 7, 0},
    [OF_YEAR] = {"year", "years", PERIOD_TOTAL, 4, 0},
};

/* The one that a moment is in. */
static NamedSpan unit_at(CalendarUnit unit, const Zone *zone, long long at) {
  NamedSpan s = {{at, at}, ""};
  if (unit == OF_YEAR) {
    LocalSpan year = {0, 0};
    name_by_start(&s, zone, 4);
    span_read_label(s.label, &year);
    s.span = (PeriodSpan){span_moment(zone, year.from), span_moment(zone, year.to)};
    return s;
  }
  const Period period = {.kind = units[unit].kind};
  s.span = period_at(&period, zone, at);
  units[unit].label ? name_by_start(&s, zone, units[unit].label) : name_week(&s, zone);
  return s;
}

/* That one and the one before it; what is not over, as far as it is. */
static void take_unit(CalendarUnit unit, const Zone *zone, long long at, long long now,
                      NamedSpan both[2]) {
  both[0] = unit_at(unit, zone, at);
  both[1] = unit_at(unit, zone, both[0].span.from - 1);
  if (both[0].span.from <= now && now < both[0].span.to) {
    long long end = both[1].span.from + (now - both[0].span.from);
    both[0].span.to = now;
    both[1].span.to = end < both[1].span.to ? end : both[1].span.to;
    char name[SPAN_LABEL];
    memcpy(name, both[0].label, sizeof name);
    snprintf(both[0].label, SPAN_LABEL, "%.36s so far", name);
    memcpy(name, both[1].label, sizeof name);
    snprintf(both[1].label, SPAN_LABEL, "as much of %.36s", name); /* (that one is over) */
  }
}

/* "today", "yesterday", "this week", "last month". */
static int read_word(const char *text, const Zone *zone, long long now, NamedSpan both[2]) {
  int is_last = strncmp(text, "last ", 5) == 0, is_this = strncmp(text, "this ", 5) == 0;
  const char *word = is_last || is_this ? text + 5 : text;
  if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
    is_last = text[0] == 'y';
    word = "day";
  } else if (!is_last && !is_this) {
    return 0;
  }
  for (int u = 0; u < CALENDAR_UNITS; u++) {
    if (strcmp(word, units[u].word) == 0) {
      long long at = is_last ? unit_at((CalendarUnit)u, zone, now).span.from - 1 : now;
      take_unit((CalendarUnit)u, zone, at, now, both);
      return 1;
    }
  }
  return 0;
}

/* "last 7 days": up to now. */
static int read_rolling(const char *text, const Zone *zone, long long now, NamedSpan both[2]) {
  char word[8] = "";
  int n = 0, used = 0;
  if (sscanf(text, "last %5d %6[a-z]%n", &n, word, &used) != 2 || text[used] || n < 1 ||
      n > MOST_OF_A_WORD) {
    return 0;
  }
  for (int u = 0; u < OF_MONTH; u++) {
    if (strcmp(word, units[u].many) == 0 || (n == 1 && strcmp(word, units[u].word) == 0)) {
      long long length = n * units[u].ms;
      both[0] = span_between(zone, now - length, now);
      both[1] = span_between(zone, now - 2 * length, now - length);
      return 1;
    }
  }
  return 0;
}

/* "2026-W45". */
static int read_week(const char *text, const Zone *zone, long long now, NamedSpan both[2]) {
  int y = 0, w = 0, used = 0;
  char label[16];
  LocalSpan day;
  if (strlen(text) != 8 || sscanf(text, "%4d-W%2d%n", &y, &w, &used) != 2 || used != 8 || w < 1 ||
      w > 53) {
    return 0;
  }
  snprintf(label, sizeof label, "%04d-01-04", y); /* is always in the first week */
  if (!span_read_label(label, &day)) {
    return 0;
  }
  long long noon = day.from + (w - 1) * 7LL * DAY_S + DAY_S / 2;
  take_unit(OF_WEEK, zone, span_moment(zone, noon), now, both);
  return strncmp(both[0].label, text, 8) == 0; /* (a 53rd week that is none) */
}

static int read_label(const char *text, const Zone *zone, long long now, NamedSpan both[2]) {
  static const struct {
    int length;
    CalendarUnit unit;
  } of[] = {{4, OF_YEAR}, {7, OF_MONTH}, {10, OF_DAY}, {13, OF_HOUR}, {16, OF_HOUR}};
  LocalSpan span;
  int n = span_read_label(text, &span);
  for (size_t i = 0; i < sizeof of / sizeof of[0] && n; i++) {
    if (of[i].length == n) {
      take_unit(of[i].unit, zone, span_moment(zone, span.from), now, both);
      return 1;
    }
  }
  return 0;
}

int span_parse(const char *text, const Zone *zone, long long now, NamedSpan *is, NamedSpan *before,
               Err *err) {
  NamedSpan both[2];
  if (read_word(text, zone, now, both) || read_rolling(text, zone, now, both) ||
      read_week(text, zone, now, both) || read_label(text, zone, now, both)) {
    *is = both[0];
    if (before) {
      *before = both[1];
    }
    return RC_OK;
  }
  char shown[40];
  utf8_copy(shown, sizeof shown, text);
  return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                 "'%s' is no period: expected 'last month', 'this week', 'yesterday', "
                 "'last 7 days', '2026-11', '2026-W45' or '2026-11-04'",
                 shown);
}
