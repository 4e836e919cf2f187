/*
** Numbers, times, durations, calendars and base64 from text.
**
** Holds: a number that was read, written and read again is the same; times lie between the years 1 and
** 9999 and windows in a day; what base64 gives is encoded back to the text, but for padding.
*/
#include "fuzz.h"

#include "base/base64.h"
#include "base/text/decimal.h"
#include "core/price/calendar.h"

static void check_decimal(const char *text, int scale) {
  long long value = -1, again = -1;
  char form[64];
  if (decimal_parse(text, scale, &value)) {
    require(value >= 0);
    decimal_format((unsigned __int128)value, scale, form, sizeof form);
    require(decimal_parse(form, scale, &again) && again == value);
    require(decimal_double((unsigned __int128)value, scale) >= 0);
  }
}

static void check_times(const char *text) {
  long long ms = 0;
  int from = -1, to = -1;
  if (time_parse(text, &ms)) {
    require(ms >= TIME_FIRST && ms <= TIME_LAST);
  }
  if (time_parse_hours(text, &from, &to)) {
    require(from >= 0 && from < 86400 && to >= 0 && to <= 86400);
  }
  require(duration_parse(text) >= -1);
}

/* What holds at a moment holds as long as it says. */
static void check_calendar(const char *text) {
  static const long long moments[] = {0, -1, 1795820399999LL, TIME_FIRST, TIME_LAST};
  char why[CALENDAR_WHY] = "";
  Calendar c;
  if (!calendar_parse(text, &c, why)) {
    require(why[0]);
    return;
  }
  for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
    long long from = moments[i] - 1000000000, to = moments[i] + 1000000000;
    int holds = calendar_holds(&c, moments[i]);
    calendar_narrow(&c, moments[i], &from, &to);
    require(from <= moments[i] && moments[i] < to);
    require(calendar_holds(&c, from) == holds && calendar_holds(&c, to - 1) == holds);
  }
}

static void check_base64(const char *text, size_t n) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  while (n > 0 && text[n - 1] == '=') {
    n--;
  }
  if (base64_decode(text, n, &bytes, &size)) {
    char *again = base64_encode(bytes, size);
    require(again && strlen(again) >= n && strspn(again + n, "=") == strlen(again + n));
    /* Bits of the last digit that belong to no byte are not looked at. */
    require(n == 0 || memcmp(again, text, n - 1) == 0);
    free(again);
  } else {
    require(!bytes);
  }
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n;
  int scale = (int)(take_byte(&in) % 19);
  char *text = take_rest(&in, &n);
  check_decimal(text, scale);
  check_decimal(text, 12);
  check_times(text);
  check_calendar(text);
  check_base64(text, n);
  free(text);
  return 0;
}
