"""Agents in memory: the family, and DQN in the shape of Stable-Baselines3."""

from __future__ import annotations

import json
import zipfile

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Corridor, Masked, Spaces
from gymnasium import spaces

import requel
from requel import _shown, _spaces, events

SMALL = {"replay": {"start": 64, "batch_size": 16}, "network": {"hidden": [16]}, "evaluation": {"every_steps": 0}, "train": {"env_steps": 400}}
LIVELY = {"learning_starts": 50, "exploration_fraction": 0.5, "learning_rate": 1e-3, "target_update_interval": 100}


@pytest.mark.parametrize("name", ["Agent", "QRDQN", "C51", "IQN", "Rainbow"])
def test_each_of_the_family_learns_the_corridor(name):
    settings = {**SMALL, "exploration": {"env_steps": 600}, "optimizer": {"learning_rate": 5e-3}, "agent": {"gamma": 0.9}, "target": {"every_updates": 50}}
    agent = getattr(requel, name)(Corridor, reward_range=(0, 1), seed=1, **settings).learn(1500)
    assert agent.env_steps == 1500
    assert agent.evaluate(5).mean_return == 1.0
    assert agent.q_values(np.array([0.5], np.float32)).shape == (2,)


def test_pqn_learns_without_replay_in_many_environments():
    agent = requel.PQN(Corridor, network={"hidden": [16]}, train={"env_steps": 4000, "num_envs": 8}, evaluation={"every_steps": 0}, exploration={"env_steps": 2000}, pqn={"rollout_steps": 8, "minibatches": 4})
    assert agent.learn().evaluate(5).mean_return == 1.0


def test_learning_goes_on_with_the_bits_of_learning_at_once():
    at_once = requel.Agent(Corridor, **SMALL).learn(600)
    twice = requel.Agent(Corridor, **SMALL).learn(350).learn(250)
    assert at_once.weights_blake3 == twice.weights_blake3


def test_a_categorical_head_asks_for_the_range_of_rewards():
    with pytest.raises(ValueError, match="reward_range="):
        requel.C51(Corridor)


def test_predictions_are_actions_of_the_environment():
    single = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    action, state = single.predict(np.array([0.2], np.float32))
    assert action.shape == () and state is None and single.action_space.contains(np.int64(action))
    actions, _ = single.predict(np.array([[0.2], [0.4], [0.9]], np.float32))
    assert actions.shape == (3,)
    combined = requel.DQN("MlpPolicy", lambda: Spaces(spaces.Dict({"a": spaces.Discrete(3), "b": spaces.MultiBinary(2)}), spaces.MultiDiscrete([2, 3])))
    action, _ = combined.predict(combined.observation_space.sample())
    assert combined.action_space.contains(action)
    batch = {"a": np.array([0, 2]), "b": np.array([[0, 1], [1, 1]])}
    assert combined.predict(batch)[0].shape == (2, 2)
    discrete = requel.DQN("MlpPolicy", lambda: Spaces(spaces.Discrete(4, start=1), spaces.Discrete(2)))
    assert discrete.predict(np.array([1, 4]))[0].shape == (2,)
    with pytest.raises(ValueError, match="not an observation"):
        discrete.predict(0)
    masked = requel.DQN("MlpPolicy", Masked)
    for mask in ([True, False], [False, True]):
        assert masked.predict(np.array([0.5], np.float32), action_masks=mask)[0] == mask.index(True)


def test_a_prediction_that_is_not_deterministic_explores():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    assert model.exploration_rate == 0.05 or model.exploration_rate == 1.0
    model.learn(400)
    assert model.exploration_rate == 0.05
    batch = np.full((2000, 1), 0.5, np.float32)
    share = (model.predict(batch, deterministic=False)[0] != model.predict(batch)[0]).mean()
    assert 0.005 < share < 0.06, "half of one in twenty"


