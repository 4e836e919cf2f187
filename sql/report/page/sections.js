/*
** The sections, in the order of the page: each says in one computed sentence what it shows, then draws, lists, and names its
** SQL. A section is {id, title, follows, why, build(box)}: `follows` names the filters that reach it (`days` too, and what
** its statement needs for that), `why` says in words why others can't. An empty one says what is missing and what to do.
*/

const say = (box, ...words) => box.append(el("p", {class: "said"}, ...words));
const FOLLOWS_ALL = {model: true, tag: true, days: true};
const choice = {by: "model"};

/* Where a figure is not there: why, in words. True if so. */
function saysWhyNot(box, name, leftOut) {
  const figure = figureOf(name);
  if (figure.left_out) {
    say(box, leftOut || "There are too many values for this page: the statement gives them.");
    box.append(sqlBox([{label: figure.title || name, sql: statementOf(name)}]));
  }
  return Boolean(figure.left_out);
}

/* "There are more" of figures that show so many rows only. */
const moreWords = name =>
  figureOf(name).more ? ` The first ${number(figureOf(name).rows.length)} are shown, there are more.` : "";

function splitWords(by) {
  const names = filteredBy();
  return names.length && !names.includes(by)
    ? `Too many values to split by ${by} under a filter. Clear the filters to see it.`
    : `Too many values to filter by ${listWords(names)} together. Choose one of them.`;
}

const sumBy = (rows, keyOf, names) => {
  const sums = new Map();
  for (const row of rows) {
    const key = keyOf(row),
      one = sums.get(key) || {...row, ...Object.fromEntries(names.map(name => [name, null]))};
    names.forEach(name => (one[name] = plus(one[name], row[name])));
    sums.set(key, one);
  }
  return [...sums.values()];
};
const sumOf = (rows, name) => rows.reduce((sum, row) => plus(sum, row[name]), null);

/* ---- spending */

const MEASURE_COLUMNS = [
  {key: "calls", label: "calls", kind: "count", total: "calls"},
  {key: "hits", label: "hits", kind: "count", total: "hits"},
  {key: "errors", label: "errors", kind: "count", total: "errors"},
  {key: "unpriced", label: "no price", kind: "count", total: "unpriced"},
  {key: "input_tokens", label: "input tokens", kind: "count", total: "input_tokens"},
  {key: "cached_input_tokens", label: "cached", kind: "count", total: "cached_input_tokens"},
  {key: "output_tokens", label: "output tokens", kind: "count", total: "output_tokens"},
  {key: "cost_nusd", label: "spent", kind: "money", total: "spend"},
];

/* A radio for each dimension: drawn anew below, so that the focus stays. */
function dimensionChoice(box, redraw) {
  const radios = ["model", "tag", "user"].map(by =>
    el(
      "label",
      {},
      el("input", {
        type: "radio",
        name: "by",
        value: by,
        checked: by === choice.by,
        onchange: () => {
          choice.by = by;
          redraw();
        },
      }),
      by,
    ),
  );
  box.append(el("fieldset", {class: "choice"}, el("legend", {}, "Split by"), radios));
}

function spendSection(box) {
  const below = el("div");
  const redraw = () => {
    below.replaceChildren();
    spendBy(below, choice.by);
    saveState();
  };
  dimensionChoice(box, redraw);
  box.append(below);
  spendBy(below, choice.by);
}

