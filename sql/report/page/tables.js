/*
** Tables: sorted by their heads, cut at 50 rows until all are asked for, with the CSV of exactly the rows that they have.
**
** A table is {name, caption, columns, rows, totals?}. A column is {key, label, kind, total?}: `kind` says how a cell is
** written (CELLS), `total` the figure's name that its sum has everywhere on the page; its value comes from `totals`,
** made by what makes the headline. `csv` is the column's name in the file, where that is another.
*/

const FIRST_ROWS = 50;
const LONG = 72;
const KINDS_OF_NUMBERS = ["money", "count", "number", "percent"];

const tables = new Map();
const sorts = new Map();
const opened = new Set();

const isNumeric = column => KINDS_OF_NUMBERS.includes(column.kind);

/* A word as long as that may be broken anywhere where there is no room, as on paper. */
const cellText = text => el("bdi", {class: /[^\s-]{18}/.test(text) ? "unbroken" : false}, text);

/* A long text is cut: its beginning is in sight, all of it on demand. */
function longText(text, most = LONG) {
  const short = cut(text, most);
  if (short === text && !text.includes("\n")) {
    return cellText(text);
  }
  const summary = el("summary", {title: text.slice(0, 1000)}, cellText(short.replace(/\s+/g, " ")));
  const details = el("details", {class: "long"}, summary);
  details.addEventListener(
    "toggle",
    () => details.querySelector("p") || details.append(el("p", {tabindex: "0"}, bdi(text))),
  );
  return details;
}

const copyable = (label, text) =>
  el(
    "div",
    {class: "copyable"},
    el("pre", {tabindex: "0", role: "group", "aria-label": label}, el("code", {dir: "ltr"}, text)),
    copyButton(label, text),
  );

function copyButton(label, text) {
  return el(
    "button",
    {
      type: "button",
      class: "copy",
      "aria-label": `Copy: ${label}`,
      onclick: async event => {
        const button = event.currentTarget;
        button.textContent = (await copyText(text, button)) ? "Copied" : "Select it and copy";
        setTimeout(() => (button.textContent = "Copy"), 2000);
      },
    },
    "Copy",
  );
}

/* A page that was opened from a disk may not have the clipboard: then a selection is copied. */
async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", {class: "unseen", "aria-hidden": "true"});
    area.value = text;
    button.after(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    button.focus();
    return done;
  }
}

const dimensionCell = value =>
  typeof value === "string" && isSeen(value) ? longText(keyWords(value), 40) : el("span", {class: "none"}, keyWords(value));

const CELLS = {
  dimension: dimensionCell,
  text: value => (value === "" ? el("span", {class: "none"}, "(empty)") : longText(String(value))),
  hash: value => bdi(String(value)),
  money: (value, figure) => moneyEl(figure, value),
  count: (value, figure) => countEl(figure, value),
  number: value => number(value),
  percent: value => percent(value),
  stamp: value => el("time", {datetime: new Date(value).toISOString()}, stampWords(value)),
  state: value => el("span", {class: "state"}, value || "whole"),
};

function cellOf(table, column, row) {
  const value = row[column.key];
  if (column.show) {
    return column.show(row);
  }
  if (column.kind === "dimension") {
    return CELLS.dimension(value);
  }
  return value === null || value === undefined ? NOTHING : CELLS[column.kind](value, `${table.name}.${column.key}`);
}

function compareCells(a, b) {
  const rank = value => (value === null || value === undefined ? 2 : typeof value === "number" ? 0 : 1);
  if (rank(a) !== rank(b)) {
    return rank(a) - rank(b);
  }
  return rank(a) === 0 ? a - b : rank(a) === 1 ? String(a).localeCompare(String(b), "en", {numeric: true}) : 0;
}

/* NULLs stay last both ways. */
function sortedRows(table) {
  const sort = sorts.get(table.name);
  if (!sort || !table.columns.some(column => column.key === sort.key)) {
    return table.rows;
  }
  const missing = row => row[sort.key] === null || row[sort.key] === undefined;
  const known = table.rows
    .filter(row => !missing(row))
    .sort((a, b) => sort.sign * compareCells(a[sort.key], b[sort.key]));
  return [...known, ...table.rows.filter(missing)];
}

function sortBy(table, key) {
  const sort = sorts.get(table.name),
    column = table.columns.find(one => one.key === key);
  const first = isNumeric(column) ? -1 : 1;
  sorts.set(table.name, {key, sign: sort && sort.key === key ? -sort.sign : first});
  fillTable(table);
  table.box.querySelector(`th[data-key="${key}"] button`).focus();
}

