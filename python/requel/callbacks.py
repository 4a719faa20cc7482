"""Callbacks that write the numbers of training to other programs: W&B, Trackio, MLflow, TensorBoard.

Each is called with an event (:mod:`requel.events`) and has nothing that another could not write in ten lines; the package that it
writes to is imported when the first event comes. What one begins it ends: with the last scores of :func:`requel.train`, with ``close()``,
or at the end of a ``with`` block.

>>> requel.train("CartPole-v1", callback=requel.callbacks.Wandb(project="cartpole"))  # doctest: +SKIP
>>> with requel.callbacks.TensorBoard("logs/dqn") as log:  # doctest: +SKIP
...     requel.DQN("MlpPolicy", "CartPole-v1").learn(50_000, callback=log)
"""

from __future__ import annotations

import abc
import importlib
import math
import os
import time
from typing import TYPE_CHECKING, Any

from requel import events

if TYPE_CHECKING:
    from typing_extensions import Self


def numbers_of(event: events.Event) -> dict[str, float]:
    """The finite numbers of an event by name; none of an event that has no place in a chart."""
    found: dict[str, Any] = {}
    if isinstance(event, events.Progress):
        found = {f"train/{name}": number for name, number in event.numbers.items() if name != "env_steps"}
    elif isinstance(event, events.AgentReported):
        found = {f"agent/{name}": number for name, number in event.statistics.items()}
    elif isinstance(event, events.EnvReported) and event.episode is None:
        found = dict(event.metrics)
    elif isinstance(event, events.Evaluated):
        found = {"evaluation/return_mean": event.score.mean_return, "evaluation/return_std": event.score.std_return}
    elif isinstance(event, events.FinalEvaluated):
        found = {"final/return_mean": event.final.mean_return, "final/best_return_mean": event.best.mean_return}
    return {name: float(number) for name, number in found.items() if isinstance(number, int | float) and math.isfinite(number)}


class Recorder(abc.ABC):
    """Hands the numbers of events on to what :meth:`open` gives."""

    def __init__(self) -> None:
        self._target: Any = None

    def __call__(self, event: events.Event) -> None:
        """Record the numbers of an event."""
        numbers = numbers_of(event)
        if numbers:
            self.write(numbers, event.env_steps)
        if isinstance(event, events.FinalEvaluated):
            self.close()

    def write(self, numbers: dict[str, float], env_steps: int) -> None:
        """Record numbers of your own."""
        if self._target is None:
            self._target = self.open()
        self.record(self._target, numbers, env_steps)

    @abc.abstractmethod
    def open(self) -> Any:
        """What to write to, made when the first numbers come."""

    @abc.abstractmethod
    def record(self, target: Any, numbers: dict[str, float], env_steps: int) -> None:
        """Write the numbers that hold after so many env steps."""

    def end(self, target: Any) -> None:
        """End what :meth:`open` began."""

    def close(self) -> None:
        """End what was begun, if anything was."""
        target, self._target = self._target, None
        if target is not None:
            self.end(target)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close it."""
        self.close()


class Wandb(Recorder):
    """Weights & Biases. ``WANDB_MODE=offline`` keeps it on this machine.

    Args:
        run: the run to write to; its owner ends it.
        **init: arguments of ``wandb.init``, if no run is given.
    """

    def __init__(self, run: Any = None, **init: Any) -> None:
        super().__init__()
        self._run, self._init = run, init

    def open(self) -> Any:
        """The run."""
        return self._run if self._run is not None else importlib.import_module("wandb").init(**self._init)

    def record(self, target: Any, numbers: dict[str, float], env_steps: int) -> None:
        """Log them."""
        target.log(numbers, step=env_steps)

    def end(self, target: Any) -> None:
        """Finish the run, unless it was given."""
        if self._run is None:
            target.finish()


class Trackio(Recorder):
    """Trackio, which keeps its data on this machine.

    Args:
        project: its project.
        **init: other arguments of ``trackio.init``.
    """

    def __init__(self, project: str = "requel", **init: Any) -> None:
        super().__init__()
        self._init = {"project": project, **init}

    def open(self) -> Any:
        """The module, with a run begun."""
        trackio = importlib.import_module("trackio")
        trackio.init(**self._init)
        return trackio

    def record(self, target: Any, numbers: dict[str, float], env_steps: int) -> None:
        """Log them."""
        target.log(numbers, step=env_steps)

    def end(self, target: Any) -> None:
        """Finish the run."""
        target.finish()


class MLflow(Recorder):
    """MLflow. ``MLFLOW_TRACKING_URI`` says where it keeps its data.

    Args:
        **run: arguments of ``mlflow.start_run``; if a run is already active, it is used, and its owner ends it.
    """

    def __init__(self, **run: Any) -> None:
        super().__init__()
        self._run, self._is_own = run, False

    def open(self) -> Any:
        """The module, with a run active."""
        mlflow = importlib.import_module("mlflow")
        self._is_own = mlflow.active_run() is None
        if self._is_own:
            mlflow.start_run(**self._run)
        return mlflow

    def record(self, target: Any, numbers: dict[str, float], env_steps: int) -> None:
        """Log them."""
        target.log_metrics(numbers, step=env_steps)

    def end(self, target: Any) -> None:
        """End the run that was begun here."""
        if self._is_own:
            target.end_run()


class TensorBoard(Recorder):
    """TensorBoard's event files, by the package ``tensorboard``. :func:`requel.train` writes such a file into its run by itself: this is for
    agents in memory.

    Args:
        directory: the directory of the file.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        super().__init__()
        self._directory = os.fspath(directory)

    def open(self) -> Any:
        """The writer of a new file."""
        writers = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        return writers.EventFileWriter(self._directory)

    def record(self, target: Any, numbers: dict[str, float], env_steps: int) -> None:
        """Write a scalar of each."""
        event_pb2 = importlib.import_module("tensorboard.compat.proto.event_pb2")
        summary_pb2 = importlib.import_module("tensorboard.compat.proto.summary_pb2")
        values = [summary_pb2.Summary.Value(tag=name, simple_value=number) for name, number in numbers.items()]
        target.add_event(event_pb2.Event(wall_time=time.time(), step=env_steps, summary=summary_pb2.Summary(value=values)))

    def end(self, target: Any) -> None:
        """Close the file."""
        target.close()


__all__ = ["MLflow", "Recorder", "TensorBoard", "Trackio", "Wandb", "numbers_of"]
