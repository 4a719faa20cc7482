"""Stable-Baselines3's own tests of DQN, with the import line replaced: how many of them requel passes.

    pip download --no-binary :all: --no-deps stable-baselines3 && tar xzf stable_baselines3-*.tar.gz
    python python/benchmarks/sb3_tests.py stable_baselines3-*/

It asks for stable-baselines3 with its extras, pandas, pytest and requel to be installed. docs/python.md says what the others ask for.
"""

from __future__ import annotations

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

#: Files whose tests of DQN train, predict, save, load, log or call back.
FILES = [
    "callbacks", "cnn", "custom_policy", "deterministic", "dict_env", "her", "identity", "logger", "n_step_replay", "predict", "run",
    "save_load", "spaces", "train_eval_mode",
]  # fmt: skip
#: Tests of DQN without its name in theirs.
UNNAMED = ["checkpoint_additional", "eval_success", "correct_timestep", "no_target_params"]
IMPORT = re.compile(r"^(from stable_baselines3 import [^\n(]*\bDQN\b[^\n]*)$", re.MULTILINE)


def replaced(source: pathlib.Path, directory: pathlib.Path) -> list[str]:
    """Write the test files with another DQN, and say which they are."""
    for path in source.glob("*.py"):
        (directory / path.name).write_text(IMPORT.sub(r"\1\nfrom requel import DQN", path.read_text()))
    return [f"test_{name}.py" for name in FILES]


def main(sources: pathlib.Path) -> None:
    """Run them, and count."""
    with tempfile.TemporaryDirectory() as directory:
        files = replaced(sources / "tests", pathlib.Path(directory))
        chosen = " or ".join(["DQN", "dqn", *UNNAMED])
        command = [sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-p", "no:cacheprovider", "-rA", "-k", chosen, *files]
        said = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False).stdout
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) (.*)$", said, re.MULTILINE)
    for outcome, test in sorted(outcomes):
        print(outcome.lower(), test)
    print(dict(collections.Counter(outcome.lower() for outcome, _ in outcomes)))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
