"""What a handful of runs shows: the measures of Agarwal et al. 2021.

"Deep Reinforcement Learning at the Edge of the Statistical Precipice"; their package is rliable.

Scores are an array of runs, of runs x tasks as rliable has them, or a mapping or a list of one array of runs for each task, whose
numbers may differ. So a list of lists has a list for each task. Scores of several tasks can be combined if they have the same scale:
:func:`normalize`, :func:`human_normalize`.

Intervals are those of the stratified bootstrap: runs are drawn again within each task. The same scores have the same interval on
every machine. With fewer than five runs in all, or if a task has only one run, there is no interval: it would be meaningless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from requel import _requel
from requel._atari_scores import RANDOM_AND_HUMAN, name_of

Scores: TypeAlias = npt.ArrayLike | Mapping[str, npt.ArrayLike] | Sequence[npt.ArrayLike]

__all__ = [
    "Estimate",
    "PerformanceProfile",
    "aggregates",
    "atari_normalize",
    "human_normalize",
    "iqm",
    "mean",
    "median",
    "normalize",
    "optimality_gap",
    "performance_profile",
    "probability_of_improvement",
]


@dataclass(frozen=True)
class Estimate:
    """A statistic of runs, and the range expected for other seeds: ``low`` and ``high``, ``None`` with too few runs."""

    value: float
    low: float | None = None
    high: float | None = None

    def __float__(self) -> float:
        """Return the value."""
        return self.value


@dataclass(frozen=True)
class PerformanceProfile:
    """The fraction of runs that score more than each threshold, with an interval for each point, ``None`` with too few runs."""

    thresholds: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64] | None = None
    high: npt.NDArray[np.float64] | None = None


def iqm(scores: Scores, *, ci: float | None = 0.95, resamples: int = 50_000, seed: int = 0) -> Estimate:
    """Return the interquartile mean of all runs of all tasks: the mean without the lowest and the highest quarter.

    Args:
        scores: see the module.
        ci: the fraction of resamples within the interval; ``None`` for no interval.
        resamples: their number.
        seed: the seed of the resamples.

    Raises:
        ValueError: if there is no run, a score is NaN, or ``ci`` is not between 0 and 1.
    """
    return _aggregate("iqm", scores, 0.0, _resampling(ci, resamples, seed))


def median(scores: Scores, *, ci: float | None = 0.95, resamples: int = 50_000, seed: int = 0) -> Estimate:
    """Return the median over tasks of each task's mean. Arguments and errors as for :func:`iqm`."""
    return _aggregate("median", scores, 0.0, _resampling(ci, resamples, seed))


def mean(scores: Scores, *, ci: float | None = 0.95, resamples: int = 50_000, seed: int = 0) -> Estimate:
    """Return the mean over tasks of each task's mean. Arguments and errors as for :func:`iqm`."""
    return _aggregate("mean", scores, 0.0, _resampling(ci, resamples, seed))


def optimality_gap(
    scores: Scores, target: float = 1.0, *, ci: float | None = 0.95, resamples: int = 50_000, seed: int = 0
) -> Estimate:
    """Return how much runs fall short of ``target`` on average; scores above it count as the target: 0 is best.

    Other arguments and errors as for :func:`iqm`.
    """
    return _aggregate("optimality_gap", scores, target, _resampling(ci, resamples, seed))


def aggregates(
    scores: Scores, target: float = 1.0, *, ci: float | None = 0.95, resamples: int = 50_000, seed: int = 0
) -> dict[str, Estimate]:
    """Return all four by their names, for a table."""
    resampling = _resampling(ci, resamples, seed)
    return {name: _aggregate(name, scores, target, resampling) for name in ("iqm", "median", "mean", "optimality_gap")}


def performance_profile(
    scores: Scores, thresholds: npt.ArrayLike, *, ci: float | None = 0.95, resamples: int = 2_000, seed: int = 0
) -> PerformanceProfile:
    """Return the fraction of runs that score more than each threshold, with equal weight for each task.

    Args:
        scores: see the module.
        thresholds: any number of them.
        ci: the fraction of resamples within the interval of each point; ``None`` for no intervals.
        resamples: their number.
        seed: the seed of the resamples.

    Raises:
        ValueError: as :func:`iqm`, and if a threshold is NaN.
    """
    points = np.ascontiguousarray(np.atleast_1d(np.asarray(thresholds, dtype=np.float64)))
    values, intervals = _requel.performance_profile(_tasks(scores), points, _resampling(ci, resamples, seed))
    low, high = intervals if intervals is not None else (None, None)
    return PerformanceProfile(points, values, low, high)


