from __future__ import annotations

import itertools
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from wellfit.base import HISTORY_COLUMNS
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
    between=(100.0, 170.0),
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
        "7,850 to 109,386 parameters, 60 epochs; 1.5 to 3 min and 340 MB of memory",
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
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock(1)))
    built = console()
    with training_progress(built) as progress:
        progress.prepare(["a", "b"], 15)
        for epoch in range(1, 51):
            progress.update(Progress(epoch, 50, 30, 1_440_000, epoch / 50, 50.0 - epoch if epoch > 2 else None))
    assert text(built).splitlines() == [
        "Training: epoch 1/50, 30 runs",
        "62 %, epoch 31/50, 30 runs, about 19 s left",
        "Trained in 51 s",
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


def rows(*accuracies):
    """The rows of a run with these validation accuracies."""
    return [np.full(len(HISTORY_COLUMNS), accuracy) for accuracy in accuracies]


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns, and a clock that advances by three seconds with every reading."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock(3)))
    return console(height=24, force_terminal=True, color_system=None)


def screen(display):
    """What a live display shows now, without control codes."""
    plain = console(height=24)
    plain.print(display._shown())
    return text(plain)


def test_a_terminal_gets_a_table_that_disappears(terminal):
    with training_progress(terminal) as progress:
        progress.prepare(["baseline", "dropout"], 2)
        assert "compiling" in screen(progress)
        of = {("baseline", 0): rows(0.5, 0.6), ("dropout", 0): rows(0.5, 0.7)}
        progress.update(Progress(2, 4, 2, 1000, 0.25, rows=lambda: of))
        *lines, last = screen(progress).splitlines()
        assert lines == [
            "variant    epoch    seeds    validation",
            "baseline   2/4      0/2         60.00 %   ▁█",
            "dropout    2/4      0/2         70.00 %   ▁█",
        ]
        assert last.endswith("  25 % ━━━───────── epoch 2/4, 2 runs")
        progress.update(Progress(4, 4, 0, 1000, 0.5, 4000.0, lambda: of))
        assert "about 1 h 10 min left" in screen(progress)
        progress.update(Progress(0, 0, 4, 0, 1.0))
        assert "testing 4 runs" in screen(progress)
    shown = text(terminal)
    assert "\x1b[2K" in shown  # the table is erased
    assert "\x1b[2KTrained in " in shown


def test_the_line_at_the_bottom_leaves_room_for_an_echo(terminal):
    with training_progress(terminal) as progress:
        progress.prepare([f"a-variant-with-a-long-name-{n}" for n in range(30)], 10)
        progress.update(Progress(1000, 1000, 1000, 1000, 0.5, 40_000.0))
        lines = screen(progress).splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 79
    assert len(lines[-1]) <= 76


@pytest.mark.parametrize("name", ["CI", "NO_COLOR", "TERM"])
def test_where_nobody_watches_there_are_lines(name, terminal, monkeypatch):
    monkeypatch.setenv(name, "dumb")
    with training_progress(terminal) as progress:
        progress.prepare(["a"], 1)
        progress.update(Progress(1, 2, 6, 1000, 0.5))
    assert text(terminal).splitlines() == ["Training: epoch 1/2, 6 runs", "Trained in 6.0 s"]


def test_reading_what_is_new_takes_a_small_share(terminal, monkeypatch):
    """Rows that take long to read are read less often."""
    monkeypatch.setattr(
        module, "time", SimpleNamespace(monotonic=clock(1))
    )  # each reading of the rows seems to take a second
    asked = []
    with training_progress(terminal) as progress:
        progress._live = type("Still", (), {"start": lambda _: None, "stop": lambda _: None})()
        progress.prepare(["a"], 1)
        for epoch in range(1, 400):
            of = Progress(epoch, 1000, 1, 10, 0.1, rows=lambda epoch=epoch: asked.append(epoch) or {})
            progress.update(of)
    assert len(asked) <= 3


def test_a_quiet_console_stays_quiet():
    built = console(quiet=True)
    with training_progress(built) as progress:
        progress.update(Progress(1, 1, 1, 1, 1.0))
    assert text(built) == ""


@pytest.mark.parametrize(
    ("seconds", "output"), [(5, "about 5 s left"), (600, "about 10 min left"), (1, "a moment left"), (None, "")]
)
def test_the_time_left_has_suitable_units(seconds, output):
    assert module._left(seconds) == output


def test_the_time_left_goes_on_between_epochs():
    countdown = module.Countdown()
    assert countdown.left(0.0) is None
    countdown.expect(600.0, now=0.0)
    countdown.expect(None, now=10.0)
    assert module._left(countdown.left(300.0)) == "about 5 min left"


def test_estimates_that_vary_do_not_make_the_time_left_jump():
    countdown, shown = module.Countdown(), []
    for now in range(0, 500, 10):
        noise = 1.08 if now % 20 else 0.92
        countdown.expect(noise * (500.0 - now), now)
        shown.append(countdown.left(now))
    assert all(later <= earlier for earlier, later in itertools.pairwise(shown))
    slower = module.Countdown()  # than thought at first, three times
    slower.expect(100.0, now=0.0)
    for now in range(10, 300, 10):
        slower.expect(300.0 - now, now)
    assert slower.left(290) == pytest.approx(10, abs=5)


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


def test_a_busy_machine_is_mentioned() -> None:
    assert plan_lines(replace(FORECAST, slowdown=1.4)) == plan_lines(FORECAST)
    line = "Other programs use the processor; alone, it would be 2.5 times as fast"
    assert plan_lines(replace(FORECAST, slowdown=2.5))[-1] == line


def test_what_the_design_decides_comes_before_cautions() -> None:
    lines = plan_lines(replace(FORECAST, design=("Decides nothing",), cautions=("Continued elsewhere",)))
    assert lines[-2:] == ["Decides nothing", "Continued elsewhere"]
