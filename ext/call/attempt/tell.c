/*
** See tell.h for the contract.
*/
#include "call/attempt/tell.h"

#include "base/utf8.h"
#include "core/names/model_name.h"
#include "trust/access.h"
#include "trust/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 if what a provider said gives away the key or a piece of the prompts. */
static int gives_away(const Call *k, const char *said) {
  const Request *r = k->request;
  int found = access_leaks(&k->access, said) ||
              (r->system && scrub_holds_prompt(said, r->system, strlen(r->system)));
  for (int m = 0; m < r->n_messages && !found; m++) {
    found = scrub_holds_prompt(said, r->messages[m].content, r->messages[m].n);
  }
  return found;
}

#define WITHHELD "(withheld: it repeats the prompt or the key)"

/* Takes it out of a sentence. */
void tell_scrub(const Call *k, char *said, size_t size) {
  if (said[0] && gives_away(k, said)) {
    snprintf(said, size, WITHHELD);
  }
}

int tell_mask(const Call *k, char *said, size_t size) {
  access_mask(&k->access, said);
  int is_told = said[0] && !gives_away(k, said);
  tell_scrub(k, said, size);
  return is_told;
}

/* Words of the providers' own, which a prompt may hold as well. */
static int is_known_code(const char *code) {
  static const char *const known[] = {"context_length_exceeded",
                                      "insufficient_quota",
                                      "rate_limit_exceeded",
                                      "invalid_request_error",
                                      "invalid_api_key",
                                      "model_not_found",
                                      "authentication_error",
                                      "permission_error",
                                      "not_found_error",
                                      "rate_limit_error",
                                      "overloaded_error",
                                      "api_error",
                                      "server_error",
                                      "billing_error",
                                      "request_too_large",
                                      "unsupported_parameter",
                                      "invalid_value",
                                      "content_filter",
                                      "quota_exceeded",
                                      "overloaded",
                                      "RESOURCE_EXHAUSTED",
                                      "UNAVAILABLE",
                                      "INVALID_ARGUMENT",
                                      "json_validate_failed",
                                      "exceed_context_size_error"};
  int found = 0;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    found |= strcmp(code, known[i]) == 0;
  }
  return found;
}

/* A code is one word; anything else in its place is not repeated. */
void tell_scrub_code(const Call *k, char *code) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (code[strspn(code, plain)] || (!is_known_code(code) && gives_away(k, code))) {
    code[0] = 0;
  }
}

/* (The longest word of the table behind the longest name of an enumeration is shorter.) */
void tell_scrub_word(const Call *k, char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";
  enum { LONGEST = 40 };
  size_t n = strlen(word);
  int is_known = n <= LONGEST && strspn(word, plain) == n && finish_is_listed(word);
  if (!is_known && gives_away(k, word)) {
    word[0] = 0;
  }
}

/* The model that answered. The one that was asked, or a snapshot of it, says nothing else; in front of it may
** stand a vendor's name; what is called otherwise may be anything, and is not noted if it repeats something. */
void tell_scrub_model(const Call *k, char *model) {
  int is_asked = model_name_match(model, k->model.name) > 0;
  if (is_asked ? strchr(model, '/') && access_leaks(&k->access, model) : gives_away(k, model)) {
    model[0] = 0;
  }
}

/* The words of a provider inside a usage (its service, its models), each that repeats something taken out. */
void tell_scrub_usage(const Call *k, cJSON *tree) {
  for (cJSON *item = tree ? tree->child : NULL, *next; item; item = next) {
    next = item->next;
    if (cJSON_IsString(item) && gives_away(k, item->valuestring)) {
      cJSON_Delete(cJSON_DetachItemViaPointer(tree, item));
    } else {
      tell_scrub_usage(k, item);
    }
  }
}

/* Whatever way a key took into what will be told, it ends here. */
void tell_withhold_key(Call *k, Err *err) {
  if (err->rc != RC_OK && access_leaks(&k->access, err->msg)) {
    snprintf(err->msg, sizeof err->msg, "%s: " WITHHELD, k->model.provider);
  }
  if (access_leaks(&k->access, k->row.error)) {
    snprintf(k->error, sizeof k->error, "%s: " WITHHELD,
             err->rc ? err_word(err->code) : "unpriced");
    k->row.error = k->error;
  }
}

/* ---- what is no answer */

static int is_text(const Call *k, const char *text, size_t n) {
  size_t bad_at = 0;
  return text && n > 0 && n == strnlen(text, n) && strspn(text, " \t\r\n") < n &&
         utf8_is_valid(text, n, &bad_at) && !access_leaks(&k->access, text);
}

void unfit_take(Call *k, const char *text, size_t n) {
  const Settings *set = &k->conn->set;
  call_drop_unfit(k);
  if (set->log_text == LOG_NONE || !is_text(k, text, n)) {
    return;
  }
  Hash name = hash_text(text, n, k->store->seed);
  hash_hex(&name, k->answer_hash);
  k->row.answer_hash = k->answer_hash;
  k->unfit = set->log_text == LOG_FULL ? malloc(n) : NULL;
  if (k->unfit) {
    memcpy(k->unfit, text, n);
    k->n_unfit = n;
  }
}

void unfit_write(Call *k) {
  LedgerText text = {.text = k->unfit, .n = k->n_unfit};
  Err ignored = {0};
  if (k->unfit && hash_parse(k->answer_hash, &text.hash)) {
    ledger_keep_texts(k->store, &text, 1, &ignored);
    free(k->unfit);
    k->unfit = NULL;
  }
}
