/*
** What an image or a file counts, by the rules that providers publish. An estimate: they scale images as they like, and of a file
** nobody says how many pages it has before it is read.
*/
#ifndef LLMCOST_IMAGE_H
#define LLMCOST_IMAGE_H

#include <cjson/cJSON.h>
#include <stddef.h>

typedef struct ImageRule ImageRule;

/* The rule for a model (its name in lower case, without a vendor's prefix). Never NULL. Static storage. */
const ImageRule *image_rule(const char *model);

/* Tokens of a part that is no text (core/request/parts.h). -1: no memory. */
long long image_tokens(const ImageRule *rule, const cJSON *part);

/* The size of a PNG, JPEG, GIF or WebP in pixels, by its header: 1, or 0 where it is none. */
int image_size(const unsigned char *bytes, size_t n, long *width, long *height);

#endif
