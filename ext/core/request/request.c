/*
** The logical request and its cache key. See request.h for the contract.
**
** Canonical form, hashed: for each field present, in this order, "name:length:bytes;". Lengths make
** it injective: no text can imitate a field boundary. Changing it makes every cached answer
** unreachable, so the first field is a version.
*/
#include "core/request/request.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "base/text/text.h"
#include "core/request/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void request_start(Request *r, const Options *options) {
  memset(r, 0, sizeof *r);
  r->options = options;
  r->system = options->system && options->system[0] ? options->system : NULL;
  r->gate = options->gate;
  utf8_copy(r->model, sizeof r->model, options->model ? options->model : "auto");
}

static int check_text(const char *what, const char *text, size_t n, Err *err) {
  size_t bad_at = 0;
  if (n > LIMIT_REQUEST_BYTES) {
    return err_set(err, RC_TOOBIG, ERR_TOO_BIG, "%s of %zu bytes (at most %zu)", what, n,
                   LIMIT_REQUEST_BYTES);
  }
  if (memchr(text, 0, n)) {
    return err_set(err, RC_ERROR, ERR_BAD_UTF8, "%s holds a NUL character", what);
  }
  if (!utf8_is_valid(text, n, &bad_at)) {
    return err_set(err, RC_ERROR, ERR_BAD_UTF8, "%s is not valid UTF-8 (byte %zu)", what, bad_at);
  }
  return RC_OK;
}

/* 1 for what llm_image gives: as text it would be paid by the byte. */
static int is_part(const char *prompt) {
  return strncmp(prompt, "{\"type\":\"image_url\"", 19) == 0 ||
         strncmp(prompt, "{\"type\":\"file\",\"file\":", 23) == 0;
}

int request_from_prompt(const char *prompt, size_t n, const Options *options, Request *r,
                        Err *err) {
  request_start(r, options);
  r->one = (Message){"user", prompt, n, NULL};
  r->messages = &r->one;
  r->n_messages = r->turn = 1;
  if (strspn(prompt, " \t\r\n") == n) {
    return err_set(err, RC_ERROR, ERR_BAD_PROMPT,
                   "the prompt is empty or blank (NULL asks nothing and gives NULL)");
  }
  if (err->rc == RC_OK && cJSON_IsObject(options->prune)) {
    err_set(
        err, RC_ERROR, ERR_BAD_OPTION,
        "option 'prune' is for conversations: llm_chat; texts are made shorter by llm_compress");
  }
  if (err->rc == RC_OK && is_part(prompt)) {
    err_set(err, RC_ERROR, ERR_BAD_PROMPT,
            "the prompt is an image or a file: llm_chat(json_array(json_object('role', 'user', "
            "'content', json_array('What is this?', llm_image(blob)))))");
  }
  return check_text("the prompt", prompt, n, err);
}

/* Joins one leading system message to the system prompt, a blank line between. */
static int join_system(Request *r, const char *content, Err *err) {
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  if (r->system) {
    buf_puts(&b, r->system);
    buf_puts(&b, "\n\n");
  }
  buf_puts(&b, content);
  int failed = b.failed;
  char *joined = buf_take(&b);
  if (!joined) {
    return failed == RC_TOOBIG ? err_set(err, RC_TOOBIG, ERR_TOO_BIG,
                                         "system prompt over %zu bytes", LIMIT_REQUEST_BYTES)
                               : err_nomem(err);
  }
  free(r->system_owned);
  r->system = r->system_owned = joined;
  return RC_OK;
}

/* The texts of an array of parts, one under the other, in its place. (What is no text is nothing to read.) */
static int flatten(cJSON *item, Err *err) {
  cJSON *content = cJSON_GetObjectItemCaseSensitive(item, "content");
  if (!cJSON_IsArray(content)) {
    return RC_OK;
  }
  char *text = parts_text(content, err);
  cJSON *joined = text ? cJSON_CreateString(text) : NULL;
  free(text);
  json_replace(item, "content", joined, err);
  return err->rc;
}

/* What instructions are made of. */
static int check_texts(const cJSON *parts, int position, Err *err) {
  const cJSON *part;
  cJSON_ArrayForEach(part, parts) {
    if (!cJSON_IsString(part) && !json_text(part, "text")) {
      return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                     "message %d: a system message holds texts alone", position);
    }
  }
  return RC_OK;
}

