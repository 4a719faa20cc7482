"""Where the tests keep their files, and what they hear."""

from __future__ import annotations

import os
import signal
import tempfile

#: Linux's file system in memory.
MEMORY = "/dev/shm"
NEEDED_BYTES = 2 << 30


def pytest_configure(config):
    """Make the tests independent of how and where they were started."""
    hear_ctrl_c()
    keep_files_in_memory(config)


def hear_ctrl_c():
    """Hear Ctrl-C, here and in what is started from here: a shell that starts something in the background has it ignore the signal."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def keep_files_in_memory(config):
    """Put what tests write into memory where there is room: a run waits for its disk at every checkpoint, and these tests make hundreds."""
    chosen = config.getoption("basetemp") or any(name in os.environ for name in ("TMPDIR", "PYTEST_DEBUG_TEMPROOT"))
    if not chosen and os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) and _free_bytes(MEMORY) > NEEDED_BYTES:
        tempfile.tempdir = MEMORY


def _free_bytes(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
