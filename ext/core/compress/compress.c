/*
** Compression. See compress.h for the contract.
*/
#include "core/compress/compress.h"

#include "base/check.h"
#include "core/ballast/places.h"
#include "core/compress/lossless.h"
#include "core/compress/repeats.h"

#include <stdlib.h>
#include <string.h>

/* The text as it is now, and where its bytes stood. */
typedef struct Work {
  const CompressOptions *options;
  Compressed *out;
  Origins origins;
  TextUnits units; /* of the text, once they are asked for */
  int has_units;
  size_t cap; /* of drops */
  Err *err;
} Work;

typedef int Finds(Work *w, Cuts *cuts);

static int find_space(Work *w, Cuts *cuts) {
  return lossless_find(w->out->text, w->out->n, LOSSLESS_TEXT, cuts, w->err);
}

static int find_json(Work *w, Cuts *cuts) {
  return lossless_find(w->out->text, w->out->n, LOSSLESS_JSON, cuts, w->err);
}

/* The units of the text as it is now; NULL and *err. */
static const TextUnits *units_of(Work *w) {
  if (!w->has_units) {
    w->has_units = units_find(w->out->text, w->out->n, &w->units, w->err) == RC_OK;
  }
  return w->has_units ? &w->units : NULL;
}

static void forget_units(Work *w) {
  units_free(&w->units);
  w->has_units = 0;
}

/* None of the units gone; NULL and *err. */
static unsigned char *all_kept(Work *w, const TextUnits *u) {
  unsigned char *gone = u ? malloc(u->n + 1) : NULL;
  if (gone) {
    memset(gone, CUT_KEPT, u->n + 1);
  } else if (u) {
    err_nomem(w->err);
  }
  return gone;
}

static int find_needless(Work *w, CutReason kind, Cuts *cuts) {
  const TextUnits *u = units_of(w);
  return u ? needless_find(w->out->text, w->out->n, u, kind, w->options->schema, cuts, w->err)
           : w->err->rc;
}

static int find_filler(Work *w, Cuts *cuts) {
  return find_needless(w, CUT_FILLER, cuts);
}

static int find_format(Work *w, Cuts *cuts) {
  return w->options->schema ? find_needless(w, CUT_SCHEMA, cuts) : RC_OK;
}

static int find_examples(Work *w, Cuts *cuts) {
  return find_needless(w, CUT_EXAMPLE, cuts);
}

/* 1 if what stands in the text is what a task is about: then it is not said twice in vain. */
static int is_data(Work *w, const TextUnits *u) {
  Examples e = {NULL, 0, 0};
  unsigned task = 0;
  if (examples_find(w->out->text, w->out->n, u, &e, w->err) == RC_OK) {
    task_find(w->out->text, u, &e, &task, w->err);
  }
  examples_free(&e);
  return (task & TASK_ON_TEXT) != 0;
}

static int find_repeats(Work *w, Cuts *cuts) {
  const TextUnits *u = units_of(w);
  unsigned char *gone = all_kept(w, u);
  if (gone && !is_data(w, u) && w->err->rc == RC_OK &&
      repeats_find(w->out->text, u, REPEATS_CUT, gone, w->err) == RC_OK) {
    cuts_empty_labels(u, gone, NULL, w->err);
    cuts_of_units(w->out->text, w->out->n, u, gone, cuts, w->err);
  }
  free(gone);
  return w->err->rc;
}

static int find_extract(Work *w, Cuts *cuts) {
  const CompressOptions *o = w->options;
  if (o->budget == 0) {
    return RC_OK;
  }
  ExtractOptions e = {{o->query, o->n_query, o->score, o->arg, 0}, o->budget, o->count, o->arg};
  const TextUnits *u = units_of(w);
  int ignored; /* whether it fits is seen at the end, of the text as a whole */
  unsigned char *gone = all_kept(w, u), *roles = all_kept(w, u);
  if (gone && roles) {
    context_find(w->out->text, u, o->context, roles);
    if (o->context == CONTEXT_WHOLE && !o->query) {
      context_keep_asked(w->out->text, u, roles);
    } else if (o->context != CONTEXT_WHOLE) {
      context_keep_orders(w->out->text, u, roles);
    }
    if (extract_find(w->out->text, w->out->n, u, roles, &e, gone, &ignored, w->err) == RC_OK) {
      cuts_of_units(w->out->text, w->out->n, u, gone, cuts, w->err);
    }
  }
  free(roles);
  free(gone);
  return w->err->rc;
}

