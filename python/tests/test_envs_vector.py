"""requel's environments in vectors: bit for bit Gymnasium's SyncVectorEnv of the single ones, in every mode."""

import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import requel
from requel._requel import environments
from requel.envs import RequelVectorEnv, gymnasium_id

IDS = [entry["id"] for entry in environments()]
MODES = list(AutoresetMode)
SLOTS = 5
STEPS = 120


def same(ours, theirs):
    """Whether both are equal, types and places of what is missing included."""
    if isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(same(*pair) for pair in zip(ours, theirs, strict=True))
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, np.ndarray):
        alike = type(ours) is np.ndarray and ours.dtype == theirs.dtype and ours.shape == theirs.shape
        if theirs.dtype == object:
            return alike and all(same(*pair) for pair in zip(ours, theirs, strict=True))
        return alike and np.array_equal(ours, theirs)
    return type(ours) is type(theirs) and ours == theirs


def sync(id, mode, copy=True, **options):
    return SyncVectorEnv([lambda: gymnasium.make(gymnasium_id(id), **options)] * SLOTS, copy=copy, autoreset_mode=mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("id", IDS)
def test_a_vector_is_that_of_its_single_environments(id, mode):
    # Short episodes, so that all three ways to end are seen in few steps.
    ours = requel.make_vec(id, SLOTS, autoreset=mode, max_episode_steps=23)
    theirs = sync(id, mode, max_episode_steps=23)
    assert ours.metadata["autoreset_mode"] is mode
    assert (ours.observation_space, ours.action_space) == (theirs.observation_space, theirs.action_space)
    assert same(ours.reset(seed=7), theirs.reset(seed=7))
    ours.action_space.seed(1)
    ends = 0
    for _ in range(STEPS):
        actions = ours.action_space.sample()
        stepped, expected = ours.step(actions), theirs.step(actions)
        assert same(stepped, expected)
        ended = stepped[2] | stepped[3]
        ends += ended.sum()
        if mode is AutoresetMode.DISABLED and ended.any():
            again = [env.reset(options={"reset_mask": ended.copy()}) for env in (ours, theirs)]
            assert same(*again)
    assert ends >= SLOTS


@pytest.mark.parametrize("mode", MODES)
def test_without_copies_there_is_one_array_of_observations(mode):
    ours = requel.make_vec("CartPole-v1", 3, autoreset=mode, copy=False)
    twin = requel.make_vec("CartPole-v1", 3, autoreset=mode)
    first, _ = ours.reset(seed=1)
    twin.reset(seed=1)
    for _ in range(12):
        observations, rewards, *_ = ours.step([1, 0, 1])
        expected, expected_rewards, terminations, *_ = twin.step([1, 0, 1])
        assert observations is first
        assert np.array_equal(observations, expected)
        assert np.array_equal(rewards, expected_rewards)
        if mode is AutoresetMode.DISABLED and terminations.any():
            break
    fresh = twin.step([0, 0, 0])[0] if not terminations.any() else expected
    assert fresh is not first


def test_gymnasium_makes_it_by_its_own_entry_point_and_as_its_own_vector():
    env = gymnasium.make_vec("requel/CartPole-v1", 4, autoreset="same_step")
    assert isinstance(env.unwrapped, RequelVectorEnv)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert gymnasium.make_vec("requel/CartPole-v1", 4).metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    sync_env = gymnasium.make_vec("requel/CartPole-v1", 4, vectorization_mode="sync")
    assert isinstance(sync_env, SyncVectorEnv)
    assert same(env.reset(seed=3)[0], sync_env.reset(seed=3)[0])
    wrapped = gymnasium.wrappers.vector.RecordEpisodeStatistics(gymnasium.make_vec("requel/CartPole-v1", 4))
    wrapped.reset(seed=0)
    infos = [wrapped.step(np.ones(4, np.int64))[4] for _ in range(15)]
    assert any("episode" in info for info in infos)


def test_the_time_limit_of_the_registry_holds_in_a_vector():
    env = gymnasium.make_vec("requel/MountainCar-v0", 2)
    env.reset(seed=0)
    truncated = [bool(env.step(np.ones(2, np.int64))[3].all()) for _ in range(200)]
    assert truncated == [False] * 199 + [True]


@pytest.mark.parametrize("seeds", [[5, None, 9], (5, 6, 7)])
def test_each_slot_can_have_a_seed_of_its_own(seeds):
    env = requel.make_vec("CartPole-v1", 3)
    env.reset(seed=1)
    observations, _ = env.reset(seed=seeds)
    single = requel.RequelEnv("CartPole-v1")
    for slot, seed in enumerate(seeds):
        if seed is not None:
            assert np.array_equal(observations[slot], single.reset(seed=seed)[0])


def test_a_vector_never_seeded_is_not_the_same_twice():
    observations = [requel.make_vec("CartPole-v1", 2).reset()[0] for _ in range(2)]
    assert not np.array_equal(*observations)


def test_continuous_actions_come_in_gymnasiums_vector():
    env = requel.make_vec("Pendulum-v1", 3, autoreset="same_step")
    assert isinstance(env, SyncVectorEnv)
    assert isinstance(requel.make_vec("Pendulum-v1", 3, discretize=5), RequelVectorEnv)


def test_it_is_drawn():
    env = requel.make_vec("CartPole-v1", 2, render_mode="rgb_array")
    env.reset(seed=0)
    frames = env.render()
    assert [frame.shape[1:] for frame in frames] == [(600, 3)] * 2
    assert len(requel.make_vec("Taxi-v4", 2, render_mode="ansi").render()) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("id", ["CartPole-v1", "Taxi-v4"])
def test_a_copy_goes_on_with_the_same_bits(id, mode):
    env = requel.make_vec(id, 3, autoreset=mode, max_episode_steps=9)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(29)]
    for row in actions[:9] if mode is not AutoresetMode.DISABLED else []:
        env.step(row)
    other = pickle.loads(pickle.dumps(env))
    for row in actions[9:]:
        stepped = env.step(row)
        assert same(stepped, other.step(row))
        ended = stepped[2] | stepped[3]
        if mode is AutoresetMode.DISABLED and ended.any():
            assert same(*(each.reset(options={"reset_mask": ended.copy()}) for each in (env, other)))