/* Notes the marks within instructions that are to stand behind those there are: parts, joined as parts_text joins them. */
static int note_marks(Request *r, const cJSON *parts, Err *err) {
  size_t at = r->system ? strlen(r->system) + 2 : 0, begin = at;
  const cJSON *part;
  cJSON_ArrayForEach(part, parts) {
    const char *text = cJSON_IsString(part) ? part->valuestring : json_text(part, "text");
    const cJSON *mark = cJSON_GetObjectItemCaseSensitive(part, "cache_control");
    at += text ? strlen(text) + (at > begin) : 0;
    if (mark && !cJSON_IsNull(mark) && at > begin) {
      r->system_marks = r->system_marks ? r->system_marks : cJSON_CreateArray();
      cJSON *noted =
          r->system_marks ? json_add(r->system_marks, NULL, cJSON_CreateObject(), err) : NULL;
      json_add(noted, "end", cJSON_CreateNumber((double)at), err);
      json_add(noted, "mark", cJSON_Duplicate(mark, 1), err);
      if (!noted) {
        return err_nomem(err);
      }
    }
  }
  return err->rc;
}

/* Adds the array's element `position` (from 1, as messages name it). */
static int add_message(Request *r, cJSON *item, int position, Err *err) {
  if (parts_take_mark(item, err) != RC_OK) {
    return err->rc;
  }
  const char *role = json_text(item, "role"), *content = json_text(item, "content");
  if (!role || (strcmp(role, "system") != 0 && strcmp(role, "developer") != 0)) {
    Message *m = &r->messages[r->n_messages++];
    message_read(item, position, m, err);
    r->turn += m->role && strcmp(m->role, "user") == 0;
    return err->rc;
  }
  if (r->n_messages > 0) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "message %d: a system message must come before the others", position);
  }
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(item, "content");
  if (cJSON_IsArray(list) && check_texts(list, position, err) == RC_OK &&
      note_marks(r, list, err) == RC_OK && flatten(item, err) == RC_OK) {
    content = json_text(item, "content");
  }
  return err->rc != RC_OK ? err->rc
         : content && content[0]
             ? join_system(r, content, err)
             : err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                       "message %d: expected {\"role\": text, \"content\": non-empty text}",
                       position);
}

/* Who may speak last: the model is to answer. */
static int check_order(const Request *r, int count, Err *err) {
  const char *last = r->n_messages ? r->messages[r->n_messages - 1].role : "";
  if (strcmp(last, "user") != 0 && strcmp(last, "tool") != 0) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "the last message must be the user's, or a tool's result");
  }
  return messages_check_tools(r->messages, r->n_messages, count - r->n_messages + 1, err);
}

int request_from_messages(const char *json, size_t n, const Options *options, Request *r,
                          Err *err) {
  request_start(r, options);
  if (check_text("the messages", json, n, err) != RC_OK) {
    return err->rc;
  }
  size_t blanks = strspn(json, " \t\r\n");
  int is_text = blanks < n && json[blanks] != '[' && json[blanks] != '{';
  r->doc = is_text ? NULL : json_parse_digits(json, n, "the messages", err);
  if (is_text) {
    err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
            "the messages are a JSON array of {\"role\", \"content\"}; a single text is for"
            " llm_complete(prompt)");
  }
  if (r->doc && !json_drop_doubles(r->doc)) {
    err_set(err, RC_ERROR, ERR_BAD_MESSAGES, "an object in the messages has over %d members",
            JSON_MOST_MEMBERS);
  }
  int count = r->doc && cJSON_IsArray(r->doc) ? cJSON_GetArraySize(r->doc) : 0;
  if (r->doc && count == 0) {
    err_set(err, RC_ERROR, ERR_BAD_MESSAGES, "expected a JSON array of {\"role\", \"content\"}");
  }
  r->messages = err->rc == RC_OK ? calloc((size_t)count, sizeof *r->messages) : NULL;
  if (err->rc == RC_OK && !r->messages) {
    err_nomem(err);
  }
  int position = 0;
  for (cJSON *item = err->rc == RC_OK ? r->doc->child : NULL; item && err->rc == RC_OK;
       item = item->next) {
    add_message(r, item, ++position, err);
  }
  return err->rc == RC_OK ? check_order(r, count, err) : err->rc;
}

/* 1 if every element is an object with a role: messages. */
static int is_conversation(const cJSON *doc) {
  int is = cJSON_IsArray(doc) && doc->child;
  for (const cJSON *item = is ? doc->child : NULL; item && is; item = item->next) {
    is = json_text(item, "role") != NULL;
  }
  return is;
}

