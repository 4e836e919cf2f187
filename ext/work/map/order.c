/*
** See order.h for the contract.
*/
#include "work/map/order.h"

#include "core/prompt/fields.h"
#include "money/pricing.h"
#include "store/host/config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
  BYTES_A_TOKEN =
      4, /* about: a beginning that is taken for long enough and is not only costs some waiting */
  LOOK_AHEAD = 256, /* groups that are looked at for one that may go */
  SAMPLE = 16,      /* rows whose prompts are compared where they are not sorted */
  MOST_DEPTH = 16   /* fields that a group is made of */
};

/* ---- groups */

static OrderGroup *add_group(Order *o, long long at, Err *err) {
  if (o->n == o->room) {
    int room = o->room ? 2 * o->room : 16;
    OrderGroup *more = realloc(o->groups, (size_t)room * sizeof *more);
    if (!more) {
      err_nomem(err);
      return NULL;
    }
    o->groups = more;
    o->room = room;
  }
  o->groups[o->n] = (OrderGroup){.at = at, .end = at, .is_open = 1};
  return &o->groups[o->n++];
}

/* Reads the prompt of a row. NULL and *err, or NULL where it has none. */
static const char *read_prompt(Spill *spill, const MapColumns *c, long long row, Buf *out,
                               Err *err) {
  sqlite3_stmt *stmt = spill_read(spill, row, err);
  int is_there = stmt && map_columns_prompt(c, stmt, 1, out, err) == RC_OK;
  if (stmt) {
    spill_read_done(stmt);
  }
  return is_there ? out->data : NULL;
}

static size_t common(const char *a, size_t n_a, const char *b, size_t n_b) {
  size_t n = 0, most = n_a < n_b ? n_a : n_b;
  while (n < most && a[n] == b[n]) {
    n++;
  }
  while (n > 0 && n < most && ((unsigned char)a[n] & 0xC0) == 0x80) { /* whole characters */
    n--;
  }
  return n;
}

/* What all prompts seem to begin with: so many bytes. (Rows that can't be asked are passed over.) */
static size_t common_beginning(Spill *spill, const MapColumns *c, long long rows, Err *err) {
  Buf first, other;
  size_t shared = 0;
  int n = 0;
  buf_init(&first, LIMIT_REQUEST_BYTES);
  buf_init(&other, LIMIT_REQUEST_BYTES);
  for (int i = 0; i < SAMPLE && i < rows && err->rc == RC_OK; i++) {
    long long row = 1 + i * (rows - 1) / (SAMPLE < rows ? SAMPLE : rows);
    Err unfit = {0};
    Buf *to = n == 0 ? &first : &other;
    buf_clear(to);
    if (!read_prompt(spill, c, row, to, &unfit)) {
      *err = unfit.rc == RC_NOMEM ? unfit : *err;
      continue;
    }
    size_t same = n == 0 ? first.n : common(first.data, first.n, other.data, other.n);
    shared = n == 0 || same < shared ? same : shared;
    n++;
  }
  buf_free(&first);
  buf_free(&other);
  return n > 1 ? shared : 0;
}

/* One group of all, as the SELECT gives them. */
static int make_one(Order *o, Spill *spill, const MapColumns *c, long long rows, Err *err) {
  OrderGroup *g = add_group(o, 1, err);
  if (g) {
    g->end = rows + 1;
    g->sharers = rows < INT_MAX ? (int)rows : INT_MAX;
    g->shared = common_beginning(spill, c, rows, err);
  }
  return err->rc;
}

/* ---- sorting */

/* The order of the fields, by what their values repeat. */
static int order_fields(Spill *spill, MapColumns *c, Err *err) {
  double *repeated = calloc((size_t)c->n_fields, sizeof *repeated);
  if (!repeated) {
    return err_nomem(err);
  }
  for (int i = 0; i < c->n_fields && err->rc == RC_OK; i++) {
    repeated[i] = spill_repeated(spill, c->fields[i], err);
  }
  if (err->rc == RC_OK) {
    fields_order(repeated, c->n_fields, c->order);
  }
  free(repeated);
  return err->rc;
}

