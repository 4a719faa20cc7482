"""What cannot be learned in, or not so, is refused by name before anything is learned, or told."""

from __future__ import annotations

import threading
import warnings

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Corridor
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import requel
from requel._requel import config_sections

BRIEF = {"train": {"env_steps": 300}, "replay": {"start": 64, "batch_size": 16}, "network": {"hidden": [8]}, "evaluation": {"every_steps": 0, "final_episodes": 1}}


@pytest.mark.filterwarnings("ignore")
def test_pqn_is_not_trained_in_a_vector_that_begins_episodes_in_the_place_of_a_step():
    vector = gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="vector_entry_point")
    assert vector.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    with pytest.raises(ValueError, match="CartPole-v1 spends a step on starting a new episode.*reset within the step"):
        requel.PQN(vector, pqn={"rollout_steps": 8, "minibatches": 2})
    # One that can be asked to reset a slot at once is learned in, in this mode too.
    ours = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 4)
    agent = requel.PQN(ours, pqn={"rollout_steps": 8, "minibatches": 2}, evaluation={"every_steps": 0}).learn(128)
    assert agent.env_steps == 128


def test_one_environment_is_not_learned_in_by_two_trainings(tmp_path):
    env, begun, go_on, found = Corridor(), threading.Event(), threading.Event(), []

    def hold(event):
        begun.set()
        go_on.wait(60)

    def train(name):
        requel.train(env, run_dir=tmp_path / name, callback=hold, **BRIEF)

    first = threading.Thread(target=train, args=("first",), daemon=True)
    first.start()
    assert begun.wait(60)
    vector = SyncVectorEnv([Corridor])
    for other in (lambda: train("second"), lambda: requel.DQN("MlpPolicy", env), lambda: requel.train(Corridor, eval_env=env, run_dir=tmp_path / "third", **BRIEF)):
        with pytest.raises(RuntimeError, match="is being used by another training"):
            other()
    assert not (tmp_path / "second").exists()
    go_on.set()
    first.join(60)
    requel.train(env, run_dir=tmp_path / "again", **BRIEF)
    found.append(requel.DQN("MlpPolicy", vector, learning_starts=10).learn(20).num_timesteps)
    assert found == [20]


def test_two_models_of_one_environment_take_turns_but_not_steps():
    env = Corridor()
    one, other = (requel.DQN("MlpPolicy", env, learning_starts=10) for _ in range(2))
    refused = []

    def step(local, _):
        try:
            other.learn(10)
        except RuntimeError as error:
            refused.append(str(error))

    one.learn(100, callback=step)
    assert refused and all("used by another training" in error for error in refused)
    assert other.learn(40).num_timesteps == 40


class Speaking(Corridor):
    """Shows text beside numbers, in the middle of its observations."""

    def __init__(self):
        super().__init__()
        parts = {"at": self.observation_space, "mission": spaces.Text(20), "pair": spaces.Tuple([spaces.Text(5), spaces.Discrete(3)])}
        self.observation_space = spaces.Dict(parts)

    def _seen(self):
        return {"at": super()._seen(), "mission": f"go to {self.cells}", "pair": ("abc"[: self.at], 2)}


def test_text_is_left_out_with_a_word(tmp_path):
    with pytest.warns(UserWarning, match=r"Speaking shows text.*observation\['mission'\], observation\['pair'\]\[0\]"):
        model = requel.DQN("MlpPolicy", Speaking, learning_starts=20)
    assert model.learn(200).q_values(Speaking().reset(seed=0)[0]).shape == (2,)
    vector = requel.DQN("MlpPolicy", SyncVectorEnv([Speaking] * 2), learning_starts=20, seed=1).learn(200)
    alone = requel.DQN("MlpPolicy", Speaking, n_envs=2, learning_starts=20, seed=1).learn(200)
    assert vector.weights_blake3 == alone.weights_blake3


@pytest.mark.parametrize("space", [spaces.Text(5), spaces.Dict({"a": spaces.Text(5)})], ids=["alone", "in parts"])
def test_where_there_is_only_text_or_no_fixed_number_of_numbers_it_is_refused(space):
    class Env(Corridor):
        def __init__(self):
            super().__init__()
            self.observation_space = space

    with pytest.raises(TypeError, match="are text.*wrap the environment"):
        requel.DQN("MlpPolicy", Env)
    space = spaces.Sequence(spaces.Discrete(3))
    with pytest.raises(TypeError, match="a fixed number of numbers: wrap"):
        requel.DQN("MlpPolicy", Env)


def test_minigrid_is_learned_in_as_it_is_made():
    pytest.importorskip("minigrid")
    with pytest.warns(UserWarning, match=r"MiniGrid-Empty-5x5-v0 shows text.*\['mission'\]"):
        model = requel.DQN("MlpPolicy", "MiniGrid-Empty-5x5-v0", learning_starts=50)
    assert model.learn(200).predict(gymnasium.make("MiniGrid-Empty-5x5-v0").reset(seed=1)[0])[0].shape == ()


@pytest.mark.parametrize(
    ("reward", "match"),
    [
        (np.array([1.0, 2.0]), r"of the type ndarray of shape \(2,\) instead of a number: return float\(reward\)"),
        ("1", r"of the type str instead of a number: return float\(reward\)"),
        (None, "of the type NoneType"),
    ],
    ids=["array", "text", "nothing"],
)
def test_rewards_that_are_no_numbers_are_refused_by_what_they_are(reward, match):
    class Env(Corridor):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, reward, *rest

    with pytest.raises(TypeError, match=match):
        requel.DQN("MlpPolicy", Env).learn(10)


