/*
** Usage objects of every shape, alone, in answers and in lists of a stream's snapshots. The first byte
** chooses the vendor.
**
** Holds: no negative count, our own form is read back as it was written, and a usage has a cost that is
** not negative or a reason why it has none.
*/
#include "fuzz.h"

#include "core/price/price.h"
#include "core/usage/usage.h"

static const Vendor *some_vendor(unsigned pick) {
  static const char *const words[] = {"openai",     "anthropic", "google", "aws",
                                      "perplexity", "x-ai",      "mistral"};
  size_t n = sizeof words / sizeof words[0];
  return pick % (n + 1) < n ? vendor_by_word(words[pick % (n + 1)]) : NULL;
}

static void check_usage(const Usage *u) {
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    long long count = usage_get(u, unit);
    require(u->has & UNIT_BIT(unit) ? count >= 0 : count == USAGE_UNKNOWN);
  }
  require(u->reported_nusd >= USAGE_UNKNOWN);
  require(is_utf8(u->service) && is_utf8(u->geo) && is_utf8(u->other));
}

static void check_same(const Usage *a, const Usage *b) {
  require(a->has == b->has);
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    require(usage_get(a, unit) == usage_get(b, unit));
  }
  require(strcmp(a->service, b->service) == 0 && strcmp(a->geo, b->geo) == 0);
}

static void check_form(const Usage *u) {
  Err err = {0};
  Usage again;
  cJSON *form = usage_json(u);
  require(form);
  require(usage_read(form, NULL, NULL, &again, &err) == RC_OK);
  if (u->has) {
    check_same(u, &again);
  }
  cJSON_Delete(form);
}

static void check_cost(const Usage *u) {
  PriceSet set = {.priced = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT) |
                            UNIT_BIT(UNIT_CACHE_READ) | UNIT_BIT(UNIT_INPUT_AUDIO)};
  PriceSum sum = {.why = ""};
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    set.pusd[unit] = 1000000000000;
    set.factor[unit] = BOOK_FACTOR_ONE;
  }
  PriceVerdict verdict = price_cost(&set, u, &sum);
  require(verdict == PRICED ? cost_nusd(sum.cost) >= 0 : sum.why[0] != 0 && is_utf8(sum.why));
}

static void read_whole(const cJSON *tree, const Vendor *vendor) {
  Usage whole;
  UsagePart *parts = NULL;
  int n = 0;
  Err err = {0};
  if (usage_read_all(tree, vendor, NULL, &whole, &parts, &n, &err) == RC_OK) {
    require((parts != NULL) == (n > 0));
    check_usage(&whole);
    for (int i = 0; i < n; i++) {
      check_usage(&parts[i].usage);
      require(is_utf8(parts[i].model));
    }
    cJSON *form = usage_parts_json(&whole, parts, n);
    require(form);
    cJSON_Delete(form);
    free(parts);
  }
  check_err(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  const Vendor *vendor = some_vendor(take_byte(&in));
  size_t n;
  char *text = take_rest(&in, &n);
  cJSON *tree = fuzz_json(text, n);
  Err err = {0};
  Usage u;
  if (tree && usage_read(tree, vendor, NULL, &u, &err) == RC_OK) {
    check_usage(&u);
    check_form(&u);
    check_cost(&u);
  }
  check_err(&err);
  if (tree) {
    usage_model(tree, vendor, NULL);
    read_whole(tree, vendor);
  }
  cJSON_Delete(tree);
  free(text);
  return 0;
}
