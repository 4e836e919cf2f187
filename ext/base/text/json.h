/*
** JSON from outside, read with cJSON under our limits; and JSON of ours, of which nothing is missing.
*/
#ifndef LLMCOST_JSON_H
#define LLMCOST_JSON_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* Parses n bytes as exactly one JSON value. Refuses bad UTF-8, nesting over LIMIT_JSON_DEPTH and
** trailing text. A \u0000 inside a string, which a C string can't hold, is read as U+FFFD.
** `what` names the text in the message ("the options", "the provider's answer"), which says the byte where it
** stops being JSON. Returns an
** owned tree (cJSON_Delete), or NULL and *err: "bad_json" is said of the text alone, lack of memory
** is RC_NOMEM. */
cJSON *json_parse(const char *text, size_t n, const char *what, Err *err);

/* The same, nested at most `most` levels, and its strings may hold any bytes. */
cJSON *json_parse_bytes(const char *text, size_t n, int most, const char *what, Err *err);

/* The same as json_parse; integers beyond 2^53, which a double does not hold, keep their digits: they are raw text (cJSON_IsRaw) in the
** tree, and no numbers. json_has_digits: 1 if a text may hold such (else json_parse does as well). */
cJSON *json_parse_digits(const char *text, size_t n, const char *what, Err *err);
int json_has_digits(const char *text, size_t n);

/* The pieces of it: 1 if n bytes are one value as cJSON reads it, else 0 and *bad_at is the place where they
** stop being one (n where they end early), JSON_TOO_DEEP where they are nested over `most` levels; the error that says so (returns err->rc). */
#define JSON_TOO_DEEP ((size_t)-1)
int json_is_text(const char *text, size_t n, int most, size_t *bad_at);
int json_bad_at(const char *what, size_t at, size_t n, Err *err);

/* The number that so many hexadecimal digits at p are, in front of `end`; -1 where there are others. */
int json_hex(const char *p, const char *end, int digits);

/* The bytes of the escape at a backslash, n bytes before the end of its string: a pair of surrogates is one; 0 where it
** is none. And 1 if it is half of such a pair. */
size_t json_escape_length(const char *backslash, size_t n);
int json_is_half_pair(const char *backslash, size_t n);

/* 1 if a text begins as an object or an array does. NULL does not. */
int json_begins(const char *text);

/* The string member `key` of an object, borrowed; NULL where missing or not a string. */
const char *json_text(const cJSON *object, const char *key);

/* The member `key` as a non-negative count: 1 and *value where it is a whole number in
** 0..LIMIT_COUNT, 0 where it is missing or null, -1 where it is anything else. */
int json_count(const cJSON *object, const char *key, long long *value);

/* Adds an item that was just made, which it takes over: to an object under `key` (copied), to an
** array where that is NULL. An item that is NULL is out of memory, so that
**
**   json_add(tree, "model", cJSON_CreateString(name), err)
**
** needs no look at each step: after the first failure every other call does nothing (and frees what
** it is given), and json_print gives no text. Returns the item, borrowed; NULL after a failure. */
cJSON *json_add(cJSON *parent, const char *key, cJSON *item, Err *err);

/* Puts an item that was just made, which it takes over, into the place of an object's member `key`. The same otherwise. */
cJSON *json_replace(cJSON *object, const char *key, cJSON *item, Err *err);

/* Prints a tree without blanks and frees it: owned (cJSON_free), NULL and *err. A tree that is NULL is
** out of memory where no error stands there yet. */
char *json_print(cJSON *tree, Err *err);

/* A number as JSON: a whole one below 1e21 in full, as JavaScript writes it, else the fewest digits that give it again. cJSON's
** own has 15 digits, with an exponent. 2^63 and 2^64 are written one lower: so they were meant, and only a double made them the
** limits that integers don't reach. */
enum { JSON_NUMBER = 32 };
void json_number(double value, char out[JSON_NUMBER]);

/* Makes all numbers of a tree print like that (they are raw text then). Returns err->rc. */
int json_exact_numbers(cJSON *tree, Err *err);

/* Prints a tree like that, without blanks: owned (cJSON_free), NULL and *err. The tree stays as it is. */
char *json_print_exact(const cJSON *tree, Err *err);

/* The digits of a member of an object, as they stand in its text (n bytes that were read as JSON): for integers that a double
** does not hold. The last member of that name counts, but for null. 1 and *out, 0 where it is no integer, does not fit, or a name of the object is
** written with escapes (and may be this one). */
int json_integer_text(const char *json, size_t n, const char *key, char *out, size_t size);

/* Drops of each object in a tree all members of one name but the last, which is what other readers take. 0 where an object has over
** JSON_MOST_MEMBERS: then nothing is sure. */
enum { JSON_MOST_MEMBERS = 1000 };
int json_drop_doubles(cJSON *tree);

/* Follows a path of member names, NULL-terminated; NULL where a step is missing. */
const cJSON *json_at(const cJSON *object, const char *const *path);

#endif
