/*
** See import.h for the contract.
*/
#include "work/import.h"

#include "store/ledger.h"
#include "trust/node/env.h"
#include "work/files/foreign.h"
#include "work/files/found.h"
#include "work/files/records.h"
#include "work/import_batch.h"

#include <stdlib.h>
#include <string.h>

/* A file is recognised by its beginning: by more of it where that is not enough (a first line with a picture in it). */
enum { HEAD = 1 << 16, MOST_HEAD = 1 << 24, INTERRUPT_EVERY = 64 };

/* The file that is being read. */
typedef struct Reading {
  const char *path;
  const LogFormat *format;
  LogReader *reader;
  size_t n_head; /* of a database: its first bytes; then nothing of ours opens it (foreign_head) */
  char head[FOREIGN_HEAD];
  Bytes bytes;
  Records *records;       /* NULL: of a database */
  long long offset, line; /* understood */
  const Record *record;   /* that is being read */
  int entries;            /* of it */
  int has_sums;           /* they are written when it has ended */
  int has_buckets; /* it holds sums that only the whole file tells: it is read from its beginning every time */
} Reading;

typedef struct Import {
  Conn *conn;
  const ImportOptions *options;
  EntryRules rules;
  Batch batch;
  Report report;
  Reading now;
  unsigned long long n_records;
} Import;

/* ---- entries */

/* The name of a record that has none: its bytes, and which of its entries it is. */
static Hash name_record(const Reading *now) {
  struct {
    Hash bytes;
    long long entry;
  } name = {hash_bytes(now->record->at, now->record->n, 0), now->entries};
  return hash_bytes(&name, sizeof name, 0);
}

/* A copy of one that waits to be written is one with it; most copies (snapshots of one answer) come soon. One that says
** less needs no price. */
static void join_call(Import *im, const LogEntry *entry, PastCall *call, Err *err) {
  PastCall *same = batch_same(&im->batch, call);
  if (same && same->rank > entry->rank) {
    same->row.ts = entry->ts < same->row.ts ? entry->ts : same->row.ts;
  } else if (entry_call(&im->rules, entry, &im->batch.pile.texts, call, err) == RC_OK) {
    same ? past_merge(same, call) : batch_keep_call(&im->batch);
  }
  im->report.copies += same != NULL;
}

static void take_call(Import *im, const LogEntry *entry, Err *err) {
  Batch *b = &im->batch;
  Hash record = {{0}};
  if (b->pile.n_calls == BATCH_CALLS) { /* a record of thousands */
    Err failed = {0};
    if (batch_write(b, &failed) != RC_OK) {
      *err = failed;
      return;
    }
  }
  if (!entry->key) {
    record = name_record(&im->now);
    im->report.without_id++;
  }
  PastCall *call = batch_call(b);
  if (entry_identity(&im->rules, entry, &record, &b->pile.texts, call, err) == RC_OK) {
    join_call(im, entry, call, err);
  }
}

static void take_sum(Import *im, const LogEntry *entry, Err *err) {
  Batch *b = &im->batch;
  PastSum *sum = batch_sum(b, err);
  if (sum && entry_sum(&im->rules, entry, &b->sum_texts, sum, err) == RC_OK) {
    b->n_sums++;
    im->now.has_sums = 1;
    im->now.has_buckets |= entry->group == NULL;
  }
}

/* LogTake. */
static void take(void *arg, const LogEntry *entry, Err *err) {
  Import *im = arg;
  im->now.entries++;
  if (entry->what == LOG_SUM) {
    take_sum(im, entry, err);
  } else {
    take_call(im, entry, err);
  }
}

/* ---- how far a file was understood */

/* Hashes of the beginning and the end of what was understood, or of the whole where it is read from its beginning. */
static int hash_ends(const Bytes *bytes, long long covered, Hash *head, Hash *tail, Err *err) {
  size_t n = covered < BYTES_HEAD ? (size_t)covered : BYTES_HEAD;
  long long from = covered > BYTES_TAIL ? covered - BYTES_TAIL : 0;
  bytes_hash(bytes, 0, n, head, err);
  return bytes_hash(bytes, from, (size_t)(covered - from), tail, err);
}

/* 1 if it may be read on from where it was understood. */
static int goes_on(const Reading *now) {
  return now->records && records_may_go_on(now->records) && !now->has_buckets;
}

