/*
** Kept connections that the other end gives up: whether a request has reached it at all, and whether it keeps any.
**
** A server may hang up just as the next request is on its way. The other end's TCP then refuses it without having
** acknowledged a byte, and nobody has read it: sending it again buys nothing twice. This is what the kernel knows of a
** connection (Linux, TCP_INFO); elsewhere, and of a connection that carries its first request, nothing is known.
** One that hangs up within a moment of its answer, without having said so, does that every time: its connections are not used
** again, as the kernel may acknowledge what nobody is going to read.
*/
#ifndef LLMCOST_KEPT_H
#define LLMCOST_KEPT_H

enum {
  KEPT_CONNECTIONS = 256, /* of more nothing is known */
  KEPT_SERVERS = 8        /* that hang up */
};

/* What the other ends of kept connections had acknowledged when their last answer was here, and who hangs up. Zeroed: of
** none. */
typedef struct Kept {
  struct {
    int fd; /* plus 1; 0: a free place */
    unsigned long long acknowledged, server;
    long long since; /* monotonic ms */
  } at[KEPT_CONNECTIONS];
  unsigned long long hang_up[KEPT_SERVERS];
  int n_hang_up;
} Kept;

/* The name of a server: of scheme, host and port of the URL that is asked. */
unsigned long long kept_server(const char *url);

/* An answer of that server came over it, and it is kept. */
void kept_note(Kept *k, int fd, unsigned long long server);

/* It is about to be closed: 1 if the other end has acknowledged nothing since its last answer. `is_dead`: the other end has hung
** up, and nothing was sent since. */
int kept_is_unreached(Kept *k, int fd, int is_dead);

/* 1 if that server gives up its connections at once. */
int kept_hangs_up(const Kept *k, unsigned long long server);

#endif
