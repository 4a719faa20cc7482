"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  /* Replays: each moment holds what changed, so all shapes of a moment are found by going on from the one before. */
  class Player {
    constructor(replay) {
      this.replay = replay;
      this.at = -1;
      this.shapes = [];
      /* What bars span: the most that another action than the one taken would have lost, and never mere noise. */
      this.span = replay.moments.reduce((span, { q, a }) => Math.max(span, 1e-4 * Math.abs(q && q[a]) || 0, ...(q || []).map((value) => Math.abs(value - q[a]))), 1e-9);
      this.canvas = element("canvas", { role: "img", "aria-label": `${replay.label} episode` });
      this.state = element("span", { class: "muted" });
      this.bars = (replay.moments[0].q || []).slice(0, 8).map((_, action) => {
        const fill = element("div", { class: "fill" });
        const value = element("span", { class: "value" });
        const row = element("div", { class: "bar" }, data.actions ? data.actions[action] : `${action}`, element("div", { class: "track" }, fill), value);
        return { row, fill, value };
      });
      const title = element("div", { class: "title" }, `${replay.label}: return ${number(replay.return)}`, this.state);
      this.node = element("figure", { class: "card replay" }, this.canvas,
        element("figcaption", {}, title, ...this.bars.map((bar) => bar.row)));
    }

    /* The last moment at or before an env step. */
    show(step) {
      const { moments } = this.replay;
      let to = this.at < 0 || moments[this.at].t > step ? 0 : this.at;
      if (to === 0) { this.shapes = []; this.at = -1; }
      while (to + 1 < moments.length && moments[to + 1].t <= step) to += 1;
      while (this.at < to) {
        const moment = moments[++this.at];
        for (const [place, shape] of moment.s) this.shapes[place] = shape;
        this.shapes.length = moment.n;
      }
      this.draw();
    }

    draw() {
      const { view: [left, right, bottom, top], background, moments, steps } = this.replay;
      const wide = this.canvas.clientWidth || 360;
      const ratio = window.devicePixelRatio || 1;
      const aspect = (right - left) / (top - bottom);
      const high = Math.min(wide / aspect, wide * 0.75);
      this.canvas.style.height = `${high}px`;
      this.canvas.width = Math.round(wide * ratio);
      this.canvas.height = Math.round(high * ratio);
      const context = this.canvas.getContext("2d");
      context.fillStyle = background;
      context.fillRect(0, 0, this.canvas.width, this.canvas.height);
      const scale = Math.min(this.canvas.width / (right - left), this.canvas.height / (top - bottom));
      const shift = (this.canvas.width - scale * (right - left)) / 2;
      context.setTransform(scale, 0, 0, -scale, shift - left * scale, top * scale);
      for (const shape of this.shapes) paint(context, shape, scale);
      context.setTransform(1, 0, 0, 1, 0, 0);

      const moment = moments[this.at];
      const over = this.at + 1 === moments.length;
      this.state.textContent = over ? `ended at step ${count(steps)}` : `step ${count(moment.t)} of ${count(steps)}`;
      this.bars.forEach(({ row, fill, value }, action) => {
        const advantage = moment.q[action] - moment.q[moment.a];
        fill.style.width = `${4 + 96 * Math.min(1, Math.max(0, 1 + advantage / this.span))}%`;
        value.textContent = action === moment.a ? moment.q[action].toFixed(2) : difference(advantage);
        row.classList.toggle("taken", action === moment.a);
      });
    }
  }

  const difference = (v) => `${v > 0 ? "+" : "−"}${v === 0 ? "0" : Math.abs(v).toFixed(Math.abs(v) < 0.01 ? 4 : 2)}`;

  function paint(context, [kind, ...rest], scale) {
    const color = rest.pop();
    context.fillStyle = context.strokeStyle = color;
    if (kind === "r") {
      const [x, y, right, top] = rest;
      context.fillRect(x, y, right - x, top - y);
    } else if (kind === "l") {
      const [x, y, endX, endY, width] = rest;
      context.lineCap = "round";
      context.lineWidth = Math.max(width, 1 / scale);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(endX, endY);
      context.stroke();
    } else if (kind === "c") {
      context.beginPath();
      context.arc(rest[0], rest[1], rest[2], 0, 2 * Math.PI);
      context.fill();
    } else if (kind === "p") {
      const points = rest[0];
      context.beginPath();
      for (let i = 0; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
      context.closePath();
      context.fill();
    } else if (kind === "t") {
      const [x, y, height, text] = rest;
      context.save();
      context.translate(x, y);
      context.scale(1, -1);
      context.font = `${height / 0.72}px ui-monospace, Menlo, monospace`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(text, 0, 0);
      context.restore();
    }
  }

  const players = data.replays.map((replay) => new Player(replay));
  if (data.actions) byId("replays").style.setProperty("--names", `${0.6 * Math.max(...data.actions.map((name) => name.length))}em`);
  byId("replays").append(...players.map((player) => player.node));
  const [play, scrub, clock, speed] = ["play", "scrub", "clock", "speed"].map(byId);
  const longest = Math.max(0, ...data.replays.map((replay) => replay.steps));
  const fps = data.replays.length ? data.replays[0].fps : 50;
  let step = 0;
  let playing = false;
  let before = 0;
  scrub.max = longest;

  const show = (to) => {
    step = Math.min(longest, Math.max(0, to));
    scrub.value = Math.floor(step);
    clock.textContent = `${count(Math.floor(step))} / ${count(longest)}`;
    players.forEach((player) => player.show(Math.floor(step)));
  };
  const setPlaying = (on) => {
    playing = on;
    play.textContent = on ? "Pause" : "Play";
    play.setAttribute("aria-label", play.textContent);
    if (on && step >= longest) step = 0;
    before = performance.now();
    if (on) requestAnimationFrame(tick);
  };
  const tick = (now) => {
    if (!playing) return;
    show(step + Math.max(0, now - before) / 1000 * fps * Number(speed.value));
    before = now;
    if (step >= longest) setPlaying(false);
    else requestAnimationFrame(tick);
  };
  play.addEventListener("click", () => setPlaying(!playing));
  scrub.addEventListener("input", () => { setPlaying(false); show(Number(scrub.value)); });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("select, input, button")) return;
    const moves = { ArrowRight: () => show(Math.floor(step) + 1), ArrowLeft: () => show(Math.floor(step) - 1), Home: () => show(0) };
    if (event.key === " ") setPlaying(!playing);
    else if (moves[event.key]) { setPlaying(false); moves[event.key](); }
    else return;
    event.preventDefault();
  });
  if (players.length) show(0);
  else byId("replays").closest("section").remove();

  /* Charts */
  const { episodes, train, evaluations } = data.course;
  const goalLine = data.goal == null ? null : [[0, Math.max(0, ...train.x, ...episodes.x)], [data.goal, data.goal]];
  const bounds = data.value_bounds;
  const boundLines = nearBounds(bounds || [], train.mean_q).map((bound) => [[train.x[0], train.x[train.x.length - 1]], [bound, bound]]);
  const boundNote = bounds ? ` Rewards and discount allow ${number(bounds[0])} to ${number(bounds[1])}: what lies outside is an error of estimation.` : "";
  const curve = (label, color, more) => line(label, () => css(color), more);
  const curves = [
    {
      title: "Return", unit: "return", wide: true, height: 300,
      note: "The undiscounted return of each training episode, exploration included; and of the greedy policy, evaluated on fresh episodes.",
      tables: [[episodes.x, episodes.returns], [train.x, train.return_mean], [evaluations.x, evaluations.mean], ...(goalLine ? [goalLine] : [])],
      series: [
        curve("episode", "--faint", { width: 0, paths: () => null, points: { show: true, size: 4, fill: () => css("--faint"), width: 0 } }),
        curve("mean of 100", "--blue"),
        curve("greedy", "--accent", { points: { show: true, size: 6, fill: () => css("--accent") } }),
        ...(goalLine ? [curve("goal", "--good", { width: 1, dash: [6, 6] })] : []),
      ],
    },
    {
      title: "Mean Q", unit: "discounted return", note: `What the network believes: the discounted return after the actions it learned from.${boundNote}`,
      tables: [[train.x, train.mean_q], ...boundLines], series: [curve("mean q(s, a)", "--blue"), ...boundLines.map(() => curve("bound", "--faint", { width: 1, dash: [6, 6] }))],
    },
    { title: "Loss", unit: "loss", note: "Mean over the updates since the point before, on a logarithmic scale.", tables: [[train.x, train.loss.map((v) => (v > 0 ? v : null))]], series: [curve("loss", "--blue")], log: true },
    { title: "Episode length", unit: "env steps", note: "Mean of the last 100 episodes.", tables: [[train.x, train.length_mean]], series: [curve("length", "--blue")] },
    { title: "Exploration", unit: "probability", note: "ε, the probability of a random action.", tables: [[train.x, train.epsilon]], series: [curve("ε", "--blue")] },
  ];

  const sync = uPlot.sync("course");
  const boxes = curves.filter(({ tables }) => tables.some(([, y]) => y.some((v) => v != null))).map((curve) => {
    const box = element("div", { class: curve.wide ? "card chart wide" : "card chart" }, element("h3", {}, curve.title), element("p", { class: "muted" }, curve.note));
    byId("charts").append(box);
    return [box, curve];
  });
  /* Only now are the boxes as wide as they will be. */
  const plots = boxes.map(([box, { tables, series, height, log, unit }]) =>
    drawCurves(box, tables, series, { height, logarithmic: log, unit, cursor: { sync: { key: sync.key } } }));
  fitCharts(() => plots);
  window.addEventListener("resize", () => players.forEach((player) => player.draw()));
})();
