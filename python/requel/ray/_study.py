"""A study whose runs are trained by Ray tasks: :func:`study`."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ray

_log = logging.getLogger("requel.ray")

#: Not brought back: what a run is gone on with.
_STAYS = {"checkpoints", ".lock"}
#: By these a run is known to be finished.
_FINISHED = {"config.toml", "environment.json", "checksums.blake3", "summary.json"}


def study(
    file: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    shares: int | None = None,
    shared: bool = False,
    num_cpus: float = 1,
    max_retries: int = 3,
) -> Path:
    """Train a study file by tasks, each of which trains a share of its runs, and write its tables.

    Runs that are finished in ``out`` are not trained again, so the same call continues where the last one stopped.

    Args:
        file: the study, or the name of one that comes with requel.
        out: its directory, on the machine of the caller.
        shares: the number of tasks (4 per CPU of the cluster). With one per run, only that run is lost with a task.
        shared: whether ``out`` is a directory that all machines reach. Tasks train in it then, and one that is retried goes on
            from the last checkpoint; otherwise finished runs are sent back, and a retried task begins its share again.
        num_cpus: CPUs that Ray reserves for a task.
        max_retries: how often a task is retried if its process died.

    Returns:
        ``out``, with ``study.md``, ``study.csv`` and so on.

    Raises:
        RuntimeError: if a share could not be trained; the others are in ``out``.
    """
    if not ray.is_initialized():
        ray.init()
    out = Path(out).resolve()
    shares = shares or max(1, int(4 * ray.cluster_resources().get("CPU", 1)))
    text = Path(file).read_text() if os.path.exists(file) else None
    task = ray.remote(_train_share).options(num_cpus=num_cpus, max_retries=max_retries)
    # What makes a run a finished one: the program skips it then.
    done = {} if shared else {name: content for name, content in _files_of(out).items() if Path(name).name in _FINISHED}
    done_once = ray.put(done)
    place = str(out) if shared else None
    waiting = {task.remote(str(file), text, f"{number}/{shares}", place, done_once): number for number in range(1, shares + 1)}
    failures: list[str] = []
    while waiting:
        ready, _ = ray.wait(list(waiting))
        for reference in ready:
            number = waiting.pop(reference)
            try:
                files = ray.get(reference)
            except Exception as error:  # noqa: BLE001 - the others go on whatever it is
                _log.error("share %s/%s failed: %s", number, shares, error)
                failures.append(f"{number}/{shares}: {str(error).strip().splitlines()[-1]}")
                continue
            _put_runs(out, files)
            _log.info("share %s/%s is finished", number, shares)
    if failures:
        raise RuntimeError(f"{len(failures)} of {shares} shares failed; the same call tries them again: {'; '.join(failures)}")
    _program(["study", str(file), "--out", str(out), "--merge", "--quiet"])
    return out


def _train_share(file: str, text: str | None, share: str, shared: str | None, done: dict[str, bytes]) -> dict[str, bytes]:
    """Train a share, and return the files of its runs by their paths; none where the directory is shared."""
    with tempfile.TemporaryDirectory(prefix="requel-study-") as work:
        if text is not None:
            file = str(Path(work) / "study.toml")
            Path(file).write_text(text)
        out = Path(shared) if shared else Path(work) / "out"
        for name, content in done.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(content)
        jobs = str(max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 1))))
        arguments = ["study", file, "--out", str(out), "--only", share, "--jobs", jobs, "--quiet", "--plain"]
        _program(arguments)
        return {} if shared else {name: content for name, content in _files_of(out).items() if name not in done}


def _files_of(out: Path) -> dict[str, bytes]:
    """The files of finished runs by their paths in the study: below a variant, and below an environment where there are several."""
    runs = [path.parent for path in out.glob("**/summary.json")]
    paths = [path for run in runs for path in run.glob("**/*") if path.is_file() and not _STAYS & set(path.relative_to(run).parts)]
    return {str(path.relative_to(out)): path.read_bytes() for path in paths}


def _put_runs(out: Path, files: dict[str, bytes]) -> None:
    """Put runs in place, each whole or not at all: its directory gets its name at the end."""
    directories = {path.parent for path in map(Path, files) if path.name == "summary.json"}
    runs: dict[Path, dict[Path, bytes]] = {run: {} for run in directories}
    for name, content in files.items():
        run = next((parent for parent in Path(name).parents if parent in directories), None)
        if run is not None:
            runs[run][Path(name).relative_to(run)] = content
    for run, contents in runs.items():
        if (out / run / "summary.json").exists():
            continue
        staged = out / run.parent / f".{run.name}.{os.getpid()}.new"
        for name, content in contents.items():
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).write_bytes(content)
        staged.rename(out / run)


def _program(arguments: list[str]) -> None:
    answered = subprocess.run([sys.executable, "-c", _MAIN, *arguments], capture_output=True, text=True, check=False)
    if answered.returncode != 0:
        raise RuntimeError(f"requel {' '.join(arguments)}: {answered.stderr.strip() or answered.returncode}")


#: The program by the package, wherever its script is.
_MAIN: Any = "from requel._cli import main; main()"
