"""Models of Stable-Baselines3, made by hand as it and PyTorch write them: read, and nothing in them executed."""

import collections
import io
import json
import pickle
import sys
import types
import zipfile

import numpy as np
import pytest

from requel import Policy
from requel._sb3 import read_state_dict


class Tensor:
    """What is pickled as PyTorch pickles a tensor."""

    def __init__(self, array, offset=0, stride=None):
        self.array = np.ascontiguousarray(array)
        self.offset = offset
        self.stride = stride or tuple(step // self.array.itemsize for step in self.array.strides)

    def __reduce__(self):
        storage = Storage(self.array)
        state = (storage, self.offset, self.array.shape, self.stride, False, collections.OrderedDict())
        return sys.modules["torch._utils"]._rebuild_tensor_v2, state


class Storage:
    def __init__(self, array):
        self.array = array


@pytest.fixture(autouse=True)
def torch_by_name_alone(monkeypatch):
    """Modules with the names that pickles of PyTorch have; what is read must not look at them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_):
        raise AssertionError("executed")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def saved(state, torch, root="policy"):
    """The bytes that torch.save writes of a state dict."""
    storages = []

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            storages.append(value.array)
            kind = torch.DoubleStorage if value.array.dtype == np.float64 else torch.FloatStorage
            return "storage", kind, str(len(storages) - 1), "cpu", value.array.size

    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(state)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{root}/data.pkl", pickled.getvalue())
        for key, array in enumerate(storages):
            archive.writestr(f"{root}/data/{key}", array.tobytes())
        archive.writestr(f"{root}/version", "3\n")
    return file.getvalue()


def state_dict(tensors):
    state = collections.OrderedDict((name, Tensor(tensor)) for name, tensor in tensors.items())
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    return state


def model(path, tensors, torch, **data):
    """A model as DQN.save writes it."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data", json.dumps({"policy_kwargs": {}, "gamma": 0.99, **data}))
        archive.writestr("policy.pth", saved(state_dict(tensors), torch))
        archive.writestr("_stable_baselines3_version", "2.7.0")
    return path


def dense(rng, names, sizes):
    tensors = {}
    for name, inputs, outputs in zip(names, sizes[:-1], sizes[1:], strict=True):
        tensors[f"{name}.weight"] = rng.standard_normal((outputs, inputs)).astype(np.float32)
        tensors[f"{name}.bias"] = rng.standard_normal(outputs).astype(np.float32)
    return tensors


def mlp(rng=None):
    rng = rng or np.random.default_rng(0)
    online = dense(rng, ["q_net.q_net.0", "q_net.q_net.2", "q_net.q_net.10"], [4, 64, 64, 2])
    return {**online, **dense(rng, ["q_net_target.q_net.0"], [4, 2])}


TANH = {"activation_fn": "<class 'torch.nn.modules.activation.Tanh'>", ":serialized:": "gASV"}


@pytest.mark.parametrize(("kwargs", "activation"), [({}, "relu"), (TANH, "tanh")])
def test_an_mlp_gives_the_values_that_its_weights_give(tmp_path, torch_by_name_alone, kwargs, activation):
    tensors = mlp()
    policy = Policy.from_sb3(model(tmp_path / "dqn.zip", tensors, torch_by_name_alone, policy_kwargs=kwargs), env_id="CartPole-v1")
    assert (policy.env_id, policy.observation_shape, policy.actions) == ("CartPole-v1", (4,), 2)
    observations = np.random.default_rng(1).standard_normal((20, 4)).astype(np.float32)
    x = observations.astype(np.float64)
    for name in ("0", "2", "10"):
        x = x @ tensors[f"q_net.q_net.{name}.weight"].T.astype(np.float64) + tensors[f"q_net.q_net.{name}.bias"]
        if name != "10":
            x = np.tanh(x) if activation == "tanh" else np.maximum(x, 0)
    assert policy.q_values(observations) == pytest.approx(x, rel=1e-4, abs=1e-4)


def convolved(image, weight, bias, stride):
    """A convolution by its definition; images with their channels first."""
    kernel = weight.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(image, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None], 0)


