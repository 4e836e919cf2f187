/*
** See image.h for the contract. Rules: https://developers.openai.com/api/docs/guides/images-vision (tiles of 512 pixels, or
** patches of 32), https://platform.claude.com/docs/en/build-with-claude/vision (width * height / 750),
** https://ai.google.dev/gemini-api/docs/tokens (tiles of 768 pixels, 258 each). Whose rule is not known counts as Claude's do.
*/
#include "core/tokens/image.h"

#include "base/base64.h"
#include "base/text/glob.h"
#include "base/text/json.h"
#include "core/request/parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum Kind { TILES, PATCHES, AREA, SQUARES, FLAT } Kind;

struct ImageRule {
  const char *models; /* GLOBs */
  Kind kind;
  double a,
      b; /* TILES: base, each tile. PATCHES: times. AREA: longest edge, most tokens. FLAT: tokens */
};

enum {
  MOST_PATCHES = 1536,
  PAGE_TOKENS =
      2000, /* of a file's page: Anthropic's guide says 1,500 to 3,000 for the text alone */
  PAGE_BYTES = 50000, /* of a file whose pages can't be counted */
  SOUND_BYTES = 1000, /* of base64, a token of sound: about ten a second at 64 kbit/s */
  UNSEEN = 1024       /* pixels of an image whose address alone is known */
};

static const ImageRule rules[] = {
    {"gpt-4o-mini*", TILES, 2833, 5667},
    {"gpt-4.1-mini* gpt-5-mini*", PATCHES, 1.62, 0},
    {"gpt-4.1-nano* gpt-5-nano*", PATCHES, 2.46, 0},
    {"o4-mini*", PATCHES, 1.72, 0},
    {"o1* o3*", TILES, 75, 150},
    {"gpt-4* chatgpt-4o*", TILES, 85, 170},
    {"gpt-5* gpt-6*", TILES, 70, 140},
    {"claude-opus-4-7* claude-opus-4-8* claude-opus-5* claude-sonnet-5* claude-haiku-5* "
     "claude-fable* claude-mythos*",
     AREA, 2576, 4784},
    {"gemini-[3-9]*", FLAT, 1120, 0},
    {"gemini*", SQUARES, 258, 768},
    {"*", AREA, 1568, 1600},
};

const ImageRule *image_rule(const char *model) {
  const ImageRule *rule = rules;
  while (!glob_any(rule->models, model) && strcmp(rule->models, "*") != 0) {
    rule++;
  }
  return rule;
}

/* ---- sizes */

static long big(const unsigned char *p, int n) {
  long value = 0;
  for (int i = 0; i < n; i++) {
    value = value << 8 | p[i];
  }
  return value;
}

static long little(const unsigned char *p, int n) {
  long value = 0;
  for (int i = n - 1; i >= 0; i--) {
    value = value << 8 | p[i];
  }
  return value;
}

/* A JPEG's frame stands behind other segments, each with its length. */
static int jpeg_size(const unsigned char *p, size_t n, long *width, long *height) {
  for (size_t at = 2; at + 9 < n && p[at] == 0xFF;) {
    int marker = p[at + 1];
    int is_frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) {
      *height = big(p + at + 5, 2);
      *width = big(p + at + 7, 2);
      return 1;
    }
    at += marker == 0xFF ? 1 : 2 + (size_t)big(p + at + 2, 2);
  }
  return 0;
}

static int webp_size(const unsigned char *p, size_t n, long *width, long *height) {
  if (n < 30) {
    return 0;
  }
  if (memcmp(p + 12, "VP8X", 4) == 0) {
    *width = 1 + little(p + 24, 3);
    *height = 1 + little(p + 27, 3);
  } else if (memcmp(p + 12, "VP8L", 4) == 0) {
    long bits = little(p + 21, 4);
    *width = 1 + (bits & 0x3FFF);
    *height = 1 + (bits >> 14 & 0x3FFF);
  } else {
    *width = little(p + 26, 2) & 0x3FFF;
    *height = little(p + 28, 2) & 0x3FFF;
  }
  return 1;
}

