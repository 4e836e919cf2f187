/*
** The line. See bar.h for the contract.
*/
#include "core/pace/bar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_WAIT_MS = 2000, PART_BYTES = 96, NUMBER_BYTES = 32 };

/* The parts in the order of the line; and which goes first where it is too narrow. */
enum { ROWS, RATE, LEFT, ERRORS, HITS, DOLLARS, WAIT, N_PARTS };
static const int first_out[] = {RATE, HITS, LEFT, DOLLARS, ERRORS, WAIT};

double bar_rate(const Bar *b) {
  return b->done > 0 && b->elapsed_ms > 0 ? (double)b->done * 1e3 / (double)b->elapsed_ms : NAN;
}

long long bar_left_ms(const Bar *b) {
  double rate = bar_rate(b);
  if (b->total < 0 || isnan(rate)) {
    return -1;
  }
  double ms = ((double)b->total - (double)b->done) / rate * 1e3;
  return ms < (double)LIMIT_COUNT ? (long long)fmax(ms, 0) : LIMIT_COUNT;
}

/* 1,234,567 */
static void put_count(long long n, char out[NUMBER_BYTES]) {
  char digits[NUMBER_BYTES];
  int length = snprintf(digits, sizeof digits, "%lld", n > 0 ? n : 0), used = 0;
  for (int i = 0; i < length; i++) {
    out[used++] = digits[i];
    if (i < length - 1 && (length - 1 - i) % 3 == 0) {
      out[used++] = ',';
    }
  }
  out[used] = 0;
}

/* The two largest units of it. */
static void put_time(long long ms, char out[NUMBER_BYTES]) {
  enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
  long long s = ms / 1000 + (ms % 1000 >= 500);
  if (s < MINUTE) {
    snprintf(out, NUMBER_BYTES, "%lld s", s);
  } else if (s < HOUR) {
    snprintf(out, NUMBER_BYTES, "%lld min %lld s", s / MINUTE, s % MINUTE);
  } else if (s < DAY) {
    snprintf(out, NUMBER_BYTES, "%lld h %lld min", s / HOUR, s % HOUR / MINUTE);
  } else {
    snprintf(out, NUMBER_BYTES, "%lld d %lld h", s / DAY, s % DAY / HOUR);
  }
}

/* Cents, or of less two digits that say something. */
static void put_dollars(long long nusd, char out[NUMBER_BYTES]) {
  double usd = (double)nusd / 1e9;
  int decimals = usd >= 0.1 || nusd <= 0 ? 2 : usd >= 0.001 ? 4 : 6;
  snprintf(out, NUMBER_BYTES, "$%.*f", decimals, usd);
}

static void put_rows(const Bar *b, char out[PART_BYTES]) {
  char done[NUMBER_BYTES], total[NUMBER_BYTES];
  put_count(b->done, done);
  put_count(b->total, total);
  if (b->total < 0) {
    snprintf(out, PART_BYTES, "%s %s", done, b->done == 1 ? "row" : "rows");
  } else if (b->total == 0) {
    snprintf(out, PART_BYTES, "%s of %s rows", done, total);
  } else { /* 100 % is all of them */
    double share = fmin((double)b->done / (double)b->total, 1);
    snprintf(out, PART_BYTES, "%s of %s rows (%d %%)", done, total, (int)floor(100 * share));
  }
}

static void put_rate(const Bar *b, char out[PART_BYTES]) {
  double rate = bar_rate(b);
  if (rate >= 1) {
    snprintf(out, PART_BYTES, "%.*f rows/s", rate < 10, rate);
  } else if (rate * 60 >= 1) {
    snprintf(out, PART_BYTES, "%.0f rows/min", rate * 60);
  } else if (!isnan(rate)) {
    snprintf(out, PART_BYTES, "%.0f rows/h", rate * 3600);
  }
}

static void put_spent(const Bar *b, char out[PART_BYTES]) {
  char spent[NUMBER_BYTES], expected[NUMBER_BYTES];
  put_dollars(b->spent_nusd, spent);
  put_dollars(b->expected_nusd, expected);
  if (b->expected_nusd >= 0) {
    snprintf(out, PART_BYTES, "%s of about %s", spent, expected);
  } else if (b->spent_nusd > 0) {
    snprintf(out, PART_BYTES, "%s", spent);
  }
}

static void put_wait(const Bar *b, char out[PART_BYTES]) {
  static const char *const said[] = {[PACE_REQUESTS] = "waiting for requests",
                                     [PACE_TOKENS] = "waiting for tokens",
                                     [PACE_PAUSE] = "paused by the provider"};
  char time[NUMBER_BYTES];
  int is_wait = b->why == PACE_REQUESTS || b->why == PACE_TOKENS || b->why == PACE_PAUSE;
  if (is_wait && b->wait_ms >= SHOWN_WAIT_MS) {
    put_time(b->wait_ms, time);
    snprintf(out, PART_BYTES, "%s %s", said[b->why], time);
  }
}

static void put_parts(const Bar *b, char parts[N_PARTS][PART_BYTES]) {
  char text[NUMBER_BYTES];
  long long left_ms = bar_left_ms(b);
  put_rows(b, parts[ROWS]);
  put_rate(b, parts[RATE]);
  if (left_ms >= 0 && b->done < b->total) {
    put_time(left_ms, text);
    snprintf(parts[LEFT], PART_BYTES, "%s left", text);
  }
  if (b->errors > 0) {
    put_count(b->errors, text);
    snprintf(parts[ERRORS], PART_BYTES, "%s %s", text, b->errors == 1 ? "error" : "errors");
  }
  if (b->hits > 0) {
    put_count(b->hits, text);
    snprintf(parts[HITS], PART_BYTES, "%s cached", text);
  }
  put_spent(b, parts[DOLLARS]);
  put_wait(b, parts[WAIT]);
}

static size_t join(char parts[N_PARTS][PART_BYTES], char out[N_PARTS * PART_BYTES]) {
  size_t n = 0;
  out[0] = 0;
  for (int i = 0; i < N_PARTS; i++) {
    if (parts[i][0]) {
      n += (size_t)snprintf(out + n, N_PARTS * PART_BYTES - n, "%s%s", n ? ", " : "", parts[i]);
    }
  }
  return n;
}

size_t bar_line(const Bar *b, int width, char out[BAR_BYTES]) {
  char parts[N_PARTS][PART_BYTES] = {{0}}, line[N_PARTS * PART_BYTES];
  size_t most = width > 0 ? (size_t)width : 0;
  most = most < BAR_BYTES - 1 ? most : BAR_BYTES - 1;
  put_parts(b, parts);
  size_t n = join(parts, line);
  for (size_t i = 0; n > most && i < sizeof first_out / sizeof first_out[0]; i++) {
    parts[first_out[i]][0] = 0;
    n = join(parts, line);
  }
  n = n < most ? n : most;
  memcpy(out, line, n);
  out[n] = 0;
  return n;
}
