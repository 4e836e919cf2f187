/*
** See moving.h for the contract.
**
** A value counts where it stands right behind its cue: "The current policy took effect on 2026-01-01" has a cue's word and a date, and
** moves never. "Date:" alone may be a document's; with a time of day it is a clock.
*/
#include "core/lint/moving.h"

#include "base/hash.h"
#include "base/once.h"
#include "base/utf8.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* --- what values look like --- */

#define MONTH                                                                                       \
  "(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz]|ene|abr|ago|dic|janv|févr|avr|" \
  "juin|juil|août)\\p{L}*\\.?"
#define DAY                                                                                        \
  "(?:\\p{L}{3,12},?\\h+(?:(?:the|der|le|el|il)\\h+)?)?"                                           \
  "(?:20[2-9]\\d[-/.]\\d{1,2}[-/.]\\d{1,2}|\\d{1,2}[-/.]\\d{1,2}[-/"                               \
  ".](?:20)?[2-9]\\d|20[2-9]\\d年\\d{1,2}月\\d{1,2}日"                                          \
  "|" MONTH "\\h+\\d{1,2}(?:st|nd|rd|th)?,?\\h+20[2-9]\\d"                                         \
  "|\\d{1,2}(?:st|nd|rd|th)?\\.?\\h+(?:(?:de|of)\\h+)?" MONTH "\\h+(?:de\\h+)?20[2-9]\\d)"
#define WEEKDAY "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
#define TIME                                                                                       \
  "(?<!\\d)(?:(?:[01]?\\d|2[0-3])[:h][0-5]\\d(?!\\d)(?::[0-5]\\d(?:[.,]\\d+)?)?"                   \
  "(?:\\h?[ap]\\.?m\\b\\.?|\\h?uhr\\b)?(?:\\h?(?:z|utc|gmt)\\b|\\h?[+-]\\d{2}:?\\d{2})?"           \
  "|\\d{1,2}\\.[0-5]\\d\\h?uhr\\b|\\d{1,2}\\h?[時时点點]\\h?\\d{1,2}\\h?分)"
/* What may stand between a day and its time of day: "2026-11-28, and the time is 10:31". */
#define BETWEEN                                                                                    \
  "(?:t|(?:[\\h,;(|·–—-]|\\b(?:and|at|it|the|current|local|time|is|now|und|um|es|ist|jetzt|"  \
  "uhrzeit|et|il|est|à|heure|y|a|las|son|hora|ore|ora|sono|le|alle|e|às|são)\\b:?)+)"
#define STAMP                                                                                      \
  "(?:" DAY BETWEEN TIME "|(?:mon|tue|wed|thu|fri|sat|sun)\\h+" MONTH "\\h+\\d{1,2}\\h+" TIME      \
  "(?:\\h+\\p{Lu}{2,4})?\\h+20[2-9]\\d)"
/* A full hour that somebody agreed on. */
#define FULL_HOUR DAY BETWEEN "\\d{1,2}:00(?![:\\d])"
#define EPOCH "1[6-9]\\d{8}(?:\\d{3})?\\b"
#define ID "(?=[\\w:.-]*\\d)[\\w:.-]{3,}\\w"
#define UUID "(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32})\\b"
#define IS                                                                                         \
  "(?:\\h*\\([^)\\n]{1,20}\\))?"                                                                   \
  "(?:[*_]{0,3}\\h*(?:[:=>]|is|ist|est|es|è|é|是|は|：)[*_]{0,3}\\h*|\\h+)(?:(?:now|jetzt|"   \
  "currently|the|der|le|el|il)\\h+)?"

/* --- the words in front of them --- */

