"""The answer: the conclusion, then the study's questions, the advice, and the key figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Paragraph, Part, Table

__all__ = ["conclusion", "fragment", "key_figures", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The conclusion as the lead, then everything else."""
    texts = map(wording.true_minus, conclusion(summary))
    advice = " ".join(sentence.text for sentence in summary.advice)
    return [
        *(Paragraph(text, kind="text" if at else "lead") for at, text in enumerate(texts)),
        *(Paragraph(wording.true_minus(answer.text), answer.ask) for answer in summary.answers),
        *([Paragraph(wording.true_minus(advice), "What to try next")] if advice else []),
        Table((), key_figures(summary), text=2),
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same; after the lead, the conclusion is one paragraph."""
    lead, *more = conclusion(summary) or [""]
    return {"paragraphs": list(filter(None, (lead, " ".join(more)))), "key_figures": key_figures(summary)}


def conclusion(summary: StudySummary) -> list[str]:
    r"""The sentences of the conclusion without the title; the verdict's paragraphs where there are none.

    Example:
      >>> verdict = "It helps.\n\nRun five seeds."
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), verdict, {}, {}, (), {}, {})
      >>> conclusion(s)
      ['It helps.', 'Run five seeds.']
    """
    sentences = [sentence.text for sentence in summary.conclusion[1:]]
    return sentences or [text for text in re.split(r"\n\s*\n", summary.verdict) if text.strip()]


def key_figures(summary: StudySummary) -> tuple[tuple[str, str], ...]:
    """Name and value of what a reader wants to know first: data, state, variants, seeds, epochs, runs, time."""
    runs = [run for variant in summary.variants for run in variant.runs]
    few = len(summary.seeds) <= 5
    seeds = ", ".join(map(str, summary.seeds)) if few else f"{summary.seeds[0]} … {summary.seeds[-1]}"
    return (
        ("Data", summary.data),
        *((("Compared on", wording.compared(summary)),) if summary.metric != "accuracy" else ()),
        ("State", summary.state),
        ("Variants", str(len(summary.variants))),
        ("Seeds", f"{len(summary.seeds)} ({seeds})"),
        ("Epochs", str(summary.epochs)),
        ("Runs", f"{sum(run.state != 'pending' for run in runs)} of {len(runs)}"),
        ("Time", wording.duration(summary.seconds)),
    )
