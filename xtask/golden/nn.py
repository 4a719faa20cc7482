"""Writes the golden data of requel-nn's tests, computed by PyTorch: python nn.py OUT_DIR

Each case is a network, initial parameters, batches of transitions, and what a number of Q-learning updates make of
them; or, for the kinds of layer that read more than observations, batches with targets and a squared error. A case is two files: NAME.f32 holds arrays of little-endian f32 one after another, NAME.json says where each lies
and which constants were used. Parameters are in PyTorch's layout.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

ROWS = 32
SAVED_UPDATES = [1, 2, 5, 10, 20, 30, 40, 50]


def dense(sizes, activation):
    layers = []
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(inputs, outputs))
        if i + 2 < len(sizes):
            layers.append(activation())
    return nn.Sequential(*layers)


def batches(rng, updates, observation_shape, actions):
    shape = (updates, ROWS)
    terminated = rng.random(shape) < 0.1
    return {
        "observations": rng.standard_normal(shape + observation_shape).astype(np.float32),
        "actions": rng.integers(actions, size=shape).astype(np.float32),
        "rewards": rng.standard_normal(shape).astype(np.float32),
        "discounts": np.where(terminated, 0.0, 0.9).astype(np.float32),
        "next_observations": rng.standard_normal(shape + observation_shape).astype(np.float32),
    }


class ChannelsLast(nn.Module):
    """A convolutional network whose images come, and are flattened, with their channels last."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3)
        self.second = nn.Conv2d(6, 5, 2, stride=2)
        self.output = nn.Linear(2 * 2 * 5, 3)

    def forward(self, x):
        x = torch.relu(self.first(x.permute(0, 3, 1, 2)))
        x = torch.relu(self.second(x))
        return self.output(x.permute(0, 2, 3, 1).flatten(1))


class NoisyLinear(nn.Module):
    """A linear layer with factorised Gaussian noise; the standard normals are given."""

    def __init__(self, inputs, outputs, sigma=0.5):
        super().__init__()
        bound = inputs**-0.5
        self.weight_mu = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), sigma * bound))
        self.bias_mu = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), sigma * bound))

    def forward(self, x, noise):
        scaled = [noise.pop(0) for _ in range(self.weight_mu.shape[1] + self.weight_mu.shape[0])]
        scaled = torch.stack(scaled)
        scaled = scaled.sign() * scaled.abs().sqrt()
        noise_in, noise_out = scaled.split([self.weight_mu.shape[1], self.weight_mu.shape[0]])
        weight = self.weight_mu + self.weight_sigma * torch.outer(noise_out, noise_in)
        return nn.functional.linear(x, weight, self.bias_mu + self.bias_sigma * noise_out)


class ImplicitNoisyDueling(nn.Module):
    """Features, the embedding of fractions, a noisy layer, a noisy dueling head with two atoms."""

    COSINES = 16
    ACTIONS = 3
    ATOMS = 2

    def __init__(self):
        super().__init__()
        self.features = nn.Linear(5, 12)
        self.embedding = nn.Linear(self.COSINES, 12)
        self.noisy = NoisyLinear(12, 10)
        self.value = nn.ModuleList([NoisyLinear(10, 8), NoisyLinear(8, self.ATOMS)])
        self.advantage = nn.ModuleList([NoisyLinear(10, 8), NoisyLinear(8, self.ACTIONS * self.ATOMS)])

    def forward(self, x, noise, fractions):
        noise = list(noise)
        x = torch.relu(self.features(x))
        cosines = torch.cos(np.pi * torch.arange(self.COSINES) * fractions[..., None])
        x = x[:, None] * torch.relu(self.embedding(cosines))
        x = torch.relu(self.noisy(x, noise))
        value = self.value[1](torch.relu(self.value[0](x, noise)), noise)
        advantage = self.advantage[1](torch.relu(self.advantage[0](x, noise)), noise)
        advantage = advantage.unflatten(-1, (self.ACTIONS, self.ATOMS))
        assert not noise
        return value.unsqueeze(-2) + advantage - advantage.mean(-2, keepdim=True)


