"""Atari-100k on a CPU: data-efficient Rainbow in Pong. `pip install requel[atari]`; the whole budget takes some twenty minutes of a core."""

import pathlib
import tempfile

import requel


def main(env_steps=100_000, episodes=10):
    run = requel.atari.train(
        "pong",
        preset="atari-100k-der",
        seed=1,
        run_dir=pathlib.Path(tempfile.mkdtemp()) / "pong",
        train={"env_steps": env_steps},
        replay={"start": min(1_600, env_steps // 2)},
        evaluation={"final_episodes": episodes},
        progress_bar=True,
    )
    share = requel.stats.atari_normalize({"pong": [run.final.mean_return]})["pong"][0]
    print(f"{run.final.mean_return:.1f}, {share:.2f} of the way from random play to a human's")
    return run


if __name__ == "__main__":
    main()
