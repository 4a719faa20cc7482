"""The examples of examples/python, each with a small budget."""

from __future__ import annotations

import pathlib
import tempfile

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"
#: Minari records episodes with jax.
NEEDS = {"atari": ["ale_py"], "offline": ["minari", "jax"], "optuna_sweep": ["optuna"], "wandb_logging": ["wandb"]}



@pytest.mark.parametrize("name", sorted(path.stem for path in EXAMPLES.glob("*.py")))
def test_an_example_compiles_and_runs_where_its_packages_are(name, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = (EXAMPLES / f"{name}.py").read_text()
    compile(source, name, "exec")
    for package in NEEDS.get(name, []):
        pytest.importorskip(package)
        monkeypatch.setenv("WANDB_MODE", "offline")
    # A process of its own would have to find the module by its name.
    monkeypatch.syspath_prepend(str(EXAMPLES))
    module = __import__(name)
    small = {"atari": {"env_steps": 120, "episodes": 1}, "many_seeds": {"env_steps": 400, "seeds": 2}, "optuna_sweep": {"env_steps": 600, "trials": 2}}
    came_of_it = module.main(**small.get(name, {"env_steps": 1500}))
    if name == "vector":
        assert came_of_it["a vector of 8"] == came_of_it["8 side by side"] == came_of_it["requel's own, 8"]
