/*
** HTTP: requests over libcurl's multi interface, one or many at a time, driven by the calling thread. A body is sent from memory or
** made while it is sent, also as the file of a form; an answer is kept, or handed on as it comes.
**
** Connections are kept per Net (one per database connection) and HTTP/2 is used where offered. TLS
** is verified, http is for loopback, redirects are never followed, proxies are used only when one
** is given. curl's own silent resend on a dead kept connection is off once a byte of the body has
** left: a request may cost money, so sending it twice is the caller's decision; but one that provably did not arrive
** over a kept connection (kept.h) goes over a new one. (What has no body of its own, GET, DELETE and an empty POST, curl does send
** again there: these ask, or end something, and cost nothing.) Of a form and of what has no body, the request's first byte counts as
** the first of the body. Room for most answers is there
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
  NET_REFUSED,     /* an answer beyond our limits, or coded as we did not ask for */
  NET_NO_MEMORY,   /* it left, and there was no memory for the answer */
  NET_GIVEN_UP     /* who makes its body or takes its answer gave up; nothing else gives this */
} NetResult;

typedef enum NetMethod { NET_POST, NET_GET, NET_DELETE } NetMethod;

/* A field of a form. */
typedef struct NetField {
  const char *name, *value;
} NetField;

#define NET_READ_FAILED ((size_t)-1)

/* A body that is made while it is sent, never all of it in memory. */
typedef struct NetUpload {
  size_t n; /* exactly so many bytes */
  /* The next bytes, 1 to `room`: how many. 0 (it has no more) or NET_READ_FAILED ends the request. */
  size_t (*read)(void *arg, char *to, size_t room);
  /* Back to its beginning, where it stands when the request starts: for a kept connection that died before the request was there.
  ** RC_OK, or the request ends. */
  int (*rewind)(void *arg);
  void *arg;
  /* NULL: it is the body. Else the body is a form (multipart/form-data; the header content-type is made): these fields, the last with
  ** the name NULL, and then it as the file of field `name`. */
  const NetField *fields;
  const char *name, *file_name, *content_type;
} NetUpload;

/* Who takes the body of an answer piece by piece, without the content coding (unpack.h). RC_OK, or the request ends. */
typedef struct NetSink {
  int (*take)(void *arg, const char *data, size_t n);
  void *arg;
} NetSink;

typedef struct NetRequest {
  const char *url;
  /* "Name: value", NULL-terminated; wiped from curl's memory afterwards. */
  const char *const *headers;
  NetMethod method;
  const char *body; /* of a POST; n may be 0 */
  size_t n;
  const NetUpload *upload; /* in place of `body`; NULL: none */
  const NetSink *
      sink; /* takes the body of a status 200, and of no other; NULL: `body` of the response does */
  long connect_ms, total_ms;
  /* Longest silence within an answer that has begun, and within an upload. Between them there is no limit: an answer that is made
  ** whole before it is sent is silent by design. */
  long idle_ms;
  /* 1 if the bytes so far (NUL-terminated) are the beginning of an answer; NULL: any that is no blank, which gateways send to keep the
  ** connection, is. */
  int (*has_begun)(const char *bytes, size_t n);
  /* 1 if they are all of it: a server that does not end the response behind it is not waited for. NULL: nobody can tell. */
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
  size_t sent,
      received; /* bytes of both bodies: of ours (without a form's own) what curl took, of the other as it came */
  /* 1 if neither its length nor its end was said: one that came to a sink and was cut off looks whole. */
  int is_open_ended;
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

/* Sends and waits, whatever the method. Always fills *response (free it with net_response_free). RC_OK unless out of
** memory, or unable to set curl up; then nothing was sent. */
int net_post(Net *net, const NetRequest *request, NetResponse *response, Err *err);
void net_response_free(NetResponse *response);

/* Undoes the content codings of its body, once. RC_OK, RC_NOMEM (the body is as it was: try again), or RC_TOOBIG, in *err
** too: each time. */
int net_decode(NetResponse *response, Err *err);

/* "libcurl/… (TLS backend)". Static storage. */
const char *net_version(void);

#endif
