/*
** The text of a row of sqlite_schema, read as SQLite's tokenizer reads it: what it makes, and which
** words it holds.
**
** What decides is the text that SQLite parses. The columns type, name and tbl_name of such a row say
** whatever the file's author liked, and so may affinity and encoding of the text itself. Nothing is
** looked for by SQL here (LIKE, =, collations), whose meaning a pragma can change.
*/
#ifndef LLMCOST_DDL_H
#define LLMCOST_DDL_H

#include <stddef.h>

typedef enum DdlKind {
  DDL_OTHER, /* none of these, or not to be understood: think the worst */
  DDL_TABLE,
  DDL_VIEW,
  DDL_INDEX,
  DDL_TRIGGER,
  DDL_VIRTUAL
} DdlKind;

/* A statement being read. Borrows its text. */
typedef struct Ddl {
  DdlKind kind;
  int is_temp; /* CREATE TEMP …: in a file's schema it makes an object that SQLite takes for the user's own */
  const char *name; /* of what is made, without its quotes; "" where it can't be told */
  size_t n_name;
  const char *at, *end; /* of the words */
  char quote;           /* what closes the quoted text that `at` is in; 0: in none */
  const char *opened;   /* where that text begins */
  int has_variable;     /* one stands before `at`: see ddl.c */
} Ddl;

/* Begins to read n bytes. */
void ddl_start(Ddl *d, const char *sql, size_t n);

/* The next word: a maximal run of letters, digits and _ (ASCII; any other byte parts words). Left out are
** words in comments, and in quotes those that do not fill them (a column "llm_complete(q)" is none of ours);
** but not in a virtual table or in what is not understood: a module is free to read its arguments
** otherwise. 0 at the end. */
int ddl_next_word(Ddl *d, const char **word, size_t *n);

/* 1 if the word that was just read is a text ('…'), which may name a table, but no function. */
int ddl_is_string(const Ddl *d);

/* 1 if the n bytes are that name, but for the case of ASCII letters. */
int ddl_is_name(const char *text, size_t n, const char *name);

/* 1 if the call that may follow a word ending at `at` is certainly one with a single argument, as in
** embed(body) or embed(coalesce(title, '') || body), or no call at all. */
int ddl_is_plain_call(const Ddl *d);

/* Writes to `out` (room for n + 1 bytes) the text without comments, blanks only where SQLite would read
** something else without them, letters outside of quotes in lower case, and a NUL. */
void ddl_normalize(const char *sql, size_t n, char *out);

/* The name for a message: cut at `size`, what is no plain character replaced. Returns 1 if it is plain as it
** is, so that a statement with it in double quotes can be recommended. */
int ddl_show_name(const char *name, size_t n, char *out, size_t size);

/* "table", "view", … for messages. */
const char *ddl_kind_name(DdlKind kind);

#endif
