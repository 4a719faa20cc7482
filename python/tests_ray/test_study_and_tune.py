"""Studies by tasks, and trials of Tune."""

import functools
import json
import pathlib

import pytest
import requel
import requel.ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler, PopulationBasedTraining
from ray_envs import Drift

STUDY = """
name = "small"
env = "CartPole-v1"
seeds = 3
set = ["train.episodes=0", "train.env_steps=1000", "network.hidden=[8]", "evaluation.every_steps=500", "evaluation.every_episodes=0",
    "evaluation.episodes=2", "evaluation.final_episodes=2"]
[[variant]]
name = "near"
preset = "notebook"
set = ["agent.gamma=0.5"]
[[variant]]
name = "far"
preset = "notebook"
"""


def hashes(out):
    return {path.parent.relative_to(out): json.loads(path.read_text())["weights_blake3"] for path in out.glob("*/seed-*/summary.json")}


@pytest.mark.parametrize("shared", [False, True])
def test_a_study_by_tasks_is_the_study(cluster, tmp_path, shared):
    (tmp_path / "small.toml").write_text(STUDY)
    alone = requel.ray.study(tmp_path / "small.toml", tmp_path / "alone", shares=1)
    out = requel.ray.study(tmp_path / "small.toml", tmp_path / "out", shares=6, shared=shared)
    assert hashes(out) == hashes(alone) and len(hashes(out)) == 6
    assert (out / "study.md").exists()
    trained = {path: path.stat().st_mtime_ns for path in out.glob("*/seed-*/summary.json")}
    requel.ray.study(tmp_path / "small.toml", out, shares=3, shared=shared)
    assert trained == {path: path.stat().st_mtime_ns for path in out.glob("*/seed-*/summary.json")}


SECTIONS = {
    "network": {"hidden": [16]},
    "replay": {"start": 64, "batch_size": 16},
    "train": {"env_steps": 1600},
    "evaluation": {"every_steps": 400, "episodes": 2, "final_episodes": 2, "max_episode_steps": 50},
}


def test_trials_that_crash_end_whole_and_with_their_bits(cluster, tmp_path):
    whole = requel.train(Drift, seed=0, run_dir=tmp_path / "whole", **SECTIONS, optimizer={"learning_rate": 1e-3})
    trap = tmp_path / "trap"
    trap.touch()
    trial = requel.ray.trainable(functools.partial(Drift, str(trap), "die"), **SECTIONS)
    tuner = tune.Tuner(
        trial,
        param_space={"optimizer.learning_rate": tune.grid_search([1e-3, 3e-3, 1e-2])},
        tune_config=tune.TuneConfig(metric="mean_return", mode="max", scheduler=ASHAScheduler(time_attr="env_steps", max_t=10_000, grace_period=10_000)),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "tune"), failure_config=tune.FailureConfig(max_failures=3), verbose=0),
    )
    results = tuner.fit()
    assert not trap.exists() and results.num_errors == 0
    of_first = [result.metrics["weights_blake3"] for result in results if result.config["optimizer.learning_rate"] == 1e-3]
    assert of_first == [whole.weights_blake3]
    assert all(result.metrics["is_final"] and result.metrics["env_steps"] == 1600 for result in results)


@pytest.mark.parametrize("in_step", [False, True], ids=["asynchronous", "synchronous"])
def test_population_based_training_goes_on_from_others_with_changed_settings(cluster, tmp_path, in_step):
    scheduler = PopulationBasedTraining(
        time_attr="env_steps",
        perturbation_interval=400,
        hyperparam_mutations={"optimizer.learning_rate": [1e-4, 1e-3, 1e-2]},
        quantile_fraction=0.5,
        synch=in_step,
    )
    tuner = tune.Tuner(
        requel.ray.trainable(Drift, **SECTIONS),
        param_space={"optimizer.learning_rate": tune.grid_search([1e-3, 1e-5])},
        tune_config=tune.TuneConfig(metric="mean_return", mode="max", scheduler=scheduler),
        run_config=tune.RunConfig(storage_path=str(tmp_path / "tune"), verbose=0),
    )
    results = tuner.fit()
    assert results.num_errors == 0 and all(result.metrics["env_steps"] == 1600 for result in results)


def test_a_trial_reports_each_evaluation_with_the_checkpoint_of_its_env_steps(tmp_path, monkeypatch):
    reported = []

    def report(metrics, checkpoint):
        with checkpoint.as_directory() as there:
            kept = sorted(int(path.name.removeprefix("ckpt-")) for path in pathlib.Path(there, "checkpoints").iterdir())
        reported.append((metrics["env_steps"], kept[-1], metrics["is_final"]))

    monkeypatch.setattr(tune, "report", report)
    monkeypatch.setattr(tune, "get_checkpoint", lambda: None)
    requel.ray.trainable(Drift, **SECTIONS)({})
    assert reported == [*((steps, steps, False) for steps in (400, 800, 1200, 1600)), (1600, 1600, True)]


def test_a_setting_without_a_section_is_refused(cluster, tmp_path):
    trial = requel.ray.trainable(Drift, **SECTIONS)
    with pytest.raises(ValueError, match="section.key"):
        trial({"learning_rate": 1e-3})
