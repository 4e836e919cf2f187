/*
** See page.h for the contract.
*/
#include "work/report/page.h"

#include "base/base64.h"
#include "sql/sql_text.h"

#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Our own script is these files, one behind the other. */
static const char *const script[] = {sql_data_js,  sql_words_js,  sql_csv_js,      sql_draw_js,
                                     sql_box_js,   sql_tables_js, sql_sections_js, sql_caches_js,
                                     sql_lists_js, sql_plans_js,  sql_now_js,      sql_page_js};
static const char *const plot[] = {sql_plot_js};
static const char *const style[] = {sql_page_css};

enum { SCRIPT_FILES = sizeof script / sizeof script[0] };

/* What fills the template. */
typedef struct Page {
  const char *title;
  const char *data; /* packed */
} Page;

/* ---- data */

static int deflate_all(z_stream *z, Bytef *out, uLong size) {
  z->next_out = out;
  z->avail_out = (uInt)size;
  int rc = deflate(z, Z_FINISH);
  deflateEnd(z);
  return rc == Z_STREAM_END;
}

/* n bytes, as gzip in base64: owned (free); NULL and *err. */
static char *pack(const char *json, size_t n, Err *err) {
  enum { GZIP = 15 + 16, MEMORY = 9 };
  z_stream z = {.next_in = (Bytef *)(uintptr_t)json, .avail_in = (uInt)n};
  char *text = NULL;
  if (n > INT_MAX / 2 ||
      deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
    err_nomem(err);
    return NULL;
  }
  uLong size = deflateBound(&z, (uLong)n);
  Bytef *packed = malloc(size);
  if (!packed) {
    deflateEnd(&z);
  } else if (deflate_all(&z, packed, size)) {
    text = base64_encode(packed, z.total_out);
  }
  free(packed);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

/* ---- the policy */

/* What a browser hashes is all that stands between the tags. */
static int add_hash(const char *const *files, int n, Buf *out) {
  crypto_hash_sha256_state state;
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_init(&state);
  for (int i = 0; i < n; i++) {
    crypto_hash_sha256_update(&state, (const unsigned char *)files[i], strlen(files[i]));
  }
  crypto_hash_sha256_final(&state, hash);
  char *text = base64_encode(hash, sizeof hash);
  int rc = text ? buf_printf(out, " 'sha256-%s'", text) : buf_fail(out, RC_NOMEM);
  free(text);
  return rc;
}

/* (The library sets styles of its own; a style can fetch nothing where no source is named.) */
static void add_policy(const Page *page, Buf *out) {
  (void)page;
  buf_puts(out, "default-src 'none'; style-src 'unsafe-inline'; script-src");
  add_hash(plot, 1, out);
  add_hash(script, SCRIPT_FILES, out);
  buf_puts(out, "; base-uri 'none'; form-action 'none'");
}

/* ---- the template */

static void add_files(const char *const *files, int n, Buf *out) {
  for (int i = 0; i < n; i++) {
    buf_puts(out, files[i]);
  }
}

static void add_style(const Page *page, Buf *out) {
  (void)page;
  add_files(style, 1, out);
}

static void add_plot(const Page *page, Buf *out) {
  (void)page;
  add_files(plot, 1, out);
}

static void add_script(const Page *page, Buf *out) {
  (void)page;
  add_files(script, SCRIPT_FILES, out);
}

static void add_data(const Page *page, Buf *out) {
  buf_puts(out, page->data);
}

static void add_title(const Page *page, Buf *out) {
  for (const char *p = page->title; *p; p++) {
    *p == '<' ? buf_puts(out, "&lt;") : *p == '&' ? buf_puts(out, "&amp;") : buf_add(out, p, 1);
  }
}

static const struct {
  const char *mark;
  void (*add)(const Page *page, Buf *out);
} marks[] = {{"{{csp}}", add_policy}, {"{{title}}", add_title},   {"{{style}}", add_style},
             {"{{plot}}", add_plot},  {"{{script}}", add_script}, {"{{data}}", add_data}};

/* Fills the mark that stands there and returns what is behind it; what is none stays. */
static const char *fill_mark(const Page *page, const char *p, Buf *out) {
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (strncmp(p, marks[i].mark, strlen(marks[i].mark)) == 0) {
      marks[i].add(page, out);
      return p + strlen(marks[i].mark);
    }
  }
  buf_add(out, p, 1);
  return p + 1;
}

static void fill(const Page *page, const char *template, Buf *out) {
  const char *p = template;
  for (const char *mark = strstr(p, "{{"); mark; mark = strstr(p, "{{")) {
    buf_add(out, p, (size_t)(mark - p));
    p = fill_mark(page, mark, out);
  }
  buf_puts(out, p);
}

int page_write(const char *json, size_t n, const char *title, Buf *out, Err *err) {
  char *data = pack(json, n, err);
  if (data) {
    const Page page = {title, data};
    fill(&page, sql_page_html, out);
  }
  free(data);
  return out->failed ? err_nomem(err) : err->rc;
}
