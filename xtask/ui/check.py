"""What a person sees, checked with a real terminal and a real browser.

usage: check.py REQUEL FOLDER

Each check is a function whose name begins with `check_`; all run, and the closing line counts them. Pictures of what was
seen are left in FOLDER.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import traceback

import numpy as np
import onnxruntime
from PIL import Image

from browser import Browser
from desk import FOLDER, LONG, REQUEL, hover_until_values, photographed, requel, train
from pages import *  # And those of reports and comparisons wherever they are read.
from served import *  # The checks of the served page are among those that run.
from terminal import Terminal


def shown(terminal):
    """Whether the dashboard is on the screen."""
    return terminal.wait("full speed")


def check_dashboard_keys():
    """The dashboard at both sizes: every key does what it says."""
    for columns, rows in [(80, 24), (200, 50)]:
        run = f"runs/keys-{columns}"
        with Terminal(f"{REQUEL} train {LONG} --run-dir {run}", (columns, rows), FOLDER) as terminal:
            shown(terminal)
            text = terminal.wait(lambda screen: re.search(r"obtained \d", screen) and "mean Q" in screen)
            assert "CartPole-v1 · preset cartpole · seed 0" in text and "of 5,000,000 env steps" in text, text
            assert ("exploration" in text) == (columns == 200), text
            open(os.path.join(FOLDER, f"dashboard-{columns}.html"), "w", encoding="utf-8").write(terminal.html())
            terminal.keys("Space")
            terminal.wait(lambda screen: "paused" in screen and re.search(r"env step [\d,]+", screen))
            time.sleep(0.3)
            steps = lambda: re.search(r"env step ([\d,]+)", terminal.screen()).group(1)
            before = steps()
            time.sleep(0.5)
            assert steps() == before, "it moves while paused"
            terminal.keys(".")
            after = f"{int(before.replace(',', '')) + 1:,}"
            terminal.wait(f"env step {after}")
            terminal.keys("s")
            terminal.wait("saved a checkpoint at env step")
            terminal.keys("-")
            terminal.wait("64× the environment's own speed")
            terminal.keys("+")
            terminal.wait("full speed")
            terminal.keys("v")
            terminal.wait("training environment")
            terminal.keys("v", "?")
            terminal.wait("take a single step")
            terminal.keys("?")
            terminal.wait(lambda screen: "take a single step" not in screen)
            if columns == 80:
                terminal.keys("c")
                terminal.wait("loss ━")
                terminal.keys("Tab")
                terminal.wait("exploration ━")
            terminal.keys("q")
            text = terminal.wait("[exit 130]")
            assert terminal.alternate() == (False, True), "the terminal was not given back"
            assert "everything is saved" in text and "╭ return" in text and "CartPole-v1 · preset cartpole" in text, text


def check_dashboard_keys_come_in_pieces():
    """Esc and an arrow key whose bytes come late stop nothing; the arrow does what it means."""
    with Terminal(f"{REQUEL} train {LONG} --run-dir runs/pieces", (80, 24), FOLDER) as terminal:
        shown(terminal)
        terminal.keys("Escape")
        time.sleep(1)
        assert "full speed" in terminal.screen(), terminal.screen()
        for piece in ["Escape", "[", "B"]:
            terminal.keys(piece)
            time.sleep(0.08)
        terminal.wait("64× the environment's own speed")
        terminal.keys("Space")
        terminal.wait("paused")
        time.sleep(0.5)
        figures = lambda: re.findall(r"elapsed +(.+?) *$|(\S+ ?\S* \S* ?s left)", terminal.screen(), re.M)
        before = figures()
        time.sleep(1.5)
        assert figures() == before, f"time goes on while training does not: {before}, {figures()}"
        terminal.keys("q")
        terminal.wait("[exit 130]")


def check_terminal_without_unicode():
    """`LC_ALL=C`: every verb writes ASCII alone on a terminal."""
    train("runs/a")
    requel("train", "--seeds", "2", "--set", "train.env_steps=3000", "--quiet", "--run-dir", "ascii")
    for verb in ["eval runs/a", "compare ascii", "doctor", "presets", "presets rainbow", "envs CartPole-v1", "verify runs/a", "watch --help",
                 "study", "config show", "train --plain --set train.env_steps=2000 --run-dir ascii-run", "train --seeds 2 --run-dir ascii --set train.env_steps=3000"]:
        with Terminal(f"{REQUEL} {verb}", (100, 50), FOLDER, {"LANG": "C", "LC_ALL": "C"}) as terminal:
            text = terminal.wait("[exit 0]", 60)
            assert text.isascii(), f"{verb}: {[c for c in text if not c.isascii()]}\n{text}"


def child(terminal):
    """The process id of the program in a terminal."""
    return int(subprocess.check_output(["pgrep", "-P", str(terminal.pid())], text=True).split()[0])


def ended(pid):
    """Whether a process is over; one that nobody asked about yet counts too."""
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def check_terminal_goes_away():
    """A terminal that is closed ends what ran on it, also while it is paused; training has saved its state then."""
    train("runs/a")
    for name, command, keys in [("train", f"train {LONG} --run-dir runs/gone", []), ("pause", f"train {LONG} --run-dir runs/gone-paused", ["Space"]),
                                ("watch", "watch runs/a", [])]:
        with Terminal(f"{REQUEL} {command}", (90, 30), FOLDER) as terminal:
            terminal.wait("full speed" if name != "watch" else "episode 1")
            terminal.keys(*keys) if keys else None
            pid = child(terminal)
            time.sleep(0.5)
            terminal.close()
            deadline = time.monotonic() + 20
            while not ended(pid):
                assert time.monotonic() < deadline, f"{name} goes on without a terminal"
                time.sleep(0.1)
    for run in ["gone", "gone-paused"]:
        assert os.listdir(os.path.join(FOLDER, "runs", run, "checkpoints")), f"{run} was not saved"


def check_terminal_is_given_back():
    """Whatever ends the program: Ctrl-C, SIGTERM, an error, SIGINT from outside."""
    for name, end, code in [
        ("ctrl-c", lambda t: t.keys("C-c"), 130),
        ("sigterm", lambda t: os.kill(child(t), signal.SIGTERM), 143),
        ("sigint", lambda t: os.kill(child(t), signal.SIGINT), 130),
        ("paused", lambda t: (t.keys("Space"), t.wait("paused"), os.kill(child(t), signal.SIGTERM)), 143),
    ]:
        with Terminal(f"{REQUEL} train {LONG} --run-dir runs/end-{name}", (90, 30), FOLDER) as terminal:
            shown(terminal)
            end(terminal)
            terminal.wait(f"[exit {code}]")
            assert terminal.alternate() == (False, True), f"{name}: the terminal was not given back"
    # An error in the midst of training: a learning rate at which the loss overflows.
    command = f"{REQUEL} train {LONG} --set optimizer.learning_rate=1e30 --run-dir runs/end-error"
    with Terminal(command, (90, 30), FOLDER) as terminal:
        text = terminal.wait("[exit 3]", 60)
        assert "error:" in text and terminal.alternate() == (False, True), text


def check_dashboard_falls_back():
    """Plain lines where there is no room, no terminal worth the name, or no wish for more."""
    short = "--set train.env_steps=3000 --set evaluation.stop_after=0"
    for name, size, variables, more in [
        ("small", (60, 15), {}, ""), ("dumb", (90, 30), {"TERM": "dumb"}, ""),
        ("ascii", (90, 30), {"LANG": "C", "LC_ALL": "C"}, ""), ("plain", (90, 30), {}, "--plain"),
    ]:
        with Terminal(f"{REQUEL} train {short} {more} --run-dir runs/back-{name}", size, FOLDER, variables) as terminal:
            seen = set()
            def over(screen):
                seen.add(terminal.alternate()[0])
                return "[exit 0]" in screen
            terminal.wait(over, 60)
            assert seen == {False}, f"{name}: a dashboard was shown"


def check_dashboard_leaves_its_curves():
    """A run that is over at once: what it came to, and its curves, stay on the terminal."""
    with Terminal(f"{REQUEL} train --set train.env_steps=3000 --run-dir runs/short", (110, 40), FOLDER) as terminal:
        text = terminal.wait("[exit 0]", 60)
        for part in ["CartPole-v1 · preset cartpole · seed 0", "╭ return", "╭ value", "env steps", "best policy", "requel watch"]:
            assert part in text, f"{part} is not in\n{text}"


def check_dashboard_changes_no_weight():
    """The same seed with the dashboard, paused and slowed on the way, and without."""
    settings = "--set train.env_steps=60000 --set evaluation.stop_after=0"
    with Terminal(f"{REQUEL} train {settings} --run-dir runs/seen", (100, 30), FOLDER) as terminal:
        shown(terminal)
        terminal.keys("Space", ".", ".", "-", "+", "s", "c")
        terminal.wait("[exit 0]", 120)
    requel("train", *settings.split(), "--quiet", "--run-dir", "runs/unseen")
    weights = [json.load(open(os.path.join(FOLDER, run, "summary.json")))["weights_blake3"] for run in ("runs/seen", "runs/unseen")]
    assert weights[0] == weights[1], weights


def check_dashboard_costs_little():
    """At most 3 % of training time, both threads on one core: the median ratio of pairs of runs."""
    core = sorted(os.sched_getaffinity(0))[-1]
    settings = "--set train.env_steps=120000 --set evaluation.stop_after=0 --set evaluation.every_steps=20000"
    ratios = []
    for pair in range(7):
        seconds = {}
        for mode in ["", "--plain"] if pair % 2 else ["--plain", ""]:
            # Processor time of both threads: on one core that is the time there is, whatever else runs beside.
            command = f"{REQUEL} train {settings} {mode} --run-dir runs/cost-{pair}{mode}"
            command = f"bash -c \"TIMEFORMAT='[cpu %U+%S]'; time taskset -c {core} {command}\""
            with Terminal(command, (120, 40), FOLDER) as terminal:
                terminal.wait("[exit 0]", 120)
                user, system = re.search(r"\[cpu ([\d.]+)\+([\d.]+)\]", terminal.screen()).groups()
            seconds[mode] = float(user) + float(system)
        ratios.append(seconds[""] / seconds["--plain"])
    middle = statistics.median(ratios)
    print(f"  time with the dashboard over time without, one core: {', '.join(f'{r:.3f}' for r in ratios)}; median {middle:.3f}")
    assert middle <= 1.03, "more than 3 %"


def check_report():
    """report.html: play, scrub, hover, keys; light, dark, phone; nothing amiss in the console."""
    train("runs/a")
    with Browser() as browser:
        browser.open("file://" + os.path.join(FOLDER, "runs/a/report.html"))
        clock = lambda: int(browser.evaluate("document.getElementById('clock').textContent").split("/")[0].replace(",", ""))
        titles = browser.evaluate("[...document.querySelectorAll('.replay .title')].map(e => e.textContent)")
        labels, returns = [title.split(":")[0] for title in titles], [re.search(r"return ([\d.,]+)", title).group(1) for title in titles]
        assert 1 <= len(titles) <= 3 and len(set(returns)) == len(returns), f"episodes that are the same: {titles}"
        assert len(labels) < 3 or labels == ["worst", "median", "best"], labels
        paint = "document.querySelector('.replay canvas').toDataURL()"
        first = browser.evaluate(paint)
        browser.click("#play")
        browser.wait("Number(document.getElementById('scrub').value) > 5")
        browser.click("#play")
        stopped = clock()
        assert browser.evaluate(paint) != first, "the picture did not move"
        time.sleep(0.3)
        assert clock() == stopped, "it plays on"
        browser.evaluate("(() => { const s = document.getElementById('scrub'); s.value = 3; s.dispatchEvent(new Event('input')); })()")
        assert clock() == 3
        browser.evaluate("document.activeElement.blur()")
        browser.key("ArrowRight")
        assert clock() == 4
        browser.key(" ", "Space", " ")
        browser.wait("Number(document.getElementById('scrub').value) > 6")
        browser.key(" ", "Space", " ")
        hover_until_values(browser, ".chart.wide")
        photographed(browser, "report")
        assert not browser.faults, browser.faults


def check_compare_page():
    """The page of `requel compare --html`: hover, hide a group, read the scores; light, dark, phone."""
    train("served/seeds/a")
    train("served/seeds/b", "--seed", "1")
    train("served/c", "--set", "agent.double=true")
    requel("compare", "served/seeds", "served/c", "--html", "compared.html")
    with Browser() as browser:
        browser.open("file://" + os.path.join(FOLDER, "compared.html"))
        names = browser.evaluate("[...document.querySelectorAll('#legend button')].map(e => e.childNodes[1].textContent)")
        assert sorted(names) == ["agent.double=true", "cartpole"], names
        browser.hover("#curves .u-over")
        browser.wait("[...document.querySelectorAll('#legend output')].every(e => /\\d/.test(e.textContent))")
        browser.click("#legend button")
        assert browser.evaluate("document.querySelector('#legend button').getAttribute('aria-pressed')") == "false"
        browser.click("#legend button")
        assert browser.evaluate("document.querySelectorAll('#scores .seed').length") == 3
        browser.click("summary")
        browser.wait("document.querySelectorAll('#runs tr').length === 4")
        photographed(browser, "compare")
        assert not browser.faults, browser.faults


RELU = {"activation": "relu"}
NETWORKS = {
    "norm": [{"kind": "dense", "outputs": 24, **RELU}, {"kind": "layer_norm", "epsilon": 1e-5, **RELU},
             {"kind": "dense", "outputs": 2, "activation": "identity"}],
    "noisy": [{"kind": "noisy_dense", "outputs": 24, "sigma": 0.5, "activation": "tanh"},
              {"kind": "noisy_dense", "outputs": 2, "sigma": 0.5, "activation": "identity"}],
    "dueling": [{"kind": "dense", "outputs": 24, **RELU},
                {"kind": "dueling", "hidden": 16, "actions": 2, "atoms": 1, "sigma": None, **RELU}],
    "noisy-dueling": [{"kind": "dense", "outputs": 24, **RELU},
                      {"kind": "dueling", "hidden": 0, "actions": 2, "atoms": 1, "sigma": 0.5, **RELU}],
}


def other_network(name, layers):
    """A copy of a run whose best policy is a network of these layers with random weights."""
    import shutil
    run = f"runs/network-{name}"
    shutil.rmtree(os.path.join(FOLDER, run), ignore_errors=True)
    shutil.copytree(os.path.join(FOLDER, "runs/scalar"), os.path.join(FOLDER, run))
    # The seal is of the policy that was trained.
    if os.path.exists(os.path.join(FOLDER, run, "checksums.blake3")):
        os.remove(os.path.join(FOLDER, run, "checksums.blake3"))
    path = os.path.join(FOLDER, run, "best/policy.safetensors")
    raw = open(path, "rb").read()
    header = json.loads(raw[8:8 + int.from_bytes(raw[:8], "little")])
    description = json.loads(header["__metadata__"]["requel"])
    description["network"]["layers"] = layers
    shapes, inputs = {}, 4

    def affine(prefix, outputs, inputs, noisy):
        for part in ["_mu", "_sigma"] if noisy else [""]:
            shapes[f"{prefix}weight{part}"], shapes[f"{prefix}bias{part}"] = (outputs, inputs), (outputs,)

    for index, layer in enumerate(layers):
        prefix, noisy = f"layers.{index}.", "sigma" in layer and layer["sigma"] is not None
        if layer["kind"] == "layer_norm":
            shapes[prefix + "weight"] = shapes[prefix + "bias"] = (inputs,)
        elif layer["kind"] == "dueling":
            for stream, outputs in [("value", 1), ("advantage", 2)]:
                before, last = inputs, f"{prefix}{stream}.0."
                if layer["hidden"]:
                    affine(last, layer["hidden"], inputs, noisy)
                    before, last = layer["hidden"], f"{prefix}{stream}.1."
                affine(last, outputs, before, noisy)
        else:
            affine(prefix, layer["outputs"], inputs, noisy)
            inputs = layer["outputs"]
    random, data, entries = np.random.default_rng(7), b"", {}
    for tensor, shape in shapes.items():
        values = random.normal(0, 0.5, shape).astype("<f4").tobytes()
        entries[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    header = json.dumps({"__metadata__": {"requel": json.dumps(description)}, **entries}).encode()
    open(path, "wb").write(len(header).to_bytes(8, "little") + header + data)
    return run


# Heads that give a distribution, and masks: run, environment, preset.
OTHER_POLICIES = [
    ("runs/c51", "CartPole-v1", "c51"), ("runs/qr-dqn", "CartPole-v1", "qr-dqn"), ("runs/iqn", "CartPole-v1", "iqn"),
    ("runs/rainbow", "CartPole-v1", "rainbow"), ("runs/taxi", "Taxi-v4", "taxi"),
]


def check_onnx():
    """onnxruntime gives the same Q-values and actions: vectors, images, masks, and each kind of layer and head."""
    train("runs/a")
    runs = ["runs/a"]
    if not os.path.exists(os.path.join(FOLDER, "runs/image/summary.json")):
        requel("train", "MinAtar/Breakout-v1", "--set", "train.env_steps=2500", "--set", "replay.start=500",
               "--set", "evaluation.final_episodes=2", "--set", "evaluation.every_steps=0", "--quiet", "--run-dir", "runs/image")
    runs.append("runs/image")
    for run, environment, preset in OTHER_POLICIES:
        if not os.path.exists(os.path.join(FOLDER, run, "summary.json")):
            requel("train", environment, "--preset", preset, "--set", "train.env_steps=1500", "--set", "replay.start=500",
                   "--set", "evaluation.final_episodes=2", "--set", "evaluation.every_steps=0", "--quiet", "--run-dir", run)
        runs.append(run)
    # The layers are those of a head that gives a value for each action.
    train("runs/scalar", "--preset", "dqn")
    runs += [other_network(name, layers) for name, layers in NETWORKS.items()]
    for run in runs:
        requel("export", run, "--output", "policy.onnx", "--samples", "samples.jsonl")
        session = onnxruntime.InferenceSession(os.path.join(FOLDER, "policy.onnx"), providers=["CPUExecutionProvider"])
        shape = session.get_inputs()[0].shape
        assert shape[0] == "batch" and [o.name for o in session.get_outputs()] == ["q_values", "action"], shape
        rows = [json.loads(line) for line in open(os.path.join(FOLDER, "samples.jsonl"))]
        feed = {"observation": np.array([row["observation"] for row in rows], np.float32).reshape(-1, *shape[1:])}
        if len(session.get_inputs()) > 1:
            feed["action_mask"] = np.array([row["action_mask"] for row in rows], bool)
        expected = np.array([row["q_values"] for row in rows], np.float32)
        alone = [session.run(None, {name: values[i:i + 1] for name, values in feed.items()}) for i in range(len(rows))]
        apart = [np.concatenate(parts) for parts in zip(*alone)]
        for name, (got, actions) in [("one batch", session.run(None, feed)), ("one by one", apart)]:
            worst = np.max(np.abs(got - expected) / np.maximum(1, np.abs(expected)))
            print(f"  {run}, {name}: {len(rows)} rows of {shape[1:]}, worst difference {worst:.1e} of the value")
            assert worst <= 1e-6, worst
            assert actions.tolist() == [row["action"] for row in rows], run
        nothing = {name: values[:0] for name, values in feed.items()}
        assert [len(values) for values in session.run(None, nothing)] == [0, 0], run
        notes = session.get_modelmeta().custom_metadata_map
        assert notes["requel.environment"] and json.loads(notes["requel.action_space"])["n"] == expected.shape[1], notes
        assert len(json.loads(notes["requel.actions"])) == expected.shape[1]


def check_animations():
    """The GIF and the animated PNG, decoded frame by frame: the same pictures, as long as they should be."""
    train("runs/a")
    requel("watch", "runs/a", "--gif", "a.gif", "--apng", "a.apng", "--steps", "40", "--width", "300")
    films = [Image.open(os.path.join(FOLDER, name)) for name in ("a.gif", "a.apng")]
    frames, durations = [], []
    for film in films:
        pictures, lengths = [], []
        for index in range(film.n_frames):
            film.seek(index)
            pictures.append(np.asarray(film.convert("RGB"), np.int16))
            lengths.append(film.info["duration"])
        frames.append(pictures)
        durations.append(sum(lengths))
    assert films[0].size == films[1].size and films[0].size[0] == 300
    assert len(frames[0]) == len(frames[1]) > 5, [len(f) for f in frames]
    for index, (gif, png) in enumerate(zip(*frames)):
        worst = np.abs(gif - png).max()
        assert worst <= 40, f"frame {index}: a channel differs by {worst}"
    moved = sum(not np.array_equal(a, b) for a, b in zip(frames[1], frames[1][1:]))
    assert moved >= len(frames[1]) - 2, "the frames do not move"
    assert durations == [20 * (len(frames[0]) - 1) + 1200] * 2, durations


def main():
    """Runs the checks that are named, or all."""
    os.makedirs(FOLDER, exist_ok=True)
    checks = {name[6:]: check for name, check in globals().items() if name.startswith("check_")}
    wanted = sys.argv[3:] or list(checks)
    failed = 0
    for name in wanted:
        started = time.monotonic()
        print(f"{name}: {checks[name].__doc__.splitlines()[0]}", flush=True)
        try:
            checks[name]()
            verdict = "passed"
        except Exception:  # One run says everything that is wrong.
            traceback.print_exc()
            verdict, failed = "FAILED", failed + 1
        print(f"  {verdict} after {time.monotonic() - started:.1f} s", flush=True)
    print(f"{len(wanted) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