static const struct {
  const char *name;
  Finds *find;
  int is_told; /* its cuts are in the report, one by one */
} methods[COMPRESS_METHODS] = {
    {"space", find_space, 0},       {"json", find_json, 0},       {"format", find_format, 1},
    {"examples", find_examples, 1}, {"repeats", find_repeats, 1}, {"filler", find_filler, 1},
    {"extract", find_extract, 1},
};

const char *compress_method_name(int method) {
  CHECK(method >= 0 && method < COMPRESS_METHODS);
  return methods[method].name;
}

int compress_method_parse(const char *name, size_t n) {
  for (int i = 0; i < COMPRESS_METHODS; i++) {
    if (strlen(methods[i].name) == n && memcmp(methods[i].name, name, n) == 0) {
      return i;
    }
  }
  return -1;
}

static long long count(Work *w, const char *text, size_t n) {
  long long tokens = n > 0 ? w->options->count(w->options->arg, text, n) : 0;
  if (tokens < 0) {
    err_nomem(w->err);
  }
  return tokens;
}

/* Remembers the cuts of a method, where they stood in the text that was handed in. */
static void tell(Work *w, int method, const Cuts *cuts) {
  Compressed *out = w->out;
  if (out->n_drops + cuts->n > w->cap) {
    w->cap = 2 * w->cap + cuts->n;
    CompressDrop *grown = realloc(out->drops, w->cap * sizeof *grown);
    if (!grown) {
      err_nomem(w->err);
      return;
    }
    out->drops = grown;
  }
  for (size_t i = 0; i < cuts->n; i++) {
    const Cut *c = &cuts->at[i];
    size_t from = origins_find(&w->origins, c->from);
    size_t end = origins_find(&w->origins, c->from + c->n - 1) + 1;
    out->drops[out->n_drops++] = (CompressDrop){from, end - from, method, c->reason};
  }
}

static int is_blank(const char *text, size_t n) {
  while (n > 0 && strchr(" \t\r\n", text[n - 1]) && text[n - 1]) {
    n--;
  }
  return n == 0;
}

/* Takes over the text without the cuts, if that saves, and leaves something. 1 if it did. */
static int apply(Work *w, int method, const Cuts *cuts) {
  Compressed *out = w->out;
  CompressStep *step = &out->steps[method];
  Buf text;
  buf_init(&text, out->n + 1);
  if (cuts_apply(cuts, out->text, out->n, &text) != RC_OK) {
    return err_nomem(w->err), 0;
  }
  long long tokens = count(w, text.n ? text.data : "", text.n);
  int is_nothing = is_blank(text.data, text.n) && !is_blank(out->text, out->n);
  if (w->err->rc != RC_OK || tokens > out->tokens_after || is_nothing) {
    buf_free(&text);
    return 0;
  }
  if (methods[method].is_told) {
    tell(w, method, cuts);
  }
  origins_cut(&w->origins, cuts, w->err);
  step->tokens_after -= out->tokens_after - tokens;
  step->bytes_after -= cuts->bytes;
  step->n_cuts += cuts->n;
  forget_units(w);
  free(out->text);
  out->n = text.n;
  out->tokens_after = tokens;
  out->text = buf_take(&text);
  return out->text ? 1 : (err_nomem(w->err), 0);
}

/* Each method once. 1 if the text changed. */
static int run_once(Work *w, int is_first) {
  int changed = 0;
  for (int i = 0; i < COMPRESS_METHODS && w->err->rc == RC_OK; i++) {
    Compressed *out = w->out;
    Cuts cuts = {NULL, 0, 0, 0};
    if (is_first) {
      out->steps[i] = (CompressStep){out->tokens_after, out->tokens_after, out->n, out->n, 0};
    }
    if (w->options->methods == 0 || w->options->methods >> i & 1) {
      methods[i].find(w, &cuts);
      changed |= w->err->rc == RC_OK && cuts.n > 0 && apply(w, i, &cuts);
    }
    cuts_free(&cuts);
  }
  return changed;
}

/* By place, what holds others in front of them. */
static int by_place(const void *a, const void *b) {
  const CompressDrop *x = a, *y = b;
  return x->from != y->from ? (x->from > y->from) - (x->from < y->from)
                            : (x->n < y->n) - (x->n > y->n);
}

