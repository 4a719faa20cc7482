"""Atari by ale-py, with the preprocessing and the settings of the papers: ``pip install requel[atari]``.

>>> run = requel.atari.train("pong", preset="atari-100k-der", seed=1)  # doctest: +SKIP
>>> requel.stats.atari_normalize({"pong": [run.final.mean_return]})  # doctest: +SKIP

ale-py provides the ROMs; its licence (GPL-2.0) is separate, and requel contains nothing of it.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv

from requel import _training
from requel._atari_presets import FRAME_SKIP, FRAMES_PER_EPISODE, PRESETS
from requel._atari_scores import name_of
from requel._listening import Callback
from requel._requel import run_record
from requel._training import Run, Sections

__all__ = ["PRESETS", "envs", "resume", "train"]


def envs(game: str, num_envs: int = 1, *, for_scores: bool = False, **options: Any) -> VectorEnv[Any, Any, Any]:
    """Environments of a game: ale-py's ``AtariVectorEnv``, grey images of 84 x 84, four frames per step, four of them stacked.

    Args:
        game: its name: ``"ms_pacman"``, ``"MsPacman"`` and ``"ALE/MsPacman-v5"`` are one.
        num_envs: how many.
        for_scores: whole games and unclipped rewards; otherwise a lost life ends an episode, and rewards are clipped to ±1 (Mnih et al.
            2015).
        **options: other arguments of ``AtariVectorEnv``.

    Raises:
        ImportError: without ale-py.
        ValueError: if there is no such game.
    """
    try:
        vectors = importlib.import_module("ale_py.vector_env")
    except ImportError as missing:
        raise ImportError("Atari's games come with ale-py: pip install requel[atari]") from missing
    settings = {
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "max_num_frames_per_episode": FRAMES_PER_EPISODE,
        "use_fire_reset": False,
        "episodic_life": not for_scores,
        "reward_clipping": not for_scores,
    }
    name = name_of(game)
    made = vectors.AtariVectorEnv(name, num_envs, **{**settings, **options})
    # It does not say which game it is.
    made.spec = EnvSpec(id=f"atari/{name}-v0", max_episode_steps=FRAMES_PER_EPISODE // FRAME_SKIP)
    return made


def train(
    game: str,
    *,
    preset: str = "atari-100k-der",
    num_envs: int = 1,
    seed: int | None = None,
    run_dir: str | os.PathLike[str] | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    threads: int = 1,
    progress_bar: bool = False,
    **sections: Sections,
) -> Run:
    """Train in a game with the settings of a paper, and score the policy in whole games.

    The last evaluation is of 10 episodes unless ``evaluation={"final_episodes": 100}`` says otherwise: 100 of up to half an hour of play
    take longer than training Atari-100k on a CPU.

    Args:
        game: as for :func:`envs`.
        preset: ``atari-dqn`` (Mnih et al. 2015), ``atari-rainbow`` (Hessel et al. 2018), ``atari-100k-der`` (van Hasselt et al. 2019),
            ``atari-100k-drq-eps`` (DrQ(ε) of Agarwal et al. 2021).
        num_envs: number of parallel environments; the papers use one.
        **sections: settings that should change.

    The other arguments, and what is raised, are those of :func:`requel.train`.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r}: there are {', '.join(PRESETS)}")
    settings = merged(PRESETS[preset], sections)
    if "final_episodes" not in sections.get("evaluation", {}):
        episodes, longest = settings["evaluation"]["final_episodes"], settings["evaluation"]["max_episode_steps"]
        warnings.warn(
            f"the last evaluation is of {episodes} episodes of at most {longest:,} env steps, where papers use 100: "
            "evaluation={'final_episodes': 100} makes as many",
            stacklevel=2,
        )
    return _training.train(
        envs(game, num_envs),
        preset=preset,
        eval_env=envs(game, for_scores=True),
        seed=seed,
        run_dir=run_dir,
        callback=callback,
        threads=threads,
        progress_bar=progress_bar,
        **sections,
    )


def resume(run_dir: str | os.PathLike[str], **arguments: Any) -> Run:
    """Continue a run of :func:`train`, with new episodes: emulators cannot be saved. Arguments are those of :func:`requel.resume`."""
    record = run_record(Path(run_dir))
    game, num_envs = record["env_id"], record["num_envs"]
    return _training.resume(run_dir, envs(game, num_envs), eval_env=envs(game, for_scores=True), **arguments)


def merged(preset: Mapping[str, Mapping[str, Any]], sections: Mapping[str, Sections]) -> dict[str, dict[str, Any]]:
    """The settings of a preset under others."""
    return {name: {**preset.get(name, {}), **sections.get(name, {})} for name in [*preset, *(name for name in sections if name not in preset)]}
