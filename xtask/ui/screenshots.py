"""The pictures of README.md and docs/tour.md, made by the program itself.

usage: screenshots.py REQUEL FOLDER IMAGES [NAME...]

Runs are trained in FOLDER with the commands that the tour shows; pictures go to IMAGES. What depends on the clock (rates,
times) is in some of them, so they are not the same bytes each time.
"""

import os
import re
import signal
import subprocess
import sys
import time

from browser import Browser
from terminal import Terminal

REQUEL, FOLDER, IMAGES = map(os.path.abspath, sys.argv[1:4])

# Name of the run → what the tour types after `requel train`.
RUNS = {
    "naive": "--preset notebook-naive",
    "replay": "--preset notebook",
    "far-sighted": "--preset notebook --set agent.gamma=0.99",
    "target": "--preset notebook --set agent.gamma=0.99 --set target.kind=hard --set target.every_updates=50",
    "preset": "",
}


def requel(*arguments):
    """Runs the program in the folder."""
    subprocess.run([REQUEL, *arguments], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)


def trained(*names):
    """Trains the runs that are not there."""
    for name in names:
        if not os.path.exists(os.path.join(FOLDER, "tour", name, "summary.json")):
            requel("train", *RUNS[name].split(), "--quiet", "--run-dir", f"tour/{name}")


def image(name):
    """Where a picture goes."""
    return os.path.join(IMAGES, name)


def shot_cartpole():
    """cartpole.gif: the agent of the README."""
    trained("preset")
    requel("watch", "tour/preset", "--gif", image("cartpole.gif"), "--steps", "150", "--width", "480")


def shot_dashboard():
    """dashboard.png: training on a full screen."""
    command = f"{REQUEL} train --set train.env_steps=400000 --set evaluation.stop_after=0 --run-dir dashboard-{os.getpid()}"
    with Terminal(command, (112, 32), FOLDER) as terminal, Browser((1400, 900)) as browser:
        terminal.wait(lambda screen: (steps := re.search(r"([\d,]+) of 400,000", screen)) and int(steps[1].replace(",", "")) > 40000, 60)
        page = os.path.join(FOLDER, "dashboard.html")
        with open(page, "w", encoding="utf-8") as file:
            file.write(terminal.html())
        terminal.keys("q")
        browser.open(f"file://{page}")
        browser.photograph(image("dashboard.png"), selector="#t")


def compared(picture, charts, *names):
    """The served page with these runs ticked, one or more of its charts."""
    trained(*names)
    server = subprocess.Popen([REQUEL, "serve", "tour", "--port", "0"], cwd=FOLDER, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://\S+/", server.stderr.readline()).group(0)
        with Browser((1100, 760)) as browser:
            browser.scheme("light")
            browser.open(address)
            for count, name in enumerate(names, 1):
                browser.wait(f"!!document.querySelector(\"input[data-run='{name}']\")")
                browser.click(f"input[data-run='{name}']")
                browser.wait(f"document.querySelectorAll('#chosen tr').length === {count + 1}"
                             " && document.querySelectorAll('#charts canvas').length === 4")
            time.sleep(0.8)
            # The names of the runs say more here than world, preset and seed.
            for place, name in enumerate(names):
                browser.evaluate(f"document.querySelectorAll('.u-legend').forEach(l => l.querySelectorAll('.u-series .u-label')[{place + 1}].textContent = '{name}')")
            browser.photograph(image(picture), selector=charts)
            assert not browser.faults, browser.faults
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=10)


def shot_replay():
    """tour-replay.png: learning as it comes, and learning from a buffer."""
    compared("tour-replay.png", "[data-chart='Return']", "naive", "replay")


def shot_target():
    """tour-target.png: what the target network adds."""
    compared("tour-target.png", "[data-chart='Return']", "far-sighted", "target")
    compared("tour-values.png", "[data-chart='Mean Q']", "far-sighted", "target")


def shot_serve():
    """serve.png: the page of all runs."""
    compared("serve.png", "body", "naive", "replay", "preset")


def shot_report():
    """report.png: the top of a run's report."""
    trained("preset")
    with Browser((1100, 1180)) as browser:
        browser.scheme("light")
        browser.open("file://" + os.path.join(FOLDER, "tour/preset/report.html"))
        browser.evaluate("(() => { const s = document.getElementById('scrub'); s.value = 60; s.dispatchEvent(new Event('input')); })()")
        time.sleep(0.5)
        browser.photograph(image("report.png"))
        assert not browser.faults, browser.faults


def main():
    """Makes the pictures that are named, or all."""
    os.makedirs(FOLDER, exist_ok=True)
    os.makedirs(IMAGES, exist_ok=True)
    shots = {name[5:]: shot for name, shot in globals().items() if name.startswith("shot_")}
    for name in sys.argv[4:] or shots:
        print(shots[name].__doc__.splitlines()[0], flush=True)
        shots[name]()


main()
