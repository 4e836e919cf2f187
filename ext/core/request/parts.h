/*
** What a message is made of beside text: images, files, sound. OpenAI's form of a chat's parts is ours; those of its Responses and
** of Anthropic's Messages are read as well.
*/
#ifndef LLMCOST_PARTS_H
#define LLMCOST_PARTS_H

#include "base/error.h"
#include "base/text/json.h"

/* A message's parts in our form: owned, NULL and *err (ERR_BAD_MESSAGES, which names message and part, counted from 1). Of these:
**   {"type":"text","text"}                              {"type":"image_url","image_url":{"url"[,"detail"]}}
**   {"type":"file","file":{"file_data"|"file_id"|"file_url"[,"filename"]}}
**   {"type":"input_audio","input_audio":{"data","format"}}
** each with the "cache_control" it had. An address is https:, http: or data:TYPE;base64,…; blanks within base64 are left out, so
** that the same bytes are the same text. */
cJSON *parts_read(const cJSON *given, int message, Err *err);

/* A mark that stands beside a message's content ("cache_control") is one behind its last part, where that has none: moves it there. A
** tool's result keeps it: its parts take none. RC_OK, or *err without memory. */
int parts_take_mark(cJSON *message, Err *err);

/* The texts of parts one under the other: owned (free), NULL and *err. */
char *parts_text(const cJSON *parts, Err *err);

/* A data: address, taken apart; borrowed from it. */
typedef struct Media {
  const char *type; /* image/png */
  size_t n_type;
  const char *data; /* base64 */
  size_t n_data;
} Media;

/* 1 if an address is one. */
int media_read(const char *url, Media *m);

/* The address that a part has: of an image, or a file's bytes; NULL: none (text, sound, a file by its id). */
const char *part_url(const cJSON *part);

/* The type of bytes by how they begin: image/png, image/jpeg, image/gif, image/webp, application/pdf; NULL: none of these. */
const char *media_type_of(const unsigned char *bytes, size_t n);

/* 1 if a text may be a type: letters and digits with one '/' and ".+-" between. */
int media_type_is_valid(const char *type);

#endif
