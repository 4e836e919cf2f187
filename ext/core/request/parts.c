/*
** See parts.h for the contract. Forms: the type declarations of npm openai 7.59 (ChatCompletionContentPart, ResponseInputContent)
** and @anthropic-ai/sdk 1.14 (ImageBlockParam, DocumentBlockParam).
*/
#include "core/request/parts.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where a part stands, and what it becomes. */
typedef struct Reading {
  int message, part;
  const cJSON *given;
  cJSON *made; /* the part in our form, in its array */
  Err *err;
} Reading;

static const cJSON *member(const cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void refuse(Reading *r, const char *why) {
  err_set(r->err, RC_ERROR, ERR_BAD_MESSAGES, "message %d, part %d: %s", r->message, r->part, why);
}

static void set_type(Reading *r, const char *type) {
  json_add(r->made, "type", cJSON_CreateString(type), r->err);
}

static cJSON *add_object(Reading *r, const char *name) {
  set_type(r, name);
  return json_add(r->made, name, cJSON_CreateObject(), r->err);
}

static void add_text(cJSON *to, const char *name, const char *text, Err *err) {
  if (text) {
    json_add(to, name, cJSON_CreateString(text), err);
  }
}

/* ---- addresses */

int media_read(const char *url, Media *m) {
  static const char scheme[] = "data:", coding[] = ";base64,";
  const char *comma = url && strncasecmp(url, scheme, 5) == 0 ? strchr(url, ',') : NULL;
  size_t n = sizeof coding - 1;
  if (!comma || comma + 1 - url < (long)(5 + n) || strncasecmp(comma + 1 - n, coding, n) != 0) {
    return 0;
  }
  const char *end = comma + 1 - n, *semicolon = memchr(url + 5, ';', (size_t)(end - url) - 5);
  *m = (Media){.type = url + 5, .data = comma + 1, .n_data = strlen(comma + 1)};
  m->n_type = (size_t)((semicolon ? semicolon : end) - m->type);
  return 1;
}

int media_type_is_valid(const char *type) {
  size_t n = strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-/");
  const char *slash = strchr(type, '/');
  return !type[n] && n < 100 && slash && slash > type && slash[1] && !strchr(slash + 1, '/');
}

const char *media_type_of(const unsigned char *bytes, size_t n) {
  static const struct {
    const char *type;
    size_t at;
    const char *bytes;
    size_t n;
  } begins[] = {{"image/png", 0, "\x89PNG\r\n\x1A\n", 8},
                {"image/jpeg", 0, "\xFF\xD8\xFF", 3},
                {"image/gif", 0, "GIF8", 4},
                {"image/webp", 8, "WEBP", 4},
                {"application/pdf", 0, "%PDF-", 5}};
  for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
    if (n >= begins[i].at + begins[i].n &&
        memcmp(bytes + begins[i].at, begins[i].bytes, begins[i].n) == 0) {
      return begins[i].type;
    }
  }
  return NULL;
}

/* Leaves out the blanks of base64, in place. 0 where something else stands in it. */
static int pack(char *base64) {
  char *to = base64;
  for (const char *p = base64; *p; p++) {
    if (isalnum((unsigned char)*p) || *p == '+' || *p == '/' || *p == '=') {
      *to++ = *p;
    } else if (!strchr(" \t\r\n", *p)) {
      return 0;
    }
  }
  *to = 0;
  return 1;
}

/* What is wrong with an address; NULL: nothing. Base64 has no blanks afterwards. */
static const char *mend_url(char *url) {
  Media m;
  if (strncasecmp(url, "https://", 8) == 0 || strncasecmp(url, "http://", 7) == 0) {
    return NULL;
  }
  if (!media_read(url, &m) || m.n_type == 0 || m.n_data == 0) {
    return "expected an address https://… or data:TYPE;base64,… (llm_image(blob) makes one)";
  }
  return pack(url + (m.data - url)) ? NULL : "what stands behind 'base64,' is no base64";
}

