/*
** plan.c: what is to happen to batches. POST /standin/batch sets any of these together; those that
** it does not name stay, null brings one back to its default, POST /standin/reset all of them.
** Scenarios named batch-... (scenario.c) are settings too, for one batch. What is said of a batch is
** taken when it is made; what is said of requests, at each of them.
**
** Its pace and its end:
**   polls, ms        it is done after so many GETs, or at that age, whichever is first (2, 10000)
**   end              "completed", "failed", "expired", or "empty": completed, 0/0/0 and no file.
**                    Anthropic, which has no such states, ends
**   finished         so many requests are answered and billed by then (-1: all, or half of one that
**                    did not complete). The others have error lines where it expired, else none
**   progress         so many are answered at each GET before the end (0)
**   finalizing       it is "finalizing" for so many GETs when all is answered, and its files come then (0)
**   refuse           a code: it is accepted, and then "failed" for that; Anthropic's lines are errored
**   queue_max        it fails for token_limit_exceeded where more requests than that would be under way
**                    with it, those of other batches counted (0: no limit; not Anthropic's)
**   cancel_polls, cancel_ms   it is "cancelling" for so many GETs, or so long (1, 10000)
**   cancel_finished  so many are answered when it is cancelled (-1: half, of one that had begun); they
**                    are answered by and by, GET for GET
** Its results:
**   errors, errors_every, errors_status   the first so many, each so-manieth from the first on, are
**                    refused with that status (0, 0, 400); -1: all
**   no_credit        the first so many are refused since there is no credit; -1: all
**   lines            {"cut":[3],"null":4}: what is wrong with the result of a request, counted from 0;
**                    -1: of all. cut, null, array, no-usage, no-body; huge (of huge_bytes, 30 MiB);
**                    separators (U+2028, U+2029, U+0085 and U+1F600 as they are), controls (VT, FF, CR raw
**                    in a string, which JSON forbids and providers send); blank (an empty line follows);
**                    double (again, with other words), missing (billed all the same), unknown and
**                    foreign (one more line: of an id of nobody's, of another batch's); error, no-credit;
**                    unanswered (no line, not billed)
**   file             ["crlf","blank","no-newline","bom","lone-cr"]: the file as a whole
**   usage_off        tokens that the batch's own usage has more of input than its lines
** Requests:
**   at               {"create":"rst-after"}: the scenario that strikes a step. "NAME-3" strikes its first
**                    three requests from now on, NAME alone one, NAME-always all. Steps: upload, create, get,
**                    list, cancel, results, delete_file, delete, list_files, get_file
**   late_file        the first so many creates of a file are told that there is no such file (0)
**   late_list        a batch is missing in the first so many lists after its create (0)
**   upload_max       bytes of an upload, or a create, above which a box on the way says 413 (-1: none);
**   upload_body      its body: "json", "empty", "html"
**   chunk            results come in pieces of so many bytes (0: as they come)
**   cut_at, cut_times   results end after so many bytes and the connection breaks, so often each (-1; 1)
**   gone             "404", "error" (an error object with status 200), "archived" (results alone),
**                    "unlisted"; of the first two and the last lists are empty
**   age_s            batches say that they are so many seconds older than they are (0)
*/
#include "batch.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 1000000000000.0 /* of anything that is counted here */

static const struct plan by_default = {.polls = 2,
                                       .ms = 10000,
                                       .finished = -1,
                                       .cancel_polls = 1,
                                       .cancel_ms = 10000,
                                       .cancel_finished = -1,
                                       .errors_status = 400,
                                       .huge_bytes = 30 << 20,
                                       .upload_max = -1,
                                       .cut_at = -1,
                                       .cut_times = 1};

static const char *const aEnd[] = {"completed", "failed", "expired", "empty", NULL};
static const char *const aLarge[] = {"json", "empty", "html", NULL};
static const char *const aGone[] = {"", "404", "error", "archived", "unlisted", NULL};
static const char *const aFile[] = {"crlf", "blank", "no-newline", "bom", "lone-cr", NULL};
static const char *const aLine[] = {"cut",        "null",       "array",    "no-usage", "no-body",
                                    "huge",       "separators", "controls", "blank",    "double",
                                    "missing",    "unknown",    "foreign",  "error",    "no-credit",
                                    "unanswered", NULL};
