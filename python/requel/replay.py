"""Replay buffers with numpy in and out: those that requel trains with, for your own learner."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from requel import _requel
from requel.envs.spaces import to_native


@dataclass
class Batch:
    """A batch of transitions, one per row; a :class:`ReplayBuffer` creates it."""

    observations: npt.NDArray[Any]
    """Rows x the shape of an observation: ``float32``, or the space's own type for bytes, truth values and whole numbers."""
    actions: npt.NDArray[np.int64]
    """What was done."""
    rewards: npt.NDArray[np.float32]
    """The reward; of transitions of several steps the discounted sum."""
    next_observations: npt.NDArray[Any]
    """What was seen after it: at the end of an episode its true last observation."""
    discounts: npt.NDArray[np.float32]
    """What the value of the next observation counts for: gamma to the number of steps, and 0 where the episode terminated."""
    indices: npt.NDArray[np.int64]
    """Where in the buffer each is."""
    probabilities: npt.NDArray[np.float64]
    """With which probability each was drawn; NaN of those that were read."""
    action_masks: npt.NDArray[np.bool_] | None = None
    """Rows x actions: which were allowed; ``None`` where the buffer keeps no masks."""
    next_action_masks: npt.NDArray[np.bool_] | None = None
    """Rows x actions: which are allowed at the next observation."""


class ReplayBuffer:
    """A ring of transitions, the oldest overwritten first.

    Args:
        capacity: the number of transitions.
        observation_space: ``Box``, ``Discrete``, ``MultiDiscrete`` or ``MultiBinary``. Those of a ``Box`` of ``uint8`` or ``bool``
            are kept as bytes, all others as ``float32``.
        action_space: ``Discrete``.
        num_envs: the number of environments whose steps :meth:`add` receives at once.
        n_step: the steps of a transition; fewer at the end of an episode.
        gamma: the discount of a step.
        prioritized: draw in proportion to priorities (Schaul et al. 2016): the TD error's size, at most ``priority_cap``, plus
            ``priority_epsilon``, to the power ``alpha``; a new transition has the largest so far. Otherwise all are drawn with the same
            probability.
        alpha: see ``prioritized``.
        priority_epsilon: see ``prioritized``.
        priority_cap: see ``prioritized``.
        replacement: whether a transition can be in a batch twice; with priorities it always can.
        frame_stack: store each frame once, for observations that have this many frames along their first or last axis.
        action_masks: store which actions were allowed.
        seed: the seed of the draws.

    Raises:
        TypeError: for another space.
        ValueError: for a value out of range.
        MemoryError: if the buffer does not fit into the available memory.
    """

    def __init__(
        self,
        capacity: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *,
        num_envs: int = 1,
        n_step: int = 1,
        gamma: float = 0.99,
        prioritized: bool = False,
        alpha: float = 0.6,
        priority_epsilon: float = 1e-6,
        priority_cap: float = 1000.0,
        replacement: bool = False,
        frame_stack: int | None = None,
        action_masks: bool = False,
        seed: int = 0,
    ) -> None:
        if not isinstance(action_space, spaces.Discrete):
            raise TypeError(f"actions of {action_space}: a requel replay buffer needs Discrete actions")
        if num_envs < 1:
            raise ValueError(f"num_envs={num_envs}: give 1 or more")
        native = to_native(observation_space)
        self.observation_space = observation_space
        self.action_space = action_space
        self.num_envs = num_envs
        self._start = int(action_space.start)
        self._shape, self._dtype = _observations(native)
        self._has_masks = action_masks
        self._native = _requel.ReplayBuffer(
            {
                "capacity": capacity,
                "observation_space": native,
                "actions": int(action_space.n),
                "action_masks": action_masks,
                "num_envs": num_envs,
                "n_step": n_step,
                "gamma": gamma,
                "frame_stack": frame_stack,
                "priorities": (alpha, priority_epsilon, priority_cap) if prioritized else None,
                "replacement": replacement,
                "seed": seed,
            }
        )

    def add(
        self,
        observation: npt.ArrayLike,
        action: npt.ArrayLike,
        reward: npt.ArrayLike,
        next_observation: npt.ArrayLike,
        terminated: npt.ArrayLike,
        truncated: npt.ArrayLike,
        *,
        action_mask: npt.ArrayLike | None = None,
        next_action_mask: npt.ArrayLike | None = None,
    ) -> None:
        """Take a step of each environment: of one its values, of several arrays with an axis in front.

        ``next_observation`` is the observation after the step: at the end of an episode its true last one, not the first of the next
        one. What is ``terminated`` has no value after it; what is ``truncated`` has, and ends the episode as well.

        Raises:
            ValueError: if the size of an array is another, an action is out of range, or an observation of bytes has other numbers.
        """
        rows = self.num_envs
        self._native.add(
            SimpleNamespace(
                observations=_rows(observation, rows, np.float32),
                actions=_column(action, np.int64) - self._start,
                rewards=_column(reward, np.float64),
                next_observations=_rows(next_observation, rows, np.float32),
                terminations=_column(terminated, np.bool_),
                truncations=_column(truncated, np.bool_),
                action_masks=None if action_mask is None else _rows(action_mask, rows, np.bool_),
                next_action_masks=None if next_action_mask is None else _rows(next_action_mask, rows, np.bool_),
            )
        )

    def interrupt(self) -> None:
        """Drop the steps waiting for n-step transitions: after an early reset the next step does not follow them."""
        self._native.interrupt()

    def sample(self, batch_size: int | None = None, *, out: Batch | None = None) -> Batch:
        """Draw transitions.

        Args:
            batch_size: how many.
            out: instead, a batch whose arrays are written to; nothing is allocated then.

        Raises:
            ValueError: if the buffer has too few transitions, or an array of ``out`` does not fit.
        """
        batch = self._batch(batch_size, out)
        self._native.sample_into(batch)
        return self._finished(batch)

    def read(self, indices: npt.ArrayLike, *, out: Batch | None = None) -> Batch:
        """Return the transitions at these indices, and change nothing.

        Raises:
            IndexError: if there is no transition at one of them.
        """
        where = np.asarray(indices, dtype=np.int64)
        batch = self._batch(len(where), out)
        batch.indices[:] = where
        self._native.read_into(batch)
        return self._finished(batch)

    def update_priorities(self, indices: npt.ArrayLike, td_errors: npt.ArrayLike) -> None:
        """Update the TD errors of drawn transitions: ``batch.indices`` and one error for each.

        If an index occurs twice, the last error counts; an error that is not finite changes nothing.

        Raises:
            IndexError: if there is no transition at an index.
            ValueError: if their numbers differ.
        """
        where, errors = np.ascontiguousarray(indices, np.int64), np.ascontiguousarray(td_errors, np.float32)
        self._native.update_priorities(where, errors)

    def empty_batch(self, batch_size: int) -> Batch:
        """Return a batch with this many rows, for :meth:`sample` and :meth:`read` to write into."""
        observations = np.zeros((batch_size, *self._shape), self._dtype)
        shape = (batch_size, int(self.action_space.n))
        masks = [np.zeros(shape, np.bool_) if self._has_masks else None for _ in range(2)]
        return Batch(
            observations=observations,
            actions=np.zeros(batch_size, np.int64),
            rewards=np.zeros(batch_size, np.float32),
            next_observations=np.zeros_like(observations),
            discounts=np.zeros(batch_size, np.float32),
            indices=np.zeros(batch_size, np.int64),
            probabilities=np.zeros(batch_size, np.float64),
            action_masks=masks[0],
            next_action_masks=masks[1],
        )

    @property
    def capacity(self) -> int:
        """The capacity."""
        return self._native.capacity

    def __len__(self) -> int:
        """Return the number of stored transitions."""
        return len(self._native)

    def _batch(self, batch_size: int | None, out: Batch | None) -> Batch:
        if out is not None:
            return out
        if batch_size is None:
            raise ValueError("sample() needs a batch_size, or a batch to write into")
        return self.empty_batch(batch_size)

    def _finished(self, batch: Batch) -> Batch:
        if self._start:
            batch.actions += self._start
        return batch


