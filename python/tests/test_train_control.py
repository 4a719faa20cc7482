"""Stopping, callbacks, threads and processes: none of it may change a result, lose a step or hang."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import gymnasium
import pytest
from envs_for_tests import Corridor

import requel
from requel import events
from requel._environments import Environment

BRIEF = {"train": {"env_steps": 3000, "episodes": 0}, "evaluation": {"every_episodes": 0, "every_steps": 1000, "episodes": 2, "final_episodes": 2}, "log": {"every_steps": 250}}
LIMIT = 60


@pytest.fixture
def program():
    """Starts a Python process that runs a text, and ends with the test."""
    started = []

    def start(text):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=os.path.dirname(__file__),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_tests_hear_ctrl_c_also_where_a_shell_runs_them_in_the_background():
    heard = "import conftest, signal; conftest.hear_ctrl_c(); assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"

    def ignore():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    subprocess.run([sys.executable, "-c", heard], cwd=os.path.dirname(__file__), preexec_fn=ignore, check=True)


INTERRUPTED = """
    import gymnasium, requel
    def heard(event):
        print("at", event.env_steps, flush=True)
    try:
        requel.train({env}, run_dir={dir!r}, callback=heard, seed=4, train={{"env_steps": 10**8, "episodes": 0}},
            preset="notebook", log={{"every_steps": 500}}, evaluation={evaluation})
    except KeyboardInterrupt as error:
        print("stopped:", error)
