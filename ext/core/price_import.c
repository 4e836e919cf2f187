/*
** Importing price lists. See price_import.h for the contract.
**
** genai-prices: an array of providers, each with models of {id, match, prices}: prices by unit per
** million (or thousand), maybe tiered {base, tiers: [{start, price}]}; or an array of these under
** constraints (a start date, or hours of the day). `match` is a tree of conditions on the name.
**
** LiteLLM: an object by model name; prices are dollars per single unit, and the field's name says the
** unit, the tier and the service: input_cost_per_token_above_272k_tokens_priority.
**
** Both keep prices as doubles, whose shortest decimal is what was meant.
*/
#include "price_import.h"

#include "buf.h"
#include "decimal.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a row is made of, gathered on the way down. */
typedef struct Line {
  const char *provider, *model, *names;
  PriceRow row;
} Line;

static void leave_out(PriceImport *import, const char *what) {
  cJSON *n = cJSON_GetObjectItemCaseSensitive(import->left_out, what);
  if (n) {
    cJSON_SetNumberValue(n, n->valuedouble + 1);
  } else {
    cJSON_AddNumberToObject(import->left_out, what, 1);
  }
}

/* Adds a price: dollars per 10^power units, as a JSON number. */
static void add_price(PriceImport *import, Line *line, const cJSON *price, int power, Err *err) {
  char text[40];
  snprintf(text, sizeof text, "%.15g", cJSON_IsNumber(price) ? price->valuedouble : -1.0);
  if (!decimal_parse(text, 12 + 6 - power, &line->row.pusd)) {
    leave_out(import, "values that are no price");
  } else if (!book_add(&import->book, line->provider, line->model, line->names, &line->row)) {
    err_nomem(err);
  }
}

/* Adds a literal to a list of GLOBs, in lower case, with what GLOB would interpret in brackets. */
static void add_glob(Buf *globs, const char *before, const char *literal, const char *after) {
  buf_puts(globs, globs->n ? " " : "");
  buf_puts(globs, before);
  for (const char *p = literal; *p; p++) {
    char c = (char)tolower((unsigned char)*p);
    if (strchr("*?[!", c)) {
      buf_printf(globs, "[%c]", c == '!' ? '1' : c);
    } else {
      buf_add(globs, &c, 1);
    }
  }
  buf_puts(globs, after);
}

/* ---- genai-prices: names */

/* A regular expression of literals, \d and \d{n} between anchors as a GLOB; 0 if it is another. */
static int add_regex(Buf *globs, const char *regex) {
  static const char no_tts[] = "^(?!.*-[tT][tT][sS](?:$|-))";
  size_t n = strlen(regex);
  if (strcmp(regex, no_tts) == 0) {
    buf_puts(globs, globs->n ? " !*-tts !*-tts-*" : "!*-tts !*-tts-*");
    return 1;
  }
  buf_puts(globs, globs->n ? " " : "");
  const char *p = regex + (*regex == '^'), *end = regex + n - (n && regex[n - 1] == '$');
  buf_puts(globs, *regex == '^' ? "" : "*");
  while (p < end) {
    long times = 1;
    if (*p == '\\' && p[1] == 'd') {
      p += 2;
      if (*p == '{') {
        times = strtol(p + 1, (char **)&p, 10);
        p += *p == '}';
      }
      for (; times > 0 && times < 32; times--) {
        buf_puts(globs, "[0-9]");
      }
    } else if (*p == '\\' || isalnum((unsigned char)*p) || strchr("-_/=:", *p)) {
      p += *p == '\\';
      buf_printf(globs, *p == '[' ? "[%c]" : "%c", tolower((unsigned char)*p));
      p++;
    } else {
      return 0;
    }
  }
  buf_puts(globs, *end == '$' ? "" : "*");
  return 1;
}

/* The conditions of `match` as GLOBs. (A model whose names are all of "and" is left with all of
** them: only exclusions stand there.) */
static void add_match(PriceImport *import, const cJSON *match, Buf *globs) {
  static const struct {
    const char *key, *before, *after;
  } simple[] = {
      {"equals", "", ""}, {"starts_with", "", "*"}, {"ends_with", "*", ""}, {"contains", "*", "*"}};
  const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(match, "or");
  list = list ? list : cJSON_GetObjectItemCaseSensitive(match, "and");
  cJSON_ArrayForEach(item, list) {
    add_match(import, item, globs);
  }
  for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++) {
    const char *text = json_text(match, simple[i].key);
    if (text) {
      add_glob(globs, simple[i].before, text, simple[i].after);
    }
  }
  const char *regex = json_text(match, "regex");
  size_t before = globs->n;
  if (regex && !add_regex(globs, regex)) {
    leave_out(import, "regular expressions of names");
    if (globs->data) {
      globs->data[globs->n = before] = 0;
    }
  }
}