/* Notes how far it was understood; `is_whole`: to its end. */
static int note_progress(Import *im, int is_whole, Err *err) {
  Reading *now = &im->now;
  PastFile file = {.path = now->path,
                   .format = log_format_name(now->format),
                   .size = is_whole ? now->bytes.size : -1,
                   .mtime = now->bytes.mtime,
                   .inode = now->bytes.inode};
  Err why = {0};
  if (goes_on(now) && (is_whole || !now->has_sums)) {
    char *state = log_reader_state(now->reader, err);
    file.offset = now->offset;
    file.line = now->line;
    file.state = state;
    if (!state) {
      return err->rc;
    }
  }
  file.has_hashes =
      now->records && hash_ends(&now->bytes, file.offset ? file.offset : now->bytes.size,
                                &file.head, &file.tail, &why) == RC_OK;
  return batch_file(&im->batch, &file, is_whole, err);
}

/* What is known of this file's beginning and end is so. */
static int has_known_ends(const Bytes *bytes, const PastFile *known) {
  long long covered = known->offset ? known->offset : known->size;
  Hash head, tail;
  Err why = {0};
  return known->has_hashes && covered >= 0 && bytes->size >= covered &&
         hash_ends(bytes, covered, &head, &tail, &why) == RC_OK &&
         memcmp(head.b, known->head.b, sizeof head.b) == 0 &&
         memcmp(tail.b, known->tail.b, sizeof tail.b) == 0;
}

static int is_unchanged(const Bytes *bytes, const PastFile *known) {
  return bytes->fd >= 0 && known->size == bytes->size && known->mtime == bytes->mtime &&
         known->inode == bytes->inode && has_known_ends(bytes, known);
}

/* ---- records */

/* One that was not understood. The last of a file, without its end, may be one that is still being written. */
static void tell_bad(Import *im, const Record *record, const char *why, Err *err) {
  size_t bad_at;
  int is_unfinished = !record->is_whole && !record->is_too_long &&
                      !json_is_text(record->at, record->n, LIMIT_ANSWER_DEPTH, &bad_at);
  im->report.unfinished += is_unfinished;
  im->report.torn += !is_unfinished;
  report_line(&im->report, im->now.path, record->number,
              is_unfinished ? "not complete yet: it is read again when the file has grown" : why,
              err);
}

/* Reads one; *is_understood: what lies behind it may be gone on from. */
static int read_record(Import *im, const Record *record, int *is_understood, Err *err) {
  Err bad;
  err_clear(&bad);
  *is_understood = 1;
  if (record->is_too_long) {
    tell_bad(im, record, "longer than any record", err);
    return err->rc;
  }
  if (record->n == 0 || log_reader_may_skip(im->now.reader, record->at, record->n)) {
    return RC_OK;
  }
  im->now.record = record;
  im->now.entries = 0;
  log_reader_read(im->now.reader, record->at, record->n, take, im, &bad);
  if (bad.rc == RC_ERROR && bad.code != ERR_STORE) {
    *is_understood = record->is_whole;
    tell_bad(im, record, bad.msg, err);
  } else if (bad.rc != RC_OK) {
    *err = bad;
  }
  return err->rc;
}

