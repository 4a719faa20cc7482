"""A loop of your own: the agent is asked for actions and shown what came of them, and learns when that is due."""

import gymnasium

import requel


def main(env_steps=20_000):
    env = gymnasium.make("CartPole-v1")
    agent = requel.AgentLoop(env.observation_space, env.action_space, algo="double-dqn", seed=0)
    observation, _ = env.reset(seed=0)
    for step in range(1, env_steps + 1):
        action = agent.act(observation)
        following, reward, terminated, truncated, _ = env.step(action)
        agent.observe(observation, action, reward, following, terminated, truncated)
        observation = env.reset()[0] if terminated or truncated else following
        if step % 5000 == 0:
            numbers = agent.numbers()
            print(f"env step {step:,}: return {numbers['return_mean_100']}, loss {numbers['loss']}")
    score = agent.evaluate(gymnasium.make("CartPole-v1"), 20, seed=1000)
    print(f"greedy: {score.mean_return:.1f} ± {score.std_return:.1f} over {score.episodes} episodes")
    return agent


if __name__ == "__main__":
    main()
