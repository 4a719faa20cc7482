"""Plays an original MinAtar game at random: `minatar_random.py GAME GAMES` prints the return and the length of each game.

Actions are drawn evenly from the minimal action set; sticky actions and difficulty ramping are as the package has them.
The package is run as it is.
"""

import sys

import minatar
import numpy as np

name, games = sys.argv[1], int(sys.argv[2])
env = minatar.Environment(name)
env.seed(5)
draw = np.random.default_rng(1)
actions = env.minimal_action_set()
for _ in range(games):
    env.reset()
    total, length, ended = 0.0, 0, False
    while not ended:
        reward, ended = env.act(actions[draw.integers(len(actions))])
        total += float(reward)
        length += 1
    print(f"{total:g} {length}")
