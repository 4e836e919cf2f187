/*
** The sections about caches: our own hits and misses, and what providers' prompt caches read.
*/

const CACHE_KINDS = {
  exact: "hits, exact",
  semantic: "hits, semantic",
  misses: "misses",
  sums: "hits of sums (not told apart)",
  calls: "calls of sums (not told apart)",
};

function cacheSplit() {
  const fine = cubeFor(["model", "tag"]),
    whole = cubeFor(filteredBy());
  if (!whole) {
    return null;
  }
  const list = stretches(),
    groups = new Map(),
    calls = new Map();
  const add = (day, kind, n) =>
    n && (sumsAt(groups, stretchOf(list, day), kind).n = (sumsAt(groups, stretchOf(list, day), kind).n || 0) + n);
  const hits = new Map(),
    sent = new Map();
  for (const row of fine ? cubeRows(fine) : []) {
    add(row.day, "exact", (row.hits || 0) - (row.hits_semantic || 0));
    add(row.day, "semantic", row.hits_semantic);
    add(row.day, "misses", row.misses);
    hits.set(row.day, (hits.get(row.day) || 0) + (row.hits || 0));
    sent.set(row.day, (sent.get(row.day) || 0) + (row.calls || 0));
  }
  for (const [day, sums] of [...sumBy(cubeRows(whole), row => row.day, SUMS)].map(row => [row.day, row])) {
    add(day, "sums", Math.max(0, (sums.hits || 0) - (hits.get(day) || 0)));
    add(day, "calls", Math.max(0, (sums.calls || 0) - (sent.get(day) || 0)));
    const at = stretchOf(list, day);
    calls.set(at, addRow(calls.get(at) || {}, sums));
  }
  const keys = Object.keys(CACHE_KINDS)
    .filter(key => [...groups.values()].some(inside => inside.has(key)))
    .map(key => ({key}));
  return {list, groups, calls, keys, whole: whole.name, cube: fine && fine.name};
}

function cachesSection(box) {
  const split = cacheSplit(),
    sums = totals();
  if (!split || !sums) {
    say(box, splitWords("model"));
    return;
  }
  const share = shareOf(sums.hits, (sums.hits || 0) + (sums.calls || 0));
  if (!sums.hits && !(sums.calls > 0)) {
    say(box, "No calls here: nothing could be a hit.");
    return;
  }
  const words = sums.hits
    ? `${plural(sums.hits, "hit")} of ${number(sums.hits + (sums.calls || 0))} calls and hits, ${percent(share)}: ` +
      `${money(sums.saved_nusd)} not spent.`
    : "No hits: every question went to a provider. Answers of repeated questions are kept with the option cache, " +
      "those of like ones in a semantic_cache.";
  say(box, words);
  cacheNow(box);
  const chart = stackChart({
    split,
    measure: "n",
    format: number,
    wordsOf: key => CACHE_KINDS[key],
    label: `Bars by ${grainOf()}: hits and misses. ${words}`,
  });
  split.keys.length && box.append(chartAndTable("caches", chart, cacheTable(split, sums)));
  box.append(
    sqlBox([
      {label: "Hits and calls", sql: cubeStatement(split.whole, "sum(hits) AS hits, sum(calls) AS calls")},
      split.cube && {label: "By day, model and tag", sql: cubeStatement(split.cube)},
      {label: "The caches as they are", sql: statementOf("cache")},
    ]),
  );
}

function cacheTable(split, sums) {
  const rows = split.list.map(one => {
    const own = kind => ((split.groups.get(one) || new Map()).get(kind) || {}).n ?? (one.state ? null : 0);
    const all = split.calls.get(one) || {};
    return {
      day: rangeWords(one),
      state: one.state,
      exact: own("exact"),
      semantic: own("semantic"),
      sums: own("sums"),
      misses: own("misses"),
      hits: all.hits,
      calls: all.calls,
      share: shareOf(all.hits, (all.hits || 0) + (all.calls || 0)),
    };
  });
  const foot = {hits: sums.hits, calls: sums.calls, share: shareOf(sums.hits, (sums.hits || 0) + (sums.calls || 0))};
  const has = key => split.keys.some(one => one.key === key);
  const column = (key, label) => ({key, label, kind: "count"});
  return {
    name: "caches",
    caption: `Hits and misses by ${grainOf()}: ${filterWords()}`,
    rows,
    totals: foot,
    columns: [
      {key: "day", label: grainOf(), kind: "text"},
      {key: "state", label: "state", kind: "state"},
      column("exact", "exact"),
      column("semantic", "semantic"),
      ...(has("sums") ? [column("sums", "not told apart")] : []),
      column("misses", "misses"),
      {...column("hits", "hits"), total: "hits"},
      {...column("calls", "calls"), total: "calls"},
      {key: "share", label: "hit share", kind: "percent", total: "hit_share"},
    ],
  };
}

