"""Environments of requel in a vector, as a Gymnasium vector environment."""

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import logger, spaces
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from requel import _requel
from requel.envs.registration import requel_id
from requel.envs.single import _WIDTH, RENDER_MODES, RequelEnv, check_render_mode, check_reset_options, checked_seed, metadata_of
from requel.envs.spaces import from_native

_MODES = {
    AutoresetMode.NEXT_STEP: "next_step",
    AutoresetMode.SAME_STEP: "same_step",
    AutoresetMode.DISABLED: "disabled",
}


def make_vec(
    id: str,
    num_envs: int = 1,
    *,
    autoreset: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    copy: bool = True,
    render_mode: str | None = None,
    **options: Any,
) -> VectorEnv[Any, Any, Any]:
    """Make a vector of ``num_envs`` environments of requel.

    Args:
        id: the id in requel or in Gymnasium: ``CartPole-v1`` or ``requel/CartPole-v1``.
        num_envs: how many; at least 1.
        autoreset: when a slot whose episode has ended begins the next one: ``"next_step"`` (Gymnasium's default), ``"same_step"``
            or ``"disabled"``, or an ``AutoresetMode``.
        copy: whether each call returns observations in a new array. Otherwise all are written into one and the same.
        render_mode: as of a single environment, without ``human``.
        **options: what the environments are made with.

    Environments with continuous actions come in Gymnasium's ``SyncVectorEnv``.

    Raises:
        gymnasium.error.NameNotFound: if there is no such environment.
        ValueError: for a mode or an option that there is not.
    """
    mode = _mode(autoreset)
    id = requel_id(id)
    if _requel.Env(id, options).action_space()[0] == "discrete":
        return RequelVectorEnv(id, num_envs, autoreset=mode, copy=copy, render_mode=render_mode, **options)
    make = [lambda: RequelEnv(id, render_mode, **options)] * num_envs
    return SyncVectorEnv(make, copy=copy, autoreset_mode=mode)


def make_registered(env_id: str, num_envs: int, **kwargs: Any) -> VectorEnv[Any, Any, Any]:
    """Make what ``gymnasium.make_vec`` asks for: :func:`make_vec` by the name that registered environments have there."""
    return make_vec(env_id, num_envs, **kwargs)


