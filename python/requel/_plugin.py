"""Registers requel's environments with Gymnasium as soon as both are imported, whichever comes first.

Gymnasium 1 looks for no entry points, so ``gymnasium.make("requel/CartPole-v1")`` needs ``import requel``; and Gymnasium takes longer to
import than all of requel, so ``import requel`` does not import it for that alone.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def register_with_gymnasium() -> None:
    """Register the environments: now, or when Gymnasium has been imported."""
    if "gymnasium" in sys.modules:
        _register()
    elif not any(isinstance(finder, _WhenImported) for finder in sys.meta_path):
        sys.meta_path.insert(0, _WhenImported())


def _register() -> None:
    from requel.envs.registration import register_envs

    register_envs()


class _WhenImported(MetaPathFinder):
    """Sees Gymnasium being imported, once, and leaves the finding to the others."""

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return what the other finders say of Gymnasium, with the registration behind its import; nothing of any other module."""
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _register()

            spec.loader.exec_module = execute_and_register
        return spec
