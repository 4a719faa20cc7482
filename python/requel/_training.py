"""Training as one call: :func:`train`, :func:`resume`, and the :class:`Run` that comes of them."""

from __future__ import annotations

import difflib
import json
import os
import tarfile
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from requel import events
from requel._given import Environment, Given, given, learned_in
from requel._listening import Callback, Listener, ProgressBar, interruptible
from requel._requel import Config, Training, config_sections, program_in, run_record, run_saves_envs
from requel._workers import check_count, stepped_in

Sections = Mapping[str, Any]

#: After how many env steps an evaluation episode is cut off where neither the environment nor the user says so.
_ENDLESS_STEPS = 5_000


class Run:
    """A training run in its directory.

    Attributes:
        dir: its directory. Every file in it is described in ``docs/run.md`` of the project.
    """

    def __init__(self, dir: str | os.PathLike[str], *, env: Environment | None = None, exactness: str | None = None) -> None:  # noqa: A002
        """Open an existing run.

        Raises:
            ValueError: if the directory is not a run.
        """
        self.dir: Path = Path(dir)
        self._env = env
        self._exactness = exactness
        self._record = run_record(self.dir)

    @property
    def env_id(self) -> str:
        """The id of its environment."""
        return self._record["env_id"]

    @property
    def summary(self) -> dict[str, Any] | None:
        """The contents of ``summary.json``; ``None`` while the run is not finished."""
        return json.loads(self._record["summary"]) if self._record["summary"] else None

    @property
    def is_finished(self) -> bool:
        """Whether training is over and the run is sealed. If not, continue it with :func:`requel.resume`."""
        return self._record["summary"] is not None

    @property
    def weights_blake3(self) -> str:
        """BLAKE3 of the final weights as little-endian ``f32``, 64 hexadecimal digits: the same on every machine for the same run.

        Raises:
            RuntimeError: while the run is not finished.
        """
        return self._finished["weights_blake3"]

    @property
    def best(self) -> events.Score:
        """The best policy on fresh episodes that were not used to choose anything. The policy is in ``best/policy.safetensors``."""
        return _score(self._finished["best_evaluation"])

    @property
    def final(self) -> events.Score:
        """The final policy on the same episodes: use this one for claims."""
        return _score(self._finished["final_evaluation"])

    @property
    def env_steps(self) -> int:
        """Env steps made, all environments together."""
        return self._finished["env_steps"]

    @property
    def updates(self) -> int:
        """Updates made."""
        return self._finished["updates"]

    @property
    def episodes(self) -> int:
        """Finished training episodes."""
        return self._finished["episodes"]

    @property
    def exactness(self) -> str | None:
        """``bits`` if the resumed run has the bits of an uninterrupted one; ``new episodes`` if its environment cannot
        be saved or ignores seeds, so that a resumed run starts new episodes; ``None`` if that is not known.
        """
        if self._record["summary"] and json.loads(self._record["summary"]).get("inexact_resumes", 0) > 0:
            return "new episodes"
        if self._exactness is None:
            saved = run_saves_envs(self.dir)
            self._exactness = None if saved is None else "bits" if saved else "new episodes"
        return self._exactness

    @property
    def config(self) -> str:
        """Its settings, complete, as TOML."""
        return self._record["config"]

    @property
    def best_policy(self) -> Path:
        """The file with its best policy so far."""
        return Path(self._record["best_policy"])

    def report(self) -> Path:
        """Write ``report.html`` with charts and replays, and return its path. In a notebook it is displayed.

        Raises:
            RuntimeError: if it cannot be written.
        """
        code = self._program(["report", str(self.dir)])
        page = self.dir / "report.html"
        if code != 0 or not page.exists():
            raise RuntimeError(f"the report of {self.dir} could not be written")
        return page

    def program(self, verb: str, *arguments: str) -> None:
        """Call the ``requel`` program for this run, in its environment: ``run.program("watch", "--gif", "episode.gif")``.

        The program by itself does not have your own environment; this method does, if the run was created by :func:`requel.train` or opened
        as ``Run(dir, env=...)``.

        Args:
            verb: a command that takes a run: ``watch``, ``eval``, ``export``, ``report``, ``diagnose``, ``rollout``, ``verify``, ``pack``.
            *arguments: the rest of the command line.

        Raises:
            RuntimeError: if the exit code of the program is not 0; it has printed the reason.
        """
        code = self._program([verb, str(self.dir), *arguments])
        if code != 0:
            raise RuntimeError(f"`requel {verb}` ended with the code {code}")

    def pack(self, path: str | os.PathLike[str]) -> Path:
        """Write the finished run as one file with a model card; `requel unpack` turns it back into a run.

        Raises:
            RuntimeError: if the run is not finished, or the file cannot be written.
        """
        self.program("pack", "--output", str(path))
        return Path(path)

    def hub_folder(self, dir: str | os.PathLike[str]) -> Path:  # noqa: A002
        """Write the contents of a Hugging Face model repository into a new directory: the model card as ``README.md``, the policy,
        settings,
        logs and scores, without checkpoints. ``huggingface_hub.upload_folder(folder_path=..., repo_id=...)`` uploads it.

        Raises:
            FileExistsError: if there are already files in the directory.
            RuntimeError: if the run is not finished.
        """
        folder = Path(dir)
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"there are already files in {folder}: name a new directory")
        with tempfile.TemporaryDirectory() as packed, tarfile.open(self.pack(Path(packed) / "run.requel.tar")) as archive:
            for member in archive.getmembers():
                # All of it lies below the name of the run.
                path = folder.joinpath(*Path(member.name).parts[1:])
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None and path.resolve().is_relative_to(folder.resolve()):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content.read())
        return folder

    def __repr__(self) -> str:
        if not self.is_finished:
            return f"<requel.Run {self.dir}, not finished>"
        return f"<requel.Run {self.dir}, final {self.final.mean_return:.4g} over {self.final.episodes} episodes>"

    def _program(self, arguments: list[str]) -> int:
        looked_at = self._given_env()
        try:
            return program_in(["requel", *arguments], looked_at.source if looked_at else None)
        finally:
            if looked_at:
                looked_at.close()

    def _given_env(self) -> Given | None:
        return None if self._record["is_built_in"] or self._env is None else given(self._env)

    @property
    def _finished(self) -> dict[str, Any]:
        summary = self.summary
        if summary is None:
            raise RuntimeError(f"{self.dir} is not finished: requel.resume() continues it")
        return summary


