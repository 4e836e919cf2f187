/*
** What a provider repeats: a key, a prompt and a text, parted by NULs.
**
** Holds: a text into which the whole key, or the prompt, is put is found to hold it, as it stands, in
** base64, in hexadecimal, %-escaped and as escapes of bytes; and an empty text holds nothing. A mask makes no text longer, and leaves it UTF-8.
*/
#include "fuzz.h"

#include "base/base64.h"
#include "trust/scrub.h"

static char *in_digits(const char *before, const char *secret) {
  size_t n = strlen(secret), room = (strlen(before) + 2) * n + 1;
  char *out = malloc(room);
  require(out);
  out[0] = 0;
  for (size_t i = 0; i < n; i++) {
    snprintf(out + strlen(out), room - strlen(out), "%s%02x", before, (unsigned char)secret[i]);
  }
  return out;
}

/* The text with a form of the secret between two halves of it, which can't be taken for digits. Frees the
** form. */
static char *plant(const char *text, char *form) {
  size_t half = strlen(text) / 2, room = strlen(text) + strlen(form) + 3;
  char *out = malloc(room);
  require(out && form);
  snprintf(out, room, "%.*s,%s,%s", (int)half, text, form, text + half);
  free(form);
  return out;
}

static void check_planted(const char *text, const char *key, const char *prompt) {
  size_t n_key = strlen(key), n = strlen(prompt), letters = 0;
  for (size_t i = 0; i < n; i++) {
    letters += (prompt[i] >= '0' && prompt[i] <= '9') || (prompt[i] >= 'a' && prompt[i] <= 'z');
  }
  for (int form = 0; form < 5; form++) {
    const char *secrets[] = {key, prompt};
    for (int i = 0; i < 2; i++) {
      const char *s = secrets[i];
      char *planted = plant(text, form == 0   ? fuzz_copy(s, strlen(s))
                                  : form == 1 ? base64_encode(s, strlen(s))
                                  : form == 2 ? in_digits("", s)
                                  : form == 3 ? in_digits("%", s)
                                              : in_digits("\\x", s));
      require(i == 1 || n_key == 0 || scrub_holds_key(planted, key));
      require(i == 0 || letters < SCRUB_LEAST_CHARS || scrub_holds_prompt(planted, prompt, n));
      free(planted);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n, n_prompt;
  char *key = take_text(&in, &n), *prompt = take_text(&in, &n_prompt), *text = take_text(&in, &n);
  if (in.n == 0 && size < 2048) {
    scrub_holds_key(text, key);
    scrub_holds_prompt(text, prompt, n_prompt);
    require(!scrub_holds_key("", key) && !scrub_holds_prompt("", prompt, n_prompt));
    check_planted(text, key, prompt);
    size_t before = strlen(text);
    int was_utf8 = is_utf8(text);
    scrub_mask(text, key);
    require(strlen(text) <= before && is_utf8(text) >= was_utf8);
  }
  free(key);
  free(prompt);
  free(text);
  return 0;
}