static void add_url(Reading *r, cJSON *to, const char *name, const char *url) {
  cJSON *item = json_add(to, name, cJSON_CreateString(url), r->err);
  const char *fault = item ? mend_url(item->valuestring) : NULL;
  if (fault) {
    refuse(r, fault);
  }
}

/* The address of Anthropic's source; NULL where it has none. *made is owned where it had to be made. */
static const char *source_url(Reading *r, const cJSON *source, char **made) {
  const char *type = json_text(source, "type"), *data = json_text(source, "data");
  const char *media = json_text(source, "media_type");
  *made = NULL;
  if (!type || strcmp(type, "base64") != 0) {
    return json_text(source, "url");
  }
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  buf_printf(&b, "data:%s;base64,", media ? media : "");
  buf_puts(&b, data ? data : "");
  *made = b.failed ? NULL : buf_take(&b);
  if (!*made) {
    buf_free(&b);
    err_nomem(r->err);
  }
  return *made;
}

/* ---- the forms */

static void read_text(Reading *r) {
  const char *text = json_text(r->given, "text");
  if (!text || !text[0]) {
    refuse(r, "a text is empty");
    return;
  }
  set_type(r, "text");
  add_text(r->made, "text", text, r->err);
}

static void read_image(Reading *r) {
  const cJSON *image = member(r->given, "image_url");
  const char *url = cJSON_IsString(image) ? image->valuestring : json_text(image, "url");
  const char *detail = json_text(image, "detail");
  char *made = NULL;
  detail = detail ? detail : json_text(r->given, "detail");
  detail = detail && strcmp(detail, "auto") == 0 ? NULL : detail; /* as if it were not there */
  url = url ? url : source_url(r, member(r->given, "source"), &made);
  if (!url && r->err->rc == RC_OK) {
    refuse(r, "an image needs {\"image_url\":{\"url\":…}} or Anthropic's {\"source\":…}");
  }
  if (r->err->rc == RC_OK) {
    cJSON *to = add_object(r, "image_url");
    add_url(r, to, "url", url);
    add_text(to, "detail", detail, r->err);
  }
  free(made);
}

static void read_file(Reading *r) {
  const cJSON *file = member(r->given, "file") ? member(r->given, "file") : r->given;
  const cJSON *source = member(r->given, "source");
  const char *id = json_text(file, "file_id"), *data = json_text(file, "file_data");
  const char *name = json_text(file, "filename"), *url = json_text(file, "file_url");
  char *made = NULL;
  const char *kind = json_text(source, "type");
  if (kind && strcmp(kind, "text") == 0 && json_text(source, "data")) {
    set_type(r, "text"); /* a document that is a text is one */
    add_text(r->made, "text", json_text(source, "data"), r->err);
    return;
  }
  const char *of_source = source ? source_url(r, source, &made) : NULL;
  data = made ? made : data;
  url = of_source && !made ? of_source : url;
  name = name ? name : json_text(r->given, "title");
  if (!id && !data && !url && r->err->rc == RC_OK) {
    refuse(r, "a file needs 'file_data' (data:TYPE;base64,…), 'file_id' or 'file_url'");
  }
  if (r->err->rc == RC_OK) {
    cJSON *to = add_object(r, "file");
    add_text(to, "filename", name ? name : data ? "file.pdf" : NULL, r->err);
    add_text(to, "file_id", id, r->err);
    if (data) {
      add_url(r, to, "file_data", data);
    } else if (url) {
      add_url(r, to, "file_url", url);
    }
  }
  free(made);
}

static void read_audio(Reading *r) {
  const cJSON *audio = member(r->given, "input_audio");
  if (!json_text(audio, "data") || !json_text(audio, "format")) {
    refuse(r, "sound needs {\"input_audio\":{\"data\",\"format\"}}");
    return;
  }
  cJSON *to = add_object(r, "input_audio");
  add_text(to, "data", json_text(audio, "data"), r->err);
  add_text(to, "format", json_text(audio, "format"), r->err);
}

static const struct {
  const char *type;
  void (*read)(Reading *r);
} forms[] = {{"text", read_text},        {"input_text", read_text},   {"output_text", read_text},
             {"image_url", read_image},  {"input_image", read_image}, {"image", read_image},
             {"file", read_file},        {"input_file", read_file},   {"document", read_file},
             {"input_audio", read_audio}};

