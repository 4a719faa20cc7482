"""Vector environments in all three autoreset modes: the same transitions, and so the same weights."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Corridor, Counter, Masked
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import requel
from requel import events

MODES = list(AutoresetMode)


def settings(**sections):
    base = {
        "train": {"env_steps": 900, "episodes": 0},
        "evaluation": {"every_episodes": 0, "every_steps": 0, "final_episodes": 1},
        "log": {"every_steps": 100},
        "replay": {"start": 100},
    }
    return {section: {**base.get(section, {}), **sections.get(section, {})} for section in {*base, *sections}}


def cartpoles(num_envs):
    return [lambda: gymnasium.make("CartPole-v1")] * num_envs


@pytest.mark.parametrize("num_envs", [1, 8, 64])
def test_the_weights_are_those_of_our_own_environment_in_every_mode(tmp_path, num_envs):
    steps = 4 * 900 if num_envs == 64 else 900
    told = settings(train={"env_steps": steps})
    own = requel.train("CartPole-v1", preset="notebook", seed=2, run_dir=tmp_path / "own", **{**told, "train": {**told["train"], "num_envs": num_envs}})
    for mode in MODES:
        vector = SyncVectorEnv(cartpoles(num_envs), autoreset_mode=mode)
        run = requel.train(vector, preset="notebook", seed=2, run_dir=tmp_path / mode.name, **told)
        assert run.weights_blake3 == own.weights_blake3, mode
        assert run.final == own.final and run.updates > 0


@pytest.mark.parametrize("mode", MODES)
def test_environments_in_processes_of_their_own_give_the_same_weights(tmp_path, mode):
    hashes = []
    for name, kind in [("async", AsyncVectorEnv), ("sync", SyncVectorEnv)]:
        vector = kind(cartpoles(2), autoreset_mode=mode)
        run = requel.train(vector, preset="notebook", run_dir=tmp_path / name, **settings(train={"env_steps": 400}))
        hashes.append(run.weights_blake3)
        vector.close()
        assert run.exactness == ("new episodes" if kind is AsyncVectorEnv else "bits")
    assert hashes[0] == hashes[1]


class OnlyNextStep(gymnasium.vector.VectorEnv):
    """A simulator in one piece, which resets a slot in the place of its next step and in no other way."""

    def __init__(self, num_envs):
        self.envs_inside = SyncVectorEnv([Counter] * num_envs, autoreset_mode=AutoresetMode.NEXT_STEP)
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.num_envs = num_envs
        self.single_observation_space = self.envs_inside.single_observation_space
        self.single_action_space = self.envs_inside.single_action_space
        self.observation_space, self.action_space = self.envs_inside.observation_space, self.envs_inside.action_space

    def reset(self, *, seed=None, options=None):
        assert options is None
        return self.envs_inside.reset(seed=seed)

    def step(self, actions):
        return self.envs_inside.step(actions)


def vector_of_counters(mode, num_envs):
    return OnlyNextStep(num_envs) if mode == "only next step" else SyncVectorEnv([Counter] * num_envs, autoreset_mode=mode)


@pytest.mark.parametrize("num_envs", [1, 5])
@pytest.mark.parametrize("mode", [*MODES, "only next step"])
def test_an_environment_that_counts_its_steps_finds_none_too_many(tmp_path, mode, num_envs):
    heard = []
    run = requel.train(
        vector_of_counters(mode, num_envs), eval_env=Counter, run_dir=tmp_path / "run", callback=heard.append, **settings()
    )
    episodes = [event for event in heard if isinstance(event, events.EpisodeEnded)]
    assert 900 <= run.env_steps < 900 + num_envs
    assert len(episodes) > 100
    for episode in episodes:
        assert 3 <= episode.length <= 6
        assert episode.return_ == episode.length * (episode.length + 1) / 2
        assert episode.terminated == (episode.length % 2 == 1) and episode.truncated != episode.terminated


class Recorder:
    """Stands between a vector and the trainer, and keeps what the trainer is shown."""

    def __init__(self, vector):
        self.vector, self.shown = vector, []

    def __getattr__(self, name):
        return getattr(self.vector, name)

    def reset_slot(self, slot, seed):
        row = self.vector.reset_slot(slot, seed)
        self.shown.append(("reset", slot, float(row[0])))
        return row

    def step(self, actions):
        result = self.vector.step(actions)
        for slot in range(self.vector.num_envs):
            self.shown.append(("began" if result[4][slot] else "step", slot, float(result[0][slot, 0])))
        return result


@pytest.mark.parametrize("mode", [*MODES, "only next step"])
def test_no_transition_leads_from_the_last_observation_to_the_first(mode):
    from requel._environments import Source
    from requel._vector import Vector

    vector = Recorder(Vector(vector_of_counters(mode, 3), Source(Counter).description))
    for slot in range(3):
        vector.reset_slot(slot, 4 + slot)
    last = [0.0] * 3
    for _ in range(60):
        rows, rewards, terminated, truncated, began = vector.step(np.zeros(3, np.int64))
        for slot in range(3):
            if began[slot]:
                assert rows[slot, 0] == 0 and rewards[slot] == 0
            else:
                assert rows[slot, 0] == last[slot] + 1 == rewards[slot]
            last[slot] = rows[slot, 0]
            if terminated[slot] or truncated[slot]:
                first = vector.reset_slot(slot, None)[0]
                assert first == (last[slot] if mode == "only next step" else 0)
                last[slot] = first
    assert {kind for kind, _, _ in vector.shown} == ({"reset", "step", "began"} if mode == "only next step" else {"reset", "step"})


def test_gymnasiums_own_vector_of_cartpoles_is_trained_in(tmp_path):
    vector = gymnasium.make_vec("CartPole-v1", 16, vectorization_mode="vector_entry_point")
    run = requel.train(vector, run_dir=tmp_path / "run", **settings(train={"env_steps": 3200}))
    assert run.updates > 100 and 3200 <= run.env_steps < 3216


@pytest.mark.parametrize("mode", MODES)
def test_a_vector_that_was_stopped_and_resumed_has_the_same_bits(tmp_path, mode):
    def fail(event):
        if event.env_steps > 500:
            raise ArithmeticError

    def make():
        return SyncVectorEnv([Counter] * 3, autoreset_mode=mode)

    told = settings(checkpoint={"every_steps": 200})
    whole = requel.train(make, run_dir=tmp_path / "whole", **told)
    with pytest.raises(ArithmeticError):
        requel.train(make, run_dir=tmp_path / "cut", callback=fail, **told)
    resumed = requel.resume(tmp_path / "cut", make)
    assert (resumed.env_steps, resumed.weights_blake3, resumed.exactness) == (900, whole.weights_blake3, "bits")


@pytest.mark.parametrize("mode", MODES)
def test_masks_of_a_vector_hold(tmp_path, mode):
    class Informed(Masked):
        def reset(self, **arguments):
            return super().reset(**arguments)[0], {"action_mask": self.action_masks()}

        def step(self, action):
            return *super().step(action)[:4], {"action_mask": self.action_masks()}

    vector = SyncVectorEnv([Informed] * 3, autoreset_mode=mode)
    explores = {"exploration": {"kind": "constant", "start": 1.0}}
    assert requel.train(vector, run_dir=tmp_path / "run", **settings(**explores)).final.mean_return == 1.0


@pytest.mark.parametrize("kind", [SyncVectorEnv, AsyncVectorEnv])
@pytest.mark.parametrize("mode", MODES)
def test_masks_that_are_asked_for_hold_in_a_vector(tmp_path, kind, mode):
    vector = kind([Masked] * 2, autoreset_mode=mode)
    explores = {"exploration": {"kind": "constant", "start": 1.0}}
    run = requel.train(vector, run_dir=tmp_path / "run", **settings(**explores, train={"env_steps": 300}))
    assert run.final.mean_return == 1.0


@pytest.mark.parametrize("mode", MODES)
def test_observations_in_parts_train_as_from_a_factory(tmp_path, mode):
    own = requel.train(InParts, run_dir=tmp_path / "own", seed=1, **settings(train={"num_envs": 2}))
    run = requel.train(SyncVectorEnv([InParts] * 2, autoreset_mode=mode), run_dir=tmp_path / "run", seed=1, **settings())
    assert run.weights_blake3 == own.weights_blake3


class InParts(Corridor):
    """The corridor, seen as a number and a parity."""

    def __init__(self):
        super().__init__()
        self.observation_space = gymnasium.spaces.Tuple((self.observation_space, gymnasium.spaces.Discrete(2)))

    def _seen(self):
        return super()._seen(), np.int64(self.at % 2)


def test_a_simulator_that_says_nothing_of_its_parts_asks_for_one_to_score_in(tmp_path):
    with pytest.raises(TypeError, match="give it as eval_env"):
        requel.train(OnlyNextStep(2), run_dir=tmp_path / "run", **settings())


class Stacked(gymnasium.vector.VectorEnv):
    """What ale-py's vector shows of itself: an id whose single environment is another, and no word of its stack."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self):
        self.num_envs = 1
        self.single_observation_space = gymnasium.spaces.Box(0, 255, (4, 36, 36), np.uint8)
        self.single_action_space = gymnasium.spaces.Discrete(2)
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, 1)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, 1)
        self.spec = gymnasium.spec("CartPole-v1")


def test_a_vector_whose_id_is_of_another_environment_asks_for_one_to_score_in():
    with pytest.raises(TypeError, match="give it as eval_env"):
        requel.train(Stacked())


def test_the_stack_of_ale_pys_vector_is_found():
    from requel._vector import stack_of

    assert stack_of(type("AtariVectorEnv", (Stacked,), {})()) == 4
    assert stack_of(Stacked()) == 1
