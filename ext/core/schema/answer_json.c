/*
** The search for JSON in an answer. See answer_json.h for what is found in which order.
**
** One walk over the text does the third and the fourth step: a value that can be read is passed over as a whole, so
** that what looks like a fence inside its strings is none. Fenced values come before others; of each the first that satisfies the
** schema is kept, and the others are held against it.
**
** A bracket in prose ("see [1]", "{ opens a block") fails to be read after a few bytes, and the walk goes on behind it.
** One that was meant as JSON and is broken further on is passed over to the bracket that closes it: its parts are not
** the answer.
*/
#include "core/schema/answer_json.h"

#include "core/answer/thoughts.h"
#include "core/schema/json_mend.h"
#include "core/schema/schema.h"
#include "core/schema/schema_form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Search {
  const char *text, *end; /* `end` without what separates tokens */
  const cJSON *schema;
  int is_wrapped; /* the schema, where it was sent */
  unsigned types; /* of the schema */
  int differ;     /* two values satisfy it, and are not equal */
  int is_loose;   /* as json_mend.h has it */
  int reshapes;   /* what holds the answer may be around it */
  cJSON *kept;    /* trees whose texts are still read; NULL: none */
  size_t work;    /* bytes that may yet be read */
  int values;     /* that may yet be held against the schema */
  const char
      *beyond; /* a value counts only if it ends behind this: what stands before is thinking */
  Err best;    /* what is wrong with the longest value so far */
  size_t best_n;
  JsonFault fault; /* of the longest text that was no JSON */
  size_t fault_n;
  Err *err;
} Search;

/* ---- one value */

static void spend(Search *s, size_t n) {
  s->work = n < s->work ? s->work - n : 0;
}

/* The end of the value at p, or NULL and *fault. */
static const char *scan(Search *s, const char *p, JsonFault *fault) {
  const char *end = json_mend_scan(p, s->end, s->is_loose, fault);
  spend(s, (size_t)((end ? end : fault->at) - p) + 64);
  if (!end && (size_t)(fault->at - p) >= s->fault_n) {
    s->fault_n = (size_t)(fault->at - p) + 1;
    s->fault = *fault;
  }
  return end;
}

/* X of a tree {"value": X}; NULL where it is another. */
static cJSON *wrapped_in(cJSON *tree) {
  cJSON *only = cJSON_IsObject(tree) ? tree->child : NULL;
  return only && !only->next && strcmp(only->string, "value") == 0 ? only : NULL;
}

/* Notes what is wrong with a value of n bytes: the longest was the likeliest. */
static void note_mismatch(Search *s, const Err *why, size_t n) {
  if (why->rc == RC_NOMEM) {
    err_nomem(s->err);
  } else if (n >= s->best_n) {
    s->best_n = n + 1;
    s->best = *why;
  }
}

static int fits(const Search *s, const cJSON *value, Err *why) {
  return schema_validate(s->schema, value, why) == RC_OK;
}

/* Of a tree, which it takes, what satisfies the schema: itself, or what it wraps. The latter first where the schema was
** sent wrapped: one that allows any object would be satisfied by the wrapping too. Owned; NULL and *why. */
static cJSON *satisfied(const Search *s, cJSON *tree, Err *why) {
  Err of_inner = {0};
  cJSON *inner = wrapped_in(tree);
  int whole_fits = !s->is_wrapped && fits(s, tree, why);
  int inner_fits = !whole_fits && why->rc != RC_NOMEM && inner && fits(s, inner, &of_inner);
  if (s->is_wrapped && !inner_fits && of_inner.rc != RC_NOMEM) {
    whole_fits = fits(s, tree, why);
  }
  if (whole_fits) {
    return tree;
  }
  cJSON *value = inner_fits ? cJSON_DetachItemViaPointer(tree, inner) : NULL;
  *why = inner ? of_inner : *why;
  cJSON_Delete(tree);
  return value;
}

/* ---- what holds the answer */

/* Members that hold an answer: of a call of a function, which the schema was taken for, or of a reply. */
static int is_holder(const char *name) {
  static const char *const names[] = {"arguments", "parameters", "args",   "input",
                                      "function",  "tool_calls", "result", "response",
                                      "answer",    "output",     "json",   "data"};
  int is = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    is |= strcmp(name, names[i]) == 0;
  }
  return is;
}

