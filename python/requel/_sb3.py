"""Reads the network of a DQN that Stable-Baselines3 saved, and executes nothing that is in the file.

Such a file is a zip: ``data``, JSON in which what is no JSON stands as text beside its pickle, which is left alone; and ``policy.pth``, the
weights as PyTorch writes them: a zip again, of a pickle and the numbers. That pickle is read by an unpickler that knows three names,
each of which is a function here, and refuses all others.
"""

from __future__ import annotations

import collections
import io
import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# No part of such a file is longer, bytes.
_MOST_BYTES = 1 << 31

_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_ACTIVATIONS = {"ReLU": "relu", "Tanh": "tanh", "Identity": "identity"}
# What may stand in `policy_kwargs`; of the rest the network would be another one.
_HARMLESS = {"net_arch", "activation_fn", "optimizer_class", "optimizer_kwargs", "normalize_images"}


def policy_file(path: Path, env_id: str) -> bytes:
    """Return the file of a policy for the online network of a saved DQN.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no such file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            data = json.loads(_entry(archive, "data"))
            state = read_state_dict(_entry(archive, "policy.pth"))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a model saved by Stable-Baselines3: {error}") from error
    try:
        description, tensors = _network(data, state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return policy_bytes({"format": 1, "env_id": env_id, **description}, tensors)


def read_state_dict(file: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors in a file that ``torch.save`` wrote of a state dict.

    Raises:
        ValueError: if it is no such file, or names anything but tensors, their numbers and an ordered dictionary.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            pickles = [name for name in archive.namelist() if name == "data.pkl" or name.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise ValueError("it has no data.pkl, which files of PyTorch 1.6 and later have")
            order = pickles[0].removesuffix("data.pkl") + "byteorder"
            if order in archive.namelist() and _entry(archive, order) != b"little":
                raise ValueError("its numbers are big-endian: save the model on a little-endian machine")
            state = _Unpickler(archive, pickles[0]).load()
    except zipfile.BadZipFile as error:
        raise ValueError(f"weights in a format from before PyTorch 1.6: {error}") from error
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"weights that cannot be read: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, np.ndarray) for tensor in state.values()):
        raise ValueError("the saved weights are not a state dict of tensors")
    return dict(state)


class _Storage:
    """The numbers of one storage, by which tensors are made."""

    def __init__(self, numbers: npt.NDArray[Any]) -> None:
        self.numbers = numbers


class _Unpickler(pickle.Unpickler):
    """Accepts only an ordered dictionary, a tensor and its numbers."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        super().__init__(io.BytesIO(_entry(archive, name)))
        self._archive = archive
        self._root = name.removesuffix("data.pkl")

    def find_class(self, module: str, name: str) -> Any:
        """Return this module's replacement for a name; no name is looked up anywhere else."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a file of weights")

    def persistent_load(self, pid: Any) -> _Storage:
        """Return the numbers of a storage, which lie in a file of their own in the archive."""
        kind, dtype, key, _device, count = pid
        if kind != "storage" or dtype not in _STORAGES.values() or not isinstance(key, str) or not key.isdecimal():
            raise pickle.UnpicklingError(f"{pid!r} is not a storage of numbers")
        numbers = np.frombuffer(_entry(self._archive, f"{self._root}data/{key}"), dtype=np.dtype(dtype))
        if not isinstance(count, int) or len(numbers) < count:
            raise pickle.UnpicklingError(f"storage {key} has {len(numbers)} numbers, not {count}")
        return _Storage(numbers)


def _tensor(storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_rest: Any) -> npt.NDArray[Any]:
    """Return the tensor of these numbers; the order of its axes is that of its strides."""
    numbers = storage.numbers
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if min((offset, *stride, *(length - 1 for length in size)), default=0) < 0 or last >= len(numbers):
        raise pickle.UnpicklingError("a tensor reaches beyond its numbers")
    strides = [step * numbers.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(numbers[offset:], size, strides).copy()


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of an entry, unless it says that it is larger than any policy."""
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise ValueError(f"{name} in it is longer than {_MOST_BYTES} bytes")
    return archive.read(name)


