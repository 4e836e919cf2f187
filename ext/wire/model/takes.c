/*
** See takes.h for the contract.
*/
#include "wire/model/takes.h"

#include "base/check.h"
#include "base/once.h"
#include "base/tables/tsv.h"
#include "base/text/glob.h"
#include "core/names/model_name.h"
#include "core/request/extra.h"
#include "core/usage/vendor.h"
#include "sql/sql_text.h"
#include "wire/model/supports.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7, MOST_ROWS = 256, MOST_FORMS = 16, ROOM = 32768 };

typedef struct Row {
  const char *apis, *providers, *models, *option, *values, *beside, *written;
} Row;

typedef struct Form {
  const char *name, *api, *written;
} Form;

static char text[ROOM];
static Row rows[MOST_ROWS];
static Form forms[MOST_FORMS];
static int n_rows, n_forms;
static Once once = ONCE_INIT;

static int load(void) {
  char *at = tsv_copy(sql_takes_tsv, text, sizeof text), *f[FIELDS];
  CHECK(*at);
  while (*at) {
    int n = tsv_row(&at, f, FIELDS);
    if (n == 4 && strcmp(f[0], "@form") == 0) {
      CHECK(n_forms < MOST_FORMS);
      forms[n_forms++] = (Form){f[1], f[2], f[3]};
    } else if (n == FIELDS) {
      CHECK(n_rows < MOST_ROWS);
      rows[n_rows++] =
          (Row){tsv_text(f[0]), tsv_text(f[1]), f[2], f[3], f[4], tsv_text(f[5]), f[6]};
    }
  }
  return 1;
}

/* ---- what is asked for */

enum { MAX_TOKENS, TEMPERATURE, TOP_P, SEED, STOP, LOGPROBS, REASONING, SERVICE, N_OPTIONS };
static const char *const names[N_OPTIONS] = {"max_tokens", "temperature", "top_p",     "seed",
                                             "stop",       "logprobs",    "reasoning", "service"};

/* The options that are given, as JSON: owned, of NULL where one is not. */
typedef struct Asked {
  cJSON *value[N_OPTIONS];
} Asked;

static void ask(Asked *a, int option, int is_given, cJSON *value, Err *err) {
  if (!is_given) {
    return;
  }
  a->value[option] = value;
  if (!value) {
    err_nomem(err);
  }
}

static void asked_free(Asked *a) {
  for (int i = 0; i < N_OPTIONS; i++) {
    cJSON_Delete(a->value[i]);
  }
}

static void ask_all(Asked *a, const Options *o, int wants_logprobs, Err *err) {
  char digits[24]; /* all of them: as a double, cJSON would write a large one with an exponent */
  snprintf(digits, sizeof digits, "%lld", o->seed);
  int has_limit = o->max_tokens != OPTION_UNSET;
#define ASK(option, given, value) ask(a, option, given, (given) ? (value) : NULL, err)
  ASK(MAX_TOKENS, has_limit, cJSON_CreateNumber((double)o->max_tokens));
  ASK(TEMPERATURE, !isnan(o->temperature), cJSON_CreateNumber(o->temperature));
  ASK(TOP_P, !isnan(o->top_p), cJSON_CreateNumber(o->top_p));
  ASK(SEED, o->has_seed, cJSON_CreateRaw(digits));
  ASK(STOP, o->stop != NULL, cJSON_Duplicate(o->stop, 1));
  ASK(LOGPROBS, wants_logprobs, cJSON_CreateTrue());
  ASK(REASONING, o->reasoning != NULL, cJSON_Duplicate(o->reasoning, 1));
  ASK(SERVICE, o->service != NULL, cJSON_CreateString(o->service));
#undef ASK
}

/* ---- which row fits */

/* Who is asked, as rows name it. */
typedef struct Target {
  const Model *model;
  const char *provider;
  char name[LIMIT_MODEL_NAME];  /* lower case */
  char plain[LIMIT_MODEL_NAME]; /* without what vendors and clouds put in front of it, or behind */
  char word[64];
} Target;

