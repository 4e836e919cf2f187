/*
** Elements and charts. Text goes into the document as text only (textContent, setAttribute): nothing here parses HTML.
**
** A chart is {svg(width), stops, label, legend}: Plot draws the svg, a screen reader gets `label`, a sentence, and `stops`
** are what the pointer and the arrow keys stop at: {at: its place on the scale, words}. Colours are CSS variables, so that
** light, dark and paper need no new drawing. Days without data, days of nothing and days that are not over look different.
*/

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value !== false && value != null) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter(child => child != null && child !== false));
  return made;
}

/* A text of the data: what it does to the direction of writing ends with it. */
const bdi = text => el("bdi", {}, text);

/* The same inside an svg, where lines and signs that can't be seen would move things. */
const isolate = (text, most) =>
  `\u2068${cut(text.replace(DIRECTIONS, " ").replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, " "), most)}\u2069`;

/* An amount or a count that tests can find again: it carries the number that it was written from. */
const moneyEl = (figure, nusd, signs = false) =>
  el("data", {value: nusd ?? "", "data-figure": figure, "data-nusd": nusd ?? "", class: "money"}, money(nusd, signs));
const countEl = (figure, n) => el("data", {value: n ?? "", "data-figure": figure, "data-value": n ?? ""}, number(n));

const MOST_SERIES = 8;
const colorOf = (i, key) =>
  key === REST ? "var(--rest)" : key === OTHERS ? "var(--others)" : `var(--s${(i % MOST_SERIES) + 1})`;
const TIP = {fill: "var(--paper)", stroke: "var(--quiet)", lineHeight: 1.3};
const FONT = {fontSize: "12px", fontFamily: "inherit", background: "transparent", overflow: "visible"};

let patterns = 0;

/* Hatches, as a mark: Plot calls it for an element. */
function hatch(id, color, angle) {
  return (index, scales, channels, dimensions, context) => {
    const made = name => context.document.createElementNS("http://www.w3.org/2000/svg", name);
    const pattern = made("pattern"),
      line = made("rect"),
      all = made("defs");
    const set = (node, pairs) => Object.entries(pairs).forEach(([key, value]) => node.setAttribute(key, value));
    set(pattern, {id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: `rotate(${angle})`});
    set(line, {width: 2, height: 6, style: `fill:${color}`});
    pattern.append(line);
    all.append(pattern);
    return all;
  };
}

const shortDay = day => formatIn("UTC", {day: "numeric", month: "short"}).format(new Date(utcOf(day)));

function dayTicks(list, width) {
  const every = Math.max(1, Math.ceil(list.length / Math.max(2, Math.floor(width / 68))));
  return list.filter((one, i) => i % every === 0).map(one => one.label);
}

const dayAxis = (list, width) => Plot.axisX(dayTicks(list, width), {tickFormat: shortDay, tickSize: 3, label: null});
const band = list => ({
  type: "band",
  domain: list.map(one => one.label),
  paddingInner: 0.15,
  paddingOuter: 0.05,
  label: null,
});

/* The smaller series are drawn together: {shown: [{key, label}], at(key)}. */
function seriesOf(keys, wordsOf) {
  const named = keys.filter(one => rankOf(one.key) === 0).slice(0, MOST_SERIES);
  const last = keys.filter(one => rankOf(one.key) > 0);
  const hidden = keys.length - named.length - last.length;
  const small = hidden ? [{small: true, label: `${plural(hidden, "smaller one")} together`}] : [];
  const shown = [...named, ...small, ...last].map((one, i) => ({
    ...one,
    label: one.label || wordsOf(one.key),
    color: one.small ? "var(--small)" : colorOf(i, one.key),
  }));
  return {
    shown,
    at: key => {
      const i = shown.findIndex(one => !one.small && one.key === key);
      return i >= 0 ? i : shown.findIndex(one => one.small);
    },
  };
}

/* Rows {label, series, value} of a split, one measure of it. */
function stackRows(split, series, measure) {
  const rows = [];
  split.list.forEach(one => {
    const sums = new Map();
    for (const [key, inside] of split.groups.get(one) || []) {
      const at = series.at(key);
      sums.set(at, (sums.get(at) || 0) + (inside[measure] || 0));
    }
    [...sums]
      .sort((a, b) => a[0] - b[0])
      .forEach(([at, value]) => rows.push({label: one.label, series: at, value, one}));
  });
  return rows;
}

