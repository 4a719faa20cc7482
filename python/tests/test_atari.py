"""Atari: settings of papers, and environments of ale-py where it is."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from envs_for_tests import Spaces
from gymnasium import spaces

import requel
from requel import atari
from requel._given import given
from requel._training import config_of, settings_of

SHORT = {"train": {"env_steps": 150}, "replay": {"capacity": 500, "start": 100}, "exploration": {"random_env_steps": 100}}


@pytest.mark.parametrize("name", atari.PRESETS)
def test_the_settings_of_each_paper_are_a_config(name):
    pictures = given(lambda: Spaces(spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(6)))
    config = config_of(pictures, settings_of(atari.PRESETS[name]), preset="default")
    said = {line.partition(" = ")[0]: line.partition(" = ")[2] for line in config.text.splitlines()}
    assert said["reward_clip"] == "1.0" and said["gamma"] == "0.99" and said["max_episode_steps"] == "27000"


#: "List of hyperparameters and their values" (Mnih et al. 2015, extended data table 1): its name and value, and what that is here.
OF_MNIH = [
    ("minibatch size", 32, "replay.batch_size", 32),
    ("replay memory size", 1_000_000, "replay.capacity", 1_000_000),
    ("target network update frequency, parameter updates", 10_000, "target.every_updates", 10_000),
    ("discount factor", 0.99, "agent.gamma", 0.99),
    ("update frequency, actions", 4, "train.every_steps", 4),
    ("learning rate", 0.00025, "optimizer.learning_rate", 0.00025),
    # Their RMSProp subtracts the square of an average of gradients, which is what this momentum is of.
    ("gradient momentum", 0.95, "optimizer.alpha", 0.95),
    ("squared gradient momentum", 0.95, "optimizer.alpha", 0.95),
    # Under the root there, and of gradients summed over the batch.
    ("min squared gradient", 0.01, "optimizer.epsilon", 0.01**0.5 / 32),
    ("initial exploration", 1, "exploration.start", 1.0),
    ("final exploration", 0.1, "exploration.end", 0.1),
    # Frames that the agent sees, which are env steps.
    ("final exploration frame", 1_000_000, "exploration.env_steps", 1_000_000),
    ("replay start size", 50_000, "replay.start", 50_000),
    ("replay start size, by a random policy", 50_000, "exploration.random_env_steps", 50_000),
]
#: "Rainbow hyper-parameters" (Hessel et al. 2018, table 1). Their frames are the emulator's, four of which are an env step.
OF_HESSEL = [
    ("min history to start learning, frames", 80_000, "replay.start", 80_000 // 4),
    ("Adam learning rate", 0.0000625, "optimizer.learning_rate", 0.0000625),
    ("exploration epsilon", 0.0, "exploration.start", 0.0),
    ("noisy nets sigma 0", 0.5, "network.noisy_sigma", 0.5),
    ("target network period, frames", 32_000, "target.every_env_steps", 32_000 // 4),
    ("Adam epsilon", 1.5e-4, "optimizer.epsilon", 1.5e-4),
    ("prioritization type", "proportional", "replay.kind", "prioritized"),
    ("prioritization exponent omega", 0.5, "replay.priority_exponent", 0.5),
    ("prioritization importance sampling beta, first", 0.4, "replay.importance_start", 0.4),
    ("prioritization importance sampling beta, last", 1.0, "replay.importance_end", 1.0),
    ("multi-step returns n", 3, "agent.n_step", 3),
    ("distributional atoms", 51, "head.atoms", 51),
    ("distributional min value", -10, "head.v_min", -10.0),
    ("distributional max value", 10, "head.v_max", 10.0),
]


@pytest.mark.parametrize(("preset", "table"), [("atari-dqn", OF_MNIH), ("atari-rainbow", OF_HESSEL)])
def test_the_settings_are_the_numbers_of_the_papers_table(preset, table):
    for name, value, key, wanted in table:
        section, key = key.split(".")
        assert atari.PRESETS[preset][section][key] == pytest.approx(wanted), f"{name}: {value} there"
    # "agent history length" and "action repeat" are those of the environments, and rewards are clipped to ±1 by both papers.
    assert atari.FRAME_SKIP == 4 and atari.PRESETS[preset]["agent"]["reward_clip"] == 1.0
    assert atari.PRESETS[preset]["train"]["env_steps"] * atari.FRAME_SKIP == 200_000_000


def test_settings_are_laid_over_those_of_the_preset_and_leave_it_as_it_is():
    found = atari.merged(atari.PRESETS["atari-100k-der"], {"train": {"env_steps": 7}, "log": {"every_steps": 5}})
    assert found["train"] == {**atari.PRESETS["atari-100k-der"]["train"], "env_steps": 7} and found["log"] == {"every_steps": 5}
    assert atari.PRESETS["atari-100k-der"]["train"]["env_steps"] == 100_000
    with pytest.raises(ValueError, match="preset 'atari': there are atari-100k-der, "):
        atari.train("pong", preset="atari")


def test_without_ale_py_it_is_said_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ale_py.vector_env", None)
    with pytest.raises(ImportError, match=r"pip install requel\[atari\]"):
        atari.envs("pong")


def test_a_game_is_trained_scored_in_whole_and_gone_on_with(tmp_path):
    pytest.importorskip("ale_py")
    with pytest.warns(UserWarning, match="the last evaluation is of 10 episodes of at most 30 env steps"):
        run = atari.train("Breakout", run_dir=tmp_path / "run", seed=1, **SHORT, evaluation={"max_episode_steps": 30})
    assert run.env_id == "atari/breakout-v0" and run.exactness == "new episodes" and run.final.cut_off == 10
    assert "n_step = 20" in run.config and "frame_stack = 4" in run.config, "frames are kept once"
    again = atari.resume(run.dir, train={"env_steps": 200}, evaluation={"final_episodes": 1})
    assert again.env_steps == 200 and again.exactness == "new episodes"


def test_a_training_environment_ends_with_a_life_and_clips_and_one_for_scores_does_neither():
    pytest.importorskip("ale_py")
    for for_scores in (False, True):
        envs = atari.envs("ALE/Breakout-v5", 2, for_scores=for_scores)
        assert envs.single_observation_space.shape == (4, 84, 84)
        shown, _ = envs.reset(seed=3)
        again, _ = envs.reset(seed=3)
        assert (shown == again).all()
        envs.step(np.array([1, 1]))
        ended, lives = 0, 5
        for step in range(60):
            # The ball is served anew after each lost life.
            _, _, terminated, _, info = envs.step(np.array([step % 2, step % 2]))
            ended += int(terminated.sum())
            lives = min(lives, int(np.min(info["lives"])))
        assert (ended == 0 and 0 < lives < 5) if for_scores else ended > 0
        envs.close()


def test_requel_has_its_name_in_the_package():
    assert "atari" in dir(requel) and requel.atari is atari
