"""Summaries of `summaries`, with a study that can be written down: what a document needs beside them."""

from __future__ import annotations

from dataclasses import replace

import detailed
import summaries
from wellfit.base import StudySummary
from wellfit.report.document import Document, make_document
from wellfit.spec.study import load_study, resolved


def with_study(summary: StudySummary) -> StudySummary:
    return replace(summary, settings=resolved(load_study("lab5")))


def document(summary: StudySummary | None = None, full: bool = True) -> Document:
    made = with_study(summary or summaries.study(variants=("baseline", "l2", "dropout")))
    return make_document(made, detailed.details(made) if full else detailed.NOTHING)
