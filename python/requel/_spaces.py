"""Gymnasium's spaces, as the trainer reads them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

#: More combinations of several actions than this are not flattened into one number.
MOST_ACTIONS = 4096


class SpaceError(TypeError, ValueError, AssertionError):
    """Spaces that cannot be learned in.

    Stable-Baselines3 asserts that they can, and raises ``ValueError`` for some: programs that were written for it expect either.
    """


def table(values: Sequence[float] | None, rows: int, *, single: bool) -> np.ndarray:
    """The values of actions, rows × actions; of a single observation those of its only row.

    Raises:
        RuntimeError: if there are none.
    """
    if values is None:
        raise RuntimeError("this agent has no values")
    found = np.asarray(values, np.float32).reshape(rows, -1)
    return found[0] if single else found


def is_image(space: spaces.Space[Any]) -> bool:
    """Whether a space holds pictures: bytes from 0 to 255 with two axes, or with three where one is that of the channels.

    Stacked pictures have one axis more.
    """
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8 or len(space.shape) not in (2, 3, 4):
        return False
    return bool(np.all(space.low == 0) and np.all(space.high == 255))


def observations(space: spaces.Space[Any]) -> tuple[dict[str, Any], Callable[[Any], Any] | None]:
    """How observations of a space are read, and what makes an array of one first where that is needed.

    Raises:
        TypeError: if the space has no fixed number of numbers.
    """
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": float(space.start)}, None
    if isinstance(space, spaces.MultiDiscrete):
        start = np.asarray(space.start)
        encode = (lambda value: np.asarray(value) - start) if start.any() else None
        return {"kind": "multi_discrete", "n": [int(n) for n in space.nvec.ravel()]}, encode
    if isinstance(space, spaces.MultiBinary):
        shape = list(space.shape)
        low, high = [0.0] * math.prod(shape), [1.0] * math.prod(shape)
        return {"kind": "box", "low": low, "high": high, "shape": shape, "dtype": "bool"}, None
    if isinstance(space, spaces.Box):
        return _box(space), None
    kept = without_text(space)
    if kept is None:
        raise SpaceError(f"observations of {space} are text, but learning needs numbers: wrap the environment so that it returns some")
    try:
        flat = spaces.utils.flatten_space(kept)
    except NotImplementedError:
        flat = None
    if not isinstance(flat, spaces.Box):
        raise SpaceError(
            f"observations of {space} do not have a fixed number of numbers: wrap the environment so that they do, for instance in a "
            "gymnasium.wrappers.TransformObservation"
        )
    described = _box(flat)
    described["dtype"] = "float32"
    scales = _scales(kept)
    if (scales == 1.0).all():
        return described, lambda value: spaces.utils.flatten(kept, kept_of(space, value))
    for bound in ("low", "high"):
        described[bound] = (np.asarray(described[bound], np.float32) * scales).tolist()
    return described, lambda value: np.asarray(spaces.utils.flatten(kept, kept_of(space, value)), np.float32) * scales


def _scales(space: spaces.Space[Any]) -> np.ndarray:
    """What each number of a flattened observation is multiplied by: bytes of pictures come to 0 … 1, as those of pictures alone do."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        return np.concatenate([_scales(part) for part in parts])
    return np.full(spaces.utils.flatdim(space), 1.0 / 255.0 if is_image(space) else 1.0, np.float32)


def texts(space: spaces.Space[Any], at: str = "") -> list[str]:
    """Where in observations there is text, which is not learned from."""
    if _is_text(space):
        return [at]
    parts = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces) if isinstance(space, spaces.Tuple) else ()
    return [found for key, part in parts for found in texts(part, f"{at}[{key!r}]")]


def _is_text(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Text) or space.dtype is str or (space.dtype is not None and np.dtype(space.dtype).kind == "U")


def without_text(space: spaces.Space[Any]) -> spaces.Space[Any] | None:
    """The space without its parts that are text; ``None`` where nothing is left."""
    if _is_text(space):
        return None
    if not texts(space):
        return space
    if isinstance(space, spaces.Dict):
        parts = {key: kept for key, part in space.spaces.items() if (kept := without_text(part)) is not None}
        return spaces.Dict(parts) if parts else None
    assert isinstance(space, spaces.Tuple)
    kept = [kept for part in space.spaces if (kept := without_text(part)) is not None]
    return spaces.Tuple(kept) if kept else None


def kept_of(space: spaces.Space[Any], value: Any) -> Any:
    """What is left of a value without its text."""
    if isinstance(space, spaces.Dict):
        return {key: kept_of(part, value[key]) for key, part in space.spaces.items() if without_text(part) is not None}
    if isinstance(space, spaces.Tuple):
        return tuple(kept_of(part, each) for part, each in zip(space.spaces, value, strict=True) if without_text(part) is not None)
    return value


