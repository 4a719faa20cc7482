"""What the keywords of Stable-Baselines3's ``DQN`` mean in requel's settings."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from requel._spaces import SpaceError

Settings = list[tuple[str, str, Any]]

#: The convolutions of "CnnPolicy": channels, kernel and stride (Mnih et al. 2015).
_NATURE = [[32, 8, 4], [64, 4, 2], [64, 3, 1]]

_MOMENTS: dict[str, Any] = {"betas": (0.9, 0.999), "eps": 1e-8}
#: Torch's optimisers by the kinds that they are here, with their constants.
_OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "Adam": ("adam", _MOMENTS),
    "AdamW": ("adam", _MOMENTS),
    "RAdam": ("radam", _MOMENTS),
    "RMSprop": ("rmsprop", {"alpha": 0.99, "eps": 1e-8, "momentum": 0.0, "centered": False}),
}


def settings(keywords: Mapping[str, Any], policy: str, looked_at: Any, n_envs: int) -> Settings:
    """What keywords mean here, without what depends on how long is learned."""
    kept = keywords
    every = steps_of(kept["train_freq"]) * n_envs
    updates = every if kept["gradient_steps"] < 0 else kept["gradient_steps"]
    if updates == 0:
        raise ValueError("gradient_steps=0: nothing would be learned")
    # There it counts steps of the vector: an interval shorter than one of these is one of these.
    target = max(kept["target_update_interval"] // n_envs, 1) * n_envs
    if n_envs > kept["target_update_interval"]:
        warnings.warn(
            f"The number of environments used is greater than target_update_interval ({n_envs} > {kept['target_update_interval']}): the "
            f"target network is updated after each step of the vector, which is {n_envs} env steps",
            stacklevel=5,
        )
    return [
        ("learning_starts", "replay.start", _start(kept, every, n_envs)),
        ("learning_starts", "exploration.random_env_steps", kept["learning_starts"]),
        ("buffer_size", "replay.capacity", _capacity(kept, n_envs)),
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


def schedules(keywords: Mapping[str, Any], total: int, budget: int) -> Settings:
    """What depends on how long is learned."""
    return [
        ("total_timesteps", "train.env_steps", budget),
        ("total_timesteps", "train.episodes", 0),
        ("exploration_initial_eps", "exploration.kind", "linear"),
        ("exploration_initial_eps", "exploration.start", keywords["exploration_initial_eps"]),
        ("exploration_final_eps", "exploration.end", keywords["exploration_final_eps"]),
        ("exploration_fraction", "exploration.env_steps", max(int(keywords["exploration_fraction"] * total), 1)),
    ]


def steps_of(train_freq: int | Sequence[Any]) -> int:
    if isinstance(train_freq, int):
        return train_freq
    count, unit = train_freq
    if unit != "step":
        raise ValueError(f"train_freq={train_freq!r}: updates are scheduled by env steps here, not by episodes")
    return int(count)


def _capacity(kept: Mapping[str, Any], n_envs: int) -> int:
    return max(kept["buffer_size"] // n_envs, 1) * n_envs


def _start(kept: Mapping[str, Any], every: int, n_envs: int) -> int:
    """How many transitions are stored when learning begins, at a multiple of ``every`` env steps.

    Raises:
        ValueError: if the buffer is full at an earlier one than that after ``learning_starts``.
    """
    start, capacity = kept["learning_starts"], _capacity(kept, n_envs)
    if start < capacity:
        return start
    if kept["n_steps"] > 1 or start // every * every >= capacity:
        raise ValueError(f"learning_starts={start}: the buffer only holds {capacity} transitions: give a larger buffer_size")
    # No learning is due between a full buffer and so many env steps: it begins at the same one.
    return capacity - 1


def _learning_rate(rate: float | Callable[[float], float]) -> Settings:
    if not callable(rate):
        return [("learning_rate", "optimizer.learning_rate", float(rate))]
    first = float(rate(1.0))
    told = [float(rate(progress)) for progress in (0.75, 0.5, 0.25, 0.0)]
    if np.allclose(told, first):
        return [("learning_rate", "optimizer.learning_rate", first)]
    if np.allclose(told, [0.75 * first, 0.5 * first, 0.25 * first, 0.0]):
        return [("learning_rate", "optimizer.learning_rate", first), ("learning_rate", "optimizer.anneal", "linear")]
    raise ValueError("learning_rate: a function must be constant or fall linearly to 0, as `lambda progress: progress * 1e-3` does")


def _network(policy: str, kwargs: Mapping[str, Any], looked_at: Any) -> Settings:
    unknown = set(kwargs) - {"net_arch", "activation_fn", "features_extractor_kwargs", "optimizer_class", "optimizer_kwargs", "normalize_images"}
    if unknown:
        name = min(unknown)
        raise ValueError(f"policy_kwargs {name}: networks are described by net_arch and activation_fn")
    described = looked_at.source.description.observations if looked_at.source is not None else None
    is_image = described is not None and described.get("dtype") == "uint8"
    is_plane = described is not None and len(described.get("shape", [])) == 3 and kwargs.get("normalize_images") is False
    if policy == "CnnPolicy" and described is not None and not is_image and not is_plane:
        raise SpaceError("policy CnnPolicy: observations must be images: bytes from 0 to 255, height × width × channels or channels first")
    if kwargs.get("normalize_images", True) is not True and is_image:
        raise ValueError("policy_kwargs normalize_images: images are always scaled to 0 … 1")
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
        raise ValueError(f"policy_kwargs features_extractor_kwargs {min(extracted)}: only features_dim of CnnPolicy is supported")
    if "activation_fn" in kwargs:
        name = _name(kwargs["activation_fn"]).lower()
        if name not in ("relu", "tanh"):
            raise ValueError(f"policy_kwargs activation_fn={_name(kwargs['activation_fn'])}: ReLU and Tanh are supported")
        settings.append(("policy_kwargs", "network.activation", name))
    return settings + _optimizer(kwargs)


def _optimizer(kwargs: Mapping[str, Any]) -> Settings:
    name, given = _name(kwargs.get("optimizer_class", "Adam")), dict(kwargs.get("optimizer_kwargs") or {})
    if name not in _OPTIMIZERS:
        raise ValueError(f"policy_kwargs optimizer_class={name}: {', '.join(_OPTIMIZERS)} are supported, with torch's constants")
    if name == "AdamW" and given.get("weight_decay") != 0:
        raise ValueError("policy_kwargs optimizer_class=AdamW: no weight decay here, but torch's default is 0.01: set weight_decay to 0")
    kind, constants = _OPTIMIZERS[name]
    told = {**constants, **given}
    settings: Settings = [("policy_kwargs", "optimizer.kind", kind)]
    for key in constants:
        value = told.pop(key)
        if key == "betas":
            settings += [("policy_kwargs", "optimizer.beta1", value[0]), ("policy_kwargs", "optimizer.beta2", value[1])]
        else:
            settings.append(("policy_kwargs", f"optimizer.{'epsilon' if key == 'eps' else key}", value))
    for key, value in told.items():
        if value not in (0, False, None):
            raise ValueError(f"policy_kwargs optimizer_kwargs {key}={value!r}: {' and '.join(constants)} are there")
    return settings


def _name(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))
