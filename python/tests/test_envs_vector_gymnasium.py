"""What Gymnasium's own tests ask of vector environments, asked of requel's."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import vector as wrappers

import requel

IDS = ["CartPole-v1", "FrozenLake-v1", "Taxi-v4", "MinAtar/Breakout-v1"]
MODES = list(AutoresetMode)


def ours(id, count=4, **options):
    return requel.make_vec(id, count, **options)


def reset_of(envs, ended):
    """What the mode asks of who steps on after some slots have ended."""
    if envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED and ended.any():
        envs.reset(options={"reset_mask": ended})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("id", IDS)
def test_spaces_and_what_is_returned_are_of_a_vector(id, mode):
    envs = ours(id, 8, autoreset=mode)
    assert envs.num_envs == 8 and envs.metadata["autoreset_mode"] is mode and envs.render_mode is None
    assert envs.observation_space == batch_space(envs.single_observation_space, 8)
    assert envs.action_space == spaces.MultiDiscrete([envs.single_action_space.n] * 8)
    observations, info = envs.reset(seed=4)
    assert isinstance(info, dict) and observations in envs.observation_space
    envs.action_space.seed(1)
    for _ in range(60):
        observations, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
        assert observations in envs.observation_space and observations.dtype == envs.observation_space.dtype
        assert rewards.shape == (8,) and rewards.dtype == np.float64
        assert terminated.shape == truncated.shape == (8,) and terminated.dtype == truncated.dtype == np.bool_
        assert isinstance(info, dict)
        reset_of(envs, terminated | truncated)
    envs.close()
    envs.close()


@pytest.mark.parametrize("actions", [[0, 1, 0, 1], (0, 1, 0, 1), np.array([0, 1, 0, 1], np.int32)], ids=["list", "tuple", "int32"])
def test_actions_may_come_one_by_one(actions):
    one, other = ours("CartPole-v1"), ours("CartPole-v1")
    one.reset(seed=2), other.reset(seed=2)
    assert data_equivalence(one.step(actions), other.step(np.array([0, 1, 0, 1])))


@pytest.mark.parametrize("id", IDS)
def test_the_same_seeds_are_the_same_vector(id):
    one, other = ours(id), ours(id)
    assert data_equivalence(one.reset(seed=123), other.reset(seed=123))
    one.action_space.seed(123), other.action_space.seed(123)
    for _ in range(100):
        actions = one.action_space.sample()
        assert (actions == other.action_space.sample()).all()
        assert data_equivalence(one.step(actions), other.step(actions))


@pytest.mark.parametrize("shared_memory", [True, False])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_it_is_an_async_vector_of_the_single_ones_too(mode, shared_memory):
    theirs = AsyncVectorEnv([lambda: gymnasium.make("requel/CartPole-v1")] * 3, autoreset_mode=mode, shared_memory=shared_memory)
    envs = gymnasium.make_vec("requel/CartPole-v1", 3, autoreset=mode)
    try:
        assert envs.observation_space == theirs.observation_space and envs.action_space == theirs.action_space
        assert data_equivalence(envs.reset(seed=0), theirs.reset(seed=0))
        envs.action_space.seed(5)
        for _ in range(100):
            actions = envs.action_space.sample()
            assert data_equivalence(envs.step(actions), theirs.step(actions))
    finally:
        theirs.close()


@pytest.mark.parametrize("together", [1, 2, 3])
def test_slots_that_end_together_are_told_apart_from_the_others(together):
    envs = ours("CartPole-v1", 3, autoreset="same_step")
    envs.reset(seed=[42] * 3)
    # Those that push to one side fall long before the others, which push to and fro.
    for step in range(60):
        actions = np.array([0] * together + [step % 2] * (3 - together))
        _, _, terminated, truncated, info = envs.step(actions)
        ended = terminated | truncated
        if ended.any():
            assert ended.tolist() == [True] * together + [False] * (3 - together)
            assert info["_final_obs"].tolist() == ended.tolist()
            assert all((seen is not None) == over for seen, over in zip(info["final_obs"], ended, strict=True))
            return
    raise AssertionError("nothing fell")


def test_a_part_of_the_slots_is_reset():
    envs = ours("CartPole-v1", 3, autoreset="disabled")
    first, _ = envs.reset(seed=[0, 1, 2])
    for _ in range(3):
        shown, *_ = envs.step(np.array([0, 1, 0]))
    again, _ = envs.reset(seed=[0, 1, 0], options={"reset_mask": np.array([True, True, False])})
    assert (again[:2] == first[:2]).all() and (again[2] == shown[2]).all()


@pytest.mark.parametrize(
    "mask",
    [[True] * 3, np.array([True]), np.array([True, True, False, False]), np.array([[True, True, True]]), np.array([1, 1, 0]), np.array([1.0, 1.0, 0.0]), np.zeros(3, bool)],
    ids=["list", "short", "long", "table", "numbers", "floats", "none"],
)
def test_a_mask_of_another_shape_is_refused(mask):
    envs = ours("CartPole-v1", 3, autoreset="disabled")
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask"):
        envs.reset(options={"reset_mask": mask})


def test_each_slot_is_drawn():
    envs = ours("CartPole-v1", 3, render_mode="rgb_array")
    envs.reset(seed=0)
    frames = envs.render()
    assert envs.render_mode == "rgb_array" and isinstance(frames, tuple) and len(frames) == 3
    assert all(isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.ndim == 3 for frame in frames)


WRAPPED = {
    "episodes": wrappers.RecordEpisodeStatistics,
    "normalized observations": wrappers.NormalizeObservation,
    "normalized rewards": wrappers.NormalizeReward,
    "clipped rewards": lambda envs: wrappers.ClipReward(envs, 0.0, 0.5),
    "double precision": lambda envs: wrappers.DtypeObservation(envs, np.float64),
    "flat": wrappers.FlattenObservation,
    "a list of infos": wrappers.DictInfoToList,
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrappers_of_vectors_do_with_it_what_they_do_with_gymnasiums(name):
    wrapped, theirs = (
        WRAPPED[name](envs) for envs in (gymnasium.make_vec("requel/CartPole-v1", 3), SyncVectorEnv([lambda: gymnasium.make("requel/CartPole-v1")] * 3))
    )
    assert wrapped.observation_space == theirs.observation_space
    assert data_equivalence(wrapped.reset(seed=7), theirs.reset(seed=7))
    wrapped.action_space.seed(3)
    for _ in range(120):
        actions = wrapped.action_space.sample()
        one, other = wrapped.step(actions), theirs.step(actions)
        for result in (one[4], other[4]):
            # How long it took.
            if isinstance(result, dict) and "episode" in result:
                result["episode"].pop("t")
        assert data_equivalence(one, other)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_gymnasium_makes_as_many_as_are_asked_for(count):
    envs = gymnasium.make_vec("requel/CartPole-v1", num_envs=count)
    assert envs.num_envs == count and envs.spec.id == "requel/CartPole-v1"
    assert gymnasium.make_vec("requel/CartPole-v1", num_envs=count, vectorization_mode="sync").num_envs == count
