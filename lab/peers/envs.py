"""How fast the original environments step: `envs.py ID...` prints one line of JSON per environment.

Gymnasium's are measured as a user has them, through `make`, and 1024 of them through `make_vec`: in the environment's own vector
form where it has one, else one after the other in Python. MinAtar's are measured without Gymnasium around them, which is
their fastest form: an action, then the observation.

Actions are drawn beforehand, at random. Each figure is the median over samples, steps of one environment per second.
"""

import importlib.metadata
import json
import statistics
import sys
import time

import gymnasium
import minatar
import numpy as np

SECONDS = 0.8  # per figure
SAMPLE = 256  # steps of one environment
VECTOR = 1024  # environments


def rate(step, steps_per_call):
    """The median rate of `step`, which makes so many steps of one environment each time."""
    step()
    samples = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(samples) < 3:
        begin = time.perf_counter()
        step()
        samples.append(steps_per_call / (time.perf_counter() - begin))
    return statistics.median(samples)


def gymnasium_single(name):
    env = gymnasium.make(name)
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(SAMPLE)]

    def step():
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()

    return rate(step, SAMPLE)


def gymnasium_vector(name):
    own = gymnasium.spec(name).vector_entry_point is not None
    mode = "vector_entry_point" if own else "sync"
    envs = gymnasium.make_vec(name, num_envs=VECTOR, vectorization_mode=mode)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    actions = [envs.action_space.sample() for _ in range(8)]
    state = {"next": 0}

    def step():
        state["next"] = (state["next"] + 1) % len(actions)
        envs.step(actions[state["next"]])

    return rate(step, VECTOR), mode


def minatar_single(name):
    game = {"SpaceInvaders": "space_invaders"}.get(name, name.lower())
    env = minatar.Environment(game)
    env.seed(0)
    env.reset()
    actions = np.random.default_rng(0).choice(env.minimal_action_set(), SAMPLE).tolist()

    def step():
        for action in actions:
            _, terminated = env.act(action)
            env.state()
            if terminated:
                env.reset()

    return rate(step, SAMPLE)


def measured(name):
    if name.startswith("MinAtar/"):
        version = importlib.metadata.version("minatar")
        game = name.removeprefix("MinAtar/").rsplit("-", 1)[0]
        return {"single": minatar_single(game), "vector": None, "mode": None, "program": f"minatar {version}"}
    vector, mode = gymnasium_vector(name)
    program = f"gymnasium {gymnasium.__version__}"
    return {"single": gymnasium_single(name), "vector": vector, "mode": mode, "program": program}


for name in sys.argv[1:]:
    print(json.dumps({"id": name, **measured(name)}), flush=True)
