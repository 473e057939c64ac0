"""The wish to stop: noted, granted in time, and at once when it is made twice."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from wellfit.study import interrupts
from wellfit.study.interrupts import Wish, interruptible


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_wish_and_the_second_one_is_granted_at_once(how: signal.Signals) -> None:
    before = signal.getsignal(how)
    with interruptible() as wish:
        seen = [(wish.made, wish.impatient)]
        os.kill(os.getpid(), how)
        seen.append((wish.made, wish.impatient))
        assert seen == [(False, False), (True, False)]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), how)
    assert signal.getsignal(how) is before


def test_it_grows_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    wish = Wish()
    wish.make()
    now[0] += interrupts.PATIENCE
    assert not wish.impatient
    now[0] += 0.01
    assert wish.impatient


def test_nobody_wishes_in_another_thread() -> None:
    found: list[bool] = []

    def work() -> None:
        with interruptible() as wish:
            found.append(wish.made)

    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
    assert signal.getsignal(signal.SIGINT) is handler
