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
    "tour/naive": "--preset notebook-naive",
    "tour/replay": "--preset notebook",
    "tour/far-sighted": "--preset notebook --set agent.gamma=0.99",
    "tour/target": "--preset notebook --set agent.gamma=0.99 --set target.kind=hard --set target.every_updates=50",
    "tour/preset": "",
    "seeds/naive": "--preset notebook-naive --seeds 0..10",
    "seeds/replay": "--preset notebook --seeds 0..10",
    "seeds/preset": "",
}


def requel(*arguments):
    """Runs the program in the folder."""
    subprocess.run([REQUEL, *arguments], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)


def trained(*names):
    """Trains the runs that are not there."""
    for name in names:
        if not os.path.exists(os.path.join(FOLDER, name)):
            requel("train", *RUNS[name].split(), "--quiet", "--run-dir", name)


def image(name):
    """Where a picture goes."""
    return os.path.join(IMAGES, name)


def shot_cartpole():
    """cartpole.gif: the agent of the README."""
    trained("tour/preset")
    requel("watch", "tour/preset", "--gif", image("cartpole.gif"), "--steps", "150", "--width", "480")


def shot_dashboard():
    """dashboard.png, dashboard-80.png: training on a full screen, a large and a small one."""
    for name, size in [("dashboard", (200, 50)), ("dashboard-80", (80, 24))]:
        command = f"{REQUEL} train --set train.env_steps=400000 --set evaluation.stop_after=0 --run-dir {name}-{os.getpid()}"
        with Terminal(command, size, FOLDER) as terminal, Browser((1900, 1000)) as browser:
            far = lambda screen: (steps := re.search(r"([\d,]+) of 400,000", screen)) and int(steps[1].replace(",", "")) > 40000
            terminal.wait(far, 120)
            page = os.path.join(FOLDER, f"{name}.html")
            with open(page, "w", encoding="utf-8") as file:
                file.write(terminal.html())
            terminal.keys("q")
            browser.open(f"file://{page}")
            browser.photograph(image(f"{name}.png"), selector="#t")


LOOKS = [("", (1180, 900), "light"), ("-dark", (1180, 900), "dark"), ("-phone", (390, 844), "light")]


class Served:
    """The served page of a folder of runs, in a browser, while it lasts."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.server = subprocess.Popen([REQUEL, "serve", self.folder, "--port", "0"], cwd=FOLDER, stderr=subprocess.PIPE, text=True)
        self.browser = Browser((1180, 900))
        self.browser.scheme("light")
        self.browser.open(re.search(r"http://\S+/", self.server.stderr.readline()).group(0))
        return self

    def tick(self, *selectors):
        """Ticks runs and groups; waits until their curves are there."""
        for count, selector in enumerate(selectors, 1):
            self.browser.wait(f"!!document.querySelector('{selector}')")
            self.browser.click(selector)
            self.browser.wait(f"document.querySelectorAll('#chosen tr').length === {count + 1}"
                              " && document.querySelectorAll('#charts canvas').length === 4")
        time.sleep(1)

    def __exit__(self, *_):
        faults = self.browser.faults
        self.browser.close()
        self.server.send_signal(signal.SIGINT)
        self.server.wait(timeout=10)
        assert not faults, faults


def compared(charts, *names):
    """Charts of the served page with these runs ticked."""
    trained(*[f"tour/{name}" for name in names])
    with Served("tour") as served:
        served.tick(*[f'input[data-run="{name}"]' for name in names])
        for picture, chart in charts.items():
            served.browser.photograph(image(picture), selector=f"[data-chart='{chart}']")


def shot_replay():
    """tour-replay.png: learning as it comes, and learning from a buffer."""
    compared({"tour-replay.png": "Return"}, "naive", "replay")


def shot_target():
    """tour-target.png, tour-values.png: what the target network adds."""
    compared({"tour-target.png": "Return", "tour-values.png": "Mean Q"}, "far-sighted", "target")


def shot_serve():
    """serve.png and its likes: the page of all runs, two groups of seeds ticked."""
    trained("seeds/naive", "seeds/preset", "seeds/replay")
    with Served("seeds") as served:
        browser = served.browser
        browser.wait("document.querySelectorAll('input[data-group]').length === 2")
        groups = browser.evaluate("[...document.querySelectorAll('input[data-group]')].map(e => e.dataset.group)")
        served.tick(*[f'input[data-group="{group}"]' for group in groups])
        browser.evaluate("document.activeElement.blur()")
        for look, size, scheme in LOOKS:
            browser.resize(*size, phone=look == "-phone")
            browser.scheme(scheme)
            time.sleep(0.5)
            browser.evaluate("scrollTo(0, 0)")
            browser.photograph(image(f"serve{look}.png"), selector="body" if look != "-phone" else None)


def shot_compare():
    """compare.png, compare-page.png: the same groups with their intervals, as a picture and as a page."""
    trained("seeds/naive", "seeds/replay")
    requel("compare", "seeds/naive", "seeds/replay", "--png", image("compare.png"), "--html", "compare.html")
    with Browser((1180, 900)) as browser:
        browser.scheme("light")
        browser.open("file://" + os.path.join(FOLDER, "compare.html"))
        time.sleep(0.5)
        browser.photograph(image("compare-page.png"), selector="body")
        assert not browser.faults, browser.faults


def shot_report():
    """report.png and its likes: the top of a run's report."""
    trained("tour/preset")
    with Browser((1180, 1180)) as browser:
        for look, size, scheme in LOOKS:
            browser.resize(size[0], 1180 if look != "-phone" else size[1], phone=look == "-phone")
            browser.scheme(scheme)
            browser.open("file://" + os.path.join(FOLDER, "tour/preset/report.html"))
            browser.evaluate("(() => { const s = document.getElementById('scrub'); s.value = 60; s.dispatchEvent(new Event('input')); })()")
            time.sleep(0.5)
            browser.photograph(image(f"report{look}.png"))
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
