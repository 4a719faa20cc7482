"""Deep Q-learning with replay as the notebook does it, in PyTorch: `notebook_torch.py ENV_STEPS` trains for so many steps
and prints one line of JSON with what they took.

One choice is ours: the target is detached (the notebook's equation, and the preset `notebook`), which is also less work.
"""

import collections
import json
import random
import sys
import time

import gymnasium
import numpy as np
import torch
from torch import nn

CAPACITY = 2000  # transitions
BATCH = 32  # transitions
START = 200  # transitions; learns when the buffer holds more
EVERY = 4  # env steps per update
GAMMA = 0.9
EPSILON = 0.1


def train(env_steps):
    """Trains for `env_steps` and says how many updates there were and how many seconds it took."""
    torch.manual_seed(0)
    random.seed(0)
    env = gymnasium.make("CartPole-v1")
    inputs = int(np.prod(env.observation_space.shape))
    actions = int(env.action_space.n)
    network = nn.Sequential(
        nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, actions)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    replay = collections.deque(maxlen=CAPACITY)
    updates = 0

    begin = time.perf_counter()
    observation, _ = env.reset(seed=0)
    for step in range(1, env_steps + 1):
        if random.random() < EPSILON:
            action = random.randrange(actions)
        else:
            with torch.no_grad():
                action = int(network(torch.as_tensor(observation).unsqueeze(0)).argmax(dim=1))
        following, reward, terminated, truncated, _ = env.step(action)
        replay.append((observation, action, reward, following, terminated))
        observation = env.reset()[0] if terminated or truncated else following
        if step % EVERY == 0 and len(replay) > START:
            learn(network, optimizer, random.sample(replay, BATCH))
            updates += 1
    return updates, time.perf_counter() - begin


def learn(network, optimizer, batch):
    """One step of Adam on the mean squared TD error of `batch`."""
    observations, actions, rewards, followings, terminated = zip(*batch)
    observations = torch.as_tensor(np.stack(observations))
    followings = torch.as_tensor(np.stack(followings))
    actions = torch.as_tensor(actions).unsqueeze(1)
    rewards = torch.as_tensor(rewards, dtype=torch.float32)
    goes_on = 1.0 - torch.as_tensor(terminated, dtype=torch.float32)
    with torch.no_grad():
        targets = rewards + goes_on * GAMMA * network(followings).max(dim=1).values
    values = network(observations).gather(1, actions).squeeze(1)
    loss = nn.functional.mse_loss(values, targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def main():
    torch.set_num_threads(1)
    env_steps = int(sys.argv[1])
    # What is allocated and looked up once is not what is measured.
    train(500)
    updates, seconds = train(env_steps)
    versions = f"torch {torch.__version__}, gymnasium {gymnasium.__version__}"
    print(json.dumps({"env_steps": env_steps, "updates": updates, "seconds": seconds, "versions": versions}))


if __name__ == "__main__":
    main()
