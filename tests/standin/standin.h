/*
** standin.h: what the files of the stand-in provider share.
**
** Layers, from the wire inwards (arrows point down only):
**
**   main.c      options, the listening daemon, signals
**   route.c     one HTTP request: collect, recognise, refuse, dispatch, answer
**   admin.c     the /standin/ pages: bill, journal, latency, default scenario
**   openai.c  anthropic.c  embed.c         request body -> answer body, one file per wire shape
**   files.c  batch.c  message_batch.c  mistral.c  job.c  result.c  plan.c   files and batches: batch.h
**   scenario.c  deliver.c                  which fault, and how it reaches the wire
**   rate.c                                 rate limits, and how many came when
**   check.c  strict.c                      refusals: unknown, missing, mistyped, out of range; schemas
**   complete.c                             provider-neutral: prompt in, text + usage + price out
**   answer.c  schema.c  prompt.c           the words, the JSON, the tokens and the prompt cache
**   bill.c                                 prices, totals, journal
**   text.c                                 buffers, hashes, strict JSON and UTF-8, token rule
**
** Threading: one thread per connection (libmicrohttpd). Every file that owns state owns one mutex
** for it and never calls into another stateful file while holding it, except that batch files call
** the bill. Out of memory aborts: a test tool has nothing better to do.
*/
#ifndef STANDIN_H
#define STANDIN_H

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <stddef.h>
#include <stdint.h>

/* ---- limits, each with its reason ---- */
#define MODEL_MAX 128                /* longest model name kept */
#define NAME_MAX_LEN 64              /* longest scenario name; also OpenAI's name limits */
#define BODY_MAX ((size_t)300 << 20) /* above both providers' batch limits, so they can refuse */
#define OPENAI_FILE_MAX ((size_t)200 << 20)    /* OpenAI: 200 MB in a batch input file */
#define OPENAI_BATCH_MAX 50000                 /* OpenAI: requests in one batch */
#define ANTHROPIC_BODY_MAX ((size_t)256 << 20) /* Anthropic: 256 MB in one batch */
#define ANTHROPIC_BATCH_MAX 100000             /* Anthropic: requests in one batch */
#define JOURNAL_MAX 300000                     /* events kept in memory; totals are never dropped */
#define LAST_BODY_MAX ((size_t)1 << 20)        /* of the latest request, for /standin/last */
#define PROMPT_BYTES 200                       /* of the last user message, in the journal */
#define CACHE_STEP 128                         /* OpenAI prompt cache: hits come in steps of this */
#define CACHE_MIN 1024                         /* OpenAI prompt cache: shortest prefix */
#define BREAKS_MAX 4                           /* Anthropic: cache_control blocks in one request */

enum api { API_OPENAI, API_ANTHROPIC };

/* ---- text.c ---- */

/* A growable byte string, always NUL-terminated once anything was added. Zeroed = empty. */
struct buf {
  char *p;
  size_t n, cap;
};

/* A set of 64-bit keys with a count each. Zeroed = empty. Not locked. */
struct map {
  struct map_slot {
    uint64_t key;
    int64_t count;
  } * slot;
  size_t used, cap;
};

void *need(void *p);                                    /* p, or abort when NULL */
char *dup_n(const char *s, size_t n);                   /* owned copy, NUL-terminated */
void copy_name(char *to, size_t cap, const char *from); /* bounded copy, cut when too long */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void buf_json(struct buf *b, const cJSON *j); /* appends j without spaces */
char *buf_take(struct buf *b);                /* hands the bytes over; never NULL */
void buf_free(struct buf *b);
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
int64_t map_add(struct map *m, uint64_t key, int64_t delta); /* the new count */
int64_t map_get(const struct map *m, uint64_t key);          /* 0 when absent */
void map_free(struct map *m);
int utf8_valid(const char *p, size_t n);
size_t utf8_fit(const char *s, size_t n, size_t max); /* at most max bytes, no character split */
cJSON *json_strict(const char *p,
                   size_t n);              /* owned tree, or NULL when not one strict JSON value */
