"""Ctrl-C, SIGTERM and a closed terminal end every command with status 130, one line, and no traceback.

A signal becomes a KeyboardInterrupt, which unwinds the command. Two things can keep it from doing so: compiled code
that runs for long, and a callback from compiled code, whose exceptions Python drops. A thread, which the system wakes
at each signal, therefore ends the process if it is still there after a second. Nothing is lost by that: files are
replaced whole or not at all, and a killed study continues. While a study trains, the first signal is a request that
`study.interrupts` grants.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

from wellfit.study.interrupts import SIGNALS, is_granting

__all__ = ["INTERRUPTED", "LINE", "ending_on_signals"]

INTERRUPTED: Final = 130
LINE: Final = "wellfit: interrupted\n"
GRACE: Final = 0.8
"""Seconds from a signal until the process is ended."""

_SHOW_CURSOR: Final = "\x1b[?25h"  # a progress bar hides it


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at a signal, and end the process a second later if it has not ended by itself."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup, or a job in the background
            signal.signal(number, _interrupt)
    try:
        with _watched() if os.name == "posix" else contextlib.nullcontext():
            yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: installed by other than Python
                signal.signal(number, handler)


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """A thread that the system wakes through a pipe at every signal."""
    ended = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(reader, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        os.close(writer)  # the thread reads the end of the pipe, and ends
        watch.join()
        os.close(reader)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _watch(reader: int, ended: threading.Event) -> None:
    """End the process a while after a signal; the first one during training is granted by the training."""
    signals = 0
    while received := os.read(reader, 64):
        signals += sum(number in SIGNALS for number in received)
        if not signals or (signals == 1 and is_granting()):
            continue
        if not ended.wait(GRACE):
            _end()


def _end() -> None:
    with contextlib.suppress(OSError, ValueError):  # a closed terminal
        sys.stderr.write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}{LINE}")
        sys.stderr.flush()
    os._exit(INTERRUPTED)
