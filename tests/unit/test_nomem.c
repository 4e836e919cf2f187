/*
** Memory that is not there: every parser and builder of core, of the wire formats and of the vector index is
** run with its n-th allocation refused, and with all from the n-th on, for every n. What comes of it is the
** result of the undisturbed run, or RC_NOMEM: never another error, never another result. What leaks is found
** by the sanitizer at the end.
**
** The Makefile links this program with --wrap for the functions below; cJSON, PCRE2 and utf8proc, which are
** shared libraries, are given our allocator, or refuse by themselves.
*/
#define PCRE2_CODE_UNIT_WIDTH 8
#include "unit.h"

#include "base/text/json_lenient.h"
#include "base/base64.h"
#include "conn/settings.h"
#include "core/price/catalogue.h"
#include "core/ballast/filler.h"
#include "core/ballast/format_prose.h"
#include "core/ballast/places.h"
#include "core/compress/compress.h"
#include "core/lint/form.h"
#include "core/lint/lint.h"
#include "core/tokens/encoding.h"
#include "core/gate/agree.h"
#include "core/gate/gate.h"
#include "core/guard/guard.h"
#include "core/manual/help.h"
#include "core/logs/format.h"
#include "core/price/price_import.h"
#include "core/schema/answer_json.h"
#include "core/schema/schema.h"
#include "core/schema/schema_form.h"
#include "core/route/learn.h"
#include "base/text/text.h"
#include "core/tokens/tokens.h"
#include "vec/engine/index.h"
#include "wire/answer/failure.h"
#include "wire/batch/create.h"
#include "wire/batch/result.h"
#include "wire/batch/status.h"
#include "wire/provider.h"
#include "work/prune/orders.h"
#include "work/prune/turns_related.h"
#include "wire/answer/thinking.h"
#include "vec/embed/static_embedder.h"
#include "trust/headers/headers.h"
#include "trust/scrub.h"

#include <limits.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <utf8proc.h>

/* ---- the allocator */

static long asked;             /* allocations since the count began */
static long refused_from = -1; /* the first that is refused; -1: none */
static long refused_to;        /* the last */

static int is_refused(void) {
  asked++;
  return refused_from >= 0 && asked >= refused_from && asked <= refused_to;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n) {
  return is_refused() ? NULL : __real_malloc(n);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size) {
  return is_refused() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n) {
  return is_refused() ? NULL : __real_realloc(p, n);
}

void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n) {
  return is_refused() ? NULL : __real_aligned_alloc(align, n);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s) {
  return is_refused() ? NULL : __real_strdup(s);
}

utf8proc_ssize_t __real_utf8proc_map(const utf8proc_uint8_t *s, utf8proc_ssize_t n,
                                     utf8proc_uint8_t **out, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_map(const utf8proc_uint8_t *s, utf8proc_ssize_t n,
                                     utf8proc_uint8_t **out, utf8proc_option_t options);
utf8proc_ssize_t __wrap_utf8proc_map(const utf8proc_uint8_t *s, utf8proc_ssize_t n,
                                     utf8proc_uint8_t **out, utf8proc_option_t options) {
  return is_refused() ? UTF8PROC_ERROR_NOMEM : __real_utf8proc_map(s, n, out, options);
}

static void *pcre_malloc(size_t n, void *unused) {
  (void)unused;
  return is_refused() ? NULL : __real_malloc(n);
}

static void pcre_free(void *p, void *unused) {
  (void)unused;
  free(p);
}

static pcre2_compile_context *pcre_context; /* whose allocator patterns and matches inherit */

pcre2_code *__real_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE n, uint32_t flags, int *code,
                                   PCRE2_SIZE *at, pcre2_compile_context *context);
pcre2_code *__wrap_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE n, uint32_t flags, int *code,
                                   PCRE2_SIZE *at, pcre2_compile_context *context);
pcre2_code *__wrap_pcre2_compile_8(PCRE2_SPTR pattern, PCRE2_SIZE n, uint32_t flags, int *code,
                                   PCRE2_SIZE *at, pcre2_compile_context *context) {
  (void)context;
  return __real_pcre2_compile_8(pattern, n, flags, code, at, pcre_context);
}

/* ---- what is run: each puts its result into a text (made without memory) and returns err->rc */

enum { RESULT = 4096 };
typedef struct Result {
  char text[RESULT];
  size_t n;
} Result;

