"""What an environment shows and takes, without the environment: a model that is loaded without one can act, and no more."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec


class Shown(gymnasium.Env[Any, Any]):
    """Stands for an environment whose spaces are known and which is not there: it has no steps."""

    def __init__(self, env_id: str, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation_space, action_space
        self.spec = EnvSpec.__new__(EnvSpec)
        # Its id is the name of a class, which no registry has to know.
        self.spec.__dict__.update(id=env_id, entry_point=None, max_episode_steps=None, reward_threshold=None, kwargs={})

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Some observation."""
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Refuse it."""
        raise RuntimeError("the model was loaded without its environment: give it to load() or set_env()")


def described(space: spaces.Space[Any]) -> dict[str, Any] | None:
    """A space as JSON can hold it; ``None`` where it is of a kind that has no form there."""
    if isinstance(space, spaces.Box):
        bounds = {"low": _bound(space.low), "high": _bound(space.high)}
        return {"kind": "box", **bounds, "shape": list(space.shape), "dtype": str(space.dtype)}
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "multi_discrete", "nvec": space.nvec.tolist(), "start": np.asarray(space.start).tolist(), "dtype": str(space.dtype)}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multi_binary", "n": int(space.n) if np.ndim(space.n) == 0 else list(space.shape)}
    if isinstance(space, spaces.Dict):
        parts = {key: described(part) for key, part in space.spaces.items() if isinstance(key, str)}
        is_whole = len(parts) == len(space.spaces) and None not in parts.values()
        return {"kind": "dict", "parts": list(parts.items())} if is_whole else None
    if isinstance(space, spaces.Tuple):
        listed = [described(part) for part in space.spaces]
        return {"kind": "tuple", "parts": listed} if None not in listed else None
    return None


def space_of(told: dict[str, Any]) -> spaces.Space[Any]:
    """The space that :func:`described` described.

    Raises:
        ValueError: if it is none.
    """
    try:
        return _KINDS[told["kind"]](told)
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise ValueError(f"{told!r} does not describe a space: {error}") from error


def _bound(bound: np.ndarray) -> Any:
    """One number where all are the same: those of pictures are many."""
    return bound.flat[0].item() if bound.size and (bound == bound.flat[0]).all() else bound.tolist()


def _box(told: dict[str, Any]) -> spaces.Box:
    dtype, shape = np.dtype(told["dtype"]).type, tuple(told["shape"])
    low, high = (np.broadcast_to(np.asarray(told[end], dtype), shape) for end in ("low", "high"))
    return spaces.Box(low, high, shape, dtype)


_KINDS: dict[str, Any] = {
    "box": _box,
    "discrete": lambda told: spaces.Discrete(told["n"], start=told["start"]),
    "multi_discrete": lambda told: spaces.MultiDiscrete(told["nvec"], np.dtype(told["dtype"]).type, start=told["start"]),
    "multi_binary": lambda told: spaces.MultiBinary(told["n"]),
    "dict": lambda told: spaces.Dict([(key, space_of(part)) for key, part in told["parts"]]),
    "tuple": lambda told: spaces.Tuple([space_of(part) for part in told["parts"]]),
}
