"""Gymnasium's spaces from those of requel."""

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