static void add_piece(CompressDrop *made, size_t *n, const CompressDrop *of, size_t from,
                      size_t end) {
  if (end > from) {
    made[(*n)++] = (CompressDrop){from, end - from, of->method, of->reason};
  }
}

/* A range that holds some that were left out before it becomes what is around them, so that none is told twice. */
static void part_drops(Compressed *out, Err *err) {
  CompressDrop *made = malloc((2 * out->n_drops + 1) * sizeof *made);
  size_t *open = malloc((out->n_drops + 1) * sizeof *open), n_open = 0, n = 0, at = 0;
  if (!made || !open) {
    free(made);
    free(open);
    err_nomem(err);
    return;
  }
  if (out->n_drops > 1) {
    qsort(out->drops, out->n_drops, sizeof *out->drops, by_place);
  }
  for (size_t i = 0; i <= out->n_drops; i++) {
    size_t from = i < out->n_drops ? out->drops[i].from : (size_t)-1;
    while (n_open > 0) {
      const CompressDrop *d = &out->drops[open[n_open - 1]];
      size_t end = d->from + d->n;
      add_piece(made, &n, d, at, end < from ? end : from);
      at = end < from ? end : from;
      if (end > from) {
        break;
      }
      n_open--;
    }
    open[n_open++] = i;
    at = from;
  }
  free(open);
  free(out->drops);
  out->drops = made;
  out->n_drops = n;
}

/* What each method saved in all rounds, as if one had come behind the other once. */
static void chain_steps(Compressed *out, size_t n) {
  long long tokens = out->tokens_before;
  for (int i = 0; i < COMPRESS_METHODS; i++) {
    CompressStep *step = &out->steps[i];
    long long saved = step->tokens_before - step->tokens_after;
    size_t less = step->bytes_before - step->bytes_after;
    *step = (CompressStep){tokens, tokens - saved, n, n - less, step->n_cuts};
    tokens -= saved;
    n -= less;
  }
}

static int start(Work *w, const char *text, size_t n) {
  Compressed *out = w->out;
  *out = (Compressed){.fits = 1};
  out->text = malloc(n + 1);
  if (!out->text) {
    return err_nomem(w->err);
  }
  memcpy(out->text, text, n);
  out->text[n] = 0;
  out->n = n;
  out->tokens_before = out->tokens_after = count(w, text, n);
  return origins_whole(&w->origins, n, w->err);
}

/* As it was handed in: nothing was done. */
static void give_back(Work *w, const char *text, size_t n) {
  forget_units(w);
  compressed_free(w->out);
  origins_free(&w->origins);
  start(w, text, n);
  for (int i = 0; i < COMPRESS_METHODS; i++) {
    w->out->steps[i] = (CompressStep){w->out->tokens_after, w->out->tokens_after, n, n, 0};
  }
}

static int check(size_t n, const CompressOptions *o, Err *err) {
  if (n > LIMIT_REQUEST_BYTES) {
    return err_set(err, RC_TOOBIG, ERR_TOO_BIG,
                   "a text of %zu bytes can't be compressed: at most %zu", n, LIMIT_REQUEST_BYTES);
  }
  if (o->budget < 0) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "a budget of %lld tokens: give 1 or more, or 0 for none", o->budget);
  }
  return err->rc;
}

int compress_text(const char *text, size_t n, const CompressOptions *options, Compressed *out,
                  Err *err) {
  Work w = {.options = options, .out = out, .err = err};
  *out = (Compressed){.fits = 1};
  if (check(n, options, err) != RC_OK) {
    return err->rc;
  }
  int changes = start(&w, text, n) == RC_OK;
  for (int round = 0; changes && err->rc == RC_OK; round++) {
    if (round == COMPRESS_ROUNDS) {
      give_back(&w, text, n);
      break;
    }
    changes = run_once(&w, round == 0);
  }
  forget_units(&w);
  origins_free(&w.origins);
  out->fits = options->budget == 0 || out->tokens_after <= options->budget;
  if (err->rc == RC_OK) {
    chain_steps(out, n);
    part_drops(out, err);
  }
  if (err->rc != RC_OK) {
    compressed_free(out);
  }
  return err->rc;
}

void compressed_free(Compressed *c) {
  free(c->text);
  free(c->drops);
  *c = (Compressed){.fits = 1};
}