function stackStops(split, series, rows, format) {
  const of = new Map(split.list.map(one => [one, []]));
  rows.forEach(row => of.get(row.one).push(row));
  return split.list.map(one => {
    const mine = of.get(one),
      total = mine.reduce((sum, row) => sum + row.value, 0);
    const parts = mine
      .filter(row => row.value)
      .sort((a, b) => b.value - a.value)
      .slice(0, 6);
    const state = one.state ? ` (${one.state})` : "";
    const head = one.state === "no data" || one.state === "not yet" ? one.state : `${format(total)}${state}`;
    const lines = parts.map(row => `${isolate(series.shown[row.series].label, 32)}: ${format(row.value)}`);
    const own = [...(split.groups.get(one) || new Map()).values()];
    const isUnknown = own.some(sums => sums.unpriced) && own.every(sums => sums.cost_nusd == null);
    const isZero = !total && !(isUnknown && format === money) && !["no data", "not yet", "so far"].includes(one.state);
    return {
      at: one.label,
      total,
      isZero,
      isUnknown: isUnknown && format === money,
      state: one.state,
      words: [`${stretchWords(one)}: ${head}`, ...(parts.length > 1 || series.shown.length > 1 ? lines : [])].join(
        "\n",
      ),
    };
  });
}

function stateMarks(stops, top, id) {
  const none = stops.filter(stop => stop.state === "no data"),
    part = stops.filter(stop => stop.state === "so far");
  return [
    hatch(`${id}n`, "var(--hatch)", 45),
    hatch(`${id}s`, "var(--paper)", -45),
    none.length && Plot.barY(none, {x: "at", y1: 0, y2: top, fill: `url(#${id}n)`, inset: 0}),
    part.length && Plot.barY(part, {x: "at", y1: 0, y2: "total", fill: `url(#${id}s)`}),
    part.length &&
      Plot.barY(part, {x: "at", y1: 0, y2: top, fill: "none", stroke: "var(--quiet)", strokeDasharray: "3,3"}),
    Plot.text(
      stops.filter(stop => stop.isUnknown),
      {x: "at", y: 0, text: () => "?", dy: -8, fill: "var(--limit)", fontWeight: 700},
    ),
    Plot.tickY(
      stops.filter(stop => stop.isZero),
      {x: "at", y: 0, stroke: "var(--ink)", strokeWidth: 3},
    ),
  ].filter(Boolean);
}

function limitMarks(lines) {
  return lines.flatMap(line => [
    Plot.ruleY([line.nusd], {stroke: "var(--limit)", strokeWidth: 1.5, strokeDasharray: "6,3"}),
    Plot.text([line], {
      frameAnchor: "top-left",
      y: "nusd",
      text: one => isolate(one.words, 70),
      dy: -4,
      dx: 4,
      lineAnchor: "bottom",
      textAnchor: "start",
      fill: "var(--limit)",
      stroke: "var(--paper)",
      strokeWidth: 4,
    }),
  ]);
}

/* Bars by day or week, stacked by a split's values. `lines`: limits. */
function stackChart({split, measure, format, axis = () => format, wordsOf = keyWords, lines = [], label}) {
  const series = seriesOf(split.keys, wordsOf);
  const rows = stackRows(split, series, measure);
  const stops = stackStops(split, series, rows, format);
  const most = Math.max(0, ...stops.map(stop => stop.total)),
    shown = lines.filter(line => line.nusd <= most * 4 || !most);
  const top = Math.max(most, ...shown.map(line => line.nusd)) * 1.04 || (format === money ? 1e9 : 1),
    id = `h${++patterns}`;
  const svg = width =>
    Plot.plot({
      width,
      height: 260,
      marginLeft: 64,
      marginRight: 8,
      marginBottom: 26,
      marginTop: 18,
      style: FONT,
      x: band(split.list),
      y: {domain: [Math.min(0, ...rows.map(row => row.value)), top], label: null, nice: false},
      color: {type: "ordinal", domain: series.shown.map((one, i) => i), range: series.shown.map(one => one.color)},
      marks: [
        Plot.gridY({stroke: "var(--line)", strokeOpacity: 1, ticks: 5}),
        Plot.axisY({ticks: 5, tickFormat: tick => axis(top)(tick), tickSize: 0, label: null}),
        dayAxis(split.list, width),
        Plot.barY(rows, {x: "label", y: "value", fill: "series", insetTop: 0.5, order: null}),
        ...stateMarks(stops, top, id),
        Plot.ruleY([0], {stroke: "var(--quiet)"}),
        ...limitMarks(shown),
        Plot.tip(stops, Plot.pointerX({x: "at", y: "total", title: "words", ...TIP})),
      ],
    });
  return {svg, stops, label, axis: "x", legend: [...series.shown, ...stateLegend(stops)]};
}

