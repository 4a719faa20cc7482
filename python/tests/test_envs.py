"""requel's environments one by one: Gymnasium's own checks, Gymnasium's own bits, drawing, copies."""

import copy
import pickle
import re
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

import requel
from requel._requel import environments
from requel.envs import RequelEnv, gymnasium_id, requel_id

IDS = [entry["id"] for entry in environments()]
# What Gymnasium has too, its own included where it is made with other words.
SHARED = [
    ("CartPole-v0", {}),
    ("CartPole-v1", {}),
    ("CartPole-v1", {"sutton_barto_reward": True}),
    ("MountainCar-v0", {}),
    ("Acrobot-v1", {}),
    ("Pendulum-v1", {}),
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False, "map_name": "8x8"}),
    ("FrozenLake8x8-v1", {}),
    ("CliffWalking-v1", {}),
    ("CliffWalkingSlippery-v1", {}),
    ("Taxi-v4", {}),
    ("Blackjack-v1", {}),
]


@pytest.mark.parametrize("id", IDS)
def test_gymnasiums_checker_passes(id):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_env(gymnasium.make(gymnasium_id(id)).unwrapped)
    # Bounds that are infinite and a torque from -2 to 2, as in the originals; and there is a newer CartPole.
    known = re.compile("infinity|symmetric and normalized|out of date")
    assert [str(each.message) for each in caught if not known.search(str(each.message))] == []


@pytest.mark.parametrize("id", IDS)
def test_an_id_goes_both_ways(id):
    assert requel_id(gymnasium_id(id)) == id
    assert requel_id(id) == id
    spec = gymnasium.spec(gymnasium_id(id))
    entry = next(entry for entry in environments() if entry["id"] == id)
    assert (spec.max_episode_steps, spec.reward_threshold) == (entry["max_episode_steps"], entry["reward_threshold"])