def probability_of_improvement(
    x: Scores, y: Scores, *, ci: float | None = 0.95, resamples: int = 2_000, seed: int = 0
) -> Estimate:
    """Return the probability that a run of ``x`` scores higher than one of ``y`` on the same task, ties counted half.

    Args:
        x: scores of one algorithm, see the module.
        y: scores of another, on the same tasks in the same order, or by the same names; the numbers of runs may differ.
        ci: the fraction of resamples within the interval; ``None`` for no interval.
        resamples: their number.
        seed: the seed of the resamples.

    Raises:
        ValueError: as :func:`iqm`, and if the tasks differ.
    """
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        if x.keys() != y.keys():
            raise ValueError(f"tasks that only one side has: {', '.join(sorted(x.keys() ^ y.keys()))}")
        y = {task: y[task] for task in x}
    first, second = _tasks(x), _tasks(y)
    if len(first) != len(second):
        raise ValueError(f"{len(first)} tasks on one side and {len(second)} on the other")
    return _estimate(_requel.probability_of_improvement(first, second, _resampling(ci, resamples, seed)))


def normalize(scores: Scores, low: npt.ArrayLike, high: npt.ArrayLike) -> list[npt.NDArray[np.float64]]:
    """Return scores on a scale from 0 (``low``) to 1 (``high``), as a list of one array for each task: min-max normalisation.

    Args:
        scores: see the module.
        low: the lowest possible score: one number, or one for each task.
        high: the highest possible score.

    Raises:
        ValueError: if an end is not finite, both are equal, or their number differs from that of the tasks.
    """
    tasks = _tasks(scores)
    ends = [np.atleast_1d(np.asarray(end, dtype=np.float64)) for end in (low, high)]
    for end in ends:
        if len(end) not in (1, len(tasks)):
            raise ValueError(f"{len(end)} ends of the scale given for {len(tasks)} tasks")
    lows, highs = (np.broadcast_to(end, len(tasks)) for end in ends)
    scales = zip(tasks, lows, highs, strict=True)
    return [_requel.normalized(task, float(zero), float(one)) for task, zero, one in scales]


def human_normalize(scores: Scores, random: npt.ArrayLike, human: npt.ArrayLike) -> list[npt.NDArray[np.float64]]:
    """Return scores on a scale where random actions score 0 and a human 1 (Mnih et al. 2015): one array for each task.

    Args:
        scores: see the module.
        random: what random actions score on each task.
        human: what a human scores.

    Raises:
        ValueError: as :func:`normalize`.
    """
    return normalize(scores, random, human)


def atari_normalize(scores: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.float64]]:
    """Return scores on Atari's games on a scale where random actions score 0 and a professional tester 1.

    The scores of both are those published with the dueling networks of Wang et al. 2016, of unclipped rewards over whole episodes.

    Args:
        scores: the runs of each game, by its name: ``"Pong"``, ``"ALE/Pong-v5"`` and ``"pong"`` are one.

    Raises:
        ValueError: for a game without such scores; otherwise as :func:`normalize`.

    >>> {game: found.tolist() for game, found in atari_normalize({"Pong": [-20.7, 14.6]}).items()}
    {'Pong': [0.0, 1.0]}
    """
    random, human = zip(*(RANDOM_AND_HUMAN[name_of(game)] for game in scores), strict=True) if scores else ((), ())
    return dict(zip(scores, normalize(scores, random, human), strict=True))


def _aggregate(name: str, scores: Scores, target: float, resampling: tuple[float, int, int] | None) -> Estimate:
    return _estimate(_requel.aggregate(name, _tasks(scores), target, resampling))


def _estimate(numbers: tuple[float, tuple[float, float] | None]) -> Estimate:
    value, interval = numbers
    return Estimate(value) if interval is None else Estimate(value, *interval)


def _resampling(ci: float | None, resamples: int, seed: int) -> tuple[float, int, int] | None:
    if ci is None:
        return None
    if not 0.0 < ci < 1.0:
        raise ValueError(f"ci={ci}: give a fraction between 0 and 1, such as 0.95, or None")
    if resamples < 1:
        raise ValueError(f"resamples={resamples}: give 1 or more")
    return ci, resamples, seed


def _tasks(scores: Scores) -> list[npt.NDArray[np.float64]]:
    """The scores as one array of runs for each task."""
    if isinstance(scores, Mapping):
        columns: list[Any] = list(scores.values())
    elif isinstance(scores, (list, tuple)) and any(np.ndim(each) > 0 for each in scores):
        columns = list(scores)
    else:
        array = np.asarray(scores, dtype=np.float64)
        if array.ndim not in (1, 2):
            raise ValueError(f"scores with the shape {array.shape}: expected runs, or runs x tasks")
        columns = [array] if array.ndim == 1 else list(array.T)
    tasks = [np.ascontiguousarray(column, dtype=np.float64) for column in columns]
    for task in tasks:
        if task.ndim != 1:
            raise ValueError(f"scores of a task with the shape {task.shape}: expected one number for each run")
    return tasks