#define TODAY "(?:(?<![\\p{L}\\p{N}:]\\h)|(?<=that\\h)|(?<=and\\h))today(?:['’]s\\h+date)?"
#define NOW                                                                                        \
  "(?:\\b(?:" TODAY                                                                                \
  "|(?:the\\h+)?(?:current|present)(?:[\\h_-]+(?:local|server|system|utc))?[\\h_-]?(?:date(?:["    \
  "\\h_/-]?time|\\h+and\\h+time)?|time(?:stamp)?|day)" AT "|(?:server|local)[\\h_-]time" AT        \
  "|the\\h+(?:date|time)\\h+(?:(?:today|now)\\h+)?is|right\\h+now"                                 \
  "|heute|heutiges\\h+datum|aktuelle[sr]?\\h+(?:datum|zeit|uhrzeit)"                               \
  "|aujourd['’]hui|date\\h+(?:du\\h+jour|actuelle)|heure\\h+actuelle|on\\h+est|nous\\h+sommes"   \
  "|hoy|(?:fecha(?:\\h+y\\h+hora)?|hora)\\h+(?:actual|de\\h+hoy)|oggi"                             \
  "|(?:data(?:\\h+e\\h+hora)?|hora|ora)\\h+(?:odierna|atual|attuale)|hoje)"                        \
  "|(?:今天|今日|本日|現在|现在|当前)(?:的|の)?(?:日期|时间|日付|時刻|日時)?)"
#define AT "(?:\\h+(?:in|at)\\h+(?:the\\h+)?\\p{L}+)?"
/* In a story it is what the clock shows there: only where nothing goes on behind it. */
#define IT_IS "\\b(?:it\\h+is(?:\\h+(?:now|currently))?|es\\h+ist|il\\h+est)"
#define ENDS                                                                                       \
  "(?=\\h*(?:[.;)\\]|*_/。]|で|$|,\\h*(?:" WEEKDAY "|" DAY ")|(?:on|in|at|now|today)\\b|h\\b))"
/* Nothing is said of it. */
#define ALONE_THERE "(?=\\h*(?:[.,;)\\]|*_/]|$|of\\b))"
#define LABEL                                                                                      \
  "(?:^|(?<=[\\n|(\\[<*#>-])|(?<=[|>*-]\\h))(?:date(?:[\\h_-]?time|\\h+and\\h+time)?|"             \
  "time(?:stamp)?|now|datum|uhrzeit|fecha(?:\\h+y\\h+hora)?|data\\h+e\\h+h?ora|heure|时间|日付)"
#define MADE                                                                                       \
  "\\b(?:(?:generated|rendered|printed|retrieved)(?:\\h+(?:at|on))?|erstellt(?:\\h+am)?|stand(?="  \
  "\\h*:)|as\\h+of)"                                                                               \
  "\\h*:?\\h*"
#define WHOSE                                                                                      \
  "\\b(?:request|session|conversation|trace|correlation|run|thread|transaction|invocation|user|"   \
  "customer|account|chat|ticket|job)[\\h_-]?"
#define COUNTED                                                                                    \
  "(?<!pull\\h)(?<!merge\\h)\\b(?:request|call|attempt|invocation|message)\\h*(?:#|no\\.|number|"  \
  "count(?:er)?)"
#define TURN "\\b(?:conversation\\h+)?turn\\h*(?:#|no\\.|number|count)?"
#define WEEK "(?:\\d{1,2}\\h+of\\h+20[2-9]\\d|20[2-9]\\d-?w\\d{2}(?:-\\d)?)\\b"
#define MOVES                                                                                      \
  "(?:current|today|now|timestamp|date_?time|(?:request|session|trace|conversation|correlation)_?" \
  "id|uuid|"                                                                                       \
  "nonce|random|(?:user|customer)[._]?(?:first_?|last_?|full_?)?(?:name|id))"
