/*
** The semantic_cache virtual table, inside: its state, which the files of vec/cache share.
**
**   memory.c         the partitions in memory, kept equal to what this connection can see
**   rows.c           the shadow tables and every statement on them
**   pieces.c         vectors, in their rows or in pieces
**   shadow.c         whether the shadow objects are what they must be
**   trust.c          whether a table may send what it is given
**   values.c         SQL values and stored numbers: taken, compared, checked for their range
**
** A lookup is in vec/cache/match; the module itself, writing, commands and the integrity check are in vec/cache.
*/
#ifndef LLMCOST_CACHE_TABLE_H
#define LLMCOST_CACHE_TABLE_H

#include "vec/cache/state/host.h"
#include "vec/policy/policy.h"
#include "vec/policy/track.h"
#include "vec/cache/state/settings.h"
#include "base/sqlite/schema_watch.h"
#include "base/buf.h"
#include "base/hash.h"
#include "vec/engine/index.h"
#include "vec/engine/kernels/vector.h"
#include "base/sqlite/sqlite_api.h"

/* Columns of the table, in the order of its declaration. */
typedef enum CacheColumn {
  C_SYSTEM_PROMPT,
  C_QUERY,
  C_RESPONSE,
  C_MODEL,
  C_TAG,
  C_COST_NUSD,
  C_CREATED_AT,
  C_EXPIRES_AT,
  C_HITS,
  C_LAST_HIT_AT,
  C_SCOPE,
  C_EMBEDDING, /* hidden, as all behind it */
  C_COMMAND,
  C_SIMILARITY,
  C_THRESHOLD,
  C_K,
  C_MATCH_KIND,
  C_VERIFY,
  C_MAX_FALSE,
  C_POLICY,
  C_WHY,
  C_USER
} CacheColumn;
enum { N_CACHE_COLUMNS = C_USER + 1 };

typedef enum ShadowKey {
  SHADOW_BY_NUMBER, /* a column of ours is its rowid */
  SHADOW_BY_ROWID,  /* it has a rowid that nobody reads */
  SHADOW_BY_NAME    /* WITHOUT ROWID */
} ShadowKey;

/* A shadow table: the end of its name, the columns and what ends its CREATE TABLE. `later`: how many of the columns, the last
** ones, tables made by older versions may lack. LATER_ALL: they may not have the table. */
typedef struct ShadowTable {
  const char *name, *columns, *tail;
  ShadowKey key;
  int later;
} ShadowTable;
enum { SHADOW_ROWS, SHADOW_PIECES, N_SHADOW_TABLES = 8, LATER_ALL = 255 };
extern const ShadowTable shadow_tables[N_SHADOW_TABLES];

/* Statements on the shadow tables, prepared when first used and kept. */
typedef enum CacheSql {
  ROW_INSERT,
  ROW_DELETE,
  ROW_GET,
  ROW_VECTOR,
  ROW_BY_TEXT,
  ROW_KEY,
  ROW_TEXT_VECTOR,
  ROW_TOUCH,
  ROW_EXPIRED,
  ROW_VALUES,
  ROW_SET_SECOND,
  ROW_SET_VECTOR,
  PIECES_FROM,
  PIECE_PUT,
  PIECES_DROP,
  ROWS_OF_PARTITION,
  PIECES_OF_PARTITION,
  PIECES_IN_ORDER,
  ROWS_ALL,
  ROWS_COUNT,
  PARTITION_FIND,
  PARTITION_ADD,
  PARTITION_DROP,
  LOG_LAST,
  LOG_STAMP,
  LOG_AFTER,
  LOG_AFTER_OF,
  LOG_ADD,
  LOG_TRIM,
  SNAPSHOT_GET,
  SNAPSHOT_PUT,
  SNAPSHOT_DROP,
  SNAPSHOT_DROP_OLD,

  META_GET,
  META_PUT,
  META_SETTINGS,
  META_ADD,
  LABEL_ADD,
  LABEL_DROP,
  LABEL_TRIM,
  LABEL_CORRECT,
  LABEL_WORST,
  LABEL_ANY_WRONG,
  LABEL_ANY_RIGHT,
  LABEL_COUNT,
  LABELS_ANSWERED,
  LABELS_OF,
  DECISION_LAST,
  DECISION_ADD,
  DECISION_TRIM,
  CACHE_SQL_COUNT
} CacheSql;

