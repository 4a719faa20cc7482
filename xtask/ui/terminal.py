"""Programs on a terminal: a tmux session of a given size, keys sent, the screen read back and turned into HTML.

Nothing but the standard library and tmux. Every session has a server of its own, so that no other tmux is touched.
"""

import html
import os
import re
import subprocess
import time

PALETTE = ["#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5"]
BRIGHT = ["#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff"]
PAPER, INK = "#16181f", "#d6d9e4"


class Terminal:
    """One tmux session that runs one command in `folder`."""

    def __init__(self, command, size, folder, environment=None):
        self.socket = f"requel-ui-{os.getpid()}-{time.monotonic_ns()}"
        variables = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "COLORTERM": "truecolor", **(environment or {})}
        exports = " ".join(f"{name}={value}" for name, value in variables.items())
        # The shell stays after the command, so that what it left on the screen can be read.
        shell = f"unset NO_COLOR; env {exports} {command}; echo \"[exit $?]\"; exec sleep 600"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder),
                   "sh", "-c", shell)

    def _tmux(self, *arguments):
        command = ["tmux", "-L", self.socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def keys(self, *names):
        """Sends keys by tmux's names, such as `Space` or `C-c`."""
        self._tmux("send-keys", *names)

    def screen(self):
        """The screen as plain text."""
        return self._tmux("capture-pane", "-p")

    def wait(self, wanted, seconds=30.0):
        """Waits until `wanted` (a string or a test of the screen) holds; gives the screen."""
        test = wanted if callable(wanted) else lambda text: wanted in text
        deadline = time.monotonic() + seconds
        while True:
            text = self.screen()
            if test(text):
                return text
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain for {wanted!r}; the screen:\n{text}")
            time.sleep(0.05)

    def html(self):
        """The screen as a page, colours and all."""
        return page(self._tmux("capture-pane", "-p", "-e", "-N"))

    def pid(self):
        """The process id of what runs in the pane."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def alternate(self):
        """Whether the alternate screen is on, and whether the cursor is shown."""
        on, cursor = self._tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").split()
        return on == "1", cursor == "1"

    def close(self):
        """Ends the session and its server."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def page(ansi):
    """Text with SGR sequences as an HTML page."""
    lines = []
    style = {}
    for line in ansi.rstrip("\n").split("\n"):
        out, at = [], 0
        for match in re.finditer(r"\x1b\[([0-9;:]*)m", line):
            out.append(span(line[at:match.start()], style))
            apply(style, match.group(1))
            at = match.end()
        out.append(span(line[at:], style))
        lines.append("".join(out))
    body = "".join(f"<div>{line or ' '}</div>" for line in lines)
    return (
        "<!doctype html><meta charset=utf-8><style>"
        f"html,body{{margin:0;background:{PAPER}}}"
        f"#t{{display:inline-block;padding:14px;background:{PAPER};color:{INK};"
        "font:14px/17px 'DejaVu Sans Mono','Noto Sans Mono',monospace;white-space:pre}"
        "#t div{height:17px;overflow:hidden}#t span{display:inline-block;height:17px;vertical-align:top}i{display:inline-block;width:1ch;font-style:normal;overflow:hidden;height:17px;"
        "vertical-align:top}"
        f"</style><div id=t>{body}</div>"
    )


def span(text, style):
    """Text in a style."""
    if not text:
        return ""
    ink, paper = style.get("ink"), style.get("paper")
    if style.get("reverse"):
        ink, paper = paper or PAPER, ink or INK
    parts = [f"color:{ink}" if ink else "", f"background:{paper}" if paper else ""]
    parts += ["font-weight:bold" if style.get("bold") else "", "opacity:.65" if style.get("dim") else ""]
    css = ";".join(part for part in parts if part)
    # Characters that the font takes from another one have another width there; each gets a cell of its own.
    cells = "".join(html.escape(c) if c.isascii() else f"<i>{c}</i>" for c in text)
    return f'<span style="{css}">{cells}</span>' if css else cells


def apply(style, codes):
    """Changes a style as the numbers of an SGR sequence say."""
    numbers = [int(code or 0) for code in re.split("[;:]", codes)]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            style.clear()
        elif code in (1, 2, 7):
            style[{1: "bold", 2: "dim", 7: "reverse"}[code]] = True
        elif code == 22:
            style.pop("bold", None), style.pop("dim", None)
        elif code in (39, 49):
            style.pop("ink" if code == 39 else "paper", None)
        elif code in (38, 48) and numbers:
            kind = numbers.pop(0)
            if kind == 2:
                color = "#%02x%02x%02x" % tuple(numbers[:3])
                del numbers[:3]
            else:
                color = entry(numbers.pop(0))
            style["ink" if code == 38 else "paper"] = color
        elif 30 <= code <= 37 or 40 <= code <= 47:
            style["ink" if code < 40 else "paper"] = PALETTE[code % 10]
        elif 90 <= code <= 97 or 100 <= code <= 107:
            style["ink" if code < 100 else "paper"] = BRIGHT[code % 10]


def entry(index):
    """An entry of the 256-colour palette."""
    if index < 16:
        return (PALETTE + BRIGHT)[index]
    if index >= 232:
        return "#" + 3 * f"{8 + 10 * (index - 232):02x}"
    levels = [0, 95, 135, 175, 215, 255]
    index -= 16
    return "#%02x%02x%02x" % (levels[index // 36], levels[index // 6 % 6], levels[index % 6])
