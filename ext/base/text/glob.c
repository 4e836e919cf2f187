/*
** Name patterns. See glob.h for the contract.
**
** Not fnmatch(3): patterns come out of database files, and one with many '*' must not take time that
** grows with their powers. Here a mismatch goes back to the last '*' only, which is enough (every
** earlier one has matched as little as it can), so the time is at most pattern × name.
*/
#include "base/text/glob.h"

#include <string.h>

/* The end of a set that starts at p ("[a-z]"; a ']' right behind the bracket is a member), or NULL
** where none starts or it has no end. */
static const char *set_end(const char *p, const char *end) {
  if (p == end || *p != '[') {
    return NULL;
  }
  for (p += p + 1 < end ? 2 : 1; p < end; p++) {
    if (*p == ']') {
      return p;
    }
  }
  return NULL;
}

static int set_has(const char *p, const char *end, char c) {
  for (p++; p < end; p++) {
    if (p + 2 < end && p[1] == '-') {
      if (p[0] <= c && c <= p[2]) {
        return 1;
      }
      p += 2;
    } else if (*p == c) {
      return 1;
    }
  }
  return 0;
}

/* Matches one character; *next is the pattern behind it. */
static int match_one(const char *p, const char *end, char c, const char **next) {
  const char *close = set_end(p, end);
  *next = close ? close + 1 : p + 1;
  return close ? set_has(p, close, c) : *p == '?' || *p == c;
}

/* 1 if the whole name matches; *rest: where a '*' at the pattern's end began to take it, with a set right before
** it ("[0-9]*"); or NULL. */
static int match(const char *p, const char *end, const char *name, const char **rest) {
  const char *star = NULL, *from = NULL, *next, *first = name;
  int from_set = 0;
  *rest = NULL;
  while (*name) {
    if (p < end && *p == '*') {
      star = ++p;
      from = name;
      if (star == end) {
        *rest = name - (from_set && name > first);
        return 1;
      }
    } else if (p < end && match_one(p, end, *name, &next)) {
      from_set = *p == '[' && next > p + 1;
      p = next;
      name++;
    } else if (star) {
      p = star;
      name = ++from;
    } else {
      return 0;
    }
  }
  if (p + 1 == end && *p == '*' && from_set) {
    *rest = name - 1;
  }
  while (p < end && *p == '*') {
    p++;
  }
  return p == end;
}

int glob_find(const char *patterns, const char *name, const char **rest) {
  int found = 0;
  *rest = NULL;
  for (const char *p = patterns ? patterns : ""; *p; p += strspn(p, " ")) {
    const char *end = p + strcspn(p, " "), *left;
    int exclude = *p == '!';
    if (match(p + exclude, end, name, &left)) {
      if (exclude) {
        return 0;
      }
      *rest = !found || !left || (*rest && left > *rest) ? left : *rest;
      found = 1;
    }
    p = end;
  }
  return found;
}

int glob_any(const char *patterns, const char *name) {
  const char *rest;
  return glob_find(patterns, name, &rest);
}

/* ---- as SQLite's */

/* The next character of UTF-8; a byte that is none stands for itself. */
static unsigned take(const char **p) {
  const unsigned char *b = (const unsigned char *)*p;
  int more = b[0] >= 0xF0 ? 3 : b[0] >= 0xE0 ? 2 : b[0] >= 0xC0 ? 1 : 0;
  unsigned c = more ? b[0] & (0x3Fu >> more) : b[0];
  for (int i = 1; i <= more; i++) {
    if ((b[i] & 0xC0) != 0x80) {
      *p += 1;
      return 0x110000u + b[0];
    }
    c = c << 6 | (b[i] & 0x3F);
  }
  *p += 1 + more;
  return c;
}

/* A set, *p behind its '['; then behind its ']'. 1 if it has the character; 0 also where it has no end. */
static int take_set(const char **p, unsigned c) {
  int is_not = **p == '^', found = 0;
  const char *at = *p + is_not;
  for (int first = 1; *at && (*at != ']' || first); first = 0) {
    unsigned from = take(&at), to = from;
    if (at[0] == '-' && at[1] && at[1] != ']') {
      at++;
      to = take(&at);
    }
    found |= from <= c && c <= to;
  }
  *p = at + (*at == ']');
  return *at == ']' && found != is_not;
}

/* One character of the pattern, none of them a '*', against one of the text; both move on. */
static int take_one(const char **p, const char **text) {
  unsigned c = take(text), wanted = take(p);
  return wanted == '[' ? take_set(p, c) : wanted == '?' || wanted == c;
}

int glob_matches(const char *pattern, const char *text) {
  const char *p = pattern, *star = NULL, *from = NULL;
  while (*text) {
    const char *next = text;
    if (*p == '*') {
      star = ++p;
      from = text;
    } else if (*p && take_one(&p, &next)) {
      text = next;
    } else if (star) {
      p = star;
      take(&from);
      text = from;
    } else {
      return 0;
    }
  }
  return p[strspn(p, "*")] == 0;
}
