/*
** See thoughts.h for the contract.
**
** Everything here takes time in proportion to the text: a search for a closing mark that goes to the end of the text ends
** the split, or is the last one for marks of its kind (Front.unclosed).
*/
#include "core/answer/thoughts.h"

#include "core/answer/template.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
  OF_PROMPTS = 1,   /* prompts ask for it, too: then it is the answer's */
  OF_DOCUMENTS = 2, /* documents have such elements: only where something stands behind it */
  OF_PROSE = 4,     /* it has to be closed, by its own */
  CHANNEL = 8
};

/* ---- marks of words */

/* The words by which a mark is told. */
static const struct {
  const char *word;
  unsigned flags; /* between < and > */
} words[] = {
    {"think", 0},
    {"thinking", OF_PROMPTS},
    {"thought", OF_PROMPTS}, /* Gemini's OpenAI endpoint */
    {"thoughts", OF_PROMPTS},
    {"reasoning", OF_PROMPTS},
    {"scratchpad", OF_PROMPTS},
    {"monologue", OF_PROMPTS},
    {"reflection", OF_PROMPTS | OF_DOCUMENTS},
    {"analysis", OF_PROMPTS | OF_DOCUMENTS},
};
enum { N_WORDS = sizeof words / sizeof words[0] };

/* What may stand beside such a word, and whether it says that the mark closes. */
static const struct {
  const char *word;
  int closes;
} beside[] = {{"start", 0}, {"begin", 0}, {"open", 0}, {"of", 0},
              {"end", 1},   {"stop", 1},  {"close", 1}};

/* What stands around the words. */
static const struct Form {
  const char *open, *close;
  int is_plain; /* the name of an element: attributes may follow, a prefix may stand in front */
} forms[] = {
    {"<|", "|>", 0},
    {"<\xEF\xBD\x9C", "\xEF\xBD\x9C>", 0}, /* DeepSeek's bars */
    {"\xE2\x97\x81", "\xE2\x96\xB7", 0},   /* Kimi's triangles */
    {"[", "]", 0},                         /* Mistral: [THINK] */
    {"<", ">", 1},
};
enum { N_FORMS = sizeof forms / sizeof forms[0] };

/* Marks that no word tells. */
static const struct {
  const char *open, *close;
  unsigned flags;
} pairs[] = {
    {"<|channel>thought", "<channel|>", 0}, /* Gemma */
    {"<unused94>thought", "<unused95>", 0}, /* MedGemma */
    {"<unused94>", "<unused95>", 0},
    {"Here is my thought process:", "Here is my response:", OF_PROSE}, /* Granite */
    {"Here's my thought process:", "Here's my response:", OF_PROSE},
};
enum { N_PAIRS = sizeof pairs / sizeof pairs[0] };
_Static_assert(N_WORDS *N_FORMS + N_PAIRS <= 64, "Front.unclosed has a bit for each kind");

static int starts(const char *p, const char *end, const char *with) {
  size_t n = strlen(with);
  return (size_t)(end - p) >= n && *p == *with && memcmp(p, with, n) == 0;
}