def test_a_cnn_reads_pictures_with_their_channels_last(tmp_path, torch_by_name_alone):
    rng = np.random.default_rng(0)
    shapes = {"0": (8, 3, 8, 8), "2": (6, 8, 4, 4), "4": (5, 6, 3, 3)}
    tensors = {}
    for name, shape in shapes.items():
        tensors[f"q_net.features_extractor.cnn.{name}.weight"] = rng.standard_normal(shape).astype(np.float32) * 0.1
        tensors[f"q_net.features_extractor.cnn.{name}.bias"] = rng.standard_normal(shape[0]).astype(np.float32)
    # Of 44 x 40 pixels there are 10 x 9, then 4 x 3, then 2 x 1.
    tensors |= dense(rng, ["q_net.features_extractor.linear.0", "q_net.q_net.0"], [10, 12, 3])
    space = {":type:": "<class 'gymnasium.spaces.box.Box'>", ":serialized:": "gASV", "dtype": "uint8", "_shape": [3, 44, 40]}
    policy = Policy.from_sb3(model(tmp_path / "dqn.zip", tensors, torch_by_name_alone, observation_space=space))
    assert policy.observation_shape == (44, 40, 3)
    image = rng.integers(256, size=(3, 44, 40), dtype=np.uint8)
    x = image / 255.0
    for name, stride in (("0", 4), ("2", 2), ("4", 1)):
        weight, bias = (tensors[f"q_net.features_extractor.cnn.{name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        x = convolved(x, weight, bias, stride)
    linear = "q_net.features_extractor.linear.0"
    x = np.maximum(tensors[f"{linear}.weight"] @ x.ravel() + tensors[f"{linear}.bias"], 0)
    x = tensors["q_net.q_net.0.weight"] @ x + tensors["q_net.q_net.0.bias"]
    assert policy.q_values(np.moveaxis(image, 0, -1)) == pytest.approx(x, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda tensors: {name: tensor for name, tensor in tensors.items() if "target" in name}, "no network of a DQN"),
        (lambda tensors: {**tensors, "q_net.value.weight": np.ones((1, 1), np.float32)}, "value.weight in it"),
        (lambda tensors: {**tensors, "q_net.q_net.0.bias": np.ones(3, np.float32)}, "q_net.0"),
        (lambda tensors: {**tensors, "q_net.extra": np.ones(3, np.float32)}, "extra"),
        (lambda tensors: {**tensors, "q_net.q_net.0.bias": np.full(64, np.nan, np.float32)}, "NaN"),
    ],
)
def test_another_network_is_refused(tmp_path, torch_by_name_alone, change, match):
    with pytest.raises(ValueError, match=match):
        Policy.from_sb3(model(tmp_path / "dqn.zip", change(mlp()), torch_by_name_alone))


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"features_extractor_class": "Mine"}, "policy_kwargs has features_extractor_class"),
        ({"activation_fn": "<class 'torch.nn.modules.activation.GELU'>"}, "activation_fn=GELU"),
    ],
)
def test_settings_that_change_the_network_are_refused_by_name(tmp_path, torch_by_name_alone, kwargs, match):
    with pytest.raises(ValueError, match=match):
        Policy.from_sb3(model(tmp_path / "dqn.zip", mlp(), torch_by_name_alone, policy_kwargs=kwargs))


def test_no_file_but_such_a_one_is_read(tmp_path, torch_by_name_alone):
    with pytest.raises(FileNotFoundError):
        Policy.from_sb3(tmp_path / "none.zip")
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(ValueError, match="not a model saved by Stable-Baselines3"):
        Policy.from_sb3(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("data", "{}")
    with pytest.raises(ValueError, match="policy.pth"):
        Policy.from_sb3(tmp_path / "empty.zip")


class Harmful:
    """Is unpickled by a call of anything."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("call", [exec, eval, getattr, __import__, print, pickle.loads, io.open])
def test_no_name_beside_the_three_is_known(tmp_path, torch_by_name_alone, call):
    victim = tmp_path / "written"
    arguments = {exec: (f"open({str(victim)!r}, 'w')",), eval: (f"open({str(victim)!r}, 'w')",), io.open: (str(victim), "w")}
    with pytest.raises(ValueError, match="is not allowed"):
        read_state_dict(saved(Harmful(call, *arguments.get(call, ("x",))), torch_by_name_alone))
    assert not victim.exists()


def test_a_tensor_cannot_reach_beyond_its_numbers(torch_by_name_alone):
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    transposed = Tensor(numbers, stride=(1, 2))
    found = read_state_dict(saved({"x": transposed}, torch_by_name_alone))
    assert found["x"].tolist() == [[0, 2, 4], [1, 3, 5]]
    for offset, stride in ((1, (3, 1)), (-1, (3, 1)), (0, (-3, 1)), (0, (4, 1))):
        with pytest.raises(ValueError, match="reaches beyond"):
            read_state_dict(saved({"x": Tensor(numbers, offset, stride)}, torch_by_name_alone))


def test_weights_that_are_cut_short_are_refused(torch_by_name_alone):
    whole = saved(state_dict(mlp()), torch_by_name_alone)
    assert set(read_state_dict(whole)) == set(mlp())
    for length in range(0, len(whole), 997):
        with pytest.raises(ValueError, match="weights|data.pkl"):
            read_state_dict(whole[:length])


def test_bytes_for_an_mlp_are_refused(tmp_path, torch_by_name_alone):
    space = {"dtype": "uint8", "_shape": "[4]"}
    with pytest.raises(ValueError, match="observations of bytes"):
        Policy.from_sb3(model(tmp_path / "dqn.zip", mlp(), torch_by_name_alone, observation_space=space))
