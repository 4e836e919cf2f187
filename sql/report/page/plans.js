/*
** The sections of what is under way and what can be done: batches, advice, limits, calls without a price.
*/

/* ---- batches */

const BATCH_COLUMNS = [
  {key: "id", label: "batch", kind: "number"},
  {key: "state", label: "state", kind: "text"},
  {key: "provider", label: "provider", kind: "dimension"},
  {key: "model", label: "model", kind: "dimension"},
  {key: "rows", label: "rows", kind: "count"},
  {key: "answered", label: "answered", kind: "count"},
  {key: "open_rows", label: "open", kind: "count"},
  {key: "created_at", label: "sent", kind: "stamp"},
  {key: "ended_at", label: "ended", kind: "stamp"},
  {key: "expected_end", label: "expected", kind: "stamp"},
  {key: "cost_nusd", label: "cost", kind: "money", total: "batches"},
  {key: "saved_nusd", label: "saved", kind: "money", total: "batches_saved"},
  {key: "held_nusd", label: "held", kind: "money"},
  {key: "word", label: "word", kind: "text"},
  {key: "trouble", label: "trouble", kind: "text"},
  {key: "error", label: "error", kind: "text"},
];

function batchesSection(box) {
  const follows = {model: true, days: row => [row.created_at, row.created_at], columns: ["created_at", "created_at"]};
  const rows = listOr(
    box,
    "batches",
    follows,
    "No batches in this period. What can wait costs half there: batch_submit, and llm_help('batches').",
  );
  if (!rows) {
    return;
  }
  const open = sumOf(rows, "open_rows");
  const waiting = open ? ` ${plural(open, "row")} ${open === 1 ? "is" : "are"} still open.` : "";
  const bad = rows.filter(row => row.trouble || row.error).length;
  const [cost, saved] = ["cost_nusd", "saved_nusd"].map(name => money(sumOf(rows, name)));
  say(
    box,
    `${plural(rows.length, "batch", "batches")} cost ${cost} and saved ${saved}.${waiting}`,
    bad ? ` ${plural(bad, "batch has", "batches have")} trouble: see the last columns.` : "",
    moreWords("batches"),
  );
  box.append(
    tableBox({
      name: "batches",
      caption: "Batches that were sent in the period",
      columns: BATCH_COLUMNS,
      rows,
      totals: {cost_nusd: sumOf(rows, "cost_nusd"), saved_nusd: sumOf(rows, "saved_nusd")},
    }),
    sqlBox([
      {label: "The rows", sql: statementOf("batches", "*", follows)},
      {label: "In all", sql: statementOf("batches", "sum(cost_nusd) AS cost_nusd", follows)},
    ]),
  );
}

/* ---- advice */

const nusdOf = usd => (usd == null ? null : Math.round(usd * 1e9));
const monthWords = row =>
  row.low_usd == null
    ? money(nusdOf(row.usd_per_month))
    : `${money(nusdOf(row.low_usd))} to ${money(nusdOf(row.high_usd))}`;

function adviceItem(row) {
  const facts = [
    `${monthWords(row)} a month`,
    row.effort && `effort: ${row.effort}`,
    row.confidence && `confidence: ${row.confidence}`,
    row.calls != null && plural(row.calls, "call"),
    row.when_to && `when: ${row.when_to}`,
  ].filter(Boolean);
  return el(
    "li",
    {},
    el(
      "h3",
      {},
      `${row.rank}. `,
      bdi(sentence(cut(row.advice, 80)).replace(/\.$/, "")),
      ": ",
      bdi(cut(row.subject || "", 80)),
    ),
    el("p", {class: "facts-line"}, bdi(cut(facts.join("; "), 400))),
    el("div", {}, longText(sentence(row.what || ""), 600)),
    row.how ? copyable(`what to do: ${row.advice}`, row.how) : "",
    row.why
      ? el(
          "details",
          {class: "sql"},
          el("summary", {}, "What it is computed from"),
          copyable(`what it is computed from: ${row.advice}`, row.why),
        )
      : "",
  );
}

const ADVICE_COLUMNS = [
  {key: "rank", label: "rank", kind: "number"},
  {key: "advice", label: "advice", kind: "text"},
  {key: "subject", label: "of", kind: "text"},
  {key: "low_nusd", label: "low, a month", kind: "money"},
  {key: "high_nusd", label: "high, a month", kind: "money"},
  {key: "effort", label: "effort", kind: "text"},
  {key: "confidence", label: "confidence", kind: "text"},
  {key: "calls", label: "calls", kind: "count"},
  {key: "when_to", label: "when", kind: "text"},
  {key: "how", label: "statement", kind: "text"},
];

/* "none" is a row, too: it says why nothing is advised. */
const adviceRows = () => listRows("advice", {}).filter(row => row.advice !== "none");

function nothingToAdvise() {
  const none = listRows("advice", {}).find(row => row.advice === "none");
  return none ? sentence(`Nothing to advise: ${none.what}`) : "Nothing to advise.";
}