static int is_word(const char *p, size_t n, const char *word) {
  return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

/* Reads the words of n bytes into the mark: 1 if one of them tells it, and no other stands behind that, or (unless
** `has_prefix`) in front. */
static int read_words(const char *p, size_t n, int has_prefix, ThoughtMark *mark) {
  int told = -1;
  for (size_t i = 0; i < n;) {
    size_t length = 0;
    while (i + length < n && isalnum((unsigned char)p[i + length])) {
      length++;
    }
    int now = -1, is_beside = 0;
    for (int k = 0; length && k < N_WORDS; k++) {
      now = is_word(p + i, length, words[k].word) ? k : now;
    }
    for (size_t k = 0; length && k < sizeof beside / sizeof beside[0]; k++) {
      if (is_word(p + i, length, beside[k].word)) {
        is_beside = 1;
        mark->closes |= beside[k].closes;
      }
    }
    if (length && !is_beside && (told >= 0 || (now < 0 && !has_prefix))) {
      return 0;
    }
    told = now >= 0 ? now : told;
    i += length ? length : 1;
  }
  mark->kind = told;
  return told >= 0;
}

/* The bytes up to what closes the form; 0 where it does not close soon, or there is none between. */
static size_t inside_length(const char *p, const char *end, const struct Form *form) {
  enum { LONGEST = 64 };
  size_t n = 0, most = (size_t)(end - p) < LONGEST ? (size_t)(end - p) : LONGEST;
  while (n < most && !starts(p + n, end, form->close)) {
    if (p[n] == '\n' || p[n] == '<' || !p[n]) {
      return 0;
    }
    n++;
  }
  return n < most ? n : 0;
}

/* The words' own end: attributes begin behind the name. */
static size_t name_length(const char *p, size_t n, const struct Form *form) {
  size_t name = 0;
  while (name < n && !(form->is_plain && isspace((unsigned char)p[name]))) {
    name++;
  }
  return name;
}

static int word_mark_at(const char *p, const char *end, ThoughtMark *mark) {
  for (int i = 0; i < N_FORMS; i++) {
    const struct Form *form = &forms[i];
    if (!starts(p, end, form->open)) {
      continue;
    }
    const char *inside = p + strlen(form->open);
    int is_end = inside < end && *inside == '/';
    inside += is_end;
    size_t n = inside_length(inside, end, form), name = name_length(inside, n, form);
    int is_said = *form->open != '[' || (name == 5 && memcmp(inside, "THINK", 5) == 0);
    *mark = (ThoughtMark){.closes = is_end, .n = (size_t)(inside - p) + n + strlen(form->close)};
    if (n && is_said && inside[n - 1] != '/' && read_words(inside, name, form->is_plain, mark)) {
      mark->flags = form->is_plain ? words[mark->kind].flags : 0;
      mark->kind = mark->kind * N_FORMS + i;
      return 1;
    }
  }
  return 0;
}

/* ---- other marks */

/* The first pair that is closed as this one is. */
static int pair_kind(int i) {
  int first = 0;
  while (strcmp(pairs[first].close, pairs[i].close) != 0) {
    first++;
  }
  return N_WORDS * N_FORMS + first;
}

static int pair_mark_at(const char *p, const char *end, ThoughtMark *mark) {
  for (int i = 0; i < N_PAIRS; i++) {
    int opens = starts(p, end, pairs[i].open);
    if (opens || starts(p, end, pairs[i].close)) {
      *mark = (ThoughtMark){.n = strlen(opens ? pairs[i].open : pairs[i].close),
                            .closes = !opens,
                            .kind = pair_kind(i),
                            .flags = pairs[i].flags};
      return 1;
    }
  }
  return 0;
}

#define CHANNEL_OPEN "<|channel|>"
#define MESSAGE "<|message|>"

/* gpt-oss: <|channel|>analysis<|message|>…<|end|>. That of the final one closes. */
static int channel_at(const char *p, const char *end, ThoughtMark *mark) {
  if (!starts(p, end, CHANNEL_OPEN)) {
    return 0;
  }
  const char *name = p + strlen(CHANNEL_OPEN);
  const size_t left = (size_t)(end - name), most = THOUGHT_MARK - strlen(CHANNEL_OPEN);
  const char *message = memmem(name, left < most ? left : most, MESSAGE, strlen(MESSAGE));
  *mark = (ThoughtMark){.n = (size_t)((message ? message + strlen(MESSAGE) : name) - p),
                        .closes = starts(name, end, "final"),
                        .kind = -1,
                        .flags = CHANNEL};
  return 1;
}

int thought_mark_at(const char *p, const char *end, ThoughtMark *mark) {
  if (p >= end || !strchr("<[\xE2H", *p) || !*p) {
    return 0;
  }
  return channel_at(p, end, mark) || pair_mark_at(p, end, mark) || word_mark_at(p, end, mark);
}

/* ---- where a thought ends */

/* A channel's text goes on to the next mark of its template. */
static const char *channel_end(const char *p, const char *end, const char **behind) {
  static const char *const ends[] = {"<|end|>", "<|return|>", "<|call|>", "<|start|>",
                                     CHANNEL_OPEN};
  for (; (p = memchr(p, '<', (size_t)(end - p))) != NULL; p++) {
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
      if (starts(p, end, ends[i])) {
        *behind = i < 3 ? p + strlen(ends[i]) : p;
        return p;
      }
    }
  }
  return NULL;
}

const char *thought_end(const ThoughtMark *mark, const char *p, const char *end, int any,
                        const char **behind) {
  const char *other = NULL;
  if (mark->flags & CHANNEL) {
    return channel_end(p, end, behind);
  }
  for (; p < end; p++) {
    ThoughtMark close;
    if (!thought_mark_at(p, end, &close) || !close.closes) {
      continue;
    }
    int is_other = close.kind != mark->kind;
    if (is_other && (other || ((close.flags | mark->flags) & OF_PROSE))) {
      continue;
    }
    *behind = p + close.n;
    if (!is_other || any) {
      return p;
    }
    other = p;
  }
  return other;
}

