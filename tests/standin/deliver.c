/*
** deliver.c: how a reply reaches the wire, or doesn't.
**
** Most replies are a buffer handed to the daemon. Streams and wire faults use a content callback on
** the connection's own thread, where sleeping is allowed. Three faults send nothing at all: hang
** (the thread waits until the client leaves, 600 s at most), reset (TCP RST: the socket is
** dissolved by connect() to AF_UNSPEC) and close (orderly end of the connection). big-headers
** writes to the socket itself, as the daemon keeps headers in a small pool; over TLS it sends as
** many as fit there.
*/
#include "standin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HANG_MS 600000
#define HUGE_BYTES ((uint64_t)64 << 20)
#define HEADER_BYTES ((size_t)2 << 20)
#define LORIS_MS 100
#define DEEP 100000
#define MARKER "\xee\x80\x80" /* U+E000, see complete.c */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int stopping, tls;

/* Makes the sleepers' condition run on the monotonic clock. */
static void make_wake(void) {
  pthread_condattr_t a;
  pthread_condattr_init(&a);
  pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
  pthread_cond_init(&wake, &a);
  pthread_condattr_destroy(&a);
}

/* Sleeps; returns 1 as soon as the program is ending. */
int deliver_sleep(int64_t ms) {
  struct timespec t;
  pthread_once(&once, make_wake);
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_sec += ms / 1000;
  t.tv_nsec += ms % 1000 * 1000000;
  if (t.tv_nsec >= 1000000000) {
    t.tv_sec++;
    t.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&lock);
  while (!stopping && ms > 0 && pthread_cond_timedwait(&wake, &lock, &t) != ETIMEDOUT) {
    ;
  }
  int end = stopping;
  pthread_mutex_unlock(&lock);
  return end;
}

/* Wakes all sleepers, now and later. */
void deliver_stop(void) {
  pthread_once(&once, make_wake);
  pthread_mutex_lock(&lock);
  stopping = 1;
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&lock);
}

/* Notes that connections are encrypted. */
void deliver_tls(void) {
  tls = 1;
}

/* ---- what is sent ---- */

/* A web page in place of JSON. */
static void set_html(struct reply *p, int status, const char *title) {
  p->status = status;
  p->type = "text/html";
  p->body.n = 0;
  buf_printf(
      &p->body,
      "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n"
      "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
      title, title);
}

/* The value of a scenario's header: as it stands, or a date 2 s ahead. */
static void fault_header(struct reply *p, const struct scenario *s) {
  char date[64];
  struct tm tm;
  time_t t = time(NULL) + 2;
  if (!s->header) {
    return;
  }
  if (strcmp(s->value, "date") != 0) {
    reply_header(p, s->header, s->value);
    return;
  }
  gmtime_r(&t, &tm);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
  reply_header(p, s->header, date);
}

/* Mistral's way to say 422. */
static void set_detail(struct reply *p) {
  cJSON *body = cJSON_CreateObject(), *one = cJSON_CreateObject();
  cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "detail"), one);
  cJSON_AddStringToObject(one, "type", "missing");
  cJSON *loc = cJSON_AddArrayToObject(one, "loc");
  cJSON_AddItemToArray(loc, cJSON_CreateString("body"));
  cJSON_AddItemToArray(loc, cJSON_CreateString("messages"));
  cJSON_AddStringToObject(one, "msg", "Field required");
  cJSON_AddNullToObject(one, "input");
  reply_json(p, 422, body);
}

/* OpenRouter's failure inside a 200. */
static void set_failed_200(struct reply *p) {
  cJSON *body = cJSON_CreateObject(), *e = cJSON_AddObjectToObject(body, "error");
  cJSON_AddStringToObject(e, "message", "Provider returned error");
  cJSON_AddNumberToObject(e, "code", 502);
  cJSON_AddStringToObject(cJSON_AddObjectToObject(e, "metadata"), "provider_name", "standin");
  cJSON_AddStringToObject(body, "user_id", "user_standin");
  reply_json(p, 200, body);
}