int image_size(const unsigned char *p, size_t n, long *width, long *height) {
  const char *type = media_type_of(p, n);
  int found = 0;
  *width = *height = 0;
  if (type && strcmp(type, "image/png") == 0 && n >= 24) {
    *width = big(p + 16, 4);
    *height = big(p + 20, 4);
    found = 1;
  } else if (type && strcmp(type, "image/gif") == 0 && n >= 10) {
    *width = little(p + 6, 2);
    *height = little(p + 8, 2);
    found = 1;
  } else if (type && strcmp(type, "image/jpeg") == 0) {
    found = jpeg_size(p, n, width, height);
  } else if (type && strcmp(type, "image/webp") == 0) {
    found = webp_size(p, n, width, height);
  }
  return found && *width > 0 && *height > 0;
}

/* ---- tokens */

static double tiles(double w, double h, double side) {
  return ceil(w / side) * ceil(h / side);
}

/* Scaled into 2048 by 2048, then its shorter side to 768. */
static double by_tiles(const ImageRule *rule, double w, double h, int is_low) {
  double fit = fmin(1, 2048 / fmax(w, h));
  double shorter = fmin(1, 768 / (fit * fmin(w, h)));
  return rule->a + (is_low ? 0 : rule->b * tiles(w * fit * shorter, h * fit * shorter, 512));
}

static double by_area(const ImageRule *rule, double w, double h) {
  double fit = fmin(1, rule->a / fmax(w, h));
  return fmin(rule->b, ceil(w * fit * h * fit / 750));
}

static long long tokens_of(const ImageRule *rule, double w, double h, int is_low) {
  double n = rule->a;
  switch (rule->kind) {
  case TILES:
    n = by_tiles(rule, w, h, is_low);
    break;
  case PATCHES:
    n = ceil(fmin(MOST_PATCHES, tiles(w, h, 32)) * rule->a);
    break;
  case AREA:
    n = by_area(rule, w, h);
    break;
  case SQUARES:
    n = rule->a * (w <= 384 && h <= 384 ? 1 : tiles(w, h, rule->b));
    break;
  case FLAT:
    break;
  }
  return (long long)n;
}

/* Pages of a PDF: of one that does not hide them in compressed objects, each names itself. */
static long long count_pages(const unsigned char *p, size_t n) {
  static const char *const names[] = {"/Type /Page", "/Type/Page"};
  long long pages = 0;
  for (int i = 0; i < 2; i++) {
    size_t length = strlen(names[i]);
    for (const unsigned char *at = p, *hit;
         (hit = memmem(at, n - (size_t)(at - p), names[i], length)) != NULL; at = hit + length) {
      pages += hit + length < p + n && hit[length] != 's';
    }
  }
  return pages > 0 ? pages : 1 + (long long)(n / PAGE_BYTES);
}

/* Of bytes that are at hand; -1: no memory. */
static long long tokens_of_bytes(const ImageRule *rule, const Media *m, int is_low) {
  unsigned char *bytes = NULL;
  size_t n = 0;
  long w, h;
  int rc = base64_decode(m->data, m->n_data, &bytes, &n);
  if (rc < 0) {
    return -1;
  }
  int is_image = rc && image_size(bytes, n, &w, &h);
  int is_file = !(m->n_type > 6 && strncasecmp(m->type, "image/", 6) == 0);
  long long tokens = is_image        ? tokens_of(rule, (double)w, (double)h, is_low)
                     : rc && is_file ? PAGE_TOKENS * count_pages(bytes, n)
                                     : tokens_of(rule, UNSEEN, UNSEEN, is_low);
  free(bytes);
  return tokens;
}

long long image_tokens(const ImageRule *rule, const cJSON *part) {
  const cJSON *image = cJSON_GetObjectItemCaseSensitive(part, "image_url");
  const char *detail = json_text(image, "detail");
  int is_low = detail && strcmp(detail, "low") == 0;
  Media m;
  if (media_read(part_url(part), &m)) {
    return tokens_of_bytes(rule, &m, is_low);
  }
  const char *sound = json_text(cJSON_GetObjectItemCaseSensitive(part, "input_audio"), "data");
  if (sound) {
    return 1 + (long long)(strlen(sound) / SOUND_BYTES);
  }
  return image ? tokens_of(rule, UNSEEN, UNSEEN, is_low) : PAGE_TOKENS;
}
