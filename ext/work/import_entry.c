/*
** See import_entry.h for the contract.
*/
#include "work/import_entry.h"

#include "base/buf.h"
#include "base/text/decimal.h"
#include "base/text/text.h"
#include "base/utf8.h"
#include "core/names/model_name.h"
#include "money/billing.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* ---- texts */

enum { BLOCK = 1 << 16 };

typedef struct TextBlock {
  struct TextBlock *next;
  char bytes[BLOCK];
} TextBlock;

void texts_free(Texts *t) {
  for (TextBlock *b = t->blocks, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  *t = (Texts){0};
}

static char *texts_room(Texts *t, size_t n, Err *err) {
  if (n > t->left) {
    TextBlock *b = malloc(sizeof *b);
    if (!b) {
      err_nomem(err);
      return NULL;
    }
    b->next = t->blocks;
    t->blocks = b;
    t->left = BLOCK;
  }
  t->left -= n;
  return t->blocks->bytes + t->left;
}

/* n bytes, n at most BLOCK. */
static const char *keep_bytes(Texts *t, const char *text, size_t n, Err *err) {
  char *to = texts_room(t, n + 1, err);
  if (to) {
    memcpy(to, text, n);
    to[n] = 0;
  }
  return to;
}

/* How many bytes of a text are kept: none of a character that would be cut. */
static size_t kept_length(const char *text) {
  size_t n = strnlen(text, LIMIT_IMPORT_TEXT + 1);
  if (n > LIMIT_IMPORT_TEXT) {
    n = LIMIT_IMPORT_TEXT;
    while (n > 0 && (text[n] & 0xC0) == 0x80) {
      n--;
    }
  }
  return n;
}

const char *texts_keep(Texts *t, const char *text, Err *err) {
  size_t n = text ? kept_length(text) : 0, bad_at;
  if (n == 0) {
    return NULL;
  }
  if (utf8_is_valid(text, n, &bad_at)) {
    return keep_bytes(t, text, n, err);
  }
  Buf b;
  buf_init(&b, 4 * LIMIT_IMPORT_TEXT);
  text_replace_invalid(text, n, &b);
  const char *kept = b.failed ? (err_nomem(err), NULL) : keep_bytes(t, b.data, b.n, err);
  buf_free(&b);
  return kept;
}

/* ---- what can't be */

static int wrong(const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_USAGE, "%s", what);
}

static int is_time(long long ms) {
  return ms > 0 && ms <= TIME_LAST;
}

static int has_count_over(const Usage *u, long long most) {
  for (UnitSet left = u->has; left; left &= left - 1) {
    long long n = u->n[UNIT_FIRST(left)];
    if (n < 0 || n > most) {
      return 1;
    }
  }
  return 0;
}

static int check_entry(const LogEntry *e, Err *err) {
  if (!is_time(e->ts) || (e->what == LOG_SUM && (!is_time(e->to) || e->to < e->ts))) {
    return wrong("its time is none", err);
  }
  if (has_count_over(&e->usage, e->what == LOG_SUM ? LIMIT_COUNT : LIMIT_TOKENS)) {
    return wrong("a count of tokens is beyond what can be", err);
  }
  return RC_OK;
}

/* ---- calls */

static LedgerKind kind_of(LogKind kind) {
  static const LedgerKind kinds[] = {[LOG_ANSWERED] = KIND_CALL,
                                     [LOG_BATCH] = KIND_BATCH,
                                     [LOG_EMBED] = KIND_EMBED,
                                     [LOG_HIT] = KIND_HIT_EXACT,
                                     [LOG_HIT_SEMANTIC] = KIND_HIT_SEMANTIC};
  return kinds[kind];
}

/* Our word for a provider, where it is known. */
static const char *provider_of(const char *word, Texts *t, Err *err) {
  const Vendor *vendor = word ? vendor_by_word(word) : NULL;
  return vendor ? vendor->id : texts_keep(t, word, err);
}

