/*
** Forgetting. See forget.h for the contract.
**
** What a cache holds is looked through first, and what is found is deleted then, by its key: an entry of llm_cache can't go
** while its table is being read. Texts are compared here, for SQL doesn't know their normal form.
*/
#include "store/forget.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text/text.h"
#include "store/answers/flight.h"
#include "store/ledger.h"

#include <string.h>

enum { MOST_KEY_BYTES = 1 << 30 }; /* of what one call forgets: 128 million answers */

/* A cache: ?1 tag, ?2 model, ?3 before, ?4 user, ?5 the question's name; the last column of `find` says that the name is its
** text's, the two before are texts that may be what was asked. */
typedef struct Cache {
  const char *find, *drop, *drop_too; /* by ?1, the key; drop_too NULL: that is all */
} Cache;

#define CALL_IS(id, what)                                                                          \
  "EXISTS (SELECT 1 FROM main.llm_calls c WHERE c.id = " id                                        \
  " AND c.kind NOT IN ('hit_exact', 'hit_semantic') AND " what ")"
#define SERVED_IS(what)                                                                            \
  "EXISTS (SELECT 1 FROM main.llm_served v WHERE v.entry = a.id AND " CALL_IS("v.call_id", what) ")"
#define CONDITIONS(CALL)                                                                           \
  " WHERE (?1 IS NULL OR a.tag = ?1)"                                                              \
  " AND (?2 IS NULL OR a.model = ?2 OR " CALL(                                                     \
      "c.model_requested = ?2") ")"                                                                \
                                " AND (?3 IS NULL OR a.created_at < ?3)"                           \
                                " AND (?4 IS NULL OR " CALL("c.user = ?4") ")"
#define OWN_CALL(what) CALL_IS("a.call_id", what)
#define IS_TRANSCRIPT "t.text LIKE '[{\"role\":%' AND json_valid(t.text)"

static const Cache caches[] = {
    /* a conversation is kept as JSON, in which a long message stands by its name (core/request/request.h) */
    {"SELECT a.key, t.text, CASE WHEN " IS_TRANSCRIPT " THEN coalesce(t.text ->> '$[#-1].text',"
     " (SELECT l.text FROM main.llm_texts l WHERE l.hash = t.text ->> '$[#-1].hash')) END,"
     " a.prompt_hash = ?5"
     " FROM main.llm_answers a LEFT JOIN main.llm_texts t ON t.hash = a.prompt_hash" CONDITIONS(
         OWN_CALL),
     "DELETE FROM main.llm_answers WHERE key = ?1", NULL},
    {"SELECT a.id, a.query, NULL, ?5 IS NULL FROM main.llm_cache_rows a" CONDITIONS(SERVED_IS),
     "DELETE FROM main.llm_cache WHERE rowid = ?1",
     "DELETE FROM main.llm_served WHERE entry = ?1"}, /* the next entry may get its number */
};

/* The question: its normal form, and its name in the store. */
typedef struct Wanted {
  Buf normal;
  char name[HASH_HEX_SIZE];
} Wanted;

static sqlite3_stmt *prepare(Store *s, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = err->rc == RC_OK ? sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    store_error(s, rc, "look for answers to forget", err);
  }
  return stmt;
}

/* 1 if a text has the question's normal form. */
static int is_text(sqlite3_stmt *stmt, int column, const Wanted *w, Err *err) {
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  if (!text) {
    return 0;
  }
  Buf normal;
  buf_init(&normal, LIMIT_REQUEST_BYTES * 4);
  int rc = text_normalize(text, (size_t)sqlite3_column_bytes(stmt, column), &normal);
  int is_same =
      rc == RC_OK && normal.n == w->normal.n && memcmp(normal.data, w->normal.data, normal.n) == 0;
  buf_free(&normal);
  if (rc == RC_NOMEM) {
    err_nomem(err);
  }
  return is_same;
}

/* Appends the keys of what is to be forgotten. */
static int find(Store *s, const Cache *cache, const ForgetAsk *ask, const Wanted *w, Buf *keys,
                Err *err) {
  sqlite3_stmt *stmt = prepare(s, cache->find, err);
  int rc = SQLITE_DONE;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_text(stmt, 1, ask->tag, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 2, ask->model, -1, SQLITE_STATIC);
  if (ask->before != LEDGER_NULL) {
    sqlite3_bind_int64(stmt, 3, ask->before);
  }
  sqlite3_bind_text(stmt, 4, ask->user, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 5, ask->question ? w->name : NULL, -1, SQLITE_STATIC);
  while (err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    sqlite3_int64 key = sqlite3_column_int64(stmt, 0);
    int is_wanted = !ask->question || sqlite3_column_int(stmt, 3) || is_text(stmt, 1, w, err) ||
                    is_text(stmt, 2, w, err);
    if (is_wanted && buf_add(keys, &key, sizeof key) != RC_OK) {
      err_nomem(err);
    }
  }
  sqlite3_finalize(stmt);
  return err->rc != RC_OK || rc == SQLITE_DONE
             ? err->rc
             : store_error(s, rc, "look for answers to forget", err);
}

/* Runs a statement for each key. */
static int drop(Store *s, const char *sql, const Buf *keys, Err *err) {
  sqlite3_stmt *stmt = sql && keys->n ? prepare(s, sql, err) : NULL;
  for (size_t at = 0; stmt && at < keys->n && err->rc == RC_OK; at += sizeof(sqlite3_int64)) {
    sqlite3_int64 key;
    memcpy(&key, keys->data + at, sizeof key);
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_step(stmt);
    int rc = sqlite3_reset(stmt);
    if (rc != SQLITE_OK) {
      store_error(s, rc, "forget an answer", err);
    }
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int forget_from(Store *s, const Cache *cache, const ForgetAsk *ask, const Wanted *w,
                       long long *n, Err *err) {
  Buf keys;
  buf_init(&keys, MOST_KEY_BYTES);
  if (find(s, cache, ask, w, &keys, err) == RC_OK && drop(s, cache->drop, &keys, err) == RC_OK) {
    drop(s, cache->drop_too, &keys, err);
  }
  *n += (long long)(keys.n / sizeof(sqlite3_int64));
  buf_free(&keys);
  return err->rc;
}

static int want(const Store *s, const char *question, Wanted *w, Err *err) {
  buf_init(&w->normal, LIMIT_REQUEST_BYTES * 4);
  if (!question) {
    return RC_OK;
  }
  Hash name = hash_text(question, strlen(question), s->seed);
  hash_hex(&name, w->name);
  return text_normalize(question, strlen(question), &w->normal) == RC_OK ? RC_OK : err_nomem(err);
}

int forget_answers(Store *s, const ForgetAsk *ask, long long *n, Err *err) {
  Wanted w;
  *n = 0;
  if (want(s, ask->question, &w, err) == RC_OK && ledger_flush(s, err) == RC_OK &&
      store_begin(s, err) == RC_OK) {
    for (size_t i = 0; i < sizeof caches / sizeof caches[0] && err->rc == RC_OK; i++) {
      forget_from(s, &caches[i], ask, &w, n, err);
    }
    store_end(s, err->rc == RC_OK, err);
    flight_forget(s->host.node->file);
  }
  buf_free(&w.normal);
  return err->rc;
}
