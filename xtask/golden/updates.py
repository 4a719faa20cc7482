"""Fifty updates of every learning rule in float64: python updates.py OUT_DIR

An implementation of its own, from the papers alone and with nothing but NumPy. OUT_DIR holds inputs.json and
inputs.safetensors, which our tests wrote: what each case is, the initial parameters, one episode after another of experience,
which transitions each batch holds, and the noise and the fractions of each update. This script adds results.safetensors: the
parameters after the updates, the loss of each, and where replay is prioritized the last priorities.
"""

import json
import pathlib
import struct
import sys

import numpy as np


# Arrays on disk: safetensors is a length, a JSON header and the numbers.

DTYPES = {"F32": np.float32, "F64": np.float64, "U32": np.uint32, "U8": np.uint8}


def read_arrays(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            arrays[name] = np.frombuffer(data[start:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def write_arrays(path, arrays):
    header, body = {}, b""
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name], np.float64)
        start = len(body)
        body += values.tobytes()
        header[name] = {"dtype": "F64", "shape": list(values.shape), "data_offsets": [start, len(body)]}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


# Layers. Each has forward(x) and backward(dy), and keeps its parameters and their gradients in dictionaries by name.


def activate(kind, x):
    return {"identity": lambda: x, "relu": lambda: np.maximum(x, 0), "tanh": lambda: np.tanh(x)}[kind]()


def slope(kind, y):
    """The derivative of the activation, from its value."""
    return {"identity": lambda: np.ones_like(y), "relu": lambda: (y > 0) * 1.0, "tanh": lambda: 1 - y * y}[kind]()


class Dense:
    """activation(x W + b); with noise, W = mu + sigma f(e_in) f(e_out)' and b = mu + sigma f(e_out) (Fortunato et al. 2018)."""

    def __init__(self, parameters, prefix, activation="identity"):
        self.parameters, self.prefix, self.activation = parameters, prefix, activation
        self.noisy = prefix + "weight_mu" in parameters

    def take_noise(self, noise):
        """Takes its own from the front of the noise; what is left."""
        if not self.noisy:
            return noise
        inputs, outputs = self.parameters[self.prefix + "weight_mu"].shape
        scaled = np.sign(noise[: inputs + outputs]) * np.sqrt(np.abs(noise[: inputs + outputs]))
        self.weight_noise = np.outer(scaled[:inputs], scaled[inputs:])
        self.bias_noise = scaled[inputs:]
        return noise[inputs + outputs :]

    def forward(self, x):
        get = lambda name: self.parameters[self.prefix + name]
        if self.noisy:
            self.weight = get("weight_mu") + get("weight_sigma") * self.weight_noise
            bias = get("bias_mu") + get("bias_sigma") * self.bias_noise
        else:
            self.weight, bias = get("weight"), get("bias")
        self.x = x
        self.y = activate(self.activation, x @ self.weight + bias)
        return self.y

    def backward(self, dy, gradients):
        dz = dy * slope(self.activation, self.y)
        d_weight, d_bias = self.x.T @ dz, dz.sum(0)
        if self.noisy:
            gradients[self.prefix + "weight_mu"] = d_weight
            gradients[self.prefix + "weight_sigma"] = d_weight * self.weight_noise
            gradients[self.prefix + "bias_mu"] = d_bias
            gradients[self.prefix + "bias_sigma"] = d_bias * self.bias_noise
        else:
            gradients[self.prefix + "weight"], gradients[self.prefix + "bias"] = d_weight, d_bias
        return dz @ self.weight.T


class LayerNorm:
    """activation(gain (x - mean) / sqrt(variance + epsilon) + bias) (Ba, Kiros and Hinton 2016)."""

    def __init__(self, parameters, prefix, activation, epsilon):
        self.parameters, self.prefix, self.activation, self.epsilon = parameters, prefix, activation, epsilon

    def take_noise(self, noise):
        return noise

    def forward(self, x):
        self.deviation = np.sqrt(x.var(-1, keepdims=True) + self.epsilon)
        self.normal = (x - x.mean(-1, keepdims=True)) / self.deviation
        gain, bias = self.parameters[self.prefix + "weight"], self.parameters[self.prefix + "bias"]
        self.y = activate(self.activation, gain * self.normal + bias)
        return self.y

    def backward(self, dy, gradients):
        dz = dy * slope(self.activation, self.y)
        gradients[self.prefix + "weight"] = (dz * self.normal).sum(0)
        gradients[self.prefix + "bias"] = dz.sum(0)
        dn = dz * self.parameters[self.prefix + "weight"]
        # The derivative of (x - mean) / deviation: what moves the mean or the deviation does not come through.
        along = (dn * self.normal).mean(-1, keepdims=True)
        return (dn - dn.mean(-1, keepdims=True) - self.normal * along) / self.deviation


class Dueling:
    """V + A - mean of A over the actions, atom by atom (Wang et al. 2016, equation 9)."""

    def __init__(self, parameters, prefix, layer):
        self.shape = (layer["actions"], layer.get("atoms", 1))
        self.streams = []
        for stream in ["value", "advantage"]:
            count = 2 if layer["hidden"] > 0 else 1
            kinds = [layer["activation"]] * (count - 1) + ["identity"]
            self.streams.append([Dense(parameters, f"{prefix}{stream}.{i}.", kind) for i, kind in enumerate(kinds)])

    def take_noise(self, noise):
        for stream in self.streams:
            for layer in stream:
                noise = layer.take_noise(noise)
        return noise

    def forward(self, x):
        value, advantage = x, x
        for layer in self.streams[0]:
            value = layer.forward(value)
        for layer in self.streams[1]:
            advantage = layer.forward(advantage)
        advantage = advantage.reshape(len(x), *self.shape)
        q = value[:, None, :] + advantage - advantage.mean(1, keepdims=True)
        return q.reshape(len(x), -1)

    def backward(self, dy, gradients):
        dq = dy.reshape(len(dy), *self.shape)
        d_value = dq.sum(1)
        d_advantage = (dq - dq.mean(1, keepdims=True)).reshape(len(dy), -1)
        for layer in reversed(self.streams[0]):
            d_value = layer.backward(d_value, gradients)
        for layer in reversed(self.streams[1]):
            d_advantage = layer.backward(d_advantage, gradients)
        return d_value + d_advantage


class FractionEmbedding:
    """x times ReLU(cos(pi i tau) W + b), one row for each fraction (Dabney et al. 2018, "Implicit Quantile Networks", eq. 4)."""

    def __init__(self, parameters, prefix, cosines):
        self.cosines, self.dense = np.arange(cosines), Dense(parameters, prefix, "relu")
        self.fractions = None

    def take_noise(self, noise):
        return noise

    def forward(self, x):
        rows, count = self.fractions.shape
        self.embedding = self.dense.forward(np.cos(np.pi * self.fractions.reshape(-1, 1) * self.cosines))
        self.x, self.count = np.repeat(x, count, 0), count
        return self.x * self.embedding

    def backward(self, dy, gradients):
        self.dense.backward(dy * self.x, gradients)
        d = dy * self.embedding
        return d.reshape(-1, self.count, d.shape[-1]).sum(1)


class Network:
    """The layers of a spec over named parameters, which are views into one flat array."""

    def __init__(self, spec, slices, flat):
        self.slices, self.flat = slices, flat
        parameters = {
            entry["name"]: flat[entry["start"] : entry["start"] + int(np.prod(entry["shape"]))].reshape(entry["shape"])
            for entry in slices
        }
        self.layers, self.embedding = [], None
        for index, layer in enumerate(spec["layers"]):
            prefix, kind = f"layers.{index}.", layer["kind"]
            if kind in ("dense", "noisy_dense"):
                self.layers.append(Dense(parameters, prefix, layer["activation"]))
            elif kind == "layer_norm":
                self.layers.append(LayerNorm(parameters, prefix, layer["activation"], float(np.float32(layer["epsilon"]))))
            elif kind == "dueling":
                self.layers.append(Dueling(parameters, prefix, layer))
            elif kind == "fraction_embedding":
                self.embedding = FractionEmbedding(parameters, prefix, layer["cosines"])
                self.layers.append(self.embedding)
            else:
                raise ValueError(f"unknown layer {kind}")

    def forward(self, x, noise, fractions=None):
        for layer in self.layers:
            noise = layer.take_noise(noise)
        if self.embedding:
            self.embedding.fractions = fractions
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, d):
        gradients = {}
        for layer in reversed(self.layers):
            d = layer.backward(d, gradients)
        return np.concatenate([gradients[entry["name"]].ravel() for entry in self.slices])


