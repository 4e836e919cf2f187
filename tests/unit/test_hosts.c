/*
** Where prompts and keys may go: addresses that try to look like others, rules, built-in keys.
*/
#include "unit.h"

#include "core/price/catalogue.h"
#include "trust/hosts.h"

static void test_addresses_taken(void **state) {
  static const struct {
    const char *text, *host;
    int port, is_https, is_loopback;
  } cases[] = {
      {"https://api.openai.com/v1", "api.openai.com", 443, 1, 0},
      {"https://api.openai.com", "api.openai.com", 443, 1, 0},
      {"https://api.openai.com/", "api.openai.com", 443, 1, 0},
      {"HTTPS://API.OpenAI.com/v1", "api.openai.com", 443, 1, 0},
      {"https://api.openai.com:8443/v1", "api.openai.com", 8443, 1, 0},
      {"https://generativelanguage.googleapis.com/v1beta/openai",
       "generativelanguage.googleapis.com", 443, 1, 0},
      {"https://api.openai.com./v1", "api.openai.com.", 443, 1, 0},
      {"https://10.0.0.1:1/v1", "10.0.0.1", 1, 1, 0},
      {"https://host:65535", "host", 65535, 1, 0},
      {"https://xn--bcher-kva.example/v1", "xn--bcher-kva.example", 443, 1, 0},
      {"http://127.0.0.1:11434/v1", "127.0.0.1", 11434, 0, 1},
      {"http://127.255.255.254/v1", "127.255.255.254", 80, 0, 1},
      {"http://localhost:8000/v1", "localhost", 8000, 0, 1},
      {"http://LocalHost/v1", "localhost", 80, 0, 1},
      {"http://[::1]:11434/v1", "::1", 11434, 0, 1},
      {"http://[::1]", "::1", 80, 0, 1},
      {"https://[2001:DB8::1]/v1", "2001:db8::1", 443, 1, 0},
      {"https://[::ffff:127.0.0.1]/v1", "::ffff:127.0.0.1", 443, 1, 0},
      {"https://localhost/v1", "localhost", 443, 1, 1},
      {"https://host/a-b_c.d~e:f@g/1", "host", 443, 1, 0},
      {"https://name.openai.azure.com/openai/deployments/D?api-version=2024-10-21",
       "name.openai.azure.com", 443, 1, 0},
      {"https://host/v1?api-version=2024-10-01-preview&x=a+b:c@d/e=f%20g", "host", 443, 1, 0},
      {"https://host?a=1", "host", 443, 1, 0},
      {"https://host:8443?a=1", "host", 8443, 1, 0},
      {"https://host/v1?", "host", 443, 1, 0},
      {"https://host/v1?a&b=&c", "host", 443, 1, 0},
      {"http://127.0.0.1:1/v1?signed=no&design=2&deployment=gpt-4o", "127.0.0.1", 1, 0, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Url url;
    Err err = {0};
    check(url_parse(cases[i].text, &url, &err) == RC_OK, "%s: %s", cases[i].text, err.msg);
    check(strcmp(url.host, cases[i].host) == 0, "%s: '%s'", cases[i].text, url.host);
    check(url.port == cases[i].port, "%s: %d", cases[i].text, url.port);
    check(url.is_https == cases[i].is_https, "%s", cases[i].text);
    check(url.is_loopback == cases[i].is_loopback, "%s", cases[i].text);
  }
}

static const char *const refused_addresses[] = {
    "",
    "/",
    "api.openai.com/v1",
    "//api.openai.com/v1",
    "https:api.openai.com",
    "https:/api.openai.com",
    "https://",
    "https:///v1",
    "https://:443/v1",
    " https://api.openai.com/v1",
    "https:// api.openai.com/v1",
    "https://api.openai.com /v1",
    "https://api.openai.com/v1 ",
    "https://api.openai.com\t/v1",
    "https://api.openai.com\n/v1",
    "https://api.openai.com/v1\r\nX-Header: 1",
    "ftp://api.openai.com/v1",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "httpss://api.openai.com",
    "https://user@api.openai.com/v1",
    "https://user:word@api.openai.com/v1",
    "https://api.openai.com@evil.example/v1",
    "https://api.openai.com:443@evil.example/v1",
    "https://api.openai.com\\@evil.example/v1",
    "https://api.openai.com\\.evil.example/v1",
    "https://evil.example\\/api.openai.com",
    "https:\\\\api.openai.com/v1",
    "https://api.openai.com%2eevil.example/v1",
    "https://api%2eopenai.com/v1",
    "https://api.openai.com/v1%00",
    "https://api.openai.com?x/v1",
    "https://api.openai.com/v1?key=1",
    "https://api.openai.com#x",
    "https://api.openai.com/v1#x",
    "https://api.openai.com/v1?x?y",
    "https://api.openai.com/v1?a=1#b",
    "https://api.openai.com?@evil.example/v1",
    "https://api.openai.com/v1?a=1 ",
    "https://api.openai.com/v1?a=1 2",
    "https://api.openai.com/v1?a=\"",
    "https://api.openai.com/v1?a=%",
    "https://api.openai.com/v1?a=%4",
    "https://api.openai.com/v1?a=%0g",
    "https://api.openai.com/v1?%61=1",
    "https://api.openai.com/v1?a=1\r\nX: 1",
    "https://api.openai.com/v1?a=\xc3\xa4",
    "https://api.openai.com/v1\\x",
    "https://api.openai.com/v1;x",
    "https://api.openai.com/%2e%2e/v1",
    "https://api.openai.com;x/v1",
    "https://api.openai.com,evil.example/v1",
    "https://api_openai.com/v1",
    "https://b\xC3\xBC"
    "cher.example/v1",
    "https://\xEF\xBD\x81pi.openai.com/v1",
    "https://api\xE3\x80\x82openai\xE3\x80\x82"
    "com/v1",
    "https://api.openai.com/\xC3\xA9",
    "https://api.openai.com:/v1",
    "https://api.openai.com:0/v1",
    "https://api.openai.com:65536/v1",
    "https://api.openai.com:99999/v1",
    "https://api.openai.com:-1/v1",
    "https://api.openai.com:+443/v1",
    "https://api.openai.com: 443/v1",
    "https://api.openai.com:443x/v1",
    "https://api.openai.com:0x1bb/v1",
    "https://api.openai.com:4294967739/v1",
    "https://api.openai.com:18446744073709552059/v1",
    "https://api.openai.com:443:443/v1",
    "https://[::1/v1",
    "https://::1/v1",
    "https://[]/v1",
    "https://[::1]evil.example/v1",
    "https://[::1]@evil.example/v1",
    "https://[::1%25eth0]/v1",
    "https://[api.openai.com]/v1",
    "http://[localhost]/v1",
    "http://[127.0.0.1]/v1",
    "http://api.openai.com/v1",
    "http://10.0.0.1/v1",
    "http://192.168.0.1:11434/v1",
    "http://0.0.0.0/v1",
    "http://128.0.0.1/v1",
    "http://localhost.evil.example/v1",
    "http://evil.localhost.example/v1",
    "http://localhost./v1",
    "http://127.0.0.1./v1",
    "http://127.0.0.1.evil.com/v1",
    "http://127.0.0.1evil.com/v1",
    "http://127.1/v1",
    "http://127.0.0.256/v1",
    "http://127.0.0/v1",
    "http://127.0.0.0.1/v1",
    "http://127.-0.0.1/v1",
    "http://127.0.-1.1/v1",
    "http://0x7f.1/v1",
    "http://0x7f.0.0.1/v1",
    "http://2130706433/v1",
    "http://0177.0.0.1/v1",
    "http://1270.0.0.1/v1",
    "http://[::2]/v1",
    "http://[::ffff:10.0.0.1]/v1",
};

static void test_addresses_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(refused_addresses); i++) {
    Url url;
    Err err = {0};
    url_parse(refused_addresses[i], &url, &err);
    check_error(&err, "bad_url", "base_url", refused_addresses[i]);
  }
}

