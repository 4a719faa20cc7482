"""Steps per second of requel's environments beside Gymnasium's own, in one process and in turns: ``python envs.py``.

Each pair is measured several times, one after the other, and the medians are compared: what else the machine does then slows both.
"""

import statistics
import time
from collections.abc import Callable

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv

import requel

ROUNDS = 9
SECONDS = 0.4


def single(env: gymnasium.Env) -> Callable[[], int]:
    """Return what takes 1,000 steps with actions prepared."""
    actions = [int(action) for action in np.random.default_rng(0).integers(env.action_space.n, size=1000)]
    env.reset(seed=0)

    def run() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return len(actions)

    return run


def vector(env: gymnasium.vector.VectorEnv) -> Callable[[], int]:
    """Return what takes 100 steps of all slots."""
    actions = np.random.default_rng(0).integers(env.single_action_space.n, size=(100, env.num_envs))
    env.reset(seed=0)

    def run() -> int:
        for row in actions:
            env.step(row)
        return actions.size

    return run


def per_second(run: Callable[[], int]) -> float:
    """Return steps per second of CPU time."""
    count, start = 0, time.process_time()
    while time.process_time() - start < SECONDS:
        count += run()
    return count / (time.process_time() - start)


def compare(name: str, ours: Callable[[], int], theirs: Callable[[], int]) -> None:
    """Print both and their ratio."""
    pairs = [(per_second(ours), per_second(theirs)) for _ in range(ROUNDS)]
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    print(f"{name:34} {first:12,.0f} {second:12,.0f}   x {statistics.median(ratios):5.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})", flush=True)


def main() -> None:
    """Print a table."""
    print(f"{'steps per second of CPU time':34} {'requel':>12} {'Gymnasium':>12}")
    for id in ("CartPole-v1", "MountainCar-v0", "Acrobot-v1", "Taxi-v4"):
        compare(f"{id}, make", single(gymnasium.make(f"requel/{id}")), single(gymnasium.make(id)))
    compare("CartPole-v1, bare", single(requel.RequelEnv("CartPole-v1")), single(gymnasium.make("CartPole-v1").unwrapped))
    for count in (8, 64, 1024):
        own = gymnasium.make_vec("CartPole-v1", count, vectorization_mode="vector_entry_point")
        sync = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * count)
        for name, copy in (("copies", True), ("in place", False)):
            ours = requel.make_vec("CartPole-v1", count, copy=copy)
            compare(f"{count} in a vector, {name}, own form", vector(ours), vector(own))
        compare(f"{count} in a vector, SyncVectorEnv", vector(requel.make_vec("CartPole-v1", count)), vector(sync))


if __name__ == "__main__":
    main()
