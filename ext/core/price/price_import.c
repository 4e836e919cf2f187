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
#include "core/price/price_import.h"

#include "base/buf.h"
#include "base/text/decimal.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a row is made of, gathered on the way down. */
typedef struct Line {
  const char *provider, *model, *names;
  PriceRow row;
  Calendar hours; /* what the row's may point at, and their text */
  char hours_text[16];
} Line;

static void leave_out(PriceImport *import, const char *what) {
  cJSON *n = cJSON_GetObjectItemCaseSensitive(import->left_out, what);
  if (n) {
    cJSON_SetNumberValue(n, n->valuedouble + 1);
  } else {
    json_add(import->left_out, what, cJSON_CreateNumber(1), import->err);
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
    if (c == ' ' || c == '\t') {
      buf_puts(globs, "?"); /* a blank ends a pattern */
    } else if (strchr("*?[", c) || (c == '!' && p == literal && !*before)) {
      buf_printf(globs, "[%c]", c);
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

/* Takes back what was added behind the first n bytes. */
static void cut_globs(Buf *globs, size_t n) {
  if (globs->data) { /* else nothing was, or an addition has failed */
    globs->data[globs->n = n] = 0;
  }
}

/* The patterns as a text; "", and what is left out or *err, where they did not fit. */
static const char *finish_globs(PriceImport *import, const Buf *globs) {
  if (globs->failed == RC_TOOBIG) {
    leave_out(import, "names that are too many");
  } else if (globs->failed) {
    err_nomem(import->err);
  }
  return globs->data ? globs->data : "";
}

static void add_match(PriceImport *import, const cJSON *match, Buf *globs);

/* "and" can only be said where all but one condition exclude: else the model has no names. */
static void add_all(PriceImport *import, const cJSON *list, Buf *globs) {
  size_t before = globs->n;
  int including = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    size_t at = globs->n;
    add_match(import, item, globs);
    including += globs->n > at && globs->data[at + (at > 0)] != '!';
  }
  if (including > 1 && globs->data) {
    leave_out(import, "names under several conditions");
    cut_globs(globs, before);
  }
}

/* The conditions of `match` as GLOBs. */
static void add_match(PriceImport *import, const cJSON *match, Buf *globs) {
  static const struct {
    const char *key, *before, *after;
  } simple[] = {
      {"equals", "", ""}, {"starts_with", "", "*"}, {"ends_with", "*", ""}, {"contains", "*", "*"}};
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(match, "or")) {
    add_match(import, item, globs);
  }
  add_all(import, cJSON_GetObjectItemCaseSensitive(match, "and"), globs);
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
    cut_globs(globs, before);
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

/* A price, its tiers with it: all of them, or none where one can't be read. */
static void genai_price(PriceImport *import, Line *line, const cJSON *price, int power, Err *err) {
  const cJSON *base = cJSON_GetObjectItemCaseSensitive(price, "base"),
              *tiers = cJSON_GetObjectItemCaseSensitive(price, "tiers"), *tier;
  long long start;
  cJSON_ArrayForEach(tier, tiers) {
    if (json_count(tier, "start", &start) != 1 ||
        !cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(tier, "price"))) {
      leave_out(import, "tiers without a start or a price");
      return;
    }
  }
  line->row.terms.above_tokens = 0;
  add_price(import, line, base ? base : price, power, err);
  cJSON_ArrayForEach(tier, tiers) {
    json_count(tier, "start", &line->row.terms.above_tokens);
    add_price(import, line, cJSON_GetObjectItemCaseSensitive(tier, "price"), power, err);
  }
  line->row.terms.above_tokens = 0;
}

static void genai_block(PriceImport *import, Line *line, const cJSON *prices, Err *err) {
  const cJSON *price;
  line->row.terms.above_tokens = 0;
  if (cJSON_IsObject(prices) && !prices->child) { /* listed without prices: free */
    const cJSON zero = {.type = cJSON_Number};
    for (int i = 0; i < 2; i++) {
      line->row.unit = i ? UNIT_OUTPUT : UNIT_INPUT;
      add_price(import, line, &zero, 6, err);
    }
  }
  cJSON_ArrayForEach(price, (cJSON_IsObject(prices) ? prices : NULL)) {
    int power = 6;
    line->row.unit = genai_unit(price->string, &power);
    if (line->row.unit == UNIT_COUNT) {
      leave_out(import, price->string);
    } else {
      genai_price(import, line, price, power, err);
    }
  }
}

/* 1 if a time of the day is 'HH:MM[:00]Z'. */
static int is_utc(const char *time) {
  size_t n = time ? strlen(time) : 0;
  return (n == 6 || (n == 9 && strncmp(time + 5, ":00", 3) == 0)) && time[n - 1] == 'Z';
}

/* A constraint we know: from a day on, or at hours of the day. 1, or 0. */
static int genai_constraint(const cJSON *when, Line *line) {
  PriceTerms *t = &line->row.terms;
  static const char *const known[] = {"start_date", "start_time", "end_time", "type"};
  const char *date = json_text(when, "start_date"), *from = json_text(when, "start_time"),
             *to = json_text(when, "end_time");
  char why[CALENDAR_WHY];
  const cJSON *item;
  t->from_ms = 0;
  t->hours = NULL;
  if (when && !cJSON_IsObject(when) && !cJSON_IsNull(when)) {
    return 0;
  }
  cJSON_ArrayForEach(item, when) {
    int found = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
      found |= strcmp(item->string, known[i]) == 0;
    }
    if (!found) {
      return 0;
    }
  }
  snprintf(line->hours_text, sizeof line->hours_text, "%.5s-%.5s", from ? from : "", to ? to : "");
  if (!when || cJSON_IsNull(when)) {
    return 1;
  }
  if (date) {
    return !from && !to && time_parse(date, &t->from_ms);
  }
  t->hours = &line->hours;
  return is_utc(from) && is_utc(to) && calendar_parse(line->hours_text, &line->hours, why);
}

