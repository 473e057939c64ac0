"""Ctrl-C and SIGTERM while a study trains: a wish that is granted as soon as nothing much is lost by it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

__all__ = ["PATIENCE", "Interrupted", "Wish", "interruptible"]

PATIENCE: Final = 2.0
"""Seconds that an epoch at work is given to end once the wish was made; then it is left before its next wave."""


class Interrupted(KeyboardInterrupt):
    """The study was interrupted, and can be continued; its text says what was saved."""


class Wish:
    """The wish to stop."""

    def __init__(self) -> None:
        self._since: float | None = None

    def make(self) -> None:
        """Wish it; the second time, it is granted at once, by a KeyboardInterrupt."""
        if self._since is not None:
            raise KeyboardInterrupt
        self._since = time.monotonic()

    @property
    def made(self) -> bool:
        """Whether somebody wants to stop."""
        return self._since is not None

    @property
    def impatient(self) -> bool:
        """Whether the epoch at work has had its time to end."""
        return self._since is not None and time.monotonic() - self._since > PATIENCE


@contextlib.contextmanager
def interruptible() -> Iterator[Wish]:
    """Turn the first Ctrl-C, or SIGTERM, into a wish; the second ends the process at once.

    In a thread other than the main one, which signals do not reach, nobody wishes anything.
    """
    wish = Wish()
    if threading.current_thread() is not threading.main_thread():
        yield wish
        return

    def note(signum: int, frame: FrameType | None) -> None:
        wish.make()

    before = {asked: signal.signal(asked, note) for asked in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for asked, handler in before.items():
            signal.signal(asked, handler)
