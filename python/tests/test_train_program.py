"""The program for runs in an environment of one's own, which it does not know alone."""

import gymnasium
import numpy as np
import pytest

import requel


class Room(gymnasium.Env):
    """A walk to the end of a corridor, drawn as a bar."""

    observation_space = gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, render_mode=None):
        self.render_mode, self.at = render_mode, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = 0
        return self.seen(), {}

    def step(self, action):
        self.at = max(0, self.at + (1 if action else -1))
        return self.seen(), -0.1, self.at == 8, False, {}

    def seen(self):
        return np.array([self.at / 8], np.float32)

    def render(self):
        picture = np.zeros((40, 80, 3), np.uint8)
        picture[:, : 10 * self.at] = (200, 100, 0)
        return picture


def make():
    return gymnasium.wrappers.TimeLimit(Room("rgb_array"), 30)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    sections = {"train": {"env_steps": 400, "episodes": 0}, "evaluation": {"final_episodes": 2, "every_steps": 200}}
    return requel.train(make, run_dir=tmp_path_factory.mktemp("program") / "room", seed=1, **sections)


@pytest.mark.parametrize("opened", [lambda run: run, lambda run: requel.Run(run.dir, env=make)])
def test_every_verb_looks_at_a_run_in_its_environment(run, opened, tmp_path):
    run = opened(run)
    run.program("eval", "--episodes", "2")
    run.program("export", "--output", str(tmp_path / "policy.onnx"))
    assert (tmp_path / "policy.onnx").stat().st_size > 1000
    run.program("watch", "--gif", str(tmp_path / "episode.gif"))
    assert (tmp_path / "episode.gif").read_bytes().startswith(b"GIF89a")
    assert run.report().read_text().startswith("<!")


def test_the_program_alone_says_how(run, capfd):
    with pytest.raises(RuntimeError, match="ended with the code 2"):
        requel.Run(run.dir).program("eval")
    assert "requel.Run(" in capfd.readouterr().err
