/*
** The sections that are lists of calls: paid for no answer, conversations, system prompts, the dearest prompts.
*/

const MOST_BARS = 12;

/* A list's figure, or what is said in its place: {rows} or null. */
function listOr(box, name, follows, empty, leftOut) {
  if (saysWhyNot(box, name, leftOut)) {
    return null;
  }
  const rows = listRows(name, follows);
  if (!rows.length) {
    const all = figureRows(name).length;
    const shown = figureOf(name).more ? `None of the ${number(all)} that are shown fits the filters; others may.` : "";
    say(box, all && isFiltered() ? shown || "Nothing here fits the filters." : empty);
  }
  return rows.length ? rows : null;
}

/* What is listed with first and last use is shown where it was used on the days that are chosen, with all that it came to. */
const wholeWords = () =>
  isWholePeriod() ? "" : " Those used on these days are shown, with what they came to in the whole period.";

const most = (n, one, many) => (n === 1 ? `The ${one}` : `The ${number(n)} ${many}`);

function rankChart(rows, {labelOf, valueOf, wordsOf, partOf = () => 0, label, legend = []}) {
  const shown = rows.slice(0, MOST_BARS);
  const bars = shown.map(row => ({
    label: labelOf(row),
    from: 0,
    to: valueOf(row) || 0,
    part: partOf(row),
    color: "var(--s1)",
    text: money(valueOf(row)),
    words: wordsOf(row),
  }));
  return barsChart({bars, axis: axisMoney, label, legend, note: drawnWords(shown, rows)});
}

/* ---- paid for, and no answer */

const REASON_COLUMNS = [
  {key: "reason", label: "reason", kind: "text"},
  {key: "calls", label: "calls", kind: "count", total: "discarded_calls"},
  {key: "unpriced", label: "no price", kind: "count"},
  {key: "cost_nusd", label: "paid", kind: "money", total: "discarded"},
  {key: "share", label: "share", kind: "percent"},
];
const TOO_MANY_REASONS = "Too many values to list what was paid for no answer by day: ask the view llm_retries.";

function retriesSection(box) {
  const follows = {model: true, tag: true, folded: true};
  const empty = "Nothing was paid for that brought no answer in this period.";
  const rows = listOr(box, "discarded", follows, empty, TOO_MANY_REASONS);
  if (!rows) {
    return;
  }
  const cost = sumOf(rows, "cost_nusd");
  const calls = sumOf(rows, "calls");
  const share = shareOf(cost, (totals() || {}).cost_nusd);
  const part = share != null && cost > 0 ? `, ${percent(share)} of the spending` : "";
  const whose = "that failed, or that checked and judged others";
  const words = `${money(cost ?? 0)} bought no answer${part}: ${plural(calls, "call")} ${whose}.`;
  say(box, words);
  const reasons = reasonsOf(rows, cost);
  const caption = `Paid for no answer, by reason: ${filterWords()}`;
  const table = {name: "retries", caption, columns: REASON_COLUMNS, rows: reasons, totals: {calls, cost_nusd: cost}};
  box.append(
    chartAndTable("retries", reasonsChart(reasons, words), table),
    sqlBox([
      {label: "By day, model, tag and reason", sql: statementOf("discarded", "*", follows)},
      {label: "In all", sql: statementOf("discarded", "sum(cost_nusd) AS cost_nusd", follows)},
    ]),
  );
}

function reasonsOf(rows, cost) {
  const reasons = sumBy(rows, row => row.reason, ["calls", "cost_nusd", "unpriced"]);
  reasons.forEach(row => (row.share = cost > 0 ? shareOf(row.cost_nusd, cost) : null));
  return reasons.sort((a, b) => (b.cost_nusd || 0) - (a.cost_nusd || 0));
}

function reasonsChart(reasons, label) {
  return rankChart(reasons, {
    labelOf: row => String(row.reason),
    valueOf: row => row.cost_nusd,
    wordsOf: row => `${isolate(String(row.reason), 60)}: ${money(row.cost_nusd)}, ${plural(row.calls, "call")}`,
    label,
  });
}

/* ---- conversations */

