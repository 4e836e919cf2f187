/*
** See inject.h. Freed memory is overwritten, so that what is used after its end is seen to be wrong.
*/
#include "inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static atomic_int armed = FAULT_COUNT; /* which kind is watched; FAULT_COUNT: none */
static atomic_long seen, failed, live, at;
static int lasts, code_of_fault;

void inject_start(Fault kind, long n, int forever, int code) {
  seen = failed = 0;
  at = n;
  lasts = forever;
  code_of_fault = code;
  armed = (int)kind;
}

long inject_stop(void) {
  armed = FAULT_COUNT;
  return seen;
}

long inject_failed(void) {
  return failed;
}

long inject_live(void) {
  return live;
}

/* Counts an operation; 1 if it is to fail. */
static int fails(Fault kind) {
  if (armed != (int)kind) {
    return 0;
  }
  long number = ++seen;
  if (at == 0 || number < at || (number > at && !lasts)) {
    return 0;
  }
  failed++;
  errno = code_of_fault;
  return 1;
}

/* --- memory */

void *malloc(size_t n) {
  void *p = fails(FAULT_MEMORY) ? NULL : __libc_malloc(n);
  live += p != NULL;
  return p;
}

void *calloc(size_t count, size_t size) {
  void *p = fails(FAULT_MEMORY) ? NULL : __libc_calloc(count, size);
  live += p != NULL;
  return p;
}

void *realloc(void *old, size_t n) {
  if (fails(FAULT_MEMORY)) {
    return NULL;
  }
  void *p = __libc_realloc(old, n);
  live += !old && p;
  live -= old && !p && n == 0;
  return p;
}

void *memalign(size_t alignment, size_t n) {
  void *p = fails(FAULT_MEMORY) ? NULL : __libc_memalign(alignment, n);
  live += p != NULL;
  return p;
}

void *aligned_alloc(size_t alignment, size_t n) {
  return memalign(alignment, n);
}

int posix_memalign(void **out, size_t alignment, size_t n) {
  *out = memalign(alignment, n);
  return *out ? 0 : ENOMEM;
}

void free(void *p) {
  if (p) {
    int kept = errno;
    live--;
    memset(p, 0xDB, malloc_usable_size(p));
    __libc_free(p);
    errno = kept;
  }
}

/* --- files */

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static int is_file(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define OPEN(name)                                                                                 \
  int name(const char *path, int flags, ...) {                                                     \
    va_list ap;                                                                                    \
    va_start(ap, flags);                                                                           \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;                          \
    va_end(ap);                                                                                    \
    return fails(FAULT_OPEN) ? -1 : NEXT(name)(path, flags, mode);                                 \
  }
OPEN(open)
OPEN(open64)

int socket(int domain, int type, int protocol) {
  return fails(FAULT_OPEN) ? -1 : NEXT(socket)(domain, type, protocol);
}

ssize_t read(int fd, void *to, size_t n) {
  return is_file(fd) && fails(FAULT_READ) ? -1 : NEXT(read)(fd, to, n);
}
ssize_t pread(int fd, void *to, size_t n, off_t from) {
  return is_file(fd) && fails(FAULT_READ) ? -1 : NEXT(pread)(fd, to, n, from);
}
ssize_t pread64(int fd, void *to, size_t n, off64_t from) {
  return is_file(fd) && fails(FAULT_READ) ? -1 : NEXT(pread64)(fd, to, n, from);
}
ssize_t write(int fd, const void *from, size_t n) {
  return is_file(fd) && fails(FAULT_WRITE) ? -1 : NEXT(write)(fd, from, n);
}
ssize_t pwrite(int fd, const void *from, size_t n, off_t to) {
  return is_file(fd) && fails(FAULT_WRITE) ? -1 : NEXT(pwrite)(fd, from, n, to);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t to) {
  return is_file(fd) && fails(FAULT_WRITE) ? -1 : NEXT(pwrite64)(fd, from, n, to);
}
int ftruncate(int fd, off_t n) {
  return fails(FAULT_WRITE) ? -1 : NEXT(ftruncate)(fd, n);
}
int ftruncate64(int fd, off64_t n) {
  return fails(FAULT_WRITE) ? -1 : NEXT(ftruncate64)(fd, n);
}
int fsync(int fd) {
  return fails(FAULT_SYNC) ? -1 : NEXT(fsync)(fd);
}
int fdatasync(int fd) {
  return fails(FAULT_SYNC) ? -1 : NEXT(fdatasync)(fd);
}
void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t from) {
  return fd >= 0 && fails(FAULT_MAP) ? MAP_FAILED
                                     : NEXT(mmap)(where, n, protection, flags, fd, from);
}
void *mmap64(void *where, size_t n, int protection, int flags, int fd, off64_t from) {
  return fd >= 0 && fails(FAULT_MAP) ? MAP_FAILED
                                     : NEXT(mmap64)(where, n, protection, flags, fd, from);
}