function adviceSection(box) {
  const found = adviceRows();
  if (!found.length) {
    say(box, nothingToAdvise());
    box.append(sqlBox([{label: "The rows", sql: statementOf("advice")}]));
    return;
  }
  const overlap = found.length > 1 ? " They overlap: what two of them save does not add up." : "";
  const first = found.length > 1 ? "the first would save" : "it would save";
  say(box, `${plural(found.length, "thing")} to do; ${first} ${monthWords(found[0])} a month.${overlap}`, moreWords("advice"));
  const rows = found.map(row => ({
    ...row,
    low_nusd: nusdOf(row.low_usd ?? row.usd_per_month),
    high_nusd: nusdOf(row.high_usd ?? row.usd_per_month),
  }));
  const table = {name: "advice", caption: "What to do next, dearest first", columns: ADVICE_COLUMNS, rows};
  box.append(
    el("ol", {class: "advice"}, rows.map(adviceItem)),
    el("details", {}, el("summary", {}, "As a table"), tableBox(table)),
    sqlBox([{label: "The rows", sql: statementOf("advice")}]),
  );
}

/* ---- limits, and what has no price */

/* A limit of nothing has no share, and is over with the first cent. */
const isOver = row => (row.share == null ? row.limit_nusd === 0 && row.spent_nusd > 0 : row.share > 1);

function budgetBar(row) {
  const bar = el("span", {class: `bar${isOver(row) ? " over" : ""}`, "aria-hidden": "true"}, el("span"));
  bar.firstChild.style.width = `${Math.min(100, Math.max(0, (row.share ?? (isOver(row) ? 1 : 0)) * 100))}%`;
  return bar;
}

const budgetItem = row =>
  el(
    "li",
    {},
    el("span", {}, bdi(nameWords(scopeWords(row), 40)), ": "),
    el("span", {class: isOver(row) ? "over-words" : ""}, budgetWords(row)),
    budgetBar(row),
  );

const BUDGET_COLUMNS = [
  {key: "scope", label: "scope", kind: "text"},
  {key: "value", label: "of", kind: "text"},
  {key: "period", label: "period", kind: "text"},
  {key: "action", label: "action", kind: "text"},
  {key: "limit_nusd", label: "limit", kind: "money"},
  {key: "spent_nusd", label: "spent", kind: "money"},
  {key: "unknown_nusd", label: "may be spent", kind: "money"},
  {key: "held_nusd", label: "held", kind: "money"},
  {key: "share", label: "used", kind: "percent"},
  {key: "projected_nusd", label: "if it goes on so", kind: "money"},
  {key: "basis", label: "basis", kind: "text"},
  {key: "unpriced", label: "no price", kind: "count"},
  {key: "until_time", label: "until", kind: "text"},
];

function budgetsSection(box) {
  const rows = listOr(
    box,
    "budgets",
    {},
    "No limits are set: INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 10) sets one.",
  );
  if (!rows) {
    return;
  }
  const over = rows.filter(isOver).length;
  const how = over ? `${plural(over, "is", "are")} over` : "none is over";
  say(box, `${plural(rows.length, "limit")} as of ${stampWords(book.meta.made)}; ${how}. They count own calls, not imported ones.`, moreWords("budgets"));
  box.append(
    tableBox({name: "budgets", caption: "Limits, the most used first", columns: BUDGET_COLUMNS, rows}),
    sqlBox([{label: "The rows", sql: statementOf("budgets")}]),
  );
}

const UNPRICED_COLUMNS = [
  {key: "model", label: "model", kind: "dimension"},
  {key: "provider", label: "provider", kind: "dimension"},
  {key: "kind", label: "kind", kind: "text"},
  {key: "calls", label: "calls", kind: "count", total: "unpriced"},
  {key: "input_tokens", label: "input tokens", kind: "count"},
  {key: "output_tokens", label: "output tokens", kind: "count"},
  {key: "why", label: "why", kind: "text"},
];

function unpricedSection(box) {
  const follows = {model: true, tag: true, folded: true};
  const rows = listOr(box, "unpriced", follows, "Every call has a price: nothing is missing from the sums.");
  if (!rows) {
    return;
  }
  const calls = sumOf(rows, "calls");
  say(
    box,
    `${plural(calls, "call")} ${calls === 1 ? "has" : "have"} no price: what they cost is in no sum. `,
    "llm_help('prices') says how a price is added; it then holds for these calls too.",
  );
  const summed = sumBy(rows, row => JSON.stringify([row.model, row.provider, row.kind, row.why]), [
    "calls",
    "input_tokens",
    "output_tokens",
  ]).sort((a, b) => b.calls - a.calls);
  const caption = `Calls without a price: ${filterWords()}`;
  box.append(
    tableBox({name: "unpriced", caption, columns: UNPRICED_COLUMNS, rows: summed, totals: {calls}}),
    sqlBox([
      {label: "The rows", sql: statementOf("unpriced", "*", follows)},
      {label: "Calls", sql: statementOf("unpriced", "sum(calls) AS calls", follows)},
    ]),
  );
}
