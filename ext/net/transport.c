/*
** The transport. See transport.h for the contract.
**
** The body is given to curl through a read callback without a seek callback, also as a part of a form: curl can then not
** rewind, and fails instead of quietly sending a POST again on a fresh connection.
*/
#include "net/transport.h"

#include "base/clock.h"
#include "net/decode.h"
#include "net/header.h"
#include "net/kept.h"
#include "net/unpack.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  DONE_MS = 500, /* for the end of a response behind the end of its stream */
  /* By itself libcurl keeps four connections for each request on its way: of many that end together it would close most. */
  CONNECTIONS_KEPT = 1024,
  SOCKETS_EACH =
      4, /* of one transfer, at most: two while it connects, and those that wake a resolver's caller */
  IDLE_MOST = 256, /* handles that are kept: more cost memory, fewer the time to make them */
  LEFT_ALONE_MS =
      250 /* so long nobody drives it while an application does something else: that is not the provider's time */
};

struct Net {
  pid_t pid; /* of the process that opened it */
  CURLM *multi;
  NetTransfer *first; /* those that are on their way, or have ended and were not asked for yet */
  int n;
  CURL *idle[IDLE_MOST]; /* handles for the next ones */
  int n_idle;
  Kept kept;
  struct pollfd *sockets; /* owned: what libcurl waits for */
  nfds_t n_sockets, room;
  long long timer_at; /* monotonic ms: when it wants to be called though nothing came; -1: not */
  long long driven,
      looked; /* monotonic ms: when libcurl was last driven, and silence last looked for */
};

struct NetTransfer {
  NetTransfer *next;
  Net *net;
  CURL *easy;
  struct curl_slist *headers;
  const NetRequest *request;
  NetResponse *response;
  curl_mime *form; /* the body, where it is one */
  Unpack *unpack;  /* of an answer that goes to a sink */
  size_t sent;     /* bytes of the body given to curl */
  size_t header_bytes, received;
  size_t looked_at; /* bytes of the body, for the beginning of an answer */
  int over_limit, no_memory, has_begun, is_looked_at;
  int is_unreached; /* its connection was a kept one, and died before the request was there */
  int is_repeated;  /* for that it goes over a new one */
  int is_stopped, is_ended;
  int is_leaving;                   /* the request is about to leave, or has */
  int is_pouring;                   /* its body goes to the sink */
  int has_given_up, is_undecodable; /* its source or its sink; its coding */
  int has_length;                   /* the end of its body is said */
  int has_headers;                  /* all of its headers are here */
  int port;                         /* ours, of its connection; 0: not known */
  long long started, progress;      /* monotonic ms, later by what nobody drove it */
  size_t seen;                      /* bytes that had moved at the time of `progress` */
};

/* Once for the process; tried again where it failed. */
static CURLcode curl_start(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static int is_started;
  pthread_mutex_lock(&lock);
  CURLcode code = is_started ? CURLE_OK : curl_global_init(CURL_GLOBAL_DEFAULT);
  is_started = code == CURLE_OK;
  pthread_mutex_unlock(&lock);
  return code;
}

static long long ms_since(long long when) {
  return monotonic_ms() - when;
}

/* libcurl says which sockets it waits for, and for what. (Asked about each request on its way, as curl_multi_perform does, it would
** ask the system about each: of hundreds that costs more than all else.) */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *ignored) {
  static const short events[] = {[CURL_POLL_NONE] = 0,
                                 [CURL_POLL_IN] = POLLIN,
                                 [CURL_POLL_OUT] = POLLOUT,
                                 [CURL_POLL_INOUT] = POLLIN | POLLOUT,
                                 [CURL_POLL_REMOVE] = 0};
  Net *net = arg;
  nfds_t i = 0;
  (void)easy, (void)ignored;
  while (i < net->n_sockets && net->sockets[i].fd != fd) {
    i++;
  }
  if (what == CURL_POLL_REMOVE) {
    if (i < net->n_sockets) {
      net->sockets[i] = net->sockets[--net->n_sockets];
    }
    return 0;
  }
  if (i == net->room) {
    return -1; /* (there is room for more than a transfer has) */
  }
  net->n_sockets += i == net->n_sockets;
  net->sockets[i] = (struct pollfd){.fd = fd, .events = events[what]};
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg) {
  (void)multi;
  ((Net *)arg)->timer_at = ms < 0 ? -1 : monotonic_ms() + ms;
  return 0;
}

