"""Gymnasium's vector environments, as the trainer takes them.

The trainer knows one way to go from an episode to the next: a slot that ended shows its true last observation, and is then reset.
Gymnasium knows three:

``SAME_STEP``
    The slot is reset within the step. The last observation is in the information, ``final_obs``.
``DISABLED``
    The slot is reset by ``reset(options={"reset_mask": ...})``.
``NEXT_STEP``
    The slot is reset in the place of its next step, whose action is ignored and whose reward is 0. That step is none: no transition
    leads from the last observation of one episode to the first of the next. ``SyncVectorEnv``, ``AsyncVectorEnv`` and those of
    ``requel.make_vec`` can also be asked to reset a slot at once, and are, so that all three modes give the same transitions.
"""

from __future__ import annotations

from typing import Any

import cloudpickle
import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from requel import _environments, _spaces
from requel.envs import RequelVectorEnv


class Vector:
    """A vector environment and what is needed to call it."""

    def __init__(self, env: VectorEnv[Any, Any, Any], description: _environments.Description) -> None:
        self.env: VectorEnv[Any, Any, Any] = env
        self.num_envs: int = int(env.num_envs)
        self._space = env.single_observation_space
        self._described, self._encode = _spaces.observations(self._space)
        _, actions = _spaces.actions(env.single_action_space)
        self._actions = np.asarray(actions) if actions else None
        self._names = description.metrics
        self._seed: int | None = None
        self._asks_for_masks = description.asked_for_masks and hasattr(env.unwrapped, "call")
        self._resets_slots = _mode(env) is AutoresetMode.DISABLED or (
            _mode(env) is AutoresetMode.NEXT_STEP and isinstance(env.unwrapped, SyncVectorEnv | AsyncVectorEnv | RequelVectorEnv)
        )
        #: Whether a slot that ended begins its next episode in the place of its next step, and no other way.
        self.resets_in_next_step: bool = _mode(env) is AutoresetMode.NEXT_STEP and not self._resets_slots
        #: What to act on, slots × numbers.
        self._current = np.zeros((self.num_envs, 0), np.float32)
        self._ended = np.zeros(self.num_envs, bool)
        #: Slots whose next step is none.
        self._waiting = np.zeros(self.num_envs, bool)
        #: Slots that are reset already, because another one of the same step was.
        self._fresh = np.zeros(self.num_envs, bool)
        #: Slots × actions that are allowed, and slots × numbers of the information.
        self.masks: np.ndarray = np.ones((self.num_envs, description.action_count), bool)
        self._masks_after = self.masks
        self.metrics: np.ndarray = np.full((self.num_envs, len(self._names)), np.nan)

    def reset_slot(self, slot: int, seed: int | None) -> np.ndarray:
        """Begin an episode in one slot; with a seed for the first slot, in all."""
        if seed is not None:
            if slot == 0:
                self._seed = seed
                # ale-py's takes seeds of 31 bits.
                self._current, info = self._reset(seed=seed % 2**31 if type(self.env.unwrapped).__name__ == "AtariVectorEnv" else seed)
                self._waiting[:] = self._ended[:] = False
                self.masks = self._read_masks(info)
            elif self._seed is None or seed != self._seed + slot:
                raise ValueError("a vector environment is seeded as a whole, starting with its first slot")
            return self._current[slot]
        if self._fresh[slot]:
            self._fresh[slot] = False
        elif self._resets_slots:
            self._reset_slots(slot)
        elif _mode(self.env) is AutoresetMode.NEXT_STEP:
            self._waiting[slot] = True
        elif not self._ended[slot]:
            raise RuntimeError(f"{self.env} cannot start a new episode in slot {slot} before the current one has ended")
        self._ended[slot] = False
        self.masks = np.where(self._fresh[:, None] | (np.arange(self.num_envs) == slot)[:, None], self._masks_after, self.masks)
        return self._current[slot]

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Take one action in each slot.

        Returns:
            What each slot shows then, for one that ended its true last observation (slots × numbers); rewards; whether it
            terminated; whether it was truncated; whether the step was none and only began an episode.
        """
        if self._actions is not None:
            actions = self._actions[actions]
        shown, rewards, terminated, truncated, info = self.env.step(actions)
        began, self._waiting = self._waiting, np.zeros(self.num_envs, bool)
        terminated = np.asarray(terminated, bool) & ~began
        truncated = np.asarray(truncated, bool) & ~began
        rewards = np.where(began, 0.0, self._numbers(rewards))
        self._ended = terminated | truncated
        self._fresh = np.zeros(self.num_envs, bool)
        self._current = self._encoded(shown)
        following = self._current
        self.masks = self._masks_after = self._read_masks(info)
        self.metrics = self._read_metrics(info)
        if _mode(self.env) is AutoresetMode.SAME_STEP and self._ended.any():
            following = self._current.copy()
            for slot in np.flatnonzero(self._ended):
                following[slot] = self._row(info["final_obs"], int(slot))
            self.masks = np.where(self._ended[:, None], self._final_masks(info), self.masks)
        return following, rewards, terminated, truncated, began

    def save(self) -> bytes | None:
        """The complete state; ``None`` where there is no way to it."""
        if isinstance(self.env.unwrapped, AsyncVectorEnv | EzPickle) or any(
            isinstance(layer, EzPickle) for env in getattr(self.env.unwrapped, "envs", ()) for layer in _environments.layers(env)
        ):
            return None
        state = (self.env, self._current, self._ended, self._waiting, self._fresh, self.masks, self._masks_after, self._seed)
        try:
            return cloudpickle.dumps(state)
        except Exception:  # noqa: BLE001 - whatever an environment says to being pickled, it cannot be
            return None

    def restore(self, state: bytes) -> None:
        """Take over a state."""
        loaded = cloudpickle.loads(state)
        for old, new in zip(getattr(loaded[0].unwrapped, "envs", ()), getattr(self.env.unwrapped, "envs", ()), strict=False):
            _environments.of_classes_here(old, new)
        self.env, self._current, self._ended, self._waiting, self._fresh, self.masks, self._masks_after, self._seed = loaded

    def _reset(self, **arguments: Any) -> tuple[np.ndarray, dict[str, Any]]:
        shown, info = self.env.reset(**arguments)
        return self._encoded(shown), info

    def _reset_slots(self, slot: int) -> None:
        """Reset a slot, and with it all others that have ended."""
        mask = self._ended.copy()
        mask[slot] = True
        self._current, info = self._reset(options={"reset_mask": mask})
        self._masks_after = np.where(mask[:, None], self._read_masks(info), self._masks_after)
        self._fresh = mask
        self._fresh[slot] = False

    def _numbers(self, rewards: Any) -> np.ndarray:
        try:
            numbers = np.asarray(rewards, np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{self.env} returned rewards that are not numbers: {rewards!r}") from None
        if numbers.shape != (self.num_envs,):
            raise TypeError(f"{self.env} returned rewards with the shape {numbers.shape}: one number for each of {self.num_envs} slots")
        return numbers

    def _encoded(self, shown: Any) -> np.ndarray:
        """A batch of observations as slots × numbers."""
        if self._encode is None:
            rows = np.asarray(shown)
            if "axes" in self._described:
                rows = rows.transpose([0, *(axis + 1 for axis in self._described["axes"])])
            rows = rows.reshape(self.num_envs, -1).astype(np.float32)
            return np.ascontiguousarray(rows - np.float32(self._described.get("start", 0.0)) if self._described.get("start") else rows)
        values = gymnasium.vector.utils.iterate(self.env.observation_space, shown)
        return np.stack([np.asarray(self._encode(value), np.float32).ravel() for value in values])

    def _row(self, batch: Any, slot: int) -> np.ndarray:
        """The observation of one slot among ``final_obs``: an array of objects, or one of numbers."""
        picked = _pick(self._space, batch, slot)
        if self._encode is not None:
            return np.asarray(self._encode(picked), np.float32).ravel()
        value = np.asarray(picked)
        if "axes" in self._described:
            value = value.transpose(self._described["axes"])
        return value.astype(np.float32).ravel() - np.float32(self._described.get("start", 0.0))

    def _read_masks(self, info: dict[str, Any]) -> np.ndarray:
        masks = info.get("action_mask")
        if masks is None and self._asks_for_masks:
            masks, info = self.env.unwrapped.call("action_masks"), {}
        if masks is None:
            return np.ones_like(self.masks)
        told = np.asarray(info.get("_action_mask", np.ones(self.num_envs, bool)), bool)
        rows = [self._allowed(masks[slot]) if told[slot] else self.masks[slot] for slot in range(self.num_envs)]
        return np.ascontiguousarray(rows)

    def _final_masks(self, info: dict[str, Any]) -> np.ndarray:
        """What slots that ended allowed at their last observation; everything where that is not said."""
        final = info.get("final_info")
        masks = final.get("action_mask") if isinstance(final, dict) else None
        if masks is None:
            return np.ones_like(self.masks)
        return np.ascontiguousarray(
            [self._allowed(masks[slot]) if self._ended[slot] else self.masks[slot] for slot in range(self.num_envs)]
        )

    def _allowed(self, mask: Any) -> np.ndarray:
        return _spaces.allowed(self.env.single_action_space, mask)

    def _read_metrics(self, info: dict[str, Any]) -> np.ndarray:
        metrics = np.full((self.num_envs, len(self._names)), np.nan)
        final = info.get("final_info")
        for source, slots in ((info, ~self._ended), (final if isinstance(final, dict) else info, self._ended)):
            for column, name in enumerate(self._names):
                if name in source:
                    told = np.asarray(source.get(f"_{name}", np.ones(self.num_envs, bool)), bool) & slots
                    metrics[told, column] = np.asarray(source[name])[told].astype(np.float64)
        return metrics


class OneSlot(gymnasium.Env[Any, Any]):
    """The only slot of a vector environment, as an environment."""

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        if env.num_envs != 1:
            raise ValueError(f"policies are scored in one environment, but the vector has {env.num_envs}")
        self.vector = env
        self.spec = getattr(env, "spec", None)
        self.observation_space, self.action_space = env.single_observation_space, env.single_action_space
        self.metadata, self.render_mode = dict(env.metadata), None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        # Simulators in other languages take seeds of 31 bits.
        shown, info = self.vector.reset(seed=None if seed is None else seed % 2**31)
        return _pick(self.observation_space, shown, 0), _of_slot(info)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action."""
        shown, rewards, terminated, truncated, info = self.vector.step(np.asarray([action]))
        ended = bool(terminated[0] or truncated[0])
        last = info["final_obs"] if ended and _mode(self.vector) is AutoresetMode.SAME_STEP else shown
        return _pick(self.observation_space, last, 0), float(rewards[0]), bool(terminated[0]), bool(truncated[0]), _of_slot(info)

    def close(self) -> None:
        """Close the vector."""
        self.vector.close()


