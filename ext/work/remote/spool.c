/*
** See spool.h for the contract.
*/
#include "work/remote/spool.h"

#include "base/check.h"
#include "trust/node/env.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPOOL_ROOM = 64 << 10 };

/* Notes the first failure; the spool is not sent any more. */
static int fail(Spool *s, const char *what, Err *err) {
  if (s->why.rc == RC_OK && errno == ENOMEM) {
    err_nomem(&s->why);
  } else {
    err_set(
        &s->why, RC_IOERR, ERR_IO,
        "the lines of a batch can't be %s in %s: %s (SQLITE_TMPDIR can name a folder with room)",
        what, s->folder, strerror(errno));
  }
  return err_set(err, s->why.rc, s->why.code, "%s", s->why.msg);
}

static const char *find_folder(void) {
  static const char *const names[] = {"SQLITE_TMPDIR", "TMPDIR"};
  const char *folder = NULL;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !folder; i++) {
    folder = env_get(names[i]);
  }
  return folder ? folder : "/tmp";
}

/* A file without a name, which only this process can read. -1 and errno. */
static int make_file(const char *folder) {
  char path[4096];
  int len = snprintf(path, sizeof path, "%s/llmcost-XXXXXX", folder);
  if (len < 0 || len >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = mkostemp(path, O_CLOEXEC); /* mode 0600 */
  if (fd >= 0) {
    unlink(path);
  }
  return fd;
}

int spool_open(Spool *s, Err *err) {
  *s = (Spool){0};
  const char *folder = find_folder();
  snprintf(s->folder, sizeof s->folder, "%s", folder);
  int fd = make_file(folder);
  s->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
  if (!s->file) {
    fail(s, "kept", err);
    if (fd >= 0) {
      close(fd);
    }
    return err->rc;
  }
  s->room = malloc(SPOOL_ROOM);
  if (!s->room) {
    spool_close(s);
    return err_nomem(err);
  }
  setvbuf(s->file, s->room, _IOFBF, SPOOL_ROOM);
  return RC_OK;
}

int spool_add(Spool *s, const char *bytes, size_t n, Err *err) {
  CHECK(!s->is_sent);
  if (s->why.rc != RC_OK) {
    return err_set(err, s->why.rc, s->why.code, "%s", s->why.msg);
  }
  if ((long long)n > SPOOL_MOST - s->size) {
    err_set(&s->why, RC_TOOBIG, ERR_TOO_BIG, "the lines of a batch have over %lld bytes",
            SPOOL_MOST);
    return err_set(err, s->why.rc, s->why.code, "%s", s->why.msg);
  }
  errno = 0;
  if (n > 0 && fwrite(bytes, 1, n, s->file) != n) {
    return fail(s, "kept", err);
  }
  s->size += (long long)n;
  return RC_OK;
}

long long spool_size(const Spool *s) {
  return s->size;
}

void spool_close(Spool *s) {
  if (s->file) {
    fclose(s->file);
  }
  free(s->room);
  s->file = NULL;
  s->room = NULL;
}

/* ---- sending */

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Some of a text that is `from` bytes long before `at`. */
static size_t copy_some(const char *text, size_t n, size_t from, char *to, size_t room) {
  size_t some = least(room, n - from);
  memcpy(to, text + from, some);
  return some;
}

static size_t read_file(Spool *s, char *to, size_t room) {
  size_t left = (size_t)(s->size - (s->at - (long long)s->n_head));
  errno = 0;
  size_t n = fread(to, 1, least(room, left), s->file);
  if (n == 0) {
    Err told = {0};              /* s->why keeps it */
    errno = errno ? errno : EIO; /* its end came early */
    fail(s, "read", &told);
    return NET_READ_FAILED;
  }
  return n;
}

static size_t read_some(void *arg, char *to, size_t room) {
  Spool *s = arg;
  const long long lines = (long long)s->n_head, tail = lines + s->size;
  size_t n;
  if (s->at < lines) {
    n = copy_some(s->head, s->n_head, (size_t)s->at, to, room);
  } else if (s->at < tail) {
    n = read_file(s, to, room);
  } else {
    n = s->n_tail ? copy_some(s->tail, s->n_tail, (size_t)(s->at - tail), to, room) : 0;
  }
  s->at += n == NET_READ_FAILED ? 0 : (long long)n;
  return n;
}

static int rewind_it(void *arg) {
  Spool *s = arg;
  Err told = {0}; /* s->why keeps it */
  s->at = 0;
  return fseeko(s->file, 0, SEEK_SET) == 0 ? RC_OK : fail(s, "read", &told);
}

int spool_upload(Spool *s, const Buf *head, const Buf *tail, NetUpload *upload, Err *err) {
  if (s->why.rc != RC_OK) {
    return err_set(err, s->why.rc, s->why.code, "%s", s->why.msg);
  }
  errno = 0;
  if (!s->is_sent && fflush(s->file) != 0) {
    return fail(s, "kept", err);
  }
  s->is_sent = 1;
  s->head = head ? head->data : NULL;
  s->n_head = head ? head->n : 0;
  s->tail = tail ? tail->data : NULL;
  s->n_tail = tail ? tail->n : 0;
  if (rewind_it(s) != RC_OK) {
    return err_set(err, s->why.rc, s->why.code, "%s", s->why.msg);
  }
  *upload = (NetUpload){.n = s->n_head + (size_t)s->size + s->n_tail,
                        .read = read_some,
                        .rewind = rewind_it,
                        .arg = s};
  return RC_OK;
}