/* Places of the usual templates. */
#define PLACE                                                                                      \
  "\\{{1,3}[^{}\\n]{0,40}\\}{1,3}|\\$\\{[^{}\\n]{1,40}\\}|\\$\\w+|%\\w\\b|%\\(\\w+\\)s"            \
  "|<%=?[^%\\n]{1,40}%>|\\{%[^%\\n]{1,40}%\\}|\\[\\[?[\\w\\h.]{1,30}\\]?\\]|<\\w+>|__\\w+__|@["    \
  "\\w.]+|%[A-Z_]+%|#\\{["                                                                         \
  "^{}\\n]{1,40}\\}"

enum {
  ALONE =
      1, /* a place: where more than BESIDE bytes stand beside it, or words that speak of places, it is spoken of */
  BARE   /* all there is of a sentence: under a heading it counts where that says date or time */
};

/* Group 1 is the value. In the order of their rank: of two that overlap the first stays. */
static const struct {
  const char *pattern;
  MovingKind kind;
  int how; /* it has no cue: ALONE, BARE; or 0 */
} table[] = {
    {"(?:" NOW "|" IT_IS ")" IS "(" STAMP ")", MOVING_CLOCK, 0},
    {LABEL "[*_]{0,3}\\h*[:=][*_]{0,3}\\h*(" STAMP ")(?=\\h*(?:[.)(\\]|*_<]|$))", MOVING_CLOCK, 0},
    {MADE "(?!" FULL_HOUR ")(" STAMP ")", MOVING_CLOCK, 0},
    {"^[\\[(*_]{0,3}(" STAMP ")[\\])*_.]{0,3}\\s*$", MOVING_CLOCK, BARE},
    {"(?:" NOW IS "|\\bunix[\\h_-]time" IS "|\\btimestamp" IS ")(" EPOCH ")(?!\\h+\\p{L})",
     MOVING_CLOCK, 0},
    {NOW IS "(?<!today:\\h)(?<!today:)(" TIME ")", MOVING_CLOCK, 0},
    {IT_IS IS "(" TIME ")" ENDS, MOVING_CLOCK, 0},
    {"(?:" NOW "|" IT_IS ")" IS "(" DAY "|" WEEKDAY ")(?![-'’\\p{Latin}\\p{N}])", MOVING_DAY, 0},
    {"\\bas\\h+of\\h+today,?\\h+(" DAY ")", MOVING_DAY, 0},
    {"(?:\\bit\\h+is\\h+|\\bit['’]s\\h+|current\\h+)(?:iso\\h+)?week\\h*:?\\h*(" WEEK ")",
     MOVING_DAY, 0},
    {WHOSE "(?:uu)?id" IS "((?>" ID "))(?!\\h+(?:is|are|ist|est)\\b)", MOVING_ID, 0},
    {"(?<![\\p{L}\\p{N}_])(?:session|request|trace|conversation|correlation|run|thread)(?:\\h*[:=#]"
     "|\\h+id\\h*=|\\h)\\h*\"?(" UUID ")(?!\\h+(?:is|are)\\b)",
     MOVING_ID, 0},
    {"(?<!namespace\\h)\\b(?:uuid|nonce|random[\\h_-]seed|cache[\\h_-]?buster)" IS "(" ID ")",
     MOVING_ID, 0},
    {"(?:" COUNTED "|" TURN ")\\h*[:=]?\\h*(\\d+)\\b" ALONE_THERE, MOVING_COUNT, 0},
    {"\\bmessage\\h+(\\d+)\\h+of\\h+th(?:e|is)\\h+(?:conversation|chat|session)\\b", MOVING_COUNT,
     0},
    {"(?<![\"'`])(\\{{1,3}\\h*[\\w.$]*" MOVES "[\\w.]*(?:\\h*\\(\\))?\\h*\\}{1,3}"
     "|[$#]\\{[\\w.]*" MOVES "[\\w.]*\\}|<%=?[^%\\n]{0,30}" MOVES "[^%\\n]{0,30}%>"
     "|\\{%[^%\\n]{0,30}" MOVES "[^%\\n]{0,30}%\\})",
     MOVING_PLACE, ALONE},
    {NOW IS "(" PLACE ")", MOVING_PLACE, 0},
};

