/*
** The transport. See transport.h for the contract.
**
** The body is given to curl through a read callback without a seek callback: curl can then not
** rewind, and fails instead of quietly sending a POST again on a fresh connection.
*/
#include "net/transport.h"

#include "base/clock.h"
#include "net/decode.h"
#include "net/header.h"
#include "net/kept.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DONE_MS = 500 }; /* for the end of a response behind the end of its stream */

struct Net {
  pid_t pid; /* of the process that opened it */
  CURLM *multi;
  CURL *easy;
  Kept kept;
  struct Transfer *now; /* NULL: none */
};

typedef struct Transfer {
  const NetRequest *request;
  NetResponse *response;
  size_t sent; /* bytes of the body given to curl */
  size_t header_bytes;
  size_t looked_at; /* bytes of the body, for the beginning of an answer */
  int over_limit, no_memory, has_begun, is_looked_at;
  int is_unreached; /* its connection was a kept one, and died before the request was there */
  long long started, progress, asked; /* asked: when we last looked for an interrupt */
  size_t seen;                        /* bytes received at the time of `progress` */
} Transfer;

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

Net *net_open(Err *err) {
  Net *net = curl_start() == CURLE_OK ? calloc(1, sizeof *net) : NULL;
  if (net) {
    net->pid = getpid();
    net->multi = curl_multi_init();
    net->easy = curl_easy_init();
  }
  if (!net || !net->multi || !net->easy) {
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
    curl_easy_cleanup(net->easy);
    curl_multi_cleanup(net->multi);
    free(net);
  }
}