/* By options first: another model, another system prompt is another beginning. */
static int sort_rows(Spill *spill, const MapColumns *c, Err *err) {
  int *by = calloc((size_t)c->n, sizeof *by), n = 0;
  if (!by) {
    return err_nomem(err);
  }
  for (int i = 1; i < c->n; i++) {
    if (c->uses[i] == COLUMN_OPTION) {
      by[n++] = i;
    }
  }
  for (int i = 0; i < c->n_fields; i++) {
    by[n++] = c->fields[c->order[i]];
  }
  spill_sort(spill, by, n, err);
  free(by);
  return err->rc;
}

/* What is compared of two neighbours: where each of their first fields ends. */
typedef struct Ends {
  Buf text;
  size_t end[MOST_DEPTH + 1];
} Ends;

/* How deep neighbours are alike, summed for each depth: the bytes that a cut there saves. */
static int depth_of(const Ends *a, const Ends *b, int most) {
  int depth = 0;
  size_t same = common(a->text.data, a->text.n, b->text.data, b->text.n);
  while (depth < most && a->end[depth + 1] == b->end[depth + 1] && same >= b->end[depth + 1]) {
    depth++;
  }
  return depth;
}

typedef struct Neighbours {
  Spill *spill;
  const MapColumns *columns;
  Ends rows[2];
  int now;
} Neighbours;

/* Reads the row at a position; how deep it is like the one before, -1: *err. A row that can't be asked is like none. */
static int step(Neighbours *nb, long long position, int most, Err *err) {
  Ends *to = &nb->rows[nb->now ^= 1], *before = &nb->rows[nb->now ^ 1];
  Err unfit = {0};
  buf_clear(&to->text);
  memset(to->end, 0, sizeof to->end);
  long long row = spill_place(nb->spill, position, err);
  sqlite3_stmt *stmt = row > 0 ? spill_read(nb->spill, row, err) : NULL;
  if (!stmt) {
    return -1;
  }
  int fits = map_columns_ends(nb->columns, stmt, 1, &to->text, to->end, most, &unfit) == RC_OK;
  spill_read_done(stmt);
  if (unfit.rc == RC_NOMEM) {
    *err = unfit;
    return -1;
  }
  if (!fits) {
    buf_clear(&to->text);
  }
  return fits && before->text.n > 0 ? depth_of(before, to, most) : 0;
}

/* Begins anew. */
static void rewind_to_first(Neighbours *nb) {
  buf_clear(&nb->rows[0].text);
  buf_clear(&nb->rows[1].text);
}

/* The depth at which groups share most, of beginnings of at least `least` bytes. 0: none. */
static int best_depth(Neighbours *nb, long long rows, int most, size_t least, Err *err) {
  double gain[MOST_DEPTH + 1] = {0};
  int best = 0;
  for (long long i = 1; i <= rows && err->rc == RC_OK; i++) {
    int depth = step(nb, i, most, err);
    for (int d = 1; d <= depth; d++) {
      size_t end = nb->rows[nb->now].end[d];
      gain[d] += end >= least ? (double)end : 0;
    }
  }
  for (int d = 1; d <= most; d++) {
    best = gain[d] > gain[best] ? d : best;
  }
  return best;
}

/* Rows that are like the one before to that depth are its group. Those that are like none are one group that shares nothing. */
static int cut(Order *o, Neighbours *nb, long long rows, int depth, Err *err) {
  OrderGroup *g = NULL;
  rewind_to_first(nb);
  for (long long i = 1; i <= rows && err->rc == RC_OK; i++) {
    int is_like = step(nb, i, depth > 0 ? depth : 1, err) >= depth && depth > 0 && i > 1;
    if (!g || (!is_like && g->sharers > 1)) {
      g = add_group(o, i, err);
    }
    if (!g) {
      break;
    }
    if (is_like && g->sharers < 2 &&
        g->end - g->at > 1) { /* the last of those that share nothing began one */
      g->end--;
      g = add_group(o, i - 1, err);
      if (!g) {
        break;
      }
      g->end = i;
    }
    if (is_like) {
      g->shared = nb->rows[nb->now].end[depth];
      g->sharers = (int)(g->end - g->at) + 1;
    }
    g->end = i + 1;
  }
  return err->rc;
}