int name_valid(const char *s, size_t max); /* ^[A-Za-z0-9_-]{1,max}$ */
const char *token_next(const char **p, const char *end, size_t *len); /* next token, or NULL */
int64_t token_count(const char *p, size_t n);
size_t token_cut(const char *p, size_t n, int64_t max);   /* bytes that hold the first max tokens */
const char *json_text(const cJSON *obj, const char *key); /* string member, or NULL */
const cJSON *json_get(const cJSON *obj, const char *key); /* member, or NULL */
void json_add_text(cJSON *obj, const char *key, const char *s);
void json_add_count(cJSON *obj, const char *key, int64_t n, int as_text);
void json_add_usd(cJSON *obj, const char *key, int64_t nusd);
int64_t json_int(const cJSON *obj, const char *key, int64_t otherwise);
int64_t now_ms(void);  /* monotonic milliseconds */
int64_t unix_ms(void); /* milliseconds since 1970 */

/* ---- scenario.c ---- */

enum fault {
  FT_OK,
  FT_HTTP, /* answered with an error status, before any work: never billed */
  FT_HTML,
  FT_DETAIL,
  FT_FAILED_200,
  FT_REDIRECT,
  FT_REDIRECT_AWAY,
  FT_RESET,
  FT_CLOSE,
  FT_HANG_UNBILLED,
  FT_LAST_UNBILLED = FT_HANG_UNBILLED, /* everything above ends the request unbilled */
  FT_HANG,
  FT_RESET_AFTER,
  FT_RST_AFTER,
  FT_GATEWAY_AFTER,
  FT_LORIS,
  FT_TRUNCATED,
  FT_BAD_JSON,
  FT_NOT_JSON,
  FT_BAD_UTF8,
  FT_NUL,
  FT_DEEP,
  FT_HUGE,
  FT_BIG_HEADERS,
  FT_SSE_CUT,
  FT_SSE_NO_USAGE,
  FT_SLOW,
  FT_LENGTH,
  FT_REFUSAL,
  FT_FILTER,
  FT_TOOL,
  FT_EMPTY,
  FT_NULL_CONTENT,
  FT_NO_USAGE,
  FT_ZERO_USAGE,
  FT_NULL_USAGE,
  FT_BAD_USAGE,
  FT_STRING_USAGE,
  FT_WRONG_SCHEMA,
  FT_FENCED,
  FT_COST,
  FT_TIER,
  FT_FALLBACK,
  FT_CACHED,
  FT_CACHE_FLOOR,
  FT_BATCH /* settings of plan.c; the last */
};

/* One row of the scenario table. */
struct scenario {
  const char *name;
  enum fault fault;
  int times;  /* how often it strikes the same body by default; 0 = every time */
  int status; /* OpenAI's status; the FT_HTTP family only */
  const char *type, *code, *message;
  int status_anthropic; /* 0 = the same */
  const char *type_anthropic, *code_anthropic;
  const char *header, *value; /* one extra response header; value "date" = HTTP date 2 s ahead */
};

/* A scenario as one request chose it. */
struct choice {
  char name[NAME_MAX_LEN]; /* as written, with its suffix */
  const struct scenario *row;
  int64_t times; /* 0 = every time */
  int64_t arg;   /* the -N suffix, or -1 */
};

int scenario_find(const char *name, struct choice *out); /* 1 when known */
void scenario_default_get(struct choice *out);
int scenario_default_set(const char *name);                             /* 1 when known */
enum fault scenario_strike(const struct choice *c, uint64_t body_hash); /* FT_OK when it's spent */
void scenario_reset(void);
void scenario_list(struct buf *out); /* one name per line */
int64_t latency_ms(const struct choice *c, uint64_t body_hash);
int latency_set(const char *scenario, int64_t ms); /* NULL = for all; 0 when unknown */
void latency_draw(int64_t ms, int64_t to_ms, uint64_t seed);
cJSON *error_openai(const char *type, const char *code, const char *param, const char *message);
cJSON *error_anthropic(int status, const char *type, const char *code, const char *message);
int scenario_error(const struct scenario *s, enum api api, cJSON **body); /* status; body owned */

