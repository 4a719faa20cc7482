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
    env_steps: int | None

    @staticmethod
    def resolve(env_id: str, preset: str | None, algo: str | None, settings: list[tuple[str, str, Any]]) -> Config:
        """The settings of a preset and an algorithm under others, each with where it was said. Raises ``ValueError``."""
    @staticmethod
    def of_run(dir: StrPath) -> Config: ...
    def with_settings(self, settings: list[tuple[str, str, Any]]) -> Config: ...
    def unused(self, keys: list[str]) -> list[str]:
        """Why some of these keys have no effect with the other settings."""

class AgentLoop:
    """An agent that is asked for actions and shown what came of them. Observations and masks are environments × numbers."""

    def __init__(self, config: Config, description: object) -> None: ...
    def act(self, observations: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_] | None = None) -> list[int]: ...
    def observe(
        self,
        observations: npt.NDArray[np.float32],
        actions: Sequence[int],
        columns: tuple[npt.NDArray[Any], ...],
        next_observations: npt.NDArray[np.float32],
        masks: npt.NDArray[np.bool_] | None = None,
        next_masks: npt.NDArray[np.bool_] | None = None,
        stored: bool = False,
    ) -> int: ...
    def interrupt(self, slot: int) -> None: ...
    def update(self, times: int) -> int: ...
    def predict(
        self, observations: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_] | None = None
    ) -> tuple[list[int], list[float] | None]: ...
    def numbers(self) -> str: ...
    def progress(self) -> tuple[int, int]: ...
    def weights_blake3(self) -> str: ...
    def save(self, root: StrPath) -> Path: ...
    def restore(self, root: StrPath) -> None: ...

class Collector:
    """Steps environments away from the learner."""

    def __init__(self, config: Config, source: object | None, slots: tuple[int, int], id: tuple[int, int], in_step: bool) -> None: ...
    def set_weights(self, version: int, weights: bytes) -> None: ...
    def collect(self, steps: int, env_steps: int, envs: int) -> bytes: ...
    def save(self) -> bytes | None: ...
    def restore(self, state: bytes) -> None: ...

class Learner:
    """Learns from blocks."""

    def __init__(self, config: Config, source: object | None = None, most_behind: int | None = None) -> None: ...
    def weights(self) -> tuple[int, bytes]: ...
    def ingest(self, block: bytes) -> str: ...
    def ingest_in_step(self, blocks: Sequence[bytes]) -> int: ...
    def steps_to_update(self, most: int) -> int: ...
    def next_incarnation(self, worker: int) -> int: ...
    def counts(self) -> dict[str, int]: ...
    def progress(self) -> tuple[int, int]: ...
    def numbers(self) -> str: ...
    def evaluate(self, seed: int) -> list[float]: ...
    def weights_blake3(self) -> str: ...
    def save(self, root: StrPath, collectors: Sequence[bytes | None]) -> Path: ...
    def restore(self, root: StrPath, collectors: int) -> list[bytes | None] | None: ...

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
    def arm(self) -> None: ...
    def stop(self) -> None: ...
    def save_now(self) -> None: ...
    def change(self, config: Config) -> None: ...
    def begin_anew(self, config: Config) -> None: ...
    def go_on_from(self, other: Training) -> None: ...
    def count_from(self, env_steps: int) -> None: ...
    def stored(self) -> int | None: ...
    def device(self) -> str: ...
    def save_replay(self, path: StrPath) -> None: ...
    def load_replay(self, path: StrPath) -> None: ...
    def save_learned(self) -> bytes: ...
    def begin_with_learned(self, learned: bytes) -> None: ...
    def observations(self) -> npt.NDArray[np.float32]: ...
    def progress(self) -> tuple[int, int, int, float | None]: ...
    def weights_blake3(self) -> str: ...
    def act(self, observations: np.ndarray, masks: np.ndarray | None = None) -> tuple[list[int], list[float] | None]: ...
    def policy(self) -> bytes: ...
    def begin_from(self, policy: bytes) -> None: ...

def config_sections() -> list[tuple[str, str, list[tuple[str, str]]]]: ...
def is_own_env(id: str) -> bool: ...
def presets() -> list[str]: ...
def preset_settings(name: str) -> str: ...
def program_in(arguments: list[str], source: object | None = None) -> int: ...
def run_record(dir: StrPath) -> dict[str, Any]: ...
def run_saves_envs(dir: StrPath) -> bool | None: ...

