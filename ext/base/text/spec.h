/*
** Options as data: a table says of each option its name, its type, its range, where it goes and
** what it is where nobody gave it; reading, the list of valid names and what is said of a wrong
** value are made from it.
**
** Read are the options of calls and of llm_cost (JSON), the settings of llm_config (SQL values) and
** the arguments of semantic_cache (text): what differs between these is in SpecValue. To add an
** option: its member, its line in the table, its line in the manual.
*/
#ifndef LLMCOST_SPEC_H
#define LLMCOST_SPEC_H

#include "base/error.h"
#include "base/text/json.h"

#include <limits.h>

typedef enum SpecType {
  SPEC_TEXT,    /* const char *: borrowed from the value; NULL: not given */
  SPEC_OWNED,   /* char *: a copy, to free(); the empty text is none. NULL: not given */
  SPEC_CHARS,   /* char[]: a copy of a text that is not empty and fits. "": not given */
  SPEC_INTEGER, /* long long or int: a whole number from min to max. SPEC_UNSET: not given */
  SPEC_NUMBER,  /* double: from min to max. NAN: not given */
  SPEC_SHARE,   /* double: above 0 and below 1. NAN: not given */
  SPEC_SWITCH, /* int: 1 or 0; in JSON true or false, or 1 or 0 (SQL has no others); as text 'on' or 'off' */
  SPEC_WORD, /* int: which one of `words`. -1: not given */
  SPEC_SET, /* unsigned: 1 << the place in `words` of one of them, or of each in an array. 0: not given */
  SPEC_DURATION, /* long long: milliseconds above 0, from seconds or '15m'. SPEC_UNSET: not given */
  SPEC_TIME,     /* long long: Unix ms, from that or a date. SPEC_NO_TIME: not given */
  SPEC_OBJECT,   /* const cJSON *: an object, borrowed. NULL: not given */
  SPEC_OTHER     /* read by `take`, which knows where it goes */
} SpecType;

#define SPEC_UNSET (-1LL)
#define SPEC_NO_TIME LLONG_MIN

/* A value, from wherever it came. */
typedef struct SpecValue {
  const char *name;  /* the option's, as it was given */
  const char *text;  /* NULL: it is no text */
  double number;     /* NAN: it is no number */
  const cJSON *json; /* NULL: it did not come as JSON */
  int is_null;
} SpecValue;

typedef struct Spec Spec;
typedef struct SpecTable SpecTable;

struct Spec {
  const char *name; /* with `means`: what stands for all of them in the list of valid names */
  SpecType type;
  size_t at, size;          /* the member */
  double min, max;          /* SPEC_INTEGER, SPEC_NUMBER; a max of LIMIT_COUNT goes unsaid */
  const char *const *words; /* SPEC_WORD, SPEC_SET: ended by NULL */
  const char *what;    /* what a message calls the value, its range aside; NULL: as the type says */
  const char *initial; /* the value where nobody gave one, as text; NULL: "not given" */
  unsigned of;         /* bits of the table's own; spec_find and spec_read look at some */
  int null_is_none;    /* a NULL, given as a value, makes it "not given" */
  int is_operators; /* it names a host, a key, a file or a store: refused in server mode (trust/node/node.h) */
  int (*means)(const char *name); /* a family of names: 1 for each of them */
  int (*take)(const SpecTable *table, const Spec *spec, const SpecValue *value, void *to, Err *err);
};

/* What somebody may call an option who knows other programs. */
typedef struct SpecHint {
  const char *name;
  const char *means; /* the option's name here; or, with a blank in it, what to say */
} SpecHint;

struct SpecTable {
  const char *noun; /* "option": what its messages call one of them */
  ErrCode code;     /* of its errors */
  const char *
      word_is; /* the option that a bare word in place of the object is taken for in an example; or NULL */
  const SpecHint *hints; /* ended by a NULL name; or NULL */
  const Spec *at;
  int n;
};

/* In a line of a table: the type, and the member m of a struct S. A member of another C type does
** not compile. */
#define SPEC_INTO(S, TYPE, m)                                                                      \
  .type = SPEC_##TYPE, .at = offsetof(S, m),                                                       \
  .size = sizeof(((S *)0)->m) + 0 * sizeof(char[SPEC_FITS_##TYPE(((S *)0)->m)])
#define SPEC_FITS(m, c_type) _Generic((m), c_type : 1, default : -1)
#define SPEC_FITS_TEXT(m) SPEC_FITS(m, const char *)
#define SPEC_FITS_OWNED(m) SPEC_FITS(m, char *)
#define SPEC_FITS_CHARS(m) SPEC_FITS(&(m), char(*)[sizeof(m)])
#define SPEC_FITS_INTEGER(m) _Generic((m), int : 1, long long : 1, default : -1)
#define SPEC_FITS_NUMBER(m) SPEC_FITS(m, double)
#define SPEC_FITS_SHARE(m) SPEC_FITS(m, double)
#define SPEC_FITS_SWITCH(m) SPEC_FITS(m, int)
#define SPEC_FITS_WORD(m) SPEC_FITS(m, int)
#define SPEC_FITS_SET(m) SPEC_FITS(m, unsigned)
#define SPEC_FITS_DURATION(m) SPEC_FITS(m, long long)
#define SPEC_FITS_TIME(m) SPEC_FITS(m, long long)
#define SPEC_FITS_OBJECT(m) SPEC_FITS(m, const cJSON *)

/* Words and the enum of their places from one list, X(CACHE_EXACT, "exact") …:
**   typedef enum CacheMode { CACHE_MODES(SPEC_AS_ID) } CacheMode;
**   .words = SPEC_WORDS(CACHE_MODES) */
#define SPEC_AS_ID(id, word) id,
#define SPEC_AS_WORD(id, word) word,
#define SPEC_WORDS(LIST) ((const char *const[]){LIST(SPEC_AS_WORD) NULL})

/* A member of an object (NULL: of none), as value; and a text that may be a number. Borrowed. */
SpecValue spec_value_json(const cJSON *item);
SpecValue spec_value_text(const char *name, const char *text);

/* Makes every member what it is where nobody gave it: `initial`, or "not given". What stood there
** is not looked at; what SPEC_OTHER reads stays as it is. */
void spec_init(const SpecTable *table, void *to);

/* The same for one member; an owned text is freed. */
void spec_reset(const Spec *spec, void *to);

/* Frees the owned texts. */
void spec_free(const SpecTable *table, void *to);

/* The line of a name (its first n bytes) among those with a bit of `of`; 0: among all. NULL and
** *err, which lists the valid ones. */
const Spec *spec_find(const SpecTable *table, unsigned of, const char *name, size_t n, Err *err);

/* Puts a value into its member of *to. RC_OK; or an error that says what is expected, or RC_NOMEM:
** the member is as it was. */
int spec_set(const SpecTable *table, const Spec *spec, const SpecValue *value, void *to, Err *err);

/* n bytes of JSON as the object that spec_read takes: an owned tree (cJSON_Delete), or NULL and an error that shows
** what such an object looks like. */
cJSON *spec_parse(const SpecTable *table, const char *json, size_t n, Err *err);

/* Every member of a JSON object, of those with a bit of `of` (0: of all); null is as if it were not
** there, the last of the same name counts. Borrows from the tree. RC_OK or *err: *to is half filled
** then. */
int spec_read(const SpecTable *table, unsigned of, const cJSON *object, void *to, Err *err);

/* The error that `name` is wrong: "option 'n': expected …". Returns err->rc. */
int spec_bad(const SpecTable *table, const char *name, const char *expected, Err *err);

#endif
