"""Gymnasium environments, as the trainer takes them: where they come from, their descriptions, and their names."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cloudpickle
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle

from requel import _spaces
from requel._requel import environments

#: Looked for in the information of a step without being asked for.
SUCCESS = "is_success"
#: How many seeds are tried to find out whether an environment heeds them; a reset may take its time.
_SEEDS_TRIED = 4
#: The wrappers that ``gymnasium.make`` puts around every environment.
_OF_MAKE = {"PassiveEnvChecker", "OrderEnforcing", "TimeLimit"}


@dataclasses.dataclass(frozen=True)
class Description:
    """What is known of the environments of a source."""

    id: str
    max_episode_steps: int | None
    reward_threshold: float | None
    reward_range: tuple[float, float] | None
    frames_per_second: float
    metrics: list[str]
    heeds_seeds: bool
    saves: bool
    observations: dict[str, Any]
    action_count: int
    masked: bool
    #: Whether an environment says by a method of its own which actions are allowed, ``action_masks()``.
    asked_for_masks: bool
    #: How many frames the environments stack themselves, of pictures that are kept as bytes; 1 where they do not.
    stack: int


class Environment:
    """One Gymnasium environment and what is needed to call it."""

    def __init__(self, env: gymnasium.Env[Any, Any], metrics: Sequence[str] = ()) -> None:
        self.env = env
        self.metrics = list(metrics)
        _, self.encode = _spaces.observations(env.observation_space)
        self.action_count, self.actions = _spaces.actions(env.action_space)
        self.step = env.step
        self._masks = _attribute(env, "action_masks")

    def reset(self, seed: int | None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        result = self.env.reset(seed=seed)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError("reset() must return an observation and a dict of information, as Gymnasium's does")
        return result

    @property
    def is_asked_for_masks(self) -> bool:
        """Whether it has a method that says which actions are allowed."""
        return self._masks is not None

    def has_mask(self, info: dict[str, Any]) -> bool:
        """Whether it says which actions are allowed."""
        return self._masks is not None or "action_mask" in info

    def mask(self, info: dict[str, Any]) -> np.ndarray:
        """Which actions are allowed now, one flag each."""
        mask = self._masks() if self._masks is not None else info.get("action_mask")
        if mask is None:
            return np.ones(self.action_count, bool)
        return _spaces.allowed(self.env.action_space, mask)

    def save(self) -> bytes | None:
        """The complete state; ``None`` where there is no way to it.

        An ``EzPickle`` would save only what the environment was made with.
        """
        if any(isinstance(layer, EzPickle) for layer in layers(self.env)):
            return None
        try:
            return cloudpickle.dumps(self.env)
        except Exception:  # noqa: BLE001 - whatever an environment says to being pickled, it cannot be
            return None

    def restore(self, state: bytes) -> None:
        """Take over a state."""
        self.env = of_classes_here(cloudpickle.loads(state), self.env)
        self.step = self.env.step
        self._masks = _attribute(self.env, "action_masks")

    def picture(self) -> np.ndarray | None:
        """What ``render()`` shows, height × width × 3 bytes; ``None`` unless the environment renders arrays."""
        if getattr(self.env, "render_mode", None) != "rgb_array":
            return None
        picture = np.asarray(self.env.render())
        if picture.ndim != 3 or picture.shape[2] != 3:
            return None
        return np.ascontiguousarray(picture, np.uint8)


class Source:
    """Makes environments that are all alike, and takes back those that are no longer needed, to hand them out again.

    Args:
        make: makes one more.
        first: one that is there already. It is not closed by the source.
        metrics: what to look for in the information of each step.
        reward_range: the lowest and the highest reward of a step, where that is known.
    """

    def __init__(
        self,
        make: Callable[[], gymnasium.Env[Any, Any]],
        *,
        first: gymnasium.Env[Any, Any] | None = None,
        metrics: Sequence[str] = (),
        reward_range: tuple[float, float] | None = None,
    ) -> None:
        self._make = make
        self._metrics = list(metrics)
        self._made: list[Environment] = []
        self._free: list[Environment] = [] if first is None else [Environment(first, metrics)]
        environment = self.take()
        self.env = environment.env
        self.description = _described(environment, reward_range)
        if SUCCESS in self.description.metrics and SUCCESS not in self._metrics:
            self._metrics.append(SUCCESS)
            environment.metrics.append(SUCCESS)
        self.give(environment)

    def take(self) -> Environment:
        """An environment that nobody uses."""
        if self._free:
            return self._free.pop()
        environment = Environment(self._make(), self._metrics)
        self._made.append(environment)
        return environment

    def give(self, environment: Environment) -> None:
        """Give one back."""
        self._free.append(environment)

    def close(self) -> None:
        """Close the environments that were made here."""
        for environment in self._made:
            environment.env.close()
        self._made.clear()
        self._free.clear()


def layers(env: gymnasium.Env[Any, Any]) -> Iterator[Any]:
    """An environment with its wrappers, from the outermost in."""
    layer: Any = env
    while layer is not None:
        yield layer
        layer = getattr(layer, "env", None) if isinstance(layer, gymnasium.Wrapper) else None


def of_classes_here(loaded: gymnasium.Env[Any, Any], made: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """A loaded environment as one of the classes that were given now.

    A class of the program itself or of a notebook is part of its instances' pickle. Who has mended it since means the mended one.
    """
    for old, new in zip(layers(loaded), layers(made), strict=False):
        names = [(type(layer).__module__, type(layer).__qualname__) for layer in (old, new)]
        if type(old) is not type(new) and names[0] == names[1]:
            # One of another layout stays what it was.
            with contextlib.suppress(TypeError):
                old.__class__ = type(new)
    return loaded


def another(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """One more environment like one that was given.

    Raises:
        TypeError: if it cannot be copied and does not say how it was made.
    """
    try:
        return copy.deepcopy(env)
    except Exception as failed:  # noqa: BLE001 - there is another way
        spec = getattr(env, "spec", None)
        if spec is None:
            raise TypeError(
                f"policies are scored in a separate environment, and {env} cannot be copied: give a function that "
                "creates it instead, or another one as eval_env"
            ) from failed
        return gymnasium.make(spec)


def name_of(env: gymnasium.Env[Any, Any]) -> str:
    """The id of an environment, or the name of its class, without what cannot stand in the name of a file."""
    spec = getattr(env, "spec", None)
    name = spec.id if spec is not None else type(env.unwrapped).__name__
    return "".join("-" if character in "<>&\"'`\\" or not character.isprintable() else character for character in name)


def stack_of(env: gymnasium.Env[Any, Any]) -> int:
    """How many frames the wrappers of an environment stack, where what they show is kept as bytes."""
    if not _spaces.is_image(env.observation_space):
        return 1
    sizes = [getattr(layer, "stack_size", None) for layer in layers(env) if type(layer).__name__.startswith("FrameStack")]
    return next((int(size) for size in sizes if size), 1)


def _attribute(env: gymnasium.Env[Any, Any], name: str) -> Any:
    """What the environment or one of its wrappers has of this name."""
    return next((getattr(layer, name) for layer in layers(env) if name in dir(layer)), None)


def _known_reward_range(env: gymnasium.Env[Any, Any]) -> tuple[float, float] | None:
    """The range of rewards of an environment of Gymnasium's own that requel has too; ``None`` of all others.

    With settings of its own or a wrapper around it that ``gymnasium.make`` does not put there, it is another environment.
    """
    spec = getattr(env, "spec", None)
    if spec is None or not str(spec.entry_point).startswith("gymnasium.envs.") or set(spec.kwargs) - {"render_mode"}:
        return None
    *wrappers, _ = layers(env)
    if any(type(wrapper).__name__ not in _OF_MAKE or type(wrapper).__module__.partition(".")[0] != "gymnasium" for wrapper in wrappers):
        return None
    return next((entry["reward_range"] for entry in environments() if entry["id"] == spec.id), None)


def _described(environment: Environment, reward_range: tuple[float, float] | None) -> Description:
    env = environment.env
    spec = getattr(env, "spec", None)
    observations, _ = _spaces.observations(env.observation_space)
    name = name_of(env)
    if left_out := _spaces.texts(env.observation_space):
        warnings.warn(f"{name} shows text, which is ignored in learning: observation{', observation'.join(left_out)}", stacklevel=2)
    _, info = environment.reset(seed=0)
    heeds_seeds = _heeds_seeds(environment)
    if not heeds_seeds:
        warnings.warn(f"{name} ignores seeds: two resets with the same seed differ, so training in it cannot be repeated", stacklevel=2)
    metrics = list(environment.metrics)
    if SUCCESS not in metrics and SUCCESS in _first_information(environment, info):
        metrics.append(SUCCESS)
    metadata = getattr(env, "metadata", None) or {}
    limit = next((layer._max_episode_steps for layer in layers(env) if hasattr(layer, "_max_episode_steps")), None)  # noqa: SLF001
    limit = limit or (spec.max_episode_steps if spec is not None else None)
    return Description(
        id=name,
        max_episode_steps=limit if limit and limit > 0 else None,
        reward_threshold=spec.reward_threshold if spec is not None else None,
        reward_range=reward_range or _known_reward_range(env),
        frames_per_second=float(metadata.get("render_fps") or 10.0),
        metrics=metrics,
        heeds_seeds=heeds_seeds,
        saves=environment.save() is not None,
        observations=observations,
        action_count=environment.action_count,
        masked=environment.has_mask(info),
        asked_for_masks=environment.is_asked_for_masks,
        stack=stack_of(env),
    )


def _heeds_seeds(environment: Environment) -> bool:
    """Whether two resets with the same seed show the same, tried with several seeds: one with few states may agree by chance."""
    pairs = ([environment.reset(seed=seed)[0] for _ in range(2)] for seed in range(_SEEDS_TRIED))
    return all(_is_same(environment.env.observation_space, one, other) for one, other in pairs)


def _first_information(environment: Environment, info: dict[str, Any]) -> dict[str, Any]:
    """What the information of a first step has, which an episode is given up for: training begins with a reset of its own."""
    action = int(np.argmax(environment.mask(info)))
    try:
        return dict(environment.step(environment.actions[action] if environment.actions else action)[4])
    except Exception:  # noqa: BLE001 - what goes wrong will go wrong in training, where it is told
        return {}


def _is_same(space: spaces.Space[Any], one: Any, other: Any) -> bool:
    """Whether two observations are the same, number by number."""
    if isinstance(space, (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)):
        # Flattened, each value would take as many numbers as there are values.
        return bool(np.array_equal(one, other))
    try:
        kept = _spaces.without_text(space)
        flat = [spaces.utils.flatten(kept, _spaces.kept_of(space, value)) for value in (one, other)]
    except NotImplementedError:
        return bool(np.array_equal(one, other))
    return bool(np.array_equal(np.asarray(flat[0]), np.asarray(flat[1]), equal_nan=np.asarray(flat[0]).dtype.kind == "f"))
