"""Permissions as they are for a user who is not the administrator, also where the tests run as root."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator

import pytest

VERSION = 0x20080522  # of capset(2), with two words for each set
BYPASS = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


@contextlib.contextmanager
def enforced() -> Iterator[None]:
    """Within the block, no file is readable, writable or searchable against its permissions."""
    if os.name != "posix" or (not os.geteuid() and sys.platform != "linux"):
        pytest.skip("permissions cannot be enforced here")
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, before):
        pytest.skip("this system has no capabilities")
    lowered = (ctypes.c_uint32 * 6)(*before)
    lowered[0] &= ~BYPASS  # of this thread, and of those that it starts
    if libc.capset(header, lowered):
        pytest.skip("the administrator's capabilities cannot be lowered here")
    try:
        yield
    finally:
        libc.capset(header, before)
