"""Reports and comparisons on phones, on paper, and where scripts are blocked."""

import base64
import os
import time

from browser import Browser
from desk import FOLDER, requel, train


def pages():
    """A report and a comparison in which some group has no interval."""
    train("runs/a")
    if not os.path.exists(os.path.join(FOLDER, "pages/seed-5/summary.json")):
        for seed in range(1, 6):
            train(f"pages/seed-{seed}", "--seed", str(seed))
    requel("compare", "runs/a", "pages", "--html", "compare.html")
    return [("report", os.path.join(FOLDER, "runs/a/report.html")), ("compare", os.path.join(FOLDER, "compare.html"))]


def check_pages_fit_every_window():
    """Report and comparison at every width, light and dark: nothing is wider than the window."""
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
            wanted = {"report": ["best policy", "final policy", "Settings", "standard deviation"], "compare": ["return of the final policy", "6 seeds each"]}
            for part in ["Scripts are blocked", "CartPole-v1", *wanted[name]]:
                assert part in text, f"{name} does not say {part}:\n{text[:2000]}"
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
