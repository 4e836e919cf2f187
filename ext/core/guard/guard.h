/*
** The guard: tells texts that only look alike from paraphrases.
**
** Two questions that embed close together may still need different answers, because a number, a
** name, a negation or a direction differs. The guard compares what embeddings are blind to. It can
** only veto: what it lets through is not thereby the same.
*/
#ifndef LLMCOST_GUARD_H
#define LLMCOST_GUARD_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>

/* Why an answer to `known` must not serve `asked`: a word in static storage ("number", "date",
** "unit", "quote", "identifier", "url", "negation", "polarity", "direction", "order", "person": who does
** it, or whose it is; "case", "accent", "sign", "layout": nothing else differs; "content": some other
** telling word), or NULL where nothing speaks against it. NULL between equal texts; the
** same whichever text is which. Both are valid UTF-8 (of other bytes it makes what it can). Linear
** in the texts' lengths up to a limit; of longer texts the rest counts as it stands: where it
** differs at all, the word is "long". Without memory: *err, and the word says nothing. Thread-safe. */
const char *guard_veto(const char *asked, size_t n_asked, const char *known, size_t n_known,
                       Err *err);

/* As guard_veto, and appends to `words` (if it is not NULL) what it objected to, the asked text's
** first: "2 / 3", "can / must", "Oslo -> Rome / Rome -> Oslo"; an en dash stands for nothing. At most 120
** bytes of valid UTF-8; nothing where the rule has no place to show ("long"), or nothing is vetoed.
** A full `words` fails and sets *err. */
const char *guard_explain(const char *asked, size_t n_asked, const char *known, size_t n_known,
                          Buf *words, Err *err);

#endif
