"""Training in environments that are Python's: what comes in, what comes out, and that the bits are the same."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import traceback
import tracemalloc
import warnings

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Broken, Corridor, Masked, Spaces
from gymnasium import spaces

import requel
from requel import events

BRIEF = {"train": {"env_steps": 600, "episodes": 0}, "evaluation": {"every_steps": 0, "every_episodes": 0, "final_episodes": 1}, "log": {"every_steps": 100}}


def brief(**sections):
    return {section: {**BRIEF.get(section, {}), **sections.get(section, {})} for section in {*BRIEF, *sections}}


@pytest.mark.parametrize("num_envs", [1, 8])
def test_gymnasiums_cartpole_and_our_own_give_the_same_weights_as_the_program(tmp_path, num_envs):
    settings = brief(train={"env_steps": 2000, "num_envs": num_envs}, evaluation={"every_episodes": 30})
    own = requel.train("CartPole-v1", preset="notebook", seed=7, run_dir=tmp_path / "own", **settings)
    theirs = requel.train(lambda: gymnasium.make("CartPole-v1"), preset="notebook", seed=7, run_dir=tmp_path / "theirs", **settings)
    assert own.weights_blake3 == theirs.weights_blake3
    assert own.final == theirs.final and own.best == theirs.best
    said = [f"--set={section}.{key}={value}" for section, values in settings.items() for key, value in values.items()]
    program = [pathlib.Path(sys.executable).parent / "requel", "train", "CartPole-v1", "--preset=notebook", "--seed=7", "--quiet", *said]
    subprocess.run([*program, f"--run-dir={tmp_path / 'program'}"], check=True)
    assert requel.Run(tmp_path / "program").weights_blake3 == own.weights_blake3
    assert own.updates > 100


def test_a_run_says_what_it_came_to(tmp_path):
    run = requel.train("CartPole-v1", preset="notebook", seed=1, run_dir=tmp_path / "run", **brief())
    assert run.dir == tmp_path / "run" and (run.dir / "summary.json").exists()
    assert len(run.weights_blake3) == 64
    assert run.final.episodes == 1 and run.env_steps == 600
    assert run.exactness == "bits"
    assert "seed = 1\n" in run.config
    again = requel.Run(run.dir)
    assert again.weights_blake3 == run.weights_blake3 and again.exactness == "bits"


def test_an_instance_a_class_an_id_and_a_function_are_the_same_environment(tmp_path):
    hashes = set()
    for number, env in enumerate([Corridor(), Corridor, lambda: Corridor()]):
        run = requel.train(env, seed=3, run_dir=tmp_path / str(number), **brief())
        hashes.add(run.weights_blake3)
        assert run.env_id == "Corridor"
    assert len(hashes) == 1


def test_an_id_of_gymnasium_that_is_not_ours_is_gymnasiums(tmp_path):
    gymnasium.register("Test/Corridor-v0", entry_point=Corridor, max_episode_steps=50)
    run = requel.train("Test/Corridor-v0", run_dir=tmp_path / "run", **brief())
    assert run.env_id == "Test/Corridor-v0"


def test_few_environments_are_made_and_one_that_was_given_stays_open(tmp_path):
    made, closed = [], []

    class Counted(Corridor):
        def __init__(self):
            super().__init__()
            made.append(self)

        def close(self):
            closed.append(self)

    requel.train(Counted, run_dir=tmp_path / "run", **brief(evaluation={"every_steps": 200, "episodes": 3, "final_episodes": 5}))
    assert len(made) == 2 and len(closed) == 2, "one to train in and one to score in"
    made.clear(), closed.clear()
    requel.train(Counted(), run_dir=tmp_path / "given", **brief())
    assert made[0] not in closed


def test_what_the_environment_raises_comes_out_as_it_was_with_a_run_that_goes_on(tmp_path, monkeypatch):
    settings = brief(checkpoint={"every_steps": 100})
    with pytest.raises(ArithmeticError, match="the arm is stuck") as raised:
        requel.train(Broken, run_dir=tmp_path / "run", **settings)
    assert any(frame.name == "step" and "envs_for_tests" in frame.filename for frame in traceback.extract_tb(raised.tb))
    unfinished = requel.Run(tmp_path / "run")
    assert not unfinished.is_finished
    with pytest.raises(RuntimeError, match="not finished"):
        _ = unfinished.weights_blake3
    monkeypatch.setattr(Broken, "raises_at", 0)
    resumed = requel.resume(tmp_path / "run", Broken)
    assert resumed.is_finished and resumed.env_steps == 600


def test_a_run_that_was_stopped_and_resumed_has_the_same_bits(tmp_path):
    settings = brief(checkpoint={"every_steps": 200})
    whole = requel.train(Corridor, seed=5, run_dir=tmp_path / "whole", **settings)
    with pytest.raises(ArithmeticError):
        requel.train(Corridor, seed=5, run_dir=tmp_path / "cut", callback=failing_at(350), **settings)
    resumed = requel.resume(tmp_path / "cut", Corridor)
    assert resumed.exactness == "bits"
    assert resumed.weights_blake3 == whole.weights_blake3 and resumed.final == whole.final


def failing_at(env_steps):
    def fail(event):
        if event.env_steps >= env_steps:
            raise ArithmeticError
    return fail


def test_an_environment_that_cannot_be_saved_begins_new_episodes_and_the_run_says_so(tmp_path):
    class Unsaved(Corridor):
        def __reduce__(self):
            raise TypeError("a simulator")

    with pytest.raises(ArithmeticError):
        requel.train(Unsaved, run_dir=tmp_path / "run", callback=failing_at(350), **brief(checkpoint={"every_steps": 100}))
    with pytest.warns(UserWarning, match="new episodes start"):
        run = requel.resume(tmp_path / "run", Unsaved)
    assert run.exactness == "new episodes" and requel.Run(run.dir).exactness == "new episodes"
    assert run.summary["inexact_resumes"] == 1


def test_a_pickle_that_forgets_the_episode_is_none(tmp_path):
    class Forgetful(Corridor, gymnasium.utils.EzPickle):
        def __init__(self):
            Corridor.__init__(self)
            gymnasium.utils.EzPickle.__init__(self)

    assert requel.train(Forgetful, run_dir=tmp_path / "run", **brief()).exactness == "new episodes"


def test_an_environment_that_heeds_no_seed_is_told_and_trained_in(tmp_path):
    class Unseeded(Corridor):
        def reset(self, *, seed=None, options=None):
            return np.random.default_rng().random(1, np.float32), {}

    with pytest.warns(UserWarning, match="ignores seeds"):
        run = requel.train(Unseeded, run_dir=tmp_path / "run", **brief())
    assert run.exactness == "new episodes"


def test_only_actions_that_are_allowed_are_taken(tmp_path):
    class Informed(Corridor):
        def reset(self, **arguments):
            return super().reset(**arguments)[0], {"action_mask": np.array([0, 1], np.int8)}

        def step(self, action):
            assert action == 1
            seen, reward, terminated, truncated, _ = super().step(action)
            return seen, reward, terminated, truncated, {"action_mask": np.array([0, 1], np.int8)}

    for number, env in enumerate([Masked, Informed]):
        run = requel.train(env, run_dir=tmp_path / str(number), **brief(exploration={"kind": "constant", "start": 1.0}))
        assert run.final.mean_return == 1.0


def test_success_and_named_numbers_of_the_information_are_told(tmp_path):
    heard = []
    requel.train(Corridor, run_dir=tmp_path / "run", metrics=["at"], callback=heard.append, **brief())
    reported = [event.metrics for event in heard if isinstance(event, events.EnvReported) and event.episode is not None]
    assert reported and all(metrics == {"env/at": 5.0, "env/is_success": 1.0} for metrics in reported)


OBSERVATIONS = {
    "discrete": spaces.Discrete(5, start=-2),
    "multi-discrete": spaces.MultiDiscrete([3, 4], start=[1, 0]),
    "multi-binary": spaces.MultiBinary([2, 3]),
    "float64": spaces.Box(-1, 1, (2, 2), np.float64),
    "int64": spaces.Box(-5, 5, (3,), np.int64),
    "bytes": spaces.Box(0, 255, (7,), np.uint8),
    "scalar": spaces.Box(0, 1, (), np.float32),
    "dict": spaces.Dict({"b": spaces.Discrete(3), "a": spaces.Box(0, 1, (2,), np.float32)}),
    "tuple": spaces.Tuple([spaces.MultiBinary(2), spaces.Discrete(2)]),
}


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_observations_of_every_space_are_learned_from(tmp_path, name):
    settings = brief(train={"env_steps": 80}, replay={"start": 32, "batch_size": 16})
    run = requel.train(lambda: Spaces(OBSERVATIONS[name], spaces.Discrete(2)), run_dir=tmp_path / "run", **settings)
    assert run.updates > 20


ACTIONS = {
    "start": (spaces.Discrete(3, start=5), 3),
    "multi-discrete": (spaces.MultiDiscrete([2, 3], start=[0, 1]), 6),
    "multi-binary": (spaces.MultiBinary(3), 8),
}


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_of_a_space_is_taken_as_the_environment_wants_it(tmp_path, name):
    space, count = ACTIONS[name]
    taken = set()

    class Listening(Spaces):
        def step(self, action):
            taken.add(tuple(np.ravel(action).tolist()))
            return super().step(action)

    settings = brief(train={"env_steps": 200}, replay={"start": 150}, exploration={"kind": "constant", "start": 1.0})
    requel.train(lambda: Listening(spaces.Discrete(2), space), run_dir=tmp_path / "run", **settings)
    assert len(taken) == count


def test_images_are_read_with_their_channels_last():
    from requel import _spaces

    first = spaces.Box(0, 255, (3, 8, 10), np.uint8)
    described, _ = _spaces.observations(first)
    assert (described["shape"], described["axes"], described["dtype"]) == ([8, 10, 3], [1, 2, 0], "uint8")
    last, _ = _spaces.observations(spaces.Box(0, 255, (8, 10, 3), np.uint8))
    assert "axes" not in last and last["shape"] == [8, 10, 3]
    codes, _ = _spaces.observations(spaces.Box(0, 10, (7,), np.uint8))
    assert codes["dtype"] == "float32", "bytes are scaled only where they are a picture"


def test_a_stack_of_pictures_is_found_out_and_kept_frame_by_frame(tmp_path):
    class Pictures(Spaces):
        def __init__(self):
            super().__init__(spaces.Box(0, 255, (12, 12), np.uint8), spaces.Discrete(2))

    settings = brief(train={"env_steps": 60}, replay={"start": 32, "batch_size": 16}, network={"conv": [[4, 4, 2]], "hidden": [16]})
    run = requel.train(lambda: gymnasium.wrappers.FrameStackObservation(Pictures(), 4), run_dir=tmp_path / "run", **settings)
    assert "frame_stack = 4\n" in run.config and run.updates > 10


def test_what_cannot_be_learned_in_is_refused_with_a_way_out(tmp_path):
    with pytest.raises(TypeError, match="not discrete.*ActionWrapper"):
        requel.train(lambda: Spaces(spaces.Discrete(2), spaces.Box(-1, 1, (1,))))
    with pytest.raises(TypeError, match="4096"):
        requel.train(lambda: Spaces(spaces.Discrete(2), spaces.MultiDiscrete([100, 100])))
    with pytest.raises(TypeError, match="not an environment"):
        requel.train(lambda: 7)
    with pytest.raises(TypeError, match="give a function"):
        requel.train(Corridor(), train={"num_envs": 2})

    class Old(Corridor):
        def step(self, action):
            return super().step(action)[:4]

    with pytest.raises(TypeError, match="step.. returned 4 values"):
        requel.train(Old, run_dir=tmp_path / "run", **brief())


def test_very_many_observations_are_refused_before_memory_is_taken_for_them():
    tracemalloc.start()
    with pytest.raises(ValueError, match="1000000000 values"):
        requel.train(lambda: Spaces(spaces.Discrete(10**9), spaces.Discrete(2)))
    assert tracemalloc.get_traced_memory()[1] < 10**9
    tracemalloc.stop()


def test_settings_are_those_of_the_one_declaration(tmp_path):
    with pytest.raises(ValueError, match="(?s)replay.capcity.*did you mean `replay.capacity`"):
        requel.train(replay={"capcity": 10})
    with pytest.raises(ValueError, match="`agent.gamma` .*in agent={...}"):
        requel.train(agent={"gamma": 1.5})
    with pytest.raises(TypeError, match="no section repaly: did you mean replay"):
        requel.train(repaly={"capacity": 10})
    with pytest.raises(ValueError, match="did you mean `rainbow`"):
        requel.train(algo="rainbwo")
    with pytest.raises(TypeError, match="give it as a dict"):
        requel.train(train=7)
    run = requel.train(run_dir=tmp_path / "run", **brief(optimizer={"learning_rate": np.float32(0.5)}, network={"hidden": (8,)}))
    assert "learning_rate = 0.5\n" in run.config and "hidden = [8]\n" in run.config
    with pytest.raises(FileExistsError):
        requel.train(run_dir=tmp_path / "run", **brief())


def test_a_run_goes_on_with_a_larger_budget(tmp_path):
    longer = requel.train(Corridor, run_dir=tmp_path / "longer", **brief(train={"env_steps": 900}))
    requel.train(Corridor, run_dir=tmp_path / "run", **brief())
    run = requel.resume(tmp_path / "run", Corridor, train={"env_steps": 900})
    assert (run.env_steps, run.weights_blake3) == (900, longer.weights_blake3)
    with pytest.raises(ValueError, match="give it as env"):
        requel.resume(tmp_path / "run")
    with pytest.raises(ValueError, match="trained in Corridor, but .* is Masked"):
        requel.resume(tmp_path / "run", Masked, train={"env_steps": 1000})


def test_an_environment_for_scores_may_have_other_wrappers_but_no_other_spaces(tmp_path):
    class Doubled(gymnasium.RewardWrapper):
        def reward(self, reward):
            return 2 * reward

    run = requel.train(Corridor, eval_env=lambda: Doubled(Masked()), run_dir=tmp_path / "run", **brief())
    assert run.final.mean_return == 2.0
    with pytest.raises(ValueError, match="differ from those of Corridor"):
        requel.train(Corridor, eval_env="CliffWalking-v1", run_dir=tmp_path / "other", **brief())


def test_gymnasiums_environments_that_requel_has_train_as_requels_without_a_word(tmp_path):
    brief = {"train": {"env_steps": 1500, "episodes": 0}, "evaluation": {"final_episodes": 2}}
    own = requel.train("CartPole-v1", run_dir=tmp_path / "own", seed=7, **brief)
    theirs = requel.train(lambda: gymnasium.make("CartPole-v1"), run_dir=tmp_path / "theirs", seed=7, **brief)
    assert theirs.weights_blake3 == own.weights_blake3
    assert 'preset = "cartpole"' in theirs.config
    for other in (
        lambda: gymnasium.wrappers.TransformReward(gymnasium.make("CartPole-v1"), lambda reward: 100 * reward),
        lambda: gymnasium.make("CartPole-v1", sutton_barto_reward=True),
    ):
        assert 'preset = "default"' in requel.Agent(other).config


class Forever(gymnasium.Env):
    """Has neither an end nor a limit, and counts the steps of its longest episode."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    longest = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        Forever.longest = max(Forever.longest, self.steps)
        return np.zeros(1, np.float32), 1.0, False, False, {}


