/*
** See form.h for the contract.
**
** Sources: OpenAI's OpenAPI document (/batches, /files: 50,000 lines, 200 MB, 50,000 embedding inputs, batch files kept for 30
** days); learn.microsoft.com, how-to/batch (Azure: 100,000 requests, no embeddings, not ended after 24 h); Groq's SDK 1.6 (100 MB,
** 24h to 7d, chat alone); openrouter.ai/docs batch quickstart and API reference (5,000 requests, 200 MB, endpoint and model in front
** of the requests, results inline or paged for 30 days, no mark, no cancelling); platform.claude.com, batch processing (100,000
** requests or 256 MB, 24 h, 29 days); Mistral's SDK 2.7 and its page of known limitations (100,000 requests, 512 MB, results for
** 24 h; its guide says 1,000,000 and for ever: the smaller is kept to). A megabyte is a million bytes: the smaller reading.
*/
#include "wire/batch/form.h"

#include "core/usage/vendor.h"
#include "wire/model/supports.h"

#include <stdio.h>
#include <string.h>

#define MEGABYTE 1000000LL
enum { HOUR = 3600, DAY = 24 * HOUR };

#define OPENAI_PATHS                                                                               \
  {                                                                                                \
    [BATCH_UPLOAD] = "POST /files", [BATCH_CREATE] = "POST /batches",                              \
    [BATCH_GET] = "GET /batches/%s", [BATCH_LIST] = "GET /batches?limit=100",                      \
    [BATCH_CANCEL] = "POST /batches/%s/cancel", [BATCH_RESULTS] = "GET /files/%s/content",         \
    [BATCH_DELETE_FILE] = "DELETE /files/%s"                                                       \
  }

static const BatchForm forms[] = {
    {.name = "openai",
     .api = "openai",
     .takes_file = 1,
     .endpoints = {"/v1/chat/completions", "/v1/embeddings"},
     .body_name = "body",
     .line_has_url = 1,
     .most_requests = 50000,
     .most_bytes = 200 * MEGABYTE,
     .most_inputs = 50000,
     .window_least = 24,
     .window_usual = 24,
     .window_most = 24,
     .window_name = "completion_window",
     .results_days = 30,
     .keep_least = HOUR,
     .keep_most = 30 * DAY,
     .mark_name = "metadata",
     .cursor_name = "after",
     .paths = OPENAI_PATHS},
    {.name = "azure",
     .api = "openai",
     .takes_file = 1,
     .endpoints = {"/chat/completions", NULL},
     .body_name = "body",
     .line_has_url = 1,
     .most_requests = 100000,
     .most_bytes = 200 * MEGABYTE,
     .window_least = 24,
     .window_usual = 24,
     .window_most = 24,
     .window_name = "completion_window",
     .mark_name = "metadata",
     .cursor_name = "after",
     .paths = OPENAI_PATHS},
    {.name = "groq",
     .api = "openai",
     .takes_file = 1,
     .endpoints = {"/v1/chat/completions", NULL},
     .body_name = "body",
     .line_has_url = 1,
     .most_requests = 50000,
     .most_bytes = 100 * MEGABYTE,
     .window_least = 24,
     .window_usual = 24,
     .window_most = 7 * 24,
     .window_name = "completion_window",
     .results_days = 30,
     .mark_name = "metadata",
     .cursor_name = "after",
     .paths = OPENAI_PATHS},
    {.name = "openrouter",
     .api = "openai",
     .endpoints = {"/v1/chat/completions", "/v1/embeddings"},
     .body_name = "body",
     .model_in_job = 1,
     .most_requests = 5000,
     .most_bytes = 200 * MEGABYTE,
     .window_least = 24,
     .window_usual = 24,
     .window_most = 24,
     .results_days = 30,
     .results_by_batch = 1,
     .results_names = "results data",
     .cursor_name = "cursor",
     .paths = {[BATCH_CREATE] = "POST /batches",
               [BATCH_GET] = "GET /batches/%s",
               [BATCH_LIST] = "GET /batches",
               [BATCH_RESULTS] = "GET /batches/%s/results",
               [BATCH_DELETE] = "DELETE /batches/%s"}},
    {.name = "anthropic",
     .api = "anthropic",
     .endpoints = {"/v1/messages", NULL},
     .body_name = "params",
     .most_requests = 100000,
     .most_bytes = 256 * MEGABYTE,
     .window_least = 24,
     .window_usual = 24,
     .window_most = 24,
     .results_days = 29,
     .results_by_batch = 1,
     .cursor_name = "after_id",
     .paths = {[BATCH_CREATE] = "POST /messages/batches",
               [BATCH_GET] = "GET /messages/batches/%s",
               [BATCH_LIST] = "GET /messages/batches?limit=100",
               [BATCH_CANCEL] = "POST /messages/batches/%s/cancel",
               [BATCH_RESULTS] = "GET /messages/batches/%s/results",
               [BATCH_DELETE] = "DELETE /messages/batches/%s"}},
    {.name = "mistral",
     .api = "openai",
     .takes_file = 1,
     .endpoints = {"/v1/chat/completions", "/v1/embeddings"},
     .body_name = "body",
     .model_in_job = 1,
     .most_requests = 100000,
     .most_bytes = 512 * MEGABYTE,
     .window_least = 1,
     .window_usual = 24,
     .window_most = 7 * 24 - 1,
     .window_name = "timeout_hours",
     .window_is_number = 1,
     .results_days = 1,
     .mark_name = "metadata",
     .cursor_name = "page",
     .cursor_is_page = 1,
     .paths = {[BATCH_UPLOAD] = "POST /files",
               [BATCH_CREATE] = "POST /batch/jobs",
               [BATCH_GET] = "GET /batch/jobs/%s",
               [BATCH_LIST] = "GET /batch/jobs?page_size=100",
               [BATCH_CANCEL] = "POST /batch/jobs/%s/cancel",
               [BATCH_RESULTS] = "GET /files/%s/content",
               [BATCH_DELETE_FILE] = "DELETE /files/%s",
               [BATCH_DELETE] = "DELETE /batch/jobs/%s"}},
};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

