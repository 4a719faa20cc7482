"""A headless Chromium, driven over its DevTools protocol: open, look, click, hover, photograph."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request

import websocket

NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"]


class Browser:
    """One browser with one page. Everything that goes wrong on the page is kept in `faults`."""

    def __init__(self, size=(1200, 900), beside=None):
        """A browser of its own, or with `beside` another tab of that one."""
        self.faults, self.number, self.process = [], 0, None
        if beside is not None:
            self.port, self.folder = beside.port, None
            self._attach(beside.call("Target.createTarget", url="about:blank")["targetId"], size)
            return
        program = next((path for path in map(shutil.which, NAMES) if path), None)
        if program is None:
            raise RuntimeError("no Chromium on the path: on Debian, apt-get install chromium")
        self.folder = tempfile.mkdtemp(prefix="requel-ui-")
        arguments = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                     "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     "--disable-dev-shm-usage", "--remote-debugging-port=0", f"--user-data-dir={self.folder}",
                     f"--window-size={size[0]},{size[1]}", "about:blank"]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = self._port()
        self._attach(None, size)

    def _attach(self, target, size):
        """Talks to the tab of this id, or to the first."""
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list", timeout=20))
        address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page" and target in (None, page["id"]))
        self.socket = websocket.create_connection(address, timeout=30, suppress_origin=True)
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.resize(*size)

    def tab(self, address):
        """Another tab, with a page that need not have loaded yet; like a window beside the others it counts as looked at."""
        tab = Browser(beside=self)
        tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
        tab.call("Page.navigate", url=address)
        return tab

    def _port(self):
        path = os.path.join(self.folder, "DevToolsActivePort")
        for _ in range(300):
            if os.path.exists(path):
                lines = open(path, encoding="ascii").read().splitlines()
                if lines:
                    return int(lines[0])
            time.sleep(0.1)
        raise RuntimeError("Chromium did not start")

    def call(self, method, **parameters):
        """Calls a method of the protocol; gives its result."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def _note(self, message):
        kind, details = message.get("method"), message.get("params", {})
        if kind == "Runtime.exceptionThrown":
            self.faults.append(details["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif kind == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
            self.faults.append(f"console.{details['type']}: {[a.get('value') for a in details['args']]}")
        elif kind == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.faults.append(details["entry"]["text"] + " " + details["entry"].get("url", ""))
        elif kind == "Page.loadEventFired":
            self.loaded = True

    def open(self, address):
        """Opens a page and waits until it has loaded."""
        self.loaded = False
        self.call("Page.navigate", url=address)
        deadline = time.monotonic() + 30
        while not self.loaded and time.monotonic() < deadline:
            self.evaluate("1")
            time.sleep(0.05)
        assert self.loaded, f"{address} did not load"

    def evaluate(self, script):
        """The value of a script."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, script, seconds=20):
        """Waits until a script gives something true; gives it back."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.evaluate(script)
            if value:
                return value
            if time.monotonic() > deadline:
                text = self.evaluate("document.body.innerText.slice(0, 600)")
                raise AssertionError(f"waited {seconds} s in vain for {script}; faults: {self.faults}; the page:\n{text}")
            time.sleep(0.1)

    def place(self, selector):
        """The middle of an element, scrolled into view."""
        box = self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        return box

    def mouse(self, kind, x, y, button="none"):
        """One mouse event."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1 if button != "none" else 0)

    def click(self, selector):
        """Clicks an element where it is, as a hand would."""
        x, y = self.place(selector)
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
            self.mouse(kind, x, y, "none" if kind == "mouseMoved" else "left")

    def hover(self, selector):
        """Moves the mouse over an element."""
        x, y = self.place(selector)
        self.mouse("mouseMoved", x - 5, y)
        self.mouse("mouseMoved", x, y)

    def key(self, key, code=None, text=""):
        """Presses a key."""
        common = {"key": key, "code": code or key}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width, height, scale=1, phone=False):
        """Another window size, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone)

    def scheme(self, name):
        """`light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def photograph(self, path, selector=None, whole=False):
        """Writes a PNG of the window, of one element, or of the whole page."""
        options = {"format": "png"}
        if selector or whole:
            what = f"document.querySelector({json.dumps(selector or 'body')})"
            rect = self.evaluate(f"(() => {{ const r = {what}.getBoundingClientRect();"
                                 " return [r.x + scrollX, r.y + scrollY, r.width, r.height]; })()")
            options |= {"captureBeyondViewport": True,
                        "clip": dict(zip(["x", "y", "width", "height"], rect)) | {"scale": 1}}
        data = self.call("Page.captureScreenshot", **options)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        """Ends the browser."""
        try:
            self.call("Browser.close")
        except Exception:  # It may be gone already.
            pass
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