const TALK_COLUMNS = [
  {key: "conversation", label: "conversation", kind: "text"},
  {key: "tag", label: "tag", kind: "dimension"},
  {key: "user", label: "user", kind: "dimension"},
  {key: "turns", label: "turns", kind: "count"},
  {key: "first_ts", label: "begun", kind: "stamp"},
  {key: "first_input_tokens", label: "first input", kind: "count"},
  {key: "last_input_tokens", label: "last input", kind: "count"},
  {key: "slope", label: "tokens a turn", kind: "number"},
  {key: "cost_nusd", label: "cost", kind: "money", total: "conversations"},
  {key: "inflated_nusd", label: "by growth", kind: "money", total: "inflated"},
  {key: "share", label: "of its cost", kind: "percent"},
  {key: "unpriced", label: "no price", kind: "count"},
];

function conversationsSection(box) {
  const follows = {tag: true, days: row => [row.first_ts, row.last_ts], columns: ["first_ts", "last_ts"]};
  const rows = listOr(
    box,
    "conversations",
    follows,
    "No conversations of more than one turn in this period. Calls that name a conversation are one.",
  );
  if (!rows) {
    return;
  }
  rows.forEach(row => (row.share = shareOf(row.inflated_nusd, row.cost_nusd)));
  const cost = sumOf(rows, "cost_nusd"),
    grown = sumOf(rows, "inflated_nusd");
  const part = cost > 0 && grown != null ? ` (${percent(shareOf(grown, cost))})` : "";
  const growth = `${money(grown)}${part} of that is for input beyond that of the first turn`;
  const words = `${most(rows.length, "conversation", "conversations")} shown, at most 20 of a tag, cost ${money(cost)}; ${growth}.`;
  say(box, words, moreWords("conversations"), wholeWords());
  const chart = rankChart(rows, {
    labelOf: row => String(row.conversation),
    valueOf: row => row.cost_nusd,
    partOf: row => row.inflated_nusd,
    label: words,
    legend: [
      {label: "by growth", color: "var(--s2)"},
      {label: "the rest of its cost", color: "var(--s1)"},
    ],
    wordsOf: row =>
      `${isolate(String(row.conversation), 40)}: ${money(row.cost_nusd)}, ` +
      `${money(row.inflated_nusd)} by growth, ${plural(row.turns, "turn")}`,
  });
  box.append(
    chartAndTable("conversations", chart, {
      name: "conversations",
      caption: "Conversations of more than one turn",
      columns: TALK_COLUMNS,
      rows,
      totals: {cost_nusd: cost, inflated_nusd: grown},
    }),
    sqlBox([
      {label: "The rows", sql: statementOf("conversations", "*", follows)},
      {label: "By growth, in all", sql: statementOf("conversations", "sum(inflated_nusd) AS inflated_nusd", follows)},
    ]),
  );
}

/* ---- system prompts */

const PROMPT_COLUMNS = [
  {key: "tag", label: "tag", kind: "dimension"},
  {key: "version", label: "version", kind: "number"},
  {key: "first_ts", label: "first used", kind: "stamp"},
  {key: "last_ts", label: "last used", kind: "stamp"},
  {key: "calls", label: "calls", kind: "count"},
  {key: "tokens", label: "tokens", kind: "count"},
  {key: "grown_by", label: "grown by", kind: "number"},
  {key: "cost_nusd", label: "cost", kind: "money", total: "system_prompts"},
  {key: "changes_per_week", label: "changes a week", kind: "number"},
  {key: "first_change", label: "first change at", kind: "count"},
  {key: "system_hash", label: "hash", kind: "hash"},
];

function promptsSection(box) {
  const follows = {tag: true, days: row => [row.first_ts, row.last_ts], columns: ["first_ts", "last_ts"]};
  const rows = listOr(
    box,
    "prompts",
    follows,
    "No system prompts in this period: calls with the option system have one.",
  );
  if (!rows) {
    return;
  }
  const changed = rows.filter(row => row.grown_by > 0).sort((a, b) => b.grown_by - a.grown_by)[0];
  const volatile = rows.filter(row => row.is_volatile);
  const which = most(rows.length, "version of a system prompt", "versions of system prompts");
  const words = `${which} shown, at most 20 of a tag, cost ${money(sumOf(rows, "cost_nusd"))}.`;
  const grown = changed
    ? ` The one that grew most is of ${nameWords(changed.tag, 40)}: ` +
      `by ${plural(changed.grown_by, "token")}, to ${number(changed.tokens)}.`
    : "";
  const movingTags = new Set(volatile.map(row => row.tag)).size;
  const moving = volatile.length
    ? ` ${plural(movingTags, "tag changes its own", "tags change theirs")} so often that no cache can read it.`
    : "";
  say(box, bdi(words + cut(grown, 200) + moving), moreWords("prompts"), wholeWords());
  const columns = book.meta.texts ? [...PROMPT_COLUMNS, {key: "text", label: "text", kind: "text"}] : PROMPT_COLUMNS;
  const table = {
    name: "prompts",
    caption: "System prompts, by tag and version",
    columns,
    rows,
    totals: {cost_nusd: sumOf(rows, "cost_nusd")},
  };
  const known = rows.filter(row => row.tokens != null && row.first_ts != null);
  box.append(
    known.length ? chartAndTable("prompts", promptsChart(known, words + grown), table) : tableBox(table),
    sqlBox([
      {label: "The rows", sql: statementOf("prompts", "*", follows)},
      {label: "In all", sql: statementOf("prompts", "sum(cost_nusd) AS cost_nusd", follows)},
    ]),
  );
}

