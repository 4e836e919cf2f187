/*
** What begins like other requests, marked so that the provider keeps it: read again, it costs a part.
**
** Forms of marks are data: which member of a part of a message says it, and what stands beside it in the request. Who takes which, by API, vendor and
** model; "prompt_cache" in llm_models.supports (the member's name, or false) wins.
*/
#ifndef LLMCOST_PREFIX_H
#define LLMCOST_PREFIX_H

#include "core/price/catalogue.h"
#include "core/request/request.h"

typedef struct PrefixForm {
  const char *member;           /* of the part that ends a prefix */
  const char *mark, *long_mark; /* its value, JSON; to be kept for an hour */
  int keeps_an_hour; /* and who is asked for that bills it as such; 0: there is one lifetime */
  const char *beside, *beside_value; /* a member of the request, and its value; NULL: none */
} PrefixForm;

/* Where a prefix may end. */
enum { PREFIX_SYSTEM = 1, PREFIX_SHARED = 2, PREFIX_HISTORY = 4 };

/* How prefixes are marked for this model; NULL: they are not, or *err: no memory, or "prompt_cache" in supports is none of these. */
const PrefixForm *prefix_form(const Model *model, Err *err);

/* Where prefixes of a request end: behind the system prompt, the part of its last message that others share, and all of a conversation, which
** the next turn begins with. */
unsigned prefix_places(const Request *r);

/* The messages that PREFIX_HISTORY marks, as places, in order: with the last one those where requests before this one have ended, as far as they may lie
** beyond what a provider looks back for by itself (20 blocks, at Anthropic): in front of the last answer, and the user's message before. So no mark stands
** where another turn would not have set it. Returns their number: 1 to PREFIX_ENDS. */
enum { PREFIX_ENDS = 3 };
int prefix_ends(const Request *r, int ends[PREFIX_ENDS]);

/* The bytes at the front of the last message that others share, whole characters of it; 0: none, or nothing but blanks, which no part may be. */
size_t prefix_shared(const Request *r);

#endif
