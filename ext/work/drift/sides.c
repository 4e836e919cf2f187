/*
** See sides.h for the contract.
*/
#include "work/drift/sides_internal.h"

#include "base/utf8.h"
#include "core/names/model_name.h"
#include "store/audit/audit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char other[] = "(other)";

enum { MOST_VALUES = 1 << 25 }; /* a gigabyte of them: beyond, there is no memory for the answer */

const char *sides_basis_word(SidesBasis basis) {
  static const char *const words[] = {
#define WORD(id, word) word,
      SIDES_BASES(WORD)
#undef WORD
  };
  return words[basis];
}

/* ---- places */

static Hash hash_of(const char *text) {
  return hash_bytes(text, strlen(text), 0);
}

static char *copy_of(const char *text, Err *err) {
  char *copy = strdup(text);
  if (!copy) {
    err_nomem(err);
  }
  return copy;
}

/* NULL and the empty text are two values. */
static Hash group_hash(const char *value, int is_list, SidesBasis basis) {
  const Hash of = value ? hash_of(value) : (Hash){{0}};
  unsigned char key[sizeof of.b + 3];
  memcpy(key, of.b, sizeof of.b);
  key[sizeof of.b] = (unsigned char)is_list;
  key[sizeof of.b + 1] = (unsigned char)basis;
  key[sizeof of.b + 2] = value != NULL;
  return hash_bytes(key, sizeof key, 0);
}

static Group *add_group(Sides *s, const char *value, const Hash *key, Err *err) {
  if (s->n_groups == s->cap_groups) {
    int cap = s->cap_groups ? 2 * s->cap_groups : 8;
    Group *more = realloc(s->groups, (size_t)cap * sizeof *more);
    if (!more) {
      err_nomem(err);
      return NULL;
    }
    s->groups = more;
    s->cap_groups = cap;
  }
  Group *g = &s->groups[s->n_groups];
  memset(g, 0, sizeof *g);
  g->value = value ? copy_of(value, err) : NULL;
  if (err->rc == RC_OK && hash_map_put(&s->group_places, key, s->n_groups, err) == RC_OK) {
    s->n_groups++;
    return g;
  }
  free(g->value);
  return NULL;
}

/* 1 if a value that is no group yet is to be one. */
static int has_room(const Sides *s, const char *value) {
  Hash key = group_hash(value, 0, BASIS_CALLS);
  return !value || strcmp(value, other) == 0 ||
         (s->is_chosen ? hash_map_get(&s->chosen, &key) != HASH_MAP_NONE
                       : s->n_groups < SIDES_GROUPS);
}

Group *sides_group(Sides *s, const char *value, int is_list, SidesBasis basis, Err *err) {
  Hash key = group_hash(value, is_list, basis);
  long long at = hash_map_get(&s->group_places, &key);
  if (at == HASH_MAP_NONE && !has_room(s, value)) {
    s->is_full = 1;
    return sides_group(s, other, is_list, basis, err);
  }
  if (at != HASH_MAP_NONE) {
    return &s->groups[at];
  }
  Group *g = add_group(s, value, &key, err);
  if (g) {
    g->is_list = is_list;
    g->basis = basis;
  }
  return g;
}

int sides_weigh(Sides *s, const char *value, int side, double nusd, Err *err) {
  if (s->by < 0 || s->is_chosen || !value) {
    return err->rc;
  }
  Hash key = group_hash(value, 0, BASIS_CALLS);
  long long at = hash_map_get(&s->weight_places, &key);
  if (at == HASH_MAP_NONE && s->n_weights == s->cap_weights) {
    int cap = s->cap_weights ? 2 * s->cap_weights : 64;
    Weight *more = cap <= MOST_VALUES ? realloc(s->weights, (size_t)cap * sizeof *more) : NULL;
    if (!more) {
      return err_nomem(err);
    }
    s->weights = more;
    s->cap_weights = cap;
  }
  if (at == HASH_MAP_NONE && hash_map_put(&s->weight_places, &key, s->n_weights, err) == RC_OK) {
    at = s->n_weights++;
    s->weights[at] = (Weight){.key = key};
  }
  if (err->rc == RC_OK) {
    s->weights[at].nusd[side] += nusd;
  }
  return err->rc;
}

