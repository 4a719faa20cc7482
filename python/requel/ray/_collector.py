"""The actor that steps environments for :class:`requel.ray.ApexDQN`."""

from __future__ import annotations

import dataclasses
from typing import Any

from requel import _requel
from requel._given import Given, given
from requel._training import config_of


@dataclasses.dataclass(frozen=True)
class Plan:
    """What learner and collectors are made of, each for itself: it travels, and configs do not."""

    env: Any
    algo: str | None
    preset: str | None
    reward_range: tuple[float, float] | None
    settings: tuple[tuple[str, str, Any], ...]

    def made(self, more: tuple[tuple[str, str, Any], ...] = ()) -> tuple[Given, _requel.Config]:
        """The environment, looked at, and the complete settings."""
        looked_at = given(self.env, None, (), self.reward_range)
        if looked_at.vector is not None:
            raise TypeError("collectors step environments one by one: give an id, a class or a function instead of a vector")
        if looked_at.stack > 1:
            raise TypeError("give the environment without frame stacking, and env={'frame_stack': n}: then each frame is sent only once")
        return looked_at, config_of(looked_at, [*self.settings, *more], preset=self.preset, algo=self.algo)


class Collector:
    """Steps some of the environments, and sends what it saw as one array of bytes."""

    def __init__(self, plan: Plan, slots: tuple[int, int], id: tuple[int, int], in_step: bool, epsilon: float | None) -> None:  # noqa: A002
        more = () if epsilon is None else (("epsilons", "exploration.kind", "constant"), ("epsilons", "exploration.start", epsilon))
        looked_at, config = plan.made(more)
        self._inner = _requel.Collector(config, looked_at.source, slots, id, in_step)
        self._version: int | None = None
        self._sequence = 0
        self._block = b""

    def collect(self, sequence: int, steps: int, env_steps: int, envs: int, version: int, weights: bytes) -> bytes:
        """The block of this number. One that is asked for again, because it did not arrive, is the same."""
        if sequence == self._sequence - 1:
            return self._block
        if sequence != self._sequence:
            raise ValueError(f"block {sequence} was requested, but the next is {self._sequence}")
        if version != self._version:
            self._inner.set_weights(version, weights)
            self._version = version
        self._block = self._inner.collect(steps, env_steps, envs)
        self._sequence += 1
        return self._block

    def save(self) -> bytes | None:
        """The complete state; ``None`` where the environments have none that can be saved."""
        return self._inner.save()

    def restore(self, state: bytes, sequence: int) -> None:
        """Take over a state."""
        self._inner.restore(state)
        self._sequence, self._version = sequence, None
