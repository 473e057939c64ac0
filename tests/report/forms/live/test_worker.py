"""The process that computes for the server."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from wellfit.errors import WellfitError
from wellfit.report.forms.live import worker as module
from wellfit.report.forms.live.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(20.0)
    yield made
    made.close()


def test_it_answers_from_one_other_process_and_errors_are_one_line(worker: Worker) -> None:
    first = worker.call(os.getpid)
    assert first != os.getpid()
    with pytest.raises(WellfitError, match=r"^cannot be read: ValueError: invalid literal for int\(\)"):
        worker.call(int, "x")
    assert worker.call(os.getpid) == first
    os.kill(first, signal.SIGINT)  # Ctrl-C in a terminal goes to every process
    assert worker.call(os.getpid) == first


def test_a_process_that_ends_is_replaced(worker: Worker) -> None:
    first = worker.call(os.getpid)
    with pytest.raises(WellfitError, match="has ended"):
        worker.call(os._exit, 1)
    assert worker.call(os.getpid) != first


def test_what_takes_too_long_is_ended(worker: Worker) -> None:
    first = worker.call(os.getpid)
    worker._seconds = 0.2
    with pytest.raises(WellfitError, match=r"took longer than 0\.2 s"):
        worker.call(time.sleep, 60)
    worker._seconds = 20.0
    assert worker.call(os.getpid) != first


def test_memory_is_given_back(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    first = worker.call(os.getpid)
    worker.call(bytearray, module.LARGE * 2**20)
    assert worker.call(os.getpid) != first


def test_closing_ends_it_in_the_middle_of_a_task(worker: Worker) -> None:
    worker.call(os.getpid)
    errors = []

    def wait() -> None:
        try:
            worker.call(time.sleep, 60)
        except WellfitError as error:
            errors.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    began = time.monotonic()
    worker.close()
    thread.join()
    assert time.monotonic() - began < 5
    assert len(errors) == 1
    with pytest.raises(WellfitError, match="server has ended"):
        worker.call(os.getpid)
