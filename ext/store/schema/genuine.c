/*
** See genuine.h for the contract.
*/
#include "store/schema/genuine.h"

#include "base/sqlite/columns.h"
#include "base/sqlite/ddl.h"
#include "store/schema/model.h"
#include "store/schema/views.h"
#include "trust/mark.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* An object of a schema. */
typedef struct Object {
  char *sql;  /* owned: its text */
  char *form; /* owned: what is compared */
  Ddl ddl;
  int is_found;
} Object;

typedef struct Objects {
  Object *list;
  int n, cap;
} Objects;

static void objects_free(Objects *all) {
  for (int i = 0; i < all->n; i++) {
    free(all->list[i].sql);
    free(all->list[i].form);
  }
  free(all->list);
}

/* The names of the semantic cache's indexes are random. */
static int is_random_name(const Ddl *d) {
  static const char begin[] = "llm_cache_i";
  return d->kind == DDL_INDEX && d->n_name > sizeof begin - 1 &&
         strncmp(d->name, begin, sizeof begin - 1) == 0;
}

static int add_object(Objects *all, const char *sql, size_t n, Err *err) {
  if (all->n == all->cap) {
    int cap = all->cap ? 2 * all->cap : 64;
    Object *more = realloc(all->list, sizeof *more * (size_t)cap);
    if (!more) {
      return err_nomem(err);
    }
    all->list = more;
    all->cap = cap;
  }
  Object *o = &all->list[all->n];
  *o = (Object){.sql = malloc(n + 1), .form = malloc(n + 1)};
  all->n++;
  if (!o->sql || !o->form) {
    return err_nomem(err);
  }
  memcpy(o->sql, sql, n);
  o->sql[n] = 0;
  ddl_start(&o->ddl, o->sql, n);
  size_t from = is_random_name(&o->ddl) ? (size_t)(o->ddl.name - o->sql) + o->ddl.n_name : 0;
  ddl_normalize(o->sql + from, n - from, o->form);
  return RC_OK;
}

static int schema_error(sqlite3 *db, int rc, const char *what, Err *err) {
  int code = rc & 0xff;
  return code == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, code ? code : RC_ERROR, ERR_STORE,
                       "the store '%.200s': cannot read its schema: %s", what, sqlite3_errmsg(db));
}

/* Every object that has a text (an index that SQLite makes by itself has none). */
static int read_objects(sqlite3 *db, const char *schema, const char *what, Objects *all, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf(
      "SELECT sql FROM \"%w\".sqlite_schema NOT INDEXED WHERE sql IS NOT NULL", schema);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    text ? add_object(all, text, (size_t)sqlite3_column_bytes(stmt, 0), err) : err_nomem(err);
    rc = SQLITE_OK;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    schema_error(db, rc, what, err);
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  return err->rc;
}

/* Ours are the same each time: read once a process, and never freed. */
static pthread_mutex_t model_lock = PTHREAD_MUTEX_INITIALIZER;
static Objects model_objects;

static void read_model(const StoreHost *host, Err *err) {
  sqlite3 *model = store_model(host, err);
  if (model && read_objects(model, "main", "model", &model_objects, err) != RC_OK) {
    objects_free(&model_objects);
    model_objects = (Objects){NULL, 0, 0};
  }
  sqlite3_close(model);
}

/* A list of our objects, none of them found yet; to free(). Texts are borrowed. RC_OK or *err. */
static int list_ours(const StoreHost *host, Objects *ours, Err *err) {
  pthread_mutex_lock(&model_lock);
  if (model_objects.n == 0) {
    read_model(host, err);
  }
  if (err->rc == RC_OK) {
    *ours = model_objects;
    ours->list = malloc((size_t)ours->n * sizeof *ours->list);
    ours->list ? (void)memcpy(ours->list, model_objects.list, (size_t)ours->n * sizeof *ours->list)
               : (void)err_nomem(err);
  }
  pthread_mutex_unlock(&model_lock);
  return err->rc;
}

