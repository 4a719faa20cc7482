"""The part of the package that is written in Rust."""

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

StrPath = str | PathLike[str]

__version__: str

def run_program(arguments: Sequence[str]) -> int:
    """Run the ``requel`` program with ``arguments``, its name first, and return the code to exit with."""

class Config:
    """The settings of a training, complete and checked."""

    text: str
    env_id: str
    num_envs: int

    @staticmethod
    def resolve(env_id: str, preset: str | None, algo: str | None, settings: list[tuple[str, str, Any]]) -> Config:
        """The settings of a preset and an algorithm under others, each with where it was said. Raises ``ValueError``."""
    @staticmethod
    def of_run(dir: StrPath) -> Config: ...
    def with_settings(self, settings: list[tuple[str, str, Any]]) -> Config: ...

class Training:
    """A trainer in memory or in the directory of a run."""

    def __init__(
        self,
        config: Config,
        source: object | None = None,
        vector: object | None = None,
        evaluation: object | None = None,
        stacked: bool = False,
        threads: int = 1,
    ) -> None: ...
    def begin_run(self, run_dir: StrPath | None = None) -> Path: ...
    def resume_run(self, run_dir: StrPath, change: bool) -> tuple[bool, int]: ...
    def run(
        self, listener: Callable[[str, str, dict[str, Any]], Any] | None = None, wants_steps: bool = False, score: bool = True
    ) -> tuple[str, str | None]: ...
    def stop(self) -> None: ...
    def save_now(self) -> None: ...
    def change(self, config: Config) -> None: ...
    def progress(self) -> tuple[int, int, int, float | None]: ...
    def weights_blake3(self) -> str: ...
    def act(self, observations: np.ndarray, masks: np.ndarray | None = None) -> tuple[list[int], list[float] | None]: ...
    def policy(self) -> bytes: ...
    def begin_from(self, policy: bytes) -> None: ...

def config_sections() -> list[tuple[str, str, list[tuple[str, str]]]]: ...
def is_own_env(id: str) -> bool: ...
def presets() -> list[str]: ...
def program_in(arguments: list[str], source: object | None = None) -> int: ...
def run_record(dir: StrPath) -> dict[str, Any]: ...
def run_saves_envs(dir: StrPath) -> bool | None: ...

def environments() -> list[dict[str, Any]]:
    """Return what is known of each environment without making it.

    Keys: ``id``, ``max_episode_steps``, ``reward_threshold``, ``render_fps``, ``options``.
    """

class Env:
    """An environment of requel."""

    def __new__(cls, id: str, options: dict[str, Any]) -> Env:
        """Make the environment of this id; options that are ``None`` are left out.

        Raises ``gymnasium.error.NameNotFound``, ``ValueError`` for an option or its value, ``TypeError`` for its type.
        """

    def observation_space(self) -> tuple[Any, ...]:
        """Return ``("discrete", n)``, ``("multi_discrete", counts)`` or ``("box", low, high, shape, dtype)``, bounds flat."""

    def action_space(self) -> tuple[Any, ...]:
        """Return the action space in the same form."""

    def reset(self, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode: the observation and the info."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action: observation, reward, terminated, truncated, info.

        Raises ``gymnasium.error.ResetNeeded`` and ``gymnasium.error.InvalidAction``.
        """

    def pixels(self, width: int) -> npt.NDArray[np.uint8]:
        """Draw the environment: height x ``width`` x 3. Raises ``RuntimeError`` where there is nothing to draw."""

    def text(self, columns: int, rows: int) -> str:
        """Draw the environment in at most so many character cells, with escape sequences for 24-bit colours."""

    def terminal_text(self, columns: int, rows: int) -> str:
        """Do so with what the terminal of this process can show."""

    def save(self) -> bytes:
        """Return the complete state."""

    def restore(self, state: bytes) -> None:
        """Take over a state that ``save`` returned. Raises ``ValueError`` if it is none."""

class VectorEnv:
    """Environments of requel of one kind, stepped together."""

    def __new__(cls, id: str, num_envs: int, options: dict[str, Any], autoreset: str) -> VectorEnv:
        """Make ``num_envs`` of them; ``autoreset`` is ``"next_step"``, ``"same_step"`` or ``"disabled"``. Raises as :class:`Env`."""

    def reset(self, seeds: Sequence[int | None]) -> None:
        """Start an episode in each slot, with its seed where there is one."""

    def reset_slots(self, chosen: Sequence[bool], seeds: Sequence[int | None]) -> None:
        """Do so in the chosen slots alone."""

    def step(
        self, actions: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], bool]:
        """Take an action in each slot: new observations, rewards, terminations, truncations, and whether any episode ended."""

    def step_into(
        self, actions: npt.NDArray[np.int64], observations: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_], bool]:
        """Do so with the observations written into an array: contiguous, of the space's dtype, of as many elements."""

    def observations(self) -> npt.NDArray[Any]:
        """Return the observations as the last call left them, in a new array: slots x the shape of one."""

    def write_observations(self, array: npt.NDArray[Any]) -> None:
        """Write them into an array."""

    def final_observation(self, slot: int) -> Any:
        """Return the true last observation of a slot that the last step ended, in the mode ``same_step``."""

    def action_masks(self) -> npt.NDArray[np.int8] | None:
        """Return which actions each slot allows now: slots x actions; ``None`` where all are."""

    def final_action_masks(self) -> npt.NDArray[np.int8] | None:
        """Return which each allowed at the observation that its last step led to."""

    def metric_names(self) -> list[str]:
        """Return the names of what the environments report with each step."""

    def metrics(self) -> npt.NDArray[np.float64]:
        """Return what each slot reported of its last step: slots x metrics; NaN where it reported nothing."""

    def pixels(self, slot: int, width: int) -> npt.NDArray[np.uint8]:
        """Draw a slot: height x ``width`` x 3."""

    def text(self, slot: int, columns: int, rows: int) -> str:
        """Draw a slot in at most so many character cells."""
