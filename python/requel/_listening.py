"""Who listens to a training: callbacks of every shape, a progress bar, and Ctrl-C."""

from __future__ import annotations

import atexit
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from requel import events
from requel._requel import Training

Callback = Callable[[events.Event], Any]


class Listener:
    """Hands events on to callbacks. It is itself what the extension calls."""

    def __init__(self, callbacks: Sequence[Callback], on_step: Sequence[Callable[[events.Event], Any]] = ()) -> None:
        self._callbacks = list(callbacks)
        self._on_step = list(on_step)

    @property
    def wants_steps(self) -> bool:
        """Whether every step is of interest."""
        return bool(self._on_step)

    @property
    def is_needed(self) -> bool:
        """Whether anybody listens."""
        return bool(self._callbacks or self._on_step)

    def __call__(self, kind: str, name: str, fields: dict[str, Any]) -> bool:
        event = events._event(name, fields)  # noqa: SLF001
        listening = self._on_step if isinstance(event, events.Stepped) else self._callbacks
        # Each of them is told, whatever another says.
        return all([callback(event) is not False for callback in listening])


class ProgressBar:
    """A line on the standard error stream, or under a cell of a notebook, that says how far a training is."""

    def __init__(self, total: int | None, unit: str = "env steps", *, pause: float = 0.1) -> None:
        self._total, self._unit, self._pause = total, unit, pause
        self._begun = self._shown = time.monotonic()
        self._first: int | None = None
        self._latest = ""

    def __call__(self, event: events.Event) -> None:
        """Show how far it is, a few times a second."""
        if self._first is None:
            self._first = event.env_steps
        if isinstance(event, events.Progress):
            self._latest = "" if event.return_mean is None else f" · return {event.return_mean:.4g}"
        elif isinstance(event, events.FinalEpisode):
            self._latest = f" · final evaluation: {event.played} of {event.episodes} episodes"
        now = time.monotonic()
        if now - self._shown >= self._pause:
            self._shown = now
            self._write(event.env_steps)

    def close(self, env_steps: int) -> None:
        """Show the end, and leave the line."""
        self._write(env_steps)
        print(file=sys.stderr)

    def _write(self, env_steps: int) -> None:
        rate = (env_steps - (self._first or 0)) / max(time.monotonic() - self._begun, 1e-9)
        share = f"{100 * min(env_steps / self._total, 1):5.1f} % " if self._total else ""
        print(f"\r{share}{env_steps:,} {self._unit}{self._latest} · {rate:,.0f}/s\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def interruptible(training: Training) -> Iterator[Callable[[], bool]]:
    """Within it the first Ctrl-C lets a training stop at a whole step; a second one raises at once.

    Gives a function that says whether there was one. Python hears of signals in its main thread alone: in another one nothing changes.
    """
    pressed = False

    def stop(number: int, frame: Any) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        training.stop()

    usual = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    with _stopped_at_exit(training):
        # What a program handles itself stays with it.
        if usual is not signal.default_int_handler:
            yield lambda: False
            return
        signal.signal(signal.SIGINT, stop)
        try:
            yield lambda: pressed
        finally:
            signal.signal(signal.SIGINT, usual)


#: What is being trained, each with what is set once it has ended.
_going_on: dict[int, tuple[Training, threading.Event]] = {}
#: Set once the interpreter ends: a training that begins only then stops at once.
_is_ending = threading.Event()
#: How long the end of the interpreter waits for trainings in daemon threads.
_SECONDS_TO_STOP = 10.0


@contextlib.contextmanager
def _stopped_at_exit(training: Training) -> Iterator[None]:
    """Within it the end of the interpreter lets a training stop at a whole step and save, in whatever thread it is."""
    ended = threading.Event()
    # Whoever asks it to stop from here on is heard, also before it has made a step.
    training.arm()
    _going_on[id(ended)] = training, ended
    if _is_ending.is_set():
        training.stop()
    try:
        yield
    finally:
        del _going_on[id(ended)]
        ended.set()


@atexit.register
def _stop_all() -> None:
    _is_ending.set()
    waited_for = list(_going_on.values())
    for training, _ in waited_for:
        training.stop()
    until = time.monotonic() + _SECONDS_TO_STOP
    for _, ended in waited_for:
        ended.wait(max(0.0, until - time.monotonic()))
