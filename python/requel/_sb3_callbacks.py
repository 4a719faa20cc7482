"""Callbacks with Stable-Baselines3's interface, and functions of an event."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from requel import events


class Locals(dict[str, Any]):
    """What a step of ``learn`` knows, by the names of Stable-Baselines3's local variables. Most are made when they are asked for."""

    def __init__(self, model: Any, total: int | None) -> None:
        super().__init__(self=model, total_timesteps=total)
        self._event = events.Stepped(0, [])
        self._returns: list[float] = []
        self._lengths: list[int] = []
        #: Slot, return and length of the episodes that ended with the step.
        self._ended: list[tuple[int, float, int]] = []
        self._made: list[str] = []

    def take(self, event: events.Stepped) -> None:
        """Note what came of a step."""
        for name in self._made:
            del self[name]
        self._made.clear()
        self._event = event
        if not self._returns:
            self._returns, self._lengths = [0.0] * len(event.rewards), [0] * len(event.rewards)
        if self._ended:
            self._ended = []
        for slot, reward in enumerate(event.rewards):
            self._returns[slot] += reward
            self._lengths[slot] += 1
            if event.terminated[slot] or event.truncated[slot]:
                self._ended.append((slot, self._returns[slot], self._lengths[slot]))
                self._returns[slot], self._lengths[slot] = 0.0, 0

    def __contains__(self, name: object) -> bool:
        """Whether there is one of this name."""
        return name in _MADE or super().__contains__(name)

    def __missing__(self, name: str) -> Any:
        """One that was not asked for yet."""
        if name not in _MADE:
            raise KeyError(name)
        self[name] = _MADE[name](self)
        if name != "env":
            self._made.append(name)
        return self[name]

    def _dones(self) -> np.ndarray:
        return np.array(self._event.terminated, bool) | np.array(self._event.truncated, bool)

    def _infos(self) -> list[dict[str, Any]]:
        infos: list[dict[str, Any]] = [{} for _ in self._event.rewards]
        for slot, return_, length in self._ended:
            cut_off = self._event.truncated[slot] and not self._event.terminated[slot]
            infos[slot] = {"episode": {"r": return_, "l": length}, "TimeLimit.truncated": cut_off}
        return infos


_MADE: dict[str, Callable[[Locals], Any]] = {
    "actions": lambda told: np.array(told._event.actions),  # noqa: SLF001
    "rewards": lambda told: np.array(told._event.rewards, np.float32),  # noqa: SLF001
    "dones": Locals._dones,  # noqa: SLF001
    "infos": Locals._infos,  # noqa: SLF001
    "new_obs": lambda told: told["self"]._shown(),  # noqa: SLF001
    "env": lambda told: told["self"].get_env(),
}


@dataclasses.dataclass
class Adapted:
    """A callback translated to functions of events."""

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


def adapted(callback: Any, model: Any, total: int | None = None) -> Adapted:
    """Callbacks as a listener takes them: functions of an event, functions of ``locals`` and ``globals``, objects with ``on_step``.

    Raises:
        TypeError: if it is none of these.
    """
    found, told = Adapted(), Locals(model, total)
    for one in callback if isinstance(callback, list | tuple) else [] if callback is None else [callback]:
        if hasattr(one, "on_step"):
            _adapt_object(one, told, found)
        elif callable(one) and _takes_two(one):
            found.on_step.append(lambda event, call=one: _goes_on(call(told, {})))
        elif callable(one):
            found.on_event.append(one)
        else:
            raise TypeError(f"{one!r} is not a callback: give a function that takes an event, or an object with on_step()")
    if found.on_step:
        found.on_step.insert(0, told.take)
    return found


def _adapt_object(one: Any, told: Locals, found: Adapted) -> None:
    if hasattr(one, "init_callback"):
        found._begin.append(lambda: one.init_callback(told["self"]))  # noqa: SLF001
    if hasattr(one, "on_training_start"):
        found._begin.append(lambda: one.on_training_start(told, {}))  # noqa: SLF001
    if hasattr(one, "on_training_end"):
        found._end.append(one.on_training_end)  # noqa: SLF001
    rollouts = Rollouts(one, getattr(told["self"], "_steps_of_rollout", 1)) if hasattr(one, "on_rollout_start") else None

    def step(event: events.Event) -> bool:
        if rollouts is not None:
            rollouts.step()
        return _goes_on(one.on_step())

    found.on_step.append(step)
    if rollouts is not None:
        found._end.insert(0, rollouts.end)  # noqa: SLF001


class Rollouts:
    """Tells a callback where a rollout begins and ends: one is what is collected between two times of learning."""

    def __init__(self, callback: Any, steps: int) -> None:
        self._callback, self._steps, self._made = callback, steps, 0

    def step(self) -> None:
        """A step was made."""
        if self._made % self._steps == 0:
            self.end()
            self._callback.on_rollout_start()
        self._made += 1

    def end(self) -> None:
        """No more steps are made."""
        if self._made:
            self._callback.on_rollout_end()


def _goes_on(answer: Any) -> bool:
    """Whether learning continues; ``None`` counts as yes."""
    return answer is None or bool(answer)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(needed) == 2