/* 302 to a URL, or to a prefix of the same path. */
static void set_redirect(struct request *r, const char *location) {
  struct buf b = {0};
  buf_str(&b, location);
  if (location[0] == '/') {
    buf_str(&b, r->path);
  }
  r->reply.status = 302;
  r->reply.type = "text/plain";
  reply_header(&r->reply, "Location", b.p);
  buf_free(&b);
}

/* The reply of a fault that strikes before any work. */
void deliver_unbilled(struct request *r) {
  struct reply *p = &r->reply;
  cJSON *body = NULL;
  switch (r->fault) {
  case FT_HTTP: {
    int status = scenario_error(r->choice.row, r->api, &body);
    reply_json(p, status, body);
    fault_header(p, r->choice.row);
    break;
  }
  case FT_HTML:
    set_html(p, 502, "502 Bad Gateway");
    break;
  case FT_DETAIL:
    set_detail(p);
    break;
  case FT_FAILED_200:
    set_failed_200(p);
    break;
  case FT_REDIRECT:
    set_redirect(r, "/s/ok");
    break;
  case FT_REDIRECT_AWAY:
    set_redirect(r, "http://127.0.0.1:9/");
    break;
  default:
    p->delivery = r->fault == FT_RESET ? D_RESET : r->fault == FT_CLOSE ? D_CLOSE : D_HANG;
  }
}

/* Marks the body as SSE events; cut = the connection breaks behind them. */
void deliver_events(struct request *r, int cut) {
  r->reply.status = 200;
  r->reply.type = "text/event-stream";
  r->reply.delivery = cut ? D_EVENTS_CUT : D_EVENTS;
}

/* Turns the mark in the middle of an answer into an escaped NUL or a broken UTF-8 sequence. */
void deliver_marker(struct buf *b, enum fault fault) {
  const char *with = fault == FT_NUL ? "\\u0000" : "\xc3(";
  struct buf out = {0};
  char *at = b->p;
  if ((fault != FT_NUL && fault != FT_BAD_UTF8) || !at) {
    return;
  }
  for (char *hit; (hit = strstr(at, MARKER)); at = hit + strlen(MARKER)) {
    buf_add(&out, at, (size_t)(hit - at));
    buf_str(&out, with);
  }
  buf_str(&out, at);
  buf_free(b);
  *b = out;
}

/* Arrays in arrays in arrays. */
static void set_deep(struct reply *p) {
  p->body.n = 0;
  for (int i = 0; i < DEEP; i++) {
    buf_add(&p->body, "[", 1);
  }
  for (int i = 0; i < DEEP; i++) {
    buf_add(&p->body, "]", 1);
  }
}

/* Makes of a produced reply what the fault wants. */
void deliver_mangle(struct request *r) {
  struct reply *p = &r->reply;
  if (p->status != 200 && p->status != 202) {
    return;
  }
  deliver_marker(&p->body, r->fault);
  switch (r->fault) {
  case FT_BAD_JSON:
    p->body.n /= 2;
    break;
  case FT_NOT_JSON:
    set_html(p, 200, "Welcome");
    p->delivery = D_PLAIN;
    break;
  case FT_DEEP:
    set_deep(p);
    p->delivery = D_PLAIN;
    break;
  case FT_TRUNCATED:
    p->delivery = D_TRUNCATED;
    break;
  case FT_LORIS:
    p->delivery = D_LORIS;
    break;
  case FT_HUGE:
    p->delivery = D_HUGE;
    break;
  case FT_BIG_HEADERS:
    p->delivery = D_BIG_HEADERS;
    break;
  case FT_HANG:
    p->delivery = D_HANG;
    break;
  case FT_GATEWAY_AFTER: /* the work is done and billed, and a box in between says that it is not */
    set_html(p, 502, "502 Bad Gateway");
    p->delivery = D_PLAIN;
    break;
  case FT_RESET_AFTER:
    p->delivery = D_CLOSE;
    break;
  case FT_RST_AFTER:
    p->delivery = D_RESET;
    break;
  default:
    break;
  }
}

