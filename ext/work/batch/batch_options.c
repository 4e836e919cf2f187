/*
** See batch_options.h for the contract.
*/
#include "work/batch/batch_options.h"

#include "base/text/spec.h"
#include "work/map/map_options.h"

#define INTO(type, member) SPEC_INTO(BatchOptions, type, member)

static const Spec specs[] = {
    {"dry_run", INTO(SWITCH, dry_run), .of = FOR_FLUSH, .initial = "off"},
    {"max_requests", INTO(INTEGER, limits.requests), .min = 1, .max = LIMIT_COUNT, .of = FOR_FLUSH},
    {"max_bytes", INTO(INTEGER, limits.bytes), .min = 1, .max = LIMIT_COUNT, .of = FOR_FLUSH},
    {"max_tokens", INTO(INTEGER, limits.tokens), .min = 1, .max = LIMIT_COUNT, .of = FOR_FLUSH},
    {"concurrency", INTO(INTEGER, concurrency), .min = 1, .max = MAP_MOST_CONCURRENCY,
     .of = FOR_FLUSH, .initial = "16"},
    {"delete_files", INTO(SWITCH, deletes_files), .of = FOR_POLL | FOR_WAIT, .initial = "off"},
    {"timeout", INTO(DURATION, timeout_ms), .of = FOR_WAIT},
    {"every", INTO(DURATION, every_ms), .of = FOR_WAIT},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, NULL,
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

int batch_options_read(const char *json, size_t n, unsigned of, BatchOptions *o, Err *err) {
  cJSON *given = json ? spec_parse(&table, json, n, err) : NULL;
  spec_init(&table, o);
  if (given) {
    spec_read(&table, of, given, o, err);
  }
  cJSON_Delete(given);
  return err->rc;
}
