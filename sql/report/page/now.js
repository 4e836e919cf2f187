/*
** The first screen: what was spent, against before and why; the month, limits, what has no price, and what to do first.
*/

const $ = id => document.getElementById(id);

/* Where more of a key number is told. */
const TOLD_IN = {
  Spent: "spend",
  "At list prices": "spend",
  "Cache hits": "caches",
  "Saved by caches": "savings",
  Errors: "retries",
};

function tile(label, value, ...under) {
  const isLong = value.textContent.length > 9;
  const rows = under.filter(Boolean).map(words => el("dd", {}, words));
  return el("div", {class: isLong ? "long-number" : false}, el("dt", {}, TOLD_IN[label] ? jump(TOLD_IN[label], label) : label), el("dd", {}, value), rows);
}

const shareEl = (figure, share) =>
  el("data", {value: share ?? "", "data-figure": figure, "data-value": share ?? ""}, percent(share));
const hitShare = sums => shareOf(sums.hits || 0, (sums.hits || 0) + (sums.calls || 0));

/* What was spent: 0 without calls; null where there are calls and none has a price. */
const spentOf = sums => sums.cost_nusd ?? (sums.unpriced ? null : 0);

/* Imported sums of money tell no calls: null where there is nothing else. */
const callsOf = sums => (!sums.calls && !sums.hits && sums.cost_nusd ? null : (sums.calls ?? 0));

function tiles(sums, found) {
  const before = found.sums,
    now = found.now || sums;
  const list = el("dl", {class: "tiles"});
  const against = words => (before ? words : "");
  list.append(
    tile(
      book.state.billed === "list" ? "At list prices" : "Spent",
      moneyEl("spend", spentOf(sums)),
      against(changeWords(spentOf(now), before && spentOf(before))),
    ),
    tile(
      "Calls",
      countEl("calls", callsOf(sums)),
      against(countChangeWords(callsOf(now), before && callsOf(before))),
    ),
    tile(
      "Cache hits",
      shareEl("hit_share", hitShare(sums)),
      el(
        "span",
        {},
        countEl("hits", sums.hits ?? 0),
        ` of ${number((sums.hits || 0) + (sums.calls || 0))} calls and hits`,
      ),
      against(before && shareChangeWords(hitShare(now), hitShare(before))),
    ),
    tile(
      "Saved by caches",
      moneyEl("saved", sums.saved_nusd ?? 0),
      against(changeWords(now.saved_nusd ?? 0, before && (before.saved_nusd ?? 0))),
    ),
    tile(
      "Errors",
      countEl("errors", callsOf(sums) === null ? null : (sums.errors ?? 0)),
      against(countChangeWords(now.errors ?? 0, before && (before.errors ?? 0))),
    ),
  );
  return list;
}

function nowSection() {
  const box = $("now-body");
  const sums = totals();
  box.replaceChildren();
  if (!sums) {
    box.append(el("p", {class: "warning"}, splitWords("model")));
    return;
  }
  const found = comparison();
  box.append(
    ...quietWords(),
    tiles(sums, found),
    el("p", {class: "quiet"}, againstWords(found), cellsWords(sums)),
    whyWords(),
    el("div", {class: "facts"}, monthFacts(), limitFacts(), missingFacts(), firstAdvice()),
    sqlBox(nowStatements(sums, found)),
  );
}

function quietWords() {
  const first = book.meta.first_day;
  const begins = first && first > book.period.to ? `: the ledger begins on ${first}` : "";
  const isQuiet = !figureRows("days").some(inPeriod);
  return isQuiet ? [el("p", {class: "warning"}, `No calls in this period${begins}.`)] : [];
}

function againstWords(found) {
  if (!found.sums) {
    return found.why;
  }
  const isNothing = !found.sums.calls && !found.sums.cost_nusd;
  return `Changes are against ${found.name}.${isNothing ? " Nothing was spent there." : ""}`;
}

/* Two filters at once are answered by calls that are kept one by one: what only sums know is not in it. */
const cellsWords = sums =>
  /cells$/.test(sums.cube) && (book.meta.detail_day > book.period.from || figureRows("days").some(row => row.invoiced))
    ? " Of calls that are kept one by one: imported sums and trimmed rows have no model and tag."
    : "";

function nowStatements(sums, found) {
  const few = "sum(cost_nusd) AS cost_nusd, sum(calls) AS calls";
  const all = `${few}, sum(hits) AS hits, sum(saved_nusd) AS saved_nusd, sum(errors) AS errors`;
  const drift = driftRows().figure;
  const split = splitBy("model");
  return [
    {label: "Spent, calls, hits, saved, errors", sql: cubeStatement(sums.cube, all)},
    found.range && {label: "The days before", sql: cubeStatement(sums.cube, few, found.range)},
    found.cube && {label: "The period before", sql: cubeStatement(found.cube.name, few)},
    {label: "Why it changed", sql: drift ? statementOf(drift, "*", FOLLOWS_ALL) : driftStatement()},
    {label: "This month", sql: statementOf("month")},
    {label: "Limits", sql: statementOf("budgets")},
    split && {label: "Without a price, by day and model", sql: cubeStatement(split.cube)},
    {label: "Advice", sql: statementOf("advice")},
  ];
}

