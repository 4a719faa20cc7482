"""An agent for your own training loop: :class:`AgentLoop`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from requel import _spaces, events
from requel._environments import Description
from requel._requel import Config
from requel._requel import AgentLoop as Inner
from requel._training import settings_of, with_env

if TYPE_CHECKING:
    from typing_extensions import Self


class AgentLoop:
    """An agent that is asked for actions and shown their results; it learns when updates are due.

    With the same steps it gives the same weights as :func:`requel.train`.

    Args:
        observation_space: the space of one environment's observations.
        action_space: the space of its actions.
        num_envs: the number of environments. With one, observations and actions are single ones; with more, batches.
        algo, preset, seed, reward_range, env_options, **sections: as for :func:`requel.train`.
        masked: whether :meth:`act` and :meth:`observe` receive action masks.

    Raises:
        ValueError: for a setting that is unknown, out of range or in conflict with another.
        TypeError: for a space that is not supported.

    >>> agent = AgentLoop(env.observation_space, env.action_space, preset="notebook")  # doctest: +SKIP
    >>> observation, _ = env.reset(seed=0)  # doctest: +SKIP
    >>> for _ in range(10_000):  # doctest: +SKIP
    ...     action = agent.act(observation)
    ...     following, reward, terminated, truncated, _ = env.step(action)
    ...     agent.observe(observation, action, reward, following, terminated, truncated)
    ...     observation = env.reset()[0] if terminated or truncated else following
    """

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        *,
        num_envs: int = 1,
        algo: str | None = "dqn",
        preset: str | None = None,
        seed: int | None = None,
        reward_range: tuple[float, float] | None = None,
        masked: bool = False,
        env_options: Mapping[str, Any] | None = None,
        **sections: Mapping[str, Any],
    ) -> None:
        self._encoder = _spaces.Encoder(observation_space, action_space)
        self.num_envs = num_envs
        self.observation_space: gymnasium.Space[Any] = observation_space
        self.action_space: gymnasium.Space[Any] = action_space
        described = _one_hot(_spaces.observations(observation_space)[0])
        description = Description(
            id="AgentLoop",
            max_episode_steps=None,
            reward_threshold=None,
            reward_range=reward_range,
            frames_per_second=10.0,
            metrics=[],
            heeds_seeds=True,
            saves=False,
            observations=described,
            action_count=self._encoder.action_count,
            masked=masked,
            asked_for_masks=False,
            stack=1,
        )
        settings = [*settings_of(with_env(sections, env_options), seed=seed), ("num_envs", "train.num_envs", num_envs)]
        self._config = Config.resolve("AgentLoop", preset or "default", algo, settings)
        self._agent = Inner(self._config, description)
        # What was chosen last, by its number: an environment takes actions of its own kind.
        self._chosen: list[int] = []

    def act(self, observation: Any, action_mask: Any = None) -> np.ndarray:
        """An exploring action for an observation; with several environments, an array with one action for each.

        Args:
            observation: the current observation; with several environments, a batch.
            action_mask: which actions are allowed, (environments ×) actions.
        """
        self._chosen = self._agent.act(self._rows(observation), _flags(action_mask))
        return self._encoder.actions(self._chosen, single=self.num_envs == 1)

    def observe(
        self,
        observation: Any,
        action: Any,
        reward: Any,
        next_observation: Any,
        terminated: Any,
        truncated: Any,
        *,
        action_mask: Any = None,
        next_action_mask: Any = None,
    ) -> int:
        """Show the agent the result of an action; with several environments, of one action in each. It then makes the updates that are due.

        Args:
            observation: the observation before the action.
            action: the action.
            reward: the reward.
            next_observation: the observation after it; at the end of an episode, its true last observation.
            terminated: whether the episode reached a terminal state.
            truncated: whether it was cut off.
            action_mask: which actions were allowed before.
            next_action_mask: which are allowed after.

        Returns:
            How many updates were made.

        Raises:
            RuntimeError: for a number that is not finite; the step is then not used for learning.
        """
        columns = tuple(np.atleast_1d(np.asarray(column, kind)) for column, kind in ((reward, np.float64), (terminated, bool), (truncated, bool)))
        actions = [self._encoder.index(one) for one in ([action] if self.num_envs == 1 else action)]
        flags = _flags(action_mask), _flags(next_action_mask)
        return self._agent.observe(self._rows(observation), actions, columns, self._rows(next_observation), *flags)

    def interrupt(self, env: int = 0) -> None:
        """Report that the next step of an environment does not follow the previous one: no transition spans both."""
        self._agent.interrupt(env)

    def fill(self, episodes: Iterable[Any]) -> int:
        """Fill the replay buffer with recorded episodes, such as those of a Minari data set, without learning from them yet.

        Args:
            episodes: objects or dicts with ``observations`` (one more than actions), ``actions``, ``rewards``, ``terminations`` and
                ``truncations``.

        Returns:
            The number of transitions.

        Learning from fixed data alone overestimates actions that the data lacks: a policy that plain DQN learns from it is often worse than
        the data. There is no conservative term here.
        """
        if self.num_envs != 1:
            raise ValueError("only an agent with one environment can fill a buffer")
        count = 0
        for episode in episodes:
            get = episode.__getitem__ if isinstance(episode, Mapping) else lambda name, of=episode: getattr(of, name)
            seen, _ = self._encoder.rows(get("observations"))
            columns = [np.asarray(get(name), kind) for name, kind in (("rewards", np.float64), ("terminations", bool), ("truncations", bool))]
            for step, action in enumerate(get("actions")):
                row = tuple(column[step : step + 1] for column in columns)
                self._agent.observe(seen[step : step + 1], [self._encoder.index(action)], row, seen[step + 1 : step + 2], stored=True)
                count += 1
            if count and not (columns[1][-1] or columns[2][-1]):
                self._agent.interrupt(0)
        return count

    def update(self, times: int = 1) -> int:
        """Make this many updates from the replay buffer, whether they are due or not.

        Returns:
            How many updates were made.

        Raises:
            ValueError: if the buffer contains less than a batch.
        """
        return self._agent.update(times)

    def predict(self, observation: Any, action_masks: Any = None) -> tuple[np.ndarray, None]:
        """The greedy action for an observation or a batch, as :meth:`requel.Agent.predict`."""
        rows, single = self._encoder.rows(observation)
        if not len(rows):
            return self._encoder.actions([], single=False), None
        chosen, _ = self._agent.predict(rows, _flags(action_masks))
        return self._encoder.actions(chosen, single=single), None

    def q_values(self, observation: Any) -> np.ndarray:
        """The value of each action, (observations ×) actions."""
        rows, single = self._encoder.rows(observation)
        _, values = self._agent.predict(rows, None)
        return _spaces.table(values, len(rows), single=single)

    def numbers(self) -> dict[str, Any]:
        """Statistics of learning since the last call, with the names used in the logs of a run."""
        return json.loads(self._agent.numbers())

    def evaluate(self, env: gymnasium.Env[Any, Any], episodes: int = 100, *, seed: int = 0) -> events.Score:
        """Score the current policy over whole episodes, greedily; the ``i``-th starts from ``reset(seed=seed + i)``."""
        from requel._agent import scored

        return scored(self.predict, env, episodes, seed)

    def save(self, directory: str | os.PathLike[str]) -> Path:
        """Write the complete state, replay buffer included, below a directory that keeps the two newest; each is complete or absent."""
        return Path(self._agent.save(Path(directory)))

    def restore(self, directory: str | os.PathLike[str]) -> Self:
        """Restore the newest intact state that :meth:`save` wrote, for an agent with the same settings. New episodes start."""
        self._agent.restore(Path(directory))
        for env in range(self.num_envs):
            self._agent.interrupt(env)
        return self

    @property
    def env_steps(self) -> int:
        """Env steps observed so far."""
        return self._agent.progress()[0]

    @property
    def updates(self) -> int:
        """Updates so far."""
        return self._agent.progress()[1]

    @property
    def weights_blake3(self) -> str:
        """BLAKE3 of the current weights as little-endian ``f32``, hexadecimal."""
        return self._agent.weights_blake3()

    @property
    def config(self) -> str:
        """The settings, complete, as TOML."""
        return self._config.text

    def _rows(self, observation: Any) -> np.ndarray:
        rows, single = self._encoder.rows(observation)
        if single != (self.num_envs == 1) and not (len(rows) == self.num_envs == 1):
            raise ValueError(f"{'one observation' if single else 'a batch'} for {self.num_envs} environments")
        return rows


def _one_hot(described: dict[str, Any]) -> dict[str, Any]:
    """The observation space as the agent sees it."""
    if described["kind"] == "box":
        return {key: value for key, value in described.items() if key != "axes"}
    sizes = described["n"] if isinstance(described["n"], list) else [described["n"]]
    return {"kind": "box", "low": [0.0] * sum(sizes), "high": [1.0] * sum(sizes), "shape": [sum(sizes)], "dtype": "float32"}


def _flags(mask: Any) -> np.ndarray | None:
    return None if mask is None else np.ascontiguousarray(np.atleast_2d(np.asarray(mask, bool)))