/* What may stand beside. */
static int is_beside(const cJSON *item) {
  static const char *const names[] = {"name",      "type",  "id",     "tool",
                                      "tool_name", "index", "call_id"};
  int is = 0;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    is |= strcmp(item->string, names[i]) == 0;
  }
  return is && !cJSON_IsObject(item) && !cJSON_IsArray(item);
}

/* The one member of an object that holds the answer; NULL where none does, or others stand there, too. */
static cJSON *held_in(const cJSON *object) {
  cJSON *held = NULL;
  int others = 0;
  for (cJSON *item = object->child; item; item = item->next) {
    if (!held && is_holder(item->string)) {
      held = item;
    } else {
      others += !is_beside(item);
    }
  }
  return others ? NULL : held;
}

/* The tree of the JSON that a text is, an object or a list; NULL where it is none. The text must outlive it. */
static cJSON *tree_of_text(Search *s, const char *text) {
  const char *end = text + strlen(text), *p = json_mend_skip(text, end), *to = NULL;
  JsonFault fault;
  for (int is_loose = 0; is_loose < 2 && !to && (*p == '{' || *p == '['); is_loose++) {
    to = json_mend_scan(p, end, is_loose, &fault);
    spend(s, (size_t)((to ? to : fault.at) - p));
    if (to && json_mend_skip(to, end) == end) {
      return json_mend_tree(p, to, is_loose, s->err);
    }
  }
  return NULL;
}

/* What a tree, which it takes, holds in the place of the answer: owned, NULL: nothing. */
static cJSON *inside(Search *s, cJSON *tree) {
  cJSON *only = NULL, *read = NULL;
  if (cJSON_IsArray(tree) && !(s->types & TYPE_ARRAY) && tree->child && !tree->child->next) {
    only = tree->child;
  } else if (cJSON_IsObject(tree)) {
    only = held_in(tree);
  } else if (cJSON_IsString(tree) && !(s->types & TYPE_STRING)) {
    read = tree_of_text(s, tree->valuestring);
  }
  if (only) {
    read = cJSON_DetachItemViaPointer(tree, only);
    cJSON_Delete(tree);
  } else if (read) {
    s->kept = s->kept ? s->kept : cJSON_CreateArray();
    if (!s->kept || !cJSON_AddItemToArray(s->kept, tree)) {
      err_nomem(s->err);
      cJSON_Delete(read);
      cJSON_Delete(tree);
      read = NULL;
    }
  } else {
    cJSON_Delete(tree);
  }
  return read;
}

/* Of a tree, which it takes, what it holds at some level and satisfies the schema; NULL: nothing. */
static cJSON *reshaped(Search *s, cJSON *tree) {
  enum { MOST_LEVELS = 6 };
  for (int i = 0; i < MOST_LEVELS && (tree = inside(s, tree)) != NULL; i++) {
    Err why = {0};
    if (fits(s, tree, &why)) {
      return tree;
    }
    if (why.rc == RC_NOMEM) {
      err_nomem(s->err);
      break;
    }
  }
  cJSON_Delete(tree);
  return NULL;
}

/* The value from p to end where it satisfies the schema: owned; else NULL. */
static cJSON *satisfying(Search *s, const char *p, const char *end) {
  Err why = {0};
  if (s->values <= 0 || end <= s->beyond || s->err->rc != RC_OK) {
    return NULL;
  }
  s->values--;
  cJSON *tree = json_mend_tree(p, end, s->is_loose, s->err);
  cJSON *value = tree ? satisfied(s, tree, &why) : NULL;
  if (tree && !value) {
    note_mismatch(s, &why, (size_t)(end - p));
  }
  if (!value && s->reshapes && s->err->rc == RC_OK) {
    tree = json_mend_tree(p, end, s->is_loose, s->err);
    value = tree ? reshaped(s, tree) : NULL;
  }
  return value;
}

/* ---- the whole text */

/* 1 if all from p on is one value, which is *found where it satisfies the schema. */
static int whole(Search *s, const char *p, cJSON **found) {
  JsonFault fault;
  p = json_mend_skip(p, s->end);
  const char *end = p < s->end ? scan(s, p, &fault) : NULL;
  if (!end || json_mend_skip(end, s->end) < s->end) {
    return 0;
  }
  *found = satisfying(s, p, end);
  return 1;
}

/* ---- thinking */

