"""Reads a run's TensorBoard events with TensorBoard's own reader and holds them against what is promised.

usage: tensorboard_check.py RUN_DIR

Promised: the tags Stable-Baselines3 uses, each with at least one point, finite values, strictly increasing steps and
wall times that never go back; and `time/total_timesteps` equal to the step it is logged at.
"""

import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

TAGS = (
    "rollout/ep_rew_mean",
    "rollout/ep_len_mean",
    "rollout/exploration_rate",
    "time/fps",
    "time/total_timesteps",
    "train/loss",
    "train/learning_rate",
    "train/n_updates",
    "eval/mean_reward",
    "eval/mean_ep_length",
)


def read(run_dir):
    """All scalars below run_dir as {tag: [(step, wall_time, value)]}."""
    folders = sorted({path.parent for path in Path(run_dir).rglob("*tfevents*")})
    if not folders:
        raise SystemExit(f"{run_dir}: no file with `tfevents` in its name")
    scalars = {}
    for folder in folders:
        # A size guidance of 0 keeps every event; the default would thin them out.
        accumulator = EventAccumulator(str(folder), size_guidance={SCALARS: 0})
        accumulator.Reload()
        for tag in accumulator.Tags()["scalars"]:
            points = [(event.step, event.wall_time, event.value) for event in accumulator.Scalars(tag)]
            scalars.setdefault(tag, []).extend(points)
    return scalars


def faults(scalars):
    """One line per promise that is not kept."""
    for tag in TAGS:
        if not scalars.get(tag):
            yield f"{tag}: no points (tags there are: {', '.join(sorted(scalars)) or 'none'})"
    for tag, points in sorted(scalars.items()):
        for step, _, value in points:
            if not math.isfinite(value):
                yield f"{tag}: {value} at step {step}"
        for (step, wall_time, _), (next_step, next_wall_time, _) in zip(points, points[1:]):
            if next_step <= step:
                yield f"{tag}: step {next_step} comes after step {step}"
            if next_wall_time < wall_time:
                yield f"{tag}: the wall time goes back after step {step}"
    for step, _, value in scalars.get("time/total_timesteps", []):
        if value != step:
            yield f"time/total_timesteps: {value} at step {step}"


def main(arguments):
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    scalars = read(arguments[0])
    found = list(faults(scalars))
    for fault in found:
        print(f"{arguments[0]}: {fault}", file=sys.stderr)
    if found:
        return 1
    counts = ", ".join(f"{tag} ({len(points)})" for tag, points in sorted(scalars.items()))
    print(f"tensorboard reads {len(scalars)} tags with these numbers of points: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
