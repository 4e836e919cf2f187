/*
** See order_words.h for the contract.
*/
#include "work/prune/order_words.h"

#include "core/split/units.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

int order_is_word(const char *p, const char *word, const char *end) {
  size_t n = strlen(word);
  return p + n <= end && strncasecmp(p, word, n) == 0 &&
         (p + n == end || strchr(" ,;:.!?'*_)\n\t", p[n]));
}

int order_is_remark(const char *p, size_t n) {
  static const char *const selves[] = {
      "ça",  "Ça", "cela", "das", "dies", "esto", "eso",  "questo", "isso", "i",    "i'm",
      "we",  "my", "our",  "it",  "he",   "she",  "they", "there",  "that", "this", "ich",
      "wir", "je", "nous", "yo",  "io",   "eu",   "es",   "er",     "sie",  "il",   "elle"};
  const char *end = p + n;
  int is = 0;
  for (size_t i = 0; i < sizeof selves / sizeof selves[0] && !is; i++) {
    is = order_is_word(p, selves[i], end);
  }
  return is;
}

int order_has_phrase(const char *const *phrases, const char *p, size_t n, int at_front) {
  size_t most = at_front && n > 1 ? 1 : n;
  unsigned char begins[256] = {0}; /* most bytes begin none of them */
  for (int k = 0; phrases[k]; k++) {
    begins[(unsigned char)phrases[k][0]] = 1;
  }
  for (size_t i = 0; i < most; i++) {
    if (i > 0 && isalnum((unsigned char)p[i]) && isalnum((unsigned char)p[i - 1])) {
      continue;
    }
    char first = (char)tolower((unsigned char)p[i]);
    if (!begins[(unsigned char)first]) {
      continue;
    }
    for (int k = 0; phrases[k]; k++) {
      size_t length = phrases[k][0] == first ? strlen(phrases[k]) : n + 1;
      if (i + length <= n && strncasecmp(p + i, phrases[k], length) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

int order_is_told(const char *p, size_t n, unsigned flags) {
  static const char *const polite[] = {"never mind",  "no problem",   "no worries",
                                       "no thank",    "not at all",   "don't worry",
                                       "don’t worry", "do not worry", NULL};
  static const char *const front[] = {"from now on",
                                      "stop ",
                                      "keep ",
                                      "max ",
                                      "max. ",
                                      "maximal ",
                                      "make sure",
                                      "please keep",
                                      "please stop",
                                      "refrain from",
                                      "avoid ",
                                      "ab sofort",
                                      "ab jetzt",
                                      "von nun an",
                                      "dorénavant",
                                      "désormais",
                                      "à partir de maintenant",
                                      "a partir de ahora",
                                      "d'ora in poi",
                                      NULL};
  static const char *const within[] = {
      "forbidden",  "off limits",     "off-limits",  "prohibited", "every reply",
      "each reply", "every answer",   "each answer", "verboten",   "interdit",
      "prohibido",  "ないでください", "絶対に",      "必ず",       "常に",
      "不要",       "禁止",           "务必",        NULL};
  int asks = n > 0 && p[n - 1] == '?';
  return !asks && !order_has_phrase(polite, p, n, 1) &&
         (order_has_phrase(front, p, n, 1) || order_has_phrase(within, p, n, 0) ||
          (flags & UNIT_ORDER && !order_is_remark(p, n)));
}