function whyWords() {
  const found = driftRows();
  if (found.none) {
    return "";
  }
  if (found.why) {
    return el(
      "div",
      {class: "answer"},
      el("p", {}, `Why it changed is ${found.why}. ${askWords()}`),
      copyable("why it changed, with these filters", driftStatement()),
    );
  }
  const name = filteredBy().map(by => `${by} ${nameWords(book.state[by], 40)}`)[0];
  return el("div", {class: "answer"}, longText(driftSentence(found, name), 800));
}

function monthFacts() {
  const row = figureRows("month").find(one => one.billed === book.state.billed);
  const box = el("div", {}, el("h3", {}, `This month, ${book.meta.month || ""}`));
  const note = isFiltered() ? " Of all calls: not filtered." : "";
  if (!row) {
    box.append(el("p", {}, `Nothing was spent so far.${note}`));
  } else {
    const rest =
      row.projected_nusd == null
        ? el("span", {}, "; too early to say what it comes to.")
        : el("span", {}, "; ", moneyEl("projected", row.projected_nusd), " if it goes on so.");
    box.append(
      row.spent_nusd == null
        ? el("p", {}, `What was spent so far is not known: no call has a price.${note}`)
        : el("p", {}, moneyEl("month", row.spent_nusd), " so far", rest, note),
    );
  }
  return box;
}

function limitFacts() {
  const used = figureRows("budgets").filter(row => row.share != null || row.spent_nusd || row.unknown_nusd);
  const rows = used.sort((a, b) => (b.share ?? 1e9) - (a.share ?? 1e9)).slice(0, 3);
  const all = figureRows("budgets").length;
  const list = rows.length
    ? el("ul", {}, rows.map(budgetItem))
    : el("p", {}, all ? "No limit is used at all." : "No limits are set.");
  return el(
    "div",
    {},
    el("h3", {}, "Most used limits"),
    list,
    all > rows.length && rows.length ? el("p", {}, jump("budgets", `All ${number(all)} limits`)) : "",
  );
}

/* Calls whose cost is in no sum, by model, under the filters; the cells know which of them are lost answers. */
function missingFacts() {
  const split = splitBy("model"),
    cells = cubeFor(["model", "tag"]);
  const box = el("div", {}, el("h3", {}, "Without a price"));
  const lost = new Map();
  (cells ? cubeRows(cells) : []).forEach(
    row => row.unknown && lost.set(row.model, (lost.get(row.model) || 0) + row.unknown),
  );
  const rows = (split ? split.keys : [])
    .filter(one => one.sums.unpriced > 0)
    .sort((a, b) => b.sums.unpriced - a.sums.unpriced);
  const items = rows
    .slice(0, 3)
    .flatMap(one => missingItems(one.key, one.sums.unpriced, Math.min(lost.get(one.key) || 0, one.sums.unpriced)));
  const unsaid = rows.slice(3).reduce((sum, one) => sum + one.sums.unpriced, 0);
  if (!split && (totals() || {}).unpriced) {
    items.push(
      el(
        "li",
        {class: "warning"},
        countEl("unpriced", totals().unpriced),
        " calls have no price: what they cost is not in any sum here.",
      ),
    );
  }
  box.append(
    items.length
      ? el(
          "ul",
          {},
          items,
          unsaid
            ? el("li", {}, jump("unpriced", `${plural(unsaid, "call")} of ${plural(rows.length - 3, "other model")}`))
            : "",
        )
      : el("p", {}, "Every call here has its price."),
  );
  return box;
}

function missingItems(key, unpriced, lost) {
  const item = (n, words) =>
    el(
      "li",
      {class: "warning"},
      countEl("unpriced_of_model", n),
      n === 1 ? " call of " : " calls of ",
      bdi(nameWords(key, 40)),
      words,
    );
  const is = n => (n === 1 ? "has" : "have");
  return [
    unpriced > lost
      ? item(
          unpriced - lost,
          ` ${is(unpriced - lost)} no price: what ${unpriced - lost === 1 ? "it" : "they"} cost is not in any sum here.`,
        )
      : "",
    lost
      ? item(lost, ` ${is(lost)} an unknown end: the answer was lost, and what it cost is not in any sum here.`)
      : "",
  ].filter(Boolean);
}

function firstAdvice() {
  const row = adviceRows()[0];
  return el(
    "div",
    {},
    el("h3", {}, "First thing to do"),
    row
      ? el(
          "p",
          {},
          bdi(sentence(cut(row.advice, 80)).replace(/\.$/, "")),
          " (",
          bdi(cut(row.subject || "", 60)),
          `): ${monthWords(row)} a month${isFiltered() ? ", of all calls" : ""}. `,
          jump("advice", "How"),
        )
      : el("p", {}, nothingToAdvise()),
  );
}
