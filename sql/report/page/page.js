/*
** The page: header, filters, first screen; draws the sections as they come into sight, and all of them for paper. The state
** is in the address too (#from=…&model=…), so that a link or a reload keeps it. `llmcost` is for tests and the console.
*/

const VALUES = {model: [], tag: []};
const sections = [
  {id: "spend", title: "Spending over time", follows: FOLLOWS_ALL, build: spendSection},
  {id: "why", title: "Why it changed", build: whySection, follows: FOLLOWS_ALL},
  {id: "savings", title: "What was saved", build: savingsSection, follows: FOLLOWS_ALL},
  {id: "caches", title: "Cache hits and near misses", build: cachesSection, follows: FOLLOWS_ALL},
  {id: "prefix", title: "What providers' prompt caches read", build: prefixSection, follows: FOLLOWS_ALL},
  {id: "retries", title: "Paid for no answer", build: retriesSection, follows: FOLLOWS_ALL},
  {
    id: "conversations",
    title: "Conversations that grow",
    build: conversationsSection,
    follows: {tag: true, days: true},
    why: "conversations are kept by tag",
  },
  {
    id: "prompts",
    title: "System prompts over time",
    build: promptsSection,
    follows: {tag: true, days: true},
    why: "system prompts are kept by tag",
  },
  {id: "dearest", title: "Dearest prompts", build: dearestSection, follows: {model: true, tag: true}},
  {
    id: "batches",
    title: "Batches",
    build: batchesSection,
    follows: {model: true, days: true},
    why: "a batch holds calls of many tags",
  },
  {
    id: "advice",
    title: "What to do next",
    build: adviceSection,
    follows: {},
    why: "advice looks at all calls of the period",
  },
  {id: "budgets", title: "Limits", build: budgetsSection, follows: {days: true}, why: "a limit has a scope of its own"},
  {
    id: "unpriced",
    title: "Calls without a price",
    build: unpricedSection,
    follows: FOLLOWS_ALL,
  },
];

/* ---- moving about */

/* A link inside the page, which leaves the filters in the address alone. */
function jump(id, text) {
  return el(
    "a",
    {
      href: `#${id}`,
      onclick: event => {
        event.preventDefault();
        goTo(id);
      },
    },
    text,
  );
}

function goTo(id) {
  const target = $(`${id}-title`);
  draw(sections.find(section => section.id === id));
  target.setAttribute("tabindex", "-1");
  target.closest("section").scrollIntoView();
  target.focus({preventScroll: true});
}

/* ---- sections: made at once, filled when they are looked at */

let seen = null;

function makeSections() {
  $("main").append(
    el(
      "section",
      {id: "now", "aria-labelledby": "now-title"},
      el("h2", {id: "now-title"}),
      el("div", {id: "now-body"}),
    ),
    ...sections.map(({id, title}) =>
      el(
        "section",
        {id, "aria-labelledby": `${id}-title`},
        el("h2", {id: `${id}-title`}, title),
        el("div", {class: "body waiting"}),
      ),
    ),
  );
  $("contents").append(
    el(
      "ul",
      {},
      sections.map(({id, title}) => el("li", {}, jump(id, title))),
    ),
  );
  seen = new IntersectionObserver(
    entries =>
      entries
        .filter(entry => entry.isIntersecting)
        .forEach(entry => draw(sections.find(section => section.id === entry.target.id))),
    {rootMargin: "500px"},
  );
}

function draw(section) {
  if (!section || section.isDrawn) {
    return;
  }
  section.isDrawn = true;
  seen.unobserve($(section.id));
  const box = $(section.id).querySelector(".body"),
    note = unfollowedWords(section.follows, section.why);
  box.classList.remove("waiting");
  box.replaceChildren(note ? el("p", {class: "note"}, note) : "");
  section.build(box);
}

const drawAll = () => seen && sections.forEach(draw);

/* Once all was drawn, a changed filter changes all at once: nothing stale is left below. */
let isComplete = false;

/* What is not looked at yet is filled when there is nothing else to do. */
function drawWhenIdle() {
  const next = sections.find(section => !section.isDrawn);
  if (!next) {
    isComplete = true;
    return;
  }
  const idle = window.requestIdleCallback || (call => setTimeout(call, 50));
  idle(() => {
    draw(next);
    drawWhenIdle();
  });
}