/* ---- genai-prices: prices */

/* The unit of a price key, and 10^power units it is for; UNIT_COUNT if it has none here. */
static Unit genai_unit(const char *key, int *power) {
  static const struct {
    const char *key, *word;
    int power;
  } counts[] = {{"requests_kcount", "request", 3},
                {"web_searches_kcount", "web_search", 3},
                {"storage_searches_kcount", "file_search", 3},
                {"social_searches_kcount", "social_search", 3},
                {"code_executions_kcount", "code_execution", 3},
                {"rerank_searches_kcount", "rerank", 3},
                {"input_document_kpages", "page", 3},
                {"input_annotated_document_kpages", "annotated_page", 3},
                {"input_text_messages_kcount", "message", 3},
                {"input_mchars", "character", 6}};
  static const char *const modalities[] = {"_text", "_audio", "_image", "_video"};
  char word[64], modality[8] = "";
  size_t n = strlen(key);
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    if (strcmp(key, counts[i].key) == 0) {
      *power = counts[i].power;
      return unit_parse(counts[i].word);
    }
  }
  if (n < 6 || n >= sizeof word || strcmp(key + n - 5, "_mtok") != 0) {
    return UNIT_COUNT;
  }
  *power = 6;
  snprintf(word, sizeof word, "%.*s", (int)n - 5, key);
  for (int i = 0; i < 4; i++) { /* "cache_audio_read" is our "cache_read_audio" */
    char *at = strstr(word, modalities[i]);
    if (at) {
      size_t len = strlen(modalities[i]);
      snprintf(modality, sizeof modality, "%s", modalities[i]);
      memmove(at, at + len, strlen(at + len) + 1);
    }
  }
  char *bare = strncmp(word, "output_", 7) == 0 ? word + 7 : word; /* "output_reasoning" */
  snprintf(word + (bare - word) + strlen(bare), sizeof word - strlen(word), "%s", modality);
  return unit_parse(bare);
}

static void genai_block(PriceImport *import, Line *line, const cJSON *prices, Err *err) {
  const cJSON *price, *tier;
  line->row.terms.above_tokens = 0;
  if (!prices || !prices->child) { /* listed without prices: free */
    const cJSON zero = {.type = cJSON_Number};
    for (int i = 0; i < 2; i++) {
      line->row.unit = i ? UNIT_OUTPUT : UNIT_INPUT;
      add_price(import, line, &zero, 6, err);
    }
  }
  cJSON_ArrayForEach(price, prices) {
    int power = 6;
    line->row.unit = genai_unit(price->string, &power);
    line->row.terms.above_tokens = 0;
    if (line->row.unit == UNIT_COUNT) {
      leave_out(import, price->string);
      continue;
    }
    const cJSON *base = cJSON_GetObjectItemCaseSensitive(price, "base");
    add_price(import, line, base ? base : price, power, err);
    cJSON_ArrayForEach(tier, cJSON_GetObjectItemCaseSensitive(price, "tiers")) {
      json_count(tier, "start", &line->row.terms.above_tokens);
      add_price(import, line, cJSON_GetObjectItemCaseSensitive(tier, "price"), power, err);
    }
  }
}