/* What SQLite itself adds: AUTOINCREMENT's and ANALYZE's tables. */
static int is_sqlites_own(const Object *o) {
  static const char *const forms[] = {"create table sqlite_sequence(name,seq)",
                                      "create table sqlite_stat1(tbl,idx,stat)",
                                      "create table sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"};
  int found = 0;
  for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
    found |= strcmp(o->form, forms[i]) == 0;
  }
  return found;
}

static int has_same_name(const Object *a, const Object *b) {
  return a->ddl.n_name == b->ddl.n_name &&
         sqlite3_strnicmp(a->ddl.name, b->ddl.name, (int)a->ddl.n_name) == 0;
}

/* Ours of that name, NULL where there is none. */
static Object *find_named(const Objects *ours, const Object *o) {
  Object *found = NULL;
  for (int i = 0; i < ours->n && !found; i++) {
    found = has_same_name(&ours->list[i], o) ? &ours->list[i] : NULL;
  }
  return found;
}

/* Ours of that text, not taken yet. */
static Object *find_equal(const Objects *ours, const Object *o) {
  Object *found = NULL;
  for (int i = 0; i < ours->n && !found; i++) {
    int is_it = !ours->list[i].is_found && strcmp(ours->list[i].form, o->form) == 0;
    found = is_it ? &ours->list[i] : NULL;
  }
  return found;
}

/* The objects of a schema beside ours. */
typedef struct Comparison {
  const GenuineAsk *ask;
  Objects ours, theirs;
  char *note;          /* of their views (views.h), owned (sqlite3_free); NULL: there is none */
  int has_other_views; /* they may be another build's */
} Comparison;

/* 1 if the text names one of our tables. */
static int names_ours(const Objects *ours, const Object *o) {
  Ddl words = o->ddl;
  const char *word;
  size_t n;
  while (ddl_next_word(&words, &word, &n)) {
    for (int i = 0; i < ours->n; i++) {
      const Ddl *d = &ours->list[i].ddl;
      if (d->n_name == n && d->kind != DDL_INDEX && sqlite3_strnicmp(word, d->name, (int)n) == 0) {
        return 1;
      }
    }
  }
  return 0;
}

/* What is read before the rest is brought up to date. */
static int is_read_first(const Object *o) {
  return ddl_is_name(o->ddl.name, o->ddl.n_name, "llm_meta") ||
         ddl_is_name(o->ddl.name, o->ddl.n_name, "llm_marks");
}

/* 1 if the object, which is not a view, may be there. */
static int is_fine(const Comparison *c, const Object *o) {
  int is_other = c->ask->age == GENUINE_OTHER_VERSION;
  const Object *named = find_named(&c->ours, o);
  Object *equal = find_equal(&c->ours, o);
  if (equal) {
    equal->is_found = 1;
    return 1;
  }
  if (named && is_other) {
    return named->ddl.kind == o->ddl.kind && !o->ddl.is_temp && !is_read_first(o);
  }
  if (named || o->ddl.kind == DDL_OTHER || is_random_name(&o->ddl)) {
    return is_other && is_random_name(&o->ddl);
  }
  if (c->ask->scope == GENUINE_TABLES) {
    int is_on_table = o->ddl.kind == DDL_TRIGGER || o->ddl.kind == DDL_INDEX || o->ddl.is_temp;
    return !is_on_table || !names_ours(&c->ours, o);
  }
  return 0;
}

/* The same for a view. One of ours that is another is fine only where the store says that another build made it; so
** is one that we don't know, in a store that holds nothing else. */
static int is_fine_view(const Comparison *c, const Object *o) {
  const Object *named = find_named(&c->ours, o);
  Object *equal = find_equal(&c->ours, o);
  if (equal) {
    equal->is_found = 1;
    return 1;
  }
  if (named) {
    return c->has_other_views && named->ddl.kind == DDL_VIEW && !o->ddl.is_temp;
  }
  if (c->ask->scope == GENUINE_TABLES) {
    return !o->ddl.is_temp || !names_ours(&c->ours, o);
  }
  return c->has_other_views && !o->ddl.is_temp && views_names(c->note, o->ddl.name, o->ddl.n_name);
}

