/*
** Texts cut into blocks, sentences and words; what of them is protected; what is context.
*/
#include "unit.h"

#include "base/buf.h"
#include "core/split/context.h"
#include "core/split/spans.h"
#include "core/split/terms.h"
#include "core/split/units.h"

/* The units of a text, apart by bars. */
static void units_text(const char *text, Buf *out) {
  TextUnits u = {NULL, 0, 0, 0};
  Err err = {0};
  buf_clear(out);
  buf_puts(out, "");
  assert_int_equal(units_find(text, strlen(text), &u, &err), RC_OK);
  for (size_t i = 0; i < u.n; i++) {
    buf_puts(out, i > 0 ? "|" : "");
    buf_add(out, text + u.at[i].from, u.at[i].n);
  }
  units_free(&u);
}

static void test_sentences(void **state) {
  (void)state;
  static const struct {
    const char *text, *units;
  } cases[] = {
      {"One. Two! Three? Four", "One.|Two!|Three?|Four"},
      {"Dr. Smith paid 3.5 km, e.g. with J. Doe Inc. in the U.S. Army. He left.",
       "Dr. Smith paid 3.5 km, e.g. with J. Doe Inc. in the U.S. Army.|He left."},
      {"Take compound B. When it boils, stop. Plan B. The end.",
       "Take compound B.|When it boils, stop.|Plan B.|The end."},
      {"Er kam am 3. März. Das war z.B. gut. Am 12. Mai ging er.",
       "Er kam am 3. März.|Das war z.B. gut.|Am 12. Mai ging er."},
      {"Bzgl. Ihrer Frage, zzgl. Steuer: siehe Abb. 3 dort. The PDF. It has 8 Hg. The end. We saw "
       "it. 3 "
       "of us.",
       "Bzgl. Ihrer Frage, zzgl. Steuer: siehe Abb. 3 dort.|The PDF.|It has 8 Hg.|The end.|We saw "
       "it.|3 "
       "of us."},
      {"It scored 12. The rest failed.", "It scored 12.|The rest failed."},
      {"She said \"Go. Now. Run.\" He ran. \"Stop!\" They stood.",
       "She said \"Go. Now. Run.\"|He ran.|\"Stop!\"|They stood."},
      {"Use `a. B` and http://x.org/a.B?c=D. Or mail a.B@c.De. End.",
       "Use `a. B` and http://x.org/a.B?c=D.|Or mail a.B@c.De.|End."},
      /* Values and parentheses are not cut within. */
      {"['One is here.', 'Two is there.'] End", "['One is here.', 'Two is there.'] End"},
      {"[\"One is here.\", \"Two is there.\"] End", "[\"One is here.\", \"Two is there.\"] End"},
      {"It gave {\"a\": \"One. Two.\", // c\n \"b\": [1,]} then. End",
       "It gave {\"a\": \"One. Two.\", // c\n \"b\": [1,]} then.|End"},
      {"Fees (see terms. They are long.) apply. (It rained.) End",
       "Fees (see terms. They are long.) apply.|(It rained.)|End"},
      {"返品（三十日。ただし除く。）は無料です。次。",
       "返品（三十日。ただし除く。）は無料です。|次。"},
      {"One (is not closed. Two. Three", "One (is not closed.|Two.|Three"},
      {"One (is [not. Closed) here. Two] end. Three",
       "One (is [not. Closed) here.|Two] end.|Three"},
      {"Wait... What? Really?! Yes.", "Wait...|What?|Really?!|Yes."},
      {"A classic.The show ran. Call http.Client or json.Marshal. End.",
       "A classic.|The show ran.|Call http.Client or json.Marshal.|End."},
      {"我们有三只猫。你呢？好！走", "我们有三只猫。|你呢？|好！|走"},
      {"これは「はい。いいえ。」です。次。", "これは「はい。いいえ。」です。|次。"},
      {"यह एक है। वह दो है।", "यह एक है।|वह दो है।"},
      {"Yahoo! is old. iPhone sales fell.", "Yahoo! is old. iPhone sales fell."},
      /* Lines that an editor wrapped, and lines that are their own. */
      {"The quick brown fox jumps over the lazy dog and the cat and also\nBob who is here. Then it "
       "ends.",
       "The quick brown fox jumps over the lazy dog and the cat and also\nBob who is here.|Then it "
       "ends."},
      {"Roses are red\nViolets are blue", "Roses are red|Violets are blue"},
      {"User: hi there\nBot: hello you", "User: hi there|Bot: hello you"},
      /* A placeholder, a tag. */
      {"Dear {{first. Name}}, you won. See <a href=\"x. Y\">it</a>. Bye.",
       "Dear {{first. Name}}, you won.|See <a href=\"x. Y\">it</a>.|Bye."},
      {"<document>First one. Second one.</document>",
       "<document>|First one.|Second one.|</document>"},
      {"", ""},
      {" \n\t\n ", ""},
      {"...", "..."},
  };
  Buf out;
  buf_init(&out, 10000);
  for (size_t i = 0; i < COUNT(cases); i++) {
    units_text(cases[i].text, &out);
    check(strcmp(out.data, cases[i].units) == 0, "%s\n gave %s", cases[i].text, out.data);
  }
  buf_free(&out);
}

