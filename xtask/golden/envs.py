#!/usr/bin/env python3
"""Write what the real Gymnasium and numpy do, for the tests of requel-envs to compare with.

Usage: python envs.py OUT_DIR

Needs gymnasium==1.4.0 and its numpy. Writes `seeding.json`, `sin_cos.bin` and one `*.trace` file per environment and
option set; the same versions on the same kind of machine write the same bytes.

A trace file is a line of JSON, the header, followed by little-endian records, one per episode:

    u8   1 if the episode began with reset(seed=seed), 0 with reset() after the episode before
    u64  seed
    u32  number of steps
    u8   1 where the environment masks actions: the mask at the start, one bit per action
    f32  × observation_len: the first observation
    per step:
        u8 (discrete) or f32 × action_len (continuous)  the action
        u8   index of the reward in the header's list, or f64 where that list is null
        u8   flags: 1 terminated, 2 truncated, 4 an observation follows (every `stride`-th step, and the last)
        u8   the mask, where the environment masks actions
        f32  × observation_len, if flagged
"""

import decimal
import json
import random
import struct
import sys
from pathlib import Path

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.toy_text import frozen_lake

MADE_WITH = {"gymnasium": "1.4.0"}
SEEDS = list(range(20)) + [123456789, 2**32 - 1, 2**32, 2**63 - 1]


def balance(observation):
    """Keeps the pole of CartPole up for longer than any time limit."""
    x, x_dot, theta, theta_dot = (float(v) for v in observation)
    return int(0.02 * x + 0.08 * x_dot + 1.0 * theta + 0.25 * theta_dot > 0)


def rock(observation):
    """Pushes MountainCar the way it moves, which brings it up the hill."""
    return 2 if observation[1] >= 0 else 0


def pump(observation):
    """Turns Acrobot's second joint against the first link's motion, which swings it up."""
    return 0 if observation[4] > 0 else 2


def downhill(cell):
    """Crosses a frozen lake to the right and down, by turns."""
    return 1 + cell % 2


def edge(cell):
    """Along the cliff: up at the start, down above the goal."""
    return 0 if cell == 36 else 2 if cell % 12 == 11 else 1


def drive(state):
    """Fetches Taxi's passenger and brings them to their destination, by the middle row."""
    cell, passenger, destination = state // 20, state // 4 % 5, state % 4
    stand = [0, 4, 20, 23][destination if passenger == 4 else passenger]
    if cell == stand:
        return 5 if passenger == 4 else 4
    row, column = divmod(cell, 5)
    if column != stand % 5:
        return (3 if column > stand % 5 else 2) if row == 2 else (0 if row < 2 else 1)
    return 0 if row < stand // 5 else 1


def stop_at_18(hand):
    return int(hand[0] < 18)