static void fill_texts(const EntryRules *rules, const LogEntry *e, Texts *t, LedgerRow *row,
                       Err *err) {
  row->provider = provider_of(e->provider, t, err);
  row->model = texts_keep(t, e->model, err);
  row->model_requested = texts_keep(t, e->model_requested, err);
  row->tag = texts_keep(t, e->tag, err);
  row->tag = row->tag ? row->tag : rules->tag;
  row->user = texts_keep(t, e->user, err);
  row->user = row->user ? row->user : rules->user;
  row->conversation = texts_keep(t, e->conversation, err);
  row->error = texts_keep(t, e->error, err);
  row->finish_reason = texts_keep(t, e->finish_reason, err);
  row->provider_request_id = texts_keep(t, e->request_id, err);
  row->geo = texts_keep(t, e->usage.geo, err);
}

/* A request's name here; of one that is longer than ours are, its hash: cut, two could be one. */
static const char *request_name(const char *logical, Texts *t, Err *err) {
  enum { NAME = 60 };
  char name[80], hex[HASH_HEX_SIZE];
  size_t n = strlen(logical);
  if (n > NAME) {
    Hash hash = hash_bytes(logical, n, 0);
    hash_hex(&hash, hex);
  }
  snprintf(name, sizeof name, "import:%s", n > NAME ? hex : logical);
  return texts_keep(t, name, err);
}

/* What only our own log says. Its requests have names of their own here: those of the store that it came from may be ours. */
static void fill_own(const LogEntry *e, Texts *t, LedgerRow *row, Err *err) {
  row->request_id = e->logical ? request_name(e->logical, t, err) : row->request_id;
  row->attempt = e->attempt >= 0 ? e->attempt : row->attempt;
  row->turn = e->turn >= 0 ? e->turn : LEDGER_NULL;
  row->system_tokens = e->system_tokens >= 0 ? e->system_tokens : LEDGER_NULL;
  row->history_tokens = e->history_tokens >= 0 ? e->history_tokens : LEDGER_NULL;
  row->system_hash = texts_keep(t, e->system_hash, err);
  row->prompt_hash = texts_keep(t, e->prompt_hash, err);
  row->retry_reason = texts_keep(t, e->retry_reason, err);
  row->purpose = texts_keep(t, e->purpose, err);
  row->route_score = e->route_score;
  row->cache_miss = texts_keep(t, e->cache_miss, err);
  row->tier = texts_keep(t, e->tier, err);
  row->tier_drawn = texts_keep(t, e->tier_drawn, err);
  row->tier_served = texts_keep(t, e->tier_served, err);
}

static char *put_text(char *to, const char *text) {
  size_t n = strlen(text);
  memcpy(to, text, n);
  return to + n;
}

/* A usage as usage_json prints it. Most hold counts alone: those are written without a tree. */
static const char *keep_usage(const Usage *u, Texts *t, Err *err) {
  enum { UNIT_TEXT = 48 }; /* "cache_write_1h_image":9007199254740991, */
  char text[UNIT_COUNT * UNIT_TEXT + 2], *to = text;
  if (u->other[0] || u->geo[0] || strcmp(u->service, "standard") != 0) {
    char *printed = json_print(usage_json(u), err);
    const char *kept =
        printed && strlen(printed) < BLOCK ? keep_bytes(t, printed, strlen(printed), err) : NULL;
    cJSON_free(printed);
    return kept;
  }
  for (UnitSet left = u->has; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    to = put_text(to, to == text ? "{\"" : ",\"");
    to = put_text(to, unit_word(unit));
    to = decimal_put(put_text(to, "\":"), u->n[unit]);
  }
  *to++ = '}';
  return keep_bytes(t, text, (size_t)(to - text), err);
}

