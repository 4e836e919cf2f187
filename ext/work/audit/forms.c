/*
** See forms.h for the contract.
*/
#include "work/audit/forms.h"

#include "core/lint/brevity.h"
#include "core/ballast/examples.h"
#include "store/audit/pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A system prompt: its form. */
typedef struct System {
  unsigned form;
} System;

/* All calls of one prompt, model and form. */
typedef struct Way {
  double n, input, output;
} Way;

static unsigned form_of_text(const char *text, size_t n, Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  Examples e = {NULL, 0, 0};
  unsigned form = brevity_is_asked(text, n, err) ? FORM_BRIEF : 0;
  if (err->rc == RC_OK && units_find(text, n, &u, err) == RC_OK &&
      examples_find(text, n, &u, &e, err) == RC_OK) {
    form |= e.n > 0 ? FORM_EXAMPLES : 0;
  }
  examples_free(&e);
  units_free(&u);
  return form;
}

/* The form that a system prompt makes; NULL and *err. */
static System *system_of(Forms *f, const char *hash, Err *err) {
  const char *const texts[] = {hash};
  const char *kept[1];
  return groups_of(&f->systems, texts, 1, kept, err);
}

static Way *way_of(Forms *f, const char *prompt, const char *model, unsigned form, Err *err) {
  char word[16];
  snprintf(word, sizeof word, "%u", form);
  const char *const texts[] = {prompt, model, word};
  const char *kept[3];
  return groups_of(&f->ways, texts, 3, kept, err);
}

static void take_pair(void *arg, const Pair *p, Err *err) {
  Forms *f = arg;
  groups_of_bytes(&f->prompts, p->prompt_hash, strlen(p->prompt_hash), err);
  System *system = system_of(f, p->system_hash, err);
  if (system && f->systems.is_new && p->system) {
    system->form = form_of_text(p->system, p->n_system, err);
  }
  unsigned form = (system ? system->form : 0) | (p->has_schema ? FORM_SCHEMA : 0);
  Way *way =
      err->rc == RC_OK && p->is_answered ? way_of(f, p->prompt_hash, p->model, form, err) : NULL;
  if (way) {
    way->n++;
    way->input += p->input;
    way->output += p->output;
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

static Way means_of(Forms *f, const AuditRow *row, unsigned form, Err *err) {
  const char *model = row->model ? row->model : row->model_requested;
  const Way *way = way_of(f, row->prompt_hash, model, form, err);
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
  int has_schema = row->notes && strstr(row->notes, "\"schema\":true");
  unsigned form = system->form | (has_schema ? FORM_SCHEMA : 0);
  if (form & FORM_SCHEMA) {
    t.output_in_prose = means_of(f, row, form & ~(unsigned)FORM_SCHEMA, err).output;
  } else if (form & FORM_BRIEF) {
    t.output_at_length = means_of(f, row, form & ~(unsigned)FORM_BRIEF, err).output;
  }
  if (!(form & FORM_EXAMPLES)) {
    t.input_with_examples = means_of(f, row, form | FORM_EXAMPLES, err).input;
  }
  return t;
}