function spendBy(box, by) {
  const split = splitBy(by);
  const sums = totals();
  if (!split || !sums) {
    say(box, splitWords(by));
    sums && spendBy(box, filteredBy()[0]);
    return;
  }
  if (!split.keys.length) {
    nothingSpent(box, split, sums, by);
    return;
  }
  const lines = budgetLines().map(line =>
    grainOf() === "week" ? {nusd: line.nusd * 7, words: `${line.words}, times 7 days`} : line,
  );
  const words = spendWords(split, sums, by);
  say(box, words);
  lines.length && box.append(el("p", {class: "quiet"}, bdi(`${sentence(listWords(lines.map(line => line.words)))}`)));
  const chart = stackChart({
    split,
    measure: "cost_nusd",
    format: money,
    axis: axisMoney,
    lines,
    label: `Bars by ${grainOf()}, stacked by ${by}. ${words}`,
  });
  box.append(chartAndTable("spend", chart, daysTable(split, sums, by)), tableBox(valuesTable(split, sums, by)));
  box.append(
    sqlBox([
      {label: "Spent in all", sql: cubeStatement(split.whole, "sum(cost_nusd) AS cost_nusd")},
      {label: `By day and ${by}`, sql: cubeStatement(split.cube)},
      split.keys.some(one => one.key === REST) && {
        label: `By day, with what has no ${by} of its own`,
        sql: cubeStatement(split.whole),
      },
    ]),
  );
}

/* Without a call there is nothing to draw: what the period before had is listed. */
function nothingSpent(box, split, sums, by) {
  say(box, isFiltered() ? "No calls fit the filters." : "No calls in this period.");
  const table = valuesTable(split, sums, by);
  table.rows.length && box.append(tableBox(table));
  box.append(sqlBox([{label: "Spent in all", sql: cubeStatement(split.whole, "sum(cost_nusd) AS cost_nusd")}]));
}

function spendWords(split, sums, by) {
  const grain = grainOf();
  const days = split.list.map(one => ({
    one,
    cost: sumOf([...(split.groups.get(one) || new Map()).values()], "cost_nusd") || 0,
  }));
  const best = days.reduce((a, b) => (b.cost > a.cost ? b : a), {cost: 0});
  const first = split.keys.find(one => one.sums.cost_nusd > 0);
  const missing = split.list.filter(one => one.state === "no data").length;
  const past = listDays(book.state.from, earlier(book.state.to, later(book.today, book.state.from))).length;
  const parts = [`${money(sums.cost_nusd)} in ${plural(past, "day")}`];
  grain === "week" && parts.push("drawn by week");
  best.one && parts.push(`the dearest ${grain} was ${stretchWords(best.one)} with ${money(best.cost)}`);
  first &&
    split.keys.length > 1 &&
    sums.cost_nusd > 0 &&
    parts.push(
      `the dearest ${by} is ${nameWords(first.key, 40)} with ${percent(shareOf(first.sums.cost_nusd, sums.cost_nusd))}`,
    );
  missing && parts.push(`${plural(missing, grain)} ${missing === 1 ? "has" : "have"} no data`);
  return sentence(parts.join("; "));
}

function daysTable(split, sums, by) {
  const rows = split.list.flatMap(one => {
    const inside = [...(split.groups.get(one) || [])];
    const label = one.from === one.to ? one.from : `${one.from} to ${one.to}`;
    const cost = sumOf(
      inside.map(([, own]) => own),
      "cost_nusd",
    );
    const state = one.state || (cost === 0 ? "zero" : cost === null && inside.length ? "no price" : "");
    return inside.length
      ? inside.map(([key, own]) => ({day: label, state, key, ...own}))
      : [{day: label, state: state || "zero", key: undefined, cost_nusd: one.state ? null : 0}];
  });
  const columns = [
    {key: "day", label: grainOf(), kind: "text"},
    {key: "state", label: "state", kind: "state"},
    {
      key: "key",
      csv: by,
      label: by,
      kind: "dimension",
      show: row => (row.key === undefined ? NOTHING : dimensionCell(row.key)),
    },
    ...MEASURE_COLUMNS,
  ];
  return {
    name: "spend_days",
    caption: `Spending by ${grainOf()} and ${by}: ${filterWords()}`,
    columns,
    rows,
    totals: sums,
  };
}

/* Of the calls that have a price. */
function perCall(sums) {
  const priced = (sums.calls || 0) - (sums.unpriced || 0);
  return priced > 0 && sums.cost_nusd !== null ? Math.round(sums.cost_nusd / priced) : null;
}