def test_rewards_of_a_vector_are_refused_too():
    class Vector(SyncVectorEnv):
        given = np.zeros((2, 1))

        def step(self, actions):
            shown, _, *rest = super().step(actions)
            return shown, self.given, *rest

    vector = Vector([Corridor] * 2)
    with pytest.raises(TypeError, match=r"rewards with the shape \(2, 1\): one number for each of 2 slots"):
        requel.DQN("MlpPolicy", vector).learn(10)
    vector.given = ["a", "b"]
    with pytest.raises(TypeError, match="rewards that are not numbers"):
        requel.DQN("MlpPolicy", vector).learn(10)


@pytest.mark.parametrize("reward", [np.float32(1), np.array(1.0), True, 1])
def test_numbers_of_every_kind_are_rewards(reward):
    class Env(Corridor):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, reward, *rest

    assert requel.DQN("MlpPolicy", Env).learn(12).num_timesteps == 12


def test_the_range_of_rewards_is_asked_for_by_what_gives_it():
    for make in (lambda: requel.C51(Corridor), lambda: requel.AgentLoop(Corridor().observation_space, Corridor().action_space, algo="c51")):
        with pytest.raises(ValueError, match="does not declare a reward range(.|\n)*reward_range="):
            make()


def test_a_device_that_is_not_there_is_named_and_the_cpu_is_the_same_run(tmp_path):
    budget = {"train": {"env_steps": 300, "episodes": 0}, "evaluation": {"every_episodes": 0, "final_episodes": 2}}
    for device, said in [("cuda", "cuda"), ("gpu", "must be auto, cpu, cuda")]:
        with pytest.raises(ValueError, match=said):
            requel.train("CartPole-v1", preset="notebook", device=device, run_dir=tmp_path / "refused", **budget)
        assert not (tmp_path / "refused").exists()
    runs = [requel.train("CartPole-v1", preset="notebook", device=d, run_dir=tmp_path / str(d), **budget) for d in (None, "cpu")]
    assert runs[0].weights_blake3 == runs[1].weights_blake3


def test_every_key_that_is_declared_can_be_given_and_is_checked():
    declared = [(section, key) for section, _, keys in config_sections() for key, _ in keys]
    assert len(declared) > 80
    for section, key in declared:
        said = {key: [["nothing"]]}
        sections = {"env_options": said} if section == "env" else {section: said}
        with pytest.raises((ValueError, TypeError)) as refused:
            requel.Agent("CartPole-v1", **sections)
        named = "env_options cannot have an id" if key == "id" else f"{section}.{key}"
        assert named in str(refused.value) and "unknown" not in str(refused.value), refused.value
    with pytest.raises(ValueError, match="env.stack"):
        requel.Agent("CartPole-v1", env_options={"stack": 4})


def test_the_settings_of_the_environment_are_kept(tmp_path):
    wanted = {"frame_stack": 2, "action_repeat": 3, "sticky_actions": 0.25}
    run = requel.train("MountainCar-v0", run_dir=tmp_path / "run", env_options={**wanted, "options": {"goal_velocity": 0.01}}, **BRIEF)
    assert all(f"{key} = {value}\n" in run.config for key, value in wanted.items()) and "goal_velocity = 0.01" in run.config
    with pytest.raises(ValueError, match="env.frame_stack"):
        requel.resume(run.dir, env_options={"frame_stack": 4}, train={"env_steps": 400})
    assert requel.resume(run.dir, env_options={"frame_stack": 2}, train={"env_steps": 400}).env_steps == 400
    agent = requel.Agent("MountainCar-v0", env_options=wanted)
    agent.save(tmp_path / "agent")
    again = requel.Agent.load(tmp_path / "agent")
    assert again.config == agent.config and again.weights_blake3 == agent.weights_blake3
    with pytest.raises(ValueError, match="env_options cannot have an id"):
        requel.train("CartPole-v1", env_options={"id": "Acrobot-v1"})


def test_what_is_no_picture_is_not_shifted(tmp_path):
    with pytest.raises(ValueError, match=r"`replay.augmentation`: observations are F32 of the shape \[1\], but only images can be shifted"):
        requel.train(Corridor, run_dir=tmp_path / "run", replay={"augmentation": "shift"})
    assert not (tmp_path / "run").exists()


def test_a_setting_without_an_effect_is_warned_of_where_it_was_given(tmp_path):
    with pytest.warns(UserWarning) as warned:
        run = requel.train(Corridor, run_dir=tmp_path / "run", **BRIEF, head={"atoms": 21}, target={"tau": 0.5, "kind": "hard", "every_updates": 100, "every_env_steps": 0})
    reasons = ["`head.atoms` has no effect while `head.kind` is \"scalar\"", "`target.tau` has no effect while `target.kind` is \"hard\""]
    assert [str(warning.message) for warning in warned if "no effect" in str(warning.message)] == reasons
    assert all(warning.filename == __file__ for warning in warned if "no effect" in str(warning.message))
    with pytest.warns(UserWarning, match="`loss.delta` has no effect"):
        requel.resume(run.dir, Corridor, train={"env_steps": 400}, loss={"delta": 2.0})


def test_what_a_preset_says_is_nobodys_setting(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        requel.train("CartPole-v1", preset="c51", run_dir=tmp_path / "run", **BRIEF)