def single_from(env: VectorEnv[Any, Any, Any]) -> gymnasium.Env[Any, Any] | None:
    """One environment like the slots of a vector; ``None`` where the vector does not say how they are made, or its id has others."""
    factories = getattr(env.unwrapped, "env_fns", None)
    if factories:
        return factories[0]()
    spec = getattr(env, "spec", None)
    if spec is None or spec.entry_point is None:
        return None
    of_the_vector = {"num_envs", "vectorization_mode", "vector_kwargs", "wrappers"}
    single = gymnasium.make(spec.id, **{name: value for name, value in spec.kwargs.items() if name not in of_the_vector})
    if (single.observation_space, single.action_space) == (env.single_observation_space, env.single_action_space):
        return single
    # The vector of this id has wrappers of its own, as ale-py's has.
    single.close()
    return None


def stack_of(env: VectorEnv[Any, Any, Any]) -> int:
    """How many frames of pictures the slots of a vector stack themselves."""
    if not _spaces.is_image(env.single_observation_space):
        return 1
    if envs := getattr(env.unwrapped, "envs", None):
        return _environments.stack_of(envs[0])
    told = getattr(env.unwrapped, "stack_num", None)
    if told is None and type(env.unwrapped).__name__ == "AtariVectorEnv":
        # ale-py's shows its stack first, and keeps to itself how large it is.
        told = env.single_observation_space.shape[0]
    return int(told or 1)


def _mode(env: VectorEnv[Any, Any, Any]) -> AutoresetMode:
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)


def _pick(space: spaces.Space[Any], batch: Any, slot: int) -> Any:
    """The value of one slot in a batch."""
    if isinstance(space, spaces.Dict) and isinstance(batch, dict):
        return {key: _pick(part, batch[key], slot) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple) and isinstance(batch, tuple):
        return tuple(_pick(part, value, slot) for part, value in zip(space.spaces, batch, strict=True))
    return batch[slot]


def _of_slot(info: dict[str, Any]) -> dict[str, Any]:
    """The information of the only slot."""
    return {key: value[0] for key, value in info.items() if not key.startswith("_") and isinstance(value, np.ndarray) and len(value) == 1}
