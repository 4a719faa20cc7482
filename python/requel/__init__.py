"""Deep Q-learning with experience replay: fast, resumable, and the same bits for the same seed."""

from requel._requel import __version__

__all__ = ["__version__"]
