"""Training on a Ray cluster: studies whose runs are tasks, trials for Ray Tune, and DQN with remote collectors.

For what one machine can do none of this is needed: see ``docs/scale.md`` of the project. Only Ray's public interface is used.
"""

from __future__ import annotations

try:
    import ray as _ray  # noqa: F401 - it is there, or nothing here works
except ModuleNotFoundError as _missing:
    if _missing.name != "ray":
        raise
    raise ModuleNotFoundError("requel.ray needs Ray, which is not installed: pip install 'requel[ray]'", name="ray") from _missing

from requel.ray._apex import ApexDQN, ApexResult
from requel.ray._study import study
from requel.ray._tune import trainable

__all__ = ["ApexDQN", "ApexResult", "study", "trainable"]