/* ---- a closing mark alone */

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* 1 if a closing mark from p to q, whose opening one stood in the prompt, ends a thought: it begins or ends a line, or stands
** between two sentences without a blank. One that is spoken of stands in a sentence, in quotes. */
static int ends_thought(const char *text, const char *p, const char *q, const char *end) {
  const char *before = p, *after = q;
  while (before > text && is_blank(before[-1])) {
    before--;
  }
  while (after < end && is_blank(*after)) {
    after++;
  }
  int begins_line = before == text || before[-1] == '\n',
      ends_line = after == end || *after == '\n';
  int is_glued = p > text && !is_blank(p[-1]) && !strchr("`'\"(<>=,;:", p[-1]);
  if (begins_line) {
    return ends_line || after == q || !islower((unsigned char)*after);
  }
  if (ends_line) {
    return is_glued || (end - after > 1 && after[1] == '\n');
  }
  return is_glued &&
         (isalnum((unsigned char)*q) || (unsigned char)*q >= 0x80 || strchr("{[*#", *q));
}

/* The first closing mark that no opening one came before, and that ends a thought: the place and *behind; NULL: none. What
** stands in a fence is an example. */
static const char *lone_end(const char *text, const char *p, const char *end, const char **behind) {
  ThoughtMark mark;
  int in_fence = 0;
  for (; p < end; p++) {
    if (*p == '`' && starts(p, end, "```")) {
      in_fence = !in_fence;
      p += 2;
    } else if (thought_mark_at(p, end, &mark) && !(mark.flags & OF_PROSE)) {
      if (!mark.closes) {
        return NULL;
      }
      if (!in_fence && !(mark.flags & (OF_DOCUMENTS | CHANNEL)) &&
          ends_thought(text, p, p + mark.n, end)) {
        *behind = p + mark.n;
        return p;
      }
    }
  }
  return NULL;
}

/* ---- the front of a text */

typedef struct Front {
  const char *text, *end;
  const char *at; /* the answer begins here, or further in */
  const ThoughtsAsked *asked;
  Buf *thoughts;
  int has_thoughts, is_open, is_final;
  uint64_t unclosed; /* kinds of marks of which no closing one is left */
} Front;

/* Behind blanks that a text may begin with. */
static const char *skip_blanks(const char *p, const char *end) {
  static const char *const invisible[] = {"\xEF\xBB\xBF", "\xE2\x80\x8B", "\xE2\x81\xA0"};
  for (size_t i = 0; i < 3 && p < end;) {
    if (isspace((unsigned char)*p)) {
      p++;
      i = 0;
    } else if (starts(p, end, invisible[i])) {
      p += 3;
      i = 0;
    } else {
      i++;
    }
  }
  return p;
}

static int is_asked_for(const Front *f, const char *word, size_t n) {
  return f->asked && f->asked->is(f->asked->arg, word, n);
}

/* Behind blanks and what a template begins an answer with. */
static const char *skip_heads(const Front *f, const char *p) {
  const char *q = skip_blanks(p, f->end);
  size_t n = template_head(q);
  while (n > 0 && !is_asked_for(f, q, n)) {
    p = q + n;
    q = skip_blanks(p, f->end);
    n = template_head(q);
  }
  return q;
}

static void add_thought(Front *f, const char *p, const char *to) {
  if (f->thoughts->n > 0 && to > p) {
    buf_add(f->thoughts, "\n", 1);
  }
  buf_add(f->thoughts, p, (size_t)(to - p));
  f->has_thoughts = 1;
}

/* The mark's name, as prompts have it: without what says that it closes, and without attributes. */
static int is_mark_asked_for(const Front *f, const char *p, const ThoughtMark *mark) {
  size_t slash = mark->n > 2 && p[1] == '/' ? 2 : 0, n = mark->n;
  return is_asked_for(f, p + slash, n - slash);
}

/* A block that opens at p. 1 if it is passed. */
static int pass_block(Front *f, const char *p, const ThoughtMark *mark) {
  const uint64_t kind = mark->flags & CHANNEL ? 0 : (uint64_t)1 << mark->kind;
  const char *open = p + mark->n, *behind = f->end;
  const char *to = thought_end(mark, open, f->end, (f->unclosed & kind) != 0, &behind);
  ThoughtMark close;
  f->unclosed |= to && thought_mark_at(to, f->end, &close) && close.kind == mark->kind ? 0 : kind;
  int is_whole = to && skip_blanks(behind, f->end) < f->end;
  if (((mark->flags & OF_PROMPTS) && is_mark_asked_for(f, p, mark)) ||
      ((mark->flags & OF_DOCUMENTS) && !is_whole) || ((mark->flags & OF_PROSE) && !to)) {
    return 0;
  }
  add_thought(f, open, to ? to : f->end);
  f->is_open = !to;
  f->at = to ? behind : f->end;
  return 1;
}

