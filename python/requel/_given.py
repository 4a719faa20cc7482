"""What users give as an environment: an id, a class, a function, an environment or a vector of them."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from requel import _environments
from requel._requel import is_own_env
from requel._sb3_vec import VecEnvVector, is_vec_env
from requel._vector import OneSlot, Vector, single_from
from requel._vector import stack_of as stack_of_vector

#: What may be given as an environment.
Environment = str | gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any] | type | Callable[[], Any]


@dataclasses.dataclass
class Given:
    """An environment as it was given, ready for the trainer."""

    #: The id of one of requel's own; ``None`` for a Python object.
    own_id: str | None = None
    source: _environments.Source | None = None
    vector: Vector | None = None
    evaluation: _environments.Source | None = None
    #: Whether it is the very environment that is trained in: there is no second one to train in beside it.
    is_single: bool = False
    #: The innermost environments that were given as instances.
    instances: tuple[Any, ...] = ()
    stack: int = 1

    @property
    def id(self) -> str:
        """The id that the environment gives itself."""
        return self.own_id or self._source.description.id

    @property
    def is_endless(self) -> bool:
        """Whether nothing says after how many steps an episode is cut off."""
        return self.source is not None and self.source.description.max_episode_steps is None

    @property
    def has_reward_range(self) -> bool:
        """Whether it is known what one step can give."""
        return self.source is None or self.source.description.reward_range is not None

    @property
    def shows_pictures(self) -> bool:
        """Whether observations are pictures of a size that convolutions are for."""
        shape = [] if self.source is None else self.source.description.observations.get("shape", [])
        return len(shape) == 3 and min(shape[:2]) >= 32 and self._source.description.observations["dtype"] == "uint8"

    @property
    def exactness(self) -> str:
        """``bits`` where a resumed run has the bits of one that was never interrupted, else ``new episodes``."""
        if self.source is None:
            return "bits"
        saves = self._source.description.saves if self.vector is None else self.vector.save() is not None
        return "bits" if saves and self._source.description.heeds_seeds else "new episodes"

    @property
    def num_envs(self) -> int | None:
        """How many environments there are, where that is no setting."""
        return self.vector.num_envs if self.vector is not None else None

    @property
    def _source(self) -> _environments.Source:
        assert self.source is not None
        return self.source

    def close(self) -> None:
        """Close what was made here."""
        for source in (self.source, self.evaluation):
            if source is not None:
                source.close()


#: The environments that are being learned in, by their identity.
_learned_in: set[int] = set()
_learned_in_lock = threading.Lock()


@contextlib.contextmanager
def learned_in(looked_at: Given) -> Iterator[None]:
    """Within it the environments that were given as instances are learned in, by nobody else.

    Raises:
        RuntimeError: if one of them is learned in already: steps of two trainings in one environment would be one episode.
    """
    taken = looked_at.instances
    with _learned_in_lock:
        for instance in taken:
            _refuse_taken(instance)
        _learned_in.update(map(id, taken))
    try:
        yield
    finally:
        with _learned_in_lock:
            _learned_in.difference_update(map(id, taken))


def _refuse_taken(env: Any) -> None:
    if id(env) in _learned_in:
        raise RuntimeError(
            f"{env} is being used by another training: give each training its own environment, or a function that creates one"
        )


def given(
    env: Environment,
    eval_env: Environment | None = None,
    metrics: Sequence[str] = (),
    reward_range: tuple[float, float] | None = None,
) -> Given:
    """Look at what was given.

    Raises:
        TypeError: if it is no environment, or its observations or actions are of a kind that values cannot be learned for.
    """
    if isinstance(env, str) and is_own_env(env):
        if eval_env is not None:
            raise TypeError(f"{env} is requel's own environment, and needs no other for scoring: eval_env is for environments in Python")
        return Given(own_id=env)
    options: dict[str, Any] = {"metrics": metrics, "reward_range": reward_range}
    make, first = _first_of(env)
    instances = tuple(_innermost(each) for each in (env, eval_env) if _is_instance(each))
    for instance in instances:
        _refuse_taken(instance)
    if isinstance(first, VectorEnv):
        looked_at = Given(source=_single_source(first, eval_env, options), stack=stack_of_vector(first), instances=instances)
        vector_type = getattr(type(first), "vector_type", Vector)
        looked_at.vector = vector_type(first, looked_at._source.description)  # noqa: SLF001
        return looked_at
    if not _is_env(first):
        raise TypeError(f"{env!r} is not an environment: give an id, a Gymnasium environment, or a function that creates one")
    if make is None:
        source = _environments.Source(lambda: _environments.another(first), first=first, **options)
    else:
        source = _environments.Source(_first_then(first, make), **options)
    looked_at = Given(source=source, is_single=make is None, stack=_environments.stack_of(source.env), instances=instances)
    if eval_env is not None:
        looked_at.evaluation = _evaluation_source(eval_env, options)
    return looked_at


def _first_of(env: Environment) -> tuple[Callable[[], Any] | None, Any]:
    """What makes environments like the one given, where it is not one already, and a first one."""
    make = _factory(env)
    first = env if make is None else make()
    return make, VecEnvVector(first) if is_vec_env(first) else first


def _factory(env: Environment) -> Callable[[], Any] | None:
    """What makes environments like the one given; ``None`` of one that is there already."""
    if isinstance(env, str):
        return lambda: gymnasium.make(env)
    if isinstance(env, type):
        return env
    if _is_env(env) or isinstance(env, VectorEnv):
        return None
    if callable(env):
        return env
    raise TypeError(f"{env!r} is not an environment: give an id, a Gymnasium environment, or a function that creates one")


def _is_env(env: Any) -> bool:
    return all(hasattr(env, name) for name in ("reset", "step", "observation_space", "action_space")) and not isinstance(env, type)


def _is_instance(env: Any) -> bool:
    return isinstance(env, VectorEnv) or is_vec_env(env) or _is_env(env)


def _innermost(env: Any) -> Any:
    return getattr(env, "unwrapped", env)


def _first_then(made: Any, make: Callable[[], Any]) -> Callable[[], Any]:
    """A factory that hands out what was made already before it makes more."""
    waiting = [made]
    return lambda: waiting.pop() if waiting else make()


def _evaluation_source(env: Environment, options: dict[str, Any]) -> _environments.Source:
    make, first = _first_of(env)
    if isinstance(first, VectorEnv):
        first = OneSlot(first)
    again = make if make is not None else lambda: _environments.another(first)
    return _environments.Source(again, first=first, **options)


def _single_source(vector: VectorEnv[Any, Any, Any], eval_env: Environment | None, options: dict[str, Any]) -> _environments.Source:
    """Environments like the slots of a vector, in which policies are scored."""
    if eval_env is not None:
        return _evaluation_source(eval_env, options)
    first = vector.single() if isinstance(vector, VecEnvVector) else single_from(vector)
    if first is None:
        vector = getattr(vector, "vec_env", vector)
        raise TypeError(f"{vector} does not say how to create one of its environments, and policies are scored in one: give it as eval_env")
    again = vector.single if isinstance(vector, VecEnvVector) else lambda: single_from(vector)
    return _environments.Source(again, first=first, **options)
