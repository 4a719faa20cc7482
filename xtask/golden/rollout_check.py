#!/usr/bin/env python3
"""Compare `requel rollout` with the live Gymnasium, for seeds and actions that no committed trace has.

Usage: python rollout_check.py REQUEL_BINARY [--ids ID ...] [--seeds N] [--steps N] [--base N]

Needs gymnasium==1.4.0. Every observation must be equal as f32, every reward as f64, and both flags; where HORIZONS
names an environment, for so many steps of each episode. Prints one line per environment; the exit code is 1 if anything differs. The
seeds are drawn from --base, so that a failure can be repeated; another base gives other seeds.
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
# library, and its motion is chaotic: no bound holds for a whole episode. Env steps, from the start of each.
HORIZONS = {"Acrobot-v1": 100}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requel", metavar="REQUEL_BINARY")
    parser.add_argument("--ids", nargs="+", default=IDS)
    parser.add_argument("--seeds", type=int, default=10, help="how many fresh seeds per environment")
    parser.add_argument("--steps", type=int, default=500, help="at most so many steps per episode")
    parser.add_argument("--base", type=int, default=1, help="where the fresh seeds are drawn from")
    args = parser.parse_args()
    fresh = random.Random(args.base)
    failures = 0
    for env_id in args.ids:
        env = gymnasium.make(env_id)
        if not isinstance(env.action_space, spaces.Discrete):
            print(f"{env_id}: skipped, its actions are not discrete")
            continue
        steps, most = 0, min(args.steps, HORIZONS.get(env_id, args.steps))
        for _ in range(args.seeds):
            seed = fresh.randrange(2**32)
            expected, actions = episode(env, seed, most)
            fault = compare(expected, rollout(args.requel, env_id, seed, actions))
            steps += len(actions)
            if fault:
                failures += 1
                print(f"{env_id}: seed {seed}: {fault}; actions {','.join(map(str, actions))}")
        print(f"{env_id}: {args.seeds} seeds, {steps} steps compared")
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


def compare(expected, found):
    """What differs first, or None."""
    for line, ours in zip(expected, found):
        for key, value in line.items():
            if key not in ours:
                return f"step {line['step']}: no {key}"
            if key == "observation":
                value = np.asarray(value, np.float32).reshape(-1)
                other = np.asarray(ours[key], np.float32).reshape(-1)
                same = value.tobytes() == other.tobytes()
            else:
                other = ours[key]
                same = value == other
            if not same:
                return f"step {line['step']}: {key} {other} where {value} was expected"
    if len(expected) != len(found):
        return f"{len(found)} lines where {len(expected)} were expected"
    return None


if __name__ == "__main__":
    main()