static void genai_model(PriceImport *import, const char *provider, const cJSON *model, Err *err) {
  const cJSON *prices = cJSON_GetObjectItemCaseSensitive(model, "prices"), *block;
  const char *id = json_text(model, "id");
  Buf globs;
  buf_init(&globs, LIMIT_OPTIONS_BYTES);
  add_match(import, cJSON_GetObjectItemCaseSensitive(model, "match"), &globs);
  Line line = {provider, id ? id : "", globs.data ? globs.data : "", {0}};
  line.row.terms = (PriceTerms){
      .service = "standard", .to_ms = LLONG_MAX, .source = "genai-prices", .checked = ""};
  if (!cJSON_IsArray(prices)) {
    genai_block(import, &line, prices, err);
  }
  cJSON_ArrayForEach(block, (cJSON_IsArray(prices) ? prices : NULL)) {
    const cJSON *when = cJSON_GetObjectItemCaseSensitive(block, "constraint");
    const char *date = json_text(when, "start_date"), *from = json_text(when, "start_time"),
               *to = json_text(when, "end_time");
    char hours[16] = "";
    line.row.terms.from_ms = 0;
    line.row.terms.hours_from = line.row.terms.hours_to = 0;
    snprintf(hours, sizeof hours, "%.5s-%.5s", from ? from : "", to ? to : "");
    if ((date && !time_parse(date, &line.row.terms.from_ms)) ||
        (from && !time_parse_hours(hours, &line.row.terms.hours_from, &line.row.terms.hours_to))) {
      leave_out(import, "constraints");
      continue;
    }
    genai_block(import, &line, cJSON_GetObjectItemCaseSensitive(block, "prices"), err);
  }
  buf_free(&globs);
}

static void genai_file(PriceImport *import, const cJSON *file, Err *err) {
  const cJSON *provider, *model;
  cJSON_ArrayForEach(provider, file) {
    const char *id = json_text(provider, "id");
    cJSON_ArrayForEach(model, cJSON_GetObjectItemCaseSensitive(provider, "models")) {
      genai_model(import, id ? id : "", model, err);
    }
  }
}

/* ---- LiteLLM */

/* Reads "_above_272k_tokens" and services off the end of a field's name. Returns 0 if something else
** is left. */
static int litellm_suffixes(const char *p, PriceTerms *t) {
  static const struct {
    const char *suffix, *service;
  } services[] = {{"_flex", "flex"}, {"_priority", "priority"}, {"_batches", "batch"}};
  while (*p) {
    int used = 0, found = 0;
    long long thousands;
    if (sscanf(p, "_above_%6lldk_tokens%n", &thousands, &used) == 1 && used) {
      t->above_tokens = thousands * 1000;
      p += used;
      continue;
    }
    for (size_t i = 0; i < sizeof services / sizeof services[0] && !found; i++) {
      size_t n = strlen(services[i].suffix);
      if (strncmp(p, services[i].suffix, n) == 0) {
        t->service = services[i].service;
        p += n;
        found = 1;
      }
    }
    if (!found) {
      return 0;
    }
  }
  return 1;
}

/* A price field of a model, or of one of its tiers. */
static void litellm_field(PriceImport *import, Line *line, const cJSON *field, Err *err) {
  static const struct {
    const char *field;
    Unit unit;
  } fields[] = {
      {"input_cost_per_token_cache_hit", UNIT_CACHE_READ},
      {"input_cost_per_token", UNIT_INPUT},
      {"output_cost_per_token", UNIT_OUTPUT},
      {"cache_read_input_token_cost", UNIT_CACHE_READ},
      {"cache_creation_input_token_cost_above_1hr", UNIT_CACHE_WRITE_1H},
      {"cache_creation_input_token_cost", UNIT_CACHE_WRITE},
      {"output_cost_per_reasoning_token", UNIT_REASONING},
      {"input_cost_per_audio_token", UNIT_INPUT_AUDIO},
      {"output_cost_per_audio_token", UNIT_OUTPUT_AUDIO},
      {"cache_read_input_audio_token_cost", UNIT_CACHE_READ_AUDIO},
      {"cache_read_input_token_cost_per_audio_token", UNIT_CACHE_READ_AUDIO},
      {"cache_creation_input_audio_token_cost", UNIT_CACHE_WRITE_AUDIO},
      {"input_cost_per_image_token", UNIT_INPUT_IMAGE},
      {"output_cost_per_image_token", UNIT_OUTPUT_IMAGE},
      {"cache_read_input_image_token_cost", UNIT_CACHE_READ_IMAGE},
      {"input_cost_per_request", UNIT_REQUEST},
      {"input_cost_per_query", UNIT_RERANK},
      {"input_cost_per_character", UNIT_CHARACTER},
      {"ocr_cost_per_page", UNIT_PAGE},
      {"annotation_cost_per_page", UNIT_ANNOTATED_PAGE},
  };
  PriceTerms base = line->row.terms;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    size_t n = strlen(fields[i].field);
    if (strncmp(field->string, fields[i].field, n) == 0 &&
        litellm_suffixes(field->string + n, &line->row.terms)) {
      line->row.unit = fields[i].unit;
      add_price(import, line, field, 0, err);
      line->row.terms = base;
      return;
    }
    line->row.terms = base;
  }
  if (strstr(field->string, "cost") && cJSON_IsNumber(field) && field->valuedouble > 0) {
    leave_out(import, field->string);
  }
}

