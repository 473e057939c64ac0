"""Signals at any moment: status 130, one line, no traceback, within a second or two."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from saved_runs import posix
from wellfit.cli.signals import LINE

ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"]


def started(code: str) -> subprocess.Popen[str]:
    """A command that runs the code instead of its work, after it printed a line."""
    text = textwrap.dedent(
        f"""
        import signal, sys, time
        from wellfit.cli.app import app, main
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background, or under nohup, ignore
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # signals, and their children with them

        def work():
            print("at work", flush=True)
            {code}

        app.command()(work)
        sys.argv = ["wellfit", "work"]
        main()
        """
    )
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    return process


def said(process: subprocess.Popen[str]) -> str:
    """What it prints as an error before it ends; it does not outlive a test that fails."""
    try:
        return process.communicate(timeout=10)[1]
    finally:
        process.kill()


@posix
@pytest.mark.parametrize("name", ENDINGS)
def test_a_signal_ends_a_command_with_one_line(name: str) -> None:
    process = started("time.sleep(60)")
    process.send_signal(getattr(signal, name))
    assert (said(process), process.returncode) == (LINE, 130)


@posix
@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize(
    "code",
    [
        "__import__('hashlib').pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)",  # compiled code that looks for no signal
        "swallow()",
    ],
    ids=["compiled", "swallowed"],
)
def test_a_signal_that_nobody_heeds_ends_the_process(name: str, code: str) -> None:
    swallow = "\n            ".join(["while True:", "    try: time.sleep(60)", "    except BaseException: pass"])
    process = started(swallow if code == "swallow()" else code)
    since = time.monotonic()
    process.send_signal(getattr(signal, name))
    assert (said(process), process.returncode) == (LINE, 130)
    assert time.monotonic() - since < 5  # a second, on an idle machine


@posix
@pytest.mark.parametrize("name", ENDINGS)
def test_a_signal_in_a_callback_that_drops_it_prints_nothing_more(name: str) -> None:
    lines = ["import gc, os", f"gc.callbacks.append(lambda *_: os.kill(os.getpid(), signal.{name}))", "gc.collect()"]
    process = started("\n            ".join([*lines, "time.sleep(60)"]))
    assert (said(process), process.returncode) == (LINE, 130)


@posix
@pytest.mark.parametrize("name", ENDINGS)
def test_no_exception_passes_through_a_module_that_is_loaded(name: str, tmp_path: Path) -> None:
    work = "try:\n    time.sleep(0.5)\nexcept BaseException:\n    print('passed')\n"
    module = f"import time\nprint('loading', flush=True)\n{work}"
    (tmp_path / "slowly_loaded.py").write_text(module)
    process = started(f"sys.path.insert(0, {str(tmp_path)!r}); import slowly_loaded")
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(getattr(signal, name))
    output, errors = process.communicate(timeout=10)
    assert (output, errors, process.returncode) == ("", LINE, 130)


@posix
def test_what_the_parent_ignores_stays_ignored() -> None:
    text = (
        "import signal, os; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from wellfit.cli.signals import ending_on_signals\n"
        "with ending_on_signals(): os.kill(os.getpid(), signal.SIGHUP); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n")


def test_handlers_are_put_back() -> None:
    from wellfit.cli.signals import ending_on_signals

    before = signal.getsignal(signal.SIGTERM)
    with ending_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
