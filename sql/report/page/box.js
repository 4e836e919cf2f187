/*
** The box that a chart stands in: drawn anew as wide as there is room, and read by pointer and arrow keys.
*/

function legendList(legend) {
  return el(
    "ol",
    {class: "legend", "aria-label": "Legend, in the order of the chart"},
    legend.map(one => {
      const swatch = el("span", {class: `swatch ${one.look || ""}`, "aria-hidden": "true"});
      swatch.style.setProperty("--color", one.color || "transparent");
      return el("li", {}, swatch, bdi(cut(one.label, 40)));
    }),
  );
}

function drawInto(box, chart, width) {
  const svg = chart.svg(Math.max(280, Math.round(width)));
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", chart.label);
  svg.querySelectorAll("[aria-label], [aria-description]").forEach(node => {
    node.removeAttribute("aria-label");
    node.removeAttribute("aria-description");
  });
  box.replaceChildren(svg);
}

/* Moves the pointer of the drawing to a stop, so that the arrow keys show the same box as the mouse. */
function pointAt(svg, chart, stop) {
  const scale = svg.scale(chart.axis),
    rect = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal,
    size = rect.width / (view.width || rect.width);
  const at = (scale.apply(stop.at) + (scale.bandwidth || 0) / 2) * size;
  const other = chart.axis === "x" ? rect.height / 2 : rect.width / 2;
  const place =
    chart.axis === "x"
      ? {clientX: rect.left + at, clientY: rect.top + other}
      : {clientX: rect.left + other, clientY: rect.top + at};
  svg.dispatchEvent(new PointerEvent("pointermove", {...place, bubbles: true, pointerType: "mouse"}));
}

function arrowKeys(chart, box, said) {
  let at = -1;
  return event => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    const jump = {Home: 0, End: chart.stops.length - 1}[event.key];
    if (event.key === "Escape") {
      box.firstChild.dispatchEvent(new PointerEvent("pointerleave", {pointerType: "mouse"}));
    } else if (step || jump !== undefined) {
      event.preventDefault();
      at = jump ?? Math.min(Math.max(at + step, 0), chart.stops.length - 1);
      pointAt(box.firstChild, chart, chart.stops[at]);
      said.textContent = chart.stops[at].words.replace(/\n/g, ", ");
    }
  };
}

const watchers = new Set();

function chartBox(chart) {
  const box = el("div", {class: "drawing"}),
    said = el("p", {class: "unseen", "aria-live": "polite"});
  const frame = el(
    "div",
    {
      class: "chart",
      tabindex: "0",
      role: "group",
      "aria-label": "Chart: arrow keys read its values",
      onkeydown: arrowKeys(chart, box, said),
    },
    box,
    chart.legend.length ? legendList(chart.legend) : "",
    chart.note ? el("p", {class: "quiet"}, chart.note) : "",
    said,
  );
  let width = 0;
  frame.redraw = (wish = box.clientWidth) => {
    if (wish > 0 && Math.abs(wish - width) > 4) {
      width = wish;
      drawInto(box, chart, width);
    }
  };
  const watcher = new ResizeObserver(() => (frame.isConnected ? frame.redraw() : watcher.disconnect()));
  watcher.observe(box);
  watchers.add(frame);
  return frame;
}

/* For paper: all that stand in the document are drawn as wide as a page, or as the window again. */
function redrawAll(width) {
  for (const frame of [...watchers]) {
    if (frame.isConnected) {
      frame.redraw(width);
    } else {
      watchers.delete(frame);
    }
  }
}