static const char *const aStep[] = {"",       "upload",     "create",   "get",
                                    "list",   "cancel",     "results",  "delete_file",
                                    "delete", "list_files", "get_file", NULL};

enum setting_kind { SET_NUMBER, SET_WORD, SET_FLAGS, SET_TEXT, SET_LINES, SET_AT };

/* One row for each setting. */
static const struct setting {
  const char *name;
  enum setting_kind kind;
  size_t offset;
  double least;             /* of numbers */
  const char *const *words; /* of words and flags */
} aSetting[] = {
#define N(name, least)                                                                             \
  { #name, SET_NUMBER, offsetof(struct plan, name), least, NULL }
    N(polls, 0),
    N(ms, 0),
    N(finished, -1),
    N(progress, 0),
    N(finalizing, 0),
    N(late_list, 0),
    N(queue_max, 0),
    N(cancel_polls, 0),
    N(cancel_ms, 0),
    N(cancel_finished, -1),
    N(errors, -1),
    N(errors_every, 0),
    N(errors_status, 400),
    N(no_credit, -1),
    N(usage_off, -MANY),
    N(huge_bytes, 0),
    N(late_file, 0),
    N(upload_max, -1),
    N(cut_at, -1),
    N(cut_times, 0),
    N(chunk, 0),
    N(age_s, 0),
#undef N
    {"end", SET_WORD, offsetof(struct plan, end), 0, aEnd},
    {"upload_body", SET_WORD, offsetof(struct plan, upload_body), 0, aLarge},
    {"gone", SET_WORD, offsetof(struct plan, gone), 0, aGone},
    {"file", SET_FLAGS, offsetof(struct plan, file), 0, aFile},
    {"refuse", SET_TEXT, offsetof(struct plan, refuse), 0, NULL},
    {"lines", SET_LINES, 0, 0, NULL},
    {"at", SET_AT, 0, 0, NULL},
};
#define SETTINGS (sizeof aSetting / sizeof aSetting[0])

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct plan plan;
static int is_set;           /* 0: plan is not filled yet */
static struct map late, cut; /* creates of a file, deliveries of results: how often so far */

/* What strikes a step. */
static struct strike {
  struct choice choice;
  int64_t left; /* -1 = always */
} aStrike[STEPS];
static int64_t asked[STEPS];

/* Fills the plan, once. Caller holds the lock. */
static struct plan *current(void) {
  if (!is_set) {
    plan = by_default;
    is_set = 1;
  }
  return &plan;
}

/* The place of a word, or -1. */
static int word_at(const char *const *words, const char *word) {
  for (int i = 0; word && words[i]; i++) {
    if (strcmp(words[i], word) == 0) {
      return i;
    }
  }
  return -1;
}

/* ---- settings, one function for each kind: NULL, or what is wrong ---- */

static const char *set_number(const struct setting *s, int64_t *to, const cJSON *v) {
  if (!cJSON_IsNumber(v) || !(v->valuedouble >= s->least && v->valuedouble <= MANY)) {
    return "a number out of range";
  }
  *to = (int64_t)v->valuedouble;
  return NULL;
}

static const char *set_word(const struct setting *s, int64_t *to, const cJSON *v) {
  int at = word_at(s->words, cJSON_GetStringValue(v));
  *to = at;
  return at < 0 ? "no such word" : NULL;
}

static const char *set_flags(const struct setting *s, int64_t *to, const cJSON *v) {
  const cJSON *one;
  *to = 0;
  cJSON_ArrayForEach(one, v) {
    int at = word_at(s->words, cJSON_GetStringValue(one));
    if (at < 0) {
      return "no such word in the list";
    }
    *to |= (int64_t)1 << at;
  }
  return cJSON_IsArray(v) ? NULL : "a list of words is wanted";
}

static const char *add_rule(struct plan *p, int kind, const cJSON *index) {
  if (!cJSON_IsNumber(index) || p->rules == RULES_MAX) {
    return "lines: a number, or at most 64 of them in all";
  }
  p->rule[p->rules++] = (struct rule){kind, (int64_t)index->valuedouble};
  return NULL;
}

static const char *set_lines(struct plan *p, const cJSON *v) {
  const cJSON *m, *one;
  p->rules = 0;
  cJSON_ArrayForEach(m, v) {
    int kind = m->string ? word_at(aLine, m->string) : -1;
    const char *why = kind < 0 ? "lines: no such kind" : NULL;
    if (!why && !cJSON_IsArray(m)) {
      why = add_rule(p, kind, m);
    }
    cJSON_ArrayForEach(one, m) {
      why = why ? why : add_rule(p, kind, one);
    }
    if (why) {
      return why;
    }
  }
  return NULL;
}

/* The scenarios of steps are no part of a plan: they are counted. */
static const char *set_at(const cJSON *v) {
  const cJSON *m;
  memset(aStrike, 0, sizeof aStrike);
  cJSON_ArrayForEach(m, v) {
    struct choice c;
    const char *name = cJSON_GetStringValue(m);
    int step = m->string ? word_at(aStep, m->string) : -1;
    if (step < 1 || !name || !scenario_find(name, &c)) {
      return "at: no such step, or no such scenario";
    }
    size_t n = strlen(name), tail = strlen("-always");
    int always = n > tail && strcmp(name + n - tail, "-always") == 0;
    aStrike[step] = (struct strike){c, always ? -1 : c.arg >= 0 && c.times > 0 ? c.arg : 1};
  }
  return NULL;
}

static const char *set_one(const struct setting *s, struct plan *p, const cJSON *v) {
  char *to = (char *)p + s->offset;
  const char *text = cJSON_GetStringValue(v);
  if (cJSON_IsNull(v) && s->kind != SET_LINES && s->kind != SET_AT) {
    size_t n = s->kind == SET_TEXT ? sizeof p->refuse : sizeof(int64_t);
    memcpy(to, (const char *)&by_default + s->offset, n);
    return NULL;
  }
  switch (s->kind) {
  case SET_NUMBER:
    return set_number(s, (int64_t *)(void *)to, v);
  case SET_WORD:
    return set_word(s, (int64_t *)(void *)to, v);
  case SET_FLAGS:
    return set_flags(s, (int64_t *)(void *)to, v);
  case SET_LINES:
    return set_lines(p, v);
  case SET_AT:
    return set_at(v);
  default:
    copy_name(p->refuse, sizeof p->refuse, text ? text : "");
    return text ? NULL : "a text is wanted";
  }
}

/* Brings the members of want into a plan. */
static const char *apply(struct plan *p, const cJSON *want) {
  static char text[160];
  const cJSON *m;
  cJSON_ArrayForEach(m, want) {
    const char *why = "there is no such setting";
    for (size_t i = 0; m->string && i < SETTINGS; i++) {
      if (strcmp(aSetting[i].name, m->string) == 0) {
        why = set_one(&aSetting[i], p, m);
      }
    }
    if (why) {
      snprintf(text, sizeof text, "%.60s: %s", m->string ? m->string : "?", why);
      return text;
    }
  }
  return cJSON_IsObject(want) ? NULL : "an object is wanted";
}

/* ---- for the others ---- */

void plan_now(struct plan *out) {
  pthread_mutex_lock(&lock);
  *out = *current();
  pthread_mutex_unlock(&lock);
}

const char *plan_set(const cJSON *want) {
  pthread_mutex_lock(&lock);
  struct plan next = *current();
  const char *why = apply(&next, want);
  if (!why) {
    plan = next;
    map_free(&cut);
    map_free(&late);
  }
  pthread_mutex_unlock(&lock);
  return why;
}

/* The settings, and over them those of a scenario: its message is JSON in which N stands for the number
** behind its name, or for its code. */
void plan_of(const struct choice *c, struct plan *out) {
  struct buf b = {0};
  plan_now(out);
  if (!c->row || c->row->fault != FT_BATCH) {
    return;
  }
  for (const char *p = c->row->message; *p; p++) {
    if (*p == 'N' && c->arg >= 0) {
      buf_printf(&b, "%lld", (long long)c->arg);
    } else if (*p == 'N') {
      buf_str(&b, c->row->code ? c->row->code : "0");
    } else {
      buf_add(&b, p, 1);
    }
  }
  cJSON *want = json_strict(b.p, b.n);
  pthread_mutex_lock(&lock);
  const char *why = apply(out, want);
  pthread_mutex_unlock(&lock);
  if (why) {
    fprintf(stderr, "standin: scenario %s: %s\n", c->name, why);
  }
  cJSON_Delete(want);
  buf_free(&b);
}

void plan_reset(void) {
  pthread_mutex_lock(&lock);
  is_set = 0;
  map_free(&late);
  map_free(&cut);
  memset(aStrike, 0, sizeof aStrike);
  memset(asked, 0, sizeof asked);
  pthread_mutex_unlock(&lock);
}

int plan_line(const struct plan *p, enum line_kind kind, int64_t index) {
  int found = 0;
  for (int64_t i = 0; i < p->rules && !found; i++) {
    const struct rule *r = &p->rule[i];
    found = r->kind == (int64_t)kind && (r->index == index || r->index < 0);
  }
  return found;
}

int plan_gone(enum gone what) {
  struct plan p;
  plan_now(&p);
  return p.gone == (int64_t)what;
}

int plan_strike(enum step step, struct choice *out) {
  pthread_mutex_lock(&lock);
  struct strike *s = &aStrike[step];
  asked[step]++;
  int strikes = s->left != 0;
  s->left -= s->left > 0;
  if (strikes) {
    *out = s->choice;
  }
  pthread_mutex_unlock(&lock);
  return strikes;
}

int plan_late(const char *file) {
  pthread_mutex_lock(&lock);
  int is_late = current()->late_file > 0 &&
                map_add(&late, hash_bytes(file, strlen(file), 9), 1) <= plan.late_file;
  pthread_mutex_unlock(&lock);
  return is_late;
}

int plan_too_large(struct request *r) {
  struct plan p;
  plan_now(&p);
  if (p.upload_max < 0 || (int64_t)r->body.n <= p.upload_max) {
    return 0;
  }
  if (p.upload_body == LARGE_JSON) {
    reply_error(r, 413, NULL, "request_too_large", NULL, "Request Entity Too Large");
    return 1;
  }
  r->reply.status = 413;
  r->reply.type = "text/html";
  buf_str(&r->reply.body, p.upload_body == LARGE_EMPTY
                              ? ""
                              : "<html>\r\n<head><title>413 Request Entity Too Large</title></head>"
                                "\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1>"
                                "</center>\r\n</body>\r\n</html>\r\n");
  return 1;
}

void plan_deliver(struct request *r) {
  struct reply *p = &r->reply;
  if (p->status != 200 || p->delivery != D_PLAIN) {
    return;
  }
  pthread_mutex_lock(&lock);
  const struct plan *now = current();
  int cuts = now->cut_at >= 0 && (size_t)now->cut_at < p->body.n &&
             (now->cut_times == 0 ||
              map_add(&cut, hash_bytes(r->path, strlen(r->path), 9), 1) <= now->cut_times);
  p->piece = (size_t)now->chunk;
  p->stop = cuts ? (size_t)now->cut_at : p->body.n;
  p->delivery = cuts ? D_CUT : p->piece ? D_PIECES : D_PLAIN;
  pthread_mutex_unlock(&lock);
}

cJSON *plan_steps(void) {
  cJSON *j = cJSON_CreateObject();
  pthread_mutex_lock(&lock);
  for (int i = 1; i < STEPS; i++) {
    cJSON_AddNumberToObject(j, aStep[i], (double)asked[i]);
  }
  pthread_mutex_unlock(&lock);
  return j;
}
