/*
** standin: a local stand-in for LLM providers, for tests of faults, of money and of speed.
**
**   standin [--port N] [--latency-ms N] [--tls-cert FILE --tls-key FILE] [--journal FILE]
**
** Listens on 127.0.0.1 only; port 0, the default, takes any free one. Prints one line, "listening
** http://127.0.0.1:PORT" (https with TLS), and serves until SIGTERM or SIGINT; exits 0.
**
** It speaks OpenAI (chat completions, embeddings, files, batches, models), Anthropic (messages,
** count_tokens, message batches, models) and the batches of Groq, Azure, OpenRouter and Mistral. Any key is taken, save an empty one and one that contains
** "invalid". Any model is taken, save names that start with "no-such-". Malformed requests are
** refused as the provider would. Answers are deterministic and depend on the prompt.
**
** Everything it answers is billed, exactly, in nano-dollars, at its own price table (bill.c),
** whether or not the client got to see the answer; HTTP errors are free. The bill is the truth that
** a client's ledger is compared with:
**
**   curl $URL/standin/bill                       {"total_nusd":N,"calls":N,"requests":N}
**   curl "$URL/standin/bill?client_request_id=X" the same, of requests with that X-Client-Request-Id
**   curl $URL/standin/journal                    every request: model, scenario, status, tokens, nusd
**   curl $URL/standin/last                       what the latest request sent
**   curl -d '{"ms":50}' $URL/standin/latency     how long every answer takes from now on
**   curl -d '{"ms":5,"to_ms":80,"seed":1}' $URL/standin/latency   drawn between the two, by what is asked
**   curl -d '{"name":"rate-limit"}' $URL/standin/scenario    the fault of requests that choose none
**   curl -d '{"factor":1.5}' $URL/standin/tokens  input tokens billed per token counted
**   curl -d '{"polls":2,"end":"expired"}' $URL/standin/batch   what is to happen to batches (plan.c)
**   curl $URL/standin/batches                    files and batches: made, deleted, still there; requests by step
**   curl -d '{"kind":"window","requests":100}' $URL/standin/rate   so many a second, the others are refused (rate.c)
**   curl $URL/standin/rate                       how many were taken and refused in each second
**   curl -d '{"readable_ms":2000,"miss":0.5}' $URL/standin/cache   when prompt caches can be read (prompt.c)
**   curl -X POST $URL/standin/reset              forget everything but the latency
**
** A request chooses its fault by the header X-Standin-Scenario, by its base URL ($URL/s/NAME/v1),
** or by its model name (gpt-4o-mini@NAME), the first found. /standin/scenarios lists the names;
** scenario.c has the table. Scenarios marked "once" strike the first time a body is seen;
** NAME-always strikes every time, NAME-3 three times. "slow-250" waits 250 ms. A model suffix that
** names no scenario stays part of the name. In a batch, the first line's model may carry the
** batch's scenario, any line's model one of its own.
**
** Tokens are counted by a simple rule (text.c), prompt caches are simulated (prompt.c), a batch
** costs half (job.c). --journal keeps the bill over a restart (bill.c). How a
** fault reaches the wire is in deliver.c; what is refused, in check.c.
**
** It does not: check keys, limit rates or expire caches unasked, speak Gemini's own paths, or keep files and batches over a restart.
*/
#include "batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL_BYTES ((size_t)65536) /* per connection: request headers and read buffer */
#define CONNECTIONS 4000

struct options {
  long port, latency;
  const char *cert, *key, *journal;
};

static const char zHelp[] =
    "usage: standin [--port N] [--latency-ms N] [--tls-cert FILE --tls-key FILE] [--journal FILE]\n"
    "\n"
    "A local stand-in for the OpenAI and Anthropic APIs. Prints \"listening URL\" and serves "
    "until\n"
    "SIGTERM. Choose a fault with the header X-Standin-Scenario, the base URL URL/s/NAME/v1, or a\n"
    "model name such as gpt-4o-mini@NAME; NAME-always strikes always, NAME-3 three times.\n"
    "\n"
    "  GET  /standin/bill[?client_request_id=X]   what was charged, in nano-dollars\n"
    "  GET  /standin/journal                      every request seen\n"
    "  GET  /standin/last                         the latest request\n"
    "  GET  /standin/scenarios                    the scenario names\n"
    "  POST /standin/latency  {\"ms\":N[,\"scenario\":\"X\"]}, "
    "{\"ms\":N,\"to_ms\":M[,\"seed\":S]}\n"
    "  POST /standin/scenario {\"name\":\"X\"}       the default scenario\n"
    "  POST /standin/tokens   {\"factor\":F}       input tokens billed per token counted\n"
    "  POST /standin/batch    {\"polls\":N,\"ms\":N,...}  what happens to batches: see plan.c\n"
    "  GET  /standin/batches                      what was made, and what is still there\n"
    "  POST /standin/rate     {\"kind\":\"window\"|\"bucket\",\"requests\":N,...}  limits: see "
    "rate.c\n"
    "  GET  /standin/rate                         taken and refused, by second\n"
    "  POST /standin/cache    {\"readable_ms\":N,\"miss\":F}  when prompt caches can be read\n"
    "  POST /standin/reset                        forget everything but the latency\n"
    "\n"
    "Scenarios:\n";