static int is_interrupted(Import *im, Err *err) {
  if (im->n_records++ % INTERRUPT_EVERY == 0 && conn_interrupted(im->conn)) {
    err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err->rc != RC_OK;
}

/* What was read so far is written where it is time to. */
static int write_if_due(Import *im, Err *err) {
  return !batch_is_due(&im->batch) || note_progress(im, 0, err) != RC_OK
             ? err->rc
             : batch_write(&im->batch, err);
}

/* The header of a CSV. */
static int read_header(Import *im, Err *why) {
  Record record;
  if (!records_next(im->now.records, &record, why)) {
    return why->rc == RC_OK ? err_set(why, RC_ERROR, ERR_IO, "it is empty") : why->rc;
  }
  return log_reader_header(im->now.reader, record.at, record.n, why);
}

static void take_nothing(void *arg, const LogEntry *entry, Err *err) {
  (void)arg, (void)entry, (void)err;
}

/* A CSV that contradicts itself (RC_MISMATCH: times in two units, say) is refused as a whole, so it is read to its end
** before anything of it is taken. */
static void read_ahead(Import *im, Err *why, Err *err) {
  Record record;
  Err bad;
  if (read_header(im, why) != RC_OK) {
    return;
  }
  while (why->rc == RC_OK && !is_interrupted(im, err) &&
         records_next(im->now.records, &record, why)) {
    err_clear(&bad);
    if (record.n > 0 && log_reader_read(im->now.reader, record.at, record.n, take_nothing, NULL,
                                        &bad) == RC_MISMATCH) {
      err_set(why, RC_ERROR, bad.code, "line %lld: %s", record.number, bad.msg);
    } else if (bad.rc != RC_OK && bad.rc != RC_ERROR) {
      *err = bad;
    }
  }
}

/* All of a file. *why is what is wrong with the file, *err ends the import. */
static void read_records(Import *im, Err *why, Err *err) {
  Reading *now = &im->now;
  Record record;
  int is_understood = 1;
  if (log_format_shape(now->format) == LOG_CSV && read_header(im, why) != RC_OK) {
    return;
  }
  while (is_understood && !is_interrupted(im, err) && records_next(now->records, &record, why)) {
    if (read_record(im, &record, &is_understood, err) != RC_OK) {
      return;
    }
    if (is_understood) {
      now->offset = record.end;
      now->line = record.number;
    }
    if (write_if_due(im, err) != RC_OK) {
      return;
    }
  }
}

static int interrupted(void *arg) {
  return conn_interrupted(((Import *)arg)->conn);
}

/* A row of a database. */
static int take_row(void *arg, const char *json, size_t n, long long number, Err *err) {
  Import *im = arg;
  int ignored;
  const Record record = {.at = json, .n = n, .number = number, .is_whole = 1};
  if (!is_interrupted(im, err) && read_record(im, &record, &ignored, err) == RC_OK &&
      batch_is_due(&im->batch)) {
    batch_write(&im->batch, err);
  }
  return err->rc;
}

/* An error of the file, and one of the store, come the same way here. */
static void read_database(Import *im, Err *why, Err *err) {
  const ForeignRows rows = {.path = im->now.path,
                            .query = log_format_query(im->now.format),
                            .interrupted = interrupted,
                            .take = take_row,
                            .arg = im};
  if (!im->now.n_head) {
    err_set(why, RC_ERROR, ERR_IO,
            im->now.bytes.is_gzip ? "a packed database: unpack it first" : "it is no SQLite file");
  } else if (foreign_each(&rows, why) != RC_OK && (why->rc != RC_ERROR || why->code != ERR_IO)) {
    *err = *why;
  }
}

/* ---- files */

/* Reads on, if it only grew; else from the beginning. */
static int position(Import *im, const PastFile *known, Err *why) {
  Reading *now = &im->now;
  int may_go_on = known && known->offset > 0 && !im->options->again && !now->bytes.is_gzip &&
                  log_format_shape(now->format) == LOG_LINES && has_known_ends(&now->bytes, known);
  const char *state = may_go_on ? known->state : NULL;
  now->offset = may_go_on ? known->offset : 0;
  now->line = may_go_on ? known->line : 0;
  now->reader = log_reader_new(now->format, now->path, state, im->options->columns, why);
  if (!now->reader || log_format_shape(now->format) == LOG_DATABASE) {
    return why->rc;
  }
  if (now->n_head) {
    return err_set(why, RC_ERROR, ERR_IO, "it is an SQLite file");
  }
  if (bytes_seek(&now->bytes, now->offset, why) == RC_OK) {
    now->records =
        records_new(log_format_shape(now->format), &now->bytes, now->offset, now->line, why);
  }
  return why->rc;
}

static void list_formats(Err *why) {
  char list[LIMIT_ERROR_TEXT / 2] = "";
  size_t n = 0;
  for (int i = 0; log_format_at(i) && n < sizeof list - 64; i++) {
    sqlite3_snprintf((int)(sizeof list - n), list + n, "%s%s", i ? ", " : "",
                     log_format_name(log_format_at(i)));
    n = strlen(list);
  }
  err_set(why, RC_ERROR, ERR_BAD_ARGUMENT,
          "its format is none that is known (%s); of another CSV say its 'columns'", list);
}

/* Of an array that is spread over lines: as its first element tells, in one. */
static const LogFormat *find_by_element(Import *im, Err *why) {
  Record record;
  Err ignored = {0};
  const LogFormat *format = NULL;
  Records *records = records_new(LOG_LINES, &im->now.bytes, 0, 0, why);
  if (records && bytes_seek(&im->now.bytes, 0, why) == RC_OK &&
      records_next(records, &record, why) && records_is_array(records)) {
    cJSON *tree =
        json_parse_bytes(record.at, record.n, LIMIT_ANSWER_DEPTH, "its first element", &ignored);
    char *text = tree ? json_print(tree, why) : NULL;
    format = text ? log_recognise(text, strlen(text), 0, why) : NULL;
    cJSON_free(text);
  }
  records_free(records);
  return format;
}

/* Which format it is: as it was said, as it was known, or as its beginning tells. NULL and *why. */
static const LogFormat *find_format(Import *im, const PastFile *known, Err *why) {
  const char *said = im->options->format, *at = im->now.head;
  const LogFormat *format = said[0]                      ? log_format(said)
                            : im->options->columns       ? log_format("csv")
                            : known && known->size == -1 ? log_format(known->format)
                                                         : NULL;
  int is_all = 0;
  if (format) {
    return format;
  }
  size_t n = im->now.n_head;
  Records *head = n ? NULL : records_new(LOG_DOCUMENT, &im->now.bytes, 0, 0, why);
  if (n) {
    format = log_recognise(at, n, 0, why);
  } else if (head && bytes_seek(&im->now.bytes, 0, why) == RC_OK) {
    for (size_t most = HEAD; !format && !is_all && most <= MOST_HEAD && why->rc == RC_OK;
         most *= 16) {
      n = records_peek(head, most, &at, &is_all, why);
      format = n && why->rc == RC_OK ? log_recognise(at, n, is_all, why) : NULL;
    }
  }
  if (!format && head && n && why->rc == RC_OK) {
    format = find_by_element(im, why);
  }
  records_free(head);
  if (!format && why->rc == RC_OK) {
    n ? list_formats(why) : (void)err_set(why, RC_ERROR, ERR_IO, "it is empty");
  }
  return format;
}

static void close_reader(Reading *now) {
  records_free(now->records);
  log_reader_free(now->reader);
  now->records = NULL;
  now->reader = NULL;
}

static void close_reading(Reading *now) {
  close_reader(now);
  bytes_close(&now->bytes);
}

/* RC_OK where a CSV, now at its beginning, may be taken; other files are as they were. */
static int prepare_csv(Import *im, const PastFile *known, Err *why, Err *err) {
  if (log_format_shape(im->now.format) == LOG_CSV) {
    read_ahead(im, why, err);
    close_reader(&im->now);
    if (why->rc == RC_OK && err->rc == RC_OK) {
      position(im, known, why);
    }
  }
  return err->rc != RC_OK ? err->rc : why->rc;
}

/* A call is the same in whatever shape its log was exported: "litellm_csv" is of "litellm". */
static void name_source(Import *im) {
  static const char *const shapes[] = {"_json", "_jsonl", "_csv"};
  const char *name = im->rules.format;
  size_t n = strlen(name);
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    size_t length = strlen(shapes[i]);
    if (n > length && strcmp(name + n - length, shapes[i]) == 0) {
      char whole[64];
      sqlite3_snprintf((int)sizeof whole, whole, "%.*s", (int)(n - length), name);
      const LogFormat *format = log_format(whole);
      name = format ? log_format_name(format) : name;
      break;
    }
  }
  im->rules.source = name;
}

