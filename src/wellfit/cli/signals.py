"""Ctrl-C, SIGTERM and a closed terminal end every command with status 130, one line, and no traceback.

A signal becomes a KeyboardInterrupt, which unwinds the command, but for three cases that end the process at once: a
module that is being loaded, a callback from compiled code, whose exceptions Python drops, and, by a thread that the
system wakes at each signal, a command that is still there after a second, such as compiled code that runs for long.
Nothing is lost by that: files are replaced whole or not at all, and a killed study continues. While a study trains,
the first signal is a request that `study.interrupts` grants.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any, Final

from wellfit.ending import INTERRUPTED, LINE, SIGNALS, end, is_ignored
from wellfit.study.interrupts import is_granting

__all__ = ["INTERRUPTED", "LINE", "ending_on_signals"]

GRACE: Final = 0.8
"""Seconds from a signal until the process is ended."""

_LOADING: Final = ("importlib._bootstrap", "_frozen_importlib")
"""Names of the module that loads modules. Compiled ones may end the process with words of their own where an exception
passes through them."""

_MAIN: Final = "wellfit.cli.app"  # whoever imported this module is not the command's concern


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt at a signal, and end the process a second later if it has not ended by itself."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in before:
        if not is_ignored(number):
            signal.signal(number, _interrupt)
    usual = sys.unraisablehook
    sys.unraisablehook = partial(_without_interrupts, usual)
    try:
        with _watched() if os.name == "posix" else contextlib.nullcontext():
            yield
    finally:
        sys.unraisablehook = usual
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
    if _is_loading(frame):
        end()
    raise KeyboardInterrupt


def _is_loading(frame: FrameType | None) -> bool:
    """Whether the command was loading a module where a signal arrived."""
    while frame is not None and (name := frame.f_globals.get("__name__")) != _MAIN:
        if name in _LOADING:
            return True
        frame = frame.f_back
    return False


def _without_interrupts(usual: Callable[[Any], Any], unraisable: Any) -> None:
    """End the process at a KeyboardInterrupt that a callback of compiled code drops."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        end()
    usual(unraisable)


def _watch(reader: int, ended: threading.Event) -> None:
    """End the process a while after a signal; the first one during training is granted by the training."""
    signals = 0
    while received := os.read(reader, 64):
        signals += sum(number in SIGNALS for number in received)
        if not signals or (signals == 1 and is_granting()):
            continue
        if not ended.wait(GRACE):
            end()