class Normalized(nn.Module):
    """An image with its channels last, normalised over the channels of a pixel; then a normalised vector."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(2, 6, 2)
        self.channels = nn.LayerNorm(6)
        self.dense = nn.Linear(3 * 4 * 6, 20)
        self.vector = nn.LayerNorm(20)
        self.output = nn.Linear(20, 3)

    def forward(self, x):
        x = self.convolution(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = torch.relu(self.channels(x)).flatten(1)
        x = torch.tanh(self.vector(self.dense(x)))
        return self.output(x)


class Case:
    def __init__(self, name, network, data, **options):
        self.name, self.network, self.data = name, network, data
        self.gradient = options.get("gradient", "semi")
        self.loss = options.get("loss", nn.MSELoss())
        self.optimizer = options.get("optimizer", lambda p: torch.optim.Adam(p, lr=1e-3))
        self.max_norm = options.get("max_norm")
        self.constants = options.get("constants", {})

    def parameters(self):
        return np.concatenate([p.detach().numpy().ravel() for p in self.network.parameters()])

    def update(self, optimizer, i):
        batch = {name: torch.from_numpy(values[i]) for name, values in self.data.items()}
        q = self.network(batch["observations"]).gather(1, batch["actions"].long()[:, None])[:, 0]
        target = batch["rewards"] + batch["discounts"] * self.network(batch["next_observations"]).max(1).values
        if self.gradient == "semi":
            target = target.detach()
        loss = self.loss(q, target)
        optimizer.zero_grad()
        loss.backward()
        norm = 0.0
        if self.max_norm is not None:
            norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.max_norm).item()
        optimizer.step()
        return loss.item(), norm

    def write(self, directory):
        arrays = {"initial": self.parameters(), **self.data}
        optimizer = self.optimizer(self.network.parameters())
        losses, norms = [], []
        for i in range(len(self.data["observations"])):
            loss, norm = self.update(optimizer, i)
            losses.append(loss)
            norms.append(norm)
            if i + 1 in SAVED_UPDATES:
                arrays[f"after_{i + 1}"] = self.parameters()
        arrays["losses"] = np.array(losses, np.float32)
        arrays["norms"] = np.array(norms, np.float32)
        index, offset = {}, 0
        with open(directory / f"{self.name}.f32", "wb") as file:
            for name, values in arrays.items():
                values = np.ascontiguousarray(values, "<f4")
                index[name] = [offset, values.size]
                offset += values.size
                file.write(values.tobytes())
        meta = {"torch": torch.__version__, "gradient": self.gradient, **self.constants, "arrays": index}
        (directory / f"{self.name}.json").write_text(json.dumps(meta, indent=1) + "\n")


class Regression(Case):
    """Targets for every output in place of transitions; what else the network reads is named in the data."""

    def update(self, optimizer, i):
        batch = {name: torch.from_numpy(values[i]) for name, values in self.data.items()}
        targets = batch.pop("targets")
        outputs = self.network(batch.pop("observations"), **batch)
        loss = self.loss(outputs.flatten(), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item(), 0.0


def regression_data(rng, updates, **shapes):
    data = {name: rng.standard_normal((updates, *shape)).astype(np.float32) for name, shape in shapes.items()}
    if "fractions" in shapes:
        data["fractions"] = rng.random((updates, *shapes["fractions"]), np.float32)
    return data


def cases():
    for gradient in ["semi", "residual"]:
        torch.manual_seed(1)
        data = batches(np.random.default_rng(2), 50, (4,), 2)
        yield Case(f"notebook_{gradient}", dense([4, 64, 64, 2], nn.ReLU), data, gradient=gradient)
    torch.manual_seed(3)
    yield Case(
        "rmsprop_tanh_huber_clip",
        dense([4, 16, 3], nn.Tanh),
        batches(np.random.default_rng(4), 50, (4,), 3),
        loss=nn.HuberLoss(delta=0.5),
        optimizer=lambda p: torch.optim.RMSprop(p, lr=1e-3, alpha=0.95, eps=0.01, centered=True, momentum=0.9),
        max_norm=0.25,
    )
    torch.manual_seed(5)
    yield Case("convolutions", ChannelsLast(), batches(np.random.default_rng(6), 10, (7, 6, 2), 3))
    torch.manual_seed(7)
    yield Regression(
        "layer_norm_radam",
        Normalized(),
        regression_data(np.random.default_rng(8), 20, observations=(ROWS, 4, 5, 2), targets=(ROWS, 3)),
        optimizer=lambda p: torch.optim.RAdam(p, lr=1e-3),
    )
    torch.manual_seed(9)
    # Four fractions of each row; the noise of an input and an output of each noisy layer.
    shapes = {"fractions": (ROWS, 4), "noise": (12 + 10 + 2 * (10 + 8) + (8 + 2) + (8 + 6),)}
    data = regression_data(np.random.default_rng(10), 20, observations=(ROWS, 5), targets=(ROWS, 4, 3, 2), **shapes)
    yield Regression("implicit_noisy_dueling", ImplicitNoisyDueling(), data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for case in cases():
        case.write(out)