def train(
    env: Environment = "CartPole-v1",
    *,
    algo: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
    run_dir: str | os.PathLike[str] | None = None,
    eval_env: Environment | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    metrics: Sequence[str] = (),
    reward_range: tuple[float, float] | None = None,
    threads: int = 1,
    num_workers: int | None = None,
    device: str | None = None,
    progress_bar: bool = False,
    env_options: Sections | None = None,
    **sections: Sections,
) -> Run:
    """Train an agent in its own directory, until its budget is used up or it is good enough.

    Args:
        env: an id (of requel's own environments, else of Gymnasium's), a Gymnasium environment, its class, a function without
            arguments that creates it, or a vector environment in any of the three autoreset modes.
        algo: an algorithm, such as ``"rainbow"``, applied over the settings of the preset.
        preset: where the settings start from; by default that of the environment's id, if the range of rewards is known.
        seed: the seed of all random numbers (0).
        run_dir: the directory of the run, which does not exist yet or is empty (one below ``runs/``).
        eval_env: another environment to score policies in, for instance without the wrappers that only training has.
        callback: a function of an event (:mod:`requel.events`), or several. One that returns ``False`` stops training.
        metrics: names in the information of each step whose numbers are logged (``is_success`` always is).
        reward_range: the lowest and the highest reward of a step, if known; bounds of values come from it.
        threads: threads for large networks. The bits are the same for every number of threads.
        device: what networks are computed on, ``train.device``: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"``. The bits are the same;
            devices other than the CPU are available if the package was built with the feature ``cuda``.
        num_workers: run this many environments, each in its own process, for slow environments; this also sets ``train.num_envs``.
            The bits are the same as with that many environments in this process.
        progress_bar: show progress on the standard error stream.
        env_options: the section ``env`` of the settings, such as ``{"frame_stack": 4, "options": {"size": 8}}``. ``options`` are those of
            requel's own environments.
        **sections: the other sections of the settings, such as ``train={"env_steps": 7000}`` or ``optimizer={"learning_rate": 1e-3}``;
            names, defaults and ranges are those of ``requel config show``.

    Returns:
        The finished run.

    Raises:
        ValueError: for a setting that is unknown, out of range or in conflict with another.
        TypeError: for an unknown section, or an environment whose spaces are not supported.
        FileExistsError: if there are already files in ``run_dir``.
        KeyboardInterrupt: after Ctrl-C; everything is saved, and :func:`resume` continues.

    Exceptions raised by the environment are passed on unchanged; :func:`resume` continues from the last checkpoint.

    >>> run = requel.train("CartPole-v1", preset="notebook", seed=7, train={"env_steps": 7000, "episodes": 0})  # doctest: +SKIP
    >>> run.final.mean_return  # doctest: +SKIP
    """
    with stepped_in(env, num_workers) as stepped:
        looked_at = given(stepped, eval_env, metrics, reward_range)
        try:
            settings = settings_of(with_env(sections, env_options), seed=seed, device=device)
            check_count(settings, num_workers)
            if _needs_limit(looked_at, settings):
                warnings.warn(
                    f"{looked_at.id} has no step limit, so an episode may never end: evaluation episodes are cut off after "
                    f"{_ENDLESS_STEPS:,} env steps; evaluation={{'max_episode_steps': N}} sets another limit",
                    stacklevel=2,
                )
            training, config = training_of(looked_at, settings, preset=preset, algo=algo, threads=threads)
            directory = training.begin_run(run_dir)
            bar = ProgressBar(config.env_steps) if progress_bar else None
            return _trained(training, directory, looked_at, env, _callbacks(callback), bar)
        finally:
            looked_at.close()


