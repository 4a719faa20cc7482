"""Agents that learn in memory: :class:`Agent` and the family."""

from __future__ import annotations

import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium
import numpy as np

from requel import _shown, _spaces, events
from requel._given import Environment, given, learned_in
from requel._listening import Callback, Listener, ProgressBar, interruptible
from requel._requel import Config, Training
from requel._sb3_callbacks import adapted
from requel._sb3_env import maker_of
from requel._sb3_model import Sb3Model
from requel._training import settings_of, training_of, with_env

if TYPE_CHECKING:
    from typing_extensions import Self

_POLICY, _SETTINGS, _LEARNED = "policy.safetensors", "settings.json", "learned.state"


class Agent(Sb3Model):
    """An agent of any algorithm that learns in an environment, in memory. :func:`requel.train` does the same in a directory that keeps
    logs, checkpoints and the best policy.

    Args:
        env: as for :func:`requel.train`.
        algo: an algorithm, such as ``"rainbow"``, applied over the settings of the preset.
        preset, seed, eval_env, metrics, reward_range, threads, env_options, **sections: as for :func:`requel.train`.

    Raises:
        ValueError: for a setting that is unknown, out of range or in conflict with another.
        TypeError: for an unknown section, or an environment whose spaces are not supported.

    >>> agent = requel.Agent("CartPole-v1", algo="double-dqn", network={"hidden": [128]})  # doctest: +SKIP
    >>> agent.learn(50_000).evaluate(100).mean_return  # doctest: +SKIP
    """

    #: The algorithm of the class.
    algo: ClassVar[str] = "dqn"

    def __init__(
        self,
        env: Environment,
        *,
        algo: str | None = None,
        preset: str | None = None,
        seed: int | None = None,
        eval_env: Environment | None = None,
        metrics: Sequence[str] = (),
        reward_range: tuple[float, float] | None = None,
        threads: int = 1,
        env_options: Mapping[str, Any] | None = None,
        **sections: Mapping[str, Any],
    ) -> None:
        self._begin_model()
        self._given = given(env, eval_env, metrics, reward_range)
        self._made_by = {"algo": algo or self.algo, "preset": preset, "seed": seed, "reward_range": reward_range}
        self._made_by |= {"env_options": env_options, "sections": sections}
        self._threads = threads
        self._training, self._config = self._build(settings_of(with_env(sections, env_options), seed=seed))
        self._env_steps = 0
        self._encoder_: _spaces.Encoder | None = None
        self._env: gymnasium.Env[Any, Any] | None = None

    def learn(
        self,
        env_steps: int | None = None,
        *,
        callback: Callback | Sequence[Callback] | None = None,
        progress_bar: bool = False,
    ) -> Self:
        """Learn for this many more env steps, or for as many as the settings say.

        Policies are scored during learning according to the section ``evaluation``.

        Args:
            env_steps: env steps of all environments together.
            callback: a function of an event (:mod:`requel.events`), or several, or callbacks in Stable-Baselines3's shape.
            progress_bar: show progress on the standard error stream.

        Raises:
            KeyboardInterrupt: after Ctrl-C, once a step is complete; learning can continue.
        """
        made = self._training.progress()[0]
        if env_steps is not None:
            self._config = self._config.with_settings([("learn()", "train.env_steps", made + env_steps), ("learn()", "train.episodes", 0)])
            self._training.change(self._config)
        self._begin_log(4)
        self._learn(callback, progress_bar)
        return self

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
        action_masks: Any = None,
    ) -> tuple[np.ndarray, None]:
        """The greedy action for an observation, or for a batch of them.

        Args:
            observation: one observation in the environment's space, or a batch, observations × its shape.
            state: for callers that pass one; no agent here has a memory.
            episode_start: likewise.
            deterministic: greedy; otherwise a random action now and then, as in training.
            action_masks: which actions are allowed, (observations ×) actions; if none is, all count as allowed.

        Returns:
            The action, or an array of them, and ``None``.

        Raises:
            ValueError: if an observation is not in the space or has a number that is not finite, or masks have another shape.
        """
        _refuse_pair(observation)
        rows, single = self._encoder.rows(observation)
        if not len(rows):
            return self._encoder.actions([], single=False), None
        masks = None if action_masks is None else np.ascontiguousarray(np.atleast_2d(np.asarray(action_masks, bool)))
        chosen, _ = self._training.act(rows, masks)
        if not deterministic:
            chosen = self._explored(chosen, masks)
        return self._encoder.actions(chosen, single=single), None

    def q_values(self, observation: Any) -> np.ndarray:
        """The value of each action for an observation, (observations ×) actions."""
        rows, single = self._encoder.rows(observation)
        _, values = self._training.act(rows, None)
        return _spaces.table(values, len(rows), single=single)

    def evaluate(self, episodes: int = 100, *, env: gymnasium.Env[Any, Any] | None = None, seed: int = 0) -> events.Score:
        """Score the current policy over whole episodes, greedily; the ``i``-th starts from ``reset(seed=seed + i)``.

        Args:
            episodes: how many.
            env: another environment to score it in.
            seed: the seed of the first episode.
        """
        return scored(self.predict, self._one_env() if env is None else env, episodes, seed)

    def save(self, path: str | os.PathLike[str] | io.BytesIO, exclude: None = None, include: None = None) -> None:
        """Save what was learned and the settings as a zip file; ``.zip`` is added where the path has no suffix.

        Args:
            path: the file.
            exclude, include: refused: a file contains what was learned and the settings, nothing else.

        The optimiser's averages and the target network are in it, so that learning continues as if it had never stopped; the replay
        buffer is
        not: :func:`requel.train` keeps everything in its run.
        """
        if exclude is not None or include is not None:
            raise ValueError("save(exclude=…, include=…): a file contains what was learned and the settings, nothing else")
        self._write(path, self._described())

    def _write(self, path: Any, described: Mapping[str, Any]) -> None:
        with zipfile.ZipFile(_with_suffix(path), "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(_POLICY, self._training.policy())
            file.writestr(_LEARNED, self._training.save_learned())
            source = self._given.source
            about: dict[str, Any] = {"is_requels_env": source is None}
            if source is not None:
                about["observation_space"], about["action_space"] = (
                    _shown.described(space) for space in (source.env.observation_space, source.env.action_space)
                )
            file.writestr(_SETTINGS, json.dumps({**about, **described}, default=_plain, indent=1))

    @classmethod
    def load(cls, path: str | os.PathLike[str] | io.BytesIO, env: Environment | None = None, **changes: Any) -> Self:
        """An agent with the weights, the optimiser's averages, the target network and the settings in a file.

        Args:
            path: what :meth:`save` wrote.
            env: the environment. If it is not given and cannot be created from its id, the model can act but not learn.
            **changes: arguments of the constructor that should change.

        Raises:
            ValueError: if it is not such a file, or is for another class or environment.
        """
        source = path if not isinstance(path, str | os.PathLike) or Path(path).exists() else _with_suffix(path)
        with zipfile.ZipFile(source) as file:
            described, policy = json.loads(file.read(_SETTINGS)), file.read(_POLICY)
            # Earlier versions wrote the weights alone.
            learned = file.read(_LEARNED) if _LEARNED in file.namelist() else None
        if described["class"] != cls.__name__:
            raise ValueError(f"{path} is of the class {described['class']}: load it with that")
        keywords = described.get("keywords", {})
        keywords |= {name: value for name, value in (changes.pop("custom_objects", None) or {}).items() if name in keywords}
        env = _env_of(described) if env is None else env
        agent = cls._of(described, env, changes)
        agent._training.begin_from(policy)
        if learned is not None:
            try:
                agent._training.begin_with_learned(learned)
            except ValueError as error:
                warnings.warn(f"{path}: {error}: the optimiser and the target network start fresh because the settings differ", stacklevel=2)
                agent = cls._of(described, env, changes)
                agent._training.begin_from(policy)
        agent._env_steps = described.get("num_timesteps", agent._env_steps)
        return agent

    @property
    def env_steps(self) -> int:
        """Env steps so far, all environments together."""
        return self._env_steps

    @property
    def weights_blake3(self) -> str:
        """BLAKE3 of the current weights as little-endian ``f32``, hexadecimal."""
        return self._training.weights_blake3()

    @property
    def observation_space(self) -> gymnasium.Space[Any]:
        """The space of observations."""
        return self._one_env().observation_space

    @property
    def action_space(self) -> gymnasium.Space[Any]:
        """The space of actions."""
        return self._one_env().action_space

    @property
    def config(self) -> str:
        """The settings, complete, as TOML."""
        return self._config.text

    def _one_env(self) -> gymnasium.Env[Any, Any]:
        """An environment like those used for learning."""
        if self._env is None:
            self._env = maker_of(self._given)()
        return self._env

    def _build(self, settings: list[tuple[str, str, Any]]) -> tuple[Training, Config]:
        made_by = self._made_by
        return training_of(self._given, settings, preset=made_by["preset"], algo=made_by["algo"], threads=self._threads)

    def _learn(self, callback: Any, progress_bar: bool) -> None:
        bar = ProgressBar(self._config.env_steps) if progress_bar else None
        callbacks = adapted(callback, self, getattr(self, "_total", None))
        counts = [self._note, *([bar] if bar else []), *callbacks.on_event]
        listener = Listener(counts, [self._note, *callbacks.on_step] if callbacks.on_step else [])
        callbacks.begin()
        with learned_in(self._given), interruptible(self._training) as pressed:
            ended, _ = self._training.run(listener, listener.wants_steps, False)
        self._env_steps, _, episodes, _ = self._training.progress()
        self._log(episodes)
        callbacks.end()
        if bar:
            bar.close(self._env_steps)
        if ended == "interrupted" and pressed():
            raise KeyboardInterrupt("stopped after a complete step: learn() continues from there")

    def _shown(self) -> Any:
        """The current observations of the environments, as a batch."""
        return self._encoder.decoded(self._training.observations())

    @property
    def _encoder(self) -> _spaces.Encoder:
        if self._encoder_ is None:
            env = self._one_env()
            self._encoder_ = _spaces.Encoder(env.observation_space, env.action_space)
        return self._encoder_

    def _explored(self, chosen: list[int], masks: np.ndarray | None) -> list[int]:
        return chosen

    def _described(self) -> dict[str, Any]:
        return {"class": type(self).__name__, "env_id": self._given.id, "env_steps": self._env_steps, **self._made_by}

    @classmethod
    def _of(cls, described: dict[str, Any], env: Environment, changes: dict[str, Any]) -> Self:
        arguments = {key: described.get(key) for key in ("algo", "preset", "seed", "reward_range", "env_options")}
        return cls(env, **{**arguments, **described["sections"], **changes})


class QRDQN(Agent):
    """Quantile-regression DQN (Dabney et al. 2018)."""

    algo = "qr-dqn"


class C51(Agent):
    """Categorical DQN (Bellemare, Dabney & Munos 2017). It needs the range of rewards, or ``head={"v_min": …, "v_max": …}``."""

    algo = "c51"


class IQN(Agent):
    """Implicit quantile networks (Dabney et al. 2018)."""

    algo = "iqn"


class Rainbow(Agent):
    """Rainbow (Hessel et al. 2018). It needs the range of rewards, or ``head={"v_min": …, "v_max": …}``."""

    algo = "rainbow"


class PQN(Agent):
    """Parallelised Q-network (Gallici et al. 2024), without replay: it learns from many parallel environments."""

    algo = "pqn"


def scored(predict: Callable[..., tuple[np.ndarray, None]], env: gymnasium.Env[Any, Any], episodes: int, seed: int) -> events.Score:
    """The score of a policy over whole episodes, the ``i``-th from ``reset(seed=seed + i)``."""
    masks = next((getattr(layer, "action_masks") for layer in _layers(env) if "action_masks" in dir(layer)), None)
    returns, lengths = [], []
    for episode in range(episodes):
        observation, _ = env.reset(seed=seed + episode)
        return_, length, ended = 0.0, 0, False
        while not ended:
            action, _ = predict(observation, action_masks=masks() if masks else None)
            observation, reward, terminated, truncated, _ = env.step(action if action.ndim else action.item())
            return_, length, ended = return_ + float(reward), length + 1, bool(terminated or truncated)
        returns.append(return_)
        lengths.append(length)
    return events.Score(float(np.mean(returns)), float(np.std(returns)), episodes, 0, tuple(returns), tuple(lengths))


def _layers(env: gymnasium.Env[Any, Any]) -> list[Any]:
    from requel._environments import layers

    return list(layers(env))


def _refuse_pair(observation: Any) -> None:
    if isinstance(observation, tuple) and len(observation) == 2 and isinstance(observation[1], dict):
        raise ValueError(
            "predict() got an observation and a dict: Gymnasium's env.reset() returns both, and only the first is needed (mixing Gym API)"
        )


def _with_suffix(path: Any) -> Any:
    if not isinstance(path, str | os.PathLike):
        return path
    path = Path(path)
    return path if path.suffix else path.with_suffix(".zip")


def _plain(value: Any) -> Any:
    """A setting in a form that JSON can represent."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, type):
        return value.__name__
    raise TypeError(f"{value!r} is not a setting that a file can contain")


def _env_of(described: Mapping[str, Any]) -> Environment:
    """The environment that a model in a file is for, or a stand-in for it.

    Raises:
        ValueError: if it cannot be created from its id, and its spaces are not in the file.
    """
    env_id = described["env_id"]
    if described.get("is_requels_env", True):
        return env_id
    if env_id in gymnasium.registry:
        return lambda: gymnasium.make(env_id)
    told = described.get("observation_space"), described.get("action_space")
    if told[0] is None or told[1] is None:
        raise ValueError(f"it is of the environment {env_id}, which cannot be created from an id: give it as env=")
    shown = _shown.space_of(told[0]), _shown.space_of(told[1])
    return lambda: _shown.Shown(env_id, *shown)