/* What ends thinking where the marks of a channel are gone, in part or all. */
static size_t channel_mark(const Search *s, const char *p) {
  static const char *const marks[] = {"<|message|>", "assistantfinal"};
  for (int i = 0; i < 2; i++) {
    size_t n = strlen(marks[i]);
    if (*p == *marks[i] && (size_t)(s->end - p) >= n && memcmp(p, marks[i], n) == 0) {
      return n;
    }
  }
  return 0;
}

/* Behind the thoughts that the text begins with. */
static const char *behind_front(const Search *s) {
  Buf thoughts;
  ThoughtsSplit split;
  buf_init(&thoughts, 0); /* they are not looked at */
  int is_split = thoughts_split(s->text, (size_t)(s->end - s->text), NULL, &thoughts, &split) &&
                 split.has_thoughts && !split.is_open;
  buf_free(&thoughts);
  return is_split ? split.answer : s->text;
}

/* Where the answer begins: behind the last end of thinking that had no beginning, or began the text. */
static const char *behind_thinking(const Search *s) {
  const char *answer = json_mend_skip(behind_front(s), s->end);
  int is_in = 0, is_front = 0, kind = 0;
  for (const char *p = answer; p < s->end; p++) {
    ThoughtMark mark = {.n = channel_mark(s, p), .closes = 1};
    int is_lone = mark.n > 0 && !is_in;
    if (mark.n == 0 && !thought_mark_at(p, s->end, &mark)) {
      continue;
    }
    if (!is_in && !mark.closes) {
      is_in = 1;
      kind = mark.kind;
      is_front = p == answer;
    } else if (is_lone || (mark.closes && (!is_in || kind == mark.kind))) {
      answer = !is_in || is_front ? json_mend_skip(p + mark.n, s->end) : answer;
      is_in = 0;
    }
    p += mark.n - 1;
  }
  return answer;
}

/* Behind thinking that opens at p; p where it does not. Where it never ends only a value counts that ends
** the text: an answer cut off while it thought has none. */
static const char *pass_thinking(Search *s, const char *p) {
  ThoughtMark mark;
  if (s->beyond == s->end - 1 || !thought_mark_at(p, s->end, &mark) || mark.closes) {
    return p;
  }
  const char *open = p + mark.n, *behind = open, *at = thought_end(&mark, open, s->end, 1, &behind);
  spend(s, (size_t)((at ? at : s->end) - open));
  if (!at) {
    s->beyond = s->end - 1;
  }
  return at ? behind : open;
}

/* ---- fences */

/* The first byte behind a fence's run of marks at p; NULL where there is none. */
static const char *behind_fence(const Search *s, const char *p) {
  const char *q = p;
  while (q < s->end && (*p == '`' || *p == '~') && *q == *p) {
    q++;
  }
  return q - p >= 3 ? q : NULL;
}

/* Behind the word that a fence opens with. */
static const char *behind_word(const Search *s, const char *p) {
  while (p < s->end && (*p == ' ' || *p == '\t')) {
    p++;
  }
  while (p < s->end &&
         ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
          strchr("+-._#", *p)) &&
         *p) {
    p++;
  }
  return p;
}

/* The end of the value that a fenced block holds, and where it begins: behind the fence, or behind its word. NULL
** where it holds something else. */
static const char *fenced(Search *s, const char *inside, const char **from) {
  const char *starts[] = {inside, behind_word(s, inside)};
  for (int i = 0; i < 2; i++) {
    JsonFault fault;
    const char *p = json_mend_skip(starts[i], s->end);
    const char *end = p < s->end ? scan(s, p, &fault) : NULL;
    const char *next = end ? json_mend_skip(end, s->end) : NULL;
    if (next && (next == s->end || behind_fence(s, next))) {
      *from = p;
      return next == s->end ? next : behind_fence(s, next);
    }
  }
  return NULL;
}

/* ---- the walk */

/* Behind the bracket that closes the one at p; NULL where none does. Brackets in strings don't count. */
static const char *closing(Search *s, const char *p) {
  int depth = 0, in_string = 0;
  const char *q = p;
  for (; q < s->end; q++) {
    if (in_string && *q == '\\') {
      q++;
    } else if (*q == '"') {
      in_string = !in_string;
    } else if (!in_string && (*q == '{' || *q == '[')) {
      depth++;
    } else if (!in_string && (*q == '}' || *q == ']') && --depth == 0) {
      break;
    }
  }
  spend(s, (size_t)(q - p));
  return q < s->end ? q + 1 : NULL;
}

