"""What a model in Stable-Baselines3's shape says of its replay buffer."""

from __future__ import annotations

import dataclasses
from typing import Any

_NOT_HERE = "requel.ReplayBuffer is for your own loop, and requel.AgentLoop.fill() stores recorded episodes"


@dataclasses.dataclass(frozen=True)
class Stored:
    """How much a replay buffer holds, as it was when it was asked for."""

    #: Transitions of all environments together.
    stored: int
    #: Environments.
    n_envs: int
    #: Transitions of each environment that there is room for.
    buffer_size: int
    #: Rewards that are summed in a transition.
    n_steps: int
    #: The discount of a step.
    gamma: float

    @property
    def full(self) -> bool:
        """Whether the oldest transition is overwritten next."""
        return self.stored >= self.buffer_size * self.n_envs

    def size(self) -> int:
        """Transitions of each environment, as there."""
        return self.stored // self.n_envs

    def __getattr__(self, name: str) -> Any:
        """Say why something is not there."""
        raise AttributeError(f"the replay buffer of a model has no {name}: save_replay_buffer() writes it; {_NOT_HERE}")