static int is_foreign(const Object *o, const char *what, Err *err) {
  const char *kind = ddl_kind_name(o->ddl.kind),
             *drop = o->ddl.kind == DDL_VIRTUAL ? "table" : kind;
  char shown[64], cure[128];
  if (ddl_show_name(o->ddl.name, o->ddl.n_name, shown, sizeof shown) && o->ddl.kind != DDL_OTHER) {
    sqlite3_snprintf(sizeof cure, cure, "DROP %s \"%s\"", drop, shown);
  } else {
    sqlite3_snprintf(sizeof cure, cure, "look into sqlite_schema");
  }
  return err_set(
      err, RC_ERROR, ERR_STORE,
      "the store '%.200s' is not as llmcost makes it: nothing was read from it; %s '%s' is"
      " not ours: drop it with the sqlite3 shell (%s), or use another store",
      what, kind, shown, cure);
}

/* Their objects, views or all the others. */
static int compare_kinds(Comparison *c, int views, Err *err) {
  for (int i = 0; i < c->theirs.n && err->rc == RC_OK; i++) {
    const Object *o = &c->theirs.list[i];
    int is_asked = (o->ddl.kind == DDL_VIEW) == views && !is_sqlites_own(o);
    if (is_asked && !(views ? is_fine_view(c, o) : is_fine(c, o))) {
      is_foreign(o, c->ask->what, err);
    }
  }
  return err->rc;
}

/* Whether their views may be others than ours: read once it is known that llm_meta is a table as we make it. */
static int read_note(Comparison *c, Err *err) {
  int is_read = 0;
  for (int i = 0; i < c->ours.n && c->ask->age != GENUINE_OURS; i++) {
    const Object *o = &c->ours.list[i];
    is_read |= o->is_found && ddl_is_name(o->ddl.name, o->ddl.n_name, "llm_meta");
  }
  int rc = is_read ? views_read_note(c->ask->db, c->ask->schema, &c->note) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    schema_error(c->ask->db, rc, c->ask->what, err);
  }
  int is_noted_ours = c->note && strcmp(c->note, views_note()) == 0;
  c->has_other_views = is_read && (c->ask->age == GENUINE_OTHER_VERSION || !is_noted_ours);
  return err->rc;
}

/* 1 for a view that need not be there: another build has others, and among the user's tables are none of costs. */
static int may_miss_view(const Comparison *c, const Object *o) {
  size_t ignored;
  return c->has_other_views || (c->ask->scope == GENUINE_TABLES &&
                                views_of_costs(o->ddl.name, o->ddl.n_name, &ignored) != NULL);
}

static int find_missing(const Comparison *c, Err *err) {
  for (int i = 0; i < c->ours.n && err->rc == RC_OK; i++) {
    const Object *o = &c->ours.list[i];
    int is_needed = !is_sqlites_own(o) && !(o->ddl.kind == DDL_VIEW && may_miss_view(c, o));
    if (is_needed && !o->is_found) {
      err_set(err, RC_ERROR, ERR_STORE, "the store '%.200s' is damaged: its %s %.*s is missing",
              c->ask->what, ddl_kind_name(o->ddl.kind), (int)o->ddl.n_name, o->ddl.name);
    }
  }
  return err->rc;
}

int genuine_check(const GenuineAsk *ask, const StoreHost *host, Err *err) {
  Comparison c = {.ask = ask};
  if (list_ours(host, &c.ours, err) == RC_OK &&
      read_objects(ask->db, ask->schema, ask->what, &c.theirs, err) == RC_OK &&
      compare_kinds(&c, 0, err) == RC_OK && read_note(&c, err) == RC_OK &&
      compare_kinds(&c, 1, err) == RC_OK && ask->age != GENUINE_OTHER_VERSION) {
    find_missing(&c, err);
  }
  free(c.ours.list);
  objects_free(&c.theirs);
  sqlite3_free(c.note);
  return err->rc;
}

int genuine_check_store(Store *s, GenuineAge age, Err *err) {
  GenuineAsk ask = {s->db, "main", store_name(s),
                    s->mode->shares_file ? GENUINE_TABLES : GENUINE_FILE, age};
  return genuine_check(&ask, &s->host, err);
}

/* --- marks */

