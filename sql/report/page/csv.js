/*
** Tables as CSV: RFC 4180, CRLF, UTF-8 with its mark. No DOM, but for saveText.
**
** A text that a spreadsheet would take for a formula gets an apostrophe before it: one that begins with = + - @ tab or CR,
** also behind blanks or quotes, also in their wide forms. Numbers are ours and never get one. Money has all nine digits
** behind the point, so that a column's sum is the page's.
*/

const FORMULA =
  /^[\s"'\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[ \u00a0"']*[\t\r]/;

const csvText = text => {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return text === "" || /[",\r\n\t;]|^\s|\s$/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
};

/* A cell by its column's kind: NULL is nothing at all, an empty text is "". */
function csvCell(value, kind) {
  if (value === null || value === undefined) {
    return "";
  }
  if (kind === "dimension") {
    return csvText(typeof value === "number" ? keyWords(value) : value);
  }
  if (kind === "money") {
    return plainDollars(value);
  }
  if (kind === "state") {
    return csvText(value || "whole");
  }
  if (kind === "stamp") {
    return csvText(stampWords(value));
  }
  return typeof value === "number" ? String(value) : csvText(String(value));
}

const csvName = column => (column.csv || column.key).replace(/_nusd$/, "_usd");

function csvOf(columns, rows) {
  const lines = [
    columns.map(column => csvText(csvName(column))),
    ...rows.map(row => columns.map(column => csvCell(row[column.key], column.kind))),
  ];
  return "\ufeff" + lines.map(cells => cells.join(",") + "\r\n").join("");
}

function saveText(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type: "text/csv;charset=utf-8"}));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
