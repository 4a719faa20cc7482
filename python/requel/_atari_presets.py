"""The presets for Atari, whose files the program has too: ``requel config show --preset atari-dqn``.

Policies are scored greedily, without the ε of 0.05 or 0.001 that the papers evaluate with, and the last evaluation is bounded, since whole
games outlast a short training.
"""

from __future__ import annotations

import json
from typing import Any

from requel._requel import preset_settings, presets

Sections = dict[str, dict[str, Any]]

#: Frames of one episode at most: 30 minutes of play (Mnih et al. 2015 have 5, Hessel et al. 2018 and all after them 30).
FRAMES_PER_EPISODE = 108_000
#: Frames that each action is held for.
FRAME_SKIP = 4


def _sections(name: str) -> Sections:
    """What a preset says but for the environment, which is the game that it is used for."""
    return {section: keys for section, keys in json.loads(preset_settings(name)).items() if section != "env"}


PRESETS: dict[str, Sections] = {name: _sections(name) for name in presets() if name.startswith("atari-")}
