/*
** Time zones. See zone.h for the contract.
**
** Files are TZif (RFC 8536): of their second block the transitions, each with its offset; past the last of
** them the rule of the footer, as POSIX writes it ("EST5EDT,M3.2.0,M11.1.0"). Of rules only the form with
** weeks of months is read, which is what zones have that change their clocks today.
*/
#include "core/price/zone.h"

#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 65536, HEADER = 44, DAY = 86400, NAME = 64 };

/* A day of the year on which clocks change: the w-th (5: last) weekday d (0: Sunday) of month m. */
typedef struct Change {
  int m, w, d, second;
} Change;

typedef struct Tzif {
  struct Tzif *next;
  char name[NAME];
  long long *at; /* seconds of the transitions, ascending, and the offset from each on */
  int *offset;
  int n, first; /* the offset before all of them */
  int has_rule, standard, summer;
  Change begins, ends; /* of summer time */
} Tzif;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Tzif *known; /* few: each zone is read once */

/* ---- the file */

/* A signed number of 4 or 8 bytes. */
static long long big_endian(const unsigned char *p, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; i++) {
    v = v << 8 | p[i];
  }
  return bytes == 4 ? (int32_t)(uint32_t)v : (long long)v;
}

/* The counts of a header: isutc, isstd, leap, times, types, chars. The size of its block with times of
** `width` bytes; 0 where it is none. */
static size_t block_size(const unsigned char *p, size_t left, int width, long long counts[6]) {
  if (left < HEADER || memcmp(p, "TZif", 4) != 0) {
    return 0;
  }
  for (int i = 0; i < 6; i++) {
    counts[i] = big_endian(p + 20 + 4 * i, 4);
    if (counts[i] < 0 || counts[i] > MOST_BYTES) {
      return 0;
    }
  }
  size_t size = HEADER + (size_t)(counts[3] * (width + 1) + counts[4] * 6 + counts[5] +
                                  counts[2] * (width + 4) + counts[1] + counts[0]);
  return size <= left ? size : 0;
}

/* The transitions of a block of eight-byte times. 0 where it is broken or without memory. */
static int read_block(const unsigned char *p, const long long counts[6], Tzif *z) {
  const unsigned char *times = p + HEADER, *types = times + counts[3] * 8,
                      *offsets = types + counts[3];
  z->n = (int)counts[3];
  z->at = malloc((size_t)(z->n + 1) * sizeof *z->at);
  z->offset = malloc((size_t)(z->n + 1) * sizeof *z->offset);
  if (!z->at || !z->offset || counts[4] < 1) {
    return 0;
  }
  z->first = (int)big_endian(offsets, 4);
  for (int i = 0; i < z->n; i++) {
    if (types[i] >= counts[4]) {
      return 0;
    }
    z->at[i] = big_endian(times + 8 * i, 8);
    z->offset[i] = (int)big_endian(offsets + 6 * types[i], 4);
  }
  return 1;
}

/* ---- the rule of the footer */

/* A name of a zone: letters, or anything in brackets. */
static const char *skip_name(const char *p) {
  if (*p == '<') {
    const char *close = strchr(p, '>');
    return close ? close + 1 : p + strlen(p);
  }
  while (isalpha((unsigned char)*p)) {
    p++;
  }
  return p;
}

/* [+-]h[h][:mm[:ss]] as seconds. */
static const char *read_clock(const char *p, int *seconds) {
  int sign = *p == '-' ? -1 : 1, part[3] = {0, 0, 0};
  p += *p == '-' || *p == '+';
  for (int i = 0; i < 3 && isdigit((unsigned char)*p); i++) {
    char *end;
    part[i] = (int)(strtol(p, &end, 10) % 1000);
    p = *end == ':' && i < 2 ? end + 1 : end;
  }
  *seconds = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
  return p;
}

static const char *read_change(const char *p, Change *c) {
  int used = 0;
  c->second = 2 * 3600;
  if (!p || sscanf(p, ",M%2d.%1d.%1d%n", &c->m, &c->w, &c->d, &used) != 3 || c->m < 1 ||
      c->m > 12 || c->w < 1 || c->w > 5 || c->d > 6) {
    return NULL;
  }
  p += used;
  return *p == '/' ? read_clock(p + 1, &c->second) : p;
}

/* "EST5EDT,M3.2.0,M11.1.0": offsets there count westwards. */
static void read_rule(const char *text, Tzif *z) {
  int west, summer;
  const char *p = read_clock(skip_name(text), &west);
  z->standard = -west;
  summer = west - 3600;
  z->has_rule = 1;
  z->summer = z->standard;
  if (*p) {
    p = skip_name(p);
    p = *p && *p != ',' ? read_clock(p, &summer) : p;
    p = read_change(p, &z->begins);
    z->summer = read_change(p, &z->ends) ? -summer : z->standard;
  }
}