/* Words that say that what stands beside them is not so now. */
static const char shown[] =
    "\\b(?:examples?|e\\.g\\.|for\\h+instance|format(?:ted)?|sample|beispiele?|z\\.\\h?b\\.|"
    "exemples?|ejemplos?|esempi[o]?"
    "|suppos\\p{L}*|assum\\p{L}+|imagine|if|wenn|angenommen|si|se)(?!\\w)|例";

/* Words by which other sentences mean what was said of the time. */
static const char meant[] = "\\b(?:(?:that|this|these|the)\\h+(?:date|time|day|moment|timestamp|id|"
                            "number)|above|before\\h+(?:it|then)"
                            "|dies\\p{L}*\\h+(?:datum|tag|zeit\\p{L}*)|oben)\\b";
/* Words by which a sentence speaks of a place, or says what is to be put there. */
static const char spoken[] = "\\b(?:put|puts|write|writes|insert\\p{L}*|print\\p{L}*|replac\\p{L}+|"
                             "fill\\p{L}*|include|use|uses|output"
                             "|render\\p{L}*|variables?|placeholders?|tokens?|templates?|tags?|"
                             "macros?|fields?|strings?|keep|leave|copy"
                             "|substitut\\p{L}+|expand\\p{L}*|never|must|mention|answer|reply|sign|"
                             "end|begin|start|setz\\p{L}*|schreib\\p{L}*)\\b";

/* A heading or label of what is now. */
static const char headed[] =
    "^\\W*(?:(?:the|current|present|local|server|system|today['’]?s?|now|aktuelle\\p{L}*|heutiges|"
    "and|date|time|"
    "datetime|timestamp|clock|datum|zeit|uhrzeit|fecha|hora|heure|actual|actuelle|utc)\\W*)+$";

/* A place that is filled in once a day. */
static const char daily[] = "(?:today|date)(?!_?time)";

enum {
  BESIDE = 48,
  PATTERNS = sizeof table / sizeof *table,
  CLEAN = 4096,
  MOST_IN_UNIT = 64 /* that are told of one sentence */
};

/* Compiled once in a process: constant afterwards, for all threads. */
static struct { pcre2_code *patterns[PATTERNS], *shown, *meant, *spoken, *headed, *daily; } made;
static Once once = ONCE_INIT;

struct MovingFinder {
  pcre2_match_data *match; /* owned */
  /* Hashes of sentences without any: prompts that differ in a clock share all others. 0: none yet. */
  unsigned long long clean[CLEAN];
};

/* To machine code where that can be had (elsewhere it is interpreted, five times as slowly). NULL: no memory. */
static pcre2_code *compile(const char *pattern) {
  int code = 0;
  PCRE2_SIZE at;
  pcre2_code *p =
      pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                    PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NO_UTF_CHECK, &code, &at, NULL);
  if (p) {
    (void)pcre2_jit_compile(p, PCRE2_JIT_COMPLETE);
  }
  return p;
}

static int compile_all(void) {
  int is_whole = 1;
  for (int i = 0; i < PATTERNS; i++) {
    made.patterns[i] = made.patterns[i] ? made.patterns[i] : compile(table[i].pattern);
    is_whole &= made.patterns[i] != NULL;
  }
  made.shown = made.shown ? made.shown : compile(shown);
  made.meant = made.meant ? made.meant : compile(meant);
  made.spoken = made.spoken ? made.spoken : compile(spoken);
  made.headed = made.headed ? made.headed : compile(headed);
  made.daily = made.daily ? made.daily : compile(daily);
  return is_whole && made.shown && made.meant && made.spoken && made.headed && made.daily;
}

void moving_close(MovingFinder *f) {
  if (f) {
    pcre2_match_data_free(f->match);
  }
  free(f);
}