/* Who has none, or one of a form that is not spoken here, and what there is instead. */
static const struct {
  const char *vendor, *why, *instead;
} without[] = {
    {"google", "its batch API is of a form of its own, which is not spoken here",
     "the same model as 'openrouter/google/…'"},
    {"aws", "Bedrock's batches go through S3", "the same model at its maker, or by 'openrouter/…'"},
    {"together", "its batch API is of a form of its own, which is not spoken here",
     "the same model as 'openrouter/…' or at 'groq/…'"},
    {"fireworks", "its batch API is of a form of its own, which is not spoken here",
     "the same model as 'openrouter/…' or at 'groq/…'"},
    {"x-ai", "its batch API is of a form of its own, which is not spoken here",
     "the same model as 'openrouter/x-ai/…'"},
    {"deepseek", "it has no batch API", "the same model as 'openrouter/deepseek/…'"},
    {"voyageai", "its batch API is of a form of its own, which is not spoken here",
     "'text-embedding-3-small' of openai, or an embedding model of mistral"},
    {"self-hosted", "it is a server of your own", "llm_map"},
};

/* ---- which */

const BatchForm *batch_form_by_name(const char *name) {
  for (int i = 0; i < N_FORMS; i++) {
    if (strcmp(forms[i].name, name) == 0) {
      return &forms[i];
    }
  }
  return NULL;
}

const BatchForm *batch_form_at(int i) {
  return i >= 0 && i < N_FORMS ? &forms[i] : NULL;
}

static void say_names(char *out, size_t size) {
  size_t n = 0;
  out[0] = 0;
  for (int i = 0; i < N_FORMS && n < size; i++) {
    n += (size_t)snprintf(out + n, size - n, "%s'%s'", i ? ", " : "", forms[i].name);
  }
}