/* ---- prompt.c ---- */

/* What was sent, flattened: its tokens, its hash, its cacheable prefixes. */
struct prompt {
  uint64_t hash; /* of all roles and texts */
  uint64_t roll; /* the running hash over tokens, seeded by the model */
  int64_t tokens;
  uint64_t *mark; /* roll at CACHE_MIN, CACHE_MIN + CACHE_STEP, ... tokens */
  size_t marks, marks_cap;
  struct edge { /* Anthropic: the end of a block */
    uint64_t roll;
    int64_t tokens;
    int ttl; /* minutes it's to be cached for (5, 60), 0 = no cache_control */
  } * edge;
  size_t edges, edges_cap;
  struct buf user; /* text of the last user message */
  int batch;       /* a line of one */
  int64_t arrived; /* when the request came (now_ms), for the caches; 0 = when it is answered */
};

struct usage {
  int64_t fresh;              /* input neither read from nor written to a cache */
  int64_t cached;             /* read from the cache */
  int64_t write_5m, write_1h; /* written to the cache (Anthropic) */
  int64_t output;
  int64_t thought; /* of the output */
};

void prompt_openai(struct prompt *p, const cJSON *req, const char *model);
void prompt_anthropic(struct prompt *p, const cJSON *req, const char *model);
void prompt_free(struct prompt *p);
void cache_use(struct prompt *p, enum api api, int64_t floor, struct usage *u);
void cache_set(int64_t after_ms, double miss, uint64_t seed, int64_t floor, int batches_apart);
void cache_later(int64_t ms);
void cache_reset(void);

/* ---- answer.c, schema.c ---- */

void answer_text(struct buf *out, const char *question, uint64_t ref);
int answer_wanted(struct buf *out, const char *question, const char *model);
void answers_tell(cJSON *answers); /* question -> answer, taken over; NULL = none */
cJSON *schema_instance(const cJSON *schema, const char *word);  /* owned; word fills strings */
cJSON *schema_violation(const cJSON *schema, const char *word); /* owned; JSON that doesn't fit */

/* ---- strict.c: 1 when the provider takes the schema; else 0 and its words ---- */

int schema_taken_o(const cJSON *schema, int strict, char *why, size_t cap);
int schema_taken_a(const cJSON *schema, char *why, size_t cap);

/* ---- complete.c ---- */

enum finish { FIN_STOP, FIN_SEQUENCE, FIN_LENGTH, FIN_TOOL, FIN_FILTER, FIN_REFUSAL };

void token_factor_set(double factor); /* input tokens billed per token counted; 1 at first */

/* A request, provider-neutral. Borrows everything. */
struct ask {
  enum api api;
  const char *model;
  int64_t max_tokens; /* -1 = no limit */
  int64_t n;          /* answers wanted */
  const cJSON *schema;
  const char *tool;  /* name of a forced tool, or NULL */
  int json_object;   /* "json_object" mode */
  const cJSON *stop; /* array of strings, a string, or NULL */
  enum fault fault;
  int batch;          /* half price */
  int flex;           /* the same */
  int64_t thought;    /* tokens of it */
  char argument[200]; /* of the tool, JSON; "" = by its schema */
  char said[800];     /* the answer, where tools have said it; "" = not */
};

/* ---- turned.c ---- */

int64_t thought_tokens(const cJSON *req, const char *model);
void tools_choose(const cJSON *req, struct ask *a);

/* What came of it. */
struct outcome {
  char model[MODEL_MAX];    /* as asked, without the scenario */
  char answered[MODEL_MAX]; /* as the provider names it */
  char *text;               /* owned; NULL = null content */
  char *sequence;           /* owned; the stop sequence met, or NULL */
  char tool[NAME_MAX_LEN + 1];
  enum finish finish;
  struct usage use;
  int flex;
  int64_t nusd;
  struct prompt prompt;
};