/* Takes what the model would read. */
static void add_readable(Request *r, const cJSON *item) {
  const char *content = json_text(item, "content"), *role = json_text(item, "role");
  int is_user = strcmp(role, "user") == 0;
  if (strcmp(role, "system") == 0 || strcmp(role, "developer") == 0) {
    r->system = content ? content : r->system;
    return;
  }
  r->messages[r->n_messages++] = (Message){is_user ? "user" : "assistant", content ? content : "",
                                           content ? strlen(content) : 0, NULL};
  r->turn += is_user;
}

int request_for_show(const char *text, size_t n, const Options *options, Request *r, Err *err) {
  Err why = {0};
  request_start(r, options);
  r->one = (Message){"user", text, n, NULL};
  r->messages = &r->one;
  r->n_messages = r->turn = 1;
  if (check_text("the prompt", text, n, err) != RC_OK || text[strspn(text, " \t\r\n")] != '[') {
    return err->rc;
  }
  r->doc = json_parse(text, n, "the messages", &why);
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  if (!r->doc || !is_conversation(r->doc)) {
    return RC_OK; /* a prompt that begins like an array */
  }
  r->messages = calloc((size_t)cJSON_GetArraySize(r->doc), sizeof *r->messages);
  if (!r->messages) {
    return err_nomem(err);
  }
  r->n_messages = r->turn = 0;
  for (cJSON *item = r->doc->child; item && err->rc == RC_OK; item = item->next) {
    if (flatten(item, err) == RC_OK) {
      add_readable(r, item);
    }
  }
  return err->rc;
}

int request_from_texts(const char *const *texts, const size_t *lengths, int n,
                       const Options *options, Request *r, Err *err) {
  request_start(r, options);
  r->wants_vectors = 1;
  r->messages = calloc((size_t)n, sizeof *r->messages);
  if (!r->messages) {
    return err_nomem(err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    if (strspn(texts[i], " \t\r\n") == lengths[i]) {
      err_set(err, RC_ERROR, ERR_BAD_PROMPT, "a text to embed is empty or blank");
    }
    check_text("the text", texts[i], lengths[i], err);
    r->messages[r->n_messages++] = (Message){"user", texts[i], lengths[i], NULL};
  }
  return err->rc;
}

void request_free(Request *r) {
  if (r->messages != &r->one) {
    free(r->messages);
  }
  free(r->system_owned);
  cJSON_Delete(r->system_marks);
  cJSON_Delete(r->doc);
  memset(r, 0, sizeof *r);
}

static void add_field(Buf *b, const char *name, const char *value, size_t n) {
  char length[32];
  size_t at = sizeof length;
  length[--at] = ':';
  for (size_t rest = n; at == sizeof length - 1 || rest; rest /= 10) {
    length[--at] = (char)('0' + rest % 10);
  }
  length[--at] = ':';
  buf_puts(b, name);
  buf_add(b, length + at, sizeof length - at);
  buf_add(b, value, n);
  buf_add(b, ";", 1);
}

static void add_number(Buf *b, const char *name, double value) {
  if (!isnan(value)) {
    buf_printf(b, "%s:%.17g;", name, value);
  }
}

static void add_given_json(Buf *b, const char *name, const cJSON *value) {
  Err ignored = {0}; /* it can only be memory */
  char *text = json_print_exact(value, &ignored);
  if (text) {
    add_field(b, name, text, strlen(text));
  } else {
    buf_fail(b, RC_NOMEM);
  }
  cJSON_free(text);
}

/* (Most requests have none, and an Err takes a while to be cleared.) */
static void add_json(Buf *b, const char *name, const cJSON *value) {
  if (value) {
    add_given_json(b, name, value);
  }
}

static void add_text(Buf *b, const char *name, const char *text, size_t n) {
  Buf normal;
  buf_init(&normal, LIMIT_REQUEST_BYTES * 4);
  int rc = text_normalize(text, n, &normal);
  if (rc == RC_OK) {
    add_field(b, name, normal.data, normal.n);
  } else {
    buf_fail(b, rc);
  }
  buf_free(&normal);
}

/* Model and parameters. */
static void add_parameters(Buf *b, const Request *r) {
  const Options *o = r->options;
  add_field(b, "model", r->model, strlen(r->model));
  if (o->by_tag) { /* (whatever number that is today: the answer is whole) */
    add_field(b, "max_tokens", OPTION_P99, strlen(OPTION_P99));
  } else {
    add_number(b, "max_tokens",
               o->max_tokens == OPTION_UNSET ? (double)NAN : (double)o->max_tokens);
  }
  add_number(b, "temperature", o->temperature);
  add_number(b, "top_p", o->top_p);
  add_number(b, "seed", o->has_seed ? (double)o->seed : (double)NAN);
  add_json(b, "stop", o->stop);
  add_json(b, "schema", o->schema);
  add_json(b, "gate", r->gate);
  add_number(b, "score", o->score);
  add_number(b, "escalate", o->escalate ? 1 : (double)NAN);
  add_number(b, "logprobs", o->logprobs ? 1 : (double)NAN);
  add_json(b, "extra", o->extra);
  add_json(b, "reasoning", o->reasoning);
  add_json(b, "tools", o->tools);
  add_json(b, "tool_choice", o->tool_choice);
  if (o->service) {
    add_field(b, "service", o->service, strlen(o->service));
  }
  add_number(b, "returns", o->returns != RETURNS_TEXT ? o->returns : (double)NAN);
}

static void add_beside(Buf *b, const KeyBeside *beside) {
  if (beside->user) {
    add_field(b, "user", beside->user, strlen(beside->user));
  }
  if (beside->row) {
    add_field(b, "row", beside->row, strlen(beside->row));
  }
}

/* What of a message no text says. */
static void add_item(Buf *b, const Message *m) {
  if (m->item) {
    add_given_json(b, "item", m->item);
  }
}

/* The first n messages. */
static void add_messages(Buf *b, const Request *r, int n) {
  for (int i = 0; i < n; i++) {
    add_text(b, r->messages[i].role, r->messages[i].content, r->messages[i].n);
    add_item(b, &r->messages[i]);
  }
}

/* What of a message stands beside its text. */
static void add_media(Buf *b, const Message *m) {
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(m->item, "content"), *part;
  cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
    if (json_text(part, "text")) {
      add_field(b, "part", "text", 4); /* where it stands between the others */
    } else {
      add_given_json(b, "part", part);
    }
  }
}

