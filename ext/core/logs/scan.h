/*
** A reader of JSON that takes what is wanted and passes over the rest, without a tree and without memory.
**
** A line of an agent's log is kilobytes of text around a few counts: only those are looked at, in one pass. What is passed
** over is checked as a value all the same (strings closed, brackets in pairs, one value behind the other), since a line that
** was torn, or two that were written into each other, must not be taken for one; what is not checked is the inside of
** strings. Nothing recurses: nesting is counted, up to SCAN_DEPTH.
*/
#ifndef LLMCOST_LOG_SCAN_H
#define LLMCOST_LOG_SCAN_H

#include <stddef.h>

/* Deeper than what tools hand to a model and back; a bit each. */
enum { SCAN_DEPTH = 1024 };

/* Bytes of somebody else's: a value as it is written, or a key between its quotes. n 0: none. */
typedef struct Span {
  const char *at;
  size_t n;
} Span;

/* 1 if a key is a name of ours (as it is written: escapes in it are not read). */
int span_is(Span key, const char *name);

/* Where a reading is: in front of a value or behind one. `at` is NULL once the text was no JSON. */
typedef struct Scan {
  const char *at, *end;
  const char *bad; /* where it stopped being JSON */
  int fresh;       /* nothing was read yet of the object or array that was entered */
} Scan;

/* In front of the value that the bytes are. */
Scan scan_of(Span text);

/* Goes into an object or an array: 1; 0 where the value is something else (it still stands in front of it). */
int scan_object(Scan *s);
int scan_array(Scan *s);

/* The next member of the object (in front of its value), the next element of the array: 1; 0 behind the last, or where the
** text is bad. Between two of them the value is taken, or entered and read to its end. */
int scan_member(Scan *s, Span *key);
int scan_element(Scan *s);

/* Passes over the value and gives it. */
Span scan_take(Scan *s);

/* 1 if all was JSON and nothing but blanks follows. */
int scan_is_done(Scan *s);

/* What is wanted of an object: the value of `name` goes to out[to]; or, where it is an object and `inside` is given,
** its members are looked at. A list ends with PICKS_END. */
typedef struct Pick Pick;
struct Pick {
  const char *name;
  size_t n; /* its length */
  int to;
  const Pick *inside;
};
#define PICK(name, to, inside)                                                                     \
  { name, sizeof(name) - 1, to, inside }
#define PICKS_END                                                                                  \
  { NULL, 0, 0, NULL }

/* Reads the value in front of it: out[] keeps what it was where a member is missing. Of members of one name the last counts. */
void scan_pick(Scan *s, const Pick *picks, Span *out);

/* The value at the end of a path of names ("a.b"; names with dots are not found) in an object; none: n is 0. The value is
** known to be JSON. */
Span scan_find(Span object, const char *path);

/* The bytes that a JSON string says, into `out` of at least its own length; returns how many. Not a string: 0. NUL and halves
** of surrogates become U+FFFD, escapes that are none '?'. */
size_t scan_unescape(Span string, char *out);

#endif