def resume(
    run_dir: str | os.PathLike[str],
    env: Environment | None = None,
    *,
    eval_env: Environment | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    metrics: Sequence[str] = (),
    reward_range: tuple[float, float] | None = None,
    threads: int = 1,
    num_workers: int | None = None,
    device: str | None = None,
    progress_bar: bool = False,
    env_options: Sections | None = None,
    **sections: Sections,
) -> Run:
    """Continue a run from its newest intact checkpoint, with the same bits as if it had never been interrupted.

    Args:
        run_dir: the directory of the run.
        env: its environment, as it was passed to :func:`train`; not needed for one of requel's own.
        **sections: settings that change from here on, such as a larger budget, ``train={"env_steps": 100_000}``. A finished
            run continues only with such changes.

    The other arguments are those of :func:`train`.

    Returns:
        The finished run. :attr:`Run.exactness` says whether it has the bits of an uninterrupted run.

    Raises:
        ValueError: if the directory is not a run, the environment is a different one, or a setting cannot change during training.
    """
    record = run_record(Path(run_dir))
    if env is None and not record["is_built_in"]:
        raise ValueError(f"{run_dir} was trained in {record['env_id']}, which is a Python environment: give it as env")
    with stepped_in(record["env_id"] if env is None else env, num_workers) as stepped:
        looked_at = given(stepped, eval_env, metrics, reward_range)
        try:
            if looked_at.id != record["env_id"]:
                raise ValueError(f"{run_dir} was trained in {record['env_id']}, but the given environment is {looked_at.id}")
            settings = settings_of(with_env(sections, env_options), device=device)
            config = Config.of_run(Path(run_dir)).with_settings(settings)
            _warn_of_unused(config, settings, stacklevel=3)
            training = make_training(looked_at, config, threads)
            new_episodes, _ = training.resume_run(Path(run_dir), bool(sections or env_options) or device is not None)
            if new_episodes:
                warnings.warn(
                    f"{looked_at.id} could not be saved: new episodes start, so results differ from those of an uninterrupted run",
                    stacklevel=2,
                )
            bar = ProgressBar(config.env_steps) if progress_bar else None
            return _trained(training, Path(run_dir), looked_at, env, _callbacks(callback), bar)
        finally:
            looked_at.close()


def with_env(sections: Mapping[str, Sections], env_options: Sections | None) -> Mapping[str, Sections]:
    """Sections, including the one named ``env``; the argument ``env`` is the environment itself.

    Raises:
        ValueError: if it names another environment.
    """
    if env_options is None:
        return sections
    if "id" in env_options:
        raise ValueError("env_options cannot have an id: env gives the environment")
    return {"env": env_options, **sections}


