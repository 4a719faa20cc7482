"""Gymnasium's spaces from those of requel, and back."""

from typing import Any

import numpy as np
from gymnasium import spaces


def from_native(space: tuple[Any, ...]) -> spaces.Space[Any]:
    """Return Gymnasium's space for one of requel's, as ``_requel`` writes it."""
    match space:
        case ("discrete", n):
            return spaces.Discrete(n)
        case ("multi_discrete", counts):
            return spaces.MultiDiscrete(counts)
        case ("box", low, high, shape, dtype):
            kind = np.dtype(dtype).type
            return spaces.Box(low.reshape(shape).astype(kind), high.reshape(shape).astype(kind), dtype=kind)
        case _:
            raise ValueError(f"no space: {space!r}")


def to_native(space: spaces.Space[Any]) -> tuple[Any, ...]:
    """Return the space as ``_requel`` reads it, values as they are: axes stay where they lie.

    Raises:
        TypeError: for a space of another kind than ``Box``, ``Discrete``, ``MultiDiscrete`` and ``MultiBinary``.
    """
    match space:
        case spaces.Discrete():
            return ("discrete", int(space.n))
        case spaces.MultiDiscrete():
            return ("multi_discrete", [int(n) for n in space.nvec.ravel()])
        case spaces.MultiBinary():
            return ("multi_discrete", [2] * int(np.prod(space.shape)))
        case spaces.Box():
            dtype = str(space.dtype) if space.dtype in (np.uint8, np.bool_) else "float32"
            low, high = (np.ascontiguousarray(bound, np.float32).ravel() for bound in (space.low, space.high))
            return ("box", low, high, list(space.shape), dtype)
        case _:
            raise TypeError(f"{space} is not a Box, Discrete, MultiDiscrete or MultiBinary: flatten it first")