/* What there is instead. */
static void set_none(const Model *model, const char *vendor, Err *err) {
  const char *why = "no batch API of it is known", *instead = NULL;
  char names[120];
  say_names(names, sizeof names);
  for (size_t i = 0; vendor && i < sizeof without / sizeof without[0]; i++) {
    if (strcmp(without[i].vendor, vendor) == 0) {
      why = without[i].why;
      instead = without[i].instead;
    }
  }
  err_set(err, RC_ERROR, ERR_BAD_API,
          "model '%.80s' of %.40s can't go into a batch: %s. Instead: %s%sllm_map (now, at full "
          "price); batches are "
          "taken by %s; a gateway that speaks one of these forms is told by \"batch\" in "
          "llm_models.supports",
          model->name, model->provider[0] ? model->provider : "no provider", why,
          instead && strcmp(instead, "llm_map") != 0 ? instead : "",
          instead && strcmp(instead, "llm_map") != 0 ? ", or " : "", names);
}

/* As llm_models.supports says. */
static const BatchForm *named_form(const char *word, const Model *model, Err *err) {
  const BatchForm *form = batch_form_by_name(word);
  char names[120];
  say_names(names, sizeof names);
  if (!form) {
    err_set(err, RC_ERROR, ERR_CONFIG,
            "model '%.80s': \"batch\" in llm_models.supports is '%s' (valid: %s, or false)",
            model->name, word, names);
  }
  return form;
}

const BatchForm *batch_form_of(const Model *model, Err *err) {
  char word[40];
  SupportsWord said = wire_supports_word(model, "batch", word, sizeof word, err);
  const Vendor *vendor = vendor_by_word(model->provider);
  const BatchForm *form = said == SUPPORTS_TEXT                ? named_form(word, model, err)
                          : said == SUPPORTS_NOTHING && vendor ? batch_form_by_name(vendor->id)
                                                               : NULL;
  if (err->rc != RC_OK) {
    return NULL;
  }
  if (!form || strcmp(form->api, model->api) != 0) {
    set_none(model, vendor ? vendor->id : NULL, err);
    return NULL;
  }
  return form;
}

int batch_form_window(const BatchForm *form, long long hours) {
  return hours <= 0                   ? form->window_usual
         : hours < form->window_least ? form->window_least
         : hours < form->window_most  ? (int)hours
                                      : form->window_most;
}

/* ---- where */

/* Letters that no path gives a meaning to, as all known ids are made of; and no way up. */
static int is_id(const char *id) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:";
  return id && id[0] && !id[strspn(id, letters)] && id[0] != '.' && !strstr(id, "..");
}

static void put_encoded(Buf *out, const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    int is_plain = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
                   (c < 0x80 && strchr("-_.~", c));
    if (is_plain) {
      buf_add(out, text, 1);
    } else {
      buf_printf(out, "%%%02X", c);
    }
  }
}

static void put_cursor(const BatchForm *form, const char *path, const char *cursor, Buf *out) {
  buf_printf(out, "%c%s=", strchr(path, '?') ? '&' : '?', form->cursor_name);
  put_encoded(out, cursor);
}

int batch_form_path(const BatchForm *form, BatchStep step, const char *id, const char *cursor,
                    Buf *out, const char **method, Err *err) {
  static const char *const methods[] = {"GET", "POST", "DELETE"};
  const char *at = form->paths[step], *path = at ? strchr(at, ' ') + 1 : NULL;
  if (!at) {
    return err_set(err, RC_ERROR, ERR_BAD_API, "%s's batches have no such step", form->name);
  }
  const char *hole = strstr(path, "%s");
  if (hole && !is_id(id)) {
    return err_set(err, RC_ERROR, ERR_BAD_ANSWER, "%s gave an id that is none: '%.60s'", form->name,
                   id ? id : "");
  }
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
    *method = strncmp(at, methods[i], strlen(methods[i])) == 0 ? methods[i] : *method;
  }
  buf_add(out, path, hole ? (size_t)(hole - path) : strlen(path));
  buf_puts(out, hole ? id : "");
  buf_puts(out, hole ? hole + 2 : "");
  if (cursor && cursor[0]) {
    put_cursor(form, path, cursor, out);
  }
  return out->failed ? err_nomem(err) : err->rc;
}