static void read_part(Reading *r);

/* A text in place of a part: a text; or a part that SQL has made a text of (it was kept in a table). */
static void read_bare(Reading *r) {
  const char *text = r->given->valuestring;
  Err ignored = {0};
  cJSON *tree = strncmp(text, "{\"type\":", 8) == 0
                    ? json_parse(text, strlen(text), "a part", &ignored)
                    : NULL;
  if (json_text(tree, "type")) {
    r->given = tree;
    read_part(r);
  } else if (text[0]) {
    set_type(r, "text");
    add_text(r->made, "text", text, r->err);
  } else {
    refuse(r, "a text is empty");
  }
  cJSON_Delete(tree);
}

static void read_part(Reading *r) {
  if (cJSON_IsString(r->given)) {
    read_bare(r);
    return;
  }
  const char *type = json_text(r->given, "type");
  for (size_t i = 0; type && i < sizeof forms / sizeof forms[0]; i++) {
    if (strcmp(type, forms[i].type) == 0) {
      forms[i].read(r);
      const cJSON *mark = member(r->given, "cache_control");
      if (mark && !cJSON_IsNull(mark) && r->err->rc == RC_OK) {
        json_add(r->made, "cache_control", cJSON_Duplicate(mark, 1), r->err);
      }
      return;
    }
  }
  refuse(r, type && strncmp(type, "tool_", 5) == 0
                ? "calls of tools are the assistant's \"tool_calls\", their results messages of "
                  "role 'tool'"
                : "expected a \"type\" of text, image_url, file or input_audio (llm_image(blob) "
                  "makes a part)");
}

cJSON *parts_read(const cJSON *given, int message, Err *err) {
  cJSON *parts = cJSON_CreateArray();
  Reading r = {.message = message, .err = err};
  const cJSON *item;
  cJSON_ArrayForEach(item, given) {
    r.part++;
    r.given = item;
    if (err->rc == RC_OK && (r.made = json_add(parts, NULL, cJSON_CreateObject(), err)) != NULL) {
      read_part(&r);
    }
  }
  if (!parts) {
    err_nomem(err);
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(parts);
    return NULL;
  }
  return parts;
}

/* A text as the only part. */
static cJSON *as_parts(const char *text, Err *err) {
  cJSON *parts = cJSON_CreateArray(), *part = json_add(parts, NULL, cJSON_CreateObject(), err);
  json_add(part, "type", cJSON_CreateString("text"), err);
  json_add(part, "text", cJSON_CreateString(text), err);
  return parts;
}

int parts_take_mark(cJSON *message, Err *err) {
  const char *role = json_text(message, "role"), *text = json_text(message, "content");
  const cJSON *mark = member(message, "cache_control");
  if (!mark || cJSON_IsNull(mark) || !role || strcmp(role, "tool") == 0) {
    return RC_OK;
  }
  if (text && text[0]) {
    json_replace(message, "content", as_parts(text, err), err);
  }
  cJSON *last = NULL, *part;
  cJSON_ArrayForEach(part, member(message, "content")) {
    last = part;
  }
  if (cJSON_IsObject(last) && !member(last, "cache_control")) {
    json_add(last, "cache_control", cJSON_Duplicate(mark, 1), err);
  }
  cJSON_DeleteItemFromObjectCaseSensitive(message, "cache_control");
  return err->rc;
}

char *parts_text(const cJSON *parts, Err *err) {
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES);
  const cJSON *part;
  cJSON_ArrayForEach(part, parts) {
    const char *text = cJSON_IsString(part) ? part->valuestring : json_text(part, "text");
    buf_puts(&b, text && b.n ? "\n" : "");
    buf_puts(&b, text ? text : "");
  }
  char *text = buf_take(&b);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

const char *part_url(const cJSON *part) {
  const cJSON *image = member(part, "image_url"), *file = member(part, "file");
  return image                          ? json_text(image, "url")
         : json_text(file, "file_data") ? json_text(file, "file_data")
                                        : json_text(file, "file_url");
}