def _network(
    data: dict[str, Any], state: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, Any], dict[str, npt.NDArray[np.float32]]]:
    """The description of the online network, and its tensors by the names that they have in requel."""
    prefix = "q_net."
    online = {name.removeprefix(prefix): tensor.astype(np.float32) for name, tensor in state.items() if name.startswith(prefix)}
    if not online:
        raise ValueError(f"no network of a DQN (q_net.…) in it, but {', '.join(sorted(state)[:6]) or 'nothing'}")
    kwargs = data.get("policy_kwargs") or {}
    activation = _activation(kwargs)
    layers: list[dict[str, Any]] = []
    tensors: dict[str, npt.NDArray[np.float32]] = {}

    def add(layer: dict[str, Any], weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        tensors[f"layers.{len(layers)}.weight"], tensors[f"layers.{len(layers)}.bias"] = weight, bias
        layers.append(layer)

    def take(name: str, dimensions: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        weight, bias = online.pop(f"{name}.weight", None), online.pop(f"{name}.bias", None)
        if weight is None or bias is None or weight.ndim != dimensions or bias.shape != weight.shape[:1]:
            raise ValueError(f"no weight and bias of {name} in the form of a DQN")
        return weight, bias

    shape, scale = None, 1.0
    if "features_extractor.cnn.0.weight" in online:
        shape = _image(data)
        scale = 1.0 if str(kwargs.get("normalize_images")) == "False" else 1.0 / 255.0
        height, width = shape[:2]
        for index, stride in ((0, 4), (2, 2), (4, 1)):
            weight, bias = take(f"features_extractor.cnn.{index}", 4)
            kernel = weight.shape[2]
            layer = {"kind": "conv2d", "channels": len(bias), "kernel": kernel, "stride": stride, "activation": "relu"}
            add(layer, weight, bias)
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        weight, bias = take("features_extractor.linear.0", 2)
        channels = len(tensors["layers.2.bias"])
        if weight.shape[1] != channels * height * width:
            raise ValueError(f"its images do not have the shape {shape}: the network reads others")
        # There a flattened image has its channels first, here last.
        weight = weight.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(bias), -1)
        add({"kind": "dense", "outputs": len(bias), "activation": "relu"}, weight, bias)
    elif (data.get("observation_space") or {}).get("dtype") == "uint8":
        raise ValueError("a model with MlpPolicy for observations of bytes, which it may or may not scale: use CnnPolicy or numbers")
    names = [name.removesuffix(".weight") for name in online if re.fullmatch(r"q_net\.\d+\.weight", name)]
    names.sort(key=lambda name: int(name.rpartition(".")[2]))
    for name in names:
        weight, bias = take(name, 2)
        shape = shape or [weight.shape[1]]
        between = "identity" if name == names[-1] else activation
        add({"kind": "dense", "outputs": len(bias), "activation": between}, weight, bias)
    if online or not layers:
        raise ValueError(f"{', '.join(sorted(online)) or 'nothing'} in it, which is not part of MlpPolicy or CnnPolicy")
    return {"network": {"input_shape": shape, "input_scale": scale, "layers": layers}, "head": {"kind": "scalar"}}, tensors


def _activation(kwargs: dict[str, Any]) -> str:
    """The activation between the layers, as named in the text next to the pickle."""
    unknown = sorted(name for name in kwargs if name not in _HARMLESS and not name.startswith(":"))
    if unknown:
        raise ValueError(f"policy_kwargs has {', '.join(unknown)}: the network would be different")
    name = str(kwargs.get("activation_fn", "ReLU")).rpartition(".")[2].rstrip("'>")
    if name not in _ACTIVATIONS:
        raise ValueError(f"activation_fn={name} is not supported: use {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[name]


def _image(data: dict[str, Any]) -> list[int]:
    """Height, width and channels of the observations, whose shape stands in the file as text or as a list."""
    shape = (data.get("observation_space") or {}).get("_shape")
    if isinstance(shape, str):
        shape = [int(part) for part in shape.strip("()[] ").split(",") if part.strip().isdecimal()]
    if not isinstance(shape, list) or len(shape) != 3 or not all(isinstance(each, int) and each > 0 for each in shape):
        raise ValueError("it does not contain the shape of its images")
    channels, height, width = shape
    return [height, width, channels]


def policy_bytes(description: dict[str, Any], tensors: dict[str, npt.NDArray[np.float32]]) -> bytes:
    """Return a policy's file of its description and its tensors: the safetensors format.

    A header in JSON after its length as 64 bits, and the tensors one after the other.
    """
    header: dict[str, Any] = {"__metadata__": {"requel": json.dumps(description)}}
    end, parts = 0, []
    for name, tensor in tensors.items():
        part = np.ascontiguousarray(tensor, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [end, end + len(part)]}
        end += len(part)
        parts.append(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)