static int make_sorted(Order *o, Spill *spill, MapColumns *c, long long rows, size_t least,
                       Err *err) {
  Neighbours nb = {.spill = spill, .columns = c};
  int most = c->n_fields < MOST_DEPTH ? c->n_fields : MOST_DEPTH;
  buf_init(&nb.rows[0].text, LIMIT_REQUEST_BYTES);
  buf_init(&nb.rows[1].text, LIMIT_REQUEST_BYTES);
  if (order_fields(spill, c, err) == RC_OK && sort_rows(spill, c, err) == RC_OK) {
    int depth = best_depth(&nb, rows, most, least, err);
    cut(o, &nb, rows, depth, err);
  }
  o->is_sorted = 1;
  buf_free(&nb.rows[0].text);
  buf_free(&nb.rows[1].text);
  return err->rc;
}

/* ---- what pays */

/* The models that may be asked: the one that is named, or those of the tiers. */
typedef struct Models {
  const Config *config;
  const char *name; /* NULL: the tiers' */
} Models;

static int pays_for(Conn *conn, const Config *config, const char *name, long long tokens,
                    int sharers, Err *err) {
  Model model = {0};
  Err unknown = {0};
  int pays = config_model(config, name, &model, &unknown) == RC_OK &&
             pricing_prefix_pays(conn, &model, tokens, sharers, err);
  config_model_free(&model);
  return pays;
}

static int pays(Conn *conn, const Models *m, long long tokens, int sharers, Err *err) {
  int any = m->name && pays_for(conn, m->config, m->name, tokens, sharers, err);
  for (int i = 0; !m->name && i < m->config->n_tiers && !any && err->rc == RC_OK; i++) {
    any = pays_for(conn, m->config, m->config->tiers[i].model, tokens, sharers, err);
  }
  return any;
}

/* Groups whose beginning may be read for less wait for the first of them. */
static int close_groups(Order *o, Conn *conn, const MapColumns *c, Err *err) {
  const Options *call = &c->options->call;
  const char *system = call->system;
  size_t before = system ? strlen(system) : 0;
  Models m = {conn_config(conn, err),
              call->model && strcmp(call->model, "auto") != 0 ? call->model : NULL};
  if (!m.config) {
    return err->rc;
  }
  conn_pin(conn); /* it stays what it is while it is looked at */
  pricing_refresh(conn, NULL, err);
  for (OrderGroup *g = o->groups; g < o->groups + o->n && err->rc == RC_OK; g++) {
    long long tokens = (long long)(before + g->shared) / BYTES_A_TOKEN;
    g->pays = g->sharers >= 2 && call->prompt_cache != PROMPT_CACHE_OFF &&
              pays(conn, &m, tokens, g->sharers, err);
    g->is_open = !g->pays;
  }
  conn_unpin(conn);
  return err->rc;
}

int order_make(Order *o, Conn *conn, Spill *spill, MapColumns *columns, long long rows, Err *err) {
  enum { LEAST_BYTES = 1024 }; /* no provider keeps less than some hundred tokens */
  *o = (Order){.first = 0};
  if (rows == 0) {
    return RC_OK;
  }
  if (columns->options->fields == FIELDS_ANY) {
    make_sorted(o, spill, columns, rows, LEAST_BYTES, err);
  } else {
    make_one(o, spill, columns, rows, err);
  }
  return err->rc == RC_OK ? close_groups(o, conn, columns, err) : err->rc;
}

void order_free(Order *o) {
  free(o->groups);
}

/* ---- taking */

static int may_go(const OrderGroup *g) {
  int most = g->answered == 0 ? 1 : ORDER_PROBES;
  return g->at < g->end && (g->is_open || g->under_way < most);
}

long long order_take(Order *o, int *group) {
  while (o->first < o->n && o->groups[o->first].at >= o->groups[o->first].end) {
    o->first++;
  }
  for (int i = o->first; i < o->n && i < o->first + LOOK_AHEAD; i++) {
    if (may_go(&o->groups[i])) {
      o->groups[i].under_way++;
      *group = i;
      return o->groups[i].at++;
    }
  }
  return 0;
}

void order_end(Order *o, int group, long long read) {
  OrderGroup *g = &o->groups[group];
  g->under_way--;
  if (read >= 0) {
    g->answered++;
    g->is_open |= read > 0 || g->answered > ORDER_PATIENCE;
  }
}
