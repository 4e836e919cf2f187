/*
** llm_report: where the money went, as one page to look at, or as Markdown (work/report/report.h).
*/
#include "fn/fn.h"

#include "call/call.h"

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
    {"tag", SPEC_INTO(ReportOptions, OWNED, ask.tag)},
    {"model", SPEC_INTO(ReportOptions, OWNED, ask.model)},
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

/* Writes to a new file of that mode, whole. 1, or 0 and errno. */
static int write_new(const char *name, mode_t mode, int is_kept, const Buf *text) {
  int fd = open(name, O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  int ok = fd >= 0 && (!is_kept || fchmod(fd, mode & 07777) == 0) &&
           write_all(fd, text->data, text->n) && fsync(fd) == 0;
  int why = errno;
  if (fd >= 0 && close(fd) != 0 && ok) {
    return 0;
  }
  errno = why;
  return ok;
}

/* What stands there until the new one is complete keeps its mode; where a link leads is written to, not the link. */
static int replace_file(const char *path, const struct stat *found, const Buf *text, Err *err) {
  char *real = found ? realpath(path, NULL) : NULL;
  char *name = sqlite3_mprintf("%s.%d~", real ? real : path, (int)getpid());
  int ok = 0;
  if (!name) {
    err_nomem(err);
  } else {
    ok = write_new(name, found ? found->st_mode : 0, found != NULL, text) &&
         rename(name, real ? real : path) == 0;
  }
  int why = errno;
  if (name && !ok && why != EEXIST) {
    unlink(name);
  }
  free(real);
  sqlite3_free(name);
  errno = why;
  return ok;
}

/* What is no file (/dev/stdout) is written to as it is. */
static int write_there(const char *path, const Buf *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  int ok = fd >= 0 && write_all(fd, text->data, text->n);
  int why = errno;
  ok = fd >= 0 && close(fd) == 0 && ok;
  errno = ok ? 0 : why;
  return ok;
}

static int write_file(const char *path, const Buf *text, Err *err) {
  struct stat found;
  int is_there = stat(path, &found) == 0;
  int ok = is_there && !S_ISREG(found.st_mode)
               ? write_there(path, text)
               : replace_file(path, is_there ? &found : NULL, text, err);
  return ok ? RC_OK
            : err_set(err, RC_ERROR, ERR_IO, "cannot write '%.200s': %s", path, strerror(errno));
}

/* A file is the operator's to name; and one is not written while an estimate counts. */
static int may_write(Conn *c, const ReportOptions *o, Err *err) {
  if (call_is_counted(c)) {
    err_set(err, RC_ERROR, ERR_UNAVAILABLE, "not while llm_estimate runs: it changes nothing");
  }
  return o->to && err->rc == RC_OK ? node_may_name(&c->node, "option 'to'", err) : err->rc;
}

/* llm_report([options]): TEXT; with `to` the file's name. */
void fn_llm_report(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  ReportOptions o;
  Buf text;
  buf_init(&text, LIMIT_REPORT_BYTES);
  if (arg_spec(argc > 0 ? argv[0] : NULL, &table, &o, err) == RC_OK &&
      may_write(fn_conn(ctx), &o, err) == RC_OK &&
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