static int are_equal(const cJSON *a, const cJSON *b, size_t most) {
  Buf x, y;
  buf_init(&x, most);
  buf_init(&y, most);
  json_mend_print(a, &x);
  json_mend_print(b, &y);
  int are = !x.failed && !y.failed && x.n == y.n && memcmp(x.data, y.data, x.n) == 0;
  buf_free(&x);
  buf_free(&y);
  return are;
}

/* Keeps the first that satisfies the schema. */
static void keep_first(Search *s, cJSON **found, cJSON *value) {
  if (value && *found) {
    s->differ |= !are_equal(*found, value, 6 * (size_t)(s->end - s->text) + LIMIT_OPTIONS_BYTES);
    cJSON_Delete(value);
  } else if (value) {
    *found = value;
  }
}

/* Behind the bracket at p and what it holds. The value is *found where it is the first that satisfies the schema. What
** only the loose reader can read is passed: its parts are not the answer, and its turn comes if nothing else is found. */
static const char *pass_bracket(Search *s, const char *p, const char *to, cJSON **found) {
  JsonFault fault, loose = {0};
  const char *end = scan(s, p, &fault);
  if (end) {
    keep_first(s, found, satisfying(s, p, end));
    return end;
  }
  if (!s->is_loose && !fault.is_meant) {
    end = json_mend_scan(p, s->end, 1, &loose);
    spend(s, (size_t)((end ? end : loose.at) - p));
    fault = loose.is_meant ? loose : fault;
  }
  if (end || !fault.is_meant) {
    return end ? end : p + 1;
  }
  s->differ |= *found && fault.is_end; /* one more was begun */
  end = fault.is_end ? NULL : closing(s, p);
  return end && end <= to ? end : fault.at;
}

/* Looks at what begins from p on and before `to`. */
static cJSON *walk(Search *s, const char *p, const char *to) {
  cJSON *found = NULL, *in_fence = NULL;
  while (p < to && s->work > 0 && s->err->rc == RC_OK) {
    const char *inside = behind_fence(s, p), *from = NULL, *thought = pass_thinking(s, p);
    if (thought > p) {
      p = thought;
    } else if (inside) {
      const char *end = fenced(s, inside, &from);
      cJSON *value = end ? satisfying(s, from, end) : NULL;
      s->differ &= !value || in_fence != NULL; /* what stands in no fence counts no more */
      keep_first(s, &in_fence, value);
      p = end ? end : inside;
    } else if (*p == '{' || *p == '[') {
      int differ = s->differ;
      p = pass_bracket(s, p, to, &found);
      s->differ = in_fence ? differ : s->differ;
    } else {
      p++;
    }
  }
  if (in_fence) {
    cJSON_Delete(found);
  }
  return in_fence ? in_fence : found;
}

/* ---- numbers, texts and words in prose */

