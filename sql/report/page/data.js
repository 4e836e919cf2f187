/*
** What the page knows: the document that llm_report wrote, the filters, and sums over its cubes. No DOM.
**
** A cube is a figure with rows by day and by none, some or all of model, tag and user. A sum under filters is read from the
** smallest cube that has what is filtered and what it is split by. Cubes of one dimension contain everything; those of two
** and three only calls that are kept one by one: what they lack, REST, is a value of its own, so that totals stay exact.
**
** A value of a dimension is a text, null (calls without one), OTHERS (all that are not named) or REST. A filter is one of
** these, or undefined: all. Money is in whole nano-dollars. What is 'paid' and what is at 'list' prices is never added up.
*/
"use strict";

const OTHERS = 0;
const REST = -1;
const DAY_MS = 86400000;
const SUMS = [
  "calls",
  "hits",
  "errors",
  "unpriced",
  "input_tokens",
  "cached_input_tokens",
  "output_tokens",
  "cost_nusd",
  "saved_nusd",
];
const ROW_SUMS = [...SUMS, "hits_semantic", "misses", "refused", "unknown"];
const CUBES = [
  {name: "days", has: []},
  {name: "day_models", has: ["model"]},
  {name: "day_tags", has: ["tag"]},
  {name: "day_users", has: ["user"]},
  {name: "cells", has: ["model", "tag"]},
  {name: "user_cells", has: ["model", "tag", "user"]},
];
const CUBES_BEFORE = [
  {name: "before", has: []},
  {name: "before_models", has: ["model"]},
  {name: "before_tags", has: ["tag"]},
  {name: "before_cells", has: ["model", "tag"]},
];

const book = {meta: {}, figures: {}, rows: new Map(), period: {}, kept: new Set(), named: {}, billed: [], state: {}};

/* ---- days and times, by the clocks of the ledger's time zone */

const formats = new Map();

function formatIn(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, makeFormat(zone, options));
  }
  return formats.get(key);
}

function isKnownZone(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en-GB", {timeZone: zone}));
  } catch {
    return false;
  }
}

function makeFormat(zone, options) {
  try {
    return new Intl.DateTimeFormat("en-GB", {...options, timeZone: zone});
  } catch {
    return new Intl.DateTimeFormat("en-GB", {...options, timeZone: "UTC"});
  }
}

const CLOCK = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

function partsOf(ms) {
  const parts = {};
  for (const part of formatIn(book.meta.zone || "UTC", CLOCK).formatToParts(new Date(ms))) {
    parts[part.type] = part.value;
  }
  return parts;
}