/* Ends the program with a message; status 2. */
static void fail(const char *what, const char *why) {
  fprintf(stderr, "standin: %s: %s\n", what, why);
  exit(2);
}

/* Prints the usage and the scenario names, and ends the program. */
static void help(void) {
  struct buf b = {0};
  scenario_list(&b);
  printf("%s%s", zHelp, b.p);
  buf_free(&b);
  exit(0);
}

/* A number of an option, from 0 to max. */
static long number(const char *option, const char *s, long max) {
  char *end = NULL;
  long n = strtol(s, &end, 10);
  if (end == s || *end || n < 0 || n > max) {
    fail(option, "not a number in range");
  }
  return n;
}

/* Reads the command line. */
static void parse(int argc, char **argv, struct options *o) {
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
      help();
    }
    if (i + 1 >= argc) {
      fail(name, "unknown option, or its value is missing (see --help)");
    }
    const char *value = argv[++i];
    if (strcmp(name, "--port") == 0) {
      o->port = number(name, value, 65535);
    } else if (strcmp(name, "--latency-ms") == 0) {
      o->latency = number(name, value, 3600000);
    } else if (strcmp(name, "--tls-cert") == 0) {
      o->cert = value;
    } else if (strcmp(name, "--tls-key") == 0) {
      o->key = value;
    } else if (strcmp(name, "--journal") == 0) {
      o->journal = value;
    } else {
      fail(name, "unknown option (see --help)");
    }
  }
  if (!o->cert != !o->key) {
    fail("--tls-cert", "needs --tls-key, and the other way round");
  }
}

/* A whole small file, owned. */
static char *read_file(const char *path) {
  struct buf b = {0};
  char part[4096];
  size_t n;
  FILE *f = fopen(path, "rb");
  if (!f) {
    fail(path, strerror(errno));
  }
  while ((n = fread(part, 1, sizeof part, f)) > 0) {
    buf_add(&b, part, n);
  }
  fclose(f);
  return buf_take(&b);
}

/* Starts the daemon; cert and key may be NULL. */
static struct MHD_Daemon *start(const struct options *o, const char *cert, const char *key) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)o->port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
  struct MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)cert},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
      {MHD_OPTION_END, 0, NULL},
  };
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(
      flags | (cert ? MHD_USE_TLS : 0u), (uint16_t)o->port, NULL, NULL, route_handle, NULL,
      MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_NOTIFY_COMPLETED, route_done, NULL,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
      MHD_OPTION_LISTEN_BACKLOG_SIZE, 512u, MHD_OPTION_ARRAY, cert ? tls : none, MHD_OPTION_END);
}

/* Ends the program when the daemon takes too long to stop. */
static void on_alarm(int sig) {
  (void)sig;
  _exit(0);
}

/* Signals are taken by sigwait in the main thread; all others have them blocked. */
static void block_signals(sigset_t *set) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, on_alarm);
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* Serves until a signal comes, then puts everything away, so that leak checkers have a clean
** view. */
int main(int argc, char **argv) {
  struct options o = {0};
  sigset_t set;
  int sig;
  parse(argc, argv, &o);
  latency_set(NULL, o.latency);
  if (bill_open(o.journal) != 0) {
    fail(o.journal, strerror(errno));
  }
  block_signals(&set);
  char *cert = o.cert ? read_file(o.cert) : NULL, *key = o.key ? read_file(o.key) : NULL;
  if (cert) {
    deliver_tls();
  }
  struct MHD_Daemon *d = start(&o, cert, key);
  if (!d) {
    fail("cannot listen", strerror(errno));
  }
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
  printf("listening %s://127.0.0.1:%d\n", cert ? "https" : "http", info ? info->port : 0);
  fflush(stdout);
  sigwait(&set, &sig);
  alarm(1);
  deliver_stop();
  MHD_stop_daemon(d);
  alarm(0);
  bill_close();
  admin_free();
  plan_reset();
  job_reset();
  files_reset();
  scenario_reset();
  cache_reset();
  free(cert);
  free(key);
  return 0;
}