# Optimisers.


class Adam:
    """Kingma & Ba 2015, algorithm 1; with `rectified`, Liu et al. 2020, algorithm 2."""

    def __init__(self, options, count):
        self.options, self.mean, self.square, self.steps = options, np.zeros(count), np.zeros(count), 0

    def step(self, parameters, gradient, rate):
        beta1, beta2, epsilon = (self.options[name] for name in ("beta1", "beta2", "epsilon"))
        self.steps += 1
        self.mean = beta1 * self.mean + (1 - beta1) * gradient
        self.square = beta2 * self.square + (1 - beta2) * gradient**2
        mean = self.mean / (1 - beta1**self.steps)
        if self.options["kind"] == "radam":
            longest = 2 / (1 - beta2) - 1
            length = longest - 2 * self.steps * beta2**self.steps / (1 - beta2**self.steps)
            if length <= 5:
                parameters -= rate * mean
                return
            rectification = np.sqrt(
                (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            )
            # As PyTorch, whose users the algorithm has: epsilon is added before the bias correction.
            correction = np.sqrt(1 - beta2**self.steps)
            parameters -= rate * rectification * mean * correction / (np.sqrt(self.square) + epsilon)
            return
        parameters -= rate * mean / (np.sqrt(self.square / (1 - beta2**self.steps)) + epsilon)


class RmsProp:
    """The squared gradient's average, less the square of the gradient's where centred (Graves 2013, eq. 38 to 41)."""

    def __init__(self, options, count):
        self.options, self.square, self.mean = options, np.zeros(count), np.zeros(count)
        self.velocity = np.zeros(count)

    def step(self, parameters, gradient, rate):
        alpha, epsilon, momentum = (self.options[name] for name in ("alpha", "epsilon", "momentum"))
        self.square = alpha * self.square + (1 - alpha) * gradient**2
        self.mean = alpha * self.mean + (1 - alpha) * gradient
        variance = self.square - self.mean**2 if self.options["centered"] else self.square
        self.velocity = momentum * self.velocity + gradient / (np.sqrt(variance) + epsilon)
        parameters -= rate * self.velocity


def clip(gradient, most):
    norm = np.linalg.norm(gradient)
    return gradient * (most / norm) if 0 < most < norm else gradient


# What a batch is learned towards.


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def transitions(steps, n, gamma):
    """One for each step: the discounted rewards of up to n steps, but never beyond the end of the episode."""
    made = []
    for start in range(len(steps["rewards"])):
        reward, discount, at = 0.0, 1.0, start
        while True:
            reward += discount * float(steps["rewards"][at])
            discount *= gamma
            ended = steps["terminated"][at] or steps["truncated"][at]
            if ended or at + 1 == start + n or at + 1 == len(steps["rewards"]):
                break
            at += 1
        if not ended and at + 1 < start + n:
            break  # its n steps are not all there yet
        made.append((start, at, reward, 0.0 if steps["terminated"][at] else discount))
    return made


def projected(support, probabilities, rewards, discounts):
    """The projection of C51 as its definition has it: each atom asks every other how near it lands (Bellemare et al. 2017)."""
    step = support[1] - support[0]
    lands = np.clip(rewards[:, None] + discounts[:, None] * support, support[0], support[-1])
    nearness = np.clip(1 - np.abs(lands[:, None, :] - support[:, None]) / step, 0, 1)
    return (nearness * probabilities[:, None, :]).sum(-1)


class Head:
    """Values are (rows, actions), distributions (rows, actions, atoms)."""

    def __init__(self, options, actions):
        self.options, self.kind, self.actions = options, options["kind"], actions
        if self.kind == "categorical":
            self.support = np.linspace(options["v_min"], options["v_max"], options["atoms"])
        if self.kind == "quantile":
            self.midpoints = (np.arange(options["count"]) + 0.5) / options["count"]

    def distributions(self, outputs, rows):
        if self.kind == "implicit_quantile":
            return outputs.reshape(rows, -1, self.actions).swapaxes(1, 2)
        return outputs.reshape(rows, self.actions, -1)

    def flat(self, d):
        return (d.swapaxes(1, 2) if self.kind == "implicit_quantile" else d).reshape(-1, self.width)

    def values(self, distributions):
        if self.kind == "categorical":
            return softmax(distributions) @ self.support
        return distributions.mean(-1)

    def targets(self, rule, batch, next_distributions, selector_q, current_q):
        """(rows, atoms): the target of each row; for the categorical head its probabilities."""
        rows = np.arange(len(batch["rewards"]))
        rewards, discounts = batch["rewards"], batch["discounts"]
        if rule["kind"] == "munchausen":
            tau = rule["tau"]
            bonus = tau * log_softmax(current_q / tau)[rows, batch["actions"]]
            rewards = rewards + rule["alpha"] * np.clip(bonus, rule["clip"], 0)
            policy, logs = softmax(selector_q / tau), tau * log_softmax(selector_q / tau)
            following = (policy[:, :, None] * (next_distributions - logs[:, :, None])).sum(1)
        else:
            following = next_distributions[rows, selector_q.argmax(-1)]
        if self.kind == "categorical":
            return projected(self.support, softmax(following), rewards, discounts)
        return rewards[:, None] + discounts[:, None] * following

    def loss(self, distributions, batch, targets, fractions):
        """The loss of each row, its gradient for the action taken, and what counts as its TD error."""
        taken = distributions[np.arange(len(batch["actions"])), batch["actions"]]
        if self.kind == "scalar":
            error = (taken - targets)[:, 0]
            if self.options["loss"] == "mse":
                return error**2, 2 * error[:, None], np.abs(error)
            delta = self.options["delta"]
            small = np.abs(error) <= delta
            losses = np.where(small, error**2 / 2, delta * (np.abs(error) - delta / 2))
            return losses, np.clip(error, -delta, delta)[:, None], np.abs(error)
        if self.kind == "categorical":
            losses = -(targets * log_softmax(taken)).sum(-1)
            return losses, softmax(taken) - targets, losses
        # Quantile Huber (Dabney et al. 2018): prediction i at fraction tau_i against target j.
        kappa = self.options["kappa"]
        u = targets[:, None, :] - taken[:, :, None]
        weight = np.abs(fractions[:, :, None] - (u < 0))
        if kappa > 0:
            small = np.abs(u) <= kappa
            huber = np.where(small, u**2 / 2, kappa * (np.abs(u) - kappa / 2)) / kappa
            huber_slope = np.clip(u, -kappa, kappa) / kappa
        else:
            huber, huber_slope = np.abs(u), np.sign(u)
        losses = (weight * huber).mean(-1).sum(-1)
        return losses, -(weight * huber_slope).mean(-1), losses


# Learners.


class Learner:
    """The online network's parameters and what changes them."""

    def __init__(self, case, arrays):
        self.case, self.options = case, case["optimizer"]
        self.flat = arrays["initial"].astype(np.float64)
        self.network = Network(case["network"], case["slices"], self.flat)
        optimizer = RmsProp if self.options["kind"] == "rmsprop" else Adam
        self.optimizer = optimizer(self.options, len(self.flat))
        self.head = Head(case["head"], case["actions"])
        self.head.width = case["actions"] * case["head"].get("atoms", case["head"].get("count", 1))
        self.losses = []

    def step(self, gradient):
        self.optimizer.step(self.flat, clip(gradient, self.options["max_gradient_norm"]), self.options["learning_rate"])

    def output_gradient(self, distributions, actions, d_taken):
        """Zero but for the actions that were taken."""
        d = np.zeros_like(distributions)
        d[np.arange(len(actions)), actions] = d_taken
        return self.head.flat(d)


def run_replay(case, arrays, steps):
    """Q-learning from a replay buffer, with its parts as the case says (Mnih et al. 2015 up to Hessel et al. 2018)."""
    learner = Learner(case, arrays)
    network, head, rule = learner.network, learner.head, case["rule"]
    target_flat = learner.flat.copy()
    target_network = Network(case["network"], case["slices"], target_flat)
    has_target, double = case["target"]["kind"] != "none", case["double"]
    made = transitions(steps, case["n_step"], case["gamma"])
    first, last, rewards, discounts = (np.array(column) for column in zip(*made))
    priorities = np.ones(len(made))  # the greatest so far, 1 before there is any

    for update, indices in enumerate(arrays["indices"]):
        rows = len(indices)
        batch = {
            "actions": steps["actions"][first[indices]].astype(int),
            "rewards": rewards[indices],
            "discounts": discounts[indices],
        }
        now = steps["observations"][first[indices]].astype(np.float64)
        following = steps["next_observations"][last[indices]].astype(np.float64)
        fractions = {
            name: arrays[name][update].astype(np.float64) if name in arrays else None
            for name in ("fractions", "target_fractions", "selector_fractions")
        }
        part = lambda name, which: None if fractions[name] is None else fractions[name][which * rows : (which + 1) * rows]

        def look(which_network, observations, which, draws=None):
            draws = draws or ("" if which_network is network else "target_")
            noise = arrays[draws + "noise"][update].astype(np.float64) if draws + "noise" in arrays else np.zeros(0)
            outputs = which_network.forward(observations, noise, part(draws + "fractions", which))
            return head.distributions(outputs, rows)

        evaluator = target_network if has_target else network
        next_distributions = look(evaluator, following, 0 if has_target else 1)
        selector = next_distributions
        if fractions["selector_fractions"] is not None or "selector_noise" in arrays:
            # Whoever chooses draws fractions (Dabney et al. 2018, "Implicit Quantile Networks": K) and noise (Fortunato et al. 2018) of its own.
            selector = look(network if double or not has_target else target_network, following, 0, "selector_")
        elif double:
            selector = look(network, following, 1)
        current_q = None
        if rule["kind"] == "munchausen":
            current_q = head.values(look(evaluator, now, 1 if has_target else 0))
        selector_q = head.values(selector)
        targets = head.targets(rule, batch, next_distributions, selector_q, current_q)

        distributions = look(network, now, 0)
        at = head.midpoints[None, :].repeat(rows, 0) if head.kind == "quantile" else part("fractions", 0)
        losses, d_taken, errors = head.loss(distributions, batch, targets, at)
        weights = np.ones(rows)
        if case["priorities"]:
            probabilities = priorities[indices] / priorities.sum()
            weights = (len(priorities) * probabilities) ** -case["betas"][update]
            weights /= weights.max()
            for index, error in zip(indices, errors):
                priorities[index] = (error + case["priorities"]["epsilon"]) ** case["priorities"]["alpha"]
        learner.losses.append((weights * losses).mean())
        d_taken = d_taken * weights[:, None] / rows
        gradient = network.backward(learner.output_gradient(distributions, batch["actions"], d_taken))
        if case["residual"]:
            # Through the target r + d max q(s', a) too (Baird 1995).
            look(network, following, 1)
            d_next = -batch["discounts"][:, None] * d_taken
            gradient = gradient + network.backward(learner.output_gradient(distributions, selector_q.argmax(-1), d_next))
        learner.step(gradient)

        if case["target"]["kind"] == "hard" and (update + 1) % case["target"]["every_updates"] == 0:
            target_flat[:] = learner.flat
        if case["target"]["kind"] == "soft" and (update + 1) % case["target"]["every_updates"] == 0:
            tau = case["target"]["tau"]
            target_flat[:] = (1 - tau) * target_flat + tau * learner.flat
    results = {"parameters": learner.flat, "losses": learner.losses}
    if case["priorities"]:
        results["priorities"] = priorities
    return results


def run_rollouts(case, arrays):
    """Q(lambda) over rollouts of several environments, without replay or target network (Gallici et al. 2024, algorithm 1)."""
    learner = Learner(case, arrays)
    network, head, none = learner.network, learner.head, np.zeros(0)
    for rollout, orders in enumerate(arrays["orders"]):
        get = lambda name: arrays[name][rollout].astype(np.float64)
        rewards, terminated, truncated = get("rewards"), get("terminated"), get("truncated")
        count, environments = rewards.shape
        following = network.forward(get("next_observations").reshape(count * environments, -1), none)
        next_values = following.max(-1).reshape(count, environments)
        returns = np.zeros_like(rewards)
        for step in reversed(range(count)):
            ahead = next_values[step]
            if step + 1 < count:
                goes_on = (terminated[step] == 0) & (truncated[step] == 0)
                mixed = case["lambda"] * returns[step + 1] + (1 - case["lambda"]) * ahead
                ahead = np.where(goes_on, mixed, ahead)
            returns[step] = rewards[step] + case["gamma"] * (1 - terminated[step]) * ahead
        observations = get("observations").reshape(count * environments, -1)
        actions, returns = arrays["actions"][rollout].ravel().astype(int), returns.ravel()
        for order in orders:
            for places in order.reshape(-1, case["minibatch"]):
                distributions = head.distributions(network.forward(observations[places], none), len(places))
                batch = {"actions": actions[places]}
                losses, d_taken, _ = head.loss(distributions, batch, returns[places, None], None)
                learner.losses.append(losses.mean())
                d_taken = d_taken / len(places)
                learner.step(network.backward(learner.output_gradient(distributions, actions[places], d_taken)))
    return {"parameters": learner.flat, "losses": learner.losses}


def main():
    folder = pathlib.Path(sys.argv[1])
    arrays = read_arrays(folder / "inputs.safetensors")
    of = lambda prefix: {
        name.removeprefix(prefix + "/"): values for name, values in arrays.items() if name.startswith(prefix + "/")
    }
    results = {}
    for case in json.loads((folder / "inputs.json").read_text())["cases"]:
        name = case["name"]
        if case["kind"] == "rollouts":
            made = run_rollouts(case, of(name))
        else:
            made = run_replay(case, of(name), of("steps"))
        results |= {f"{name}/{key}": values for key, values in made.items()}
    write_arrays(folder / "results.safetensors", results)


main()
