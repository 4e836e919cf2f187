/*
** llm_help: a topic's answer. See help.h for the contract.
*/
#include "core/manual/help.h"

#include "core/manual/entry.h"
#include "core/manual/search.h"
#include "core/manual/show.h"
#include "core/manual/words.h"
#include "base/text/text.h"

#include <stdio.h>
#include <string.h>

/* A text that is compared, at most: a page. */
enum { MOST_ROOM = 1 << 20, NAME_COLUMN = 24, MOST_NEAR = 3, MOST_LEVELS = 6, MOST_SHOWN = 16 };

/* Bytes of a section that is shown whole for some words in it. */
enum { MOST_LEAF = 2000 };

typedef struct Help {
  const ManualPage *pages;
  const char *topic; /* its normal form (words.h) */
  Span name;         /* the name that it may be; n 0: it is none */
  Buf *out;
  Buf *room;
  int is_phrase;          /* it has several words */
  int is_told;            /* something was found */
  Span shown[MOST_SHOWN]; /* sections that were told */
  int n_shown;
} Help;

static void put(Help *h, const char *text) {
  buf_puts(h->out, text);
}

/* Where something stands: "errors: What the provider answered". */
static void put_place(Help *h, const Walk *w) {
  put(h, w->page->name);
  if (w->heading.n > 0) {
    put(h, ": ");
    show_plain(w->heading, h->out);
  }
}

/* An empty line between two findings. */
static void begin_finding(Help *h) {
  if (h->out->n > 0) {
    put(h, "\n");
  }
  h->is_told = 1;
}

static int ends_section(const Walk *w, int level, const ManualPage *page) {
  return w->page != page || (w->block.kind == PAGE_HEADING && w->block.level <= level);
}

/* A section: until the next of its level. */
static void put_body(Help *h, Walk w, int level) {
  const ManualPage *page = w.page;
  PageBlockKind last = PAGE_HEADING;
  while (walk_next(&w) && !ends_section(&w, level, page)) {
    if (w.block.kind != last || w.block.kind == PAGE_TEXT || w.block.kind == PAGE_CODE) {
      put(h, "\n");
    }
    show_block(&w.block, h->out);
    last = w.block.kind;
  }
}

/* A section: until the next of that level, or a higher one. */
static Span section_of(Walk w, int level) {
  const ManualPage *page = w.page;
  const char *from = w.heading.n > 0 ? w.heading.at : w.blocks.at, *last = w.blocks.at;
  while (walk_next(&w) && !ends_section(&w, level, page)) {
    last = w.blocks.at;
  }
  return (Span){from, (size_t)(last - from)};
}

/* A section, w at its heading; with the sections in it down to `level`. */
static void put_section_to(Help *h, const Walk *w, int level) {
  begin_finding(h);
  put(h, "== ");
  put_place(h, w);
  put(h, "\n");
  put_body(h, *w, level);
  if (h->n_shown < MOST_SHOWN) {
    h->shown[h->n_shown++] = section_of(*w, level);
  }
}

static void put_section(Help *h, const Walk *w) {
  put_section_to(h, w, w->level);
}

static void put_page(Help *h, const ManualPage *page) {
  Walk w;
  walk_start(&w, page);
  begin_finding(h);
  put(h, "== ");
  put(h, page->name);
  put(h, "\n");
  put_body(h, w, 0);
}

/* A block alone, with where it stands. */
static void put_block(Help *h, const Walk *w) {
  begin_finding(h);
  put(h, "== ");
  put_place(h, w);
  put(h, "\n");
  show_block(&w->block, h->out);
}

/* ---- what there is */

static void put_entry_line(Help *h, const Entry *e) {
  size_t column = 2 + e->name.n;
  put(h, "  ");
  buf_add(h->out, e->name.at, e->name.n);
  do {
    buf_add(h->out, " ", 1);
  } while (++column < 2 + NAME_COLUMN);
  show_text(e->line, column, 2 + NAME_COLUMN, h->out);
}

/* "Table functions", from the kind of an entry. */
static void put_kind_heading(Help *h, const Entry *e) {
  put(h, "\n");
  size_t at = h->out->n;
  entry_put_kind(e, h->out);
  if (h->out->n > at && h->out->data[at] >= 'a' && h->out->data[at] <= 'z') {
    h->out->data[at] = (char)(h->out->data[at] - 32);
  }
  put(h, "s\n");
}

/* Names alone, a list of them. */
static void put_names(Help *h, Buf *names) {
  if (names->n > 0) {
    put(h, "  ");
    show_text((Span){names->data, names->n - 1}, 2, 2, h->out); /* without the last comma */
    buf_clear(names);
  }
}