static void fill_counts(const LogEntry *e, Texts *t, LedgerRow *row, Err *err) {
  const Usage *u = &e->usage;
  billing_counts(u, row);
  row->latency_ms = e->latency_ms >= 0 ? e->latency_ms : LEDGER_NULL;
  row->http_status = e->http_status >= 0 ? e->http_status : LEDGER_NULL;
  row->usage = u->has || u->other[0] ? keep_usage(u, t, err) : NULL;
}

static int is_billed_as_list(const EntryRules *rules, const LogEntry *e) {
  return rules->billed >= 0 ? rules->billed == LOG_LIST : e->billed == LOG_LIST;
}

/* What it comes to by our prices, where it says what was used. One that could not be priced says why. */
static void fill_cost(const EntryRules *rules, const LogEntry *e, Texts *t, LedgerRow *row,
                      Err *err) {
  Err why = {0};
  Billing billing = {.nusd = BILLING_UNKNOWN, .list_nusd = BILLING_UNKNOWN, .why = ""};
  const Billed billed = {.model = row->model ? row->model : "",
                         .requested = row->model_requested ? row->model_requested : "",
                         .provider = row->provider,
                         .at_ms = row->ts,
                         .usage = &e->usage};
  int is_used = e->usage.has || e->usage.other[0];
  PriceVerdict verdict = is_used ? billing_price(rules->conn, &billed, &billing, &why) : NO_PRICE;
  if (is_used && verdict == NO_MODEL && is_billed_as_list(rules, e) &&
      strstr(billed.model, "anthropic.")) { /* an agent's that is served from another cloud */
    Billed elsewhere = billed;
    elsewhere.provider = NULL;
    verdict = billing_price(rules->conn, &elsewhere, &billing, &why);
  }
  if (why.rc != RC_OK && why.rc != RC_ERROR) {
    *err = why;
    return;
  }
  const char *standard = strcmp(e->usage.service, "standard") == 0 && billing.service[0]
                             ? billing.service
                             : e->usage.service;
  row->service = texts_keep(t, standard, err);
  row->cost_nusd = billing.nusd;
  row->list_nusd = billing.list_nusd;
  if (verdict == BAD_USAGE && !row->error) {
    Buf b;
    buf_init(&b, LIMIT_IMPORT_TEXT);
    buf_printf(&b, "unpriced: %s", billing.why);
    row->error = texts_keep(t, b.data, err);
    buf_free(&b);
  }
}

/* A hit cost nothing; what it would have cost was saved. Its tokens were nobody's. */
static void make_hit(const LogEntry *e, LedgerRow *row) {
  row->attempt = 0;
  int is_said = e->saved_nusd >= 0 && e->saved_nusd <= LIMIT_COUNT;
  row->saved_nusd = is_said ? e->saved_nusd : row->cost_nusd;
  row->cost_nusd = 0;
  row->list_nusd = LEDGER_NULL;
  row->input_tokens = row->cached_input_tokens = row->cache_write_tokens = LEDGER_NULL;
  row->cache_write_long_tokens = row->output_tokens = row->reasoning_tokens = LEDGER_NULL;
  row->usage = NULL;
}

int entry_identity(const EntryRules *rules, const LogEntry *e, const Hash *record, Texts *t,
                   PastCall *call, Err *err) {
  char hex[HASH_HEX_SIZE];
  if (check_entry(e, err) != RC_OK) {
    return err->rc;
  }
  hash_hex(record, hex);
  *call = (PastCall){.is_copy = e->is_copy, .rank = e->rank, .has_group = e->group != NULL};
  call->row.ts = e->ts;
  call->key = past_hash(e->key ? (const char *const[]){rules->source, "call", e->key, NULL}
                               : (const char *const[]){rules->source, "record", hex, NULL});
  call->part = e->key ? texts_keep(t, e->part, err) : NULL;
  if (call->part) {
    call->part_key =
        past_hash((const char *const[]){rules->source, "part", e->key, call->part, NULL});
  }
  if (e->group) {
    call->group = past_hash((const char *const[]){rules->source, "group", e->group, NULL});
  }
  return err->rc;
}

