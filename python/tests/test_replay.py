"""Replay buffers against obvious twins in numpy: a list whose front is thrown away, returns by their definition."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import requel
from requel import ReplayBuffer
from requel.replay import importance_weights

VECTOR = spaces.Box(-np.inf, np.inf, (3,), np.float32)
ACTIONS = spaces.Discrete(4)


def steps(count, seed=0, ends=0.15):
    """Steps of one environment: observation, action, reward, next observation, terminated, truncated."""
    rng = np.random.default_rng(seed)
    observation = rng.standard_normal(3).astype(np.float32)
    for _ in range(count):
        following = rng.standard_normal(3).astype(np.float32)
        terminated, truncated = (bool(rng.random() < ends) for _ in range(2))
        yield observation, int(rng.integers(4)), float(rng.standard_normal()), following, terminated, truncated
        observation = rng.standard_normal(3).astype(np.float32) if terminated or truncated else following


def by_definition(taken, n, gamma):
    """The transitions of n steps that these steps make; those that wait at the end are missing."""
    made, first = [], 0
    for index, (*_, terminated, truncated) in enumerate(taken):
        ended = terminated or truncated
        while first <= index and (ended or index - first + 1 == n):
            window = taken[first : index + 1]
            reward = sum(gamma**k * np.float32(step[2]) for k, step in enumerate(window))
            discount = 0.0 if terminated else gamma ** len(window)
            made.append((window[0][0], window[0][1], reward, taken[index][3], discount))
            first += 1
    return made


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("prioritized", [False, True])
def test_it_holds_the_newest_transitions(n, prioritized):
    buffer = ReplayBuffer(20, VECTOR, ACTIONS, n_step=n, gamma=0.9, prioritized=prioritized)
    taken = list(steps(57))
    for step in taken:
        buffer.add(*step)
    expected = by_definition(taken, n, 0.9)
    assert (len(buffer), buffer.capacity) == (20, 20)
    batch = buffer.read(np.arange(20))
    found = {tuple(row) for row in batch.observations.tolist()}
    assert found == {tuple(row[0].tolist()) for row in expected[-20:]}
    newest = {tuple(row[0].tolist()): row for row in expected[-20:]}
    for row in range(20):
        observation, action, reward, following, discount = newest[tuple(batch.observations[row].tolist())]
        assert batch.actions[row] == action
        assert batch.rewards[row] == pytest.approx(reward, rel=1e-6, abs=1e-6)
        assert batch.discounts[row] == pytest.approx(discount, rel=1e-6)
        assert np.array_equal(batch.next_observations[row], following)
    assert np.isnan(batch.probabilities).all()


def filled(count=50, **settings):
    buffer = ReplayBuffer(64, VECTOR, ACTIONS, **settings)
    for step in steps(count):
        buffer.add(*step)
    return buffer


def test_a_batch_is_drawn_alike_and_the_same_seed_draws_the_same():
    buffer, twin, other = filled(seed=3), filled(seed=3), filled(seed=4)
    counts = np.zeros(50)
    for _ in range(800):
        batch = buffer.sample(10)
        assert len(set(batch.indices.tolist())) == 10
        counts[batch.indices] += 1
        assert np.array_equal(batch.indices, twin.sample(10).indices)
    assert (batch.probabilities == 1 / 50).all()
    # Each is drawn 160 times, give or take 11; no index is off by five times that.
    assert abs(counts - 160).max() < 57
    assert not np.array_equal(buffer.sample(50).indices, other.sample(50).indices)
    assert np.array_equal(np.sort(buffer.sample(50).indices), np.arange(50))


def test_with_replacement_a_batch_can_be_larger_than_the_buffer():
    assert filled(count=5, replacement=True).sample(200).actions.shape == (200,)


def test_priorities_decide_what_is_drawn():
    buffer = filled(prioritized=True, alpha=1.0, priority_epsilon=1e-6)
    errors = np.linspace(-1.0, 1.0, 50)
    buffer.update_priorities(np.arange(50), errors)
    expected = (abs(errors) + 1e-6) / (abs(errors) + 1e-6).sum()
    counts = np.zeros(50)
    for _ in range(300):
        batch = buffer.sample(64)
        assert batch.probabilities == pytest.approx(expected[batch.indices], rel=1e-5)
        np.add.at(counts, batch.indices, 1)
    # 19,200 draws: a share of 4 % is off by 0.14 % at most once in a hundred tries; here are 50.
    assert counts / counts.sum() == pytest.approx(expected, abs=0.007)
    weights = importance_weights(batch.probabilities, 0.5)
    assert weights == pytest.approx(np.sqrt(batch.probabilities.min() / batch.probabilities), rel=1e-5)


def test_the_callers_arrays_are_written_into():
    buffer = filled()
    out = buffer.empty_batch(8)
    arrays = dict(vars(out))
    assert buffer.sample(out=out) is out
    assert all(getattr(out, name) is array for name, array in arrays.items())
    again = buffer.read(out.indices.copy())
    for name in ("observations", "actions", "rewards", "next_observations", "discounts"):
        assert np.array_equal(getattr(out, name), getattr(again, name))
    # A part of larger arrays, as a learner keeps them.
    large = buffer.empty_batch(16)
    part = type(large)(**{name: None if array is None else array[4:12] for name, array in vars(large).items()})
    buffer.sample(out=part)
    assert (large.observations[4:12] != 0).all()
    assert (large.observations[:4] == 0).all()


@pytest.mark.parametrize(
    ("space", "dtype"),
    [
        (spaces.Box(0, 255, (4, 5), np.uint8), np.uint8),
        (spaces.Box(0, 1, (4, 2), np.bool_), np.bool_),
        (spaces.Box(-1, 1, (2,), np.float64), np.float32),
        (spaces.Discrete(7), np.int64),
        (spaces.MultiDiscrete([3, 9]), np.int64),
        (spaces.MultiBinary(5), np.int64),
    ],
)
def test_observations_come_out_as_the_space_has_them(space, dtype):
    space.seed(0)
    buffer = ReplayBuffer(10, space, ACTIONS)
    taken = [(space.sample(), space.sample()) for _ in range(10)]
    for observation, following in taken:
        buffer.add(observation, 0, 0.0, following, False, False)
    batch = buffer.read(range(10))
    assert batch.observations.dtype == dtype
    for row, (observation, following) in enumerate(taken):
        assert np.array_equal(batch.observations[row], np.asarray(observation).astype(dtype))
        assert np.array_equal(batch.next_observations[row], np.asarray(following).astype(dtype))


@pytest.mark.parametrize("axis", [0, -1])
def test_frames_kept_once_come_out_as_whole_observations_do(axis):
    rng = np.random.default_rng(0)
    frames = rng.integers(256, size=(60, 6, 7), dtype=np.uint8)
    stacked = [np.stack(frames[index : index + 4], axis=axis) for index in range(57)]
    space = spaces.Box(0, 255, stacked[0].shape, np.uint8)
    whole, once = (ReplayBuffer(30, space, ACTIONS, frame_stack=stack) for stack in (None, 4))
    for index in range(56):
        for buffer in (whole, once):
            buffer.add(stacked[index], index % 4, 1.0, stacked[index + 1], index % 9 == 8, False)
    for name in ("observations", "next_observations", "actions", "discounts"):
        assert np.array_equal(getattr(once.read(range(30)), name), getattr(whole.read(range(30)), name))


def test_several_environments_add_at_once_and_their_steps_stay_apart():
    buffer = ReplayBuffer(100, VECTOR, ACTIONS, num_envs=3, n_step=4, gamma=0.5)
    envs = [list(steps(30, seed=seed)) for seed in range(3)]
    for taken in zip(*envs, strict=True):
        buffer.add(*(np.stack(column) for column in zip(*taken, strict=True)))
    expected = [row for taken in envs for row in by_definition(taken, 4, 0.5)]
    batch = buffer.read(range(len(buffer)))
    assert len(buffer) == len(expected)
    found = sorted(zip(batch.observations.tolist(), batch.rewards.tolist(), batch.discounts.tolist(), strict=True))
    for (observation, reward, discount), twin in zip(found, sorted(expected, key=lambda row: row[0].tolist()), strict=True):
        assert observation == twin[0].tolist()
        assert reward == pytest.approx(twin[2], rel=1e-6, abs=1e-6)
        assert discount == pytest.approx(twin[4])


def test_an_interruption_forgets_what_waits():
    buffer = ReplayBuffer(10, VECTOR, ACTIONS, n_step=3)
    taken = list(steps(5, ends=0.0))
    for step in taken[:2]:
        buffer.add(*step)
    buffer.interrupt()
    for step in taken[2:]:
        buffer.add(*step)
    assert len(buffer) == 1
    assert np.array_equal(buffer.sample(1).observations[0], taken[2][0])


def test_masks_are_kept():
    env = requel.RequelEnv("Taxi-v4")
    buffer = ReplayBuffer(50, env.observation_space, env.action_space, action_masks=True)
    observation, info = env.reset(seed=1)
    masks = []
    for _ in range(40):
        action = int(np.flatnonzero(info["action_mask"])[0])
        following, reward, terminated, truncated, then = env.step(action)
        masks.append((info["action_mask"], then["action_mask"]))
        allowed = dict(zip(("action_mask", "next_action_mask"), masks[-1], strict=True))
        buffer.add(observation, action, reward, following, terminated, truncated, **allowed)
        observation, info = following, then
    batch = buffer.sample(20)
    for row, index in enumerate(batch.indices):
        assert np.array_equal(batch.action_masks[row], masks[index][0])
        assert np.array_equal(batch.next_action_masks[row], masks[index][1])


def test_actions_begin_where_the_space_says():
    buffer = ReplayBuffer(4, VECTOR, spaces.Discrete(3, start=5))
    buffer.add(np.zeros(3), 7, 0.0, np.zeros(3), False, False)
    assert buffer.sample(1).actions.tolist() == [7]
    for action in (4, 8):
        with pytest.raises(ValueError, match="expected 0 to 2"):
            buffer.add(np.zeros(3), action, 0.0, np.zeros(3), False, False)


def step(**changes):
    """What `add` takes, with changes."""
    unchanged = {"observation": np.zeros(3), "action": 0, "reward": 0.0, "next_observation": np.zeros(3)}
    return unchanged | {"terminated": False, "truncated": False} | changes


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda buffer: buffer.add(**step(observation=np.zeros(4))), ValueError, "observations: 4 numbers, expected 3"),
        (lambda buffer: buffer.add(**step(action=4)), ValueError, "action 4"),
        (lambda buffer: buffer.add(**step(action=0.5)), ValueError, "whole numbers"),
        (lambda buffer: buffer.add(**step(action_mask=[1, 0])), ValueError, "action_masks: 2 numbers, expected 4"),
        (lambda buffer: buffer.sample(51), ValueError, "51 transitions requested, but only 50 are stored"),
        (lambda buffer: buffer.sample(), ValueError, "batch_size"),
        (lambda buffer: buffer.read([50]), IndexError, "transition 50 of 50"),
        (lambda buffer: buffer.read([-1]), IndexError, "transition -1"),
        (lambda buffer: buffer.update_priorities([0, 1], [0.5]), ValueError, "2 indices and 1 TD errors"),
        (lambda buffer: buffer.update_priorities([99], [0.5]), IndexError, "transition 99"),
        (lambda _: ReplayBuffer(0, VECTOR, ACTIONS), ValueError, "at least 1"),
        (lambda _: ReplayBuffer(2**31, spaces.Box(0, 1, (1000,)), ACTIONS), MemoryError, "transitions"),
        (lambda _: ReplayBuffer(9, VECTOR, ACTIONS, n_step=0), ValueError, "at least 1 step"),
        (lambda _: ReplayBuffer(9, VECTOR, ACTIONS, gamma=1.5), ValueError, "discount of 1.5"),
        (lambda _: ReplayBuffer(9, VECTOR, ACTIONS, num_envs=0), ValueError, "num_envs=0"),
        (lambda _: ReplayBuffer(9, VECTOR, ACTIONS, prioritized=True, alpha=2.0), ValueError, "exponent"),
        (lambda _: ReplayBuffer(9, VECTOR, ACTIONS, frame_stack=4), ValueError, "frame_stack"),
        (lambda _: ReplayBuffer(9, VECTOR, spaces.Box(-1, 1, (1,))), TypeError, "Discrete"),
        (lambda _: ReplayBuffer(9, spaces.Text(5), ACTIONS), TypeError, "Text"),
        (lambda _: importance_weights([0.5, 0.0], 0.5), ValueError, "above 0"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, match):
    buffer = filled()
    with pytest.raises(error, match=match):
        call(buffer)
    assert len(buffer) == 50


def test_arrays_that_do_not_fit_are_refused():
    buffer = filled()
    for name, array, error in [
        ("observations", np.zeros((8, 4), np.float32), ValueError),
        ("observations", np.zeros((8, 3), np.float64), TypeError),
        ("rewards", np.zeros(7, np.float32), ValueError),
        ("rewards", np.zeros(16, np.float32)[::2], ValueError),
        ("actions", np.zeros(8, np.int32), TypeError),
    ]:
        out = buffer.empty_batch(8)
        setattr(out, name, array)
        with pytest.raises(error):
            buffer.sample(out=out)
    frozen = buffer.empty_batch(8)
    frozen.rewards.flags.writeable = False
    with pytest.raises(ValueError, match="rite"):
        buffer.sample(out=frozen)


def test_bytes_are_bytes():
    buffer = ReplayBuffer(5, spaces.Box(0, 255, (2,), np.uint8), ACTIONS)
    with pytest.raises(ValueError, match="whole numbers from 0 to 255"):
        buffer.add([0.5, 1], 0, 0.0, [0, 1], False, False)


def test_it_takes_what_gymnasium_gives():
    env = gymnasium.make("CartPole-v1")
    buffer = ReplayBuffer(500, env.observation_space, env.action_space, prioritized=True, n_step=3)
    observation, _ = env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(300):
        action = env.action_space.sample()
        following, reward, terminated, truncated, _ = env.step(action)
        buffer.add(observation, action, reward, following, terminated, truncated)
        observation = env.reset()[0] if terminated or truncated else following
    batch = buffer.sample(32)
    buffer.update_priorities(batch.indices, np.random.default_rng(0).standard_normal(32))
    assert batch.observations.shape == (32, 4)
