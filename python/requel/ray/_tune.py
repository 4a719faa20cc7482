"""Trials for Ray Tune: :func:`trainable`."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import tune

import requel
from requel import events


def trainable(
    env: Any = "CartPole-v1",
    *,
    algo: str | None = None,
    preset: str | None = None,
    seed: int = 0,
    env_options: Mapping[str, Any] | None = None,
    **sections: Mapping[str, Any],
) -> Callable[[dict[str, Any]], None]:
    """A trial for ``ray.tune.Tuner``: a run whose settings are those given here under those of the trial.

    The config of a trial has keys such as ``"optimizer.learning_rate"``, and ``"seed"``. After each checkpoint it reports
    ``env_steps``, ``mean_return`` (of the latest evaluation) and ``updates``; a trial that is paused, or whose process died, goes on from
    its checkpoint with the bits of one that was not. With other settings, as PBT gives, it goes on as :func:`requel.resume` does.

    Args:
        env: as for :func:`requel.train`; a function or a class, unless it is an id.
        algo, preset, env_options, **sections: as for :func:`requel.train`. ``checkpoint`` comes with each evaluation.

    >>> trial = requel.ray.trainable("CartPole-v1", evaluation={"every_steps": 2000})  # doctest: +SKIP
    >>> space = {"optimizer.learning_rate": tune.loguniform(1e-4, 1e-2)}  # doctest: +SKIP
    >>> tune.Tuner(trial, param_space=space).fit()  # doctest: +SKIP
    """

    def trial(config: dict[str, Any]) -> None:
        settings = {"env": dict(env_options or {}), **{name: dict(values) for name, values in sections.items()}}
        changed = _nested({key: value for key, value in config.items() if key != "seed"})
        for section, values in changed.items():
            settings.setdefault(section, {}).update(values)
        every = settings.get("evaluation", {}).get("every_steps", 0)
        if every:
            settings.setdefault("checkpoint", {}).setdefault("every_steps", every)
        with tempfile.TemporaryDirectory(prefix="requel-trial-") as work:
            run_dir = Path(work) / "run"
            report = _Reports(run_dir, _text(changed))
            before = tune.get_checkpoint()
            if before is None:
                own_seed, options = config.get("seed", seed), settings.pop("env")
                run = requel.train(
                    env, algo=algo, preset=preset, seed=own_seed, run_dir=run_dir, callback=report, env_options=options, **settings
                )
            else:
                with before.as_directory() as there:
                    shutil.copytree(there, run_dir)
                is_same = _taken(run_dir / _SETTINGS) == _text(changed)
                run = requel.Run(run_dir)
                if not (run.is_finished and is_same):
                    others = {} if is_same else {("env_options" if name == "env" else name): values for name, values in changed.items()}
                    run = requel.resume(run_dir, env, callback=report, **others)
            report.final(run)

    return trial


#: The settings of the trial, as they are written beside its checkpoints.
_SETTINGS = "trial.txt"


class _Reports:
    """Tells Tune how a run goes, with a copy of it to go on from."""

    def __init__(self, run_dir: Path, settings: str) -> None:
        self._run_dir, self._settings = run_dir, settings
        # Those that wait for their checkpoint: it is written while training goes on, and may be there only after the next evaluation.
        self._waiting: list[events.Evaluated] = []

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.Evaluated):
            self._waiting.append(event)
        elif isinstance(event, events.CheckpointSaved):
            known = [evaluated for evaluated in self._waiting if evaluated.env_steps <= event.env_steps]
            self._waiting = self._waiting[len(known) :]
            if known:
                seen = known[-1]
                numbers = {"env_steps": seen.env_steps, "updates": seen.updates, "mean_return": seen.score.mean_return}
                self._tell({**numbers, "is_final": False}, up_to=event.env_steps)

    def final(self, run: requel.Run) -> None:
        """Tell the score of the final policy."""
        numbers = {"env_steps": run.env_steps, "updates": run.updates, "mean_return": run.final.mean_return}
        self._tell({**numbers, "is_final": True, "weights_blake3": run.weights_blake3})

    def _tell(self, metrics: dict[str, Any], up_to: int | None = None) -> None:
        with tempfile.TemporaryDirectory(prefix="requel-checkpoint-") as work:
            copy = Path(work) / "run"
            # Of a run that goes on: what a resume reads is whole, and logs are cut to where the checkpoint knew them.
            shutil.copytree(self._run_dir, copy, ignore=_left_out(up_to), copy_function=_copy)
            (copy / _SETTINGS).write_text(self._settings)
            tune.report(metrics, checkpoint=tune.Checkpoint.from_directory(str(copy)))


def _left_out(up_to: int | None) -> Callable[[str, list[str]], set[str]]:
    """What a copy of a run leaves out: what is being written, and checkpoints of later env steps than the one that it is a copy of."""
    unfinished = shutil.ignore_patterns(".lock", "*.new", ".staged*")

    def left_out(folder: str, names: list[str]) -> set[str]:
        steps = {name: name.removeprefix("ckpt-") for name in names if name.startswith("ckpt-")}
        later = {name for name, number in steps.items() if up_to is not None and number.isdecimal() and int(number) > up_to}
        return unfinished(folder, names) | later

    return left_out


def _copy(source: str, target: str) -> None:
    # Whatever is being replaced at this moment is not there for that moment.
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)


def _taken(path: Path) -> str:
    text = path.read_text() if path.exists() else ""
    path.unlink(missing_ok=True)
    return text


def _text(settings: Mapping[str, Any]) -> str:
    return repr(sorted((section, sorted(values.items())) for section, values in settings.items()))


def _nested(flat: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for key, value in flat.items():
        section, dot, name = key.partition(".")
        if isinstance(value, Mapping):
            nested.setdefault(section, {}).update(value)
        elif dot:
            nested.setdefault(section, {})[name] = value
        else:
            raise ValueError(f"{key!r} is not a setting: write it as 'section.key', such as 'optimizer.learning_rate'")
    return nested

