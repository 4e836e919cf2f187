/*
** Gates: kinds, their specs, and who checks them. See gate.h for the contract.
*/
#include "core/gate/checks.h"

#include "base/utf8.h"
#include "core/schema/schema.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define INTO(TYPE, m) SPEC_INTO(Gate, TYPE, m)
enum { MOST_TEXTS = 100, MOST_UNITS = 100000000, MOST_HEDGES = 10000, MOST_WORDS = 1000 };

/* Bits of the members: which kinds have them. */
#define OF(kind) (1u << (kind))

/* ---- members that are trees */

static int take_schema(const SpecTable *table, const Spec *spec, const SpecValue *v, void *to,
                       Err *err) {
  Gate *gate = to;
  if (!cJSON_IsObject(v->json)) {
    return spec_bad(table, spec->name, "a JSON Schema, an object", err);
  }
  gate->schema = v->json;
  return schema_check(v->json, err);
}

static int are_texts(const cJSON *list) {
  int n = 0, are = cJSON_IsArray(list);
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    are &= cJSON_IsString(item) && item->valuestring[0];
    n++;
  }
  return are && n > 0 && n <= MOST_TEXTS;
}

static int take_texts(const SpecTable *table, const Spec *spec, const SpecValue *v, void *to,
                      Err *err) {
  if (!are_texts(v->json)) {
    return spec_bad(table, spec->name, "a list of 1 to 100 texts that are not empty", err);
  }
  *(const cJSON **)((char *)to + spec->at) = v->json;
  return RC_OK;
}

#define TEXTS(m) SPEC_OTHER, .at = offsetof(Gate, m), .take = take_texts

/* ---- the members of all kinds; "min" is one of three */

static const Spec members[] = {
    {"schema", SPEC_OTHER, .take = take_schema, .of = OF(GATE_SCHEMA)},
    {"pattern", INTO(TEXT, pattern), .of = OF(GATE_REGEX)},
    {"flags", INTO(TEXT, flags), .of = OF(GATE_REGEX)},
    {"not", INTO(SWITCH, is_not), .initial = "off", .of = OF(GATE_REGEX)},
    {"min", INTO(INTEGER, min), .max = MOST_UNITS, .of = OF(GATE_LENGTH)},
    {"max", INTO(INTEGER, max), .max = MOST_UNITS, .of = OF(GATE_LENGTH)},
    {"unit", INTO(WORD, unit), .words = SPEC_WORDS(GATE_UNITS), .initial = "chars",
     .of = OF(GATE_LENGTH)},
    {"all", TEXTS(all), .of = OF(GATE_CONTAINS)},
    {"any", TEXTS(any), .of = OF(GATE_CONTAINS)},
    {"none", TEXTS(none), .of = OF(GATE_CONTAINS)},
    {"case", INTO(SWITCH, minds_case), .initial = "off", .of = OF(GATE_CONTAINS)},
    {"max", INTO(INTEGER, max), .max = MOST_HEDGES, .of = OF(GATE_HEDGE)},
    {"numbers", INTO(SWITCH, numbers), .initial = "on", .of = OF(GATE_GROUNDED)},
    {"quotes", INTO(SWITCH, quotes), .initial = "on", .of = OF(GATE_GROUNDED)},
    {"words", INTO(INTEGER, words), .min = 1, .max = MOST_WORDS, .of = OF(GATE_GROUNDED)},
    {"min_mean", INTO(NUMBER, min_mean), .min = -100, .max = 0, .of = OF(GATE_LOGPROB)},
    {"min_token", INTO(NUMBER, min_token), .min = -100, .max = 0, .of = OF(GATE_LOGPROB)},
    {"model", INTO(TEXT, model), .of = OF(GATE_AGREE) | OF(GATE_VERIFIER)},
    {"compare", INTO(WORD, compare), .words = SPEC_WORDS(GATE_COMPARES), .initial = "auto",
     .of = OF(GATE_AGREE)},
    {"min", INTO(NUMBER, least), .min = 0, .max = 1, .initial = "0.5",
     .of = OF(GATE_AGREE) | OF(GATE_VERIFIER)},
    {"question", INTO(TEXT, question), .of = OF(GATE_VERIFIER)},
    {"expr", INTO(TEXT, expr), .of = OF(GATE_SQL)},
};

/* ---- what no single member shows */

static int missing(GateKind kind, const char *what, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "gate '%s': expected %s", gate_word(kind), what);
}

static int check_limits(Gate *g, Err *err) {
  if (g->min < 0 && g->max < 0) {
    return missing(g->kind, "'min', 'max' or both, {\"max\":200,\"unit\":\"words\"}", err);
  }
  return g->min > g->max && g->max >= 0 ? missing(g->kind, "'min' to be at most 'max'", err)
                                        : RC_OK;
}

static int check_lists(Gate *g, Err *err) {
  return g->all || g->any || g->none
             ? RC_OK
             : missing(g->kind, "'all', 'any' or 'none', {\"all\":[\"Kind regards\"]}", err);
}

static int check_least(Gate *g, Err *err) {
  return !isnan(g->min_mean) || !isnan(g->min_token)
             ? RC_OK
             : missing(g->kind, "'min_mean' or 'min_token', {\"min_mean\":-0.5}", err);
}

