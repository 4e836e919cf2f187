/*
** See gates.h for the contract.
*/
#include "call/gate/gates.h"

#include "base/utf8.h"
#include "call/attempt/tell.h"
#include "call/gate/said.h"
#include "call/gate/second.h"
#include "core/gate/judge.h"
#include "trust/sandbox/expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- SQL expressions */

typedef struct Sandbox {
  Expression *e;
} Sandbox;

static void sandbox_free(void *slot) {
  expression_close(((Sandbox *)slot)->e);
}

static const ConnSlot sandbox_slot = {.size = sizeof(Sandbox), .free = sandbox_free};

/* The connection that evaluates them, opened when first needed. NULL and *err. */
static Expression *sandbox(Conn *conn, Err *err) {
  Sandbox *s = conn_slot(conn, &sandbox_slot, err);
  if (s && !s->e) {
    s->e = expression_open(err);
  }
  return s ? s->e : NULL;
}

/* Before anything is sent: can it be evaluated? */
static int check_expression(Conn *conn, const Gate *gate, Err *err) {
  const ExpressionText texts[] = {{":answer", "", 0}, {":prompt", "", 0}};
  Expression *e = gate->kind == GATE_SQL ? sandbox(conn, err) : NULL;
  return e ? expression_check(e, gate->expr, texts, 2, err) : err->rc;
}

/* ---- which */

void gates_free(Gates *gates) {
  for (int i = 0; gates && i < gates->n; i++) {
    gate_free(&gates->list[i].gate);
  }
  if (gates) {
    cJSON_Delete(gates->tree);
    free(gates->list);
    free(gates);
  }
}

/* Says whose fault it is, once: "gate 'polite': …". */
static int blame(const char *name, Err *why, Err *err) {
  char whose[80];
  snprintf(whose, sizeof whose, "gate '%.60s': ", name);
  int is_said = strncmp(why->msg, whose, strlen(whose)) == 0;
  return why->rc == RC_NOMEM
             ? err_nomem(err)
             : err_set(err, RC_ERROR, ERR_BAD_OPTION, "%s%.500s", is_said ? "" : whose, why->msg);
}

/* Adds one by its kind and its spec, which is the caller's. */
static int add(Gates *g, Conn *conn, const char *name, const char *word, const cJSON *spec,
               Err *err) {
  Err why = {0};
  if (g->n == MOST_GATES) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'gate': at most %d gates", MOST_GATES);
  }
  NamedGate *one = &g->list[g->n];
  GateKind kind = gate_kind(word, &why);
  if (why.rc != RC_OK || gate_parse(kind, spec, &one->gate, &why) != RC_OK) {
    return blame(name, &why, err);
  }
  utf8_copy(one->name, sizeof one->name, name);
  g->n++;
  if (check_expression(conn, &one->gate, &why) != RC_OK) {
    return blame(name, &why, err);
  }
  cJSON *item = json_add(g->tree, NULL, cJSON_CreateObject(), err);
  json_add(item, "kind", cJSON_CreateString(word), err);
  if (spec) {
    json_add(item, "spec", cJSON_Duplicate(spec, 1), err);
  }
  return err->rc;
}

/* The names that there are, for a message. */
static void list_names(const Config *config, char *out, size_t size) {
  size_t used = 0;
  out[0] = 0;
  for (int i = 0; i < config->n_gates && used < size; i++) {
    used +=
        (size_t)snprintf(out + used, size - used, "%s%.40s", i ? ", " : "", config->gates[i].name);
  }
}

/* A row of llm_gates. */
static int add_row(Gates *g, Conn *conn, const Config *config, const char *name, Err *err) {
  const GateRow *row = NULL;
  char names[300];
  Err why = {0};
  for (int i = 0; i < config->n_gates && !row; i++) {
    row = strcmp(config->gates[i].name, name) == 0 ? &config->gates[i] : NULL;
  }
  if (!row) {
    list_names(config, names, sizeof names);
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "no gate '%.60s' in llm_gates%s%s%s", name,
                   names[0] ? " (valid: "
                            : "; a gate can stand in the option itself: {\"kind\":\"json\"}",
                   names, names[0] ? ")" : "");
  }
  if (strcmp(row->kind, gate_word(GATE_SQL)) == 0) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "gate '%.60s': an SQL expression is not taken from a table, which may be"
                   " anybody's: give it in the option 'gate' or in llm_config('gate', …)",
                   name);
  }
  cJSON *spec = row->spec[0] ? json_parse(row->spec, strlen(row->spec), "spec", &why) : NULL;
  if (why.rc != RC_OK) {
    return blame(name, &why, err);
  }
  add(g, conn, name, row->kind, spec, err);
  cJSON_Delete(spec);
  return err->rc;
}