/* What is wrong stands in front. */
static void test_sentences(void **state) {
  static const char blank[] = "base_url begins or ends with a blank",
                    query[] = "base_url has a character in its query that does not belong there",
                    secret[] = "base_url has a secret in its query: keys belong in the variable "
                               "that key_env names";
  static const struct {
    const char *text, *says;
  } cases[] = {
      {" https://host/v1", blank},
      {"https://host/v1 ", blank},
      {"https://host/v1\n", blank},
      {"\thttps://host/v1", blank},
      {"https://host/v1?a=1 ", blank},
      {"https://host/v 1", "base_url has a character that does not belong there"},
      {"https://host/v1#a", "base_url has a character that does not belong there"},
      {"https://host/v1?a#b", query},
      {"https://host/v1?a=1?b=2", query},
      {"https://host/v1?key=1", secret},
      {"https://host/v1?KEY=1", secret},
      {"https://host/v1?api_key=1", secret},
      {"https://host/v1?api-key=1", secret},
      {"https://host/v1?a=1&Subscription-Key=1", secret},
      {"https://host/v1?token=1", secret},
      {"https://host/v1?access_token=1", secret},
      {"https://host/v1?sig=1", secret},
      {"https://host/v1?X-Amz-Signature=1", secret},
      {"https://host/v1?X-Amz-Credential=1", secret},
      {"https://host/v1?client_secret=1", secret},
      {"https://host/v1?password=1", secret},
      {"https://host/v1?code=1", secret},
      {"https://host/v1?key", secret},
      {"https://host/v1?key=", secret},
      {"https://host/v1?a=sk-live-1234567890", secret},
      {"https://host/v1?sk-live-1234567890", secret},
      {"https://host/v1?a=0123456789abcdef0123456789abcdef", secret},
      {"https://host/v1?a-name-of-more-than-sixty-characters-that-nobody-would-read-to-its-key=1",
       secret},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Url url;
    Err err = {0};
    url_parse(cases[i].text, &url, &err);
    check_error(&err, "bad_url", cases[i].says, cases[i].text);
    check(strncmp(err.msg, cases[i].says, strlen(cases[i].says)) == 0, "%s: %s", cases[i].text,
          err.msg);
  }
}

