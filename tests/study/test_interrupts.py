"""Requests to stop: noted, granted in time, and at once when repeated."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from wellfit.study import interrupts
from wellfit.study.interrupts import StopRequest, interruptible


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_second_signal_stops_at_once(how: signal.Signals) -> None:
    before = signal.getsignal(how)
    with interruptible() as stop:
        seen = [(stop.requested, stop.overdue)]
        os.kill(os.getpid(), how)
        seen.append((stop.requested, stop.overdue))
        assert seen == [(False, False), (True, False)]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), how)
    assert signal.getsignal(how) is before


def test_a_request_becomes_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    stop = StopRequest()
    stop.make()
    now[0] += interrupts.GRACE
    assert not stop.overdue
    now[0] += 0.01
    assert stop.overdue


def test_other_threads_make_no_request() -> None:
    found: list[bool] = []

    def work() -> None:
        with interruptible() as stop:
            found.append(stop.requested)

    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
    assert signal.getsignal(signal.SIGINT) is handler


def test_other_threads_share_the_request_of_the_main_thread() -> None:
    found: list[bool] = []

    def work() -> None:
        with interruptible() as stop:
            found.append(stop.requested)

    with interruptible():
        os.kill(os.getpid(), signal.SIGINT)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [True]


def test_a_training_grants_the_first_signal() -> None:
    assert not interrupts.is_granting()
    with interruptible():
        assert interrupts.is_granting()
    assert not interrupts.is_granting()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a signal of POSIX")
def test_what_nohup_ignores_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as stop:
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.requested
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.requested
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_ends_in_moments_is_not_waited_for() -> None:
    """A second after the signal the process is ended, as it would be without a request."""
    with interruptible(granting=False) as stop:
        assert not interrupts.is_granting()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested
