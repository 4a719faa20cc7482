"""Atari-100k: games x seeds, a row for each in a table that grows. What is there is not made again, and what was begun goes on.

    python python/benchmarks/atari100k.py --games pong breakout ms_pacman freeway krull --seeds 0 1 2 --out atari100k

Each row: game, seed, preset, env steps, mean return of the final policy over the episodes of the last evaluation, the same as a share of
human play, seconds, and the hash of the weights. Seconds are those of the call that finished the run.
"""

from __future__ import annotations

import argparse
import csv
import pathlib
import time
import warnings

import requel

COLUMNS = ["game", "seed", "preset", "env_steps", "episodes", "final_return", "human_normalized", "seconds", "weights_blake3"]


def rows_of(table: pathlib.Path) -> list[dict[str, str]]:
    """The rows that are there."""
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def add(table: pathlib.Path, row: dict[str, object]) -> None:
    """Add a row, under the names of the columns where it is the first."""
    is_new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def made(game: str, seed: int, preset: str, directory: pathlib.Path, sections: dict[str, dict[str, object]]) -> requel.Run:
    """The finished run: trained, gone on with, or there already."""
    if not (directory / "config.toml").exists():
        return requel.atari.train(game, preset=preset, seed=seed, run_dir=directory, **sections)
    run = requel.Run(directory)
    return run if run.is_finished else requel.atari.resume(directory)


def main(games: list[str], seeds: list[int], preset: str, out: pathlib.Path, **sections: dict[str, object]) -> list[dict[str, str]]:
    """Make what is missing, and say what all of it comes to."""
    table = out / f"{preset}.csv"
    out.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        for game in games:
            if any((row["game"], row["seed"]) == (game, str(seed)) for row in rows_of(table)):
                continue
            begun = time.monotonic()
            run = made(game, seed, preset, out / f"{preset}-{game}-{seed}", sections)
            share = float(requel.stats.atari_normalize({game: [run.final.mean_return]})[game][0])
            row = {"game": game, "seed": seed, "preset": preset, "env_steps": run.env_steps, "episodes": run.final.episodes}
            row |= {"final_return": run.final.mean_return, "human_normalized": round(share, 4)}
            add(table, row | {"seconds": round(time.monotonic() - begun), "weights_blake3": run.weights_blake3})
            print(f"{game}, seed {seed}: {run.final.mean_return:.1f}, {share:.3f} of a human's", flush=True)
    rows = rows_of(table)
    by_game: dict[str, list[float]] = {}
    for row in rows:
        by_game.setdefault(row["game"], []).append(float(row["human_normalized"]))
    print(f"{len(rows)} rows; interquartile mean of human-normalised scores: {requel.stats.iqm(by_game)}")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=["pong", "breakout", "ms_pacman", "freeway", "krull"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--preset", default="atari-100k-der")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("atari100k"))
    parser.add_argument("--env-steps", type=int, help="another budget than the preset's 100,000")
    parser.add_argument("--episodes", type=int, default=100, help="episodes of the last evaluation")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*heeds no seed.*")
    budget = {"train": {"env_steps": given.env_steps}} if given.env_steps else {}
    main(given.games, given.seeds, given.preset, given.out, evaluation={"final_episodes": given.episodes}, **budget)