/* The entries by kind: those of the index with their lines, of the others the names. */
static void put_list(Help *h, Buf *names) {
  Walk w;
  Entry e = {0}, last = {0};
  for (walk_start(&w, h->pages); entry_next(&w, &e); last = e) {
    if (!span_same(e.kind, last.kind.at, last.kind.n)) {
      put_names(h, names);
      put_kind_heading(h, &e);
    } else if (span_same(e.name, last.name.at, last.name.n)) {
      continue; /* the same with other arguments */
    }
    if (w.is_in_index) {
      put_entry_line(h, &e);
    } else {
      buf_puts(names, names->n > 0 ? " " : "");
      buf_add(names, e.name.at, e.name.n);
      buf_puts(names, ",");
    }
  }
  put_names(h, names);
}

static void put_overview(Help *h) {
  put(h, "llmcost: LLM calls from SQL, with a cache, prices and a ledger.\n\n"
         "  SELECT llm_help('llm_cost');           a function, table, option, column, …\n"
         "  SELECT llm_help('prices');             a page\n"
         "  SELECT llm_help('429');                what you see: a whole error, if you like\n"
         "  SELECT llm_help('ctrl-c');             a word\n"
         "  SELECT * FROM llm_functions();         this list as a table\n");
  buf_clear(h->room);
  put_list(h, h->room);
}

/* ---- names */

/* 1 if a heading of three words at most has the name for one: "The store", "What is NULL, and why". */
static int is_title_of(Help *h, Span heading) {
  int n = 0, is_there = 0;
  const char *at, *word;
  size_t length;
  if (h->room->failed) {
    return 0;
  }
  buf_clear(h->room);
  words_add_heading(heading.at, heading.n, h->room);
  for (at = h->room->data; (length = words_next(&at, &word)) > 0;) {
    is_there |= span_same(h->name, word, length);
    n += !words_is_common(word, length);
  }
  return is_there && n <= 3;
}

/* 1 if the first cell of a row is that name, or one of a list of names. */
static int is_row_of(const Walk *w, Span name) {
  Span cell;
  return w->block.kind == PAGE_ROW && !w->is_in_index && row_cell(w->block.text, 0, &cell) &&
         names_it(cell, name.at, name.n);
}

static void put_entries(Help *h) {
  Walk w;
  Entry e = {0};
  for (walk_start(&w, h->pages); entry_next(&w, &e);) {
    if (!span_same(e.name, h->name.at, h->name.n)) {
      continue;
    }
    begin_finding(h);
    buf_add(h->out, e.name.at, e.name.n);
    if (e.arguments.at) {
      put(h, "(");
      buf_add(h->out, e.arguments.at, e.arguments.n);
      put(h, ")");
    }
    put(h, "   [");
    entry_put_kind(&e, h->out);
    put(h, "]\n  ");
    show_text(e.line, 2, 2, h->out);
  }
}

/* What is called nearly so: "price" leads to llm_price and to the page of prices. */
static void put_kin(Help *h) {
  static const struct {
    const char *before, *behind;
  } kin[] = {{"llm_", ""}, {"", "s"}, {"llm_", "s"}};
  Span name = h->name;
  char other[80];
  for (size_t i = 0; i < sizeof kin / sizeof kin[0] && name.n < 64; i++) {
    int n = snprintf(other, sizeof other, "%s%.*s%s", kin[i].before, (int)name.n, name.at,
                     kin[i].behind);
    h->name = (Span){other, (size_t)n};
    put_entries(h);
  }
  h->name = name;
}

/* 1 if that text was told. */
static int is_shown(const Help *h, const char *at) {
  for (int i = 0; i < h->n_shown; i++) {
    if (at >= h->shown[i].at && at < h->shown[i].at + h->shown[i].n) {
      return 1;
    }
  }
  return 0;
}

/* The sections whose headings name it. */
static void put_titled(Help *h) {
  Walk w;
  for (walk_start(&w, h->pages); walk_next(&w);) {
    /* The front page only points to the others. */
    if (strcmp(w.page->name, MANUAL_FRONT) != 0 && w.block.kind == PAGE_HEADING &&
        w.block.level > 1 && !is_shown(h, w.block.text.at) &&
        (names_it(w.block.text, h->name.at, h->name.n) || is_title_of(h, w.block.text))) {
      put_section(h, &w);
    }
  }
}

