/*
** Which way each queued row goes: answered by the cache; sent at once, since it is due sooner than a batch ends; into a batch, with
** others of its model; behind another that asks the same; or not yet.
**
** Looked at in the order in which they are sent, as many at a time as are kept in memory. Nothing is written.
*/
#ifndef LLMCOST_DISPATCH_H
#define LLMCOST_DISPATCH_H

#include "base/tables/hash_map.h"
#include "call/batched.h"
#include "work/desk/desk.h"

enum { DISPATCH_MOST = 100000 };

/* What requests have in common that the ledger tells apart. Texts are owned; NULL: none. */
typedef struct DispatchGroup {
  char *tag, *user, *conversation;
  char system_hash[HASH_HEX_SIZE];
  int holder; /* the first with the same tag and user */
} DispatchGroup;

/* A row that goes into a batch. */
typedef struct DispatchRow {
  long long id, attempts, held_nusd; /* held: LEDGER_NULL where nobody prices it */
  Hash key, prompt;
  unsigned long long begins[2]; /* of what it begins with: the longer part first */
  unsigned long long asks;      /* submit_asks: of the row as it was looked at */
  int group, size, tokens;
  int has_key, has_prompt;
  int next_same; /* the next of those it answers too; -1: none */
} DispatchRow;

/* Rows that may go in one batch: of one model, at one server, in one window. */
typedef struct DispatchPart {
  Model model; /* owned */
  const BatchForm *form;
  BatchEndpoint endpoint;
  int hours;
  DispatchRow *rows; /* owned */
  int n, cap;
  long long most_bytes; /* of one batch there; 0: as the form says */
} DispatchPart;

/* A row that does not go into one. */
typedef enum DispatchWay { WAY_HIT, WAY_NOW, WAY_FAILED, WAY_EXPIRED, WAY_REFUSED } DispatchWay;
typedef struct DispatchOther {
  long long id;
  DispatchWay way;
  int embeds;
  char *error; /* owned; NULL: none */
} DispatchOther;

typedef struct Dispatch {
  Desk *desk;
  DispatchPart *parts; /* owned */
  int n_parts;
  DispatchGroup *groups; /* owned */
  int n_groups, cap_groups;
  DispatchOther *others; /* owned */
  int n_others, cap_others;
  DispatchRow *same; /* owned: rows behind one that asks the same */
  int n_same, cap_same;
  HashMap group_of, holder_of,
      key_of; /* key_of: where the row stands that asks it; KEY_ELSEWHERE: in an earlier batch */
  SubmitPlace place;
  int is_over;               /* all that was queued is looked at */
  long long looked, waiting; /* rows; of these, behind one of an earlier batch */
  int has_limits;
} Dispatch;

void dispatch_init(Dispatch *d, Desk *desk);

/* Looks at the next rows. RC_OK or *err. */
int dispatch_next(Dispatch *d, Err *err);

/* Forgets rows, and keeps what is known of keys. */
void dispatch_clear(Dispatch *d);
void dispatch_free(Dispatch *d);

#endif