class RequelVectorEnv(VectorEnv[Any, Any, Any]):
    """Environments of requel, stepped together in Rust: bit for bit Gymnasium's ``SyncVectorEnv`` of the single ones.

    See :func:`make_vec` for the arguments. Observations are arrays of ``num_envs`` x the shape of one, rewards ``float64``,
    terminations and truncations ``bool``, all of ``num_envs`` elements. ``infos["action_mask"]`` is ``num_envs`` x actions, of
    ``int8``, where the environments have masks. A vector can be pickled and goes on with the same bits.
    """

    autoreset_mode: AutoresetMode
    copy: bool
    env_id: str
    options: dict[str, Any]
    env_fns: list[Callable[[], RequelEnv]]
    metadata: dict[str, Any]
    single_observation_space: spaces.Space[Any]
    single_action_space: spaces.Space[Any]
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    def __init__(
        self,
        env_id: str,
        num_envs: int = 1,
        *,
        autoreset: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        check_render_mode(render_mode)
        if render_mode == "human":
            raise ValueError("render_mode 'human' draws one environment: create a single one, or give 'rgb_array' or 'ansi'")
        self.autoreset_mode = _mode(autoreset)
        self.env_id = env_id
        self.options = options
        # As SyncVectorEnv has it: how each of the environments is made.
        self.env_fns = [partial(RequelEnv, env_id, **options)] * num_envs
        self._native = _requel.VectorEnv(env_id, num_envs, options, _MODES[self.autoreset_mode])
        single = _requel.Env(env_id, options)
        self.num_envs = num_envs
        self.copy = copy
        self.render_mode = render_mode
        self.metadata = {**metadata_of(env_id), "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = from_native(single.observation_space())
        self.single_action_space = from_native(single.action_space())
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._metrics = self._native.metric_names()
        self._has_masks = self._native.action_masks() is not None
        self._observations = self._native.observations()
        self._seeded = False

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode in each slot.

        Args:
            seed: slot ``i`` is seeded with ``seed + i``; or a sequence with one for each slot.
            options: nothing, or ``{"reset_mask": array of bool}`` to reset some slots alone (mode ``disabled``).
        """
        options = dict(options or {})
        chosen = _checked_mask(options.pop("reset_mask"), self.num_envs) if "reset_mask" in options else None
        check_reset_options(options)
        seeds = self._seeds(seed)
        if chosen is None:
            self._native.reset(seeds)
        else:
            self._native.reset_slots(chosen.tolist(), seeds)
        return self._current(), self._infos(np.ones(self.num_envs, np.bool_) if chosen is None else chosen)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one action in each slot.

        Args:
            actions: ``num_envs`` whole numbers.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset and, in the mode ``disabled``, after an end without a reset.
            gymnasium.error.InvalidAction: for an action that is not in the action space; nothing has moved then.
        """
        actions = _indices(actions)
        if self.copy:
            observations, rewards, terminations, truncations, ended = self._native.step(actions)
        else:
            observations = self._observations
            rewards, terminations, truncations, ended = self._native.step_into(actions, observations)
        infos: dict[str, Any] = {}
        if ended and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = self._final(np.logical_or(terminations, truncations))
        if self._has_masks or self._metrics:
            infos.update(self._infos(np.ones(self.num_envs, np.bool_), infos.get("_final_obs")))
        return observations, rewards, terminations, truncations, infos

    def render(self) -> tuple[Any, ...] | None:
        """Return what each slot's environment looks like, as the render mode says."""
        if self.render_mode == "rgb_array":
            return tuple(self._native.pixels(slot, _WIDTH) for slot in range(self.num_envs))
        if self.render_mode == "ansi":
            return tuple(self._native.text(slot, 80, 24) for slot in range(self.num_envs))
        logger.warn(f'render() without a render mode: create the environments with one of {", ".join(RENDER_MODES[1:])}')
        return None

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the environments in Rust, and what these save."""
        state = self.__dict__.copy()
        state["_native"] = self._native.save()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the environments again and put them where the others were."""
        saved, observations = state.pop("_native")
        self.__dict__.update(state)
        self._native = _requel.VectorEnv(self.env_id, self.num_envs, self.options, _MODES[self.autoreset_mode])
        self._native.restore(saved, observations)

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if seed is None and not self._seeded:
            # Never seeded: from the system, as Gymnasium's environments are.
            seed = secrets.randbits(62)
        if seed is None:
            return [None] * self.num_envs
        self._seeded = True
        if isinstance(seed, (int, np.integer)):
            first = checked_seed(seed)
            self._np_random, self._np_random_seed = seeding.np_random(first)
            return [checked_seed(first + slot) for slot in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds given for {self.num_envs} environments")
        return [None if each is None else checked_seed(each) for each in seed]

    def _current(self) -> Any:
        if self.copy:
            return self._native.observations()
        self._native.write_observations(self._observations)
        return self._observations

    def _infos(self, slots: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """What the slots say beside observations and rewards; those that ``ended`` have begun an episode since."""
        infos: dict[str, Any] = {}
        if self._has_masks:
            _put(infos, "action_mask", self._native.action_masks(), slots)
        self._put_metrics(infos, slots if ended is None else slots & ~ended)
        return infos

    def _final(self, ended: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """The true last observation of the slots that ended, and what they said with it."""
        final_obs = np.full(self.num_envs, fill_value=None, dtype=object)
        for slot in np.flatnonzero(ended):
            final_obs[slot] = self._native.final_observation(int(slot))
        final_info: dict[str, Any] = {}
        if self._has_masks:
            _put(final_info, "action_mask", self._native.final_action_masks(), ended)
        self._put_metrics(final_info, ended)
        return {"final_obs": final_obs, "_final_obs": ended, "final_info": final_info, "_final_info": ended.copy()}

    def _put_metrics(self, infos: dict[str, Any], slots: npt.NDArray[np.bool_]) -> None:
        if self._metrics:
            numbers = self._native.metrics()
            for column, name in enumerate(self._metrics):
                _put(infos, name, numbers[:, column], slots & ~np.isnan(numbers[:, column]))


def _put(infos: dict[str, Any], name: str, values: Any, slots: npt.NDArray[np.bool_]) -> None:
    """Add values of some slots as Gymnasium's vector environments have them: 0 elsewhere, and beside them where they are."""
    if slots.any():
        where = slots.reshape(-1, *[1] * (values.ndim - 1))
        infos[name], infos[f"_{name}"] = np.where(where, values, np.zeros((), values.dtype)), slots.copy()


def _mode(autoreset: AutoresetMode | str) -> AutoresetMode:
    if isinstance(autoreset, AutoresetMode):
        return autoreset
    for mode, name in _MODES.items():
        if autoreset in (name, mode.value):
            return mode
    raise ValueError(f"autoreset {autoreset!r}: give one of {', '.join(_MODES.values())}")


def _indices(actions: Any) -> npt.NDArray[np.int64]:
    array = np.asarray(actions)
    if array.dtype != np.int64:
        if array.dtype.kind not in "iu":
            raise TypeError(f"actions are whole numbers, not {array.dtype}")
        array = array.astype(np.int64)
    return array


def _checked_mask(mask: Any, num_envs: int) -> npt.NDArray[np.bool_]:
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (num_envs,) or not mask.any():
        raise ValueError(f"options['reset_mask'] must be an array of {num_envs} bools, at least one of which is True")
    return mask