static CURLMcode set_multi(Net *net) {
  CURLMcode code = CURLM_OK;
#define SET(option, value)                                                                         \
  code = code == CURLM_OK ? curl_multi_setopt(net->multi, CURLMOPT_##option, value) : code
  SET(MAXCONNECTS, (long)CONNECTIONS_KEPT);
  SET(SOCKETFUNCTION, on_socket);
  SET(SOCKETDATA, net);
  SET(TIMERFUNCTION, on_timer);
  SET(TIMERDATA, net);
#undef SET
  return code;
}

Net *net_open(Err *err) {
  Net *net = curl_start() == CURLE_OK ? calloc(1, sizeof *net) : NULL;
  if (net) {
    net->pid = getpid();
    net->timer_at = -1;
    net->multi = curl_multi_init();
  }
  if (!net || !net->multi || set_multi(net) != CURLM_OK) {
    net_close(net);
    err_nomem(err);
    return NULL;
  }
  return net;
}

int net_is_inherited(const Net *net) {
  return net->pid != getpid();
}

void net_leave(Net *net) {
  free(net);
}

void net_close(Net *net) {
  if (net && net_is_inherited(net)) {
    net_leave(net);
  } else if (net) {
    while (net->n_idle > 0) {
      curl_easy_cleanup(net->idle[--net->n_idle]);
    }
    curl_multi_cleanup(net->multi);
    free(net->sockets);
    free(net);
  }
}

static size_t body_size(const NetRequest *q) {
  return q->method != NET_POST ? 0 : q->upload ? q->upload->n : q->n;
}

/* 1 if the first byte of the body may have left. What has no body of its own leaves with its first byte; so does a form, whose fields
** curl sends unasked. */
static int has_left(const NetTransfer *t) {
  int is_told = t->form == NULL && body_size(t->request) > 0;
  return is_told ? t->sent > 0 : t->is_leaving;
}

/* The next bytes of a body that is made while it is sent. */
static size_t read_upload(NetTransfer *t, char *to, size_t room) {
  const NetUpload *u = t->request->upload;
  size_t left = u->n - t->sent;
  room = room < left ? room : left;
  size_t n = room > 0 ? u->read(u->arg, to, room) : 0;
  if (room > 0 && (n == 0 || n > room)) {
    t->has_given_up = 1;
    return CURL_READFUNC_ABORT;
  }
  t->sent += n;
  return n;
}

static size_t on_read(char *to, size_t size, size_t count, void *arg) {
  NetTransfer *t = arg;
  if (t->request->upload) {
    return read_upload(t, to, size * count);
  }
  size_t n = size * count, left = t->request->n - t->sent;
  n = n < left ? n : left;
  memcpy(to, t->request->body + t->sent, n);
  t->sent += n;
  return n;
}

static int to_sink(void *arg, const char *data, size_t n) {
  NetTransfer *t = arg;
  const NetSink *sink = t->request->sink;
  t->has_given_up = sink->take(sink->arg, data, n) != RC_OK;
  return t->has_given_up ? RC_INTERRUPT : RC_OK;
}

/* What came of bytes for the sink. 1 if it goes on. */
static int goes_on(NetTransfer *t, int rc) {
  t->no_memory |= rc == RC_NOMEM;
  t->is_undecodable |= rc == RC_MISMATCH;
  return rc == RC_OK;
}

/* 1 if the body is the sink's. */
static int is_for_sink(NetTransfer *t) {
  long status = 0;
  if (t->request->sink && !t->is_pouring) {
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->is_pouring = status == 200;
  }
  return t->is_pouring;
}

static size_t pour(NetTransfer *t, const char *data, size_t n) {
  if (unpack_is_foreign(t->response->codings)) {
    t->is_undecodable = 1;
    return 0;
  }
  t->unpack = t->unpack ? t->unpack : unpack_open();
  t->no_memory |= !t->unpack;
  return t->unpack && goes_on(t, unpack_feed(t->unpack, data, n, to_sink, t)) ? n : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
  NetTransfer *t = arg;
  size_t n = size * count;
  t->received += n;
  if (is_for_sink(t)) {
    return pour(t, data, n);
  }
  int rc = buf_add(&t->response->body, data, n);
  if (rc != RC_OK) {
    t->no_memory = rc == RC_NOMEM;
    t->over_limit = rc != RC_NOMEM;
    return 0;
  }
  return n;
}

/* What the other end calls the request; the first of them counts. */
static void take_request_id(NetResponse *r, const char *line, size_t n) {
  static const char *const names[] = {"x-request-id",
                                      "request-id",
                                      "apim-request-id",
                                      "x-ms-request-id",
                                      "x-amzn-requestid",
                                      "x-generation-id",
                                      "x-siliconcloud-trace-id",
                                      "x-trace-id",
                                      "cf-ray",
                                      NULL};
  if (!r->request_id[0]) {
    header_take_any(line, n, names, r->request_id, sizeof r->request_id);
  }
}

/* What a header says is of its own response: an answer follows those of a proxy and those in between (RFC 9110, 15.2). */
static void forget_headers(NetResponse *r) {
  limits_forget(&r->waits);
  r->request_id[0] = r->content_type[0] = r->location[0] = 0;
  r->should_retry[0] = r->codings[0] = 0;
}

/* Whether the header says where the body ends. */
static void note_length(NetTransfer *t, const char *line, size_t n) {
  char value[64];
  t->has_length |= header_take(line, n, "content-length", value, sizeof value) ||
                   (header_take(line, n, "transfer-encoding", value, sizeof value) &&
                    strcasestr(value, "chunked") != NULL) ||
                   (n > 6 && memcmp(line, "HTTP/", 5) == 0 && (line[5] == '2' || line[5] == '3'));
}

static size_t on_header(char *line, size_t size, size_t count, void *arg) {
  NetTransfer *t = arg;
  NetResponse *r = t->response;
  size_t n = size * count;
  char value[64];
  t->header_bytes += n;
  if (t->header_bytes > LIMIT_HEADER_BYTES) {
    t->over_limit = 1;
    return 0;
  }
  if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
    forget_headers(r);
    t->has_length = t->has_headers = 0;
  }
  t->has_headers |= n <= 2 && (line[0] == '\r' || line[0] == '\n');
  if (t->request->sink) {
    note_length(t, line, n);
  }
  limits_take(&r->waits, line, n);
  take_request_id(r, line, n);
  header_take(line, n, "content-type", r->content_type, sizeof r->content_type);
  header_take(line, n, "location", r->location, sizeof r->location);
  header_take(line, n, "x-should-retry", r->should_retry, sizeof r->should_retry);
  if (header_take(line, n, "content-encoding", value, sizeof value)) {
    size_t used = strlen(r->codings);
    snprintf(r->codings + used, sizeof r->codings - used, "%s%s", used ? "," : "", value);
  }
  return n;
}

