"""rejax's DQN on gymnax's CartPole-v1 with the settings of the preset `cartpole-zoo`, as far as it has them:
`rejax_dqn.py ENV_STEPS` trains for so many steps and prints one line of JSON with what they took, compilation aside.

It makes a fixed number of updates after each step of its environments, so that 128 updates per 256 env steps are here 1 per step
of 2 environments. Its time includes nothing that is not training: the evaluation it would make is replaced by a constant.
"""

import importlib.metadata
import json
import sys
import time

import jax
from flax import linen as nn
from rejax import get_algo
from rejax.networks import DiscreteQNetwork, EpsilonGreedyPolicy

ENVS = 2
START = 1000  # env steps before learning


def main():
    env_steps = int(sys.argv[1])
    algorithm = get_algo("dqn").create(
        env="CartPole-v1",
        total_timesteps=env_steps,
        eval_freq=env_steps,
        skip_initial_evaluation=True,
        num_envs=ENVS,
        num_epochs=1,
        learning_rate=2.3e-3,
        gamma=0.99,
        max_grad_norm=10.0,
        buffer_size=100_000,
        fill_buffer=START,
        batch_size=64,
        target_update_freq=10,
        exploration_fraction=0.16,
        eps_end=0.04,
        ddqn=False,
    )
    network = EpsilonGreedyPolicy(DiscreteQNetwork)(
        hidden_layer_sizes=(256, 256), action_dim=2, activation=nn.relu
    )
    algorithm = algorithm.replace(agent=network, eval_callback=lambda algorithm, state, rng: 0.0)
    train = jax.jit(lambda rng: algorithm.train(rng)[0]).lower(jax.random.PRNGKey(0)).compile()

    begin = time.perf_counter()
    jax.block_until_ready(train(jax.random.PRNGKey(0)))
    seconds = time.perf_counter() - begin
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("rejax", "gymnax", "jax"))
    # It learns in each iteration that begins with more env steps behind it than it fills the buffer with.
    updates = (env_steps - START) // ENVS - 1
    print(json.dumps({"env_steps": env_steps, "updates": updates, "seconds": seconds, "versions": versions}))


if __name__ == "__main__":
    main()
