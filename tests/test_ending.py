"""Signals before the command line is loaded, and after it is done."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from saved_runs import posix
from wellfit.ending import LINE

WAITING = """
import signal, sys, time
for name in ("SIGINT", "SIGHUP"):
    signal.signal(getattr(signal, name), {handler})

class Waiting:
    def find_spec(self, name, path=None, target=None):
        if name == "wellfit.cli":
            print("loading", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Waiting())
from wellfit.__main__ import main
main()
"""

LEAVING = """
import atexit, sys, time
from wellfit.__main__ import main

def wait():
    print("leaving", flush=True)
    time.sleep(60)

atexit.register(wait)
sys.argv = ["wellfit", "--version"]
main()
"""


def ended(code: str, word: str, name: str) -> tuple[str, int]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        while process.stdout.readline() not in (f"{word}\n", ""):
            pass
        process.send_signal(getattr(signal, name))
        return process.communicate(timeout=20)[1], process.returncode
    finally:
        process.kill()


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_while_the_command_line_is_loaded_is_one_line(name: str) -> None:
    assert ended(WAITING.replace("{handler}", "signal.SIG_DFL"), "loading", name) == (LINE, 130)


@posix
def test_a_signal_while_the_process_leaves_is_one_line() -> None:
    assert ended(LEAVING, "leaving", "SIGTERM") == (LINE, 130)


@posix
def test_what_the_parent_ignores_stays_ignored() -> None:
    code = WAITING.replace("{handler}", "signal.SIG_IGN").replace("time.sleep(60)", "time.sleep(0.5); sys.exit('done')")
    assert ended(code, "loading", "SIGHUP") == ("done\n", 1)
