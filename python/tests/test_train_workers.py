"""Training in environments that run in processes of their own."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import gymnasium
import numpy as np
import pytest
import requel

SHORT = {
    "network": {"hidden": [16]},
    "replay": {"start": 32, "batch_size": 16},
    "evaluation": {"every_steps": 0, "final_episodes": 2, "max_episode_steps": 50},
    "checkpoint": {"every_steps": 200},
    "log": {"every_steps": 100},
}


class Drift(gymnasium.Env):
    """A point that is pushed left and right; a step takes its time, and one of them may be the last of its process."""

    observation_space = gymnasium.spaces.Box(-10.0, 10.0, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.place = self.speed = 0.0
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.speed = self.np_random.uniform(-1, 1, 2)
        return self._shown(), {}

    def step(self, action):
        time.sleep(self.seconds)
        self.steps += 1
        if str(self.steps) == os.environ.get("DRIFT_DIES_AT") and multiprocessing.parent_process() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        self.speed += (0.1 if action else -0.1) + self.np_random.normal() * 0.01
        self.place += self.speed
        return self._shown(), 1.0 - abs(self.place), bool(abs(self.place) > 5), False, {}

    def _shown(self):
        return np.array([self.place, self.speed], np.float32).clip(-10, 10)


class Limited(Drift):
    """One that cannot be saved."""

    def __reduce_ex__(self, protocol):
        raise TypeError("no")


def train(tmp_path, name, make=Drift, env_steps=900, **more):
    return requel.train(make, seed=3, run_dir=tmp_path / name, train={"env_steps": env_steps, **more.pop("train", {})}, **SHORT, **more)


def children():
    return {process.pid for process in multiprocessing.active_children()}


def test_the_weights_are_those_of_as_many_environments_in_one_process(tmp_path):
    here = train(tmp_path, "here", train={"num_envs": 3})
    there = train(tmp_path, "there", num_workers=3)
    assert here.weights_blake3 == there.weights_blake3
    assert here.exactness == there.exactness == "bits"
    assert not children()
    read = [(run.dir / "metrics.jsonl").read_bytes() for run in (here, there)]
    assert read[0] == read[1]


def test_a_run_that_is_stopped_by_ctrl_c_goes_on_with_its_bits_in_new_processes(tmp_path):
    whole = train(tmp_path, "whole", num_workers=2)
    pressed = []

    def press(event):
        # A terminal tells all processes.
        if getattr(event, "env_steps", 0) >= 500 and not pressed:
            pressed.extend([*children(), os.getpid()])
            for pid in pressed:
                os.kill(pid, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, "stopped", num_workers=2, callback=press)
    assert len(pressed) == 3 and not children()
    resumed = requel.resume(tmp_path / "stopped", Drift, num_workers=2)
    assert resumed.weights_blake3 == whole.weights_blake3
    assert not children()


def test_a_worker_that_dies_is_named_and_the_run_goes_on(tmp_path, monkeypatch):
    whole = train(tmp_path, "whole", num_workers=2)
    with pytest.raises(requel.WorkerDied, match=r"environment [01] ended by SIGKILL.*requel.resume") as died:
        monkeypatch.setenv("DRIFT_DIES_AT", "300")
        train(tmp_path, "died", num_workers=2)
    monkeypatch.delenv("DRIFT_DIES_AT")
    assert died.value.exit_code == -signal.SIGKILL
    assert not children()
    resumed = requel.resume(tmp_path / "died", Drift, num_workers=2)
    assert resumed.weights_blake3 == whole.weights_blake3


def test_what_an_environment_raises_in_its_process_comes_out_and_nothing_is_left(tmp_path):
    class Broken(Drift):
        def step(self, action):
            if self.np_random.uniform() < 0.01:
                raise ZeroDivisionError("by the environment")
            return super().step(action)

    with pytest.raises(ZeroDivisionError, match="by the environment"):
        train(tmp_path, "broken", Broken, num_workers=2)
    assert not children()


def test_eight_workers_step_a_slow_environment_seven_times_as_often(tmp_path):
    def rate(workers):
        begun = time.perf_counter()
        env = requel.workers(lambda: Drift(seconds=0.02), workers)
        try:
            env.reset(seed=0)
            begun, steps = time.perf_counter(), 40
            for _ in range(steps):
                env.step(np.zeros(workers, int))
            return workers * steps / (time.perf_counter() - begun)
        finally:
            env.close()

    # The machine may be busy for a moment; it is not faster than it is.
    assert any(rate(8) >= 7 * rate(1) for _ in range(3))


def test_an_environment_that_cannot_be_saved_is_said_to_begin_new_episodes(tmp_path):
    run = train(tmp_path, "limited", Limited, env_steps=300, num_workers=2)
    assert run.exactness == "new episodes"


@pytest.mark.parametrize(
    ("env", "count", "settings", "error"),
    [
        ("CartPole-v1", 2, {}, TypeError),
        (Drift(), 2, {}, TypeError),
        (Drift, 0, {}, ValueError),
        (Drift, 2, {"train": {"num_envs": 3}}, ValueError),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(tmp_path, env, count, settings, error):
    with pytest.raises(error, match="num_workers"):
        requel.train(env, num_workers=count, run_dir=tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists() and not children()


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks into /proc")
def test_nothing_is_left_of_a_training_that_was_killed(tmp_path):
    script = textwrap.dedent("""
        import sys, requel
        sys.path.insert(0, sys.argv[1])
        from test_train_workers import Drift, SHORT
        requel.train(lambda: Drift(seconds=0.005), num_workers=3, run_dir=sys.argv[2], train={"env_steps": 1_000_000}, **SHORT)
    """)
    arguments = [sys.executable, "-c", script, os.path.dirname(__file__), str(tmp_path / "run")]
    training = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(descendants(training.pid)) >= 3 and (tmp_path / "run" / "metrics.jsonl").exists())
        left = descendants(training.pid)
    finally:
        training.kill()
        training.wait()
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in left))


def descendants(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as children_of:
            found += [int(child) for child in children_of.read().split()]
    return found


def wait_until(holds, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
