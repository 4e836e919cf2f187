/*
** Process identity by /proc. See owner.h for the contract.
**
** A process id alone is not enough: it is reused, and another container counts its own. On a system
** without /proc every part reads "-" and owners are never certainly dead: leases decide.
*/
#include "store/owner.h"

#include "store/inflight.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* First bytes of a file as text; "" where it can't be read. */
static void read_file(const char *path, char *out, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
  out[n < 0 ? 0 : n] = 0;
  if (fd >= 0) {
    close(fd);
  }
}

/* The start time (field 22 of /proc/PID/stat, in clock ticks since boot); 0: no such process, or
** one that has ended and only waits for its parent (states Z and X, field 3). */
static unsigned long long start_time(long pid) {
  char path[48], stat[1024];
  unsigned long long ticks = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  read_file(path, stat, sizeof stat);
  const char *p = strrchr(stat, ')'); /* the name before it may hold blanks */
  if (p && (p[2] == 'Z' || p[2] == 'X')) {
    return 0;
  }
  for (int field = 2; p && field < 22; field++) {
    p = strchr(p + 1, ' ');
  }
  if (p) {
    sscanf(p, "%llu", &ticks);
  }
  return ticks;
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

void owner_self(char out[OWNER_SIZE]) {
  char here[OWNER_SIZE];
  long pid = (long)getpid();
  where(here);
  snprintf(out, OWNER_SIZE, "%.72s/%ld/%llu/%llx", here, pid, start_time(pid), inflight_token());
}

OwnerState owner_state(const char *owner) {
  char here[OWNER_SIZE];
  long pid = 0;
  unsigned long long started = 0;
  where(here);
  size_t n = strlen(here);
  if (here[0] == '-' || strncmp(owner, here, n) != 0 || owner[n] != '/' ||
      sscanf(owner + n, "/%ld/%llu", &pid, &started) != 2 || started == 0) {
    return OWNER_UNSEEN;
  }
  return start_time(pid) == started ? OWNER_ALIVE : OWNER_DEAD;
}
