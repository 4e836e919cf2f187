/*
** A clock that somebody sets back: while the file named by WALL_CLOCK_SET_BACK exists, the time of day is ten
** minutes less. To be preloaded.
*/
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { BACK = 600 };

static time_t shift(void) {
  const char *file = getenv("WALL_CLOCK_SET_BACK");
  return file && access(file, F_OK) == 0 ? -BACK : 0;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
  int (*next)(clockid_t, struct timespec *) =
      (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int rc = next(clock, t);
  t->tv_sec += clock == CLOCK_REALTIME ? shift() : 0;
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
