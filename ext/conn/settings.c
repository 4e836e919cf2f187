/*
** The table of settings. See settings.h for the contract.
*/
#include "conn/settings.h"

#include "core/request/options.h"

#define INTO(type, member) SPEC_INTO(Settings, type, member)

static const Spec specs[] = {
    {"store", INTO(OWNED, store), .null_is_none = 1, .is_operators = 1},
    {"proxy", INTO(OWNED, proxy), .null_is_none = 1, .is_operators = 1},
    {"time_zone", INTO(OWNED, time_zone), .null_is_none = 1},
    {"keep_calls", INTO(DURATION, keep_ms), .null_is_none = 1},
    {"max_usd", INTO(NUMBER, max_usd), .min = 0, .max = 1e9, .null_is_none = 1},
    {"max_calls", INTO(INTEGER, max_calls), .min = 0, .max = LIMIT_COUNT, .null_is_none = 1},
    {"minilm", INTO(OWNED, minilm), .null_is_none = 1, .is_operators = 1},
    {"log_text", INTO(WORD, log_text), .words = SPEC_WORDS(LOG_TEXTS), .initial = "full"},
    {"cache", INTO(WORD, cache), .words = SPEC_WORDS(CACHE_MODES), .initial = "exact"},
    {"cache_scope", INTO(WORD, scope), .words = SPEC_WORDS(CACHE_SCOPES), .initial = "shared"},
    {"volatile", INTO(SWITCH, heeds_volatile), .initial = "on"},
    {"route", INTO(WORD, route), .words = SPEC_WORDS(ROUTES), .initial = "score"},
    {"scorer", INTO(WORD, scorer), .words = SPEC_WORDS(SCORERS), .initial = "heuristic"},
    {"fallback", INTO(WORD, fallback), .words = SPEC_WORDS(FALLBACKS), .initial = "down"},
    {"progress", INTO(WORD, progress), .words = SPEC_WORDS(PROGRESSES), .initial = "auto"},
    {"gate", INTO(OWNED, gate), .null_is_none = 1},
    {"prune", INTO(OWNED, prune), .null_is_none = 1},
    {"audit", INTO(NUMBER, audit), .min = 0, .max = 1, .initial = "0"},
    {"max_false_hits", INTO(SHARE, max_false_hits), .null_is_none = 1},
    {"ttl", INTO(DURATION, ttl_ms), .null_is_none = 1},
    {"timeout_ms", INTO(INTEGER, timeout_ms), .min = 1, .max = 3600000, .initial = "300000"},
    {"connect_timeout_ms", INTO(INTEGER, connect_timeout_ms), .min = 1, .max = 3600000,
     .initial = "10000"},
    {"idle_timeout_ms", INTO(INTEGER, idle_timeout_ms), .min = 0, .max = 3600000,
     .initial = "120000"},
    {"retries", INTO(INTEGER, retries), .min = 0, .max = LIMIT_ATTEMPTS - 1, .initial = "2"},
    {"backoff_ms", INTO(INTEGER, backoff_ms), .min = 0, .max = LIMIT_BACKOFF_MS, .initial = "500"},
};

static const SpecHint hints[] = {
    {"timeout", "it is called 'timeout_ms' here, in milliseconds"},
    {"budget", "max_usd"},
    {"max_budget", "max_usd"},
    {"limit", "a limit is 'max_usd', in dollars, or 'max_calls'"},
    {"https_proxy", "proxy"},
    {"http_proxy", "proxy"},
    {"timezone", "time_zone"},
    {"tz", "time_zone"},
    {"max_retries", "retries"},
    {"model", "which model is asked, each call's option says, or llm_tiers"},
    {"retention", "keep_calls"},
    {NULL, NULL},
};

const SpecTable settings_table = {"setting", ERR_BAD_OPTION, NULL,
                                  hints,     specs,          sizeof specs / sizeof specs[0]};

void settings_init(Settings *set) {
  spec_init(&settings_table, set);
}

void settings_free(Settings *set) {
  spec_free(&settings_table, set);
}
