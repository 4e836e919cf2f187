/*
** See found.h for the contract.
*/
#include "work/files/found.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* One that is walked: what has been found, and where it is. */
typedef struct Walk {
  Found *found;
  const char *pattern; /* of the whole path; NULL: any */
  int depth;
} Walk;

static int add(Found *f, const char *path, const char *fault, Err *err) {
  if (f->n == f->cap) {
    int cap = f->cap ? f->cap * 2 : 64;
    FoundFile *at = f->cap < LIMIT_IMPORT_FILES ? realloc(f->at, (size_t)cap * sizeof *at) : NULL;
    if (!at) {
      return f->cap < LIMIT_IMPORT_FILES ? err_nomem(err)
                                         : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                                                   "more than %d files: import folders"
                                                   " one after the other",
                                                   f->n);
    }
    f->at = at;
    f->cap = cap;
  }
  char *copy = strdup(path);
  if (!copy) {
    return err_nomem(err);
  }
  f->at[f->n].fault = fault;
  f->at[f->n++].path = copy;
  return RC_OK;
}

static int ends_with(const char *name, size_t n, const char *suffix) {
  size_t length = strlen(suffix);
  return n > length && strncasecmp(name + n - length, suffix, length) == 0;
}

/* 1 if a file of a folder may be a log by its name; packed or not. */
static int fits(const char *name) {
  static const char *const suffixes[] = {".jsonl", ".json",   ".ndjson", ".csv",
                                         ".db",    ".sqlite", ".sqlite3"};
  size_t n = strlen(name);
  n -= ends_with(name, n, ".gz") ? 3 : 0;
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    if (ends_with(name, n, suffixes[i])) {
      return 1;
    }
  }
  return 0;
}

static int walk(Walk *w, const char *folder, Err *err);

/* A file that a link leads to, by its own name: it may be there already. */
static int add_target(Found *f, const char *path, Err *err) {
  struct stat st;
  char *real = realpath(path, NULL);
  if (!real) {
    return errno == ENOMEM ? err_nomem(err) : add(f, path, "a link to nothing", err);
  }
  add(f, real, stat(real, &st) == 0 && S_ISREG(st.st_mode) ? NULL : "it is no file", err);
  free(real);
  return err->rc;
}

/* An entry of a folder. */
static int visit(Walk *w, const char *path, const char *name, Err *err) {
  struct stat link, st;
  if (lstat(path, &link) != 0) {
    return errno == ENOENT ? RC_OK : add(w->found, path, "cannot be looked at", err);
  }
  int is_link = S_ISLNK(link.st_mode), is_there = stat(path, &st) == 0;
  int is_folder = is_there && S_ISDIR(st.st_mode);
  if (!is_folder && (!fits(name) || (w->pattern && fnmatch(w->pattern, path, 0) != 0))) {
    return RC_OK;
  }
  if (name[0] == '.' || (is_link && is_folder) || !is_there) {
    return add(w->found, path,
               name[0] == '.' ? "hidden: name it to import it"
               : is_there     ? "a link to a folder: not followed"
                              : "a link to nothing",
               err);
  }
  return is_folder ? walk(w, path, err)
         : is_link ? add_target(w->found, path, err)
                   : add(w->found, path, S_ISREG(st.st_mode) ? NULL : "it is no file", err);
}

static int read_folder(Walk *w, DIR *dir, const char *folder, Err *err) {
  Buf path;
  const struct dirent *entry;
  buf_init(&path, PATH_MAX);
  while (err->rc == RC_OK && (entry = readdir(dir)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    buf_clear(&path);
    buf_printf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
               entry->d_name);
    if (path.failed == RC_NOMEM) {
      err_nomem(err);
    } else if (path.failed) {
      add(w->found, folder, "holds a path that is too long", err);
      buf_init(&path, PATH_MAX);
    } else {
      visit(w, path.data, entry->d_name, err);
    }
  }
  buf_free(&path);
  return err->rc;
}

static int walk(Walk *w, const char *folder, Err *err) {
  enum { DEEPEST = 64 };
  DIR *dir = w->depth < DEEPEST ? opendir(folder) : NULL;
  if (!dir) {
    const char *fault = w->depth >= DEEPEST ? "too deep"
                        : errno == EACCES   ? "a folder that may not be read"
                                            : "a folder that cannot be read";
    return add(w->found, folder, fault, err);
  }
  w->depth++;
  read_folder(w, dir, folder, err);
  w->depth--;
  closedir(dir);
  return err->rc;
}

/* What is there at an absolute path, which was named itself. */
static int take(Found *f, const char *path, const char *pattern, Err *err) {
  struct stat st;
  Walk w = {f, pattern, 0};
  if (stat(path, &st) != 0) {
    return add(f, path, "a link to nothing", err);
  }
  if (S_ISDIR(st.st_mode)) {
    return walk(&w, path, err);
  }
  return add(f, path, S_ISREG(st.st_mode) ? NULL : "it is no file", err);
}

