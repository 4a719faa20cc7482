"use strict";
(() => {
  const { aggregates, styles } = JSON.parse(document.getElementById("data").textContent);
  const { variants, thresholds, shares } = aggregates;
  const percent = Math.round(100 * aggregates.confidence);
  const tidy = (v) => (v == null ? "–" : v.toFixed(3));
  const swatch = ({ color, dash }) => {
    const holder = document.createElement("template");
    holder.innerHTML = `<svg class="swatch" aria-hidden="true"><line x1="0" y1="5" x2="26" y2="5" stroke="${color}" stroke-width="3" stroke-dasharray="${dash.join(" ")}"/></svg>`;
    return holder.content.firstChild;
  };
  const mark = (kind, style, title) => element("i", { class: kind, style, title });

  /* Measures: a strip for each variant. */
  const measures = [
    ["interquartile_mean", "Interquartile mean", "higher is better"],
    ["median", "Median", "of the means of environments; higher is better"],
    ["mean", "Mean", "of the means of environments; higher is better"],
    ["optimality_gap", "Optimality gap", "how far runs fall short of 1; lower is better"],
  ];
  measures.forEach(([key, title, note]) => {
    const all = variants.map((variant) => variant[key]);
    const values = all.flatMap(({ value, low, high }) => (low == null ? [value] : [value, low, high]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const place = (v) => (high > low ? 3 + 94 * (v - low) / (high - low) : 50);
    const rows = all.map((estimate, i) => {
      const { color } = styles[i];
      const strip = element("div", { class: "strip" });
      if (estimate.low != null) strip.append(mark("between", `left:${place(estimate.low)}%;width:${place(estimate.high) - place(estimate.low)}%;background:${color}`, `${tidy(estimate.low)} to ${tidy(estimate.high)}`));
      strip.append(mark("middle", `left:${place(estimate.value)}%;background:${color}`, tidy(estimate.value)));
      return element("div", { class: "score" }, element("div", { class: "name" }, swatch(styles[i]), variants[i].name), strip);
    });
    byId("measures").append(element("div", { class: "card measure" }, element("h3", {}, title), element("p", { class: "muted" }, note), ...rows,
      element("div", { class: "ends" }, element("span", {}), element("div", {}, element("span", {}, tidy(low)), element("span", {}, tidy(high))))));
  });

  /* Curves: three series a variant, of which the ends of the interval are not drawn but filled between. */
  const draw = (id, over, unit, curves) => {
    const shown = curves.map((curve, i) => ({ ...curve, style: styles[i], name: variants[i].name }));
    const tables = shown.map(({ xs, ys, highs, lows }) => [xs, ys, highs, lows]);
    const hidden = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
    const series = shown.flatMap(({ name, style, xs }) => [
      { label: name, stroke: style.color, width: 2.4, dash: style.dash, spanGaps: true, points: { show: xs.length === 1, size: 8 } }, hidden, hidden,
    ]);
    const bands = shown.map(({ style }, i) => ({ series: [3 * i + 2, 3 * i + 3], fill: `${style.color}2b` }));
    return drawCurves(byId(id), tables, series, {
      height: 320, over, unit, bands, legend: { show: false },
      cursor: { points: { show: (u, i) => i % 3 === 1, size: 7 } },
    });
  };
  const profile = variants.map((variant) => ({
    xs: thresholds, ys: variant.profile,
    highs: variant.profile_intervals ? variant.profile_intervals.map((ends) => ends.high) : thresholds.map(() => null),
    lows: variant.profile_intervals ? variant.profile_intervals.map((ends) => ends.low) : thresholds.map(() => null),
  }));
  const efficiency = variants.map((variant) => {
    const known = shares.map((share, i) => [share, variant.sample_efficiency[i]]).filter(([, estimate]) => estimate != null);
    return {
      xs: known.map(([share]) => share), ys: known.map(([, { value }]) => value),
      highs: known.map(([, { high }]) => high), lows: known.map(([, { low }]) => low),
    };
  });
  const plots = [draw("profile", "normalised score", "share of runs", profile)];
  if (efficiency.some(({ xs }) => xs.length)) {
    plots.push(draw("efficiency", "share of training", "normalised score", efficiency));
  } else {
    byId("efficiency").append(element("p", { class: "muted" }, "No run was evaluated in the course of its training."));
  }
  byId("curves-note").textContent = `Shaded: ${percent} % intervals, where there are enough runs. Drag to zoom, double-click to zoom out; click a name to hide it.`;
  variants.forEach((variant, i) => {
    const button = element("button", { type: "button", "aria-pressed": "true" }, swatch(styles[i]), variant.name);
    button.addEventListener("click", () => {
      const show = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(show));
      plots.forEach((plot) => plot.batch(() => [1, 2, 3].forEach((offset) => plot.setSeries(3 * i + offset, { show }))));
    });
    byId("legend").append(button);
  });
  fitCharts(() => plots);
})();