MovingFinder *moving_open(Err *err) {
  MovingFinder *f = once_make(&once, compile_all) ? calloc(1, sizeof *f) : NULL;
  if (!f) {
    err_nomem(err);
    return NULL;
  }
  f->match = pcre2_match_data_create(2, NULL);
  if (!f->match) {
    err_nomem(err);
    moving_close(f);
    return NULL;
  }
  return f;
}

/* Looks for a pattern in a unit from byte `at` of the text on: 1, with the places of a group (0: the whole) in *from and *to. */
static int find(MovingFinder *f, const pcre2_code *p, const char *text, const TextUnit *unit,
                size_t at, int group, size_t *from, size_t *to, Err *err) {
  PCRE2_SPTR subject = (PCRE2_SPTR)text + unit->from;
  int rc = pcre2_match(p, subject, unit->n, at - unit->from, PCRE2_NO_UTF_CHECK, f->match, NULL);
  if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
    rc = pcre2_match(p, subject, unit->n, at - unit->from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                     f->match, NULL);
  }
  if (rc == PCRE2_ERROR_NOMEMORY || rc == PCRE2_ERROR_HEAPLIMIT) {
    err_nomem(err);
    return 0;
  }
  const PCRE2_SIZE *places = pcre2_get_ovector_pointer(f->match);
  if (rc <= group) {
    return 0;
  }
  *from = unit->from + places[2 * group];
  *to = unit->from + places[2 * group + 1];
  return 1;
}

/* Where the last match stands as a whole. */
static void find_whole(MovingFinder *f, const TextUnit *unit, size_t *from, size_t *n) {
  const PCRE2_SIZE *places = pcre2_get_ovector_pointer(f->match);
  *from = unit->from + places[0];
  *n = places[1] - places[0];
}

static int is_valid(const char *text, const TextUnit *unit) {
  size_t bad_at;
  return utf8_is_valid(text + unit->from, unit->n, &bad_at);
}

static int is_shown(MovingFinder *f, const char *text, const TextUnit *unit, Err *err) {
  size_t from, to;
  return is_valid(text, unit) && find(f, made.shown, text, unit, unit->from, 0, &from, &to, err);
}

/* 1 if nothing in it, or in what it hangs on, speaks of examples. */
static int is_meant(MovingFinder *f, const char *text, const TextUnits *u, size_t i, Err *err) {
  for (int depth = 0; i != UNIT_NONE && depth < 8; depth++, i = u->at[i].parent) {
    if (is_shown(f, text, &u->at[i], err)) {
      return 0;
    }
  }
  return err->rc == RC_OK;
}

static int is_prose(const char *text, const TextUnit *unit) {
  int is_kind = unit->kind == BLOCK_PARAGRAPH || unit->kind == BLOCK_HEADING ||
                unit->kind == BLOCK_ITEM || unit->kind == BLOCK_LINES;
  return is_kind && is_valid(text, unit);
}

static int is_over(size_t from, size_t to, size_t other, size_t n) {
  return from < other + n && other < to;
}

/* 1 if a quotation holds it. (One within it is its own: {% now "Y-m-d" %}.) */
static int is_quoted(const TextSpans *marks, size_t from, size_t to) {
  for (size_t i = 0; i < marks->n; i++) {
    const TextSpan *m = &marks->at[i];
    if ((m->kind == SPAN_QUOTE || m->kind == SPAN_INLINE_CODE || m->kind == SPAN_REGEX ||
         m->kind == SPAN_URL) &&
        is_over(from, to, m->from, m->n) && !(from < m->from && m->from + m->n < to)) {
      return 1;
    }
  }
  return 0;
}

