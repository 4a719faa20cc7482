"""Reference values for `requel::stats`, made by rliable 1.2.0 (Agarwal et al. 2021): `stats.py OUT` writes OUT/rliable.json.

Needs what requirements-stats.txt lists, in a virtual environment of its own. Point estimates are rliable's own and ours must equal them. Interval ends depend on the resamples drawn,
so each comes with the values between which the end of another, independent bootstrap lies: of `reps` resamples a binomial number
falls below the true quantile at level p, hence the difference of two such levels has the standard error
sqrt(p (1 - p) (1 / reps + 1 / our reps)), and the band is from rliable's own resamples at p minus and plus Z of them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy.stats
from rliable import library, metrics

OUR_REPS = 50_000
# A normal deviate is further out than this once in 147 000 times.
Z = 4.5
TAIL = 0.025


def samples() -> dict[str, np.ndarray]:
    """Scores as runs x tasks: smooth, with ties at a maximum, few runs, several tasks of different scale."""
    rng = np.random.default_rng(20240611)
    capped = np.minimum(rng.normal(430.0, 90.0, size=(20, 1)), 500.0).round(2)
    return {
        "normal": rng.normal(100.0, 15.0, size=(10, 1)).round(4),
        "capped": capped,
        "seven": rng.lognormal(3.0, 1.0, size=(7, 1)).round(4),
        "tasks": (rng.normal(size=(6, 3)) * [1.0, 4.0, 0.5] + [0.0, 2.0, 1.0]).round(4),
    }


def interval(values: np.ndarray, ends: np.ndarray, reps: int) -> dict:
    error = np.sqrt(TAIL * (1.0 - TAIL) * (1.0 / reps + 1.0 / OUR_REPS))
    low, high = TAIL, 1.0 - TAIL
    band = lambda level: np.quantile(values, [level - Z * error, level + Z * error]).tolist()
    return {"low": float(ends[0]), "high": float(ends[1]), "low_band": band(low), "high_band": band(high)}


def aggregate(scores: np.ndarray, name: str, function) -> dict:
    """A statistic of one sample: rliable's point estimate and interval, and the band around each end."""
    reps = 50_000
    statistic = lambda resample: np.array([function(resample)])
    points, ends = library.get_interval_estimates({name: scores}, statistic, reps=reps)
    values = library.StratifiedBootstrap(scores).apply(statistic, reps)[:, 0]
    return {"point": float(points[name][0]), "interval": interval(values, ends[name][:, 0], reps)}


def improvement(x: np.ndarray, y: np.ndarray) -> dict:
    # scipy's Mann-Whitney test is slow, so fewer resamples.
    reps = 4_000
    statistic = lambda a, b: np.array([metrics.probability_of_improvement(a, b)])
    points, ends = library.get_interval_estimates({"xy": (x, y)}, statistic, reps=reps)
    values = library.StratifiedIndependentBootstrap(x, y).apply(statistic, reps)[:, 0]
    return {"point": float(points["xy"][0]), "interval": interval(values, ends["xy"][:, 0], reps)}


def main(out: Path) -> None:
    # rliable draws from numpy's global generator, whatever generator it is given.
    np.random.seed(1)
    scores = samples()
    aggregates = [
        {
            "sample": name,
            "interquartile_mean": aggregate(sample, "iqm", metrics.aggregate_iqm),
            "mean": aggregate(sample, "mean", metrics.aggregate_mean),
            "optimality_gap": aggregate(sample, "gap", lambda s: metrics.aggregate_optimality_gap(s, gamma=110.0)),
        }
        for name, sample in scores.items()
    ]
    better = scores["capped"][:9] - 30.0
    more = scores["tasks"][:5] + [0.5, -1.0, 0.2]
    pairs = [
        {"x": scores["normal"], "y": scores["normal"][:6] + 5.0},
        {"x": np.maximum(better, 400.0), "y": scores["capped"]},
        {"x": more.round(4), "y": scores["tasks"]},
    ]
    columns = lambda sample: np.asarray(sample).T.tolist()
    data = {
        "rliable": "1.2.0",
        "scipy": scipy.__version__,
        "numpy": np.__version__,
        "our_resamples": OUR_REPS,
        "optimality_target": 110.0,
        "samples": {name: columns(sample) for name, sample in scores.items()},
        "aggregates": aggregates,
        "improvements": [{"x": columns(p["x"]), "y": columns(p["y"]), **improvement(p["x"], p["y"])} for p in pairs],
    }
    (out / "rliable.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
