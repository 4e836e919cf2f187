/*
** Counts of what was billed. See counts.h for the contract.
*/
#include "core/usage/counts.h"

#include "base/utf8.h"

#include <ctype.h>
#include <string.h>

void usage_init(Usage *u) {
  *u = (Usage){.can = ~(UnitSet)0, .reported_nusd = USAGE_UNKNOWN, .service = "standard"};
}

void usage_set(Usage *u, Unit unit, long long count) {
  u->n[unit] = count;
  u->has |= UNIT_BIT(unit);
}

long long usage_get(const Usage *u, Unit unit) {
  return u->has & UNIT_BIT(unit) ? u->n[unit] : USAGE_UNKNOWN;
}

static long long sum_of(const long long n[UNIT_COUNT], UnitSet units) {
  long long sum = 0;
  for (; units; units &= units - 1) {
    sum += n[UNIT_FIRST(units)];
  }
  return sum;
}

/* (Scaled is what of each part is in no smaller one: so whatever is rounded, parts that overlap fit as they did.) */
void usage_resize(Usage *u, Unit unit, long long count) {
  const Unit *order = unit_inside_out();
  const long long was = usage_get(u, unit);
  long long own[UNIT_COUNT] = {0}, scaled[UNIT_COUNT] = {0};
  for (int i = 0; i < UNIT_COUNT && count < was; i++) {
    const Unit part = order[i];
    if (u->has & unit_below(unit) & UNIT_BIT(part)) {
      own[part] = u->n[part] - sum_of(own, unit_below(part));
      scaled[part] = (long long)((__int128)own[part] * count / was);
      u->n[part] = sum_of(scaled, unit_family(part));
    }
  }
  usage_set(u, unit, count);
}

/* A word in lower case, cut off at the size of a Usage's words. */
static void take_word(char out[USAGE_WORD], const char *word) {
  utf8_copy(out, USAGE_WORD, word);
  for (; *out; out++) {
    *out = (char)tolower((unsigned char)*out);
  }
}

/* Providers' words for what is sold: the first of a pair means the second. */
void usage_set_whole(Usage *u, Unit unit, long long count) {
  usage_set(u, unit, count);
  for (UnitSet above = unit_above(unit); above; above &= above - 1) {
    usage_set(u, UNIT_FIRST(above), count);
  }
}

void usage_note_hour(Usage *u) {
  const UnitSet told = UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  if (!(u->has & told) && usage_get(u, UNIT_CACHE_WRITE) > 0) {
    usage_set(u, UNIT_CACHE_WRITE_1H, usage_get(u, UNIT_CACHE_WRITE));
  }
}

void usage_set_service(Usage *u, const char *word) {
  static const struct {
    const char *word, *service;
  } words[] = {{"", "standard"},
               {"default", "standard"},
               {"auto", "standard"},
               {"on_demand", "standard"},
               {"standard_only", "standard"},
               {"not_available", "standard"},
               {"on_demand_priority", "priority"},
               {"on_demand_flex", "flex"}};
  take_word(u->service, word);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(u->service, words[i].word) == 0) {
      take_word(u->service, words[i].service);
      return;
    }
  }
}

void usage_set_geo(Usage *u, const char *word) {
  take_word(u->geo, word);
  if (strcmp(u->geo, "global") == 0 || strcmp(u->geo, "not_available") == 0) {
    u->geo[0] = 0;
  }
}

/* 1 if a list of names has one. */
static int has_name(const char *list, const char *name) {
  size_t n = strlen(name);
  for (const char *p = list; *p; p += *p ? 2 : 0) {
    size_t length = strcspn(p, ",");
    if (length == n && memcmp(p, name, n) == 0) {
      return 1;
    }
    p += length;
  }
  return 0;
}

void usage_add_other(Usage *u, const char *name) {
  size_t used = strlen(u->other), n = strlen(name);
  if (!used) {
    utf8_copy(u->other, sizeof u->other, name);
  } else if (n && used + n + 3 <= sizeof u->other && !has_name(u->other, name)) {
    memcpy(u->other + used, ", ", 2);
    utf8_copy(u->other + used + 2, sizeof u->other - used - 2, name);
  }
}
