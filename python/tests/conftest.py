"""Where the tests keep their files."""

from __future__ import annotations

import os
import tempfile

#: Linux's file system in memory.
MEMORY = "/dev/shm"
NEEDED_BYTES = 2 << 30


def pytest_configure(config):
    """Put what tests write into memory where there is room: a run waits for its disk at every checkpoint, and these tests make hundreds."""
    chosen = config.getoption("basetemp") or any(name in os.environ for name in ("TMPDIR", "PYTEST_DEBUG_TEMPROOT"))
    if not chosen and os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) and _free_bytes(MEMORY) > NEEDED_BYTES:
        tempfile.tempdir = MEMORY


def _free_bytes(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
