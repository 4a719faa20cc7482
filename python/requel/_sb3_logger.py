"""What callbacks record: numbers by name, in the shape of Stable-Baselines3's logger."""

from __future__ import annotations

from typing import Any


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
        """Begin means anew."""
        self._counts.clear()

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing."""

    debug = info = warn = error = log

    def get_dir(self) -> str | None:
        """Where it writes: nowhere."""
        return self.dir

    def close(self) -> None:
        """Nothing is open."""