function dayOf(ms) {
  const parts = partsOf(ms);
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day}`;
}

const utcOf = day => Date.parse(`${day}T00:00:00Z`);
const addDays = (day, n) => new Date(utcOf(day) + n * DAY_MS).toISOString().slice(0, 10);
const countDays = (from, to) => Math.round((utcOf(to) - utcOf(from)) / DAY_MS) + 1;
const isDay = text => /^\d{4}-\d\d-\d\d$/.test(text || "") && !Number.isNaN(utcOf(text));
const earlier = (a, b) => (a < b ? a : b);
const later = (a, b) => (a > b ? a : b);

function listDays(from, to) {
  const days = [];
  for (let day = from; day <= to && days.length < 40000; day = addDays(day, 1)) {
    days.push(day);
  }
  return days;
}

/* The moment at which a day begins in the zone: the offset is looked up where it is used, twice, for clocks that change. */
function startOf(day) {
  let at = utcOf(day);
  for (let i = 0; i < 2; i++) {
    const parts = partsOf(at);
    const seen = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
    at -= seen - utcOf(day);
  }
  return at;
}

const mondayOf = day => addDays(day, -((new Date(utcOf(day)).getUTCDay() + 6) % 7));

/* ---- the document */

function openBook(text) {
  const {meta, figures} = typeof text === "string" ? JSON.parse(text) : text;
  Object.assign(book, {meta, figures, rows: new Map(), named: {}});
  book.period = {from: meta.from_day, to: meta.to_day};
  book.beforeDay = meta.before_day;
  book.today = meta.today;
  book.kept = new Set(figureRows("days").map(row => row.day));
  for (const by of ["model", "tag", "user"]) {
    book.named[by] = valuesOf(by);
  }
  book.billed = billedKinds();
  book.state = clearState();
}

function figureRows(name) {
  if (!book.rows.has(name)) {
    const {columns = [], rows = []} = book.figures[name] || {};
    book.rows.set(
      name,
      rows.map(row => Object.fromEntries(columns.map((column, i) => [column, row[i]]))),
    );
  }
  return book.rows.get(name);
}

const figureOf = name => book.figures[name] || {error: "this page has no such figure"};
const isThere = name => Boolean(book.figures[name]) && !figureOf(name).error && !figureOf(name).left_out;
const hasColumn = (name, column) => (figureOf(name).columns || []).includes(column);
const inPeriod = row => row.day >= book.period.from && row.day <= book.period.to;
const isEmptyLedger = () => !figureRows("days").length && book.meta.first_day == null;

/* The values of a dimension, dearest first. */
function valuesOf(by) {
  const sums = new Map();
  for (const row of figureRows(`day_${by}s`)) {
    const seen = sums.get(row[by]) || {cost: 0, calls: 0};
    sums.set(row[by], {cost: seen.cost + (row.cost_nusd || 0), calls: seen.calls + (row.calls || 0)});
  }
  return [...sums].sort((a, b) => b[1].cost - a[1].cost || b[1].calls - a[1].calls).map(([key]) => key);
}

/* Which of 'paid' and 'list' occur, the one to begin with first. */
function billedKinds() {
  const rows = [...figureRows("days"), ...figureRows("before")];
  const kinds = ["paid", "list"].filter(kind => rows.some(row => row.billed === kind));
  const hasMoney = kind => rows.some(row => row.billed === kind && row.cost_nusd);
  return !hasMoney("paid") && hasMoney("list") ? kinds.reverse() : kinds.length ? kinds : ["paid"];
}

const clearState = () => ({...book.period, model: undefined, tag: undefined, billed: book.billed[0]});

/* Takes what is wished, as far as there is such a thing in the document. */
function setState(wish) {
  const {period, state} = book;
  const next = {...state, ...wish};
  next.from = isDay(next.from) ? later(earlier(next.from, period.to), period.from) : period.from;
  next.to = isDay(next.to) ? later(earlier(next.to, period.to), next.from) : period.to;
  for (const by of ["model", "tag"]) {
    next[by] = book.named[by].includes(next[by]) ? next[by] : undefined;
  }
  next.billed = book.billed.includes(next.billed) ? next.billed : book.billed[0];
  book.state = next;
  return next;
}

const filteredBy = () => ["model", "tag"].filter(by => book.state[by] !== undefined);
const isWholePeriod = () => book.state.from === book.period.from && book.state.to === book.period.to;
const isFiltered = () => filteredBy().length > 0 || !isWholePeriod();

/* ---- how far a day is known: "" (whole), "so far", "no data", "not yet" */

const endsWithin = day => Boolean(book.meta.to_hour) && day === book.period.to && !book.meta.to_hour.endsWith("00:00");
const isUnfinished = day => day === book.today || (endsWithin(day) && book.meta.to_hour.slice(0, 10) === day);

function dayState(day) {
  if (day > book.today) {
    return "not yet";
  }
  return isUnfinished(day) ? "so far" : book.kept.has(day) ? "" : "no data";
}

/* What a stretch of days is: of weeks, one day that is known makes it known. */
function stretchState(days) {
  const states = days.map(dayState);
  return states.includes("so far") ? "so far" : states.includes("") ? "" : states[0];
}

/* Days, or weeks where there are more than 92: {label, from, to, state}. */
function stretches({from, to} = book.state) {
  const days = listDays(from, to);
  if (days.length <= 92) {
    return days.map(day => ({label: day, from: day, to: day, state: dayState(day)}));
  }
  const weeks = new Map();
  for (const day of days) {
    const monday = mondayOf(day);
    weeks.set(monday, [...(weeks.get(monday) || []), day]);
  }
  return [...weeks.values()].map(week => ({
    label: week[0],
    from: week[0],
    to: week[week.length - 1],
    state: stretchState(week),
  }));
}

const grainOf = ({from, to} = book.state) => (countDays(from, to) > 92 ? "week" : "day");
const stretchOf = (list, day) =>
  list[
    grainOf() === "day" ? countDays(list[0].from, day) - 1 : list.findIndex(one => one.from <= day && day <= one.to)
  ];

/* ---- sums */

const plus = (a, b) => (a == null ? b : b == null ? a : a + b);

function addRow(sums, row) {
  for (const name of ROW_SUMS) {
    if (row[name] !== undefined) {
      sums[name] = plus(sums[name], row[name]);
    }
  }
  return sums;
}

const addUp = rows => rows.reduce(addRow, {});
const cubeFor = (dimensions, cubes = CUBES) =>
  cubes.find(cube => isThere(cube.name) && dimensions.every(by => cube.has.includes(by)));
const rowMatches = row => row.billed === book.state.billed && filteredBy().every(by => row[by] === book.state[by]);

function cubeRows(cube, {from, to} = book.state) {
  return figureRows(cube.name).filter(row => row.day >= from && row.day <= to && rowMatches(row));
}

const ZEROS = Object.fromEntries(SUMS.map(name => [name, 0]));
const sumsOrZeros = rows => (rows.length ? addUp(rows) : {...ZEROS});

/* The headline's sums: null where no cube has them. */
function totals(range = book.state) {
  const cube = cubeFor(filteredBy());
  return cube ? {...sumsOrZeros(cubeRows(cube, range)), cube: cube.name} : null;
}

/* Of a map of maps: the sums of `a` in `b`. */
function sumsAt(map, a, b) {
  if (!map.has(a)) {
    map.set(a, new Map());
  }
  if (!map.get(a).has(b)) {
    map.get(a).set(b, {});
  }
  return map.get(a).get(b);
}

function restOf(whole, parts) {
  const rest = {};
  for (const name of SUMS) {
    rest[name] = whole[name] == null ? null : whole[name] - (parts[name] || 0);
  }
  return rest;
}

/* Splits by a dimension and stretches: {list, groups: Map(stretch -> Map(value -> sums)), keys, cube, whole} or null. */
function splitBy(by, range = book.state) {
  const whole = cubeFor(filteredBy());
  const cube = cubeFor([...new Set([...filteredBy(), by])]);
  if (!cube || !whole) {
    return null;
  }
  const list = stretches(range),
    groups = new Map();
  for (const row of cubeRows(cube, range)) {
    addRow(sumsAt(groups, stretchOf(list, row.day), row[by]), row);
  }
  if (whole !== cube) {
    addRests(list, groups, cubeRows(whole, range));
  }
  return {list, groups, keys: keysOf(groups), cube: cube.name, whole: whole.name};
}

function addRests(list, groups, wholeRows) {
  const wholes = new Map();
  for (const row of wholeRows) {
    addRow(sumsAt(wholes, stretchOf(list, row.day), REST), row);
  }
  for (const [stretch, sums] of wholes) {
    const rest = restOf(sums.get(REST), addUp([...(groups.get(stretch) || new Map()).values()]));
    if (rest.cost_nusd || rest.calls) {
      Object.assign(sumsAt(groups, stretch, REST), rest);
    }
  }
}

const rankOf = key => (key === REST ? 2 : key === OTHERS ? 1 : 0);

function keysOf(groups) {
  const sums = new Map();
  for (const inside of groups.values()) {
    for (const [key, one] of inside) {
      sums.set(key, addRow(sums.get(key) || {}, one));
    }
  }
  const order = (a, b) =>
    rankOf(a[0]) - rankOf(b[0]) ||
    (b[1].cost_nusd || 0) - (a[1].cost_nusd || 0) ||
    (b[1].calls || 0) - (a[1].calls || 0);
  return [...sums].sort(order).map(([key, one]) => ({key, sums: one}));
}

/* ---- the comparison */

/* {sums, name, range?} of what the state is compared with, or {why}: words. */
function comparison() {
  return isWholePeriod() ? comparePeriods() : compareDays();
}

function comparePeriods() {
  const cube = cubeFor(filteredBy(), CUBES_BEFORE);
  if (!cube) {
    return {why: "No comparison: the period before has too many values to be split so."};
  }
  const {meta} = book;
  const rows = figureRows(cube.name).filter(rowMatches);
  const begins = meta.first_day && meta.first_day > book.beforeDay ? ` (the ledger begins on ${meta.first_day})` : "";
  const part = meta.is_over || meta.before_label.startsWith("as much of ") ? "" : " (as far into it)";
  if (!rows.length && meta.first_day && meta.first_day >= book.period.from) {
    return {why: `No comparison: the ledger begins on ${meta.first_day}.`};
  }
  return {sums: addUp(rows), now: totals(), name: `${meta.before_label}${part}${begins}`, cube};
}

function compareDays() {
  const {state} = book;
  const whole = {from: state.from, to: state.to};
  while (whole.to >= whole.from && (isUnfinished(whole.to) || whole.to > book.today)) {
    whole.to = addDays(whole.to, -1);
  }
  if (whole.to < whole.from) {
    return {why: "No comparison: this day is not over."};
  }
  const n = countDays(whole.from, whole.to);
  const range = {from: addDays(whole.from, -n), to: addDays(whole.from, -1)};
  const first = later(filteredBy().length ? book.period.from : book.beforeDay, book.meta.first_day || "");
  if (range.from < first) {
    return {why: `No comparison: it would take the days from ${range.from} on, and here are those from ${first} on.`};
  }
  const part = whole.to < state.to ? `, of whole days only: ${rangeWords(whole)}` : "";
  const gaps = listDays(range.from, range.to).filter(day => !book.kept.has(day)).length;
  const missing = gaps ? ` (${gaps} of these ${n} days without data)` : "";
  return {sums: totals(range) || {}, now: totals(whole), name: `${rangeWords(range)}${missing}${part}`, range, whole};
}

/* ---- rows of lists, which are filtered by what columns they have */

const isValue = (cell, wish, by) =>
  wish === undefined ||
  cell === wish ||
  (wish === OTHERS && typeof cell === "string" && !book.named[by].includes(cell));

/* `follows`: {model, tag: whether it has such a column; days: row => [first, last] in ms} */
function listRows(name, follows) {
  const {state} = book;
  const isAt = row => {
    const [first, last] = follows.days && !isWholePeriod() ? follows.days(row) : [null, null];
    return first == null || (dayOf(first) <= state.to && dayOf(last == null ? first : last) >= state.from);
  };
  const isDayIn = row => row.day === undefined || (row.day >= state.from && row.day <= state.to);
  const isBilled = row =>
    !hasColumn(name, "billed") || book.billed.length < 2 || (row.billed || "paid") === state.billed;
  return figureRows(name).filter(
    row =>
      isBilled(row) &&
      isDayIn(row) &&
      isAt(row) &&
      ["model", "tag"].every(by => !follows[by] || isValue(row[by], state[by], by)),
  );
}

/* ---- statements to copy */

const quoted = text =>
  text.includes("\0")
    ? `CAST(x'${[...new TextEncoder().encode(text)].map(byte => byte.toString(16).padStart(2, "0")).join("")}' AS TEXT)`
    : `'${text.replace(/'/g, "''")}'`;

