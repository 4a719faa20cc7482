"""Environments for tests with Ray."""

import os
import time

import gymnasium
import numpy as np


class Drift(gymnasium.Env):
    """A point that is pushed left and right. Where a file is there, the process that finds it first hangs, or dies, and takes it away."""

    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, trap=None, kind="hang", numbers=2, seconds=0.0):
        self.observation_space = gymnasium.spaces.Box(-10.0, 10.0, (numbers,), np.float32)
        self.trap, self.kind, self.seconds = trap, kind, seconds
        self.place = self.speed = 0.0
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.speed = self.np_random.uniform(-1, 1, 2)
        return self._shown(), {}

    def step(self, action):
        self.steps += 1
        time.sleep(self.seconds)
        if self.trap and self.steps > 60 and os.path.exists(self.trap):
            try:
                os.remove(self.trap)
            except FileNotFoundError:
                pass
            else:
                if self.kind == "hang":
                    time.sleep(600)
                os._exit(7)
        self.speed += (0.1 if action else -0.1) + self.np_random.normal() * 0.01
        self.place += self.speed
        return self._shown(), 1.0 - abs(self.place), bool(abs(self.place) > 5), False, {}

    def _shown(self):
        return np.resize(np.array([self.place, self.speed], np.float32).clip(-10, 10), self.observation_space.shape)