function stateLegend(stops) {
  const has = state => stops.some(stop => stop.state === state);
  return [
    has("no data") && {label: "no data", look: "none"},
    stops.some(stop => stop.isZero) && {label: "zero", look: "zero"},
    stops.some(stop => stop.isUnknown) && {label: "no price known", look: "unknown"},
    has("so far") && {label: "so far (not over)", look: "part"},
    has("not yet") && {label: "not yet: empty", look: "empty"},
  ].filter(Boolean);
}

/* A share by day or week: points, and lines between those that follow each other. */
function shareChart({list, valueOf, label, name}) {
  const stops = list.map(one => shareStop(one, one.state === "no data" ? null : valueOf(one)));
  const id = `h${++patterns}`;
  const svg = width =>
    Plot.plot({
      width,
      height: 200,
      marginLeft: 64,
      marginRight: 8,
      marginBottom: 26,
      style: FONT,
      x: band(list),
      y: {domain: [0, 1], label: null},
      color: {type: "identity"},
      marks: [...shareAxes(list, width), ...shareMarks(stops, id)],
    });
  const states = stateLegend(stops).filter(one => one.look !== "part");
  const part = stops.some(stop => stop.state === "so far" && stop.value != null);
  const hollow = part ? [{label: "so far (not over)", look: "hollow"}] : [];
  return {svg, stops, label, axis: "x", legend: [{label: name, color: "var(--s1)"}, ...hollow, ...states]};
}

function shareStop(one, value) {
  const state = one.state ? ` (${one.state})` : "";
  const words = value == null ? one.state || "nothing to tell it by" : percent(value) + state;
  return {at: one.label, value, state: one.state, words: `${stretchWords(one)}: ${words}`};
}

function shareAxes(list, width) {
  return [
    Plot.gridY({stroke: "var(--line)", strokeOpacity: 1, ticks: 4}),
    Plot.axisY({ticks: [0, 0.25, 0.5, 0.75, 1], tickFormat: value => percent(value), tickSize: 0, label: null}),
    dayAxis(list, width),
    Plot.ruleY([0], {stroke: "var(--quiet)"}),
  ];
}

function shareMarks(stops, id) {
  const none = stops.filter(stop => stop.state === "no data");
  const known = stops.filter(stop => stop.value != null);
  const fill = stop => (stop.state ? "var(--paper)" : "var(--s1)");
  return [
    hatch(`${id}n`, "var(--hatch)", 45),
    Plot.barY(none, {x: "at", y1: 0, y2: 1, fill: `url(#${id}n)`}),
    Plot.lineY(stops, {x: "at", y: "value", stroke: "var(--s1)", strokeWidth: 2}),
    Plot.dot(known, {x: "at", y: "value", r: 3, fill, stroke: "var(--s1)"}),
    Plot.tip(known, Plot.pointerX({x: "at", y: "value", title: "words", ...TIP})),
  ];
}

const labelRoom = width => Math.min(280, Math.round(width * 0.4));

/* Rows of bars, one below the other: {label, from, to, color, words, text?}. For waterfalls and ranks. */
function barsChart({bars, axis = () => number, label, legend = [], note = ""}) {
  const ids = bars.map((bar, i) => ({...bar, at: String(i)}));
  const ends = [0, ...bars.flatMap(bar => [bar.from, bar.to])];
  const svg = width =>
    Plot.plot({
      width,
      height: Math.max(90, ids.length * 26 + 40),
      marginLeft: labelRoom(width),
      marginRight: 86,
      marginBottom: 26,
      marginTop: 6,
      style: FONT,
      color: {type: "identity"},
      x: {domain: [Math.min(...ends), Math.max(...ends) || 1], label: null},
      y: {type: "band", domain: ids.map(bar => bar.at), label: null, padding: 0.25},
      marks: [...barAxes(ids, width, axis(Math.max(...ends))), ...barMarks(ids)],
    });
  return {svg, stops: ids, label, axis: "y", legend, note};
}

function barAxes(ids, width, format) {
  const ticks = Math.max(2, Math.floor(width / 160));
  const most = Math.floor(labelRoom(width) / 8);
  return [
    Plot.gridX({stroke: "var(--line)", strokeOpacity: 1, ticks}),
    Plot.axisX({ticks, tickFormat: tick => format(tick), tickSize: 0, label: null}),
    Plot.axisY({tickFormat: at => isolate(ids[at].label, most), tickSize: 0, label: null}),
  ];
}