void complete_run(const struct ask *a, struct outcome *o); /* o->prompt filled by the caller */
void outcome_free(struct outcome *o);
void model_answered(const char *asked, char *out, size_t cap);

/* ---- bill.c ---- */

/* One line of the journal. Strings are owned by the journal once added; the caller's are copied. */
struct event {
  int64_t seq;
  int64_t at_ms;   /* when the request came, Unix; 0 = a line of a batch */
  int64_t wait_ms; /* the latency that it was given */
  const char *path, *model, *scenario, *client_id, *prompt, *key_tail, *batch;
  uint64_t prompt_hash;
  int status; /* 0 = the connection ended without an answer */
  int billed, has_key;
  struct usage use;
  int64_t nusd;
};

int64_t price_of(const char *model, const struct usage *u, int batch);
int bill_open(const char *path); /* 0, or -1 with errno; reads the file back; NULL = no file */
void bill_request(void);         /* counts one HTTP request */
void bill_add(const struct event *e);
void bill_reset(void);
cJSON *bill_total(const char *client_id); /* owned; NULL id = everything */
void bill_journal(struct buf *out);       /* the whole journal as a JSON array */
void bill_close(void);
uint64_t next_id(void); /* 1, 2, 3, ... for ids in answers */

/* ---- route.c ---- */

struct header {
  char name[48];
  char value[128];
};

enum delivery {
  D_PLAIN,
  D_EVENTS,     /* SSE, one event at a time */
  D_EVENTS_CUT, /* the same, then the connection breaks */
  D_TRUNCATED,  /* Content-Length promises more than comes */
  D_LORIS,      /* one byte per 100 ms, for ever */
  D_HUGE,       /* 64 MiB */
  D_BIG_HEADERS,
  D_PIECES,              /* so many bytes at a time */
  D_CUT,                 /* the same, and the connection breaks before its end */
  D_LAST_ANSWER = D_CUT, /* what follows sends nothing */
  D_HANG,
  D_RESET, /* TCP reset */
  D_CLOSE  /* orderly close */
};

/* Whose batches: told by the path (route.c). */
enum form { FORM_OPENAI, FORM_GROQ, FORM_AZURE, FORM_OPENROUTER, FORM_ANTHROPIC, FORM_MISTRAL };

/* Steps in the life of a batch, which settings can meet one by one (plan.c). */
enum step {
  STEP_NONE,
  STEP_UPLOAD,
  STEP_CREATE,
  STEP_GET,
  STEP_LIST,
  STEP_CANCEL,
  STEP_RESULTS,
  STEP_DELETE_FILE,
  STEP_DELETE,
  STEP_LIST_FILES,
  STEP_GET_FILE,
  STEPS
};

/* What goes back. */
struct reply {
  int status;
  const char *type; /* content type, static */
  struct buf body;
  struct header header[16];
  int headers;
  enum delivery delivery;
  size_t piece, stop;      /* of D_PIECES and D_CUT: bytes at a time (0 = any), bytes in all */
  struct outcome *outcome; /* owned; set when something was produced */
  int billed;
};

/* One request while it's being served. */
struct request {
  struct MHD_Connection *conn;
  enum api api;
  enum form form;
  int dated; /* its path wants ?api-version= */
  const char *method;
  char *raw_path;   /* owned, as sent */
  const char *path; /* inside raw_path or static: normalised, begins with /v1/ */
  struct buf body;
  int too_large; /* more than BODY_MAX came; the rest was dropped */
  cJSON *json;   /* owned: the parsed body */
  char id[160];  /* the variable part of the path, when the route has one */
  char client_id[128];
  char key_tail[8];
  int has_key;
  struct choice choice;
  enum fault fault;              /* what strikes this time */
  int struck;                    /* and it is the step that it strikes (plan.c) */
  int checked;                   /* the body was found well-formed */
  int64_t wait_ms;               /* its latency */
  int64_t arrived, arrived_unix; /* now_ms, unix_ms when all of it had come */
  struct reply reply;
};

