"""Learning from recorded episodes: a data set of Minari that is made here, by random actions. `pip install minari[hdf5]`.

What plain DQN learns from data alone is often worse than the data, since it overestimates actions that the data lacks. Random actions
lack none.
"""

import os
import tempfile

import gymnasium
import minari

import requel


def record(episodes):
    """Episodes of random actions, as a data set."""
    env = minari.DataCollector(gymnasium.make("CartPole-v1"))
    env.action_space.seed(0)
    for episode in range(episodes):
        env.reset(seed=episode)
        ended = False
        while not ended:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            ended = terminated or truncated
    return env.create_dataset(dataset_id="cartpole/random-v0", algorithm_name="random")


def main(env_steps=20_000):
    os.environ["MINARI_DATASETS_PATH"] = tempfile.mkdtemp()
    data = record(episodes=env_steps // 20)
    env = gymnasium.make("CartPole-v1")
    agent = requel.AgentLoop(env.observation_space, env.action_space, algo="double-dqn", seed=0)
    stored = agent.fill(data.iterate_episodes())
    agent.update(env_steps)
    score = agent.evaluate(env, 20)
    print(f"{stored} transitions of random play; mean return {score.mean_return:.1f}")
    return stored, score


if __name__ == "__main__":
    main()
