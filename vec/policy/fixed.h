/*
** The fixed policy: when is a near match good enough to be served, before anybody has said what is right?
**
** What the neighbours answer says more than how near they are. Two entries near the question that give one answer are two
** votes for it, and the nearest entry of another answer says how much room there is for a mistake:
**
**   agreement = 20 cosine - offset + weight min(margin, 0.3) + 3 ln votes   (answers that repeat: labels, JSON, canned replies)
**   closeness = 20 cosine - offset + 7 min(margin, 0.3)                     (answers that don't: prose)
**
** Either may reach what it needs. The constants were set on banking77 and CLINC150 tuning rows, for the cosines of one embedder
** each (bench/RESULTS.md): cosines of different embedders are not comparable.
*/
#ifndef LLMCOST_CACHE_FIXED_H
#define LLMCOST_CACHE_FIXED_H

typedef struct FixedRule {
  const char *name; /* what decided, when neighbours agreed; and when closeness did */
  const char *name_close;
  double offset;
  double margin_weight;      /* in agreement */
  double needs_agreement;    /* the least agreement that serves */
  double needs_close_unique; /* the least closeness where no answer repeats among the neighbours */
  double needs_close_repeating; /* … where some do: then agreement should have spoken */
} FixedRule;

extern const FixedRule fixed_rule_static, fixed_rule_minilm;
extern const FixedRule fixed_rule_confirmed; /* MiniLM's cosines of what 'static' found */

#define FIXED_MARGIN_MOST 0.3
#define FIXED_REACH 0.4 /* a neighbour further from the nearest than this says nothing */
#define FIXED_SAME_TEXT                                                                            \
  0.9 /* neighbours as near to each other are one vote: variants of one text */
#define FIXED_SAME_WORDS                                                                           \
  0.98 /* the nearest as near is the question itself: no neighbour can outvote it */
#define FIXED_NO_NEWS                                                                              \
  0.85 /* that questions as near have one answer says nothing for it: they may be variants */
#define FIXED_DIFFERS_FROM 3   /* an answer is in doubt that was wrong for so many neighbours … */
#define FIXED_DIFFERS_BY 2     /* … and that often times as often as it was right */
enum { FIXED_NEIGHBOURS = 8 }; /* looked at; a partition of fewer has no margin to speak of */

/* What is known of the nearest entry. */
typedef struct FixedEvidence {
  double cosine; /* by the embedder the rule is for */
  double
      margin; /* to the nearest neighbour of another answer; FIXED_MARGIN_MOST where there is none */
  int votes;  /* for its answer, its own included; variants of one text are one */
  int repeats;   /* 1: some answer stands twice among the neighbours */
  int contested; /* 1: another answer has more neighbours than it has votes */
} FixedEvidence;

typedef enum FixedVerdict { FIXED_NO, FIXED_AGREED, FIXED_CLOSE, FIXED_CONTESTED } FixedVerdict;

double fixed_agreement(const FixedRule *r, const FixedEvidence *e);
double fixed_closeness(const FixedRule *r, const FixedEvidence *e);
double fixed_needs_closeness(const FixedRule *r, const FixedEvidence *e);

/* Whether the nearest entry may be served. */
FixedVerdict fixed_judge(const FixedRule *r, const FixedEvidence *e);

/* 1 if it could be, whatever else is found: margin and votes are then the most that they can still be. */
int fixed_is_possible(const FixedRule *r, double cosine, double most_margin, int most_votes);

#endif
