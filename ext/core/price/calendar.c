/*
** Calendars of prices. See calendar.h for the contract.
*/
#include "core/price/calendar.h"

#include "base/text/decimal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY = 86400, QUARTER = 900, WEEK = 0x7f, WORD = 256 };

/* ---- reading */

static const char *const day_names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};

/* A day of the week, by three letters or more of its name; -1. Moves *at behind it. */
static int read_day(const char **at) {
  size_t n = 0;
  while (isalpha((unsigned char)(*at)[n])) {
    n++;
  }
  for (int i = 0; i < 7 && n >= 3; i++) {
    if (n <= strlen(day_names[i]) && strncasecmp(day_names[i], *at, n) == 0) {
      *at += n;
      return i;
    }
  }
  return -1;
}

/* "Mon-Fri,Sun": 1, or 0. A range may pass the end of the week. */
static int read_days(const char *p, unsigned *days) {
  *days = 0;
  for (;;) {
    int first = read_day(&p), last = first;
    if (*p == '-' && first >= 0) {
      p++;
      last = read_day(&p);
    }
    if (first < 0 || last < 0) {
      return 0;
    }
    for (int d = first; *days |= 1u << d, d != last; d = (d + 1) % 7) {
    }
    if (*p != ',') {
      return !*p;
    }
    p++;
  }
}

/* "09:00-12:00,14:00-18:00": 1, or 0. */
static int read_spans(const char *p, Calendar *c) {
  char one[16];
  while (*p) {
    size_t n = strcspn(p, ",");
    if (n >= sizeof one || c->n_spans == CALENDAR_SPANS) {
      return 0;
    }
    snprintf(one, sizeof one, "%.*s", (int)n, p);
    if (!time_parse_hours(one, &c->spans[c->n_spans].from, &c->spans[c->n_spans].to)) {
      return 0;
    }
    int is_whole = c->spans[c->n_spans].from == c->spans[c->n_spans].to;
    c->spans[c->n_spans].to = is_whole ? c->spans[c->n_spans].from + DAY : c->spans[c->n_spans].to;
    c->n_spans++;
    p += n;
    if (*p == ',' && !*++p) {
      return 0;
    }
  }
  return c->n_spans > 0;
}

/* A date as a number of days; moves *at behind it. 1, or 0. */
static int read_date(const char **at, int *day) {
  char text[11];
  long long ms;
  snprintf(text, sizeof text, "%s", *at);
  if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !time_parse(text, &ms)) {
    return 0;
  }
  *day = (int)(ms / (DAY * 1000LL) - (ms % (DAY * 1000LL) < 0));
  *at += 10;
  return 1;
}

static int begins_date(const char *p) {
  return isdigit((unsigned char)p[0]) && strspn(p, "0123456789") == 4 && p[4] == '-';
}

/* "2026-10-01..2026-10-07, 2027-01-01", and what follows is left: 1, or 0. */
static int read_dates(const char **at, int holds, Calendar *c) {
  int n = 0;
  for (const char *p = *at + strspn(*at, " ,"); begins_date(p); p += strspn(p, " ,"), n++) {
    CalendarDates *d = &c->dates[c->n_dates];
    if (c->n_dates == CALENDAR_DATES || !read_date(&p, &d->from)) {
      return 0;
    }
    d->to = d->from;
    d->holds = holds;
    if (strncmp(p, "..", 2) == 0) {
      p += 2;
      if (!read_date(&p, &d->to) || d->to < d->from) {
        return 0;
      }
    }
    if (*p && !strchr(" ,", *p)) {
      return 0;
    }
    c->n_dates++;
    *at = p;
  }
  return n > 0;
}

/* What a text may have, each once. */
enum { DAYS = 1, HOURS = 2, ZONE = 4, EXCEPT = 8, ALSO = 16 };

/* One part of a text, that begins at *at, and moves it behind. What it is, or 0 where it is nothing. */
static int read_part(const char **at, Calendar *c) {
  char word[WORD];
  unsigned days;
  size_t n = strcspn(*at, " ");
  if (n >= sizeof word) {
    return 0;
  }
  snprintf(word, sizeof word, "%.*s", (int)n, *at);
  *at += n;
  if (strcasecmp(word, "except") == 0 || strcasecmp(word, "also") == 0) {
    int is_also = tolower((unsigned char)word[0]) == 'a';
    return read_dates(at, is_also, c) ? is_also ? ALSO : EXCEPT : 0;
  }
  if (isdigit((unsigned char)word[0])) {
    return read_spans(word, c) ? HOURS : 0;
  }
  if (read_days(word, &days)) {
    c->days = days;
    return DAYS;
  }
  return zone_parse(word, &c->zone) ? ZONE : 0;
}

