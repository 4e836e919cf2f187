/*
** A gate's number, and behind it prompt and answer, parted by a NUL.
**
** Holds: a verdict is a verdict (a reason where it fails, a score from 0 to 1, reason and score the same when asked again);
** the effort of both texts is a number from 0 to 1 whose parts are its sum; answers agree both ways.
*/
#include "fuzz.h"

#include "core/gate/agree.h"
#include "core/gate/gate.h"
#include "core/gate/judge.h"
#include "core/route/effort.h"

#include <math.h>

static const struct {
  GateKind kind;
  const char *spec;
} gates[] = {
    {GATE_JSON, "{}"},
    {GATE_SCHEMA, "{\"schema\":{\"type\":\"object\",\"required\":[\"a\"]}}"},
    {GATE_REGEX, "{\"pattern\":\"(a+)+b|[0-9]{3,}\"}"},
    {GATE_LENGTH, "{\"min\":3,\"max\":9,\"unit\":\"words\"}"},
    {GATE_LENGTH, "{\"max\":2,\"unit\":\"sentences\"}"},
    {GATE_CONTAINS, "{\"all\":[\"a\"],\"any\":[\"b\",\"c\"],\"none\":[\"d\"]}"},
    {GATE_REFUSAL, "{}"},
    {GATE_HEDGE, "{}"},
    {GATE_GROUNDED, "{\"words\":2}"},
    {GATE_ARITHMETIC, "{}"},
};

static void check_gate(const cJSON *spec, GateKind kind, const GateCase *c) {
  Gate gate;
  GateVerdict a, b;
  Err err = {0};
  require(gate_parse(kind, spec, &gate, &err) == RC_OK);
  require(gate_check(&gate, c, &a, &err) == RC_OK && gate_check(&gate, c, &b, &err) == RC_OK);
  require(a.passes == !a.why[0] && a.score >= 0 && a.score <= 1 && is_utf8(a.why));
  require(a.passes == b.passes && a.score == b.score && strcmp(a.why, b.why) == 0);
  gate_free(&gate);
}

static void check_effort(const GateText *t) {
  EffortPart parts[EFFORT_PARTS];
  double score = effort_score(t->text, t->n, parts);
  require(score >= 0 && score <= 1);
  for (int i = 0; i < EFFORT_PARTS; i++) {
    require(isfinite(parts[i].share) && parts[i].n >= 0);
  }
}

static void check_agreement(const GateText *a, const GateText *b) {
  double there, back, share;
  Err err = {0};
  for (int how = AGREE_AUTO; how < AGREE_HOWS; how++) {
    require(agree_compare(a, b, (AgreeHow)how, &there, NULL, &err) == RC_OK);
    require(agree_compare(b, a, (AgreeHow)how, &back, NULL, &err) == RC_OK);
    require(there == back && there >= 0 && there <= 1);
  }
  require(!judge_read(a->text, a->n, &share) || (share >= 0 && share <= 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t i = take_byte(&in) % (sizeof gates / sizeof gates[0]);
  GateCase c = {0};
  char *prompt = take_text(&in, &c.prompt.n), *answer = take_rest(&in, &c.answer.n);
  cJSON *spec = fuzz_json(gates[i].spec, strlen(gates[i].spec));
  c.prompt.text = prompt;
  c.system.text = "";
  c.answer.text = answer;
  check_gate(spec, gates[i].kind, &c);
  check_effort(&c.prompt);
  check_effort(&c.answer);
  check_agreement(&c.prompt, &c.answer);
  cJSON_Delete(spec);
  free(prompt);
  free(answer);
  return 0;
}
