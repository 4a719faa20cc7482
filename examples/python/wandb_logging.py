"""Curves in Weights & Biases by a callback of a few lines; `requel.callbacks.Wandb` is one with more numbers. `pip install wandb`; WANDB_MODE=offline keeps them here."""

import pathlib
import tempfile

import wandb

import requel


def log(event):
    if isinstance(event, requel.events.Progress):
        wandb.log({name: number for name, number in event.numbers.items() if number is not None}, step=event.env_steps)
    if isinstance(event, requel.events.Evaluated):
        wandb.log({"evaluation/return": event.score.mean_return}, step=event.env_steps)


def main(env_steps=20_000):
    directory = pathlib.Path(tempfile.mkdtemp())
    with wandb.init(project="requel", dir=directory, config={"algo": "rainbow"}):
        run_dir = directory / "run"
        return requel.train("CartPole-v1", algo="rainbow", run_dir=run_dir, callback=log, train={"env_steps": env_steps})


if __name__ == "__main__":
    main()
