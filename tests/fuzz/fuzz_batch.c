/*
** Batches: what their providers answer, and what goes to them. The first byte says the form and the step, the second the size of the
** pieces that results come in.
**
** Holds: lines are the same whatever the pieces, and none is longer than it may be; whatever a line is, it has an outcome, a reason
** unless it is an answer, and texts that are UTF-8; a status has no count below "not known"; a list that goes on names another page;
** trouble has a sentence; a line of ours is one line of JSON with the size that was told before, whatever the body was.
*/
#include "fuzz.h"

#include "wire/batch/create.h"
#include "wire/batch/result.h"
#include "wire/batch/status.h"
#include "wire/provider.h"

enum { MOST = 300 };

static void check_result(const SplitLine *line) {
  BatchResult r;
  Err err = {0};
  require(batch_result_read(line, &r, &err) == RC_OK);
  require(is_utf8(r.id) && is_utf8(r.word) && is_utf8(r.message) && is_utf8(r.request_id));
  require((r.outcome == RESULT_ANSWERED) == (r.body.tree != NULL));
  require((r.outcome == RESULT_ANSWERED) == !r.message[0]);
  require(batch_outcome_word(r.outcome)[0] && r.status >= 0 && r.status < 600);
  if (r.is_ours) {
    char id[BATCH_ID];
    batch_id_write(r.key.rowid, r.key.attempt, r.key.tag, id);
    require(strcmp(id, r.id) == 0);
  }
  if (r.body.tree) {
    Reply reply = {0};
    provider_api("openai")->parse(&r.body, &reply, &err);
    check_err(&err);
    provider_read_usage(r.body.tree, "openai", &reply);
    require(!reply.text || is_utf8(reply.text));
    reply_free(&reply);
  }
  batch_result_free(&r);
}

/* All lines, each with what there is to know of it, one behind the other. */
static void cut(const char *names, const char *bytes, size_t n, size_t piece, Buf *out) {
  Split s;
  SplitLine line;
  Err err = {0};
  batch_split_init(&s, names, MOST);
  for (size_t at = 0; at < n; at += piece) {
    size_t length = n - at < piece ? n - at : piece;
    char *copy = fuzz_copy(bytes + at, length);
    batch_split_feed(&s, copy, length);
    if (n - at <= piece) {
      batch_split_end(&s);
    }
    while (batch_split_next(&s, &line, &err)) {
      require(line.is_too_long ? line.n > MOST : line.n > 0 && line.n <= MOST);
      buf_printf(out, "%lld,%d,%d,%zu,%s:", line.number, line.is_whole, line.is_too_long, line.n,
                 line.id);
      buf_add(out, line.at, line.is_too_long ? 0 : line.n);
      check_result(&line);
    }
    free(copy);
  }
  size_t around;
  const char *left = batch_split_around(&s, &around);
  buf_add(out, left ? left : "", left ? around : 0);
  require(err.rc == RC_OK && s.line.n <= MOST && s.around.n <= MOST);
  batch_split_free(&s);
}

static void check_lines(const char *names, const char *text, size_t n, size_t piece) {
  Buf whole, pieces;
  buf_init(&whole, (size_t)64 << 20);
  buf_init(&pieces, (size_t)64 << 20);
  cut(names, text, n, n ? n : 1, &whole);
  cut(names, text, n, piece, &pieces);
  require(whole.n == pieces.n && (whole.n == 0 || memcmp(whole.data, pieces.data, whole.n) == 0));
  buf_free(&whole);
  buf_free(&pieces);
}

static void check_shown(const BatchStatus *s) {
  require(s->id[0] && is_utf8(s->id) && is_utf8(s->word) && is_utf8(s->mark) &&
          is_utf8(s->output_file));
  require(s->total >= -1 && s->done >= -1 && s->failed >= -1 && s->cost_nusd >= -1);
  require(s->created_ms >= 0 && s->expires_ms >= 0 && s->ends_ms >= 0);
  require(s->n_errors <= s->all_errors && s->n_errors <= BATCH_ERRORS);
  for (int i = 0; i < s->n_errors; i++) {
    require(is_utf8(s->errors[i].word) && is_utf8(s->errors[i].message) && s->errors[i].line >= 0);
  }
}

static void check_answer(const BatchForm *form, BatchStep step, const char *text, size_t n) {
  BatchStatus s;
  BatchList list;
  BatchFault f;
  char id[BATCH_NAME];
  Err err = {0}, why = {0}, no_file = {0}, ignored = {0};
  if (batch_status_read(form, text, n, &s, &err) == RC_OK) {
    check_shown(&s);
  }
  batch_status_free(&s);
  if (batch_list_read(form, text, n, "3", &list, &why) == RC_OK) {
    require(strcmp(list.next, "3") != 0 && is_utf8(list.next));
    for (int i = 0; i < list.n; i++) {
      check_shown(&list.items[i]);
    }
  }
  batch_list_free(&list);
  batch_file_read(text, n, id, &no_file);
  check_err(&err);
  check_err(&why);
  check_err(&no_file);
  for (long status = 200; status < 600; status += 1 + (long)(n % 7) * 13) {
    require(batch_fault_read(&(BatchAnswer){step, status, "", text, n}, &f, &ignored) == RC_OK);
    require((f.trouble == TROUBLE_NONE) == !f.message[0] && is_utf8(f.message) && is_utf8(f.word));
    require(f.trouble != TROUBLE_NONE || status < 300);
    status = n > 500 ? status + 100 : status;
  }
}

/* The text as a request's body. */
static void check_line(const BatchForm *form, const char *text, size_t n) {
  Buf out;
  Err err = {0}, same = {0};
  size_t size;
  const BatchLine line = {"r1-1", BATCH_CHAT, text, n, 1};
  buf_init(&out, (size_t)8 << 20);
  batch_line_size(form, &line, &size, &same);
  if (batch_line_add(form, &line, &out, &err) == RC_OK) {
    size_t end = out.n - (form->takes_file ? 1 : 0);
    require(size == out.n && (!form->takes_file || out.data[end] == '\n'));
    for (size_t i = 0; i < end; i++) {
      require((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7F);
    }
    size_t bad_at;
    require(json_is_text(out.data, out.n, LIMIT_ANSWER_DEPTH + 1, &bad_at) && is_utf8(out.data));
    require(!memmem(out.data, out.n, "\xE2\x80\xA8", 3));
  }
  require(err.rc == same.rc);
  check_err(&err);
  buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  unsigned choice = take_byte(&in), piece = take_byte(&in);
  const BatchForm *form = batch_form_at((int)(choice % 6));
  size_t n;
  char *text = take_rest(&in, &n);
  BatchKey key;
  check_lines(form->results_names, text, n, piece % 67 + 1);
  check_answer(form, (BatchStep)(choice / 6 % BATCH_STEPS), text, n);
  check_line(form, text, n);
  if (batch_id_read(text, &key)) {
    char id[BATCH_ID];
    batch_id_write(key.rowid, key.attempt, key.tag, id);
    require(strcmp(id, text) == 0);
  }
  free(text);
  return 0;
}
