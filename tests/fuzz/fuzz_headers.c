/*
** What a row of llm_models says of header lines: auth, headers, and what the variable of its headers holds, parted by NULs.
**
** Holds: what is taken is so many lines of printable ASCII, each a name, ": " and a value, of names that are neither the
** connection's nor those of keys; of a request the line of the key is the only one with a key.
*/
#include "fuzz.h"

#include "trust/headers/headers.h"

#include <strings.h>

/* One line, as HTTP/1.1 has it: nothing in it ends it. */
static void check_line(const char *line, size_t n_name) {
  static const char *const not_ours[] = {"authorization", "host",       "content-length",
                                         "cookie",        "connection", "transfer-encoding",
                                         "x-api-key",     "user-agent", "content-type"};
  require(n_name > 0 && line[n_name] == ':' && line[n_name + 1] == ' ' && line[n_name + 2]);
  require(strcspn(line, ": \t") == n_name);
  for (const char *at = line; *at; at++) {
    require(*at >= ' ' && *at <= '~');
  }
  for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++) {
    require(strlen(not_ours[i]) != n_name || strncasecmp(line, not_ours[i], n_name) != 0);
  }
}

static int fill(Headers *headers, const char *value) {
  int all = 1;
  for (int i = 0; i < headers->n && all; i++) {
    Err err = {0};
    const char *why = NULL;
    if (headers->list[i].variable) {
      all = headers_fill(headers, i, value, &why, &err) == RC_OK && !why;
    }
  }
  return all;
}

static void check_request(const Headers *headers) {
  HeaderLines lines;
  size_t bytes = 0;
  int keys = 0;
  headers_begin(&lines);
  headers_add_model(&lines, headers, "the-key", "x-api-key", "anthropic-version: 1");
  for (int i = 0; i < lines.n; i++) {
    keys += lines.at[i] == lines.key;
  }
  for (int i = 0; i < headers->n; i++) {
    check_line(headers->list[i].line, headers->list[i].n_name);
    bytes += strlen(headers->list[i].line);
    require(lines.at[lines.n - headers->n + i] == headers->list[i].line);
  }
  require(!lines.at[lines.n] && headers->n <= HEADERS_MOST && bytes <= HEADERS_BYTES);
  require(keys == (headers->auth != AUTH_NONE));
  headers_wipe(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n;
  char *auth = take_text(&in, &n), *text = take_text(&in, &n), *value = take_text(&in, &n);
  const Model model = {.name = "m", .auth = auth, .headers = text};
  Headers headers;
  Err err = {0};
  if (headers_read(&model, &headers, &err) == RC_OK && fill(&headers, value)) {
    check_request(&headers);
  }
  check_err(&err);
  headers_free(&headers);
  free(auth);
  free(text);
  free(value);
  return 0;
}
