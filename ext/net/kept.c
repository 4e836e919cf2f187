/*
** See kept.h for the contract.
*/
#include "net/kept.h"

#include "base/clock.h"
#include "base/hash.h"

#include <string.h>

#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

/* Bytes that the other end has acknowledged. 1, or 0 where the kernel does not say. */
static int acknowledged(int fd, unsigned long long *bytes) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  int is_told = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
                size >= offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked;
  *bytes = is_told ? info.tcpi_bytes_acked : 0;
  return is_told;
}
#else
static int acknowledged(int fd, unsigned long long *bytes) {
  (void)fd;
  *bytes = 0;
  return 0;
}
#endif

/* The place of that connection, or of none (fd -1); -1: there is no such. */
static int find(const Kept *k, int fd) {
  int i = KEPT_CONNECTIONS - 1;
  while (i >= 0 && k->at[i].fd != fd + 1) {
    i--;
  }
  return i;
}

unsigned long long kept_server(const char *url) {
  unsigned long long name;
  const char *host = strstr(url, "://");
  host = host ? host + 3 : url;
  Hash h = hash_bytes(url, (size_t)(host - url) + strcspn(host, "/?#"), 0);
  memcpy(&name, h.b, sizeof name);
  return name;
}

void kept_note(Kept *k, int fd, unsigned long long server) {
  unsigned long long bytes;
  int i = find(k, fd);
  i = i >= 0 ? i : find(k, -1);
  if (i >= 0 && acknowledged(fd, &bytes)) {
    k->at[i].fd = fd + 1;
    k->at[i].acknowledged = bytes;
    k->at[i].server = server;
    k->at[i].since = monotonic_ms();
  }
}

int kept_is_unreached(Kept *k, int fd, int is_dead) {
  enum { MOMENT_MS = 1000 };
  unsigned long long bytes;
  int i = find(k, fd);
  if (i < 0) {
    return 0;
  }
  unsigned long long server = k->at[i].server;
  if (is_dead && monotonic_ms() - k->at[i].since < MOMENT_MS && !kept_hangs_up(k, server) &&
      k->n_hang_up < KEPT_SERVERS) {
    k->hang_up[k->n_hang_up++] = server;
  }
  k->at[i].fd = 0;
  return acknowledged(fd, &bytes) && bytes == k->at[i].acknowledged;
}

int kept_hangs_up(const Kept *k, unsigned long long server) {
  int found = 0;
  for (int i = 0; i < k->n_hang_up && !found; i++) {
    found = k->hang_up[i] == server;
  }
  return found;
}