/* A model's or tag's name, by which the whole page is filtered. */
function filterCell(by, key) {
  if (by === "user" || key === REST) {
    return dimensionCell(key);
  }
  const onclick = () => change({[by]: key});
  const title = `Only ${by} ${nameWords(key, 1000)}`;
  return el("button", {type: "button", class: "link", title, onclick}, bdi(nameWords(key, 40)));
}

function valuesTable(split, sums, by) {
  const found = isWholePeriod() ? comparison() : {};
  const before = found.sums ? beforeBy(by) : null;
  const rows = split.keys.map(({key, sums: own}) => ({
    key,
    ...own,
    per_call_nusd: perCall(own),
    share: shareOf(own.cost_nusd, sums.cost_nusd),
    before_nusd: before ? (before.get(key) ?? (key === REST ? null : 0)) : null,
  }));
  const columns = [
    {key: "key", csv: by, label: by, kind: "dimension", show: row => filterCell(by, row.key)},
    ...MEASURE_COLUMNS,
    {key: "per_call_nusd", label: "a call", kind: "money", total: "per_call"},
    {key: "share", label: "share", kind: "percent"},
    ...(before
      ? [
          {
            key: "before_nusd",
            label: `${book.meta.before_label}${book.meta.is_over || book.meta.before_label.startsWith("as much") ? "" : " (as far in)"}`,
            kind: "money",
            total: "before",
          },
        ]
      : []),
  ];
  const foot = {
    ...sums,
    per_call_nusd: perCall(sums),
    share: sums.cost_nusd ? 1 : null,
    ...(found.sums ? {before_nusd: found.sums.cost_nusd ?? 0} : {}),
  };
  gone(rows, before, found);
  return {name: "spend_values", caption: `By ${by}: ${filterWords()}`, columns, rows, totals: foot};
}

/* Values that only the period before has are rows too: else its column would not add up. */
function gone(rows, before, found) {
  for (const [key, nusd] of before || []) {
    if (!rows.some(row => row.key === key)) {
      rows.push({...ZEROS, key, share: 0, before_nusd: nusd});
    }
  }
  const rest = found.sums ? (found.sums.cost_nusd || 0) - (sumOf(rows, "before_nusd") || 0) : 0;
  const last = rows.find(row => row.key === REST);
  if (rest && last) {
    last.before_nusd = rest;
  } else if (rest) {
    rows.push({...ZEROS, key: REST, share: 0, before_nusd: rest});
  }
}

function beforeBy(by) {
  const cube = cubeFor([...new Set([...filteredBy(), by])], CUBES_BEFORE);
  if (!cube) {
    return null;
  }
  const sums = new Map();
  figureRows(cube.name)
    .filter(rowMatches)
    .forEach(row => sums.set(row[by], (sums.get(row[by]) || 0) + (row.cost_nusd || 0)));
  return sums;
}

/* ---- why it changed */

const DRIFT_COLUMNS = [
  {key: "driver", label: "driver", kind: "text"},
  {key: "detail", label: "of", kind: "text"},
  {key: "change_nusd", label: "change", kind: "money", total: "change"},
  {key: "before", label: "before", kind: "number"},
  {key: "after", label: "now", kind: "number"},
  {key: "unit", label: "counted in", kind: "text"},
];

function whySection(box) {
  const found = driftRows();
  if (found.none) {
    say(box, found.none);
    return;
  }
  if (found.why) {
    say(box, `Why spending changed is ${found.why}. ${askWords()}`);
    box.append(copyable("why it changed, with these filters", driftStatement()));
    return;
  }
  if (saysWhyNot(box, found.figure)) {
    return;
  }
  const name = filteredBy().map(by => `${by} ${nameWords(book.state[by], 40)}`)[0];
  if (!found.rows.length) {
    say(box, bdi(driftSentence(found, name)));
    box.append(sqlBox([{label: "The drivers", sql: statementOf(found.figure, "*", FOLLOWS_ALL)}]));
    return;
  }
  const steps = found.rows.filter(row => row.change_nusd);
  const total = sumOf(found.rows, "change_nusd") || 0;
  say(box, bdi(driversWords(found, steps, total, name)));
  const table = {
    name: "why",
    caption: `Drivers of the change against ${againstOf(found)}`,
    columns: DRIFT_COLUMNS,
    rows: found.rows,
    totals: {change_nusd: total},
  };
  box.append(
    steps.length ? chartAndTable("why", whyChart(found, steps, total), table) : tableBox(table),
    sqlBox([
      {label: "The drivers", sql: statementOf(found.figure, "*", FOLLOWS_ALL)},
      {label: "The change", sql: statementOf(found.figure, "sum(change_nusd) AS change_nusd", FOLLOWS_ALL)},
      {label: "In words", sql: driftStatement()},
    ]),
  );
}

