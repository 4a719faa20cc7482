"""An environment of your own: trained, resumed with a larger budget, and looked at."""

import pathlib
import tempfile

import gymnasium
import numpy as np

import requel


class Corridor(gymnasium.Env):
    """Nine steps to the right lead out of it."""

    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = int(self.np_random.integers(3))
        return self.seen(), {}

    def step(self, action):
        self.at = max(0, self.at + (1 if action == 1 else -1))
        is_out = self.at == 9
        return self.seen(), float(is_out) - 0.01, is_out, False, {"is_success": is_out}

    def seen(self):
        return np.array([self.at / 9], np.float32)


def make():
    return gymnasium.wrappers.TimeLimit(Corridor(), 100)


def main(env_steps=20_000, run_dir=None):
    run_dir = run_dir or pathlib.Path(tempfile.mkdtemp()) / "run"
    run = requel.train(make, algo="double-dqn", seed=1, run_dir=run_dir, train={"env_steps": env_steps})
    print(f"final policy: {run.final.mean_return:.2f} over {run.final.episodes} episodes; resumes with {run.exactness}")
    run = requel.resume(run_dir, make, train={"env_steps": 2 * env_steps})
    print(f"after twice as many steps: {run.final.mean_return:.2f}; weights {run.weights_blake3[:16]}")
    return run


if __name__ == "__main__":
    main()
