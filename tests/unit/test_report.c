/*
** Reports: their period, their statements, and texts where they could be taken for something else.
*/
#include "unit.h"

#include "base/text/decimal.h"
#include "base/text/spec.h"
#include "core/report/escape.h"
#include "core/report/figures_text.h"
#include "core/report/period.h"

#include <stdio.h>
#include <string.h>

static long long moment(const char *text) {
  long long ms = 0;
  check(time_parse(text, &ms), "%s", text);
  return ms;
}

/* What a period is, as labels there: "from | to | before | until". */
static const char *period_text(const char *words, const char *zone_name, const char *now,
                               Err *err) {
  static char text[160];
  Zone zone = {0};
  ReportPeriod p;
  char at[4][REPORT_LABEL];
  check(zone_parse(zone_name, &zone), "%s", zone_name);
  const ReportSpan ask = {words, SPEC_NO_TIME, SPEC_NO_TIME, SPEC_NO_TIME};
  if (report_period(&ask, &zone, moment(now), &p, err) != RC_OK) {
    return "";
  }
  const long long ends[] = {p.is.from, p.is.to, p.before.from, p.before.to};
  for (int i = 0; i < 4; i++) {
    report_label(&zone, ends[i], at[i]);
  }
  snprintf(text, sizeof text, "%s | %s | %s | %s%s, %d", at[0], at[1], at[2], at[3],
           p.is_over ? ", over" : "", p.days);
  return text;
}