def environments() -> list[dict[str, Any]]:
    """Describe each environment without creating it.

    Keys: ``id``, ``max_episode_steps``, ``reward_threshold``, ``reward_range``, ``render_fps``, ``options``.
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
        """Draw the environment in at most this many character cells, with escape sequences for 24-bit colours."""

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

    def save(self) -> tuple[bytes, npt.NDArray[np.float32]]:
        """Return the complete state, and the observations as the last call left them."""

    def restore(self, state: bytes, observations: npt.NDArray[np.float32]) -> None:
        """Take over what ``save`` returned. Raises ``ValueError`` if it is of another vector."""

    def pixels(self, slot: int, width: int) -> npt.NDArray[np.uint8]:
        """Draw a slot: height x ``width`` x 3."""

    def text(self, slot: int, columns: int, rows: int) -> str:
        """Draw a slot in at most this many character cells."""

class Policy:
    """A policy read from a file or a run, which chooses actions."""

    @staticmethod
    def read(path: str | PathLike[str]) -> Policy:
        """Load a file. Raises ``OSError`` if it cannot be read, ``ValueError`` if it is not a policy."""

    @staticmethod
    def of_run(path: str | PathLike[str]) -> Policy:
        """Load the best policy of a run. Raises ``RuntimeError`` if there is none."""

    @staticmethod
    def from_bytes(bytes: bytes) -> Policy:
        """Load the bytes of a file. Raises ``ValueError`` if they are no policy."""

    def to_bytes(self) -> bytes:
        """Return the bytes of its file."""

    @property
    def env_id(self) -> str:
        """The environment that it was trained in."""

    @property
    def observation_shape(self) -> list[int]:
        """The shape of what its network reads."""

    @property
    def actions(self) -> int:
        """How many actions it values."""

    def one_hot_counts(self) -> list[int] | None:
        """Return how many values each discrete number of an observation has, where the network reads them as one-hot vectors."""

    def act(
        self, observations: npt.NDArray[np.float32], masks: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.int64]:
        """Return the greedy action for each row: rows x numbers, masks rows x actions. Raises ``ValueError`` for other shapes."""

    def q_values(self, observations: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the value of each action for each row: rows x actions. Raises ``ValueError`` for other shapes."""

    def state_dict(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return its parameters by PyTorch's names, in PyTorch's layout."""

    def to_onnx(self) -> bytes:
        """Return it as an ONNX model. Raises ``ValueError`` where a layer has no form there."""

def aggregate(
    name: str, tasks: list[npt.NDArray[np.float64]], target: float, resampling: tuple[float, int, int] | None
) -> tuple[float, tuple[float, float] | None]:
    """Return ``"iqm"``, ``"median"``, ``"mean"`` or ``"optimality_gap"`` of all runs of all tasks, and its interval.

    ``resampling`` is the share of resamples within the interval, how many there are, and their seed. Raises ``ValueError`` without runs and for NaN.
    """

def probability_of_improvement(
    x: list[npt.NDArray[np.float64]], y: list[npt.NDArray[np.float64]], resampling: tuple[float, int, int] | None
) -> tuple[float, tuple[float, float] | None]:
    """Return the probability that a run of ``x`` scores higher than one of ``y`` on the same task, and its interval."""

def performance_profile(
    tasks: list[npt.NDArray[np.float64]],
    thresholds: npt.NDArray[np.float64],
    resampling: tuple[float, int, int] | None,
) -> tuple[npt.NDArray[np.float64], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None]:
    """Return the share of runs above each threshold, and the lower and upper ends of the intervals."""

def normalized(scores: npt.NDArray[np.float64], zero: float, one: float) -> npt.NDArray[np.float64]:
    """Return scores on a scale where ``zero`` is 0 and ``one`` is 1. Raises ``ValueError`` unless both are finite and apart."""

class ReplayBuffer:
    """A replay buffer with the steps that wait before it."""

    def __new__(cls, settings: dict[str, Any]) -> ReplayBuffer:
        """Make one of the settings that ``requel.ReplayBuffer`` passes.

        Raises ``ValueError`` for a value out of range, ``MemoryError`` where it does not fit the memory.
        """

    def add(self, steps: Any) -> None:
        """Take a step of each environment, arrays that are attributes of ``steps``. Raises ``ValueError`` for other sizes."""

    def interrupt(self) -> None:
        """Forget the steps that wait: what comes next does not follow them."""

    def __len__(self) -> int:
        """Return how many transitions are stored."""

    @property
    def capacity(self) -> int:
        """How many can be stored."""

    def sample_into(self, columns: Any) -> None:
        """Draw as many transitions as ``columns.actions`` has elements into the arrays that are its attributes.

        Raises ``ValueError`` if the buffer holds too few, or an array does not fit.
        """

    def read_into(self, columns: Any) -> None:
        """Read the transitions at ``columns.indices``. Raises ``IndexError`` if there is none."""

    def update_priorities(self, indices: npt.NDArray[np.int64], td_errors: npt.NDArray[np.float32]) -> None:
        """Take note of how large the TD errors of drawn transitions are. Raises ``IndexError``, ``ValueError``."""

def importance_weights(probabilities: npt.NDArray[np.float64], beta: float) -> npt.NDArray[np.float32]:
    """Return the importance weights of transitions drawn with these probabilities. Raises ``ValueError``."""