/* Our end of a connection; 0: not known. */
static int port_of(curl_socket_t fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
  } at = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t size = sizeof at;
  if (getsockname(fd, &at.any, &size) != 0) {
    return 0;
  }
  return at.any.sa_family == AF_INET    ? ntohs(at.v4.sin_port)
         : at.any.sa_family == AF_INET6 ? ntohs(at.v6.sin6_port)
                                        : 0;
}

/* The request is about to leave over a connection, which may be a kept one. */
static int on_connected(void *arg, char *ip, char *local_ip, int port, int local_port) {
  NetTransfer *t = arg;
  (void)ip, (void)local_ip, (void)port;
  t->port = local_port;
  t->is_leaving = 1;
  t->is_unreached &= body_size(t->request) > 0; /* (what has no body curl sends again by itself) */
  return CURL_PREREQFUNC_OK;
}

static int uses(const NetTransfer *t, int port) {
  return !t->is_ended && has_left(t) && t->port == port && port != 0;
}

static int on_close(void *arg, curl_socket_t fd) {
  Net *net = arg;
  int port = port_of(fd), is_used = 0;
  for (const NetTransfer *t = net->first; t; t = t->next) {
    is_used |= uses(t, port);
  }
  int is_unreached = kept_is_unreached(&net->kept, fd, net->n > 0 && !is_used);
  for (NetTransfer *t = net->first; t; t = t->next) {
    t->is_unreached |= uses(t, port) && is_unreached;
  }
  return close(fd);
}

static struct curl_slist *header_list(const NetRequest *q) {
  struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no 100-continue round trip */
  for (int i = 0; list && q->headers[i]; i++) {
    struct curl_slist *longer = curl_slist_append(list, q->headers[i]);
    if (!longer) {
      curl_slist_free_all(list);
    }
    list = longer;
  }
  return list;
}

