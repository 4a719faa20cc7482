"""DQN with remote collectors, and what may happen to these."""

import functools
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import ray
import requel
import requel.ray
from ray_envs import Drift
from requel import _requel
from requel.ray._collector import Plan

SHORT = {
    "network": {"hidden": [16]},
    "replay": {"start": 64, "batch_size": 16, "capacity": 2000, "kind": "prioritized"},
    "agent": {"n_step": 3},
    "evaluation": {"every_steps": 0, "episodes": 2, "final_episodes": 2, "max_episode_steps": 50},
}
STEPS = 1200


def settings(**more):
    return {"seed": 5, "train": {"env_steps": STEPS, **more.pop("train", {})}, **SHORT, **more}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The weights of one process with four environments."""
    run = requel.train(Drift, run_dir=tmp_path_factory.mktemp("alone") / "run", **settings(train={"num_envs": 4}))
    return run.weights_blake3


def apex(env=Drift, **more):
    return requel.ray.ApexDQN(env, num_envs=4, num_collectors=2, num_cpus=1, **settings(**more))


def at(training, env_steps, do):
    """Do something once so many env steps are made, before the next block is asked for."""
    ask, waiting = training._ask, [do]

    def asked(worker, steps):
        if waiting and training._learner.progress()[0] >= env_steps:
            waiting.pop()()
        return ask(worker, steps)

    training._ask = asked


def test_lock_step_has_the_bits_of_one_process(cluster, alone):
    training = apex(lock_step=True)
    result = training.train()
    assert result.weights_blake3 == alone
    assert (result.env_steps, result.restarts) == (STEPS, 0)
    assert result.blocks["duplicate"] == result.blocks["late"] == result.blocks["missing"] == 0
    assert all(worker.actor is None for worker in training._workers)


def test_lock_step_goes_on_with_its_bits_after_an_actor_was_killed(cluster, alone, tmp_path, caplog):
    training = apex(lock_step=True, run_dir=tmp_path, checkpoint_every=200)
    at(training, 500, lambda: ray.kill(training._workers[1].actor))
    with caplog.at_level(logging.WARNING, "requel.ray"):
        result = training.train()
    assert result.weights_blake3 == alone
    assert result.restarts == 1 and "all return to the last checkpoint" in caplog.text


def test_freely_an_actor_that_is_killed_is_begun_anew_and_nothing_counts_twice(cluster, caplog):
    training = apex(functools.partial(Drift, seconds=0.001), block_steps=10)
    at(training, 400, lambda: ray.kill(training._workers[0].actor))
    with caplog.at_level(logging.WARNING, "requel.ray"):
        result = training.train()
    assert result.restarts == 1 and "restarting collector 0" in caplog.text
    # Each block that was taken is 10 steps of 2 environments, and there are no other steps.
    assert result.env_steps == 20 * result.blocks["taken"] >= STEPS


def test_a_raylet_that_dies_takes_no_training_with_it(cluster, caplog):
    training = apex(functools.partial(Drift, seconds=0.001), block_steps=10, train={"env_steps": 3000})
    at(training, 400, lambda: cluster.remove_node(cluster.workers[0], allow_graceful=False))
    with caplog.at_level(logging.WARNING, "requel.ray"):
        result = training.train()
    assert result.env_steps == 20 * result.blocks["taken"] >= 3000


def test_a_straggler_holds_nobody_up_and_is_begun_anew(cluster, tmp_path, caplog):
    trap = tmp_path / "trap"
    trap.touch()
    training = apex(functools.partial(Drift, str(trap), "hang"), block_steps=10, timeout=8.0)
    with caplog.at_level(logging.WARNING, "requel.ray"):
        result = training.train()
    assert not trap.exists()
    assert result.env_steps >= STEPS
    # The other one may have made all steps before it was missed.
    assert result.restarts == ("no answer in 8 s" in caplog.text)


def test_an_environment_that_fails_again_and_again_ends_training_with_its_error(cluster):
    class Broken(Drift):
        def step(self, action):
            raise ZeroDivisionError("by the environment")

    with pytest.raises(RuntimeError, match="by the environment"):
        apex(Broken).train()


def test_a_full_object_store_is_waited_for(cluster, caplog):
    # A block of 25 MB, four of which do not fit into a store.
    training = apex(functools.partial(Drift, numbers=40_000), block_steps=75, train={"env_steps": 600}, replay={**SHORT["replay"], "capacity": 200, "kind": "uniform"})
    held = [ray.put(bytes(30 * 1024 * 1024)) for _ in range(2)]
    result = training.train()
    del held
    assert result.env_steps == 150 * result.blocks["taken"] >= 600


def test_a_driver_that_is_killed_goes_on_with_its_bits(cluster, alone, tmp_path):
    script = textwrap.dedent("""
        import sys, ray
        ray.init(address=sys.argv[1], log_to_driver=False)
        from test_apex import apex
        result = apex(lock_step=True, run_dir=sys.argv[2], checkpoint_every=100).train()
        print(result.weights_blake3)
    """)
    arguments = [sys.executable, "-c", script, cluster.address, str(tmp_path / "run")]
    first = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=os.path.dirname(__file__))
    checkpoints = tmp_path / "run" / "checkpoints"
    while not (checkpoints.exists() and any(checkpoints.glob("ckpt-*"))):
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = subprocess.run(arguments, capture_output=True, text=True, cwd=os.path.dirname(__file__), check=True)
    assert second.stdout.split()[-1] == alone


def test_a_block_that_comes_twice_or_late_counts_once():
    plan = Plan(Drift, None, None, None, tuple((f"{s}", f"{s}.{k}", v) for s, part in {**SHORT, "train": {"env_steps": STEPS, "num_envs": 2}}.items() for k, v in part.items()))
    looked_at, config = plan.made()
    learner = _requel.Learner(config, looked_at.source)
    blocks = [_requel.Collector(config, plan.made()[0].source, (0, 2), (0, incarnation), False).collect(5, 0, 2) for incarnation in (0, 1)]
    assert [learner.ingest(blocks[number]) for number in (0, 0, 1, 0, 1)] == ["taken", "duplicate", "taken", "late", "duplicate"]
    assert learner.progress()[0] == 20
    assert learner.counts() == {"taken": 2, "duplicate": 2, "late": 1, "missing": 0, "stale": 0}
    with pytest.raises(ValueError, match="damaged"):
        learner.ingest(blocks[0][:-1] + b"x")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"num_collectors": 5}, "at least one environment"),
        ({"algo": "pqn"}, "pqn learns while it acts"),
        ({"checkpoint_every": 5}, "needs a run_dir"),
        ({"lock_step": True, "epsilons": [0.1, 0.2]}, "epsilons"),
    ],
)
def test_what_cannot_be_is_refused(more, words):
    with pytest.raises(ValueError, match=words):
        requel.ray.ApexDQN("CartPole-v1", **{"num_collectors": 2, "num_envs": 4, "train": {"env_steps": 100}, **more})