def test_actions_are_random_until_learning_starts():
    taken = []

    class Listening(Corridor):
        def step(self, action):
            taken.append(action)
            return super().step(action)

    requel.DQN("MlpPolicy", Listening, learning_starts=300, exploration_initial_eps=0.0, exploration_final_eps=0.0).learn(600)
    taken = taken[-600:]
    assert 0.35 < np.mean(taken[:300]) < 0.65, "both actions, about as often"
    assert len(set(taken[300:])) < 2 or 0.0 < np.mean(taken[300:]) < 1.0


def test_learning_goes_on_where_it_ended():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(300)
    before = model.weights_blake3
    assert model.learn(300, reset_num_timesteps=False).num_timesteps == 600
    assert model.weights_blake3 != before
    assert "env_steps = 300\nrandom_env_steps" in model.config, "half of all 600"


def test_learning_that_counts_anew_explores_anew_and_keeps_what_was_learned():
    taken = []

    class Seeded(Corridor):
        def reset(self, *, seed=None, options=None):
            taken.append(seed)
            return super().reset(seed=seed)

    env, rates = Seeded(), []
    model = requel.DQN("MlpPolicy", env, **LIVELY).learn(300)
    weights, updates = model.weights_blake3, model.logger.name_to_value["train/n_updates"]
    assert model.exploration_rate == 0.05
    del taken[:]
    model.learn(200, callback=lambda local, _: rates.append(local["self"].exploration_rate))
    assert model.num_timesteps == 200 and len(rates) == 200
    assert rates[0] > 0.9 and rates[-1] == 0.05, "half of 200 steps long"
    assert model.logger.name_to_value["train/n_updates"] == updates + 50, "no update is missing: the buffer was full enough at once"
    assert model.weights_blake3 != weights
    first = [seed for seed in taken if seed is not None]
    model.learn(100)
    again = [seed for seed in taken if seed is not None][len(first) :]
    assert len(first) == len(again) == 1 and first != again, "other episodes each time"


def test_a_model_that_was_saved_acts_and_learns_on(tmp_path):
    model = requel.DQN("MlpPolicy", Corridor, policy_kwargs={"net_arch": [12]}, **LIVELY).learn(300)
    model.save(tmp_path / "model")
    assert (tmp_path / "model.zip").exists()
    again = requel.DQN.load(tmp_path / "model", env=Corridor)
    assert again.weights_blake3 == model.weights_blake3
    batch = np.linspace(0, 1, 7, dtype=np.float32)[:, None]
    assert (again.predict(batch)[0] == model.predict(batch)[0]).all() and (again.q_values(batch) == model.q_values(batch)).all()
    assert again.learn(200).num_timesteps == 200 and again.weights_blake3 != model.weights_blake3
    with pytest.raises(ValueError, match="of the class DQN"):
        requel.Agent.load(tmp_path / "model", env=Corridor)
    family = requel.QRDQN(Corridor, **SMALL).learn(200)
    family.save(tmp_path / "family.zip")
    assert requel.QRDQN.load(tmp_path / "family.zip", env=Corridor).weights_blake3 == family.weights_blake3


def test_the_optimiser_goes_on_with_its_averages_unless_it_is_another(tmp_path):
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(300)
    model.save(tmp_path / "whole.zip")
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "weights.zip", "w") as weights:
        for name in {"policy.safetensors", "settings.json"}:
            weights.writestr(name, whole.read(name))
    learned = {}
    for name in ("whole", "weights"):
        again = requel.DQN.load(tmp_path / f"{name}.zip", env=Corridor)
        learned[name] = again.learn(200, reset_num_timesteps=False).weights_blake3
    assert learned["whole"] != learned["weights"]
    more = requel.DQN.load(tmp_path / "whole.zip", env=Corridor, n_envs=2)
    assert more.learn(104, reset_num_timesteps=False).num_timesteps == 404
    family = requel.QRDQN(Corridor, **SMALL).learn(200)
    family.save(tmp_path / "family.zip")
    with pytest.warns(UserWarning, match="`optimizer/velocity` is missing.*start fresh"):
        other = requel.QRDQN.load(tmp_path / "family.zip", env=Corridor, **{**SMALL, "optimizer": {"kind": "rmsprop", "momentum": 0.9}})
    assert other.weights_blake3 == family.weights_blake3