/* Its rows elsewhere. */
static void put_rows(Help *h) {
  Walk w;
  for (walk_start(&w, h->pages); walk_next(&w);) {
    if (strcmp(w.page->name, MANUAL_FRONT) != 0 && is_row_of(&w, h->name) &&
        !is_shown(h, w.block.text.at)) {
      put_block(h, &w);
    }
  }
}

static void put_pages_named(Help *h) {
  for (const ManualPage *page = h->pages; page->name; page++) {
    if (span_same(h->name, page->name, strlen(page->name))) {
      put_page(h, page);
    }
  }
}

/* ---- what is not known */

typedef struct Near {
  Span name[MOST_NEAR];
  int distance[MOST_NEAR];
  int n;
} Near;

static void offer_name(Near *near, const char *topic, Span name) {
  char known[64];
  if (name.n == 0 || name.n >= sizeof known || memchr(name.at, ' ', name.n)) {
    return;
  }
  memcpy(known, name.at, name.n);
  known[name.n] = 0;
  int distance = text_distance(topic, known, 1000), at = near->n;
  for (int i = 0; i < near->n; i++) {
    if (span_same(near->name[i], name.at, name.n)) {
      return;
    }
  }
  while (at > 0 && near->distance[at - 1] > distance) {
    at--;
  }
  if (at >= MOST_NEAR || (size_t)distance > 1 + name.n / 3) {
    return;
  }
  near->n += near->n < MOST_NEAR;
  for (int k = near->n - 1; k > at; k--) {
    near->name[k] = near->name[k - 1];
    near->distance[k] = near->distance[k - 1];
  }
  near->name[at] = name;
  near->distance[at] = distance;
}

/* The names nearest to a topic of one word: of the index, and of rows. */
static void find_near(const Help *h, const char *topic, Near *near) {
  Walk w;
  Span cell, code;
  near->n = 0;
  for (walk_start(&w, h->pages); walk_next(&w);) {
    if (w.block.kind == PAGE_ROW && row_cell(w.block.text, 0, &cell)) {
      while (span_code(&cell, &code)) {
        const char *open = memchr(code.at, '(', code.n);
        offer_name(near, topic, (Span){code.at, open ? (size_t)(open - code.at) : code.n});
      }
    }
  }
}

static void put_near(Help *h) {
  char topic[64];
  Near near = {.n = 0};
  Span word = span_trim((Span){h->topic, strlen(h->topic)});
  if (word.n > 0 && word.n < sizeof topic && !memchr(word.at, ' ', word.n)) {
    memcpy(topic, word.at, word.n);
    topic[word.n] = 0;
    find_near(h, topic, &near);
  }
  if (near.n == 0) {
    return;
  }
  begin_finding(h);
  put(h, "There is no '");
  buf_add(h->out, word.at, word.n);
  put(h, "'. Nearest:\n");
  for (int i = 0; i < near.n; i++) {
    put(h, "  SELECT llm_help('");
    buf_add(h->out, near.name[i].at, near.name[i].n);
    put(h, "');\n");
  }
}

/* ---- a topic */

/* Words that say of what kind a name is: "option schema", "the view llm_spend". */
static int is_kind_word(Span word) {
  static const char *const words[] = {"the",    "a",    "function", "functions", "table",  "option",
                                      "column", "view", "setting",  "page",      "select", "help"};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (span_same(word, words[i], strlen(words[i]))) {
      return 1;
    }
  }
  return 0;
}

/* The name that a topic may be: its only word, but for those above, dashes and slashes included; what stands before a
** bracket; behind a dot, or before '.md'. */
static Span name_in(const char *raw, size_t n, const char *form) {
  Span name = {form, 0}, whole = span_trim((Span){raw, n});
  const char *word;
  size_t length;
  const char *select = "select ", *at = form;
  if (whole.n > strlen(select) &&
      span_same((Span){whole.at, strlen(select)}, select, strlen(select))) {
    whole = span_trim((Span){whole.at + strlen(select), whole.n - strlen(select)});
  }
  const char *open = memchr(whole.at, '(', whole.n);
  if (open && open > whole.at) {
    Span before = span_trim((Span){whole.at, (size_t)(open - whole.at)});
    return memchr(before.at, ' ', before.n) ? name : before;
  }
  const char *dot = memchr(whole.at, '.', whole.n);
  int has_blank = memchr(whole.at, ' ', whole.n) != NULL;
  if (!has_blank && (memchr(whole.at, '-', whole.n) || memchr(whole.at, '/', whole.n))) {
    return whole; /* a model: "gpt-4o" */
  }
  while ((length = words_next(&at, &word)) > 0) {
    Span s = {word, length};
    if (dot && !has_blank && span_same(s, "md", 2) && name.n > 0) {
      return name;
    }
    if (is_kind_word(s)) {
      continue;
    }
    if (name.n > 0 && !(dot && !has_blank)) {
      return (Span){form, 0};
    }
    name = s;
  }
  return name;
}

