/*
** Which turns of a conversation stay, when it has grown over a budget of tokens.
**
** Left out is one range, from the conversation's start to a cut. System messages, pinned messages and the last `keep` turns always
** stay. The cut is in front of a user's message that is no tool's result, and never between a call of a tool and its result; so a
** result never stands without its call, nor a call without its results, and what is kept begins with a user's message.
**
** Where the last turns alone have too many tokens (an agent's, with dozens of calls), their oldest groups go: a message with calls and
** all up to the last of its results. What users and assistants say there stays, and so does the last group, which is to be answered.
**
** The cut goes in steps, so that a provider's cache of the prefix lives on. Tokens are counted from the start of the conversation
** (without system messages), where nothing ever changes: with T of them and room for R, at least x = T - R must go. The cut is the first
** possible one at or behind X, the next multiple of `step` from x on. T grows with each turn, and X does not until x passes it: for about
** step / g turns of g tokens each the cut stays where it is, and what is sent is the same bytes as last time and one turn more. Then it moves
** by a step, and all that is kept is written into the cache once. A cut that moves with every turn would write it each time:
**
**   per turn, in prices of a fresh token, w for a write and r for a read (1.25 and 0.1, say), H = R - step / 2 tokens of history kept:
**   moving always:   w H                        10,000 tokens kept, 500 a turn: 12,500
**   in steps:        r H + w H g / step         step 5,000: 1,000 + 1,250 = 2,250
**
** Against a conversation that is never cut: a cut that keeps K tokens and leaves out D costs K (w - r) more at once, and D r less with each
** request behind it. It is earned back after K (w - r) / (D r) of them (w = 1: nine for K = D at r = 0.1, forty-nine at 0.02), unless
** the next cut comes before.
**
** A longer step costs less and remembers less: between R - step and R tokens are kept, R - step / 2 in the mean.
**
** By prices, without a budget: a cut is made as soon as it costs nothing, then and there. A conversation of A tokens, of which the first P
** stand in front of all that goes, is read for r (A - P) behind them; cut, K tokens of it are written anew for w (K - P). Once
** w (max(K, floor) - P) <= r (A - P) all but the last turns go, K the least that may be kept. (A prefix below the provider's floor is never
** read; one that is kept has to grow to it, so K counts as the floor at least.) From then on each request is the shorter one, so at no
** length has a conversation cost more than one that is never cut.
*/
#ifndef LLMCOST_PRUNE_H
#define LLMCOST_PRUNE_H

#include "base/error.h"

#include <stddef.h>

typedef enum PruneRole { PRUNE_USER, PRUNE_ASSISTANT, PRUNE_TOOL, PRUNE_SYSTEM } PruneRole;

enum {
  PRUNE_PINNED =
      1, /* stays wherever it stands: the first question, a standing order. One with calls or results: with its turn */
  PRUNE_SAYS =
      2 /* of a user's message with results: it says something beside them. Its group stays in the last turns */
};

typedef struct PruneMessage {
  PruneRole role;
  unsigned flags;
  int calls; /* results that answer its calls of tools, wherever they stand: an unanswered one counts nothing */
  int results;      /* results of tools that it brings (in a message of a user's, too) */
  long long tokens; /* 0 or more, media and all that belongs to a message included */
} PruneMessage;

/* Of a token that a provider's cache reads, and of one that is written to it, in any unit; and its shortest prefix, in tokens. */
typedef struct PrunePrices {
  double read, write; /* equal: nothing is cached */
  long long floor;
} PrunePrices;

typedef struct PruneOptions {
  long long budget; /* tokens of all that is kept: 1 or more; with `prices` it is not looked at */
  int keep;         /* the last turns that always stay: 1 or more */
  long long step;   /* of the cut, in tokens; 0: half of the room for history */
  const PrunePrices *prices; /* NULL: by the budget */
} PruneOptions;

typedef struct Pruned {
  size_t first; /* messages before it are left out, but system and pinned ones; 0: nothing is */
  size_t n_kept, n_dropped; /* messages */
  long long tokens_before, tokens_after;
  long long step; /* of the cut, as it was reckoned; 0: nothing had to go, or it goes by prices */
} Pruned;

/* A whole turn: messages from `from` to in front of `end`. */
typedef struct PruneTurn {
  size_t from, end;
  double score; /* how much it has to do with what is asked; 0 or less: nothing */
} PruneTurn;

/* Decides for n messages; kept[i] = 1 or 0 (an array of n). What fits stays whole. A turn begins with a user's message and goes on
** to the next; messages before the first one (a greeting) may go. Returns RC_OK, or *err: ERR_BAD_OPTION (a budget, keep or step out of range);
** ERR_LIMIT where what must stay has more tokens than the budget, which the message says: kept and *out hold that then. Linear time, no memory. */
int prune_plan(const PruneMessage *messages, size_t n, const PruneOptions *options,
               unsigned char *kept, Pruned *out, Err *err);

/* The turns in front of `end` (at most n; turns has room for n), with a score of 0. Returns how many. */
size_t prune_turns(const PruneMessage *messages, size_t n, size_t end, PruneTurn *turns);

/* Takes whole turns back that a plan left out, the best first (of equal ones the later), as long as the budget takes them and their
** score is above 0: marks them in kept, brings *out up to date. Sorts the turns. */
void prune_take_back(const PruneMessage *messages, size_t n, PruneTurn *turns, size_t n_turns,
                     long long budget, unsigned char *kept, Pruned *out);

#endif
