/*
** llm_import: usage logs of other programs, and exports of providers, into the ledger.
*/
#include "fn/fn.h"

#include "base/sqlite/args.h"
#include "money/pricing.h"
#include "work/import.h"

#define BILLED(X)                                                                                  \
  X(BILLED_PAID, "paid")                                                                           \
  X(BILLED_LIST, "list")

static const Spec specs[] = {
    {"format", SPEC_INTO(ImportOptions, CHARS, format)},
    {"columns", SPEC_INTO(ImportOptions, OBJECT, columns)},
    {"tag", SPEC_INTO(ImportOptions, OWNED, tag)},
    {"user", SPEC_INTO(ImportOptions, OWNED, user)},
    {"billed", SPEC_INTO(ImportOptions, WORD, billed), .words = SPEC_WORDS(BILLED)},
    {"smaller", SPEC_INTO(ImportOptions, WORD, smaller), .words = SPEC_WORDS(IMPORT_SMALLER),
     .initial = "keep"},
    {"again", SPEC_INTO(ImportOptions, SWITCH, again), .initial = "off"},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, "format",
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

/* llm_import(path [, options]): JSON. */
void fn_llm_import(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Conn *c = fn_conn(ctx);
  ImportOptions o;
  size_t n = 0;
  const char *path = arg_text(argv[0], "the path", err);
  const char *json = argc > 1 ? arg_bytes(argv[1], &n, err) : NULL;
  cJSON *given = json ? spec_parse(&table, json, n, err) : NULL;
  spec_init(&table, &o);
  if (given) {
    spec_read(&table, 0, given, &o, err); /* (the columns are borrowed from it) */
  }
  char *text = NULL;
  if (path && err->rc == RC_OK && pricing_refresh(c, ctx, err) == RC_OK) {
    text = import_run(c, path, &o, err);
  }
  spec_free(&table, &o);
  cJSON_Delete(given);
  if (text) {
    result_json(ctx, text);
  }
}