def test_another_environment_is_learned_in_with_what_was_stored():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(200)
    before, updates = model.weights_blake3, model.logger.name_to_value["train/n_updates"]
    model.set_env(lambda: Corridor(cells=3))
    assert model.weights_blake3 == before and model.num_timesteps == 200 and model.replay_buffer.size() == 200
    assert model.learn(100, reset_num_timesteps=False).weights_blake3 != before
    assert model.num_timesteps == 300 and model.replay_buffer.size() == 300
    assert model.logger.name_to_value["train/n_updates"] == updates + 25
    assert model.observation_space == Corridor().observation_space and model._last_obs.shape == (1, 1)
    model.set_env(Corridor())
    assert model._last_obs is None
    assert model.learn(48).num_timesteps == 48 and model.replay_buffer.stored == 348
    for other, match in [
        (gymnasium.vector.SyncVectorEnv([Corridor] * 2), "2 environments, where the model learns in 1"),
        (lambda: Spaces(spaces.Box(0.0, 1.0, (2,), np.float32), spaces.Discrete(2)), "is not like Corridor: .*observation spaces differ"),
        (lambda: Spaces(spaces.Box(0.0, 1.0, (1,), np.float32), spaces.Discrete(3)), "the action spaces differ"),
    ]:
        for kind in (AssertionError, ValueError):
            with pytest.raises(kind, match=match):
                model.set_env(other)
    assert model.learn(52, reset_num_timesteps=False).num_timesteps == 100, "what was refused changed nothing"


def test_the_environments_of_a_vector_that_is_kept_go_on_without_a_reset():
    vector = gymnasium.vector.SyncVectorEnv([Corridor] * 2)
    model = requel.DQN("MlpPolicy", vector, **LIVELY).learn(104)
    shown = model._last_obs
    model.set_env(vector, force_reset=False)
    assert model.replay_buffer.size() == 52 and model.replay_buffer.stored == 104 and (model._last_obs == shown).all()
    model.set_env(vector)
    assert model.replay_buffer.stored == 104 and model._last_obs is None


@pytest.mark.parametrize("n_steps", [1, 3])
def test_a_buffer_is_saved_and_learned_from_by_a_model_that_was_loaded(tmp_path, n_steps):
    settings = {**LIVELY, "n_steps": n_steps, "buffer_size": 250, "learning_starts": 100}
    model = requel.DQN("MlpPolicy", Corridor, **settings).learn(300)
    model.save(tmp_path / "model")
    model.save_replay_buffer(tmp_path / "deep" / "buffer")
    assert (tmp_path / "deep" / "buffer.pkl").exists() and model.replay_buffer.full and model.replay_buffer.size() == 250
    again = requel.DQN.load(tmp_path / "model", env=Corridor)
    assert again.num_timesteps == 300 and not again.replay_buffer.full and again.replay_buffer.n_steps == n_steps
    again.load_replay_buffer(tmp_path / "deep" / "buffer.pkl")
    assert again.replay_buffer == model.replay_buffer
    updates = model.logger.name_to_value["train/n_updates"]
    again.learn(60, reset_num_timesteps=False)
    assert again.num_timesteps == 360 and again.logger.name_to_value["train/n_updates"] == updates + 15, "from the first step on"
    model.set_env(Corridor)
    assert model.learn(60, reset_num_timesteps=False).weights_blake3 == again.weights_blake3, "as if it had not been saved"
    assert again.exploration_rate < 1.0, "ε goes on where it was"
    with pytest.raises(RuntimeError, match="360 env steps of training have already been made"):
        again.load_replay_buffer(tmp_path / "deep" / "buffer")
    with pytest.raises(ValueError, match=r"buffer.pkl: saved state `replay/capacity` is 250, not 99"):
        requel.DQN("MlpPolicy", Corridor, **{**settings, "buffer_size": 99, "learning_starts": 9}).load_replay_buffer(tmp_path / "deep" / "buffer")
    damaged = bytearray((tmp_path / "deep" / "buffer.pkl").read_bytes())
    damaged[-40] ^= 1
    (tmp_path / "damaged.pkl").write_bytes(damaged)
    with pytest.raises(ValueError, match="damaged"):
        requel.DQN("MlpPolicy", Corridor, **settings).load_replay_buffer(tmp_path / "damaged")
    with pytest.raises(FileNotFoundError):
        again.load_replay_buffer(tmp_path / "none")


