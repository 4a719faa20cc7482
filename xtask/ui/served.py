"""The page of `requel serve` in a real browser: what it shows, at every width, of any number of runs, in many tabs."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from browser import Browser
from desk import FOLDER, LONG, REQUEL, hover_until_values, photographed, requel, train


class Served:
    """`requel serve` while it lasts."""

    def __init__(self, folder):
        self.process = subprocess.Popen([REQUEL, "serve", folder, "--port", "0"], cwd=FOLDER, stderr=subprocess.PIPE, text=True)
        self.address = re.search(r"http://\S+/", self.process.stderr.readline()).group(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=10)
        assert code == 0, f"Ctrl-C ended the server with {code}"


def check_served_page():
    """The served page: groups opened, runs and groups ticked and compared, one that trains moves, reports open."""
    train("served/seeds/a")
    train("served/seeds/b", "--seed", "1")
    train("served/c", "--set", "agent.double=true")
    with Served("served") as served, Browser() as browser:
        browser.open(served.address)
        group = "input[data-group]"
        browser.wait(f"!!document.querySelector('{group}') && document.querySelectorAll('#runs input').length === 2")
        assert "2 runs" in browser.evaluate("document.querySelector('.group').textContent")
        # A group is opened with the keyboard.
        browser.evaluate("document.querySelector('.fold').focus()")
        browser.key(" ", "Space", " ")
        browser.wait("document.querySelectorAll('#runs input').length === 4")
        assert browser.evaluate("document.activeElement.className") == "fold", "the focus was lost"
        browser.click("input[data-run='c']")
        browser.wait("document.querySelectorAll('#charts canvas').length === 4")
        browser.click(group)
        browser.wait("document.querySelectorAll('#chosen tr').length === 3 && document.querySelectorAll(\"[data-chart='Return'] .u-series.seed\").length === 2")
        labels = browser.evaluate("[...document.querySelectorAll('#chosen td.name')].map(e => e.childNodes[1].textContent)")
        assert labels == ["agent.double=true · seed 0", "cartpole · 2 seeds"], labels
        hover_until_values(browser, "[data-chart='Return']")
        photographed(browser, "serve")
        live = subprocess.Popen([REQUEL, "train", *LONG.split(), "--quiet", "--run-dir", "served/live"], cwd=FOLDER)
        try:
            browser.wait("!!document.querySelector(\"input[data-run='live']\")")
            browser.click("#clear")
            browser.click("input[data-run='live']")
            steps = "Number((document.querySelector('#chosen tr:nth-child(2) td:last-child') || {textContent: '0'}).textContent.replace(/,/g, ''))"
            first = browser.wait(steps)
            browser.wait(f"{steps} > {first}")
            assert "1 training" in browser.evaluate("document.getElementById('status').textContent")
        finally:
            live.send_signal(signal.SIGTERM)
            live.wait()
        browser.click("#clear")
        browser.click(group)
        browser.click("input[data-run='c']")
        # What is drawn moves the link.
        browser.wait("document.querySelector('#full').href.includes('run=c') && document.querySelectorAll('#charts canvas').length === 4")
        time.sleep(1)
        browser.click("#full")
        browser.wait("document.querySelectorAll('#scores .score').length === 2")
        browser.open(served.address + "report?run=c")
        browser.wait("document.querySelectorAll('.replay canvas').length >= 1")
        assert not browser.faults, browser.faults


def synthesised(folder, runs):
    """A folder with so many finished runs: the files of one, copied under other seeds."""
    train("runs/a")
    source = os.path.join(FOLDER, "runs/a")
    config = open(os.path.join(source, "config.toml"), encoding="utf-8").read()
    for run in range(runs):
        target = os.path.join(FOLDER, folder, f"CartPole-v1__cartpole__seeds__agent.gamma-{run % 7}", f"seed-{run}")
        os.makedirs(target, exist_ok=True)
        changed = re.sub(r"(?m)^seed = .*$", f"seed = {run}", config)
        changed = re.sub(r"(?m)^gamma = .*$", f"gamma = 0.9{run % 7}", changed)
        changed = re.sub(r"(?m)^learning_rate = .*$", f"learning_rate = 0.0012{run % 7}", changed)
        open(os.path.join(target, "config.toml"), "w", encoding="utf-8").write(changed)
        for name in ["metrics.jsonl", "summary.json", "timing.csv", "report.html"]:
            if not os.path.exists(os.path.join(target, name)):
                os.link(os.path.join(source, name), os.path.join(target, name))


def check_served_page_of_any_number_of_runs():
    """With 1, 25 and 1,000 runs and at every width: nothing is wider than the window, and the link to a report is to be seen."""
    for runs in [1, 25, 1000]:
        synthesised(f"many-{runs}", runs)
        with Served(f"many-{runs}") as served, Browser() as browser:
            for width in [390, 1280, 1920]:
                for scheme in ["light", "dark"]:
                    browser.resize(width, 900, phone=width == 390)
                    browser.scheme(scheme)
                    browser.open(served.address)
                    browser.wait("document.querySelectorAll('#runs tr').length > 1", 60)
                    if runs > 1:
                        browser.evaluate("document.querySelector('.fold').click()")
                    browser.evaluate("document.querySelector('#runs input').click()")
                    browser.wait("document.querySelectorAll('#charts canvas').length === 4", 60)
                    name = f"serve-{runs}-{width}-{scheme}"
                    browser.photograph(os.path.join(FOLDER, f"{name}.png"))
                    assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name}: too wide"
                    hidden = browser.evaluate("""[...document.querySelectorAll('#runs a')].filter(a => {
                        const [link, card] = [a.getBoundingClientRect(), a.closest('.scroll').getBoundingClientRect()];
                        return link.left < card.left || link.right > card.right || link.width === 0; }).length""")
                    links = browser.evaluate("document.querySelectorAll('#runs a').length")
                    assert links > 0 and hidden == 0, f"{name}: {hidden} of {links} links hang out of their card"
            assert not browser.faults, browser.faults


def check_served_page_keeps_its_address():
    """Ticks, filter, order, smoothing and axis are in the address: a reload and somebody else see the same."""
    train("served/seeds/a")
    train("served/seeds/b", "--seed", "1")
    train("served/c", "--set", "agent.double=true")
    requel("note", "served/c", "with double", "--tag", "single")
    with Served("served") as served, Browser() as browser:
        browser.open(served.address)
        browser.wait("document.querySelectorAll('#runs input').length >= 2")
        browser.click("input[data-run='c']")
        browser.wait("document.querySelectorAll('#charts canvas').length === 4")
        browser.evaluate("document.querySelector(\"[data-key='sort-best']\").click()")
        browser.evaluate("(() => { const a = byId('axis'); a.value = 'time'; a.dispatchEvent(new Event('change')); })()")
        browser.evaluate("(() => { const s = byId('smooth'); s.value = 0.6; s.dispatchEvent(new Event('input')); })()")
        browser.evaluate("document.querySelector('.tag').click()")
        address = browser.evaluate("location.href")
        for part in ["run=c", "sort=-best", "axis=time", "smooth=0.6", "filter=%23single"]:
            assert part in address, address
        browser.open(address)
        browser.wait("document.querySelectorAll('#charts canvas').length === 4")
        state = browser.evaluate("[byId('filter').value, byId('axis').value, byId('smooth').value, document.querySelector(\"input[data-run='c']\").checked]")
        assert state == ["#single", "time", "0.6", True], state
        assert browser.evaluate("document.querySelectorAll('#runs input').length") == 1
        assert "with double" in browser.evaluate("document.querySelector('#runs').textContent")
        assert browser.evaluate("document.querySelector('[aria-sort]').textContent").startswith("best policy")
        assert browser.evaluate("[...document.querySelectorAll('.u-label')].some(e => e.textContent === 'seconds')")
        assert not browser.faults, browser.faults


def check_served_page_in_many_tabs():
    """Twelve tabs at once, all of them answered, and a report in a thirteenth; a page that was turned away comes back."""
    train("served/c", "--set", "agent.double=true")
    with Served("served") as served, Browser() as browser:
        tabs = [browser.tab(served.address + "?run=c") for _ in range(12)]
        for tab in tabs:
            tab.wait("!document.hidden && document.querySelectorAll('#charts canvas').length === 4", 30)
        report = browser.tab(served.address + "report?run=c")
        report.wait("document.querySelectorAll('.replay canvas').length >= 1", 20)
        assert browser.tab(served.address + "api/runs").wait("document.body.innerText.includes('agent.double')", 10)
        # All places taken by others: the page says so, and goes on once there is room.
        host, port = re.search(r"//([^:]+):(\d+)", served.address).groups()
        idle = [socket.create_connection((host, int(port))) for _ in range(48)]
        tabs[0].wait("byId('trouble').textContent.includes('too many pages are open')", 20)
        for connection in idle:
            connection.close()
        tabs[0].wait("byId('trouble').hidden", 20)


def check_server_refuses():
    """No way out of the directory, no other method, no other host, no other address unless told."""
    train("runs/a")
    open(os.path.join(FOLDER, "secret.html"), "w").write("secret")
    with Served("runs") as served:
        def status(path, method="GET", host=None):
            asked = urllib.request.Request(served.address + path, method=method, headers={"Host": host} if host else {})
            try:
                return urllib.request.urlopen(asked, timeout=10).status
            except urllib.error.HTTPError as error:
                return error.code
        assert [status(""), status("api/runs"), status("report?run=a"), status("api/course?run=a")] == [200] * 4
        for path in ["report?run=..", "report?run=../secret.html", "report?run=..%2f..%2fsecret", "secret.html", "..%2fsecret.html",
                     "report?run=a/../a", "report?run=%00", "api/course?run=%2fetc"]:
            assert status(path) == 404, path
        assert [status("", "POST"), status("api/runs", "DELETE"), status("", host="example.org")] == [405, 405, 403]
    refused = subprocess.run([REQUEL, "serve", "runs", "--address", "0.0.0.0"], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "--allow-remote" in refused.stderr, refused.stderr


def check_server_with_hundreds_of_runs():
    """Four hundred runs, half of them in groups of twenty seeds, are listed in well under a second, and filtered."""
    train("runs/a")
    many = os.path.join(FOLDER, "many")
    config = open(os.path.join(FOLDER, "runs/a/config.toml")).read()
    log = open(os.path.join(FOLDER, "runs/a/metrics.jsonl")).read()
    for index in range(400):
        folder = os.path.join(many, f"run-{index:03}" if index < 200 else f"seeds-{index // 20}/run-{index:03}")
        os.makedirs(folder, exist_ok=True)
        replay = 10000 + (index if index < 200 else 200 + index // 20)
        text = re.sub(r"(?m)^capacity = .*$", f"capacity = {replay}", config)
        open(os.path.join(folder, "config.toml"), "w").write(re.sub(r"(?m)^seed = .*$", f"seed = {index}", text))
        open(os.path.join(folder, "metrics.jsonl"), "w").write(log)
    with Served("many") as served:
        started = time.monotonic()
        assert len(json.load(urllib.request.urlopen(served.address + "api/runs"))) == 400
        first = time.monotonic() - started
        assert len(json.load(urllib.request.urlopen(served.address + "api/runs"))) == 400
        print(f"  400 runs listed in {first:.2f} s, again in {time.monotonic() - started - first:.2f} s")
        with Browser() as browser:
            browser.open(served.address)
            browser.wait("document.querySelectorAll('#runs input').length === 100")
            paint = browser.evaluate("Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)")
            print(f"  first paint after {paint} ms")
            browser.click("#more")
            browser.wait("document.querySelectorAll('#runs input').length === 200")
            browser.click("#more")
            browser.wait("document.querySelectorAll('#runs input').length === 210 && document.querySelectorAll('#runs .group').length === 10")
            browser.click(".group input")
            browser.wait("document.querySelectorAll(\"[data-chart='Return'] .u-series.seed\").length === 20")
            browser.evaluate("(() => { const f = document.getElementById('filter'); f.value = 'run-399'; f.dispatchEvent(new Event('input')); })()")
            browser.wait("document.querySelectorAll('#runs input').length === 1")
            assert not browser.faults, browser.faults