/* Hours of the day hold before every start date there; here later days end earlier ones, so they are
** said again from each start date on. */
static void genai_hours(PriceImport *import, Line *line, const cJSON *blocks, const cJSON *block,
                        Err *err) {
  const cJSON *other;
  PriceTerms unused;
  cJSON_ArrayForEach(other, blocks) {
    const char *date =
        json_text(cJSON_GetObjectItemCaseSensitive(other, "constraint"), "start_date");
    if (date && time_parse(date, &unused.from_ms)) {
      line->row.terms.from_ms = unused.from_ms;
      genai_block(import, line, cJSON_GetObjectItemCaseSensitive(block, "prices"), err);
    }
  }
}

/* All blocks, or none where one can't be read: another one would be taken for its time. */
static void genai_blocks(PriceImport *import, Line *line, const cJSON *blocks, Err *err) {
  const cJSON *block;
  cJSON_ArrayForEach(block, blocks) {
    if (!genai_constraint(cJSON_GetObjectItemCaseSensitive(block, "constraint"), line)) {
      leave_out(import, "models with other constraints");
      return;
    }
  }
  cJSON_ArrayForEach(block, blocks) {
    genai_constraint(cJSON_GetObjectItemCaseSensitive(block, "constraint"), line);
    genai_block(import, line, cJSON_GetObjectItemCaseSensitive(block, "prices"), err);
    if (line->row.terms.hours) {
      genai_hours(import, line, blocks, block, err);
    }
  }
}

static void genai_model(PriceImport *import, const char *provider, const cJSON *model, Err *err) {
  const cJSON *prices = cJSON_GetObjectItemCaseSensitive(model, "prices");
  const char *id = json_text(model, "id");
  Buf globs;
  if (!provider || !id || !id[0]) {
    leave_out(import, "models without an id");
    return;
  }
  buf_init(&globs, LIMIT_OPTIONS_BYTES);
  add_match(import, cJSON_GetObjectItemCaseSensitive(model, "match"), &globs);
  Line line = {.provider = provider, .model = id, .names = finish_globs(import, &globs)};
  line.row.terms = (PriceTerms){
      .service = "standard", .to_ms = LLONG_MAX, .source = "genai-prices", .checked = ""};
  if (cJSON_IsArray(prices)) {
    genai_blocks(import, &line, prices, err);
  } else {
    genai_block(import, &line, prices, err);
  }
  buf_free(&globs);
}