static void target_read(Target *t, const Model *model) {
  const Vendor *vendor = vendor_by_word(model->provider);
  *t = (Target){.model = model};
  model_name_lower(model->name, t->name, sizeof t->name);
  model_name_plain(t->name + (strncmp(t->name, "ft:", 3) == 0 ? 3 : 0), t->plain, sizeof t->plain);
  model_name_lower(model->provider, t->word, sizeof t->word);
  t->provider = vendor ? vendor->id : t->word;
}

/* 1 if a list of words is empty (anybody's), or has this one. */
static int has_word(const char *list, const char *word) {
  size_t n = strlen(word);
  int has = !list[0];
  for (const char *at = list; *at && !has; at += strcspn(at, " "), at += *at == ' ') {
    has = strncmp(at, word, n) == 0 && (at[n] == ' ' || !at[n]);
  }
  return has;
}

/* "1..2", "1..": *low and *high. */
static int is_range(const char *values, double *low, double *high) {
  const char *dots = strstr(values, "..");
  *low = atof(values);
  *high = dots && dots[2] ? atof(dots + 2) : INFINITY;
  return dots != NULL;
}

static int fits_value(const char *values, const cJSON *value) {
  double low, high, is = value->valuedouble;
  if (strcmp(values, "*") == 0) {
    return 1;
  }
  if (cJSON_IsString(value)) {
    return has_word(values, value->valuestring);
  }
  if (!cJSON_IsNumber(value)) {
    return 0;
  }
  return strcmp(values, "#") == 0        ? 1
         : is_range(values, &low, &high) ? is >= low && is <= high
                                         : is == atof(values) && values[0] < 'a';
}

/* 1 if the option that a row wants beside its own is given. */
static int has_beside(const char *beside, const Asked *a) {
  int has = !beside[0];
  for (int i = 0; i < N_OPTIONS && !has; i++) {
    const cJSON *value = a->value[i];
    has = value && strcmp(names[i], beside) == 0 &&
          !(cJSON_IsString(value) && strcmp(value->valuestring, "none") == 0);
  }
  return has;
}

static int fits(const Row *row, const Target *t, int option, const Asked *a) {
  return strcmp(row->option, names[option]) == 0 && has_word(row->apis, t->model->api) &&
         (has_word(row->providers, t->provider) || has_word(row->providers, t->word)) &&
         fits_value(row->values, a->value[option]) && has_beside(row->beside, a) &&
         (glob_any(row->models, t->name) || glob_any(row->models, t->plain));
}

/* What the model's own row says of an option: 1 it takes it, 0 it does not, -1 nothing. */
static int says(const Target *t, int option, Err *err) {
  int of_it = wire_supports(t->model, names[option], -1, err);
  int is_sampling = option == TEMPERATURE || option == TOP_P;
  return of_it < 0 && is_sampling ? wire_supports(t->model, "sampling", -1, err) : of_it;
}

/* The row that counts; NULL where none is left. */
static const Row *find_row(const Target *t, int option, const Asked *a, int takes_all) {
  for (int i = 0; i < n_rows; i++) {
    if (!(takes_all && rows[i].written[0] == '!') && fits(&rows[i], t, option, a)) {
      return &rows[i];
    }
  }
  return NULL;
}

/* ---- what it writes */

static int refuse(const Target *t, int option, const char *why, Err *err) {
  int is_of_model = strncmp(why, "it ", 3) == 0;
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option '%s': %.80s%s%s%s%s%s", names[option],
                 is_of_model ? t->model->name : "", is_of_model ? " " : "",
                 is_of_model ? why + 3 : why, is_of_model ? " (if it does by now: \"" : "",
                 is_of_model ? names[option] : "",
                 is_of_model ? "\": true in llm_models.supports)" : "");
}

/* Puts the value into every "$". */
static void put_value(cJSON *form, const cJSON *value, Err *err) {
  for (cJSON *item = form->child, *next; item && err->rc == RC_OK; item = next) {
    next = item->next;
    if (cJSON_IsString(item) && strcmp(item->valuestring, "$") == 0) {
      json_replace(form, item->string, cJSON_Duplicate(value, 1), err);
    } else {
      put_value(item, value, err);
    }
  }
}