/* One that stands there itself: {"kind": …, and its spec}. */
static int add_inline(Gates *g, Conn *conn, const cJSON *item, Err *err) {
  const char *kind = json_text(item, "kind");
  cJSON *spec = kind ? cJSON_Duplicate(item, 1) : NULL;
  if (!kind) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'gate': an object needs a 'kind': {\"kind\": \"json\"}");
  }
  if (!spec) {
    return err_nomem(err);
  }
  cJSON_DeleteItemFromObjectCaseSensitive(spec, "kind");
  add(g, conn, kind, kind, spec, err);
  cJSON_Delete(spec);
  return err->rc;
}

static int add_all(Gates *g, Conn *conn, const cJSON *asked, Err *err) {
  const cJSON *item = cJSON_IsArray(asked) ? asked->child : asked;
  const Config *config = conn_config(conn, err);
  for (; item && err->rc == RC_OK; item = cJSON_IsArray(asked) ? item->next : NULL) {
    if (cJSON_IsObject(item)) {
      add_inline(g, conn, item, err);
    } else if (cJSON_IsString(item)) {
      add_row(g, conn, config, item->valuestring, err);
    } else {
      err_set(err, RC_ERROR, ERR_BAD_OPTION, "setting 'gate': expected names and objects");
    }
  }
  return err->rc;
}

/* The setting: a name, or JSON. Owned. */
static cJSON *read_setting(const char *text, Err *err) {
  int is_json = text[0] == '{' || text[0] == '[';
  cJSON *tree =
      is_json ? json_parse(text, strlen(text), "setting 'gate'", err) : cJSON_CreateString(text);
  if (!tree && err->rc == RC_OK) {
    err_nomem(err);
  }
  return tree;
}

int gates_read(Conn *conn, const Request *r, Gates **gates, Err *err) {
  *gates = NULL;
  if (r->wants_vectors || r->beside || (!r->options->gate && !conn->set.gate)) {
    return RC_OK;
  }
  Gates *g = calloc(1, sizeof *g);
  cJSON *setting = r->options->gate ? NULL : read_setting(conn->set.gate, err);
  if (g) {
    g->list = calloc(MOST_GATES, sizeof *g->list);
    g->tree = cJSON_CreateArray();
  }
  if (!g || !g->list || !g->tree) {
    err_nomem(err);
  } else if (err->rc == RC_OK) {
    add_all(g, conn, r->options->gate ? r->options->gate : setting, err);
  }
  cJSON_Delete(setting);
  if (err->rc == RC_OK) {
    *gates = g;
  } else {
    gates_free(g);
  }
  return err->rc;
}

int gates_want_logprobs(const Gates *gates) {
  int wants = 0;
  for (int i = 0; gates && i < gates->n; i++) {
    wants |= gate_need(gates->list[i].gate.kind) == GATE_LOGPROBS;
  }
  return wants;
}

/* ---- what they say */

/* All that is told of the prompt: the user's texts, one under the other. */
static int join_prompt(const Request *r, Buf *b, Err *err) {
  for (int i = 0; i < r->n_messages; i++) {
    if (strcmp(r->messages[i].role, "user") == 0) {
      buf_puts(b, b->n ? "\n" : "");
      buf_add(b, r->messages[i].content, r->messages[i].n);
    }
  }
  return b->failed ? err_nomem(err) : RC_OK;
}

