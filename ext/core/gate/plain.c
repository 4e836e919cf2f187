/*
** Gates that need no reading of language: JSON, patterns, lengths, texts that an answer holds.
*/
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/gate/checks.h"
#include "core/gate/prose.h"
#include "core/schema/answer_json.h"
#include "core/route/fold.h"

#include <math.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PATTERN_BYTES = 10000,
  /* PCRE2 counts its steps from each place of the text anew, and what it passes over in one step not at all; so every item
  ** of a pattern is counted (by a callout) with the bytes it moved: about a second at most. */
  PATTERN_STEPS = 100000000,
  PATTERN_MATCHES = 10000000,
  PATTERN_DEPTH = 10000,
  PATTERN_KIB = 32768
};

/* ---- json, schema */

int check_json(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  cJSON any = {.type = cJSON_Object};
  const cJSON *own = gate->schema ? gate->schema : c->schema;
  const cJSON *schema = gate->kind == GATE_SCHEMA && own ? own : &any;
  char *json = NULL;
  size_t n = 0;
  Err why = {0};
  if (answer_json(c->answer.text, c->answer.n, schema, &json, &n, &why) == RC_OK) {
    verdict_pass(out);
  } else if (why.code == ERR_SCHEMA) {
    verdict_fail(out, 0, "%s", why.msg);
  } else {
    *err = why;
  }
  free(json);
  return err->rc;
}

/* ---- regex */

static uint32_t regex_flags(const char *letters, int *bad) {
  uint32_t flags = PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                   PCRE2_AUTO_CALLOUT;
  *bad = 0;
  for (; letters && *letters; letters++) {
    switch (*letters) {
    case 'i':
      flags |= PCRE2_CASELESS;
      break;
    case 'm':
      flags |= PCRE2_MULTILINE;
      break;
    case 's':
      flags |= PCRE2_DOTALL;
      break;
    case 'x':
      flags |= PCRE2_EXTENDED;
      break;
    case 'u': /* always on */
      break;
    default:
      *bad = *letters;
    }
  }
  return flags;
}

int regex_compile(Gate *gate, Err *err) {
  int bad, code = 0;
  PCRE2_SIZE at = 0, n = gate->pattern ? strlen(gate->pattern) : 0;
  uint32_t flags = regex_flags(gate->flags, &bad);
  if (bad) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "gate 'regex': flags may be i, m, s and x, not '%c'",
                   bad > ' ' && bad < 127 ? bad : '?');
  }
  if (n == 0 || n > PATTERN_BYTES) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "gate 'regex': expected a pattern of 1 to %d bytes, {\"pattern\":\"^[A-Z]+$\"}",
                   PATTERN_BYTES);
  }
  gate->regex = pcre2_compile((PCRE2_SPTR)gate->pattern, n, flags, &code, &at, NULL);
  if (!gate->regex && code == PCRE2_ERROR_HEAP_FAILED) {
    return err_nomem(err);
  }
  if (!gate->regex) {
    PCRE2_UCHAR why[120] = "";
    pcre2_get_error_message(code, why, sizeof why);
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "gate 'regex': %s at offset %zu of the pattern",
                   (const char *)why, (size_t)at);
  }
  return RC_OK;
}

void regex_free(void *regex) {
  pcre2_code_free(regex);
}

typedef struct Steps {
  long long left;
  PCRE2_SIZE at;
} Steps;

static int count_step(pcre2_callout_block *block, void *arg) {
  Steps *s = arg;
  PCRE2_SIZE at = block->current_position;
  s->left -= 1 + (long long)(at > s->at ? at - s->at : s->at - at);
  s->at = at;
  return s->left < 0 ? PCRE2_ERROR_CALLOUT : 0;
}

/* PCRE2's code: 0 or more where it is found. */
static int regex_find(pcre2_code *regex, const GateText *text) {
  Steps steps = {PATTERN_STEPS, 0};
  pcre2_match_context *limits = pcre2_match_context_create(NULL);
  pcre2_match_data *match = limits ? pcre2_match_data_create(1, NULL) : NULL;
  int rc = PCRE2_ERROR_NOMEMORY;
  if (match) {
    pcre2_set_match_limit(limits, PATTERN_MATCHES);
    pcre2_set_depth_limit(limits, PATTERN_DEPTH);
    pcre2_set_heap_limit(limits, PATTERN_KIB);
    pcre2_set_callout(limits, count_step, &steps);
    rc = pcre2_match(regex, (PCRE2_SPTR)text->text, text->n, 0, 0, match, limits);
  }
  pcre2_match_data_free(match);
  pcre2_match_context_free(limits);
  return rc;
}

int check_regex(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  int rc = regex_find(gate->regex, &c->answer), is_found = rc >= 0;
  if (rc == PCRE2_ERROR_NOMEMORY) {
    return err_nomem(err);
  }
  if (rc < 0 && rc != PCRE2_ERROR_NOMATCH) {
    return verdict_fail(out, 0,
                        "the regular expression gave up: it takes too many steps on this answer");
  }
  return is_found != (gate->is_not == 1)
             ? verdict_pass(out)
             : verdict_fail(out, 0,
                            is_found ? "what /%.100s/ must not find is there"
                                     : "/%.100s/ finds nothing",
                            gate->pattern);
}