function barMarks(ids) {
  const x = bar => Math.max(bar.from, bar.to);
  const text = bar => bar.text ?? "";
  return [
    Plot.barX(ids, {y: "at", x1: "from", x2: "to", fill: "color"}),
    ...partMarks(ids),
    Plot.text(ids, {y: "at", x, text, dx: 5, textAnchor: "start", fill: "var(--ink)"}),
    Plot.ruleX([0], {stroke: "var(--quiet)"}),
    Plot.tip(ids, Plot.pointerY({y: "at", x, title: "words", ...TIP})),
  ];
}

/* What of a bar is something of its own, as the part that a conversation grew by. */
function partMarks(ids) {
  const parts = ids.filter(bar => bar.part > 0);
  return parts.length ? [Plot.barX(parts, {y: "at", x1: 0, x2: "part", fill: "var(--s2)"})] : [];
}

/* From a beginning over signed steps to an end. Steps: {label, change, words}; both ends: {label, value, words}. */
function waterfallChart({begin, steps, end, label, colors}) {
  let at = begin.value;
  const whole = (one, words) => ({
    label: one.label,
    from: 0,
    to: one.value,
    color: "var(--s1)",
    words,
    text: money(one.value),
  });
  const bars = steps.map(step => {
    const from = at;
    at += step.change;
    return {
      label: step.label,
      from,
      to: at,
      color: step.change > 0 ? colors.up : colors.down,
      text: money(step.change, true),
      words: step.words || `${isolate(step.label, 60)}: ${money(step.change, true)}`,
    };
  });
  const legend = [
    {label: "total", color: "var(--s1)"},
    {label: colors.upWords, color: colors.up},
    {label: colors.downWords, color: colors.down},
  ];
  return barsChart({
    bars: [
      whole(begin, `${isolate(begin.label, 60)}: ${money(begin.value)}`),
      ...bars,
      whole(end, `${isolate(end.label, 60)}: ${money(end.value)}`),
    ],
    axis: axisMoney,
    label,
    legend,
  });
}

/* What a drawing leaves to the table. */
const drawnWords = (shown, all) =>
  shown.length < all.length
    ? `The first ${number(shown.length)} of ${number(all.length)} are drawn, the table has all.`
    : "";

/* Steps over time: series {label, points: [{ts, value, words}], until}. */
function stepChart({series, format, label, from, to}) {
  const shown = series.slice(0, MOST_SERIES);
  const placed = (one, i) => point => ({...point, at: point.ts, color: colorOf(i), i});
  const ended = one => [...one.points, {...one.points[one.points.length - 1], ts: one.until}];
  const points = shown.flatMap((one, i) => one.points.map(placed(one, i)));
  const lines = shown.flatMap((one, i) => ended(one).map(placed(one, i)));
  const svg = width =>
    Plot.plot({
      width,
      height: 220,
      marginLeft: 64,
      marginRight: 28,
      marginBottom: 26,
      style: FONT,
      color: {type: "identity"},
      x: {type: "linear", domain: [from, to], label: null},
      y: {domain: [0, Math.max(1, ...points.map(point => point.value)) * 1.05], label: null},
      marks: [...stepAxes(dayStarts(from, to, width), format), ...stepMarks(points, lines)],
    });
  const legend = shown.map((one, i) => ({label: one.label, color: colorOf(i)}));
  return {svg, stops: points, label, axis: "x", legend, note: drawnWords(shown, series)};
}

/* So many beginnings of days as there is room for, by the clocks of the zone. */
function dayStarts(from, to, width) {
  const days = listDays(dayOf(from), dayOf(to));
  const every = Math.ceil(days.length / Math.max(2, Math.floor(width / 90)));
  return days
    .filter((day, i) => i % every === 0)
    .map(startOf)
    .filter(ms => ms >= from);
}

function stepAxes(starts, format) {
  return [
    Plot.gridY({stroke: "var(--line)", strokeOpacity: 1, ticks: 4}),
    Plot.axisY({ticks: 4, tickFormat: tick => format(tick), tickSize: 0, label: null}),
    Plot.axisX(starts, {tickFormat: ms => shortDay(dayOf(ms)), tickSize: 3, label: null}),
    Plot.ruleY([0], {stroke: "var(--quiet)"}),
  ];
}

function stepMarks(points, lines) {
  return [
    Plot.lineY(lines, {x: "at", y: "value", z: "i", stroke: "color", curve: "step-after", strokeWidth: 2}),
    Plot.dot(points, {x: "at", y: "value", fill: "color", r: 3.5}),
    Plot.tip(points, Plot.pointerX({x: "at", y: "value", title: "words", ...TIP})),
  ];
}
