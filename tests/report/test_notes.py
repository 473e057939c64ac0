"""Every form prints every notice and every note."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import detailed
import summaries
from pdf_texts import pdf_text, squeezed
from wellfit.base import History, Ranked, StudyDetails, StudySummary
from wellfit.narrative.conclusions import conclusion
from wellfit.report.document import make_document
from wellfit.report.forms.cells import results_html
from wellfit.report.forms.markdown import write_markdown
from wellfit.report.forms.notebook import make_notebook
from wellfit.report.forms.page import render_page
from wellfit.report.forms.pdf import write_pdf
from wellfit.report.forms.terminal import print_summary
from wellfit.report.notebook_steps import steps
from wellfit.report.notes import LETTERS, notes, notices
from wellfit.report.parts import Drawing


def finished() -> StudySummary:
    return summaries.study(variants=("baseline", "l2"), epochs=30)


def quick() -> StudySummary:
    """Published numbers, but fewer epochs than in the source."""
    return summaries.study(variants=("baseline", "l2"), epochs=8)


def few_seeds() -> StudySummary:
    return summaries.study(variants=("baseline",), seeds=1, epochs=4)


def interrupted() -> StudySummary:
    states = dict.fromkeys((("l2", 3), ("l2", 4)), "pending")
    return summaries.study(variants=("baseline", "l2"), epochs=4, states=states, state="interrupted")


def untested() -> StudySummary:
    """Half trained: the test set has not been opened."""
    plain = replace(summaries.running(), confusion={}, ranking=(), comparisons=(), answers=(), evidence={})
    variants = tuple(
        replace(v, mean={k: x for k, x in v.mean.items() if k.startswith(("train", "validation"))}, interval={})
        for v in plain.variants
    )
    return replace(plain, variants=variants)


def of_losses() -> StudySummary:
    """Variants compared on the log loss."""
    plain = finished()
    variants = tuple(
        replace(
            v,
            mean={**v.mean, "test_log_loss": v.mean["test_loss"]},
            interval={**v.interval, "test_log_loss": v.interval["test_loss"]},
            runs=tuple(replace(run, test_score=run.test_loss) for run in v.runs),
        )
        for v in plain.variants
    )
    comparisons = tuple(replace(c, metric="test_log_loss") for c in plain.comparisons)
    ranked = sorted(variants, key=lambda v: v.mean["test_loss"])
    said = conclusion(variants, comparisons, 10_000, 0.005, title="Which?", metric="test_log_loss")
    return replace(
        plain,
        metric="log_loss",
        margin=0.005,
        variants=variants,
        comparisons=comparisons,
        ranking=tuple(Ranked(v.name, v.mean["test_loss"], letter) for v, letter in zip(ranked, "ab", strict=True)),
        conclusion=said,
        verdict=" ".join(sentence.text for sentence in said[1:]),
    )


STATES = (finished, of_losses, quick, few_seeds, interrupted, untested, summaries.diverged, summaries.empty)


def read(text: str) -> str:
    """Text as a reader compares it: without white space, and with one minus sign."""
    return squeezed(text).replace("−", "-")


def notebook_text(summary: StudySummary, details: StudyDetails) -> str:
    cells = make_notebook(summary, details, None)["cells"]
    return unescaped("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"))


def unescaped(markdown: str) -> str:
    return html.unescape(re.sub(r"\\(.)", r"\1", markdown))


def page_text(summary: StudySummary, details: StudyDetails) -> str:
    page = re.sub(r"<(script|style)\b.*?</\1>", "", render_page(summary, details), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", "", page))


@pytest.mark.parametrize("make", STATES)
def test_every_form_prints_every_notice_and_note(make: Callable[[], StudySummary], tmp_path: Path) -> None:
    summary = make()
    details = detailed.details(summary, images=20) if make is finished else detailed.NOTHING
    document = make_document(summary, details)
    shown = [note for section in document.written for note in section.notes]
    drawn = {s.id for s in document.sections if any(isinstance(part, Drawing) for part in s.parts)}
    walked = {step.section for step in steps(summary.name) if not step.figure or step.section in drawn}
    of_steps = [note for section in document.sections if section.id in walked for note in section.notes]
    forms = {
        "page": (page_text(summary, details), shown),
        "pdf": (pdf_text(write_pdf(document, tmp_path / "a.pdf")), shown),
        "markdown": (unescaped(write_markdown(document, tmp_path / "a.md").read_text(encoding="utf-8")), shown),
        "notebook": (notebook_text(summary, details), of_steps),
        "jupyter": (html.unescape(results_html(summary)), ()),
        "terminal": (terminal_text(summary), ()),
    }
    assert of_steps
    for form, (text, sentences) in forms.items():
        missing = [s for s in (*document.notices, *sentences) if read(s) not in read(text)]
        assert not missing, form
        if summary.metric != "accuracy":
            assert read("test log loss") in read(text), form
            assert read("lower is better") in read(text), form
            assert not re.search(read(r"(on|in|mean) test accuracy[,. ]*(compared|\(|the highest)"), read(text)), form


def terminal_text(summary: StudySummary) -> str:
    console = Console(file=(out := StringIO()), width=80)
    print_summary(summary, console)
    return out.getvalue()


def test_a_finished_study_needs_no_notice() -> None:
    assert notices(finished()) == ()


def test_notices_name_what_is_unusual() -> None:
    assert "7 of 15 runs have ended" in notices(summaries.running())[0]
    assert any("No run has ended" in notice for notice in notices(summaries.empty()))
    broken = notices(summaries.diverged())[0]
    assert broken.startswith("8 runs diverged")
    assert "l2 seed 1, l2 seed 3" in broken
    assert "and 2 more" in broken
    assert "trains only what is missing" in notices(interrupted())[0]
    one = notices(few_seeds())
    assert [("only one seed" in n, "only one variant" in n) for n in one[:2]] == [(True, False), (False, True)]
    assert notices(quick()) == ("The published numbers come from 30 epochs, not from 8 as here.",)


def test_one_diverged_run_is_singular() -> None:
    (notice,) = notices(summaries.study(variants=("baseline", "l2"), epochs=30, states={("l2", 1): "diverged"}))
    assert notice == (
        "1 run diverged (the loss became infinite or NaN): l2 seed 1. "
        "It is counted in the tables but is not part of any mean, and verdicts marked * compare the surviving runs "
        "alone."
    )


def test_letters_are_explained_where_there_are_any() -> None:
    told = replace(finished(), ranking=(Ranked("baseline", 0.9, "a"), Ranked("l2", 0.8, "b")))
    assert LETTERS in notes("ranking", told, detailed.NOTHING)
    alike = replace(told, ranking=(Ranked("baseline", 0.9, "a"), Ranked("l2", 0.8, "a")))
    assert LETTERS not in notes("ranking", alike, detailed.NOTHING)
    open_ended = replace(alike, comparisons=tuple(replace(c, verdict="undecided") for c in alike.comparisons))
    assert "No two variants differ clearly when every pair is compared." in notes(
        "ranking", open_ended, detailed.NOTHING
    )
    assert LETTERS not in notes("ranking", few_seeds(), detailed.NOTHING)


def test_what_the_lines_are_follows_from_how_the_runs_ended() -> None:
    (baseline,) = replace(finished(), variants=finished().variants[:1]).variants
    summary = replace(finished(), variants=(baseline,), histories={"baseline": finished().histories["baseline"]})
    assert "Lines: mean over the seeds." in notes("curves", summary, detailed.NOTHING)
    short = {0: History({name: of[:2] for name, of in summary.histories["baseline"][0].columns.items()})}
    early = replace(summary, histories={"baseline": {**summary.histories["baseline"], **short}})
    assert "Lines: mean over the seeds, up to the epoch after which the first of them stopped." in notes(
        "curves", early, detailed.NOTHING
    )
    running = notes("curves", replace(summary, state="running"), detailed.NOTHING)
    assert "Lines: mean over the runs that have come as far as the line." in running
    (lines,) = (n for n in notes("curves", replace(early, state="running"), detailed.NOTHING) if n[:6] == "Lines:")
    assert lines.endswith("as far as the line, up to the epoch after which the first of them stopped.")


def test_intervals_are_explained_where_there_are_any() -> None:
    details = detailed.details(finished(), images=20)
    assert any("95 % intervals" in note for note in notes("results", finished(), details))
    assert not any("95 % intervals" in note for note in notes("results", few_seeds(), detailed.NOTHING))
    assert notes("classes", finished(), details) == ("Each interval covers one class, unadjusted.",)
    assert notes("classes", few_seeds(), detailed.NOTHING) == ()
    older = {name: replace(weights, history=None) for name, weights in details.weights.items()}
    assert notes("weights", finished(), details) == ()
    assert "earlier version of wellfit" in notes("weights", finished(), replace(details, weights=older))[0]
