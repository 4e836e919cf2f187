/*
** See forms.h for the contract.
*/
#include "work/audit/forms.h"

#include "core/lint/form.h"
#include "store/audit/pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A system prompt; zeroed: of no text that another could be held against. */
typedef struct System {
  FormOfText forms[FORM_COUNT];
} System;

/* All calls of one prompt and model that are in a form or not, the rest being the same. */
typedef struct Way {
  double n, input, output;
} Way;

/* A call as it is compared. */
typedef struct Asked {
  const char *prompt, *model;
  const System *system;
  int has_schema;
} Asked;

/* The record of a system prompt; NULL and *err. */
static System *system_of(Forms *f, const char *hash, Err *err) {
  const char *const texts[] = {hash};
  const char *kept[1];
  return groups_of(&f->systems, texts, 1, kept, err);
}

/* Fills in what a system prompt is. (One whose text is not kept is nothing but itself.) */
static void read_system(System *system, const Pair *p, Err *err) {
  if (p->system || !p->system_hash) {
    form_find(p->system ? p->system : "", p->n_system, system->forms, err);
    return;
  }
  for (int i = 0; i < FORM_COUNT; i++) {
    snprintf(system->forms[i].rest, sizeof system->forms[i].rest, "%s", p->system_hash);
  }
}

/* 1 if a call is in a form: of the format that is having a schema. */
static int is_in(const Asked *a, enum PromptForm form) {
  return form == FORM_FORMAT ? a->has_schema : a->system->forms[form].is_there;
}

/* The way of calls like this one that are in the form, or are not. */
static Way *way_of(Forms *f, const Asked *a, enum PromptForm form, int in, Err *err) {
  char word[24];
  snprintf(word, sizeof word, "%d %d %d", form, in, form != FORM_FORMAT && a->has_schema);
  const char *const texts[] = {a->prompt, a->model, a->system->forms[form].rest, word};
  const char *kept[4];
  return groups_of(&f->ways, texts, 4, kept, err);
}

static void take_pair(void *arg, const Pair *p, Err *err) {
  Forms *f = arg;
  groups_of_bytes(&f->prompts, p->prompt_hash, strlen(p->prompt_hash), err);
  System *system = system_of(f, p->system_hash, err);
  if (system && f->systems.is_new) {
    read_system(system, p, err);
  }
  const Asked a = {p->prompt_hash, p->model, system, p->has_schema};
  for (int i = 0; i < FORM_COUNT && err->rc == RC_OK && p->answers > 0; i++) {
    enum PromptForm form = (enum PromptForm)i;
    Way *way = way_of(f, &a, form, is_in(&a, form), err);
    if (way) {
      way->n += p->answers;
      way->input += p->input;
      way->output += p->output;
    }
  }
}

int forms_read(Store *store, const AuditAsk *ask, Forms *forms, Err *err) {
  groups_init(&forms->prompts, 1);
  groups_init(&forms->systems, sizeof(System));
  groups_init(&forms->ways, sizeof(Way));
  return pairs_each(store, ask, take_pair, forms, err);
}

void forms_free(Forms *forms) {
  groups_free(&forms->prompts);
  groups_free(&forms->systems);
  groups_free(&forms->ways);
}

/* What such a call has, on the mean, that differs from this one in a form alone. */
static Way means_beside(Forms *f, const Asked *a, enum PromptForm form, Err *err) {
  const Way *way = way_of(f, a, form, !is_in(a, form), err);
  const Way none = {0, (double)NAN, (double)NAN};
  return way && way->n > 0 ? (Way){way->n, way->input / way->n, way->output / way->n} : none;
}

FormTokens forms_of(Forms *f, const AuditRow *row, Err *err) {
  FormTokens t = {(double)NAN, (double)NAN, (double)NAN};
  int is_asked_so =
      row->prompt_hash && groups_has(&f->prompts, row->prompt_hash, strlen(row->prompt_hash));
  const System *system = is_asked_so ? system_of(f, row->system_hash, err) : NULL;
  if (!system) {
    return t;
  }
  const Asked a = {row->prompt_hash, row->model ? row->model : row->model_requested, system,
                   row->notes && strstr(row->notes, "\"schema\":true")};
  if (a.has_schema) {
    t.output_in_prose = means_beside(f, &a, FORM_FORMAT, err).output;
  } else if (is_in(&a, FORM_BRIEF)) {
    t.output_at_length = means_beside(f, &a, FORM_BRIEF, err).output;
  }
  if (!is_in(&a, FORM_EXAMPLES)) {
    t.input_with_examples = means_beside(f, &a, FORM_EXAMPLES, err).input;
  }
  return t;
}
