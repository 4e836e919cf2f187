/*
** The manual: a page of any bytes, and any topic asked of it and of ours.
**
** Holds: blocks lie in the text, one behind the other; every topic has an answer, which is not empty and, where page and topic are
** UTF-8, is UTF-8.
*/
#include "fuzz.h"

#include "core/manual/entry.h"
#include "core/manual/help.h"

static void check_blocks(const char *text) {
  const char *end = text + strlen(text), *last = text;
  PageBlocks b;
  PageBlock block;
  Span cell;
  for (blocks_start(&b, text); blocks_next(&b, &block);) {
    require(block.text.at >= last && block.text.at + block.text.n <= end);
    last = block.text.at + block.text.n;
    for (int i = 0; block.kind == PAGE_ROW && row_cell(block.text, i, &cell); i++) {
      require(cell.at >= block.text.at && cell.at + cell.n <= last);
    }
  }
}

static void check_topic(const ManualPage *pages, const char *topic, size_t n) {
  Buf out;
  buf_init(&out, 8 << 20);
  require(help_write(pages, topic, n, &out) == RC_OK && out.n > 0);
  buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n_topic, n_text;
  char *topic = take_text(&in, &n_topic);
  char *text = take_text(&in, &n_text);
  const ManualPage pages[] = {{MANUAL_FRONT, text}, {"errors", text}, {NULL, NULL}};
  check_blocks(text);
  check_topic(pages, topic, n_topic);
  check_topic(sql_manual, topic, n_topic);
  Walk w;
  Entry e = {0};
  for (walk_start(&w, pages); entry_next(&w, &e);) {
    require(e.name.n > 0);
    entry_page(pages, &e);
  }
  free(topic);
  free(text);
  return 0;
}