"""


ENVS = {"ours": '"CartPole-v1"', "theirs": 'lambda: gymnasium.make("CartPole-v1")'}


@pytest.mark.parametrize("env", ENVS.values(), ids=ENVS)
def test_ctrl_c_stops_at_a_whole_step_and_saves(tmp_path, program, env):
    process = program(INTERRUPTED.format(env=env, dir=str(tmp_path / "run"), evaluation={"every_episodes": 0}))
    interrupt(process)
    run = stopped(process, tmp_path / "run")
    made = int(max(os.listdir(run.dir / "checkpoints")).removeprefix("ckpt-"))
    given = eval(env)  # noqa: S307
    resumed = requel.resume(run.dir, given, train={"env_steps": made + 20}, evaluation={"final_episodes": 1})
    whole = requel.train(given, run_dir=tmp_path / "whole", preset="notebook", seed=4, train={"env_steps": made + 20, "episodes": 0}, evaluation={"every_episodes": 0, "final_episodes": 1})
    assert resumed.weights_blake3 == whole.weights_blake3


def test_ctrl_c_gives_up_an_evaluation_that_takes_long(tmp_path, program):
    endless = {"every_episodes": 1, "episodes": 1_000_000}
    # Side by side: each has two seconds' patience.
    processes = {name: program(INTERRUPTED.format(env=env, dir=str(tmp_path / name), evaluation=endless)) for name, env in ENVS.items()}
    for process in processes.values():
        interrupt(process)
    for name, process in processes.items():
        stopped(process, tmp_path / name)


def interrupt(process):
    """Presses Ctrl-C once training goes on."""
    process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)


def stopped(process, run_dir):
    """What was stopped is whole, and not over."""
    output, errors = process.communicate(timeout=LIMIT)
    assert "stopped: stopped after a complete step" in output, errors
    run = requel.Run(run_dir)
    assert not run.is_finished
    return run


def test_a_callback_sees_frozen_events_and_changes_no_bits(tmp_path):
    heard = []
    watched = requel.train("CartPole-v1", preset="notebook", run_dir=tmp_path / "watched", callback=[heard.append, print], **BRIEF)
    alone = requel.train("CartPole-v1", preset="notebook", run_dir=tmp_path / "alone", **BRIEF)
    assert watched.weights_blake3 == alone.weights_blake3
    kinds = {type(event) for event in heard}
    assert {events.EpisodeEnded, events.Progress, events.Evaluated, events.FinalEvaluated, events.CheckpointSaved} <= kinds
    progress = [event for event in heard if isinstance(event, events.Progress)]
    assert [event.env_steps for event in progress] == list(range(250, 3001, 250))
    assert progress[-1].loss > 0 and progress[-1].epsilon == 0.1
    evaluated = next(event for event in heard if isinstance(event, events.Evaluated))
    assert evaluated.score.episodes == 2 and len(evaluated.score.returns) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        evaluated.env_steps = 0


def test_a_callback_that_returns_false_stops_training_and_one_that_returns_nothing_does_not(tmp_path):
    run = requel.train(Corridor, run_dir=tmp_path / "run", callback=[lambda event: None, lambda event: event.env_steps < 1000], **BRIEF)
    assert run.summary["termination"] == "asked" and 1000 <= run.env_steps < 1100


def test_what_a_callback_raises_comes_out(tmp_path):
    class Mine(Exception):
        pass

    raised = Mine("a full disk")

    def fail(event):
        raise raised

    with pytest.raises(Mine) as caught:
        requel.train("CartPole-v1", run_dir=tmp_path / "run", callback=fail, **BRIEF)
    assert caught.value is raised


def test_whatever_another_thread_asks_of_a_training_it_waits_for_nothing():
    from requel._given import given
    from requel._training import settings_of, training_of

    training, config = training_of(given(Corridor), settings_of(BRIEF))
    refused, finished = [], threading.Event()

    def ask():
        calls = [training.progress, training.weights_blake3, training.policy, training.run, lambda: training.change(config)]
        while not finished.is_set():
            time.sleep(0.01)
            for call in calls:
                try:
                    call()
                except RuntimeError as error:
                    refused.append(str(error))

    asking = [threading.Thread(target=ask, daemon=True) for _ in range(3)]

    def begin(event):
        if event.env_steps <= 250:
            [thread.start() for thread in asking if not thread.ident]

    from requel._listening import Listener

    training.run(Listener([begin]))
    finished.set()
    [thread.join(LIMIT) for thread in asking]
    assert not any(thread.is_alive() for thread in asking)
    assert "training is running" in refused
    assert training.progress()[0] == 3000


def test_trainings_in_two_threads_are_as_if_each_were_alone(tmp_path):
    found = {}

    def train(name, env):
        found[name] = requel.train(env, run_dir=tmp_path / name, preset="notebook", seed=9, **BRIEF).weights_blake3

    def theirs():
        return gymnasium.make("CartPole-v1")

    threads = [threading.Thread(target=train, args=given) for given in [("a", theirs), ("b", theirs), ("c", "CartPole-v1")]]
    [thread.start() for thread in threads]
    [thread.join(LIMIT) for thread in threads]
    assert len(found) == 3 and len(set(found.values())) == 1


def test_other_threads_go_on_while_it_learns(tmp_path):
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    requel.train("CartPole-v1", preset="notebook", run_dir=tmp_path / "run", **{**BRIEF, "train": {"env_steps": 20_000, "episodes": 0}})
    stop.set()
    thread.join(LIMIT)
    assert counted[0] > 10_000


FORKED = """
    import os, sys, requel
    settings = dict(preset="notebook", train={"env_steps": 1500, "episodes": 0}, evaluation={"every_episodes": 0, "final_episodes": 1})
    before = requel.train("CartPole-v1", run_dir=sys.argv[1] + "/before", threads=2, **settings)
    child = os.fork()
    run = requel.train("CartPole-v1", run_dir=f"{sys.argv[1]}/{child == 0}", **settings)
    assert run.weights_blake3 == before.weights_blake3
    if child == 0:
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("child", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_trains_and_leaves_the_other_as_it_was(tmp_path):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(FORKED), str(tmp_path)], capture_output=True, text=True, timeout=LIMIT)
    assert done.stdout == "child 0\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_training_does_not_go_on_in_a_copy_of_its_process():
    from requel._given import given
    from requel._training import settings_of, training_of

    training, _ = training_of(given("CartPole-v1"), settings_of(BRIEF))
    child = os.fork()
    if child == 0:
        try:
            training.run()
        except RuntimeError as error:
            os._exit(0 if "another process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_an_interpreter_that_ends_during_training_in_a_thread_does_not_hang(tmp_path, program):
    process = program(f"""
        import threading, requel, gymnasium
        begun = threading.Event()
        threading.Thread(target=lambda: requel.train(lambda: gymnasium.make("CartPole-v1"), run_dir={str(tmp_path / "run")!r},
            callback=lambda event: begun.set(), train={{"env_steps": 10**8, "episodes": 0}}), daemon=True).start()
        begun.wait()
        print("over", flush=True)
    """)
    output, errors = process.communicate(timeout=LIMIT)
    assert output == "over\n"
    assert process.returncode == 0, errors


def test_who_asks_a_training_to_stop_before_its_first_step_is_heard(tmp_path):
    from requel import _listening
    from requel._given import given
    from requel._training import settings_of, training_of

    training, _ = training_of(given("CartPole-v1"), settings_of(BRIEF))
    with _listening.interruptible(training):
        training.stop()
        assert training.run()[0] == "interrupted" and training.progress()[0] == 0
    # It is asked once: the next time it goes on.
    with _listening.interruptible(training):
        assert training.run()[0] == "finished" and training.progress()[0] == 3000


def test_a_training_that_begins_while_the_interpreter_ends_stops_at_once_and_is_whole(tmp_path, program):
    process = program(f"""
        import atexit, threading, requel
        train = lambda: requel.train("CartPole-v1", run_dir={str(tmp_path / "run")!r}, preset="notebook", train={{"env_steps": 10**8, "episodes": 0}})
        thread = threading.Thread(target=train, daemon=True)
        # What is registered first is called last.
        atexit.register(lambda: (thread.start(), thread.join(), print("over", flush=True)))
        requel.train
    """)
    output, errors = process.communicate(timeout=LIMIT)
    assert output == "over\n" and process.returncode == 0, errors
    assert list((tmp_path / "run" / "checkpoints").iterdir()), errors


def test_a_progress_bar_is_drawn_on_the_error_stream(tmp_path, capsys):
    requel.train("CartPole-v1", preset="notebook", run_dir=tmp_path / "run", progress_bar=True, **BRIEF)
    captured = capsys.readouterr()
    assert "100.0 % 3,000 env steps" in captured.err and captured.out == ""


def flaky(raises_at):
    """A class that is pickled by value, as one of a notebook is."""

    class Flaky(Corridor):
        def step(self, action):
            self.steps = getattr(self, "steps", 0) + 1
            if self.steps >= raises_at:
                raise OSError("the cable is loose")
            return super().step(action)

    return Flaky


def test_a_class_that_was_mended_is_the_one_that_goes_on():
    old, mended = (Environment(flaky(raises_at)()) for raises_at in (5, 10**9))
    old.reset(seed=0)
    mended.restore(old.save())
    for _ in range(9):
        mended.step(0)
    with pytest.raises(OSError, match="the cable is loose"):
        for _ in range(9):
            old.step(0)


def test_so_it_is_in_a_vector(tmp_path):
    sections = {"train": {"env_steps": 300, "episodes": 0}, "checkpoint": {"every_steps": 50}}
    sections["evaluation"] = {"every_steps": 0, "every_episodes": 0, "final_episodes": 1}
    old, mended = (gymnasium.vector.SyncVectorEnv([flaky(raises_at)] * 2) for raises_at in (60, 10**9))
    with pytest.raises(OSError, match="the cable is loose"):
        requel.train(old, run_dir=tmp_path / "run", eval_env=Corridor, **sections)
    assert requel.resume(tmp_path / "run", mended, eval_env=Corridor).is_finished


def test_the_end_of_the_interpreter_stops_a_training_in_a_daemon_thread_and_saves_it(tmp_path):
    program = f"""
import sys, threading, requel
begun = threading.Event()
train = lambda: requel.train("CartPole-v1", run_dir={str(tmp_path / "run")!r}, preset="notebook", callback=lambda event: begun.set(),
    train={{"env_steps": 10**8, "episodes": 0}}, evaluation={{"every_episodes": 0}})
threading.Thread(target=train, daemon=True).start()
begun.wait()
sys.exit(3)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    run = requel.Run(tmp_path / "run")
    assert not run.is_finished and list((tmp_path / "run" / "checkpoints").iterdir()), "nothing was saved"
