"""Environments that tests train in."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Corridor(gymnasium.Env):
    """Walk right to the end: five cells, a reward of 1 there."""

    def __init__(self, cells: int = 5) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.cells, self.at = cells, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(2))
        return self._seen(), {}

    def step(self, action):
        self.at = max(0, self.at + (1 if action == 1 else -1))
        done = self.at >= self.cells
        return self._seen(), float(done), done, False, {"is_success": done, "at": self.at}

    def _seen(self):
        return np.array([self.at / self.cells], np.float32)


class Counter(gymnasium.Env):
    """Shows how many steps its episode has; episode number ``n`` of it takes ``3 + n % 4`` of them."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 10.0, (1,), np.float32)
        self.action_space = spaces.Discrete(2)
        self.episode, self.count = -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        if seed is not None:
            self.episode = seed % 4
        else:
            self.episode += 1
        self.count = 0
        return self._seen(), {}

    def step(self, action):
        self.count += 1
        ended = self.count == 3 + self.episode % 4
        # What the reward of a step is, its observations say too: a transition that is none would not fit.
        return self._seen(), float(self.count), ended and self.episode % 2 == 0, ended and self.episode % 2 == 1, {}

    def _seen(self):
        return np.array([self.count], np.float32)


class Broken(Corridor):
    """Raises in one step of all that it takes."""

    raises_at = 450

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def step(self, action):
        self.steps += 1
        if self.steps == self.raises_at:
            raise ArithmeticError("the arm is stuck")
        return super().step(action)


class Masked(Corridor):
    """Allows only the way to the right."""

    def action_masks(self):
        return np.array([False, True])

    def step(self, action):
        assert action == 1, "an action was taken that is not allowed"
        return super().step(action)


class Spaces(gymnasium.Env):
    """Observations and actions of any space, sampled."""

    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space) -> None:
        self.observation_space, self.action_space = observation_space, action_space
        self.taken: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(1000)))
        self.count = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is none of {self.action_space}"
        self.count += 1
        return self.observation_space.sample(), 1.0, False, self.count == 5, {}