static void test_joined(void **state) {
  static const struct {
    const char *base, *path, *url;
  } cases[] = {
      {"https://h/v1", "/a", "https://h/v1/a"},
      {"https://h/v1//", "/a", "https://h/v1/a"},
      {"https://h", "/a", "https://h/a"},
      {"https://h/v1/chat", "/chat", "https://h/v1/chat"},
      {"https://h/v1/chat/", "/chat", "https://h/v1/chat"},
      {"https://h/v1/embed", "/chat", "https://h/v1/chat"},
      {"https://h/v1/rechat", "/chat", "https://h/v1/rechat/chat"},
      {"https://h/d/D?v=1", "/chat", "https://h/d/D/chat?v=1"},
      {"https://h/d/D/?v=1", "/chat", "https://h/d/D/chat?v=1"},
      {"https://h/d/D/chat?v=1&w=2", "/chat", "https://h/d/D/chat?v=1&w=2"},
      {"https://h?v=1", "/chat", "https://h/chat?v=1"},
      {"https://h/v1?", "/chat", "https://h/v1/chat"},
      {"https://h/v1?v=a/chat", "/chat", "https://h/v1/chat?v=a/chat"},
      {"https://h/v1?v=1", "/b?limit=2&after=x", "https://h/v1/b?v=1&limit=2&after=x"},
      {"https://h/v1", "/b?limit=2", "https://h/v1/b?limit=2"},
      {"https://h/v1/embed?v=1", "", "https://h/v1?v=1"},
      {"https://h/v1/chat", "", "https://h/v1"},
  };
  static const char *const ends[2] = {"/chat", "/embed"};
  char out[200];
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t n = strlen(cases[i].url);
    check(url_join(cases[i].base, ends, cases[i].path, out, n + 1), "%s", cases[i].base);
    check(strcmp(out, cases[i].url) == 0, "%s + %s: %s", cases[i].base, cases[i].path, out);
    check(!url_join(cases[i].base, ends, cases[i].path, out, n), "%s", cases[i].base);
  }
  check(url_join("https://h/v1/chat", NULL, "/b", out, sizeof out), "no ends");
  assert_string_equal(out, "https://h/v1/chat/b");
}