static int hash_form(Buf *b, unsigned long long seed, Hash *out, Err *err) {
  if (b->failed) {
    int is_big = b->failed == RC_TOOBIG;
    buf_free(b);
    return is_big ? err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the request is too long to be named")
                  : err_nomem(err);
  }
  *out = hash_bytes(b->data, b->n, seed);
  buf_free(b);
  return RC_OK;
}

int request_is_plain(const Request *r) {
  int is_plain = 1;
  for (int i = 0; i < r->n_messages && is_plain; i++) {
    is_plain = !r->messages[i].item;
  }
  return is_plain;
}

int request_key(const Request *r, const KeyBeside *beside, unsigned long long seed, Hash *key,
                Err *err) {
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES * 8);
  buf_puts(&b, r->wants_vectors ? "llmcost:embedding:1;" : "llmcost:1;");
  add_parameters(&b, r);
  add_beside(&b, beside);
  if (r->system) {
    add_text(&b, "system", r->system, strlen(r->system));
  }
  add_messages(&b, r, r->n_messages);
  return hash_form(&b, seed, key, err);
}

int request_scope(const Request *r, const KeyBeside *beside, unsigned long long seed, Hash *scope,
                  Err *err) {
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES * 8);
  buf_puts(&b, "llmcost:scope:1;");
  add_parameters(&b, r);
  add_beside(&b, beside);
  add_messages(&b, r, r->n_messages - 1);
  add_media(&b, &r->messages[r->n_messages - 1]);
  return hash_form(&b, seed, scope, err);
}

/* A part that is no text: its type, how many bytes (of base64) it has, and their name; or where it is. */
static void note_part(cJSON *to, const cJSON *part, Err *err) {
  const char *url = part_url(part), *type = json_text(part, "type");
  Media m;
  cJSON *note = json_add(to, NULL, cJSON_CreateObject(), err);
  if (url && media_read(url, &m)) {
    char hex[HASH_HEX_SIZE], media[64];
    Hash h = hash_bytes(m.data, m.n_data, 0);
    hash_hex(&h, hex);
    utf8_copy(media, m.n_type < sizeof media ? m.n_type + 1 : sizeof media, m.type);
    json_add(note, "type", cJSON_CreateString(media), err);
    json_add(note, "bytes", cJSON_CreateNumber((double)m.n_data), err);
    json_add(note, "hash", cJSON_CreateString(hex), err);
    return;
  }
  json_add(note, "type", cJSON_CreateString(type ? type : ""), err);
  if (url) {
    json_add(note, "url", cJSON_CreateString(url), err);
  }
}

