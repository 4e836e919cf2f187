/*
** HTTP: POSTs over libcurl's multi interface, one or many at a time, driven by the calling thread.
**
** Connections are kept per Net (one per database connection) and HTTP/2 is used where offered. TLS
** is verified, http is for loopback, redirects are never followed, proxies are used only when one
** is given. curl's own silent resend on a dead kept connection is off once a byte of the body has
** left: a request may cost money, so sending it twice is the caller's decision; but one that provably did not arrive
** over a kept connection (kept.h) goes over a new one. Room for most answers is there
** before the request leaves. net_close leaves what came by fork() alone.
*/
#ifndef LLMCOST_TRANSPORT_H
#define LLMCOST_TRANSPORT_H

#include "base/buf.h"
#include "base/error.h"
#include "net/limits.h"

typedef struct Net Net;

typedef enum NetResult {
  NET_ANSWERED,    /* a whole HTTP response arrived, whatever its status */
  NET_NOT_SENT,    /* no byte of the body left: nothing can have been billed */
  NET_STOPPED,     /* the same, because the user interrupted it */
  NET_LOST,        /* it left, and no whole answer came back */
  NET_TIMED_OUT,   /* the same, by our clock: the total time */
  NET_INTERRUPTED, /* the same, by the user */
  NET_REFUSED,     /* an answer beyond our limits */
  NET_NO_MEMORY    /* it left, and there was no memory for the answer */
} NetResult;

typedef struct NetRequest {
  const char *url;
  /* "Name: value", NULL-terminated; wiped from curl's memory afterwards. */
  const char *const *headers;
  const char *body;
  size_t n;
  long connect_ms, total_ms;
  /* Longest silence within an answer that has begun. Before there is no limit: an answer that is made whole before it
  ** is sent is silent by design. */
  long idle_ms;
  /* 1 if the bytes so far (NUL-terminated) are the beginning of an answer; NULL: any that is no blank, which gateways send to keep the
  ** connection, is. */
  int (*has_begun)(const char *bytes, size_t n);
  /* 1 if they are all of it: a server that does not end the response behind it is not waited for. */
  int (*is_done)(const char *bytes, size_t n);
  const char *proxy;             /* NULL: none, whatever the environment says */
  const char *ca_file;           /* NULL: the system's */
  int (*interrupted)(void *arg); /* of net_post */
  void *interrupt_arg;
} NetRequest;

typedef struct NetResponse {
  NetResult result;
  long http_status;
  Buf body;
  NetWaits waits;        /* what it says of its limits, and when to come again */
  char should_retry[8];  /* header x-should-retry */
  char request_id[96];   /* what it calls the request, by whichever header */
  char content_type[96]; /* header content-type; "" where there is none */
  char location[256];    /* header location, of a redirect */
  char codings[64];      /* headers content-encoding: what net_decode is to undo */
  long long elapsed_ms;
  int is_nomem;  /* not sent, for want of memory */
  char why[160]; /* what went wrong, where no answer arrived; holds no header */
} NetResponse;

/* NULL and *err on failure. */
Net *net_open(Err *err);
void net_close(Net *net);

/* 1 if this process got it by fork(): its connections are the parent's. */
int net_is_inherited(const Net *net);

/* Gives it up as it is: closing would tell the other end. (Its descriptors stay open until this process ends.) */
void net_leave(Net *net);

/* One that is on its way. */
typedef struct NetTransfer NetTransfer;

/* Sends and does not wait: net_turn does, for all that are on their way. Request and response stay where they are until it has ended.
** NULL and *err where nothing was sent, for want of memory. What the request says of interrupts is not looked at. */
NetTransfer *net_start(Net *net, const NetRequest *request, NetResponse *response, Err *err);

/* Goes on with all of them, and waits up to `ms` until something happens. While nobody calls it their time stands still: answers
** wait in the system, and an application may do something else. */
void net_turn(Net *net, long long ms);

/* 1 if it has ended: the response is filled, or *err is RC_NOMEM and nothing
** was sent. It is gone then. */
int net_has_ended(NetTransfer *t, Err *err);

/* Ends it as an interrupt does, unless it has ended. */
void net_stop(NetTransfer *t);

/* 1 if something is on its way. */
int net_is_busy(const Net *net);

/* Sends and waits. Always fills *response (free it with net_response_free). RC_OK unless out of
** memory, or unable to set curl up; then nothing was sent. */
int net_post(Net *net, const NetRequest *request, NetResponse *response, Err *err);
void net_response_free(NetResponse *response);

/* Undoes the content codings of its body, once. RC_OK, RC_NOMEM (the body is as it was: try again), or RC_TOOBIG, in *err
** too: each time. */
int net_decode(NetResponse *response, Err *err);

/* "libcurl/… (TLS backend)". Static storage. */
const char *net_version(void);

#endif
