/*
** See known.h for the contract.
*/
#include "store/schema/known.h"

#include "store/schema/genuine.h"
#include "store/schema/migrate.h"

/* The version that a store which lies there claims to be; 0 where there is none. Read before anything in it
** is believed: from the header of a file; in the user's own database once its objects are known to be tables. */
static int claimed_version(Store *s, long long *version, Err *err) {
  long long tables = 0, application = 0;
  *version = 0;
  if (s->mode->shares_file) {
    return store_has_schema(s->db, err) != 1 ||
                   genuine_check(s->db, "main", GENUINE_TABLES, 1, "main", &s->host, err) != RC_OK
               ? err->rc
               : store_version(s, version, err);
  }
  if (store_ask(s, "SELECT count(*) FROM main.sqlite_schema NOT INDEXED", &tables, err) < 0 ||
      tables == 0) {
    return err->rc;
  }
  store_ask(s, "PRAGMA main.application_id", &application, err);
  store_ask(s, "PRAGMA main.user_version", version, err);
  return err->rc == RC_OK && (application != STORE_APPLICATION_ID || *version < 1)
             ? err_set(err, RC_ERROR, "store",
                       "'%s' is another program's database, not a store of llmcost", s->path)
             : err->rc;
}

static int refuse_stranger(const Store *s, Err *err) {
  return err_set(
      err, RC_ERROR, "store",
      "the store '%.300s' was not made by this installation, so nothing was read from it and"
      " nothing sent; if you trust it and the answers in it, SELECT llm_trust_store()%s",
      store_name(s),
      s->path ? ", or name it (LLMCOST_STORE, llm_config('store', path)); else delete it" : "");
}

int known_check(Store *s, Err *err) {
  const char *what = store_name(s);
  long long version;
  if (claimed_version(s, &version, err) != RC_OK || version == 0) {
    return err->rc;
  }
  if (version > STORE_VERSION) {
    return err_set(err, RC_ERROR, "store",
                   "the store '%s' was made by a newer llmcost (version %lld, ours %d)", what,
                   version, STORE_VERSION);
  }
  int older = version < STORE_VERSION;
  GenuineScope scope = s->mode->shares_file ? GENUINE_TABLES : GENUINE_FILE;
  if (genuine_check(s->db, "main", scope, older, what, &s->host, err) != RC_OK ||
      s->trust != STORE_MARKED) {
    return err->rc;
  }
  int is_known = older ? 0 : genuine_is_marked(s->db, "main", err);
  return is_known == 0 ? refuse_stranger(s, err) : err->rc;
}

int store_is_ours(sqlite3 *db, const char *schema, const StoreHost *host, Err *err) {
  Err foreign = {0};
  int marked = genuine_is_marked(db, schema, err);
  return marked == 1 ? genuine_check(db, schema, GENUINE_TABLES, 0, schema, host, &foreign) == RC_OK
                     : marked;
}
