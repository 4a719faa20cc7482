"""The keywords of Stable-Baselines3's DQN: each means here what it means there, or is refused by name."""

from __future__ import annotations

import inspect
import json

import gymnasium
import pytest
from envs_for_tests import Corridor

import requel

LIVELY = {"learning_starts": 50, "exploration_fraction": 0.5, "learning_rate": 1e-3, "target_update_interval": 100}


def settings_of(model):
    return {line.split(" = ")[0]: line.split(" = ")[1] for line in model.config.splitlines() if " = " in line}


def test_the_defaults_are_those_of_stable_baselines3():
    theirs = {
        "learning_rate": 1e-4, "buffer_size": 1_000_000, "learning_starts": 100, "batch_size": 32, "tau": 1.0, "gamma": 0.99,
        "train_freq": 4, "gradient_steps": 1, "replay_buffer_class": None, "replay_buffer_kwargs": None,
        "optimize_memory_usage": False, "n_steps": 1, "target_update_interval": 10_000, "exploration_fraction": 0.1,
        "exploration_initial_eps": 1.0, "exploration_final_eps": 0.05, "max_grad_norm": 10, "stats_window_size": 100,
        "tensorboard_log": None, "policy_kwargs": None, "verbose": 0, "seed": None, "device": "auto", "_init_setup_model": True,
    }  # fmt: skip
    ours = {name: parameter.default for name, parameter in inspect.signature(requel.DQN).parameters.items() if parameter.kind is parameter.POSITIONAL_OR_KEYWORD}
    assert list(ours)[:2] == ["policy", "env"]
    assert {name: ours[name] for name in list(ours)[2:]} == theirs
    learn = inspect.signature(requel.DQN.learn).parameters
    assert list(learn)[1:] == ["total_timesteps", "callback", "log_interval", "tb_log_name", "reset_num_timesteps", "progress_bar"]


def test_each_keyword_means_what_it_means_there():
    model = requel.DQN(
        "MlpPolicy", Corridor, n_envs=4, learning_rate=lambda progress: 3e-3 * progress, buffer_size=1002, learning_starts=30, batch_size=8,
        tau=0.5, gamma=0.9, train_freq=(2, "step"), gradient_steps=-1, n_steps=2, target_update_interval=10, exploration_fraction=0.25,
        exploration_initial_eps=0.9, exploration_final_eps=0.2, max_grad_norm=3, seed=5,
        policy_kwargs={"net_arch": [24], "activation_fn": "Tanh", "optimizer_kwargs": {"eps": 1e-5, "betas": (0.8, 0.99)}},
    ).learn(400)  # fmt: skip
    found = settings_of(model)
    wanted = {
        "learning_rate": "0.003", "anneal": '"linear"', "capacity": "1000", "start": None, "random_env_steps": "30", "batch_size": "8",
        "replacement": "true", "tau": "0.5", "gamma": "0.9", "updates": "8", "n_step": "2", "every_env_steps": "8", "every_updates": "0",
        "max_gradient_norm": "3.0", "delta": "1.0", "hidden": "[24]", "activation": '"tanh"', "epsilon": "0.00001", "beta1": "0.8",
        "beta2": "0.99", "num_envs": "4", "seed": "5", "end": "0.2",
    }  # fmt: skip
    for key, value in wanted.items():
        assert value is None or found[key] == value, key
    assert "env_steps = 100\nrandom_env_steps" in model.config, "a quarter of 400"
    assert "start = 30\n" in model.config and "start = 0.9\n" in model.config
    assert model.num_timesteps == 400