static void add(Result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(Result *r, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(r->text + r->n, sizeof r->text - r->n, fmt, ap);
  va_end(ap);
  r->n = r->n + (size_t)n < sizeof r->text ? r->n + (size_t)n : sizeof r->text - 1;
}

static void add_bytes(Result *r, const void *data, size_t n) {
  Hash h = hash_bytes(data, n, 0);
  char hex[HASH_HEX_SIZE];
  hash_hex(&h, hex);
  add(r, "%zu:%s ", n, hex);
}

static void add_rest_of_tree(Result *r, const cJSON *t) {
  for (; t; t = t->next) {
    add(r, "%d.%s.%s.%g(", t->type & 255, t->string ? t->string : "-",
        t->valuestring ? t->valuestring : "-", t->valuedouble);
    add_rest_of_tree(r, t->child);
    add(r, ")");
  }
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890123456789" LONG2
#define LONG2 "0123456789012345678901234567890123456789012345678901234567890123456789" LONG3
#define LONG3 "0123456789012345678901234567890123456789012345678901234567890123456789" LONG4
#define LONG4 "0123456789012345678901234567890123456789012345678901234567890123456789"

#define TREE                                                                                       \
  "{\"a\":[1,-2.5e3,\"x\\n\\ud83d\\ude00\",null,true],\"b\":{\"c\":\"\\u0000\",\"d\":{}},\"e\":[]" \
  "}"

static int parse(Result *r, Err *err) {
  cJSON *t = json_parse(TREE, sizeof TREE - 1, "it", err);
  add_rest_of_tree(r, t);
  cJSON_Delete(t);
  return err->rc;
}

/* Mended, in UTF-16, and with more names than are compared pair by pair. */
static int parse_lenient(Result *r, Err *err) {
  static const char *const texts[] = {
      "{\"a\":\"\\ud83d\xFF\",\"a\":[NaN,1" LONG "]}\n",
      "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1,\"j\":1,\"k\":1,"
      "\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,\"q\":1,\"r\":1,\"s\":1,\"t\":1,\"u\":1,\"v\":1,"
      "\"w\":1,\"x\":1,\"y\":1,\"z\":1,\"a\":2}"};
  static const char utf16[] = "\xFF\xFE[\0\"\0=\xD8\0\xDE\"\0]";
  for (size_t i = 0; i <= COUNT(texts) && err->rc == RC_OK; i++) {
    cJSON *t = i < COUNT(texts) ? json_parse_lenient(texts[i], strlen(texts[i]), "it", err)
                                : json_parse_lenient(utf16, sizeof utf16, "it", err);
    add_rest_of_tree(r, t);
    cJSON_Delete(t);
  }
  cJSON *piece = json_piece_parse(texts[0], strlen(texts[0]), "it", err);
  if (piece && json_piece_mend(piece, err) == RC_OK) {
    add_rest_of_tree(r, piece);
  }
  cJSON_Delete(piece);
  return err->rc;
}

static int build_tree(Result *r, Err *err) {
  cJSON *t = cJSON_CreateObject();
  json_add(t, "text", cJSON_CreateString("a"), err);
  cJSON *list = json_add(t, "list", cJSON_CreateArray(), err);
  json_add(list, NULL, cJSON_CreateNumber(1), err);
  json_add(list, NULL, cJSON_CreateRaw("2.50"), err);
  json_add(t, "no", cJSON_CreateNull(), err);
  char *text = json_print(t, err);
  add(r, "%s", text ? text : "");
  cJSON_free(text);
  return err->rc;
}

#define OPTIONS                                                                                    \
  "{\"model\":\"gpt-4o\",\"system\":\"be\\u00e9 brief\",\"max_tokens\":7,\"temperature\":0.5,"     \
  "\"top_p\":0.25,\"stop\":[\"a\",\"b\"],\"schema\":{\"type\":\"object\",\"properties\":{\"a\":"   \
  "{\"type\":\"string\",\"pattern\":\"^(x|y+)+z\"}},\"required\":[\"a\"],"                         \
  "\"additionalProperties\":false},\"ttl\":\"7d\"}"
/* What none of the models takes beside those. */
#define TURNED                                                                                     \
  "{\"model\":\"m\",\"reasoning\":\"low\",\"service\":\"standard\",\"extra\":{\"k\":{\"a\":[1]}}," \
  "\"tools\":[{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}],\"tool_choice\":\"auto\","    \
  "\"returns\":\"message\"}"
#define TURNS                                                                                      \
  "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\","   \
  "\"image_url\":{\"url\":\"data:image/"                                                           \
  "png;base64,aGk=\"}}]},{\"role\":\"assistant\",\"content\":["                                    \
  "{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},{\"type\":\"text\",\"text\":"    \
  "\"b\"}],"                                                                                       \
  "\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"           \
  "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"r\"}]"
#define CHAT                                                                                       \
  "[{\"role\":\"system\",\"content\":\"S\\u00e9\"},{\"role\":\"user\",\"content\":\"a\"},"         \
  "{\"role\":\"assistant\",\"content\":\"b" LONG "\"},{\"role\":\"user\",\"content\":\"q\"}]"

static int options(Result *r, Err *err) {
  Options o;
  if (options_parse(OPTIONS, sizeof OPTIONS - 1, &o, err) == RC_OK) {
    add(r, "%s %s %lld %g", o.model, o.system, o.ttl_ms, o.top_p);
  }
  options_free(&o);
  return err->rc;
}

/* A setting that can't be copied is as it was. */
static int settings(Result *r, Err *err) {
  static const char *const paths[] = {"/one", "/two/and/more", "", "/three"};
  Settings s;
  settings_init(&s);
  for (size_t i = 0; i < COUNT(paths) && err->rc == RC_OK; i++) {
    char *before = s.store;
    const SpecValue v = spec_value_text("store", paths[i]);
    const Spec *spec = spec_find(&settings_table, 0, "store", strlen("store"), err);
    spec_set(&settings_table, spec, &v, &s, err);
    check(err->rc == RC_OK || s.store == before, "%s", paths[i]);
    add(r, "%s ", s.store ? s.store : "none");
  }
  settings_free(&s);
  return err->rc;
}

static int name(void *unused, const char *text, size_t n, Hash *h) {
  (void)unused;
  *h = hash_bytes(text, n, 1);
  return RC_OK;
}

static int request(Result *r, Err *err) {
  Options o;
  Request q = {0};
  Hash key, scope;
  size_t n = 0;
  char *transcript = NULL;
  if (options_parse(OPTIONS, sizeof OPTIONS - 1, &o, err) == RC_OK &&
      request_from_messages(CHAT, sizeof CHAT - 1, &o, &q, err) == RC_OK &&
      request_key(&q, &(KeyBeside){"me", NULL}, 5, &key, err) == RC_OK &&
      request_scope(&q, &(KeyBeside){NULL, NULL}, 5, &scope, err) == RC_OK &&
      (transcript = request_transcript(&q, name, NULL, &n, err)) != NULL) {
    add_bytes(r, &key, sizeof key);
    add_bytes(r, &scope, sizeof scope);
    add(r, "%s %s", q.system, transcript);
  }
  free(transcript);
  request_free(&q);
  options_free(&o);
  return err->rc;
}

static int texts(Result *r, Err *err) {
  static const char *const list[] = {"one", "two"};
  static const size_t lengths[] = {3, 3};
  Options o;
  Request q = {0};
  Hash key;
  Buf body;
  const Model model = MODEL("m", "openai", "openai", "", "", "", 0, 0);
  buf_init(&body, LIMIT_REQUEST_BYTES);
  options_init(&o);
  o.model = "m";
  if (request_from_texts(list, lengths, 2, &o, &q, err) == RC_OK &&
      request_key(&q, &(KeyBeside){NULL, NULL}, 5, &key, err) == RC_OK &&
      openai_embed_build(&q, &model, &(Sending){0}, &body, err) == RC_OK) {
    add_bytes(r, &key, sizeof key);
    add(r, "%s", body.data);
  }
  buf_free(&body);
  request_free(&q);
  return err->rc;
}

/* The body for a model. */
static int body_with(const Model *model, const char *options, const char *messages, Result *r,
                     Err *err) {
  Options o;
  Request q = {0};
  Buf body;
  buf_init(&body, LIMIT_REQUEST_BYTES);
  if (options_parse(options, strlen(options), &o, err) == RC_OK &&
      request_from_messages(messages, strlen(messages), &o, &q, err) == RC_OK &&
      provider_api(model->api)->build(&q, model, &(Sending){0}, &body, err) == RC_OK) {
    add(r, "%s", body.data);
  }
  buf_free(&body);
  request_free(&q);
  options_free(&o);
  return err->rc;
}

static int openai_body(Result *r, Err *err) {
  const Model m = MODEL("gpt-4o", "openai", "openai", "", "", "{\"json_schema\":true}", 0, 0);
  return body_with(&m, OPTIONS, CHAT, r, err);
}

static int headers(Result *r, Err *err) {
  const Model m = {.name = "m", .headers = "{\"X-Title\":\"a\",\"X-Key\":{\"env\":\"KEY\"}}"};
  const char *why = NULL;
  Headers h;
  if (headers_read(&m, &h, err) == RC_OK && headers_fill(&h, 1, "the-value", &why, err) == RC_OK) {
    add(r, "%s|%s|%s", h.list[0].line, h.list[1].line, h.list[1].variable);
  }
  headers_free(&h);
  return err->rc;
}

/* Tools, an image, thoughts; what a call was asked for, and its tokens. */
static int turned_body(const Model *model, Result *r, Err *err) {
  Options o;
  Request q = {0};
  TokenRule rule;
  Hash key;
  tokens_rule(model->name, &rule);
  if (options_parse(TURNED, sizeof TURNED - 1, &o, err) == RC_OK &&
      request_from_messages(TURNS, sizeof TURNS - 1, &o, &q, err) == RC_OK &&
      request_key(&q, &(KeyBeside){NULL, "row"}, 5, &key, err) == RC_OK) {
    char *said = request_asked(&q, err);
    long long tokens = tokens_request(&rule, &q);
    add_bytes(r, &key, sizeof key);
    add(r, "%s %lld", said ? said : "", tokens);
    free(said);
    if (tokens < 0) {
      err_nomem(err);
    }
  }
  request_free(&q);
  options_free(&o);
  return err->rc == RC_OK ? body_with(model, TURNED, TURNS, r, err) : err->rc;
}

static int openai_turned(Result *r, Err *err) {
  Model m = MODEL("m", "openrouter", "openai", "", "", "", 0, 0);
  m.extra = "{\"top_k\":1}";
  return turned_body(&m, r, err);
}

static int anthropic_turned(Result *r, Err *err) {
  const Model m = MODEL("claude-haiku-4-5", "anthropic", "anthropic", "", "", "", 0, 64000);
  return turned_body(&m, r, err);
}

static int responses_turned(Result *r, Err *err) {
  const Model m = MODEL("gpt-6", "openai", "responses", "", "", "", 0, 64000);
  return turned_body(&m, r, err);
}

/* Old names of options, the schema in words. */
static int other_body(Result *r, Err *err) {
  const Model m = MODEL("llama", "groq", "openai", "", "", "{\"json_schema\":false}", 0, 0);
  return body_with(&m, OPTIONS, CHAT, r, err);
}

static int anthropic_body(Result *r, Err *err) {
  const Model m = MODEL("claude-3-7-sonnet", "anthropic", "anthropic", "", "", "", 0, 64000);
  return body_with(&m, OPTIONS, CHAT, r, err);
}

static void add_usage(Result *r, const Usage *u) {
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    add(r, "%lld ", usage_get(u, unit));
  }
  add(r, "%s %s %lld ", u->service, u->geo, u->reported_nusd);
}

/* An answer as it is read; its tree is made beforehand. */
static const cJSON *answer;

static int read_reply(const char *provider, int (*parse_answer)(const Body *, Reply *, Err *),
                      Result *r, Err *err) {
  Reply reply = {0};
  if (parse_answer(&(Body){.tree = (cJSON *)answer}, &reply, err) == RC_OK) {
    provider_read_usage(answer, provider, &reply);
    if (strcmp(reply.usage_error, "out of memory") == 0) {
      err_nomem(err); /* it says so */
    }
    add(r, "%s %s %s %d ", reply.text ? reply.text : "NULL", finish_name(reply.finish), reply.model,
        reply.n_parts);
    add_usage(r, &reply.usage);
    for (int i = 0; i < reply.n_parts; i++) {
      add_usage(r, &reply.parts[i].usage);
    }
  }
  reply_free(&reply);
  return err->rc;
}

#define OPENAI_ANSWER                                                                              \
  "{\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"finish_reason\":\"stop\",\"message\":"         \
  "{\"content\":\"hello\"}}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6,"              \
  "\"total_tokens\":11}}"
#define ANTHROPIC_ANSWER                                                                           \
  "{\"model\":\"claude-opus-4-8\",\"stop_reason\":\"end_turn\",\"content\":[{\"type\":\"text\","   \
  "\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}],\"usage\":{\"input_tokens\":1,"             \
  "\"output_tokens\":2,\"iterations\":[{\"type\":\"message\",\"model\":\"claude-fable-5\","        \
  "\"input_tokens\":10,\"output_tokens\":1},{\"type\":\"fallback_message\",\"model\":"             \
  "\"claude-opus-4-8\",\"input_tokens\":11,\"output_tokens\":2}]}}"
#define VECTORS_ANSWER                                                                             \
  "{\"model\":\"m\",\"data\":[{\"index\":1,\"embedding\":[0.5,0.25]},{\"index\":0,\"embedding\":"  \
  "\"AACAPwAAAEA=\"}],\"usage\":{\"prompt_tokens\":5,\"total_tokens\":5}}"

static int openai_reply(Result *r, Err *err) {
  return read_reply("openai", reply_read, r, err);
}

static int anthropic_reply(Result *r, Err *err) {
  return read_reply("anthropic", reply_read, r, err);
}

#define STREAM                                                                                     \
  ": wait\n\ndata: "                                                                               \
  "{\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"<think>x</think>a\"}}]}\n\n"            \
  "data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}\n\n"           \
  "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\ndata: "       \
  "[DONE]\n\n"

/* A stream, from its bytes on. */
static int stream_reply(Result *r, Err *err) {
  Body body;
  Reply reply = {0};
  Message m = {.role = "user", .content = "q", .n = 1};
  Request q = {.messages = &m, .n_messages = 1};
  if (body_read(STREAM, sizeof STREAM - 1, "text/event-stream", &body, err) == RC_OK) {
    if (reply_read(&body, &reply, err) == RC_OK && thinking_split(&reply, &q, err) == RC_OK) {
      provider_read_usage(body.tree, "openai", &reply);
      add(r, "%s %s %s %d ", reply.text, reply.reasoning, finish_name(reply.finish), reply.pieces);
      add_usage(r, &reply.usage);
    }
    body_free(&body);
  }
  if (strcmp(reply.usage_error, "out of memory") == 0) {
    err_nomem(err);
  }
  reply_free(&reply);
  return err->rc;
}

static int vectors_reply(Result *r, Err *err) {
  return read_reply("openai", openai_embed_parse, r, err);
}

#define FAILURE                                                                                    \
  "{\"error\":{\"type\":\"t\",\"code\":\"insufficient_quota\",\"message\":\"outer\",\"metadata\":" \
  "{\"raw\":\"{\\\"error\\\":{\\\"message\\\":\\\"m\\\"}}\"}}}"

static int failure(Result *r, Err *err) {
  Failure f;
  if (failure_read(NULL, FAILURE, sizeof FAILURE - 1, &f) == RC_NOMEM) {
    return err_nomem(err);
  }
  add(r, "%s %s %s", f.type, f.code, f.message);
  return RC_OK;
}

static int supports(Result *r, Err *err) {
  const Model m =
      MODEL("m", "p", "openai", "", "", "{\"embeddings\":true,\"tokens\":\"estimate\"}", 0, 0);
  TokenRule rule;
  int value = wire_supports(&m, "embeddings", 0, err);
  tokens_rule_declared("gpt-4o", m.supports, &rule, err);
  add(r, "%d %d %g", value, rule.is_exact, rule.factor);
  return err->rc;
}

/* A batch on its way out: form, body, lines, path. */
static int batch_sent(Result *r, Err *err) {
  static const char body[] = "{\"model\":\"m\",\"stream\":true,\"x\":\"\xE2\x80\xA8" LONG "\"}";
  const Model m = MODEL("m", "p", "openai", "", "", "{\"batch\":\"openrouter\"}", 0, 0);
  const BatchForm *inline_form = batch_form_of(&m, err), *form = batch_form_by_name("openai");
  const BatchCreate create = {BATCH_CHAT, "file-1", "m", "b-7", 24, 3600};
  const BatchLine line = {"r1-1", BATCH_CHAT, body, sizeof body - 1, 1};
  const char *method = "";
  Buf b;
  buf_init(&b, 1 << 16);
  if (inline_form && batch_create_head(inline_form, &create, &b, err) == RC_OK &&
      batch_line_add(inline_form, &line, &b, err) == RC_OK && batch_create_tail(&b, err) == RC_OK &&
      batch_upload_head(form, "b-7", &b, err) == RC_OK &&
      batch_line_add(form, &line, &b, err) == RC_OK && batch_upload_tail(&b, err) == RC_OK &&
      batch_create_body(form, &create, &b, err) == RC_OK &&
      batch_form_path(form, BATCH_LIST, NULL, "a b", &b, &method, err) == RC_OK) {
    add_bytes(r, b.data, b.n);
  }
  buf_free(&b);
  return err->rc;
}

/* And what comes back: a batch, a list of them, an error. */
static int batch_shown(Result *r, Err *err) {
  static const char shown[] =
      "{\"id\":\"b\",\"status\":\"failed\",\"errors\":{\"data\":[{\"code\":\"invalid_url\","
      "\"line\":3}]},"
      "\"request_counts\":{\"total\":3,\"completed\":1,\"failed\":2},\"created_at\":1711471533}";
  static const char list[] =
      "{\"data\":[{\"id\":\"a\",\"status\":\"queued\",\"errors\":[\"x\"]},7],\"has_more\":true}";
  static const char wrong[] = "{\"error\":{\"message\":\"Enqueued token limit reached\"}}";
  const BatchForm *form = batch_form_by_name("openai");
  BatchStatus s = {.total = -1};
  BatchList page = {0};
  BatchFault f;
  if (batch_status_read(form, shown, sizeof shown - 1, &s, err) == RC_OK &&
      batch_list_read(form, list, sizeof list - 1, NULL, &page, err) == RC_OK &&
      batch_fault_read(&(BatchAnswer){BATCH_CREATE, 200, "", wrong, sizeof wrong - 1}, &f, err) ==
          RC_OK) {
    add(r, "%s %lld %d %lld %d %d %s %d %s", s.id, s.total, s.n_errors, s.errors[0].line, page.n,
        page.unread, page.next, (int)f.trouble, f.message);
  }
  batch_status_free(&s);
  batch_list_free(&page);
  return err->rc;
}

static int batch_results(Result *r, Err *err) {
  static const char results[] =
      "{\"custom_id\":\"r1-1\",\"response\":{\"status_code\":200,\"body\":\"{\\\"choices\\\":[]}\"}"
      "}\r\n"
      "{\"custom_id\":\"r2-1\",\"response\":{\"status_code\":400,\"body\":{\"error\":{\"message\":"
      "\"no\"}}}}\n"
      "{\"custom_id\":\"r3-1\",\"response\":null,\"error\":{\"code\":\"batch_expired\"}}\n"
      "{\"custom_id\":\"r4-1\",\"result\":{\"type\":\"succeeded\",\"message\":{\"content\":\"" LONG
      "\"}}}\n{\"cust";
  Split s;
  SplitLine line;
  batch_split_init(&s, NULL, 1 << 16);
  batch_split_feed(&s, results, sizeof results - 1);
  batch_split_end(&s);
  while (err->rc == RC_OK && batch_split_next(&s, &line, err)) {
    BatchResult one;
    if (batch_result_read(&line, &one, err) == RC_OK) {
      add(r, "%s %d %ld %s %d;", one.id, (int)one.outcome, one.status, one.message,
          one.body.tree != NULL);
    }
    batch_result_free(&one);
  }
  batch_split_free(&s);
  return err->rc;
}

/* Snapshots of a stream, merged; and our own form of what came out. */
#define SNAPSHOTS                                                                                  \
  "[{\"message\":{\"id\":\"i\",\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}},"              \
  "{\"usage\":{\"output_tokens\":5,\"cache_creation\":{\"ephemeral_1h_input_tokens\":3}}},"        \
  "{\"usage\":{\"output_tokens\":50,\"cache_creation\":{\"ephemeral_1h_input_tokens\":4},"         \
  "\"service_tier\":\"batch\"}}]"

static int snapshots(Result *r, Err *err) {
  Usage u;
  UsagePart *parts = NULL;
  int n = 0;
  if (usage_read_all(answer, vendor_by_word("anthropic"), NULL, &u, &parts, &n, err) == RC_OK) {
    add_usage(r, &u);
    const UsagePart part = {"m", u};
    cJSON *tree = usage_parts_json(&u, &part, 1);
    if (!tree) {
      err_nomem(err);
    }
    add_rest_of_tree(r, tree);
    cJSON_Delete(tree);
  }
  free(parts);
  return err->rc;
}

/* What a schema says behind its "title", where the value to be checked stands. */
#define SCHEMA_REST                                                                                \
  "\"anyOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"pattern\":\"^(x|y+)+z\"}}},"           \
  "{\"not\":{\"pattern\":\"q\"}}],\"allOf\":[{\"not\":{\"properties\":{\"a\":"                     \
  "{\"pattern\":\"^nothing$\"}}}}]}"

static int schema(Result *r, Err *err) {
  Err verdict = {0};
  const cJSON *s = answer, *v = cJSON_GetObjectItemCaseSensitive(answer, "title");
  if (schema_check(s, err) == RC_OK) {
    schema_validate(s, v, &verdict);
    add(r, "%d %s", verdict.rc, verdict.msg);
  }
  return err->rc == RC_OK && verdict.rc == RC_NOMEM ? err_nomem(err) : err->rc;
}

/* Both forms of a schema with a root to be wrapped, a reference to be moved, and bounds to be told. */
static int forms(Result *r, Err *err) {
  for (SchemaForm form = FORM_OPENAI; form <= FORM_ANTHROPIC && err->rc == RC_OK; form++) {
    SentSchema sent = {0};
    if (schema_form(answer, form, &sent, err) == RC_OK) {
      add(r, "%d ", sent.is_strict);
      add_rest_of_tree(r, sent.schema);
    }
    cJSON_Delete(sent.schema);
  }
  return err->rc;
}
#define WRAPPED                                                                                    \
  "{\"type\":\"array\",\"minItems\":2,\"description\":\"d\",\"items\":{\"$ref\":\"#/$defs/a\"},"   \
  "\"$defs\":{\"a\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\","             \
  "\"minimum\":1,\"nullable\":true},\"c\":{\"oneOf\":[{\"const\":1},{\"enum\":[\"x\"]}]}}}}}"

/* The answer's title holds the text, its description the schema. */
static int found_json(Result *r, Err *err) {
  const char *text = json_text(answer, "title");
  char *json = NULL;
  size_t n = 0;
  if (answer_json(text, strlen(text), cJSON_GetObjectItemCaseSensitive(answer, "schema"), &json, &n,
                  err) == RC_OK) {
    add(r, "%s", json);
  }
  free(json);
  return err->rc;
}
#define FOUND                                                                                      \
  "{\"title\":\"[1] <think>x</think>```json\\n{\\\"value\\\":{\\\"a\\\":[01,\\\"\\\\u00e9\\\"],"   \
  "\\\"a\\\":[2.50],\\\"b\\\":null}}\\n```\",\"schema\":{\"required\":[\"a\"]}}"

static int import_list(Result *r, Err *err) {
  PriceImport import;
  if (price_import(answer, NULL, &import, err) == RC_OK) {
    for (int i = 0; i < import.book.models.n; i++) {
      const PriceModel *m = &import.book.models.at[i];
      add(r, "%s %s %s:", m->provider, m->name, m->names);
      for (int k = 0; k < m->n; k++) {
        add(r, "%s %lld %s %lld;", unit_word(m->rows[k].unit), m->rows[k].pusd,
            m->rows[k].terms.service, m->rows[k].terms.above_tokens);
      }
    }
    add_rest_of_tree(r, import.left_out);
    cJSON_Delete(import.left_out);
    book_free(&import.book);
  }
  return err->rc;
}

#define GENAI                                                                                      \
  "[{\"id\":\"openai\",\"models\":[{\"id\":\"x\",\"match\":{\"or\":[{\"equals\":\"X\"},"           \
  "{\"regex\":\"^x-\\\\d{2}$\"},{\"and\":[{\"starts_with\":\"y\"},{\"contains\":\"z\"}]},"         \
  "{\"regex\":\"(a|b)\"}]},\"prices\":{\"input_mtok\":{\"base\":1,\"tiers\":[{\"start\":10,"       \
  "\"price\":2}]},\"output_mtok\":3,\"odd\":1}},{\"id\":\"y\",\"prices\":[{\"prices\":"            \
  "{\"input_mtok\":1}},{\"constraint\":{\"start_date\":\"2026-01-01\"},\"prices\":{}}]},"          \
  "{\"id\":\"\"}]}]"
#define LITELLM                                                                                    \
  "{\"a/b\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1e-6,"                       \
  "\"output_cost_per_token_above_200k_tokens_priority\":2e-6,\"odd_cost\":1,"                      \
  "\"search_context_cost_per_query\":{\"low\":0.01,\"high\":0.02}},"                               \
  "\"c\":{\"litellm_provider\":\"zz\",\"input_cost_per_token\":1e-6}}"

static int veto(Result *r, Err *err) {
  const char *word = guard_veto("Do 3 cats purr?", 15, "Do 4 cats purr?", 15, err);
  add(r, "%s", err->rc == RC_OK ? word : "");
  return err->rc;
}

/* Gates of every kind that reads, and answers that are compared. */
static int gates(Result *r, Err *err) {
  static const char *const all[][2] = {
      {"json", "{}"},
      {"schema", "{\"schema\":{\"type\":\"object\",\"required\":[\"a\"]}}"},
      {"regex", "{\"pattern\":\"(\\\\d+) a\",\"flags\":\"i\"}"},
      {"contains", "{\"all\":[\"\u00c9t\u00e9\"]}"},
      {"refusal", "{}"},
      {"hedge", "{\"max\":1}"},
      {"grounded", "{}"},
      {"arithmetic", "{}"},
      {"agree", "{\"compare\":\"auto\"}"},
  };
  static const char answer_text[] =
      "I can't help, 5 \"are not in the text here\". {\"a\":1} 2 + 2 = 5";
  const GateCase c = {
      {"say NONE if so 4", 16}, {"", 0}, {answer_text, sizeof answer_text - 1}, NULL};
  for (size_t i = 0; i < COUNT(all) && err->rc == RC_OK; i++) {
    cJSON *spec = cJSON_Parse(all[i][1]);
    Gate gate;
    GateVerdict v = {0};
    GateKind kind = gate_kind(all[i][0], &(Err){0});
    if (!spec) {
      err_nomem(err);
    } else if (gate_parse(kind, spec, &gate, err) == RC_OK) {
      kind == GATE_AGREE ? agree_check(&gate, &c.answer, &c.prompt, &v, err)
                         : gate_check(&gate, &c, &v, err);
      add(r, "%d %.3f %s;", v.passes, v.score, v.why);
      gate_free(&gate);
    }
    cJSON_Delete(spec);
  }
  return err->rc;
}

static int learn(Result *r, Err *err) {
  enum { EXAMPLES = 24, NUMBERS = 4 };
  float unit[EXAMPLES * NUMBERS] = {0};
  double labels[EXAMPLES];
  Learned l;
  for (int i = 0; i < EXAMPLES; i++) {
    unit[i * NUMBERS + i % NUMBERS] = 1;
    labels[i] = i % NUMBERS == 0;
  }
  const LearnExamples x = {unit, labels, EXAMPLES, NUMBERS};
  if (learn_train(&x, 3, &l, NULL, err) == RC_OK) {
    add(r, "%.6f %.6f %.3f", l.intercept, l.slope, l.here.auc);
  }
  return err->rc;
}

static int normal_form(Result *r, Err *err) {
  Buf b;
  buf_init(&b, 1000);
  int rc = text_normalize("cafe\u0301  au\tlait", 15, &b);
  add(r, "%s", rc == RC_OK ? b.data : "");
  buf_free(&b);
  buf_init(&b, 1000);
  rc = rc == RC_OK ? text_replace_invalid("a\xff"
                                          "b",
                                          3, &b)
                   : rc;
  add(r, "%s", rc == RC_OK ? b.data : "");
  buf_free(&b);
  return rc == RC_OK      ? RC_OK
         : rc == RC_NOMEM ? err_nomem(err)
                          : err_set(err, rc, ERR_CONFIG, "%d", rc);
}

static int base64(Result *r, Err *err) {
  unsigned char *bytes = NULL;
  size_t n = 0;
  char *text = base64_encode("hello", 5);
  int rc = text ? base64_decode(text, strlen(text), &bytes, &n) : -1;
  if (rc == 1) {
    add(r, "%s %zu", text, n);
  } else {
    rc < 0 ? err_nomem(err) : err_set(err, RC_ERROR, ERR_CONFIG, "no base64");
  }
  free(bytes);
  free(text);
  return err->rc;
}

/* Pieces that are too long for the stack, and bytes that are no UTF-8. */
static int tokens(Result *r, Err *err) {
  static char text[3000];
  uint32_t *ranks = NULL;
  memset(text, 'q', sizeof text);
  text[100] = (char)0xff;
  long long n = encoding_count(ENCODING_O200K, text, sizeof text, NULL);
  long long m = n < 0 ? n : encoding_encode(ENCODING_CL100K, text, sizeof text, &ranks);
  free(ranks);
  add(r, "%lld %lld", n, m);
  return m < 0 ? err_nomem(err) : RC_OK;
}

/* What is not sure to be harmless counts as harmful: a 1 without memory is no error. */
static int scrub(Result *r, Err *err) {
  int harmless = scrub_holds_key("nothing of the kind", "sk-0123456789abcdef");
  int harmful = scrub_holds_key("a key 0123456789abcdef", "sk-0123456789abcdef");
  add(r, "%d", harmful);
  return harmless ? err_nomem(err) : RC_OK;
}

/* ---- the vector index */

enum { DIM = 24, ENTRIES = 3000 };
static float vectors[ENTRIES][DIM];

static int lend(void *unused, int64_t id, const void **vector) {
  (void)unused;
  *vector = vectors[id];
  return VEC_OK;
}

static void make_vectors(void) {
  unsigned long long seed = 7;
  for (int i = 0; i < ENTRIES; i++) {
    double square = 0;
    for (int d = 0; d < DIM; d++) {
      seed = seed * 6364136223846793005ull + 1442695040888963407ull;
      vectors[i][d] = (float)((double)(seed >> 33) / 4294967296.0 - 0.25);
      square += (double)vectors[i][d] * (double)vectors[i][d];
    }
    for (int d = 0; d < DIM; d++) {
      vectors[i][d] = (float)((double)vectors[i][d] / sqrt(square));
    }
  }
}

typedef struct Stream {
  Buf bytes;
  size_t at;
} Stream;

static int sink(void *ctx, const void *data, size_t n) {
  Stream *s = ctx;
  return buf_add(&s->bytes, data, n);
}

static int pull(void *ctx, void *data, size_t n) {
  Stream *s = ctx;
  if (s->at + n > s->bytes.n) {
    return VEC_CORRUPT;
  }
  memcpy(data, s->bytes.data + s->at, n);
  s->at += n;
  return VEC_OK;
}

static int search(const VecIndex *index, Result *r) {
  const VecSource source = {lend, NULL};
  VecHit hits[5];
  int n = 0;
  int rc = vec_index_nearest((VecIndex *)index, vectors[77], 0.1, 5, 0, &source, hits, &n, NULL);
  for (int i = 0; i < n && rc == VEC_OK; i++) {
    add(r, "%lld %.9g ", (long long)hits[i].id, hits[i].cosine);
  }
  return rc;
}

/* Put, settle, search, write, read, search again. */
static int vec_index(Result *r, Err *err) {
  const VecSource source = {lend, NULL};
  VecIndex *index = NULL, *copy = NULL;
  Stream s = {.at = 0};
  buf_init(&s.bytes, 64 << 20);
  int rc = vec_index_new(DIM, &index);
  for (int i = 0; i < ENTRIES && rc == VEC_OK; i++) {
    rc = vec_index_put(index, i, vectors[i], VEC_NEVER);
  }
  rc = rc == VEC_OK ? vec_index_settle(index, &source) : rc;
  rc = rc == VEC_OK ? search(index, r) : rc;
  rc = rc == VEC_OK ? vec_index_write(index, sink, &s) : rc;
  rc = rc == VEC_OK ? vec_index_read(pull, &s, &copy) : rc;
  rc = rc == VEC_OK ? search(copy, r) : rc;
  vec_index_free(index);
  vec_index_free(copy);
  buf_free(&s.bytes);
  return rc == VEC_OK      ? RC_OK
         : rc == VEC_NOMEM ? err_nomem(err)
                           : err_set(err, rc, ERR_CONFIG, "%d", rc);
}

/* A log whose details stand as JSON in a text, and a map of somebody's columns. */
static void take_entry(void *arg, const LogEntry *entry, Err *err) {
  (void)err;
  add(arg, "%s %lld ", entry->key ? entry->key : "", usage_get(&entry->usage, UNIT_CACHE_READ));
}

static int read_log(LogReader *reader, const char *header, const char *row, Result *r, Err *err) {
  if (reader && log_reader_header(reader, header, strlen(header), err) == RC_OK) {
    log_reader_read(reader, row, strlen(row), take_entry, r, err);
  }
  char *state = err->rc == RC_OK ? log_reader_state(reader, err) : NULL;
  if (state) {
    add(r, "%s ", state);
  }
  free(state);
  log_reader_free(reader);
  return err->rc;
}

static int logs(Result *r, Err *err) {
  static const char header[] = "request_id,startTime,prompt_tokens,metadata,request_tags";
  static const char row[] =
      "a,2026-11-04,10,\"{\"\"usage_object\"\":{\"\"prompt_tokens\"\":10,\"\"completion_tokens"
      "\"\":1,\"\"prompt_tokens_details\"\":{\"\"cached_tokens\"\":4}}}\",\"[\"\"t\"\"]\"";
  read_log(log_reader_new(log_format("litellm_csv"), "x", NULL, NULL, err), header, row, r, err);
  cJSON *map = cJSON_Parse("{\"ts\":\"startTime\",\"input_tokens\":\"prompt_tokens\"}");
  if (!map) {
    err_nomem(err);
  } else if (err->rc == RC_OK) {
    read_log(log_reader_new(log_format("csv"), "x", NULL, map, err), header, row, r, err);
  }
  cJSON_Delete(map);
  return err->rc;
}

static long long count_bytes(void *arg, const char *text, size_t n) {
  (void)arg;
  (void)text;
  return (long long)n;
}

/* Two rules, one of them twice, a clock in front, JSON, context and a question. */
static const char prompt[] =
    "Current time: 10:31:07\n\nItems can be returned for free by all customers.\n\n"
    "Items can be returned for free by all customers.\n\n{\n  \"a\": [1,\n 2]\n}\n\n"
    "<context>\nOur shop opened in 1999. Parcels to Norway take nine days. The chief likes "
    "sailing.\n"
    "</context>\n\nWhen does a parcel to Norway arrive?";

static int compressed(Result *r, Err *err) {
  const CompressOptions o = {.budget = 190, .count = count_bytes};
  Compressed c;
  if (compress_text(prompt, sizeof prompt - 1, &o, &c, err) == RC_OK) {
    add_bytes(r, c.text, c.n);
    compressed_free(&c);
  }
  return err->rc;
}

static const char ballast_prompt[] =
    "You sort messages. Please note that the shop is closed on Sundays. Return JSON. Answer with "
    "the fields `sort` (string) and "
    "`mood`.\n\nInput: The parcel 17 is late.\nOutput: late\nInput: The parcel 17 was "
    "late.\nOutput: late\n\nBe kind. Thank you in advance.";

static void add_ballast(Result *r, BallastList *list) {
  for (size_t i = 0; i < list->n; i++) {
    add_bytes(r, ballast_prompt + list->at[i].from, list->at[i].n);
  }
  ballast_free(list);
}

static int ballast(Result *r, Err *err) {
  unsigned task = 0;
  static const char schema[] =
      "{\"properties\":{\"sort\":{\"type\":\"string\"},\"mood\":{\"enum\":[\"good\",\"bad\"]}}}";
  TextUnits u = {NULL, 0, 0, 0};
  Examples e = {NULL, 0, 0};
  BallastList filler = {NULL, 0, 0}, format = {NULL, 0, 0};
  unsigned char places[64];
  JsonFields *fields = json_fields_read(schema, sizeof schema - 1, err);
  if (fields && units_find(ballast_prompt, sizeof ballast_prompt - 1, &u, err) == RC_OK &&
      examples_find(ballast_prompt, sizeof ballast_prompt - 1, &u, &e, err) == RC_OK &&
      examples_compare(ballast_prompt, &e, err) == RC_OK &&
      places_find(ballast_prompt, &u, &e, places, err) == RC_OK &&
      task_find(ballast_prompt, &u, &e, &task, err) == RC_OK &&
      filler_find(ballast_prompt, &u, places, &filler, err) == RC_OK) {
    format_prose_find(ballast_prompt, &u, places, fields, &format, err);
  }
  for (size_t i = 0; i < e.n && err->rc == RC_OK; i++) {
    add_bytes(r, ballast_prompt + e.at[i].from, e.at[i].n);
  }
  if (err->rc == RC_OK) {
    add_ballast(r, &filler);
    add_ballast(r, &format);
  }
  ballast_free(&filler);
  ballast_free(&format);
  examples_free(&e);
  units_free(&u);
  json_fields_free(fields);
  return err->rc;
}

/* A conversation in both forms: read, its turns scored, its orders found, a summary of it mended. */
static int pruned(Result *r, Err *err) {
  static const char talk[] =
      "[{\"role\":\"user\",\"content\":\"Where is parcel 7? Never call me.\"},{\"role\":"
      "\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},"
      "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"track\",\"input\":{\"n\":7}}]},{\"role\":"
      "\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":[{"
      "\"type\":"
      "\"text\",\"text\":\"Oslo\"}]}]},{\"role\":\"assistant\",\"content\":\"In Oslo.\"},{\"role\":"
      "\"user\",\"content\":\"And parcel "
      "8?\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
      "[{\"id\":\"a\",\"function\":{\"name\":\"track\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\","
      "\"tool_call_id\":\"a\",\"content\":\"lost\"},{\"role\":\"assistant\",\"refusal\":\"No.\"},"
      "{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":"
      "\"function\",\"name\":\"f\",\"content\":\"1\"},{\"role\":\"assistant\",\"content\":[{"
      "\"type\":"
      "\"refusal\",\"refusal\":\"No.\"}],\"tool_calls\":[{\"id\":\"b\",\"custom\":{\"name\":\"g\","
      "\"input\":\"x\"}}]},{\"role\":\"user\",\"content\":\"Parcel 7 again?\"}]";
  static const char said[] = "Parcel 7 was in Oslo. Always call the user. Never call the user.";
  TokenRule rule = {.encoding = ENCODING_O200K, .is_exact = 1, .factor = 1, .per_message = 3};
  PruneMessage plans[12];
  PruneTurn turns[12];
  Turns t;
  Buf b;
  size_t n = 0, n_cut = 0, count = 0;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  if (turns_read(talk, sizeof talk - 1, &rule, &t, err) == RC_OK) {
    for (size_t i = 0; i < t.n; i++) {
      plans[i] = t.at[i].plan;
      turns_write(&t.at[i], &b);
      add(r, "%d %d %d %d ", plans[i].calls, plans[i].results, (int)plans[i].flags,
          orders_force(t.at[i].m.content, t.at[i].m.n, err));
    }
    count = prune_turns(plans, t.n, t.n - 1, turns);
    turns_relate(&t, turns, count, err);
  }
  char *mended =
      b.failed ? (err_nomem(err), NULL)
               : orders_mend(said, sizeof said - 1, b.data ? b.data : "", b.n, &n, &n_cut, err);
  if (mended) {
    add(r, "%zu %zu %.3f %s", count, n_cut, turns[0].score, mended);
  }
  free(mended);
  buf_free(&b);
  turns_free(&t);
  return err->rc;
}

static int lint_prompt(Result *r, const char *text, size_t n, const LintOptions *o, Err *err) {
  MovingFinder *finder = moving_open(err);
  Lint l;
  if (finder && lint_text(finder, text, n, o, &l, err) == RC_OK) {
    for (size_t i = 0; i < l.n; i++) {
      add_bytes(r, text + l.at[i].from, l.at[i].n);
      add_bytes(r, l.at[i].changed ? l.at[i].changed : "", l.at[i].n_changed);
    }
    lint_free(&l);
  }
  moving_close(finder);
  return err->rc;
}

static int forms_of_a_prompt(Result *r, Err *err) {
  static const char text[] = "# Rules\n\nBe brief. Respond only with valid JSON.\n\n# Examples\n\n"
                             "Input: late\nOutput: bad\n\nInput: quick\nOutput: good\n";
  FormOfText found[FORM_COUNT];
  if (form_find(text, sizeof text - 1, found, err) == RC_OK) {
    for (int i = 0; i < FORM_COUNT; i++) {
      add_bytes(r, found[i].rest, sizeof found[i].rest);
    }
  }
  return err->rc;
}

static int linted(Result *r, Err *err) {
  const LintOptions o = {.floor = 0, .count = count_bytes};
  return lint_prompt(r, prompt, sizeof prompt - 1, &o, err);
}

/* The same list in another order, rules at odds, and what a schema says. */
static int linted_again(Result *r, Err *err) {
  static const char before[] = "You help. Use emojis. Never use emojis. Respond only with JSON. "
                               "Thanks in advance!\n\n- plums\n- pears\n- apples\n\n"
                               "{\"a\":1,\"b\":[2]}\n\nGo now.";
  static const char text[] = "You help. Use emojis. Never use emojis. Respond only with JSON. "
                             "Thanks in advance!\n\n- pears\n- apples\n- plums\n\n"
                             "{\"b\":[2],\"a\":1}\n\nGo now.";
  static const char schema[] = "{\"properties\":{\"sort\":{\"type\":\"string\"}}}";
  JsonFields *fields = json_fields_read(schema, sizeof schema - 1, err);
  const LintOptions o = {.floor = 0,
                         .count = count_bytes,
                         .fields = fields,
                         .before = before,
                         .n_before = sizeof before - 1};
  if (fields) {
    lint_prompt(r, text, sizeof text - 1, &o, err);
  }
  json_fields_free(fields);
  return err->rc;
}

/* ---- running it */

/* What there is, a name, a message, words, and nothing. */
static int help(Result *r, Err *err) {
  static const ManualPage pages[] = {
      {"README", "## Index\n\n### Functions\n| n | l |\n|---|---|\n| `f(a)` | the f |\n"},
      {"errors",
       "# E\n\n| you see | do |\n|---|---|\n| `no …` | set " LONG LONG " it |\n\n* some words\n"},
      {NULL, NULL}};
  static const char *const topics[] = {"", "f", "there is no key", "words of some", "g", "xyzzy"};
  for (size_t i = 0; i < COUNT(topics) && err->rc == RC_OK; i++) {
    Buf b;
    buf_init(&b, 1 << 16);
    if (help_write(pages, topics[i], strlen(topics[i]), &b) == RC_OK) {
      add_bytes(r, b.data, b.n);
    } else {
      err_nomem(err);
    }
    buf_free(&b);
  }
  return err->rc;
}

typedef struct Case {
  const char *name;
  int (*run)(Result *r, Err *err);
  const char *answer; /* the JSON it works on; NULL: none */
} Case;

static const Case cases[] = {
    {"parse", parse, NULL},
    {"parse leniently", parse_lenient, NULL},
    {"build", build_tree, NULL},
    {"options", options, NULL},
    {"settings", settings, NULL},
    {"request", request, NULL},
    {"texts", texts, NULL},
    {"openai body", openai_body, NULL},
    {"headers", headers, NULL},
    {"other body", other_body, NULL},
    {"anthropic body", anthropic_body, NULL},
    {"openai turned", openai_turned, NULL},
    {"anthropic turned", anthropic_turned, NULL},
    {"responses turned", responses_turned, NULL},
    {"openai reply", openai_reply, OPENAI_ANSWER},
    {"anthropic reply", anthropic_reply, ANTHROPIC_ANSWER},
    {"stream reply", stream_reply, NULL},
    {"vectors reply", vectors_reply, VECTORS_ANSWER},
    {"failure", failure, NULL},
    {"supports", supports, NULL},
    {"a batch sent", batch_sent, NULL},
    {"a batch shown", batch_shown, NULL},
    {"a batch's results", batch_results, NULL},
    {"snapshots", snapshots, SNAPSHOTS},
    {"schema fits", schema, "{\"title\":{\"a\":\"xyyz\"}," SCHEMA_REST},
    {"schema does not fit", schema, "{\"title\":\"q\"," SCHEMA_REST},
    {"schema forms", forms, WRAPPED},
    {"JSON in an answer", found_json, FOUND},
    {"genai-prices", import_list, GENAI},
    {"litellm", import_list, LITELLM},
    {"veto", veto, NULL},
    {"gates", gates, NULL},
    {"learn", learn, NULL},
    {"normal form", normal_form, NULL},
    {"base64", base64, NULL},
    {"tokens", tokens, NULL},
    {"scrub", scrub, NULL},
    {"logs", logs, NULL},
    {"index", vec_index, NULL},
    {"help", help, NULL},
    {"compressed", compressed, NULL},
    {"ballast", ballast, NULL},
    {"linted", linted, NULL},
    {"pruned", pruned, NULL},
    {"linted again", linted_again, NULL},
    {"forms of a prompt", forms_of_a_prompt, NULL},
};

static int run_with(const Case *c, long from, long to, Result *r) {
  Err err = {0};
  r->n = 0;
  r->text[0] = 0;
  asked = 0;
  refused_from = from;
  refused_to = to;
  int rc = c->run(r, &err);
  refused_from = -1;
  check(rc == err.rc, "%s", c->name);
  return rc;
}

static void run_case(const Case *c) {
  static Result whole, part;
  cJSON *tree = c->answer ? tree_of(c->answer) : NULL;
  answer = tree;
  int rc = run_with(c, -1, 0, &whole);
  long n = asked, refusals = 0;
  check(rc == RC_OK && whole.n > 0 && n > 0, "%s: %d", c->name, rc);
  for (int all = 0; all < 2; all++) {
    for (long i = 1; i <= n; i++) {
      rc = run_with(c, i, all ? LONG_MAX : i, &part);
      refusals += rc == RC_NOMEM;
      check(rc == RC_NOMEM || rc == RC_OK, "%s: allocation %ld of %ld: %d", c->name, i, n, rc);
      check(rc == RC_NOMEM || strcmp(part.text, whole.text) == 0,
            "%s: allocation %ld of %ld:\n%s\n%s", c->name, i, n, part.text, whole.text);
    }
  }
  check(refusals > 0, "%s", c->name);
  cJSON_Delete(tree);
}

static void test_every_allocation(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    run_case(&cases[i]);
  }
}

/* Tables of the process: what failed is not remembered. Each try gets some allocations further. */
static void try_again(const char *what, int (*is_made)(void)) {
  long tries = 0, allowed = 0;
  int made = 0;
  for (; !made; tries++, allowed += 1 + allowed / 32) {
    check(tries < 2000, "%s is never made", what);
    asked = 0;
    refused_from = allowed + 1;
    refused_to = LONG_MAX;
    made = is_made();
    refused_from = -1;
  }
  check(tries > 1, "%s asks for no memory", what);
}

static int count_o200k(void) {
  return encoding_count(ENCODING_O200K, "hello world", 11, NULL) == 2;
}

static int count_cl100k(void) {
  return encoding_count(ENCODING_CL100K, "hello world", 11, NULL) == 2;
}

static int count_p50k(void) {
  return encoding_count(ENCODING_P50K, "hello world", 11, NULL) == 2;
}

static int has_prices(void) {
  const PriceBook *book = catalogue_prices();
  check(!book || book->models.n > 1500, "%s", "the catalogue is whole or not there");
  return book != NULL;
}

static int embeds(void) {
  float v[STATIC_DIM];
  int rc = static_embed("hello", 5, v);
  check(rc == VEC_OK || rc == VEC_NOMEM, "%d", rc);
  return rc == VEC_OK;
}

static int finds_moving(void) {
  Err err = {0};
  MovingFinder *finder = moving_open(&err);
  int rc = err.rc;
  check(finder ? rc == RC_OK : rc == RC_NOMEM, "%d", rc);
  moving_close(finder);
  return finder != NULL;
}

static void test_tables_are_made_at_the_next_use(void **state) {
  (void)state;
  try_again("o200k_base", count_o200k);
  try_again("cl100k_base", count_cl100k);
  try_again("p50k_base", count_p50k);
  try_again("the catalogue", has_prices);
  try_again("the static embedder", embeds);
  try_again("what moves", finds_moving);
}

/* Those of vendors and models can't fail at all. */
static void test_tables_without_memory(void **state) {
  int n;
  (void)state;
  asked = 0;
  refused_from = 1;
  refused_to = LONG_MAX;
  const Vendor *vendor = vendor_by_word("bedrock");
  const Shape *shape = shape_by_name("openai");
  const Model *models = catalogue_models(&n);
  long long tokens = catalogue_cache_minimum(vendor_by_word("openai"), "gpt-4o", 1800000000000);
  refused_from = -1;
  assert_non_null(vendor);
  assert_non_null(shape);
  assert_true(models && n > 20);
  assert_int_equal(tokens, 1024);
  assert_int_equal(asked, 0);
}

int main(void) {
  cJSON_Hooks hooks = {__wrap_malloc, free};
  cJSON_InitHooks(&hooks);
  pcre2_general_context *general = pcre2_general_context_create(pcre_malloc, pcre_free, NULL);
  pcre_context = pcre2_compile_context_create(general);
  make_vectors();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tables_without_memory),
      cmocka_unit_test(test_tables_are_made_at_the_next_use),
      cmocka_unit_test(test_every_allocation),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  pcre2_compile_context_free(pcre_context);
  pcre2_general_context_free(general);
  return failed;
}