/* A partition in memory. */
typedef struct Partition {
  int64_t id;
  VecIndex *index;
  long long changes;   /* since its snapshot was written or read */
  int has_snapshot;    /* one that is no older than `changes` says */
  int is_dirty;        /* changed in this transaction */
  Policy *policy;      /* the adaptive threshold; NULL until needed */
  int64_t policy_seen; /* newest label it has learned */
  Track *track;        /* of its answers; NULL until needed */
  int64_t track_seen;
} Partition;

/* A change of the running transaction, looked at again if it is rolled back. */
typedef struct Touched {
  int64_t partition, id;
} Touched;

/* A hit that waits for the next write. */
typedef struct PendingHit {
  int64_t id, n, last_at;
} PendingHit;

/* An entry's vector by the confirming embedder. */
typedef struct SecondVector {
  int64_t id;
  Hash text; /* of the query it was made from */
  float *vector;
  int is_unsaved;
} SecondVector;
enum { SECOND_SLOTS = 256 };

typedef struct CacheMemory {
  Partition **slots; /* open addressing by id; NULL: free */
  size_t n, cap;
  int64_t seq, stamp;           /* the last change of the log that was applied */
  int64_t base_seq, base_stamp; /* the same when the transaction began */
  int was_rolled_back;
  int wrote_snapshot; /* in this transaction: not sure before its commit */
  unsigned version;   /* of the file's contents when the log was last looked at */
  int has_version;
  int has_wrong; /* labels that say an answer was wrong: 1 some, 0 none, -1 not looked */
  int has_right; /* … that it was right */
  Touched *touched;
  size_t n_touched, touched_cap;
} CacheMemory;

/* A name the table had until it was renamed with `level` savepoints open. */
typedef struct OldName {
  int level;
  char *name; /* owned (sqlite3_free) */
} OldName;
enum { SEED_TEXT = 32 };

/* A partition that was found by its texts, which are owned; NULL: NULL. */
typedef struct KnownPartition {
  int64_t hash, id; /* id 0: the slot is free */
  sqlite3_value *prompt, *scope;
} KnownPartition;

typedef struct KnownPartitions {
  KnownPartition *slots; /* open addressing by hash; at most half of them are used */
  size_t n, cap, bytes;  /* bytes: of the texts */
} KnownPartitions;

/* Vectors in pieces. */
typedef struct Pieces {
  int dim;                       /* of the vectors that the rest is for; 0: none yet */
  int n;                         /* pieces of one; 0: vectors stay in their rows */
  int each;                      /* floats of a piece; the last may have fewer */
  int is_open;                   /* the statement that reads them stands on one */
  float *lent;                   /* room for one vector; owned (free) */
  int64_t partition, expires_at; /* of the row whose vector was found last */
} Pieces;
enum { PIECES_MOST = 64 }; /* of a vector: the largest needs 17 */

typedef struct CacheTable {
  sqlite3_vtab base;
  sqlite3 *db;
  char *schema, *name; /* owned (sqlite3_free) */
  CacheHost *host;
  CacheSettings made, set; /* by CREATE; with what was changed since */
  int has_settings;        /* `set` is what the transaction sees */
  char seed[SEED_TEXT];    /* as stored: tells the table from another of its name; "": not read */
  SchemaWatch watch;       /* on its own schema */
  int is_sound;            /* the shadow tables were found to be ours when last looked at */
  unsigned char
      lacks[N_SHADOW_TABLES]; /* later columns that each lacked then; LATER_ALL: it was not there */
  int is_trusted;             /* it may send: made or trusted by this installation */
  int is_busy;                /* one of its methods is on the C stack */
  int level;                  /* savepoints that are open, as far as it was told */
  OldName *old_names;         /* by level, oldest first; owned */
  size_t n_old_names;
  Embedder embedder; /* resolved when first needed: embedder.dim is 0 until then */
  Embedder second;   /* the confirming one; dim 0: none */
  int second_asked;
  int is_rebuilt; /* by this transaction: not sure before its commit */
  sqlite3_stmt *stmt[CACHE_SQL_COUNT];
  KnownPartitions known;    /* those looked up lately, as far as they are sure */
  sqlite3_stmt *idle_match; /* a cursor's, kept for the next */
  CacheMemory memory;
  PendingHit *hits;
  size_t n_hits, hits_cap;
  Decision *decisions; /* waiting for the next write */
  size_t n_decisions, decisions_cap;
  SecondVector *seconds; /* SECOND_SLOTS of them, by id; NULL until needed */
  float *asked_second;   /* room for the question's */
  struct Missed
      *missed; /* questions that were not found, until they are inserted; NULL until needed */
  size_t n_missed;
  const char *policy; /* what decides, as x_meta has it; static storage; NULL: not looked */
  int lost_second; /* 1: it was confirmed by MiniLM once, which is not here; -1: never; 0: not looked */
  long long writes; /* through this connection */
  float *vector;    /* room for one embedding */
  Pieces pieces;
  Buf text; /* room for one normal form */
} CacheTable;