static void test_periods(void **state) {
  static const struct Case {
    const char *words, *zone, *now, *is;
  } cases[] = {
      {"2026-10", "UTC", "2026-11-30 02:07",
       "2026-10-01 00:00 | 2026-11-01 00:00 | 2026-09-01 00:00 | 2026-10-01 00:00, over, 31"},
      /* as much of the month before, up to the next quarter of an hour */
      {"this month", "UTC", "2026-11-30 02:07",
       "2026-11-01 00:00 | 2026-11-30 02:15 | 2026-10-01 00:00 | 2026-10-30 02:15, 30"},
      /* a month that is longer than the one before */
      {"this month", "UTC", "2026-03-31 12:00",
       "2026-03-01 00:00 | 2026-03-31 12:00 | 2026-02-01 00:00 | 2026-03-01 00:00, 31"},
      {"", "UTC", "2026-11-30 02:07",
       "2026-11-01 00:00 | 2026-11-30 02:15 | 2026-10-02 00:00 | 2026-10-31 02:15, 30"},
      {"last 7 days", "UTC", "2026-11-30 02:07",
       "2026-11-24 00:00 | 2026-11-30 02:15 | 2026-11-17 00:00 | 2026-11-23 02:15, 7"},
      {"last 24 hours", "UTC", "2026-11-30 02:07",
       "2026-11-30 00:00 | 2026-11-30 02:15 | 2026-11-29 00:00 | 2026-11-29 02:15, 1"},
      {"today", "Asia/Kathmandu", "2026-11-30 18:20",
       "2026-12-01 00:00 | 2026-12-01 00:15 | 2026-11-30 00:00 | 2026-11-30 00:15, 1"},
      {"2025", "Europe/Berlin", "2026-11-30 02:07",
       "2025-01-01 00:00 | 2026-01-01 00:00 | 2024-01-01 00:00 | 2025-01-01 00:00, over, 365"},
      /* a day of 25 hours */
      {"2026-10-25", "Europe/Berlin", "2026-11-30 02:07",
       "2026-10-25 00:00 | 2026-10-26 00:00 | 2026-10-24 00:00 | 2026-10-25 00:00, over, 1"},
      {"2026-W45", "America/New_York", "2026-11-30 02:07",
       "2026-11-02 00:00 | 2026-11-09 00:00 | 2026-10-26 00:00 | 2026-11-02 00:00, over, 7"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const char *is = period_text(cases[i].words, cases[i].zone, cases[i].now, &err);
    check(strcmp(is, cases[i].is) == 0, "'%s' %s: %s %s", cases[i].words, cases[i].zone, is,
          err.msg);
  }
}

static void test_periods_that_are_none(void **state) {
  static const struct Case {
    const char *words;
    long long from, to;
    const char *says;
  } cases[] = {
      {"next month", SPEC_NO_TIME, SPEC_NO_TIME, "is no period: expected 'last month'"},
      {"last 500 days", SPEC_NO_TIME, SPEC_NO_TIME, "400 days at most"},
      {"", 0, SPEC_NO_TIME, "begins in 1974 at the earliest"},
      {"1900-01", SPEC_NO_TIME, SPEC_NO_TIME, "begins in 1974 at the earliest"},
      {"2026-12", SPEC_NO_TIME, SPEC_NO_TIME, "has not begun"},
      {"9999-12", SPEC_NO_TIME, SPEC_NO_TIME, "has not begun"},
      {"", 1595824000000, SPEC_NO_TIME, "400 days at most"},
      {"2026", 0, SPEC_NO_TIME, "give 'period', or 'from' and 'until'"},
      {"", 1795824000000, 1795824000000, "ends before it begins"},
      {"", 1995824000000, SPEC_NO_TIME, "ends before it begins"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Zone zone = {0};
    ReportPeriod p;
    Err err = {0};
    const ReportSpan ask = {cases[i].words, cases[i].from, cases[i].to, SPEC_NO_TIME};
    report_period(&ask, &zone, moment("2026-11-30"), &p, &err);
    check_error(&err, "bad_argument", cases[i].says, cases[i].words);
  }
}

/* Without a period: where the last thirty days are empty, those up to the newest day. */
static void test_an_old_ledger(void **state) {
  Zone zone = {0};
  ReportPeriod p;
  Err err = {0};
  const ReportSpan ask = {"", SPEC_NO_TIME, SPEC_NO_TIME, moment("2025-06-10")};
  (void)state;
  report_period(&ask, &zone, moment("2026-11-30 10:00"), &p, &err);
  check(p.is.to == moment("2025-06-11") && p.is.from == moment("2025-05-12") && p.is_over &&
            p.days == 30,
        "%lld %lld", p.is.from, p.is.to);
  check(strcmp(p.label, "2025-05-12 \xE2\x80\x93 2025-06-10") == 0, "%s", p.label);
  const ReportSpan now = {"", SPEC_NO_TIME, SPEC_NO_TIME, SPEC_NO_TIME};
  report_period(&now, &zone, moment("2026-11-30 10:00"), &p, &err);
  check(strcmp(p.label, "2026-11-01 \xE2\x80\x93 2026-11-30") == 0, "%s", p.label);
  check(strcmp(p.before_label, "2026-10-02 \xE2\x80\x93 2026-10-31 10:00") == 0, "%s",
        p.before_label);
}

/* The last seven days, then months and weeks, clipped to the period; compared are whole days, with as many before them. */
static void test_ranges(void **state) {
  static const struct Case {
    const char *words, *now;
    int n;
    const char *first, *last;
  } cases[] = {
      {"2026-10", "2026-11-30 02:07", 6, "10-25 11-01 | 10-25 11-01 | 10-18 10-25",
       "10-26 11-01 | 10-26 11-01 | 10-20 10-26"},
      {"this month", "2026-11-30 02:07", 6, "11-24 11-30 | 11-24 11-30 | 11-18 11-24",
       "11-23 11-30 | 11-23 11-30 | 11-16 11-23"},
      {"2025", "2026-11-30 02:07", 13, "12-25 01-01 | 12-25 01-01 | 12-18 12-25",
       "12-01 01-01 | 12-01 01-01 | 10-31 12-01"},
      {"today", "2026-11-30 02:07", 0, "", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Zone zone = {0};
    ReportPeriod p;
    ReportRange ranges[REPORT_RANGES];
    Err err = {0};
    const ReportSpan ask = {cases[i].words, SPEC_NO_TIME, SPEC_NO_TIME, SPEC_NO_TIME};
    report_period(&ask, &zone, moment(cases[i].now), &p, &err);
    int n = report_ranges(&p, &zone, ranges);
    check(n == cases[i].n, "%s: %d", cases[i].words, n);
    for (int k = 0; k < 2 && n > 0; k++) {
      const ReportRange *r = &ranges[k ? n - 1 : 0];
      const long long at[] = {r->shown.from, r->shown.to,    r->is.from,
                              r->is.to,      r->before.from, r->before.to};
      char label[6][REPORT_LABEL], text[80];
      for (int m = 0; m < 6; m++) {
        report_label(&zone, at[m], label[m]);
      }
      snprintf(text, sizeof text, "%.5s %.5s | %.5s %.5s | %.5s %.5s", label[0] + 5, label[1] + 5,
               label[2] + 5, label[3] + 5, label[4] + 5, label[5] + 5);
      check(strcmp(text, k ? cases[i].last : cases[i].first) == 0, "%s: %s", cases[i].words, text);
    }
  }
}

static void test_statements(void **state) {
  static const char file[] = "-- what it is\n\n-- let $a\nx + $n\n-- let $b\n($a)\n\n"
                             "-- figure one: The first\n-- most 5\n-- first 7\nSELECT $b, $c, "
                             "'cost $', $lit, $deep\nFROM t;\n\n"
                             "-- figure two: The second\nSELECT 2;\n";
  static const FigureWord words[] = {
      {"n", "42", 0}, {"lit", "'$a'", 0}, {"deep", "<$n>", 1}, {NULL, NULL, 0}};
  const char *at = file;
  FigureText f;
  Buf out;
  (void)state;
  buf_init(&out, 1000);
  assert_true(figure_text_next(&at, &f));
  check(f.most == 5 && f.first == 7 && f.n_name == 3 && strncmp(f.title, "The first\n", 10) == 0,
        "%s", f.name);
  figure_text_expand(f.sql, f.n_sql, words, file, &out);
  check(strcmp(out.data, "SELECT (x + 42), $c, 'cost $', '$a', <42>\nFROM t") == 0, "%s", out.data);
  assert_true(figure_text_next(&at, &f));
  check(f.most == 0 && f.first == 0 && f.n_sql == 8, "%zu", f.n_sql);
  assert_false(figure_text_next(&at, &f));
  buf_free(&out);
}

typedef struct Escaped {
  const char *text;
  size_t n; /* 0: as long as it is */
  const char *is;
} Escaped;

static void test_json(void **state) {
  static const Escaped cases[] = {
      {"", 0, "\"\""},
      {"a\"b\\c\n", 0, "\"a\\u0022b\\u005cc\\u000a\""},
      {"nul\0byte", 8, "\"nul\\u0000byte\""},
      {"\xE2\x86\x92\xF0\x9F\x98\x80", 0, "\"\xE2\x86\x92\xF0\x9F\x98\x80\""},
      {"a\xFF\xC3(", 0, "\"a\\ufffd\\ufffd(\""},
      {"\xE2\x86", 0, "\"\\ufffd\""},
      {"\xED\xA0\x80", 0, "\"\\ufffd\\ufffd\\ufffd\""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    buf_init(&out, 1000);
    escape_json(cases[i].text, cases[i].n ? cases[i].n : strlen(cases[i].text), &out);
    check(strcmp(out.data, cases[i].is) == 0, "%s", out.data);
    buf_free(&out);
  }
}

static void test_markdown(void **state) {
  static const Escaped cases[] = {
      {"plain-text, 1.5 (a) + b = {c}!", 0, "plain-text, 1.5 (a) + b = {c}!"},
      {"a | b", 0, "a \\| b"},
      {"![x](http://e.test)", 0, "!\\[x\\](http\\://e.test)"},
      {"www.e.test WWW.e.test mailto:x", 0, "www\\.e.test WWW\\.e.test mailto\\:x"},
      {"a@b.c #1 $x$", 0, "a@<!-- -->b.c #<!-- -->1 \\$x\\$"},
      {"<b>&amp;", 0, "&lt;b&gt;&amp;amp;"},
      {"two\nlines\ttab\x7F", 0, "two lines tab "},
      {"\xE2\x80\xAE"
       "rtl\xE2\x81\xA6\xE2\x80\xA8"
       "end",
       0, "rtlend"},
      {"\xE2\x86\x92 \xFF", 0, "\xE2\x86\x92 \xEF\xBF\xBD"},
      {"12345678901234567890123", 0, "12345678901234567890\xE2\x80\xA6"},
      {"1234567890123456789\xE2\x86\x92", 0, "1234567890123456789\xE2\x86\x92"},
  };
  enum { MOST = 40 };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf out;
    buf_init(&out, 1000);
    size_t n = strlen(cases[i].text);
    escape_markdown(cases[i].text, n, n < 24 && i > 8 ? 20 : MOST, &out);
    check(strcmp(out.data, cases[i].is) == 0, "%s: %s", cases[i].text, out.data);
    buf_free(&out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_periods),       cmocka_unit_test(test_periods_that_are_none),
      cmocka_unit_test(test_an_old_ledger), cmocka_unit_test(test_statements),
      cmocka_unit_test(test_ranges),        cmocka_unit_test(test_json),
      cmocka_unit_test(test_markdown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