static int add(MovingList *list, size_t first, const Moving *m, Err *err) {
  for (size_t i = first; i < list->n; i++) {
    if (is_over(m->from, m->from + m->n, list->at[i].from, list->at[i].n)) {
      return RC_OK;
    }
  }
  if (list->n == list->cap) {
    size_t cap = list->cap ? 2 * list->cap : 8;
    Moving *grown = realloc(list->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(err);
    }
    list->at = grown;
    list->cap = cap;
  }
  size_t at = list->n++;
  for (; at > first && list->at[at - 1].from > m->from; at--) {
    list->at[at] = list->at[at - 1];
  }
  list->at[at] = *m;
  return RC_OK;
}

/* A place whose name says date and no time is filled in once a day. */
static MovingKind kind_of(MovingFinder *f, int pattern, const char *text, size_t from, size_t to,
                          Err *err) {
  const TextUnit value = {.from = from, .n = to - from};
  MovingKind kind = table[pattern].kind;
  return kind == MOVING_PLACE && find(f, made.daily, text, &value, from, 0, &from, &to, err)
             ? MOVING_DAY
             : kind;
}

/* What a unit stands under: a line with a colon in front of it in its block, or its heading; NULL: nothing. */
static const TextUnit *over(const char *text, const TextUnits *u, size_t i) {
  const TextUnit *unit = &u->at[i], *before = i > 0 ? unit - 1 : NULL;
  if (before && before->block == unit->block && text[before->from + before->n - 1] == ':') {
    return before;
  }
  return unit->parent != UNIT_NONE ? &u->at[unit->parent] : NULL;
}

/* 1 if one without a cue is what it looks like. */
static int is_itself(MovingFinder *f, int how, const char *text, const TextUnits *u, size_t i,
                     size_t n, Err *err) {
  const TextUnit *unit = &u->at[i], *head = how == BARE ? over(text, u, i) : NULL;
  size_t from, to;
  if (how == ALONE) {
    return unit->n - n <= BESIDE &&
           !find(f, made.spoken, text, unit, unit->from, 0, &from, &to, err);
  }
  return how != BARE || (unit->kind != BLOCK_ITEM &&
                         (!head || (is_valid(text, head) && find(f, made.headed, text, head,
                                                                 head->from, 0, &from, &to, err))));
}

/* Those of one pattern in one unit that no quotation holds. */
static int look_for(MovingFinder *f, int pattern, const char *text, const TextUnits *u, size_t i,
                    const TextSpans *marks, size_t first, MovingList *out, Err *err) {
  const TextUnit *unit = &u->at[i];
  size_t at = unit->from, from = 0, to = 0;
  for (int tries = 0; tries < MOST_IN_UNIT && out->n - first < MOST_IN_UNIT &&
                      find(f, made.patterns[pattern], text, unit, at, 1, &from, &to, err);
       tries++) {
    size_t cue, n_cue;
    find_whole(f, unit, &cue, &n_cue);
    if (!is_quoted(marks, from, to) &&
        is_itself(f, table[pattern].how, text, u, i, to - from, err)) {
      const Moving m = {.from = from,
                        .n = to - from,
                        .unit = i,
                        .cue = cue,
                        .n_cue = n_cue,
                        .kind = kind_of(f, pattern, text, from, to, err)};
      add(out, first, &m, err);
    }
    at = to;
  }
  return err->rc;
}

static int has_any(MovingFinder *f, const char *text, const TextUnit *unit, Err *err) {
  size_t from, to;
  int has = 0;
  unsigned long long hash = hash_short(text + unit->from, unit->n);
  if (f->clean[hash % CLEAN] == hash) {
    return 0;
  }
  for (int p = 0; p < PATTERNS && !has; p++) {
    has = find(f, made.patterns[p], text, unit, unit->from, 1, &from, &to, err);
  }
  if (!has && err->rc == RC_OK) {
    f->clean[hash % CLEAN] = hash;
  }
  return has;
}

