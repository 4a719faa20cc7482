"""The events of training: frozen dataclasses, passed to callbacks one by one.

A callback is a function of an event. It sees everything and changes no result; returning ``False`` asks training to stop, which ends
it as its budget would. An exception in it ends training, and is passed on unchanged.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Event:
    """An event in training, after this many env steps of all environments together."""

    env_steps: int


@dataclasses.dataclass(frozen=True)
class Stepped(Event):
    """Every environment made a step. Only for callbacks that request steps."""

    #: What was done in each environment.
    actions: list[int]
    #: The reward of each.
    rewards: list[float] = dataclasses.field(default_factory=list)
    #: Whether its episode ended in a terminal state.
    terminated: list[bool] = dataclasses.field(default_factory=list)
    #: Whether it was cut off.
    truncated: list[bool] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class EpisodeEnded(Event):
    """An episode of training ended."""

    #: Number of the episode, from 0 in the order in which they ended.
    index: int
    #: Undiscounted sum of rewards.
    return_: float
    #: Env steps.
    length: int
    #: Ended in a terminal state.
    terminated: bool
    #: Cut off by a limit.
    truncated: bool


@dataclasses.dataclass(frozen=True)
class EnvReported(Event):
    """Numbers of the environments' information: of the episode that ended, or means over the last 100 where ``episode`` is ``None``."""

    episode: int | None
    metrics: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Progress(Event):
    """Statistics of training since the last report: every ``log.every_steps`` env steps."""

    #: Finished episodes so far.
    episodes: int
    #: Updates so far.
    updates: int
    #: Mean return of the last 100 episodes; ``None`` before the first ended.
    return_mean: float | None
    #: Mean loss of the updates since the last time.
    loss: float | None
    #: Mean q(s, a) of the same updates.
    mean_q: float | None
    #: The ε in force.
    epsilon: float | None
    #: The learning rate in force.
    learning_rate: float | None
    #: Mean return of the latest evaluation.
    evaluation_return: float | None
    #: All of these and more, by the names that logs have them under.
    numbers: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class AgentReported(Event):
    """Other statistics reported by the agent."""

    statistics: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Score:
    """The score of a policy over whole episodes, acting greedily."""

    #: Mean undiscounted return.
    mean_return: float
    #: Standard deviation over the episodes.
    std_return: float
    #: Number of episodes.
    episodes: int
    #: How many of them ``evaluation.max_episode_steps`` cut off.
    cut_off: int = 0
    #: The return of each episode, where it is known.
    returns: tuple[float, ...] = ()
    #: The length of each episode in env steps, where it is known.
    lengths: tuple[int, ...] = ()

    @property
    def mean(self) -> float:
        """The mean return."""
        return self.mean_return

    @property
    def std(self) -> float:
        """The standard deviation of the returns."""
        return self.std_return


@dataclasses.dataclass(frozen=True)
class Evaluated(Event):
    """The greedy policy was scored."""

    updates: int
    score: Score
    #: Whether it is the best policy so far.
    is_best: bool


@dataclasses.dataclass(frozen=True)
class FinalEpisode(Event):
    """An episode of the final evaluation ended."""

    #: Episodes played so far, of the best and of the final policy.
    played: int
    #: Episodes that will be played.
    episodes: int


@dataclasses.dataclass(frozen=True)
class FinalEvaluated(Event):
    """The best and the final policy received their final scores, on the same fresh episodes."""

    updates: int
    best: Score
    final: Score


@dataclasses.dataclass(frozen=True)
class Skipped(Event):
    """A step was dropped because a number in it was NaN or infinite (``train.on_nan = "skip"``)."""

    #: ``observation`` or ``reward``.
    site: str
    value: float
    #: Which environment.
    env: int
    action: int
    #: How often that happened so far.
    skipped: int


@dataclasses.dataclass(frozen=True)
class Diagnosed(Event):
    """Something is wrong with learning; emitted once per check."""

    finding: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class CheckpointSaved(Event):
    """The complete state is on disk."""

    path: Path


_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (Stepped, EpisodeEnded, EnvReported, AgentReported, Evaluated, FinalEpisode, FinalEvaluated, Skipped, CheckpointSaved)
}


def _score(fields: dict[str, Any]) -> Score:
    returns, lengths = tuple(fields.pop("returns")), tuple(fields.pop("lengths"))
    return Score(episodes=len(returns), returns=returns, lengths=lengths, **fields)


def _event(name: str, fields: dict[str, Any]) -> Event:
    """The event for the data from the extension."""
    if name == "Progress":
        numbers = json.loads(fields["numbers"])
        named = {key: numbers.get(key) for key in ("env_steps", "episodes", "updates", "loss", "mean_q", "epsilon", "learning_rate")}
        return Progress(return_mean=numbers.get("return_mean_100"), numbers=numbers, evaluation_return=fields["evaluation_return"], **named)
    if name == "Diagnosed":
        return Diagnosed(fields["env_steps"], json.loads(fields["finding"]))
    for key in ("score", "best", "final"):
        if key in fields:
            fields[key] = _score(fields[key])
    if "path" in fields:
        fields["path"] = Path(fields["path"])
    return _KINDS[name](**fields)
