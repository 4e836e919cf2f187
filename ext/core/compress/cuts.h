/*
** A text made shorter by leaving out bytes of it, and nothing else: no word is written anew, moved or joined, no note of ours is put
** where something was. So what is left can be found in the text, and what was left out has a place in it.
*/
#ifndef LLMCOST_CUTS_H
#define LLMCOST_CUTS_H

#include "base/buf.h"
#include "core/split/units.h"

/* Why bytes are left out. */
#define CUT_REASONS(X)                                                                             \
  X(CUT_BLANKS, "blanks")       /* blanks and line ends that mean nothing */                       \
  X(CUT_JSON_BLANKS, "json")    /* blanks between JSON's values */                                 \
  X(CUT_SAME, "same")           /* said before, in the same words */                               \
  X(CUT_ALMOST_SAME, "near")    /* said before, in almost the same words */                        \
  X(CUT_FILLER, "filler")       /* says nothing to a model */                                      \
  X(CUT_SCHEMA, "schema")       /* a schema says it, and is enforced */                            \
  X(CUT_EXAMPLE, "example")     /* an example that shows what an earlier one shows */              \
  X(CUT_OFF_TOPIC, "off_topic") /* scored less than what was kept */                               \
  X(CUT_NOTHING_LEFT, "empty")  /* a label under which nothing is left */

typedef enum CutReason {
#define CUT_ID(id, name) id,
  CUT_REASONS(CUT_ID)
#undef CUT_ID
      CUT_N_REASONS
} CutReason;

typedef struct Cut {
  size_t from, n; /* bytes of the text */
  CutReason reason;
} Cut;

/* Cuts of one text, by place, none over another. Zeroed: empty. */
typedef struct Cuts {
  Cut *at; /* owned */
  size_t n, cap;
  size_t bytes; /* of all together */
} Cuts;

/* The word of a reason. Static storage. */
const char *cut_reason_name(CutReason reason);

/* Adds one behind all others (n = 0: none). */
int cuts_add(Cuts *c, size_t from, size_t n, CutReason reason, Err *err);
void cuts_free(Cuts *c);

/* Appends the text without its cuts. RC_OK, RC_NOMEM or RC_TOOBIG. */
int cuts_apply(const Cuts *c, const char *text, size_t n, Buf *out);

/* The cuts that leave out the units whose `gone` is not CUT_KEPT, and of the gaps around them all but one: the one with the most
** line ends, the last of equal ones (without any: the first); behind an item's marker its own. */
enum { CUT_KEPT = 255 };
int cuts_of_units(const char *text, size_t n, const TextUnits *u, const unsigned char *gone,
                  Cuts *out, Err *err);

/* Leaves out labels, and pairs of tags, under which all that there was is gone, with CUT_NOTHING_LEFT. `may` (NULL: all): which
** units may be. */
int cuts_empty_labels(const TextUnits *u, unsigned char *gone, const unsigned char *may, Err *err);

/* --- places in the text that it was at first --- */

typedef struct Origin {
  size_t at, from, n; /* n bytes at `at` of the shorter text stood at `from` */
} Origin;

typedef struct Origins {
  Origin *at; /* owned */
  size_t n;
} Origins;

/* Those of a text of n bytes as it is: one. */
int origins_whole(Origins *p, size_t n, Err *err);

/* Those of the text that the cuts leave. */
int origins_cut(Origins *p, const Cuts *c, Err *err);

/* Where a byte of the shorter text stood. */
size_t origins_find(const Origins *p, size_t at);
void origins_free(Origins *p);

#endif