function render() {
  $("now-title").textContent = filterWords();
  $("filtersummary").textContent = filterWords();
  $("filtered").textContent = `Shown: ${filterWords()}.`;
  nowSection();
  tables.clear();
  for (const section of sections) {
    section.isDrawn = false;
    seen.observe($(section.id));
  }
  drawWhenIdle();
}

/* ---- filters */

const optionKey = value =>
  value === undefined ? "all" : value === null ? "none" : value === OTHERS ? "others" : `is:${value}`;
const optionValue = key =>
  key === "none" ? null : key === "others" ? OTHERS : key && key.startsWith("is:") ? key.slice(3) : undefined;

function fillSelect(by) {
  const known = book.named[by],
    named = known.filter(value => typeof value === "string");
  VALUES[by] = [
    undefined,
    ...named,
    ...known.filter(value => value === OTHERS),
    ...known.filter(value => value === null),
  ];
  $(by).append(
    ...VALUES[by].map((value, i) => el("option", {value: i}, value === undefined ? "all" : nameWords(value, 60))),
  );
  $(by).addEventListener("change", () => change({[by]: VALUES[by][$(by).value]}));
}

/* Stretches that can be chosen by name: {label, from, to}. */
function ranges() {
  const {from, to} = book.period,
    last = earlier(to, later(book.today, from));
  const inside = one => ({...one, from: later(one.from, from), to: earlier(one.to, to)});
  const grouped = keyOf =>
    [
      ...listDays(from, to).reduce((map, day) => map.set(keyOf(day), [...(map.get(keyOf(day)) || []), day]), new Map()),
    ].map(([label, days]) => inside({label, from: days[0], to: days[days.length - 1]}));
  const months = grouped(day => day.slice(0, 7)),
    weeks = grouped(day => `week of ${mondayOf(day)}`);
  const several = list => (list.length > 1 ? list : []);
  return {
    plain: [
      {label: "whole period", from, to},
      ...(countDays(from, last) > 7 ? [{label: "last 7 days", from: addDays(last, -6), to: last}] : []),
    ],
    Months: several(months),
    Weeks: several(weeks).reverse(),
  };
}

let rangeList = [];

function fillRanges() {
  const {plain, Months, Weeks} = ranges();
  const option = one => el("option", {value: rangeList.push(one) - 1}, one.label);
  const group = (label, list) => (list.length ? [el("optgroup", {label}, list.map(option))] : []);
  $("range").append(
    ...plain.map(option),
    ...group("Months", Months),
    ...group("Weeks", Weeks),
    el("option", {value: "custom"}, "custom"),
  );
  $("range").addEventListener("change", () => {
    const one = rangeList[$("range").value];
    one ? change({from: one.from, to: one.to}) : $("from").focus();
  });
  for (const id of ["from", "to"]) {
    Object.assign($(id), {min: book.period.from, max: book.period.to});
    $(id).addEventListener("change", () => change({from: $("from").value, to: $("to").value}));
  }
}

function fillBilled() {
  document.querySelectorAll(".onlyboth").forEach(node => (node.hidden = book.billed.length < 2));
  $("billed").append(
    ...book.billed.map(kind => el("option", {value: kind}, kind === "paid" ? "paid" : "at list prices")),
  );
  $("billed").addEventListener("change", () => change({billed: $("billed").value}));
}

function showFilters() {
  const {state} = book;
  const at = rangeList.findIndex(one => one.from === state.from && one.to === state.to);
  $("range").value = at < 0 ? "custom" : at;
  $("from").value = state.from;
  $("to").value = state.to;
  $("billed").value = state.billed;
  for (const by of ["model", "tag"]) {
    $(by).value = VALUES[by].indexOf(state[by]);
  }
}

/* Filters are taken from here on; what does not exist is left out. */
function change(wish, isQuiet) {
  setState(wish);
  showFilters();
  render();
  isQuiet || saveState();
  isComplete && drawAll();
  $("announce").textContent = `Shown: ${filterWords()}.`;
}

