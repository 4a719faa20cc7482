"""The rest of the interface of a Stable-Baselines3 model, which its callbacks and its users' programs read."""

from __future__ import annotations

import collections
import time
from typing import TYPE_CHECKING, Any

from requel import _sb3_env, events
from requel._sb3_logger import Logger
from requel.policy import Device, Policy

if TYPE_CHECKING:
    from requel._given import Given
    from requel._requel import Training

#: What a model there has and none here, and what to use in its place.
_NOT_HERE = {
    "q_net": "networks are not torch modules here: model.policy.state_dict() has the weights by PyTorch's names",
    "q_net_target": "the target network is internal: model.policy.state_dict() has the online network's weights",
    "policy_class": "networks are described instead: policy_kwargs has net_arch and activation_fn",
    "get_parameters": "model.policy.state_dict() has the weights by PyTorch's names, as numpy arrays",
    "set_parameters": "weights come from a file: DQN.load() or requel.Policy.from_sb3()",
    "replay_buffer_class": "buffers are requel's own",
    "collect_rollouts": "learn() does this; requel.AgentLoop is for your own loop",
    "train": "learn() does this; requel.AgentLoop.update() learns from stored transitions",
    "action_noise": "actions are discrete",
    "lr_schedule": "the current learning rate is in events.Progress",
}


class Sb3Model:
    """Attributes by Stable-Baselines3's names, for whatever has a training and an environment."""

    if TYPE_CHECKING:
        _training: Training
        _given: Given
        _env_steps: int

    #: Return, length and seconds of the last episodes of :meth:`learn`.
    ep_info_buffer: collections.deque[dict[str, float]]
    #: Where callbacks record numbers.
    logger: Any

    #: Whether the last of these episodes were successes, where their information says ``is_success``.
    ep_success_buffer: collections.deque[float]

    def _begin_model(self, window: int = 100) -> None:
        self.ep_info_buffer, self.ep_success_buffer = collections.deque(maxlen=window), collections.deque(maxlen=window)
        self.logger = Logger()
        self._log_interval = 4
        self._began = (0, 0.0)
        self._vec_env: Any = None

    @property
    def num_timesteps(self) -> int:
        """Env steps so far."""
        return self._env_steps

    @property
    def policy(self) -> Policy:
        """The present policy, a copy of its own: it does not change when learning goes on."""
        policy = Policy.from_bytes(self._training.policy())
        policy.device = self.device
        return policy

    @property
    def device(self) -> Device:
        """Where networks are computed."""
        return Device(self._training.device().partition(" ")[0])

    @property
    def env(self) -> Any:
        """What :meth:`get_env` gives."""
        return self.get_env()

    def get_env(self) -> Any:
        """Environments like those that are learned in, as Stable-Baselines3's vectors are: ``reset()`` gives observations, ``step()``
        observations, rewards, dones and information. A vector of Stable-Baselines3 that was given is that one.
        """
        if self._vec_env is None:
            self._vec_env = _sb3_env.vector_of(self._given, self._count_of_envs())
        return self._vec_env

    def get_vec_normalize_env(self) -> Any:
        """The ``VecNormalize`` around the environments; ``None`` where there is none."""
        return _sb3_env.normalizer_of(self._given)

    def set_logger(self, logger: Any) -> None:
        """Take a logger of Stable-Baselines3 or one like it; what learning comes to is recorded there."""
        self.logger = logger

    def _begin_log(self, log_interval: int) -> None:
        self._log_interval = max(log_interval, 1)
        self._began = (self._env_steps, time.monotonic())

    def _note(self, event: events.Event) -> None:
        """Keep what an event says of episodes, and give the logger numbers by Stable-Baselines3's names."""
        self._env_steps = event.env_steps
        if isinstance(event, events.EpisodeEnded):
            self.ep_info_buffer.append({"r": event.return_, "l": event.length, "t": time.monotonic() - self._began[1]})
            if (event.index + 1) % self._log_interval == 0:
                self._log(event.index + 1)
        elif isinstance(event, events.EnvReported) and event.episode is not None and "env/is_success" in event.metrics:
            self.ep_success_buffer.append(event.metrics["env/is_success"])
        elif isinstance(event, events.Progress):
            named = {"train/loss": event.loss, "train/learning_rate": event.learning_rate, "rollout/exploration_rate": event.epsilon}
            for name, value in named.items():
                if value is not None:
                    self.logger.record(name, value)

    def _log(self, episodes: int) -> None:
        first, since = self._began
        seconds = max(time.monotonic() - since, 1e-9)
        if self.ep_info_buffer:
            for name, key in (("rollout/ep_rew_mean", "r"), ("rollout/ep_len_mean", "l")):
                self.logger.record(name, sum(episode[key] for episode in self.ep_info_buffer) / len(self.ep_info_buffer))
        if self.ep_success_buffer:
            self.logger.record("rollout/success_rate", sum(self.ep_success_buffer) / len(self.ep_success_buffer))
        self.logger.record("time/episodes", episodes)
        self.logger.record("time/fps", int((self._env_steps - first) / seconds))
        self.logger.record("time/time_elapsed", int(seconds))
        self.logger.record("time/total_timesteps", self._env_steps)
        self.logger.record("train/n_updates", self._training.progress()[1])
        self.logger.dump(self._env_steps)

    def _count_of_envs(self) -> int:
        return self._given.num_envs or 1

    def __getattr__(self, name: str) -> Any:
        """Say why something is not there."""
        reason = _NOT_HERE.get(name)
        kind = type(self).__name__
        raise AttributeError(f"{kind} has no {name}: {reason}" if reason else f"{kind!r} object has no attribute {name!r}")