/* --- rows.c */

int rows_create(CacheTable *t, Err *err);
int rows_drop(CacheTable *t, Err *err);
int rows_rename(CacheTable *t, const char *name, Err *err); /* t->name stays */
int rows_is_shadow_name(const char *suffix);
/* Adds the later columns and tables that are lacking. Call it before a write that fills one. */
int rows_extend(CacheTable *t, Err *err);
/* 1 if it has no pieces: a table of an older version that was not written to. */
int rows_lacks_pieces(const CacheTable *t);

/* A statement ready to be bound; end it with rows_reset, which gives err->rc with its error, or
** rows_run, which steps it once to its end. */
sqlite3_stmt *rows_stmt(CacheTable *t, CacheSql id, Err *err);
int rows_run(CacheTable *t, sqlite3_stmt *stmt, Err *err);

/* Bind what may need memory; a statement whose binding failed is not stepped (rows_run sees to that): the
** parameter would be NULL. Text is borrowed until the reset. Return err->rc. */
int rows_bind_text(CacheTable *t, sqlite3_stmt *stmt, int at, const char *text, size_t n, Err *err);
int rows_bind_value(CacheTable *t, sqlite3_stmt *stmt, int at, const sqlite3_value *v, Err *err);
int rows_reset(CacheTable *t, sqlite3_stmt *stmt, Err *err);
void rows_finalize(CacheTable *t);
/* A statement of its own from text in which @x stands for the shadow table x, @ for the schema. */
sqlite3_stmt *rows_prepare(CacheTable *t, const char *sql, Err *err);
int rows_error(CacheTable *t, int rc, Err *err);
int rows_corrupt(CacheTable *t, const char *what, int64_t id, Err *err);
int rows_bad_vector(CacheTable *t, int64_t id, Err *err);
int rows_bad_log(CacheTable *t, int64_t seq, Err *err);
#define LOG_MOST (INT64_MAX / 2) /* lines: at the highest rowid SQLite gives out any number */

#define STORED_SETTING "set:" /* in front of the names of settings in x_meta */

/* Values of x_meta: 1 found, 0 not, -1 error; texts are copied, cut at `size`. */
int rows_meta(CacheTable *t, const char *name, char *value, size_t size, Err *err);
int rows_set_meta(CacheTable *t, const char *name, const char *value, Err *err);

/* The partition of a system prompt and scope (SQL values; NULL is one too): *id, or 0 where there
** is none and create is 0. */
int rows_partition(CacheTable *t, sqlite3_value *prompt, sqlite3_value *scope, int create,
                   int64_t *id, Err *err);
void rows_forget_recent(CacheTable *t); /* partitions may have come or gone */

/* Appends to the log of changes; *seq and *stamp name the entry. */
int rows_log(CacheTable *t, int64_t partition, int64_t id, int64_t *seq, int64_t *stamp, Err *err);

/* The hash by which a partition is found. 0 also with *err. */
int64_t rows_partition_hash(sqlite3_value *prompt, sqlite3_value *scope, Err *err);

/* The number that stands for who asked; 0: nobody said. */
int64_t rows_asker(sqlite3_value *user, Err *err);