/* The JSON of a row, or of the form that it names. */
static const char *written_of(const Row *row, const char *api) {
  size_t n = strcspn(row->written, "@");
  for (int i = 0; i < n_forms && row->written[n]; i++) {
    if (strncmp(forms[i].name, row->written, n) == 0 && !forms[i].name[n] &&
        strcmp(forms[i].api, api) == 0) {
      return forms[i].written;
    }
  }
  return row->written;
}

/* What an option becomes: an owned object, or NULL and *err. */
static cJSON *form_of(const Target *t, int option, const Asked *a, Err *err) {
  int is_said = says(t, option, err);
  const Row *row = err->rc == RC_OK ? find_row(t, option, a, is_said == 1) : NULL;
  if (err->rc == RC_OK && (is_said == 0 || !row)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION,
            "option '%s': %.80s takes none, its row in llm_models says", names[option],
            t->model->name);
  } else if (err->rc == RC_OK && row->written[0] == '!') {
    refuse(t, option, row->written + 1, err);
  }
  if (err->rc != RC_OK) {
    return NULL;
  }
  cJSON *form = cJSON_Parse(written_of(row, t->model->api));
  if (!form) {
    err_nomem(err);
    return NULL;
  }
  put_value(form, a->value[option], err);
  return form;
}

/* The limit's name may be said by the model's row: "max_completion_tokens" true or false. */
static cJSON *limit_form(const Target *t, const Asked *a, Err *err) {
  static const char own[] = "max_completion_tokens";
  int is_said = strcmp(t->model->api, "openai") == 0 ? wire_supports(t->model, own, -1, err) : -1;
  cJSON *form = is_said < 0 ? form_of(t, MAX_TOKENS, a, err) : cJSON_CreateObject();
  if (is_said >= 0) {
    json_add(form, is_said ? own : names[MAX_TOKENS], cJSON_Duplicate(a->value[MAX_TOKENS], 1),
             err);
  }
  return form;
}

int takes_write(cJSON *body, const Options *o, const Model *model, int wants_logprobs, Err *err) {
  Target t;
  Asked a = {{NULL}};
  once_make(&once, load);
  target_read(&t, model);
  ask_all(&a, o, wants_logprobs, err);
  for (int i = 0; i < N_OPTIONS && err->rc == RC_OK; i++) {
    cJSON *form = !a.value[i]       ? NULL
                  : i == MAX_TOKENS ? limit_form(&t, &a, err)
                                    : form_of(&t, i, &a, err);
    extra_merge(body, form, err);
    cJSON_Delete(form);
  }
  asked_free(&a);
  return err->rc;
}

/* The number behind a member's name in a form; of "$" the value. */
static long long budget_in(const char *written, const cJSON *value) {
  static const char *const members[] = {
      "\"budget_tokens\":", "\"thinking_budget\":", "\"max_tokens\":"};
  const char *found = NULL;
  for (size_t i = 0; i < sizeof members / sizeof members[0] && !found; i++) {
    found = strstr(written, members[i]);
    found = found ? found + strlen(members[i]) : NULL;
  }
  return !found                                    ? 0
         : *found == '"' && !cJSON_IsNumber(value) ? 0
         : *found == '"'                           ? (long long)value->valuedouble
                                                   : strtoll(found, NULL, 10);
}

/* (Needs no memory: what it says is part of what is sent.) */
long long takes_budget(const Options *o, const Model *model) {
  Target t;
  Asked a = {{NULL}};
  Err ignored = {0};
  if (!o->reasoning) {
    return 0;
  }
  once_make(&once, load);
  target_read(&t, model);
  a.value[REASONING] = (cJSON *)o->reasoning; /* borrowed, and not changed */
  const Row *row = find_row(&t, REASONING, &a, says(&t, REASONING, &ignored) == 1);
  return row && row->written[0] != '!' ? budget_in(written_of(row, model->api), o->reasoning) : 0;
}
