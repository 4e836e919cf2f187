/*
** llmcost: LLM calls from SQL, cached, priced and ledgered.
**
** A loadable extension (llmcost.so, entry point sqlite3_llmcost_init), or a static library for
** applications that link SQLite themselves: compile with libllmcost.a and call, before opening
** connections,
**
**   sqlite3_auto_extension((void (*)(void))sqlite3_llmcost_init);
**
** or call it for one open connection with (db, &message, NULL). The SQL interface is in README.md and sql/manual.
*/
#ifndef LLMCOST_H
#define LLMCOST_H

#include <sqlite3.h>

#define LLMCOST_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3_api_routines;

/* Registers everything with one connection. Writes nothing, opens no file, sends nothing.
** Loading twice is safe. Returns SQLITE_OK (SQLITE_OK_LOAD_PERMANENTLY from the shared object),
** or an error with message set (sqlite3_free). */
__attribute__((visibility("default"))) int
sqlite3_llmcost_init(sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

/* The same for a replica of a server: that connection only reads (trust/node/node.h). SQLite takes this entry point by itself where the library
** is called llmcost_ro.so. */
__attribute__((visibility("default"))) int
sqlite3_llmcostro_init(sqlite3 *db, char **message, const struct sqlite3_api_routines *api);

#ifdef __cplusplus
}
#endif

#endif
