/*
** Providers' answers and errors: chat completions, messages, embeddings, whatever a gateway sends.
**
** Holds: what is read strictly is read leniently; what is handed on is UTF-8, a finish reason is one of ours, no count is below "unknown", and an
** answer without a text, or without vectors, says why. A piece of a stream is read where a whole answer is, and mended it is UTF-8.
*/
#include "fuzz.h"

#include "base/text/json_lenient.h"
#include "wire/answer/failure.h"
#include "wire/answer/thinking.h"
#include "wire/provider.h"

static void check_usage(const Usage *u) {
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    require(usage_get(u, unit) >= USAGE_UNKNOWN);
  }
  require(u->reported_nusd >= USAGE_UNKNOWN && is_utf8(u->service) && is_utf8(u->geo));
}

static Message question = {"user", "what? <thinking>", 16, NULL};
static const Request request = {.messages = &question, .n_messages = 1};

static void read_as(const Api *api, const Body *body) {
  Reply reply = {0};
  Err err = {0};
  int rc = api->parse(body, &reply, &err);
  require(rc == err.rc);
  check_err(&err);
  provider_read_usage(body->tree, api->name, &reply);
  check_usage(&reply.usage);
  require(thinking_split(&reply, &request, &err) == RC_OK || rc != RC_OK);
  require(!reply.text || is_utf8(reply.text));
  require(reply.finish >= FINISH_UNKNOWN && reply.finish <= FINISH_FAILED && is_utf8(reply.word));
  require(!reply.reasoning || is_utf8(reply.reasoning));
  require(!reply.refusal || (is_utf8(reply.refusal) && !reply_is_blank(reply.refusal)));
  require(is_utf8(reply.model) && is_utf8(reply.usage_error));
  require((reply.parts != NULL) == (reply.n_parts > 0));
  for (int i = 0; i < reply.n_parts; i++) {
    check_usage(&reply.parts[i].usage);
    require(is_utf8(reply.parts[i].model));
  }
  reply_free(&reply);
}

static void check_piece(const char *text, size_t n, int is_read) {
  Err err = {0};
  cJSON *piece = json_piece_parse(text, n, "the answer", &err);
  require((piece != NULL) == is_read);
  if (piece) {
    require(json_piece_mend(piece, &err) == RC_OK);
    char *printed = cJSON_PrintUnformatted(piece);
    require(printed && is_utf8(printed));
    cJSON_free(printed);
  }
  cJSON_Delete(piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n;
  char *text = take_rest(&in, &n);
  Failure failure;
  char described[200];
  failure_read(NULL, text, n, &failure);
  require(is_utf8(failure.type) && is_utf8(failure.code) && is_utf8(failure.message));
  require(is_utf8(failure.reason) && is_utf8(failure.quota) && is_utf8(failure.sample));
  require(is_utf8(failure.generation) && is_utf8(failure_word(&failure, 400)));
  require(failure.retry_after_ms >= -1 && failure.status >= 0 && failure.status < 600);
  failure_describe(NULL, n, text, n, described, sizeof described);
  require(is_utf8(described));
  Err err = {0};
  cJSON *strict = fuzz_json(text, n);
  cJSON *tree = json_parse_lenient(text, n, "the answer", &err);
  require((tree != NULL) == (err.rc == RC_OK) && (tree || !strict));
  check_err(&err);
  check_piece(text, n, tree != NULL);
  cJSON_Delete(strict);
  Body body;
  Err why = {0};
  int is_body = body_read(text, n, "text/plain", &body, &why) == RC_OK;
  require(is_body == (body.tree != NULL) && is_body == (why.rc == RC_OK));
  check_err(&why);
  if (is_body) {
    long status = 0;
    failure_in_answer(body.tree, &status);
    read_as(provider_api("openai"), &body);
    read_as(provider_embedding_api("openai"), &body);
  }
  body_free(&body);
  cJSON_Delete(tree);
  free(text);
  return 0;
}