/* The hash under which texts are looked up that may have the text's normal form, which is left in t->text. It is that of the
** plain form, which texts with one normal form share: caches of older versions have it too. */
int rows_text_hash(CacheTable *t, const char *text, size_t n, int64_t *hash, Err *err);

/* Reads what was changed by commands, unless it is known: t->set is what the transaction sees.
** Call it after memory_sync. */
int rows_settings(CacheTable *t, Err *err);

/* --- pieces.c */

/* Into how many pieces a vector of `dim` float32 is cut; 0: it stays in its row. */
int pieces_of(int dim);

/* What a SELECT from x_rows reads of a row's vector, for pieces_lend. */
#define ROW_HAS_VECTOR "coalesce(embedding, $pieces)"

/* Lends the vector of a row, whose statement has its id and, in `column`, ROW_HAS_VECTOR: *vector is dim float32, valid
** until the next call, the statement's next step or pieces_end; NULL where it has none. A vector that is damaged is an
** error. Call pieces_end when no more are wanted, before anything is written. Returns err->rc. */
int pieces_lend(CacheTable *t, sqlite3_stmt *row, int column, int64_t id, const void **vector,
                Err *err);
/* The same without its row: NULL also where the row may have one that is not in pieces. t->pieces has what the first
** piece knows of the row. */
int pieces_find(CacheTable *t, int64_t id, const void **vector, Err *err);
/* The same of one row of a partition after the other: from the statement PIECES_OF_PARTITION or PIECES_IN_ORDER, which stands
** on a piece of the row and is left on its last. */
int pieces_gather(CacheTable *t, sqlite3_stmt *stmt, int64_t *id, const void **vector, Err *err);
void pieces_end(CacheTable *t);
/* 1 if vectors of this table may be in pieces; 0 also with *err. */
int pieces_are_used(CacheTable *t, Err *err);

/* What is written of a vector (NULL: none). pieces_bind binds what its row has of it, as the columns `embedding` and
** `pieces` of a statement that writes the row; the vector is borrowed until its reset. When the row is there,
** pieces_store writes what is not in it. */
typedef struct NewVector {
  const void *vector;
  int64_t partition, expires_at;
} NewVector;
int pieces_bind(CacheTable *t, sqlite3_stmt *row, int embedding, int pieces, const void *vector,
                Err *err);
int pieces_store(CacheTable *t, int64_t id, const NewVector *v, Err *err);
/* Deletes the pieces of a row's vector, if there are any. */
int pieces_drop(CacheTable *t, int64_t id, Err *err);
/* 1 if a row that was lent this vector (NULL: none) has it where pieces_bind and pieces_store would put it. */
int pieces_are_where(CacheTable *t, sqlite3_stmt *row, int column, int64_t id, const void *vector);
void pieces_free(CacheTable *t);

/* --- shadow.c */

/* A table's columns from one on, as CREATE TABLE has them; *n of them is a column with its type. NULL behind the last. */
const char *shadow_column(const ShadowTable *s, int at, int *n);
int shadow_count_columns(const ShadowTable *s);

/* Checks the shadow objects, once per state of the schema: an error names the first that is not
** ours, and the cure. Call it before any use of them. */
int shadow_check(CacheTable *t, Err *err);
/* 1 if the table of this name is still the one whose seed was read. */
int shadow_is_ours(CacheTable *t, Err *err);

/* --- trust.c */

/* 1 if its embedder sends nothing. */
int trust_is_local(const CacheTable *t);
/* RC_OK if the table may embed; else an error that says the command. */
int trust_check(CacheTable *t, Err *err);
/* Lets it: for good where the host can make marks, else for this connection. */
int trust_grant(CacheTable *t, Err *err);

/* --- values.c */