function promptsChart(rows, label) {
  const tags = new Map();
  rows.forEach(row => tags.set(row.tag, [...(tags.get(row.tag) || []), row]));
  const series = [...tags].map(([tag, own]) => ({
    label: keyWords(tag),
    until: Math.max(...own.map(row => row.last_ts ?? row.first_ts)),
    points: own.sort((a, b) => a.first_ts - b.first_ts).map(promptPoint),
  }));
  const from = Math.min(...rows.map(row => row.first_ts));
  const to = Math.max(from + 3600000, ...series.map(one => one.until));
  return stepChart({series, format: number, label: `Tokens of system prompts over time, by tag. ${label}`, from, to});
}

const promptPoint = row => ({
  ts: row.first_ts,
  value: row.tokens,
  words:
    `${isolate(keyWords(row.tag), 40)}, version ${row.version}\n` +
    `${number(row.tokens)} tokens from ${stampWords(row.first_ts)}`,
});

/* ---- dearest prompts */

function dearestColumns() {
  return [
    ...(book.meta.texts ? [{key: "text", label: "prompt", kind: "text"}] : []),
    {key: "prompt_hash", label: "hash", kind: "hash"},
    {key: "model", label: "model", kind: "dimension"},
    {key: "tag", label: "tag", kind: "dimension"},
    {key: "calls", label: "calls", kind: "count"},
    {key: "hits", label: "hits", kind: "count"},
    {key: "unpriced", label: "no price", kind: "count"},
    {key: "input_tokens", label: "input tokens", kind: "count"},
    {key: "output_tokens", label: "output tokens", kind: "count"},
    {key: "cost_nusd", label: "cost", kind: "money", total: "dearest"},
  ];
}

function dearestSection(box) {
  const follows = {model: true, tag: true, folded: true};
  const empty = "No prompts are known by name in this period: calls that llmcost made itself are.";
  const rows = listOr(box, "dearest", follows, empty);
  if (!rows) {
    return;
  }
  const cost = sumOf(rows, "cost_nusd");
  const sums = isWholePeriod() ? totals() : null;
  const part = sums && sums.cost_nusd > 0 ? `, ${percent(shareOf(cost, sums.cost_nusd))} of the spending` : "";
  const which = most(rows.length, "dearest prompt", "dearest prompts");
  const words = `${which}, at most 20 of a model and tag, cost ${money(cost)}${part}.`;
  const nameless = book.meta.texts ? "" : " They are named by their hash: their texts are not in this page.";
  say(box, words, moreWords("dearest"), nameless);
  const caption = "The dearest prompts";
  const table = {name: "dearest", caption, columns: dearestColumns(), rows, totals: {cost_nusd: cost}};
  box.append(
    chartAndTable("dearest", dearestChart(rows, words), table),
    sqlBox([
      {label: "The rows", sql: statementOf("dearest", "*", follows)},
      {label: "In all", sql: statementOf("dearest", "sum(cost_nusd) AS cost_nusd", follows)},
    ]),
  );
}

function dearestChart(rows, label) {
  const nameOf = row => row.text || row.prompt_hash;
  const counts = row => `${plural(row.calls, "call")}, ${plural(row.hits, "hit")}`;
  return rankChart(rows, {
    labelOf: nameOf,
    valueOf: row => row.cost_nusd,
    wordsOf: row => `${isolate(nameOf(row), 60)}: ${money(row.cost_nusd)}, ${counts(row)}`,
    label,
  });
}
