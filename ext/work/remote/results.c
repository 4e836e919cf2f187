/*
** Results, read as they come. See remote.h for the contract.
*/
#include "work/remote/remote_internal.h"

#include "base/text/json_lenient.h"
#include "base/utf8.h"

#include <string.h>

/* One page of them. */
typedef struct Page {
  Remote *remote;
  const RemoteTake *take;
  RemoteResults *out;
  Split split;
  long long lines;  /* of this page that were handed on */
  BatchFault fault; /* an error that stood in the place of a result */
  Err why;          /* why the transfer was given up */
} Page;

/* What an error says that was sent in the place of results; of what says none nothing. */
static int take_fault(Page *p, const char *text, size_t n) {
  BatchFault fault;
  /* (Of a success that asks for results nothing is read: so it is read as the answer to another question.) */
  const BatchAnswer answer = {BATCH_GET, 200, "", text, n};
  if (batch_fault_read(&answer, &fault, &p->why) == RC_OK && p->fault.trouble == TROUBLE_NONE) {
    p->fault = fault;
    p->fault.may_be_done = 0;
    ask_scrub(p->remote, p->fault.message, sizeof p->fault.message);
    ask_scrub(p->remote, p->fault.word, sizeof p->fault.word);
  }
  return p->why.rc;
}

static int hand_on(Page *p, BatchResult *result) {
  ask_scrub(p->remote, result->message, sizeof result->message);
  ask_scrub(p->remote, result->word, sizeof result->word);
  ask_scrub(p->remote, result->request_id, sizeof result->request_id);
  p->lines++;
  p->out->lines++;
  p->out->unreadable += result->outcome == RESULT_UNREADABLE || result->outcome == RESULT_TOO_LONG;
  return p->take->take(p->take->arg, result, &p->why);
}

static void set_fault(Page *p, const char *sentence) {
  if (p->fault.trouble == TROUBLE_NONE) {
    p->fault.trouble = TROUBLE_LATER;
    utf8_copy(p->fault.message, sizeof p->fault.message, sentence);
    ask_scrub(p->remote, p->fault.message, sizeof p->fault.message);
  }
}

/* A web page in the place of results has no line that is one. */
static int is_web_page(const Page *p, const SplitLine *line) {
  return p->lines == 0 && line->n > 0 && line->at[0] == '<';
}

static int take_line(Page *p, const SplitLine *line) {
  BatchResult result = {0};
  if (p->lines == 0 && p->fault.trouble != TROUBLE_NONE) {
    return RC_OK; /* behind an error that came first */
  }
  if (is_web_page(p, line)) {
    set_fault(p, "a web page came in the place of results");
  } else if (batch_result_read(line, &result, &p->why) != RC_OK) {
    return p->why.rc;
  } else if (result.outcome == RESULT_TORN) {
    p->out->is_torn = 1;
  } else if (result.outcome == RESULT_FAULT) {
    take_fault(p, line->at, line->n);
    set_fault(p, result.message);
  } else {
    hand_on(p, &result);
  }
  batch_result_free(&result);
  return p->why.rc;
}

static int take_lines(Page *p) {
  SplitLine line;
  while (p->why.rc == RC_OK && batch_split_next(&p->split, &line, &p->why)) {
    take_line(p, &line);
  }
  return p->why.rc;
}

static int take_bytes(void *arg, const char *bytes, size_t n) {
  Page *p = arg;
  p->out->bytes += (long long)n;
  batch_split_feed(&p->split, bytes, n);
  return take_lines(p);
}

static void start_page(Page *p) {
  batch_split_init(&p->split, p->remote->form->results_names, LIMIT_RESPONSE_BYTES);
  p->fault = (BatchFault){.retry_after_ms = -1};
  p->out->is_torn = 0;
}

/* Before it is asked for again. What was handed on can't be taken back. */
static int may_repeat(void *arg) {
  Page *p = arg;
  if (p->lines > 0) {
    return 0;
  }
  batch_split_free(&p->split);
  start_page(p);
  return 1;
}

/* Where results go on, of the object around them; and what it says in place of them. */
static void read_around(Page *p, char cursor[BATCH_NAME], Err *err) {
  size_t n = 0;
  Err why = {0};
  const char *around = batch_split_around(&p->split, &n);
  cJSON *tree = around ? json_parse_lenient(around, n, "the object around results", &why) : NULL;
  const char *next = json_text(tree, "next_cursor"), *last = json_text(tree, "last_id");
  int has_more = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(tree, "has_more"));
  const char *to = next ? next : has_more && last ? last : "";
  utf8_copy(cursor, BATCH_NAME, strcmp(to, cursor) != 0 ? to : "");
  p->out->is_torn |= !tree;
  if (tree && p->lines == 0) {
    take_fault(p, around, n);
  }
  cJSON_Delete(tree);
  if (why.rc == RC_NOMEM || p->why.rc == RC_NOMEM) {
    err_nomem(err);
  }
}

/* All that came is read, and the end with it. */
static void end_page(Page *p, char cursor[BATCH_NAME], Err *err) {
  batch_split_end(&p->split);
  if (take_lines(p) != RC_OK) {
    *err = err->rc == RC_OK ? p->why : *err;
  } else if (p->remote->form->results_names) {
    read_around(p, cursor, err);
  } else {
    cursor[0] = 0;
  }
}

static void set_torn(const Remote *r, BatchFault *fault) {
  *fault = (BatchFault){.trouble = TROUBLE_LATER, .retry_after_ms = -1};
  snprintf(fault->message, sizeof fault->message, "the results of %s end before their end",
           r->host);
}

/* Reads a page; `cursor` becomes the next one's. 1 if all went well. */
static int read_page(Remote *r, const char *id, const RemoteTake *take, RemoteResults *out,
                     char cursor[BATCH_NAME], BatchFault *fault, Err *err) {
  Page p = {.remote = r, .take = take, .out = out};
  NetResponse response;
  const NetSink sink = {take_bytes, &p};
  const long long before = out->bytes;
  const Question q = {.step = BATCH_RESULTS,
                      .id = id,
                      .cursor = cursor,
                      .sink = &sink,
                      .bytes = r->form->most_bytes,
                      .why = &p.why,
                      .may_repeat = may_repeat,
                      .arg = &p};
  start_page(&p);
  ask_often(r, &q, &response, fault, err);
  out->is_open_ended |= response.is_open_ended;
  if (err->rc == RC_OK && fault->trouble == TROUBLE_NONE) {
    end_page(&p, cursor, err);
    out->pages++;
    if (p.fault.trouble != TROUBLE_NONE) {
      *fault = p.fault;
    } else if (out->is_torn) {
      set_torn(r, fault);
    }
  } else {
    out->is_broken_off = response.result != NET_ANSWERED && out->bytes > before;
    out->is_torn |= out->is_broken_off;
  }
  batch_split_free(&p.split);
  net_response_free(&response);
  return err->rc == RC_OK && fault->trouble == TROUBLE_NONE;
}

int remote_results(Remote *r, const char *id, const RemoteTake *take, RemoteResults *out,
                   BatchFault *fault, Err *err) {
  char cursor[BATCH_NAME] = "";
  int is_on = 1;
  *out = (RemoteResults){0};
  for (int page = 0; is_on && page < REMOTE_RESULT_PAGES; page++) {
    is_on = read_page(r, id, take, out, cursor, fault, err) && cursor[0];
  }
  if (is_on) {
    fault->trouble = TROUBLE_LATER;
    snprintf(fault->message, sizeof fault->message, "the results of %s go on behind page %d",
             r->host, REMOTE_RESULT_PAGES);
  }
  return err->rc;
}
