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
  owner_self("", self);
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

static void place_in(const char *folder, const char *name, char place[OWNER_PLACE_SIZE]) {
  char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  owner_place(path, place);
}

/* A file is the same by another name, and its copy is another. */
static void test_places(void **state) {
  char folder[] = "/tmp/llmcost-owner-XXXXXX", command[400];
  char one[OWNER_PLACE_SIZE], link[OWNER_PLACE_SIZE], copy[OWNER_PLACE_SIZE], new[OWNER_PLACE_SIZE];
  (void)state;
  assert_non_null(mkdtemp(folder));
  snprintf(command, sizeof command, "cd %s && echo 1 > one && ln one link && cp one copy", folder);
  assert_int_equal(system(command), 0);
  place_in(folder, "one", one);
  place_in(folder, "link", link);
  place_in(folder, "copy", copy);
  snprintf(command, sizeof command, "cd %s && mv one new", folder);
  assert_int_equal(system(command), 0);
  place_in(folder, "new", new);
  assert_string_equal(one, link);
  assert_string_equal(one, new);
  assert_string_not_equal(one, copy);
  place_in(folder, "one", one);
  assert_string_equal(one, "");
  owner_place(NULL, one);
  assert_string_equal(one, "");
  snprintf(command, sizeof command, "rm -r %s", folder);
  assert_int_equal(system(command), 0);
}

/* Who wrote into another file has left this one, alive or not; where a file or a boot is not known, life decides. */
static void test_elsewhere(void **state) {
  char self[OWNER_SIZE], bare[OWNER_SIZE], strange[OWNER_SIZE];
  (void)state;
  owner_self("10.2a", self);
  owner_self("", bare);
  assert_true(owner_is_self(self) && owner_is_self(bare));
  assert_string_equal(self + strlen(bare), "@10.2a");
  assert_int_equal(owner_state(self), OWNER_ALIVE);
  assert_true(owner_is_elsewhere(self, "10.2b") && owner_is_elsewhere(self, "11.2a"));
  assert_false(owner_is_elsewhere(self, "10.2a") || owner_is_elsewhere(self, ""));
  assert_false(owner_is_elsewhere(bare, "10.2a"));
  assert_true(owner_has_left(self, "10.2b", 2000, 1000));
  assert_false(owner_has_left(self, "10.2a", 2000, 1000) ||
               owner_has_left(bare, "10.2a", 2000, 1000));
  snprintf(strange, sizeof strange, "%s", self);
  strange[0] = strange[0] == 'f' ? 'e' : 'f';
  assert_false(owner_is_self(strange) || owner_is_elsewhere(strange, "10.2b"));
  assert_false(owner_has_left(strange, "10.2b", 2000, 1000));
  assert_true(owner_has_left(strange, "10.2b", 999, 1000));
}

/* Without descriptors nothing of /proc can be read: that is no sign of death. */
static void test_no_descriptors(void **state) {
  struct rlimit all, none;
  unsigned long long ticks;
  char self[OWNER_SIZE], text[64];
  (void)state;
  owner_self("", self);
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
      cmocka_unit_test(test_places),
      cmocka_unit_test(test_elsewhere),
      cmocka_unit_test(test_no_descriptors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