/* The place of a model's plain name: one for its spellings. */
static int model_place(Sides *s, const char *model, Err *err) {
  char name[LIMIT_MODEL_NAME] = "(none)";
  if (model && model[0]) {
    model_name_plain(model, name, sizeof name);
  }
  int is_full = s->n_models >= DRIFT_MODELS - 1;
  Hash key = hash_of(name);
  long long at = hash_map_get(&s->model_places, &key);
  if (at == HASH_MAP_NONE && is_full) {
    memcpy(name, other, sizeof other);
    key = hash_of(name);
    at = hash_map_get(&s->model_places, &key);
  }
  if (at != HASH_MAP_NONE) {
    return (int)at;
  }
  char *copy = copy_of(name, err);
  if (copy && hash_map_put(&s->model_places, &key, s->n_models, err) == RC_OK) {
    s->models[s->n_models] = copy;
    return s->n_models++;
  }
  free(copy);
  return 0;
}

static int grow_cells(Group *g, int place, Err *err) {
  int cap = g->cap_models ? g->cap_models : 4;
  while (cap <= place) {
    cap *= 2;
  }
  for (int i = 0; i < 2; i++) {
    DriftModel *more = realloc(g->side[i].models, (size_t)cap * sizeof *more);
    if (!more) {
      return err_nomem(err);
    }
    memset(more + g->cap_models, 0, (size_t)(cap - g->cap_models) * sizeof *more);
    g->side[i].models = more;
  }
  g->cap_models = cap;
  return RC_OK;
}

DriftCell *sides_cells(Sides *s, Group *g, int side, const char *model, Err *err) {
  int place = model_place(s, model, err);
  if (err->rc != RC_OK || (place >= g->cap_models && grow_cells(g, place, err) != RC_OK)) {
    return NULL;
  }
  return g->side[side].models[place];
}

static int reason_place(Sides *s, const char *reason, Err *err) {
  for (int i = 0; i < s->n_reasons; i++) {
    if (strcmp(s->reasons[i], reason) == 0) {
      return i;
    }
  }
  if (s->n_reasons == DRIFT_REASONS) {
    return DRIFT_REASONS - 1;
  }
  char *copy = copy_of(s->n_reasons == DRIFT_REASONS - 1 ? other : reason, err);
  s->reasons[s->n_reasons] = copy;
  return copy ? s->n_reasons++ : 0;
}

/* ---- rows of the ledger */

typedef struct RowTake {
  Sides *s;
  int side;
  const SideAsk *ask;
} RowTake;

/* Why an attempt was made: what it was for beside the answer, the error before it, or "": the answer's own. Behind a colon
** stands what is only of one case. */
static int reason_of(Sides *s, const LedgerRow *row, Err *err) {
  char word[64];
  const char *reason = row->purpose                         ? row->purpose
                       : row->retry_reason                  ? row->retry_reason
                       : row->escalated_from != LEDGER_NULL ? "escalated"
                                                            : "";
  utf8_copy(word, sizeof word, reason);
  word[strcspn(word, ":")] = 0;
  return reason_place(s, word, err);
}

static void add_user(Group *g, int side, const char *user, Err *err) {
  if (!user) {
    g->has_unnamed[side] = 1;
    return;
  }
  Hash key = hash_of(user);
  if (hash_map_get(&g->users[side], &key) == HASH_MAP_NONE) {
    hash_map_put(&g->users[side], &key, 0, err);
  }
  g->side[side].named++;
}

/* A request is a hit, or a first attempt (a batch tells of the last alone). One that nobody can price is none that costs. */
static int is_request(const LedgerRow *row, int is_hit) {
  int is_unpriced = row->kind != KIND_UNKNOWN && row->cost_nusd == LEDGER_NULL && !row->error;
  return is_hit || ((row->attempt <= 1 || row->kind == KIND_BATCH) && !is_unpriced);
}

/* An answer that was free is one that its tokens are told of. (What failed for nothing was no attempt that is billed.) */
static int is_free(const LedgerRow *row) {
  return row->cost_nusd == 0 && !row->error && (row->input_tokens > 0 || row->output_tokens > 0);
}