const againstOf = found => found.against ?? book.meta.before_label;

function driversWords(found, steps, total, name) {
  const side = sign => steps.filter(row => Math.sign(row.change_nusd) === sign);
  const part = (sign, word) =>
    side(sign).length
      ? [`${plural(side(sign).length, "driver")} ${word} (${money(sumOf(side(sign), "change_nusd"), true)} together)`]
      : [];
  const parts = listWords([...part(1, "for more"), ...part(-1, "for less")]);
  const head = `${name ? `${name}: ` : ""}spending changed by ${money(total, true)} against ${againstOf(found)}`;
  return sentence(parts ? `${head}, by ${parts}` : head);
}

function whyChart(found, rows, total) {
  const before = found.answer ? Math.round((found.answer.before || 0) * 1e9) : (comparison().sums || {}).cost_nusd || 0;
  const sorted = [...rows].sort((a, b) => Math.abs(b.change_nusd) - Math.abs(a.change_nusd));
  const shown = sorted.slice(0, 12),
    small = sorted.slice(12);
  const steps = shown.map(row => ({
    label: driverWords(row),
    change: row.change_nusd,
    words: isolate(row.text || driverWords(row), 150),
  }));
  small.length && steps.push({label: `${small.length} smaller ones`, change: sumOf(small, "change_nusd")});
  return waterfallChart({
    begin: {label: againstOf(found), value: before},
    steps,
    end: {label: found.against ? rangeWords(book.state) : book.meta.label, value: before + total},
    colors: {up: "var(--up)", down: "var(--down)", upWords: "more", downWords: "less"},
    label: `From ${money(before)} over its drivers to ${money(before + total)}: ${steps
      .slice(0, 3)
      .map(step => `${step.label} ${money(step.change, true)}`)
      .join(", ")}.`,
  });
}

/* ---- savings */

/* By day where no tag or model is chosen, else of the whole period. */
const savingFigure = () => (filteredBy().length ? "cell_savings" : isWholePeriod() ? "savings" : "day_savings");
const savingDays = () => (savingFigure() === "day_savings" ? book.state : book.period);
const savingName = row => row.saving.replace(/_/g, " ") + (row.who ? ` (${row.who})` : "");

const TOO_MANY_SAVINGS =
  "Too many values to split savings by tag and model: clear the filters to see those of all calls.";
const SUM_OF_SAVINGS = "sum(CASE saving WHEN 'spend' THEN 0 WHEN 'baseline' THEN 0 ELSE nusd END) AS nusd";

/* {rows, baseline, spend} under the filters; the ends are null where no call is kept by itself. */
function savingsOf(name, follows) {
  const all = sumBy(listRows(name, follows), row => JSON.stringify([row.saving, row.who]), ["calls", "nusd", "unpriced"]);
  const of = saving => all.filter(row => row.saving === saving);
  const valueOf = saving => sumOf(of(saving), "nusd");
  const rows = all.filter(row => !["baseline", "spend"].includes(row.saving));
  return {rows, baseline: valueOf("baseline"), spend: valueOf("spend")};
}

