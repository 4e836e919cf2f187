/*
** Owners of requests: who is certainly gone, and who only can't be seen.
*/
#include "unit.h"

#include "store/db/owner.c"

#include <sys/resource.h>
#include <sys/wait.h>

unsigned long long inflight_token(void) {
  return 0x1234;
}

/* A process that has ended and was waited for: nobody has its number for a while. */
static long ended_process(void) {
  pid_t pid = fork();
  if (pid == 0) {
    _exit(0);
  }
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  return (long)pid;
}

static void test_states(void **state) {
  char self[OWNER_SIZE], here[OWNER_SIZE], other[OWNER_SIZE];
  unsigned long long ticks;
  (void)state;
  owner_self(self);
  where(here);
  assert_int_equal(owner_state(self), OWNER_ALIVE);
  assert_int_equal(start_time((long)getpid(), &ticks), 1);
  snprintf(other, sizeof other, "%.72s/%ld/%llu/0", here, (long)getpid(), ticks + 1);
  assert_int_equal(owner_state(other), OWNER_DEAD); /* a later one with its number */
  snprintf(other, sizeof other, "%.72s/%ld/77/0", here, ended_process());
  assert_int_equal(owner_state(other), OWNER_DEAD);
  snprintf(other, sizeof other, "%.72s/%ld/0/0", here, (long)getpid());
  assert_int_equal(owner_state(other), OWNER_UNSEEN);
  assert_int_equal(owner_state("another-machine/1/2/3/4"), OWNER_UNSEEN);
}

/* Without descriptors nothing of /proc can be read: that is no sign of death. */
static void test_no_descriptors(void **state) {
  struct rlimit all, none;
  unsigned long long ticks;
  char self[OWNER_SIZE], text[64];
  (void)state;
  owner_self(self);
  long gone = ended_process();
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
  none = all;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  int alive = start_time((long)getpid(), &ticks), dead = start_time(gone, &ticks);
  int read = read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);
  OwnerState seen = owner_state(self);
  setrlimit(RLIMIT_NOFILE, &all);
  assert_int_equal(alive, -1);
  assert_int_equal(dead, -1);
  assert_int_equal(read, -1);
  assert_int_equal(seen, OWNER_UNSEEN);
  assert_int_equal(start_time(gone, &ticks), 0);
  assert_int_equal(owner_state(self), OWNER_ALIVE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_states),
      cmocka_unit_test(test_no_descriptors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
