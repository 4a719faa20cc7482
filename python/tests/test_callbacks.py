"""Callbacks that write to others' programs: with the packages where they are, else with stand-ins of the calls that are made."""

from __future__ import annotations

import sys
import types

import pytest
from envs_for_tests import Corridor

import requel
from requel import callbacks, events

BRIEF = {
    "train": {"env_steps": 600, "episodes": 0},
    "replay": {"start": 64, "batch_size": 16},
    "network": {"hidden": [8]},
    "evaluation": {"every_steps": 300, "episodes": 2, "final_episodes": 2},
    "log": {"every_steps": 200},
}


class Run:
    """Keeps what is logged."""

    def __init__(self, **init):
        self.init, self.logged, self.finished = init, [], False

    def log(self, numbers, step):
        self.logged.append((step, numbers))

    def finish(self):
        self.finished = True


def trained(callback, tmp_path):
    return requel.train(Corridor, run_dir=tmp_path / "run", callback=callback, metrics=["at"], **BRIEF)


def assert_is_the_training(logged):
    """What was logged, by env step, is what the training told."""
    by_name = {}
    for step, numbers in logged:
        for name, number in numbers.items():
            assert isinstance(number, float), name
            by_name.setdefault(name, []).append(step)
    assert by_name["train/loss"] == [200, 400, 600] and by_name["train/epsilon"] == [200, 400, 600]
    assert by_name["evaluation/return_mean"] == [300, 600] and by_name["final/return_mean"] == [600]
    assert "train/env_steps" not in by_name and "env/at" in by_name


def test_wandb_gets_the_numbers_and_what_was_begun_is_finished(tmp_path, monkeypatch):
    made = []
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **init: made.append(Run(**init)) or made[-1]))
    trained(callbacks.Wandb(project="p"), tmp_path)
    (run,) = made
    assert run.init == {"project": "p"} and run.finished
    assert_is_the_training(run.logged)


def test_a_run_that_was_given_is_left_to_its_owner(tmp_path):
    run = Run()
    trained(callbacks.Wandb(run), tmp_path)
    assert_is_the_training(run.logged)
    assert not run.finished


def test_trackio_gets_the_numbers(tmp_path, monkeypatch):
    run, begun = Run(), []
    stand_in = types.SimpleNamespace(init=lambda **init: begun.append(init), log=run.log, finish=run.finish)
    monkeypatch.setitem(sys.modules, "trackio", stand_in)
    trained(callbacks.Trackio("corridor", name="one"), tmp_path)
    assert begun == [{"project": "corridor", "name": "one"}] and run.finished
    assert_is_the_training(run.logged)


@pytest.mark.parametrize("is_active", [False, True])
def test_mlflow_gets_the_numbers_and_only_what_was_begun_ends(is_active, tmp_path, monkeypatch):
    run, calls = Run(), []
    stand_in = types.SimpleNamespace(
        active_run=lambda: object() if is_active else None,
        start_run=lambda **given: calls.append(given),
        log_metrics=run.log,
        end_run=lambda: calls.append("end"),
    )
    monkeypatch.setitem(sys.modules, "mlflow", stand_in)
    trained(callbacks.MLflow(run_name="one"), tmp_path)
    assert calls == ([] if is_active else [{"run_name": "one"}, "end"])
    assert_is_the_training(run.logged)


def test_nothing_is_begun_where_nothing_is_told_and_a_block_ends_it(monkeypatch):
    made = []
    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=lambda **init: made.append(Run()) or made[-1]))
    with callbacks.Wandb() as log:
        assert made == []
        log(events.EpisodeEnded(3, 0, 1.0, 3, True, False))
        assert made == [], "an episode alone has no place in a chart"
        log(events.AgentReported(5, {"temperature": 0.5, "broken": float("nan")}))
    assert made[0].logged == [(5, {"agent/temperature": 0.5})] and made[0].finished


def test_importing_the_package_imports_none_of_them():
    import subprocess

    said = subprocess.run(
        [sys.executable, "-c", "import sys, requel.callbacks; print([name for name in ('wandb', 'mlflow', 'trackio', 'tensorboard', 'torch') if name in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "[]"


def test_wandb_itself_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(project="requel", dir=str(tmp_path)) as run:
        trained(callbacks.Wandb(run), tmp_path)
        assert run.summary["evaluation/return_mean"] is not None and run.step >= 600
    assert list(tmp_path.glob("wandb/offline-run-*"))


def test_mlflow_itself(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    run = trained(callbacks.MLflow(), tmp_path)
    client = mlflow.MlflowClient()
    (found,) = client.search_runs(["0"])
    assert found.data.metrics["final/return_mean"] == run.final.mean_return and found.info.status == "FINISHED"
    assert [each.step for each in client.get_metric_history(found.info.run_id, "train/loss")] == [200, 400, 600]


def test_trackio_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    monkeypatch.setenv("TRACKIO_SHOW_URLS", "0")
    pytest.importorskip("trackio")
    trained(callbacks.Trackio("corridor"), tmp_path)
    assert any(path.stat().st_size for path in tmp_path.rglob("corridor*"))


def test_tensorboard_itself(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with callbacks.TensorBoard(tmp_path / "log") as log:
        requel.Agent(Corridor, **BRIEF).learn(callback=log)
    read = EventAccumulator(str(tmp_path / "log"))
    read.Reload()
    assert [each.step for each in read.Scalars("train/loss")] == [200, 400, 600]
    assert [each.step for each in read.Scalars("evaluation/return_mean")] == [300, 600]


def test_a_run_is_ready_for_a_hub(tmp_path):
    run = trained(None, tmp_path)
    packed = run.pack(tmp_path / "run.requel.tar")
    assert packed.stat().st_size > 1000
    folder = run.hub_folder(tmp_path / "hub")
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: requel") and "Corridor" in card
    assert requel.Policy.load(folder / "best" / "policy.safetensors").actions == 2
    assert not (folder / "checkpoints").exists() and (folder / "config.toml").exists()
    with pytest.raises(FileExistsError, match="name a new directory"):
        run.hub_folder(folder)
    hub = pytest.importorskip("huggingface_hub")
    (result,) = hub.ModelCard.load(folder / "README.md").data.eval_results
    assert result.metric_type == "mean_reward" and result.dataset_name == "Corridor"
