"""What Ray does to its process besides its work, undone: handlers of signals, and words on the terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["own_signals", "silent", "without_native_words"]


@contextlib.contextmanager
def own_signals() -> Iterator[None]:
    """Keep the handlers of signals, which Ray replaces."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def without_native_words() -> Iterator[None]:
    """Keep what compiled libraries write from the standard error stream; what is written to ``sys.stderr`` appears.

    Ray's core says, whatever its level, that its level was set.
    """
    stream = sys.stderr
    try:
        whole = stream.fileno() == 2
        stream.flush()
        kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except (OSError, ValueError, AttributeError):  # closed, or replaced as in a notebook
        yield
        return
    mine = os.fdopen(os.dup(kept), "w", buffering=1, encoding=stream.encoding, errors=stream.errors)
    os.dup2(nothing, 2)
    os.close(nothing)
    if whole:
        sys.stderr = mine
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        if sys.stderr is mine:
            sys.stderr = stream
        with contextlib.suppress(OSError):  # of a pipe that nobody reads
            mine.close()


def silent(*given: Any, **named: Any) -> None:
    """Say nothing, in place of a function that prints.

    Example:
      >>> silent("a log", of="a machine that is gone")
    """