/* A database without a file is this process's own where it carries what only this process knows: anybody's
** rows can be copied into one (a backup, deserialize). */
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;
static char process_secret[2 * 16 + 1];

static void make_process_secret(void) {
  unsigned char random[16];
  sqlite3_randomness(sizeof random, random);
  for (size_t i = 0; i < sizeof random; i++) {
    sqlite3_snprintf(3, process_secret + 2 * i, "%02x", random[i]);
  }
}

static int is_private(sqlite3 *db, const char *schema) {
  const char *file = sqlite3_db_filename(db, schema);
  pthread_once(&secret_once, make_process_secret);
  return !file || !file[0];
}

/* A text of llm_meta; "" where there is none. */
static int read_meta(sqlite3 *db, const char *schema, const char *name, char *value, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("SELECT value FROM \"%w\".llm_meta WHERE name = %Q", schema, name);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  value[0] = 0;
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    rc = text || sqlite3_column_type(stmt, 0) == SQLITE_NULL ? rc : SQLITE_NOMEM;
    sqlite3_snprintf(GENUINE_ID_SIZE, value, "%s", text ? text : "");
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? RC_OK : schema_error(db, rc, schema, err);
}

int genuine_version(sqlite3 *db, const char *schema, long long *version, Err *err) {
  char value[GENUINE_ID_SIZE];
  *version = read_meta(db, schema, "schema_version", value, err) == RC_OK ? atoll(value) : 0;
  return err->rc;
}

static int find_mark(sqlite3 *db, const char *schema, const Mark *mark, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int found = 0;
  char *sql = sqlite3_mprintf("SELECT mark FROM \"%w\".llm_marks WHERE installation = ?1", schema);
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_text(stmt, 1, mark->installation, -1, SQLITE_STATIC);
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
  }
  if (rc == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    rc = text || sqlite3_column_type(stmt, 0) == SQLITE_NULL ? rc : SQLITE_NOMEM;
    found = text && mark_is_equal(text, mark->mark);
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? found : (schema_error(db, rc, schema, err), -1);
}

int genuine_is_marked(sqlite3 *db, const char *schema, Err *err) {
  char id[GENUINE_ID_SIZE];
  Mark mark;
  int has_table;
  int rc = column_look(db, schema, "llm_marks", "mark", &has_table);
  if (rc != SQLITE_OK) {
    schema_error(db, rc, schema, err);
    return -1;
  }
  if (has_table && is_private(db, schema)) {
    return read_meta(db, schema, "process", id, err) == RC_OK ? mark_is_equal(id, process_secret)
                                                              : -1;
  }
  if (!has_table || read_meta(db, schema, "id", id, err) != RC_OK || !id[0]) {
    return err->rc == RC_OK ? 0 : -1;
  }
  if (mark_make(MARK_STORE, id, 0, &mark, err) != RC_OK) {
    return -1;
  }
  return mark.mark[0] ? find_mark(db, schema, &mark, err) : 0;
}

/* Runs a statement with two texts. */
static int put_pair(sqlite3 *db, const char *sql, const char *first, const char *second, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_text(stmt, 1, first, -1, SQLITE_STATIC);
    rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 2, second, -1, SQLITE_STATIC) : rc;
  }
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = sqlite3_reset(stmt);
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? RC_OK
         : (rc & 0xff) == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, ERR_STORE, "the store can't be marked: %s",
                       sqlite3_errmsg(db));
}

int genuine_mark(sqlite3 *db, const char *schema, Err *err) {
  char id[GENUINE_ID_SIZE];
  Mark mark;
  int in_memory = is_private(db, schema);
  if (!in_memory && (read_meta(db, schema, "id", id, err) != RC_OK ||
                     mark_make(MARK_STORE, id, 1, &mark, err) != RC_OK)) {
    return err->rc;
  }
  char *sql =
      sqlite3_mprintf("INSERT OR REPLACE INTO \"%w\".%s VALUES (?1, ?2)", schema,
                      in_memory ? "llm_meta(name, value)" : "llm_marks(installation, mark)");
  put_pair(db, sql, in_memory ? "process" : mark.installation,
           in_memory ? process_secret : mark.mark, err);
  sqlite3_free(sql);
  return err->rc;
}