/* ---- how it's sent ---- */

/* What a content callback knows. Owned by the response. */
struct source {
  enum delivery delivery;
  struct buf body;
  size_t piece, stop;
  size_t gap; /* D_HUGE: where the filler goes */
  uint64_t filler;
  char fill;
};

/* Frees a source (a callback of the daemon). */
static void source_free(void *cls) {
  struct source *s = cls;
  buf_free(&s->body);
  free(s);
}

/* One SSE event, or a part of one. */
static ssize_t read_events(struct source *s, uint64_t pos, char *to, size_t max) {
  if (pos >= s->body.n) {
    return s->delivery == D_EVENTS_CUT ? MHD_CONTENT_READER_END_WITH_ERROR
                                       : MHD_CONTENT_READER_END_OF_STREAM;
  }
  const char *from = s->body.p + pos, *end = strstr(from, "\n\n");
  size_t n = end ? (size_t)(end - from) + 2 : s->body.n - (size_t)pos;
  n = n > max ? max : n;
  memcpy(to, from, n);
  return (ssize_t)n;
}

/* The body with the filler in the gap. */
static ssize_t read_huge(struct source *s, uint64_t pos, char *to, size_t max) {
  uint64_t after = s->gap + s->filler;
  size_t n;
  if (pos >= s->gap && pos < after) {
    n = after - pos < max ? (size_t)(after - pos) : max;
    memset(to, s->fill, n);
    return (ssize_t)n;
  }
  size_t from = (size_t)(pos < s->gap ? pos : pos - s->filler);
  size_t end = pos < s->gap ? s->gap : s->body.n;
  n = end - from < max ? end - from : max;
  if (n == 0) {
    return MHD_CONTENT_READER_END_OF_STREAM;
  }
  memcpy(to, s->body.p + from, n);
  return (ssize_t)n;
}

/* The content callback: up to max bytes from position pos. */
static ssize_t read_source(void *cls, uint64_t pos, char *to, size_t max) {
  struct source *s = cls;
  if (s->delivery == D_EVENTS || s->delivery == D_EVENTS_CUT) {
    return read_events(s, pos, to, max);
  }
  if (s->delivery == D_HUGE) {
    return read_huge(s, pos, to, max);
  }
  if (s->delivery == D_LORIS) {
    if (deliver_sleep(LORIS_MS)) {
      return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    *to = pos < s->body.n ? s->body.p[pos] : ' ';
    return 1;
  }
  if (pos >= s->stop) {
    return s->delivery == D_PIECES ? MHD_CONTENT_READER_END_OF_STREAM
                                   : MHD_CONTENT_READER_END_WITH_ERROR; /* D_TRUNCATED, D_CUT */
  }
  size_t n = s->stop - (size_t)pos < max ? s->stop - (size_t)pos : max;
  n = s->piece && n > s->piece ? s->piece : n;
  memcpy(to, s->body.p + pos, n);
  return (ssize_t)n;
}

/* A response that calls back for its body. Takes the reply's body. */
static struct MHD_Response *make_callback(struct reply *p) {
  struct source *s = need(calloc(1, sizeof *s));
  uint64_t size = MHD_SIZE_UNKNOWN;
  buf_add(&p->body, "", 0);
  s->delivery = p->delivery;
  s->piece = p->piece;
  s->stop = p->delivery == D_PIECES || p->delivery == D_CUT ? p->stop : p->body.n;
  s->body = p->body;
  memset(&p->body, 0, sizeof p->body);
  if (s->delivery == D_TRUNCATED) {
    size = s->body.n + 512;
  }
  if (s->delivery == D_CUT) {
    size = s->body.n;
  }
  if (s->delivery == D_HUGE) {
    char *mark = strstr(s->body.p, MARKER);
    s->gap = mark ? (size_t)(mark - s->body.p) : s->body.n;
    s->fill = mark ? 'x' : ' ';
    s->filler = HUGE_BYTES - s->body.n;
    size = HUGE_BYTES;
  }
  return MHD_create_response_from_callback(size, 65536, read_source, s, source_free);
}

/* A response of the whole body. Takes the reply's body. */
static struct MHD_Response *make_plain(struct reply *p) {
  size_t n = p->body.n;
  return MHD_create_response_from_buffer(n, buf_take(&p->body), MHD_RESPMEM_MUST_FREE);
}

/* Queues the reply with its headers. */
static enum MHD_Result queue(struct request *r, struct MHD_Response *resp) {
  struct reply *p = &r->reply;
  if (!resp) {
    return MHD_NO;
  }
  MHD_add_response_header(resp, "Content-Type", p->type ? p->type : "application/json");
  for (int i = 0; i < p->headers; i++) {
    MHD_add_response_header(resp, p->header[i].name, p->header[i].value);
  }
  enum MHD_Result rc = MHD_queue_response(r->conn, (unsigned)p->status, resp);
  MHD_destroy_response(resp);
  return rc;
}

/* The connection's socket. */
static int socket_of(const struct request *r) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(r->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

/* Waits until the client leaves, the program ends, or HANG_MS are over. */
static void hang(int fd) {
  int64_t end = now_ms() + HANG_MS;
  while (now_ms() < end && !deliver_sleep(0)) {
    struct pollfd p = {fd, POLLRDHUP, 0};
    if (poll(&p, 1, 100) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL))) {
      return;
    }
  }
}

