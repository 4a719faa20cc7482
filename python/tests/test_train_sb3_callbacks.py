"""Callbacks in Stable-Baselines3's shape: what they may ask of the model while it learns."""

from __future__ import annotations

import sys
import threading

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Corridor, Spaces
from gymnasium import spaces

import requel
from requel import events

LIVELY = {"learning_starts": 50, "exploration_fraction": 0.5, "learning_rate": 1e-3, "target_update_interval": 100}
OBSERVATIONS = np.linspace(0, 1, 9, dtype=np.float32)[:, None]


class Callback:
    """Calls a function with the model and the local variables after each step."""

    def __init__(self, step):
        self.step = step
        self.rollouts = []

    def init_callback(self, model):
        self.model = model

    def on_training_start(self, locals_, globals_):
        self.locals = locals_

    def on_rollout_start(self):
        self.rollouts.append(self.model.num_timesteps)

    def on_rollout_end(self):
        self.rollouts.append(-self.model.num_timesteps)

    def on_step(self):
        return self.step(self.model, self.locals)

    def on_training_end(self):
        pass


def test_a_callback_saves_and_predicts_with_the_weights_of_its_step(tmp_path):
    seen = []

    def step(model, _):
        if model.num_timesteps in (120, 200, 300):
            model.save(tmp_path / f"{model.num_timesteps}")
            seen.append((model.weights_blake3, model.predict(OBSERVATIONS)[0].tolist(), model.q_values(OBSERVATIONS).tolist()))

    model = requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(300, callback=Callback(step))
    assert len({weights for weights, _, _ in seen}) == 3, "it learned between them"
    assert seen[-1][0] == model.weights_blake3, "the last step's weights are those of the end"
    for (weights, chosen, values), at in zip(seen, (120, 200, 300), strict=True):
        loaded = requel.DQN.load(tmp_path / f"{at}.zip", env=Corridor)
        assert loaded.weights_blake3 == weights
        assert loaded.predict(OBSERVATIONS)[0].tolist() == chosen and loaded.q_values(OBSERVATIONS).tolist() == values
    assert model.weights_blake3 == requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(300).weights_blake3, "looking changes no bits"


def test_functions_of_an_event_may_look_too():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    found = []
    model.learn(300, callback=lambda event: found.append(model.predict(OBSERVATIONS)[0].shape))
    assert (9,) in found


def test_what_would_change_the_model_while_it_learns_is_refused():
    refused = []

    def step(model, _):
        for change in (lambda: model.learn(10), lambda: model.learn(10, reset_num_timesteps=False)):
            try:
                change()
            except RuntimeError as error:
                refused.append(str(error))
        return False

    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    model.learn(300, callback=Callback(step))
    assert refused == ["training is running"] * 2
    assert model.num_timesteps == 1


def test_the_local_variables_are_those_of_the_step():
    seen = []

    def step(model, local):
        seen.append({name: local[name] for name in ("actions", "rewards", "dones", "infos", "new_obs")})
        assert local["self"] is model and local["total_timesteps"] == 120

    callback = Callback(step)
    model = requel.DQN("MlpPolicy", lambda: Corridor(5), n_envs=2, train_freq=3, **LIVELY).learn(120, callback=callback)
    assert len(seen) == 60 and all(each["actions"].shape == (2,) and len(each["infos"]) == 2 for each in seen)
    returns = [info["episode"] for each in seen for info in each["infos"] if "episode" in info]
    assert returns and len(returns) == sum(int(each["dones"].sum()) for each in seen)
    assert all(episode["r"] == 1.0 and episode["l"] >= 3 for episode in returns)
    assert [episode["r"] for episode in model.ep_info_buffer] == [1.0] * len(returns)
    assert all(each["new_obs"].shape == (2, 1) for each in seen) and model.env.observation_space.contains(seen[0]["new_obs"][0])
    starts = [at for at in callback.rollouts if at > 0]
    assert np.diff(starts).tolist() == [6] * (len(starts) - 1), "each rollout is three steps of the vector"


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 255, (3, 36, 40), np.uint8),
        spaces.Box(0, 255, (36, 40, 3), np.uint8),
        spaces.Discrete(4, start=1),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(3),
        spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Box(-1, 1, (2,), np.float32)}),
    ],
    ids=str,
)
def test_what_is_shown_is_of_the_environments_space(space):
    shown = []

    class Kept(Spaces):
        def step(self, action):
            result = super().step(action)
            shown.append(result[0])
            return result

    seen = []
    policy = "CnnPolicy" if len(space.shape or ()) == 3 else "MlpPolicy"
    model = requel.DQN(policy, Kept(space, spaces.Discrete(2)), buffer_size=200)
    del shown[:]
    model.learn(4, callback=Callback(lambda model, local: seen.append(local["new_obs"])))
    for batch, true in zip(seen, shown, strict=True):
        assert spaces.utils.flatten(space, next(iter(gymnasium.vector.utils.iterate(gymnasium.vector.utils.batch_space(space, 1), batch)))).tolist() == spaces.utils.flatten(space, true).tolist()


