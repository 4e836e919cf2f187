/*
** A clock that somebody sets: while the file named by WALL_CLOCK_SET_BACK exists, the time of day is ten minutes less; or, where
** the file holds a number, so many milliseconds more. To be preloaded.
*/
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BACK_MS = 600000 };

/* Milliseconds to be added. */
static long long shift(void) {
  const char *file = getenv("WALL_CLOCK_SET_BACK");
  char text[32] = "";
  int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) {
    close(fd);
  }
  return fd < 0 ? 0 : n > 0 ? strtoll(text, NULL, 10) : -BACK_MS;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
  int (*next)(clockid_t, struct timespec *) =
      (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int rc = next(clock, t);
  if (clock == CLOCK_REALTIME) {
    long long ms = t->tv_sec * 1000LL + t->tv_nsec / 1000000 + shift();
    t->tv_sec = (time_t)(ms / 1000);
    t->tv_nsec = ms % 1000 * 1000000 + t->tv_nsec % 1000000;
  }
  return rc;
}

int gettimeofday(struct timeval *t, void *zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) {
    *out = now.tv_sec;
  }
  return now.tv_sec;
}
