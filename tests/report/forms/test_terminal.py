from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from summaries import FINDINGS, diverged, empty, hostile, running, study
from wellfit.base import Finding, Sentence
from wellfit.report.forms.terminal import print_findings, print_summary, wrapped
from wellfit.report.forms.terminal_tables import results_table
from wellfit.report.notes import LETTERS, notices

OVERFITTING = Finding(
    "overfitting", "warning", "2 of 3 variants overfit. a: by 66%; much. b: by 44%.", "Stop earlier (--epochs 3)."
)


def console(width=80, **options):
    return Console(file=StringIO(), width=width, **options)


def text(result):
    return result.file.getvalue()


def shown(summary, width=80, **options):
    result = console(width)
    print_summary(summary, result, **options)
    return text(result)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [study, empty, running, diverged])
def test_every_state_can_be_printed(make, width, full):
    output = shown(make(), width, full=full)
    assert make().title in output.replace("\n", " ")
    assert max(map(len, output.splitlines())) <= width
    assert "\x1b" not in output


def test_names_that_are_hostile_break_nothing():
    result = console(record=True)
    print_summary(hostile(), result, full=True)
    assert hostile().variants[0].name[:8] in text(result)


def test_the_conclusion_and_the_answers_stand_before_the_numbers():
    output = " ".join(shown(study(), full=True).split())
    ask = "Is the published winner confirmed?"
    places = [output.index(part) for part in (study().verdict, ask, "Refuted: baseline", "test accuracy, %", "adj. p")]
    assert places == sorted(places)
    assert LETTERS in output
    alone = shown(study(seeds=1), full=True)
    assert "share a letter" not in alone
    assert "adj. p" not in alone


def test_a_summary_says_state_verdict_and_findings():
    described = shown(running(), 400, full=True)
    assert "fashion-mnist, 5 seeds, 60 epochs, 7 of 15 runs, 5 min 37 s, running" in described
    assert "This study is still running" in described
    assert running().verdict in described
    assert "Brackets: 95 % intervals" in described
    assert (
        described.index("error  Split shift  split-shift")
        < described.index("warning  Train overfit  train-")
        < described.index("info  Data")
    )


def test_at_a_glance_there_is_no_word_of_statistics_and_all_of_it_in_full():
    sentences = (
        Sentence("Which?", ("title",)),
        Sentence("l2 was better.", ("comparisons[l2].verdict",)),
        Sentence("The chance of any false claim is 5 %.", ("study.seeds", "comparisons[l2].p_adjusted")),
        Sentence("Further seeds: 9 for l2.", ("comparisons[l2].verdict", "evidence[l2].further_seeds")),
    )
    answer = replace(
        study().answers[0],
        sentences=(
            Sentence("Undecided (+1.5 points [0.01, 2.9], adjusted p = 0.098).", ("asked",)),
            Sentence("Further seeds: 9 for l2.", ("evidence[l2].further_seeds",)),
        ),
    )
    summary = replace(study(), conclusion=sentences, verdict=" ".join(s.text for s in sentences[1:]), answers=(answer,))
    brief, full = shown(summary, 400), shown(summary, 400, full=True)
    assert "l2 was better." in brief
    for word in ("false claim", "Further seeds", "adjusted", "p = ", "Friedman"):
        assert word not in brief
        assert word in full
    assert "[0.01, 2.9], not enough when several are compared" in brief
    assert "--full" in brief
    assert "--full" not in full


def test_divergence_and_earlier_looks_are_said_at_a_glance():
    sentences = (
        Sentence("Which?", ("title",)),
        Sentence("l2 diverged more often than baseline.", ("divergences[l2].diverged",)),
        Sentence("Second look, unadjusted.", ("earlier_looks",)),
    )
    brief = shown(replace(study(), conclusion=sentences), 400)
    assert "l2 diverged more often than baseline. Second look, unadjusted." in brief


def test_what_an_answer_says_of_the_leader_is_not_said_twice():
    leads = Sentence("The highest mean is l2's.", ("ranking[l2].mean", "ranking[l2].letters"))
    summary = replace(study(), conclusion=(Sentence("Which?", ("title",)), Sentence("l2 won.", ("x",)), leads))
    best = replace(summary.answers[0], kind="best")
    assert leads.text in shown(summary, 400)
    assert leads.text not in shown(replace(summary, answers=(best,)), 400)


