/*
** The transport. See transport.h for the contract.
**
** The body is given to curl through a read callback without a seek callback: curl can then not
** rewind, and fails instead of quietly sending a POST again on a fresh connection.
*/
#include "net/transport.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct Net {
  CURLM *multi;
  CURL *easy;
};

typedef struct Transfer {
  const NetRequest *request;
  NetResponse *response;
  size_t sent; /* bytes of the body given to curl */
  size_t header_bytes;
  int over_limit;
  struct timespec started, progress, asked; /* asked: when we last looked for an interrupt */
  size_t seen;                              /* bytes received at the time of `progress` */
} Transfer;

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_start(void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

static long long ms_since(const struct timespec *t) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - t->tv_sec) * 1000LL + (now.tv_nsec - t->tv_nsec) / 1000000;
}

Net *net_open(Err *err) {
  pthread_once(&curl_once, curl_start);
  Net *net = calloc(1, sizeof *net);
  if (net) {
    net->multi = curl_multi_init();
    net->easy = curl_easy_init();
  }
  if (!net || !net->multi || !net->easy) {
    net_close(net);
    err_set(err, RC_NOMEM, "net", "cannot start libcurl");
    return NULL;
  }
  return net;
}

void net_close(Net *net) {
  if (net) {
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
  if (buf_add(&t->response->body, data, n) != RC_OK) {
    t->over_limit = 1;
    return 0;
  }
  return n;
}

/* Copies the value of header `name` if this line is it. */
static int take_header(const char *line, size_t n, const char *name, char *out, size_t size) {
  size_t len = strlen(name);
  if (n <= len || line[len] != ':' || strncasecmp(line, name, len) != 0) {
    return 0;
  }
  line += len + 1;
  n -= len + 1;
  while (n && (*line == ' ' || *line == '\t')) {
    line++;
    n--;
  }
  while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' ')) {
    n--;
  }
  n = n < size - 1 ? n : size - 1;
  memcpy(out, line, n);
  out[n] = 0;
  return 1;
}

/* retry-after: seconds, or an HTTP date. */
static long long parse_retry_after(const char *value) {
  char *end;
  double seconds = strtod(value, &end);
  if (end != value && *end == 0 && seconds >= 0 && seconds < 1e9) {
    return (long long)(seconds * 1000);
  }
  time_t date = curl_getdate(value, NULL);
  if (date < 0) {
    return -1;
  }
  time_t now = time(NULL);
  return date > now ? (long long)(date - now) * 1000 : 0;
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
  if (take_header(line, n, "retry-after-ms", value, sizeof value)) {
    char *end;
    double ms = strtod(value, &end);
    if (end != value && ms >= 0 && ms < 1e12) {
      r->retry_after_ms = (long long)ms;
    }
  } else if (r->retry_after_ms < 0 && take_header(line, n, "retry-after", value, sizeof value)) {
    r->retry_after_ms = parse_retry_after(value);
  }
  take_header(line, n, "x-should-retry", r->should_retry, sizeof r->should_retry);
  if (!take_header(line, n, "x-request-id", r->request_id, sizeof r->request_id)) {
    take_header(line, n, "request-id", r->request_id, sizeof r->request_id);
  }
  return n;
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

static void set_options(CURL *easy, Transfer *t, struct curl_slist *headers) {
  const NetRequest *q = t->request;
  curl_easy_reset(easy);
  curl_easy_setopt(easy, CURLOPT_URL, q->url);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                   strncasecmp(q->url, "https:", 6) == 0 ? "https" : "http");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, q->proxy ? q->proxy : "");
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, q->connect_ms);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, q->total_ms);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (q->ca_file) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, q->ca_file);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->n);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, t);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
}

/* 1 if no byte has arrived for idle_ms. */
static int is_idle(Transfer *t) {
  size_t seen = t->header_bytes + t->response->body.n;
  if (seen != t->seen) {
    t->seen = seen;
    clock_gettime(CLOCK_MONOTONIC, &t->progress);
  }
  return t->request->idle_ms > 0 && ms_since(&t->progress) > t->request->idle_ms;
}

/* Asking costs a prepared statement: not at every packet. */
static int is_interrupted(Transfer *t) {
  if (ms_since(&t->asked) < LIMIT_POLL_MS / 2) {
    return 0;
  }
  clock_gettime(CLOCK_MONOTONIC, &t->asked);
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
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      return CURLE_FAILED_INIT;
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
    r->result = t->sent ? NET_INTERRUPTED : NET_NOT_SENT;
    why = "interrupted";
  } else if (t->over_limit) {
    r->result = NET_REFUSED;
    why = "the answer is larger than llmcost accepts";
  } else if (t->sent == 0) {
    r->result = NET_NOT_SENT;
  } else if (code == CURLE_OPERATION_TIMEDOUT &&
             ms_since(&t->started) >= t->request->total_ms - 1) {
    r->result = NET_TIMED_OUT;
    why = "no whole answer in time";
  } else {
    r->result = NET_LOST;
    why = code == CURLE_OPERATION_TIMEDOUT ? "no byte arrived in time" : why;
  }
  snprintf(r->why, sizeof r->why, "%s", why);
}

int net_post(Net *net, const NetRequest *request, NetResponse *response, Err *err) {
  memset(response, 0, sizeof *response);
  buf_init(&response->body, LIMIT_RESPONSE_BYTES);
  response->retry_after_ms = -1;
  Transfer t = {.request = request, .response = response};
  struct curl_slist *headers = header_list(request);
  if (!headers) {
    return err_nomem(err);
  }
  clock_gettime(CLOCK_MONOTONIC, &t.started);
  t.progress = t.asked = t.started;
  set_options(net->easy, &t, headers);
  CURLcode code = CURLE_FAILED_INIT;
  if (curl_multi_add_handle(net->multi, net->easy) == CURLM_OK) {
    code = drive(net->multi, &t);
    curl_multi_remove_handle(net->multi, net->easy);
  }
  curl_easy_getinfo(net->easy, CURLINFO_RESPONSE_CODE, &response->http_status);
  response->elapsed_ms = ms_since(&t.started);
  judge(&t, code);
  curl_easy_reset(net->easy);
  wipe_list(headers);
  return RC_OK;
}

void net_response_free(NetResponse *response) {
  buf_free(&response->body);
}

const char *net_version(void) {
  pthread_once(&curl_once, curl_start);
  return curl_version();
}
