"""The part of the package that is written in Rust."""

from collections.abc import Sequence

__version__: str

def run_program(arguments: Sequence[str]) -> int:
    """Run the ``requel`` program with ``arguments``, its name first, and return the code to exit with."""
