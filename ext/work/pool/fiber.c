/*
** See fiber.h for the contract.
*/
#include "work/pool/fiber.h"

#include <stdlib.h>

#ifdef __GLIBC__

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define LEAVE(to_save, stack, size) __sanitizer_start_switch_fiber(to_save, stack, size)
#define ARRIVE(saved, stack, size) __sanitizer_finish_switch_fiber(saved, stack, size)
#else
#define LEAVE(to_save, stack, size) ((void)(to_save))
#define ARRIVE(saved, stack, size) ((void)(saved))
#endif

/* A request needs some 40 KiB; what is asked of it (a schema's depth, a gate's expression, an answer's JSON) is bounded, and
** needs less than the rest. (Under a sanitizer frames are several times as large.) */
enum { STACK_BYTES = 1 << 20 };

struct Fiber {
  ucontext_t own, resumer;
  void *stack; /* the page that can't be touched, and STACK_BYTES behind it */
  size_t mapped;
  void (*run)(void *arg);
  void *arg;
  int is_idle;
  /* what AddressSanitizer wants to know */
  void *fake_own, *fake_resumer;
  const void *resumer_stack;
  size_t resumer_size;
};

int fiber_are_there(void) {
  return 1;
}

Fiber *fiber_new(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  Fiber *f = calloc(1, sizeof *f);
  if (!f) {
    return NULL;
  }
  f->mapped = STACK_BYTES + page;
  f->stack = mmap(NULL, f->mapped, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (f->stack == MAP_FAILED) {
    free(f);
    return NULL;
  }
  if (mprotect(f->stack, page, PROT_NONE) != 0) {
    munmap(f->stack, f->mapped);
    free(f);
    return NULL;
  }
  f->is_idle = 1;
  return f;
}

void fiber_free(Fiber *f) {
  if (f) {
    munmap(f->stack, f->mapped);
    free(f);
  }
}

/* The function of every fiber: makecontext passes ints, so its pointer comes in two halves. Never returns: it is left for
** good as soon as it is idle, and begins anew. */
static void enter(unsigned high, unsigned low) {
  Fiber *f = (Fiber *)(((size_t)high << 16 << 16) | low);
  ARRIVE(NULL, &f->resumer_stack, &f->resumer_size);
  f->run(f->arg);
  f->is_idle = 1;
  LEAVE(NULL, f->resumer_stack, f->resumer_size);
  setcontext(&f->resumer);
}

void fiber_start(Fiber *f, void (*run)(void *arg), void *arg) {
  f->run = run;
  f->arg = arg;
  f->is_idle = 0;
  getcontext(&f->own);
  f->own.uc_stack.ss_sp = (char *)f->stack + (f->mapped - STACK_BYTES);
  f->own.uc_stack.ss_size = STACK_BYTES;
  f->own.uc_link = NULL;
  makecontext(&f->own, (void (*)(void))enter, 2, (unsigned)((size_t)f >> 16 >> 16),
              (unsigned)(size_t)f);
}

int fiber_resume(Fiber *f) {
  LEAVE(&f->fake_resumer, f->own.uc_stack.ss_sp, STACK_BYTES);
  swapcontext(&f->resumer, &f->own);
  ARRIVE(f->fake_resumer, NULL, NULL);
  return !f->is_idle;
}

void fiber_yield(Fiber *f) {
  LEAVE(&f->fake_own, f->resumer_stack, f->resumer_size);
  swapcontext(&f->own, &f->resumer);
  ARRIVE(f->fake_own, &f->resumer_stack, &f->resumer_size);
}

#else

int fiber_are_there(void) {
  return 0;
}

Fiber *fiber_new(void) {
  return NULL;
}

void fiber_free(Fiber *f) {
  (void)f;
}

void fiber_start(Fiber *f, void (*run)(void *arg), void *arg) {
  (void)f, (void)run, (void)arg;
}

int fiber_resume(Fiber *f) {
  (void)f;
  return 0;
}

void fiber_yield(Fiber *f) {
  (void)f;
}

#endif
