"""When processes and Ray pay: env steps per second, as multiples of one process with as many environments, in one run.

    python python/benchmarks/scale.py [--ray]

Each line is an environment whose step takes so long (asleep, as a simulator elsewhere), trained by a small and by a larger network.
"""

import argparse
import functools
import sys
import tempfile
import time
from pathlib import Path

import gymnasium
import numpy as np
import requel

ENVS = 8
NETWORKS = {"2 x 64": [64, 64], "2 x 512": [512, 512]}


class Sleepy(gymnasium.Env):
    """Shows noise after a sleep."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (8,), np.float32)
    action_space = gymnasium.spaces.Discrete(4)

    def __init__(self, seconds):
        self.seconds = seconds
        self.count = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return self.np_random.uniform(-1, 1, 8).astype(np.float32), {}

    def step(self, action):
        if self.seconds:
            time.sleep(self.seconds)
        self.count += 1
        return self.np_random.uniform(-1, 1, 8).astype(np.float32), float(action == 0), False, self.count >= 200, {}


def sections(hidden, env_steps):
    return {
        "network": {"hidden": hidden},
        "replay": {"start": 200, "batch_size": 32},
        "train": {"env_steps": env_steps, "every_steps": 4},
        "evaluation": {"every_steps": 0, "episodes": 1, "final_episodes": 1, "max_episode_steps": 5},
    }


def rate(begun, env_steps):
    return env_steps / (time.perf_counter() - begun)


def trained(make, hidden, env_steps, **more):
    """Env steps per second, from the first event with steps to the last."""
    seen = []

    def note(event):
        seen.append((time.perf_counter(), event.env_steps))

    with tempfile.TemporaryDirectory() as work:
        settings = sections(hidden, env_steps)
        settings["train"].update(more.pop("train", {}))
        requel.train(make, run_dir=Path(work) / "run", callback=note, log={"every_steps": max(8, env_steps // 20)}, **settings, **more)
    seen = [point for point in seen if 0 < point[1] <= env_steps]
    (first, before), (last, after) = seen[0], max(seen, key=lambda point: point[1])
    return (after - before) / (last - first)


def by_ray(make, hidden, env_steps):
    import requel.ray

    training = requel.ray.ApexDQN(
        make, num_collectors=2, num_envs=ENVS, block_steps=max(1, min(50, env_steps // 80)), num_cpus=0.5, **sections(hidden, env_steps)
    )
    times = []
    take = training._take

    def noted(worker, block):
        take(worker, block)
        times.append((time.perf_counter(), training._learner.progress()[0]))

    training._take = noted
    training.train()
    (first, before), (last, after) = times[0], times[-1]
    return (after - before) / (last - first)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ray", action="store_true", help="measure two collectors of Ray as well")
    with_ray = parser.parse_args().ray
    if with_ray:
        import ray

        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)
    columns = ["step", "network", "1 process, steps/s", f"{ENVS} workers"] + (["Ray, 2 collectors"] if with_ray else [])
    print("| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", sep="\n", flush=True)
    for seconds, env_steps in ((0.02, 480), (0.002, 3200), (0.0002, 12_000), (0.0, 24_000)):
        for name, hidden in NETWORKS.items():
            if seconds == 0.02 and name != "2 x 64":
                continue
            make = functools.partial(Sleepy, seconds)
            alone = trained(make, hidden, env_steps, train={"num_envs": ENVS})
            cells = [trained(make, hidden, env_steps, num_workers=ENVS) / alone]
            if with_ray:
                cells.append(by_ray(make, hidden, env_steps) / alone)
            row = [f"{1000 * seconds:g} ms", name, f"{alone:,.0f}", *(f"x {cell:.2f}" for cell in cells)]
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