function conditionOf(by, wish, folded) {
  if (wish === null) {
    return `${by} IS NULL`;
  }
  if (wish !== OTHERS) {
    return `${by} = ${quoted(wish)}`;
  }
  const names = book.named[by].filter(key => typeof key === "string").map(quoted);
  return folded ? `${by} = 0` : names.length ? `${by} NOT IN (${names.join(", ")})` : `${by} IS NOT NULL`;
}

function conditionsOf(name, follows) {
  const {state} = book;
  const days = follows.days && !isWholePeriod() && follows.columns;
  return [
    hasColumn(name, "first_day") && `first_day = '${state.from}' AND last_day = '${state.to}'`,
    hasColumn(name, "day") && `day >= '${(follows.range || state).from}' AND day <= '${(follows.range || state).to}'`,
    days && `${days[0]} < ${startOf(addDays(state.to, 1))} AND ${days[1]} >= ${startOf(state.from)}`,
    ...["model", "tag"].map(by => follows[by] && state[by] !== undefined && conditionOf(by, state[by], follows.folded)),
    hasColumn(name, "billed") && book.billed.length > 1 && `coalesce(billed, 'paid') = '${state.billed}'`,
  ].filter(Boolean);
}

/* The figure's statement under the filters that it follows, and `select` of its columns. */
function statementOf(name, select = "*", follows = {}) {
  const sql = (figureOf(name).sql || "").trim();
  const where = conditionsOf(name, follows).join(" AND ");
  return where || select !== "*" ? `SELECT ${select} FROM (\n${sql}\n)${where ? ` WHERE ${where}` : ""}` : sql;
}

/* A cube's statement: its rows are filtered by what is filtered at all. */
const cubeStatement = (name, select = "*", range = null) =>
  statementOf(name, select, {model: true, tag: true, folded: true, range});
