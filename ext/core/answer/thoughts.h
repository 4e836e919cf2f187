/*
** What a model thought, where a server leaves it in the text of its answer: the marks around it, and where it ends.
**
** A mark is told by its words, not by a list of spellings: <think>, <THINK >, <seed:think>, <|START_THINKING|>,
** <|begin_of_thought|>, [THINK]. Marks of other words stand in a table. gpt-oss has channels: all but the final one are
** thoughts.
**
** Only what stands in front of a text is thought; further in, an answer may speak of such marks.
*/
#ifndef LLMCOST_THOUGHTS_H
#define LLMCOST_THOUGHTS_H

#include "base/buf.h"

/* The longest mark: a channel's header. */
enum { THOUGHT_MARK = 160 };

typedef struct ThoughtMark {
  size_t n;       /* its bytes */
  int closes;     /* else it opens */
  int kind;       /* marks that open and close each other have the same */
  unsigned flags; /* of thoughts.c */
} ThoughtMark;

/* 1 if a mark begins at p: *mark. Looks at no more than THOUGHT_MARK bytes. */
int thought_mark_at(const char *p, const char *end, ThoughtMark *mark);

/* Where the thought ends that began with `mark` and goes on from p: the place, and *behind its closing mark; NULL where it
** does not end. Another mark closes it where its own does not come, or (`any`) the first one does: then it looks no further. */
const char *thought_end(const ThoughtMark *mark, const char *p, const char *end, int any,
                        const char **behind);

/* Whether the request speaks of these n bytes. */
typedef struct ThoughtsAsked {
  int (*is)(const void *arg, const char *word, size_t n);
  const void *arg;
} ThoughtsAsked;

typedef struct ThoughtsSplit {
  const char *answer; /* into the text */
  size_t n;
  int has_thoughts;
  int is_open; /* a thought that does not end: there is no answer */
} ThoughtsSplit;

/* Splits a text of n bytes (and a NUL) into its thoughts, which are appended, with a line's end between blocks, and its answer,
** without a template's marks at both ends. 1 if the answer is another than the text; 0: it is not, and *split is not to be
** read. A mark that prompts like to ask for (<thinking>, <analysis>), or a closing one alone, is none where this one did. */
int thoughts_split(const char *text, size_t n, const ThoughtsAsked *asked, Buf *thoughts,
                   ThoughtsSplit *split);

#endif