int entry_call(const EntryRules *rules, const LogEntry *e, Texts *t, PastCall *call, Err *err) {
  LedgerRow *row = &call->row;
  long long reported = e->usage.reported_nusd;
  row_init(row);
  row->ts = e->ts;
  row->kind = kind_of(e->kind);
  row->source = rules->source;
  row->billed = is_billed_as_list(rules, e) ? "list" : "paid";
  row->cost_reported_nusd = reported >= 0 && reported <= LIMIT_COUNT ? reported : LEDGER_NULL;
  fill_texts(rules, e, t, row, err);
  fill_own(e, t, row, err);
  fill_counts(e, t, row, err);
  fill_cost(rules, e, t, row, err);
  if (e->kind == LOG_HIT || e->kind == LOG_HIT_SEMANTIC) {
    make_hit(e, row);
  }
  return err->rc;
}

/* ---- sums */

/* (A credit is below 0.) */
static long long money(long long nusd) {
  return nusd >= -LIMIT_COUNT && nusd <= LIMIT_COUNT ? nusd : LEDGER_NULL;
}

/* The plain name of a model, NULL where none is said. */
static const char *plain_name(const LogEntry *e, Texts *t, Err *err) {
  char name[LIMIT_MODEL_NAME];
  const char *model = e->model ? e->model : e->model_requested;
  if (model) {
    model_name_plain(model, name, sizeof name);
  }
  return model ? texts_keep(t, name, err) : NULL;
}

int entry_sum(const EntryRules *rules, const LogEntry *e, Texts *t, PastSum *sum, Err *err) {
  const Usage *u = &e->usage;
  if (check_entry(e, err) != RC_OK) {
    return err->rc;
  }
  /* (a sum of money alone says no service) */
  int says_service = u->has || strcmp(u->service, "standard") != 0;
  *sum = (PastSum){.source = rules->format,
                   .from = e->ts,
                   .to = e->to,
                   .has_group = e->group != NULL,
                   .precedence = e->precedence,
                   .provider = provider_of(e->provider, t, err),
                   .model = texts_keep(t, e->model ? e->model : e->model_requested, err),
                   .model_plain = plain_name(e, t, err),
                   .service = texts_keep(t, says_service ? u->service : NULL, err),
                   .geo = texts_keep(t, u->geo, err),
                   .item = texts_keep(t, e->item, err),
                   .project = texts_keep(t, e->project, err),
                   .user = texts_keep(t, e->user, err),
                   .api_key = texts_keep(t, e->api_key, err),
                   .requests = e->requests >= 0 ? e->requests : LEDGER_NULL,
                   .input_tokens = billing_count(u, UNIT_INPUT),
                   .cached_input_tokens = billing_count(u, UNIT_CACHE_READ),
                   .cache_write_tokens = billing_count(u, UNIT_CACHE_WRITE),
                   .cache_write_long_tokens = billing_count(u, UNIT_CACHE_WRITE_1H),
                   .output_tokens = billing_count(u, UNIT_OUTPUT),
                   .reasoning_tokens = billing_count(u, UNIT_REASONING),
                   .quantity = e->quantity,
                   .unit = texts_keep(t, e->unit, err),
                   .amount_nusd = money(e->amount_nusd),
                   .list_nusd = money(e->list_nusd)};
  if (e->group) {
    sum->group = past_hash((const char *const[]){rules->source, "group", e->group, NULL});
  }
  if (e->group && e->self) {
    sum->has_self = 1;
    sum->self = past_hash((const char *const[]){e->group, e->self, NULL});
    sum->parent = past_hash((const char *const[]){e->group, e->parent ? e->parent : "", NULL});
  }
  /* (one record may be two sums, of two items) */
  sum->record = hash_bytes(e->record ? e->record : "", e->n_record, e->item ? strlen(e->item) : 0);
  return err->rc;
}