static size_t on_read(char *to, size_t size, size_t count, void *arg) {
  Transfer *t = arg;
  size_t n = size * count, left = t->request->n - t->sent;
  n = n < left ? n : left;
  memcpy(to, t->request->body + t->sent, n);
  t->sent += n;
  return n;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
  Transfer *t = arg;
  size_t n = size * count;
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

static size_t on_header(char *line, size_t size, size_t count, void *arg) {
  Transfer *t = arg;
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

/* (Others than the transfer's own are closed before anything is sent.) */
static int on_close(void *arg, curl_socket_t fd) {
  Net *net = arg;
  int is_unsent = net->now && net->now->sent == 0;
  int is_unreached = kept_is_unreached(&net->kept, fd, is_unsent);
  if (net->now && !is_unsent) {
    net->now->is_unreached |= is_unreached;
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

/* CURLE_OK, or what the first option that could not be set gave: a transfer without one of them (no proxy, our
** own certificates) is another transfer. */
static CURLcode set_options(Net *net, Transfer *t, struct curl_slist *headers) {
  CURL *easy = net->easy;
  const NetRequest *q = t->request;
  CURLcode code = CURLE_OK;
#define SET(option, value)                                                                         \
  code = code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_##option, value) : code
  curl_easy_reset(easy);
  SET(URL, q->url);
  SET(PROTOCOLS_STR, strncasecmp(q->url, "https:", 6) == 0 ? "https" : "http");
  SET(FOLLOWLOCATION, 0L);
  SET(SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy's own */
  SET(PROXY, q->proxy ? q->proxy : "");
  SET(NETRC, (long)CURL_NETRC_IGNORED);
  SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  SET(ACCEPT_ENCODING, DECODE_ACCEPTS);
  SET(HTTP_CONTENT_DECODING, 0L); /* net_decode does: what it can't undo is still an answer */
  SET(NOSIGNAL, 1L);
  SET(CONNECTTIMEOUT_MS, q->connect_ms);
  SET(TIMEOUT_MS, q->total_ms);
  SET(TCP_KEEPALIVE, 1L);
  if (q->ca_file) {
    SET(CAINFO, q->ca_file);
  }
  SET(HTTPHEADER, headers);
  SET(POST, 1L);
  SET(POSTFIELDSIZE_LARGE, (curl_off_t)q->n);
  SET(READFUNCTION, on_read);
  SET(READDATA, t);
  SET(WRITEFUNCTION, on_body);
  SET(WRITEDATA, t);
  SET(HEADERFUNCTION, on_header);
  SET(HEADERDATA, t);
  SET(CLOSESOCKETFUNCTION, on_close);
  SET(CLOSESOCKETDATA, net);
  SET(FORBID_REUSE, kept_hangs_up(&net->kept, kept_server(q->url)) ? 1L : 0L);
#undef SET
  return code;
}

/* (Of what is new; what begins may have come in two.) */
static int has_begun(Transfer *t) {
  enum { OVERLAP = 64 };
  const Buf *body = &t->response->body;
  if (body->n == 0) {
    return 0;
  }
  size_t from = t->looked_at > OVERLAP ? t->looked_at - OVERLAP : 0, n = body->n - from;
  const char *data = body->data + from;
  t->looked_at = body->n;
  return t->request->has_begun ? t->request->has_begun(data, n) : strspn(data, " \t\r\n") < n;
}

/* 1 if nothing more is to be waited for: an answer has begun and no byte has arrived for idle_ms, or it is all here. */
static int is_idle(Transfer *t) {
  const NetRequest *q = t->request;
  const Buf *body = &t->response->body;
  size_t seen = t->header_bytes + body->n;
  if (seen != t->seen) {
    t->seen = seen;
    t->progress = monotonic_ms();
    t->has_begun = t->has_begun || has_begun(t);
    t->is_looked_at = 0;
  }
  long silent = (long)ms_since(t->progress);
  if (q->idle_ms > 0 && t->has_begun && silent > q->idle_ms) {
    return 1;
  }
  int is_due = silent > DONE_MS && body->n > 0 && !t->is_looked_at;
  t->is_looked_at |= is_due;
  return is_due && q->is_done(body->data, body->n);
}

/* Asking costs a prepared statement: not at every packet. */
static int is_interrupted(Transfer *t) {
  if (ms_since(t->asked) < LIMIT_POLL_MS / 2) {
    return 0;
  }
  t->asked = monotonic_ms();
  return t->request->interrupted(t->request->interrupt_arg);
}

static CURLcode finished_code(CURLM *multi) {
  int left;
  CURLMsg *msg = curl_multi_info_read(multi, &left);
  return msg && msg->msg == CURLMSG_DONE ? msg->data.result : CURLE_FAILED_INIT;
}

/* Drives the transfer to its end. CURLE_ABORTED_BY_CALLBACK: interrupted;
** CURLE_OPERATION_TIMEDOUT: idle or total. */
static CURLcode drive(CURLM *multi, Transfer *t) {
  int running = 1;
  for (;;) {
    CURLMcode code = curl_multi_perform(multi, &running);
    if (code != CURLM_OK) {
      return code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT;
    }
    if (!running) {
      return finished_code(multi);
    }
    if (is_interrupted(t)) {
      return CURLE_ABORTED_BY_CALLBACK;
    }
    if (is_idle(t)) {
      return CURLE_OPERATION_TIMEDOUT;
    }
    curl_multi_poll(multi, NULL, 0, LIMIT_POLL_MS, NULL);
  }
}

/* What the end of the transfer means to somebody who pays for it. */
static void judge(Transfer *t, CURLcode code) {
  NetResponse *r = t->response;
  const char *why = curl_easy_strerror(code);
  if (code == CURLE_OK) {
    r->result = NET_ANSWERED;
    return;
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    r->result = t->sent ? NET_INTERRUPTED : NET_STOPPED;
    why = "interrupted";
  } else if (t->over_limit) {
    r->result = NET_REFUSED;
    why = "the answer is larger than llmcost accepts";
  } else if (t->sent == 0) {
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

/* The transfer, once all that can be set up beforehand is. */
static CURLcode transfer(Net *net, Transfer *t) {
  CURLcode code = CURLE_OUT_OF_MEMORY;
  net->now = t;
  if (curl_multi_add_handle(net->multi, net->easy) == CURLM_OK) {
    curl_socket_t fd = CURL_SOCKET_BAD;
    code = drive(net->multi, t);
    if (code == CURLE_OK && curl_easy_getinfo(net->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
        fd != CURL_SOCKET_BAD) {
      kept_note(&net->kept, fd, kept_server(t->request->url));
    }
    curl_multi_remove_handle(net->multi, net->easy);
  }
  net->now = NULL;
  curl_easy_getinfo(net->easy, CURLINFO_RESPONSE_CODE, &t->response->http_status);
  t->response->elapsed_ms = ms_since(t->started);
  return code;
}

/* The transfer; over a new connection where a kept one died before the request was there. */
static CURLcode transfer_once_there(Net *net, Transfer *t) {
  CURLcode code = transfer(net, t);
  if (code == CURLE_OK || !t->is_unreached || t->header_bytes > 0 ||
      code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT ||
      curl_easy_setopt(net->easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK) {
    return code;
  }
  t->sent = 0;
  return transfer(net, t);
}

int net_post(Net *net, const NetRequest *request, NetResponse *response, Err *err) {
  memset(response, 0, sizeof *response);
  buf_init(&response->body, LIMIT_RESPONSE_BYTES);
  forget_headers(response);
  Transfer t = {.request = request, .response = response, .started = monotonic_ms()};
  t.progress = t.asked = t.started;
  struct curl_slist *headers = header_list(request);
  if (!headers || buf_reserve(&response->body, LIMIT_ANSWER_ROOM) != RC_OK ||
      set_options(net, &t, headers) != CURLE_OK) {
    err_nomem(err);
  } else {
    judge(&t, transfer_once_there(net, &t));
  }
  curl_easy_reset(net->easy);
  wipe_list(headers);
  if (err->rc == RC_OK && response->is_nomem) {
    err_nomem(err); /* and nothing was sent */
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
