"""Documents of the studies of `summaries`."""

from __future__ import annotations

import detailed
import summaries
from wellfit.base import StudySummary
from wellfit.report.document import Document, make_document


def document(summary: StudySummary | None = None, full: bool = True) -> Document:
    summary = summary or summaries.study(variants=("baseline", "l2", "dropout"))
    return make_document(summary, detailed.details(summary) if full else detailed.NOTHING)
