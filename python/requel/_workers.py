"""Environments in processes of their own: what ``num_workers`` is.

Gymnasium's ``AsyncVectorEnv`` runs them over shared memory. Here is what training needs beside that: an error that says which process
died of what, environments that are saved with a run, and an end after which no process is left, however it came.
"""

from __future__ import annotations

import contextlib
import copy
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cloudpickle
import gymnasium
import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from requel import _environments
from requel._requel import is_own_env
from requel._vector import Vector

#: How long a process that was asked to end may take, seconds.
_PATIENCE = 5.0


class WorkerDied(RuntimeError):
    """The process of an environment ended unexpectedly.

    The run keeps its checkpoints: :func:`requel.resume` continues it.

    Attributes:
        env: the number of the environment.
        exit_code: what the process ended with; negative for a signal.
    """

    def __init__(self, env: int, exit_code: int | None) -> None:
        self.env: int = env
        self.exit_code: int | None = exit_code
        super().__init__(f"the process of environment {env} ended {_cause(exit_code)}; requel.resume() continues the run")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.env, self.exit_code)


class Workers(AsyncVectorEnv):
    """Environments, each in a process of its own."""

    #: What the trainer sees it through.
    vector_type: type[Vector]

    def __init__(self, make: Callable[[], gymnasium.Env[Any, Any]], count: int) -> None:
        self._has_died = False
        super().__init__([_made_elsewhere(make, os.getpid())] * count, autoreset_mode=AutoresetMode.DISABLED)
        # What makes one here, to score policies in.
        self.env_fns: Sequence[Callable[[], gymnasium.Env[Any, Any]]] = [make] * count

    def reset_wait(self, *arguments: Any, **named: Any) -> Any:
        """Gymnasium's."""
        with self._watched():
            return super().reset_wait(*arguments, **named)

    def step_async(self, actions: Any) -> None:
        """Gymnasium's."""
        with self._watched():
            super().step_async(actions)

    def step_wait(self, timeout: float | None = None) -> Any:
        """Gymnasium's."""
        with self._watched():
            return super().step_wait(timeout)

    def call_wait(self, timeout: float | None = None) -> Any:
        """Gymnasium's."""
        with self._watched():
            return super().call_wait(timeout)

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """End all processes; those that do not end when they are asked to are made to."""
        is_whole = not self._has_died and not terminate and all(process.is_alive() for process in self.processes)
        if is_whole:
            with contextlib.suppress(Exception):
                super().close_extras(timeout=_PATIENCE if timeout is None else timeout)
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        for pipe in self.parent_pipes:
            # Gymnasium has closed that of an environment that failed, and forgotten it.
            if pipe is not None:
                pipe.close()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, ConnectionError) as error:
            self._has_died = True
            for process in self.processes:
                process.join(0.1)
            dead = [(env, process.exitcode) for env, process in enumerate(self.processes) if not process.is_alive()]
            raise WorkerDied(*(dead[0] if dead else (0, None))) from error


class Saved(gymnasium.Wrapper[Any, Any, Any, Any]):
    """An environment whose state can be asked for, and set, from another process."""

    @property
    def pickled(self) -> bytes | None:
        """The complete state; ``None`` where there is no way to it."""
        if any(isinstance(layer, EzPickle) for layer in _environments.layers(self.env)):
            return None
        try:
            return cloudpickle.dumps(self.env)
        except Exception:  # noqa: BLE001 - whatever an environment says to being pickled, it cannot be
            return None

    @pickled.setter
    def pickled(self, state: bytes) -> None:
        self.env = _environments.of_classes_here(cloudpickle.loads(state), self.env)


class WorkerVector(Vector):
    """Environments in processes, as the trainer takes them."""

    _HERE = ("_current", "_ended", "_waiting", "_fresh", "masks", "_masks_after", "_seed")

    def save(self) -> bytes | None:
        """The complete state; ``None`` where there is no way to it."""
        states = self.env.get_attr("pickled")
        if any(state is None for state in states):
            return None
        return cloudpickle.dumps((list(states), copy.deepcopy(self.env.observations), [getattr(self, name) for name in self._HERE]))

    def restore(self, state: bytes) -> None:
        """Take over a state."""
        states, shown, here = cloudpickle.loads(state)
        if len(states) != self.num_envs:
            raise ValueError(f"the run has {len(states)} environments in processes, and there are {self.num_envs}")
        self.env.set_attr("pickled", states)
        _copy_into(self.env.observations, shown)
        for name, value in zip(self._HERE, here, strict=True):
            setattr(self, name, value)


Workers.vector_type = WorkerVector


@contextlib.contextmanager
def stepped_in(env: Any, num_workers: int | None) -> Iterator[Any]:
    """What is trained in: the environment as it was given, or so many of it in processes that end with this."""
    if num_workers is None:
        yield env
        return
    made = workers(env, num_workers)
    try:
        yield made
    finally:
        made.close()


def check_count(settings: list[tuple[str, str, Any]], num_workers: int | None) -> None:
    """Refuse another number of environments than of processes.

    Raises:
        ValueError: if there is one.
    """
    for _, key, value in settings:
        if key == "train.num_envs" and num_workers is not None and value != num_workers:
            raise ValueError(f"train.num_envs is {value} and num_workers {num_workers}: each environment has its own process")


def _made_elsewhere(make: Callable[[], gymnasium.Env[Any, Any]], home: int) -> Callable[[], gymnasium.Env[Any, Any]]:
    """What makes an environment in a process of its own, which leaves Ctrl-C to the one that trains: that one saves first."""

    def made() -> gymnasium.Env[Any, Any]:
        if os.getpid() != home:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return Saved(make())

    return made


def _copy_into(shown: Any, values: Any) -> None:
    """Put observations back to where the processes write them."""
    if isinstance(shown, dict):
        for key, part in shown.items():
            _copy_into(part, values[key])
    elif isinstance(shown, tuple):
        for part, value in zip(shown, values, strict=True):
            _copy_into(part, value)
    else:
        np.copyto(shown, values)


def workers(env: Any, count: int) -> Workers:
    """Environments in so many processes.

    Raises:
        TypeError: for what cannot be made several times, or needs no processes.
        ValueError: for no process.
    """
    if count < 1:
        raise ValueError(f"num_workers={count}: give 1 or more")
    if isinstance(env, str):
        if is_own_env(env):
            raise TypeError(f"{env} is requel's own, and its steps are faster than messages: num_workers is for environments in Python")
        return Workers(lambda: gymnasium.make(env), count)
    if isinstance(env, type) or (callable(env) and not hasattr(env, "step")):
        return Workers(env, count)
    raise TypeError("num_workers runs several environments: give an id, a class or a function that creates one")


def _cause(exit_code: int | None) -> str:
    if exit_code is None:
        return "or stopped responding"
    if exit_code >= 0:
        return f"with the exit code {exit_code}"
    with contextlib.suppress(ValueError):
        return f"by {signal.Signals(-exit_code).name}"
    return f"by signal {-exit_code}"
