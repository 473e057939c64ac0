"""Ctrl-C, SIGTERM and a closed terminal end every command with status 130, one line, and no traceback.

A signal becomes a KeyboardInterrupt, which unwinds the command. Two things can keep it from doing so: compiled code
that runs for long, and a callback from compiled code, whose exceptions Python drops. A thread therefore ends the
process if it is still there after a second. Nothing is lost by that: files are replaced whole or not at all, and a
killed study continues. While a study trains, `study.interrupts` catches the first signal, and passes on the second.
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

__all__ = ["INTERRUPTED", "LINE", "ending_on_signals"]

INTERRUPTED: Final = 130
LINE: Final = "wellfit: interrupted\n"
GRACE: Final = 0.8
"""Seconds from a signal until the process is ended."""

_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_SHOW_CURSOR: Final = "\x1b[?25h"  # a progress bar hides it


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at a signal, and end the process a second later if it has not ended by itself."""
    ended = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=_end_later, args=(ended,), daemon=True).start()
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup, or a job in the background
            signal.signal(number, on_signal)
    try:
        yield
    finally:
        ended.set()
        for number, handler in before.items():
            if handler is not None:  # installed by other than Python
                signal.signal(number, handler)


def _end_later(ended: threading.Event) -> None:
    if ended.wait(GRACE):
        return
    with contextlib.suppress(OSError, ValueError):  # a closed terminal
        sys.stderr.write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}{LINE}")
        sys.stderr.flush()
    os._exit(INTERRUPTED)