function stateText() {
  const {state} = book,
    parts = new URLSearchParams();
  isWholePeriod() || (parts.set("from", state.from), parts.set("to", state.to));
  filteredBy().forEach(by => parts.set(by, optionKey(state[by])));
  state.billed === book.billed[0] || parts.set("billed", state.billed);
  choice.by === "model" || parts.set("by", choice.by);
  return parts.toString();
}

function saveState() {
  try {
    history.replaceState(null, "", `#${stateText()}`);
  } catch {
    return;
  }
}

function stateOfAddress() {
  const parts = new URLSearchParams(location.hash.slice(1));
  choice.by = ["model", "tag", "user"].includes(parts.get("by")) ? parts.get("by") : "model";
  return {
    from: parts.get("from"),
    to: parts.get("to"),
    model: parts.has("model") ? optionValue(parts.get("model")) : (book.meta.model ?? undefined),
    tag: parts.has("tag") ? optionValue(parts.get("tag")) : (book.meta.tag ?? undefined),
    billed: parts.get("billed"),
  };
}

/* ---- header, look, paper */

function aboutWords() {
  const {meta} = book;
  const parts = [`Of ${meta.database ?? "a database in memory"}, made on ${stampWords(meta.made)}`, `days are those of ${meta.zone}`];
  isKnownZone(meta.zone) || parts.push("times of day are those of UTC: this browser does not know that place");
  meta.is_over || parts.push("the period is not over");
  meta.detail_day && parts.push(`before ${meta.detail_day} only sums are kept`);
  book.billed.length === 1 &&
    book.billed[0] === "list" &&
    parts.push("all money is at list prices: nobody says what was paid");
  return `${parts.join("; ")}.`;
}

function setLook() {
  $("theme").addEventListener("change", () => document.documentElement.setAttribute("data-theme", $("theme").value));
  const narrow = window.matchMedia("(max-width: 60rem)");
  const fit = () => ($("filterbar").open = !narrow.matches);
  narrow.addEventListener("change", fit);
  fit();
}

function setPaper() {
  window.addEventListener("beforeprint", () => {
    drawAll();
    redrawAll(680);
  });
  window.addEventListener("afterprint", () => redrawAll());
}

function showEmpty() {
  $("filterbar").hidden = true;
  $("main").append(
    el(
      "section",
      {id: "now", "aria-labelledby": "now-title"},
      el("h2", {id: "now-title"}, "No calls yet"),
      el("p", {}, "The ledger has no calls. This makes one:"),
      copyable("the first call", 'SELECT llm_complete(\'Say hello\', \'{"model":"gpt-4o-mini","tag":"hello"}\');'),
      el("p", {}, "or this reads what other tools wrote down:"),
      copyable("an import", "SELECT llm_import('~/.claude/projects');"),
    ),
  );
}

/* The data are gzip, in base64. */
async function unpack(text) {
  const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function start(text) {
  openBook(text);
  $("about").textContent = aboutWords();
  $("foot").textContent = `llmcost ${book.meta.version}. This page fetches nothing; its data are in it.`;
  setLook();
  if (isEmptyLedger()) {
    showEmpty();
    return;
  }
  makeSections();
  setPaper();
  fillSelect("model");
  fillSelect("tag");
  fillRanges();
  fillBilled();
  $("clear").addEventListener("click", () => change({...clearState()}));
  window.addEventListener("hashchange", () => location.hash.includes("=") && change(stateOfAddress(), true));
  change(stateOfAddress(), true);
}

/* For tests and the console. */
const TOTALS = {
  spend: "cost_nusd",
  calls: "calls",
  hits: "hits",
  saved: "saved_nusd",
  errors: "errors",
  unpriced: "unpriced",
  input_tokens: "input_tokens",
  cached_input_tokens: "cached_input_tokens",
  output_tokens: "output_tokens",
};

function startApi() {
  window.llmcost = {
    csv: name => {
      drawAll();
      return tables.has(name) ? csvOfTable(tables.get(name)) : null;
    },
    tables: () => (drawAll(), [...tables.keys()]),
    state: () => ({...book.state}),
    set: wish => change(wish),
    total: figure => (figure === "hit_share" ? hitShare(totals() || {}) : ((totals() || {})[TOTALS[figure]] ?? null)),
  };
}

if (typeof document !== "undefined") {
  startApi();
  unpack($("data").textContent).then(start);
}