function savingsSection(box) {
  const name = savingFigure();
  const follows = {model: true, tag: true};
  if (saysWhyNot(box, name, TOO_MANY_SAVINGS)) {
    return;
  }
  const {rows, baseline, spend} = savingsOf(name, follows);
  if (baseline == null || spend == null) {
    say(box, "No calls are kept one by one here: savings are told of calls that are.");
    return;
  }
  const words = savingWords(rows, baseline, spend);
  const isWhole = name === "cell_savings" && !isWholePeriod();
  isWhole && say(box, `Of the whole period, ${rangeWords(book.period)}: by tag or model savings are not kept by day.`);
  say(box, words, ...ofSumsWords(spend));
  const table = savingsTable(name, rows, baseline, spend);
  const chart = rows.some(row => row.nusd) ? savingsChart(rows, baseline, spend, words) : null;
  box.append(
    chart ? chartAndTable("savings", chart, table) : tableBox(table),
    sqlBox([
      {label: "Each saving", sql: statementOf(name, "*", follows)},
      {label: "Saved in all", sql: statementOf(name, SUM_OF_SAVINGS, follows)},
    ]),
  );
}

function savingsTable(name, savings, baseline, spend) {
  const share = nusd => (baseline > 0 ? nusd / baseline : null);
  const rows = savings.map(row => ({...row, saving: savingName(row), share: share(row.nusd), against: row.baseline}));
  const caption = "Savings: baseline less each of them is the spending";
  const totals = {nusd: baseline - spend, share: share(baseline - spend)};
  return {name: "savings", caption, rows, columns: savingColumns(name), totals};
}

function savingsChart(savings, baseline, spend, label) {
  const sorted = savings.filter(row => row.nusd).sort((a, b) => b.nusd - a.nusd);
  return waterfallChart({
    begin: {label: "without savings", value: baseline},
    steps: sorted.map(row => ({label: savingName(row), change: -row.nusd})),
    end: {label: "spent", value: spend},
    colors: {up: "var(--up)", down: "var(--down)", upWords: "cost more", downWords: "saved"},
    label,
  });
}

const savingColumns = name => [
  {key: "saving", label: "saving", kind: "text"},
  {key: "calls", label: "calls", kind: "count"},
  {key: "nusd", label: "saved", kind: "money", total: "savings"},
  {key: "share", label: "of the baseline", kind: "percent", total: "savings_share"},
  {key: "unpriced", label: "not known", kind: "count"},
  ...(name === "savings" ? [{key: "against", label: "against", kind: "text"}] : []),
];

function savingWords(savings, baseline, spend) {
  const saved = baseline - spend;
  const largest = savings
    .filter(row => row.nusd > 0)
    .sort((a, b) => b.nusd - a.nusd)
    .slice(0, 3);
  const most = largest.length && saved > 0
    ? ` Most by ${listWords(largest.map(row => `${savingName(row)} (${money(row.nusd)})`))}.`
    : "";
  const lost = savings.filter(row => row.nusd < 0).map(row => `${savingName(row)} cost ${money(-row.nusd)} more`);
  const rest = lost.length ? ` ${sentence(listWords(lost))}` : "";
  if (!spend && (totals(savingDays()) || {}).unpriced) {
    return "No call here has a price: what was saved can't be told.";
  }
  if (!largest.length && !lost.length) {
    const without = "the calls cost what they would have cost without caches, routes and batches";
    return `Nothing was saved: ${without}, ${money(baseline)}.`;
  }
  const part = baseline > 0 ? ` (${percent(saved / baseline)})` : "";
  const change = saved < 0 ? `${money(-saved)} less than they did` : `${money(saved)} was saved${part}`;
  return `Without caches, routes and batches these calls would have cost ${money(baseline)}: ${change}.${most}${rest}`;
}

/* What the page's spending has that has no baseline: invoices, rows that were trimmed. */
function ofSumsWords(spend) {
  const whole = totals(savingDays());
  const rest = whole ? (whole.cost_nusd || 0) - spend : 0;
  const sums = "sums (imported invoices, trimmed rows), which have no baseline";
  if (rest > 0) {
    return [` A further ${money(rest)} of the period's spending is of ${sums}.`];
  }
  return rest < 0 ? [` These calls come to ${money(-rest)} more than the period's sums.`] : [];
}