# name, id, options, rule (None: random actions), stride, episodes per seed
CASES = [
    ("cartpole-v0-random", "CartPole-v0", {}, None, 1, 2),
    ("cartpole-v0-balance", "CartPole-v0", {}, balance, 10, 1),
    ("cartpole-v1-random", "CartPole-v1", {}, None, 1, 2),
    ("cartpole-v1-balance", "CartPole-v1", {}, balance, 10, 2),
    ("cartpole-v1-sutton-barto-random", "CartPole-v1", {"sutton_barto_reward": True}, None, 4, 2),
    ("cartpole-v1-sutton-barto-balance", "CartPole-v1", {"sutton_barto_reward": True}, balance, 50, 1),
    ("mountaincar-random", "MountainCar-v0", {}, None, 10, 1),
    ("mountaincar-rock", "MountainCar-v0", {}, rock, 10, 2),
    ("mountaincar-goal-velocity", "MountainCar-v0", {"goal_velocity": 0.04}, rock, 20, 1),
    ("acrobot-random", "Acrobot-v1", {}, None, 25, 1),
    ("acrobot-pump", "Acrobot-v1", {}, pump, 10, 2),
    ("acrobot-nips", "Acrobot-v1", {"book_or_nips": "nips"}, pump, 10, 1),
    ("acrobot-noise", "Acrobot-v1", {"torque_noise_max": 0.5}, pump, 10, 1),
    ("pendulum-random", "Pendulum-v1", {}, None, 10, 1),
    ("frozenlake-4x4", "FrozenLake-v1", {}, None, 1, 4),
    ("frozenlake-8x8", "FrozenLake8x8-v1", {}, None, 1, 2),
    ("frozenlake-dry", "FrozenLake-v1", {"is_slippery": False, "reward_schedule": [5, -1, -0.25]}, None, 1, 4),
    ("frozenlake-rate", "FrozenLake8x8-v1", {"success_rate": 0.75}, downhill, 1, 4),
    ("frozenlake-custom", "FrozenLake-v1", {"desc": ["FFSFHS", "HFFFFF", "SFHGFF"]}, None, 1, 4),
    ("frozenlake-random-map", "FrozenLake-v1", {"map_name": "random", "map_size": 7, "map_frozen": 0.7, "map_seed": 5},
     downhill, 1, 4),
    ("cliffwalking", "CliffWalking-v1", {"max_episode_steps": 150}, None, 5, 1),
    ("cliffwalking-edge", "CliffWalking-v1", {"max_episode_steps": 150}, edge, 1, 1),
    ("cliffwalking-slippery", "CliffWalkingSlippery-v1", {"max_episode_steps": 150}, edge, 3, 2),
    ("taxi", "Taxi-v4", {}, None, 3, 1),
    ("taxi-drive", "Taxi-v4", {}, drive, 1, 4),
    ("taxi-rainy", "Taxi-v4", {"is_rainy": True}, drive, 1, 4),
    ("taxi-rainy-random", "Taxi-v4", {"is_rainy": True, "rainy_probability": 0.4}, None, 3, 1),
    ("taxi-fickle", "Taxi-v4", {"fickle_passenger": True, "fickle_probability": 0.7}, drive, 1, 6),
    ("taxi-rainy-fickle", "Taxi-v4", {"is_rainy": True, "fickle_passenger": True}, drive, 1, 4),
    ("blackjack", "Blackjack-v1", {}, None, 1, 20),
    ("blackjack-natural", "Blackjack-v1", {"natural": True, "sab": False}, stop_at_18, 1, 40),
    ("blackjack-plain", "Blackjack-v1", {"natural": False, "sab": False}, stop_at_18, 1, 20),
    ("blackjack-sab", "Blackjack-v1", {"sab": True}, stop_at_18, 1, 40),
    ("pendulum-g", "Pendulum-v1", {"g": 9.81}, None, 20, 1),
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if gymnasium.__version__ != MADE_WITH["gymnasium"]:
        sys.exit(f"gymnasium {gymnasium.__version__} found, {MADE_WITH['gymnasium']} needed")
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "seeding.json").write_text(json.dumps(seeding(), indent=1) + "\n")
    (out / "sin_cos.bin").write_bytes(sin_cos())
    for name, env_id, options, rule, stride, episodes in CASES:
        write_trace(out / f"{name}.trace", env_id, options, rule, stride, episodes)
        print(f"{name}: {(out / f'{name}.trace').stat().st_size} bytes")


# What Gymnasium sets by attributes of the environment rather than by keyword arguments.
ATTRIBUTES = ["book_or_nips", "torque_noise_max"]


def make(env_id, options):
    if options.get("map_name") == "random":
        # A random map is an argument of the original's environment, made by a function of its module.
        size, frozen, seed = (options[f"map_{name}"] for name in ("size", "frozen", "seed"))
        return gymnasium.make(env_id, desc=frozen_lake.generate_random_map(size, frozen, seed))
    env = gymnasium.make(env_id, **{name: value for name, value in options.items() if name not in ATTRIBUTES})
    for name in set(ATTRIBUTES) & set(options):
        setattr(env.unwrapped, name, options[name])
    return env


def write_trace(path, env_id, options, rule, stride, episodes_per_seed):
    env = make(env_id, options)
    discrete = isinstance(env.action_space, spaces.Discrete)
    masked = False
    episodes = []
    for seed in SEEDS:
        env.action_space.seed(seed)
        for nth in range(episodes_per_seed):
            first, info = env.reset(seed=seed) if nth == 0 else env.reset()
            masked = "action_mask" in info
            mask = info.get("action_mask")
            steps, observation, over = [], first, False
            while not over:
                action = env.action_space.sample() if rule is None else rule(observation)
                observation, reward, terminated, truncated, info = env.step(action)
                over = terminated or truncated
                steps.append((action, float(reward), terminated, truncated, info.get("action_mask"), observation))
            episodes.append((nth == 0, seed, mask, first, steps))
    rewards = sorted({step[1] for episode in episodes for step in episode[4]})
    rewards = rewards if len(rewards) <= 256 else None
    header = {
        "id": env_id,
        "options": options,
        "rule": rule.__name__ if rule else "random",
        "made_with": f"gymnasium {gymnasium.__version__}, numpy {np.__version__}",
        "observation_len": len(numbers(first)),
        "action_len": 0 if discrete else int(np.prod(env.action_space.shape)),
        "masked": masked,
        "rewards": rewards,
        "stride": stride,
        "episodes": len(episodes),
    }
    data = bytearray(json.dumps(header).encode() + b"\n")
    for seeded, seed, mask, first, steps in episodes:
        data += struct.pack("<BQI", seeded, seed, len(steps))
        data += mask_byte(mask) + floats(first)
        for index, (action, reward, terminated, truncated, mask, observation) in enumerate(steps, 1):
            shown = index % stride == 0 or index == len(steps)
            data += struct.pack("<B", int(action)) if discrete else floats(action)
            data += struct.pack("<B", rewards.index(reward)) if rewards is not None else struct.pack("<d", reward)
            data += struct.pack("<B", bool(terminated) | bool(truncated) << 1 | shown << 2)
            data += mask_byte(mask)
            data += floats(observation) if shown else b""
    path.write_bytes(data)


