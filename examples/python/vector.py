"""The same environment as one, as eight in a vector, and as eight that the trainer makes: which is fastest, and that two are the same."""

import pathlib
import tempfile
import time

import gymnasium

import requel


def main(env_steps=20_000):
    root = pathlib.Path(tempfile.mkdtemp())
    settings = {"preset": "notebook", "seed": 0, "evaluation": {"every_episodes": 0, "final_episodes": 10}}
    budget = {"env_steps": env_steps, "episodes": 0}

    def make():
        return gymnasium.make("CartPole-v1")

    def vector():
        return gymnasium.vector.SyncVectorEnv([make] * 8)

    hashes = {}
    for name, env, train in [
        ("one", make, budget),
        ("a vector of 8", vector, budget),
        ("8 side by side", make, {**budget, "num_envs": 8}),
        ("requel's own, 8", "CartPole-v1", {**budget, "num_envs": 8}),
    ]:
        begun = time.perf_counter()
        run = requel.train(env, run_dir=root / name, train=train, **settings)
        hashes[name] = run.weights_blake3
        print(f"{name:16} {run.env_steps / (time.perf_counter() - begun):10,.0f} env steps/s   weights {run.weights_blake3[:16]}")
    return hashes


if __name__ == "__main__":
    main()