int moving_find(MovingFinder *f, const char *text, const TextUnits *u, MovingList *out, Err *err) {
  for (size_t i = 0; i < u->n && err->rc == RC_OK; i++) {
    const TextUnit *unit = &u->at[i];
    TextSpans marks = {NULL, 0, 0};
    size_t first = out->n;
    if (is_prose(text, unit) && has_any(f, text, unit, err) && is_meant(f, text, u, i, err) &&
        marks_find(text, unit->from, unit->from + unit->n, &marks, err) == RC_OK) {
      for (int p = 0; p < PATTERNS && err->rc == RC_OK; p++) {
        look_for(f, p, text, u, i, &marks, first, out, err);
      }
    }
    spans_free(&marks);
  }
  return err->rc;
}

int moving_add_seen(const TextUnits *u, const unsigned *places, size_t n, MovingList *list,
                    Err *err) {
  for (size_t i = 0; i < n && err->rc == RC_OK; i++) {
    const TextUnit *unit = places[i] < u->n ? &u->at[places[i]] : NULL;
    const Moving m = {.from = unit ? unit->from : 0,
                      .n = unit ? unit->n : 0,
                      .unit = places[i],
                      .cue = unit ? unit->from : 0,
                      .kind = MOVING_SEEN};
    unit ? add(list, 0, &m, err) : RC_OK;
  }
  return err->rc;
}

/* Words that may stand beside what moves, and say nothing else. */
static const char beside[] = " utc gmt cet cest local zone timezone date time day clock id "
                             "current now uhr stand heure hora ";

/* Words that compare with a time. */
static const char comparing[] =
    " later earlier older newer since until expired ago past future age "
    "deadline overdue recent ";

static int is_in(const char *list, const char *text, const Term *t) {
  char word[16] = " ";
  size_t n = 1;
  for (; t->n <= 12 && n <= t->n; n++) {
    char c = text[t->from + n - 1];
    word[n] = (char)(c >= 'A' && c <= 'Z' ? c + 0x20 : c);
  }
  word[n] = ' ';
  return n > 1 && strstr(list, word) != NULL;
}

static int is_beside(const char *text, const Term *t) {
  return t->flags & (TERM_STOP | TERM_SIGN) || is_in(beside, text, t);
}

static int is_in_cue(const MovingList *list, size_t unit, size_t at) {
  for (size_t i = 0; i < list->n; i++) {
    const Moving *m = &list->at[i];
    if (m->unit == unit && at >= m->cue && at < m->cue + m->n_cue) {
      return 1;
    }
  }
  return 0;
}

/* 1 if all words of a sentence are those by which what moves was told. */
static int says_nothing_else(const char *text, const TextUnits *u, const MovingList *list,
                             size_t unit) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, u->at[unit].from, u->at[unit].from + u->at[unit].n);
  while (terms_next(&w, &t)) {
    if (!is_in_cue(list, unit, t.from) && !is_beside(text, &t)) {
      return 0;
    }
  }
  return 1;
}

/* "Use it to greet", "Tomorrow we are closed", "What is older …" */
static int is_meant_by(const char *text, const TextUnit *next) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, next->from, next->from + next->n);
  while (terms_next(&w, &t)) {
    if (t.flags & (TERM_REFERS | TERM_DATE) || is_in(comparing, text, &t)) {
      return 1;
    }
  }
  return 0;
}

int moving_can_go(MovingFinder *f, const char *text, const TextUnits *u, const MovingList *list,
                  size_t place, Err *err) {
  size_t from, to;
  const Moving *m = &list->at[place];
  int can = u->at[m->unit].n - m->n <= BESIDE && says_nothing_else(text, u, list, m->unit) &&
            (m->unit + 1 == u->n || !is_meant_by(text, &u->at[m->unit + 1]));
  for (size_t i = 0; i < u->n && can; i++) {
    const TextUnit *x = &u->at[i];
    can = i == m->unit || !is_valid(text, x) ||
          !find(f, made.meant, text, x, x->from, 0, &from, &to, err);
  }
  return can;
}

void moving_free(MovingList *list) {
  free(list->at);
  list->at = NULL;
  list->n = list->cap = 0;
}
