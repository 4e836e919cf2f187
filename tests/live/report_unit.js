/*
** What the page of llm_report computes, without a browser: node tests/live/report_unit.js
**
** Sums under filters, days without data, comparisons, CSV, words and statements, of a small document that is made here.
*/
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const folder = path.join(__dirname, "../../sql/report/page");
const source = ["data", "words", "csv"].map(name => fs.readFileSync(path.join(folder, `${name}.js`), "utf8")).join("");
const COLUMNS = "calls hits errors unpriced input_tokens cached_input_tokens output_tokens cost_nusd saved_nusd".split(
  " ",
);
const CELLS = [...COLUMNS, "hits_semantic", "misses", "refused", "unknown"];

/* A row: day, billed, then names, calls and nano-dollars. */
const row = (names, calls, nusd, more = 0) => [
  ...names,
  calls,
  0,
  0,
  0,
  calls * 10,
  calls * 4,
  calls,
  nusd,
  null,
  ...Array(more).fill(0),
];
const figure = (names, rows, columns = COLUMNS) => ({
  title: "t",
  sql: "SELECT 1",
  columns: [...names, ...columns],
  rows,
});

function documentOf(change = {}) {
  const meta = {
    version: "0",
    made: Date.UTC(2026, 10, 5, 2),
    zone: "UTC",
    from: Date.UTC(2026, 10, 1),
    to: Date.UTC(2026, 11, 1),
    before_from: Date.UTC(2026, 9, 1),
    before_to: Date.UTC(2026, 9, 5, 2),
    from_day: "2026-11-01",
    to_day: "2026-11-30",
    to_hour: "2026-12-01 00:00",
    before_day: "2026-10-01",
    label: "2026-11",
    before_label: "2026-10",
    is_over: false,
    today: "2026-11-05",
    first_day: "2026-10-01",
  };
  const day = (n, ...names) => [`2026-11-0${n}`, "paid", ...names];
  const figures = {
    days: figure(
      ["day", "billed"],
      [
        row(["2026-10-31", "paid"], 1, 4),
        row(day(1), 5, 100),
        row(day(2), 2, 0),
        row(day(4), 3, 33),
        row(day(5), 1, 7),
      ],
    ),
    day_models: figure(
      ["day", "billed", "model"],
      [
        row(day(1, "a"), 3, 60),
        row(day(1, "b"), 2, 40),
        row(day(2, 0), 2, 0),
        row(day(4, "a"), 3, 33),
        row(day(5, null), 1, 7),
      ],
    ),
    day_tags: figure(
      ["day", "billed", "tag"],
      [row(day(1, "x"), 5, 100), row(day(2, "x"), 2, 0), row(day(4, null), 3, 33), row(day(5, "y'"), 1, 7)],
    ),
    day_users: figure(["day", "billed", "user"], []),
    cells: figure(
      ["day", "billed", "model", "tag"],
      [row(day(1, "a", "x"), 2, 50, 4), row(day(1, "b", "x"), 2, 40, 4), row(day(4, "a", null), 3, 33, 4)],
      CELLS,
    ),
    before: figure(["billed"], [row(["paid"], 4, 50)]),
    before_models: figure(["billed", "model"], [row(["paid", "a"], 4, 50)]),
    before_tags: figure(["billed", "tag"], []),
    before_cells: figure(["billed", "model", "tag"], [], CELLS),
    user_cells: {title: "u", sql: "SELECT 2", columns: [], rows: [], left_out: 1},
    ...change.figures,
  };
  return {meta: {...meta, ...change.meta}, figures};
}

function open(change) {
  const context = vm.createContext({Intl, TextEncoder, URLSearchParams});
  vm.runInContext(source, context);
  context.text = JSON.stringify(documentOf(change));
  vm.runInContext("openBook(text)", context);
  return code => vm.runInContext(code, context);
}