def settings_of(sections: Mapping[str, Any], *, seed: int | None = None, device: str | None = None) -> list[tuple[str, str, Any]]:
    """Sections in the form that the extension needs: the place of each setting, its key and its value.

    Raises:
        TypeError: for an unknown section.
    """
    known = [name for name, _, _ in config_sections()]
    settings: list[tuple[str, str, Any]] = []
    for section, values in sections.items():
        if section not in known:
            near = difflib.get_close_matches(section, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise TypeError(f"there is no section {section}: {hint}")
        if not isinstance(values, Mapping):
            raise TypeError(f"{section} is a section of settings: give it as a dict, such as {section}={{...}}")
        settings += _flat(f"{section}={{...}}", section, values)
    if seed is not None:
        settings.append(("seed", "train.seed", seed))
    if device is not None:
        settings.append(("device", "train.device", device))
    return settings


def _flat(place: str, prefix: str, values: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    found: list[tuple[str, str, Any]] = []
    for key, value in values.items():
        if isinstance(value, np.ndarray):
            value = value.tolist()  # noqa: PLW2901 - the same numbers as Python's
        if isinstance(value, Mapping):
            found += _flat(place, f"{prefix}.{key}", value)
        elif value is not None:
            found.append((place, f"{prefix}.{key}", value))
    return found


def training_of(
    looked_at: Given,
    settings: list[tuple[str, str, Any]],
    *,
    preset: str | None = None,
    algo: str | None = None,
    threads: int = 1,
) -> tuple[Training, Config]:
    """A training run before its first step, and its settings."""
    config = config_of(looked_at, settings, preset=preset, algo=algo)
    _warn_of_unused(config, settings, stacklevel=4)
    return make_training(looked_at, config, threads), config


def _warn_of_unused(config: Config, settings: list[tuple[str, str, Any]], stacklevel: int) -> None:
    """Warn of settings that were given but have no effect with the others."""
    for reason in config.unused([key for _, key, _ in settings]):
        warnings.warn(reason, stacklevel=stacklevel)


def config_of(looked_at: Given, settings: list[tuple[str, str, Any]], *, preset: str | None = None, algo: str | None = None) -> Config:
    """The complete settings for an environment."""
    settings = list(settings)
    if looked_at.num_envs is not None:
        settings.append(("the vector environment", "train.num_envs", looked_at.num_envs))
    if looked_at.stack > 1:
        settings.append(("the environment's own stack of frames", "env.frame_stack", looked_at.stack))
    if _needs_limit(looked_at, settings):
        settings.append(("an environment without a limit of steps", "evaluation.max_episode_steps", _ENDLESS_STEPS))
    # What an environment of requel's own has for a preset may count on its range of rewards.
    if preset is None and not looked_at.has_reward_range:
        preset = "default"
    config = Config.resolve(looked_at.id, preset, algo, settings)
    if looked_at.shows_pictures and "\nconv = []\n" in config.text:
        text = f"{looked_at.id} returns images, and the network reads them as a flat vector: settings such as"
        warnings.warn(f"{text} network={{'conv': [[32, 8, 4], [64, 4, 2], [64, 3, 1]]}} make it convolutional", stacklevel=3)
    return config


def _needs_limit(looked_at: Given, settings: list[tuple[str, str, Any]]) -> bool:
    """Whether nothing says after how many steps an evaluation episode is cut off."""
    return looked_at.is_endless and not any(key == "evaluation.max_episode_steps" for _, key, _ in settings)


def make_training(looked_at: Given, config: Config, threads: int) -> Training:
    """A training run with these settings before its first step."""
    if threads < 1:
        raise ValueError(f"threads={threads}: give 1 or more")
    if looked_at.is_single and config.num_envs > 1:
        raise TypeError(f"`train.num_envs` is {config.num_envs}: give a function that creates environments instead of a single one")
    stacked = looked_at.stack > 1
    return Training(config, looked_at.source, looked_at.vector, looked_at.evaluation, stacked, threads)


def _callbacks(callback: Callback | Sequence[Callback] | None) -> list[Callback]:
    if callback is None:
        return []
    return [callback] if callable(callback) else list(callback)


def _trained(
    training: Training,
    directory: Path,
    looked_at: Given,
    env: Environment | None,
    callbacks: list[Callback],
    bar: ProgressBar | None,
) -> Run:
    exactness = looked_at.exactness
    listener = Listener([*callbacks, bar] if bar else callbacks)
    with learned_in(looked_at), interruptible(training) as pressed:
        ended, _ = training.run(listener if listener.is_needed else None, listener.wants_steps)
    run = Run(directory, env=env, exactness=exactness)
    if bar and run.is_finished:
        bar.close(run.env_steps)
    if ended == "interrupted" and pressed():
        raise KeyboardInterrupt(f"stopped after a complete step, everything is saved: requel.resume({str(directory)!r}) continues")
    return run


def _score(fields: dict[str, Any]) -> events.Score:
    return events.Score(
        mean_return=fields["mean_return"], std_return=fields["std_return"], episodes=fields["episodes"], cut_off=fields.get("cut_off", 0)
    )