/* The headers hold a key. */
static void wipe_list(struct curl_slist *list) {
  for (struct curl_slist *i = list; i; i = i->next) {
    explicit_bzero(i->data, strlen(i->data));
  }
  curl_slist_free_all(list);
}

/* The form around a body that is made while it is sent; the one before goes. */
static CURLcode set_form(NetTransfer *t) {
  const NetUpload *u = t->request->upload;
  curl_mime_free(t->form);
  t->form = curl_mime_init(t->easy);
  CURLcode code = t->form ? CURLE_OK : CURLE_OUT_OF_MEMORY;
#define SET(call) code = code == CURLE_OK ? (call) : code
  for (const NetField *f = u->fields; code == CURLE_OK && f->name; f++) {
    curl_mimepart *part = curl_mime_addpart(t->form);
    SET(part ? curl_mime_name(part, f->name) : CURLE_OUT_OF_MEMORY);
    SET(curl_mime_data(part, f->value, CURL_ZERO_TERMINATED));
  }
  curl_mimepart *file = code == CURLE_OK ? curl_mime_addpart(t->form) : NULL;
  SET(file ? curl_mime_name(file, u->name) : CURLE_OUT_OF_MEMORY);
  SET(curl_mime_filename(file, u->file_name));
  SET(curl_mime_type(file, u->content_type));
  SET(curl_mime_data_cb(file, (curl_off_t)u->n, on_read, NULL, NULL, t));
  SET(curl_easy_setopt(t->easy, CURLOPT_MIMEPOST, t->form));
#undef SET
  return code;
}

/* The method, and the body that goes with it. */
static CURLcode set_body(NetTransfer *t) {
  CURL *easy = t->easy;
  const NetRequest *q = t->request;
  CURLcode code = CURLE_OK;
#define SET(option, value)                                                                         \
  code = code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_##option, value) : code
  if (q->method == NET_POST && q->upload && q->upload->fields) {
    return set_form(t);
  }
  if (q->method == NET_POST) {
    SET(POST, 1L);
    SET(POSTFIELDSIZE_LARGE, (curl_off_t)body_size(q));
    SET(READFUNCTION, on_read);
    SET(READDATA, t);
  } else {
    SET(HTTPGET, 1L);
    SET(CUSTOMREQUEST, q->method == NET_DELETE ? "DELETE" : NULL);
  }
#undef SET
  return code;
}

