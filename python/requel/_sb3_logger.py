"""What callbacks record: numbers by name, in the shape of Stable-Baselines3's logger."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from requel.callbacks import TensorBoard


class Logger:
    """Keeps the latest number of each name. Nothing is written or printed."""

    def __init__(self) -> None:
        #: The latest value of each name.
        self.name_to_value: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        #: Where nothing is written.
        self.dir: str | None = None

    def record(self, key: str, value: Any, exclude: Any = None) -> None:
        """Keep a value."""
        self.name_to_value[key] = value

    def record_mean(self, key: str, value: float | None, exclude: Any = None) -> None:
        """Keep the mean of what was recorded under a name since the last :meth:`dump`."""
        if value is None:
            return
        count = self._counts.get(key, 0)
        self.name_to_value[key] = (self.name_to_value.get(key, 0.0) * count + value) / (count + 1)
        self._counts[key] = count + 1

    def dump(self, step: int = 0) -> None:
        """Start new means."""
        self._counts.clear()

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    debug = info = warn = error = log

    def get_dir(self) -> str | None:
        """Where it writes: nowhere."""
        return self.dir

    def close(self) -> None:
        """Nothing is open."""


class TensorBoardLogger(Logger):
    """Writes what was recorded since the last :meth:`dump` into an event file, in the next free ``directory/NAME_1``, ``NAME_2`` …"""

    def __init__(self, directory: str | os.PathLike[str], name: str, *, goes_on: bool) -> None:
        super().__init__()
        numbers = [int(found.group(1)) for path in Path(directory).glob(f"{name}_*") if (found := re.fullmatch(rf"{re.escape(name)}_(\d+)", path.name))]
        number = max([*numbers, 0]) + (0 if goes_on and numbers else 1)
        self.dir = str(Path(directory) / f"{name}_{number}")
        self._writer = TensorBoard(self.dir)
        self._recorded: dict[str, float] = {}

    def record(self, key: str, value: Any, exclude: Any = None) -> None:
        """Keep a value, and a number for the file."""
        super().record(key, value, exclude)
        excluded = (exclude,) if isinstance(exclude, str) else exclude or ()
        if "tensorboard" not in excluded and isinstance(value, int | float):
            self._recorded[key] = float(value)

    def record_mean(self, key: str, value: float | None, exclude: Any = None) -> None:
        """Keep a mean."""
        super().record_mean(key, value, exclude)
        if value is not None:
            self._recorded[key] = float(self.name_to_value[key])

    def dump(self, step: int = 0) -> None:
        """Write the numbers as those of this step."""
        super().dump(step)
        if self._recorded:
            self._writer.write(self._recorded, step)
        self._recorded = {}

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
