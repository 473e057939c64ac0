"""A process that computes for the server, which meanwhile answers others; it is ended where it takes too long.

A thread would not do: it holds Python's global lock for most of its time, and cannot be ended.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from wellfit.errors import WellfitError, one_line

__all__ = ["Worker"]

LARGE: Final = 400
"""Megabytes: a process that needed more is ended after its task, and gives them back."""


class Worker:
    """A process for one task at a time, started by the first one.

    Args:
      seconds: a task may take; then the process is ended, and the next task starts another.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Connection | None = None
        self._closed = False

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function of a module in the process, and return what it returns. Call it in a thread.

        Raises:
          WellfitError: the function has failed, the process has ended, or the time is over.
        """
        with self._lock:
            try:
                connection = self._started()
                if self._closed:  # while it started
                    raise WellfitError("the server has ended")
                connection.send((function, arguments))
                if not connection.poll(self._seconds):
                    raise WellfitError(f"took longer than {self._seconds:g} s and was ended")
                ended_well, value, stays = connection.recv()
            except (OSError, EOFError, pickle.PickleError):
                self._end()
                raise WellfitError("the process that reads studies has ended; is there enough memory?") from None
            except BaseException:
                self._end()
                raise
            if not stays:
                self._end()
        if not ended_well:
            raise WellfitError(value)
        return value

    def close(self) -> None:
        """End the process, also in the middle of a task; another `call` fails."""
        self._closed = True
        self._kill()

    def _started(self) -> Connection:
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            self._connection, other = context.Pipe()
            process = context.Process(target=_work, args=(other,), daemon=True)
            with _without_interrupts():  # inherited: Ctrl-C in a terminal goes to all of its processes
                process.start()
            self._process = process
            other.close()
        return self._connection

    def _end(self) -> None:
        self._kill()
        if self._process is not None:
            self._process.join(1)
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _kill(self) -> None:
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError, ValueError):
                process.kill()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # when it starts, it lets the signal pass again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- In the process -----------------------------------------------------------------------------------------------


def _work(connection: Connection) -> None:
    """Run functions until the server closes the connection, or ends in whatever way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # warnings of libraries do not belong on the user's terminal
        os.dup2(silent, stream)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    while True:
        try:
            function, arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, function(*arguments))
        except WellfitError as error:
            answer = (False, str(error))
        except Exception as error:  # rows that wellfit has not written; files that disappear; no memory
            answer = (False, f"cannot be read: {type(error).__name__}: {one_line(error)}")
        try:
            connection.send((*answer, _megabytes() < LARGE))
        except OSError:
            return
        except Exception as error:  # a value that cannot be sent
            connection.send((False, f"cannot be sent: {type(error).__name__}: {one_line(error)}", False))


def _end_with(sentinel: Any) -> None:
    wait([sentinel])
    os._exit(0)


def _megabytes() -> float:
    """The most memory that this process has had."""
    if sys.platform == "win32":
        return 0.0
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux, where getrusage begins with the figure of the process that started this one
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:"))
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10
