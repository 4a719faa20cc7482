"""The owner's own loop: an agent that is asked and shown."""

from __future__ import annotations

import types

import gymnasium
import numpy as np
import pytest
from envs_for_tests import Corridor, Masked, Spaces
from gymnasium import spaces

import requel

SETTINGS = {"preset": "notebook", "seed": 3, "replay": {"start": 60}, "train": {"env_steps": 700, "episodes": 0}}


def looped(agent, env, env_steps, seed):
    observation, _ = env.reset(seed=seed)
    for _ in range(env_steps):
        action = agent.act(observation)
        following, reward, terminated, truncated, _ = env.step(action)
        agent.observe(observation, action, reward, following, terminated, truncated)
        observation = env.reset()[0] if terminated or truncated else following
    return agent


def test_the_same_steps_give_the_same_weights_as_training(tmp_path):
    seeds = []

    class Told(gymnasium.Wrapper):
        def reset(self, *, seed=None, options=None):
            seeds.append(seed)
            return super().reset(seed=seed, options=options)

    trained = requel.train(lambda: Told(gymnasium.make("CartPole-v1")), run_dir=tmp_path / "run", **SETTINGS)
    # Small seeds are those by which it is found out whether the environment heeds seeds.
    seed = next(seed for seed in seeds if seed is not None and seed > 1_000)
    env = gymnasium.make("CartPole-v1")
    agent = looped(requel.AgentLoop(env.observation_space, env.action_space, algo=None, **SETTINGS), env, 700, seed)
    assert agent.weights_blake3 == trained.weights_blake3
    assert (agent.env_steps, agent.updates) == (700, trained.updates)
    assert agent.numbers()["episodes"] == trained.episodes and agent.numbers()["loss"] is None


def test_an_agent_that_was_saved_goes_on_as_the_one_that_was_not(tmp_path):
    def agent():
        return requel.AgentLoop(Corridor().observation_space, spaces.Discrete(2), **SETTINGS)

    first = looped(agent(), Corridor(), 200, 0)
    first.save(tmp_path / "states")
    second = agent().restore(tmp_path / "states")
    first.interrupt()
    assert second.weights_blake3 == first.weights_blake3 and second.env_steps == 200
    assert looped(first, Corridor(), 150, 1).weights_blake3 == looped(second, Corridor(), 150, 1).weights_blake3
    with pytest.raises(ValueError, match="no whole checkpoint"):
        agent().restore(tmp_path / "nothing")


def test_several_environments_are_acted_in_at_once():
    vector = gymnasium.vector.SyncVectorEnv([Corridor] * 3, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP)
    agent = requel.AgentLoop(vector.single_observation_space, vector.single_action_space, num_envs=3, **SETTINGS)
    seen, _ = vector.reset(seed=0)
    for _ in range(100):
        actions = agent.act(seen)
        following, rewards, terminated, truncated, info = vector.step(actions)
        last = following.copy()
        for slot in np.flatnonzero(terminated | truncated):
            last[slot] = info["final_obs"][slot]
        agent.observe(seen, actions, rewards, last, terminated, truncated)
        seen = following
    assert agent.env_steps == 300 and agent.updates == (300 - 60) // 4


def test_a_filled_buffer_is_learned_from():
    rng = np.random.default_rng(0)
    episodes = []
    for _ in range(60):
        env, done, terminations = Corridor(), False, []
        seen, actions, rewards = [env.reset(seed=int(rng.integers(99)))[0]], [], []
        while not done and len(actions) < 30:
            actions.append(int(rng.random() < 0.7))
            observation, reward, done, _, _ = env.step(actions[-1])
            seen.append(observation), rewards.append(reward), terminations.append(done)
        truncations = [False] * (len(actions) - 1) + [not done]
        episodes.append(types.SimpleNamespace(observations=np.array(seen), actions=actions, rewards=rewards, terminations=terminations, truncations=truncations))
    agent = requel.AgentLoop(Corridor().observation_space, spaces.Discrete(2), seed=1, replay={"start": 60, "batch_size": 32}, optimizer={"learning_rate": 3e-3}, agent={"gamma": 0.9}, target={"every_updates": 50})
    with pytest.raises(ValueError, match="the replay buffer holds 0"):
        agent.update(3)
    assert agent.fill(episodes) == sum(len(episode.actions) for episode in episodes)
    assert agent.update(1500) == 1500
    assert agent.evaluate(Corridor(), 5).mean_return == 1.0
    dicts = requel.AgentLoop(Corridor().observation_space, spaces.Discrete(2))
    assert dicts.fill([vars(episode) for episode in episodes[:2]]) > 0