/* CURLE_OK, or what the first option that could not be set gave: a transfer without one of them (no proxy, our
** own certificates) is another transfer. */
static CURLcode set_options(NetTransfer *t) {
  Net *net = t->net;
  CURL *easy = t->easy;
  const NetRequest *q = t->request;
  CURLcode code = CURLE_OK;
#define SET(option, value)                                                                         \
  code = code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_##option, value) : code
  curl_easy_reset(easy);
  SET(URL, q->url);
  int is_https = strncasecmp(q->url, "https:", 6) == 0;
  SET(PROTOCOLS_STR, is_https ? "https" : "http");
  SET(PIPEWAIT, is_https ? 1L : 0L); /* for one connection that takes several at once, if it does */
  SET(FOLLOWLOCATION, 0L);
  SET(SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's own */
  SET(PROXY, q->proxy ? q->proxy : "");
  SET(NETRC, (long)CURL_NETRC_IGNORED);
  SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  SET(ACCEPT_ENCODING, q->sink ? UNPACK_ACCEPTS : DECODE_ACCEPTS);
  SET(HTTP_CONTENT_DECODING,
      0L); /* net_decode and unpack do: what can't be undone is still an answer */
  SET(NOSIGNAL, 1L);
  SET(CONNECTTIMEOUT_MS, q->connect_ms);
  SET(TCP_KEEPALIVE, 1L);
  if (q->ca_file) {
    SET(CAINFO, q->ca_file);
  }
  SET(HTTPHEADER, t->headers);
  SET(WRITEFUNCTION, on_body);
  SET(WRITEDATA, t);
  SET(HEADERFUNCTION, on_header);
  SET(HEADERDATA, t);
  SET(CLOSESOCKETFUNCTION, on_close);
  SET(CLOSESOCKETDATA, net);
  SET(PREREQFUNCTION, on_connected);
  SET(PREREQDATA, t);
  SET(PRIVATE, t);
  SET(FORBID_REUSE, kept_hangs_up(&net->kept, kept_server(q->url)) ? 1L : 0L);
#undef SET
  return code == CURLE_OK ? set_body(t) : code;
}

/* (Of what is new; what begins may have come in two.) */
static int has_begun(NetTransfer *t) {
  enum { OVERLAP = 64 };
  const Buf *body = &t->response->body;
  if (body->n == 0) {
    return t->is_pouring;
  }
  size_t from = t->looked_at > OVERLAP ? t->looked_at - OVERLAP : 0, n = body->n - from;
  const char *data = body->data + from;
  t->looked_at = body->n;
  return t->request->has_begun ? t->request->has_begun(data, n) : strspn(data, " \t\r\n") < n;
}

/* 1 if nothing more is to be waited for: an answer or an upload has begun and no byte has moved for idle_ms, or it is all here. */
static int is_idle(NetTransfer *t) {
  const NetRequest *q = t->request;
  const Buf *body = &t->response->body;
  size_t seen = t->header_bytes + t->received + (q->upload ? t->sent : 0);
  if (seen != t->seen) {
    t->seen = seen;
    t->progress = monotonic_ms();
    t->has_begun = t->has_begun || has_begun(t);
    t->is_looked_at = 0;
  }
  long silent = (long)ms_since(t->progress);
  int is_uploading = q->upload && t->sent > 0 && t->sent < q->upload->n;
  if (q->idle_ms > 0 && (t->has_begun || is_uploading) && silent > q->idle_ms) {
    return 1;
  }
  int is_due = silent > DONE_MS && body->n > 0 && !t->is_looked_at && q->is_done;
  t->is_looked_at |= is_due;
  return is_due && q->is_done(body->data, body->n);
}

/* The end of what went to a sink. CURLE_OK, or why it is not whole. */
static CURLcode end_pouring(NetTransfer *t) {
  t->response->is_open_ended = !t->has_length;
  int rc = t->unpack ? unpack_end(t->unpack, to_sink, t) : RC_OK;
  if (rc == RC_MISMATCH) {
    return CURLE_PARTIAL_FILE;
  }
  return goes_on(t, rc) ? CURLE_OK : CURLE_WRITE_ERROR;
}

/* What the end of the transfer means to somebody who pays for it. */
static void judge(NetTransfer *t, CURLcode code) {
  NetResponse *r = t->response;
  code = code == CURLE_OK && t->is_pouring ? end_pouring(t) : code;
  /* libcurl takes the end of a connection for the end of the headers. */
  code = code == CURLE_OK && !t->has_headers ? CURLE_PARTIAL_FILE : code;
  const char *why = curl_easy_strerror(code);
  if (code == CURLE_OK) {
    r->result = NET_ANSWERED;
    return;
  }
  if (t->is_stopped) {
    r->result = has_left(t) ? NET_INTERRUPTED : NET_STOPPED;
    why = "interrupted";
  } else if (t->has_given_up) {
    r->result = NET_GIVEN_UP;
    why = "given up";
  } else if (t->is_undecodable) {
    r->result = NET_REFUSED;
    why = "the answer is coded in a way that was not asked for";
  } else if (t->over_limit) {
    r->result = NET_REFUSED;
    why = "the answer is larger than llmcost accepts";
  } else if (!has_left(t)) {
    r->result = NET_NOT_SENT;
    r->is_nomem = code == CURLE_OUT_OF_MEMORY;
  } else if (t->no_memory || code == CURLE_OUT_OF_MEMORY) {
    r->result = NET_NO_MEMORY;
  } else if (code == CURLE_OPERATION_TIMEDOUT && ms_since(t->started) >= t->request->total_ms - 1) {
    r->result = NET_TIMED_OUT;
    why = "no whole answer in time";
  } else {
    r->result = NET_LOST;
    why = code == CURLE_OPERATION_TIMEDOUT ? "no byte arrived in time" : why;
  }
  snprintf(r->why, sizeof r->why, "%s", why);
}

/* Its handle rests, or is given up; the headers hold a key. */
static void release(NetTransfer *t) {
  Net *net = t->net;
  if (t->easy && net->n_idle < IDLE_MOST) {
    curl_easy_reset(t->easy);
    net->idle[net->n_idle++] = t->easy;
  } else {
    curl_easy_cleanup(t->easy);
  }
  t->easy = NULL;
  wipe_list(t->headers);
  t->headers = NULL;
  if (t->form || t->unpack) {
    curl_mime_free(t->form);
    unpack_close(t->unpack);
    t->form = NULL;
    t->unpack = NULL;
  }
}

/* A body that is made while it is sent, from its beginning. 1 if it can be. */
static int rewind_upload(NetTransfer *t) {
  const NetUpload *u = t->request->upload;
  int is_begun = t->sent > 0;
  t->sent = 0;
  if (!u || t->request->method != NET_POST) {
    return 1;
  }
  t->has_given_up = is_begun && u->rewind(u->arg) != RC_OK;
  return !t->has_given_up && set_body(t) == CURLE_OK;
}

/* Over a new connection where a kept one died before the request was there. 1 if it is on its way again. */
static int repeat(NetTransfer *t, CURLcode code) {
  if (code == CURLE_OK || !t->is_unreached || t->is_repeated || t->header_bytes > 0 ||
      t->is_stopped || t->has_given_up || code == CURLE_OPERATION_TIMEDOUT ||
      curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK) {
    return 0;
  }
  t->is_repeated = 1;
  if (!rewind_upload(t)) {
    return 0;
  }
  t->is_leaving = 0;
  t->port = 0;
  return curl_multi_add_handle(t->net->multi, t->easy) == CURLM_OK;
}

static void end_transfer(NetTransfer *t, CURLcode code) {
  Net *net = t->net;
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (code == CURLE_OK && curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
      fd != CURL_SOCKET_BAD) {
    kept_note(&net->kept, fd, kept_server(t->request->url));
  }
  curl_multi_remove_handle(net->multi, t->easy);
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->response->http_status);
  if (repeat(t, code)) {
    return;
  }
  t->response->elapsed_ms = ms_since(t->started);
  t->response->sent = t->sent;
  t->response->received = t->received;
  judge(t, code);
  release(t);
  t->is_ended = 1;
}