function headOf(table) {
  const sort = sorts.get(table.name) || {};
  return el(
    "tr",
    {},
    table.columns.map(column => {
      const order = sort.key === column.key ? (sort.sign > 0 ? "ascending" : "descending") : "none";
      const arrow = el(
        "span",
        {class: "arrow", "aria-hidden": "true"},
        {ascending: "\u25b2", descending: "\u25bc", none: ""}[order],
      );
      return el(
        "th",
        {scope: "col", class: isNumeric(column) ? "number" : "", "aria-sort": order, "data-key": column.key},
        el("button", {type: "button", onclick: () => sortBy(table, column.key)}, column.label, arrow),
      );
    }),
  );
}

function rowOf(table, row) {
  return el(
    "tr",
    {class: row.state && table.columns.some(column => column.kind === "state") ? "partly" : ""},
    table.columns.map((column, i) =>
      el(
        i ? "td" : "th",
        {scope: i ? false : "row", class: `${isNumeric(column) ? "number" : ""} is-${column.kind}`},
        cellOf(table, column, row),
      ),
    ),
  );
}

function footOf(table) {
  const {totals: sums} = table;
  if (!sums) {
    return null;
  }
  const cells = table.columns.map((column, i) => {
    const sum = column.total && column.key in sums ? sums[column.key] : undefined;
    const text =
      sum === undefined
        ? ""
        : column.kind === "money"
          ? moneyEl(column.total, sum)
          : column.kind === "percent"
            ? percent(sum)
            : countEl(column.total, sum);
    return el(
      i ? "td" : "th",
      {scope: i ? false : "row", class: isNumeric(column) ? "number" : ""},
      i ? text : "Total",
    );
  });
  return el("tfoot", {}, el("tr", {}, cells));
}

function fillTable(table) {
  const rows = sortedRows(table),
    all = opened.has(table.name) || rows.length <= FIRST_ROWS;
  const shown = all ? rows : rows.slice(0, FIRST_ROWS);
  const made = el(
    "table",
    {class: table.columns.length > 9 ? "wide" : ""},
    el("caption", {}, el("span", {}, table.caption)),
    el("thead", {}, headOf(table)),
    el(
      "tbody",
      {},
      shown.map(row => rowOf(table, row)),
    ),
    footOf(table),
  );
  const region = el("div", {class: "scroll", role: "region", "aria-label": table.caption, tabindex: "0"}, made);
  const more = all
    ? null
    : el(
        "button",
        {
          type: "button",
          class: "more",
          onclick: () => {
            opened.add(table.name);
            fillTable(table);
            table.box.querySelector(".scroll").focus();
          },
        },
        `Show all ${number(rows.length)}`,
      );
  const paper =
    rows.length > 20 ? el("p", {class: "paper"}, `On paper: the first 20 of ${number(rows.length)} rows.`) : null;
  table.box.replaceChildren(
    region,
    paper || "",
    el("div", {class: "under"}, more || "", table.hasButton ? "" : csvButton(table)),
  );
}

const csvButton = table =>
  el(
    "button",
    {
      type: "button",
      class: "csv",
      onclick: () => saveText(`${table.name}.csv`, csvOfTable(table)),
      "aria-label": `CSV of ${table.caption}`,
    },
    "CSV",
  );

const csvOfTable = table =>
  csvOf(
    table.columns.filter(column => !column.show || column.kind),
    sortedRows(table),
  );

function tableBox(table) {
  table.box = el("div", {class: "table"});
  tables.set(table.name, table);
  fillTable(table);
  return table.box;
}

/* ---- what every section is made of */

/* The statement of a figure, closed until it is asked for. `statements`: [{label, sql}]. */
function sqlBox(statements) {
  const shown = statements.filter(one => one && one.sql);
  const details = el("details", {class: "sql"}, el("summary", {}, "SQL"));
  details.addEventListener(
    "toggle",
    () =>
      details.querySelector("pre") ||
      details.append(...shown.map(one => el("div", {}, el("p", {}, one.label), copyable(one.label, one.sql)))),
  );
  details.statements = shown;
  return shown.length ? details : "";
}

const wantsTable = new Set();

/* A chart with the table behind it: one is in sight, a button changes them, on paper both are. */
function chartAndTable(id, chart, table) {
  table.hasButton = true;
  const drawing = el("div", {class: "view"}, chartBox(chart)),
    listed = el("div", {class: "view"}, tableBox(table));
  const button = el("button", {type: "button", class: "toggle"});
  const show = () => {
    const isTable = wantsTable.has(id);
    drawing.hidden = isTable;
    listed.hidden = !isTable;
    button.setAttribute("aria-pressed", String(isTable));
    button.textContent = "Table";
    button.setAttribute("aria-label", `Table instead of the chart: ${table.caption}`);
  };
  button.addEventListener("click", () => {
    wantsTable[wantsTable.has(id) ? "delete" : "add"](id);
    show();
  });
  show();
  return el("div", {class: "chart-and-table"}, el("div", {class: "tools"}, button, csvButton(table)), drawing, listed);
}