@pytest.mark.parametrize(("id", "options"), SHARED)
def test_the_bits_are_gymnasiums(id, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # CartPole-v0 is out of date, as Gymnasium says.
        theirs = gymnasium.make(id, **options)
    ours = gymnasium.make(gymnasium_id(id), **options)
    ours.action_space.seed(5)
    if id != "Blackjack-v1":  # There a tuple, here the same numbers in an array.
        assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    ended = True
    for step in range(700):
        if ended:
            seed = 3 if step == 0 else None
            (observation, info), (expected, their_info) = ours.reset(seed=seed), theirs.reset(seed=seed)
            ended = False
        else:
            action = ours.action_space.sample()
            observation, *rest, info = ours.step(action)
            expected, *their_rest, their_info = theirs.step(action)
            assert rest == their_rest
            ended = rest[1] or rest[2]
        assert np.array_equal(observation, np.asarray(expected))
        assert np.asarray(observation).dtype == np.asarray(expected).dtype or id == "Blackjack-v1"
        assert ("action_mask" in info) == ("action_mask" in their_info)
        if "action_mask" in info:
            assert data_equivalence(info["action_mask"], their_info["action_mask"], exact=True)


def test_a_step_without_a_reset_and_an_action_that_is_none_are_refused_in_gymnasiums_words():
    env = gymnasium.make("requel/CartPole-v1")
    with pytest.raises(gymnasium.error.ResetNeeded, match="call `reset` first"):
        env.step(0)
    before, _ = env.reset(seed=1)
    for action in (2, -1, 0.5, "left", None):
        with pytest.raises(gymnasium.error.InvalidAction, match="Discrete\\(2\\): 0 to 1"):
            env.step(action)
    env.step(np.int64(1))
    again, _ = env.reset(seed=1)
    assert np.array_equal(before, again)


def test_what_cannot_be_made_says_why():
    with pytest.raises(gymnasium.error.NameNotFound, match="did you mean `CartPole-v1`"):
        RequelEnv("CartPoel-v1")
    with pytest.raises(ValueError, match="did you mean `sutton_barto_reward`"):
        gymnasium.make("requel/CartPole-v1", sutton_bartho_reward=True)
    with pytest.raises(TypeError, match="expected a bool, an int, a float, a str"):
        RequelEnv("CartPole-v1", max_episode_steps=object())
    with pytest.raises(ValueError, match="render_mode 'rgb'"):
        RequelEnv("CartPole-v1", render_mode="rgb")
    env = RequelEnv("CartPole-v1")
    with pytest.raises(ValueError, match=r"reset\(options=\.\.\.\) with low"):
        env.reset(options={"low": -0.1})
    for seed in (-1, 2**64, 0.5, True):
        with pytest.raises(gymnasium.error.Error, match="Seed must be"):
            env.reset(seed=seed)


def test_the_time_limit_is_gymnasiums_where_gymnasium_makes_it_and_its_own_elsewhere():
    for env in (gymnasium.make("requel/MountainCar-v0", max_episode_steps=30), RequelEnv("MountainCar-v0", max_episode_steps=30)):
        env.reset(seed=0)
        ends = [env.step(1)[2:4] for _ in range(30)]
        assert ends == [(False, False)] * 29 + [(False, True)]
    free = gymnasium.make("requel/MountainCar-v0", max_episode_steps=1000)
    free.reset(seed=0)
    assert not any(free.step(1)[3] for _ in range(300))


def test_an_environment_never_seeded_draws_a_seed_and_says_which():
    first, second = RequelEnv("CartPole-v1"), RequelEnv("CartPole-v1")
    observation, _ = first.reset()
    assert not np.array_equal(observation, second.reset()[0])
    assert np.array_equal(observation, second.reset(seed=first.np_random_seed)[0])


def test_np_random_is_seeded_with_the_environment_and_a_generator_that_is_set_decides_the_next_episode():
    env = RequelEnv("CartPole-v1")
    env.reset(seed=11)
    expected, _ = gymnasium.utils.seeding.np_random(11)
    assert env.np_random.integers(2**40) == expected.integers(2**40)
    episodes = []
    for _ in range(2):
        env.np_random = np.random.default_rng(4)
        episodes.append([env.reset()[0], env.reset()[0]])
    assert np.array_equal(episodes[0], episodes[1])
    assert not np.array_equal(episodes[0][0], episodes[0][1])


@pytest.mark.parametrize("id", IDS)
def test_it_is_drawn_in_pixels_and_in_text(id):
    env = RequelEnv(id, render_mode="rgb_array")
    env.reset(seed=0)
    pixels = env.render()
    assert pixels.dtype == np.uint8
    assert pixels.shape[1:] == (600, 3)
    assert (pixels != pixels[0, 0]).any()
    text = RequelEnv(id, render_mode="ansi")
    text.reset(seed=0)
    assert "\x1b[" in text.render()
    assert text.render().count("\n") <= 24


def test_the_picture_shows_the_state():
    env = RequelEnv("CartPole-v1", render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert np.array_equal(before, env.render())
    for _ in range(8):
        env.step(1)
    assert not np.array_equal(before, env.render())


def test_human_draws_after_each_reset_and_step(capsys):
    env = gymnasium.make("requel/CartPole-v1", render_mode="human")
    env.reset(seed=0)
    assert len(capsys.readouterr().out) > 100
    env.step(0)
    assert len(capsys.readouterr().out) > 100
    assert env.render() is None
    assert capsys.readouterr().out == ""


def test_wrappers_of_gymnasium_go_around_it():
    env = gymnasium.make("requel/CartPole-v1", render_mode="rgb_array_list")
    env.reset(seed=0)
    env.step(0)
    assert len(env.render()) == 2


@pytest.mark.parametrize("id", IDS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_with_the_same_bits(id, copied):
    env = gymnasium.make(gymnasium_id(id)).unwrapped
    env.reset(seed=2)
    env.action_space.seed(2)
    other = None
    for step in range(40):
        if step == 3:
            other = copied(env)
        action = env.action_space.sample()
        ours = env.step(action)
        assert other is None or data_equivalence(ours, other.step(action), exact=True)
        if ours[2]:
            first = env.reset()
            assert other is None or data_equivalence(first, other.reset(), exact=True)


def test_metrics_that_an_environment_reports_are_in_its_info():
    env = requel.RequelEnv("GridWorld-v0")
    _, info = env.reset(seed=0)
    assert info == {}
    *_, info = env.step(0)
    assert info
    assert all(isinstance(number, float) for number in info.values())