/* A web search's fee, where it is the same for every size of context. */
static void litellm_search(PriceImport *import, Line *line, const cJSON *sizes, Err *err) {
  const cJSON *size;
  int same = sizes && sizes->child != NULL;
  cJSON_ArrayForEach(size, sizes) {
    same &= cJSON_IsNumber(size) && cJSON_Compare(size, sizes->child, 1);
  }
  if (same) {
    line->row.unit = UNIT_WEB_SEARCH;
    add_price(import, line, sizes->child, 0, err);
  } else if (sizes) {
    leave_out(import, "search_context_cost_per_query by size");
  }
}

/* The fields of one service after the other, because rows of one block belong together. */
static void litellm_model(PriceImport *import, const cJSON *model, Err *err) {
  const char *word = json_text(model, "litellm_provider"), *slash = strchr(model->string, '/');
  const Vendor *vendor = word ? vendor_by_word(word) : NULL;
  const cJSON *field, *tier;
  Buf globs;
  buf_init(&globs, LIMIT_OPTIONS_BYTES);
  add_glob(&globs, "", model->string, "");
  if (slash && slash[1]) {
    add_glob(&globs, "", slash + 1, "");
  }
  Line line = {vendor ? vendor->id
               : word ? word
                      : "",
               model->string,
               globs.data ? globs.data : "",
               {0}};
  line.row.terms =
      (PriceTerms){.service = "standard", .to_ms = LLONG_MAX, .source = "LiteLLM", .checked = ""};
  cJSON_ArrayForEach(field, model) {
    litellm_field(import, &line, field, err);
  }
  litellm_search(import, &line,
                 cJSON_GetObjectItemCaseSensitive(model, "search_context_cost_per_query"), err);
  cJSON_ArrayForEach(tier, cJSON_GetObjectItemCaseSensitive(model, "tiered_pricing")) {
    const cJSON *from = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(tier, "range"), 0);
    line.row.terms.above_tokens = from && cJSON_IsNumber(from) ? (long long)from->valuedouble : 0;
    cJSON_ArrayForEach(field, tier) {
      litellm_field(import, &line, field, err);
    }
  }
  buf_free(&globs);
}

static void litellm_file(PriceImport *import, const cJSON *file, Err *err) {
  const cJSON *model;
  cJSON_ArrayForEach(model, file) {
    if (cJSON_IsObject(model) && strcmp(model->string, "sample_spec") != 0) {
      litellm_model(import, model, err);
    }
  }
}

static int is_litellm(const cJSON *file) {
  const cJSON *model;
  cJSON_ArrayForEach(model, file) {
    if (cJSON_GetObjectItemCaseSensitive(model, "litellm_provider") ||
        cJSON_GetObjectItemCaseSensitive(model, "input_cost_per_token")) {
      return 1;
    }
  }
  return 0;
}

static int is_genai(const cJSON *file) {
  const cJSON *first = cJSON_IsArray(file) ? file->child : NULL;
  return cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(first, "models"));
}

int price_import(const cJSON *file, PriceImport *import, Err *err) {
  int genai = is_genai(file);
  *import = (PriceImport){.left_out = cJSON_CreateObject()};
  if (!genai && !is_litellm(file)) {
    err_set(err, RC_ERROR, "bad_prices",
            "neither LiteLLM's price file (an object by model name) nor genai-prices' v2 data (an "
            "array of providers)");
  } else if (!import->left_out || !book_init(&import->book, genai ? "genai-prices" : "litellm")) {
    err_nomem(err);
  } else if (genai) {
    genai_file(import, file, err);
  } else {
    litellm_file(import, file, err);
  }
  if (err->rc == RC_OK && import->book.models.n == 0) {
    err_set(err, RC_ERROR, "bad_prices", "no price in it");
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(import->left_out);
    book_free(&import->book);
  }
  return err->rc;
}