function cacheNow(box) {
  const now = figureRows("cache")[0];
  if (now) {
    box.append(
      el(
        "p",
        {class: "quiet"},
        "The caches as they are, all together: ",
        `${plural(now.entries_exact || 0, "exact answer")} and ${plural(now.entries_semantic || 0, "semantic one")} kept; `,
        countEl("near_misses", now.near_misses ?? 0),
        now.near_misses === 1 ? " near miss" : " near misses",
        " (probably right, not served: look at the threshold where there are many); ",
        `${plural(now.false_hits_reported || 0, "false hit")} reported.`,
      ),
    );
  }
}

/* ---- what providers' prompt caches read */

const PREFIX_COLUMNS = [
  {key: "tag", label: "tag", kind: "dimension"},
  {key: "model", label: "model", kind: "dimension"},
  {key: "who", label: "kept by", kind: "text"},
  {key: "calls", label: "calls", kind: "count"},
  {key: "eligible", label: "long enough", kind: "count"},
  {key: "hits", label: "read", kind: "count"},
  {key: "share", label: "read share", kind: "percent"},
  {key: "input_tokens", label: "input tokens", kind: "count"},
  {key: "cached_input_tokens", label: "cached", kind: "count"},
  {key: "within_5m", label: "within 5 min", kind: "count"},
  {key: "within_1h", label: "within 1 h", kind: "count"},
  {key: "later", label: "later", kind: "count"},
  {key: "net_nusd", label: "gained", kind: "money", total: "prefix_net"},
  {key: "misses", label: "why not read", kind: "text"},
  {key: "first_change", label: "first change at", kind: "count"},
];

function prefixSection(box) {
  const sums = totals();
  if (!sums) {
    say(box, splitWords("model"));
    return;
  }
  const share = shareOf(sums.cached_input_tokens, sums.input_tokens);
  if (share === null) {
    say(box, "How many input tokens were read from a provider's cache is not told here.");
    return;
  }
  const words = `${percent(share)} of ${number(sums.input_tokens)} input tokens were read from providers' caches.`;
  const hint = "The option prompt_cache marks what requests begin with; prefixes that change are never read.";
  say(box, words, share === 0 ? ` ${hint}` : "");
  const {list, own, valueOf} = prefixStretches();
  const name = "cached share of input tokens";
  const chart = shareChart({list, valueOf, name, label: `${sentence(name).slice(0, -1)} by ${grainOf()}. ${words}`});
  const sum = "sum(cached_input_tokens) AS cached_input_tokens, sum(input_tokens) AS input_tokens";
  box.append(
    chartAndTable("prefix", chart, prefixDays(list, own, valueOf, {...sums, share})),
    sqlBox([
      {label: "By day", sql: cubeStatement(sums.cube)},
      {label: "Tokens in all", sql: cubeStatement(sums.cube, sum)},
    ]),
  );
  prefixList(box);
}

function prefixStretches() {
  const list = stretches();
  const own = new Map(list.map(one => [one, {}]));
  cubeRows(cubeFor(filteredBy())).forEach(row => addRow(own.get(stretchOf(list, row.day)), row));
  return {list, own, valueOf: one => shareOf(own.get(one).cached_input_tokens || 0, own.get(one).input_tokens)};
}

function prefixDays(list, own, valueOf, sums) {
  const columns = [
    {key: "day", label: grainOf(), kind: "text"},
    {key: "state", label: "state", kind: "state"},
    ...MEASURE_COLUMNS.filter(column => /input_tokens$/.test(column.key)),
    {key: "share", label: "cached share", kind: "percent", total: "cached_share"},
  ];
  const rows = list.map(one => ({
    day: rangeWords(one),
    state: one.state,
    ...own.get(one),
    share: one.state === "no data" ? null : valueOf(one),
  }));
  const caption = `Input tokens by ${grainOf()}: ${filterWords()}`;
  return {name: "prefix_days", caption, columns, rows, totals: sums};
}

function prefixList(box) {
  const follows = {model: true, tag: true};
  const note = unfollowedWords(follows);
  box.append(el("h3", {}, "By tag and model, and why it was not read"), note ? el("p", {class: "note"}, note) : "");
  if (saysWhyNot(box, "prefix")) {
    return;
  }
  const rows = listRows("prefix", follows).map(row => ({...row, share: shareOf(row.hits, row.eligible)}));
  if (!rows.length) {
    say(box, "No calls that are kept one by one.");
    return;
  }
  box.append(
    tableBox({
      name: "prefix",
      caption: `Providers' prompt caches.${moreWords("prefix")}`,
      columns: PREFIX_COLUMNS,
      rows,
      totals: {net_nusd: sumOf(rows, "net_nusd")},
    }),
    sqlBox([{label: "The rows", sql: statementOf("prefix", "*", follows)}]),
  );
}
