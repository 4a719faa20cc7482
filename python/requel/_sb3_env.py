"""Environments in the shape of Stable-Baselines3's vectors, for who asks a model for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import concatenate, create_empty_array

from requel._sb3_vec import VecEnvVector, layers_of

if TYPE_CHECKING:
    from requel._given import Given

Make = Callable[[], gymnasium.Env[Any, Any]]


def vector_of(given: Given, count: int) -> Any:
    """So many environments like those that were given; the vector itself where it is one of Stable-Baselines3's.

    A program that has imported Stable-Baselines3 gets its ``DummyVecEnv``, another one the same in the shape of it.
    """
    if given.vector is not None and isinstance(given.vector.env, VecEnvVector):
        return given.vector.env.vec_env
    makes = [maker_of(given)] * count
    theirs = sys.modules.get("stable_baselines3")
    if theirs is None:
        return VecEnv(makes)
    from stable_baselines3.common.monitor import Monitor  # pyright: ignore[reportMissingImports]
    from stable_baselines3.common.preprocessing import is_image_space, is_image_space_channels_first  # pyright: ignore[reportMissingImports]
    from stable_baselines3.common.vec_env import DummyVecEnv, VecTransposeImage  # pyright: ignore[reportMissingImports]

    vector = DummyVecEnv([lambda make=make: Monitor(make()) for make in makes])
    space = vector.observation_space
    # There a model's own environments show the channels of pictures first.
    return VecTransposeImage(vector) if is_image_space(space) and not is_image_space_channels_first(space) else vector


def maker_of(given: Given) -> Make:
    """What makes one more of the environments that were given."""
    source = given.source
    if source is None:
        return lambda: gymnasium.make(f"requel/{given.own_id}")
    return lambda: source.take().env


def normalizer_of(given: Given) -> Any:
    """The ``VecNormalize`` around a vector of Stable-Baselines3 that was given; ``None`` where there is none."""
    if given.vector is None or not isinstance(given.vector.env, VecEnvVector):
        return None
    return next((layer for layer in layers_of(given.vector.env.vec_env) if type(layer).__name__ == "VecNormalize"), None)


class VecEnv:
    """Environments in a row. One that ends is reset within the step, and what it ended with is its ``terminal_observation``."""

    def __init__(self, makes: Sequence[Make]) -> None:
        self.envs = [make() for make in makes]
        self.num_envs = len(self.envs)
        self.observation_space, self.action_space = self.envs[0].observation_space, self.envs[0].action_space
        self.metadata = self.envs[0].metadata
        self.render_mode = self.envs[0].render_mode
        self.reset_infos: list[dict[str, Any]] = [{} for _ in self.envs]
        self._seeds: list[int | None] = [None] * self.num_envs
        self._actions: Any = None

    def seed(self, seed: int | None = None) -> list[int | None]:
        """Seed the next reset: the first environment with the seed, each next one with the next."""
        self._seeds = [None if seed is None else seed + slot for slot in range(self.num_envs)]
        return self._seeds

    def reset(self) -> Any:
        """Begin an episode in each."""
        shown = []
        for slot, env in enumerate(self.envs):
            observation, self.reset_infos[slot] = env.reset(seed=self._seeds[slot])
            shown.append(observation)
        self._seeds = [None] * self.num_envs
        return self._batch(shown)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take an action in each: observations, rewards, dones, information."""
        shown, rewards, dones, infos = [], [], [], []
        for slot, (env, action) in enumerate(zip(self.envs, actions, strict=True)):
            observation, reward, terminated, truncated, info = env.step(action)
            info = {**info, "TimeLimit.truncated": bool(truncated and not terminated)}
            if terminated or truncated:
                info["terminal_observation"] = observation
                observation, self.reset_infos[slot] = env.reset()
            shown.append(observation)
            rewards.append(float(reward))
            dones.append(bool(terminated or truncated))
            infos.append(info)
        return self._batch(shown), np.array(rewards, np.float32), np.array(dones), infos

    def step_async(self, actions: Any) -> None:
        """Keep actions for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Take the actions that were kept."""
        return self.step(self._actions)

    def env_method(self, name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """What a method of each environment returns."""
        return [env.get_wrapper_attr(name)(*args, **kwargs) for env in self._chosen(indices)]

    def get_attr(self, name: str, indices: Any = None) -> list[Any]:
        """An attribute of each environment."""
        return [env.get_wrapper_attr(name) for env in self._chosen(indices)]

    def set_attr(self, name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of each environment."""
        for env in self._chosen(indices):
            setattr(env.unwrapped, name, value)

    def env_is_wrapped(self, wrapper: type, indices: Any = None) -> list[bool]:
        """Whether each has a wrapper of a class."""
        from requel._environments import layers

        return [any(isinstance(layer, wrapper) for layer in layers(env)) for env in self._chosen(indices)]

    def render(self, mode: str | None = None) -> Any:
        """What the first one renders."""
        return self.envs[0].render()

    def get_images(self) -> list[Any]:
        """What each renders."""
        return [env.render() for env in self.envs]

    def close(self) -> None:
        """Close them."""
        for env in self.envs:
            env.close()

    @property
    def unwrapped(self) -> VecEnv:
        """Itself."""
        return self

    def _chosen(self, indices: Any) -> list[gymnasium.Env[Any, Any]]:
        if indices is None:
            return self.envs
        return [self.envs[slot] for slot in ([indices] if isinstance(indices, int) else indices)]

    def _batch(self, shown: Sequence[Any]) -> Any:
        space = self.observation_space
        return concatenate(space, shown, create_empty_array(space, self.num_envs))
