"""LunarLander-v3 after 100,000 env steps, the final policy: ``python lunarlander.py RESULTS_DIR [--seeds N] [--settings NAME]``.

It needs ``gymnasium[box2d]``. Each seed is a line of ``lunarlander.csv``, and what is there is not made again; ``lunarlander.md`` says
what the lines come to.
"""

import argparse
import csv
import pathlib
import time

import gymnasium
import numpy as np

import requel

ENV_STEPS = 100_000
EPISODES = 100

#: The settings of RL Baselines3 Zoo for DQN in this environment.
ZOO = {
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "gamma": 0.99,
    "target_update_interval": 250,
    "train_freq": 4,
    "gradient_steps": -1,
    "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1,
    "policy_kwargs": {"net_arch": [256, 256]},
}

#: What is trained, by name.
SETTINGS = {"zoo-dqn": ZOO, "zoo-dqn-3-step": {**ZOO, "n_steps": 3}}

COLUMNS = ["settings", "seed", "mean_return", "std_return", "weights_blake3", "seconds"]


def make() -> gymnasium.Env:
    return gymnasium.make("LunarLander-v3")


def trained(name: str, seed: int) -> dict[str, object]:
    """Train one seed and score its final policy on episodes that no choice was made by."""
    began = time.perf_counter()
    model = requel.DQN("MlpPolicy", make, seed=seed, **SETTINGS[name]).learn(ENV_STEPS)
    seconds = time.perf_counter() - began
    score = model.evaluate(EPISODES, env=make(), seed=1_000_000 + 1_000 * seed)
    return {
        "settings": name,
        "seed": seed,
        "mean_return": round(score.mean_return, 2),
        "std_return": round(score.std_return, 2),
        "weights_blake3": model.weights_blake3,
        "seconds": round(seconds, 1),
    }


def rows_of(path: pathlib.Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open() as lines:
        return list(csv.DictReader(lines))


def page(rows: list[dict[str, str]]) -> str:
    """Say what the rows come to: mean and standard deviation over seeds, and the 95 % interval of the mean by bootstrap."""
    lines = [
        "# LunarLander-v3, 100,000 env steps\n",
        f"Gymnasium's own environment (`gymnasium[box2d]`), trained through Python. The final policy over {EPISODES} fresh episodes per",
        "seed, of seeds that no choice was made by; `python python/benchmarks/lunarlander.py results` makes the lines that are missing (on",
        "one core of a shared AMD EPYC about 75 s each). RL Baselines3 Zoo reports 154 ± 79 for DQN and 70 ± 225 for QR-DQN after as many steps.\n",
        "`zoo-dqn` are that DQN's settings, given to `requel.DQN` under Stable-Baselines3's keywords; `zoo-dqn-3-step` sums three rewards",
        "before it bootstraps, and nothing else.\n",
        "| settings | seeds | mean return | 95 % interval | standard deviation over seeds | worst | best | at least 200 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in SETTINGS:
        scores = np.array([float(row["mean_return"]) for row in rows if row["settings"] == name])
        if len(scores) < 2:
            continue
        draws = np.random.default_rng(0).choice(scores, (10_000, len(scores))).mean(axis=1)
        low, high = np.percentile(draws, [2.5, 97.5])
        solved = int((scores >= 200).sum())
        lines.append(
            f"| {name} | {len(scores)} | {scores.mean():.0f} | {low:.0f} to {high:.0f} | {scores.std(ddof=1):.0f} "
            f"| {scores.min():.0f} | {scores.max():.0f} | {solved} of {len(scores)} |"
        )
    lines += ["\n| settings | seed | mean return | standard deviation over episodes | weights |", "|---|---|---|---|---|"]
    for row in rows:
        lines.append(
            f"| {row['settings']} | {row['seed']} | {row['mean_return']} | {row['std_return']} | `{row['weights_blake3'][:16]}` |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=pathlib.Path, help="where lunarlander.csv and lunarlander.md are")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds, from 0 (default: 10)")
    parser.add_argument("--settings", choices=SETTINGS, action="append", help="only these (default: all)")
    arguments = parser.parse_args()
    path = arguments.results / "lunarlander.csv"
    for name in arguments.settings or SETTINGS:
        for seed in range(arguments.seeds):
            rows = rows_of(path)
            if any(row["settings"] == name and row["seed"] == str(seed) for row in rows):
                continue
            row = trained(name, seed)
            print(row, flush=True)
            is_new = not rows
            with path.open("a", newline="") as lines:
                writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
                if is_new:
                    writer.writeheader()
                writer.writerow(row)
            (arguments.results / "lunarlander.md").write_text(page(rows_of(path)))


if __name__ == "__main__":
    main()