def test_counting_goes_on_from_a_number_that_is_set():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY).learn(100)
    model.num_timesteps = 20_000
    rates = []
    model.learn(100, reset_num_timesteps=False, callback=lambda local, _: rates.append(local["self"].exploration_rate))
    assert model.num_timesteps == 20_100 and len(rates) == 100 and set(rates) == {0.05}, "the first half of 20,100 is over"


def test_a_file_holds_what_it_is_asked_to(tmp_path):
    model = requel.DQN("MlpPolicy", Corridor, gamma=0.5, verbose=2, seed=4, learning_rate=3e-3)
    model.save(tmp_path / "all")
    model.save(tmp_path / "less", exclude=["gamma", "verbose", "seed", "replay_buffer"], include=["seed"])
    whole, less = (requel.DQN.load(tmp_path / name, env=Corridor) for name in ("all", "less"))
    assert (whole.gamma, whole.verbose, whole.seed) == (0.5, 2, 4) and (less.gamma, less.verbose, less.seed) == (0.99, 0, 4)
    other = requel.DQN.load(tmp_path / "all", env=Corridor, custom_objects={"learning_rate": 2e-5, "lr_schedule": None}, print_system_info=True)
    assert other.learning_rate == 2e-5 and not hasattr(other, "lr_schedule") and other.weights_blake3 == model.weights_blake3
    with pytest.raises(ValueError, match=r"save\(include=\['replay_buffer'\]\)"):
        model.save(tmp_path / "x", include=["replay_buffer"])


def test_the_device_is_the_one_of_the_settings():
    model = requel.DQN("MlpPolicy", Corridor, device="cpu")
    assert model.device == "cpu" and model.device.type == model.policy.device.type == "cpu" and 'device = "cpu"' in model.config
    assert 'device = "cpu"' not in requel.DQN("MlpPolicy", Corridor).config
    with pytest.raises(ValueError, match="train.device"):
        requel.DQN("MlpPolicy", Corridor, device="mps")


def test_buffers_of_stable_baselines3_say_what_ours_do():
    class NStepReplayBuffer: ...

    class HerReplayBuffer: ...

    model = requel.DQN("MlpPolicy", Corridor, replay_buffer_class=NStepReplayBuffer, replay_buffer_kwargs={"n_steps": 4, "gamma": 0.9})
    assert (model.replay_buffer.n_steps, model.replay_buffer.gamma) == (4, 0.9) and "n_step = 4" in model.config
    with pytest.raises(ValueError, match="replay_buffer_class=HerReplayBuffer: .*relabelled"):
        requel.DQN("MlpPolicy", Corridor, replay_buffer_class=HerReplayBuffer)
    with pytest.raises(ValueError, match="handle_timeout_termination=False"):
        requel.DQN("MlpPolicy", Corridor, replay_buffer_kwargs={"handle_timeout_termination": False})


@pytest.mark.parametrize("env", ["Pendulum-v1", lambda: Spaces(spaces.Box(0.0, 1.0, (1,), np.float32), spaces.Box(0.0, 1.0, (2,)))], ids=["ours", "theirs"])
def test_actions_that_are_not_discrete_are_refused_as_there(env):
    for kind in (AssertionError, ValueError, TypeError):
        with pytest.raises(kind, match="discrete"):
            requel.DQN("MlpPolicy", env)


