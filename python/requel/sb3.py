"""DQN in the shape of Stable-Baselines3: change the import line, keep the rest.

Each keyword of Stable-Baselines3's ``DQN`` either has the same meaning here, or is refused with the reason. None is ignored except
those that say how a program runs and not what it computes (``verbose``, ``optimize_memory_usage``).
"""

from __future__ import annotations

import io
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from requel import events
from requel._agent import Agent
from requel._given import Environment, given
from requel._requel import Config
from requel._sb3_logger import TensorBoardLogger
from requel._sb3_replay import Stored
from requel._sb3_settings import schedules, settings, steps_of
from requel._sb3_vec import unscored
from requel._spaces import SpaceError
from requel._training import config_of, make_training

if TYPE_CHECKING:
    from typing_extensions import Self


class DQN(Agent):
    """Deep Q-learning with the keywords, the defaults and the methods of Stable-Baselines3's ``DQN``.

    Args:
        policy: ``"MlpPolicy"``, ``"CnnPolicy"`` or ``"MultiInputPolicy"`` (without images).
        env: as for :func:`requel.train`.
        learning_rate: a number, or a function of the remaining progress that is constant or falls linearly to 0.
        buffer_size: transitions in the replay buffer, of all environments together.
        learning_starts: env steps before learning starts; actions are random until then.
        batch_size: transitions in a batch, drawn with replacement.
        tau: the fraction of the network mixed into the target network (1: a copy).
        gamma: the discount factor.
        train_freq: number of steps of the vector of environments between updates, as a number or ``(number, "step")``.
        gradient_steps: updates each time; -1: as many as env steps were made.
        replay_buffer_class: ``None``, or ``ReplayBuffer``, ``DictReplayBuffer`` or ``NStepReplayBuffer`` of Stable-Baselines3, which say what
            requel's buffer does; others, such as ``HerReplayBuffer``, are refused.
        replay_buffer_kwargs: ``n_steps`` and ``gamma`` of an ``NStepReplayBuffer``, and ``handle_timeout_termination`` (True): it is as it
            is here.
        optimize_memory_usage: without effect: each image is stored only once anyway.
        n_steps: rewards summed before bootstrapping.
        target_update_interval: env steps between updates of the target network.
        exploration_fraction: the fraction of ``total_timesteps`` over which ε falls.
        exploration_initial_eps, exploration_final_eps: its first and its last value.
        max_grad_norm: gradients are clipped to this global norm.
        stats_window_size: the number of episodes in ``ep_info_buffer`` and in the means of the logger.
        tensorboard_log: a directory for TensorBoard's event files, one for each call of :meth:`learn`; it asks for the package ``tensorboard``.
        policy_kwargs: ``net_arch``, ``features_extractor_kwargs`` (``features_dim`` of "CnnPolicy"), ``activation_fn`` (ReLU or Tanh), ``optimizer_class``
            (torch's Adam, RMSprop, RAdam, and AdamW without decay), ``optimizer_kwargs`` (their constants), ``normalize_images`` (False where observations of "CnnPolicy" are no bytes).
        verbose: 1: show progress.
        seed: the seed of all random numbers; ``None`` is 0, so that two models learn the same.
        device: what networks are computed on, ``train.device``: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``, or a ``torch.device``.
            The bits are the same.
        n_envs: the number of environments created from an id or a function.
        eval_env: another environment to score in.

    Raises:
        ValueError: for a keyword with a value that is not supported.
        SpaceError: for an environment whose spaces are not supported; it is a ``TypeError``, and an ``AssertionError`` as there.

    >>> from requel import DQN
    >>> model = DQN("MlpPolicy", "CartPole-v1", learning_rate=1e-3).learn(total_timesteps=10_000)  # doctest: +SKIP
    """

    def __init__(
        self,
        policy: str,
        env: Environment,
        learning_rate: float | Callable[[float], float] = 1e-4,
        buffer_size: int = 1_000_000,
        learning_starts: int = 100,
        batch_size: int = 32,
        tau: float = 1.0,
        gamma: float = 0.99,
        train_freq: int | tuple[int, str] = 4,
        gradient_steps: int = 1,
        replay_buffer_class: type | None = None,
        replay_buffer_kwargs: Mapping[str, Any] | None = None,
        optimize_memory_usage: bool = False,
        n_steps: int = 1,
        target_update_interval: int = 10_000,
        exploration_fraction: float = 0.1,
        exploration_initial_eps: float = 1.0,
        exploration_final_eps: float = 0.05,
        max_grad_norm: float = 10,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        policy_kwargs: Mapping[str, Any] | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: Any = "auto",
        _init_setup_model: bool = True,
        *,
        n_envs: int = 1,
        eval_env: Environment | None = None,
        threads: int = 1,
    ) -> None:
        kept = {name: value for name, value in locals().items() if name in _KEPT}
        _refuse_others(locals())
        kept |= _of_buffer(replay_buffer_class, replay_buffer_kwargs or {})
        self.policy_name: str = policy
        self.verbose: int = verbose
        self.seed: int | None = seed
        self._begin_model(stats_window_size)
        self._given = given(env, eval_env if eval_env is not None else unscored(env))
        self._keywords, self._threads = kept, threads
        self._device: str = str(device)
        self.tensorboard_log: str | None = tensorboard_log
        self.n_envs: int = self._given.num_envs or n_envs
        self._env_steps, self._env, self._encoder_ = 0, None, None
        self._total = 0
        self._rng = np.random.default_rng(seed or 0)
        try:
            self._config = self._config_for(10_000)
            self._training = make_training(self._given, self._config, threads)
        except ValueError as error:
            # Of requel's own environments it is known here that their spaces cannot be learned in.
            raise SpaceError(str(error)) if self._given.own_id and "action" in str(error) else error from None

    def learn(  # type: ignore[override]
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int = 4,
        tb_log_name: str = "DQN",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learn for this many env steps of all environments together.

        Args:
            total_timesteps: env steps; the last ``train_freq`` steps that are begun are finished, as there.
            callback: functions of an event, functions of ``locals`` and ``globals``, or objects with ``on_step``; one that returns
                ``False`` stops learning.
            log_interval: the number of episodes between two records of the logger.
            tb_log_name: the prefix of directories below ``tensorboard_log``.
            reset_num_timesteps: ``False`` continues where an earlier call ended, with ε and the learning rate scheduled over the whole;
                ``True`` counts from 0 again, so that both schedules restart, while weights, optimiser and replay buffer are kept.
            progress_bar: show progress on the standard error stream.

        Raises:
            KeyboardInterrupt: after Ctrl-C, once a step is complete; ``learn(…, reset_num_timesteps=False)`` continues.
        """
        made = 0 if reset_num_timesteps else self._env_steps
        self._total = made + total_timesteps
        self._exploration_rate = None
        self._config = self._config.with_settings(schedules(self._keywords, self._total, self._budget(made)))
        begins_anew = reset_num_timesteps and self._training.progress()[0] > 0
        (self._training.begin_anew if begins_anew else self._training.change)(self._config)
        if self._training.progress()[0] != made:
            self._training.count_from(made)
        self._env_steps, self._has_begun = made, True
        self._begin_log(log_interval)
        if self.tensorboard_log is not None:
            self.set_logger(TensorBoardLogger(self.tensorboard_log, tb_log_name, goes_on=not reset_num_timesteps))
        callbacks = [*(callback if isinstance(callback, list | tuple) else [callback] if callback is not None else [])]
        if self.verbose:
            callbacks.append(_say)
        try:
            self._learn(callbacks, progress_bar)
        finally:
            if isinstance(self.logger, TensorBoardLogger):
                self.logger.close()
        return self

    @property
    def exploration_rate(self) -> float:
        """The current ε."""
        if self._exploration_rate is not None:
            return self._exploration_rate
        keywords = self._keywords
        first, last = keywords["exploration_initial_eps"], keywords["exploration_final_eps"]
        length = keywords["exploration_fraction"] * self._total
        return last if self._env_steps >= length else first + (last - first) * self._env_steps / length

    @exploration_rate.setter
    def exploration_rate(self, rate: float) -> None:
        """Explore this often in ``predict(deterministic=False)``, until it learns again."""
        if not 0 <= rate <= 1:
            raise ValueError(f"exploration_rate = {rate!r}: give a share, 0 to 1")
        self._exploration_rate = float(rate)

    @property
    def num_timesteps(self) -> int:
        """Env steps so far, or since they were last counted from 0."""
        return self._env_steps

    @num_timesteps.setter
    def num_timesteps(self, env_steps: int) -> None:
        """Count from this number on: ``learn(…, reset_num_timesteps=False)`` continues there."""
        self._env_steps = int(env_steps)

    def set_env(self, env: Environment, force_reset: bool = True) -> None:
        """Learn in another environment with the same spaces from the next call of :meth:`learn` on. Weights, optimiser, replay buffer and
        the count of env steps are kept; new episodes start.

        Args:
            env: as for the constructor, with the same number of environments as before.
            force_reset: ``False``: the current episode of the current environment continues.

        Raises:
            SpaceError: for another number of environments, or other spaces.
            ValueError: for ``force_reset=False`` with another environment: nothing says what it shows now.
        """
        if not force_reset:
            if self._is_learned_in(env):
                return
            raise ValueError("set_env(force_reset=False): a different environment is given, which starts a new episode")
        looked_at = given(env, unscored(env))
        if (looked_at.num_envs or self.n_envs) != self.n_envs:
            raise SpaceError(f"{looked_at.num_envs} environments, where the model learns in {self.n_envs}: give that many, or a new model")
        config = self._config.with_settings([("set_env()", "env.id", looked_at.id)])
        training = make_training(looked_at, config, self._threads)
        try:
            training.go_on_from(self._training)
        except RuntimeError as error:
            raise SpaceError(f"{looked_at.id} is not like {self._given.id}: {error}") from None
        self._given, self._config, self._training = looked_at, config, training
        self._env, self._vec_env, self._encoder_, self._has_begun = None, None, None, False

    @property
    def replay_buffer(self) -> Stored:
        """The size of the replay buffer. :meth:`save_replay_buffer` saves its transitions."""
        keywords = self._keywords
        return Stored(
            stored=self._training.stored() or 0,
            n_envs=self.n_envs,
            buffer_size=max(keywords["buffer_size"] // self.n_envs, 1),
            n_steps=keywords["n_steps"],
            gamma=keywords["gamma"],
        )

    def save_replay_buffer(self, path: str | os.PathLike[str]) -> None:
        """Write the replay buffer to a file, in requel's own format, which executes nothing; ``.pkl`` is added where the path has no
        suffix."""
        path = _file_of_buffer(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._training.save_replay(path)

    def load_replay_buffer(self, path: str | os.PathLike[str], truncate_last_traj: bool = True) -> None:
        """Start with the replay buffer in a file that :meth:`save_replay_buffer` wrote, before this model's first step.

        Args:
            path: the file.
            truncate_last_traj: without effect: no transition leads from a loaded buffer to what comes after it.

        Raises:
            ValueError: if it is not such a file, is incomplete, or is from a buffer of another size or kind.
            RuntimeError: if the model has learned already.
        """
        self._training.load_replay(_file_of_buffer(path))

    @property
    def _last_obs(self) -> Any:
        """The current observations; ``None`` before :meth:`learn`."""
        return self._shown() if self._has_begun else None

    def _is_learned_in(self, env: Any) -> bool:
        """Whether it is what this model learns in, or what :meth:`get_env` gave in its place."""
        vector, source = self._given.vector, self._given.source
        kept = [self._vec_env] if self._vec_env is not None else []
        if vector is not None:
            kept.append(getattr(vector.env, "vec_env", vector.env))
        elif source is not None and self._given.is_single:
            kept.append(source.env)
        return any(env is one for one in kept)

    def _budget(self, made: int) -> int:
        """At how many env steps in all it stops: after a whole rollout."""
        rollout = self._steps_of_rollout * self.n_envs
        return made + -(-(self._total - made) // rollout) * rollout

    def _config_for(self, total: int, budget: int | None = None) -> Config:
        said = settings(self._keywords, self.policy_name, self._given, self.n_envs)
        said += schedules(self._keywords, total, total if budget is None else budget)
        if self.seed is not None:
            said.append(("seed", "train.seed", self.seed))
        if self._device != "auto":
            said.append(("device", "train.device", self._device))
        return config_of(self._given, said, preset="default", algo="dqn")

    #: Whether :meth:`learn` was called in these environments.
    _has_begun: bool = False
    #: What was set in place of the ε in force.
    _exploration_rate: float | None = None

    @property
    def _steps_of_rollout(self) -> int:
        return steps_of(self._keywords["train_freq"])

    def _count_of_envs(self) -> int:
        return self.n_envs

    def __getattr__(self, name: str) -> Any:
        """A keyword that it was created with."""
        if name in _KEPT and "_keywords" in vars(self):
            return self._keywords[name]
        return super().__getattr__(name)

    def _explored(self, chosen: list[int], masks: np.ndarray | None) -> list[int]:
        """Random actions with probability ε, drawn apart from those of training."""
        explored = []
        for row, action in enumerate(chosen):
            if self._rng.random() < self.exploration_rate:
                allowed = np.flatnonzero(masks[row]) if masks is not None else np.arange(self._encoder.action_count)
                action = int(self._rng.choice(allowed))
            explored.append(action)
        return explored

    def save(
        self, path: str | os.PathLike[str] | io.BytesIO, exclude: Iterable[str] | None = None, include: Iterable[str] | None = None
    ) -> None:
        """Save the networks, the optimiser's averages, the keywords and the counts of env steps and updates as a zip file; ``.zip`` is
        added where the path has no suffix.

        Args:
            path: the file.
            exclude: keywords that are left out; a loaded model has their defaults.
            include: keywords that are saved even if they are in ``exclude``.

        The replay buffer is kept by :meth:`save_replay_buffer`.
        """
        described = self._described()
        kept = {*described, *described["keywords"]}
        if unknown := set(include or ()) - kept:
            raise ValueError(f"save(include=[{min(unknown)!r}]): a file contains the weights and {', '.join(sorted(kept - {'class', 'keywords'}))}")
        left_out = set(exclude or ()) - set(include or ()) - {"class", "env_id", "policy", "keywords"}
        described["keywords"] = {name: value for name, value in described["keywords"].items() if name not in left_out}
        self._write(path, {name: value for name, value in described.items() if name not in left_out})

    def _described(self) -> dict[str, Any]:
        keywords = dict(self._keywords)
        if callable(keywords["learning_rate"]):
            keywords["learning_rate"] = [float(keywords["learning_rate"](progress)) for progress in (1.0, 0.0)]
        named = {"class": type(self).__name__, "env_id": self._given.id, "policy": self.policy_name, "num_timesteps": self._env_steps}
        return {**named, "seed": self.seed, "verbose": self.verbose, "keywords": keywords}

    @classmethod
    def _of(cls, described: dict[str, Any], env: Environment, changes: dict[str, Any]) -> Self:
        keywords = described["keywords"]
        if isinstance(keywords.get("learning_rate"), list):
            first, last = keywords["learning_rate"]
            keywords["learning_rate"] = lambda progress: last + (first - last) * progress
        if isinstance(keywords.get("train_freq"), list):
            keywords["train_freq"] = tuple(keywords["train_freq"])
        more = {name: described[name] for name in ("seed", "verbose") if name in described}
        return cls(described["policy"], env, **{**more, **keywords, **changes})

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str] | io.BytesIO,
        env: Environment | None = None,
        device: Any = "auto",
        custom_objects: Mapping[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = True,
        **changes: Any,
    ) -> Self:
        """A model from a file that :meth:`save` wrote: it continues with its optimiser's averages and its target network.

        Args:
            path: the file.
            env: the environment. If it is not given and cannot be created from its id, the model can act, and learn after :meth:`set_env`.
            device: as for the constructor.
            custom_objects: keywords that replace those in the file; names that are not in it are ignored, as there.
            print_system_info: without effect.
            force_reset: ``True``: a loaded model starts new episodes.
            **changes: arguments of the constructor that should change.

        Raises:
            ValueError: if it is not such a file, or is for another class or environment, and for ``force_reset=False``.
        """
        if not force_reset:
            raise ValueError("load(force_reset=False): a loaded model starts new episodes; requel.resume() continues the current one")
        model = super().load(path, env, device=device, **{"custom_objects": custom_objects or {}, **changes})
        return model

#: Keywords that decide what is learned.
_KEPT = {
    "learning_rate", "buffer_size", "learning_starts", "batch_size", "tau", "gamma", "train_freq", "gradient_steps", "n_steps",
    "target_update_interval", "exploration_fraction", "exploration_initial_eps", "exploration_final_eps", "max_grad_norm", "policy_kwargs",
}  # fmt: skip


def _refuse_others(given_: Mapping[str, Any]) -> None:
    """Refuse by name what is not supported."""
    if not isinstance(given_["policy"], str) or given_["policy"] not in ("MlpPolicy", "CnnPolicy", "MultiInputPolicy"):
        raise ValueError(f"policy {given_['policy']!r}: networks are described by name: MlpPolicy, CnnPolicy or MultiInputPolicy")
    for name, wanted, reason in [
        ("_init_setup_model", True, "the network is created when its environment is known"),
    ]:
        if given_[name] != wanted:
            raise ValueError(f"{name}={given_[name]!r}: {reason}")


def _of_buffer(kind: type | None, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a class of Stable-Baselines3's buffers and its arguments say of the keywords.

    Raises:
        ValueError: for one that requel's buffer is not.
    """
    name = None if kind is None else getattr(kind, "__name__", str(kind))
    if name not in (None, "ReplayBuffer", "DictReplayBuffer", "NStepReplayBuffer"):
        reason = "goals are not relabelled" if name == "HerReplayBuffer" else "`requel.train(replay={…})` has prioritized ones"
        raise ValueError(f"replay_buffer_class={name}: buffers are requel's own, and {reason}")
    told = dict(kwargs)
    if told.pop("handle_timeout_termination", True) is not True:
        raise ValueError("replay_buffer_kwargs handle_timeout_termination=False: truncated episodes always bootstrap")
    found = {key: told.pop(key) for key in ("n_steps", "gamma") if key in told and name == "NStepReplayBuffer"}
    if told:
        raise ValueError(f"replay_buffer_kwargs {min(told)}: buffers are requel's own: `requel.train(replay={{…}})` has their settings")
    # Theirs has three steps where nothing else is said.
    return {"n_steps": 3, "gamma": 0.99, **found} if name == "NStepReplayBuffer" else {}


def _file_of_buffer(path: str | os.PathLike[str]) -> pathlib.Path:
    path = pathlib.Path(path)
    return path if path.suffix else path.with_suffix(".pkl")


def _say(event: events.Event) -> None:
    if isinstance(event, events.Progress):
        mean = "" if event.return_mean is None else f", mean return of the last 100 episodes {event.return_mean:.4g}"
        print(f"env step {event.env_steps:,}, {event.episodes:,} episodes{mean}")


__all__ = ["DQN"]
