"use strict";
(() => {
  const ago = (seconds) => {
    const s = Math.max(0, Date.now() / 1000 - seconds);
    return s < 90 ? `${Math.round(s)} s ago` : s < 5400 ? `${Math.round(s / 60)} min ago` : s < 129600 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86400)} days ago`;
  };

  /* Colours that can be told apart, also by those who see red and green alike, on light and on dark. */
  const COLORS = ["#3b82c4", "#e4572e", "#2b9a66", "#b24fc0", "#c79a00", "#00a0a8", "#d6336c", "#7a6cf0", "#8a8f00", "#a0714f", "#5f7d95", "#e08a3c"];
  const PAGE = 100;
  let runs = [];
  let shown = PAGE;
  const chosen = new Map(); /* name → colour */
  const courses = new Map();
  let source = null;
  let plots = [];
  let drawn = "";

  /* What is above a box grows and shrinks as boxes are ticked; the box under the mouse stays where it is. */
  const anchor = () => { const at = document.activeElement; return at && at.dataset && at.dataset.run ? at : null; };
  const anchored = (change) => {
    const before = anchor() && anchor().getBoundingClientRect().top;
    change();
    if (before != null && anchor()) window.scrollBy(0, anchor().getBoundingClientRect().top - before);
  };

  /* The list */
  const matches = (run) => {
    const text = `${run.name} ${run.world} ${run.preset} seed ${run.seed} ${run.state}`.toLowerCase();
    return byId("filter").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const cell = (content, kind) => element("td", { class: kind || "text-cell" }, content);
  function list() {
    const found = runs.filter(matches);
    const focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.run : null;
    const heads = [["", ""], ["run", ""], ["world", ""], ["preset", ""], ["seed", "number"], ["state", ""], ["env steps", "number"], ["best return", "number"], ["begun", "number"], ["", ""]];
    const table = byId("runs");
    table.replaceChildren(element("tr", {}, ...heads.map(([head, kind]) => element("th", { class: kind, scope: "col" }, head))));
    for (const run of found.slice(0, shown)) {
      const box = element("input", { type: "checkbox", "aria-label": `compare ${run.name}`, "data-run": run.name });
      box.checked = chosen.has(run.name);
      box.addEventListener("change", () => choose(run.name, box.checked));
      const report = run.report ? element("a", { href: `/report?run=${encodeURIComponent(run.name)}` }, "report") : "";
      table.append(element("tr", {}, cell(element("label", {}, box)), cell(run.name, "name"), cell(run.world), cell(run.preset),
        cell(String(run.seed), "number"), cell(run.state, `state-${run.state}`), cell(count(run.env_steps), "number"),
        cell(number(run.best), "number"), cell(ago(run.begun), "number"), cell(report)));
      if (focus === run.name) box.focus({ preventScroll: true });
    }
    byId("more").hidden = found.length <= shown;
    const training = runs.filter((run) => run.state === "training").length;
    const some = found.length === runs.length ? "" : `, ${count(found.length)} of them shown`;
    byId("status").textContent = runs.length ? `${count(runs.length)} runs${some}, ${training} training` : "no runs here yet; `requel train` makes one";
  }

  /* The comparison */
  function choose(name, on) {
    if (on && chosen.size < COLORS.length) {
      const used = new Set(chosen.values());
      chosen.set(name, COLORS.find((color) => !used.has(color)));
    } else {
      chosen.delete(name);
      courses.delete(name);
    }
    anchored(() => { list(); draw(); });
    listen();
  }

  const CHARTS = [
    ["Return", "Mean of the last 100 training episodes, exploration included.", (c) => [c.train.x, c.train.return_mean], {}],
    ["Greedy return", "Mean return of the greedy policy at each evaluation.", (c) => [c.evaluations.x, c.evaluations.mean], { points: { show: true, size: 6 } }],
    ["Mean Q", "What the network believes of the actions it learned from, discounted.", (c) => [c.train.x, c.train.mean_q], {}],
    ["Loss", "Mean over the updates since the point before, on a logarithmic scale.", (c) => [c.train.x, c.train.loss.map((v) => (v > 0 ? v : null))], {}, true],
  ];

  /* New points for charts that are there keep what is hovered and zoomed. */
  function refresh(present) {
    CHARTS.forEach(([, , pick], index) => {
      const [plot, data] = [plots[index], uPlot.join(present.map(([name]) => pick(courses.get(name))))];
      const [before, { min, max }] = [plot.data[0], plot.scales.x];
      const zoomed = min > before[0] || max < before[before.length - 1];
      plot.setData(data, !zoomed);
      if (zoomed) plot.redraw();
    });
  }

  function draw() {
    const present = [...chosen].filter(([name]) => courses.has(name));
    const now = JSON.stringify(present);
    byId("compare").hidden = !chosen.size;
    if (now === drawn && plots.length === CHARTS.length) refresh(present);
    else build(present);
    drawn = now;
    tabulate();
  }

  function build(present) {
    plots.forEach((plot) => plot.destroy());
    plots = [];
    byId("charts").replaceChildren();
    for (const [title, note, pick, more, logarithmic] of CHARTS) {
      if (!present.length) break;
      const tables = present.map(([name]) => pick(courses.get(name)));
      const box = element("div", { class: "card chart", "data-chart": title }, element("h3", {}, title), element("p", { class: "muted" }, note));
      byId("charts").append(box);
      if (tables.every(([, y]) => y.every((v) => v == null))) {
        box.append(element("p", { class: "muted" }, "nothing yet"));
        continue;
      }
      const series = present.map(([name, color]) => line(label(name), color, more.points ? { points: { ...more.points, fill: color } } : {}));
      plots.push(drawCurves(box, tables, series, { height: 240, logarithmic }));
    }
  }

  function tabulate() {
    const table = byId("chosen");
    table.replaceChildren(element("tr", {}, ...["run", "last 100 episodes", "best greedy", "env steps"].map((head, i) => element("th", { class: i ? "number" : "", scope: "col" }, head))));
    for (const [name, color] of chosen) {
      const course = courses.get(name);
      const run = runs.find((one) => one.name === name);
      const means = course ? course.train.return_mean.filter((v) => v != null) : [];
      const name_cell = element("td", { class: "name" }, element("span", { class: "swatch", style: `background:${color}` }), name);
      table.append(element("tr", {}, name_cell, cell(number(means[means.length - 1]), "number"),
        cell(course && course.evaluations.mean.length ? number(Math.max(...course.evaluations.mean)) : "–", "number"), cell(run ? count(run.env_steps) : "–", "number")));
    }
  }
  const label = (name) => {
    const run = runs.find((one) => one.name === name);
    return run ? `${run.world} · ${run.preset} · ${run.seed}` : name;
  };

  /* One stream for all: a browser opens few connections to one place. */
  function listen() {
    if (source) source.close();
    const query = [...chosen.keys()].map((name) => `run=${encodeURIComponent(name)}`).join("&");
    source = new EventSource(`/api/live?${query}`);
    source.addEventListener("runs", (event) => { runs = JSON.parse(event.data); anchored(list); });
    source.addEventListener("course", (event) => {
      const { name, course } = JSON.parse(event.data);
      if (chosen.has(name)) { courses.set(name, course); anchored(draw); }
    });
    source.addEventListener("error", () => { byId("status").textContent = "the server is gone; waiting for it"; });
  }

  byId("filter").addEventListener("input", () => { shown = PAGE; list(); });
  byId("clear").addEventListener("click", () => { chosen.clear(); courses.clear(); list(); listen(); draw(); });
  byId("more").addEventListener("click", () => { shown += PAGE; list(); });
  fitCharts(() => plots);
  listen();
})();
