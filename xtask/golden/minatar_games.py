#!/usr/bin/env python3
"""Record games of the original MinAtar, run as a black box, for the tests of requel-envs to replay.

Usage: python minatar_games.py OUT_DIR

Needs the package MinAtar==1.0.15, which is GPL-3: it is run, never read, and nothing of it goes into requel. Writes
`minatar-<game>.games`: one record per game, little-endian, without sticky actions:

    u32  number of frames
    bits the board before the first frame, rows from the top, then columns, then channels; eight cells per byte, the first
         in the highest bit
    per frame:
        u8   action, an index of the minimal set
        u8   reward
        u8   1 if the game is over
        u32  FNV-1a hash of the bytes of the board's bits
        bits the board, in the games where something appears at random (Asterix, Freeway, Seaquest), and then only where
             the flag 2 is set beside the one for the end
"""

import random
import struct
import sys
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
from minatar import Environment  # noqa: E402


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    never = lambda *_: False  # noqa: E731
    plans = [
        # The last three seeds clear the wall, after which it is built anew.
        ("breakout", follow, [*range(30), 81, 170, 234], 800, never),
        ("space_invaders", dodge, range(30), 400, never),
        # New cars after each crossing.
        ("freeway", cross, range(20), 400, lambda reward, *_: reward > 0),
        # Something new, or something gone, in a row.
        ("asterix", wander, range(40), 300, appears),
        ("seaquest", dive, range(24), 300, appears),
    ]
    for game, rule, seeds, most, shows in plans:
        path = out / f"minatar-{game}.games"
        path.write_bytes(b"".join(record(game, rule, seed, most, shows) for seed in seeds))
        print(f"{path.name}: {path.stat().st_size} bytes")


def record(game, rule, seed, most, shows):
    env = Environment(game, sticky_action_prob=0.0)
    env.seed(seed)
    env.reset()
    actions, rng = env.minimal_action_set(), random.Random(seed)
    board = env.state()
    data, frames, over = bytearray(packed(board)), 0, False
    while not over and frames < most:
        action = rule(board, rng)
        reward, over = env.act(actions[action])
        before, board = board, env.state()
        shown = shows(reward, before, board)
        data += struct.pack("<BBBI", action, int(reward), int(over) | shown << 1, fnv1a(packed(board)))
        data += packed(board) if shown else b""
        frames += 1
    return struct.pack("<I", frames) + bytes(data)


def packed(board):
    return np.packbits(board.astype(bool).reshape(-1)).tobytes()


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def appears(_, before, board):
    """Whether the outer columns changed, where things come from."""
    return bool((before[:9, [0, 1, 8, 9], 1:] != board[:9, [0, 1, 8, 9], 1:]).any())


def place(board, channel):
    return tuple(int(v) for v in np.argwhere(board[:, :, channel])[0])


def follow(board, rng):
    """Breakout: under the ball or where it will be, now and then astray."""
    (_, paddle), (_, ball), (_, trail) = (place(board, channel) for channel in (0, 1, 2))
    target = min(9, max(0, ball + (ball - trail) * rng.randrange(2)))
    if rng.random() < 0.03:
        return rng.randrange(3)
    return 0 if target == paddle else 1 if target < paddle else 2


def dodge(board, rng):
    """Space Invaders: out of the way of bullets, else shooting."""
    _, cannon = place(board, 0)
    danger = [bool(board[6:10, column, 5].any()) for column in range(10)]
    if danger[cannon]:
        return 1 if cannon > 0 and not danger[cannon - 1] else 2
    return 3 if rng.random() < 0.6 else rng.randrange(4)


def cross(board, rng):
    return 1 if rng.random() < 0.9 else rng.randrange(3)


def wander(board, rng):
    """Asterix: away from an enemy in the row, else about."""
    row, column = place(board, 0)
    enemies = np.argwhere(board[row, :, 1])
    if len(enemies) and abs(int(enemies[0][0]) - column) < 4:
        return rng.choice([2, 4])
    return rng.randrange(5)


def dive(board, rng):
    """Seaquest: about under water, up with divers or with little oxygen."""
    row, _ = place(board, 0)
    divers, oxygen = int(board[9, :, 8].sum()), int(board[9, :, 7].sum())
    if divers >= 1 and oxygen <= 6:
        return 2
    action = rng.randrange(6)
    return action if action != 2 or row > 2 else 4


if __name__ == "__main__":
    main()
