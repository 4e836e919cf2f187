/*
** Money, numbers and sentences as people read them. No DOM.
**
** words_money, words_number and words_percent of ext/core/audit/words.c have their twins here, digit for digit: a sentence
** that the extension wrote and a figure of the page never differ.
*/

const MINUS = "\u2212";
const NOTHING = "\u2013";

/* printf's %.*f: a number that stands exactly between two goes to the even one; toFixed goes up. */
function plainFixed(x, decimals) {
  if (x >= 1e21) {
    return BigInt(x).toString() + (decimals ? "." + "0".repeat(decimals) : "");
  }
  const up = x.toFixed(decimals);
  const exact = x.toFixed(60);
  const tail = exact.slice(exact.indexOf(".") + 1 + decimals);
  const kept = exact.slice(0, exact.length - tail.length).replace(/\.$/, "");
  return /^50*$/.test(tail) && /[02468]$/.test(kept) ? kept : up;
}

function groupDigits(plain) {
  const [whole, part] = plain.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? "." + part : "");
}

/* (A word joiner keeps a line from ending behind the minus.) */
const addSign = (isMinus, signs, text) => (isMinus ? `${MINUS}\u2060` : signs ? "+" : "") + text;

function decimalsOf(x, least, most) {
  let n = least;
  while (x > 0 && n < most && x * 10 ** n < 9.95) {
    n++;
  }
  return n;
}

function money(nusd, signs = false) {
  if (nusd == null) {
    return NOTHING;
  }
  const usd = Math.abs(nusd / 1e9);
  const plain = plainFixed(usd, usd < 0.1 ? decimalsOf(usd, 2, 9) : 2);
  return addSign(nusd < 0, signs && nusd !== 0, "$" + groupDigits(plain));
}

function number(x) {
  if (x == null || Number.isNaN(x)) {
    return NOTHING;
  }
  const size = Math.abs(x);
  const isWhole = size >= 1000 || Math.abs(size - Math.round(size)) < 1e-9;
  const decimals = isWhole ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : decimalsOf(size, 2, 6);
  return addSign(x < 0, false, groupDigits(plainFixed(Math.min(size, 1e30), decimals)));
}

function percent(share, signs = false) {
  if (share == null || Number.isNaN(share)) {
    return NOTHING;
  }
  const size = Math.abs(share) * 100;
  const isNothing = size < 0.05;
  const plain = plainFixed(Math.min(size, 1e30), size >= 9.95 || size < 0.05 ? 0 : 1);
  return addSign(share < 0 && !isNothing, signs && !isNothing, groupDigits(plain) + " %");
}

/* Money on an axis: as many decimals at each tick as the steps need. */
function axisMoney(most) {
  const step = Math.abs(most) / 5e9;
  const decimals = step >= 1 || !step ? 0 : Math.min(9, Math.max(step >= 0.05 ? 2 : 0, Math.ceil(-Math.log10(step))));
  return nusd => addSign(nusd < 0, false, "$" + groupDigits(plainFixed(Math.abs(nusd / 1e9), decimals)));
}

/* A part of a whole: null where there is no whole, and never outside 0 to 1 by a slip of the data. */
const shareOf = (part, whole) => (whole > 0 && part != null ? Math.min(Math.max(part / whole, 0), 1) : null);

/* Dollars as spreadsheets read them: all nine digits, no signs but the minus. */
function plainDollars(nusd) {
  const digits = String(Math.abs(Math.round(nusd))).padStart(10, "0");
  return `${nusd < 0 ? "-" : ""}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

const plural = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;
const cut = (text, most = 80) => {
  const signs = text.length > most ? Array.from(text.slice(0, most * 2 + 2)) : [];
  return signs.length > most ? signs.slice(0, most - 1).join("") + "\u2026" : text;
};
const sentence = text => (text ? text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".") : "");

function listWords(words, last = "and") {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words[words.length - 1]}`;
}

/* A value of a dimension, in words. */
/* A text that reads like one of our own words stands in quotes. */
const RESERVED = ["(none)", "(others)", "(not told apart)", "(empty)", "(blank)"];

/* Whether anything of a text is seen: more than blanks, controls and marks of direction. */
const isSeen = text => /[^\s\p{C}\u2060-\u206f]/u.test(String(text));

function keyWords(key) {
  return key === null || key === undefined
    ? "(none)"
    : key === OTHERS
      ? "(others)"
      : key === REST
        ? "(not told apart)"
        : RESERVED.includes(key)
          ? `"${key}"`
          : isSeen(key)
          ? String(key)
          : key === ""
            ? "(empty)"
            : "(blank)";
}