/* ---- length */

static long long count_chars(const GateText *t) {
  long long n = 0;
  for (size_t i = 0; i < t->n; i++) {
    n += (t->text[i] & 0xC0) != 0x80;
  }
  return n;
}

/* Runs of letters and digits, also with an apostrophe or a hyphen inside; a character of Chinese or Japanese is one. */
static long long count_words(const GateText *t) {
  Fold f;
  long long n = 0;
  int was_word = 0, may_go_on = 0;
  fold_begin(&f, t->text, t->n);
  for (FoldChar c = fold_next(&f); c.c >= 0; c = fold_next(&f)) {
    int is_word = (c.kind & FOLD_IN_WORD) != 0, is_cjk = (c.kind & FOLD_CJK) != 0;
    n += is_word && (is_cjk || !(was_word || may_go_on));
    may_go_on = was_word && (c.c == '\'' || c.c == '-' || c.c == '.' || c.c == ',');
    was_word = is_word && !is_cjk;
  }
  return n;
}

static long long count_sentences(const GateText *t) {
  GateText sentence;
  size_t at = 0;
  long long n = 0;
  while (prose_sentence(t->text, t->n, &at, &sentence)) {
    n++;
  }
  return n;
}

int check_length(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  static const char *const units[] = {"characters", "words", "bytes", "sentences"};
  (void)err;
  const GateText *t = &c->answer;
  long long n = gate->unit == GATE_WORDS       ? count_words(t)
                : gate->unit == GATE_SENTENCES ? count_sentences(t)
                : gate->unit == GATE_BYTES     ? (long long)t->n
                                               : count_chars(t);
  const char *unit = units[gate->unit < 0 ? GATE_CHARS : gate->unit];
  if (gate->min >= 0 && n < gate->min) {
    return verdict_fail(out, (double)n / (double)gate->min, "%lld %s, at least %lld expected", n,
                        unit, gate->min);
  }
  if (gate->max >= 0 && n > gate->max) {
    return verdict_fail(out, (double)gate->max / (double)n, "%lld %s, at most %lld expected", n,
                        unit, gate->max);
  }
  return verdict_pass(out);
}

/* ---- contains */

typedef struct Holding {
  const Gate *gate;
  Buf text;            /* what is searched */
  const char *missing; /* the first of `all` that isn't there, or NULL */
  const char *unwanted;
  long long wanted, met;
  int has_any;
} Holding;

/* 1 if it is there, 0 if not; -1: no memory. */
static int is_there(const Holding *h, const char *sought) {
  Buf folded;
  if (h->gate->minds_case == 1) {
    return memmem(h->text.data, h->text.n, sought, strlen(sought)) != NULL;
  }
  buf_init(&folded, strlen(sought) * 4 + 16);
  int rc = fold_text(sought, strlen(sought), &folded);
  int is =
      rc != RC_OK ? -1 : folded.n == 0 || memmem(h->text.data, h->text.n, folded.data, folded.n);
  buf_free(&folded);
  return is;
}

typedef enum List { LIST_ALL, LIST_ANY, LIST_NONE } List;

static int look_for(Holding *h, const cJSON *list, List which) {
  const cJSON *item;
  int n = 0, met = 0;
  cJSON_ArrayForEach(item, list) {
    int is = is_there(h, item->valuestring);
    if (is < 0) {
      return RC_NOMEM;
    }
    n++;
    met += is != (which == LIST_NONE);
    h->missing = which == LIST_ALL && !is && !h->missing ? item->valuestring : h->missing;
    h->unwanted = which == LIST_NONE && is && !h->unwanted ? item->valuestring : h->unwanted;
  }
  if (which == LIST_ANY && n > 0) {
    h->has_any = met > 0;
    n = 1;
    met = met > 0;
  }
  h->wanted += n;
  h->met += met;
  return RC_OK;
}

static int search(Holding *h, const GateText *t) {
  buf_init(&h->text, t->n * 4 + 16);
  int rc = h->gate->minds_case == 1 ? buf_add(&h->text, t->text, t->n)
                                    : fold_text(t->text, t->n, &h->text);
  rc = rc == RC_OK && !h->text.data ? buf_puts(&h->text, "") : rc;
  return rc != RC_OK ? rc
         : look_for(h, h->gate->all, LIST_ALL) != RC_OK ||
                 look_for(h, h->gate->any, LIST_ANY) != RC_OK ||
                 look_for(h, h->gate->none, LIST_NONE) != RC_OK
             ? RC_NOMEM
             : RC_OK;
}

int check_contains(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  Holding h = {.gate = gate, .has_any = 1};
  int rc = search(&h, &c->answer);
  buf_free(&h.text);
  if (rc != RC_OK) {
    return err_nomem(err);
  }
  double score = h.wanted ? (double)h.met / (double)h.wanted : 1;
  if (h.missing) {
    return verdict_fail(out, score, "'%.120s' is missing", h.missing);
  }
  if (h.unwanted) {
    return verdict_fail(out, score, "it holds '%.120s'", h.unwanted);
  }
  return h.has_any ? verdict_pass(out)
                   : verdict_fail(out, score, "it holds none of the texts of 'any'");
}