def test_it_says_how_one_of_its_environments_is_made():
    env = requel.make_vec("CartPole-v1", 2, sutton_barto_reward=True)
    single = env.env_fns[0]()
    single.reset(seed=0)
    assert single.step(0)[1] == 0.0


def test_what_does_not_fit_is_refused():
    env = requel.make_vec("CartPole-v1", 2)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step([0, 0])
    env.reset(seed=0)
    for actions, error in [
        ([0, 2], gymnasium.error.InvalidAction),
        ([0, -1], gymnasium.error.InvalidAction),
        ([0], ValueError),
        ([0.0, 1.0], TypeError),
        ([[0, 1]], TypeError),
    ]:
        with pytest.raises(error):
            env.step(actions)
    disabled = requel.make_vec("CartPole-v1", 2, autoreset="disabled")
    disabled.reset(seed=0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        for _ in range(20):
            disabled.step([1, 0])
    with pytest.raises(ValueError, match="reset_mask"):
        disabled.reset(options={"reset_mask": np.zeros(2, np.bool_)})
    with pytest.raises(ValueError, match="3 seeds given for 2"):
        env.reset(seed=[1, 2, 3])
    for make, match in [
        (lambda: requel.make_vec("CartPole-v1", 2, autoreset="never"), "autoreset 'never'"),
        (lambda: requel.make_vec("CartPole-v1", 2, render_mode="human"), "draws one environment"),
        (lambda: requel.make_vec("CartPole-v1", 0), "at least one"),
    ]:
        with pytest.raises(ValueError, match=match):
            make()
