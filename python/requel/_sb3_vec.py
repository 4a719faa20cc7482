"""Stable-Baselines3's vectors of environments, as Gymnasium has them. Nothing of Stable-Baselines3 is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from requel import _environments

#: What lies around a vector there and changes neither observations nor rewards.
_HARMLESS = {"VecMonitor", "VecCheckNan", "VecVideoRecorder"}


class VecEnvVector(VectorEnv[Any, Any, Any]):
    """A ``VecEnv``: a slot that has ended is reset within the step, and what it ended with is in its ``terminal_observation``."""

    def __init__(self, vec_env: Any) -> None:
        self.vec_env = vec_env
        self.num_envs = int(vec_env.num_envs)
        self.single_observation_space, self.single_action_space = vec_env.observation_space, vec_env.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    @property
    def envs(self) -> Sequence[gymnasium.Env[Any, Any]]:
        """Its environments, where they are in this process."""
        return getattr(_innermost(self.vec_env), "envs", ())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every slot, the first one with the seed and each next one with the next."""
        if seed is not None:
            self.vec_env.seed(seed)
        shown = self.vec_env.reset()
        return shown, _gathered(getattr(self.vec_env, "reset_infos", []), np.ones(self.num_envs, bool))

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one action in each slot."""
        shown, rewards, dones, infos = self.vec_env.step(np.asarray(actions))
        ended = np.asarray(dones, bool)
        cut_off = np.array([bool(info.get("TimeLimit.truncated", False)) for info in infos])
        info = _gathered(infos, ~ended)
        if ended.any():
            final = np.full(self.num_envs, None, object)
            for slot in np.flatnonzero(ended):
                final[slot] = infos[slot]["terminal_observation"]
            info |= {"final_obs": final, "_final_obs": ended, "final_info": _gathered(infos, ended)}
            info = _merged(info, _gathered(getattr(self.vec_env, "reset_infos", []), ended))
        return shown, np.asarray(rewards, np.float64), ended & ~cut_off, ended & cut_off, info

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """What a method of each environment returns."""
        return tuple(self.vec_env.env_method(name, *args, **kwargs))

    def single(self) -> gymnasium.Env[Any, Any] | None:
        """One environment like those of its slots; ``None`` where it does not say how they are made."""
        if any(type(layer).__name__ not in _HARMLESS for layer in layers_of(self.vec_env)[:-1]) or not self.envs:
            return None
        return _environments.another(self.envs[0])

    def close_extras(self, **kwargs: Any) -> None:
        """Close its environments."""
        self.vec_env.close()


class Unscored(gymnasium.Env[Any, Any]):
    """What a vector shows and takes, for who scores no policies: it has no steps."""

    def __init__(self, vec_env: Any) -> None:
        self.observation_space, self.action_space = vec_env.observation_space, vec_env.action_space
        envs = getattr(_innermost(vec_env), "envs", ())
        self.spec = envs[0].spec if envs else None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Some observation."""
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Refuse it."""
        raise RuntimeError("policies are scored in a separate environment: give it as eval_env")


def unscored(env: Any) -> Unscored | None:
    """What stands for one environment of a vector that does not say how these are made, where no policy is scored; else ``None``."""
    if not is_vec_env(env):
        return None
    says_how = getattr(_innermost(env), "envs", ()) and all(type(layer).__name__ in _HARMLESS for layer in layers_of(env)[:-1])
    return None if says_how else Unscored(env)


def is_vec_env(env: Any) -> bool:
    """Whether it is a vector of Stable-Baselines3's kind."""
    needed = ("num_envs", "step_async", "step_wait", "env_method", "reset", "observation_space")
    return not isinstance(env, type | VectorEnv) and all(hasattr(env, name) for name in needed)


def layers_of(vec_env: Any) -> list[Any]:
    """The wrappers of a vector from the outside in, and the vector."""
    layers = [vec_env]
    while "venv" in vars(layers[-1]):
        layers.append(layers[-1].venv)
    return layers


def _innermost(vec_env: Any) -> Any:
    return layers_of(vec_env)[-1]


def _gathered(infos: Sequence[dict[str, Any]], slots: np.ndarray) -> dict[str, Any]:
    """The information of these slots by name, as Gymnasium's vectors have it: an array, and which slots said so."""
    gathered: dict[str, Any] = {}
    for slot, info in enumerate(infos):
        for name, value in info.items() if slots[slot] else ():
            if name not in gathered:
                gathered[name] = np.full(len(slots), None, object)
                gathered[f"_{name}"] = np.zeros(len(slots), bool)
            gathered[name][slot] = value
            gathered[f"_{name}"][slot] = True
    return gathered


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The information of two sets of slots that have none in common."""
    merged = dict(one)
    for name, told in other.items():
        if name.startswith("_") or name not in one:
            continue
        slots = other[f"_{name}"]
        merged[name] = np.where(slots, told, one[name])
        merged[f"_{name}"] = one[f"_{name}"] | slots
    return merged | {name: value for name, value in other.items() if name not in merged}
