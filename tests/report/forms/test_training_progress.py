from __future__ import annotations

import itertools
import re
from io import StringIO

import pytest
from rich.console import Console

from wellfit.report.forms import training_progress as module
from wellfit.report.forms.training_progress import print_plan, training_progress

PLAN = {
    "runs": 25,
    "trajectories": 20,
    "programs": 2,
    "parameters": (109386, 7850),
    "epochs": 60,
    "examples": (48000, 12000, 10000),
    "devices": 2,
    "seconds": 131.0,
    "memory": 340_000_000,
    "precision": "products in bfloat16, sums in float32",
}


def console(width=80, **options):
    return Console(file=StringIO(), width=width, **options)


def text(made):
    return made.file.getvalue()


def clock(step):
    """A clock that a step goes by at every look."""
    times = itertools.count(0, step)
    return lambda: float(next(times))


def test_the_plan_is_a_few_lines():
    made = console(100)
    print_plan(made, **PLAN, done=5, data="Fashion-MNIST (IDX files)")
    assert text(made).splitlines() == [
        "Fashion-MNIST (IDX files)",
        "48,000 training, 12,000 validation and 10,000 test examples",
        "25 runs from 20 trajectories, 2 programs on 2 devices; 5 more are done already",
        "7,850 to 109,386 parameters, 60 epochs; about 2 min 11 s and 340 MB of memory",
        "Products in bfloat16, sums in float32",
    ]


def test_a_plan_without_work_or_forecast():
    made = console(100)
    print_plan(made, **{**PLAN, "runs": 0, "parameters": ()}, done=1)
    assert text(made).splitlines()[-1] == "Nothing to train: the study directory holds 1 run already"
    made = console(100)
    print_plan(made, **{**PLAN, "seconds": None, "parameters": (109386,), "runs": 1})
    assert text(made).splitlines()[1:] == [
        "1 run from 20 trajectories, 2 programs on 2 devices",
        "109,386 parameters, 60 epochs; about 340 MB of memory",
        "Products in bfloat16, sums in float32",
    ]


def test_sizes_go_from_small_to_large_and_are_told_once():
    for sizes, told in (((4, 3, 2), "2 to 4"), ((20, 10), "10 to 20"), ((7, 7), "7"), ((), "–")):
        made = console(100)
        print_plan(made, **{**PLAN, "parameters": sizes})
        assert text(made).splitlines()[2].startswith(f"{told} parameters, ")


def test_progress_into_a_file_is_a_few_lines(monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", clock(1))
    made = console()
    with training_progress(made, "images") as progress:
        for epoch in range(1, 51):
            progress.update(epoch, 50, 30, 1_440_000, epoch / 50)
    assert text(made).splitlines() == [
        "Training: epoch 1/50, 30 runs",
        "62 %, epoch 31/50, 30 runs, 1.4M images/s, 19 s left",
        "Trained after 50 s, 1.4M images a second",
    ]


def test_progress_without_work_says_nothing():
    made = console()
    with training_progress(made):
        pass
    assert text(made) == ""


def test_an_interruption_is_said_and_passed_on():
    made = console()

    def train():
        with training_progress(made) as progress:
            progress.update(1, 4, 3, 0, 0.25)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert text(made).splitlines()[-1].startswith("Stopped at 25 % after ")


def test_progress_on_a_terminal_is_a_bar_that_goes_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    made = console(force_terminal=True, color_system=None)
    monkeypatch.setattr(module.time, "monotonic", clock(3))
    with training_progress(made) as progress:
        for step in (
            progress.prepare,
            lambda: progress.update(1, 2, 6, 1000, 0.5),
            lambda: progress.update(2, 2, 6, 1000, 0.75),
            lambda: progress.update(0, 0, 6, 0, 1.0),
        ):
            step()
            progress._bar.refresh()
    shown = text(made)
    assert "compiling" in shown
    assert "epoch 1/2, 6 runs" in shown
    assert "testing 6 runs" in shown
    assert "\x1b[2K" in shown  # the bar is erased
    assert shown.rstrip().splitlines()[-1].endswith("examples a second")


def test_a_quiet_console_stays_quiet():
    made = console(quiet=True)
    with training_progress(made) as progress:
        progress.update(1, 1, 1, 1, 1.0)
    assert text(made) == ""


def test_a_live_bar_tells_rate_and_time_left(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module.time, "monotonic", clock(10))
    made = console(force_terminal=True, color_system=None)
    with training_progress(made, "images") as progress:
        progress.update(1, 4, 6, 1000, 0.25)
        progress.update(2, 4, 6, 1000, 0.5)
        progress._bar.refresh()
        progress.update(4, 4, 0, 1000, 0.75)
        progress._bar.refresh()
    shown = text(made)
    assert "100 images/s 20 s left" in shown
    assert "compiling" in shown  # between two populations
    lines = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "\n", shown).splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("seconds", "told"), [(5, "5 s left"), (600, "10 min 0 s left")])
def test_what_is_left_is_in_units_that_fit(seconds, told):
    assert module._left([(0.0, 0, 0.0), (seconds, 10, 0.5)]) == told


def test_what_is_left_is_not_told_before_there_is_a_pace():
    assert module._left([(1.0, 0, 0.1)]) == ""
    assert module._left([(1.0, 0, 0.1), (2.0, 5, 0.1)]) == ""


def test_preparing_is_told_live_only():
    made = console()
    with training_progress(made) as progress:
        progress.prepare()
    assert text(made) == ""
