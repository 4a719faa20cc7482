"""The ``requel`` command."""

import signal
import sys

from requel._requel import run_program


def main() -> None:
    """Run the ``requel`` program with the arguments of this process, and exit with its code."""
    # The program has handlers of its own: Python's would only be heard after it has ended.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_program(sys.argv))
