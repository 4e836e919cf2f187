/*
** llm_mirror: the ledger's numbers into main, from where a server copies them to its replicas.
*/
#include "fn/fn.h"

#include "base/sqlite/args.h"
#include "store/db/mode.h"
#include "store/ledger.h"
#include "store/mirror/mirror.h"
#include "store/sums/rebuild.h"

/* All that is final is in the sums, and nothing waits. */
static int settle(Store *s, Err *err) {
  if (ledger_flush(s, err) == RC_OK && store_begin(s, err) == RC_OK) {
    rebuild_uncounted(s, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

static char *report_json(const MirrorReport *r, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "calls", cJSON_CreateNumber((double)r->calls), err);
  json_add(tree, "rollups", cJSON_CreateNumber((double)r->rollups), err);
  json_add(tree, "invoices", cJSON_CreateNumber((double)r->invoices), err);
  json_add(tree, "removed", cJSON_CreateNumber((double)r->removed), err);
  json_add(tree, "total", cJSON_CreateNumber((double)r->total), err);
  json_add(tree, "left", cJSON_CreateNumber((double)r->left), err);
  return json_print(tree, err);
}

/* llm_mirror(): JSON. */
void fn_llm_mirror(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  MirrorReport report;
  (void)argc;
  (void)argv;
  Store *s = conn_store(c, 1, err);
  if (s && s->mode != &mode_file) {
    err_set(
        err, RC_ERROR, ERR_STORE,
        "the store is in this database itself, and so on its replicas: there is nothing to copy");
  }
  if (s && err->rc == RC_OK && settle(s, err) == RC_OK &&
      mirror_copy(s, c->db, &report, err) == RC_OK) {
    char *json = report_json(&report, err);
    if (json) {
      result_json(ctx, json);
    }
  }
}