int calendar_parse(const char *text, Calendar *c, char why[CALENDAR_WHY]) {
  const char *at = text + strspn(text, " ");
  int seen = 0;
  *c = (Calendar){.days = WEEK, .text = text};
  while (*at) {
    const char *part = at;
    int is = read_part(&at, c);
    if (is == 0 || seen & is) {
      int is_zone = is == 0 && zone_is_written(part);
      snprintf(why, CALENDAR_WHY, "'%.40s' %s", part,
               is        ? "says a part again"
               : is_zone ? "is no time zone of this system (+08:00 is one everywhere)"
                         : "is no part of a calendar (Mon-Fri 09:00-18:00 +08:00 except "
                           "2026-10-01..2026-10-07; at most 8 windows and 128 dates)");
      return 0;
    }
    seen |= is;
    at += strspn(at, " ");
  }
  if (c->n_spans == 0) {
    c->spans[c->n_spans++].to = DAY;
  }
  if (!seen) {
    snprintf(why, CALENDAR_WHY, "it is empty");
  }
  return seen != 0;
}

/* ---- holding */

/* The local day of a moment, and in *second the second of it. */
static long long local_day(const Calendar *c, long long at_ms, int *second) {
  long long at = at_ms / 1000 - (at_ms % 1000 < 0) + zone_offset(&c->zone, at_ms);
  *second = (int)((at % DAY + DAY) % DAY);
  return (at - *second) / DAY;
}

/* 1 if hours that begin on a day hold. 1970-01-01 was a Thursday. */
static int holds_on(const Calendar *c, long long day) {
  int is_except = 0;
  for (int i = 0; i < c->n_dates; i++) {
    if (c->dates[i].from <= day && day <= c->dates[i].to) {
      if (c->dates[i].holds) {
        return 1;
      }
      is_except = 1;
    }
  }
  return !is_except && (c->days >> (((day + 3) % 7 + 7) % 7) & 1) != 0;
}

int calendar_holds(const Calendar *c, long long at_ms) {
  int second;
  long long day = local_day(c, at_ms, &second);
  for (int i = 0; i < c->n_spans; i++) {
    int from = c->spans[i].from, to = c->spans[i].to + (c->spans[i].to < from ? DAY : 0);
    if ((second >= from && second < to && holds_on(c, day)) ||
        (second + DAY < to && holds_on(c, day - 1))) {
      return 1;
    }
  }
  return 0;
}

static void narrow_to(long long edge, long long at_ms, long long *from_ms, long long *to_ms) {
  if (edge <= at_ms && edge > *from_ms) {
    *from_ms = edge;
  } else if (edge > at_ms && edge < *to_ms) {
    *to_ms = edge;
  }
}

void calendar_narrow(const Calendar *c, long long at_ms, long long *from_ms, long long *to_ms) {
  int second;
  local_day(c, at_ms, &second);
  long long whole = at_ms - ((at_ms % 1000) + 1000) % 1000, midnight = whole - second * 1000LL;
  if (c->zone.tzif) { /* its offset may change, at a quarter of an hour */
    long long quarter = whole - ((whole / 1000 % QUARTER) + QUARTER) % QUARTER * 1000LL;
    narrow_to(quarter, at_ms, from_ms, to_ms);
    narrow_to(quarter + QUARTER * 1000LL, at_ms, from_ms, to_ms);
  }
  narrow_to(midnight, at_ms, from_ms, to_ms);
  narrow_to(midnight + DAY * 1000LL, at_ms, from_ms, to_ms);
  for (int i = 0; i < c->n_spans; i++) {
    narrow_to(midnight + c->spans[i].from % DAY * 1000LL, at_ms, from_ms, to_ms);
    narrow_to(midnight + c->spans[i].to % DAY * 1000LL, at_ms, from_ms, to_ms);
  }
}
