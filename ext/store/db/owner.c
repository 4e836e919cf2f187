/*
** Process identity by /proc. See owner.h for the contract.
**
** A process id alone is not enough: it is reused, and another container counts its own. On a system
** without /proc every part reads "-" and owners are never certainly dead: leases decide. So it is where a
** file of /proc can't be opened (no descriptors, no right): only what is certainly gone is dead.
*/
#include "store/db/owner.h"

#include "store/db/inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* First bytes of a file as text. 1; 0 where there is certainly no such file, or its process has just
** ended; -1 where it could not be looked at ("" in both cases). */
static int read_file(const char *path, char *out, size_t size) {
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
  int is_absent = n < 0 && (errno == ENOENT || errno == ESRCH);
  out[n < 0 ? 0 : n] = 0;
  if (fd >= 0) {
    close(fd);
  }
  return n > 0 ? 1 : is_absent ? 0 : -1;
}

/* The start time (field 22 of /proc/PID/stat, in clock ticks since boot) in *ticks: 1; 0: no such process,
** or one that has ended and only waits for its parent (states Z and X, field 3); -1: it can't be told. */
static int start_time(long pid, unsigned long long *ticks) {
  char path[48], stat[1024];
  *ticks = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  int found = read_file(path, stat, sizeof stat);
  if (found != 1) {
    /* Other users' processes may be hidden in /proc: the kernel has the last word. */
    return found == 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH ? 0 : -1;
  }
  const char *p = strrchr(stat, ')'); /* the name before it may hold blanks */
  if (p && p[1] && (p[2] == 'Z' || p[2] == 'X')) {
    return 0;
  }
  for (int field = 2; p && field < 22; field++) {
    p = strchr(p + 1, ' ');
  }
  return p && sscanf(p, "%llu", ticks) == 1 ? 1 : -1;
}

/* "boot/namespace" of this process. */
static void where(char out[OWNER_SIZE]) {
  char boot[40];
  struct stat ns;
  read_file("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
  boot[strcspn(boot, "\n")] = 0;
  unsigned long inode = stat("/proc/self/ns/pid", &ns) == 0 ? (unsigned long)ns.st_ino : 0;
  snprintf(out, OWNER_SIZE, "%s/%lu", boot[0] ? boot : "-", inode);
}

enum { PROCESS_SIZE = OWNER_SIZE - OWNER_PLACE_SIZE };

/* 1 if all of it could be read. */
static int read_self(long pid, char out[PROCESS_SIZE]) {
  char here[OWNER_SIZE];
  unsigned long long started;
  where(here);
  int is_told = start_time(pid, &started) == 1 && here[0] != '-';
  snprintf(out, PROCESS_SIZE, "%.72s/%ld/%llu/%llx", here, pid, started, inflight_token());
  return is_told;
}

void owner_place(const char *path, char place[OWNER_PLACE_SIZE]) {
  struct stat st;
  place[0] = 0;
  if (path && stat(path, &st) == 0) {
    snprintf(place, OWNER_PLACE_SIZE, "%llx.%llx", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
  }
}

/* Kept once it could be read: it stays the same for as long as the process lives. */
void owner_self(const char *place, char out[OWNER_SIZE]) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static char kept[PROCESS_SIZE];
  static long kept_pid;
  long pid = (long)getpid();
  pthread_mutex_lock(&lock);
  if (kept_pid != pid) { /* (a child of fork is another) */
    kept_pid = read_self(pid, kept) ? pid : 0;
  }
  snprintf(out, OWNER_SIZE, "%s%s%.*s", kept, place[0] ? "@" : "", OWNER_PLACE_SIZE - 2, place);
  pthread_mutex_unlock(&lock);
}

int owner_is_self(const char *owner) {
  char self[OWNER_SIZE];
  owner_self("", self);
  size_t n = strlen(self);
  return strncmp(owner, self, n) == 0 && (owner[n] == 0 || owner[n] == '@');
}

int owner_is_elsewhere(const char *owner, const char *place) {
  char here[OWNER_SIZE];
  const char *at = strchr(owner, '@');
  if (!at || !place[0] || strcmp(at + 1, place) == 0) {
    return 0;
  }
  where(here);
  size_t boot = strcspn(here, "/");
  return here[0] != '-' && strncmp(owner, here, boot + 1) == 0;
}

OwnerState owner_state(const char *owner) {
  char here[OWNER_SIZE];
  long pid = 0;
  unsigned long long started = 0, ticks;
  where(here);
  size_t n = strlen(here);
  if (here[0] == '-' || strncmp(owner, here, n) != 0 || owner[n] != '/' ||
      sscanf(owner + n, "/%ld/%llu", &pid, &started) != 2 || pid <= 0 || started == 0) {
    return OWNER_UNSEEN;
  }
  int found = start_time(pid, &ticks);
  return found < 0 ? OWNER_UNSEEN : found && ticks == started ? OWNER_ALIVE : OWNER_DEAD;
}

enum { FORGOTTEN_MS = 3600000 };

int owner_has_left(const char *owner, const char *place, long long lease_until, long long now) {
  OwnerState state = owner_is_elsewhere(owner, place) ? OWNER_DEAD : owner_state(owner);
  return state == OWNER_DEAD || (state == OWNER_UNSEEN && lease_until < now) ||
         lease_until < now - FORGOTTEN_MS;
}