/* A thought without its opening mark. Behind other thoughts only what nothing else can be. */
static int pass_lone(Front *f, const char *p) {
  const char *behind = f->end, *to = lone_end(p, p, f->end, &behind);
  int is_line = to && (to == p || to[-1] == '\n');
  ThoughtMark mark;
  if (!to || (f->has_thoughts && !is_line) || !thought_mark_at(to, f->end, &mark) ||
      is_mark_asked_for(f, to, &mark)) {
    return 0;
  }
  add_thought(f, p, to);
  f->at = behind;
  return 1;
}

/* gpt-oss by a server that leaves the marks out: analysis…assistantfinal… */
static int pass_bare_channels(Front *f, const char *p) {
  static const char open[] = "analysis", close[] = "assistantfinal";
  const char *from = p + sizeof open - 1;
  if (!starts(p, f->end, open)) {
    return 0;
  }
  const char *to = memmem(from, (size_t)(f->end - from), close, sizeof close - 1);
  if (!to) {
    return 0;
  }
  add_thought(f, from, to);
  f->at = to + sizeof close - 1;
  f->is_final = 1;
  return 1;
}

/* Passes the thought at p. 0 where none is. */
static int pass_thought(Front *f, const char *p) {
  ThoughtMark mark;
  if (p >= f->end || f->is_open || f->is_final) {
    return 0;
  }
  if (!thought_mark_at(p, f->end, &mark)) {
    return (!f->has_thoughts && pass_bare_channels(f, p)) || pass_lone(f, p);
  }
  if (!mark.closes) {
    return pass_block(f, p, &mark);
  }
  if (mark.flags & CHANNEL) {
    f->at = p + mark.n;
    return f->is_final = 1;
  }
  return pass_lone(f, p);
}

/* ---- the answer */

/* What models put around an answer behind their thoughts. */
static const char *const wraps[][2] = {
    {"<answer>", "</answer>"},
    {"<response>", "</response>"},
    {"<final_answer>", "</final_answer>"},
    {"<|begin_of_box|>", "<|end_of_box|>"},
};

static void trim_end(const Front *f, ThoughtsSplit *s) {
  size_t n = s->n, tail;
  do {
    s->n = n;
    while (n > 0 && isspace((unsigned char)s->answer[n - 1])) {
      n--;
    }
    tail = template_tail(s->answer, n);
    int is_html = tail == 4 && memmem(s->answer, n, "<s>", 3); /* struck through */
    tail = is_html || (tail && is_asked_for(f, s->answer + n - tail, tail)) ? 0 : tail;
    n -= tail;
    while (tail && n > 0 && isspace((unsigned char)s->answer[n - 1])) {
      n--;
    }
  } while (tail);
}

static void unwrap(const Front *f, ThoughtsSplit *s) {
  for (size_t i = 0; f->has_thoughts && i < sizeof wraps / sizeof wraps[0]; i++) {
    size_t open = strlen(wraps[i][0]), close = strlen(wraps[i][1]), n = s->n;
    while (n > 0 && isspace((unsigned char)s->answer[n - 1])) {
      n--;
    }
    if (n >= open + close && memcmp(s->answer, wraps[i][0], open) == 0 &&
        memcmp(s->answer + n - close, wraps[i][1], close) == 0 &&
        !is_asked_for(f, wraps[i][0], open)) {
      const char *to = s->answer + n - close;
      s->answer = skip_blanks(s->answer + open, to);
      s->n = (size_t)(to - s->answer);
      while (s->n > 0 && isspace((unsigned char)s->answer[s->n - 1])) {
        s->n--;
      }
      return;
    }
  }
}

int thoughts_split(const char *text, size_t n, const ThoughtsAsked *asked, Buf *thoughts,
                   ThoughtsSplit *split) {
  Front f = {.text = text, .end = text + n, .at = text, .asked = asked, .thoughts = thoughts};
  const char *p = skip_heads(&f, text);
  int has_head = p > text && p != skip_blanks(text, f.end);
  while (pass_thought(&f, p)) {
    p = skip_heads(&f, f.at);
  }
  *split = (ThoughtsSplit){.answer = has_head || f.at > text ? p : text,
                           .has_thoughts = f.has_thoughts,
                           .is_open = f.is_open};
  split->n = (size_t)(f.end - split->answer);
  trim_end(&f, split);
  unwrap(&f, split);
  return split->answer > text || split->n < n || f.has_thoughts;
}