static int compare(const void *a, const void *b) {
  return strcmp(((const FoundFile *)a)->path, ((const FoundFile *)b)->path);
}

/* In the order of names, each once. */
static void order(Found *f) {
  int n = 0;
  if (f->n > 0) {
    qsort(f->at, (size_t)f->n, sizeof *f->at, compare);
  }
  for (int i = 0; i < f->n; i++) {
    if (n > 0 && strcmp(f->at[n - 1].path, f->at[i].path) == 0) {
      free(f->at[i].path);
    } else {
      f->at[n++] = f->at[i];
    }
  }
  f->n = n;
}

static int nothing_there(const char *path, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "there is nothing at '%.300s'", path);
}

/* A pattern with '**' goes through folders, however deep: those below the last '/' before it are walked. */
static int take_deep(Found *f, const char *path, const char *stars, Err *err) {
  Buf pattern;
  char folder[PATH_MAX] = ".";
  const char *slash = memrchr(path, '/', (size_t)(stars - path));
  size_t n = slash ? (size_t)(slash - path) : 0;
  if (n >= sizeof folder) {
    return nothing_there(path, err);
  }
  if (slash) {
    memcpy(folder, n ? path : "/", n ? n : 1);
    folder[n ? n : 1] = 0;
  }
  char *real = realpath(folder, NULL);
  if (!real) {
    return errno == ENOMEM ? err_nomem(err) : nothing_there(path, err);
  }
  buf_init(&pattern, PATH_MAX * 2);
  for (const char *p = strcmp(real, "/") == 0 ? "" : real; *p; p++) { /* it is no pattern */
    buf_puts(&pattern, strchr("*?[\\", *p) ? "\\" : "");
    buf_add(&pattern, p, 1);
  }
  buf_puts(&pattern, "/");
  for (const char *p = slash ? slash + 1 : path; *p;) {
    int is_deep = strncmp(p, "**/", 3) == 0;
    buf_add(&pattern, is_deep ? "*" : p, 1);
    p += is_deep ? 3 : 1;
  }
  if (pattern.failed) {
    pattern.failed == RC_NOMEM ? err_nomem(err) : nothing_there(path, err);
  } else {
    take(f, real, pattern.data, err);
  }
  buf_free(&pattern);
  free(real);
  return err->rc;
}

static int take_real(Found *f, const char *path, Err *err) {
  char *real = realpath(path, NULL);
  if (!real) {
    return errno == ENOMEM ? err_nomem(err) : add(f, path, "a link to nothing", err);
  }
  take(f, real, NULL, err);
  free(real);
  return err->rc;
}

static int take_glob(Found *f, const char *path, Err *err) {
  glob_t matches;
  const char *stars = strstr(path, "**");
  if (stars) {
    return take_deep(f, path, stars, err);
  }
  int rc = glob(path, GLOB_NOSORT, NULL, &matches);
  if (rc == GLOB_NOSPACE) {
    return err_nomem(err);
  }
  for (size_t i = 0; rc == 0 && i < matches.gl_pathc && err->rc == RC_OK; i++) {
    take_real(f, matches.gl_pathv[i], err);
  }
  if (rc == 0) {
    globfree(&matches);
  }
  return err->rc;
}

/* With the home folder in the place of '~'. Owned. */
static char *expand(const char *path, const char *home, Err *err) {
  int is_home = path[0] == '~' && (path[1] == '/' || path[1] == 0) && home && home[0];
  Buf b;
  buf_init(&b, PATH_MAX);
  buf_puts(&b, is_home ? home : "");
  buf_puts(&b, is_home ? path + 1 : path);
  char *text = buf_take(&b);
  if (!text) {
    b.failed == RC_NOMEM ? err_nomem(err) : nothing_there(path, err);
  }
  return text;
}

int found_by_path(const char *path, const char *home, Found *found, Err *err) {
  struct stat st;
  *found = (Found){0};
  char *full = expand(path, home, err);
  if (!full) {
    return err->rc;
  }
  int is_there = stat(full, &st) == 0;
  if (is_there) {
    found->is_single = !S_ISDIR(st.st_mode);
    take_real(found, full, err);
  } else if (errno == EACCES) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "'%.300s' may not be looked at", path);
  } else if (strpbrk(full, "*?[")) {
    take_glob(found, full, err);
  }
  order(found);
  if (found->n == 0) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            is_there ? "'%.300s' holds no file that may be a log (.jsonl, .json, .csv, .db, …)"
                     : "there is nothing at '%.300s'",
            path);
  }
  free(full);
  return err->rc;
}

void found_free(Found *found) {
  for (int i = 0; i < found->n; i++) {
    free(found->at[i].path);
  }
  free(found->at);
  *found = (Found){0};
}