def _box(space: spaces.Box) -> dict[str, Any]:
    axes, shape = _order(space)
    low = np.transpose(space.low, axes) if axes else space.low
    high = np.transpose(space.high, axes) if axes else space.high
    dtype = "uint8" if is_image(space) else "bool" if space.dtype == np.bool_ else "float32"
    # Whole numbers beyond single precision would be bounds that nothing reaches.
    described: dict[str, Any] = {
        "kind": "box",
        "low": low.astype(np.float32).ravel().tolist(),
        "high": high.astype(np.float32).ravel().tolist(),
        "shape": shape,
        "dtype": dtype,
    }
    if axes:
        described["axes"] = axes
    return described


def _order(space: spaces.Box) -> tuple[list[int] | None, list[int]]:
    """In what order the axes are read, so that channels come last, and the shape that comes of it."""
    shape = list(space.shape)
    if len(shape) == 3 and shape[0] < min(shape[1:]):
        return [1, 2, 0], [shape[1], shape[2], shape[0]]
    # Stacked pictures with channels of their own: (stack, height, width, channels).
    if len(shape) == 4 and is_image(space):
        return [1, 2, 0, 3], [shape[1], shape[2], shape[0] * shape[3]]
    return None, shape


def actions(space: spaces.Space[Any]) -> tuple[int, list[Any]]:
    """How many actions there are, and what the environment is given for each; nothing where that is the action's number.

    Several discrete actions at once count as one: the last of them changes first.

    Raises:
        TypeError: if actions are continuous, or there are more than 4,096 combinations of them.
    """
    if isinstance(space, spaces.Discrete):
        count, start = int(space.n), int(space.start)
        return count, [start + action for action in range(count)] if start else []
    if isinstance(space, spaces.MultiDiscrete):
        sizes = [int(n) for n in space.nvec.ravel()]
        start = np.asarray(space.start)
        combine = lambda values: np.asarray(values, space.dtype).reshape(space.shape) + start.astype(space.dtype)  # noqa: E731
    elif isinstance(space, spaces.MultiBinary):
        sizes = [2] * math.prod(space.shape)
        combine = lambda values: np.asarray(values, space.dtype).reshape(space.shape)  # noqa: E731
    else:
        raise SpaceError(
            f"actions of {space} are not discrete, but values are learned for discrete actions: wrap the environment so that "
            "it takes the number of an action, for instance in a gymnasium.ActionWrapper"
        )
    count = math.prod(sizes)
    if count > MOST_ACTIONS:
        raise SpaceError(f"{space} has {count} combinations of actions, more than the {MOST_ACTIONS} that are possible")
    return count, [combine(values) for values in itertools.product(*map(range, sizes))]


def allowed(space: spaces.Space[Any], mask: Any) -> np.ndarray:
    """Which of the actions a mask allows: one flag each.

    A mask of several discrete actions has the flags of one after those of the other, or one flag for each combination.

    Raises:
        ValueError: if it has more flags or fewer.
    """
    flags = np.concatenate([np.asarray(part, bool).ravel() for part in mask]) if isinstance(mask, tuple) else np.asarray(mask, bool).ravel()
    if isinstance(space, spaces.Discrete):
        return flags
    sizes = [int(n) for n in space.nvec.ravel()] if isinstance(space, spaces.MultiDiscrete) else [2] * math.prod(space.shape or ())
    if len(flags) == math.prod(sizes):
        return flags
    if len(flags) != sum(sizes):
        raise ValueError(f"an action mask has {len(flags)} flags, and {space} needs {sum(sizes)}")
    parts = np.split(flags, np.cumsum(sizes)[:-1])
    return np.array([all(combination) for combination in itertools.product(*parts)], bool)


