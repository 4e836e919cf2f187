/*
** The fixed policy. See fixed.h for the contract.
**
** Its form is that of a logistic regression on cosine, margin and agreement with three constants, none of them fitted to an
** entry. Votes for variants of one text count once, so that nobody raises an answer by entering it often, and an
** answer with less support than another one is never served, however near.
*/
#include "vec/policy/fixed.h"

#include <math.h>

const FixedRule fixed_rule_static = {.name = "agreement",
                                     .name_close = "margin",
                                     .offset = 18,
                                     .margin_weight = 15,
                                     .needs_agreement = 4.75,
                                     .needs_close_unique = 0.5,
                                     .needs_close_repeating = 0.9};
#define MINILM_CONSTANTS                                                                           \
  .offset = 17, .margin_weight = 20, .needs_agreement = 5, .needs_close_unique = 0.9,              \
  .needs_close_repeating = 1.2
const FixedRule fixed_rule_minilm = {.name = "agreement", .name_close = "margin", MINILM_CONSTANTS};
const FixedRule fixed_rule_confirmed = {
    .name = "agreement, minilm", .name_close = "margin, minilm", MINILM_CONSTANTS};

static double room(double margin) {
  return fmin(fmax(margin, 0), FIXED_MARGIN_MOST);
}

double fixed_agreement(const FixedRule *r, const FixedEvidence *e) {
  return 20 * e->cosine - r->offset + r->margin_weight * room(e->margin) + 3 * log(e->votes);
}

double fixed_closeness(const FixedRule *r, const FixedEvidence *e) {
  return 20 * e->cosine - r->offset + 7 * room(e->margin);
}

double fixed_needs_closeness(const FixedRule *r, const FixedEvidence *e) {
  return e->repeats ? r->needs_close_repeating : r->needs_close_unique;
}

FixedVerdict fixed_judge(const FixedRule *r, const FixedEvidence *e) {
  if (e->contested && e->cosine < FIXED_SAME_WORDS) {
    return FIXED_CONTESTED;
  }
  if (fixed_agreement(r, e) >= r->needs_agreement) {
    return FIXED_AGREED;
  }
  return fixed_closeness(r, e) >= fixed_needs_closeness(r, e) ? FIXED_CLOSE : FIXED_NO;
}

int fixed_is_possible(const FixedRule *r, double cosine, double most_margin, int most_votes) {
  FixedEvidence best = {.cosine = cosine, .margin = most_margin, .votes = most_votes};
  return fixed_judge(r, &best) != FIXED_NO;
}
