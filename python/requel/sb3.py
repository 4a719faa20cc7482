"""DQN in the shape of Stable-Baselines3: change the import line, keep the rest.

Each keyword of Stable-Baselines3's ``DQN`` either means here what it means there, or is refused with the reason. None is ignored but
those that say how a program runs and not what it computes (``device``, ``verbose``, ``optimize_memory_usage``).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from requel import events
from requel._agent import Agent
from requel._given import Environment, given
from requel._requel import Config
from requel._sb3_logger import TensorBoardLogger
from requel._sb3_vec import unscored
from requel._training import config_of, make_training

if TYPE_CHECKING:
    from typing_extensions import Self

Settings = list[tuple[str, str, Any]]

#: The convolutions of "CnnPolicy": channels, kernel and stride (Mnih et al. 2015).
_NATURE = [[32, 8, 4], [64, 4, 2], [64, 3, 1]]


class DQN(Agent):
    """Deep Q-learning with the keywords, the defaults and the methods of Stable-Baselines3's ``DQN``.

    Args:
        policy: ``"MlpPolicy"``, ``"CnnPolicy"`` or ``"MultiInputPolicy"`` (without pictures).
        env: as for :func:`requel.train`.
        learning_rate: a number, or a function of the progress that remains which is constant or falls in a line to 0.
        buffer_size: transitions in the replay buffer, of all environments together.
        learning_starts: env steps before learning begins; actions are random until then.
        batch_size: transitions in a batch, drawn with replacement.
        tau: the share of the network mixed into the target network (1: a copy).
        gamma: the discount factor.
        train_freq: learn every so many steps of the vector of environments, as a number or ``(number, "step")``.
        gradient_steps: updates each time; -1: as many as env steps were made.
        replay_buffer_class, replay_buffer_kwargs: refused, but ``handle_timeout_termination`` (True): it is as it is here.
        optimize_memory_usage: without effect: pictures are kept once by themselves.
        n_steps: rewards summed before bootstrapping.
        target_update_interval: env steps between updates of the target network.
        exploration_fraction: over which share of ``total_timesteps`` ε falls.
        exploration_initial_eps, exploration_final_eps: its first and its last value.
        max_grad_norm: gradients are clipped to this global norm.
        stats_window_size: how many episodes ``ep_info_buffer`` and the means of the logger are of.
        tensorboard_log: a directory for TensorBoard's event files, one for each call of :meth:`learn`; it asks for the package ``tensorboard``.
        policy_kwargs: ``net_arch``, ``features_extractor_kwargs`` (``features_dim`` of "CnnPolicy"), ``activation_fn`` (ReLU or Tanh), ``optimizer_class`` (Adam), ``optimizer_kwargs`` (``eps``,
            ``betas``), ``normalize_images`` (False where observations of "CnnPolicy" are no bytes).
        verbose: 1: say how far it is.
        seed: what all random numbers come from; ``None`` is 0, so that two models learn the same.
        device: ``"auto"`` or ``"cpu"``.
        n_envs: how many environments an id or a function is asked for.
        eval_env: another environment to score in.

    Raises:
        ValueError: for a keyword with a value that cannot be kept to.
        TypeError: for an environment whose spaces cannot be learned in.

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
        replay_buffer_class: None = None,
        replay_buffer_kwargs: None = None,
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
        device: str = "auto",
        _init_setup_model: bool = True,
        *,
        n_envs: int = 1,
        eval_env: Environment | None = None,
        threads: int = 1,
    ) -> None:
        kept = {name: value for name, value in locals().items() if name in _KEPT}
        _refuse_others(locals())
        self.policy_name: str = policy
        self.verbose: int = verbose
        self.seed: int | None = seed
        self._begin_model(stats_window_size)
        self._given = given(env, eval_env if eval_env is not None else unscored(env))
        self._keywords, self._threads = kept, threads
        self.tensorboard_log: str | None = tensorboard_log
        self.n_envs: int = self._given.num_envs or n_envs
        self._env_steps, self._env, self._encoder_ = 0, None, None
        self._total = 0
        self._rng = np.random.default_rng(seed or 0)
        self._config = self._config_for(10_000)
        self._training = make_training(self._given, self._config, threads)

    def learn(  # type: ignore[override]
        self,
        total_timesteps: int,
        callback: Any = None,
        log_interval: int = 4,
        tb_log_name: str = "DQN",
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learn for so many env steps of all environments together.

        Args:
            total_timesteps: env steps; the last ``train_freq`` steps that are begun are finished, as there.
            callback: functions of an event, functions of ``locals`` and ``globals``, or objects with ``on_step``; one that returns
                ``False`` stops learning.
            log_interval: after how many episodes the logger is told what learning comes to.
            tb_log_name: how directories below ``tensorboard_log`` begin.
            reset_num_timesteps: ``False`` goes on where an earlier call ended, with ε and the learning rate as over the whole;
                ``True`` counts from 0 again, so that both begin anew, while weights, optimiser and replay buffer stay as they are.
            progress_bar: say on the standard error stream how far it is.

        Raises:
            KeyboardInterrupt: after Ctrl-C, at a whole step; ``learn(…, reset_num_timesteps=False)`` goes on.
        """
        made = 0 if reset_num_timesteps else self._env_steps
        self._total = made + total_timesteps
        self._exploration_rate = None
        if not self._has_learned:
            self._begin(self._config_for(self._total, self._budget(made)), self._loaded)
        else:
            self._config = self._config.with_settings(_schedules(self._keywords, self._total, self._budget(made)))
            (self._training.begin_anew if reset_num_timesteps else self._training.change)(self._config)
        self._env_steps, self._has_learned = made, True
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
        """The ε in force."""
        if self._exploration_rate is not None:
            return self._exploration_rate
        keywords = self._keywords
        first, last = keywords["exploration_initial_eps"], keywords["exploration_final_eps"]
        length = keywords["exploration_fraction"] * self._total
        return last if self._env_steps >= length else first + (last - first) * self._env_steps / length

    @exploration_rate.setter
    def exploration_rate(self, rate: float) -> None:
        """Explore so often in ``predict(deterministic=False)``, until it learns again."""
        if not 0 <= rate <= 1:
            raise ValueError(f"exploration_rate = {rate!r}: give a share, 0 to 1")
        self._exploration_rate = float(rate)

    def set_env(self, env: Environment, force_reset: bool = True) -> None:
        """Learn in another environment with the same spaces from the next call of :meth:`learn` on; the replay buffer and the
        optimiser begin anew.
        """
        self._loaded = self._training.policy()
        self._given = given(env, unscored(env))
        self.n_envs = self._given.num_envs or self.n_envs
        self._env, self._vec_env, self._encoder_ = None, None, None
        self._env_steps, self._has_learned = 0, False
        self._begin(self._config_for(max(self._total, 1)), self._loaded)

    def _begin(self, config: Config, policy: bytes | None) -> None:
        """Make the training anew."""
        # The environment of the one before is given back first: it is learned in again.
        del self._training
        self._config, self._training = config, make_training(self._given, config, self._threads)
        if policy is not None:
            self._training.begin_from(policy)

    def _budget(self, made: int) -> int:
        """At how many env steps in all it stops: after a whole rollout."""
        rollout = self._steps_of_rollout * self.n_envs
        return made + -(-(self._total - made) // rollout) * rollout

    def _config_for(self, total: int, budget: int | None = None) -> Config:
        settings = _settings(self._keywords, self.policy_name, self._given, self.n_envs)
        settings += _schedules(self._keywords, total, total if budget is None else budget)
        if self.seed is not None:
            settings.append(("seed", "train.seed", self.seed))
        return config_of(self._given, settings, preset="default", algo="dqn")

    #: The weights that learning begins from, where those are no new ones.
    _loaded: bytes | None = None
    #: Whether :meth:`learn` was called.
    _has_learned: bool = False
    #: What was set in place of the ε in force.
    _exploration_rate: float | None = None

    @property
    def _steps_of_rollout(self) -> int:
        return _steps_of(self._keywords["train_freq"])

    def _count_of_envs(self) -> int:
        return self.n_envs

    def __getattr__(self, name: str) -> Any:
        """A keyword that it was made with."""
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

    def _described(self) -> dict[str, Any]:
        keywords = dict(self._keywords)
        if callable(keywords["learning_rate"]):
            keywords["learning_rate"] = [float(keywords["learning_rate"](progress)) for progress in (1.0, 0.0)]
        return {"class": type(self).__name__, "env_id": self._given.id, "policy": self.policy_name, "seed": self.seed, "keywords": keywords}

    @classmethod
    def _of(cls, described: dict[str, Any], env: Environment, changes: dict[str, Any]) -> Self:
        keywords = described["keywords"]
        if isinstance(keywords["learning_rate"], list):
            first, last = keywords["learning_rate"]
            keywords["learning_rate"] = lambda progress: last + (first - last) * progress
        if isinstance(keywords["train_freq"], list):
            keywords["train_freq"] = tuple(keywords["train_freq"])
        return cls(described["policy"], env, **{"seed": described["seed"], **keywords, **changes})

    @classmethod
    def load(cls, path: Any, env: Environment | None = None, **changes: Any) -> Self:
        """A model with the weights and keywords of a file that :meth:`save` wrote; see :meth:`requel.Agent.load`."""
        model = super().load(path, env, **changes)
        model._loaded = model._training.policy()
        return model


#: Keywords that decide what is learned.
_KEPT = {
    "learning_rate", "buffer_size", "learning_starts", "batch_size", "tau", "gamma", "train_freq", "gradient_steps", "n_steps",
    "target_update_interval", "exploration_fraction", "exploration_initial_eps", "exploration_final_eps", "max_grad_norm", "policy_kwargs",
}  # fmt: skip


def _refuse_others(given_: Mapping[str, Any]) -> None:
    """Refuse by name what cannot be kept to."""
    if not isinstance(given_["policy"], str) or given_["policy"] not in ("MlpPolicy", "CnnPolicy", "MultiInputPolicy"):
        raise ValueError(f"policy {given_['policy']!r}: networks here are described, not given: MlpPolicy, CnnPolicy or MultiInputPolicy")
    for name, wanted, reason in [
        ("replay_buffer_class", None, "buffers are requel's own: `requel.train(replay={…})` has prioritized ones"),
        ("replay_buffer_kwargs", None, "buffers are requel's own: `requel.train(replay={…})` has their settings"),
        ("_init_setup_model", True, "the network is made when its environment is known"),
    ]:
        if given_[name] != wanted and not (name == "replay_buffer_kwargs" and given_[name] in ({}, {"handle_timeout_termination": True})):
            raise ValueError(f"{name}={given_[name]!r}: {reason}")
    if given_["device"] not in ("auto", "cpu"):
        warnings.warn(f"device={given_['device']!r}: networks are computed on the CPU", stacklevel=3)


def _settings(keywords: Mapping[str, Any], policy: str, looked_at: Any, n_envs: int) -> Settings:
    """What keywords mean here, without what depends on how long is learned."""
    kept = keywords
    every = _steps_of(kept["train_freq"]) * n_envs
    updates = every if kept["gradient_steps"] < 0 else kept["gradient_steps"]
    if updates == 0:
        raise ValueError("gradient_steps=0: nothing would be learned")
    # There it counts steps of the vector: an interval shorter than one of these is one of these.
    target = max(kept["target_update_interval"] // n_envs, 1) * n_envs
    if n_envs > kept["target_update_interval"]:
        warnings.warn(
            f"The number of environments used is greater than target_update_interval ({n_envs} > {kept['target_update_interval']}): the "
            f"target network is updated after each step of the vector, which is {n_envs} env steps",
            stacklevel=4,
        )
    return [
        ("learning_starts", "replay.start", kept["learning_starts"]),
        ("learning_starts", "exploration.random_env_steps", kept["learning_starts"]),
        ("buffer_size", "replay.capacity", max(kept["buffer_size"] // n_envs, 1) * n_envs),
        ("batch_size", "replay.batch_size", kept["batch_size"]),
        ("batch_size", "replay.replacement", True),
        ("gamma", "agent.gamma", kept["gamma"]),
        ("n_steps", "agent.n_step", kept["n_steps"]),
        ("tau", "target.kind", "hard" if kept["tau"] == 1 else "soft"),
        ("tau", "target.tau", kept["tau"]),
        ("target_update_interval", "target.every_env_steps", target),
        ("target_update_interval", "target.every_updates", 0),
        ("train_freq", "train.every_steps", every),
        ("gradient_steps", "train.updates", updates),
        ("max_grad_norm", "optimizer.max_gradient_norm", 0.0 if math.isinf(kept["max_grad_norm"]) else kept["max_grad_norm"]),
        ("the smooth L1 loss", "loss.kind", "huber"),
        ("the smooth L1 loss", "loss.delta", 1.0),
        ("n_envs", "train.num_envs", n_envs),
        ("learn()", "evaluation.every_steps", 0),
        ("learn()", "evaluation.every_episodes", 0),
        *_learning_rate(kept["learning_rate"]),
        *_network(policy, kept["policy_kwargs"] or {}, looked_at),
    ]


def _schedules(keywords: Mapping[str, Any], total: int, budget: int) -> Settings:
    """What depends on how long is learned."""
    return [
        ("total_timesteps", "train.env_steps", budget),
        ("total_timesteps", "train.episodes", 0),
        ("exploration_initial_eps", "exploration.kind", "linear"),
        ("exploration_initial_eps", "exploration.start", keywords["exploration_initial_eps"]),
        ("exploration_final_eps", "exploration.end", keywords["exploration_final_eps"]),
        ("exploration_fraction", "exploration.env_steps", max(int(keywords["exploration_fraction"] * total), 1)),
    ]


def _steps_of(train_freq: int | Sequence[Any]) -> int:
    if isinstance(train_freq, int):
        return train_freq
    count, unit = train_freq
    if unit != "step":
        raise ValueError(f"train_freq={train_freq!r}: learning is due by env steps here, not by episodes")
    return int(count)


def _learning_rate(rate: float | Callable[[float], float]) -> Settings:
    if not callable(rate):
        return [("learning_rate", "optimizer.learning_rate", float(rate))]
    first = float(rate(1.0))
    told = [float(rate(progress)) for progress in (0.75, 0.5, 0.25, 0.0)]
    if np.allclose(told, first):
        return [("learning_rate", "optimizer.learning_rate", first)]
    if np.allclose(told, [0.75 * first, 0.5 * first, 0.25 * first, 0.0]):
        return [("learning_rate", "optimizer.learning_rate", first), ("learning_rate", "optimizer.anneal", "linear")]
    raise ValueError("learning_rate: a function must be constant or fall in a line to 0, as `lambda progress: progress * 1e-3` does")


def _network(policy: str, kwargs: Mapping[str, Any], looked_at: Any) -> Settings:
    unknown = set(kwargs) - {"net_arch", "activation_fn", "features_extractor_kwargs", "optimizer_class", "optimizer_kwargs", "normalize_images"}
    if unknown:
        name = min(unknown)
        raise ValueError(f"policy_kwargs {name}: networks here are described, not given, by net_arch and activation_fn")
    described = looked_at.source.description.observations if looked_at.source is not None else None
    is_image = described is not None and described.get("dtype") == "uint8"
    is_plane = described is not None and len(described.get("shape", [])) == 3 and kwargs.get("normalize_images") is False
    if policy == "CnnPolicy" and described is not None and not is_image and not is_plane:
        raise ValueError("policy CnnPolicy: observations are no pictures: bytes from 0 to 255, height × width × channels or channels first")
    if kwargs.get("normalize_images", True) is not True and is_image:
        raise ValueError("policy_kwargs normalize_images: pictures are always scaled to 0 … 1")
    settings: Settings = []
    hidden = kwargs.get("net_arch")
    if hidden is not None and not (isinstance(hidden, Sequence) and all(isinstance(units, int) for units in hidden)):
        raise ValueError(f"policy_kwargs net_arch={hidden!r}: give a list of units, such as [64, 64]")
    extracted = dict(kwargs.get("features_extractor_kwargs") or {})
    if policy == "CnnPolicy":
        settings += [("policy", "network.conv", _NATURE), ("policy", "network.hidden", [extracted.pop("features_dim", 512), *(hidden or [])])]
    else:
        settings.append(("policy_kwargs", "network.hidden", [64, 64] if hidden is None else list(hidden)))
    if extracted:
        raise ValueError(f"policy_kwargs features_extractor_kwargs {min(extracted)}: features_dim of CnnPolicy is there")
    if "activation_fn" in kwargs:
        name = _name(kwargs["activation_fn"]).lower()
        if name not in ("relu", "tanh"):
            raise ValueError(f"policy_kwargs activation_fn={_name(kwargs['activation_fn'])}: ReLU and Tanh are there")
        settings.append(("policy_kwargs", "network.activation", name))
    return settings + _optimizer(kwargs)


def _optimizer(kwargs: Mapping[str, Any]) -> Settings:
    if "optimizer_class" in kwargs and _name(kwargs["optimizer_class"]) != "Adam":
        raise ValueError(f"policy_kwargs optimizer_class={_name(kwargs['optimizer_class'])}: Adam is there; `requel.train` has RMSProp and RAdam")
    settings: Settings = []
    for name, value in (kwargs.get("optimizer_kwargs") or {}).items():
        if name == "eps":
            settings.append(("policy_kwargs", "optimizer.epsilon", value))
        elif name == "betas":
            settings += [("policy_kwargs", "optimizer.beta1", value[0]), ("policy_kwargs", "optimizer.beta2", value[1])]
        elif value not in (0, False, None):
            raise ValueError(f"policy_kwargs optimizer_kwargs {name}={value!r}: eps and betas are there")
    return settings


def _name(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def _say(event: events.Event) -> None:
    if isinstance(event, events.Progress):
        mean = "" if event.return_mean is None else f", mean return of the last 100 episodes {event.return_mean:.4g}"
        print(f"env step {event.env_steps:,}, {event.episodes:,} episodes{mean}")


__all__ = ["DQN"]
