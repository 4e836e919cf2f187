/*
** See known.h for the contract.
*/
#include "store/schema/known.h"

#include "store/schema/genuine.h"
#include "store/schema/migrate.h"

/* In the user's own database, the version is read once the objects are known to be tables. Those of a newer one may be
** what we don't know: then that is what is wrong. */
static int version_of_tables(Store *s, long long *version, Err *err) {
  Err ignored = {0};
  if (store_has_schema_now(s->db, err) != 1) {
    return err->rc;
  }
  if (genuine_check_store(s, GENUINE_OTHER_VERSION, err) == RC_OK) {
    return store_version(s, version, err);
  }
  if (err->rc == RC_ERROR && genuine_version(s->db, "main", version, &ignored) == RC_OK &&
      *version > migrate_newest()) {
    *err = (Err){0};
    migrate_check_version(s, *version, err);
  }
  return err->rc;
}

/* That of a file of ours stands in its header, which is read before anything in it is believed. */
static int version_of_file(Store *s, long long *version, Err *err) {
  long long tables = 0, application = 0;
  if (store_ask(s, "SELECT count(*) FROM main.sqlite_schema NOT INDEXED", &tables, err) < 0 ||
      tables == 0) {
    return err->rc;
  }
  store_ask(s, "PRAGMA main.application_id", &application, err);
  store_ask(s, "PRAGMA main.user_version", version, err);
  return err->rc == RC_OK && (application != STORE_APPLICATION_ID || *version < 1)
             ? err_set(err, RC_ERROR, ERR_STORE,
                       "'%s' is another program's database, not a store of llmcost", s->path)
             : err->rc;
}

/* The version that a store which lies there claims to be; 0 where there is none. */
static int claimed_version(Store *s, long long *version, Err *err) {
  *version = 0;
  return s->mode->shares_file ? version_of_tables(s, version, err)
                              : version_of_file(s, version, err);
}

static int refuse_stranger(const Store *s, Err *err) {
  return err_set(
      err, RC_ERROR, ERR_STORE,
      "the store '%.300s' was not made by this installation, so nothing was read from it and"
      " nothing sent" ERR_CURE(
          "; if you trust it and the answers in it, SELECT llm_trust_store()%s"),
      store_name(s),
      s->path ? ", or name it (LLMCOST_STORE, llm_config('store', path)); else delete it" : "");
}

int known_check(Store *s, Err *err) {
  long long version;
  if (claimed_version(s, &version, err) != RC_OK || version == 0 ||
      migrate_check_version(s, version, err) != RC_OK) {
    return err->rc;
  }
  GenuineAge age = version < migrate_newest() ? GENUINE_OTHER_VERSION : GENUINE_OTHER_VIEWS;
  if (genuine_check_store(s, age, err) != RC_OK || s->trust != STORE_MARKED) {
    return err->rc;
  }
  int is_known = version < GENUINE_MARKS_SINCE ? 0 : genuine_is_marked(s->db, "main", err);
  return is_known == 0 ? refuse_stranger(s, err) : err->rc;
}

int store_is_ours(sqlite3 *db, const char *schema, const StoreHost *host, Err *err) {
  Err foreign = {0};
  long long version = 0;
  int is_marked = genuine_is_marked(db, schema, err);
  if (is_marked != 1 || genuine_version(db, schema, &version, err) != RC_OK) {
    return err->rc == RC_OK ? is_marked : -1;
  }
  if (version < GENUINE_MARKS_SINCE) {
    return 0; /* a mark that can't be */
  }
  GenuineAge age = version == migrate_newest() ? GENUINE_OTHER_VIEWS : GENUINE_OTHER_VERSION;
  GenuineAsk ask = {db, schema, schema, GENUINE_TABLES, age};
  if (genuine_check(&ask, host, &foreign) == RC_INTERRUPT || foreign.rc == RC_NOMEM) {
    *err = foreign; /* it was not looked at */
    return -1;
  }
  return foreign.rc == RC_OK;
}