REFUSED = [
    ({"policy": "LstmPolicy"}, "policy"), ({"replay_buffer_class": dict}, "replay_buffer_class"),
    ({"replay_buffer_kwargs": {"a": 1}}, "replay_buffer_kwargs"), ({"policy_kwargs": {"features_extractor_kwargs": {"dim": 1}}}, "features_extractor_kwargs dim"),
    ({"_init_setup_model": False}, "_init_setup_model"),
    ({"train_freq": (1, "episode")}, "train_freq"), ({"gradient_steps": 0}, "gradient_steps"),
    ({"learning_rate": lambda progress: progress**2}, "learning_rate"), ({"policy_kwargs": {"features_extractor_class": dict}}, "features_extractor_class"),
    ({"policy_kwargs": {"activation_fn": dict}}, "activation_fn"), ({"policy_kwargs": {"optimizer_class": dict}}, "optimizer_class=dict"),
    ({"policy_kwargs": {"net_arch": {"qf": [4]}}}, "net_arch"), ({"policy": "CnnPolicy"}, "CnnPolicy"),
    ({"policy_kwargs": {"optimizer_class": "AdamW"}}, "torch's default is 0.01"), ({"policy_kwargs": {"optimizer_class": "RMSprop", "optimizer_kwargs": {"betas": (0, 0)}}}, "betas"),
    ({"learning_starts": 104, "buffer_size": 104}, "learning_starts=104"), ({"learning_starts": 100, "buffer_size": 98}, "learning_starts=100"),
    ({"learning_starts": 103, "buffer_size": 103, "n_steps": 3}, "learning_starts=103"),
    ({"gamma": 1.5}, "gamma"), ({"batch_size": 0}, "batch_size"), ({"policy_kwargs": {"optimizer_kwargs": {"weight_decay": 0.1}}}, "weight_decay"),
]  # fmt: skip


@pytest.mark.parametrize(("keywords", "named"), REFUSED, ids=[named for _, named in REFUSED])
def test_what_cannot_be_kept_to_is_refused_by_name(keywords, named):
    with pytest.raises(ValueError, match=named):
        requel.DQN(**{"policy": "MlpPolicy", "env": Corridor, **keywords})
    with pytest.raises(TypeError):
        requel.DQN("MlpPolicy", Corridor, buffersize=100)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("Adam", {"weight_decay": 0, "eps": 1e-5}, {"kind": "adam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-5}),
        ("AdamW", {"weight_decay": 0.0, "betas": (0.8, 0.99)}, {"kind": "adam", "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-8}),
        ("RAdam", None, {"kind": "radam", "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
        ("RMSprop", None, {"kind": "rmsprop", "alpha": 0.99, "epsilon": 1e-8, "momentum": 0.0, "centered": False}),
        ("RMSprop", {"momentum": 0.5, "alpha": 0.9, "centered": True}, {"kind": "rmsprop", "alpha": 0.9, "momentum": 0.5, "centered": True}),
    ],
)
def test_optimisers_are_torchs_with_its_constants(name, given, wanted):
    model = requel.DQN("MlpPolicy", Corridor, policy_kwargs={"optimizer_class": type(name, (), {}), "optimizer_kwargs": given})
    found = section_of(model, "optimizer")
    assert {key: found[key] for key in wanted} == wanted
    assert model.learn(200).num_timesteps == 200


def section_of(model, name):
    lines = model.config.partition(f"[{name}]\n")[2].partition("\n[")[0].splitlines()
    return {key: json.loads(value) for key, value in (line.split(" = ") for line in lines if line)}


def test_learning_begins_where_it_does_there_also_with_a_buffer_that_is_full_by_then():
    def updates(buffer_size, n_envs, env_steps):
        model = requel.DQN("MlpPolicy", Corridor, n_envs=n_envs, learning_starts=102, buffer_size=buffer_size)
        model.learn(env_steps)
        return model.logger.name_to_value["train/n_updates"]

    # There it begins at the first multiple of 4 or 8 env steps above 102, which is 104.
    for n_envs in (1, 2):
        for buffer_size in (102, 10_000):
            assert [updates(buffer_size, n_envs, env_steps) for env_steps in (96, 104)] == [0, 1], (n_envs, buffer_size)


def test_the_episode_of_what_is_learned_in_goes_on_where_that_is_asked_for():
    env = Corridor()
    model = requel.DQN("MlpPolicy", env, **LIVELY).learn(104)
    shown = model._last_obs
    for same in (env, model.get_env()):
        model.set_env(same, force_reset=False)
        assert (model._last_obs == shown).all()
    with pytest.raises(ValueError, match="force_reset=False"):
        model.set_env(Corridor(), force_reset=False)
    vector = gymnasium.vector.SyncVectorEnv([Corridor])
    model.set_env(vector)
    assert model._last_obs is None


def test_a_model_that_is_loaded_says_that_it_begins_new_episodes(tmp_path):
    requel.DQN("MlpPolicy", Corridor, **LIVELY).save(tmp_path / "model")
    with pytest.raises(ValueError, match="force_reset=False"):
        requel.DQN.load(tmp_path / "model", env=Corridor, force_reset=False)
