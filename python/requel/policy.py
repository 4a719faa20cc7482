"""Trained policies: loading, acting on batches, conversion to other formats."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from requel import _requel


class Device(str):
    """The name of a device, such as ``"cpu"`` or ``"cuda:0"``."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """Its kind: ``"cpu"`` or ``"cuda"``."""
        return self.partition(":")[0]


class Policy:
    """The result of training: the value of each action, and the greedy choice among them.

    Created by :meth:`load`, :meth:`from_bytes` or :meth:`from_sb3`. The same observation gives the same bits on every machine, alone or
    in a batch.

    An observation is what the network reads: an array of :attr:`observation_shape`, frames stacked as in training, or flat. Where
    requel knows the environment and its observations are discrete, whole numbers are accepted as the environment returns them. A batch
    has an axis in front.
    """

    #: Where the network is computed that this is a copy of; the copy itself acts on the CPU.
    device: Device = Device("cpu")

    def __init__(self, native: _requel.Policy) -> None:
        self._native = native
        self._shape = tuple(native.observation_shape)
        self._counts = native.one_hot_counts()

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """Load a policy's file, or the best policy of a run's directory.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if it does not contain a policy.
            RuntimeError: if the directory is not a run, or the run has no policy.
        """
        path = Path(path)
        return cls(_requel.Policy.of_run(path) if path.is_dir() else _requel.Policy.read(path))

    @classmethod
    def from_bytes(cls, file: bytes) -> Policy:
        """Load a policy from the bytes of its file.

        Raises:
            ValueError: if they are not a policy.
        """
        return cls(_requel.Policy.from_bytes(file))

    @classmethod
    def from_sb3(cls, path: str | os.PathLike[str], *, env_id: str = "SB3") -> Policy:
        """Load the network of a DQN that Stable-Baselines3 saved (``model.save("x.zip")``), without executing anything in it.

        Args:
            path: the zip file.
            env_id: the environment that it was trained in, for the policy's file and reports.

        Images are read with their channels last, as everywhere in requel: ``moveaxis(observation, -3, -1)`` of what SB3's network
        read.

        Raises:
            OSError: if the file cannot be read.
            ValueError: for anything but the network of a DQN with ``MlpPolicy`` or ``CnnPolicy``, saying what it is.
        """
        from requel._sb3 import policy_file

        return cls.from_bytes(policy_file(Path(path), env_id))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the policy's file: safetensors, the weights by PyTorch's names."""
        Path(path).write_bytes(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the bytes of the policy's file, the same for the same policy."""
        return self._native.to_bytes()

    @property
    def env_id(self) -> str:
        """The environment that it was trained in."""
        return self._native.env_id

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """The shape of the network's input; images are height, width, channels."""
        return self._shape

    @property
    def actions(self) -> int:
        """The number of actions."""
        return self._native.actions

    def act(self, observations: npt.ArrayLike, action_masks: npt.ArrayLike | None = None) -> Any:
        """Return the action with the largest value, the first one among equals.

        Args:
            observations: one observation, or a batch of ``n``.
            action_masks: which actions are allowed, true or 1 where one is: ``actions`` of them for one observation, ``n`` x
                ``actions`` for a batch. If none is allowed, all count as allowed.

        Returns:
            An int for one observation, an array of ``n`` ``int64`` for a batch.

        Raises:
            ValueError: if the shape of observations or masks is wrong, or an observation has a number that is not finite.
        """
        rows, is_batch = self._rows(observations)
        masks = None
        if action_masks is not None:
            masks = np.ascontiguousarray(np.atleast_2d(np.asarray(action_masks)), dtype=np.bool_)
        actions = self._native.act(rows, masks)
        return actions if is_batch else int(actions[0])

    def q_values(self, observations: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Return the value of each action: ``actions`` of them for one observation, ``n`` x ``actions`` for a batch of ``n``.

        Raises:
            ValueError: if the shape is wrong.
        """
        rows, is_batch = self._rows(observations)
        values = self._native.q_values(rows)
        return values if is_batch else values[0]

    def predict(
        self, observation: npt.ArrayLike, state: Any = None, episode_start: Any = None, deterministic: bool = True
    ) -> tuple[Any, Any]:
        """Act like a model of Stable-Baselines3, for its ``evaluate_policy``: returns the actions, and the state unchanged.

        Raises:
            ValueError: if ``deterministic`` is false: a trained policy does not explore.
        """
        if not deterministic:
            raise ValueError("predict(deterministic=False): a policy acts greedily; exploration is part of training")
        rows, is_batch = self._rows(observation)
        actions = self._native.act(rows, None)
        return (actions if is_batch else actions[0]), state

    def state_dict(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the parameters by PyTorch's names, in PyTorch's layout: ``layers.0.weight`` is outputs x inputs.

        ``torch.nn.Module.load_state_dict`` takes them, each through ``torch.from_numpy``.
        """
        return self._native.state_dict()

    def to_onnx(self, path: str | os.PathLike[str] | None = None) -> bytes:
        """Return the policy as an ONNX model, and write it if a path is given.

        It reads ``observation`` (batch x :attr:`observation_shape`; with masks also ``action_mask``), and gives ``q_values`` and
        ``action``.

        Raises:
            ValueError: if a layer cannot be expressed in ONNX.
        """
        model = self._native.to_onnx()
        if path is not None:
            Path(path).write_bytes(model)
        return model

    def __repr__(self) -> str:
        """Describe it."""
        return f"Policy({self.env_id!r}, observation_shape={self._shape}, actions={self.actions})"

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        """Pickle it as its file."""
        return Policy.from_bytes, (self.to_bytes(),)

    def _rows(self, observations: npt.ArrayLike) -> tuple[npt.NDArray[np.float32], bool]:
        """The observations as rows of numbers, and whether they are a batch."""
        array = np.asarray(observations)
        if self._counts is not None and array.dtype.kind in "iu":
            inner = () if len(self._counts) == 1 else (len(self._counts),)
            if array.shape[array.ndim - len(inner) :] == inner and array.ndim - len(inner) in (0, 1):
                return _one_hot(array, self._counts), array.ndim > len(inner)
        length = int(np.prod(self._shape))
        for shape in (self._shape, (length,)):
            if array.shape in (shape, (*array.shape[:1], *shape)):
                is_batch = array.ndim > len(shape)
                rows = np.ascontiguousarray(array, dtype=np.float32).reshape(-1, length)
                if not np.isfinite(rows).all():
                    raise ValueError("an observation has a number that is NaN or infinite, so no action can be chosen")
                return rows, is_batch
        raise ValueError(f"observations of the shape {array.shape}: expected {self._shape}, or a batch of them")


def _one_hot(values: npt.NDArray[Any], counts: list[int]) -> npt.NDArray[np.float32]:
    """Discrete observations as the network reads them, one after the other."""
    columns = values.reshape(-1, len(counts))
    if (columns < 0).any() or (columns >= np.asarray(counts)).any():
        raise ValueError(f"a discrete observation out of range: {len(counts)} number(s) below {counts}")
    return np.concatenate([np.eye(n, dtype=np.float32)[columns[:, at]] for at, n in enumerate(counts)], axis=1)