static int is_word_byte(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* 1 if a number or word from p to end stands by itself: no part of a date, a version, a sum with separators. A word
** of JSON is one of English too: it stands alone in its line, behind a colon, or in emphasis. */
static int stands_alone(const Search *s, const char *p, const char *end) {
  char before = p > s->text ? p[-1] : '\n', after = end < s->end ? *end : '\n';
  int goes_on = (after == '.' || after == ',') && end + 1 < s->end && is_word_byte(end[1]);
  int ok = !is_word_byte(before) && !strchr(".,-/$#&", before) && !is_word_byte(after) &&
           !strchr("-/:", after) && !goes_on;
  if (ok && ((*p >= 'a' && *p <= 'z') || *p == 'N' || *p == 'I')) {
    while (p > s->text && (p[-1] == ' ' || p[-1] == '\t')) {
      p--;
    }
    ok = p == s->text || strchr(":`*=\n", p[-1]) != NULL;
  }
  return ok;
}

/* The end of the number, text or word at p; NULL where none stands. */
static const char *scalar_at(Search *s, const char *p) {
  JsonFault fault;
  if (*p != '"' && !strchr("+-.0123456789tfn", *p)) {
    return NULL;
  }
  const char *end = json_mend_scan(p, s->end, s->is_loose, &fault);
  spend(s, (size_t)((end ? end : fault.at) - p) + 64);
  if (end && end[-1] == '.') { /* the sentence's */
    end--;
  }
  return end && (*p == '"' || stands_alone(s, p, end)) ? end : NULL;
}

/* The one such value that satisfies the schema. */
static cJSON *only_scalar(Search *s, const char *p) {
  cJSON *found = NULL;
  while (p < s->end && s->work > 0 && s->err->rc == RC_OK) {
    const char *end = *p ? scalar_at(s, p) : NULL;
    cJSON *value = end ? satisfying(s, p, end) : NULL;
    if (value && found && !cJSON_Compare(value, found, 1)) {
      cJSON_Delete(value);
      cJSON_Delete(found);
      err_set(&s->best, RC_ERROR, ERR_SCHEMA, "it holds several values that may be the answer");
      return NULL;
    }
    if (found) {
      cJSON_Delete(value);
    } else {
      found = value;
    }
    p = end ? end : p + 1;
  }
  return found;
}

/* ---- lines, and bare words */

/* The end of the text without the fence that it ends with; *p is behind the one that it begins with. */
static const char *without_fence(const Search *s, const char **p) {
  const char *inside = behind_fence(s, *p), *end = s->end;
  if (!inside) {
    return end;
  }
  *p = behind_word(s, inside);
  while (end > *p && (end[-1] == '`' || end[-1] == '~')) {
    end--;
  }
  return end;
}

/* Behind what stands between two values; NULL where they don't stand in lines of their own. */
static const char *next_line(const char *p, const char *end) {
  const char *next = json_mend_skip(p, end);
  if (next < end && *next == ',') {
    next = json_mend_skip(next + 1, end);
  }
  return next == end || memchr(p, '\n', (size_t)(next - p)) ? next : NULL;
}

/* A list whose items are the lines of the text from p on. */
static cJSON *lines(Search *s, const char *p) {
  cJSON *list = cJSON_CreateArray();
  const char *end = without_fence(s, &p);
  JsonFault fault;
  Err why = {0};
  p = json_mend_skip(p, end);
  int ok = list && p < end;
  while (ok && p < end && s->work > 0) {
    const char *to = json_mend_scan(p, end, s->is_loose, &fault);
    spend(s, (size_t)((to ? to : fault.at) - p) + 64);
    cJSON *item = to ? json_mend_tree(p, to, s->is_loose, s->err) : NULL;
    ok = item && json_add(list, NULL, item, s->err);
    p = ok ? next_line(to, end) : NULL;
    ok = ok && p;
  }
  if (ok && p == end && fits(s, list, &why)) {
    return list;
  }
  if (!list || why.rc == RC_NOMEM) {
    err_nomem(s->err);
  }
  cJSON_Delete(list);
  return NULL;
}

/* The words of a schema's values. */
typedef struct Words {
  const cJSON *root;
  const char *text; /* which is looked for */
  size_t n;
  const char *exact, *folded; /* the same, in any case of letters */
  int n_folded;               /* that differ */
  int steps;
} Words;

static void look_at_word(Words *w, const cJSON *value) {
  const char *word = cJSON_GetStringValue(value);
  if (!word || strlen(word) != w->n || strncasecmp(word, w->text, w->n) != 0) {
    return;
  }
  w->n_folded += !w->folded || strcmp(w->folded, word) != 0;
  w->folded = word;
  w->exact = strncmp(word, w->text, w->n) == 0 ? word : w->exact;
}

/* Looks at the words that a schema lists for its root. */
static void look_for_word(Words *w, const cJSON *schema, int depth) {
  static const char *const choices[] = {"anyOf", "oneOf", "allOf"};
  const char *ref = json_text(schema, "$ref");
  const cJSON *item;
  if (depth > 8 || ++w->steps > 4096) {
    return;
  }
  look_at_word(w, cJSON_GetObjectItemCaseSensitive(schema, "const"));
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(schema, "enum")) {
    look_at_word(w, item);
  }
  for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(schema, choices[i])) {
      look_for_word(w, item, depth + 1);
    }
  }
  if (ref) {
    look_for_word(w, schema_resolve(w->root, ref), depth + 1);
  }
}

static int is_around(const char *p, const char *end, int is_word) {
  return json_mend_skip(p, end) > p || (is_word && ispunct((unsigned char)*p));
}

