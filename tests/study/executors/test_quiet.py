"""A library that replaces handlers and writes to the terminal by itself leaves both as they were."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading

import pytest

from wellfit.study.executors.quiet import own_signals, without_native_words

WRITES = """
import os, sys
from wellfit.study.executors.quiet import without_native_words
os.write(2, b"before ")
with without_native_words():
    os.write(2, b"a library's ")
    os.system("echo of a child >&2")
    print("Python's", file=sys.stderr, end=" ")
    sys.stderr.write("and a progress bar's ")
os.write(2, b"after ")
print("again", file=sys.stderr)
"""


def test_what_compiled_libraries_write_is_kept_away_and_what_python_writes_is_not() -> None:
    done = subprocess.run([sys.executable, "-c", WRITES], capture_output=True, text=True, check=True)
    assert done.stderr == "before Python's and a progress bar's after again\n"
    assert done.stdout == ""


def test_an_error_passes_and_the_stream_is_as_before() -> None:
    stream, before = sys.stderr, os.fstat(2).st_ino

    def fail() -> None:
        with without_native_words():
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        fail()
    assert sys.stderr is stream
    assert os.fstat(2).st_ino == before


def test_a_stream_of_a_notebook_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with without_native_words():
        sys.stderr.write("seen\n")
    assert stream.getvalue() == "seen\n"


def test_handlers_are_put_back_in_the_main_thread_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with own_signals():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is before
    seen: list[bool] = []

    def elsewhere() -> None:
        with own_signals():
            seen.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [True]
