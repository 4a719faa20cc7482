"""One environment of requel as a Gymnasium environment."""

import secrets
import shutil
import sys
from typing import Any

import gymnasium
import numpy as np
from gymnasium import error, logger, spaces
from gymnasium.utils import seeding

from requel import _requel
from requel.envs.spaces import from_native

RENDER_MODES = ["human", "rgb_array", "ansi"]
"""``human`` draws into the terminal, after every reset and step; ``ansi`` returns that text."""

# The largest limit that there is: in effect none.
_NO_LIMIT = 2**32 - 1
# Pixels in a row of `rgb_array`.
_WIDTH = 600


class RequelEnv(gymnasium.Env[Any, Any]):
    """An environment of requel, stepped in Rust.

    The same seed gives the same bits as in a training of requel, and as Gymnasium's own environment of that id.

    Args:
        env_id: the id in requel (``requel envs`` lists them), such as ``CartPole-v1`` or ``MinAtar/Breakout-v1``.
        render_mode: ``None``, ``"human"`` (draws into the terminal), ``"rgb_array"`` (height x 600 x 3 bytes) or ``"ansi"``.
        **options: what the environment can be made with, by Gymnasium's names, and ``max_episode_steps``.

    Observations of a ``Box`` are new arrays of the space's shape and dtype, those of a ``Discrete`` ints. Where the environment
    says which actions are allowed, ``info["action_mask"]`` has a 1 for each that is: an array of ``int8``, one per action.

    ``np_random`` is seeded by ``reset(seed=...)`` as that of any environment. The environment itself draws from a generator of its
    own with the same seed; a generator that is set draws the seed of the next episode.

    Raises:
        gymnasium.error.NameNotFound: if there is no such environment.
        ValueError: for an option that it does not have, or a value that the option does not take.
    """

    metadata: dict[str, Any] = {"render_modes": RENDER_MODES, "render_fps": 30}
    env_id: str
    options: dict[str, Any]
    render_mode: str | None
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    def __init__(self, env_id: str, render_mode: str | None = None, **options: Any) -> None:
        check_render_mode(render_mode)
        self.env_id = env_id
        self.options = options
        self.render_mode = render_mode
        self._native = _requel.Env(env_id, options)
        self.observation_space = from_native(self._native.observation_space())
        self.action_space = from_native(self._native.action_space())
        self.metadata = metadata_of(env_id)
        self._seed: int | None = None
        self._generator: np.random.Generator | None = None
        self._seeds_next_episode = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: from 0 to 2**64 - 1. ``None`` goes on with the generator as it is; if there was never a seed, draws one.
            options: must be empty: these environments have no options of a reset.

        Raises:
            gymnasium.error.Error: for a seed out of range.
            ValueError: for options.
        """
        check_reset_options(options)
        if seed is not None:
            seed = checked_seed(seed)
            self._seed, self._generator = seed, None
        elif self._seeds_next_episode and self._generator is not None:
            seed = int(self._generator.integers(2**63))
        elif self._seed is None:
            # Never seeded: from the system, as Gymnasium's environments are.
            self._seed = seed = secrets.randbits(63)
        self._seeds_next_episode = False
        result = self._native.reset(seed)
        if self.render_mode == "human":
            self._show()
        return result

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action: an int for ``Discrete``, an array of numbers for ``Box``.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset, and after the end of an episode.
            gymnasium.error.InvalidAction: for an action that is not in the action space; nothing has moved then.
        """
        result = self._native.step(action)
        if self.render_mode == "human":
            self._show()
        return result

    def render(self) -> Any:
        """Return the environment as it is now, as the render mode says; ``None`` for ``human``, which has drawn it already."""
        if self.render_mode == "rgb_array":
            return self._native.pixels(_WIDTH)
        if self.render_mode == "ansi":
            return self._native.text(80, 24)
        if self.render_mode is None:
            logger.warn(f'render() without a render mode: create the environment with one of {", ".join(RENDER_MODES)}')
        return None

    def _show(self) -> None:
        columns, rows = shutil.get_terminal_size()
        # From the upper left corner over what was there.
        sys.stdout.write("\x1b[H\x1b[2J" + self._native.terminal_text(columns, max(1, rows - 1)))
        sys.stdout.flush()

    @property
    def _np_random(self) -> np.random.Generator | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        # Made when it is looked at: that takes longer than a step.
        if self._generator is None and self._seed is not None:
            self._generator, _ = seeding.np_random(self._seed)
        return self._generator

    @_np_random.setter
    def _np_random(self, generator: np.random.Generator | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._generator = generator
        self._seeds_next_episode = generator is not None

    @property
    def _np_random_seed(self) -> int | None:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._seed

    @_np_random_seed.setter
    def _np_random_seed(self, seed: int | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._seed = seed

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the environment in Rust, and the bytes that this one saves."""
        state = self.__dict__.copy()
        state["_native"] = self._native.save()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the environment again and put it where the other one was."""
        saved = state.pop("_native")
        self.__dict__.update(state)
        self._native = _requel.Env(self.env_id, self.options)
        self._native.restore(saved)


class UnlimitedEnv(RequelEnv):
    """The environment that ``gymnasium.make`` puts its own time limit around: the same, without a limit."""

    def __init__(self, env_id: str, render_mode: str | None = None, **options: Any) -> None:
        super().__init__(env_id, render_mode, max_episode_steps=_NO_LIMIT, **options)


def metadata_of(id: str) -> dict[str, Any]:
    """Return Gymnasium's metadata of an environment."""
    entry = next(entry for entry in _requel.environments() if entry["id"] == id)
    return {"render_modes": RENDER_MODES, "render_fps": entry["render_fps"]}


def check_render_mode(render_mode: str | None) -> None:
    """Raise ValueError for a render mode that there is not."""
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise ValueError(f"render_mode {render_mode!r}: give one of {', '.join(RENDER_MODES)}, or None")


def check_reset_options(options: dict[str, Any] | None) -> None:
    """Raise ValueError for options: none of these environments has options of a reset."""
    if options:
        names = ", ".join(sorted(options))
        raise ValueError(f"reset(options=...) with {names}: requel's environments take options when they are created, not here")


def checked_seed(seed: int) -> int:
    """Return the seed as an int, or raise Gymnasium's error where it is none."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise error.Error(f"Seed must be a python integer, actual type: {type(seed)}")
    if not 0 <= seed < 2**64:
        raise error.Error(f"Seed must be from 0 to 2**64 - 1, actual value: {seed}")
    return int(seed)