def test_any_false_answer_stops_and_no_answer_does_not():
    for answer, steps in [(False, 1), (np.bool_(False), 1), (None, 20), (True, 20)]:
        assert requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(20, callback=Callback(lambda model, _, answer=answer: answer)).num_timesteps == steps


def test_another_thread_may_look_while_a_callback_does():
    model, answers, done = requel.DQN("MlpPolicy", Corridor, **LIVELY), [], threading.Event()

    def ask():
        while not done.is_set():
            try:
                answers.append(len(model.weights_blake3))
            except RuntimeError as error:
                answers.append(str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    model.learn(3000, callback=Callback(lambda model, _: len(model.weights_blake3) == 64))
    done.set()
    asking.join(60)
    assert not asking.is_alive() and set(answers) <= {64, "training is running"}


def test_what_is_not_there_says_what_is():
    model = requel.DQN("MlpPolicy", Corridor, gamma=0.9)
    assert model.gamma == 0.9 and model.buffer_size == 1_000_000
    for name in ("q_net", "set_parameters", "collect_rollouts", "get_parameters"):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match=f"DQN has no {name}: .*(policy|learn|from_sb3)"):
            getattr(model, name)
    with pytest.raises(AttributeError, match="no attribute 'gama'"):
        model.gama  # noqa: B018
    with pytest.raises(AttributeError, match="no sample: .*save_replay_buffer"):
        model.replay_buffer.sample(4)
    assert model.policy.q_values(OBSERVATIONS).tolist() == model.q_values(OBSERVATIONS).tolist()


def test_the_exploration_rate_may_be_set_until_it_learns_again():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    model.exploration_rate = 1.0
    batch = np.full((400, 1), 0.5, np.float32)
    assert 0.3 < (model.predict(batch, deterministic=False)[0] != model.predict(batch)[0]).mean() < 0.7
    assert model.learn(100).exploration_rate == 0.05
    with pytest.raises(ValueError, match="exploration_rate"):
        model.exploration_rate = 2


def test_the_environments_of_a_model_are_a_vector():
    if "stable_baselines3" in sys.modules:
        pytest.skip("then they are a DummyVecEnv")
    for env, count in [(Corridor(), 1), (Corridor, 3), ("CartPole-v1", 2)]:
        vector = requel.DQN("MlpPolicy", env, n_envs=count).get_env()
        assert vector.num_envs == count
        vector.seed(3)
        shown = vector.reset()
        assert shown.shape == (count, *vector.observation_space.shape)
        for _ in range(20):
            shown, rewards, dones, infos = vector.step([1] * count)
            for slot in np.flatnonzero(dones):
                assert vector.observation_space.contains(infos[slot]["terminal_observation"])
        assert rewards.shape == dones.shape == (count,) and len(infos) == count


def test_numbers_are_recorded_for_who_listens():
    class Kept:
        def __init__(self):
            self.dumped, self.now = [], {}

        def record(self, name, value, exclude=None):
            self.now[name] = value

        def dump(self, step=0):
            self.dumped.append((step, dict(self.now)))

    model = requel.DQN("MlpPolicy", Corridor, stats_window_size=2, **LIVELY)
    logger = Kept()
    model.set_logger(logger)
    model.learn(400, log_interval=3)
    steps, last = logger.dumped[-1]
    assert steps == last["time/total_timesteps"] == 400 and last["time/fps"] > 0
    assert last["rollout/ep_rew_mean"] == 1.0 and last["rollout/success_rate"] == 1.0
    assert [numbers["time/episodes"] for _, numbers in logger.dumped[:-1]] == [3 * n for n in range(1, len(logger.dumped))]
    assert model.ep_info_buffer.maxlen == 2


