"""The answer: the conclusion, the advice, the model, the study's questions, and the key figures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from wellfit.analysis.selection import supported_by_validation
from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Paragraph, Part, Table

__all__ = ["Model", "conclusion", "fragment", "key_figures", "model_of", "parts"]


@dataclass(frozen=True)
class Model:
    """How to use the model of a study: whose networks it has, and the commands."""

    text: str
    commands: tuple[str, ...]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The conclusion as the lead, then everything else; the commands for the model are for those who have it."""
    texts = map(wording.true_minus, conclusion(summary))
    advice = [wording.true_minus(sentence.text) for sentence in summary.advice]
    return [
        *(Paragraph(text, kind="text" if at else "lead") for at, text in enumerate(texts)),
        *(Paragraph(text, "" if at else "What to try next") for at, text in enumerate(advice)),
        *(Paragraph(wording.true_minus(answer.text), answer.ask) for answer in summary.answers),
        Table((), key_figures(summary), text=2),
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same; after the lead, the conclusion is one paragraph."""
    lead, *more = conclusion(summary) or [""]
    paragraphs = list(filter(None, (lead, " ".join(more))))
    return {"paragraphs": paragraphs, "model": model_of(summary), "key_figures": key_figures(summary)}


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


def model_of(summary: StudySummary) -> Model | None:
    """How to use the model that validation supports; None before any run has ended well.

    The commands name the study's directory, without the folders above an absolute one: reports are sent to others.

    Example:
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {})
      >>> model_of(s) is None
      True
    """
    chosen = None if summary.elsewhere else supported_by_validation(summary)
    if chosen is None:
        return None
    place = PurePath(summary.directory)
    shown = place.name if place.is_absolute() else str(place)
    name = shlex.quote(shown)
    networks = sum(run.state in ("finished", "stopped") for run in chosen.runs)
    if not networks:
        return None
    return Model(
        f"The network of {chosen.name}, the choice by validation, classifies new examples:"
        if networks == 1
        else f"The {networks} networks of {chosen.name}, the choice by validation, classify new examples together:",
        (f"wellfit predict {name} FILES", f"wellfit export {name} --format onnx"),
    )


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
        *(() if summary.elsewhere else (("Epochs", _epochs(summary)),)),
        ("Runs", f"{sum(run.state != 'pending' for run in runs)} of {len(runs)}"),
        *(() if summary.elsewhere else (("Time", wording.duration(summary.seconds)),)),
    )


def _epochs(summary: StudySummary) -> str:
    """The epochs of the base recipe, or from the fewest to the most that any variant asks for."""
    asked = [variant["recipe"]["epochs"] for variant in summary.settings.get("variants", {}).values()]
    fewest, most = min(asked, default=summary.epochs), max(asked, default=summary.epochs)
    return str(most) if fewest == most else f"{fewest} to {most}"