def test_pictures_are_taken_with_their_channels_at_either_end():
    model = requel.DQN("CnnPolicy", lambda: Spaces(spaces.Box(0, 255, (40, 36, 3), np.uint8), spaces.Discrete(4)), buffer_size=200)
    picture = np.random.default_rng(0).integers(0, 256, (2, 40, 36, 3)).astype(np.uint8)
    assert (model.q_values(picture) == model.q_values(np.moveaxis(picture, -1, 1))).all()
    assert (model.q_values(picture[0]) == model.q_values(np.moveaxis(picture[0], -1, 0))).all()
    with pytest.raises(ValueError, match="shape"):
        model.predict(np.zeros((36, 40, 3), np.uint8))


class Shaped:
    """A callback as Stable-Baselines3 has them."""

    def __init__(self, steps):
        self.steps, self.calls, self.model, self.ended = steps, 0, None, False

    def init_callback(self, model):
        self.model = model

    def on_step(self):
        self.calls += 1
        assert self.model.num_timesteps == self.calls
        return self.calls < self.steps

    def on_training_end(self):
        self.ended = True


def test_callbacks_of_every_shape_are_heard():
    shaped, heard, stepped = Shaped(150), [], []
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    model.learn(400, callback=[shaped, heard.append, lambda local, other: stepped.append(local["self"].num_timesteps)])
    assert model.num_timesteps == 150 and shaped.calls == 150 and shaped.ended
    assert stepped == list(range(1, 151))
    assert any(isinstance(event, events.EpisodeEnded) for event in heard) and not any(isinstance(event, events.Stepped) for event in heard)
    assert model.learn(100, reset_num_timesteps=False).num_timesteps == 250
    with pytest.raises(TypeError, match="not a callback"):
        model.learn(10, callback=7, reset_num_timesteps=False)


def test_the_environment_that_was_given_is_the_one_that_is_learned_in():
    env = Corridor()
    model = requel.DQN("MlpPolicy", env, **LIVELY)
    at_first = env.np_random
    model.learn(200)
    assert env.np_random is not at_first or env.at >= 0
    steps = []
    env.step = lambda action, step=env.step: (steps.append(action), step(action))[1]
    requel.DQN("MlpPolicy", env, **LIVELY).learn(100)
    assert len(steps) >= 100


def test_vectors_are_learned_in():
    vector = gymnasium.vector.SyncVectorEnv([Corridor] * 4)
    model = requel.DQN("MlpPolicy", vector, **LIVELY).learn(400)
    assert model.n_envs == 4 and 400 <= model.num_timesteps < 404


def test_pictures_are_learned_from():
    def pictures():
        return Spaces(spaces.Box(0, 255, (3, 36, 36), np.uint8), spaces.Discrete(2))

    model = requel.DQN("CnnPolicy", pictures, buffer_size=200, learning_starts=20, train_freq=20).learn(60)
    assert "conv = [[32, 8, 4], [64, 4, 2], [64, 3, 1]]" in model.config and "hidden = [512]" in model.config
    assert model.predict(model.observation_space.sample())[0].shape == ()


