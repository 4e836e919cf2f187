/*
** What a row of the ledger stands for: its column `kind`. Words are for SQL only.
**
** What a kind counts as stands here and in the view llm_spend (sql/views.sql), from which all other views select; a
** test compares the two.
*/
#ifndef LLMCOST_KINDS_H
#define LLMCOST_KINDS_H

/* X(id, word, is_call, is_hit, is_miss)
**   is_call  sent to a provider: it cost something, or may have
**   is_hit   answered by a cache, for nothing
**   is_miss  its first attempt is a question that no cache could answer */
#define LEDGER_KINDS(X)                                                                            \
  X(CALL, "call", 1, 0, 1)                                                                         \
  X(BATCH, "batch", 1, 0, 0)                                                                       \
  X(EMBED, "embed", 1, 0, 0)                                                                       \
  X(UNKNOWN, "unknown", 1, 0, 1) /* sent, and no readable answer came back */                      \
  X(HIT_EXACT, "hit_exact", 0, 1, 0)                                                               \
  X(HIT_SEMANTIC, "hit_semantic", 0, 1, 0)                                                         \
  X(REFUSED, "refused", 0, 0, 0) /* by our own rules: nothing was sent */

typedef enum LedgerKind {
  KIND_NONE, /* SQL NULL */
#define KIND_ID(id, word, is_call, is_hit, is_miss) KIND_##id,
  LEDGER_KINDS(KIND_ID)
#undef KIND_ID
} LedgerKind;

#endif
