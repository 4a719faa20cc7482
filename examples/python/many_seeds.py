"""Many seeds in processes of their own, and what they come to together: an interval, not the best of them."""

import multiprocessing
import pathlib
import tempfile

import numpy as np

import requel


def train(arguments):
    seed, env_steps, root = arguments
    run = requel.train("CartPole-v1", preset="notebook", seed=seed, run_dir=root / str(seed), train={"env_steps": env_steps, "episodes": 0})
    return run.final.mean_return


def main(env_steps=20_000, seeds=10):
    root = pathlib.Path(tempfile.mkdtemp())
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        returns = np.array(pool.map(train, [(seed, env_steps, root) for seed in range(seeds)]))
    resampled = np.random.default_rng(0).choice(returns, (10_000, len(returns))).mean(1)
    low, high = np.percentile(resampled, [2.5, 97.5])
    print(f"final policy, {seeds} seeds: mean {returns.mean():.1f}, 95 % interval {low:.1f} to {high:.1f}")
    return returns


if __name__ == "__main__":
    main()
