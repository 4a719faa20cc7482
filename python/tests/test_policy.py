"""Policies: loaded, acting, as a state dict and as ONNX, and those that Stable-Baselines3 saved."""

import pathlib
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

import requel
from requel import Policy
from requel._sb3 import policy_bytes

SAMPLE = pathlib.Path(__file__).resolve().parents[2] / "crates/policy/examples/cartpole.safetensors"
PROGRAM = shutil.which("requel", path=str(pathlib.Path(sys.executable).parent))


def mlp(sizes, env_id="Mine-v0", activation="relu", seed=0):
    """A policy with random weights, and these by PyTorch's names."""
    rng = np.random.default_rng(seed)
    tensors, layers = {}, []
    for index, (inputs, outputs) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        tensors[f"layers.{index}.weight"] = rng.standard_normal((outputs, inputs)).astype(np.float32)
        tensors[f"layers.{index}.bias"] = rng.standard_normal(outputs).astype(np.float32)
        last = index == len(sizes) - 2
        layers.append({"kind": "dense", "outputs": outputs, "activation": "identity" if last else activation})
    network = {"input_shape": [sizes[0]], "input_scale": 1.0, "layers": layers}
    description = {"format": 1, "env_id": env_id, "network": network, "head": {"kind": "scalar"}}
    return Policy.from_bytes(policy_bytes(description, tensors)), tensors


def forward(tensors, observations):
    """The slow twin: the values in double precision."""
    x = np.asarray(observations, dtype=np.float64)
    for index in range(len(tensors) // 2):
        x = x @ tensors[f"layers.{index}.weight"].T.astype(np.float64) + tensors[f"layers.{index}.bias"]
        if index < len(tensors) // 2 - 1:
            x = np.maximum(x, 0.0)
    return x


def test_values_are_those_of_the_weights_and_actions_the_greatest():
    policy, tensors = mlp([5, 16, 16, 3])
    observations = np.random.default_rng(1).standard_normal((600, 5))
    values = policy.q_values(observations)
    assert values.dtype == np.float32
    assert values == pytest.approx(forward(tensors, observations), rel=1e-4, abs=1e-4)
    actions = policy.act(observations)
    assert actions.dtype == np.int64
    assert np.array_equal(actions, values.argmax(axis=1))
    # More rows than are looked at at once, and each alone: the same bits.
    alone = np.stack([policy.q_values(row) for row in observations[250:260]])
    assert np.array_equal(alone, values[250:260])
    assert policy.act(observations[0]) == actions[0]
    assert isinstance(policy.act(observations[0]), int)


def test_masks_decide_between_the_allowed_and_none_allowed_is_all():
    policy, _ = mlp([4, 3])
    observations = np.random.default_rng(2).standard_normal((400, 4))
    values, masks = policy.q_values(observations), np.random.default_rng(3).random((400, 3)) < 0.5
    masks[0] = False
    expected = np.where(masks.any(axis=1, keepdims=True), np.where(masks, values, -np.inf), values).argmax(axis=1)
    assert np.array_equal(policy.act(observations, masks), expected)
    assert np.array_equal(policy.act(observations, masks.astype(np.int8)), expected)
    assert policy.act(observations[5], masks[5]) == expected[5]


def test_state_dict_has_pytorchs_names_shapes_and_numbers():
    policy, tensors = mlp([6, 7, 2])
    state = policy.state_dict()
    assert list(state) == list(tensors)
    for name, tensor in tensors.items():
        assert state[name].shape == tensor.shape
        assert np.array_equal(state[name], tensor)


def test_a_file_comes_back_and_a_policy_can_be_pickled(tmp_path):
    policy = Policy.load(SAMPLE)
    assert (policy.env_id, policy.observation_shape, policy.actions) == ("CartPole-v1", (4,), 2)
    policy.save(tmp_path / "mine.safetensors")
    observations = np.random.default_rng(0).standard_normal((9, 4))
    for again in (Policy.load(tmp_path / "mine.safetensors"), pickle.loads(pickle.dumps(policy))):
        assert np.array_equal(again.q_values(observations), policy.q_values(observations))
    assert repr(policy) == "Policy('CartPole-v1', observation_shape=(4,), actions=2)"


def test_discrete_observations_are_taken_as_the_environment_shows_them():
    policy, tensors = mlp([500, 6], env_id="Taxi-v4")
    values = policy.q_values(np.array([0, 321, 499]))
    expected = tensors["layers.0.weight"].T[[0, 321, 499]] + tensors["layers.0.bias"]
    assert values == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(policy.q_values(321), values[1])
    assert np.array_equal(policy.q_values(np.eye(500)[321]), values[1])
    with pytest.raises(ValueError, match="out of range"):
        policy.act(500)
    blackjack, _ = mlp([45, 2], env_id="Blackjack-v1")
    one_hot = np.concatenate([np.eye(32)[14], np.eye(11)[10], np.eye(2)[1]])
    assert np.array_equal(blackjack.q_values([14, 10, 1]), blackjack.q_values(one_hot))
    assert blackjack.q_values(np.array([[14, 10, 1], [3, 1, 0]])).shape == (2, 2)


def test_a_run_gives_its_best_policy_and_the_program_the_same_files(tmp_path):
    run = tmp_path / "run"
    settings = ["train.env_steps=600", "train.episodes=0", "evaluation.every_steps=300", "evaluation.final_episodes=2"]
    arguments = [argument for setting in settings for argument in ("--set", setting)]
    subprocess.run([PROGRAM, "train", "CartPole-v1", "--run-dir", str(run), *arguments], check=True, capture_output=True)
    policy = Policy.load(run)
    assert policy.env_id == "CartPole-v1"
    assert policy.to_bytes() == (run / "best/policy.safetensors").read_bytes()
    model = policy.to_onnx(tmp_path / "ours.onnx")
    subprocess.run([PROGRAM, "export", str(run), "--format", "onnx", "--output", str(tmp_path / "theirs.onnx")], check=True)
    assert (tmp_path / "ours.onnx").read_bytes() == (tmp_path / "theirs.onnx").read_bytes() == model
    env = requel.RequelEnv("CartPole-v1")
    observation, _ = env.reset(seed=0)
    assert policy.predict(observation)[0] == policy.act(observation)


def test_any_environment_has_a_model():
    model = mlp([4, 8, 3])[0].to_onnx()
    assert b"Mine-v0" in model
    assert b"q_values" in model


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda policy: policy.act(np.zeros(5)), ValueError, r"shape \(5,\): expected \(4,\)"),
        (lambda policy: policy.act(np.zeros((2, 2, 4))), ValueError, "or a batch"),
        (lambda policy: policy.act(np.zeros((2, 4)), np.ones((2, 3))), ValueError, r"\[2, 3\], expected \[2, 2\]"),
        (lambda policy: policy.predict(np.zeros(4), deterministic=False), ValueError, "acts greedily"),
        (lambda _: Policy.load("there-is-none.safetensors"), OSError, "there-is-none"),
        (lambda _: Policy.load(SAMPLE.parent), RuntimeError, "examples"),
        (lambda _: Policy.load(__file__), ValueError, "not a policy"),
        (lambda _: Policy.from_bytes(b"nothing"), ValueError, "not a policy"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call(Policy.load(SAMPLE))


def test_a_batch_of_nothing_is_nothing():
    policy = Policy.load(SAMPLE)
    assert policy.act(np.zeros((0, 4))).shape == (0,)
    assert policy.q_values(np.zeros((0, 4))).shape == (0, 2)