def test_pictures_within_a_dict_are_scaled_and_come_back_as_they_were():
    space = spaces.Dict({"seen": spaces.Box(0, 255, (3, 4, 1), np.uint8), "felt": spaces.Box(-1.0, 300.0, (2,), np.float32), "mode": spaces.Discrete(3)})
    encoder = _spaces.Encoder(space, spaces.Discrete(2))
    space.seed(1)
    for _ in range(20):
        shown = space.sample()
        rows, single = encoder.rows(shown)
        flat = spaces.utils.flatten(space, shown)
        wanted = np.concatenate([flat[:2], flat[2:5], flat[5:] / 255.0])
        assert single and rows[0] == pytest.approx(wanted, abs=1e-6) and rows[0].shape == (17,)
        back = encoder.decoded(rows)
        assert all((back[key][0] == shown[key]).all() and back[key].dtype == space[key].dtype for key in space)
    model = requel.DQN("MultiInputPolicy", lambda: Spaces(space, spaces.Discrete(2)), **LIVELY).learn(80)
    assert model.predict(shown)[0].shape == () and space["seen"].contains(model._last_obs["seen"][0])
    with pytest.raises(ValueError, match="features_extractor_kwargs cnn_output_dim"):
        requel.DQN("MultiInputPolicy", lambda: Spaces(space, spaces.Discrete(2)), policy_kwargs={"features_extractor_kwargs": {"cnn_output_dim": 16}})


def test_predictions_of_what_is_no_observation_are_refused():
    model = requel.DQN("MlpPolicy", Corridor, **LIVELY)
    for wrong, match in [
        (np.zeros((2, 2, 1)), r"the shape \(2, 1\), where the environment shows \(1,\)"),
        ([np.nan], "NaN or infinite"),
        ([None], "NaN or infinite"),
    ]:
        with pytest.raises(ValueError, match=match):
            model.predict(wrong)
    assert model.predict(np.zeros((0, 1)))[0].shape == (0,)


def test_settings_may_be_arrays_and_threads_are_counted():
    agent = requel.Agent(Corridor, network={"hidden": np.array([16, 8])})
    assert "hidden=[16,8]" in "".join(agent.config.split()).replace(",]", "]")
    for threads in (0, -1):
        with pytest.raises(ValueError, match=f"threads={threads}"):
            requel.Agent(Corridor, threads=threads)


def test_a_model_of_gymnasiums_environment_is_loaded_by_its_id_and_one_of_ones_own_acts_without_it(tmp_path):
    model = requel.DQN("MlpPolicy", gymnasium.make("CartPole-v1"), learning_starts=10)
    model.save(tmp_path / "gym.zip")
    assert requel.DQN.load(tmp_path / "gym.zip").weights_blake3 == model.weights_blake3
    requel.DQN("MlpPolicy", Corridor).save(tmp_path / "mine.zip")
    loaded = requel.DQN.load(tmp_path / "mine.zip")
    assert loaded.predict(np.array([0.5], np.float32))[0].shape == ()
    with pytest.raises(RuntimeError, match="loaded without its environment: give it to load"):
        loaded.learn(10)
    loaded = requel.DQN.load(tmp_path / "mine.zip")
    loaded.set_env(Corridor())
    assert loaded.learn(40).num_timesteps == 40


@pytest.mark.parametrize("space", [
    spaces.Box(0, 255, (36, 40, 3), np.uint8), spaces.Box(np.array([-np.inf, 0.1]), np.array([1.5, np.inf]), dtype=np.float64),
    spaces.Discrete(5, start=-2), spaces.MultiDiscrete([[2, 3], [4, 5]]), spaces.MultiBinary((2, 3)),
    spaces.Dict({"b": spaces.Discrete(2), "a": spaces.Tuple([spaces.Box(-1, 1, (2,)), spaces.MultiBinary(3)])}),
], ids=lambda space: type(space).__name__)  # fmt: skip
def test_a_space_in_a_file_is_the_same_again(space):
    told = json.loads(json.dumps(_shown.described(space)))
    assert _shown.space_of(told) == space and len(str(told)) < 500
    for broken in ({**told, "kind": "ring"}, {"kind": told["kind"]}, {}):
        with pytest.raises(ValueError, match="does not describe a space"):
            _shown.space_of(broken)


def test_pictures_without_convolutions_are_told():
    pictures = spaces.Box(0, 255, (40, 40, 3), np.uint8)
    with pytest.warns(UserWarning, match="network={'conv'"):
        requel.Agent(lambda: Spaces(pictures, spaces.Discrete(2)))