def test_tensorboards_files_are_written_where_they_are_asked_for(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def record(model, local):
        if model.num_timesteps == 70:
            model.logger.record("mine/number", 4.5)
            model.logger.record("mine/text", "a text")
            model.logger.record("mine/left out", 1.0, exclude="tensorboard")
            model.logger.dump(model.num_timesteps)

    model = requel.DQN("MlpPolicy", Corridor, tensorboard_log=str(tmp_path), **LIVELY).learn(200, callback=Callback(record))
    model.learn(52, reset_num_timesteps=False)
    model.learn(50, tb_log_name="other")
    model.learn(50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["DQN_1", "DQN_2", "other_1"]
    read = EventAccumulator(str(tmp_path / "DQN_1"))
    read.Reload()
    assert [(each.step, each.value) for each in read.Scalars("mine/number")] == [(70, 4.5)]
    assert read.Scalars("time/total_timesteps")[-1].value == 252
    assert {"rollout/ep_rew_mean", "train/n_updates"} <= set(read.Tags()["scalars"]) and not {"mine/text", "mine/left out"} & set(read.Tags()["scalars"])


def test_callbacks_of_stable_baselines3_work(tmp_path):
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common import callbacks

    evaluating = callbacks.EvalCallback(gymnasium.make("CartPole-v1"), eval_freq=100, best_model_save_path=str(tmp_path / "best"), log_path=str(tmp_path / "log"), warn=False, verbose=0)
    saving = callbacks.CheckpointCallback(save_freq=100, save_path=str(tmp_path / "saved"))
    stopping = callbacks.StopTrainingOnMaxEpisodes(max_episodes=1000)
    model = requel.DQN("MlpPolicy", "CartPole-v1", **LIVELY).learn(300, callback=[saving, evaluating, stopping])
    assert model.num_timesteps == 300 and sorted(path.name for path in (tmp_path / "saved").iterdir()) == [f"rl_model_{n}_steps.zip" for n in (100, 200, 300)]
    assert requel.DQN.load(tmp_path / "saved" / "rl_model_300_steps.zip").weights_blake3 == model.weights_blake3
    assert np.load(tmp_path / "log" / "evaluations.npz")["timesteps"].tolist() == [100, 200, 300]
    assert (tmp_path / "best" / "best_model.zip").exists() and model.logger.name_to_value["eval/mean_reward"] > 0
    assert isinstance(model.get_env(), sb3.common.vec_env.DummyVecEnv)
    assert isinstance(events.Stepped(1, [0]), events.Event)


def test_a_rollout_that_is_begun_is_finished_as_in_stable_baselines3():
    cases = [(10, 4, 1, 12), (12, 4, 1, 12), (3, 3, 2, 6), (7, 1, 2, 8)]
    for total, train_freq, envs, made in cases:
        model = requel.DQN("MlpPolicy", Corridor, n_envs=envs, train_freq=train_freq, learning_starts=0)
        assert model.learn(total).num_timesteps == made
        assert model.learn(total, reset_num_timesteps=False).num_timesteps == 2 * made
    sb3 = pytest.importorskip("stable_baselines3")
    for total, train_freq, envs, made in cases:
        vector = sb3.common.vec_env.DummyVecEnv([lambda: gymnasium.make("CartPole-v1")] * envs)
        assert sb3.DQN("MlpPolicy", vector, train_freq=train_freq, learning_starts=0, buffer_size=100).learn(total).num_timesteps == made


def test_a_normalized_vector_is_learned_in(tmp_path):
    pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    env = VecNormalize(DummyVecEnv([lambda: gymnasium.make("CartPole-v1")] * 2))
    model = requel.DQN("MlpPolicy", env, **LIVELY).learn(200)
    assert model.get_vec_normalize_env() is env and model.get_env() is env and env.obs_rms.count > 100
    assert requel.DQN("MlpPolicy", "CartPole-v1").get_vec_normalize_env() is None