static void add_row(Sides *s, Group *g, int side, const LedgerRow *row, Err *err) {
  DriftSide *to = &g->side[side];
  int is_hit = row->kind == KIND_HIT_EXACT || row->kind == KIND_HIT_SEMANTIC;
  if (is_request(row, is_hit)) {
    to->requests++;
    to->hits += is_hit;
    add_user(g, side, row->user, err);
  }
  if (is_hit) {
    return;
  }
  if (row->cost_nusd == LEDGER_NULL) {
    g->unpriced[side]++;
  } else if (row->cost_nusd != 0 || is_free(row)) {
    to->attempts[reason_of(s, row, err)]++;
    to->nusd = sides_sum(to->nusd, row->cost_nusd);
    sides_add_call(s, g, side, row, err);
  }
}

static const char *value_of(const Sides *s, const BudgetValues *values) {
  return s->by < 0 ? NULL : values->text[s->by];
}

static void take_row(void *arg, const AuditRow *row, Err *err) {
  RowTake *t = arg;
  BudgetNames names;
  const char *model = row->model ? row->model : row->model_requested;
  BudgetValues values = {{0}};
  if (t->ask->scope || t->s->by >= 0) {
    values = scope_values(row->tag, row->user, model, row->provider, &names);
  }
  if (t->ask->scope && !scope_matches(t->ask->scope, &values)) {
    return;
  }
  int is_list = row->billed && strcmp(row->billed, "list") == 0;
  const char *value = value_of(t->s, &values);
  Group *g = sides_group(t->s, value, is_list, BASIS_CALLS, err);
  double nusd = row->cost_nusd == LEDGER_NULL ? 0 : (double)row->cost_nusd;
  if (g && sides_weigh(t->s, value, t->side, nusd, err) == RC_OK) {
    add_row(t->s, g, t->side, row, err);
  }
}

/* The tag or the user that a scope is for, so that an index finds its calls; NULL: none, or a GLOB. */
static const char *exact(const BudgetScope *scope, unsigned column) {
  return scope && scope->set >> column & 1 && !(scope->globs >> column & 1)
             ? scope->text + scope->at[column]
             : NULL;
}

static int read_side(Sides *s, int side, Store *store, const SideAsk *ask, Err *err) {
  RowTake take = {s, side, ask};
  AuditAsk rows = {.from = ask->span.from,
                   .to = ask->span.to,
                   .also = AUDIT_HITS | AUDIT_UNKNOWN,
                   .tag = exact(ask->scope, BUDGET_TAG)};
  return sides_add_trimmed(s, side, store, ask, &rows.from, err) == RC_OK &&
                 audit_each(store, &rows, take_row, &take, err) == RC_OK
             ? sides_add_invoices(s, side, store, ask, err)
             : err->rc;
}

/* ---- invoices beside calls */

/* (Calls that cost nothing, because they failed, are no month of calls.) */
static int is_empty(const DriftSide *side) {
  return side->nusd == 0;
}

static void add_cells(DriftModel *to, const DriftModel *from, int n) {
  for (int m = 0; m < n; m++) {
    for (int k = 0; k < DRIFT_KINDS; k++) {
      to[m][k].tokens += from[m][k].tokens;
      for (int i = 0; i < DRIFT_STEPS; i++) {
        to[m][k].nusd[i] += from[m][k].nusd[i];
      }
    }
  }
}

/* 1 if of that side there is only an invoice, and of the other one there are calls. */
static int is_only_invoiced(const Group *calls, const Group *invoice, int side) {
  return is_empty(&calls->side[side]) && !is_empty(&invoice->side[side]) &&
         !is_empty(&calls->side[!side]);
}

/* Makes one of both, which says no more than the invoice does. */
static void merge(Group *calls, Group *invoice, Err *err) {
  int most = invoice->cap_models - 1;
  if (most >= calls->cap_models && grow_cells(calls, most, err) != RC_OK) {
    return;
  }
  for (int i = 0; i < 2; i++) {
    DriftSide *to = &calls->side[i], *from = &invoice->side[i];
    add_cells(to->models, from->models, invoice->cap_models);
    to->nusd = sides_sum(to->nusd, from->nusd);
    to->requests += from->requests;
    to->input += from->input;
    to->attempts[0] += from->attempts[0];
    to->says |= from->says;
    free(from->models);
    *from = (DriftSide){0};
  }
  calls->basis = BASIS_INVOICE;
  invoice->cap_models = 0;
}