/* The bytes of a BLOB, or of any other value as text; *n of them, borrowed. "" for NULL; NULL: no
** memory. The value keeps its type. */
const char *value_bytes(sqlite3_value *v, size_t *n, Err *err);
int value_is_null(sqlite3_value *v); /* NULL, or SQL NULL */
/* 1 if both are NULL, or have the same bytes as text, or as BLOBs. */
int value_is_same(sqlite3_value *a, sqlite3_value *b);
/* A condition on tag or model, as SQL means it: = and <> are never true of NULL. */
typedef enum ConditionOp {
  CONDITION_EQUAL,
  CONDITION_OTHER,
  CONDITION_IS,
  CONDITION_IS_NOT,
  CONDITION_IS_NULL,
  CONDITION_NOT_NULL,
  CONDITION_IN /* its value is the list, for sqlite3_vtab_in_first */
} ConditionOp;
typedef struct Condition {
  CacheColumn column;
  ConditionOp op;
  sqlite3_value *value;
} Condition;
enum { CONDITIONS_MOST = 12 }; /* of one lookup; more filter what it found */

/* The first condition that a row does not meet, its tag and model in these columns; NULL: it meets all. */
const Condition *condition_broken(const Condition *list, int n, sqlite3_stmt *stmt, int tag,
                                  int model);

#define COSINE_MOST (1 + 1e-6) /* a stored cosine, with room for its rounding */

/* 1 where a column holds a number (an integer) in the range, both ends included. */
int column_real(sqlite3_stmt *stmt, int column, double lowest, double highest, double *value);
int column_integer(sqlite3_stmt *stmt, int column, int64_t lowest, int64_t highest, int64_t *value);
/* The same of a text that is a whole number and nothing else. */
int text_integer(const char *text, int64_t lowest, int64_t highest, int64_t *value);
/* 1 where the columns similarity, second, margin, agree from `column` on are evidence. */
int column_evidence(sqlite3_stmt *stmt, int column, Evidence *e);

/* --- second.c */

/* The confirming embedder, resolved once; NULL where it can't be had (no weights, or other ones): none confirms. NULL and
** *err where that could not be looked at: it is asked for again. */
const Embedder *second_embedder(CacheTable *t, Err *err);
size_t second_bytes(const CacheTable *t); /* of one of its vectors */
/* Its vector of an entry's query: remembered, as its row has it (`stored`), or made now. NULL on error, or where the
** text has none. Borrowed until the next call. */
const float *second_of(CacheTable *t, int64_t id, const char *text, size_t n, const void *stored,
                       size_t stored_bytes, Err *err);
/* Computes it ahead of its first use. */
int second_prepare(CacheTable *t, int64_t id, const char *text, size_t n, Err *err);
int second_flush(CacheTable *t, Err *err); /* writes what was computed */
/* Forgets what was computed, and whether there is such an embedder. */
void second_forget(CacheTable *t);

/* --- memory.c */

void memory_free(CacheTable *t);
void memory_drop(CacheTable *t); /* forgets every partition */
/* Brings what is in memory to what this connection sees now. Call it before any use. */
int memory_sync(CacheTable *t, Err *err);
/* A partition, loaded if `load`; NULL where it is not in memory (load 0) or on error. */
Partition *memory_partition(CacheTable *t, int64_t id, int load, Err *err);
/* An empty one, for a partition that was just made. */
Partition *memory_add(CacheTable *t, int64_t id, Err *err);
/* After a write of ours: the entry as it is now (vector NULL: gone), and the log entry. */
int memory_changed(CacheTable *t, int64_t partition, int64_t id, const void *vector,
                   int64_t expires_at, Err *err);
/* After a write of ours that is no entry's, which other connections must notice: a line of the log
** that names none. */
int memory_noted(CacheTable *t, Err *err);
void memory_forget_policies(CacheTable *t);
void memory_begin(CacheTable *t);
int memory_before_commit(CacheTable *t, Err *err);
void memory_committed(CacheTable *t);
void memory_rolled_back(CacheTable *t);
/* Writes the snapshots of all large partitions now. */
int memory_snapshot(CacheTable *t, Err *err);
/* Lends vectors of a partition's rows without further condition. */
typedef struct RowSource {
  CacheTable *table;
  int64_t partition;
  const Condition *conditions;
  int n_conditions;
  const int64_t *skip; /* ids not to lend */
  int n_skip;
  sqlite3_stmt *stmt;
  int64_t expires_at; /* of the row whose vector was lent last; VEC_NEVER: never */
  Err *err;
} RowSource;
int row_source_vector(void *ctx, int64_t id, const void **vector);
/* Ends the last loan. Call it before the rows are used in another way. */
void row_source_end(RowSource *s);

#endif
