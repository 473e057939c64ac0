"""Ctrl-C, SIGTERM and SIGHUP during training: a request to stop, granted as soon as little work is lost by it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

from wellfit.ending import SIGNALS

__all__ = ["GRACE", "Interrupted", "StopRequest", "interruptible", "is_granting"]

GRACE: Final = 2.0
"""Seconds after the request in which the epoch in progress may end; then training stops before its next wave."""

_granting: list[StopRequest] = []
"""The request of the training in progress, where there is one."""


class Interrupted(KeyboardInterrupt):
    """The study was interrupted and can be continued; the message says what was saved."""


class StopRequest:
    """Whether and when the user requested a stop."""

    def __init__(self) -> None:
        self._since: float | None = None

    def make(self) -> None:
        """Request a stop; a second request raises KeyboardInterrupt at once."""
        if self._since is not None:
            raise KeyboardInterrupt
        self._since = time.monotonic()

    @property
    def requested(self) -> bool:
        """Whether the user requested a stop."""
        return self._since is not None

    @property
    def overdue(self) -> bool:
        """Whether the epoch in progress has had its time to end."""
        return self._since is not None and time.monotonic() - self._since > GRACE


@contextlib.contextmanager
def interruptible(*, granting: bool = True) -> Iterator[StopRequest]:
    """Turn the first signal into a request; the second one is handled as before, and raises KeyboardInterrupt.

    Signals that are ignored, as after ``nohup``, stay so. Outside the main thread, which alone receives signals, it is
    the request of the main thread, if that can be asked to stop; else no request is ever made.

    Args:
      granting: whether ending may take as long as an epoch; otherwise the process is ended a second after the signal.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield _granting[-1] if _granting else stop
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        handler = before[number]
        if stop.requested and callable(handler):
            handler(number, frame)
        stop.make()

    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, on_signal) for number in heeded}
    if granting:
        _granting.append(stop)
    try:
        yield stop
    finally:
        if granting:
            _granting.remove(stop)
        for number, handler in before.items():
            signal.signal(number, handler)


def is_granting() -> bool:
    """Whether a training in this process ends by itself after a signal."""
    return bool(_granting)