def importance_weights(probabilities: npt.ArrayLike, beta: float) -> npt.NDArray[np.float32]:
    """Return the weights of transitions drawn with these probabilities (Schaul et al. 2016).

    They are (N p) to the power -beta, divided by the largest of the batch.

    Raises:
        ValueError: for a probability that is not above 0, or a negative ``beta``.
    """
    return _requel.importance_weights(np.ascontiguousarray(probabilities, np.float64), beta)


def _observations(native: tuple[Any, ...]) -> tuple[tuple[int, ...], type]:
    """The shape and the type in which observations of a space come out."""
    match native:
        case ("discrete", _):
            return (), np.int64
        case ("multi_discrete", counts):
            return (len(counts),), np.int64
        case (_, _, _, shape, dtype):
            return tuple(shape), np.dtype(dtype).type
    raise TypeError(f"no space: {native!r}")


def _rows(values: npt.ArrayLike, rows: int, dtype: type) -> npt.NDArray[Any]:
    array = np.ascontiguousarray(values, dtype)
    if array.size % rows:
        raise ValueError(f"{array.size} numbers of {rows} environments")
    return array.reshape(rows, -1)


def _column(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if dtype is np.int64 and array.dtype.kind not in "iu":
        raise ValueError(f"actions are whole numbers, not {array.dtype}")
    return np.ascontiguousarray(array, dtype).reshape(-1)