/* Where one side has calls and the other only an invoice, they are compared with each other. */
static void join_invoices(Sides *s, Err *err) {
  for (int i = 0; i < s->n_groups && err->rc == RC_OK; i++) {
    Group *invoice = &s->groups[i];
    if (invoice->basis != BASIS_INVOICE || invoice->is_list) {
      continue;
    }
    Hash key = group_hash(invoice->value, 0, BASIS_CALLS);
    long long at = hash_map_get(&s->group_places, &key);
    Group *calls = at == HASH_MAP_NONE ? NULL : &s->groups[at];
    if (calls && (is_only_invoiced(calls, invoice, 0) || is_only_invoiced(calls, invoice, 1))) {
      merge(calls, invoice, err);
    }
  }
}

static void count_users(Sides *s) {
  for (int i = 0; i < s->n_groups; i++) {
    for (int k = 0; k < 2; k++) {
      Group *g = &s->groups[i];
      g->side[k].users = (double)g->users[k].n + g->has_unnamed[k];
    }
  }
}

/* ---- which values are groups */

static void free_groups(Sides *s) {
  for (int i = 0; i < s->n_groups; i++) {
    Group *g = &s->groups[i];
    free(g->value);
    for (int k = 0; k < 2; k++) {
      free(g->side[k].models);
      hash_map_free(&g->users[k]);
    }
  }
  s->n_groups = 0;
  hash_map_free(&s->group_places);
  s->group_places = (HashMap){0};
}

/* The largest change first, then the larger; equal ones in an order that is the same in any ledger. */
static int compare_weights(const void *a, const void *b) {
  const Weight *x = a, *y = b;
  double p = fabs(x->nusd[1] - x->nusd[0]), q = fabs(y->nusd[1] - y->nusd[0]);
  double u = x->nusd[0] + x->nusd[1], v = y->nusd[0] + y->nusd[1];
  int by = p < q ? 1 : p > q ? -1 : 0;
  by = by ? by : u < v ? 1 : u > v ? -1 : 0;
  return by ? by : memcmp(&x->key, &y->key, sizeof x->key);
}

/* Of too many values those that moved most; then everything is read once more. */
static int choose_values(Sides *s, Err *err) {
  qsort(s->weights, (size_t)s->n_weights, sizeof *s->weights, compare_weights);
  for (int i = 0; i < SIDES_GROUPS && i < s->n_weights && err->rc == RC_OK; i++) {
    hash_map_put(&s->chosen, &s->weights[i].key, 0, err);
  }
  free_groups(s);
  s->is_chosen = 1;
  return err->rc;
}

static int read_sides(Sides *s, Store *store, const SideAsk ask[2], Err *err) {
  for (int side = 0; side < 2 && err->rc == RC_OK && store; side++) {
    read_side(s, side, store, &ask[side], err);
  }
  return err->rc;
}

int sides_read(Sides *s, Store *store, const SideAsk ask[2], Err *err) {
  reason_place(s, "", err); /* the first place is the answer's own */
  read_sides(s, store, ask, err);
  if (err->rc == RC_OK && s->is_full && choose_values(s, err) == RC_OK) {
    read_sides(s, store, ask, err);
  }
  count_users(s);
  join_invoices(s, err);
  for (int i = 0; i < s->n_groups && err->rc == RC_OK; i++) { /* each has a place for each model */
    Group *g = &s->groups[i];
    if (g->cap_models < s->n_models || g->cap_models == 0) {
      grow_cells(g, s->n_models, err);
    }
  }
  return err->rc;
}

void sides_free(Sides *s) {
  free_groups(s);
  for (int i = 0; i < s->n_models; i++) {
    free(s->models[i]);
  }
  for (int i = 0; i < s->n_reasons; i++) {
    free(s->reasons[i]);
  }
  free(s->groups);
  free(s->weights);
  hash_map_free(&s->weight_places);
  hash_map_free(&s->chosen);
  hash_map_free(&s->model_places);
}