class Encoder:
    """Turns observations into what a network reads, and its choices into actions of an environment."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        self._observations, self._actions = observation_space, action_space
        self._described, self._encode = observations(observation_space)
        self.action_count, self._given = actions(action_space)
        self._indices = {tuple(np.ravel(given).tolist()): index for index, given in enumerate(self._given)}

    def rows(self, values: Any) -> tuple[np.ndarray, bool]:
        """Observations as rows × numbers, and whether it was a single one.

        Raises:
            ValueError: if they are none of the space, or one of their numbers is NaN or infinite.
        """
        single = self._is_single(values)
        batch = [values] if single else self._apart(values)
        rows = np.stack([self._row(value) for value in batch]) if len(batch) else np.zeros((0, 1), np.float32)
        if not np.isfinite(rows).all():
            raise ValueError("an observation has a number that is NaN or infinite, so no action can be chosen")
        return np.ascontiguousarray(rows, np.float32), single

    def decoded(self, rows: np.ndarray) -> Any:
        """A batch of observations of the space, from rows × numbers; what is text is not in them."""
        values = [self._decoded(row) for row in rows]
        space = without_text(self._observations)
        assert space is not None
        return concatenate(space, values, create_empty_array(space, len(values)))

    def action(self, index: int) -> Any:
        """What an environment takes for the action of this number."""
        if self._given:
            return np.asarray(self._given[index])
        return np.asarray(index, np.int64)

    def actions(self, chosen: Sequence[int], *, single: bool) -> np.ndarray:
        """What an environment takes for actions of these numbers: one, or an array of them."""
        if not len(chosen):
            return np.zeros((0, *self.action(0).shape), np.int64)
        actions = np.stack([self.action(index) for index in chosen])
        return np.asarray(actions[0]) if single else actions

    def index(self, action: Any) -> int:
        """The number of an action that an environment takes.

        Raises:
            ValueError: if it takes no such action.
        """
        if not self._given:
            index = int(action)
            if not 0 <= index < self.action_count:
                raise ValueError(f"{action!r} is not an action of {self._actions}")
            return index
        index = self._indices.get(tuple(np.ravel(action).tolist()), -1)
        if index < 0:
            raise ValueError(f"{action!r} is not an action of {self._actions}")
        return index

    def _decoded(self, row: np.ndarray) -> Any:
        space, described = self._observations, self._described
        if described["kind"] != "box":
            sizes = np.atleast_1d(described["n"])
            found = np.array([part.argmax() for part in np.split(row, np.cumsum(sizes)[:-1])])
            start = np.asarray(getattr(space, "start", 0))
            return (found.reshape(space.shape) + start).astype(space.dtype)
        if self._encode is not None:
            kept = without_text(space)
            assert kept is not None
            scales = _scales(kept)
            # What was scaled were whole numbers.
            return spaces.utils.unflatten(kept, np.where(scales == 1.0, row, np.rint(row / scales)))
        array = row.reshape(described["shape"])
        if "axes" in described and array.ndim == len(described["axes"]):
            array = array.transpose(np.argsort(described["axes"]))
        return array.reshape(space.shape).astype(space.dtype)

    def _is_single(self, values: Any) -> bool:
        space, value = self._observations, values
        while isinstance(space, spaces.Dict | spaces.Tuple):
            key = next(iter(space.spaces)) if isinstance(space, spaces.Dict) else 0
            space, value = space.spaces[key], value[key]
        return np.ndim(value) == len(space.shape or ())

    def _is_turned(self, picture: np.ndarray) -> bool:
        """Whether it is a picture with its channels at the other end, as wrappers of Stable-Baselines3 turn them."""
        shape = self._observations.shape
        if not is_image(self._observations) or shape is None or len(shape) != 3:
            return False
        return picture.shape == ((shape[2], *shape[:2]) if shape[2] < shape[0] else (*shape[1:], shape[0]))

    def _apart(self, values: Any) -> list[Any]:
        if isinstance(values, dict):
            parts = {key: list(value) for key, value in values.items()}
            return [dict(zip(parts, row, strict=True)) for row in zip(*parts.values(), strict=True)]
        if isinstance(values, tuple):
            return list(zip(*values, strict=True))
        return list(values)

    def _row(self, value: Any) -> np.ndarray:
        numbers = np.asarray(self._encode(value) if self._encode is not None else value)
        shape = self._observations.shape
        if numbers.shape != shape and self._is_turned(numbers):
            numbers = np.moveaxis(numbers, *((0, -1) if shape[-1] < shape[0] else (-1, 0)))
        if self._encode is None and shape is not None and numbers.shape != shape:
            raise ValueError(f"an observation of the shape {numbers.shape}, where the environment shows {shape}")
        if "axes" in self._described and numbers.ndim == len(self._described["axes"]):
            numbers = numbers.transpose(self._described["axes"])
        row = numbers.astype(np.float32).ravel() - np.float32(self._described.get("start", 0.0))
        if self._described["kind"] == "box":
            if len(row) != len(self._described["low"]):
                raise ValueError(f"an observation has {len(row)} numbers, where the environment shows {len(self._described['low'])}")
            return row
        sizes = self._described["n"]
        sizes = [sizes] if isinstance(sizes, int) else sizes
        if len(row) != len(sizes) or not all(0 <= number < size for number, size in zip(row, sizes, strict=True)):
            raise ValueError(f"{value!r} is not an observation of {self._observations}")
        return np.concatenate([np.eye(size, dtype=np.float32)[int(number)] for number, size in zip(row, sizes, strict=True)])
