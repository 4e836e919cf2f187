/*
** See mark.h for the contract.
*/
#include "trust/mark.h"

#include "trust/node/env.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_BYTES = crypto_generichash_KEYBYTES, PATH_BYTES = 4096 };

static int no_state(const char *path, const char *why, Err *err) {
  return err_set(
      err, RC_ERROR, ERR_NO_STATE,
      "the secret by which stores are known, '%.200s': %s; set XDG_STATE_HOME to a folder of"
      " yours, or name the store (LLMCOST_STORE" ERR_CURE(", llm_config('store', path)") ")",
      path, why);
}

/* What the system said of a path: that there can be no secret, or that it could not be looked at now. */
static int system_error(const char *path, int code, Err *err) {
  if (code == ENOMEM) {
    return err_nomem(err);
  }
  if (code == EMFILE || code == ENFILE || code == EIO || code == EINTR || code == EAGAIN) {
    return err_set(err, RC_IOERR, ERR_IO, "the secret by which stores are known, '%.200s': %s",
                   path, strerror(code));
  }
  return no_state(path, strerror(code), err);
}

/* The home folder; "" where nobody says, or *err. */
static void find_home(char home[PATH_BYTES], Err *err) {
  struct passwd entry, *found = NULL;
  char room[PATH_BYTES];
  const char *said = env_get("HOME");
  int code = said ? 0 : getpwuid_r(geteuid(), &entry, room, sizeof room, &found);
  said = found ? found->pw_dir : said;
  int n = snprintf(home, PATH_BYTES, "%s", said ? said : "");
  if (code == ENOMEM || code == EMFILE || code == ENFILE || code == EIO || code == EINTR) {
    system_error("~/.local/state/llmcost/secret", code, err);
  } else if (n >= PATH_BYTES) {
    home[0] = 0; /* half a name is another folder */
  }
}

/* The folder of the secret. (A relative XDG_STATE_HOME is to be ignored, says its specification.) */
static int find_folder(char folder[PATH_BYTES], Err *err) {
  const char *state = env_get("XDG_STATE_HOME");
  char home[PATH_BYTES];
  int n;
  if (state && state[0] == '/') {
    n = snprintf(folder, PATH_BYTES, "%s/llmcost", state);
  } else {
    find_home(home, err);
    n = snprintf(folder, PATH_BYTES, "%s/.local/state/llmcost", home);
  }
  return folder[0] == '/' && folder[1] != '.' && n < PATH_BYTES - 40
             ? RC_OK
             : no_state("~/.local/state/llmcost/secret", "there is no home folder", err);
}

/* Makes a folder and those above it, for this user only. */
static int make_folders(const char *folder, Err *err) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s", folder);
  for (char *p = path + 1;; p++) {
    if (*p == '/' || *p == 0) {
      char end = *p;
      *p = 0;
      if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return system_error(path, errno, err);
      }
      *p = end;
      if (end == 0) {
        return RC_OK;
      }
    }
  }
}

/* Writes the secret of one who comes first: under another name, then linked, so that nobody ever reads
** half of it. */
static int write_secret(const char *folder, const char *path, Err *err) {
  unsigned char secret[SECRET_BYTES];
  char temporary[PATH_BYTES + 32];
  snprintf(temporary, sizeof temporary, "%s/secret.%08x%08x", folder, randombytes_random(),
           randombytes_random());
  randombytes_buf(secret, sizeof secret);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  errno = fd >= 0 ? ENOSPC : errno; /* what a write that is too short means */
  int ok = fd >= 0 && write(fd, secret, sizeof secret) == (ssize_t)sizeof secret && fsync(fd) == 0;
  sodium_memzero(secret, sizeof secret);
  ok =
      ok && (link(temporary, path) == 0 || errno == EEXIST ||
             (access(path, F_OK) != 0 && rename(temporary, path) == 0)); /* no links on this disk */
  if (!ok) {
    system_error(path, errno, err);
  }
  if (fd >= 0) {
    close(fd);
    unlink(temporary);
  }
  int at = ok ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (at >= 0) { /* stores are marked with it: it must not be gone after a power cut */
    fsync(at);
    close(at);
  }
  return err->rc;
}

/* What is wrong with the open file as a secret; NULL: nothing. */
static const char *secret_fault(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    return "it is not a file";
  }
  if (st.st_uid != geteuid()) {
    return "it belongs to another user";
  }
  if (st.st_mode & 077) {
    return "others can read it (chmod 600)";
  }
  return st.st_size == SECRET_BYTES ? NULL
                                    : "it is damaged (delete it; stores must then be adopted anew)";
}

static int read_secret(const char *path, unsigned char secret[SECRET_BYTES], Err *err) {
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return errno == ELOOP ? no_state(path, "it is a symbolic link", err)
                          : system_error(path, errno, err);
  }
  const char *fault = secret_fault(fd);
  errno = 0;
  if (!fault && read(fd, secret, SECRET_BYTES) != SECRET_BYTES) {
    system_error(path, errno ? errno : EIO, err);
  }
  close(fd);
  return fault ? no_state(path, fault, err) : err->rc;
}

/* *found 0: there is none, and none was to be made. */
static int load_secret(int create, unsigned char secret[SECRET_BYTES], int *found, Err *err) {
  char folder[PATH_BYTES], path[PATH_BYTES + 16];
  *found = 0;
  if (find_folder(folder, err) != RC_OK) {
    return err->rc;
  }
  snprintf(path, sizeof path, "%s/secret", folder);
  if (access(path, F_OK) != 0 && errno == ENOENT) {
    if (!create) {
      return RC_OK;
    }
    if (make_folders(folder, err) != RC_OK || write_secret(folder, path, err) != RC_OK) {
      return err->rc;
    }
  }
  *found = 1;
  return read_secret(path, secret, err);
}

/* `bytes` of the keyed hash of what and of, as hex. */
static void keyed_hex(const unsigned char secret[SECRET_BYTES], const char *what, const char *of,
                      size_t bytes, char *hex) {
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash_state state;
  crypto_generichash_init(&state, secret, SECRET_BYTES, sizeof hash);
  crypto_generichash_update(&state, (const unsigned char *)what, strlen(what) + 1);
  crypto_generichash_update(&state, (const unsigned char *)of, strlen(of));
  crypto_generichash_final(&state, hash, sizeof hash);
  sodium_bin2hex(hex, 2 * bytes + 1, hash, bytes);
}

int mark_make(const char *kind, const char *id, int create, Mark *mark, Err *err) {
  unsigned char secret[SECRET_BYTES];
  int found;
  mark->installation[0] = mark->mark[0] = 0;
  if (sodium_init() < 0) {
    return err_set(err, RC_ERROR, ERR_NO_STATE, "libsodium can't be set up");
  }
  if (load_secret(create, secret, &found, err) == RC_OK && found) {
    keyed_hex(secret, "llmcost installation", "", (MARK_INSTALLATION_SIZE - 1) / 2,
              mark->installation);
    keyed_hex(secret, kind, id, (MARK_SIZE - 1) / 2, mark->mark);
  }
  sodium_memzero(secret, sizeof secret);
  return err->rc;
}

int mark_is_equal(const char *a, const char *b) {
  return strlen(a) == strlen(b) && sodium_memcmp(a, b, strlen(a)) == 0;
}