@pytest.mark.parametrize("space", ["numbers", "parts"])
def test_a_data_set_of_minari_is_what_was_recorded(space, tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    pytest.importorskip("jax", reason="Minari records episodes with it")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))

    class Env(Corridor):
        spec = gymnasium.envs.registration.EnvSpec(id="Corridor-v0", entry_point="envs_for_tests:Corridor")

        def __init__(self):
            super().__init__()
            if space == "parts":
                self.observation_space = spaces.Dict({"at": self.observation_space, "kind": spaces.Discrete(3)})

        def _seen(self):
            at = super()._seen()
            return {"at": at, "kind": 1} if space == "parts" else at

    recorder, draws, by_hand = minari.DataCollector(Env()), np.random.default_rng(0), []
    for episode in range(30):
        seen, actions, rewards, ended = [recorder.reset(seed=episode)[0]], [], [], False
        # Where the recording of an episode stops, it is cut off.
        while not ended and len(actions) < 12:
            actions.append(int(draws.integers(2)))
            following, reward, ended, _, _ = recorder.step(actions[-1])
            seen.append(following)
            rewards.append(reward)
        gathered = {key: np.array([each[key] for each in seen]) for key in seen[0]} if space == "parts" else np.array(seen)
        terminations = [False] * (len(actions) - 1) + [ended]
        truncations = [False] * (len(actions) - 1) + [not ended]
        by_hand.append({"observations": gathered, "actions": actions, "rewards": rewards, "terminations": terminations, "truncations": truncations})
    data = recorder.create_dataset(dataset_id="corridor/random-v0", algorithm_name="random")
    learned = []
    for episodes in (data.iterate_episodes(), by_hand):
        agent = requel.AgentLoop(Env().observation_space, Env().action_space, seed=1, replay={"start": 60, "batch_size": 32})
        assert agent.fill(episodes) == sum(len(episode["actions"]) for episode in by_hand)
        assert agent.update(50) == 50
        learned.append(agent.weights_blake3)
    assert learned[0] == learned[1]


def test_masks_and_spaces_of_every_kind_hold():
    agent = requel.AgentLoop(Masked().observation_space, spaces.Discrete(2), masked=True, exploration={"kind": "constant", "start": 1.0})
    seen = np.array([0.1], np.float32)
    assert {int(agent.act(seen, [False, True])) for _ in range(30)} == {1}
    agent.observe(seen, 1, 0.0, seen, False, False, action_mask=[False, True], next_action_mask=[True, False])
    env = Spaces(spaces.Discrete(4, start=1), spaces.MultiDiscrete([2, 3]))
    combined = requel.AgentLoop(env.observation_space, env.action_space, **SETTINGS)
    assert looped(combined, env, 100, 0).updates == 10
    with pytest.raises(ValueError, match="not an action"):
        combined.observe(1, [7, 7], 0.0, 1, False, False)


def test_a_number_that_is_not_finite_is_refused():
    agent = requel.AgentLoop(Corridor().observation_space, spaces.Discrete(2))
    seen = np.zeros(1, np.float32)
    agent.act(seen)
    with pytest.raises(RuntimeError, match="reward is NaN"):
        agent.observe(seen, 0, float("nan"), seen, False, False)
    with pytest.raises(ValueError, match="NaN or infinite"):
        agent.observe(seen, 0, 0.0, np.array([np.inf]), False, False)
    assert agent.env_steps == 0