static int check_expr(Gate *g, Err *err) {
  return g->expr && g->expr[0]
             ? RC_OK
             : missing(g->kind, "'expr', {\"expr\":\"length(:answer) < 200\"}", err);
}

static int check_nothing(Gate *g, Err *err) {
  (void)g;
  return err->rc;
}

/* ---- the kinds */

typedef struct Kind {
  int (*read)(Gate *gate, Err *err);
  GateCheck *check; /* NULL: decided elsewhere */
} Kind;

static const Kind kinds[GATE_KIND_COUNT] = {
    [GATE_JSON] = {check_nothing, check_json},
    [GATE_SCHEMA] = {check_nothing, check_json},
    [GATE_REGEX] = {regex_compile, check_regex},
    [GATE_LENGTH] = {check_limits, check_length},
    [GATE_CONTAINS] = {check_lists, check_contains},
    [GATE_REFUSAL] = {check_nothing, check_refusal},
    [GATE_HEDGE] = {check_nothing, check_hedge},
    [GATE_GROUNDED] = {check_nothing, check_grounded},
    [GATE_ARITHMETIC] = {check_nothing, check_arithmetic},
    [GATE_LOGPROB] = {check_least, NULL},
    [GATE_AGREE] = {check_nothing, NULL},
    [GATE_VERIFIER] = {check_nothing, NULL},
    [GATE_SQL] = {check_expr, NULL},
};

static const char *const WORDS[] = {
#define WORD(id, word, need) word,
    GATE_KINDS(WORD)
#undef WORD
};

static const GateNeed NEEDS[] = {
#define NEED(id, word, need) need,
    GATE_KINDS(NEED)
#undef NEED
};

const char *gate_word(GateKind kind) {
  return WORDS[kind];
}

GateNeed gate_need(GateKind kind) {
  return NEEDS[kind];
}

GateKind gate_kind(const char *word, Err *err) {
  char valid[200];
  size_t n = 0;
  for (int i = 0; i < GATE_KIND_COUNT; i++) {
    if (word && strcmp(WORDS[i], word) == 0) {
      return (GateKind)i;
    }
    n += (size_t)snprintf(valid + n, sizeof valid - n, "%s%s", i ? ", " : "", WORDS[i]);
  }
  err_set(err, RC_ERROR, ERR_BAD_OPTION, "unknown kind of gate '%.40s' (valid: %s)",
          word ? word : "", valid);
  return GATE_KIND_COUNT;
}

/* Members by their bit; those without a kind's bit are unknown to it. */
static int read_spec(GateKind kind, const cJSON *spec, Gate *gate, Err *err) {
  char noun[40];
  snprintf(noun, sizeof noun, "member of gate %s", WORDS[kind]);
  const SpecTable table = {noun, ERR_BAD_OPTION, NULL,
                           NULL, members,        sizeof members / sizeof *members};
  spec_init(&table, gate);
  gate->kind = kind;
  if (!spec || cJSON_IsNull(spec)) {
    return RC_OK;
  }
  if (!cJSON_IsObject(spec)) {
    return missing(kind, "its spec to be a JSON object", err);
  }
  gate->spec = cJSON_Duplicate(spec, 1);
  return gate->spec ? spec_read(&table, OF(kind), gate->spec, gate, err) : err_nomem(err);
}

int gate_parse(GateKind kind, const cJSON *spec, Gate *gate, Err *err) {
  memset(gate, 0, sizeof *gate);
  if (read_spec(kind, spec, gate, err) == RC_OK && err->rc == RC_OK) {
    kinds[kind].read(gate, err);
  }
  if (err->rc != RC_OK) {
    gate_free(gate);
  }
  return err->rc;
}

void gate_free(Gate *gate) {
  cJSON_Delete(gate->spec);
  if (gate->regex) {
    regex_free(gate->regex);
  }
  memset(gate, 0, sizeof *gate);
}

int gate_check(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err) {
  GateCheck *check = kinds[gate->kind].check;
  *out = (GateVerdict){0, 0, ""};
  if (err->rc != RC_OK) {
    return err->rc;
  }
  return check ? check(gate, c, out, err)
               : err_set(err, RC_ERROR, ERR_FAILED, "gate '%s' is not decided by texts alone",
                         gate_word(gate->kind));
}

/* ---- verdicts */

int verdict_pass(GateVerdict *out) {
  *out = (GateVerdict){1, 1, ""};
  return RC_OK;
}

/* Valid UTF-8 out of any bytes, in place: what isn't is '?'. */
static void make_valid(char *text) {
  size_t n = strlen(text), bad_at = 0;
  while (!utf8_is_valid(text, n, &bad_at)) {
    text[bad_at] = '?';
  }
}

int verdict_fail(GateVerdict *out, double score, const char *fmt, ...) {
  char why[1024];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(why, sizeof why, fmt, ap);
  va_end(ap);
  make_valid(why);
  *out = (GateVerdict){0, isfinite(score) ? fmin(fmax(score, 0), 1) : 0, ""};
  utf8_copy(out->why, sizeof out->why, why);
  return RC_OK;
}