const plain = value => JSON.parse(JSON.stringify(value));
const tests = {
  "totals are those of the smallest cube that has what is filtered"() {
    const run = open();
    assert.equal(run("totals().cost_nusd"), 140);
    run("setState({model: 'a'})");
    assert.deepEqual([run("totals().cost_nusd"), run("totals().cube")], [93, "day_models"]);
    run("setState({tag: 'x'})");
    assert.deepEqual([run("totals().cost_nusd"), run("totals().cube")], [50, "cells"]);
    run("setState({model: undefined, tag: null})");
    assert.equal(run("totals().cost_nusd"), 33);
  },
  "what only sums know is a value of its own, and the parts come to the total"() {
    const run = open();
    run("setState({tag: 'x'})");
    const keys = plain(run("splitBy('model').keys.map(one => [one.key, one.sums.cost_nusd])"));
    assert.deepEqual(keys, [
      ["a", 50],
      ["b", 40],
      [-1, 10],
    ]);
    assert.equal(
      keys.reduce((sum, [, nusd]) => sum + nusd, 0),
      run("totals().cost_nusd"),
    );
  },
  "a cube that was left out is said, not guessed"() {
    const run = open();
    run("setState({tag: 'x'})");
    assert.equal(run("splitBy('user')"), null);
  },
  "no data, zero, so far and not yet are four things"() {
    const run = open();
    assert.deepEqual(plain(run("stretches().slice(0, 6).map(one => one.state)")), [
      "",
      "",
      "no data",
      "",
      "so far",
      "not yet",
    ]);
  },
  "a comparison is over equal time, or says why there is none"() {
    const run = open();
    assert.equal(run("comparison().sums.cost_nusd"), 50);
    assert.equal(run("comparison().name"), "2026-10 (as far into it)");
    run("setState({from: '2026-11-04', to: '2026-11-05'})");
    assert.deepEqual(plain(run("comparison().range")), {from: "2026-11-03", to: "2026-11-03"});
    assert.match(run("comparison().name"), /whole days only: 2026-11-04/);
    run("setState({from: '2026-11-05', to: '2026-11-05'})");
    assert.match(run("comparison().why"), /not over/);
    run("setState({from: '2026-11-01', to: '2026-11-02', model: 'a'})");
    assert.match(run("comparison().why"), /No comparison/);
    run("setState({model: undefined})");
    assert.equal(run("comparison().sums.cost_nusd"), 4);
  },
  "no percentage of nothing"() {
    const run = open();
    assert.equal(run("changeWords(5e9, 0)"), "up $5.00, new");
    assert.equal(run("changeWords(0, 0)"), "unchanged");
    assert.equal(run("changeWords(1e9, 4e9)"), "down $3.00, \u2212\u206075 %");
  },
  "shares stay inside their whole"() {
    const run = open();
    assert.equal(run("percent(shareOf(8780, 9980))"), "88 %");
    assert.equal(run("shareOf(5, 0)"), null);
    assert.equal(run("shareOf(12, 10)"), 1);
  },
  "money and numbers as the extension writes them"() {
    const run = open();
    const words = {
      "money(2038580000000)": "$2,038.58",
      "money(-71870000000)": "\u2212\u2060$71.87",
      "money(71870000000, true)": "+$71.87",
      "money(12300000)": "$0.012",
      "money(0)": "$0.00",
      "money(null)": "\u2013",
      "money(125000000)": "$0.12",
      "number(1847)": "1,847",
      "number(0.35)": "0.35",
      "number(12.4)": "12.40",
      "percent(0.004)": "0.4 %",
      "percent(11)": "1,100 %",
      "percent(0.0001)": "0 %",
      "plainDollars(-12300001)": "-0.012300001",
    };
    for (const [code, want] of Object.entries(words)) {
      assert.equal(run(code), want, code);
    }
  },
  "CSV: texts are no formulas, numbers are numbers"() {
    const run = open();
    const cell = value => run(`csvCell(${JSON.stringify(value)}, "text")`);
    for (const text of ["=1+1", "+1", "-1", "@x", " =1", "'=1", "\u00a0-2"]) {
      assert.match(cell(text), /^"?'/, text);
    }
    assert.equal(cell("\tq"), '"\'\tq"');
    assert.equal(cell('"=1"'), '"\'""=1"""');
    assert.equal(cell('a,b\n"c"'), '"a,b\n""c"""');
    assert.equal(cell(""), '""');
    assert.equal(cell(null), "");
    assert.equal(run("csvCell(-12300001, 'money')"), "-0.012300001");
    assert.equal(run("csvCell(-3, 'count')"), "-3");
    const all = run(
      "csvOf([{key: 'tag', kind: 'dimension'}, {key: 'cost_nusd', kind: 'money'}], " +
        "[{tag: null, cost_nusd: 1}, {tag: 0, cost_nusd: null}])",
    );
    assert.equal(all, "\ufefftag,cost_usd\r\n,0.000000001\r\n(others),\r\n");
  },
  "statements carry the filters, quoted"() {
    const run = open();
    assert.equal(run("statementOf('before')"), "SELECT 1");
    run("setState({tag: \"y'\", from: '2026-11-02'})");
    assert.equal(
      run("cubeStatement('day_tags', 'sum(cost_nusd) AS cost_nusd')"),
      "SELECT sum(cost_nusd) AS cost_nusd FROM (\nSELECT 1\n) WHERE day >= '2026-11-02' " +
        "AND day <= '2026-11-30' AND tag = 'y'''",
    );
    run("setState({tag: null, model: 0})");
    assert.match(run("cubeStatement('cells')"), /AND model = 0 AND tag IS NULL$/);
    assert.match(run("driftStatement()"), /^SELECT text FROM llm_drift\(\d+, \d+, \d+, \d+\)$/);
  },
  "what is paid and what is at list prices is never added"() {
    const change = {
      figures: {
        days: figure(["day", "billed"], [row(["2026-11-01", "paid"], 1, 5), row(["2026-11-01", "list"], 1, 9)]),
        drift: figure([], [["paid", "users", 4], ["list", "users", 7]], ["billed", "driver", "change_nusd"]),
      },
    };
    const run = open(change);
    assert.deepEqual(plain(run("book.billed")), ["paid", "list"]);
    assert.equal(run("totals().cost_nusd"), 5);
    run("setState({billed: 'list'})");
    assert.equal(run("totals().cost_nusd"), 9);
    assert.deepEqual(plain(run("driftRows().rows.map(one => one.change_nusd)")), [7]);
    assert.match(run("driftStatement()"), /'\{"billed":"list"\}'\)$/);
  },
  "days begin by the clocks of the zone, also where these change"() {
    const run = open({meta: {zone: "Europe/Berlin"}});
    assert.equal(run("new Date(startOf('2026-10-25')).toISOString()"), "2026-10-24T22:00:00.000Z");
    assert.equal(run("new Date(startOf('2026-10-26')).toISOString()"), "2026-10-25T23:00:00.000Z");
    assert.equal(run("dayOf(Date.UTC(2026, 9, 25, 23, 30))"), "2026-10-26");
  },
  "a limit is drawn where its scope is what is shown"() {
    const columns = "scope value period limit_nusd".split(" ");
    const all = (period, limit) => ["*", "*", period, limit];
    const rows = [all("day", 8), ["tag:*", "tag:x", "month", 60], all("week", 9), ["model:a", "model:a", "day", 0]];
    const run = open({figures: {budgets: figure([], rows, columns)}});
    assert.deepEqual(plain(run("budgetLines().map(line => line.nusd)")), [8]);
    run("setState({tag: 'x'})");
    assert.deepEqual(plain(run("budgetLines().map(line => line.nusd)")), [2]);
    assert.match(run("budgetLines()[0].words"), /a month, by 30 days$/);
    run("setState({tag: null})");
    assert.deepEqual(plain(run("budgetLines()")), []);
  },
  "more than 92 days are weeks, Monday first"() {
    const run = open({meta: {from_day: "2026-08-05", from: Date.UTC(2026, 7, 5)}});
    assert.deepEqual(plain(run("stretches().slice(0, 2).map(one => [one.from, one.to])")), [
      ["2026-08-05", "2026-08-09"],
      ["2026-08-10", "2026-08-16"],
    ]);
    assert.equal(run("grainOf()"), "week");
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    test();
  } catch (error) {
    failed++;
    console.log(`${name}: ${error.message}`);
  }
}
console.log(`${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
