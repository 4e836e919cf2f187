/*
** The tables that are copied. See mirror.h.
*/
#include "store/db/sum_row.h"
#include "store/mirror/mirror.h"

const MirrorTable mirror_tables[MIRROR_TABLES] = {
    [MIRROR_OF_CALLS] =
        {.store = "llm_calls",
         .name = MIRROR_CALLS,
         .known_by = "is_open",
         .key = "id",
         .more = {{"is_open", "EXISTS (SELECT 1 FROM main.llm_intents i WHERE i.call_id = t.id)"}},
         .indexes = "CREATE INDEX IF NOT EXISTS main.llm_mirror_calls_ts ON llm_mirror_calls(ts);"
                    "CREATE INDEX IF NOT EXISTS main.llm_mirror_calls_request ON "
                    "llm_mirror_calls(request_id) "
                    "WHERE attempt > 0;"
                    "CREATE INDEX IF NOT EXISTS main.llm_mirror_calls_tag ON llm_mirror_calls(tag, "
                    "ts) WHERE tag "
                    "IS NOT NULL;"
                    "CREATE INDEX IF NOT EXISTS main.llm_mirror_calls_user ON "
                    "llm_mirror_calls(user, ts) WHERE "
                    "user IS NOT NULL;"
                    "CREATE INDEX IF NOT EXISTS main.llm_mirror_calls_open ON llm_mirror_calls(id)"
                    " WHERE is_open OR kind = 'unknown'"},
    [MIRROR_OF_SUMS] = {.store = "llm_sums",
                        .name = "llm_mirror_rollups",
                        .known_by = "grain",
                        .key = SUM_KEY},
    [MIRROR_OF_INVOICES] = {.store = "llm_invoices",
                            .name = "llm_mirror_invoices",
                            .known_by = "precedence",
                            .key = "id"},
    [MIRROR_OF_STATE] =
        {.store = "llm_sum_state",
         .name = "llm_mirror_state",
         .known_by = "sealed_before",
         .key = "dimension",
         .more = {{"mirrored_at", "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"},
                  {"imported_at", "(SELECT max(imported_at) FROM main.llm_import_files)"}}},
};
