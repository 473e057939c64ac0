from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from summaries import FINDINGS, diverged, empty, hostile, running, study
from wellfit.report import terminal
from wellfit.report.terminal import print_findings, print_plan, print_summary, results_table, training_progress

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


@pytest.mark.parametrize("width", [120, 100, 80, 60, 40])
def test_the_table_fits(width):
    made = console(width)
    made.print(results_table(study(), width))
    lines = text(made).splitlines()
    assert len(lines) == 2 + len(study().variants)  # a row a variant: nothing wraps
    assert max(map(len, lines)) <= width
    assert "88.36 [88.26, 88.46]" in lines[2]
    assert "…" not in text(made)


def test_eighty_columns_hold_all_numbers():
    made = console()
    made.print(results_table(study(), 80))
    header, _, first = text(made).splitlines()[:3]
    assert header.split() == ["variant", "test", "accuracy,", "%", "train", "val.", "gap", "best", "params", "sec."]
    assert first.split() == [
        "baseline",
        "88.36",
        "[88.26,",
        "88.46]",
        "b",
        "98.64",
        "89.13",
        "10.28",
        "9.8",
        "109k",
        "56",
    ]


def test_a_wide_table_has_verdicts_and_ranges():
    made = console(120)
    made.print(results_table(study(), 120))
    row = next(line for line in text(made).splitlines() if line.startswith("dropout"))
    assert row.split()[4:] == ["a", "better", "89.12", "89.59", "0.06", "16.2", "(12-21)", "109,386", "56"]


def test_a_very_narrow_table_folds_and_loses_nothing():
    made = console(24)
    made.print(results_table(study(variants=("early-stopping",)), 24))
    assert "88.60" in text(made)


@pytest.mark.parametrize("make", [study, empty, running, diverged, hostile])
def test_every_state_can_be_printed(make):
    made = console()
    print_summary(make(), made)
    assert make().title in text(made).replace("\n", " ")
    assert max(map(len, text(made).splitlines())) <= 80


def test_the_conclusion_and_the_answers_stand_before_the_numbers():
    made = console()
    print_summary(study(), made)
    told = " ".join(text(made).split())
    ask = "Is the published winner confirmed?"
    places = [told.index(part) for part in (study().verdict, ask, "Refuted: baseline", "test accuracy, %", "p (Holm)")]
    assert places == sorted(places)
    assert "Variants that share a letter cannot be told apart." in told
    alone = console()
    print_summary(study(seeds=1), alone)
    assert "share a letter" not in text(alone)
    assert "p (Holm)" not in text(alone)


def test_a_summary_says_state_verdict_and_findings():
    made = console(400)
    print_summary(running(), made)
    said = text(made)
    assert "fashion-mnist, 5 seeds, 60 epochs, 7 of 15 runs, 5 min 37 s, running" in said
    assert "This study is still running" in said
    assert running().verdict in said
    assert "95 % intervals over seeds and test examples in brackets" in said
    assert said.index("error  split-shift") < said.index("warning  train-overfit") < said.index("info  data-dup")


def test_markup_in_names_is_text():
    summary = study(variants=("baseline",))
    odd = replace(summary.variants[0], name="[red]x[/red]")
    made = console(200)
    made.print(results_table(replace(summary, variants=(odd,)), 200))
    print_findings((replace(FINDINGS[0], message="[bold]loud[/bold]"),), made)
    assert "[red]x[/red]" in text(made)
    assert "[bold]loud[/bold]" in text(made)


def test_numbers_survive_every_encoding():
    made = console(120)
    made.print(results_table(diverged(), 120))
    body = "\n".join(line for line in text(made).splitlines() if "─" not in line)
    assert body.isascii()
    assert "-0." in body


def test_no_findings_is_said():
    made = console()
    print_findings((), made)
    assert "nothing to report" in text(made)


def test_color_only_on_a_terminal(monkeypatch):
    def shown(**options):
        made = console(120, **options)
        print_summary(study(), made)
        return text(made)

    green = "\x1b[1;32m"
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in shown()
    assert green in shown(force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert green not in shown(force_terminal=True, color_system="standard")


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


def test_progress_into_a_file_is_two_lines(monkeypatch):
    clock = iter([0.0, *range(1, 100)])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: float(next(clock)))
    made = console()
    with training_progress(made) as progress:
        for epoch in range(1, 51):
            progress.update(epoch, 50, 30, 1_440_000, epoch / 50)
    assert text(made).splitlines() == [
        "Training: epoch 1/50  30 runs",
        "Trained after 50 s, 1.4M examples a second",
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
    with training_progress(made) as progress:
        progress.update(1, 2, 6, 1000, 0.5)
        progress.update(2, 2, 6, 1000, 0.95)
        progress.update(0, 0, 0, 0, 1.0)
    shown = text(made)
    assert "test set" in shown
    assert "\x1b[2K" in shown  # the bar is erased
    assert shown.rstrip().splitlines()[-1].endswith("examples a second")


def test_a_quiet_console_stays_quiet():
    made = console(quiet=True)
    with training_progress(made) as progress:
        progress.update(1, 1, 1, 1, 1.0)
    assert text(made) == ""
