"""Stable-Baselines3's DQN on CartPole-v1 with the settings of the preset `cartpole-zoo`: `sb3_dqn.py ENV_STEPS` trains for
so many steps and prints one line of JSON with what they took.
"""

import json
import sys
import time

import gymnasium
import stable_baselines3
import torch


def model():
    """A fresh learner; the settings are those that RL Baselines3 Zoo gives for this environment."""
    return stable_baselines3.DQN(
        "MlpPolicy",
        gymnasium.make("CartPole-v1"),
        learning_rate=2.3e-3,
        batch_size=64,
        buffer_size=100_000,
        learning_starts=1000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=256,
        gradient_steps=128,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs={"net_arch": [256, 256]},
        seed=0,
        device="cpu",
    )


def main():
    torch.set_num_threads(1)
    env_steps = int(sys.argv[1])
    learner = model()
    begin = time.perf_counter()
    learner.learn(env_steps)
    seconds = time.perf_counter() - begin
    versions = f"stable-baselines3 {stable_baselines3.__version__}, torch {torch.__version__}"
    # It stops at the end of a round of 256 env steps, so it may make a few more than asked.
    counts = {"env_steps": learner.num_timesteps, "updates": learner._n_updates}
    print(json.dumps({**counts, "seconds": seconds, "versions": versions}))


if __name__ == "__main__":
    main()
