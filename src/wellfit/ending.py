"""How a signal ends the command, from its first moment to its last: status 130, and one line.

Imports nothing but the standard library's smallest modules, so that ``__main__`` can install it before all others.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Final

__all__ = ["INTERRUPTED", "LINE", "SIGNALS", "end", "end_on_signals", "is_ignored"]

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that ask a process to end."""

INTERRUPTED: Final = 130
"""The exit status."""

LINE: Final = "wellfit: interrupted\n"

_SHOW_CURSOR: Final = "\x1b[?25h"  # a progress bar hides it


def is_ignored(number: int) -> bool:
    """Whether the parent had a signal ignored, as nohup does, and shells for jobs in the background."""
    return signal.getsignal(number) is signal.SIG_IGN


def end_on_signals() -> None:
    """From now on, a signal ends the process at once, unless another handler is installed."""
    for number in SIGNALS:
        if not is_ignored(number):
            signal.signal(number, _at_once)


def end() -> None:
    """End the process with one line. Nothing need be unwound: files are replaced whole or not at all."""
    try:
        sys.stderr.write(f"{_SHOW_CURSOR if sys.stderr.isatty() else ''}{LINE}")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError, RuntimeError):  # closed, or in use by the line that was interrupted
        pass
    os._exit(INTERRUPTED)


def _at_once(number: int, frame: FrameType | None) -> None:
    end()
