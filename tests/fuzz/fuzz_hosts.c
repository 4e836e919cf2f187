/*
** Where a key may go: a base URL, a rule, a list as in LLMCOST_ALLOW_HOSTS and the name of a key, parted
** by NULs.
**
** Holds: an address is read as libcurl reads it, its authority is a rule that covers it, and a key goes
** only where the built-in list or the list of the environment names both.
*/
#include "fuzz.h"

#include "trust/hosts.h"
#include "trust/access.h"

#include <curl/curl.h>
#include <strings.h>

/* An address of numbers only, or an IPv6 one: curl writes it in its own way. */
static int is_numeric(const char *host) {
  return strchr(host, ':') || strspn(host, "0123456789abcdefx.") == strlen(host);
}

/* libcurl may refuse what we take; where it takes it, it must mean the same. */
static void check_as_curl(const char *text, const Url *url) {
  CURLU *parsed = curl_url();
  char *host = NULL, *port = NULL, *scheme = NULL;
  require(parsed);
  if (curl_url_set(parsed, CURLUPART_URL, text, 0) == CURLUE_OK) {
    require(curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    require(curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
    require(curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
    require(is_numeric(url->host) || strcasecmp(host, url->host) == 0);
    require(strtol(port, NULL, 10) == url->port);
    require((strcmp(scheme, "https") == 0) == url->is_https);
  }
  curl_free(host);
  curl_free(port);
  curl_free(scheme);
  curl_url_cleanup(parsed);
}

/* Whatever path is added, it goes to the same host, behind what was there. */
static void check_joined(const char *text, const Url *url) {
  static const char *const ends[2] = {"/chat", "/a/b"};
  char out[512];
  if (url_join(text, ends, "/chat?limit=1", out, sizeof out)) {
    Url joined;
    Err err = {0};
    require(url_parse(out, &joined, &err) == RC_OK);
    require(strcmp(joined.host, url->host) == 0 && joined.port == url->port);
    require(joined.is_https == url->is_https && joined.is_loopback == url->is_loopback);
    require(strstr(out, "/chat?") && strcmp(out + strlen(out) - 7, "limit=1") == 0);
    check_as_curl(out, &joined);
  }
}

static void check_url(const char *text) {
  Url url;
  Err err = {0};
  if (url_parse(text, &url, &err) == RC_OK) {
    char authority[LIMIT_HOST + 16];
    require(url.host[0] && url.port > 0 && url.port < 65536);
    require(url.is_https || url.is_loopback);
    url_authority(&url, authority, sizeof authority);
    require(host_rule_is_valid(authority) && host_rule_covers(authority, &url));
    check_as_curl(text, &url);
    check_joined(text, &url);
  }
  check_err(&err);
}

static void check_rule(const char *rule, const char *text) {
  Url url;
  Err err = {0};
  if (url_parse(text, &url, &err) == RC_OK && host_rule_covers(rule, &url)) {
    require(host_rule_is_valid(rule));
  }
}

/* Sets the variable in place: setenv() keeps what it was ever given. */
static void set_list(const char *list) {
  static char entry[8192] = "LLMCOST_ALLOW_HOSTS=";
  enum { NAME = sizeof "LLMCOST_ALLOW_HOSTS=" - 1 };
  if (!getenv("FUZZ_KEY")) {
    require(setenv("FUZZ_KEY", "fake-value-1", 1) == 0);
    require(setenv("OPENAI_API_KEY", "fake-value-2", 1) == 0);
    require(putenv(entry) == 0);
  }
  snprintf(entry + NAME, sizeof entry - NAME, "%s", list);
}

/* A key that is handed out is that of the built-in pair, or stands in the list. */
static void check_access(const char *text, const char *list, const char *key_name) {
  const Model model = {.name = "m",
                       .provider = "",
                       .api = "openai",
                       .base_url = text,
                       .key_env = key_name,
                       .supports = ""};
  Url url;
  Err err = {0}, bad = {0};
  Access access = {.key = NULL};
  set_list(list);
  if (access_check(&model, &access, &err) == RC_OK && access.key) {
    require(url_parse(text, &url, &bad) == RC_OK);
    require(host_builtin(&url, key_name) == 1 || strstr(list, key_name));
    require(host_builtin(&url, NULL) || strcasestr(list, url.host));
  }
  check_err(&err);
  int is_given = strcasestr(text, "fake-") || strstr(list, "fake-") || strstr(key_name, "fake-");
  require(is_given || !strstr(err.msg, "fake-"));
  access_free(&access);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n;
  char *url = take_text(&in, &n), *rule = take_text(&in, &n), *list = take_text(&in, &n),
       *key = take_text(&in, &n);
  check_url(url);
  check_rule(rule, url);
  check_access(url, list, key);
  free(url);
  free(rule);
  free(list);
  free(key);
  return 0;
}
