"""Settings that papers give for Atari, each number with its source and unit. An env step is one action, held for four frames.

Where a paper counts frames its number is divided by four. What requel has otherwise is noted: policies are scored greedily, without the
ε of 0.05 or 0.001 that the papers evaluate with, and the last evaluation is bounded, since whole games outlast a short training.
"""

from __future__ import annotations

from typing import Any

Sections = dict[str, dict[str, Any]]

#: Frames of one episode at most: 30 minutes of play (Mnih et al. 2015 have 5, Hessel et al. 2018 and all after them 30).
FRAMES_PER_EPISODE = 108_000
#: Frames that each action is held for.
FRAME_SKIP = 4

#: Channels, kernel and stride (Mnih et al. 2015).
_NATURE = {"conv": [[32, 8, 4], [64, 4, 2], [64, 3, 1]], "hidden": [512], "activation": "relu", "init": "pytorch-linear"}
#: Channels, kernel and stride, and units (van Hasselt et al. 2019).
_DATA_EFFICIENT = {"conv": [[32, 5, 5], [64, 5, 5]], "hidden": [256], "activation": "relu", "init": "pytorch-linear"}
#: requel's choice: what a CPU plays in minutes. The papers' is 100 episodes of Atari-100k, and half an hour of play elsewhere.
_SCORED = {"final_episodes": 10, "max_episode_steps": FRAMES_PER_EPISODE // FRAME_SKIP, "episodes": 5}
#: 51 atoms from -10 to 10 (Bellemare et al. 2017).
_CATEGORICAL = {"kind": "categorical", "atoms": 51, "v_min": -10.0, "v_max": 10.0}
#: α and β (Hessel et al. 2018), β up to 1 at the end of the budget.
_PRIORITIZED = {"kind": "prioritized", "priority_exponent": 0.5, "importance_start": 0.4, "importance_end": 1.0}
#: The noise explores (Hessel et al. 2018).
_NO_EPSILON = {"kind": "constant", "start": 0.0, "end": 0.0}

PRESETS: dict[str, Sections] = {
    # Mnih et al. 2015, "Human-level control through deep reinforcement learning".
    "atari-dqn": {
        "agent": {"kind": "dqn", "gamma": 0.99, "double": False, "n_step": 1, "reward_clip": 1.0},
        "network": _NATURE,
        "optimizer": {
            "kind": "rmsprop",
            "learning_rate": 2.5e-4,
            "alpha": 0.95,  # both averages of gradients
            "centered": True,
            "momentum": 0.0,
            # Theirs is 0.01 under the root, of gradients that are summed over the batch; here they are averaged: √0.01 / 32.
            "epsilon": 3.125e-3,
        },
        "loss": {"kind": "huber", "delta": 1.0},  # their clipped error
        "replay": {"kind": "uniform", "capacity": 1_000_000, "batch_size": 32, "start": 50_000},
        "target": {"kind": "hard", "every_updates": 10_000, "every_env_steps": 0},
        "exploration": {"kind": "linear", "start": 1.0, "end": 0.1, "env_steps": 1_000_000, "random_env_steps": 50_000},
        "train": {"env_steps": 50_000_000, "episodes": 0, "every_steps": 4, "updates": 1},
        "evaluation": {**_SCORED, "every_steps": 1_000_000},
    },
    # Hessel et al. 2018, "Rainbow: Combining Improvements in Deep Reinforcement Learning".
    "atari-rainbow": {
        "agent": {"kind": "dqn", "gamma": 0.99, "double": True, "n_step": 3, "reward_clip": 1.0},
        "head": _CATEGORICAL,
        "network": {**_NATURE, "dueling": True, "noisy": True, "noisy_sigma": 0.5},
        "optimizer": {"kind": "adam", "learning_rate": 6.25e-5, "epsilon": 1.5e-4},
        "replay": {**_PRIORITIZED, "capacity": 1_000_000, "batch_size": 32, "start": 20_000},  # 80,000 frames
        "target": {"kind": "hard", "every_updates": 0, "every_env_steps": 8_000},  # 32,000 frames
        "exploration": _NO_EPSILON,
        "train": {"env_steps": 50_000_000, "episodes": 0, "every_steps": 4, "updates": 1},
        "evaluation": {**_SCORED, "every_steps": 1_000_000},
    },
    # van Hasselt, Hessel & Aslanides 2019, "When to use parametric models in reinforcement learning?": data-efficient Rainbow.
    "atari-100k-der": {
        "agent": {"kind": "dqn", "gamma": 0.99, "double": True, "n_step": 20, "reward_clip": 1.0},
        "head": _CATEGORICAL,
        # The scale of the noise is that of Kaixhin's implementation.
        "network": {**_DATA_EFFICIENT, "dueling": True, "noisy": True, "noisy_sigma": 0.1},
        "optimizer": {"kind": "adam", "learning_rate": 1e-4, "epsilon": 1.5e-4},
        "replay": {**_PRIORITIZED, "capacity": 100_000, "batch_size": 32, "start": 1_600},  # all that the budget gives
        "target": {"kind": "hard", "every_updates": 2_000, "every_env_steps": 0},
        "exploration": {**_NO_EPSILON, "random_env_steps": 1_600},
        "train": {"env_steps": 100_000, "episodes": 0, "every_steps": 1, "updates": 1},
        "evaluation": {**_SCORED, "every_steps": 0},
        "checkpoint": {"every_steps": 25_000},
    },
    # DrQ(ε): the DQN of Yarats, Kostrikov & Fergus 2021 with the ε of Agarwal et al. 2021, as Dopamine has it: pictures are shifted by up to 4 pixels and
    # made brighter or darker. Here they stay bytes: values are rounded, and cut at 255.
    "atari-100k-drq-eps": {
        "agent": {"kind": "dqn", "gamma": 0.99, "double": True, "n_step": 10, "reward_clip": 1.0},
        "network": {**_NATURE, "dueling": True},
        "optimizer": {"kind": "adam", "learning_rate": 1e-4, "epsilon": 1.5e-4},
        "loss": {"kind": "huber", "delta": 1.0},
        "replay": {
            "kind": "uniform",
            "capacity": 100_000,  # all that the budget gives
            "batch_size": 32,
            "start": 1_600,
            "augmentation": "shift-intensity",
        },
        "target": {"kind": "hard", "every_updates": 1, "every_env_steps": 0},
        # Dopamine's ε begins to fall after the first 1,600.
        "exploration": {"kind": "linear", "start": 1.0, "end": 0.01, "env_steps": 6_600, "random_env_steps": 1_600},
        "train": {"env_steps": 100_000, "episodes": 0, "every_steps": 1, "updates": 1},
        "evaluation": {**_SCORED, "every_steps": 0},
        "checkpoint": {"every_steps": 25_000},
    },
}
