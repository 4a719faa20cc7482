"""Callbacks in Stable-Baselines3's shape, beside functions of an event."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from requel import events


@dataclasses.dataclass
class Adapted:
    """What a callback comes to."""

    on_event: list[Callable[[events.Event], Any]] = dataclasses.field(default_factory=list)
    on_step: list[Callable[[events.Event], Any]] = dataclasses.field(default_factory=list)
    _begin: list[Callable[[], Any]] = dataclasses.field(default_factory=list)
    _end: list[Callable[[], Any]] = dataclasses.field(default_factory=list)

    def begin(self) -> None:
        """Tell that training begins."""
        for call in self._begin:
            call()

    def end(self) -> None:
        """Tell that training is over."""
        for call in self._end:
            call()


def adapted(callback: Any, model: Any) -> Adapted:
    """Callbacks as a listener takes them: functions of an event, functions of ``locals`` and ``globals``, objects with ``on_step``.

    Raises:
        TypeError: if it is none of these.
    """
    found = Adapted()
    for one in callback if isinstance(callback, list | tuple) else [] if callback is None else [callback]:
        if hasattr(one, "on_step"):
            _adapt_object(one, model, found)
        elif callable(one) and _takes_two(one):
            found.on_step.append(lambda event, call=one: call({"self": model}, {}))
        elif callable(one):
            found.on_event.append(one)
        else:
            raise TypeError(f"{one!r} is no callback: give a function of an event, or an object with on_step()")
    return found


def _adapt_object(one: Any, model: Any, found: Adapted) -> None:
    if hasattr(one, "init_callback"):
        found._begin.append(lambda: one.init_callback(model))  # noqa: SLF001
    if hasattr(one, "on_training_start"):
        found._begin.append(lambda: one.on_training_start({"self": model}, {}))  # noqa: SLF001
    if hasattr(one, "on_training_end"):
        found._end.append(one.on_training_end)  # noqa: SLF001
    found.on_step.append(lambda event: one.on_step())


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(needed) == 2
