"""Deep Q-learning with experience replay: fast, resumable, and the same bits for the same seed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from requel._plugin import register_with_gymnasium as _register_with_gymnasium
from requel._requel import __version__

if TYPE_CHECKING:
    from requel import atari, callbacks, envs, stats
    from requel._agent import C51, IQN, PQN, QRDQN, Agent, Rainbow
    from requel._agent_loop import AgentLoop
    from requel._training import Run, resume, train
    from requel._workers import WorkerDied, workers
    from requel.envs import RequelEnv, RequelVectorEnv, make_vec
    from requel.policy import Policy
    from requel.replay import ReplayBuffer
    from requel.sb3 import DQN

#: Where each public name comes from. They are imported when they are first asked for: Gymnasium takes its time.
_HOMES = {
    "Agent": "requel._agent",
    "AgentLoop": "requel._agent_loop",
    "C51": "requel._agent",
    "DQN": "requel.sb3",
    "IQN": "requel._agent",
    "PQN": "requel._agent",
    "Policy": "requel.policy",
    "QRDQN": "requel._agent",
    "Rainbow": "requel._agent",
    "ReplayBuffer": "requel.replay",
    "RequelEnv": "requel.envs",
    "RequelVectorEnv": "requel.envs",
    "Run": "requel._training",
    "WorkerDied": "requel._workers",
    "make_vec": "requel.envs",
    "resume": "requel._training",
    "train": "requel._training",
    "workers": "requel._workers",
}

#: Modules that are imported when they are first asked for.
_MODULES = {"atari", "callbacks", "envs", "stats"}

__all__ = [
    "C51",
    "DQN",
    "IQN",
    "PQN",
    "QRDQN",
    "Agent",
    "AgentLoop",
    "Policy",
    "Rainbow",
    "ReplayBuffer",
    "RequelEnv",
    "RequelVectorEnv",
    "Run",
    "WorkerDied",
    "__version__",
    "atari",
    "callbacks",
    "envs",
    "make_vec",
    "resume",
    "stats",
    "train",
    "workers",
]

_register_with_gymnasium()


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"requel.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'requel' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_MODULES])