/* Reads the open file. */
static void read_open(Import *im, const PastFile *known, Err *why, Err *err) {
  Reading *now = &im->now;
  now->format = find_format(im, known, why);
  if (!now->format || position(im, known, why) != RC_OK ||
      prepare_csv(im, known, why, err) != RC_OK) {
    return;
  }
  im->rules.format = log_format_name(now->format);
  name_source(im);
  if (now->records) {
    read_records(im, why, err);
  } else {
    read_database(im, why, err);
  }
  if (err->rc == RC_OK && why->rc != RC_INTERRUPT) {
    report_format(&im->report, im->rules.format, err);
  }
  if (why->rc != RC_OK || err->rc != RC_OK) {
    batch_drop_sums(&im->batch);
  }
  if (why->rc != RC_NOMEM && (err->rc == RC_OK || err->rc == RC_INTERRUPT)) {
    Err late = {0};
    if (note_progress(im, why->rc == RC_OK && err->rc == RC_OK, &late) != RC_OK &&
        err->rc == RC_OK) {
      *err = late;
    }
  }
}

/* 1 if it is the file that was read, and was none. */
static int is_no_database(const PastFile *known) {
  const LogFormat *format = log_format(known->format);
  return format && log_format_shape(format) != LOG_DATABASE &&
         bytes_are_of(known->path, known->size, known->mtime, known->inode);
}

