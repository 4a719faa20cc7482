"""The package as it is installed: its files, its import, and the program that comes with it."""

import importlib.metadata
import pathlib
import shutil
import subprocess
import sys

import pytest

import requel

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "requel"


def test_the_wheel_has_every_python_file_of_the_source():
    installed = {str(path) for path in importlib.metadata.files("requel") or []}
    wanted = {f"requel/{path.relative_to(SOURCE)}" for path in SOURCE.rglob("*") if path.suffix in {".py", ".pyi", ".typed"}}
    wanted.add("requel/py.typed")
    assert wanted <= installed, f"missing: {sorted(wanted - installed)}"
    assert any(path.startswith("requel/_requel.") for path in installed)


def test_the_package_is_the_installed_one():
    assert pathlib.Path(requel.__file__).resolve().parent != SOURCE
    assert requel.__version__ == importlib.metadata.version("requel")


def test_an_import_brings_no_package_that_was_not_asked_for():
    program = "import sys, requel; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    modules = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    unwanted = {"torch", "stable_baselines3", "wandb", "mlflow", "trackio", "tensorboard", "matplotlib", "pandas"}
    assert "requel" in modules
    assert not modules & unwanted


def test_the_program_comes_along():
    program = shutil.which("requel", path=str(pathlib.Path(sys.executable).parent))
    assert program is not None
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"requel {requel.__version__}"
    wrong = subprocess.run([program, "trian"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "train" in wrong.stderr


@pytest.mark.parametrize(
    "program",
    [
        "import requel, sys; assert 'gymnasium' not in sys.modules; import gymnasium; gymnasium.make('requel/CartPole-v1')",
        "import gymnasium, requel; gymnasium.make('requel/CartPole-v1')",
        "import gymnasium; gymnasium.make('requel:requel/CartPole-v1')",
        "import requel; requel.make_vec('CartPole-v1', 2); import gymnasium; gymnasium.make('requel/MinAtar-Breakout-v1')",
        "from requel.envs import RequelEnv; import gymnasium; gymnasium.make('requel/CartPole-v1')",
    ],
)
def test_environments_are_registered_whichever_is_imported_first(program):
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
