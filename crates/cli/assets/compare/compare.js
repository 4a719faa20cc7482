"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const element = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const count = (n) => Math.round(n).toLocaleString("en-US");
  const number = (v) => (v == null ? "–" : Math.abs(v) >= 1000 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2));
  const compact = (v) => (v == null ? "" : Math.abs(v) >= 1e6 ? `${v / 1e6}M` : Math.abs(v) >= 1e4 ? `${v / 1e3}k` : `${+v.toFixed(4)}`);
  const duration = (s) => {
    if (s == null) return "–";
    return s < 60 ? `${s.toFixed(2)} s` : s < 3600 ? `${Math.floor(s / 60)} min ${Math.round(s % 60)} s` : `${(s / 3600).toFixed(1)} h`;
  };
  const { comparison, styles } = data;
  const { groups, threshold } = comparison;
  const percent = Math.round(100 * comparison.confidence);
  const policy = comparison.metric;
  const swatch = ({ color, dash }) => {
    const holder = document.createElement("template");
    holder.innerHTML = `<svg class="swatch" aria-hidden="true"><line x1="0" y1="5" x2="26" y2="5" stroke="${color}" stroke-width="3" stroke-dasharray="${dash.join(" ")}"/></svg>`;
    return holder.content.firstChild;
  };

  const sizes = groups.map((group) => group.runs.length);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const seeds = least === most ? `${most} ${most === 1 ? "seed" : "seeds"} each` : `${least} to ${most} seeds each`;
  byId("subtitle").textContent = `${comparison.worlds.join(", ")}, ${groups.length} ${groups.length === 1 ? "group" : "groups"}, ${seeds}`;
  byId("curves-note").textContent = `Return of the greedy policy in the course of training: interquartile mean over seeds, shaded its ${percent} % bootstrap interval. Hover to read values, drag to zoom, double-click to zoom out; click a name to hide it.`;
  byId("scores-note").textContent = `Return of the ${policy} policy on fresh episodes: interquartile mean and ${percent} % interval; each faint dot is a seed.`;
  byId("table-note").textContent = `Interquartile means with ${percent} % intervals. P>: the probability that a run scores higher than one of another group, ties counted half; 0.5 says that neither is better. Env steps and time are medians of a run.`;

  /* Curves: three series a group, of which the ends of the interval are not drawn but filled between. */
  const drawn = groups.map((group, index) => ({ group, style: styles[index], index })).filter(({ group }) => group.curve.env_steps.length);
  if (drawn.length) {
    const tables = drawn.map(({ group: { curve } }) => [curve.env_steps, curve.iqm, curve.high, curve.low]);
    const lasts = drawn.map(({ group: { curve } }) => curve.env_steps[curve.env_steps.length - 1]);
    const firsts = drawn.map(({ group: { curve } }) => curve.env_steps[0]);
    const series = drawn.flatMap(({ group, style }) => [
      { label: group.name, stroke: style.color, width: 2.4, dash: style.dash, spanGaps: true, points: { show: group.curve.env_steps.length === 1, size: 8 } },
      { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } },
      { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } },
    ]);
    const bands = drawn.map(({ style }, i) => ({ series: [3 * i + 2, 3 * i + 3], fill: `${style.color}2b` }));
    if (threshold != null) {
      tables.push([[Math.min(...firsts), Math.max(...lasts)], [threshold, threshold]]);
      series.push({ stroke: () => css("--muted"), width: 1, dash: [6, 6], spanGaps: true, points: { show: false } });
    }
    const axis = { stroke: () => css("--muted"), grid: { stroke: () => css("--grid"), width: 1 }, ticks: { stroke: () => css("--line"), width: 1 } };
    const box = byId("curves");
    const outputs = drawn.map(() => element("output", {}, "–"));
    const plot = new uPlot({
      width: box.clientWidth - 24, height: 420, legend: { show: false },
      cursor: { points: { show: (u, i) => i % 3 === 1 && i <= 3 * drawn.length, size: 7 } },
      scales: { x: { time: false } },
      axes: [
        { ...axis, label: "env steps", labelSize: 24, values: (_, ticks) => ticks.map(compact) },
        { ...axis, label: "return", labelSize: 24, size: 52, values: (_, ticks) => ticks.map(compact) },
      ],
      series: [{}, ...series], bands,
      hooks: {
        setCursor: [(u) => drawn.forEach((_, i) => {
          const at = u.cursor.idx;
          outputs[i].textContent = at == null ? "–" : number(u.data[3 * i + 1][at]);
        })],
      },
    }, uPlot.join(tables), box);
    drawn.forEach(({ group, style }, i) => {
      const button = element("button", { type: "button", "aria-pressed": "true" }, swatch(style), group.name, outputs[i]);
      button.addEventListener("click", () => {
        const show = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", String(show));
        plot.batch(() => [1, 2, 3].forEach((offset) => plot.setSeries(3 * i + offset, { show })));
      });
      byId("legend").append(button);
    });
    window.addEventListener("resize", () => plot.setSize({ width: box.clientWidth - 24, height: 420 }));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw(false, true));
  } else {
    byId("curves").append(element("p", { class: "muted" }, "No run was evaluated in the course of its training."));
  }

  /* Scores */
  const values = groups.flatMap((group) => [group.score.low, group.score.high, ...group.runs.map((run) => run.score)]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const place = (v) => (high > low ? 2 + 96 * (v - low) / (high - low) : 50);
  const mark = (kind, style, title) => element("i", { class: kind, style, title });
  groups.forEach((group, index) => {
    const { color } = styles[index];
    const { score } = group;
    const strip = element("div", { class: "strip" },
      ...group.runs.map((run) => mark("seed", `left:${place(run.score)}%;background:${color}`, `seed ${run.seed}: ${number(run.score)}`)),
      mark("between", `left:${place(score.low)}%;width:${place(score.high) - place(score.low)}%;background:${color}`, `${number(score.low)} to ${number(score.high)}`),
      mark("middle", `left:${place(score.value)}%;background:${color}`, number(score.value)));
    byId("scores").append(element("div", { class: "score" },
      element("div", { class: "name" }, swatch(styles[index]), group.name), strip,
      element("div", { class: "value" }, element("b", {}, number(score.value)), element("span", {}, ` [${number(score.low)}, ${number(score.high)}]`))));
  });
  byId("scores").append(element("div", { class: "ends" }, element("span", {}), element("div", {}, element("span", {}, number(low)), element("span", {}, number(high))), element("span", {})));

  /* Tables */
  const row = (tag, cells, numeric) => element("tr", {}, ...cells.map((cell, i) => element(tag, { class: i === 0 || !numeric ? "" : "number interval" }, ...[].concat(cell))));
  const interval = (e) => (e == null ? "–" : [number(e.value), element("span", {}, ` [${number(e.low)}, ${number(e.high)}]`)]);
  const heading = ["", "runs", `${policy} return`, "training, last 100", "P> previous", "P> first"];
  if (threshold != null) heading.push(`steps to ${number(threshold)}`);
  heading.push("mean over training", "env steps", "time");
  byId("table").append(row("th", heading, true));
  groups.forEach((group) => {
    const cells = [group.name, count(group.runs.length), interval(group.score), interval(group.train_return_last_100), interval(group.improvement_over_previous), interval(group.improvement_over_first)];
    if (threshold != null) {
      const { runs, median_env_steps: steps } = group.reached;
      cells.push([steps == null ? "–" : count(steps), element("span", {}, ` (${runs} of ${group.runs.length})`)]);
    }
    cells.push(interval(group.mean_over_training), count(group.env_steps), duration(group.wall_seconds));
    byId("table").append(row("td", cells, true));
  });
  byId("runs").append(row("th", ["group", "seed", `${policy} return`, "training, last 100", "env steps", "time", "weights (BLAKE3)"], true));
  groups.forEach((group) => group.runs.forEach((run) => byId("runs").append(row("td", [
    group.name, String(run.seed), number(run.score), number(run.train_return_last_100), count(run.env_steps), duration(run.wall_seconds),
    element("code", {}, run.weights_blake3.slice(0, 12)),
  ], true))));
})();