/* The schema's word that all of the text from p on is: as it is, or without the punctuation around it; else in another
** case of letters. */
static cJSON *bare_word(Search *s, const char *p) {
  const char *end = s->end, *word = NULL;
  Err why = {0};
  for (int trims = 0; trims < 2 && !word; trims++) {
    while (p < end && is_around(p, end, trims)) {
      p++;
    }
    while (end > p && is_around(end - 1, end, trims)) {
      end--;
    }
    Words w = {.root = s->schema, .text = p, .n = (size_t)(end - p)};
    look_for_word(&w, s->schema, 0);
    word = w.exact ? w.exact : w.n_folded == 1 ? w.folded : NULL;
    word = w.n > 0 ? word : NULL;
  }
  cJSON *value = word ? cJSON_CreateString(word) : NULL;
  if (value && !fits(s, value, &why)) {
    cJSON_Delete(value);
    return NULL;
  }
  if (word && !value) {
    err_nomem(s->err);
  }
  return value;
}

/* ---- all of it */

/* Looks in the text, as loose as the search is now. */
static cJSON *look(Search *s, const char *answer) {
  cJSON *found = NULL;
  if (whole(s, s->text, &found) || (answer > s->text && whole(s, answer, &found))) {
    return found;
  }
  found = walk(s, answer, s->end);
  if (!found &&
      answer > s->text) { /* was that end of thinking only spoken of, in a text of the answer? */
    const char *beyond = s->beyond;
    s->beyond = answer;
    found = walk(s, s->text, answer);
    s->beyond = beyond;
  }
  return found;
}

/* What a text is looked through for, one after the other; each with the same means. What is wrong is told of the first. */
static cJSON *find(Search *s) {
  static const struct { int reshapes, is_loose; } rounds[] = {{0, 0}, {1, 0}, {1, 1}};
  const char *answer = behind_thinking(s);
  const Search fresh = *s;
  Search first = *s;
  cJSON *found = NULL;
  for (int i = 0; i < 3 && !found && s->err->rc == RC_OK; i++) {
    cJSON *kept = s->kept;
    *s = fresh;
    s->kept = kept;
    s->reshapes = rounds[i].reshapes;
    s->is_loose = rounds[i].is_loose;
    found = look(s, answer);
    if (s->differ) {
      cJSON_Delete(found);
      return NULL;
    }
    if (!found && i == 0 && !(s->types & (TYPE_ARRAY | TYPE_OBJECT))) {
      found = only_scalar(s, answer);
    }
    if (!found && i > 0 && (s->types & TYPE_ARRAY)) {
      found = lines(s, answer);
    }
    first = i == 0 ? *s : first;
  }
  if (!found && s->err->rc == RC_OK && (s->types & TYPE_STRING)) {
    found = bare_word(s, answer);
  }
  first.kept = s->kept;
  *s = first;
  return found;
}

/* Why nothing was found. */
static int none_found(const Search *s, Err *err) {
  if (s->differ) {
    return err_set(err, RC_ERROR, ERR_SCHEMA,
                   "it holds several JSON values that differ: give one, and nothing else");
  }
  if (s->best.rc != RC_OK) {
    return err_set(err, RC_ERROR, ERR_SCHEMA, "%s", s->best.msg);
  }
  if (s->fault_n == 0) {
    return err_set(err, RC_ERROR, ERR_SCHEMA,
                   s->text == s->end ? "it is empty" : "not one JSON value");
  }
  return err_set(err, RC_ERROR, ERR_SCHEMA, "not valid JSON: expected %s at byte %zu%s",
                 s->fault.expected, (size_t)(s->fault.at - s->text) + 1,
                 s->fault.is_end ? ", where it ends" : "");
}

int answer_json(const char *text, size_t n, const cJSON *schema, char **json, size_t *json_n,
                Err *err) {
  Search s = {.text = text,
              .end = text + n,
              .schema = schema,
              .is_wrapped = schema_is_wrapped(schema),
              .types = schema_types(schema, schema),
              .work = LIMIT_ANSWER_WORK + LIMIT_ANSWER_PASSES * n,
              .values = LIMIT_ANSWER_VALUES,
              .err = err};
  Buf out;
  while (s.end > text && ((unsigned char)s.end[-1] <= ' ')) {
    s.end--;
  }
  cJSON *found = find(&s);
  if (!found) {
    cJSON_Delete(s.kept);
    return err->rc != RC_OK ? err->rc : none_found(&s, err);
  }
  buf_init(&out,
           6 * n + LIMIT_OPTIONS_BYTES); /* a byte becomes at most six; a word is the schema's */
  json_mend_print(found, &out);
  cJSON_Delete(found);
  cJSON_Delete(s.kept);
  *json_n = out.n;
  *json = buf_take(&out);
  return *json ? RC_OK : err_nomem(err);
}
