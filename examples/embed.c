/*
** An application that links SQLite and llmcost itself. Build, after `make`:
**
**   cc -Iext examples/embed.c libllmcost.a -lsqlite3 \
**      $(pkg-config --libs libcurl libcjson libxxhash libutf8proc libpcre2-8 libsodium zlib libbrotlidec) -lpthread -lm -o embed
**
** Run with no argument it prints what a call would send and cost; with a database file it answers
** there.
*/
#include <llmcost.h>
#include <stdio.h>

static int print_row(void *unused, int n, char **values, char **names) {
  (void)unused;
  for (int i = 0; i < n; i++) {
    printf("%s: %s\n", names[i], values[i] ? values[i] : "NULL");
  }
  return 0;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  char *message = NULL;
  const char *sql =
      argc > 1 ? "SELECT llm_complete('What is your return policy?') AS answer"
               : "SELECT llmcost_version() AS version, llm_price('gpt-4o', 'input') AS gpt4o_input,"
                 " llm_complete('Hello', '{\"dry_run\":true}') AS would_send";
  sqlite3_auto_extension((void (*)(void))sqlite3_llmcost_init);
  int rc = sqlite3_open(argc > 1 ? argv[1] : ":memory:", &db);
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, sql, print_row, NULL, &message);
  }
  if (rc != SQLITE_OK) {
    fprintf(stderr, "%s\n", message ? message : sqlite3_errmsg(db));
  }
  sqlite3_free(message);
  sqlite3_close(db);
  return rc != SQLITE_OK;
}
