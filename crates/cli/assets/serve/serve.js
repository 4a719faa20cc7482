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

  /* The address holds what is ticked, filtered, sorted and shown, so that it can be kept and sent. */
  const look = { sort: "-begun", smooth: 0, axis: "steps" };
  function remember() {
    const parts = [...chosen.keys()];
    const add = (key, value, usual) => { if (value !== usual) parts.push(`${key}=${encodeURIComponent(value)}`); };
    add("filter", byId("filter").value.trim(), "");
    add("sort", look.sort, "-begun");
    add("smooth", String(look.smooth), "0");
    add("axis", look.axis, "steps");
    history.replaceState(null, "", parts.length ? `?${parts.join("&")}` : location.pathname);
  }
  function recall() {
    const asked = new URLSearchParams(location.search);
    for (const [kind, id] of asked) if ((kind === "run" || kind === "group") && chosen.size < COLORS.length) chosen.set(keyOf(kind, id), COLORS[chosen.size]);
    byId("filter").value = asked.get("filter") || "";
    if (COLUMNS.some(({ key }) => key && key === (asked.get("sort") || "").replace(/^-/, ""))) look.sort = asked.get("sort");
    look.smooth = Math.min(0.95, Math.max(0, Number(asked.get("smooth")) || 0));
    if (asked.get("axis") === "time") look.axis = "time";
    byId("smooth").value = look.smooth;
    byId("axis").value = look.axis;
  }

  /* The list */
  const matches = (run) => {
    const tags = run.notes.tags.map((tag) => `#${tag}`).join(" ");
    const text = `${run.name} ${run.env} ${run.preset} ${run.settings.join(" ")} seed ${run.seed} ${run.state} ${tags} ${run.notes.note}`.toLowerCase();
    return byId("filter").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
  };
  const folder = (name) => name.slice(0, name.lastIndexOf("/") + 1);
  const cell = (kind, ...content) => element("td", { class: kind }, ...content);

  function tick(key, what, data) {
    const box = element("input", { type: "checkbox", "aria-label": `show the curves of ${what}`, "data-key": key, ...data });
    box.checked = chosen.has(key);
    box.addEventListener("change", () => choose(key, box.checked));
    return cell("tick", element("label", {}, box));
  }
  const preset = (run) => cell("preset", run.preset, ...(run.settings.length ? [element("small", { title: run.settings.join("\n") }, run.settings.join(" "))] : []));

  /* What the best policy is worth: on fresh episodes once the run is finished, until then by the evaluation that it was chosen by. */
  const score = (run) => (run.best ?? run.chosen_by);
  const scoreNote = (run) => (run.best != null ? `${count(run.fresh_episodes)} fresh episodes` : run.chosen_by != null ? "best evaluation so far" : "");

  /* Each column: what it sorts by, of a run or of the runs of a group. */
  const first = (of) => (members) => of(members[0]);
  const middle = (of) => (members) => median(members.map(of));
  const COLUMNS = [
    { title: "", kind: "tick" },
    { title: "run", key: "name", of: first((run) => run.name) },
    { title: "environment", key: "environment", of: first((run) => run.env) },
    { title: "preset", key: "preset", of: first((run) => `${run.preset} ${run.settings.join(" ")}`) },
    { title: "seed", key: "seed", kind: "number", of: (members) => Math.min(...members.map((run) => run.seed)) },
    { title: "state", key: "state", of: first((run) => run.state) },
    { title: "env steps", key: "steps", kind: "number", of: middle((run) => run.env_steps) },
    { title: "best policy", key: "best", kind: "number", of: middle(score) },
    { title: "begun", key: "begun", kind: "number", of: (members) => Math.max(...members.map((run) => run.begun)) },
  ];
  const order = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  function sorted(groups) {
    const down = look.sort.startsWith("-");
    const { of } = COLUMNS.find(({ key }) => key === look.sort.replace("-", ""));
    /* What has no value comes last either way. */
    return groups.map((group) => [group, of(group[1])]).sort(([, a], [, b]) => (a == null || b == null ? (a == null) - (b == null) : down ? order(b, a) : order(a, b))).map(([group]) => group);
  }
  function heads() {
    return element("tr", {}, ...COLUMNS.map(({ title, key, kind }) => {
      if (!key) return element("th", { class: kind, scope: "col" });
      const [up, down] = [look.sort === key, look.sort === `-${key}`];
      const button = element("button", { type: "button", class: "sort", "data-key": `sort-${key}`, title: `sort by ${title}` }, `${title}${up ? " ▴" : down ? " ▾" : ""}`);
      /* Numbers are looked through from the greatest on, names from the first. */
      const next = up ? `-${key}` : down ? key : kind === "number" ? `-${key}` : key;
      button.addEventListener("click", () => { look.sort = next; remember(); anchored(list); });
      return element("th", { class: kind || "", scope: "col", ...(up || down ? { "aria-sort": up ? "ascending" : "descending" } : {}) }, button);
    }));
  }

  function nameCell(run) {
    const name = run.report ? element("a", { href: `/report?${keyOf("run", run.name)}`, title: "open its report" }, run.name) : run.name;
    const tags = run.notes.tags.map((tag) => {
      const button = element("button", { type: "button", class: "tag", "data-key": `tag-${run.name}-${tag}`, title: "filter by this tag" }, `#${tag}`);
      button.addEventListener("click", () => { byId("filter").value = `#${tag}`; rows = PAGE; remember(); list(); });
      return button;
    });
    return cell("name", name, ...(tags.length ? [element("div", { class: "tags" }, ...tags)] : []), ...(run.notes.note ? [element("small", { class: "note" }, run.notes.note)] : []));
  }
  function runRow(run, kind) {
    return element("tr", { class: kind }, tick(keyOf("run", run.name), run.name, { "data-run": run.name }), nameCell(run), cell("env", run.env), preset(run),
      cell("number seed", String(run.seed)), cell(`state state-${run.state}`, run.state, ...marks(run)), cell("number steps", count(run.env_steps)),
      cell("number best", number(score(run)), element("small", {}, scoreNote(run))), cell("number begun", ago(run.begun)));
  }

  /* What the log and the summary show to be wrong; `requel diagnose` says more. */
  const marks = (run) => (run.trouble.length ? [element("small", { class: "trouble", title: `requel diagnose ${run.name} says what and why` }, run.trouble.join(", "))] : []);

  const troubles = (members) => {
    const sick = members.filter((run) => run.trouble.length).length;
    return sick ? [element("small", { class: "trouble", title: "open the group to see which" }, `${sick} in trouble`)] : [];
  };

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
      cell("name", name, ...(place ? [element("small", {}, place)] : [])), cell("env", members[0].env), preset(members[0]),
      cell("number seed", row ? `${seeds[0]}–${seeds[seeds.length - 1]}` : `${seeds.length} seeds`), cell(training ? "state state-training" : "state", state, ...troubles(members)),
      cell("number steps", count(median(members.map((run) => run.env_steps))), element("small", {}, "median")),
      cell("number best", number(median(members.map(score))), element("small", {}, "median")),
      cell("number begun", ago(Math.max(...members.map((run) => run.begun)))));
  }

  function list() {
    const found = runs.filter(matches);
    const groups = new Map();
    for (const run of found) {
      if (!groups.has(run.group)) groups.set(run.group, []);
      groups.get(run.group).push(run);
    }
    const lines = sorted([...groups]).flatMap(([id, members]) => {
      if (members.length === 1) return [() => runRow(members[0], "")];
      const inside = opened.has(id) ? [...members].sort((a, b) => a.seed - b.seed).map((run) => () => runRow(run, "member")) : [];
      return [() => groupRow(id, members), ...inside];
    });
    const focus = anchor() && anchor().dataset.key;
    byId("runs").replaceChildren(heads(), ...lines.slice(0, rows).map((make) => make()));
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
    remember();
    anchored(() => { list(); draw(); });
    if (on && !chosen.has(key)) byId("status").textContent = `no more than ${COLORS.length} can be told apart by colour; untick others first`;
    if (on) { known.since = 0; ask(); }
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
      const told = [differs((run) => run.env) ? first.env : "", differs((run) => run.preset) || !own ? first.preset : "", own];
      const seeds = choice.many ? `${choice.members.length} seeds` : differs((run) => run.seed) || all.some(({ many }) => many) ? `seed ${first.seed}` : "";
      choice.label = [...told, seeds].filter(Boolean).join(" · ");
    }
    return all;
  }

  const CHARTS = [
    { title: "Return", unit: "return", note: "Mean of the last 100 training episodes, exploration included.", pick: (c) => [c.train.x, c.train.return_mean] },
    { title: "Greedy return", unit: "return", note: "Mean return of the greedy policy at each evaluation.", pick: (c) => [c.evaluations.x, c.evaluations.mean], dots: true },
    { title: "Mean Q", unit: "discounted return", note: "What the network believes of the actions it learned from. Dashed: what rewards and discount allow.", pick: (c) => [c.train.x, c.train.mean_q], bounded: true },
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

  /* Each value moved towards those before it, so much that noise goes and the course stays. */
  function smoothed([xs, ys]) {
    if (!look.smooth) return [xs, ys];
    let before = null;
    return [xs, ys.map((y) => {
      if (y == null) return y;
      before = before == null ? y : look.smooth * before + (1 - look.smooth) * y;
      return before;
    })];
  }

  /* The same curve over the time that training took. */
  const TIMES = [["seconds", 1], ["minutes", 60], ["hours", 3600]];
  let time = TIMES[0];
  function overTime([xs, ys], { clock }) {
    const steps = [0, ...clock.x];
    const seconds = [0, ...clock.seconds];
    return clock.x.length ? [xs.map((x) => at([steps, seconds], x, true) / time[1]), ys] : [[], []];
  }
  function chooseTime(present) {
    const longest = Math.max(0, ...present.flatMap(({ members }) => members.map((run) => courses.get(run.name).clock.seconds.slice(-1)[0] || 0)));
    time = TIMES[longest < 300 ? 0 : longest < 7200 ? 1 : 2];
  }

  /* Curves of what is ticked: a line for a run; for a group a faint line for each run and a strong one for their median. */
  function curvesOf({ pick, dots, bounded }, present) {
    const [tables, series] = [[], []];
    const points = (color) => (dots ? { points: { show: true, size: 6, fill: color } } : {});
    for (const { color, label, many, members } of present) {
      const own = members.map((run) => {
        const course = courses.get(run.name);
        const table = smoothed(pick(course));
        return look.axis === "time" ? overTime(table, course) : table;
      });
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
    if (bounded && tables.length) boundsOf(present, tables).forEach((table) => { tables.push(table); series.push(line("bound", () => css("--faint"), { width: 1, dash: [6, 6] })); });
    return [tables, series];
  }

  /* The ends of what values can rightly be, of all that is ticked. */
  function boundsOf(present, tables) {
    const xs = tables.flatMap(([xs]) => (xs.length ? [xs[0], xs[xs.length - 1]] : []));
    const ends = new Set(nearBounds(present.flatMap(({ members }) => members[0].value_bounds || []), tables.flatMap(([, ys]) => ys)));
    return xs.length ? [...ends].map((end) => [[Math.min(...xs), Math.max(...xs)], [end, end]]) : [];
  }

  const plots = new Map(); /* title → chart */
  let built = "";

  function draw() {
    const all = choices();
    byId("compare").hidden = !all.length;
    const present = all.map((choice) => ({ ...choice, members: choice.members.filter((run) => courses.has(run.name)) })).filter(({ members }) => members.length);
    chooseTime(present);
    const drawings = CHARTS.map((chart) => [chart, ...curvesOf(chart, present)]).map(([chart, tables, series]) => [chart, tables, series, tables.some(([, y]) => y.some((v) => v != null))]);
    /* New points for charts that are there keep what is hovered and zoomed. */
    const now = JSON.stringify([look, time, present.map(({ key, color, label, members }) => [key, color, label, members.length]), drawings.map((drawing) => drawing[3])]);
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
      if (some) plots.set(title, drawCurves(box, tables, series, { height: 240, logarithmic, unit, over: look.axis === "time" ? time[0] : "env steps" }));
      else box.append(element("p", { class: "muted" }, "nothing yet"));
    }
  }

  function tabulate(all) {
    const titles = ["", "last 100 episodes", "best evaluation", "best policy, fresh", "final policy, fresh", "env steps"];
    const lines = all.map(({ color, label, many, members }) => {
      const known = members.map((run) => courses.get(run.name)).filter(Boolean);
      const lasts = known.map(({ train }) => train.return_mean.filter((v) => v != null).pop());
      const name = [element("span", { class: "swatch", style: `background:${color}` }), label, element("small", {}, many ? "medians" : members[0].name)];
      const values = [lasts, known.map(({ evaluations }) => evaluations.highest), ...["best", "last"].map((key) => members.map((run) => run[key]))];
      return element("tr", {}, cell("name", ...name), ...values.map((each) => cell("number", number(median(each)))), cell("number", count(median(members.map((run) => run.env_steps)))));
    });
    byId("chosen").replaceChildren(tableRow(titles, "th", ["", "number", "number", "number", "number", "number"]), ...lines);
  }

  /* What has changed is asked for once a second while somebody looks. A connection that stays open, one a tab, would soon be all
     that a browser opens to one place. */
  const known = { list: 0, since: 0 };
  let [asking, timer] = [null, 0];
  async function ask() {
    clearTimeout(timer);
    if (asking) asking.abort();
    /* A tab that was opened in the background has its list when it is looked at. */
    if (document.hidden && known.list) return;
    const mine = (asking = new AbortController());
    const limit = setTimeout(() => mine.abort(), 20000);
    try {
      const answer = await fetch(`/api/changes?${[`list=${known.list}`, `since=${known.since}`, ...chosen.keys()].join("&")}`, { signal: mine.signal, cache: "no-store" });
      if (answer.ok) {
        const delta = await answer.json();
        if (mine === asking) take(delta);
        trouble("");
      } else trouble((await answer.text()).trim());
    } catch (error) {
      if (mine === asking) trouble("the server is gone; waiting for it");
    }
    clearTimeout(limit);
    if (mine === asking) timer = setTimeout(ask, 1000);
  }
  function take({ revision, runs: found, courses: grown }) {
    if (found) runs = found;
    for (const [name, course] of Object.entries(grown)) courses.set(name, course);
    [known.list, known.since] = [revision, revision];
    if (found || Object.keys(grown).length) anchored(() => { if (found) list(); draw(); });
  }
  function trouble(text) {
    byId("trouble").textContent = text;
    byId("trouble").hidden = !text;
  }

  byId("filter").addEventListener("input", () => { rows = PAGE; remember(); list(); });
  byId("clear").addEventListener("click", () => { chosen.clear(); courses.clear(); remember(); list(); draw(); });
  byId("more").addEventListener("click", () => { rows += PAGE; list(); });
  byId("smooth").addEventListener("input", () => { look.smooth = Number(byId("smooth").value); remember(); draw(); });
  byId("axis").addEventListener("change", () => { look.axis = byId("axis").value; remember(); draw(); });
  document.addEventListener("visibilitychange", ask);
  fitCharts(() => [...plots.values()]);
  recall();
  ask();
})();