def numbers(observation):
    return np.asarray(observation, dtype=np.float32).reshape(-1)


def floats(observation):
    return numbers(observation).tobytes()


def mask_byte(mask):
    return b"" if mask is None else bytes([sum(int(bit) << i for i, bit in enumerate(mask))])


def seeding():
    """numpy's draws and Gymnasium's samples, numbers beyond 2⁵³ and fractions as hexadecimal text."""
    seeds = [0, 1, 2, 42, 2**31, 2**32 - 1, 2**32, 2**63 + 5, 2**64 - 1]
    # Bounds of each width that numpy treats apart, and ones that make it reject draws.
    bounds = [(0, 2), (0, 6), (-5, 5), (3, 4), (0, 2**31 + 1), (0, 2**32), (0, 2**32 + 1), (0, 3 * 2**61), (0, 10),
              (-(2**63), 2**63 - 1), (0, 3)]
    probabilities = [0.1, 0.2, 0.05, 0.65]
    draws = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        draws.append({
            "seed": str(seed),
            "words": [str(word) for word in np.random.SeedSequence(seed).generate_state(4, np.uint64)],
            "random": [bits(rng.random()) for _ in range(4)],
            "uniform": [bits(rng.uniform(-0.05, 0.05)) for _ in range(4)],
            # An odd number of 32-bit draws, so that the buffered half survives what follows.
            "integers": [[str(low), str(high), str(int(rng.integers(low, high)))] for low, high in bounds * 3],
            "then_random": bits(rng.random()),
            "choice": [int(rng.choice(4, p=probabilities)) for _ in range(24)],
            "then_integers": [int(rng.integers(0, 1000)) for _ in range(3)],
        })
    samples = []
    box = spaces.Box(np.array([-2.0, 0.0, -1.5], np.float32), np.array([2.0, 1e-3, 700.0], np.float32))
    cases = [("discrete", spaces.Discrete(n), n) for n in (1, 2, 3, 5, 6, 18)]
    cases += [("multi_discrete", spaces.MultiDiscrete([32, 11, 2]), [32, 11, 2])]
    cases += [("box", box, [box.low.tolist(), box.high.tolist()])]
    for kind, space, size in cases:
        for seed in (0, 7, 2**40):
            space.seed(seed)
            drawn = [numbers(space.sample()).view(np.uint32).tolist() for _ in range(12)]
            samples.append({"kind": kind, "size": size, "seed": str(seed), "bits": drawn})
    mask = np.array([0, 1, 1, 0, 1, 0], np.int8)
    masked = spaces.Discrete(6, seed=11)
    return {
        "made_with": f"gymnasium {gymnasium.__version__}, numpy {np.__version__}",
        "probabilities": probabilities,
        "draws": draws,
        "samples": samples,
        "mask": mask.tolist(),
        "masked": [int(masked.sample(mask=mask)) for _ in range(20)],
    }


def sin_cos():
    """Angles with their correctly rounded sine and cosine, f64 little-endian: x, sin x, cos x, x, …"""
    draw = random.Random(1).uniform
    angles = [draw(-bound, bound) for bound in (1e-4, 0.05, 0.25, 0.8, 3.2, 7.0, 100.0) for _ in range(200)]
    return b"".join(struct.pack("<3d", x, series(x, 1), series(x, 0)) for x in angles)


def series(x, first):
    """The sum of ±xⁿ/n! over odd n (first = 1) or even n (first = 0), rounded once."""
    with decimal.localcontext() as context:
        context.prec = 150
        exact = decimal.Decimal(x)
        term, total, n = exact if first else decimal.Decimal(1), decimal.Decimal(0), first
        while abs(term) > decimal.Decimal("1e-80"):
            total += term
            term *= -exact * exact / ((n + 1) * (n + 2))
            n += 2
        return float(total)


def bits(value):
    return struct.pack(">d", value).hex()


if __name__ == "__main__":
    main()