static void genai_file(PriceImport *import, const cJSON *file, Err *err) {
  const cJSON *provider, *model;
  cJSON_ArrayForEach(provider, file) {
    const char *id = json_text(provider, "id");
    cJSON_ArrayForEach(model, cJSON_GetObjectItemCaseSensitive(provider, "models")) {
      genai_model(import, id, model, err);
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

/* The unit of a price field, its tier and service into *t; UNIT_COUNT where it is none. */
static Unit litellm_unit(const char *name, PriceTerms *t) {
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
  const PriceTerms base = *t;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    size_t n = strlen(fields[i].field);
    if (strncmp(name, fields[i].field, n) == 0 && litellm_suffixes(name + n, t)) {
      return fields[i].unit;
    }
    *t = base;
  }
  return UNIT_COUNT;
}

static int is_paid(const cJSON *field) {
  return strstr(field->string, "cost") && cJSON_IsNumber(field) && field->valuedouble > 0;
}

/* 1 if a model is billed in something we have no unit for: its token prices of 0 mean nothing then. */
static int is_billed_otherwise(const cJSON *model) {
  PriceTerms unused = {.service = "standard"};
  const cJSON *field;
  int otherwise = 0;
  cJSON_ArrayForEach(field, model) {
    otherwise |= is_paid(field) && litellm_unit(field->string, &unused) == UNIT_COUNT;
  }
  return otherwise;
}

static int has_odd_price(const cJSON *model) {
  const cJSON *field;
  int odd = 0;
  cJSON_ArrayForEach(field, model) {
    odd |= strstr(field->string, "_cost") && cJSON_IsString(field);
  }
  return odd;
}

/* A price field of a model, or of one of its tiers. */
static void litellm_field(PriceImport *import, Line *line, const cJSON *field, int skip_free,
                          Err *err) {
  const PriceTerms base = line->row.terms;
  line->row.unit = litellm_unit(field->string, &line->row.terms);
  if (line->row.unit == UNIT_COUNT) {
    if (is_paid(field)) {
      leave_out(import, field->string);
    }
  } else if (!skip_free || is_paid(field)) {
    add_price(import, line, field, 0, err);
  }
  line->row.terms = base;
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

/* Where a tier of LiteLLM's starts, or -1. */
static long long litellm_start(const cJSON *tier) {
  const cJSON *from = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(tier, "range"), 0);
  double above = from && cJSON_IsNumber(from) ? from->valuedouble : -1.0;
  return above >= 0 && above <= (double)LIMIT_TOKENS ? (long long)above : -1;
}

/* Prices by range of input: {range: [from, to], fields}; all of them, or none where one can't be
** read. */
static void litellm_tiers(PriceImport *import, Line *line, const cJSON *tiers, Err *err) {
  const cJSON *tier, *field;
  cJSON_ArrayForEach(tier, tiers) {
    if (litellm_start(tier) < 0) {
      leave_out(import, "tiers without a start");
      return;
    }
  }
  cJSON_ArrayForEach(tier, tiers) {
    line->row.terms.above_tokens = litellm_start(tier);
    cJSON_ArrayForEach(field, tier) {
      litellm_field(import, line, field, 0, err);
    }
  }
  line->row.terms.above_tokens = 0;
}

static void litellm_model(PriceImport *import, const cJSON *model, Err *err) {
  const char *word = json_text(model, "litellm_provider"), *slash = strchr(model->string, '/');
  const Vendor *vendor = word ? vendor_by_word(word) : NULL;
  const cJSON *field;
  int otherwise = is_billed_otherwise(model);
  Buf globs;
  if (!model->string[0] || has_odd_price(model)) {
    leave_out(import,
              model->string[0] ? "models with a price that is no number" : "models without a name");
    return;
  }
  buf_init(&globs, LIMIT_OPTIONS_BYTES);
  add_glob(&globs, "", model->string, "");
  if (slash && slash[1]) {
    add_glob(&globs, "", slash + 1, "");
  }
  Line line = {.provider = vendor ? vendor->id
                           : word ? word
                                  : "",
               .model = model->string,
               .names = finish_globs(import, &globs)};
  line.row.terms =
      (PriceTerms){.service = "standard", .to_ms = LLONG_MAX, .source = "LiteLLM", .checked = ""};
  cJSON_ArrayForEach(field, model) {
    litellm_field(import, &line, field, otherwise, err);
  }
  litellm_search(import, &line,
                 cJSON_GetObjectItemCaseSensitive(model, "search_context_cost_per_query"), err);
  litellm_tiers(import, &line, cJSON_GetObjectItemCaseSensitive(model, "tiered_pricing"), err);
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
  cJSON_ArrayForEach(model, (cJSON_IsObject(file) ? file : NULL)) {
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

int price_import(const cJSON *file, const char *list, PriceImport *import, Err *err) {
  int genai = is_genai(file);
  list = list ? list : genai ? "genai-prices" : "litellm";
  *import = (PriceImport){.left_out = cJSON_CreateObject(), .err = err};
  if (!genai && !is_litellm(file)) {
    err_set(err, RC_ERROR, ERR_BAD_PRICES,
            "neither LiteLLM's price file (an object by model name) nor genai-prices' v2 data (an "
            "array of providers)");
  } else if (!import->left_out || !book_init(&import->book, list)) {
    err_nomem(err);
  } else if (genai) {
    genai_file(import, file, err);
  } else {
    litellm_file(import, file, err);
  }
  if (err->rc == RC_OK && import->book.models.n == 0) {
    err_set(err, RC_ERROR, ERR_BAD_PRICES, "no price in it");
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(import->left_out);
    book_free(&import->book);
  }
  return err->rc;
}
