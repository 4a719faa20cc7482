#!/usr/bin/env python3
"""Compare `requel rollout` with the live Gymnasium, for seeds and actions that no committed trace has.

Usage: python rollout_check.py REQUEL_BINARY [--ids ID ...] [--seeds N] [--steps N]

Needs gymnasium==1.4.0. Every observation must be equal as f32, every reward as f64, and both flags; only where BOUNDS
names a world may observations differ, by no more than it says. Prints one line per world; the exit code is 1 if
anything differs otherwise.
"""

import argparse
import json
import random
import subprocess
import sys

import gymnasium
import numpy as np
from gymnasium import spaces

IDS = [
    "CartPole-v0",
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "FrozenLake-v1",
    "FrozenLake8x8-v1",
    "CliffWalking-v1",
    "CliffWalkingSlippery-v1",
    "Taxi-v4",
    "Blackjack-v1",
]

# Acrobot integrates four times per step with sines and squares whose last bits, in the original, are those of the C
# library; some hundred steps make a difference visible. Absolute, in units of the observation.
BOUNDS = {"Acrobot-v1": 1e-4}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requel", metavar="REQUEL_BINARY")
    parser.add_argument("--ids", nargs="+", default=IDS)
    parser.add_argument("--seeds", type=int, default=10, help="how many fresh seeds per world")
    parser.add_argument("--steps", type=int, default=500, help="at most so many steps per episode")
    args = parser.parse_args()
    fresh = random.SystemRandom()
    failures = 0
    for env_id in args.ids:
        env = gymnasium.make(env_id)
        if not isinstance(env.action_space, spaces.Discrete):
            print(f"{env_id}: skipped, its actions are not discrete")
            continue
        steps, apart = 0, [0.0]
        for _ in range(args.seeds):
            seed = fresh.randrange(2**32)
            expected, actions = episode(env, seed, args.steps)
            fault, distance = compare(expected, rollout(args.requel, env_id, seed, actions), BOUNDS.get(env_id, 0.0))
            apart += [distance] if distance > 0 else []
            steps += len(actions)
            if fault:
                failures += 1
                print(f"{env_id}: seed {seed}: {fault}; actions {','.join(map(str, actions))}")
        differing = f", observations of {len(apart) - 1} differ, by at most {max(apart):.1e}" if len(apart) > 1 else ""
        print(f"{env_id}: {args.seeds} seeds, {steps} steps compared{differing}")
    sys.exit(1 if failures else 0)


def episode(env, seed, most):
    """One episode of the original under random actions, as the lines that the rollout should print."""
    observation, _ = env.reset(seed=seed)
    env.action_space.seed(seed)
    lines = [{"step": 0, "observation": observation}]
    actions, over = [], False
    while not over and len(actions) < most:
        # Runs of one action reach more of the state space than single random ones.
        action = int(env.action_space.sample())
        for _ in range(1 + seed % 3):
            if over or len(actions) >= most:
                break
            observation, reward, terminated, truncated, _ = env.step(action)
            over = terminated or truncated
            actions.append(action)
            lines.append({"step": len(actions), "action": action, "observation": observation,
                          "reward": float(reward), "terminated": bool(terminated), "truncated": bool(truncated)})
    return lines, actions


def rollout(requel, env_id, seed, actions):
    command = [requel, "rollout", env_id, "--seed", str(seed), "--actions", ",".join(map(str, actions)), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nexit code {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(expected, found, bound):
    """What differs first, or None; and by how much observations differ at most, if that is within the bound."""
    distance = 0.0
    for line, ours in zip(expected, found):
        for key, value in line.items():
            if key not in ours:
                return f"step {line['step']}: no {key}", distance
            if key == "observation":
                value = np.asarray(value, np.float32).reshape(-1)
                other = np.asarray(ours[key], np.float32).reshape(-1)
                same = value.shape == other.shape and value.tobytes() == other.tobytes()
                if not same and value.shape == other.shape and np.abs(value - other).max() <= bound:
                    same, distance = True, max(distance, float(np.abs(value - other).max()))
            else:
                other = ours[key]
                same = value == other
            if not same:
                return f"step {line['step']}: {key} {other} where {value} was expected", distance
    if len(expected) != len(found):
        return f"{len(found)} lines where {len(expected)} were expected", distance
    return None, distance


if __name__ == "__main__":
    main()
