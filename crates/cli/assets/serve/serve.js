"use strict";
(() => {
  /* Colours that can be told apart, also by those who see red and green alike, on light and on dark. */
  const COLORS = ["#3b82c4", "#e4572e", "#2b9a66", "#b24fc0", "#c79a00", "#00a0a8", "#d6336c", "#7a6cf0", "#8a8f00", "#a0714f", "#5f7d95", "#e08a3c"];
  const PAGE = 100; /* rows */
  let runs = [];
  let rows = PAGE;
  const opened = new Set(); /* groups whose runs are listed */
  const chosen = new Map(); /* `run=NAME` or `group=ID`, as addresses say it → colour */
  const courses = new Map(); /* name → curves */
  let source = null;

  const keyOf = (kind, id) => `${kind}=${encodeURIComponent(id)}`;
  const runOf = (name) => runs.find((run) => run.name === name);
  const membersOf = (group) => runs.filter((run) => run.group === group).sort((a, b) => a.seed - b.seed);
  const median = (values) => {
    const sorted = values.filter((v) => v != null).sort((a, b) => a - b);
    const middle = sorted.length / 2;
    return sorted.length ? (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2 : null;
  };
  const ago = (seconds) => {
    const s = Math.max(0, Date.now() / 1000 - seconds);
    return s < 90 ? `${Math.round(s)} s ago` : s < 5400 ? `${Math.round(s / 60)} min ago` : s < 129600 ? `${Math.round(s / 3600)} h ago` : `${Math.round(s / 86400)} days ago`;
  };

  /* What is above a box grows and shrinks as boxes are ticked; the box under the mouse stays where it is. */
  const anchor = () => { const at = document.activeElement; return at && at.dataset && at.dataset.key ? at : null; };
  const anchored = (change) => {
    const before = anchor() && anchor().getBoundingClientRect().top;
    change();
    if (before != null && anchor()) window.scrollBy(0, anchor().getBoundingClientRect().top - before);
  };

  /* The list */
  const matches = (run) => {
    const text = `${run.name} ${run.world} ${run.preset} ${run.settings.join(" ")} seed ${run.seed} ${run.state}`.toLowerCase();
    return byId("filter").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const folder = (name) => name.slice(0, name.lastIndexOf("/") + 1);
  const cell = (kind, ...content) => element("td", { class: kind }, ...content);

  function tick(key, what, data) {
    const box = element("input", { type: "checkbox", "aria-label": `show the curves of ${what}`, "data-key": key, ...data });
    box.checked = chosen.has(key);
    box.addEventListener("change", () => choose(key, box.checked));
    return cell("", element("label", {}, box));
  }
  const preset = (run) => cell("preset", run.preset, ...(run.settings.length ? [element("small", { title: run.settings.join("\n") }, run.settings.join(" "))] : []));

  function runRow(run, kind) {
    const report = run.report ? element("a", { href: `/report?${keyOf("run", run.name)}` }, "report") : "";
    return element("tr", { class: kind }, tick(keyOf("run", run.name), run.name, { "data-run": run.name }), cell("name", run.name), cell("", run.world), preset(run),
      cell("number", String(run.seed)), cell(`state-${run.state}`, run.state), cell("number", count(run.env_steps)),
      cell("number", number(run.best)), cell("number", ago(run.begun)), cell("", report));
  }

  function groupRow(id, members) {
    const open = opened.has(id);
    const name = element("button", { type: "button", class: "fold", "aria-expanded": String(open), "data-key": `fold-${id}` }, `${open ? "▾" : "▸"} ${members.length} runs`);
    name.addEventListener("click", () => { if (!opened.delete(id)) opened.add(id); anchored(list); });
    const places = new Set(members.map((run) => folder(run.name)));
    const place = places.size === 1 ? [...places][0] : "";
    const seeds = members.map((run) => run.seed).sort((a, b) => a - b);
    const row = seeds[seeds.length - 1] - seeds[0] === seeds.length - 1 && new Set(seeds).size === seeds.length;
    const training = members.filter((run) => run.state === "training").length;
    const finished = members.filter((run) => run.state === "finished").length;
    const state = finished === members.length ? "finished" : `${training ? `${training} training, ` : ""}${finished} of ${members.length} finished`;
    return element("tr", { class: "group" }, tick(keyOf("group", id), `these ${members.length} runs`, { "data-group": id }),
      cell("name", name, ...(place ? [element("small", {}, place)] : [])), cell("", members[0].world), preset(members[0]),
      cell("number", row ? `${seeds[0]}–${seeds[seeds.length - 1]}` : `${seeds.length} seeds`), cell(training ? "state-training" : "", state),
      cell("number", count(median(members.map((run) => run.env_steps))), element("small", {}, "median")),
      cell("number", number(median(members.map((run) => run.best))), element("small", {}, "median")),
      cell("number", ago(Math.max(...members.map((run) => run.begun)))), cell(""));
  }

  function list() {
    const found = runs.filter(matches);
    const groups = new Map();
    for (const run of found) groups.set(run.group, [...(groups.get(run.group) || []), run]);
    const lines = [...groups].flatMap(([id, members]) => {
      if (members.length === 1) return [() => runRow(members[0], "")];
      const inside = opened.has(id) ? [...members].sort((a, b) => a.seed - b.seed).map((run) => () => runRow(run, "member")) : [];
      return [() => groupRow(id, members), ...inside];
    });
    const focus = anchor() && anchor().dataset.key;
    const heads = ["", "run", "world", "preset", "seed", "state", "env steps", "best return", "begun", ""];
    const kinds = ["", "", "", "", "number", "", "number", "number", "number", ""];
    byId("runs").replaceChildren(tableRow(heads, "th", kinds), ...lines.slice(0, rows).map((make) => make()));
    const same = focus && [...byId("runs").querySelectorAll("[data-key]")].find((node) => node.dataset.key === focus);
    if (same) same.focus({ preventScroll: true });
    byId("more").hidden = lines.length <= rows;
    const training = runs.filter((run) => run.state === "training").length;
    const some = found.length === runs.length ? "" : `, ${count(found.length)} of them shown`;
    byId("status").textContent = runs.length ? `${count(runs.length)} ${runs.length === 1 ? "run" : "runs"}${some}, ${training} training` : "no runs here yet; `requel train` makes one";
  }

  /* The comparison */
  function choose(key, on) {
    const used = new Set(chosen.values());
    if (on && used.size < COLORS.length) chosen.set(key, COLORS.find((color) => !used.has(color)));
    else chosen.delete(key);
    anchored(() => { list(); draw(); });
    if (on && !chosen.has(key)) byId("status").textContent = `no more than ${COLORS.length} can be told apart by colour; untick others first`;
    listen();
  }

  /* What is ticked: colour, runs, and a name that says how it differs from the rest that is ticked. */
  function choices() {
    const all = [...chosen].map(([key, color]) => {
      const id = decodeURIComponent(key.slice(key.indexOf("=") + 1));
      const members = key.startsWith("group=") ? membersOf(id) : [runOf(id)].filter(Boolean);
      return { key, color, members, many: key.startsWith("group=") };
    }).filter(({ members }) => members.length);
    const differs = (of) => new Set(all.map(({ members }) => of(members[0]))).size > 1;
    const common = new Set((all[0] ? all[0].members[0].settings : []).filter((setting) => all.every(({ members }) => members[0].settings.includes(setting))));
    for (const choice of all) {
      const [first] = choice.members;
      const own = first.settings.filter((setting) => all.length > 1 && !common.has(setting)).join(" ");
      const told = [differs((run) => run.world) ? first.world : "", differs((run) => run.preset) || !own ? first.preset : "", own];
      const seeds = choice.many ? `${choice.members.length} seeds` : differs((run) => run.seed) || all.some(({ many }) => many) ? `seed ${first.seed}` : "";
      choice.label = [...told, seeds].filter(Boolean).join(" · ");
    }
    return all;
  }

  const CHARTS = [
    { title: "Return", unit: "return", note: "Mean of the last 100 training episodes, exploration included.", pick: (c) => [c.train.x, c.train.return_mean] },
    { title: "Greedy return", unit: "return", note: "Mean return of the greedy policy at each evaluation.", pick: (c) => [c.evaluations.x, c.evaluations.mean], dots: true },
    { title: "Mean Q", unit: "discounted return", note: "What the network believes of the actions it learned from.", pick: (c) => [c.train.x, c.train.mean_q] },
    { title: "Loss", unit: "loss", note: "Mean over the updates since the point before, on a logarithmic scale.", pick: (c) => [c.train.x, c.train.loss.map((v) => (v > 0 ? v : null))], logarithmic: true },
  ];

  /* A table as a function of env steps: on the line between its points; at the end it stays, as a policy does that is done. */
  function at([xs, ys], x, stays) {
    let [low, high] = [0, xs.length - 1];
    if (high < 0 || x < xs[0]) return null;
    if (x >= xs[high]) return stays || x === xs[high] ? ys[high] : null;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] <= x) low = middle; else high = middle;
    }
    if (x === xs[low] || ys[low] == null || ys[high] == null) return ys[low];
    return ys[low] + (x - xs[low]) / (xs[high] - xs[low]) * (ys[high] - ys[low]);
  }

  /* Curves of what is ticked: a line for a run; for a group a faint line for each run and a strong one for their median. */
  function curvesOf({ pick, dots }, present) {
    const [tables, series] = [[], []];
    const points = (color) => (dots ? { points: { show: true, size: 6, fill: color } } : {});
    for (const { color, label, many, members } of present) {
      const own = members.map((run) => pick(courses.get(run.name)));
      if (!many) {
        tables.push(own[0]);
        series.push(line(label, color, points(color)));
        continue;
      }
      own.forEach((table) => { tables.push(table); series.push(line("", `${color}55`, { width: 1, class: "seed" })); });
      const xs = [...new Set(own.flatMap(([x]) => x))].sort((a, b) => a - b);
      tables.push([xs, xs.map((x) => median(own.map((table, i) => at(table, x, members[i].state === "finished"))))]);
      series.push(line(`${label}, median`, color, { width: 2.5, ...points(color) }));
    }
    return [tables, series];
  }

  const plots = new Map(); /* title → chart */
  let built = "";

  function draw() {
    const all = choices();
    byId("compare").hidden = !all.length;
    const present = all.map((choice) => ({ ...choice, members: choice.members.filter((run) => courses.has(run.name)) })).filter(({ members }) => members.length);
    const drawings = CHARTS.map((chart) => [chart, ...curvesOf(chart, present)]).map(([chart, tables, series]) => [chart, tables, series, tables.some(([, y]) => y.some((v) => v != null))]);
    /* New points for charts that are there keep what is hovered and zoomed. */
    const now = JSON.stringify([present.map(({ key, color, label, members }) => [key, color, label, members.length]), drawings.map((drawing) => drawing[3])]);
    if (now === built) drawings.forEach(([{ title }, tables]) => plots.has(title) && refresh(plots.get(title), uPlot.join(tables)));
    else build(drawings);
    built = now;
    tabulate(all);
    byId("full").href = `/compare?${[...chosen.keys()].join("&")}`;
  }

  function refresh(plot, data) {
    const [before, { min, max }] = [plot.data[0], plot.scales.x];
    const zoomed = min > before[0] || max < before[before.length - 1];
    plot.setData(data, !zoomed);
    if (zoomed) plot.redraw();
  }

  function build(drawings) {
    plots.forEach((plot) => plot.destroy());
    plots.clear();
    byId("charts").replaceChildren();
    const boxes = drawings.filter(([, tables]) => tables.length).map((drawing) => {
      const [{ title, note }] = drawing;
      const box = element("div", { class: "card chart", "data-chart": title }, element("h3", {}, title), element("p", { class: "muted" }, note));
      byId("charts").append(box);
      return [box, ...drawing];
    });
    /* Only now are the boxes as wide as they will be. */
    for (const [box, { title, unit, logarithmic }, tables, series, some] of boxes) {
      if (some) plots.set(title, drawCurves(box, tables, series, { height: 240, logarithmic, unit }));
      else box.append(element("p", { class: "muted" }, "nothing yet"));
    }
  }

  function tabulate(all) {
    const heads = ["", "last 100 episodes", "best greedy", "env steps"];
    const lines = all.map(({ color, label, many, members }) => {
      const known = members.map((run) => courses.get(run.name)).filter(Boolean);
      const lasts = known.map(({ train }) => train.return_mean.filter((v) => v != null).pop());
      const bests = known.map(({ evaluations }) => (evaluations.mean.length ? Math.max(...evaluations.mean) : null));
      const name = [element("span", { class: "swatch", style: `background:${color}` }), label, element("small", {}, many ? "medians" : members[0].name)];
      return element("tr", {}, cell("name", ...name), cell("number", number(median(lasts))), cell("number", number(median(bests))), cell("number", count(median(members.map((run) => run.env_steps)))));
    });
    byId("chosen").replaceChildren(tableRow(heads, "th", ["", "number", "number", "number"]), ...lines);
  }

  /* One stream for all: a browser opens few connections to one place. */
  function listen() {
    if (source) source.close();
    source = new EventSource(`/api/live?${[...chosen.keys()].join("&")}`);
    source.addEventListener("runs", (event) => { runs = JSON.parse(event.data); anchored(() => { list(); draw(); }); });
    source.addEventListener("course", (event) => {
      const { name, course } = JSON.parse(event.data);
      courses.set(name, course);
      anchored(draw);
    });
    source.addEventListener("error", () => { byId("status").textContent = "the server is gone; waiting for it"; });
  }

  byId("filter").addEventListener("input", () => { rows = PAGE; list(); });
  byId("clear").addEventListener("click", () => { chosen.clear(); courses.clear(); list(); listen(); draw(); });
  byId("more").addEventListener("click", () => { rows += PAGE; list(); });
  fitCharts(() => [...plots.values()]);
  listen();
})();
