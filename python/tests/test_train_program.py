"""The program for runs in an environment of one's own, which it does not list alone."""

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


def test_the_program_alone_exports_and_diagnoses(run, tmp_path, capfd):
    alone = requel.Run(run.dir)
    alone.program("export", "--output", str(tmp_path / "alone.onnx"))
    run.program("export", "--output", str(tmp_path / "known.onnx"))
    assert (tmp_path / "alone.onnx").read_bytes() == (tmp_path / "known.onnx").read_bytes()
    capfd.readouterr()
    alone.program("diagnose")
    told = capfd.readouterr().out
    run.program("diagnose")
    assert told and capfd.readouterr().out == told
    with pytest.raises(RuntimeError, match="ended with the code 2"):
        alone.program("export", "--output", str(tmp_path / "samples.onnx"), "--samples", str(tmp_path / "samples.jsonl"))
    assert not (tmp_path / "samples.onnx").exists()


@pytest.mark.parametrize("shape", [(3,), (36, 40)], ids=str)
def test_so_it_does_where_frames_are_stacked(shape, tmp_path):
    pictures = len(shape) > 1
    space = gymnasium.spaces.Box(0, 255, shape, np.uint8) if pictures else gymnasium.spaces.Box(-np.inf, 1, shape, np.float32)

    class Seen(Room):
        observation_space = space

        def seen(self):
            return np.full(shape, self.at, space.dtype)

    network = {"conv": [[4, 8, 4]], "hidden": [8]} if pictures else {"hidden": [8]}
    sections = {"train": {"env_steps": 60}, "evaluation": {"final_episodes": 1, "every_steps": 0, "max_episode_steps": 9}, "replay": {"capacity": 200, "start": 40, "batch_size": 8}}
    run = requel.train(lambda: gymnasium.wrappers.FrameStackObservation(Seen(), 4), run_dir=tmp_path / "run", network=network, **sections)
    alone = requel.Run(run.dir)
    alone.program("export", "--output", str(tmp_path / "alone.onnx"))
    alone.program("diagnose")


def test_the_last_scores_are_told_as_they_are_made(tmp_path, capsys):
    heard = []
    sections = {"train": {"env_steps": 300}, "evaluation": {"final_episodes": 7, "every_steps": 100, "episodes": 2}}
    run = requel.train(make, run_dir=tmp_path / "run", callback=lambda event: heard.append(event), progress_bar=True, **sections)
    played = [event for event in heard if isinstance(event, requel.events.FinalEpisode)]
    assert [event.played for event in played] == list(range(1, played[-1].episodes + 1))
    assert played[-1].episodes in (7, 14) and all(event.env_steps == run.env_steps for event in played)
    assert isinstance(heard[-1], requel.events.FinalEvaluated | requel.events.CheckpointSaved)
    assert "final evaluation: " in capsys.readouterr().err


def test_the_program_alone_says_how(run, capfd):
    with pytest.raises(RuntimeError, match="ended with the code 2"):
        requel.Run(run.dir).program("eval")
    assert "requel.Run(" in capfd.readouterr().err