def test_episodes_without_an_end_are_cut_off_and_that_is_said(tmp_path):
    few = {"env_steps": 50, "episodes": 0}
    with pytest.warns(UserWarning, match="no step limit.*5,000.*max_episode_steps"):
        run = requel.train(Forever, run_dir=tmp_path / "run", train=few, replay={"start": 10, "batch_size": 8}, evaluation={"final_episodes": 1})
    assert Forever.longest == 5_000
    assert run.final.mean_return == 5_000.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limited = {"final_episodes": 1, "max_episode_steps": 70}
        run = requel.train(Forever, run_dir=tmp_path / "own", train=few, replay={"start": 10, "batch_size": 8}, evaluation=limited)
    assert run.final.mean_return == 70.0


class TwoStates(gymnasium.Env):
    """Begins in one of two states whatever the seed is, so that two resets agree every other time."""

    observation_space = gymnasium.spaces.Discrete(2)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self):
        self.random = np.random.default_rng(5)

    def reset(self, *, seed=None, options=None):
        return int(self.random.integers(2)), {}

    def step(self, action):
        return int(self.random.integers(2)), 1.0, bool(self.random.integers(2)), False, {}


def test_an_environment_that_heeds_no_seed_is_told_and_not_refused(tmp_path):
    few = {"env_steps": 200, "episodes": 0}
    environments = gymnasium.wrappers.TimeLimit(TwoStates(), 50)
    for seed in range(8):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run = requel.train(
                environments, seed=seed, run_dir=tmp_path / str(seed), train=few, replay={"start": 10, "batch_size": 8}, evaluation={"final_episodes": 1}
            )
        assert run.is_finished