static void test_a_long_host_is_refused(void **state) {
  char text[2 * LIMIT_HOST];
  (void)state;
  for (int over = 0; over < 2; over++) {
    Url url;
    Err err = {0};
    memset(text, 'a', sizeof text);
    memcpy(text, "https://", 8);
    text[8 + LIMIT_HOST - 1 + over] = 0;
    check((url_parse(text, &url, &err) == RC_OK) == !over, "%d over", over);
  }
}

static void test_rules(void **state) {
  static const struct {
    const char *rule;
    int valid;
    const char *url;
    int covers;
  } cases[] = {
      {"api.example.com", 1, "https://api.example.com/v1", 1},
      {"api.example.com", 1, "https://api.example.com:8443/v1", 1},
      {"API.Example.com", 1, "https://api.example.com/v1", 1},
      {"api.example.com:443", 1, "https://api.example.com/v1", 1},
      {"api.example.com:8443", 1, "https://api.example.com/v1", 0},
      {"api.example.com:8443", 1, "https://api.example.com:8443/v1", 1},
      {"example.com", 1, "https://api.example.com/v1", 0},
      {"api.example.com", 1, "https://example.com/v1", 0},
      {"api.example.com", 1, "https://api.example.com.evil.com/v1", 0},
      {"api.example.com", 1, "https://xapi.example.com/v1", 0},
      {"api.example.com", 1, "https://api.example.com./v1", 0},
      {"127.0.0.1:8000", 1, "http://127.0.0.1:8000", 1},
      {"127.0.0.1:8000", 1, "http://127.0.0.1:8001", 0},
      {"[::1]:8000", 1, "http://[::1]:8000", 1},
      {"[::1]", 1, "http://[::1]:8000", 1},
      {"*.example.com", 0, "https://api.example.com/v1", 0},
      {"*", 0, "https://api.example.com/v1", 0},
      {"", 0, "https://api.example.com/v1", 0},
      {"https://api.example.com", 0, "https://api.example.com/v1", 0},
      {"api.example.com/", 0, "https://api.example.com/v1", 0},
      {"api.example.com/v1", 0, "https://api.example.com/v1", 0},
      {"api.example.com:", 0, "https://api.example.com/v1", 0},
      {"api.example.com:0", 0, "https://api.example.com/v1", 0},
      {"api.example.com:99999", 0, "https://api.example.com/v1", 0},
      {"api.example.com ", 0, "https://api.example.com/v1", 0},
      {" api.example.com", 0, "https://api.example.com/v1", 0},
      {"me@api.example.com", 0, "https://api.example.com/v1", 0},
      {"::1", 0, "http://[::1]:8000", 0},
      {"[::1", 0, "http://[::1]:8000", 0},
      {"[api.example.com]", 0, "https://api.example.com/v1", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Url url;
    Err err = {0};
    check(url_parse(cases[i].url, &url, &err) == RC_OK, "%s: %s", cases[i].url, err.msg);
    check(host_rule_is_valid(cases[i].rule) == cases[i].valid, "'%s'", cases[i].rule);
    check(host_rule_covers(cases[i].rule, &url) == cases[i].covers, "'%s' for %s", cases[i].rule,
          cases[i].url);
  }
}

static void test_builtin_hosts_and_their_keys(void **state) {
  static const struct {
    const char *url, *key;
    int verdict;
  } cases[] = {
      {"https://api.openai.com/v1", "OPENAI_API_KEY", 1},
      {"https://api.openai.com/v1", NULL, 1},
      {"https://api.openai.com/v1", "ANTHROPIC_API_KEY", -1},
      {"https://api.openai.com/v1", "openai_api_key", -1},
      {"https://api.openai.com/v1", "OPENAI_API_KEY2", -1},
      {"https://api.openai.com/v1", "", -1},
      {"https://api.openai.com/v1", "PATH", -1},
      {"https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", 1},
      {"https://api.anthropic.com/v1", "OPENAI_API_KEY", -1},
      {"https://api.mistral.ai/v1", "MISTRAL_API_KEY", 1},
      {"https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", 1},
      {"https://generativelanguage.googleapis.com/v1beta/openai", "GOOGLE_API_KEY", 1},
      {"https://generativelanguage.googleapis.com/v1beta/openai", "OPENAI_API_KEY", -1},
      {"https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", 1},
      {"https://api.groq.com/openai/v1", "GROQ_API_KEY", 1},
      {"https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", 1},
      {"https://api.x.ai/v1", "XAI_API_KEY", 1},
      {"http://127.0.0.1:11434/v1", NULL, 1},
      {"http://localhost:11434/v1", NULL, 1},
      {"http://[::1]:11434/v1", NULL, 1},
      {"http://127.0.0.1:11434/v1", "OPENAI_API_KEY", -1},
      {"http://127.0.0.1:11435/v1", NULL, 0},
      {"http://127.0.0.2:11434/v1", NULL, 0},
      {"http://127.0.0.1/v1", NULL, 0},
      {"https://evil.example/v1", NULL, 0},
      {"https://evil.example/v1", "OPENAI_API_KEY", 0},
      {"https://api.openai.com.evil.example/v1", "OPENAI_API_KEY", 0},
      {"https://evilapi.openai.com/v1", "OPENAI_API_KEY", 0},
      {"https://openai.com/v1", "OPENAI_API_KEY", 0},
      {"https://api.openai.com./v1", "OPENAI_API_KEY", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Url url;
    Err err = {0};
    check(url_parse(cases[i].url, &url, &err) == RC_OK, "%s: %s", cases[i].url, err.msg);
    int verdict = host_builtin(&url, cases[i].key);
    check(verdict == cases[i].verdict, "%s, %s: %d", cases[i].url,
          cases[i].key ? cases[i].key : "-", verdict);
  }
}

/* Where any model of a provider is asked, its key is at home; a server on this machine has none. */
static void test_endpoints_are_at_home(void **state) {
  int n;
  const Endpoint *all = catalogue_endpoints(&n);
  (void)state;
  assert_true(n > 20);
  for (int i = 0; i < n; i++) {
    Url url;
    Err err = {0};
    const char *key = all[i].key_env[0] ? all[i].key_env : NULL;
    check(url_parse(all[i].base_url, &url, &err) == RC_OK, "%s: %s", all[i].words, err.msg);
    check(url.is_loopback ? !key : key && host_builtin(&url, key) == 1, "%s", all[i].words);
    check(vendor_by_word(all[i].provider) != NULL, "%s", all[i].words);
    check(catalogue_endpoint(all[i].provider, strlen(all[i].provider)) == &all[i], "%s",
          all[i].words);
  }
  assert_null(catalogue_endpoint("open", 4));
  assert_null(catalogue_endpoint("", 0));
  assert_ptr_equal(catalogue_endpoint("OpenAI/o3", 6), &all[0]);
}

static void test_another_name_of_a_key(void **state) {
  Url url;
  Err err = {0};
  (void)state;
  url_parse("https://generativelanguage.googleapis.com/v1beta/openai", &url, &err);
  assert_string_equal(host_other_key(&url, "GEMINI_API_KEY"), "GOOGLE_API_KEY");
  assert_null(host_other_key(&url, "GOOGLE_API_KEY"));
  assert_null(host_other_key(&url, "OPENAI_API_KEY"));
  url_parse("https://evil.example/v1", &url, &err);
  assert_null(host_other_key(&url, "GEMINI_API_KEY"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_addresses_taken),
      cmocka_unit_test(test_endpoints_are_at_home),
      cmocka_unit_test(test_another_name_of_a_key),
      cmocka_unit_test(test_addresses_refused),
      cmocka_unit_test(test_sentences),
      cmocka_unit_test(test_joined),
      cmocka_unit_test(test_a_long_host_is_refused),
      cmocka_unit_test(test_rules),
      cmocka_unit_test(test_builtin_hosts_and_their_keys),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