static int ask_expression(Call *k, const Gate *gate, const GateCase *c, GateVerdict *v, Err *err) {
  const ExpressionText texts[] = {{":answer", c->answer.text, c->answer.n},
                                  {":prompt", c->prompt.text, c->prompt.n}};
  ExpressionValue value = {0};
  Err why = {0};
  Expression *e = sandbox(k->conn, err);
  if (!e || expression_eval(e, gate->expr, texts, 2, &value, &why) == RC_NOMEM) {
    return err->rc ? err->rc : err_nomem(err);
  }
  *v = (GateVerdict){.passes = why.rc == RC_OK && value.is_true, .score = value.is_true};
  if (!v->passes) {
    snprintf(v->why, sizeof v->why, "%.150s", why.rc ? why.msg : "the expression is not true");
  }
  return RC_OK;
}

static int ask_logprobs(Call *k, const Gate *gate, GateVerdict *v, Err *err) {
  Err why = {0};
  cJSON *list = k->logprobs ? json_parse(k->logprobs, strlen(k->logprobs), "", &why) : NULL;
  if (why.rc == RC_NOMEM) {
    return err_nomem(err);
  }
  judge_check_logprobs(gate, list, v);
  cJSON_Delete(list);
  return RC_OK;
}

static int ask_one(Call *k, const Gate *gate, const GateCase *c, GateVerdict *v, Err *err) {
  switch (gate_need(gate->kind)) {
  case GATE_LOGPROBS:
    return ask_logprobs(k, gate, v, err);
  case GATE_MODEL:
    return second_check(k, gate, c, v, err);
  case GATE_EXPRESSION:
    return ask_expression(k, gate, c, v, err);
  default:
    return gate_check(gate, c, v, err);
  }
}

/* Its reason may quote the answer: the ledger has it where it may have the answer. */
static void note(const Call *k, cJSON *list, const NamedGate *g, const GateVerdict *v, Err *err) {
  cJSON *item = json_add(list, NULL, cJSON_CreateObject(), err);
  json_add(item, "gate", cJSON_CreateString(g->name), err);
  json_add(item, "kind", cJSON_CreateString(gate_word(g->gate.kind)), err);
  json_add(item, "passes", cJSON_CreateBool(v->passes), err);
  json_add(item, "score", cJSON_CreateNumber(v->score), err);
  if (v->why[0] && k->conn->set.log_text == LOG_FULL) {
    json_add(item, "why", cJSON_CreateString(v->why), err);
  }
}

/* Those that need a model, or those that need none. */
static int judge_some(Call *k, const GateCase *c, int with_model, cJSON *list, GatesVerdict *all,
                      Err *err) {
  int n = 0;
  for (int i = 0; i < k->gates->n && err->rc == RC_OK; i++) {
    const NamedGate *g = &k->gates->list[i];
    GateVerdict v = {0};
    if ((gate_need(g->gate.kind) == GATE_MODEL) != with_model ||
        ask_one(k, &g->gate, c, &v, err) != RC_OK) {
      continue;
    }
    n++;
    tell_scrub(k, v.why, sizeof v.why); /* it may quote the prompt */
    note(k, list, g, &v, err);
    all->score += v.score;
    if (!v.passes && all->passes) {
      all->passes = 0;
      all->name = g->name;
      snprintf(all->why, sizeof all->why, "%s", v.why);
    }
  }
  return n;
}

int gates_judge(Call *k, GatesVerdict *all, Err *err) {
  Buf prompt;
  buf_init(&prompt, LIMIT_REQUEST_BYTES * 2);
  cJSON *tree = cJSON_CreateObject(), *list = json_add(tree, "gates", cJSON_CreateArray(), err);
  *all = (GatesVerdict){.passes = 1};
  if (join_prompt(k->request, &prompt, err) == RC_OK) {
    const char *system = k->request->system;
    const GateCase c = {.prompt = {prompt.data, prompt.n},
                        .system = {system, system ? strlen(system) : 0},
                        .answer = {k->text, k->n},
                        .schema = k->request->options->schema};
    int n = judge_some(k, &c, 0, list, all, err);
    n += all->passes && err->rc == RC_OK ? judge_some(k, &c, 1, list, all, err) : 0;
    all->score = n ? all->score / n : 1;
  }
  buf_free(&prompt);
  json_add(tree, "passes", cJSON_CreateBool(all->passes), err);
  json_add(tree, "score", cJSON_CreateNumber(all->score), err);
  said_put(k, json_print(tree, err));
  return err->rc;
}
