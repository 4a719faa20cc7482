"""What all checks have in common: the program, the folder that they work in, and pages that are photographed.

Used by check.py, whose arguments say which program and which folder.
"""

import os
import subprocess
import sys
import time

REQUEL, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
LONG = "--set train.env_steps=5000000 --set evaluation.stop_after=0"


def requel(*arguments, **options):
    """Runs the program in the folder; gives what it wrote to stdout."""
    done = subprocess.run([REQUEL, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"requel {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def train(run, *more):
    """Trains a short run unless it is there."""
    if not os.path.exists(os.path.join(FOLDER, run, "summary.json")):
        requel("train", "CartPole-v1", "--set", "train.env_steps=6000", "--set", "evaluation.final_episodes=7", "--quiet",
               "--run-dir", run, *more)


SIZES = [("light", (1200, 900), "light"), ("dark", (1200, 900), "dark"), ("phone", (390, 844), "light")]


def photographed(browser, page):
    """Pictures of a page in light, in dark and on a phone, where nothing may be wider than the window."""
    for name, size, scheme in SIZES:
        browser.resize(*size, phone=name == "phone")
        browser.scheme(scheme)
        time.sleep(0.4)
        browser.photograph(os.path.join(FOLDER, f"{page}-{name}.png"), whole=True)
        wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{page}, {name}: {wide} pixels too wide"
    browser.resize(1200, 900)
    browser.scheme("light")


def hover_until_values(browser, chart):
    """Moves the mouse over a chart until its legend shows values."""
    values = f"[...document.querySelectorAll(\"{chart} .u-value\")].map(e => e.textContent).filter(t => /\\d/.test(t)).length"
    for _ in range(20):
        browser.hover(f"{chart} .u-over")
        time.sleep(0.1)
        if browser.evaluate(values) >= 2:
            return
    raise AssertionError(f"hovering over {chart} shows no values")
