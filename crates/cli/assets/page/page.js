"use strict";
/* What all pages have in common: finding and making elements, writing numbers, drawing curves over env steps. */

const byId = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const element = (tag, attributes, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

/* A row of a table; `classes` are those of its cells. */
const tableRow = (cells, tag, classes, attributes) =>
  element("tr", attributes || {}, ...cells.map((cell, i) => element(tag, tag === "th" ? { class: classes[i], scope: "col" } : { class: classes[i] }, ...[].concat(cell))));

const count = (n) => Math.round(n).toLocaleString("en-US");
const number = (v) => (v == null ? "–" : Number.isInteger(v) ? count(v) : Math.abs(v) < 0.01 ? v.toExponential(2) : v.toFixed(2));
/* A number beside an axis. */
const compact = (v) => (v == null ? "" : Math.abs(v) >= 1e6 ? `${v / 1e6}M` : Math.abs(v) >= 1e4 ? `${v / 1e3}k` : v !== 0 && Math.abs(v) < 1e-3 ? v.toExponential(0) : `${+v.toFixed(4)}`);
const duration = (s) => {
  if (s == null) return "–";
  if (s < 60) return `${s.toFixed(s < 10 ? 2 : 1)} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${Math.round(s % 60)} s` : `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
};

/* The bounds of values that a curve comes near to, or passes: one far away would flatten the curve. */
const nearBounds = (bounds, values) =>
  bounds.filter((bound) => bound !== 0 && values.some((q) => q != null && Math.abs(q) >= 0.5 * Math.abs(bound) && q * bound >= 0));

/* One curve; `stroke` is a colour or a function that gives one. */
const line = (label, stroke, more) => ({ label, stroke, width: 2, spanGaps: true, points: { show: false }, value: (_, v) => number(v), ...more });

/* Curves over env steps, or what `over` says, in `box`, as wide as it is. `tables` has x and y of each of `series`. */
function drawCurves(box, tables, series, { height = 220, logarithmic = false, unit = "", over = "env steps", ...more } = {}) {
  const axis = { stroke: () => css("--muted"), grid: { stroke: () => css("--grid"), width: 1 }, ticks: { stroke: () => css("--line"), width: 1 }, values: (_, ticks) => ticks.map(compact), labelFont: "12px system-ui, sans-serif", labelSize: 18 };
  const plot = new uPlot({
    width: box.clientWidth - 24, height,
    scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    axes: [{ ...axis, size: 30, label: over }, { ...axis, size: 56, ...(unit ? { label: unit } : {}) }],
    series: [{ label: over, value: (_, v) => (v == null ? "–" : over === "env steps" ? count(v) : number(v)) }, ...series],
    legend: { markers: { width: 0, fill: (u, i) => u.series[i].stroke(u, i) } },
    ...more,
    cursor: { points: { size: 7 }, ...more.cursor },
  }, uPlot.join(tables), box);
  byKeyboard(box, plot);
  return plot;
}

/* A chart that has the focus is read with the arrow keys, as with a mouse that moves from point to point. */
function byKeyboard(box, plot) {
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", `${box.querySelector("h3") ? box.querySelector("h3").textContent : "learning curves"}: arrow keys read values`);
  box.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.target !== box || !(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    const xs = plot.data[0];
    const from = plot.cursor.idx == null ? (moves[event.key] > 0 ? -1 : xs.length) : plot.cursor.idx;
    const at = Math.min(xs.length - 1, Math.max(0, from + moves[event.key]));
    plot.setCursor({ left: plot.valToPos(xs[at], "x"), top: plot.over.clientHeight / 2 });
    event.preventDefault();
    event.stopPropagation();
  });
}

/* Keeps charts as wide as their boxes, and in the colours of the day. `plots` gives those that there are. */
function fitCharts(plots) {
  window.addEventListener("resize", () => plots().forEach((plot) => plot.setSize({ width: plot.root.parentElement.clientWidth - 24, height: plot.height })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots().forEach((plot) => {
    plot.redraw(false, true);
    plot.root.querySelectorAll(".u-marker").forEach((marker, i) => { if (i) marker.style.background = plot.series[i].stroke(plot, i); });
  }));
}