/* What of a message no text says, for reading: calls of tools as they are, of everything else what it was. */
static void note_item(cJSON *to, const cJSON *message, Err *err) {
  static const char *const names[] = {"tool_calls", "tool_call_id"};
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(message, "content"), *part;
  cJSON *media = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(message, names[i]);
    if (item) {
      json_add(to, names[i], cJSON_Duplicate(item, 1), err);
    }
  }
  cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
    if (!json_text(part, "text")) {
      media = media ? media : json_add(to, "media", cJSON_CreateArray(), err);
      note_part(media, part, err);
    }
  }
}

/* Adds one message of the transcript to the array. */
static void transcript_message(cJSON *array, const Message *m, RequestNameText name, void *arg,
                               Err *err) {
  Hash h;
  char hex[HASH_HEX_SIZE];
  cJSON *item = json_add(array, NULL, cJSON_CreateObject(), err);
  json_add(item, "role", cJSON_CreateString(m->role), err);
  if (m->n < LIMIT_INLINE_TEXT) {
    json_add(item, "text", cJSON_CreateString(m->content), err);
  } else if (err->rc == RC_OK && name(arg, m->content, m->n, &h) != RC_OK) {
    err_nomem(err);
  } else if (err->rc == RC_OK) {
    hash_hex(&h, hex);
    json_add(item, "hash", cJSON_CreateString(hex), err);
  }
  if (m->item) {
    note_item(item, m->item, err);
  }
}

char *request_transcript(const Request *r, RequestNameText name, void *arg, size_t *n, Err *err) {
  cJSON *array = cJSON_CreateArray();
  for (int i = 0; i < r->n_messages && err->rc == RC_OK; i++) {
    transcript_message(array, &r->messages[i], name, arg, err);
  }
  char *text = json_print(array, err);
  *n = text ? strlen(text) : 0;
  return text;
}

/* ---- what it was asked for */

/* Images, files and sounds of all messages. */
static int count_media(const Request *r) {
  int n = 0;
  for (int i = 0; i < r->n_messages; i++) {
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(r->messages[i].item, "content"), *part;
    cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
      n += !json_text(part, "text");
    }
  }
  return n;
}

int request_has_more(const Request *r) {
  const Options *o = r->options;
  return o->schema || o->tools || o->extra || !request_is_plain(r);
}

size_t request_media_bytes(const Request *r) {
  size_t n = 0;
  for (int i = 0; i < r->n_messages; i++) {
    const cJSON *content = cJSON_GetObjectItemCaseSensitive(r->messages[i].item, "content"), *part;
    cJSON_ArrayForEach(part, (cJSON_IsArray(content) ? content : NULL)) {
      Media m;
      n += media_read(part_url(part), &m) ? m.n_data : 0;
    }
  }
  return n;
}

static void add_count(cJSON *to, const char *name, int n, Err *err) {
  if (n > 0) {
    json_add(to, name, cJSON_CreateNumber(n), err);
  }
}

char *request_asked(const Request *r, Err *err) {
  const Options *o = r->options;
  const cJSON *member;
  cJSON *asked = cJSON_CreateObject(), *names = NULL;
  if (o->reasoning) {
    json_add(asked, "reasoning", cJSON_Duplicate(o->reasoning, 1), err);
  }
  if (o->service) {
    json_add(asked, "service", cJSON_CreateString(o->service), err);
  }
  if (o->schema) {
    json_add(asked, "schema", cJSON_CreateTrue(), err);
  }
  if (o->by_tag && o->max_tokens != OPTION_UNSET) {
    cJSON *limit = json_add(asked, "max_tokens", cJSON_CreateObject(), err);
    json_add(limit, OPTION_P99, cJSON_CreateNumber((double)o->max_tokens), err);
    json_add(limit, "of", cJSON_CreateNumber((double)o->by_tag_of), err);
    json_add(limit, "cut", cJSON_CreateNumber(o->by_tag_cut), err);
  }
  add_count(asked, "tools", cJSON_GetArraySize(o->tools), err);
  add_count(asked, "media", count_media(r), err);
  if (o->returns != RETURNS_TEXT) {
    json_add(asked, "returns", cJSON_CreateString("message"), err);
  }
  cJSON_ArrayForEach(member, o->extra) {
    names = names ? names : json_add(asked, "extra", cJSON_CreateArray(), err);
    json_add(names, NULL, cJSON_CreateString(member->string), err);
  }
  char *text = json_print(asked, err), *copy = NULL;
  if (text) {
    size_t n = strlen(text);
    text[n - 1] = 0;
    copy = strdup(text + 1);
    cJSON_free(text);
  }
  return copy ? copy : (err_nomem(err), NULL);
}