def test_findings_at_a_glance_are_short() -> None:
    summary = replace(study(), findings=(*FINDINGS, OVERFITTING), advice=())
    brief = shown(summary, 400)
    assert "error  Split shift\n" in brief
    assert "a: by 66%; much.\n" in brief
    assert "b: by 44%" not in brief
    assert "Stop earlier (--epochs 3)." in brief
    assert "Notes: 43 training images occur twice, none of them in the test set.\n" in brief
    assert "Nothing needs to be done." not in brief
    full = shown(summary, 400, full=True)
    assert "b: by 44%" in full
    assert "Nothing needs to be done." in full
    assert all(full.count(finding.code) == 1 for finding in summary.findings)


def test_a_finding_without_a_fix_ends_with_its_message() -> None:
    result = console()
    print_findings((replace(OVERFITTING, fix=""),), result)
    assert text(result).splitlines()[1:] == ["  2 of 3 variants overfit. a: by 66%; much. b: by 44%."]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("make", [empty, running, diverged])
def test_every_notice_is_printed(make, full: bool) -> None:
    output = shown(make(), 400, full=full)
    assert notices(make())
    assert all(notice in output for notice in notices(make()))


def test_the_legend_takes_two_lines() -> None:
    lines = shown(study()).splitlines()
    (start,) = [at for at, line in enumerate(lines) if line.startswith("Brackets")]
    assert lines[start + 1].endswith("Curves: own scale each.")
    assert lines[start + 2] == ""
    assert "in points. Best: epoch of the lowest validation loss." in " ".join(lines)
    narrow = " ".join(shown(study(), 50).split())
    assert "in points. •: epoch of the lowest validation loss." in narrow


def test_a_fix_that_is_advised_is_not_repeated():
    advice = (Sentence("Stop baseline at epoch 9: there.", ("x",)),)
    brief = shown(replace(study(), findings=(OVERFITTING,), advice=advice), 400)
    assert brief.count("Stop ") == 1
    assert "a: by 66%" in brief
    note = replace(OVERFITTING, level="info")
    assert "overfit" not in shown(replace(study(), findings=(note,), advice=advice), 400)


def test_many_variants_fit_a_screen():
    summary = study()
    assert len(shown(replace(summary, findings=(*FINDINGS, OVERFITTING))).splitlines()) <= 32 + len(summary.variants)


def test_a_setting_that_fits_a_line_stays_in_one():
    setting = '--set "variants.early-stopping.early_stopping={patience = 5, restore = true}"'
    assert f"  {setting}" in shown(
        replace(study(), findings=(replace(OVERFITTING, fix=f"Stop earlier: {setting}"),)), 90
    )
    assert max(map(len, wrapped(f"Stop {setting}", 40))) <= 49  # one that does not is broken where it can be
    assert wrapped("", 10) == []


def test_markup_in_names_is_text():
    summary = study(variants=("baseline",))
    odd = replace(summary.variants[0], name="[red]x[/red]")
    result = console(200)
    result.print(results_table(replace(summary, variants=(odd,)), 200))
    print_findings((replace(FINDINGS[0], message="[bold]loud[/bold]"),), result)
    assert "[red]x[/red]" in text(result)
    assert "[bold]loud[/bold]" in text(result)


def test_no_findings_is_said():
    result = console()
    print_findings((), result)
    assert "No problems found." in text(result)


def test_color_only_on_a_terminal(monkeypatch):
    def colored(**options):
        result = console(120, **options)
        print_summary(study(), result)
        return text(result)

    green = "\x1b[1;32m"
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" not in colored()
    assert green in colored(force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert green not in colored(force_terminal=True, color_system="standard")


@pytest.mark.parametrize("full", [False, True])
def test_an_encoding_of_plain_letters_gets_nothing_else(full):
    stream = TextIOWrapper(memory := BytesIO(), encoding="ascii")
    result = Console(file=stream, width=80)
    summary = replace(study(), findings=(replace(OVERFITTING, message="90 % ± 3 points – all."),))
    print_summary(summary, result, full=full)  # raises where a letter cannot be encoded
    stream.flush()
    assert b"90 % +/- 3 points - all." in memory.getvalue()
    assert b"?" not in memory.getvalue().replace(summary.title.encode(), b"").replace(b"confirmed?", b"")


@pytest.mark.parametrize("arguments", [("show",), ("show", "--full")])
def test_a_pipe_gets_plain_lines_of_eighty(finished_study, arguments):
    command = [sys.executable, "-m", "wellfit", *arguments, str(finished_study)]
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "FORCE_COLOR")}
    done = subprocess.run(command, capture_output=True, env=environment, encoding="utf-8", check=True)
    lines = done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert [line for line in lines if line != line.rstrip()] == []
    assert [line for line in lines if len(line) > 80 and str(finished_study) not in line] == []
    if "--full" in arguments:
        assert "adj. p" in done.stdout
        assert "parameters" in done.stdout
    else:
        assert len(lines) <= 60  # nineteen variants
        assert lines[-1].endswith("--full")