enum MHD_Result route_handle(void *cls, struct MHD_Connection *conn, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **state);
void route_done(void *cls, struct MHD_Connection *conn, void **state,
                enum MHD_RequestTerminationCode why);
const char *request_header(const struct request *r, const char *name); /* borrowed, or NULL */
void reply_json(struct reply *p, int status, cJSON *body);             /* takes body */
void reply_header(struct reply *p, const char *name, const char *value);
void reply_error(struct request *r, int status, const char *type, const char *code,
                 const char *param, const char *message);
int admin_handle(struct request *r); /* 1 when the path was one of /standin/ */
void admin_remember(const struct request *r);
void admin_free(void);

/* ---- rate.c ---- */

int rate_refuse(struct request *r);      /* 1 = refused, and r->reply is made */
void rate_present(int change);           /* 1 = a request has come, -1 = it is answered */
const char *rate_set(const cJSON *want); /* NULL, or what is wrong */
cJSON *rate_report(void);                /* owned */
void rate_reset(void);

/* ---- check.c: each returns 0 when fine, else an HTTP status with *error owned ---- */

int check_chat(const cJSON *req, cJSON **error);
int check_messages(const cJSON *req, int counting, cJSON **error);
int check_embeddings(const cJSON *req, cJSON **error);

/* ---- the APIs: check refuses (returns 0 when fine), run answers ---- */

int openai_check(struct request *r);
void openai_run(struct request *r);
int embed_check(struct request *r);
void embed_run(struct request *r);
void models_run(struct request *r);
int anthropic_check(struct request *r);
void anthropic_run(struct request *r);
int count_check(struct request *r);
void count_run(struct request *r);

/* One answered request body, for batches too: status, body (owned), outcome filled on 200. */
int openai_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o, cJSON **body);
int embed_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o, cJSON **body);
int anthropic_answer(const cJSON *req, enum fault fault, int batch, struct outcome *o,
                     cJSON **body);
/* Splits "name@scenario" in the request's model member; 1 when a known scenario was cut off. */
int model_scenario(cJSON *req, struct choice *out);

/* ---- files and batches: the routes' functions; the rest is in batch.h ---- */

int files_check(struct request *r);
void files_create(struct request *r);
void files_get(struct request *r);
void files_content(struct request *r);
void files_delete(struct request *r);
void files_list(struct request *r);
int batch_check(struct request *r);
void batch_create(struct request *r);
void batch_get(struct request *r);
void batch_list(struct request *r);
void batch_cancel(struct request *r);
void batch_results(struct request *r);
void batch_delete(struct request *r);
int message_batch_check(struct request *r);
void message_batch_create(struct request *r);
void message_batch_get(struct request *r);
void message_batch_list(struct request *r);
void message_batch_results(struct request *r);
void message_batch_cancel(struct request *r);
void message_batch_delete(struct request *r);
int mistral_check(struct request *r);
void mistral_create(struct request *r);
void mistral_get(struct request *r);
void mistral_list(struct request *r);
void mistral_cancel(struct request *r);
void mistral_delete(struct request *r);

/* ---- deliver.c ---- */

void deliver_unbilled(struct request *r); /* the reply of a fault that strikes before any work */
void deliver_mangle(struct request *r);   /* a produced reply -> what the fault makes of it */
void deliver_events(struct request *r, int cut);      /* body holds SSE events */
void deliver_marker(struct buf *b, enum fault fault); /* U+E000 -> what nul and bad-utf8 want */
enum MHD_Result deliver_send(struct request *r);      /* hands the reply to the daemon */
int deliver_sleep(int64_t ms);                        /* 0 = slept; 1 = the program is ending */
void deliver_stop(void);                              /* wakes every sleeper for good */
void deliver_tls(void);                               /* notes that connections are encrypted */

#endif
