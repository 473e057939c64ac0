from __future__ import annotations

import itertools
import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from wellfit.engine.plan import Plan
from wellfit.report.forms import training_progress as module
from wellfit.report.forms.training_progress import plan_lines, print_plan, training_progress
from wellfit.study.planning import Forecast
from wellfit.study.run import Progress

PLAN = Plan((), 25, (109386, 7850), 1e9, 0)
FORECAST = Forecast(
    plan=PLAN,
    done=5,
    title="Does dropout help?",
    data="Fashion-MNIST (IDX files)",
    examples=(48000, 12000, 10000),
    trained=(48000, 48000),
    tested=10000,
    epochs=60,
    devices=2,
    precision="products in bfloat16, sums in float32",
    seconds=131.0,
    memory=340_000_000,
)


def console(width=80, **options):
    return Console(file=StringIO(), width=width, **options)


def text(built):
    return built.file.getvalue()


def clock(step):
    """A clock that advances by a step with every reading."""
    times = itertools.count(0, step)
    return lambda: float(next(times))


@pytest.fixture(autouse=True)
def trainings(monkeypatch):
    """Plans without populations have 20 trainings in two programs."""
    monkeypatch.setattr(Plan, "trajectories", 20)
    monkeypatch.setattr(Plan, "programs", 2)


def test_the_plan_is_a_few_lines():
    built = console(100)
    print_plan(built, FORECAST)
    assert text(built).splitlines() == [
        "Does dropout help?",
        "Fashion-MNIST (IDX files)",
        "48,000 training, 12,000 validation and 10,000 test examples",
        "25 results from 20 trainings; 5 more are already done",
        "7,850 to 109,386 parameters, 60 epochs; about 2 min 11 s and 340 MB of memory",
    ]


def test_a_full_plan_adds_programs_devices_and_precision():
    assert plan_lines(FORECAST, full=True)[5:] == ["2 programs on 2 devices", "Products in bfloat16, sums in float32"]


def test_without_work_there_is_nothing_to_train():
    forecast = replace(FORECAST, plan=replace(PLAN, runs=0), done=1)
    assert plan_lines(forecast, full=True)[-1] == "Nothing to train: the study directory already holds 1 result"


def test_sizes_go_from_small_to_large():
    for sizes, words in (((4, 3, 2), "2 to 4"), ((20, 10), "10 to 20"), ((7, 7), "7"), ((), "–")):
        forecast = replace(FORECAST, plan=replace(PLAN, parameters=sizes))
        assert plan_lines(forecast)[4].startswith(f"{words} parameters, ")


def test_growth_is_counted():
    grown = replace(FORECAST, continued=12, saved=1234, restarted={"whose schedule spans the epochs": 1})
    assert plan_lines(grown)[5:] == [
        "12 trainings continue where they ended, which saves 1,234 epochs",
        "1 training whose schedule spans the epochs starts over",
    ]
    one = replace(FORECAST, continued=1, saved=1, restarted={"with another layout": 2})
    assert plan_lines(one)[5:] == [
        "1 training continues where it ended, which saves 1 epoch",
        "2 trainings with another layout start over",
    ]


def test_a_file_gets_a_few_lines(monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", clock(1))
    built = console()
    with training_progress(built, "images") as progress:
        for epoch in range(1, 51):
            progress.update(Progress(epoch, 50, 30, 1_440_000, epoch / 50))
    assert text(built).splitlines() == [
        "Training: epoch 1/50, 30 runs",
        "62 %, epoch 31/50, 30 runs, 1.4M images/s, 19 s left",
        "Trained in 50 s, 1.4M images a second",
    ]


def test_nothing_is_shown_without_work():
    built = console()
    with training_progress(built):
        pass
    assert text(built) == ""


def test_an_interruption_is_shown_and_passed_on():
    built = console()

    def train():
        with training_progress(built) as progress:
            progress.update(Progress(1, 4, 3, 0, 0.25))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert text(built).splitlines()[-1].startswith("Stopped at 25 % after ")


def test_a_terminal_gets_a_bar_that_disappears(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    built = console(force_terminal=True, color_system=None)
    monkeypatch.setattr(module.time, "monotonic", clock(3))
    with training_progress(built) as progress:
        for step in (
            progress.prepare,
            lambda: progress.update(Progress(1, 2, 6, 1000, 0.5)),
            lambda: progress.update(Progress(2, 2, 6, 1000, 0.75)),
            lambda: progress.update(Progress(0, 0, 6, 0, 1.0)),
        ):
            step()
            progress._bar.refresh()
    shown = text(built)
    assert "compiling" in shown
    assert "epoch 1/2, 6 runs" in shown
    assert "testing 6 runs" in shown
    assert "\x1b[2K" in shown  # the bar is erased
    assert shown.rstrip().splitlines()[-1].endswith("examples a second")


def test_a_quiet_console_stays_quiet():
    built = console(quiet=True)
    with training_progress(built) as progress:
        progress.update(Progress(1, 1, 1, 1, 1.0))
    assert text(built) == ""


def test_a_live_bar_shows_rate_and_time_left(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(module.time, "monotonic", clock(10))
    built = console(force_terminal=True, color_system=None)
    with training_progress(built, "images") as progress:
        progress.update(Progress(1, 4, 6, 1000, 0.25))
        progress.update(Progress(2, 4, 6, 1000, 0.5))
        progress._bar.refresh()
        progress.update(Progress(4, 4, 0, 1000, 0.75))
        progress._bar.refresh()
    shown = text(built)
    assert "100 images/s 20 s left" in shown
    assert "compiling" in shown  # between two populations
    lines = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "\n", shown).splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("seconds", "output"), [(5, "5 s left"), (600, "10 min 0 s left")])
def test_the_time_left_has_suitable_units(seconds, output):
    assert module._left([(0.0, 0, 0.0), (seconds, 10, 0.5)]) == output


def test_the_time_left_needs_a_pace():
    assert module._left([(1.0, 0, 0.1)]) == ""
    assert module._left([(1.0, 0, 0.1), (2.0, 5, 0.1)]) == ""


def test_preparing_is_shown_live_only():
    built = console()
    with training_progress(built) as progress:
        progress.prepare()
    assert text(built) == ""


def test_with_folds_the_test_examples_are_those_of_a_seed_and_of_all() -> None:
    folds = replace(FORECAST, examples=(1150, 287, 359), trained=(1150, 1150), tested=1797)
    assert (
        "1,150 training, 287 validation and 359 test examples a seed; 1,797 test examples in all folds"
        in plan_lines(folds)
    )


def test_the_training_examples_are_those_that_runs_learn_from() -> None:
    rest = "training, 12,000 validation and 10,000 test examples"
    assert f"300 {rest}" in plan_lines(replace(FORECAST, trained=(300, 300)))
    assert f"100 to 48,000 {rest}" in plan_lines(replace(FORECAST, trained=(100, 48000)))


def test_what_the_design_decides_comes_before_cautions() -> None:
    lines = plan_lines(replace(FORECAST, design=("Decides nothing",), cautions=("Continued elsewhere",)))
    assert lines[-2:] == ["Decides nothing", "Continued elsewhere"]