/* The same in a sentence: short, and without the signs that turn what follows around. */
const DIRECTIONS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const nameWords = (key, most) => cut(keyWords(key).replace(DIRECTIONS, "").replace(/\s+/g, " "), most);

function stampWords(ms) {
  if (ms == null) {
    return NOTHING;
  }
  const parts = partsOf(ms);
  return `${parts.year.padStart(4, "0")}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
}

const weekdayOf = day => formatIn("UTC", {weekday: "short"}).format(new Date(utcOf(day)));
const rangeWords = ({from, to}) => (from === to ? from : `${from} \u2013 ${to}`);
const stretchWords = one => (one.from === one.to ? `${weekdayOf(one.from)} ${one.from}` : rangeWords(one));

/* What the filters are, for a sentence: "2026-10-01 to 2026-10-31, all models, tag support". */
function filterWords() {
  const {state, period, meta} = {...book};
  const of = by => (state[by] === undefined ? `all ${by}s` : `${by} ${nameWords(state[by], 40)}`);
  const range = isWholePeriod() ? `${meta.label} (${rangeWords(period)})` : rangeWords(state);
  const prices = book.billed.length > 1 || state.billed === "list" ? [billedWords(state.billed)] : [];
  return [meta.label === rangeWords(period) ? rangeWords(state) : range, of("model"), of("tag"), ...prices].join(", ");
}

const billedWords = kind =>
  kind === "list" ? "calls at list prices (nobody says what was paid)" : "calls that were paid for";

/* What a section can't follow of the filters: "" where it follows all. `why`: {model, tag}: the reason in words. */
function unfollowedWords(follows, why = "") {
  const lost = filteredBy().filter(by => !follows[by]);
  const days = !follows.days && !isWholePeriod();
  const reason = why ? `: ${why}` : "";
  return [
    lost.length ? `Not filtered by ${listWords(lost, "or")}${reason}.` : "",
    days ? `Of the whole period, ${rangeWords(book.period)}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

/* ---- the change against before: signs and words, a percentage only of something */

function changeWords(now, before) {
  if (now == null || before == null) {
    return before == null && now ? "new" : "";
  }
  const change = now - before;
  if (change === 0) {
    return "unchanged";
  }
  const part = before > 0 ? `, ${percent(change / before, true)}` : ", new";
  return `${change > 0 ? "up" : "down"} ${money(Math.abs(change))}${part}`;
}

function countChangeWords(now, before) {
  if (now == null || before == null || (!now && !before)) {
    return "";
  }
  const change = now - before;
  const part = before > 0 ? percent(change / before, true) : "new";
  return change === 0 ? "unchanged" : `${change > 0 ? "up" : "down"}, ${part}`;
}

/* Two shares are compared in points, not in percent of percent. */
function shareChangeWords(now, before) {
  if (now == null || before == null) {
    return "";
  }
  const points = percent(Math.abs(now - before)).replace(" %", " points");
  return Math.abs(now - before) < 0.0005
    ? "unchanged"
    : `${now > before ? "up" : "down"} ${points}, from ${percent(before)}`;
}

/* ---- why it changed */

const driverWords = row => row.driver + (row.detail ? ` (${nameWords(row.detail, 40)})` : "");

/* That of a month or week of the period; null: these days are none. */
function driftOfRange() {
  const {from, to, billed} = book.state;
  const rows = figureRows("drift_ranges").filter(
    row => row.first_day === from && row.last_day === to && row.billed === billed,
  );
  const found = comparison();
  if (!rows.length || !found.sums) {
    return rows.length ? {none: `${found.why} So nothing is said of why spending changed.`} : null;
  }
  return {
    rows: rows.filter(row => row.driver !== "answer"),
    figure: "drift_ranges",
    against: rangeWords(found.range),
    answer: rows.find(row => row.driver === "answer"),
  };
}

/* The rows of the drift that fit the filters: {rows, figure, answer} or {why}: what has to be asked for anew. */
function driftRows() {
  const lost = "computed for the whole period";
  const by = filteredBy();
  if (!isWholePeriod()) {
    return by.length ? {why: lost} : driftOfRange() || {why: `${lost}, its months and its weeks`};
  }
  if (by.length > 1) {
    return {why: lost};
  }
  const begun = isWholePeriod() ? comparison().why : "";
  if (begun) {
    return {none: `${begun} So nothing is said of why spending changed.`};
  }
  const name = by.length ? `drift_${by[0]}s` : "drift";
  const wish = book.state[by[0]];
  if (wish === OTHERS) {
    return {why: `${lost}, not for the others together`};
  }
  const rows = figureRows(name).filter(row => row.billed === book.state.billed && (!by.length || row[by[0]] === wish));
  return {
    rows: rows.filter(row => row.driver !== "answer"),
    figure: name,
    answer: rows.find(row => row.driver === "answer"),
  };
}

/* Total and the three largest drivers, as the extension says it. */
function driftSentence(found, name) {
  if (found.answer) {
    return found.answer.text;
  }
  const drivers = found.rows.filter(row => row.change_nusd),
    head = name ? `${name[0].toUpperCase()}${name.slice(1)}: spending` : "Spending";
  const total = drivers.reduce((sum, row) => sum + row.change_nusd, 0);
  if (!drivers.length) {
    return `${head} did not change against ${book.meta.before_label}, or there is nothing to compare.`;
  }
  const largest = drivers.sort((a, b) => Math.abs(b.change_nusd) - Math.abs(a.change_nusd)).slice(0, 3);
  const parts = largest.map(row => `${driverWords(row)} ${money(row.change_nusd, true)}`);
  const head2 = parts.length === 1 ? "The largest part" : "The largest parts";
  const change = total === 0 ? "did not change in sum" : `${total > 0 ? "rose" : "fell"} by ${money(Math.abs(total))}`;
  return `${head} ${change} against ${book.meta.before_label}. ${head2}: ${listWords(parts)}.`;
}

/* What the statement below can and can't take over of the filters. */
function askWords() {
  const lost = filteredBy().filter(by => typeof book.state[by] !== "string");
  return lost.length
    ? `The statement can't name ${listWords(lost.map(by => `${by} ${keyWords(book.state[by])}`))}; of all of them it is:`
    : "With these filters ask the ledger:";
}

/* The statement that computes the drift with the filters. */
function driftStatement() {
  const {state, meta} = book;
  const found = isWholePeriod() ? null : comparison();
  const now = found && found.whole ? found.whole : state;
  const n = countDays(now.from, now.to);
  const before = found ? {from: addDays(now.from, -n), to: addDays(now.from, -1)} : null;
  const times = found
    ? [startOf(before.from), startOf(now.from), startOf(now.from), startOf(addDays(now.to, 1))]
    : [meta.before_from, meta.before_to, meta.from, meta.to];
  const options = state.billed === book.billed[0] ? {} : {billed: state.billed};
  for (const by of filteredBy()) {
    if (typeof state[by] === "string") {
      options[by] = state[by].replace(/[*?[]/g, sign => `[${sign}]`);
    }
  }
  const last = Object.keys(options).length ? `, ${quoted(JSON.stringify(options))}` : "";
  return `SELECT text FROM llm_drift(${times.join(", ")}${last})`;
}

/* ---- budgets */

const scopeWords = row => ((row.value || row.scope) === "*" ? "all calls" : row.value || row.scope);

function budgetWords(row) {
  const per = /^\d/.test(row.period) ? `in ${row.period}` : row.period === "total" ? "in all" : `a ${row.period}`;
  const until = row.until_time ? `, until ${row.until_time}` : "";
  const limit = `${money(row.limit_nusd)} ${per}${until}`;
  const used = (row.spent_nusd || 0) + (row.unknown_nusd || 0);
  if (row.share == null) {
    return `${money(used)} of ${limit}${row.limit_nusd === 0 && used > 0 ? `: over by ${money(used)}` : ""}`;
  }
  return `${percent(row.share)} of ${limit}${row.share > 1 ? `: over by ${money(used - row.limit_nusd)}` : ""}`;
}

/* The limits that the shown spending is held against: {nusd, words}, of days, or of months by their days. */
function budgetLines(from = book.state.from) {
  const by = filteredBy();
  const wish = book.state[by[0]];
  const isSaid = by.length < 2 && book.state.billed === "paid" && (!by.length || typeof wish === "string");
  const scopes = isSaid ? [by.length ? `${by[0]}:${wish}` : "*"] : [];
  const isOne = from.slice(0, 7) === book.state.to.slice(0, 7);
  const days = isOne ? new Date(Date.UTC(+from.slice(0, 4), +from.slice(5, 7), 0)).getUTCDate() : 30;
  const lines = figureRows("budgets").filter(row => row.limit_nusd > 0 && scopes.includes(row.value || row.scope));
  return lines
    .filter(row => row.period === "day" || row.period === "month")
    .map(row =>
      row.period === "day"
        ? {nusd: row.limit_nusd, words: `limit of ${nameWords(scopeWords(row), 40)}: ${money(row.limit_nusd)} a day`}
        : {
            nusd: row.limit_nusd / days,
            words: `limit of ${nameWords(scopeWords(row), 40)}: ${money(row.limit_nusd)} a month, by ${days} days`,
          },
    );
}
