"""Vectors as Stable-Baselines3 has them, by a small one of the same shape: it is not among what these tests install."""

from typing import Any

import gymnasium
import numpy as np
import pytest

import requel
from requel._sb3_vec import VecEnvVector, is_vec_env


class SmallVecEnv:
    """What ``DummyVecEnv`` does: a slot that ended is reset at once, and its last observation is in its information."""

    def __init__(self, factories: list[Any]) -> None:
        self.envs = [make() for make in factories]
        self.num_envs = len(self.envs)
        self.observation_space, self.action_space = self.envs[0].observation_space, self.envs[0].action_space
        self.reset_infos: list[dict[str, Any]] = [{} for _ in self.envs]
        self._seeds: list[int | None] = [None] * self.num_envs

    def seed(self, seed: int) -> None:
        self._seeds = [seed + slot for slot in range(self.num_envs)]

    def reset(self) -> np.ndarray:
        began = [env.reset(seed=seed) for env, seed in zip(self.envs, self._seeds, strict=True)]
        self._seeds = [None] * self.num_envs
        self.reset_infos = [info for _, info in began]
        return np.stack([observation for observation, _ in began])

    def step_async(self, actions: np.ndarray) -> None:
        self._actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        shown, rewards, dones, infos = [], [], [], []
        for slot, (env, action) in enumerate(zip(self.envs, self._actions, strict=True)):
            observation, reward, terminated, truncated, info = env.step(action)
            info["TimeLimit.truncated"] = truncated and not terminated
            if terminated or truncated:
                info["terminal_observation"] = observation
                observation, self.reset_infos[slot] = env.reset()
            shown.append(observation)
            rewards.append(reward)
            dones.append(terminated or truncated)
            infos.append(info)
        return np.stack(shown), np.array(rewards, np.float32), np.array(dones), infos

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        self.step_async(actions)
        return self.step_wait()

    def env_method(self, name: str, *args: Any) -> list[Any]:
        return [env.get_wrapper_attr(name)(*args) for env in self.envs]

    def close(self) -> None:
        for env in self.envs:
            env.close()


class Normalized:
    """A wrapper around such a vector that changes what is seen."""

    def __init__(self, venv: SmallVecEnv) -> None:
        self.venv = venv

    def __getattr__(self, name: str) -> Any:
        return getattr(vars(self)["venv"], name)


class Counter(gymnasium.Env[np.ndarray, int]):
    """Shows how many steps were made, ends after three and is cut off after two in every other episode; one action is allowed."""

    observation_space = gymnasium.spaces.Box(0.0, 10.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    episodes = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        self.episodes += 1
        return self._shown(), self._info()

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.steps += 1
        truncated = self.episodes % 2 == 0 and self.steps == 2
        return self._shown(), 1.0, self.steps == 3, truncated, self._info()

    def _shown(self) -> np.ndarray:
        return np.array([self.steps], np.float32)

    def _info(self) -> dict[str, Any]:
        return {"action_mask": np.array([True, self.steps == 0])}


def make() -> gymnasium.Env[Any, Any]:
    return gymnasium.make("CartPole-v1")


def weights(env: Any, run_dir: Any, num_envs: int | None = None, **arguments: Any) -> str:
    train: dict[str, Any] = {"env_steps": 1_500, "episodes": 0}
    if num_envs is not None:
        train["num_envs"] = num_envs
    run = requel.train(
        env, preset="notebook", seed=7, run_dir=run_dir, train=train, evaluation={"final_episodes": 2}, **arguments
    )
    return run.weights_blake3


def test_the_weights_are_those_of_single_environments(tmp_path):
    assert weights(SmallVecEnv([make] * 3), tmp_path / "vector") == weights(make, tmp_path / "single", num_envs=3)


def test_a_slot_ends_with_its_true_last_observation_and_allows_what_the_next_one_does():
    vector = VecEnvVector(SmallVecEnv([Counter, Counter]))
    vector.vec_env.envs[1].episodes = 1
    shown, info = vector.reset(seed=3)
    assert shown.ravel().tolist() == [0, 0]
    assert [list(mask) for mask in info["action_mask"]] == [[True, True], [True, True]]
    vector.step(np.array([0, 0]))
    shown, _, terminated, truncated, info = vector.step(np.array([0, 0]))
    assert (shown.ravel().tolist(), terminated.tolist(), truncated.tolist()) == ([2, 0], [False, False], [False, True])
    assert info["final_obs"][1].tolist() == [2] and info["_final_obs"].tolist() == [False, True]
    assert [list(mask) for mask in info["action_mask"]] == [[True, False], [True, True]]
    assert list(info["final_info"]["action_mask"][1]) == [True, False]
    _, _, terminated, _, info = vector.step(np.array([0, 0]))
    assert terminated.tolist() == [True, False] and info["final_obs"][0].tolist() == [3]


def test_wrappers_that_change_what_is_seen_need_an_environment_for_scores(tmp_path):
    with pytest.raises(TypeError, match="eval_env"):
        weights(Normalized(SmallVecEnv([make])), tmp_path / "without")
    assert weights(Normalized(SmallVecEnv([make])), tmp_path / "with", eval_env=make)


def test_neither_environments_nor_gymnasiums_vectors_are_taken_for_one():
    assert is_vec_env(SmallVecEnv([make]))
    assert not any(map(is_vec_env, (make(), gymnasium.vector.SyncVectorEnv([make]), make, "CartPole-v1", SmallVecEnv)))