/* Days from 1970-01-01 to a date (Hinnant's days_from_civil). */
static long long days_of(long long y, int m, int d) {
  y -= m <= 2;
  long long era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
  long long doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* The local second of a change in a year, counted from 1970 by the clock before it. */
static long long second_of(const Change *c, long long year) {
  long long first = days_of(year, c->m, 1);
  long long next = c->m == 12 ? days_of(year + 1, 1, 1) : days_of(year, c->m + 1, 1);
  long long day = first + ((c->d - (first + 4) % 7) % 7 + 7) % 7 + 7 * (c->w - 1);
  return (day < next ? day : day - 7) * DAY + c->second;
}

static int offset_by_rule(const Tzif *z, long long at) {
  long long year =
      1970 + at / 31556952; /* (of the Gregorian mean length: near a new year no clock changes) */
  long long begins = second_of(&z->begins, year) - z->standard,
            ends = second_of(&z->ends, year) - z->summer;
  int is_summer = begins < ends ? begins <= at && at < ends : !(ends <= at && at < begins);
  return is_summer ? z->summer : z->standard;
}

/* ---- zones by name */

static int is_name(const char *text) {
  size_t n = strlen(text);
  return n < NAME && isalpha((unsigned char)text[0]) && strchr(text, '/') && !strstr(text, "..") &&
         strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

/* The bytes of a zone's file; their number, 0 where there is none. */
static size_t read_file(const char *name, unsigned char *bytes) {
  char path[512];
  int fits = snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name) < (int)sizeof path;
  FILE *f = fits ? fopen(path, "rbe") : NULL;
  size_t n = f ? fread(bytes, 1, MOST_BYTES, f) : 0;
  if (f) {
    fclose(f);
  }
  return n;
}

static int read_zone(Tzif *z, unsigned char *bytes) {
  long long counts[6];
  size_t n = read_file(z->name, bytes), first = block_size(bytes, n, 4, counts);
  size_t second = first && bytes[4] >= '2' ? block_size(bytes + first, n - first, 8, counts) : 0;
  if (!second || !read_block(bytes + first, counts, z)) {
    return 0;
  }
  const char *footer = (const char *)bytes + first + second;
  size_t left = n - first - second;
  const char *end = left > 1 ? memchr(footer + 1, '\n', left - 1) : NULL;
  if (end && end > footer + 1) {
    char rule[128];
    snprintf(rule, sizeof rule, "%.*s", (int)(end - footer - 1), footer + 1);
    read_rule(rule, z);
  }
  return 1;
}

/* A zone of the system, read once; NULL where there is none of that name, or no memory. */
static Tzif *find(const char *name) {
  pthread_mutex_lock(&lock);
  Tzif *z = known;
  while (z && strcmp(z->name, name) != 0) {
    z = z->next;
  }
  unsigned char *bytes = z ? NULL : malloc(MOST_BYTES);
  Tzif *fresh = bytes ? calloc(1, sizeof *fresh) : NULL;
  if (fresh) {
    snprintf(fresh->name, sizeof fresh->name, "%s", name);
    if (read_zone(fresh, bytes)) {
      fresh->next = known;
      known = z = fresh;
    } else {
      free(fresh->at);
      free(fresh->offset);
      free(fresh);
    }
  }
  free(bytes);
  pthread_mutex_unlock(&lock);
  return z;
}

/* "+08:00", "-0330", "+8". 1, or 0. */
static int read_offset(const char *text, int *seconds) {
  int h, m = 0, used = 0, sign = text[0] == '-' ? -1 : 1;
  if ((text[0] != '+' && text[0] != '-') || !isdigit((unsigned char)text[1])) {
    return 0;
  }
  if (sscanf(text + 1, "%2d:%2d%n", &h, &m, &used) != 2 || text[1 + used]) {
    m = 0;
    if (sscanf(text + 1, "%2d%n%2d%n", &h, &used, &m, &used) < 1 || text[1 + used]) {
      return 0;
    }
  }
  *seconds = sign * (h * 3600 + m * 60);
  return h >= 0 && h <= 14 && m >= 0 && m <= 59;
}

int zone_is_written(const char *text) {
  return strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0 || text[0] == '+' || text[0] == '-' ||
         is_name(text);
}

int zone_parse(const char *text, Zone *zone) {
  *zone = (Zone){0, NULL};
  if (strcmp(text, "UTC") == 0 || strcmp(text, "Z") == 0 || read_offset(text, &zone->offset)) {
    return 1;
  }
  zone->tzif = is_name(text) ? find(text) : NULL;
  return zone->tzif != NULL;
}

int zone_offset(const Zone *zone, long long at_ms) {
  const Tzif *z = zone->tzif;
  long long at = at_ms / 1000 - (at_ms % 1000 < 0);
  if (!z) {
    return zone->offset;
  }
  if (z->n == 0 || at >= z->at[z->n - 1]) {
    return z->has_rule ? offset_by_rule(z, at) : z->n ? z->offset[z->n - 1] : z->first;
  }
  int low = -1, high = z->n - 1; /* at[low] <= at < at[high] */
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (z->at[middle] <= at) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low < 0 ? z->first : z->offset[low];
}