static void put_seen(Help *h) {
  Found found;
  search_seen(h->pages, h->topic, h->room, &found);
  for (int i = 0; i < found.n; i++) {
    put_block(h, &found.at[i]);
  }
}

/* A heading with its section, of a whole page what stands before the next one; a row alone; a text with what stands around
** it, where that is short. */
static void put_with_section(Help *h, const Walk *w) {
  Walk section = *w;
  section.blocks = w->section;
  if (w->block.kind == PAGE_HEADING) {
    put_section_to(h, w, w->level > 1 ? w->level : MOST_LEVELS);
  } else if (w->block.kind == PAGE_ROW || w->heading.n == 0 ||
             section_of(section, MOST_LEVELS).n > MOST_LEAF) {
    put_block(h, w);
  } else {
    put_section_to(h, &section, MOST_LEVELS);
  }
}

static void put_words(Help *h) {
  Found found;
  search_words(h->pages, h->topic, h->room, &found);
  for (int i = 0; i < found.n; i++) {
    if (!is_shown(h, found.at[i].block.text.at)) {
      put_with_section(h, &found.at[i]);
    }
  }
}

/* Of the page that is called nearly so ("keys" for "key") what stands before its first section. */
static void put_kin_page(Help *h) {
  Walk w;
  for (const ManualPage *page = h->pages; page->name; page++) {
    size_t n = strlen(page->name) - 1;
    walk_start(&w, page);
    if (page->name[n] == 's' && span_same(h->name, page->name, n) && walk_next(&w)) {
      put_section_to(h, &w, MOST_LEVELS);
    }
  }
}

/* What is called so. 1 where something is called nearly so: that is not all that is looked for. */
static int put_name(Help *h) {
  int is_name = h->is_told;
  put_kin(h);
  int has_kin = h->is_told;
  h->is_told = is_name;
  put_pages_named(h);
  put_kin_page(h);
  put_titled(h);
  put_rows(h);
  return has_kin;
}

/* 1 where no word tells anything: "help", "how do I". */
static int is_common(const char *form) {
  const char *word;
  size_t n;
  while ((n = words_next(&form, &word)) > 0) {
    if (!words_is_common(word, n)) {
      return 0;
    }
  }
  return 1;
}

/* 1 for several words, with blanks between them. */
static int is_several(const char *topic, size_t n) {
  Span text = span_trim((Span){topic, n});
  for (size_t i = 0; i < text.n; i++) {
    if (strchr(" \t\r\n", text.at[i])) {
      return 1;
    }
  }
  return 0;
}

static void put_topic(Help *h) {
  int has_kin = 0, is_entry;
  if (h->name.n > 0) {
    put_entries(h);
  }
  is_entry = h->is_told;
  if (h->is_phrase && !is_entry) {
    put_seen(h);
  }
  if (h->name.n > 0 && (is_entry || !h->is_told)) {
    has_kin = put_name(h);
  }
  if (!h->is_phrase && !h->is_told) {
    put_seen(h);
  }
  if (!h->is_told) {
    put_words(h);
  }
  if (!h->is_told && !has_kin && is_common(h->topic)) {
    put_overview(h);
    h->is_told = 1;
  }
  if (!h->is_told && !has_kin) {
    put_near(h);
  }
  if (!h->is_told && !has_kin) {
    put(h, "Nothing in the manual is called so, and no page has these words.\n"
           "SELECT llm_help(); lists what there is.\n");
  }
}

int help_write(const ManualPage *pages, const char *topic, size_t n, Buf *out) {
  Buf form, room;
  n = n < HELP_TOPIC ? n : HELP_TOPIC;
  buf_init(&form, 2 * HELP_TOPIC);
  buf_init(&room, MOST_ROOM);
  words_add(topic, n, &form);
  Help h = {.pages = pages, .topic = form.data, .name = {topic, 0}, .out = out, .room = &room};
  h.is_phrase = is_several(topic, n);
  if (form.n > 0) {
    h.name = name_in(topic, n, form.data);
    put_topic(&h);
  } else if (!form.failed) {
    put_overview(&h);
  }
  int rc = form.failed ? form.failed : room.failed ? room.failed : out->failed;
  buf_free(&form);
  buf_free(&room);
  return rc;
}
