"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  /* A score: so many digits that scores of one environment stand under each other. */
  const tidy = (v) => (v == null ? "–" : Math.abs(v) >= 1000 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2));
  const { comparison, styles } = data;
  const { groups, threshold } = comparison;
  const percent = Math.round(100 * comparison.confidence);
  const score = comparison.metric === "training" ? "Return of the last 100 training episodes" : `Return of the ${comparison.metric} policy on fresh episodes`;
  const swatch = ({ color, dash }) => {
    const holder = document.createElement("template");
    holder.innerHTML = `<svg class="swatch" aria-hidden="true"><line x1="0" y1="5" x2="26" y2="5" stroke="${color}" stroke-width="3" stroke-dasharray="${dash.join(" ")}"/></svg>`;
    return holder.content.firstChild;
  };

  const certain = groups.some((group) => group.score.low != null);
  byId("curves-note").textContent = `Return of the greedy policy in the course of training: interquartile mean over seeds${certain ? `, shaded its ${percent} % bootstrap interval` : ""}. Hover to read values, drag to zoom, double-click to zoom out; click a name to hide it.`;
  byId("scores-note").textContent = `${score}: interquartile mean${certain ? ` and ${percent} % interval` : ""}; each faint dot is a seed.`;
  byId("table-note").textContent = `Interquartile means${certain ? ` with ${percent} % intervals` : ""}. P>: the probability that a run scores higher than one of another group, ties counted half; 0.5 says that neither is better. Env steps and time are medians of a run.`;

  /* The ends of a curve's interval, which a group of few runs does not have. */
  const ends = (curve, end) => (curve[end].length ? curve[end] : curve.env_steps.map(() => null));
  const range = ({ value, low, high }) => (low == null ? [value] : [low, high]);
  const brackets = ({ low, high }) => (low == null ? "" : ` [${tidy(low)}, ${tidy(high)}]`);

  /* Curves: three series a group, of which the ends of the interval are not drawn but filled between. */
  const drawn = groups.map((group, index) => ({ group, style: styles[index], index })).filter(({ group }) => group.curve.env_steps.length);
  if (drawn.length) {
    const tables = drawn.map(({ group: { curve } }) => [curve.env_steps, curve.iqm, ends(curve, "high"), ends(curve, "low")]);
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
    const outputs = drawn.map(() => element("output", {}, "–"));
    const plot = drawCurves(byId("curves"), tables, series, {
      height: 420, unit: "return", legend: { show: false }, bands,
      cursor: { points: { show: (u, i) => i % 3 === 1 && i <= 3 * drawn.length, size: 7 } },
      hooks: {
        setCursor: [(u) => drawn.forEach((_, i) => {
          const at = u.cursor.idx;
          outputs[i].textContent = at == null ? "–" : tidy(u.data[3 * i + 1][at]);
        })],
      },
    });
    drawn.forEach(({ group, style }, i) => {
      const button = element("button", { type: "button", "aria-pressed": "true" }, swatch(style), group.name, outputs[i]);
      button.addEventListener("click", () => {
        const show = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", String(show));
        plot.batch(() => [1, 2, 3].forEach((offset) => plot.setSeries(3 * i + offset, { show })));
      });
      byId("legend").append(button);
    });
    fitCharts(() => [plot]);
  } else {
    byId("curves").append(element("p", { class: "muted" }, "No run was evaluated in the course of its training."));
  }

  /* Scores */
  const values = groups.flatMap((group) => [...range(group.score), ...group.runs.map((run) => run.score)]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const place = (v) => (high > low ? 2 + 96 * (v - low) / (high - low) : 50);
  const mark = (kind, style, title) => element("i", { class: kind, style, title });
  groups.forEach((group, index) => {
    const { color } = styles[index];
    const { score } = group;
    const strip = element("div", { class: "strip" },
      ...group.runs.map((run) => mark("seed", `left:${place(run.score)}%;background:${color}`, `seed ${run.seed}: ${tidy(run.score)}`)),
      ...(score.low == null ? [] : [mark("between", `left:${place(score.low)}%;width:${place(score.high) - place(score.low)}%;background:${color}`, `${tidy(score.low)} to ${tidy(score.high)}`)]),
      mark("middle", `left:${place(score.value)}%;background:${color}`, tidy(score.value)));
    byId("scores").append(element("div", { class: "score" },
      element("div", { class: "name" }, swatch(styles[index]), group.name), strip,
      element("div", { class: "value" }, element("b", {}, tidy(score.value)), element("span", {}, brackets(score)))));
  });
  byId("scores").append(element("div", { class: "ends" }, element("span", {}), element("div", {}, element("span", {}, tidy(low)), element("span", {}, tidy(high))), element("span", {})));

  /* Tables */
  const row = (tag, cells) => tableRow(cells, tag, cells.map((_, i) => (i ? "number interval" : "")));
  const interval = (e) => (e == null ? "–" : [tidy(e.value), element("span", {}, brackets(e))]);
  const heading = ["", "runs", `${comparison.metric} return`, "training, last 100", "P> previous", "P> first"];
  if (threshold != null) heading.push(`steps to ${tidy(threshold)}`);
  heading.push("mean over training", "env steps", "time");
  byId("table").append(row("th", heading));
  groups.forEach((group) => {
    const cells = [group.name, count(group.runs.length), interval(group.score), interval(group.train_return_last_100), interval(group.improvement_over_previous), interval(group.improvement_over_first)];
    if (threshold != null) {
      const { runs, median_env_steps: steps } = group.reached;
      cells.push([steps == null ? "–" : count(steps), element("span", {}, ` (${runs} of ${group.runs.length})`)]);
    }
    cells.push(interval(group.mean_over_training), count(group.env_steps), duration(group.wall_seconds));
    byId("table").append(row("td", cells));
  });
  byId("runs").append(row("th", ["group", "seed", `${comparison.metric} return`, "training, last 100", "env steps", "time", "weights (BLAKE3)"]));
  groups.forEach((group) => group.runs.forEach((run) => byId("runs").append(row("td", [
    group.name, String(run.seed), tidy(run.score), tidy(run.train_return_last_100), count(run.env_steps), duration(run.wall_seconds),
    element("code", {}, run.weights_blake3.slice(0, 12)),
  ]))));
})();