/* A database is opened by SQLite alone. */
static int open_reading(Import *im, const PastFile *known, Err *why) {
  Reading *now = &im->now;
  now->n_head = known && is_no_database(known) ? 0 : foreign_head(now->path, now->head);
  if (!now->n_head && bytes_open(&now->bytes, now->path, why) == RC_OK) {
    now->bytes.interrupted = interrupted;
    now->bytes.arg = im;
  }
  return why->rc;
}

/* Opens a file, and reads it unless it is as it was. */
static void read_if_changed(Import *im, Err *why, Err *err) {
  PastFile known;
  const char *said = im->options->format;
  int found = past_get_file(im->batch.past, im->now.path, &known, err);
  int is_same = found == 1 && (!said[0] || strcmp(known.format, said) == 0);
  int is_again = im->options->again || im->options->columns; /* (other columns may be said now) */
  if (err->rc != RC_OK || open_reading(im, is_same ? &known : NULL, why) != RC_OK) {
    return;
  }
  if (is_same && !is_again && is_unchanged(&im->now.bytes, &known)) {
    im->report.unchanged++;
    report_format(&im->report, known.format, err);
  } else {
    read_open(im, is_same ? &known : NULL, why, err);
  }
}

/* One file: what is wrong with it is told, and where it was named by itself an error. */
static int import_file(Import *im, const FoundFile *file, int is_single, Err *err) {
  Err why;
  err_clear(&why);
  im->now = (Reading){.path = file->path, .bytes = {.fd = -1}};
  if (file->fault) {
    err_set(&why, RC_ERROR, ERR_IO, "%s", file->fault);
  } else {
    read_if_changed(im, &why, err);
  }
  close_reading(&im->now);
  if (why.rc != RC_OK &&
      (why.rc != RC_ERROR || why.code == ERR_BAD_OPTION)) { /* not the file's fault */
    err_set(err, why.rc, why.code, "%s", why.msg);
  } else if (why.rc == RC_ERROR && is_single) {
    err_set(err, RC_ERROR, why.code, "'%.200s': %s", file->path, why.msg);
  } else if (why.rc == RC_ERROR) {
    report_skipped(&im->report, file->path, why.msg, err);
  }
  return err->rc;
}

/* What was read is written, also where an interrupt ends it, or a fault of the one file. */
static void write_rest(Import *im, Err *err) {
  Err late = {0};
  if (err->rc == RC_OK || err->rc == RC_INTERRUPT || err->rc == RC_ERROR) {
    batch_finish(&im->batch, &late);
  }
  if (err->rc == RC_OK && late.rc != RC_OK) {
    *err = late;
  }
}

static void import_files(Import *im, const Found *found, Err *err) {
  for (int i = 0; i < found->n && err->rc == RC_OK; i++) {
    if (!is_interrupted(im, err)) {
      import_file(im, &found->at[i], found->is_single, err);
    }
    if (err->rc == RC_OK && batch_is_due(&im->batch)) {
      batch_write(&im->batch, err);
    }
  }
  write_rest(im, err);
}

static int check_options(const ImportOptions *o, Err *err) {
  if (o->format[0] && !log_format(o->format)) {
    list_formats(err);
    char list[LIMIT_ERROR_TEXT];
    sqlite3_snprintf((int)sizeof list, list, "option 'format': '%s': %s", o->format, err->msg);
    err_clear(err);
    err_set(err, RC_ERROR, ERR_BAD_OPTION, "%s", list);
  }
  return err->rc;
}

char *import_run(Conn *conn, const char *path, const ImportOptions *options, Err *err) {
  Import im = {.conn = conn,
               .options = options,
               .rules = {conn, "", "", options->tag, options->user, options->billed}};
  Found found = {0};
  char *text = NULL;
  if (check_options(options, err) != RC_OK ||
      found_by_path(path, env_get("HOME"), &found, err) != RC_OK) {
    found_free(&found);
    return NULL;
  }
  Store *store = conn_store(conn, 1, err);
  report_init(&im.report);
  if (store && ledger_flush(store, err) == RC_OK &&
      batch_init(&im.batch, store, &im.report, options->smaller == SMALLER_REPLACE, err) == RC_OK) {
    batch_may_write_behind(&im.batch);
    import_files(&im, &found, err);
  }
  if (err->rc == RC_OK) {
    text = report_json(&im.report, err);
  }
  if (im.batch.store) {
    batch_free(&im.batch);
  }
  report_free(&im.report);
  found_free(&found);
  return text;
}