static void test_blocks(void **state) {
  (void)state;
  static const char *const names[] = {"paragraph", "heading", "item",        "table", "lines",
                                      "code",      "json",    "fenced_json", "tag",   "rule"};
  static const struct {
    const char *text, *kinds;
  } cases[] = {
      {"# A\n\ntext\nmore\n\n- x\n- y\n  more y\n1. z", "heading paragraph item item item"},
      {"Title\n=====\nText\n\n---\n", "heading paragraph rule"},
      {"Context:\nSome text.", "paragraph"},
      {"Context:\n\nSome text.", "heading paragraph"},
      {"```c\nint  x;\n\n\ny\n```\nafter", "code paragraph"},
      {"```json\n{\"a\": 1}\n```", "fenced_json"},
      {"```json\n{\"a\": 1\n```", "code"},
      {"~~~\n```\n~~~\nx", "code paragraph"},
      {"``` not closed\n\nrest", "code"},
      {"Text\n\n    x = 1\n\n\n    y = 2\n\nText", "paragraph code paragraph"},
      {"{\"a\":\n [1, \"b\"]}\n\nx", "json paragraph"},
      {"{\"a\": 1} and more", "paragraph"},
      {"[1] A passage", "item"},
      {"| a | b |\n|---|---|\n| 1 | 2 |\n\nx", "table paragraph"},
      {"a\tb\n1\t2\n3\t4", "table"},
      {"Name      Age\nBob       12\nElisabeth  3", "table"},
      {"name: Bob\nage: 12\ncity: Oslo", "lines"},
      {"server:\n  port: 80\n  host: x\nlog: y", "code"},
      {"def f(x):\n    return x + 1\n\nText here.", "code paragraph"},
      {"all: a.o\n\tcc -o  all a.o", "code"},
      {"@@ -1,2 +1,2 @@\n-a  b\n \n+a b\nx", "code paragraph"},
      {"- {\n   \"a\": 1,\n\n   \"b\": \"x\"\n  }\n- y", "item item"},
      {"[\n {\"a\": 1,},\n {\"a\": 2}, // c\n]\nmore", "paragraph"},
      {"[\n {\"a\": 1,},\n {\"a\": 2}, // c\n]", "code"},
      {"\xEF\xBB\xBF{\"a\": 1}", "json"},
      {"- One.\nGuests:\n- Two.\nSTAFF\n- Three.", "item heading item paragraph item"},
      {"One. More.\nThree.\n---\nTwo.", "paragraph rule paragraph"},
      {"<documents>\n<document id=\"1\">\nText.\n</document>\n</documents>",
       "tag tag paragraph tag tag"},
      {"```context\nText. More.\n```\nQ?", "tag paragraph tag paragraph"},
      {"- item\n\n      indented far\n\nText", "item paragraph paragraph"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Blocks b = {NULL, 0, 0};
    Err err = {0};
    Buf out;
    buf_init(&out, 10000);
    assert_int_equal(blocks_find(cases[i].text, strlen(cases[i].text), &b, &err), RC_OK);
    for (size_t k = 0; k < b.n; k++) {
      buf_printf(&out, "%s%s", k > 0 ? " " : "", names[b.at[k].kind]);
    }
    check(strcmp(out.data, cases[i].kinds) == 0, "%s\n is %s", cases[i].text, out.data);
    buf_free(&out);
    blocks_free(&b);
  }
}

/* What each unit is read under: the place of its parent, "-" without one. */
static void test_parents(void **state) {
  (void)state;
  static const struct {
    const char *text, *parents;
  } cases[] = {
      {"Members:\n- It is free.\nGuests:\n- It costs five.", "- 0 1 - 3 4"},
      {"MEMBERS\nIt is free.\n\nGUESTS\nIt costs five.\n\nMore of it.", "- 0 - 2 2"},
      {"**Members**\n\nIt is free.\n\n**Guests**\n\n- It costs five.", "- 0 - 2 3"},
      {"Text:\nIt is free. Or not.\n\nMore of it.", "- 0 0 -"},
      {"- Europe\n  - Oslo is a hub.\n  - Rome is none.\n- Asia", "- 0 1 2 1 4 - 6"},
      {"- It is. All of it:\n    - Oslo\n\n  And so on.", "- 0 1 2 3 2"},
      {"- **Order 7**\n  It is late.\n- **Order 8**\n  It is paid.", "- 0 1 - 3 4"},
      {"Date: Monday\n\nIt is late.\n\nFrom: Bob\nDate: Tuesday\n\nIt is paid.", "- 0 - 2 3"},
      {"Id: 7\nState: late\nId: 8\nState: paid", "- 0 - 2"},
      {"Ann: Is it late?\nBob: Yes.\nBob: No.", "- - -"},
      {"<doc>\nGUESTS\nIt costs five.\n</doc>\n\nWhat does it cost?", "- - 1 - -"},
      {"Roses are red\nViolets are blue", "- -"},
      {"Be kind. We sell to\nAnn and Bob.", "- - -"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    TextUnits u = {NULL, 0, 0, 0};
    Err err = {0};
    Buf out;
    buf_init(&out, 10000);
    assert_int_equal(units_find(cases[i].text, strlen(cases[i].text), &u, &err), RC_OK);
    for (size_t k = 0; k < u.n; k++) {
      buf_puts(&out, k > 0 ? " " : "");
      u.at[k].parent == UNIT_NONE ? buf_puts(&out, "-") : buf_printf(&out, "%zu", u.at[k].parent);
    }
    check(strcmp(out.data, cases[i].parents) == 0, "%s\n has %s", cases[i].text, out.data);
    buf_free(&out);
    units_free(&u);
  }
}

/* Each kind of protected text is found, as a whole. */
static void test_spans(void **state) {
  (void)state;
  static const struct {
    const char *kind, *span, *text;
  } cases[] = {
      {"quote", "\"a  b\"", "Say \"a  b\" twice"},
      {"quote", "'it is'", "He's 'it is' and don't"},
      {"quote", "\"a  b\"", "\xEF\xBB\xBF\"a  b\""},
      {"quote", "“so”", "x “so” y"},
      {"quote", "„so“", "x „so“ y"},
      {"quote", "«so»", "x «so» y"},
      {"quote", "「はい」", "x「はい」y"},
      {"inline_code", "`a  b`", "x `a  b` y"},
      {"inline_code", "``a ` b``", "x ``a ` b`` y"},
      {"regex", "/a  +b/i", "match /a  +b/i here"},
      {"url", "https://a.b/c?d=e", "see https://a.b/c?d=e."},
      {"url", "www.a.b", "see www.a.b, then"},
      {"email", "a.b@c.de", "to a.b@c.de."},
      {"id", "ORD-123", "order ORD-123."},
      {"id", "550e8400-e29b-41d4-a716-446655440000", "id 550e8400-e29b-41d4-a716-446655440000 x"},
      {"id", "deadbeef42", "hash deadbeef42 x"},
      {"number", "1,000.50", "pay 1,000.50 now"},
      {"number", "2026-03-04", "on 2026-03-04 x"},
      {"number", "12:30", "at 12:30."},
      {"number", "twenty", "about twenty men"},
      {"date", "March", "in March we"},
      {"date", "yesterday", "came yesterday x"},
      {"negation", "never", "we never do"},
      {"negation", "don't", "we don't go"},
      {"negation", "without", "x without y"},
      {"negation", "nicht", "das nicht x"},
      {"negation", "pas", "il ne va pas x"},
      {"negation", "nunca", "eso nunca x"},
      {"negation", "não", "isso não x"},
      {"order", "unless", "x unless y"},
      {"order", "only", "x only y"},
      {"order", "until", "x until y"},
      {"order", "außer", "x außer y"},
      {"order", "jusqu", "jusqu'à x"},
      {"order", "hasta", "x hasta y"},
      {"format", "JSON", "as JSON please"},
      {"format", "bullets", "in bullets please"},
      {"placeholder", "{{name}}", "Dear {{name}}, x"},
      {"placeholder", "{name}", "Dear {name}, x"},
      {"placeholder", "${name}", "Dear ${name}, x"},
      {"placeholder", "$name", "Dear $name, x"},
      {"placeholder", "%s", "Dear %s, x"},
      {"placeholder", "%(name)s", "Dear %(name)s, x"},
      {"tag", "<x id='1. 2'>", "a <x id='1. 2'> b"},
      {"code", "```\na  b\n```", "x\n\n```\na  b\n```\n"},
      {"code", "    a  b", "x\n\n    a  b\n\ny"},
      {"json", "{\"a\": \"b.  C\"}", "so {\"a\": \"b.  C\"} it is"},
      {"json", "{\"a\": [1,\n\"x\"]}", "x\n\n{\"a\": [1,\n\"x\"]}\n\ny"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    TextSpans s = {NULL, 0, 0};
    Err err = {0};
    int found = 0;
    size_t n = strlen(cases[i].span);
    assert_int_equal(spans_find(cases[i].text, strlen(cases[i].text), &s, &err), RC_OK);
    for (size_t k = 0; k < s.n; k++) {
      found |= s.at[k].n == n && memcmp(cases[i].text + s.at[k].from, cases[i].span, n) == 0 &&
               strcmp(span_kind_name(s.at[k].kind), cases[i].kind) == 0;
      check(k == 0 || s.at[k - 1].from + s.at[k - 1].n <= s.at[k].from, "%s: one over another",
            cases[i].text);
    }
    check(found, "%s: no %s '%s'", cases[i].text, cases[i].kind, cases[i].span);
    spans_free(&s);
  }
}

/* Quotation marks that are far apart don't belong together, wherever blanks stand. */
static void test_far_quotes(void **state) {
  (void)state;
  static const struct { int words, units; } cases[] = {{40, 1}, {58, 1}, {61, 62}, {4000, 4001}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf text;
    TextUnits u = {NULL, 0, 0, 0};
    Err err = {0};
    buf_init(&text, 1 << 20);
    buf_puts(&text, "It is \"so.");
    for (int k = 0; k < cases[i].words; k++) {
      buf_puts(&text, k % 2 ? " Abc." : "   Abc.");
    }
    buf_puts(&text, "\"");
    assert_int_equal(units_find(text.data, text.n, &u, &err), RC_OK);
    check(u.n == (size_t)cases[i].units, "%d words: %zu units", cases[i].words, u.n);
    units_free(&u);
    buf_free(&text);
  }
}

/* The role of each unit. */
static void test_context(void **state) {
  (void)state;
  static const struct {
    ContextWhere where;
    const char *text, *roles; /* a letter for each unit: Fixed, Question, Context */
  } cases[] = {
      {CONTEXT_MARKED,
       "Answer it.\n\n<context>\nAnn is here. Carl left.\n</context>\n\nWho is Ann?", "FFCCFQ"},
      {CONTEXT_MARKED, "Do.\n<documents>\n<document id=\"1\">\nA.\n</document>\n</documents>\nWho?",
       "FFCCCFQ"},
      {CONTEXT_MARKED, "Do.\n\n```context\nAnn sat. Carl left.\n```\n\nWho?", "FFCCFQ"},
      {CONTEXT_MARKED,
       "Read this.\n\nContext: Ann is here. Carl left.\n\nQuestion: Who is Ann?\n\nAnswer:",
       "FCCQF"},
      {CONTEXT_MARKED,
       "# Task\nDo it.\n# Context\nAnn is here.\n\nCarl left.\n# Question\nWho is Ann?", "FQFCCFQ"},
      {CONTEXT_MARKED, "<context>Ann is here. Carl left.</context> Who is Ann?", "FCCFQ"},
      {CONTEXT_MARKED, "Ann is here.\n\nCarl left.\n\nWho is Ann?", "FFQ"},
      /* Nothing says where it ends: its own paragraph; of what comes then it may be the task. */
      {CONTEXT_MARKED, "Context: Ann is here.\n\nCarl left.\n\nWho is Ann?", "CFQ"},
      {CONTEXT_MARKED, "Context: Ann is here.\n\nCarl left.\n\nQuestion: Who is Ann?", "CCQ"},
      {CONTEXT_MARKED, "Context:\nAnn is here.\n\nTell me who. Never lie.\n\nSign as Bob.",
       "CCFFQ"},
      {CONTEXT_MARKED, "<context>Ann is here.\n\nCarl left.</context>\nSay who. Do not lie.",
       "FCCQQQ"},
      {CONTEXT_GUESSED, "You are good.\n\nEve is old.\n\nThe answer is short.\n\nSign as Bob.",
       "FCFQ"},
      {CONTEXT_GUESSED,
       "You are good.\n\nCarl left. You are kind. Never do that.\n\nEve is old.\n\nWho is Ann?",
       "FCFFCQ"},
      {CONTEXT_WHOLE, "Ann is here.\n\nCarl left?", "CC"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    TextUnits u = {NULL, 0, 0, 0};
    Err err = {0};
    char roles[64] = "";
    unsigned char of[64];
    assert_int_equal(units_find(cases[i].text, strlen(cases[i].text), &u, &err), RC_OK);
    assert_true(u.n < sizeof of);
    size_t n = context_find(cases[i].text, &u, cases[i].where, of), found = 0;
    for (size_t k = 0; k < u.n; k++) {
      roles[k] = "FQC"[of[k]];
      found += of[k] == ROLE_CONTEXT;
    }
    check(strcmp(roles, cases[i].roles) == 0, "%s\n gave %s", cases[i].text, roles);
    assert_int_equal(n, found);
    units_free(&u);
  }
}

static uint64_t key_of(const char *text) {
  TermWalk w;
  Term t;
  terms_begin(&w, text, 0, strlen(text));
  check(terms_next(&w, &t) == 1, "%s: no term", text);
  check(terms_next(&w, &t) == 0, "%s: more than one term", text);
  terms_begin(&w, text, 0, strlen(text));
  terms_next(&w, &t);
  return t.stem;
}

static void test_terms(void **state) {
  (void)state;
  static const char *const same[][2] = {
      {"Café", "cafe"},      {"STRASSE", "straße"}, {"don't", "dont"},         {"don’t", "Dont"},
      {"refunds", "refund"}, {"ＡＢＣ", "abc"},     {"naïve", "nai\xCC\x88ve"}};
  static const char *const other[][2] = {
      {"30", "14"}, {"1.5", "15"}, {"ORD-123", "ORD-124"}, {"never", "always"}};
  for (size_t i = 0; i < COUNT(same); i++) {
    check(key_of(same[i][0]) == key_of(same[i][1]), "%s is not %s", same[i][0], same[i][1]);
  }
  for (size_t i = 0; i < COUNT(other); i++) {
    check(key_of(other[i][0]) != key_of(other[i][1]), "%s is %s", other[i][0], other[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sentences), cmocka_unit_test(test_blocks),
      cmocka_unit_test(test_parents),   cmocka_unit_test(test_spans),
      cmocka_unit_test(test_context),   cmocka_unit_test(test_far_quotes),
      cmocka_unit_test(test_terms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
