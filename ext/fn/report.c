/*
** llm_report: where the money went, as one page to look at, or as Markdown (work/report/report.h).
*/
#include "fn/fn.h"

#include "base/limits.h"
#include "base/sqlite/args.h"
#include "work/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ReportOptions {
  ReportAsk ask;
  char *to; /* a file; NULL: the result is the text */
} ReportOptions;

static const Spec specs[] = {
    {"period", SPEC_INTO(ReportOptions, CHARS, ask.period)},
    {"from", SPEC_INTO(ReportOptions, TIME, ask.from)},
    {"to", SPEC_INTO(ReportOptions, OWNED, to)},
    {"until", SPEC_INTO(ReportOptions, TIME, ask.to)},
    {"format", SPEC_INTO(ReportOptions, WORD, ask.format), .words = SPEC_WORDS(REPORT_FORMATS),
     .initial = "html"},
    {"prompts", SPEC_INTO(ReportOptions, SWITCH, ask.prompts), .initial = "off"},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, "period",
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

/* ---- the file */

static int write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t done = write(fd, p, n);
    if (done < 0 && errno != EINTR) {
      return 0;
    }
    p += done > 0 ? done : 0;
    n -= done > 0 ? (size_t)done : 0;
  }
  return 1;
}

/* Whole, under another name first: what was there stays until the new one is complete. What is no file (/dev/stdout) is
** written to. */
static int write_file(const char *path, const Buf *text, Err *err) {
  struct stat found;
  int is_other = stat(path, &found) == 0 && !S_ISREG(found.st_mode);
  char *name =
      is_other ? sqlite3_mprintf("%s", path) : sqlite3_mprintf("%s.%d~", path, (int)getpid());
  if (!name) {
    return err_nomem(err);
  }
  int flags = O_WRONLY | O_CLOEXEC | (is_other ? 0 : O_CREAT | O_TRUNC | O_NOFOLLOW);
  int fd = open(name, flags, 0666);
  int ok = fd >= 0 && write_all(fd, text->data, text->n);
  int why = errno;
  if (fd >= 0 && close(fd) != 0 && ok) {
    why = errno;
    ok = 0;
  }
  if (ok && !is_other && rename(name, path) != 0) {
    why = errno;
    ok = 0;
  }
  if (!ok) {
    err_set(err, RC_ERROR, ERR_IO, "cannot write '%.200s': %s", path, strerror(why));
    if (fd >= 0 && !is_other) {
      unlink(name);
    }
  }
  sqlite3_free(name);
  return err->rc;
}

/* llm_report([options]): TEXT; with `to` the file's name. */
void fn_llm_report(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  ReportOptions o;
  Buf text;
  buf_init(&text, LIMIT_REPORT_BYTES);
  if (arg_spec(argc > 0 ? argv[0] : NULL, &table, &o, err) == RC_OK &&
      report_write(fn_conn(ctx), &o.ask, &text, err) == RC_OK) {
    if (!o.to) {
      size_t n = text.n;
      sqlite3_result_text64(ctx, buf_take(&text), n, free, SQLITE_UTF8);
    } else if (write_file(o.to, &text, err) == RC_OK) {
      sqlite3_result_text(ctx, o.to, -1, SQLITE_TRANSIENT);
    }
  }
  spec_free(&table, &o);
  buf_free(&text);
}