static int end_finished(Net *net) {
  CURLMsg *msg;
  int left, n = 0;
  while ((msg = curl_multi_info_read(net->multi, &left)) != NULL) {
    NetTransfer *t = NULL;
    CURLcode code = msg->data.result;
    if (msg->msg == CURLMSG_DONE &&
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t) == CURLE_OK && t) {
      end_transfer(t, code);
      n++;
    }
  }
  return n;
}

/* What libcurl could not do ends all. */
static void fail_all(Net *net, CURLMcode code) {
  for (NetTransfer *t = net->first; t; t = t->next) {
    if (!t->is_ended) {
      end_transfer(t, code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
    }
  }
}

static void act(Net *net, curl_socket_t fd, int flags) {
  int running;
  CURLMcode code = curl_multi_socket_action(net->multi, fd, flags, &running);
  if (code != CURLM_OK) {
    fail_all(net, code);
  }
}

/* Tells libcurl of the sockets on which something came, and of the time. (Each may change the list.) */
static void tell(Net *net) {
  enum { AT_ONCE = 64 };
  struct pollfd ready[AT_ONCE];
  int n = 0;
  for (nfds_t i = 0; i < net->n_sockets && n < AT_ONCE; i++) {
    if (net->sockets[i].revents) {
      ready[n++] = net->sockets[i];
      net->sockets[i].revents = 0;
    }
  }
  for (int i = 0; i < n; i++) {
    int flags = (ready[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
                (ready[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                (ready[i].revents & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR : 0);
    act(net, ready[i].fd, flags);
  }
  if (net->timer_at >= 0 && net->timer_at <= monotonic_ms()) {
    net->timer_at = -1;
    act(net, CURL_SOCKET_TIMEOUT, 0);
  }
}

/* Lets libcurl work, after a wait of at most `ms`. How many have ended. */
static int perform(Net *net, long long ms) {
  if (net->timer_at >= 0) {
    long long left = net->timer_at - monotonic_ms();
    ms = left < ms ? left : ms;
  }
  int n = poll(net->sockets, net->n_sockets, ms > 0 ? (int)ms : 0);
  if (n > 0 || net->timer_at >= 0) {
    tell(net);
  }
  return end_finished(net);
}

/* Nobody drove it: what that took is not the time of those on their way. */
static void skip_absence(Net *net, long long now) {
  long long away = now - net->driven;
  for (NetTransfer *t = net->first; t && away > LEFT_ALONE_MS; t = t->next) {
    t->started += away;
    t->progress += away;
  }
}

/* Ends those that are silent, or late. */
static void look_for_silence(Net *net, long long now) {
  enum { EVERY_MS = 20 };
  if (now - net->looked < EVERY_MS) {
    return;
  }
  net->looked = now;
  for (NetTransfer *t = net->first; t; t = t->next) {
    if (!t->is_ended && (now - t->started >= t->request->total_ms || is_idle(t))) {
      end_transfer(t, CURLE_OPERATION_TIMEDOUT);
    }
  }
}

void net_turn(Net *net, long long ms) {
  skip_absence(net, monotonic_ms());
  if (net->n > 0) {
    perform(net, ms);
  }
  net->driven = monotonic_ms();
  look_for_silence(net, net->driven);
}

/* Room for the sockets of one more. */
static int make_room(Net *net) {
  nfds_t wanted = (nfds_t)(net->n + 1) * SOCKETS_EACH;
  if (wanted <= net->room) {
    return RC_OK;
  }
  struct pollfd *more = realloc(net->sockets, 2 * wanted * sizeof *more);
  if (!more) {
    return RC_NOMEM;
  }
  net->sockets = more;
  net->room = 2 * wanted;
  return RC_OK;
}

static CURL *take_handle(Net *net) {
  return net->n_idle > 0 ? net->idle[--net->n_idle] : curl_easy_init();
}

static void take_out(NetTransfer *t) {
  NetTransfer **at = &t->net->first;
  while (*at != t) {
    at = &(*at)->next;
  }
  *at = t->next;
  t->net->n--;
}

NetTransfer *net_start(Net *net, const NetRequest *request, NetResponse *response, Err *err) {
  memset(response, 0, sizeof *response);
  buf_init(&response->body, LIMIT_RESPONSE_BYTES);
  forget_headers(response);
  NetTransfer *t = calloc(1, sizeof *t);
  if (!t) {
    err_nomem(err);
    return NULL;
  }
  *t = (NetTransfer){
      .net = net, .request = request, .response = response, .started = monotonic_ms()};
  t->progress = t->started;
  t->headers = header_list(request);
  t->easy = take_handle(net);
  if (!t->headers || !t->easy || make_room(net) != RC_OK ||
      buf_reserve(&response->body, LIMIT_ANSWER_ROOM) != RC_OK || set_options(t) != CURLE_OK ||
      curl_multi_add_handle(net->multi, t->easy) != CURLM_OK) {
    release(t);
    free(t);
    err_nomem(err);
    return NULL;
  }
  net->driven = net->n++ == 0 ? t->started : net->driven;
  t->next = net->first;
  net->first = t;
  return t;
}

void net_stop(NetTransfer *t) {
  if (!t->is_ended) {
    t->is_stopped = 1;
    end_transfer(t, CURLE_ABORTED_BY_CALLBACK);
  }
}

int net_has_ended(NetTransfer *t, Err *err) {
  if (!t->is_ended) {
    return 0;
  }
  if (t->response->is_nomem) {
    err_nomem(err); /* and nothing was sent */
  }
  take_out(t);
  free(t);
  return 1;
}

int net_is_busy(const Net *net) {
  return net->n > 0;
}

int net_post(Net *net, const NetRequest *request, NetResponse *response, Err *err) {
  NetTransfer *t = net_start(net, request, response, err);
  long long asked = monotonic_ms();
  while (t && !net_has_ended(t, err)) {
    net_turn(net, LIMIT_POLL_MS);
    if (ms_since(asked) >= LIMIT_POLL_MS / 2) { /* asking costs a prepared statement */
      asked = monotonic_ms();
      if (!t->is_ended && request->interrupted(request->interrupt_arg)) {
        net_stop(t);
      }
    }
  }
  return err->rc;
}

int net_decode(NetResponse *response, Err *err) {
  int rc = decode_body(&response->body, response->codings);
  if (rc == RC_NOMEM) {
    return err_nomem(err);
  }
  if (rc == RC_OK) {
    response->codings[0] = 0;
  }
  return rc == RC_OK
             ? RC_OK
             : err_set(err, rc, ERR_TOO_BIG, "an answer that is larger than llmcost accepts");
}

void net_response_free(NetResponse *response) {
  buf_free(&response->body);
}

const char *net_version(void) {
  curl_start();
  return curl_version();
}
