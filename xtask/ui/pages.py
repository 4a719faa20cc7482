"""Reports, comparisons, studies and searches on phones, on paper, and where scripts are blocked."""

import base64
import os
import time

from browser import Browser
from desk import FOLDER, photographed, requel, train

STUDY = """
name = "pages"
seeds = "0..3"
set = ["train.episodes=0", "train.env_steps=1500", "evaluation.every_steps=500", "evaluation.every_episodes=0",
       "evaluation.episodes=2", "evaluation.final_episodes=3", "evaluation.stop_after=0"]
[[task]]
env = "CartPole-v1"
[[task]]
env = "FrozenLake-v1"
[[variant]]
name = "dqn"
algo = "dqn"
[[variant]]
name = "double-dqn"
algo = "double-dqn"
"""


def studied():
    """The folder of a study over two environments."""
    folder = os.path.join(FOLDER, "studied")
    if not os.path.exists(os.path.join(folder, "study.html")):
        open(os.path.join(FOLDER, "pages.toml"), "w", encoding="utf-8").write(STUDY)
        requel("study", "pages.toml", "--out", "studied", "--quiet")
    return folder


def searched():
    """The page of a search."""
    page = os.path.join(FOLDER, "searched/tune.html")
    if not os.path.exists(page):
        requel("tune", "CartPole-v1", "--preset", "notebook", "--trials", "9", "--trial-steps", "900", "--rungs", "2", "--trial-seeds", "1",
               "--fresh", "2", "--quiet", "--run-dir", "searched")
    return page



def pages():
    """A report, a comparison in which some group has no interval, and a study over environments."""
    train("runs/a")
    if not os.path.exists(os.path.join(FOLDER, "pages/seed-5/summary.json")):
        for seed in range(1, 6):
            train(f"pages/seed-{seed}", "--seed", str(seed))
    requel("compare", "runs/a", "pages", "--html", "compare.html")
    return [("report", os.path.join(FOLDER, "runs/a/report.html")), ("compare", os.path.join(FOLDER, "compare.html")),
            ("study", os.path.join(studied(), "study.html"))]


def check_pages_fit_every_window():
    """Report, comparison and study at every width, light and dark: nothing is wider than the window."""
    with Browser() as browser:
        for name, path in pages():
            for width, scheme in [(w, s) for w in (320, 390, 768, 1280, 1920) for s in ("light", "dark")]:
                browser.resize(width, 900, phone=width < 500)
                browser.scheme(scheme)
                browser.open("file://" + path)
                browser.wait("document.querySelectorAll('.uplot canvas').length >= 1")
                wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{name}, {width} px, {scheme}: {wide} pixels too wide"
                browser.photograph(os.path.join(FOLDER, f"{name}-{width}-{scheme}.png"), whole=True)
        assert not browser.faults, browser.faults


def check_pages_without_scripts():
    """Where scripts are blocked there are scores, settings, a table and a picture, and no control that does nothing."""
    with Browser((1000, 900)) as browser:
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        for name, path in pages():
            browser.open("file://" + path)
            text = browser.evaluate("document.body.innerText")
            wanted = {"report": ["best policy", "final policy", "Settings", "standard deviation"], "compare": ["return of the final policy", "6 seeds each"],
                      "study": ["Over all environments", "Each environment", "double-dqn", "FrozenLake-v1", "efficiency.csv"]}
            for part in ["Scripts are blocked", "CartPole-v1", *wanted[name]]:
                assert part in text, f"{name} does not say {part}:\n{text[:2000]}"
            if name != "study":  # Its tables are whole, and its curves are in files beside it.
                assert browser.evaluate("document.querySelector('noscript svg').getBoundingClientRect().width") > 400
            seen = "[...document.querySelectorAll('button, input')].filter(e => e.getBoundingClientRect().width > 0).length"
            assert browser.evaluate(seen) == 0, f"{name} has controls that do nothing"
            browser.photograph(os.path.join(FOLDER, f"{name}-noscript.png"), whole=True)


def check_pages_on_paper():
    """Printed: as PDF, whose pages are as wide as the paper; no card is cut, and no chart wider than its card."""
    with Browser((1200, 900)) as browser:
        for name, path in pages():
            browser.open("file://" + path)
            browser.wait("document.querySelectorAll('.uplot canvas').length >= 1")
            pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=False, paperWidth=8.27, paperHeight=11.69)["data"])
            open(os.path.join(FOLDER, f"{name}.pdf"), "wb").write(pdf)
            browser.call("Emulation.setEmulatedMedia", media="print")
            browser.resize(720, 1000)
            time.sleep(0.5)
            wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name}: {wide} pixels wider than the paper"
            cut = "[...document.querySelectorAll('.card, tr')].filter(e => getComputedStyle(e).breakInside !== 'avoid').length"
            assert browser.evaluate(cut) == 0, f"{name}: cards may be cut"
            high = browser.evaluate("Math.max(...[...document.querySelectorAll('.chart')].map(e => e.getBoundingClientRect().height))")
            assert high < 900, f"{name}: a chart of {high} pixels is higher than the paper"
            browser.call("Emulation.setEmulatedMedia", media="")
            browser.resize(1200, 900)


def check_study_page():
    """The page of a study over environments: hover, hide a variant, go to the page of an environment; light, dark, phone."""
    with Browser() as browser:
        browser.open("file://" + os.path.join(studied(), "study.html"))
        browser.wait("document.querySelectorAll('#charts .uplot canvas').length === 2")
        names = browser.evaluate("[...document.querySelectorAll('#legend button')].map(e => e.textContent)")
        assert names == ["dqn", "double-dqn"], names
        assert browser.evaluate("document.querySelectorAll('#measures .strip .middle').length") == 8, "four measures of two variants"
        paint = "document.querySelector('#profile canvas').toDataURL()"
        whole = browser.evaluate(paint)
        browser.click("#legend button")
        assert browser.evaluate("document.querySelector('#legend button').getAttribute('aria-pressed')") == "false"
        browser.wait(f"{paint} !== {whole!r}")
        browser.click("#legend button")
        browser.wait(f"{paint} === {whole!r}")
        photographed(browser, "study-page")
        browser.click("table a")
        browser.wait("location.pathname.endsWith('studied/CartPole-v1/study.html') && document.querySelectorAll('.uplot canvas').length >= 1")
        assert not browser.faults, browser.faults


def check_search_page():
    """The page of a search, the same with scripts and without: picture, winner, trials; at every width, and on paper."""
    page = "file://" + searched()
    with Browser() as browser:
        for blocked in (False, True):
            browser.call("Emulation.setScriptExecutionDisabled", value=blocked)
            browser.open(page)
            text = browser.evaluate("document.body.innerText")
            for part in ["best of 9 trials", "agent.gamma", "CartPole-v1", "seeds that were not used to choose anything"]:
                assert part in text, f"it does not say {part}:\n{text[:2000]}"
            assert browser.evaluate("document.querySelector('svg').getBoundingClientRect().width") > 400
            assert browser.evaluate("document.querySelectorAll('tr.best').length") == 1, "one winner"
            photographed(browser, f"search-{'blocked' if blocked else 'scripted'}")
        browser.resize(320, 900, phone=True)
        assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "wider than a small phone"
        browser.resize(720, 1000)
        browser.call("Emulation.setEmulatedMedia", media="print")
        assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, "wider than the paper"
        assert not browser.faults, browser.faults