/* Dissolves a TCP connection with a reset. */
static void reset(int fd) {
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  if (connect(fd, &none, sizeof none) != 0) {
    shutdown(fd, SHUT_RDWR);
  }
}

/* Writes all of a buffer to a non-blocking socket; gives up when the client doesn't take it. */
static void write_all(int fd, const char *p, size_t n) {
  while (n) {
    ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
    if (done > 0) {
      p += done;
      n -= (size_t)done;
      continue;
    }
    struct pollfd w = {fd, POLLOUT, 0};
    if ((errno != EAGAIN && errno != EINTR) || deliver_sleep(0) || poll(&w, 1, 5000) <= 0) {
      return;
    }
  }
}

/* 2 MiB of headers. The daemon closes the connection behind them. */
static enum MHD_Result big_headers(struct request *r) {
  struct buf b = {0};
  char fill[1001];
  memset(fill, 'h', sizeof fill - 1);
  fill[sizeof fill - 1] = 0;
  if (tls) {
    struct MHD_Response *resp = make_plain(&r->reply);
    for (int i = 0; resp && i < 20; i++) {
      MHD_add_response_header(resp, "X-Filler", fill);
    }
    return queue(r, resp);
  }
  buf_str(&b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n");
  for (int i = 0; b.n < HEADER_BYTES; i++) {
    buf_printf(&b, "X-Filler-%d: %s\r\n", i, fill);
  }
  buf_printf(&b, "Content-Length: %zu\r\n\r\n", r->reply.body.n);
  buf_add(&b, r->reply.body.p, r->reply.body.n);
  write_all(socket_of(r), b.p, b.n);
  buf_free(&b);
  return MHD_NO;
}

/* Hands the reply to the daemon, or leaves the client without one. Takes the body. */
enum MHD_Result deliver_send(struct request *r) {
  switch (r->reply.delivery) {
  case D_PLAIN:
    return queue(r, make_plain(&r->reply));
  case D_BIG_HEADERS:
    return big_headers(r);
  case D_HANG:
    hang(socket_of(r));
    return MHD_NO;
  case D_RESET:
    reset(socket_of(r));
    return MHD_NO;
  case D_CLOSE:
    return MHD_NO;
  default:
    return queue(r, make_callback(&r->reply));
  }
}
